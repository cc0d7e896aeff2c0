// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quick mode, RFC 2409 5.5:
 *
 *	initiator                                            responder
 *	     SPI from the kernel
 *	QM1  HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr]  -->
 *	                                                     SPI; inbound, outbound (pending) installed
 *	                       <--  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]  QM2
 *	     inbound, outbound installed
 *	QM3  HDR*, HASH(3)                                -->
 *	     outbound in use                                 outbound in use: QM3 or first packet
 *
 * Both peers may begin at once. Both pairs may come up; the one with the higher 'order' is
 * used (child.h). So that both ends order them alike, a responder does not take QM1 while
 * its own QM1 for the same selector is unanswered and has the lower (initiator cookie, message
 * ID). The peer repeats its QM1, so nothing is lost, and the wait is bounded. Whoever yields
 * stops repeating its own QM1, and forgets it when the other pair is finished or it begins
 * another quick mode: answered later, it would be the newer pair for one end only.
 */
#include "quick_mode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collision.h"
#include "info.h"
#include "life.h"
#include "modecfg.h"
#include "phase1.h"
#include "quick_ids.h"
#include "tunnel.h"

struct ike_chunk ike_quick_ni(const struct ike_exchange *x)
{
	return ike_blob_chunk(&x->quick->ni);
}

struct ike_chunk ike_quick_nr(const struct ike_exchange *x)
{
	return ike_blob_chunk(&x->quick->nr);
}

/* ---- failing ----------------------------------------------------------------------------- */

/* What tells the peer which of its quick modes a notify is about: an SPI it knows. */
static uint32_t known_to_peer(const struct ike_quick *q, bool initiator)
{
	if (!initiator)
		return q->offered_spi;
	return q->child ? q->child->spi_in : 0;
}

/* Ours: its flow waits before it tries again. Somebody's whose selector is gone has nothing to try. */
static void own_failed(struct ike_tunnel *t, const struct ike_selector *want, const char *text)
{
	struct ike_flow *f = ike_flow_find(t, want);

	if (f)
		ike_flow_failed(f, text);
	else
		ike_tunnel_set_error(t, text);
}

/* The peer is authenticated, so it is told, and the exchange ends. */
enum ike_verdict ike_quick_refuse(struct ike_exchange *x, const char *message, const char *event,
				  uint16_t notify, const char *text)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, message);
	struct ike_tunnel *t = x->quick->tunnel ? x->quick->tunnel : x->sa->tunnel;

	ctx.tunnel = t->cfg.name;
	ike_log_limited(x->sa->e, IKE_LOG_WARNING, event, &ctx, "%s: %s", message, text);
	if (notify)
		ike_info_notify(x->sa, notify, IKE_PROTO_ESP, known_to_peer(x->quick, x->initiator));
	if (x->initiator)
		own_failed(t, &x->quick->want, text);
	else
		ike_tunnel_set_error(t, text);
	return IKE_FAIL;
}

static enum ike_verdict no_memory(struct ike_exchange *x, const char *message)
{
	return ike_quick_refuse(x, message, IKE_EV_INTERNAL, 0, "out of memory or the crypto library refused");
}

void ike_quick_child_failed(struct ike_exchange *x, const char *why)
{
	struct ike_tunnel *t = x->quick->tunnel;
	const struct ike_selector want = x->quick->want;
	bool own = x->initiator && x->state != IKE_ST_QM_DONE;

	x->quick->child = NULL;
	if (x->dead)
		return;
	ike_exchange_kill(x);
	if (own)
		own_failed(t, &want, why);
	else
		ike_tunnel_kick(t, IKE_SECOND);	/* ours may have yielded to it */
}

static void release(struct ike_exchange *x)
{
	struct ike_quick *q = x->quick;
	struct ike_child *c = q ? q->child : NULL;

	if (!q)
		return;
	if (c && c->x == x) {
		c->x = NULL;
		ike_child_kill(c, false, "negotiation ended");
	}
	ike_crypto_dh_free(q->dh);
	ike_blob_free(&q->ni);
	ike_blob_free(&q->nr);
	ike_blob_free(&q->gxy);
	ike_blob_free(&q->sa_body);
	free(q);
	x->quick = NULL;
}

