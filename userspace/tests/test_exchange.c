// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole negotiations between two engines: each algorithm, each message lost, doubled,
 * cut and changed, refusals on both sides, unprotected and replayed messages.
 * Rekeys, collisions, deletes, adoption are in test_lifecycle.c.
 */
#include "two_engines.h"

#define P1 "aes256-sha256-modp2048"
#define P1_FAST "aes128-sha256-ecp256"
#define P2 "aes128-sha256"
#define P2_PFS "aes128gcm16-ecp256"
#define PLAIN "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3"

/* ---- the plain exchange -------------------------------------------------------------------- */

static void main_and_quick_mode(void **state)
{
	struct world *w = world_new(P1, "aes128gcm16-modp2048");
	struct ike_counters c;
	int i;

	(void)state;
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	assert_string_equal(w->trace, PLAIN);
	for (i = 0; i < 2; i++) {
		c = counters(w, i);
		assert_int_equal(c.p1_established, 1);
		assert_int_equal(c.p2_established, 1);
		assert_int_equal(c.duplicates + c.retransmits + c.malformed + c.replayed + c.auth_failures, 0);
		assert_int_equal(count_sas(&w->side[i], IKE_IN, true), 1);
		assert_int_equal(count_sas(&w->side[i], IKE_OUT, true), 1);
	}
	run_for(w, 200 * IKE_SECOND);
	assert_string_equal(w->trace, PLAIN);
	world_free(w);
}

static void each_phase1_algorithm(void **state)
{
	static const char *const suites[] = {
		"aes128-sha256-modp2048", "aes192-sha384-modp3072", "aes256-sha512-modp4096",
		"aes256-sha1-modp1536", "3des-md5-modp1024", "aes256-md5-ecp256", "3des-sha512-ecp384",
		"aes128-sha1-ecp521", "aes192-md5-modp1024", "3des-sha1-modp1024",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct world *w = world_new(suites[i], P2);

		if (!run_until(w, tunnel_works, 10 * IKE_SECOND))
			fail_msg("%s: %s", suites[i], w->trace);
		assert_string_equal(w->trace, PLAIN);
		world_free(w);
	}
}

