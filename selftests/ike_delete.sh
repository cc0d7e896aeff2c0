#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# Deletes from each side take effect at the other: of the IPsec SAs, of the ISAKMP SA.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

no_phase1() { keyer_is gwA 'len(t["phase1"])' 0; }
no_children() { keyer_is gwA 'len([c for c in t["phase2"] if not c["old"]])' 0; }
no_carrier() { "$ESPTUN" -n gwA tunnel show paris0 | grep -q 'carrier off'; }
peer_gone() { ! swan gwB --list-sas | grep -q ESTABLISHED; }
renewed() { [[ -n $(keyer_spi_out gwA) && $(keyer_spi_out gwA) != "$1" ]]; }

# up DESC COMMAND...
up()
{
	local desc=$1
	shift
	check "$desc: up" "$@"
	check "$desc: one pair" gateways_up
	check "$desc: packets cross" ping_hosts
}

check "two gateways" gateways_create || { keyer_log gwA; finish; }

# A tunnel that only answers stays down when the peer has deleted it.
up "before the peer deletes its IPsec SAs" peer_initiate
check "the peer deletes its IPsec SAs" swan gwB --terminate --child net
check "ours are gone" wait_for "$PATIENCE" keyer_no_sas gwA
check "the device lost its carrier" wait_for "$PATIENCE" no_carrier
is "the ISAKMP SA is still there" "$(keyer_get gwA 't["phase1"][0]["established"]')" True

up "before the peer deletes all" peer_initiate
check "the peer deletes its ISAKMP SA" swan gwB --terminate --ike gw
check "ours is gone" wait_for "$PATIENCE" no_phase1
check "and the IPsec SAs" wait_for "$PATIENCE" keyer_no_sas gwA

up "before somebody deletes by hand" peer_initiate
check "SAs deleted by hand" "$ESPTUN" -n gwA sa flush dev paris0
check "the keyer notices" wait_for "$PATIENCE" no_children
check "and tells the peer" wait_for "$PATIENCE" swan_children_are gwB 0

# One that was brought up is kept up.
up "kept up" keyer gwA up paris
was=$(keyer_spi_out gwA)
check "kept up: the peer deletes its IPsec SAs" swan gwB --terminate --child net
check "kept up: they are made anew" wait_for "$PATIENCE" renewed "$was"
up "kept up, again" true

check "we take it down" gateways_down
check "the peer's ISAKMP SA is gone" wait_for "$PATIENCE" peer_gone
check "the device lost its carrier" wait_for "$PATIENCE" no_carrier
gateways_logs
finish
