/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The measured window: instructions by the time-stamp counter (which counts
 * instructions in a VM with an instruction clock), less what the CPU slept.
 * Measures and marks; knows nothing of packets.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdint.h>

struct window {
	uint64_t start;		/* time stamp counter */
	uint64_t idle;		/* ns slept before the window */
	uint64_t instructions;	/* result: executed in the window */
	uint64_t slept;		/* result: ns slept in the window */
	void (*mark_start)(void);
	void (*mark_stop)(void);
};

/* Prepares window @id (0..65535). Exits with a message when it cannot. */
void window_init(struct window *w, unsigned int id);
void window_begin(struct window *w);
void window_end(struct window *w);

#endif
