#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
Several SAs of one tunnel, told apart by traffic selectors: the longest match picks the
outbound one, a key change replaces only its like, what arrives outside of its SA's selectors
is dropped by name; and against the in-tree policy database, which works by nothing else.
"""
import json
import socket
import struct

from bed import ESPTUN, Bed, drops, expect_drops, reconcile, sh
from craft import ipv4
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, pair
from ktap import add, case, check, equal, run, wait_for
from nl import Refused
from sa import Sa

BED = {}
FAR = ("10.2.0.1", "10.2.0.2", "10.2.9.1")      # addresses of b
FAR6 = ("fd00:2::1", "fd00:2::2")
UDP, ANY_PROTO, FRAGMENT = 17, 253, 44


def octets(text):
    """An address as octets."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def selector(local=None, remote=None, **more):
    """Attributes of a selector: "first" or "first-last" as seen from a, and proto and ports."""
    values = {f"sel_{k}": v for k, v in more.items()}
    for side, text in (("local", local), ("remote", remote)):
        if text:
            first, _, last = text.partition("-")
            values[f"sel_{side}"] = octets(first)
            values[f"sel_{side}_last"] = octets(last or first)
    return values


def mirrored(values):
    """The same selector seen from the other end."""
    swap = {"local": "remote", "remote": "local"}
    def other(key):
        head, side, *rest = key.split("_")
        return "_".join([head, swap.get(side, side), *rest])
    return {other(k): v for k, v in values.items()}


def setup():
    """Two gateways with esptun, several inner addresses at b, and one SA pair back for all."""
    BED["bed"] = bed = Bed()
    BED["ends"] = a, b, *_ = pair(bed, "esptun")
    for addr in FAR[1:]:
        b.ip(f"addr add {addr}/32 dev lo")
    b.ip(f"addr add {FAR6[1]}/128 dev lo nodad")
    a.ip("route add 10.2.0.0/16 dev esp0 src 10.1.0.1\nroute add fd00:2::/64 dev esp0 src fd00:1::1")
    Sa(B_OUT, A_OUT).install(a, "esp0", "in").install(b, "esp0", "out")


def install(local=None, remote=None, state="active", **more):
    """An SA from a to b with this selector, on both."""
    a, b, *_ = BED["ends"]
    values = selector(local, remote, **more)
    sa = Sa(A_OUT, B_OUT)
    sa.install(b, "esp0", "in", **mirrored(values))
    return sa.install(a, "esp0", "out", state=state, **values)


def clear(*sas):
    """Removes SAs from both."""
    a, b, *_ = BED["ends"]
    for sa in sas:
        sa.delete(a, "esp0", "out")
        sa.delete(b, "esp0", "in")


def packet(dst, proto=UDP, port=4000, size=64):
    """Sends one packet from a, with UDP to this port."""
    a = BED["ends"][0]
    family = socket.AF_INET6 if ":" in dst else socket.AF_INET
    if proto == UDP:
        with a.socket(family, socket.SOCK_DGRAM) as s, a.inside():
            s.bind((A_IN[family == socket.AF_INET6], 4001))
            s.sendto(bytes(size), (dst, port))
    else:
        with a.socket(family, socket.SOCK_RAW, proto) as s, a.inside():
            s.bind((A_IN[family == socket.AF_INET6], 0))
            s.sendto(bytes(size), (dst, 0))


def count(sa):
    """Packets that b took from this SA."""
    return sa.get(BED["ends"][1], "esp0", "in")["packets"]


def takes(sa, others, dst, packets=1, **kw):
    """A packet to dst goes by this SA, in so many pieces, and by no other one."""
    before, rest = count(sa), [count(o) for o in others if o is not sa]
    packet(dst, **kw)
    wait_for(f"{packets} on the right SA for {dst} {kw}", lambda: count(sa) >= before + packets,
             deadline=60)
    equal(count(sa), before + packets, f"packets on the SA for {dst} {kw}")
    equal([count(o) for o in others if o is not sa], rest, f"others, for {dst} {kw}")


def refused(dst, **kw):
    """A packet to dst is not covered by any SA."""
    a = BED["ends"][0]
    before = drops(a, "esp0")
    packet(dst, **kw)
    expect_drops(a, "esp0", before, tx_no_selector=1)


