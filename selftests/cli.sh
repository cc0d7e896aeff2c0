#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The esptun command against the real kernel: every command of each object, a tunnel keyed
# by hand between two gateways, wrong input of all kinds, other network namespaces, batches,
# events, and JSON that a JSON parser reads.
# time limit: 900 s
# shellcheck disable=SC2317
# shellcheck source=selftests/lib.sh
source "$(dirname "$0")/lib.sh"

et() { "$ESPTUN" "$@"; }

# json EXPRESSION COMMAND...: what a Python expression says of the command's JSON, as d.
json()
{
	local expression=$1
	shift
	et -j "$@" | /usr/bin/python3 -c "import json, sys; d = json.load(sys.stdin); print($expression)"
}

# key NAME SEED [OCTETS]: a key file for AES-GCM, or for AES-CBC and an integrity algorithm with
# a key of so many octets.
key()
{
	local octets=$((${3-0} ? 16 : 20))
	printf 'encr-key = %0*d\n' $((octets * 2)) "$2" > "$TEST_TMP/$1"
	((! ${3-0})) || printf 'auth-key = 0x%0*d\n' $(($3 * 2)) "$2" >> "$TEST_TMP/$1"
	chmod 600 "$TEST_TMP/$1"
	echo "$TEST_TMP/$1"
}

# exit_code WANTED COMMAND...
exit_code()
{
	local wanted=$1 rc=0
	shift
	"$@" > "$TEST_TMP/code" 2>&1 || rc=$?
	((rc == wanted)) || { echo "exit $rc, wanted $wanted"; cat "$TEST_TMP/code"; return 1; }
}

### Without the module

topology_create
refuse "module show says what to do without the module" 'not loaded.*modprobe esptun' et module show
refuse "tunnel add says what to do without the module" 'no link kind esptun.*modprobe esptun' \
	et tunnel add t0 remote $B4
is "tunnel show is an empty list without the module" "$(et -j tunnel show)" '[]'
refuse "monitor says what to do without the module" 'not loaded' et monitor

check "load the module" esptun_load

### Devices

check "tunnel add with all options" et -n gwA tunnel add paris0 local $A4 remote $B4 dev wan0 \
	ttl 77 tos 0xb8 pmtudisc off fwmark 0x0 keep-carrier on mtu 1400 up
is "tunnel show as JSON" \
	"$(json '[d[0][k] for k in ("dev", "local", "remote", "link", "ttl", "tos", "pmtudisc", "keep_carrier", "mtu", "state", "carrier", "sa_count")]' -n gwA tunnel)" \
	"['paris0', '$A4', '$B4', 'wan0', 77, 184, False, True, 1400, 'up', True, 0]"
check "tunnel change" et -n gwA tunnel change paris0 ttl inherit tos inherit pmtudisc on keep-carrier off
is "what was changed, and what was not" \
	"$(json '[d[0][k] for k in ("ttl", "tos", "pmtudisc", "keep_carrier", "mtu", "remote", "link", "carrier")]' -n gwA tunnel show paris0)" \
	"['inherit', 'inherit', True, False, 1400, '$B4', 'wan0', False]"
check "text of tunnel show" grep -qE '^paris0 .*local 192.0.2.1 remote 192.0.2.2 link wan0 ttl inherit' \
	<(et -n gwA tunnel)
refuse "a second device of the name" 'Error: .*' et -n gwA tunnel add paris0 remote $B4
refuse "not our device: change" '"wan0" is not an esptun device' et -n gwA tunnel change wan0 ttl 4
refuse "not our device: del" '"wan0" is not an esptun device' et -n gwA tunnel del wan0
refuse "not our device: show" '"wan0" is not an esptun device' et -n gwA tunnel show wan0
refuse "no such device" 'there is no device "nope0"' et -n gwA tunnel show nope0
refuse "no such underlay" 'there is no device "nope0"' et -n gwA tunnel add x0 remote $B4 dev nope0
refuse "endpoints of two families are refused with words" 'Error: .*one is IPv4, the other IPv6' et -n gwA tunnel add x0 local $A4 remote $B6
refuse "a multicast peer is refused with words" 'Error: .*unicast' et -n gwA tunnel add x0 remote 224.0.0.1
refuse "no such netns" 'network namespace "nope"' et -n nope tunnel
is "nothing was left of what was refused" "$(json 'len(d)' -n gwA tunnel)" 1
check "move it to another netns" ip -n gwA link set paris0 netns gwB
is "its underlay stays where it was" \
	"$(json '[d[0]["link"].startswith("if"), "link_netnsid" in d[0]]' -n gwB tunnel show paris0)" '[True, True]'
