// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel wants and what it does next. See tunnel.h. One function decides: run().
 * Everything that happens changes a field and kicks it.
 */
#include "tunnel.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "config.h"
#include "phase1.h"
#include "profile.h"
#include "quick_mode.h"
#include "roaming.h"

#define BACKOFF_FIRST (5 * IKE_SECOND)
#define BACKOFF_MAX (60 * IKE_SECOND)
/* After the peer deleted something: it may be about to go away for good. */
#define AFTER_DELETE IKE_SECOND
#define SHORT_LIFE (60 * IKE_SECOND)

void ike_tunnel_log(const struct ike_tunnel *t, enum ike_log_level level, const char *event,
		    const char *fmt, ...)
{
	struct ike_logctx ctx = { .tunnel = t->cfg.name };
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ike_log(t->e, level, event, &ctx, "%s", text);
}

/* ---- finding ----------------------------------------------------------------------------- */

struct ike_tunnel *ike_tunnel_by_name(struct ike_engine *e, const char *name)
{
	struct ike_tunnel *t;

	for (t = e->tunnels; t; t = t->next)
		if (name && !strcmp(t->cfg.name, name))
			return t;
	return NULL;
}

struct ike_tunnel *ike_tunnel_by_path(struct ike_engine *e, const struct ike_path *path, struct ike_tunnel *after)
{
	struct ike_tunnel *t;

	for (t = after ? after->next : e->tunnels; t; t = t->next)
		if ((ike_addr_equal(&t->cfg.remote, &path->remote) || (ike_roaming(t) && ike_profile_signs(&t->cfg))) &&
		    (ike_addr_equal(&t->cfg.local, &path->local) || ike_addr_is_any(&t->cfg.local)))
			return t;
	return NULL;
}

bool ike_tunnel_same_peer(const struct ike_tunnel *a, const struct ike_tunnel *b)
{
	return a == b ||
	       (ike_addr_equal(&a->cfg.local, &b->cfg.local) && ike_addr_equal(&a->cfg.remote, &b->cfg.remote) &&
		ike_profile_same(&a->cfg, &b->cfg));
}

void ike_tunnel_local_id(const struct ike_tunnel *t, const struct ike_path *path, struct ike_id *id)
{
	if (t->cfg.local_id.type)
		*id = t->cfg.local_id;
	else
		ike_id_from_addr(&path->local, id);
}

void ike_tunnel_remote_id(const struct ike_tunnel *t, struct ike_id *id)
{
	if (t->cfg.remote_id.type)
		*id = t->cfg.remote_id;
	else
		ike_id_from_addr(&t->cfg.remote, id);
}

struct ike_ikesa *ike_tunnel_any_sa(const struct ike_tunnel *t)
{
	struct ike_ikesa *sa, *best = NULL;

	for (sa = t->e->ikesas; sa; sa = sa->next) {
		if (!sa->established || !ike_tunnel_same_peer(sa->tunnel, t))
			continue;
		if (!best || best->retiring > sa->retiring ||
		    (best->retiring == sa->retiring && sa->established_at > best->established_at))
			best = sa;
	}
	return best;
}

struct ike_ikesa *ike_tunnel_sa(const struct ike_tunnel *t)
{
	struct ike_ikesa *sa = ike_tunnel_any_sa(t);

	return sa && !sa->retiring ? sa : NULL;
}

struct ike_child *ike_tunnel_current(const struct ike_tunnel *t)
{
	struct ike_child *c, *best = NULL;

	for (c = t->children; c; c = c->next)
		if (c->state == IKE_CHILD_ACTIVE && !c->dead && (!best || c->order > best->order))
			best = c;
	return best;
}

struct ike_ikesa *ike_tunnel_negotiating(const struct ike_tunnel *t)
{
	struct ike_ikesa *sa;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		if (sa->initiator && !sa->established && sa->phase1 && !sa->phase1->lost &&
		    ike_tunnel_same_peer(sa->tunnel, t))
			return sa;
	return NULL;
}

struct ike_exchange *ike_tunnel_quick(const struct ike_tunnel *t, bool own)
{
	struct ike_ikesa *sa;
	struct ike_exchange *x;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		for (x = sa->exchanges; x; x = x->next)
			if (x->quick && x->quick->tunnel == t && x->quick->child && !x->lost &&
			    (x->initiator || !own))
				return x;
	return NULL;
}

/* ---- deciding ---------------------------------------------------------------------------- */

bool ike_tunnel_wants(const struct ike_tunnel *t)
{
	if (t->forced_down || t->dead)
		return false;
	if (t->forced_up || t->cfg.start == IKE_START_AUTO || t->acquired || t->replace_p1 || t->replace_child)
		return true;
	return t->cfg.start == IKE_START_TRAFFIC && ike_tunnel_current(t);
}

enum ike_turn ike_tunnel_turn(const struct ike_tunnel *t, bool initiator)
{
	if (t->cfg.start == IKE_START_RESPOND && !t->forced_up)
		return IKE_TURN_LAST;
	return initiator ? IKE_TURN_INITIATOR : IKE_TURN_RESPONDER;
}

