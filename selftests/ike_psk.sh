#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# time limit: 900 s
# The main job: IKEv1 main mode with a pre-shared key and quick mode between esptund and
# strongSwan, in both roles, and packets of both families through the module.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

check "two gateways" gateways_create || { keyer_log gwA; finish; }
refuse "nothing crosses before" '100% packet loss|unreachable' ns h1 ping -q -n -c 1 -W 2 $H2_4

check "esptund initiates" keyer gwA up paris
check "both ends have one pair" gateways_up
check "hosts reach each other" ping_hosts
is "the device has carrier" "$("$ESPTUN" -n gwA -j tunnel show paris0 |
	/usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["carrier"])')" True
check "down" gateways_down
refuse "nothing crosses after" '100% packet loss|unreachable' ns h1 ping -q -n -c 1 -W 2 $H2_4

check "strongSwan initiates" peer_initiate
check "both ends have one pair again" gateways_up
check "hosts reach each other again" ping_hosts
is "esptund is the responder" "$(keyer_get gwA 't["phase1"][0]["role"]')" responder
gateways_logs
finish
