# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Watches the outer link for plaintext during the whole test. Two captures:
# packets whose outer header shows an inner address, and ESP packets, whose
# bytes must not contain an inner packet's addresses. At the end a packet that
# must be seen is sent in clear: a sniffer that is blind proves nothing.

sniffer_pids=()
SNIFFER_FILTER='(ip and (net 10.1.0.0/24 or net 10.2.0.0/24)) or (ip6 and net fd00::/16)'
# Enough ESP packets for every algorithm under test, yet bounded.
SNIFFER_ESP_MAX=20000

# sniffer_capture FILE COUNT FILTER
sniffer_capture()
{
	local log=$1.log
	start_in gwA tcpdump -q -n -i wan0 -U --immediate-mode -s 256 -c "$2" -w "$1" "$3" \
		> "$log" 2>&1
	sniffer_pids+=("$started_pid")
	wait_for "$PATIENCE" grep -q 'listening on' "$log" || diag < "$log"
}

sniffer_start()
{
	sniffer_capture "$TEST_TMP/clear.pcap" 1000 "$SNIFFER_FILTER"
	sniffer_capture "$TEST_TMP/esp.pcap" $SNIFFER_ESP_MAX \
		'ip proto 50 or ip6 proto 50 or udp port 4500'
	at_exit sniffer_stop
}

sniffer_stop()
{
	local p
	for p in "${sniffer_pids[@]}"; do
		stop_pid "$p"
	done
	sniffer_pids=()
}

sniffer_clear()
{
	tcpdump -n -r "$TEST_TMP/clear.pcap" 2> /dev/null
}

# The control packet: from an inner address, to the discard port.
sniffer_probe()
{
	ns gwA socat -u STDIN "UDP4-SENDTO:$B4:9,bind=10.1.0.1" <<< probe
	sniffer_clear | grep -q "10.1.0.1.* > $B4.9: "
}

# How many captured ESP packets hold both addresses of an inner packet, source
# then destination, as an IP header has them.
sniffer_leaks()
{
	local h1='\x0a\x01\x00[\x01\x02]' h2='\x0a\x02\x00[\x01\x02]'
	local zero='\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00[\x01\x02]'
	local g1="\\xfd\\x00\\x00\\x01$zero" g2="\\xfd\\x00\\x00\\x02$zero"
	LC_ALL=C grep -caP "$h1$h2|$h2$h1|$g1$g2|$g2$g1" "$TEST_TMP/esp.pcap"
}

# sniffer_expect_clear: for a test of NULL encryption, which leaks by design.
sniffer_expect_clear() { sniffer_null=1; }
sniffer_null=

sniffer_check()
{
	local seen
	((${#sniffer_pids[@]})) || return 0
	if ! wait_for "$PATIENCE" sniffer_probe; then
		fail "the sniffer sees what is sent in clear" "$(cat "$TEST_TMP"/*.pcap.log)"
		return
	fi
	seen=$(sniffer_clear | grep -v "10.1.0.1.* > $B4.9: ")
	if [[ -n $seen ]]; then
		fail "no plaintext on the outer link" "$(head -n 10 <<< "$seen")"
	elif [[ -z $sniffer_null && $(sniffer_leaks) != 0 ]]; then
		fail "no plaintext on the outer link" "an inner header is readable in an ESP packet"
	else
		pass "no plaintext on the outer link"
	fi
}
