// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ISAKMP SAs: list, lookup by cookies, message IDs, lifetimes, end. See ikesa.h.
 */
#include "ikesa.h"

#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "admission.h"
#include "contact.h"
#include "dpd.h"
#include "info.h"
#include "life.h"
#include "proof.h"
#include "quick_mode.h"
#include "anypeer.h"
#include "tunnel.h"

/* How long a replaced SA stays: whoever began the new one deletes first. */
#define RETIRE_FIRST (5 * IKE_SECOND)
#define RETIRE_SECOND (15 * IKE_SECOND)
/* How long what the network reordered may come after the delete. */
#define CLOSED_LINGER (5 * IKE_SECOND)

static const uint8_t zero_cookie[IKE_COOKIE_LEN];

struct ike_logctx ike_ikesa_ctx(const struct ike_ikesa *sa, const char *message)
{
	struct ike_logctx ctx = {
		.tunnel = sa->tunnel ? sa->tunnel->cfg.name : NULL,
		.icookie = sa->icookie,
		.rcookie = sa->rcookie,
		.message = message,
		.path = &sa->path,
	};

	return ctx;
}

/* ---- lookup ---------------------------------------------------------------------------- */

static size_t bucket(const struct ike_engine *e, const uint8_t *icookie)
{
	uint64_t h = (ike_load64(icookie) ^ e->bucket_key) * 0x9e3779b97f4a7c15u;

	return (h ^ h >> 32) % IKE_COOKIE_BUCKETS;
}

static bool cookie_equal(const uint8_t *a, const uint8_t *b)
{
	return !memcmp(a, b, IKE_COOKIE_LEN);
}

struct ike_ikesa *ike_ikesa_find(struct ike_engine *e, const uint8_t *icookie, const uint8_t *rcookie,
				 const struct ike_addr *remote)
{
	bool none = cookie_equal(rcookie, zero_cookie);
	struct ike_ikesa *sa;

	for (sa = e->bucket[bucket(e, icookie)]; sa; sa = sa->bucket_next) {
		bool there = ike_addr_equal(&sa->path.remote, remote);

		if (!cookie_equal(sa->icookie, icookie) || !(there || ike_roam_allowed(sa)))
			continue;
		if (cookie_equal(sa->rcookie, rcookie))
			return sa;
		if (there && (sa->initiator ? cookie_equal(sa->rcookie, zero_cookie) : none))
			return sa;
	}
	return NULL;
}

void ike_cookie_new(struct ike_engine *e, uint8_t cookie[IKE_COOKIE_LEN])
{
	struct ike_ikesa *sa;
	bool used;

	do {
		ike_random(e, cookie, IKE_COOKIE_LEN);
		used = cookie_equal(cookie, zero_cookie);
		for (sa = e->ikesas; sa && !used; sa = sa->next)
			used = cookie_equal(cookie, sa->icookie) || cookie_equal(cookie, sa->rcookie);
	} while (used);
}

/* ---- life ------------------------------------------------------------------------------ */

static void rekey_due(struct ike_engine *e, void *owner)
{
	struct ike_ikesa *sa = owner;

	(void)e;
	ike_tunnel_rekey_p1(sa->tunnel, sa);
}

static void expired(struct ike_engine *e, void *owner)
{
	struct ike_ikesa *sa = owner;
	struct ike_exchange *x;

	if (sa->authenticated && !sa->established && !sa->closed) {
		ike_admission_timeout(sa);
		return;
	}
	/* A quick mode under way may finish under the old SA. */
	for (x = sa->exchanges; x && sa->retiring; x = x->next) {
		if (!x->quick || !x->quick->child)
			continue;
		ike_timer_set(&e->timers, &sa->expire, e->now + RETIRE_FIRST);
		return;
	}
	ike_ikesa_kill(sa, true, sa->retiring ? "replaced" : "lifetime over");
	ike_tunnel_children_follow(sa->tunnel);
}

struct ike_ikesa *ike_ikesa_new(struct ike_engine *e, struct ike_tunnel *t, bool initiator,
				const uint8_t *icookie, const uint8_t *rcookie,
				const struct ike_path *path)
{
	struct ike_ikesa *sa = calloc(1, sizeof(*sa));
	struct ike_ikesa **head = &e->bucket[bucket(e, icookie)];

	if (!sa)
		return NULL;
	if (ike_timer_init(&e->timers, &sa->rekey, rekey_due, sa))
		goto no_rekey;
	if (ike_timer_init(&e->timers, &sa->expire, expired, sa))
		goto no_expire;
	if (ike_timer_init(&e->timers, &sa->dpd.timer, ike_dpd_due, sa))
		goto no_dpd;
	sa->e = e;
	if (ike_roam_init(sa))
		goto no_roam;
	sa->tunnel = t;
	sa->initiator = initiator;
	sa->path = *path;
	sa->natt.began = path->local.port;
	sa->created = e->now;
	sa->state = IKE_ST_MM_START;
	memcpy(sa->icookie, icookie, IKE_COOKIE_LEN);
	if (rcookie)
		memcpy(sa->rcookie, rcookie, IKE_COOKIE_LEN);
	sa->bucket_next = *head;
	*head = sa;
	sa->next = e->ikesas;
	if (sa->next)
		sa->next->prev = sa;
	e->ikesas = sa;
	e->cnt.p1_now++;
	if (!initiator) {
		sa->counted_half_open = true;
		e->half_open++;
	}
	return sa;

no_roam:
	ike_timer_fini(&e->timers, &sa->dpd.timer);
no_dpd:
	ike_timer_fini(&e->timers, &sa->expire);
no_expire:
	ike_timer_fini(&e->timers, &sa->rekey);
no_rekey:
	free(sa);
	return NULL;
}

