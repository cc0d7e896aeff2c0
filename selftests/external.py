#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
An external device: one for many tunnels, told apart by the ID that a route or tc puts on a
packet and that received packets bring along. Gateway a has one to two peers, b with an esptun
device of its own and c with the kernel's xfrm interface.
"""
import errno
import json
import socket

from bed import ESPTUN, TOP, Bed, Tap, drops, expect_drops, refused, stats
from ends import IF_ID, esptun, xfrmi
from ktap import case, check, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import Host, exchange, transfer

BED = {}
AB, B = "192.0.2.1", "192.0.2.2"
AC, C = "198.51.100.1", "198.51.100.2"
IN_A = ("10.1.0.1", "fd00:1::1")
IN_B, IN_C = ("10.2.0.1", "fd00:2::1"), ("10.3.0.1", "fd00:3::1")
ID_B, ID_C = 100, 4294967295
PEERS = {"b": (ID_B, AB, B, IN_B), "c": (ID_C, AC, C, IN_C)}


def setup():
    """Three gateways; a reaches b and c over links of their own."""
    BED["bed"] = bed = Bed()
    a, b, c = (bed.ns(x) for x in "abc")
    BED.update(a=a, b=b, c=c)
    bed.wire(a, "ab", f"{AB}/24", b, "b0", f"{B}/24")
    bed.wire(a, "ac", f"{AC}/24", c, "c0", f"{C}/24")
    BED["hb"] = esptun(b, "esp0", B, AB, IN_B, IN_A)
    BED["hc"] = xfrmi(c, "xfrm0", "c0", C, AC, IN_C, IN_A)
    BED["ha"] = Host(a, *IN_A)
    a.ip(f"addr add {IN_A[0]}/32 dev lo\naddr add {IN_A[1]}/128 dev lo nodad")
    device()


def device():
    """ext0, with a route to each peer that names its tunnel."""
    a = BED["a"]
    a.sh("ip link del ext0", ok=False)
    a.rtnl.newlink("ext0", external=1)
    a.ip("link set ext0 up")
    for number, _, remote, (v4, v6) in PEERS.values():
        a.ip(f"route add {v4}/32 encap ip id {number} dst {remote} dev ext0 src {IN_A[0]}\n"
             f"route add {v6}/128 encap ip id {number} dst {remote} dev ext0 src {IN_A[1]}")


def keys(peer, alg=GCM[0]):
    """New SAs with one peer; those before stay. Returns both as a has them: in, out."""
    a = BED["a"]
    number, local, remote, _ = PEERS[peer]
    back, out = Sa(remote, local, alg), Sa(local, remote, alg)
    back.install(a, "ext0", "in", tunnel_id=number, local4=local, remote4=remote)
    if peer == "b":
        out.install(BED["b"], "esp0", "in")
        back.install(BED["b"], "esp0", "out")
    else:
        BED["c"].ip(f"xfrm state flush\n{back.xfrm(IF_ID)}\n{out.xfrm(IF_ID)}")
    out.install(a, "ext0", "out", tunnel_id=number)
    return back, out


def fresh():
    """Nothing but new SAs."""
    for ns in (BED["a"], BED["b"]):
        ns.genl.do("sa-flush")
    return keys("b"), keys("c")


def branch(peer):
    """A tunnel of the device as the kernel tells it."""
    return BED["a"].genl.do("tunnel-get", ifname="ext0", tunnel_id=PEERS[peer][0])


def branches():
    """IDs of the tunnels that there are."""
    return sorted(t["tunnel_id"] for t in BED["a"].genl.dump("tunnel-get") if "tunnel_id" in t)


def got(sa, peer, direction):
    """An SA of the device."""
    a = BED["a"]
    return a.genl.do("sa-get", ifindex=a.index("ext0"), dir=direction, spi=sa.spi,
                     tunnel_id=PEERS[peer][0])


@case("made, shown, refused: what makes no sense for a device without a peer of its own")
def options():
    a, b = BED["a"], BED["b"]
    equal(a.rtnl.getlink("ext0")["external"], 1, "external")
    check("remote4" not in a.rtnl.getlink("ext0"), "no peer")
    got_ = a.genl.do("tunnel-get", ifname="ext0")
    equal((got_["external"], got_["carrier"], got_["sa_count"], "tunnel_id" in got_),
          (1, 1, 0, False), "the device")
    equal(json.loads(a.sh("ip -j link show ext0"))[0]["mtu"], 1418, "MTU: IPv6 and UDP outside fit")
    refused(errno.EINVAL, "external", lambda: a.rtnl.newlink("ext1", external=1, remote4=B))
    refused(errno.EINVAL, "external", lambda: a.rtnl.newlink("ext0", flags=0, external=0))
    refused(errno.EINVAL, "remote", lambda: a.rtnl.newlink("ext0", flags=0, remote4=B))
    refused(errno.EINVAL, "carrier", lambda: a.rtnl.newlink("ext0", flags=0, keep_carrier=0))
    refused(errno.EINVAL, "external", lambda: b.rtnl.newlink("esp0", flags=0, external=1))
    sa = Sa(B, AB)
    for code, text, more in ((errno.EINVAL, "tunnel-id", {}),
                             (errno.EINVAL, "tunnel-id", {"tunnel_id": 0, "remote4": B}),
                             (errno.EINVAL, "remote", {"tunnel_id": 5}),
                             (errno.EINVAL, "unicast", {"tunnel_id": 5, "remote4": "224.0.0.1"}),
                             (errno.EINVAL, "IPv6", {"tunnel_id": 5, "remote4": B,
                                                     "local6": "2001:db8::1"}),
                             (errno.EINVAL, "link-local", {"tunnel_id": 5, "remote6": "fe80::1"})):
        refused(code, text, lambda more=more: sa.install(a, "ext0", "in", **more))
    refused(errno.EINVAL, "external", lambda: sa.install(b, "esp0", "in", tunnel_id=5))
    refused(errno.EINVAL, "external", lambda: sa.install(b, "esp0", "in", remote4=B))
    refused(errno.ENOENT, "tunnel-id", lambda: a.genl.do(
        "sa-del", ifindex=a.index("ext0"), dir="in", spi=1000, tunnel_id=5))
    equal(branches(), [], "a refused SA leaves no tunnel behind")


@case("two peers, both families, both ways: each packet on the SA of its tunnel")
def two_peers():
    a, b = BED["a"], BED["b"]
    for algs in ((GCM[0], CBC[0]), (CBC[0], GCM[0])):
        for ns in (a, b):
            ns.genl.do("sa-flush")
        sas = {"b": keys("b", algs[0]), "c": keys("c", algs[1])}
        equal(branches(), sorted((ID_B, ID_C)), "tunnels")
        for version in (4, 6):
            for peer in "bcbc":
                for pair in ((BED["ha"], BED["h" + peer]), (BED["h" + peer], BED["ha"])):
                    exchange(*pair, version, [48, 1000, 1280])
        for peer, (back, out) in sas.items():
            equal((got(back, peer, "in")["packets"], got(out, peer, "out")["packets"]), (12, 12),
                  f"packets of {peer}'s SAs")
            equal(got(out, peer, "out")["tunnel_id"], PEERS[peer][0], "tunnel-id")
        for peer in "bc":
            transfer(BED["ha"], BED["h" + peer], 4, bytes(range(256)) * 1000)
            transfer(BED["h" + peer], BED["ha"], 6, bytes(range(256)) * 1000)
    equal((drops(a, "ext0"), drops(b, "esp0")), ({}, {}), "drops")
    check(branch("b")["remote4"] == B and branch("c")["peer4"] == C, "endpoints")


def matched():
    """Packets that each filter of ext0's ingress has seen."""
    seen = json.loads(BED["a"].sh("tc -s -j filter show dev ext0 ingress"))
    return {f["options"]["keys"].get("enc_key_id"): f["options"]["actions"][0]["stats"]["packets"]
            for f in seen if "keys" in f.get("options", {})}


