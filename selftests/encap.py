#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
ESP in UDP (RFC 3948): against the kernel's own IPsec over IPv4 and IPv6, the keyer's socket
with IKE, keepalives and ESP on one port, its owner killed and replaced, a peer behind NAT
whose mapping changes, and what must not change a thing.
"""
import errno
import os
import re
import select
import signal
import socket
import struct

from bed import Bed, Tap, drops, expect_drops, flow, reconcile, refused
from craft import checksum, esp, ipv4, seal, trailer, udp
from ends import A_IN, B_IN, IF_ID, esptun, xfrm_packets, xfrmi
from ktap import add, case, check, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import MARK, exchange, transfer

BED = {}
A, B, A6, B6 = "192.0.2.1", "192.0.2.2", "2001:db8:a::1", "2001:db8:a::2"
C, N_IN, N, D = "10.9.0.2", "10.9.0.1", "198.51.100.1", "198.51.100.2"
PORT, UDP_ENCAP, ESPINUDP = 4500, 100, 2


def keyer(ns, family=socket.AF_INET, port=PORT, before=True):
    """A keyer's socket, given to the kernel as its documentation says."""
    s = ns.socket(family, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if before:
        ns.genl.do("socket-set", fd=s.fileno())
    with ns.inside():
        s.bind(("" if family == socket.AF_INET else "::", port))
    ns.genl.do("socket-set", fd=s.fileno())
    s.setblocking(False)
    return s


def setup():
    """a is esptun, b an xfrm interface; both with IPv4 and IPv6 outside."""
    BED["bed"] = bed = Bed()
    a, b = BED["a"], BED["b"] = bed.ns("a"), bed.ns("b")
    bed.wire(a, "a0", f"{A6}/64", b, "b0", f"{B6}/64", sniff=False)
    a.ip(f"addr add {A}/24 dev a0\nneigh replace {B} lladdr {b.mac('b0')} dev a0")
    b.ip(f"addr add {B}/24 dev b0\nneigh replace {A} lladdr {a.mac('a0')} dev b0")
    bed.sniff(b, "b0", [A, B, A6, B6, "192.0.2.99", "192.0.2.77"], udp=MARK)
    BED["keyer"] = keyer(a)
    BED["keyer6"] = a.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    BED["keyer6"].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    with a.inside():
        BED["keyer6"].bind(("::", PORT))
    a.genl.do("socket-set", fd=BED["keyer6"].fileno())


def encap(local=PORT, peer=PORT, **more):
    """Attributes of an encapsulated SA."""
    return {"encap": "udp", "encap_local_port": local, "encap_peer_port": peer, **more}


def ends_of(outer, **options):
    """esptun in a, the xfrm interface and an in-tree espinudp socket in b."""
    a, b = BED["a"], BED["b"]
    local, remote = outer
    hosts = (esptun(a, "esp0", local, remote, A_IN, B_IN, **options),
             xfrmi(b, "xfrm0", "b0", remote, local, B_IN, A_IN))
    s = b.socket(socket.AF_INET6 if ":" in local else socket.AF_INET, socket.SOCK_DGRAM)
    if ":" in local:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, ESPINUDP)
    with b.inside():
        s.bind(("::" if ":" in local else "", PORT))
    return hosts, s


def xfrm_keys(outer, alg, **more):
    """New encapsulated SAs at both ends."""
    a, b = BED["a"], BED["b"]
    a.genl.do("sa-flush")
    ab, ba = Sa(*outer, alg), Sa(*reversed(outer), alg)
    old = "" if ":" not in outer[0] else "::"
    b.ip("xfrm state flush")
    for sa in (ab, ba):
        b.ip(f"{sa.xfrm(IF_ID)} encap espinudp {PORT} {PORT} {old or '0.0.0.0'}")
    ba.install(a, "esp0", "in", **encap(**more))
    ab.install(a, "esp0", "out", **encap())
    return ab, ba


def look_at(p):
    """UDP ports, checksum and the SPI of an outer packet."""
    at = 20 if p[0] >> 4 == 4 else 40
    sport, dport, length, check_sum, spi = struct.unpack_from("!HHHHI", p, at)
    equal(length, len(p) - at, "UDP length")
    return sport, dport, check_sum, spi


