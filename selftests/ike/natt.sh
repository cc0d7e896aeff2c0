#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# NAT traversal with strongSwan: a router that masquerades one end, the other, or none, both
# roles, forced encapsulation, a NAT that forgets, a blocked port, IPv6. Without kernel ESP: what
# packets make of it is ../ike_nat.sh's job.
# shellcheck disable=SC2317,SC2119,SC2086
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

NSR=ikeR-$$
OUT4=198.51.100.2 OUT6=2001:db8:2::2	# strongSwan's
NAT_A=198.51.100.254 NAT_B=192.0.2.254 # what the router makes of A for B, and of B for A

router_create()
{
	ike_namespaces && topology_ns "$NSR" || return
	at_exit ip netns del "$NSR"
	topology_link "$NSA" wan0 "$NSR" a0
	topology_link "$NSR" b0 "$NSB" wan0
	topology_addr "$NSA" wan0 $A4/24 $A6/64
	topology_addr "$NSR" a0 $NAT_B/24 2001:db8::fe/64
	topology_addr "$NSR" b0 $NAT_A/24 2001:db8:2::fe/64
	topology_addr "$NSB" wan0 $OUT4/24 $OUT6/64
	ip -n "$NSA" route add default via $NAT_B
	ip -n "$NSA" route add default via 2001:db8::fe
	ip -n "$NSB" route add default via $NAT_A
	ip -n "$NSB" route add default via 2001:db8:2::fe
}

# nat DEVICE LOW-HIGH: masquerades what leaves the router by this device, with other ports than
# before; what it had before is forgotten.
nat()
{
	no_nat
	ns "$NSR" nft -f - <<-END
	table inet nat {
		chain post {
			type nat hook postrouting priority 100;
			oifname "$1" meta l4proto udp masquerade to :$2
		}
	}
	END
}
no_nat()
{
	ns "$NSR" nft flush ruleset
	ns "$NSR" "$LIB_DIR/lib/conntrack_flush.py"
}

# block PORT: the router lets nothing to this port through.
block()
{
	ns "$NSR" nft "add table inet block; add chain inet block f { type filter hook forward priority 0; }
		add rule inet block f udp dport $1 drop"
}

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$TEST_TMP/peer.translated" "$@"; }
# The router gave one end another address; the comparison is about what each end meant.
translated()
{
	sed "s/$1/$2/g" "$PEER_RECORD" > "$TEST_TMP/peer.translated"
	shift 2
	same_keys "$@"
}
peer_has() { wait_for "$PATIENCE" swan_children_are "$NSB" "$1"; }
p1() { keyer_get "$NSA" "[p for p in t['phase1'] if p['established']][-1]['$1']"; }
p1_is() { [[ $(p1 "$1") == "$2" ]]; }
counted() { keyer_get "$NSA" "s['counters']['$1']"; }
more() { (($(counted "$1") > $2)); }
# The last SA that the record has, one member of it.
recorded() { grep '"op":"sa-add"' "$RECORD" | tail -n 1 | jq -c "$1"; }
# as_peer NAME=VALUE...: strongSwan has this connection from now on.
as_peer()
{
	swan_psk "local=$OUT4" "$@" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"
}
as_keyer() { keyer_write "$NSA" < <(keyer_conf remote=$OUT4 "$@") && keyer "$NSA" reload; }
# The delete of the ISAKMP SA may come last: one that is left would be used again.
peer_empty() { [[ ! $(swan "$NSB" --list-sas) ]]; }
down() { keyer "$NSA" down paris && wait_for "$PATIENCE" peer_empty; }

# both_roles DESC NAT HERE THERE: comes up from either side, the same keys at both ends; NAT is what
# the status says, HERE and THERE one address in our record and as the peer's has it.
both_roles()
{
	check "$1: we initiate" keyer "$NSA" up paris
	check "$1: we initiate: the peer has one pair" peer_has 1
	check "$1: we initiate: same SAs, same keys" translated "$4" "$3" 1
	is "$1: we initiate: what the status says" "$(p1 nat)" "$2"
	check "$1: down" down
	responder "$@"
}

responder()
{
	check "$1: the peer initiates" swan "$NSB" --initiate --child net --timeout "$PATIENCE"
	check "$1: the peer initiates: up" wait_for "$PATIENCE" keyer_up "$NSA"
	check "$1: the peer initiates: same SAs, same keys" wait_for "$PATIENCE" translated "$4" "$3" 1
	is "$1: the peer initiates: what the status says" "$(p1 nat)" "$2"
	is "$1: the peer initiates: we are the responder" "$(p1 role)" responder
}