static void each_phase2_algorithm(void **state)
{
	static const struct { const char *suite; size_t encr, auth; } suites[] = {
		{ "aes128gcm16", 20, 0 }, { "aes192gcm16-ecp256", 28, 0 }, { "aes256gcm16-modp1024-esn", 36, 0 },
		{ "aes128-sha256", 16, 32 }, { "aes192-sha384-ecp384", 24, 48 }, { "aes256-sha512-esn", 32, 64 },
		{ "aes256-sha1-modp1536", 32, 20 }, { "aes128-md5-modp2048", 16, 16 }, { "3des-sha1", 24, 20 },
		{ "3des-md5-modp1024", 24, 16 }, { "null-sha256", 0, 32 }, { "aes256-sha256-ecp521", 32, 32 },
		{ "aes128ctr-aesxcbc", 20, 16 }, { "aes192ccm8", 27, 0 }, { "aes256gcm12-ecp256", 36, 0 },
		{ "aes128gmac", 20, 0 }, { "aes128-sha256_96", 16, 32 },
		{ "aes128-sha256-modp3072", 16, 32 }, { "aes128-sha256-modp4096", 16, 32 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
		struct world *w = world_new(P1_FAST, suites[i].suite);
		struct kernel_sa *out;
		char text[80];

		if (!run_until(w, tunnel_works, 10 * IKE_SECOND))
			fail_msg("%s: %s", suites[i].suite, w->trace);
		out = active_out(&w->side[ALICE]);
		assert_int_equal(out->encr_len, suites[i].encr);
		assert_int_equal(out->auth_len, suites[i].auth);
		assert_string_equal(ike_p2_format(&out->alg, text, sizeof(text)), suites[i].suite);
		assert_int_equal(out->hard_bytes, out->alg.transform == 3 ? (uint64_t)2 << 30 : 0);
		world_free(w);
	}
}

static void each_identity(void **state)
{
	static const char *const ids[] = {
		"ipv4:10.1.2.3", "ipv6:2001:db8::1", "fqdn:gw.example", "user-fqdn:admin@gw.example",
		"key-id:branch-7", "key-id:0x0001ff",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct world *w = world_empty(i + 1);
		struct ike_tunnel_cfg t;
		int who;

		for (who = 1; who >= 0; who--) {
			tunnel_cfg(&t, who, P1_FAST, P2);
			assert_int_equal(ike_id_parse(ids[i], who ? &t.local_id : &t.remote_id), 0);
			assert_int_equal(ike_id_parse("fqdn:a.example", who ? &t.remote_id : &t.local_id), 0);
			assert_int_equal(side_configure(w, who, &t), 0);
			free(t.psk);
		}
		assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
		world_free(w);
	}
}

/* ---- loss and duplication ------------------------------------------------------------------- */

static const char *const messages[] = { "MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "QM1", "QM2", "QM3" };
#define N_MESSAGES (sizeof(messages) / sizeof(messages[0]))

static unsigned int lose(struct world *w, struct packet *p)
{
	if (strcmp(p->name, w->target) || w->seen >= w->count)
		return 1;
	w->seen++;
	return 0;
}

static unsigned int twice(struct world *w, struct packet *p)
{
	return strcmp(p->name, w->target) ? 1 : 2;
}

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

static void each_message_lost(void **state)
{
	size_t i;
	unsigned int n;

	(void)state;
	for (i = 0; i < N_MESSAGES; i++) {
		for (n = 1; n <= 8; n += 7) {
			struct world *w = world_new(P1_FAST, P2_PFS);

			w->wire = lose;
			w->target = messages[i];
			w->count = n;
			if (!run_until(w, both_done, 60 * IKE_SECOND))
				fail_msg("%s lost %u times: %s", messages[i], n, w->trace);
			assert_int_equal(w->seen, n);
			assert_int_equal(counters(w, ALICE).p1_established, 1);
			assert_int_equal(counters(w, BOB).p1_established, 1);
			assert_int_equal(counters(w, ALICE).p2_established, 1);
			assert_int_equal(counters(w, BOB).p2_established, 1);
			world_free(w);
		}
	}
}

static void each_message_doubled(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_MESSAGES; i++) {
		struct world *w = world_new(P1_FAST, P2_PFS);

		w->wire = twice;
		w->target = messages[i];
		assert_true(run_until(w, both_done, 60 * IKE_SECOND));
		run_for(w, 120 * IKE_SECOND);
		assert_true(tunnel_works(w));
		assert_int_equal(counters(w, ALICE).p1_established, 1);
		assert_int_equal(counters(w, BOB).p1_established, 1);
		assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 1);
		assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
		assert_true(counters(w, ALICE).duplicates + counters(w, BOB).duplicates >= 1);
		world_free(w);
	}
}

static unsigned int lose_all(struct world *w, struct packet *p)
{
	if (w->n_names)
		memcpy(w->names[0].key, p->data, 8);	/* the cookie last seen */
	return 0;
}

/* T7 of the seeds: the same cookie and octets on each repetition, a new cookie after giving up. */
static void nobody_there(void **state)
{
	struct world *w = world_new(P1, P2);
	uint8_t first[8];

	(void)state;
	w->wire = lose_all;
	w->keep = "MM1";
	run_for(w, 50 * IKE_SECOND);
	assert_int_equal(w->sent[ALICE], 10);
	assert_int_equal(counters(w, ALICE).retransmits, 9);
	memcpy(first, w->kept.data, 8);
	assert_string_equal(w->trace, "A:MM1 A:MM1 A:MM1 A:MM1 A:MM1 A:MM1 A:MM1 A:MM1 A:MM1 A:MM1");
	run_for(w, 15 * IKE_SECOND);
	assert_true(w->sent[ALICE] > 10);
	assert_memory_not_equal(first, w->kept.data, 8);
	assert_non_null(find_log(w, ALICE, "timeout"));
	/* It goes on for ever, with growing pauses, and keeps nothing. */
	run_for(w, 3600 * IKE_SECOND);
	assert_true(counters(w, ALICE).p1_now <= 1);
	assert_in_range(w->sent[ALICE], 300, 400);
	assert_int_equal(counters(w, BOB).datagrams_in, 0);
	world_free(w);
}

/* ---- hostile bytes ---------------------------------------------------------------------------- */

