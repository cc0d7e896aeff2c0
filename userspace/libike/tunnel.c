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
#include "modecfg.h"
#include "phase1.h"
#include "profile.h"
#include "quick_mode.h"
#include "anypeer.h"

#define BACK_OFF_FIRST (5 * IKE_SECOND)

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
		if ((ike_addr_equal(&t->cfg.remote, &path->remote) || ike_addr_equal(&t->way.remote, &path->remote) ||
		     (ike_anypeer(t) && ike_profile_signs(&t->cfg))) &&
		    (ike_addr_equal(&t->cfg.local, &path->local) || ike_addr_is_any(&t->cfg.local)))
			return t;
	return NULL;
}

bool ike_tunnel_same_ends(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return ike_addr_equal(&a->local, &b->local) && ike_addr_equal(&a->remote, &b->remote) &&
	       ike_profile_same(a, b);
}

bool ike_tunnel_same_peer(const struct ike_tunnel *a, const struct ike_tunnel *b)
{
	return a == b || (ike_tunnel_same_ends(&a->cfg, &b->cfg) && !strcmp(a->cfg.xauth_user, b->cfg.xauth_user));
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

bool ike_tunnel_has_quick(const struct ike_tunnel *t)
{
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel; i++)
		if (ike_flow_quick(&t->flow[i], false))
			return true;
	return false;
}

/* ---- deciding ---------------------------------------------------------------------------- */

bool ike_tunnel_wants(const struct ike_tunnel *t)
{
	unsigned int i;

	if (t->forced_down || t->dead)
		return false;
	if (t->forced_up || t->cfg.start == IKE_START_AUTO || t->acquired || t->replace_p1)
		return true;
	if (t->cfg.start == IKE_START_TRAFFIC && ike_tunnel_current(t))
		return true;
	for (i = 0; i < t->cfg.n_sel; i++)
		if (t->flow[i].replace)
			return true;
	return false;
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

/* When the first flow with something to negotiate may; IKE_NEVER: there is none. */
static ike_time flows_due(const struct ike_tunnel *t)
{
	ike_time at = IKE_NEVER;
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel; i++)
		if (ike_flow_is_due(&t->flow[i]) && t->flow[i].not_before < at)
			at = t->flow[i].not_before;
	return at;
}

/*
 * One quick mode of ours after the other: a responder may take the QM1 of a second one for the QM3
 * of the first (strongSwan does). Who does not answer does not hold up the others for long.
 */
#define QUICK_APART (3 * IKE_SECOND)

/* When the next one may begin under sa. */
static ike_time next_quick(const struct ike_ikesa *sa)
{
	const struct ike_exchange *x;
	ike_time at = 0;

	for (x = sa->exchanges; x; x = x->next)
		if (x->quick && x->initiator && x->quick->child && !x->lost && x->started + QUICK_APART > at)
			at = x->started + QUICK_APART;
	return at;
}

/* For each flow that is due. One that is not yet makes us think again when it is. */
static void run_flows(struct ike_tunnel *t, struct ike_ikesa *sa)
{
	struct ike_engine *e = t->e;
	unsigned int i;
	ike_time at;

	for (i = 0; i < t->cfg.n_sel; i++) {
		struct ike_flow *f = &t->flow[i];

		if (!ike_flow_is_due(f) || ike_flow_quick(f, false))
			continue;
		at = f->not_before > next_quick(sa) ? f->not_before : next_quick(sa);
		if (at > e->now)
			ike_tunnel_kick(t, at - e->now);
		else
			begin(t, ike_quick_start(f, sa), "quick mode");
	}
}

