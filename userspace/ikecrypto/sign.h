/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of phase 1: RSA as PKCS#1 v1.5 over the bare hash, without DigestInfo (RFC 2409
 * 5.1), ECDSA as r | s of fixed length (RFC 4754). Internal to ikecrypto, and its tests.
 */
#ifndef IKECRYPTO_SIGN_H
#define IKECRYPTO_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

/* The authentication method a key serves, 0: none (unknown type or curve, RSA of odd shape). */
uint16_t ikecrypto_key_method(EVP_PKEY *key);
/* *len is in: room, out: octets. 0 or -IKE_E_CRYPTO. */
int ikecrypto_sign(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, uint8_t *sig, size_t *len);
/* True only for the one signature of exactly this hash, length and encoding. */
bool ikecrypto_verify(EVP_PKEY *key, uint16_t method, const uint8_t *hash, size_t hash_len,
		      const uint8_t *sig, size_t len);

#endif
