// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Odd, hostile and numerous peers: messages with payloads that do not belong, bad public
 * values, deletes that were tampered with or name the wrong SPI, several tunnels to one
 * peer, peers that agree and then delete, configurations that cannot be.
 */
#include "two_engines.h"

#include "libike/half_open.h"
#include "libike/info.h"
#include "libike/phase1.h"
#include "libike/quick_mode.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

/* ---- payloads that do not belong ----------------------------------------------------------- */

/* Insert a payload in front of the message's first one, in clear messages. */
static void insert_payload(struct packet *p, uint8_t type, size_t len)
{
	uint8_t *m = calloc(1, p->len + 4 + len);

	memcpy(m, p->data, 28);
	m[28] = m[16];
	m[16] = type;
	m[30] = (uint8_t)((4 + len) >> 8);
	m[31] = (uint8_t)(4 + len);
	memcpy(m + 32 + len, p->data + 28, p->len - 28);
	free(p->data);
	p->data = m;
	p->len += 4 + len;
	m[26] = (uint8_t)(p->len >> 8);
	m[27] = (uint8_t)p->len;
}

static unsigned int add_unknown(struct world *w, struct packet *p)
{
	(void)w;
	if (p->name[0] == 'M' && p->name[2] < '5')
		insert_payload(p, 200, 33);
	return 1;
}

/* A type nobody has a name for is skipped wherever it comes. */
static void unknown_payloads_are_skipped(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	w->wire = add_unknown;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3");
	world_free(w);
}

static unsigned int add_misplaced_once(struct world *w, struct packet *p)
{
	if (strcmp(p->name, w->target) || w->seen++)
		return 1;
	insert_payload(p, (uint8_t)w->count, 40);
	return 1;
}