void ike_ikesa_set_rcookie(struct ike_ikesa *sa, const uint8_t *rcookie)
{
	memcpy(sa->rcookie, rcookie, IKE_COOKIE_LEN);
}

static void leave_half_open(struct ike_ikesa *sa)
{
	if (!sa->counted_half_open)
		return;
	sa->counted_half_open = false;
	sa->e->half_open--;
}

static void retire_others(struct ike_ikesa *sa)
{
	struct ike_ikesa *o;

	for (o = sa->e->ikesas; o; o = o->next) {
		if (o == sa || !o->established || o->retiring ||
		    !ike_tunnel_same_peer(o->tunnel, sa->tunnel))
			continue;
		sa->e->cnt.p1_rekeyed++;
		ike_ikesa_retire(o, sa->initiator ? RETIRE_FIRST : RETIRE_SECOND);
	}
}

bool ike_ikesa_authenticated(struct ike_ikesa *sa, struct ike_proof *proof)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (!ike_proof_holds(proof, sa)) {
		ike_log(sa->e, IKE_LOG_ERROR, IKE_EV_INTERNAL, &ctx, "no complete proof of the peer's identity");
		return false;
	}
	ike_proof_free(sa->proof);
	sa->proof = proof;
	sa->peer_id = *ike_proof_id(proof);
	return true;
}

void ike_ikesa_set_life(struct ike_ikesa *sa)
{
	ike_time life = (ike_time)sa->p1.life * IKE_SECOND;
	struct ike_engine *e = sa->e;

	sa->expires_at = sa->established_at + life;
	sa->rekey_at = ike_rekey_time(e, sa->established_at, life, sa->initiator ? IKE_TURN_INITIATOR : IKE_TURN_RESPONDER);
	ike_timer_set(&e->timers, &sa->rekey, sa->rekey_at);
	ike_timer_set(&e->timers, &sa->expire, sa->expires_at);
}

static void establish(struct ike_ikesa *sa);

void ike_ikesa_establish(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (!ike_proof_holds(sa->proof, sa)) {
		ike_log(sa->e, IKE_LOG_ERROR, IKE_EV_INTERNAL, &ctx, "not established: the peer has proven nothing");
		ike_ikesa_kill(sa, false, "not authenticated");
		return;
	}
	ike_proof_free(sa->proof);
	sa->proof = NULL;
	establish(sa);
}

static void establish(struct ike_ikesa *sa)
{
	struct ike_engine *e = sa->e;
	struct ike_logctx ctx = ike_ikesa_ctx(sa, sa->aggressive ? (sa->initiator ? "AM2" : "AM3") : sa->initiator ? "MM6" : "MM5");
	char alg[80], id[300];
	const char *weak = ike_p1_weakness(&sa->p1.alg);

	leave_half_open(sa);
	sa->established = true;
	sa->established_at = e->now;
	ike_ikesa_set_life(sa);
	ike_dpd_start(sa);
	ike_natt_established(sa);
	ike_roam_start(sa);
	e->cnt.p1_established++;
	ike_log(e, IKE_LOG_NOTICE, IKE_EV_P1_ESTABLISHED, &ctx,
		"ISAKMP SA established as %s with %s, %s, %s, lifetime %u s",
		sa->initiator ? "initiator" : "responder", ike_id_format(&sa->peer_id, id, sizeof(id)),
		ike_auth_name(sa->p1.auth), ike_p1_format(&sa->p1.alg, alg, sizeof(alg)), sa->p1.life);
	if (weak)
		ike_log(e, IKE_LOG_WARNING, IKE_EV_WEAK, &ctx, "%s protects this ISAKMP SA: it is weak", weak);
	retire_others(sa);
	ike_anypeer_settle(sa);
	ike_contact_made(sa->tunnel);
	ike_life_tell(sa);
	ike_tunnel_p1_up(sa->tunnel, sa);
}

void ike_ikesa_retire(struct ike_ikesa *sa, ike_time after)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_engine *e = sa->e;

	sa->retiring = true;
	if (sa->phase1 && sa->phase1->mode->heard)
		sa->phase1->mode->heard(sa->phase1);	/* nobody waits for our last message any more */
	ike_roam_stop(sa);
	ike_timer_stop(&e->timers, &sa->rekey);
	ike_timer_stop(&e->timers, &sa->dpd.timer);
	if (sa->expires_at > e->now + after)
		sa->expires_at = e->now + after;
	ike_timer_set(&e->timers, &sa->expire, sa->expires_at);
	ike_log(e, IKE_LOG_INFO, IKE_EV_P1_REKEY, &ctx, "replaced by a newer ISAKMP SA, deleted in %lld s",
		(long long)(after / IKE_SECOND));
}

