#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
Packets whose octets are pages that others see: of a file in the page cache, or of a process
that has given them away. However they get into a packet (splice, sendfile, vmsplice, zerocopy
of a mapped file), whoever else has the packet (mirrors, duplicates, sniffers), and whether they
are to be encrypted or decrypted: neither the page cache nor the disk has other octets after.
The file lies on a disk of its own, so that both can be read apart.
"""
import ctypes
import mmap
import os
import select
import socket
import struct

from bed import LIBC, Bed, Tap, drops, sh
from craft import esp, ipv4, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, inner, pair, protect
from ktap import Failure, add, case, check, equal, run
from sa import CBC, GCM, Sa
from traffic import MARK, digest, drain, exchange, transfer

BED = {}
IMAGE, DISK = "/dev/shm/esptun-disk", "/run/esptun-disk"
FILE = f"{DISK}/file"
SIZE = 1 << 18
ALGS = (GCM[0], CBC[0])
SO_ZEROCOPY, MSG_ZEROCOPY, MSG_ERRQUEUE = 60, 0x4000000, 0x2000


def setup():
    """Two gateways, both with esptun, and a disk with a file to send."""
    sh(f"modprobe -a loop ext4; truncate -s 16M {IMAGE}; mkfs.ext4 -q {IMAGE}; mkdir -p {DISK}")
    sh(f"mount -o loop {IMAGE} {DISK}")
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")
    keys()
    BED["files"] = {}
    write(FILE, os.urandom(SIZE))


def keys(alg=GCM[0]):
    """New SAs on both gateways."""
    protect(*BED["ends"][:2], alg)


def write(path, data):
    """A file that is on the disk when this returns, and watched from now on."""
    with open(path, "wb") as f:
        f.write(data)
        os.fsync(f.fileno())
    BED["files"][path] = digest(data)


def on_disk(path):
    """Length and digest of a file as the disk has it, past the page cache."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECT)
    size = os.fstat(fd).st_size
    with mmap.mmap(-1, (size + 4095) & ~4095) as memory:
        got = os.readv(fd, [memory])
        os.close(fd)
        return digest(memory[:got])


def intact():
    """Every file is what was written: in the page cache, on the disk, and read in again."""
    for path, want in BED["files"].items():
        equal(digest(path=path), want, f"{path} in the page cache")
        equal(on_disk(path), want, f"{path} on the disk")
        with open(path, "rb") as f:
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        equal(digest(path=path), want, f"{path} read in again")


