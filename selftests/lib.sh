# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What every test script sources: KTAP output, waiting for conditions, undoing
# at exit, and the parts below lib/. Runs inside the test VM as root; a script
# that ends without calling finish has failed.
#
#	source "$(dirname "$0")/lib.sh"
#	topology_create
#	check "h1 reaches its gateway" ns h1 ping -q -c 1 10.1.0.1
#	finish

set -u
LIB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$LIB_DIR")
TEST_NAME=$(basename "$0" .sh)
TEST_TMP=$(mktemp -d /tmp/esptun-test.XXXXXX)
# Everything waits for a condition; this is how long, in seconds, a condition
# that will come may take on a slow emulated machine.
: "${PATIENCE:=60}"
PATIENCE=$((PATIENCE * ${SELFTEST_SLOW:-1}))

# scaled COUNT [LEAST]: a number of rounds or packets, as many as this run is to
# make (SELFTEST_SCALE=0.1: a tenth).
scaled()
{
	awk -v n="$1" -v least="${2:-1}" -v scale="${SELFTEST_SCALE:-1}" \
		'BEGIN { n = int(n * scale + 0.5); print n < least ? least : n }'
}

### KTAP

started_pid=
ktap_count=0 ktap_failed=0 ktap_skipped=0 ktap_finished=

# The demo uses the same bed and is no test.
[[ -z ${KTAP_HEADER-yes} ]] || echo "TAP version 13"

diag()
{
	if (($#)); then
		printf '# %s\n' "$*"
	else
		sed 's/^/# /'
	fi
}

# ok|not ok, with the number; a description never holds '#', which KTAP reserves.
ktap_line()
{
	ktap_count=$((ktap_count + 1))
	printf '%s %d %s\n' "$1" "$ktap_count" "${2//#/}${3:+ # $3}"
}

pass() { ktap_line ok "$1"; }

# fail DESC [DIAG...]: remaining arguments are shown, one line each.
fail()
{
	ktap_failed=$((ktap_failed + 1))
	ktap_line "not ok" "$1"
	shift
	((! $#)) || printf '%s\n' "$@" | diag
	return 1
}

# skip DESC REASON: only for what this machine cannot do.
skip()
{
	ktap_skipped=$((ktap_skipped + 1))
	ktap_line ok "$1" "SKIP $2"
}

# check DESC COMMAND...: passes when the command succeeds. The command runs in
# this shell, so that a function may start things and remember them.
check()
{
	local desc=$1 rc
	shift
	"$@" > "$TEST_TMP/output" 2>&1
	rc=$?
	if ((rc == 0)); then
		pass "$desc"
		return
	fi
	fail "$desc" "command: $*" "exit status $rc, output:" "$(< "$TEST_TMP/output")"
}

# refuse DESC REGEX COMMAND...: passes when the command fails and says why.
refuse()
{
	local desc=$1 regex=$2 rc
	shift 2
	"$@" > "$TEST_TMP/output" 2>&1
	rc=$?
	if ((rc == 0)); then
		fail "$desc" "command succeeded: $*" "$(< "$TEST_TMP/output")"
	elif ! grep -qE -- "$regex" "$TEST_TMP/output"; then
		fail "$desc" "command: $*" "wanted a refusal matching: $regex" \
			"got ($rc): $(< "$TEST_TMP/output")"
	else
		pass "$desc"
	fi
}

# is DESC GOT WANTED
is()
{
	if [[ $2 == "$3" ]]; then
		pass "$1"
	else
		fail "$1" "got:    $2" "wanted: $3"
	fi
}

### Waiting and undoing

# wait_for SECONDS CONDITION...: polls until the condition holds. The deadline
# only bounds a failure: nothing is ever measured with it.
wait_for()
{
	local deadline=$((SECONDS + $1))
	shift
	until "$@" > /dev/null 2>&1; do
		if ((SECONDS >= deadline)); then
			diag "gave up waiting for: $*"
			return 1
		fi
		sleep 0.1
	done
}

lib_undo=()

# at_exit COMMAND...: undone in reverse order when the script ends.
at_exit()
{
	lib_undo+=("$(printf '%q ' "$@")")
}

# start_in NS COMMAND...: runs a command in the background inside a namespace;
# started_pid is the command's own process id. Redirect at the call.
start_in()
{
	local name=$1
	shift
	ip netns exec "$name" "$@" &
	started_pid=$!
}

# stop_pid PID: ends one process that this script started and reaps it.
stop_pid()
{
	kill "$1" 2> /dev/null || return 0
	wait_for 10 lib_pid_gone "$1" || kill -KILL "$1" 2> /dev/null
	wait "$1" 2> /dev/null
	return 0
}

lib_pid_gone()
{
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2> /dev/null) || return 0
	[[ -z $state || $state == Z ]]
}

lib_undo_all()
{
	local i
	for ((i = ${#lib_undo[@]} - 1; i >= 0; i--)); do
		eval "${lib_undo[i]}"
	done
	lib_undo=()
}

# finish: the checks that hold for every test, then the plan and the status.
finish()
{
	sniffer_check
	reconcile_check
	# What is created must be destroyed: the last check runs on empty ground.
	lib_undo_all
	esptun_leak_check
	ktap_finished=1
	echo "1..$ktap_count"
	diag "$TEST_NAME: $((ktap_count - ktap_failed - ktap_skipped)) passed, $ktap_failed failed, $ktap_skipped skipped"
	exit $((ktap_failed > 0))
}

lib_on_exit()
{
	local rc=$?
	if [[ -z $ktap_finished ]]; then
		fail "$TEST_NAME ran to its end" "exit status $rc"
		echo "1..$ktap_count"
		lib_undo_all
		esptun_unload
	fi
	rm -rf "$TEST_TMP"
	[[ -n $ktap_finished ]] || exit 1
}
trap lib_on_exit EXIT
trap 'exit 143' TERM

# shellcheck source=selftests/lib/topology.sh
source "$LIB_DIR/lib/topology.sh"
# shellcheck source=selftests/lib/sniffer.sh
source "$LIB_DIR/lib/sniffer.sh"
# shellcheck source=selftests/lib/xfrm.sh
source "$LIB_DIR/lib/xfrm.sh"
# shellcheck source=selftests/lib/swan.sh
source "$LIB_DIR/lib/swan.sh"
# shellcheck source=selftests/lib/keyer.sh
source "$LIB_DIR/lib/keyer.sh"
# shellcheck source=selftests/lib/esptun.sh
source "$LIB_DIR/lib/esptun.sh"
