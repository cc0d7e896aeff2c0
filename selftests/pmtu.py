#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
MTU and path MTU: h1 - a ==== r ==== b - h2, the tunnel between a and b, r a router whose
second link may be narrow. The MTU is exactly what fits for each algorithm, whoever sends too
much is told the right number, and only ICMP about packets we sent is believed.
"""
import os
import re
import select
import socket
import struct

from bed import Bed, Tap, drops, expect_drops, ip, reconcile
from craft import checksum, ipv4
from ends import esptun
from ktap import Failure, add, case, check, equal, run, wait_for
from sa import CBC, GCM, LAYOUTS, Sa
from traffic import HEADER, Host, transfer

BED = {}
A, B, R = "192.0.2.1", "198.51.100.2", "192.0.2.254"
PROBE = 3                       # IP_PMTUDISC_PROBE: DF, and never mind what the route says
DONT, RECVERR4, RECVERR6 = 0, 11, 25


def inner_link(gw, gdev, host, n):
    """A host behind a gateway."""
    ip(f"link add {gdev} netns {gw.name} mtu 9000 type veth peer name eth0 netns {host.name} mtu 9000")
    # Neighbour discovery for forwarded packets needs link-local addresses.
    gw.sysctl(f"ipv6/conf/{gdev}/addr_gen_mode=0")
    host.sysctl("ipv6/conf/eth0/addr_gen_mode=0")
    gw.ip(f"addr add 10.{n}.0.1/24 dev {gdev}\naddr add fd00:{n}::1/64 dev {gdev} nodad\n"
          f"link set {gdev} up")
    host.ip(f"addr add 10.{n}.0.2/24 dev eth0\naddr add fd00:{n}::2/64 dev eth0 nodad\n"
            f"link set eth0 up\nroute add default via 10.{n}.0.1\n"
            f"route add default via fd00:{n}::1")
    return Host(host, f"10.{n}.0.2", f"fd00:{n}::2")


def setup():
    """Five namespaces, esptun on both gateways."""
    BED["bed"] = bed = Bed()
    a, r, b = BED["a"], BED["r"], BED["b"] = [bed.ns(n) for n in ("a", "r", "b")]
    for ns in (a, r, b):
        ns.sysctl("ipv4/ip_forward=1")
        ns.sysctl("ipv6/conf/all/forwarding=1")
    # A link whose MTU was below 1280 for a while comes back with the default.
    r.sysctl("ipv6/conf/default/disable_ipv6=1")
    bed.wire(a, "a0", f"{A}/24", r, "r0", f"{R}/24", sniff=False)
    bed.wire(r, "r1", "198.51.100.254/24", b, "b0", f"{B}/24", sniff=False)
    for dev in ("r0", "r1"):
        bed.sniff(r, dev, [A, B, R, "198.51.100.254", "203.0.113.66"])
    a.ip(f"route add default via {R}")
    b.ip("route add default via 198.51.100.254")
    BED["h1"] = inner_link(a, "lan0", bed.ns("h1"), 1)
    BED["h2"] = inner_link(b, "lan0", bed.ns("h2"), 2)
    BED["tap"] = Tap(r, "r0", 50)
    BED["forge"] = r.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    devices()


def devices(**options):
    """Fresh devices, so that nothing learned before is left."""
    for ns, own, peer, n in ((BED["a"], A, B, 2), (BED["b"], B, A, 1)):
        if BED.get("made"):
            ns.ip("link del esp0")
        esptun(ns, "esp0", own, peer, **options)
        ns.ip(f"route add 10.{n}.0.0/24 dev esp0\nroute add fd00:{n}::/64 dev esp0")
    BED["made"] = True
    BED["h1"].ns.sysctl("ipv4/route/flush=1")       # what h1 was told before


def keys(alg=GCM[0]):
    """New SAs on both gateways."""
    a, b = BED["a"], BED["b"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    ab, ba = Sa(A, B, alg), Sa(B, A, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    return ab.install(a, "esp0", "out")


def tunnel():
    """The tunnel of gateway a as the kernel tells it."""
    return BED["a"].genl.do("tunnel-get", ifname="esp0")


def prober(version, discover=PROBE):
    """A socket of h1 that gets told about MTUs."""
    s = BED["h1"].ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    if version == 4:
        s.setsockopt(socket.IPPROTO_IP, 10, discover)
        s.setsockopt(socket.IPPROTO_IP, RECVERR4, 1)
    else:
        s.setsockopt(socket.IPPROTO_IPV6, 23, discover)
        s.setsockopt(socket.IPPROTO_IPV6, 62, 1)            # IPV6_DONTFRAG
        s.setsockopt(socket.IPPROTO_IPV6, RECVERR6, 1)
    return s


def told(s):
    """The MTU in a socket's error queue, or None."""
    try:
        _, ancillary, _, _ = s.recvmsg(100, 512, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        return None
    for _, kind, data in ancillary:
        if kind in (RECVERR4, RECVERR6):
            code, mtu = struct.unpack_from("=I4xI", data)    # sock_extended_err
            equal(code, 90, "error told")                    # EMSGSIZE
            return mtu
    return None


def send(version, size, discover=PROBE, lost=False):
    """
    Sends one inner packet of this size from h1 to h2. Returns "arrived", or the MTU that h1
    was told; with `lost` it returns None at once, since nothing is known to come.
    """
    h2 = BED["h2"]
    sink = h2.sock(version, "udp")
    s = prober(version, discover)
    payload = os.urandom(size - HEADER[version, "udp"])
    s.setblocking(False)
    s.sendto(payload, (h2.addr[version], 4000))
    if lost:
        s.close()
        return None
    try:
        ready, _, _ = select.select([sink, s], [], [], 20)     # an error makes s readable
        if sink in ready:
            equal(sink.recv(70000), payload, "what arrived")
            return "arrived"
        mtu = told(s)
        if mtu is None:
            raise Failure(f"IPv{version} packet of {size}: neither arrived nor refused")
        return mtu
    finally:
        s.close()


def exact(alg):
    """The device's MTU is what fits; one octet more does not, and the sender is told."""
    keys(alg)
    most = alg.inner_max(1500)
    wait_for(f"MTU {most}", lambda: tunnel()["mtu"] == most)
    equal(tunnel()["path_mtu"], 1500, "path MTU")
    # The last packet of the case before may have come behind its SA.
    before = drops(BED["a"], "esp0")
    for version in (4, 6):
        BED["tap"].packets()
        equal(send(version, most), "arrived", f"IPv{version} packet of {most}")
        # Small ones are multicast listener reports of the gateway itself.
        wire = [len(p) for p in BED["tap"].packets("in") if len(p) > 300]
        check(len(wire) == 1 and 1500 - alg.block < wire[0] <= 1500, f"on the wire: {wire}")
        for size in (most + 1, 1500, 3000):
            equal(send(version, size), most, f"told for an IPv{version} packet of {size}")
    equal(drops(BED["a"], "esp0"), before, "drops of a")


for one in LAYOUTS:
    add(f"{one}: the MTU is exactly what fits, more is refused by forwarding", exact, one)


@case("a device MTU that is too large: the module itself tells the sender, tx_mtu")
def by_module():
    a = BED["a"]
    for alg in (GCM[0], CBC[0], CBC[2], CBC[-1]):
        # Made anew: what was told sticks to the routes over a device.
        devices(mtu=2000)
        keys(alg)
        most = alg.inner_max(1500)
        equal(tunnel()["mtu"], 2000, "the administrator's MTU stays")
        before = drops(a, "esp0")
        for version in (4, 6):
            equal(send(version, most), "arrived", f"IPv{version} packet of {most}")
            for size in (most + 1, 1500, 2000):
                equal(send(version, size), most, f"told for an IPv{version} packet of {size}")
        # What was told sticks to the route: forwarding itself may refuse the later ones.
        count = drops(a, "esp0").get("tx_mtu", 0) - before.get("tx_mtu", 0)
        check(2 <= count <= 6, f"{count} tx_mtu drops for 6 packets refused")
        equal({**drops(a, "esp0"), "tx_mtu": 0}, {**before, "tx_mtu": 0}, "other drops")


@case("IPv4 without DF is never refused: it crosses in fragments")
def without_df():
    for outside in (True, False):
        devices(**({"mtu": 2000} if outside else {}))
        keys()
        before = drops(BED["a"], "esp0")
        for size in (1500, 2000, 5000):
            BED["tap"].packets()
            equal(send(4, size, DONT), "arrived", f"packet of {size}")
            wire = BED["tap"].packets("in")
            check(all(len(p) <= 1500 for p in wire), "fits the wire")
            parts = any(struct.unpack("!H", p[6:8])[0] & 0x3fff for p in wire)
            if size <= 2000:
                equal(parts, outside, "outer fragments")
        equal(drops(BED["a"], "esp0"), before, "drops")


@case("what would be over 65535 octets outside is dropped by name, just below it crosses")
def longest():
    devices(mtu=65000)
    keys()
    a, b = BED["a"], BED["b"]
    a.ip("route replace 10.2.0.9/32 dev esp0 mtu 65535")
    b.ip("addr add 10.2.0.9/32 dev lo")
    try:
        with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, \
                b.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.bind(("10.2.0.9", 4000))
            sink.settimeout(20)
            s.setsockopt(socket.IPPROTO_IP, 10, DONT)
            s.bind(("10.1.0.1", 0))
            before = drops(a, "esp0")
            s.sendto(bytes(65535 - 28), ("10.2.0.9", 4000))
            expect_drops(a, "esp0", before, tx_mtu=1)
            s.sendto(bytes(65535 - 128 - 28), ("10.2.0.9", 4000))
            equal(len(sink.recv(70000)), 65535 - 128 - 28, "what arrived")
    finally:
        b.ip("addr del 10.2.0.9/32 dev lo")


def narrow(mtu):
    """The link behind the router."""
    BED["r"].ip(f"link set r1 mtu {mtu}")
    BED["b"].ip(f"link set b0 mtu {mtu}")


def learned(mtu):
    """A narrow link: the first large packet is lost, then gateway and sender know."""
    devices()
    keys()
    narrow(mtu)
    try:
        most = GCM[0].inner_max(mtu)
        send(4, 1446, lost=True)
        wait_for(f"path MTU {mtu}", lambda: tunnel()["path_mtu"] == mtu)
        wait_for("the device's MTU", lambda: tunnel()["mtu"] == max(1280, most))
        equal(send(4, 1446), max(1280, most), "told for a packet of 1446")
        equal(send(4, most + 1), most, f"told for a packet of {most + 1}")
        equal(send(4, most), "arrived", f"packet of {most}")
        equal(send(6, 1446), max(1280, most), "told for an IPv6 packet of 1446")
        equal(send(6, max(1280, most)), "arrived", "IPv6 packet of the MTU")
        equal(send(6, 1280), "arrived", "IPv6 packet of 1280")
    finally:
        narrow(1500)


for width in (1400, 1300, 1000, 576):
    add(f"path MTU {width} learned from a router's ICMP", learned, width)


@case("TCP over a narrow path: large transfer, no black hole")
def tcp():
    devices()
    keys()
    narrow(1300)
    try:
        for version in (4, 6):
            transfer(BED["h1"], BED["h2"], version, os.urandom(300000))
    finally:
        narrow(1500)


def icmp(spi, seq, mtu, src=A, dst=B, sender=R, code=4):
    """ICMP destination unreachable that quotes an ESP packet."""
    return icmp_of(ipv4(src, dst, 50, struct.pack("!II", spi, seq), flags=2, length=1500), mtu,
                   sender, code)


def icmp_of(quoted, mtu, sender=R, code=4):
    """ICMP destination unreachable about a packet."""
    body = struct.pack("!BBHHH", 3, code, 0, 0, mtu) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    return ipv4(sender, A, 1, body)


def forge(packet):
    """Sends ICMP to gateway a and waits until it has been looked at."""
    before = BED["a"].snmp("Icmp.InDestUnreachs")
    BED["forge"].sendto(packet, (A, 0))
    wait_for("the ICMP message", lambda: BED["a"].snmp("Icmp.InDestUnreachs") > before)


@case("forged ICMP is not believed: unknown SPI, other addresses, numbers never sent")
def forged():
    devices()
    out = keys()
    for _ in range(5):
        equal(send(4, 100), "arrived", "a packet")
    seq = out.get(BED["a"], "esp0", "out")["seq"]
    for what, packet in (("unknown SPI", icmp(out.spi + 1, seq, 600)),
                         ("SPI 0", icmp(0, seq, 600)),
                         ("another destination", icmp(out.spi, seq, 600, dst="198.51.100.3")),
                         ("another source", icmp(out.spi, seq, 600, src="192.0.2.9")),
                         ("number 0", icmp(out.spi, 0, 600)),
                         ("a number never sent", icmp(out.spi, seq + 1000, 600)),
                         ("a number far behind", icmp(out.spi, (seq - (1 << 21)) & 0xffffffff, 600)),
                         ("host unreachable", icmp(out.spi, seq, 600, code=1)),
                         ("protocol unreachable", icmp(out.spi, seq, 600, code=2)),
                         ("from anywhere, unknown SPI", icmp(7777, 1, 576, sender="203.0.113.66"))):
        forge(packet)
        equal((tunnel()["path_mtu"], tunnel()["mtu"]), (1500, 1446), f"path MTU and MTU after {what}")
        equal(send(4, 1446), "arrived", f"a packet of the MTU after {what}")
    # What any host's kernel believes, since it has no way to tell: the route gets an exception.
    for what, mtu, proto, head in (("UDP", 1200, 17, struct.pack("!HHHH", 9, 9, 1480, 0)),
                                   ("an echo reply", 1100, 1, bytes.fromhex("0000ffff00000000")),
                                   ("UDP, locked", 100, 17, struct.pack("!HHHH", 9, 9, 1480, 0))):
        forge(icmp_of(ipv4(A, B, proto, head, flags=2, length=1500), mtu))
        equal((tunnel()["path_mtu"], tunnel()["mtu"]), (1500, 1446), f"path MTU and MTU after {what}")
        pieces = BED["a"].snmp("Ip.FragCreates")
        equal(send(4, 1446), "arrived", f"a packet of the MTU after {what}")
        equal(BED["a"].snmp("Ip.FragCreates"), pieces, "fragments")
    check(re.search("mtu (lock )?552", BED["a"].sh(f"ip route get {B}")), "the route's exception")
    forge(icmp(out.spi, seq, 1400))
    wait_for("the true one", lambda: tunnel()["path_mtu"] == 1400)


@case("ICMP with an absurd MTU: not below 576, IPv6 goes on with 1280")
def absurd():
    devices()
    out = keys()
    equal(send(4, 100), "arrived", "a packet")
    for mtu in (0, 1, 68, 575):
        forge(icmp(out.spi, 1, mtu))
        wait_for("path MTU 576", lambda: tunnel()["path_mtu"] == 576)
        equal(tunnel()["mtu"], 1280, "MTU")
    equal(send(6, 1280), "arrived", "IPv6 packet of 1280")
    equal(send(4, GCM[0].inner_max(576)), "arrived", "what fits 576")
    equal(send(4, 1280), GCM[0].inner_max(576), "told for 1280")


@case("what the gateway sends itself obeys the same MTU")
def local_sender():
    devices()
    keys()
    most = GCM[0].inner_max(1500)
    wait_for("the MTU", lambda: tunnel()["mtu"] == most)
    with BED["a"].inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 10, 2)
        s.sendto(bytes(most - 28), ("10.2.0.2", 4000))
        try:
            s.sendto(bytes(most - 27), ("10.2.0.2", 4000))
            raise Failure("one octet too many was accepted")
        except OSError as err:
            equal(err.errno, 90, "errno")


def ends():
    """Counters add up, nothing leaked, nothing is left."""
    try:
        reconcile(BED["a"], "esp0", BED["b"], "esp0")
        reconcile(BED["b"], "esp0", BED["a"], "esp0")
    finally:
        for host in (BED["h1"], BED["h2"]):
            host.close()
        BED["bed"].verify()


run(setup, ends)
