// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The formulas of RFC 2409, over crypto.h. See keymat.h.
 */
#include "keymat.h"

#include <string.h>

#include "buf.h"
#include "wire.h"

#define CHUNK(p, n) { (p), (n) }
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int ike_skeyid_psk(struct ike_skeyid *k, uint16_t hash, const void *psk, size_t psk_len,
		   struct ike_chunk ni, struct ike_chunk nr)
{
	const struct ike_chunk in[] = { ni, nr };

	memset(k, 0, sizeof(*k));
	k->hash = hash;
	k->len = ike_crypto_hash_len(hash);
	if (!k->len)
		return -IKE_E_CRYPTO;
	return ike_crypto_hmac(hash, psk, psk_len, in, COUNT(in), k->skeyid);
}

int ike_skeyid_signature(struct ike_skeyid *k, uint16_t hash, struct ike_chunk gxy,
			 struct ike_chunk ni, struct ike_chunk nr)
{
	uint8_t nonces[2 * IKE_NONCE_MAX];

	memset(k, 0, sizeof(*k));
	k->hash = hash;
	k->len = ike_crypto_hash_len(hash);
	if (!k->len || ni.len > IKE_NONCE_MAX || nr.len > IKE_NONCE_MAX)
		return -IKE_E_CRYPTO;
	memcpy(nonces, ni.data, ni.len);
	memcpy(nonces + ni.len, nr.data, nr.len);
	return ike_crypto_hmac(hash, nonces, ni.len + nr.len, &gxy, 1, k->skeyid);
}

/* SKEYID_x = prf(SKEYID, [previous |] g^xy | CKY-I | CKY-R | number). */
static int expand_one(const struct ike_skeyid *k, const uint8_t *previous, struct ike_chunk gxy,
		      const uint8_t *icookie, const uint8_t *rcookie, uint8_t number, uint8_t *out)
{
	const struct ike_chunk in[] = {
		CHUNK(previous, previous ? k->len : 0),
		gxy,
		CHUNK(icookie, IKE_COOKIE_LEN),
		CHUNK(rcookie, IKE_COOKIE_LEN),
		CHUNK(&number, 1),
	};

	return ike_crypto_hmac(k->hash, k->skeyid, k->len, in, COUNT(in), out);
}

int ike_skeyid_expand(struct ike_skeyid *k, struct ike_chunk gxy,
		      const uint8_t icookie[IKE_COOKIE_LEN], const uint8_t rcookie[IKE_COOKIE_LEN])
{
	int err;

	err = expand_one(k, NULL, gxy, icookie, rcookie, 0, k->d);
	if (!err)
		err = expand_one(k, k->d, gxy, icookie, rcookie, 1, k->a);
	if (!err)
		err = expand_one(k, k->a, gxy, icookie, rcookie, 2, k->e);
	return err;
}

/* Ka = K1 | K2 | ..., K1 = prf(SKEYID_e, 0), Kn = prf(SKEYID_e, Kn-1). */
int ike_cipher_key(const struct ike_skeyid *k, uint8_t *key, size_t len)
{
	uint8_t block[IKE_HASH_MAX], zero = 0;
	struct ike_chunk in = CHUNK(&zero, 1);
	size_t done, n;
	int err = 0;

	if (len <= k->len) {
		memcpy(key, k->e, len);
		return 0;
	}
	for (done = 0; !err && done < len; done += n) {
		err = ike_crypto_hmac(k->hash, k->e, k->len, &in, 1, block);
		n = len - done < k->len ? len - done : k->len;
		if (!err)
			memcpy(key + done, block, n);
		in.data = block;
		in.len = k->len;
	}
	ike_crypto_wipe(block, sizeof(block));
	return err;
}

int ike_hash_phase1_by(uint16_t hash, const struct ike_skeyid *k, struct ike_chunk mine, struct ike_chunk theirs,
		       const uint8_t *my_cookie, const uint8_t *their_cookie,
		       struct ike_chunk sai_b, struct ike_chunk id_b, uint8_t *out)
{
	const struct ike_chunk in[] = {
		mine, theirs,
		CHUNK(my_cookie, IKE_COOKIE_LEN),
		CHUNK(their_cookie, IKE_COOKIE_LEN),
		sai_b, id_b,
	};

	return ike_crypto_hmac(hash, k->skeyid, k->len, in, COUNT(in), out);
}

int ike_hash_phase1(const struct ike_skeyid *k, struct ike_chunk mine, struct ike_chunk theirs,
		    const uint8_t *my_cookie, const uint8_t *their_cookie,
		    struct ike_chunk sai_b, struct ike_chunk id_b, uint8_t *out)
{
	return ike_hash_phase1_by(k->hash, k, mine, theirs, my_cookie, their_cookie, sai_b, id_b, out);
}

int ike_hash1(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk rest, uint8_t *out)
{
	uint8_t mid[4];
	const struct ike_chunk in[] = { CHUNK(mid, sizeof(mid)), rest };

	ike_store32(mid, msgid);
	return ike_crypto_hmac(k->hash, k->a, k->len, in, COUNT(in), out);
}

int ike_hash2(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk ni,
	      struct ike_chunk rest, uint8_t *out)
{
	uint8_t mid[4];
	const struct ike_chunk in[] = { CHUNK(mid, sizeof(mid)), ni, rest };

	ike_store32(mid, msgid);
	return ike_crypto_hmac(k->hash, k->a, k->len, in, COUNT(in), out);
}

int ike_hash3(const struct ike_skeyid *k, uint32_t msgid, struct ike_chunk ni, struct ike_chunk nr,
	      uint8_t *out)
{
	uint8_t mid[4], zero = 0;
	const struct ike_chunk in[] = { CHUNK(&zero, 1), CHUNK(mid, sizeof(mid)), ni, nr };

	ike_store32(mid, msgid);
	return ike_crypto_hmac(k->hash, k->a, k->len, in, COUNT(in), out);
}

