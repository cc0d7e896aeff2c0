// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Dead peer detection. See dpd.h.
 */
#include "dpd.h"

#include <string.h>

#include "addr.h"
#include "info.h"
#include "tunnel.h"

static ike_time dpd_time(const struct ike_ikesa *sa)
{
	return (ike_time)sa->tunnel->cfg.dpd * IKE_SECOND;
}

/* Is it the one whose peer we watch? */
static bool is_watched(const struct ike_ikesa *sa)
{
	return sa->established && !sa->retiring && sa->dpd.peer && sa->tunnel->cfg.dpd &&
	       ike_tunnel_sa(sa->tunnel) == sa;
}

void ike_dpd_start(struct ike_ikesa *sa)
{
	struct ike_dpd *d = &sa->dpd;

	d->sent = 0;
	d->asked_kernel = d->last_call = false;
	if (!sa->established || !d->peer || !sa->tunnel->cfg.dpd) {
		ike_timer_stop(&sa->e->timers, &d->timer);
		return;
	}
	if (!d->seq) {
		/* Half of the numbers, so that it does not wrap in the life of an SA. */
		ike_random(sa->e, &d->seq, sizeof(d->seq));
		d->seq = (d->seq & INT32_MAX) | 1;
	}
	ike_timer_set(&sa->e->timers, &d->timer, sa->e->now + dpd_time(sa));
}

/* ---- proof ----------------------------------------------------------------------------------- */

void ike_dpd_traffic(struct ike_tunnel *t, ike_time at)
{
	struct ike_ikesa *sa = ike_tunnel_sa(t);

	if (sa && at <= sa->e->now && at > sa->dpd.traffic_at)
		sa->dpd.traffic_at = at;
}

static ike_time last_proof(const struct ike_ikesa *sa)
{
	return sa->heard_at > sa->dpd.traffic_at ? sa->heard_at : sa->dpd.traffic_at;
}

/* Ask the kernel when the last packet came, on each inbound SA from this peer. */
static void ask_kernel(struct ike_ikesa *sa)
{
	struct ike_tunnel *t;
	struct ike_child *c;

	for (t = sa->e->tunnels; t; t = t->next) {
		if (!ike_tunnel_same_peer(t, sa->tunnel))
			continue;
		for (c = t->children; c; c = c->next) {
			struct ike_sa in = { .tunnel = t->cfg.name, .dir = IKE_IN, .spi = c->spi_in };

			if (c->state != IKE_CHILD_NEW && c->spi_in_held)
				ike_act_sa(sa->e, IKE_ACT_SA_IDLE, 0, &in);
		}
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void peer_is_dead(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "INFO");
	struct ike_engine *e = sa->e;
	struct ike_tunnel *t, *of = sa->tunnel;

	e->cnt.dpd_dead++;
	ike_log(e, IKE_LOG_WARNING, IKE_EV_DPD_DEAD, &ctx,
		"the peer is dead: no IKE message and no ESP packet from it for %lld s, and no answer to %u R-U-THERE",
		(long long)((e->now - last_proof(sa)) / IKE_SECOND), sa->dpd.sent);
	for (t = e->tunnels; t; t = t->next) {
		if (!ike_tunnel_same_peer(t, of))
			continue;
		while (t->children)
			ike_child_kill(t->children, false, "the peer is dead");
		ike_tunnel_set_error(t, "dead peer detection: the peer does not answer");
		t->not_before = 0;
		ike_tunnel_kick(t, 0);
	}
	ike_ikesa_kill(sa, false, "the peer is dead");
}

static void ask_at_candidate(struct ike_ikesa *sa)
{
	struct ike_addr known = sa->path.remote;

	sa->path.remote = sa->roam.candidate;
	ike_info_dpd(sa, IKE_N_R_U_THERE, sa->dpd.seq);
	sa->path.remote = known;
}

void ike_dpd_probe(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "INFO");
	char ip[IKE_ADDR_TEXT];

	sa->dpd.seq++;
	sa->e->cnt.dpd_sent++;
	ike_log(sa->e, IKE_LOG_INFO, IKE_EV_DPD, &ctx, "the kernel sees the peer at %s port %u: R-U-THERE %u sent there",
		ike_ip_format(sa->roam.candidate.family, sa->roam.candidate.ip, ip, sizeof(ip)),
		sa->roam.candidate.port, sa->dpd.seq);
	ask_at_candidate(sa);
}

static void ask_peer(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "INFO");
	struct ike_dpd *d = &sa->dpd;

	if (!d->sent)
		d->seq++;
	d->sent++;
	sa->e->cnt.dpd_sent++;
	ike_log(sa->e, IKE_LOG_DEBUG, IKE_EV_DPD, &ctx, "R-U-THERE %u sent (%u of %u)", d->seq, d->sent,
		IKE_DPD_REPEATS);
	ike_info_dpd(sa, IKE_N_R_U_THERE, d->seq);
	if (sa->roam.candidate.family)
		ask_at_candidate(sa);
}

void ike_dpd_due(struct ike_engine *e, void *owner)
{
	struct ike_ikesa *sa = owner;
	struct ike_dpd *d = &sa->dpd;
	ike_time wait = IKE_DPD_INTERVAL;

	if (!is_watched(sa))
		return;
	if (last_proof(sa) + dpd_time(sa) > e->now) {
		d->sent = 0;
		d->asked_kernel = d->last_call = false;
		ike_timer_set(&e->timers, &d->timer, last_proof(sa) + dpd_time(sa));
		return;
	}
	if (d->last_call) {
		peer_is_dead(sa);
		return;
	}
	/* What ESP has to say is asked first, again before each further question, and before the verdict. */
	ask_kernel(sa);
	if (d->sent >= IKE_DPD_REPEATS)
		d->last_call = true;
	else if (d->asked_kernel)
		ask_peer(sa);
	if (!d->asked_kernel || d->sent >= IKE_DPD_REPEATS)
		wait = IKE_DPD_KERNEL;	/* half of what an answer to the last question has */
	d->asked_kernel = true;
	if (!sa->dead)
		ike_timer_set(&e->timers, &d->timer, e->now + wait);
}

/* ---- being asked, being answered --------------------------------------------------------------- */

/*
 * That the message authenticated is the proof of life; its number only tells which question it
 * answers. Some peers put the cookies in the wrong order into the SPI field, or others: what
 * counts is the SA the message came under.
 */
void ike_dpd_notify(struct ike_exchange *x, const struct ike_notify *n)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");
	struct ike_ikesa *sa = x->sa;
	uint32_t seq;

	if (n->len != sizeof(seq)) {
		sa->e->cnt.malformed++;
		ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s with %zu octets of data instead of 4",
				ike_name_notify(n->type), n->len);
		return;
	}
	seq = ike_load32(n->data);
	if (n->type == IKE_N_R_U_THERE) {
		ike_info_dpd(sa, IKE_N_R_U_THERE_ACK, seq);
		return;
	}
	if (seq != sa->dpd.seq)
		ike_log_limited(sa->e, IKE_LOG_DEBUG, IKE_EV_DPD, &ctx, "R-U-THERE-ACK %u, asked was %u: alive all the same",
				seq, sa->dpd.seq);
}
