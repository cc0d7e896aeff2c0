// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parts of phase 1. See phase1.h. Until HASH_I or HASH_R is verified nothing a message
 * says ends a negotiation: it is dropped and the real one may still come.
 */
#include "phase1.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "admission.h"
#include "aggressive_mode.h"
#include "auth.h"
#include "cert.h"
#include "cipher.h"
#include "half_open.h"
#include "info.h"
#include "tunnel.h"
#include "vendor.h"

enum ike_verdict ike_phase1_no_memory(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, NULL);

	ike_log_limited(x->sa->e, IKE_LOG_ERROR, IKE_EV_INTERNAL, &ctx,
			"out of memory or the crypto library refused");
	return IKE_DROP;
}

/* ---- SA payload ------------------------------------------------------------------------ */

int ike_phase1_make_offer(struct ike_exchange *x)
{
	struct ike_sapay sa;
	struct ike_wbuf w;
	bool ok;

	ike_offer_p1(&sa, &x->sa->tunnel->cfg);
	if (x->sa->aggressive)
		ike_offer_keep_group(&sa, ike_aggressive_group(&x->sa->tunnel->cfg));
	ike_wbuf_init(&w);
	ike_sapay_encode(&w, &sa);
	ok = !w.bad && ike_blob_set(&x->mm->sai_b, w.data, w.len);
	ike_wbuf_free(&w);
	return ok ? 0 : -IKE_E_NOMEM;
}

int ike_phase1_put_sa(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_blob *b = x->initiator ? &x->mm->sai_b : &x->mm->answer;

	ike_msgw_payload(w, ISAKMP_NPTYPE_SA, b->data, b->len);
	ike_vendor_put(x, w);
	return 0;
}

/* Nothing in common: tell the peer and the log. The SA was made for this MM1 and goes. */
static enum ike_verdict no_proposal(struct ike_exchange *x, const struct ike_sapay *offer)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	char text[1200];

	sa->e->cnt.no_proposal++;
	ike_p1_explain(offer, &sa->tunnel->cfg, text, sizeof(text));
	ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_NO_PROPOSAL, &ctx, "phase 1: no common proposal: %s", text);
	ike_tunnel_set_error(sa->tunnel, text);
	ike_info_refuse(sa->tunnel, &sa->path, sa->icookie, IKE_N_NO_PROPOSAL_CHOSEN);
	ike_ikesa_kill(sa, false, "no common proposal");
	return IKE_FAIL;
}

/* The next tunnel the peer can mean; aggressive mode says who it is first, main mode last. */
static struct ike_tunnel *candidate(struct ike_exchange *x, struct ike_tunnel *after)
{
	if (x->sa->aggressive)
		return ike_aggressive_tunnel(x->sa->e, &x->sa->path, &x->mm->claimed, after);
	return ike_tunnel_by_path(x->sa->e, &x->sa->path, after);
}

static enum ike_verdict take_offer(struct ike_exchange *x, const struct ike_sapay *offer,
				   struct ike_sapay *answer)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_tunnel *t = NULL;
	struct ike_wbuf w;
	bool ok;

	while ((t = candidate(x, t)))
		if (ike_choose_p1(offer, &t->cfg, answer, &sa->p1))
			break;
	if (!t)
		return no_proposal(x, offer);
	sa->tunnel = t;
	ike_wbuf_init(&w);
	ike_sapay_encode(&w, answer);
	ok = !w.bad && ike_blob_set(&x->mm->answer, w.data, w.len);
	ike_wbuf_free(&w);
	return ok ? IKE_OK : ike_phase1_no_memory(x);
}

/* A pair of decoded SA payloads is too large for the stack of a callback chain. */
struct two_sapays {
	struct ike_sapay a, b;
};

static enum ike_verdict bad_sa(struct ike_exchange *x, const char *name, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, name);

	x->sa->e->cnt.malformed++;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s: SA payload: %s: dropped", name, why);
	return IKE_DROP;
}

enum ike_verdict ike_phase1_take_offer(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_SA);
	struct two_sapays *two = malloc(sizeof(*two));
	enum ike_verdict v;
	const char *why;

	if (!two || !ike_blob_set(&x->mm->sai_b, p->body, p->len))
		v = ike_phase1_no_memory(x);
	else if (ike_sapay_decode(p->body, p->len, &two->a, &why))
		v = bad_sa(x, ike_exchange_message(x), why);
	else
		v = take_offer(x, &two->a, &two->b);
	free(two);
	return v;
}