static int hash_cut(uint16_t hash, const struct ike_chunk *in, size_t n, uint8_t *out, size_t len)
{
	uint8_t full[IKE_HASH_MAX];
	int err;

	if (len > ike_crypto_hash_len(hash))
		return -IKE_E_CRYPTO;
	err = ike_crypto_hash(hash, in, n, full);
	if (!err)
		memcpy(out, full, len);
	return err;
}

int ike_iv_phase1(uint16_t hash, struct ike_chunk gxi, struct ike_chunk gxr, uint8_t *iv, size_t len)
{
	const struct ike_chunk in[] = { gxi, gxr };

	return hash_cut(hash, in, COUNT(in), iv, len);
}

int ike_iv_msgid(uint16_t hash, struct ike_chunk last, uint32_t msgid, uint8_t *iv, size_t len)
{
	uint8_t mid[4];
	const struct ike_chunk in[] = { last, CHUNK(mid, sizeof(mid)) };

	ike_store32(mid, msgid);
	return hash_cut(hash, in, COUNT(in), iv, len);
}

/* K1 = prf(SKEYID_d, seed), Kn = prf(SKEYID_d, Kn-1 | seed). */
int ike_keymat(const struct ike_skeyid *k, struct ike_chunk gxy, uint8_t proto, uint32_t spi,
	       struct ike_chunk ni, struct ike_chunk nr, uint8_t *out, size_t len)
{
	uint8_t block[IKE_HASH_MAX], wire_spi[4];
	struct ike_chunk in[] = {
		CHUNK(block, 0), gxy, CHUNK(&proto, 1), CHUNK(wire_spi, sizeof(wire_spi)), ni, nr,
	};
	size_t done, n;
	int err = 0;

	ike_store32(wire_spi, spi);
	for (done = 0; !err && done < len; done += n) {
		uint8_t next[IKE_HASH_MAX];

		err = ike_crypto_hmac(k->hash, k->d, k->len, in, COUNT(in), next);
		n = len - done < k->len ? len - done : k->len;
		if (!err) {
			memcpy(out + done, next, n);
			memcpy(block, next, k->len);
		}
		ike_crypto_wipe(next, sizeof(next));
		in[0].len = k->len;
	}
	ike_crypto_wipe(block, sizeof(block));
	return err;
}

/*
 * ESP transforms: octets of key, and of salt behind it (RFC 2451, 3602, 3686 5.1, 4106 8.1,
 * 4309 7.1, 4543 3.2).
 */
static const struct esp_transform {
	uint8_t number;
	uint8_t key;		/* 0 with AES: as negotiated */
	uint8_t salt;
	bool aes;
	bool combined;
} transforms[] = {
	{ IKE_ESP_3DES, 24, 0, false, false },
	{ IKE_ESP_NULL, 0, 0, false, false },
	{ IKE_ESP_AES_CBC, 0, 0, true, false },
	{ IKE_ESP_AES_CTR, 0, 4, true, false },
	{ IKE_ESP_AES_CCM_8, 0, 3, true, true },
	{ IKE_ESP_AES_CCM_12, 0, 3, true, true },
	{ IKE_ESP_AES_CCM_16, 0, 3, true, true },
	{ IKE_ESP_AES_GCM_8, 0, 4, true, true },
	{ IKE_ESP_AES_GCM_12, 0, 4, true, true },
	{ IKE_ESP_AES_GCM_16, 0, 4, true, true },
	{ IKE_ESP_NULL_AES_GMAC, 0, 4, true, true },
};

/* Octets of key of the integrity algorithms (RFC 2403, 2404, 3566, 4868). */
static const struct {
	uint16_t number;
	uint8_t key;
} auths[] = {
	{ IKE_ESPAUTH_MD5, 16 },
	{ IKE_ESPAUTH_SHA1, 20 },
	{ IKE_ESPAUTH_SHA256, 32 },
	{ IKE_ESPAUTH_SHA256_96, 32 },
	{ IKE_ESPAUTH_SHA384, 48 },
	{ IKE_ESPAUTH_SHA512, 64 },
	{ IKE_ESPAUTH_AES_XCBC, 16 },
};

static const struct esp_transform *find_transform(uint8_t number)
{
	size_t i;

	for (i = 0; i < COUNT(transforms); i++)
		if (transforms[i].number == number)
			return &transforms[i];
	return NULL;
}

bool ike_esp_is_aes(uint8_t transform)
{
	const struct esp_transform *t = find_transform(transform);

	return t && t->aes;
}

bool ike_esp_combined(uint8_t transform)
{
	const struct esp_transform *t = find_transform(transform);

	return t && t->combined;
}

size_t ike_esp_encr_len(const struct ike_p2_proposal *p)
{
	const struct esp_transform *t = find_transform(p->transform);

	if (!t)
		return 0;
	return (t->aes ? p->key_bits / 8u : t->key) + t->salt;
}

size_t ike_esp_auth_len(const struct ike_p2_proposal *p)
{
	size_t i;

	for (i = 0; i < COUNT(auths); i++)
		if (auths[i].number == p->auth)
			return auths[i].key;
	return 0;
}

bool ike_esp_known(const struct ike_p2_proposal *p)
{
	const struct esp_transform *t = find_transform(p->transform);

	if (!t)
		return false;
	if (t->aes && p->key_bits != 128 && p->key_bits != 192 && p->key_bits != 256)
		return false;
	return t->combined ? !p->auth : ike_esp_auth_len(p) != 0;
}
