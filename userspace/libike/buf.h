/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded cursors over wire bytes: the only place that indexes them. A reader's
 * error sticks, so a decoder reads all it wants and asks once at the end; what is
 * read after an error is zero. A writer grows up to the largest IKE message and
 * remembers running out of memory the same way.
 */
#ifndef LIBIKE_BUF_H
#define LIBIKE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ike_rbuf {
	const uint8_t *data;
	size_t len;		/* octets of data */
	size_t off;		/* next octet to read; <= len */
	bool bad;		/* something was read beyond the end */
};

void ike_rbuf_init(struct ike_rbuf *r, const void *data, size_t len);
size_t ike_rbuf_left(const struct ike_rbuf *r);
uint8_t ike_get8(struct ike_rbuf *r);
uint16_t ike_get16(struct ike_rbuf *r);
uint32_t ike_get32(struct ike_rbuf *r);
/* The next len octets, or NULL (and bad set) when there are fewer. */
const uint8_t *ike_get_bytes(struct ike_rbuf *r, size_t len);
/* A reader over the next len octets, which are skipped here; empty and bad when there are fewer. */
struct ike_rbuf ike_get_sub(struct ike_rbuf *r, size_t len);

/* Owned heap memory; wiped when grown or freed, since plaintext passes through. */
struct ike_wbuf {
	uint8_t *data;
	size_t len, cap;
	bool bad;		/* out of memory or over IKE_WBUF_MAX */
};

#define IKE_WBUF_MAX 65535

void ike_wbuf_init(struct ike_wbuf *w);
void ike_wbuf_free(struct ike_wbuf *w);
void ike_put8(struct ike_wbuf *w, uint8_t v);
void ike_put16(struct ike_wbuf *w, uint16_t v);
void ike_put32(struct ike_wbuf *w, uint32_t v);
void ike_put_bytes(struct ike_wbuf *w, const void *data, size_t len);
void ike_put_zero(struct ike_wbuf *w, size_t len);
/* Overwrite what was written before; out of range sets bad. */
void ike_patch(struct ike_wbuf *w, size_t off, const void *data, size_t len);
void ike_patch8(struct ike_wbuf *w, size_t off, uint8_t v);
void ike_patch16(struct ike_wbuf *w, size_t off, uint16_t v);
void ike_patch32(struct ike_wbuf *w, size_t off, uint32_t v);

/* Copy to the heap; NULL when memory is short. A zero length gives a valid pointer. */
void *ike_memdup(const void *data, size_t len);

/* Owned octets that may be secret: wiped when freed or replaced. */
struct ike_blob {
	uint8_t *data;
	size_t len;
};

/* Becomes a copy; false (and empty) when memory is short. */
bool ike_blob_set(struct ike_blob *b, const void *data, size_t len);
void ike_blob_free(struct ike_blob *b);

/* Big-endian loads and stores where a cursor would be too much. */
static inline uint32_t ike_load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void ike_store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline uint64_t ike_load64(const uint8_t *p)
{
	return (uint64_t)ike_load32(p) << 32 | ike_load32(p + 4);
}

static inline void ike_store64(uint8_t *p, uint64_t v)
{
	ike_store32(p, (uint32_t)(v >> 32));
	ike_store32(p + 4, (uint32_t)v);
}

#endif