/* Deliver the message cut at each octet, its length field telling the truth, then whole. */
static unsigned int cut_first(struct world *w, struct packet *p)
{
	uint8_t copy[2048];
	size_t len;

	if (strcmp(p->name, w->target) || w->seen)
		return 1;
	w->seen++;
	assert_true(p->len <= sizeof(copy));
	for (len = 0; len < p->len; len++) {
		memcpy(copy, p->data, p->len);
		if (len >= 28) {
			copy[26] = (uint8_t)(len >> 8);
			copy[27] = (uint8_t)len;
		}
		ike_datagram(w->side[p->to].e, &p->path, copy, len, w->now);
	}
	return 1;
}

static void each_message_cut_at_each_octet(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_MESSAGES; i++) {
		struct world *w = world_new(P1_FAST, P2_PFS);

		w->wire = cut_first;
		w->target = messages[i];
		if (!run_until(w, both_done, 60 * IKE_SECOND))
			fail_msg("%s: %s", messages[i], w->trace);
		assert_int_equal(counters(w, ALICE).p1_established, 1);
		assert_int_equal(counters(w, BOB).p1_established, 1);
		assert_true(counters(w, ALICE).malformed + counters(w, BOB).malformed >= 28);
		world_free(w);
	}
}

static size_t replayed(struct world *w)
{
	return counters(w, ALICE).replayed + counters(w, BOB).replayed;
}

/* Deliver the message with each octet changed in three ways, then as it was. */
static unsigned int flip_first(struct world *w, struct packet *p)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	uint8_t copy[2048];
	size_t i, f;

	if (strcmp(p->name, w->target) || w->seen)
		return 1;
	w->seen++;
	for (i = 0; i < p->len; i++) {
		/* Minor version and flags are covered by no HASH, and nothing depends on them. */
		if (i == 17 || i == 19)
			continue;
		for (f = 0; f < sizeof(flips); f++) {
			/* A changed SA, KE or nonce in clear is a different offer, not a broken one: see below. */
			if (i >= 28 && p->name[0] == 'M' && p->name[2] < '5' && i % 4 > 1)
				continue;
			memcpy(copy, p->data, p->len);
			copy[i] ^= flips[f];
			ike_datagram(w->side[p->to].e, &p->path, copy, p->len, w->now);
			drain(w, p->to);
		}
	}
	w->at = replayed(w);
	return 1;
}

static void encrypted_messages_changed_at_each_octet(void **state)
{
	size_t i;

	(void)state;
	for (i = 4; i < N_MESSAGES; i++) {
		struct world *w = world_new(P1_FAST, P2_PFS);

		w->wire = flip_first;
		w->target = messages[i];
		if (!run_until(w, both_done, 60 * IKE_SECOND))
			fail_msg("%s: %s", messages[i], w->trace);
		assert_int_equal(counters(w, ALICE).p1_established, 1);
		assert_int_equal(counters(w, BOB).p1_established, 1);
		assert_int_equal(counters(w, ALICE).p2_established, 1);
		assert_int_equal(counters(w, BOB).p2_established, 1);
		/* The true message was the first one taken. */
		assert_int_equal(replayed(w), w->at);
		assert_string_equal(w->trace, PLAIN);
		world_free(w);
	}
}

/* Unprotected messages may be changed so that the negotiation fails; it must recover by itself. */
static void clear_messages_changed_at_each_octet(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		struct world *w = world_new(P1_FAST, P2_PFS);

		w->wire = flip_first;
		w->target = messages[i];
		if (!run_until(w, both_done, 300 * IKE_SECOND))
			fail_msg("%s: %s", messages[i], w->trace);
		assert_in_range(counters(w, BOB).p1_now, 1, 25);	/* three of each octet of the cookie, and the true one */
		world_free(w);
	}
}

static void oversized_and_tiny(void **state)
{
	struct world *w = world_new(P1_FAST, P2);
	struct ike_path path = { .local = w->side[BOB].addr, .remote = w->side[ALICE].addr };
	uint8_t *big = calloc(1, 65507);
	size_t len;

	(void)state;
	memset(big, 0x41, 65507);
	for (len = 16385; len < 65507; len += 4111)
		deliver(w, BOB, &path, big, len);
	assert_int_equal(counters(w, BOB).oversized, 12);
	for (len = 0; len < 28; len++)
		deliver(w, BOB, &path, big, len);
	assert_int_equal(counters(w, BOB).malformed, 28);
	assert_non_null(find_log(w, BOB, "oversized"));
	assert_int_equal(counters(w, BOB).p1_now, 0);
	free(big);
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	world_free(w);
}

