#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every cipher, hash, group and ESP transform that can be configured, negotiated with
# strongSwan in both roles, without kernel ESP: both ends install the same keys for the
# algorithms that were asked for.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

# As the kernel's crypto API names them.
encr_name()
{
	case $1 in
	*gcm*) echo 'rfc4106(gcm(aes))' ;;
	*ccm*) echo 'rfc4309(ccm(aes))' ;;
	*gmac) echo 'rfc4543(gcm(aes))' ;;
	*ctr) echo 'rfc3686(ctr(aes))' ;;
	aes*) echo aes ;;
	3des) echo des3_ede ;;
	null) echo cipher_null ;;
	esac
}

auth_name()
{
	case $1 in
	'') echo none ;;
	aesxcbc) echo 'xcbc(aes)' ;;
	*) echo "hmac(${1%_96})" ;;
	esac
}

# What a cell is about: only this may be in the records.
same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }

# The peer has the truncation to 96 bits as an option: it is not negotiated.
peer_truncates()
{
	local yes=no
	[[ $1 != *sha256_96* ]] || yes=yes
	echo "extra_child=sha256_96 = $yes"
}

set_up()
{
	keyer_write "$NSA" < <(keyer_conf "ike=$1" "esp=$2" policy=insecure) &&
		keyer "$NSA" reload &&
		swan_psk "ike=$1" "esp=${2/_96}" "$(peer_truncates "$2")" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" &&
		swan_load "$NSB"
}

clear_down()
{
	keyer "$NSA" down paris && wait_for "$PATIENCE" swan_children_are "$NSB" 0 &&
		wait_for "$PATIENCE" same_keys 0
}

initiate()
{
	keyer "$NSA" up paris && wait_for "$PATIENCE" same_keys 1 "$1" "$2"
}

respond()
{
	swan "$NSB" --initiate --child net --timeout "$PATIENCE" &&
		wait_for "$PATIENCE" keyer_up "$NSA" && wait_for "$PATIENCE" same_keys 1 "$1" "$2"
}

# cell IKE ESP: one line of the matrix, both roles.
cell()
{
	local ike=$1 esp=$2 encr auth group=${3-} part
	encr=$(encr_name "${esp%%-*}")
	auth=
	for part in ${esp//-/ }; do
		[[ $part != md5 && $part != sha* && $part != aesxcbc ]] || auth=$part
	done
	auth=$(auth_name "$auth")
	check "$ike / $esp: configured" set_up "$ike" "$esp"
	check "$ike / $esp: initiator" initiate "$encr" "$auth" || keyer_log "$NSA" 10
	[[ -z $group ]] || is "$ike / $esp: PFS group" \
		"$(grep -o '"pfs_group":[0-9]*' "$RECORD" | tail -n 1)" "\"pfs_group\":$group"
	check "$ike / $esp: taken down" clear_down
	check "$ike / $esp: responder" respond "$encr" "$auth" || keyer_log "$NSA" 10
	is "$ike / $esp: phase 1 is what was asked for" \
		"$(keyer_get "$NSA" 't["phase1"][0]["proposal"]')" "$ike"
	check "$ike / $esp: taken down again" clear_down
	: > "$RECORD"
	: > "$PEER_RECORD"
}

ike_create || exit
keyer_write "$NSA" < <(keyer_conf)
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_psk)

for cipher in aes128 aes192 aes256 3des; do
	for hash in md5 sha1 sha256 sha384 sha512; do
		cell $cipher-$hash-modp2048 aes128gcm16 0
	done
done
number=([2]=modp1024 [5]=modp1536 [14]=modp2048 [15]=modp3072 [16]=modp4096 [19]=ecp256 [20]=ecp384 [21]=ecp521)
for g in "${!number[@]}"; do
	cell "aes128-sha256-${number[g]}" "aes128-sha256-${number[g]}" "$g"
done
for cipher in aes128 aes192 aes256 3des null; do
	for hash in md5 sha1 sha256 sha384 sha512; do
		cell aes128-sha256-ecp256 $cipher-$hash 0
	done
done
for cipher in aes128gcm16 aes192gcm16 aes256gcm16; do
	cell aes128-sha256-ecp256 $cipher-ecp256 19
done
# The rest once each: their key lengths are the codec's and KEYMAT's business.
for esp in aes128gcm8 aes192gcm12 aes128ccm8 aes192ccm12 aes256ccm16 aes256gmac aes128ctr-sha256 aes192ctr-aesxcbc \
	aes256-aesxcbc aes128-sha256_96; do
	cell aes128-sha256-ecp256 $esp 0
done
cell aes128-sha256-ecp256 aes256-sha256-esn 0
cell aes128-sha256-ecp256 aes128gcm16-ecp256-esn 19

((! ktap_failed)) || { keyer_log "$NSA" 40; swan_log "$NSB" 40; }
finish
