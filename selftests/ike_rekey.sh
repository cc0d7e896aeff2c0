#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# Both phases renewed from both sides, again and again, under a ping each millisecond: no
# packet is lost, and the keys really change.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

: "${ROUNDS:=2}"

spi_out() { keyer_spi_out gwA; }
counted() { keyer_get gwA "s[\"counters\"][\"$1\"]"; }
changed() { [[ $("$1") != "$2" ]]; }

# renew DESC WHAT COMMAND...: WHAT (spi_out or a counter) is different afterwards.
renew()
{
	local desc=$1 what=$2 was
	shift 2
	was=$($what)
	check "$desc" "$@" && check "$desc: it is a new one" wait_for "$PATIENCE" changed "$what" "$was"
}

p1_count() { counted p1_established; }
one_isakmp_sa() { check "$1" wait_for "$PATIENCE" keyer_is gwA 'len(t["phase1"])' 1; }

check "two gateways" gateways_create || { keyer_log gwA; finish; }
check "tunnel comes up" keyer gwA up paris
check "both ends have one pair" gateways_up
check "hosts reach each other" ping_hosts
traffic_start
for ((i = 1; i <= ROUNDS; i++)); do
	renew "round $i: phase 2 by us" spi_out keyer gwA rekey paris phase2
	renew "round $i: phase 2 by the peer" spi_out swan gwB --rekey --child net
	renew "round $i: phase 1 by us" p1_count keyer gwA rekey paris phase1
	# The peer renews each ISAKMP SA it has, and with two of them at once it may leave its child
	# to the one that is then deleted; a replaced one goes after some seconds.
	one_isakmp_sa "round $i: after ours one ISAKMP SA is left"
	renew "round $i: phase 1 by the peer" p1_count swan gwB --rekey --ike gw
	check "round $i: phase 2 still in use" test -n "$(spi_out)"
	one_isakmp_sa "round $i: after the peer's one ISAKMP SA is left"
done
traffic_check "no packet was lost"
check "hosts still reach each other" ping_hosts
gateways_logs
finish
