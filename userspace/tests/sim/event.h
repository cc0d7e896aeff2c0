/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is going to happen in a simulated world, ordered by time and, at the same time, by
 * when it was planned.
 */
#ifndef SIM_EVENT_H
#define SIM_EVENT_H

#include "libike/ike.h"

struct sim_world;

struct sim_event {
	ike_time at;
	uint64_t order;
	/* Called once, then ev is freed. NULL: nothing happens any more. */
	void (*fire)(struct sim_world *w, struct sim_event *ev);
	unsigned int host;		/* whom it happens to */
	unsigned int boot;		/* of that host; an older one's events are void */
	unsigned int a, b;		/* the rest is the event's own */
	uint64_t id;
	struct ike_path path;
	void *thing;			/* freed with the event */
	size_t len;
	uint8_t data[];
};

struct sim_queue {
	struct sim_event **heap;
	size_t n, cap;
	uint64_t planned;
};

/* An event with room for len octets of data; never NULL. */
struct sim_event *sim_event_new(void (*fire)(struct sim_world *w, struct sim_event *ev), size_t len);
void sim_event_free(struct sim_event *ev);
/* Takes ev over. */
void sim_queue_add(struct sim_queue *q, struct sim_event *ev, ike_time at);
/* IKE_NEVER when empty. */
ike_time sim_queue_next(const struct sim_queue *q);
/* The earliest; NULL when empty. The caller frees it. */
struct sim_event *sim_queue_pop(struct sim_queue *q);
void sim_queue_clear(struct sim_queue *q);

/* The simulator's own allocations: never fail, it gives up instead. */
void *sim_alloc(size_t size);
void *sim_grow(void *p, size_t size);

#endif
