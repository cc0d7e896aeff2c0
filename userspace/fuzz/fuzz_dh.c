// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Public values of peers against the real Diffie-Hellman code: length, range, point on the
 * curve. The first octet chooses the group. Small and degenerate values are never taken.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/crypto.h"

static const uint16_t groups[] = { 2, 5, 14, 19, 20, 21 };

#define COUNT (sizeof(groups) / sizeof(groups[0]))

/* Key pairs are made once: it is the peer's value that is tried. */
static struct ike_dh *ours(unsigned int which)
{
	static struct ike_dh *dh[COUNT];
	uint8_t seed[IKE_DH_MAX];

	if (!dh[which]) {
		memset(seed, 0x5a, sizeof(seed));
		dh[which] = ike_crypto_dh_new(groups[which], seed, ike_crypto_dh_seed_len(groups[which]));
		FUZZ_CHECK(dh[which]);
	}
	return dh[which];
}

static bool is_small(const uint8_t *value, size_t len)
{
	while (len > 1 && !*value) {
		value++;
		len--;
	}
	return len == 1 && *value < 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int which = len ? data[0] % COUNT : 0;
	uint8_t secret[IKE_DH_MAX];
	size_t want = ike_crypto_dh_len(groups[which]);

	if (!len)
		return 0;
	data++;
	len--;
	if (ike_crypto_dh_secret(ours(which), data, len, secret))
		return 0;
	FUZZ_CHECK(len == want && !is_small(data, len));
	fuzz_touch(secret, ike_crypto_dh_secret_len(groups[which]));
	return 0;
}
