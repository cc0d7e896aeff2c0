// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAT traversal up to the authenticated peer. See natt.h.
 */
#include "natt.h"

#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "ikesa.h"
#include "tunnel.h"

static const struct version {
	const char *name;
	uint8_t natd;			/* payload type */
	uint16_t tunnel_mode;		/* encapsulation mode attribute */
} versions[IKE_NATT_VERSIONS] = {
	[IKE_NATT_DRAFT_02] = { "draft 02", IKE_NPTYPE_NATD_DRAFT, IKE_ENCAP_UDP_TUNNEL_DRAFT },
	[IKE_NATT_DRAFT_02N] = { "draft 02", IKE_NPTYPE_NATD_DRAFT, IKE_ENCAP_UDP_TUNNEL_DRAFT },
	[IKE_NATT_DRAFT_03] = { "draft 03", IKE_NPTYPE_NATD_DRAFT, IKE_ENCAP_UDP_TUNNEL_DRAFT },
	[IKE_NATT_RFC] = { "RFC 3947", ISAKMP_NPTYPE_NATD, IKE_ENCAP_UDP_TUNNEL },
};

const char *ike_natt_name(enum ike_natt_version v)
{
	return versions[v].name;
}

static bool is_forced(const struct ike_ikesa *sa)
{
	return sa->tunnel->cfg.encapsulation == IKE_ENCAPSULATION_FORCE;
}

/* Anything that ESP packets must not go through bare. */
static bool wants_udp(const struct ike_ikesa *sa)
{
	return ike_natt_version(sa) != IKE_NATT_NONE && (sa->natt.here || sa->natt.peer || is_forced(sa));
}

/* ---- versions ---------------------------------------------------------------------------- */

void ike_natt_announced(struct ike_ikesa *sa, enum ike_natt_version v)
{
	if (v > sa->natt.announced)
		sa->natt.announced = v;
}

enum ike_natt_version ike_natt_version(const struct ike_ikesa *sa)
{
	return sa->tunnel->cfg.encapsulation == IKE_ENCAPSULATION_NEVER ? IKE_NATT_NONE : sa->natt.announced;
}

bool ike_natt_offer(const struct ike_exchange *x, enum ike_natt_version v)
{
	if (x->initiator)
		return x->sa->tunnel->cfg.encapsulation != IKE_ENCAPSULATION_NEVER;
	return v == ike_natt_version(x->sa);
}

/* ---- NAT-D ------------------------------------------------------------------------------- */

/* HASH(CKY-I | CKY-R | address | port), RFC 3947 3.2. Returns its length, 0 on failure. */
static size_t natd_hash(const struct ike_ikesa *sa, const struct ike_addr *a, uint8_t out[IKE_HASH_MAX])
{
	const uint8_t port[2] = { (uint8_t)(a->port >> 8), (uint8_t)a->port };
	const struct ike_chunk in[] = {
		{ sa->icookie, IKE_COOKIE_LEN }, { sa->rcookie, IKE_COOKIE_LEN },
		{ a->ip, ike_addr_len(a->family) }, { port, sizeof(port) },
	};

	if (ike_crypto_hash(sa->p1.alg.hash, in, sizeof(in) / sizeof(in[0]), out))
		return 0;
	return ike_crypto_hash_len(sa->p1.alg.hash);
}

static int put_one(const struct ike_ikesa *sa, struct ike_msgw *w, const struct ike_addr *a)
{
	uint8_t hash[IKE_HASH_MAX];
	size_t len = natd_hash(sa, a, hash);

	if (!len)
		return -IKE_E_CRYPTO;
	ike_msgw_payload(w, versions[ike_natt_version(sa)].natd, hash, len);
	return 0;
}

int ike_natt_put(struct ike_exchange *x, struct ike_msgw *w)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_addr local = sa->path.local;
	int err;

	if (ike_natt_version(sa) == IKE_NATT_NONE)
		return 0;
	/* Nobody has this address: the peer finds a NAT on our side. */
	if (is_forced(sa))
		local = (struct ike_addr){ .family = local.family };
	/* The peer's address first (RFC 3947 3.2): some tell them by their place. */
	err = put_one(sa, w, &sa->path.remote);
	return err ? err : put_one(sa, w, &local);
}

