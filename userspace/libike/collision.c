// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both peers begin at once, phase 1 or a quick mode. See collision.h.
 */
#include "collision.h"

#include <string.h>

#include "quick_mode.h"
#include "tunnel.h"

/* ---- phase 1 ----------------------------------------------------------------------------- */

bool ike_collision_ours_first(struct ike_ikesa *sa)
{
	struct ike_ikesa *own = ike_tunnel_negotiating(sa->tunnel);
	struct ike_logctx ctx = ike_ikesa_ctx(sa, sa->aggressive ? "AM3" : "MM5");

	if (!own || own->state != IKE_ST_MM_AUTH_SENT || own->phase1->lost ||
	    memcmp(own->icookie, sa->icookie, IKE_COOKIE_LEN) > 0 ||
	    sa->e->now - own->created > IKE_COLLISION_PATIENCE)
		return false;
	ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx,
			"both sides began: our negotiation has the lower cookie and goes first");
	return true;
}

bool ike_collision_theirs_first(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "AM2");
	const struct ike_ikesa *o;

	for (o = sa->e->ikesas; o; o = o->next)
		if (o->state == IKE_ST_AM_ANSWERED && ike_tunnel_same_peer(o->tunnel, sa->tunnel) &&
		    memcmp(o->icookie, sa->icookie, IKE_COOKIE_LEN) < 0 &&
		    sa->e->now - o->created <= IKE_COLLISION_PATIENCE)
			break;
	if (!o)
		return false;
	ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx,
			"both sides began: the peer's negotiation has the lower cookie and goes first");
	return true;
}

bool ike_collision_ours_through(const struct ike_tunnel *t)
{
	const struct ike_ikesa *sa;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		if (sa->state == IKE_ST_AM_AUTH_SENT && !sa->retiring && !sa->closed &&
		    ike_tunnel_same_peer(sa->tunnel, t) && t->e->now - sa->created <= IKE_COLLISION_PATIENCE)
			return true;
	return false;
}

void ike_collision_give_way(struct ike_ikesa *sa)
{
	struct ike_ikesa *own = ike_tunnel_negotiating(sa->tunnel);
	struct ike_logctx ctx;

	if (!own || own == sa || own->authenticated)
		return;
	ctx = ike_ikesa_ctx(own, NULL);
	ike_log(sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx, "both sides began: the peer's negotiation is through first");
	if (own->state == IKE_ST_MM_AUTH_SENT) {
		own->phase1->lost = true;	/* the peer may already have taken MM5 */
		ike_exchange_quiet(own->phase1, 30 * IKE_SECOND);
	} else {
		ike_ikesa_kill(own, false, "not needed any more");
	}
}

/* ---- quick mode -------------------------------------------------------------------------- */

bool ike_collision_quick_ours_first(struct ike_exchange *x)
{
	struct ike_flow *f = ike_flow_find(x->quick->tunnel, &x->quick->want);
	struct ike_exchange *own = f ? ike_flow_quick(f, true) : NULL;
	struct ike_logctx ctx = ike_exchange_ctx(x, "QM1");
	int order;

	if (own && own->state == IKE_ST_QM_START) {
		/* Sent after the peer's was answered, it would make a second pair in another order there. */
		ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx,
				"the peer's quick mode came before ours was sent: ours is dropped");
		ike_exchange_kill(own);
		return false;
	}
	if (!own || own->state != IKE_ST_QM_SENT || own->lost)
		return false;
	order = memcmp(own->sa->icookie, x->sa->icookie, IKE_COOKIE_LEN);
	if (!order)
		order = own->msgid < x->msgid ? -1 : 1;
	if (order < 0 && x->sa->e->now - own->started <= IKE_COLLISION_PATIENCE) {
		ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx,
				"both sides began a quick mode: ours goes first");
		return true;
	}
	ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_COLLISION, &ctx,
			"both sides began a quick mode: the peer's goes first");
	own->lost = true;
	ike_exchange_quiet(own, IKE_EXCHANGE_LINGER);
	return false;
}

static struct ike_exchange *find_yielded(const struct ike_tunnel *t, const struct ike_selector *want)
{
	struct ike_ikesa *sa;
	struct ike_exchange *x;

	for (sa = t->e->ikesas; sa; sa = sa->next)
		for (x = sa->exchanges; x; x = x->next)
			if (x->quick && x->quick->tunnel == t && x->quick->child && x->initiator && x->lost &&
			    x->state == IKE_ST_QM_SENT && ike_selector_equal(&x->quick->want, want))
				return x;
	return NULL;
}

void ike_collision_end_yielded(struct ike_tunnel *t, const struct ike_selector *want)
{
	struct ike_exchange *x;

	while ((x = find_yielded(t, want)))
		ike_exchange_kill(x);
}
