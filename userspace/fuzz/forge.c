// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A message is opened into a list of payloads, the list is edited, written again, single
 * octets of it are changed, then HASH and encryption are made to fit. All keys and IVs are
 * the receiver's: its state says what it expects next. See forge.h.
 */
#include "fuzz/forge.h"

#include <stdlib.h>
#include <string.h>

#include "tests/seal.h"

struct part {
	uint8_t type;
	uint8_t *body;
	size_t len;
};

struct draft {
	struct ike_hdr h;
	struct part part[IKE_MAX_PAYLOADS];
	unsigned int n;
};

static bool find(struct world *w, int to, const struct ike_hdr *h, struct seal *u)
{
	return seal_find(u, w->side[to].e, &w->side[!to].addr, h);
}

/* ---- drafts --------------------------------------------------------------------------------- */

static void part_set(struct part *p, uint8_t type, const void *body, size_t len)
{
	free(p->body);
	p->type = type;
	p->len = len;
	p->body = malloc(len ? len : 1);
	FUZZ_CHECK(p->body);
	memcpy(p->body, body, len);
}

static void draft_clear(struct draft *d)
{
	while (d->n)
		free(d->part[--d->n].body);
}

static void draft_insert(struct draft *d, unsigned int at, uint8_t type, const void *body, size_t len)
{
	if (d->n == IKE_MAX_PAYLOADS)
		return;
	at = at > d->n ? d->n : at;
	memmove(&d->part[at + 1], &d->part[at], (d->n - at) * sizeof(d->part[0]));
	d->part[at] = (struct part){ .body = NULL };
	part_set(&d->part[at], type, body, len);
	d->n++;
}

static void draft_remove(struct draft *d, unsigned int at)
{
	free(d->part[at].body);
	memmove(&d->part[at], &d->part[at + 1], (--d->n - at) * sizeof(d->part[0]));
}

/* One edit of a payload as a whole, or of octets in it. */
static void edit(struct draft *d, struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in), where = fuzz_take8(in);
	unsigned int at = d->n ? where % d->n : 0;
	const uint8_t *bytes;
	struct part *p = &d->part[at];
	size_t got, off;

	if (what % 8 == 7 || !d->n) {
		bytes = fuzz_take(in, fuzz_take8(in), &got);
		draft_insert(d, where, what >> 3, bytes, got);
		return;
	}
	switch (what % 8) {
	case 0:
		draft_remove(d, at);
		break;
	case 1:
		draft_insert(d, fuzz_take8(in), p->type, p->body, p->len);
		break;
	case 2:
		p->type = what >> 3;
		break;
	case 3:
		bytes = fuzz_take(in, fuzz_take8(in), &got);
		part_set(p, p->type, bytes, got);
		break;
	case 4:		/* shorter */
		off = fuzz_take8(in);
		p->len -= off < p->len ? off : p->len;
		break;
	case 5:		/* other octets */
		off = fuzz_take16(in);
		bytes = fuzz_take(in, 1 + (what >> 3), &got);
		if (off < p->len)
			memcpy(p->body + off, bytes, got < p->len - off ? got : p->len - off);
		break;
	default:	/* the same bits flipped */
		off = fuzz_take16(in);
		if (off < p->len)
			p->body[off] ^= fuzz_take8(in);
	}
}

