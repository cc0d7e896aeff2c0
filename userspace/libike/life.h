/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RESPONDER-LIFETIME (RFC 2407 4.6.3.1): a responder has to return the initiator's transform as it
 * was, lifetimes included; where its own are lower it says so in a notify, in QM2 or in a protected
 * informational message after phase 1. A lifetime is only ever lowered by it.
 */
#ifndef LIBIKE_LIFE_H
#define LIBIKE_LIFE_H

#include "exchange.h"
#include "payload.h"
#include "proposal.h"

/* Responder: into QM2, if our lifetimes are the lower ones. */
void ike_life_put(const struct ike_child *c, struct ike_msgw *w);
/* Initiator: what QM2 says, into the choice. */
void ike_life_take(struct ike_exchange *x, const struct ike_msg *m, struct ike_p2_choice *c);
/* Responder: phase 1 is through; tell the initiator if ours is the lower one. */
void ike_life_tell(struct ike_ikesa *sa);
/* Initiator: one came in an informational message, authenticated. */
void ike_life_notify(struct ike_exchange *x, const struct ike_notify *n);

#endif
