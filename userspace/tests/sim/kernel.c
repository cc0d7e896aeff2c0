// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pretended kernel. As over netlink, a request is done when it is made; the answer and
 * all other news reach the engine a little later. It judges the engine: an SPI not asked for, an SA twice, a key
 * twice, an activation of nothing are failures of the run.
 */
#include "kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libike/net.h"
#include "world.h"

enum { FIRST_SPI = 256, RESERVATION_SECONDS = 60 };

static const char *const dir_names[] = { "in", "out" };

/* ---- table --------------------------------------------------------------------------------- */

struct sim_sa *sim_kernel_find(const struct sim_kernel *k, enum ike_dir dir, uint32_t spi)
{
	struct sim_sa *sa;

	for (sa = k->sas; sa; sa = sa->next)
		if (sa->dir == dir && sa->spi == spi)
			return sa;
	return NULL;
}

struct sim_sa *sim_kernel_outbound(const struct sim_kernel *k, const char *tunnel, const struct ike_selector *sel)
{
	struct sim_sa *sa;

	for (sa = k->sas; sa; sa = sa->next)
		if (sa->dir == IKE_OUT && sa->state == SIM_SA_ACTIVE && !strcmp(sa->tunnel, tunnel) &&
		    ike_selector_equal(&sa->sel, sel))
			return sa;
	return NULL;
}

unsigned int sim_kernel_count(const struct sim_kernel *k, const char *tunnel, const struct ike_selector *sel,
			      enum ike_dir dir)
{
	const struct sim_sa *sa;
	unsigned int n = 0;

	for (sa = k->sas; sa; sa = sa->next)
		n += sa->dir == dir && sa->state != SIM_SA_LAPSED && !strcmp(sa->tunnel, tunnel) &&
		     (sa->state == SIM_SA_RESERVED || ike_selector_equal(&sa->sel, sel));
	return n;
}

static struct sim_sa *insert(struct sim_kernel *k, const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	struct sim_sa *sa = sim_alloc(sizeof(*sa));

	snprintf(sa->tunnel, sizeof(sa->tunnel), "%s", tunnel);
	sa->dir = dir;
	sa->spi = spi;
	sa->next = k->sas;
	k->sas = sa;
	return sa;
}

static void drop(struct sim_kernel *k, struct sim_sa *sa)
{
	struct sim_sa **p = &k->sas;

	while (*p != sa)
		p = &(*p)->next;
	*p = sa->next;
	free(sa);
}

void sim_kernel_flush(struct sim_kernel *k)
{
	while (k->sas)
		drop(k, k->sas);
}

void sim_kernel_free(struct sim_kernel *k)
{
	sim_kernel_flush(k);
	free(k->spis);
	free(k->keys);
}

/* ---- requests ------------------------------------------------------------------------------- */

struct request {
	enum ike_action_type type;
	uint64_t id;
	struct sim_sa sa;
};

/* Answers travel back as events of the world. */
static void answer_arrives(struct sim_world *w, struct sim_event *ev)
{
	struct ike_kernel_event kev = {
		.type = (enum ike_kernel_event_type)ev->a, .id = ev->id, .spi = ev->b,
		.text = ev->a == IKE_KEV_FAILED ? "no memory in the pretended kernel" : NULL,
	};

	sim_host_kernel_event(&w->host[ev->host], &kev);
}

static void answer(struct sim_host *h, uint64_t id, bool ok, uint32_t spi)
{
	struct sim_event *ev = sim_event_new(answer_arrives, 0);

	ev->host = h->index;
	ev->boot = h->boot;
	ev->a = ok ? IKE_KEV_DONE : IKE_KEV_FAILED;
	ev->b = spi;
	ev->id = id;
	sim_queue_add(&h->w->queue, ev, h->w->now + (ike_time)sim_below(&h->w->kernels, 2000) * 1000);
}

static bool spi_was_used(const struct sim_kernel *k, uint32_t spi)
{
	size_t i;

	for (i = 0; i < k->n_spis; i++)
		if (k->spis[i] == spi)
			return true;
	return false;
}

static void reservation_ends(struct sim_world *w, struct sim_event *ev)
{
	struct sim_sa *sa = sim_kernel_find(&w->host[ev->host].kernel, IKE_IN, ev->a);

	if (sa && sa->state == SIM_SA_RESERVED)
		sa->state = SIM_SA_LAPSED;
}

