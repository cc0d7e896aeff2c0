// SPDX-License-Identifier: GPL-2.0
/*
 * The tables of algorithms and what is told to a request that does not fit them, see
 * alg.h. A new algorithm is a new row, and its name in the specification.
 */
#include "alg.h"
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/netlink.h>

#define ESPTUN_KEY(n) BIT_ULL(n)
#define ESPTUN_KEY_AES (ESPTUN_KEY(16) | ESPTUN_KEY(24) | ESPTUN_KEY(32))

/* A counter mode of AES with an ICV of its own: RFC 4106, 4309, 4543. */
#define ESPTUN_AES_AEAD(_name, _crypto, _salt, _icv) {				\
	.name = _name, .crypto = _crypto, .key_sizes = ESPTUN_KEY_AES,		\
	.salt_len = _salt, .iv_len = 8, .icv_len = _icv, .block = 4, .counter_iv = true }

const struct esptun_encr_alg esptun_encr_algs[ESPTUN_ENCR_COUNT] = {
	[ESPTUN_ENCR_NULL] = {
		.name = "null", .crypto = "ecb(cipher_null)",
		.key_sizes = ESPTUN_KEY(0), .block = 4 },
	[ESPTUN_ENCR_DES3_CBC] = {
		.name = "des3-cbc", .crypto = "cbc(des3_ede)",
		.key_sizes = ESPTUN_KEY(24), .iv_len = 8, .block = 8 },
	[ESPTUN_ENCR_AES_CBC] = {
		.name = "aes-cbc", .crypto = "cbc(aes)",
		.key_sizes = ESPTUN_KEY_AES, .iv_len = 16, .block = 16 },
	[ESPTUN_ENCR_AES_CTR] = {
		.name = "aes-ctr", .crypto = "rfc3686(ctr(aes))", .key_sizes = ESPTUN_KEY_AES,
		.salt_len = 4, .iv_len = 8, .block = 4, .counter_iv = true },
	[ESPTUN_ENCR_AES_GCM_8] = ESPTUN_AES_AEAD("aes-gcm-8", "rfc4106(gcm(aes))", 4, 8),
	[ESPTUN_ENCR_AES_GCM_12] = ESPTUN_AES_AEAD("aes-gcm-12", "rfc4106(gcm(aes))", 4, 12),
	[ESPTUN_ENCR_AES_GCM_16] = ESPTUN_AES_AEAD("aes-gcm-16", "rfc4106(gcm(aes))", 4, 16),
	[ESPTUN_ENCR_AES_CCM_8] = ESPTUN_AES_AEAD("aes-ccm-8", "rfc4309(ccm(aes))", 3, 8),
	[ESPTUN_ENCR_AES_CCM_12] = ESPTUN_AES_AEAD("aes-ccm-12", "rfc4309(ccm(aes))", 3, 12),
	[ESPTUN_ENCR_AES_CCM_16] = ESPTUN_AES_AEAD("aes-ccm-16", "rfc4309(ccm(aes))", 3, 16),
	[ESPTUN_ENCR_NULL_AES_GMAC] =
		ESPTUN_AES_AEAD("null-aes-gmac", "rfc4543(gcm(aes))", 4, 16),
	[ESPTUN_ENCR_CHACHA20_POLY1305] = {
		.name = "chacha20-poly1305", .crypto = "rfc7539esp(chacha20,poly1305)",
		.key_sizes = ESPTUN_KEY(32), .salt_len = 4, .iv_len = 8, .icv_len = 16,
		.block = 4, .counter_iv = true },
};

const struct esptun_auth_alg esptun_auth_algs[ESPTUN_AUTH_COUNT] = {
	[ESPTUN_AUTH_NONE] = { "none", "digest_null", 0, 0 },
	[ESPTUN_AUTH_HMAC_MD5_96] = { "hmac-md5-96", "hmac(md5)", 16, 12 },
	[ESPTUN_AUTH_HMAC_SHA1_96] = { "hmac-sha1-96", "hmac(sha1)", 20, 12 },
	[ESPTUN_AUTH_HMAC_SHA256_128] = { "hmac-sha256-128", "hmac(sha256)", 32, 16 },
	[ESPTUN_AUTH_HMAC_SHA384_192] = { "hmac-sha384-192", "hmac(sha384)", 48, 24 },
	[ESPTUN_AUTH_HMAC_SHA512_256] = { "hmac-sha512-256", "hmac(sha512)", 64, 32 },
	[ESPTUN_AUTH_AES_XCBC_96] = { "aes-xcbc-96", "xcbc(aes)", 16, 12 },
	[ESPTUN_AUTH_HMAC_SHA256_96] = { "hmac-sha256-96", "hmac(sha256)", 32, 12 },
};