case_none()
{
	both_roles "no NAT" "no NAT" $A4 $A4
	is "no NAT: the version is agreed all the same" "$(p1 nat_traversal)" "RFC 3947"
	is "no NAT: ESP goes bare" "$(recorded .encap_local_port)" null
	is "no NAT: port 500" "$(p1 remote)" "$OUT4:500"
	check "no NAT: down" down
}

case_here()
{
	check "a NAT in front of us" nat b0 10000-19999
	check "replaced SAs go at once" as_keyer "extra=grace = 0s"
	check "the peer knows its address" as_peer "remote=$NAT_A"
	check "NAT here: we initiate" keyer "$NSA" up paris
	check "NAT here: the peer has one pair" peer_has 1
	check "NAT here: same SAs, same keys" translated $NAT_A $A4 1
	is "NAT here: what the status says" "$(p1 nat)" "NAT here"
	is "NAT here: from our port" "$(p1 local)" "$A4:4500"
	is "NAT here: SA ports and keepalive" "$(recorded '[.dir,.encap_local_port,.encap_peer_port,.keepalive]')" '["out",4500,4500,20]'
	check "NAT here: the peer encapsulates, to the mapped port" grep -qE '"encap":\[4500,1[0-9]{4}\]' "$PEER_RECORD"
	was=$(counted p2_established)
	check "NAT here: phase 2 renewed by us" keyer "$NSA" rekey paris phase2
	check "NAT here: phase 2 renewed by us: done" wait_for "$PATIENCE" more p2_established "$was"
	was=$(counted p2_established)
	check "NAT here: phase 2 renewed by the peer" swan "$NSB" --rekey --child net
	check "NAT here: phase 2 renewed by the peer: done" wait_for "$PATIENCE" more p2_established "$was"
	was=$(counted p1_established)
	check "NAT here: phase 1 renewed by us" keyer "$NSA" rekey paris phase1
	check "NAT here: phase 1 renewed by us: done" wait_for "$PATIENCE" more p1_established "$was"
	# The peer would renew all it has, and mix them up.
	check "NAT here: only the new phase 1 is left" wait_for "$PATIENCE" keyer_is "$NSA" 'len(t["phase1"])' 1
	was=$(counted p1_established)
	check "NAT here: phase 1 renewed by the peer, through the mapping" swan "$NSB" --rekey --ike gw
	check "NAT here: phase 1 renewed by the peer: done" wait_for "$PATIENCE" more p1_established "$was"
	wait_for "$PATIENCE" translated $NAT_A $A4 1
	check "NAT here: still one pair at each end" translated $NAT_A $A4 1
	check "NAT here: down" down
}

case_blocked()
{
	check "the router blocks port 4500" block 4500
	keyer_mark "$NSA"
	refuse "blocked: it does not come up" 'float failed: port 4500 blocked' keyer "$NSA" up paris wait 100
	check "blocked: the log says so" keyer_logged "$NSA" 'float-failed tunnel=paris.*port 4500 blocked'
	check "blocked: down" keyer "$NSA" down paris
}

case_never()
{
	check "a NAT in front of us, nothing blocked" nat b0 20000-29999
	check "encapsulation = never" as_keyer "extra=encapsulation = never"
	check "never: up" keyer "$NSA" up paris
	is "never: ESP goes bare" "$(recorded .encap_local_port)" null
	is "never: nothing was agreed" "$(keyer_get "$NSA" '"nat_traversal" in t["phase1"][0]')" False
	check "never: down" down
}

