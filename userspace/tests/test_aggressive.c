// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggressive mode between two engines: three messages, AM3 in clear and encrypted, lost and
 * doubled, both sides at once; whom a responder answers and whom not; wrong keys; peers at any
 * address; forged AM2.
 */
#include "two_engines.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

static void id(struct ike_id *to, const char *text)
{
	assert_int_equal(ike_id_parse(text, to), 0);
}

/* A begins in aggressive mode, B allows it; 'change' alters either before it is configured. */
static struct world *aggressive_world(void (*change)(struct ike_tunnel_cfg *t, int who))
{
	struct world *w = world_empty(7);
	int i;

	for (i = 1; i >= 0; i--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, i, P1, P2);
		t.aggressive = true;
		t.aggressive_psk = true;
		if (change)
			change(&t, i);
		assert_int_equal(side_configure(w, i, &t), 0);
		free(t.psk);
	}
	return w;
}

static unsigned int lose_first(struct world *w, struct packet *p)
{
	if (strcmp(p->name, w->target) || w->seen++)
		return 1;
	return 0;
}

static unsigned int double_all(struct world *w, struct packet *p)
{
	(void)w;
	return p->name[0] == 'A' ? 3 : 1;
}

/* RFC 2409 5.4: three messages, then quick mode; the initiator is through first. */
static void three_messages(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:AM1 B:AM2 A:AM3 A:QM1 B:QM2 A:QM3");
	assert_int_equal(counters(w, ALICE).retransmits, 0);
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).retransmits, 0);	/* AM3 is not repeated once QM2 has come */
	world_free(w);
}

/* Bodies of payloads in clear messages, by type; NULL when there is none. */
static uint8_t *payload(struct packet *p, uint8_t type, size_t *len)
{
	uint8_t next = p->data[16];
	size_t at = 28;

	while (next && at + 4 <= p->len) {
		if (next == type) {
			*len = (size_t)(p->data[at + 2] << 8 | p->data[at + 3]) - 4;
			return p->data + at + 4;
		}
		next = p->data[at];
		at += (size_t)(p->data[at + 2] << 8 | p->data[at + 3]);
	}
	return NULL;
}

static unsigned int flags_seen;

static unsigned int note_flags(struct world *w, struct packet *p)
{
	size_t len;

	(void)w;
	if (!strcmp(p->name, "AM1"))
		assert_non_null(payload(p, 5, &len));
	if (!strcmp(p->name, "AM2"))
		assert_non_null(payload(p, 8, &len));
	if (!strcmp(p->name, "AM3"))
		flags_seen = p->data[19];
	return 1;
}

/* ID and HASH go in clear up to AM2; AM3 is encrypted. */
static void am3_is_sent_encrypted(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->wire = note_flags;
	flags_seen = 0;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(flags_seen, 1);
	world_free(w);
}

/* ---- loss ------------------------------------------------------------------------------------ */

static void each_message_lost_once(void **state)
{
	static const char *const names[] = { "AM1", "AM2", "AM3", "QM1", "QM2", "QM3" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct world *w = aggressive_world(NULL);

		w->wire = lose_first;
		w->target = names[i];
		if (!run_until(w, both_done, 30 * IKE_SECOND))
			fail_msg("%s lost: %s", names[i], w->trace);
		assert_int_equal(counters(w, ALICE).p1_established, 1);
		assert_int_equal(counters(w, BOB).p1_established, 1);
		world_free(w);
	}
}