def interop(outer, mtu):
    """Both families, both ways; what the outer packets look like."""
    a, b = BED["a"], BED["b"]
    hosts, s = ends_of(outer)
    tap = Tap(b, "b0", 17, version=6 if ":" in outer[0] else 4)
    try:
        for alg in (GCM[0], CBC[0]):
            ab, ba = xfrm_keys(outer, alg)
            equal(a.genl.do("tunnel-get", ifname="esp0")["mtu"],
                  alg.inner_max(1500, 48 if ":" in outer[0] else 28), "MTU")
            for version in (4, 6):
                for src, dst in (hosts, hosts[::-1]):
                    exchange(src, dst, version, [48, 1000, 1280])
            equal(sorted(xfrm_packets(b)), [6, 6], "packets of the in-tree states")
            seen = {look_at(p)[:2] + look_at(p)[3:] for p in tap.packets("in")}
            check((PORT, PORT, ab.spi) in seen, f"on the wire: {seen}")
            check(ba, "SA")
        got = ab.get(a, "esp0", "out")
        equal((got["encap"], got["encap_local_port"], got["encap_peer_port"]),
              ("udp", PORT, PORT), "what the SA tells")
        transfer(*hosts, 4, os.urandom(200000))
        transfer(*hosts[::-1], 6, os.urandom(200000))
        sums = {bool(look_at(p)[2]) for p in tap.packets("in")}
        equal(sums, {":" in outer[0]}, "UDP checksums: none with IPv4, all with IPv6")
        equal(drops(a, "esp0"), {}, "drops")
    finally:
        tap.close()
        s.close()
        for host in hosts:
            host.close()
        b.ip("xfrm state flush\nxfrm policy flush\nlink del xfrm0")
        a.ip("link del esp0")


add("with the kernel's own IPsec over IPv4, both ways", interop, (A, B), 1438)
add("with the kernel's own IPsec over IPv6, both ways", interop, (A6, B6), 1418)


# -- one peer made octet by octet: b -----------------------------------------------------------

def lone(**more):
    """esptun in a with SAs, and a plain socket in b that plays the peer."""
    a, b = BED["a"], BED["b"]
    if "raw" not in BED:
        BED["raw"] = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        BED["peer"] = b.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with b.inside():
            BED["peer"].bind((B, PORT))
        BED["peer"].setblocking(False)
    a.sh("ip link del esp0", ok=False)
    esptun(a, "esp0", A, B, A_IN, B_IN)
    into, out = Sa(B, A), Sa(A, B)
    into.install(a, "esp0", "in", **encap(), **more)
    out.install(a, "esp0", "out", **encap())
    return into, out


def datagram(payload, sport=PORT, src=B, csum=None):
    """A UDP datagram from b to a, port 4500."""
    head = udp(src, A, payload, sport, PORT)
    if csum is not None:
        head = head[:6] + struct.pack("!H", csum) + head[8:]
    BED["raw"].sendto(ipv4(src, A, 17, head), (A, 0))


def sealed(sa, seq, flip=None):
    """ESP without an outer header."""
    text = ipv4(B_IN[0], A_IN[0], 253, b"hello")
    return seal(sa, seq, text + trailer(len(text), sa.alg.block, 4), flip=flip)


def received(sa):
    """Packets that have come through an inbound SA."""
    return sa.get(BED["a"], "esp0", "in")["packets"]


def peer_port():
    """Where a thinks its peer is."""
    got = BED["a"].genl.do("tunnel-get", ifname="esp0")
    return got["peer4"], got["peer_port"]


def arrived(sock):
    """All datagrams that a socket has got."""
    got = []
    while select.select([sock], [], [], 0)[0]:
        got.append(sock.recv(2000))
    return got


@case("IKE reaches the keyer, keepalives and ESP do not; both kinds of checksum are taken")
def one_port():
    a = BED["a"]
    into, _ = lone()
    ike = BED["keyer"]
    count = a.genl.do("module-get")["rx_keepalives"]
    datagram(b"\xff")
    wait_for("keepalive counted", lambda: a.genl.do("module-get")["rx_keepalives"] == count + 1)
    datagram(sealed(into, 1), csum=0)
    datagram(sealed(into, 2))
    wait_for("ESP", lambda: received(into) == 2)
    equal(select.select([ike], [], [], 0)[0], [], "nothing for the keyer so far")
    for payload in (b"\0\0\0\0an IKE message", b"\0\0\0\0", b"x", b"\xff\xff"):
        datagram(payload)
        wait_for("the keyer's message", lambda: select.select([ike], [], [], 0)[0])
        equal(ike.recvfrom(2000), (payload, (B, PORT)), "what the keyer gets")
    ike.sendto(b"\0\0\0\0answer", (B, PORT))
    wait_for("the answer", lambda: b"\0\0\0\0answer" in arrived(BED["peer"]))
    equal(drops(a, "esp0"), {}, "drops")


