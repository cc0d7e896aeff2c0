// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stories about a NAT: host 0, Alice, is behind it and host 1, Bob, is not. It gives her
 * other ports and addresses while they negotiate and afterwards.
 */
#include <string.h>

#include "check.h"
#include "story.h"

static const char name[] = "t";

static struct sim_link *alice_behind_a_nat(struct sim_world *w)
{
	struct ike_tunnel_cfg cfg = sim_tunnel_cfg(w);
	struct sim_link *l;

	/* Of modes and sizes that a seed picks, too; small packets, so that some messages need fragments. */
	cfg.fragmentation = (enum ike_fragmentation)sim_below(&w->script, 4);
	cfg.fragment_size = sim_chance(&w->script, 50) ? 576 : 0;
	l = sim_link_add(w, name, 0, 1, &cfg);
	sim_cfg_free(&cfg);
	ike_id_parse("fqdn:alice", &sim_cfg(l, 0)->local_id);
	ike_id_parse("fqdn:bob", &sim_cfg(l, 0)->remote_id);
	sim_cfg(l, 1)->local_id = sim_cfg(l, 0)->remote_id;
	sim_cfg(l, 1)->remote_id = sim_cfg(l, 0)->local_id;
	sim_host_nat(l->end[0], 1, (uint16_t)(1000 + sim_below(&w->script, 50000)));
	sim_cfg(l, 1)->remote = sim_host_outside(l->end[0], 500);
	sim_cfg(l, 1)->remote.port = 500;
	sim_cfg(l, 1)->start = IKE_START_RESPOND;
	return l;
}

/* Bob's kernel sees Alice's packets come from elsewhere: it follows, and says so. */
static void kernel_sees(struct sim_link *l)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_PEER_MOVED, .tunnel = name,
				       .peer = sim_host_outside(l->end[0], IKE_NATT_PORT) };
	struct sim_sa *sa;

	for (sa = l->end[1]->kernel.sas; sa; sa = sa->next)
		if (sa->path.local.port)
			sa->path.remote = ev.peer;
	if (l->end[1]->engine)
		sim_host_kernel_event(l->end[1], &ev);
}

/* Mostly only the ports; the address as configured stays one that Alice may begin from. */
static void remap(struct sim_world *w, struct sim_link *l, bool address)
{
	sim_host_nat(l->end[0], address ? (uint8_t)(1 + sim_below(&w->script, 200)) : 1,
		     (uint16_t)(1000 + sim_below(&w->script, 50000)));
	if (sim_chance(&w->script, 50))
		kernel_sees(l);
}

static void check_encap(struct sim_world *w, const struct sim_link *l)
{
	const struct sim_sa *out = sim_kernel_outbound(&l->end[1]->kernel, name, &l->sel);

	if (!w->failed && (!out || out->path.local.port != IKE_NATT_PORT))
		sim_fail(w, "Bob does not encapsulate");
}

void tell_nat(struct sim_world *w)
{
	struct sim_link *l = alice_behind_a_nat(w);
	int n;

	story_both_start_and_come_up(w);
	check_encap(w, l);
	for (n = 0; n < 6; n++) {
		remap(w, l, sim_chance(&w->script, 30));
		sim_run_for(w, (ike_time)sim_below(&w->script, 60 * IKE_SECOND));
		sim_command(l->end[0], sim_chance(&w->script, 40) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, name);
		sim_run_for(w, (ike_time)sim_below(&w->script, 5 * IKE_SECOND));
	}
	/* Home again, so that whatever was given up can be begun anew. */
	remap(w, l, false);
	sim_run_for(w, 3 * SIM_MINUTE);
	sim_command(l->end[0], IKE_CMD_REKEY_P1, name);
	sim_run_for(w, 3 * SIM_MINUTE);
	check_encap(w, l);
	story_the_end(w);
}

void tell_nat_restart(struct sim_world *w)
{
	struct sim_link *l = alice_behind_a_nat(w);
	int n;

	story_both_start_and_come_up(w);
	for (n = 0; n < 3; n++) {
		struct sim_host *h = l->end[sim_below(&w->script, 2)];

		sim_run_for(w, (ike_time)sim_below(&w->script, 30 * IKE_SECOND));
		sim_host_kill(h);
		if (sim_chance(&w->script, 30))
			remap(w, l, false);
		sim_run_for(w, (ike_time)sim_below(&w->script, 30 * IKE_SECOND));
		sim_host_start(h);
		sim_host_adopt(h);
		sim_command(h, IKE_CMD_REKEY_P1, name);
		sim_run_for(w, 2 * SIM_MINUTE);
	}
	check_encap(w, l);
	story_the_end(w);
}
