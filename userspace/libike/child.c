// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pairs of IPsec SAs and what is asked of the kernel for them. See child.h. Sends no
 * message itself but the delete when a pair ends.
 */
#include "child.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "quick_mode.h"
#include "tunnel.h"

/* A 64-bit block cipher must not encrypt more than this under one key (RFC 4303 and Sweet32). */
#define MAX_BYTES_64BIT_BLOCK ((uint64_t)2 << 30)

/* Replaced pairs of a selector that wait for the end of their grace; a peer may rekey as often as it likes. */
#define MAX_OLD 16

/* ---- requests to the kernel ---------------------------------------------------------------- */

enum request_kind { REQ_SPI, REQ_ADD_IN, REQ_ADD_OUT, REQ_ACTIVATE };

struct ike_request {
	struct ike_request *next;
	uint64_t id;
	enum request_kind kind;
	struct ike_child *child;	/* NULL: it ended in the meantime */
	char tunnel[IKE_NAME_MAX + 1];
};

static struct ike_request *request(struct ike_child *c, enum request_kind kind)
{
	struct ike_engine *e = c->tunnel->e;
	struct ike_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->id = ++e->last_request;
	r->kind = kind;
	r->child = c;
	snprintf(r->tunnel, sizeof(r->tunnel), "%s", c->tunnel->cfg.name);
	r->next = e->requests;
	e->requests = r;
	return r;
}

/* It could not be asked after all. */
static void take_back(struct ike_engine *e, struct ike_request *r)
{
	struct ike_request **p;

	for (p = &e->requests; *p != r; p = &(*p)->next)
		;
	*p = r->next;
	free(r);
}

static void forget_requests(struct ike_child *c)
{
	struct ike_request *r;

	for (r = c->tunnel->e->requests; r; r = r->next)
		if (r->child == c)
			r->child = NULL;
}

void ike_requests_free(struct ike_engine *e)
{
	while (e->requests) {
		struct ike_request *r = e->requests;

		e->requests = r->next;
		free(r);
	}
}

static struct ike_logctx child_ctx(const struct ike_child *c)
{
	struct ike_logctx ctx = {
		.tunnel = c->tunnel->cfg.name,
		.icookie = c->icookie,
		.rcookie = c->rcookie,
		.msgid = c->x ? c->x->msgid : 0,
		.path = &c->path,
	};

	return ctx;
}

/* The kernel's view of one half of the pair. */
static void describe(const struct ike_child *c, enum ike_dir dir, struct ike_sa *sa)
{
	memset(sa, 0, sizeof(*sa));
	sa->tunnel = c->tunnel->cfg.name;
	sa->dir = dir;
	sa->spi = dir == IKE_IN ? c->spi_in : c->spi_out;
	sa->path = c->path;
	if (!c->encap) {
		sa->path.local.port = 0;
		sa->path.remote.port = 0;
	}
	sa->follow_peer = dir == IKE_IN && c->encap && c->nat_peer;
	sa->keepalive = dir == IKE_OUT && c->encap && c->nat_here ? c->tunnel->cfg.nat_keepalive : 0;
	sa->alg = c->p2.alg;
	sa->replay_window = c->tunnel->cfg.replay_window;
	sa->partner_spi = dir == IKE_OUT ? c->spi_in : 0;
	sa->local_net = c->sel.local;
	sa->remote_net = c->sel.remote;
}

/*
 * Soft limits at 85..95 % so that the rekey is over in time, or just before the end if it is the
 * peer's task. A kilobyte may be 1000 or 1024 octets.
 */
static void set_limits(const struct ike_child *c, struct ike_sa *sa)
{
	bool last = ike_tunnel_turn(c->tunnel, c->initiator) == IKE_TURN_LAST;
	uint64_t share = last ? 960 + ike_random_below(c->tunnel->e, 20) : 850 + ike_random_below(c->tunnel->e, 100);
	uint64_t kb = c->p2.life_kb;

	sa->hard_bytes = kb * 1024;
	sa->soft_bytes = kb * share;
	if (c->p2.alg.transform != IKE_ESP_3DES || (kb && sa->hard_bytes <= MAX_BYTES_64BIT_BLOCK))
		return;
	sa->hard_bytes = MAX_BYTES_64BIT_BLOCK;
	sa->soft_bytes = MAX_BYTES_64BIT_BLOCK / 1000 * share;
}

