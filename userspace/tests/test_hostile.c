// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a malicious peer or a careless administrator can do to others, between two engines:
 * tunnels that go while messages of theirs are remembered, SPIs chosen to collide, too many
 * quick modes at once, floods of log lines.
 */
#include "two_engines.h"

#include "libike/ikesa.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static void configure_many(struct world *w, int who, struct ike_tunnel_cfg *t, size_t n)
{
	struct ike_config cfg = { .tunnel = t, .n_tunnels = n };

	assert_int_equal(ike_configure(w->side[who].e, &cfg, w->now), 0);
	drain(w, who);
}

static void free_psks(struct ike_tunnel_cfg *t, size_t n)
{
	while (n--)
		free(t[n].psk);
}

struct children {
	const char *tunnel;
	size_t n;
	uint32_t spi_out;
};

static void count_one(void *ctx, const struct ike_tunnel_status *st)
{
	struct children *c = ctx;

	if (strcmp(st->cfg->name, c->tunnel))
		return;
	c->n = st->n_children;
	c->spi_out = st->n_children ? st->child[0].spi_out : 0;
}

static struct children children_of(struct world *w, int who, const char *tunnel)
{
	struct children c = { .tunnel = tunnel };

	ike_status(w->side[who].e, count_one, &c);
	return c;
}

/* ---- a tunnel goes, its exchanges are remembered under the ISAKMP SA of another -------------- */

static void two_networks(struct ike_tunnel_cfg *t, int who)
{
	for (unsigned int i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], who, P1, P2);
		snprintf(t[i].name, sizeof(t[i].name), "net%u", i);
		t[i].sel[0].local = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)who, (uint8_t)i } };
		t[i].sel[0].remote = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)!who, (uint8_t)i } };
	}
}

static bool both_nets(struct world *w)
{
	return count_sas(&w->side[ALICE], IKE_OUT, true) == 2 && count_sas(&w->side[BOB], IKE_OUT, true) == 2;
}

static void tunnel_removed_while_its_quick_mode_lingers(void **state)
{
	(void)state;
	for (int remover = 0; remover < 2; remover++) {
		for (unsigned int stays = 0; stays < 2; stays++) {
			struct world *w = world_empty(3);
			struct ike_tunnel_cfg t[2];

			for (int who = 1; who >= 0; who--) {
				two_networks(t, who);
				configure_many(w, who, t, 2);
				free_psks(t, 2);
			}
			assert_true(run_until(w, both_nets, 30 * IKE_SECOND));
			assert_int_equal(counters(w, remover).p1_now, 1);
			two_networks(t, remover);
			configure_many(w, remover, &t[stays], 1);
			free_psks(t, 2);
			/* Past the time a finished quick mode answers repetitions. */
			run_for(w, 300 * IKE_SECOND);
			assert_int_equal(children_of(w, remover, t[stays].name).n, 1);
			world_free(w);
		}
	}
}

/* ---- the peer chooses outbound SPIs ----------------------------------------------------------- */

static void two_identities(struct ike_tunnel_cfg *t, int who)
{
	static const char *const names[] = { "paris", "rome" };

	for (unsigned int i = 0; i < 2; i++) {
		char id[40];

		tunnel_cfg(&t[i], who, P1, P2);
		snprintf(t[i].name, sizeof(t[i].name), "%s", names[i]);
		snprintf(id, sizeof(id), "fqdn:%s.example", names[i]);
		assert_int_equal(ike_id_parse(id, who ? &t[i].remote_id : &t[i].local_id), 0);
		t[i].start = IKE_START_RESPOND;
	}
}

static bool paris_up(struct world *w)
{
	return children_of(w, BOB, "paris").spi_out && children_of(w, ALICE, "paris").spi_out &&
	       counters(w, BOB).p2_established == 1;
}

static bool both_up(struct world *w)
{
	return paris_up(w) ? false : counters(w, BOB).p2_established == 2;
}

/* Two peers of B, whose SPIs are the same number. */
static struct world *same_spi_world(void)
{
	struct world *w = world_empty(5);
	struct ike_tunnel_cfg t[2];
	uint32_t spi;

	for (int who = 1; who >= 0; who--) {
		two_identities(t, who);
		configure_many(w, who, t, 2);
		free_psks(t, 2);
	}
	spi = w->side[ALICE].next_spi;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now), 0);
	assert_true(run_until(w, paris_up, 10 * IKE_SECOND));
	w->side[ALICE].next_spi = spi;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_UP, "rome", w->now), 0);
	assert_true(run_until(w, both_up, 10 * IKE_SECOND));
	assert_int_equal(children_of(w, BOB, "paris").spi_out, spi);
	assert_int_equal(children_of(w, BOB, "rome").spi_out, spi);
	return w;
}

static void same_spi_world_free(struct world *w)
{
	/* The recording kernel has one SA where two peers' have the same number. */
	w->side[ALICE].leaks = w->side[BOB].leaks = 0;
	world_free(w);
}

static void event_of_one_peers_sa_leaves_the_others(void **state)
{
	static const char *const names[] = { "paris", "rome" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world *w = same_spi_world();
		struct ike_kernel_event ev = { .type = IKE_KEV_HARD_EXPIRE, .tunnel = names[i], .dir = IKE_OUT };

		ev.spi = children_of(w, BOB, names[i]).spi_out;
		ike_kernel_event(w->side[BOB].e, &ev, w->now);
		drain(w, BOB);
		assert_int_equal(children_of(w, BOB, names[i]).n, 0);
		assert_int_equal(children_of(w, BOB, names[!i]).n, 1);
		same_spi_world_free(w);
	}
}

