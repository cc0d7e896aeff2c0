// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Informational exchanges, RFC 2409 5.7: one message, HDR*, HASH(1), N or D. See info.h.
 */
#include "info.h"

#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "admission.h"
#include "cert.h"
#include "cipher.h"
#include "contact.h"
#include "dpd.h"
#include "life.h"
#include "quick_mode.h"
#include "tunnel.h"

/* ---- notifies ---------------------------------------------------------------------------- */

/* Sent and not finished: the peer may still say no to it. */
static bool can_be_refused(const struct ike_exchange *x)
{
	return x->quick && x->state == (x->initiator ? IKE_ST_QM_SENT : IKE_ST_QM_ANSWERED);
}

static bool names(const struct ike_exchange *x, uint32_t spi)
{
	const struct ike_child *c = x->quick->child;

	return c && (spi == c->spi_in || spi == c->spi_out);
}

/*
 * The quick mode an error notify means: the one whose SPI it names. A late notify may be about
 * one long over, so an SPI of none means none. Peers that name no SPI can only mean our own QM1,
 * if there is just one; a QM2 of ours is on the way to being used and is not given up on a guess.
 */
static struct ike_exchange *refused_quick(struct ike_ikesa *sa, const struct ike_notify *n)
{
	uint32_t spi = n->spi_len == 4 ? ike_load32(n->spi) : 0;
	struct ike_exchange *x, *found = NULL;

	for (x = sa->exchanges; x; x = x->next) {
		if (!can_be_refused(x))
			continue;
		if (spi ? names(x, spi) : found != NULL)
			return spi ? x : NULL;
		found = x;
	}
	return !spi && found && found->initiator ? found : NULL;
}

static void quick_refused(struct ike_exchange *x, const struct ike_notify *n)
{
	struct ike_tunnel *t = x->quick->tunnel;
	struct ike_flow *f = ike_flow_find(t, &x->quick->want);
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);
	bool own = x->initiator;
	char text[120];

	if (x->lost) {
		ike_exchange_kill(x);	/* it had yielded: nothing failed */
		return;
	}
	snprintf(text, sizeof(text), "the peer refused our %s: %s (%u)", x->out_name, ike_name_notify(n->type), n->type);
	ctx.tunnel = t->cfg.name;
	ike_log(t->e, IKE_LOG_WARNING, IKE_EV_P2_FAILED, &ctx, "%s", text);
	if (own && n->type == IKE_N_NO_PROPOSAL_CHOSEN) {
		t->e->cnt.no_proposal++;
		if (f)
			f->group_index++;	/* perhaps another PFS group */
	}
	ike_exchange_kill(x);
	if (own && f)
		ike_flow_failed(f, text);
	else
		ike_tunnel_set_error(t, text);
}

static void phase1_refused(struct ike_ikesa *sa, const struct ike_notify *n)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "MM5");
	struct ike_tunnel *t = sa->tunnel;
	char text[120];

	snprintf(text, sizeof(text), "the peer refused our identity or proof: %s (%u)",
		 ike_name_notify(n->type), n->type);
	if (!sa->initiator) {
		ike_log(t->e, IKE_LOG_WARNING, IKE_EV_AUTH_FAILED, &ctx, "%s", text);
		ike_tunnel_set_error(t, text);
		ike_ikesa_kill(sa, false, text);
		return;
	}
	t->e->cnt.auth_failures++;
	ike_log(t->e, IKE_LOG_WARNING, IKE_EV_AUTH_FAILED, &ctx, "%s", text);
	ike_cert_refused(sa, ike_name_notify(n->type));
	ike_ikesa_kill(sa, false, text);
	ike_tunnel_failed(t, text);
}

