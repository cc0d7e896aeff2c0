// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authentication of phase 1: who the peer is and how it proves that. See auth.h.
 */
#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "collision.h"
#include "contact.h"
#include "info.h"
#include "phase1.h"
#include "tunnel.h"

/* HASH_I when the initiator's ID is meant, else HASH_R. */
static int auth_hash(struct ike_exchange *x, bool initiators, struct ike_chunk id_b, uint8_t *out)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_mm *mm = x->mm;
	struct ike_chunk gxi = ike_blob_chunk(&mm->gxi), gxr = ike_blob_chunk(&mm->gxr);

	if (initiators)
		return ike_hash_phase1(&sa->k, gxi, gxr, sa->icookie, sa->rcookie, ike_blob_chunk(&mm->sai_b), id_b, out);
	return ike_hash_phase1(&sa->k, gxr, gxi, sa->rcookie, sa->icookie, ike_blob_chunk(&mm->sai_b), id_b, out);
}

/* Body of our ID payload. 0 or -IKE_E_*. */
static int own_id(struct ike_exchange *x, struct ike_blob *b)
{
	struct ike_wbuf body;
	struct ike_id id;
	bool ok;

	ike_tunnel_local_id(x->sa->tunnel, &x->sa->path, &id);
	ike_wbuf_init(&body);
	ike_id_encode(&body, &id);
	ok = !body.bad && ike_blob_set(b, body.data, body.len);
	ike_wbuf_free(&body);
	return ok ? 0 : -IKE_E_NOMEM;
}

int ike_auth_put_id(struct ike_exchange *x, struct ike_msgw *w)
{
	int err = own_id(x, &x->mm->idii);

	if (!err)
		ike_msgw_payload(w, ISAKMP_NPTYPE_ID, x->mm->idii.data, x->mm->idii.len);
	return err;
}

int ike_auth_put(struct ike_exchange *x, struct ike_msgw *w)
{
	bool said = x->initiator && x->mm->idii.len;
	uint8_t hash[IKE_HASH_MAX];
	struct ike_blob id = { 0 };
	int err;

	err = said ? 0 : own_id(x, &id);
	if (!err)
		err = auth_hash(x, x->initiator, ike_blob_chunk(said ? &x->mm->idii : &id), hash);
	if (!err && !said)
		ike_msgw_payload(w, ISAKMP_NPTYPE_ID, id.data, id.len);
	if (!err)
		ike_msgw_payload(w, ISAKMP_NPTYPE_HASH, hash, x->sa->k.len);
	if (!err)
		ike_contact_put(x, w);
	ike_blob_free(&id);
	return err;
}

void ike_auth_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, s->name);
	struct ike_engine *e = x->sa->e;
	char text[200];

	e->cnt.auth_failures++;
	snprintf(text, sizeof(text), "probable PSK mismatch: %s does not come out right with our key (%s)",
		 s->name, why);
	ike_tunnel_set_error(x->sa->tunnel, text);
	ike_log_limited(e, IKE_LOG_WARNING, IKE_EV_PSK_MISMATCH, &ctx, "%s (tunnel at line %u)", text,
			x->sa->tunnel->cfg.line);
}

/* Proven by its HASH, but not who the configuration expects. */
static enum ike_verdict wrong_id(struct ike_exchange *x, const struct ike_id *id)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	char text[400], got[160], want[160];
	struct ike_ikesa *sa = x->sa;
	struct ike_tunnel *t = sa->tunnel;
	struct ike_id expected;

	ike_tunnel_remote_id(t, &expected);
	snprintf(text, sizeof(text), "peer says it is %s, expected %s (line %u)",
		 ike_id_format(id, got, sizeof(got)), ike_id_format(&expected, want, sizeof(want)), t->cfg.line);
	sa->e->cnt.auth_failures++;
	ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_INVALID_ID, &ctx, "%s", text);
	/* The refused message is the last one of phase 1: its last block begins what we send now. */
	memcpy(sa->last_block, x->next_iv, sa->block);
	ike_info_notify(sa, IKE_N_INVALID_ID_INFORMATION, IKE_PROTO_ISAKMP, 0);
	if (x->initiator) {
		ike_info_delete_ikesa(sa);	/* the peer takes it for established */
		ike_tunnel_failed(t, text);
	} else {
		ike_tunnel_set_error(t, text);
	}
	ike_ikesa_kill(sa, false, text);
	return IKE_FAIL;
}

static bool id_matches(const struct ike_tunnel *t, const struct ike_id *id)
{
	struct ike_id expected;

	ike_tunnel_remote_id(t, &expected);
	return ike_id_equal(&expected, id);
}

/*
 * The tunnel an authenticated responder-side peer means: the one chosen with MM1, or another
 * between the same addresses (hence with the same key) that expects this ID and allows what
 * was chosen.
 */
static struct ike_tunnel *tunnel_for_id(struct ike_ikesa *sa, const struct ike_id *id)
{
	struct ike_tunnel *t = NULL;
	unsigned int i;

	if (id_matches(sa->tunnel, id))
		return sa->tunnel;
	while (!sa->initiator && (t = ike_tunnel_by_path(sa->e, &sa->path, t))) {
		for (i = 0; i < t->cfg.n_p1; i++)
			if (!memcmp(&t->cfg.p1[i], &sa->p1.alg, sizeof(sa->p1.alg)) && id_matches(t, id))
				return t;
	}
	return NULL;
}

static enum ike_verdict auth_ok(struct ike_exchange *x, const struct ike_id *id)
{
	struct ike_tunnel *t = tunnel_for_id(x->sa, id);

	if (!t)
		return wrong_id(x, id);
	x->sa->tunnel = t;
	if (!x->initiator) {
		if (ike_collision_ours_first(x->sa))
			return IKE_DROP;
		ike_collision_give_way(x->sa);
	}
	x->sa->peer_id = *id;
	return IKE_OK;
}

static enum ike_verdict bad_id(struct ike_exchange *x, const char *name, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, name);

	x->sa->e->cnt.malformed++;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s: ID payload: %s: dropped", name, why);
	return IKE_DROP;
}

enum ike_verdict ike_auth_take(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_ID);
	const struct ike_payload *hash = ike_msg_find(m, ISAKMP_NPTYPE_HASH);
	const struct ike_step own = { .name = ike_exchange_message(x) };
	struct ike_chunk body = ike_blob_chunk(&x->mm->idii);	/* AM3 has none: AM1 said it */
	uint8_t expected[IKE_HASH_MAX];
	enum ike_verdict v;
	struct ike_id id;
	const char *why;

	if (p)
		body = (struct ike_chunk){ p->body, p->len };
	if (auth_hash(x, !x->initiator, body, expected))
		return ike_phase1_no_memory(x);
	if (hash->len != x->sa->k.len || !ike_crypto_equal(hash->body, expected, hash->len)) {
		x->n_garbled++;
		ike_auth_garbled(x, &own, "its HASH is wrong");
		return IKE_DROP;
	}
	if (ike_msg_count(m, ISAKMP_NPTYPE_ID) > 1)
		return bad_id(x, own.name, "more than one");
	if (ike_id_decode(body.data, body.len, &id, &why))
		return bad_id(x, own.name, why);
	v = auth_ok(x, &id);
	if (v == IKE_OK)
		ike_contact_take(x, m);
	return v;
}
