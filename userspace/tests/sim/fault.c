// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocation failures inside the engine. Never touches the simulator's own memory, nor what
 * libcrypto allocates for itself.
 */
#include "fault.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

static struct {
	bool inside;
	uint64_t nth;			/* allocations until the one that fails; 0: none */
	unsigned int per_mille;
	uint64_t refused;
	struct sim_rng rng;
} fault;

void sim_fault_set(uint64_t nth, unsigned int per_mille, struct sim_rng rng)
{
	fault.nth = nth;
	fault.per_mille = per_mille;
	fault.refused = 0;
	fault.rng = rng;
}

void sim_fault_clear(void)
{
	fault.nth = 0;
	fault.per_mille = 0;
}

uint64_t sim_fault_count(void)
{
	return fault.refused;
}

void sim_fault_enter(void)
{
	fault.inside = true;
}

void sim_fault_leave(void)
{
	fault.inside = false;
}

static bool refuse(void)
{
	bool yes = false;

	if (!fault.inside)
		return false;
	if (fault.nth)
		yes = !--fault.nth;
	if (fault.per_mille)
		yes = yes || sim_below(&fault.rng, 1000) < fault.per_mille;
	fault.refused += yes;
	return yes;
}

void *__wrap_malloc(size_t size)
{
	return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuse() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return refuse() ? NULL : __real_realloc(p, size);
}
