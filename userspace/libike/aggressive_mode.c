// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggressive mode, RFC 2409 5.1 and 5.4; the proof is a HASH with a pre-shared key, certificates
 * and SIG with signatures:
 *
 *	initiator                                      responder
 *	AM1  HDR, SA, KE, Ni, IDii            -->
 *	                                      <--      HDR, SA, KE, Nr, IDir, proof   AM2
 *	AM3  HDR*, proof                      -->
 *
 * AM3 is sent encrypted and taken either way; RFC 2409 leaves it open. Nobody answers AM3, and
 * a responder does not repeat AM2 unasked. So the initiator repeats AM3 until the peer has sent
 * anything under the new keys. See aggressive_mode.h for the price; phase1.c and auth.c for
 * what the parts mean.
 */
#include "aggressive_mode.h"

#include <string.h>

#include "addr.h"
#include "auth.h"
#include "cert.h"
#include "collision.h"
#include "natt.h"
#include "profile.h"
#include "tunnel.h"
#include "vendor.h"

uint16_t ike_aggressive_group(const struct ike_tunnel_cfg *cfg)
{
	return cfg->p1[0].group;
}

/* ---- who it is for ----------------------------------------------------------------------- */

/* Whom a peer at that path may be, if it says it is id; whether aggressive mode is allowed or not. */
static bool can_mean(const struct ike_tunnel *t, const struct ike_path *path, const struct ike_id *id)
{
	return ike_addr_overlap(&t->cfg.remote, &path->remote) && ike_addr_overlap(&t->cfg.local, &path->local) &&
	       ike_profile_weight(&t->cfg, id);
}

/* A key that is shared can be guessed at, a signature cannot: the words that allow an answer differ. */
static bool allowed(const struct ike_tunnel_cfg *cfg)
{
	return ike_profile_signs(cfg) ? cfg->aggressive : cfg->aggressive_psk;
}

struct ike_tunnel *ike_aggressive_tunnel(struct ike_engine *e, const struct ike_path *path, const struct ike_id *id,
					 struct ike_tunnel *after)
{
	struct ike_tunnel *t;

	for (t = after ? after->next : e->tunnels; t; t = t->next)
		if (allowed(&t->cfg) && can_mean(t, path, id))
			return t;
	return NULL;
}

/* No tunnel: because none expects that peer, or because none allows it. */
static void refuse(struct ike_engine *e, const struct ike_path *path, struct ike_logctx *ctx, const struct ike_id *id)
{
	const struct ike_tunnel *t;
	char text[IKE_ID_TEXT];

	ike_id_format(id, text, sizeof(text));
	for (t = e->tunnels; t && !can_mean(t, path, id); t = t->next)
		;
	if (!t) {
		e->cnt.unknown_peer++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNKNOWN_PEER, ctx,
				"no tunnel expects %s at this address: AM1 dropped", text);
		return;
	}
	e->cnt.aggressive_refused++;
	ctx->tunnel = t->cfg.name;
	if (ike_profile_signs(&t->cfg))
		ike_log_limited(e, IKE_LOG_WARNING, IKE_EV_AGGRESSIVE_OFF, ctx,
				"%s asks for aggressive mode: AM1 dropped, since the answer would show our certificate to everybody; "
				"have the peer use main mode, or write exchange = aggressive (tunnel at line %u)", text, t->cfg.line);
	else
		ike_log_limited(e, IKE_LOG_WARNING, IKE_EV_AGGRESSIVE_OFF, ctx,
			"%s asks for aggressive mode: AM1 dropped, since the answer would tell everybody a hash of the "
			"pre-shared key; have the peer use main mode, or allow it with aggressive-psk = insecure-yes "
			"(tunnel at line %u)", text, t->cfg.line);
}

/* The one identity of AM1. False: *why says what is wrong. */
static bool claimed_id(const struct ike_msg *m, struct ike_id *id, const char **why)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_ID);

	if (ike_msg_count(m, ISAKMP_NPTYPE_ID) != 1) {
		*why = "not one ID payload";
		return false;
	}
	return !ike_id_decode(p->body, p->len, id, why);
}