/* An authenticated notify. False when it ended the SA. */
static bool take_notify(struct ike_exchange *x, const struct ike_payload *p)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");
	struct ike_ikesa *sa = x->sa;
	struct ike_exchange *quick;
	struct ike_notify n;

	if (ike_notify_decode(p, &n)) {
		sa->e->cnt.malformed++;
		return true;
	}
	ike_log_limited(sa->e, n.type <= IKE_N_LAST_ERROR ? IKE_LOG_NOTICE : IKE_LOG_DEBUG, IKE_EV_NOTIFY, &ctx,
			"the peer notifies %s (%u), protocol %u", ike_name_notify(n.type), n.type, n.proto);
	if (sa->established && (n.type == IKE_N_R_U_THERE || n.type == IKE_N_R_U_THERE_ACK))
		ike_dpd_notify(x, &n);
	if (sa->established && n.type == IKE_N_RESPONDER_LIFETIME)
		ike_life_notify(x, &n);
	if (sa->established && n.type == IKE_N_INITIAL_CONTACT)
		ike_contact_initial(sa, "INFO");
	if (!n.type || n.type > IKE_N_LAST_ERROR)
		return true;
	if (!sa->established) {
		phase1_refused(sa, &n);
		return false;
	}
	quick = refused_quick(sa, &n);
	if (quick)
		quick_refused(quick, &n);
	return true;
}

/* ---- deletes ----------------------------------------------------------------------------- */

struct ike_child *ike_info_child(struct ike_ikesa *sa, enum ike_dir dir, uint32_t spi)
{
	struct ike_child *c = NULL;
	struct ike_tunnel *t;

	for (t = sa->e->tunnels; t && !c; t = t->next)
		if (ike_tunnel_same_peer(t, sa->tunnel))
			c = ike_child_by_spi(t, dir, spi);
	return c;
}

static void delete_esp(struct ike_exchange *x, uint32_t spi)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");
	struct ike_child *c = ike_info_child(x->sa, IKE_OUT, spi);

	if (!c) {
		/* Cisco names the SPI it sends to, which is ours. */
		c = ike_info_child(x->sa, IKE_IN, spi);
		if (c)
			ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_DELETE, &ctx,
					"delete names our inbound SPI 0x%08x: taken all the same", spi);
	}
	if (!c) {
		ike_log_limited(x->sa->e, IKE_LOG_DEBUG, IKE_EV_DELETE, &ctx, "delete of unknown SPI 0x%08x", spi);
		return;
	}
	ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_DELETE, &ctx, "the peer deletes SPI 0x%08x", spi);
	ike_child_kill(c, false, "deleted by the peer");
}

/* False when it was the SA this message came under. */
static bool delete_isakmp(struct ike_exchange *x, const uint8_t *cookies)
{
	struct ike_ikesa *sa = ike_ikesa_find(x->sa->e, cookies, cookies + IKE_COOKIE_LEN, &x->sa->path.remote);
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");
	bool own = sa == x->sa;

	if (!sa || !sa->established || !ike_tunnel_same_peer(sa->tunnel, x->sa->tunnel)) {
		ike_log_limited(x->sa->e, IKE_LOG_DEBUG, IKE_EV_DELETE, &ctx, "delete of an unknown ISAKMP SA");
		return true;
	}
	ike_ikesa_close(sa);
	ike_tunnel_children_follow(sa->tunnel);
	return !own;
}

static bool take_delete(struct ike_exchange *x, const struct ike_payload *p)
{
	struct ike_delete d;
	bool alive = true;
	uint16_t i;

	if (ike_delete_decode(p, &d)) {
		x->sa->e->cnt.malformed++;
		return true;
	}
	for (i = 0; i < d.count && alive; i++) {
		const uint8_t *spi = d.spis + (size_t)i * d.spi_len;

		if (d.proto == IKE_PROTO_ESP && d.spi_len == 4)
			delete_esp(x, ike_load32(spi));
		else if (d.proto == IKE_PROTO_ISAKMP && d.spi_len == 2 * IKE_COOKIE_LEN)
			alive = delete_isakmp(x, spi);
	}
	return alive;
}

static enum ike_verdict take_info(struct ike_exchange *x, const struct ike_msg *m)
{
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		bool alive = true;

		if (m->p[i].type == ISAKMP_NPTYPE_N && !x->sa->closed)
			alive = take_notify(x, &m->p[i]);
		else if (m->p[i].type == ISAKMP_NPTYPE_D && (x->sa->established || x->sa->closed))
			alive = take_delete(x, &m->p[i]);
		else if (m->p[i].type == ISAKMP_NPTYPE_D && x->sa->authenticated)
			alive = !ike_admission_deleted(x->sa, &m->p[i]);
		if (!alive || x->dead)
			return IKE_DROP;
	}
	return IKE_OK;
}

