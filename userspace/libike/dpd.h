/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dead peer detection, RFC 3706: is the peer of an ISAKMP SA still there? Proof of life is
 * whatever has authenticated, IKE message or ESP packet; only when both have been silent for
 * the tunnel's dpd time is the peer asked, and only one that said it answers. One question is
 * under way at a time, repeated with its number; a peer that leaves all of them unanswered is
 * dead: its SAs go, and the tunnel does what its start mode says. Never sends for an SA that is
 * not the one in use.
 */
#ifndef LIBIKE_DPD_H
#define LIBIKE_DPD_H

#include "ikesa.h"
#include "payload.h"

#define IKE_DPD_REPEATS 5			/* questions before a silent peer is dead */
#define IKE_DPD_INTERVAL (2 * IKE_SECOND)	/* between them, and after the last */
#define IKE_DPD_KERNEL (1 * IKE_SECOND)		/* for the kernel to tell of ESP, before the first and after the last */

/* sa has come up, or its tunnel's dpd time has changed. */
void ike_dpd_start(struct ike_ikesa *sa);
/* The timer of sa->dpd. */
void ike_dpd_due(struct ike_engine *e, void *owner);
/* An authenticated R-U-THERE or R-U-THERE-ACK. */
void ike_dpd_notify(struct ike_exchange *x, const struct ike_notify *n);
/* Ask whether it is the peer that the kernel has seen at sa->roam.candidate. */
void ike_dpd_probe(struct ike_ikesa *sa);
/* The last packet on an inbound SA of t authenticated at 'at'. */
void ike_dpd_traffic(struct ike_tunnel *t, ike_time at);

#endif
