// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Encryption and HASHes from the receiver's point of view. See seal.h.
 */
#include "seal.h"

#include <stdlib.h>
#include <string.h>

#include "libike/cipher.h"
#include "libike/phase1.h"
#include "libike/quick_mode.h"

bool seal_find(struct seal *s, struct ike_engine *receiver, const struct ike_addr *sender, const struct ike_hdr *h)
{
	memset(s, 0, sizeof(*s));
	s->sa = ike_ikesa_find(receiver, h->icookie, h->rcookie, sender);
	s->encrypted = h->flags & ISAKMP_FLAG_ENCRYPTION;
	if (!s->sa)
		return !s->encrypted;
	s->x = h->msgid ? ike_ikesa_exchange(s->sa, h->msgid) : s->sa->phase1;
	if (!s->encrypted)
		return true;
	if (!s->sa->k.len || !s->sa->block)
		return false;
	if (s->x)
		memcpy(s->iv, s->x->iv, sizeof(s->iv));
	else if (!h->msgid || ike_cipher_iv(s->sa, h->msgid, s->iv))
		return false;
	return true;
}

bool seal_open(const struct seal *s, uint8_t *msg, size_t len)
{
	uint8_t next[IKE_BLOCK_MAX];

	return !s->encrypted || !ike_cipher_decrypt(s->sa, s->iv, next, msg, len);
}

static int hash_exchange(const struct seal *s, const struct ike_hdr *h, struct ike_chunk rest, uint8_t *out)
{
	const struct ike_skeyid *k = &s->sa->k;

	if (h->exchange != ISAKMP_XCHG_QUICK || !s->x || !s->x->quick)
		return ike_hash1(k, h->msgid, rest, out);
	if (s->x->initiator)
		return ike_hash2(k, h->msgid, ike_quick_ni(s->x), rest, out);
	return ike_hash3(k, h->msgid, ike_quick_ni(s->x), ike_quick_nr(s->x), out);
}

/* The receiver waits for the other end's. */
static int hash_phase1(const struct seal *s, struct ike_chunk id, uint8_t *out)
{
	const struct ike_ikesa *sa = s->sa;
	const struct ike_mm *mm = s->x->mm;
	struct ike_chunk gxi = ike_blob_chunk(&mm->gxi), gxr = ike_blob_chunk(&mm->gxr);

	if (!s->x->initiator)
		return ike_hash_phase1(&sa->k, gxi, gxr, sa->icookie, sa->rcookie, ike_blob_chunk(&mm->sai_b), id, out);
	return ike_hash_phase1(&sa->k, gxr, gxi, sa->rcookie, sa->icookie, ike_blob_chunk(&mm->sai_b), id, out);
}

void seal_hash(const struct seal *s, const struct ike_hdr *h, uint8_t *msg, size_t len)
{
	const struct ike_payload *hash, *id;
	uint8_t value[IKE_HASH_MAX];
	const uint8_t *rest;
	const char *why;
	struct ike_msg m;
	struct ike_hdr full = *h;
	int err = -1;

	if (len < ISAKMP_HDR_LEN)
		return;
	full.next = msg[16];
	full.len = (uint32_t)len;
	if (ike_msg_parse(&m, &full, msg, len, true, &why))
		return;
	hash = ike_msg_find(&m, ISAKMP_NPTYPE_HASH);
	if (!hash || hash->len != s->sa->k.len)
		return;
	rest = hash->body + hash->len;
	id = ike_msg_find(&m, ISAKMP_NPTYPE_ID);
	if (h->msgid)
		err = hash_exchange(s, h, (struct ike_chunk){ rest, (size_t)(m.data + m.end - rest) }, value);
	else if (id && s->x && s->x->mm)
		err = hash_phase1(s, (struct ike_chunk){ id->body, id->len }, value);
	if (!err)
		memcpy(msg + (hash->body - msg), value, hash->len);
}

uint8_t *seal_close(const struct seal *s, const uint8_t *msg, size_t len, bool more_padding, size_t *out_len)
{
	size_t block = s->encrypted ? s->sa->block : 1, full = len;
	uint8_t next[IKE_BLOCK_MAX], *out;

	full += (block - (len - ISAKMP_HDR_LEN) % block) % block;
	if (s->encrypted && more_padding)
		full += block;
	out = calloc(1, full);
	if (!out)
		return NULL;
	memcpy(out, msg, len);
	ike_store32(out + 24, (uint32_t)full);
	if (s->encrypted && full > ISAKMP_HDR_LEN && ike_cipher_encrypt(s->sa, s->iv, next, out, full)) {
		free(out);
		return NULL;
	}
	*out_len = full;
	return out;
}
