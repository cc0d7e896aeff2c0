#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# IKE fragments with strongSwan, in both directions and both roles, over IPv4, in UDP on port 4500
# and over IPv6; a network that loses large packets.
# shellcheck disable=SC2317,SC2119
# Small, so that ordinary messages of main and quick mode need them.
# shellcheck disable=SC2034 # swan_daemon_conf reads it
SWAN_SETTING="fragment_size = 576"
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

IKE=aes128-sha256-modp4096 ESP=aes128gcm16-modp4096
# The delete of the ISAKMP SA may come last: one that is left would be used again.
peer_empty() { [[ ! $(swan "$NSB" --list-sas) ]]; }
same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
peer_has() { wait_for "$PATIENCE" swan_children_are "$NSB" "$1"; }
counted() { keyer_get "$NSA" "s['counters']['$1']"; }
more() { (($(counted "$1") > $2)); }
as_peer() { swan_psk "ike=$IKE" "esp=$ESP" "$@" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"; }
as_keyer() { keyer_write "$NSA" < <(keyer_conf "ike=$IKE" "esp=$ESP" "$@") && keyer "$NSA" reload; }
peer_assembled() { grep -c 'received fragment #.*reassembled' "$(swan_dir "$NSB")/log"; }

# round DESC OUT IN: up from both sides; whether messages went out and came in as fragments.
round()
{
	local out in theirs
	out=$(counted fragmented_out) in=$(counted fragmented_in) theirs=$(peer_assembled)
	check "$1: we initiate" keyer "$NSA" up paris
	check "$1: we initiate: the peer has one pair" peer_has 1
	check "$1: we initiate: same SAs, same keys" same_keys 1
	check "$1: down" keyer "$NSA" down paris
	check "$1: down: the peer has none" wait_for "$PATIENCE" peer_empty
	check "$1: the peer initiates" swan "$NSB" --initiate --child net --timeout "$PATIENCE"
	check "$1: the peer initiates: same SAs, same keys" wait_for "$PATIENCE" same_keys 1
	is "$1: fragments went out" "$(($(counted fragmented_out) > out))$(($(peer_assembled) > theirs))" "$2$2"
	is "$1: fragments came in" "$(($(counted fragmented_in) > in))" "$3"
	check "$1: down again" keyer "$NSA" down paris
	check "$1: down again: the peer has none" wait_for "$PATIENCE" peer_empty
}

ike_create || exit
check "strongSwan starts" peer_start < <(swan_psk "ike=$IKE" "esp=$ESP" "extra=fragmentation = no")
keyer_write "$NSA" < <(keyer_conf "ike=$IKE" "esp=$ESP")
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
round "the peer does not know them" 0 0
check "small packets" as_keyer "extra=fragment-size = 576"
check "the peer knows them" as_peer "extra=fragmentation = yes"
round "both" 1 1
check "the peer takes them, sends none" as_peer "extra=fragmentation = accept"
round "only to the peer" 1 0
check "accept" as_keyer "extra=fragmentation = accept"
check "the peer sends them" as_peer "extra=fragmentation = yes"
round "only from the peer" 0 1
check "no" as_keyer "extra=fragmentation = no"
round "we do not know them" 0 0
check "force" as_keyer "extra=fragmentation = force"
check "the peer forces them, too" as_peer "extra=fragmentation = force"
round "forced" 1 1
check "on port 4500" as_keyer "extra=encapsulation = force"$'\n'"fragment-size = 576"
check "on port 4500: the peer" as_peer "extra=fragmentation = yes"
round "on port 4500" 1 1
check "IPv6" as_keyer "local=$A6" "remote=$B6" "extra=fragment-size = 700"
check "IPv6: the peer" as_peer "local=$B6" "remote=$A6" "extra=fragmentation = yes"
round "IPv6" 1 1

# Nothing large gets through: the first repetition is small.
check "a narrow path" ns "$NSB" nft "add table inet narrow; add chain inet narrow in { type filter hook input priority 0; }
	add rule inet narrow in meta length > 580 drop"
check "a narrow path: small when repeated" as_keyer
check "a narrow path: the peer" as_peer "extra=fragmentation = yes"
round "a narrow path" 1 1
is "nothing was dropped" "$(counted fragments_dropped)" 0
((! ktap_failed)) || { keyer_log "$NSA"; swan_log "$NSB"; }
finish