static void begin(struct ike_tunnel *t, int err, const char *what)
{
	if (!err)
		return;
	ike_tunnel_log(t, IKE_LOG_ERROR, IKE_EV_INTERNAL, "could not begin %s: out of memory or the crypto library refused",
		       what);
	ike_tunnel_failed(t, "out of memory or the crypto library refused");
}

/* The one place that begins negotiations. */
static void run(struct ike_engine *e, void *owner)
{
	struct ike_tunnel *t = owner;
	struct ike_ikesa *sa = ike_tunnel_sa(t);
	bool child_wanted;

	if (!ike_tunnel_wants(t))
		return;
	if (t->not_before > e->now) {
		ike_timer_set(&e->timers, &t->kick, t->not_before);
		return;
	}
	child_wanted = t->replace_child || !ike_tunnel_current(t);
	if (!child_wanted && !t->replace_p1)
		return;
	if ((!sa || t->replace_p1) && ike_roaming(t)) {
		t->replace_p1 = t->replace_child = t->acquired = t->doubted = false;
		ike_tunnel_set_error(t, "the peer may be at any address: it has to begin");
		return;
	}
	if ((!sa || t->replace_p1) && !ike_tunnel_negotiating(t)) {
		begin(t, ike_phase1_start(t), "phase 1");
		return;
	}
	if (sa && child_wanted && !ike_tunnel_quick(t, false))
		begin(t, ike_quick_start(t, sa), "quick mode");
}

void ike_tunnel_kick(struct ike_tunnel *t, ike_time delay)
{
	ike_time at = t->e->now + delay;

	if (t->dead)
		return;
	if (at < t->not_before)
		at = t->not_before;
	if (!ike_timer_running(&t->kick) || t->kick.at > at)
		ike_timer_set(&t->e->timers, &t->kick, at);
}

void ike_tunnel_set_error(struct ike_tunnel *t, const char *text)
{
	snprintf(t->last_error, sizeof(t->last_error), "%s", text);
	t->last_error_at = t->e->now;
}

void ike_tunnel_failed(struct ike_tunnel *t, const char *text)
{
	ike_time wait = BACKOFF_FIRST;
	unsigned int i;

	if (t->dead)
		return;
	ike_tunnel_set_error(t, text);
	for (i = 0; i < t->failures && wait < BACKOFF_MAX; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX)
		wait = BACKOFF_MAX;
	t->failures++;
	t->not_before = ike_jitter(t->e, t->e->now, wait, 80, 100);
	t->acquired = false;	/* the next packet or command asks again */
	t->doubted = false;
	ike_tunnel_log(t, IKE_LOG_NOTICE, IKE_EV_RETRY, "negotiation failed: %s; next attempt %s %lld s", text,
		       ike_tunnel_wants(t) ? "in" : "when asked, not before",
		       (long long)((t->not_before - t->e->now) / IKE_SECOND));
	ike_tunnel_kick(t, 0);
}

/* ---- happenings -------------------------------------------------------------------------- */

void ike_tunnel_p1_up(struct ike_tunnel *t, struct ike_ikesa *sa)
{
	struct ike_tunnel *o;

	t->hint[0] = '\0';
	if (!sa->initiator)
		t->forced_down = false;	/* the peer asked */
	for (o = t->e->tunnels; o; o = o->next) {
		if (!ike_tunnel_same_peer(o, t))
			continue;
		o->replace_p1 = false;
		ike_quick_give_up_silent(o, sa);
		ike_tunnel_kick(o, 0);
	}
}

void ike_tunnel_p1_gone(struct ike_tunnel *t)
{
	struct ike_tunnel *o;

	for (o = t->e->tunnels; o; o = o->next) {
		if (!ike_tunnel_same_peer(o, t))
			continue;
		if (!ike_tunnel_sa(o))
			o->replace_p1 = false;	/* nothing left to replace; the next child begins a new one */
		ike_tunnel_kick(o, AFTER_DELETE);
	}
}

void ike_tunnel_child_up(struct ike_tunnel *t, struct ike_child *c)
{
	t->failures = 0;
	t->not_before = 0;
	t->doubted = false;
	t->replace_child = c->outdated && ike_tunnel_turn(t, true) != IKE_TURN_LAST;
	if (t->replace_child)
		ike_tunnel_kick(t, 0);
	t->acquired = false;
	t->forced_down = false;
	t->last_error[0] = '\0';
}

/*
 * A peer that agrees and deletes at once (its kernel refuses, say) must not make us negotiate
 * without pause: each short life doubles the wait.
 */
void ike_tunnel_child_gone(struct ike_tunnel *t, bool was_current, ike_time lived)
{
	ike_time wait = AFTER_DELETE;
	unsigned int i;

	if (!was_current)
		return;
	for (i = 0; i < t->short_lives && wait < BACKOFF_MAX; i++)
		wait *= 2;
	t->short_lives = lived < SHORT_LIFE ? t->short_lives + 1 : 0;
	t->replace_child = false;
	t->not_before = t->e->now + wait;
	ike_tunnel_kick(t, 0);
}

