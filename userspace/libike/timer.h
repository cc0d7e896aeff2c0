/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadlines in a heap keyed by ike_time. A timer lives inside the object it belongs to
 * and is stopped before that object is freed. Never reads a clock.
 */
#ifndef LIBIKE_TIMER_H
#define LIBIKE_TIMER_H

#include "ike.h"

struct ike_engine;

struct ike_timer {
	ike_time at;
	size_t slot;		/* position in the heap plus 1; 0: not running */
	void (*fire)(struct ike_engine *e, void *owner);
	void *owner;
};

struct ike_timers {
	struct ike_timer **heap;
	size_t n, cap;
	size_t owned;		/* timers initialised; each has a place reserved in the heap */
};

/* Make a timer, with room for it, so that starting it cannot fail. 0 or -IKE_E_NOMEM. */
int ike_timer_init(struct ike_timers *ts, struct ike_timer *t,
		   void (*fire)(struct ike_engine *e, void *owner), void *owner);
/* Stop for good and give the room back. A timer never made (all zero) is fine. */
void ike_timer_fini(struct ike_timers *ts, struct ike_timer *t);
/* Start or move. IKE_NEVER stops it. */
void ike_timer_set(struct ike_timers *ts, struct ike_timer *t, ike_time at);
void ike_timer_stop(struct ike_timers *ts, struct ike_timer *t);
static inline bool ike_timer_running(const struct ike_timer *t)
{
	return t->slot != 0;
}
/* Earliest deadline, or IKE_NEVER. */
ike_time ike_timers_next(const struct ike_timers *ts);
/* Stop and return the earliest timer due at or before now; NULL when there is none. */
struct ike_timer *ike_timers_pop(struct ike_timers *ts, ike_time now);
void ike_timers_free(struct ike_timers *ts);

#endif