@case("IPv6: a datagram without a checksum is taken")
def no_checksum6():
    a, b = BED["a"], BED["b"]
    esptun(a, "esp6", A6, B6)
    sa = Sa(B6, A6).install(a, "esp6", "in", **encap())
    raw = b.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)
    payload = sealed(sa, 1)
    head = struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0)
    raw.sendto(struct.pack("!IHBB", 6 << 28, 8 + len(payload), 17, 64) +
               socket.inet_pton(socket.AF_INET6, B6) + socket.inet_pton(socket.AF_INET6, A6) +
               head + payload, (A6, 0))
    wait_for("the packet", lambda: sa.get(a, "esp6", "in")["packets"] == 1)
    raw.close()
    a.ip("link del esp6")


@case("wrong: SPI, encapsulation, port, ICV, number, length; each by name")
def wrong():
    a = BED["a"]
    into, _ = lone()
    bare = Sa(B, A).install(a, "esp0", "in")
    nostates = a.snmp("XfrmInNoStates")
    steps = (("rx_no_sa", lambda: datagram(sealed(Sa(B, A), 1))),
             ("rx_wrong_encap", lambda: datagram(sealed(bare, 1))),
             ("rx_wrong_encap", lambda: BED["raw"].sendto(
                 esp(into, 1, ipv4(B_IN[0], A_IN[0], 253, b"hello")), (A, 0))),
             ("rx_wrong_source", lambda: datagram(sealed(into, 1), sport=4501)),
             ("rx_wrong_source", lambda: datagram(sealed(into, 1), src="192.0.2.99")),
             ("rx_icv_fail", lambda: datagram(sealed(into, 1, flip=-1))),
             ("rx_too_short", lambda: datagram(sealed(into, 1)[:20])),
             ("rx_too_short", lambda: datagram(sealed(into, 1)[:6])))
    for name, send in steps:
        before = drops(a, "esp0")
        send()
        expect_drops(a, "esp0", before, **{name: 1})
    wait_for("XfrmInNoStates", lambda: a.snmp("XfrmInNoStates") == nostates + 1)
    datagram(sealed(into, 1))
    wait_for("a good one", lambda: received(into) == 1)
    before = drops(a, "esp0")
    datagram(sealed(into, 1))
    expect_drops(a, "esp0", before, rx_replay_dup=1)
    equal(peer_port(), (B, PORT), "the peer")


@case("follow-peer: only an authenticated packet with the highest number moves the peer")
def follow():
    a = BED["a"]
    into, _ = lone(flags=["follow-peer"])
    events = a.events()
    datagram(sealed(into, 10))
    wait_for("the first", lambda: received(into) == 1)
    before = drops(a, "esp0")
    datagram(sealed(into, 11, flip=-1), sport=4501)
    expect_drops(a, "esp0", before, rx_icv_fail=1)
    datagram(sealed(into, 9), sport=4502)
    datagram(sealed(into, 10), sport=4503)
    expect_drops(a, "esp0", before, rx_icv_fail=1, rx_replay_dup=1)
    equal((received(into), peer_port()), (2, (B, PORT)), "overtaken, forged, replayed: no move")
    datagram(sealed(into, 12), sport=4504)
    wait_for("the move", lambda: peer_port() == (B, 4504))
    datagram(sealed(into, 13), sport=4505, src="192.0.2.77")
    wait_for("another address", lambda: peer_port() == ("192.0.2.77", 4505))
    moves = wait_for("two events", lambda: len(events.named("peer-moved")) >= 2 and
                     events.named("peer-moved"))
    equal([(m["peer4"], m["peer_port"]) for m in moves], [(B, 4504), ("192.0.2.77", 4505)], "events")
    datagram(sealed(into, 14))
    wait_for("back", lambda: peer_port() == (B, PORT))
    equal(a.rtnl.getlink("esp0")["remote4"], B, "the configuration has not moved")
    datagram(sealed(into, 15), sport=4506)
    wait_for("away", lambda: peer_port() == (B, 4506))
    a.genl.do("sa-flush")
    got = a.genl.do("tunnel-get", ifname="esp0")
    equal((got["peer4"], got.get("peer_port")), (B, None), "without SAs it is at home again")