@case("received packets bring the tunnel's ID and the outer addresses")
def received():
    a = BED["a"]
    fresh()
    a.sh("tc qdisc add dev ext0 clsact")
    for number, local, remote, _ in PEERS.values():
        a.sh(f"tc filter add dev ext0 ingress protocol ip flower enc_key_id {number} "
             f"enc_src_ip {remote} enc_dst_ip {local} action pass")
    exchange(BED["hb"], BED["ha"], 4, [100] * 5)
    exchange(BED["hc"], BED["ha"], 4, [100] * 7)
    equal(matched(), {ID_B: 5, ID_C: 7}, "packets by ID")
    # And it is no order where to send: forwarding needs a route that says so.
    a.sh("tc qdisc del dev ext0 clsact")


@case("tc chooses the tunnel: tunnel_key on packets that are redirected into the device")
def by_tc():
    a = BED["a"]
    fresh()
    for peer in "bc":
        number, _, _, (v4, _) = PEERS[peer]
        a.ip(f"link add lan{peer} type dummy\nlink set lan{peer} arp off up\n"
             f"route add {v4}/32 dev lan{peer} src {IN_A[0]} table 50\n"
             f"rule add to {v4} lookup 50 pref 10")
        a.sh(f"tc qdisc add dev lan{peer} clsact")
        a.sh(f"tc filter add dev lan{peer} egress protocol ip matchall action tunnel_key set "
             f"id {number} src_ip 0.0.0.0 dst_ip 0.0.0.0 "
             "action mirred egress redirect dev ext0")
    for peer in "bc":
        exchange(BED["ha"], BED["h" + peer], 4, [100, 1000])
    equal(drops(a, "ext0"), {}, "drops")
    for peer in "bc":
        a.ip(f"link del lan{peer}\nrule del to {PEERS[peer][3][0]} lookup 50 pref 10")


