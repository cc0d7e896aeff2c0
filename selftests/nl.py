# SPDX-License-Identifier: GPL-2.0-or-later
"""
A raw netlink client for the tests, independent of libesptun: names and numbers come from
Documentation/netlink/specs/esptun.yaml, so that what it sends is the contract and not what
a library makes of it. It can also send what no library would: short, long, unknown and
unaligned attributes.
"""
import errno
import os
import socket
import struct

import yaml

from ktap import SLOW

SPEC_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..",
                         "Documentation", "netlink", "specs", "esptun.yaml")

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_DUMP_INTR = 0x100, 0x200, 0x400, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLMSG_F_CAPPED, NLMSG_F_ACK_TLVS = 0x100, 0x200
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 1, 10, 11
NETLINK_ROUTE, NETLINK_GENERIC = 0, 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
IFLA_IFNAME, IFLA_MTU, IFLA_LINKINFO, IFLA_NET_NS_FD = 3, 4, 18, 28
NLA_F_NESTED = 0x8000


class Refused(Exception):
    """The kernel said no: errno and the text of its extended acknowledgement."""
    def __init__(self, code, text, missing=None):
        super().__init__(f"{errno.errorcode.get(code, code)}: {text or 'no text'}")
        self.errno = code
        self.text = text
        self.missing = missing


def attr(kind, payload):
    """One attribute with its padding."""
    return struct.pack("=HH", 4 + len(payload), kind) + payload + b"\0" * (-len(payload) % 4)


def attrs_of(data):
    """Yields (type, payload) of an attribute stream."""
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4 or length > len(data):
            raise ValueError(f"attribute of {length} octets in {len(data)}")
        yield kind & 0x3fff, data[4:length]
        data = data[(length + 3) & ~3:]


class Spec:
    """The YAML specification as lookup tables."""
    def __init__(self):
        with open(SPEC_FILE, encoding="utf-8") as f:
            spec = yaml.load(f, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        self.family = spec["name"]
        self.version = spec["version"]
        self.enums = {}
        for d in spec["definitions"]:
            if d["type"] == "const":
                continue
            names = [e["name"] for e in d["entries"]]
            shift = d["type"] == "flags"
            self.enums[d["name"]] = {n: 1 << i if shift else i for i, n in enumerate(names)}
        self.sets = {s["name"]: self._attributes(s["attributes"])
                     for s in spec["attribute-sets"]}
        self.link = self._attributes(spec["link"]["attributes"])
        self.cmds, self.cmd_set, self.events = {}, {}, {}
        for number, op in enumerate(spec["operations"]["list"], 1):
            self.cmds[op["name"]] = number
            self.cmd_set[number] = op["attribute-set"]
            if "event" in op:
                self.events[number] = op["name"][:-len("-ntf")]

    def _attributes(self, attributes):
        if isinstance(attributes, str):          # "from-enum drop as u64"
            words = attributes.split()
            attributes = [{"name": n, "type": words[3]} for n in self.enums[words[1]]]
        return {a["name"]: (number, a) for number, a in enumerate(attributes, 1)}

    def encode(self, table, values):
        """Attributes of a request; keys with _ for -, enum values by name; bytes go as they are."""
        out = b""
        for key, value in values.items():
            if value is None:
                continue
            number, a = table[key.replace("_", "-")]
            out += attr(number, self._pack(a, value))
        return out

    def _pack(self, a, value):
        if isinstance(value, bytes):
            return value
        if a["type"] == "string":
            return value.encode() + b"\0"
        if a.get("display-hint") == "ipv4" and isinstance(value, str):
            return socket.inet_aton(value)
        if a.get("display-hint") == "ipv6" and isinstance(value, str):
            return socket.inet_pton(socket.AF_INET6, value)
        if isinstance(value, str):
            value = self.enums[a["enum"]][value]
        elif isinstance(value, (list, tuple)):
            value = sum(self.enums[a["enum"]][v] for v in value)
        order = ">" if a.get("byte-order") == "big-endian" else "="
        return struct.pack(order + {"u8": "B", "u16": "H", "u32": "I", "u64": "Q"}[a["type"]],
                           int(value))

    def decode(self, table, data):
        """The reverse, to a dictionary with _ for -."""
        by_number = {number: a for number, a in table.values()}
        out = {}
        for kind, payload in attrs_of(data):
            a = by_number.get(kind)
            if a and a["type"] != "pad":
                out[a["name"].replace("-", "_")] = self._unpack(a, payload)
        return out

    def _unpack(self, a, payload):
        if a["type"] == "nest":
            return self.decode(self.sets[a["nested-attributes"]], payload)
        if a["type"] == "string":
            return payload.rstrip(b"\0").decode()
        if a.get("display-hint") == "ipv6":
            return socket.inet_ntop(socket.AF_INET6, payload)
        if a["type"] == "binary":
            return payload
        if a.get("display-hint") == "ipv4":
            return socket.inet_ntoa(payload)
        order = "big" if a.get("byte-order") == "big-endian" else "little"
        value = int.from_bytes(payload, order)
        names = self.enums.get(a.get("enum"))
        if names and a["enum"] == "sa-flags":
            return {n for n, bit in names.items() if value & bit}
        if names:
            return {v: n for n, v in names.items()}.get(value, value)
        return value


SPEC = Spec()


class Netlink:
    """One netlink socket; made in the caller's current network namespace."""
    def __init__(self, protocol):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.settimeout(60 * SLOW)
        self.seq = 0
        self.interrupted = False

    def close(self):
        """Closes the socket."""
        self.sock.close()

    def talk(self, kind, flags, body):
        """Sends one request, returns the replies' (type, body); raises Refused."""
        self.seq += 1
        self.interrupted = False
        self.sock.send(struct.pack("=IHHII", 16 + len(body), kind,
                                   flags | NLM_F_REQUEST | NLM_F_ACK, self.seq, 0) + body)
        replies = []
        while True:
            data = self.sock.recv(1 << 20)
            while len(data) >= 16:
                length, rtype, rflags, seq, _ = struct.unpack_from("=IHHII", data)
                message, data = data[16:length], data[(length + 3) & ~3:]
                if seq != self.seq:
                    continue
                self.interrupted |= bool(rflags & NLM_F_DUMP_INTR)
                if rtype in (NLMSG_ERROR, NLMSG_DONE):
                    self._verdict(rtype, rflags, message)
                    return replies
                replies.append((rtype, message))

    @staticmethod
    def _verdict(rtype, rflags, message):
        code = -struct.unpack_from("=i", message)[0] if len(message) >= 4 else 0
        if not code:
            return
        skip = 4 if rtype == NLMSG_DONE else 20
        if rtype == NLMSG_ERROR and not rflags & NLMSG_F_CAPPED:
            skip = 4 + ((struct.unpack_from("=I", message, 4)[0] + 3) & ~3)
        text, missing = "", None
        if rflags & NLMSG_F_ACK_TLVS:
            for kind, payload in attrs_of(message[skip:]):
                if kind == 1:
                    text = payload.rstrip(b"\0").decode()
                elif kind == 5:
                    missing = struct.unpack("=I", payload)[0]
        raise Refused(code, text, missing)


class Genl(Netlink):
    """The esptun family in the current network namespace."""
    def __init__(self):
        super().__init__(NETLINK_GENERIC)
        self.id, self.groups = self._resolve()

    def _resolve(self):
        body = struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) + attr(2, SPEC.family.encode() + b"\0")
        family, groups = 0, {}
        for kind, payload in attrs_of(self.talk(GENL_ID_CTRL, 0, body)[0][1][4:]):
            if kind == 1:
                family = struct.unpack("=H", payload)[0]
            elif kind == 7:
                for _, group in attrs_of(payload):
                    found = dict(attrs_of(group))
                    groups[found[1].rstrip(b"\0").decode()] = struct.unpack("=I", found[2])[0]
        return family, groups

    def raw(self, cmd, payload, flags=0):
        """A request with any payload; returns the decoded replies."""
        table = SPEC.sets[SPEC.cmd_set.get(cmd, "sa")]
        body = struct.pack("=BBH", cmd, SPEC.version, 0) + payload
        return [SPEC.decode(table, message[4:]) for _, message in self.talk(self.id, flags, body)]

    def do(self, op, **values):
        """One request; returns the reply's attributes, or None."""
        cmd = SPEC.cmds[op]
        got = self.raw(cmd, SPEC.encode(SPEC.sets[SPEC.cmd_set[cmd]], values))
        return got[0] if got else None

    def dump(self, op, **values):
        """All replies of a dump; again if the kernel said that it was interrupted."""
        cmd = SPEC.cmds[op]
        payload = SPEC.encode(SPEC.sets[SPEC.cmd_set[cmd]], values)
        for _ in range(100):
            got = self.raw(cmd, payload, NLM_F_DUMP)
            if not self.interrupted:
                return got
        raise Refused(errno.EINTR, "dump interrupted a hundred times")


