# SPDX-License-Identifier: GPL-2.0-or-later
"""
The test bed of the data plane: network namespaces, links, an always-on sniffer that accepts
nothing but ESP on outer links, and the bookkeeping that must balance at the end. What runs
over it (traffic.py) and what protects it (sa.py) live elsewhere.
"""
import contextlib
import ctypes
import errno
import os
import socket
import struct
import subprocess

import nl
from ktap import Failure, diag, equal, wait_for

CLONE_NEWNET = 0x40000000
SO_ATTACH_FILTER, SO_RCVBUFFORCE, PACKET_OUTGOING = 26, 33, 4
ETH_P_ALL = 3
LIBC = ctypes.CDLL(None, use_errno=True)
# Where the test itself began.
HOME = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The build under test: another one can be named from outside.
ESPTUN_KO = os.environ.get("ESPTUN_KO") or f"{TOP}/build/kernel/{os.uname().release}/esptun.ko"
ESPTUN = os.environ.get("ESPTUN") or f"{TOP}/build/user/bin/esptun"


def setns(fd):
    """Moves this process to another network namespace."""
    if LIBC.setns(fd, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def within(fd):
    """The process is in this network namespace for the duration."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(fd)
        yield
    finally:
        setns(before)
        os.close(before)


def sh(command, stdin=None, ok=True):
    """Runs a shell command; returns its output, or with ok=False status, output and errors."""
    done = subprocess.run(["bash", "-c", command], input=stdin, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if not ok:
        return done.returncode, done.stdout, done.stderr
    if done.returncode:
        raise Failure(f"'{command}' failed with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def ip(lines, netns=None):
    """Runs lines of ip(8) in one process; all must succeed."""
    where = f"-n {netns} " if netns else ""
    sh(f"ip {where}-batch -", "\n".join(s.strip() for s in lines.strip().splitlines()) + "\n")


class Ns:
    """A network namespace with netlink sockets of its own, opened when first used."""
    def __init__(self, name, exists=False):
        self.name = f"{name}-{os.getpid()}"
        if not exists:
            sh(f"ip netns add {self.name}")
        self._attach()

    def _attach(self):
        self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY | os.O_CLOEXEC)
        self._genl = self._rtnl = None
        self.sockets = []
        with self.inside():
            for key in ("ipv6/conf/default/addr_gen_mode=1", "ipv6/conf/default/accept_dad=0",
                        "ipv6/conf/default/router_solicitations=0",
                        "ipv4/conf/all/rp_filter=0", "ipv4/conf/default/rp_filter=0",
                        "ipv4/icmp_ratelimit=0", "ipv6/icmp/ratelimit=0",
                        "ipv4/icmp_msgs_per_sec=100000", "ipv4/icmp_msgs_burst=100000"):
                self.sysctl(key)
        ip("link set lo up", self.name)

    def sysctl(self, setting):
        """Sets KEY=VALUE below net/ in this namespace."""
        key, value = setting.split("=")
        with self.inside():
            mine = os.path.exists(f"/proc/sys/net/{key}")
        # Older kernels have some of them only once, for all namespaces.
        with self.inside() if mine else within(HOME), \
                open(f"/proc/sys/net/{key}", "w", encoding="ascii") as f:
            f.write(value)

    @contextlib.contextmanager
    def inside(self):
        """The process is in the namespace for the duration."""
        with within(self.fd):
            yield self

    @property
    def genl(self):
        """The esptun family here."""
        if not self._genl:
            with self.inside():
                self._genl = nl.Genl()
        return self._genl

    @property
    def rtnl(self):
        """Links here."""
        if not self._rtnl:
            with self.inside():
                self._rtnl = nl.Rtnl()
        return self._rtnl

    def events(self):
        """A new subscriber of esptun's events here."""
        with self.inside():
            made = nl.Events()
        self.sockets.append(made)
        return made

    def socket(self, *args):
        """A socket that lives here, and no longer than the namespace."""
        with self.inside():
            made = socket.socket(*args)
        self.sockets.append(made)
        return made

    def index(self, dev):
        """Interface index of a device."""
        with self.inside():
            return socket.if_nametoindex(dev)

    def mac(self, dev):
        """Link-layer address of a device."""
        return sh(f"ip -n {self.name} -o link show {dev}").split("link/ether ")[1].split()[0]

    def ip(self, lines):
        """ip(8) here."""
        ip(lines, self.name)

    def sh(self, command, **kw):
        """A shell command here."""
        return sh(f"ip netns exec {self.name} bash -c '{command}'", **kw)

    def snmp(self, name):
        """A counter of /proc/net: "XfrmInNoStates", or "Icmp.InDestUnreachs"."""
        group, _, key = name.rpartition(".")
        with self.inside():
            path = f"/proc/thread-self/net/{'snmp' if group else 'xfrm_stat'}"
            with open(path, encoding="ascii") as f:
                lines = [line.split() for line in f]
        if not group:
            return int(dict(lines)[key])
        names, values = [words for words in lines if words[0] == f"{group}:"]
        return int(values[names.index(key)])

    def release(self):
        """Closes what this process holds it with, sockets too. False: that was done before."""
        for s in (self._genl, self._rtnl, *self.sockets):
            if s:
                s.close()
        self._genl = self._rtnl = None
        held = self.fd >= 0
        if held:
            os.close(self.fd)
            self.fd = -1
        return held

    def delete(self):
        """Ends the namespace: nothing here holds it any more, and its name goes."""
        if self.release():
            sh(f"ip netns del {self.name}")


class Sniffer:
    """
    Watches an outer link for its whole life. A filter in the kernel drops what is meant to be
    there (ARP, ESP), so that only leaks cost anything; ICMP is judged by its addresses, and
    with `udp` UDP between outer hosts by what it has in it.
    """
    PROGRAM = [(0x28, 0, 0, 12), (0x15, 6, 0, 0x0806), (0x15, 0, 2, 0x0800),
               (0x30, 0, 0, 23), (0x15, 3, 4, 50), (0x15, 0, 3, 0x86dd),
               (0x30, 0, 0, 20), (0x15, 0, 1, 50), (0x06, 0, 0, 0), (0x06, 0, 0, 0x40000)]

    def __init__(self, ns, dev, outer, udp=None):
        self.udp = udp          # a text that is in all plain packets
        code = b"".join(struct.pack("=HBBI", *i) for i in self.PROGRAM)
        memory = ctypes.create_string_buffer(code)
        self.outer = [socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a)
                      for a in outer]
        self.ns, self.dev, self.where = ns, dev, f"{ns.name}/{dev}"
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                             struct.pack("HL", len(self.PROGRAM), ctypes.addressof(memory)))
        if udp:
            self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        with ns.inside():
            self.sock.bind((dev, ETH_P_ALL))
        self.sock.setblocking(False)

    def carries(self, frame, proto):
        """Is UDP allowed here, and does this not show what was sent?"""
        return proto == 17 and self.udp and self.udp not in frame

    def fine4(self, frame):
        """ICMP between outer hosts, or ESP in UDP."""
        return frame[26:30] in self.outer and frame[30:34] in self.outer and \
            (frame[23] == 1 or self.carries(frame, frame[23]))

    def fine6(self, frame):
        """ICMPv6 between outer hosts, neighbour discovery, a fragment of ESP, ESP in UDP."""
        if frame[38:54] == socket.inet_pton(socket.AF_INET6, "ff02::16"):
            return True         # multicast listeners report to routers
        if frame[22:38] in self.outer and frame[38:54] in self.outer and \
                self.carries(frame, frame[20]):
            return True
        # A link whose MTU was below 1280 for a while comes back with IPv6 and reports it,
        # from no address at all; nothing that a tunnel carries looks so.
        if frame[22:38] == bytes(16):
            return True
        if frame[22:38] not in self.outer or frame[20] not in (44, 58):
            return False
        if frame[20] == 44:
            return frame[38:54] in self.outer and frame[54] == 50
        return frame[38:54] in self.outer or 133 <= frame[54] <= 137

    def verify(self):
        """Fails on the first packet that is neither ARP, ESP nor ICMP between outer hosts."""
        while True:
            try:
                frame, where = self.sock.recvfrom(65536)
            except BlockingIOError:
                return
            except OSError as err:
                if err.errno != errno.ENETDOWN:     # told once when a link goes down
                    raise
                continue
            judge = {b"\x08\x00": self.fine4, b"\x86\xdd": self.fine6}.get(frame[12:14])
            if not (judge and judge(frame)):
                direction = "out" if where[2] == PACKET_OUTGOING else "in"
                raise Failure(f"leak on {self.where} ({direction}): {frame[:80].hex()}")


    def control(self):
        """A sniffer that is blind proves nothing: it must report a packet sent in clear."""
        with self.ns.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s, self.ns.inside():
            s.bind((self.dev, 0))
            s.send(b"\xff" * 6 + b"\x02" + bytes(5) + b"\x08\x00" + b"\x45" + bytes(8) + b"\x11"
                   + bytes(2) + socket.inet_aton("10.1.0.1") + socket.inet_aton("10.2.0.1"))
        try:
            self.verify()
        except Failure:
            return
        raise Failure(f"the sniffer on {self.where} did not see a packet in clear")


