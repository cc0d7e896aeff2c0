// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dead peer detection between two engines: when it asks, what counts as a sign of life, when
 * a peer is dead and what happens then, and what odd peers may send.
 */
#include "two_engines.h"

#include "libike/dpd.h"
#include "libike/engine.h"
#include "libike/info.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

static const char up[] = "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3";

/* Only Alice asks; both are up, and every older exchange is over. */
static struct world *asked_by_alice(uint32_t dpd)
{
	struct world *w = world_empty(1);
	int i;

	for (i = 1; i >= 0; i--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, i, P1, P2);
		t.dpd = i == ALICE ? dpd : 0;
		t.start = i == ALICE ? IKE_START_AUTO : IKE_START_RESPOND;
		assert_int_equal(side_configure(w, i, &t), 0);
		free(t.psk);
	}
	assert_true(run_until(w, both_done, 30 * IKE_SECOND));
	assert_string_equal(w->trace, up);
	forget_trace(w);
	return w;
}

static struct ike_ikesa *alice_sa(struct world *w)
{
	return ike_tunnel_sa(w->side[ALICE].e->tunnels);
}

static unsigned int bob_is_gone(struct world *w, struct packet *p)
{
	(void)w;
	return p->to == ALICE;
}

static void silent_peer_is_asked_and_answers(void **state)
{
	struct world *w = asked_by_alice(30);

	(void)state;
	run_for(w, 29 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	run_for(w, 3 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO");
	/* The answer is a sign of life: 30 s of peace. */
	run_for(w, 29 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO");
	run_for(w, 3 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO A:INFO B:INFO");
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_int_equal(counters(w, ALICE).dpd_sent, 2);
	assert_int_equal(counters(w, BOB).dpd_sent, 0);
	world_free(w);
}

/* A tunnel in use asks nothing: packets on it are proof enough. */
static void traffic_is_a_sign_of_life(void **state)
{
	struct world *w = asked_by_alice(10);
	int i;

	(void)state;
	for (i = 0; i < 60; i++) {
		w->side[ALICE].traffic_at = w->now;
		run_for(w, 5 * IKE_SECOND);
	}
	assert_string_equal(w->trace, "");
	/* None came since the last: asked after that, not after the last IKE message. */
	run_for(w, 4 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	run_for(w, 4 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO");
	world_free(w);
}

static bool all_asked(struct world *w)
{
	return counters(w, ALICE).dpd_sent == IKE_DPD_REPEATS;
}

/* The peer was away and is back: its first packet comes after the last question, just before the verdict. */
static void traffic_after_the_last_question(void **state)
{
	struct world *w = asked_by_alice(10);

	(void)state;
	w->wire = bob_is_gone;
	assert_true(run_until(w, all_asked, 30 * IKE_SECOND));
	run_for(w, IKE_SECOND / 2);
	w->side[ALICE].traffic_at = w->now;
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_non_null(active_out(&w->side[ALICE]));
	world_free(w);
}

/* Packets come while the questions are lost: an attacker on the IKE port kills nothing. */
static void traffic_during_the_questions(void **state)
{
	struct world *w = asked_by_alice(10);

	(void)state;
	w->wire = bob_is_gone;
	run_for(w, 15 * IKE_SECOND);
	assert_in_range(counters(w, ALICE).dpd_sent, 2, 4);
	w->side[ALICE].traffic_at = w->now;
	run_for(w, 12 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_non_null(active_out(&w->side[ALICE]));
	world_free(w);
}

static void dead_peer_is_noticed_in_time(void **state)
{
	struct world *w = asked_by_alice(30);

	(void)state;
	w->wire = bob_is_gone;
	run_for(w, 30 * IKE_SECOND + 10 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_non_null(active_out(&w->side[ALICE]));
	run_for(w, 2 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_dead, 1);
	assert_int_equal(counters(w, ALICE).dpd_sent, IKE_DPD_REPEATS);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 0);
	assert_true(find_log(w, ALICE, "dpd-dead") != NULL);
	/* Who wants the tunnel negotiates at once, and is up again when the peer is. */
	run_for(w, IKE_SECOND);
	assert_true(counters(w, ALICE).p1_now == 1);
	w->wire = NULL;
	assert_true(run_until(w, both_done, 120 * IKE_SECOND));
	assert_true(tunnel_works(w));
	world_free(w);
}

/* A single answer among lost ones starts the count anew. */
static unsigned int every_fourth(struct world *w, struct packet *p)
{
	return p->to == ALICE || !(++w->seen % 4);
}

static void losses_do_not_kill(void **state)
{
	struct world *w = asked_by_alice(10);

	(void)state;
	w->wire = every_fourth;
	run_for(w, 3600 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	world_free(w);
}

/* Repeated questions have the number of the first, the next ones another. */
static void numbers(void **state)
{
	struct world *w = asked_by_alice(10);
	uint32_t first;

	(void)state;
	run_for(w, 12 * IKE_SECOND);
	first = alice_sa(w)->dpd.seq;
	assert_true(first && first < UINT32_C(0x80000002));
	w->wire = bob_is_gone;
	run_for(w, 16 * IKE_SECOND);
	assert_in_range(counters(w, ALICE).dpd_sent, 3, 5);
	assert_int_equal(alice_sa(w)->dpd.seq, first + 1);
	world_free(w);
}

static void never_asks_who_did_not_offer_it(void **state)
{
	struct world *w = asked_by_alice(10);

	(void)state;
	alice_sa(w)->dpd.peer = false;
	w->wire = bob_is_gone;
	run_for(w, 300 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_sent, 0);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	assert_non_null(active_out(&w->side[ALICE]));
	world_free(w);
}

/* A new ISAKMP SA is watched instead of the old one. */
static void follows_a_rekey(void **state)
{
	struct world *w = asked_by_alice(30);

	(void)state;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	run_for(w, 25 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 2);
	assert_int_equal(counters(w, ALICE).p1_now, 1);
	forget_trace(w);
	run_for(w, 10 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO");
	world_free(w);
}

/* The time of dead peer detection may be changed while up, and switched on and off. */
static void reconfigured(void **state)
{
	struct world *w = asked_by_alice(0);
	struct ike_tunnel_cfg t;
	unsigned int i;

	(void)state;
	run_for(w, 300 * IKE_SECOND);
	assert_string_equal(w->trace, "");
	tunnel_cfg(&t, ALICE, P1, P2);
	for (i = 0; i < 2; i++) {
		t.dpd = i ? 0 : 20;
		assert_int_equal(side_configure(w, ALICE, &t), 0);
		run_for(w, 25 * IKE_SECOND);
		assert_string_equal(w->trace, "A:INFO B:INFO");
	}
	free(t.psk);
	run_for(w, 300 * IKE_SECOND);
	assert_string_equal(w->trace, "A:INFO B:INFO");
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	world_free(w);
}

/* Numbers nobody asked for, data of a wrong length: no effect but a sign of life; always in an SA. */
static void odd_answers(void **state)
{
	struct world *w = asked_by_alice(30);
	struct ike_ikesa *bob = ike_tunnel_sa(w->side[BOB].e->tunnels);

	(void)state;
	run_for(w, 20 * IKE_SECOND);
	ike_engine_enter(w->side[BOB].e, w->now);
	ike_info_dpd(bob, IKE_N_R_U_THERE_ACK, 4711);
	ike_info_notify(bob, IKE_N_R_U_THERE, IKE_PROTO_ISAKMP, 0);
	ike_engine_leave(w->side[BOB].e);
	run_for(w, IKE_SECOND);
	/* The second has no number: not answered, and counted. */
	assert_string_equal(w->trace, "B:INFO B:INFO");
	assert_int_equal(counters(w, ALICE).malformed, 1);
	run_for(w, 28 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).dpd_sent, 0);
	assert_int_equal(counters(w, ALICE).dpd_dead, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_peer_is_asked_and_answers),
		cmocka_unit_test(traffic_is_a_sign_of_life),
		cmocka_unit_test(traffic_during_the_questions),
		cmocka_unit_test(traffic_after_the_last_question),
		cmocka_unit_test(dead_peer_is_noticed_in_time),
		cmocka_unit_test(losses_do_not_kill),
		cmocka_unit_test(numbers),
		cmocka_unit_test(never_asks_who_did_not_offer_it),
		cmocka_unit_test(follows_a_rekey),
		cmocka_unit_test(reconfigured),
		cmocka_unit_test(odd_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