/* A KE in MM1, a second SA in MM2, a HASH in MM3, a delete in MM4: dropped, and the repetition is taken. */
static void misplaced_payloads_are_refused(void **state)
{
	static const struct { const char *target; unsigned int type; } tab[] = {
		{ "MM1", 4 }, { "MM1", 1 }, { "MM2", 1 }, { "MM2", 5 }, { "MM3", 8 }, { "MM3", 10 }, { "MM4", 12 }, { "MM4", 9 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct world *w = world_new(P1, P2);
		int to = (tab[i].target[2] & 1) ? BOB : ALICE;

		w->wire = add_misplaced_once;
		w->target = tab[i].target;
		w->count = tab[i].type;
		if (!run_until(w, both_done, 10 * IKE_SECOND))
			fail_msg("%s with payload %u: %s", tab[i].target, tab[i].type, w->trace);
		if (!find_log(w, to, "unexpected") && !find_log(w, to, "malformed"))
			fail_msg("%s with payload %u taken", tab[i].target, tab[i].type);
		assert_int_equal(counters(w, ALICE).retransmits, 1);
		world_free(w);
	}
}

/* ---- public values --------------------------------------------------------------------------- */

enum ke_fault { KE_ZERO, KE_ONE, KE_MAX, KE_SHORT, KE_LONG };

static void spoil_ke(struct packet *p, enum ke_fault fault)
{
	size_t len = (size_t)(p->data[30] << 8 | p->data[31]);	/* KE comes first */

	assert_int_equal(p->data[16], 4);
	if (fault == KE_ZERO || fault == KE_ONE)
		memset(p->data + 32, 0, len - 4);
	if (fault == KE_ONE)
		p->data[28 + len - 1] = 1;
	if (fault == KE_MAX)
		memset(p->data + 32, 0xff, len - 4);
	if (fault == KE_SHORT || fault == KE_LONG) {
		size_t by = fault == KE_SHORT ? 1 : 2;
		size_t to = fault == KE_SHORT ? len - by : len + by;
		uint8_t *m = calloc(1, p->len + 2);

		memcpy(m, p->data, 28 + (to < len ? to : len));
		memcpy(m + 28 + to, p->data + 28 + len, p->len - 28 - len);
		p->len = p->len + to - len;
		free(p->data);
		p->data = m;
		m[30] = (uint8_t)(to >> 8);
		m[31] = (uint8_t)to;
		m[26] = (uint8_t)(p->len >> 8);
		m[27] = (uint8_t)p->len;
	}
}

static unsigned int bad_ke_once(struct world *w, struct packet *p)
{
	if (strcmp(p->name, w->target) || w->seen++)
		return 1;
	spoil_ke(p, (enum ke_fault)w->count);
	return 1;
}

static void bad_public_values(void **state)
{
	static const char *const suites[] = { "aes128-sha256-modp2048", P1 };
	static const char *const targets[] = { "MM3", "MM4" };
	unsigned int fault, s, t;

	(void)state;
	for (s = 0; s < 2; s++) {
		for (t = 0; t < 2; t++) {
			for (fault = KE_ZERO; fault <= KE_LONG; fault++) {
				struct world *w = world_new(suites[s], P2);

				w->wire = bad_ke_once;
				w->target = targets[t];
				w->count = fault;
				if (!run_until(w, both_done, 10 * IKE_SECOND))
					fail_msg("%s %s %u: %s", suites[s], targets[t], fault, w->trace);
				assert_non_null(find_log(w, t ? ALICE : BOB, "invalid-ke"));
				assert_int_equal(counters(w, ALICE).p1_established, 1);
				world_free(w);
			}
		}
	}
}

/* ---- deletes ----------------------------------------------------------------------------------- */

static unsigned int tamper_info(struct world *w, struct packet *p)
{
	uint8_t copy[512];
	size_t i;

	if (strcmp(p->name, "INFO"))
		return 1;
	assert_true(p->len <= sizeof(copy));
	for (i = 0; i < p->len; i++) {
		/* RFC 2409 5.7: HASH(1) does not cover minor version and flags, and nothing depends on them. */
		if (i == 17 || i == 19)
			continue;
		memcpy(copy, p->data, p->len);
		copy[i] ^= 1 << (i & 7);
		ike_datagram(w->side[p->to].e, &p->path, copy, p->len, w->now);
		drain(w, p->to);
		assert_int_equal(counters(w, p->to).p1_now, 1);
		assert_int_equal(counters(w, p->to).children_now, 2 - w->seen);
	}
	w->seen++;
	return 1;
}

/* The HASH is checked before any effect: with one bit changed anywhere, nothing happens. */
static void tampered_delete_has_no_effect(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	w->wire = tamper_info;
	run_for(w, 57 * IKE_SECOND);		/* A deletes the old pair */
	assert_int_equal(w->seen, 1);
	assert_int_equal(counters(w, BOB).children_now, 1);
	assert_true(counters(w, BOB).unauthenticated > 50);
	world_free(w);
}

/* Cisco names the SPI it sends on, which is the receiver's own inbound one. */
static void delete_names_our_own_spi(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_tunnel *t;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	forget_trace(w);
	t = w->side[BOB].e->tunnels;
	ike_info_delete_esp(ike_tunnel_sa(t), t->children->spi_out);
	run_for(w, IKE_SECOND / 2);
	assert_string_equal(w->trace, "B:INFO");
	assert_int_equal(counters(w, ALICE).children_now, 0);
	assert_non_null(strstr(find_log(w, ALICE, "delete")->text, "names our inbound SPI"));
	world_free(w);
}

static void delete_of_unknown_things(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_tunnel *t;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	t = w->side[BOB].e->tunnels;
	ike_info_delete_esp(ike_tunnel_sa(t), 0x12345678);
	ike_info_notify(ike_tunnel_sa(t), IKE_N_INITIAL_CONTACT, IKE_PROTO_ISAKMP, 0);
	ike_info_notify(ike_tunnel_sa(t), IKE_N_NO_PROPOSAL_CHOSEN, IKE_PROTO_ESP, 0x999);
	run_for(w, 10 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, ALICE).p2_established, 1);
	assert_int_equal(count_logs(w, ALICE, "notify"), 2);
	world_free(w);
}

/* An ISAKMP SA gone at the peer: the IPsec SAs go on, and the next rekey makes a new one. */
static void isakmp_delete_leaves_children(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_tunnel *t;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	t = w->side[BOB].e->tunnels;
	ike_info_delete_ikesa(ike_tunnel_sa(t));
	run_for(w, 10 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_now, 0);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, ALICE).p2_established, 1);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 10 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 2);
	assert_int_equal(counters(w, ALICE).p2_established, 2);
	assert_true(tunnel_works(w));
	world_free(w);
}

static unsigned int refuse_all_adds(struct world *w, struct packet *p)
{
	(void)p;
	w->side[BOB].fail_action = IKE_ACT_SA_ACTIVATE + 1;
	return 1;
}