static void timeout(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);
	struct ike_tunnel *t = x->quick->tunnel;
	struct ike_ikesa *sa = x->sa;
	enum ike_state state = x->state;
	struct ike_child *c = x->quick->child;
	bool lost = x->lost;
	char text[160];

	if (state == IKE_ST_QM_DONE || lost) {
		ike_exchange_kill(x);
		ike_tunnel_kick(t, 0);
		return;
	}
	if (state == IKE_ST_QM_SENT || state == IKE_ST_QM_ANSWERED)
		snprintf(text, sizeof(text), "no answer to %s after %u transmissions", x->out_name, x->sent);
	else
		snprintf(text, sizeof(text), "the kernel gave no answer in state %s", ike_state_name(state));
	ike_log(sa->e, IKE_LOG_WARNING, IKE_EV_P2_FAILED, &ctx, "%s", text);
	if (c && state == IKE_ST_QM_ANSWERED) {
		ike_child_kill(c, true, "QM3 never came");	/* takes x along */
		return;
	}
	ike_exchange_kill(x);
	if (state != IKE_ST_QM_SENT)
		return;
	/* The peer may not know this ISAKMP SA any more: begin with a new one. */
	ike_ikesa_kill(sa, true, text);
	ike_tunnel_failed(t, text);
}

/* QM1 is out for long, and nothing that the peer proved came since. */
static bool is_unheard(const struct ike_exchange *x)
{
	return x->initiator && x->state == IKE_ST_QM_SENT && !x->lost && x->sent > IKE_RETRANSMITS_SILENT &&
	       x->sa->heard_at < x->started;
}

/* Perhaps the peer has deleted this ISAKMP SA and its delete was lost. */
static void silence(struct ike_exchange *x)
{
	if (is_unheard(x))
		ike_tunnel_doubt(x->quick->tunnel, x->sa);
}

/* ---- what both sides write --------------------------------------------------------------- */

static int make_nonce(struct ike_exchange *x, struct ike_blob *b)
{
	uint8_t nonce[IKE_NONCE_LEN];

	ike_random(x->sa->e, nonce, sizeof(nonce));
	return ike_blob_set(b, nonce, sizeof(nonce)) ? 0 : -IKE_E_NOMEM;
}

static int make_dh(struct ike_exchange *x)
{
	struct ike_quick *q = x->quick;
	uint8_t seed[IKE_DH_MAX];
	size_t len = ike_crypto_dh_seed_len(q->group);

	if (!q->group)
		return 0;
	if (!len || len > sizeof(seed))
		return -IKE_E_CRYPTO;
	ike_random(x->sa->e, seed, len);
	q->dh = ike_crypto_dh_new(q->group, seed, len);
	ike_crypto_wipe(seed, sizeof(seed));
	return q->dh ? 0 : -IKE_E_CRYPTO;
}

static int put_ke(struct ike_exchange *x, struct ike_msgw *w)
{
	uint8_t pub[IKE_DH_MAX];
	int err;

	if (!x->quick->dh)
		return 0;
	err = ike_crypto_dh_public(x->quick->dh, pub);
	if (!err)
		ike_msgw_payload(w, ISAKMP_NPTYPE_KE, pub, ike_crypto_dh_len(x->quick->group));
	return err;
}

/* SA, nonce, KE, IDs: QM1 and QM2 look alike. */
static int put_body(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_blob *nonce = x->initiator ? &x->quick->ni : &x->quick->nr;
	int err;

	ike_msgw_payload(w, ISAKMP_NPTYPE_SA, x->quick->sa_body.data, x->quick->sa_body.len);
	ike_msgw_payload(w, ISAKMP_NPTYPE_NONCE, nonce->data, nonce->len);
	err = put_ke(x, w);
	ike_quick_ids_put(x->quick, w);
	if (!x->initiator)
		ike_life_put(x->quick->child, w);
	return err;
}

static int put_nothing(struct ike_exchange *x, struct ike_msgw *w)
{
	(void)x;
	(void)w;
	return 0;	/* QM3 is HASH(3) alone, which the interpreter writes */
}

static int encode_sa(struct ike_quick *q, const struct ike_sapay *sa)
{
	struct ike_wbuf w;
	bool ok;

	ike_wbuf_init(&w);
	ike_sapay_encode(&w, sa);
	ok = !w.bad && ike_blob_set(&q->sa_body, w.data, w.len);
	ike_wbuf_free(&w);
	return ok ? 0 : -IKE_E_NOMEM;
}

/* ---- what both sides read ---------------------------------------------------------------- */

