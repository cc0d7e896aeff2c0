/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop (libevent) with one clock: CLOCK_BOOTTIME, read once per wake-up, so
 * that everything done in one turn happened at the same time and suspend counts.
 */
#ifndef ESPTUND_LOOP_H
#define ESPTUND_LOOP_H

#include <event2/event.h>

#include "libike/ike.h"

struct loop;

/*
 * What has deadlines. deadline() is asked at the end of every turn; expire() is called when
 * it has passed. Both get ctx.
 */
struct loop_clockwork {
	ike_time (*deadline)(void *ctx);
	void (*expire)(void *ctx, ike_time now);
	void *ctx;
};

/* NULL when a descriptor or memory is short; errno tells. */
struct loop *loop_new(void);
void loop_free(struct loop *lp);
void loop_set_clockwork(struct loop *lp, const struct loop_clockwork *cw);
struct event_base *loop_base(struct loop *lp);
/* The time of this turn. */
ike_time loop_now(struct loop *lp);
/* Run until loop_stop. Returns 0, or -1 when the loop itself failed. */
int loop_run(struct loop *lp);
void loop_stop(struct loop *lp);

#endif
