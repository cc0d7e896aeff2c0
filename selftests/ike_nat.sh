#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# NAT traversal with the module: esptund and its tunnel in h1, gwA is a NAT that masquerades it.
# Traffic, a keyer that is killed under a ping each millisecond at either end, a NAT that forgets
# its mapping while strongSwan or esptund is on the other side.
# shellcheck disable=SC2317,SC2119,SC2086
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

# nat LOW-HIGH: gwA has forgotten what it translated and takes other ports from now on.
nat()
{
	ns gwA nft -f - <<-END
	table ip nat {
		chain post {
			type nat hook postrouting priority 100;
		}
	}
	flush table ip nat
	table ip nat {
		chain post {
			oifname "wan0" udp dport { 500, 4500 } masquerade to :$1
		}
	}
	END
	ns gwA "$LIB_DIR/lib/conntrack_flush.py"
}

esptund_conf() { keyer_conf "extra=create-device = true" "$@"; }
p1() { keyer_get "$1" "[p for p in t['phase1'] if p['established']][-1]['$2']"; }
counted() { keyer_get "$1" "s['counters']['$2']"; }
more() { (($(counted "$1" "$2") > $3)); }
sas() { "$ESPTUN" -n "$1" -j sa show "dir" "$2" | jq -c "$3" | sort | tail -n 1; }
peer_port() { "$ESPTUN" -n gwB -s -j tunnel show paris0 | jq -r '.[0].peer_port'; }
port_between() { (($(peer_port) >= $1 && $(peer_port) <= $2)); }
unloaded() { keyer_no_sas h1 && keyer_no_sas gwB; }

behind_nat()
{
	topology_create && esptun_load && reconcile_skip && nat 10000-19999 && xfrmi_create gwB || return
	keyer_write h1 < <(esptund_conf local=$H1_4) && keyer_start h1 && swan_start gwB < <(swan_psk "extra_child=reqid = $XFRM_IF_ID") &&
		ip -n h1 route replace $NET2_4 dev paris0 && ip -n gwB route replace $NET1_4 dev xfrm0
}

# killed NS: the keyer dies and is started again; the tunnel goes on and is renewed.
killed()
{
	check "$1's keyer is killed" keyer_stop "$1" KILL
	check "$1's keyer is started again" keyer_start "$1"
	check "$1: new keys are asked for" keyer "$1" rekey paris phase1
	check "$1: a new phase 1" wait_for "$PATIENCE" more "$1" p1_established 0
	check "$1: and of phase 2" keyer "$1" rekey paris phase2
	check "$1: a new phase 2" wait_for "$PATIENCE" more "$1" p2_established 0
}

esptund_in_gwB()
{
	keyer h1 down paris && wait_for "$PATIENCE" keyer_no_sas h1 || return
	swan_stop gwB
	ip -n gwB link del xfrm0 && ip -n gwB xfrm policy flush && ip -n gwB xfrm state flush || return
	keyer_write gwB < <(esptund_conf local=$B4 remote=$A4 id=user-fqdn:gwb@example.test \
		peer_id=user-fqdn:gwa@example.test) && keyer_start gwB && ip -n gwB route replace $NET1_4 dev paris0
}

check "a tunnel that begins behind a NAT" behind_nat || { keyer_log h1; finish; }
check "it comes up" keyer h1 up paris
check "strongSwan has it" wait_for "$PATIENCE" swan_children_are gwB 1
is "the NAT is on our side" "$(p1 h1 nat)" "NAT here"
check "hosts reach each other" ping_hosts
is "ESP goes in UDP" "$(sas h1 out '.[0] | [.encap, .encap_local_port, .encap_peer_port]')" '["udp",4500,4500]'
traffic_start
killed h1
traffic_check "strongSwan: no packet was lost"
check "the NAT forgets" nat 20000-29999
check "strongSwan finds us" wait_for "$PATIENCE" ping_hosts

check "esptund in strongSwan's place" esptund_in_gwB
check "it comes up" keyer h1 up paris
check "gwB has it" wait_for "$PATIENCE" keyer_up gwB
is "the NAT is at its peer" "$(p1 gwB nat)" "NAT at the peer"
check "hosts reach each other" ping_hosts
check "it sends to the NAT's port" port_between 20000 29999
was=$(counted gwB peers_moved)
check "the NAT forgets again" nat 30000-39999
check "hosts reach each other" wait_for "$PATIENCE" ping_hosts
check "the module follows" wait_for "$PATIENCE" port_between 30000 39999
check "the keyer follows" wait_for "$PATIENCE" more gwB peers_moved "$was"
check "to the same port" test "$(p1 gwB remote)" = "$A4:$(peer_port)"
traffic_start
killed gwB
killed h1
traffic_check "esptund: no packet was lost"
check "down" keyer h1 down paris
check "nothing is left" wait_for "$PATIENCE" unloaded
if ((ktap_failed)); then
	keyer_log h1 80
	keyer_log gwB 80
	swan_log gwB 60
	"$ESPTUN" -n h1 -s -s sa show 2>&1 | diag
	"$ESPTUN" -n gwB -s -s sa show 2>&1 | diag
fi
finish
