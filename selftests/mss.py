#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
mss-clamp: the MSS of TCP SYNs through the tunnel, sent and received, IPv4 and IPv6, against a
reference of its own: lowered to what fits, never raised, the checksum as right or wrong as it
was, and every other packet and every broken option untouched to the octet.
"""
import os
import random
import socket
import struct

from bed import Bed, drops, expect_drops, reconcile
from craft import checksum
from ends import A_OUT, B_OUT, pair
from ktap import add, case, check, equal, run, wait_for
from sa import CBC, GCM, Sa

BED = {}
SYN, ACK, RST = 2, 16, 4
SRC, DST = {4: "10.1.0.77", 6: "fd00:1::77"}, {4: "10.2.0.77", 6: "fd00:2::77"}
TYPE = {4: 0x0800, 6: 0x86dd}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


def setup():
    """Two gateways with SAs; packets are put into one device and taken out of the other."""
    BED["bed"] = bed = Bed()
    a, b, *_ = BED["ends"] = pair(bed, "esptun")
    keys()
    for key, ns in (("in", a), ("out", b)):
        BED[key] = ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        with ns.inside():
            BED[key].bind(("esp0", 3))
    BED["out"].setblocking(False)


def keys(alg=GCM[0]):
    """New SAs on both gateways."""
    a, b, *_ = BED["ends"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out")
    BED["most"] = alg.inner_max(1500)


def clamp(sender, receiver):
    """Sets the option on both ends."""
    a, b, *_ = BED["ends"]
    a.rtnl.newlink("esp0", flags=0, mss_clamp=int(sender))
    b.rtnl.newlink("esp0", flags=0, mss_clamp=int(receiver))


def mss(value):
    """The option."""
    return struct.pack("!BBH", 2, 4, value)


def tcp(options=b"", flags=SYN, data=b"", doff=None, wrong=0):
    """A TCP segment, its checksum left for packet(); returns octets and how wrong it is to be."""
    options += b"\0" * (-len(options) % 4)
    words = 5 + len(options) // 4 if doff is None else doff
    return struct.pack("!HHIIBBHHH", 1234, 80, 1, 0, words << 4, flags, 8192, 0, 0) + options \
        + data, wrong


def pseudo(version, length):
    """The pseudo-header."""
    return b"".join(socket.inet_pton(FAMILY[version], a[version]) for a in (SRC, DST)) + \
        struct.pack("!IBBBB", length, 0, 0, 0, 6)


def packet(version, segment, extra=b"", first=None, offset=0):
    """An inner packet around a segment; extra: options (IPv4) or extension headers (IPv6)."""
    data, wrong = segment
    value = (checksum(pseudo(version, len(data)) + data) + wrong) & 0xffff
    data = data[:16] + struct.pack("!H", value) + data[18:] if len(data) >= 18 else data
    if version == 4:
        head = struct.pack("!BBHHHBBH", 0x45 + len(extra) // 4, 0, 20 + len(extra) + len(data), 7,
                           offset, 64, 6, 0) + b"".join(
                               socket.inet_aton(a[4]) for a in (SRC, DST)) + extra
        return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data
    return struct.pack("!IHBB", 6 << 28, len(extra) + len(data), 6 if first is None else first, 64) \
        + b"".join(socket.inet_pton(socket.AF_INET6, a[6]) for a in (SRC, DST)) + extra + data


def option_at(options):
    """Where the MSS value stands, found by the rules of RFC 9293 3.1; None if nowhere."""
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            return None
        if kind == 1:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2 or at + options[at + 1] > len(options):
            return None
        if kind == 2:
            return at + 2 if options[at + 1] == 4 else None
        at += options[at + 1]
    return None


def fold(value):
    """Carries of a one's complement sum."""
    while value >> 16:
        value = (value & 0xffff) + (value >> 16)
    return value


def reference(version, data, at, most):
    """What is to become of the packet `data` whose TCP header is at `at`, if it has one."""
    if at is None or at + 20 > len(data) or not data[at + 13] & SYN:
        return data
    length = (data[at + 12] >> 4) * 4
    if length <= 20 or at + length > len(data):
        return data
    found = option_at(data[at + 20:at + length])
    limit = most - (40 if version == 4 else 60)
    if found is None or struct.unpack_from("!H", data, at + 20 + found)[0] <= limit:
        return data
    out = bytearray(data)
    struct.pack_into("!H", out, at + 20 + found, limit)
    # However wrong the sum was before, so wrong it is to be now: RFC 1071 over both.
    before = checksum(data[at:at + 16] + bytes(2) + data[at + 18:])
    after = checksum(bytes(out[at:at + 16]) + bytes(2) + bytes(out[at + 18:]))
    old = struct.unpack_from("!H", data, at + 16)[0]
    struct.pack_into("!H", out, at + 16, fold(old + (~before & 0xffff) + after))
    return bytes(out)


