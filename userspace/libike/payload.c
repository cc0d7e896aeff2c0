// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notification and delete bodies, both directions. See payload.h.
 */
#include "payload.h"

/*
 * Notification, RFC 2408 3.14
 *
 * |                 domain of interpretation (4)                  |
 * |  protocol ID  |   SPI size    |      notify message type      |
 * |                    SPI, notification data                     |
 */
int ike_notify_decode(const struct ike_payload *p, struct ike_notify *n)
{
	struct ike_rbuf r;

	ike_rbuf_init(&r, p->body, p->len);
	n->doi = ike_get32(&r);
	n->proto = ike_get8(&r);
	n->spi_len = ike_get8(&r);
	n->type = ike_get16(&r);
	n->spi = ike_get_bytes(&r, n->spi_len);
	n->len = ike_rbuf_left(&r);
	n->data = ike_get_bytes(&r, n->len);
	return r.bad ? -IKE_E_PARSE : 0;
}

void ike_notify_encode(struct ike_msgw *w, const struct ike_notify *n)
{
	ike_msgw_open(w, ISAKMP_NPTYPE_N);
	ike_put32(&w->b, n->doi);
	ike_put8(&w->b, n->proto);
	ike_put8(&w->b, n->spi_len);
	ike_put16(&w->b, n->type);
	ike_put_bytes(&w->b, n->spi, n->spi_len);
	ike_put_bytes(&w->b, n->data, n->len);
	ike_msgw_close(w);
}

/*
 * Delete, RFC 2408 3.15
 *
 * |                 domain of interpretation (4)                  |
 * |  protocol ID  |   SPI size    |        number of SPIs         |
 * |                             SPIs                              |
 */
int ike_delete_decode(const struct ike_payload *p, struct ike_delete *d)
{
	struct ike_rbuf r;

	ike_rbuf_init(&r, p->body, p->len);
	d->doi = ike_get32(&r);
	d->proto = ike_get8(&r);
	d->spi_len = ike_get8(&r);
	d->count = ike_get16(&r);
	d->spis = ike_get_bytes(&r, (size_t)d->spi_len * d->count);
	return r.bad || ike_rbuf_left(&r) ? -IKE_E_PARSE : 0;
}

void ike_delete_encode(struct ike_msgw *w, const struct ike_delete *d)
{
	ike_msgw_open(w, ISAKMP_NPTYPE_D);
	ike_put32(&w->b, d->doi);
	ike_put8(&w->b, d->proto);
	ike_put8(&w->b, d->spi_len);
	ike_put16(&w->b, d->count);
	ike_put_bytes(&w->b, d->spis, (size_t)d->spi_len * d->count);
	ike_msgw_close(w);
}
