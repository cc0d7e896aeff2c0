// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both peers begin phase 1 at once. See collision.h.
 */
#include "collision.h"

#include <string.h>

#include "tunnel.h"

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

	if (!own || own == sa)
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