class Events(Genl):
    """Subscriber of the multicast group "events" in the current network namespace."""
    def __init__(self):
        super().__init__()
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.groups["events"])
        self.sock.setblocking(False)
        self.seen = []

    def poll(self):
        """All events so far, as (name, attributes)."""
        while True:
            try:
                data = self.sock.recv(1 << 20)
            except BlockingIOError:
                return self.seen
            while len(data) >= 20:
                length = struct.unpack_from("=I", data)[0]
                cmd = data[16]
                values = SPEC.decode(SPEC.sets[SPEC.cmd_set[cmd]], data[20:length])
                self.seen.append((SPEC.events[cmd], values))
                data = data[(length + 3) & ~3:]

    def named(self, name):
        """Attributes of all events of that name so far."""
        return [values for event, values in self.poll() if event == name]

    def forget(self):
        """Starts over."""
        self.poll()
        self.seen = []


class Rtnl(Netlink):
    """Devices of kind esptun in the current network namespace."""
    def __init__(self):
        super().__init__(NETLINK_ROUTE)

    def newlink(self, name, flags=NLM_F_CREATE | NLM_F_EXCL, mtu=None, netns=None, data=None,
                **values):
        """Makes or changes a device; data replaces the encoded options, as raw octets."""
        info = SPEC.encode(SPEC.link, values) if data is None else data
        body = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0) + attr(IFLA_IFNAME, name.encode() + b"\0")
        if mtu is not None:
            body += attr(IFLA_MTU, struct.pack("=I", mtu))
        if netns is not None:
            body += attr(IFLA_NET_NS_FD, struct.pack("=I", netns))
        body += attr(IFLA_LINKINFO | NLA_F_NESTED,
                     attr(1, b"esptun\0") + attr(2 | NLA_F_NESTED, info))
        self.talk(RTM_NEWLINK, flags, body)

    def link(self, name):
        """A device's attributes."""
        body = struct.pack("=BBHiII", 0, 0, 0, 0, 0, 0) + attr(IFLA_IFNAME, name.encode() + b"\0")
        return dict(attrs_of(self.talk(RTM_GETLINK, 0, body)[0][1][16:]))

    def getlink(self, name):
        """The esptun options of a device as the kernel tells them."""
        info = dict(attrs_of(self.link(name)[IFLA_LINKINFO]))
        return SPEC.decode(SPEC.link, info.get(2, b""))
