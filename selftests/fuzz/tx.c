// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Outbound kinds: packets handed to the device as a guest or a raw socket would, with a
 * virtio header that may lie. Where the packet is good, what leaves is known octet by
 * octet, segments included; where the header lies, it leaves or is dropped and counted.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <string.h>
#include "batch.h"
#include "count.h"
#include "esp.h"
#include "ip.h"
#include "kinds.h"

static uint8_t buffer[MAX_PACKET + 64];

#define IPV6_LEAST_MTU	1280

static uint16_t protocol_of(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP;
}

/* Hands a packet to the device; its fate is @counter, or to leave as it is. */
static void give(struct batch *b, struct device *d, const struct virtio_net_hdr *hdr,
		 uint16_t protocol, size_t len, const char *counter)
{
	if (!batch_hand(b, d, hdr, protocol, buffer, len))
		return;
	if (counter)
		want(b, d, counter, 1);
	else if (!b->loose)
		batch_emit(b, d, buffer, len);
}

static int version(struct batch *b)
{
	return random_chance(b, 50) ? 4 : 6;
}

static size_t inner(struct batch *b, const struct device *d, int v)
{
	size_t most = batch_room(d);

	if (most > (size_t)d->mtu)
		most = (size_t)d->mtu;
	if (most > 400 && !random_chance(b, 8))
		most = 400;
	most = random_in(b, ip_inner_least(v), most);
	ip_inner(b, v, buffer, most, (uint8_t)random_next(b));
	return most;
}

void tx_good(struct batch *b, struct device *d)
{
	size_t len = inner(b, d, version(b));

	if (batch_hand(b, d, NULL, protocol_of(buffer), buffer, len))
		batch_emit(b, d, buffer, len);
}

static void sent(struct batch *b)
{
	tx_good(b, b->dev);
}

/* RFC 791: a header that is one, and no more announced than is there. */
static const char *fate4(const uint8_t *p, size_t len)
{
	size_t head = (p[0] & 15) * 4u;

	if (len < IP4 || p[0] >> 4 != 4 || head < IP4 || head > len || get16(p + 2) > len)
		return "tx_bad_inner";
	/* ESP in ESP goes one hop further. */
	return p[9] == IPPROTO_ESP && p[8] <= 1 ? "tx_loop" : NULL;
}

static const char *fate6(const uint8_t *p, size_t len)
{
	if (len < IP6 || p[0] >> 4 != 6 || (size_t)get16(p + 4) + IP6 > len)
		return "tx_bad_inner";
	return p[6] == IPPROTO_ESP && p[7] <= 1 ? "tx_loop" : NULL;
}

static void sent4(struct batch *b)
{
	size_t len = inner(b, b->dev, 4);

	switch (random_in(b, 0, 4)) {
	case 0:
		buffer[0] = (uint8_t)random_next(b);
		break;
	case 1:
		put16(buffer + 2, (unsigned int)random_next(b));
		break;
	case 2:
		put16(buffer + 2, (unsigned int)(len - 8 + random_in(b, 0, 16)));
		break;
	case 3:
		len = random_in(b, 1, IP4);
		break;
	default:
		random_fill(b, buffer + 4, len - 4);
	}
	give(b, b->dev, NULL, ETH_P_IP, len, fate4(buffer, len));
}

static void sent6(struct batch *b)
{
	size_t len = inner(b, b->dev, 6);

	switch (random_in(b, 0, 4)) {
	case 0:
		buffer[0] = (uint8_t)random_next(b);
		break;
	case 1:
		put16(buffer + 4, (unsigned int)random_next(b));
		break;
	case 2:
		put16(buffer + 4, (unsigned int)(len - IP6 - 8 + random_in(b, 0, 16)));
		break;
	case 3:
		len = random_in(b, 1, IP6);
		break;
	default:
		random_fill(b, buffer + 6, len - 6);
	}
	give(b, b->dev, NULL, ETH_P_IPV6, len, fate6(buffer, len));
}

/* Protocols that are not IP, and IP under the wrong one. */
static void sent_protocol(struct batch *b)
{
	static const uint16_t protocols[] = { ETH_P_ARP, ETH_P_MPLS_UC, ETH_P_8021Q, ETH_P_LOOPBACK,
					      ETH_P_PPP_DISC, ETH_P_TEB, 0x1234 };
	int v = version(b);
	size_t len = inner(b, b->dev, v);

	if (random_chance(b, 30))
		give(b, b->dev, NULL, v == 4 ? ETH_P_IPV6 : ETH_P_IP, len, "tx_bad_inner");
	else
		give(b, b->dev, NULL, protocols[random_in(b, 0, 6)], len, "tx_not_ip");
}

