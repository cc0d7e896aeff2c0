#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Main mode with signatures and strongSwan, in both roles, without kernel ESP: RSA and ECDSA
# keys, an intermediate authority, names and distinguished names as identities; and what must
# be refused: the wrong authority, a revoked certificate, an identity the certificate lacks. The
# certificates are made here.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

PKI=$TEST_TMP/pki
SWAN=$(swan_dir "$NSB")/swanctl

### Certificates

# key FILE KIND: rsa2048, rsa4096, ecdsa256, ecdsa384 or ecdsa521
key()
{
	local curve
	case $2 in
	rsa*) openssl genrsa -out "$1" "${2#rsa}" ;;
	ecdsa*)
		curve=P-${2#ecdsa}
		openssl ecparam -name "$curve" -genkey -noout -out "$1"
		;;
	esac
}

# issue CA NAME SUBJECT EXTENSIONS: $PKI/NAME.pem for the key $PKI/NAME.key, by $PKI/CA.
issue()
{
	openssl req -new -key "$PKI/$2.key" -subj "$3" -out "$PKI/$2.csr" &&
		printf '%s\n' "$4" > "$PKI/$2.ext" &&
		openssl x509 -req -in "$PKI/$2.csr" -CA "$PKI/$1.pem" -CAkey "$PKI/$1.key" -sha256 -days 30 \
			-set_serial "0x$(openssl rand -hex 8)" -extfile "$PKI/$2.ext" -out "$PKI/$2.pem"
}

# authority NAME SUBJECT [CA]
CA_EXT=$'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\nsubjectKeyIdentifier = hash'
authority()
{
	key "$PKI/$1.key" rsa2048 || return
	if [[ ${3-} ]]; then
		issue "$3" "$1" "$2" "$CA_EXT"
	else
		openssl req -x509 -new -key "$PKI/$1.key" -subj "$2" -sha256 -days 30 -out "$PKI/$1.pem"
	fi
}

# gateway CA NAME KIND LETTER: a gateway's key and certificate.
gateway()
{
	key "$PKI/$2.key" "$3" && issue "$1" "$2" "/O=Example Inc/OU=Gateways/CN=gw$4 $3 of $1" \
		"subjectAltName = DNS:gw$4.example.test, email:gw$4@example.test, IP:192.0.2.${5:-9}
keyUsage = digitalSignature"
}

# crl CA [NAME...]: $PKI/CA.crl, with these certificates revoked.
crl()
{
	local ca=$1 name dir=$PKI/$1.db
	shift
	mkdir -p "$dir" && : > "$dir/index" && echo 01 > "$dir/crlnumber" && cat > "$dir/cnf" <<-END
	[ca]
	default_ca = this
	[this]
	database = $dir/index
	crlnumber = $dir/crlnumber
	default_md = sha256
	default_crl_days = 10
	END
	for name; do
		openssl ca -config "$dir/cnf" -cert "$PKI/$ca.pem" -keyfile "$PKI/$ca.key" -revoke "$PKI/$name.pem" || return
	done
	openssl ca -config "$dir/cnf" -cert "$PKI/$ca.pem" -keyfile "$PKI/$ca.key" -gencrl -out "$PKI/$ca.crl"
}

KINDS='rsa2048 rsa4096 ecdsa256 ecdsa384 ecdsa521'

make_pki()
{
	local kind
	mkdir -p "$PKI"
	authority root "/C=CH/O=Example/CN=Root" && authority other "/O=Elsewhere/CN=Root" &&
		authority sub "/C=CH/O=Example/CN=Sub" root || return
	for kind in $KINDS; do
		gateway root "a-$kind" "$kind" a 1 && gateway root "b-$kind" "$kind" b 2 || return
	done
	gateway sub a-sub rsa2048 a && gateway sub b-sub rsa2048 b &&
		gateway other b-other rsa2048 b && gateway root b-revoked rsa2048 b &&
		cat "$PKI/a-sub.pem" "$PKI/sub.pem" > "$PKI/a-chain.pem" && crl root b-revoked
}

### Both ends

