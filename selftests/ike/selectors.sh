#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two selectors in one tunnel against strongSwan with two children: each its own quick mode and
# pair of SAs under one ISAKMP SA, begun by either side, renewed alone, adopted after a restart;
# one that the peer does not have; a peer that narrows. Without kernel ESP.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
pairs_are() { keyer_is "$NSA" 'len([c for c in t["phase2"] if not c["old"]])' "$1"; }
state_is() { keyer_is "$NSA" 't["state"]' "$1"; }
ours=("10.1.0.0/16 === 10.2.0.0/16" "10.1.0.0/16 === 10.3.0.0/16")
all_selectors="selectors = { \"${ours[0]}\", \"${ours[1]}\" }"

# spi SELECTOR: of the pair in use for it.
spi() { keyer_get "$NSA" "[c['spi_in'] for c in t['phase2'] if c['selector'] == '$1' and not c['old'] and not c['pending']][0]"; }
# renewed SELECTOR SPI: another pair, and only that one is left.
renewed() { local now; now=$(spi "$1"); [[ $now && $now != "$2" ]] && same_keys 2; }

# child NAME LOCAL REMOTE: one of strongSwan's.
child()
{
	cat <<-END
	$1 {
		local_ts = $2
		remote_ts = $3
		esp_proposals = aes128gcm16-modp2048
		if_id_in = $XFRM_IF_ID
		if_id_out = $XFRM_IF_ID
	}
	END
}

# peer_conf CHILD...: swan_psk with these in the place of its one child.
peer_conf()
{
	swan_psk | awk -v more="$(printf '%s\n' "$@")" '
		/^children / {print; print more; skip = 1; next}
		!skip
		/^}/ {skip = 0}'
}

net2=$(child net2 10.2.0.0/16 10.1.0.0/16)
net3=$(child net3 10.3.0.0/16 10.1.0.0/16)
part=$(child part 10.2.7.0/24 10.1.0.0/16)

refused() { ! swan "$NSB" --initiate --child part --timeout 20; }
peer_has() { peer_conf "$@" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf start=auto "extra=grace = 0s
		$all_selectors")
check "strongSwan starts" peer_start < <(peer_conf "$net2" "$net3")
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "both selectors come up" wait_for "$PATIENCE" state_is up
check "each with its own pair, same keys at both ends" wait_for "$PATIENCE" same_keys 2
is "under one ISAKMP SA" "$(keyer_get "$NSA" 'len(t["phase1"])')" 1
is "with two quick modes" "$(keyer_get "$NSA" 's["counters"]["p2_established"]')" 2
for sel in "${ours[@]}"; do
	check "status shows the pair of $sel" spi "$sel"
done

first=$(spi "${ours[0]}") second=$(spi "${ours[1]}")
check "the peer renews one of them" swan "$NSB" --rekey --child net3
check "that one is renewed" wait_for "$PATIENCE" renewed "${ours[1]}" "$second"
is "the other one is not" "$(spi "${ours[0]}")" "$first"
second=$(spi "${ours[1]}")
check "we renew both" keyer "$NSA" rekey paris phase2
check "the first is renewed" wait_for "$PATIENCE" renewed "${ours[0]}" "$first"
check "the second is renewed" wait_for "$PATIENCE" renewed "${ours[1]}" "$second"

first=$(spi "${ours[0]}") second=$(spi "${ours[1]}")
check "the keyer is killed" keyer_stop "$NSA" KILL
check "and started again" keyer_start "$NSA" --record "$RECORD"
check "it adopts and renews the first" wait_for "$PATIENCE" renewed "${ours[0]}" "$first"
check "it adopts and renews the second" wait_for "$PATIENCE" renewed "${ours[1]}" "$second"

check "down" keyer "$NSA" down paris
check "down: nothing is left at either end" wait_for "$PATIENCE" same_keys 0
# It still has the ISAKMP SA of the keyer that was killed, which nobody can delete.
swan "$NSB" --terminate --ike gw --force --timeout 5 > "$TEST_TMP/terminate" 2>&1
check "the peer begins one of them" swan "$NSB" --initiate --child net2 --timeout "$PATIENCE"
check "the other one follows from this end" wait_for "$PATIENCE" state_is up
check "same keys" wait_for "$PATIENCE" same_keys 2

keyer_mark "$NSA"
check "the peer loses one" peer_has "$net2"
check "down" keyer "$NSA" down paris
check "up: the other one comes up" keyer "$NSA" up paris wait 0
check "the tunnel is partly up" wait_for "$PATIENCE" state_is "partly up"
check "the log says which one is refused" wait_for "$PATIENCE" keyer_logged "$NSA" \
	'10.1.0.0/16 === 10.3.0.0/16: negotiation failed: the peer refused our QM1: INVALID-ID-INFORMATION'

keyer_mark "$NSA"
check "down" keyer "$NSA" down paris
check "the peer wants a part of the first" peer_has "$part"
check "which is refused" refused
check "the log says what was offered and what would take it" wait_for "$PATIENCE" keyer_logged "$NSA" \
	'ours 10.1.0.0/16, theirs 10.2.7.0/24; expected: 10.1.0.0/16 === 10.2.0.0/16, .*narrowing = true would take'
keyer_write "$NSA" < <(keyer_conf start=respond "extra=grace = 0s
		narrowing = true
		$all_selectors")
check "narrowing is allowed" keyer "$NSA" reload
check "the peer has its part" swan "$NSB" --initiate --child part --timeout "$PATIENCE"
check "with the same keys" wait_for "$PATIENCE" same_keys 1
is "status shows what was agreed on" "$(keyer_get "$NSA" 't["phase2"][0]["selector"]')" "10.1.0.0/16 === 10.2.7.0/24"
is "and what was expected" "$(keyer_get "$NSA" 't["phase2"][0]["expected_selector"]')" "${ours[0]}"
check "the log, too" keyer_logged "$NSA" 'narrowed .*10.1.0.0/16 === 10.2.7.0/24, expected 10.1.0.0/16 === 10.2.0.0/16'
((! ktap_failed)) || { keyer_log "$NSA" 160; swan_log "$NSB" 160; }
finish