/* ---- the mode ---------------------------------------------------------------------------- */

static void info_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, s->name);
	struct ike_ikesa *sa = x->sa;

	sa->e->cnt.unauthenticated++;
	if (sa->phase1 && !sa->established && !ike_auth_signs(sa->p1.auth) && !sa->phase1->n_garbled++)
		ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_PSK_MISMATCH, &ctx,
				"probable PSK mismatch: the peer answers MM5 with a message our key does not open (%s)",
				why);
	else if (sa->established || ike_auth_signs(sa->p1.auth))
		ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_UNAUTHENTICATED, &ctx,
				"informational message without valid HASH (%s): no effect", why);
}

static void info_timeout(struct ike_exchange *x)
{
	ike_exchange_kill(x);
}

static const struct ike_step steps[] = {
	{ .initiator = false, .state = IKE_ST_INFO_START, .name = "INFO", .encrypted = true, .hash = IKE_HASH_1,
	  .required = IKE_P(HASH), .optional = IKE_P(N) | IKE_P(D) | IKE_P(VID),
	  .take = take_info, .next = IKE_ST_INFO_DONE },
};

const struct ike_mode ike_info_mode = {
	.exchange = ISAKMP_XCHG_INFO,
	.name = "informational",
	.step = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.timeout = info_timeout,
	.garbled = info_garbled,
};

void ike_info_receive(struct ike_ikesa *sa, const struct ike_hdr *h, const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "INFO");
	struct ike_exchange *x;

	ctx.msgid = h->msgid;
	if (!h->msgid || ike_msgid_used(sa, h->msgid)) {
		sa->e->cnt.replayed++;
		ike_log_limited(sa->e, IKE_LOG_DEBUG, IKE_EV_REPLAY, &ctx, "message ID used before: dropped");
		return;
	}
	x = ike_exchange_new(sa, &ike_info_mode, false, h->msgid, IKE_ST_INFO_START);
	if (!x)
		return;
	if (!ike_cipher_iv(sa, h->msgid, x->iv))
		ike_exchange_receive(x, h, data, len);
	ike_exchange_kill(x);
}

/* What the peer of a negotiation of ours says may help to understand why it fails. */
static void keep_hint(struct ike_ikesa *sa, const struct ike_notify *n)
{
	if (sa && sa->initiator && !sa->established && !sa->closed)
		snprintf(sa->tunnel->hint, sizeof(sa->tunnel->hint), "%s (%u)", ike_name_notify(n->type), n->type);
}

void ike_info_unprotected(struct ike_engine *e, struct ike_ikesa *sa, const struct ike_path *path,
			  const struct ike_hdr *h, const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = { .path = path, .icookie = h->icookie, .rcookie = h->rcookie,
				  .msgid = h->msgid, .message = "INFO" };
	const struct ike_payload *p;
	struct ike_notify n;
	const char *why;
	struct ike_msg m;

	e->cnt.unauthenticated++;
	if (sa)
		ctx.tunnel = sa->tunnel->cfg.name;
	if (h->flags & ISAKMP_FLAG_ENCRYPTION) {
		ike_log_limited(e, IKE_LOG_INFO, IKE_EV_UNAUTHENTICATED, &ctx,
				"informational message encrypted with a key we do not have: no effect");
		return;
	}
	if (ike_msg_parse(&m, h, data, len, false, &why)) {
		e->cnt.malformed++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "INFO: %s: dropped", why);
		return;
	}
	p = ike_msg_find(&m, ISAKMP_NPTYPE_N);
	if (p && !ike_notify_decode(p, &n)) {
		keep_hint(sa, &n);
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNAUTHENTICATED, &ctx,
				"notify %s (%u) without protection: no effect", ike_name_notify(n.type), n.type);
		return;
	}
	ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNAUTHENTICATED, &ctx, "%s without protection: no effect",
			ike_msg_find(&m, ISAKMP_NPTYPE_D) ? "delete" : "informational message");
}

