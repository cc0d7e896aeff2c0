// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signatures of phase 1: what comes out is what the RFCs say, and only exactly that is taken.
 * Includes forgeries against lax parsers: DigestInfo, trailing octets, short padding, small
 * exponents.
 */
#include "forge.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "ikecrypto/sign.h"
#include "libike/wire.h"

static const uint8_t hash[65] = "sixty-four octets of something that could well be a hash of SHA5";

static const struct { const char *kind; uint16_t method; size_t hash, sig; } kinds[] = {
	{ "rsa2048", IKE_AUTH_RSA_SIG, 20, 256 }, { "rsa1024", IKE_AUTH_RSA_SIG, 16, 128 }, { "rsa3072", IKE_AUTH_RSA_SIG, 64, 384 },
	{ "P-256", IKE_AUTH_ECDSA_256, 32, 64 }, { "P-384", IKE_AUTH_ECDSA_384, 48, 96 }, { "P-521", IKE_AUTH_ECDSA_521, 64, 132 },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void each_method(void **state)
{
	uint8_t sig[IKE_SIG_MAX];
	size_t i, j, len;

	(void)state;
	for (i = 0; i < N_KINDS; i++) {
		EVP_PKEY *key = pki_key(kinds[i].kind, 0);

		len = sizeof(sig);
		assert_int_equal(ikecrypto_key_method(key), kinds[i].method);
		assert_int_equal(ikecrypto_sign(key, hash, kinds[i].hash, sig, &len), 0);
		assert_int_equal(len, kinds[i].sig);
		for (j = 0; j < N_KINDS; j++)
			assert_int_equal(ikecrypto_verify(pki_key(kinds[j].kind, 0), kinds[j].method, hash, kinds[i].hash, sig,
							  len), i == j);
		assert_false(ikecrypto_verify(pki_key(kinds[i].kind, 1), kinds[i].method, hash, kinds[i].hash, sig, len));
		assert_false(ikecrypto_verify(key, IKE_AUTH_PSK, hash, kinds[i].hash, sig, len));
		assert_false(ikecrypto_verify(key, 0, hash, kinds[i].hash, sig, len));
	}
}

/* Every bit of every signature matters, and so does its length. */
static void each_bit_matters(void **state)
{
	uint8_t sig[IKE_SIG_MAX + 1];
	size_t i, j, len;

	(void)state;
	for (i = 0; i < N_KINDS; i++) {
		EVP_PKEY *key = pki_key(kinds[i].kind, 0);

		memset(sig, 0, sizeof(sig));
		len = IKE_SIG_MAX;
		assert_int_equal(ikecrypto_sign(key, hash, kinds[i].hash, sig, &len), 0);
		for (j = 0; j < len; j++) {
			sig[j] ^= (uint8_t)(1u << j % 8);
			assert_false(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash, sig, len));
			sig[j] ^= (uint8_t)(1u << j % 8);
		}
		assert_false(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash, sig, len - 1));
		assert_false(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash, sig, len + 1));
		assert_false(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash, sig, 0));
		assert_false(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash - 1, sig, len));
		assert_false(ikecrypto_verify(key, kinds[i].method, hash + 1, kinds[i].hash, sig, len));
		assert_true(ikecrypto_verify(key, kinds[i].method, hash, kinds[i].hash, sig, len));
	}
}

/* ---- RSA forgeries by somebody who may sign anything ------------------------------------------ */

#define N 256
#define H 20

static void forged_blocks(void **state)
{
	EVP_PKEY *key = pki_key("rsa2048", 0);
	uint8_t block[N], sig[N];
	unsigned int kind;

	(void)state;
	for (kind = 0; kind <= FORGE_KINDS; kind++) {
		forge_block(block, N, hash, H, kind);
		forge_sign(key, block, N, sig);
		if (ikecrypto_verify(key, IKE_AUTH_RSA_SIG, hash, H, sig, N) != !kind)
			fail_msg("block %u", kind);
	}
	/* The hash itself, unsigned. */
	forge_block(block, N, hash, H, 0);
	assert_false(ikecrypto_verify(key, IKE_AUTH_RSA_SIG, hash, H, block, N));
}

