#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Life of the device: made, changed, shown and deleted with ip(8) and esptun(8), moved between
network namespaces, ended with its own or its underlay's namespace, unloaded under traffic.
"""
import errno
import json
import os

from bed import ESPTUN, ESPTUN_KO, Bed, load, sh, stats
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, inner, pair
from ktap import Failure, case, check, equal, run, scaled, wait_for
from nl import NLM_F_CREATE, Refused
from sa import CBC, GCM, Sa
from traffic import Flood, exchange

BED = {}


def setup():
    """Two gateways, both with esptun."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")
    keys()


def keys(alg=GCM[0], a_dev="esp0", a_ns=None):
    """New SAs on both gateways."""
    a, b, *_ = BED["ends"]
    a = a_ns or a
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, a_dev, "in")
    ba.install(b, "esp0", "out")
    ab.install(a, a_dev, "out")
    return ab, ba


def traffic():
    """Both directions, both families."""
    _, _, ha, hb = BED["ends"]
    for version in (4, 6):
        exchange(ha, hb, version, [100, 1280])
        exchange(hb, ha, version, [100, 1280])


def cli(command, ns=None, ok=True):
    """Runs esptun(8)."""
    return sh(f"{ESPTUN} {f'-n {ns.name}' if ns else ''} {command}", ok=ok)


def says(command, *words):
    """The command must fail and say these words."""
    status, out, err = sh(command, ok=False)
    check(status != 0, f"'{command}' succeeded: {out}")
    for word in words:
        check(word in err, f"'{command}' said '{err.strip()}', not '{word}'")


@case("autoload: making a device loads the module by its alias")
def autoload():
    release = os.uname().release
    sh(f"""rm -rf /run/mods; mkdir -p /run/mods/lib/modules/{release}
           cp {ESPTUN_KO} /run/mods/lib/modules/{release}/
           for m in $(modinfo -F depends {ESPTUN_KO} | tr , " "); do
               cp $(modinfo -n $m) /run/mods/lib/modules/{release}/; done
           depmod -b /run/mods {release}""")
    ns = BED["bed"].ns("auto")
    BED["bed"].genl.close()
    for n in (BED["ends"][0], BED["ends"][1]):
        n.genl.close()
        n._genl = None                      # pylint: disable=protected-access
    sh("rmmod esptun")
    sh(f"mount --bind /run/mods/lib/modules/{release} /lib/modules/{release}")
    try:
        says(f"ip -n {ns.name} link add esp0 type esptun", "remote")
        check(os.path.isdir("/sys/module/esptun"), "ip link add has not loaded the module")
        sh("rmmod esptun")
        cli("tunnel add esp0 remote 192.0.2.9", ns)
        check(os.path.isdir("/sys/module/esptun"), "esptun has not loaded the module")
        cli("tunnel del esp0", ns)
        sh("rmmod esptun")
        cli("module show")
        check(os.path.isdir("/sys/module/esptun"), "the generic netlink family has not")
    finally:
        sh(f"umount /lib/modules/{release}; rm -rf /run/mods")
        load()
    BED["bed"].drop(ns)
    BED["bed"].genl = type(BED["bed"].genl)()
    a, b, ha, hb = BED["ends"]
    esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
    esptun(b, "esp0", B_OUT, A_OUT, B_IN, A_IN)
    keys()
    traffic()
    check(ha and hb, "hosts")


