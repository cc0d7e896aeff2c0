// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pseudo-random numbers (splitmix64), a stream of its own for each batch: so that a seed
 * and a batch's number are all that is needed to send the same packets again.
 */
#include <string.h>
#include "fuzz.h"

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t random_mix(uint64_t a, uint64_t b)
{
	return mix(mix(a + 0x9e3779b97f4a7c15u) ^ (b + 0x9e3779b97f4a7c15u));
}

uint64_t random_next(struct batch *b)
{
	return mix(b->rng += 0x9e3779b97f4a7c15u);
}

uint64_t random_in(struct batch *b, uint64_t low, uint64_t high)
{
	return low + random_next(b) % (high - low + 1);
}

bool random_chance(struct batch *b, unsigned int percent)
{
	return random_next(b) % 100 < percent;
}

void random_fill(struct batch *b, void *to, size_t len)
{
	uint8_t *p = to;
	uint64_t word;
	size_t n;

	for (; len; p += n, len -= n) {
		n = len < sizeof(word) ? len : sizeof(word);
		word = random_next(b);
		memcpy(p, &word, n);
	}
}
