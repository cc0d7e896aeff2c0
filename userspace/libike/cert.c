// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificate requests and the choice of a certificate. See cert.h. Believes nothing about the
 * peer's certificates: that is proof.c's.
 */
#include "cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ident.h"
#include "profile.h"
#include "tunnel.h"

struct ike_certx *ike_cert_state(struct ike_ikesa *sa)
{
	if (!sa->cert)
		sa->cert = calloc(1, sizeof(*sa->cert));
	return sa->cert;
}

const struct ike_trustpoint *ike_trustpoint_at(const struct ike_engine *e, size_t i)
{
	return i < e->n_trustpoints ? &e->trustpoint[i] : NULL;
}

/* ---- being asked --------------------------------------------------------------------------- */

static void remember(struct ike_certx *c, size_t i)
{
	uint8_t j;

	for (j = 0; j < c->n_asked; j++)
		if (c->asked[j] == i)
			return;
	if (c->n_asked < IKE_ASKED_MAX)
		c->asked[c->n_asked++] = (uint8_t)i;
}

/* Which of ours are issued under that authority; an empty name is any authority's (RFC 2408 3.10). */
static void take_request(struct ike_exchange *x, struct ike_certx *c, const uint8_t *dn, size_t len, const char *name)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, name);
	struct ike_engine *e = x->sa->e;
	const struct ike_trustpoint *tp, *first = NULL;
	char text[160];
	size_t i;

	for (i = 0; (tp = ike_trustpoint_at(e, i)); i++) {
		if (!ike_trust_method(tp->trust) || (len && !ike_trust_issued_by(tp->trust, dn, len)))
			continue;
		first = first ? first : tp;
		remember(c, i);
	}
	ike_log_limited(e, IKE_LOG_DEBUG, IKE_EV_CERT_REQUEST, &ctx, "the peer asks for a certificate of %s: %s%s",
			len ? ike_dn_format(dn, len, text, sizeof(text)) : "any authority",
			first ? "trustpoint " : "no trustpoint of ours has one", first ? first->name : "");
}

/* Only with signatures: else anybody could make us decode names. */
void ike_cert_take_requests(struct ike_exchange *x, const struct ike_msg *m, const char *name)
{
	struct ike_certx *c;
	unsigned int i, n = 0;

	if (!ike_auth_signs(x->sa->p1.auth) || !ike_msg_find(m, ISAKMP_NPTYPE_CR))
		return;
	c = ike_cert_state(x->sa);
	if (!c)
		return;
	if (c->generation != x->sa->e->trust_generation)
		c->n_asked = 0;
	c->generation = x->sa->e->trust_generation;
	for (i = 0; i < m->n && n < IKE_REQUESTS_MAX; i++) {
		const struct ike_payload *p = &m->p[i];

		if (p->type != ISAKMP_NPTYPE_CR)
			continue;
		n++;
		c->heard = true;
		/* Who wants PKCS#7 gets certificates one by one: every peer takes those. */
		if (p->body[0] == IKE_CERT_X509_SIGNATURE || p->body[0] == IKE_CERT_PKCS7)
			take_request(x, c, p->body + 1, p->len - 1, name);
	}
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Would a certificate of it be accepted from this peer? */
static bool is_wanted(const struct ike_ikesa *sa, const struct ike_trustpoint *tp)
{
	struct ike_tunnel *t = NULL;

	if (sa->initiator)
		return ike_profile_trusts(&sa->tunnel->cfg, tp->name);
	if (!sa->tunnel->cfg.narrow_requests)
		return true;
	while ((t = ike_tunnel_by_path(sa->e, &sa->path, t)))
		if (ike_profile_possible(sa, t) && ike_profile_trusts(&t->cfg, tp->name))
			return true;
	return false;
}

/* The message being written, which its step does not tell. */
static const char *writing(const struct ike_ikesa *sa, bool proof)
{
	if (sa->aggressive)
		return !sa->initiator ? "AM2" : proof ? "AM3" : "AM1";
	if (sa->initiator)
		return proof ? "MM5" : "MM3";
	return proof ? "MM6" : "MM4";
}

static void put_request(struct ike_exchange *x, struct ike_msgw *w, const struct ike_trustpoint *tp,
			const uint8_t *dn, size_t len)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, writing(x->sa, false));
	char text[160];

	ike_msgw_open(w, ISAKMP_NPTYPE_CR);
	ike_put8(&w->b, IKE_CERT_X509_SIGNATURE);
	ike_put_bytes(&w->b, dn, len);
	ike_msgw_close(w);
	ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_CERT_REQUEST, &ctx, "sending CERT_REQ for trustpoint %s (%s)",
			tp->name, ike_dn_format(dn, len, text, sizeof(text)));
}

void ike_cert_put_requests(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_trustpoint *tp;
	unsigned int n = 0;
	const uint8_t *dn;
	size_t i, j, len;

	if (!ike_auth_signs(x->sa->p1.auth))
		return;
	for (i = 0; (tp = ike_trustpoint_at(x->sa->e, i)); i++) {
		if (!is_wanted(x->sa, tp))
			continue;
		for (j = 0; n < IKE_REQUESTS_MAX && (dn = ike_trust_authority(tp->trust, j, &len)); j++, n++)
			put_request(x, w, tp, dn, len);
	}
}

