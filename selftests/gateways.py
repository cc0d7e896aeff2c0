# SPDX-License-Identifier: GPL-2.0-or-later
"""
Two gateways with esptun under load, for races.py and failslab.py: new SAs at any moment,
traffic beside whatever a case does to them, everything put back afterwards, and Chaos, which
does all of it at random. What is at work beside the test: storm.py.
"""
import errno
import itertools
import os
import random

import cryptoapi
import nl
import sa
from bed import Bed, load, sh, stats
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, pair
from ktap import diag, scaled, wait_for
from sa import CBC, GCM, Alg, Sa
from storm import Worker, attempt, stop_all, traffic
from traffic import exchange

ROUNDS = int(os.environ.get("ROUNDS") or 1)
SEED = int(os.environ.get("SEED") or random.randrange(1 << 32))
# Of this one each packet is given to a worker: it completes later, from another context,
# when the SA may be gone.
QUEUED = Alg("aes-cbc", 16, "hmac-sha384-192")
QUEUE = ["cryptd(authenc(hmac(sha384-generic),cbc(aes-generic)))"]
ALGS = [GCM[0], QUEUED, GCM[2], CBC[-1]]
CPU1 = "/sys/devices/system/cpu/cpu1/online"


def rounds(count):
    """How often a case does what it does."""
    return scaled(count * ROUNDS, 2)


def processor(on):
    """Takes the second processor away, or brings it back."""
    with open(CPU1, "w", encoding="ascii") as f:
        f.write("1" if on else "0")


def fresh(ns):
    """Netlink sockets of this process, and of the family as it is registered now."""
    for kind in ("_genl", "_rtnl"):
        sock = getattr(ns, kind)
        if sock:
            sock.close()
        setattr(ns, kind, None)


class Gateways:
    """Gateways a and b, hosts ha and hb behind them."""
    def __init__(self):
        self.bed = Bed()
        cryptoapi.prefer(QUEUE)
        diag(f"seed {SEED}")
        self.a, self.b, self.ha, self.hb = pair(self.bed, "esptun")
        self.keys()

    def sides(self):
        """Namespace, outer addresses, inner addresses of both."""
        return ((self.a, A_OUT, B_OUT, A_IN, B_IN), (self.b, B_OUT, A_OUT, B_IN, A_IN))

    def keys(self, alg=GCM[0]):
        """New SAs on both, in use when this returns."""
        ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
        ab.install(self.b, "esp0", "in")
        ba.install(self.a, "esp0", "in")
        ba.install(self.b, "esp0", "out", partner_spi=ab.spi, state="active")
        ab.install(self.a, "esp0", "out", partner_spi=ba.spi, state="active")

    def flush(self):
        """No SAs on either."""
        for ns in (self.a, self.b):
            ns.genl.do("sa-flush", ifindex=ns.index("esp0"))

    def make(self, side):
        """The device of one side, with inner addresses."""
        ns, near, far, own, peer = side
        esptun(ns, "esp0", near, far, own, peer)

    def rebuild(self):
        """Whatever happened, both have their device again, and packets of all kinds cross."""
        for ns, dev in ((self.a, "a0"), (self.b, "b0")):
            fresh(ns)
            sh(f"ip -n {ns.name} link del esp0", ok=False)
            ns.ip(f"link set {dev} up")
        for ns, dev, addr, other, odev in ((self.a, "a0", B_OUT, self.b, "b0"),
                                           (self.b, "b0", A_OUT, self.a, "a0")):
            ns.ip(f"neigh replace {addr} lladdr {other.mac(odev)} dev {dev}")
        for side in self.sides():
            self.make(side)
        for host in (self.ha, self.hb):
            host.close()
        for alg in ALGS:
            self.keys(alg)
            for version in (4, 6):
                exchange(self.ha, self.hb, version, [100, 1280])
                exchange(self.hb, self.ha, version, [100, 1280])
        for host in (self.ha, self.hb):
            host.close()

    def beside(self, name, step):
        """A worker with netlink sockets and SPIs of its own."""
        def make():
            for ns in (self.a, self.b):
                fresh(ns)
            sa.SPIS = itertools.count(0x1000 + (os.getpid() & 0xffff) * 0x10000)
            return step
        return Worker(name, make)

    def under_traffic(self, what, times, workers=()):
        """
        Calls what(n) that often while packets go both ways and the workers do their part;
        what() itself waits for packets if it must. Then all must be well.
        """
        flows = traffic(self.ha, self.hb)
        try:
            for worker in flows:
                worker.progress()
            for n in range(times):
                what(n)
        finally:
            stop_all([*flows, *workers])
        self.rebuild()

    def flowing(self, more=5):
        """Waits until both receive."""
        def received():
            return [stats(ns, "esp0")["rx_packets"] for ns in (self.a, self.b)]
        before = received()
        wait_for("packets both ways", lambda: all(now >= was + more
                                                  for now, was in zip(received(), before)))

    def alive(self):
        """Devices and SAs that exist in the whole system."""
        m = self.bed.module()
        return (m["tunnels_created"] - m["tunnels_destroyed"],
                m["sas_created"] - m["sas_destroyed"])

    def unload(self):
        """Unloads the module: a request that is being served holds it for a moment."""
        self.bed.genl.close()
        for ns in (self.a, self.b):
            fresh(ns)
        wait_for("the module unloads", lambda: sh("rmmod esptun", ok=False)[0] == 0)

    def load(self):
        """Loads it again; there are no devices."""
        load()
        self.bed.genl = nl.Genl()

    def end(self):
        """Nothing leaked, nothing is left."""
        processor(True)
        for host in (self.ha, self.hb):
            host.close()
        try:
            self.bed.verify()
        finally:
            cryptoapi.forget(QUEUE)


