/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sequence numbers of ESP (RFC 4303 2.2, 3.3.3, 3.4.3, appendix A): the counter of
 * an outbound SA and the replay window of an inbound one. Pure arithmetic on memory
 * that the caller provides: no packet, no lock, no allocation, no kernel call. It is
 * compiled into userspace tests as well, through the lines below.
 */
#ifndef _ESPTUN_REPLAY_H
#define _ESPTUN_REPLAY_H

#include "pure.h"

#ifdef __KERNEL__
#include <linux/atomic.h>
#define esptun_load64(p)	READ_ONCE(*(p))
#define esptun_cas64(p, o, n)	cmpxchg64((p), (o), (n))
#else
#define esptun_load64(p)	__atomic_load_n((p), __ATOMIC_RELAXED)
static inline u64 esptun_cas64(u64 *p, u64 o, u64 n)
{
	__atomic_compare_exchange_n(p, &o, n, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return o;	/* what was there: the old value exactly if it was exchanged */
}
#endif

/* Window sizes: 0 switches replay detection off. */
#define ESPTUN_REPLAY_MIN	32
#define ESPTUN_REPLAY_MAX	4096

/**
 * struct esptun_replay - replay window of one inbound SA
 * @top: highest authenticated sequence number, 64 bits also without ESN
 * @slots: what was received; (1 << @shift) words, each the epoch (upper half) and a
 *	bitmap (lower half) of 32 consecutive numbers. Number s has bit s % 32 of word
 *	(s / 32) % (1 << @shift), and its epoch is s / 32 >> @shift.
 * @window: size in packets, 0 or %ESPTUN_REPLAY_MIN..%ESPTUN_REPLAY_MAX
 * @shift: log2 of the number of words
 * @esn: only the lower half of a number is in the packet (RFC 4303 2.2.1)
 *
 * Any number of CPUs may check and commit at the same time without a lock. A word
 * only goes forward: from its epoch to a later one, or gaining a bit. So no number
 * is ever accepted twice.
 */
struct esptun_replay {
	u64 top;
	u64 *slots;
	u32 window;
	u8 shift;
	bool esn;
};

enum esptun_replay_verdict {
	ESPTUN_REPLAY_OK,
	ESPTUN_REPLAY_DUP,	/* received before */
	ESPTUN_REPLAY_OLD,	/* left of the window, or before the first number */
	ESPTUN_REPLAY_ZERO,	/* number zero is never sent */
};

/**
 * esptun_replay_words - memory needed for a window
 * @window: size in packets
 *
 * Return: how many u64 esptun_replay_init() wants; a power of two with at least
 * @window + 31 bits, so that no number within the window shares a word with a later
 * one. 0 for @window 0.
 */
u32 esptun_replay_words(u32 window);

/**
 * esptun_replay_init - begin a window
 * @r: to be filled
 * @slots: esptun_replay_words(@window) words, owned by the caller, living as long as @r
 * @window: size in packets, a valid one
 * @esn: extended sequence numbers
 * @top: highest number received so far; it and all below count as received
 */
void esptun_replay_init(struct esptun_replay *r, u64 *slots, u32 window, bool esn, u64 top);

/**
 * esptun_replay_check - look at the number of a packet that is not authenticated yet
 * @r: the window
 * @seq_lo: the 32 bits from the packet
 * @seq: the whole number is stored here, also for refused packets
 *
 * With ESN the upper half is inferred as RFC 4303 A2.2 says. Changes nothing.
 *
 * Return: the verdict; %ESPTUN_REPLAY_OK means: worth decrypting with @seq.
 */
enum esptun_replay_verdict esptun_replay_check(const struct esptun_replay *r, u32 seq_lo,
					       u64 *seq);

/**
 * esptun_replay_commit - enter the number of an authenticated packet
 * @r: the window
 * @seq: what esptun_replay_check() stored
 *
 * Return: %ESPTUN_REPLAY_OK for exactly one caller of each number, otherwise why not.
 */
enum esptun_replay_verdict esptun_replay_commit(struct esptun_replay *r, u64 seq);

/* Last number of an outbound SA. The counter never gets past it. */
static inline u64 esptun_seq_limit(bool esn)
{
	return esn ? ~(u64)0 - 1 : 0xffffffffu;
}

/* The value a closed counter has: above every limit. */
#define ESPTUN_SEQ_CLOSED	(~(u64)0)

/**
 * esptun_seq_take - reserve numbers for packets to be sent
 * @counter: last number taken
 * @limit: last number that may be taken, esptun_seq_limit()
 * @n: how many, not 0
 * @first: the first of them is stored here
 *
 * Return: false if fewer than @n are left, then nothing was taken.
 */
static inline bool esptun_seq_take(u64 *counter, u64 limit, u32 n, u64 *first)
{
	u64 cur = esptun_load64(counter);
	u64 was;

	for (;;) {
		if (cur >= limit || n > limit - cur)
			return false;
		was = esptun_cas64(counter, cur, cur + n);
		if (was == cur)
			break;
		cur = was;
	}
	*first = cur + 1;
	return true;
}

/**
 * esptun_seq_close - end a counter; no number can be taken any more
 * @counter: last number taken
 *
 * Return: the last number that was taken, %ESPTUN_SEQ_CLOSED if closed before.
 */
u64 esptun_seq_close(u64 *counter);

#endif /* _ESPTUN_REPLAY_H */
