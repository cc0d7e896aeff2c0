// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Failures that have a name. See story.h.
 */
#include "story.h"

static void note_error(void *ctx, const struct ike_tunnel_status *st)
{
	const char **error = ctx;

	if (st->last_error)
		*error = st->last_error;
}

/* Nothing comes up, somebody says why, nothing is left over; once it is put right, it works. */
static void fails_with(struct sim_world *w, const char *event)
{
	const char *error = NULL;

	story_everybody_starts(w);
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_check_never_up(w);
	if (!sim_saw(&w->host[ALICE], event) && !sim_saw(&w->host[BOB], event))
		sim_fail(w, "nobody logged %s", event);
	ike_status(w->host[ALICE].engine, note_error, &error);
	if (!error || !*error)
		sim_fail(w, "Alice's status does not say what went wrong");
}

static void put_right(struct sim_world *w, struct sim_link *l)
{
	if (w->failed)
		return;
	sim_host_reconfigure(l->end[1]);
	story_comes_up(w, 30 * SIM_MINUTE);
	story_the_end(w);
}

void tell_wrong_psk(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO :
					   IKE_START_RESPOND);

	sim_set_psk(sim_cfg(l, 1), "another pre-shared key");
	fails_with(w, "psk-mismatch");
	sim_set_psk(sim_cfg(l, 1), "the right pre-shared key");
	put_right(w, l);
}

void tell_no_common_p1(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_set_p1(sim_cfg(l, 0), "aes128-sha256-ecp256");
	sim_set_p1(sim_cfg(l, 1), sim_chance(&w->script, 50) ? "aes256-sha256-ecp256" : "aes128-sha256-ecp384");
	fails_with(w, "no-proposal");
	sim_set_p1(sim_cfg(l, 1), "aes128-sha256-ecp256");
	put_right(w, l);
}

void tell_no_common_p2(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_set_p2(sim_cfg(l, 0), "aes128gcm16");
	sim_set_p2(sim_cfg(l, 1), sim_chance(&w->script, 50) ? "aes256gcm16" : "aes128gcm16-ecp256");
	fails_with(w, "no-proposal");
	sim_set_p2(sim_cfg(l, 1), "aes128gcm16");
	put_right(w, l);
}

void tell_wrong_id(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	ike_id_parse("fqdn:mallory.example", &sim_cfg(l, 1)->remote_id);
	fails_with(w, "invalid-id");
	sim_cfg(l, 1)->remote_id = (struct ike_id){ 0 };
	put_right(w, l);
}

void tell_wrong_networks(struct sim_world *w)
{
	struct sim_link *l = story_alice_and_bob_plain(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_cfg(l, 1)->sel[0].local = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 192, 168, 1 } };
	fails_with(w, "invalid-id");
	sim_cfg(l, 1)->sel[0].local = (struct ike_net){ .family = 4 };
	put_right(w, l);
}
