/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two engines that talk to each other, for targets that fuzz whole negotiations: a wire as a
 * queue, a recording kernel for each, virtual time. Checks with every action what must hold
 * whatever the peer and the network do; see world.c.
 */
#ifndef ESPTUN_FUZZ_WORLD_H
#define ESPTUN_FUZZ_WORLD_H

#include "libike/ike.h"

#define WORLD_QUEUE 32		/* messages under way; more are lost */
#define WORLD_SAS 64		/* ever installed, per side; more are not compared */
#define WORLD_KEPT 16		/* old messages, to be replayed */

struct world_sa {
	enum ike_dir dir;
	uint32_t spi;
	size_t len;
	uint8_t keys[160], cookie[IKE_SA_COOKIE_LEN];
	bool gone, used;	/* used: out and not pending, or activated */
};

struct world_side {
	struct ike_engine *e;
	struct ike_addr addr;
	uint64_t rng;
	uint32_t next_spi;
	struct world_sa sa[WORLD_SAS];
	size_t n_sas;
	unsigned int fail_next;	/* kernel requests to refuse */
	unsigned int sends;	/* in this call */
};

struct world_msg {
	int to;
	uint8_t *data;
	size_t len;
};

struct world {
	struct world_side side[2];
	ike_time now;
	struct world_msg queue[WORLD_QUEUE];
	size_t n_queue;
	struct world_msg kept[WORLD_KEPT];
	size_t n_kept;
	bool cheated;		/* somebody who knows keys has changed messages: SAs need not match */
};

/* What both ends are configured for; the bits of a fuzz input's first octets. */
struct world_plan {
	uint8_t suite, shape;
};

void world_init(struct world *w, const struct world_plan *p);
/* Changes the configuration of one side while it runs. */
void world_configure(struct world *w, int who, const struct world_plan *p);
/* Checks that the end is clean. */
void world_free(struct world *w);

/* The oldest message under way; false when there is none. Its data is the caller's then. */
bool world_take(struct world *w, struct world_msg *m);
/* Takes m's data over. */
void world_put(struct world *w, struct world_msg *m);
/* Gives a message to its receiver; data stays the caller's. */
void world_deliver(struct world *w, const struct world_msg *m);
void world_command(struct world *w, int who, uint8_t what);
void world_event(struct world *w, int who, uint8_t what, uint8_t which);
/* Time passes to the next deadline, but not beyond until; false: there is none before. */
bool world_wait(struct world *w, ike_time until);
struct ike_path world_path(const struct world *w, int to);

#endif
