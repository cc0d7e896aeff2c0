# SPDX-License-Identifier: GPL-2.0-or-later
"""
What goes on beside a test: processes that send without pause, or that repeat one request to
the kernel until they are stopped. Each counts what it did, so that a test can wait until
they are at work; none decides anything. Errors that a race may bring are theirs to name.
"""
import errno
import mmap
import os
import signal
import socket
import struct
import traceback

import nl
from ktap import Failure, wait_for
from traffic import payload_of

SOL_UDP, UDP_SEGMENT = 17, 103
# A socket or memory that is none is a mistake of the test.
OURS = (errno.EBADF, errno.EFAULT, errno.ENOTSOCK)
# The other side of a race was first: gone, not there yet, already there, being deleted.
RACE = {errno.ENODEV, errno.ENOENT, errno.EEXIST, errno.EBUSY, errno.EINVAL, errno.ENXIO,
        errno.EOPNOTSUPP}


class Worker:
    """
    A process that calls step(n) for n = 0, 1, ... until it is stopped; make() returns step in
    the process, where its sockets live. What it raises ends it and is raised by stop() again.
    Of the namespaces that are to end while it runs, `without`, it holds nothing.
    """
    def __init__(self, name, make, nice=0, without=()):
        self.name = name
        self.shared = mmap.mmap(-1, 8)
        self.errors = os.memfd_create(name)
        self.pid = os.fork()
        if self.pid:
            return
        status = 1
        try:
            # Not on one CPU, as the test is: it may go away.
            os.sched_setaffinity(0, range(os.cpu_count()))
            os.nice(nice)
            for ns in without:
                ns.release()
            signal.signal(signal.SIGTERM, self._leave)
            self._repeat(make())
            status = 0
        except SystemExit:
            status = 0
        except BaseException:       # pylint: disable=broad-except
            os.write(self.errors, traceback.format_exc().encode())
        finally:
            os._exit(status)

    def _leave(self, *_):
        self.leaving = True

    leaving = False

    def _repeat(self, step):
        """Between two steps it can be asked to leave; a step is never cut in two."""
        number = 0
        while not self.leaving:
            step(number)
            number += 1
            self.shared[:8] = struct.pack("=Q", number)

    @property
    def steps(self):
        """How many steps it has done."""
        return struct.unpack("=Q", self.shared[:8])[0]

    def progress(self, more=1):
        """Waits until it has done that many more; fails when it ended."""
        goal = self.steps + more

        def done():
            if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
                self.pid = 0
                raise Failure(f"{self.name} ended: {self._said()}")
            return self.steps >= goal
        wait_for(f"{more} more steps of {self.name}", done)

    def _said(self):
        size = os.lseek(self.errors, 0, os.SEEK_END)
        return os.pread(self.errors, size, 0).decode()

    def stop(self):
        """Ends it after its current step; raises what it died of."""
        if self.pid:
            os.kill(self.pid, signal.SIGTERM)
            os.waitpid(self.pid, 0)
            self.pid = 0
        said = self._said()
        os.close(self.errors)
        if said:
            raise Failure(f"{self.name}: {said}")


def stop_all(workers):
    """Ends all, then raises the first failure among them."""
    failures = []
    for worker in workers:
        try:
            worker.stop()
        except Failure as err:
            failures.append(str(err))
    if failures:
        raise Failure("\n".join(failures))


# Datagrams as they come in life: small, full, larger than the path, and one that the
# kernel cuts into many after the device has seen it whole.
SHAPES = [(4, 60, 0), (6, 1200, 0), (4, 1372, 0), (4, 20000, 1000), (6, 4000, 0)]


def sender(src, dst):
    """A step that sends one datagram of each shape; what has no route is not sent."""
    socks = []
    for version, size, segment in SHAPES:
        sock = src.ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6,
                             socket.SOCK_DGRAM)
        sock.settimeout(1)          # a full queue empties, or its device is gone
        if segment:
            sock.setsockopt(SOL_UDP, UDP_SEGMENT, segment)
        socks.append((sock, payload_of(size, size), (dst.addr[version], 4000)))

    def step(_):
        for sock, payload, where in socks:
            try:
                sock.sendto(payload, where)
            except OSError as err:
                # Whatever the device, the route or memory had against it: an error is
                # the right answer.
                if err.errno in OURS:
                    raise
    return step


def stream(src, dst, port=5005):
    """A step that sends 128 KB over a new TCP connection, for what GRO and GSO do with it."""
    def step(_):
        with src.ns.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            # No connection is left behind, whatever has become of the other end.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.settimeout(1)
            try:
                sock.connect((dst.addr[4], port))
                sock.sendall(bytes(1 << 17))
            except OSError as err:
                if err.errno in OURS:
                    raise
        src.ns.sockets.remove(sock)
    return step


def sink(host, port=5005):
    """A step that takes one connection and reads what comes."""
    listener = host.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen()
    listener.settimeout(0.2)

    def step(_):
        try:
            conn, _ = listener.accept()
            with conn:
                conn.settimeout(1)
                while conn.recv(1 << 17):
                    pass
        except OSError as err:
            if err.errno in OURS:
                raise
    return step


def traffic(one, other, without=()):
    """
    Workers that send in both directions, datagrams and a stream; host objects as ends. They
    take what the processors have left, so that the test gets on.
    """
    return [Worker(name, make, 10, without) for name, make in (
        ("datagrams there", lambda: sender(one, other)),
        ("datagrams back", lambda: sender(other, one)),
        ("sink", lambda: sink(other)),
        ("stream", lambda: stream(one, other)))]


def attempt(call, *args, also=(), **kwargs):
    """A request that a race may refuse: returns its answer, or None and nothing was done."""
    try:
        return call(*args, **kwargs)
    except nl.Refused as err:
        if err.errno not in RACE and err.errno not in also:
            raise
    except OSError as err:
        # Python's if_nametoindex() has no number for a device that is not there.
        if err.errno is not None and err.errno not in RACE and err.errno not in also:
            raise
    return None

