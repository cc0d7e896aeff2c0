// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ciphers of phase 1 in CBC mode (RFC 2409 Appendix B; AES: RFC 3602, 3DES: RFC 2451).
 * The numbers are those of the IANA registry "Encryption Algorithms". Never pads, never
 * chains: the caller owns padding and the IV. Keys do not stay in the cached context.
 */
#include "libike/crypto.h"
#include "libike/ike.h"
#include "thread.h"

#include <limits.h>

#include <openssl/err.h>

static const struct cipher {
	uint16_t number;
	uint16_t key_bits;		/* as negotiated: 0 for a fixed length */
	uint8_t key_len, block_len;	/* octets */
	const char *name;		/* to libcrypto */
} ciphers[IKECRYPTO_N_CIPHERS] = {
	{ 5, 0, 24, 8, "DES-EDE3-CBC" },
	{ 7, 128, 16, 16, "AES-128-CBC" },
	{ 7, 192, 24, 16, "AES-192-CBC" },
	{ 7, 256, 32, 16, "AES-256-CBC" },
};

size_t ike_crypto_block_len(uint16_t encr)
{
	int i;

	for (i = 0; i < IKECRYPTO_N_CIPHERS; i++)
		if (ciphers[i].number == encr)
			return ciphers[i].block_len;
	return 0;
}

size_t ike_crypto_key_len(uint16_t encr, uint16_t key_bits)
{
	int i;

	for (i = 0; i < IKECRYPTO_N_CIPHERS; i++)
		if (ciphers[i].number == encr && ciphers[i].key_bits == key_bits)
			return ciphers[i].key_len;
	return 0;
}

static int cipher_row(uint16_t encr, size_t key_len)
{
	int i;

	for (i = 0; i < IKECRYPTO_N_CIPHERS; i++)
		if (ciphers[i].number == encr && ciphers[i].key_len == key_len)
			return i;
	return -1;
}

static EVP_CIPHER *fetch_cipher(struct ikecrypto_thread *t, int row)
{
	if (!t->cipher_ctx)
		t->cipher_ctx = EVP_CIPHER_CTX_new();
	if (!t->cipher[row])
		t->cipher[row] = EVP_CIPHER_fetch(NULL, ciphers[row].name, NULL);
	return t->cipher_ctx ? t->cipher[row] : NULL;
}

int ike_crypto_cbc(uint16_t encr, const uint8_t *key, size_t key_len, const uint8_t *iv,
		   bool encrypt, uint8_t *data, size_t len)
{
	struct ikecrypto_thread *t = ikecrypto_thread();
	int row = cipher_row(encr, key_len);
	EVP_CIPHER *cipher;
	int ok, done = 0;

	if (row < 0 || len % ciphers[row].block_len || len > INT_MAX)
		return -IKE_E_INVALID;
	cipher = t ? fetch_cipher(t, row) : NULL;
	if (!cipher) {
		ERR_clear_error();
		return -IKE_E_CRYPTO;
	}
	ok = EVP_CipherInit_ex2(t->cipher_ctx, cipher, key, iv, encrypt, NULL) &&
	     EVP_CIPHER_CTX_set_padding(t->cipher_ctx, 0) &&
	     (!len || EVP_CipherUpdate(t->cipher_ctx, data, &done, data, (int)len)) &&
	     (size_t)done == len;
	/* Wipes the key schedule; the fetched cipher stays ours. */
	EVP_CIPHER_CTX_reset(t->cipher_ctx);
	if (!ok)
		ERR_clear_error();
	return ok ? 0 : -IKE_E_CRYPTO;
}
