// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ESP by OpenSSL, see esp.h. Owns cipher contexts; decides nothing about what a packet is.
 */
#include <arpa/inet.h>
#include <err.h>
#include <string.h>
#include <openssl/core_names.h>
#include "esp.h"
#include "ip.h"

static const struct encr {
	const char *name;
	unsigned int key, salt, iv, block;
	const EVP_CIPHER *(*cipher)(void);
} encrs[] = {
	{ "aes-gcm-16", 16, 4, 8, 4, EVP_aes_128_gcm },
	{ "aes-gcm-16", 24, 4, 8, 4, EVP_aes_192_gcm },
	{ "aes-gcm-16", 32, 4, 8, 4, EVP_aes_256_gcm },
	{ "aes-cbc", 16, 0, 16, 16, EVP_aes_128_cbc },
	{ "aes-cbc", 24, 0, 16, 16, EVP_aes_192_cbc },
	{ "aes-cbc", 32, 0, 16, 16, EVP_aes_256_cbc },
	{ "des3-cbc", 24, 0, 8, 8, EVP_des_ede3_cbc },
	{ "null", 0, 0, 0, 4, NULL },
};

static const struct auth {
	const char *name, *hash;
	unsigned int icv;
} auths[] = {
	{ "hmac-sha256-128", "SHA256", 16 }, { "hmac-sha384-192", "SHA384", 24 },
	{ "hmac-sha512-256", "SHA512", 32 }, { "hmac-sha1-96", "SHA1", 12 },
	{ "hmac-md5-96", "MD5", 12 },
};

static size_t unhex(const char *hex, uint8_t *to, size_t size)
{
	size_t len = 0;
	unsigned int octet;

	if (!strcmp(hex, "-"))
		return 0;
	for (; *hex; hex += 2) {
		if (len == size || sscanf(hex, "%2x", &octet) != 1)
			errx(2, "not a key: %s", hex);
		to[len++] = (uint8_t)octet;
	}
	return len;
}

static void authentication(struct sa *sa, const char *name, const char *hex)
{
	const struct auth *a;
	OSSL_PARAM params[2] = { };
	uint8_t key[64];
	size_t len = unhex(hex, key, sizeof(key));
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	for (a = auths; strcmp(a->name, name); a++)
		if (a == auths + sizeof(auths) / sizeof(*auths) - 1)
			errx(2, "no such algorithm: %s", name);
	sa->icv = a->icv;
	sa->mac = EVP_MAC_CTX_new(hmac);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)a->hash, 0);
	if (!sa->mac || !EVP_MAC_init(sa->mac, key, len, params))
		errx(1, "HMAC failed");
	EVP_MAC_free(hmac);
}

void esp_algorithm(struct sa *sa, const char *encr, const char *auth, const char *ekey,
		   const char *akey)
{
	const struct encr *e;
	uint8_t key[36];
	size_t len = unhex(ekey, key, sizeof(key));

	for (e = encrs; strcmp(e->name, encr) || e->key + e->salt != len; e++)
		if (e == encrs + sizeof(encrs) / sizeof(*encrs) - 1)
			errx(2, "no such algorithm: %s with %zu octets of key", encr, len);
	sa->iv = e->iv;
	sa->block = e->block;
	sa->gcm = e->salt;
	memcpy(sa->salt, key + e->key, e->salt);
	if (sa->gcm)
		sa->icv = 16;
	else
		authentication(sa, auth, akey);
	if (!e->cipher)
		return;
	sa->seal = EVP_CIPHER_CTX_new();
	sa->open = EVP_CIPHER_CTX_new();
	if (!sa->seal || !sa->open ||
	    !EVP_EncryptInit_ex(sa->seal, e->cipher(), NULL, key, NULL) ||
	    !EVP_DecryptInit_ex(sa->open, e->cipher(), NULL, key, NULL))
		errx(1, "%s failed", encr);
	EVP_CIPHER_CTX_set_padding(sa->seal, 0);
	EVP_CIPHER_CTX_set_padding(sa->open, 0);
}

size_t esp_length(const struct sa *sa, size_t text)
{
	return ESP_HEADER + sa->iv + text + sa->icv;
}


/* Associated data of RFC 4106 5. */
static int associated(const struct sa *sa, uint64_t seq, uint8_t aad[12])
{
	put32(aad, sa->spi);
	put32(aad + 4, (uint32_t)(sa->esn ? seq >> 32 : seq));
	put32(aad + 8, (uint32_t)seq);
	return sa->esn ? 12 : 8;
}

static void nonce_of(const struct sa *sa, const uint8_t *iv, uint8_t nonce[12])
{
	memcpy(nonce, sa->salt, 4);
	memcpy(nonce + 4, iv, 8);
}

