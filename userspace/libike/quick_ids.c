// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities of quick mode. See quick_ids.h.
 */
#include "quick_ids.h"

#include <stdio.h>
#include <string.h>

#include "modecfg.h"
#include "quick_mode.h"
#include "tunnel.h"

#define IDS_TEXT 900

void ike_quick_ids_set(struct ike_quick *q)
{
	ike_ts_from_net(&q->sel.local, &q->idci);
	ike_ts_from_net(&q->sel.remote, &q->idcr);
	q->has_ids = true;
}

void ike_quick_ids_put(const struct ike_quick *q, struct ike_msgw *w)
{
	const struct ike_ts *ts[2] = { &q->idci, &q->idcr };
	unsigned int i;

	for (i = 0; i < 2 && q->has_ids; i++) {
		ike_msgw_open(w, ISAKMP_NPTYPE_ID);
		ike_ts_encode(&w->b, ts[i]);
		ike_msgw_close(w);
	}
}

/* None or two ID payloads; two are decoded into a and b. */
static enum ike_verdict take_ids(struct ike_exchange *x, const struct ike_msg *m, const char *message,
				 struct ike_ts *a, struct ike_ts *b, bool *present)
{
	struct ike_ts *ts[2] = { a, b };
	const char *why = "one ID payload instead of two";
	unsigned int i, n = 0;

	*present = ike_msg_count(m, ISAKMP_NPTYPE_ID) != 0;
	if (!*present)
		return IKE_OK;
	for (i = 0; i < m->n && n < 2; i++) {
		if (m->p[i].type != ISAKMP_NPTYPE_ID)
			continue;
		if (ike_ts_decode(m->p[i].body, m->p[i].len, ts[n++], &why))
			return ike_quick_refuse(x, message, IKE_EV_INVALID_ID, IKE_N_INVALID_ID_INFORMATION, why);
	}
	if (n != 2 || ike_msg_count(m, ISAKMP_NPTYPE_ID) != 2)
		return ike_quick_refuse(x, message, IKE_EV_INVALID_ID, IKE_N_INVALID_ID_INFORMATION, why);
	return IKE_OK;
}

/* Two identities as a selector, seen from this end. False: a protocol or port, or no network. */
static bool as_selector(const struct ike_ts *ours, const struct ike_ts *theirs, struct ike_selector *sel)
{
	*sel = (struct ike_selector){ ours->net, theirs->net };
	return ours->net.family && theirs->net.family && !ours->proto && !ours->port && !theirs->proto && !theirs->port;
}

static void list_selectors(const struct ike_tunnel_cfg *cfg, char *text, size_t size)
{
	char sel[IKE_SELECTOR_TEXT];
	unsigned int i;
	size_t n = 0;

	text[0] = '\0';
	for (i = 0; i < cfg->n_sel && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%s", i ? ", " : "",
				      ike_selector_format(&cfg->sel[i], sel, sizeof(sel)));
}

/* ---- responder --------------------------------------------------------------------------- */

static enum ike_verdict wrong_ids(struct ike_exchange *x, const char *what)
{
	const struct ike_tunnel_cfg *cfg = &x->sa->tunnel->cfg;
	char a[80], b[80], expected[600], text[IDS_TEXT];

	list_selectors(cfg, expected, sizeof(expected));
	if (x->quick->has_ids)
		snprintf(text, sizeof(text), "networks offered: ours %s, theirs %s; expected: %s (line %u)%s",
			 ike_ts_format(&x->quick->idcr, b, sizeof(b)), ike_ts_format(&x->quick->idci, a, sizeof(a)),
			 expected, cfg->line, what);
	else
		snprintf(text, sizeof(text), "no networks offered; expected: one of %s (line %u)", expected, cfg->line);
	return ike_quick_refuse(x, "QM1", IKE_EV_INVALID_ID, IKE_N_INVALID_ID_INFORMATION, text);
}

/* Pairs in use for other parts of f's selector than sel. */
static unsigned int count_other_parts(const struct ike_flow *f, const struct ike_selector *sel)
{
	const struct ike_child *c;
	unsigned int n = 0;

	for (c = f->tunnel->children; c; c = c->next)
		n += ike_flow_of(c) == f && c->state != IKE_CHILD_OLD && !ike_selector_equal(&c->sel, sel);
	return n;
}

/* The next tunnel with the peer of x, its ISAKMP SA's own first. */
static struct ike_tunnel *next_tunnel(const struct ike_exchange *x, struct ike_tunnel *after)
{
	struct ike_tunnel *own = x->sa->tunnel, *t;

