#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 600 s
"""
A tunnel without an SA: no carrier, so that routes over it are "linkdown" and can give way, and
yet whatever is routed to it all the same is counted by name and asks for an SA. With the SA
comes the carrier, and not one packet is lost on the way there.
"""
import json
import select
import socket
import time

from bed import Bed, drops, expect_drops, reconcile, stats
from craft import ipv4
from ends import A_IN, A_OUT, B_IN, B_OUT, pair
from ktap import Failure, case, check, equal, run, wait_for
from sa import Sa
from traffic import exchange, transfer

BED = {}
IFLA_OPERSTATE = 16


def setup():
    """Two gateways, both with esptun, no SA yet."""
    BED["bed"] = bed = Bed()
    BED["ends"] = pair(bed, "esptun")


def flags(ns):
    """What ip(8) says of the device."""
    return json.loads(ns.sh("ip -j link show esp0"))[0]["flags"]


def flush():
    """No SA anywhere, and the core has taken notice."""
    a, b, *_ = BED["ends"]
    for ns in (a, b):
        ns.genl.do("sa-flush")
        # IF_OPER_DOWN or IF_OPER_LOWERLAYERDOWN
        wait_for("operstate", lambda n=ns: n.rtnl.link("esp0")[IFLA_OPERSTATE][0] in (2, 3))


def keys(**more):
    """New SAs on both gateways; what is given goes to the outbound one of a."""
    a, b, *_ = BED["ends"]
    ab, ba = Sa(A_OUT, B_OUT), Sa(B_OUT, A_OUT)
    ab.install(b, "esp0", "in")
    ba.install(a, "esp0", "in")
    ba.install(b, "esp0", "out")
    if more:
        more = {"state": "pending", "partner_spi": ba.spi}
    ab.install(a, "esp0", "out", **more)


@case("without an SA: no carrier, routes are linkdown, ip and esptun say so")
def no_carrier():
    a, *_ = BED["ends"]
    flush()
    check("NO-CARRIER" in flags(a) and "LOWER_UP" not in flags(a), f"flags {flags(a)}")
    for family in (4, 6):
        check("linkdown" in a.sh(f"ip -{family} route show dev esp0"), f"IPv{family} routes")
    equal(a.genl.do("tunnel-get", ifname="esp0")["carrier"], 0, "carrier")
    keys()
    check("LOWER_UP" in flags(a), f"flags {flags(a)} with an SA")
    for family in (4, 6):
        check("linkdown" not in a.sh(f"ip -{family} route show dev esp0"), f"IPv{family} routes")


def multicast(ns, count):
    """Datagrams to a group over the device."""
    with ns.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                     socket.inet_aton(A_IN[0]) + bytes(4)
                     + ns.index("esp0").to_bytes(4, "little"))
        for n in range(count):
            s.sendto(bytes(n), ("239.1.2.3", 4000))


@case("what is sent without carrier is counted as tx-no-sa, each packet, and asks for an SA")
def counted():
    a, _, ha, hb = BED["ends"]
    flush()
    events = a.events()
    before, passed = drops(a, "esp0"), stats(a, "esp0")
    for n in range(30):
        ha.sock(4, "udp").sendto(bytes(n), (hb.addr[4], 4000))
        ha.sock(6, "udp").sendto(bytes(n), (hb.addr[6], 4000))
    multicast(a, 10)
    expect_drops(a, "esp0", before, tx_no_sa=70)
    equal(stats(a, "esp0"), passed, "packets that passed")
    wait_for("acquire", lambda: events.named("acquire"))
    link = json.loads(a.sh("ip -s -j link show esp0"))[0]["stats64"]["tx"]
    equal(link["dropped"], sum(v for k, v in drops(a, "esp0").items() if k.startswith("tx")),
          "dropped of ip -s link")
    events.close()


@case("a GSO packet without carrier counts as many as it has segments")
def gso():
    a, _, ha, hb = BED["ends"]
    flush()
    before = drops(a, "esp0")
    with ha.ns.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_UDP, 103, 1000)         # UDP_SEGMENT
        s.sendto(bytes(9500), (hb.addr[4], 4000))
    expect_drops(a, "esp0", before, tx_no_sa=10)


