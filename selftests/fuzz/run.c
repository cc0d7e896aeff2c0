// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The wire fuzzer's main program: sends batches, each of one kind, and after each holds
 * every counter of every device against what had to move. Prints progress, and what is
 * needed to send a failed batch again.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "batch.h"
#include "count.h"
#include "kinds.h"
#include "out.h"
#include "wire.h"

/* Seconds that packets may take on a machine that others use as well. */
#define PATIENCE 120

static uint64_t seed = 1, from, count = 10000;
static const char *only;
static int only_shape = -1;
static counters before;
static struct { uint64_t packets, frames; } by_kind[64];

static const char *const shapes[] = { "plain", "ring", "cloned", "fragments" };

void broken(const struct batch *b, const char *why, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "fuzz: batch %llu of seed %llu, kind %s, device %s, shape %s: ",
		(unsigned long long)b->number, (unsigned long long)b->seed, b->kind->name,
		b->dev ? b->dev->name : "-", shapes[b->shape]);
	va_start(args, why);
	vfprintf(stderr, why, args);
	va_end(args);
	fprintf(stderr, "\nfuzz: again with --seed %llu --from %llu --count %d\n",
		(unsigned long long)b->seed, (unsigned long long)b->number * BATCH, BATCH);
	exit(1);
}

static const struct kind *kind_at(int i)
{
	return i < rx_kind_count ? &rx_kinds[i] : &tx_kinds[i - rx_kind_count];
}

static int kinds(void)
{
	return rx_kind_count + tx_kind_count;
}

/* SAs in one direction, those the batch may be about. */
static struct sa *choose_sa(struct batch *b, bool out)
{
	struct sa *list[MAX_SAS];
	unsigned int n = 0;
	int i;

	for (i = 0; i < sa_count; i++)
		if (sas[i].out == out)
			list[n++] = &sas[i];
	if (!n)
		errx(2, "no SA in one direction");
	return list[random_in(b, 0, n - 1)];
}

static int choose_kind(uint64_t number)
{
	int i;

	for (i = 0; only && i < kinds(); i++)
		if (!strcmp(kind_at(i)->name, only))
			return i;
	return (int)(random_mix(seed ^ 0x6b696e64, number) % (uint64_t)kinds());
}

static void compare(struct batch *b, counters now)
{
	char text[1024] = "";
	int64_t moved, known = 0;
	int d, i, at = 0;

	for (d = 0; d < device_count; d++) {
		want(b, &devices[d], COUNT_SENT, b->sent[d]);
		for (i = 0; i < count_total; i++) {
			moved = now[d][i] - before[d][i];
			if (b->loose && &devices[d] == b->dev &&
			    (count_is(i, "tx_") || !strcmp(count_names[i], COUNT_CORE))) {
				known += moved;
				continue;
			}
			if (moved != b->want[d][i] && at < (int)sizeof(text) - 100)
				at += sprintf(text + at, "; %s: %s moved by %lld, not %lld",
					      devices[d].name, count_names[i], (long long)moved,
					      (long long)b->want[d][i]);
		}
	}
	if (at)
		broken(b, "%s", text + 2);
	if (b->loose && known + b->sent[b->dev - devices] < b->handed)
		broken(b, "%u packets handed over, %lld sent, %lld dropped", b->handed,
		       (long long)b->sent[b->dev - devices], (long long)known);
}

/* Has every counter moved at least as far as it must? */
static bool moved_enough(const struct batch *b, counters now)
{
	int d, i;

	for (d = 0; d < device_count; d++)
		for (i = 0; i < count_total; i++)
			if (now[d][i] - before[d][i] < b->want[d][i])
				return false;
	return true;
}

/* Waits until everything due has come, at most as long as nobody would believe. */
static void settle(struct batch *b)
{
	struct timespec start, t;
	counters now;
	size_t len;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (;;) {
		bool complete = batch_collect(b);

		count_read(now);
		if (complete && moved_enough(b, now))
			break;
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec - start.tv_sec > PATIENCE)
			break;
		sched_yield();
	}
	/* What came between the two looks. */
	batch_collect(b);
	count_read(now);
	for (i = 0; i < device_count; i++) {
		if (due_missing(&b->deliver[i], &len))
			broken(b, "%s: %zu of %zu packets were not delivered, the first has %zu octets",
			       devices[i].name, b->deliver[i].missing, b->deliver[i].count, len);
		if (due_missing(&b->emit[i], &len))
			broken(b, "%s: %zu of %zu packets did not leave, the first has %zu octets",
			       devices[i].name, b->emit[i].missing, b->emit[i].count, len);
	}
	compare(b, now);
	memcpy(before, now, sizeof(before));
}

