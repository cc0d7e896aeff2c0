# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# strongSwan as the other end: one isolated charon per namespace, with its own
# configuration, control socket and log below $TEST_TMP. Started with a
# condition to wait for, ended by process id.

declare -A swan_pid=()

swan_dir() { echo "$TEST_TMP/swan-$1"; }

# swan NS SWANCTL-ARGUMENTS...
swan()
{
	local name=$1 verb=$2
	shift 2
	STRONGSWAN_CONF=$(swan_dir "$name")/strongswan.conf \
		SWANCTL_DIR=$(swan_dir "$name")/swanctl ns "$name" \
		swanctl "$verb" --uri "unix://$(swan_dir "$name")/vici" "$@"
}

# swan_daemon_conf NS: strongswan.conf, with one more line in $SWAN_SETTING. Settings stand one to a line. Plugins are
# named one by one for swanctl as well: its default set holds af-alg, which
# probes the kernel for every algorithm there is and takes most of a minute.
swan_daemon_conf()
{
	cat <<-END
	charon-systemd {
		load = ${SWAN_LOAD:-random nonce aes sha1 sha2 md5 hmac kdf pem pkcs1 pkcs8 pubkey x509 gmp gcm openssl revocation constraints kernel-netlink socket-default vici updown xauth-generic}
		install_routes = no
		install_virtual_ip = no
		retransmit_tries = 10
		retransmit_timeout = ${SWAN_RETRANSMIT:-1.0}
		retransmit_base = 1.3
		${SWAN_SETTING-}
		i_dont_care_about_security_and_use_aggressive_mode_psk = yes
		plugins {
			vici {
				socket = unix://$(swan_dir "$1")/vici
			}
		}
		filelog {
			file {
				path = $(swan_dir "$1")/log
				default = ${SWAN_LOG_LEVEL:-1}
				ike = ${SWAN_LOG_LEVEL:-2}
				cfg = ${SWAN_LOG_LEVEL:-2}
				flush_line = yes
				time_format = %T
			}
		}
		journal {
			default = -1
		}
	}
	swanctl {
		load = random openssl pem pkcs1 pkcs8 pubkey x509
	}
	END
}

# swan_start NS < swanctl.conf: starts charon and loads the configuration.
swan_start()
{
	local name=$1 dir sub
	dir=$(swan_dir "$name")
	for sub in conf.d x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private \
		rsa ecdsa bliss pkcs8 pkcs12; do
		mkdir -p "$dir/swanctl/$sub"
	done
	cat > "$dir/swanctl/swanctl.conf"
	swan_daemon_conf "$name" > "$dir/strongswan.conf"
	STRONGSWAN_CONF=$dir/strongswan.conf SWANCTL_DIR=$dir/swanctl \
		start_in "$name" /usr/sbin/charon-systemd > "$dir/stdout" 2>&1
	# shellcheck disable=SC2154 # start_in sets it
	swan_pid[$name]=$started_pid
	at_exit swan_stop "$name"
	if ! wait_for "$PATIENCE" swan "$name" --stats; then
		swan_log "$name"
		return 1
	fi
	swan_load "$name"
}

# swan_load NS [< swanctl.conf]: loads the configuration again.
swan_load()
{
	local dir out
	dir=$(swan_dir "$1")
	if ! out=$(swan "$1" --load-all 2>&1); then
		diag "swanctl --load-all in $1: $out"
		return 1
	fi
}

swan_stop()
{
	[[ -n ${swan_pid[$1]-} ]] || return 0
	stop_pid "${swan_pid[$1]}"
	unset "swan_pid[$1]"
}

# swan_log NS [LINES]: the end of charon's log, as diagnostics.
swan_log()
{
	local dir
	dir=$(swan_dir "$1")
	diag "strongSwan in $1:"
	cat "$dir/stdout" "$dir/log" 2> /dev/null | tail -n "${2:-60}" | diag
}

# swan_psk NAME=VALUE...: prints the swanctl.conf of a route-based IKEv1 tunnel
# with a pre-shared key. Everything has a default that fits gwB.
#   local remote         outer addresses
#   id peer_id           identities (any form swanctl knows)
#   secret               the pre-shared key
#   ike esp              proposals
#   if_id                of the xfrm interface
#   start                start_action of the child (none, start, trap)
#   extra extra_child    further lines for connection and child
swan_psk()
{
	local local=$B4 remote=$A4 id=gwb@example.test peer_id=gwa@example.test
	local secret="a long enough test secret" ike=aes128-sha256-modp2048
	local esp=aes128gcm16-modp2048 if_id=$XFRM_IF_ID start=none extra='' extra_child=''
	((! $#)) || local "$@"
	cat <<-END
	connections {
		gw {
			version = 1
			local_addrs = $local
			remote_addrs = $remote
			proposals = $ike
			$extra
			local {
				auth = psk
				id = $id
			}
			remote {
				auth = psk
				id = $peer_id
			}
			children {
				net {
					local_ts = 0.0.0.0/0
					remote_ts = 0.0.0.0/0
					esp_proposals = $esp
					if_id_in = $if_id
					if_id_out = $if_id
					start_action = $start
					$extra_child
				}
			}
		}
	}
	secrets {
		ike-gw {
			id-a = $id
			id-b = $peer_id
			secret = "$secret"
		}
	}
	END
}

# swan_xauth ROLE PULL [PASSWORD [EXTRA]]: prints the swanctl.conf of an XAUTH client or server with mode
# config, pulled or pushed; user alice, addresses from 10.9.1.10 up. EXTRA: a line for the connection.
swan_xauth()
{
	local role=$1 pull=$2 password=${3:-wonderland} extra child remote=dynamic sections
	if [[ $role == client ]]; then
		extra="vips = 0.0.0.0
			pull = $pull
			local-xauth { round = 2
			auth = xauth
			xauth_id = alice
			}"
		child=dynamic remote=0.0.0.0/0 sections=''
	else
		extra="pools = inner
			pull = $pull
			remote-xauth { round = 2
			auth = xauth
			}"
		child=0.0.0.0/0
		sections="pools {
			inner {
				addrs = 10.9.1.10-10.9.1.20
				dns = 10.9.1.1
			}
		}"
	fi
	swan_psk "extra=$extra
			${4-}" "extra_child=rekey_time = 0" |
		sed -e "s|local_ts = .*|local_ts = $child|" \
			-e "s|remote_ts = .*|remote_ts = $remote|" \
			-e "s|^\(\s*\)ike-gw {|\1xauth-alice {\n\1	id = alice\n\1	secret = \"$password\"\n\1}\n\1ike-gw {|"
	echo "$sections"
}
# swan_children NS: how many CHILD SAs are installed.
swan_children()
{
	swan "$1" --list-sas 2> /dev/null | grep -c 'INSTALLED'
}

# swan_children_are NS N: for wait_for.
swan_children_are() { [[ $(swan_children "$1") == "$2" ]]; }
