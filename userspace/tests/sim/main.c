// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ike-sim: plays scenarios under seeds and reports in KTAP, one line a scenario. A seed that
 * fails is shown with the one command that plays it again.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

enum { MAX_SCENARIOS = 64 };

static struct options {
	unsigned long seeds, first;
	const struct sim_scenario *only;
	bool verbose;
} options = { .seeds = 300, .first = 1 };

static struct tally {
	bool planned;
	unsigned long played, failed;
	unsigned long sent, pings;	/* datagrams, test packets */
	ike_time *up;			/* what coming up took, each time */
	size_t n_up;
} tally[MAX_SCENARIOS];

static void usage(FILE *to)
{
	const struct sim_scenario *s;

	fprintf(to, "usage: ike-sim [--seeds N] [--seed FIRST] [--scenario NAME] [-v]\n"
		"Plays N scenarios (default %lu) in a simulated network; all of them in turn, or one.\n"
		"With -v each datagram, log line and SA is shown. Scenarios:\n", options.seeds);
	for (s = sim_scenarios; s->name; s++)
		fprintf(to, "  %-16s %s\n", s->name, s->story);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 0);

	if (*end || !*text) {
		fprintf(stderr, "ike-sim: \"%s\" is not a number\n", text);
		exit(2);
	}
	return n;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seeds", required_argument, NULL, 'n' }, { "seed", required_argument, NULL, 's' },
		{ "scenario", required_argument, NULL, 'c' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool one = false, counted = false;
	int c;

	while ((c = getopt_long(argc, argv, "vh", longs, NULL)) != -1) {
		if (c == 'n') {
			options.seeds = number(optarg);
			counted = true;
		} else if (c == 's') {
			options.first = number(optarg);
			one = true;
		} else if (c == 'c') {
			options.only = sim_scenario_find(optarg);
			if (!options.only)
				fprintf(stderr, "ike-sim: no scenario \"%s\"\n", optarg);
		} else if (c == 'v') {
			options.verbose = true;
		}
		if (c == 'h' || c == '?' || (c == 'c' && !options.only)) {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
	if (one && !counted)
		options.seeds = 1;
}

static void count(struct tally *t, const struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_hosts; i++)
		t->sent += w->host[i].sent;
	for (i = 0; i < w->n_links; i++)
		t->pings += w->link[i].sent;
}

static void play(const struct sim_scenario *s, unsigned long seed)
{
	struct tally *t = &tally[s - sim_scenarios];
	static struct sim_world w;

	sim_play(&w, s, seed, options.verbose);
	t->played++;
	count(t, &w);
	if (w.up_after) {
		t->up = sim_grow(t->up, (t->n_up + 1) * sizeof(*t->up));
		t->up[t->n_up++] = w.up_after;
	}
	if (w.failed) {
		t->failed++;
		printf("# %s, seed %lu: %s\n# play it again: make sim SCENARIO=%s FIRST=%lu VERBOSE=1\n", s->name, seed,
		       w.failure, s->name, seed);
	}
	fflush(stdout);
	sim_world_free(&w);
}

/* Is it this scenario's turn in that round? */
static bool has_turn(const struct sim_scenario *s, unsigned long round)
{
	return !options.only ? round % s->rare == 0 : options.only == s;
}

static void each_turn(void (*turn)(const struct sim_scenario *s, unsigned long seed))
{
	unsigned long n = 0, round;
	const struct sim_scenario *s;

	for (round = 0; n < options.seeds; round++) {
		for (s = sim_scenarios; s->name && n < options.seeds; s++) {
			if (!has_turn(s, round))
				continue;
			turn(s, options.first + round);
			n++;
		}
	}
}

static void plan(const struct sim_scenario *s, unsigned long seed)
{
	(void)seed;
	tally[s - sim_scenarios].planned = true;
}

static int by_time(const void *a, const void *b)
{
	ike_time x = *(const ike_time *)a, y = *(const ike_time *)b;

	return x < y ? -1 : x > y;
}

/* How long coming up took: half of the times, 99 of 100. */
static void print_times(struct tally *t)
{
	if (!t->n_up)
		return;
	qsort(t->up, t->n_up, sizeof(*t->up), by_time);
	printf(", up after %.1f s, 99 %%: %.1f s", (double)t->up[t->n_up / 2] / IKE_SECOND,
	       (double)t->up[t->n_up * 99 / 100] / IKE_SECOND);
	free(t->up);
	t->up = NULL;
}

int main(int argc, char **argv)
{
	const struct sim_scenario *s;
	unsigned int n = 0, failed = 0;
	struct tally *t;

	parse(argc, argv);
	each_turn(plan);
	for (s = sim_scenarios; s->name; s++)
		n += tally[s - sim_scenarios].planned;
	printf("KTAP version 1\n1..%u\n", n);
	each_turn(play);
	for (n = 0, s = sim_scenarios; s->name; s++) {
		t = &tally[s - sim_scenarios];
		if (!t->played)
			continue;
		failed += t->failed > 0;
		printf("%s %u %s # %lu seeds, %lu failed, %lu datagrams, %lu packets", t->failed ? "not ok" : "ok",
		       ++n, s->name, t->played, t->failed, t->sent, t->pings);
		print_times(t);
		putchar('\n');
	}
	return failed ? 1 : 0;
}