/* A number not below the modulus: s + n is the same signature, but not the same octets. */
static void signature_above_the_modulus(void **state)
{
	EVP_PKEY *key = pki_key("rsa2048", 0);
	BIGNUM *n = NULL, *s;
	uint8_t sig[N], above[N];
	size_t len = N;

	(void)state;
	assert_int_equal(ikecrypto_sign(key, hash, H, sig, &len), 0);
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	s = BN_bin2bn(sig, N, NULL);
	BN_add(s, s, n);
	if (BN_num_bytes(s) == N) {
		BN_bn2binpad(s, above, N);
		assert_false(ikecrypto_verify(key, IKE_AUTH_RSA_SIG, hash, H, above, N));
	}
	BN_bn2binpad(n, above, N);
	assert_false(ikecrypto_verify(key, IKE_AUTH_RSA_SIG, hash, H, above, N));
	BN_free(s);
	BN_free(n);
}

static EVP_PKEY *rsa_with_exponent(unsigned long exponent)
{
	EVP_PKEY *from = pki_key("rsa2048", 0), *key = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = NULL, *e = BN_new();
	OSSL_PARAM *p;

	EVP_PKEY_get_bn_param(from, OSSL_PKEY_PARAM_RSA_N, &n);
	BN_set_word(e, exponent);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e);
	p = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, p), 1);
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	BN_free(e);
	return key;
}

/* With exponent 1 every block is its own signature. */
static void keys_nobody_has(void **state)
{
	EVP_PKEY *one = rsa_with_exponent(1), *two = rsa_with_exponent(2), *three = rsa_with_exponent(3);
	uint8_t block[N];

	(void)state;
	forge_block(block, N, hash, H, 0);
	assert_false(ikecrypto_verify(one, IKE_AUTH_RSA_SIG, hash, H, block, N));
	assert_int_equal(ikecrypto_key_method(one), 0);
	assert_int_equal(ikecrypto_key_method(two), 0);
	assert_int_equal(ikecrypto_key_method(three), IKE_AUTH_RSA_SIG);
	assert_int_equal(ikecrypto_key_method(pki_key("secp256k1", 0)), 0);
	EVP_PKEY_free(one);
	EVP_PKEY_free(two);
	EVP_PKEY_free(three);
}

/* ---- ECDSA ---------------------------------------------------------------------------------------- */

static void ecdsa_shapes(void **state)
{
	EVP_PKEY *key = pki_key("P-256", 0);
	uint8_t sig[64], bad[160];
	size_t len = sizeof(sig), der_len = sizeof(bad);
	EVP_PKEY_CTX *ctx;

	(void)state;
	assert_int_equal(ikecrypto_sign(key, hash, 32, sig, &len), 0);
	memcpy(bad, sig + 32, 32);		/* s | r */
	memcpy(bad + 32, sig, 32);
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, 64));
	memcpy(bad, sig, 64);
	memset(bad, 0, 32);			/* r = 0 */
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, 64));
	memcpy(bad, sig, 64);
	memset(bad + 32, 0, 32);		/* s = 0 */
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, 64));
	memset(bad, 0, 64);
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, 64));
	memset(bad, 0xff, 64);			/* both above the order */
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, 64));
	/* A hash of another length is another method's. */
	len = sizeof(bad);
	assert_int_not_equal(ikecrypto_sign(key, hash, 20, bad, &len), 0);
	/* DER, as IKEv2 and TLS send it. */
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, bad, &der_len, hash, 32), 1);
	EVP_PKEY_CTX_free(ctx);
	assert_false(ikecrypto_verify(key, IKE_AUTH_ECDSA_256, hash, 32, bad, der_len));
}

static int forget(void **state)
{
	(void)state;
	pki_forget_keys();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method),
		cmocka_unit_test(each_bit_matters),
		cmocka_unit_test(forged_blocks),
		cmocka_unit_test(signature_above_the_modulus),
		cmocka_unit_test(keys_nobody_has),
		cmocka_unit_test(ecdsa_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
