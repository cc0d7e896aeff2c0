// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What many tunnels and many SAs cost: making, rekeying and deleting them, the
 * memory each takes, and packets that each arrive on another SA. One line for
 * each window: its name, then the members of a JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "craft.h"
#include "libesptun/libesptun.h"
#include "load.h"

/* The first window's number tells the runs in one machine apart: keys are never used twice. */
static unsigned int window_id, round_id;
static struct window w;

static void begin(void)
{
	window_init(&w, window_id++);
	window_begin(&w);
}

/* The kernel's memory in small pieces, in octets; what only waits to be freed is waited for. */
static long memory_used(void)
{
	long used = 0, one;
	char line[128];
	FILE *f;

	sync();
	usleep(200000);
	f = fopen("/proc/meminfo", "r");
	if (!f)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Slab: %ld", &one) == 1 || sscanf(line, "Percpu: %ld", &one) == 1)
			used += one;
	fclose(f);
	return used * 1024;
}

/* What each slab cache holds, to name the memory that is in use. */
#define CACHES 512
static struct { char name[64]; long octets; } caches[CACHES];

static void slabs_read(void (*each)(unsigned int i, const char *name, long octets))
{
	char line[512], name[64];
	unsigned long active, all, size;
	unsigned int i = 0;
	FILE *f = fopen("/proc/slabinfo", "r");

	if (!f)
		err(1, "/proc/slabinfo");
	while (i < CACHES && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu %lu %lu", name, &active, &all, &size) == 4)
			each(i++, name, (long)(active * size));
	fclose(f);
}

static void slab_keep(unsigned int i, const char *name, long octets)
{
	snprintf(caches[i].name, sizeof(caches[i].name), "%s", name);
	caches[i].octets = octets;
}

static unsigned int slab_share;

/* A cache made meanwhile shifts the others: those are left out. */
static void slab_tell(unsigned int i, const char *name, long octets)
{
	if (!strcmp(caches[i].name, name) && (octets - caches[i].octets) / (long)slab_share >= 16)
		fprintf(stderr, "  %s %ld", name, (octets - caches[i].octets) / (long)slab_share);
}

static void slabs_since(unsigned int each)
{
	slab_share = each;
	fprintf(stderr, "octets of slab caches each:");
	slabs_read(slab_tell);
	fputc('\n', stderr);
	slabs_read(slab_keep);
}

/* Closes the window. @before: memory in use before what the window made, or -1. */
static void end(const char *name, unsigned int n, unsigned int each, long before)
{
	long memory = 0;

	window_end(&w);
	if (before >= 0)
		memory = (memory_used() - before) / (long)each;
	printf("%s-%u \"mode\": \"scale\", \"window\": %u, \"packets\": %u, \"bytes\": 0, "
	       "\"instructions\": %" PRIu64 ", \"slept_ns\": %" PRIu64 ", \"memory\": %ld\n",
	       name, n, window_id - 1, each, w.instructions, w.slept, memory);
	if (before >= 0)
		slabs_since(each);
	fflush(stdout);
}

static void must(int ret, struct esptun_sock *s, const char *what)
{
	if (ret)
		errx(1, "%s: %s", what, esptun_last_error(s));
}

static struct esptun_sock *open_in(const char *netns)
{
	struct esptun_sock *s = esptun_new();

	if (!s)
		errx(1, "no memory");
	must(esptun_open(s, netns), s, "open");
	return s;
}

static void add_sa(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi,
		   enum esptun_sa_state state)
{
	struct esptun_sa sa = { .ifindex = ifindex, .dir = dir, .spi = spi,
				.encr = ESPTUN_ENCR_AES_GCM_16, .auth = ESPTUN_AUTH_NONE,
				.replay_window = dir == ESPTUN_DIR_IN ? 64 : 0, .state = state };
	struct esptun_keys keys = { .encr_len = CRAFT_KEY };

	craft_key(round_id, spi, dir == ESPTUN_DIR_OUT, keys.encr);
	must(esptun_sa_new(s, &sa, &keys), s, "sa add");
}

/* Distinct and scattered over all 32 bits: a bijection of the index. */
static uint32_t spi_of(uint32_t i)
{
	i = (i + 1) * 2654435761u;
	return i < ESPTUN_MIN_SPI ? i + ESPTUN_MIN_SPI : i;
}

/*
 * One packet for each SA (the first one on an SA is announced to listeners, which is not
 * what many SAs cost), then @n for SAs picked at random; sequence numbers in order for each.
 */
static void craft_all(struct store *st, unsigned int sas, unsigned int n, const struct craft_path *path)
{
	uint32_t *seq = calloc(sas, sizeof(*seq)), rnd = 1;
	uint8_t frame[CRAFT_MAX];
	unsigned int i, k;

	if (!seq)
		err(1, "calloc");
	for (i = 0; i < sas; i++)
		store_add(st, frame, craft_packet(path, spi_of(i), ++seq[i], frame));
	for (i = 0; i < n; i++) {
		rnd = rnd * 1664525u + 1013904223u;
		k = (uint32_t)((uint64_t)rnd * sas >> 32);
		store_add(st, frame, craft_packet(path, spi_of(k), ++seq[k], frame));
	}
	free(seq);
}

/* Inbound SAs on one device: the cost of each, then of packets on random ones. */
static void sas(unsigned int n, unsigned int packets, const struct craft_path *path)
{
	struct esptun_sock *s = open_in("gwb");
	unsigned int i, warm = n + packets / 10;
	long before = memory_used();
	struct store st;
	uint32_t ifindex;
	int in, wire;

	must(esptun_link_index(s, "tun", &ifindex), s, "tun");
	must(esptun_sa_flush(s, ifindex), s, "flush");
	slabs_read(slab_keep);
	begin();
	for (i = 0; i < n; i++)
		add_sa(s, ifindex, ESPTUN_DIR_IN, spi_of(i), ESPTUN_SA_STATE_ACTIVE);
	end("sa-add", n, n, before);

	store_init(&st, packets + warm);
	craft_all(&st, n, packets + packets / 10, path);
	in = net_udp_sink("h2");
	wire = net_packet_socket("gwa", "wire", 0);
	if (store_inject(&st, wire, 0, warm, 32, in) != warm)
		errx(1, "sa-rx: packets lost before the measurement");
	begin();
	i = store_inject(&st, wire, warm, packets, 32, in);
	end("sa-rx", n, packets, -1);
	if (i != packets)
		errx(1, "void: sa-rx: %u packets sent, %u delivered", packets, i);
	begin();
	must(esptun_sa_flush(s, ifindex), s, "flush");
	end("sa-flush", n, n, -1);
	esptun_free(s);
}

static void name_of(unsigned int i, char name[IFNAMSIZ])
{
	snprintf(name, IFNAMSIZ, "t%u", i);
}

static void rekey(struct esptun_sock *s, uint32_t ifindex, uint32_t old, uint32_t fresh)
{
	add_sa(s, ifindex, ESPTUN_DIR_IN, fresh, ESPTUN_SA_STATE_ACTIVE);
	add_sa(s, ifindex, ESPTUN_DIR_OUT, fresh, ESPTUN_SA_STATE_PENDING);
	must(esptun_sa_activate(s, ifindex, fresh), s, "activate");
	must(esptun_sa_del(s, ifindex, ESPTUN_DIR_IN, old), s, "sa del in");
	must(esptun_sa_del(s, ifindex, ESPTUN_DIR_OUT, old), s, "sa del out");
}

static void add_tunnels(struct esptun_sock *s, uint32_t *ifindex, unsigned int n)
{
	struct esptun_tunnel t;
	unsigned int i;

	for (i = 0; i < n; i++) {
		t = (struct esptun_tunnel){ .fields = ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE | ESPTUN_TUNNEL_UP,
					    .local = { .family = AF_INET }, .remote = { .family = AF_INET },
					    .up = true };
		t.local.v4.s_addr = htonl(0xc0000201);
		t.remote.v4.s_addr = htonl(0xc6120000 + i);
		name_of(i, t.ifname);
		must(esptun_tunnel_add(s, &t), s, "tunnel add");
		ifindex[i] = t.ifindex;
	}
}

static void add_pairs(struct esptun_sock *s, const uint32_t *ifindex, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		add_sa(s, ifindex[i], ESPTUN_DIR_IN, spi_of(i), ESPTUN_SA_STATE_ACTIVE);
		add_sa(s, ifindex[i], ESPTUN_DIR_OUT, spi_of(i), ESPTUN_SA_STATE_ACTIVE);
	}
}