void ike_aggressive_respond(struct ike_engine *e, const struct ike_path *path, const struct ike_hdr *h,
			    const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = { .path = path, .icookie = h->icookie, .message = "AM1" };
	const char *why = "it is encrypted";
	struct ike_tunnel *t;
	struct ike_msg m;
	struct ike_id id;

	if (h->flags & ISAKMP_FLAG_ENCRYPTION || ike_msg_parse(&m, h, data, len, false, &why) ||
	    !claimed_id(&m, &id, &why)) {
		e->cnt.malformed++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "AM1: %s: dropped", why);
		return;
	}
	t = ike_aggressive_tunnel(e, path, &id, NULL);
	if (!t) {
		refuse(e, path, &ctx, &id);
		return;
	}
	ctx.tunnel = t->cfg.name;
	if (ike_collision_ours_through(t)) {
		ike_log_limited(e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx, "both sides began: our negotiation is through first");
		return;
	}
	ike_phase1_accept(t, &ike_aggressive_way, path, h, data, len);
}

/* ---- keys -------------------------------------------------------------------------------- */

/* The IV of whatever comes next, should AM3 come in clear. */
static int derive(struct ike_exchange *x)
{
	int err = ike_phase1_derive(x);

	if (!err) {
		memcpy(x->sa->last_block, x->iv, sizeof(x->sa->last_block));
		memcpy(x->next_iv, x->iv, sizeof(x->next_iv));
	}
	return err;
}

/* ---- messages ---------------------------------------------------------------------------- */

static int make_am1(struct ike_exchange *x)
{
	const struct ike_tunnel_cfg *cfg = &x->sa->tunnel->cfg;

	x->sa->p1.alg.group = ike_aggressive_group(cfg);
	x->sa->p1.auth = cfg->n_auth ? cfg->auth[0] : IKE_AUTH_PSK;	/* certificates are asked for already */
	return ike_phase1_make_ke_nonce(x);
}

static int put_am1(struct ike_exchange *x, struct ike_msgw *w)
{
	int err;

	ike_msgw_payload(w, ISAKMP_NPTYPE_SA, x->mm->sai_b.data, x->mm->sai_b.len);
	err = ike_phase1_put_ke_nonce(x, w);
	if (!err)
		err = ike_auth_put_id(x, w);
	ike_vendor_put(x, w);
	return err;
}

static enum ike_verdict take_am1(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *id = ike_msg_find(m, ISAKMP_NPTYPE_ID);
	enum ike_verdict v;
	const char *why;

	if (!claimed_id(m, &x->mm->claimed, &why))
		return IKE_DROP;	/* it was looked at before */
	if (!ike_blob_set(&x->mm->idii, id->body, id->len))
		return ike_phase1_no_memory(x);
	v = ike_phase1_take_offer(x, m);
	if (v == IKE_OK)
		v = ike_phase1_take_ke_nonce(x, m);
	if (v != IKE_OK)
		return v;
	ike_vendor_take(x, m);
	ike_cert_take_requests(x, m, "AM1");
	return ike_phase1_make_ke_nonce(x) || derive(x) ? IKE_DROP : IKE_OK;
}

static int put_am2(struct ike_exchange *x, struct ike_msgw *w)
{
	int err;

	ike_msgw_payload(w, ISAKMP_NPTYPE_SA, x->mm->answer.data, x->mm->answer.len);
	err = ike_phase1_put_ke_nonce(x, w);
	if (!err)
		err = ike_auth_put(x, w);
	ike_vendor_put(x, w);
	return err ? err : ike_natt_put(x, w);
}

/* Up to the proof nothing of it may stay: anybody who saw AM1 can send an AM2. */
static enum ike_verdict try_am2(struct ike_exchange *x, const struct ike_msg *m)
{
	uint16_t group = ike_aggressive_group(&x->sa->tunnel->cfg);
	enum ike_verdict v = ike_phase1_take_choice(x, m);

