// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What happens after the first tunnel is up, between two engines: rekeys of both phases,
 * both sides beginning at once, deletes, commands, configuration changes, adoption after
 * a crash, lost last messages.
 */
#include "two_engines.h"

#include "libike/engine.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

/* ---- configurable worlds -------------------------------------------------------------------- */

struct setup {
	uint64_t seed;
	enum ike_start start[2];
	uint32_t p1_life, p2_life;
};

static void setup_cfg(const struct setup *s, int who, struct ike_tunnel_cfg *t)
{
	tunnel_cfg(t, who, P1, P2);
	t->start = s->start[who];
	if (s->p1_life)
		t->p1_life = s->p1_life;
	if (s->p2_life)
		t->p2_life = s->p2_life;
}

static void setup_side(struct world *w, const struct setup *s, int who)
{
	struct ike_tunnel_cfg t;

	setup_cfg(s, who, &t);
	assert_int_equal(side_configure(w, who, &t), 0);
	free(t.psk);
}

static struct world *world_setup(const struct setup *s)
{
	struct world *w = world_empty(s->seed);

	setup_side(w, s, BOB);
	setup_side(w, s, ALICE);
	return w;
}

static const struct setup plain = { .seed = 1, .start = { IKE_START_AUTO, IKE_START_RESPOND } };

static struct world *world_up(const struct setup *s)
{
	struct world *w = world_setup(s);

	assert_true(run_until(w, both_done, 30 * IKE_SECOND));
	return w;
}

/* One pair, one ISAKMP SA, same on both sides, nothing on its way. */
static void assert_settled(struct world *w)
{
	int i;

	assert_true(tunnel_works(w));
	for (i = 0; i < 2; i++) {
		assert_int_equal(count_sas(&w->side[i], IKE_IN, false), 1);
		assert_int_equal(count_sas(&w->side[i], IKE_OUT, false), 1);
		assert_int_equal(counters(w, i).p1_now, 1);
		assert_int_equal(counters(w, i).children_now, 1);
	}
}

/* ---- rekey ----------------------------------------------------------------------------------- */

/* At each moment what either side sends on, the other can receive. */
static bool no_gap(struct world *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct kernel_sa *out = active_out(&w->side[i]);

		if (!out || !kernel_find(&w->side[!i], IKE_IN, out->spi))
			return false;
	}
	return true;
}

static void watch_for(struct world *w, ike_time span)
{
	ike_time until = w->now + span;

	while (w->now <= until && step(w, until))
		if (!no_gap(w))
			fail_msg("gap at %.3f: %s", (double)w->now / 1e9, w->trace);
	if (w->now < until)
		w->now = until;
}

static void child_rekeyed_without_gap(void **state)
{
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		struct setup s = plain;
		struct world *w;
		uint32_t spi;

		s.start[BOB] = IKE_START_AUTO;
		w = world_up(&s);
		run_for(w, 200 * IKE_SECOND);
		assert_settled(w);
		spi = active_out(&w->side[ALICE])->spi;
		forget_trace(w);
		assert_int_equal(ike_command(w->side[who].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
		watch_for(w, 20 * IKE_SECOND);
		assert_true(tunnel_works(w));
		assert_true(active_out(&w->side[ALICE])->spi != spi);
		assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 2);
		watch_for(w, 42 * IKE_SECOND);
		/* The one who rekeyed deletes the old pair after its grace, longer without traffic; once is enough. */
		assert_string_equal(w->trace, who ? "B:QM1 A:QM2 B:QM3 B:INFO" : "A:QM1 B:QM2 A:QM3 A:INFO");
		watch_for(w, 200 * IKE_SECOND);
		assert_settled(w);
		world_free(w);
	}
}

