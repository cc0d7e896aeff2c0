// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hashes and HMAC (the PRF of RFC 2409 4) over lists of chunks. The numbers are those of
 * RFC 2409 Appendix A and the IANA registry "Hash Algorithms". Never truncates: who wants
 * fewer octets takes fewer. Keys do not stay in the cached contexts.
 */
#include "libike/crypto.h"
#include "libike/ike.h"
#include "thread.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

static const struct hash {
	uint16_t number;
	uint8_t len;			/* octets of output */
	const char *name;		/* to libcrypto */
} hashes[IKECRYPTO_N_HASHES] = {
	{ 1, 16, "MD5" },
	{ 2, 20, "SHA1" },
	{ 4, 32, "SHA256" },
	{ 5, 48, "SHA384" },
	{ 6, 64, "SHA512" },
};

/* Row in the table, -1 for an unknown hash. */
static int hash_row(uint16_t number)
{
	int i;

	for (i = 0; i < IKECRYPTO_N_HASHES; i++)
		if (hashes[i].number == number)
			return i;
	return -1;
}

static int crypto_error(void)
{
	ERR_clear_error();
	return -IKE_E_CRYPTO;
}

size_t ike_crypto_hash_len(uint16_t hash)
{
	int row = hash_row(hash);

	return row < 0 ? 0 : hashes[row].len;
}

static EVP_MD *fetch_md(struct ikecrypto_thread *t, int row)
{
	if (!t->md_ctx)
		t->md_ctx = EVP_MD_CTX_new();
	if (!t->md[row])
		t->md[row] = EVP_MD_fetch(NULL, hashes[row].name, NULL);
	return t->md_ctx ? t->md[row] : NULL;
}

int ike_crypto_hash(uint16_t hash, const struct ike_chunk *in, size_t n, uint8_t *out)
{
	struct ikecrypto_thread *t = ikecrypto_thread();
	uint8_t digest[IKE_HASH_MAX];
	int row = hash_row(hash);
	EVP_MD *md;
	size_t i;
	int ok;

	if (row < 0)
		return -IKE_E_INVALID;
	md = t ? fetch_md(t, row) : NULL;
	if (!md)
		return crypto_error();
	ok = EVP_DigestInit_ex2(t->md_ctx, md, NULL);
	for (i = 0; ok && i < n; i++)
		if (in[i].len)
			ok = EVP_DigestUpdate(t->md_ctx, in[i].data, in[i].len);
	if (!ok || !EVP_DigestFinal_ex(t->md_ctx, digest, NULL))
		return crypto_error();
	memcpy(out, digest, hashes[row].len);
	ike_crypto_wipe(digest, sizeof(digest));
	return 0;
}

/* A context with its digest already looked up: a new key then needs no search. */
static EVP_MAC_CTX *fetch_hmac(struct ikecrypto_thread *t, int row)
{
	OSSL_PARAM params[2] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)hashes[row].name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx;

	if (t->hmac_ctx[row])
		return t->hmac_ctx[row];
	if (!t->hmac)
		t->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!t->hmac)
		return NULL;
	ctx = EVP_MAC_CTX_new(t->hmac);
	if (ctx && !EVP_MAC_CTX_set_params(ctx, params)) {
		EVP_MAC_CTX_free(ctx);
		ctx = NULL;
	}
	t->hmac_ctx[row] = ctx;
	return ctx;
}

/* Put a known key where the secret one was, in every copy the context keeps. */
static void forget_hmac_key(struct ikecrypto_thread *t, int row)
{
	static const uint8_t zero[IKE_HASH_MAX];

	if (EVP_MAC_init(t->hmac_ctx[row], zero, sizeof(zero), NULL))
		return;
	EVP_MAC_CTX_free(t->hmac_ctx[row]);
	t->hmac_ctx[row] = NULL;
	ERR_clear_error();
}

int ike_crypto_hmac(uint16_t hash, const void *key, size_t key_len,
		    const struct ike_chunk *in, size_t n, uint8_t *out)
{
	struct ikecrypto_thread *t = ikecrypto_thread();
	uint8_t mac[IKE_HASH_MAX];
	int row = hash_row(hash);
	EVP_MAC_CTX *ctx;
	size_t i, len;
	int ok;

	if (row < 0)
		return -IKE_E_INVALID;
	ctx = t ? fetch_hmac(t, row) : NULL;
	if (!ctx)
		return crypto_error();
	/* A NULL key would mean "the key of last time". */
	ok = EVP_MAC_init(ctx, key_len ? key : (const void *)"", key_len, NULL);
	for (i = 0; ok && i < n; i++)
		if (in[i].len)
			ok = EVP_MAC_update(ctx, in[i].data, in[i].len);
	ok = ok && EVP_MAC_final(ctx, mac, &len, sizeof(mac)) && len == hashes[row].len;
	forget_hmac_key(t, row);
	if (!ok)
		return crypto_error();
	memcpy(out, mac, len);
	ike_crypto_wipe(mac, sizeof(mac));
	return 0;
}