@case("socket-set and sa-new refuse what makes no sense, and say why")
def refusals():
    a, b = BED["a"], BED["b"]
    lone()
    index = a.index("esp0")
    tcp = a.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken = a.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.setsockopt(socket.IPPROTO_UDP, UDP_ENCAP, ESPINUDP)
    with open("/dev/null", "rb") as null:
        for code, text, fd in ((errno.EINVAL, "missing", None), (errno.EBADF, "open socket", 9999),
                               (errno.ENOTSOCK, "open socket", null.fileno()),
                               (errno.EINVAL, "UDP", tcp.fileno()),
                               (errno.EINVAL, "netns", BED["peer"].fileno()),
                               (errno.EBUSY, "another", taken.fileno())):
            refused(code, text, lambda f=fd: a.genl.do("socket-set", fd=f))
    check(b, "netns")
    for text, way, more in (("encap-peer-port", "in", encap(peer=0)),
                            ("encap-local-port", "out", encap(local=None)),
                            ("encap udp", "in", {"encap_peer_port": 7}),
                            ("keepalive", "in", encap(keepalive=5)),
                            ("keepalive", "out", {"keepalive": 5}),
                            ("follow-peer", "out", encap(flags=["follow-peer"])),
                            ("follow-peer", "in", {"flags": ["follow-peer"]})):
        sa = Sa(B, A) if way == "in" else Sa(A, B)
        refused(errno.EINVAL, text, lambda s=sa, w=way, m=more: a.genl.do(
            "sa-new", ifindex=index, **s.values(w, **m)))
    # A refused SA has changed nothing: not the port that the device sends to, either.
    twice = Sa(A, B).install(a, "esp0", "out", **encap())
    equal(peer_port(), (B, PORT), "the peer")
    refused(errno.EEXIST, "exists", lambda: a.genl.do("sa-new", ifindex=index, **Sa(
        A, B, spi=twice.spi).values("out", **encap(peer=4511))))
    equal(peer_port(), (B, PORT), "the peer after the refusal")
    nothing = Sa(B, A, CBC[0]).values("in", auth="none", auth_key=None, replay_window=0,
                                      **encap(flags=["follow-peer", "no-integrity-ok"]))
    refused(errno.EINVAL, "anybody", lambda: a.genl.do("sa-new", ifindex=index, **nothing))
    tcp.close()
    taken.close()


def listeners(ns):
    """Sockets on port 4500, IPv4."""
    with ns.inside(), open("/proc/thread-self/net/udp", encoding="ascii") as f:
        return sum(line.split()[1].endswith(f":{PORT:04X}") for line in f.readlines()[1:])


@case("the keyer is killed: ESP goes on both ways; a new one takes over without a loss")
def killed():
    a = BED["a"]
    into, out = lone()
    BED["keyer"].close()
    wait_for("a stand-in", lambda: listeners(a) == 1)
    ready, done = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            child = keyer(a)
            os.write(done, b"x" if child else b"")
            signal.pause()
        finally:
            os._exit(1)
    equal(os.read(ready, 1), b"x", "the keyer's child")
    equal(listeners(a), 1, "sockets: the child's, no stand-in")
    number = 1
    datagram(sealed(into, number))
    wait_for("ESP with a keyer", lambda: received(into) == 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    equal(listeners(a), 1, "sockets after its death")
    for number in range(2, 6):
        datagram(sealed(into, number))
    wait_for("ESP without a keyer", lambda: received(into) == 5)
    arrived(BED["peer"])
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"out", (B_IN[0], 9))
    spi = struct.pack("!I", out.spi)
    wait_for("ESP out", lambda: any(p[:4] == spi for p in arrived(BED["peer"])))
    count = a.genl.do("module-get")["rx_keepalives"]
    datagram(b"\xff")
    wait_for("a keepalive", lambda: a.genl.do("module-get")["rx_keepalives"] == count + 1)
    datagram(b"\0\0\0\0nobody is there")
    s = a.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    a.genl.do("socket-set", fd=s.fileno())
    with a.inside():
        s.bind(("", PORT))
    equal(listeners(a), 2, "the new one and the stand-in")
    datagram(sealed(into, 6))
    datagram(b"\0\0\0\0hello")
    wait_for("the new keyer's message", lambda: select.select([s], [], [], 0)[0])
    equal(s.recv(2000), b"\0\0\0\0hello", "what it gets: no ESP, nothing old")
    wait_for("ESP", lambda: received(into) == 6)
    a.genl.do("socket-set", fd=s.fileno())
    equal(listeners(a), 1, "the stand-in is gone")
    equal(drops(a, "esp0"), {}, "drops")
    s.close()
    equal(listeners(a), 1, "a stand-in again")
    a.genl.do("sa-flush")
    equal(listeners(a), 0, "without SAs nothing is left")
    BED["keyer"] = keyer(a)
    os.close(ready)
    os.close(done)