check "move it back" ip -n gwB link set paris0 netns gwA
is "its underlay has a name again" "$(json '(d[0]["link"], "link_netnsid" in d[0])' -n gwA tunnel)" "('wan0', False)"
check "delete it" et -n gwA tunnel del paris0
is "it is gone" "$(et -n gwA -j tunnel)" '[]'

### SAs by hand, and traffic

check "tunnels, prefix-matched" et -n gwA tun a paris0 local $A4 remote $B4 up
check "tunnel of the other side" et -n gwB tunnel add rome0 local $B4 remote $A4 up
AB=$(key ab 11) BA=$(key ba 22)
"$ESPTUN" -n gwA -j -t monitor > "$TEST_TMP/events" 2>&1 &
monitor=$!
at_exit stop_pid "$monitor"
# It listens when its sockets do: a device event is the sign.
seen_event() { et -n gwA tunnel change paris0 fwmark 0 && grep -q '"event":"tunnel-set"' "$TEST_TMP/events"; }
check "monitor listens" wait_for "$PATIENCE" seen_event
check "gwA: SA in" et -n gwA sa add dev paris0 dir in spi 0x1001 keyfile "$BA" replay-window 128
check "gwA: SA out" et -n gwA sa add dev paris0 dir out spi 0x2001 keyfile "$AB" cookie c0ffee \
	partner-spi 0x1001 soft-packets 1000 hard-packets 2000
check "gwB: SA in" et -n gwB sa add dev rome0 dir in spi 0x2001 keyfile "$AB"
check "gwB: SA out, keys from standard input" \
	et -n gwB sa add dev rome0 dir out spi 0x1001 keyfile - < "$BA"
topology_route paris0 rome0
check "hosts reach each other" ping_hosts
is "carrier follows the SA" "$(json '[t["carrier"] for t in d]' -n gwA tunnel)" '[True]'
is "an SA as JSON" \
	"$(json '[d[0][k] for k in ("dev", "dir", "spi", "state", "encr", "encr_key_bits", "weak", "cookie", "partner_spi", "limits")]' -n gwA -d sa show dir out)" \
	"['paris0', 'out', '0x00002001', 'active', 'aes-gcm-16', 128, [], 'c0ffee', '0x00001001', {'soft_packets': 1000, 'hard_packets': 2000}]"
is "packets were counted" "$(json 'd[0]["packets"] == d[0]["seq"] > 0' -n gwA -s sa show dir out)" True
is "and on the other side" "$(json 'd[0]["packets"] >= 6' -n gwB -s sa show dir in)" True
is "inbound SA is confirmed" "$(json '(d[0]["confirmed"], d[0]["replay_window"])' -n gwA sa show spi 0x1001)" \
	'(True, 128)'
no_keys() { ! et -n gwA -d "$@" | grep -qE '0{20}|_key"'; }
check "no output holds a key" no_keys sa show
check "no output holds a key, JSON" no_keys -j sa show
check "text of sa show" grep -qE '^paris0 .*dir out spi 0x00002001 state active encr aes-gcm-16' <(et -n gwA sa)

### Wrong SAs, refused by the kernel in words

SHORT=$TEST_TMP/short
(umask 077; echo 'encr-key = 0011' > "$SHORT")
refuse "duplicate SPI" 'Error: .*' et -n gwA sa add dev paris0 dir in spi 0x1001 keyfile "$(key k1 31)"
refuse "wrong key length" 'Error: .*(key|length)' et -n gwA sa add dev paris0 dir in spi 0x3001 keyfile "$SHORT"
CIPHER=$TEST_TMP/cipher
(umask 077; printf 'encr-key = %032d\n' 32 > "$CIPHER")
refuse "CBC without integrity" 'Error: .*integrity' \
	et -n gwA sa add dev paris0 dir in spi 0x3002 encr aes-cbc keyfile "$CIPHER"
refuse "a key twice on one host" 'Error: .*key' \
	et -n gwA sa add dev paris0 dir out spi 0x3003 keyfile "$AB"
refuse "an SA on a device that is not ours" 'Error: .*' \
	et -n gwA sa add dev wan0 dir in spi 0x3004 keyfile "$(key k3 33)"
