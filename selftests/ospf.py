#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
Multicast through the tunnel: OSPF (FRR) between two gateways over esptun. The adjacency
reaches Full, routes are learnt and carry traffic, a rekey goes unnoticed, and with the last SA
the adjacency and its routes go at once, since the device loses its carrier.
"""
import json
import os
import signal

from bed import Bed, Tap, drops, reconcile, sh, stats
from ends import A_OUT, B_OUT, esptun
from ktap import check, case, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import Host, exchange

BED = {"pids": []}
FRR = "/usr/lib/frr"
LONG = 400                      # seconds; hellos go every second, the machine may be busy
LAN = {"a": "10.1.0.1", "b": "10.2.0.1"}
CONFIG = """interface esp0
 ip ospf area 0
 ip ospf hello-interval 1
 ip ospf dead-interval 300
interface lan0
 ip ospf area 0
 ip ospf passive
router ospf
 ospf router-id {lan}
 timers throttle spf 10 50 100
"""


def setup():
    """Two gateways, networks behind them, and no route between those."""
    BED["bed"] = bed = Bed()
    BED["a"], BED["b"] = a, b = bed.ns("a"), bed.ns("b")
    bed.wire(a, "a0", f"{A_OUT}/24", b, "b0", f"{B_OUT}/24")
    for n, ns, own, peer in ((1, a, A_OUT, B_OUT), (2, b, B_OUT, A_OUT)):
        # ospfd begins anew when the MTU of an interface changes, as it does with algorithms.
        esptun(ns, "esp0", own, peer, mtu=1380)
        ns.ip(f"addr add 10.99.0.{n}/30 dev esp0\nlink add lan0 type dummy\nlink set lan0 up\n"
              f"addr add 10.{n}.0.1/24 dev lan0")
    keys()
    for name in "ab":
        daemons(BED[name], name)
    BED["ha"], BED["hb"] = Host(a, LAN["a"]), Host(b, LAN["b"])


def keys(alg=GCM[0]):
    """SAs on both gateways; those from before stay, as in a rekey."""
    a, b = BED["a"], BED["b"]
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out")
    return ab, ba


def daemons(ns, name):
    """zebra and ospfd of a gateway, with sockets of their own."""
    folder = f"/run/ospf-{name}"
    os.makedirs(folder, exist_ok=True)
    for one in ("zebra", "ospfd"):
        with open(f"{folder}/{one}.conf", "w", encoding="ascii") as f:
            f.write(CONFIG.format(lan=LAN[name]) if one == "ospfd" else "")
    sh(f"chown -R frr:frr {folder}; chmod 755 {folder}")
    for one in ("zebra", "ospfd"):
        ns.sh(f"{FRR}/{one} -d -f {folder}/{one}.conf -z {folder}/zserv.api --vty_socket {folder} "
              f"-i {folder}/{one}.pid --log file:{folder}/{one}.log >{folder}/{one}.out 2>&1")
        with open(f"{folder}/{one}.pid", encoding="ascii") as f:
            BED["pids"].append(int(f.read()))


def show(name, command):
    """What a gateway's ospfd says, as JSON."""
    _, out, _ = sh(f"vtysh --vty_socket /run/ospf-{name} -d ospfd -c 'show ip ospf {command} json'",
                   ok=False)
    try:
        return json.loads(out)
    except json.JSONDecodeError:
        return {}


def neighbour(name):
    """The record of the only neighbour, or nothing."""
    found = show(name, "neighbor detail").get("neighbors", {})
    return list(found.values())[0][0] if found else {}


def full():
    """Both ends are."""
    return all(neighbour(n).get("nbrState", "").startswith("Full") for n in "ab")


def learnt(ns, net):
    """The route in the kernel."""
    return "esp0" in ns.sh(f"ip route show {net} proto ospf")


def routed():
    """Both routes are in the kernel."""
    return learnt(BED["a"], "10.2.0.0/24") and learnt(BED["b"], "10.1.0.0/24")


@case("the adjacency reaches Full over the tunnel")
def adjacency():
    wait_for("Full", full, LONG)
    check(stats(BED["a"], "esp0")["tx_packets"] > 5, "hellos went through the tunnel")


@case("each learns the network behind the other, and a ping and datagrams cross")
def routes():
    wait_for("routes", routed, LONG)
    out = BED["a"].sh(f"ping -c 3 -W 60 -I {LAN['a']} {LAN['b']}")
    check(" 3 received" in out, out)
    exchange(BED["ha"], BED["hb"], 4, [100, 1280])
    exchange(BED["hb"], BED["ha"], 4, [100, 1280])


def changes():
    """How often the neighbours' state has changed."""
    return [neighbour(n).get("stateChangeCounter") for n in "ab"]


@case("five rekeys, with other algorithms too: the adjacency notices nothing")
def rekeys():
    a, b = BED["a"], BED["b"]
    before, lost = changes(), (drops(a, "esp0"), drops(b, "esp0"))
    old = [sa["spi"] for sa in a.genl.dump("sa-get")]
    for alg in (GCM[2], CBC[0], GCM[0], CBC[-1], GCM[0]):
        sas = keys(alg)
        # Hellos of both sides cross with the new keys before the old ones go.
        wait_for("hellos", lambda sas=sas: all(
            sa.get(ns, "esp0", "in")["packets"] >= 2 for sa, ns in zip(sas, (b, a))))
        for ns in (a, b):
            for sa in ns.genl.dump("sa-get"):
                if sa["state"] == "old" or sa["dir"] == "in" and sa["spi"] not in \
                        [s.spi for s in sas]:
                    ns.genl.do("sa-del", ifindex=ns.index("esp0"), dir=sa["dir"], spi=sa["spi"])
    check(not set(old) & {sa["spi"] for sa in a.genl.dump("sa-get")}, "the old SAs are gone")
    check(full() and routed(), "Full, and the routes are there")
    equal(changes(), before, "state changes")
    equal((drops(a, "esp0"), drops(b, "esp0")), lost, "drops")
    exchange(BED["ha"], BED["hb"], 4, [100])


@case("without an SA the routes go at once, far before the dead interval; with one they return")
def carrier():
    a, b = BED["a"], BED["b"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    wait_for("no routes", lambda: not learnt(a, "10.2.0.0/24") and not learnt(b, "10.1.0.0/24"))
    wait_for("no neighbours", lambda: not neighbour("a") and not neighbour("b"))
    keys()
    wait_for("Full again", full, LONG)
    wait_for("routes again", routed, LONG)
    exchange(BED["ha"], BED["hb"], 4, [100, 1280])


@case("on the wire there is ESP to the peer, and no packet to a multicast group")
def wire():
    tap = Tap(BED["b"], "b0")
    seen = []

    def enough():
        seen.extend(tap.packets())
        return len(seen) >= 6
    wait_for("hellos", enough)
    equal({(p[9], p[16]) for p in seen}, {(50, 192)}, "protocol and destination")
    tap.close()


def running(pid):
    """Whether a process is there and more than the name of one."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def ends():
    """Daemons stopped; counters add up, nothing leaked, nothing is left."""
    try:
        for pid in BED["pids"]:
            os.kill(pid, signal.SIGTERM)
        wait_for("the daemons to end", lambda: not any(map(running, BED["pids"])))
        reconcile(BED["a"], "esp0", BED["b"], "esp0")
        reconcile(BED["b"], "esp0", BED["a"], "esp0")
    finally:
        for host in ("ha", "hb"):
            BED[host].close()
        BED["bed"].verify()


run(setup, ends)
