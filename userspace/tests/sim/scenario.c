// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stories. Host 0 is Alice, host 1 Bob, host 2 Carol; the network is bad in a way the
 * seed has chosen. Unless a story says otherwise, from the moment the tunnel has been up in
 * both directions no packet may be lost to the state of SAs, and in the end there is exactly
 * one pair; then both ends take it down and nothing is left.
 */
#include "scenario.h"

#include <string.h>

#include "check.h"
#include "fault.h"

enum { ALICE, BOB, CAROL };

/* ---- sentences of the stories ------------------------------------------------------------------ */

static ike_time between(struct sim_world *w, ike_time from, ike_time to)
{
	return from + (ike_time)sim_below(&w->script, (uint64_t)(to - from));
}

static struct sim_link *alice_and_bob(struct sim_world *w, enum ike_start alice, enum ike_start bob)
{
	struct ike_tunnel_cfg cfg = sim_tunnel_cfg(w);
	struct sim_link *l = sim_link_add(w, "t", ALICE, BOB, &cfg);

	sim_cfg_free(&cfg);
	sim_cfg(l, 0)->start = alice;
	sim_cfg(l, 1)->start = bob;
	return l;
}

/* All hosts start within a few seconds, in any order. */
static void everybody_starts(struct sim_world *w)
{
	unsigned int first = (unsigned int)sim_below(&w->script, w->n_hosts), i;

	for (i = 0; i < w->n_hosts && !w->failed; i++) {
		sim_host_start(&w->host[(first + i) % w->n_hosts]);
		sim_run_for(w, between(w, 0, sim_chance(&w->script, 50) ? 20 * SIM_MS : 5 * IKE_SECOND));
	}
}

static void comes_up(struct sim_world *w, ike_time patience)
{
	ike_time from = w->now;

	if (!sim_run_until(w, sim_all_up, patience))
		sim_fail(w, "not up within %.0f s", (double)patience / IKE_SECOND);
	if (!w->up_after)
		w->up_after = w->now - from + 1;
	sim_watch(w);
}

static void both_start_and_come_up(struct sim_world *w)
{
	everybody_starts(w);
	comes_up(w, 30 * SIM_MINUTE);
}

/* Grace periods end, finished exchanges are forgotten. */
static void peace(struct sim_world *w)
{
	sim_run_for(w, 8 * SIM_MINUTE);
}

static void one_pair_remains(struct sim_world *w)
{
	peace(w);
	sim_check_one_pair(w);
}

static void network_is_good_now(struct sim_world *w)
{
	w->net.loss = w->net.duplicate = w->net.reorder = w->net.late = w->net.mangle = 0;
	w->net.cut = false;
	sim_run_for(w, 5 * IKE_SECOND);
}

static void everybody_goes_down(struct sim_world *w)
{
	unsigned int i;
	size_t t;

	network_is_good_now(w);
	sim_links_down(w);
	for (i = 0; i < w->n_hosts; i++)
		for (t = 0; t < w->host[i].cfg.n_tunnels; t++)
			sim_command(&w->host[i], IKE_CMD_DOWN, w->host[i].cfg.tunnel[t].name);
	peace(w);
	sim_check_nothing(w);
}

static void the_end(struct sim_world *w)
{
	one_pair_remains(w);
	everybody_goes_down(w);
}

static struct sim_host *somebody(struct sim_world *w)
{
	return &w->host[sim_below(&w->script, w->n_hosts)];
}

/* ---- coming up ------------------------------------------------------------------------------------- */

static void start_one(struct sim_world *w)
{
	bool alice = sim_chance(&w->script, 50);

	alice_and_bob(w, alice ? IKE_START_AUTO : IKE_START_RESPOND, alice ? IKE_START_RESPOND : IKE_START_AUTO);
	both_start_and_come_up(w);
	the_end(w);
}

static void start_both(struct sim_world *w)
{
	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	both_start_and_come_up(w);
	the_end(w);
}

static void start_traffic(struct sim_world *w)
{
	alice_and_bob(w, IKE_START_TRAFFIC, sim_chance(&w->script, 50) ? IKE_START_TRAFFIC : IKE_START_RESPOND);
	both_start_and_come_up(w);
	one_pair_remains(w);
	network_is_good_now(w);
}

