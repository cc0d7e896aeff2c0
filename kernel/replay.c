// SPDX-License-Identifier: GPL-2.0
/*
 * Replay window and sequence counters, see replay.h. Lock-free: a commit is one
 * compare-and-exchange on a word of the window, and one on its top when the number is
 * the highest so far. A burst of loss costs nothing, since words are not cleared in
 * advance: a word of an older epoch counts as empty when it is needed.
 */
#include "replay.h"

u32 esptun_replay_words(u32 window)
{
	u32 words = 1;

	if (!window)
		return 0;
	while (words * 32 < window + 31)
		words *= 2;
	return words;
}

void esptun_replay_init(struct esptun_replay *r, u64 *slots, u32 window, bool esn, u64 top)
{
	u32 words = esptun_replay_words(window);
	u64 last = top >> 5;
	u32 bits, i;

	r->top = top;
	r->slots = slots;
	r->window = window;
	r->esn = esn;
	for (r->shift = 0; (1u << r->shift) < words; r->shift++)
		;
	for (i = 0; i < words; i++)
		slots[i] = 0;
	/* Walk back from the top: every number up to it counts as received. */
	for (i = 0; i < words && i <= last; i++) {
		bits = i ? ~0u : ~0u >> (31 - (top & 31));
		slots[(last - i) & (words - 1)] =
			(u64)(u32)((last - i) >> r->shift) << 32 | bits;
	}
}

/*
 * RFC 4303 A2.2. The window's left edge lies in the subspace of the top (case A) or
 * in the one before it (case B). False if the number would lie before the first or
 * behind the last subspace.
 */
static bool esptun_replay_infer(u64 top, u32 window, u32 lo, u64 *seq)
{
	u32 top_lo = (u32)top;
	u32 hi = (u32)(top >> 32);
	u32 left = top_lo - window + 1;
	bool ok = true;

	if (top_lo >= window - 1) {
		if (lo < left) {
			ok = hi != ~0u;
			hi++;
		}
	} else if (lo >= left) {
		ok = hi != 0;
		hi--;
	}
	*seq = (u64)hi << 32 | lo;
	return ok;
}

/* What the word says about a number of epoch @epoch: >0 older content, 0 same, <0 newer. */
static s32 esptun_replay_age(u64 word, u32 epoch)
{
	return (s32)(epoch - (u32)(word >> 32));
}

static u64 *esptun_replay_slot(const struct esptun_replay *r, u64 seq)
{
	return &r->slots[(seq >> 5) & ((1u << r->shift) - 1)];
}

static bool esptun_replay_left(const struct esptun_replay *r, u64 top, u64 seq)
{
	return seq <= top && top - seq >= r->window;
}

enum esptun_replay_verdict esptun_replay_check(const struct esptun_replay *r, u32 seq_lo,
					       u64 *seq)
{
	u64 top, word;
	s32 age;

	*seq = seq_lo;
	if (!r->window)
		return ESPTUN_REPLAY_OK;
	top = esptun_load64(&r->top);
	if (r->esn && !esptun_replay_infer(top, r->window, seq_lo, seq))
		return ESPTUN_REPLAY_OLD;
	if (!*seq)
		return ESPTUN_REPLAY_ZERO;
	if (esptun_replay_left(r, top, *seq))
		return ESPTUN_REPLAY_OLD;
	word = esptun_load64(esptun_replay_slot(r, *seq));
	age = esptun_replay_age(word, (u32)(*seq >> 5 >> r->shift));
	if (age < 0)
		return ESPTUN_REPLAY_OLD;
	if (!age && (word & (1u << (*seq & 31))))
		return ESPTUN_REPLAY_DUP;
	return ESPTUN_REPLAY_OK;
}

static enum esptun_replay_verdict esptun_replay_mark(struct esptun_replay *r, u64 seq)
{
	u32 epoch = (u32)(seq >> 5 >> r->shift);
	u32 bit = 1u << (seq & 31);
	u64 *slot = esptun_replay_slot(r, seq);
	u64 word = esptun_load64(slot);
	u64 next, was;
	s32 age;

	for (;;) {
		age = esptun_replay_age(word, epoch);
		if (age < 0)
			return ESPTUN_REPLAY_OLD;
		if (!age && (word & bit))
			return ESPTUN_REPLAY_DUP;
		next = (u64)epoch << 32 | (age ? 0 : (u32)word) | bit;
		was = esptun_cas64(slot, word, next);
		if (was == word)
			return ESPTUN_REPLAY_OK;
		word = was;
	}
}

enum esptun_replay_verdict esptun_replay_commit(struct esptun_replay *r, u64 seq)
{
	enum esptun_replay_verdict verdict;
	u64 top = esptun_load64(&r->top);
	u64 was;

	if (r->window) {
		if (esptun_replay_left(r, top, seq))
			return ESPTUN_REPLAY_OLD;
		verdict = esptun_replay_mark(r, seq);
		if (verdict)
			return verdict;
	}
	while (seq > top) {
		was = esptun_cas64(&r->top, top, seq);
		if (was == top)
			break;
		top = was;
	}
	return ESPTUN_REPLAY_OK;
}

u64 esptun_seq_close(u64 *counter)
{
	u64 cur = esptun_load64(counter);
	u64 was;

	for (;;) {
		was = esptun_cas64(counter, cur, ESPTUN_SEQ_CLOSED);
		if (was == cur)
			return cur;
		cur = was;
	}
}
