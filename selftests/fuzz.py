#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 1800 s
"""
Generated packets on the wire and into the device, each accounted for: makes the network and
the SAs, then lets selftests/fuzz send. What has to become of each packet is known in advance;
nothing but its counter may move, and nothing else may come out. FUZZ_COUNT, FUZZ_SEED,
FUZZ_FROM, FUZZ_KIND and FUZZ_SHAPE choose what is sent; without them a fixed seed. FUZZ_SEED=random
takes one that nobody has tried, and prints it.
"""
import os
import random
import subprocess

from bed import TOP, Bed
from ends import esptun
from ktap import Failure, add, check, diag, run
from sa import Alg, Sa

BED = {}
FUZZ = f"{TOP}/build/fuzz/fuzz"
NETWORK = "/run/fuzz-network"
FIXED_SEED = 20261120
COUNT = int(os.environ.get("FUZZ_COUNT", "0"))
SHORT = 50000                   # packets of each seed if no count was asked for
GCM, GCM256 = Alg("aes-gcm-16", 16), Alg("aes-gcm-16", 32)
CBC = Alg("aes-cbc", 32, "hmac-sha256-128")
NULL = Alg("null", 0, "hmac-sha1-96")
DES3 = Alg("des3-cbc", 24, "hmac-md5-96")


class Network:
    """The gateway, the outside, and the file that describes both to the fuzzer."""
    def __init__(self, bed):
        self.a, self.b = bed.ns("gw"), bed.ns("out")
        self.bed = bed
        self.lines = [f"gateway {self.a.name}", f"outside {self.b.name}"]
        # Answers to bad packets are other tests' subject, and would only be in the way.
        self.a.sh("nft add table inet quiet")
        self.a.sh("nft \"add chain inet quiet out { type filter hook output priority 0; }\"")
        self.a.sh("nft add rule inet quiet out meta l4proto { icmp, icmpv6 } drop")
        self.a.ip("addr add 203.0.114.1/32 dev lo")
        # Halves of packets that will never be whole must not take all the room; and a machine
        # that stands still for a while must not end those that will be.
        self.a.sysctl("ipv4/ipfrag_high_thresh=268435456")

    def wire(self, name, number, mtu, gro):
        """An Ethernet link; the outside has no address and no opinion."""
        a, b = self.a, self.b
        here, there = f"a{number}", f"b{number}"
        own, peer = f"192.0.{number}.1", f"192.0.{number}.2"
        self.bed.wire(a, here, f"{own}/24", b, there, f"{peer}/24", mtu, sniff=False)
        b.ip(f"addr flush dev {there}")
        a.sh(f"ethtool -K {here} gro {'on' if gro else 'off'}")
        self.lines.append(f"wire {name} {there} {b.mac(there)} {here} {a.mac(here)} {mtu}")
        return own, peer

    def device(self, name, local, remote, way, mtu=None):
        """An esptun device whose outer packets go that way."""
        esptun(self.a, name, local, remote)
        self.lines.append(f"device {name} {local} {remote} {way}")
        if mtu:
            self.a.ip(f"link set {name} mtu {mtu}")

    def sa(self, device, local, remote, inbound, outbound, rng):
        """SAs of a device; the first inbound one carries what is nested."""
        for alg, esn in inbound:
            begin = (1 << 32) - rng.randrange(1, 1 << 23) if esn else 0
            window = rng.choice((32, 64, 128, 1000, 1024, 4096))
            one = Sa(remote, local, alg, esn, window, begin).install(self.a, device, "in")
            self.describe(one, device, "in")
        alg, esn = outbound
        one = Sa(local, remote, alg, esn, seq=(1 << 32) - 5000 if esn else 0)
        self.describe(one.install(self.a, device, "out"), device, "out")

    def describe(self, sa, device, way):
        """One line of the file."""
        self.lines.append(
            f"sa {device} {way} {sa.spi:#x} {sa.alg.encr} {sa.alg.auth} {sa.ekey.hex() or '-'} "
            f"{sa.akey.hex() or '-'} {'esn' if sa.esn else '-'} {sa.window} {sa.seq:#x}")

    def write(self):
        """For the fuzzer to read."""
        with open(NETWORK, "w", encoding="ascii") as f:
            f.write("\n".join(self.lines) + "\n")


def network(seed):
    """Three wires, five devices: plain, nested, nested in IPIP, jumbo with GRO, very jumbo."""
    rng = random.Random(seed)
    bed = BED["bed"] = Bed()
    net = Network(bed)
    own, peer = net.wire("w0", 0, 1500, False)
    net.device("esp0", own, peer, "wire w0", 9000)
    net.sa("esp0", own, peer, [(GCM, False), (GCM256, True), (CBC, False), (NULL, True),
                               (DES3, False)], (GCM, True), rng)
    net.a.ip("addr add 10.1.0.1/32 dev lo\naddr add 10.1.0.3/32 dev lo\n"
             "route add 10.2.0.0/24 dev esp0 src 10.1.0.1")
    net.device("esp1", "10.1.0.1", "10.2.0.1", "device esp0")
    net.sa("esp1", "10.1.0.1", "10.2.0.1", [(GCM, True), (CBC, False)], (CBC, False), rng)
    net.a.ip("link add ipip0 type ipip local 10.1.0.3 remote 10.2.0.3\nlink set ipip0 up\n"
             "addr add 10.5.0.1/32 dev lo\nroute add 10.6.0.0/24 dev ipip0 src 10.5.0.1")
    net.device("esp2", "10.5.0.1", "10.6.0.1", "ipip esp0 10.1.0.3 10.2.0.3")
    net.sa("esp2", "10.5.0.1", "10.6.0.1", [(GCM, False), (NULL, False)], (GCM, False), rng)
    own, peer = net.wire("w1", 3, 9000, True)
    net.device("esp3", own, peer, "wire w1")
    net.sa("esp3", own, peer, [(GCM, False), (CBC, True)], (CBC, True), rng)
    own, peer = net.wire("w2", 4, 65535, True)
    net.device("esp4", own, peer, "wire w2")
    net.sa("esp4", own, peer, [(GCM, False), (CBC, False)], (GCM, False), rng)
    net.write()


def fuzz(seed, count):
    """Sends so many packets of a seed."""
    check(os.path.exists(FUZZ), f"{FUZZ} is not built: make fuzz")
    network(seed)
    command = [FUZZ, "--network", NETWORK, "--seed", str(seed), "--count", str(count)]
    for name in ("from", "kind", "shape"):
        value = os.environ.get(f"FUZZ_{name.upper()}")
        command += [f"--{name}", value] if value else []
    diag(" ".join(command[3:]))
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            diag(line.rstrip())
    if process.returncode:
        raise Failure(f"the fuzzer ended with {process.returncode}")


def verify():
    """Everything made is unmade."""
    bed = BED.pop("bed")
    os.unlink(NETWORK)
    bed.verify()


def case(seed, count):
    """One seed in a network of its own."""
    add(f"{count} packets of seed {seed}: each delivered or counted, exactly once", fuzz, seed,
        count)
    add(f"seed {seed}: everything made is unmade", verify)


SEED = os.environ.get("FUZZ_SEED", str(FIXED_SEED))
case(random.SystemRandom().getrandbits(32) if SEED == "random" else int(SEED, 0), COUNT or SHORT)
run()
