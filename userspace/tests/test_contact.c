// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What peers say about SAs of before and of the time to come: INITIAL-CONTACT, RESPONDER-LIFETIME,
 * deletes of the ISAKMP SA that are to take the IPsec SAs along.
 */
#include "two_engines.h"

#include "libike/child.h"
#include "libike/info.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"

typedef void (*twist_fn)(struct ike_tunnel_cfg *t, int who);

static void configure(struct world *w, int who, twist_fn twist)
{
	struct ike_tunnel_cfg t;

	tunnel_cfg(&t, who, P1, P2);
	t.initial_contact = true;
	if (twist)
		twist(&t, who);
	assert_int_equal(side_configure(w, who, &t), 0);
	free(t.psk);
}

static struct world *world_with(twist_fn twist)
{
	struct world *w = world_empty(11);

	configure(w, BOB, twist);
	configure(w, ALICE, twist);
	return w;
}

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

/* A new keyer at a host that has lost all it knew, the kernel's SAs included. */
static void reboot(struct world *w, int who)
{
	struct side *s = &w->side[who];
	const struct ike_env env = { .ctx = s, .random = side_random };

	ike_engine_free(s->e);
	memset(s->sa, 0, sizeof(s->sa));
	s->e = ike_engine_new(&env);
	assert_non_null(s->e);
}

static const char *last_log(struct world *w, int who, const char *event)
{
	const char *text = "";
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		if (!strcmp(w->side[who].log[i].event, event))
			text = w->side[who].log[i].text;
	return text;
}

/* ---- INITIAL-CONTACT (#55, K3, I5) ----------------------------------------------------------------- */

static bool second_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established == 1 && counters(w, BOB).p2_established == 2;
}

static void old_ones_go_at_once(void **state)
{
	struct world *w = world_with(NULL);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 60 * IKE_SECOND);
	reboot(w, ALICE);
	configure(w, ALICE, NULL);
	/* K3: traffic is back within 2 s after its MM1, and nothing of before is left. */
	assert_true(run_until(w, second_done, 2 * IKE_SECOND));
	assert_non_null(strstr(last_log(w, BOB, "initial-contact"), "1 ISAKMP SAs and 1 pairs of IPsec SAs of before are dropped"));
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
	assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, false), 1);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

/* Once for each identity: neither a new phase 1 nor one after a loss has it. */
static void said_once(void **state)
{
	struct world *w = world_with(NULL);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(count_logs(w, ALICE, "initial-contact"), 1);
	assert_int_equal(count_logs(w, BOB, "initial-contact"), 1);
	ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now);
	run_for(w, 60 * IKE_SECOND);
	ike_command(w->side[ALICE].e, IKE_CMD_DOWN, "paris", w->now);
	run_for(w, 10 * IKE_SECOND);
	ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now);
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 3);
	assert_int_equal(count_logs(w, ALICE, "initial-contact"), 1);
	assert_true(tunnel_works(w));
	world_free(w);
}

/* K6: with SAs of a former keyer in the kernel it would not be true. */
static void not_after_adoption(void **state)
{
	struct world *w = world_with(NULL);
	struct side *s = &w->side[ALICE];
	const struct ike_env env = { .ctx = s, .random = side_random };
	size_t i;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 60 * IKE_SECOND);
	ike_engine_free(s->e);
	s->e = ike_engine_new(&env);
	configure(w, ALICE, NULL);
	for (i = 0; i < MAX_SAS; i++) {
		struct ike_kernel_event ev = { .type = IKE_KEV_ADOPT, .tunnel = "paris", .dir = s->sa[i].dir,
					       .spi = s->sa[i].spi, .cookie = s->sa[i].cookie,
					       .sel = { s->sa[i].local_net, s->sa[i].remote_net } };

		if (s->sa[i].used)
			ike_kernel_event(s->e, &ev, w->now);
	}
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(count_logs(w, ALICE, "initial-contact"), 1);	/* of the first keyer */
	assert_int_equal(count_logs(w, BOB, "initial-contact"), 1);
	assert_int_equal(counters(w, ALICE).p2_established, 1);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void bob_is_deaf(struct ike_tunnel_cfg *t, int who)
{
	t->initial_contact = !who;
}