/* Turns do not overlap, and but for the last there is time for a whole quick mode where life allows. */
static void rekey_times(void **state)
{
	static const uint32_t lives[] = { 10, 60, 600, 1500, 3600, 86400, 30 * 86400 };
	struct world *w = world_empty(1);
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		ike_time life = lives[i] * IKE_SECOND, before = life;
		enum ike_turn turn;

		for (turn = IKE_TURN_INITIATOR; turn <= IKE_TURN_LAST; turn++) {
			ike_time from = life, to = 0;

			for (j = 0; j < 200; j++) {
				ike_time left = life - ike_rekey_time(w->side[ALICE].e, 0, life, turn);

				from = left < from ? left : from;
				to = left > to ? left : to;
			}
			assert_true(to <= ike_rekey_margin(life, turn));
			assert_true(to < before && from > 0);
			if (turn != IKE_TURN_LAST && lives[i] >= 600)
				assert_true(from >= 75 * IKE_SECOND);
			before = from;
		}
		assert_true(ike_rekey_margin(life, IKE_TURN_INITIATOR) <= life / 4);
	}
	world_free(w);
}

/* Nobody's task, so nobody does it in time; both do it before it is too late. */
static void two_that_only_answer(void **state)
{
	struct setup s = { .seed = 3, .start = { IKE_START_RESPOND, IKE_START_RESPOND }, .p1_life = 1000, .p2_life = 600 };
	struct world *w = world_setup(&s);

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(w->sent[ALICE], 0);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	forget_trace(w);
	watch_for(w, 500 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	watch_for(w, 6000 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_in_range(counters(w, ALICE).p2_established, 11, 14);
	world_free(w);
}

/* A command acts on a tunnel that only answers; once. */
static void commands_on_a_tunnel_that_only_answers(void **state)
{
	struct world *w = world_up(&plain);

	(void)state;
	run_for(w, 200 * IKE_SECOND);
	forget_trace(w);
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	assert_string_equal(w->trace, "B:QM1 A:QM2 B:QM3");
	run_for(w, 200 * IKE_SECOND);
	forget_trace(w);
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	run_for(w, 200 * IKE_SECOND);
	assert_string_equal(w->trace, "B:MM1 A:MM2 B:MM3 A:MM4 B:MM5 A:MM6 B:INFO");
	assert_settled(w);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_DOWN, "paris", w->now), 0);
	run_for(w, 200 * IKE_SECOND);
	assert_true(nothing_left(w));
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), -IKE_E_DOWN);
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_UP, "paris", w->now), 0);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	world_free(w);
}

static void phase1_rekeyed_children_stay(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_counters c;
	uint32_t spi = active_out(&w->side[ALICE])->spi;

	(void)state;
	run_for(w, 200 * IKE_SECOND);
	forget_trace(w);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	watch_for(w, 60 * IKE_SECOND);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:INFO");
	assert_int_equal(active_out(&w->side[ALICE])->spi, spi);
	c = counters(w, BOB);
	assert_int_equal(c.p1_established, 2);
	assert_int_equal(c.p1_rekeyed, 1);
	assert_settled(w);
	world_free(w);
}

