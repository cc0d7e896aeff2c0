// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The public calls: who a datagram is for, time, kernel events, commands. Each call notes
 * the time, lets the parts work and buries the dead. See engine.h for who owns what.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "aggressive_mode.h"
#include "cipher.h"
#include "config.h"
#include "dpd.h"
#include "info.h"
#include "lease.h"
#include "phase1.h"
#include "quick_mode.h"
#include "roam.h"
#include "transaction.h"
#include "tunnel.h"

/* Exchanges under one ISAKMP SA, those that are over and only answer repetitions included. */
#define MAX_EXCHANGES 32

void ike_random(struct ike_engine *e, void *buf, size_t len)
{
	e->env.random(e->env.ctx, buf, len);
}

uint64_t ike_random_below(struct ike_engine *e, uint64_t below)
{
	uint64_t v;

	ike_random(e, &v, sizeof(v));
	return below ? v % below : 0;
}

ike_time ike_jitter(struct ike_engine *e, ike_time start, ike_time span, unsigned int from, unsigned int to)
{
	ike_time low = span / 100 * from, high = span / 100 * to;

	return start + low + (ike_time)ike_random_below(e, (uint64_t)(high - low + 1));
}

/*
 * A quick mode may need most of its 57 s of repetitions, and a new ISAKMP SA first: whoever is
 * not the last has 75 s at least where the lifetime allows, and each turn ends before the next.
 */
static const struct turn {
	unsigned int from, to;		/* percent of the lifetime before its end */
	unsigned int least, most;	/* the same in percent of what a negotiation may need */
} turns[] = {
	[IKE_TURN_INITIATOR] = { 7, 15, 150, 200 },
	[IKE_TURN_RESPONDER] = { 3, 6, 100, 120 },
	[IKE_TURN_LAST] = { 1, 2, 60, 80 },
};

#define NEGOTIATION (75 * IKE_SECOND)

static ike_time margin(ike_time life, unsigned int share, unsigned int percent)
{
	ike_time need = life / 8 < NEGOTIATION ? life / 8 : NEGOTIATION;
	ike_time a = life / 100 * share, b = need / 100 * percent;

	return a > b ? a : b;
}

ike_time ike_rekey_margin(ike_time life, enum ike_turn turn)
{
	return margin(life, turns[turn].to, turns[turn].most);
}

ike_time ike_rekey_time(struct ike_engine *e, ike_time start, ike_time life, enum ike_turn turn)
{
	ike_time most = ike_rekey_margin(life, turn), least = margin(life, turns[turn].from, turns[turn].least);

	return start + life - least - (ike_time)ike_random_below(e, (uint64_t)(most - least + 1));
}

/* ---- one call ---------------------------------------------------------------------------- */

void ike_engine_enter(struct ike_engine *e, ike_time now)
{
	ike_actions_release(&e->actions);
	if (now > e->now)
		e->now = now;
}

void ike_engine_leave(struct ike_engine *e)
{
	while (e->grave.exchanges) {
		struct ike_exchange *x = e->grave.exchanges;

		e->grave.exchanges = x->next;
		ike_exchange_free(x);
	}
	while (e->grave.children) {
		struct ike_child *c = e->grave.children;

		e->grave.children = c->next;
		ike_child_free(c);
	}
	while (e->grave.ikesas) {
		struct ike_ikesa *sa = e->grave.ikesas;

		e->grave.ikesas = sa->next;
		ike_ikesa_free(sa);
	}
	while (e->grave.tunnels) {
		struct ike_tunnel *t = e->grave.tunnels;

		e->grave.tunnels = t->next;
		ike_tunnel_free(t);
	}
}

struct ike_engine *ike_engine_new(const struct ike_env *env)
{
	struct ike_engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->env = *env;
	ike_random(e, &e->bucket_key, sizeof(e->bucket_key));
	return e;
}

void ike_engine_free(struct ike_engine *e)
{
	if (!e)
		return;
	while (e->ikesas)
		ike_ikesa_kill(e->ikesas, false, "engine ends");
	while (e->tunnels)
		ike_tunnel_kill(e->tunnels, false, "engine ends");
	ike_engine_leave(e);
	ike_trustpoints_clear(e->trustpoint, e->n_trustpoints);
	ike_requests_free(e);
	ike_leases_free(e);
	ike_actions_free(&e->actions);
	ike_timers_free(&e->timers);
	ike_crypto_wipe(e, sizeof(*e));
	free(e);
}