# -- NAT: c - n - d, c behind it ----------------------------------------------------------------

def masquerade(ports):
    """n gives c's packets its own address and a port of these; mappings so far are forgotten."""
    n = BED["n"]
    n.sh("nft delete table ip t", ok=False)
    n.sh("nft add table ip t")
    n.sh("nft \"add chain ip t post { type nat hook postrouting priority 100 ; }\"")
    n.sh(f"nft add rule ip t post oif n1 ip protocol udp masquerade to :{ports}")
    n.ip("link set n1 down\nlink set n1 up")
    n.ip(f"neigh replace {D} lladdr {BED['d'].mac('d0')} dev n1")


def nat():
    """The mapping that d sees, learnt from a first IKE message."""
    if "d" not in BED:
        bed = BED["bed"]
        c, n, d = (bed.ns(x) for x in ("c", "n", "d"))
        BED.update(c=c, n=n, d=d)
        n.sysctl("ipv4/ip_forward=1")
        bed.wire(c, "c0", f"{C}/24", n, "n0", f"{N_IN}/24", sniff=False)
        bed.wire(n, "n1", f"{N}/24", d, "d0", f"{D}/24", sniff=False)
        bed.sniff(n, "n0", [C, D, N_IN], udp=MARK)
        bed.sniff(n, "n1", [N, D, C], udp=MARK)
        c.ip(f"route add default via {N_IN}")
        BED["keyers"] = keyer(c), keyer(d)
    masquerade("5000-5010")
    one, two = BED["keyers"]
    one.sendto(b"\0\0\0\0hello", (D, PORT))
    wait_for("IKE through NAT", lambda: select.select([two], [], [], 0)[0])
    _, (address, port) = two.recvfrom(2000)
    equal((address, 5000 <= port <= 5010), (N, True), f"mapping {address}:{port}")
    return port


@case("behind NAT: the mapping changes, traffic goes on, keepalives hold it open")
def behind_nat():
    port = nat()
    c, d = BED["c"], BED["d"]
    hosts = (esptun(c, "esp0", C, D, A_IN, B_IN), esptun(d, "esp0", D, N, B_IN, A_IN))
    cd, dc = Sa(C, D), Sa(D, C)
    cd.install(d, "esp0", "in", **encap(peer=port, flags=["follow-peer"]))
    dc.install(c, "esp0", "in", **encap())
    dc.install(d, "esp0", "out", **encap(peer=port))
    cd.install(c, "esp0", "out", **encap(keepalive=1))
    events = d.events()

    def both():
        for version in (4, 6):
            exchange(*hosts, version, [100, 1300])
            exchange(*hosts[::-1], version, [100, 1300])
    both()
    equal(events.named("peer-moved"), [], "moves before the mapping changes")
    masquerade("6000-6010")
    both()
    moved = events.named("peer-moved")
    equal(len(moved), 1, "moves")
    check(6000 <= moved[0]["peer_port"] <= 6010, f"moved to {moved}")
    equal(d.genl.do("tunnel-get", ifname="esp0")["peer_port"], moved[0]["peer_port"], "current port")
    transfer(*hosts, 4, os.urandom(200000))
    reconcile(c, "esp0", d, "esp0")
    reconcile(d, "esp0", c, "esp0")

    def keepalives():
        return c.genl.do("module-get")["tx_keepalives"], d.genl.do("module-get")["rx_keepalives"]
    sent = wait_for("keepalives", lambda: keepalives()[0] >= 2 and keepalives())
    wait_for("as many received", lambda: keepalives()[1] >= sent[0])
    equal((drops(c, "esp0"), drops(d, "esp0")), ({}, {}), "drops")
    BED["nat"] = hosts


