/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What must hold in a world at certain moments. Each function calls sim_fail() with what it
 * compared when it does not.
 */
#ifndef SIM_CHECK_H
#define SIM_CHECK_H

#include "world.h"

/* A packet has come through every link in both directions. */
bool sim_all_up(struct sim_world *w);
/* Forget that: links must come up again. Nothing is watched until then. */
void sim_links_down(struct sim_world *w);
/* From now on no packet may be lost. */
void sim_watch(struct sim_world *w);

/* Every link has exactly one pair of SAs, the same at both ends and in the engines' status. */
void sim_check_one_pair(struct sim_world *w);
/* The same, for a moment within patience: where lifetimes are short, a rekey may be going on. */
void sim_wait_one_pair(struct sim_world *w, ike_time patience);
/* No host has an SA, an exchange or an ISAKMP SA. */
void sim_check_nothing(struct sim_world *w);
/* No SA was ever installed anywhere. */
void sim_check_never_up(struct sim_world *w);

/* Octets in use by this process, as far as the allocator tells. */
size_t sim_memory(void);

#endif
