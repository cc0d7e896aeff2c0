/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A batch: collects packets and what must come of them, sends them, and takes back what
 * came. The kinds (rx.c, tx.c) fill it, run.c judges.
 */
#ifndef FUZZ_BATCH_H
#define FUZZ_BATCH_H

#include "fuzz.h"

void batch_begin(struct batch *b, uint64_t seed, uint64_t number, const struct kind *kind,
		 int shape);
void batch_end(struct batch *b);
/* A number that no packet of this SA has had, next in order. */
uint64_t batch_number(struct batch *b, struct sa *sa);
/* The device must deliver this packet, or emit it in ESP. */
void batch_deliver(struct batch *b, struct device *d, const uint8_t *packet, size_t len);
void batch_emit(struct batch *b, struct device *d, const uint8_t *packet, size_t len);
/*
 * Sends an outer packet of a device on its way: in the shape of the batch, and through
 * good packets of the devices that it travels in. Those are expected to be delivered.
 */
void batch_outer(struct batch *b, struct device *d, const uint8_t *packet, size_t len);
/* The same, but as it is: no shape. */
void batch_outer_plain(struct batch *b, struct device *d, const uint8_t *packet, size_t len);
/*
 * Hands a packet to a device to be sent, see device_send(). What must come of it is up to
 * the caller.
 */
struct virtio_net_hdr;
bool batch_hand(struct batch *b, struct device *d, const struct virtio_net_hdr *hdr,
		uint16_t protocol, const uint8_t *packet, size_t len);
/* Everything that is still in a ring goes now. */
void batch_flush(struct batch *b);
/* Reads all taps; fails on what nobody waited for. True when nothing is missing. */
bool batch_collect(struct batch *b);
/* Fails if pages of ours were written to, or clones differ from what was sent. */
void batch_unaltered(struct batch *b);
/* A packet was seen in the outbound direction: is it one that was due? */
bool due_take(struct dues *dues, const uint8_t *data, size_t len);
const char *due_missing(const struct dues *dues, size_t *len);
/* Largest inner packet that fits into the wire on a device, with all that is around it. */
size_t batch_room(const struct device *d);

#endif