static void strangers_and_zero_cookies(void **state)
{
	struct world *w = world_new(P1_FAST, P2);
	struct ike_path path = { .local = w->side[BOB].addr, .remote = v4("203.0.113.9") };
	uint8_t mm1[2048];
	size_t len;

	(void)state;
	w->keep = "MM1";
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	len = w->kept.len;
	memcpy(mm1, w->kept.data, len);

	deliver(w, BOB, &path, mm1, len);		/* --> MM1 from an address nobody configured */
	assert_int_equal(counters(w, BOB).unknown_peer, 1);
	path.remote = w->side[ALICE].addr;
	memset(mm1, 0, 8);
	deliver(w, BOB, &path, mm1, len);		/* --> MM1 with a zero initiator cookie */
	assert_int_equal(counters(w, BOB).malformed, 1);
	memset(mm1, 0x11, 16);
	deliver(w, BOB, &path, mm1, len);		/* --> cookies of no SA */
	assert_int_equal(counters(w, BOB).unknown_cookies, 1);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	assert_int_equal(w->n_queue, 0);		/* <-- nothing at all */
	world_free(w);
}

/* ---- refusals --------------------------------------------------------------------------------- */

/* A and B configured alike but for what 'twist' does to B. */
static struct world *world_twisted(void (*twist)(struct ike_tunnel_cfg *t))
{
	struct world *w = world_empty(7);
	struct ike_tunnel_cfg t;
	int who;

	for (who = 1; who >= 0; who--) {
		tunnel_cfg(&t, who, P1_FAST, P2_PFS);
		if (who)
			twist(&t);
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
	}
	return w;
}

static void other_psk(struct ike_tunnel_cfg *t)
{
	t->psk[3] ^= 1;
}

static void wrong_psk(void **state)
{
	struct world *w = world_twisted(other_psk);

	(void)state;
	run_for(w, 58 * IKE_SECOND);
	assert_false(tunnel_works(w));
	/* Named for what it is on both sides, and never called a codec error. */
	assert_non_null(find_log(w, BOB, "psk-mismatch"));
	assert_non_null(find_log(w, ALICE, "psk-mismatch"));
	assert_null(find_log(w, BOB, "malformed"));
	assert_null(find_log(w, ALICE, "malformed"));
	assert_non_null(strstr(find_log(w, BOB, "psk-mismatch")->text, "probable PSK mismatch"));
	assert_non_null(strstr(find_log(w, ALICE, "psk-mismatch")->text, "probable PSK mismatch"));
	assert_int_equal(counters(w, BOB).malformed + counters(w, ALICE).malformed, 0);
	assert_true(counters(w, BOB).auth_failures >= 1);
	assert_true(counters(w, ALICE).auth_failures >= 1);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	world_free(w);
}

static void other_p1(struct ike_tunnel_cfg *t)
{
	assert_int_equal(ike_p1_parse("3des-sha1-modp1536", t->policy, &t->p1[0], NULL), 0);
}

static void no_common_phase1(void **state)
{
	struct world *w = world_twisted(other_p1);
	const struct log_entry *l;

	(void)state;
	w->keep = "INFO";
	run_for(w, 40 * IKE_SECOND);
	assert_false(tunnel_works(w));
	l = find_log(w, BOB, "no-proposal");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "offered " P1_FAST));
	assert_non_null(strstr(l->text, "configured 3des-sha1-modp1536 (line 70)"));
	/* <-- N(NO-PROPOSAL-CHOSEN), unprotected, so only a hint to A: it goes on asking */
	assert_int_equal(w->kept.data[16], 11);
	assert_int_equal(w->kept.data[18], 5);
	assert_int_equal(w->kept.data[19], 0);
	assert_int_equal(w->kept.data[28 + 4 + 6] << 8 | w->kept.data[28 + 4 + 7], 14);
	assert_non_null(find_log(w, ALICE, "unauthenticated"));
	assert_int_equal(counters(w, BOB).p1_now, 0);
	run_for(w, 30 * IKE_SECOND);
	assert_non_null(strstr(find_log(w, ALICE, "timeout")->text, "NO-PROPOSAL-CHOSEN"));
	world_free(w);
}

static void other_p2(struct ike_tunnel_cfg *t)
{
	assert_int_equal(ike_p2_parse("3des-md5-modp1024", t->policy, &t->p2[0], NULL), 0);
}

