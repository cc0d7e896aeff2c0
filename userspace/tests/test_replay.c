// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's replay window and sequence counters (kernel/replay.c, compiled in here)
 * against a reference that is as plain as RFC 4303 3.4.3 and A2 can be put: remember each
 * number. Millions of random numbers, in order, late, repeated, far ahead, forged, committed
 * at once, later or never; every window size, around every edge, across 2^32. The seed is
 * fixed, and printed when something differs; REPLAY_SEED=n chooses another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kernel/replay.c"
#include "random.h"

#define STEPS 400000			/* numbers per window, mode and start */

static const u32 windows[] = { 0, 32, 33, 64, 100, 1024, 4095, 4096 };

#define N_WINDOWS (sizeof(windows) / sizeof(windows[0]))

/* ---- the reference ---------------------------------------------------------------------- */

struct model {
	u64 top;
	u32 window;
	bool esn;
	u64 seen[ESPTUN_REPLAY_MAX];	/* seen[s % window] is s when s was received; 0: none */
};

static void model_init(struct model *m, u32 window, bool esn, u64 top)
{
	u64 s;

	memset(m, 0, sizeof(*m));
	m->top = top;
	m->window = window;
	m->esn = esn;
	for (s = top; window && s && top - s < window; s--)
		m->seen[s % window] = s;
}

/*
 * The number meant by the 32 bits of a packet: the first one not left of the window whose
 * lower half they are. What A2.2 says in cases, said as arithmetic.
 */
static bool model_infer(const struct model *m, u32 lo, u64 *seq)
{
	__int128 left = (__int128)m->top - m->window + 1;
	__int128 s = left + (u32)(lo - (u32)(u64)left);

	if (s < 0 || s > (__int128)UINT64_MAX)
		return false;
	*seq = (u64)s;
	return true;
}

static enum esptun_replay_verdict model_judge(const struct model *m, u64 seq)
{
	if (!m->window)
		return ESPTUN_REPLAY_OK;
	if ((__int128)seq <= (__int128)m->top - m->window)
		return ESPTUN_REPLAY_OLD;
	if (m->seen[seq % m->window] == seq)
		return ESPTUN_REPLAY_DUP;
	return ESPTUN_REPLAY_OK;
}

static enum esptun_replay_verdict model_check(const struct model *m, u32 lo, u64 *seq)
{
	*seq = lo;
	if (!m->window)
		return ESPTUN_REPLAY_OK;
	if (m->esn && !model_infer(m, lo, seq))
		return ESPTUN_REPLAY_OLD;
	return *seq ? model_judge(m, *seq) : ESPTUN_REPLAY_ZERO;
}

static enum esptun_replay_verdict model_commit(struct model *m, u64 seq)
{
	enum esptun_replay_verdict v = model_judge(m, seq);

	if (v != ESPTUN_REPLAY_OK)
		return v;
	if (m->window)
		m->seen[seq % m->window] = seq;
	if (seq > m->top)
		m->top = seq;
	return v;
}

/* ---- random packets --------------------------------------------------- */

/* What an honest, a disturbed or a hostile path could deliver next, given the window. */
static u32 next_packet(const struct model *m)
{
	u64 left = m->top - m->window, w = m->window ? m->window : 64;

	switch (below(16)) {
	case 0: case 1: case 2: case 3: case 4:
		return (u32)(m->top + 1);
	case 5: case 6:
		return (u32)(m->top + 1 + below(8));
	case 7: case 8: case 9:
		return (u32)(m->top - below(w));		/* in the window */
	case 10:
		return (u32)(left + below(5) - 2);		/* at its left edge */
	case 11:
		return (u32)(m->top - below(3 * w));		/* perhaps too old */
	case 12:
		return (u32)(m->top + below(3 * w));		/* perhaps a whole window ahead */
	case 13:
		return (u32)(m->top + 31 - below(63));		/* around a word's edge */
	case 14:
		return below(64) ? (u32)below(3) : (u32)rnd();	/* 0, 1, 2; rarely anything */
	default:
		return below(4096) ? (u32)(m->top + 1) : (u32)(m->top + below(1u << 20));
	}
}

/* ---- comparing ------------------------------------------------------------------------------ */

#define LATE 16				/* authenticated packets that wait for their commit */

struct bench {
	struct model m;
	struct esptun_replay r;
	u64 slots[ESPTUN_REPLAY_MAX];
	u64 late[LATE];
	unsigned int n_late, step;
	unsigned long verdicts[4];
};