static void delete_of_one_peers_sa_finds_it(void **state)
{
	static const char *const names[] = { "paris", "rome" };

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct world *w = same_spi_world();

		assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_DOWN, names[i], w->now), 0);
		run_for(w, IKE_SECOND / 2);
		assert_int_equal(children_of(w, BOB, names[i]).n, 0);
		assert_int_equal(children_of(w, BOB, names[!i]).n, 1);
		same_spi_world_free(w);
	}
}

/* ---- many quick modes in a short time --------------------------------------------------------- */

static void more_quick_modes_than_are_remembered(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	for (unsigned int i = 0; i < 50; i++) {
		assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
		run_for(w, IKE_SECOND);
	}
	assert_int_equal(counters(w, BOB).p2_established, 51);
	assert_int_equal(count_logs(w, BOB, "limit"), 0);
	/* What is remembered is bounded all the same. */
	assert_in_range(counters(w, BOB).exchanges_now, 1, 33);
	/* Who began it sends on a new pair a little later. */
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	world_free(w);
}

/* Once a message ID is forgotten its message could be replayed: the SA ends before, who only answers included. */
static void message_ids_used_up(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_ikesa *sa;
	uint32_t msgid;

	(void)state;
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	run_for(w, IKE_SECOND);
	sa = w->side[BOB].e->ikesas;
	assert_non_null(sa);
	msgid = sa->msgid[0];
	for (uint32_t i = 0; sa->n_msgids < IKE_MSGIDS_MAX; i++)
		ike_msgid_remember(sa, 0x1000 + i);
	assert_true(ike_msgid_used(sa, msgid));
	assert_int_equal(counters(w, BOB).p1_now, 1);
	run_for(w, IKE_SECOND);
	assert_int_equal(count_logs(w, BOB, "p1-deleted"), 1);
	run_for(w, 10 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(count_logs(w, BOB, "p2-deleted"), 0);
	world_free(w);
}

/* A peer that rekeys all the time costs a bounded number of SAs. */
static void replaced_pairs_are_bounded(void **state)
{
	(void)state;
	for (int who = 0; who < 2; who++) {
		struct world *w = world_empty(9);

		for (int side = 1; side >= 0; side--) {
			struct ike_tunnel_cfg t;

			tunnel_cfg(&t, side, P1, P2);
			t.start = IKE_START_AUTO;
			t.grace = 600;
			assert_int_equal(side_configure(w, side, &t), 0);
			free_psks(&t, 1);
		}
		assert_true(run_until(w, tunnel_works, 30 * IKE_SECOND));
		run_for(w, 100 * IKE_SECOND);
		for (unsigned int i = 0; i < 60; i++) {
			assert_int_equal(ike_command(w->side[who].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
			run_for(w, 2 * IKE_SECOND);
			assert_in_range(counters(w, ALICE).children_now, 1, 18);
			assert_in_range(counters(w, BOB).children_now, 1, 18);
			assert_true(tunnel_works(w));
		}
		assert_true(counters(w, !who).p2_established > 60);
		world_free(w);
	}
}

/* ---- a reload ---------------------------------------------------------------------------------- */

static void weak_choice_that_comes_with_a_reload_is_flagged(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_tunnel_cfg t;

	(void)state;
	assert_int_equal(count_logs(w, BOB, "weak-algorithm"), 0);
	tunnel_cfg(&t, BOB, P1, "3des-md5");
	assert_int_equal(side_configure(w, BOB, &t), 0);
	assert_int_equal(count_logs(w, BOB, "weak-algorithm"), 1);
	/* Nothing changed: said once. */
	assert_int_equal(side_configure(w, BOB, &t), 0);
	assert_int_equal(count_logs(w, BOB, "weak-algorithm"), 1);
	free_psks(&t, 1);
	world_free(w);
}

/* ---- what anybody can send ---------------------------------------------------------------------- */

/* Junk of one kind must not keep lines of another kind out of the log. */
static void flood_of_one_line_hides_no_other(void **state)
{
	struct world *w = world_empty(7);
	struct ike_path stranger = { .local = v4("192.0.2.2"), .remote = v4("198.51.100.1") };
	uint8_t junk[28] = { 1, [16] = 1, 0x10, 2, [27] = 28 };
	struct ike_tunnel_cfg t;

	(void)state;
	for (int who = 1; who >= 0; who--) {
		tunnel_cfg(&t, who, P1, P2);
		t.psk[0] ^= (uint8_t)who;
		assert_int_equal(side_configure(w, who, &t), 0);
		free_psks(&t, 1);
	}
	for (unsigned int i = 0; i < 2000; i++) {
		junk[1] = (uint8_t)i;
		junk[2] = (uint8_t)(i >> 8);
		deliver(w, BOB, &stranger, junk, sizeof(junk));
		if (i % 100 == 99)
			run_for(w, IKE_SECOND / 100);
	}
	assert_in_range(count_logs(w, BOB, "unknown-peer"), 1, 60);
	assert_non_null(find_log(w, BOB, "psk-mismatch"));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel_removed_while_its_quick_mode_lingers),
		cmocka_unit_test(event_of_one_peers_sa_leaves_the_others),
		cmocka_unit_test(delete_of_one_peers_sa_finds_it),
		cmocka_unit_test(more_quick_modes_than_are_remembered),
		cmocka_unit_test(message_ids_used_up),
		cmocka_unit_test(replaced_pairs_are_bounded),
		cmocka_unit_test(weak_choice_that_comes_with_a_reload_is_flagged),
		cmocka_unit_test(flood_of_one_line_hides_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
