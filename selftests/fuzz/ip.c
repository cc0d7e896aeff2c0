// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets made octet by octet, see ip.h.
 */
#include <arpa/inet.h>
#include <string.h>
#include "ip.h"

#define UDP	8
#define TCP	20
#define EXPERIMENT 253	/* RFC 3692 */

uint16_t ip_checksum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;
	uint64_t total = sum;

	for (; len > 1; p += 2, len -= 2)
		total += get16(p);
	if (len)
		total += (uint64_t)p[0] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

void ip4_refresh(uint8_t *packet)
{
	put16(packet + 10, 0);
	put16(packet + 10, ip_checksum(packet, (packet[0] & 15) * 4, 0));
}

size_t ip4_header(uint8_t *to, const struct ip4 *ip, size_t payload)
{
	size_t head = IP4 + ip->options;

	memset(to, 0, IP4);
	memset(to + IP4, 1, ip->options);
	to[0] = (uint8_t)(0x40 | head / 4);
	to[1] = ip->tos;
	put16(to + 2, (unsigned int)(head + payload));
	put16(to + 4, ip->ident);
	put16(to + 6, ip->offset);
	to[8] = ip->ttl ? ip->ttl : 64;
	to[9] = ip->protocol;
	memcpy(to + 12, &ip->src, 4);
	memcpy(to + 16, &ip->dst, 4);
	ip4_refresh(to);
	return head + payload;
}

/* From fd00:9::/64 to fd00:8::/64. */
void ip6_header(uint8_t *to, uint8_t next, uint8_t tclass, size_t payload)
{
	memset(to, 0, IP6);
	put32(to, 6u << 28 | (uint32_t)tclass << 20);
	put16(to + 4, (unsigned int)payload);
	to[6] = next;
	to[7] = 64;
	put32(to + 8, 0xfd000009);
	put32(to + 24, 0xfd000008);
	to[23] = to[39] = 1;
}

uint32_t ip_pseudo(const uint8_t *packet, uint8_t protocol, size_t len)
{
	size_t at = packet[0] >> 4 == 4 ? 12 : 8, end = packet[0] >> 4 == 4 ? 20 : 40;
	uint32_t sum = protocol + (uint32_t)len;

	for (; at < end; at += 2)
		sum += get16(packet + at);
	return sum;
}

static size_t network(struct batch *b, int version, uint8_t protocol, uint8_t *to, size_t len,
		      uint8_t tos)
{
	struct ip4 ip = { .protocol = protocol, .tos = tos, .ident = (uint16_t)random_next(b) };

	if (version == 6) {
		ip6_header(to, protocol, tos, len - IP6);
		random_fill(b, to + 18, 4);
		return IP6;
	}
	ip.src = htonl(0x0a090000 | (uint32_t)random_in(b, 1, 0xfffe));
	ip.dst = htonl(0x0a080000 | (uint32_t)random_in(b, 1, 0xfffe));
	ip4_header(to, &ip, len - IP4);
	return IP4;
}

static void transport(uint8_t protocol, uint8_t *at, size_t len)
{
	put16(at, 4000);
	put16(at + 2, 4000);
	if (protocol == IPPROTO_UDP) {
		put16(at + 4, (unsigned int)len);
	} else {
		at[12] = TCP / 4 << 4;
		at[13] = 0x10;
	}
}

size_t ip_inner_least(int version)
{
	return version == 6 ? IP6 : IP4;
}

void ip_inner(struct batch *b, int version, uint8_t *to, size_t len, uint8_t tos)
{
	static const uint8_t protocols[] = { IPPROTO_UDP, IPPROTO_TCP, EXPERIMENT };
	uint8_t protocol = protocols[random_in(b, 0, 2)];
	size_t head = ip_inner_least(version), rest = len - head;
	uint8_t *at = to + head;

	if (rest < TCP)
		protocol = EXPERIMENT;
	network(b, version, protocol, to, len, tos);
	random_fill(b, at, rest);
	if (protocol == EXPERIMENT)
		return;
	transport(protocol, at, rest);
	put16(at + (protocol == IPPROTO_UDP ? 6 : 16), 0);
	put16(at + (protocol == IPPROTO_UDP ? 6 : 16),
	      ip_checksum(at, rest, ip_pseudo(to, protocol, rest)));
}

size_t ip_large(struct batch *b, int version, uint8_t protocol, uint8_t *to, size_t len)
{
	size_t head = network(b, version, protocol, to, len, 0), rest = len - head;
	uint8_t *at = to + head;

	random_fill(b, at, rest);
	transport(protocol, at, rest);
	put16(at + (protocol == IPPROTO_UDP ? 6 : 16),
	      (uint16_t)~ip_checksum(NULL, 0, ip_pseudo(to, protocol, rest)));
	return head;
}

int ip4_fragments(struct batch *b, const uint8_t *packet, size_t len, int count, uint8_t *to,
		  struct piece *pieces)
{
	size_t head = (packet[0] & 15) * 4, body = len - head, units = (body + 7) / 8;
	size_t from = 0, until, size;
	int i;

	if ((size_t)count > units)
		count = (int)units;
	for (i = 0; i < count; i++, from = until) {
		until = i == count - 1 ? units :
			from + random_in(b, 1, 2 * (units - from) / (size_t)(count - i) - 1);
		if (until > units - (size_t)(count - 1 - i))
			until = units - (size_t)(count - 1 - i);
		size = (until == units ? body : until * 8) - from * 8;
		memcpy(to, packet, head);
		memcpy(to + head, packet + head + from * 8, size);
		put16(to + 2, (unsigned int)(head + size));
		put16(to + 6, (unsigned int)((until == units ? 0 : 0x2000) | from));
		ip4_refresh(to);
		pieces[i] = (struct piece){ to, head + size };
		to += head + size;
	}
	return count;
}