static void plan_end_of_reservation(struct sim_host *h, uint32_t spi)
{
	struct sim_event *ev = sim_event_new(reservation_ends, 0);

	ev->host = h->index;
	ev->boot = SIM_ANY_BOOT;
	ev->a = spi;
	sim_queue_add(&h->w->queue, ev, h->w->now + RESERVATION_SECONDS * IKE_SECOND);
}

static bool do_spi_alloc(struct sim_host *h, struct request *r)
{
	struct sim_kernel *k = &h->kernel;
	uint32_t spi;

	do {
		spi = (uint32_t)sim_random(&h->w->kernels);
	} while (spi < FIRST_SPI || spi_was_used(k, spi));
	k->spis = sim_grow(k->spis, (k->n_spis + 1) * sizeof(*k->spis));
	k->spis[k->n_spis++] = spi;
	insert(k, r->sa.tunnel, IKE_IN, spi)->state = SIM_SA_RESERVED;
	plan_end_of_reservation(h, spi);
	r->sa.spi = spi;
	return true;
}

static uint64_t digest_key(const struct sim_sa *sa)
{
	uint64_t d = 14695981039346656037ull;
	size_t i;

	for (i = 0; i < sa->encr_key_len; i++)
		d = (d ^ sa->encr_key[i]) * 1099511628211ull;
	for (i = 0; i < sa->auth_key_len; i++)
		d = (d ^ sa->auth_key[i]) * 1099511628211ull;
	return d;
}

/* With GCM a key used twice gives the plaintext away. */
static void check_key_is_new(struct sim_host *h, const struct sim_sa *sa)
{
	struct sim_kernel *k = &h->kernel;
	uint64_t d = digest_key(sa);
	size_t i;

	for (i = 0; i < k->n_keys; i++)
		if (k->keys[i] == d)
			sim_fail(h->w, "host %u installs a key again (SPI 0x%08x)", h->index, sa->spi);
	k->keys = sim_grow(k->keys, (k->n_keys + 1) * sizeof(*k->keys));
	k->keys[k->n_keys++] = d;
}

static void make_active(struct sim_kernel *k, struct sim_sa *sa)
{
	struct sim_sa *active = sim_kernel_outbound(k, sa->tunnel, &sa->sel);

	if (active && active != sa)
		active->state = SIM_SA_OLD;
	sa->state = SIM_SA_ACTIVE;
}

static bool do_add(struct sim_host *h, struct request *r)
{
	struct sim_kernel *k = &h->kernel;
	struct sim_sa *sa = sim_kernel_find(k, r->sa.dir, r->sa.spi), *next;
	enum sim_sa_state wanted = r->sa.state;

	if (r->sa.dir == IKE_IN && sa && sa->state == SIM_SA_LAPSED)
		return false;
	if (r->sa.dir == IKE_IN && (!sa || sa->state != SIM_SA_RESERVED)) {
		sim_fail(h->w, "host %u adds inbound SPI 0x%08x, which is %s", h->index, r->sa.spi,
			 sa ? "there already" : "not reserved");
		return false;
	}
	/* Two peers may choose the same SPI, so this is not the engine's fault. */
	if (r->sa.dir == IKE_OUT && sa)
		return false;
	check_key_is_new(h, &r->sa);
	if (!sa)
		sa = insert(k, r->sa.tunnel, r->sa.dir, r->sa.spi);
	next = sa->next;
	*sa = r->sa;
	sa->next = next;
	sa->state = SIM_SA_ACTIVE;
	if (sa->dir == IKE_OUT && wanted == SIM_SA_PENDING)
		sa->state = SIM_SA_PENDING;
	else if (sa->dir == IKE_OUT)
		make_active(k, sa);
	k->added++;
	return true;
}

static bool do_activate(struct sim_host *h, struct request *r)
{
	struct sim_sa *sa = sim_kernel_find(&h->kernel, IKE_OUT, r->sa.spi);

	if (!sa) {
		sim_fail(h->w, "host %u activates outbound SPI 0x%08x, which is not there", h->index, r->sa.spi);
		return false;
	}
	if (sa->state == SIM_SA_OLD) {
		sim_fail(h->w, "host %u activates outbound SPI 0x%08x again after it was replaced", h->index, r->sa.spi);
		return false;
	}
	make_active(&h->kernel, sa);
	return true;
}

