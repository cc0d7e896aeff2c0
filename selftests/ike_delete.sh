#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Deletes from each side take effect at the other: of the IPsec SAs, of the ISAKMP SA.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

no_phase1() { keyer_is gwA 'len(t["phase1"])' 0; }
no_carrier() { "$ESPTUN" -n gwA tunnel show paris0 | grep -q 'carrier off'; }
peer_gone() { ! swan gwB --list-sas | grep -q ESTABLISHED; }
up() { check "$1: up" keyer gwA up paris && check "$1: one pair" gateways_up && check "$1: packets cross" ping_hosts; }

check "two gateways" gateways_create || { keyer_log gwA; finish; }

up "before the peer deletes its IPsec SAs"
check "the peer deletes its IPsec SAs" swan gwB --terminate --child net
check "ours are gone" wait_for "$PATIENCE" keyer_no_sas gwA
check "the device lost its carrier" wait_for "$PATIENCE" no_carrier
check "the ISAKMP SA is still there" keyer_is gwA 't["phase1"][0]["established"]' True

up "before the peer deletes all"
check "the peer deletes its ISAKMP SA" swan gwB --terminate --ike gw
check "ours is gone" wait_for "$PATIENCE" no_phase1
check "and the IPsec SAs" wait_for "$PATIENCE" keyer_no_sas gwA

up "before we delete"
check "we take it down" gateways_down
check "the peer's ISAKMP SA is gone" wait_for "$PATIENCE" peer_gone
check "the device lost its carrier" wait_for "$PATIENCE" no_carrier

up "before somebody deletes by hand"
"$ESPTUN" -n gwA sa flush dev paris0 > /dev/null 2>&1
check "SAs deleted by hand: the keyer notices" wait_for "$PATIENCE" keyer_is gwA \
	'len([c for c in t["phase2"] if not c["old"]]) in (0, 1)' True
up "after that"
gateways_logs
finish