class Tap:
    """Records the packets on a link, outermost header first; for looking at what went by."""
    def __init__(self, ns, dev, proto=None, version=4):
        self.version = version
        self.sock = ns.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        with ns.inside():
            self.sock.bind((dev, ETH_P_ALL))
        self.sock.setblocking(False)
        self.proto = proto

    def packets(self, direction=None):
        """
        Packets of the IP version since the last call; direction "in" or "out" as seen from the
        link's end.
        """
        got = []
        while True:
            try:
                data, where = self.sock.recvfrom(65600)
            except BlockingIOError:
                return got
            way = "out" if where[2] == PACKET_OUTGOING else "in"
            kind, at = {4: (0x0800, 9), 6: (0x86dd, 6)}[self.version]
            if where[1] == kind and direction in (None, way) and \
                    self.proto in (None, data[at]):
                got.append(data)

    def close(self):
        """Stops recording."""
        self.sock.close()


def load():
    """Loads the module that was built for this kernel, if it is not loaded."""
    if not os.path.isdir("/sys/module/esptun"):
        for name in sh(f"modinfo -F depends {ESPTUN_KO}").strip().split(","):
            sh(f"modprobe {name}" if name else ":")
        sh(f"insmod {ESPTUN_KO}")


class Bed:
    """
    Everything one script makes. verify() is the end of every script: sniffers silent, all
    namespaces gone, as many tunnels and SAs destroyed as created, the module unloaded.
    """
    def __init__(self):
        self.namespaces, self.sniffers = [], []
        # On one CPU packets stay in order, so that the tests can tell it if they do not.
        os.sched_setaffinity(0, {0})
        load()
        self.genl = nl.Genl()
        self.base = self.module()

    def module(self):
        """Counters of the module."""
        return self.genl.do("module-get")

    def ns(self, name):
        """A namespace that verify() will remove."""
        made = Ns(name)
        self.namespaces.append(made)
        return made

    def drop(self, ns):
        """Removes a namespace before the end."""
        self.namespaces.remove(ns)
        ns.delete()

    def sniff(self, ns, dev, outer, udp=None):
        """Starts the always-on sniffer."""
        self.sniffers.append(Sniffer(ns, dev, outer, udp))

    def wire(self, a, adev, aaddr, b, bdev, baddr, mtu=1500, sniff=True):
        """Joins two namespaces by an Ethernet link with IPv4 only, or with IPv6 addresses."""
        ip(f"link add {adev} netns {a.name} mtu {mtu} type veth "
           f"peer name {bdev} netns {b.name} mtu {mtu}")
        for ns, dev, addr in ((a, adev, aaddr), (b, bdev, baddr)):
            if ":" in addr:
                ns.ip(f"addr add {addr} dev {dev} nodad\nlink set {dev} up")
                continue
            ns.sysctl(f"ipv6/conf/{dev}/disable_ipv6=1")
            ns.ip(f"addr add {addr} dev {dev}\nlink set {dev} up")
        # While an address is being resolved packets may overtake each other: not our subject.
        for ns, dev, addr, other in ((a, adev, baddr, (b, bdev)), (b, bdev, aaddr, (a, adev))):
            ns.ip(f"neigh replace {addr.split('/')[0]} lladdr {other[0].mac(other[1])} dev {dev}")
        if sniff:
            self.sniff(b, bdev, [aaddr.split("/")[0], baddr.split("/")[0]])

    def unsniff(self, dev):
        """A link goes before the end: its sniffers are asked now, not by verify()."""
        for sniffer in [s for s in self.sniffers if s.dev == dev]:
            sniffer.verify()
            sniffer.control()
            sniffer.sock.close()
            self.sniffers.remove(sniffer)

    def balanced(self):
        """True when as much was destroyed as created."""
        m = self.module()
        return m["tunnels_created"] == m["tunnels_destroyed"] and \
            m["sas_created"] == m["sas_destroyed"]

    def verify(self):
        """The last case of every script."""
        trouble = []
        for sniffer in self.sniffers:
            try:
                sniffer.verify()
                sniffer.control()
            except Failure as err:
                trouble.append(str(err))
            sniffer.sock.close()
        for ns in self.namespaces:
            ns.delete()
        try:
            wait_for("created == destroyed", self.balanced)
        except Failure as err:
            trouble.append(f"{err} {self.module()}")
        m = self.module()
        self.genl.close()
        sh("rmmod esptun")
        diag(f"tunnels {m['tunnels_created']} created {m['tunnels_destroyed']} destroyed, "
             f"SAs {m['sas_created']} created {m['sas_destroyed']} destroyed")
        if trouble:
            raise Failure("; ".join(trouble))


