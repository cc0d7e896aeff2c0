/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet sockets: frames onto a wire, packets into a device, and what comes out of both.
 */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <linux/virtio_net.h>
#include "fuzz.h"

void wire_open(void);
/* Begins or ends to clone each packet at the gateway's end, or that a device is to send. */
void wire_clone(struct wire *w, bool on);
void device_clone(struct device *d, bool on);
/*
 * Puts an outer packet on the wire. In SHAPE_RING its octets are pages of ours; the
 * return value is where they are, to be compared afterwards, otherwise NULL.
 */
const uint8_t *wire_send(struct wire *w, bool ring, uint16_t protocol, const uint8_t *packet,
			 size_t len);
/* Sends what is in the ring; all of it is on its way when this returns. */
void wire_flush(struct wire *w);
bool wire_ring_fits(size_t len);
/*
 * Has a device send a packet, with a virtio header before it if @hdr. Returns false if
 * the socket refused it, so that the device has not seen it.
 */
bool device_send(struct device *d, const struct virtio_net_hdr *hdr, uint16_t protocol,
		 const uint8_t *packet, size_t len);
/* The next packet of a tap, or 0. */
size_t tap_read(int tap, uint8_t *to, size_t size);
/* Packets the tap had no room for; must stay 0, or nothing can be said. */
unsigned int tap_lost(int tap);

#endif
