// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Authentication of phase 1: who the peer is and how it proves that. See auth.h.
 */
#include "auth.h"

#include <stdio.h>
#include <string.h>

#include "cert.h"
#include "collision.h"
#include "contact.h"
#include "info.h"
#include "phase1.h"
#include "profile.h"
#include "proof.h"
#include "signature.h"
#include "tunnel.h"

/* ECDSA has a hash of its own for what is signed (RFC 4754), all else the negotiated one. */
static uint16_t hash_of(const struct ike_ikesa *sa)
{
	switch (sa->p1.auth) {
	case IKE_AUTH_ECDSA_256:
		return IKE_HASH_SHA256;
	case IKE_AUTH_ECDSA_384:
		return IKE_HASH_SHA384;
	case IKE_AUTH_ECDSA_521:
		return IKE_HASH_SHA512;
	default:
		return sa->p1.alg.hash;
	}
}

int ike_auth_hash(struct ike_exchange *x, bool initiators, struct ike_chunk id_b, uint8_t *out, size_t *len)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_mm *mm = x->mm;
	struct ike_chunk gxi = ike_blob_chunk(&mm->gxi), gxr = ike_blob_chunk(&mm->gxr);
	struct ike_chunk sai_b = ike_blob_chunk(&mm->sai_b);
	uint16_t hash = hash_of(sa);

	*len = ike_crypto_hash_len(hash);
	if (initiators)
		return ike_hash_phase1_by(hash, &sa->k, gxi, gxr, sa->icookie, sa->rcookie, sai_b, id_b, out);
	return ike_hash_phase1_by(hash, &sa->k, gxr, gxi, sa->rcookie, sa->icookie, sai_b, id_b, out);
}

/* ---- ours --------------------------------------------------------------------------------- */

/*
 * Whom we say we are. "The subject of the certificate" is written exactly as it stands there,
 * and so is a name of the same meaning: some peers compare octets.
 */
static void local_id(struct ike_exchange *x, struct ike_id *id)
{
	const struct ike_trustpoint *tp;
	const uint8_t *dn;
	size_t len;

	ike_tunnel_local_id(x->sa->tunnel, &x->sa->path, id);
	if (id->type != IKE_ID_DER_ASN1_DN || !ike_auth_signs(x->sa->p1.auth))
		return;
	tp = ike_cert_choose(x);
	dn = tp ? ike_trust_subject(tp->trust, &len) : NULL;
	if (!dn || len > IKE_ID_MAX || (id->len && !ike_dn_equal(dn, len, id->data, id->len)))
		return;
	memcpy(id->data, dn, len);
	id->len = (uint16_t)len;
}

/* Body of our ID payload. 0 or -IKE_E_*. */
static int own_id(struct ike_exchange *x, struct ike_blob *b)
{
	struct ike_wbuf body;
	struct ike_id id;
	bool ok;

	local_id(x, &id);
	ike_wbuf_init(&body);
	ike_id_encode(&body, &id);
	ok = !body.bad && ike_blob_set(b, body.data, body.len);
	ike_wbuf_free(&body);
	return ok ? 0 : -IKE_E_NOMEM;
}

static int put_hash(struct ike_exchange *x, struct ike_msgw *w, struct ike_chunk id_b)
{
	uint8_t hash[IKE_HASH_MAX];
	size_t len;
	int err;

	err = ike_auth_hash(x, x->initiator, id_b, hash, &len);
	if (!err)
		ike_msgw_payload(w, ISAKMP_NPTYPE_HASH, hash, len);
	return err;
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
	struct ike_blob id = { 0 };
	struct ike_chunk id_b;
	int err;

	err = said ? 0 : own_id(x, &id);
	id_b = ike_blob_chunk(said ? &x->mm->idii : &id);
	if (!err && !said)
		ike_msgw_payload(w, ISAKMP_NPTYPE_ID, id.data, id.len);
	if (!err)
		err = ike_auth_signs(x->sa->p1.auth) ? ike_signature_put(x, w, id_b) : put_hash(x, w, id_b);
	if (!err)
		ike_contact_put(x, w);
	ike_blob_free(&id);
	return err;
}

/* ---- refusals ------------------------------------------------------------------------------ */

void ike_auth_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, s->name);
	bool signs = ike_auth_signs(x->sa->p1.auth);
	struct ike_engine *e = x->sa->e;
	char text[500];

	e->cnt.auth_failures++;
	if (signs)
		snprintf(text, sizeof(text), "%s does not prove who the peer is: %s", s->name, why);
	else
		snprintf(text, sizeof(text), "probable PSK mismatch: %s does not come out right with our key (%s)",
			 s->name, why);
	ike_tunnel_set_error(x->sa->tunnel, text);
	ike_log_limited(e, IKE_LOG_WARNING, signs ? IKE_EV_AUTH_FAILED : IKE_EV_PSK_MISMATCH, &ctx,
			"%s (tunnel at line %u)", text, x->sa->tunnel->cfg.line);
}