/* The peer's public value, to the shared secret. */
static enum ike_verdict take_ke(struct ike_exchange *x, const struct ike_msg *m, const char *message)
{
	const struct ike_payload *ke = ike_msg_find(m, ISAKMP_NPTYPE_KE);
	struct ike_quick *q = x->quick;
	uint8_t secret[IKE_DH_MAX];
	char text[100];
	int err;

	if (!q->group && !ke)
		return IKE_OK;
	if (!ke || !q->group)
		return ike_quick_refuse(x, message, IKE_EV_INVALID_KE, IKE_N_INVALID_KEY_INFORMATION,
			      ke ? "a KE payload without a group" : "a group without a KE payload");
	if (ke->len != ike_crypto_dh_len(q->group)) {
		snprintf(text, sizeof(text), "public value of %zu octets, group %u has %zu", ke->len, q->group,
			 ike_crypto_dh_len(q->group));
		return ike_quick_refuse(x, message, IKE_EV_INVALID_KE, IKE_N_INVALID_KEY_INFORMATION, text);
	}
	err = ike_crypto_dh_secret(q->dh, ke->body, ke->len, secret);
	if (!err && !ike_blob_set(&q->gxy, secret, ike_crypto_dh_secret_len(q->group)))
		err = -IKE_E_NOMEM;
	ike_crypto_wipe(secret, sizeof(secret));
	if (err == -IKE_E_INVALID)
		return ike_quick_refuse(x, message, IKE_EV_INVALID_KE, IKE_N_INVALID_KEY_INFORMATION,
			      "public value is not one of the group");
	return err ? no_memory(x, message) : IKE_OK;
}

/* KEYMAT for both SAs. RFC 2409 5.5: the SPI is its receiver's. */
static int make_keys(struct ike_exchange *x)
{
	const struct ike_quick *q = x->quick;
	struct ike_child *c = q->child;
	size_t len = ike_esp_encr_len(&c->p2.alg) + ike_esp_auth_len(&c->p2.alg);
	int err;

	if (len > IKE_KEYMAT_MAX || !ike_esp_known(&c->p2.alg))
		return -IKE_E_CRYPTO;
	err = ike_keymat(&x->sa->k, ike_blob_chunk(&q->gxy), IKE_PROTO_ESP, c->spi_in, ike_blob_chunk(&q->ni),
			 ike_blob_chunk(&q->nr), c->key_in, len);
	if (!err)
		err = ike_keymat(&x->sa->k, ike_blob_chunk(&q->gxy), IKE_PROTO_ESP, c->spi_out, ike_blob_chunk(&q->ni),
				 ike_blob_chunk(&q->nr), c->key_out, len);
	return err;
}

static enum ike_verdict no_proposal(struct ike_exchange *x, const char *message, const struct ike_sapay *sa)
{
	static const char what[] = "no common proposal: ";
	char text[1200];

	x->sa->e->cnt.no_proposal++;
	memcpy(text, what, sizeof(what));
	ike_p2_explain(sa, &x->quick->tunnel->cfg, x->sa->natt.encap, text + sizeof(what) - 1, sizeof(text) - sizeof(what));
	return ike_quick_refuse(x, message, IKE_EV_NO_PROPOSAL, IKE_N_NO_PROPOSAL_CHOSEN, text);
}

/* ---- responder --------------------------------------------------------------------------- */

static enum ike_verdict choose(struct ike_exchange *x, const struct ike_msg *m, struct ike_sapay *sa,
			       struct ike_sapay *answer, struct ike_p2_choice *c)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_SA);
	const char *why;

	if (ike_sapay_decode(p->body, p->len, sa, &why)) {
		x->sa->e->cnt.malformed++;
		return ike_quick_refuse(x, "QM1", IKE_EV_MALFORMED, IKE_N_BAD_PROPOSAL_SYNTAX, why);
	}
	if (!ike_choose_p2(sa, &x->quick->tunnel->cfg,
			   ike_msg_find(m, ISAKMP_NPTYPE_KE) ? IKE_GROUP_ANY : 0, x->sa->natt.encap, answer, c))
		return no_proposal(x, "QM1", sa);
	return encode_sa(x->quick, answer) ? no_memory(x, "QM1") : IKE_OK;
}

/* Decoded SA payloads are large; keep them off the stack. */
static enum ike_verdict take_offer(struct ike_exchange *x, const struct ike_msg *m, struct ike_p2_choice *c)
{
	struct ike_sapay *two = malloc(2 * sizeof(*two));
	enum ike_verdict v;