static bool is_natd(const struct ike_payload *p)
{
	return p->type == ISAKMP_NPTYPE_NATD || p->type == IKE_NPTYPE_NATD_DRAFT;
}

static bool has_hash_of(const struct ike_msg *m, const struct ike_ikesa *sa, const struct ike_addr *a)
{
	uint8_t hash[IKE_HASH_MAX];
	size_t len = natd_hash(sa, a, hash);
	unsigned int i;

	for (i = 0; i < m->n && len; i++)
		if (is_natd(&m->p[i]) && m->p[i].len == len && !memcmp(m->p[i].body, hash, len))
			return true;
	return false;
}

const char *ike_natt_situation(const struct ike_natt *n)
{
	if (n->here)
		return n->peer ? "NAT here and at the peer" : "NAT here";
	return n->peer ? "NAT at the peer" : "no NAT";
}

/*
 * Peers differ in the order and the number of them (one for each address they have), so what
 * counts is whether the address we see is among them.
 */
void ike_natt_take(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, NULL);
	const struct ike_path *seen = x->sa->e->from;
	unsigned int n = ike_msg_count(m, ISAKMP_NPTYPE_NATD) + ike_msg_count(m, IKE_NPTYPE_NATD_DRAFT);
	struct ike_ikesa *sa = x->sa;

	if (ike_natt_version(sa) == IKE_NATT_NONE || !seen)
		return;
	if (n < 2) {
		ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_NATT, &ctx,
				"%u NAT-D payloads instead of two or more: taken for no NAT", n);
		return;
	}
	sa->natt.here = !has_hash_of(m, sa, &seen->local);
	sa->natt.peer = !has_hash_of(m, sa, &seen->remote);
	ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_NATT, &ctx, "%s (%s)%s",
			ike_natt_situation(&sa->natt), ike_natt_name(ike_natt_version(sa)),
			is_forced(sa) ? ", UDP encapsulation is forced" : "");
}

/* ---- to port 4500 ------------------------------------------------------------------------ */

void ike_natt_float(struct ike_exchange *x)
{
	struct ike_ikesa *sa = x->sa;

	if (!wants_udp(sa) || sa->path.local.port == IKE_NATT_PORT)
		return;
	sa->path.local.port = IKE_NATT_PORT;
	sa->path.remote.port = IKE_NATT_PORT;
	sa->natt.floated = true;
}

bool ike_natt_float_failed(const struct ike_exchange *x)
{
	/* A peer that says anything at all can be reached. */
	return x->sa->natt.floated && !x->n_garbled && !x->sa->tunnel->hint[0];
}

/*
 * As responder we take what the initiator made of it: with another view of the matter it floats
 * where we see no NAT, or stays where we see one.
 */
static bool is_encapsulated(const struct ike_ikesa *sa)
{
	if (ike_natt_version(sa) == IKE_NATT_NONE || sa->path.local.port != IKE_NATT_PORT)
		return false;
	return wants_udp(sa) || sa->natt.began != IKE_NATT_PORT;
}

void ike_natt_established(struct ike_ikesa *sa)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_natt *n = &sa->natt;

	n->encap = is_encapsulated(sa);
	if (n->encap)
		ike_log(sa->e, IKE_LOG_INFO, IKE_EV_NATT, &ctx, "%s: ESP goes in UDP (%s)",
			ike_natt_situation(n), ike_natt_name(ike_natt_version(sa)));
	else if (wants_udp(sa))
		ike_log(sa->e, IKE_LOG_WARNING, IKE_EV_NATT, &ctx,
			"%s, but the peer stays on port %u: ESP goes bare and may not get through",
			ike_natt_situation(n), sa->path.local.port);
	else if (is_forced(sa))
		ike_log(sa->e, IKE_LOG_WARNING, IKE_EV_NATT, &ctx,
			"encapsulation = force (line %u), but the peer does not announce NAT traversal: ESP goes bare",
			sa->tunnel->cfg.line);
}

uint16_t ike_natt_mode(const struct ike_ikesa *sa)
{
	return sa->natt.encap ? versions[ike_natt_version(sa)].tunnel_mode : IKE_ENCAP_TUNNEL;
}