@case("the longest match picks the outbound SA, in whatever order they were installed")
def longest():
    everything = install()
    port = install("10.1.0.1", "10.2.0.0-10.2.0.255", proto=UDP, remote_port=500)
    wide = install("10.0.0.0-10.255.255.255", "10.2.0.0-10.2.255.255")
    one = install("10.1.0.1", "10.2.0.2")
    udp = install("10.1.0.1", "10.2.0.0-10.2.0.255", proto=UDP)
    some = install(None, "10.2.0.0-10.2.0.255")
    six = install(None, "fd00:2::2")
    sas = everything, port, wide, one, udp, some, six
    for sa, dst, kw in (
            (port, FAR[0], {"port": 500}), (udp, FAR[0], {}), (some, FAR[0], {"proto": ANY_PROTO}),
            (one, FAR[1], {"port": 500}), (one, FAR[1], {"proto": ANY_PROTO}),
            (wide, FAR[2], {}), (wide, FAR[2], {"proto": ANY_PROTO}),
            (everything, FAR6[0], {}), (six, FAR6[1], {})):
        takes(sa, sas, dst, **kw)
    clear(one)
    takes(udp, [s for s in sas if s is not one], FAR[1])
    left = [s for s in sas if s is not one]
    while left:
        clear(left.pop(0))
    equal(BED["ends"][0].genl.do("tunnel-get", ifname="esp0")["carrier"], 0, "carrier at the end")


@case("no SA covers the packet: tx_no_selector, and an acquire event that says what it was")
def none_covers():
    a = BED["ends"][0]
    sa = install("10.1.0.1", "10.2.0.1", proto=UDP, remote_port=53)
    events = a.events()
    takes(sa, [sa], FAR[0], port=53)
    equal(events.named("acquire"), [], "acquire without need")
    refused(FAR[1], port=53)
    got = wait_for("the acquire event", lambda: events.named("acquire"))[0]["flow"]
    equal(got, {"local": octets("10.1.0.1"), "remote": octets("10.2.0.2"), "proto": UDP,
                "local_port": 4001, "remote_port": 53}, "its packet")
    refused(FAR[0], port=54)
    refused(FAR[0], proto=ANY_PROTO)
    refused(FAR6[0], port=53)
    events.close()
    clear(sa)


@case("the carrier is on as long as one SA is there, whatever its selector")
def carrier():
    a = BED["ends"][0]
    events = a.events()
    one = install(None, "10.2.0.1")
    two = install(None, "10.2.0.2")
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 1, "with two")
    clear(one)
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 1, "with one")
    takes(two, [two], FAR[1])
    clear(two)
    equal([v["carrier"] for v in events.named("carrier")], [1, 0], "events")
    events.close()


@case("a key change replaces the SA with the same selector and no other")
def rekey():
    a = BED["ends"][0]
    def states(*sas):
        return [s.get(a, "esp0", "out")["state"] for s in sas]
    for narrow in ({"remote": "10.2.0.1"}, {"remote": "10.2.0.1", "proto": UDP}, {}):
        other = install(None, "10.2.0.2-10.2.0.3")
        first = install(**narrow)
        second = install(**narrow, state="pending")
        equal(states(other, first, second), ["active", "active", "pending"], "before")
        takes(first, [other, first, second], FAR[0])
        a.genl.do("sa-activate", ifindex=a.index("esp0"), spi=second.spi)
        equal(states(other, first, second), ["active", "old", "active"], "after")
        takes(second, [other, first, second], FAR[0])
        takes(other, [other, first, second], FAR[1])
        third = install(**narrow)
        equal(states(other, second, third), ["active", "old", "active"], "at once")
        clear(first, second)
        takes(third, [other, third], FAR[0])
        clear(other, third)


@case("the first packet on a partner switches its own selector pair only")
def confirmed():
    a, b, *_ = BED["ends"]
    narrow = [selector(None, text) for text in (FAR[0], FAR[1])]
    old = [install(None, text) for text in (FAR[0], FAR[1])]
    new, back = [Sa(A_OUT, B_OUT) for _ in old], [Sa(B_OUT, A_OUT) for _ in old]
    for values, out, partner in zip(narrow, new, back):
        out.install(b, "esp0", "in", **mirrored(values))
        partner.install(a, "esp0", "in", **values)
        out.install(a, "esp0", "out", state="pending", partner_spi=partner.spi, **values)
        partner.install(b, "esp0", "out", state="pending", **mirrored(values))
    b.genl.do("sa-activate", ifindex=b.index("esp0"), spi=back[1].spi)
    with b.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, b.inside():
        s.bind((FAR[1], 0))
        s.sendto(b"first", (A_IN[0], 4000))
    wait_for("the switch", lambda: new[1].get(a, "esp0", "out")["state"] == "active")
    equal([s.get(a, "esp0", "out")["state"] for s in (*old, *new)],
          ["active", "old", "pending", "active"], "states")
    takes(new[1], [*old, *new], FAR[1])
    takes(old[0], [*old, *new], FAR[0])
    clear(*old, *new)
    for partner in back:
        partner.delete(a, "esp0", "in")
        partner.delete(b, "esp0", "out")


