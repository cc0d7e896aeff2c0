#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Aggressive mode with strongSwan in both roles; a peer at any address; what ike-scan gets from
# a responder that does not allow it, and from one that does; wrong keys.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
peer_has() { wait_for "$PATIENCE" swan_children_are "$NSB" "$1"; }
counter() { keyer_get "$NSA" "s[\"counters\"][\"$1\"]"; }
configure() { keyer_write "$NSA" < <(keyer_conf "$@") && keyer "$NSA" reload; }
peer_configure() { swan_psk "$@" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"; }
peer_initiate() { swan "$NSB" --initiate --child net --timeout "${1:-$PATIENCE}"; }
all_down() { keyer "$NSA" down paris && peer_has 0 && wait_for "$PATIENCE" same_keys 0; }

# scan ARGS...: ike-scan from the peer's address with its identity; one try, answered or not.
scan()
{
	ns "$NSB" ike-scan --sport=0 --retry=1 --timeout=3000 --nodns "$@" "$A4" 2>&1
}
am_scan() { scan --aggressive --id="${1:-gwb@example.test}" --idtype=3 --dhgroup=14 --trans=7/128,4,1,14; }

insecure='aggressive-psk = insecure-yes'

ike_create || exit
keyer_write "$NSA" < <(keyer_conf "extra=exchange = aggressive")
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_psk "extra=aggressive = yes")

### Both roles

check "initiator: tunnel comes up" keyer "$NSA" up paris
check "initiator: strongSwan has one pair" peer_has 1
check "initiator: same SAs, same keys" same_keys 1 'rfc4106(gcm(aes))' none
check "initiator: three messages" keyer_logged "$NSA" 'message=AM2 .*p1-established|p1-established .*message=AM2'
check "initiator: state under Cisco's name" wait_for "$PATIENCE" \
	keyer_is "$NSA" 't["phase1"][0]["cisco_state"]' QM_IDLE
check "initiator: status says how" keyer_is "$NSA" 't["exchange"]' aggressive
check "initiator: a new ISAKMP SA by aggressive mode" keyer "$NSA" rekey paris phase1
# Else strongSwan is left with one that is half made, and what it begins next waits for that.
check "initiator: it is there" wait_for "$PATIENCE" keyer_is "$NSA" 's["counters"]["p1_established"]' 2
check "initiator: down deletes everything" all_down

keyer_mark "$NSA"
refuse "responder: refused by default" 'failed|timed out|timeout' peer_initiate 3
check "responder: the log says why and what to write" keyer_logged "$NSA" \
	'aggressive-refused .*user-fqdn:gwb@example.test asks for aggressive mode.*aggressive-psk = insecure-yes.*line 1'
check "responder: counted" test "$(counter aggressive_refused)" -gt 0
is "responder: no state for it" "$(keyer_get "$NSA" 'len(t["phase1"])')" 0
swan "$NSB" --terminate --ike gw --force > /dev/null 2>&1

out=$(am_scan)
check "ike-scan -A gets no hash by default" grep -q '0 returned handshake; 0 returned notify' <<< "$out" || diag "$out"

keyer_mark "$NSA"
check "responder: allowed by its word" configure "extra=$insecure"
check "responder: flagged when loaded" keyer_logged "$NSA" 'config-warning.*esptun.conf:.*answers aggressive mode'
check "responder: strongSwan initiates" peer_initiate || swan_log "$NSB"
check "responder: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
check "responder: same SAs, same keys" wait_for "$PATIENCE" same_keys 1 'rfc4106(gcm(aes))' none
check "responder: AM3 was what established it" keyer_logged "$NSA" 'p1-established .*message=AM3|message=AM3 .*p1-established'
check "responder: down deletes everything" all_down

out=$(am_scan)
check "ike-scan -A gets it where it is allowed" grep -q '1 returned handshake' <<< "$out" || diag "$out"
out=$(am_scan mallory@example.test)
check "ike-scan -A with an unknown identity gets nothing" grep -q '0 returned handshake; 0 returned notify' <<< "$out" ||
	diag "$out"
check "the log names that identity" keyer_logged "$NSA" 'unknown-peer .*user-fqdn:mallory@example.test'

### Transforms: only those configured are answered

found=''
for t in 5,2,1,2 7/128,2,1,14 7/128,4,1,14 7/256,4,1,14 7/128,4,1,2 7/128,1,1,14 5,1,1,2 7/128,4,3,14 7/128,4,65001,14; do
	! scan --trans="$t" | grep -q '1 returned handshake' || found+=" $t"
done
is "ike-scan sees the configured transform alone" "$found" " 7/128,4,1,14"

### Wrong keys: the initiator sees it in AM2, the responder in AM3

check "wrong key: configured" configure "extra=$insecure
		exchange = aggressive" secret="a long enough wrong secret"
keyer_mark "$NSA"
refuse "wrong key: we initiate, it is refused" 'not up after|there is no' keyer "$NSA" up paris wait 3
check "wrong key: the log says so at AM2" wait_for "$PATIENCE" keyer_logged "$NSA" \
	'psk-mismatch .*probable PSK mismatch: AM2'
keyer "$NSA" down paris
swan "$NSB" --terminate --ike gw --force > /dev/null 2>&1
keyer_mark "$NSA"
refuse "wrong key: the peer initiates, it is refused" 'failed|timed out|timeout' peer_initiate 3
swan "$NSB" --terminate --ike gw --force > /dev/null 2>&1
is "wrong key: nothing was installed" "$(keyer_get "$NSA" 'len(t["phase2"])')" 0

### A peer at any address

check "any address: configured" configure remote=any "extra=$insecure"
check "any address: strongSwan initiates" peer_initiate || swan_log "$NSB"
check "any address: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
check "any address: same SAs, same keys" wait_for "$PATIENCE" same_keys 1
is "any address: the status names it" "$(keyer_get "$NSA" 't["phase1"][0]["remote"]')" "$B4:500"
swan "$NSB" --terminate --ike gw > /dev/null 2>&1
check "any address: strongSwan took it down" wait_for "$PATIENCE" same_keys 0

ip -n "$NSB" addr add 192.0.2.77/24 dev wan0
check "another address: strongSwan is told" peer_configure local=192.0.2.77 "extra=aggressive = yes"
check "another address: strongSwan initiates" peer_initiate || swan_log "$NSB"
check "another address: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
check "another address: same SAs, same keys" wait_for "$PATIENCE" same_keys 1
is "another address: the status names it" "$(keyer_get "$NSA" 't["phase1"][0]["remote"]')" "192.0.2.77:500"
((! ktap_failed)) || { keyer_log "$NSA" 120; swan_log "$NSB" 120; }
finish
