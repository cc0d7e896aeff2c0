#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# XAUTH with a pre-shared key and mode config, pulled and pushed: strongSwan as client and as
# server, vpnc as client. Wrong passwords. Needs /dev/net/tun for vpnc.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

same_keys() { "$IKE_DIR/keys.py" "$RECORD" "$PEER_RECORD" "$@"; }
peer_has() { wait_for "$PATIENCE" swan_children_are "$NSB" "$1"; }
counter() { keyer_get "$NSA" "s[\"counters\"][\"$1\"]"; }
configure() { keyer_write "$NSA" < <(keyer_conf policy=insecure "$@") && keyer "$NSA" reload; }
peer_initiate() { swan "$NSB" --initiate --child net --timeout "${1:-$PATIENCE}"; }
peer_down() { swan "$NSB" --terminate --ike gw --force > /dev/null 2>&1; }
nothing_left() { wait_for "$PATIENCE" same_keys 0; }
all_down() { keyer "$NSA" down paris && peer_has 0 && nothing_left; }
recorded() { grep -qF -- "$1" "$RECORD"; }

peer_configure()
{
	swan_xauth "$@" > "$(swan_dir "$NSB")/swanctl/swanctl.conf" && swan_load "$NSB"
}

server='xauth = server
		xauth-users = "users"
		address-pool = "10.9.0.10-10.9.0.20"
		address-dns = { "10.9.0.1", "10.9.0.2" }
		mode-config'
client='xauth = client
		xauth-user = "alice"
		xauth-password-file = "password"
		mode-config'

ike_create || exit
mkdir -p "$(keyer_dir "$NSA")"
(
	umask 077
	echo "alice:$(openssl passwd -6 wonderland)" > "$(keyer_dir "$NSA")/users"
	echo wonderland > "$(keyer_dir "$NSA")/password"
)
keyer_write "$NSA" < <(keyer_conf policy=insecure "extra=$server = pull")
check "esptund starts" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_xauth client yes)

### We are the server

# server_case DESC
server_case()
{
	check "$1: strongSwan initiates" peer_initiate || swan_log "$NSB"
	check "$1: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
	check "$1: same SAs, same keys" wait_for "$PATIENCE" same_keys 1
	check "$1: strongSwan has its address" grep -q 'virtual IP 10.9.0.10' "$(swan_dir "$NSB")/log"
	is "$1: the status names the user" "$(keyer_get "$NSA" 't["phase1"][0]["xauth_user"]')" alice
	is "$1: the status names its address" "$(keyer_get "$NSA" 't["peer_inner_address"]')" 10.9.0.10
	check "$1: the SAs are for that address" recorded '"remote_net":"10.9.0.10\/32"'
	peer_down
	check "$1: strongSwan took it down" nothing_left
}
server_case "server, pull"
check "server, push: configured" configure "extra=$server = push"
check "server, push: strongSwan is told" peer_configure client no
: > "$(swan_dir "$NSB")/log"
server_case "server, push"
check "server, aggressive: configured" configure "extra=$server = pull
		aggressive-psk = insecure-yes"
check "server, aggressive: strongSwan is told" peer_configure client yes wonderland "aggressive = yes"
server_case "server, aggressive"

check "server, wrong password: strongSwan is told" peer_configure client yes lookingglass
keyer_mark "$NSA"
refuse "server, wrong password: strongSwan is refused" 'failed|timed out|timeout' peer_initiate 5
check "server, wrong password: the log says so" wait_for "$PATIENCE" keyer_logged "$NSA" 'xauth-failed .*user alice refused'
peer_down
is "server, wrong password: nothing was installed" "$(keyer_get "$NSA" 'len(t["phase2"])')" 0

### We are the client

