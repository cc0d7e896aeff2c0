// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A batch of packets on its way, see batch.h.
 */
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include "batch.h"
#include "count.h"
#include "esp.h"
#include "ip.h"
#include "model.h"
#include "out.h"
#include "wire.h"

/* Frames of the current batch, kept to compare with clones and with our pages. */
static struct frame {
	uint8_t *data;
	size_t len;
	const uint8_t *pages;
	struct wire *wire;
} frames[MAX_FRAMES];

static void dues_add(struct dues *dues, const uint8_t *data, size_t len)
{
	struct due *d;

	if (dues->count == dues->size) {
		dues->size = dues->size ? 2 * dues->size : BATCH;
		dues->list = realloc(dues->list, dues->size * sizeof(*dues->list));
		if (!dues->list)
			err(1, NULL);
	}
	d = &dues->list[dues->count++];
	d->data = malloc(len);
	if (!d->data)
		err(1, NULL);
	memcpy(d->data, data, len);
	d->len = len;
	d->seen = false;
	dues->missing++;
}

static void dues_clear(struct dues *dues)
{
	while (dues->count)
		free(dues->list[--dues->count].data);
	free(dues->list);
	memset(dues, 0, sizeof(*dues));
}

bool due_take(struct dues *dues, const uint8_t *data, size_t len)
{
	size_t i;

	for (i = 0; i < dues->count; i++) {
		struct due *d = &dues->list[i];

		if (d->seen || d->len != len || memcmp(d->data, data, len))
			continue;
		d->seen = true;
		dues->missing--;
		return true;
	}
	return false;
}

const char *due_missing(const struct dues *dues, size_t *len)
{
	size_t i;

	for (i = 0; i < dues->count; i++)
		if (!dues->list[i].seen) {
			*len = dues->list[i].len;
			return (const char *)dues->list[i].data;
		}
	return NULL;
}

void batch_begin(struct batch *b, uint64_t seed, uint64_t number, const struct kind *kind,
		 int shape)
{
	memset(b, 0, sizeof(*b));
	b->seed = seed;
	b->number = number;
	b->kind = kind;
	b->shape = shape;
	b->rng = random_mix(seed, number);
	b->ident = (uint16_t)(number * 512);
}

void batch_end(struct batch *b)
{
	int i;

	for (i = 0; i < device_count; i++) {
		dues_clear(&b->deliver[i]);
		dues_clear(&b->emit[i]);
	}
	while (b->frames)
		free(frames[--b->frames].data);
}

uint64_t batch_number(struct batch *b, struct sa *sa)
{
	unsigned int used = ++b->used[sa - sas];

	if (used >= SPAN)
		broken(b, "out of sequence numbers: the fuzzer's own fault");
	return sa->begin + b->number * SPAN + used;
}

void batch_deliver(struct batch *b, struct device *d, const uint8_t *packet, size_t len)
{
	dues_add(&b->deliver[d - devices], packet, len);
	want(b, d, COUNT_RECEIVED, 1);
}

void batch_emit(struct batch *b, struct device *d, const uint8_t *packet, size_t len)
{
	dues_add(&b->emit[d - devices], packet, len);
}

static struct frame *keep(struct batch *b, const uint8_t *packet, size_t len)
{
	struct frame *f = &frames[b->frames++];

	f->data = malloc(len);
	if (!f->data)
		err(1, NULL);
	memcpy(f->data, packet, len);
	f->len = len;
	f->pages = NULL;
	f->wire = NULL;
	return f;
}

bool batch_hand(struct batch *b, struct device *d, const struct virtio_net_hdr *hdr,
		uint16_t protocol, const uint8_t *packet, size_t len)
{
	if (!device_send(d, hdr, protocol, packet, len))
		return false;
	b->handed++;
	keep(b, packet, len);
	return true;
}

static void transmit(struct batch *b, struct wire *w, const uint8_t *packet, size_t len)
{
	struct frame *f;
	bool ring;

	if (b->frames == MAX_FRAMES || len > (size_t)w->mtu)
		broken(b, "%u frames, %zu octets: the fuzzer's own fault", b->frames, len);
	f = keep(b, packet, len);
	f->wire = w;
	/* What does not fit into the ring goes by itself, but not before what is in it. */
	ring = b->shape == SHAPE_RING && b->frames <= RING_FRAMES && wire_ring_fits(len);
	if (!ring)
		batch_flush(b);
	f->pages = wire_send(w, ring, ETH_P_IP, f->data, len);
}

