#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The keyer as a process: options, checking a configuration, control socket, reload,
# signals, the service manager's messages, privileges. No peer is needed.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

DIR=$(keyer_dir "$NSA")
CTL=$DIR/ctl
# request JSON: raw, to the control socket
request() { socat -t 10 - "UNIX-CONNECT:$CTL" <<< "$1"; }
line() { echo '{"ok":false,"error":"'"$1"'"}'; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf)

is "version" "$("$ESPTUND" --version)" "esptund 0.1"
check "help" "$ESPTUND" --help
refuse "an unknown option" 'unrecognized option' "$ESPTUND" --colour
refuse "a wrong port" '"70000" is not a value' "$ESPTUND" --port 70000
refuse "a word too many" 'unexpected argument "now"' "$ESPTUND" now
check "a good configuration is accepted" "$ESPTUND" --check "$DIR/esptun.conf"
printf 'tunnel x {\n remote = 192.0.2.9\n colour = red\n}\n' > "$TEST_TMP/bad.conf"
refuse "a bad one is refused with file and line" 'bad.conf:3: error: .*colour' "$ESPTUND" --check "$TEST_TMP/bad.conf"
refuse "start with a bad configuration" 'config-error: .*bad.conf:3' ns "$NSA" "$ESPTUND" --config "$TEST_TMP/bad.conf" \
	--ctl "$TEST_TMP/other/ctl" --record "$TEST_TMP/other.record"
is "it leaves no socket behind" "$(ls "$TEST_TMP/other/ctl" 2> /dev/null)" ''

# The service manager's end of the line.
socat -u "UNIX-RECVFROM:$TEST_TMP/notify,fork" "OPEN:$TEST_TMP/notified,creat,append" 2> /dev/null &
at_exit stop_pid $!
wait_for "$PATIENCE" test -S "$TEST_TMP/notify"
export NOTIFY_SOCKET=$TEST_TMP/notify WATCHDOG_USEC=1000000
check "the keyer starts" keyer_start "$NSA" --record "$RECORD"
unset NOTIFY_SOCKET WATCHDOG_USEC
check "and says that it is ready" wait_for "$PATIENCE" grep -q READY=1 "$TEST_TMP/notified"
check "and that it is alive" wait_for "$PATIENCE" grep -q WATCHDOG=1 "$TEST_TMP/notified"
# Only the process that talks to peers can say so: a hang there is one of the whole.
kill -STOP "$(keyer_cell "$NSA")"
: > "$TEST_TMP/notified"
check "when that process hangs, the other still reads its signals" kill -HUP "${keyer_pid[$NSA]}"
check "and says that it was told to reload" wait_for "$PATIENCE" grep -q RELOADING=1 "$TEST_TMP/notified"
is "but not that it did" "$(grep -c READY=1 "$TEST_TMP/notified")" 0
kill -CONT "$(keyer_cell "$NSA")"
check "when it goes on, it has reloaded" wait_for "$PATIENCE" grep -q READY=1 "$TEST_TMP/notified"
pid=${keyer_pid[$NSA]}

is "one capability is left" "$(awk '/CapPrm|CapEff|CapBnd/ {print $2}' "/proc/$pid/status" | sort -u)" 0000000000001000
is "it cannot gain privileges" "$(awk '/NoNewPrivs/ {print $2}' "/proc/$pid/status")" 1
is "it writes no core" "$(awk '/Max core file size/ {print $5}' "/proc/$pid/limits")" 0
is "others cannot look into it" "$(stat -c %U:%a "/proc/$pid/mem")" root:600
is "the socket's mode" "$(stat -c %a "$CTL")" 660
is "the record's mode" "$(stat -c %a "$RECORD")" 600
refuse "a second keyer is refused" 'is another keyer running' ns "$NSA" "$ESPTUND" --config "$DIR/esptun.conf" \
	--ctl "$TEST_TMP/other/ctl" --record "$TEST_TMP/other.record"