@case("esptun tunnel add, show, change, del: what is set is shown, by all three views")
def by_cli():
    ns = BED["bed"].ns("cli")
    ns.ip("link add under0 type dummy\naddr add 192.0.2.1/24 dev under0\nlink set under0 up")
    cli("tunnel add t0 local 192.0.2.1 remote 192.0.2.7 dev under0 ttl 33 tos 0x88 pmtudisc off "
        "fwmark 0x1234 keep-carrier on mss-clamp on mtu 1300 up", ns)
    want = {"local4": "192.0.2.1", "remote4": "192.0.2.7", "link": ns.index("under0"), "ttl": 33,
            "tos": 0x88, "pmtudisc": 0, "fwmark": 0x1234, "keep_carrier": 1, "mss_clamp": 1,
            "external": 0}
    equal(ns.rtnl.getlink("t0"), want, "rtnetlink")
    shown = json.loads(cli("-j tunnel show t0", ns))[0]
    equal((shown["dev"], shown["local"], shown["remote"], shown["mtu"]),
          ("t0", "192.0.2.1", "192.0.2.7", 1300), "esptun -j")
    text = cli("-d tunnel show t0", ns)
    for word in ("192.0.2.1", "192.0.2.7", "under0", "33", "1300"):
        check(word in text, f"'{word}' is not in: {text}")
    link = json.loads(ns.sh("ip -j -d link show t0"))[0]
    equal(link["linkinfo"]["info_kind"], "esptun", "kind")
    equal((link["link_type"], link["mtu"]), ("none", 1300), "link type and MTU")
    check({"POINTOPOINT", "MULTICAST", "NOARP", "UP", "LOWER_UP"} <= set(link["flags"]), "flags")
    cli("tunnel change t0 remote 192.0.2.8 ttl inherit tos inherit pmtudisc on fwmark 0 "
        "keep-carrier off mss-clamp off dev none", ns)
    want.update(remote4="192.0.2.8", ttl=0, tos=1, pmtudisc=1, fwmark=0, keep_carrier=0, mss_clamp=0, link=0)
    equal(ns.rtnl.getlink("t0"), want, "after the change")
    check("LOWER_UP" not in json.loads(ns.sh("ip -j link show t0"))[0]["flags"], "no carrier now")
    cli("tunnel del t0", ns)
    equal(json.loads(cli("-j tunnel show", ns) or "[]"), [], "after deletion")
    BED["bed"].drop(ns)


@case("ip link: add needs a peer, set and del work, the default is what is documented")
def by_ip():
    ns = BED["bed"].ns("iplink")
    says(f"ip -n {ns.name} link add t0 type esptun", "remote")
    ns.rtnl.newlink("t0", remote4="192.0.2.7")
    equal(ns.rtnl.getlink("t0"), {"local4": "0.0.0.0", "remote4": "192.0.2.7", "link": 0, "ttl": 64,
                                  "tos": 1, "pmtudisc": 1, "fwmark": 0, "keep_carrier": 0,
                                  "mss_clamp": 0, "external": 0}, "defaults")
    ns.ip("link set t0 name t1\nlink set t1 mtu 1234\nlink set t1 up\nlink set t1 alias hello")
    equal(json.loads(cli("-j tunnel show t1", ns))[0]["mtu"], 1234, "MTU")
    says(f"ip -n {ns.name} link add t1 type esptun", "")
    says(f"ip -n {ns.name} link set t1 mtu 67", "mtu")
    says(f"ip -n {ns.name} link set t1 mtu 65530", "mtu")
    ns.ip("link del t1")
    BED["bed"].drop(ns)


@case("bad arguments are refused with a text")
def bad_arguments():
    ns = BED["bed"].ns("bad")
    run_cli = f"{ESPTUN} -n {ns.name}"
    for command, word in (("tunnel add t0", "remote"), ("tunnel add t0 remote 224.0.0.1", "unicast"),
                          ("tunnel add t0 remote 1.2.3", "1.2.3"), ("tunnel add t0 remote ff02::1", "unicast"),
                          ("tunnel add t0 remote ::ffff:192.0.2.1", "unicast"),
                          ("tunnel add t0 local 192.0.2.1 remote 2001:db8::1", "local"),
                          ("tunnel add t0 remote 192.0.2.1 ttl 256", "256"),
                          ("tunnel add t0 remote 192.0.2.1 tos 3", "3"),
                          ("tunnel add t0 remote 192.0.2.1 dev nosuch0", "nosuch0"),
                          ("tunnel add t0 remote 192.0.2.1 frob on", "frob"),
                          ("tunnel add a/b remote 192.0.2.1", "nvalid"),
                          ("tunnel add namelongerthan15x remote 192.0.2.1", "name"),
                          ("tunnel change t0 ttl 5", "t0"), ("tunnel del t0", "t0"),
                          ("tunnel del lo", "lo"), ("tunnel show t0", "t0"),
                          ("sa flush dev t0", "t0"), ("sa show dev lo", "lo")):
        says(f"{run_cli} {command}", word)
    equal(json.loads(cli("-j tunnel show", ns) or "[]"), [], "devices made")
    BED["bed"].drop(ns)


