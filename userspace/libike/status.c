// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine shows of itself. Reads only.
 */
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "cert.h"
#include "tunnel.h"

void ike_counters(const struct ike_engine *e, struct ike_counters *c)
{
	*c = e->cnt;
}

static void show_p1(const struct ike_ikesa *sa, struct ike_p1_status *st)
{
	memset(st, 0, sizeof(*st));
	memcpy(st->icookie, sa->icookie, IKE_COOKIE_LEN);
	memcpy(st->rcookie, sa->rcookie, IKE_COOKIE_LEN);
	st->initiator = sa->initiator;
	st->established = sa->established;
	st->state = ike_state_name(ike_admission_state(sa));
	st->cisco_state = ike_state_cisco_name(ike_admission_state(sa));
	st->xauth_user = sa->admission.user;
	st->path = sa->path;
	st->alg = sa->p1.alg;
	st->auth = sa->p1.auth;
	if (sa->cert) {
		st->own_trustpoint = sa->cert->own[0] ? sa->cert->own : NULL;
		st->peer_trustpoint = sa->cert->peer[0] ? sa->cert->peer : NULL;
	}
	st->peer_id = sa->peer_id;
	st->established_at = sa->established_at;
	st->rekey_at = sa->rekey_at;
	st->expires_at = sa->expires_at;
	st->dpd = sa->dpd.peer;
	st->natt = ike_natt_name(ike_natt_version(sa));
	st->nat = ike_natt_situation(&sa->natt);
	st->encap = sa->natt.encap;
	st->heard_at = sa->heard_at > sa->dpd.traffic_at ? sa->heard_at : sa->dpd.traffic_at;
	if (sa->phase1 && sa->phase1->retransmit)
		st->retransmits = sa->phase1->sent - 1;
}

static void show_child(const struct ike_child *c, struct ike_child_status *st)
{
	memset(st, 0, sizeof(*st));
	st->spi_in = c->spi_in;
	st->spi_out = c->spi_out;
	st->alg = c->p2.alg;
	st->established = c->established;
	st->rekey_at = c->rekey_at;
	st->expires_at = c->expires_at;
	st->pending = c->state == IKE_CHILD_NEW || c->state == IKE_CHILD_PENDING;
	st->old = c->state == IKE_CHILD_OLD;
	st->sel = c->sel;
	st->expected = c->want;
	st->encap = c->encap;
	memcpy(st->icookie, c->icookie, IKE_COOKIE_LEN);
	memcpy(st->rcookie, c->rcookie, IKE_COOKIE_LEN);
}

static bool is_shown(const struct ike_ikesa *sa, const struct ike_tunnel *t)
{
	return !sa->closed && ike_tunnel_same_peer(sa->tunnel, t);
}

/* How many of each a tunnel has. */
static void count(const struct ike_tunnel *t, size_t *n_p1, size_t *n_children)
{
	const struct ike_ikesa *sa;
	const struct ike_child *c;

	*n_p1 = *n_children = 0;
	for (sa = t->e->ikesas; sa; sa = sa->next)
		*n_p1 += is_shown(sa, t);
	for (c = t->children; c; c = c->next)
		(*n_children)++;
}

static void show_tunnel(const struct ike_tunnel *t, void (*cb)(void *ctx, const struct ike_tunnel_status *st), void *ctx)
{
	struct ike_tunnel_status st = { .cfg = &t->cfg, .given = t->given, .state = ike_tunnel_state(t) };
	struct ike_child_status *child;
	const struct ike_ikesa *sa;
	const struct ike_child *c;
	struct ike_p1_status *p1;
	size_t n_p1, n_children, i;

	count(t, &n_p1, &n_children);
	p1 = calloc(n_p1 + 1, sizeof(*p1));
	child = calloc(n_children + 1, sizeof(*child));
	if (t->last_error[0]) {
		st.last_error = t->last_error;
		st.last_error_at = t->last_error_at;
	}
	for (i = 0, sa = t->e->ikesas; p1 && sa; sa = sa->next)
		if (is_shown(sa, t))
			show_p1(sa, &p1[i++]);
	for (i = 0, c = t->children; child && c; c = c->next)
		show_child(c, &child[i++]);
	st.p1 = p1;
	st.n_p1 = p1 ? n_p1 : 0;
	st.child = child;
	st.n_children = child ? n_children : 0;
	cb(ctx, &st);
	free(p1);
	free(child);
}

void ike_status(struct ike_engine *e, void (*cb)(void *ctx, const struct ike_tunnel_status *st), void *ctx)
{
	const struct ike_tunnel *t;

	for (t = e->tunnels; t; t = t->next)
		show_tunnel(t, cb, ctx);
}
