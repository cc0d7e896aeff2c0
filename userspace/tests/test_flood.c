// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What strangers can make the keyer do by sending much: log lines, octets, half-open SAs, memory.
 */
#include <malloc.h>

#include "two_engines.h"

#include "libike/half_open.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"

/* One host, no peer of its own: what it sends is counted and goes nowhere. */
struct victim {
	struct ike_engine *e;
	uint64_t rng;
	ike_time now;
	size_t sent, octets;
	unsigned int lines;		/* of the levels that are logged by default */
	bool left_out;			/* a line said that others were left out */
	bool kernel;			/* the kernel was asked for something */
};

static void victim_random(void *ctx, void *buf, size_t len)
{
	struct victim *v = ctx;
	uint8_t *p = buf;

	while (len--)
		*p++ = (uint8_t)splitmix(&v->rng);
}

static void victim_drain(struct victim *v)
{
	struct ike_action a;

	while (ike_next_action(v->e, &a)) {
		v->sent += a.type == IKE_ACT_SEND;
		v->octets += a.type == IKE_ACT_SEND ? a.len : 0;
		v->kernel |= a.type != IKE_ACT_SEND && a.type != IKE_ACT_LOG;
		if (a.type != IKE_ACT_LOG || a.log.level > IKE_LOG_INFO)
			continue;
		v->lines++;
		v->left_out |= strstr(a.log.text, "left out before") != NULL;
	}
}

static void victim_init(struct victim *v)
{
	const struct ike_env env = { .ctx = v, .random = victim_random };
	struct ike_tunnel_cfg t;
	struct ike_config cfg = { .tunnel = &t, .n_tunnels = 1 };

	*v = (struct victim){ .rng = 99, .now = 1000 * IKE_SECOND };
	v->e = ike_engine_new(&env);
	assert_non_null(v->e);
	tunnel_cfg(&t, BOB, P1, P2);
	assert_int_equal(ike_configure(v->e, &cfg, v->now), 0);
	free(t.psk);
	victim_drain(v);
	v->lines = 0;
	v->sent = v->octets = 0;
}

static void victim_wait(struct victim *v, ike_time span)
{
	ike_time end = v->now + span, next;

	while ((next = ike_deadline(v->e)) <= end) {
		v->now = next > v->now ? next : v->now;
		ike_expire(v->e, v->now);
		victim_drain(v);
	}
	v->now = end;
}

static void victim_gets(struct victim *v, const char *from, const void *data, size_t len)
{
	const struct ike_path path = { .local = v4("192.0.2.2"), .remote = v4(from) };

	ike_datagram(v->e, &path, data, len, v->now);
	victim_drain(v);
}

/* The first message of the configured peer, whole; or, P1 an other, of somebody with nothing in common. */
static size_t make_mm1(uint8_t *out, size_t size, const char *p1)
{
	struct world *w = world_empty(5);
	struct ike_tunnel_cfg t;
	size_t len;

	w->keep = "MM1";
	tunnel_cfg(&t, BOB, P1, P2);
	assert_int_equal(side_configure(w, BOB, &t), 0);
	free(t.psk);
	tunnel_cfg(&t, ALICE, p1, P2);
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	free(t.psk);
	run_for(w, IKE_SECOND / 10);
	len = w->kept.len;
	assert_in_range(len, 28, size);
	memcpy(out, w->kept.data, len);
	world_free(w);
	return len;
}

static void new_cookie(uint8_t *p, unsigned int n)
{
	memset(p, 0xc0, 8);
	memcpy(p, &n, sizeof(n));
}

/* ---- log volume (G-F4) ------------------------------------------------------------------------------ */

