// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Load generator and sink of the benchmark: one measured window per call, one
 * line of JSON on standard output. A window in which a packet is missing is an
 * error, not a result.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "load.h"

static const struct mode {
	const char *name;
	void (*run)(const struct options *o, struct result *r);
} modes[] = {
	{ "udp", run_udp },
	{ "tx", run_tx },
	{ "rx", run_rx },
	{ "tcp", run_tcp },
	{ "smp", run_smp },
};

static const char usage[] =
	"Usage: load udp|tx|rx|tcp|smp OPTIONS\n"
	"  --from NETNS --to NETNS --dst ADDRESS   sender, sink, the sink's address\n"
	"  --via NETNS --dev DEV                   tx, smp: counts there; rx: captures there\n"
	"  --peer NETNS                            rx: the receiving gateway\n"
	"  --payload N --count N --warm N --burst N  datagrams (18, 10000, 1000, 32)\n"
	"  --checksum                              datagrams carry a UDP checksum\n"
	"  --bytes N                               tcp: octets in the window\n"
	"  --id N                                  number of the window (0)\n";

static const struct option longopts[] = {
	{ "from", required_argument, NULL, 'f' }, { "to", required_argument, NULL, 't' },
	{ "via", required_argument, NULL, 'v' }, { "peer", required_argument, NULL, 'p' },
	{ "dev", required_argument, NULL, 'd' }, { "dst", required_argument, NULL, 'a' },
	{ "payload", required_argument, NULL, 'l' }, { "count", required_argument, NULL, 'n' },
	{ "warm", required_argument, NULL, 'w' }, { "burst", required_argument, NULL, 'b' },
	{ "bytes", required_argument, NULL, 's' }, { "id", required_argument, NULL, 'i' },
	{ "checksum", no_argument, NULL, 'c' },
	{ NULL, 0, NULL, 0 },
};

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*end || end == text)
		errx(2, "not a number: %s", text);
	return n;
}

static void parse(int argc, char **argv, struct options *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
		switch (c) {
		case 'f': o->from = optarg; break;
		case 't': o->to = optarg; break;
		case 'v': o->via = optarg; break;
		case 'p': o->peer = optarg; break;
		case 'd': o->dev = optarg; break;
		case 'a': o->dst = optarg; break;
		case 'l': o->payload = (unsigned int)number(optarg); break;
		case 'n': o->count = (unsigned int)number(optarg); break;
		case 'w': o->warm = (unsigned int)number(optarg); break;
		case 'b': o->burst = (unsigned int)number(optarg); break;
		case 's': o->bytes = number(optarg); break;
		case 'i': o->id = (unsigned int)number(optarg); break;
		case 'c': o->checksum = true; break;
		default: fputs(usage, stderr); exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = { .payload = 18, .count = 10000, .warm = 1000, .burst = 32 };
	struct result r = { 0 };
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[1], modes[i].name))
			break;
	if (argc < 2 || i == sizeof(modes) / sizeof(*modes)) {
		fputs(usage, stderr);
		return 2;
	}
	parse(argc - 1, argv + 1, &o);
	/* No page fault may fall into the window. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		err(1, "mlockall");
	window_init(&r.w, o.id);
	modes[i].run(&o, &r);
	if (r.delivered != r.packets)
		errx(1, "void: %" PRIu64 " packets sent, %" PRIu64 " delivered", r.packets, r.delivered);
	if (r.retransmits)
		errx(1, "void: %" PRIu64 " segments retransmitted", r.retransmits);
	if (modes[i].run == run_smp) {
		printf("\"mode\": \"smp\", \"window\": %u, \"packets\": %" PRIu64 ", \"rounds\": %u\n",
		       r.first_window, r.packets, SMP_ROUNDS);
		return 0;
	}
	printf("\"mode\": \"%s\", \"window\": %u, \"packets\": %" PRIu64 ", \"bytes\": %" PRIu64
	       ", \"instructions\": %" PRIu64 ", \"slept_ns\": %" PRIu64 "\n",
	       modes[i].name, o.id, r.packets, r.bytes, r.w.instructions, r.w.slept);
	return 0;
}
