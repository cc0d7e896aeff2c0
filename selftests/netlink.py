#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
"""
The netlink contract: what is refused, by whom it may be asked, what dumps show while things
change, and that no key ever comes out. Every refusal of ours says what was wrong.
"""
import ctypes
import errno
import os
import signal
import socket
import struct

import nl
from bed import Bed, LIBC, sh
from ends import A_IN, A_OUT, B_IN, B_OUT, esptun
from ktap import Failure, add, case, check, equal, run, wait_for
from nl import SPEC, Refused, attr
from sa import ALL, AUTH, ENCR, ICV, Sa

BED = {}
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SA_TABLE = SPEC.sets["sa"]


def setup():
    """One namespace with two devices and no peer."""
    BED["bed"] = bed = Bed()
    a = BED["a"] = bed.ns("a")
    a.ip(f"link add out0 type dummy\naddr add {A_OUT}/24 dev out0\nlink set out0 up")
    esptun(a, "esp0", A_OUT, B_OUT, A_IN, B_IN)
    esptun(a, "esp1", A_OUT, "192.0.2.3")
    BED["index"] = a.index("esp0")


def refused(code, call, words=None, text=True):
    """The call must be refused with this errno and a text that has these words."""
    try:
        call()
    except Refused as err:
        check(err.errno in (code if isinstance(code, tuple) else (code,)),
              f"refused with {err}, expected {code}")
        check(not text or err.text, f"{err}: refused without a text")
        for word in (words or "").split():
            check(word in err.text, f"'{err.text}' does not say '{word}'")
        return err
    raise Failure(f"accepted, expected {errno.errorcode.get(code, code)}")


def new(sa, direction="in", **over):
    """sa-new on esp0, with changes."""
    BED["a"].genl.do("sa-new", ifindex=over.pop("ifindex", BED["index"]),
                     **sa.values(direction, **over))


def sas():
    """All SAs of esp0."""
    return BED["a"].genl.dump("sa-get", ifindex=BED["index"])


def clean():
    """No SA was made by what was refused."""
    equal(sas(), [], "SAs left")


@case("sa-new: each required attribute missing")
def missing():
    sa = Sa(B_OUT, A_OUT)
    for name in ("ifindex", "dir", "spi", "encr", "encr_key"):
        values = {"ifindex": BED["index"], **sa.values("in")}
        values[name] = None
        refused(errno.EINVAL, lambda v=values: BED["a"].genl.do("sa-new", **v), name.split("_")[0])
    cbc = Sa(B_OUT, A_OUT, [x for x in ALL if x.encr == "aes-cbc"][0])
    refused(errno.EINVAL, lambda: new(cbc, auth_key=None), "auth-key")
    clean()


@case("each other operation without its attributes")
def missing_elsewhere():
    genl = BED["a"].genl
    for op, needed in (("sa-del", {"ifindex": BED["index"], "dir": "in", "spi": 300}),
                       ("sa-get", {"ifindex": BED["index"], "dir": "in", "spi": 300}),
                       ("sa-activate", {"ifindex": BED["index"], "spi": 300}),
                       ("sa-alloc-spi", {"ifindex": BED["index"]})):
        for name in needed:
            values = {**needed, name: None}
            refused(errno.EINVAL, lambda o=op, v=values: genl.do(o, **v), name)
    refused(errno.EINVAL, lambda: genl.do("tunnel-get"))