static void doubled_messages_change_nothing(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->wire = double_all;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	assert_int_equal(counters(w, BOB).p1_established, 1);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

static unsigned int only_first_am1(struct world *w, struct packet *p)
{
	return !strcmp(p->name, "AM1") && !w->seen++;
}

/* One answer per request: an AM2 nobody asks for again is not repeated, and what it made goes in time. */
static void responder_does_not_repeat_am2(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->wire = only_first_am1;
	run_for(w, 40 * IKE_SECOND);
	assert_int_equal(w->sent[BOB], 1);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	world_free(w);
}

static unsigned int lose_am3_and_qm(struct world *w, struct packet *p)
{
	(void)w;
	return strcmp(p->name, "AM3") && p->name[0] != 'Q';
}

/* Quick mode before AM3: dropped, not processed; AM3 is repeated and ends. */
static void am3_is_repeated_until_heard(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->wire = lose_am3_and_qm;
	run_for(w, 3 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	assert_non_null(strstr(w->trace, "A:AM3 A:QM1 A:AM3 A:QM1 A:AM3"));
	w->wire = NULL;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	world_free(w);
}

/* ---- both at once ------------------------------------------------------------------------------ */

static void both_begin(struct ike_tunnel_cfg *t, int who)
{
	(void)who;
	t->start = IKE_START_AUTO;
}

static void mixed(struct ike_tunnel_cfg *t, int who)
{
	t->start = IKE_START_AUTO;
	t->aggressive = who == ALICE;
}

static void collide(void (*change)(struct ike_tunnel_cfg *t, int who))
{
	struct world *w = aggressive_world(change);

	assert_true(run_until(w, both_done, 40 * IKE_SECOND));
	run_for(w, 120 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(count_sas(&w->side[ALICE], IKE_OUT, false), 1);
	assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, false), 1);
	assert_int_equal(counters(w, ALICE).p1_now, 1);
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

static void both_sides_begin(void **state)
{
	(void)state;
	collide(both_begin);
	collide(mixed);
}

/* ---- who is answered --------------------------------------------------------------------------- */

static void responder_default(struct ike_tunnel_cfg *t, int who)
{
	t->aggressive_psk = who != BOB;
}

/* No hash, no state, no notify; the log says why and what to write. */
static void off_by_default(void **state)
{
	struct world *w = aggressive_world(responder_default);
	const struct log_entry *l;

	(void)state;
	run_for(w, 3 * IKE_SECOND);
	assert_int_equal(w->sent[BOB], 0);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	assert_true(counters(w, BOB).aggressive_refused >= 1);
	l = find_log(w, BOB, "aggressive-refused");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "aggressive-psk = insecure-yes"));
	assert_non_null(strstr(l->text, "line 70"));
	world_free(w);
}

/* What allows it is flagged when it is loaded. */
static void allowing_it_is_flagged(void **state)
{
	struct world *w = aggressive_world(NULL);
	const struct log_entry *l = find_log(w, BOB, "weak-algorithm");

	(void)state;
	assert_non_null(l);
	assert_int_equal(l->level, IKE_LOG_WARNING);
	assert_non_null(strstr(l->text, "aggressive-psk"));
	world_free(w);
}

static void stranger(struct ike_tunnel_cfg *t, int who)
{
	if (who == ALICE)
		id(&t->local_id, "fqdn:mallory.example");
}

static void unknown_identity_gets_no_state(void **state)
{
	struct world *w = aggressive_world(stranger);
	const struct log_entry *l;

	(void)state;
	run_for(w, 3 * IKE_SECOND);
	assert_int_equal(w->sent[BOB], 0);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	l = find_log(w, BOB, "unknown-peer");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "fqdn:mallory.example"));
	world_free(w);
}

static void other_key(struct ike_tunnel_cfg *t, int who)
{
	t->psk[0] ^= who == BOB;
}

/* The initiator sees it in AM2's HASH_R; nothing is established anywhere. */
static void wrong_key_seen_by_the_initiator(void **state)
{
	struct world *w = aggressive_world(other_key);
	const struct log_entry *l;

	(void)state;
	run_for(w, 90 * IKE_SECOND);
	l = find_log(w, ALICE, "psk-mismatch");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "probable PSK mismatch: AM2"));
	assert_int_equal(counters(w, ALICE).p1_established, 0);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	assert_null(strstr(w->trace, "A:AM3"));
	world_free(w);
}

static unsigned int spoil_am3(struct world *w, struct packet *p)
{
	if (strcmp(p->name, "AM3"))
		return 1;
	w->seen++;
	p->data[30] ^= 1;
	return 1;
}

/* The responder sees it in AM3, which is dropped; nothing is established there. */
static void wrong_proof_seen_by_the_responder(void **state)
{
	struct world *w = aggressive_world(NULL);
	const struct log_entry *l;

	(void)state;
	w->wire = spoil_am3;
	run_for(w, 5 * IKE_SECOND);
	assert_true(w->seen > 0);
	l = find_log(w, BOB, "psk-mismatch");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "probable PSK mismatch: AM3"));
	assert_int_equal(counters(w, BOB).p1_established, 0);
	w->wire = NULL;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	world_free(w);
}

/* ---- AM3 in clear ------------------------------------------------------------------------------- */

/*
 * A's AM3, written without encryption: HASH_I is what A's engine computed, so decrypt it with what
 * a hook in the crypto shows. Here B is asked to take what its own side of the maths expects.
 */
#include "libike/aggressive_mode.h"
#include "libike/cipher.h"
#include "libike/engine.h"
#include "libike/half_open.h"