/* Each its own way into the log. */
static void junk(struct victim *v, unsigned int n)
{
	uint8_t mm1[1024], m[2048] = { 0 };
	static size_t len;
	static uint8_t model[1024];

	if (!len)
		len = make_mm1(model, sizeof(model), P1);
	memcpy(mm1, model, len);
	new_cookie(mm1, n);
	memcpy(m, mm1, len);
	switch (n % 8) {
	case 0:			/* from nowhere */
		victim_gets(v, "198.51.100.9", mm1, len);
		break;
	case 1:			/* no ISAKMP message */
		victim_gets(v, "192.0.2.1", m, 7);
		break;
	case 2:			/* cookies of nobody */
		m[9] = 1;
		victim_gets(v, "192.0.2.1", m, len);
		break;
	case 3:			/* a notify without protection */
		m[9] = 1;
		m[16] = 11;
		m[18] = 5;
		m[23] = 7;
		memcpy(m + 28, "\0\0\0\x0c\0\0\0\x01\x01\0\0\x0e", 12);
		m[26] = 0;
		m[27] = 40;
		victim_gets(v, "192.0.2.1", m, 40);
		break;
	case 4:			/* too much */
		{
			uint8_t *big = calloc(1, 20000);

			memcpy(big, m, 28);
			victim_gets(v, "192.0.2.1", big, 20000);
			free(big);
		}
		break;
	case 5:			/* cut short */
		victim_gets(v, "192.0.2.1", m, len - 9);
		break;
	case 6:			/* nothing in common */
		m[len - 1] ^= 0x40;
		m[60] ^= 0x55;
		victim_gets(v, "192.0.2.1", m, len);
		break;
	default:		/* half-open SAs without end */
		victim_gets(v, "192.0.2.1", mm1, len);
	}
}

static void log_volume_is_bounded(void **state)
{
	struct victim v;
	unsigned int n;

	(void)state;
	victim_init(&v);
	for (n = 0; n < 60 * 500; n++) {
		junk(&v, n);
		victim_wait(&v, IKE_SECOND / 500);
		if (n == 30 * 500)
			v.lines = 0;	/* the bursts are over */
	}
	assert_in_range(v.lines, 1, 30 * 10);
	assert_true(v.left_out);
	assert_false(v.kernel);
	ike_engine_free(v.e);
}

/* ---- amplification (I9, #6) ----------------------------------------------------------------------- */

/* Forged MM1, then silence: never more octets out than came in, nothing unasked, one answer a message. */
static void no_amplification(void **state)
{
	uint8_t mm1[1024];
	size_t len = make_mm1(mm1, sizeof(mm1), P1), in = 0;
	struct victim v;
	unsigned int n, copy;

	(void)state;
	victim_init(&v);
	for (n = 0; n < 300; n++) {
		new_cookie(mm1, n);
		for (copy = 0; copy < 1 + n % 3; copy++) {
			victim_gets(&v, "192.0.2.1", mm1, len);
			in += len;
			assert_true(v.octets <= in);
		}
		victim_wait(&v, IKE_SECOND / 10);
	}
	victim_wait(&v, 300 * IKE_SECOND);
	assert_true(v.octets <= in);
	assert_true(v.sent <= 600);
	/* To who is not configured: nothing at all. */
	v.sent = 0;
	victim_gets(&v, "198.51.100.9", mm1, len);
	victim_wait(&v, 300 * IKE_SECOND);
	assert_int_equal(v.sent, 0);
	ike_engine_free(v.e);
}

/* A refusal, too, is smaller than what is refused, and at most one a second goes out. */
static void refusals_are_few_and_small(void **state)
{
	uint8_t mm1[1024];
	size_t len = make_mm1(mm1, sizeof(mm1), "aes256-sha512-ecp384");
	struct victim v;
	unsigned int n;

	(void)state;
	victim_init(&v);
	for (n = 0; n < 1000; n++) {
		new_cookie(mm1, n);
		victim_gets(&v, "192.0.2.1", mm1, len);
		victim_wait(&v, IKE_SECOND / 100);
	}
	assert_in_range(v.sent, 1, 11);
	assert_true(v.octets < v.sent * len);
	ike_engine_free(v.e);
}