@case("every attribute too long, too short and empty, every unknown one")
def wrong_sizes():
    genl = BED["a"].genl
    whole = {"ifindex": BED["index"], **Sa(B_OUT, A_OUT).values("in")}
    count = 0
    for name, (number, a) in SA_TABLE.items():
        key = name.replace("-", "_")
        others = SPEC.encode(SA_TABLE, {k: v for k, v in whole.items() if k != key})
        size = {"u8": 1, "u32": 4, "u64": 8}.get(a["type"])
        if a["type"] == "binary":
            exact = a["checks"].get("exact-len")
            limit = exact or a["checks"]["max-len"]
            lengths = [(64 if limit == "cookie-max-len" else limit) + 1, 4000]
            lengths += [0, exact - 1] if exact else []
        elif size:
            lengths = [0, size - 1, size + 1, 300]
        else:
            lengths = []
        for length in lengths:
            refused((errno.EINVAL, errno.ERANGE),
                    lambda o=others, n=number, s=length: genl.raw(SPEC.cmds["sa-new"],
                                                                  o + attr(n, bytes(s))))
            count += 1
    everything = SPEC.encode(SA_TABLE, whole)
    for number in (len(SA_TABLE) + 1, 99, 0x3fff):
        refused(errno.EINVAL, lambda n=number: genl.raw(SPEC.cmds["sa-new"],
                                                        everything + attr(n, b"1234")))
    check(count > 50, f"only {count} tried")
    clean()


@case("reply-only attributes in a request are refused")
def reply_only():
    whole = SPEC.encode(SA_TABLE, {"ifindex": BED["index"], **Sa(B_OUT, A_OUT).values("in")})
    for name in ("bytes", "packets", "created", "confirmed", "driver", "encr-key-len", "reason"):
        number, a = SA_TABLE[name]
        payload = b"x\0" if a["type"] == "string" else bytes({"u8": 1, "u32": 4}.get(a["type"], 8))
        refused(errno.EINVAL, lambda n=number, p=payload: BED["a"].genl.raw(
            SPEC.cmds["sa-new"], whole + attr(n, p)))
    clean()


@case("attribute streams that lie about their lengths")
def lying_lengths():
    genl, cmd = BED["a"].genl, SPEC.cmds["sa-new"]
    whole = SPEC.encode(SA_TABLE, {"ifindex": BED["index"], **Sa(B_OUT, A_OUT).values("in")})
    for tail in (struct.pack("=HH", 3, 1), struct.pack("=HH", 0, 1), struct.pack("=HH", 40, 1),
                 b"\xff\xff\xff\xff", b"\1", b"\1\2\3"):
        refused((errno.EINVAL, errno.ERANGE), lambda t=tail: genl.raw(cmd, whole + t))
    refused(errno.EOPNOTSUPP, lambda: genl.raw(200, b""), text=False)
    refused(errno.EOPNOTSUPP, lambda: genl.raw(SPEC.cmds["acquire-ntf"], b""), text=False)
    clean()


@case("enumerations out of range")
def enums():
    sa = Sa(B_OUT, A_OUT)
    for name in ("dir", "encr", "auth", "state", "flags"):
        for value in (len(SPEC.enums.get(name, {})) or 4, 200, 0xffffffff):
            if name in ("state", "flags") and value == 4:
                value = 1 << 8
            refused((errno.EINVAL, errno.ERANGE),
                    lambda n=name, v=value: new(sa, **{n: struct.pack("=I", v)}))
    clean()


@case("SPI below 256, taken, and taken by in-tree IPsec")
def spis():
    a = BED["a"]
    for spi in (0, 1, 255):
        refused(errno.EINVAL, lambda s=spi: new(Sa(B_OUT, A_OUT), spi=s), "256")
        refused(errno.EINVAL, lambda s=spi: new(Sa(A_OUT, B_OUT), "out", spi=s), "256")
    first = Sa(B_OUT, A_OUT)
    new(first)
    refused(errno.EEXIST, lambda: new(Sa(B_OUT, A_OUT, spi=first.spi)))
    refused(errno.EEXIST, lambda: new(Sa("192.0.2.3", A_OUT, spi=first.spi),
                                      ifindex=a.index("esp1")))
    out = Sa(A_OUT, B_OUT, spi=first.spi)
    new(out, "out")                 # the peer's numbers are another space
    refused(errno.EEXIST, lambda: new(Sa(A_OUT, B_OUT, spi=first.spi), "out"))
    foreign = Sa(B_OUT, A_OUT)
    a.ip(foreign.xfrm())
    refused(errno.EEXIST, lambda: new(Sa(B_OUT, A_OUT, spi=foreign.spi)), "xfrm")
    a.ip("xfrm state flush")
    new(Sa(B_OUT, A_OUT, spi=foreign.spi))
    a.genl.do("sa-flush")
    clean()


