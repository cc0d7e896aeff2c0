#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
What an administrator sees: tracepoints of SAs and drops, the reasons the kernel's drop monitor
is told, ethtool(8) and ip(8). Each is provoked and read back.
"""
import json
import os
import re
import socket

from bed import Bed, drops, expect_drops, sh
from craft import esp, ipv4, udp
from ends import A_IN, A_OUT, B_IN, B_OUT, pair
from ktap import add, case, check, diag, equal, run, wait_for
from nl import SPEC
from sa import Sa
from traffic import exchange

BED = {}
TRACE = "/sys/kernel/tracing"


def setup():
    """Two gateways, and the ring buffer of the kernel."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")
    if not os.path.exists(f"{TRACE}/events"):
        sh(f"mount -t tracefs nodev {TRACE}")
    for event in ("esptun/esptun_sa", "esptun/esptun_drop", "skb/kfree_skb"):
        write(f"events/{event}/enable", "1")
    BED["raw"] = BED["ends"][1].socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


def write(name, text):
    """A file of tracefs."""
    with open(f"{TRACE}/{name}", "w", encoding="ascii") as f:
        f.write(text)


def lines(event, *words):
    """Lines of the ring buffer of this event that have all words."""
    with open(f"{TRACE}/trace", encoding="ascii", errors="replace") as f:
        got = [line.split(f" {event}: ", 1)[1].strip() for line in f if f" {event}: " in line]
    return [line for line in got if all(w in line.split() for w in words)]


def forget():
    """Empties the ring buffer."""
    write("trace", "")


def keys(**more):
    """New SAs on both gateways; the outbound one of a is pending. Returns a's."""
    a, b, *_ = BED["ends"]
    ab, ba = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    ab.install(a, "esp0", "out", state="pending", partner_spi=ba.spi, **more)
    return ab, ba


def trail(sa):
    """What happened to this SA: the words behind the device, in order."""
    spi = f"spi={sa.spi:#010x}"
    return [f"{m[1]} {m[2]} {m[3]}" for m in (re.match(
        r"dev=esp0 (\S+) dir=(\S+) " + spi + r" state=(\S+)$", line)
        for line in lines("esptun_sa")) if m]


@case("esptun_sa: add, confirm, activate, replace, expire, delete, with device, SPI and state")
def sas():
    a, b, ha, hb = BED["ends"]
    forget()
    out, into = keys()
    exchange(hb, ha, 4, [100])
    second, _ = keys()
    second.delete(a, "esp0", "out")
    last = Sa(A_OUT, B_OUT).install(a, "esp0", "out", hard_packets=1)
    ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
    wait_for("expired", lambda: last.get(a, "esp0", "out")["state"] == "expired")
    for ns in (a, b):
        ns.genl.do("sa-flush")
    # Those of b are in the same buffer: of its outbound SAs nothing but made and deleted.
    mine = [t for t in trail(out) if " out " in t]
    equal(mine, ["add out pending", "activate out active", "replace out old", "delete out old"],
          "the outbound SA")
    equal([t for t in trail(into) if " in " in t],
          ["add in active", "confirm in active", "delete in active"], "the inbound SA")
    equal([t for t in trail(second) if " out " in t], ["add out pending", "delete out pending"],
          "the one never used")
    equal([t for t in trail(last) if " out " in t],
          ["add out pending", "activate out active", "expire out expired", "delete out expired"],
          "the one with a limit")
    with open(f"{TRACE}/trace", encoding="ascii", errors="replace") as f:
        everything = f.read()
    for sa in (out, into, second, last):
        check(sa.ekey.hex()[:12] not in everything, "a key is in the trace")


def inner():
    """A packet for a from behind b."""
    return ipv4(B_IN[0], A_IN[0], 17, udp(B_IN[0], A_IN[0], b"traced"))


def provoke(reason):
    """Makes a packet of gateway a end for this reason."""
    a, _, ha, hb = BED["ends"]
    into, out, raw = BED["in"], BED["out"], BED["raw"]

    def packet(seq, payload=None, **kw):
        raw.sendto(esp(into, seq, inner() if payload is None else payload, **kw), (A_OUT, 0))
    if reason == "tx_no_sa":
        a.genl.do("sa-flush")
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
    elif reason == "tx_expired":
        a.genl.do("sa-flush")
        Sa(A_OUT, B_OUT).install(a, "esp0", "out", hard_packets=1)
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
    elif reason in ("tx_not_ip", "tx_bad_inner"):
        with a.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as s:
            s.sendto(bytes(64), ("esp0", 0x8847 if reason == "tx_not_ip" else 0x0800))
    elif reason == "tx_no_route":
        a.ip("route del 192.0.2.0/24 dev a0")
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
        wait_for("the drop", lambda: drops(a, "esp0").get("tx_no_route"))
        a.ip("route add 192.0.2.0/24 dev a0 src 192.0.2.1")
    elif reason == "rx_icv_fail":
        packet(10, flip=-1)
    elif reason == "rx_replay_dup":
        packet(20)
        packet(20)
    elif reason == "rx_bad_inner":
        packet(30, bytes(40), next_header=137)              # MPLS in IP
    elif reason == "rx_dummy":
        packet(31, bytes(40), next_header=59)
    elif reason == "rx_wrong_source":
        packet(32, src="192.0.2.77")
    elif reason == "rx_too_short":
        raw.sendto(ipv4(B_OUT, A_OUT, 50, into.spi.to_bytes(4, "big") + bytes(4)), (A_OUT, 0))
    elif reason == "rx_device_down":
        a.ip("link set esp0 down")
        packet(33)
        wait_for("the drop", lambda: drops(a, "esp0").get("rx_device_down"))
        a.ip("link set esp0 up")
    check(out, "an SA")


