# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The in-tree peer: an xfrm interface over the kernel's own ESP, keyed by hand
# or by strongSwan. Knows nothing of esptun.

XFRM_IF_ID=42

# xfrmi_create NS [DEV [IF_ID]]: an xfrm interface on the outer link, up.
xfrmi_create()
{
	local dev=${2:-xfrm0}
	ip -n "$1" link add "$dev" type xfrm dev wan0 if_id "${3:-$XFRM_IF_ID}" || return
	ip -n "$1" link set "$dev" up
}

# xfrm_sa NS SRC DST SPI ALGORITHM...: one ESP tunnel-mode SA. ALGORITHM is in
# the words of ip-xfrm(8), such as: aead 'rfc4106(gcm(aes))' 0x... 128. Further
# words ("replay-window 64", "flag esn") may precede it. af-unspec lets one SA
# carry both inner families.
xfrm_sa()
{
	local name=$1 src=$2 dst=$3 spi=$4
	shift 4
	ip -n "$name" xfrm state add src "$src" dst "$dst" proto esp spi "$spi" \
		reqid $XFRM_IF_ID mode tunnel if_id $XFRM_IF_ID flag af-unspec "$@"
}

# xfrm_policies NS LOCAL REMOTE: any to any through the interface, both families.
xfrm_policies()
{
	local any dir tmpl
	for any in 0.0.0.0/0 ::/0; do
		for dir in out in fwd; do
			tmpl="src $3 dst $2"
			[[ $dir != out ]] || tmpl="src $2 dst $3"
			# shellcheck disable=SC2086 # two words each
			ip -n "$1" xfrm policy add src $any dst $any dir $dir \
				if_id $XFRM_IF_ID tmpl $tmpl proto esp reqid $XFRM_IF_ID \
				mode tunnel || return
		done
	done
}

# xfrm_peer NS LOCAL REMOTE SPI_IN SPI_OUT ALGORITHM...: interface, policies and
# both SAs with the same algorithm words (and key) in both directions.
xfrm_peer()
{
	local name=$1 local_=$2 remote=$3 in=$4 out=$5
	shift 5
	xfrmi_create "$name" &&
		xfrm_policies "$name" "$local_" "$remote" &&
		xfrm_sa "$name" "$remote" "$local_" "$in" "$@" &&
		xfrm_sa "$name" "$local_" "$remote" "$out" "$@"
}

# xfrm_flush NS: SAs and policies away, the interface stays.
xfrm_flush()
{
	ip -n "$1" xfrm state flush
	ip -n "$1" xfrm policy flush
}
