// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels come up, and end. See story.h.
 */
#include "story.h"

/* ---- coming up --------------------------------------------------------------------------- */

void tell_start_one(struct sim_world *w)
{
	bool alice = sim_chance(&w->script, 50);

	story_alice_and_bob(w, alice ? IKE_START_AUTO : IKE_START_RESPOND, alice ? IKE_START_RESPOND : IKE_START_AUTO);
	story_both_start_and_come_up(w);
	story_the_end(w);
}

void tell_start_both(struct sim_world *w)
{
	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	story_both_start_and_come_up(w);
	story_the_end(w);
}

void tell_start_traffic(struct sim_world *w)
{
	story_alice_and_bob(w, IKE_START_TRAFFIC, sim_chance(&w->script, 50) ? IKE_START_TRAFFIC : IKE_START_RESPOND);
	story_both_start_and_come_up(w);
	story_one_pair_remains(w);
	story_network_is_good_now(w);
}

void tell_start_command(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_RESPOND, IKE_START_RESPOND);

	story_everybody_starts(w);
	sim_run_for(w, SIM_MINUTE);
	if (sim_saw(&w->host[ALICE], "p1-start") || sim_saw(&w->host[BOB], "p1-start"))
		sim_fail(w, "a tunnel that only responds began a negotiation");
	sim_command(story_somebody(w), IKE_CMD_UP, l->name);
	story_comes_up(w, 30 * SIM_MINUTE);
	story_the_end(w);
}

void tell_three_hosts(struct sim_world *w)
{
	struct ike_tunnel_cfg cfg = sim_tunnel_cfg(w);

	sim_link_add(w, "alice-bob", ALICE, BOB, &cfg);
	sim_link_add(w, "alice-carol", ALICE, CAROL, &cfg);
	sim_link_add(w, "bob-carol", BOB, CAROL, &cfg);
	sim_cfg_free(&cfg);
	story_both_start_and_come_up(w);
	sim_command(&w->host[ALICE], IKE_CMD_REKEY_P2, "alice-bob");
	sim_command(&w->host[CAROL], IKE_CMD_REKEY_P1, "alice-carol");
	sim_command(&w->host[BOB], IKE_CMD_REKEY_P2, "bob-carol");
	story_the_end(w);
}

/* ---- ending ------------------------------------------------------------------------------ */

void tell_down_and_up(struct sim_world *w)
{
	struct sim_host *h;
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	story_both_start_and_come_up(w);
	for (n = 0; n < 3; n++) {
		sim_run_for(w, story_between(w, 10 * SIM_MS, SIM_MINUTE));
		story_network_is_good_now(w);
		sim_links_down(w);
		h = &w->host[ALICE];
		sim_command(h, IKE_CMD_DOWN, "t");
		story_peace(w);
		sim_check_nothing(w);
		sim_links_down(w);
		w->net.loss = w->net.late = 20;
		sim_command(h, IKE_CMD_UP, "t");
		story_comes_up(w, 30 * SIM_MINUTE);
	}
	story_the_end(w);
}

/* Bob deletes; Alice wants the tunnel and brings it back. */
void tell_peer_deletes(struct sim_world *w)
{
	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	story_both_start_and_come_up(w);
	story_network_is_good_now(w);
	sim_links_down(w);
	sim_command(&w->host[BOB], IKE_CMD_DOWN, "t");
	sim_run_for(w, IKE_SECOND);
	sim_links_down(w);
	story_comes_up(w, 10 * SIM_MINUTE);
	story_the_end(w);
}
