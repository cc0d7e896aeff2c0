/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication of phase 1 (RFC 2409 5): ID and proof, which is HASH_I or HASH_R with a
 * pre-shared key, SIG_I or SIG_R and certificates with signatures; and which tunnel the
 * authenticated peer means. Until possession of the key is proven nothing a message says ends a
 * negotiation: it is dropped and the real one may still come.
 *
 * Knows no mode: ID and proof may come in one message (main mode, AM2) or the ID before (AM1 and
 * AM3), in clear or encrypted. What a message must hold is its step's table's business.
 */
#ifndef LIBIKE_AUTH_H
#define LIBIKE_AUTH_H

#include "exchange.h"

/* Writes our ID, for a first message that says it before anything is proven. 0 or -IKE_E_*. */
int ike_auth_put_id(struct ike_exchange *x, struct ike_msgw *w);
/* Writes ID, unless the first message had it, and the proof. 0 or -IKE_E_*. */
int ike_auth_put(struct ike_exchange *x, struct ike_msgw *w);
/* The peer's proof, and its ID unless the first message had it; logged where it is not IKE_OK. */
enum ike_verdict ike_auth_take(struct ike_exchange *x, const struct ike_msg *m);
/* The mode's callback: an authenticating message that does not come out right. */
void ike_auth_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why);

/* ---- for signature.c ---------------------------------------------------------------------------- */

/*
 * The hash that proves, RFC 2409 5: HASH_I when the initiator's ID is meant, else HASH_R; with
 * the hash that the method signs. *len octets at out (IKE_HASH_MAX). 0 or -IKE_E_*.
 */
int ike_auth_hash(struct ike_exchange *x, bool initiators, struct ike_chunk id_b, uint8_t *out, size_t *len);
/*
 * The peer has proven possession of some key but is refused: tell it, log text, end the
 * negotiation. IKE_FAIL; or IKE_DROP where that key may be anybody's.
 */
enum ike_verdict ike_auth_refuse(struct ike_exchange *x, uint16_t notify, const char *event, const char *text);

#endif
