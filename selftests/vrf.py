#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
Where the two sides of a device live: the device in a VRF, the outer packets in a VRF (bound to
it or to one of its links), both, the outer side in another network namespace; and the mark of
outer packets, which routes them, shows on them, and keeps a default route out of a loop.
"""
import socket

from bed import Bed, Tap, drops, reconcile
from ends import esptun
from ktap import add, case, check, equal, run, wait_for
from sa import Sa
from traffic import Host, exchange

BED = {}
A, B = "192.0.2.1", "192.0.2.2"
IN_A, IN_B = ("10.1.0.1", "fd00:1::1"), ("10.2.0.1", "fd00:2::1")


class VrfHost(Host):
    """Inner addresses in a VRF: sockets are bound to it."""
    def __init__(self, ns, vrf, v4, v6):
        super().__init__(ns, v4, v6)
        self.vrf = vrf

    def sock(self, version, kind):
        if (version, kind) not in self.socks:
            family = socket.AF_INET if version == 4 else socket.AF_INET6
            s = self.ns.socket(family, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.vrf.encode())
            with self.ns.inside():
                s.bind((self.addr[version], 4000))
            s.setblocking(False)
            self.socks[version, kind] = s
        return self.socks[version, kind]


def setup():
    """Gateway b with plain routing; a is made anew in each case."""
    BED["bed"] = Bed()


def gateways():
    """Two namespaces on one link, esptun on b."""
    bed = BED["bed"]
    BED["count"] = n = BED.get("count", 0) + 1
    a, b = bed.ns(f"a{n}"), bed.ns(f"b{n}")
    bed.wire(a, "a0", f"{A}/24", b, "b0", f"{B}/24")
    hb = esptun(b, "esp0", B, A, IN_B, IN_A)
    return a, b, hb


def done(hosts, *namespaces):
    """The end of a case: the sniffers have seen nothing, and are not blind."""
    for host in hosts:
        host.close()
    for sniffer in [s for s in BED["bed"].sniffers if s.ns in namespaces]:
        sniffer.verify()
        sniffer.control()
        BED["bed"].sniffers.remove(sniffer)
    for ns in namespaces:
        BED["bed"].drop(ns)


def vrf(ns, name, table, member=None):
    """A VRF, with a link in it."""
    ns.ip(f"link add {name} type vrf table {table}\nlink set {name} up")
    if member:
        # The address and its routes move along.
        ns.ip(f"link set {member} master {name}")


def inside(ns, name):
    """The device in a VRF: inner addresses on a dummy beside it."""
    if not name:
        ns.ip("link set esp0 up")
    else:
        ns.ip(f"link set esp0 master {name}\nlink set esp0 up")
    ns.ip("link add lan0 type dummy" + (f"\nlink set lan0 master {name}" if name else "")
          + f"\nlink set lan0 up\naddr add {IN_A[0]}/32 dev lan0\n"
          f"addr add {IN_A[1]}/128 dev lan0 nodad")
    table = f"vrf {name}" if name else ""
    ns.ip(f"route add {table} {IN_B[0]}/32 dev esp0 src {IN_A[0]}\n"
          f"route add {table} {IN_B[1]}/128 dev esp0 src {IN_A[1]}")
    return VrfHost(ns, name, *IN_A) if name else Host(ns, *IN_A)


def keys(a, b, a_dev="esp0"):
    """SAs on both."""
    ab, ba = Sa(A, B), Sa(B, A)
    ab.install(b, "esp0", "in")
    ba.install(a, a_dev, "in")
    ba.install(b, "esp0", "out")
    ab.install(a, a_dev, "out")


def traffic(a, b, ha, hb):
    """Both ways, both families, and nothing is lost."""
    for version in (4, 6):
        exchange(ha, hb, version, [100, 1280])
        exchange(hb, ha, version, [100, 1280])
    reconcile(a, "esp0", b, "esp0")
    reconcile(b, "esp0", a, "esp0")
    equal((drops(a, "esp0"), drops(b, "esp0")), ({}, {}), "drops")


def placed(device_in, outer_in, bound_to):
    """One combination of places."""
    a, b, hb = gateways()
    if device_in:
        vrf(a, device_in, 10)
    if outer_in:
        vrf(a, outer_in, 20, "a0")
    a.rtnl.newlink("esp0", local4=A, remote4=B, link=a.index(bound_to) if bound_to else None)
    ha = inside(a, device_in)
    keys(a, b)
    traffic(a, b, ha, hb)
    if bound_to:
        # Bound elsewhere there is no way to the peer, and that is told; bound again it is back.
        a.ip("link add other0 type dummy\nlink set other0 up")
        a.rtnl.newlink("esp0", flags=0, link=a.index("lan0" if not device_in else "other0"))
        equal(a.rtnl.getlink("esp0")["link"], a.index("lan0" if not device_in else "other0"), "dev")
        a.rtnl.newlink("esp0", flags=0, link=a.index(bound_to))
        traffic(a, b, ha, hb)
    done((ha, hb), a, b)


for text, places in (("the device in a VRF", ("red", None, None)),
                     ("outer packets bound to a VRF", (None, "blue", "blue")),
                     ("outer packets bound to a link in a VRF", (None, "blue", "a0")),
                     ("the device in one VRF, outer packets in another", ("red", "blue", "blue"))):
    add(text, placed, *places)


@case("the device in another namespace and a VRF there, outer packets in a VRF of the first")
def everywhere():
    bed = BED["bed"]
    a, b, hb = gateways()
    c = bed.ns("c")
    vrf(a, "blue", 20, "a0")
    vrf(c, "red", 10)
    a.rtnl.newlink("esp0", local4=A, remote4=B, link=a.index("blue"))
    a.ip(f"link set esp0 netns {c.name}")
    ha = inside(c, "red")
    keys(c, b)
    traffic(c, b, ha, hb)
    # What is changed from there is judged in the underlay's namespace.
    c.rtnl.newlink("esp0", flags=0, ttl=9, mss_clamp=1, fwmark=3)
    traffic(c, b, ha, hb)
    done((ha, hb), a, b, c)


def two_wires():
    """Gateways with two links between them; the peer's address is reached over either."""
    bed = BED["bed"]
    a, b, hb = gateways()
    bed.wire(a, "a1", "198.51.100.1/24", b, "b1", "198.51.100.2/24")
    for sniffer in bed.sniffers[-2:]:
        sniffer.outer += [socket.inet_aton(x) for x in (A, B, "198.51.100.1", "198.51.100.2")]
    a.ip("rule add fwmark 0x51 lookup 100\n"
         f"route add {B}/32 via 198.51.100.2 dev a1 table 100")
    return a, b, hb, Tap(b, "b0", 50), Tap(b, "b1", 50)


