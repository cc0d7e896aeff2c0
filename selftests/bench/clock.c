// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The measured window (clock.h): time-stamp counter, the kernel's own account of
 * the time the CPU slept, and the marks for the counting plugin.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "clock.h"
#include "mark.h"

static uint64_t tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

/* Sum over CPUs of the time in the idle task, in ns; zero-length sleeps included. */
static uint64_t idle_ns(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long one, sum = 0;
	char line[256];

	if (!f)
		err(1, "/proc/timer_list");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " .idle_sleeptime : %llu", &one) == 1)
			sum += one;
	fclose(f);
	return sum;
}

/* The number of the window is only known now, and a mark carries it in its code. */
static void (*make_mark(uint8_t *page, uint32_t value))(void)
{
	memcpy(page, mark_prefix, sizeof(mark_prefix));
	memcpy(page + sizeof(mark_prefix), &value, sizeof(value));
	page[MARK_SIZE] = 0xc3; /* ret */
	return (void (*)(void))(uintptr_t)page;
}

void window_init(struct window *w, unsigned int id)
{
	uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		err(1, "mmap");
	memset(w, 0, sizeof(*w));
	w->mark_start = make_mark(page, MARK_START | (id & 0xffff));
	w->mark_stop = make_mark(page + 64, MARK_STOP | (id & 0xffff));
}

void window_begin(struct window *w)
{
	w->idle = idle_ns();
	w->mark_start();
	w->start = tsc();
}

void window_end(struct window *w)
{
	uint64_t end = tsc();

	w->mark_stop();
	w->slept = idle_ns() - w->idle;
	/* Sleeping moves the counter on without an instruction executed. */
	w->instructions = end - w->start - w->slept;
}
