# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The benchmark's network: host h1, gateways gwa and gwb, host h2, each a network
# namespace of the VM, joined by veth pairs; a dummy device in gwa for transmit
# only. Made once, used by every peer in turn. Neighbours are fixed, so that no
# ARP falls into a measured window.
#
#   h1 ---- lan gwa wire ==== wire gwb lan ---- h2

# The tunnels' MTU for every peer, and of the route that stands for the tunnel
# in plain forwarding.
BENCH_MTU=1420

H1=10.1.0.2 GWA_LAN=10.1.0.1 GWA=192.0.2.1 GWB=192.0.2.2 GWB_LAN=10.2.0.1 H2=10.2.0.2
GWA_TUN=10.9.0.1 GWB_TUN=10.9.0.2

namespace()
{
	ip netns add "$1"
	ip netns exec "$1" sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=1 \
		net.ipv6.conf.default.disable_ipv6=1 net.ipv4.tcp_no_metrics_save=1 \
		net.ipv4.tcp_congestion_control=reno net.ipv4.tcp_early_retrans=0 net.ipv4.tcp_recovery=0 \
		net.ipv4.tcp_reordering=300 \
		net.ipv4.tcp_rmem='4096 1048576 1048576' net.ipv4.tcp_wmem='4096 1048576 1048576'
	ip -n "$1" link set lo up
}

# join NS1 DEV1 ADDRESS1 NS2 DEV2 ADDRESS2
join()
{
	local m1 m2
	ip link add bench0 type veth peer name bench1
	ip link set bench0 netns "$1" name "$2"
	ip link set bench1 netns "$4" name "$5"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$4" addr add "$6/24" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
	m1=$(ip -n "$1" -j link show "$2" | jq -r '.[0].address')
	m2=$(ip -n "$4" -j link show "$5" | jq -r '.[0].address')
	ip -n "$1" neigh add "$6" lladdr "$m2" dev "$2" nud permanent
	ip -n "$4" neigh add "$3" lladdr "$m1" dev "$5" nud permanent
}

topology_up()
{
	local ns
	# No fallback devices (tunl0, ip_vti0) in the namespaces.
	sysctl -q -w net.core.fb_tunnels_only_for_init_net=2
	# A window of a stream fits into the queue of a virtual wire.
	sysctl -q -w net.core.netdev_max_backlog=10000
	for ns in h1 gwa gwb h2; do namespace "$ns"; done
	join h1 lan $H1 gwa lan $GWA_LAN
	join gwa wire $GWA gwb wire $GWB
	join gwb lan $GWB_LAN h2 lan $H2
	ip -n h1 route add 10.2.0.0/24 via $GWA_LAN mtu $BENCH_MTU
	ip -n h2 route add 10.1.0.0/24 via $GWB_LAN mtu $BENCH_MTU
	ip -n gwa link add sinkhole type dummy
	ip -n gwa link set sinkhole arp off up
}

# Routes into the tunnel: route_tunnel NS ADDRESS OTHER-ADDRESS OTHER-NET
tunnel_routes()
{
	ip -n gwa link set tun mtu $BENCH_MTU up
	ip -n gwb link set tun mtu $BENCH_MTU up
	ip -n gwa addr add $GWA_TUN/30 dev tun
	ip -n gwb addr add $GWB_TUN/30 dev tun
	ip -n gwa route replace 10.2.0.0/24 dev tun src $GWA_TUN
	ip -n gwb route replace 10.1.0.0/24 dev tun src $GWB_TUN
}

tunnel_gone()
{
	ip -n gwa link del tun
	ip -n gwb link del tun
}

# What gwa sends towards gwb (outer packets, or plain ones to h2) ends in the
# dummy device, as if a wire took it.
sinkhole()
{
	ip -n gwa route "$1" $GWB/32 dev sinkhole src $GWA
	[[ $2 != plain ]] || ip -n gwa route "$1" $H2/32 dev sinkhole
}
