# SPDX-License-Identifier: GPL-2.0-or-later
"""
The two kinds of tunnel ends that the tests put next to each other: an esptun device, and the
in-tree xfrm interface as the implementation to compare with. Inner addresses are on lo and
routes lead to the device, so that nothing but the test's own packets enters a tunnel.
"""
import re

from sa import Sa
from traffic import Host

A_OUT, B_OUT = "192.0.2.1", "192.0.2.2"
A_IN, B_IN = ("10.1.0.1", "fd00:1::1"), ("10.2.0.1", "fd00:2::1")
IF_ID = 42


def inner(ns, dev, own, peer):
    """Inner addresses of this end and routes to the other's."""
    ns.ip(f"""addr replace {own[0]}/32 dev lo
              addr replace {own[1]}/128 dev lo nodad
              link set {dev} up
              route replace {peer[0]}/32 dev {dev} src {own[0]}
              route replace {peer[1]}/128 dev {dev} src {own[1]}""")
    return Host(ns, *own)


def esptun(ns, dev, local, remote, own=None, peer=None, **options):
    """An esptun device, up, with inner addresses; SAs come later."""
    family = 6 if ":" in remote else 4
    ns.rtnl.newlink(dev, **{f"local{family}": local, f"remote{family}": remote}, **options)
    if own is None:
        ns.ip(f"link set {dev} up")
        return None
    return inner(ns, dev, own, peer)


def xfrmi(ns, dev, under, local, remote, own, peer, if_id=IF_ID):
    """An xfrm interface with its policies; states come by Sa.xfrm(if_id)."""
    lines = [f"link add {dev} type xfrm dev {under} if_id {if_id}"]
    for family in ("src 0.0.0.0/0 dst 0.0.0.0/0", "src ::/0 dst ::/0"):
        for way, s, d in (("out", local, remote), ("in", remote, local), ("fwd", remote, local)):
            lines.append(f"xfrm policy add {family} dir {way} if_id {if_id} "
                         f"tmpl src {s} dst {d} proto esp mode tunnel")
    ns.ip("\n".join(lines))
    return inner(ns, dev, own, peer)


def pair(bed, peer="xfrmi", mtu=1500, outer=(A_OUT, B_OUT), **options):
    """
    Gateways a (always esptun, device esp0) and b (esp0 or xfrm0) on one Ethernet link, with
    the outer addresses given. Returns namespaces and inner hosts.
    """
    a, b = bed.ns("a"), bed.ns("b")
    plen = 64 if ":" in outer[0] else 24
    bed.wire(a, "a0", f"{outer[0]}/{plen}", b, "b0", f"{outer[1]}/{plen}", mtu)
    ha = esptun(a, "esp0", outer[0], outer[1], A_IN, B_IN, **options)
    if peer == "esptun":
        hb = esptun(b, "esp0", outer[1], outer[0], B_IN, A_IN, **options)
    else:
        hb = xfrmi(b, "xfrm0", "b0", outer[1], outer[0], B_IN, A_IN)
    return a, b, ha, hb


def xfrm_sas(ns, *sas):
    """Replaces all xfrm states of a namespace by these."""
    ns.ip("xfrm state flush\n" + "\n".join(sa.xfrm(IF_ID) for sa in sas))


def xfrm_packets(ns):
    """Packets through each in-tree state of a namespace."""
    return [int(n) for n in re.findall(r"^\s+\d+\(bytes\), (\d+)\(packets\)",
                                       ns.sh("ip -s xfrm state"), re.M)]


def protect(a, b, alg):
    """New SAs on both ends of an esptun pair, in place of those they have."""
    for ns in (a, b):
        ns.genl.do("sa-flush")
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out")