/* A peer whose kernel refuses each pair after it was agreed: A backs off instead of spinning. */
static void agreed_and_deleted_again_and_again(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	w->wire = refuse_all_adds;
	run_for(w, 600 * IKE_SECOND);
	assert_in_range(counters(w, ALICE).p2_established, 5, 20);
	w->wire = NULL;
	w->side[BOB].fail_action = 0;
	assert_true(run_until(w, both_done, 100 * IKE_SECOND));
	world_free(w);
}

/* ---- notifies that name a quick mode, or none ----------------------------------------------------- */

static unsigned int lose_target(struct world *w, struct packet *p)
{
	return strcmp(p->name, w->target) != 0;
}

static struct ike_exchange *quick_of(struct world *w, int who)
{
	return ike_flow_quick(&(w->side[who].e->tunnels)->flow[0], false);
}

static void say_no(struct world *w, int who, uint32_t spi)
{
	ike_info_notify(ike_tunnel_sa(w->side[who].e->tunnels), IKE_N_NO_PROPOSAL_CHOSEN, IKE_PROTO_ESP, spi);
	run_for(w, IKE_SECOND / 10);
}

/* B's answer is on its way: only a notify with its SPI ends it. */
static void late_notify_spares_what_was_answered(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	w->wire = lose_target;
	w->target = "QM2";
	run_for(w, IKE_SECOND / 5);
	assert_int_equal(quick_of(w, BOB)->state, IKE_ST_QM_ANSWERED);
	say_no(w, ALICE, 0x999);
	say_no(w, ALICE, 0);
	assert_int_equal(count_logs(w, BOB, "notify"), 2);
	assert_non_null(quick_of(w, BOB));
	say_no(w, ALICE, quick_of(w, ALICE)->quick->child->spi_in);
	assert_null(quick_of(w, BOB));
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 0);
	world_free(w);
}

/* A's question: a foreign SPI means another one, no SPI can only mean this. */
static void notify_without_spi_ends_our_only_question(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	w->wire = lose_target;
	w->target = "QM1";
	run_for(w, IKE_SECOND / 5);
	assert_int_equal(quick_of(w, ALICE)->state, IKE_ST_QM_SENT);
	say_no(w, BOB, 0x999);
	assert_non_null(quick_of(w, ALICE));
	say_no(w, BOB, 0);
	assert_null(quick_of(w, ALICE));
	assert_int_equal(count_logs(w, ALICE, "p2-failed"), 1);
	world_free(w);
}

/* ---- a delete that never came, deletes in the wrong order ---------------------------------------- */

/* B has forgotten the ISAKMP SA and A does not know: a new one long before QM1 is given up. */
static void silent_isakmp_sa_is_replaced(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	ike_ikesa_kill(w->side[BOB].e->ikesas, false, "forgotten");
	ike_engine_leave(w->side[BOB].e);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 15 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, ALICE).p2_established, 2);
	assert_int_equal(counters(w, ALICE).p1_established, 2);
	world_free(w);
}

static unsigned int lose_quick(struct world *w, struct packet *p)
{
	(void)w;
	return strncmp(p->name, "QM", 2) != 0;
}

/* A peer that never answers a quick mode: not one ISAKMP SA after the other. */
static void doubts_are_bounded(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	w->wire = lose_quick;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 600 * IKE_SECOND);
	assert_in_range(counters(w, ALICE).p1_established, 3, 20);
	w->wire = NULL;
	run_for(w, 100 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, ALICE).p2_established, 2);
	world_free(w);
}

static unsigned int hold_first_info(struct world *w, struct packet *p)
{
	if (strcmp(p->name, "INFO") || w->seen++)
		return 1;
	keep_copy(w, p);
	return 0;
}

static void deletes_in_the_wrong_order(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	w->wire = hold_first_info;
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_DOWN, "paris", w->now), 0);
	run_for(w, IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	assert_null(ike_tunnel_any_sa(w->side[BOB].e->tunnels));
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
	deliver(w, BOB, &w->kept.path, w->kept.data, w->kept.len);
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 0);
	deliver(w, BOB, &w->kept.path, w->kept.data, w->kept.len);
	assert_int_equal(count_logs(w, BOB, "replay"), 1);
	assert_non_null(w->side[BOB].e->ikesas);	/* readable */
	run_for(w, 10 * IKE_SECOND);
	assert_null(w->side[BOB].e->ikesas);		/* not for long */
	assert_true(nothing_left(w));
	world_free(w);
}

