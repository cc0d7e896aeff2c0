#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
Routing loops: an outer route that leads back into its own tunnel, tunnels that lead through
each other, and ways back that other machines make. Each packet ends as one named drop, the
stack and the number of rounds are bounded; tunnels within tunnels that end somewhere work.
"""
import socket

from bed import Bed, drops, expect_drops, reconcile, stats
from ends import esptun
from ktap import check, equal, case, run, wait_for
from sa import Sa
from traffic import Host, exchange

BED = {}
A, B = "192.0.2.1", "192.0.2.2"
NESTED = 4                      # tunnels within each other that are still carried


def setup():
    """Gateways a and b on one link, r a router between three gateways."""
    BED["bed"] = bed = Bed()
    BED["a"], BED["b"] = a, b = bed.ns("a"), bed.ns("b")
    bed.wire(a, "a0", f"{A}/24", b, "b0", f"{B}/24")


def out(ns, dev, local, remote):
    """An SA to send with."""
    Sa(local, remote).install(ns, dev, "out")


def send(ns, to, count=1, size=100, ttl=64):
    """Datagrams from this namespace."""
    with ns.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, 10, 0)              # no path MTU discovery
        for _ in range(count):
            s.sendto(bytes(size), (to, 4000))


@case("the outer route leads into the tunnel itself: each packet one tx-loop")
def itself():
    a = BED["a"]
    esptun(a, "loop0", A, "203.0.113.1")
    out(a, "loop0", A, "203.0.113.1")
    a.ip("route add 203.0.113.1/32 dev loop0\nroute add 10.66.0.0/16 dev loop0")
    before = drops(a, "loop0")
    send(a, "10.66.0.1", 50)
    expect_drops(a, "loop0", before, tx_loop=50)
    equal(stats(a, "loop0")["tx_packets"], 0, "packets sent")
    a.ip("link del loop0")


def ring(count):
    """Tunnels r0, r1, ... of which each leads through the next and the last through the first."""
    a = BED["a"]
    for n in range(count):
        esptun(a, f"r{n}", A, f"203.0.113.{10 + n}")
        out(a, f"r{n}", A, f"203.0.113.{10 + n}")
    for n in range(count):
        a.ip(f"route add 203.0.113.{10 + n}/32 dev r{(n + 1) % count} src {A}")
    a.ip("route add 10.66.0.0/16 dev r0")


@case("two, three and six tunnels in a ring: bounded, each packet ends as one tx-loop")
def rings():
    a = BED["a"]
    for count in (2, 3, 6):
        ring(count)
        names = [f"r{n}" for n in range(count)]
        lost = lambda names=names: sum(drops(a, n).get("tx_loop", 0) for n in names)    # noqa: E731
        send(a, "10.66.0.1", 30)
        wait_for("all are dropped", lambda lost=lost: lost() == 30)
        for name in names:
            equal({k for k in drops(a, name) if k != "tx_loop"}, set(), f"other drops of {name}")
        sent = sum(stats(a, n)["tx_packets"] for n in names)
        equal(sent, 30 * min(count, NESTED), "tunnels that each packet went through")
        a.ip("\n".join(f"link del {n}" for n in names))


def nest(depth):
    """Tunnels n0 in n1 in n2 ... between a and b, the last one on the wire."""
    a, b = BED["a"], BED["b"]
    unnest(NESTED + 1)
    for n in range(depth):
        last = n == depth - 1
        mine, yours = (A, B) if last else (f"10.5{n}.0.1", f"10.5{n}.0.2")
        esptun(a, f"n{n}", mine, yours)
        esptun(b, f"n{n}", yours, mine)
        if not last:
            a.ip(f"addr replace {mine}/32 dev lo")
            b.ip(f"addr replace {yours}/32 dev lo")
        ab, ba = Sa(mine, yours), Sa(yours, mine)
        ab.install(a, f"n{n}", "out").install(b, f"n{n}", "in")
        ba.install(b, f"n{n}", "out").install(a, f"n{n}", "in")
    for n in range(depth - 1):
        a.ip(f"route add 10.5{n}.0.2/32 dev n{n + 1} src 10.5{n}.0.1")
        b.ip(f"route add 10.5{n}.0.1/32 dev n{n + 1} src 10.5{n}.0.2")
    for ns, own, peer in ((a, "10.60.0.1", "10.60.0.2"), (b, "10.60.0.2", "10.60.0.1")):
        ns.ip(f"addr replace {own}/32 dev lo\nroute replace {peer}/32 dev n0 src {own}")
    return Host(a, "10.60.0.1"), Host(b, "10.60.0.2")


def unnest(depth):
    """Takes them away."""
    for ns in (BED["a"], BED["b"]):
        for n in range(depth):
            ns.sh(f"ip link del n{n}", ok=False)


@case("tunnels within tunnels, two to four deep, carry packets of every size")
def nested():
    a, b = BED["a"], BED["b"]
    for depth in range(2, NESTED + 1):
        ha, hb = nest(depth)
        exchange(ha, hb, 4, [28, 100, 1200])
        exchange(hb, ha, 4, [28, 100, 1200])
        for n in range(depth):
            reconcile(a, f"n{n}", b, f"n{n}")
            reconcile(b, f"n{n}", a, f"n{n}")
            check(not drops(a, f"n{n}"), f"drops {drops(a, f'n{n}')}")
        ha.close()
        hb.close()
        unnest(depth)


@case("five deep is refused by name on the one that is too many")
def too_deep():
    a = BED["a"]
    ha, hb = nest(NESTED + 1)
    before = drops(a, f"n{NESTED}")
    for _ in range(10):
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
    expect_drops(a, f"n{NESTED}", before, tx_loop=10)
    ha.close()
    hb.close()
    unnest(NESTED + 1)


def router():
    """Gateway a, a second gateway c, and r between them that sends everything somewhere."""
    bed, a = BED["bed"], BED["a"]
    r, c = BED["r"], BED["c"] = bed.ns("r"), bed.ns("c")
    for ns in (a, r, c):
        ns.sysctl("ipv4/ip_forward=1")
        ns.sysctl("ipv4/conf/all/send_redirects=0")
        ns.sysctl("ipv4/conf/default/send_redirects=0")
    bed.wire(a, "ar", "198.51.100.1/30", r, "ra", "198.51.100.2/30", sniff=False)
    bed.wire(c, "cr", "198.51.100.5/30", r, "rc", "198.51.100.6/30", sniff=False)
    a.sysctl("ipv4/conf/ar/accept_local=1")
    a.ip("route add default via 198.51.100.2\nrule add fwmark 7 lookup 77\n"
         "route add default via 198.51.100.2 table 77")
    c.ip("route add default via 198.51.100.6\nrule add fwmark 7 lookup 77\n"
         "route add default via 198.51.100.6 table 77")


@case("another machine sends the tunnel's own packets back into it: known by their SPI")
def sent_back():
    router()
    a, r = BED["a"], BED["r"]
    esptun(a, "esp0", "198.51.100.1", "203.0.113.9", fwmark=7)
    out(a, "esp0", "198.51.100.1", "203.0.113.9")
    a.ip("route add 203.0.113.9/32 dev esp0\nroute add 10.66.0.0/16 dev esp0")
    r.ip("route add 203.0.113.9/32 via 198.51.100.1")
    before = drops(a, "esp0")
    send(a, "10.66.0.1", 20)
    expect_drops(a, "esp0", before, tx_loop=20)
    equal(stats(a, "esp0")["tx_packets"], 20, "packets sent")
    a.ip("link del esp0")
    r.ip("route del 203.0.113.9/32")


def refused(*namespaces):
    """Packets whose TTL forwarding has refused."""
    return sum(ns.snmp("Ip.InHdrErrors") for ns in namespaces)


def two_gateways(**options):
    """Tunnel t of a, whose packets c puts into its tunnel t, whose packets a puts into its own."""
    a, r, c = BED["a"], BED["r"], BED["c"]
    for ns in (a, c):
        ns.sh("ip link del t0", ok=False)
    esptun(a, "t0", "198.51.100.1", "203.0.113.21", fwmark=7, **options)
    esptun(c, "t0", "198.51.100.5", "203.0.113.22", fwmark=7, **options)
    out(a, "t0", "198.51.100.1", "203.0.113.21")
    out(c, "t0", "198.51.100.5", "203.0.113.22")
    r.ip("route replace 203.0.113.21/32 via 198.51.100.5\n"
         "route replace 203.0.113.22/32 via 198.51.100.1")
    c.ip("route replace 203.0.113.21/32 dev t0")
    a.ip("route replace 203.0.113.22/32 dev t0\nroute replace 10.66.0.0/16 dev t0")


def encrypted():
    """Packets that both gateways have sent."""
    return sum(stats(BED[ns], "t0")["tx_packets"] for ns in "ac")


def settled(least):
    """Waits until that many have been encrypted, and no packet moves any more; returns how many."""
    seen = [-1]

    def quiet():
        now = encrypted()
        same = now == seen[0]
        seen[0] = now
        return same and now >= least
    for _ in range(3):
        wait_for("no packet moves any more", quiet)
    return seen[0]


def gone():
    """The tunnels of two_gateways()."""
    for ns in "ac":
        BED[ns].ip("link del t0")


@case("two gateways that send each other's tunnels round: TTL ends it, whatever the outer one is")
def by_ttl():
    namespaces = a, *_ = [BED[ns] for ns in "arc"]
    # A round takes three from the TTL: router, gateway, tunnel. What is left with 1 is our drop
    # or the router's.
    for ttl, each, ours in ((12, 4, 10), (30, 10, 10), (0, 22, 0), (64, 22, 0)):
        two_gateways(ttl=ttl)
        before = refused(*namespaces)
        send(a, "10.66.0.1", 10)

        def ended(before=before):
            dropped = sum(drops(BED[ns], "t0").get("tx_loop", 0) for ns in "ac")
            return encrypted(), dropped, refused(*namespaces) - before
        wait_for(f"the end of each with ttl {ttl}",
                 lambda each=each, ours=ours, ended=ended: ended() == (10 * each, ours, 10 - ours))
        gone()
    # A packet grows by each round, and its buffer with it: there is an end before the TTL's.
    two_gateways(ttl=255)
    send(a, "10.66.0.1", 10)
    sent = settled(100)
    check(sent <= 300, f"{sent} packets encrypted with ttl 255")
    gone()


@case("the same with fragments outside: the storm ends as well")
def fragments():
    a = BED["a"]
    two_gateways(ttl=64, pmtudisc=0)
    send(a, "10.66.0.1", 1, 1300)
    sent = settled(2)
    check(sent <= 3000, f"{sent} packets from one")
    gone()


@case("an end host's own ESP passes through the tunnel, its TTL below the outer one")
def passes():
    a, b = BED["a"], BED["b"]
    ha, hb = nest(1)
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_RAW, 50) as s, \
            b.socket(socket.AF_INET, socket.SOCK_RAW, 50) as sink:
        sink.settimeout(60)
        with b.inside():
            sink.bind((hb.addr[4], 0))
        s.bind((ha.addr[4], 0))
        for ttl in (255, 64, 3, 2):
            s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            payload = b"\0\0\x77\x77" + bytes(60)
            s.sendto(payload, (hb.addr[4], 0))
            got = sink.recv(2000)
            equal((got[20:], got[8]), (payload, ttl), "what came out")
        before = drops(a, "n0")
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
        s.sendto(b"\0\0\x77\x77" + bytes(60), (hb.addr[4], 0))
        expect_drops(a, "n0", before, tx_loop=1)
    unnest(1)


def ends():
    """Nothing leaked, nothing is left."""
    BED["bed"].verify()


run(setup, ends)