@case("what lies outside of its SA's selector is dropped: rx_wrong_selector, once each")
def inbound():
    a, b, *_ = BED["ends"]
    sa = Sa(A_OUT, B_OUT).install(a, "esp0", "out")
    sa.install(b, "esp0", "in", **mirrored(selector("10.1.0.1", "10.2.0.1-10.2.0.2", proto=UDP,
                                                    remote_port=53)))
    takes(sa, [sa], FAR[0], port=53)
    takes(sa, [sa], FAR[1], port=53)
    for dst, kw in ((FAR[2], {"port": 53}), (FAR[0], {"port": 54}), (FAR[0], {"proto": ANY_PROTO}),
                    (FAR6[0], {"port": 53})):
        before, own = drops(b, "esp0"), sa.get(b, "esp0", "in").get("drops", {})
        packet(dst, **kw)
        expect_drops(b, "esp0", before, rx_wrong_selector=1)
        got = sa.get(b, "esp0", "in")
        equal(got["drops"]["rx_wrong_selector"], own.get("rx_wrong_selector", 0) + 1, "on the SA")
        equal(got["last_error"]["reason"], "rx-wrong-selector", "the last error")
    takes(sa, [sa], FAR[0], port=53)
    reconcile(a, "esp0", b, "esp0")
    clear(sa)


@case("fragments: an SA with a port takes the first only, one without takes all")
def fragments():
    a, b, *_ = BED["ends"]
    udp = install(None, FAR[0], proto=UDP)
    with a.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        def piece(first, port=4000):
            data = struct.pack("!HHHH", 4001, port, 3000, 0) + bytes(1000) if first else bytes(800)
            raw.sendto(ipv4(A_IN[0], FAR[0], UDP, data, flags=int(first),
                            offset=0 if first else 1008, ident=7), (FAR[0], 0))
        def lands(sa, first, **kw):
            before = count(sa)
            piece(first, **kw)
            wait_for("a fragment", lambda: count(sa) == before + 1, deadline=60)
        lands(udp, True)
        lands(udp, False)
        port = install(None, FAR[0], proto=UDP, remote_port=500)
        lands(port, True, port=500)
        lands(udp, False)
        clear(udp)
        lands(port, True, port=500)
        before = drops(a, "esp0")
        piece(False)
        expect_drops(a, "esp0", before, tx_no_selector=1)
    clear(port)
    # And inbound: the peer sends all of them on an SA that is for a port.
    sa = Sa(A_OUT, B_OUT).install(a, "esp0", "out")
    sa.install(b, "esp0", "in", **mirrored(selector(None, FAR[0], proto=UDP, remote_port=500)))
    before = drops(b, "esp0")
    packet(FAR[0], port=500, size=3000)
    expect_drops(b, "esp0", before, rx_wrong_selector=2)
    clear(sa)


@case("IPv6: ports are found behind extension headers, fragments have a protocol only")
def extensions():
    a = BED["ends"][0]
    port = install(None, FAR6[0], proto=UDP, remote_port=500)
    other = install(None, FAR6[0])
    sas = port, other
    takes(port, sas, FAR6[0], port=500)
    takes(other, sas, FAR6[0], port=501)
    with a.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s, a.inside():
        # IPV6_DSTOPTS: eight octets of padding
        s.setsockopt(socket.IPPROTO_IPV6, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0]))
        before = count(port)
        s.sendto(b"behind options", (FAR6[0], 500))
        wait_for("behind options", lambda: count(port) == before + 1, deadline=60)
        s.setsockopt(socket.IPPROTO_IPV6, 24, 1280)         # IPV6_MTU
        before = count(port), count(other)
        s.sendto(bytes(2000), (FAR6[0], 500))
        wait_for("two fragments", lambda: (count(port), count(other)) ==
                 (before[0] + 1, before[1] + 1), deadline=60)
    clear(*sas)


@case("an expired SA does not fall back to a wider one: tx_expired")
def expired():
    a = BED["ends"][0]
    wide = install()
    narrow = Sa(A_OUT, B_OUT)
    narrow.install(BED["ends"][1], "esp0", "in")
    narrow.install(a, "esp0", "out", hard_packets=2, **selector(None, FAR[0]))
    for _ in range(2):
        takes(narrow, [wide, narrow], FAR[0])
    before = drops(a, "esp0")
    packet(FAR[0])
    expect_drops(a, "esp0", before, tx_expired=1)
    takes(wide, [wide, narrow], FAR[1])
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 1, "carrier")
    clear(wide)
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 0, "carrier with the expired one only")
    clear(narrow)


def wrong(text, **values):
    """sa-new refuses this selector with this text, and leaves nothing behind."""
    a = BED["ends"][0]
    before = a.genl.do("tunnel-get", ifname="esp0")["sa_count"]
    try:
        Sa(A_OUT, B_OUT).install(a, "esp0", "out", **values)
    except Refused as err:
        check(text in err.text, f"text: {err.text}")
    else:
        check(False, "it was taken")
    equal(a.genl.do("tunnel-get", ifname="esp0")["sa_count"], before, "SAs")


