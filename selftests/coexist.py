#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
The kernel's own IPsec beside us: xfrm interface, ip_vti and transport mode between the very
same endpoints, while the module is loaded, in use, and unloaded.
"""
import errno
import os
import socket

from bed import Bed, drops, expect_drops, load, sh
from craft import esp, ipv4
from ends import A_IN, A_OUT, B_IN, B_OUT, IF_ID, esptun, inner, pair, xfrm_packets, xfrmi
from ktap import Failure, case, check, equal, run, wait_for
from nl import Refused
from sa import CBC, Sa
from traffic import Host, exchange

BED = {}
A_X, B_X = ("10.3.0.1", "fd00:3::1"), ("10.4.0.1", "fd00:4::1")
A_V, B_V = ("10.5.0.1", "fd00:5::1"), ("10.6.0.1", "fd00:6::1")
MARK = 7


def setup():
    """Two gateways with esptun on both."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")
    keys()


def keys():
    """SAs of the esptun devices."""
    a, b, *_ = BED["ends"]
    ab, ba = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out")


def ours():
    """Traffic through esptun, both ways, both families."""
    _, _, ha, hb = BED["ends"]
    both(ha, hb)


def both(one, two, versions=(4, 6)):
    """Traffic both ways."""
    for version in versions:
        exchange(one, two, version, [100, 1000, 1280])
        exchange(two, one, version, [100, 1000, 1280])


def states(*sas, extra=""):
    """The same in-tree states on both gateways."""
    for ns in BED["ends"][:2]:
        ns.ip("\n".join(sa + extra for sa in sas))


def add_xfrmi():
    """xfrm interfaces between the same endpoints; returns their inner hosts."""
    a, b, *_ = BED["ends"]
    hosts = (xfrmi(a, "xfrm0", "a0", A_OUT, B_OUT, A_X, B_X),
             xfrmi(b, "xfrm0", "b0", B_OUT, A_OUT, B_X, A_X))
    states(Sa(A_OUT, B_OUT).xfrm(IF_ID), Sa(B_OUT, A_OUT, CBC[0]).xfrm(IF_ID))
    return hosts


def remove(dev, hosts):
    """Takes the in-tree tunnel away again."""
    for ns in BED["ends"][:2]:
        ns.ip(f"xfrm state flush\nxfrm policy flush\nlink del {dev}")
    for host in hosts:
        host.close()


def untouched(foreign):
    """Nothing was dropped by us; what was not ours was passed on."""
    a, b, *_ = BED["ends"]
    for ns in (a, b):
        equal(drops(ns, "esp0"), {}, "drops of esptun")
        for name in ("XfrmInNoStates", "XfrmInStateProtoError", "XfrmInHdrError"):
            equal(ns.snmp(name), 0, name)
        check(ns.genl.do("module-get")["rx_foreign_spi"] >= foreign, "packets passed on are counted")


@case("esp4 through an xfrm interface, same endpoints, mixed with our traffic")
def with_xfrmi():
    hosts = add_xfrmi()
    try:
        for _ in range(5):
            ours()
            both(*hosts)
        equal(sorted(xfrm_packets(BED["ends"][0])), [30, 30], "packets of the in-tree states")
        untouched(30)
    finally:
        remove("xfrm0", hosts)
    ours()


@case("ip_vti, same endpoints, mixed with our traffic")
def with_vti():
    a, b, *_ = BED["ends"]
    hosts = []
    for ns, local, remote, own, peer in ((a, A_OUT, B_OUT, A_V, B_V), (b, B_OUT, A_OUT, B_V, A_V)):
        ns.ip(f"link add vti9 type vti local {local} remote {remote} key {MARK}")
        for way, s, d in (("out", local, remote), ("in", remote, local), ("fwd", remote, local)):
            ns.ip(f"xfrm policy add dir {way} mark {MARK} tmpl src {s} dst {d} proto esp mode tunnel")
        hosts.append(inner(ns, "vti9", own, peer))
    states(Sa(A_OUT, B_OUT, CBC[0]).xfrm(mark=MARK), Sa(B_OUT, A_OUT).xfrm(mark=MARK))
    try:
        for _ in range(5):
            ours()
            both(*hosts, versions=(4,))
        equal(sorted(xfrm_packets(a)), [15, 15], "packets of the in-tree states")
        untouched(15)
    finally:
        remove("vti9", hosts)
    ours()


@case("transport mode between the same endpoints")
def with_transport():
    a, b, *_ = BED["ends"]
    lines = [Sa(A_OUT, B_OUT).xfrm().replace("mode tunnel", "mode transport"),
             Sa(B_OUT, A_OUT).xfrm().replace("mode tunnel", "mode transport")]
    states(*lines)
    for ns, local, remote in ((a, A_OUT, B_OUT), (b, B_OUT, A_OUT)):
        for way, s, d in (("out", local, remote), ("in", remote, local)):
            ns.ip(f"xfrm policy add src {s} dst {d} proto udp dir {way} "
                  f"tmpl proto esp mode transport")
    hosts = Host(a, A_OUT), Host(b, B_OUT)
    for _ in range(3):
        ours()
        both(*hosts, versions=(4,))
    equal(sorted(xfrm_packets(a)), [9, 9], "packets of the in-tree states")
    untouched(9)
    for ns in (a, b):
        ns.ip("xfrm state flush\nxfrm policy flush")
    for host in hosts:
        host.close()