/* ---- memory (I8, I22) --------------------------------------------------------------------------------- */

__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

static size_t memory(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() : mallinfo2().uordblks;
}

static void half_open_is_bounded(void **state)
{
	uint8_t mm1[1024];
	size_t len = make_mm1(mm1, sizeof(mm1), P1), before;
	struct ike_counters c;
	struct victim v;
	unsigned int n;

	(void)state;
	victim_init(&v);
	before = memory();
	for (n = 0; n < 10000; n++) {
		new_cookie(mm1, n);
		victim_gets(&v, "192.0.2.1", mm1, len);
		victim_wait(&v, IKE_SECOND / 10000);
	}
	ike_counters(v.e, &c);
	assert_int_equal(c.p1_now, IKE_HALF_OPEN_PER_PEER);
	assert_in_range(memory() - before, 1, IKE_HALF_OPEN_PER_PEER * 4096);
	victim_wait(&v, 120 * IKE_SECOND);
	ike_counters(v.e, &c);
	assert_int_equal(c.p1_now + c.exchanges_now + c.children_now, 0);
	ike_engine_free(v.e);
}

/* Of four kinds: nobody we know, cut short, nothing in common, given up after MM1. */
static void a_hundred_thousand_failures(void **state)
{
	uint8_t good[1024], bad[1024], m[1024];
	size_t len = make_mm1(good, sizeof(good), P1), bad_len = make_mm1(bad, sizeof(bad), "aes256-sha512-ecp384");
	size_t early = 0, late;
	struct ike_counters c;
	struct victim v;
	unsigned int n;

	(void)state;
	victim_init(&v);
	for (n = 0; n < 100000; n++) {
		memcpy(m, n % 5 == 2 ? bad : good, sizeof(m));
		new_cookie(m, n);
		victim_gets(&v, n % 5 ? "192.0.2.1" : "198.51.100.9", m, n % 5 == 2 ? bad_len : n % 5 == 1 ? len - 5 : len);
		victim_wait(&v, IKE_SECOND / 4);
		if (n == 10000)
			early = memory();
	}
	late = memory();
	assert_true(late <= early + 65536);
	victim_wait(&v, 120 * IKE_SECOND);
	ike_counters(v.e, &c);
	assert_int_equal(c.p1_now + c.exchanges_now + c.children_now, 0);
	assert_false(v.kernel);
	ike_engine_free(v.e);
}

static void wrong_key(struct ike_tunnel_cfg *t, int who)
{
	t->psk[0] ^= (uint8_t)who;
}

/* Ours and the peer's at once, all the way to MM5, whose HASH is wrong: a week of it. */
static void failures_of_authentication(void **state)
{
	struct world *w = world_empty(21);
	size_t early, late, logs;
	struct ike_counters c;
	int who;

	(void)state;
	for (who = 1; who >= 0; who--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, who, P1, P2);
		t.start = IKE_START_AUTO;
		wrong_key(&t, who);
		assert_int_equal(side_configure(w, who, &t), 0);
		free(t.psk);
	}
	run_for(w, 12 * 3600 * IKE_SECOND);
	early = memory();
	logs = w->side[ALICE].n_logs + w->side[BOB].n_logs;
	run_for(w, 7 * 24 * 3600 * IKE_SECOND);
	late = memory();
	/* The test keeps the lines. */
	logs = w->side[ALICE].n_logs + w->side[BOB].n_logs - logs;
	assert_true(late <= early + logs * 600 + 65536);
	ike_counters(w->side[BOB].e, &c);
	assert_true(c.auth_failures > 5000);
	assert_true(c.p1_now <= 4);
	assert_int_equal(c.p1_established, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_volume_is_bounded),
		cmocka_unit_test(no_amplification),
		cmocka_unit_test(refusals_are_few_and_small),
		cmocka_unit_test(half_open_is_bounded),
		cmocka_unit_test(a_hundred_thousand_failures),
		cmocka_unit_test(failures_of_authentication),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
