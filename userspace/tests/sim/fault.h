/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that runs out inside the engine, and only there. The program is linked with
 * --wrap=malloc, calloc and realloc, so that libike's and ikecrypto's calls come here.
 */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H

#include "rng.h"

/* From now on allocations fail: the nth to come (0: none), and that many per mille of all. */
void sim_fault_set(uint64_t nth, unsigned int per_mille, struct sim_rng rng);
void sim_fault_clear(void);
/* Allocations refused since sim_fault_set(). */
uint64_t sim_fault_count(void);

/* Around every call into an engine. */
void sim_fault_enter(void);
void sim_fault_leave(void);

#endif
