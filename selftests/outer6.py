#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
IPv6 outside: the same tunnel between IPv6 endpoints, against the kernel's own IPsec and
against itself; the outer header, the MTU, path MTU discovery, and the kernel's own IPsec
beside us between the same endpoints.
"""
import errno
import os
import select
import socket
import struct

from bed import Bed, Tap, drops, expect_drops, flow, reconcile
from craft import checksum, ipv4, seal, trailer
from ends import A_IN, B_IN, IF_ID, esptun, inner, pair, xfrm_packets, xfrm_sas, xfrmi
from ktap import add, case, check, equal, run, wait_for
from nl import Refused
from sa import CBC, GCM, Sa
from traffic import exchange, transfer

BED = {}
A6, B6, R6, S6 = "2001:db8:a::1", "2001:db8:a::2", "2001:db8:a::fe", "2001:db8:b::fe"
C6 = "2001:db8:b::2"
A_X, B_X = ("10.3.0.1", "fd00:3::1"), ("10.4.0.1", "fd00:4::1")
SIZES = (28, 1280)


def setup():
    """a is esptun; b is an xfrm interface; c has esptun again, behind router r."""
    BED["bed"] = bed = Bed()
    BED["xfrm"] = pair(bed, "xfrmi", outer=(A6, B6))
    a, b = BED["xfrm"][:2]
    BED["tap"] = Tap(b, "b0", 50, version=6)
    BED["raw"] = b.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    check(a, "gateway")


def both(one, two, versions=(4, 6), tap=None, sizes=SIZES):
    """Traffic both ways."""
    for version in versions:
        low = 48 if version == 6 else 28
        for src, dst in ((one, two), (two, one)):
            exchange(src, dst, version, [max(s, low) for s in sizes], tap=tap)


def xfrm_keys(alg=GCM[0], **more):
    """New SAs between esptun and the xfrm interface."""
    a, b = BED["xfrm"][:2]
    a.genl.do("sa-flush")
    ab, ba = Sa(A6, B6, alg, **more), Sa(B6, A6, alg, **more)
    xfrm_sas(b, ab, ba)
    ba.install(a, "esp0", "in")
    ab.install(a, "esp0", "out")
    return ab, ba


def interop(alg, esn):
    """Both families, both ways, nothing readable outside."""
    ab, ba = xfrm_keys(alg, esn=esn)
    a, b, ha, hb = BED["xfrm"]
    both(ha, hb, tap=BED["tap"])
    equal(sorted(xfrm_packets(b)), [4, 4], "packets of the in-tree states")
    equal(ab.get(a, "esp0", "out")["packets"], 4, "sent")
    equal(ba.get(a, "esp0", "in")["packets"], 4, "received")
    equal(drops(a, "esp0"), {}, "drops")


for one, extended in ((GCM[0], False), (GCM[2], True), (CBC[0], True), (CBC[1], False)):
    add(f"with an xfrm interface: {one}{' ESN' if extended else ''}", interop, one, extended)


@case("TCP both ways, both families, against the xfrm interface")
def tcp():
    xfrm_keys()
    _, _, ha, hb = BED["xfrm"]
    for version in (4, 6):
        transfer(ha, hb, version, os.urandom(200000))
        transfer(hb, ha, version, os.urandom(200000))


def header(tos=0, ttl=64):
    """The outer header of a packet sent with this traffic class and hop limit."""
    a, *_ = BED["xfrm"]
    BED["tap"].packets()
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.sendto(b"header", (B_IN[0], 4001))
    p = wait_for("the ESP packet", lambda: BED["tap"].packets("in"))[0]
    word, = struct.unpack_from("!I", p)
    return {"class": word >> 20 & 0xff, "label": word & 0xfffff, "hops": p[7],
            "src": socket.inet_ntop(socket.AF_INET6, p[8:24]),
            "dst": socket.inet_ntop(socket.AF_INET6, p[24:40])}


@case("the outer header: addresses, traffic class, hop limit, one flow label for an SA")
def outer_header():
    a, *_ = BED["xfrm"]
    xfrm_keys()
    first = header()
    equal((first["src"], first["dst"]), (A6, B6), "addresses")
    equal((first["class"], first["hops"]), (0, 64), "class and hop limit")
    for tos in (0xb8, 0xb9, 0xba, 0xbb):
        equal(header(tos)["class"], tos, f"traffic class {tos:#x}")
    equal(header()["label"], first["label"], "flow label of the same SA")
    seen = {first["label"]}
    for _ in range(2):
        xfrm_keys()
        seen.add(header()["label"])
    check(len(seen) > 1, f"flow labels of three SAs: {seen}")
    a.rtnl.newlink("esp0", flags=0, ttl=0, tos=0x20)
    got = header(0xb9, 33)
    equal((got["class"], got["hops"]), (0x21, 33), "fixed DSCP, hop limit of the inner packet")
    a.sysctl("ipv6/auto_flowlabels=0")
    equal(header()["label"], 0, "flow label when the host sets none")
    a.sysctl("ipv6/auto_flowlabels=1")
    a.rtnl.newlink("esp0", flags=0, ttl=64, tos=1)


def ipv6(src, dst, proto, payload, tos=0):
    """An IPv6 packet."""
    return struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload), proto, 64) + \
        socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload


def send_esp(sa, seq, src=None, flip=None, tos=0):
    """One ESP packet from b, made octet by octet."""
    text = ipv4(B_IN[0], A_IN[0], 253, b"hello")
    payload = seal(sa, seq, text + trailer(len(text), sa.alg.block, 4), flip=flip)
    BED["raw"].sendto(ipv6(src or sa.src, sa.dst, 50, payload, tos), (A6, 0))


@case("what is wrong is dropped by name; the last error names the IPv6 source")
def bad_packets():
    a, *_ = BED["xfrm"]
    _, ba = xfrm_keys()
    seq = 0
    for want, kw in (("rx_icv_fail", {"flip": -1}), ("rx_wrong_source", {"src": "2001:db8:a::99"}),
                     ("rx_ecn", {"tos": 3})):
        before = drops(a, "esp0")
        seq += 1
        send_esp(ba, seq, **kw)
        expect_drops(a, "esp0", before, **{want: 1})
        last = a.genl.do("tunnel-get", ifname="esp0")["last_error"]
        equal((last["reason"], last["source6"], last["spi"]),
              (want.replace("_", "-"), kw.get("src", B6), ba.spi), "last error")
    before = drops(a, "esp0")
    send_esp(ba, seq)
    expect_drops(a, "esp0", before, rx_replay_dup=1)


@case("the kernel's own IPsec between the same IPv6 endpoints, mixed with ours")
def coexist():
    a, b, ha, hb = BED["xfrm"]
    xfrm_keys()
    before, foreign = drops(a, "esp0"), a.genl.do("module-get")["rx_foreign_spi"]
    nostates = a.snmp("XfrmInNoStates")
    # Interface 43 on both gateways, in-tree at both ends.
    hosts = (xfrmi(a, "xfrm1", "a0", A6, B6, A_X, B_X, IF_ID + 1),
             xfrmi(b, "xfrm1", "b0", B6, A6, B_X, A_X, IF_ID + 1))
    for sa in (Sa(A6, B6), Sa(B6, A6, CBC[0])):
        for ns in (a, b):
            ns.ip(sa.xfrm(IF_ID + 1))
    for _ in range(3):
        both(ha, hb)
        both(*hosts)
    equal(sorted(xfrm_packets(a)), [12, 12], "packets of the in-tree states of a")
    equal(drops(a, "esp0"), before, "drops of esptun")
    equal(a.snmp("XfrmInNoStates"), nostates, "XfrmInNoStates")
    check(a.genl.do("module-get")["rx_foreign_spi"] - foreign >= 12, "passed on and counted")
    theirs = Sa(B6, A6)
    a.ip(theirs.xfrm(IF_ID + 1))
    refused(errno.EEXIST, "xfrm", lambda: Sa(B6, A6, spi=theirs.spi).install(a, "esp0", "in"))
    a.ip("xfrm state flush\nxfrm policy flush\nlink del xfrm1")
    b.ip("link del xfrm1")
    for host in hosts:
        host.close()


@case("unknown SPIs reach the kernel's own IPsec; those from our peer are counted besides")
def unknown():
    a, *_ = BED["xfrm"]
    nostates = a.snmp("XfrmInNoStates")
    for src, mine in ((B6, 3), ("2001:db8:a::77", 0)):
        before = drops(a, "esp0")
        for n in range(1, 4):
            send_esp(Sa(src, A6), n)
        nostates += 3
        wait_for("XfrmInNoStates", lambda n=nostates: a.snmp("XfrmInNoStates") == n)
        expect_drops(a, "esp0", before, **({"rx_no_sa": mine} if mine else {}))


def refused(code, text, what):
    """It is, with this errno and a text that has this word in it."""
    try:
        what()
    except Refused as err:
        equal(err.errno, code, "errno")
        check(text in (err.text or ""), f"text: {err.text}")
        return
    check(False, f"accepted, although: {text}")


@case("configuration: families do not mix, what cannot be an endpoint is refused")
def configuration():
    a, *_ = BED["xfrm"]
    good = {"local6": A6, "remote6": "2001:db8::77"}
    for text, over in (("IPv4, the other IPv6", {"local6": None, "local4": "192.0.2.1"}),
                       ("both", {"remote4": "192.0.2.1"}), ("both", {"local4": "192.0.2.1"}),
                       ("unicast", {"remote6": "ff02::1"}), ("unicast", {"remote6": "::"}),
                       ("unicast", {"local6": "ff02::1"}),
                       ("unicast", {"remote6": "::ffff:192.0.2.1"}),
                       ("dev", {"remote6": "fe80::1", "local6": "::"})):
        refused(errno.EINVAL, text, lambda o=over: a.rtnl.newlink("bad0", **{**good, **o}))
    a.rtnl.newlink("esp9", **good)
    got = a.rtnl.getlink("esp9")
    equal({k: got.get(k) for k in ("local4", "remote4", "local6", "remote6")},
          {"local4": None, "remote4": None, **good}, "what it tells")
    refused(errno.EINVAL, "IPv4, the other IPv6",
            lambda: a.rtnl.newlink("esp9", flags=0, local4="192.0.2.9"))
    equal(a.rtnl.getlink("esp9"), got, "after a refused change")
    a.rtnl.newlink("esp9", flags=0, remote4="192.0.2.9")
    got = a.rtnl.getlink("esp9")
    equal((got["remote4"], got["local4"]), ("192.0.2.9", "0.0.0.0"), "after the change to IPv4")
    a.rtnl.newlink("esp9", flags=0, remote6="2001:db8::78")
    equal(a.genl.do("tunnel-get", ifname="esp9")["remote6"], "2001:db8::78", "and back")
    a.ip("link del esp9")


@case("no address of ours, no route: dropped by name")
def no_route():
    a, *_ = BED["xfrm"]
    for n, (local, remote) in enumerate((("2001:db8:a::99", B6), ("::", "2001:db8:dead::1"))):
        esptun(a, "esp8", local, remote)
        Sa(local, remote).install(a, "esp8", "out")
        a.ip(f"route add 10.88.{n}.0/24 dev esp8")
        with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            try:
                s.sendto(b"nowhere", (f"10.88.{n}.1", 9))
            except OSError:
                pass
        expect_drops(a, "esp8", {}, tx_no_route=1)
        a.ip("link del esp8")


@case("link-local endpoints over the named device")
def link_local():
    a, b, *_ = BED["xfrm"]
    own = [A_X, B_X]
    hosts = []
    for ns, dev, n in ((a, "a0", 0), (b, "b0", 1)):
        ns.ip(f"addr add fe80::{n + 1}/64 dev {dev} nodad")
        hosts.append(esptun(ns, "esp7", f"fe80::{n + 1}", f"fe80::{2 - n}", own[n], own[1 - n],
                            link=ns.index(dev)))
    BED["bed"].sniffers[0].outer += [socket.inet_pton(socket.AF_INET6, f"fe80::{n}") for n in (1, 2)]
    one, two = Sa("fe80::1", "fe80::2"), Sa("fe80::2", "fe80::1")
    for ns, out, into in ((a, one, two), (b, two, one)):
        into.install(ns, "esp7", "in")
        out.install(ns, "esp7", "out")
    both(*hosts)
    for ns, host in zip((a, b), hosts):
        host.close()
        ns.ip("link del esp7")


# -- path MTU: a - r - c ---------------------------------------------------------------------

def routed():
    """A second underlay, with a router in the middle and esptun at both ends."""
    if "c" in BED:
        return
    bed = BED["bed"]
    d, r, c = (bed.ns(n) for n in ("d", "r", "c"))
    for ns in (d, r, c):
        ns.sysctl("ipv6/conf/all/forwarding=1")
    bed.wire(d, "d0", f"{A6}/64", r, "r0", f"{R6}/64", sniff=False)
    bed.wire(r, "r1", f"{S6}/64", c, "c0", f"{C6}/64", sniff=False)
    for dev in ("r0", "r1"):
        bed.sniff(r, dev, [A6, C6, R6, S6])
    d.ip(f"route add default via {R6}")
    c.ip(f"route add default via {S6}")
    hosts = (esptun(d, "esp0", A6, C6, A_IN, B_IN), esptun(c, "esp0", C6, A6, B_IN, A_IN))
    one, two = Sa(A6, C6), Sa(C6, A6)
    for ns, out, into in ((d, one, two), (c, two, one)):
        into.install(ns, "esp0", "in")
        out.install(ns, "esp0", "out")
    BED.update(d=d, r=r, c=c, routed=hosts, out=one)


def tunnel():
    """The tunnel of gateway d."""
    return BED["d"].genl.do("tunnel-get", ifname="esp0")


@case("the MTU is what fits behind an IPv6 header; GSO and TCP in both families")
def mtu():
    routed()
    most = GCM[0].inner_max(1500, 40)
    equal((tunnel()["mtu"], tunnel()["path_mtu"]), (most, 1500), "MTU and path MTU")
    equal(tunnel()["overhead"], 40 + 8 + 8 + 3 + 2 + 16, "overhead")
    both(*BED["routed"], sizes=(most - 1, most))
    for version in (4, 6):
        transfer(*BED["routed"], version, os.urandom(300000))


def icmp6(sa, seq, size, dst=C6):
    """Packet too big that quotes an ESP packet of d."""
    quoted = ipv6(A6, dst, 50, struct.pack("!II", sa.spi, seq) + bytes(64))
    body = struct.pack("!BBHI", 2, 0, 0, size) + quoted
    pseudo = socket.inet_pton(socket.AF_INET6, R6) + socket.inet_pton(socket.AF_INET6, A6) + \
        struct.pack("!II", len(body), 58)
    return ipv6(R6, A6, 58, body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:])


@case("packet too big that quotes what we never sent is not believed")
def forged():
    routed()
    d, r = BED["d"], BED["r"]
    out, seq = BED["out"], BED["out"].get(BED["d"], "esp0", "out")["seq"]
    raw = r.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def too_big():
        with d.inside(), open("/proc/thread-self/net/snmp6", encoding="ascii") as f:
            return dict(line.split() for line in f)["Icmp6InPktTooBigs"]
    for packet in (icmp6(Sa(A6, C6), seq, 1300), icmp6(out, seq + 1000, 1300),
                   icmp6(out, 0, 1300), icmp6(out, seq, 1300, "2001:db8:b::99")):
        before = too_big()
        raw.sendto(packet, (A6, 0))
        wait_for("the ICMP message", lambda b=before: too_big() != b)
        equal(tunnel()["path_mtu"], 1500, "path MTU")
    raw.close()


def narrow(size):
    """The link behind the router."""
    BED["r"].ip(f"link set r1 mtu {size}")
    BED["c"].ip(f"link set c0 mtu {size}")


@case("path MTU 1400 learned from the router; inner senders are told what fits")
def learned():
    routed()
    narrow(1400)
    most = GCM[0].inner_max(1400, 40)
    ha, hb = BED["routed"]
    with BED["d"].inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 10, 2)
        s.sendto(bytes(1300 + 80), (B_IN[0], 9))
        wait_for("path MTU 1400", lambda: tunnel()["path_mtu"] == 1400)
        wait_for(f"MTU {most}", lambda: tunnel()["mtu"] == most)
        try:
            s.sendto(bytes(most - 27), (B_IN[0], 9))
            check(False, "one octet too many was accepted")
        except OSError as err:
            equal(err.errno, errno.EMSGSIZE, "errno")
    both(ha, hb, sizes=(most,))
    for version in (4, 6):
        transfer(ha, hb, version, os.urandom(200000))


@case("path MTU 1280: inner IPv6 keeps its 1280 octets, in outer fragments made by us")
def least():
    routed()
    narrow(1280)
    ha, hb = BED["routed"]
    big = hb.sock(6, "udp")
    s = ha.sock(6, "udp")
    payload = os.urandom(1280 - 48)
    wait_for("path MTU 1280", lambda: [s.sendto(payload, (hb.addr[6], 4000))] and
             tunnel()["path_mtu"] == 1280)
    equal(tunnel()["mtu"], 1280, "MTU of the device")
    while select.select([big], [], [], 2)[0]:
        big.recv(2000)
    tap = Tap(BED["r"], "r1", 44, version=6)
    exchange(ha, hb, 6, [1280])
    parts = tap.packets("out")
    check(len(parts) == 2 and all(len(p) <= 1280 for p in parts), f"{len(parts)} fragments")
    most = GCM[0].inner_max(1280, 40)
    exchange(ha, hb, 4, [most])
    equal(tap.packets("out"), [], "fragments of what fits")
    tap.close()
    narrow(1500)


@case("a device moved away keeps its IPv6 underlay")
def other_netns():
    routed()
    bed, d = BED["bed"], BED["d"]
    inside = bed.ns("inside")
    ha, hb = BED["routed"]
    ha.close()
    d.ip(f"link set esp0 netns {inside.name}")
    d.ip(f"addr del {A_IN[0]}/32 dev lo\naddr del {A_IN[1]}/128 dev lo")
    moved = inner(inside, "esp0", A_IN, B_IN)
    before = flow(inside, "esp0", BED["c"], "esp0")
    both(moved, hb)
    reconcile(inside, "esp0", BED["c"], "esp0", before)
    moved.close()


def ends():
    """Nothing leaked, nothing is left."""
    for host in BED["xfrm"][2:] + BED["routed"][1:]:
        host.close()
    BED["bed"].verify()


run(setup, ends)
