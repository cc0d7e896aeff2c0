# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# esptund in a namespace: its configuration, start, stop and questions to it. One keyer per
# namespace, all of it below $TEST_TMP.

declare -A keyer_pid=()

keyer_dir() { echo "$TEST_TMP/keyer-$1"; }

# keyer_conf NAME=VALUE...: prints an esptun.conf with one tunnel. The defaults fit gwA and
# what swan_psk prints for gwB.
#   name device          of the tunnel
#   local remote         outer addresses
#   id peer_id           identities
#   secret               the pre-shared key
#   ike esp              proposals: a comma-separated list
#   policy start         words
#   extra                further lines
keyer_conf()
{
	local name=paris device='' local=$A4 remote=$B4 id=user-fqdn:gwa@example.test
	local peer_id=user-fqdn:gwb@example.test secret="a long enough test secret"
	local ike=aes128-sha256-modp2048 esp=aes128gcm16-modp2048
	local policy=modern start=respond extra=''
	((! $#)) || local "$@"
	cat <<-END
	tunnel $name {
		device = "${device:-${name}0}"
		local = $local
		remote = $remote
		identity = "$id"
		match-identity = "$peer_id"
		psk = "$secret"
		policy = $policy
		phase1 = { "${ike//,/\", \"}" }
		phase2 = { "${esp//,/\", \"}" }
		start = $start
		$extra
	}
	END
}

# keyer NS ARGS...: esptun ike, asking the keyer in NS.
keyer()
{
	local name=$1 options=()
	shift
	while [[ ${1-} == -* ]]; do
		options+=("$1")
		shift
	done
	"$ESPTUN" "${options[@]}" ike "$@" ctl "$(keyer_dir "$name")/ctl"
}

# keyer_write NS < esptun.conf
keyer_write()
{
	local dir
	dir=$(keyer_dir "$1")
	mkdir -p "$dir"
	(umask 077; cat > "$dir/esptun.conf")
}

# keyer_start NS [OPTION...]: with the configuration written before.
# Not through ns(): of a function in the background $! is a shell, not the keyer.
keyer_start()
{
	local name=$1 dir
	shift
	dir=$(keyer_dir "$name")
	ip netns exec "$name" "$ESPTUND" --config "$dir/esptun.conf" --ctl "$dir/ctl" --log-level debug \
		"$@" >> "$dir/log" 2>&1 < /dev/null &
	keyer_pid[$name]=$!
	at_exit keyer_stop "$name"
	if ! wait_for "$PATIENCE" keyer "$name" status; then
		keyer_log "$name"
		return 1
	fi
}

# keyer_stop NS [SIGNAL]
keyer_stop()
{
	local pid=${keyer_pid[$1]-}
	[[ -n $pid ]] || return 0
	unset "keyer_pid[$1]"
	[[ -z ${2-} ]] || kill "-$2" "$pid"
	stop_pid "$pid"
}

# keyer_cell NS: the process that talks to peers; keyer_pid is the one with privileges.
keyer_cell() { pgrep -P "${keyer_pid[$1]}"; }

# keyer_log NS [LINES]: the end of the keyer's log, as diagnostics.
keyer_log()
{
	diag "esptund in $1:"
	tail -n "${2:-60}" "$(keyer_dir "$1")/log" | diag
}

# keyer_logged NS REGEX: whether a line of the log matches, since keyer_mark.
keyer_logged()
{
	tail -n "+$((${keyer_marked[$1]-0} + 1))" "$(keyer_dir "$1")/log" | grep -qE -- "$2"
}

declare -A keyer_marked=()
# keyer_mark NS: what was logged so far is not looked at any more.
keyer_mark() { keyer_marked[$1]=$(wc -l < "$(keyer_dir "$1")/log"); }

# keyer_get NS FILTER: a jq-like look into the status, in Python: "t" is the first tunnel,
# "s" the whole status.
keyer_get()
{
	keyer "$1" -j status | /usr/bin/python3 -c '
import json, sys
s = json.load(sys.stdin)
t = s["tunnels"][0]
print(eval(sys.argv[1]))' "$2" 2> /dev/null
}

# keyer_is NS EXPRESSION VALUE: for wait_for.
keyer_is() { [[ $(keyer_get "$1" "$2") == "$3" ]]; }

# keyer_spi_out NS: of the pair in use.
keyer_spi_out()
{
	keyer_get "$1" '[c["spi_out"] for c in t["phase2"] if not c["old"] and not c["pending"]][0]'
}

keyer_up() { keyer_is "$1" 't["state"]' up; }

### Two gateways: esptund and the module in gwA, strongSwan and an xfrm interface in gwB

# gateways_create [keyer_conf ARGS...]: everything but the negotiation. The device is made by
# the keyer.
gateways_create()
{
	topology_create && esptun_load && xfrmi_create gwB || return
	keyer_write gwA < <(keyer_conf "extra=create-device = true" "$@")
	keyer_start gwA && swan_start gwB < <(gateways_peer) && gateways_inner6 || return
	topology_route paris0 xfrm0
}

# gateways_peer [swan_psk ARGS...]: one IKEv1 child has one family of selectors, and for an xfrm
# interface these are what it carries. The peer gets IPv6 by policies that name the same SAs.
gateways_peer() { swan_psk "extra_child=reqid = $XFRM_IF_ID" "$@"; }

gateways_inner6()
{
	local dir tmpl
	for dir in out in fwd; do
		tmpl="src $A4 dst $B4"
		[[ $dir != out ]] || tmpl="src $B4 dst $A4"
		# shellcheck disable=SC2086 # four words
		ip -n gwB xfrm policy add src ::/0 dst ::/0 dir $dir if_id $XFRM_IF_ID \
			tmpl $tmpl proto esp reqid $XFRM_IF_ID mode tunnel || return
	done
}

# gateways_set IKE ESP [keyer_conf ARGS...]: both ends take these proposals.
gateways_set()
{
	local ike=$1 esp=$2
	shift 2
	keyer_write gwA < <(keyer_conf "extra=create-device = true" "ike=$ike" "esp=$esp" "$@") &&
		keyer gwA reload &&
		gateways_peer "ike=$ike" "esp=$esp" > "$(swan_dir gwB)/swanctl/swanctl.conf" &&
		swan_load gwB
}

# gateways_up: each end has exactly one pair in use.
gateways_up() { wait_for "$PATIENCE" keyer_up gwA && wait_for "$PATIENCE" swan_children_are gwB 1; }

# gateways_down: taken down from gwA, nothing left at either end.
gateways_down()
{
	keyer gwA down paris && wait_for "$PATIENCE" swan_children_are gwB 0 &&
		wait_for "$PATIENCE" keyer_no_sas gwA
}

# keyer_no_sas NS: the kernel holds no SA.
keyer_no_sas() { [[ $("$ESPTUN" -n "$1" -j sa show) == '[]' ]]; }

peer_initiate() { swan gwB --initiate --child net --timeout "$PATIENCE"; }

# Many packets while something happens: a ping each millisecond, in bursts that all run to
# their end, so that no packet is on its way when it is counted.
traffic_pid=

traffic_loop()
{
	until [[ -e $TEST_TMP/traffic.stop ]]; do
		ns h1 ping -q -n -i 0.001 -c 1000 -W 30 $H2_4
	done > "$TEST_TMP/traffic" 2>&1
}

# traffic_start: h1 pings h2 until traffic_check.
traffic_start()
{
	rm -f "$TEST_TMP/traffic.stop"
	traffic_loop &
	traffic_pid=$!
	at_exit traffic_stop
}

traffic_stop()
{
	touch "$TEST_TMP/traffic.stop"
	wait "$traffic_pid"
}

# traffic_check DESC: ends it; no packet may have been lost.
traffic_check()
{
	local sent received
	traffic_stop
	sent=$(awk '/transmitted/ {n += $1} END {print n + 0}' "$TEST_TMP/traffic")
	received=$(awk '/transmitted/ {n += $4} END {print n + 0}' "$TEST_TMP/traffic")
	if ((sent > 0 && sent == received)); then
		pass "$1"
		diag "$sent packets, $received answers"
	else
		fail "$1" "$sent packets, $received answers" "dropped by the peer:" \
			"$(ns gwB grep -v '[[:space:]]0$' /proc/net/xfrm_stat)" "$(tail -n 20 "$TEST_TMP/traffic")"
	fi
}

# gateways_logs: both logs, when something failed.
gateways_logs()
{
	((ktap_failed)) || return 0
	keyer_log gwA 80
	swan_log gwB 60
	"$ESPTUN" -n gwA -s -d tunnel show 2>&1 | diag
	"$ESPTUN" -n gwA -s sa show 2>&1 | diag
}
