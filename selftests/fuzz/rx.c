// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Inbound kinds: each makes a batch of packets that are bad in one way, with good ones
 * among them. What becomes of each is the model's to say (model.c), never the kind's,
 * but where the packet does not get as far as an SA of ours.
 */
#include <arpa/inet.h>
#include <string.h>
#include "batch.h"
#include "count.h"
#include "esp.h"
#include "ip.h"
#include "kinds.h"
#include "model.h"

static uint8_t text[MAX_PACKET + 64], esp[MAX_PACKET + 64], outer[MAX_PACKET + 64];

/* Sends octets as ESP of an SA; @plain is what was sealed, NULL if they are not authentic. */
static void put(struct batch *b, struct sa *sa, size_t len, uint64_t seq, const uint8_t *plain,
		uint8_t tos)
{
	static struct fate fate;
	struct ip4 ip = { .src = sa->dev->remote, .dst = sa->dev->local, .protocol = IPPROTO_ESP,
			  .tos = tos, .ident = b->ident++ & 0x7fff };

	model_receive(sa, esp, len, seq, plain, tos, &fate);
	if (fate.counter)
		want(b, sa->dev, fate.counter, 1);
	else if (fate.len)
		batch_deliver(b, sa->dev, fate.data, fate.len);
	memcpy(outer + IP4, esp, len);
	batch_outer(b, sa->dev, outer, ip4_header(outer, &ip, len));
}

/* Seals and sends @len octets of text that has its trailer. */
static void seal(struct batch *b, struct sa *sa, uint64_t seq, size_t len, uint8_t tos)
{
	put(b, sa, esp_seal(b, sa, seq, text, len, esp), seq, text, tos);
}

static int version(struct batch *b)
{
	return random_chance(b, 50) ? 4 : 6;
}

/* A good inner packet in text: mostly short, sometimes as long as it may be. */
static size_t inner(struct batch *b, const struct sa *sa, int v, uint8_t tos)
{
	size_t least = ip_inner_least(v), most = batch_room(sa->dev), len;

	if (most > 400 && !random_chance(b, 5))
		most = 400;
	len = random_in(b, least, most);
	ip_inner(b, v, text, len, tos);
	return len;
}

static size_t close_text(const struct sa *sa, size_t len, uint8_t next)
{
	return len + esp_trailer(text + len, esp_padding(sa, len), next);
}

static uint8_t next_of(int v)
{
	return v == 4 ? 4 : 41;
}

void rx_good(struct batch *b, struct sa *sa)
{
	int v = version(b);
	size_t len = inner(b, sa, v, 0);

	seal(b, sa, batch_number(b, sa), close_text(sa, len, next_of(v)), 0);
}

static void good(struct batch *b)
{
	struct sa *sa = b->sa;
	int v = version(b);
	size_t len = inner(b, sa, v, 0), pad, more;

	/* Traffic flow confidentiality: octets behind the packet, padding beyond the need. */
	if (len < 300 && random_chance(b, 20)) {
		more = random_in(b, 1, 200);
		random_fill(b, text + len, more);
		len += more;
	}
	pad = esp_padding(sa, len);
	if (len < 300 && random_chance(b, 20))
		pad += (255 - pad) / sa->block * sa->block;
	len += esp_trailer(text + len, (unsigned int)pad, next_of(v));
	seal(b, sa, batch_number(b, sa), len, 0);
}

static void truncated(struct batch *b)
{
	struct sa *sa = b->sa;
	uint64_t seq = batch_number(b, sa);
	size_t len = esp_seal(b, sa, seq, text, close_text(sa, inner(b, sa, 4, 0), 4), esp);

	put(b, sa, random_in(b, 1, len - 1), seq, NULL, 0);
}

