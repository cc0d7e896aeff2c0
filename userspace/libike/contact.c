// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INITIAL-CONTACT. See contact.h.
 */
#include "contact.h"

#include <string.h>

#include "payload.h"
#include "tunnel.h"

void ike_contact_made(struct ike_tunnel *t)
{
	t->contacted = true;
}

/* Nothing was ever between us, as far as we know. */
static bool is_initial(const struct ike_tunnel *t)
{
	const struct ike_tunnel *o;

	for (o = t->e->tunnels; o; o = o->next)
		if (ike_tunnel_same_peer(o, t) && (o->contacted || o->children))
			return false;
	return !ike_tunnel_any_sa(t);
}

void ike_contact_put(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_ikesa *sa = x->sa;
	struct ike_logctx ctx = ike_exchange_ctx(x, sa->aggressive ? "AM3" : "MM5");
	uint8_t cookies[2 * IKE_COOKIE_LEN];
	const struct ike_notify n = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .type = IKE_N_INITIAL_CONTACT,
		.spi = cookies, .spi_len = sizeof(cookies),
	};

	if (!x->initiator || !sa->tunnel->cfg.initial_contact || !is_initial(sa->tunnel))
		return;
	memcpy(cookies, sa->icookie, IKE_COOKIE_LEN);
	memcpy(cookies + IKE_COOKIE_LEN, sa->rcookie, IKE_COOKIE_LEN);
	ike_notify_encode(w, &n);
	ike_log(sa->e, IKE_LOG_DEBUG, IKE_EV_CONTACT, &ctx, "INITIAL-CONTACT sent: no SA with this identity is known here");
}

void ike_contact_take(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_notify n;
	unsigned int i;

	/* Some peers send AM3 in clear: whoever sees it could add one. */
	if (x->initiator || !(m->hdr.flags & ISAKMP_FLAG_ENCRYPTION))
		return;
	for (i = 0; i < m->n; i++)
		if (m->p[i].type == ISAKMP_NPTYPE_N && !ike_notify_decode(&m->p[i], &n) &&
		    n.type == IKE_N_INITIAL_CONTACT) {
			ike_contact_initial(x->sa, ike_exchange_message(x));
			return;
		}
}

/* Made before the peer began this negotiation. What came up meanwhile it may have made with us. */
static unsigned int drop_children(struct ike_tunnel *t, ike_time before)
{
	struct ike_child *c, *next;
	unsigned int n = 0;

	for (c = t->children; c; c = next) {
		next = c->next;
		if (c->created >= before || c->state == IKE_CHILD_NEW)
			continue;
		ike_child_kill(c, false, "the peer does not know it any more (INITIAL-CONTACT)");
		n++;
		next = t->children;	/* one may have taken another along */
	}
	return n;
}

static unsigned int drop_isakmp(const struct ike_ikesa *fresh)
{
	struct ike_ikesa *sa, *next;
	unsigned int n = 0;

	for (sa = fresh->e->ikesas; sa; sa = next) {
		next = sa->next;
		if (sa == fresh || !sa->established || sa->established_at >= fresh->created ||
		    !ike_tunnel_same_peer(sa->tunnel, fresh->tunnel))
			continue;
		ike_ikesa_kill(sa, false, "the peer does not know it any more (INITIAL-CONTACT)");
		n++;
	}
	return n;
}

void ike_contact_initial(struct ike_ikesa *sa, const char *message)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, message);
	unsigned int children = 0, isakmp;
	struct ike_tunnel *t;

	if (!sa->tunnel->cfg.initial_contact) {
		ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_CONTACT, &ctx,
				"INITIAL-CONTACT from the peer: no effect, initial-contact = false (line %u)", sa->tunnel->cfg.line);
		return;
	}
	for (t = sa->e->tunnels; t; t = t->next)
		if (ike_tunnel_same_peer(t, sa->tunnel))
			children += drop_children(t, sa->created);
	isakmp = drop_isakmp(sa);
	ike_log_limited(sa->e, children || isakmp ? IKE_LOG_NOTICE : IKE_LOG_INFO, IKE_EV_CONTACT, &ctx,
			"INITIAL-CONTACT from the peer: %u ISAKMP SAs and %u pairs of IPsec SAs of before are dropped",
			isakmp, children);
}
