// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * This host's own addresses come and go. The caller says that something changed and answers which
 * addresses are here; nothing is remembered but what that means for a tunnel. A tunnel that names
 * its local address waits for it; one that lets the routing decide begins again from another.
 */
#include <stdio.h>

#include "addr.h"
#include "tunnel.h"

struct presence {
	bool (*is_here)(void *ctx, const struct ike_addr *addr);
	void *ctx;
};

static bool is_here(const struct presence *p, const struct ike_addr *addr)
{
	return ike_addr_is_any(addr) || p->is_here(p->ctx, addr);
}

static void begin_anew(struct ike_tunnel *t)
{
	t->failures = 0;
	t->not_before = 0;
	ike_flows_hurry(t);
	ike_tunnel_kick(t, 0);
}

static void check_tunnel(struct ike_tunnel *t, const struct presence *p)
{
	bool homeless = !is_here(p, &t->cfg.local);
	char ip[IKE_ADDR_TEXT], text[120];

	ike_ip_format(t->cfg.local.family, t->cfg.local.ip, ip, sizeof(ip));
	if (homeless && !t->homeless) {
		snprintf(text, sizeof(text), "the local address %s is not on this host: waiting for it (line %u)", ip, t->cfg.line);
		ike_tunnel_log(t, IKE_LOG_WARNING, IKE_EV_ADDRESS, "%s", text);
		ike_tunnel_set_error(t, text);
	} else if (!homeless && t->homeless) {
		ike_tunnel_log(t, IKE_LOG_NOTICE, IKE_EV_ADDRESS, "the local address %s is there", ip);
	}
	if (!homeless && (t->homeless || !ike_flows_up(t)))
		begin_anew(t);
	t->homeless = homeless;
}

/* What is negotiated from nowhere; and what was, if the next one can be from elsewhere. */
static bool is_lost(const struct ike_ikesa *sa, const struct presence *p)
{
	if (sa->closed || is_here(p, &sa->path.local))
		return false;
	return !sa->established || ike_addr_is_any(&sa->tunnel->cfg.local);
}

static void move(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_tunnel *t, *of = sa->tunnel;

	ike_log(sa->e, IKE_LOG_NOTICE, IKE_EV_ADDRESS, &ctx, "this end's address is gone: negotiating anew from another");
	ike_ikesa_kill(sa, false, "this end's address is gone");
	for (t = of->e->tunnels; t; t = t->next) {
		if (!ike_tunnel_same_peer(t, of))
			continue;
		/* Their packets would still go to the old address. */
		if (ike_tunnel_turn(t, true) != IKE_TURN_LAST)
			ike_flows_replace(t);
		begin_anew(t);
	}
}

void ike_local_addresses(struct ike_engine *e, bool (*here)(void *ctx, const struct ike_addr *addr), void *ctx, ike_time now)
{
	const struct presence p = { here, ctx };
	struct ike_ikesa *sa, *next;
	struct ike_tunnel *t;

	ike_engine_enter(e, now);
	for (sa = e->ikesas; sa; sa = next) {
		next = sa->next;
		if (!is_lost(sa, &p))
			continue;
		if (ike_addr_is_any(&sa->tunnel->cfg.local))
			move(sa);
		else
			ike_ikesa_kill(sa, false, "this end's address is gone");
	}
	for (t = e->tunnels; t; t = t->next)
		check_tunnel(t, &p);
	ike_engine_leave(e);
}