static void icv(struct batch *b)
{
	struct sa *sa = b->sa;
	uint64_t seq = batch_number(b, sa);
	size_t len = esp_seal(b, sa, seq, text, close_text(sa, inner(b, sa, 4, 0), 4), esp);
	unsigned int flips = (unsigned int)random_in(b, 0, 2);
	size_t first = random_in(b, 8 * 4, 8 * len - 1), bit;

	/* The number may be hit as well: the window sees that first. */
	esp[first / 8] ^= (uint8_t)(1 << first % 8);
	while (flips--) {
		bit = random_in(b, 8 * 4, 8 * len - 1);
		/* The same twice would be no alteration. */
		if (bit != first)
			esp[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	if (random_chance(b, 30))
		random_fill(b, esp + len - sa->icv, sa->icv);
	put(b, sa, len, seq, NULL, 0);
}

static void number(struct batch *b)
{
	struct sa *sa = b->sa;
	int v = version(b);
	size_t len = close_text(sa, inner(b, sa, v, 0), next_of(v));
	uint64_t top = sa->top, seq;

	switch (random_in(b, 0, 5)) {
	case 0:
		seq = 0;
		break;
	case 1:
		seq = top - random_in(b, 0, sa->window);
		break;
	case 2:
		seq = top > 3 * sa->window ? top - random_in(b, sa->window, 3 * sa->window) : top;
		break;
	case 3:
		seq = top;
		break;
	case 4:
		/* The right lower half in the wrong round. */
		seq = batch_number(b, sa) + (random_in(b, 1, 3) << 32);
		break;
	default:
		seq = batch_number(b, sa);
	}
	/* Without ESN numbers end at 2^32: what lies beyond has the lower half's fate. */
	seal(b, sa, sa->esn ? seq : seq & 0xffffffff, len, 0);
}

static void trailer(struct batch *b)
{
	struct sa *sa = b->sa;
	size_t len = inner(b, sa, 4, 0), end = close_text(sa, len, 4);

	switch (random_in(b, 0, 3)) {
	case 0:
		text[end - 2] = (uint8_t)random_next(b);
		break;
	case 1:
		if (end - len > 2)
			text[random_in(b, len, end - 3)] ^= (uint8_t)random_in(b, 1, 255);
		break;
	case 2:
		text[end - 2] = (uint8_t)(end < 257 ? end - random_in(b, 0, 3) : 255);
		break;
	default:
		random_fill(b, text + end - sa->block, sa->block);
	}
	seal(b, sa, batch_number(b, sa), end, 0);
}

static void next_header(struct batch *b)
{
	struct sa *sa = b->sa;
	int v = version(b);
	uint8_t next = (uint8_t)random_in(b, 0, 255);
	size_t len = inner(b, sa, v, 0);

	if (random_chance(b, 30))
		next = 59;
	if (next == 59 && random_chance(b, 50))
		len = random_in(b, 0, len);
	seal(b, sa, batch_number(b, sa), close_text(sa, len, next), 0);
}

static void inner4(struct batch *b)
{
	struct sa *sa = b->sa;
	size_t len = inner(b, sa, 4, 0);

	switch (random_in(b, 0, 6)) {
	case 0:
		text[0] = (uint8_t)random_next(b);
		break;
	case 1:
		put16(text + 2, (unsigned int)random_next(b));
		break;
	case 2:
		put16(text + 2, (unsigned int)(len - 8 + random_in(b, 0, 16)));
		break;
	case 3:
		len = random_in(b, 0, IP4);
		break;
	case 4:
		text[0] = (uint8_t)(0x40 | random_in(b, 0, 15));
		break;
	case 5:
		random_fill(b, text + random_in(b, 4, 19), 1);
		break;
	default:
		/* Everything but version, header length and total length is the stack's. */
		random_fill(b, text + 4, len - 4);
	}
	text[1] &= 0xfc;
	seal(b, sa, batch_number(b, sa), close_text(sa, len, random_chance(b, 5) ? 41 : 4), 0);
}

static void inner6(struct batch *b)
{
	static const uint8_t extensions[] = { 0, 43, 44, 51, 58, 59, 60, 135 };
	struct sa *sa = b->sa;
	size_t len = inner(b, sa, 6, 0);

	switch (random_in(b, 0, 5)) {
	case 0:
		text[0] = (uint8_t)random_next(b);
		break;
	case 1:
		put16(text + 4, (unsigned int)random_next(b));
		break;
	case 2:
		put16(text + 4, (unsigned int)(len - IP6 - 8 + random_in(b, 0, 16)));
		break;
	case 3:
		len = random_in(b, 0, IP6);
		break;
	case 4:
		/* A chain of extension headers that may lie about its length. */
		text[6] = extensions[random_in(b, 0, 7)];
		if (len > IP6 + 8) {
			text[IP6] = extensions[random_in(b, 0, 7)];
			text[IP6 + 1] = (uint8_t)random_in(b, 0, 8);
		}
		break;
	default:
		random_fill(b, text + 6, len - 6);
	}
	seal(b, sa, batch_number(b, sa), close_text(sa, len, random_chance(b, 5) ? 4 : 41), 0);
}

static void ecn(struct batch *b)
{
	struct sa *sa = b->sa;
	int v = version(b);
	size_t len = inner(b, sa, v, (uint8_t)random_next(b));

	seal(b, sa, batch_number(b, sa), close_text(sa, len, next_of(v)), (uint8_t)random_next(b));
}

static void garbage(struct batch *b)
{
	struct sa *sa = b->sa;
	size_t len = random_in(b, 4, 300);

	random_fill(b, esp, len);
	put32(esp, sa->spi);
	/* Far ahead, so that the window does not have the word. */
	if (len >= ESP_HEADER)
		put32(esp + 4, (uint32_t)batch_number(b, sa));
	put(b, sa, len, 0, NULL, 0);
}

/* An SPI that nobody has, from the right peer: the device's loss (rx_no_sa). */
static void spi(struct batch *b)
{
	struct sa *sa = b->sa;
	struct ip4 ip = { .src = sa->dev->remote, .dst = sa->dev->local, .protocol = IPPROTO_ESP,
			  .ident = b->ident++ & 0x7fff };
	size_t len = random_in(b, 4, 200);

	random_fill(b, esp, len);
	put32(esp, 0x80000000 | (uint32_t)random_in(b, 0, 0x7fffffff));
	memcpy(outer + IP4, esp, len);
	want(b, sa->dev, "rx_no_sa", 1);
	batch_outer(b, sa->dev, outer, ip4_header(outer, &ip, len));
}

/* A good packet from somebody else, or to another address of ours (rx_wrong_source). */
static void address(struct batch *b)
{
	struct sa *sa = b->sa;
	struct ip4 ip = { .src = sa->dev->remote, .dst = sa->dev->local, .protocol = IPPROTO_ESP,
			  .ident = b->ident++ & 0x7fff };
	size_t len = close_text(sa, inner(b, sa, 4, 0), 4);

	len = esp_seal(b, sa, batch_number(b, sa), text, len, esp);
	if (random_chance(b, 70))
		ip.src = htonl(0xcb007100 | (uint32_t)random_in(b, 1, 254));	/* 203.0.113.0/24 */
	else
		ip.dst = htonl(0xcb007201);					/* 203.0.114.1 */
	if (random_chance(b, 30))
		len = random_in(b, ESP_HEADER, len);
	memcpy(outer + IP4, esp, len);
	want(b, sa->dev, "rx_wrong_source", 1);
	batch_outer(b, sa->dev, outer, ip4_header(outer, &ip, len));
}

/* Outer headers: options are allowed, lies are for IP to drop before ESP sees them. */
static void outer_header(struct batch *b)
{
	struct sa *sa = b->sa;
	struct ip4 ip = { .src = sa->dev->remote, .dst = sa->dev->local, .protocol = IPPROTO_ESP,
			  .ident = b->ident++ & 0x7fff, .options = (unsigned int)random_in(b, 0, 10) * 4 };
	uint64_t seq = batch_number(b, sa);
	size_t plain = inner(b, sa, 4, 0), len;
	int lie = (int)random_in(b, 0, 3);

	if (plain + ip.options > batch_room(sa->dev))
		ip.options = 0;
	len = esp_seal(b, sa, seq, text, close_text(sa, plain, 4), esp);
	if (!lie) {
		batch_deliver(b, sa->dev, text, plain);
		sa->top = seq;
		sa->seen[seq % SEEN] = seq;
	}
	ip4_header(outer, &ip, len);
	memcpy(outer + IP4 + ip.options, esp, len);
	len += IP4 + ip.options;
	if (lie == 1)
		put16(outer + 2, (unsigned int)random_in(b, len + 1, len > 65000 ? 65535 : len + 500));
	else if (lie == 2)
		outer[0] = (uint8_t)(0x40 | random_in(b, 0, 4));
	if (lie == 3)
		outer[10] ^= (uint8_t)random_in(b, 1, 254);
	else if (lie)
		put16(outer + 10, 0), put16(outer + 10, ip_checksum(outer, IP4 + ip.options, 0));
	batch_outer_plain(b, sa->dev, outer, len);
}

/* Fragments that overlap: IP gives the whole packet up (RFC 5722, and Linux for IPv4, too). */
static void overlap(struct batch *b)
{
	struct sa *sa = b->sa;
	struct ip4 ip = { .src = sa->dev->remote, .dst = sa->dev->local, .protocol = IPPROTO_ESP,
			  .ident = (uint16_t)(0x8000 | random_next(b)) };
	size_t plain = random_in(b, 120, 200), len, cut;
	uint8_t piece[512];
	static const struct { unsigned int from, until; } parts[] = { { 0, 64 }, { 56, 96 }, { 96, 0 } };
	unsigned int i;

	ip_inner(b, 4, text, plain, 0);
	len = esp_seal(b, sa, batch_number(b, sa), text, close_text(sa, plain, 4), esp);
	for (i = 0; i < 3; i++) {
		cut = (parts[i].until ? parts[i].until : len) - parts[i].from;
		ip.offset = (uint16_t)((parts[i].until ? 0x2000 : 0) | parts[i].from / 8);
		memcpy(piece + IP4, esp + parts[i].from, cut);
		batch_outer_plain(b, sa->dev, piece, ip4_header(piece, &ip, cut));
	}
}

static void fill(struct batch *b, void (*one)(struct batch *))
{
	int i;

	for (i = 0; i < BATCH - 1; i++) {
		if (i % 8)
			one(b);
		else
			rx_good(b, b->sa);
	}
}

#define KIND(name, text) \
static void name##_batch(struct batch *b) { fill(b, name); }
#define KINDS(X) \
	X(good, "good packets, with more padding than needed and octets behind them") \
	X(truncated, "cut off at any length") \
	X(icv, "altered octets, wrong ICV") \
	X(number, "replayed, old, zero, the wrong round of extended numbers") \
	X(trailer, "wrong pad length, wrong padding") \
	X(next_header, "every next header, dummies") \
	X(inner4, "inner IPv4 that lies about version, header and length") \
	X(inner6, "inner IPv6 that lies about version and length, extension headers") \
	X(ecn, "every combination of outer and inner ECN") \
	X(garbage, "random octets under a known SPI") \
	X(spi, "unknown SPIs") \
	X(address, "wrong source or destination") \
	X(outer_header, "outer options and lies") \
	X(overlap, "overlapping outer fragments")
KINDS(KIND)

#define ENTRY(name, text) { #name, false, name##_batch, text },
const struct kind rx_kinds[] = { KINDS(ENTRY) };
const int rx_kind_count = sizeof(rx_kinds) / sizeof(*rx_kinds);