	if (!after)
		return own;
	for (t = after == own ? x->sa->e->tunnels : after->next; t; t = t->next)
		if (t != own && ike_tunnel_same_peer(t, own))
			return t;
	return NULL;
}

/* Exactly sel of any tunnel before a part of another; part: only one has been found. */
static struct ike_flow *flow_for(const struct ike_exchange *x, const struct ike_selector *sel, bool *part)
{
	struct ike_tunnel *t = NULL;
	struct ike_flow *f;

	*part = false;
	while ((t = next_tunnel(x, t))) {
		f = ike_flow_find(t, sel);
		if (f)
			return f;
	}
	*part = true;
	while ((t = next_tunnel(x, t))) {
		f = ike_flow_around(t, sel);
		if (f)
			return f;
	}
	return NULL;
}

static void log_narrowed(struct ike_exchange *x, const char *message)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, message);
	char a[IKE_SELECTOR_TEXT], b[IKE_SELECTOR_TEXT];
	const struct ike_quick *q = x->quick;

	ctx.tunnel = q->tunnel->cfg.name;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_NARROWED, &ctx, "networks narrowed by the peer: %s, expected %s (line %u)",
			ike_selector_format(&q->sel, a, sizeof(a)), ike_selector_format(&q->want, b, sizeof(b)),
			q->tunnel->cfg.line);
}

/* The address that mode config gave, in the place of any. */
static bool is_given(const struct ike_flow *f, const struct ike_selector *sel)
{
	struct ike_selector given = ike_modecfg_selector(f->tunnel, ike_flow_selector(f));

	return ike_selector_equal(&given, sel);
}

static enum ike_verdict take_part(struct ike_exchange *x, const struct ike_flow *f)
{
	if (!f->tunnel->cfg.narrowing)
		return wrong_ids(x, ": less than a selector, which narrowing = true would take");
	if (count_other_parts(f, &x->quick->sel) >= IKE_MAX_NARROWED)
		return wrong_ids(x, ": there are SAs for too many parts of it already");
	return IKE_OK;
}

enum ike_verdict ike_quick_ids_offered(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_quick *q = x->quick;
	enum ike_verdict v = take_ids(x, m, "QM1", &q->idci, &q->idcr, &q->has_ids);
	struct ike_flow *f = NULL;
	bool part = false;

	if (v != IKE_OK)
		return v;
	/* Without any the peer means what the tunnel is for, if that is one thing. */
	if (!q->has_ids && x->sa->tunnel->cfg.n_sel == 1) {
		f = &x->sa->tunnel->flow[0];
		q->sel = *ike_flow_selector(f);
	} else if (q->has_ids && as_selector(&q->idcr, &q->idci, &q->sel)) {
		f = flow_for(x, &q->sel, &part);
	}
	if (!f)
		return wrong_ids(x, "");
	q->want = *ike_flow_selector(f);
	if (!q->has_ids || is_given(f, &q->sel)) {
		q->sel = ike_modecfg_selector(f->tunnel, &q->want);
		part = false;
	}
	v = part ? take_part(x, f) : IKE_OK;
	if (v != IKE_OK)
		return v;
	q->tunnel = f->tunnel;
	if (part)
		log_narrowed(x, "QM1");
	return IKE_OK;
}

/* ---- initiator --------------------------------------------------------------------------- */

enum ike_verdict ike_quick_ids_answered(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_quick *q = x->quick;
	const struct ike_tunnel_cfg *cfg = &q->tunnel->cfg;
	char a[80], b[80], offered[IKE_SELECTOR_TEXT], text[IDS_TEXT];
	struct ike_selector sel;
	struct ike_ts ci, cr;
	enum ike_verdict v;
	bool present, part;

	v = take_ids(x, m, "QM2", &ci, &cr, &present);
	if (v != IKE_OK || !present)
		return v;
	part = as_selector(&ci, &cr, &sel) && ike_selector_within(&sel, &q->sel);
	if (part && ike_selector_equal(&sel, &q->sel))
		return IKE_OK;
	if (part && cfg->narrowing) {
		q->sel = sel;
		q->child->sel = sel;
		log_narrowed(x, "QM2");
		return IKE_OK;
	}
	snprintf(text, sizeof(text), "networks answered: ours %s, theirs %s; offered: %s (line %u)%s",
		 ike_ts_format(&ci, a, sizeof(a)), ike_ts_format(&cr, b, sizeof(b)),
		 ike_selector_format(&q->sel, offered, sizeof(offered)), cfg->line,
		 part ? ": less than that, which narrowing = true would take" : "");
	return ike_quick_refuse(x, "QM2", IKE_EV_INVALID_ID, IKE_N_INVALID_ID_INFORMATION, text);
}
