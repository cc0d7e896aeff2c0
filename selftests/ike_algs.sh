#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# Each kind of ESP transform, with and without PFS, negotiated with strongSwan and used by packets,
# and three kinds of phase 1. Every algorithm of both phases in both roles, all key octets compared,
# is ike/matrix.sh's job, which needs no kernel and takes a second where this takes ten; every
# algorithm against the in-tree ESP is algs.py's.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

# cell IKE ESP ROLE
cell()
{
	local name="$1 / $2 as $3"
	check "$name: configured" gateways_set "$1" "$2" policy=insecure || return
	if [[ $3 == initiator ]]; then
		check "$name: up" keyer gwA up paris
	else
		check "$name: up" peer_initiate
	fi
	check "$name: one pair" gateways_up
	check "$name: hosts reach each other" ping_hosts
	check "$name: down" gateways_down
}

check "two gateways" gateways_create || { keyer_log gwA; finish; }
sniffer_expect_clear	# NULL encryption is one of the transforms

# Roles take turns, and PFS is on in every other pair of cells.
role=initiator pfs=
turn()
{
	if [[ $role == initiator ]]; then
		role=responder
	else
		role=initiator
		[[ -n $pfs ]] && pfs='' || pfs=-ecp256
	fi
}

# The group goes before -esn.
with_pfs() { [[ $1 == *-esn ]] && echo "${1%-esn}$pfs-esn" || echo "$1$pfs"; }

# Modern, legacy, insecure; the same group for PFS.
for ike in aes256-sha512-ecp521 aes192-sha384-modp2048 3des-md5-modp1024; do
	cell $ike aes128gcm16-${ike##*-} $role
	turn
done
for esp in aes128gcm16 aes192gcm16 aes192-sha384 aes256-sha512 3des-sha1 null-sha256 aes256-sha256-esn \
	aes256gcm16-esn aes128ccm12 aes256ctr-aesxcbc; do
	cell aes128-sha256-ecp256 "$(with_pfs $esp)" $role
	turn
done
gateways_logs
finish
