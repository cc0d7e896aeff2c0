/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the load generator's parts share: the options, the result, sockets in
 * another network namespace. Every part either delivers all packets or says how
 * many are missing; none retries.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "clock.h"

struct options {
	const char *from;	/* netns of the sender */
	const char *to;		/* netns of the sink */
	const char *via;	/* netns whose device counts or captures */
	const char *peer;	/* rx: netns of the gateway that receives */
	const char *dev;	/* device in @via */
	const char *dst;	/* IPv4 address of the sink */
	unsigned int payload;	/* octets of UDP payload */
	unsigned int count;	/* measured packets */
	unsigned int warm;	/* packets before the window */
	unsigned int burst;	/* packets sent before the sink is read */
	uint64_t bytes;		/* tcp: octets to transfer */
	unsigned int id;	/* number of the window */
	bool checksum;		/* datagrams carry a UDP checksum */
};

struct result {
	uint64_t packets;	/* sent in the window (udp, tx, rx) */
	uint64_t delivered;
	uint64_t bytes;		/* application octets moved in the window */
	uint64_t retransmits;	/* tcp */
	unsigned int first_window;	/* smp: of SMP_ROUNDS groups of four */
	struct window w;
};

#define SMP_ROUNDS	5
#define BENCH_PORT	5001
#define BENCH_WAIT_MS	5000	/* of virtual time: then a packet counts as lost */

/* Enters network namespace @name (of ip-netns), exits with a message if absent. */
void net_enter(const char *name);
/* UDP sockets: connected to @dst, and bound to any address with a large buffer. */
int net_udp_sender(const char *netns, const char *dst, bool checksum);
int net_udp_sink(const char *netns);
/* A file that tells how many packets @dev in @netns has transmitted. Once for each process. */
int net_tx_counter(const char *netns, const char *dev);
uint64_t net_tx_count(int counter);

/* Sends @n datagrams of @payload octets in bursts of @burst. */
void udp_send(int fd, unsigned int payload, unsigned int n);
/* Takes @n datagrams from @fd; returns how many came before the wait was over. */
unsigned int udp_take(int fd, unsigned int n);

/* Frames to be put on a wire once, each behind a virtio-net header. */
struct store {
	struct mmsghdr *m;
	struct iovec *v;
	unsigned int n;
};

int net_packet_socket(const char *netns, const char *dev, uint16_t protocol);
void store_init(struct store *s, unsigned int room);
void store_add(struct store *s, const void *frame, size_t size);
/* Sends frames @first to @first + @n - 1 through @fd; returns how many datagrams reached @in. */
unsigned int store_inject(struct store *s, int fd, unsigned int first, unsigned int n,
			  unsigned int burst, int in);

void run_udp(const struct options *o, struct result *r);
void run_tx(const struct options *o, struct result *r);
void run_rx(const struct options *o, struct result *r);
void run_tcp(const struct options *o, struct result *r);
void run_smp(const struct options *o, struct result *r);

#endif