refuse "the SAs of a device that is not ours" '"wan0" is not an esptun device' et -n gwA sa show dev wan0
refuse "an SA on no device" 'there is no device' et -n gwA sa show dev nope0
refuse "delete what is not there" 'Error: .*' et -n gwA sa del dev paris0 dir in spi 0x9999
refuse "activate what is not there" 'Error: .*' et -n gwA sa activate dev paris0 spi 0x9999
refuse "SPI below 256" '1..255 are reserved' et -n gwA sa add dev paris0 dir in spi 255 keyfile "$AB"
refuse "a key on the command line" 'keys are not taken from the command line' \
	et -n gwA sa add dev paris0 dir in spi 0x3005 encr-key 0x0011
chmod 640 "$AB"
refuse "a key file that others can read" 'mode 0640' \
	et -n gwA sa add dev paris0 dir in spi 0x3006 keyfile "$AB"
check "a refusal of the kernel is exit code 2" exit_code 2 "$ESPTUN" -n gwA sa del dev paris0 dir in spi 0x9999
check "a wrong command is exit code 1" exit_code 1 "$ESPTUN" -n gwA sa frob
check "help is exit code 0" exit_code 0 "$ESPTUN" sa help
check "without a command is exit code 1" exit_code 1 "$ESPTUN"
no_privilege() { setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all "$ESPTUN" "$@"; }
refuse "unprivileged: sa show" 'CAP_NET_ADMIN' no_privilege sa show
refuse "unprivileged: module show" 'CAP_NET_ADMIN' no_privilege module show
refuse "unprivileged: tunnel add" 'CAP_NET_ADMIN' no_privilege tunnel add u0 remote $B4
refuse "unprivileged: monitor" 'CAP_NET_ADMIN' no_privilege monitor
is "nothing was left of what was refused" "$(json 'len(d)' -n gwA sa)" 2

### A key change by hand, pending and activated

SPI=$(json 'd[0]["spi"]' -n gwA sa alloc-spi dev paris0)
check "alloc-spi gives an SPI" test $((SPI)) -ge 256
check "the reserved SPI becomes an SA" et -n gwA sa add dev paris0 dir in spi "$SPI" \
	encr aes-cbc auth hmac-sha1-96 keyfile "$(key in2 44 20)"
check "a pending SA" et -n gwA sa add dev paris0 dir out spi 0x2002 encr des3-cbc auth hmac-md5-96 \
	keyfile <(printf 'encr-key = 112233445566778899aabbccddeeff00fedcba9876543210\nauth-key = 00112233445566778899aabbccddeeff\n') \
	state pending
is "it is pending, and weak" "$(json '(d[0]["state"], d[0]["weak"])' -n gwA sa show spi 0x2002)" \
	"('pending', ['des3-cbc', 'hmac-md5-96'])"
check "weak algorithms are marked in text" grep -qF '[weak: hmac-sha1-96]' <(et -n gwA sa show spi "$SPI")
check "activate it" et -n gwA sa activate dev paris0 spi 0x2002
is "the old one is old" \
	"$(json '{s["spi"]: s["state"] for s in d}' -n gwA sa show dir out)" \
	"{'0x00002001': 'old', '0x00002002': 'active'}"
is "the device sends with the new one" "$(json 'd[0]["out_spi"]' -n gwA tunnel)" 0x00002002
check "delete one" et -n gwA sa del dev paris0 dir out spi 0x2001
check "flush a device" et -n gwA sa flush dev paris0
is "all are gone" "$(et -n gwA -j sa)" '[]'
is "no SA, no carrier" "$(json 'd[0]["carrier"]' -n gwA tunnel)" False
check "the other netns kept its own" test "$(json 'len(d)' -n gwB sa)" = 2
# Without carrier nothing enters the device, so it is told to keep it.
check "keep the carrier" et -n gwA tunnel change paris0 keep-carrier on
refuse "a ping finds no SA" '100% packet loss' ns h1 ping -q -c 1 -W 1 $H2_4
is "a drop under its name" "$(json 'sum(d[0]["drops"].get(n, 0) for n in ("tx_no_sa", "rx_no_sa")) > 0' -n gwA -s -s tunnel)" True
is "the last error tells" "$(json 'd[0]["last_error"]["reason"]' -n gwA -s -s tunnel)" tx-no-sa
check "its text" grep -qE 'last-error: reason tx-no-sa .*time .* ago' <(et -n gwA -s -s tunnel)