/* The one place that begins negotiations. */
static void run(struct ike_engine *e, void *owner)
{
	struct ike_tunnel *t = owner;
	struct ike_ikesa *sa = ike_tunnel_sa(t);
	ike_time due = flows_due(t);

	if (!ike_tunnel_wants(t) || t->homeless || (due == IKE_NEVER && !t->replace_p1))
		return;
	if (t->not_before > e->now) {
		ike_timer_set(&e->timers, &t->kick, t->not_before);
		return;
	}
	if ((!sa || t->replace_p1) && ike_anypeer(t)) {
		t->replace_p1 = t->acquired = t->doubted = false;
		ike_flows_init(t);
		ike_tunnel_set_error(t, "the peer may be at any address: it has to begin");
		return;
	}
	if ((!sa || t->replace_p1) && !ike_tunnel_negotiating(t)) {
		if (t->replace_p1 || due <= e->now)
			begin(t, ike_phase1_start(t), "phase 1");
		else
			ike_timer_set(&e->timers, &t->kick, due);
		return;
	}
	if (sa)
		run_flows(t, sa);
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

void ike_tunnel_kick_peers(struct ike_tunnel *t)
{
	struct ike_tunnel *o;

	for (o = t->e->tunnels; o; o = o->next)
		if (ike_tunnel_same_peer(o, t))
			ike_tunnel_kick(o, 0);
}

void ike_tunnel_set_error(struct ike_tunnel *t, const char *text)
{
	snprintf(t->last_error, sizeof(t->last_error), "%s", text);
	t->last_error_at = t->e->now;
}

ike_time ike_tunnel_back_off(struct ike_tunnel *t, unsigned int failures)
{
	ike_time wait = BACK_OFF_FIRST;

	for (; failures && wait < IKE_BACK_OFF_MAX; failures--)
		wait *= 2;
	return ike_jitter(t->e, t->e->now, wait < IKE_BACK_OFF_MAX ? wait : IKE_BACK_OFF_MAX, 80, 100);
}

void ike_tunnel_failed(struct ike_tunnel *t, const char *text)
{
	if (t->dead)
		return;
	ike_tunnel_set_error(t, text);
	t->not_before = ike_tunnel_back_off(t, t->failures++);
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
		ike_tunnel_kick(o, IKE_AFTER_DELETE);
	}
}

void ike_tunnel_retire_outcasts(struct ike_tunnel *t, bool we_delete)
{
	struct ike_child *c;

	if (!ike_flows_up(t))
		return;
	for (c = t->children; c; c = c->next)
		if (c->state == IKE_CHILD_ACTIVE && !c->dead && !ike_flow_of(c))
			ike_child_outcast(c, we_delete);
}

void ike_tunnel_child_up(struct ike_tunnel *t, struct ike_child *c)
{
	struct ike_flow *f = ike_flow_of(c);

	t->failures = 0;
	t->not_before = 0;
	t->doubted = false;
	t->forced_down = false;
	if (f)
		ike_flow_child_up(f, c);
	ike_tunnel_kick_peers(t);	/* the next quick mode */
	if (!ike_flows_up(t))
		return;
	t->acquired = false;
	t->last_error[0] = '\0';
	ike_tunnel_retire_outcasts(t, c->initiator);
}

void ike_tunnel_children_follow(struct ike_tunnel *t)
{
	struct ike_tunnel *o;

	if (ike_tunnel_any_sa(t))
		return;
	for (o = t->e->tunnels; o; o = o->next)
		while (ike_tunnel_same_peer(o, t) && o->cfg.delete_takes_children && o->children)
			ike_child_kill(o->children, false, "its ISAKMP SA is gone (delete-takes-children = true)");
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
	struct ike_flow *f = ike_flow_of(c);

	if (!f || c != ike_flow_current(f) || t->forced_down || t->dead)
		return;
	ike_tunnel_log(t, IKE_LOG_INFO, IKE_EV_P2_REKEY, "time to replace SA in 0x%08x", c->spi_in);
	f->replace = true;
	ike_tunnel_kick(t, 0);
}

void ike_tunnel_acquire(struct ike_tunnel *t)
{
	if (t->forced_down || t->cfg.start == IKE_START_RESPOND || ike_flows_up(t))
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
		t->replace_p1 = t->doubted = false;
		ike_flows_init(t);
		go_down(t, "by command", true);
		ike_modecfg_forget(t);
		t->last_error[0] = '\0';
		return 0;
	case IKE_CMD_REKEY_P1:
		t->replace_p1 = true;
		break;
	case IKE_CMD_REKEY_P2:
		ike_flows_replace(t);
		t->acquired |= !ike_flows_up(t);
		break;
	default:
		return -IKE_E_INVALID;
	}
	t->not_before = 0;
	t->failures = 0;
	ike_flows_hurry(t);
	ike_tunnel_kick(t, 0);
	return 0;
}

const char *ike_tunnel_state(const struct ike_tunnel *t)
{
	if (ike_flows_up(t))
		return "up";
	if (ike_flows_count_up(t))
		return "partly up";
	if (t->forced_down)
		return "down";
	if (t->homeless)
		return "no local address";
	if (ike_tunnel_negotiating(t) || ike_tunnel_has_quick(t) || ike_tunnel_sa(t))
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
	ike_flows_init(t);
	return t;
}

void ike_tunnel_kill(struct ike_tunnel *t, bool tell, const char *why)
{
	struct ike_tunnel **p;

	t->dead = true;
	go_down(t, why, tell);
	if (tell)
		ike_modecfg_forget(t);
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
