// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a replaced pair goes on: a delete takes it from the peer, and a responder whose QM3 was
 * lost sends on nothing else.
 */
#include "two_engines.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"

static struct world *world_up(void)
{
	struct world *w = world_new(P1, P2);

	run_for(w, 100 * IKE_SECOND);
	assert_true(tunnel_works(w));
	return w;
}

/* A packet of Bob's comes on Alice's newest inbound SA. */
static void confirm(struct world *w)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_CONFIRMED, .tunnel = "paris", .dir = IKE_IN };
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (w->side[ALICE].sa[i].used && w->side[ALICE].sa[i].dir == IKE_IN && w->side[ALICE].sa[i].spi > ev.spi)
			ev.spi = w->side[ALICE].sa[i].spi;
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	drain(w, ALICE);
}

/* Seconds from the rekey until the old pair is gone at Alice's, who began; confirmed after so many, 0: never. */
static unsigned int old_pair_lives(unsigned int confirmed_after)
{
	struct world *w = world_up();
	unsigned int s;

	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	for (s = 1; s < 200; s++) {
		run_for(w, IKE_SECOND);
		if (s == confirmed_after)
			confirm(w);
		if (s > 1 && count_sas(&w->side[ALICE], IKE_IN, false) == 1)
			break;
		assert_int_equal(counters(w, ALICE).children_now, 2);
	}
	assert_true(tunnel_works(w));
	world_free(w);
	return s;
}

static void until_the_peer_sends_on_the_new_one(void **state)
{
	(void)state;
	/* At once: the grace and no more. */
	assert_in_range(old_pair_lives(1), 29, 32);
	/* Late: as the fourth QM2 of a peer that repeats it rarely would have it. */
	assert_in_range(old_pair_lives(25), 54, 56);
	/* A tunnel without traffic: longer, but not for ever. */
	assert_in_range(old_pair_lives(0), 59, 62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_the_peer_sends_on_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
