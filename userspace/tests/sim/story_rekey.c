// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys are renewed. See story.h.
 */
#include "story.h"

static void rekey(struct sim_world *w, enum ike_command cmd)
{
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	story_both_start_and_come_up(w);
	for (n = 0; n < 5; n++) {
		sim_run_for(w, story_between(w, 100 * SIM_MS, 90 * IKE_SECOND));
		sim_command(story_somebody(w), cmd, "t");
	}
	story_the_end(w);
}

void tell_rekey_p2(struct sim_world *w)
{
	rekey(w, IKE_CMD_REKEY_P2);
}

void tell_rekey_p1(struct sim_world *w)
{
	rekey(w, IKE_CMD_REKEY_P1);
}

/* Both ends rekey at the same moment, or before the other's first message is there. */
void tell_rekey_collision(struct sim_world *w)
{
	static const enum ike_command what[] = { IKE_CMD_REKEY_P1, IKE_CMD_REKEY_P2 };
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	story_both_start_and_come_up(w);
	for (n = 0; n < 5; n++) {
		sim_run_for(w, story_between(w, IKE_SECOND, 90 * IKE_SECOND));
		sim_command(&w->host[ALICE], what[sim_below(&w->script, 2)], "t");
		sim_run_for(w, story_between(w, 0, 2 * w->net.delay));
		sim_command(&w->host[BOB], what[sim_below(&w->script, 2)], "t");
	}
	story_the_end(w);
}

/* Rekeys of both phases all over each other. */
void tell_rekey_storm(struct sim_world *w)
{
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	story_both_start_and_come_up(w);
	for (n = 0; n < 20; n++) {
		sim_run_for(w, story_between(w, 0, 3 * IKE_SECOND));
		sim_command(story_somebody(w), sim_chance(&w->script, 30) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	story_the_end(w);
}

/* Lifetimes that run out all the time, not the same at both ends. */
void tell_lifetimes(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	int end;

	for (end = 0; end < 2; end++) {
		sim_cfg(l, end)->p1_life = 1200 + (uint32_t)sim_below(&w->script, 1200);
		sim_cfg(l, end)->p2_life = 600 + (uint32_t)sim_below(&w->script, 600);
	}
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, 2 * SIM_HOUR, 3 * SIM_HOUR));
	/* A rekey may just be going on: no more of them, then count. */
	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	sim_cfg(l, 0)->p1_life = sim_cfg(l, 1)->p1_life = 86400;
	sim_host_reconfigure(l->end[0]);
	sim_host_reconfigure(l->end[1]);
	sim_run_for(w, 30 * SIM_MINUTE);
	story_the_end(w);
}

/* A limit on volume is reached every few minutes. */
void tell_volume(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life_kb = 20000;
	sim_cfg(l, 1)->p2_life_kb = 20000 + (uint32_t)sim_below(&w->script, 20000);
	story_both_start_and_come_up(w);
	/* 20 kB/s: what is left between soft and hard limit lasts longer than a rekey can take. */
	w->ping_octets = 10000;
	w->ping_idle = IKE_SECOND / 2;
	w->ping_busy = SIM_MS * 500;
	sim_run_for(w, 90 * SIM_MINUTE);
	w->ping_octets = 10;
	if (!w->failed && story_pairs_made(&w->host[ALICE]) < 3)
		sim_fail(w, "the volume was used up, but only %llu pairs were made", story_pairs_made(&w->host[ALICE]));
	story_the_end(w);
}

/* 30 days with the usual lifetimes; memory must not grow. */
void tell_month(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob_plain(w, IKE_START_AUTO, IKE_START_AUTO);
	unsigned long long made;
	size_t early, late;

	sim_set_p1(sim_cfg(l, 0), "aes128-sha256-ecp256");
	sim_set_p1(sim_cfg(l, 1), "aes128-sha256-ecp256");
	w->ping_idle = 2 * SIM_MINUTE;
	w->ping_busy = 250 * SIM_MS;
	story_both_start_and_come_up(w);
	sim_run_for(w, 3 * SIM_DAY);
	early = sim_memory();
	sim_run_for(w, 27 * SIM_DAY);
	late = sim_memory();
	if (w->failed)
		return;
	made = story_pairs_made(&w->host[ALICE]);
	if (made < 30 * 24 || made > 2 * 30 * 24)
		sim_fail(w, "%llu pairs in 30 days with a lifetime of an hour", made);
	/* The pretended kernels remember every SPI and key: 20 octets a pair and host. */
	if (late > early + 65536 + made * 128)
		sim_fail(w, "memory grew from %zu to %zu octets", early, late);
}
