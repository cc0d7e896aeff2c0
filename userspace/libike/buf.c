// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bounded cursors over wire bytes, see buf.h. Knows nothing of what the bytes mean.
 */
#include "buf.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"

void ike_rbuf_init(struct ike_rbuf *r, const void *data, size_t len)
{
	r->data = data;
	r->len = len;
	r->off = 0;
	r->bad = false;
}

size_t ike_rbuf_left(const struct ike_rbuf *r)
{
	return r->bad ? 0 : r->len - r->off;
}

const uint8_t *ike_get_bytes(struct ike_rbuf *r, size_t len)
{
	const uint8_t *p;

	if (r->bad || len > r->len - r->off) {
		r->bad = true;
		return NULL;
	}
	p = r->data + r->off;
	r->off += len;
	return p;
}

uint8_t ike_get8(struct ike_rbuf *r)
{
	const uint8_t *p = ike_get_bytes(r, 1);

	return p ? p[0] : 0;
}

uint16_t ike_get16(struct ike_rbuf *r)
{
	const uint8_t *p = ike_get_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

uint32_t ike_get32(struct ike_rbuf *r)
{
	const uint8_t *p = ike_get_bytes(r, 4);

	return p ? ike_load32(p) : 0;
}

struct ike_rbuf ike_get_sub(struct ike_rbuf *r, size_t len)
{
	struct ike_rbuf sub;
	const uint8_t *p = ike_get_bytes(r, len);

	ike_rbuf_init(&sub, p, p ? len : 0);
	sub.bad = !p;
	return sub;
}

void ike_wbuf_init(struct ike_wbuf *w)
{
	memset(w, 0, sizeof(*w));
}

void ike_wbuf_free(struct ike_wbuf *w)
{
	if (w->data)
		ike_crypto_wipe(w->data, w->cap);
	free(w->data);
	memset(w, 0, sizeof(*w));
}

/* Room for len more octets, or NULL with bad set. realloc would leave a copy unwiped. */
static uint8_t *reserve(struct ike_wbuf *w, size_t len)
{
	size_t cap = w->cap ? w->cap : 512;
	uint8_t *p;

	if (w->bad || len > IKE_WBUF_MAX - w->len) {
		w->bad = true;
		return NULL;
	}
	if (w->data && w->len + len <= w->cap)
		return w->data + w->len;
	while (cap < w->len + len)
		cap *= 2;
	p = malloc(cap);
	if (!p) {
		w->bad = true;
		return NULL;
	}
	if (w->data) {
		memcpy(p, w->data, w->len);
		ike_crypto_wipe(w->data, w->cap);
		free(w->data);
	}
	w->data = p;
	w->cap = cap;
	return w->data + w->len;
}

void ike_put_bytes(struct ike_wbuf *w, const void *data, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = reserve(w, len);
	if (!p)
		return;
	memcpy(p, data, len);
	w->len += len;
}

void ike_put_zero(struct ike_wbuf *w, size_t len)
{
	uint8_t *p;

	if (!len)
		return;
	p = reserve(w, len);
	if (!p)
		return;
	memset(p, 0, len);
	w->len += len;
}

void ike_put8(struct ike_wbuf *w, uint8_t v)
{
	ike_put_bytes(w, &v, 1);
}

void ike_put16(struct ike_wbuf *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	ike_put_bytes(w, b, sizeof(b));
}

void ike_put32(struct ike_wbuf *w, uint32_t v)
{
	uint8_t b[4];

	ike_store32(b, v);
	ike_put_bytes(w, b, sizeof(b));
}

void ike_patch(struct ike_wbuf *w, size_t off, const void *data, size_t len)
{
	if (w->bad || off > w->len || len > w->len - off) {
		w->bad = true;
		return;
	}
	if (len)
		memcpy(w->data + off, data, len);
}

void ike_patch8(struct ike_wbuf *w, size_t off, uint8_t v)
{
	ike_patch(w, off, &v, 1);
}

void ike_patch16(struct ike_wbuf *w, size_t off, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	ike_patch(w, off, b, sizeof(b));
}

void ike_patch32(struct ike_wbuf *w, size_t off, uint32_t v)
{
	uint8_t b[4];

	ike_store32(b, v);
	ike_patch(w, off, b, sizeof(b));
}

void *ike_memdup(const void *data, size_t len)
{
	void *p = malloc(len ? len : 1);

	if (p && len)
		memcpy(p, data, len);
	return p;
}

void ike_blob_free(struct ike_blob *b)
{
	if (b->data)
		ike_crypto_wipe(b->data, b->len);
	free(b->data);
	b->data = NULL;
	b->len = 0;
}

bool ike_blob_set(struct ike_blob *b, const void *data, size_t len)
{
	ike_blob_free(b);
	b->data = ike_memdup(data, len);
	if (b->data)
		b->len = len;
	return b->data;
}
