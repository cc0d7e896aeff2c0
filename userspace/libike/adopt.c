// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a new keyer learns about the SAs its predecessor left in the kernel, from the opaque
 * cookie each carries. Both halves of a pair carry both SPIs, so they find each other.
 *
 *	 0  version (1)   1  flags   2  group (2)   4  transform   5  key bits / 8   6  hash (2)
 *	 8  check: hash of the tunnel's name and of these octets (8)
 *	16  SPI in (4)   20  SPI out (4)
 *	24  created, 32 rekey at, 40 expires at: nanoseconds of the boot clock (8 each)
 *
 * Rekey and expiry are what they would be if the pair came into use when it was created.
 */
#include <string.h>

#include "child.h"
#include "contact.h"
#include "tunnel.h"

#define VERSION 1
#define FLAG_ESN 1
#define FLAG_INITIATOR 2
#define FLAG_ENCAP 4
#define FLAG_NAT_HERE 8
#define FLAG_NAT_PEER 16

/* Not for secrecy: it tells a cookie of ours from other octets, and a renamed tunnel's from its own. */
static uint64_t check_value(const char *tunnel, const uint8_t cookie[IKE_SA_COOKIE_LEN])
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (; *tunnel; tunnel++)
		h = (h ^ (uint8_t)*tunnel) * 0x100000001b3u;
	for (i = 0; i < IKE_SA_COOKIE_LEN; i++)
		if (i < 8 || i >= 16)
			h = (h ^ cookie[i]) * 0x100000001b3u;
	return h;
}

void ike_cookie_pack(const struct ike_child *c, uint8_t cookie[IKE_SA_COOKIE_LEN])
{
	const struct ike_p2_proposal *alg = &c->p2.alg;
	ike_time life = (ike_time)c->p2.life * IKE_SECOND;

	memset(cookie, 0, IKE_SA_COOKIE_LEN);
	cookie[0] = VERSION;
	cookie[1] = (uint8_t)((alg->esn ? FLAG_ESN : 0) | (c->initiator ? FLAG_INITIATOR : 0) |
			      (c->encap ? FLAG_ENCAP : 0) | (c->nat_here ? FLAG_NAT_HERE : 0) |
			      (c->nat_peer ? FLAG_NAT_PEER : 0));
	cookie[2] = (uint8_t)(alg->group >> 8);
	cookie[3] = (uint8_t)alg->group;
	cookie[4] = alg->transform;
	cookie[5] = (uint8_t)(alg->key_bits / 8);
	cookie[6] = (uint8_t)(alg->auth >> 8);
	cookie[7] = (uint8_t)alg->auth;
	ike_store32(cookie + 16, c->spi_in);
	ike_store32(cookie + 20, c->spi_out);
	ike_store64(cookie + 24, (uint64_t)c->created);
	ike_store64(cookie + 32, (uint64_t)(c->created + life - ike_rekey_margin(life, IKE_TURN_INITIATOR)));
	ike_store64(cookie + 40, (uint64_t)(c->created + life));
	ike_store64(cookie + 8, check_value(c->tunnel->cfg.name, cookie));
}

static void unpack(struct ike_child *c, const uint8_t cookie[IKE_SA_COOKIE_LEN])
{
	struct ike_p2_proposal *alg = &c->p2.alg;

	alg->esn = cookie[1] & FLAG_ESN;
	c->initiator = cookie[1] & FLAG_INITIATOR;
	c->encap = cookie[1] & FLAG_ENCAP;
	c->nat_here = cookie[1] & FLAG_NAT_HERE;
	c->nat_peer = cookie[1] & FLAG_NAT_PEER;
	alg->group = (uint16_t)(cookie[2] << 8 | cookie[3]);
	alg->transform = cookie[4];
	alg->key_bits = (uint16_t)(cookie[5] * 8);
	alg->auth = (uint16_t)(cookie[6] << 8 | cookie[7]);
	c->spi_in = ike_load32(cookie + 16);
	c->spi_out = ike_load32(cookie + 20);
	c->created = (ike_time)ike_load64(cookie + 24);
	c->established = c->created;
	c->rekey_at = (ike_time)ike_load64(cookie + 32);
	c->expires_at = (ike_time)ike_load64(cookie + 40);
	c->p2.life = (uint32_t)((c->expires_at - c->created) / IKE_SECOND);
}

/* An SA nobody can account for must not go on. */
static void orphan(struct ike_engine *e, const struct ike_kernel_event *ev, const char *why)
{
	struct ike_sa sa = { .tunnel = ev->tunnel, .dir = ev->dir, .spi = ev->spi };
	struct ike_logctx ctx = { .tunnel = ev->tunnel };

	ike_log(e, IKE_LOG_WARNING, IKE_EV_ADOPTED, &ctx, "SA 0x%08x (%s) found in the kernel is deleted: %s",
		ev->spi, ev->dir == IKE_IN ? "in" : "out", why);
	ike_act_sa(e, IKE_ACT_SA_DEL, 0, &sa);
}

static struct ike_child *find_pair(struct ike_tunnel *t, const uint8_t *cookie)
{
	struct ike_child *c;

