#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
Routing loops: an outer route that leads back into its own tunnel, tunnels that lead through
each other, and a way back that another machine makes. Each packet ends as one named drop, and
the stack is bounded; tunnels within tunnels that end somewhere work.
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


def ends():
    """Nothing leaked, nothing is left."""
    BED["bed"].verify()


run(setup, ends)
