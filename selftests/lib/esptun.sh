# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Our own side: the module built for the running kernel, the CLI and the keyer,
# and what must hold after every test: counters add up, nothing is left.

# The build under test: another one can be named from outside.
: "${ESPTUN_KO:=$TOP/build/kernel/$(uname -r)/esptun.ko}"
: "${ESPTUN:=$TOP/build/user/bin/esptun}"
: "${ESPTUND:=$TOP/build/user/bin/esptund}"

# esptun_load: the module and what it depends on.
esptun_load()
{
	local dep
	[[ -f $ESPTUN_KO ]] || { diag "not built: $ESPTUN_KO"; return 1; }
	for dep in $(modinfo -F depends "$ESPTUN_KO" | tr ',' ' '); do
		modprobe "$dep" || return
	done
	insmod "$ESPTUN_KO" "$@"
}

esptun_loaded() { [[ -d /sys/module/esptun ]]; }

# Last of all, after namespaces are gone and have taken their devices along.
esptun_unload() { ! esptun_loaded || rmmod esptun; }

# esptun_module FIELD: of the module's census.
esptun_module() { "$ESPTUN" -j module show | jq ".[0].$1"; }

esptun_balanced()
{
	"$ESPTUN" -j module show | jq -e '.[0] |
		.tunnels_created == .tunnels_destroyed and .sas_created == .sas_destroyed'
}

# esptun_leak_check: tunnels and SAs created equal those destroyed, and the
# module goes away. SAs are freed after a grace period: waited for.
esptun_leak_check()
{
	esptun_loaded || return 0
	if ! wait_for "$PATIENCE" esptun_balanced; then
		fail "everything created was destroyed" "$("$ESPTUN" -j module show)"
	else
		pass "everything created was destroyed"
		diag "$("$ESPTUN" -j module show)"
	fi
	check "the module unloads" esptun_unload
}

### Every ESP packet on the outer link is accounted for

# Counts ESP packets at gwA's outer interface, independently of both ends.
wire_count_start()
{
	ns gwA nft -f - <<-END
	table netdev wire {
		counter esp_in {}
		counter esp_out {}
		chain in {
			type filter hook ingress device "wan0" priority 0;
			ip protocol 50 counter name esp_in
		}
		chain out {
			type filter hook egress device "wan0" priority 0;
			ip protocol 50 counter name esp_out
		}
	}
	END
}

# wire_count in|out
wire_count()
{
	ns gwA nft -j list counter netdev wire "esp_$1" |
		jq '.nftables[] | select(.counter) | .counter.packets'
}

# What gwA's tunnels say they sent; received and dropped by name.
tunnels_sent() { "$ESPTUN" -n gwA -s -j tunnel show | jq '[.[].stats.tx_packets] | add // 0'; }

tunnels_received()
{
	local foreign
	foreign=$(esptun_module rx_foreign_spi)
	"$ESPTUN" -n gwA -s -s -j tunnel show | jq --argjson foreign "$foreign" '
		[.[] | .stats.rx_packets,
		 (.drops // {} | to_entries[] | select(.key | startswith("rx_")) | .value)]
		| add // 0 | . + $foreign'
}

# What gwB's in-tree receiver took in: passed by the interface or in one of its
# named error counters (XfrmAcquireError: an SA that is only being negotiated).
peer_received()
{
	local dropped
	# shellcheck disable=SC2016 # awk's $2
	dropped=$(ns gwB awk '/^XfrmIn|^XfrmAcquireError/ { n += $2 } END { print n + 0 }' /proc/net/xfrm_stat)
	ip -n gwB -s -j link show type xfrm | jq --argjson dropped "$dropped" '
		[.[].stats64.rx.packets] | add // 0 | . + $dropped'
}

peer_is_xfrm() { [[ $(ip -n gwB -o link show type xfrm) ]]; }

reconciled()
{
	[[ $(tunnels_sent) == "$(wire_count out)" ]] &&
		[[ $(tunnels_received) == "$(wire_count in)" ]] &&
		{ ! peer_is_xfrm || [[ $(peer_received) == "$(wire_count out)" ]]; }
}

# reconcile_check: what a tunnel says it sent is what the wire saw, and what the
# wire brought was received or dropped under a name; an in-tree peer likewise. A test whose tunnels are
# gone by now, or share the wire with in-tree ESP in gwA, says reconcile_skip.
reconcile_skip() { wire_counted=; }
wire_counted=

# reconcile_report: both sides of each comparison.
reconcile_report()
{
	echo "sent $(tunnels_sent), on the wire $(wire_count out)"
	echo "received or dropped by name $(tunnels_received), on the wire $(wire_count in)"
	! peer_is_xfrm || echo "the peer received or dropped by name $(peer_received)"
}

# What to look at when they differ.
reconcile_details()
{
	reconcile_report
	"$ESPTUN" -n gwA -s -j tunnel show
	"$ESPTUN" -j module show
	! peer_is_xfrm || {
		ip -n gwB -s link show type xfrm
		ns gwB grep -v '\s0$' /proc/net/xfrm_stat
	}
}

reconcile_check()
{
	[[ -n $wire_counted ]] && esptun_loaded || return 0
	if wait_for "$PATIENCE" reconciled; then
		pass "counters reconcile"
		reconcile_report | diag
	else
		fail "counters reconcile" "$(reconcile_details)"
	fi
}