static void explain(const struct bench *b, const char *what, u64 n, int got, int want)
{
	fail_msg("%s of %llu: verdict %d, reference says %d (window %u, esn %d, top %llu, step %u, REPLAY_SEED=%llu)",
		 what, (unsigned long long)n, got, want, b->m.window, b->m.esn,
		 (unsigned long long)b->m.top, b->step, (unsigned long long)seed_used);
}

static void commit_both(struct bench *b, u64 seq)
{
	enum esptun_replay_verdict got = esptun_replay_commit(&b->r, seq), want = model_commit(&b->m, seq);

	if (got != want)
		explain(b, "commit", seq, got, want);
	if (b->r.top != b->m.top)
		explain(b, "top after commit", b->r.top, 0, 0);
}

static void one_packet(struct bench *b)
{
	u32 lo = next_packet(&b->m);
	enum esptun_replay_verdict got, want;
	u64 seq, want_seq;

	got = esptun_replay_check(&b->r, lo, &seq);
	want = model_check(&b->m, lo, &want_seq);
	if (got != want)
		explain(b, "check", lo, got, want);
	b->verdicts[got]++;
	if (got != ESPTUN_REPLAY_OK)
		return;
	if (seq != want_seq)
		explain(b, "inferred number", seq, (int)(seq >> 32), (int)(want_seq >> 32));
	switch (below(8)) {
	case 0:
		break;					/* forged: never authenticated */
	case 1:						/* decrypted on another CPU, done later */
		if (b->n_late < LATE) {
			b->late[b->n_late++] = seq;
			break;
		}
		/* fall through */
	default:
		commit_both(b, seq);
	}
	if (b->n_late && !below(8)) {
		unsigned int i = (unsigned int)below(b->n_late);

		seq = b->late[i];
		b->late[i] = b->late[--b->n_late];
		commit_both(b, seq);
	}
}

static void begin(struct bench *b, u32 window, bool esn, u64 top)
{
	b->n_late = 0;
	model_init(&b->m, window, esn, top);
	esptun_replay_init(&b->r, b->slots, window, esn, top);
}

static struct bench *run(u32 window, bool esn, u64 top)
{
	/* Past this a sender would have stopped; begin anew. */
	u64 end = esn ? UINT64_MAX - (1ull << 33) : 0xffffff00u;
	static struct bench b;

	memset(&b, 0, sizeof(b));
	random_begin(top ^ window);
	assert_true(esptun_replay_words(window) <= ESPTUN_REPLAY_MAX);
	begin(&b, window, esn, top);
	for (b.step = 0; b.step < STEPS; b.step++) {
		one_packet(&b);
		if (b.m.top > end && top <= end)
			begin(&b, window, esn, top);
	}
	return &b;
}

static void random_short_numbers(void **state)
{
	static const u64 tops[] = { 0, 1, 31, 32, 33, 4095, 1000000, 0xffe00000u };
	const struct bench *b;
	size_t w, t;

	(void)state;
	for (w = 0; w < N_WINDOWS; w++) {
		for (t = 0; t < sizeof(tops) / sizeof(tops[0]); t++) {
			b = run(windows[w], false, tops[t]);
			assert_true(b->verdicts[ESPTUN_REPLAY_OK] > 1000);
			if (windows[w]) {
				assert_true(b->verdicts[ESPTUN_REPLAY_DUP] > 100);
				assert_true(b->verdicts[ESPTUN_REPLAY_OLD] > 100);
			}
		}
	}
}

/* A window of 0 has no place to infer the upper half from: the pair is refused elsewhere. */
static void random_extended_numbers(void **state)
{
	static const u64 tops[] = {
		0, 1, 4095, 0xffffffffull - 4096, 0xffffffffull - 100, 0xffffffff, 0x100000000ull,
		0x100000000ull + 31, 0x100000000ull + 5000, 0x2fffff000ull, 0xffffffff00000000ull - 5000,
	};
	const struct bench *b;
	size_t w, t;

	(void)state;
	for (w = 1; w < N_WINDOWS; w++) {
		for (t = 0; t < sizeof(tops) / sizeof(tops[0]); t++) {
			b = run(windows[w], true, tops[t]);
			/* Few are left after the highest of the tops. */
			assert_true(b->verdicts[ESPTUN_REPLAY_OK] > 10);
			assert_true(b->verdicts[ESPTUN_REPLAY_DUP] > 100);
			if (tops[t] < UINT64_MAX >> 1)
				assert_true(b->verdicts[ESPTUN_REPLAY_OK] > 10000);
		}
	}
}

