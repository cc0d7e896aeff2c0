#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Changing SAs under traffic: a pending outbound SA becomes the active one by request or by the
first authentic packet on its partner, 200 rekeys lose nothing, and a tunnel that leads into
itself is found out.
"""
import re
import signal
import subprocess

from bed import Bed, drops, expect_drops, reconcile, sh, stats
from ends import A_OUT, B_OUT, esptun, pair
from ktap import case, check, diag, equal, run, scaled, wait_for
from sa import CBC, GCM, Sa
from traffic import exchange

BED = {}


def setup():
    """Two gateways, both with esptun."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")


def keys(alg=GCM[0], activate=("a", "b")):
    """A pair of SAs on both gateways; outbound ones are active on those named, else pending."""
    a, b, *_ = BED["ends"]
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    for ns, name, out, back in ((a, "a", ab, ba), (b, "b", ba, ab)):
        out.install(ns, "esp0", "out", partner_spi=back.spi,
                    state="active" if name in activate else "pending")
    return ab, ba


def remove(ab, ba):
    """Deletes a pair on both gateways."""
    a, b, *_ = BED["ends"]
    for sa, ns, way in ((ab, a, "out"), (ab, b, "in"), (ba, b, "out"), (ba, a, "in")):
        sa.delete(ns, "esp0", way)


def state(ns, sa):
    """State of an outbound SA."""
    return sa.get(ns, "esp0", "out")["state"]


@case("carrier: off without an SA, off with a pending one, on by activation, off at the end")
def carrier():
    a, b, ha, hb = BED["ends"]
    def now(ns):
        return (ns.genl.do("tunnel-get", ifname="esp0")["carrier"],
                int("NO-CARRIER" not in sh(f"ip -n {ns.name} link show esp0")))
    equal(now(a), (0, 0), "carrier without SAs")
    ab, ba = keys(activate=())
    equal(now(a), (0, 0), "carrier with a pending SA")
    events = a.events()
    for ns, sa in ((a, ab), (b, ba)):
        ns.genl.do("sa-activate", ifindex=ns.index("esp0"), spi=sa.spi)
    equal(now(a), (1, 1), "carrier with an active SA")
    exchange(ha, hb, 4, [100, 1400])
    exchange(hb, ha, 6, [100, 1400])
    remove(ab, ba)
    equal(now(a), (0, 0), "carrier after deletion")
    equal([v["carrier"] for v in events.named("carrier")], [1, 0], "carrier events")
    events.close()


@case("a pending SA becomes active with the first authentic packet on its partner, not before")
def by_packet():
    a, b, ha, hb = BED["ends"]
    old = keys()
    exchange(ha, hb, 4, [100])
    exchange(hb, ha, 4, [100])
    new = keys(activate=("a",))
    equal((state(a, new[0]), state(b, new[1])), ("active", "pending"), "states")
    exchange(hb, ha, 4, [100] * 3)                  # b still sends with the old one
    equal(state(b, new[1]), "pending", "nothing has come on the new one")
    events = b.events()
    exchange(ha, hb, 4, [100])
    equal(state(b, new[1]), "active", "after a packet")
    equal(state(b, old[1]), "old", "the one before")
    equal([v["spi"] for v in events.named("sa-confirmed")], [new[0].spi], "confirmed events")
    exchange(hb, ha, 4, [100])
    equal(new[1].get(b, "esp0", "out")["packets"], 1, "sent with the new one")
    events.close()
    remove(*old)
    exchange(hb, ha, 6, [1000])
    exchange(ha, hb, 6, [1000])
    remove(*new)


@case("a packet with a wrong ICV on the partner activates nothing")
def not_by_forgery():
    a, b, ha, hb = BED["ends"]
    old = keys()
    ab, ba = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    ab.install(b, "esp0", "in")
    ba.install(b, "esp0", "out", partner_spi=ab.spi, state="pending")
    forged = Sa(A_OUT, B_OUT, spi=ab.spi)           # another key
    forged.install(a, "esp0", "out")
    before = drops(b, "esp0")
    ha.sock(4, "udp").sendto(b"forged", (hb.addr[4], 4000))
    expect_drops(b, "esp0", before, rx_icv_fail=1)
    equal(state(b, ba), "pending", "the pending one")
    equal(state(b, old[1]), "active", "the active one")
    for ns in (a, b):
        ns.genl.do("sa-flush")