/* ---- datagrams --------------------------------------------------------------------------- */

static void receive_phase1(struct ike_ikesa *sa, const struct ike_hdr *h, const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (h->msgid || !sa->phase1 || sa->phase1->mode->exchange != h->exchange) {
		sa->e->cnt.replayed++;
		ike_log_limited(sa->e, IKE_LOG_DEBUG, IKE_EV_REPLAY, &ctx, "%s mode message out of place: dropped",
				ike_name_exchange(h->exchange));
		return;
	}
	ike_exchange_receive(sa->phase1, h, data, len);
}

/*
 * Room for one more exchange. The oldest quick mode that is over goes first: its message ID
 * stays used, so all that is lost is the answer to a late repetition.
 */
static bool has_room(struct ike_ikesa *sa)
{
	struct ike_exchange *x, *oldest = NULL;

	if (sa->n_exchanges < MAX_EXCHANGES)
		return true;
	for (x = sa->exchanges; x; x = x->next)
		if (x->quick && x->state == IKE_ST_QM_DONE)
			oldest = x;	/* new ones are put in front */
	if (oldest)
		ike_exchange_kill(oldest);
	return oldest;
}

/* Exchanges told apart by message ID that the peer may begin. */
struct numbered {
	const struct ike_mode *mode;
	const char *first;
	enum ike_state start;
};

static void new_numbered(struct ike_ikesa *sa, const struct numbered *k, const struct ike_hdr *h, const uint8_t *data,
			 size_t len)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, k->first);
	struct ike_exchange *x;

	ctx.msgid = h->msgid;
	if (!has_room(sa)) {
		ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_LIMIT, &ctx, "%u exchanges open: %s dropped", sa->n_exchanges,
				k->first);
		return;
	}
	x = ike_exchange_new(sa, k->mode, false, h->msgid, k->start);
	if (!x)
		return;
	if (!ike_cipher_iv(sa, h->msgid, x->iv))
		ike_exchange_receive(x, h, data, len);
	if (!x->dead && x->state == k->start)
		ike_exchange_kill(x);	/* not taken: as if it had never come */
}

/* open: this SA may be used for it by now. */
static void receive_numbered(struct ike_ikesa *sa, const struct numbered *k, bool open, const struct ike_hdr *h,
			     const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_exchange *x;

	ctx.msgid = h->msgid;
	x = ike_ikesa_exchange(sa, h->msgid);
	if (!(open || (sa->closed && x)) || !h->msgid) {
		sa->e->cnt.replayed++;
		ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_UNEXPECTED, &ctx, "%s mode %s: dropped", k->mode->name,
				h->msgid ? "before phase 1 is through" : "with message ID 0");
		return;
	}
	if (x && x->mode == k->mode) {
		ike_exchange_receive(x, h, data, len);
	} else if (ike_msgid_used(sa, h->msgid)) {
		sa->e->cnt.replayed++;
		ike_log_limited(sa->e, IKE_LOG_DEBUG, IKE_EV_REPLAY, &ctx, "message ID used before: dropped");
	} else {
		new_numbered(sa, k, h, data, len);
	}
}

/* Keys exist, and the peer that has them too is the one we talk to. */
static bool can_open_info(const struct ike_ikesa *sa)
{
	return sa->authenticated || sa->closed || (sa->initiator && sa->state == IKE_ST_MM_AUTH_SENT);
}

