#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Every algorithm against the in-tree esp4 through an xfrm interface: both directions, IPv4 and
IPv6 inside, with checked content. Each cipher with each integrity algorithm, each key length,
ESN off and on in turn; sizes around the block boundaries at both ends. For one algorithm of
each block size also sizes up to the MTU: every one if ALL_SIZES is set.
"""
import os

from functools import partial

from bed import Bed, Tap, drops
from ends import A_OUT, B_OUT, pair, xfrm_packets, xfrm_sas
from ktap import add, check, equal, run
from sa import ALL, AUTH, CBC, ENCR, GCM, Alg, Sa
from traffic import HEADER, exchange

BED = {}
WHOLE = [GCM[0], Alg("aes-cbc", 32, "hmac-sha256-128"), Alg("des3-cbc", 24, "hmac-md5-96"),
         Alg("chacha20-poly1305", 32)]


def setup():
    """Gateway a with esptun, gateway b with the xfrm interface."""
    check(len(ALL) == 50, "the table has all algorithms")
    check({a.encr for a in ALL} == set(ENCR) and {a.auth for a in ALL} == {"none", *AUTH} and
          all((e, k) in {(a.encr, a.key) for a in ALL} for e in ENCR for k in ENCR[e][0]),
          "and all key lengths")
    BED["bed"] = bed = Bed()
    BED["ends"] = a, b, *_ = pair(bed)
    BED["tap"] = Tap(b, "b0", 50)
    equal(drops(a, "esp0"), {}, "drops before")


def both_ways(alg, esn, sizes_of, kind="udp"):
    """New SAs, then traffic; afterwards both sides' counters agree."""
    a, b, ha, hb = BED["ends"]
    out, back = Sa(A_OUT, B_OUT, alg, esn), Sa(B_OUT, A_OUT, alg, esn)
    sizes_of = partial(sizes_of, alg.block)
    xfrm_sas(b, out, back)
    back.install(a, "esp0", "in")
    out.install(a, "esp0", "out")
    sent = 0
    for version in (4, 6):
        sizes = sizes_of(HEADER[version, kind], alg.inner_max(1500))
        for src, dst in ((ha, hb), (hb, ha)):
            sent += exchange(src, dst, version, sizes, kind, BED["tap"], alg.clear)
    o, i = out.get(a, "esp0", "out"), back.get(a, "esp0", "in")
    equal((o["packets"], i["packets"]), (sent // 2, sent // 2), "packets of the SAs, out and in")
    equal((o["seq"], i["seq"]), (sent // 2, sent // 2), "sequence numbers, out and in")
    equal(o["encr_key_len"], alg.key * 8, "key length shown")
    equal((o["encr"], o["auth"], "esn" in o["flags"]), (alg.encr, alg.auth, esn), "what is shown")
    equal(drops(a, "esp0"), {}, "drops")
    equal(xfrm_packets(b), [sent // 2, sent // 2], "packets of the in-tree states")
    out.delete(a, "esp0", "out")
    back.delete(a, "esp0", "in")


def edges(block, least, most):
    """The sizes at which padding is at its least and at its most, small and large."""
    full = [least + n for n in range(block) if (least + n + 2) % block < 2]
    return sorted({least, *full, *(n + 1 for n in full), most - block, most - block + 1, most - 1, most})


def every(block, least, most):
    """All of them, or each remainder often enough."""
    return range(least, most + 1, 1 if os.environ.get("ALL_SIZES") else 2 * block + 1)


def ends():
    """Nothing was dropped without a name, nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


for at, one in enumerate(ALL):
    add(f"{one}{' ESN' if at % 2 else ''}: edge sizes", both_ways, one, bool(at % 2), edges)
for at, one in enumerate(WHOLE):
    add(f"{one}{' ESN' if not at % 2 else ''}: sizes to the MTU", both_ways, one, not at % 2, every)
add(f"{GCM[0]}: packets without payload", both_ways, GCM[0], False, edges, "raw")
add(f"{CBC[0]}: packets without payload", both_ways, CBC[0], False, edges, "raw")
run(setup, ends)