def key_lengths(encr):
    """Only the lengths of the transform, for its cipher and each integrity algorithm."""
    a = BED["a"]
    lengths, salt = ENCR[encr][:2]
    alone = encr in ICV
    plain = {"encr": encr, "auth": "none" if alone else "hmac-sha256-128",
             "auth_key": None if alone else os.urandom(32)}
    for size in range(0, 69):
        sa = Sa(B_OUT, A_OUT)
        over = {**plain, "encr_key": os.urandom(size) if size else None}
        if size - salt in lengths:
            new(sa, **over)
            equal(sas()[0]["encr_key_len"], (size - salt) * 8, "bits shown")
            sa.delete(a, "esp0", "in")
        else:
            refused(errno.EINVAL, lambda s=sa, o=over: new(s, **o), f"got {size}" if lengths != (0,)
                    else f"takes no key, got {size} octets")
    clean()


for cipher in ENCR:
    add(f"key lengths: {cipher}", key_lengths, cipher)


@case("key lengths: integrity algorithms")
def auth_lengths():
    a = BED["a"]
    for name, (length, *_) in AUTH.items():
        for size in range(0, 65):
            sa = Sa(B_OUT, A_OUT)
            over = {"encr": "aes-cbc", "encr_key": os.urandom(16), "auth": name,
                    "auth_key": os.urandom(size) if size else None}
            if size == length:
                new(sa, **over)
                sa.delete(a, "esp0", "in")
            else:
                refused(errno.EINVAL, lambda s=sa, o=over: new(s, **o),
                        f"auth-key: {name} takes exactly {length} octets, got {size}")
    clean()


@case("combinations that protect nothing or contradict themselves")
def combinations():
    sa = Sa(B_OUT, A_OUT)
    md5 = os.urandom(16)
    cbc = {"encr": "aes-cbc", "encr_key": os.urandom(16), "auth": "none"}
    refused(errno.EINVAL, lambda: new(sa, auth="hmac-md5-96", auth_key=md5), "integrity")
    refused(errno.EINVAL, lambda: new(sa, auth_key=md5), "auth-key")
    refused(errno.EINVAL, lambda: new(sa, encr="null", encr_key=None), "integrity")
    refused(errno.EINVAL, lambda: new(sa, encr="null", encr_key=None, flags=["no-integrity-ok"]),
            "integrity")
    refused(errno.EINVAL, lambda: new(sa, **cbc), "no-integrity-ok")
    refused(errno.EINVAL, lambda: new(sa, **cbc, flags=["no-integrity-ok"]), "replay-window")
    refused(errno.EINVAL, lambda: new(sa, **cbc, flags=["no-integrity-ok", "esn"]), "integrity")
    key = os.urandom(8)
    refused(errno.EINVAL, lambda: new(sa, encr="des3-cbc", encr_key=key + key + os.urandom(8),
                                      auth="hmac-md5-96", auth_key=md5), "weak")
    new(sa, **cbc, flags=["no-integrity-ok"], replay_window=0)
    sa.delete(BED["a"], "esp0", "in")
    clean()


