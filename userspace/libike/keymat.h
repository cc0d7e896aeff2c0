/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key derivation and the HASHes of RFC 2409, as functions of plain octet strings. Each
 * formula carries its section. Owns no state: callers keep, and wipe, what comes out.
 */
#ifndef LIBIKE_KEYMAT_H
#define LIBIKE_KEYMAT_H

#include "buf.h"
#include "crypto.h"
#include "ike.h"

#define IKE_KEY_MAX 32			/* octets of the longest cipher key of ours */
#define IKE_KEYMAT_MAX 128		/* octets of the longest ESP keying material */

/* What the formulas take: the octets of a blob, still its own. */
static inline struct ike_chunk ike_blob_chunk(const struct ike_blob *b)
{
	return (struct ike_chunk){ b->data, b->len };
}

/* SKEYID and the three keys made of it, each of the PRF's length. */
struct ike_skeyid {
	uint16_t hash;
	size_t len;
	uint8_t skeyid[IKE_HASH_MAX];
	uint8_t d[IKE_HASH_MAX], a[IKE_HASH_MAX], e[IKE_HASH_MAX];
};

/* SKEYID = prf(pre-shared-key, Ni_b | Nr_b). RFC 2409 5. */
int ike_skeyid_psk(struct ike_skeyid *k, uint16_t hash, const void *psk, size_t psk_len,
		   struct ike_chunk ni, struct ike_chunk nr);
/* SKEYID = prf(Ni_b | Nr_b, g^xy), for signatures. RFC 2409 5.1. */
int ike_skeyid_signature(struct ike_skeyid *k, uint16_t hash, struct ike_chunk gxy,
			 struct ike_chunk ni, struct ike_chunk nr);
/* SKEYID_d, _a, _e from SKEYID, g^xy and the cookies. RFC 2409 5. */
int ike_skeyid_expand(struct ike_skeyid *k, struct ike_chunk gxy,
		      const uint8_t icookie[IKE_COOKIE_LEN], const uint8_t rcookie[IKE_COOKIE_LEN]);
/* The phase 1 cipher key out of SKEYID_e, stretched when it is longer. RFC 2409 Appendix B. */
int ike_cipher_key(const struct ike_skeyid *k, uint8_t *key, size_t len);

/*
 * HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b); for HASH_R the caller
 * swaps publics and cookies and gives IDir_b. RFC 2409 5.
 */
int ike_hash_phase1(const struct ike_skeyid *k, struct ike_chunk mine, struct ike_chunk theirs,
		    const uint8_t *my_cookie, const uint8_t *their_cookie,
		    struct ike_chunk sai_b, struct ike_chunk id_b, uint8_t *out);
/* The same with another hash in the PRF: ECDSA signs with its curve's, whatever was negotiated (RFC 4754). */
int ike_hash_phase1_by(uint16_t hash, const struct ike_skeyid *k, struct ike_chunk mine, struct ike_chunk theirs,
		       const uint8_t *my_cookie, const uint8_t *their_cookie,
		       struct ike_chunk sai_b, struct ike_chunk id_b, uint8_t *out);
/* HASH(1) = prf(SKEYID_a, M-ID | rest of the message). RFC 2409 5.5, 5.7. */
int ike_hash1(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk rest, uint8_t *out);
/* HASH(2) = prf(SKEYID_a, M-ID | Ni_b | rest of the message). RFC 2409 5.5. */
int ike_hash2(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk ni,
	      struct ike_chunk rest, uint8_t *out);
/* HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b). RFC 2409 5.5. */
int ike_hash3(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk ni, struct ike_chunk nr,
	      uint8_t *out);

/* First IV of phase 1: hash(g^xi | g^xr), cut to the block. RFC 2409 Appendix B. */
int ike_iv_phase1(uint16_t hash, struct ike_chunk gxi, struct ike_chunk gxr, uint8_t *iv, size_t len);
/* First IV of a message ID: hash(last phase 1 block | M-ID), cut to the block. RFC 2409 Appendix B. */
int ike_iv_msgid(uint16_t hash, struct ike_chunk last, uint32_t msgid, uint8_t *iv, size_t len);

/*
 * KEYMAT = prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b), stretched to len octets.
 * The SPI is the one of the SA's receiver. gxy.len 0: no PFS. RFC 2409 5.5.
 */
int ike_keymat(const struct ike_skeyid *k, struct ike_chunk gxy, uint8_t proto, uint32_t spi,
	       struct ike_chunk ni, struct ike_chunk nr, uint8_t *out, size_t len);
/* Octets of cipher key (salt included) and hash key an ESP transform needs; 0: unknown. */
size_t ike_esp_encr_len(const struct ike_p2_proposal *p);
size_t ike_esp_auth_len(const struct ike_p2_proposal *p);
bool ike_esp_known(const struct ike_p2_proposal *p);
/* A transform with a key length attribute; one that authenticates by itself, so no hash goes with it. */
bool ike_esp_is_aes(uint8_t transform);
bool ike_esp_combined(uint8_t transform);

#endif
