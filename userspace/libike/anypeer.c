// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Peers at any address. See anypeer.h. Called for authenticated peers only.
 */
#include "anypeer.h"

#include "addr.h"
#include "tunnel.h"

bool ike_anypeer(const struct ike_tunnel *t)
{
	return ike_addr_is_any(&t->cfg.remote);
}

/* A device sends to one address: pairs made at another one would go there, too. */
static void leave_old_place(struct ike_tunnel *t, const struct ike_path *path)
{
	struct ike_child *c, *next;

	for (c = t->children; c; c = next) {
		next = c->next;
		if (!ike_addr_equal(&c->path.remote, &path->remote))
			ike_child_kill(c, false, "the peer is at another address now");
	}
}

void ike_anypeer_settle(struct ike_ikesa *sa)
{
	struct ike_tunnel *t;

	if (!ike_anypeer(sa->tunnel))
		return;
	for (t = sa->e->tunnels; t; t = t->next) {
		if (!ike_tunnel_same_peer(t, sa->tunnel))
			continue;
		leave_old_place(t, &sa->path);
		ike_act_peer(sa->e, t->cfg.name, &sa->path);
	}
}