static unsigned int am3_in_clear(struct world *w, struct packet *p)
{
	struct ike_ikesa *sa;
	uint8_t iv[IKE_BLOCK_MAX], next[IKE_BLOCK_MAX];
	struct ike_mm *mm;

	if (strcmp(p->name, "AM3") || w->seen++)
		return strcmp(p->name, "AM3") ? 1 : 0;
	sa = w->side[BOB].e->ikesas;
	mm = sa->phase1->mm;
	assert_int_equal(ike_iv_phase1(sa->p1.alg.hash, ike_blob_chunk(&mm->gxi), ike_blob_chunk(&mm->gxr), iv, sa->block), 0);
	assert_int_equal(ike_cipher_decrypt(sa, iv, next, p->data, p->len), 0);
	p->data[19] = 0;
	p->len = 28 + (size_t)(p->data[30] << 8 | p->data[31]);	/* HASH; of NAT-D it can do without */
	p->data[28] = 0;
	p->data[26] = (uint8_t)(p->len >> 8);
	p->data[27] = (uint8_t)p->len;
	return 1;
}

static bool bob_established(struct world *w)
{
	return counters(w, BOB).p1_established;
}

/* Taken; later messages' IVs then come from phase 1's first IV, which B's own quick mode shows to be kept. */
static void am3_in_clear_is_taken(void **state)
{
	struct world *w = aggressive_world(NULL);
	struct ike_ikesa *sa;
	uint8_t before[IKE_BLOCK_MAX];

	(void)state;
	w->wire = am3_in_clear;
	while (!w->side[BOB].e->ikesas)
		assert_true(step(w, w->now + IKE_SECOND));
	sa = w->side[BOB].e->ikesas;
	memcpy(before, sa->last_block, sizeof(before));
	assert_true(run_until(w, bob_established, 5 * IKE_SECOND));
	assert_memory_equal(sa->last_block, before, sa->block);
	world_free(w);
}

/* ---- hostile ------------------------------------------------------------------------------------- */

static unsigned int forge_am2(struct world *w, struct packet *p)
{
	if (strcmp(p->name, "AM2") || w->seen++)
		return 1;
	p->data[8] ^= 0x55;	/* another responder cookie, so HASH_R is wrong */
	return 1;
}

/* A forged AM2 leaves nothing behind: the real one is taken when it comes. */
static void forged_am2_does_not_stick(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->wire = forge_am2;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(counters(w, ALICE).p1_established, 1);
	assert_true(counters(w, ALICE).auth_failures >= 1);
	world_free(w);
}

static uint8_t cookies[64][8];
static size_t n_cookies;

static unsigned int note_cookie(struct world *w, struct packet *p)
{
	(void)w;
	if (p->to == ALICE && p->data[18] == 4 && n_cookies < 64)
		memcpy(cookies[n_cookies++], p->data + 8, 8);
	return 0;
}

/* CVE-2023-30570: each AM1 gets a responder cookie of its own, never zero; bounded in number. */
static void cookies_are_unique_and_half_open_bounded(void **state)
{
	static const uint8_t zero[8];
	struct world *w = aggressive_world(NULL);
	struct packet am1;
	size_t i, j;

	(void)state;
	w->keep = "AM1";
	assert_true(step(w, w->now + IKE_SECOND));
	while (!w->kept.data)
		assert_true(step(w, w->now + IKE_SECOND));
	am1 = w->kept;
	w->keep = NULL;
	n_cookies = 0;
	w->wire = note_cookie;
	for (i = 0; i < IKE_HALF_OPEN_PER_PEER + 20; i++) {
		am1.data[0] = (uint8_t)(i / 200 + 1);
		am1.data[1] = (uint8_t)(i % 200 + 1);
		deliver(w, BOB, &am1.path, am1.data, am1.len);
	}
	assert_int_equal(n_cookies, sizeof(cookies) / sizeof(cookies[0]));
	for (i = 0; i < n_cookies; i++) {
		assert_memory_not_equal(cookies[i], zero, 8);
		for (j = 0; j < i; j++)
			assert_memory_not_equal(cookies[i], cookies[j], 8);
	}
	assert_int_equal(counters(w, BOB).p1_now, IKE_HALF_OPEN_PER_PEER);
	assert_non_null(find_log(w, BOB, "limit"));
	world_free(w);
}

