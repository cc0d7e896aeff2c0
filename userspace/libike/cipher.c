// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message encryption. See cipher.h. Keeps no state of its own.
 */
#include "cipher.h"

#include <string.h>

int ike_cipher_setup(struct ike_ikesa *sa, struct ike_chunk gxi, struct ike_chunk gxr, uint8_t *iv)
{
	sa->key_len = ike_crypto_key_len(sa->p1.alg.encr, sa->p1.alg.key_bits);
	sa->block = ike_crypto_block_len(sa->p1.alg.encr);
	if (!sa->key_len || sa->key_len > sizeof(sa->key) || !sa->block)
		return -IKE_E_CRYPTO;
	if (ike_cipher_key(&sa->k, sa->key, sa->key_len))
		return -IKE_E_CRYPTO;
	return ike_iv_phase1(sa->p1.alg.hash, gxi, gxr, iv, sa->block);
}

int ike_cipher_iv(const struct ike_ikesa *sa, uint32_t msgid, uint8_t *iv)
{
	const struct ike_chunk last = { sa->last_block, sa->block };

	return ike_iv_msgid(sa->p1.alg.hash, last, msgid, iv, sa->block);
}

static int check_len(const struct ike_ikesa *sa, size_t len)
{
	if (!sa->block || len <= ISAKMP_HDR_LEN || (len - ISAKMP_HDR_LEN) % sa->block)
		return -IKE_E_PARSE;
	return 0;
}

int ike_cipher_decrypt(const struct ike_ikesa *sa, const uint8_t *iv, uint8_t *next_iv,
		       uint8_t *msg, size_t len)
{
	uint8_t last[IKE_BLOCK_MAX];
	int err = check_len(sa, len);

	if (err)
		return err;
	memcpy(last, msg + len - sa->block, sa->block);
	err = ike_crypto_cbc(sa->p1.alg.encr, sa->key, sa->key_len, iv, false,
			     msg + ISAKMP_HDR_LEN, len - ISAKMP_HDR_LEN);
	if (!err)
		memcpy(next_iv, last, sa->block);
	return err;
}

int ike_cipher_encrypt(const struct ike_ikesa *sa, const uint8_t *iv, uint8_t *next_iv,
		       uint8_t *msg, size_t len)
{
	int err = check_len(sa, len);

	if (err)
		return err;
	err = ike_crypto_cbc(sa->p1.alg.encr, sa->key, sa->key_len, iv, true,
			     msg + ISAKMP_HDR_LEN, len - ISAKMP_HDR_LEN);
	if (!err)
		memcpy(next_iv, msg + len - sa->block, sa->block);
	return err;
}
