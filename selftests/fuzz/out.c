// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that leave the gateway, see out.h: nothing but ARP and ESP may, and ESP has
 * to be as RFC 4303 3.3 wants it: the next number, the least padding, in a good header.
 */
#include <linux/if_ether.h>
#include <string.h>
#include "batch.h"
#include "esp.h"
#include "ip.h"
#include "out.h"

bool network_used;

static struct sa *find(const uint8_t *ip)
{
	uint32_t spi = get32(ip + (ip[0] & 15) * 4);
	int i;

	for (i = 0; i < sa_count; i++)
		if (sas[i].out && sas[i].spi == spi && !memcmp(ip + 12, &sas[i].dev->local, 4) &&
		    !memcmp(ip + 16, &sas[i].dev->remote, 4))
			return &sas[i];
	return NULL;
}

/* Length of the inner packet, after a look at its trailer. */
static size_t inner_length(struct batch *b, struct sa *sa, const uint8_t *text, size_t len)
{
	size_t pad = text[len - 2], i;
	uint8_t next = text[len - 1];

	if (pad + 2 > len || pad >= sa->block)
		broken(b, "%s: a pad length of %zu", sa->dev->name, pad);
	for (i = 0; i < pad; i++)
		if (text[len - 2 - pad + i] != i + 1)
			broken(b, "%s: padding that is not 1, 2, 3", sa->dev->name);
	if (next != 4 && next != 41)
		broken(b, "%s: next header %u", sa->dev->name, next);
	return len - 2 - pad;
}

static void header(struct batch *b, const struct sa *sa, const uint8_t *ip, const uint8_t *inner)
{
	bool v6 = inner[0] >> 4 == 6;
	uint8_t tos = v6 ? (uint8_t)(get16(inner) >> 4) : inner[1], ttl = 64;
	uint8_t within = inner[v6 ? 7 : 8];

	/* ESP in ESP: the tunnel counts as a hop, so that no way is endless. */
	if (inner[v6 ? 6 : 9] == IPPROTO_ESP && within <= ttl)
		ttl = within - 1;
	if ((ip[0] & 15) != 5 || ip[8] != ttl || ip_checksum(ip, IP4, 0))
		broken(b, "%s: an outer header of %u words, TTL %u for %u", sa->dev->name, ip[0] & 15,
		       ip[8], ttl);
	if (ip[1] != tos)
		broken(b, "%s: outer TOS %#x, inner %#x", sa->dev->name, ip[1], tos);
}

static bool packet(struct batch *b, const uint8_t *ip, size_t len);

/* A packet of another device that travels in this one, with IPIP or without. */
static bool carried(struct batch *b, const struct device *d, const uint8_t *inner, size_t len)
{
	if (inner[0] >> 4 != 4 || len < IP4 + ESP_HEADER)
		return false;
	if (inner[9] == IPPROTO_IPIP && len > 2 * IP4 + ESP_HEADER) {
		inner += IP4;
		len -= IP4;
	}
	if (inner[9] != IPPROTO_ESP)
		return false;
	return find(inner) && find(inner)->dev->under == d && packet(b, inner, len);
}

static bool packet(struct batch *b, const uint8_t *ip, size_t len)
{
	uint8_t text[MAX_PACKET + 1];
	size_t head = (ip[0] & 15) * 4;
	struct sa *sa = find(ip);
	uint32_t ahead;
	ssize_t size;

	if (!sa || len < head + ESP_HEADER)
		broken(b, "ESP with an SPI or addresses that we did not set up");
	ahead = get32(ip + head + 4) - (uint32_t)sa->top;
	/* A packet that lied may be found out when it has its number already. */
	if (ahead != 1 && !(network_used && sa->top == sa->begin) && !(b->loose && sa->dev == b->dev && ahead && ahead < SPAN))
		broken(b, "%s: number %u after %llu", sa->dev->name, get32(ip + head + 4),
		       (unsigned long long)sa->top);
	sa->top += ahead;
	size = esp_open(sa, sa->top, ip + head, len - head, text);
	if (size < 2)
		broken(b, "%s: number %llu does not authenticate", sa->dev->name,
		       (unsigned long long)sa->top);
	len = inner_length(b, sa, text, (size_t)size);
	header(b, sa, ip, text);
	b->sent[sa->dev - devices]++;
	if (!carried(b, sa->dev, text, len) && !due_take(&b->emit[sa->dev - devices], text, len) &&
	    !b->loose)
		broken(b, "%s sent %zu octets that it was not given", sa->dev->name, len);
	return true;
}

/* Outer fragments come in order here, those of one packet behind the other. */
static const uint8_t *whole(struct batch *b, const uint8_t *ip, size_t *len)
{
	static uint8_t buffer[MAX_PACKET + 64];
	static size_t have;
	size_t head = (ip[0] & 15) * 4, at = (get16(ip + 6) & 0x1fff) * 8;

	if (!(get16(ip + 6) & 0x3fff))
		return ip;
	if (!at) {
		memcpy(buffer, ip, head);
		have = 0;
	}
	if (at != have || (at && get16(ip + 4) != get16(buffer + 4)) ||
	    head + at + *len - head > sizeof(buffer))
		broken(b, "an outer fragment at %zu, behind %zu octets", at, have);
	memcpy(buffer + head + at, ip + head, *len - head);
	have = at + *len - head;
	if (get16(ip + 6) & 0x2000)
		return NULL;
	*len = head + have;
	return buffer;
}

void out_frame(struct batch *b, struct wire *w, const uint8_t *frame, size_t len)
{
	const uint8_t *ip = frame + ETH_HLEN;
	uint16_t type = get16(frame + 12);

	if (type == ETH_P_ARP)
		return;
	if (type != ETH_P_IP || len < ETH_HLEN + IP4)
		broken(b, "leak on %s: frame of type %#x", w->name, type);
	if (ip[9] != IPPROTO_ESP)
		broken(b, "leak on %s: protocol %u", w->name, ip[9]);
	len = get16(ip + 2);
	ip = whole(b, ip, &len);
	if (ip && len < IP4 + ESP_HEADER)
		broken(b, "ESP of %zu octets on %s", len, w->name);
	if (ip)
		packet(b, ip, len);
}