	v = two ? choose(x, m, &two[0], &two[1], c) : no_memory(x, "QM1");
	free(two);
	return v;
}

static enum ike_verdict respond(struct ike_exchange *x, const struct ike_msg *m, const struct ike_p2_choice *c)
{
	const struct ike_payload *nonce = ike_msg_find(m, ISAKMP_NPTYPE_NONCE);
	struct ike_quick *q = x->quick;
	enum ike_verdict v;

	q->group = c->alg.group;
	if (make_dh(x) || make_nonce(x, &q->nr) || !ike_blob_set(&q->ni, nonce->body, nonce->len))
		return no_memory(x, "QM1");
	v = take_ke(x, m, "QM1");
	if (v != IKE_OK)
		return v;
	q->child = ike_child_new(q->tunnel, x, &q->want, &q->sel, false);
	if (!q->child)
		return no_memory(x, "QM1");
	q->child->p2 = *c;
	q->child->spi_out = c->spi;
	q->child->order = ++x->sa->e->last_order;
	ike_exchange_set_state(x, IKE_ST_QM_INSTALLING);
	ike_child_alloc_spi(q->child);
	return IKE_WAIT;
}

/* DOI, situation; generic header, number, protocol, SPI size, count; SPI. */
#define PROPOSAL_AT (8 + ISAKMP_GENERIC_LEN)
#define SPI_AT (PROPOSAL_AT + 4)

/* Read before anything else is, so that every refusal can name it. 0: not where it should be. */
static uint32_t offered_spi(const struct ike_msg *m)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_SA);

	if (p->len < SPI_AT + 4 || p->body[PROPOSAL_AT + 1] != IKE_PROTO_ESP || p->body[PROPOSAL_AT + 2] != 4)
		return 0;
	return ike_load32(p->body + SPI_AT);
}

static enum ike_verdict take_qm1(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "QM1");
	struct ike_p2_choice c;
	struct ike_quick *q;
	enum ike_verdict v;

	q = x->quick = calloc(1, sizeof(*q));
	if (!q)
		return IKE_DROP;
	q->offered_spi = offered_spi(m);
	v = ike_quick_ids_offered(x, m);
	if (v != IKE_OK)
		return v;
	if (ike_collision_quick_ours_first(x))
		return IKE_DROP;
	ctx.tunnel = q->tunnel->cfg.name;
	ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_P2_START, &ctx, "quick mode begun by the peer");
	v = take_offer(x, m, &c);
	return v == IKE_OK ? respond(x, m, &c) : v;
}

/* Our SPI goes into the proposal we chose. */
static int patch_spi(struct ike_quick *q)
{
	if (q->sa_body.len < SPI_AT + 4)
		return -IKE_E_INVALID;
	ike_store32(q->sa_body.data + SPI_AT, q->child->spi_in);
	return 0;
}

static void spi_ready_responder(struct ike_exchange *x)
{
	if (patch_spi(x->quick) || make_keys(x)) {
		ike_child_kill(x->quick->child, false, "out of memory or the crypto library refused");
		return;
	}
	ike_child_install(x->quick->child);
}

static enum ike_verdict take_qm3(struct ike_exchange *x, const struct ike_msg *m)
{
	(void)x;
	(void)m;
	return IKE_OK;	/* HASH(3) was right: the peer is alive and has our SPI */
}

static void use_child(struct ike_exchange *x)
{
	struct ike_child *c = x->quick->child;

	ike_collision_end_yielded(x->quick->tunnel, &x->quick->want);
	x->quick->child = NULL;
	ike_exchange_linger(x);
	if (c)
		ike_child_activate(c);
}

void ike_quick_confirmed(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "QM2");

	if (x->state != IKE_ST_QM_ANSWERED)
		return;
	ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_CONFIRMED, &ctx, "the peer sends on the new SA: as good as QM3");
	ike_exchange_set_state(x, IKE_ST_QM_DONE);
	ike_exchange_forget(x);
	use_child(x);
}

/* ---- initiator --------------------------------------------------------------------------- */

static uint16_t pick_group(const struct ike_flow *f)
{
	const struct ike_tunnel_cfg *cfg = &f->tunnel->cfg;

	return cfg->p2[f->group_index % cfg->n_p2].group;
}

