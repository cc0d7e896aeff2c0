# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The peers of the benchmark: for each a function that makes the tunnel between
# gwa and gwb (device "tun" on both) and one that takes it away with its modules,
# so that no peer runs with another's hooks. ESP peers use AES-128-GCM with a
# 16-octet ICV, no ESN, and the same replay window.

BENCH_WINDOW=1024
KEY_AB=0x4c80cdefbb5d10da906ac73c3613a634e1f2d3c4
KEY_BA=0x3de09874b388e6491988d0c3607eae1f57a6b8c9
SPI_AB=0x1ab SPI_BA=0x1ba

# ---- no tunnel

plain_up()
{
	ip -n gwa addr add $GWA_TUN/32 dev lo
	ip -n gwb addr add $GWB_TUN/32 dev lo
	ip -n gwa route replace 10.2.0.0/24 via $GWB mtu $BENCH_MTU
	ip -n gwb route replace 10.1.0.0/24 via $GWA mtu $BENCH_MTU
	ip -n gwa route replace $GWB_TUN via $GWB src $GWA_TUN mtu $BENCH_MTU
	ip -n gwb route replace $GWA_TUN via $GWA src $GWB_TUN mtu $BENCH_MTU
}

plain_down()
{
	ip -n gwa route del 10.2.0.0/24
	ip -n gwb route del 10.1.0.0/24
	ip -n gwa route del $GWB_TUN
	ip -n gwb route del $GWA_TUN
	ip -n gwa addr del $GWA_TUN/32 dev lo
	ip -n gwb addr del $GWB_TUN/32 dev lo
}

# ---- no cipher

ipip_up()
{
	modprobe ipip
	ip -n gwa link add tun type ipip local $GWA remote $GWB ttl 64
	ip -n gwb link add tun type ipip local $GWB remote $GWA ttl 64
	tunnel_routes
}

ipip_down()
{
	tunnel_gone
	modprobe -r ipip
}

# ---- in-tree ESP

# xfrm_sas NS [state options]: both SAs
xfrm_sas()
{
	local ns=$1
	shift
	ip -n "$ns" xfrm state add src $GWA dst $GWB proto esp spi $SPI_AB mode tunnel reqid 1 \
		replay-window $BENCH_WINDOW aead 'rfc4106(gcm(aes))' $KEY_AB 128 "$@"
	ip -n "$ns" xfrm state add src $GWB dst $GWA proto esp spi $SPI_BA mode tunnel reqid 1 \
		replay-window $BENCH_WINDOW aead 'rfc4106(gcm(aes))' $KEY_BA 128 "$@"
}

# xfrm_policies NS LOCAL REMOTE [policy options]
xfrm_policies()
{
	local ns=$1 local=$2 remote=$3
	shift 3
	ip -n "$ns" xfrm policy add dir out "$@" tmpl src "$local" dst "$remote" proto esp mode tunnel reqid 1
	ip -n "$ns" xfrm policy add dir in "$@" tmpl src "$remote" dst "$local" proto esp mode tunnel reqid 1
	ip -n "$ns" xfrm policy add dir fwd "$@" tmpl src "$remote" dst "$local" proto esp mode tunnel reqid 1
}

xfrm_gone()
{
	local ns
	for ns in gwa gwb; do
		ip -n $ns xfrm policy flush
		ip -n $ns xfrm state flush
	done
	tunnel_gone
}

# Generic C instead of aesni would make every figure worthless.
xfrm_uses_aesni()
{
	grep -q '^driver *: seqiv(rfc4106-gcm-aesni)$' /proc/crypto ||
		die "in-tree ESP does not use rfc4106-gcm-aesni"
}

xfrmi_up()
{
	modprobe -a esp4 xfrm_interface
	ip -n gwa link add tun type xfrm dev wire if_id 42
	ip -n gwb link add tun type xfrm dev wire if_id 42
	for ns in gwa gwb; do xfrm_sas $ns if_id 42; done
	xfrm_policies gwa $GWA $GWB if_id 42
	xfrm_policies gwb $GWB $GWA if_id 42
	tunnel_routes
	xfrm_uses_aesni
}

xfrmi_down()
{
	xfrm_gone
	retry modprobe -r xfrm_interface
	retry modprobe -r esp4
}

xfrmi_offload_up()
{
	modprobe -a esp4 esp4_offload
	xfrmi_up
}

xfrmi_offload_down()
{
	xfrm_gone
	retry modprobe -r xfrm_interface
	retry modprobe -r esp4_offload
	retry modprobe -r esp4
}

ip_vti_up()
{
	modprobe -a esp4 ip_vti
	ip -n gwa link add tun type vti local $GWA remote $GWB key 42
	ip -n gwb link add tun type vti local $GWB remote $GWA key 42
	for ns in gwa gwb; do
		xfrm_sas $ns
		# As the daemons' manuals ask for.
		ip netns exec $ns sysctl -q -w net.ipv4.conf.tun.disable_policy=1
	done
	xfrm_policies gwa $GWA $GWB mark 42
	xfrm_policies gwb $GWB $GWA mark 42
	tunnel_routes
	xfrm_uses_aesni
}

ip_vti_down()
{
	xfrm_gone
	retry modprobe -r ip_vti
	retry modprobe -r esp4
}

# ---- WireGuard

wireguard_up()
{
	local a b
	modprobe wireguard
	(umask 077; wg genkey > a.key; wg genkey > b.key)
	a=$(wg pubkey < a.key) b=$(wg pubkey < b.key)
	ip -n gwa link add tun type wireguard
	ip -n gwb link add tun type wireguard
	ip netns exec gwa wg set tun listen-port 51820 private-key a.key \
		peer "$b" allowed-ips 0.0.0.0/0 endpoint $GWB:51820
	ip netns exec gwb wg set tun listen-port 51820 private-key b.key \
		peer "$a" allowed-ips 0.0.0.0/0 endpoint $GWA:51820
	tunnel_routes
	# The session: transmit-only could not negotiate one.
	ip netns exec gwa ping -q -c 1 -W 10 $GWB_TUN > ping.log 2>&1 || die "WireGuard: no session: $(< ping.log)"
}

