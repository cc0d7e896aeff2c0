# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the keyer alone: two network namespaces of this test's own, joined by one
# link, strongSwan in B over the XFRM stand-in (xfrm_stub.c), esptund in A with --record.
# Needs no VM, no kernel ESP and no module. Addresses as in ../lib/topology.sh.
#
#	source "$(dirname "$0")/lib.sh"
#	ike_create
#	keyer_write "$NSA" < <(keyer_conf)
#	keyer_start "$NSA" --record "$RECORD"
#	peer_start < <(swan_psk)

# shellcheck source=selftests/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
IKE_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Namespaces are visible to the whole machine: no name of another run's.
NSA=ikeA-$$ NSB=ikeB-$$
RECORD=$TEST_TMP/keyer.record PEER_RECORD=$TEST_TMP/peer.record
: "$NSA $NSB $RECORD"

ike_delete()
{
	ip netns del "$NSA" 2> /dev/null
	ip netns del "$NSB" 2> /dev/null
	return 0
}

# ike_namespaces: both, without a link, and what strongSwan needs.
ike_namespaces()
{
	topology_ns "$NSA" && topology_ns "$NSB" || return
	at_exit ike_delete
	cc -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC -o "$TEST_TMP/xfrm_stub.so" \
		"$IKE_DIR/xfrm_stub.c"
}

ike_create()
{
	ike_namespaces || return
	topology_link "$NSA" wan0 "$NSB" wan0
	topology_addr "$NSA" wan0 $A4/24 $A6/64
	topology_addr "$NSB" wan0 $B4/24 $B6/64
}

# peer_start [LOG-LEVEL] < swanctl.conf
peer_start()
{
	# charon has to write the record wherever it runs
	touch "$PEER_RECORD"
	LD_PRELOAD=$TEST_TMP/xfrm_stub.so XFRM_STUB_FILE=$PEER_RECORD swan_start "$NSB"
}