@case("replay window: 0 or 32..4096, inbound only, needed for ESN")
def windows():
    a = BED["a"]
    for window in (1, 31, 4097, 65536, 0xffffffff):
        refused((errno.EINVAL, errno.ERANGE), lambda w=window: new(Sa(B_OUT, A_OUT),
                                                                   replay_window=w))
    refused(errno.EINVAL, lambda: new(Sa(A_OUT, B_OUT), "out", replay_window=64), "replay-window")
    refused(errno.EINVAL, lambda: new(Sa(B_OUT, A_OUT, esn=True), replay_window=0), "window")
    for window in (0, 32, 33, 4096):
        new(Sa(B_OUT, A_OUT, window=window))
    equal(sorted(s["replay_window"] for s in sas()), [0, 32, 33, 4096], "windows shown")
    a.genl.do("sa-flush", ifindex=BED["index"])
    clean()


@case("states, partners, limits and numbers that make no sense")
def nonsense():
    out, back = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    for state in ("old", "expired"):
        refused(errno.EINVAL, lambda s=state: new(out, "out", state=s), "state")
    for state in ("pending", "old", "expired"):
        refused(errno.EINVAL, lambda s=state: new(back, state=s), "state")
    refused(errno.EINVAL, lambda: new(back, partner_spi=300), "partner-spi")
    refused(errno.EINVAL, lambda: new(out, "out", partner_spi=255), "partner-spi")
    refused(errno.EINVAL, lambda: new(out, "out", partner_spi=0x999), "partner-spi")
    for kind in ("bytes", "packets"):
        refused(errno.EINVAL, lambda k=kind: new(out, "out", **{f"soft_{k}": 11, f"hard_{k}": 10}),
                f"soft-{kind}")
    refused(errno.EINVAL, lambda: new(out, "out", seq=0xffffffff), "seq")
    refused(errno.EINVAL, lambda: new(out, "out", seq=1 << 33), "seq")
    refused(errno.EINVAL, lambda: new(back, seq=1 << 32), "seq")
    refused(errno.EINVAL, lambda: new(out, "out", flags=["esn"], seq=(1 << 64) - 1), "seq")
    clean()


@case("devices that are none, or none of ours")
def devices():
    genl = BED["a"].genl
    lo = BED["a"].index("lo")
    for index in (lo, 0, 99999, 0xffffffff):
        refused(errno.ENODEV, lambda i=index: new(Sa(B_OUT, A_OUT), ifindex=i))
        refused(errno.ENODEV, lambda i=index: genl.do("sa-alloc-spi", ifindex=i))
        refused(errno.ENODEV, lambda i=index: genl.do("tunnel-get", ifindex=i))
    refused(errno.ENODEV, lambda: genl.do("tunnel-get", ifname="lo"))
    refused(errno.ENODEV, lambda: genl.do("tunnel-get", ifname="nosuch0"))
    refused((errno.EINVAL, errno.ERANGE), lambda: genl.do("tunnel-get", ifname="x" * 16))


@case("deleting, activating and asking for what is not there")
def not_there():
    a, index = BED["a"], BED["index"]
    for direction in ("in", "out"):
        refused(errno.ENOENT, lambda d=direction: a.genl.do("sa-del", ifindex=index, dir=d, spi=777))
        refused(errno.ENOENT, lambda d=direction: a.genl.do("sa-get", ifindex=index, dir=d, spi=777))
    refused(errno.ENOENT, lambda: a.genl.do("sa-activate", ifindex=index, spi=777))
    back = Sa(B_OUT, A_OUT)
    new(back)
    refused(errno.ENOENT, lambda: a.genl.do("sa-activate", ifindex=index, spi=back.spi))
    refused(errno.ENOENT, lambda: a.genl.do("sa-del", ifindex=index, dir="out", spi=back.spi))
    refused(errno.ENOENT, lambda: a.genl.do("sa-del", ifindex=a.index("esp1"), dir="in", spi=back.spi))
    back.delete(a, "esp0", "in")
    refused(errno.ENOENT, lambda: back.delete(a, "esp0", "in"))


