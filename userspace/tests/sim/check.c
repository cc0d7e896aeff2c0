// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must hold. The kernels' tables are the truth; the engines' status and counters must
 * agree with them.
 */
#include "check.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool sim_all_up(struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_links; i++)
		if (!w->link[i].up[0] || !w->link[i].up[1])
			return false;
	return true;
}

void sim_links_down(struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_links; i++) {
		w->link[i].up[0] = w->link[i].up[1] = false;
		w->link[i].watched = false;
		w->link[i].era++;
	}
}

void sim_watch(struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_links; i++)
		w->link[i].watched = true;
}

/* ---- one pair ---------------------------------------------------------------------------------- */

static void describe_sas(const struct sim_kernel *k, const char *tunnel, char *buf, size_t size)
{
	static const char *const states[] = { "reserved", "pending", "active", "old" };
	const struct sim_sa *sa;
	size_t n = 0;

	buf[0] = 0;
	for (sa = k->sas; sa && n < size; sa = sa->next)
		if (sa->state != SIM_SA_LAPSED && (!tunnel || !strcmp(sa->tunnel, tunnel)))
			n += (size_t)snprintf(buf + n, size - n, " %s %08x %s,", sa->dir == IKE_IN ? "in" : "out",
					      sa->spi, states[sa->state]);
}

/* False, and what is in doubt. */
__attribute__((format(printf, 2, 3)))
static bool doubt(struct sim_world *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->doubt, sizeof(w->doubt), fmt, ap);
	va_end(ap);
	return false;
}

static bool end_is_right(struct sim_world *w, const struct sim_link *l, int end)
{
	const struct sim_kernel *k = &l->end[end]->kernel, *peer = &l->end[!end]->kernel;
	const struct ike_selector sel = sim_selector(l, end);
	const struct sim_sa *out = sim_kernel_outbound(k, l->name, &sel);
	char sas[300];

	describe_sas(k, l->name, sas, sizeof(sas));
	if (!out)
		return doubt(w, "host %u has no outbound SA in %s, but%s", l->end[end]->index, l->name, sas);
	if (!sim_kernel_find(peer, IKE_IN, out->spi))
		return doubt(w, "host %u sends to SPI %08x, which host %u does not have", l->end[end]->index, out->spi,
			     l->end[!end]->index);
	if (sim_kernel_count(k, l->name, &sel, IKE_IN) != 1 || sim_kernel_count(k, l->name, &sel, IKE_OUT) != 1)
		return doubt(w, "host %u has more than one pair in %s:%s", l->end[end]->index, l->name, sas);
	return true;
}

struct status_check {
	struct sim_world *w;
	const struct sim_host *h;
	unsigned int tunnels;
	bool right;
};

static bool tunnel_is_right(struct status_check *s, const struct ike_tunnel_status *st)
{
	const struct sim_kernel *k = &s->h->kernel;
	size_t i;

	if (strcmp(st->state, "up"))
		return doubt(s->w, "host %u says %s is %s", s->h->index, st->cfg->name, st->state);
	if (st->n_children != st->cfg->n_sel)
		return doubt(s->w, "host %u says %s has %zu pairs", s->h->index, st->cfg->name, st->n_children);
	for (i = 0; i < st->n_children; i++) {
		const struct ike_child_status *c = &st->child[i];
		const struct sim_sa *out = sim_kernel_outbound(k, st->cfg->name, &c->sel);

		if (!out || c->spi_out != out->spi || !sim_kernel_find(k, IKE_IN, c->spi_in))
			return doubt(s->w, "host %u says %s has in %08x out %08x, its kernel has not", s->h->index,
				     st->cfg->name, c->spi_in, c->spi_out);
	}
	if (st->n_p1 > 1)
		return doubt(s->w, "host %u has %zu ISAKMP SAs for %s", s->h->index, st->n_p1, st->cfg->name);
	return true;
}

static void check_status(void *ctx, const struct ike_tunnel_status *st)
{
	struct status_check *s = ctx;

	s->tunnels++;
	s->right = s->right && tunnel_is_right(s, st);
}

static bool counters_are_right(struct sim_world *w, const struct sim_host *h)
{
	struct ike_counters c;
	unsigned int selectors = 0;
	size_t i;

	for (i = 0; i < h->cfg.n_tunnels; i++)
		selectors += h->cfg.tunnel[i].n_sel;
	ike_counters(h->engine, &c);
	if (c.children_now != selectors)
		return doubt(w, "host %u counts %llu pairs of SAs for %u selectors", h->index,
			     (unsigned long long)c.children_now, selectors);
	if (c.p1_now > h->cfg.n_tunnels)
		return doubt(w, "host %u counts %llu ISAKMP SAs for %zu tunnels", h->index,
			     (unsigned long long)c.p1_now, h->cfg.n_tunnels);
	/* The exchange that made an ISAKMP SA stays with it. */
	if (c.exchanges_now > c.p1_now)
		return doubt(w, "host %u counts %llu exchanges and %llu ISAKMP SAs in peace", h->index,
			     (unsigned long long)c.exchanges_now, (unsigned long long)c.p1_now);
	return true;
}

static bool one_pair(struct sim_world *w)
{
	struct status_check s = { .w = w, .right = true };
	unsigned int i;

	for (i = 0; i < w->n_links; i++)
		if (!end_is_right(w, &w->link[i], 0) || !end_is_right(w, &w->link[i], 1))
			return false;
	for (i = 0; i < w->n_hosts; i++) {
		s.h = &w->host[i];
		s.tunnels = 0;
		ike_status(w->host[i].engine, check_status, &s);
		if (!s.right || !counters_are_right(w, &w->host[i]))
			return false;
		if (s.tunnels != s.h->cfg.n_tunnels)
			return doubt(w, "host %u shows %u of %zu tunnels", i, s.tunnels, s.h->cfg.n_tunnels);
	}
	return true;
}

void sim_check_one_pair(struct sim_world *w)
{
	if (!w->failed && !one_pair(w))
		sim_fail(w, "%s", w->doubt);
}

void sim_wait_one_pair(struct sim_world *w, ike_time patience)
{
	if (!sim_run_until(w, one_pair, patience))
		sim_fail(w, "%s", w->doubt);
}

/* ---- nothing ------------------------------------------------------------------------------------- */

void sim_check_nothing(struct sim_world *w)
{
	struct ike_counters c;
	char sas[300];
	unsigned int i;

	for (i = 0; i < w->n_hosts && !w->failed; i++) {
		describe_sas(&w->host[i].kernel, NULL, sas, sizeof(sas));
		if (*sas)
			sim_fail(w, "host %u still has%s", i, sas);
		if (!w->host[i].engine)
			continue;
		ike_counters(w->host[i].engine, &c);
		if (c.p1_now || c.children_now || c.exchanges_now)
			sim_fail(w, "host %u still counts %llu ISAKMP SAs, %llu pairs, %llu exchanges", i,
				 (unsigned long long)c.p1_now, (unsigned long long)c.children_now,
				 (unsigned long long)c.exchanges_now);
	}
}

void sim_check_never_up(struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_hosts; i++)
		if (w->host[i].kernel.added)
			sim_fail(w, "host %u installed %lu SAs", i, w->host[i].kernel.added);
}

/* The sanitizer's allocator has its own count. */
__attribute__((weak)) size_t __sanitizer_get_current_allocated_bytes(void);

size_t sim_memory(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}