wireguard_down()
{
	tunnel_gone
	retry modprobe -r wireguard
}

# ---- esptun

: "${ESPTUN_KO:=$BENCH_TOP/build/kernel/$(uname -r)/esptun.ko}"
: "${ESPTUN:=$BENCH_TOP/build/user/bin/esptun}"

esptun_load()
{
	local dep
	[[ -f $ESPTUN_KO ]] || die "not built: $ESPTUN_KO"
	for dep in $(modinfo -F depends "$ESPTUN_KO" | tr ',' ' '); do
		modprobe "$dep"
	done
	insmod "$ESPTUN_KO"
}

# esptun_tunnel NS LOCAL REMOTE KEY-IN SPI-IN KEY-OUT SPI-OUT [SA OPTION...]
esptun_tunnel()
{
	local more=("${@:8}")
	(umask 077; echo "encr-key = $4" > in.key; echo "encr-key = $6" > out.key)
	"$ESPTUN" -n "$1" tunnel add tun local "$2" remote "$3" mtu $BENCH_MTU up
	"$ESPTUN" -n "$1" sa add dev tun dir in spi "$5" keyfile in.key replay-window $BENCH_WINDOW "${more[@]}"
	"$ESPTUN" -n "$1" sa add dev tun dir out spi "$7" keyfile out.key "${more[@]}"
}

esptun_up()
{
	esptun_load
	esptun_tunnel gwa $GWA $GWB $KEY_BA $SPI_BA $KEY_AB $SPI_AB
	esptun_tunnel gwb $GWB $GWA $KEY_AB $SPI_AB $KEY_BA $SPI_BA
	tunnel_routes
	"$ESPTUN" -n gwa -d sa show dev tun | grep -q 'rfc4106-gcm-aesni' ||
		die "esptun does not use aesni: $("$ESPTUN" -n gwa -d sa show dev tun)"
}

esptun_down()
{
	tunnel_gone
	retry rmmod esptun
}

# ESP in UDP: a process in each gateway holds the socket that receives it.
esptun_udp_socket()
{
	PYTHONPATH=$BENCH_TOP/selftests ip netns exec "$1" /usr/bin/python3 -c '
import nl, signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4500))
nl.Genl().do("socket-set", fd=s.fileno())
print("ready", flush=True)
signal.pause()' > "socket.$1" &
	esptun_udp_pids+=($!)
	until grep -q ready "socket.$1"; do
		kill -0 $! || die "no socket in $1"
	done
}

esptun_udp_up()
{
	local encap=(encap udp encap-local-port 4500 encap-peer-port 4500)
	esptun_load
	esptun_udp_pids=()
	esptun_tunnel gwa $GWA $GWB $KEY_BA $SPI_BA $KEY_AB $SPI_AB "${encap[@]}"
	esptun_tunnel gwb $GWB $GWA $KEY_AB $SPI_AB $KEY_BA $SPI_BA "${encap[@]}"
	esptun_udp_socket gwa
	esptun_udp_socket gwb
	tunnel_routes
}

esptun_udp_down()
{
	tunnel_gone
	kill "${esptun_udp_pids[@]}"
	wait "${esptun_udp_pids[@]}" || :
	retry rmmod esptun
}

# In-tree ESP beside our module, which is loaded and has nothing to do.
xfrmi_beside_up()
{
	esptun_load
	xfrmi_up
}

xfrmi_beside_down()
{
	xfrmi_down
	retry rmmod esptun
}

# ---- many tunnels that do nothing, for their memory: many_PEER NS N

# each N COMMAND...: the command's words with I and ADDRESS replaced, N times, for ip -batch
each()
{
	local i n=$1 line
	shift
	for ((i = 1; i <= n; i++)); do
		for line; do
			line=${line//ADDRESS/198.18.$((i >> 8)).$((i & 255))}
			printf '%s\n' "${line//\#/$i}"
		done
	done
}

# A device, and nothing of a tunnel: what each of the others has at least.
many_plain() { each "$2" 'link add m# type dummy' | ip -n "$1" -batch -; }

many_ipip() { each "$2" "link add m# type ipip local $GWA remote ADDRESS" | ip -n "$1" -batch -; }

many_xfrmi()
{
	local aead="replay-window 64 if_id # aead rfc4106(gcm(aes)) $KEY_AB 128" dir lines=()
	for dir in out in fwd; do
		lines+=("xfrm policy add dir $dir if_id # tmpl proto esp mode tunnel reqid #")
	done
	each "$2" 'link add m# type xfrm dev lo if_id #' \
		"xfrm state add src $GWA dst ADDRESS proto esp spi 100# reqid # mode tunnel $aead" \
		"xfrm state add src ADDRESS dst $GWA proto esp spi 100# reqid # mode tunnel $aead" \
		"${lines[@]}" | ip -n "$1" -batch -
}

many_wireguard()
{
	local i peer
	peer=$(wg pubkey < b.key)
	each "$2" 'link add m# type wireguard' | ip -n "$1" -batch -
	for ((i = 1; i <= $2; i++)); do
		ip netns exec "$1" wg set "m$i" private-key a.key peer "$peer" allowed-ips 0.0.0.0/0 \
			endpoint "198.18.$((i >> 8)).$((i & 255)):51820"
	done
}

many_esptun() { ./scale leave "$2" $((++window)) "$1"; }