for why, args in {
        "sel-local: not one": {"sel_local": b"\x0a\0\0"},
        "sel-local: not one or": {"sel_local": b"\x0a\0\0\1", "sel_local_last": b"\x0a" * 16},
        "sel-remote: not one or two addresses of the same": {"sel_local": b"\x0a\0\0\1", "sel_remote": b"\xfd" * 16},
        "sel-remote: not": {"sel_remote_last": b"\x0a\0\0\1"},
        "sel-local: the range ends": {"sel_local": b"\x0a\0\0\2", "sel_local_last": b"\x0a\0\0\1"},
        "sel-remote: the range ends": {"sel_remote": b"\xfd" + bytes(15), "sel_remote_last": b"\xfc" * 16},
        "sel-proto: a port": {"sel_remote_port": 80},
        "sel-proto: a port needs": {"sel_local_port": 80, "sel_proto": 47}}.items():
    add(f"refused: {why}", wrong, why, **args)


@case("an SA tells its selector, by netlink and by the command")
def shown():
    a = BED["ends"][0]
    values = selector("10.1.0.0-10.1.255.255", "10.2.0.1-10.2.0.9", proto=6, remote_port=443)
    sa = Sa(A_OUT, B_OUT).install(a, "esp0", "out", **values)
    got = sa.get(a, "esp0", "out")
    equal({k: v for k, v in got.items() if k.startswith("sel_")}, values, "by netlink")
    want = {"local": "10.1.0.0/16", "remote": "10.2.0.1-10.2.0.9", "proto": "tcp", "remote_port": 443}
    said = json.loads(sh(f"{ESPTUN} -n {a.name} -j sa show dev esp0 dir out"))
    equal([s["selector"] for s in said], [want], "by the command")
    sa.delete(a, "esp0", "out")
    sh(f"{ESPTUN} -n {a.name} sa add dev esp0 dir out spi 0x7777 keyfile - sel remote 10.2.0.0/24 proto udp",
       stdin=f"encr-key = {bytes(range(20)).hex()}\n")
    text = sh(f"{ESPTUN} -n {a.name} sa show dev esp0 dir out")
    check("    selector: local 0.0.0.0/0 remote 10.2.0.0/24 proto udp\n" in text, text)
    sh(f"{ESPTUN} -n {a.name} sa del dev esp0 dir out spi 0x7777")


@case("against in-tree policies: each pair of networks has its own pair of SAs")
def policies():
    """The other end drops what comes on the wrong SA of the two (XfrmInTmplMismatch)."""
    bed = BED["bed"]
    a, c = BED["ends"][0], bed.ns("c")
    # On c's link the in-tree stack shows what it has decrypted as well: watch a's end.
    bed.wire(a, "a1", "198.51.100.1/24", c, "c0", "198.51.100.2/24", sniff=False)
    bed.sniff(a, "a1", ["198.51.100.1", "198.51.100.2"])
    esptun(a, "esp1", "198.51.100.1", "198.51.100.2")
    c.sysctl("ipv4/ip_forward=1")
    c.ip("route add 10.1.0.1 via 198.51.100.1")
    a.ip("route add 10.3.0.0/24 dev esp1 src 10.1.0.1")
    pairs = []
    for n in (1, 2):
        net = f"10.3.0.{n}"
        out, back = Sa("198.51.100.1", "198.51.100.2"), Sa("198.51.100.2", "198.51.100.1")
        out.install(a, "esp1", "out", **selector("10.1.0.1", net))
        back.install(a, "esp1", "in", **selector("10.1.0.1", net))
        tmpl = f"proto esp reqid {n} mode tunnel"
        c.ip(f"""addr add {net}/32 dev lo
                 xfrm policy add dir out src {net} dst 10.1.0.1 tmpl src {back.src} dst {back.dst} {tmpl}
                 xfrm policy add dir in src 10.1.0.1 dst {net} tmpl src {out.src} dst {out.dst} {tmpl}
                 {out.xfrm()} reqid {n}
                 {back.xfrm()} reqid {n}""")
        pairs.append((net, out, back))
    for round_, (net, out, back) in enumerate(pairs * 2, 1):
        said = a.sh(f"ping -q -c 3 -i 0.05 -W 20 -I 10.1.0.1 {net}")
        check(" 0% packet loss" in said, said)
        equal((out.get(a, "esp1", "out")["packets"], back.get(a, "esp1", "in")["packets"]),
              ((round_ + 1) // 2 * 3,) * 2, f"packets of the pair for {net}")
    equal(c.snmp("XfrmInTmplMismatch"), 0, "packets on the wrong SA")
    equal(drops(a, "esp1"), {}, "drops")
    a.ip("link del esp1")


def ends():
    """Nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


run(setup, ends)
