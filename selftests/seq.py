#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Limits of an SA: soft and hard lifetimes in octets and packets, the end of the 32-bit
sequence numbers, numbers beyond them with ESN; and that each raises exactly one event.
"""
import json
import os
import socket
import struct
import subprocess

from bed import ESPTUN, Bed, Tap, drops, expect_drops
from ends import A_OUT, B_OUT, pair, xfrm_packets, xfrm_sas
from ktap import add, case, check, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import exchange

BED = {}
SIZE = 100                      # octets of each inner packet


def setup():
    """
    Gateway a with esptun, gateway b with the xfrm interface. The carrier stays on, since
    without it the core lets no packet reach the device, and there would be none to count.
    """
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, keep_carrier=1)


def fresh(events, **limits):
    """New SAs both ways, limits on both of ours; returns them."""
    a, b, *_ = BED["ends"]
    a.genl.do("sa-flush")
    out, back = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    back.install(a, "esp0", "in", **limits)
    out.install(a, "esp0", "out", **limits)
    xfrm_sas(b, out, back)
    events.forget()
    return out, back


def expired_events(events, spi):
    """Names of the expiry events of an SA so far."""
    return [name for name, v in events.poll() if name.endswith("expire") and v["spi"] == spi]


def limit(direction, **limits):
    """
    Of 12 packets 10 pass: the soft event comes once at the 5th, the hard one once, the other two
    are dropped as expired, and the SA says so.
    """
    a, _, ha, hb = BED["ends"]
    events = a.events()
    out, back = fresh(events, **limits)
    sa, src, dst, side = (out, ha, hb, "tx") if direction == "out" else (back, hb, ha, "rx")
    before = drops(a, "esp0")
    exchange(src, dst, 4, [SIZE] * 4)
    equal(expired_events(events, sa.spi), [], "events after 4 packets")
    exchange(src, dst, 4, [SIZE])
    wait_for("the soft event", lambda: expired_events(events, sa.spi))
    exchange(src, dst, 4, [SIZE] * 5)
    for _ in range(2):
        src.sock(4, "udp").sendto(bytes(SIZE - 28), (dst.addr[4], 4000))
    expect_drops(a, "esp0", before, **{f"{side}_expired": 2})
    wait_for("the hard event", lambda: len(expired_events(events, sa.spi)) > 1)
    equal(expired_events(events, sa.spi), ["soft-expire", "hard-expire"], "events")
    now = sa.get(a, "esp0", direction)
    equal((now["state"], now["packets"], now["bytes"]), ("expired", 10, 10 * SIZE), "the SA")
    equal(now["drops"], {f"{side}_expired": 2}, "its drops")
    equal([v["carrier"] for v in events.named("carrier")], [0] if direction == "out" else [],
          "carrier events")
    told = [v for name, v in events.poll() if name == "soft-expire"][0]
    # The packet that met the limit was still under way when the event was written.
    check(told["packets"] in (4, 5) and told["dir"] == direction, f"the soft event tells {told}")
    events.close()


for way in ("out", "in"):
    add(f"{way}: soft and hard limit in packets", limit, way, soft_packets=5, hard_packets=10)
    add(f"{way}: soft and hard limit in octets", limit, way, soft_bytes=5 * SIZE,
        hard_bytes=10 * SIZE)
    add(f"{way}: whichever comes first", limit, way, soft_bytes=5 * SIZE, soft_packets=1000,
        hard_bytes=10 * SIZE + 1, hard_packets=10 ** 12)


@case("a packet larger than what is left does not pass, and ends the SA")
def overshoot():
    a, _, ha, hb = BED["ends"]
    events = a.events()
    out, _ = fresh(events, hard_bytes=1000)
    before = drops(a, "esp0")
    exchange(ha, hb, 4, [900])
    ha.sock(4, "udp").sendto(bytes(200), (hb.addr[4], 4000))
    expect_drops(a, "esp0", before, tx_expired=1)
    wait_for("the hard event", lambda: "hard-expire" in expired_events(events, out.spi))
    equal(out.get(a, "esp0", "out")["bytes"], 900, "octets that passed")
    events.close()


@case("a new SA after the end: traffic is back")
def after_the_end():
    a, _, ha, hb = BED["ends"]
    events = a.events()
    fresh(events)
    exchange(ha, hb, 4, [SIZE] * 3)
    exchange(hb, ha, 6, [SIZE] * 3)
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 1, "carrier")
    events.close()


@case("32-bit numbers run out: never wrap, one hard event, tx_seq_exhausted")
def exhaustion():
    a, b, ha, hb = BED["ends"]
    for alg in (GCM[0], CBC[0]):
        a.genl.do("sa-flush")
        out = Sa(A_OUT, B_OUT, alg, seq=0xfffffffa).install(a, "esp0", "out")
        xfrm_sas(b, out)
        events, tap, before = a.events(), Tap(b, "b0", 50), drops(a, "esp0")
        exchange(ha, hb, 4, [SIZE] * 5)
        for _ in range(20):
            ha.sock(4, "udp").sendto(bytes(10), (hb.addr[4], 4000))
        expect_drops(a, "esp0", before, tx_seq_exhausted=20)
        equal([struct.unpack("!I", p[24:28])[0] for p in tap.packets("in")],
              [0xfffffffb, 0xfffffffc, 0xfffffffd, 0xfffffffe, 0xffffffff], "numbers on the wire")
        equal(expired_events(events, out.spi), ["soft-expire", "hard-expire"], "events")
        now = out.get(a, "esp0", "out")
        equal((now["state"], now["seq"]), ("expired", 0xffffffff), "the SA")
        equal([v["carrier"] for v in events.named("carrier")], [0], "carrier events")
        tap.close()
        events.close()


@case("ESN goes on over 2^32 in both directions, against the in-tree stack")
def esn_over():
    a, b, ha, hb = BED["ends"]
    for alg in (GCM[0], GCM[2], CBC[0], CBC[-1]):
        a.genl.do("sa-flush")
        out = Sa(A_OUT, B_OUT, alg, esn=True, seq=0xffffffe0)
        back = Sa(B_OUT, A_OUT, alg, esn=True, seq=0x1ffffffe0)
        back.install(a, "esp0", "in")
        out.install(a, "esp0", "out")
        xfrm_sas(b, out, back)
        exchange(ha, hb, 4, [SIZE] * 80)
        exchange(hb, ha, 6, [SIZE] * 80)
        equal(out.get(a, "esp0", "out")["seq"], out.seq + 80, "numbers out")
        equal(back.get(a, "esp0", "in")["seq"], back.seq + 80, "numbers in")
        equal(xfrm_packets(b), [80, 80], "packets of the in-tree states")


@case("confirmed: one event with the first authentic packet, none for others")
def confirmed():
    a, _, ha, hb = BED["ends"]
    events = a.events()
    _, back = fresh(events)
    equal(back.get(a, "esp0", "in")["confirmed"], 0, "confirmed before")
    equal(back.get(a, "esp0", "in")["last_used"], 0, "last used before")
    exchange(hb, ha, 4, [SIZE] * 5)
    equal([v["spi"] for v in events.named("sa-confirmed")], [back.spi], "events")
    now = back.get(a, "esp0", "in")
    equal(now["confirmed"], 1, "confirmed")
    check(now["created"] <= now["last_used"], "used after it was made")
    events.close()


@case("no SA: tx_no_sa for each packet, acquire events at most one a second")
def acquire():
    a, _, ha, hb = BED["ends"]
    events = a.events()
    a.genl.do("sa-flush")
    before = drops(a, "esp0")
    for _ in range(50):
        ha.sock(4, "udp").sendto(bytes(10), (hb.addr[4], 4000))
    expect_drops(a, "esp0", before, tx_no_sa=50)
    asked = events.named("acquire")
    check(1 <= len(asked) <= 10, f"{len(asked)} acquire events for 50 packets")
    equal({v["ifname"] for v in asked}, {"esp0"}, "device named")
    events.close()


@case("a TCP burst (GSO) meets a hard limit: what passed is what is counted")
def burst():
    a, b, ha, hb = BED["ends"]
    events = a.events()
    out, _ = fresh(events, hard_packets=40)
    listener = b.socket(socket.AF_INET, socket.SOCK_STREAM)
    with b.inside():
        listener.bind((hb.addr[4], 5001))
    listener.listen()
    s = a.socket(socket.AF_INET, socket.SOCK_STREAM)
    with a.inside():
        s.bind((ha.addr[4], 0))
        s.connect((hb.addr[4], 5001))
    s.setblocking(False)
    s.send(bytes(200000))
    wait_for("the hard event", lambda: "hard-expire" in expired_events(events, out.spi))
    now = out.get(a, "esp0", "out")
    check(now["packets"] <= 40, f"{now['packets']} packets passed, the limit is 40")
    wait_for("all of them there", lambda: xfrm_packets(b)[1] == now["packets"]
             or xfrm_packets(b)[0] == now["packets"])
    equal(expired_events(events, out.spi), ["hard-expire"], "events")
    for x in (s, listener, events):
        x.close()


@case("esptun monitor -j shows the same events, as JSON")
def monitor():
    a, _, ha, hb = BED["ends"]
    with a.inside():
        watch = subprocess.Popen([ESPTUN, "-j", "monitor"], stdout=subprocess.PIPE, text=True)
    lines = []
    try:
        # Subscribed when the first event gets through: poke until it does.
        os.set_blocking(watch.stdout.fileno(), False)

        def poke():
            events = a.events()
            fresh(events)
            events.close()
            try:
                return os.read(watch.stdout.fileno(), 1 << 20)
            except BlockingIOError:
                return b""
        wait_for("the monitor", poke)
        events = a.events()
        out, _ = fresh(events, soft_packets=2, hard_packets=3)
        exchange(ha, hb, 4, [SIZE] * 3)
        text = b""

        def ended():
            nonlocal text
            try:
                text += os.read(watch.stdout.fileno(), 1 << 20)
            except BlockingIOError:
                pass
            return b"hard-expire" in text and text.endswith(b"\n")
        wait_for("the hard event in the monitor", ended)
        lines = [json.loads(x) for x in text.decode().splitlines() if x.startswith("{")]
        names = [x["event"] for x in lines if x.get("spi") in (out.spi, f"{out.spi:#010x}",
                                                              f"{out.spi:#x}")]
        equal([n for n in names if n.endswith("expire")], ["soft-expire", "hard-expire"], "events")
        events.close()
    finally:
        watch.kill()
        watch.wait()


def ends():
    """Nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


run(setup, ends)