static void no_common_phase2(void **state)
{
	struct world *w = world_twisted(other_p2);
	const struct log_entry *l;

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:INFO");
	l = find_log(w, BOB, "no-proposal");
	assert_non_null(strstr(l->text, "offered " P2_PFS));
	assert_non_null(strstr(l->text, "configured 3des-md5-modp1024"));
	assert_non_null(strstr(find_log(w, ALICE, "p2-failed")->text, "NO-PROPOSAL-CHOSEN (14)"));
	assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 0);
	assert_int_equal(counters(w, ALICE).p1_now, 1);		/* the ISAKMP SA stays */
	world_free(w);
}

static void other_nets(struct ike_tunnel_cfg *t)
{
	t->sel[0].local = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, 1, 2 } };
}

static void other_networks(void **state)
{
	struct world *w = world_twisted(other_nets);
	const struct log_entry *l;

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	l = find_log(w, BOB, "invalid-id");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "offered: ours 0.0.0.0/0, theirs 0.0.0.0/0"));
	assert_non_null(strstr(l->text, "expected: 10.1.2.0/24 === 0.0.0.0/0 (line 70)"));
	assert_non_null(strstr(find_log(w, ALICE, "p2-failed")->text, "INVALID-ID-INFORMATION (18)"));
	world_free(w);
}

static void other_remote_id(struct ike_tunnel_cfg *t)
{
	assert_int_equal(ike_id_parse("fqdn:else.example", &t->remote_id), 0);
}

static void wrong_initiator_id(void **state)
{
	struct world *w = world_twisted(other_remote_id);
	const struct log_entry *l;

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:INFO");
	l = find_log(w, BOB, "invalid-id");
	assert_non_null(strstr(l->text, "peer says it is ipv4:192.0.2.1, expected fqdn:else.example (line 70)"));
	assert_non_null(strstr(find_log(w, ALICE, "auth-failed")->text, "INVALID-ID-INFORMATION"));
	assert_int_equal(counters(w, ALICE).p1_now + counters(w, BOB).p1_now, 0);
	world_free(w);
}

static void other_local_id(struct ike_tunnel_cfg *t)
{
	assert_int_equal(ike_id_parse("fqdn:else.example", &t->local_id), 0);
}

static void wrong_responder_id(void **state)
{
	struct world *w = world_twisted(other_local_id);

	(void)state;
	run_for(w, 4 * IKE_SECOND);
	/* B takes the SA for established, so A tells it that it is not. */
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:INFO A:INFO");
	assert_non_null(strstr(find_log(w, ALICE, "invalid-id")->text,
			       "peer says it is fqdn:else.example, expected ipv4:192.0.2.2 (line 7)"));
	assert_int_equal(counters(w, ALICE).p1_now + counters(w, BOB).p1_now, 0);
	world_free(w);
}

static void lifetimes_cut(struct ike_tunnel_cfg *t)
{
	t->p1_life = 600;
	t->p2_life = 100000;		/* over 65535: TLV on the wire */
	t->p2_life_kb = 1000000;
}

static void shorter_lifetime_counts(void **state)
{
	struct world *w = world_twisted(lifetimes_cut);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_non_null(strstr(find_log(w, BOB, "p1-established")->text, "lifetime 600 s"));
	/* #19: the responder returns the transform as it was, and says in notifies what it makes of it. */
	assert_non_null(strstr(find_log(w, ALICE, "p1-established")->text, "lifetime 86400 s"));
	assert_non_null(strstr(find_log(w, ALICE, "responder-lifetime")->text, "this ISAKMP SA ends after 600 s"));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 B:INFO A:QM1 B:QM2 A:QM3");
	assert_non_null(strstr(find_log(w, BOB, "p2-established")->text, "lifetime 3600 s"));
	assert_int_equal(active_out(&w->side[BOB])->hard_bytes, (uint64_t)1000000 * 1024);
	assert_int_equal(active_out(&w->side[ALICE])->hard_bytes, (uint64_t)1000000 * 1024);
	world_free(w);
}

/* ---- without proof, and again ------------------------------------------------------------------ */