static enum ike_verdict take_choice(struct ike_exchange *x, const struct ike_sapay *sa)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	struct ike_engine *e = x->sa->e;
	char text[1200];

	if (sa->n_proposals == 1 && sa->n_transforms == 1 &&
	    ike_choose_p1(sa, &x->sa->tunnel->cfg, NULL, &x->sa->p1))
		return IKE_OK;
	e->cnt.no_proposal++;
	ike_p1_explain(sa, &x->sa->tunnel->cfg, text, sizeof(text));
	ike_log_limited(e, IKE_LOG_WARNING, IKE_EV_NO_PROPOSAL, &ctx,
			"%s does not choose one of our transforms, dropped: %s", ctx.message, text);
	ike_tunnel_set_error(x->sa->tunnel, text);
	return IKE_DROP;
}

enum ike_verdict ike_phase1_take_choice(struct ike_exchange *x, const struct ike_msg *m)
{
	static const uint8_t zero[IKE_COOKIE_LEN];
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_SA);
	struct ike_sapay *sa;
	enum ike_verdict v;
	const char *why;

	if (!memcmp(m->hdr.rcookie, zero, IKE_COOKIE_LEN))
		return bad_sa(x, ike_exchange_message(x), "responder cookie is zero");
	sa = malloc(sizeof(*sa));
	if (!sa)
		v = ike_phase1_no_memory(x);
	else if (ike_sapay_decode(p->body, p->len, sa, &why))
		v = bad_sa(x, ike_exchange_message(x), why);
	else
		v = take_choice(x, sa);
	free(sa);
	if (v == IKE_OK)
		ike_ikesa_set_rcookie(x->sa, m->hdr.rcookie);
	return v;
}

/* ---- KE and nonce ---------------------------------------------------------------------- */

enum ike_verdict ike_phase1_take_ke_nonce(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *ke = ike_msg_find(m, ISAKMP_NPTYPE_KE);
	const struct ike_payload *nonce = ike_msg_find(m, ISAKMP_NPTYPE_NONCE);
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	size_t want = ike_crypto_dh_len(x->sa->p1.alg.group);

	if (ke->len != want) {
		x->sa->e->cnt.malformed++;
		ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_INVALID_KE, &ctx,
				"public value of %zu octets, group %u has %zu: dropped", ke->len,
				x->sa->p1.alg.group, want);
		return IKE_DROP;
	}
	if (!ike_blob_set(x->initiator ? &x->mm->gxr : &x->mm->gxi, ke->body, ke->len) ||
	    !ike_blob_set(x->initiator ? &x->mm->nr : &x->mm->ni, nonce->body, nonce->len))
		return ike_phase1_no_memory(x);
	return IKE_OK;
}

int ike_phase1_make_ke_nonce(struct ike_exchange *x)
{
	uint8_t seed[IKE_DH_MAX], pub[IKE_DH_MAX], nonce[IKE_NONCE_LEN];
	uint16_t group = x->sa->p1.alg.group;
	size_t seed_len = ike_crypto_dh_seed_len(group), len = ike_crypto_dh_len(group);
	struct ike_mm *mm = x->mm;
	bool ok;

	if (!len || len > sizeof(pub) || seed_len > sizeof(seed))
		return -IKE_E_CRYPTO;
	ike_random(x->sa->e, seed, seed_len);
	ike_random(x->sa->e, nonce, sizeof(nonce));
	ike_crypto_dh_free(mm->dh);
	mm->dh = ike_crypto_dh_new(group, seed, seed_len);
	ike_crypto_wipe(seed, sizeof(seed));
	ok = mm->dh && !ike_crypto_dh_public(mm->dh, pub) &&
	     ike_blob_set(x->initiator ? &mm->gxi : &mm->gxr, pub, len) &&
	     ike_blob_set(x->initiator ? &mm->ni : &mm->nr, nonce, sizeof(nonce));
	if (!ok)
		ike_phase1_no_memory(x);
	return ok ? 0 : -IKE_E_CRYPTO;
}

int ike_phase1_put_ke_nonce(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_blob *gx = x->initiator ? &x->mm->gxi : &x->mm->gxr;
	const struct ike_blob *nonce = x->initiator ? &x->mm->ni : &x->mm->nr;

	ike_msgw_payload(w, ISAKMP_NPTYPE_KE, gx->data, gx->len);
	ike_msgw_payload(w, ISAKMP_NPTYPE_NONCE, nonce->data, nonce->len);
	ike_cert_put_requests(x, w);
	return 0;
}

