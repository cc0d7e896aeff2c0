// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attributes payload. See cfgpay.h.
 *
 *	| type (1) | reserved (1) | identifier (2) | attributes
 *	attribute  | AF=1 type (2) | value (2)    or    AF=0 type (2) | length (2) | value
 */
#include "cfgpay.h"

static int refuse(const char **why, const char *text)
{
	*why = text;
	return -IKE_E_PARSE;
}

static void decode_attr(struct ike_rbuf *r, struct ike_cfg_attr *a)
{
	uint16_t type = ike_get16(r), v = ike_get16(r);

	*a = (struct ike_cfg_attr){ .type = type & ~IKE_ATTR_TV, .tv = type & IKE_ATTR_TV };
	if (a->tv) {
		a->value = v;
		return;
	}
	a->len = v;
	a->data = ike_get_bytes(r, v);
}

int ike_cfgpay_decode(const struct ike_payload *p, struct ike_cfgpay *c, const char **why)
{
	struct ike_rbuf r;

	ike_rbuf_init(&r, p->body, p->len);
	c->type = ike_get8(&r);
	ike_get8(&r);
	c->id = ike_get16(&r);
	c->n = 0;
	while (!r.bad && ike_rbuf_left(&r)) {
		if (c->n == IKE_CFG_ATTRS_MAX)
			return refuse(why, "more attributes than the limit");
		decode_attr(&r, &c->a[c->n++]);
	}
	if (r.bad)
		return refuse(why, "attribute cut short");
	if (c->type < IKE_CFG_REQUEST || c->type > IKE_CFG_ACK)
		return refuse(why, "neither REQUEST, REPLY, SET nor ACK");
	return 0;
}

const struct ike_cfg_attr *ike_cfgpay_find(const struct ike_cfgpay *c, uint16_t type)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->a[i].type == type)
			return &c->a[i];
	return NULL;
}

bool ike_cfgpay_is_xauth(const struct ike_cfgpay *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++)
		if (c->a[i].type >= IKE_XA_TYPE && c->a[i].type <= IKE_XA_ANSWER)
			return true;
	return false;
}

void ike_cfgpay_begin(struct ike_wbuf *w, enum ike_cfg_type type, uint16_t id)
{
	ike_put8(w, (uint8_t)type);
	ike_put8(w, 0);
	ike_put16(w, id);
}

void ike_cfgpay_put(struct ike_wbuf *w, uint16_t type, const void *data, size_t len)
{
	ike_put16(w, type);
	ike_put16(w, (uint16_t)len);
	ike_put_bytes(w, data, len);
}

void ike_cfgpay_put_value(struct ike_wbuf *w, uint16_t type, uint16_t value)
{
	ike_put16(w, type | IKE_ATTR_TV);
	ike_put16(w, value);
}
