// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MODP groups: g = 2 over safe primes (RFC 2409 6.2, RFC 3526). Exponents are short, twice
 * the strength of the group (RFC 3526 8, RFC 7919 5.2), which a safe prime allows.
 * Never lets a secret steer a branch or a table index: exponentiation is the constant-time one.
 */
#include "group.h"
#include "libike/ike.h"

int ikecrypto_modp_setup(struct ikecrypto_group *g)
{
	BN_CTX *ctx = BN_CTX_new();
	BN_MONT_CTX *mont = BN_MONT_CTX_new();
	BIGNUM *p = g->prime(NULL);

	if (!ctx || !mont || !p || !BN_MONT_CTX_set(mont, p, ctx)) {
		BN_free(p);
		BN_MONT_CTX_free(mont);
		BN_CTX_free(ctx);
		return -IKE_E_CRYPTO;
	}
	BN_CTX_free(ctx);
	g->p = p;
	g->mont = mont;
	return 0;
}

/* The seed is the exponent, its top bit set: never 0 or 1, always of the same length. */
int ikecrypto_modp_private(const struct ikecrypto_group *g, const uint8_t *seed, BIGNUM *x)
{
	if (!BN_bin2bn(seed, g->seed_len, x) || !BN_set_bit(x, g->seed_len * 8 - 1))
		return -IKE_E_CRYPTO;
	return 0;
}

static int power(const struct ikecrypto_group *g, const BIGNUM *base, const BIGNUM *x, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *r = BN_new();
	int ok;

	ok = ctx && r && BN_mod_exp_mont_consttime(r, base, x, g->p, ctx, g->mont) &&
	     BN_bn2binpad(r, out, g->field_len) == g->field_len;
	BN_clear_free(r);
	BN_CTX_free(ctx);
	return ok ? 0 : -IKE_E_CRYPTO;
}

int ikecrypto_modp_public(const struct ikecrypto_group *g, const BIGNUM *x, uint8_t *out)
{
	BIGNUM *two = BN_new();
	int err = -IKE_E_CRYPTO;

	if (two && BN_set_word(two, 2))
		err = power(g, two, x, out);
	BN_free(two);
	return err;
}

/* 2 <= y <= p-2: the values outside make the secret known to everybody. */
static int check_public(const struct ikecrypto_group *g, const BIGNUM *y)
{
	BIGNUM *limit = BN_dup(g->p);
	int err = -IKE_E_CRYPTO;

	if (limit && BN_sub_word(limit, 1))
		err = BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, limit) < 0 ? 0 : -IKE_E_INVALID;
	BN_free(limit);
	return err;
}

int ikecrypto_modp_secret(const struct ikecrypto_group *g, const BIGNUM *x, const uint8_t *peer, uint8_t *out)
{
	BIGNUM *y = BN_bin2bn(peer, g->field_len, NULL);
	int err = y ? check_public(g, y) : -IKE_E_CRYPTO;

	if (!err)
		err = power(g, y, x, out);
	BN_free(y);
	return err;
}