static void start_command(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_RESPOND, IKE_START_RESPOND);

	everybody_starts(w);
	sim_run_for(w, SIM_MINUTE);
	if (sim_saw(&w->host[ALICE], "p1-start") || sim_saw(&w->host[BOB], "p1-start"))
		sim_fail(w, "a tunnel that only responds began a negotiation");
	sim_command(somebody(w), IKE_CMD_UP, l->name);
	comes_up(w, 30 * SIM_MINUTE);
	the_end(w);
}

static void three_hosts(struct sim_world *w)
{
	struct ike_tunnel_cfg cfg = sim_tunnel_cfg(w);

	sim_link_add(w, "alice-bob", ALICE, BOB, &cfg);
	sim_link_add(w, "alice-carol", ALICE, CAROL, &cfg);
	sim_link_add(w, "bob-carol", BOB, CAROL, &cfg);
	sim_cfg_free(&cfg);
	both_start_and_come_up(w);
	sim_command(&w->host[ALICE], IKE_CMD_REKEY_P2, "alice-bob");
	sim_command(&w->host[CAROL], IKE_CMD_REKEY_P1, "alice-carol");
	sim_command(&w->host[BOB], IKE_CMD_REKEY_P2, "bob-carol");
	the_end(w);
}

/* ---- rekeying ------------------------------------------------------------------------------------------ */

static void rekey(struct sim_world *w, enum ike_command cmd)
{
	int n;

	alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	both_start_and_come_up(w);
	for (n = 0; n < 5; n++) {
		sim_run_for(w, between(w, 100 * SIM_MS, 90 * IKE_SECOND));
		sim_command(somebody(w), cmd, "t");
	}
	the_end(w);
}

static void rekey_p2(struct sim_world *w)
{
	rekey(w, IKE_CMD_REKEY_P2);
}

static void rekey_p1(struct sim_world *w)
{
	rekey(w, IKE_CMD_REKEY_P1);
}

/* Both ends rekey at the same moment, or before the other's first message is there. */
static void rekey_collision(struct sim_world *w)
{
	static const enum ike_command what[] = { IKE_CMD_REKEY_P1, IKE_CMD_REKEY_P2 };
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	both_start_and_come_up(w);
	for (n = 0; n < 5; n++) {
		sim_run_for(w, between(w, IKE_SECOND, 90 * IKE_SECOND));
		sim_command(&w->host[ALICE], what[sim_below(&w->script, 2)], "t");
		sim_run_for(w, between(w, 0, 2 * w->net.delay));
		sim_command(&w->host[BOB], what[sim_below(&w->script, 2)], "t");
	}
	the_end(w);
}