static bool draft_open(struct draft *d, const struct seal *u, const struct world_msg *m)
{
	const char *why;
	struct ike_msg parsed;
	uint8_t *clear = malloc(m->len);
	bool good;

	FUZZ_CHECK(clear);
	memcpy(clear, m->data, m->len);
	good = seal_open(u, clear, m->len) &&
	       !ike_msg_parse(&parsed, &d->h, clear, m->len, u->encrypted, &why);
	for (unsigned int i = 0; good && i < parsed.n; i++)
		draft_insert(d, i, parsed.p[i].type, parsed.p[i].body, parsed.p[i].len);
	free(clear);
	return good;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* Options of a forgery, from the input. */
#define FORGE_OCTETS 1		/* change octets of the written message too */
#define FORGE_WRONG_HASH 2	/* leave the HASH as it is */
#define FORGE_PADDED 4		/* a block more than needed */

/* False: more than a message can hold, m is as it was. */
static bool draft_write(struct draft *d, const struct seal *u, struct world_msg *m, struct fuzz_input *in)
{
	uint8_t options = fuzz_take8(in);
	struct world_msg clear;
	struct ike_msgw w;

	ike_msgw_begin(&w, &d->h);
	for (unsigned int i = 0; i < d->n; i++)
		ike_msgw_payload(&w, d->part[i].type, d->part[i].body, d->part[i].len);
	ike_msgw_finish(&w, 0);
	if (w.b.bad) {
		ike_wbuf_free(&w.b);
		return false;
	}
	clear = (struct world_msg){ .data = w.b.data, .len = w.b.len };
	if (options & FORGE_OCTETS)
		forge_octets(&clear, in);
	if (u->encrypted && !(options & FORGE_WRONG_HASH))
		seal_hash(u, &d->h, clear.data, clear.len);
	free(m->data);
	if (!u->encrypted && options & FORGE_OCTETS) {	/* the length may lie */
		*m = (struct world_msg){ .to = m->to, .data = clear.data, .len = clear.len };
		return true;
	}
	m->data = seal_close(u, clear.data, clear.len, options & FORGE_PADDED, &m->len);
	FUZZ_CHECK(m->data);
	free(clear.data);
	return true;
}

bool forge_change(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	struct draft d = { .n = 0 };
	struct seal u;
	const char *why;
	bool good = !ike_hdr_parse(m->data, m->len, &d.h, &why) && find(w, m->to, &d.h, &u) &&
		    draft_open(&d, &u, m);

	if (good) {
		w->cheated = w->cheated || u.encrypted;
		for (unsigned int n = 1 + fuzz_take8(in) % 4; n; n--)
			edit(&d, in);
		good = draft_write(&d, &u, m, in);
	}
	draft_clear(&d);
	return good;
}

static struct ike_ikesa *some_sa(struct world_side *s, uint8_t which)
{
	struct ike_ikesa *sa = s->e->ikesas;

	for (unsigned int i = which % 4; sa && i && sa->next; i--)
		sa = sa->next;
	return sa;
}

bool forge_new(struct world *w, int to, struct world_msg *m, struct fuzz_input *in)
{
	static const uint8_t exchanges[] = { ISAKMP_XCHG_INFO, ISAKMP_XCHG_QUICK, ISAKMP_XCHG_INFO, ISAKMP_XCHG_MAIN };
	struct ike_ikesa *sa = some_sa(&w->side[to], fuzz_take8(in));
	uint8_t what = fuzz_take8(in), zeros[IKE_HASH_MAX] = { 0 };
	struct draft d = { .n = 0 };
	struct seal u;
	bool good;

	if (!sa)
		return false;
	memcpy(d.h.icookie, sa->icookie, IKE_COOKIE_LEN);
	memcpy(d.h.rcookie, sa->rcookie, IKE_COOKIE_LEN);
	d.h.exchange = what & 4 ? what >> 3 : exchanges[what & 3];
	d.h.msgid = what & 128 && sa->exchanges ? sa->exchanges->msgid : fuzz_take16(in);
	d.h.flags = sa->k.len && !(what & 64) ? ISAKMP_FLAG_ENCRYPTION : 0;
	good = find(w, to, &d.h, &u);
	if (good) {
		w->cheated = w->cheated || u.encrypted;
		if (u.encrypted)
			draft_insert(&d, 0, ISAKMP_NPTYPE_HASH, zeros, sa->k.len);
		for (unsigned int n = 1 + fuzz_take8(in) % 6; n; n--)
			edit(&d, in);
		m->to = to;
		good = draft_write(&d, &u, m, in);
	}
	draft_clear(&d);
	return good;
}

void forge_octets(struct world_msg *m, struct fuzz_input *in)
{
	for (unsigned int n = 1 + fuzz_take8(in) % 4; n; n--) {
		uint16_t at = fuzz_take16(in);
		uint8_t value = fuzz_take8(in);

		if (at & 0x8000 && m->len > ISAKMP_HDR_LEN)	/* cut off, the header stays */
			m->len -= (at & 0x7fff) % (m->len - ISAKMP_HDR_LEN);
		else if (at < m->len)
			m->data[at] = at & 0x4000 ? m->data[at] ^ value : value;
	}
}
