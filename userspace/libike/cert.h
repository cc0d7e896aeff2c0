/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates in phase 1 (RFC 2408 3.9, 3.10; RFC 4945 3.2, 3.3): asking for them, being asked,
 * which of ours is sent.
 *
 *	an initiator asks in MM3 for those its profile trusts, or all; a responder in MM4 for all,
 *	for it does not know the profile before MM5, or (narrow_requests) for those that tunnels
 *	of that peer trust; in the order of the configuration.
 *
 * We send the certificate of the first of the peer's requests, in its order, that one of our
 * trustpoints can serve: with a key for the method negotiated, and in the profile. Who asks for
 * nothing we have gets the first there is.
 */
#ifndef LIBIKE_CERT_H
#define LIBIKE_CERT_H

#include "exchange.h"
#include "pki.h"

#define IKE_REQUESTS_MAX 32		/* CERT_REQ payloads sent, and looked at, in one message */
#define IKE_ASKED_MAX 16		/* trustpoints of ours that a peer asked for, remembered */

/* What an ISAKMP SA knows of certificates. */
struct ike_certx {
	unsigned int generation;	/* of the configuration that asked[] counts in */
	uint8_t asked[IKE_ASKED_MAX];	/* ours that the peer named, in its order */
	uint8_t n_asked;
	bool heard;			/* it asked for something */
	char own[IKE_NAME_MAX + 1];	/* trustpoint whose certificate we sent; "": none yet */
	char peer[IKE_NAME_MAX + 1];	/* trustpoint that made us trust the peer's */
};

/* Take note of the CERT_REQ payloads of a message; not with a pre-shared key. */
void ike_cert_take_requests(struct ike_exchange *x, const struct ike_msg *m, const char *name);
void ike_cert_put_requests(struct ike_exchange *x, struct ike_msgw *w);
/* The trustpoint whose key signs and whose certificate goes out; NULL: there is none. */
const struct ike_trustpoint *ike_cert_choose(struct ike_exchange *x);
/* The same, with its CERT payloads written and the choice logged. */
const struct ike_trustpoint *ike_cert_put(struct ike_exchange *x, struct ike_msgw *w);
/* The peer did not take our certificate (or stays silent): say so, and perhaps try another one next time. */
void ike_cert_refused(struct ike_ikesa *sa, const char *how);
/* The i-th trustpoint of the engine; NULL: there are no more. */
const struct ike_trustpoint *ike_trustpoint_at(const struct ike_engine *e, size_t i);
/* NULL when memory is short. */
struct ike_certx *ike_cert_state(struct ike_ikesa *sa);

#endif
