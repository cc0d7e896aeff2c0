// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Diffie-Hellman as libike sees it: one table of groups, one key pair per exchange. The
 * private value is a function of the caller's seed alone. Never reuses a private value, never
 * takes a peer's value of another length than the group's.
 */
#include "group.h"
#include "libike/crypto.h"
#include "libike/ike.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/obj_mac.h>

/*
 * Seeds of MODP groups are exponents: twice the larger strength estimate of RFC 3526 8,
 * rounded up to octets, at least 256 bits. Seeds of ECP groups are the order's length plus 8.
 */
static struct ikecrypto_group groups[] = {
	{ .number = 2, .field_len = 128, .seed_len = 32, .prime = BN_get_rfc2409_prime_1024 },
	{ .number = 5, .field_len = 192, .seed_len = 32, .prime = BN_get_rfc3526_prime_1536 },
	{ .number = 14, .field_len = 256, .seed_len = 40, .prime = BN_get_rfc3526_prime_2048 },
	{ .number = 15, .field_len = 384, .seed_len = 53, .prime = BN_get_rfc3526_prime_3072 },
	{ .number = 16, .field_len = 512, .seed_len = 60, .prime = BN_get_rfc3526_prime_4096 },
	{ .number = 19, .field_len = 32, .seed_len = 40, .curve = NID_X9_62_prime256v1 },
	{ .number = 20, .field_len = 48, .seed_len = 56, .curve = NID_secp384r1 },
	{ .number = 21, .field_len = 66, .seed_len = 74, .curve = NID_secp521r1 },
};

struct ike_dh {
	const struct ikecrypto_group *group;
	BIGNUM *x;			/* the private value */
	uint8_t public[IKE_DH_MAX];
};

static struct ikecrypto_group *group_find(uint16_t number)
{
	size_t i;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].number == number)
			return &groups[i];
	return NULL;
}

/* The group with its numbers made; NULL when memory is short (the next call tries again). */
static const struct ikecrypto_group *group_get(uint16_t number)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct ikecrypto_group *g = group_find(number);
	int err = 0;

	if (!g)
		return NULL;
	pthread_mutex_lock(&lock);
	if (!g->p)
		err = g->prime ? ikecrypto_modp_setup(g) : ikecrypto_ecp_setup(g);
	pthread_mutex_unlock(&lock);
	return err ? NULL : g;
}

size_t ike_crypto_dh_len(uint16_t group)
{
	const struct ikecrypto_group *g = group_find(group);

	if (!g)
		return 0;
	return g->prime ? g->field_len : 2u * g->field_len;
}

size_t ike_crypto_dh_secret_len(uint16_t group)
{
	const struct ikecrypto_group *g = group_find(group);

	return g ? g->field_len : 0;
}

size_t ike_crypto_dh_seed_len(uint16_t group)
{
	const struct ikecrypto_group *g = group_find(group);

	return g ? g->seed_len : 0;
}

static int make_pair(struct ike_dh *dh, const uint8_t *seed)
{
	const struct ikecrypto_group *g = dh->group;
	int err;

	dh->x = BN_new();
	if (!dh->x)
		return -IKE_E_CRYPTO;
	BN_set_flags(dh->x, BN_FLG_CONSTTIME);
	err = g->prime ? ikecrypto_modp_private(g, seed, dh->x) : ikecrypto_ecp_private(g, seed, dh->x);
	if (err)
		return err;
	return g->prime ? ikecrypto_modp_public(g, dh->x, dh->public) :
			  ikecrypto_ecp_public(g, dh->x, dh->public);
}

struct ike_dh *ike_crypto_dh_new(uint16_t group, const uint8_t *seed, size_t seed_len)
{
	const struct ikecrypto_group *g = group_get(group);
	struct ike_dh *dh;

	if (!g || seed_len != g->seed_len)
		return NULL;
	dh = calloc(1, sizeof(*dh));
	if (!dh)
		return NULL;
	dh->group = g;
	if (make_pair(dh, seed)) {
		ERR_clear_error();
		ike_crypto_dh_free(dh);
		return NULL;
	}
	return dh;
}

int ike_crypto_dh_public(const struct ike_dh *dh, uint8_t *out)
{
	memcpy(out, dh->public, ike_crypto_dh_len(dh->group->number));
	return 0;
}

int ike_crypto_dh_secret(const struct ike_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *out)
{
	const struct ikecrypto_group *g = dh->group;
	uint8_t secret[IKE_DH_MAX];
	int err;

	if (peer_len != ike_crypto_dh_len(g->number))
		return -IKE_E_INVALID;
	err = g->prime ? ikecrypto_modp_secret(g, dh->x, peer, secret) :
			 ikecrypto_ecp_secret(g, dh->x, peer, secret);
	if (err)
		ERR_clear_error();
	else
		memcpy(out, secret, g->field_len);
	ike_crypto_wipe(secret, sizeof(secret));
	return err;
}

void ike_crypto_dh_free(struct ike_dh *dh)
{
	if (!dh)
		return;
	BN_clear_free(dh->x);
	free(dh);
}
