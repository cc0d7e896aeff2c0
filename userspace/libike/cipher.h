/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption of message bodies under an ISAKMP SA (RFC 2409 Appendix B). Chaining: the
 * IV of a message is the last ciphertext block of the one before with the same message
 * ID; callers decide when a new IV counts.
 */
#ifndef LIBIKE_CIPHER_H
#define LIBIKE_CIPHER_H

#include "ikesa.h"

/* Derive cipher key and first phase 1 IV once SKEYID_e is known. 0 or -IKE_E_CRYPTO. */
int ike_cipher_setup(struct ike_ikesa *sa, struct ike_chunk gxi, struct ike_chunk gxr, uint8_t *iv);
/* The first IV of a message ID. */
int ike_cipher_iv(const struct ike_ikesa *sa, uint32_t msgid, uint8_t *iv);
/*
 * In place behind the header. iv is read; next_iv (may be iv itself) becomes the last
 * ciphertext block. -IKE_E_PARSE when the body is no whole number of blocks.
 */
int ike_cipher_decrypt(const struct ike_ikesa *sa, const uint8_t *iv, uint8_t *next_iv,
		       uint8_t *msg, size_t len);
int ike_cipher_encrypt(const struct ike_ikesa *sa, const uint8_t *iv, uint8_t *next_iv,
		       uint8_t *msg, size_t len);

#endif
