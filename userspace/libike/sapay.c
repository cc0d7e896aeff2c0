// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SA payload codec. See sapay.h.
 *
 *	SA       | DOI (4) | situation (4) | proposals
 *	proposal | generic | # (1) | protocol (1) | SPI size (1) | transforms (1) | SPI | ...
 *	transform| generic | # (1) | ID (1) | reserved (2) | attributes
 *	attribute| AF=1 type (2) | value (2)    or    AF=0 type (2) | length (2) | value
 */
#include "sapay.h"

#include <string.h>

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -IKE_E_PARSE;
}

static void decode_attr(struct ike_rbuf *r, struct ike_transform *t)
{
	uint16_t type = ike_get16(r);
	uint16_t v = ike_get16(r);
	struct ike_attr a = { .type = type & ~IKE_ATTR_TV };
	const uint8_t *p;
	uint16_t i;

	if (type & IKE_ATTR_TV) {
		a.value = v;
	} else {
		p = ike_get_bytes(r, v);
		if (!p)
			return;
		if (!v || v > 8) {
			t->unusable = true;
			return;
		}
		for (i = 0; i < v; i++)
			a.value = a.value << 8 | p[i];
		a.tlv_len = (uint8_t)v;
	}
	if (t->n_attrs == IKE_MAX_ATTRS)
		t->unusable = true;
	else
		t->attr[t->n_attrs++] = a;
}

/* One generic header inside the SA payload: its type of successor and a reader over its body. */
static int decode_generic(struct ike_rbuf *r, uint8_t *next, struct ike_rbuf *body, const char **why)
{
	uint16_t len;

	*next = ike_get8(r);
	if (ike_get8(r))
		return refuse(why, "reserved octet in the SA payload is not zero");
	len = ike_get16(r);
	if (r->bad || len < ISAKMP_GENERIC_LEN)
		return refuse(why, "proposal or transform length below 4 or beyond the end");
	*body = ike_get_sub(r, len - ISAKMP_GENERIC_LEN);
	if (r->bad)
		return refuse(why, "proposal or transform longer than what holds it");
	return 0;
}

static int decode_transform(struct ike_rbuf *body, struct ike_sapay *sa, const char **why)
{
	struct ike_transform *t;

	if (sa->n_transforms == IKE_MAX_TRANSFORMS)
		return refuse(why, "more than 64 transforms");
	t = &sa->t[sa->n_transforms++];
	memset(t, 0, sizeof(*t));
	t->number = ike_get8(body);
	t->id = ike_get8(body);
	ike_get16(body);
	while (ike_rbuf_left(body))
		decode_attr(body, t);
	if (body->bad)
		return refuse(why, "transform or attribute cut short");
	return 0;
}

static int decode_transforms(struct ike_rbuf *r, struct ike_sapay *sa, struct ike_proposal *p,
			     uint8_t count, const char **why)
{
	uint8_t next = ISAKMP_NPTYPE_T;
	struct ike_rbuf body;
	int err;

	p->first = sa->n_transforms;
	while (next == ISAKMP_NPTYPE_T) {
		err = decode_generic(r, &next, &body, why);
		if (!err)
			err = decode_transform(&body, sa, why);
		if (err)
			return err;
	}
	p->n = sa->n_transforms - p->first;
	if (next != ISAKMP_NPTYPE_NONE || ike_rbuf_left(r))
		return refuse(why, "something else among the transforms");
	if (p->n != count)
		return refuse(why, "number of transforms differs from the proposal's count");
	return 0;
}

static int decode_proposal(struct ike_rbuf *r, struct ike_sapay *sa, const char **why)
{
	struct ike_proposal *p;
	const uint8_t *spi;
	uint8_t count;

	if (sa->n_proposals == IKE_MAX_OFFERED)
		return refuse(why, "more than 32 proposals");
	p = &sa->p[sa->n_proposals++];
	memset(p, 0, sizeof(*p));
	p->number = ike_get8(r);
	p->proto = ike_get8(r);
	p->spi_len = ike_get8(r);
	count = ike_get8(r);
	spi = ike_get_bytes(r, p->spi_len);
	if (r->bad)
		return refuse(why, "proposal cut short");
	if (p->spi_len > sizeof(p->spi))
		return refuse(why, "SPI longer than 16 octets");
	if (p->spi_len)
		memcpy(p->spi, spi, p->spi_len);
	if (!count)
		return refuse(why, "proposal without transforms");
	return decode_transforms(r, sa, p, count, why);
}

int ike_sapay_decode(const uint8_t *data, size_t len, struct ike_sapay *sa, const char **why)
{
	uint8_t next = ISAKMP_NPTYPE_P;
	struct ike_rbuf r, body;
	int err;

	sa->n_proposals = 0;
	sa->n_transforms = 0;
	ike_rbuf_init(&r, data, len);
	sa->doi = ike_get32(&r);
	sa->situation = ike_get32(&r);
	if (r.bad)
		return refuse(why, "SA payload cut short");
	/* The layout of what follows depends on both (RFC 2407 4.6.1). */
	if (sa->doi != IKE_DOI_IPSEC && sa->doi != IKE_DOI_ISAKMP)
		return refuse(why, "DOI is not IPsec");
	if (sa->situation != IKE_SIT_IDENTITY_ONLY)
		return refuse(why, "situation is not identity-only");
	while (next == ISAKMP_NPTYPE_P) {
		err = decode_generic(&r, &next, &body, why);
		if (!err)
			err = decode_proposal(&body, sa, why);
		if (err)
			return err;
	}
	if (next != ISAKMP_NPTYPE_NONE || ike_rbuf_left(&r))
		return refuse(why, "something else among the proposals");
	return 0;
}