static int derive(struct ike_exchange *x, const uint8_t *gxy, size_t len)
{
	struct ike_ikesa *sa = x->sa;
	const struct ike_tunnel_cfg *cfg = &sa->tunnel->cfg;
	struct ike_mm *mm = x->mm;
	struct ike_chunk ni = ike_blob_chunk(&mm->ni), nr = ike_blob_chunk(&mm->nr);
	int err;

	if (ike_auth_signs(sa->p1.auth))
		err = ike_skeyid_signature(&sa->k, sa->p1.alg.hash, (struct ike_chunk){ gxy, len }, ni, nr);
	else
		err = ike_skeyid_psk(&sa->k, sa->p1.alg.hash, cfg->psk, cfg->psk_len, ni, nr);
	if (!err)
		err = ike_skeyid_expand(&sa->k, (struct ike_chunk){ gxy, len }, sa->icookie, sa->rcookie);
	if (!err)
		err = ike_cipher_setup(sa, ike_blob_chunk(&mm->gxi), ike_blob_chunk(&mm->gxr), x->iv);
	return err;
}

int ike_phase1_derive(struct ike_exchange *x)
{
	const struct ike_blob *peer = x->initiator ? &x->mm->gxr : &x->mm->gxi;
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	size_t len = ike_crypto_dh_secret_len(x->sa->p1.alg.group);
	uint8_t gxy[IKE_DH_MAX];
	int err;

	err = ike_crypto_dh_secret(x->mm->dh, peer->data, peer->len, gxy);
	if (err == -IKE_E_INVALID) {
		x->sa->e->cnt.malformed++;
		ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_INVALID_KE, &ctx,
				"public value is not one of group %u: dropped", x->sa->p1.alg.group);
		return err;
	}
	if (!err)
		err = derive(x, gxy, len);
	ike_crypto_wipe(gxy, sizeof(gxy));
	if (err)
		ike_phase1_no_memory(x);
	return err;
}

/* ---- beginning and end ----------------------------------------------------------------- */

void ike_phase1_release(struct ike_exchange *x)
{
	struct ike_mm *mm = x->mm;

	if (!mm)
		return;
	ike_crypto_dh_free(mm->dh);
	ike_blob_free(&mm->sai_b);
	ike_blob_free(&mm->answer);
	ike_blob_free(&mm->idii);
	ike_blob_free(&mm->gxi);
	ike_blob_free(&mm->gxr);
	ike_blob_free(&mm->ni);
	ike_blob_free(&mm->nr);
	free(mm);
	x->mm = NULL;
}

void ike_phase1_established(struct ike_exchange *x)
{
	ike_phase1_release(x);
	if (x->state != IKE_ST_AM_AUTH_SENT)
		ike_exchange_linger(x);
	x->sa->authenticated = true;
	ike_admission_begin(x->sa);
}

static void describe_silence(struct ike_exchange *x, char *text, size_t size)
{
	char ip[IKE_ADDR_TEXT];
	const char *hint = x->sa->tunnel->hint;

	ike_ip_format(x->sa->path.remote.family, x->sa->path.remote.ip, ip, sizeof(ip));
	if (ike_natt_float_failed(x))
		snprintf(text, size, "float failed: port %u blocked? %s answered on port %u and is silent since our %s came "
			 "from port %u (it may also be that it has another key)", IKE_NATT_PORT, ip, x->sa->natt.began,
			 x->out_name, IKE_NATT_PORT);
	else if (x->sa->aggressive && x->n_garbled)
		snprintf(text, size, "%s: the proof in AM2 from %s is not made with %s key", ike_auth_signs(x->sa->p1.auth) ?
			 "no valid signature" : "probable PSK mismatch", ip, ike_auth_signs(x->sa->p1.auth) ? "its" : "our");
	else if (x->state == IKE_ST_MM_AUTH_SENT && ike_auth_signs(x->sa->p1.auth))
		snprintf(text, size, "%s answered MM3 but never MM5: it may not trust our certificate%s%s", ip,
			 hint[0] ? "; it said, without proof: " : "", hint);
	else if (x->state == IKE_ST_MM_AUTH_SENT)
		snprintf(text, size, "probable PSK mismatch: %s answered MM3 but never MM5%s%s", ip,
			 hint[0] ? "; it said, without proof: " : "", hint);
	else
		snprintf(text, size, "no answer to %s from %s after %u transmissions%s%s", x->out_name, ip,
			 x->sent, hint[0] ? "; it said, without proof: " : "", hint);
}

