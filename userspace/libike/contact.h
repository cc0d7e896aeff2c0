/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INITIAL-CONTACT (RFC 2407 4.6.3.3): who sends it knows nothing of earlier SAs with this peer, so
 * the peer may let them go. We say so in MM5 or AM3, encrypted, the first time we meet an identity and have
 * nothing with it, adopted SAs included. We believe it only from a peer that has proved itself, and
 * what goes is older than the negotiation that brought it and of the same identities: never what
 * somebody else at that address has. No HASH covers it in MM5: somebody on the path who changes it
 * there makes the negotiation fail, which he could by dropping MM5 as well.
 */
#ifndef LIBIKE_CONTACT_H
#define LIBIKE_CONTACT_H

#include "exchange.h"

/* Into our last message of phase 1 as initiator, if it is true. */
void ike_contact_put(struct ike_exchange *x, struct ike_msgw *w);
/* The peer's last message of phase 1, its proof verified: does it have one? */
void ike_contact_take(struct ike_exchange *x, const struct ike_msg *m);
/* One has come under sa, authenticated; message: in which. */
void ike_contact_initial(struct ike_ikesa *sa, const char *message);
/* The peer is met, by negotiation or because a former keyer had SAs with it. */
void ike_contact_made(struct ike_tunnel *t);

#endif
