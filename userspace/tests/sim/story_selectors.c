// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several selectors in a tunnel. See story.h.
 */
#include <string.h>

#include "story.h"

static struct sim_link *add_selectors(struct sim_world *w, struct sim_link *l, unsigned int n)
{
	unsigned int i;

	sim_link_select(l, 0);
	for (i = 1; i < n; i++)
		sim_link_add_selector(w, l, i);
	return l;
}

static uint32_t spi_out(const struct sim_link *l, int end)
{
	const struct ike_selector sel = sim_selector(l, end);
	const struct sim_sa *sa = sim_kernel_outbound(&l->end[end]->kernel, l->name, &sel);

	return sa ? sa->spi : 0;
}

static void reconfigure_both(struct sim_world *w, struct sim_link *l)
{
	int first = (int)sim_below(&w->script, 2);

	sim_host_reconfigure(l->end[first]);
	sim_run_for(w, story_between(w, 0, 5 * IKE_SECOND));
	if (!w->failed)
		sim_host_reconfigure(l->end[!first]);
}

/* One more selector at both ends, and away again: the first one's SAs stay all the time. */
void tell_selectors_change(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob_plain(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO :
							IKE_START_RESPOND);
	uint32_t spi;
	int end;

	add_selectors(w, l, 2);
	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	story_both_start_and_come_up(w);
	sim_run_for(w, SIM_MINUTE);
	spi = spi_out(l, 0);
	sim_link_add_selector(w, l, 2);
	reconfigure_both(w, l);
	story_comes_up(w, 10 * SIM_MINUTE);
	story_one_pair_remains(w);
	if (!w->failed && spi_out(l, 0) != spi)
		sim_fail(w, "the first selector's SAs were replaced because another one came");
	/* The last link goes with its selector. */
	if (w->failed)
		return;
	w->n_links--;
	for (end = 0; end < 2; end++)
		sim_cfg(l, end)->n_sel--;
	reconfigure_both(w, l);
	story_one_pair_remains(w);
	if (!w->failed && spi_out(l, 0) != spi)
		sim_fail(w, "the first selector's SAs were replaced because another one went");
	story_everybody_goes_down(w);
}

static void note_status(void *ctx, const struct ike_tunnel_status *st)
{
	struct sim_world *w = ctx;

	if (strcmp(st->state, "partly up") != 0)
		sim_fail(w, "a tunnel with one of two selectors is %s", st->state);
	if (!st->last_error)
		sim_fail(w, "Alice's status does not say what went wrong");
}

/* Bob knows the first selector only: that one works and is renewed, the other says why it does not. */
void tell_selector_refused(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob_plain(w, IKE_START_AUTO, IKE_START_RESPOND);

	add_selectors(w, l, 2);
	sim_cfg(l, 1)->n_sel = 1;
	w->n_links--;
	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	story_both_start_and_come_up(w);
	sim_run_for(w, story_between(w, SIM_HOUR, 2 * SIM_HOUR));
	if (w->failed)
		return;
	if (story_pairs_made(l->end[0]) > 10)
		sim_fail(w, "%llu pairs were made: the selector that works does not stay", story_pairs_made(l->end[0]));
	if (!sim_saw(l->end[1], "invalid-id"))
		sim_fail(w, "Bob did not log what he refused");
	ike_status(l->end[0]->engine, note_status, w);
	sim_cfg(l, 1)->n_sel = 2;
	w->n_links++;
	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	sim_host_reconfigure(l->end[0]);
	sim_host_reconfigure(l->end[1]);
	story_comes_up(w, 10 * SIM_MINUTE);
	story_the_end(w);
}

/* Many at once, rekeyed by both ends, adopted after a restart. */
void tell_many_selectors(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob_plain(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO :
							IKE_START_RESPOND);
	int n;

	add_selectors(w, l, 6);
	w->ping_busy = 20 * SIM_MS;
	story_both_start_and_come_up(w);
	for (n = 0; n < 4; n++) {
		sim_run_for(w, story_between(w, 0, 90 * IKE_SECOND));
		sim_command(story_somebody(w), sim_chance(&w->script, 30) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	sim_run_for(w, story_between(w, 0, SIM_MINUTE));
	sim_host_kill(l->end[0]);
	sim_run_for(w, story_between(w, 0, 20 * IKE_SECOND));
	if (w->failed)
		return;
	sim_host_start(l->end[0]);
	sim_host_adopt(l->end[0]);
	/* What was half made when the keyer died may stay until its lifetime ends. */
	sim_run_for(w, 3 * SIM_HOUR);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	story_everybody_goes_down(w);
}
