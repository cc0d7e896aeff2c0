#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Both phases renewed from both sides, deletes from both sides, expiry, lifetimes, a
# restart of either end: after each the keys are the same at both ends and nothing old is
# left. Without kernel ESP; what packets make of it is ../ike_rekey.sh's job.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
counted() { keyer_get "$NSA" "s[\"counters\"][\"$1\"]"; }
more() { (($(counted "$1") > $2)); }
event() { socat -t 10 - "UNIX-CONNECT:$(keyer_dir "$NSA")/ctl" <<< "$1" | grep -q '"ok":true'; }

# renewed COUNTER WAS: one more was made, and only that one is left. A replaced ISAKMP SA stays for
# some seconds; the peer would renew that one, too, if asked to while it has two.
renewed() { more "$1" "$2" && same_keys 1 && keyer_is "$NSA" 'len(t["phase1"])' 1; }

# renew DESC COUNTER COMMAND...
renew()
{
	local desc=$1 counter=$2 was
	was=$(counted "$2")
	shift 2
	check "$desc" "$@"
	check "$desc: done, same keys, nothing old left" wait_for "$PATIENCE" renewed "$counter" "$was"
}

spi_in() { keyer_get "$NSA" 'int([c["spi_in"] for c in t["phase2"] if not c["old"]][0], 16)'; }
expire() { event "{\"command\":\"kernel-event\",\"tunnel\":\"paris\",\"type\":\"$1\",\"dir\":\"in\",\"spi\":$(spi_in)}"; }
all_gone() { same_keys 0 && keyer_is "$NSA" 'len(t["phase1"]) + len(t["phase2"])' 0; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf start=auto "extra=grace = 0s")
check "strongSwan starts" peer_start < <(swan_psk)
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "the tunnel comes up by itself" wait_for "$PATIENCE" keyer_up "$NSA"
check "same keys" wait_for "$PATIENCE" same_keys 1

for ((round = 1; round <= ${ROUNDS:-1}; round++)); do
	renew "round $round: phase 2 by us" p2_established keyer "$NSA" rekey paris phase2
	renew "round $round: phase 2 by the peer" p2_established swan "$NSB" --rekey --child net
	renew "round $round: phase 1 by us" p1_established keyer "$NSA" rekey paris phase1
	renew "round $round: phase 1 by the peer" p1_established swan "$NSB" --rekey --ike gw
	renew "round $round: soft limit in the kernel" p2_established expire soft-expire
	renew "round $round: hard limit in the kernel" p2_established expire hard-expire
	renew "round $round: deleted in the kernel by somebody" p2_established expire deleted
done
renew "the peer deletes the IPsec SAs: they are made anew" p2_established swan "$NSB" --terminate --child net
renew "the peer deletes all: it is made anew" p1_established swan "$NSB" --terminate --ike gw

was=$(counted p2_established)
check "the keyer is killed" keyer_stop "$NSA" KILL
keyer_mark "$NSA"
check "and started again" keyer_start "$NSA" --record "$RECORD"
check "it finds its SAs" keyer_logged "$NSA" 'sa-found tunnel=paris.*inbound'
check "it negotiates anew and leaves nothing old" wait_for "$PATIENCE" renewed p2_established 0

check "the peer forgets everything" swan_stop "$NSB"
: > "$PEER_RECORD"
check "and comes back" peer_start < <(swan_psk)
renew "the peer is back: we renew" p2_established swan "$NSB" --initiate --child net --timeout "$PATIENCE"

check "down" keyer "$NSA" down paris
check "down: nothing is left at either end" wait_for "$PATIENCE" all_gone
is "down: it stays down" "$(keyer_get "$NSA" 't["state"]')" down
check "up again" keyer "$NSA" up paris
keyer_write "$NSA" < <(keyer_conf name=rome remote=192.0.2.99 start=respond)
check "the tunnel is removed from the configuration" keyer "$NSA" reload
check "removed: nothing is left" wait_for "$PATIENCE" same_keys 0
((! ktap_failed)) || { keyer_log "$NSA" 60; swan_log "$NSB" 60; }
finish
