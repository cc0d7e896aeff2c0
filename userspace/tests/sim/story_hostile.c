// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel that refuses, memory that is short, configurations that change, attackers. See story.h.
 */
#include "fault.h"
#include "story.h"

/* The kernel refuses a third of what is asked of it for ten minutes. */
void tell_kernel_refuses(struct sim_world *w)
{
	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	w->host[ALICE].kernel.fail_percent = 33;
	w->host[BOB].kernel.fail_percent = (unsigned int)sim_below(&w->script, 34);
	story_everybody_starts(w);
	sim_run_for(w, 10 * SIM_MINUTE);
	w->host[ALICE].kernel.fail_percent = w->host[BOB].kernel.fail_percent = 0;
	sim_links_down(w);
	sim_run_for(w, 15 * SIM_MINUTE);
	story_comes_up(w, 30 * SIM_MINUTE);
	sim_run_for(w, 70 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* What the engines went through must not have left anything behind. */
static void memory_is_back(struct sim_world *w)
{
	sim_fault_clear();
	sim_links_down(w);
	sim_run_for(w, 5 * SIM_MINUTE);
	story_comes_up(w, 30 * SIM_MINUTE);
	sim_run_for(w, 70 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* One allocation of the engines fails; the seed says which. */
void tell_memory_once(struct sim_world *w)
{
	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	sim_fault_set(1 + w->seed % 500, 0, w->script);
	story_everybody_starts(w);
	sim_run_for(w, SIM_MINUTE);
	sim_command(story_somebody(w), IKE_CMD_REKEY_P2, "t");
	sim_run_for(w, 20 * IKE_SECOND);
	sim_command(story_somebody(w), IKE_CMD_REKEY_P1, "t");
	sim_run_for(w, SIM_MINUTE);
	memory_is_back(w);
}

/* A few percent of them fail, for minutes. */
void tell_memory_short(struct sim_world *w)
{
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	sim_fault_set(0, 1 + (unsigned int)sim_below(&w->script, 50), w->script);
	story_everybody_starts(w);
	for (n = 0; n < 6; n++) {
		sim_run_for(w, story_between(w, IKE_SECOND, SIM_MINUTE));
		sim_command(story_somebody(w), sim_chance(&w->script, 50) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	memory_is_back(w);
}

/* Other proposals while the tunnel is up; what is there goes on until it is replaced. */
void tell_reconfigure(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	const struct sim_sa *out;
	int end;

	story_both_start_and_come_up(w);
	for (end = 0; end < 2; end++) {
		sim_set_p2(sim_cfg(l, end), "aes256gcm16-ecp256");
		sim_cfg(l, end)->p2_life = 1800;
	}
	sim_host_reconfigure(l->end[0]);
	sim_run_for(w, story_between(w, 0, 2 * IKE_SECOND));
	sim_host_reconfigure(l->end[1]);
	sim_run_for(w, 10 * SIM_MINUTE);
	out = sim_kernel_outbound(&w->host[ALICE].kernel, l->name, &l->sel);
	if (!w->failed && (!out || out->alg.key_bits != 256 || out->alg.group != 19))
		sim_fail(w, "the new proposals are not in use 10 minutes after they were configured");
	story_the_end(w);
}

/* Alice's tunnel is taken out of the configuration and put back. */
void tell_remove_and_add(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	size_t n;

	story_both_start_and_come_up(w);
	story_network_is_good_now(w);
	sim_links_down(w);
	n = l->end[0]->cfg.n_tunnels;
	l->end[0]->cfg.n_tunnels = 0;
	sim_host_reconfigure(l->end[0]);
	story_peace(w);
	sim_check_nothing(w);
	sim_links_down(w);
	l->end[0]->cfg.n_tunnels = n;
	sim_host_reconfigure(l->end[0]);
	story_comes_up(w, 30 * SIM_MINUTE);
	story_the_end(w);
}

/* Somebody on the path sends altered, cut and old datagrams: no effect on what is up. */
void tell_attacker(struct sim_world *w)
{
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	w->net.mangle = 50;
	w->net.loss = (unsigned int)sim_below(&w->script, 15);
	story_both_start_and_come_up(w);
	for (n = 0; n < 4; n++) {
		sim_run_for(w, story_between(w, IKE_SECOND, 90 * IKE_SECOND));
		sim_command(story_somebody(w), sim_chance(&w->script, 40) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	story_the_end(w);
}

/*
 * Somebody repeats MM1 with Alice's address and new cookies, 40 a second. What is up stays
 * up, Alice's rekeys go through, and the answers to the forged ones are not longer than these.
 * Bob keeps 16 half-open SAs for an address, the newest: a round trip must be shorter than
 * 16 of 40 parts of a second, so the network is a good one here.
 */
void tell_flood(struct sim_world *w)
{
	unsigned long octets;
	struct sim_host *victim;
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	victim = &w->host[BOB];
	story_both_start_and_come_up(w);
	sim_run_for(w, 3 * SIM_MINUTE);
	w->ping_busy = 100 * SIM_MS;
	story_network_is_good_now(w);
	w->net.flood = 40;
	octets = victim->sent_octets;
	sim_flood(w);
	sim_run_for(w, 2 * SIM_MINUTE);
	octets = victim->sent_octets - octets;
	if (!w->failed && octets > w->net.forged_octets)
		sim_fail(w, "%lu octets of forged MM1 were answered with %lu", w->net.forged_octets, octets);
	for (n = 0; n < 4; n++) {
		sim_command(&w->host[ALICE], n % 2 ? IKE_CMD_REKEY_P2 : IKE_CMD_REKEY_P1, "t");
		sim_run_for(w, 90 * IKE_SECOND);
	}
	w->net.flood = 0;
	w->ping_busy = 5 * SIM_MS;
	if (!w->failed && story_isakmp_sas_made(victim) < 3)
		sim_fail(w, "rekeys of phase 1 did not get through the flood");
	story_the_end(w);
}
