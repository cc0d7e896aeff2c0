/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bodies of the small payloads: notification and delete (RFC 2408 3.14, 3.15), as pairs
 * of decoder and encoder. The SA payload has its own file (sapay.h), so have identities
 * (ident.h, net.h). Nothing here acts on what it reads.
 */
#ifndef LIBIKE_PAYLOAD_H
#define LIBIKE_PAYLOAD_H

#include "msg.h"

/* Pointers lead into the message. */
struct ike_notify {
	uint32_t doi;
	uint8_t proto;
	uint16_t type;
	const uint8_t *spi;
	uint8_t spi_len;
	const uint8_t *data;
	size_t len;
};

int ike_notify_decode(const struct ike_payload *p, struct ike_notify *n);
void ike_notify_encode(struct ike_msgw *w, const struct ike_notify *n);

struct ike_delete {
	uint32_t doi;
	uint8_t proto;
	uint8_t spi_len;
	uint16_t count;
	const uint8_t *spis;	/* count * spi_len octets */
};

int ike_delete_decode(const struct ike_payload *p, struct ike_delete *d);
void ike_delete_encode(struct ike_msgw *w, const struct ike_delete *d);

#endif