	if (v == IKE_OK && x->sa->p1.alg.group != group) {
		struct ike_logctx ctx = ike_exchange_ctx(x, "AM2");

		x->sa->e->cnt.no_proposal++;
		ike_log_limited(x->sa->e, IKE_LOG_WARNING, IKE_EV_NO_PROPOSAL, &ctx,
				"AM2 chooses group %u, offered was %u alone: dropped", x->sa->p1.alg.group, group);
		v = IKE_DROP;
	}
	if (v == IKE_OK)
		v = ike_phase1_take_ke_nonce(x, m);
	if (v == IKE_OK && derive(x))
		v = IKE_DROP;
	if (v == IKE_OK && ike_collision_theirs_first(x->sa))
		v = IKE_DROP;
	return v == IKE_OK ? ike_auth_take(x, m) : v;
}

static enum ike_verdict take_am2(struct ike_exchange *x, const struct ike_msg *m)
{
	static const uint8_t none[IKE_COOKIE_LEN];
	enum ike_verdict v = try_am2(x, m);

	if (v == IKE_OK) {
		ike_vendor_take(x, m);
		ike_natt_take(x, m);
		ike_natt_float(x);
	} else if (!x->dead) {
		ike_ikesa_set_rcookie(x->sa, none);
	}
	return v;
}

/* NAT-D goes where it is encrypted (RFC 3947 3.2 leaves room for more than HASH in AM3). */
static int put_am3(struct ike_exchange *x, struct ike_msgw *w)
{
	int err = ike_auth_put(x, w);

	return err ? err : ike_natt_put(x, w);
}

static enum ike_verdict take_am3(struct ike_exchange *x, const struct ike_msg *m)
{
	enum ike_verdict v = ike_auth_take(x, m);

	if (v == IKE_OK)
		ike_natt_take(x, m);
	return v;
}

void ike_aggressive_heard(struct ike_exchange *x)
{
	if (x->state != IKE_ST_AM_AUTH_SENT)
		return;
	ike_exchange_set_state(x, IKE_ST_AM_DONE);
	ike_exchange_linger(x);
}

/* ---- steps ------------------------------------------------------------------------------- */

/* HASH or SIG: as negotiated, which auth.c sees to. */
#define AM_BODY (IKE_P(SA) | IKE_P(KE) | IKE_P(NONCE) | IKE_P(ID))
#define AM_PROOF (IKE_P(HASH) | IKE_P(SIG))
#define AM_MORE (IKE_P(VID) | IKE_P(CR) | IKE_P(CERT) | IKE_P(NATD) | IKE_P(N))

static const struct ike_step steps[] = {
	{ .initiator = false, .state = IKE_ST_AM_START, .name = "AM1",
	  .required = AM_BODY, .optional = AM_MORE,
	  .take = take_am1,
	  .answer = put_am2, .answer_name = "AM2",
	  .patience = 30, .next = IKE_ST_AM_ANSWERED },

	{ .initiator = true, .state = IKE_ST_AM_SENT, .name = "AM2",
	  .required = AM_BODY, .optional = AM_PROOF | AM_MORE,
	  .take = take_am2,
	  .answer = put_am3, .answer_name = "AM3", .answer_encrypted = true,
	  .retransmit = true, .next = IKE_ST_AM_AUTH_SENT, .done = ike_phase1_established },

	{ .initiator = false, .state = IKE_ST_AM_ANSWERED, .name = "AM3", .encrypted = true, .clear_too = true,
	  .optional = AM_PROOF | AM_MORE,
	  .take = take_am3,
	  .next = IKE_ST_AM_DONE, .done = ike_phase1_established },
};

static const struct ike_mode aggressive_mode = {
	.exchange = ISAKMP_XCHG_AGGRESSIVE,
	.name = "aggressive",
	.step = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.timeout = ike_phase1_timeout,
	.garbled = ike_auth_garbled,
	.heard = ike_aggressive_heard,
	.release = ike_phase1_release,
};

const struct ike_way ike_aggressive_way = {
	.mode = &aggressive_mode,
	.what = "aggressive mode",
	.first = "AM1",
	.start = IKE_ST_AM_START,
	.sent = IKE_ST_AM_SENT,
	.make = make_am1,
	.put = put_am1,
};
