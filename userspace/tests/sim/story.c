// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sentences the stories are made of. See story.h.
 */
#include "story.h"

ike_time story_between(struct sim_world *w, ike_time from, ike_time to)
{
	return from + (ike_time)sim_below(&w->script, (uint64_t)(to - from));
}

struct sim_link *story_alice_and_bob_plain(struct sim_world *w, enum ike_start alice, enum ike_start bob)
{
	struct ike_tunnel_cfg cfg = sim_tunnel_cfg(w);
	struct sim_link *l = sim_link_add(w, "t", ALICE, BOB, &cfg);

	sim_cfg_free(&cfg);
	sim_cfg(l, 0)->start = alice;
	sim_cfg(l, 1)->start = bob;
	return l;
}

struct sim_link *story_alice_and_bob(struct sim_world *w, enum ike_start alice, enum ike_start bob)
{
	struct sim_link *l = story_alice_and_bob_plain(w, alice, bob);
	unsigned int n = sim_chance(&w->script, 35) ? 2 + (unsigned int)sim_below(&w->script, 2) : 1, i;

	if (n > 1)
		sim_link_select(l, 0);
	for (i = 1; i < n; i++)
		sim_link_add_selector(w, l, i);
	return l;
}

/* All hosts start within a few seconds, in any order. */
void story_everybody_starts(struct sim_world *w)
{
	unsigned int first = (unsigned int)sim_below(&w->script, w->n_hosts), i;

	for (i = 0; i < w->n_hosts && !w->failed; i++) {
		sim_host_start(&w->host[(first + i) % w->n_hosts]);
		sim_run_for(w, story_between(w, 0, sim_chance(&w->script, 50) ? 20 * SIM_MS : 5 * IKE_SECOND));
	}
}

void story_comes_up(struct sim_world *w, ike_time patience)
{
	ike_time from = w->now;

	if (!sim_run_until(w, sim_all_up, patience))
		sim_fail(w, "not up within %.0f s", (double)patience / IKE_SECOND);
	if (!w->up_after)
		w->up_after = w->now - from + 1;
	sim_watch(w);
}

void story_both_start_and_come_up(struct sim_world *w)
{
	story_everybody_starts(w);
	story_comes_up(w, 30 * SIM_MINUTE);
}

/* Grace periods end, finished exchanges are forgotten. */
void story_peace(struct sim_world *w)
{
	sim_run_for(w, 8 * SIM_MINUTE);
}

void story_one_pair_remains(struct sim_world *w)
{
	story_peace(w);
	sim_check_one_pair(w);
}

void story_network_is_good_now(struct sim_world *w)
{
	w->net.loss = w->net.duplicate = w->net.reorder = w->net.late = w->net.mangle = 0;
	w->net.cut = false;
	sim_run_for(w, 5 * IKE_SECOND);
}

void story_everybody_goes_down(struct sim_world *w)
{
	unsigned int i;
	size_t t;

	story_network_is_good_now(w);
	sim_links_down(w);
	for (i = 0; i < w->n_hosts; i++)
		for (t = 0; t < w->host[i].cfg.n_tunnels; t++)
			sim_command(&w->host[i], IKE_CMD_DOWN, w->host[i].cfg.tunnel[t].name);
	story_peace(w);
	sim_check_nothing(w);
}

void story_the_end(struct sim_world *w)
{
	story_one_pair_remains(w);
	story_everybody_goes_down(w);
}

struct sim_host *story_somebody(struct sim_world *w)
{
	return &w->host[sim_below(&w->script, w->n_hosts)];
}

unsigned long long story_pairs_made(const struct sim_host *h)
{
	struct ike_counters c;

	ike_counters(h->engine, &c);
	return c.p2_established;
}

unsigned long long story_isakmp_sas_made(const struct sim_host *h)
{
	struct ike_counters c;

	ike_counters(h->engine, &c);
	return c.p1_established;
}