static void receive(struct ike_ikesa *sa, const struct ike_path *path, const struct ike_hdr *h,
		    const uint8_t *data, size_t len)
{
	static const struct numbered quick = { &ike_quick_mode, "QM1", IKE_ST_QM_START };
	static const struct numbered transaction = { &ike_transaction_mode, "TR1", IKE_ST_TR_START };
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (sa->initiator && ike_addr_is_any(&sa->path.local))
		sa->path.local = path->local;
	switch (h->exchange) {
	case ISAKMP_XCHG_MAIN:
	case ISAKMP_XCHG_AGGRESSIVE:
		receive_phase1(sa, h, data, len);
		break;
	case ISAKMP_XCHG_QUICK:
		receive_numbered(sa, &quick, sa->established, h, data, len);
		break;
	case ISAKMP_XCHG_TRANSACTION:
		receive_numbered(sa, &transaction, sa->authenticated && !sa->closed, h, data, len);
		break;
	case ISAKMP_XCHG_INFO:
		if (h->flags & ISAKMP_FLAG_ENCRYPTION && can_open_info(sa))
			ike_info_receive(sa, h, data, len);
		else
			ike_info_unprotected(sa->e, sa, path, h, data, len);
		break;
	default:
		sa->e->cnt.malformed++;
		ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, &ctx, "exchange type %s (%u) is not spoken here",
				ike_name_exchange(h->exchange), h->exchange);
	}
}

/* What it makes whole is looked at as if it had come so; no fragment is in a fragment. */
static void receive_fragment(struct ike_ikesa *sa, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	uint8_t *message = ike_transport_collect(sa, data, len, &len);
	const char *why = "it is not of this SA";
	struct ike_hdr h;

	if (!message)
		return;
	if (!ike_hdr_parse(message, len, &h, &why) && h.next != IKE_NPTYPE_FRAGMENT &&
	    ike_ikesa_find(sa->e, h.icookie, h.rcookie, &path->remote) == sa) {
		receive(sa, path, &h, message, len);
	} else {
		sa->e->cnt.malformed++;
		ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx,
				"message of %zu octets that came in fragments dropped: %s", len, why);
	}
	ike_crypto_wipe(message, len);
	free(message);
}

static void receive_unknown(struct ike_engine *e, const struct ike_path *path, const struct ike_hdr *h,
			    const uint8_t *data, size_t len)
{
	static const uint8_t zero[IKE_COOKIE_LEN];
	struct ike_logctx ctx = { .path = path, .icookie = h->icookie, .rcookie = h->rcookie, .msgid = h->msgid };

	if (h->exchange == ISAKMP_XCHG_MAIN && !memcmp(h->rcookie, zero, sizeof(zero)) && !h->msgid) {
		ike_phase1_respond(e, path, h, data, len);
		return;
	}
	if (h->exchange == ISAKMP_XCHG_AGGRESSIVE && !memcmp(h->rcookie, zero, sizeof(zero)) && !h->msgid) {
		ike_aggressive_respond(e, path, h, data, len);
		return;
	}
	e->cnt.unknown_cookies++;
	if (h->exchange == ISAKMP_XCHG_INFO) {
		ike_info_unprotected(e, NULL, path, h, data, len);
		return;
	}
	ike_log_limited(e, IKE_LOG_INFO, IKE_EV_UNKNOWN_COOKIES, &ctx, "%s mode message for no SA of ours: dropped",
			ike_name_exchange(h->exchange));
}

static void drop(struct ike_engine *e, uint64_t *counter, const char *event, const struct ike_path *path,
		 size_t len, const char *why)
{
	struct ike_logctx ctx = { .path = path };

	(*counter)++;
	ike_log_limited(e, IKE_LOG_NOTICE, event, &ctx, "datagram of %zu octets dropped: %s", len, why);
}

static void datagram(struct ike_engine *e, const struct ike_path *path, const uint8_t *data, size_t len)
{
	static const uint8_t zero[IKE_COOKIE_LEN];
	struct ike_ikesa *sa;
	const char *why = "";
	struct ike_hdr h;

	e->cnt.datagrams_in++;
	if (len > IKE_DATAGRAM_MAX) {
		drop(e, &e->cnt.oversized, IKE_EV_OVERSIZED, path, len, "larger than any IKE message taken here");
		return;
	}
	if (ike_hdr_parse(data, len, &h, &why)) {
		drop(e, &e->cnt.malformed, IKE_EV_MALFORMED, path, len, why);
		return;
	}
	if (!memcmp(h.icookie, zero, sizeof(zero))) {
		drop(e, &e->cnt.malformed, IKE_EV_MALFORMED, path, len, "initiator cookie is zero");
		return;
	}
	sa = ike_ikesa_find(e, h.icookie, h.rcookie, &path->remote);
	if (sa && h.next == IKE_NPTYPE_FRAGMENT)
		receive_fragment(sa, path, data, len);
	else if (sa)
		receive(sa, path, &h, data, len);
	else
		receive_unknown(e, path, &h, data, len);
}

