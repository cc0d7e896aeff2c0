# SPDX-License-Identifier: GPL-2.0-or-later
"""
Traffic whose every octet is checked: datagrams of chosen sizes between two hosts of the bed,
and a tap on the outer link that looks for them in the clear.
"""
import hashlib
import os
import select
import signal
import socket
import threading

from ktap import SLOW, Failure, check, equal

MARK = b"esptun-plaintext"
NOISE = MARK + os.urandom(70000)
PROTO = 253                     # for experiments (RFC 3692): the smallest packets have no UDP
IP_MTU_DISCOVER, IPV6_MTU_DISCOVER, IPV6_DONTFRAG, PMTUDISC_DO = 10, 23, 62, 2
HEADER = {(4, "udp"): 28, (6, "udp"): 48, (4, "raw"): 20, (6, "raw"): 40}
BATCH = 16


class Host:
    """A namespace with inner addresses."""
    def __init__(self, ns, v4, v6=None):
        self.ns = ns
        self.addr = {4: v4, 6: v6}
        self.socks = {}

    def sock(self, version, kind):
        """A socket bound to the inner address, kept."""
        key = (version, kind)
        if key not in self.socks:
            family = socket.AF_INET if version == 4 else socket.AF_INET6
            s = self.ns.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_RAW,
                               0 if kind == "udp" else PROTO)
            s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)
            if version == 4:
                s.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, PMTUDISC_DO)
            else:
                s.setsockopt(socket.IPPROTO_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_DO)
                s.setsockopt(socket.IPPROTO_IPV6, IPV6_DONTFRAG, 1)
            with self.ns.inside():
                s.bind((self.addr[version], 4000 if kind == "udp" else 0))
            s.setblocking(False)
            self.socks[key] = s
        return self.socks[key]

    def close(self):
        """Closes all sockets."""
        for s in self.socks.values():
            s.close()
        self.socks = {}


def payload_of(size, salt):
    """Marked noise: another one for each size and salt."""
    if size < len(MARK):
        return NOISE[100 + salt % 997:][:size]
    return MARK + NOISE[16 + salt % 997:][:size - len(MARK)]


def receive(host, version, kind, deadline=20):
    """The next datagram's payload and source."""
    s = host.sock(version, kind)
    ready, _, _ = select.select([s], [], [], deadline * SLOW)
    if not ready:
        raise Failure(f"nothing arrived at {host.addr[version]} within {deadline} s")
    data, source = s.recvfrom(70000)
    if kind == "raw" and version == 4:
        data = data[20:]
    return data, source[0]


def drain(host):
    """Empties a host's sockets, so that one failure does not look like more."""
    for s in host.socks.values():
        try:
            while True:
                s.recv(70000)
        except BlockingIOError:
            pass


def exchange(src, dst, version, sizes, kind="udp", tap=None, clear=False):
    """
    Sends one datagram for each inner packet size and checks that each arrives once, in order,
    unaltered, from the right source. The tap, on the outer link, must not see their text
    unless `clear` (NULL encryption) is set, when it must.
    """
    sizes = list(sizes)
    try:
        for at in range(0, len(sizes), BATCH):
            batch(src, dst, version, sizes[at:at + BATCH], kind)
            if tap:
                look(tap.packets(), clear)
    except Failure:
        drain(dst)
        raise
    return len(sizes)


def batch(src, dst, version, sizes, kind):
    """Sends some datagrams, then receives them."""
    overhead = HEADER[version, kind]
    sender, receiver = src.sock(version, kind), dst.sock(version, kind)
    for size in sizes:
        check(size >= overhead, f"no {kind} packet of {size} octets in IPv{version}")
        sender.sendto(payload_of(size - overhead, size),
                      (dst.addr[version], 4000 if kind == "udp" else 0))
    for size in sizes:
        got, source = receive(dst, version, kind)
        want = payload_of(size - overhead, size)
        if got != want:
            raise Failure(f"inner packet of {size}: sent {len(want)} octets of payload, got "
                          f"{len(got)}, {first_difference(got, want)}")
        check(source == src.addr[version], f"packet from {source}")
    try:
        raise Failure(f"{len(receiver.recv(70000))} octets more than what was sent")
    except BlockingIOError:
        pass


def look(packets, clear):
    """No ESP packet holds what was sent, or all do (NULL encryption)."""
    for p in packets:
        esp = (p[9] if p[0] >> 4 == 4 else p[6]) == 50
        if esp and len(p) > 200 and (MARK in p) != clear:
            raise Failure(f"plaintext on the outer link: {p.hex()}" if not clear
                          else f"NULL encryption, but not readable: {p.hex()}")


def first_difference(got, want):
    """Where two payloads differ."""
    for at, (a, b) in enumerate(zip(got, want)):
        if a != b:
            return f"first difference at octet {at}: {a:#x} for {b:#x}"
    return "one is the beginning of the other"


def transfer(src, dst, version, data=None, path=None, port=5001):
    """
    A TCP connection: `data`, or a file by sendfile(), from src to dst. The digests must agree.
    """
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    with dst.ns.socket(family, socket.SOCK_STREAM) as listener, \
            src.ns.socket(family, socket.SOCK_STREAM) as s:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((dst.addr[version], port))
        listener.listen()
        listener.settimeout(60 * SLOW)
        s.bind((src.addr[version], 0))
        s.settimeout(60 * SLOW)

        def push():
            s.connect((dst.addr[version], port))
            if path:
                with open(path, "rb") as f:
                    s.sendfile(f)
            else:
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=push, daemon=True)
        sender.start()
        conn, _ = listener.accept()
        got, count = hashlib.sha256(), 0
        with conn:
            conn.settimeout(60 * SLOW)
            while True:
                part = conn.recv(1 << 18)
                if not part:
                    break
                got.update(part)
                count += len(part)
        sender.join()
    equal((count, got.hexdigest()), digest(data, path), f"IPv{version} TCP transfer")


def digest(data=None, path=None):
    """Length and digest of octets or of a file as the page cache has it."""
    if path:
        with open(path, "rb") as f:
            data = f.read()
    return len(data), hashlib.sha256(data).hexdigest()


class Flood:
    """A process that sends datagrams from src to dst as fast as it can, until stopped."""
    def __init__(self, src, dst, version=4, size=400):
        sock = src.sock(version, "udp")
        self.pid = os.fork()
        if not self.pid:
            try:
                # Beside the test, not in its place.
                os.sched_setaffinity(0, {os.cpu_count() - 1})
                sock.setblocking(True)
                payload = payload_of(size, size)
                while True:
                    try:
                        sock.sendto(payload, (dst.addr[version], 4000))
                    except OSError:
                        pass            # no route, no buffer: the device comes and goes
            finally:
                os._exit(1)

    def stop(self):
        """Ends it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