client_case()
{
	check "$1: tunnel comes up" keyer "$NSA" up paris || { keyer_log "$NSA" 40; swan_log "$NSB" 60; }
	check "$1: strongSwan has one pair" peer_has 1
	check "$1: same SAs, same keys" same_keys 1
	check "$1: the device got the address" recorded '"op":"address-add","device":"paris0","address":"10.9.1.10"'
	is "$1: the status names it" "$(keyer_get "$NSA" 't["inner_address"]')" 10.9.1.10
	is "$1: the status names the resolver" "$(keyer_get "$NSA" 't["dns"]')" "['10.9.1.1']"
	check "$1: the SAs are for that address" recorded '"local_net":"10.9.1.10\/32"'
	check "$1: down deletes everything" all_down
	check "$1: the address went with it" recorded '"op":"address-del","device":"paris0","address":"10.9.1.10"'
}
check "client, pull: strongSwan is told" peer_configure server yes
check "client, pull: configured" configure "extra=$client = pull"
client_case "client, pull"
check "client, push: strongSwan is told" peer_configure server no
check "client, push: configured" configure "extra=$client = push"
client_case "client, push"
check "client, wrong password: strongSwan is told" peer_configure server yes lookingglass
check "client, wrong password: configured" configure "extra=$client = pull"
keyer_mark "$NSA"
refuse "client, wrong password: refused" 'not up after|there is no' keyer "$NSA" up paris wait 5
check "client, wrong password: the log says so" wait_for "$PATIENCE" keyer_logged "$NSA" 'xauth-failed|auth-failed'
keyer "$NSA" down paris
is "no password in the log" "$(grep -c wonderland "$(keyer_dir "$NSA")/log")" 0

### vpnc

# What vpnc would do to routes and resolvers; here it only tells.
vpnc_script()
{
	cat > "$TEST_TMP/vpnc-script" <<-END
	#!/bin/sh
	echo "\$reason \$INTERNAL_IP4_ADDRESS \$INTERNAL_IP4_DNS" >> "$TEST_TMP/vpnc.told"
	END
	chmod +x "$TEST_TMP/vpnc-script"
}

vpnc_told() { grep -q "^connect 10.9.0.1[0-9] 10.9.0.1" "$TEST_TMP/vpnc.told"; }

vpnc_case()
{
	swan_stop "$NSB"
	vpnc_script
	(
		umask 077
		cat > "$TEST_TMP/vpnc.conf" <<-END
		IPSec gateway $A4
		IPSec ID group
		IPSec secret a long enough test secret
		IKE DH Group dh14
		Perfect Forward Secrecy dh14
		Xauth username alice
		Xauth password wonderland
		Script $TEST_TMP/vpnc-script
		NAT Traversal Mode none
		Interface name vpnc0
		Pidfile $TEST_TMP/vpnc.pid
		END
	)
	check "vpnc: configured" configure remote=any peer_id=key-id:group ike=aes256-sha1-modp2048,aes128-sha1-modp2048 \
		esp=aes256-sha1-modp2048,aes128-sha1-modp2048 "extra=$server = pull
		aggressive-psk = insecure-yes"
	start_in "$NSB" vpnc --no-detach --debug 2 "$TEST_TMP/vpnc.conf" > "$TEST_TMP/vpnc.log" 2>&1
	at_exit stop_pid "$started_pid"
	check "vpnc: connects and is told its address" wait_for "$PATIENCE" vpnc_told || tail -n 60 "$TEST_TMP/vpnc.log" | diag
	check "vpnc: tunnel is up" wait_for "$PATIENCE" keyer_up "$NSA"
	is "vpnc: the status names the user" "$(keyer_get "$NSA" 't["phase1"][0]["xauth_user"]')" alice
	check "vpnc: the SAs are for its address" keyer_is "$NSA" 't["peer_inner_address"]' \
		"$(awk '/^connect/ {print $2; exit}' "$TEST_TMP/vpnc.told")"
	stop_pid "$started_pid"
	((! ktap_failed)) || tail -n 100 "$TEST_TMP/vpnc.log" | diag
}
if [[ -c /dev/net/tun ]]; then
	vpnc_case
else
	skip "vpnc" "no /dev/net/tun"
fi
((! ktap_failed)) || { keyer_log "$NSA" 150; swan_log "$NSB" 150; }
finish