/*
 * The text of a refusal has to live until the request is answered, behind our return, and
 * not all kernels have a place for texts that are not constant. So there is a row of them,
 * longer than the number of requests that can be between those two points.
 */
static char esptun_alg_texts[16][112];
static atomic_t esptun_alg_text = ATOMIC_INIT(0);

__printf(2, 3)
static int esptun_alg_refuse(struct netlink_ext_ack *extack, const char *format, ...)
{
	u32 at = (u32)atomic_inc_return(&esptun_alg_text) % ARRAY_SIZE(esptun_alg_texts);
	va_list args;

	va_start(args, format);
	vscnprintf(esptun_alg_texts[at], sizeof(esptun_alg_texts[at]), format, args);
	va_end(args);
	if (extack)
		extack->_msg = esptun_alg_texts[at];
	return -EINVAL;
}

/* "16, 24 or 32": the bits of @sizes, each with @salt added. */
static void esptun_alg_sizes(char *text, size_t size, u64 sizes, u8 salt)
{
	unsigned int n, len = 0;

	for (n = 0; n < 64; n++) {
		if (!(sizes & BIT_ULL(n)))
			continue;
		sizes &= ~BIT_ULL(n);
		len += scnprintf(text + len, size - len, "%s%u",
				 !len ? "" : sizes ? ", " : " or ", n + salt);
	}
}

static int esptun_alg_check_encr(const struct esptun_alg_choice *choice,
				 struct netlink_ext_ack *extack)
{
	const struct esptun_encr_alg *encr = &esptun_encr_algs[choice->encr];
	unsigned int key = choice->encr_len - encr->salt_len;
	char sizes[32];

	if (choice->encr_len >= encr->salt_len && key < 64 && encr->key_sizes & BIT_ULL(key))
		return 0;
	if (encr->key_sizes == ESPTUN_KEY(0))
		return esptun_alg_refuse(extack, "encr-key: %s takes no key, got %u octets",
					 encr->name, choice->encr_len);
	esptun_alg_sizes(sizes, sizeof(sizes), encr->key_sizes, encr->salt_len);
	if (!encr->salt_len)
		return esptun_alg_refuse(extack, "encr-key: %s takes exactly %s octets, got %u",
					 encr->name, sizes, choice->encr_len);
	return esptun_alg_refuse(extack,
		"encr-key: %s takes exactly %s octets (key and %u octets of salt), got %u",
		encr->name, sizes, encr->salt_len, choice->encr_len);
}

static int esptun_alg_check_auth(const struct esptun_alg_choice *choice,
				 struct netlink_ext_ack *extack)
{
	const struct esptun_auth_alg *auth = &esptun_auth_algs[choice->auth];

	if (choice->auth_len == auth->key_len)
		return 0;
	if (choice->auth == ESPTUN_AUTH_NONE)
		return esptun_alg_refuse(extack,
			"auth-key: given without an integrity algorithm, %u octets",
			choice->auth_len);
	return esptun_alg_refuse(extack, "auth-key: %s takes exactly %u octets, got %u",
				 auth->name, auth->key_len, choice->auth_len);
}

int esptun_alg_check(const struct esptun_alg_choice *choice, struct netlink_ext_ack *extack)
{
	const char *encr = esptun_encr_algs[choice->encr].name;
	int err;

	err = esptun_alg_check_encr(choice, extack);
	if (!err)
		err = esptun_alg_check_auth(choice, extack);
	if (err)
		return err;
	if (esptun_alg_combined(choice->encr))
		return choice->auth == ESPTUN_AUTH_NONE ? 0 : esptun_alg_refuse(extack,
			"auth: %s has its own integrity, the integrity algorithm must be none",
			encr);
	if (choice->auth != ESPTUN_AUTH_NONE)
		return 0;
	if (choice->encr == ESPTUN_ENCR_NULL)
		return esptun_alg_refuse(extack,
			"auth: null encryption without integrity is not ESP (RFC 4303 3.2)");
	if (!choice->weak_ok)
		return esptun_alg_refuse(extack,
			"auth: none with %s, which has no integrity, needs the no-integrity-ok flag",
			encr);
	if (choice->esn)
		return esptun_alg_refuse(extack,
			"flags: extended sequence numbers need integrity");
	return 0;
}