/* A deletes the ISAKMP SA as soon as its QM3 is out, and the delete comes first. */
static void qm3_after_the_delete(void **state)
{
	struct world *w = world_new(P1, P2);

	(void)state;
	w->wire = lose_target;
	w->target = w->keep = "QM3";
	run_for(w, IKE_SECOND / 5);
	ike_info_delete_ikesa(ike_tunnel_sa(w->side[ALICE].e->tunnels));
	run_for(w, IKE_SECOND / 5);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	assert_null(active_out(&w->side[BOB]));
	deliver(w, BOB, &w->kept.path, w->kept.data, w->kept.len);
	assert_true(both_done(w));
	run_for(w, 10 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_null(w->side[BOB].e->ikesas);
	world_free(w);
}

/* ---- a flood with the peer's address ---------------------------------------------------------------- */

#define FORGED 0xf0f0f0f0u

static unsigned int lose_forged(struct world *w, struct packet *p)
{
	uint32_t mark = FORGED;

	(void)w;
	return memcmp(p->data, &mark, sizeof(mark)) != 0;
}

static void flood(struct world *w, const struct packet *mm1, unsigned int n)
{
	uint32_t mark = FORGED;

	while (n--) {
		w->count++;
		memcpy(mm1->data, &mark, sizeof(mark));
		memcpy(mm1->data + sizeof(mark), &w->count, sizeof(w->count));
		deliver(w, BOB, &mm1->path, mm1->data, mm1->len);
	}
}

/* 200 a second and 100 ms each way: 20 before each message of the true peer, after ten seconds of it. */
static void flood_from_the_peers_address(void **state)
{
	struct world *other = world_new(P1, P2), *w = world_empty(7);
	struct ike_tunnel_cfg t;
	int i;

	(void)state;
	other->keep = "MM1";
	assert_true(step(other, other->now + IKE_SECOND));
	w->wire = lose_forged;
	for (i = 1; i >= 0; i--) {
		tunnel_cfg(&t, i, P1, P2);
		assert_int_equal(side_configure(w, i, &t), 0);
		free(t.psk);
		if (i)
			flood(w, &other->kept, 2000);
	}
	while (!both_done(w) && w->now < 1005 * IKE_SECOND) {
		flood(w, &other->kept, 20);
		assert_true(counters(w, BOB).p1_now <= IKE_HALF_OPEN_PER_PEER + 1);
		assert_true(step(w, w->now + 10 * IKE_SECOND));
	}
	assert_true(both_done(w));
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(other);
	world_free(w);
}

/* ---- several tunnels --------------------------------------------------------------------------- */

static void configure_many(struct world *w, int who, struct ike_tunnel_cfg *t, size_t n)
{
	struct ike_config cfg = { .tunnel = t, .n_tunnels = n };
	unsigned int line = 0;
	char why[200] = "";
	size_t i;

	if (ike_config_check(&cfg, why, sizeof(why), &line))
		fail_msg("line %u: %s", line, why);
	assert_int_equal(ike_configure(w->side[who].e, &cfg, w->now), 0);
	drain(w, who);
	for (i = 0; i < n; i++)
		free(t[i].psk);
}

static bool all_three(struct world *w)
{
	return count_sas(&w->side[ALICE], IKE_OUT, true) == 3 && count_sas(&w->side[BOB], IKE_OUT, true) == 3;
}

/* T17: one ISAKMP SA, three pairs of networks, each in its own tunnel on both sides. */
static void three_networks_one_isakmp_sa(void **state)
{
	struct world *w = world_empty(3);
	struct ike_tunnel_cfg t[3];
	unsigned int i;
	int who;

	(void)state;
	for (who = 1; who >= 0; who--) {
		for (i = 0; i < 3; i++) {
			/* In another order on B, so that the first one is not the one meant. */
			unsigned int net = who ? 2 - i : i;

			tunnel_cfg(&t[i], who, P1, P2);
			snprintf(t[i].name, sizeof(t[i].name), "net%u", net);
			t[i].sel[0].local = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)who, (uint8_t)net } };
			t[i].sel[0].remote = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)!who, (uint8_t)net } };
		}
		configure_many(w, who, t, 3);
	}
	if (!run_until(w, all_three, 30 * IKE_SECOND))
		fail_msg("%s", w->trace);
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	for (i = 0; i < MAX_SAS; i++) {
		const struct kernel_sa *out = &w->side[ALICE].sa[i];

		const struct kernel_sa *in;

		if (!out->used || out->dir != IKE_OUT)
			continue;
		in = kernel_find(&w->side[BOB], IKE_IN, out->spi);
		assert_string_equal(in->tunnel, out->tunnel);
		/* The kernel is told the networks, which are the same from both ends. */
		assert_int_equal(out->local_net.prefix, 24);
		assert_int_equal(out->local_net.ip[2], out->tunnel[3] - '0');
		assert_true(ike_net_equal(&out->local_net, &in->remote_net));
		assert_true(ike_net_equal(&out->remote_net, &in->local_net));
	}
	run_for(w, 100 * IKE_SECOND);
	assert_true(all_three(w));
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

