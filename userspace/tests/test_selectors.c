// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several selectors in one tunnel: a quick mode and a pair of SAs for each under one ISAKMP SA,
 * each renewed, refused and adopted by itself; peers that agree to less than a selector.
 */
#include "two_engines.h"

#include "libike/net.h"

static struct ike_net net(unsigned int a, unsigned int b, unsigned int prefix)
{
	return (struct ike_net){ .family = 4, .prefix = (uint8_t)prefix, .ip = { 10, (uint8_t)a, (uint8_t)b } };
}

/* "10.1.n.0/24 === 10.2.n.0/24" as Alice sees it. */
static struct ike_selector selector(int who, unsigned int n)
{
	return (struct ike_selector){ net(who ? 2 : 1, n, 24), net(who ? 1 : 2, n, 24) };
}

typedef void (*twist_fn)(struct ike_tunnel_cfg *t, int who);

static void configure(struct world *w, int who, twist_fn twist)
{
	struct ike_tunnel_cfg t;

	tunnel_cfg(&t, who, "aes128-sha256-ecp256", "aes128gcm16");
	twist(&t, who);
	assert_int_equal(side_configure(w, who, &t), 0);
	free(t.psk);
}

static struct world *world_with(twist_fn twist)
{
	struct world *w = world_empty(7);

	configure(w, BOB, twist);
	configure(w, ALICE, twist);
	return w;
}

static void two_selectors(struct ike_tunnel_cfg *t, int who)
{
	t->sel[0] = selector(who, 0);
	t->sel[1] = selector(who, 1);
	t->n_sel = 2;
}

static struct kernel_sa *sa_for(struct side *s, enum ike_dir dir, const struct ike_selector *sel, bool active)
{
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (s->sa[i].used && s->sa[i].dir == dir && s->sa[i].active == active &&
		    ike_net_equal(&s->sa[i].local_net, &sel->local) && ike_net_equal(&s->sa[i].remote_net, &sel->remote))
			return &s->sa[i];
	return NULL;
}

/* Both ends have the same keys for it. */
static void assert_works(struct world *w, const struct ike_selector *alice)
{
	const struct ike_selector bob = { alice->remote, alice->local };
	int who;

	for (who = 0; who < 2; who++) {
		struct kernel_sa *out = sa_for(&w->side[who], IKE_OUT, who ? &bob : alice, true), *in;

		assert_non_null(out);
		in = kernel_find(&w->side[!who], IKE_IN, out->spi);
		assert_non_null(in);
		assert_memory_equal(in->keys, out->keys, out->encr_len + out->auth_len);
		assert_true(ike_net_equal(&in->local_net, &out->remote_net));
	}
}

struct seen {
	char state[32], error[400];
	size_t n_children, n_p1;
	struct ike_child_status child[8];
};

static void note(void *ctx, const struct ike_tunnel_status *st)
{
	struct seen *s = ctx;

	snprintf(s->state, sizeof(s->state), "%s", st->state);
	snprintf(s->error, sizeof(s->error), "%s", st->last_error ? st->last_error : "");
	s->n_children = st->n_children;
	s->n_p1 = st->n_p1;
	memcpy(s->child, st->child, (st->n_children < 8 ? st->n_children : 8) * sizeof(s->child[0]));
}

static struct seen look(struct world *w, int who)
{
	struct seen s = { .n_children = 0 };

	ike_status(w->side[who].e, note, &s);
	return s;
}

/* T16, T17: two quick modes under one ISAKMP SA, one after the other, and both are usable. */
static void one_quick_mode_for_each(void **state)
{
	struct world *w = world_with(two_selectors);
	struct seen s;
	unsigned int i;

	(void)state;
	run_for(w, 2 * IKE_SECOND);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3 A:QM1 B:QM2 A:QM3");
	for (i = 0; i < 2; i++) {
		struct ike_selector sel = selector(ALICE, i);

		assert_works(w, &sel);
	}
	s = look(w, ALICE);
	assert_string_equal(s.state, "up");
	assert_int_equal(s.n_p1, 1);
	assert_int_equal(s.n_children, 2);
	assert_int_not_equal(s.child[0].spi_in, s.child[1].spi_in);
	assert_memory_equal(s.child[0].icookie, s.child[1].icookie, 8);
	world_free(w);
}

