#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Dead peer detection (RFC 3706) with strongSwan: each end asks and is answered, a peer that
# is cut off is noticed, its SAs go, and the tunnel comes back with it.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

counted() { keyer_get "$NSA" "s[\"counters\"][\"$1\"]"; }
more() { (($(counted "$1") > $2)); }
same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
peer_log() { grep -qE -- "$1" "$(swan_dir "$NSB")/log"; }
no_sas() { keyer_is "$NSA" 'len(t["phase2"])' 0; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf start=auto "extra=dpd = 2s")
check "strongSwan starts" peer_start < <(swan_psk "extra=dpd_delay = 7s")
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "the tunnel comes up" wait_for "$PATIENCE" keyer_up "$NSA"
is "the peer has announced dead peer detection" "$(keyer_get "$NSA" 't["phase1"][0]["dpd"]')" True

# No packet flows: we ask after two seconds of silence, and our question is a sign of life for the peer.
check "we ask" wait_for "$PATIENCE" more dpd_sent 0
check "strongSwan takes the question for one" wait_for "$PATIENCE" peer_log 'parsed INFORMATIONAL_V1 request .*N\(DPD\)'
check "and answers" wait_for "$PATIENCE" keyer_logged "$NSA" 'the peer notifies R-U-THERE-ACK'
# Silence of ours that is longer than the peer's dpd_delay makes the peer ask.
keyer_write "$NSA" < <(keyer_conf start=auto "extra=dpd = off")
check "we do not ask any more" keyer "$NSA" reload
check "strongSwan asks" wait_for "$PATIENCE" keyer_logged "$NSA" 'the peer notifies R-U-THERE \('
check "our answer is one for it" wait_for "$PATIENCE" peer_log 'parsed INFORMATIONAL_V1 request .*N\(DPD_ACK\)'
is "nothing was negotiated anew" "$(counted p1_established):$(counted p2_established)" 1:1
is "nobody was taken for dead" "$(counted dpd_dead)" 0

keyer_write "$NSA" < <(keyer_conf start=auto "extra=dpd = 2s")
check "we ask again" keyer "$NSA" reload
ns "$NSB" ip link set wan0 down
check "the peer is cut off: noticed" wait_for "$PATIENCE" more dpd_dead 0
check "its SAs are gone" wait_for "$PATIENCE" no_sas
check "and the log says why" keyer_logged "$NSA" 'dpd-dead tunnel=paris .*no answer to 5 R-U-THERE'
check "status says why" keyer_is "$NSA" '"dead peer" in t["last_error"] or "no answer" in t["last_error"]' True
ns "$NSB" ip link set wan0 up
check "the peer is back: so is the tunnel" wait_for "$PATIENCE" more p2_established 1
((! ktap_failed)) || { keyer_log "$NSA" 60; swan_log "$NSB" 60; }
finish