static void do_del(struct sim_host *h, const struct request *r)
{
	struct sim_sa *sa = sim_kernel_find(&h->kernel, r->sa.dir, r->sa.spi);

	if (!sa)
		sim_fail(h->w, "host %u deletes %sbound SPI 0x%08x, which is not there", h->index,
			 dir_names[r->sa.dir], r->sa.spi);
	else
		drop(&h->kernel, sa);
}

static void copy_sa(struct sim_sa *to, const struct ike_action *act)
{
	const struct ike_sa *from = &act->sa;

	snprintf(to->tunnel, sizeof(to->tunnel), "%s", act->tunnel);
	to->dir = from->dir;
	to->spi = from->spi;
	if (act->type != IKE_ACT_SA_ADD)
		return;
	to->sel = (struct ike_selector){ from->local_net, from->remote_net };
	to->partner_spi = from->partner_spi;
	to->alg = from->alg;
	to->path = from->path;
	to->state = from->pending ? SIM_SA_PENDING : SIM_SA_ACTIVE;
	to->soft_bytes = from->soft_bytes;
	to->hard_bytes = from->hard_bytes;
	to->encr_key_len = from->encr_key_len < sizeof(to->encr_key) ? from->encr_key_len : sizeof(to->encr_key);
	to->auth_key_len = from->auth_key_len < sizeof(to->auth_key) ? from->auth_key_len : sizeof(to->auth_key);
	if (to->encr_key_len)
		memcpy(to->encr_key, from->encr_key, to->encr_key_len);
	if (to->auth_key_len)
		memcpy(to->auth_key, from->auth_key, to->auth_key_len);
	memcpy(to->cookie, from->cookie, sizeof(to->cookie));
}

static void tell_traffic(struct sim_host *h, const struct ike_action *act);

void sim_kernel_request(struct sim_host *h, const struct ike_action *act)
{
	struct request r = { .type = act->type, .id = act->id };
	struct sim_world *w = h->w;
	bool ok;

	if (act->type == IKE_ACT_SA_IDLE) {
		tell_traffic(h, act);
		return;
	}
	sim_busy(w);
	copy_sa(&r.sa, act);
	if (r.type == IKE_ACT_SA_DEL) {
		do_del(h, &r);
		sim_ping(w);
		return;
	}
	ok = !sim_chance(&w->kernels, h->kernel.fail_percent);
	if (ok && r.type == IKE_ACT_SPI_ALLOC)
		ok = do_spi_alloc(h, &r);
	else if (ok && r.type == IKE_ACT_SA_ADD)
		ok = do_add(h, &r);
	else if (ok)
		ok = do_activate(h, &r);
	sim_trace(w, "host %u kernel: %s %sbound 0x%08x %s", h->index,
		  r.type == IKE_ACT_SPI_ALLOC ? "reserve" : r.type == IKE_ACT_SA_ADD ? "add" : "activate",
		  dir_names[r.sa.dir], r.sa.spi, ok ? "done" : "FAILED");
	answer(h, r.id, ok, r.sa.spi);
	sim_ping(w);
}

/* ---- packets ----------------------------------------------------------------------------------- */

/* What the kernel has to tell waits until the keyer has time. */
static ike_time latency(struct sim_world *w)
{
	if (sim_chance(&w->kernels, 5))
		return (ike_time)sim_below(&w->kernels, 500) * SIM_MS;
	return (ike_time)sim_below(&w->kernels, 3000) * 1000;
}

struct notice {
	enum ike_kernel_event_type type;
	enum ike_dir dir;
	uint32_t spi;
	ike_time at;
	char tunnel[IKE_NAME_MAX + 1];
};

static void notice_arrives(struct sim_world *w, struct sim_event *ev)
{
	const struct notice *n = ev->thing;
	struct ike_kernel_event kev = { .type = n->type, .tunnel = n->tunnel, .dir = n->dir, .spi = n->spi,
					.at = n->at };

	sim_host_kernel_event(&w->host[ev->host], &kev);
}

static void send_notice(struct sim_host *h, const struct notice *what)
{
	struct sim_event *ev = sim_event_new(notice_arrives, 0);
	struct notice *n = sim_alloc(sizeof(*n));

	*n = *what;
	ev->thing = n;
	ev->host = h->index;
	ev->boot = h->boot;
	sim_queue_add(&h->w->queue, ev, h->w->now + latency(h->w));
}