/* A rekey of all: each selector's old pair goes when its own new one is there. */
static void each_is_renewed(void **state)
{
	struct world *w = world_with(two_selectors);
	struct ike_selector sel[2] = { selector(ALICE, 0), selector(ALICE, 1) };
	uint32_t spi[2];
	unsigned int i;

	(void)state;
	run_for(w, 2 * IKE_SECOND);
	for (i = 0; i < 2; i++)
		spi[i] = sa_for(&w->side[ALICE], IKE_OUT, &sel[i], true)->spi;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 2 * 60 * IKE_SECOND);
	for (i = 0; i < 2; i++) {
		assert_works(w, &sel[i]);
		assert_int_not_equal(sa_for(&w->side[ALICE], IKE_OUT, &sel[i], true)->spi, spi[i]);
	}
	assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 2);
	assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, false), 2);
	world_free(w);
}

/* The soft limit of one of them replaces that one only. */
static void one_is_renewed(void **state)
{
	struct world *w = world_with(two_selectors);
	struct ike_selector sel[2] = { selector(ALICE, 0), selector(ALICE, 1) };
	struct ike_kernel_event ev = { .type = IKE_KEV_SOFT_EXPIRE, .tunnel = "paris", .dir = IKE_OUT };
	uint32_t spi[2];
	unsigned int i;

	(void)state;
	run_for(w, 2 * IKE_SECOND);
	for (i = 0; i < 2; i++)
		spi[i] = sa_for(&w->side[ALICE], IKE_OUT, &sel[i], true)->spi;
	ev.spi = spi[1];
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	run_for(w, 2 * 60 * IKE_SECOND);
	assert_int_equal(sa_for(&w->side[ALICE], IKE_OUT, &sel[0], true)->spi, spi[0]);
	assert_int_not_equal(sa_for(&w->side[ALICE], IKE_OUT, &sel[1], true)->spi, spi[1]);
	assert_works(w, &sel[1]);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 2);
	world_free(w);
}

static void bob_has_one(struct ike_tunnel_cfg *t, int who)
{
	two_selectors(t, who);
	t->n_sel = who ? 1 : 2;
}

static void the_other_works(void **state)
{
	struct world *w = world_with(bob_has_one);
	struct ike_selector sel = selector(ALICE, 0);
	struct seen s;

	(void)state;
	run_for(w, 10 * 60 * IKE_SECOND);
	assert_works(w, &sel);
	s = look(w, ALICE);
	assert_string_equal(s.state, "partly up");
	assert_non_null(strstr(s.error, "INVALID-ID-INFORMATION"));
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	assert_int_equal(counters(w, ALICE).p2_established, 1);
	assert_non_null(strstr(find_log(w, BOB, "invalid-id")->text,
			       "offered: ours 10.2.1.0/24, theirs 10.1.1.0/24; expected: 10.2.0.0/24 === 10.1.0.0/24 (line 70)"));
	world_free(w);
}

/* ---- narrowing (#26) ----------------------------------------------------------------------------- */

/* Alice offers a part of what Bob has. */
static void alice_has_less(struct ike_tunnel_cfg *t, int who)
{
	if (!who)
		t->sel[0] = selector(ALICE, 0);
}

static void bob_narrows(struct ike_tunnel_cfg *t, int who)
{
	alice_has_less(t, who);
	t->narrowing = who;
}

static void a_part_is_refused(void **state)
{
	struct world *w = world_with(alice_has_less);

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 0);
	assert_non_null(strstr(find_log(w, BOB, "invalid-id")->text,
			       "expected: 0.0.0.0/0 === 0.0.0.0/0 (line 70): less than a selector, which narrowing = true would take"));
	world_free(w);
}

static void a_part_is_taken(void **state)
{
	struct world *w = world_with(bob_narrows);
	struct ike_selector sel = selector(ALICE, 0);
	struct seen s;

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	assert_works(w, &sel);
	assert_non_null(strstr(find_log(w, BOB, "narrowed")->text,
			       "10.2.0.0/24 === 10.1.0.0/24, expected 0.0.0.0/0 === 0.0.0.0/0 (line 70)"));
	s = look(w, BOB);
	assert_string_equal(s.state, "up");
	assert_int_equal(s.child[0].sel.local.prefix, 24);
	assert_int_equal(s.child[0].expected.local.prefix, 0);
	world_free(w);
}

/* Crypto map entries: three parts of Bob's one selector stay beside each other. */
static void three_parts(struct ike_tunnel_cfg *t, int who)
{
	unsigned int i;

	t->narrowing = who;
	for (i = 0; i < 3 && !who; i++)
		t->sel[i] = selector(ALICE, i);
	t->n_sel = who ? 1 : 3;
}

static void parts_do_not_replace_each_other(void **state)
{
	struct world *w = world_with(three_parts);
	unsigned int i;

	(void)state;
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 3 * 60 * IKE_SECOND);
	for (i = 0; i < 3; i++) {
		struct ike_selector sel = selector(ALICE, i);

		assert_works(w, &sel);
	}
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 3);
	world_free(w);
}

