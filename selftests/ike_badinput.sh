#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# Attacks on the keyer while packets flow: not one is lost, and the tunnel stays the same.
# What each attack is counted and logged as is ike/badinput.sh's job, which needs no kernel.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

inject() { ns gwB "$LIB_DIR/ike/inject.py" "$B4" "$A4" "$@"; }
tunnel() { keyer_get gwA '[t["state"], t["phase1"][0]["icookie"], t["phase2"][0]["spi_out"]]'; }

check "two gateways" gateways_create || { keyer_log gwA; finish; }
for wrong in 'secret=a long enough wrong secret' 'peer_id=fqdn:mallory.example' 'ike=aes256-sha512-ecp384' 'esp=aes256-sha512'; do
	keyer_write gwA < <(keyer_conf "extra=create-device = true" "$wrong")
	check "$wrong: configured" keyer gwA reload
	refuse "$wrong: does not come up" 'not up after' keyer gwA up paris wait 5
	check "$wrong: no SA in the kernel" wait_for "$PATIENCE" keyer_no_sas gwA
	keyer gwA down paris
	swan gwB --terminate --ike gw --force > /dev/null 2>&1
done
keyer_write gwA < <(keyer_conf "extra=create-device = true")
check "the right configuration" keyer gwA reload

ip netns exec gwB tcpdump -q -n -i wan0 -U --immediate-mode -w "$TEST_TMP/ike.pcap" "src $B4 and udp port 500" \
	> "$TEST_TMP/tcpdump.log" 2>&1 &
at_exit stop_pid $!
wait_for "$PATIENCE" grep -q 'listening on' "$TEST_TMP/tcpdump.log"
check "tunnel comes up" keyer gwA up paris
check "both ends have one pair" gateways_up
check "hosts reach each other" ping_hosts
before=$(tunnel)
I=$(keyer_get gwA 't["phase1"][0]["icookie"]') R=$(keyer_get gwA 't["phase1"][0]["rcookie"]')
traffic_start
check "unprotected delete of the ISAKMP SA" inject delete "$I" "$R"
check "unprotected delete of the IPsec SA" inject delete "$I" "$R" "$(keyer_get gwA 't["phase2"][0]["spi_out"]')"
check "unprotected notifies" inject notify "$I" "$R" 24
check "messages that decrypt to nonsense" inject garbage "$I" "$R" 30
check "replayed messages" inject replay "$TEST_TMP/ike.pcap" 2
check "oversized datagram" inject oversized
check "lengths that lie" inject malformed 3 300
check "mutated messages" inject mutate "$TEST_TMP/ike.pcap" 4 300
is "the tunnel is the same" "$(tunnel)" "$before"
traffic_check "no packet was lost"
gateways_logs
finish