# peer_conf CERT CA [ID [PEER-ID]]: swanctl.conf with its credentials; the key is CERT's.
peer_conf()
{
	local id=${3:-gwb.example.test} peer_id=${4:-gwa.example.test}
	cat <<-END
	connections {
		gw {
			version = 1
			local_addrs = $B4
			remote_addrs = $A4
			proposals = aes128-sha256-modp2048
			aggressive = ${AGGRESSIVE:-no}
			local {
				auth = pubkey
				certs = $1.pem
				id = "$id"
			}
			remote {
				auth = pubkey
				cacerts = $2.pem
				id = "$peer_id"
			}
			children {
				net {
					local_ts = 0.0.0.0/0
					remote_ts = 0.0.0.0/0
					esp_proposals = aes128gcm16-modp2048
					if_id_in = $XFRM_IF_ID
					if_id_out = $XFRM_IF_ID
				}
			}
		}
	}
	END
}

# gw_conf CERT CA AUTH [ID [PEER-ID [MORE]]]: esptun.conf; CERT.pem may be a chain.
gw_conf()
{
	local name=${1/chain/sub}
	cat <<-END
	trustpoint ours {
		ca = "$PKI/$2.pem"
		cert = "$PKI/$1.pem"
		key = "$PKI/$name.key"
		${CRL:+crl = \"$CRL\"}
	}
	profile signed {
		auth = "$3"
		trustpoints = { ours }
		identity = "${4:-fqdn:gwa.example.test}"
		match-identity = { "${5:-fqdn:gwb.example.test}" }
	}
	tunnel paris {
		device = paris0
		local = $A4
		remote = $B4
		profile = signed
		phase1 = { "aes128-sha256-modp2048" }
		exchange = $([[ ${AGGRESSIVE-} == yes ]] && echo aggressive || echo main)
		phase2 = { "aes128gcm16-modp2048" }
		start = respond
		${6-}
	}
	END
}

# Only the wanted credentials stand in charon's directories.
peer_credentials()
{
	local name
	mkdir -p "$SWAN/x509" "$SWAN/x509ca" "$SWAN/private"
	rm -f "$SWAN"/x509/* "$SWAN"/x509ca/* "$SWAN"/private/*
	cp "$PKI/$1.pem" "$SWAN/x509/" && cp "$PKI/$1.key" "$SWAN/private/" || return
	shift
	for name; do
		cp "$PKI/$name.pem" "$SWAN/x509ca/" || return
	done
}

# configure < esptun.conf: both ends.
configure()
{
	if keyer_write "$NSA" && keyer "$NSA" reload && swan "$NSB" --load-all --clear; then
		return 0
	fi > "$TEST_TMP/load" 2>&1
	diag < "$TEST_TMP/load"
	return 1
}

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }

initiate() { keyer "$NSA" up paris && wait_for "$PATIENCE" same_keys 1 'rfc4106(gcm(aes))' none; }

respond()
{
	swan "$NSB" --initiate --child net --timeout "$PATIENCE" > "$TEST_TMP/initiate" 2>&1 &&
		wait_for "$PATIENCE" keyer_up "$NSA" && wait_for "$PATIENCE" same_keys 1 'rfc4106(gcm(aes))' none
}

clear_down()
{
	keyer "$NSA" down paris && wait_for "$PATIENCE" swan_children_are "$NSB" 0 && wait_for "$PATIENCE" same_keys 0
}

logs() { keyer_log "$NSA" 25; swan_log "$NSB" 25; }

# accepted NAME: both roles.
accepted()
{
	check "$1: initiator" initiate || logs
	check "$1: down" clear_down
	check "$1: responder" respond || logs
	check "$1: down" clear_down
}

# refused NAME REGEX: the keyer refuses in either role and says why; no SA is made.
refused()
{
	keyer_mark "$NSA"
	ask keyer_up_command
	check "$1: initiator refuses" wait_for "$PATIENCE" keyer_logged "$NSA" "message=MM6 .*$2" || logs
	ask_no_more
	keyer "$NSA" down paris
	keyer_mark "$NSA"
	ask peer_up_command
	check "$1: responder refuses" wait_for "$PATIENCE" keyer_logged "$NSA" "message=MM5 .*$2" || logs
	ask_no_more
	keyer "$NSA" down paris
	is "$1: nothing was established" "$(keyer_get "$NSA" 's["counters"]["p1_established"]')" "$established"
}

# Both wait for an end that does not come: in the background, ended when the log has it.
keyer_up_command() { exec "$ESPTUN" ike up paris ctl "$(keyer_dir "$NSA")/ctl"; }
peer_up_command() { STRONGSWAN_CONF=$(swan_dir "$NSB")/strongswan.conf exec ip netns exec "$NSB" \
	swanctl --initiate --child net --timeout "$PATIENCE" --uri "unix://$(swan_dir "$NSB")/vici"; }
asking=
ask()
{
	established=$(keyer_get "$NSA" 's["counters"]["p1_established"]')
	("$1") > "$TEST_TMP/ask" 2>&1 < /dev/null &
	asking=$!
}
ask_no_more() { stop_pid "$asking"; }

# case_of KEYER-CERT KEYER-CA PEER-CERT PEER-CA...: credentials and trust of both ends; the
# identities in id, peer_id are the keyer's words, swan_id, swan_peer_id strongSwan's.
set_case()
{
	local cert=$1 ca=$2 peer=$3
	shift 3
	peer_credentials "$peer" "$@" &&
		peer_conf "$peer" "$1" "${swan_id-}" "${swan_peer_id-}" > "$SWAN/swanctl.conf" &&
		gw_conf "$cert" "$ca" rsa "${id-}" "${peer_id-}" | configure
}

### The cases

if ! make_pki > "$TEST_TMP/pki.log" 2>&1; then
	fail "certificates are made" "$(tail -n 5 "$TEST_TMP/pki.log")"
	finish
fi
ike_create || exit
gw_conf a-rsa2048 root rsa | keyer_write "$NSA"
peer_credentials b-rsa2048 root
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(peer_conf b-rsa2048 root)

for kind in $KINDS; do
	auth=$kind
	[[ $kind != rsa* ]] || auth=rsa
	peer_credentials "b-$kind" root
	peer_conf "b-$kind" root > "$SWAN/swanctl.conf"
	check "$kind: configured" configure < <(gw_conf "a-$kind" root "$auth")
	accepted "$kind"
done
is "status names the method" "$(keyer_logged "$NSA" 'ISAKMP SA established as responder .* ecdsa521' && echo yes)" yes

check "intermediate: configured" set_case a-chain root b-sub sub root
check "intermediate: initiator" initiate || logs
is "intermediate: trustpoints are shown" \
	"$(keyer_get "$NSA" '(t["phase1"][0]["auth"], t["phase1"][0]["own_trustpoint"], t["phase1"][0]["peer_trustpoint"])')" \
	"('rsa', 'ours', 'ours')"
check "intermediate: down" clear_down
check "intermediate: responder" respond || logs
check "intermediate: down" clear_down

AGGRESSIVE=yes
check "aggressive mode: configured" set_case a-chain root b-sub sub root
accepted "aggressive mode"
is "aggressive mode: it was" "$(keyer_logged "$NSA" 'message=AM3 .*ISAKMP SA established as responder .* rsa' && echo yes)" yes
unset AGGRESSIVE

id=dn peer_id='dn:O=Example Inc, OU=Gateways, CN=gwb rsa2048 of root'
swan_id='O=Example Inc, OU=Gateways, CN=gwb rsa2048 of root'
swan_peer_id='O=Example Inc, OU=Gateways, CN=gwa rsa2048 of root'
check "distinguished name: configured" set_case a-rsa2048 root b-rsa2048 root
accepted "distinguished name"
unset id peer_id swan_id swan_peer_id

peer_id='dn:O=Example Inc, OU=Gateways, CN=somebody else' swan_id='O=Example Inc, OU=Gateways, CN=gwb rsa2048 of root'
check "another name: configured" set_case a-rsa2048 root b-rsa2048 root
refused "another name" 'peer says it is dn:O=Example.*expected dn:O=Example.*somebody else'
unset peer_id swan_id

check "wrong authority: configured" set_case a-rsa2048 root b-other root other
refused "wrong authority" 'certificate O=Example.* rejected for profile signed \(line [0-9]+\), which has trustpoints ours'

CRL=$PKI/root.crl
check "CRL: configured" set_case a-rsa2048 root b-rsa2048 root
accepted "CRL, not revoked"
check "revoked: configured" set_case a-rsa2048 root b-revoked root
refused "revoked" 'certificate O=Example.*: certificate revoked'
finish
