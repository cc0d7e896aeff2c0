// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Proof by signature. See signature.h. A signature shows who sent the message, whoever that is;
 * then the certificate shows whether the profile wants to hear of it. Only after the first is
 * a refusal final: before, the message may be anybody's.
 */
#include "signature.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "cert.h"
#include "phase1.h"
#include "profile.h"
#include "tunnel.h"

int ike_signature_put(struct ike_exchange *x, struct ike_msgw *w, struct ike_chunk id_b)
{
	const struct ike_trustpoint *tp = ike_cert_put(x, w);
	uint8_t hash[IKE_HASH_MAX], sig[IKE_SIG_MAX];
	size_t hash_len, sig_len = sizeof(sig);
	int err;

	if (!tp)
		return -IKE_E_UNKNOWN;
	err = ike_auth_hash(x, x->initiator, id_b, hash, &hash_len);
	if (!err)
		err = ike_trust_sign(tp->trust, hash, hash_len, sig, &sig_len);
	if (!err)
		ike_msgw_payload(w, ISAKMP_NPTYPE_SIG, sig, sig_len);
	return err;
}

/* What cannot be taken is left out: without it the signature or the chain will not come out. */
static void collect(struct ike_exchange *x, const struct ike_msg *m, struct ike_proof *p)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	const char *why;
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		const struct ike_payload *c = &m->p[i];

		if (c->type == ISAKMP_NPTYPE_CERT && ike_proof_cert(p, c->body[0], c->body + 1, c->len - 1, &why))
			ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_CERT_REFUSED, &ctx,
					"CERT payload left out (encoding %u, %zu octets): %s", c->body[0], c->len - 1, why);
	}
}

enum ike_verdict ike_signature_take(struct ike_exchange *x, const struct ike_msg *m, struct ike_chunk id_b,
				    struct ike_proof *p)
{
	const struct ike_payload *sig = ike_msg_find(m, ISAKMP_NPTYPE_SIG);
	const struct ike_step own = { .name = ike_exchange_message(x) };
	uint8_t hash[IKE_HASH_MAX];
	char why[300], subject[160];
	size_t len;

	if (!sig) {
		ike_auth_garbled(x, &own, "it has no SIG payload");
		return IKE_DROP;
	}
	if (ike_auth_hash(x, !x->initiator, id_b, hash, &len))
		return ike_phase1_no_memory(x);
	collect(x, m, p);
	if (!ike_certs_count(ike_proof_certs(p))) {
		ike_auth_garbled(x, &own, "it has no certificate, although we asked for one");
		return IKE_DROP;
	}
	if (ike_proof_signature(p, (struct ike_chunk){ hash, len }, (struct ike_chunk){ sig->body, sig->len }))
		return IKE_OK;
	snprintf(why, sizeof(why), "its signature is not of its certificate (%s)",
		 ike_certs_subject(ike_proof_certs(p), subject, sizeof(subject)));
	x->n_garbled++;
	ike_auth_garbled(x, &own, why);
	return IKE_DROP;
}

/* ---- trust ------------------------------------------------------------------------------------- */

static int64_t wall(const struct ike_engine *e)
{
	return e->env.wall ? e->env.wall(e->env.ctx) : 0;
}

/* The trustpoint that vouches, among those the profile trusts or, others, among the rest. */
static const struct ike_trustpoint *find_trust(struct ike_exchange *x, struct ike_proof *p, bool others,
					       struct ike_cert_report *r)
{
	const struct ike_tunnel_cfg *cfg = &x->sa->tunnel->cfg;
	const struct ike_trustpoint *tp;
	struct ike_cert_report one;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->foreign = true;
	for (i = 0; (tp = ike_trustpoint_at(x->sa->e, i)); i++) {
		if (ike_profile_trusts(cfg, tp->name) == others)
			continue;
		if (!ike_proof_trusted(p, tp->trust, wall(x->sa->e), cfg->policy, &one)) {
			*r = one;
			return tp;
		}
		/* "Revoked" by one says more than "not mine" by all others. */
		if (r->foreign) {
			bool first = !r->why[0] || !one.foreign;
			if (first)
				*r = one;
		}
	}
	return NULL;
}

static enum ike_verdict refuse_cert(struct ike_exchange *x, struct ike_proof *p, const struct ike_cert_report *r)
{
	const struct ike_tunnel_cfg *cfg = &x->sa->tunnel->cfg;
	char text[1100], subject[160], profile[IKE_PROFILE_TEXT], list[300];
	const struct ike_trustpoint *other = NULL;
	struct ike_cert_report ignored;

	ike_certs_subject(ike_proof_certs(p), subject, sizeof(subject));
	ike_profile_name(cfg, profile, sizeof(profile));
	ike_profile_trustpoints(cfg, list, sizeof(list));
	if (r->foreign)
		other = find_trust(x, p, true, &ignored);
	if (other)
		snprintf(text, sizeof(text), "certificate %s of trustpoint %s (line %u) rejected: not in the trustpoints of "
			 "%s, which has %s", subject, other->name, other->line, profile, list);
	else
		snprintf(text, sizeof(text), "certificate %s rejected for %s, which has %s: %s", subject, profile, list,
			 r->why[0] ? r->why : "there is no trustpoint");
	return ike_auth_refuse(x, r->foreign ? IKE_N_INVALID_CERT_AUTHORITY : IKE_N_INVALID_CERTIFICATE,
			       IKE_EV_CERT_REFUSED, text);
}

static enum ike_verdict refuse_identity(struct ike_exchange *x, struct ike_proof *p)
{
	char text[900], id[300], subject[160], profile[IKE_PROFILE_TEXT];

	snprintf(text, sizeof(text), "the peer says it is %s, but its certificate %s has no such name in its subject or "
		 "subjectAltName (%s)", ike_id_format(ike_proof_id(p), id, sizeof(id)),
		 ike_certs_subject(ike_proof_certs(p), subject, sizeof(subject)),
		 ike_profile_name(&x->sa->tunnel->cfg, profile, sizeof(profile)));
	return ike_auth_refuse(x, IKE_N_INVALID_ID_INFORMATION, IKE_EV_CERT_REFUSED, text);
}

enum ike_verdict ike_signature_trust(struct ike_exchange *x, struct ike_proof *p)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	struct ike_certx *c = ike_cert_state(x->sa);
	const struct ike_trustpoint *tp;
	struct ike_cert_report r;
	char subject[160];

	if (!c)
		return ike_phase1_no_memory(x);
	tp = find_trust(x, p, false, &r);
	if (!tp)
		return refuse_cert(x, p, &r);
	if (!ike_proof_identity(p))
		return refuse_identity(x, p);
	snprintf(c->peer, sizeof(c->peer), "%s", tp->name);
	ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_CERT_TRUSTED, &ctx, "certificate %s accepted by trustpoint %s (line %u)",
		ike_certs_subject(ike_proof_certs(p), subject, sizeof(subject)), tp->name, tp->line);
	if (r.weak)
		ike_log(x->sa->e, IKE_LOG_WARNING, IKE_EV_WEAK, &ctx, "a certificate of the peer is weak: %s", r.weak);
	return IKE_OK;
}