static void encode_attr(struct ike_wbuf *w, const struct ike_attr *a)
{
	unsigned int i;

	if (!a->tlv_len) {
		ike_put16(w, a->type | IKE_ATTR_TV);
		ike_put16(w, (uint16_t)a->value);
		return;
	}
	ike_put16(w, a->type);
	ike_put16(w, a->tlv_len);
	for (i = a->tlv_len; i > 0; i--)
		ike_put8(w, (uint8_t)(a->value >> (8 * (i - 1))));
}

void ike_attrs_encode(struct ike_wbuf *w, const struct ike_transform *t)
{
	unsigned int i;

	for (i = 0; i < t->n_attrs; i++)
		encode_attr(w, &t->attr[i]);
}

int ike_attrs_decode(const uint8_t *data, size_t len, struct ike_transform *t)
{
	struct ike_rbuf r;

	ike_rbuf_init(&r, data, len);
	while (ike_rbuf_left(&r) && !r.bad)
		decode_attr(&r, t);
	return r.bad ? -IKE_E_PARSE : 0;
}

static void encode_transform(struct ike_wbuf *w, const struct ike_transform *t, bool last)
{
	size_t at = w->len;

	ike_put8(w, last ? ISAKMP_NPTYPE_NONE : ISAKMP_NPTYPE_T);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_put8(w, t->number);
	ike_put8(w, t->id);
	ike_put16(w, 0);
	ike_attrs_encode(w, t);
	ike_patch16(w, at + 2, (uint16_t)(w->len - at));
}

void ike_sapay_encode(struct ike_wbuf *w, const struct ike_sapay *sa)
{
	unsigned int i, j;

	ike_put32(w, sa->doi);
	ike_put32(w, sa->situation);
	for (i = 0; i < sa->n_proposals; i++) {
		const struct ike_proposal *p = &sa->p[i];
		size_t at = w->len;

		ike_put8(w, i + 1 == sa->n_proposals ? ISAKMP_NPTYPE_NONE : ISAKMP_NPTYPE_P);
		ike_put8(w, 0);
		ike_put16(w, 0);
		ike_put8(w, p->number);
		ike_put8(w, p->proto);
		ike_put8(w, p->spi_len);
		ike_put8(w, p->n);
		ike_put_bytes(w, p->spi, p->spi_len);
		for (j = 0; j < p->n; j++)
			encode_transform(w, &sa->t[p->first + j], j + 1 == p->n);
		ike_patch16(w, at + 2, (uint16_t)(w->len - at));
	}
}

void ike_sapay_init(struct ike_sapay *sa)
{
	sa->doi = IKE_DOI_IPSEC;
	sa->situation = IKE_SIT_IDENTITY_ONLY;
	sa->n_proposals = 0;
	sa->n_transforms = 0;
}

struct ike_proposal *ike_sapay_add_proposal(struct ike_sapay *sa, uint8_t proto,
					    const uint8_t *spi, uint8_t spi_len)
{
	struct ike_proposal *p = &sa->p[sa->n_proposals++];

	memset(p, 0, sizeof(*p));
	p->number = sa->n_proposals;
	p->proto = proto;
	p->spi_len = spi_len;
	if (spi_len)
		memcpy(p->spi, spi, spi_len);
	p->first = sa->n_transforms;
	return p;
}

struct ike_transform *ike_sapay_add_transform(struct ike_sapay *sa, uint8_t id)
{
	struct ike_proposal *p = &sa->p[sa->n_proposals - 1];
	struct ike_transform *t = &sa->t[sa->n_transforms++];

	memset(t, 0, sizeof(*t));
	t->number = ++p->n;
	t->id = id;
	return t;
}

void ike_transform_add(struct ike_transform *t, uint16_t type, uint32_t value)
{
	struct ike_attr *a = &t->attr[t->n_attrs++];

	a->type = type;
	a->value = value;
	a->tlv_len = value > UINT16_MAX ? 4 : 0;
}

void ike_sapay_choose(struct ike_sapay *to, const struct ike_sapay *from,
		      const struct ike_proposal *p, const struct ike_transform *t)
{
	to->doi = from->doi;
	to->situation = from->situation;
	to->n_proposals = 1;
	to->n_transforms = 1;
	to->p[0] = *p;
	to->p[0].first = 0;
	to->p[0].n = 1;
	to->t[0] = *t;
}

static bool has_attr(const struct ike_transform *t, const struct ike_attr *a)
{
	unsigned int i;

	for (i = 0; i < t->n_attrs; i++)
		if (t->attr[i].type == a->type && t->attr[i].value == a->value)
			return true;
	return false;
}

bool ike_transform_equal(const struct ike_transform *a, const struct ike_transform *b)
{
	unsigned int i;

	if (a->number != b->number || a->id != b->id || a->n_attrs != b->n_attrs ||
	    a->unusable || b->unusable)
		return false;
	for (i = 0; i < a->n_attrs; i++)
		if (!has_attr(b, &a->attr[i]) || !has_attr(a, &b->attr[i]))
			return false;
	return true;
}
