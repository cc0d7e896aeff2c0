/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers of a run: each part of the world has its own stream, all of them made from
 * the one seed, so that a run can be repeated and one more draw here changes nothing there.
 */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
	uint64_t state;
};

static inline uint64_t sim_random(struct sim_rng *r)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline struct sim_rng sim_rng_make(uint64_t seed, uint64_t stream)
{
	struct sim_rng r = { seed * 0xd1342543de82ef95ull + stream };

	r.state = sim_random(&r);
	return r;
}

/* 0 .. n-1; 0 for n 0. */
static inline uint64_t sim_below(struct sim_rng *r, uint64_t n)
{
	return n ? sim_random(r) % n : 0;
}

static inline bool sim_chance(struct sim_rng *r, unsigned int percent)
{
	return sim_below(r, 100) < percent;
}

#endif
