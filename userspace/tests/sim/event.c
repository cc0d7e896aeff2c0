// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event queue: a binary heap.
 */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *sim_alloc(size_t size)
{
	return memset(sim_grow(NULL, size), 0, size);
}

void *sim_grow(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p) {
		fprintf(stderr, "ike-sim: out of memory\n");
		exit(2);
	}
	return p;
}

struct sim_event *sim_event_new(void (*fire)(struct sim_world *w, struct sim_event *ev), size_t len)
{
	struct sim_event *ev = sim_alloc(sizeof(*ev) + len);

	ev->fire = fire;
	ev->len = len;
	return ev;
}

void sim_event_free(struct sim_event *ev)
{
	free(ev->thing);
	free(ev);
}

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

void sim_queue_add(struct sim_queue *q, struct sim_event *ev, ike_time at)
{
	size_t i = q->n++;

	if (q->n > q->cap) {
		q->cap = q->cap ? 2 * q->cap : 64;
		q->heap = sim_grow(q->heap, q->cap * sizeof(*q->heap));
	}
	ev->at = at;
	ev->order = q->planned++;
	for (; i && earlier(ev, q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = ev;
}

ike_time sim_queue_next(const struct sim_queue *q)
{
	return q->n ? q->heap[0]->at : IKE_NEVER;
}

struct sim_event *sim_queue_pop(struct sim_queue *q)
{
	struct sim_event *first, *last;
	size_t i = 0, child;

	if (!q->n)
		return NULL;
	first = q->heap[0];
	last = q->heap[--q->n];
	for (; (child = 2 * i + 1) < q->n; i = child) {
		if (child + 1 < q->n && earlier(q->heap[child + 1], q->heap[child]))
			child++;
		if (!earlier(q->heap[child], last))
			break;
		q->heap[i] = q->heap[child];
	}
	if (q->n)
		q->heap[i] = last;
	return first;
}

void sim_queue_clear(struct sim_queue *q)
{
	while (q->n)
		sim_event_free(q->heap[--q->n]);
	free(q->heap);
	*q = (struct sim_queue){ 0 };
}