void ike_datagram(struct ike_engine *e, const struct ike_path *path, const void *data, size_t len, ike_time now)
{
	ike_engine_enter(e, now);
	e->from = path;
	datagram(e, path, data, len);
	e->from = NULL;
	ike_engine_leave(e);
}

/* ---- time, actions, commands ------------------------------------------------------------- */

ike_time ike_deadline(const struct ike_engine *e)
{
	return ike_timers_next(&e->timers);
}

void ike_expire(struct ike_engine *e, ike_time now)
{
	struct ike_timer *t;

	ike_engine_enter(e, now);
	while ((t = ike_timers_pop(&e->timers, e->now)))
		t->fire(e, t->owner);
	ike_engine_leave(e);
}

bool ike_next_action(struct ike_engine *e, struct ike_action *act)
{
	return ike_actions_next(&e->actions, act);
}

int ike_command(struct ike_engine *e, enum ike_command cmd, const char *tunnel, ike_time now)
{
	struct ike_tunnel *t;
	int err;

	ike_engine_enter(e, now);
	t = ike_tunnel_by_name(e, tunnel);
	err = t ? ike_tunnel_command(t, cmd) : -IKE_E_UNKNOWN;
	ike_engine_leave(e);
	return err;
}

/* ---- kernel events ----------------------------------------------------------------------- */

static void confirmed(struct ike_child *c)
{
	c->confirmed = true;
	if (c->state != IKE_CHILD_PENDING) {
		ike_child_confirmed(c);
		return;
	}
	if (c->x)
		ike_quick_confirmed(c->x);
	else
		ike_child_activate(c);	/* adopted before its QM3 came */
}

static void about_child(struct ike_engine *e, const struct ike_kernel_event *ev)
{
	struct ike_tunnel *t = ike_tunnel_by_name(e, ev->tunnel);
	struct ike_child *c = t ? ike_child_by_spi(t, ev->dir, ev->spi) : NULL;

	if (!c)
		return;
	switch (ev->type) {
	case IKE_KEV_CONFIRMED:
		confirmed(c);
		break;
	case IKE_KEV_TRAFFIC:
		ike_dpd_traffic(t, ev->at);
		break;
	case IKE_KEV_SOFT_EXPIRE:
		ike_tunnel_rekey_child(c->tunnel, c);
		break;
	case IKE_KEV_HARD_EXPIRE:
		ike_child_kill(c, true, "hard limit reached");
		break;
	case IKE_KEV_DELETED:
		*(ev->dir == IKE_IN ? &c->spi_in_held : &c->out_held) = false;
		ike_child_kill(c, true, "deleted in the kernel by somebody else");
		break;
	default:
		break;
	}
}

static void kernel_event(struct ike_engine *e, const struct ike_kernel_event *ev)
{
	struct ike_tunnel *t;

	switch (ev->type) {
	case IKE_KEV_DONE:
	case IKE_KEV_FAILED:
		ike_request_answer(e, ev->id, ev->type == IKE_KEV_DONE, ev->spi, ev->text);
		break;
	case IKE_KEV_ACQUIRE:
		t = ike_tunnel_by_name(e, ev->tunnel);
		if (t)
			ike_tunnel_acquire(t);
		break;
	case IKE_KEV_ADOPT:
		ike_adopt(e, ev);
		break;
	case IKE_KEV_PEER_MOVED:
		t = ike_tunnel_by_name(e, ev->tunnel);
		if (t)
			ike_roam_seen(t, &ev->peer);
		break;
	default:
		about_child(e, ev);
	}
}

void ike_kernel_event(struct ike_engine *e, const struct ike_kernel_event *ev, ike_time now)
{
	ike_engine_enter(e, now);
	kernel_event(e, ev);
	ike_engine_leave(e);
}
