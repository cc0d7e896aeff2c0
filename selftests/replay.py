#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
What an inbound SA does with packets made octet by octet: replay window and ESN against a
reference model, and every way of being malformed, each counted under exactly one name on the
device and on the SA. Well-formed packets come from scapy as well, for every algorithm.
"""
import os
import random
import socket
import struct

import craft
from bed import Bed, Tap, drops, expect_drops, sh
from craft import NH_IPV4, NH_NONE, esp, ipv4, seal, trailer, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun
from ktap import add, case, check, diag, equal, run, scaled, wait_for
from sa import GCM, SCAPY, Alg, Sa

BED = {}
SEED = int(os.environ.get("SEED", "20261120"))
CBC = Alg("aes-cbc", 16, "hmac-sha256-128")


def setup():
    """Gateway a with esptun; b is a machine that sends what it likes."""
    sh("modprobe esp4")     # counts what esptun passes on: XfrmInNoStates
    BED["bed"] = bed = Bed()
    a, b = BED["a"], BED["b"] = bed.ns("a"), bed.ns("b")
    bed.wire(a, "a0", f"{A_OUT}/24", b, "b0", f"{B_OUT}/24", mtu=9000)
    a.ip("addr add 192.0.2.11/24 dev a0")
    b.ip("addr add 192.0.2.12/24 dev b0")
    BED["host"] = esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
    BED["raw"] = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def inbound(alg=GCM[0], **kw):
    """A new inbound SA of gateway a."""
    return Sa(B_OUT, A_OUT, alg, **kw).install(BED["a"], "esp0", "in")


def inner(number, size=0, **kw):
    """An inner packet that says its number."""
    text = b"n%08d" % number + b"." * size
    return ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], text), **kw)


def send(packet):
    """Puts one IPv4 packet on the wire."""
    BED["raw"].sendto(packet, (A_OUT, 0))


def delivered():
    """Numbers of the inner packets that have come out of the tunnel since the last call."""
    got = []
    while True:
        try:
            got.append(int(BED["host"].sock(4, "udp").recv(70000)[1:9]))
        except BlockingIOError:
            return got


def expect(packets, sa=None, arrive=(), **wanted):
    """
    Sends packets; exactly those numbered `arrive` come out, exactly the `wanted` counters move,
    on the device and on the SA, and in-tree IPsec has not seen any.
    """
    a = BED["a"]
    delivered()
    before, foreign = drops(a, "esp0"), a.genl.do("module-get")["rx_foreign_spi"]
    at_sa = sa.get(a, "esp0", "in").get("drops", {}) if sa else {}
    for p in packets:
        send(p)
    expect_drops(a, "esp0", before, **wanted)
    got = []
    wait_for(f"{len(arrive)} inner packets", lambda: got.extend(delivered()) or
             len(got) >= len(arrive))
    equal(sorted(got), sorted(arrive), "inner packets")
    equal(a.genl.do("module-get")["rx_foreign_spi"], foreign, "packets passed on to others")
    if sa:
        now = sa.get(a, "esp0", "in").get("drops", {})
        moved = {k: v - at_sa.get(k, 0) for k, v in now.items() if v != at_sa.get(k, 0)}
        equal(moved, wanted, "drop counters of the SA")


def top(sa, want):
    """The highest number received is this."""
    equal(sa.get(BED["a"], "esp0", "in")["seq"], want, "top of the window")


def scapy_both_ways(alg, esn):
    """scapy's packet is understood here, and ours there."""
    # pylint: disable=import-outside-toplevel
    from scapy.layers.inet import IP
    a = BED["a"]
    sa = inbound(alg, esn=esn, seq=0xffffffff if esn else 0)
    n = sa.seq + 1
    packet = bytes(sa.scapy().encrypt(IP(inner(7, 33))))
    expect([packet], sa, [7])
    top(sa, n)
    out = Sa(A_OUT, B_OUT, alg, esn, seq=0xffffffff if esn else 0).install(a, "esp0", "out")
    tap = Tap(BED["b"], "b0", 50)
    BED["host"].sock(4, "udp").sendto(b"to scapy", (B_IN[0], 4000))
    got = wait_for("our packet", lambda: tap.packets("in"))[0]
    tap.close()
    equal(struct.unpack("!II", got[20:28]), (out.spi, (out.seq + 1) & 0xffffffff), "SPI and number")
    plain = bytes(out.scapy().decrypt(IP(got)))
    check(plain.endswith(b"to scapy") and plain[:1] == b"\x45", f"scapy got {plain.hex()}")
    out.delete(a, "esp0", "out")
    sa.delete(a, "esp0", "in")