@case("one active outbound SA: a second makes the first old, an old one cannot come back")
def one_active():
    a, index = BED["a"], BED["index"]
    first, second, third = (Sa(A_OUT, B_OUT) for _ in range(3))
    new(first, "out")
    new(second, "out")
    new(third, "out", state="pending")
    equal({s["spi"]: s["state"] for s in sas()},
          {first.spi: "old", second.spi: "active", third.spi: "pending"}, "states")
    equal(a.genl.do("tunnel-get", ifindex=index)["out_spi"], second.spi, "out-spi")
    refused(errno.EINVAL, lambda: a.genl.do("sa-activate", ifindex=index, spi=first.spi), "old")
    a.genl.do("sa-activate", ifindex=index, spi=third.spi)
    a.genl.do("sa-activate", ifindex=index, spi=third.spi)
    equal({s["spi"]: s["state"] for s in sas()},
          {first.spi: "old", second.spi: "old", third.spi: "active"}, "states")
    a.genl.do("sa-flush", ifindex=index)
    clean()


@case("a key is not used twice for sending, unless numbers go on (GCM: nonce reuse)")
def key_reuse():
    a = BED["a"]
    first = Sa(A_OUT, B_OUT)
    again = Sa(A_OUT, B_OUT, ekey=first.ekey)
    new(first, "out")
    refused(errno.EKEYREJECTED, lambda: new(again, "out"), "key")
    refused(errno.EKEYREJECTED, lambda: new(Sa(A_OUT, "192.0.2.3", ekey=first.ekey), "out",
                                            ifindex=a.index("esp1")), "key")
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(5):
            s.sendto(b"number", (B_IN[0], 4000))
    wait_for("5 packets", lambda: first.get(a, "esp0", "out")["seq"] == 5)
    first.delete(a, "esp0", "out")
    refused(errno.EKEYREJECTED, lambda: new(again, "out"), "seq")
    refused(errno.EKEYREJECTED, lambda: new(again, "out", seq=4), "seq")
    new(again, "out", seq=5)
    a.genl.do("sa-flush")
    clean()


@case("a key in use is known however many others are, and a refused SA makes none forgotten")
def many_keys():
    a = BED["a"]
    first, sent = Sa(A_OUT, B_OUT), Sa(A_OUT, B_OUT)
    new(sent, "out")
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"number", (B_IN[0], 4000))
    wait_for("a packet", lambda: sent.get(a, "esp0", "out")["seq"] == 1)
    sent.delete(a, "esp0", "out")
    new(first, "out")
    for _ in range(300):
        new(Sa(A_OUT, B_OUT), "out", state="pending")
        refused(errno.EEXIST, lambda: new(Sa(A_OUT, B_OUT, spi=first.spi), "out"), "spi")
    refused(errno.EKEYREJECTED, lambda: new(Sa(A_OUT, B_OUT, ekey=first.ekey), "out"), "key")
    a.genl.do("sa-flush")
    new(Sa(A_OUT, B_OUT, ekey=first.ekey), "out")
    refused(errno.EKEYREJECTED, lambda: new(Sa(A_OUT, B_OUT, ekey=sent.ekey), "out"), "seq")
    a.genl.do("sa-flush")
    clean()


@case("sa-alloc-spi: random, free, for one device, given back")
def reservations():
    a, index = BED["a"], BED["index"]
    got = [a.genl.do("sa-alloc-spi", ifindex=index)["spi"] for _ in range(200)]
    equal(len(set(got)), 200, "different SPIs")
    check(min(got) >= 256, f"smallest {min(got)}")
    check(max(got) > 1 << 30 and len({s >> 24 for s in got}) > 50, "they are random")
    refused(errno.EEXIST, lambda: new(Sa("192.0.2.3", A_OUT, spi=got[0]), ifindex=a.index("esp1")),
            "reserved")
    new(Sa(B_OUT, A_OUT, spi=got[0]))
    a.genl.do("sa-del", ifindex=index, dir="in", spi=got[1])
    new(Sa("192.0.2.3", A_OUT, spi=got[1]), ifindex=a.index("esp1"))
    for spi in got[2:]:
        a.genl.do("sa-del", ifindex=index, dir="in", spi=spi)
    refused(errno.ENOENT, lambda: a.genl.do("sa-del", ifindex=index, dir="in", spi=got[5]))
    a.genl.do("sa-flush")
    clean()