# The reason in the kernel's own list; None where there is no fitting one or no packet is freed.
KERNEL_REASON = {"tx_no_sa": "XFRM_POLICY", "tx_expired": "XFRM_POLICY",
                 "tx_not_ip": "UNHANDLED_PROTO", "tx_bad_inner": "IP_INHDR",
                 "tx_no_route": "IP_OUTNOROUTES", "rx_icv_fail": "SKB_CSUM",
                 "rx_replay_dup": "NOT_SPECIFIED", "rx_bad_inner": "IP_INHDR",
                 "rx_dummy": "UNHANDLED_PROTO", "rx_wrong_source": "XFRM_POLICY",
                 "rx_too_short": "HDR_TRUNC", "rx_device_down": "DEV_READY"}


def dropped(reason):
    """One line of esptun_drop for it, and the drop monitor is told its word."""
    a, b, _, _ = BED["ends"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
    a.ip(f"link set esp0 up\nroute replace {B_IN[0]}/32 dev esp0 src {A_IN[0]}")
    BED["out"], BED["in"] = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    BED["in"].install(a, "esp0", "in")
    BED["out"].install(a, "esp0", "out")
    before = drops(a, "esp0")
    forget()
    provoke(reason)
    expect_drops(a, "esp0", before, **{reason: 1})
    got = lines("esptun_drop", "dev=esp0", f"reason={reason}")
    equal(len(got), 1, f"lines of esptun_drop: {lines('esptun_drop')}")
    if reason.startswith("rx_"):
        check(f"spi={BED['in'].spi:#010x}" in got[0], f"SPI in '{got[0]}'")
    for kind, protocol in (("tx_not_ip", 0x8847), ("rx_bad_inner", 137)):
        if reason == kind:
            check(f"protocol={protocol:#x}" in got[0], f"protocol in '{got[0]}'")
            equal(a.genl.do("tunnel-get", ifname="esp0")["last_error"]["protocol"], protocol,
                  "protocol of the last error")
    freed = lines("kfree_skb")
    if freed and "reason:" in freed[0]:
        check(any(line.endswith(f"reason: {KERNEL_REASON[reason]}")
                  for line in freed), f"kfree_skb: {freed}")
    else:
        diag(f"this kernel's kfree_skb has no reasons: {freed[:1]}")


for why in KERNEL_REASON:
    add(f"{why}: esptun_drop says so, kfree_skb says {KERNEL_REASON[why]}", dropped, why)


@case("ethtool -i and -S: the driver, and every drop counter under its name in the same order")
def ethtool():
    a, *_ = BED["ends"]
    info = dict(line.split(": ", 1) for line in a.sh("ethtool -i esp0").splitlines()
                if ": " in line)
    equal(info["driver"], "esptun", "driver")
    equal(info["version"], BED["bed"].module()["version"], "version")
    names = [line.split(":")[0].strip() for line in a.sh("ethtool -S esp0").splitlines()[1:]]
    equal(names, [n.replace("-", "_") for n in SPEC.enums["drop"]], "names")
    check(max(map(len, names)) < 32, "a name fits into ETH_GSTRING_LEN")


@case("ip -s -d link: kind, counters and drops")
def ip_link():
    a, *_ = BED["ends"]
    shown = json.loads(a.sh("ip -s -d -j link show esp0"))[0]
    equal(shown["linkinfo"]["info_kind"], "esptun", "kind")
    now = drops(a, "esp0")
    for way in ("rx", "tx"):
        equal(shown["stats64"][way]["dropped"],
              sum(v for k, v in now.items() if k.startswith(way)), f"{way} dropped")
    check(sum(now.values()) >= len(KERNEL_REASON), "there were drops")


def ends():
    """Tracing off, nothing is left."""
    write("events/enable", "0")
    BED["ends"][2].close()
    BED["ends"][3].close()
    BED["bed"].verify()


run(setup, ends)