### Events

all_events()
{
	/usr/bin/python3 - "$TEST_TMP/events" <<-'END'
	import json, sys
	events = [json.loads(line) for line in open(sys.argv[1])]
	seen = {e["event"] for e in events}
	wanted = {"tunnel-set", "sa-confirmed", "carrier", "sa-deleted", "acquire"}
	assert wanted <= seen, f"missing {wanted - seen}"
	assert all("timestamp" in e for e in events)
	reasons = {e["reason"] for e in events if e["event"] == "sa-deleted"}
	assert reasons == {"request", "flush"}, reasons
	assert {e["dev"] for e in events if "dev" in e} == {"paris0"}
	END
}
check "monitor saw what happened" wait_for "$PATIENCE" all_events
check "each event is JSON with its device" all_events

### Batch, details, module

cat > "$TEST_TMP/batch" <<END
# ten devices, an error, one more
$(for i in {0..9}; do echo "tunnel add b$i local $A4 remote 198.51.100.$i"; done)
tunnel add b0 local $A4 remote 198.51.100.99
tunnel add "b10" remote 198.51.100.10 # the last
END
refuse "a batch stops at an error and names the line" "Command failed .*batch:12" et -n gwA -b "$TEST_TMP/batch"
is "what came before was done" "$(json 'len(d)' -n gwA tunnel)" 11
sed 's/^tunnel add b/tunnel add c/' "$TEST_TMP/batch" > "$TEST_TMP/batch2"
check "a forced batch ends with the error's code" exit_code 2 "$ESPTUN" -n gwA -force -b "$TEST_TMP/batch2"
is "and went on" "$(json 'len(d)' -n gwA tunnel)" 22
check "a batch from standard input" et -n gwA -b - < <(echo "tunnel del b10"; for i in {0..9}; do echo "tunnel del b$i"; echo "tunnel del c$i"; done)
is "deleted" "$(json '[t["dev"] for t in d]' -n gwA tunnel)" "['paris0']"
# 100 devices: dumps in several messages, in order, each once.
check "100 devices in a batch" et -n gwA -b - < <(for i in {1..100}; do echo "tunnel add m$i remote 198.51.100.1"; done)
is "a long dump is whole" "$(json '(len(d), len({t["dev"] for t in d}), [t["ifindex"] for t in d] == sorted(t["ifindex"] for t in d))' -n gwA tunnel)" \
	'(101, 101, True)'
check "they go" et -n gwA -b - < <(for i in {1..100}; do echo "tunnel del m$i"; done)
for options in "" -s "-s -s" -d -p "-p -d"; do
	# shellcheck disable=SC2086
	check "JSON with options '$options' parses" json 'len(d)' -n gwB $options sa
done
is "the module's totals" "$(json '(d[0]["tunnels_created"] - d[0]["tunnels_destroyed"], d[0]["sas_created"] - d[0]["sas_destroyed"])' module)" \
	'(2, 2)'

### ip(8) with the plugin

export IP_LIB_DIR=$TOP/build/user/plugin
check "ip link add type esptun" ip -n gwA link add ip0 type esptun local $A4 remote $B4 ttl 9 tos inherit pmtudisc off
is "esptun shows what ip made" "$(json '(d[0]["ttl"], d[0]["tos"], d[0]["pmtudisc"])' -n gwA tunnel show ip0)" \
	"(9, 'inherit', False)"
check "ip link show, text" grep -qE "esptun remote $B4 local $A4 ttl 9 tos inherit pmtudisc off" <(ip -n gwA -d link show ip0)
is "ip link show, JSON" "$(ip -n gwA -d -j link show ip0 | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["linkinfo"])')" \
	"{'info_kind': 'esptun', 'info_data': {'remote': '$B4', 'local': '$A4', 'ttl': 9, 'tos': 'inherit', 'pmtudisc': False, 'keep_carrier': False, 'mss_clamp': False}}"
check "ip link change" ip -n gwA link change ip0 type esptun ttl 10
is "ip changed only that" "$(json '(d[0]["ttl"], d[0]["pmtudisc"])' -n gwA tunnel show ip0)" "(10, False)"
refuse "ip refuses what it does not know" 'not an option of kind esptun' ip -n gwA link add ip1 type esptun key 5
check "ip link del" ip -n gwA link del ip0

finish