@case("200 rekeys under a ping each millisecond: none lost")
def rekeys():
    a, b, *_ = BED["ends"]
    before = drops(a, "esp0"), drops(b, "esp0")
    pairs = [keys()]
    ping = subprocess.Popen(["ip", "netns", "exec", a.name, "ping", "-q", "-i", "0.001", "-W", "60",
                             "-I", "10.1.0.1", "10.2.0.1"], stdout=subprocess.PIPE, text=True)
    try:
        wait_for("the ping", lambda: stats(b, "esp0")["tx_packets"] > 10)
        for n in range(scaled(200, 8)):
            # In turn: both activate, or one does and its first packet switches the other.
            pairs.append(keys(GCM[n % 3] if n % 2 else CBC[n % len(CBC)],
                              ("a", "b") if n % 4 < 2 else ("a",)))
            newest = pairs[-1][0]
            wait_for("traffic on the new SA",
                     lambda s=newest: s.get(b, "esp0", "in")["packets"] > 1)
            if len(pairs) > 3:
                remove(*pairs.pop(0))
    finally:
        ping.send_signal(signal.SIGINT)
        said = ping.communicate()[0]
    sent, got = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", said).groups())
    diag(f"{sent} pings over 200 rekeys, {got} answered")
    check(sent > scaled(1000), f"only {sent} pings")
    check(sent - got <= 1, f"{sent} sent, {got} answered")     # one may be under way at the end
    equal((drops(a, "esp0"), drops(b, "esp0")), before, "drops of both gateways")
    reconcile(a, "esp0", b, "esp0")
    reconcile(b, "esp0", a, "esp0")
    for left in pairs:
        remove(*left)


@case("the outer route leads into the tunnel itself: tx_loop, no storm")
def self_route():
    a, _, ha, hb = BED["ends"]
    ab, ba = keys()
    exchange(ha, hb, 4, [100])
    before = drops(a, "esp0")
    a.ip(f"route add {B_OUT}/32 dev esp0")
    for _ in range(10):
        ha.sock(4, "udp").sendto(b"round", (hb.addr[4], 4000))
    expect_drops(a, "esp0", before, tx_loop=10)
    a.ip(f"route del {B_OUT}/32 dev esp0")
    exchange(ha, hb, 4, [100])
    remove(ab, ba)


@case("two tunnels that lead into each other: tx_loop, no storm")
def mutual():
    a, _, ha, hb = BED["ends"]
    ab, ba = keys()
    esptun(a, "esp1", A_OUT, "192.0.2.3")
    Sa(A_OUT, "192.0.2.3").install(a, "esp1", "out")
    a.ip(f"route add {B_OUT}/32 dev esp1\nroute add 192.0.2.3/32 dev esp0")
    before = drops(a, "esp0")
    for _ in range(10):
        ha.sock(4, "udp").sendto(b"round", (hb.addr[4], 4000))
    expect_drops(a, "esp0", before, tx_loop=10)
    a.ip("link del esp1\nroute del 192.0.2.3/32 dev esp0")
    exchange(ha, hb, 4, [100])
    remove(ab, ba)


@case("a tunnel within a tunnel works")
def nested():
    a, b, *_ = BED["ends"]
    ab, ba = keys()
    for ns, near, far, dev, own, peer in ((a, "10.1.0.1", "10.2.0.1", "esp1", "10.11.0.1", "10.12.0.1"),
                                          (b, "10.2.0.1", "10.1.0.1", "esp1", "10.12.0.1", "10.11.0.1")):
        esptun(ns, dev, near, far)
        ns.ip(f"addr add {own}/32 dev lo\nroute add {peer}/32 dev {dev} src {own}")
    deep_ab, deep_ba = Sa("10.1.0.1", "10.2.0.1", CBC[0]), Sa("10.2.0.1", "10.1.0.1", CBC[0])
    deep_ab.install(a, "esp1", "out").install(b, "esp1", "in")
    deep_ba.install(b, "esp1", "out").install(a, "esp1", "in")
    out = sh(f"ip netns exec {a.name} ping -q -c 20 -i 0.01 -s 1200 -I 10.11.0.1 10.12.0.1")
    check(" 0% packet loss" in out, out)
    equal(deep_ab.get(b, "esp1", "in")["packets"], 20, "packets of the inner tunnel")
    reconcile(a, "esp1", b, "esp1")
    for ns in (a, b):
        ns.ip("link del esp1")
    remove(ab, ba)


def ends():
    """Nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


run(setup, ends)
