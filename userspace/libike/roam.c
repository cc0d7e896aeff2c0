// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers that move. See roam.h.
 */
#include "roam.h"

#include <string.h>

#include "addr.h"
#include "dpd.h"
#include "tunnel.h"

/* Moves of one peer: so many at once, then one in so much time. */
#define MOVES 10
#define MOVE_COST (5 * IKE_SECOND)
/* The kernel follows by itself with the peer's next packet; if none comes, new SAs tell it. */
#define SETTLE (3 * IKE_SECOND)

static bool same_place(const struct ike_addr *a, const struct ike_addr *b)
{
	return ike_addr_equal(a, b) && a->port == b->port;
}

/* Of all tunnels with that peer. */
static void set_way(struct ike_tunnel *t, const struct ike_path *path)
{
	struct ike_tunnel *o;

	for (o = t->e->tunnels; o; o = o->next)
		if (ike_tunnel_same_peer(o, t))
			o->way = *path;
}

void ike_roam_way(const struct ike_tunnel *t, struct ike_path *path)
{
	if (!t->way.remote.family)
		return;
	path->remote = t->way.remote;
	path->local.port = t->way.local.port;
}

void ike_roam_adopted(struct ike_tunnel *t, const struct ike_path *path)
{
	set_way(t, path);
}

void ike_roam_lost(struct ike_tunnel *t)
{
	const struct ike_path nowhere = { .remote = { .family = 0 } };

	set_way(t, &nowhere);
}

/* ---- keepalives (RFC 3948 4) ------------------------------------------------------------- */

/* The kernel's SAs send them themselves. */
static bool kernel_keeps(const struct ike_ikesa *sa)
{
	const struct ike_tunnel *t;
	const struct ike_child *c;

	for (t = sa->e->tunnels; t; t = t->next) {
		c = ike_tunnel_same_peer(t, sa->tunnel) ? ike_tunnel_current(t) : NULL;
		if (c && c->encap && c->nat_here)
			return true;
	}
	return false;
}

static void keepalive_due(struct ike_engine *e, void *owner)
{
	static const uint8_t octet = 0xff;
	struct ike_ikesa *sa = owner;

	if (!kernel_keeps(sa))
		ike_act_send(e, &sa->path, &octet, sizeof(octet));
	if (sa->tunnel->cfg.nat_keepalive)
		ike_timer_set(&e->timers, &sa->roam.keepalive,
			      e->now + (ike_time)sa->tunnel->cfg.nat_keepalive * IKE_SECOND);
}

/* ---- moving ------------------------------------------------------------------------------ */

/* Children that the kernel still sends to where the peer was. */
static void settle_due(struct ike_engine *e, void *owner)
{
	struct ike_ikesa *sa = owner;
	struct ike_tunnel *t;
	struct ike_child *c;

	for (t = e->tunnels; t; t = t->next) {
		c = ike_tunnel_same_peer(t, sa->tunnel) ? ike_tunnel_current(t) : NULL;
		if (c && c->encap && !same_place(&c->path.remote, &sa->path.remote))
			ike_tunnel_rekey_child(t, c);
	}
}

static void move(struct ike_ikesa *sa, const struct ike_path *to)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	char was[IKE_ADDR_TEXT], is[IKE_ADDR_TEXT];
	struct ike_addr from = sa->path.remote;

	if (!ike_limit_take(&sa->roam.moves, sa->e->now, MOVE_COST, MOVES)) {
		ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_LIMIT, &ctx, "the peer moves too often: not followed");
		return;
	}
	sa->path = *to;
	sa->roam.candidate.family = 0;
	if (same_place(&from, &to->remote))
		return;		/* only our own side looks different */
	sa->e->cnt.peers_moved++;
	ike_log(sa->e, IKE_LOG_NOTICE, IKE_EV_PEER_MOVED, &ctx, "the peer's NAT has moved it from %s port %u to %s port %u",
		ike_ip_format(from.family, from.ip, was, sizeof(was)), from.port,
		ike_ip_format(to->remote.family, to->remote.ip, is, sizeof(is)), to->remote.port);
	set_way(sa->tunnel, to);
	ike_timer_set(&sa->e->timers, &sa->roam.settle, sa->e->now + SETTLE);
}

bool ike_roam_allowed(const struct ike_ikesa *sa)
{
	return (sa->established || sa->closed) && sa->natt.encap && sa->natt.peer;
}

void ike_roam_follow(struct ike_ikesa *sa)
{
	const struct ike_path *from = sa->e->from;

	if (!from || ike_path_equal(&sa->path, from))
		return;
	if (ike_roam_allowed(sa))
		move(sa, from);
	else if (!sa->initiator && !sa->established && !sa->closed)
		sa->path = *from;	/* its first mapping, or the port it floats to (RFC 3947 4) */
}

void ike_roam_seen(struct ike_tunnel *t, const struct ike_addr *peer)
{
	struct ike_ikesa *sa = ike_tunnel_sa(t);
	struct ike_child *c;
	struct ike_path to;

	for (c = t->children; c; c = c->next)
		if (c->encap)
			c->path.remote = *peer;
	if (!sa) {
		if (t->way.remote.family) {
			to = t->way;
			to.remote = *peer;
			set_way(t, &to);
		}
		return;
	}
	if (!ike_roam_allowed(sa) || same_place(&sa->path.remote, peer))
		return;
	to = sa->path;
	to.remote = *peer;
	sa->roam.candidate = *peer;
	/* Somebody may have been faster with the peer's own packet: only an answer from there proves it. */
	if (sa->dpd.peer)
		ike_dpd_probe(sa);
	else
		move(sa, &to);
}

/* ---- life -------------------------------------------------------------------------------- */

int ike_roam_init(struct ike_ikesa *sa)
{
	struct ike_timers *timers = &sa->e->timers;

	if (ike_timer_init(timers, &sa->roam.keepalive, keepalive_due, sa))
		return -IKE_E_NOMEM;
	if (!ike_timer_init(timers, &sa->roam.settle, settle_due, sa))
		return 0;
	ike_timer_fini(timers, &sa->roam.keepalive);
	return -IKE_E_NOMEM;
}

void ike_roam_fini(struct ike_ikesa *sa)
{
	ike_timer_fini(&sa->e->timers, &sa->roam.keepalive);
	ike_timer_fini(&sa->e->timers, &sa->roam.settle);
}

void ike_roam_start(struct ike_ikesa *sa)
{
	const struct ike_tunnel_cfg *cfg = &sa->tunnel->cfg;

	if (sa->natt.encap && sa->natt.peer)
		set_way(sa->tunnel, &sa->path);
	else
		ike_roam_lost(sa->tunnel);
	if (sa->natt.encap && sa->natt.here && cfg->nat_keepalive)
		ike_timer_set(&sa->e->timers, &sa->roam.keepalive,
			      sa->e->now + (ike_time)cfg->nat_keepalive * IKE_SECOND);
}

void ike_roam_stop(struct ike_ikesa *sa)
{
	ike_timer_stop(&sa->e->timers, &sa->roam.keepalive);
	ike_timer_stop(&sa->e->timers, &sa->roam.settle);
}