static bool add(struct ike_child *c, enum ike_dir dir)
{
	const uint8_t *keys = dir == IKE_IN ? c->key_in : c->key_out;
	struct ike_request *r = request(c, dir == IKE_IN ? REQ_ADD_IN : REQ_ADD_OUT);
	struct ike_sa sa;

	if (!r)
		return false;
	describe(c, dir, &sa);
	set_limits(c, &sa);
	sa.encr_key = keys;
	sa.encr_key_len = ike_esp_encr_len(&c->p2.alg);
	sa.auth_key = keys + sa.encr_key_len;
	sa.auth_key_len = ike_esp_auth_len(&c->p2.alg);
	sa.pending = dir == IKE_OUT;
	ike_cookie_pack(c, sa.cookie);
	if (!ike_act_sa(c->tunnel->e, IKE_ACT_SA_ADD, r->id, &sa)) {
		take_back(c->tunnel->e, r);
		return false;
	}
	if (dir == IKE_OUT)
		c->out_held = true;
	return true;
}

static void del(struct ike_child *c, enum ike_dir dir)
{
	bool *held = dir == IKE_IN ? &c->spi_in_held : &c->out_held;
	struct ike_sa sa;

	if (!*held)
		return;
	*held = false;
	describe(c, dir, &sa);
	ike_act_sa_del(c->tunnel->e, c->undo[dir], &sa);
	c->undo[dir] = NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void rekey_due(struct ike_engine *e, void *owner)
{
	struct ike_child *c = owner;

	(void)e;
	ike_tunnel_rekey_child(c->tunnel, c);
}

static void use_due(struct ike_engine *e, void *owner);

static void expired(struct ike_engine *e, void *owner)
{
	struct ike_child *c = owner;

	(void)e;
	ike_child_kill(c, true, c->state == IKE_CHILD_OLD ? "replaced" : "lifetime over");
}

struct ike_child *ike_child_new(struct ike_tunnel *t, struct ike_exchange *x, const struct ike_selector *want,
				const struct ike_selector *sel, bool initiator)
{
	struct ike_child *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	if (ike_timer_init(&t->e->timers, &c->rekey, rekey_due, c))
		goto no_rekey;
	if (ike_timer_init(&t->e->timers, &c->expire, expired, c))
		goto no_expire;
	if (ike_timer_init(&t->e->timers, &c->use, use_due, c))
		goto no_use;
	c->undo[IKE_IN] = ike_act_reserve();
	c->undo[IKE_OUT] = ike_act_reserve();
	if (!c->undo[IKE_IN] || !c->undo[IKE_OUT])
		goto no_undo;
	c->tunnel = t;
	c->x = x;
	c->initiator = initiator;
	c->created = t->e->now;
	c->want = *want;
	c->sel = *sel;
	if (x) {
		c->path = x->sa->path;
		c->encap = x->sa->natt.encap;
		c->nat_here = x->sa->natt.here;
		c->nat_peer = x->sa->natt.peer;
		memcpy(c->icookie, x->sa->icookie, IKE_COOKIE_LEN);
		memcpy(c->rcookie, x->sa->rcookie, IKE_COOKIE_LEN);
	}
	c->next = t->children;
	t->children = c;
	t->e->cnt.children_now++;
	return c;

no_undo:
	ike_act_unreserve(c->undo[IKE_IN]);
	ike_act_unreserve(c->undo[IKE_OUT]);
	ike_timer_fini(&t->e->timers, &c->use);
no_use:
	ike_timer_fini(&t->e->timers, &c->expire);
no_expire:
	ike_timer_fini(&t->e->timers, &c->rekey);
no_rekey:
	free(c);
	return NULL;
}

void ike_child_free(struct ike_child *c)
{
	ike_act_unreserve(c->undo[IKE_IN]);
	ike_act_unreserve(c->undo[IKE_OUT]);
	ike_crypto_wipe(c, sizeof(*c));
	free(c);
}

static void unlink_child(struct ike_child *c)
{
	struct ike_child **p;

	for (p = &c->tunnel->children; *p != c; p = &(*p)->next)
		;
	*p = c->next;
	c->next = c->tunnel->e->grave.children;
	c->tunnel->e->grave.children = c;
	c->tunnel->e->cnt.children_now--;
}

static bool start_using(struct ike_child *c);

/* One that waits to be used has nothing to wait for once no older pair for its packets can send. */
static void hurry(const struct ike_child *gone)
{
	struct ike_child *c, *waiting = NULL;

	for (c = gone->tunnel->children; c; c = c->next) {
		if (!ike_child_same_packets(c, gone))
			continue;
		if (ike_timer_running(&c->use))
			waiting = c;
		else if (c->out_held && c->state == IKE_CHILD_OLD)
			return;
	}
	if (waiting)
		start_using(waiting);
}

void ike_child_kill(struct ike_child *c, bool tell, const char *why)
{
	struct ike_tunnel *t = c->tunnel;
	struct ike_exchange *x = c->x;
	struct ike_logctx ctx = child_ctx(c);
	struct ike_flow *f = ike_flow_of(c);
	bool was_current = f && ike_flow_current(f) == c;
	struct ike_ikesa *sa;

	if (c->dead)
		return;
	c->dead = true;
	sa = tell ? ike_tunnel_any_sa(t) : NULL;
	if (sa && c->spi_in && c->state != IKE_CHILD_NEW)
		ike_info_delete_esp(sa, c->spi_in);
	if (c->state != IKE_CHILD_NEW)
		ike_log(t->e, IKE_LOG_NOTICE, IKE_EV_P2_DELETED, &ctx, "IPsec SAs in 0x%08x out 0x%08x deleted: %s",
			c->spi_in, c->spi_out, why);
	ike_crypto_wipe(c->key_in, sizeof(c->key_in));
	ike_crypto_wipe(c->key_out, sizeof(c->key_out));
	forget_requests(c);
	ike_timer_fini(&t->e->timers, &c->rekey);
	ike_timer_fini(&t->e->timers, &c->expire);
	ike_timer_fini(&t->e->timers, &c->use);
	unlink_child(c);
	/* Before this one's outbound half goes, so that packets find one or the other. */
	hurry(c);
	del(c, IKE_OUT);
	del(c, IKE_IN);
	c->x = NULL;
	if (x && x->quick)
		ike_quick_child_failed(x, why);
	if (was_current)
		ike_flow_child_gone(f, c->established ? t->e->now - c->established : 0);
}

void ike_child_start_life(struct ike_child *c)
{
	c->established = c->tunnel->e->now;
	ike_child_set_life(c);
}

void ike_child_set_life(struct ike_child *c)
{
	struct ike_engine *e = c->tunnel->e;
	ike_time life = (ike_time)c->p2.life * IKE_SECOND;

	if (c->state == IKE_CHILD_OLD)
		return;		/* it ends with its grace */
	c->expires_at = c->established + life;
	c->rekey_at = ike_rekey_time(e, c->established, life, ike_tunnel_turn(c->tunnel, c->initiator));
	ike_timer_set(&e->timers, &c->rekey, c->rekey_at);
	ike_timer_set(&e->timers, &c->expire, c->expires_at);
}

void ike_child_alloc_spi(struct ike_child *c)
{
	struct ike_request *r = request(c, REQ_SPI);

	if (r && ike_act_spi_alloc(c->tunnel->e, r->id, c->tunnel->cfg.name))
		return;
	if (r)
		take_back(c->tunnel->e, r);
	ike_child_kill(c, false, "out of memory");
}

void ike_child_install(struct ike_child *c)
{
	c->path = c->x->sa->path;	/* the peer may have moved since QM1 */
	if (!add(c, IKE_IN))
		ike_child_kill(c, false, "out of memory");
}

/*
 * A responder sends on the old pair until it has our QM3. If that is lost it repeats QM2: strongSwan
 * after 4, 11, 24 and 47 s, IOS and racoon every 10 s. So as long as no packet has shown that it
 * uses the new pair, the delete that takes the old one from it waits longer.
 */
#define UNCONFIRMED (30 * IKE_SECOND)

static ike_time grace_of(const struct ike_child *c)
{
	return (ike_time)c->tunnel->cfg.grace * IKE_SECOND;
}

void ike_child_retire(struct ike_child *c, bool we_delete, const struct ike_child *by)
{
	struct ike_engine *e = c->tunnel->e;
	ike_time grace = grace_of(c);
	ike_time end = e->now + (we_delete ? grace : 2 * grace + 5 * IKE_SECOND);
	struct ike_logctx ctx = child_ctx(c);

	if (we_delete && grace && by && !by->confirmed)
		end += UNCONFIRMED;
	c->state = IKE_CHILD_OLD;
	ike_timer_stop(&e->timers, &c->rekey);
	c->rekey_at = 0;
	if (!c->expires_at || end < c->expires_at)
		c->expires_at = end;
	ike_timer_set(&e->timers, &c->expire, c->expires_at);
	e->cnt.p2_rekeyed++;
	ike_log(e, IKE_LOG_INFO, IKE_EV_P2_REKEY, &ctx, "SA in 0x%08x replaced, goes on receiving for %lld s",
		c->spi_in, (long long)((c->expires_at - e->now) / IKE_SECOND));
}

void ike_child_outcast(struct ike_child *c, bool we_delete)
{
	ike_timer_stop(&c->tunnel->e->timers, &c->use);
	del(c, IKE_OUT);
	ike_child_retire(c, we_delete, NULL);
}

/* A newer pair is in use already: this one came out of a collision and only receives. */
static bool is_outdone(const struct ike_child *c)
{
	const struct ike_child *o;

	for (o = c->tunnel->children; o; o = o->next)
		if (o != c && o->state == IKE_CHILD_ACTIVE && o->order > c->order && ike_child_same_packets(o, c))
			return true;
	return false;
}

/* One more is about to be replaced. */
static void bound_old(const struct ike_child *by)
{
	struct ike_child *c, *oldest = NULL;
	unsigned int n = 0;

	for (c = by->tunnel->children; c; c = c->next) {
		if (c->state != IKE_CHILD_OLD || !ike_selector_equal(&c->want, &by->want))
			continue;
		n++;
		if (!oldest || c->order < oldest->order)
			oldest = c;
	}
	if (n >= MAX_OLD)
		ike_child_kill(oldest, true, "too many replaced pairs");
}

static void log_established(struct ike_child *c)
{
	struct ike_logctx ctx = child_ctx(c);
	const char *weak = ike_p2_weakness(&c->p2.alg);
	char alg[80], sel[IKE_SELECTOR_TEXT];

	ike_log(c->tunnel->e, IKE_LOG_NOTICE, IKE_EV_P2_ESTABLISHED, &ctx,
		"IPsec SAs established as %s: in 0x%08x out 0x%08x %s, %s, lifetime %u s",
		c->initiator ? "initiator" : "responder", c->spi_in, c->spi_out,
		ike_p2_format(&c->p2.alg, alg, sizeof(alg)), ike_selector_format(&c->sel, sel, sizeof(sel)), c->p2.life);
	if (weak)
		ike_log(c->tunnel->e, IKE_LOG_WARNING, IKE_EV_WEAK, &ctx, "%s protects these SAs: it is weak", weak);
}

/*
 * A responder may install its inbound SA only when it has our QM3 (strongSwan does so): what we
 * sent on the new pair before that would be lost. So while the old pair can send it goes on
 * until the peer's first packet on the new one has come, or until the peer had time enough, also
 * if QM3 was lost: then it repeats QM2, strongSwan after 4 s, IOS and racoon after 10 s.
 */
#define USE_DELAY (12 * IKE_SECOND)
#define USE_DELAY_SHORT IKE_SECOND

/*
 * The peer keeps the old pair for its grace as well: stay well within that. And one that is limited
 * in volume, too, may meet its end at any moment.
 */
static ike_time use_delay(const struct ike_child *c)
{
	bool limited = c->p2.life_kb || c->p2.alg.transform == IKE_ESP_3DES;
	ike_time half = (ike_time)c->tunnel->cfg.grace * IKE_SECOND / 2;
	ike_time most = limited ? USE_DELAY_SHORT : USE_DELAY;

	return half < most ? half : most;
}

static bool has_to_wait(const struct ike_child *c)
{
	const struct ike_child *o;

	if (!c->initiator || !use_delay(c))
		return false;
	for (o = c->tunnel->children; o; o = o->next)
		if (o != c && o->out_held && (o->state == IKE_CHILD_ACTIVE || o->state == IKE_CHILD_OLD) &&
		    ike_child_same_packets(o, c))
			return true;
	return false;
}

/* Have the kernel send on it. Returns false when that killed it: memory is short. */
static bool start_using(struct ike_child *c)
{
	struct ike_engine *e = c->tunnel->e;
	struct ike_request *r;
	struct ike_sa sa;

	ike_timer_stop(&e->timers, &c->use);
	describe(c, IKE_OUT, &sa);
	r = request(c, REQ_ACTIVATE);
	if (r && ike_act_sa(e, IKE_ACT_SA_ACTIVATE, r->id, &sa))
		return true;
	if (r)
		take_back(e, r);
	ike_child_kill(c, true, "out of memory");
	return false;
}

static void undo_activation(const struct ike_child *c);

static void use_due(struct ike_engine *e, void *owner)
{
	struct ike_child *c = owner;

	(void)e;
	if (!start_using(c))
		undo_activation(c);
}

/* The peer does not send on the older ones any more. */
static void end_grace_of_older(const struct ike_child *c)
{
	struct ike_engine *e = c->tunnel->e;
	struct ike_child *o;

	for (o = c->tunnel->children; o; o = o->next) {
		if (o->state != IKE_CHILD_OLD || o->order > c->order || !ike_child_same_packets(o, c) ||
		    o->expires_at <= e->now + grace_of(c))
			continue;
		o->expires_at = e->now + grace_of(c);
		ike_timer_set(&e->timers, &o->expire, o->expires_at);
	}
}

void ike_child_confirmed(struct ike_child *c)
{
	if (c->initiator)
		end_grace_of_older(c);
	/* The kernel has switched by itself; this makes it known here, too. */
	if (ike_timer_running(&c->use))
		use_due(c->tunnel->e, c);
}

/*
 * All older pairs only receive from now on; one that was never used is not used any more. One that
 * waits the kernel may have begun to use without our knowing yet: if c waits, too, then behind it.
 */
static void retire_others(struct ike_child *c, bool wait)
{
	struct ike_child *o, *next;

	for (o = c->tunnel->children; o; o = next) {
		bool waits = ike_timer_running(&o->use);

		next = o->next;
		if (o == c || o->dead || o->order > c->order || !ike_child_same_packets(o, c))
			continue;
		/* A late packet on its partner must not make the kernel prefer it. */
		if (o->state == IKE_CHILD_PENDING || (waits && !wait))
			del(o, IKE_OUT);
		ike_timer_stop(&c->tunnel->e->timers, &o->use);
		if (waits && wait && !start_using(o))
			continue;
		if (o->state == IKE_CHILD_ACTIVE)
			ike_child_retire(o, c->initiator, c);
	}
}

void ike_child_activate(struct ike_child *c)
{
	struct ike_engine *e = c->tunnel->e;
	bool wait;

	c->x = NULL;
	e->cnt.p2_established++;
	log_established(c);
	ike_child_start_life(c);
	bound_old(c);
	if (is_outdone(c)) {
		del(c, IKE_OUT);
		ike_child_retire(c, !c->initiator, NULL);
		ike_tunnel_child_up(c->tunnel, c);
		return;
	}
	wait = has_to_wait(c);
	if (!wait && !start_using(c))
		return;
	c->state = IKE_CHILD_ACTIVE;
	retire_others(c, wait);
	if (wait)
		ike_timer_set(&e->timers, &c->use, e->now + use_delay(c));
	ike_tunnel_child_up(c->tunnel, c);
}

/* ---- the kernel's answers --------------------------------------------------------------------- */

static void activated(struct ike_child *c)
{
	struct ike_child *o;

	for (o = c->tunnel->children; o; o = o->next)
		if (o->state == IKE_CHILD_OLD && o->order < c->order && ike_child_same_packets(o, c))
			del(o, IKE_OUT);
}

static void succeeded(struct ike_child *c, enum request_kind kind, uint32_t spi)
{
	switch (kind) {
	case REQ_SPI:
		c->spi_in = spi;
		c->spi_in_held = true;
		ike_quick_spi_ready(c->x);
		break;
	case REQ_ADD_IN:
		if (!add(c, IKE_OUT)) {
			ike_child_kill(c, false, "out of memory");
			break;
		}
		ike_crypto_wipe(c->key_in, sizeof(c->key_in));
		ike_crypto_wipe(c->key_out, sizeof(c->key_out));
		break;
	case REQ_ADD_OUT:
		c->state = IKE_CHILD_PENDING;
		ike_quick_installed(c->x);
		break;
	case REQ_ACTIVATE:
		activated(c);
		break;
	}
}

/* The new pair cannot be used: the newest of the replaced ones that still sends takes over again. */
static void undo_activation(const struct ike_child *c)
{
	struct ike_child *o, *best = NULL;

	for (o = c->tunnel->children; o; o = o->next)
		if (o->state == IKE_CHILD_OLD && o->out_held && (!best || o->order > best->order) &&
		    ike_child_same_packets(o, c))
			best = o;
	if (best)
		best->state = IKE_CHILD_ACTIVE;
}

static void failed(struct ike_child *c, enum request_kind kind, const char *text)
{
	static const char *const what[] = { "an SPI", "the inbound SA", "the outbound SA", "the activation" };
	struct ike_logctx ctx = child_ctx(c);
	struct ike_tunnel *t = c->tunnel;
	struct ike_flow *f;
	char why[300];

	snprintf(why, sizeof(why), "the kernel refused %s: %s", what[kind], text ? text : "no reason given");
	ike_log(t->e, IKE_LOG_ERROR, IKE_EV_KERNEL, &ctx, "%s", why);
	if (kind == REQ_ADD_OUT)
		c->out_held = false;
	ike_child_kill(c, kind == REQ_ACTIVATE, why);
	if (kind != REQ_ACTIVATE)
		return;
	undo_activation(c);
	f = ike_flow_of(c);
	if (f)
		ike_flow_failed(f, why);
	else
		ike_tunnel_set_error(t, why);
}

void ike_request_answer(struct ike_engine *e, uint64_t id, bool ok, uint32_t spi, const char *text)
{
	struct ike_request **p, *r;

	for (p = &e->requests; *p && (*p)->id != id; p = &(*p)->next)
		;
	r = *p;
	if (!r)
		return;
	*p = r->next;
	if (ok && r->kind == REQ_SPI && spi < IKE_SPI_MIN) {
		ok = false;
		text = "an SPI below 256";
	}
	if (r->child && ok) {
		succeeded(r->child, r->kind, spi);
	} else if (r->child) {
		failed(r->child, r->kind, text);
	} else if (ok && r->kind == REQ_SPI) {
		struct ike_sa sa = { .tunnel = r->tunnel, .dir = IKE_IN, .spi = spi };

		ike_act_sa(e, IKE_ACT_SA_DEL, 0, &sa);
	}
	free(r);
}

bool ike_child_same_packets(const struct ike_child *a, const struct ike_child *b)
{
	return ike_selector_equal(&a->want, &b->want) && ike_selector_equal(&a->sel, &b->sel);
}

struct ike_child *ike_child_by_spi(const struct ike_tunnel *t, enum ike_dir dir, uint32_t spi)
{
	struct ike_child *c;

	for (c = t->children; c; c = c->next)
		if (spi && (dir == IKE_IN ? c->spi_in : c->spi_out) == spi)
			return c;
	return NULL;
}
