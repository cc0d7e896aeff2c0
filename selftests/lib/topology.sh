# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The test network: two gateways and one host behind each, all of them network
# namespaces. Owns addresses, links and plain routes; knows nothing of tunnels.
#
#     h1 -------- gwA ============== gwB -------- h2
#      eth0   lan0   wan0        wan0   lan0   eth0
#
#     h1   eth0  10.1.0.2/24   fd00:1::2/64   default via gwA
#     gwA  lan0  10.1.0.1/24   fd00:1::1/64
#     gwA  wan0  192.0.2.1/24  2001:db8::1/64
#     gwB  wan0  192.0.2.2/24  2001:db8::2/64
#     gwB  lan0  10.2.0.1/24   fd00:2::1/64
#     h2   eth0  10.2.0.2/24   fd00:2::2/64   default via gwB
#
# The gateways have no route to each other's inner networks: a packet can only
# get across through a tunnel that the test routes into.

A4=192.0.2.1 B4=192.0.2.2 A6=2001:db8::1 B6=2001:db8::2
H1_4=10.1.0.2 H2_4=10.2.0.2 H1_6=fd00:1::2 H2_6=fd00:2::2
NET1_4=10.1.0.0/24 NET2_4=10.2.0.0/24 NET1_6=fd00:1::/64 NET2_6=fd00:2::/64
# Where the sniffer and the tests find them.
: "$A4 $B4 $A6 $B6 $H1_4 $H2_4 $H1_6 $H2_6 $NET1_4 $NET2_4 $NET1_6 $NET2_6"

# ns NAME COMMAND...: runs a command in a namespace.
ns()
{
	local name=$1
	shift
	ip netns exec "$name" "$@"
}

topology_ns()
{
	ip netns add "$1" || return
	ip -n "$1" link set lo up
	ns "$1" sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

# topology_link NS1 DEV1 NS2 DEV2
topology_link()
{
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3" || return
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# topology_addr NS DEV ADDR4/LEN ADDR6/LEN
topology_addr()
{
	ip -n "$1" addr add "$3" dev "$2"
	ip -n "$1" addr add "$4" dev "$2" nodad
}

topology_delete()
{
	local n
	for n in h1 gwA gwB h2; do
		ip netns del "$n" 2> /dev/null
	done
	return 0
}

# Builds the network and starts the sniffer on the outer link; both go away
# when the script ends.
topology_create()
{
	local n
	topology_delete
	for n in h1 gwA gwB h2; do
		topology_ns "$n" || return
	done
	at_exit topology_delete
	topology_link h1 eth0 gwA lan0
	topology_link gwA wan0 gwB wan0
	topology_link gwB lan0 h2 eth0
	topology_addr h1 eth0 $H1_4/24 $H1_6/64
	topology_addr gwA lan0 10.1.0.1/24 fd00:1::1/64
	topology_addr gwA wan0 $A4/24 $A6/64
	topology_addr gwB wan0 $B4/24 $B6/64
	topology_addr gwB lan0 10.2.0.1/24 fd00:2::1/64
	topology_addr h2 eth0 $H2_4/24 $H2_6/64
	ip -n h1 route add default via 10.1.0.1
	ip -n h1 route add default via fd00:1::1
	ip -n h2 route add default via 10.2.0.1
	ip -n h2 route add default via fd00:2::1
	sniffer_start
	wire_count_start && wire_counted=1
}

# topology_route DEV_A DEV_B: sends the inner networks into the tunnel devices.
topology_route()
{
	ip -n gwA route replace $NET2_4 dev "$1"
	ip -n gwA route replace $NET2_6 dev "$1"
	ip -n gwB route replace $NET1_4 dev "$2"
	ip -n gwB route replace $NET1_6 dev "$2"
}

# ping_hosts [PING OPTIONS]: h1 -> h2 and back over IPv4; all must be answered.
# A tunnel that IKEv1 negotiated as 0.0.0.0/0 carries nothing else.
ping_hosts()
{
	ns h1 ping -q -n -c 3 -i 0.2 -W 10 "$@" $H2_4 &&
		ns h2 ping -q -n -c 3 -i 0.2 -W 10 "$@" $H1_4
}

# ping_hosts6 [PING OPTIONS]: the same over IPv6.
ping_hosts6()
{
	ns h1 ping -q -n -c 3 -i 0.2 -W 10 "$@" $H2_6 &&
		ns h2 ping -q -n -c 3 -i 0.2 -W 10 "$@" $H1_6
}