static void switched_off(void **state)
{
	struct world *w = world_with(bob_is_deaf);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 60 * IKE_SECOND);
	reboot(w, ALICE);
	configure(w, ALICE, bob_is_deaf);
	assert_true(run_until(w, second_done, 10 * IKE_SECOND));
	assert_non_null(strstr(last_log(w, BOB, "initial-contact"), "no effect, initial-contact = false (line 70)"));
	world_free(w);
}

static void configure_two(struct world *w, int who, const char *second_id)
{
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], who, P1, P2);
		t[i].initial_contact = true;
		t[i].start = IKE_START_RESPOND;
	}
	snprintf(t[1].name, sizeof(t[1].name), "rome");
	assert_int_equal(ike_id_parse(second_id, who ? &t[1].remote_id : &t[1].local_id), 0);
	assert_int_equal(ike_configure(w->side[who].e, &cfg, w->now), 0);
	drain(w, who);
	for (i = 0; i < 2; i++)
		free(t[i].psk);
}

static struct kernel_sa *out_of(struct side *s, const char *tunnel)
{
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (s->sa[i].used && s->sa[i].dir == IKE_OUT && s->sa[i].active && !strcmp(s->sa[i].tunnel, tunnel))
			return &s->sa[i];
	return NULL;
}

static bool rome_is_up(struct world *w)
{
	return out_of(&w->side[BOB], "rome");
}

static bool paris_is_up(struct world *w)
{
	return out_of(&w->side[BOB], "paris");
}

/* Two peers at one address (behind one NAT, say): what one says is not about the other's SAs. */
static void by_identity_not_by_address(void **state)
{
	struct world *w = world_empty(5);
	uint32_t spi;

	(void)state;
	configure_two(w, BOB, "fqdn:rome.example");
	configure_two(w, ALICE, "fqdn:rome.example");
	ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now);
	assert_true(run_until(w, paris_is_up, 10 * IKE_SECOND));
	spi = out_of(&w->side[BOB], "paris")->spi;
	run_for(w, 10 * IKE_SECOND);
	ike_command(w->side[ALICE].e, IKE_CMD_UP, "rome", w->now);
	assert_true(run_until(w, rome_is_up, 10 * IKE_SECOND));
	/* Both peers said it; the first one's SAs are as they were. */
	assert_int_equal(count_logs(w, BOB, "initial-contact"), 2);
	assert_non_null(strstr(last_log(w, BOB, "initial-contact"), "0 ISAKMP SAs and 0 pairs"));
	assert_int_equal(out_of(&w->side[BOB], "paris")->spi, spi);
	world_free(w);
}

/* In a protected informational message (racoon does it so); what came up since is not of before. */
static void in_an_informational_message(void **state)
{
	static const struct ike_notify n = { .doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .type = IKE_N_INITIAL_CONTACT };
	struct world *w = world_with(NULL);
	struct ike_tunnel *t;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	t = w->side[ALICE].e->tunnels;
	run_for(w, 10 * IKE_SECOND);
	ike_info_send(ike_tunnel_sa(t), &n);
	run_for(w, IKE_SECOND);
	assert_non_null(strstr(last_log(w, BOB, "initial-contact"), "0 ISAKMP SAs and 0 pairs"));
	assert_true(tunnel_works(w));
	/* Under a newer ISAKMP SA it is about the older pair. */
	ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now);
	run_for(w, 60 * IKE_SECOND);
	assert_true(tunnel_works(w));
	ike_info_send(ike_tunnel_sa(t), &n);
	run_for(w, IKE_SECOND / 2);
	assert_non_null(strstr(last_log(w, BOB, "initial-contact"), "1 pairs"));
	world_free(w);
}

/* ---- RESPONDER-LIFETIME (#19, #20) -------------------------------------------------------------------- */

static void bob_is_short(struct ike_tunnel_cfg *t, int who)
{
	t->p1_life = who ? 3000 : 86400;
	t->p2_life = who ? 900 : 3600;
	t->p2_life_kb = who ? 50000 : 0;
}

static void note_lives(void *ctx, const struct ike_tunnel_status *st)
{
	ike_time *at = ctx;

	at[0] = st->n_p1 ? st->p1[0].expires_at : 0;
	at[1] = st->n_children ? st->child[0].expires_at : 0;
	at[2] = st->n_children ? st->child[0].rekey_at : 0;
}