static void unlink_bucket(struct ike_ikesa *sa)
{
	struct ike_ikesa **p = &sa->e->bucket[bucket(sa->e, sa->icookie)];

	while (*p != sa)
		p = &(*p)->bucket_next;
	*p = sa->bucket_next;
}

void ike_ikesa_close(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_exchange *x, *next;
	struct ike_engine *e = sa->e;

	ike_log(e, IKE_LOG_NOTICE, IKE_EV_P1_DELETED, &ctx, "ISAKMP SA deleted: deleted by the peer");
	sa->closed = true;
	sa->established = false;
	ike_roam_stop(sa);
	/* What we answered the peer may be using; its QM3 or its first packet is on the way. */
	for (x = sa->exchanges; x; x = next) {
		next = x->next;
		if (x->state != IKE_ST_QM_ANSWERED)
			ike_exchange_kill(x);
	}
	ike_timer_stop(&e->timers, &sa->rekey);
	ike_timer_stop(&e->timers, &sa->dpd.timer);
	ike_timer_set(&e->timers, &sa->expire, e->now + CLOSED_LINGER);
	e->cnt.p1_now--;
	ike_tunnel_p1_gone(sa->tunnel);
}

void ike_ikesa_kill(struct ike_ikesa *sa, bool tell, const char *why)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_engine *e = sa->e;

	if (sa->dead)
		return;
	if (sa->established || (sa->authenticated && !sa->closed)) {
		if (tell)
			ike_info_delete_ikesa(sa);
		ike_log(e, IKE_LOG_NOTICE, IKE_EV_P1_DELETED, &ctx, "ISAKMP SA deleted: %s", why);
	}
	sa->dead = true;
	while (sa->exchanges)
		ike_exchange_kill(sa->exchanges);
	leave_half_open(sa);
	ike_timer_fini(&e->timers, &sa->rekey);
	ike_timer_fini(&e->timers, &sa->expire);
	ike_timer_fini(&e->timers, &sa->dpd.timer);
	ike_roam_fini(sa);
	ike_transport_clear(sa);
	unlink_bucket(sa);
	if (sa->prev)
		sa->prev->next = sa->next;
	else
		e->ikesas = sa->next;
	if (sa->next)
		sa->next->prev = sa->prev;
	sa->next = e->grave.ikesas;
	e->grave.ikesas = sa;
	if (!sa->closed)
		e->cnt.p1_now--;
	ike_tunnel_p1_gone(sa->tunnel);
}

void ike_ikesa_free(struct ike_ikesa *sa)
{
	free(sa->msgid);
	free(sa->cert);
	ike_proof_free(sa->proof);
	ike_crypto_wipe(sa, sizeof(*sa));
	free(sa);
}

/* ---- message IDs ----------------------------------------------------------------------- */

struct ike_exchange *ike_ikesa_exchange(const struct ike_ikesa *sa, uint32_t msgid)
{
	struct ike_exchange *x;

	for (x = sa->exchanges; x; x = x->next)
		if (x->msgid == msgid)
			return x;
	return NULL;
}

bool ike_msgid_used(const struct ike_ikesa *sa, uint32_t msgid)
{
	size_t i;

	for (i = 0; i < sa->n_msgids; i++)
		if (sa->msgid[i] == msgid)
			return true;
	return false;
}

/*
 * Grow to the limit. A rekey is asked for long before; who does not begin one (it only answers)
 * ends the SA then, for what is forgotten could be replayed.
 */
void ike_msgid_remember(struct ike_ikesa *sa, uint32_t msgid)
{
	uint32_t *p;
	size_t cap;

	if (sa->n_msgids == sa->cap_msgids && sa->cap_msgids < IKE_MSGIDS_MAX) {
		cap = sa->cap_msgids ? 2 * sa->cap_msgids : 16;
		p = realloc(sa->msgid, cap * sizeof(*p));
		if (p) {
			sa->msgid = p;
			sa->cap_msgids = cap;
			sa->next_msgid = sa->n_msgids;
		}
	}
	if (!sa->cap_msgids)
		return;
	if (sa->next_msgid == sa->cap_msgids)
		sa->next_msgid = 0;
	sa->msgid[sa->next_msgid++] = msgid;
	if (sa->n_msgids < sa->cap_msgids)
		sa->n_msgids++;
	if (sa->n_msgids == IKE_MSGIDS_MAX / 4 * 3)
		ike_tunnel_rekey_p1(sa->tunnel, sa);
	else if (sa->n_msgids == IKE_MSGIDS_MAX)
		ike_timer_set(&sa->e->timers, &sa->expire, sa->e->now);
}

uint32_t ike_msgid_new(struct ike_ikesa *sa)
{
	uint32_t msgid;

	do {
		ike_random(sa->e, &msgid, sizeof(msgid));
	} while (!msgid || ike_msgid_used(sa, msgid));
	ike_msgid_remember(sa, msgid);
	return msgid;
}