@case("no metadata, an unknown ID: named drops; the second asks for a tunnel of that ID")
def nowhere():
    a = BED["a"]
    fresh()
    a.ip(f"route add 10.9.0.1/32 dev ext0 src {IN_A[0]}\n"
         f"route add 10.9.0.2/32 encap ip id 77 dst {B} dev ext0 src {IN_A[0]}\n"
         f"route add 10.9.0.3/32 encap ip id 4294967296 dst {B} dev ext0 src {IN_A[0]}")
    events = a.events()
    before = drops(a, "ext0")
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(5):
            s.sendto(b"x", ("10.9.0.1", 9))
        for _ in range(6):
            s.sendto(b"x", ("10.9.0.2", 9))
        s.sendto(b"x", ("10.9.0.3", 9))
    expect_drops(a, "ext0", before, tx_no_tunnel_id=5, tx_no_sa=7)
    asked = wait_for("acquire", lambda: events.named("acquire"))
    equal({(e["ifname"], e["tunnel_id"]) for e in asked}, {("ext0", 77)}, "who asks for what")
    equal(asked[0]["flow"]["remote"], socket.inet_aton("10.9.0.2"), "the packet")
    a.ip("route del 10.9.0.1/32\nroute del 10.9.0.2/32\nroute del 10.9.0.3/32")


@case("an SA that is gone: counted on its tunnel and on the device; the tunnel's life")
def life():
    a = BED["a"]
    (back, out), _ = fresh()
    index = a.index("ext0")
    refused(errno.EBUSY, "remote", lambda: Sa(C, AC).install(
        a, "ext0", "in", tunnel_id=ID_B, remote4=C))
    refused(errno.ENOENT, "spi", lambda: a.genl.do("sa-del", ifindex=index, dir="out",
                                                   spi=out.spi))
    a.genl.do("sa-del", ifindex=index, dir="out", spi=out.spi, tunnel_id=ID_B)
    whole, before = drops(a, "ext0"), stats(a, "ext0")["tx_packets"]
    BED["ha"].sock(4, "udp").sendto(b"x", (IN_B[0], 4000))
    expect_drops(a, "ext0", whole, tx_no_sa=1)
    equal(branch("b")["drops"]["tx_no_sa"], 1, "on the tunnel")
    exchange(BED["ha"], BED["hc"], 4, [100])
    equal(stats(a, "ext0")["tx_packets"] - before, 1, "packets sent")
    exchange(BED["hb"], BED["ha"], 4, [100])
    a.genl.do("sa-del", ifindex=index, dir="in", spi=back.spi, tunnel_id=ID_B)
    wait_for("the tunnel is gone with its last SA", lambda: branches() == [ID_C])
    refused(errno.ENOENT, "tunnel-id", lambda: branch("b"))
    equal(drops(a, "ext0")["tx_no_sa"], whole.get("tx_no_sa", 0) + 1, "the device remembers")
    keys("b")
    exchange(BED["ha"], BED["hb"], 4, [100])
    check("tx_no_sa" not in branch("b").get("drops", {}), "a new tunnel counts anew")
    a.genl.do("sa-flush", ifindex=index, tunnel_id=ID_C)
    wait_for("flush of one tunnel", lambda: branches() == [ID_B])
    a.genl.do("sa-flush", ifindex=index)
    wait_for("flush of all", lambda: branches() == [])