enum ike_verdict ike_auth_refuse(struct ike_exchange *x, uint16_t notify, const char *event, const char *text)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	struct ike_ikesa *sa = x->sa;
	struct ike_tunnel *t = sa->tunnel;

	sa->e->cnt.auth_failures++;
	ike_log_limited(sa->e, IKE_LOG_WARNING, event, &ctx, "%s", text);
	/* Whoever saw AM1 can sign an AM2 with a key of his own: the peer's may still come. */
	if (sa->aggressive && x->initiator && ike_auth_signs(sa->p1.auth)) {
		ike_tunnel_set_error(t, text);
		return IKE_DROP;
	}
	/* The refused message is the last one of phase 1: its last block begins what we send now. */
	memcpy(sa->last_block, x->next_iv, sa->block);
	ike_info_notify(sa, notify, IKE_PROTO_ISAKMP, 0);
	if (x->initiator) {
		ike_info_delete_ikesa(sa);	/* the peer takes it for established */
		ike_tunnel_failed(t, text);
	} else {
		ike_tunnel_set_error(t, text);
	}
	ike_ikesa_kill(sa, false, text);
	return IKE_FAIL;
}

/* Proven, but not who the configuration expects. */
static enum ike_verdict wrong_id(struct ike_exchange *x, const struct ike_id *id)
{
	const struct ike_tunnel *t = x->sa->tunnel, *other = ike_profile_elsewhere(x->sa, id);
	char text[900], got[300], want[300], here[IKE_PROFILE_TEXT], there[IKE_PROFILE_TEXT];
	size_t n;

	ike_profile_name(&t->cfg, here, sizeof(here));
	n = (size_t)snprintf(text, sizeof(text), "peer says it is %s, expected %s (line %u)",
			     ike_id_format(id, got, sizeof(got)), ike_profile_expects(&t->cfg, want, sizeof(want)),
			     t->cfg.line);
	if (other && n < sizeof(text))
		snprintf(text + n, sizeof(text) - n, "; that identity is matched by %s, but the tunnel %s to this address has %s",
			 ike_profile_name(&other->cfg, there, sizeof(there)), t->cfg.name, here);
	return ike_auth_refuse(x, IKE_N_INVALID_ID_INFORMATION, IKE_EV_INVALID_ID, text);
}

static enum ike_verdict bad_id(struct ike_exchange *x, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));

	x->sa->e->cnt.malformed++;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s: ID payload: %s: dropped", ctx.message, why);
	return IKE_DROP;
}

/* ---- the peer's ------------------------------------------------------------------------------ */

static enum ike_verdict take_hash(struct ike_exchange *x, const struct ike_msg *m, struct ike_chunk id_b,
				  struct ike_proof *proof)
{
	const struct ike_payload *hash = ike_msg_find(m, ISAKMP_NPTYPE_HASH);
	const struct ike_step own = { .name = ike_exchange_message(x) };
	uint8_t expected[IKE_HASH_MAX];
	size_t len;

	if (!hash) {
		ike_auth_garbled(x, &own, "it has no HASH payload");
		return IKE_DROP;
	}
	if (ike_auth_hash(x, !x->initiator, id_b, expected, &len))
		return ike_phase1_no_memory(x);
	if (ike_proof_hash(proof, (struct ike_chunk){ expected, len }, (struct ike_chunk){ hash->body, hash->len }))
		return IKE_OK;
	x->n_garbled++;
	ike_auth_garbled(x, &own, "its HASH is wrong");
	return IKE_DROP;
}

/* The peer is who it says; what does that mean here? */
static enum ike_verdict take_peer(struct ike_exchange *x, struct ike_proof *proof)
{
	const struct ike_id *id = ike_proof_id(proof);
	struct ike_tunnel *t = ike_profile_for(x->sa, id);
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	char text[300], profile[IKE_PROFILE_TEXT];

	if (!t)
		return wrong_id(x, id);
	x->sa->tunnel = t;
	ctx.tunnel = t->cfg.name;
	ike_log_limited(x->sa->e, IKE_LOG_DEBUG, IKE_EV_PROFILE, &ctx, "peer %s matches %s of tunnel %s",
			ike_id_format(id, text, sizeof(text)), ike_profile_name(&t->cfg, profile, sizeof(profile)), t->cfg.name);
	return ike_auth_signs(x->sa->p1.auth) ? ike_signature_trust(x, proof) : IKE_OK;
}

static enum ike_verdict check(struct ike_exchange *x, const struct ike_msg *m, struct ike_chunk id_b,
			      struct ike_proof *proof)
{
	enum ike_verdict v;

	v = ike_auth_signs(x->sa->p1.auth) ? ike_signature_take(x, m, id_b, proof) : take_hash(x, m, id_b, proof);
	if (v == IKE_OK)
		v = take_peer(x, proof);
	if (v != IKE_OK || x->initiator)
		return v;
	if (ike_collision_ours_first(x->sa))
		return IKE_DROP;
	ike_collision_give_way(x->sa);
	return IKE_OK;
}

enum ike_verdict ike_auth_take(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_ID);
	struct ike_chunk id_b = ike_blob_chunk(&x->mm->idii);	/* AM3 has none: AM1 said it */
	struct ike_proof *proof;
	enum ike_verdict v;
	struct ike_id id;
	const char *why;

	ike_cert_take_requests(x, m, ike_exchange_message(x));
	if (ike_msg_count(m, ISAKMP_NPTYPE_ID) > 1)
		return bad_id(x, "more than one");
	if (p)
		id_b = (struct ike_chunk){ p->body, p->len };
	if (ike_id_decode(id_b.data, id_b.len, &id, &why))
		return bad_id(x, why);
	proof = ike_proof_new(x->sa, &id);
	if (!proof)
		return ike_phase1_no_memory(x);
	v = check(x, m, id_b, proof);
	if (v != IKE_OK || !ike_ikesa_authenticated(x->sa, proof)) {
		ike_proof_free(proof);
		return v == IKE_OK ? IKE_DROP : v;
	}
	ike_contact_take(x, m);
	return IKE_OK;
}
