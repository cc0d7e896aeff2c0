/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv4, IPv6, UDP and TCP packets made octet by octet, good ones; what is wrong with a
 * packet is done to it afterwards.
 */
#ifndef FUZZ_IP_H
#define FUZZ_IP_H

#include <netinet/in.h>
#include "fuzz.h"

#define IP4	20
#define IP6	40

/**
 * struct ip4 - what an IPv4 header says
 * @offset: flags and offset as in the header: 0x4000 DF, 0x2000 MF, offset / 8
 * @options: octets of no-operation options, a multiple of 4
 */
struct ip4 {
	uint32_t src, dst;
	uint8_t protocol, tos, ttl;
	uint16_t ident, offset;
	unsigned int options;
};

uint16_t ip_checksum(const void *data, size_t len, uint32_t sum);
/* Sets total length and checksum for a packet of @len octets with @ip's header. */
size_t ip4_header(uint8_t *to, const struct ip4 *ip, size_t payload);
/* The checksum again, after something has been changed. */
void ip4_refresh(uint8_t *packet);
void ip6_header(uint8_t *to, uint8_t next, uint8_t tclass, size_t payload);
/* The pseudo header's sum for a transport checksum of either version. */
uint32_t ip_pseudo(const uint8_t *packet, uint8_t protocol, size_t len);

/* A good inner packet of @len octets, of either version, with a random transport protocol. */
void ip_inner(struct batch *b, int version, uint8_t *to, size_t len, uint8_t tos);
/* Least length of such a packet. */
size_t ip_inner_least(int version);
/*
 * A large TCP or UDP packet with its transport checksum not yet complete, as a guest
 * hands it to its host. Returns the offset of the transport header.
 */
size_t ip_large(struct batch *b, int version, uint8_t protocol, uint8_t *to, size_t len);

/* Cuts an IPv4 packet at multiples of 8 into @count pieces, written one behind the other. */
struct piece {
	const uint8_t *data;
	size_t len;
};
int ip4_fragments(struct batch *b, const uint8_t *packet, size_t len, int count, uint8_t *to,
		  struct piece *pieces);

static inline uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void put16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value & 0xffff);
}

#endif
