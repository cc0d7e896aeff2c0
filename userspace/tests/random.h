/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random numbers for tests that compare with a reference: splitmix64 from a fixed seed, which
 * a failure prints and NAME_SEED=n in the environment replaces. Not for anything secret.
 */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

static uint64_t seed_used = 20240611;
static uint64_t random_state;

static inline uint64_t rnd(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline uint64_t below(uint64_t n)
{
	return rnd() % n;
}

/* Begins again; @salt makes the numbers of one case independent of the cases before it. */
static inline void random_begin(uint64_t salt)
{
	random_state = seed_used ^ salt;
}

static inline void random_from_env(const char *name)
{
	const char *seed = getenv(name);

	if (seed)
		seed_used = strtoull(seed, NULL, 0);
}

#endif