/* Every number on its own from 2^32 - 2 windows to 2^32 + 2 windows, forwards, then again. */
static void wrap_one_by_one(void **state)
{
	struct esptun_replay r;
	static u64 slots[ESPTUN_REPLAY_MAX];
	u64 s, seq, span;
	size_t w;

	(void)state;
	for (w = 1; w < N_WINDOWS; w++) {
		span = 2ull * windows[w];
		esptun_replay_init(&r, slots, windows[w], true, 0x100000000ull - span - 1);
		for (s = 0x100000000ull - span; s <= 0x100000000ull + span; s++) {
			assert_int_equal(esptun_replay_check(&r, (u32)s, &seq), ESPTUN_REPLAY_OK);
			assert_true(seq == s);
			assert_int_equal(esptun_replay_commit(&r, seq), ESPTUN_REPLAY_OK);
			assert_int_equal(esptun_replay_check(&r, (u32)s, &seq), ESPTUN_REPLAY_DUP);
			assert_int_equal(esptun_replay_commit(&r, s), ESPTUN_REPLAY_DUP);
		}
		for (s = r.top - windows[w] + 1; s <= r.top; s++)
			assert_int_equal(esptun_replay_check(&r, (u32)s, &seq), ESPTUN_REPLAY_DUP);
		assert_int_equal(esptun_replay_commit(&r, r.top - windows[w]), ESPTUN_REPLAY_OLD);
	}
}

/* The next window to the right, backwards: each number fits exactly once. */
static void window_filled_backwards(void **state)
{
	struct esptun_replay r;
	static u64 slots[ESPTUN_REPLAY_MAX];
	u64 s, seq, base;
	size_t w;
	int esn;

	(void)state;
	for (w = 1; w < N_WINDOWS; w++) {
		for (esn = 0; esn < 2; esn++) {
			base = esn ? 0x100000000ull - windows[w] / 2 : 70000;
			esptun_replay_init(&r, slots, windows[w], esn, base);
			for (s = base + windows[w]; s > base; s--) {
				assert_int_equal(esptun_replay_check(&r, (u32)s, &seq), ESPTUN_REPLAY_OK);
				assert_int_equal(esptun_replay_commit(&r, seq), ESPTUN_REPLAY_OK);
			}
			assert_int_equal(esptun_replay_commit(&r, base), ESPTUN_REPLAY_OLD);
		}
	}
}

/* ---- several CPUs -------------------------------------------------------------------------- */

#define THREADS 4
#define NUMBERS 300000

static struct {
	struct esptun_replay r;
	u64 slots[ESPTUN_REPLAY_MAX];
	unsigned char accepted[NUMBERS + 1];
	u64 base;
	u64 counter;
} shared;

/* All threads offer all numbers; a number may be lost to the window, never taken twice. */
static void *offer_all(void *arg)
{
	u64 s, seq;

	for (s = 1; s <= NUMBERS; s++)
		if (!esptun_replay_check(&shared.r, (u32)(shared.base + s), &seq) &&
		    seq == shared.base + s && !esptun_replay_commit(&shared.r, seq))
			__atomic_add_fetch(&shared.accepted[s], 1, __ATOMIC_RELAXED);
	return arg;
}

static void in_threads(void *(*run_one)(void *))
{
	pthread_t t[THREADS];
	void *complaint;
	int i;

	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, run_one, NULL), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(t[i], &complaint);
		assert_null(complaint);
	}
}

static void no_number_twice(u32 window, bool esn, u64 base)
{
	u64 s;

	memset(&shared, 0, sizeof(shared));
	shared.base = base;
	esptun_replay_init(&shared.r, shared.slots, window, esn, base);
	in_threads(offer_all);
	for (s = 1; s <= NUMBERS; s++)
		if (shared.accepted[s] > 1)
			fail_msg("number %llu accepted %u times (window %u, esn %d)",
				 (unsigned long long)(base + s), shared.accepted[s], window, esn);
	assert_true(shared.r.top == base + NUMBERS);
	assert_int_equal(shared.accepted[NUMBERS], 1);
}

static void no_number_twice_on_several_cpus(void **state)
{
	size_t w;

	(void)state;
	for (w = 1; w < N_WINDOWS; w++)
		no_number_twice(windows[w], false, 0);
}

/*
 * The same across 2^32. A thread that lags infers a number that lies ahead of all others; as with
 * a packet of another epoch, its ICV would be wrong, so it is not committed.
 */
