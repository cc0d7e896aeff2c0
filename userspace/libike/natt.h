/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NAT traversal (RFC 3947): which version both peers speak, whether there is a NAT and on
 * whose side, and the change to port 4500. All of it comes before the peer is authenticated
 * and decides about nothing but UDP encapsulation; where a peer is later on is roam.h's.
 *
 *	messages 1, 2	vendor IDs: ike_natt_announced(), ike_natt_offer()
 *	messages 3, 4	NAT-D: ike_natt_put(), ike_natt_take()
 *	message 5	the initiator floats: ike_natt_float(); the responder follows, see roam.h
 *
 * Aggressive mode has the same in fewer messages, so nothing here knows a mode.
 */
#ifndef LIBIKE_NATT_H
#define LIBIKE_NATT_H

#include "ike.h"
#include "msg.h"

struct ike_exchange;
struct ike_ikesa;

/* Of two, the later is the better one. The drafts have payload and attribute numbers of private use. */
enum ike_natt_version {
	IKE_NATT_NONE,
	IKE_NATT_DRAFT_02,
	IKE_NATT_DRAFT_02N,		/* with a newline at the end of its name, as most say it */
	IKE_NATT_DRAFT_03,
	IKE_NATT_RFC,
	IKE_NATT_VERSIONS
};

/* Part of an ISAKMP SA. */
struct ike_natt {
	enum ike_natt_version announced;	/* the peer's best; see ike_natt_version() */
	uint16_t began;			/* our port in the first message */
	bool here, peer;		/* the NAT is on our side, on the peer's */
	bool floated;			/* as initiator we went to port 4500 */
	bool encap;			/* ESP goes in UDP; known once the SA is established */
};

/* "RFC 3947", "draft 03" ...; NULL for none. */
const char *ike_natt_name(enum ike_natt_version v);
/* "NAT here", "NAT at the peer", "no NAT" ... */
const char *ike_natt_situation(const struct ike_natt *n);

/* The peer announced that version. */
void ike_natt_announced(struct ike_ikesa *sa, enum ike_natt_version v);
/* The one in use: announced by the peer and not forbidden here. */
enum ike_natt_version ike_natt_version(const struct ike_ikesa *sa);
/* Is this one to be announced: all of them by the initiator, the one chosen by the responder. */
bool ike_natt_offer(const struct ike_exchange *x, enum ike_natt_version v);

/* Our NAT-D payloads, if the peer knows them. 0 or -IKE_E_*. Cookies and hash are known. */
int ike_natt_put(struct ike_exchange *x, struct ike_msgw *w);
/* The peer's, in whatever order; fewer than two count as none. */
void ike_natt_take(struct ike_exchange *x, const struct ike_msg *m);
/* As initiator, before the message that authenticates us: to port 4500 if there is a NAT. */
void ike_natt_float(struct ike_exchange *x);
/* Phase 1 went silent with that change. */
bool ike_natt_float_failed(const struct ike_exchange *x);
/* The peer is authenticated: is ESP encapsulated? */
void ike_natt_established(struct ike_ikesa *sa);

/* Encapsulation mode attribute (RFC 2407 4.5, RFC 3947 5.1) for SAs made under sa. */
uint16_t ike_natt_mode(const struct ike_ikesa *sa);

#endif
