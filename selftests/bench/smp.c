// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One CPU and then two that send through the same tunnel: what a packet costs its CPU
 * while the other one is idle, and while it sends, too. Nothing here looks at a clock: the
 * counting plugin counts what each CPU executes between its marks, and a CPU that waits for
 * a lock, or tries again, executes instructions. Numbers of windows: see WINDOW.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "load.h"

/* In each round: CPU 0 alone, CPU 1 alone, both at once (one window, each CPU's part apart). */
#define ROUNDS	SMP_ROUNDS
#define WINDOW(o, round, which)	((o)->id * 64 + (round) * 4 + (which))
#define BOTH	2

/* What the senders of one race tell each other. */
struct race {
	volatile unsigned int ready, done, extra;
};

static void sender(const struct options *o, int cpu, int cpus, unsigned int id, struct race *race)
{
	unsigned int left, k;
	struct window w;
	cpu_set_t set;
	int fd;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
	window_init(&w, id);
	fd = net_udp_sender(o->from, o->dst, o->checksum);
	for (left = o->warm; left; left -= k) {
		k = left < o->burst ? left : o->burst;
		udp_send(fd, o->payload, k);
	}
	__atomic_add_fetch(&race->ready, 1, __ATOMIC_SEQ_CST);
	while (race->ready < (unsigned int)cpus)
		;
	w.mark_start();
	for (left = o->count; left; left -= k) {
		k = left < o->burst ? left : o->burst;
		udp_send(fd, o->payload, k);
	}
	w.mark_stop();
	__atomic_add_fetch(&race->done, 1, __ATOMIC_SEQ_CST);
	/* The other's window ends in company, too. */
	while (race->done < (unsigned int)cpus) {
		udp_send(fd, o->payload, o->burst);
		__atomic_add_fetch(&race->extra, o->burst, __ATOMIC_SEQ_CST);
	}
	_exit(0);
}

/* CPUs @first to @last send at the same time. */
static void run_race(const struct options *o, int counter, int first, int last, unsigned int id)
{
	struct race *race = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t before = net_tx_count(counter), want;
	int cpus = last - first + 1, i, status;
	pid_t pid;

	if (race == MAP_FAILED)
		err(1, "mmap");
	for (i = first; i <= last; i++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid)
			sender(o, i, cpus, id, race);
	}
	for (i = 0; i < cpus; i++)
		if (wait(&status) < 0 || status)
			errx(1, "a sender failed");
	want = (uint64_t)cpus * (o->warm + o->count) + race->extra;
	for (i = 0; i < 10000 && net_tx_count(counter) - before < want; i++)
		usleep(1000);
	if (net_tx_count(counter) - before != want)
		errx(1, "void: packets lost with %d CPUs", cpus);
	munmap(race, 4096);
}

void run_smp(const struct options *o, struct result *r)
{
	int counter = net_tx_counter(o->via, o->dev), i;

	for (i = 0; i < ROUNDS; i++) {
		run_race(o, counter, 0, 0, WINDOW(o, i, 0));
		run_race(o, counter, 1, 1, WINDOW(o, i, 1));
		run_race(o, counter, 0, 1, WINDOW(o, i, BOTH));
	}
	r->packets = r->delivered = o->count;
	r->first_window = WINDOW(o, 0, 0);
}