@case("packet sockets: counted as well, also when the device comes up; tc counts its own")
def below_ip():
    a, *_ = BED["ends"]
    flush()
    packet = ipv4(A_IN[0], B_IN[0], 253, b"made by hand")
    a.ip("link add lan0 type dummy\nlink set lan0 arp off up\n"
         f"route add 10.77.0.0/16 dev lan0 src {A_IN[0]}")
    a.sh("tc qdisc add dev lan0 clsact")
    a.sh("tc filter add dev lan0 egress matchall action mirred egress redirect dev esp0")
    for _ in range(2):
        events = a.events()
        before = drops(a, "esp0")
        with a.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as s:
            for _ in range(20):
                s.sendto(packet, ("esp0", 0x0800))
        expect_drops(a, "esp0", before, tx_no_sa=20)
        wait_for("acquire", lambda events=events: events.named("acquire"))
        events.close()
        a.ip("link set esp0 down\nlink set esp0 up")
        # Longer than acquire events are apart.
        wait_for("a second", lambda now=time.monotonic(): time.monotonic() > now + 1.1)
    # tc redirects nothing to a device without carrier, and its action counts what it has not.
    with a.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(10):
            s.sendto(b"x", ("10.77.0.1", 9))
    seen = json.loads(a.sh("tc -s -j filter show dev lan0 egress"))
    counts = [f["options"]["actions"][0]["stats"] for f in seen if "actions" in f.get("options", {})]
    equal([(c["packets"], c["overlimits"]) for c in counts], [(10, 10)], "what tc has counted")
    a.ip(f"link del lan0\nroute replace {B_IN[0]}/32 dev esp0 src {A_IN[0]}\n"
         f"route replace {B_IN[1]}/128 dev esp0 src {A_IN[1]}")
    keys()
    with a.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0) as s:
        sent = stats(a, "esp0")["tx_packets"]
        s.sendto(packet, ("esp0", 0x0800))
        wait_for("the packet", lambda: stats(a, "esp0")["tx_packets"] == sent + 1)


@case("a route that is worse takes over where linkdown routes are ignored, and gives back")
def gives_way():
    a, *_ = BED["ends"]
    flush()
    a.ip("link add spare0 type dummy\nlink set spare0 up\n"
         f"route add {B_IN[0]}/32 dev spare0 metric 900")
    a.sysctl("ipv4/conf/esp0/ignore_routes_with_linkdown=1")
    get = lambda: a.sh(f"ip route get {B_IN[0]}")           # noqa: E731
    check("spare0" in get(), f"without SA: {get()}")
    keys()
    wait_for("the tunnel again", lambda: "esp0" in get())
    flush()
    wait_for("the spare again", lambda: "spare0" in get())
    a.sysctl("ipv4/conf/esp0/ignore_routes_with_linkdown=0")
    check("esp0" in get(), f"linkdown not ignored: {get()}")
    a.ip("link del spare0")


@case("the first packet on the inbound SA brings the carrier; the answer to it is not lost")
def first_answer():
    a, b, ha, hb = BED["ends"]
    for _ in range(6):
        flush()
        keys(pending=True)
        check("NO-CARRIER" in flags(a), "carrier while the SA is pending")
        before = drops(a, "esp0"), drops(b, "esp0")
        with b.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
            with b.inside():
                s.bind((hb.addr[4], 0))
            s.sendto(bytes.fromhex("0800f7ff00000000"), (ha.addr[4], 0))
            answers = []
            while not any(p[20] == 0 and p[12:16] == socket.inet_aton(ha.addr[4])
                          for p in answers):
                if not select.select([s], [], [], 60)[0]:
                    raise Failure("the echo was not answered: the first packet was lost")
                answers.append(s.recv(2000))
        equal((drops(a, "esp0"), drops(b, "esp0")), before, "drops")
        wait_for("carrier", lambda: "LOWER_UP" in flags(a))
    exchange(ha, hb, 4, [100])
    exchange(hb, ha, 6, [100])


@case("a TCP connection that began without an SA goes on when there is one")
def tcp_waits():
    a, _, ha, hb = BED["ends"]
    flush()
    before = drops(a, "esp0").get("tx_no_sa", 0)
    with hb.ns.socket(socket.AF_INET, socket.SOCK_STREAM) as listener, \
            ha.ns.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        listener.bind((hb.addr[4], 5009))
        listener.listen()
        s.bind((ha.addr[4], 0))
        s.setblocking(False)
        try:
            s.connect((hb.addr[4], 5009))
        except BlockingIOError:
            pass
        wait_for("its SYN", lambda: drops(a, "esp0").get("tx_no_sa", 0) > before)
        keys()
        check(select.select([], [s], [], 60)[1], "the connection is made")
        equal(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "error of the connection")
    transfer(ha, hb, 4, bytes(100000))


@case("a device that is down drops nothing by name: nothing is routed to it")
def down():
    a, _, ha, hb = BED["ends"]
    keys()
    before = drops(a, "esp0")
    a.ip("link set esp0 down")
    try:
        ha.sock(4, "udp").sendto(b"x", (hb.addr[4], 4000))
        raise Failure("sent over a device that is down")
    except OSError:
        pass
    equal(drops(a, "esp0"), before, "drops")
    for end in (ha, hb):
        end.close()
    a.ip(f"link set esp0 up\nroute replace {B_IN[0]}/32 dev esp0 src {A_IN[0]}\n"
         f"route replace {B_IN[1]}/128 dev esp0 src {A_IN[1]}")
    exchange(ha, hb, 4, [100])
    exchange(hb, ha, 4, [100])


def ends():
    """Counters add up, nothing leaked, nothing is left."""
    a, b, ha, hb = BED["ends"]
    try:
        reconcile(a, "esp0", b, "esp0")
        reconcile(b, "esp0", a, "esp0")
    finally:
        ha.close()
        hb.close()
        BED["bed"].verify()


run(setup, ends)
