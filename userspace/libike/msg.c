// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ISAKMP header and payload chain, both directions. See msg.h.
 */
#include "msg.h"

#include <string.h>

/* Body lengths a payload type may have, without the generic header. */
static const struct {
	uint8_t type;
	uint16_t min, max;
} rules[] = {
	{ ISAKMP_NPTYPE_SA,	8,	8192 },	/* DOI, situation */
	{ ISAKMP_NPTYPE_P,	4,	8192 },
	{ ISAKMP_NPTYPE_T,	4,	8192 },
	{ ISAKMP_NPTYPE_KE,	1,	1024 },
	{ ISAKMP_NPTYPE_ID,	4,	2048 },	/* type, protocol, port */
	{ ISAKMP_NPTYPE_CERT,	1,	16384 },
	{ ISAKMP_NPTYPE_CR,	1,	8192 },
	{ ISAKMP_NPTYPE_HASH,	16,	64 },	/* MD5 .. SHA2-512 */
	{ ISAKMP_NPTYPE_SIG,	1,	2048 },
	{ ISAKMP_NPTYPE_NONCE,	IKE_NONCE_MIN,	IKE_NONCE_MAX },
	{ ISAKMP_NPTYPE_N,	8,	8192 },	/* DOI, protocol, SPI size, type */
	{ ISAKMP_NPTYPE_D,	8,	8192 },	/* DOI, protocol, SPI size, count */
	{ ISAKMP_NPTYPE_VID,	0,	1024 },
	{ ISAKMP_NPTYPE_ATTR,	4,	8192 },
	{ ISAKMP_NPTYPE_NATD,	1,	64 },
	{ ISAKMP_NPTYPE_NATOA,	4,	64 },
};

bool ike_payload_known(uint8_t type)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return true;
	return false;
}

static bool length_allowed(uint8_t type, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].type == type)
			return len >= rules[i].min && len <= rules[i].max;
	return true;
}

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -IKE_E_PARSE;
}

int ike_hdr_parse(const void *data, size_t len, struct ike_hdr *h, const char **why)
{
	struct ike_rbuf r;
	const uint8_t *ic, *rc;
	uint8_t version;

	if (len < ISAKMP_HDR_LEN)
		return refuse(why, "shorter than an ISAKMP header");
	ike_rbuf_init(&r, data, len);
	ic = ike_get_bytes(&r, IKE_COOKIE_LEN);
	rc = ike_get_bytes(&r, IKE_COOKIE_LEN);
	memcpy(h->icookie, ic, IKE_COOKIE_LEN);
	memcpy(h->rcookie, rc, IKE_COOKIE_LEN);
	h->next = ike_get8(&r);
	version = ike_get8(&r);
	h->exchange = ike_get8(&r);
	h->flags = ike_get8(&r);
	h->msgid = ike_get32(&r);
	h->len = ike_get32(&r);
	if (version >> 4 != ISAKMP_VERSION >> 4)
		return refuse(why, "major version is not 1 (IKEv2 is not spoken here)");
	if (h->len != len)
		return refuse(why, "header length differs from the datagram's");
	return 0;
}

/* What may follow the last payload: cipher padding, or the alignment some peers add in clear. */
static bool tail_allowed(size_t left, bool encrypted)
{
	return encrypted ? left <= 256 : left < 4;
}

int ike_msg_parse(struct ike_msg *m, const struct ike_hdr *h, const uint8_t *data, size_t len,
		  bool encrypted, const char **why)
{
	uint8_t type = h->next;
	struct ike_rbuf r;

	m->hdr = *h;
	m->data = data;
	m->n = 0;
	ike_rbuf_init(&r, data, len);
	ike_get_bytes(&r, ISAKMP_HDR_LEN);
	while (type != ISAKMP_NPTYPE_NONE) {
		uint8_t next = ike_get8(&r);
		uint8_t reserved = ike_get8(&r);
		uint16_t plen = ike_get16(&r);
		struct ike_payload *p = &m->p[m->n];

		if (r.bad)
			return refuse(why, "payload header beyond the end");
		if (reserved)
			return refuse(why, "reserved octet of a payload is not zero");
		if (plen < ISAKMP_GENERIC_LEN)
			return refuse(why, "payload length below 4");
		if (m->n == IKE_MAX_PAYLOADS)
			return refuse(why, "more payloads than the limit");
		p->type = type;
		p->len = plen - ISAKMP_GENERIC_LEN;
		p->body = ike_get_bytes(&r, p->len);
		if (r.bad)
			return refuse(why, "payload length beyond the end");
		if (!length_allowed(type, p->len))
			return refuse(why, "payload of a length its type cannot have");
		m->n++;
		type = next;
	}
	if (r.bad || !m->n)
		return refuse(why, "no payload");
	if (!tail_allowed(ike_rbuf_left(&r), encrypted))
		return refuse(why, "octets behind the last payload");
	m->end = r.off;
	return 0;
}

const struct ike_payload *ike_msg_find(const struct ike_msg *m, uint8_t type)
{
	unsigned int i;

	for (i = 0; i < m->n; i++)
		if (m->p[i].type == type)
			return &m->p[i];
	return NULL;
}

unsigned int ike_msg_count(const struct ike_msg *m, uint8_t type)
{
	unsigned int i, count = 0;

	for (i = 0; i < m->n; i++)
		count += m->p[i].type == type;
	return count;
}

void ike_msgw_begin(struct ike_msgw *w, const struct ike_hdr *h)
{
	ike_wbuf_init(&w->b);
	w->open_at = 0;
	ike_put_bytes(&w->b, h->icookie, IKE_COOKIE_LEN);
	ike_put_bytes(&w->b, h->rcookie, IKE_COOKIE_LEN);
	w->next_at = w->b.len;
	ike_put8(&w->b, ISAKMP_NPTYPE_NONE);
	ike_put8(&w->b, ISAKMP_VERSION);
	ike_put8(&w->b, h->exchange);
	ike_put8(&w->b, h->flags);
	ike_put32(&w->b, h->msgid);
	ike_put32(&w->b, 0);
}

void ike_msgw_open(struct ike_msgw *w, uint8_t type)
{
	ike_patch8(&w->b, w->next_at, type);
	w->open_at = w->b.len;
	w->next_at = w->b.len;
	ike_put8(&w->b, ISAKMP_NPTYPE_NONE);
	ike_put8(&w->b, 0);
	ike_put16(&w->b, 0);
}

void ike_msgw_close(struct ike_msgw *w)
{
	ike_patch16(&w->b, w->open_at + 2, (uint16_t)(w->b.len - w->open_at));
	w->open_at = 0;
}

void ike_msgw_payload(struct ike_msgw *w, uint8_t type, const void *body, size_t len)
{
	ike_msgw_open(w, type);
	ike_put_bytes(&w->b, body, len);
	ike_msgw_close(w);
}

void ike_msgw_finish(struct ike_msgw *w, size_t block)
{
	size_t over = block ? (w->b.len - ISAKMP_HDR_LEN) % block : 0;

	if (over)
		ike_put_zero(&w->b, block - over);
	ike_patch32(&w->b, ISAKMP_HDR_LEN - 4, (uint32_t)w->b.len);
}
