// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One and then two CPUs that send through the same tunnel: how much more two
 * move. A race against the clock of a machine without instruction clock, so the
 * best of several rounds counts, and only the ratio means something.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

#define ROUNDS	5

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* A sender on CPU @cpu; begins when the pipe closes. */
static pid_t sender(const struct options *o, int cpu, int go[2])
{
	pid_t pid = fork();
	unsigned int left, k;
	cpu_set_t set;
	char c;
	int fd;

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	close(go[1]);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "CPU %d", cpu);
	fd = net_udp_sender(o->from, o->dst, o->checksum);
	udp_send(fd, o->payload, 1);
	while (read(go[0], &c, 1) > 0)
		;
	for (left = o->count; left; left -= k) {
		k = left < o->burst ? left : o->burst;
		udp_send(fd, o->payload, k);
	}
	_exit(0);
}

/* Nanoseconds that @cpus senders together take for their @o->count datagrams each. */
static uint64_t race(const struct options *o, int counter, int cpus)
{
	uint64_t before = net_tx_count(counter), start, ns;
	uint64_t want = (uint64_t)cpus * (o->count + 1);
	pid_t pids[2];
	int go[2], i, status;

	if (pipe(go))
		err(1, "pipe");
	for (i = 0; i < cpus; i++)
		pids[i] = sender(o, i, go);
	close(go[0]);
	/* The warm-up datagram of each shows that it is ready. */
	while (net_tx_count(counter) - before < (uint64_t)cpus)
		usleep(1000);
	start = now_ns();
	close(go[1]);
	for (i = 0; i < cpus; i++)
		if (waitpid(pids[i], &status, 0) < 0 || status)
			errx(1, "a sender failed");
	ns = now_ns() - start;
	for (i = 0; i < 1000 && net_tx_count(counter) - before < want; i++)
		usleep(1000);
	if (net_tx_count(counter) - before != want)
		errx(1, "void: packets lost with %d CPUs", cpus);
	return ns;
}

void run_smp(const struct options *o, struct result *r)
{
	int counter = net_tx_counter(o->via, o->dev), i, cpus;
	uint64_t ns;

	for (i = 0; i < ROUNDS; i++) {
		for (cpus = 1; cpus <= 2; cpus++) {
			ns = race(o, counter, cpus);
			if (!r->best[cpus - 1] || ns < r->best[cpus - 1])
				r->best[cpus - 1] = ns;
		}
	}
	r->packets = r->delivered = 2ull * o->count;
}