/* Three identities behind one address pair: MM5 tells the responder which tunnel is meant. */
static void three_identities_one_address(void **state)
{
	struct world *w = world_empty(4);
	struct ike_tunnel_cfg t[3];
	unsigned int i;
	int who;

	(void)state;
	for (who = 1; who >= 0; who--) {
		for (i = 0; i < 3; i++) {
			unsigned int n = who ? 2 - i : i;
			char id[32];

			tunnel_cfg(&t[i], who, P1, P2);
			snprintf(t[i].name, sizeof(t[i].name), "id%u", n);
			snprintf(id, sizeof(id), "fqdn:a%u.example", n);
			assert_int_equal(ike_id_parse(id, who ? &t[i].remote_id : &t[i].local_id), 0);
		}
		configure_many(w, who, t, 3);
	}
	if (!run_until(w, all_three, 30 * IKE_SECOND))
		fail_msg("%s", w->trace);
	for (i = 0; i < MAX_SAS; i++) {
		const struct kernel_sa *out = &w->side[ALICE].sa[i];

		if (out->used && out->dir == IKE_OUT)
			assert_string_equal(kernel_find(&w->side[BOB], IKE_IN, out->spi)->tunnel, out->tunnel);
	}
	world_free(w);
}

/* A quick mode has one group: when the peer does not want the first, the next is tried. */
static void next_group_after_no_proposal(void **state)
{
	struct world *w = world_empty(5);
	struct ike_tunnel_cfg t;

	(void)state;
	tunnel_cfg(&t, BOB, P1, "aes256-sha256-modp2048");
	assert_int_equal(side_configure(w, BOB, &t), 0);
	free(t.psk);
	tunnel_cfg(&t, ALICE, P1, P2);
	assert_int_equal(ike_p2_parse("aes256-sha256-modp2048", t.policy, &t.p2[1], NULL), 0);
	t.n_p2 = 2;
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	free(t.psk);
	assert_true(run_until(w, both_done, 30 * IKE_SECOND));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:INFO A:QM1 B:QM2 A:QM3");
	world_free(w);
}

/* local 0.0.0.0: the address MM2 came to is the one the SAs get. */
static void any_local_address(void **state)
{
	struct world *w = world_empty(6);
	struct ike_tunnel_cfg t;
	int who;

	(void)state;
	for (who = 1; who >= 0; who--) {
		tunnel_cfg(&t, who, P1, P2);
		memset(t.local.ip, 0, sizeof(t.local.ip));
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
	}
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_memory_equal(active_out(&w->side[ALICE])->path.local.ip, w->side[ALICE].addr.ip, 4);
	assert_memory_equal(active_out(&w->side[BOB])->path.local.ip, w->side[BOB].addr.ip, 4);
	world_free(w);
}

static void weak_choices_are_flagged(void **state)
{
	struct world *w = world_new("3des-md5-modp1024", "3des-sha1");

	(void)state;
	assert_non_null(strstr(find_log(w, ALICE, "weak-algorithm")->text, "phase 1 allows 3des-md5-modp1024"));
	assert_int_equal(count_logs(w, ALICE, "weak-algorithm"), 2);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(count_logs(w, ALICE, "weak-algorithm"), 4);
	assert_int_equal(find_log(w, BOB, "weak-algorithm")->level, IKE_LOG_WARNING);
	world_free(w);
}

/* ---- configurations that cannot be --------------------------------------------------------------- */

static void clash_psk(struct ike_tunnel_cfg *t)
{
	t[1].psk[0] ^= 1;
}

static void clash_psk_any_local(struct ike_tunnel_cfg *t)
{
	t[1].psk[0] ^= 1;
	memset(t[1].local.ip, 0, 4);
}

static void clash_name(struct ike_tunnel_cfg *t)
{
	snprintf(t[1].name, sizeof(t[1].name), "%s", t[0].name);
}

static void clash_all(struct ike_tunnel_cfg *t)
{
	memset(&t[1].remote_id, 0, sizeof(t[1].remote_id));
}

