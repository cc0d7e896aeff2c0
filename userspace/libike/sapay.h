/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SA payload (RFC 2408 3.4-3.6) as plain numbers, one codec for both phases. Takes
 * TV and TLV attributes in any order, keeps their form and order so that a responder can
 * return a transform exactly as offered, written from these numbers and not from the
 * peer's buffer. What attributes mean is proposal.c's business.
 */
#ifndef LIBIKE_SAPAY_H
#define LIBIKE_SAPAY_H

#include "msg.h"

struct ike_attr {
	uint16_t type;		/* without the format bit */
	uint8_t tlv_len;	/* 0: type/value form; else octets of the value, 1..8 */
	uint64_t value;
};

struct ike_transform {
	uint8_t number;
	uint8_t id;
	uint8_t n_attrs;
	bool unusable;		/* more or longer attributes than we keep: never chosen */
	struct ike_attr attr[IKE_MAX_ATTRS];
};

struct ike_proposal {
	uint8_t number;
	uint8_t proto;
	uint8_t spi_len;
	uint8_t spi[16];
	uint8_t first, n;	/* its transforms: sa->t[first .. first + n - 1] */
};

struct ike_sapay {
	uint32_t doi, situation;
	uint8_t n_proposals, n_transforms;
	struct ike_proposal p[IKE_MAX_OFFERED];
	struct ike_transform t[IKE_MAX_TRANSFORMS];
};

/* 0, or -IKE_E_PARSE with *why set to a static sentence. */
int ike_sapay_decode(const uint8_t *body, size_t len, struct ike_sapay *sa, const char **why);
void ike_sapay_encode(struct ike_wbuf *w, const struct ike_sapay *sa);

/* Building: an empty payload of the IPsec DOI, a proposal, its transforms, their attributes. */
void ike_sapay_init(struct ike_sapay *sa);
struct ike_proposal *ike_sapay_add_proposal(struct ike_sapay *sa, uint8_t proto,
					    const uint8_t *spi, uint8_t spi_len);
struct ike_transform *ike_sapay_add_transform(struct ike_sapay *sa, uint8_t id);
/* TV when the value fits 16 bits, else TLV with 4 octets. */
void ike_transform_add(struct ike_transform *t, uint16_t type, uint32_t value);
/* The attributes of t by themselves, as notifies have them. 0 or -IKE_E_PARSE. */
void ike_attrs_encode(struct ike_wbuf *w, const struct ike_transform *t);
int ike_attrs_decode(const uint8_t *data, size_t len, struct ike_transform *t);
/* 'to' becomes a payload with just this one of from's proposals and transforms. */
void ike_sapay_choose(struct ike_sapay *to, const struct ike_sapay *from,
		      const struct ike_proposal *p, const struct ike_transform *t);
/* Same proposal number, protocol, transform number, ID and attribute values, in any order and form. */
bool ike_transform_equal(const struct ike_transform *a, const struct ike_transform *b);

#endif