def drop_caches():
    """Everything is read in again; not only what the kernel has been advised to drop."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("1\n")


@case("control: octets written behind the file's back are seen")
def control():
    """What intact() relies on: page cache and disk are told apart."""
    with open(IMAGE, "rb") as f:
        text = f.read()
    with open(FILE, "rb") as f:
        start = text.find(f.read(64))
    check(start > 0, "the file is found on its disk")
    with open(IMAGE, "r+b") as f:
        f.seek(start)
        f.write(bytes([text[start] ^ 1]))
    equal(digest(path=FILE), BED["files"][FILE], "the page cache, which has the file from before")
    check(on_disk(FILE) != BED["files"][FILE], "the disk has other octets")
    with open(IMAGE, "r+b") as f:
        f.seek(start)
        f.write(text[start:start + 1])
    intact()


def arrives(sink, want):
    """The next datagram is this."""
    check(select.select([sink], [], [], 60)[0], "nothing arrived")
    equal(digest(sink.recv(70000)), digest(want), "datagram")


def splice_udp(src, address, version, path, offset, length):
    """Sends a piece of a file as one datagram without copying: file, pipe, UDP socket."""
    with src.ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6,
                       socket.SOCK_DGRAM) as s, open(path, "rb") as f:
        s.connect(address)
        r, w = os.pipe()
        equal(os.splice(f.fileno(), w, length, offset_src=offset), length, "octets into the pipe")
        equal(os.splice(r, s.fileno(), length), length, "octets out of the pipe")
        os.close(r)
        os.close(w)


def both_ways(one):
    """Calls one(src, dst, version) for both directions and families."""
    _, _, ha, hb = BED["ends"]
    for src, dst in ((ha, hb), (hb, ha)):
        for version in (4, 6):
            one(src, dst, version)


def by_splice():
    """Pieces of the file spliced into datagrams; each within a page, or it would be two."""
    with open(FILE, "rb") as f:
        want = f.read()

    def one(src, dst, version):
        sink = dst.sock(version, "udp")
        for offset in (0, 7, 2 * 4096 - 1300, 40967, 81920 + 1, 163840 + 300):
            length = 1000 + offset % 300
            splice_udp(src, (dst.addr[version], 4000), version, FILE, offset, length)
            arrives(sink, want[offset:offset + length])
    both_ways(one)


def by_sendfile():
    """The whole file by sendfile() over TCP."""
    both_ways(lambda src, dst, version: transfer(src, dst, version, path=FILE))


def completions(s, count):
    """Waits until the kernel has given back what so many zerocopy calls have lent it."""
    done = 0
    errors = select.poll()
    errors.register(s, 0)               # what is always polled for is all that is wanted
    while done < count:
        check(errors.poll(60000), f"{done} of {count} zerocopy calls completed")
        _, control_data, _, _ = s.recvmsg(0, 512, MSG_ERRQUEUE)
        for _, _, data in control_data:
            first, last = struct.unpack("=II", data[8:16])
            done += last - first + 1


def exactly(conn, count):
    """So many octets of a connection."""
    got = b""
    while len(got) < count:
        part = conn.recv(count - len(got))
        check(part, f"the connection ended after {len(got)} octets of {count}")
        got += part
    return got


def zerocopy(s, to, piece):
    """One datagram of mapped memory."""
    s.sendmsg([piece], [], MSG_ZEROCOPY, to)
    completions(s, 1)


def by_zerocopy():
    """The file mapped, and its pages lent to datagrams and to a TCP connection."""
    with open(FILE, "r+b") as f:
        memory = mmap.mmap(f.fileno(), SIZE)
    want = bytes(memory)

    def one(src, dst, version):
        sink = dst.sock(version, "udp")
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with src.ns.socket(family, socket.SOCK_DGRAM) as s, memoryview(memory) as view:
            s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
            for offset in (0, 11, 4096 - 500, 81920 + 1):
                zerocopy(s, (dst.addr[version], 4000), view[offset:offset + 1200])
                arrives(sink, want[offset:offset + 1200])
        with dst.ns.socket(family, socket.SOCK_STREAM) as listener, \
                src.ns.socket(family, socket.SOCK_STREAM) as s:
            listener.bind((dst.addr[version], 0))
            listener.listen()
            s.bind((src.addr[version], 0))
            s.settimeout(60)
            s.connect(listener.getsockname()[:2])
            s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
            conn, _ = listener.accept()
            with conn, memoryview(memory) as view:
                conn.settimeout(60)
                for offset in range(0, SIZE // 2, 16384):
                    equal(s.sendmsg([view[offset:offset + 16384]], [], MSG_ZEROCOPY), 16384,
                          "octets lent")
                    equal(digest(exactly(conn, 16384)), digest(want[offset:offset + 16384]),
                          f"octets from {offset} on")
    both_ways(one)
    memory.close()


def by_vmsplice():
    """Memory of this process, given away: it arrives, and stays as it is."""
    page = 4096
    memory = ctypes.create_string_buffer(4 * page)
    start = (ctypes.addressof(memory) + page - 1) & ~(page - 1)
    text = MARK + os.urandom(page - len(MARK))
    ctypes.memmove(start, text, page)

    def one(src, dst, version):
        with src.ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6,
                           socket.SOCK_DGRAM) as s:
            s.connect((dst.addr[version], 4000))
            r, w = os.pipe()
            iov = struct.pack("=QQ", start, 1200)
            equal(LIBC.vmsplice(w, iov, ctypes.c_ulong(1), 8), 1200, "octets given")    # GIFT
            equal(os.splice(r, s.fileno(), 1200), 1200, "octets sent")
            os.close(r)
            os.close(w)
        arrives(dst.sock(version, "udp"), text[:1200])
    both_ways(one)
    equal(ctypes.string_at(start, page), text, "the memory given away")


WAYS = (("splice to UDP", by_splice), ("sendfile over TCP", by_sendfile),
        ("zerocopy of a mapped file", by_zerocopy), ("vmsplice of memory given away", by_vmsplice))


def sent(alg, way):
    """One way of sending pages, and everything is as before."""
    keys(alg)
    try:
        way()
    except Failure:
        for host in BED["ends"][2:]:
            drain(host)
        raise
    intact()
    equal([drops(ns, "esp0") for ns in BED["ends"][:2]], [{}, {}], "drops")


for alg_ in ALGS:
    for name, way_ in WAYS:
        add(f"sent by {name}, {alg_}", sent, alg_, way_)


@case("sent in every way with clones on both devices (mirred, nft dup)")
def with_clones():
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
        for alg in ALGS:
            for _, way in WAYS:
                sent(alg, way)
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
        if p[9] == 17 and p[12:16] == socket.inet_aton(A_IN[0]) and MARK not in p:
            check(p[28:] in content, "a copy made before encryption was altered")
    for p in sealed:
        if p[9] == 50 and len(p) >= 232:
            check(p[200:232] not in content, "a copy made after encryption is in clear")
    for tap in taps:
        tap.close()
    a.ip("link del copy0\nlink del copy1")


@case("looped: both ends of the tunnel in one host")
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
        for _, way in WAYS:
            way()
            intact()
        equal((drops(a, "loop0"), drops(x, "loop1")), ({}, {}), "drops")
    finally:
        BED["ends"] = keep
        h_own.close()
        h_far.close()
    BED["bed"].drop(x)
    a.ip("link del loop0\naddr del 192.0.2.21/32 dev lo\naddr del 192.0.2.22/32 dev lo")


def ciphertext(alg, path):
    """
    A file of whole ESP packets; spliced into UDP datagrams that foo-over-udp unwraps, its
    pages arrive as the payload of ESP. Decrypting in place would change the file.
    """
    a, _, ha, hb = BED["ends"]
    sa = Sa(B_OUT, A_OUT, alg).install(a, "esp0", "in")
    text = [MARK + os.urandom(1000) for _ in range(8)]
    packets = [esp(sa, n, ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], t)))[20:]
               for n, t in enumerate(text, 1)]
    write(path, b"".join(p.ljust(2048, b"\0") for p in packets))
    for n, p in enumerate(packets):
        splice_udp(hb, (A_OUT, 5555), 4, path, n * 2048, len(p))
        arrives(ha.sock(4, "udp"), text[n])
    intact()
    sa.delete(a, "esp0", "in")


def received(gro, copy):
    """Pages of a file that arrive as ESP, by an ordinary link or NAPI, alone or cloned."""
    a = BED["ends"][0]
    sh("modprobe fou")
    a.sh("ip fou add port 5555 ipproto 50")
    a.sh(f"ethtool -K a0 gro {gro}")
    sniffers, BED["bed"].sniffers = BED["bed"].sniffers, []     # UDP on the outer link is meant
    path = f"{DISK}/esp"
    tap = Tap(a, "a0") if copy else None
    try:
        for alg in ALGS:
            ciphertext(alg, path)
    finally:
        if tap:
            seen = tap.packets("in")
            tap.close()
            check(len(seen) >= 16 and not any(MARK in p for p in seen),
                  "the sniffer has what was on the wire")
        a.sh("ip fou del port 5555")
        a.sh("ethtool -K a0 gro off")
        BED["bed"].sniffers = sniffers
        for sniffer in sniffers:
            forget(sniffer)
        BED["files"].pop(path, None)
        os.unlink(path)


for gro_ in ("off", "on"):
    for copy_ in (False, True):
        add(f"ciphertext in pages is decrypted elsewhere: GRO {gro_}"
            f"{', a sniffer has each packet' if copy_ else ''}", received, gro_, copy_)


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
        intact()
        drop_caches()
        intact()
    finally:
        for host in (ha, hb):
            host.close()
        sh(f"umount {DISK}; rmdir {DISK}; rm {IMAGE}")
        BED["bed"].verify()


run(setup, ends)