is "an unknown command" "$(request '{"command":"dance"}')" "$(line 'unknown command \"dance\"')"
is "no command" "$(request '{}')" "$(line '\"command\" is missing')"
is "a member that does not belong there" "$(request '{"command":"up","tunnel":"paris","phase":1}')" \
	"$(line 'member \"phase\" does not belong to this command')"
is "a member of the wrong type" "$(request '{"command":"status","tunnel":7}')" \
	"$(line 'member \"tunnel\" must be a string')"
is "no tunnel" "$(request '{"command":"up"}')" "$(line '\"tunnel\" is missing')"
is "an unknown tunnel" "$(request '{"command":"down","tunnel":"rome"}')" "$(line 'there is no tunnel \"rome\"')"
is "a wrong phase" "$(request '{"command":"rekey","tunnel":"paris","phase":3}')" "$(line '\"phase\" is 1 or 2')"
is "no JSON" "$(request 'hello')" "$(line 'the request is not a JSON object on one line')"
refuse "the command line says so too" 'there is no tunnel "rome"' keyer "$NSA" up rome
check "status of one tunnel" keyer "$NSA" status paris
is "status is JSON" "$(keyer_get "$NSA" '[t["name"], t["device"], t["local"], t["remote"], t["policy"], t["start"]]')" \
	"['paris', 'paris0', '$A4', '$B4', 'modern', 'respond']"
check "others may not use the socket" test "$(setpriv --reuid 65534 --regid 65534 --clear-groups \
	"$ESPTUN" ike status ctl "$CTL" 2>&1 | grep -c 'Permission denied')" = 1

keyer_write "$NSA" <<< 'tunnel paris { colour = red }'
refuse "reload of a bad configuration" 'esptun.conf:1: error: .*colour' keyer "$NSA" reload
is "the old one stays in force" "$(keyer_get "$NSA" 'len(s["tunnels"])')" 1
keyer_mark "$NSA"
kill -HUP "$pid"
check "the same by signal" wait_for "$PATIENCE" keyer_logged "$NSA" 'config-refused'
keyer_write "$NSA" < <(keyer_conf; keyer_conf name=rome remote=192.0.2.3)
check "reload of a good one" keyer "$NSA" reload
is "it is in force" "$(keyer_get "$NSA" '[x["name"] for x in s["tunnels"]]')" "['paris', 'rome']"
check "the log can be read" test "$(keyer "$NSA" log lines 1 | grep -c 'config-loaded: .* 2 tunnels')" = 1

check "it ends" keyer_stop "$NSA" TERM
is "its socket is gone" "$(ls "$CTL" 2> /dev/null)" ''
check "and it says so" wait_for "$PATIENCE" grep -q STOPPING=1 "$TEST_TMP/notified"
refuse "nobody answers any more" 'is esptund running' keyer "$NSA" status

# The process that talks to peers as another user; the configuration stays root's.
rm -f "$RECORD"
check "as another user" keyer_start "$NSA" --record "$RECORD" --user daemon
is "the process that talks to peers is that user" \
	"$(awk '/^Uid/ {print $2, $3, $4, $5}' "/proc/$(keyer_cell "$NSA")/status")" \
	"$(id -u daemon | sed 's/.*/& & & &/')"
is "in that user's group only" "$(awk '/^Gid/ {print $2} /^Groups/ {print $2}' "/proc/$(keyer_cell "$NSA")/status" | xargs)" \
	"$(id -g daemon)"
check "the configuration can still be read again" keyer "$NSA" reload
check "it ends" keyer_stop "$NSA" TERM
refuse "an unknown user" 'cannot become user "nosuchuser"' ns "$NSA" "$ESPTUND" --config "$DIR/esptun.conf" \
	--ctl "$TEST_TMP/other/ctl" --record "$TEST_TMP/other.record" --user nosuchuser
((! ktap_failed)) || keyer_log "$NSA"
finish
