/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mark between the load generator (guest) and the counting plugin (host):
 * nopl DISP32(%rax,%rax), eight bytes, whose displacement says start or stop and
 * names the window. Shared so that both sides agree; holds no code.
 */
#ifndef BENCH_MARK_H
#define BENCH_MARK_H

#include <stdint.h>

static const uint8_t mark_prefix[4] = { 0x0f, 0x1f, 0x84, 0x00 };
#define MARK_SIZE	8
#define MARK_MASK	0x7fff0000u
#define MARK_START	0x65510000u
#define MARK_STOP	0x65520000u	/* low 16 bits: number of the window */

#endif
