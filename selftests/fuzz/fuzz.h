/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the wire fuzzer share: the network under test as its configuration
 * describes it (wires, devices, SAs), and a batch: the packets of one kind that are sent
 * together, with everything that must come of them. Nothing here knows the module's
 * code; what must come of a packet follows from the RFCs and the documented counters.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

#define NAME		16
#define MAX_WIRES	4
#define MAX_DEVICES	8
#define MAX_SAS		48
#define MAX_COUNTERS	96
#define BATCH		64	/* packets of a batch */
#define SPAN		1024	/* sequence numbers a batch may use on each SA */
#define MAX_FRAMES	700	/* on their way at once: fewer than the kernel queues */
#define MAX_PACKET	65535
#define RING_FRAMES	256
#define RING_SIZE	4096

/**
 * struct wire - an Ethernet link between the gateway and the outside
 * @send: packet socket on our end
 * @ring: packet socket whose transmit ring's pages become the packets; its memory
 * @tap: everything that comes out of the gateway here
 * @far: sniffer on the gateway's end, -1 when packets are not to be cloned
 */
struct wire {
	char name[NAME], far_dev[NAME];
	uint8_t near_mac[6], far_mac[6];
	int near_index, far_index, mtu;
	int send, ring, tap, far;
	uint8_t *ring_memory;
	unsigned int ring_at;
};

/**
 * struct device - an esptun device of the gateway
 * @under: the device its outer packets travel in, NULL for a wire
 * @ipip: outer packets travel in IPIP between these addresses in between
 * @tap: what the device delivers; @inject: what it is to send
 * @clones: sniffer of what it is to send, -1 when packets are not to be cloned
 * @oversize: larger packets than the path takes may be handed to it
 * @in, @out: SAs that other devices' packets travel in
 */
struct device {
	char name[NAME];
	uint32_t local, remote;
	struct wire *wire;
	struct device *under;
	bool ipip;
	uint32_t ipip_local, ipip_remote;
	int index, mtu, tap, inject, clones;
	bool oversize;
	struct sa *in, *out;
};

/**
 * struct sa - a security association
 * @top: highest number received (model), or sent (outbound)
 * @begin: where numbers begin
 * @seen: numbers accepted, at [number % SEEN]
 */
#define SEEN 16384
struct sa {
	struct device *dev;
	bool out, esn, gcm;
	uint32_t spi, window;
	uint64_t begin, top, *seen;
	unsigned int iv, icv, block;
	uint8_t salt[4];
	EVP_CIPHER_CTX *seal, *open;
	EVP_MAC_CTX *mac;
};

/* A packet somebody must see, once. */
struct due {
	uint8_t *data;
	size_t len;
	bool seen;
};

struct dues {
	struct due *list;
	size_t count, size, missing;
};

/**
 * struct batch - packets of one kind and their consequences
 * @seed: all it does follows from this
 * @number: which one of the run
 * @rng: state of the generator
 * @want: how far each counter of each device is to move
 * @deliver: by device: inner packets that must come out
 * @emit: by device: inner packets that must leave in ESP of its own
 * @used: sequence numbers used on each SA
 * @frames: put on wires so far
 * @sent: by device: ESP packets seen leaving
 * @loose: what leaves is not known octet by octet, only that each packet handed to the
 *	device leaves as one or more, or is dropped and counted
 * @handed: packets given to devices to send
 * @ident: next identification for outer headers; those from 0x8000 on are for packets
 *	that will never be whole, so that nothing of them gets into others
 */
struct batch {
	uint64_t seed, number, rng;
	const struct kind *kind;
	struct sa *sa;
	struct device *dev;
	int shape;
	int64_t want[MAX_DEVICES][MAX_COUNTERS];
	struct dues deliver[MAX_DEVICES], emit[MAX_DEVICES];
	unsigned int used[MAX_SAS];
	unsigned int frames;
	int64_t sent[MAX_DEVICES];
	bool loose;
	unsigned int handed;
	uint16_t ident;
};

/* How packets reach the gateway, or the device. */
enum shape {
	SHAPE_PLAIN,		/* one linear piece */
	SHAPE_RING,		/* pages that are ours and stay so */
	SHAPE_CLONED,		/* a sniffer has each as well */
	SHAPE_FRAGMENTS,	/* 2 to 8 outer fragments, in any order */
	SHAPE_COUNT,
};

struct kind {
	const char *name;
	bool tx;
	void (*make)(struct batch *b);
	const char *what;
};

/* conf.c */
extern struct wire wires[MAX_WIRES];
extern struct device devices[MAX_DEVICES];
extern struct sa sas[MAX_SAS];
extern int wire_count, device_count, sa_count;
extern char gateway[64], outside[64];
void conf_read(const char *path);
void enter(const char *netns);

/* random.c */
uint64_t random_next(struct batch *b);
/* From @low to @high, both included. */
uint64_t random_in(struct batch *b, uint64_t low, uint64_t high);
bool random_chance(struct batch *b, unsigned int percent);
void random_fill(struct batch *b, void *to, size_t len);
uint64_t random_mix(uint64_t a, uint64_t b);

/* run.c */
void broken(const struct batch *b, const char *why, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#endif
