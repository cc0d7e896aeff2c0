#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Large packets, checksums left to the device, segments: whatever shape a packet has, the same
octets come out, and a file that is sent stays as it is (pages.py looks closer at that).
"""
import os
import re
import select
import socket
import subprocess

from bed import Bed, drops, flow, reconcile
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, pair, protect, xfrm_sas, xfrmi
from ktap import add, case, check, diag, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import digest, transfer

BED = {}
FILE = "/dev/shm/esptun-pages"
SIZE = 1 << 18                  # enough for full-sized segments in every direction


def setup():
    """Two gateways, both with esptun, and a file to send."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")
    keys()
    with open(FILE, "wb") as f:
        f.write(os.urandom(SIZE))
    BED["file"] = digest(path=FILE)


def keys(alg=GCM[0]):
    """New SAs on both gateways."""
    protect(*BED["ends"][:2], alg)


def features(setting):
    """ethtool -K on both tunnel devices."""
    for ns in BED["ends"][:2]:
        ns.sh(f"ethtool -K esp0 {setting}")


def file_intact():
    """The file in the page cache is what it was."""
    equal(digest(path=FILE), BED["file"], "the file in the page cache")


def bulk(setting, alg):
    """TCP both ways, both families, by write and by sendfile, with these features."""
    a, b, ha, hb = BED["ends"]
    features(setting)
    keys(alg)
    data = os.urandom(SIZE // 2)
    ways = [(a, "esp0", b, "esp0"), (b, "esp0", a, "esp0")]
    before = [flow(*way) for way in ways]
    for version in (4, 6):
        transfer(ha, hb, version, data)
        transfer(hb, ha, version, path=FILE)
    file_intact()
    for way, start in zip(ways, before):
        reconcile(*way, start)
    equal((drops(a, "esp0"), drops(b, "esp0")), ({}, {}), "drops")
    features("tso on gso on gro on tx on rx on sg on")


for at, words in enumerate(("tso on gso on gro on tx on rx on sg on", "tso off", "gso off tso off",
                            "gro off", "tx off", "rx off", "sg off", "gro off rx off tso off",
                            "tso off gso off gro off tx off rx off sg off")):
    add(f"TCP bulk both ways: {words}", bulk, words, (GCM[0], CBC[0], GCM[2])[at % 3])


@case("TCP bulk against the in-tree xfrm interface, both ways")
def against_xfrmi():
    a, b, ha, hb = BED["ends"]
    b.ip("link del esp0")
    hosts = xfrmi(b, "xfrm0", "b0", B_OUT, A_OUT, B_IN, A_IN)
    a.genl.do("sa-flush")
    for alg in (GCM[0], CBC[0]):
        out, back = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
        xfrm_sas(b, out, back)
        back.install(a, "esp0", "in")
        out.install(a, "esp0", "out")
        data = os.urandom(SIZE // 2)
        for version in (4, 6):
            transfer(ha, hosts, version, data)
            transfer(hosts, ha, version, path=FILE)
    file_intact()
    hosts.close()
    b.ip("xfrm state flush\nxfrm policy flush\nlink del xfrm0")
    esptun(b, "esp0", B_OUT, A_OUT, B_IN, A_IN)
    keys()
    check(hb, "host")


@case("iperf3, both directions at once")
def iperf():
    a, b, *_ = BED["ends"]
    server = subprocess.Popen(["ip", "netns", "exec", b.name, "iperf3", "-s", "-1", "-B", B_IN[0]],
                              stdout=subprocess.DEVNULL)
    wait_for("the server", lambda: ":5201" in b.sh("ss -Hltn"))
    out = a.sh(f"iperf3 -c {B_IN[0]} -B {A_IN[0]} -n 2M --bidir")
    server.wait()
    rates = re.findall(r"([\d.]+ [MKG]?bits/sec).*receiver", out)
    check(len(rates) == 2, out)
    diag(f"iperf3 under emulation: {' and '.join(rates)}")
    equal((drops(a, "esp0"), drops(b, "esp0")), ({}, {}), "drops")


@case("UDP segmentation (UDP_SEGMENT): each datagram arrives as written")
def udp_segments():
    _, _, ha, hb = BED["ends"]
    for version in (4, 6):
        s, sink = ha.sock(version, "udp"), hb.sock(version, "udp")
        s.setsockopt(socket.IPPROTO_UDP, 103, 1000)
        data = os.urandom(20500)
        s.sendto(data, (hb.addr[version], 4000))
        got = []
        while sum(map(len, got)) < len(data):
            check(select.select([sink], [], [], 20)[0], f"{len(got)} segments arrived of 21")
            got.append(sink.recv(70000))
        s.setsockopt(socket.IPPROTO_UDP, 103, 0)
        equal([len(x) for x in got], [1000] * 20 + [500], f"IPv{version} segments")
        equal(b"".join(got), data, "content")


def ends():
    """Nothing leaked, nothing is left."""
    _, _, ha, hb = BED["ends"]
    try:
        file_intact()
    finally:
        for host in (ha, hb):
            host.close()
        os.unlink(FILE)
        BED["bed"].verify()


run(setup, ends)
