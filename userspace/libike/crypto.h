/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between libike and a crypto library; implemented in ../ikecrypto over
 * OpenSSL 3 EVP and chosen at link time. Algorithm numbers are the IKEv1 ones of
 * ike.h. Everything is deterministic: randomness comes in from the caller, so that
 * a run can be repeated.
 *
 * Functions return 0 or -IKE_E_CRYPTO / -IKE_E_INVALID; outputs are written only
 * on success.
 */
#ifndef LIBIKE_CRYPTO_H
#define LIBIKE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IKE_HASH_MAX 64		/* octets of the longest hash */
#define IKE_BLOCK_MAX 16	/* octets of the longest cipher block */
#define IKE_DH_MAX 512		/* octets of the longest public value (modp4096) */

/* A piece of input; hashes and MACs run over a list of them. */
struct ike_chunk {
	const void *data;
	size_t len;
};

/* Octets of output, 0 for an unknown hash. */
size_t ike_crypto_hash_len(uint16_t hash);
int ike_crypto_hash(uint16_t hash, const struct ike_chunk *in, size_t n, uint8_t *out);
/* HMAC with that hash: the PRF of RFC 2409 4. */
int ike_crypto_hmac(uint16_t hash, const void *key, size_t key_len,
		    const struct ike_chunk *in, size_t n, uint8_t *out);

/* Octets of the cipher's block and key; 0 for an unknown cipher or a key length it does not have. */
size_t ike_crypto_block_len(uint16_t encr);
size_t ike_crypto_key_len(uint16_t encr, uint16_t key_bits);
/*
 * CBC without padding over whole blocks, in place. iv is not changed: the caller keeps the
 * last ciphertext block (RFC 2409 Appendix B).
 */
int ike_crypto_cbc(uint16_t encr, const uint8_t *key, size_t key_len, const uint8_t *iv,
		   bool encrypt, uint8_t *data, size_t len);

/* A Diffie-Hellman exchange in progress. */
struct ike_dh;

/* Octets of a public value on the wire (x and y for ECP, RFC 5903 7); 0 for an unknown group. */
size_t ike_crypto_dh_len(uint16_t group);
/* Octets of the shared secret: dh_len for MODP, the x coordinate for ECP (RFC 5903 9). */
size_t ike_crypto_dh_secret_len(uint16_t group);
/* Octets of randomness ike_crypto_dh_new wants for that group. */
size_t ike_crypto_dh_seed_len(uint16_t group);
/* Make a key pair from the caller's random octets. NULL when the group is unknown or memory is short. */
struct ike_dh *ike_crypto_dh_new(uint16_t group, const uint8_t *seed, size_t seed_len);
/* The public value, exactly ike_crypto_dh_len() octets. */
int ike_crypto_dh_public(const struct ike_dh *dh, uint8_t *out);
/*
 * The shared secret, exactly ike_crypto_dh_secret_len() octets, leading zeros kept. The peer's
 * value must be of exactly the group's length, 2 <= y <= p-2 for MODP, a point on the curve for
 * ECP; else -IKE_E_INVALID.
 */
int ike_crypto_dh_secret(const struct ike_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *out);
/* Wipes the private value. NULL is fine. */
void ike_crypto_dh_free(struct ike_dh *dh);

/* Compare in constant time. */
bool ike_crypto_equal(const void *a, const void *b, size_t len);
/* Overwrite so that the compiler cannot leave it out. */
void ike_crypto_wipe(void *p, size_t len);

#endif
