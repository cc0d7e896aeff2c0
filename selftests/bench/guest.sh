#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside the benchmark's VM: makes the network, then for each peer its
# tunnel and the wanted scenarios; writes one line of JSON per measured window
# to $VM_RESULTS/raw. Computes nothing: report.py does.
# Usage: guest.sh PROGRAMS "PEER..." "SCENARIO..."
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
die() { echo "bench: $*" >&2; exit 1; }

# What a module's user leaves behind (RCU, work queues) may take a moment.
retry()
{
	local i
	for ((i = 0; i < 100; i++)); do
		! "$@" 2> retry.log || return 0
		sleep 0.1
	done
	die "$*: $(< retry.log)"
}

programs=$1
read -r -a peers <<< "$2"
read -r -a scenarios <<< "$3"
: "${BENCH_COUNT:=10000}" "${BENCH_BYTES:=32000000}"
work=/run/bench
mkdir -p $work
cp "$programs/load" $work/
[[ ! -x $programs/scale ]] || cp "$programs/scale" $work/
cd $work
# shellcheck source=selftests/bench/topology.sh
. "$here/topology.sh"
# shellcheck source=selftests/bench/peers.sh
. "$here/peers.sh"

# A sleeping CPU's clock jumps to the next timer, so that waiting for a file of
# the host may take minutes of this machine's time and any time limit of the
# kernel with it. Outside of the windows somebody is always awake.
( while :; do :; done ) &
awake=$!
chrt --idle -p 0 $awake
trap 'kill -KILL $awake' EXIT

window=0
# measure PEER SCENARIO LOAD-ARGS...: one window, one line
measure()
{
	local peer=$1 scenario=$2 line
	shift 2
	window=$((window + 1))
	kill -STOP $awake
	line=$(./load "$@" --id $window 2> load.log) || die "$scenario, $peer: $(< load.log)"
	kill -CONT $awake
	printf '{"scenario": "%s", "peer": "%s", %s}\n' "$scenario" "$peer" "$line" >> "$VM_RESULTS/raw"
	echo "bench: $scenario $peer: $line" >&2
}

mac_of() { ip -n "$1" -j link show wire | jq -r '.[0].address'; }

# scale SCENARIO: the windows that the scaling test names itself
scale()
{
	local number=${1##*-} name rest args=()
	[[ $1 != sas-* ]] ||
		args=("$BENCH_COUNT" "$(mac_of gwa)" "$(mac_of gwb)" "$GWA,$GWB" "$H1,$H2")
	./scale "${1%%-*}" "$number" $((window + 1)) "${args[@]}" > scale.out 2> scale.log ||
		die "$1: $(< scale.log)"
	sed "s/^/bench: $1: /" scale.log >&2
	while read -r name rest; do
		window=$((window + 1))
		printf '{"scenario": "%s", "peer": "esptun", %s}\n' "$name" "$rest" >> "$VM_RESULTS/raw"
		echo "bench: $name esptun: $rest" >&2
	done < scale.out
}

# The kernel's memory in small pieces, in KiB, when nothing has waited to be freed for a while.
small_memory()
{
	local was='' now='' i
	for ((i = 0; i < 100; i++)); do
		now=$(awk '/^(Slab|Percpu):/ { sum += $2 } END { print sum }' /proc/meminfo)
		[[ $now != "$was" ]] || break
		was=$now
		sleep 1
	done
	echo "$now"
}

# Names who allocates: memory_trace on|off|show
memory_trace()
{
	local event=/sys/kernel/tracing/events/kmem/kmalloc
	mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing
	case $1 in
	on) echo 'hist:keys=call_site.sym:vals=bytes_alloc' > $event/trigger ;;
	show) cat $event/hist ;;
	off) echo '!hist:keys=call_site.sym:vals=bytes_alloc' > $event/trigger ;;
	esac
}

# memory PEER N: what each of N idle tunnels takes
memory()
{
	local peer=$1 n=$2 before after
	declare -F "many_$peer" > /dev/null || return 0
	# Once before, so that what is made once is there.
	namespace many
	"many_$peer" many 8 > many.log 2>&1 || die "memory, $peer: $(< many.log)"
	ip netns del many
	namespace many
	before=$(small_memory)
	memory_trace on
	"many_$peer" many "$n" > many.log 2>&1 || die "memory, $peer: $(< many.log)"
	memory_trace show > "$VM_RESULTS/alloc.$peer"
	memory_trace off
	after=$(small_memory)
	ip netns del many
	printf '{"scenario": "memory", "peer": "%s", "mode": "memory", "tunnels": %d, "octets_each": %d}\n' \
		"$peer" "$n" $(((after - before) * 1024 / n)) >> "$VM_RESULTS/raw"
	echo "bench: memory $peer: $(((after - before) * 1024 / n)) octets" >&2
}

# run_scenario PEER SCENARIO
run_scenario()
{
	local peer=$1 s=$2 size=${2##*-}
	local udp=(--from h1 --dst "$H2" --payload "$size" --count "$BENCH_COUNT")
	# This one is there to show what our idle module costs, nothing else.
	[[ $peer != xfrmi_beside || $s == xfrmi-idle ]] || return 0
	case $s in
	udp-*)
		measure "$peer" "$s" udp "${udp[@]}" --to h2 ;;
	tx-*)
		sinkhole add "$peer"
		measure "$peer" "$s" tx "${udp[@]}" --via gwa --dev sinkhole
		sinkhole del "$peer" ;;
	rx-*)
		measure "$peer" "$s" rx "${udp[@]}" --to h2 --via gwa --peer gwb --dev wire ;;
	tcp-hosts)
		measure "$peer" "$s" tcp --from h1 --to h2 --dst "$H2" --bytes "$BENCH_BYTES" ;;
	tcp-gateways)
		measure "$peer" "$s" tcp --from gwa --to gwb --dst "$GWB_TUN" --bytes "$BENCH_BYTES" ;;
	xfrmi-idle)
		# In-tree ESP with our module loaded and without: a longer window for a small difference.
		case $peer in plain|xfrmi|xfrmi_beside) ;; *) return 0 ;; esac
		measure "$peer" "$s" udp --from h1 --dst "$H2" --payload 18 --to h2 \
			--count $((3 * BENCH_COUNT)) ;;
	memory)
		memory "$peer" 300 ;;
	two-cpus)
		# WireGuard spreads one sender over all CPUs: what a CPU executes is not its packets.
		[[ $peer != wireguard ]] || return 0
		sinkhole add "$peer"
		measure "$peer" "$s" smp --from h1 --dst "$H2" --payload 1300 --count "$BENCH_COUNT" \
			--via gwa --dev sinkhole
		sinkhole del "$peer" ;;
	sas-*|tunnels-*)
		# Takes the SAs away that the others need: the last ones, and esptun's alone.
		[[ $peer != esptun ]] || scale "$s" ;;
	*)
		die "no such scenario: $s" ;;
	esac
}

topology_up
for peer in "${peers[@]}"; do
	echo "bench: setting up $peer" >&2
	"${peer}_up"
	# Names for the addresses that the plugin counted.
	cat /proc/kallsyms > "$VM_RESULTS/symbols.$peer"
	for scenario in "${scenarios[@]}"; do
		run_scenario "$peer" "$scenario"
	done
	"${peer}_down"
done
