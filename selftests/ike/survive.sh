#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What happens to a gateway while its tunnels are up: an address that comes late, goes and returns, an
# interface that flaps, a clock that is set a year forth and back, a reload that changes one of two
# tunnels. The tunnel that is not concerned keeps its SAs. Without kernel ESP.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

tunnel() { echo "[t for t in s['tunnels'] if t['name'] == '$1'][0]"; }
state_is() { keyer_is "$NSA" "$(tunnel "$1")['state']" "$2"; }
spi() { keyer_get "$NSA" "[c['spi_in'] for c in $(tunnel "$1")['phase2'] if not c['old'] and not c['pending']][0]"; }
refused() { ! "$@"; }
# renewed TUNNEL SPI
renewed() { local now; now=$(spi "$1"); [[ $now && $now != "$2" ]]; }
no_old() { keyer_is "$NSA" "len($(tunnel "$1")['phase2'])" 1; }

# Two tunnels to one strongSwan, from two addresses of ours; the second address comes later.
A4_2=${A4%.*}.71
both() { keyer_conf start=auto "extra=grace = 0s"; keyer_conf name=rome local="$A4_2" start=auto "extra=grace = 0s" "$@"; }
peer_conf()
{
	swan_psk
	swan_psk remote="$A4_2" | sed 's/^gw {/gw2 {/; s/^ike-gw {/ike-gw2 {/'
}

ike_create || exit
# The clock that steps: CLOCK_REALTIME, time() and gettimeofday(), by what stands in a file.
check "the clock to be set" cc -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$TEST_TMP/clock_stub.so" \
	"$IKE_DIR/clock_stub.c"
echo 0 > "$TEST_TMP/clock"
keyer_write "$NSA" < <(both)
check "strongSwan starts" peer_start < <(peer_conf)
export LD_PRELOAD=$TEST_TMP/clock_stub.so CLOCK_STUB_FILE=$TEST_TMP/clock
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
unset LD_PRELOAD
check "the tunnel whose address is there comes up" wait_for "$PATIENCE" state_is paris up
check "the other one waits for its address" wait_for "$PATIENCE" state_is rome "no local address"
check "and says so" keyer_logged "$NSA" "local-address tunnel=rome.*$A4_2 is not on this host"
is "nothing was sent for it" "$(keyer_get "$NSA" "len($(tunnel rome)['phase1'])")" 0
paris=$(spi paris)
check "the address comes" ip -n "$NSA" addr add "$A4_2/24" dev wan0
check "the other one comes up" wait_for "$PATIENCE" state_is rome up
is "the first one did not notice" "$(spi paris)" "$paris"

rome=$(spi rome)
for round in 1 2 3; do
	check "round $round: the address goes" ip -n "$NSA" addr del "$A4_2/24" dev wan0
	check "round $round: the keyer sees it" wait_for "$PATIENCE" keyer_logged "$NSA" "local-address tunnel=rome.*waiting for it"
	keyer_mark "$NSA"
	check "round $round: the address returns" ip -n "$NSA" addr add "$A4_2/24" dev wan0
	check "round $round: the keyer sees it" wait_for "$PATIENCE" keyer_logged "$NSA" "local-address tunnel=rome.*is there"
done
is "its SAs are as they were" "$(spi rome)" "$rome"
check "and can be renewed" keyer "$NSA" rekey rome phase2
check "are renewed" wait_for "$PATIENCE" renewed rome "$rome"
is "the first one did not notice" "$(spi paris)" "$paris"

rome=$(spi rome)
for round in 1 2 3; do
	check "round $round: the interface goes down" ip -n "$NSA" link set wan0 down
	check "round $round: and up" ip -n "$NSA" link set wan0 up
done
is "a flapping interface costs no SA" "$(spi paris) $(spi rome)" "$paris $rome"
check "the tunnel can be renewed after it" keyer "$NSA" rekey paris phase1
check "renewed" wait_for "$PATIENCE" keyer_is "$NSA" 's["counters"]["p1_established"]' 3

for step in 31536000 -31536000 0; do
	echo "$step" > "$TEST_TMP/clock"
	check "the clock is set by $step s: status" keyer "$NSA" status
	is "no SA ends because of that" "$(spi paris) $(spi rome)" "$paris $rome"
	check "and its rekey time is what it was" keyer_is "$NSA" \
		"2400 < $(tunnel paris)['phase2'][0]['rekey_in'] < 3600 and $(tunnel paris)['phase2'][0]['age'] < 600" True
done
echo 31536000 > "$TEST_TMP/clock"
check "a rekey a year later" keyer "$NSA" rekey rome phase2
check "works" wait_for "$PATIENCE" renewed rome "$rome"

rome=$(spi rome)
keyer_write "$NSA" < <(both "esp=aes256gcm16-modp2048")
check "one tunnel's proposals change" keyer "$NSA" reload
sed -i '/^gw2 {/,/^secrets/s/esp_proposals = .*/esp_proposals = aes256gcm16-modp2048/' "$(swan_dir "$NSB")/swanctl/swanctl.conf"
check "at the peer, too" swan_load "$NSB"
check "that tunnel is negotiated anew" wait_for "$PATIENCE" renewed rome "$rome"
is "the other one is not disturbed" "$(spi paris)" "$paris"
is "with the new proposal" "$(keyer_get "$NSA" "$(tunnel rome)['phase2'][0]['proposal']")" aes256gcm16-modp2048
echo 'tunnel rome { nonsense' > "$TEST_TMP/bad"
keyer_write "$NSA" < "$TEST_TMP/bad"
check "a configuration with a mistake is refused" refused keyer "$NSA" reload
is "and both tunnels are as they were" "$(keyer_get "$NSA" "' '.join(t['state'] for t in s['tunnels'])")" "up up"
is "the first one with the SAs of the beginning" "$(spi paris)" "$paris"
((! ktap_failed)) || { keyer_log "$NSA" 100; swan_log "$NSB" 60; }
finish