/* Rekeys of both phases all over each other. */
static void rekey_storm(struct sim_world *w)
{
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	both_start_and_come_up(w);
	for (n = 0; n < 20; n++) {
		sim_run_for(w, between(w, 0, 3 * IKE_SECOND));
		sim_command(somebody(w), sim_chance(&w->script, 30) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	the_end(w);
}

/* Lifetimes that run out all the time, not the same at both ends. */
static void lifetimes(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	int end;

	for (end = 0; end < 2; end++) {
		sim_cfg(l, end)->p1_life = 1200 + (uint32_t)sim_below(&w->script, 1200);
		sim_cfg(l, end)->p2_life = 600 + (uint32_t)sim_below(&w->script, 600);
	}
	both_start_and_come_up(w);
	sim_run_for(w, between(w, 2 * SIM_HOUR, 3 * SIM_HOUR));
	/* A rekey may just be going on: no more of them, then count. */
	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	sim_cfg(l, 0)->p1_life = sim_cfg(l, 1)->p1_life = 86400;
	sim_host_reconfigure(l->end[0]);
	sim_host_reconfigure(l->end[1]);
	sim_run_for(w, 30 * SIM_MINUTE);
	the_end(w);
}

static unsigned long long pairs_made(const struct sim_host *h)
{
	struct ike_counters c;

	ike_counters(h->engine, &c);
	return c.p2_established;
}

static unsigned long long isakmp_sas_made(const struct sim_host *h)
{
	struct ike_counters c;

	ike_counters(h->engine, &c);
	return c.p1_established;
}

/* A limit on volume is reached every few minutes. */
static void volume(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life_kb = 20000;
	sim_cfg(l, 1)->p2_life_kb = 20000 + (uint32_t)sim_below(&w->script, 20000);
	both_start_and_come_up(w);
	/* 20 kB/s: what is left between soft and hard limit lasts longer than a rekey can take. */
	w->ping_octets = 10000;
	w->ping_idle = IKE_SECOND / 2;
	w->ping_busy = SIM_MS * 500;
	sim_run_for(w, 90 * SIM_MINUTE);
	w->ping_octets = 10;
	if (!w->failed && pairs_made(&w->host[ALICE]) < 3)
		sim_fail(w, "the volume was used up, but only %llu pairs were made", pairs_made(&w->host[ALICE]));
	the_end(w);
}

/* 30 days with the usual lifetimes; memory must not grow. */
static void month(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	unsigned long long made;
	size_t early, late;

	sim_set_p1(sim_cfg(l, 0), "aes128-sha256-ecp256");
	sim_set_p1(sim_cfg(l, 1), "aes128-sha256-ecp256");
	w->ping_idle = 2 * SIM_MINUTE;
	w->ping_busy = 250 * SIM_MS;
	both_start_and_come_up(w);
	sim_run_for(w, 3 * SIM_DAY);
	early = sim_memory();
	sim_run_for(w, 27 * SIM_DAY);
	late = sim_memory();
	if (w->failed)
		return;
	made = pairs_made(&w->host[ALICE]);
	if (made < 30 * 24 || made > 2 * 30 * 24)
		sim_fail(w, "%llu pairs in 30 days with a lifetime of an hour", made);
	/* The pretended kernels remember every SPI and key: 20 octets a pair and host. */
	if (late > early + 65536 + made * 128)
		sim_fail(w, "memory grew from %zu to %zu octets", early, late);
}

/* ---- ending --------------------------------------------------------------------------------------------- */

static void down_and_up(struct sim_world *w)
{
	struct sim_host *h;
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	both_start_and_come_up(w);
	for (n = 0; n < 3; n++) {
		sim_run_for(w, between(w, 10 * SIM_MS, SIM_MINUTE));
		network_is_good_now(w);
		sim_links_down(w);
		h = &w->host[ALICE];
		sim_command(h, IKE_CMD_DOWN, "t");
		peace(w);
		sim_check_nothing(w);
		sim_links_down(w);
		w->net.loss = w->net.late = 20;
		sim_command(h, IKE_CMD_UP, "t");
		comes_up(w, 30 * SIM_MINUTE);
	}
	the_end(w);
}

/* Bob deletes; Alice wants the tunnel and brings it back. */
static void peer_deletes(struct sim_world *w)
{
	alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	both_start_and_come_up(w);
	network_is_good_now(w);
	sim_links_down(w);
	sim_command(&w->host[BOB], IKE_CMD_DOWN, "t");
	sim_run_for(w, IKE_SECOND);
	sim_links_down(w);
	comes_up(w, 10 * SIM_MINUTE);
	the_end(w);
}

/* ---- failures with a name ---------------------------------------------------------------------------------- */

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

	everybody_starts(w);
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
	comes_up(w, 30 * SIM_MINUTE);
	the_end(w);
}

static void wrong_psk(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO :
					   IKE_START_RESPOND);

	sim_set_psk(sim_cfg(l, 1), "another pre-shared key");
	fails_with(w, "psk-mismatch");
	sim_set_psk(sim_cfg(l, 1), "the right pre-shared key");
	put_right(w, l);
}

static void no_common_p1(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_set_p1(sim_cfg(l, 0), "aes128-sha256-ecp256");
	sim_set_p1(sim_cfg(l, 1), sim_chance(&w->script, 50) ? "aes256-sha256-ecp256" : "aes128-sha256-ecp384");
	fails_with(w, "no-proposal");
	sim_set_p1(sim_cfg(l, 1), "aes128-sha256-ecp256");
	put_right(w, l);
}

static void no_common_p2(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_set_p2(sim_cfg(l, 0), "aes128gcm16");
	sim_set_p2(sim_cfg(l, 1), sim_chance(&w->script, 50) ? "aes256gcm16" : "aes128gcm16-ecp256");
	fails_with(w, "no-proposal");
	sim_set_p2(sim_cfg(l, 1), "aes128gcm16");
	put_right(w, l);
}

static void wrong_id(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	ike_id_parse("fqdn:mallory.example", &sim_cfg(l, 1)->remote_id);
	fails_with(w, "invalid-id");
	sim_cfg(l, 1)->remote_id = (struct ike_id){ 0 };
	put_right(w, l);
}

static void wrong_networks(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_cfg(l, 1)->local_net = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 192, 168, 1 } };
	fails_with(w, "invalid-id");
	sim_cfg(l, 1)->local_net = (struct ike_net){ .family = 4 };
	put_right(w, l);
}

