/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stories that are played, by name.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

struct sim_scenario {
	const char *name, *story;
	void (*play)(struct sim_world *w);
	unsigned int rare;		/* played once for so many rounds over all scenarios */
};

/* What stories have in common: everybody starts, and all tunnels come up; in the end one pair each, then none. */
void sim_all_come_up(struct sim_world *w);
void sim_the_end(struct sim_world *w);

/* Those of nat.c. */
void sim_nat(struct sim_world *w);
void sim_nat_restart(struct sim_world *w);

/* Ends with a NULL name. */
extern const struct sim_scenario sim_scenarios[];

const struct sim_scenario *sim_scenario_find(const char *name);
/* Play it under that seed; the world is left for the caller to look at and free. */
void sim_play(struct sim_world *w, const struct sim_scenario *s, uint64_t seed, bool verbose);

#endif
