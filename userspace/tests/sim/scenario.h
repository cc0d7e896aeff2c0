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
	unsigned int way;		/* how phase 1 is gone through: of enum sim_way */
};

/* Ends with a NULL name. */
extern const struct sim_scenario sim_scenarios[];

const struct sim_scenario *sim_scenario_find(const char *name);
/* Play it under that seed; the world is left for the caller to look at and free. */
void sim_play(struct sim_world *w, const struct sim_scenario *s, uint64_t seed, bool verbose);

#endif
