// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ECP groups 19, 20, 21 (RFC 5903): a public value is x | y, the secret is the x coordinate.
 * Never takes a point that is not on the curve or not written in its one canonical form.
 */
#include "group.h"
#include "libike/ike.h"

#include <string.h>

int ikecrypto_ecp_setup(struct ikecrypto_group *g)
{
	EC_GROUP *ec = EC_GROUP_new_by_curve_name(g->curve);
	BIGNUM *p = BN_new();

	if (!ec || !p || !EC_GROUP_get_curve(ec, p, NULL, NULL, NULL)) {
		BN_free(p);
		EC_GROUP_free(ec);
		return -IKE_E_CRYPTO;
	}
	g->p = p;
	g->ec = ec;
	return 0;
}

/* 1 + seed mod (n-1); the seed is 64 bits longer than n, so the bias is below 2^-64. */
int ikecrypto_ecp_private(const struct ikecrypto_group *g, const uint8_t *seed, BIGNUM *x)
{
	BIGNUM *range = BN_dup(EC_GROUP_get0_order(g->ec));
	BIGNUM *wide = BN_bin2bn(seed, g->seed_len, NULL);
	BN_CTX *ctx = BN_CTX_new();
	int ok = 0;

	if (range && wide && ctx) {
		BN_set_flags(wide, BN_FLG_CONSTTIME);
		ok = BN_sub_word(range, 1) && BN_mod(x, wide, range, ctx) && BN_add_word(x, 1);
	}
	BN_CTX_free(ctx);
	BN_clear_free(wide);
	BN_free(range);
	return ok ? 0 : -IKE_E_CRYPTO;
}

/* k * at (or k * generator when at is NULL), as coordinates; y may be NULL. */
static int multiply(const struct ikecrypto_group *g, const EC_POINT *at, const BIGNUM *k,
		    BIGNUM *x, BIGNUM *y, BN_CTX *ctx)
{
	EC_POINT *r = EC_POINT_new(g->ec);
	int ok;

	ok = r && EC_POINT_mul(g->ec, r, at ? NULL : k, at, at ? k : NULL, ctx) &&
	     EC_POINT_get_affine_coordinates(g->ec, r, x, y, ctx);
	EC_POINT_clear_free(r);
	return ok ? 0 : -IKE_E_CRYPTO;
}

int ikecrypto_ecp_public(const struct ikecrypto_group *g, const BIGNUM *k, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new(), *y = BN_new();
	int err = -IKE_E_CRYPTO;

	if (ctx && x && y)
		err = multiply(g, NULL, k, x, y, ctx);
	if (!err && (BN_bn2binpad(x, out, g->field_len) < 0 ||
		     BN_bn2binpad(y, out + g->field_len, g->field_len) < 0))
		err = -IKE_E_CRYPTO;
	BN_free(y);
	BN_free(x);
	BN_CTX_free(ctx);
	return err;
}

/*
 * libcrypto reduces coordinates mod p by itself, so that is refused first; it checks the curve
 * equation. The cofactor is 1: every point on the curve is in the group.
 */
static int read_point(const struct ikecrypto_group *g, const uint8_t *peer, EC_POINT *point, BN_CTX *ctx)
{
	BIGNUM *x = BN_bin2bn(peer, g->field_len, NULL);
	BIGNUM *y = BN_bin2bn(peer + g->field_len, g->field_len, NULL);
	int err = -IKE_E_CRYPTO;

	if (x && y) {
		err = -IKE_E_INVALID;
		if (BN_cmp(x, g->p) < 0 && BN_cmp(y, g->p) < 0 &&
		    EC_POINT_set_affine_coordinates(g->ec, point, x, y, ctx) &&
		    EC_POINT_is_on_curve(g->ec, point, ctx) == 1)
			err = 0;
	}
	BN_free(y);
	BN_free(x);
	return err;
}

int ikecrypto_ecp_secret(const struct ikecrypto_group *g, const BIGNUM *k, const uint8_t *peer, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_new();
	EC_POINT *point = EC_POINT_new(g->ec);
	BIGNUM *x = BN_new();
	int err = -IKE_E_CRYPTO;

	if (ctx && point && x)
		err = read_point(g, peer, point, ctx);
	if (!err)
		err = multiply(g, point, k, x, NULL, ctx);
	if (!err && BN_bn2binpad(x, out, g->field_len) < 0)
		err = -IKE_E_CRYPTO;
	BN_clear_free(x);
	EC_POINT_free(point);
	BN_CTX_free(ctx);
	return err;
}