static void no_number_twice_across_the_wrap(void **state)
{
	size_t w;

	(void)state;
	for (w = 1; w < N_WINDOWS; w++)
		no_number_twice(windows[w], true, 0x100000000ull - NUMBERS / 2);
}

static void *take_numbers(void *arg)
{
	u64 first, last = 0, i;
	u32 n = 1;

	while (esptun_seq_take(&shared.counter, NUMBERS, n, &first)) {
		if (first <= last)
			return &shared;
		last = first + n - 1;
		for (i = first; i <= last; i++)
			__atomic_add_fetch(&shared.accepted[i], 1, __ATOMIC_RELAXED);
		n = n % 3 + 1;
	}
	return arg;
}

static void counter_gives_each_number_once(void **state)
{
	u64 s;

	(void)state;
	memset(&shared, 0, sizeof(shared));
	in_threads(take_numbers);
	for (s = 1; s <= NUMBERS; s++)
		assert_int_equal(shared.accepted[s], s <= shared.counter);
	assert_true(shared.counter <= NUMBERS && shared.counter >= NUMBERS - 2);
}

static void counter_stops_at_its_limit(void **state)
{
	u64 c = 0xfffffffdu, first = 0, limit = esptun_seq_limit(false);

	(void)state;
	assert_false(esptun_seq_take(&c, limit, 3, &first));
	assert_true(c == 0xfffffffdu);
	assert_true(esptun_seq_take(&c, limit, 2, &first));
	assert_true(first == 0xfffffffeu && c == 0xffffffffu);
	assert_false(esptun_seq_take(&c, limit, 1, &first));
	assert_true(esptun_seq_take(&c, esptun_seq_limit(true), 1, &first));
	assert_true(first == 0x100000000ull);
	c = UINT64_MAX - 2;
	assert_true(esptun_seq_take(&c, esptun_seq_limit(true), 1, &first));
	assert_false(esptun_seq_take(&c, esptun_seq_limit(true), 1, &first));
	c = 7;
	assert_true(esptun_seq_close(&c) == 7);
	assert_false(esptun_seq_take(&c, esptun_seq_limit(true), 1, &first));
	assert_true(esptun_seq_close(&c) == ESPTUN_SEQ_CLOSED);
}

/* The reference itself: cases worked out by hand from RFC 4303 A2.2. */
static void reference_is_right(void **state)
{
	static struct model m;
	u64 seq;

	(void)state;
	model_init(&m, 64, true, 0x1000000ffull);		/* case A */
	assert_int_equal(model_check(&m, 0x100, &seq), ESPTUN_REPLAY_OK);
	assert_true(seq == 0x100000100ull);
	assert_int_equal(model_check(&m, 0xc0, &seq), ESPTUN_REPLAY_DUP);
	assert_int_equal(model_check(&m, 0xbf, &seq), ESPTUN_REPLAY_OK);
	assert_true(seq == 0x2000000bfull);
	model_init(&m, 64, true, 0x10000000aull);		/* case B */
	assert_int_equal(model_check(&m, 0xfffffff0u, &seq), ESPTUN_REPLAY_DUP);
	assert_true(seq == 0xfffffff0u);
	assert_int_equal(model_check(&m, 0xfffffff0u - 64, &seq), ESPTUN_REPLAY_OK);
	assert_true(seq == 0x1ffffffb0ull);
	model_init(&m, 64, true, 10);
	assert_int_equal(model_check(&m, 0xffffffffu, &seq), ESPTUN_REPLAY_OLD);
	assert_int_equal(model_check(&m, 0, &seq), ESPTUN_REPLAY_ZERO);
	model_init(&m, 32, false, 100);
	assert_int_equal(model_check(&m, 68, &seq), ESPTUN_REPLAY_OLD);
	assert_int_equal(model_check(&m, 69, &seq), ESPTUN_REPLAY_DUP);
	assert_int_equal(model_check(&m, 101, &seq), ESPTUN_REPLAY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_is_right),
		cmocka_unit_test(random_short_numbers),
		cmocka_unit_test(random_extended_numbers),
		cmocka_unit_test(wrap_one_by_one),
		cmocka_unit_test(window_filled_backwards),
		cmocka_unit_test(no_number_twice_on_several_cpus),
		cmocka_unit_test(no_number_twice_across_the_wrap),
		cmocka_unit_test(counter_gives_each_number_once),
		cmocka_unit_test(counter_stops_at_its_limit),
	};

	random_from_env("REPLAY_SEED");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
