// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The flows of a tunnel. See flow.h. Decides nothing: tunnel.c's run() does.
 */
#include "flow.h"

#include <stdio.h>
#include <string.h>

#include "quick_mode.h"
#include "tunnel.h"

#define SHORT_LIFE (60 * IKE_SECOND)

const struct ike_selector *ike_flow_selector(const struct ike_flow *f)
{
	return &f->tunnel->cfg.sel[f - f->tunnel->flow];
}

/* ---- finding ----------------------------------------------------------------------------- */

struct ike_flow *ike_flow_find(struct ike_tunnel *t, const struct ike_selector *sel)
{
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel; i++)
		if (ike_selector_equal(&t->cfg.sel[i], sel))
			return &t->flow[i];
	return NULL;
}

struct ike_flow *ike_flow_around(struct ike_tunnel *t, const struct ike_selector *sel)
{
	struct ike_flow *f = ike_flow_find(t, sel);
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel && !f; i++)
		if (ike_selector_within(sel, &t->cfg.sel[i]))
			f = &t->flow[i];
	return f;
}

struct ike_flow *ike_flow_of(const struct ike_child *c)
{
	return ike_flow_find(c->tunnel, &c->want);
}

struct ike_child *ike_flow_current(const struct ike_flow *f)
{
	const struct ike_selector *sel = ike_flow_selector(f);
	struct ike_child *c, *best = NULL;

	for (c = f->tunnel->children; c; c = c->next)
		if (c->state == IKE_CHILD_ACTIVE && !c->dead && ike_selector_equal(&c->want, sel) &&
		    (!best || c->order > best->order))
			best = c;
	return best;
}

struct ike_exchange *ike_flow_quick(const struct ike_flow *f, bool own)
{
	const struct ike_selector *sel = ike_flow_selector(f);
	struct ike_ikesa *sa;
	struct ike_exchange *x;

	for (sa = f->tunnel->e->ikesas; sa; sa = sa->next)
		for (x = sa->exchanges; x; x = x->next)
			if (x->quick && x->quick->tunnel == f->tunnel && x->quick->child && !x->lost &&
			    (x->initiator || !own) && ike_selector_equal(&x->quick->want, sel))
				return x;
	return NULL;
}

bool ike_flow_is_due(const struct ike_flow *f)
{
	return f->replace || !ike_flow_current(f);
}

/* ---- happenings -------------------------------------------------------------------------- */

void ike_flow_failed(struct ike_flow *f, const char *text)
{
	struct ike_tunnel *t = f->tunnel;
	char sel[IKE_SELECTOR_TEXT];

	ike_tunnel_set_error(t, text);
	f->not_before = ike_tunnel_back_off(t, f->failures++);
	t->acquired = false;	/* the next packet or command asks again */
	ike_tunnel_log(t, IKE_LOG_NOTICE, IKE_EV_RETRY, "%s: negotiation failed: %s; next attempt %s %lld s",
		       ike_selector_format(ike_flow_selector(f), sel, sizeof(sel)), text,
		       ike_tunnel_wants(t) ? "in" : "when asked, not before",
		       (long long)((f->not_before - t->e->now) / IKE_SECOND));
	ike_tunnel_kick_peers(t);
}

void ike_flow_child_up(struct ike_flow *f, const struct ike_child *c)
{
	f->failures = 0;
	f->not_before = 0;
	f->replace = c->outdated && ike_tunnel_turn(f->tunnel, true) != IKE_TURN_LAST;
}

/*
 * A peer that agrees and deletes at once (its kernel refuses, say) must not make us negotiate
 * without pause: each short life doubles the wait.
 */
void ike_flow_child_gone(struct ike_flow *f, ike_time lived)
{
	ike_time wait = IKE_AFTER_DELETE;
	unsigned int i;

	for (i = 0; i < f->short_lives && wait < IKE_BACK_OFF_MAX; i++)
		wait *= 2;
	f->short_lives = lived < SHORT_LIFE ? f->short_lives + 1 : 0;
	f->replace = false;
	f->not_before = f->tunnel->e->now + wait;
	ike_tunnel_kick(f->tunnel, 0);
}

/* ---- all of a tunnel --------------------------------------------------------------------- */

void ike_flows_init(struct ike_tunnel *t)
{
	unsigned int i;

	memset(t->flow, 0, sizeof(t->flow));
	for (i = 0; i < IKE_MAX_SELECTORS; i++)
		t->flow[i].tunnel = t;
}

void ike_flows_change(struct ike_tunnel *t, const struct ike_tunnel_cfg *old)
{
	struct ike_flow was[IKE_MAX_SELECTORS], *f;
	unsigned int i;

	memcpy(was, t->flow, sizeof(was));
	ike_flows_init(t);
	for (i = 0; i < old->n_sel; i++) {
		f = ike_flow_find(t, &old->sel[i]);
		if (f)
			*f = was[i];
	}
}

unsigned int ike_flows_count_up(const struct ike_tunnel *t)
{
	unsigned int i, n = 0;

	for (i = 0; i < t->cfg.n_sel; i++)
		n += ike_flow_current(&t->flow[i]) != NULL;
	return n;
}

bool ike_flows_up(const struct ike_tunnel *t)
{
	return ike_flows_count_up(t) == t->cfg.n_sel;
}

void ike_flows_replace(struct ike_tunnel *t)
{
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel; i++)
		t->flow[i].replace = ike_flow_current(&t->flow[i]);
}

void ike_flows_hurry(struct ike_tunnel *t)
{
	unsigned int i;

	for (i = 0; i < t->cfg.n_sel; i++) {
		t->flow[i].not_before = 0;
		t->flow[i].failures = 0;
	}
}
