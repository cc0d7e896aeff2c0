#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Large packets, checksums left to the device, segments, page fragments, clones: whatever shape
a packet has, the same octets come out, and no memory that others can see is written to.
"""
import ctypes
import os
import re
import select
import socket
import struct
import subprocess

from bed import LIBC, Bed, Tap, drops, flow, reconcile, sh
from craft import esp, ipv4, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, inner, pair, xfrm_sas, xfrmi
from ktap import add, case, check, diag, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import MARK, digest, exchange, transfer

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
    a, b, *_ = BED["ends"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    ab, ba = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out")


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


def splice_udp(src, dst, version, path, offset, length, connect=None):
    """Sends a piece of a file as one datagram without copying: file, pipe, UDP socket."""
    with src.ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6,
                       socket.SOCK_DGRAM) as s, open(path, "rb") as f:
        s.connect(connect or (dst.addr[version], 4000))
        r, w = os.pipe()
        equal(os.splice(f.fileno(), w, length, offset_src=offset), length, "octets into the pipe")
        equal(os.splice(r, s.fileno(), length), length, "octets out of the pipe")
        os.close(r)
        os.close(w)


def pages_by_udp():
    """Pieces of a file spliced into datagrams arrive, and the file stays as it is."""
    _, _, ha, hb = BED["ends"]
    with open(FILE, "rb") as f:
        want = f.read()
    for src, dst in ((ha, hb), (hb, ha)):
        for version in (4, 6):
            sink = dst.sock(version, "udp")
            for offset in range(0, 160000, 16384):
                length = 1000 + offset % 300
                splice_udp(src, dst, version, FILE, offset + 7, length)
                check(select.select([sink], [], [], 20)[0], "nothing arrived")
                equal(sink.recv(70000), want[offset + 7:offset + 7 + length], "datagram")
    file_intact()


for alg_ in (GCM[0], CBC[0]):
    add(f"page cache: splice to UDP through the tunnel leaves the file alone, {alg_}",
        lambda alg: (keys(alg), pages_by_udp()), alg_)


@case("page cache: the same with clones on both devices (mirred, nft dup)")
def pages_with_clones():
    a, b, *_ = BED["ends"]
    a.ip("link add copy0 type dummy\nlink set copy0 up\nlink add copy1 type dummy\nlink set copy1 up")
    taps = Tap(a, "copy0"), Tap(a, "copy1")
    a.sh("tc qdisc add dev esp0 clsact")
    a.sh("tc filter add dev esp0 egress matchall action mirred egress mirror dev copy0")
    a.sh("tc qdisc add dev a0 clsact")
    a.sh("tc filter add dev a0 egress matchall action mirred egress mirror dev copy1")
    with b.inside():
        sh("nft -f -", "table netdev t { chain c { type filter hook ingress device b0 priority 0; "
                       "dup to lo; }; }")
    try:
        for alg in (GCM[0], CBC[0]):
            keys(alg)
            pages_by_udp()
            bulk_file()
    finally:
        with b.inside():
            sh("nft delete table netdev t")
        a.sh("tc qdisc del dev esp0 clsact")
        a.sh("tc qdisc del dev a0 clsact")
    plain, sealed = (tap.packets() for tap in taps)
    check(len(plain) > 50 and len(sealed) > 50, "copies were made")
    with open(FILE, "rb") as f:
        content = f.read()
    for p in plain:
        if p[9] == 17 and p[12:16] == socket.inet_aton(A_IN[0]):
            check(p[28:] in content, "a copy made before encryption was altered")
    for p in sealed:
        if p[9] == 50 and len(p) >= 232:
            check(p[200:232] not in content, "a copy made after encryption is in clear")
    for tap in taps:
        tap.close()
    a.ip("link del copy0\nlink del copy1")


def bulk_file():
    """sendfile over TCP both ways."""
    _, _, ha, hb = BED["ends"]
    transfer(ha, hb, 4, path=FILE)
    transfer(hb, ha, 6, path=FILE)
    file_intact()


@case("user memory given away with vmsplice stays as it is")
def vmspliced():
    _, _, ha, hb = BED["ends"]
    page = 4096
    memory = ctypes.create_string_buffer(4 * page)
    start = (ctypes.addressof(memory) + page - 1) & ~(page - 1)
    text = MARK + os.urandom(page - len(MARK))
    ctypes.memmove(start, text, page)
    sink = hb.sock(4, "udp")
    for _ in range(20):
        with ha.ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((hb.addr[4], 4000))
            r, w = os.pipe()
            iov = struct.pack("=QQ", start, 1200)
            equal(LIBC.vmsplice(w, iov, ctypes.c_ulong(1), 8), 1200, "octets given")    # GIFT
            equal(os.splice(r, s.fileno(), 1200), 1200, "octets sent")
            os.close(r)
            os.close(w)
        check(select.select([sink], [], [], 20)[0], "nothing arrived")
        equal(sink.recv(70000), text[:1200], "datagram")
    equal(ctypes.string_at(start, page), text, "the memory given away")


@case("page cache: looped, both ends of the tunnel in one host")
def looped():
    a = BED["ends"][0]
    x = BED["bed"].ns("x")
    a.ip("addr add 192.0.2.21/32 dev lo\naddr add 192.0.2.22/32 dev lo")
    own, far = ("10.21.0.1", "fd00:21::1"), ("10.22.0.1", "fd00:22::1")
    h_own = esptun(a, "loop0", "192.0.2.21", "192.0.2.22", own, far)
    a.rtnl.newlink("loop1", local4="192.0.2.22", remote4="192.0.2.21")
    a.ip(f"link set loop1 netns {x.name}")
    h_far = inner(x, "loop1", far, own)
    there, back = Sa("192.0.2.21", "192.0.2.22"), Sa("192.0.2.22", "192.0.2.21", CBC[0])
    there.install(x, "loop1", "in").install(a, "loop0", "out")
    back.install(a, "loop0", "in").install(x, "loop1", "out")
    BED["ends"], keep = (a, x, h_own, h_far), BED["ends"]
    try:
        exchange(h_own, h_far, 4, [100, 1400])
        pages_by_udp()
        bulk_file()
        equal((drops(a, "loop0"), drops(x, "loop1")), ({}, {}), "drops")
    finally:
        BED["ends"] = keep
        h_own.close()
        h_far.close()
    BED["bed"].drop(x)
    a.ip("link del loop0\naddr del 192.0.2.21/32 dev lo\naddr del 192.0.2.22/32 dev lo")


@case("page cache as ESP: ciphertext pages spliced at us are decrypted elsewhere")
def ciphertext_pages():
    """
    A file holds whole ESP packets; spliced into UDP datagrams that foo-over-udp unwraps, its
    pages arrive as the payload of ESP. Decrypting in place would change the file.
    """
    a, b, ha, hb = BED["ends"]
    sh("modprobe fou")
    a.sh("ip fou add port 5555 ipproto 50")
    sniffers, BED["bed"].sniffers = BED["bed"].sniffers, []     # UDP on the outer link is meant
    sink = ha.sock(4, "udp")
    path = "/dev/shm/esptun-esp"
    try:
        for alg in (GCM[0], CBC[0]):
            sa = Sa(B_OUT, A_OUT, alg).install(a, "esp0", "in")
            text = [MARK + os.urandom(1000) for _ in range(8)]
            packets = [esp(sa, n, ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], t)))[20:]
                       for n, t in enumerate(text, 1)]
            with open(path, "wb") as f:
                f.write(b"".join(p.ljust(2048, b"\0") for p in packets))
            before = digest(path=path)
            for n, p in enumerate(packets):
                splice_udp(hb, ha, 4, path, n * 2048, len(p), (A_OUT, 5555))
                check(select.select([sink], [], [], 20)[0], "nothing arrived")
                equal(sink.recv(70000), text[n], "inner packet")
            equal(digest(path=path), before, f"the file of ciphertext, {alg}")
            sa.delete(a, "esp0", "in")
    finally:
        a.sh("ip fou del port 5555")
        BED["bed"].sniffers = sniffers
        for sniffer in sniffers:
            forget(sniffer)
        os.unlink(path)
    check(b, "gateway")


def forget(sniffer):
    """Takes the datagrams of this case, and only those, out of a sniffer."""
    while True:
        try:
            frame = sniffer.sock.recv(65536)
        except BlockingIOError:
            return
        check(frame[23] == 17 and frame[36:38] == struct.pack("!H", 5555), f"leak: {frame[:60].hex()}")


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
