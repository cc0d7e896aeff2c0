#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Traffic in both directions while what carries it changes or goes away: SAs, devices, network
namespaces, a processor, the module; first one after the other, then all at once. What counts
is that the kernel has nothing to say, that traffic flows afterwards and that everything made
was unmade. ROUNDS multiplies the rounds, SEED repeats the order of the last case.
"""
import errno
import os
import random

import nl
from bed import Bed, load, sh, stats
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, inner, pair
from ktap import add, case, check, diag, run, scaled, wait_for
from sa import CBC, GCM, Alg, Sa
from storm import Asynchronous, Worker, attempt, stop_all, traffic
from traffic import exchange

BED = {}
ROUNDS = int(os.environ.get("ROUNDS") or 1)
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
QUEUED = Alg("aes-cbc", 16, "hmac-sha384-192")      # the one that Asynchronous() is about
ALGS = [GCM[0], QUEUED, GCM[2], CBC[-1]]
CPU1 = "/sys/devices/system/cpu/cpu1/online"


def rounds(count):
    """How often a case does it."""
    return scaled(count * ROUNDS, 2)


def setup():
    """Two gateways with esptun, and a cipher that is a queue."""
    BED["bed"] = bed = Bed()
    BED["queue"] = Asynchronous("authenc(hmac(sha384),cbc(aes))")
    diag(f"{BED['queue'].driver}, seed {SEED}")
    BED["ends"] = pair(bed, "esptun")
    keys()


def keys(alg=GCM[0]):
    """New SAs on both gateways, in use when this returns."""
    a, b, *_ = BED["ends"]
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out", partner_spi=ab.spi, state="active")
    ab.install(a, "esp0", "out", partner_spi=ba.spi, state="active")


def rebuild():
    """Both devices are there, with new SAs and nothing else; a packet of each kind crosses."""
    a, b, ha, hb = BED["ends"]
    for ns, near, far, own, peer in ((a, A_OUT, B_OUT, A_IN, B_IN), (b, B_OUT, A_OUT, B_IN, A_IN)):
        fresh(ns)
        attempt(ns.rtnl.newlink, "esp0", local4=near, remote4=far)
        inner(ns, "esp0", own, peer)
        ns.genl.do("sa-flush", ifindex=ns.index("esp0"))
    for host in (ha, hb):
        host.close()
    for alg in ALGS:
        keys(alg)
        for version in (4, 6):
            exchange(ha, hb, version, [100, 1280])
            exchange(hb, ha, version, [100, 1280])
    for host in (ha, hb):
        host.close()


def fresh(ns):
    """Netlink sockets of this process and of the family as it is registered now."""
    for kind in ("_genl", "_rtnl"):
        sock = getattr(ns, kind)
        if sock:
            sock.close()
        setattr(ns, kind, None)


def beside(name, step, cpu=None):
    """A worker with netlink sockets of its own: those of the parent are not shared."""
    def unshare():
        for ns in BED["ends"][:2]:
            fresh(ns)
    return Worker(name, step, cpu, unshare)


def under_traffic(what, times):
    """Does `what` that often while packets go both ways; then all must be well."""
    _, _, ha, hb = BED["ends"]
    flows = traffic(ha, hb)
    try:
        for n in range(times):
            for flow in flows:
                flow.progress()
            what(n)
    finally:
        stop_all(flows)
    rebuild()


def received():
    """Packets that both devices have received."""
    a, b, *_ = BED["ends"]
    return [stats(ns, "esp0")["rx_packets"] for ns in (a, b)]


def flowing(more=5):
    """Waits until both sides receive."""
    before = received()
    wait_for("packets both ways", lambda: all(now >= was + more
                                              for now, was in zip(received(), before)))


@case("SAs flushed on either side and made again")
def flush():
    a, b, *_ = BED["ends"]

    def step(n):
        (a, b)[n % 2].genl.do("sa-flush")
        if n % 3 == 0:
            (b, a)[n % 2].genl.do("sa-flush")
        keys(ALGS[n % len(ALGS)])
        flowing()
    under_traffic(step, rounds(40))


@case("SAs replaced by two processes at once, pending ones activated by packets")
def rekey():
    a, b, *_ = BED["ends"]

    def renew(n):
        alg = ALGS[n % len(ALGS)]
        ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
        ab.install(b, "esp0", "in")
        ba.install(a, "esp0", "in")
        ba.install(b, "esp0", "out", partner_spi=ab.spi, state="pending")
        ab.install(a, "esp0", "out", partner_spi=ba.spi, state="pending" if n % 2 else "active")
        for ns, sa in ((a, ab), (b, ba)):
            if n % 4 == 3:
                attempt(ns.genl.do, "sa-activate", ifindex=ns.index("esp0"), spi=sa.spi)
        for sa, ns, way in ((ab, a, "out"), (ba, b, "out"), (ab, b, "in"), (ba, a, "in")):
            if n % 5:
                sa.delete(ns, "esp0", way)

    def step(n):
        if n == 0:
            step.workers = [beside(f"rekey {i}", renew) for i in range(2)]
        for worker in step.workers:
            worker.progress(4)
    step.workers = []
    try:
        under_traffic(step, rounds(8))
    finally:
        stop_all(step.workers)


@case("a device deleted and made again")
def delete():
    a, b, *_ = BED["ends"]

    def step(n):
        ns = (a, b)[n % 2]
        ns.ip("link del esp0")
        near, far, own, peer = ((A_OUT, B_OUT, A_IN, B_IN), (B_OUT, A_OUT, B_IN, A_IN))[n % 2]
        esptun(ns, "esp0", near, far, own, peer)
        for each in (a, b):
            each.genl.do("sa-flush")
        keys(ALGS[n % len(ALGS)])
        flowing()
    under_traffic(step, rounds(12))


def ending(move):
    """Gateways of their own whose namespaces end while packets go both ways."""
    bed = BED["bed"]
    for n in range(rounds(3)):
        x, y, z = bed.ns("x"), bed.ns("y"), bed.ns("z")
        bed.wire(x, "x0", "192.0.2.31/24", y, "y0", "192.0.2.32/24", sniff=False)
        hx = esptun(x, "esp0", "192.0.2.31", "192.0.2.32", A_IN, B_IN)
        hy = esptun(y, "esp0", "192.0.2.32", "192.0.2.31", B_IN, A_IN)
        one = Sa("192.0.2.31", "192.0.2.32", ALGS[n % 2])
        two = Sa("192.0.2.32", "192.0.2.31", ALGS[n % 2])
        one.install(x, "esp0", "out").install(y, "esp0", "in")
        two.install(y, "esp0", "out").install(x, "esp0", "in")
        left = x
        if move:
            x.ip(f"link set esp0 netns {z.name}")
            hx = inner(z, "esp0", A_IN, B_IN)
            left = z
        flows = traffic(hx, hy)
        wait_for("packets at both", lambda ends=(left, y): all(
            stats(ns, "esp0")["rx_packets"] > 10 for ns in ends))
        # The device's own namespace, its underlay's, or the peer's goes first.
        for ns in ((x, y, z), (z, x, y), (y, z, x))[n % 3]:
            bed.drop(ns)
        stop_all(flows)
    wait_for("only the two gateways are left", lambda: alive(2))
    rebuild()


def alive(tunnels):
    """So many devices exist in the whole system."""
    m = BED["bed"].module()
    return m["tunnels_created"] - m["tunnels_destroyed"] == tunnels


add("a namespace ends: the device's own, the peer's", ending, False)
add("a namespace ends: the device's, which was moved, its underlay's, the peer's", ending, True)


def processor(on):
    """Takes the second processor away, or brings it back."""
    with open(CPU1, "w", encoding="ascii") as f:
        f.write("1" if on else "0")


@case("a processor goes offline and comes back")
def hotplug():
    def step(n):
        processor(False)
        try:
            keys(ALGS[n % len(ALGS)])
            flowing()
        finally:
            processor(True)
        flowing()
    check(os.cpu_count() > 1, "this needs two processors")
    under_traffic(step, rounds(4))


def module_gone():
    """Unloads the module: a request that is being served holds it for a moment."""
    bed = BED["bed"]
    bed.genl.close()
    for ns in BED["ends"][:2]:
        fresh(ns)
    wait_for("the module unloads", lambda: sh("rmmod esptun", ok=False)[0] == 0)


def module_back():
    """Loads it again."""
    load()
    BED["bed"].genl = nl.Genl()


@case("the module unloaded while packets and requests come")
def unload():
    a, b, *_ = BED["ends"]

    def ask(n):
        ns = (a, b)[n % 2]
        attempt(fresh, ns)
        # Resolving the family would load the module of the distribution, if there were one.
        for request in ("tunnel-get", "sa-get"):
            attempt(lambda r=request: ns.genl.dump(r))
        attempt(ns.rtnl.newlink, f"t{n % 4}", local4=A_OUT, remote4="192.0.2.77",
                also={errno.EAFNOSUPPORT})
        attempt(lambda: Sa(A_OUT, "192.0.2.77").install(ns, f"t{n % 4}", "out"))

    asking = beside("requests", ask)

    def step(n):
        asking.progress()
        module_gone()
        module_back()
        for ns, near, far, own, peer in ((a, A_OUT, B_OUT, A_IN, B_IN),
                                         (b, B_OUT, A_OUT, B_IN, A_IN)):
            esptun(ns, "esp0", near, far, own, peer)
        keys(ALGS[n % 2])
        flowing()
    try:
        under_traffic(step, rounds(4))
    finally:
        stop_all([asking])
    extra_links()


def extra_links():
    """Removes the devices that workers left."""
    for ns in BED["ends"][:2]:
        for n in range(4):
            sh(f"ip -n {ns.name} link del t{n}", ok=False)


class Chaos:
    """One of several processes that do at random what the cases above do in order."""
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seed = seed

    def __call__(self, _):
        getattr(self, self.random.choice(
            ("add", "add", "add", "flush", "recreate", "dump", "second", "options", "underlay")))()

    def gateway(self):
        """One of the two: namespace, its address, the other's, inner addresses."""
        a, b, *_ = BED["ends"]
        return self.random.choice(((a, A_OUT, B_OUT, A_IN, B_IN), (b, B_OUT, A_OUT, B_IN, A_IN)))

    def add(self):
        """A new pair in use on both."""
        attempt(keys, self.random.choice(ALGS))

    def flush(self):
        """All SAs of one side."""
        attempt(self.gateway()[0].genl.do, "sa-flush")

    def recreate(self):
        """The device away and back, perhaps made by two at once."""
        ns, near, far, own, peer = self.gateway()
        sh(f"ip -n {ns.name} link del esp0", ok=False)
        attempt(ns.rtnl.newlink, "esp0", local4=near, remote4=far)
        attempt(ns.index, "esp0")
        sh(f"ip -n {ns.name} -force -batch -", "link set esp0 up\n"
           f"route replace {peer[0]}/32 dev esp0 src {own[0]}\n"
           f"route replace {peer[1]}/128 dev esp0 src {own[1]}\n", ok=False)

    def dump(self):
        """Everything shown."""
        ns = self.gateway()[0]
        for request in ("tunnel-get", "sa-get"):
            attempt(ns.genl.dump, request, also={errno.EINTR})
        sh(f"ip -n {ns.name} -s -d link show; ip netns exec {ns.name} ethtool -S esp0", ok=False)

    def second(self):
        """Another device that comes, moves to the other namespace and goes there."""
        a, b, *_ = BED["ends"]
        name = f"s{self.seed % 100}"
        attempt(a.rtnl.newlink, name, local4=A_OUT, remote4="192.0.2.88")
        attempt(lambda: Sa("192.0.2.88", A_OUT).install(a, name, "in"))
        attempt(lambda: Sa(A_OUT, "192.0.2.88", QUEUED).install(a, name, "out"))
        sh(f"ip -n {a.name} link set {name} netns {b.name}; ip -n {b.name} link set {name} up; "
           f"ip -n {b.name} link del {name}", ok=False)

    def options(self):
        """Options that may change under SAs."""
        ns = self.gateway()[0]
        attempt(lambda: ns.rtnl.newlink("esp0", flags=0, ttl=self.random.randrange(1, 256),
                                        pmtudisc=self.random.randrange(2),
                                        keep_carrier=self.random.randrange(2)))
        sh(f"ip -n {ns.name} link set esp0 mtu {self.random.randrange(1280, 1500)}", ok=False)

    def underlay(self):
        """The link below goes down and comes back."""
        ns = self.gateway()[0]
        dev = "a0" if ns is BED["ends"][0] else "b0"
        sh(f"ip -n {ns.name} link set {dev} down; ip -n {ns.name} link set {dev} up", ok=False)


@case("all of it at once, at random")
def chaos():
    a, b, ha, hb = BED["ends"]
    workers = traffic(ha, hb) + [beside(f"chaos {i}", Chaos(SEED + i)) for i in range(3)]
    try:
        for _ in range(rounds(4)):
            processor(False)
            for worker in workers:
                worker.progress(2)
            processor(True)
            for worker in workers:
                worker.progress(5)
    finally:
        processor(True)
        stop_all(workers)
    for ns, dev in ((a, "a0"), (b, "b0")):
        ns.ip(f"link set {dev} up")
        sh(f"ip -n {ns.name} link del esp0", ok=False)
    for one, dev, addr, other, odev in ((a, "a0", B_OUT, b, "b0"), (b, "b0", A_OUT, a, "a0")):
        one.ip(f"neigh replace {addr} lladdr {other.mac(odev)} dev {dev}")
    rebuild()


def ends():
    """Nothing leaked, nothing is left."""
    processor(True)
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()
    BED["queue"].end()


run(setup, ends)
