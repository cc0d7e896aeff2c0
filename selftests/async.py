#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
# only by name: the end of a TCP connection may come late and is counted with a full queue
"""
Ciphers that finish later. The kernel is told to prefer cryptd, which gives each request to a
worker, over everything else; then traffic both ways with the in-tree esp4, a queue that is
full, the same packet twice in the queue, and SAs and devices going away while the worker has
their packets. A process that the worker cannot preempt makes sure that it has.
"""
import contextlib
import os
import socket

import cryptoapi
from bed import Bed, drops, stats
from craft import esp, ipv4, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun, inner, pair, xfrm_packets, xfrm_sas
from ktap import add, check, equal, run, wait_for
from sa import CBC, GCM, Sa
from traffic import HEADER, exchange, payload_of, transfer

BED = {}
ALGS = (GCM[0], CBC[0])
DRIVERS = ("cryptd(rfc4106(gcm_base(ctr(aes-generic),ghash-generic)))",
           "cryptd(authenc(hmac(sha256-generic),cbc(aes-generic)))")
QUEUE = 1000                    # cryptd's limit for each CPU, unless told otherwise when loaded
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33


@contextlib.contextmanager
def alone():
    """No worker gets this CPU meanwhile: what is given to one stays there."""
    knob = "/proc/sys/kernel/sched_rt_runtime_us"
    with open(knob, encoding="ascii") as f:
        before = f.read()
    with open(knob, "w", encoding="ascii") as f:
        f.write("-1")
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        with open(knob, "w", encoding="ascii") as f:
            f.write(before)


def setup():
    """Gateway a with esptun, gateway b with the xfrm interface, cryptd before all others."""
    cryptoapi.prefer(DRIVERS)
    BED["bed"] = bed = Bed()
    BED["ends"] = a, b, *_ = pair(bed)
    BED["raw"] = b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    BED["raw"].setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20)
    for host in BED["ends"][2:]:
        host.sock(4, "udp").setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 64 << 20)
        host.sock(4, "udp").setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)


def keys(alg=GCM[0], window=128):
    """New SAs in both directions; both ends use cryptd."""
    a, b, *_ = BED["ends"]
    out, back = Sa(A_OUT, B_OUT, alg), Sa(B_OUT, A_OUT, alg, window=window)
    xfrm_sas(b, out, back)
    back.install(a, "esp0", "in")
    out.install(a, "esp0", "out")
    for sa, way in ((out, "out"), (back, "in")):
        equal(sa.get(a, "esp0", way)["driver"], DRIVERS[ALGS.index(alg)], "driver")
    return out, back


def remove(out, back):
    """And away with them."""
    a = BED["ends"][0]
    out.delete(a, "esp0", "out")
    back.delete(a, "esp0", "in")


def datagrams(count):
    """Sends from a's host to b's without waiting."""
    *_, ha, hb = BED["ends"]
    sock = ha.sock(4, "udp")
    for n in range(count):
        sock.sendto(payload_of(200, n), (hb.addr[4], 4000))


def drained():
    """Empties what has arrived. Return: how many datagrams."""
    got = 0
    for host in BED["ends"][2:]:
        with contextlib.suppress(BlockingIOError):
            while True:
                host.sock(4, "udp").recv(70000)
                got += 1
    return got


def both_ways(alg):
    """Each octet right, in order even with the smallest window; the driver is cryptd's."""
    a, b, ha, hb = BED["ends"]
    before = drops(a, "esp0")
    out, back = keys(alg, 32)
    sent = 0
    for version in (4, 6):
        least, most = HEADER[version, "udp"], alg.inner_max(1500)
        sizes = [least, least + 1, 100, 700, most - 1, most]
        for src, dst in ((ha, hb), (hb, ha)):
            sent += exchange(src, dst, version, sizes)
    # At least: the end of a TCP connection of the case before may come late.
    check(min(xfrm_packets(b)) >= sent // 2, f"packets of the in-tree states: {xfrm_packets(b)}")
    for src, dst in ((ha, hb), (hb, ha)):
        transfer(src, dst, 4, os.urandom(300000))
    equal(drops(a, "esp0"), before, "drops")
    remove(out, back)


def full_out():
    """What the queue does not take is dropped by name, and the rest is sent."""
    a, *_ = BED["ends"]
    out, back = keys()
    before, count = drops(a, "esp0"), stats(a, "esp0")["tx_packets"]
    with alone():
        datagrams(QUEUE + 300)
        busy = drops(a, "esp0").get("tx_crypto_busy", 0) - before.get("tx_crypto_busy", 0)
    equal(busy, 300, "tx_crypto_busy")
    wait_for("the queue is sent", lambda: stats(a, "esp0")["tx_packets"] - count == QUEUE)
    equal(out.get(a, "esp0", "out")["packets"], QUEUE, "packets of the SA")
    remove(out, back)
    drained()


def crafted(sa, number):
    """A packet for a, by hand."""
    text = ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], b"by hand"))
    return esp(sa, number, text)


