// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ikecrypto against published values: HMAC of RFC 2202 (MD5, SHA1) and RFC 4231 (SHA2), AES
 * of RFC 3602 and NIST SP 800-38A F.2, 3DES of NIST SP 800-67 B.1, ECP of RFC 5903 8; MODP
 * primes and exchanges against vectors/dh.py, which derives them from RFC 2409 and RFC 3526.
 * And the values a peer must not get away with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libike/crypto.h"
#include "libike/ike.h"
#include "vectors.h"
#include "vectors/dh_vectors.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum { MD5 = 1, SHA1 = 2, SHA256 = 4, SHA384 = 5, SHA512 = 6, DES3 = 5, AES = 7 };

static const uint16_t groups[] = { 2, 5, 14, 15, 16, 19, 20, 21 };

/* ---- hashes ------------------------------------------------------------------------ */

static void hash_of_abc(void **state)
{
	/* RFC 1321 A.5, FIPS 180-4 examples */
	static const struct { uint16_t hash; const char *out; } t[] = {
		{ MD5, "900150983cd24fb0d6963f7d28e17f72" },
		{ SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ SHA384, "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
			  "8086072ba1e7cc2358baeca134c825a7" },
		{ SHA512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	};
	const struct ike_chunk whole = { "abc", 3 };
	const struct ike_chunk parts[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };
	uint8_t out[IKE_HASH_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(ike_crypto_hash(t[i].hash, &whole, 1, out), 0);
		assert_octets(out, ike_crypto_hash_len(t[i].hash), t[i].out);
		memset(out, 0, sizeof(out));
		assert_int_equal(ike_crypto_hash(t[i].hash, parts, 3, out), 0);
		assert_octets(out, ike_crypto_hash_len(t[i].hash), t[i].out);
	}
}

static void unknown_hash_is_refused(void **state)
{
	static const uint16_t unknown[] = { 0, 3, 7, 8, 65535 };
	const struct ike_chunk in = { "abc", 3 };
	uint8_t out[IKE_HASH_MAX] = { 0xa5 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_int_equal(ike_crypto_hash_len(unknown[i]), 0);
		assert_int_equal(ike_crypto_hash(unknown[i], &in, 1, out), -IKE_E_INVALID);
		assert_int_equal(ike_crypto_hmac(unknown[i], "k", 1, &in, 1, out), -IKE_E_INVALID);
	}
	assert_int_equal(out[0], 0xa5);
}

struct hmac_vector {
	uint16_t hash;
	const char *key, *data, *out;	/* all hexadecimal */
};

#define X20(c) c c c c c c c c c c c c c c c c c c c c
#define X80(c) X20(c) X20(c) X20(c) X20(c)
#define X131(c) X80(c) X20(c) X20(c) c c c c c c c c c c c
#define X50(c) X20(c) X20(c) c c c c c c c c c c

static void hmac_published(void **state)
{
	static const struct hmac_vector t[] = {
		/* RFC 2202 2, cases 1, 2, 3, 6 */
		{ MD5, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		  "9294727a3638bb1c13f48ef8158bfc9d" },
		{ MD5, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "750c783e6ab0b503eaa86e310a5db738" },
		{ MD5, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", X50("dd"),
		  "56be34521d144c88dbb8c733f0e8b3f6" },
		{ MD5, X80("aa"), "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
		  "65204b6579202d2048617368204b6579204669727374",
		  "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd" },
		/* RFC 2202 3, cases 1, 2, 3, 6 */
		{ SHA1, X20("0b"), "4869205468657265", "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ SHA1, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ SHA1, X20("aa"), X50("dd"), "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
		{ SHA1, X80("aa"), "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
		  "65204b6579202d2048617368204b6579204669727374",
		  "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
		/* RFC 4231 4.2, 4.3, 4.7 */
		{ SHA256, X20("0b"), "4869205468657265",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ SHA384, X20("0b"), "4869205468657265",
		  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
		  "faea9ea9076ede7f4af152e8b2fa9cb6" },
		{ SHA512, X20("0b"), "4869205468657265",
		  "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
		  "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854" },
		{ SHA256, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ SHA384, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		  "8e2240ca5e69e2c78b3239ecfab21649" },
		{ SHA512, "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
		{ SHA256, X131("aa"), "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
		  "65204b6579202d2048617368204b6579204669727374",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
		{ SHA512, X131("aa"), "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
		  "65204b6579202d2048617368204b6579204669727374",
		  "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
		  "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598" },
	};
	uint8_t key[256], data[256], out[IKE_HASH_MAX];
	struct ike_chunk in[2];
	size_t i, n, half;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		n = unhex(t[i].data, data, sizeof(data));
		half = n / 2;
		in[0] = (struct ike_chunk){ data, half };
		in[1] = (struct ike_chunk){ data + half, n - half };
		n = unhex(t[i].key, key, sizeof(key));
		assert_int_equal(ike_crypto_hmac(t[i].hash, key, n, in, 2, out), 0);
		assert_octets(out, ike_crypto_hash_len(t[i].hash), t[i].out);
	}
}

/* An empty key is a key (all zeroes after padding), not "the key of last time". */
static void hmac_empty_key(void **state)
{
	static const uint8_t zeroes[64];
	const struct ike_chunk in = { "abc", 3 };
	uint8_t a[IKE_HASH_MAX], b[IKE_HASH_MAX], c[IKE_HASH_MAX];

	(void)state;
	assert_int_equal(ike_crypto_hmac(SHA256, "first", 5, &in, 1, a), 0);
	assert_int_equal(ike_crypto_hmac(SHA256, NULL, 0, &in, 1, b), 0);
	assert_int_equal(ike_crypto_hmac(SHA256, zeroes, sizeof(zeroes), &in, 1, c), 0);
	assert_memory_equal(b, c, 32);
	assert_memory_not_equal(a, b, 32);
}

/* ---- ciphers ------------------------------------------------------------------------ */

static void cbc_published(void **state)
{
	static const char sp800_38a[] =
		"6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
		"30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
	static const struct {
		uint16_t encr, key_bits;
		const char *key, *iv, *plain, *cipher;
	} t[] = {
		/* RFC 3602 4, cases 1, 2, 4 */
		{ AES, 128, "06a9214036b8a15b512e03d534120006", "3dafba429d9eb430b422da802c9fac41",
		  "53696e676c6520626c6f636b206d7367", "e353779c1079aeb82708942dbe77181a" },
		{ AES, 128, "c286696d887c9aa0611bbb3e2025a45a", "562e17996d093d28ddb3ba695a2e6f58",
		  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
		  "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1" },
		{ AES, 128, "56e47a38c5598974bc46903dba290349", "8ce82eefbea0da3c44699ed7db51b7d9",
		  "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
		  "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
		  "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e"
		  "35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55" },
		/* NIST SP 800-38A F.2.3, F.2.5 */
		{ AES, 192, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
		  "000102030405060708090a0b0c0d0e0f", sp800_38a,
		  "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
		  "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd" },
		{ AES, 256, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
		  "000102030405060708090a0b0c0d0e0f", sp800_38a,
		  "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
		  "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b" },
		/* NIST SP 800-67 B.1, block for block (ECB is CBC of one block under IV 0) */
		{ DES3, 0, "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000",
		  "5468652071756663", "a826fd8ce53b855f" },
		{ DES3, 0, "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000",
		  "6b2062726f776e20", "cce21c8112256fe6" },
		{ DES3, 0, "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000",
		  "666f78206a756d70", "68d5c05dd9b6b900" },
	};
	uint8_t key[32], iv[16], data[64];
	size_t i, n, key_len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		key_len = unhex(t[i].key, key, sizeof(key));
		assert_int_equal(key_len, ike_crypto_key_len(t[i].encr, t[i].key_bits));
		n = unhex(t[i].iv, iv, sizeof(iv));
		assert_int_equal(n, ike_crypto_block_len(t[i].encr));
		n = unhex(t[i].plain, data, sizeof(data));
		assert_int_equal(ike_crypto_cbc(t[i].encr, key, key_len, iv, true, data, n), 0);
		assert_octets(data, n, t[i].cipher);
		assert_octets(iv, ike_crypto_block_len(t[i].encr), t[i].iv);
		assert_int_equal(ike_crypto_cbc(t[i].encr, key, key_len, iv, false, data, n), 0);
		assert_octets(data, n, t[i].plain);
	}
}

/* 3DES chains: each block is encrypted under the block before it. */
static void cbc_chains_3des(void **state)
{
	uint8_t key[24], iv[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, whole[24], piece[24];
	int i;

	(void)state;
	unhex("0123456789abcdef23456789abcdef01456789abcdef0123", key, sizeof(key));
	for (i = 0; i < 24; i++)
		whole[i] = piece[i] = (uint8_t)(i * 7);
	assert_int_equal(ike_crypto_cbc(DES3, key, 24, iv, true, whole, 24), 0);
	for (i = 0; i < 24; i += 8)
		assert_int_equal(ike_crypto_cbc(DES3, key, 24, i ? piece + i - 8 : iv, true, piece + i, 8), 0);
	assert_memory_equal(whole, piece, 24);
}

static void cbc_refuses(void **state)
{
	uint8_t key[64] = { 0 }, iv[16] = { 0 }, data[64] = { 0 }, zero[64] = { 0 };
	static const struct { uint16_t encr; size_t key_len, len; } t[] = {
		{ AES, 16, 15 }, { AES, 16, 17 }, { AES, 15, 16 }, { AES, 33, 16 }, { AES, 0, 16 },
		{ DES3, 24, 7 }, { DES3, 24, 12 }, { DES3, 16, 8 }, { DES3, 8, 8 },
		{ 1, 8, 8 }, { 0, 16, 16 }, { 13, 16, 16 }, { 65535, 32, 16 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		assert_int_equal(ike_crypto_cbc(t[i].encr, key, t[i].key_len, iv, true, data, t[i].len),
				 -IKE_E_INVALID);
		assert_memory_equal(data, zero, sizeof(data));
	}
	assert_int_equal(ike_crypto_cbc(AES, key, 16, iv, true, data, 0), 0);
	assert_int_equal(ike_crypto_key_len(AES, 0), 0);
	assert_int_equal(ike_crypto_key_len(AES, 512), 0);
	assert_int_equal(ike_crypto_key_len(DES3, 192), 0);
	assert_int_equal(ike_crypto_block_len(1), 0);
}

/* ---- Diffie-Hellman ------------------------------------------------------------------ */

static void dh_vectors_regenerate(void **state)
{
	(void)state;
	assert_regenerates("dh");
}

static void modp_published(void **state)
{
	uint8_t seed[2][128], out[IKE_DH_MAX], public[2][IKE_DH_MAX];
	const struct modp_vector *v;
	struct ike_dh *dh[2];
	size_t i, n, len;
	int end;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(modp_vectors); i++) {
		v = &modp_vectors[i];
		len = ike_crypto_dh_len(v->group);
		assert_int_equal(len, ike_crypto_dh_secret_len(v->group));
		n = unhex(v->seed_i, seed[0], sizeof(seed[0]));
		assert_int_equal(n, ike_crypto_dh_seed_len(v->group));
		unhex(v->seed_r, seed[1], sizeof(seed[1]));
		for (end = 0; end < 2; end++) {
			dh[end] = ike_crypto_dh_new(v->group, seed[end], n);
			assert_non_null(dh[end]);
			assert_int_equal(ike_crypto_dh_public(dh[end], public[end]), 0);
			assert_octets(public[end], len, end ? v->public_r : v->public_i);
		}
		for (end = 0; end < 2; end++) {
			assert_int_equal(ike_crypto_dh_secret(dh[end], public[!end], len, out), 0);
			assert_octets(out, len, v->secret);
			ike_crypto_dh_free(dh[end]);
		}
	}
}

/* RFC 5903 8.1, 8.2, 8.3 */
static const struct ecp_vector {
	uint16_t group;
	const char *i, *gi, *r, *gr, *secret;
} ecp_vectors[] = {
	{ 19,
	  "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	  "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	{ 20,
	  "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194",
	  "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa"
	  "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
	  "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc",
	  "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571"
	  "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
	  "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746" },
	{ 21,
	  "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
	  "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52",
	  "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
	  "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176ced3e"
	  "017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4a10a"
	  "d8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3926f9582",
	  "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
	  "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9",
	  "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
	  "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f"
	  "015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d9852077b87"
	  "220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd17f0fc56a",
	  "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
	  "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea" },
};

/* The seed that makes a wanted private value k: k-1, with 8 zero octets in front. */
static struct ike_dh *ecp_pair(uint16_t group, const char *k)
{
	size_t len = ike_crypto_dh_seed_len(group), i = len;
	uint8_t seed[128] = { 0 };

	assert_int_equal(unhex(k, seed + 8, sizeof(seed) - 8), len - 8);
	while (seed[--i]-- == 0)
		;
	return ike_crypto_dh_new(group, seed, len);
}

static void ecp_published(void **state)
{
	uint8_t public[2][IKE_DH_MAX], out[IKE_DH_MAX];
	const struct ecp_vector *v;
	struct ike_dh *i, *r;
	size_t n, len;

	(void)state;
	for (n = 0; n < ARRAY_SIZE(ecp_vectors); n++) {
		v = &ecp_vectors[n];
		len = ike_crypto_dh_len(v->group);
		i = ecp_pair(v->group, v->i);
		r = ecp_pair(v->group, v->r);
		assert_non_null(i);
		assert_non_null(r);
		assert_int_equal(ike_crypto_dh_public(i, public[0]), 0);
		assert_octets(public[0], len, v->gi);
		assert_int_equal(ike_crypto_dh_public(r, public[1]), 0);
		assert_octets(public[1], len, v->gr);
		assert_int_equal(ike_crypto_dh_secret(i, public[1], len, out), 0);
		assert_octets(out, len / 2, v->secret);
		assert_int_equal(ike_crypto_dh_secret(r, public[0], len, out), 0);
		assert_octets(out, ike_crypto_dh_secret_len(v->group), v->secret);
		ike_crypto_dh_free(i);
		ike_crypto_dh_free(r);
	}
}

static struct ike_dh *pair(uint16_t group, uint8_t fill)
{
	uint8_t seed[128];

	memset(seed, fill, sizeof(seed));
	return ike_crypto_dh_new(group, seed, ike_crypto_dh_seed_len(group));
}

/* Seeds of all ones and all zeroes included: every seed makes a usable pair. */
static void dh_both_ways(void **state)
{
	static const uint8_t fills[][2] = { { 0x00, 0xff }, { 0x11, 0x22 }, { 0xff, 0x80 } };
	uint8_t pa[IKE_DH_MAX], pb[IKE_DH_MAX], sa[IKE_DH_MAX], sb[IKE_DH_MAX];
	struct ike_dh *a, *b;
	size_t g, f, len;

	(void)state;
	for (g = 0; g < ARRAY_SIZE(groups); g++) {
		len = ike_crypto_dh_len(groups[g]);
		for (f = 0; f < ARRAY_SIZE(fills); f++) {
			a = pair(groups[g], fills[f][0]);
			b = pair(groups[g], fills[f][1]);
			assert_non_null(a);
			assert_non_null(b);
			ike_crypto_dh_public(a, pa);
			ike_crypto_dh_public(b, pb);
			assert_memory_not_equal(pa, pb, len);
			assert_int_equal(ike_crypto_dh_secret(a, pb, len, sa), 0);
			assert_int_equal(ike_crypto_dh_secret(b, pa, len, sb), 0);
			assert_memory_equal(sa, sb, ike_crypto_dh_secret_len(groups[g]));
			ike_crypto_dh_free(a);
			ike_crypto_dh_free(b);
		}
	}
}

/* p + delta, as a public value of the group. */
static void near_p(const struct modp_vector *v, int delta, uint8_t *out)
{
	size_t len = unhex(v->p, out, IKE_DH_MAX), i = len;
	int carry = delta;

	while (carry && i--) {
		carry += out[i];
		out[i] = (uint8_t)carry;
		carry >>= 8;
	}
}

static void assert_refused(const struct ike_dh *dh, const uint8_t *value, size_t len)
{
	uint8_t out[IKE_DH_MAX], untouched[IKE_DH_MAX];

	memset(out, 0xa5, sizeof(out));
	memset(untouched, 0xa5, sizeof(untouched));
	assert_int_equal(ike_crypto_dh_secret(dh, value, len, out), -IKE_E_INVALID);
	assert_memory_equal(out, untouched, sizeof(out));
}

static void modp_degenerate_refused(void **state)
{
	uint8_t value[IKE_DH_MAX + 1] = { 0 }, out[IKE_DH_MAX];
	const struct modp_vector *v;
	struct ike_dh *dh;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(modp_vectors); i++) {
		v = &modp_vectors[i];
		len = ike_crypto_dh_len(v->group);
		dh = pair(v->group, 0x5a);
		assert_non_null(dh);
		memset(value, 0, sizeof(value));
		assert_refused(dh, value, len);			/* 0 */
		value[len - 1] = 1;
		assert_refused(dh, value, len);			/* 1 */
		value[len - 1] = 2;
		assert_int_equal(ike_crypto_dh_secret(dh, value, len, out), 0);
		assert_refused(dh, value, len - 1);		/* short */
		assert_refused(dh, value, len + 1);		/* long */
		assert_refused(dh, value, 0);
		near_p(v, -2, value);
		assert_int_equal(ike_crypto_dh_secret(dh, value, len, out), 0);
		near_p(v, -1, value);
		assert_refused(dh, value, len);
		near_p(v, 0, value);
		assert_refused(dh, value, len);
		near_p(v, 1, value);
		assert_refused(dh, value, len);
		memset(value, 0xff, len);
		assert_refused(dh, value, len);
		ike_crypto_dh_free(dh);
	}
}

static void ecp_degenerate_refused(void **state)
{
	/* P-256: the curve has a point with x = 0; its other spelling has x = p. */
	static const char p256_p[] = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
	uint8_t value[IKE_DH_MAX] = { 0 }, good[IKE_DH_MAX];
	struct ike_dh *dh, *other;
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ecp_vectors); i++) {
		len = ike_crypto_dh_len(ecp_vectors[i].group);
		dh = pair(ecp_vectors[i].group, 0x5a);
		other = pair(ecp_vectors[i].group, 0x3c);
		ike_crypto_dh_public(other, good);
		memset(value, 0, sizeof(value));
		assert_refused(dh, value, len);			/* (0,0): what infinity would be */
		memcpy(value, good, len);
		value[len - 1] ^= 1;
		assert_refused(dh, value, len);			/* off the curve */
		memcpy(value, good + len / 2, len / 2);
		memcpy(value + len / 2, good, len / 2);
		assert_refused(dh, value, len);			/* x and y swapped */
		memset(value, 0xff, len);
		assert_refused(dh, value, len);			/* not below p */
		assert_refused(dh, good, len - 1);
		assert_refused(dh, good, len + 1);
		assert_refused(dh, good, len / 2);		/* x alone */
		assert_refused(dh, good, 0);
		ike_crypto_dh_free(dh);
		ike_crypto_dh_free(other);
	}
	/* A coordinate written as p + small would be on the curve after reduction. */
	dh = pair(19, 0x5a);
	unhex(p256_p, value, 32);
	unhex("66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4", value + 32, 32);
	memset(good, 0, sizeof(good));
	memcpy(good + 32, value + 32, 32);
	assert_int_equal(ike_crypto_dh_secret(dh, good, 64, value + 64), 0);	/* (0, sqrt b) */
	assert_refused(dh, value, 64);						/* (p, sqrt b) */
	ike_crypto_dh_free(dh);
}

static void dh_unknown_group_refused(void **state)
{
	static const uint16_t unknown[] = { 0, 1, 3, 4, 17, 18, 22, 25, 31, 1025, 65535 };
	uint8_t seed[128] = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_int_equal(ike_crypto_dh_len(unknown[i]), 0);
		assert_int_equal(ike_crypto_dh_secret_len(unknown[i]), 0);
		assert_int_equal(ike_crypto_dh_seed_len(unknown[i]), 0);
		assert_null(ike_crypto_dh_new(unknown[i], seed, 32));
	}
	assert_null(ike_crypto_dh_new(14, seed, ike_crypto_dh_seed_len(14) - 1));
	assert_null(ike_crypto_dh_new(14, seed, 0));
	ike_crypto_dh_free(NULL);
}

static void equal_and_wipe(void **state)
{
	uint8_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 4 }, zero[3] = { 0 };

	(void)state;
	assert_true(ike_crypto_equal(a, b, 2));
	assert_false(ike_crypto_equal(a, b, 3));
	assert_true(ike_crypto_equal(NULL, NULL, 0));
	ike_crypto_wipe(a, 3);
	assert_memory_equal(a, zero, 3);
	ike_crypto_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_of_abc),
		cmocka_unit_test(unknown_hash_is_refused),
		cmocka_unit_test(hmac_published),
		cmocka_unit_test(hmac_empty_key),
		cmocka_unit_test(cbc_published),
		cmocka_unit_test(cbc_chains_3des),
		cmocka_unit_test(cbc_refuses),
		cmocka_unit_test(dh_vectors_regenerate),
		cmocka_unit_test(modp_published),
		cmocka_unit_test(ecp_published),
		cmocka_unit_test(dh_both_ways),
		cmocka_unit_test(modp_degenerate_refused),
		cmocka_unit_test(ecp_degenerate_refused),
		cmocka_unit_test(dh_unknown_group_refused),
		cmocka_unit_test(equal_and_wipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
