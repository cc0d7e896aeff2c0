// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reboots, restarts, breaks. See story.h.
 */
#include "story.h"

/* Bob loses power, with all he knew. */
void tell_peer_reboot(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, 0, 2 * SIM_MINUTE));
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_run_for(w, story_between(w, 0, 5 * SIM_MINUTE));
	sim_host_start(&w->host[BOB]);
	story_comes_up(w, 30 * SIM_MINUTE);
	/* Alice's old SAs may live as long as they were negotiated for. */
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* Bob only responds: Alice must notice by herself, at the latest when a lifetime ends. */
void tell_silent_reboot(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, 0, 2 * SIM_MINUTE));
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_host_start(&w->host[BOB]);
	story_comes_up(w, 40 * SIM_MINUTE);
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/*
 * Bob is gone without a word. Alice, whose tunnel carries packets one way at most from then on,
 * notices within the time of dead peer detection, lets her SAs go, and has Bob back soon after
 * he has come back.
 */
void tell_dead_peer(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	unsigned int dpd = 10 + (unsigned int)sim_below(&w->script, 50);

	sim_cfg(l, 0)->dpd = dpd;
	sim_cfg(l, 1)->dpd = sim_chance(&w->script, 50) ? 0 : 30;
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, 3 * SIM_MINUTE, 10 * SIM_MINUTE));
	if (!w->failed && sim_saw(&w->host[ALICE], "dpd-dead"))
		sim_fail(w, "a living peer was taken for dead");
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_run_for(w, (dpd + 12) * IKE_SECOND);
	if (!w->failed && (!sim_saw(&w->host[ALICE], "dpd-dead") || sim_kernel_outbound(&w->host[ALICE].kernel, "t", &l->sel)))
		sim_fail(w, "a dead peer was not noticed in %u s", dpd + 12);
	sim_run_for(w, story_between(w, 0, 10 * SIM_MINUTE));
	sim_host_start(&w->host[BOB]);
	story_comes_up(w, 5 * SIM_MINUTE);
	story_the_end(w);
}

/* No packet for an hour: the peers ask each other, and nothing changes. */
void tell_silence(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	unsigned long made;

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	story_both_start_and_come_up(w);
	story_network_is_good_now(w);
	sim_run_for(w, 3 * SIM_MINUTE);
	made = w->host[ALICE].kernel.added + w->host[BOB].kernel.added;
	w->ping_idle = w->ping_busy = 24 * SIM_HOUR;
	w->next_ping = w->now + 24 * SIM_HOUR;
	sim_run_for(w, SIM_HOUR);
	w->ping_idle = 10 * IKE_SECOND;
	w->ping_busy = 5 * SIM_MS;
	w->next_ping = w->now;
	if (!w->failed && !sim_saw(&w->host[ALICE], "dpd") && !sim_saw(&w->host[BOB], "dpd"))
		sim_fail(w, "nobody asked during an hour of silence");
	if (!w->failed && made != w->host[ALICE].kernel.added + w->host[BOB].kernel.added)
		sim_fail(w, "SAs were replaced during an hour of silence");
	story_the_end(w);
}

/* Alice's keyer crashes and comes back: the kernel's SAs carry on, are adopted and replaced. */
void tell_keyer_restart(struct sim_world *w)
{
	struct sim_host *h;
	int n;

	story_alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	story_both_start_and_come_up(w);
	for (n = 0; n < 3; n++) {
		if (sim_chance(&w->script, 50))
			sim_command(story_somebody(w), IKE_CMD_REKEY_P2, "t");
		sim_run_for(w, story_between(w, 0, n ? SIM_MINUTE : 500 * SIM_MS));
		h = &w->host[ALICE];
		sim_host_kill(h);
		sim_run_for(w, story_between(w, 0, 20 * IKE_SECOND));
		if (w->failed)
			return;
		sim_host_start(h);
		sim_host_adopt(h);
		sim_run_for(w, story_between(w, SIM_MINUTE, 4 * SIM_MINUTE));
	}
	/* What was half made when the keyer died may stay until its lifetime ends. */
	sim_run_for(w, 3 * SIM_HOUR);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* Nothing passes for a while, shorter or longer than the lifetimes. */
void tell_network_break(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	story_both_start_and_come_up(w);
	sim_links_down(w);
	w->net.cut = true;
	sim_run_for(w, story_between(w, SIM_MINUTE, 2 * SIM_HOUR));
	w->net.cut = false;
	sim_links_down(w);
	/* What was up before may still be, but not for long. */
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_links_down(w);
	story_comes_up(w, SIM_MINUTE);
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* A step of the clock that counts suspend: one end's lifetimes run on while it can do nothing. */
void tell_suspend(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO :
						 IKE_START_RESPOND);
	struct sim_host *h;
	int n;

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	w->ping_busy = 20 * SIM_MS;
	story_both_start_and_come_up(w);
	for (n = 0; n < 2 && !w->failed; n++) {
		sim_run_for(w, story_between(w, 0, 2 * SIM_MINUTE));
		h = story_somebody(w);
		sim_links_down(w);
		sim_host_sleep(h, true);
		sim_run_for(w, story_between(w, IKE_SECOND, sim_chance(&w->script, 30) ? 3 * SIM_DAY : 20 * SIM_MINUTE));
		sim_host_sleep(h, false);
		/* What was up before may still be for as long as the other end believes in it. */
		sim_run_for(w, 20 * SIM_MINUTE);
		sim_links_down(w);
		story_comes_up(w, SIM_MINUTE);
	}
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}

/* Shorter than dead peer detection takes: the SAs are as they were. Longer: back within seconds. */
void tell_address(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	bool any = sim_chance(&w->script, 30);
	unsigned long tries;

	if (any)
		sim_cfg(l, 0)->local = (struct ike_addr){ .family = 4, .port = 500 };
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, 0, 2 * SIM_MINUTE));
	if (w->failed)
		return;
	sim_links_down(w);
	sim_host_address(l->end[0], false);
	tries = sim_saw(l->end[0], "p1-start");
	sim_run_for(w, story_between(w, IKE_SECOND, 20 * SIM_MINUTE));
	if (!w->failed && !any && sim_saw(l->end[0], "p1-start") != tries)
		sim_fail(w, "a negotiation was begun from an address that is gone");
	if (w->failed)
		return;
	sim_host_address(l->end[0], true);
	/* Bob may first have to notice that his SAs are of no use. */
	story_comes_up(w, 5 * SIM_MINUTE);
	sim_run_for(w, 70 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}
