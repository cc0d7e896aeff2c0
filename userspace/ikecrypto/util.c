// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing and wiping secrets. Never reports by timing or leaves a wipe to the optimiser.
 */
#include "libike/crypto.h"

#include <openssl/crypto.h>

bool ike_crypto_equal(const void *a, const void *b, size_t len)
{
	return !len || !CRYPTO_memcmp(a, b, len);
}

void ike_crypto_wipe(void *p, size_t len)
{
	if (p && len)
		OPENSSL_cleanse(p, len);
}