def drops(ns, dev):
    """The non-zero drop counters of a tunnel."""
    got = ns.genl.do("tunnel-get", ifname=dev).get("drops", {})
    return {name: count for name, count in got.items() if count}


def stats(ns, dev):
    """Packets and octets of a tunnel."""
    return ns.genl.do("tunnel-get", ifname=dev)["stats"]


def refused(code, text, what):
    """It is, with this errno and a text that has this word in it."""
    try:
        what()
    except nl.Refused as err:
        equal((err.errno, text in (err.text or "")), (code, True), f"{text}: {err.text}")
        return
    raise Failure(f"accepted, although: {text}")


def flow(sender, sdev, receiver, rdev):
    """What one esptun device has sent, and what the other has received or dropped by name."""
    got = receiver.genl.do("tunnel-get", ifname=rdev)
    lost = sum(v for k, v in got.get("drops", {}).items() if k.startswith("rx_"))
    return stats(sender, sdev)["tx_packets"], got["stats"]["rx_packets"] + lost


def reconcile(sender, sdev, receiver, rdev, before=(0, 0)):
    """
    What was sent since `before` (from flow()) was received or dropped by name. Waits, as
    packets may still be on their way.
    """
    def balanced():
        now = flow(sender, sdev, receiver, rdev)
        return now[0] - before[0] == now[1] - before[1]
    wait_for(f"{sdev} sent == {rdev} received + named drops", balanced)


def expect_drops(ns, dev, before, **wanted):
    """Since `before` (from drops()) exactly these counters moved, by exactly this much."""
    def moved():
        now = drops(ns, dev)
        return {k: now.get(k, 0) - before.get(k, 0)
                for k in set(now) | set(before) if now.get(k, 0) != before.get(k, 0)}
    wait_for(f"{sum(wanted.values())} drops of {dev}",
             lambda: sum(moved().values()) >= sum(wanted.values()) or not wanted)
    equal(moved(), wanted, f"drop counters of {dev}")