@case("devices: rtnetlink refuses bad options with a text")
def bad_devices():
    a = BED["a"]
    good = {"local4": A_OUT, "remote4": "192.0.2.77"}
    link = SPEC.link
    for over in ({"remote4": None}, {"remote4": "0.0.0.0"}, {"remote4": "224.0.0.1"},
                 {"remote4": "255.255.255.255"}, {"local4": "224.0.0.9"}, {"tos": 3},
                 {"pmtudisc": 2}, {"keep_carrier": 2}, {"link": 99999},
                 {"remote6": bytes(16)}, {"local6": bytes(16)}):
        refused((errno.EINVAL, errno.ERANGE, errno.ENODEV),
                lambda o=over: a.rtnl.newlink("bad0", **{**good, **o}))
    whole = SPEC.encode(link, good)
    for number, size in ((link["ttl"][0], 3), (link["local4"][0], 3), (link["fwmark"][0], 5),
                         (len(link) + 1, 4), (200, 4)):
        refused((errno.EINVAL, errno.ERANGE), lambda n=number, s=size: a.rtnl.newlink(
            "bad0", data=whole + attr(n, bytes(s))))
    refused(errno.EEXIST, lambda: a.rtnl.newlink("esp0", **good), text=False)
    before = a.rtnl.getlink("esp1")
    refused(errno.ENODEV, lambda: a.rtnl.newlink("esp1", flags=0, remote4="192.0.2.88", ttl=7,
                                                 link=99999), "dev")
    equal(a.rtnl.getlink("esp1"), before, "after a refused change")
    check("bad0" not in a.sh("ip link show"), "no device was made")


def in_child(prepare, probe):
    """Runs probe in a child after prepare; returns what it says, one line."""
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        said = "nothing"
        try:
            os.close(out)
            prepare()
            said = probe()
        except Refused as err:
            said = str(err)
        except OSError as err:
            said = errno.errorcode.get(err.errno, str(err))
        except BaseException as err:        # pylint: disable=broad-except
            said = repr(err)
        finally:
            os.write(into, said.encode())
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as f:
        said = f.read()
    os.waitpid(pid, 0)
    return said


def unshare(flags):
    """New namespaces, root in the new user namespace."""
    uid = os.getuid()
    if LIBC.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")
    for path, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {uid} 1")):
        with open(f"/proc/self/{path}", "w", encoding="ascii") as f:
            f.write(text)


def into_a():
    """The child goes where the devices are."""
    nl_fd = os.open(f"/run/netns/{BED['a'].name}", os.O_RDONLY)
    LIBC.setns(nl_fd, CLONE_NEWNET)


def nobody():
    """In the namespace of the devices, without any privilege."""
    into_a()
    os.setgid(65534)
    os.setuid(65534)


def userns_root():
    """Root of a user namespace that does not own the network namespace."""
    into_a()
    unshare(CLONE_NEWUSER)


REFUSAL = "EPERM: needs CAP_NET_ADMIN in the user namespace of the network namespace"

REQUESTS = {"tunnel-get": {"ifindex": None}, "sa-alloc-spi": {"ifindex": None},
            "sa-new": {"ifindex": None, **Sa(B_OUT, A_OUT).values("in")},
            "sa-activate": {"ifindex": None, "spi": 300},
            "sa-del": {"ifindex": None, "dir": "in", "spi": 300},
            "sa-get": {"ifindex": None, "dir": "in", "spi": 300},
            "sa-flush": {"ifindex": None}, "module-get": {}}