/* Largest inner packet that leaves in one piece. */
static size_t unfragmented(const struct device *d)
{
	const struct sa *sa = d->out;
	size_t text = (size_t)d->wire->mtu - IP4 - ESP_HEADER - sa->iv - sa->icv;

	return text / sa->block * sa->block - 2;
}

/* Around and above what the path takes: with DF and IPv6 refused, otherwise outer fragments. */
static void sent_big(struct batch *b)
{
	struct device *d = b->dev;
	int v = version(b);
	size_t limit = unfragmented(d), len, least = ip_inner_least(v);
	bool df = random_chance(b, 50);

	if (!d->oversize) {
		sent(b);
		return;
	}
	len = random_in(b, limit > 20 + least ? limit - 20 : least, limit + 20);
	if (random_chance(b, 10))
		len = random_in(b, limit, (size_t)d->mtu < 4 * limit ? (size_t)d->mtu : 4 * limit);
	ip_inner(b, v, buffer, len, 0);
	if (v == 4 && df) {
		buffer[6] = 0x40;
		ip4_refresh(buffer);
	}
	if (v == 6)
		limit = limit < IPV6_LEAST_MTU ? IPV6_LEAST_MTU : limit;
	give(b, d, NULL, protocol_of(buffer), len,
	     len > limit && (v == 6 || df) ? "tx_mtu" : NULL);
}

static uint8_t transport_at(uint8_t protocol)
{
	return protocol == IPPROTO_UDP ? 6 : 16;
}

/* A checksum left to the device: what leaves has it. */
static void sent_csum(struct batch *b)
{
	struct device *d = b->dev;
	int v = version(b);
	uint8_t protocol = random_chance(b, 50) ? IPPROTO_UDP : IPPROTO_TCP, done[MAX_PACKET];
	size_t most = batch_room(d) < (size_t)d->mtu ? batch_room(d) : (size_t)d->mtu;
	size_t len = random_in(b, 70, most > 600 ? 600 : most), head;
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	uint16_t sum;

	head = ip_large(b, v, protocol, buffer, len);
	hdr.csum_start = (uint16_t)head;
	hdr.csum_offset = transport_at(protocol);
	hdr.hdr_len = (uint16_t)random_in(b, 0, len);
	if (!batch_hand(b, d, &hdr, protocol_of(buffer), buffer, len))
		return;
	memcpy(done, buffer, len);
	sum = ip_checksum(done + head, len - head, 0);
	put16(done + head + hdr.csum_offset, sum ? sum : 0xffff);
	batch_emit(b, d, done, len);
}

/* What a good large packet has to leave as. */
static void segments(struct batch *b, struct device *d, int v, size_t head, size_t thead,
		     size_t len, size_t size)
{
	uint8_t one[MAX_PACKET];
	uint16_t sum;
	size_t at, part, payload = len - head - thead;
	unsigned int n = 0;

	for (at = 0; at < payload; at += part, n++) {
		part = payload - at < size ? payload - at : size;
		memcpy(one, buffer, head + thead);
		memcpy(one + head + thead, buffer + head + thead + at, part);
		if (v == 4) {
			put16(one + 2, (unsigned int)(head + thead + part));
			put16(one + 4, get16(buffer + 4) + n);
			ip4_refresh(one);
		} else {
			put16(one + 4, (unsigned int)(thead + part));
		}
		if (thead == 8)
			put16(one + head + 4, (unsigned int)(thead + part));
		else
			put32(one + head + 4, get32(buffer + head + 4) + (uint32_t)at);
		put16(one + head + (thead == 8 ? 6 : 16), 0);
		sum = ip_checksum(one + head, thead + part,
				  ip_pseudo(one, thead == 8 ? 17 : 6, thead + part));
		/* In UDP zero would mean that there is none. */
		put16(one + head + (thead == 8 ? 6 : 16), sum || thead != 8 ? sum : 0xffff);
		batch_emit(b, d, one, head + thead + part);
	}
}