@case("keys come from a file or stdin, not from arguments; a readable file is refused")
def keying_by_hand():
    ns = BED["bed"].ns("keys")
    cli("tunnel add t0 remote 192.0.2.7", ns)
    key = os.urandom(20).hex()
    with open("/run/esptun-key", "w", encoding="ascii") as f:
        f.write(f"encr-key = {key}\n")
    add = "sa add dev t0 dir out spi 0x500 encr aes-gcm-16"
    os.chmod("/run/esptun-key", 0o644)
    says(f"{ESPTUN} -n {ns.name} {add} keyfile /run/esptun-key", "/run/esptun-key")
    says(f"{ESPTUN} -n {ns.name} {add} key {key}", "key")
    os.chmod("/run/esptun-key", 0o600)
    cli(f"{add} keyfile /run/esptun-key", ns)
    sh(f"{ESPTUN} -n {ns.name} sa add dev t0 dir in spi 0x501 keyfile -", f"encr-key = {os.urandom(20).hex()}\n")
    shown = json.loads(cli("-j -s -d sa show", ns))
    equal(sorted((s["dir"], s["encr"]) for s in shown), [("in", "aes-gcm-16"), ("out", "aes-gcm-16")],
          "what is shown")
    everything = "".join(cli(f"{o} sa show", ns) for o in ("", "-s", "-d -s", "-j", "-j -p -s -d"))
    check(key not in everything and key[:16] not in everything, "the key is shown")
    cli("sa del dev t0 dir out spi 0x500", ns)
    cli("sa flush all", ns)
    equal(json.loads(cli("-j sa show", ns) or "[]"), [], "after the flush")
    os.unlink("/run/esptun-key")
    BED["bed"].drop(ns)


@case("addresses cannot change under SAs, options can, and traffic goes on")
def change_under_sas():
    a, *_ = BED["ends"]
    traffic()
    for values in ({"remote4": "192.0.2.9"}, {"local4": "192.0.2.9"}):
        try:
            a.rtnl.newlink("esp0", flags=0, **values)
            raise Failure(f"{values} accepted")
        except Refused as err:
            check(err.errno == errno.EBUSY and err.text, f"{err}")
    for values in ({"ttl": 9}, {"tos": 0x20}, {"pmtudisc": 0}, {"link": a.index("a0")}, {"link": 0},
                   {"fwmark": 7}, {"fwmark": 0}, {"ttl": 64, "tos": 1, "pmtudisc": 1}):
        a.rtnl.newlink("esp0", flags=NLM_F_CREATE, **values)
        traffic()
    equal(len(a.genl.dump("sa-get")), 2, "SAs")


