// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fragments: codec and assembly. See fragment.h.
 */
#include "fragment.h"

#include <stdlib.h>
#include <string.h>

#include "crypto.h"

#define FLAG_LAST 1

/* ---- wire -------------------------------------------------------------------------------- */

int ike_fragment_decode(const uint8_t *datagram, size_t len, struct ike_fragment *f, const char **why)
{
	struct ike_rbuf r;
	uint8_t next, reserved;
	uint16_t plen;

	ike_rbuf_init(&r, datagram, len);
	ike_get_bytes(&r, ISAKMP_HDR_LEN);
	next = ike_get8(&r);
	reserved = ike_get8(&r);
	plen = ike_get16(&r);
	f->id = ike_get16(&r);
	f->number = ike_get8(&r);
	f->last = ike_get8(&r) & FLAG_LAST;
	f->len = ike_rbuf_left(&r);
	f->data = ike_get_bytes(&r, f->len);
	*why = r.bad || !f->len ? "fragment without content" :
	       next || reserved || plen != len - ISAKMP_HDR_LEN ? "fragment that is not the whole message" :
	       !f->number || f->number > IKE_FRAGMENTS_MAX ? "fragment number that is not from 1 to 16" : NULL;
	return *why ? -IKE_E_PARSE : 0;
}

void ike_fragment_encode(struct ike_wbuf *w, const struct ike_hdr *h, const struct ike_fragment *f)
{
	struct ike_msgw m;

	ike_msgw_begin(&m, h);
	ike_msgw_open(&m, IKE_NPTYPE_FRAGMENT);
	ike_put16(&m.b, f->id);
	ike_put8(&m.b, f->number);
	ike_put8(&m.b, f->last ? FLAG_LAST : 0);
	ike_put_bytes(&m.b, f->data, f->len);
	ike_msgw_close(&m);
	ike_msgw_finish(&m, 0);
	*w = m.b;
}

unsigned int ike_fragment_count(size_t len, size_t room)
{
	size_t n = room ? (len + room - 1) / room : 0;

	return n > IKE_FRAGMENTS_MAX ? 0 : (unsigned int)n;
}

/* ---- assembly ---------------------------------------------------------------------------- */

static void drop(struct ike_assembly *a, struct ike_part *p)
{
	if (p->data)
		ike_crypto_wipe(p->data, p->len);
	free(p->data);
	a->held -= p->len;
	memset(p, 0, sizeof(*p));
}

void ike_assembly_clear(struct ike_assembly *a)
{
	unsigned int i;

	for (i = 0; i < IKE_FRAGMENTS_MAX; i++)
		drop(a, &a->part[i]);
}

/* The first one that is marked as last, if all before it are there. Returns the number of parts, or 0. */
static unsigned int count_parts(const struct ike_assembly *a)
{
	unsigned int i;

	for (i = 0; i < IKE_FRAGMENTS_MAX && a->part[i].data; i++)
		if (a->part[i].last)
			return i + 1;
	return 0;
}

/* Pieces of two messages give no message of the length that its own header has. */
static bool is_whole(const struct ike_assembly *a)
{
	unsigned int i, n = count_parts(a);
	size_t len = 0;

	if (!n || a->part[0].len < ISAKMP_HDR_LEN)
		return false;
	for (i = 0; i < n; i++)
		len += a->part[i].len;
	return ike_load32(a->part[0].data + ISAKMP_HDR_LEN - 4) == len;
}

static bool is_same(const struct ike_part *p, const struct ike_fragment *f)
{
	return p->data && p->len == f->len && p->last == f->last && !memcmp(p->data, f->data, f->len);
}

enum ike_assembled ike_assembly_add(struct ike_assembly *a, const struct ike_fragment *f, size_t allowance)
{
	struct ike_part *p = &a->part[f->number - 1];
	uint8_t *data;

	if (a->held && a->id != f->id) {
		allowance += a->held;
		ike_assembly_clear(a);
	}
	if (is_same(p, f))
		return IKE_ASSEMBLY_REPEATED;
	if (f->len > allowance + p->len || a->held - p->len + f->len > IKE_DATAGRAM_MAX)
		return IKE_ASSEMBLY_REFUSED;
	data = ike_memdup(f->data, f->len);
	if (!data)
		return IKE_ASSEMBLY_REFUSED;
	drop(a, p);
	*p = (struct ike_part){ .data = data, .len = f->len, .last = f->last };
	a->held += f->len;
	a->id = f->id;
	return is_whole(a) ? IKE_ASSEMBLY_WHOLE : IKE_ASSEMBLY_KEPT;
}

uint8_t *ike_assembly_take(struct ike_assembly *a, size_t *len)
{
	unsigned int i, n = count_parts(a);
	uint8_t *whole = malloc(a->held ? a->held : 1);

	*len = 0;
	for (i = 0; whole && i < n; i++) {
		memcpy(whole + *len, a->part[i].data, a->part[i].len);
		*len += a->part[i].len;
	}
	ike_assembly_clear(a);
	return whole;
}