for one in SCAPY:
    add(f"scapy understands us and we scapy: {one}", scapy_both_ways, one, False)
add(f"scapy understands us and we scapy: {GCM[0]} ESN behind 2^32", scapy_both_ways, GCM[0], True)


@case("our own packet maker and scapy agree")
def makers_agree():
    """What the cases below send is what scapy would accept."""
    # pylint: disable=import-outside-toplevel
    from scapy.layers.inet import IP
    for alg in (GCM[0], CBC, Alg("null", 0, "hmac-sha1-96")):
        sa = Sa(B_OUT, A_OUT, alg)
        equal(bytes(sa.scapy().decrypt(IP(esp(sa, 1, inner(1))))), inner(1), f"{alg} by scapy")


@case("duplicates: rx_replay_dup, each once")
def duplicates():
    sa = inbound()
    packets = [esp(sa, n, inner(n)) for n in range(1, 6)]
    expect(packets, sa, range(1, 6))
    expect(packets, sa, rx_replay_dup=5)
    top(sa, 5)


def window_edges(window, esn):
    """Both edges of the window, and all of a small one backwards."""
    sa = inbound(window=window, esn=esn)
    last = 6000
    expect([esp(sa, last, inner(0))], sa, [0])
    expect([esp(sa, last - window + 1, inner(1))], sa, [1])
    # With ESN a number left of the window means the next 2^32, so it cannot authenticate.
    left = {"rx_icv_fail": 2} if esn else {"rx_replay_old": 2}
    expect([esp(sa, last - window, inner(2)), esp(sa, 1, inner(3))], sa, **left)
    some = [last - n for n in range(1, window - 1, max(1, window // 60))]
    expect([esp(sa, n, inner(n)) for n in some], sa, some)
    expect([esp(sa, n, inner(n)) for n in some], sa, rx_replay_dup=len(some))
    top(sa, last)


for width in (32, 33, 64, 100, 1024, 4095, 4096):
    add(f"window {width}: inside accepted once, left of it refused", window_edges, width, False)
    add(f"window {width} ESN: inside accepted once, left of it refused", window_edges, width, True)


def random_walk(window, esn, begin):
    """Random numbers around a moving top against a model that keeps everything."""
    rng = random.Random(f"{SEED} {window} {esn}")
    sa = inbound(window=window, esn=esn, seq=begin)
    highest, seen, packets, arrive = begin, set(), [], []
    counts = {"rx_replay_dup": 0, "rx_replay_old": 0}
    for _ in range(250):
        n = max(1, highest + rng.choice((1, 1, 1, 2, rng.randint(-window - 3, 4), -rng.randint(0, 40),
                                         rng.randint(1, 2 * window) if rng.random() < .2 else 1)))
        packets.append(esp(sa, n, inner(n & 0xffffff)))
        if n <= highest - window:
            counts["rx_icv_fail" if esn else "rx_replay_old"] = \
                counts.get("rx_icv_fail" if esn else "rx_replay_old", 0) + 1
        elif n in seen or n <= begin:
            counts["rx_replay_dup"] += 1
        else:
            seen.add(n)
            arrive.append(n & 0xffffff)
            highest = max(n, highest)
    diag(f"seed {SEED}: {len(arrive)} accepted, {counts}")
    expect(packets, sa, arrive, **{k: v for k, v in counts.items() if v})
    top(sa, highest)


add("random numbers, window 32: as the model says", random_walk, 32, False, 5000)
add("random numbers, window 1024: as the model says", random_walk, 1024, False, 0xffff0000)
add("random numbers, window 64 ESN over 2^32: as the model says", random_walk, 64, True, 0xffffff80)
add("random numbers, window 4096 ESN over 5 * 2^32: as the model says", random_walk, 4096, True,
    0x4ffffff00)


@case("window 0: no replay detection, duplicates and old ones pass")
def window_zero():
    sa = inbound(window=0)
    numbers = [9, 9, 3, 70000, 1]
    expect([esp(sa, n, inner(n)) for n in numbers], sa, numbers)


@case("number zero: rx_replay_zero, with and without ESN")
def number_zero():
    for esn in (False, True):
        sa = inbound(esn=esn)
        expect([esp(sa, 0, inner(0))], sa, rx_replay_zero=1)
        top(sa, 0)


@case("32-bit numbers end at 2^32-1: nothing behind it is accepted")
def end_of_numbers():
    sa = inbound(seq=0xfffffff0)
    expect([esp(sa, n, inner(n & 0xff)) for n in (0xfffffffe, 0xffffffff)], sa, [0xfe, 0xff])
    expect([esp(sa, 0, inner(0))], sa, rx_replay_zero=1)
    expect([esp(sa, 1, inner(1)), esp(sa, 5, inner(1))], sa, rx_replay_old=2)
    expect([esp(sa, 0xffffffff, inner(0))], sa, rx_replay_dup=1)


@case("ESN: the lower half wraps, late packets of before still pass, none twice")
def esn_wrap():
    for alg in (GCM[0], CBC):
        sa = inbound(alg, esn=True, window=64, seq=0xfffffff0)
        wrap = 1 << 32
        expect([esp(sa, 0xfffffff2, inner(1)), esp(sa, wrap + 3, inner(2))], sa, [1, 2])
        top(sa, wrap + 3)
        expect([esp(sa, wrap, inner(3)), esp(sa, 0xfffffff1, inner(4))], sa, [3, 4])
        expect([esp(sa, wrap + 3, inner(0)), esp(sa, 0xfffffff2, inner(0)),
                esp(sa, wrap, inner(0))], sa, rx_replay_dup=3)
        # The right lower half with the upper half of another round cannot authenticate.
        expect([esp(sa, 9, inner(0)), esp(sa, wrap + 9, inner(0), seq_hi=2)], sa, rx_icv_fail=2)
        top(sa, wrap + 3)
        expect([esp(sa, wrap + 9, inner(9))], sa, [9])


@case("one altered bit in any octet behind the SPI: rx_icv_fail, the window stays")
def altered():
    for alg in (GCM[0], CBC):
        sa = inbound(alg)
        size = len(esp(sa, 1, inner(0))) - 20
        packets = [esp(sa, 100, inner(0), flip=at) for at in range(4, size)]
        expect(packets, sa, rx_icv_fail=len(packets))
        top(sa, 0)
        expect([esp(sa, 100, inner(5))], sa, [5])


@case("the wrong key: rx_icv_fail")
def wrong_key():
    sa = inbound()
    other = Sa(B_OUT, A_OUT, GCM[0], spi=sa.spi)
    expect([esp(other, 1, inner(0))], sa, rx_icv_fail=1)


@case("cut off at each length: rx_too_short or rx_icv_fail, one for each")
def truncated():
    for alg in (GCM[0], CBC, Alg("null", 0, "hmac-sha1-96"), Alg("des3-cbc", 24, "hmac-md5-96")):
        sa = inbound(alg)
        whole = os.urandom(160) if alg.encr == "des3-cbc" else seal(
            sa, 1, inner(0) + trailer(len(inner(0)), alg.block, NH_IPV4))
        head, iv = 8, alg.iv
        least = head + iv + max(alg.block, 2) + alg.icv
        short, wrong = [], []
        for length in range(8, len(whole)):
            p = ipv4(B_OUT, A_OUT, 50, struct.pack("!I", sa.spi) + whole[4:length])
            fits = length >= least and (length - head - iv - alg.icv) % alg.block == 0
            (wrong if fits else short).append(p)
        check(len(short) > 20 and len(wrong) > 1, "there is something to cut off")
        expect(short, sa, rx_too_short=len(short))
        expect(wrong, sa, rx_icv_fail=len(wrong))
        top(sa, 0)


@case("less than an ESP header: harmless, left to the stack")
def stubs():
    a = BED["a"]
    sa = inbound()
    before = drops(a, "esp0")
    for length in range(8):
        send(ipv4(B_OUT, A_OUT, 50, (struct.pack("!I", sa.spi) + bytes(4))[:length]))
    expect([esp(sa, 1, inner(1))], sa, [1])
    short = drops(a, "esp0").get("rx_too_short", 0) - before.get("rx_too_short", 0)
    check(short <= 8, f"{short} counted of 8")
    check(set(drops(a, "esp0")) <= set(before) | {"rx_too_short"}, "counted as too short or not at all")


def sealed(sa, n, plain):
    """An outer packet around any plaintext."""
    return ipv4(B_OUT, A_OUT, 50, seal(sa, n, plain))


@case("padding and pad length wrong: rx_bad_trailer")
def bad_trailer():
    for alg, fill in ((GCM[0], 2), (CBC, 14), (Alg("null", 0, "hmac-sha1-96"), 2)):
        sa = inbound(alg)
        body = inner(0)
        body += b"." * (-len(body) % alg.block)
        good = bytes(range(1, fill + 1))
        bad = [body + bytes(fill) + bytes([fill, 4]),                    # zeros for 1, 2, ...
               body + good[:-1] + b"\x63" + bytes([fill, 4]),            # the last one wrong
               body + good + bytes([255, 4]),                            # longer than the packet
               body + good + bytes([len(body) + fill + 1, 4])]           # by one
        expect([sealed(sa, n, p) for n, p in enumerate(bad, 1)], sa, rx_bad_trailer=len(bad))
        # They were authentic: the window has moved.
        top(sa, len(bad))


@case("padding may be longer than needed")
def long_padding():
    sa = inbound()
    body = inner(3)
    pad = 255 - (len(body) + 257) % 4
    expect([sealed(sa, 1, body + bytes(range(1, pad + 1)) + bytes([pad, 4]))], sa, [3])


@case("traffic flow padding behind the inner packet is cut off (RFC 4303 2.7)")
def tfc_padding():
    sa = inbound()
    body = inner(4) + b"\xa5" * 200
    expect([sealed(sa, 1, body + trailer(len(body), 4, NH_IPV4))], sa, [4])


@case("next header: unknown ones rx_bad_inner, 59 rx_dummy")
def next_header():
    sa = inbound()
    unknown = [0, 1, 6, 17, 50, 60, 97, 255]
    expect([esp(sa, n, inner(0), nh) for n, nh in enumerate(unknown, 1)], sa,
           rx_bad_inner=len(unknown))
    expect([esp(sa, 20, b"", NH_NONE), esp(sa, 21, os.urandom(99), NH_NONE)], sa, rx_dummy=2)
    top(sa, 21)


@case("inner packets that are none: rx_bad_inner")
def bad_inner():
    sa = inbound()
    good = inner(0)
    v6 = b"\x60" + bytes(39)
    bad = [(b"", 4), (b"\x45", 4), (good[:19], 4),                      # no header
           (b"\x65" + good[1:], 4), (v6, 4), (good, 41),                # version and next header
           (b"\x44" + good[1:], 4),                                     # header length 16
           (b"\x4f" + good[1:32], 4),                                   # header behind the end
           (good[:2] + b"\x00\x10" + good[4:], 4),                      # total length 16
           (good[:2] + b"\x7f\xff" + good[4:], 4),                      # longer than what is there
           (v6[:39], 41), (b"\x60\0\0\0\x10\0" + bytes(34), 41)]
    expect([sealed(sa, n, p + trailer(len(p), 4, nh)) for n, (p, nh) in enumerate(bad, 1)], sa,
           rx_bad_inner=len(bad))


@case("wrong outer source or destination: rx_wrong_source")
def wrong_source():
    a = BED["a"]
    sa = inbound()
    expect([esp(sa, 1, inner(0), src="192.0.2.12"), esp(sa, 2, inner(0), src="203.0.113.9"),
            esp(sa, 3, inner(0), dst="192.0.2.11")], sa, rx_wrong_source=3)
    top(sa, 0)
    expect([esp(sa, 1, inner(1))], sa, [1])
    last = a.genl.do("tunnel-get", ifname="esp0")["last_error"]
    equal((last["reason"], last["spi"], last["source4"]), ("rx-wrong-source", sa.spi, B_OUT),
          "last error")


@case("unknown SPI from a peer of ours: rx_no_sa once, and the stack still hears of it")
def unknown_spi():
    a = BED["a"]
    stranger = Sa(B_OUT, A_OUT)
    before, foreign = drops(a, "esp0"), a.genl.do("module-get")["rx_foreign_spi"]
    nostates = a.snmp("XfrmInNoStates")
    send(esp(stranger, 77, inner(0)))
    expect_drops(a, "esp0", before, rx_no_sa=1)
    wait_for("XfrmInNoStates", lambda: a.snmp("XfrmInNoStates") == nostates + 1)
    equal(a.genl.do("module-get")["rx_foreign_spi"], foreign + 1, "packets passed on")
    last = a.genl.do("tunnel-get", ifname="esp0")["last_error"]
    equal((last["reason"], last["spi"], last["source4"]), ("rx-no-sa", stranger.spi, B_OUT),
          "last error")


@case("the last error names reason, SPI, number, source and time")
def last_error():
    a = BED["a"]
    sa = inbound()
    expect([esp(sa, 41, inner(1))], sa, [1])
    expect([esp(sa, 41, inner(1))], sa, rx_replay_dup=1)
    with open("/proc/uptime", encoding="ascii") as f:
        now = float(f.read().split()[0]) * 1e9
    for last in (a.genl.do("tunnel-get", ifname="esp0")["last_error"],
                 sa.get(a, "esp0", "in")["last_error"]):
        equal((last["reason"], last["spi"], last["seq"], last["source4"]),
              ("rx-replay-dup", sa.spi, 41, B_OUT), "last error")
        check(now - 60e9 < last["time"] <= now + 1e9, f"time {last['time']}, now {now}")


@case("device down: rx_device_down, and up again it goes on")
def device_down():
    a = BED["a"]
    sa = inbound()
    a.ip("link set esp0 down")
    expect([esp(sa, 1, inner(1))], sa, rx_device_down=1)
    a.ip(f"link set esp0 up\nroute replace {B_IN[0]}/32 dev esp0 src {A_IN[0]}")
    expect([esp(sa, 2, inner(2))], sa, [2])


@case("outer packet in fragments, in any order")
def in_fragments():
    for alg in (GCM[0], CBC):
        sa = inbound(alg)
        parts = []
        for n in (1, 2, 3):
            cut = craft.fragments(esp(sa, n, inner(n, 1500)), 312)
            random.Random(n).shuffle(cut)
            parts += [p[:4] + struct.pack("!H", n) + p[6:10] + b"\0\0" + p[12:] for p in cut]
        parts = [p[:10] + struct.pack("!H", craft.checksum(p[:20])) + p[12:] for p in parts]
        expect(parts, sa, [1, 2, 3])
        expect(craft.fragments(esp(sa, 9, inner(9, 600), flip=500), 128), sa, rx_icv_fail=1)


@case("cloned packets: both readers see what was on the wire")
def cloned():
    a = BED["a"]
    sa = inbound()
    tap = Tap(a, "a0", 50)
    a.ip("link add copy0 type dummy\nlink set copy0 up")
    copies = Tap(a, "copy0", 50)
    with a.inside():
        sh("tc qdisc add dev a0 clsact && tc filter add dev a0 ingress matchall "
           "action mirred egress mirror dev copy0")
    packets = [esp(sa, n, inner(n, 50 * n)) for n in range(1, 20)]
    expect(packets, sa, range(1, 20))
    a.sh("tc qdisc del dev a0 clsact")
    for name, seen in (("sniffer", tap.packets("in")), ("mirror", copies.packets())):
        # The sending stack has filled in the outer header's identification and checksum.
        equal([p[20:] for p in seen], [p[20:] for p in packets], f"what the {name} saw")
    tap.close()
    copies.close()
    a.ip("link del copy0")


@case("packets in pages: delivered, and the pages stay as they were")
def paged():
    a, b = BED["a"], BED["b"]
    sa = inbound()
    macs = a.mac("a0") + b.mac("b0")
    frame = bytes.fromhex(macs.replace(":", "")) + b"\x08\x00"
    with b.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s, b.inside():
        s.setsockopt(263, 15, 1)                    # SOL_PACKET, PACKET_VNET_HDR
        s.bind(("b0", 0))
        tap = Tap(a, "a0", 50)
        packets = [esp(sa, n, inner(n, 5000 + n)) for n in range(1, 9)]
        before = drops(a, "esp0")
        delivered()
        for p in packets:
            # hdr_len: only the headers are linear, the rest goes to pages
            s.send(struct.pack("=BBHHHH", 0, 0, 34, 0, 0, 0) + frame + p)
        got = []
        wait_for("8 packets", lambda: got.extend(delivered()) or len(got) >= 8)
    equal(sorted(got), list(range(1, 9)), "inner packets")
    equal(drops(a, "esp0"), before, "drops")
    equal(tap.packets("in"), packets, "what the sniffer saw")
    tap.close()


@case("garbage: any octets under a known SPI, each counted once")
def garbage():
    rng = random.Random(SEED)
    a = BED["a"]
    sas = [inbound(alg) for alg in (GCM[0], CBC, Alg("null", 0, "hmac-sha1-96"))]
    before = drops(a, "esp0")
    count = scaled(400)
    for n in range(count):
        send(ipv4(B_OUT, A_OUT, 50, struct.pack("!I", sas[n % 3].spi) +
                  rng.randbytes(rng.randint(4, 300))))
    def new():
        now = drops(a, "esp0")
        return {k: v - before.get(k, 0) for k, v in now.items() if v != before.get(k, 0)}
    wait_for(f"{count} drops", lambda: sum(new().values()) >= count)
    equal(sum(new().values()), count, f"drops {new()}")
    check(set(new()) <= {"rx_too_short", "rx_icv_fail"}, f"{new()}")
    equal(delivered(), [], "inner packets")


def ends():
    """Nothing leaked, nothing is left."""
    BED["host"].close()
    BED["bed"].verify()


run(setup, ends)
