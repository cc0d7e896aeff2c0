#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What must not harm: wrong keys, identities and proposals say why; messages without
# proof, seen before, too long, cut off or made up change nothing.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
inject() { ns "$NSB" "$IKE_DIR/inject.py" "$B4" "$A4" "$@"; }
counter() { keyer_get "$NSA" "s[\"counters\"][\"$1\"]"; }
at_least() { (($(counter "$1") >= $2)); }
count() { grep -c "$1" "$RECORD"; }

# try DESC LOG-AS-INITIATOR LOG-AS-RESPONDER CONF-ARGS...: this configuration against an unchanged
# peer; it must not come up in either role, and the log must say why.
try()
{
	local desc=$1 said=$2 said_responder=$3
	shift 3
	keyer_write "$NSA" < <(keyer_conf "$@")
	check "$desc: configured" keyer "$NSA" reload
	keyer_mark "$NSA"
	refuse "$desc: we initiate, it is refused" 'not up after|there is no' keyer "$NSA" up paris wait 3
	check "$desc: the log says why" wait_for "$PATIENCE" keyer_logged "$NSA" "$said" || keyer_log "$NSA" 20
	keyer "$NSA" down paris
	keyer_mark "$NSA"
	refuse "$desc: the peer initiates, it is refused" 'failed|timed out|timeout' \
		swan "$NSB" --initiate --child net --timeout 3
	check "$desc: the log says why, as responder" wait_for "$PATIENCE" keyer_logged "$NSA" "$said_responder" ||
		keyer_log "$NSA" 20
	swan "$NSB" --terminate --ike gw --force > /dev/null 2>&1
	is "$desc: nothing was installed" "$(count sa-activate)" 0
}

ike_create || exit
keyer_write "$NSA" < <(keyer_conf)
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_psk)

offer='no-proposal .*offered .*; configured .* .line 1'
try "wrong key" 'psk-mismatch.*probable PSK mismatch' 'psk-mismatch.*probable PSK mismatch' \
	secret="a long enough wrong secret"
try "phase 1 without common proposal" 'NO-PROPOSAL-CHOSEN' "$offer" ike=aes256-sha512-ecp384
try "phase 2 without common proposal" 'p2-failed .*NO-PROPOSAL-CHOSEN' "$offer" esp=aes256-sha512
try "wrong identity of the peer" 'invalid-id .*expected user-fqdn:mallory' 'invalid-id .*expected user-fqdn:mallory' \
	peer_id=user-fqdn:mallory@example.test
is "the peer was told: no proposal chosen" "$(grep -c 'received NO_PROPOSAL_CHOSEN' "$(swan_dir "$NSB")/log")" 2

# From here on a tunnel that nothing may disturb.
keyer_write "$NSA" < <(keyer_conf "extra=grace = 0s")
check "the right configuration" keyer "$NSA" reload
ip netns exec "$NSB" tcpdump -q -n -i wan0 -U --immediate-mode -w "$TEST_TMP/ike.pcap" "src $B4 and udp port 500" \
	> "$TEST_TMP/tcpdump.log" 2>&1 &
capture=$!
at_exit stop_pid $capture
wait_for "$PATIENCE" grep -q 'listening on' "$TEST_TMP/tcpdump.log"
check "the tunnel comes up" keyer "$NSA" up paris
check "same keys" wait_for "$PATIENCE" same_keys 1
# What is injected must not be taken for captured.
stop_pid $capture
I=$(keyer_get "$NSA" 't["phase1"][0]["icookie"]') R=$(keyer_get "$NSA" 't["phase1"][0]["rcookie"]')
SPI_OUT=$(keyer_get "$NSA" 't["phase2"][0]["spi_out"]')
before=$(wc -l < "$RECORD")

# Returns once the keyer has read what was sent.
settled() { keyer "$NSA" status > /dev/null; }
undisturbed()
{
	settled
	is "$1: same tunnel as before" \
		"$(keyer_get "$NSA" '[t["state"], t["phase1"][0]["icookie"], t["phase2"][0]["spi_out"]]')" \
		"['up', '$I', '$SPI_OUT']"
	is "$1: nothing asked of the kernel" "$(wc -l < "$RECORD")" "$before"
}

was=$(counter unauthenticated)
inject delete "$I" "$R" > /dev/null
inject delete "$I" "$R" "$SPI_OUT" > /dev/null
for type in 1 7 11 14 16 18 24 36136 24578; do
	inject notify "$I" "$R" $type > /dev/null
done
undisturbed "unprotected deletes and notifies"
check "unprotected deletes and notifies: counted" wait_for "$PATIENCE" at_least unauthenticated $((was + 2))
inject garbage "$I" "$R" 60 > /dev/null
undisturbed "messages that decrypt to nonsense"
was=$(($(counter duplicates) + $(counter replayed) + $(counter unknown_cookies)))
sent=$(inject replay "$TEST_TMP/ike.pcap" 3)
check "something was captured to replay" test "$sent" -ge 9
undisturbed "replayed messages"
check "replayed messages: each one counted" test \
	$(($(counter duplicates) + $(counter replayed) + $(counter unknown_cookies))) -ge $((was + sent - 3))
was=$(counter oversized)
inject oversized > /dev/null
check "an oversized datagram: counted" wait_for "$PATIENCE" at_least oversized $((was + 1))
undisturbed "an oversized datagram"
inject malformed 1 2000 > /dev/null
undisturbed "lengths that lie"
inject mutate "$TEST_TMP/ike.pcap" 2 3000 > /dev/null
undisturbed "mutated messages"
inject initiate 500 > /dev/null
undisturbed "many offers nobody wants"
check "many offers nobody wants: no state is kept" test "$(counter p1_now)" -le 2
check "the keyer still negotiates" keyer "$NSA" rekey paris
renewed() { [[ $(keyer_spi_out "$NSA") != "$SPI_OUT" ]] && same_keys 1; }
check "and both ends have the new pair" wait_for "$PATIENCE" renewed
is "the log holds only printable text" "$(LC_ALL=C grep -c '[^ -~]' "$(keyer_dir "$NSA")/log")" 0
((! ktap_failed)) || { keyer_log "$NSA" 60; swan_log "$NSB" 40; }
finish