def unprivileged(who):
    """Every operation, dumps and the events are refused."""
    for op, values in REQUESTS.items():
        values = {k: BED["index"] if k == "ifindex" else v for k, v in values.items()}
        equal(in_child(who, lambda o=op, v=values: str(nl.Genl().do(o, **v))), REFUSAL, op)
    for op in ("tunnel-get", "sa-get"):
        equal(in_child(who, lambda o=op: str(nl.Genl().dump(o))), REFUSAL, f"dump of {op}")
    equal(in_child(who, lambda: str(nl.Events().poll())), "EPERM", "events")
    equal(in_child(who, lambda: str(nl.Rtnl().newlink("bad0", remote4=B_OUT))), "EPERM: no text",
          "new device (refused by rtnetlink itself)")
    clean()


add("a user without privilege: each operation and dump refused with a text, the events with EPERM", unprivileged, nobody)
add("root of a foreign user namespace: the same", unprivileged, userns_root)


@case("root of a user namespace in its own network namespace: works, and sees only its own")
def own_userns():
    def probe():
        genl, rtnl = nl.Genl(), nl.Rtnl()
        seen = genl.dump("tunnel-get") + genl.dump("sa-get")
        if seen:
            return f"sees {seen}"
        rtnl.newlink("mine0", remote4=B_OUT)
        index = socket.if_nametoindex("mine0")
        genl.do("sa-new", ifindex=index, **Sa(B_OUT, A_OUT).values("in"))
        events = nl.Events()
        genl.do("sa-flush")
        return f"{len(genl.dump('tunnel-get'))} device, {[n for n, _ in events.poll()]}"
    new(Sa(B_OUT, A_OUT))

    def prepare():
        os.setgid(65534)
        os.setuid(65534)
        LIBC.prctl(4, 1, 0, 0, 0)               # PR_SET_DUMPABLE: write our own uid_map
        unshare(CLONE_NEWUSER | CLONE_NEWNET)
    equal(in_child(prepare, probe), "1 device, ['sa-deleted']", "in the namespace")
    BED["a"].genl.do("sa-flush")


@case("dumps while SAs come and go: complete, no SA twice, no error")
def dump_under_change():
    a, index = BED["a"], BED["index"]
    lasting = [Sa(B_OUT, A_OUT) for _ in range(150)]
    for sa in lasting:
        new(sa)
    pid = os.fork()
    if not pid:
        try:
            into_a()
            genl = nl.Genl()
            spi = 0x7000000
            while True:
                spi += 1
                fresh = Sa("192.0.2.3", A_OUT, spi=spi)
                genl.do("sa-new", ifindex=socket.if_nametoindex("esp1"), **fresh.values("in"))
                genl.do("sa-alloc-spi", ifindex=index)
                if spi % 5 == 0:
                    genl.do("sa-flush", ifindex=socket.if_nametoindex("esp1"))
        finally:
            os._exit(1)
    try:
        wanted, most = {sa.spi for sa in lasting}, 0
        for _ in range(60):
            seen = [(s["ifindex"], s["spi"]) for s in a.genl.dump("sa-get")]
            equal(len(seen), len(set(seen)), "SAs and different SAs")
            check(wanted <= {spi for _, spi in seen}, "a lasting SA is missing in the dump")
            most = max(most, len(seen))
        check(most > 150, "the dumps did not meet the changes")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    a.genl.do("sa-flush")
    equal(a.genl.dump("sa-get"), [], "after the flush")


@case("flush while dumping: the dump ends")
def flush_under_dump():
    a = BED["a"]
    for _ in range(10):
        for _ in range(60):
            new(Sa(B_OUT, A_OUT))
        body = struct.pack("=BBH", SPEC.cmds["sa-get"], 1, 0)
        a.genl.sock.send(struct.pack("=IHHII", 16 + len(body), a.genl.id, 0x301, 0xfff0, 0) + body)
        a.genl.sock.recv(4096)
        with a.inside():
            other = nl.Genl()
        other.do("sa-flush")
        other.close()
        while True:
            data = a.genl.sock.recv(1 << 20)
            if struct.unpack_from("=IH", data)[1] in (nl.NLMSG_DONE, nl.NLMSG_ERROR):
                break
    clean()


