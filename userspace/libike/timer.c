// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A binary heap of pointers to timers, each of which knows its slot. See timer.h.
 */
#include "timer.h"

#include <stdlib.h>

static void place(struct ike_timers *ts, size_t i, struct ike_timer *t)
{
	ts->heap[i] = t;
	t->slot = i + 1;
}

static void sift_up(struct ike_timers *ts, size_t i)
{
	struct ike_timer *t = ts->heap[i];

	while (i && ts->heap[(i - 1) / 2]->at > t->at) {
		place(ts, i, ts->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	place(ts, i, t);
}

static void sift_down(struct ike_timers *ts, size_t i)
{
	struct ike_timer *t = ts->heap[i];
	size_t child;

	while ((child = 2 * i + 1) < ts->n) {
		if (child + 1 < ts->n && ts->heap[child + 1]->at < ts->heap[child]->at)
			child++;
		if (ts->heap[child]->at >= t->at)
			break;
		place(ts, i, ts->heap[child]);
		i = child;
	}
	place(ts, i, t);
}

int ike_timer_init(struct ike_timers *ts, struct ike_timer *t,
		   void (*fire)(struct ike_engine *e, void *owner), void *owner)
{
	struct ike_timer **heap;
	size_t cap;

	t->fire = NULL;
	if (ts->owned == ts->cap) {
		cap = ts->cap ? 2 * ts->cap : 64;
		heap = realloc(ts->heap, cap * sizeof(*heap));
		if (!heap)
			return -IKE_E_NOMEM;
		ts->heap = heap;
		ts->cap = cap;
	}
	ts->owned++;
	t->at = IKE_NEVER;
	t->slot = 0;
	t->fire = fire;
	t->owner = owner;
	return 0;
}

void ike_timer_fini(struct ike_timers *ts, struct ike_timer *t)
{
	if (!t->fire)
		return;
	ike_timer_stop(ts, t);
	ts->owned--;
	t->fire = NULL;
}

void ike_timer_stop(struct ike_timers *ts, struct ike_timer *t)
{
	struct ike_timer *last;
	size_t i;

	if (!t->slot)
		return;
	i = t->slot - 1;
	t->slot = 0;
	t->at = IKE_NEVER;
	last = ts->heap[--ts->n];
	if (last == t)
		return;
	place(ts, i, last);
	sift_up(ts, i);
	sift_down(ts, last->slot - 1);
}

void ike_timer_set(struct ike_timers *ts, struct ike_timer *t, ike_time at)
{
	ike_timer_stop(ts, t);
	if (at == IKE_NEVER)
		return;
	t->at = at;
	place(ts, ts->n++, t);
	sift_up(ts, ts->n - 1);
}

ike_time ike_timers_next(const struct ike_timers *ts)
{
	return ts->n ? ts->heap[0]->at : IKE_NEVER;
}

struct ike_timer *ike_timers_pop(struct ike_timers *ts, ike_time now)
{
	struct ike_timer *t;

	if (!ts->n || ts->heap[0]->at > now)
		return NULL;
	t = ts->heap[0];
	ike_timer_stop(ts, t);
	return t;
}

void ike_timers_free(struct ike_timers *ts)
{
	free(ts->heap);
	ts->heap = NULL;
	ts->n = ts->cap = ts->owned = 0;
}