/* ---- which one we send --------------------------------------------------------------------------- */

static bool serves(const struct ike_ikesa *sa, const struct ike_trustpoint *tp)
{
	return ike_trust_method(tp->trust) == sa->p1.auth && ike_profile_trusts(&sa->tunnel->cfg, tp->name);
}

/* The n-th that serves: of those the peer asked for, or of all. *count: how many there are. */
static const struct ike_trustpoint *nth(const struct ike_ikesa *sa, const struct ike_certx *asked, unsigned int n,
					unsigned int *count)
{
	size_t i, all = asked ? asked->n_asked : sa->e->n_trustpoints;
	const struct ike_trustpoint *tp, *found = NULL;

	*count = 0;
	for (i = 0; i < all; i++) {
		tp = ike_trustpoint_at(sa->e, asked ? asked->asked[i] : i);
		if (tp && serves(sa, tp) && (*count)++ == n)
			found = tp;
	}
	return found;
}

/* Number n of count that serve, and whether the peer asked for them. */
struct choice {
	bool asked;
	unsigned int n, count;
};

static void explain(struct ike_exchange *x, const struct ike_trustpoint *tp, const struct choice *ch)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, writing(x->sa, true));
	char subject[160], profile[IKE_PROFILE_TEXT];
	const uint8_t *dn;
	size_t len = 0;

	dn = ike_trust_subject(tp->trust, &len);
	ike_log_limited(x->sa->e, IKE_LOG_INFO, IKE_EV_CERT_USED, &ctx,
			"using the certificate %s of trustpoint %s (line %u): number %u of %u %s, for %s",
			ike_dn_format(dn, len, subject, sizeof(subject)), tp->name, tp->line, ch->n + 1, ch->count,
			ch->asked ? "that the peer's CERT_REQs name" : x->sa->cert && x->sa->cert->heard ?
			"there are, none of which the peer asked for" : "there are, the peer asked for none",
			ike_profile_name(&x->sa->tunnel->cfg, profile, sizeof(profile)));
}

static const struct ike_trustpoint *none(struct ike_exchange *x)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, writing(x->sa, true));
	char list[300], text[500], profile[IKE_PROFILE_TEXT];
	struct ike_ikesa *sa = x->sa;

	snprintf(text, sizeof(text), "no suitable trustpoint: %s has no key for %s in %s",
		 ike_profile_name(&sa->tunnel->cfg, profile, sizeof(profile)), ike_auth_name(sa->p1.auth),
		 ike_profile_trustpoints(&sa->tunnel->cfg, list, sizeof(list)));
	ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_CERT_USED, &ctx, "%s", text);
	ike_tunnel_set_error(sa->tunnel, text);
	return NULL;
}

static const struct ike_trustpoint *choose(struct ike_exchange *x, struct choice *ch)
{
	struct ike_certx *c = ike_cert_state(x->sa);
	const struct ike_tunnel *t = x->sa->tunnel;

	if (!c)
		return NULL;
	if (c->generation != x->sa->e->trust_generation)
		c->n_asked = 0;
	ch->asked = nth(x->sa, c, 0, &ch->count);
	if (!ch->asked)
		nth(x->sa, NULL, 0, &ch->count);
	if (!ch->count)
		return NULL;
	ch->n = x->initiator && t->cfg.next_certificate ? t->refused_certs % ch->count : 0;
	return nth(x->sa, ch->asked ? c : NULL, ch->n, &ch->count);
}

const struct ike_trustpoint *ike_cert_choose(struct ike_exchange *x)
{
	struct choice ch;

	return choose(x, &ch);
}

const struct ike_trustpoint *ike_cert_put(struct ike_exchange *x, struct ike_msgw *w)
{
	const struct ike_trustpoint *tp;
	const uint8_t *der;
	struct choice ch;
	size_t i, len;

	tp = choose(x, &ch);
	if (!tp)
		return none(x);
	snprintf(x->sa->cert->own, sizeof(x->sa->cert->own), "%s", tp->name);
	explain(x, tp, &ch);
	for (i = 0; (der = ike_trust_cert(tp->trust, i, &len)); i++) {
		ike_msgw_open(w, ISAKMP_NPTYPE_CERT);
		ike_put8(&w->b, IKE_CERT_X509_SIGNATURE);
		ike_put_bytes(&w->b, der, len);
		ike_msgw_close(w);
	}
	return tp;
}

void ike_cert_refused(struct ike_ikesa *sa, const char *how)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, writing(sa, true));
	struct ike_tunnel *t = sa->tunnel;
	char text[400], profile[IKE_PROFILE_TEXT];

	if (!ike_auth_signs(sa->p1.auth) || !sa->cert || !sa->cert->own[0])
		return;
	snprintf(text, sizeof(text), "the peer did not accept our certificate of trustpoint %s, sent for %s: %s; %s",
		 sa->cert->own, ike_profile_name(&t->cfg, profile, sizeof(profile)), how,
		 !sa->initiator ? "it began" : t->cfg.next_certificate ? "the next one is tried" :
		 "on-reject = next-certificate would try another one");
	if (sa->initiator && t->cfg.next_certificate)
		t->refused_certs++;
	ike_log(sa->e, IKE_LOG_WARNING, IKE_EV_CERT_REFUSED, &ctx, "%s", text);
	ike_tunnel_set_error(t, text);
}