@case("no key comes out: dumps, events, links, the log")
def no_keys():
    a = BED["a"]
    heard = []
    events = a.events()
    keep = nl.Netlink.talk

    def talk(self, *args):
        got = keep(self, *args)
        heard.extend(message for _, message in got)
        return got
    nl.Netlink.talk = talk
    try:
        made = [Sa(B_OUT, A_OUT, alg) for alg in ALL] + [Sa(A_OUT, B_OUT, alg) for alg in ALL]
        for sa in made:
            direction = "in" if sa.dst == A_OUT else "out"
            new(sa, direction, cookie=b"hello", **({"soft_packets": 1} if direction == "out" else {}))
            sa.get(a, "esp0", direction)
        with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"x", (B_IN[0], 4000))
        a.genl.dump("sa-get")
        a.genl.dump("tunnel-get")
        a.rtnl.getlink("esp0")
        for sa in made:
            try:
                a.genl.do("sa-new", ifindex=BED["index"], **{**sa.values("in"), "spi": 1})
            except Refused as err:
                heard.append(str(err).encode())
        a.genl.do("sa-flush")
        wait_for("the events", lambda: len(events.named("sa-deleted")) == len(made))
    finally:
        nl.Netlink.talk = keep
    heard.append(repr(events.seen).encode())
    raw = b"".join(heard)
    text = raw + sh("dmesg; cat /proc/crypto; cat /proc/net/* 2>/dev/null || true").encode()
    for at, sa in enumerate(made):
        for secret in (sa.ekey, sa.akey):
            for part in (secret[:8], secret[-8:]):
                check(not part or part not in raw, f"key octets of SA {at} came out")
                check(not part or part.hex().encode() not in text.lower(), f"key of SA {at} in text")
    check(all(e["cookie"] == b"hello" for e in events.named("sa-deleted")), "the cookie comes back")
    equal({e["reason"] for e in events.named("sa-deleted")}, {"flush"}, "reason")
    clean()


@case("events say what happened, in this namespace only")
def events_tell():
    a, index = BED["a"], BED["index"]
    events, elsewhere = a.events(), nl.Events()
    out, back = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    new(out, "out", cookie=bytes(range(64)))
    new(back)
    out.delete(a, "esp0", "out")
    back.delete(a, "esp0", "in")
    got = [(name, v.get("spi"), v.get("carrier"), v.get("reason")) for name, v in events.poll()]
    equal(sorted(got, key=repr), sorted([
        ("carrier", None, 1, None), ("carrier", None, 0, None),
        ("sa-deleted", out.spi, None, "request"), ("sa-deleted", back.spi, None, "request")],
        key=repr), "events")
    equal(events.named("sa-deleted")[0]["cookie"], bytes(range(64)), "cookie")
    equal(events.named("carrier")[0]["ifindex"], index, "ifindex")
    equal(elsewhere.poll(), [], "events in another namespace")


@case("a device's end tells the reason for its SAs' end")
def device_gone():
    a = BED["a"]
    events = a.events()
    esptun(a, "esp2", A_OUT, "192.0.2.4")
    Sa("192.0.2.4", A_OUT).install(a, "esp2", "in")
    Sa(A_OUT, "192.0.2.4").install(a, "esp2", "out")
    a.ip("link del esp2")
    wait_for("two events", lambda: len(events.named("sa-deleted")) == 2)
    equal({e["reason"] for e in events.named("sa-deleted")}, {"device-gone"}, "reason")


def ends():
    """Nothing is left."""
    BED["bed"].verify()


run(setup, ends)
