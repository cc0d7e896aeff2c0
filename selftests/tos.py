#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
The outer header: ECN by RFC 6040 both ways (all 16 combinations), DSCP copied or fixed, TTL,
DF. What goes out is seen on the outer link, what comes in is made octet by octet.
"""
import socket
import struct

from bed import Bed, Tap, drops, expect_drops
from craft import NH_IPV4, NH_IPV6, esp, ipv4, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun
from ktap import add, case, check, equal, run, wait_for
from sa import Sa

BED = {}
ECN = ["Not-ECT", "ECT(1)", "ECT(0)", "CE"]         # by value
NOT, ECT1, ECT0, CE = range(4)
# RFC 6040 figure 4: inner (row) and outer (column, by value) to what is delivered, None: drop.
# The kernel's own decapsulation raises ECT(0) to ECT(1) where the outer header says so.
DECAP = {NOT: [NOT, NOT, NOT, None], ECT0: [ECT0, ECT1, ECT0, CE],
         ECT1: [ECT1, ECT1, ECT1, CE], CE: [CE, CE, CE, CE]}


def setup():
    """Gateway a with esptun; b is a machine that sees and sends packets."""
    BED["bed"] = bed = Bed()
    a, b = BED["a"], BED["b"] = bed.ns("a"), bed.ns("b")
    bed.wire(a, "a0", f"{A_OUT}/24", b, "b0", f"{B_OUT}/24")
    BED["host"] = esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
    BED["in"] = Sa(B_OUT, A_OUT).install(a, "esp0", "in")
    Sa(A_OUT, B_OUT).install(a, "esp0", "out")
    BED["seq"] = 0
    BED["wire"] = Tap(b, "b0", 50)
    BED["plain"] = Tap(a, "esp0")
    BED["raw"] = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def change(**options):
    """Changes the device."""
    BED["a"].rtnl.newlink("esp0", flags=0, **options)


def outer(version=4, tos=0, ttl=64, df=True, size=100):
    """Sends one packet into the tunnel; returns the outer header's TOS, TTL and DF."""
    BED["wire"].packets()
    v6 = version == 6
    s = BED["a"].socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    level = socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP
    s.setsockopt(level, 67 if v6 else socket.IP_TOS, tos)           # IPV6_TCLASS
    s.setsockopt(level, 16 if v6 else socket.IP_TTL, ttl)           # IPV6_UNICAST_HOPS
    s.setsockopt(level, 23 if v6 else 10, 2 if df else 0)           # MTU_DISCOVER
    with BED["a"].inside():
        s.sendto(bytes(size), (B_IN[1 if v6 else 0], 4000))
    s.close()
    p = wait_for("the ESP packet", lambda: BED["wire"].packets("in"))[0]
    return p[1], p[8], bool(p[6] & 0x40)


def inner(version=4, tos=0):
    """Octets of an inner packet from b with this traffic class."""
    if version == 4:
        return ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], b"marked"), tos=tos)
    return struct.pack("!IHBB", 6 << 28 | tos << 20, 8, 253, 64) + \
        socket.inet_pton(socket.AF_INET6, B_IN[1]) + socket.inet_pton(socket.AF_INET6, A_IN[1]) + \
        bytes(8)


def delivered(version, outer_tos, inner_tos):
    """Sends an ESP packet to gateway a; the traffic class that comes out, or None if dropped."""
    BED["seq"] += 1
    before = drops(BED["a"], "esp0")
    rx = BED["in"].get(BED["a"], "esp0", "in")["packets"]
    tap = BED["plain"].sock
    packet = esp(BED["in"], BED["seq"], inner(version, inner_tos),
                 NH_IPV4 if version == 4 else NH_IPV6, tos=outer_tos)
    BED["raw"].sendto(packet, (A_OUT, 0))
    wait_for("the packet or a drop", lambda: drops(BED["a"], "esp0") != before or
             BED["in"].get(BED["a"], "esp0", "in")["packets"] != rx)
    if drops(BED["a"], "esp0") != before:
        expect_drops(BED["a"], "esp0", before, rx_ecn=1)
        return None

    def take():
        try:
            data, where = tap.recvfrom(2000)
        except BlockingIOError:
            return None
        return data if where[2] != 4 else None
    data = wait_for("the inner packet", take)
    if version == 6:
        return struct.unpack("!I", data[:4])[0] >> 20 & 0xff
    check(sum(struct.unpack("!10H", data[:20])) % 0xffff == 0, "inner header checksum")
    return data[1]


def ecn_in(version, dscp):
    """All 16 combinations on the way in."""
    for within, row in DECAP.items():
        for without, want in enumerate(row):
            got = delivered(version, 0x48 | without, dscp << 2 | within)
            equal(got, None if want is None else dscp << 2 | want,
                  f"inner {ECN[within]}, outer {ECN[without]}")


def ecn_out(version, tos):
    """The outer ECN field is the inner one's copy, whatever happens with the DSCP."""
    change(tos=tos)
    for value in range(4):
        got = outer(version, 0x2c << 2 | value)[0]
        equal(got & 3, value, f"outer ECN for inner {ECN[value]}")
    change(tos=1)


for v in (4, 6):
    add(f"ECN in, IPv{v} inside: 16 combinations of RFC 6040, DSCP stays", ecn_in, v, 0x2e)
    add(f"ECN out, IPv{v} inside: copied", ecn_out, v, 1)
    add(f"ECN out, IPv{v} inside: copied beside a fixed DSCP", ecn_out, v, 0x20)


@case("DSCP: copied by default, all 64 values")
def dscp_copied():
    for version in (4, 6):
        for dscp in range(64):
            equal(outer(version, dscp << 2)[0], dscp << 2, f"outer TOS, IPv{version}")


@case("DSCP: a fixed one hides the inner one")
def dscp_fixed():
    for fixed in (0, 0xb8, 0xfc):
        change(tos=fixed)
        for version in (4, 6):
            equal(outer(version, 0x28)[0], fixed, f"outer TOS with tos {fixed:#x}")
    change(tos=1)


@case("TTL: 64 by default, fixed, or the inner one's copy")
def ttl():
    for version in (4, 6):
        equal(outer(version, ttl=7)[1], 64, "default")
        change(ttl=200)
        equal(outer(version, ttl=7)[1], 200, "fixed")
        change(ttl=0)
        equal(outer(version, ttl=7)[1], 7, "copied")
        change(ttl=64)


@case("DF: set with pmtudisc, else the inner one's copy; IPv6 inside never sets it then")
def df():
    for inside in (True, False):
        equal(outer(df=inside)[2], True, "with pmtudisc")
    equal(outer(6)[2], True, "with pmtudisc, IPv6")
    change(pmtudisc=0)
    for inside in (True, False):
        equal(outer(df=inside)[2], inside, "without pmtudisc")
    equal(outer(6)[2], False, "without pmtudisc, IPv6")
    change(pmtudisc=1)


def ends():
    """Nothing leaked, nothing is left."""
    BED["bed"].verify()


run(setup, ends)
