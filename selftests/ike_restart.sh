#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# The keyer ends, is killed, is started again, all under a ping each millisecond: no packet
# is lost, the tunnel is adopted and renewed.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

renewed() { [[ $(keyer_spi_out gwA) != "$1" ]]; }
kernel_spi() { "$ESPTUN" -n gwA -j tunnel show paris0 | grep -o '"out_spi":"0x[0-9a-f]*"'; }
p1_up() { keyer_is gwA 'any(p["established"] for p in t["phase1"])' True; }
cookies() { keyer_get gwA '[p["icookie"] for p in t["phase1"] if p["established"]][0]'; }

check "two gateways" gateways_create start=auto || { keyer_log gwA; finish; }
check "the tunnel comes up by itself" gateways_up
check "hosts reach each other" ping_hosts
traffic_start
for signal in TERM KILL; do
	was=$(kernel_spi)
	check "SIG$signal" keyer_stop gwA $signal
	is "SIG$signal: the kernel still has the SA" "$(kernel_spi)" "$was"
	keyer_mark gwA
	check "SIG$signal: started again" keyer_start gwA
	check "SIG$signal: the SAs were found" keyer_logged gwA 'sa-found tunnel=paris'
	check "SIG$signal: a new phase 1" wait_for "$PATIENCE" p1_up
	check "SIG$signal: up" wait_for "$PATIENCE" keyer_up gwA
	was=$(keyer_spi_out gwA)
	check "SIG$signal: rekeyed" keyer gwA rekey paris
	check "SIG$signal: a new pair" wait_for "$PATIENCE" renewed "$was"
done
traffic_check "no packet was lost"

# A configuration with an error changes nothing, one without disturbs nothing that stays.
is_cookie=$(cookies)
keyer_write gwA <<< 'tunnel broken { colour = red }'
refuse "a wrong configuration is refused" 'colour|refused' keyer gwA reload
is "the tunnel did not notice" "$(cookies)" "$is_cookie"
keyer_write gwA < <(keyer_conf "extra=create-device = true" start=auto)
check "the right one is taken" keyer gwA reload
is "nor did it notice that" "$(cookies)" "$is_cookie"
check "hosts still reach each other" ping_hosts
gateways_logs
finish