def too_large(mtu, quoted):
    """n tells c that a datagram was too large for a link of this MTU; c has looked at it."""
    c, n = BED["c"], BED["n"]
    body = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    before = c.snmp("Icmp.InDestUnreachs")
    with n.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as s:
        s.sendto(ipv4(N_IN, C, 1, body), (C, 0))
    wait_for("the message", lambda: c.snmp("Icmp.InDestUnreachs") > before)


def datagram_of(esp_head, sport=PORT, dport=PORT, length=1420, **more):
    """What such a message quotes."""
    return ipv4(C, D, 17, struct.pack("!HHHH", sport, dport, length - 20, 0) + esp_head, flags=2,
                length=length, **more)


def path():
    """Path MTU and MTU of c's tunnel."""
    got = BED["c"].genl.do("tunnel-get", ifname="esp0")
    return got["path_mtu"], got["mtu"]


@case("behind NAT: forged path MTUs are not believed, though the kernel's route does")
def forged_mtu():
    c, d = BED["c"], BED["d"]
    most = GCM[0].inner_max(1500, 28)
    equal(path(), (1500, most), "path MTU and MTU")
    out = [sa for sa in c.genl.dump("sa-get") if sa["dir"] == "out"][0]
    seq = out["seq"]

    def head(spi, number):
        return struct.pack("!II", spi, number & 0xffffffff)
    # The last one is of a kind that the kernel locks: it would fragment from then on.
    for what, mtu, quoted in (
            ("unknown SPI", 1200, datagram_of(head(0x99999999, 1))),
            ("number never sent", 1200, datagram_of(head(out["spi"], seq + 1000))),
            ("number 0", 1200, datagram_of(head(out["spi"], 0))),
            ("UDP header only, other port", 1200, datagram_of(b"", dport=4501)),
            ("UDP header only, shorter than told", 1400, datagram_of(b"", length=1400)),
            ("an echo reply", 1100, ipv4(C, D, 1, bytes.fromhex("0000ffff00000000"), flags=2,
                                           length=1400)),
            ("unknown SPI, absurd MTU", 100, datagram_of(head(0x99999999, 1)))):
        too_large(mtu, quoted)
        equal(path(), (1500, most), f"path MTU and MTU after {what}")
        pieces, refused_ = c.snmp("Ip.FragCreates"), c.snmp("Ip.FragFails")
        now = flow(c, "esp0", d, "esp0")
        exchange(*BED["nat"], 4, [most])
        reconcile(c, "esp0", d, "esp0", now)
        equal((c.snmp("Ip.FragCreates"), c.snmp("Ip.FragFails")), (pieces, refused_),
              f"fragments and refusals after {what}")
    check(re.search(r"mtu (lock )?552", c.sh(f"ip route get {D}")),
          f"the kernel has an exception: {c.sh(f'ip route get {D}')}")
    equal(drops(c, "esp0"), {}, "drops")


@case("behind NAT: the path MTU is learnt, from a quote with nothing but the UDP header as well")
def path_mtu():
    c, n, d = BED["c"], BED["n"], BED["d"]
    n.ip("link set n1 mtu 1400")
    d.ip("link set d0 mtu 1400")
    s = BED["nat"][0].sock(4, "udp")
    s.sendto(bytes(1400), (B_IN[0], 9))
    most = GCM[0].inner_max(1400, 28)
    wait_for("path MTU 1400", lambda: path() == (1400, most))
    now = flow(c, "esp0", d, "esp0")
    exchange(*BED["nat"], 4, [most])
    reconcile(c, "esp0", d, "esp0", now)
    for told, got in ((1350, 1350), (1000, 1280), (600, 1280)):
        too_large(told, datagram_of(b""))
        wait_for(f"path MTU {got}", lambda got=got: path()[0] == got)
    exchange(*BED["nat"], 4, [GCM[0].inner_max(1280, 28)])


@case("behind NAT: a keyer gone for good does not keep its netns alive")
def last_one():
    c = BED["c"]
    BED["keyers"][0].close()
    equal(listeners(c), 1, "a stand-in")
    for host in BED["nat"]:
        host.close()
    destroyed = BED["bed"].module()["tunnels_destroyed"]
    BED["bed"].unsniff("n0")        # the other end of c's link: it goes with c
    BED["bed"].drop(c)
    wait_for("the device is gone", lambda:
             BED["bed"].module()["tunnels_destroyed"] == destroyed + 1)


def ends():
    """Nothing leaked, nothing is left."""
    BED["bed"].verify()


run(setup, ends)
