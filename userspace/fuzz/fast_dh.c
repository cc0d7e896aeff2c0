// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A Diffie-Hellman that costs nothing, linked in place of the real one (--wrap) where whole
 * negotiations are fuzzed: the real one is fuzz_dh.c's. Not a secret from anybody, but both
 * ends come to the same value only when each has the other's public value as it was sent.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/crypto.h"

struct ike_dh {
	uint16_t group;
	size_t len;
	uint8_t public[IKE_DH_MAX];
};

struct ike_dh *__wrap_ike_crypto_dh_new(uint16_t group, const uint8_t *seed, size_t seed_len);
int __wrap_ike_crypto_dh_public(const struct ike_dh *dh, uint8_t *out);
int __wrap_ike_crypto_dh_secret(const struct ike_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *out);
void __wrap_ike_crypto_dh_free(struct ike_dh *dh);

struct ike_dh *__wrap_ike_crypto_dh_new(uint16_t group, const uint8_t *seed, size_t seed_len)
{
	struct ike_dh *dh = calloc(1, sizeof(*dh));

	FUZZ_CHECK(dh && seed_len == ike_crypto_dh_seed_len(group));
	dh->group = group;
	dh->len = ike_crypto_dh_len(group);
	for (size_t i = 0; i < dh->len; i++)
		dh->public[i] = seed[i % seed_len] | 2;
	return dh;
}

int __wrap_ike_crypto_dh_public(const struct ike_dh *dh, uint8_t *out)
{
	memcpy(out, dh->public, dh->len);
	return 0;
}

/* Zero stands for all values that a group does not take. */
int __wrap_ike_crypto_dh_secret(const struct ike_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *out)
{
	uint8_t any = 0;

	for (size_t i = 0; i < peer_len; i++)
		any |= peer[i];
	if (peer_len != dh->len || !any)
		return -2;	/* -IKE_E_INVALID */
	for (size_t i = 0; i < ike_crypto_dh_secret_len(dh->group); i++)
		out[i] = dh->public[i] ^ peer[i];
	return 0;
}

void __wrap_ike_crypto_dh_free(struct ike_dh *dh)
{
	free(dh);
}
