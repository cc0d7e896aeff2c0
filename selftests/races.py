#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# only by name: it has not passed as a whole yet
"""
Traffic in both directions while what carries it changes or goes away: SAs, devices, network
namespaces, a processor, the module; first one after the other, then all at once. What counts
is that the kernel has nothing to say, that traffic flows afterwards and that everything made
was unmade. ROUNDS multiplies the rounds, SEED repeats the order of the last case.
"""
import os

from bed import sh, stats
from ends import A_OUT, B_OUT, esptun
from gateways import ALGS, Chaos, Gateways, fresh, processor, rounds
from ktap import add, case, check, run, wait_for
from sa import Sa
from storm import attempt, stop_all, traffic
from traffic import Host

BED = {}


def setup():
    """Two gateways with esptun, and a cipher that is a queue."""
    BED["g"] = Gateways()


@case("SAs flushed on either side and made again")
def flush():
    g = BED["g"]

    def step(n):
        (g.a, g.b)[n % 2].genl.do("sa-flush")
        if n % 3 == 0:
            (g.b, g.a)[n % 2].genl.do("sa-flush")
        g.keys(ALGS[n % len(ALGS)])
        g.flowing()
    g.under_traffic(step, rounds(12))


@case("SAs replaced by two processes at once, pending ones activated by packets")
def rekey():
    g = BED["g"]

    def renew(n):
        alg = ALGS[n % len(ALGS)]
        ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
        ab.install(g.b, "esp0", "in")
        ba.install(g.a, "esp0", "in")
        ba.install(g.b, "esp0", "out", partner_spi=ab.spi, state="pending")
        ab.install(g.a, "esp0", "out", partner_spi=ba.spi, state="pending" if n % 2 else "active")
        for ns, sa in ((g.a, ab), (g.b, ba)):
            if n % 4 == 3:
                attempt(ns.genl.do, "sa-activate", ifindex=ns.index("esp0"), spi=sa.spi)
        for sa, ns, way in ((ab, g.a, "out"), (ba, g.b, "out"), (ab, g.b, "in"), (ba, g.a, "in")):
            if n % 5:
                sa.delete(ns, "esp0", way)

    workers = [g.beside(f"rekey {i}", renew) for i in range(2)]
    g.under_traffic(lambda _: [w.progress(4) for w in workers], rounds(5), workers)


@case("a device deleted and made again")
def delete():
    g = BED["g"]

    def step(n):
        side = g.sides()[n % 2]
        side[0].ip("link del esp0")
        g.make(side)
        g.flush()
        g.keys(ALGS[n % len(ALGS)])
        g.flowing()
    g.under_traffic(step, rounds(6))


def lan(g, gateway, number, peer):
    """
    A host behind a gateway, in a namespace of its own: its sockets do not keep the gateway's
    namespace alive.
    """
    ns = g.bed.ns(f"host{number}")
    g.bed.wire(ns, "lan", f"10.{number}.0.1/24", gateway, f"lan{number}", f"10.{number}.0.254/24",
               sniff=False)
    ns.ip(f"route add default via 10.{number}.0.254")
    gateway.sysctl("ipv4/ip_forward=1")
    gateway.ip(f"route add 10.{peer}.0.0/24 dev esp0")
    return Host(ns, f"10.{number}.0.1", "::1")


def ending(move):
    """Gateways of their own whose namespaces end while packets are forwarded both ways."""
    g = BED["g"]
    for n in range(rounds(2)):
        x, y, z = g.bed.ns("x"), g.bed.ns("y"), g.bed.ns("z")
        g.bed.wire(x, "x0", "192.0.2.31/24", y, "y0", "192.0.2.32/24", sniff=False)
        esptun(x, "esp0", "192.0.2.31", "192.0.2.32")
        esptun(y, "esp0", "192.0.2.32", "192.0.2.31")
        for src, dst, here, there in (("192.0.2.31", "192.0.2.32", x, y),
                                      ("192.0.2.32", "192.0.2.31", y, x)):
            Sa(src, dst, ALGS[n % 2]).install(here, "esp0", "out").install(there, "esp0", "in")
        left = x
        if move:
            x.ip(f"link set esp0 netns {z.name}")
            z.ip("link set esp0 up")
            left = z
        hosts = lan(g, left, 31, 32), lan(g, y, 32, 31)
        flows = traffic(*hosts, without=(x, y, z))
        try:
            wait_for("packets at both", lambda ends=(left, y): all(
                stats(ns, "esp0")["rx_packets"] > 10 for ns in ends))
            # The device's own namespace, its underlay's, or the peer's goes first.
            for ns in ((x, y, z), (z, x, y), (y, z, x))[n % 3]:
                g.bed.drop(ns)
                for flow in flows[:2]:
                    flow.progress()
            wait_for("only the two gateways are left", lambda: g.alive()[0] == 2)
        finally:
            stop_all(flows)
        for host in hosts:
            g.bed.drop(host.ns)


add("a namespace ends: the device's own, the peer's", ending, False)
add("a namespace ends: the device's, which was moved, its underlay's, the peer's", ending, True)


@case("a processor goes offline and comes back")
def hotplug():
    g = BED["g"]
    check(os.cpu_count() > 1, "this needs two processors")

    def step(n):
        processor(False)
        try:
            g.keys(ALGS[n % len(ALGS)])
            g.flowing()
        finally:
            processor(True)
        g.flowing()
    g.under_traffic(step, rounds(3))


@case("the module unloaded while packets and requests come")
def unload():
    g = BED["g"]

    def ask(n):
        ns = (g.a, g.b)[n % 2]
        fresh(ns)
        for request in ("tunnel-get", "sa-get"):
            attempt(lambda r=request: ns.genl.dump(r))
        attempt(lambda: ns.rtnl.newlink(f"t{n % 4}", local4=A_OUT, remote4="192.0.2.77"))
        attempt(lambda: Sa(A_OUT, "192.0.2.77").install(ns, f"t{n % 4}", "out"))

    asking = g.beside("requests", ask)

    def step(n):
        asking.progress()
        g.unload()
        check(not os.path.isdir("/sys/module/esptun"), "the module is still there")
        g.load()
        for side in g.sides():
            g.make(side)
        g.keys(ALGS[n % 2])
        g.flowing()
    g.under_traffic(step, rounds(3), [asking])
    for ns in (g.a, g.b):
        for n in range(4):
            sh(f"ip -n {ns.name} link del t{n}", ok=False)


@case("all of it at once, at random")
def chaos():
    g = BED["g"]
    workers = traffic(g.ha, g.hb) + [g.beside(f"chaos {i}", Chaos(g, i)) for i in range(3)]
    try:
        for _ in range(rounds(2)):
            for on in (False, True):
                processor(on)
                for worker in workers:
                    worker.progress(3)
    finally:
        processor(True)
        stop_all(workers)
    g.rebuild()


run(setup, lambda: BED["g"].end())
