#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Every algorithm against the in-tree esp4 through an xfrm interface: both directions, IPv4 and
IPv6 inside, ESN off and on, with checked content. Edge sizes for all, each size up to the
MTU for one algorithm of each layout (block size, IV, ICV).
"""
from bed import Bed, Tap, drops
from ends import A_OUT, B_OUT, pair, xfrm_packets, xfrm_sas
from ktap import SCALE, add, check, equal, run
from sa import ALL, CBC, GCM, Alg, Sa
from traffic import HEADER, exchange

BED = {}
WHOLE = [GCM[0], GCM[2], Alg("aes-cbc", 16, "hmac-sha1-96"), Alg("aes-cbc", 32, "hmac-sha256-128"),
         Alg("aes-cbc", 24, "hmac-sha384-192"), Alg("des3-cbc", 24, "hmac-md5-96"),
         Alg("null", 0, "hmac-sha512-256")]


def setup():
    """Gateway a with esptun, gateway b with the xfrm interface."""
    check(len(ALL) == len(GCM) + len(CBC) == 28, "the table has all algorithms")
    BED["bed"] = bed = Bed()
    BED["ends"] = a, b, *_ = pair(bed)
    BED["tap"] = Tap(b, "b0", 50)
    equal(drops(a, "esp0"), {}, "drops before")


def both_ways(alg, esn, sizes_of, kind="udp"):
    """New SAs, then traffic; afterwards both sides' counters agree."""
    a, b, ha, hb = BED["ends"]
    out, back = Sa(A_OUT, B_OUT, alg, esn), Sa(B_OUT, A_OUT, alg, esn)
    xfrm_sas(b, out, back)
    back.install(a, "esp0", "in")
    out.install(a, "esp0", "out")
    sent = 0
    for version in (4, 6):
        sizes = sizes_of(HEADER[version, kind], alg.inner_max(1500))
        for src, dst in ((ha, hb), (hb, ha)):
            sent += exchange(src, dst, version, sizes, kind, BED["tap"], alg.encr == "null")
    o, i = out.get(a, "esp0", "out"), back.get(a, "esp0", "in")
    equal((o["packets"], i["packets"]), (sent // 2, sent // 2), "packets of the SAs, out and in")
    equal((o["seq"], i["seq"]), (sent // 2, sent // 2), "sequence numbers, out and in")
    equal(o["encr_key_len"], alg.key * 8, "key length shown")
    equal((o["encr"], o["auth"], "esn" in o["flags"]), (alg.encr, alg.auth, esn), "what is shown")
    equal(drops(a, "esp0"), {}, "drops")
    equal(xfrm_packets(b), [sent // 2, sent // 2], "packets of the in-tree states")
    out.delete(a, "esp0", "out")
    back.delete(a, "esp0", "in")


def edges(least, most):
    """The sizes around each boundary."""
    return sorted({least + n for n in (0, 1, 2, 3, 4, 5, 15, 16, 17)} |
                  {most - n for n in (0, 1, 2, 3, 4, 16)})


def every(least, most):
    """All of them; a part where that would take too long."""
    return range(least, most + 1, max(1, round(1 / SCALE)))


def ends():
    """Nothing was dropped without a name, nothing leaked, nothing is left."""
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()


for one in ALL:
    for with_esn in (False, True):
        add(f"{one}{' ESN' if with_esn else ''}: edge sizes", both_ways, one, with_esn, edges)
for at, one in enumerate(WHOLE):
    add(f"{one}{' ESN' if at % 2 else ''}: each size to the MTU", both_ways, one, bool(at % 2), every)
add(f"{GCM[0]}: packets without payload", both_ways, GCM[0], False, edges, "raw")
add(f"{CBC[0]}: packets without payload", both_ways, CBC[0], False, edges, "raw")
run(setup, ends)