/* ---- reboots, restarts, breaks -------------------------------------------------------------------------------- */

/* Bob loses power, with all he knew. */
static void peer_reboot(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	both_start_and_come_up(w);
	sim_run_for(w, between(w, 0, 2 * SIM_MINUTE));
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_run_for(w, between(w, 0, 5 * SIM_MINUTE));
	sim_host_start(&w->host[BOB]);
	comes_up(w, 30 * SIM_MINUTE);
	/* Alice's old SAs may live as long as they were negotiated for. */
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/* Bob only responds: Alice must notice by herself, at the latest when a lifetime ends. */
static void silent_reboot(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	both_start_and_come_up(w);
	sim_run_for(w, between(w, 0, 2 * SIM_MINUTE));
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_host_start(&w->host[BOB]);
	comes_up(w, 40 * SIM_MINUTE);
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/*
 * Bob is gone without a word. Alice, whose tunnel carries packets one way at most from then on,
 * notices within the time of dead peer detection, lets her SAs go, and has Bob back soon after
 * he has come back.
 */
static void dead_peer(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	unsigned int dpd = 10 + (unsigned int)sim_below(&w->script, 50);

	sim_cfg(l, 0)->dpd = dpd;
	sim_cfg(l, 1)->dpd = sim_chance(&w->script, 50) ? 0 : 30;
	both_start_and_come_up(w);
	sim_run_for(w, between(w, 3 * SIM_MINUTE, 10 * SIM_MINUTE));
	if (!w->failed && sim_saw(&w->host[ALICE], "dpd-dead"))
		sim_fail(w, "a living peer was taken for dead");
	sim_links_down(w);
	sim_host_kill(&w->host[BOB]);
	sim_kernel_flush(&w->host[BOB].kernel);
	sim_run_for(w, (dpd + 12) * IKE_SECOND);
	if (!w->failed && (!sim_saw(&w->host[ALICE], "dpd-dead") || sim_kernel_outbound(&w->host[ALICE].kernel, "t")))
		sim_fail(w, "a dead peer was not noticed in %u s", dpd + 12);
	sim_run_for(w, between(w, 0, 10 * SIM_MINUTE));
	sim_host_start(&w->host[BOB]);
	comes_up(w, 5 * SIM_MINUTE);
	the_end(w);
}

/* No packet for an hour: the peers ask each other, and nothing changes. */
static void silence(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	unsigned long made;

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 86400;
	both_start_and_come_up(w);
	network_is_good_now(w);
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
	the_end(w);
}

/* Alice's keyer crashes and comes back: the kernel's SAs carry on, are adopted and replaced. */
static void keyer_restart(struct sim_world *w)
{
	struct sim_host *h;
	int n;

	alice_and_bob(w, IKE_START_AUTO, sim_chance(&w->script, 50) ? IKE_START_AUTO : IKE_START_RESPOND);
	both_start_and_come_up(w);
	for (n = 0; n < 3; n++) {
		if (sim_chance(&w->script, 50))
			sim_command(somebody(w), IKE_CMD_REKEY_P2, "t");
		sim_run_for(w, between(w, 0, n ? SIM_MINUTE : 500 * SIM_MS));
		h = &w->host[ALICE];
		sim_host_kill(h);
		sim_run_for(w, between(w, 0, 20 * IKE_SECOND));
		if (w->failed)
			return;
		sim_host_start(h);
		sim_host_adopt(h);
		sim_run_for(w, between(w, SIM_MINUTE, 4 * SIM_MINUTE));
	}
	/* What was half made when the keyer died may stay until its lifetime ends. */
	sim_run_for(w, 3 * SIM_HOUR);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/* Nothing passes for a while, shorter or longer than the lifetimes. */
static void network_break(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);

	sim_cfg(l, 0)->p2_life = sim_cfg(l, 1)->p2_life = 900;
	both_start_and_come_up(w);
	sim_links_down(w);
	w->net.cut = true;
	sim_run_for(w, between(w, SIM_MINUTE, 2 * SIM_HOUR));
	w->net.cut = false;
	sim_links_down(w);
	/* What was up before may still be, but not for long. */
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_links_down(w);
	comes_up(w, SIM_MINUTE);
	sim_run_for(w, 20 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/* ---- kernel, configuration, attackers ------------------------------------------------------------------------ */

/* The kernel refuses a third of what is asked of it for ten minutes. */
static void kernel_refuses(struct sim_world *w)
{
	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	w->host[ALICE].kernel.fail_percent = 33;
	w->host[BOB].kernel.fail_percent = (unsigned int)sim_below(&w->script, 34);
	everybody_starts(w);
	sim_run_for(w, 10 * SIM_MINUTE);
	w->host[ALICE].kernel.fail_percent = w->host[BOB].kernel.fail_percent = 0;
	sim_links_down(w);
	sim_run_for(w, 15 * SIM_MINUTE);
	comes_up(w, 30 * SIM_MINUTE);
	sim_run_for(w, 70 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/* What the engines went through must not have left anything behind. */
static void memory_is_back(struct sim_world *w)
{
	sim_fault_clear();
	sim_links_down(w);
	sim_run_for(w, 5 * SIM_MINUTE);
	comes_up(w, 30 * SIM_MINUTE);
	sim_run_for(w, 70 * SIM_MINUTE);
	sim_wait_one_pair(w, 10 * SIM_MINUTE);
	everybody_goes_down(w);
}

/* One allocation of the engines fails; the seed says which. */
static void memory_once(struct sim_world *w)
{
	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	sim_fault_set(1 + w->seed % 500, 0, w->script);
	everybody_starts(w);
	sim_run_for(w, SIM_MINUTE);
	sim_command(somebody(w), IKE_CMD_REKEY_P2, "t");
	sim_run_for(w, 20 * IKE_SECOND);
	sim_command(somebody(w), IKE_CMD_REKEY_P1, "t");
	sim_run_for(w, SIM_MINUTE);
	memory_is_back(w);
}

/* A few percent of them fail, for minutes. */
static void memory_short(struct sim_world *w)
{
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	sim_fault_set(0, 1 + (unsigned int)sim_below(&w->script, 50), w->script);
	everybody_starts(w);
	for (n = 0; n < 6; n++) {
		sim_run_for(w, between(w, IKE_SECOND, SIM_MINUTE));
		sim_command(somebody(w), sim_chance(&w->script, 50) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	memory_is_back(w);
}

/* Other proposals while the tunnel is up; what is there goes on until it is replaced. */
static void reconfigure(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	const struct sim_sa *out;
	int end;

	both_start_and_come_up(w);
	for (end = 0; end < 2; end++) {
		sim_set_p2(sim_cfg(l, end), "aes256gcm16-ecp256");
		sim_cfg(l, end)->p2_life = 1800;
	}
	sim_host_reconfigure(l->end[0]);
	sim_run_for(w, between(w, 0, 2 * IKE_SECOND));
	sim_host_reconfigure(l->end[1]);
	sim_run_for(w, 10 * SIM_MINUTE);
	out = sim_kernel_outbound(&w->host[ALICE].kernel, l->name);
	if (!w->failed && (!out || out->alg.key_bits != 256 || out->alg.group != 19))
		sim_fail(w, "the new proposals are not in use 10 minutes after they were configured");
	the_end(w);
}

/* Alice's tunnel is taken out of the configuration and put back. */
static void remove_and_add(struct sim_world *w)
{
	struct sim_link *l = alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	size_t n;

	both_start_and_come_up(w);
	network_is_good_now(w);
	sim_links_down(w);
	n = l->end[0]->cfg.n_tunnels;
	l->end[0]->cfg.n_tunnels = 0;
	sim_host_reconfigure(l->end[0]);
	peace(w);
	sim_check_nothing(w);
	sim_links_down(w);
	l->end[0]->cfg.n_tunnels = n;
	sim_host_reconfigure(l->end[0]);
	comes_up(w, 30 * SIM_MINUTE);
	the_end(w);
}

/* Somebody on the path sends altered, cut and old datagrams: no effect on what is up. */
static void attacker(struct sim_world *w)
{
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_AUTO);
	w->net.mangle = 50;
	w->net.loss = (unsigned int)sim_below(&w->script, 15);
	both_start_and_come_up(w);
	for (n = 0; n < 4; n++) {
		sim_run_for(w, between(w, IKE_SECOND, 90 * IKE_SECOND));
		sim_command(somebody(w), sim_chance(&w->script, 40) ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, "t");
	}
	the_end(w);
}

/*
 * Somebody repeats MM1 with Alice's address and new cookies, 40 a second. What is up stays
 * up, Alice's rekeys go through, and the answers to the forged ones are not longer than these.
 * Bob keeps 16 half-open SAs for an address, the newest: a round trip must be shorter than
 * 16 of 40 parts of a second, so the network is a good one here.
 */
static void flood(struct sim_world *w)
{
	unsigned long octets;
	struct sim_host *victim;
	int n;

	alice_and_bob(w, IKE_START_AUTO, IKE_START_RESPOND);
	victim = &w->host[BOB];
	both_start_and_come_up(w);
	sim_run_for(w, 3 * SIM_MINUTE);
	w->ping_busy = 100 * SIM_MS;
	network_is_good_now(w);
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
	if (!w->failed && isakmp_sas_made(victim) < 3)
		sim_fail(w, "rekeys of phase 1 did not get through the flood");
	the_end(w);
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

const struct sim_scenario sim_scenarios[] = {
	{ "start-one", "one end begins, the other answers", start_one, 1, false },
	{ "start-both", "both ends begin at about the same time", start_both, 1, false },
	{ "start-traffic", "the first packet begins", start_traffic, 1, false },
	{ "start-command", "both wait until told", start_command, 1, false },
	{ "three-hosts", "three hosts, a tunnel between any two", three_hosts, 2, false },
	{ "rekey-p2", "five rekeys of phase 2, from either end", rekey_p2, 1, false },
	{ "rekey-p1", "five rekeys of phase 1, from either end", rekey_p1, 1, false },
	{ "rekey-collision", "both ends rekey at once", rekey_collision, 1, false },
	{ "rekey-storm", "twenty rekeys on top of each other", rekey_storm, 1, false },
	{ "lifetimes", "hours of short lifetimes", lifetimes, 2, false },
	{ "volume", "volume limits run out", volume, 2, false },
	{ "month", "30 days of rekeys, flat memory", month, 12, false },
	{ "down-and-up", "one end takes it down and up", down_and_up, 1, false },
	{ "peer-deletes", "the responder deletes, the initiator brings it back", peer_deletes, 1, false },
	{ "wrong-psk", "different pre-shared keys, then the right one", wrong_psk, 1, false },
	{ "no-common-p1", "no common phase 1 proposal, then one", no_common_p1, 1, false },
	{ "no-common-p2", "no common phase 2 proposal, then one", no_common_p2, 1, false },
	{ "wrong-id", "an identity that is not the configured one", wrong_id, 1, false },
	{ "wrong-networks", "different traffic selectors", wrong_networks, 1, false },
	{ "peer-reboot", "one end loses all state and begins anew", peer_reboot, 1, false },
	{ "silent-reboot", "the responder loses all state", silent_reboot, 1, false },
	{ "dead-peer", "the responder is gone: noticed in time, brought back", dead_peer, 1, false },
	{ "silence", "no packet for an hour: asked, answered, nothing lost", silence, 1, false },
	{ "keyer-restart", "the keyer dies, the kernel's SAs go on", keyer_restart, 1, false },
	{ "network-break", "nothing passes for a while", network_break, 1, false },
	{ "kernel-refuses", "a third of the requests to the kernel fail", kernel_refuses, 1, false },
	{ "memory-once", "one allocation fails", memory_once, 1, false },
	{ "memory-short", "some allocations fail for minutes", memory_short, 1, false },
	{ "reconfigure", "new proposals while up", reconfigure, 1, false },
	{ "remove-and-add", "the tunnel leaves the configuration and returns", remove_and_add, 1, false },
	{ "attacker", "altered, cut and old datagrams", attacker, 1, false },
	{ "flood", "40 forged MM1 a second", flood, 4, false },
	{ "am-start-one", "in aggressive mode: one end begins", start_one, 1, true },
	{ "am-start-both", "in aggressive mode: both ends begin", start_both, 1, true },
	{ "am-rekey-p1", "in aggressive mode: rekeys of phase 1", rekey_p1, 2, true },
	{ "am-rekey-storm", "in aggressive mode: rekeys on top of each other", rekey_storm, 2, true },
	{ "am-collision", "in aggressive mode: both ends rekey at once", rekey_collision, 2, true },
	{ "am-dead-peer", "in aggressive mode: the responder is gone", dead_peer, 2, true },
	{ "am-reboot", "in aggressive mode: one end loses all state", peer_reboot, 2, true },
	{ "am-wrong-psk", "in aggressive mode: different keys, then the right one", wrong_psk, 2, true },
	{ "am-attacker", "in aggressive mode: altered, cut and old datagrams", attacker, 2, true },
	{ NULL, NULL, NULL, 0, false },
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
	w->aggressive = s->aggressive;
	s->play(w);
}
