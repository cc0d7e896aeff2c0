#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# The test bed itself works, without any of our code: the in-tree xfrm
# interface on both gateways, keyed by hand and then by strongSwan (IKEv1 main
# mode, pre-shared key), carries traffic between the hosts.
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

topology_create
refuse "without a tunnel nothing crosses" '100% packet loss|unreachable' \
	ns h1 ping -q -n -c 1 -W 2 $H2_4

KEY=0x$(printf '%040d' 7)
check "gwA: xfrm interface keyed by hand" \
	xfrm_peer gwA $A4 $B4 0x1001 0x1002 aead 'rfc4106(gcm(aes))' "$KEY" 128
check "gwB: xfrm interface keyed by hand" \
	xfrm_peer gwB $B4 $A4 0x1002 0x1001 aead 'rfc4106(gcm(aes))' "$KEY" 128
topology_route xfrm0 xfrm0
check "hosts reach each other, keyed by hand" ping_hosts
check "over IPv6 as well" ping_hosts6
xfrm_flush gwA
xfrm_flush gwB
refuse "without SAs nothing crosses" '100% packet loss' \
	ns h1 ping -q -n -c 1 -W 2 $H2_4

check "strongSwan starts in gwA" swan_start gwA < <(swan_psk local=$A4 remote=$B4 \
	id=gwa@example.test peer_id=gwb@example.test)
check "strongSwan starts in gwB" swan_start gwB < <(swan_psk)
check "main mode and quick mode" swan gwA --initiate --child net --timeout "$PATIENCE" ||
	{ swan_log gwA; swan_log gwB; }
check "one SA pair in gwA" wait_for "$PATIENCE" swan_children_are gwA 1
check "one SA pair in gwB" wait_for "$PATIENCE" swan_children_are gwB 1
check "hosts reach each other" ping_hosts

finish