class Chaos:
    """A step for a worker: something at random, as several processes do it at once."""
    def __init__(self, gateways, number):
        self.g = gateways
        self.number = number
        self.random = random.Random(SEED + number)
        self.also = {errno.EINTR}

    def __call__(self, _):
        getattr(self, self.random.choice(
            ("add", "add", "add", "flush", "recreate", "dump", "second", "options", "underlay")))()

    def gateway(self):
        """One of the two."""
        return self.random.choice(self.g.sides())

    def add(self):
        """A new pair in use on both."""
        attempt(self.g.keys, self.random.choice(ALGS))

    def flush(self):
        """All SAs of one side."""
        attempt(lambda: self.gateway()[0].genl.do("sa-flush"))

    def recreate(self):
        """The device away and back, perhaps made by two at once."""
        ns, near, far, own, peer = self.gateway()
        sh(f"ip -n {ns.name} link del esp0", ok=False)
        attempt(lambda: ns.rtnl.newlink("esp0", local4=near, remote4=far))
        sh(f"ip -n {ns.name} -force -batch -", "link set esp0 up\n"
           f"route replace {peer[0]}/32 dev esp0 src {own[0]}\n"
           f"route replace {peer[1]}/128 dev esp0 src {own[1]}\n", ok=False)

    def dump(self):
        """Everything shown."""
        ns = self.gateway()[0]
        for request in ("tunnel-get", "sa-get"):
            attempt(lambda r=request: ns.genl.dump(r), also=self.also)
        sh(f"ip -n {ns.name} -s -d link show; ip netns exec {ns.name} ethtool -S esp0", ok=False)

    def second(self):
        """Another device that comes, moves to the other namespace and goes there."""
        a, b, name = self.g.a, self.g.b, f"s{self.number}"
        attempt(lambda: a.rtnl.newlink(name, local4=A_OUT, remote4="192.0.2.88"))
        attempt(lambda: Sa("192.0.2.88", A_OUT).install(a, name, "in"))
        attempt(lambda: Sa(A_OUT, "192.0.2.88", QUEUED).install(a, name, "out"))
        sh(f"ip -n {a.name} link set {name} netns {b.name}; ip -n {b.name} link set {name} up; "
           f"ip -n {b.name} link del {name}; ip -n {a.name} link del {name}", ok=False)

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
        dev = "a0" if ns is self.g.a else "b0"
        sh(f"ip -n {ns.name} link set {dev} down; ip -n {ns.name} link set {dev} up", ok=False)
