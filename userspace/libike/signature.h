/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures as proof of phase 1 (RFC 2409 5.1, RFC 4754): CERT and SIG payloads, and the
 * certificate behind them against what the profile trusts.
 */
#ifndef LIBIKE_SIGNATURE_H
#define LIBIKE_SIGNATURE_H

#include "exchange.h"
#include "proof.h"

/* Writes our certificates and the signature over the hash of that ID. 0 or -IKE_E_*. */
int ike_signature_put(struct ike_exchange *x, struct ike_msgw *w, struct ike_chunk id_b);
/* The peer's certificates and signature; adds possession to p. Logged where it is not IKE_OK. */
enum ike_verdict ike_signature_take(struct ike_exchange *x, const struct ike_msg *m, struct ike_chunk id_b,
				    struct ike_proof *p);
/* Is the certificate good for the tunnel the peer means (x->sa->tunnel)? Adds the rest to p. */
enum ike_verdict ike_signature_trust(struct ike_exchange *x, struct ike_proof *p);

#endif