/* One exchange of t that 'which' picks; NULL. */
static struct ike_exchange *pick_exchange(const struct ike_tunnel *t, bool (*which)(const struct ike_exchange *x))
{
	struct ike_ikesa *sa;
	struct ike_exchange *x;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		for (x = sa->exchanges; x; x = x->next)
			if (x->quick && x->quick->tunnel == t && x->quick->child && which(x))
				return x;
	return NULL;
}

/* Once QM2 is out the peer may send on the new SA. */
static bool can_be_ended(const struct ike_exchange *x)
{
	return x->initiator || x->state != IKE_ST_QM_ANSWERED;
}

void ike_quick_abandon(struct ike_tunnel *t)
{
	struct ike_exchange *x;
	struct ike_child *c;

	while ((x = pick_exchange(t, can_be_ended)))
		ike_exchange_kill(x);
	for (c = t->children; c; c = c->next)
		c->outdated = true;
}

static bool is_unwanted(const struct ike_exchange *x)
{
	return can_be_ended(x) && !ike_flow_find(x->quick->tunnel, &x->quick->want);
}

void ike_quick_unwanted(struct ike_tunnel *t)
{
	struct ike_exchange *x;

	while ((x = pick_exchange(t, is_unwanted)))
		ike_exchange_kill(x);
}

void ike_quick_forget(struct ike_tunnel *t)
{
	struct ike_exchange *x, *next;
	struct ike_ikesa *sa;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		for (x = sa->exchanges; x; x = next) {
			next = x->next;
			if (x->quick && x->quick->tunnel == t)
				ike_exchange_kill(x);
		}
}

void ike_quick_give_up_silent(struct ike_tunnel *t, const struct ike_ikesa *fresh)
{
	struct ike_exchange *x;

	while ((x = pick_exchange(t, is_unheard)) && x->sa != fresh)
		ike_exchange_kill(x);
}

/*
 * A part of the selector that the peer chose for the pair to be replaced is offered again as it
 * was; else all of it, and the peer may narrow it.
 */
static const struct ike_selector *what_to_offer(const struct ike_flow *f)
{
	const struct ike_child *c = ike_flow_current(f);

	return c && !c->initiator && f->tunnel->cfg.narrowing ? &c->sel : ike_flow_selector(f);
}

static struct ike_quick *new_quick(struct ike_flow *f, struct ike_exchange *x)
{
	struct ike_quick *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->tunnel = f->tunnel;
	q->want = *ike_flow_selector(f);
	q->sel = ike_modecfg_selector(f->tunnel, what_to_offer(f));
	q->group = pick_group(f);
	q->child = ike_child_new(f->tunnel, x, &q->want, &q->sel, true);
	return q;
}

int ike_quick_start(struct ike_flow *f, struct ike_ikesa *sa)
{
	struct ike_exchange *x = ike_exchange_new(sa, &ike_quick_mode, true, ike_msgid_new(sa), IKE_ST_QM_START);
	struct ike_tunnel *t = f->tunnel;
	char sel[IKE_SELECTOR_TEXT];
	struct ike_logctx ctx;

	if (!x)
		return -IKE_E_NOMEM;
	ike_collision_end_yielded(t, ike_flow_selector(f));
	x->quick = new_quick(f, x);
	if (!x->quick || !x->quick->child) {
		ike_exchange_kill(x);
		return -IKE_E_NOMEM;
	}
	ctx = ike_exchange_ctx(x, "QM1");
	ctx.tunnel = t->cfg.name;
	ike_log(t->e, IKE_LOG_INFO, IKE_EV_P2_START, &ctx, "quick mode begun as initiator for %s",
		ike_selector_format(&x->quick->sel, sel, sizeof(sel)));
	ike_exchange_quiet(x, IKE_KERNEL_PATIENCE);
	ike_child_alloc_spi(x->quick->child);
	return 0;
}

static int make_offer(struct ike_exchange *x)
{
	struct ike_quick *q = x->quick;
	struct ike_sapay *sa = malloc(sizeof(*sa));
	int err;

	if (!sa)
		return -IKE_E_NOMEM;
	ike_offer_p2(sa, &q->tunnel->cfg, q->child->spi_in, q->group, ike_natt_mode(x->sa));
	err = encode_sa(q, sa);
	free(sa);
	return err;
}