static void notify(struct sim_host *h, enum ike_kernel_event_type type, const char *tunnel,
		   enum ike_dir dir, uint32_t spi)
{
	struct notice n = { .type = type, .dir = dir, .spi = spi };

	snprintf(n.tunnel, sizeof(n.tunnel), "%s", tunnel);
	send_notice(h, &n);
}

/* When the last packet came, if the SA is still there. */
static void tell_traffic(struct sim_host *h, const struct ike_action *act)
{
	const struct sim_sa *sa = sim_kernel_find(&h->kernel, IKE_IN, act->sa.spi);
	struct notice n = { .type = IKE_KEV_TRAFFIC, .dir = IKE_IN, .spi = act->sa.spi };

	if (!sa || sim_chance(&h->w->kernels, h->kernel.fail_percent))
		return;
	n.at = sa->last_at;
	snprintf(n.tunnel, sizeof(n.tunnel), "%s", act->tunnel);
	send_notice(h, &n);
}

/* False when the SA has nothing left. */
static bool account(struct sim_host *h, struct sim_sa *sa, uint64_t octets)
{
	if (sa->expired)
		return false;
	sa->bytes += octets;
	if (sa->hard_bytes && sa->bytes > sa->hard_bytes) {
		sa->expired = true;
		notify(h, IKE_KEV_HARD_EXPIRE, sa->tunnel, sa->dir, sa->spi);
		return false;
	}
	if (sa->soft_bytes && sa->bytes >= sa->soft_bytes && !sa->soft_sent) {
		sa->soft_sent = true;
		notify(h, IKE_KEV_SOFT_EXPIRE, sa->tunnel, sa->dir, sa->spi);
	}
	return true;
}

const struct sim_sa *sim_kernel_send(struct sim_host *h, const char *tunnel, const struct ike_selector *sel,
				     uint64_t octets)
{
	struct sim_sa *sa = sim_kernel_outbound(&h->kernel, tunnel, sel);

	if (sa && account(h, sa, octets))
		return sa;
	if (h->engine && h->w->now >= h->kernel.last_acquire + IKE_SECOND) {
		h->kernel.last_acquire = h->w->now;
		notify(h, IKE_KEV_ACQUIRE, tunnel, IKE_OUT, 0);
	}
	return NULL;
}

/* The pending outbound SA whose partner has just proved that the peer has both. */
static void confirm(struct sim_host *h, struct sim_sa *in)
{
	struct sim_sa *out;

	in->confirmed = true;
	for (out = h->kernel.sas; out; out = out->next)
		if (out->dir == IKE_OUT && out->state == SIM_SA_PENDING && out->partner_spi == in->spi)
			make_active(&h->kernel, out);
	notify(h, IKE_KEV_CONFIRMED, in->tunnel, IKE_IN, in->spi);
	sim_busy(h->w);
}

static bool same_keys(const struct sim_sa *a, const struct sim_sa *b)
{
	return a->alg.transform == b->alg.transform && a->alg.key_bits == b->alg.key_bits &&
	       a->alg.auth == b->alg.auth && a->alg.esn == b->alg.esn &&
	       a->encr_key_len == b->encr_key_len && a->auth_key_len == b->auth_key_len &&
	       !memcmp(a->encr_key, b->encr_key, a->encr_key_len) &&
	       !memcmp(a->auth_key, b->auth_key, a->auth_key_len);
}

const char *sim_kernel_receive(struct sim_host *h, const struct sim_sa *sa, uint64_t octets)
{
	struct sim_sa *in = sim_kernel_find(&h->kernel, IKE_IN, sa->spi);

	if (!in)
		return "no such SPI";
	if (in->state == SIM_SA_RESERVED || in->state == SIM_SA_LAPSED)
		return "the SPI is only reserved";
	if (!same_keys(in, sa))
		return "keys or algorithms differ";
	if (strcmp(in->tunnel, sa->tunnel))
		return "the SA belongs to another tunnel";
	if (!ike_net_equal(&in->sel.local, &sa->sel.remote) || !ike_net_equal(&in->sel.remote, &sa->sel.local))
		return "the SA is for other packets";
	if (!account(h, in, octets))
		return "the SA has expired";
	in->last_at = h->w->now;
	if (!in->confirmed)
		confirm(h, in);
	return NULL;
}