	for (c = t->children; c; c = c->next)
		if (c->adopted && c->spi_in == ike_load32(cookie + 16) && c->spi_out == ike_load32(cookie + 20))
			return c;
	return NULL;
}

/* Of a selector that is not configured any more it goes on until those that are have theirs. */
static struct ike_child *new_pair(struct ike_tunnel *t, const struct ike_selector *sel, const uint8_t *cookie)
{
	const struct ike_flow *f = ike_flow_around(t, sel);
	struct ike_child *c = ike_child_new(t, NULL, f ? ike_flow_selector(f) : sel, sel, false);

	if (!c)
		return NULL;
	unpack(c, cookie);
	c->adopted = true;
	c->state = IKE_CHILD_OLD;	/* until its outbound half turns up in use */
	c->path.local = t->cfg.local;
	c->path.remote = t->cfg.remote;
	/* Half a pair: its keyer died between two requests. Its other half comes within this call's batch. */
	ike_timer_set(&t->e->timers, &c->expire, t->e->now + (ike_time)t->cfg.grace * IKE_SECOND);
	return c;
}

/* Both halves are there. Replaced at once, or late if that is the peer's task. */
static void complete(struct ike_child *c)
{
	ike_time life = c->expires_at - c->created;
	struct ike_engine *e = c->tunnel->e;

	c->state = c->adopted_pending ? IKE_CHILD_PENDING : IKE_CHILD_ACTIVE;
	ike_timer_set(&e->timers, &c->expire, c->expires_at);
	if (ike_tunnel_turn(c->tunnel, c->initiator) != IKE_TURN_LAST)
		return;
	c->rekey_at = ike_rekey_time(e, c->created, life, IKE_TURN_LAST);
	ike_timer_set(&e->timers, &c->rekey, c->rekey_at);
}

/* What is encapsulated goes to where the kernel says the peer is. */
static void set_path(struct ike_child *c, const struct ike_addr *peer)
{
	if (!c->encap)
		return;
	c->path.local.port = IKE_NATT_PORT;
	if (peer->family)
		c->path.remote = *peer;
	if (c->nat_peer && peer->family)
		ike_roam_adopted(c->tunnel, &c->path);
}

/* Order by age among the adopted, and before everything negotiated from now on. */
static void set_order(struct ike_tunnel *t)
{
	struct ike_child *c, *o;

	for (c = t->children; c; c = c->next) {
		if (!c->adopted)
			continue;
		c->order = ++t->e->last_order;
		for (o = t->children; o; o = o->next)
			if (o->adopted && o != c && o->created > c->created && o->order < c->order) {
				uint64_t order = o->order;

				o->order = c->order;
				c->order = order;
			}
	}
}

static bool is_outdone(const struct ike_child *c)
{
	const struct ike_child *o;

	for (o = c->tunnel->children; o; o = o->next)
		if (o->state == IKE_CHILD_ACTIVE && o->order > c->order && ike_child_same_packets(o, c))
			return true;
	return false;
}

/* The newest pair that sends is the one in use; all others only receive until their grace is over. */
static void settle(struct ike_tunnel *t)
{
	struct ike_child *c;

	set_order(t);
	for (c = t->children; c; c = c->next)
		if (c->adopted && c->state == IKE_CHILD_ACTIVE && is_outdone(c))
			ike_child_retire(c, true, NULL);
}

void ike_adopt(struct ike_engine *e, const struct ike_kernel_event *ev)
{
	struct ike_tunnel *t = ike_tunnel_by_name(e, ev->tunnel);
	struct ike_child *c;
	struct ike_flow *f;

	if (!t || !ev->cookie || ev->cookie[0] != VERSION ||
	    ike_load64(ev->cookie + 8) != check_value(t->cfg.name, ev->cookie)) {
		orphan(e, ev, t ? "its cookie is not ours" : "its tunnel is not configured");
		return;
	}
	if ((ike_time)ike_load64(ev->cookie + 40) <= e->now ||
	    ev->spi != ike_load32(ev->cookie + (ev->dir == IKE_IN ? 16 : 20))) {
		orphan(e, ev, "its lifetime is over or its cookie names another SPI");
		return;
	}
	c = ike_child_by_spi(t, ev->dir, ev->spi);
	if (c && !c->adopted)
		return;		/* we made it ourselves */
	c = find_pair(t, ev->cookie);
	if (!c)
		c = new_pair(t, &ev->sel, ev->cookie);
	if (!c) {
		orphan(e, ev, "out of memory");
		return;
	}
	if (ev->dir == IKE_IN)
		c->spi_in_held = true;
	else
		c->out_held = true;
	c->adopted_pending |= ev->pending;
	set_path(c, &ev->peer);
	if (c->spi_in_held && c->out_held)
		complete(c);
	settle(t);
	ike_tunnel_log(t, IKE_LOG_NOTICE, IKE_EV_ADOPTED, "SA 0x%08x (%s) found in the kernel goes on; it will be replaced",
		       ev->spi, ev->dir == IKE_IN ? "in" : "out");
	ike_contact_made(t);
	f = ike_flow_of(c);
	if (f)
		f->replace = ike_tunnel_turn(t, true) != IKE_TURN_LAST;
	ike_tunnel_kick(t, 0);
}