static void the_lower_one_counts_at_both_ends(void **state)
{
	struct world *w = world_with(bob_is_short);
	ike_time lives[3];

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, IKE_SECOND);
	ike_status(w->side[ALICE].e, note_lives, lives);
	assert_in_range(lives[0] - w->now, 2990 * IKE_SECOND, 3000 * IKE_SECOND);
	assert_in_range(lives[1] - w->now, 890 * IKE_SECOND, 900 * IKE_SECOND);
	assert_in_range(lives[2] - w->now, 600 * IKE_SECOND, 880 * IKE_SECOND);
	assert_non_null(strstr(last_log(w, ALICE, "responder-lifetime"), "900 s, 50000 kB"));
	/* A kilobyte is 1000 octets when we rekey, 1024 when we stop. */
	assert_int_equal(active_out(&w->side[ALICE])->hard_bytes, 50000 * 1024);
	world_free(w);
}

/* It came in a message of its own, about an SA that is up; never raised, never below 10 s. */
static void afterwards(void **state)
{
	static const uint8_t attrs[3][8] = {
		{ 0x80, 1, 0, 1, 0x80, 2, 0, 200 },		/* 200 s */
		{ 0x80, 1, 0, 1, 0x80, 2, 0xff, 0xff },		/* 65535 s */
		{ 0x80, 1, 0, 1, 0x80, 2, 0, 5 },		/* 5 s */
	};
	struct world *w = world_with(NULL);
	struct ike_tunnel *bob;
	uint8_t spi[4];
	struct ike_notify n = { .doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ESP, .type = IKE_N_RESPONDER_LIFETIME,
				.spi = spi, .spi_len = 4, .len = 8 };
	ike_time lives[3];
	unsigned int i;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	bob = w->side[BOB].e->tunnels;
	ike_store32(spi, ike_tunnel_current(bob)->spi_in);
	for (i = 0; i < 3; i++) {
		n.data = attrs[i];
		ike_info_send(ike_tunnel_sa(bob), &n);
		run_for(w, IKE_SECOND);
		ike_status(w->side[ALICE].e, note_lives, lives);
		assert_in_range(lives[1] - w->now, 190 * IKE_SECOND, 200 * IKE_SECOND);
	}
	assert_non_null(strstr(last_log(w, ALICE, "malformed"), "RESPONDER-LIFETIME"));
	world_free(w);
}

/* ---- deletes of the ISAKMP SA (#50, #54) --------------------------------------------------------------- */

static void they_go_along(struct ike_tunnel_cfg *t, int who)
{
	t->delete_takes_children = !who;
}

static void isakmp_delete(twist_fn twist, unsigned int left)
{
	struct world *w = world_with(twist);

	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	ike_ikesa_kill(ike_tunnel_sa(w->side[BOB].e->tunnels), true, "the test says so");
	run_for(w, IKE_SECOND / 2);
	assert_int_equal(counters(w, ALICE).p1_now, 0);
	assert_int_equal(count_sas(&w->side[ALICE], IKE_OUT, true), left);
	assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, true), 1);
	world_free(w);
}

static void leaves_the_ipsec_sas(void **state)
{
	(void)state;
	isakmp_delete(NULL, 1);
}

static void or_takes_them_along(void **state)
{
	(void)state;
	isakmp_delete(they_go_along, 0);
}

/* One that was replaced takes nothing along. */
static void a_replaced_one_takes_nothing(void **state)
{
	struct world *w = world_with(they_go_along);
	uint32_t spi;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	spi = active_out(&w->side[ALICE])->spi;
	ike_command(w->side[BOB].e, IKE_CMD_REKEY_P1, "paris", w->now);
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_now, 1);
	assert_int_equal(counters(w, ALICE).p1_established, 2);
	assert_int_equal(active_out(&w->side[ALICE])->spi, spi);
	assert_true(tunnel_works(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_ones_go_at_once),
		cmocka_unit_test(said_once),
		cmocka_unit_test(not_after_adoption),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(by_identity_not_by_address),
		cmocka_unit_test(in_an_informational_message),
		cmocka_unit_test(the_lower_one_counts_at_both_ends),
		cmocka_unit_test(afterwards),
		cmocka_unit_test(leaves_the_ipsec_sas),
		cmocka_unit_test(or_takes_them_along),
		cmocka_unit_test(a_replaced_one_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