/* TCP, and UDP where this kernel knows it, to be cut by the device. */
static void sent_gso(struct batch *b)
{
	struct device *d = b->dev;
	int v = version(b);
	bool udp = random_chance(b, 30);
	size_t thead = udp ? 8 : 20, head = v == 4 ? IP4 : IP6;
	size_t room = batch_room(d) < (size_t)d->mtu ? batch_room(d) : (size_t)d->mtu;
	size_t size = random_in(b, 40, room > 1300 ? 1300 - head - thead : room - head - thead);
	size_t len = head + thead + random_in(b, size + 1, size * 12);
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };

	ip_large(b, v, udp ? IPPROTO_UDP : IPPROTO_TCP, buffer, len);
	hdr.gso_type = udp ? 5 : v == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	hdr.gso_size = (uint16_t)size;
	hdr.hdr_len = (uint16_t)(head + thead);
	hdr.csum_start = (uint16_t)head;
	hdr.csum_offset = transport_at(udp ? IPPROTO_UDP : IPPROTO_TCP);
	if (!batch_hand(b, d, &hdr, protocol_of(buffer), buffer, len))
		return;
	segments(b, d, v, head, thead, len, size);
}

/* Everything in the virtio header may be wrong, and the headers in the packet as well. */
static void sent_lies(struct batch *b)
{
	static const uint8_t types[] = { 0, 1, 3, 4, 5, 0x81, 0x84, 2, 0xff };
	struct device *d = b->dev;
	int v = version(b);
	uint8_t protocol = random_chance(b, 50) ? IPPROTO_UDP : IPPROTO_TCP;
	size_t room = batch_room(d) < (size_t)d->mtu ? batch_room(d) : (size_t)d->mtu;
	size_t len = random_in(b, 60, d->under || random_chance(b, 90) ? room : 4000), head;
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	int lies = (int)random_in(b, 1, 3);

	head = ip_large(b, v, protocol, buffer, len);
	hdr.gso_type = protocol == IPPROTO_UDP ? 5 : v == 4 ? 1 : 4;
	hdr.gso_size = (uint16_t)random_in(b, 1, 500);
	hdr.hdr_len = (uint16_t)(head + (protocol == IPPROTO_UDP ? 8 : 20));
	hdr.csum_start = (uint16_t)head;
	hdr.csum_offset = transport_at(protocol);
	while (lies--)
		switch (random_in(b, 0, 8)) {
		case 0:
			hdr.gso_size = (uint16_t)random_in(b, 0, random_chance(b, 50) ? 65535 : 64);
			break;
		case 1:
			hdr.hdr_len = (uint16_t)random_in(b, 0, random_chance(b, 50) ? 65535 : len);
			break;
		case 2:
			hdr.csum_start = (uint16_t)random_in(b, 0, random_chance(b, 20) ? 65535 : len);
			break;
		case 3:
			hdr.csum_offset = (uint16_t)random_in(b, 0, random_chance(b, 20) ? 65535 : len);
			break;
		case 4:
			hdr.gso_type = types[random_in(b, 0, sizeof(types) - 1)];
			break;
		case 5:
			hdr.flags = (uint8_t)random_in(b, 0, 3);
			break;
		case 6:
			buffer[random_in(b, 0, head - 1)] ^= (uint8_t)random_in(b, 1, 255);
			break;
		case 7:
			buffer[head + random_in(b, 0, 19)] ^= (uint8_t)random_in(b, 1, 255);
			break;
		default:
			put16(buffer + (v == 4 ? 2 : 4), (unsigned int)random_next(b));
		}
	/* More segments of one packet than this are more than the wire's other end queues. */
	if (hdr.gso_size && len / hdr.gso_size > 300)
		hdr.gso_size = (uint16_t)(len / 300 + 1);
	give(b, d, &hdr, random_chance(b, 95) ? protocol_of(buffer) :
	     random_chance(b, 50) ? ETH_P_IP : ETH_P_IPV6, len, NULL);
}

static void fill(struct batch *b, void (*one)(struct batch *))
{
	int i;

	for (i = 0; i < BATCH - 1; i++) {
		if (i % 8)
			one(b);
		else
			tx_good(b, b->dev);
	}
}

static void sent_lies_batch(struct batch *b)
{
	b->loose = true;
	fill(b, sent_lies);
}

#define KIND(name, text) \
static void name##_batch(struct batch *b) { fill(b, name); }
#define KINDS(X) \
	X(sent, "good packets to be sent") \
	X(sent4, "IPv4 to be sent that lies about version, header and length") \
	X(sent6, "IPv6 to be sent that lies about version and length") \
	X(sent_protocol, "what is not IP, to be sent") \
	X(sent_big, "around and above the path MTU") \
	X(sent_csum, "checksums left to the device") \
	X(sent_gso, "segments left to the device")
KINDS(KIND)

#define ENTRY(name, text) { #name, true, name##_batch, text },
const struct kind tx_kinds[] = {
	KINDS(ENTRY)
	{ "sent_lies", true, sent_lies_batch, "segmentation headers that lie" },
};
const int tx_kind_count = sizeof(tx_kinds) / sizeof(*tx_kinds);