/* Each payload of AM1 and AM2 left out, doubled or of no use there: dropped, and nothing stays. */
static void payloads_are_checked(void **state)
{
	static const uint8_t types[] = { 1, 4, 10, 5 };
	struct world *w = aggressive_world(NULL);
	size_t i;

	(void)state;
	w->keep = "AM1";
	w->wire = note_cookie;
	while (!w->kept.data)
		assert_true(step(w, w->now + IKE_SECOND));
	for (i = 0; i < sizeof(types); i++) {
		uint8_t *copy = malloc(w->kept.len), next, *at = copy + 16;
		size_t off = 28;

		memcpy(copy, w->kept.data, w->kept.len);
		copy[0] = (uint8_t)(0xd0 + i);
		for (next = *at; next != types[i]; next = *at) {
			at = copy + off;
			off += (size_t)(copy[off + 2] << 8 | copy[off + 3]);
		}
		*at = 13;	/* one becomes a vendor ID */
		n_cookies = 0;
		deliver(w, BOB, &w->kept.path, copy, w->kept.len);
		assert_int_equal(n_cookies, 0);
		assert_int_equal(counters(w, BOB).p1_now, 0);
		free(copy);
	}
	world_free(w);
}

/* The cookies of the half-open SA, other octets: junk in clear where AM3 is waited for. */
static unsigned int junk_before_am3(struct world *w, struct packet *p)
{
	const struct packet *am1 = &w->kept;
	uint8_t *copy;

	if (strcmp(p->name, "AM2") || w->seen++)
		return 1;
	copy = malloc(am1->len);
	memcpy(copy, am1->data, am1->len);
	memcpy(copy + 8, p->data + 8, 8);
	deliver(w, BOB, &am1->path, copy, am1->len);
	copy[30] = 0xff;
	deliver(w, BOB, &am1->path, copy, am1->len);
	free(copy);
	return 1;
}

/* Anybody can send that: it is not called a wrong key, and changes nothing. */
static void junk_in_clear_is_no_wrong_key(void **state)
{
	struct world *w = aggressive_world(NULL);

	(void)state;
	w->keep = "AM1";
	w->wire = junk_before_am3;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_non_null(find_log(w, BOB, "malformed"));
	assert_non_null(find_log(w, BOB, "unexpected"));
	assert_null(find_log(w, BOB, "psk-mismatch"));
	assert_int_equal(counters(w, BOB).auth_failures, 0);
	world_free(w);
}

/* ---- groups --------------------------------------------------------------------------------------- */

static void two_groups(struct ike_tunnel_cfg *t, int who)
{
	assert_int_equal(ike_p1_parse("aes256-sha256-modp2048", t->policy, &t->p1[1], NULL), 0);
	assert_int_equal(ike_p1_parse("aes256-sha256-ecp256", t->policy, &t->p1[2], NULL), 0);
	t->n_p1 = 3;
	if (who == BOB)
		t->p1[0] = t->p1[2];
}

static unsigned int transforms_offered;

static unsigned int count_transforms(struct world *w, struct packet *p)
{
	size_t len;

	(void)w;
	if (!strcmp(p->name, "AM1"))
		transforms_offered = payload(p, 1, &len)[8 + 4 + 3];
	return 1;
}

/* An offer has one group, that of the first proposal; the others are left out. */
static void one_group_in_an_offer(void **state)
{
	struct world *w = aggressive_world(two_groups);

	(void)state;
	w->wire = count_transforms;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(transforms_offered, 2);
	world_free(w);
}

/* ---- peers at any address -------------------------------------------------------------------------- */

static void road_warrior(struct ike_tunnel_cfg *t, int who)
{
	if (who == ALICE) {
		id(&t->local_id, "user-fqdn:alice@example");
	} else {
		memset(t->remote.ip, 0, sizeof(t->remote.ip));
		id(&t->remote_id, "user-fqdn:alice@example");
	}
}

static void from_address(struct world *w, const char *address)
{
	struct ike_tunnel_cfg t;

	w->side[ALICE].addr = v4(address);
	tunnel_cfg(&t, ALICE, P1, P2);
	t.aggressive = true;
	t.local = v4(address);
	road_warrior(&t, ALICE);
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	free(t.psk);
}

/* Known by identity alone; when it comes from elsewhere, what led to the old place goes. */
static void peer_at_any_address(void **state)
{
	struct world *w = aggressive_world(road_warrior);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_memory_equal(w->side[BOB].peer.ip, v4("192.0.2.1").ip, 4);
	assert_memory_equal(active_out(&w->side[BOB])->path.remote.ip, v4("192.0.2.1").ip, 4);
	ike_engine_free(w->side[ALICE].e);	/* gone without a word, back at another address */
	memset(w->side[ALICE].sa, 0, sizeof(w->side[ALICE].sa));
	w->side[ALICE].e = ike_engine_new(&(struct ike_env){ .ctx = &w->side[ALICE], .random = side_random });
	from_address(w, "192.0.2.77");
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	assert_memory_equal(w->side[BOB].peer.ip, v4("192.0.2.77").ip, 4);
	assert_int_equal(count_sas(&w->side[BOB], IKE_OUT, false), 1);
	assert_memory_equal(active_out(&w->side[BOB])->path.remote.ip, v4("192.0.2.77").ip, 4);
	world_free(w);
}