@case("fwmark: the mark decides over which link outer packets go, and they carry it", None)
@case("fwmark of a device in a VRF: the same", "red")
def marked(device_in):
    a, b, hb, wire0, wire1 = two_wires()
    if device_in:
        vrf(a, device_in, 10)
    a.rtnl.newlink("esp0", local4=A, remote4=B)
    ha = inside(a, device_in)
    keys(a, b)
    a.sh("""nft -f - <<-END
table ip t {
chain c {
type filter hook output priority 0; policy accept;
ip protocol esp meta mark 0x51 counter
ip protocol esp meta mark 0 counter
}
}
END""")

    def count():
        return [int(line.split("packets ")[1].split()[0])
                for line in a.sh("nft list table ip t").splitlines() if "packets" in line]
    for mark, over, beside in ((0, wire0, wire1), (0x51, wire1, wire0), (0x52, wire0, wire1),
                               (0x51, wire1, wire0), (0, wire0, wire1)):
        a.rtnl.newlink("esp0", flags=0, fwmark=mark)
        equal(a.rtnl.getlink("esp0")["fwmark"], mark, "fwmark")
        before = count()
        for tap in (over, beside):
            tap.packets()
        exchange(ha, hb, 4, [100] * 10)
        exchange(ha, hb, 6, [100] * 10)
        equal((len(over.packets("in")), len(beside.packets("in"))), (20, 0),
              f"packets on the links with mark {mark:#x}")
        moved = [n - o for n, o in zip(count(), before)]
        equal(moved, [20 if mark == 0x51 else 0, 20 if mark == 0 else 0], "packets by mark")
    done((ha, hb), a, b)


@case("the inner packet's mark does not leak outside")
def inner_mark():
    a, b, hb, wire0, wire1 = two_wires()
    ha = esptun(a, "esp0", A, B, IN_A, IN_B)
    keys(a, b)
    wire0.packets()
    ha.sock(4, "udp").setsockopt(socket.SOL_SOCKET, 36, 0x51)           # SO_MARK
    a.ip(f"route add {IN_B[0]}/32 dev esp0 src {IN_A[0]} table 100")
    exchange(ha, hb, 4, [100] * 10)
    equal((len(wire0.packets("in")), len(wire1.packets("in"))), (10, 0), "packets on the links")
    done((ha, hb), a, b)


@case("a default route into the tunnel: the mark keeps outer packets out of the loop")
def default_route():
    a, b, hb, _, wire1 = two_wires()
    ha = esptun(a, "esp0", A, B, IN_A, IN_B)
    keys(a, b)
    # All of the main table leads into the tunnel, the peer's own address as well.
    a.ip("route replace 192.0.2.0/24 dev esp0 metric 0\nroute add default dev esp0")
    before = drops(a, "esp0").get("tx_loop", 0)
    ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
    wait_for("a loop without mark", lambda: drops(a, "esp0").get("tx_loop", 0) == before + 1)
    a.rtnl.newlink("esp0", flags=0, fwmark=0x51)
    wire1.packets()
    exchange(ha, hb, 4, [100] * 10)
    exchange(hb, ha, 6, [100] * 10)
    equal(drops(a, "esp0").get("tx_loop"), before + 1, "loops with mark")
    check(len(wire1.packets("in")) >= 10, "packets on the link that the mark names")
    done((ha, hb), a, b)


def ends():
    """Nothing leaked, nothing is left."""
    BED["bed"].verify()


run(setup, ends)