/* A day with lifetimes of minutes, both sides wanting: never a gap, never more than it should be. */
static void a_day_of_rekeys(void **state)
{
	struct setup s = plain;
	struct world *w;
	struct ike_counters c;
	int i;

	(void)state;
	s.start[BOB] = IKE_START_AUTO;
	s.p1_life = 900;
	s.p2_life = 300;
	w = world_up(&s);
	w->trace[0] = 0;
	for (i = 0; i < 24 * 60; i++) {
		watch_for(w, 60 * IKE_SECOND);
		assert_true(counters(w, ALICE).children_now <= 3);
		assert_true(counters(w, ALICE).p1_now <= 3);
		assert_true(counters(w, ALICE).exchanges_now <= 12);
	}
	c = counters(w, ALICE);
	assert_in_range(c.p2_established, 300, 400);
	assert_in_range(c.p1_established, 95, 130);
	run_for(w, IKE_SECOND);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void volume_and_sequence_limits(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_kernel_event ev = { .type = IKE_KEV_SOFT_EXPIRE, .tunnel = "paris", .dir = IKE_OUT };
	uint32_t spi = active_out(&w->side[ALICE])->spi;

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	ev.spi = spi;
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	watch_for(w, 10 * IKE_SECOND);
	assert_string_equal(w->trace, "A:QM1 B:QM2 A:QM3");
	/* No packet from the peer: the new pair is used when QM3 could have been repeated. */
	assert_int_equal(active_out(&w->side[ALICE])->spi, spi);
	watch_for(w, 5 * IKE_SECOND);
	assert_true(active_out(&w->side[ALICE])->spi != spi);
	run_for(w, 200 * IKE_SECOND);
	assert_settled(w);

	forget_trace(w);
	ev.type = IKE_KEV_HARD_EXPIRE;
	ev.spi = active_out(&w->side[ALICE])->spi;
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	run_for(w, 10 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO A:QM1 B:QM2 A:QM3");
	run_for(w, 200 * IKE_SECOND);
	assert_settled(w);
	world_free(w);
}

/* ---- both at once ------------------------------------------------------------------------------ */

/* T22-T25 of the seeds: told apart by cookies, exactly one tunnel remains. */
static void both_begin_at_once(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		struct setup s = { .seed = seed, .start = { IKE_START_AUTO, IKE_START_AUTO } };
		struct world *w = world_setup(&s);

		if (!run_until(w, both_done, 60 * IKE_SECOND))
			fail_msg("seed %u: %s", seed, w->trace);
		run_for(w, 200 * IKE_SECOND);
		assert_settled(w);
		world_free(w);
	}
}

static void both_rekey_at_once(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 100; seed++) {
		struct setup s = { .seed = seed, .start = { IKE_START_AUTO, IKE_START_AUTO } };
		enum ike_command cmd = seed % 2 ? IKE_CMD_REKEY_P2 : IKE_CMD_REKEY_P1;
		struct world *w = world_up(&s);

		run_for(w, 200 * IKE_SECOND);
		forget_trace(w);
		ike_command(w->side[ALICE].e, cmd, "paris", w->now);
		ike_command(w->side[BOB].e, cmd, "paris", w->now);
		watch_for(w, 200 * IKE_SECOND);
		assert_settled(w);
		world_free(w);
	}
}

static unsigned int lossy(struct world *w, struct packet *p)
{
	uint64_t r = splitmix(&w->side[0].rng) % 100;

	(void)p;
	return r < w->count ? 0 : r < w->count + 5 ? 2 : 1;
}

/* Loss of 30 % and some doubling, both beginning, then a quiet wire: one pair, the same for both. */
static void both_begin_over_a_bad_wire(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		struct setup s = { .seed = seed, .start = { IKE_START_AUTO, IKE_START_AUTO } };
		struct world *w = world_setup(&s);

		w->wire = lossy;
		w->count = 30;
		if (!run_until(w, both_done, 600 * IKE_SECOND))
			fail_msg("seed %u: %s", seed, w->trace);
		run_for(w, 60 * IKE_SECOND);
		w->wire = NULL;
		run_for(w, 400 * IKE_SECOND);
		if (!tunnel_works(w) || count_sas(&w->side[0], IKE_IN, false) != 1 || count_sas(&w->side[1], IKE_IN, false) != 1)
			fail_msg("seed %u", seed);
		assert_settled(w);
		world_free(w);
	}
}

/* ---- the last message lost ----------------------------------------------------------------------- */

static unsigned int lose_qm3(struct world *w, struct packet *p)
{
	(void)w;
	return strcmp(p->name, "QM3") != 0;
}

