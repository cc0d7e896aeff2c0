/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication of phase 1 (RFC 2409 5): ID and HASH_I or HASH_R, and which tunnel the
 * authenticated peer means. Until the proof is verified nothing a message says ends a
 * negotiation: it is dropped and the real one may still come.
 */
#ifndef LIBIKE_AUTH_H
#define LIBIKE_AUTH_H

#include "exchange.h"

/* Writes our ID, for a first message that says it before anything is proven. 0 or -IKE_E_*. */
int ike_auth_put_id(struct ike_exchange *x, struct ike_msgw *w);
/* Writes ID, unless the first message had it, and HASH_I or HASH_R. 0 or -IKE_E_*. */
int ike_auth_put(struct ike_exchange *x, struct ike_msgw *w);
/* The peer's; logged where it is not IKE_OK. */
enum ike_verdict ike_auth_take(struct ike_exchange *x, const struct ike_msg *m);
/* The mode's callback: an authenticating message that does not come out right. */
void ike_auth_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why);

#endif