/* ---- sending ----------------------------------------------------------------------------- */

static int put_notify(struct ike_exchange *x, struct ike_msgw *w)
{
	ike_notify_encode(w, x->arg);
	return 0;
}

static int put_delete(struct ike_exchange *x, struct ike_msgw *w)
{
	ike_delete_encode(w, x->arg);
	return 0;
}

/* One message under the SA's protection, not repeated: nobody answers it. */
static void send_info(struct ike_ikesa *sa, int (*put)(struct ike_exchange *x, struct ike_msgw *w), const void *arg)
{
	struct ike_exchange *x;

	if (sa->dead || !sa->block)
		return;
	x = ike_exchange_new(sa, &ike_info_mode, true, ike_msgid_new(sa), IKE_ST_INFO_START);
	if (!x)
		return;
	x->arg = arg;
	ike_exchange_open(x, "INFO", true, IKE_HASH_1, put, false, IKE_ST_INFO_DONE);
	x->arg = NULL;
	ike_exchange_kill(x);
}

void ike_info_send(struct ike_ikesa *sa, const struct ike_notify *n)
{
	send_info(sa, put_notify, n);
}

void ike_info_notify(struct ike_ikesa *sa, uint16_t type, uint8_t proto, uint32_t spi)
{
	uint8_t wire_spi[4];
	const struct ike_notify n = {
		.doi = IKE_DOI_IPSEC, .proto = proto, .type = type,
		.spi = wire_spi, .spi_len = spi ? sizeof(wire_spi) : 0,
	};

	ike_store32(wire_spi, spi);
	send_info(sa, put_notify, &n);
}

void ike_info_dpd(struct ike_ikesa *sa, uint16_t type, uint32_t seq)
{
	uint8_t cookies[2 * IKE_COOKIE_LEN], number[4];
	const struct ike_notify n = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .type = type,
		.spi = cookies, .spi_len = sizeof(cookies), .data = number, .len = sizeof(number),
	};

	memcpy(cookies, sa->icookie, IKE_COOKIE_LEN);
	memcpy(cookies + IKE_COOKIE_LEN, sa->rcookie, IKE_COOKIE_LEN);
	ike_store32(number, seq);
	send_info(sa, put_notify, &n);
}

void ike_info_delete_esp(struct ike_ikesa *sa, uint32_t spi)
{
	uint8_t wire_spi[4];
	const struct ike_delete d = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ESP, .spi_len = sizeof(wire_spi), .count = 1, .spis = wire_spi,
	};

	ike_store32(wire_spi, spi);
	send_info(sa, put_delete, &d);
}

void ike_info_delete_ikesa(struct ike_ikesa *sa)
{
	uint8_t spi[2 * IKE_COOKIE_LEN];
	const struct ike_delete d = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .spi_len = sizeof(spi), .count = 1, .spis = spi,
	};

	memcpy(spi, sa->icookie, IKE_COOKIE_LEN);
	memcpy(spi + IKE_COOKIE_LEN, sa->rcookie, IKE_COOKIE_LEN);
	send_info(sa, put_delete, &d);
}

void ike_info_refuse(struct ike_tunnel *t, const struct ike_path *path, const uint8_t *icookie, uint16_t type)
{
	const struct ike_notify n = { .doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .type = type };
	struct ike_hdr h = { .exchange = ISAKMP_XCHG_INFO };
	struct ike_engine *e = t->e;
	struct ike_msgw w;

	if (!ike_limit_take(&t->notify_limit, e->now, IKE_SECOND, 1))
		return;
	memcpy(h.icookie, icookie, IKE_COOKIE_LEN);
	ike_cookie_new(e, h.rcookie);
	do {
		ike_random(e, &h.msgid, sizeof(h.msgid));
	} while (!h.msgid);
	ike_msgw_begin(&w, &h);
	ike_notify_encode(&w, &n);
	ike_msgw_finish(&w, 0);
	if (!w.b.bad)
		ike_act_send(e, path, w.b.data, w.b.len);
	ike_wbuf_free(&w.b);
}