/* The ICV of @len octets beginning at the ESP header (RFC 4303 2.8, with ESN 2.2.1). */
static void sum(struct sa *sa, uint64_t seq, const uint8_t *esp, size_t len, uint8_t icv[64])
{
	uint8_t high[4];
	size_t n;

	put32(high, (uint32_t)(seq >> 32));
	if (!EVP_MAC_init(sa->mac, NULL, 0, NULL) || !EVP_MAC_update(sa->mac, esp, len) ||
	    (sa->esn && !EVP_MAC_update(sa->mac, high, sizeof(high))) ||
	    !EVP_MAC_final(sa->mac, icv, &n, 64))
		errx(1, "HMAC failed");
}

static void seal_gcm(struct sa *sa, uint64_t seq, uint8_t *esp, const uint8_t *text, size_t len)
{
	uint8_t nonce[12], aad[12], *at = esp + ESP_HEADER + sa->iv;
	int n;

	nonce_of(sa, esp + ESP_HEADER, nonce);
	if (!EVP_EncryptInit_ex(sa->seal, NULL, NULL, NULL, nonce) ||
	    !EVP_EncryptUpdate(sa->seal, NULL, &n, aad, associated(sa, seq, aad)) ||
	    !EVP_EncryptUpdate(sa->seal, at, &n, text, (int)len) ||
	    !EVP_EncryptFinal_ex(sa->seal, at + n, &n) ||
	    !EVP_CIPHER_CTX_ctrl(sa->seal, EVP_CTRL_GCM_GET_TAG, 16, at + len))
		errx(1, "AES-GCM failed");
}

size_t esp_seal(struct batch *b, struct sa *sa, uint64_t seq, const uint8_t *text, size_t len,
		uint8_t *to)
{
	uint8_t *at = to + ESP_HEADER + sa->iv, icv[64];
	int n;

	put32(to, sa->spi);
	put32(to + 4, (uint32_t)seq);
	random_fill(b, to + ESP_HEADER, sa->iv);
	if (sa->gcm) {
		seal_gcm(sa, seq, to, text, len);
		return esp_length(sa, len);
	}
	if (!sa->seal)
		memcpy(at, text, len);
	else if (!EVP_EncryptInit_ex(sa->seal, NULL, NULL, NULL, to + ESP_HEADER) ||
		 !EVP_EncryptUpdate(sa->seal, at, &n, text, (int)len))
		errx(1, "CBC failed");
	sum(sa, seq, to, (size_t)(at - to) + len, icv);
	memcpy(at + len, icv, sa->icv);
	return esp_length(sa, len);
}

static bool open_gcm(struct sa *sa, uint64_t seq, const uint8_t *esp, size_t text, uint8_t *to)
{
	uint8_t nonce[12], aad[12], tag[16];
	const uint8_t *at = esp + ESP_HEADER + sa->iv;
	int n;

	nonce_of(sa, esp + ESP_HEADER, nonce);
	memcpy(tag, at + text, sizeof(tag));
	return EVP_DecryptInit_ex(sa->open, NULL, NULL, NULL, nonce) &&
	       EVP_DecryptUpdate(sa->open, NULL, &n, aad, associated(sa, seq, aad)) &&
	       EVP_DecryptUpdate(sa->open, to, &n, at, (int)text) &&
	       EVP_CIPHER_CTX_ctrl(sa->open, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) &&
	       EVP_DecryptFinal_ex(sa->open, to + n, &n) > 0;
}

ssize_t esp_open(struct sa *sa, uint64_t seq, const uint8_t *esp, size_t len, uint8_t *to)
{
	size_t around = ESP_HEADER + sa->iv + sa->icv, text = len - around;
	const uint8_t *at = esp + ESP_HEADER + sa->iv;
	uint8_t icv[64];
	int n;

	if (len < around + sa->block || text % sa->block)
		return -1;
	if (sa->gcm)
		return open_gcm(sa, seq, esp, text, to) ? (ssize_t)text : -1;
	sum(sa, seq, esp, len - sa->icv, icv);
	if (memcmp(icv, at + text, sa->icv))
		return -1;
	if (!sa->open)
		memcpy(to, at, text);
	else if (!EVP_DecryptInit_ex(sa->open, NULL, NULL, NULL, esp + ESP_HEADER) ||
		 !EVP_DecryptUpdate(sa->open, to, &n, at, (int)text))
		errx(1, "CBC failed");
	return (ssize_t)text;
}

unsigned int esp_padding(const struct sa *sa, size_t len)
{
	return (unsigned int)-(len + 2) % sa->block;
}

size_t esp_trailer(uint8_t *at, unsigned int pad, uint8_t next)
{
	unsigned int i;

	for (i = 0; i < pad; i++)
		at[i] = (uint8_t)(i + 1);
	at[pad] = (uint8_t)pad;
	at[pad + 1] = next;
	return pad + 2;
}