static void initiator_timeout(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);
	bool auth = x->state == IKE_ST_MM_AUTH_SENT || (x->sa->aggressive && x->n_garbled);
	struct ike_tunnel *t = x->sa->tunnel;
	struct ike_engine *e = x->sa->e;
	bool floated = ike_natt_float_failed(x);
	bool lost = x->lost;
	char text[400];

	describe_silence(x, text, sizeof(text));
	if (lost) {
		ike_ikesa_kill(x->sa, false, "the peer's negotiation was used");
		return;
	}
	ike_roam_lost(t);
	if (floated) {
		ike_log(e, IKE_LOG_WARNING, IKE_EV_FLOAT_FAILED, &ctx, "%s", text);
	} else if (auth) {
		e->cnt.auth_failures++;
		ike_log(e, IKE_LOG_WARNING, ike_auth_signs(x->sa->p1.auth) ? IKE_EV_AUTH_FAILED : IKE_EV_PSK_MISMATCH,
			&ctx, "%s", text);
		ike_cert_refused(x->sa, "no answer to MM5");
	} else {
		ike_log(e, IKE_LOG_WARNING, IKE_EV_TIMEOUT, &ctx, "%s", text);
	}
	ike_ikesa_kill(x->sa, false, text);
	ike_tunnel_failed(t, text);
}

void ike_phase1_timeout(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);

	if (x->state == IKE_ST_MM_DONE || x->state == IKE_ST_AM_DONE) {
		ike_exchange_forget(x);
	} else if (x->state == IKE_ST_AM_AUTH_SENT) {
		ike_aggressive_heard(x);	/* nothing came, nothing was asked */
	} else if (x->initiator) {
		initiator_timeout(x);
	} else {
		ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_P1_FAILED, &ctx, "half-open SA given up in state %s%s",
				ike_state_name(x->state), x->n_garbled && !ike_auth_signs(x->sa->p1.auth) ?
				": probable PSK mismatch" : "");
		ike_ikesa_kill(x->sa, false, "not finished in time");
	}
}

static struct ike_exchange *new_exchange(struct ike_ikesa *sa, const struct ike_way *way, bool initiator)
{
	struct ike_mm *mm = calloc(1, sizeof(*mm));
	struct ike_exchange *x;

	if (!mm)
		return NULL;
	x = ike_exchange_new(sa, way->mode, initiator, 0, way->start);
	if (!x) {
		free(mm);
		return NULL;
	}
	x->mm = mm;
	sa->phase1 = x;
	sa->state = way->start;
	sa->aggressive = way == &ike_aggressive_way;
	return x;
}

static int open_first(struct ike_exchange *x, const struct ike_way *way)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, way->first);
	int err = ike_phase1_make_offer(x);

	if (!err && way->make)
		err = way->make(x);
	if (err)
		return err;
	ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_P1_START, &ctx, "%s begun as initiator", way->what);
	return ike_exchange_open(x, way->first, false, IKE_HASH_NONE, way->put, true, way->sent);
}

int ike_phase1_start(struct ike_tunnel *t)
{
	const struct ike_way *way = t->cfg.aggressive ? &ike_aggressive_way : &ike_main_way;
	struct ike_path path = { .local = t->cfg.local, .remote = t->cfg.remote };
	uint8_t cookie[IKE_COOKIE_LEN];
	struct ike_exchange *x = NULL;
	struct ike_ikesa *sa;
	int err = -IKE_E_NOMEM;

	ike_roam_way(t, &path);
	ike_cookie_new(t->e, cookie);
	sa = ike_ikesa_new(t->e, t, true, cookie, NULL, &path);
	if (sa)
		x = new_exchange(sa, way, true);
	t->hint[0] = '\0';
	if (x)
		err = open_first(x, way);
	if (err && sa)
		ike_ikesa_kill(sa, false, "could not begin");
	return err;
}

void ike_phase1_accept(struct ike_tunnel *t, const struct ike_way *way, const struct ike_path *path,
		       const struct ike_hdr *h, const uint8_t *data, size_t len)
{
	uint8_t cookie[IKE_COOKIE_LEN];
	struct ike_exchange *x = NULL;
	struct ike_ikesa *sa;

	if (!ike_half_open_make_room(t->e, path))
		return;
	ike_cookie_new(t->e, cookie);
	sa = ike_ikesa_new(t->e, t, false, h->icookie, cookie, path);
	if (sa)
		x = new_exchange(sa, way, false);
	if (x)
		ike_exchange_receive(x, h, data, len);
	/* Refused, malformed or out of memory: nothing stays. */
	if (sa && !sa->dead && (!x || sa->state == way->start))
		ike_ikesa_kill(sa, false, "first message not taken");
}

void ike_phase1_respond(struct ike_engine *e, const struct ike_path *path, const struct ike_hdr *h,
			const uint8_t *data, size_t len)
{
	struct ike_tunnel *t = ike_tunnel_by_path(e, path, NULL);
	struct ike_logctx ctx = { .path = path, .icookie = h->icookie, .message = "MM1" };

	if (!t) {
		e->cnt.unknown_peer++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNKNOWN_PEER, &ctx, "no tunnel for this address: MM1 dropped");
		return;
	}
	ike_phase1_accept(t, &ike_main_way, path, h, data, len);
}
