/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two kinds of Diffie-Hellman groups behind dh.c: MODP (modp.c) and ECP (ecp.c). Both
 * work on libcrypto's big numbers and curves, not on EVP_PKEY: an EVP_PKEY makes its private
 * value itself, and here that value comes from the caller. Internal to ikecrypto.
 */
#ifndef IKECRYPTO_GROUP_H
#define IKECRYPTO_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/bn.h>
#include <openssl/ec.h>

struct ikecrypto_group {
	uint16_t number;		/* RFC 2409 6, RFC 3526, RFC 5903 */
	uint16_t field_len;		/* octets of p */
	uint16_t seed_len;		/* octets of randomness for a private value */
	BIGNUM *(*prime)(BIGNUM *bn);	/* MODP: gives p; NULL for ECP */
	int curve;			/* ECP: libcrypto's number */
	/* Made on first use, then never changed, so threads share them. */
	BIGNUM *p;
	BN_MONT_CTX *mont;		/* MODP */
	EC_GROUP *ec;			/* ECP */
};

/*
 * All return 0, -IKE_E_INVALID for a peer's value that must not be used, or -IKE_E_CRYPTO.
 * x is the private value; out has room for the public value or the secret.
 */
int ikecrypto_modp_setup(struct ikecrypto_group *g);
int ikecrypto_modp_private(const struct ikecrypto_group *g, const uint8_t *seed, BIGNUM *x);
int ikecrypto_modp_public(const struct ikecrypto_group *g, const BIGNUM *x, uint8_t *out);
int ikecrypto_modp_secret(const struct ikecrypto_group *g, const BIGNUM *x, const uint8_t *peer, uint8_t *out);

int ikecrypto_ecp_setup(struct ikecrypto_group *g);
int ikecrypto_ecp_private(const struct ikecrypto_group *g, const uint8_t *seed, BIGNUM *x);
int ikecrypto_ecp_public(const struct ikecrypto_group *g, const BIGNUM *x, uint8_t *out);
int ikecrypto_ecp_secret(const struct ikecrypto_group *g, const BIGNUM *x, const uint8_t *peer, uint8_t *out);

#endif