/* Each message of the negotiation again, long after: nothing happens. */
static void each_message_replayed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_MESSAGES; i++) {
		struct world *w = world_new(P1_FAST, P2_PFS);
		struct ike_counters a, b;

		w->keep = messages[i];
		assert_true(run_until(w, both_done, 10 * IKE_SECOND));
		run_for(w, 200 * IKE_SECOND);
		forget_trace(w);
		deliver(w, w->kept.to, &w->kept.path, w->kept.data, w->kept.len);
		a = counters(w, w->kept.to);
		assert_int_equal(w->n_queue, 0);
		assert_string_equal(w->trace, "");
		assert_true(a.duplicates + a.replayed >= 1);
		deliver(w, w->kept.to, &w->kept.path, w->kept.data, w->kept.len);
		b = counters(w, w->kept.to);
		assert_int_equal(b.p1_now, 1);
		assert_int_equal(b.children_now, 1);
		assert_true(tunnel_works(w));
		world_free(w);
	}
}

/* An ISAKMP header and one payload. */
static size_t forge(uint8_t *m, const uint8_t *cookies, uint8_t flags, uint32_t msgid, uint8_t type,
		    const void *body, size_t len)
{
	memcpy(m, cookies, 16);
	m[16] = type;
	m[17] = 0x10;
	m[18] = 5;
	m[19] = flags;
	m[20] = (uint8_t)(msgid >> 24);
	m[21] = (uint8_t)(msgid >> 16);
	m[22] = (uint8_t)(msgid >> 8);
	m[23] = (uint8_t)msgid;
	m[24] = m[25] = 0;
	m[26] = (uint8_t)((28 + 4 + len) >> 8);
	m[27] = (uint8_t)(28 + 4 + len);
	m[28] = m[29] = 0;
	m[30] = (uint8_t)((4 + len) >> 8);
	m[31] = (uint8_t)(4 + len);
	memcpy(m + 32, body, len);
	return 32 + len;
}

static void unprotected_deletes_and_notifies(void **state)
{
	struct world *w = world_new(P1_FAST, P2);
	struct ike_path path = { .local = w->side[BOB].addr, .remote = w->side[ALICE].addr };
	uint8_t d_esp[12] = { 0, 0, 0, 1, 3, 4, 0, 1 }, d_ike[24] = { 0, 0, 0, 1, 1, 16, 0, 1 };
	uint8_t n_initial[8] = { 0, 0, 0, 1, 1, 0, 0x60, 0x02 }, m[128];
	const struct log_entry *l;
	uint32_t spi;
	size_t len;
	int i;

	(void)state;
	w->keep = "QM3";
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	spi = active_out(&w->side[BOB])->spi;
	d_esp[8] = (uint8_t)(spi >> 24);
	d_esp[9] = (uint8_t)(spi >> 16);
	d_esp[10] = (uint8_t)(spi >> 8);
	d_esp[11] = (uint8_t)spi;
	memcpy(d_ike + 8, w->kept.data, 16);
	forget_trace(w);

	for (i = 0; i < 2; i++) {		/* in clear, and with the flag set over garbage */
		len = forge(m, w->kept.data, (uint8_t)i, 0x1234 + (uint32_t)i, 12, d_esp, sizeof(d_esp));
		deliver(w, BOB, &path, m, len);		/* --> D(ESP) */
		len = forge(m, w->kept.data, (uint8_t)i, 0x2234 + (uint32_t)i, 12, d_ike, sizeof(d_ike));
		deliver(w, BOB, &path, m, len);		/* --> D(ISAKMP) */
		len = forge(m, w->kept.data, (uint8_t)i, 0x3234 + (uint32_t)i, 11, n_initial, sizeof(n_initial));
		deliver(w, BOB, &path, m, len);		/* --> N(INITIAL-CONTACT) */
	}
	assert_int_equal(counters(w, BOB).unauthenticated, 6);
	l = find_log(w, BOB, "unauthenticated");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "no effect"));
	assert_string_equal(w->trace, "");
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

/* A notify before each message, as an attacker beside the path can: the negotiation completes. */
static unsigned int notify_before(struct world *w, struct packet *p)
{
	uint8_t n[8] = { 0, 0, 0, 1, 1, 0, 0, 14 }, m[128];
	size_t len = forge(m, p->data, 0, 0x7777 + w->seen++, 11, n, sizeof(n));

	ike_datagram(w->side[p->to].e, &p->path, m, len, w->now);
	return 1;
}

static void spoofed_notify_before_each_message(void **state)
{
	struct world *w = world_new(P1_FAST, P2_PFS);

	(void)state;
	w->wire = notify_before;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, PLAIN);
	world_free(w);
}

/* ---- floods ------------------------------------------------------------------------------------ */

