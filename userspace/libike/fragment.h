/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE fragments as Cisco and Microsoft have them (payload type 132, no RFC): a message is cut,
 * header and all, and each piece goes in a message of its own.
 *
 *	ISAKMP header | generic header | ID (2) | number from 1 (1) | flags (1) | piece
 *
 * Only wire format and putting together; who may send them and when is transport.h's. All that
 * a peer can make this hold is bounded by what is named here.
 */
#ifndef LIBIKE_FRAGMENT_H
#define LIBIKE_FRAGMENT_H

#include "msg.h"

#define IKE_FRAGMENTS_MAX 16		/* of one message */
/* What comes before the piece, octets. */
#define IKE_FRAGMENT_OVERHEAD (ISAKMP_HDR_LEN + ISAKMP_GENERIC_LEN + 4)

struct ike_fragment {
	uint16_t id;		/* of the message; most send the same for all */
	uint8_t number;		/* from 1 */
	bool last;
	const uint8_t *data;	/* points into the datagram */
	size_t len;
};

/* A whole datagram whose header names a fragment. 0, or -IKE_E_PARSE with *why set. */
int ike_fragment_decode(const uint8_t *datagram, size_t len, struct ike_fragment *f, const char **why);
/* h: cookies and exchange type; f->number and f->last as they are to be. */
void ike_fragment_encode(struct ike_wbuf *w, const struct ike_hdr *h, const struct ike_fragment *f);
/* How many pieces of at most 'room' octets; 0: it would be too many. */
unsigned int ike_fragment_count(size_t len, size_t room);

/* One message being put together. All zero is an empty one. */
struct ike_assembly {
	uint16_t id;
	size_t held;		/* octets in all parts; at most IKE_DATAGRAM_MAX */
	struct ike_part {
		uint8_t *data;	/* owned; NULL: has not come */
		size_t len;
		bool last;
	} part[IKE_FRAGMENTS_MAX];
};

enum ike_assembled {
	IKE_ASSEMBLY_KEPT,	/* more have to come */
	IKE_ASSEMBLY_REPEATED,	/* held already */
	IKE_ASSEMBLY_REFUSED,	/* over a bound, or out of memory: as if it had not come */
	IKE_ASSEMBLY_WHOLE,	/* ike_assembly_take() has it */
};

/*
 * In any order, any number of times. Another ID begins a new message; with the same ID the newer
 * piece is right, since the messages of some peers all have one ID. 'allowance': octets that may
 * be held in addition.
 */
enum ike_assembled ike_assembly_add(struct ike_assembly *a, const struct ike_fragment *f, size_t allowance);
/* The whole message, the caller's; NULL when memory is short. The assembly is empty afterwards. */
uint8_t *ike_assembly_take(struct ike_assembly *a, size_t *len);
void ike_assembly_clear(struct ike_assembly *a);

#endif