@case("keep-carrier keeps the carrier up without SAs; nothing leaves in clear")
def keep_carrier():
    a, b, ha, hb = BED["ends"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    flags = lambda: json.loads(a.sh("ip -j link show esp0"))[0]["flags"]    # noqa: E731
    check("NO-CARRIER" in flags(), "carrier without SAs")
    a.rtnl.newlink("esp0", flags=0, keep_carrier=1)
    check("LOWER_UP" in flags(), "carrier with keep-carrier")
    before = a.genl.do("tunnel-get", ifname="esp0")["drops"].get("tx_no_sa", 0)
    for n in range(20):
        ha.sock(4, "udp").sendto(bytes(n), (hb.addr[4], 4000))
    wait_for("20 drops", lambda: a.genl.do("tunnel-get", ifname="esp0")["drops"]["tx_no_sa"]
             == before + 20)
    a.rtnl.newlink("esp0", flags=0, keep_carrier=0)
    check("NO-CARRIER" in flags(), "carrier after it was taken back")
    keys()
    traffic()


@case("counters: ip -s link, ethtool -S and esptun agree")
def counters_agree():
    a, *_ = BED["ends"]
    traffic()
    mine = a.genl.do("tunnel-get", ifname="esp0")
    link = json.loads(a.sh("ip -s -j link show esp0"))[0]["stats64"]
    for way in ("rx", "tx"):
        equal((link[way]["packets"], link[way]["bytes"]),
              (mine["stats"][f"{way}_packets"], mine["stats"][f"{way}_bytes"]), f"{way} of ip -s")
        equal(link[way]["dropped"], sum(v for k, v in mine["drops"].items() if k.startswith(way)),
              f"{way} dropped of ip -s")
    tool = {}
    for line in a.sh("ethtool -S esp0").splitlines()[1:]:
        name, value = line.split(":")
        tool[name.strip().replace("-", "_")] = int(value)
    equal({k: v for k, v in tool.items() if v}, {k: v for k, v in mine["drops"].items() if v},
          "ethtool -S")
    shown = json.loads(cli("-j -s tunnel show esp0", a))[0]
    check(str(mine["stats"]["tx_packets"]) in json.dumps(shown), "esptun -s shows the packets")


@case("moved to another namespace the tunnel goes on over its old underlay, 20 times")
def netns_moves():
    a, _, ha, hb = BED["ends"]
    c = BED["bed"].ns("c")
    sa_count = len(a.genl.dump("sa-get"))
    for n in range(20):
        here, there = (a, c) if n % 2 == 0 else (c, a)
        here.ip(f"link set esp0 netns {there.name}")
        moved = inner(there, "esp0", A_IN, B_IN)
        hc = moved if there is c else ha
        equal(len(there.genl.dump("sa-get", ifindex=there.index("esp0"))), sa_count, "SAs seen there")
        equal(here.genl.dump("sa-get"), [], "SAs seen where it was")
        exchange(hc, hb, 4, [100, 1400])
        exchange(hb, hc, 6, [100, 1400])
        moved.close()
    traffic()
    BED["bed"].drop(c)


@case("moved, then rekeyed and deleted from there")
def moved_and_rekeyed():
    a, b, _, hb = BED["ends"]
    c = BED["bed"].ns("c")
    a.ip(f"link set esp0 netns {c.name}")
    hc = inner(c, "esp0", A_IN, B_IN)
    b.genl.do("sa-flush")
    c.genl.do("sa-flush", ifindex=c.index("esp0"))
    keys(CBC[0], a_ns=c)
    exchange(hc, hb, 4, [100, 1400])
    exchange(hb, hc, 6, [100, 1400])
    hc.close()
    c.ip("link del esp0")
    wait_for("its SAs are gone", lambda: sas_alive() == 2)
    BED["bed"].drop(c)
    b.genl.do("sa-flush")
    esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
    keys()
    traffic()


def sas_alive():
    """SAs that exist in the whole system."""
    m = BED["bed"].module()
    return m["sas_created"] - m["sas_destroyed"]


def tunnels_alive():
    """Devices that exist in the whole system."""
    m = BED["bed"].module()
    return m["tunnels_created"] - m["tunnels_destroyed"]


@case("a namespace ends with a device and SAs inside, under traffic")
def namespace_ends():
    for _ in range(3):
        x, y = BED["bed"].ns("x"), BED["bed"].ns("y")
        BED["bed"].wire(x, "x0", "192.0.2.31/24", y, "y0", "192.0.2.32/24", sniff=False)
        hx = esptun(x, "esp0", "192.0.2.31", "192.0.2.32", ("10.31.0.1", "fd00:31::1"),
                    ("10.32.0.1", "fd00:32::1"))
        hy = esptun(y, "esp0", "192.0.2.32", "192.0.2.31", ("10.32.0.1", "fd00:32::1"),
                    ("10.31.0.1", "fd00:31::1"))
        one, two = Sa("192.0.2.31", "192.0.2.32"), Sa("192.0.2.32", "192.0.2.31")
        one.install(x, "esp0", "out").install(y, "esp0", "in")
        two.install(y, "esp0", "out").install(x, "esp0", "in")
        exchange(hx, hy, 4, [100])
        floods = [Flood(hx, hy), Flood(hy, hx)]
        wait_for("traffic", lambda: min(stats(x, "esp0")["rx_packets"],         # pylint: disable=cell-var-from-loop
                                        stats(y, "esp0")["rx_packets"]) > 50)   # pylint: disable=cell-var-from-loop
        for h in (hx, hy):
            h.close()
        BED["bed"].drop(x)
        for flood in floods:
            flood.stop()
        BED["bed"].drop(y)
    wait_for("only the two gateways are left", lambda: (tunnels_alive(), sas_alive()) == (2, 4))


@case("the underlay's namespace ends: the device elsewhere ends with it and says why")
def underlay_ends():
    x, y = BED["bed"].ns("x"), BED["bed"].ns("y")
    esptun(x, "esp9", "192.0.2.31", "192.0.2.32")
    x.ip(f"link set esp9 netns {y.name}\n")
    Sa("192.0.2.31", "192.0.2.32").install(y, "esp9", "out")
    events = y.events()
    BED["bed"].drop(x)
    wait_for("the device is gone", lambda: "esp9" not in y.sh("ip -o link show"))
    wait_for("the event", lambda: [v["reason"] for v in events.named("sa-deleted")] == ["netns-gone"])
    events.close()
    BED["bed"].drop(y)


@case("deleted and made again under traffic from both sides, 8 times")
def delete_under_traffic():
    a, b, ha, hb = BED["ends"]
    floods = [Flood(ha, hb), Flood(hb, ha)]
    try:
        for n in range(8):
            a.ip("link del esp0")
            b.genl.do("sa-flush")
            esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
            keys(GCM[0] if n % 2 else CBC[0])
            wait_for("traffic again", lambda: stats(a, "esp0")["rx_packets"] > 20
                     and stats(a, "esp0")["tx_packets"] > 20)
    finally:
        for flood in floods:
            flood.stop()
    settle()
    traffic()


def settle():
    """Empties the sockets after a flood."""
    _, _, ha, hb = BED["ends"]
    for host in (ha, hb):
        host.close()


@case("300 devices with SAs, made and deleted")
def many():
    ns, count = BED["bed"].ns("many"), scaled(300)
    ns.ip("link add under0 type dummy\naddr add 10.200.0.1/16 dev under0\nlink set under0 up")
    for n in range(count):
        peer = f"10.200.{n // 200 + 1}.{n % 200 + 1}"
        ns.rtnl.newlink(f"t{n}", local4="10.200.0.1", remote4=peer)
        Sa(peer, "10.200.0.1").install(ns, f"t{n}", "in")
    shown = ns.genl.dump("tunnel-get")
    equal(len({t["ifindex"] for t in shown}), count, "devices in the dump")
    equal(len(ns.genl.dump("sa-get")), count, "SAs in the dump")
    equal(len(json.loads(cli("-j tunnel show", ns))), count, "devices shown by esptun")
    BED["bed"].drop(ns)
    wait_for("all gone", lambda: (tunnels_alive(), sas_alive()) == (2, 4))


@case("unloaded under traffic, 3 times")
def unload():
    a, b, ha, hb = BED["ends"]
    for _ in range(3):
        traffic()
        floods = [Flood(ha, hb), Flood(hb, ha, 6)]
        begin = stats(a, "esp0"), stats(b, "esp0")
        wait_for("traffic", lambda s=begin: stats(a, "esp0")["rx_packets"] > s[0]["rx_packets"] + 50
                 and stats(b, "esp0")["rx_packets"] > s[1]["rx_packets"] + 50)
        for ns in (a, b):
            ns.genl.close()
            ns._genl = None                 # pylint: disable=protected-access
        BED["bed"].genl.close()
        sh("rmmod esptun")
        check(not os.path.isdir("/sys/module/esptun"), "the module is gone")
        check("esp0" not in a.sh("ip -o link show"), "its devices are gone")
        for flood in floods:
            flood.stop()
        settle()
        load()
        BED["bed"].genl = type(BED["bed"].genl)()
        esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
        esptun(b, "esp0", B_OUT, A_OUT, B_IN, A_IN)
        keys()
    traffic()


def ends():
    """Nothing leaked, nothing is left."""
    settle()
    BED["bed"].verify()


run(setup, ends)
