#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who talks to peers may nothing: what /proc says of the two processes, and what becomes of
# a process that talks to peers and was taken over. For that a keyer is built that attacks itself on
# request (userspace/esptund/exploit.h); nothing of it is in the real one.
# shellcheck disable=SC2317,SC2119
# shellcheck source=selftests/ike/lib.sh
source "$(dirname "$0")/lib.sh"

CTL=$(keyer_dir "$NSA")/ctl
field() { awk -v name="$2:" '$1 == name {print $2}' "/proc/$1/status"; }
try() { socat -t 10 - "UNIX-CONNECT:$CTL" <<< '{"command":"exploit","type":"'"$1"'"}' 2> /dev/null; }
# sockets_in PID KIND: how many of a process's sockets are in /proc/net/KIND.
sockets_in()
{
	readlink "/proc/$1"/fd/* | sed -n 's/socket:\[\(.*\)\]/\1/p' > "$TEST_TMP/inodes"
	ns "$NSA" cat "/proc/net/$2" | tr -s ' ' '\n' | grep -cxFf "$TEST_TMP/inodes"
}
gone() { [[ ! -e /proc/$1 ]]; }

ike_create || exit
keyer_write "$NSA" < <(keyer_conf)
check "the keyer starts" keyer_start "$NSA" --record "$RECORD"
warden=${keyer_pid[$NSA]} cell=$(keyer_cell "$NSA")
for caps in CapInh CapPrm CapEff CapBnd CapAmb; do
	is "the process that talks to peers: $caps" "$(field "$cell" $caps)" 0000000000000000
done
is "it is not root" "$(awk '/^[UG]id/ {print ($2 != 0 && $2 == $3 && $3 == $4 && $4 == $5)}' "/proc/$cell/status" | sort -u)" 1
is "it is in no other group" "$(awk '/^Groups/ {print NF}' "/proc/$cell/status")" 1
is "it cannot gain privileges" "$(field "$cell" NoNewPrivs)" 1
is "its system calls are filtered" "$(field "$cell" Seccomp)" 2
is "it writes no core" "$(awk '/Max core file size/ {print $5}' "/proc/$cell/limits")" 0
is "its memory is root's" "$(stat -c %U:%a "/proc/$cell/mem")" root:600
is "its root directory is empty" "$(ls -A "/proc/$cell/root/" 2> /dev/null)" ''
check "and deleted" bash -c "readlink /proc/$cell/root | grep -q '(deleted)$'"
is "it has no file open but the log" "$(readlink "/proc/$cell"/fd/* | grep '^/' | grep -v -e /dev/null -e '/log$')" ''
is "it has no netlink socket" "$(sockets_in "$cell" netlink)" 0
is "it has the UDP sockets, of IKE and of NAT traversal" "$(sockets_in "$cell" udp)" 2
is "the other one keeps one capability" "$(field "$warden" CapPrm) $(field "$warden" CapBnd)" "0000000000001000 0000000000001000"
is "and has no UDP socket" "$(sockets_in "$warden" udp)" 0
is "the real keyer has no way to attack itself" "$(try open | grep -c 'unknown command')" 1

# One without the other does not go on.
kill -KILL "$cell"
check "when it is killed, all end" wait_for "$PATIENCE" gone "$warden"
check "and the log says so" keyer_logged "$NSA" 'cell-ended: .*Killed; the tunnels stay up'
stop_pid "$warden"
unset "keyer_pid[$NSA]"
check "a new keyer starts" keyer_start "$NSA" --record "$RECORD"
cell=$(keyer_cell "$NSA")
kill -KILL "${keyer_pid[$NSA]}"
check "when the other one is killed, it ends, too" wait_for "$PATIENCE" gone "$cell"
keyer_stop "$NSA"
check "at once a new keyer has the port" keyer_start "$NSA" --record "$RECORD"
keyer_stop "$NSA" TERM

# What is in memory: the secret where it is used and nowhere else, keys of SAs nowhere once they are installed.
secret="a long enough test secret"
in_memory() { "$IKE_DIR/memory.py" "$1" "$RECORD" "$secret"; }
: > "$RECORD"
check "a keyer with a peer" keyer_start "$NSA" --record "$RECORD"
check "strongSwan starts" peer_start < <(swan_psk "secret=$secret")
check "a tunnel" keyer "$NSA" up paris
check "its keys are in the record" grep -q '"encr_key":"[0-9a-f]\{32,\}' "$RECORD"
is "who talks to peers has the secret, no key of an SA" "$(in_memory "$(keyer_cell "$NSA")")" "$secret"
is "the other one has neither" "$(in_memory "${keyer_pid[$NSA]}")" ''
check "reload" keyer "$NSA" reload
is "nor after it has read the secret again" "$(in_memory "${keyer_pid[$NSA]}")" ''
keyer_stop "$NSA" TERM

check "a keyer that attacks itself is built" make -s -C "$TOP/userspace" EXPLOIT=1 "$TOP/build/exploit/bin/esptund"
ESPTUND=$TOP/build/exploit/bin/esptund
for what in open open-any create proc netlink packet exec fork ptrace signal read-warden root code chroot; do
	keyer_mark "$NSA"
	keyer_start "$NSA" --record "$RECORD" > /dev/null 2>&1
	is "$what: no answer" "$(try $what)" ''
	check "$what: ended by the kernel" wait_for "$PATIENCE" keyer_logged "$NSA" 'cell-ended: .*it tried what it may not'
	keyer_stop "$NSA"
done

# Without the filter, the other walls.
export ESPTUND_NO_FILTER=1
check "without the system call filter" keyer_start "$NSA" --record "$RECORD"
# denied DESC ATTEMPT ERRNO...
denied()
{
	local desc=$1 what=$2 got
	got=$(try "$what" | sed 's/.*"result":"\([^"]*\)".*/\1/')
	shift 2
	check "$desc: $got" test -n "$got" -a "${*/$got/}" != "$*"
}
# The empty root says ENOENT, Landlock EACCES before that.
denied "open: there is no such file" open EACCES ENOENT
denied "open-any: not even one everybody may read" open-any EACCES ENOENT
denied "create: nothing can be made" create EACCES ENOENT
denied "proc: not its own memory" proc EACCES ENOENT
denied "read-warden: nor that of the other process" read-warden EACCES ENOENT
denied "exec: no program" exec EACCES ENOENT
denied "packet: no capability" packet EPERM
denied "ptrace: not the other process" ptrace EPERM
denied "signal: nor a signal to it" signal EPERM
denied "root: no way back" root EPERM
denied "chroot: nor out" chroot EPERM EACCES
check "it ends" keyer_stop "$NSA" TERM
((! ktap_failed)) || keyer_log "$NSA"
finish