/* Somebody has to say who it is first: main mode does not reach such a tunnel, and it never begins itself. */
static void peer_at_any_address_needs_aggressive_mode(void **state)
{
	struct world *w = aggressive_world(road_warrior);
	struct ike_tunnel_cfg t;

	(void)state;
	tunnel_cfg(&t, ALICE, P1, P2);
	road_warrior(&t, ALICE);
	assert_int_equal(side_configure(w, ALICE, NULL), 0);
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	free(t.psk);
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(w->sent[BOB], 0);
	assert_non_null(find_log(w, BOB, "unknown-peer"));
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_UP, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(w->sent[BOB], 0);
	world_free(w);
}

/* Two at any address with keys of their own: the identity in AM1 chooses. */
static void key_is_chosen_by_identity(void **state)
{
	static const char *const names[] = { "user-fqdn:carol@example", "user-fqdn:alice@example" };
	struct world *w = world_empty(11);
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], BOB, P1, P2);
		t[i].aggressive_psk = true;
		memset(t[i].remote.ip, 0, sizeof(t[i].remote.ip));
		id(&t[i].remote_id, names[i]);
	}
	snprintf(t[0].name, sizeof(t[0].name), "carol");
	t[0].psk[0] ^= 1;
	assert_int_equal(ike_configure(w->side[BOB].e, &cfg, w->now), 0);
	free(t[0].psk);
	free(t[1].psk);
	from_address(w, "192.0.2.1");
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	assert_string_equal(active_out(&w->side[BOB])->tunnel, "paris");
	world_free(w);
}

/* What aggressive mode could not tell apart is refused when it is loaded. */
static void ambiguous_tunnels_are_refused(void **state)
{
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
	char why[400];
	unsigned int line;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], BOB, P1, P2);
		t[i].aggressive_psk = true;
		memset(t[i].remote.ip, 0, sizeof(t[i].remote.ip));
		id(&t[i].remote_id, "user-fqdn:alice@example");
	}
	snprintf(t[0].name, sizeof(t[0].name), "other");
	t[0].psk[0] ^= 1;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), -IKE_E_INVALID);
	assert_non_null(strstr(why, "expect the same identity but have different pre-shared keys"));
	t[0].psk[0] ^= 1;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), -IKE_E_INVALID);
	assert_non_null(strstr(why, "nothing tells them apart"));
	t[0].remote = v4("192.0.2.1");
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), -IKE_E_INVALID);
	assert_non_null(strstr(why, "one of them at any address"));
	t[0].aggressive_psk = false;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), 0);
	t[1].start = IKE_START_AUTO;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), -IKE_E_INVALID);
	free(t[0].psk);
	free(t[1].psk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_messages),
		cmocka_unit_test(am3_is_sent_encrypted),
		cmocka_unit_test(each_message_lost_once),
		cmocka_unit_test(doubled_messages_change_nothing),
		cmocka_unit_test(responder_does_not_repeat_am2),
		cmocka_unit_test(am3_is_repeated_until_heard),
		cmocka_unit_test(both_sides_begin),
		cmocka_unit_test(off_by_default),
		cmocka_unit_test(allowing_it_is_flagged),
		cmocka_unit_test(unknown_identity_gets_no_state),
		cmocka_unit_test(wrong_key_seen_by_the_initiator),
		cmocka_unit_test(wrong_proof_seen_by_the_responder),
		cmocka_unit_test(am3_in_clear_is_taken),
		cmocka_unit_test(forged_am2_does_not_stick),
		cmocka_unit_test(cookies_are_unique_and_half_open_bounded),
		cmocka_unit_test(payloads_are_checked),
		cmocka_unit_test(junk_in_clear_is_no_wrong_key),
		cmocka_unit_test(one_group_in_an_offer),
		cmocka_unit_test(peer_at_any_address),
		cmocka_unit_test(peer_at_any_address_needs_aggressive_mode),
		cmocka_unit_test(key_is_chosen_by_identity),
		cmocka_unit_test(ambiguous_tunnels_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