void ike_tunnel_rekey_p1(struct ike_tunnel *t, struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (sa->retiring || sa != ike_tunnel_sa(t) || !ike_tunnel_wants(t))
		return;
	ike_log(t->e, IKE_LOG_INFO, IKE_EV_P1_REKEY, &ctx, "time for a new ISAKMP SA");
	t->replace_p1 = true;
	ike_tunnel_kick(t, 0);
}

void ike_tunnel_doubt(struct ike_tunnel *t, struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "QM1");

	if (t->doubted || sa != ike_tunnel_sa(t) || !ike_tunnel_wants(t))
		return;
	ike_log(t->e, IKE_LOG_NOTICE, IKE_EV_P1_REKEY, &ctx,
		"the peer is silent, it may not know this ISAKMP SA any more: trying a new one");
	t->doubted = true;
	t->replace_p1 = true;
	ike_tunnel_kick(t, 0);
}

void ike_tunnel_rekey_child(struct ike_tunnel *t, struct ike_child *c)
{
	if (c != ike_tunnel_current(t) || t->forced_down || t->dead)
		return;
	ike_tunnel_log(t, IKE_LOG_INFO, IKE_EV_P2_REKEY, "time to replace SA in 0x%08x", c->spi_in);
	t->replace_child = true;
	ike_tunnel_kick(t, 0);
}

void ike_tunnel_acquire(struct ike_tunnel *t)
{
	if (t->forced_down || t->cfg.start == IKE_START_RESPOND || ike_tunnel_current(t))
		return;
	t->acquired = true;
	ike_tunnel_kick(t, 0);
}

/* ---- commands ---------------------------------------------------------------------------- */

static void go_down(struct ike_tunnel *t, const char *why, bool tell)
{
	struct ike_ikesa *sa, *next;

	while (t->children)
		ike_child_kill(t->children, tell, why);
	for (sa = t->e->ikesas; sa; sa = next) {
		next = sa->next;
		if (sa->tunnel == t)
			ike_ikesa_kill(sa, tell, why);
	}
}

int ike_tunnel_command(struct ike_tunnel *t, enum ike_command cmd)
{
	if (t->forced_down && (cmd == IKE_CMD_REKEY_P1 || cmd == IKE_CMD_REKEY_P2))
		return -IKE_E_DOWN;
	switch (cmd) {
	case IKE_CMD_UP:
		t->forced_up = true;
		t->forced_down = false;
		break;
	case IKE_CMD_DOWN:
		t->forced_up = false;
		t->forced_down = true;
		t->acquired = false;
		t->replace_p1 = t->replace_child = t->doubted = false;
		go_down(t, "by command", true);
		t->last_error[0] = '\0';
		return 0;
	case IKE_CMD_REKEY_P1:
		t->replace_p1 = true;
		break;
	case IKE_CMD_REKEY_P2:
		t->replace_child = ike_tunnel_current(t);
		t->acquired |= !t->replace_child;
		break;
	default:
		return -IKE_E_INVALID;
	}
	t->not_before = 0;
	t->failures = 0;
	ike_tunnel_kick(t, 0);
	return 0;
}

const char *ike_tunnel_state(const struct ike_tunnel *t)
{
	if (ike_tunnel_current(t))
		return "up";
	if (t->forced_down)
		return "down";
	if (ike_tunnel_negotiating(t) || ike_tunnel_quick(t, false) || ike_tunnel_sa(t))
		return "connecting";
	if (ike_tunnel_wants(t))
		return t->failures ? "waiting to retry" : "connecting";
	return t->cfg.start == IKE_START_RESPOND ? "respond-only" : "down";
}

/* ---- life -------------------------------------------------------------------------------- */

struct ike_tunnel *ike_tunnel_new(struct ike_engine *e, struct ike_tunnel_cfg *cfg)
{
	struct ike_tunnel *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (ike_timer_init(&e->timers, &t->kick, run, t)) {
		free(t);
		return NULL;
	}
	t->e = e;
	t->cfg = *cfg;
	memset(cfg, 0, sizeof(*cfg));
	return t;
}

void ike_tunnel_kill(struct ike_tunnel *t, bool tell, const char *why)
{
	struct ike_tunnel **p;

	t->dead = true;
	go_down(t, why, tell);
	ike_quick_forget(t);
	ike_timer_fini(&t->e->timers, &t->kick);
	for (p = &t->e->tunnels; *p && *p != t; p = &(*p)->next)
		;
	if (*p)
		*p = t->next;
	t->next = t->e->grave.tunnels;
	t->e->grave.tunnels = t;
}

void ike_tunnel_free(struct ike_tunnel *t)
{
	ike_tunnel_cfg_clear(&t->cfg);
	ike_crypto_wipe(t, sizeof(*t));
	free(t);
}
