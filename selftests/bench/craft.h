/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP packets made outside of the kernel (RFC 4303, RFC 4106), so that a sender can
 * use more SAs than it has tunnels. Keys are a function of the SPI; this is load,
 * not protection.
 */
#ifndef BENCH_CRAFT_H
#define BENCH_CRAFT_H

#include <stddef.h>
#include <stdint.h>

#define CRAFT_KEY	20	/* AES-128 and salt */
#define CRAFT_MAX	256	/* octets of a frame with its virtio-net header */

struct craft_path {
	uint8_t mac_from[6], mac_to[6];
	uint32_t round;
	uint32_t outer_from, outer_to, inner_from, inner_to;	/* network byte order */
};

/* From four words: MAC, MAC, ADDRESS,ADDRESS, ADDRESS,ADDRESS. Exits if one is none. */
void craft_path_set(struct craft_path *p, char **words);
/* The key of an SA: no two (@round, @spi, @out) share one. */
void craft_key(uint32_t round, uint32_t spi, int out, uint8_t key[CRAFT_KEY]);
/* A frame with 18 octets of UDP payload to the sink's port. Returns its size. */
size_t craft_packet(const struct craft_path *p, uint32_t spi, uint32_t seq, uint8_t *frame);

#endif
