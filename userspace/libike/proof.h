/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proof that the peer of an ISAKMP SA is who it says it is. The one thing that lets an SA become
 * established (ike_ikesa_authenticated, ike_ikesa_establish), and only the functions here can
 * complete one, each by checking what it stands for: nobody else knows what is inside. Nothing a
 * peer says about its abilities (vendor IDs, notifies) comes in here.
 *
 *	pre-shared key	possession (HASH)
 *	signature	possession (SIG), a trusted certificate, the identity in it
 */
#ifndef LIBIKE_PROOF_H
#define LIBIKE_PROOF_H

#include "crypto.h"
#include "pki.h"

struct ike_ikesa;
struct ike_proof;

/* Nothing is proven yet. The method is the one negotiated for sa. NULL when memory is short. */
struct ike_proof *ike_proof_new(const struct ike_ikesa *sa, const struct ike_id *id);
void ike_proof_free(struct ike_proof *p);

/* Possession of the pre-shared key: the peer's HASH is the expected one. */
bool ike_proof_hash(struct ike_proof *p, struct ike_chunk expected, struct ike_chunk hash);
/* Certificates the peer sent; see ike_certs_add(). */
int ike_proof_cert(struct ike_proof *p, uint8_t encoding, const uint8_t *data, size_t len, const char **why);
/* Possession of a certificate's key: the signature is over the expected hash. */
bool ike_proof_signature(struct ike_proof *p, struct ike_chunk expected, struct ike_chunk sig);
/* Trust in that certificate, under a policy word. 0 or -IKE_E_*; r->why says why not. */
int ike_proof_trusted(struct ike_proof *p, const struct ike_trust *t, int64_t wall, enum ike_policy policy,
		      struct ike_cert_report *r);
/* The identity is one that certificate carries. */
bool ike_proof_identity(struct ike_proof *p);

/* Complete, and of this SA? p may be NULL. */
bool ike_proof_holds(const struct ike_proof *p, const struct ike_ikesa *sa);
const struct ike_id *ike_proof_id(const struct ike_proof *p);
/* The peer's certificates; NULL without signature. */
const struct ike_certs *ike_proof_certs(const struct ike_proof *p);

#endif
