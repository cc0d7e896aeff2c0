// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making and checking signatures. See sign.h. A signature is checked by undoing it and
 * comparing with the only block there may be: nothing is parsed out of what a peer signed.
 */
#include "sign.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "libike/ike.h"
#include "libike/pki.h"
#include "libike/wire.h"

#define RSA_MIN_BITS 512
#define RSA_MAX_BITS 8192
#define PADDING_MIN 11			/* 00 01, at least 8 times FF, 00 */

/* RFC 4754: each method is one curve and one hash. */
static const struct curve {
	uint16_t method;
	const char *name;
	size_t field;			/* octets of r, and of s */
	size_t hash;			/* octets of what is signed */
} curves[] = {
	{ IKE_AUTH_ECDSA_256, "prime256v1", 32, 32 },
	{ IKE_AUTH_ECDSA_384, "secp384r1", 48, 48 },
	{ IKE_AUTH_ECDSA_521, "secp521r1", 66, 64 },
};

static const struct curve *curve_of(EVP_PKEY *key)
{
	char name[64];
	size_t i;

	if (!EVP_PKEY_is_a(key, "EC") || !EVP_PKEY_get_group_name(key, name, sizeof(name), NULL))
		return NULL;
	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (!strcmp(curves[i].name, name))
			return &curves[i];
	return NULL;
}

/* An exponent below 3 or a modulus out of all proportion is nobody's honest key. */
static bool rsa_is_sane(EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);
	BIGNUM *e = NULL;
	bool ok;

	if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
		return false;
	/* A token may keep even the public part to itself; then it is our own key. */
	if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e)) {
		ERR_clear_error();
		return true;
	}
	ok = BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64;
	BN_free(e);
	return ok;
}

uint16_t ikecrypto_key_method(EVP_PKEY *key)
{
	const struct curve *c;

	if (EVP_PKEY_is_a(key, "RSA"))
		return rsa_is_sane(key) ? IKE_AUTH_RSA_SIG : 0;
	c = curve_of(key);
	return c ? c->method : 0;
}

/* ---- RSA ------------------------------------------------------------------------------------- */

static int sign_rsa(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, uint8_t *sig, size_t *len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool ok;

	/* Without a digest set, what is given is padded and signed as it is. */
	ok = ctx && EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
	     EVP_PKEY_sign(ctx, sig, len, hash, hash_len) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : -IKE_E_CRYPTO;
}

static bool verify_rsa(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t len)
{
	uint8_t want[RSA_MAX_BITS / 8], got[RSA_MAX_BITS / 8];
	size_t n = (size_t)EVP_PKEY_get_size(key), got_len = sizeof(got);
	EVP_PKEY_CTX *ctx;
	bool ok;

	if (len != n || n > sizeof(want) || n < hash_len + PADDING_MIN)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	ok = ctx && EVP_PKEY_verify_recover_init(ctx) > 0 &&
	     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 &&
	     EVP_PKEY_verify_recover(ctx, got, &got_len, sig, len) > 0;
	EVP_PKEY_CTX_free(ctx);
	if (!ok || got_len != n)
		return false;
	memset(want, 0xff, n);
	want[0] = 0;
	want[1] = 1;
	want[n - hash_len - 1] = 0;
	memcpy(want + n - hash_len, hash, hash_len);
	return !CRYPTO_memcmp(want, got, n);
}

/* ---- ECDSA ------------------------------------------------------------------------------------ */

static int der_to_fixed(const struct curve *c, const uint8_t *der, size_t der_len, uint8_t *sig)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	bool ok;

	ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, (int)c->field) > 0 &&
	     BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + c->field, (int)c->field) > 0;
	ECDSA_SIG_free(s);
	return ok ? 0 : -IKE_E_CRYPTO;
}

static int sign_ecdsa(EVP_PKEY *key, const struct curve *c, const uint8_t *hash, size_t hash_len, uint8_t *sig,
		      size_t *len)
{
	EVP_PKEY_CTX *ctx;
	uint8_t der[160];
	size_t der_len = sizeof(der);
	int err = -IKE_E_CRYPTO;

	if (hash_len != c->hash || *len < 2 * c->field)
		return -IKE_E_CRYPTO;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx && EVP_PKEY_sign_init(ctx) > 0 && EVP_PKEY_sign(ctx, der, &der_len, hash, hash_len) > 0)
		err = der_to_fixed(c, der, der_len, sig);
	EVP_PKEY_CTX_free(ctx);
	*len = 2 * c->field;
	return err;
}

/* DER of r and s; its length, 0 when memory is short. */
static size_t fixed_to_der(const struct curve *c, const uint8_t *sig, uint8_t *der, size_t size)
{
	BIGNUM *r = BN_bin2bn(sig, (int)c->field, NULL), *s = BN_bin2bn(sig + c->field, (int)c->field, NULL);
	ECDSA_SIG *pair = ECDSA_SIG_new();
	int n = 0;

	if (r && s && pair && ECDSA_SIG_set0(pair, r, s)) {
		r = s = NULL;		/* the pair's now */
		n = i2d_ECDSA_SIG(pair, NULL);
		n = n > 0 && (size_t)n <= size ? i2d_ECDSA_SIG(pair, &der) : 0;
	}
	ECDSA_SIG_free(pair);
	BN_free(s);
	BN_free(r);
	return n > 0 ? (size_t)n : 0;
}

static bool verify_ecdsa(EVP_PKEY *key, const struct curve *c, const uint8_t *hash, size_t hash_len,
			 const uint8_t *sig, size_t len)
{
	EVP_PKEY_CTX *ctx;
	uint8_t der[160];
	size_t der_len;
	bool ok;

	if (len != 2 * c->field || hash_len != c->hash)
		return false;
	der_len = fixed_to_der(c, sig, der, sizeof(der));
	if (!der_len)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	ok = ctx && EVP_PKEY_verify_init(ctx) > 0 && EVP_PKEY_verify(ctx, der, der_len, hash, hash_len) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

/* ---- both --------------------------------------------------------------------------------------- */

int ikecrypto_sign(EVP_PKEY *key, const uint8_t *hash, size_t hash_len, uint8_t *sig, size_t *len)
{
	const struct curve *c = curve_of(key);
	int err;

	err = c ? sign_ecdsa(key, c, hash, hash_len, sig, len) : sign_rsa(key, hash, hash_len, sig, len);
	ERR_clear_error();
	return err;
}

bool ikecrypto_verify(EVP_PKEY *key, uint16_t method, const uint8_t *hash, size_t hash_len,
		      const uint8_t *sig, size_t len)
{
	const struct curve *c = curve_of(key);
	bool ok = false;

	if (!method || ikecrypto_key_method(key) != method)
		return false;
	ok = c ? verify_ecdsa(key, c, hash, hash_len, sig, len) : verify_rsa(key, hash, hash_len, sig, len);
	ERR_clear_error();
	return ok;
}