static void no_p1(struct ike_tunnel_cfg *t)
{
	t[1].n_p1 = 0;
}

static void no_p2(struct ike_tunnel_cfg *t)
{
	t[1].n_p2 = 0;
}

static void no_psk(struct ike_tunnel_cfg *t)
{
	t[1].psk_len = 0;
}

static void no_remote(struct ike_tunnel_cfg *t)
{
	memset(&t[1].remote, 0, sizeof(t[1].remote));
}

static void weak_under_modern(struct ike_tunnel_cfg *t)
{
	t[1].policy = IKE_POLICY_MODERN;
	assert_int_equal(ike_p1_parse("3des-md5-modp1024", IKE_POLICY_INSECURE, &t[1].p1[0], NULL), 0);
}

static void same_peer_other_p1(struct ike_tunnel_cfg *t)
{
	t[1].remote_id = t[0].remote_id;
	t[1].sel[0].remote = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, 1, 2 } };
	assert_int_equal(ike_p1_parse("3des-md5-modp1024", IKE_POLICY_INSECURE, &t[1].p1[1], NULL), 0);
	t[1].n_p1 = 2;
}

/* The default identity, once left out and once written. */
static void clash_default_id(struct ike_tunnel_cfg *t)
{
	assert_int_equal(ike_id_parse("ipv4:192.0.2.2", &t[1].remote_id), 0);
}

static void tiny_life(struct ike_tunnel_cfg *t)
{
	t[1].p2_life = 1;
}

static void esn_without_window(struct ike_tunnel_cfg *t)
{
	t[1].p2[0].esn = true;
	t[1].replay_window = 0;
}

static void configurations_refused(void **state)
{
	static const struct { void (*twist)(struct ike_tunnel_cfg *t); const char *why; } tab[] = {
		{ clash_psk, "different pre-shared keys" },
		{ clash_psk_any_local, "different pre-shared keys" },
		{ clash_name, "the name is taken by line 7" },
		{ clash_all, "nothing tells them apart" },
		{ no_p1, "no phase 1 proposal" },
		{ no_p2, "no phase 2 proposal" },
		{ no_psk, "no pre-shared key" },
		{ no_remote, "no remote address" },
		{ weak_under_modern, "needs the policy word" },
		{ same_peer_other_p1, "share an ISAKMP SA" },
		{ clash_default_id, "nothing tells them apart" },
		{ tiny_life, "phase 2 lifetime 1 s" },
		{ esn_without_window, "need a replay window" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct ike_tunnel_cfg t[2];
		struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
		char why[300] = "";
		unsigned int line = 0;

		tunnel_cfg(&t[0], ALICE, P1, P2);
		tunnel_cfg(&t[1], ALICE, P1, P2);
		snprintf(t[1].name, sizeof(t[1].name), "rome");
		t[1].line = 8;
		assert_int_equal(ike_id_parse("fqdn:rome.example", &t[1].remote_id), 0);
		assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), 0);
		tab[i].twist(t);
		assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), -IKE_E_INVALID);
		if (!strstr(why, tab[i].why))
			fail_msg("\"%s\" does not say \"%s\"", why, tab[i].why);
		assert_int_equal(line, 8);
		free(t[0].psk);
		free(t[1].psk);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_payloads_are_skipped),
		cmocka_unit_test(misplaced_payloads_are_refused),
		cmocka_unit_test(bad_public_values),
		cmocka_unit_test(tampered_delete_has_no_effect),
		cmocka_unit_test(delete_names_our_own_spi),
		cmocka_unit_test(delete_of_unknown_things),
		cmocka_unit_test(isakmp_delete_leaves_children),
		cmocka_unit_test(agreed_and_deleted_again_and_again),
		cmocka_unit_test(late_notify_spares_what_was_answered),
		cmocka_unit_test(notify_without_spi_ends_our_only_question),
		cmocka_unit_test(silent_isakmp_sa_is_replaced),
		cmocka_unit_test(doubts_are_bounded),
		cmocka_unit_test(deletes_in_the_wrong_order),
		cmocka_unit_test(qm3_after_the_delete),
		cmocka_unit_test(flood_from_the_peers_address),
		cmocka_unit_test(three_networks_one_isakmp_sa),
		cmocka_unit_test(three_identities_one_address),
		cmocka_unit_test(next_group_after_no_proposal),
		cmocka_unit_test(any_local_address),
		cmocka_unit_test(weak_choices_are_flagged),
		cmocka_unit_test(configurations_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