case_at_peer()
{
	check "a NAT in front of the peer" nat a0 30000-39999
	check "we know its address" as_keyer remote=$NAT_B
	check "the peer knows ours" as_peer "remote=$A4"
	responder "NAT at the peer" "NAT at the peer" $NAT_B $OUT4
	check "NAT at the peer: it has a mapped port" grep -qE ':3[0-9]{4}$' <<< "$(p1 remote)"
	is "NAT at the peer: no keepalive from us, its moves are followed" \
		"$(grep '"op":"sa-add"' "$RECORD" | tail -n 2 | jq -c '[.dir,.keepalive,.follow_peer]' | sort | tr '\n' ' ')" \
		'["in",0,true] ["out",0,false] '
	was=$(counted p1_established)
	check "NAT at the peer: phase 1 renewed by us, through the mapping" keyer "$NSA" rekey paris phase1
	check "NAT at the peer: phase 1 renewed by us: done" wait_for "$PATIENCE" more p1_established "$was"
	# The keyer dies; the new one finds the peer by what the SAs tell.
	was=$(p1 remote)
	check "NAT at the peer: the keyer is killed" keyer_stop "$NSA" KILL
	keyer_mark "$NSA"
	check "NAT at the peer: and started again" keyer_start "$NSA" --record "$RECORD"
	is "NAT at the peer: the SAs were found" "$(keyer_get "$NSA" 't["state"]')" up
	check "NAT at the peer: everything anew" keyer "$NSA" rekey paris phase1
	check "NAT at the peer: phase 2, too" keyer "$NSA" rekey paris phase2
	check "NAT at the peer: new phase 1" wait_for "$PATIENCE" more p1_established 0
	is "NAT at the peer: it went to the mapped port" "$(p1 remote)" "$was"
	check "NAT at the peer: new phase 2" wait_for "$PATIENCE" more p2_established 0
	was=$(counted peers_moved)
	check "NAT at the peer: the NAT forgets it" nat a0 40000-49999
	check "NAT at the peer: the peer speaks" swan "$NSB" --rekey --child net
	check "NAT at the peer: it is followed" wait_for "$PATIENCE" more peers_moved "$was"
	check "NAT at the peer: to its new port" grep -qE ':4[0-9]{4}$' <<< "$(p1 remote)"
	check "NAT at the peer: down" down
}

case_forced()
{
	no_nat
	check "forced by us" as_keyer "extra=encapsulation = force"
	check "forced by us: the peer knows our address" as_peer "remote=$A4"
	both_roles "forced by us" "no NAT" $A4 $A4
	is "forced by us: ESP in UDP" "$(recorded .encap_local_port)" 4500
	check "forced by us: the peer encapsulates, too" grep -q '"encap":\[4500,4500\]' "$PEER_RECORD"
	check "forced by us: down" down
	check "forced by the peer" as_keyer
	check "forced by the peer: it is told to" as_peer "remote=$A4" "extra=encap = yes"
	both_roles "forced by the peer" "NAT at the peer" $A4 $A4
	is "forced by the peer: ESP in UDP" "$(recorded .encap_local_port)" 4500
	check "forced by the peer: down" down
}

case_six()
{
	six_peer() { as_peer "local=$OUT6" "remote=$A6" "$@" && sed -i 's,0\.0\.0\.0/0,::/0,' "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"; }
	six=$'local-net = "::/0"\n\t\tremote-net = "::/0"'
	check "IPv6 outside" as_keyer local=$A6 remote=$OUT6 "extra=$six"
	check "IPv6 outside: the peer, too" six_peer
	both_roles "IPv6" "no NAT" $A6 $A6
	is "IPv6: the networks" "$(recorded '[.local_net,.remote_net]')" '["any","any"]'
	check "IPv6: quick mode spoke of ::/0" grep -q 'net{[0-9]*} established with.*::/0 === ::/0' "$(swan_dir "$NSB")/log"
	check "IPv6: down" down
	check "IPv6: identities are the addresses" as_keyer local=$A6 remote=$OUT6 id=ipv6:$A6 peer_id=ipv6:$OUT6 "extra=$six"
	check "IPv6: the peer's, too" six_peer id=$OUT6 peer_id=$A6
	both_roles "IPv6, addresses as identities" "no NAT" $A6 $A6
	check "IPv6, addresses as identities: down" down
	check "IPv6: forced encapsulation" as_keyer local=$A6 remote=$OUT6 "extra=encapsulation = force"$'\n'"$six"
	check "IPv6: the peer has its names back" six_peer
	both_roles "IPv6, forced" "no NAT" $A6 $A6
	is "IPv6, forced: ESP in UDP" "$(recorded .encap_local_port)" 4500
	check "IPv6: down" down
}

router_create || exit
check "strongSwan starts" peer_start < <(swan_psk "local=$OUT4")
keyer_write "$NSA" < <(keyer_conf remote=$OUT4)
check "esptund starts" keyer_start "$NSA" --record "$RECORD"

# NATT_ONLY="WORD...": just these
for part in ${NATT_ONLY:-none here blocked never at_peer forced six}; do
	case_$part
done
((! ktap_failed)) || { keyer_log "$NSA" 80; swan_log "$NSB" 80; }
finish
