// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several negotiations between the same two addresses at once, told apart by their SPIs (cookie
 * pairs) alone: T22-T26, with the seed document's own two SPIs.
 */
#include "two_engines.h"

#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"

/* "local SPI 2A8F14E40D648E28, the peer's own 5638222923EA3C5A" */
static const uint8_t seed_spi[2][8] = {
	{ 0x2a, 0x8f, 0x14, 0xe4, 0x0d, 0x64, 0x8e, 0x28 },
	{ 0x56, 0x38, 0x22, 0x29, 0x23, 0xea, 0x3c, 0x5a },
};

struct source {
	struct side *side;
	const uint8_t *spi;		/* the next 8 octets that are asked for; NULL: random again */
};

static struct source source[2];

static void spi_random(void *ctx, void *buf, size_t len)
{
	struct source *s = ctx;

	side_random(s->side, buf, len);
	if (s->spi && len == 8) {
		memcpy(buf, s->spi, 8);
		s->spi = NULL;
	}
}

/* Both ends wait; what each will call its first negotiation is the seed's, or as given. */
static struct world *world_waiting(const uint8_t *alice, const uint8_t *bob)
{
	const uint8_t *const spi[2] = { alice, bob };
	struct world *w = world_empty(3);
	int who;

	for (who = 0; who < 2; who++) {
		const struct ike_env env = { .ctx = &source[who], .random = spi_random };
		struct ike_tunnel_cfg t;

		source[who] = (struct source){ .side = &w->side[who] };
		ike_engine_free(w->side[who].e);
		w->side[who].e = ike_engine_new(&env);
		assert_non_null(w->side[who].e);
		tunnel_cfg(&t, who, P1, P2);
		t.start = IKE_START_RESPOND;
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
		source[who].spi = spi[who];
	}
	return w;
}

static void begin(struct world *w, int who)
{
	assert_int_equal(ike_command(w->side[who].e, IKE_CMD_UP, "paris", w->now), 0);
}

/* Exactly one ISAKMP SA, one pair, the same at both ends, and nothing was ever replaced after 'made' of them. */
static void assert_one_tunnel(struct world *w, unsigned int made)
{
	int who;

	assert_true(tunnel_works(w));
	for (who = 0; who < 2; who++) {
		assert_int_equal(counters(w, who).p1_now, 1);
		assert_int_equal(counters(w, who).children_now, 1);
		assert_int_equal(count_sas(&w->side[who], IKE_IN, false), 1);
		assert_int_equal(count_sas(&w->side[who], IKE_OUT, false), 1);
		assert_in_range(counters(w, who).p2_established, 1, made);
	}
}

static bool logged_spi(struct world *w, int who, const char *event, const uint8_t *icookie)
{
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		if (!strcmp(w->side[who].log[i].event, event) && !memcmp(w->side[who].log[i].icookie, icookie, 8))
			return true;
	return false;
}

/* T25: both sides begin at the same moment, with the SPIs of the seed's log. */
static void the_seeds_collision(void **state)
{
	struct world *w = world_waiting(seed_spi[0], seed_spi[1]);
	int who;

	(void)state;
	begin(w, ALICE);
	begin(w, BOB);
	run_for(w, 5 * 60 * IKE_SECOND);
	assert_one_tunnel(w, 2);
	/* T22, T24: both were seen, under their own SPIs, at both ends. */
	for (who = 0; who < 2; who++) {
		assert_true(logged_spi(w, who, "state", seed_spi[0]));
		assert_true(logged_spi(w, who, "state", seed_spi[1]));
		assert_non_null(find_log(w, who, "p1-established"));
	}
	assert_true(find_log(w, ALICE, "collision") || find_log(w, BOB, "collision"));
	/* No flap: an hour later it is the same pair. */
	who = (int)active_out(&w->side[ALICE])->spi;
	run_for(w, 40 * 60 * IKE_SECOND);
	assert_int_equal((int)active_out(&w->side[ALICE])->spi, who);
	world_free(w);
}

