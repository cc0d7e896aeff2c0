// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leases of inner addresses. See lease.h.
 */
#include "lease.h"

#include <stdlib.h>
#include <string.h>

struct ike_lease {
	struct ike_lease *next;		/* given longer ago */
	uint32_t ip;			/* host order */
	struct ike_id owner;
	char tunnel[IKE_NAME_MAX + 1];
};

static bool in_pool(const struct ike_tunnel *t, uint32_t ip)
{
	return ip >= ike_load32(t->cfg.pool_first.ip) && ip <= ike_load32(t->cfg.pool_last.ip);
}

static struct ike_lease *by_address(struct ike_engine *e, uint32_t ip)
{
	struct ike_lease *l;

	for (l = e->leases; l && l->ip != ip; l = l->next)
		;
	return l;
}

static struct ike_lease *by_owner(const struct ike_tunnel *t, const struct ike_id *owner)
{
	struct ike_lease *l;

	for (l = t->e->leases; l && !(in_pool(t, l->ip) && ike_id_equal(&l->owner, owner)); l = l->next)
		;
	return l;
}

/* Its owner is connected. */
static bool is_busy(struct ike_engine *e, const struct ike_lease *l)
{
	const struct ike_tunnel *t = ike_tunnel_by_name(e, l->tunnel);

	return t && (t->children || ike_tunnel_any_sa(t)) && t->given.remote.family &&
	       ike_load32(t->given.remote.ip) == l->ip;
}

static struct ike_lease *longest_gone(const struct ike_tunnel *t)
{
	struct ike_lease *l, *found = NULL;

	for (l = t->e->leases; l; l = l->next)
		if (in_pool(t, l->ip) && !is_busy(t->e, l))
			found = l;
	return found;
}

static bool find_free(const struct ike_tunnel *t, const uint8_t *wanted, uint32_t *ip)
{
	uint32_t last = ike_load32(t->cfg.pool_last.ip);
	unsigned int tries = 0;

	if (wanted && in_pool(t, ike_load32(wanted)) && !by_address(t->e, ike_load32(wanted))) {
		*ip = ike_load32(wanted);
		return true;
	}
	for (*ip = ike_load32(t->cfg.pool_first.ip); tries++ < IKE_LEASES_MAX; ++*ip) {
		if (!by_address(t->e, *ip))
			return true;
		if (*ip == last)
			return false;
	}
	return false;
}

static void move_to_front(struct ike_engine *e, struct ike_lease *l)
{
	struct ike_lease **p;

	for (p = &e->leases; *p && *p != l; p = &(*p)->next)
		;
	if (*p)
		*p = l->next;
	l->next = e->leases;
	e->leases = l;
}

bool ike_lease_get(struct ike_tunnel *t, const struct ike_id *owner, const uint8_t *wanted, struct ike_addr *a)
{
	struct ike_lease *l = by_owner(t, owner);
	uint32_t ip;

	if (!l && find_free(t, wanted, &ip)) {
		l = calloc(1, sizeof(*l));
		if (l)
			l->ip = ip;
	} else if (!l) {
		l = longest_gone(t);
	}
	if (!l)
		return false;
	l->owner = *owner;
	memcpy(l->tunnel, t->cfg.name, sizeof(l->tunnel));
	move_to_front(t->e, l);
	memset(a, 0, sizeof(*a));
	a->family = 4;
	ike_store32(a->ip, l->ip);
	return true;
}

void ike_leases_free(struct ike_engine *e)
{
	while (e->leases) {
		struct ike_lease *l = e->leases;

		e->leases = l->next;
		free(l);
	}
}
