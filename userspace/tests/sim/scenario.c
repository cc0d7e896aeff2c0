// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of stories. See scenario.h; story.h has the stories.
 */
#include "scenario.h"

#include <string.h>

#include "story.h"

const struct sim_scenario sim_scenarios[] = {
	{ "start-one", "one end begins, the other answers", tell_start_one, 1, 0 },
	{ "start-both", "both ends begin at about the same time", tell_start_both, 1, 0 },
	{ "start-traffic", "the first packet begins", tell_start_traffic, 1, 0 },
	{ "start-command", "both wait until told", tell_start_command, 1, 0 },
	{ "three-hosts", "three hosts, a tunnel between any two", tell_three_hosts, 2, 0 },
	{ "rekey-p2", "five rekeys of phase 2, from either end", tell_rekey_p2, 1, 0 },
	{ "rekey-p1", "five rekeys of phase 1, from either end", tell_rekey_p1, 1, 0 },
	{ "rekey-collision", "both ends rekey at once", tell_rekey_collision, 1, 0 },
	{ "rekey-storm", "twenty rekeys on top of each other", tell_rekey_storm, 1, 0 },
	{ "lifetimes", "hours of short lifetimes", tell_lifetimes, 2, 0 },
	{ "volume", "volume limits run out", tell_volume, 2, 0 },
	{ "month", "30 days of rekeys, flat memory", tell_month, 12, 0 },
	{ "down-and-up", "one end takes it down and up", tell_down_and_up, 1, 0 },
	{ "peer-deletes", "the responder deletes, the initiator brings it back", tell_peer_deletes, 1, 0 },
	{ "selectors-change", "a selector comes and goes, the others do not notice", tell_selectors_change, 1, 0 },
	{ "selector-refused", "the peer has one of two selectors", tell_selector_refused, 1, 0 },
	{ "many-selectors", "six selectors, rekeys and a restart", tell_many_selectors, 2, 0 },
	{ "wrong-psk", "different pre-shared keys, then the right one", tell_wrong_psk, 1, 0 },
	{ "no-common-p1", "no common phase 1 proposal, then one", tell_no_common_p1, 1, 0 },
	{ "no-common-p2", "no common phase 2 proposal, then one", tell_no_common_p2, 1, 0 },
	{ "wrong-id", "an identity that is not the configured one", tell_wrong_id, 1, 0 },
	{ "wrong-networks", "different traffic selectors", tell_wrong_networks, 1, 0 },
	{ "peer-reboot", "one end loses all state and begins anew", tell_peer_reboot, 1, 0 },
	{ "silent-reboot", "the responder loses all state", tell_silent_reboot, 1, 0 },
	{ "dead-peer", "the responder is gone: noticed in time, brought back", tell_dead_peer, 1, 0 },
	{ "silence", "no packet for an hour: asked, answered, nothing lost", tell_silence, 1, 0 },
	{ "keyer-restart", "the keyer dies, the kernel's SAs go on", tell_keyer_restart, 1, 0 },
	{ "network-break", "nothing passes for a while", tell_network_break, 1, 0 },
	{ "suspend", "a host sleeps, shorter or longer than the lifetimes", tell_suspend, 1, 0 },
	{ "address", "a host loses its address for a while", tell_address, 1, 0 },
	{ "kernel-refuses", "a third of the requests to the kernel fail", tell_kernel_refuses, 1, 0 },
	{ "memory-once", "one allocation fails", tell_memory_once, 1, 0 },
	{ "memory-short", "some allocations fail for minutes", tell_memory_short, 1, 0 },
	{ "reconfigure", "new proposals while up", tell_reconfigure, 1, 0 },
	{ "remove-and-add", "the tunnel leaves the configuration and returns", tell_remove_and_add, 1, 0 },
	{ "attacker", "altered, cut and old datagrams", tell_attacker, 1, 0 },
	{ "flood", "40 forged MM1 a second", tell_flood, 4, 0 },
	{ "nat", "one end is behind a NAT that changes its mapping", tell_nat, 1, 0 },
	{ "nat-restart", "a peer behind a NAT, and a keyer that dies", tell_nat_restart, 1, 0 },
	{ "am-start-one", "in aggressive mode: one end begins", tell_start_one, 1, SIM_AGGRESSIVE },
	{ "am-start-both", "in aggressive mode: both ends begin", tell_start_both, 1, SIM_AGGRESSIVE },
	{ "am-rekey-p1", "in aggressive mode: rekeys of phase 1", tell_rekey_p1, 2, SIM_AGGRESSIVE },
	{ "am-rekey-storm", "in aggressive mode: rekeys on top of each other", tell_rekey_storm, 2, SIM_AGGRESSIVE },
	{ "am-collision", "in aggressive mode: both ends rekey at once", tell_rekey_collision, 2, SIM_AGGRESSIVE },
	{ "am-dead-peer", "in aggressive mode: the responder is gone", tell_dead_peer, 2, SIM_AGGRESSIVE },
	{ "am-reboot", "in aggressive mode: one end loses all state", tell_peer_reboot, 2, SIM_AGGRESSIVE },
	{ "am-wrong-psk", "in aggressive mode: different keys, then the right one", tell_wrong_psk, 2, SIM_AGGRESSIVE },
	{ "am-attacker", "in aggressive mode: altered, cut and old datagrams", tell_attacker, 2, SIM_AGGRESSIVE },
	{ "xa-start-both", "with XAUTH and mode config: both ends begin", tell_start_both, 1, SIM_LOGIN },
	{ "xa-rekey-p1", "with XAUTH and mode config: rekeys of phase 1", tell_rekey_p1, 2, SIM_LOGIN },
	{ "xa-storm", "the same, pushed, in aggressive mode: rekeys on top of each other", tell_rekey_storm, 2,
	  SIM_LOGIN | SIM_PUSH | SIM_AGGRESSIVE },
	{ "xa-reboot", "the same: one end loses all state", tell_peer_reboot, 2, SIM_LOGIN | SIM_AGGRESSIVE },
	{ "xa-memory", "with XAUTH and mode config: one allocation fails", tell_memory_once, 1, SIM_LOGIN },
	{ NULL, NULL, NULL, 0, 0 },
};

const struct sim_scenario *sim_scenario_find(const char *name)
{
	const struct sim_scenario *s;

	for (s = sim_scenarios; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

void sim_play(struct sim_world *w, const struct sim_scenario *s, uint64_t seed, bool verbose)
{
	uint64_t n = 0;
	const char *p;

	/* Each scenario has its own luck under a seed. */
	for (p = s->name; *p; p++)
		n = n * 31 + (uint8_t)*p;
	sim_world_init(w, seed * 0x2545f4914f6cdd1dull + n, verbose);
	w->seed = seed;
	w->way = s->way;
	s->play(w);
}