/* A packet that esptun device @d is to deliver, sealed into an outer one. */
static void nested(struct batch *b, struct device *d, const uint8_t *packet, size_t len)
{
	uint8_t text[MAX_PACKET + 64], outer[MAX_PACKET + 64];
	struct ip4 ip = { .src = d->remote, .dst = d->local, .protocol = IPPROTO_ESP,
			  .ident = b->ident++ & 0x7fff, .offset = 0x4000 };
	static struct fate fate;
	uint64_t seq = batch_number(b, d->in);
	size_t size = len;

	memcpy(text, packet, len);
	size += esp_trailer(text + len, esp_padding(d->in, len), 4);
	size = esp_seal(b, d->in, seq, text, size, outer + IP4);
	model_receive(d->in, outer + IP4, size, seq, text, 0, &fate);
	if (fate.counter)
		want(b, d, fate.counter, 1);
	else
		batch_deliver(b, d, fate.data, fate.len);
	ip4_header(outer, &ip, size);
	batch_outer_plain(b, d, outer, IP4 + size);
}

void batch_outer_plain(struct batch *b, struct device *d, const uint8_t *packet, size_t len)
{
	uint8_t outer[MAX_PACKET + 64];
	struct ip4 ip = { .src = d->ipip_remote, .dst = d->ipip_local, .protocol = IPPROTO_IPIP,
			  .ident = b->ident & 0x7fff };

	if (!d->under) {
		transmit(b, d->wire, packet, len);
		return;
	}
	if (!d->ipip) {
		nested(b, d->under, packet, len);
		return;
	}
	ip4_header(outer, &ip, len);
	memcpy(outer + IP4, packet, len);
	nested(b, d->under, outer, IP4 + len);
}

void batch_outer(struct batch *b, struct device *d, const uint8_t *packet, size_t len)
{
	uint8_t cut[MAX_PACKET + 8 * 64];
	struct piece pieces[8], tmp;
	int count, i, j;

	/* The last piece is sent last: then the packet is complete in its turn. */
	if (b->shape != SHAPE_FRAGMENTS || len < IP4 + 16) {
		batch_outer_plain(b, d, packet, len);
		return;
	}
	count = ip4_fragments(b, packet, len, (int)random_in(b, 2, 8), cut, pieces);
	for (i = count - 1; i > 0; i--) {
		j = (int)random_in(b, 0, (uint64_t)i);
		tmp = pieces[i];
		pieces[i] = pieces[j];
		pieces[j] = tmp;
	}
	for (i = 0; i < count; i++)
		batch_outer_plain(b, d, pieces[i].data, pieces[i].len);
}

void batch_flush(struct batch *b)
{
	int i;

	if (b->shape == SHAPE_RING)
		for (i = 0; i < wire_count; i++)
			wire_flush(&wires[i]);
}

size_t batch_room(const struct device *d)
{
	size_t room = (size_t)d->wire->mtu;

	for (; d; d = d->under)
		room -= IP4 + ESP_AROUND + 18 + (d->ipip ? IP4 : 0);
	return room;
}

bool batch_collect(struct batch *b)
{
	static uint8_t packet[MAX_PACKET + 64];
	bool complete = true;
	size_t len;
	int i;

	for (i = 0; i < device_count; i++) {
		while ((len = tap_read(devices[i].tap, packet, sizeof(packet))))
			if (!due_take(&b->deliver[i], packet, len))
				broken(b, "%s delivered %zu octets that it must not", devices[i].name, len);
		complete &= !b->deliver[i].missing;
	}
	for (i = 0; i < wire_count; i++)
		while ((len = tap_read(wires[i].tap, packet, sizeof(packet))))
			out_frame(b, &wires[i], packet, len);
	for (i = 0; i < device_count; i++)
		complete &= !b->emit[i].missing;
	return complete;
}

/* The sniffer @tap has what was sent to @w, or handed over if that is NULL, in order. */
static void clones(struct batch *b, int tap, const struct wire *w, size_t head)
{
	static uint8_t packet[MAX_PACKET + 64];
	unsigned int i;
	size_t len;

	for (i = 0; i < b->frames; i++) {
		if (frames[i].wire != w)
			continue;
		len = tap_read(tap, packet, sizeof(packet));
		if (len != frames[i].len + head ||
		    memcmp(packet + head, frames[i].data, frames[i].len))
			broken(b, "the clone of frame %u is not what was sent", i);
	}
	if (tap_read(tap, packet, sizeof(packet)))
		broken(b, "more clones than frames");
}

void batch_unaltered(struct batch *b)
{
	unsigned int i;
	int n;

	for (i = 0; i < b->frames; i++)
		if (frames[i].pages && memcmp(frames[i].pages, frames[i].data, frames[i].len))
			broken(b, "pages of frame %u on %s were written to", i, frames[i].wire->name);
	for (n = 0; n < wire_count; n++) {
		if (!b->kind->tx && wires[n].far >= 0)
			clones(b, wires[n].far, &wires[n], ETH_HLEN);
		if (tap_lost(wires[n].tap))
			broken(b, "the tap on %s has lost packets", wires[n].name);
	}
	if (b->kind->tx && b->dev->clones >= 0 && !b->loose)
		clones(b, b->dev->clones, NULL, 0);
}