/* Tunnels, each with a pair of SAs, that stay. */
static void leave(const char *netns, unsigned int n)
{
	struct esptun_sock *s = open_in(netns);
	uint32_t *ifindex = calloc(n, sizeof(*ifindex));

	if (!ifindex)
		err(1, "calloc");
	add_tunnels(s, ifindex, n);
	add_pairs(s, ifindex, n);
	free(ifindex);
	esptun_free(s);
}

/* Tunnels, each with a pair of SAs: made, rekeyed, deleted. */
static void tunnels(unsigned int n)
{
	struct esptun_sock *s = open_in("gwa");
	uint32_t *ifindex = calloc(n, sizeof(*ifindex));
	struct esptun_tunnel t;
	unsigned int i;
	long before = memory_used();

	if (!ifindex)
		err(1, "calloc");
	slabs_read(slab_keep);
	begin();
	add_tunnels(s, ifindex, n);
	end("tunnel-add", n, n, before);
	before = memory_used();
	begin();
	add_pairs(s, ifindex, n);
	end("sa-pair-add", n, n, before);
	begin();
	for (i = 0; i < n; i++)
		rekey(s, ifindex[i], spi_of(i), spi_of(n + i));
	end("tunnel-rekey", n, n, -1);
	begin();
	for (i = 0; i < n; i++) {
		name_of(i, t.ifname);
		must(esptun_tunnel_del(s, t.ifname), s, "tunnel del");
	}
	end("tunnel-del", n, n, -1);
	free(ifindex);
	esptun_free(s);
}

int main(int argc, char **argv)
{
	struct craft_path path;

	if (argc >= 4)
		window_id = round_id = (unsigned int)atoi(argv[3]);
	if (argc == 4 && !strcmp(argv[1], "tunnels")) {
		tunnels((unsigned int)atoi(argv[2]));
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "leave")) {
		leave(argv[4], (unsigned int)atoi(argv[2]));
		return 0;
	}
	if (argc == 9 && !strcmp(argv[1], "sas")) {
		craft_path_set(&path, argv + 5);
		path.round = round_id;
		sas((unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[4]), &path);
		return 0;
	}
	fprintf(stderr, "Usage: scale tunnels N WINDOW\n"
		"       scale leave N WINDOW NETNS\n"
		"       scale sas N WINDOW PACKETS MAC-FROM MAC-TO OUTER-FROM,OUTER-TO INNER-FROM,INNER-TO\n");
	return 2;
}