static void half_open_flood(void **state)
{
	struct world *w = world_new(P1_FAST, P2);
	struct ike_path path = { .local = w->side[BOB].addr, .remote = w->side[ALICE].addr };
	uint8_t mm1[2048];
	unsigned int i;

	(void)state;
	w->keep = "MM1";
	assert_true(step(w, w->now + IKE_SECOND));	/* A: MM1 */
	memcpy(mm1, w->kept.data, w->kept.len);
	for (i = 1; i <= 5000; i++) {			/* --> 5000 spoofed ones */
		struct ike_action a;

		memcpy(mm1, &i, sizeof(i));
		ike_datagram(w->side[BOB].e, &path, mm1, w->kept.len, w->now);
		while (ike_next_action(w->side[BOB].e, &a))
			;
	}
	assert_true(counters(w, BOB).p1_now <= 512);
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

/* As many octets out as in, at most, until the peer has shown that it receives. */
static void no_amplification(void **state)
{
	struct world *w = world_new(P1_FAST, P2);
	struct ike_path path = { .local = w->side[BOB].addr, .remote = w->side[ALICE].addr };
	size_t in = 0, out = 0;
	struct ike_action a;
	unsigned int i;

	(void)state;
	w->keep = "MM1";
	assert_true(step(w, w->now));
	for (i = 0; i < 100; i++) {
		ike_datagram(w->side[BOB].e, &path, w->kept.data, w->kept.len, w->now);
		in += w->kept.len;
		while (ike_next_action(w->side[BOB].e, &a))
			out += a.type == IKE_ACT_SEND ? a.len : 0;
	}
	for (i = 0; i < 100; i++) {	/* and none unasked */
		w->now += IKE_SECOND;
		ike_expire(w->side[BOB].e, w->now);
		while (ike_next_action(w->side[BOB].e, &a))
			out += a.type == IKE_ACT_SEND ? a.len : 0;
	}
	assert_true(out <= in);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	world_free(w);
}

/* ---- the kernel says no ------------------------------------------------------------------------ */

static void kernel_refuses(void **state)
{
	static const enum ike_action_type what[] = { IKE_ACT_SPI_ALLOC, IKE_ACT_SA_ADD, IKE_ACT_SA_ACTIVATE };
	size_t i;
	int who;

	(void)state;
	for (i = 0; i < 3; i++) {
		for (who = 0; who < 2; who++) {
			struct world *w = world_new(P1_FAST, P2);

			w->side[who].fail_action = (unsigned int)what[i] + 1;
			run_for(w, 4 * IKE_SECOND);
			assert_non_null(find_log(w, who, "kernel-refused"));
			if (!run_until(w, both_done, 200 * IKE_SECOND))
				fail_msg("action %d refused on side %d: %s", what[i], who, w->trace);
			run_for(w, 200 * IKE_SECOND);
			assert_int_equal(count_sas(&w->side[ALICE], IKE_IN, false), 1);
			assert_int_equal(count_sas(&w->side[BOB], IKE_IN, false), 1);
			assert_int_equal(count_sas(&w->side[ALICE], IKE_OUT, false), 1);
			assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, false), 1);
			world_free(w);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_and_quick_mode),
		cmocka_unit_test(each_phase1_algorithm),
		cmocka_unit_test(each_phase2_algorithm),
		cmocka_unit_test(each_identity),
		cmocka_unit_test(each_message_lost),
		cmocka_unit_test(each_message_doubled),
		cmocka_unit_test(nobody_there),
		cmocka_unit_test(each_message_cut_at_each_octet),
		cmocka_unit_test(encrypted_messages_changed_at_each_octet),
		cmocka_unit_test(clear_messages_changed_at_each_octet),
		cmocka_unit_test(oversized_and_tiny),
		cmocka_unit_test(strangers_and_zero_cookies),
		cmocka_unit_test(wrong_psk),
		cmocka_unit_test(no_common_phase1),
		cmocka_unit_test(no_common_phase2),
		cmocka_unit_test(other_networks),
		cmocka_unit_test(wrong_initiator_id),
		cmocka_unit_test(wrong_responder_id),
		cmocka_unit_test(shorter_lifetime_counts),
		cmocka_unit_test(each_message_replayed),
		cmocka_unit_test(unprotected_deletes_and_notifies),
		cmocka_unit_test(spoofed_notify_before_each_message),
		cmocka_unit_test(half_open_flood),
		cmocka_unit_test(no_amplification),
		cmocka_unit_test(kernel_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