def through(data, version):
    """Puts a packet into a's device and takes it out of b's."""
    BED["in"].sendto(data, ("esp0", TYPE[version]))

    def take():
        while True:
            try:
                got, where = BED["out"].recvfrom(4000)
            except BlockingIOError:
                return None
            # Not what b itself sends, such as reports of its groups.
            if where[2] != 4 and got[-len(data):][12:20] == data[12:20]:
                return got
    return wait_for("the packet", take)


def same(got, want, at, what):
    """Equal but for the two zeros of one's complement in the checksum."""
    if at is not None and len(got) == len(want) >= at + 18 and got != want:
        zeros = (b"\0\0", b"\xff\xff")
        if got[at + 16:at + 18] in zeros and want[at + 16:at + 18] in zeros:
            want = want[:at + 16] + got[at + 16:at + 18] + want[at + 18:]
    equal(got.hex(), want.hex(), what)


def table():
    """Segments with a name: options in every place, and everything that must stay as it is."""
    for value in (0, 1, 536, 1340, 1386, 1387, 1406, 1407, 1460, 8960, 65535):
        yield f"MSS {value}", tcp(mss(value))
    yield "SYN-ACK", tcp(mss(9000), SYN | ACK)
    yield "at an odd place", tcp(b"\1" + mss(9000))
    yield "behind two NOPs", tcp(b"\1\1" + mss(9000))
    yield "behind three NOPs", tcp(b"\1\1\1" + mss(0xfffe))
    yield "behind window scale", tcp(b"\3\3\7" + mss(9000))
    yield "behind timestamps", tcp(b"\x08\x0a" + bytes(8) + mss(9000) + b"\4\2")
    yield "40 octets of options", tcp(b"\1" * 35 + mss(9000) + b"\1")
    yield "twice", tcp(mss(9000) + mss(9000))
    yield "data in the SYN", tcp(mss(9000), data=os.urandom(301))
    yield "a checksum that is wrong", tcp(mss(9000), wrong=0x1234)
    yield "no options", tcp()
    yield "no MSS", tcp(b"\4\2\1\1")
    yield "behind the end", tcp(b"\0\0\0\0" + mss(9000))
    yield "not a SYN", tcp(mss(9000), ACK)
    yield "RST", tcp(mss(9000), RST)
    yield "length 0", tcp(b"\2\0" + mss(9000))
    yield "length 1", tcp(b"\3\1" + mss(9000))
    yield "length 3", tcp(b"\2\3\xff\1")
    yield "length 6", tcp(b"\2\6\xff\xff\xff\xff\1\1")
    yield "length beyond the header", tcp(b"\1\1\1\x08" + b"\x0a" + bytes(3))
    yield "MSS cut by the header's end", tcp(b"\1\1\2\4")
    yield "only its kind is left", tcp(b"\1\1\1\2")
    yield "header longer than the packet", tcp(mss(9000), doff=15)
    yield "header shorter than 20", tcp(mss(9000), doff=4)
    yield "segment of 13", (tcp()[0][:13], 0)


def known(version, sender, receiver):
    """Every line of the table."""
    clamp(sender, receiver)
    most = BED["most"] if sender or receiver else 1 << 20
    for name, segment in table():
        data = packet(version, segment)
        at = 20 if version == 4 else 40
        same(through(data, version), reference(version, data, at, most), at, name)


for family in (4, 6):
    for ends_set in ((True, False), (False, True), (True, True), (False, False)):
        side = {(True, False): "the sender", (False, True): "the receiver", (True, True): "both",
                (False, False): "nobody"}[ends_set]
        add(f"IPv{family}, {side} clamps: every kind of segment", known, family, *ends_set)