/* QM3 never arrives; the first packet on the new inbound SA makes up for it. */
static void data_instead_of_qm3(void **state)
{
	struct world *w = world_setup(&plain);
	struct ike_kernel_event ev = { .type = IKE_KEV_CONFIRMED, .tunnel = "paris", .dir = IKE_IN };

	(void)state;
	w->wire = lose_qm3;
	run_for(w, 3 * IKE_SECOND);
	assert_null(active_out(&w->side[BOB]));
	assert_non_null(active_out(&w->side[ALICE]));
	ev.spi = active_out(&w->side[ALICE])->spi;
	ike_kernel_event(w->side[BOB].e, &ev, w->now);
	drain(w, BOB);
	assert_true(tunnel_works(w));
	assert_int_equal(count_logs(w, BOB, "p2-confirmed-by-data"), 1);
	run_for(w, 200 * IKE_SECOND);
	assert_settled(w);
	world_free(w);
}

/* Without data either: B gives the pair up, tells A, and A begins again. */
static void qm3_never(void **state)
{
	struct world *w = world_setup(&plain);

	(void)state;
	w->wire = lose_qm3;
	run_for(w, 100 * IKE_SECOND);
	assert_true(counters(w, ALICE).p2_established >= 2);
	w->wire = NULL;
	assert_true(run_until(w, both_done, 200 * IKE_SECOND));
	run_for(w, 400 * IKE_SECOND);
	assert_settled(w);
	world_free(w);
}

/* ---- ends ---------------------------------------------------------------------------------------- */

static void down_and_up(void **state)
{
	int who;

	(void)state;
	for (who = 0; who < 2; who++) {
		struct world *w = world_up(&plain);

		run_for(w, 100 * IKE_SECOND);
		forget_trace(w);
		assert_int_equal(ike_command(w->side[who].e, IKE_CMD_DOWN, "paris", w->now), 0);
		assert_int_equal(ike_command(w->side[who].e, IKE_CMD_DOWN, "rome", w->now), -IKE_E_UNKNOWN);
		/* D(ESP), D(ISAKMP) from the one who ends it; A wants it up again unless it is down itself. */
		drain(w, who);
		assert_string_equal(w->trace, who ? "B:INFO B:INFO" : "A:INFO A:INFO");
		if (who == ALICE) {
			run_for(w, 300 * IKE_SECOND);
			assert_true(nothing_left(w));
			assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now), 0);
		}
		assert_true(run_until(w, tunnel_works, 30 * IKE_SECOND));
		run_for(w, 100 * IKE_SECOND);
		assert_settled(w);
		world_free(w);
	}
}

static void traffic_starts_it(void **state)
{
	struct setup s = plain;
	struct ike_kernel_event ev = { .type = IKE_KEV_ACQUIRE, .tunnel = "paris" };
	struct world *w;
	int i;

	(void)state;
	s.start[ALICE] = IKE_START_TRAFFIC;
	w = world_setup(&s);
	run_for(w, 100 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	for (i = 0; i < 50; i++)	/* a storm of packets is one negotiation */
		ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3");
	world_free(w);
}

static void lifetime_over(void **state)
{
	struct setup s = plain;
	struct world *w;

	(void)state;
	s.start[ALICE] = IKE_START_RESPOND;	/* nobody renews it */
	s.p1_life = 100;
	s.p2_life = 50;
	w = world_setup(&s);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now), 0);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	w->wire = lose_qm3;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_DOWN, "paris", w->now), 0);
	run_for(w, 300 * IKE_SECOND);
	assert_true(nothing_left(w));
	world_free(w);
}

