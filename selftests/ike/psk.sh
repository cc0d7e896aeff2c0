#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Main mode with a pre-shared key and quick mode with strongSwan, in both roles, without
# kernel ESP: both ends install the same SAs with the same keys.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
peer_has() { wait_for "$PATIENCE" swan_children_are "$NSB" "$1"; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf)
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_psk)

check "initiator: tunnel comes up" keyer "$NSA" up paris
check "initiator: strongSwan has one pair" peer_has 1
check "initiator: same SAs, same keys" same_keys 1 'rfc4106(gcm(aes))' none
is "initiator: role" "$(keyer_get "$NSA" 't["phase1"][0]["role"]')" initiator
is "initiator: phase 1 proposal" "$(keyer_get "$NSA" 't["phase1"][0]["proposal"]')" aes128-sha256-modp2048
check "initiator: the log names cookies and message" \
	keyer_logged "$NSA" ' tunnel=paris icookie=[0-9a-f]{16} rcookie=[0-9a-f]{16} message=MM6'
check "down deletes both SAs and tells the peer" keyer "$NSA" down paris
check "down: strongSwan has none" peer_has 0
check "down: nothing is left" wait_for "$PATIENCE" same_keys 0

check "responder: strongSwan initiates" swan "$NSB" --initiate --child net --timeout "$PATIENCE" || swan_log "$NSB"
check "responder: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
check "responder: same SAs, same keys" wait_for "$PATIENCE" same_keys 1 'rfc4106(gcm(aes))' none
is "responder: role" "$(keyer_get "$NSA" 't["phase1"][0]["role"]')" responder
is "no key in the log" "$(grep -cF -f <(grep -o '"[a-z]*_key":"[0-9a-f]\{16,\}"' "$RECORD" | cut -d'"' -f4) \
	"$(keyer_dir "$NSA")/log")" 0
((! ktap_failed)) || { keyer_log "$NSA"; swan_log "$NSB"; }
finish