@case("IPv4 options, fragments; IPv6 extension headers: found behind them, and only where it is")
def behind():
    clamp(True, False)
    syn = tcp(b"\1" + mss(9000))
    dest = struct.pack("!BB", 6, 0) + b"\1\4" + bytes(4)
    chain = struct.pack("!BB", 60, 1) + b"\1\x0c" + bytes(12)
    frag = lambda offset, more: struct.pack("!BBHI", 6, 0, offset | more, 99)   # noqa: E731
    for name, version, data, at in (
            ("IPv4 with options", 4, packet(4, syn, b"\1" * 40), 60),
            ("first fragment", 4, packet(4, syn, offset=0x2000), 20),
            ("second fragment", 4, packet(4, syn, offset=0x0003), None),
            ("hop-by-hop", 6, packet(6, syn, dest, 0), 48),
            ("hop-by-hop and destination", 6, packet(6, syn, chain + dest, 0), 64),
            ("first fragment of IPv6", 6, packet(6, syn, frag(0, 1), 44), 48),
            ("second fragment of IPv6", 6, packet(6, syn, frag(24, 0), 44), None),
            ("extension header that ends the packet", 6, packet(6, (b"", 0), dest, 60), None),
            ("extension header beyond the packet", 6, packet(6, (b"", 0), b"\6\x7f" + bytes(6), 60),
             None),
            ("UDP with the same octets", 6, packet(6, syn, b"", 17), None)):
        same(through(data, version), reference(version, data, at, BED["most"]), at, name)


@case("random options, 400 of each family, against the reference")
def fuzz():
    seed = int(os.environ.get("SEED", "1"))
    dice = random.Random(seed)
    for sender in (True, False):
        clamp(sender, not sender)
        for version in (4, 6) * 200:
            options = bytes(dice.choice((0, 1, 2, 2, 3, 4, 4, 4, 8, 10, dice.randrange(256)))
                            for _ in range(4 * dice.randrange(11)))
            segment = tcp(options, dice.choice((SYN, SYN | ACK, ACK, dice.randrange(256))),
                          dice.randbytes(dice.randrange(40)), dice.choice((None,) * 6 + (4, 5, 9, 15)),
                          dice.choice((0, 0, dice.randrange(65536))))
            data = packet(version, segment)
            at = 20 if version == 4 else 40
            same(through(data, version), reference(version, data, at, BED["most"]), at,
                 f"seed {seed}: {data.hex()}")


@case("connections: both ends obey, and the limit moves with the SA")
def connections():
    a, _, ha, hb = BED["ends"]
    for alg in (GCM[0], CBC[2], GCM[0]):
        keys(alg)
        wait_for("the MTU", lambda: a.genl.do("tunnel-get", ifname="esp0")["mtu"] == BED["most"])
        clamp(True, False)
        for version, headers in ((4, 40), (6, 60)):
            with hb.ns.socket(FAMILY[version], socket.SOCK_STREAM) as listener, \
                    ha.ns.socket(FAMILY[version], socket.SOCK_STREAM) as s:
                # Loopback addresses make them announce far more than fits.
                s.bind((ha.addr[version], 0))
                listener.bind((hb.addr[version], 0))
                listener.listen()
                s.settimeout(60)
                s.connect(listener.getsockname()[:2])
                conn, _ = listener.accept()
                with conn:
                    for end in (s, conn):
                        got = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
                        # Timestamps take twelve octets of each segment.
                        check(got <= BED["most"] - headers and got >= BED["most"] - headers - 12,
                              f"IPv{version} MSS {got}, fits {BED['most'] - headers}")


@case("an MTU set by hand above what fits: the clamp knows better")
def set_by_hand():
    a, *_ = BED["ends"]
    keys()
    clamp(True, False)
    a.ip("link set esp0 mtu 1500")
    data = packet(4, tcp(mss(1460)))
    same(through(data, 4), reference(4, data, 20, BED["most"]), 20, "MTU 1500")
    a.ip("link set esp0 mtu 1300")
    same(through(data, 4), reference(4, data, 20, 1300), 20, "MTU 1300")


@case("MPLS and other EtherTypes are refused by name, and the record says which")
def not_ip():
    a, *_ = BED["ends"]
    for kind in (0x8847, 0x8848, 0x0806, 0x88cc):
        before = drops(a, "esp0")
        BED["in"].sendto(bytes(100), ("esp0", kind))
        expect_drops(a, "esp0", before, tx_not_ip=1)
        last = a.genl.do("tunnel-get", ifname="esp0")["last_error"]
        equal((last["reason"], last["protocol"]), ("tx-not-ip", kind), "last error")
    before = drops(a, "esp0")
    BED["in"].sendto(bytes(100), ("esp0", 0x0800))
    expect_drops(a, "esp0", before, tx_bad_inner=1)
    check("protocol" not in a.genl.do("tunnel-get", ifname="esp0")["last_error"], "no protocol")


def ends():
    """Counters add up, nothing leaked, nothing is left."""
    a, b, ha, hb = BED["ends"]
    try:
        reconcile(a, "esp0", b, "esp0")
        reconcile(b, "esp0", a, "esp0")
    finally:
        for s in (BED["in"], BED["out"]):
            s.close()
        ha.close()
        hb.close()
        BED["bed"].verify()


run(setup, ends)