@case("a rekey of one tunnel, pending and confirmed by the peer's first packet: nothing lost")
def rekey():
    a, b = BED["a"], BED["b"]
    fresh()
    spi = a.genl.do("sa-alloc-spi", ifindex=a.index("ext0"))["spi"]
    back, out = Sa(B, AB, spi=spi), Sa(AB, B)
    back.install(a, "ext0", "in", tunnel_id=ID_B)
    out.install(a, "ext0", "out", tunnel_id=ID_B, state="pending", partner_spi=spi)
    out.install(b, "esp0", "in")
    exchange(BED["ha"], BED["hb"], 4, [100])
    equal(got(out, "b", "out")["state"], "pending", "state")
    back.install(b, "esp0", "out")
    exchange(BED["hb"], BED["ha"], 4, [100])
    equal(got(out, "b", "out")["state"], "active", "state")
    exchange(BED["ha"], BED["hb"], 6, [100])
    exchange(BED["ha"], BED["hc"], 6, [100])
    equal(got(out, "b", "out")["packets"], 1, "packets of the new SA")


@case("options of the device are those of its tunnels; each has its own path MTU")
def changed():
    a = BED["a"]
    fresh()
    tap = Tap(BED["b"], "b0", 50)
    a.rtnl.newlink("ext0", flags=0, ttl=9, mss_clamp=1)
    exchange(BED["ha"], BED["hb"], 4, [100])
    equal({p[8] for p in tap.packets("in")}, {9}, "TTL")
    transfer(BED["ha"], BED["hb"], 4, bytes(100000))
    transfer(BED["hb"], BED["ha"], 4, bytes(100000))
    a.rtnl.newlink("ext0", flags=0, ttl=64, mss_clamp=0)
    tap.close()
    a.ip("link set ab mtu 1300")
    try:
        most = GCM[0].inner_max(1300)
        s = BED["ha"].sock(4, "udp")
        before = drops(a, "ext0")
        s.sendto(bytes(1300), (IN_B[0], 4000))
        expect_drops(a, "ext0", before, tx_mtu=1)
        wait_for("the sender is told", lambda: told(s))
        exchange(BED["ha"], BED["hb"], 4, [most])
        exchange(BED["ha"], BED["hc"], 4, [1418])
        equal((branch("b")["path_mtu"], branch("c")["path_mtu"]), (1300, 1500), "path MTUs")
    finally:
        a.ip("link set ab mtu 1500\nroute flush cache")


def told(s):
    """The route to b has learnt that so much does not fit."""
    try:
        s.sendto(bytes(1300), (IN_B[0], 4000))
    except OSError as err:
        return err.errno == errno.EMSGSIZE
    return False


@case("esptun and ip say external, the command makes device and SAs")
def command():
    a = BED["a"]
    words = f"{ESPTUN} -n {a.name}"
    a.sh(f"{words} tunnel add ext1 external mtu 1400 up")
    sa = Sa(AB, "192.0.2.77")
    a.sh(f"{words} sa add dev ext1 id 12 outer-remote 192.0.2.77 outer-local {AB} dir out "
         f"spi {sa.spi} keyfile -", stdin=f"encr-key = 0x{sa.ekey.hex()}\n")
    shown = json.loads(a.sh(f"{words} -j tunnel show"))
    mine = [t for t in shown if t["dev"] == "ext1"]
    equal([(t.get("id"), t.get("external"), t.get("remote")) for t in mine],
          [(None, True, None), (12, None, "192.0.2.77")], "tunnel show")
    equal([s["id"] for s in json.loads(a.sh(f"{words} -j sa show dev ext1"))], [12], "sa show")
    a.sh(f"{words} sa del dev ext1 id 12 dir out spi {sa.spi}")
    a.sh(f"{words} tunnel del ext1")
    ip = f"IP_LIB_DIR={TOP}/build/user/plugin ip"
    a.sh(f"{ip} link add ext1 type esptun external ttl 5")
    shown = a.sh(f"{ip} -d link show ext1")
    check(" external " in shown and " ttl 5 " in shown, shown)
    a.ip("link del ext1")


@case("the device is deleted with its tunnels, and with traffic on them")
def deleted():
    a, bed = BED["a"], BED["bed"]
    fresh()
    exchange(BED["ha"], BED["hb"], 4, [100])
    before = bed.module()
    events = a.events()
    a.ip("link del ext0")
    gone = wait_for("four SAs", lambda: len(events.named("sa-deleted")) == 4 and
                    events.named("sa-deleted"))
    equal({(e["tunnel_id"], e["reason"]) for e in gone},
          {(ID_B, "device-gone"), (ID_C, "device-gone")}, "events")
    after = bed.module()
    equal(after["tunnels_destroyed"] - before["tunnels_destroyed"], 1, "devices destroyed")
    device()
    fresh()
    exchange(BED["ha"], BED["hb"], 4, [100])


def ends():
    """Nothing leaked, nothing is left; b still has its SAs, a its device."""
    for host in ("ha", "hb", "hc"):
        BED[host].close()
    BED["bed"].verify()


run(setup, ends)