/* And Bob renews the part that Alice had chosen, when it is he who does it. */
static void the_part_is_offered_again(void **state)
{
	struct world *w = world_with(bob_narrows);
	struct ike_selector sel = selector(ALICE, 0);

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 3 * 60 * IKE_SECOND);
	assert_works(w, &sel);
	assert_int_equal(counters(w, BOB).p2_established, 2);
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
	world_free(w);
}

/* ---- adoption, configuration ------------------------------------------------------------------------ */

static void adopt_all(struct world *w, int who)
{
	struct side *s = &w->side[who];
	size_t i;

	for (i = 0; i < MAX_SAS; i++) {
		struct kernel_sa *k = &s->sa[i];
		struct ike_kernel_event ev = {
			.type = IKE_KEV_ADOPT, .tunnel = "paris", .dir = k->dir, .spi = k->spi,
			.cookie = k->cookie, .pending = k->pending, .sel = { k->local_net, k->remote_net },
		};

		if (!k->used)
			continue;
		ike_kernel_event(s->e, &ev, w->now);
		drain(w, who);
	}
}

/* K6: a new keyer finds each pair's selector, and each is renewed once. */
static void adopted_by_selector(void **state)
{
	struct world *w = world_with(two_selectors);
	const struct ike_env env = { .ctx = &w->side[ALICE], .random = side_random };
	struct ike_selector sel[2] = { selector(ALICE, 0), selector(ALICE, 1) };
	struct seen s;
	unsigned int i;

	(void)state;
	run_for(w, 30 * IKE_SECOND);
	ike_engine_free(w->side[ALICE].e);
	w->side[ALICE].e = ike_engine_new(&env);
	assert_non_null(w->side[ALICE].e);
	configure(w, ALICE, two_selectors);
	adopt_all(w, ALICE);
	s = look(w, ALICE);
	assert_string_equal(s.state, "up");
	assert_int_equal(s.n_children, 2);
	run_for(w, 3 * 60 * IKE_SECOND);
	for (i = 0; i < 2; i++)
		assert_works(w, &sel[i]);
	assert_int_equal(counters(w, ALICE).p2_established, 2);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 2);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_OUT, false), 2);
	world_free(w);
}

static void first_only(struct ike_tunnel_cfg *t, int who)
{
	two_selectors(t, who);
	t->n_sel = 1;
}

static void a_selector_goes(void **state)
{
	struct world *w = world_with(two_selectors);
	struct ike_selector sel[2] = { selector(ALICE, 0), selector(ALICE, 1) };
	uint32_t spi;

	(void)state;
	run_for(w, 2 * IKE_SECOND);
	spi = sa_for(&w->side[ALICE], IKE_OUT, &sel[0], true)->spi;
	configure(w, ALICE, first_only);
	configure(w, BOB, first_only);
	run_for(w, 2 * 60 * IKE_SECOND);
	assert_int_equal(sa_for(&w->side[ALICE], IKE_OUT, &sel[0], true)->spi, spi);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 1);
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
	world_free(w);
}

/* What a list of selectors may not be. */
static void checked_configuration(void **state)
{
	struct ike_tunnel_cfg t;
	struct ike_config cfg = { .tunnel = &t, .n_tunnels = 1 };
	char why[300];

	(void)state;
	tunnel_cfg(&t, ALICE, "aes128-sha256-ecp256", "aes128gcm16");
	two_selectors(&t, ALICE);
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), 0);
	t.sel[1] = t.sel[0];
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), -IKE_E_INVALID);
	assert_non_null(strstr(why, "10.1.0.0/24 === 10.2.0.0/24 is there twice"));
	t.sel[1].local = (struct ike_net){ .family = 6, .prefix = 64 };
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), -IKE_E_INVALID);
	assert_non_null(strstr(why, "not of the same IP version"));
	t.n_sel = 0;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), -IKE_E_INVALID);
	free(t.psk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_quick_mode_for_each),
		cmocka_unit_test(each_is_renewed),
		cmocka_unit_test(one_is_renewed),
		cmocka_unit_test(the_other_works),
		cmocka_unit_test(a_part_is_refused),
		cmocka_unit_test(a_part_is_taken),
		cmocka_unit_test(parts_do_not_replace_each_other),
		cmocka_unit_test(the_part_is_offered_again),
		cmocka_unit_test(adopted_by_selector),
		cmocka_unit_test(a_selector_goes),
		cmocka_unit_test(checked_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