def twice():
    """Two copies pass the early check together; the window takes one of them."""
    a, *_ = BED["ends"]
    out, back = keys()
    before = drops(a, "esp0").get("rx_replay_dup", 0)
    drained()
    with alone():
        for number in (5, 5, 3, 5, 3):
            BED["raw"].sendto(crafted(back, number), (A_OUT, 0))
        equal(drops(a, "esp0").get("rx_replay_dup", 0), before, "none found early")
    wait_for("three duplicates", lambda: drops(a, "esp0").get("rx_replay_dup", 0) == before + 3)
    wait_for("two packets", lambda: back.get(a, "esp0", "in")["packets"] == 2)
    remove(out, back)
    drained()


def sa_gone():
    """An SA deleted with packets in the queue: they are its last ones, and pass."""
    a, *_ = BED["ends"]
    out, back = keys()
    before, count = drops(a, "esp0"), stats(a, "esp0")["tx_packets"]
    with alone():
        datagrams(500)
        out.delete(a, "esp0", "out")
    wait_for("all are sent", lambda: stats(a, "esp0")["tx_packets"] - count == 500)
    equal(drops(a, "esp0"), before, "drops")
    back.delete(a, "esp0", "in")
    drained()


def loop():
    """Two tunnels, each the way to the other's end: the packet's way ends, counted once."""
    a, *_ = BED["ends"]
    ends = {"loop0": "198.51.100.1", "loop1": "198.51.100.2"}
    a.ip("addr add 198.51.100.9/32 dev lo")
    for dev, remote in ends.items():
        esptun(a, dev, "198.51.100.9", remote)
        Sa("198.51.100.9", remote).install(a, dev, "out")
    a.ip("route add 198.51.100.1/32 dev loop1\nroute add 198.51.100.2/32 dev loop0\n"
         "route add 203.0.113.1/32 dev loop0")
    sock = BED["ends"][2].sock(4, "udp")
    sock.sendto(b"round and round", ("203.0.113.1", 9))

    def over():
        return [(k, v) for dev in ends for k, v in drops(a, dev).items()]
    got = wait_for("the end of the loop", over)
    check(len(got) == 1 and got[0][0] in ("tx_loop", "tx_mtu") and got[0][1] == 1, f"drops {got}")
    rounds = sum(stats(a, dev)["tx_packets"] for dev in ends)
    check(1 <= rounds <= 64, f"{rounds} times round")
    for dev in ends:
        a.ip(f"link del {dev}")


def device_gone():
    """A device goes while the worker has its packets."""
    a, *_ = BED["ends"]
    keys()
    with alone():
        datagrams(500)
        a.ip("link del esp0")
    esptun(a, "esp0", A_OUT, B_OUT)
    inner(a, "esp0", A_IN, B_IN)
    drained()


def ends():
    """Nothing is left, and the kernel forgets about cryptd."""
    BED["raw"].close()
    for host in BED["ends"][2:]:
        host.close()
    BED["bed"].verify()
    cryptoapi.forget(DRIVERS)


CASES = [(f"{one}: both ways", both_ways, one) for one in ALGS] + [
    ("a full queue of packets to be sent", full_out),
    ("the same packet twice in the queue", twice), ("an SA goes while the worker has its packets", sa_gone),
    ("two tunnels that lead into each other", loop),
    ("a device goes while the worker has its packets", device_gone)]
for one in CASES:
    add(*one)
run(setup, ends)