@case("an SPI of in-tree IPsec is refused for ours, a free one is taken")
def their_spis():
    a, *_ = BED["ends"]
    theirs = Sa(B_OUT, A_OUT)
    a.ip(theirs.xfrm(IF_ID))
    try:
        Sa(B_OUT, A_OUT, spi=theirs.spi).install(a, "esp0", "in")
        raise Failure("accepted")
    except Refused as err:
        equal(err.errno, errno.EEXIST, "errno")
        check("xfrm" in err.text, f"text: {err.text}")
    a.ip("xfrm state flush")
    mine = Sa(B_OUT, A_OUT, spi=theirs.spi).install(a, "esp0", "in")
    mine.delete(a, "esp0", "in")


@case("the same SPI for another peer of in-tree IPsec: each gets its own packets")
def same_spi():
    a, b, *_ = BED["ends"]
    esptun(a, "esp2", "0.0.0.0", "192.0.2.99")
    mine = Sa("192.0.2.99", A_OUT).install(a, "esp2", "in")
    theirs = Sa(B_OUT, A_OUT, spi=mine.spi)
    raw = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    def send():
        for n in range(1, 4):
            raw.sendto(esp(theirs, n, ipv4(B_IN[0], A_IN[0], 253, b"hello"), flip=-1), (A_OUT, 0))
    send()
    expect_drops(a, "esp2", {}, rx_wrong_source=3)
    a.ip(theirs.xfrm(IF_ID))
    errors, foreign = a.snmp("XfrmInStateProtoError"), a.genl.do("module-get")["rx_foreign_spi"]
    send()
    wait_for("XfrmInStateProtoError", lambda: a.snmp("XfrmInStateProtoError") == errors + 3)
    equal(drops(a, "esp2"), {"rx_wrong_source": 3}, "drops of esptun")
    equal(a.genl.do("module-get")["rx_foreign_spi"], foreign + 3, "passed on")
    raw.sendto(esp(mine, 1, ipv4(B_IN[0], A_IN[0], 253, b"hello"), flip=-1), (A_OUT, 0))
    expect_drops(a, "esp2", {"rx_wrong_source": 3}, rx_icv_fail=1)
    a.ip("xfrm state flush\nlink del esp2")
    raw.close()


@case("unknown SPIs still reach in-tree IPsec: XfrmInNoStates; ours are counted besides")
def unknown_spis():
    a, b, *_ = BED["ends"]
    raw = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    before, nostates = drops(a, "esp0"), a.snmp("XfrmInNoStates")
    for src, mine in ((B_OUT, 1), ("192.0.2.77", 0)):
        for _ in range(3):
            raw.sendto(esp(Sa(src, A_OUT), 1, ipv4(B_IN[0], A_IN[0], 253, b"hello")), (A_OUT, 0))
        wait_for("XfrmInNoStates", lambda n=nostates: a.snmp("XfrmInNoStates") == n + 3)
        nostates += 3
        expect_drops(a, "esp0", before, **({"rx_no_sa": 3} if mine else {}))
        before = drops(a, "esp0")
    raw.close()
    ours()


@case("an altered packet of theirs is theirs to count")
def their_errors():
    a, b, *_ = BED["ends"]
    theirs = Sa(B_OUT, A_OUT)
    a.ip(theirs.xfrm(IF_ID))
    raw = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    before, errors = drops(a, "esp0"), a.snmp("XfrmInStateProtoError")
    for n in range(1, 4):
        raw.sendto(esp(theirs, n, ipv4(B_IN[0], A_IN[0], 253, b"hello"), flip=-1), (A_OUT, 0))
    wait_for("XfrmInStateProtoError", lambda: a.snmp("XfrmInStateProtoError") == errors + 3)
    equal(drops(a, "esp0"), before, "drops of esptun")
    a.ip("xfrm state flush")
    raw.close()


@case("unloading us leaves their tunnel working, loading again, too")
def unload_beside():
    a, b, ha, hb = BED["ends"]
    hosts = add_xfrmi()
    for _ in range(3):
        ours()
        both(*hosts)
        for ns in (a, b):
            ns.genl.close()
            ns._genl = None                 # pylint: disable=protected-access
        BED["bed"].genl.close()
        sh("rmmod esptun")
        check(not os.path.isdir("/sys/module/esptun"), "unloaded")
        both(*hosts)
        load()
        BED["bed"].genl = type(BED["bed"].genl)()
        esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
        esptun(b, "esp0", B_OUT, A_OUT, B_IN, A_IN)
        keys()
    both(*hosts)
    ours()
    remove("xfrm0", hosts)
    check(ha and hb, "hosts")


def ends():
    """Nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


run(setup, ends)
