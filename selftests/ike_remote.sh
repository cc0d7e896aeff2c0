#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# Remote access through the module: as XAUTH client with an inner address from mode config, which
# the device gets, and as gateway of a peer at any address, whose device is made when it comes.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

configure() { keyer_write gwA < <(keyer_conf "$@") && keyer gwA reload; }
peer_configure() { "$@" > "$(swan_dir gwB)/swanctl/swanctl.conf" && swan_load gwB; }
has_address() { ip -n gwA addr show dev paris0 | grep -q 'inet 10.9.1.10/32'; }
no_address() { ! has_address; }
no_device() { ! ip -n gwA link show dev far0 > /dev/null 2>&1; }

check "two gateways" gateways_create || { keyer_log gwA; finish; }

### Client

(umask 077; echo wonderland > "$(keyer_dir gwA)/password")
check "client: strongSwan gives addresses" peer_configure swan_xauth server yes
check "client: configured" configure policy=insecure "extra=create-device = true
	xauth = client
	xauth-user = alice
	xauth-password-file = password
	mode-config = pull"
check "client: tunnel comes up" keyer gwA up paris
check "client: both ends have one pair" gateways_up
check "client: the device has the address" has_address
ip -n gwB route replace 10.9.1.10/32 dev xfrm0
check "client: the host behind the server answers that address" \
	ns gwA ping -q -n -c 3 -i 0.2 -W 10 -I 10.9.1.10 $H2_4
check "client: down" gateways_down
check "client: the address went with it" no_address

# The device that counted goes with its tunnel.
reconcile_check
reconcile_skip

### Gateway of a peer at any address

check "any address: strongSwan begins in aggressive mode" peer_configure gateways_peer "extra=aggressive = yes"
check "any address: configured" configure name=far remote=any "extra=create-device = true
	aggressive-psk = insecure-yes"
check "any address: there is no device yet" no_device
check "any address: strongSwan initiates" peer_initiate
check "any address: both ends have one pair" gateways_up
is "any address: the device leads to the peer" "$("$ESPTUN" -n gwA -j tunnel show far0 |
	/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["remote"])')" "$B4"
topology_route far0 xfrm0
check "any address: hosts reach each other" ping_hosts
gateways_logs
finish