static void deleted_in_the_kernel(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_kernel_event ev = { .type = IKE_KEV_DELETED, .tunnel = "paris", .dir = IKE_OUT };
	struct kernel_sa *out = active_out(&w->side[ALICE]);

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	ev.spi = out->spi;
	memset(out, 0, sizeof(*out));
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	run_for(w, 10 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO A:QM1 B:QM2 A:QM3");
	run_for(w, 100 * IKE_SECOND);
	assert_settled(w);
	world_free(w);
}

/* B forgets everything, as after a reboot: A finds out at the next rekey and begins anew. */
static void peer_rebooted(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_env env = { .ctx = &w->side[BOB], .random = side_random };

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	ike_engine_free(w->side[BOB].e);
	memset(w->side[BOB].sa, 0, sizeof(w->side[BOB].sa));
	w->side[BOB].e = ike_engine_new(&env);
	setup_side(w, &plain, BOB);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 200 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

/* ---- configuration changes ------------------------------------------------------------------------ */

static void unchanged_configuration_disturbs_nothing(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_tunnel_cfg t;

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	setup_cfg(&plain, ALICE, &t);
	t.line = 99;
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	run_for(w, 100 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	assert_settled(w);
	free(t.psk);
	world_free(w);
}

static void phase2_change_replaces_children(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_tunnel_cfg t;
	int who;

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	for (who = 1; who >= 0; who--) {
		setup_cfg(&plain, who, &t);
		assert_int_equal(ike_p2_parse("aes256-sha512", t.policy, &t.p2[0], NULL), 0);
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
	}
	watch_for(w, 200 * IKE_SECOND);
	assert_int_equal(active_out(&w->side[ALICE])->alg.auth, 7);
	assert_settled(w);
	world_free(w);
}

static void psk_change_negotiates_anew(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_tunnel_cfg t;
	uint32_t spi;
	int who;

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	spi = active_out(&w->side[ALICE])->spi;
	for (who = 1; who >= 0; who--) {
		setup_cfg(&plain, who, &t);
		memcpy(t.psk, "another key here", 16);
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
	}
	watch_for(w, 300 * IKE_SECOND);
	assert_true(active_out(&w->side[ALICE])->spi != spi);
	assert_int_equal(counters(w, ALICE).p1_established, 2);
	assert_settled(w);
	world_free(w);
}

static void removed_tunnel_is_deleted(void **state)
{
	struct world *w = world_up(&plain);

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	assert_int_equal(side_configure(w, ALICE, NULL), 0);
	run_for(w, 200 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO A:INFO");
	assert_true(nothing_left(w));
	world_free(w);
}

static void bad_configuration_changes_nothing(void **state)
{
	struct world *w = world_up(&plain);
	struct ike_tunnel_cfg t;

	(void)state;
	setup_cfg(&plain, ALICE, &t);
	t.n_p1 = 0;
	assert_int_equal(side_configure(w, ALICE, &t), -IKE_E_INVALID);
	run_for(w, 100 * IKE_SECOND);
	assert_settled(w);
	free(t.psk);
	world_free(w);
}

/* ---- adoption -------------------------------------------------------------------------------------- */

static void crash(struct world *w, int who)
{
	struct side *s = &w->side[who];
	struct ike_env env = { .ctx = s, .random = side_random };

	ike_engine_free(s->e);
	s->e = ike_engine_new(&env);
	assert_non_null(s->e);
}

static void adopt_all(struct world *w, int who)
{
	struct side *s = &w->side[who];
	size_t i;

	for (i = 0; i < MAX_SAS; i++) {
		struct ike_kernel_event ev = {
			.type = IKE_KEV_ADOPT, .tunnel = s->sa[i].tunnel, .dir = s->sa[i].dir, .spi = s->sa[i].spi,
			.cookie = s->sa[i].cookie, .pending = s->sa[i].pending,
		};

		if (s->sa[i].used)
			ike_kernel_event(s->e, &ev, w->now);
		drain(w, who);
	}
}

static void crash_and_adopt(void **state)
{
	unsigned int after;

	(void)state;
	for (after = 0; after < 60; after++) {
		struct setup s = { .seed = after + 1, .start = { IKE_START_AUTO, IKE_START_AUTO }, .p2_life = 60 };
		struct world *w = world_up(&s);
		bool up;

		run_for(w, 40 * IKE_SECOND + after * (IKE_SECOND / 2));
		up = no_gap(w);
		crash(w, ALICE);
		setup_side(w, &s, ALICE);
		adopt_all(w, ALICE);
		if (up)
			watch_for(w, 25 * IKE_SECOND);
		assert_true(run_until(w, tunnel_works, 30 * IKE_SECOND));
		/* Rekeyed under a phase 1 of its own, in 30 s. */
		assert_true(counters(w, ALICE).p1_established >= 1);
		assert_true(counters(w, ALICE).p2_established >= 1);
		w->side[ALICE].leaks = w->side[BOB].leaks = 0;
		run_for(w, 200 * IKE_SECOND);
		assert_true(tunnel_works(w));
		assert_true(count_sas(&w->side[ALICE], IKE_IN, false) <= 2);
		world_free(w);
	}
}

static void orphans_are_deleted(void **state)
{
	struct world *w = world_up(&plain);
	struct side *a = &w->side[ALICE];

	(void)state;
	crash(w, ALICE);
	setup_side(w, &plain, ALICE);
	kernel_find(a, IKE_IN, 0xa0000001)->cookie[20] ^= 1;
	snprintf(active_out(a)->tunnel, 8, "rome");
	adopt_all(w, ALICE);
	assert_int_equal(count_sas(a, IKE_IN, false) + count_sas(a, IKE_OUT, false), 0);
	assert_int_equal(count_logs(w, ALICE, "adopted"), 2);
	world_free(w);
}

/* ---- status ------------------------------------------------------------------------------------------ */

static void check_status(void *ctx, const struct ike_tunnel_status *st)
{
	unsigned int *n = ctx;

	(*n)++;
	assert_string_equal(st->cfg->name, "paris");
	assert_string_equal(st->state, "up");
	assert_int_equal(st->n_p1, 1);
	assert_int_equal(st->n_children, 1);
	assert_string_equal(st->p1[0].cisco_state, "QM_IDLE");
	assert_true(st->p1[0].established);
	assert_int_equal(st->child[0].spi_in >> 28, 0xa);
	assert_memory_equal(st->child[0].icookie, st->p1[0].icookie, 8);
	assert_true(st->child[0].rekey_at < st->child[0].expires_at);
	assert_null(st->last_error);
}

static void status(void **state)
{
	struct world *w = world_up(&plain);
	unsigned int n = 0;

	(void)state;
	ike_status(w->side[ALICE].e, check_status, &n);
	assert_int_equal(n, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(child_rekeyed_without_gap),
		cmocka_unit_test(rekey_times),
		cmocka_unit_test(two_that_only_answer),
		cmocka_unit_test(commands_on_a_tunnel_that_only_answers),
		cmocka_unit_test(phase1_rekeyed_children_stay),
		cmocka_unit_test(a_day_of_rekeys),
		cmocka_unit_test(volume_and_sequence_limits),
		cmocka_unit_test(both_begin_at_once),
		cmocka_unit_test(both_rekey_at_once),
		cmocka_unit_test(both_begin_over_a_bad_wire),
		cmocka_unit_test(data_instead_of_qm3),
		cmocka_unit_test(qm3_never),
		cmocka_unit_test(down_and_up),
		cmocka_unit_test(traffic_starts_it),
		cmocka_unit_test(lifetime_over),
		cmocka_unit_test(deleted_in_the_kernel),
		cmocka_unit_test(peer_rebooted),
		cmocka_unit_test(unchanged_configuration_disturbs_nothing),
		cmocka_unit_test(phase2_change_replaces_children),
		cmocka_unit_test(psk_change_negotiates_anew),
		cmocka_unit_test(removed_tunnel_is_deleted),
		cmocka_unit_test(bad_configuration_changes_nothing),
		cmocka_unit_test(crash_and_adopt),
		cmocka_unit_test(orphans_are_deleted),
		cmocka_unit_test(status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