/* From here on somebody else has a copy of each packet, or no longer. */
static void clone_switch(struct batch *b, bool on)
{
	if (b->kind->tx)
		device_clone(b->dev, on);
	else
		wire_clone(b->dev->wire, on);
}

static void run_batch(uint64_t number)
{
	/* To begin and end cloning takes longer than all the rest. */
	static const enum shape choices[] = {
		SHAPE_PLAIN, SHAPE_PLAIN, SHAPE_PLAIN, SHAPE_RING, SHAPE_RING, SHAPE_RING,
		SHAPE_FRAGMENTS, SHAPE_FRAGMENTS, SHAPE_FRAGMENTS, SHAPE_CLONED,
	};
	int kind = choose_kind(number);
	static struct batch b;

	batch_begin(&b, seed, number, kind_at(kind), 0);
	b.sa = choose_sa(&b, b.kind->tx);
	b.dev = b.sa->dev;
	b.shape = choices[random_in(&b, 0, sizeof(choices) / sizeof(*choices) - 1)];
	if (only_shape >= 0)
		b.shape = only_shape;
	if (b.kind->tx && b.shape != SHAPE_CLONED)
		b.shape = SHAPE_PLAIN;
	clone_switch(&b, b.shape == SHAPE_CLONED);
	b.kind->make(&b);
	/* The last one is good: when it has come, all before it have had their turn. */
	if (b.kind->tx)
		tx_good(&b, b.dev);
	else
		rx_good(&b, b.sa);
	batch_flush(&b);
	settle(&b);
	batch_unaltered(&b);
	clone_switch(&b, false);
	by_kind[kind].packets += BATCH;
	by_kind[kind].frames += b.frames;
	batch_end(&b);
}

static uint64_t number_of(const char *word)
{
	char *end;
	uint64_t n;

	errno = 0;
	n = strtoull(word, &end, 0);
	if (errno || !*word || *end)
		errx(2, "not a number: %s", word);
	return n;
}

static void usage(void)
{
	int i;

	puts("Usage: fuzz --network FILE [--seed S] [--from N] [--count M] [--kind K] [--shape P] [--used]\n"
	     "Sends M generated packets, from the Nth of a seed on; run by selftests/fuzz.py,\n"
	     "which makes the network (--used: not a new one; then N must be larger than before).\n"
	     "Exit status: 1 something came that must not have.\n"
	     "Kinds:");
	for (i = 0; i < kinds(); i++)
		printf("  %-14s %s\n", kind_at(i)->name, kind_at(i)->what);
	exit(0);
}

static void options(int argc, char **argv)
{
	static const struct option table[] = {
		{ "network", 1, NULL, 'n' }, { "seed", 1, NULL, 's' }, { "from", 1, NULL, 'f' },
		{ "count", 1, NULL, 'c' }, { "kind", 1, NULL, 'k' }, { "shape", 1, NULL, 'p' },
		{ "used", 0, NULL, 'u' }, { "help", 0, NULL, 'h' }, { }
	};
	const char *network = NULL;
	int c, i;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'n': network = optarg; break;
		case 's': seed = number_of(optarg); break;
		case 'f': from = number_of(optarg); break;
		case 'c': count = number_of(optarg); break;
		case 'k': only = optarg; break;
		case 'p':
			for (i = 0; i < SHAPE_COUNT; i++)
				if (!strcmp(shapes[i], optarg))
					only_shape = i;
			break;
		case 'u': network_used = true; break;
		case 'h':
			usage();
			break;
		default: exit(2);
		}
	}
	for (i = 0; only && i < kinds() && strcmp(kind_at(i)->name, only); i++)
		;
	if (!network || optind != argc || i == (only ? kinds() : -1))
		errx(2, "--network is missing, or there is no such kind (--help)");
	conf_read(network);
}

int main(int argc, char **argv)
{
	uint64_t n, first, last;
	time_t start = time(NULL), said = start;
	int i;

	options(argc, argv);
	wire_open();
	count_open();
	count_read(before);
	first = from / BATCH;
	last = first + (count + BATCH - 1) / BATCH;
	for (n = first; n < last; n++) {
		run_batch(n);
		if (time(NULL) - said < 10)
			continue;
		said = time(NULL);
		printf("fuzz: %llu packets in %lld s, seed %llu\n",
		       (unsigned long long)(n + 1 - first) * BATCH, (long long)(said - start),
		       (unsigned long long)seed);
		fflush(stdout);
	}
	for (i = 0; i < kinds(); i++)
		if (by_kind[i].packets)
			printf("fuzz: %8llu packets %8llu frames  %s\n",
			       (unsigned long long)by_kind[i].packets,
			       (unsigned long long)by_kind[i].frames, kind_at(i)->what);
	printf("fuzz: %llu packets of seed %llu, each accounted for\n",
	       (unsigned long long)(last - first) * BATCH, (unsigned long long)seed);
	return 0;
}