/* T23: the other negotiation may begin while the first is at any of its messages, from either end. */
static void at_any_message(void **state)
{
	unsigned int after;
	int who, order;

	(void)state;
	for (order = 0; order < 2; order++)
		for (who = 0; who < 2; who++)
			for (after = 0; after < 12; after++) {
				struct world *w = world_waiting(seed_spi[order], seed_spi[!order]);
				unsigned int n;

				begin(w, who);
				for (n = 0; n < after; n++)
					step(w, w->now + IKE_SECOND / 100);
				begin(w, !who);
				ike_command(w->side[!who].e, IKE_CMD_REKEY_P1, "paris", w->now);
				run_for(w, 5 * 60 * IKE_SECOND);
				assert_one_tunnel(w, 3);
				world_free(w);
			}
}

/* Strangers' SPIs from the same address, at every message: neither taken for ours nor do they end ours. */
static unsigned int stranger_first(struct world *w, struct packet *p)
{
	uint8_t copy[2048];
	unsigned int i;

	if (memcmp(p->data, seed_spi[0], 8) != 0)
		return 1;		/* an answer to a stranger */
	assert_true(p->len <= sizeof(copy));
	/* Whose answer MM2 is the initiator can tell by its own SPI only: the responder's comes with it. */
	for (i = 0; i < (unsigned int)(strcmp(p->name, "MM2") ? 2 : 1); i++) {
		memcpy(copy, p->data, p->len);
		copy[i ? 8 : 0] ^= 0x5a;	/* another negotiation's cookie, once of each end */
		ike_datagram(w->side[p->to].e, &p->path, copy, p->len, w->now);
		drain(w, p->to);
	}
	return 1;
}

static void strangers_change_nothing(void **state)
{
	struct world *w = world_waiting(seed_spi[0], NULL);

	(void)state;
	w->wire = stranger_first;
	begin(w, ALICE);
	run_for(w, 3 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	assert_int_equal(counters(w, BOB).p1_established, 1);
	assert_true(counters(w, BOB).unknown_cookies > 0);
	w->wire = NULL;
	run_for(w, 3 * 60 * IKE_SECOND);
	assert_one_tunnel(w, 1);
	world_free(w);
}

static unsigned int lose_all(struct world *w, struct packet *p)
{
	(void)w;
	(void)p;
	return 0;
}

/* T26: after the last repetition a new negotiation has a new SPI, and the old one is over. */
static void a_new_try_is_a_new_negotiation(void **state)
{
	struct world *w = world_waiting(seed_spi[0], NULL);
	const struct ike_tunnel *t = w->side[ALICE].e->tunnels;

	(void)state;
	w->wire = lose_all;
	begin(w, ALICE);
	run_for(w, 50 * IKE_SECOND);
	assert_memory_equal(ike_tunnel_negotiating(t)->icookie, seed_spi[0], 8);
	run_for(w, 30 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_now, 1);
	assert_non_null(ike_tunnel_negotiating(t));
	assert_memory_not_equal(ike_tunnel_negotiating(t)->icookie, seed_spi[0], 8);
	/* A late MM2 of the old one is nobody's. */
	w->wire = NULL;
	run_for(w, 5 * 60 * IKE_SECOND);
	assert_one_tunnel(w, 1);
	world_free(w);
}

/* #49: both renew at once, either phase, whoever's message is first: one pair, the same at both ends. */
static void both_renew_at_once(void **state)
{
	static const enum ike_command what[] = { IKE_CMD_REKEY_P1, IKE_CMD_REKEY_P2 };
	unsigned int a, b, after;

	(void)state;
	for (a = 0; a < 2; a++)
		for (b = 0; b < 2; b++)
			for (after = 0; after < 6; after++) {
				struct world *w = world_waiting(seed_spi[0], NULL);
				unsigned int n;

				begin(w, ALICE);
				begin(w, BOB);
				run_for(w, 60 * IKE_SECOND);
				ike_command(w->side[ALICE].e, what[a], "paris", w->now);
				for (n = 0; n < after; n++)
					step(w, w->now + IKE_SECOND / 100);
				ike_command(w->side[BOB].e, what[b], "paris", w->now);
				run_for(w, 5 * 60 * IKE_SECOND);
				assert_one_tunnel(w, 4);
				world_free(w);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seeds_collision),
		cmocka_unit_test(at_any_message),
		cmocka_unit_test(strangers_change_nothing),
		cmocka_unit_test(a_new_try_is_a_new_negotiation),
		cmocka_unit_test(both_renew_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
