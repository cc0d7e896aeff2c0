/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA blocks that lax parsers take for a signature, and signing whatever block there is.
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "pki.h"

static void forge_sign(EVP_PKEY *key, const uint8_t *block, size_t n, uint8_t *sig)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t len = n;

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, sig, &len, block, n), 1);
	assert_int_equal(len, n);
	EVP_PKEY_CTX_free(ctx);
}

/* The one right block of n octets for a hash of h, with a change; kind 0: none. */
#define FORGE_KINDS 10
static void forge_block(uint8_t *block, size_t n, const uint8_t *hash, size_t h, unsigned int kind)
{
	static const uint8_t info[] = { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14 };

	memset(block, 0xff, n);
	block[0] = 0;
	block[1] = 1;
	block[n - h - 1] = 0;
	memcpy(block + n - h, hash, h);
	switch (kind) {
	case 1:		/* DigestInfo before the hash, as TLS and X.509 do */
		memcpy(block + n - h - sizeof(info), info, sizeof(info));
		block[n - h - sizeof(info) - 1] = 0;
		break;
	case 2:		/* octets behind the hash */
		memmove(block + n - h - 9, block + n - h - 1, h + 1);
		memset(block + n - 8, 0x41, 8);
		break;
	case 3:		/* least padding, then what the forger likes, the hash last */
		block[10] = 0;
		memset(block + 11, 0x41, n - h - 11);
		break;
	case 4:		/* the hash at the front, the rest his: Bleichenbacher's forgery for small exponents */
		block[10] = 0;
		memcpy(block + 11, hash, h);
		memset(block + 11 + h, 0x41, n - h - 11);
		break;
	case 5:		/* block type 2 */
		block[1] = 2;
		break;
	case 6:		/* block type 0, padded with zero */
		memset(block, 0, n - h);
		break;
	case 7:		/* one octet of padding is not FF */
		block[100] = 0xfe;
		break;
	case 8:		/* no zero before the hash */
		block[n - h - 1] = 0xff;
		break;
	case 9:		/* a longer hash that ends like ours */
		block[n - h - 2] = 0;
		block[n - h - 1] = 0x41;
		break;
	case 10:	/* a hash cut by one, shifted */
		memmove(block + n - h + 1, hash, h - 1);
		block[n - h - 1] = 0xff;
		block[n - h] = 0;
		break;
	}
}

#endif