static void spi_ready_initiator(struct ike_exchange *x)
{
	struct ike_quick *q = x->quick;
	int err;

	ike_quick_ids_set(q);
	err = make_offer(x);
	if (!err)
		err = make_nonce(x, &q->ni);
	if (!err)
		err = make_dh(x);
	if (!err)
		err = ike_exchange_open(x, "QM1", true, IKE_HASH_1, put_body, true, IKE_ST_QM_SENT);
	if (err)
		ike_child_kill(q->child, false, "QM1 could not be made");
}

void ike_quick_spi_ready(struct ike_exchange *x)
{
	if (x->initiator)
		spi_ready_initiator(x);
	else
		spi_ready_responder(x);
}

static enum ike_verdict check_choice(struct ike_exchange *x, const struct ike_msg *m, struct ike_p2_choice *c)
{
	const struct ike_payload *p = ike_msg_find(m, ISAKMP_NPTYPE_SA);
	struct ike_sapay *sa = malloc(sizeof(*sa));
	enum ike_verdict v = IKE_OK;
	const char *why;

	if (!sa) {
		v = no_memory(x, "QM2");
	} else if (ike_sapay_decode(p->body, p->len, sa, &why)) {
		x->sa->e->cnt.malformed++;
		v = ike_quick_refuse(x, "QM2", IKE_EV_MALFORMED, IKE_N_BAD_PROPOSAL_SYNTAX, why);
	} else if (sa->n_proposals != 1 || sa->n_transforms != 1 ||
		   !ike_choose_p2(sa, &x->quick->tunnel->cfg, x->quick->group, x->sa->natt.encap, NULL, c)) {
		v = no_proposal(x, "QM2", sa);
	}
	free(sa);
	return v;
}

static enum ike_verdict take_qm2(struct ike_exchange *x, const struct ike_msg *m)
{
	const struct ike_payload *nonce = ike_msg_find(m, ISAKMP_NPTYPE_NONCE);
	struct ike_quick *q = x->quick;
	struct ike_p2_choice c;
	enum ike_verdict v;

	v = check_choice(x, m, &c);
	if (v == IKE_OK)
		v = ike_quick_ids_answered(x, m);
	if (v == IKE_OK)
		v = take_ke(x, m, "QM2");
	if (v != IKE_OK)
		return v;
	ike_life_take(x, m, &c);
	q->child->p2 = c;
	q->child->spi_out = c.spi;
	q->child->order = ++x->sa->e->last_order;
	if (!ike_blob_set(&q->nr, nonce->body, nonce->len) || make_keys(x))
		return no_memory(x, "QM2");
	ike_exchange_set_state(x, IKE_ST_QM_INSTALLING);
	ike_child_install(q->child);
	return IKE_WAIT;
}

void ike_quick_installed(struct ike_exchange *x)
{
	ike_exchange_resume(x);
}

/* ---- steps ------------------------------------------------------------------------------- */

#define QM_BODY (IKE_P(HASH) | IKE_P(SA) | IKE_P(NONCE))
#define QM_MORE (IKE_P(KE) | IKE_P(ID) | IKE_P(N) | IKE_P(VID) | IKE_P(NATOA))

static const struct ike_step steps[] = {
	{ .initiator = false, .state = IKE_ST_QM_START, .name = "QM1", .encrypted = true, .hash = IKE_HASH_1,
	  .required = QM_BODY, .optional = QM_MORE,
	  .take = take_qm1,
	  .answer = put_body, .answer_name = "QM2", .answer_encrypted = true, .answer_hash = IKE_HASH_2,
	  .retransmit = true, .next = IKE_ST_QM_ANSWERED },

	{ .initiator = true, .state = IKE_ST_QM_SENT, .name = "QM2", .encrypted = true, .hash = IKE_HASH_2,
	  .required = QM_BODY, .optional = QM_MORE,
	  .take = take_qm2,
	  .answer = put_nothing, .answer_name = "QM3", .answer_encrypted = true, .answer_hash = IKE_HASH_3,
	  .next = IKE_ST_QM_DONE, .done = use_child },

	{ .initiator = false, .state = IKE_ST_QM_ANSWERED, .name = "QM3", .encrypted = true, .hash = IKE_HASH_3,
	  .required = IKE_P(HASH), .optional = IKE_P(N) | IKE_P(VID),
	  .take = take_qm3,
	  .next = IKE_ST_QM_DONE, .done = use_child },
};

const struct ike_mode ike_quick_mode = {
	.exchange = ISAKMP_XCHG_QUICK,
	.name = "quick",
	.step = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.timeout = timeout,
	.silence = silence,
	.release = release,
};
