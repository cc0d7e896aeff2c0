// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Algorithm suites as words: "aes256-sha256-modp2048" to numbers and back, which policy
 * word each algorithm needs, and what is weak about it. The tables are the whole
 * knowledge; the functions walk them. See ike.h for the syntax.
 */
#include <stdio.h>
#include <string.h>

#include "ike.h"
#include "keymat.h"
#include "names.h"
#include "wire.h"

struct alg {
	const char *name;
	uint16_t number;
	uint16_t key_bits;
	enum ike_policy needs;
	const char *weak;	/* what to call it when it is flagged; NULL: it is not */
};

static const struct alg p1_encr[] = {
	{ "aes128",	IKE_ENCR_AES,	128,	IKE_POLICY_MODERN,	NULL },
	{ "aes192",	IKE_ENCR_AES,	192,	IKE_POLICY_MODERN,	NULL },
	{ "aes256",	IKE_ENCR_AES,	256,	IKE_POLICY_MODERN,	NULL },
	{ "3des",	IKE_ENCR_3DES,	0,	IKE_POLICY_LEGACY,	"3DES" },
	{ NULL }
};

static const struct alg p1_hash[] = {
	{ "sha256",	IKE_HASH_SHA256, 0,	IKE_POLICY_MODERN,	NULL },
	{ "sha384",	IKE_HASH_SHA384, 0,	IKE_POLICY_MODERN,	NULL },
	{ "sha512",	IKE_HASH_SHA512, 0,	IKE_POLICY_MODERN,	NULL },
	{ "sha1",	IKE_HASH_SHA1,	0,	IKE_POLICY_LEGACY,	"SHA1" },
	{ "md5",	IKE_HASH_MD5,	0,	IKE_POLICY_INSECURE,	"MD5" },
	{ NULL }
};

/* Other vendors' configurations have the numbers. */
#define GROUP_WORDS	"a group: modp2048 (number 14), modp3072 (15), modp4096 (16), ecp256 (19), ecp384 (20), " \
			"ecp521 (21), modp1536 (5) or modp1024 (2)"

static const struct alg groups[] = {
	{ "modp2048",	14,	0,	IKE_POLICY_MODERN,	NULL },
	{ "modp3072",	15,	0,	IKE_POLICY_MODERN,	NULL },
	{ "modp4096",	16,	0,	IKE_POLICY_MODERN,	NULL },
	{ "ecp256",	19,	0,	IKE_POLICY_MODERN,	NULL },
	{ "ecp384",	20,	0,	IKE_POLICY_MODERN,	NULL },
	{ "ecp521",	21,	0,	IKE_POLICY_MODERN,	NULL },
	{ "modp1536",	5,	0,	IKE_POLICY_LEGACY,	"modp1536" },
	{ "modp1024",	2,	0,	IKE_POLICY_INSECURE,	"modp1024" },
	{ NULL }
};

/* No encryption at all is no better than MD5: it wants the strongest word. */
#define AES(mode, number, needs, weak) \
	{ "aes128" mode, number, 128, needs, weak }, \
	{ "aes192" mode, number, 192, needs, weak }, \
	{ "aes256" mode, number, 256, needs, weak }
#define P2_CIPHER_WORDS	"an ESP cipher: aes128, aes192 or aes256, alone or with gcm16, gcm12, gcm8, ccm16, ccm12, " \
			"ccm8, gmac or ctr behind it, 3des or null"
#define P2_HASH_WORDS	"a hash: md5, sha1, sha256, sha256_96, sha384, sha512 or aesxcbc"

static const struct alg p2_transform[] = {
	AES("gcm16",	IKE_ESP_AES_GCM_16,	IKE_POLICY_MODERN,	NULL),
	AES("",		IKE_ESP_AES_CBC,	IKE_POLICY_MODERN,	NULL),
	AES("gcm12",	IKE_ESP_AES_GCM_12,	IKE_POLICY_MODERN,	NULL),
	AES("ccm16",	IKE_ESP_AES_CCM_16,	IKE_POLICY_MODERN,	NULL),
	AES("ccm12",	IKE_ESP_AES_CCM_12,	IKE_POLICY_MODERN,	NULL),
	AES("ctr",	IKE_ESP_AES_CTR,	IKE_POLICY_MODERN,	NULL),
	AES("gcm8",	IKE_ESP_AES_GCM_8,	IKE_POLICY_LEGACY,	"64-bit ICV"),
	AES("ccm8",	IKE_ESP_AES_CCM_8,	IKE_POLICY_LEGACY,	"64-bit ICV"),
	{ "3des",	IKE_ESP_3DES,	0,	IKE_POLICY_LEGACY,	"3DES" },
	{ "null",	IKE_ESP_NULL,	0,	IKE_POLICY_INSECURE,	"NULL" },
	AES("gmac",	IKE_ESP_NULL_AES_GMAC,	IKE_POLICY_INSECURE,	"NULL"),
	{ NULL }
};

static const struct alg p2_auth[] = {
	{ "sha256",	IKE_ESPAUTH_SHA256, 0,	IKE_POLICY_MODERN,	NULL },
	{ "sha384",	IKE_ESPAUTH_SHA384, 0,	IKE_POLICY_MODERN,	NULL },
	{ "sha512",	IKE_ESPAUTH_SHA512, 0,	IKE_POLICY_MODERN,	NULL },
	{ "aesxcbc",	IKE_ESPAUTH_AES_XCBC, 0, IKE_POLICY_MODERN,	NULL },
	{ "sha256_96",	IKE_ESPAUTH_SHA256_96, 0, IKE_POLICY_LEGACY,	"SHA2-256-96" },
	{ "sha1",	IKE_ESPAUTH_SHA1, 0,	IKE_POLICY_LEGACY,	"SHA1" },
	{ "md5",	IKE_ESPAUTH_MD5, 0,	IKE_POLICY_INSECURE,	"MD5" },
	{ NULL }
};

static const struct alg *by_number(const struct alg *tab, uint16_t number, uint16_t key_bits)
{
	for (; tab->name; tab++)
		if (tab->number == number && tab->key_bits == key_bits)
			return tab;
	return NULL;
}

/* The words of a suite, split at '-'; next_if takes one when the table has it. */
struct words {
	const char *at;
};

static const struct alg *next_if(struct words *w, const struct alg *tab)
{
	size_t len = strcspn(w->at, "-");

	for (; len && tab->name; tab++) {
		if (strlen(tab->name) != len || strncmp(tab->name, w->at, len))
			continue;
		w->at += len;
		if (*w->at == '-' && w->at[1])
			w->at++;
		return tab;
	}
	return NULL;
}

static int fail(const char **why, const char *text, int err)
{
	if (why)
		*why = text;
	return -err;
}

static int check_policy(enum ike_policy policy, const struct alg *const *algs, size_t n,
			const char **why)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!algs[i] || algs[i]->needs <= policy)
			continue;
		return fail(why, algs[i]->needs == IKE_POLICY_LEGACY ?
			    "needs the policy word \"legacy\" (or \"insecure\")" :
			    "needs the policy word \"insecure\"", IKE_E_POLICY);
	}
	return 0;
}

int ike_p1_parse(const char *text, enum ike_policy policy, struct ike_p1_proposal *p, const char **why)
{
	struct words w = { text };
	const struct alg *algs[3];
	int err;

	algs[0] = next_if(&w, p1_encr);
	if (!algs[0])
		return fail(why, "expected a phase 1 cipher: aes128, aes192, aes256 or 3des", IKE_E_PARSE);
	algs[1] = next_if(&w, p1_hash);
	if (!algs[1])
		return fail(why, "expected a hash: md5, sha1, sha256, sha384 or sha512", IKE_E_PARSE);
	algs[2] = next_if(&w, groups);
	if (!algs[2])
		return fail(why, "expected " GROUP_WORDS, IKE_E_PARSE);
	if (*w.at)
		return fail(why, "words behind the group", IKE_E_PARSE);
	err = check_policy(policy, algs, 3, why);
	if (err)
		return err;
	p->encr = algs[0]->number;
	p->key_bits = algs[0]->key_bits;
	p->hash = algs[1]->number;
	p->group = algs[2]->number;
	return 0;
}

int ike_p2_parse(const char *text, enum ike_policy policy, struct ike_p2_proposal *p, const char **why)
{
	static const struct alg esn_word[] = { { "esn", 1, 0, IKE_POLICY_MODERN, NULL }, { NULL } };
	struct words w = { text };
	const struct alg *algs[4];
	bool aead;
	int err;

	algs[0] = next_if(&w, p2_transform);
	if (!algs[0])
		return fail(why, "expected " P2_CIPHER_WORDS, IKE_E_PARSE);
	aead = ike_esp_combined((uint8_t)algs[0]->number);
	algs[1] = next_if(&w, p2_auth);
	if (aead && algs[1])
		return fail(why, "this cipher authenticates by itself: no hash may follow", IKE_E_PARSE);
	if (!aead && !algs[1])
		return fail(why, "expected " P2_HASH_WORDS, IKE_E_PARSE);
	algs[2] = next_if(&w, groups);
	algs[3] = next_if(&w, esn_word);
	if (*w.at)
		return fail(why, "expected nothing more, \"esn\" or " GROUP_WORDS, IKE_E_PARSE);
	err = check_policy(policy, algs, 4, why);
	if (err)
		return err;
	memset(p, 0, sizeof(*p));
	p->transform = (uint8_t)algs[0]->number;
	p->key_bits = algs[0]->key_bits;
	p->auth = algs[1] ? algs[1]->number : 0;
	p->group = algs[2] ? algs[2]->number : 0;
	p->esn = algs[3];
	return 0;
}

/* Append "-name", or "-what NUMBER" for what no table knows. */
static void append(char *buf, size_t size, const struct alg *tab, const char *what,
		   uint16_t number, uint16_t key_bits)
{
	const struct alg *a = by_number(tab, number, key_bits);
	size_t n = strlen(buf);
	const char *dash = n ? "-" : "";

	if (a)
		snprintf(buf + n, size - n, "%s%s", dash, a->name);
	else if (key_bits)
		snprintf(buf + n, size - n, "%s%s(%u/%u)", dash, what, number, key_bits);
	else
		snprintf(buf + n, size - n, "%s%s(%u)", dash, what, number);
}

const char *ike_p1_format(const struct ike_p1_proposal *p, char *buf, size_t size)
{
	buf[0] = '\0';
	append(buf, size, p1_encr, "encr", p->encr, p->key_bits);
	append(buf, size, p1_hash, "hash", p->hash, 0);
	append(buf, size, groups, "group", p->group, 0);
	return buf;
}

const char *ike_p2_format(const struct ike_p2_proposal *p, char *buf, size_t size)
{
	buf[0] = '\0';
	append(buf, size, p2_transform, "esp", p->transform, p->key_bits);
	if (p->auth)
		append(buf, size, p2_auth, "auth", p->auth, 0);
	if (p->group)
		append(buf, size, groups, "group", p->group, 0);
	if (p->esn && strlen(buf) + sizeof("-esn") <= size)
		strcat(buf, "-esn");
	return buf;
}

/* Of the parts that are flagged, the one that needs the strongest word. */
static const char *weakest(const struct alg *const *algs, size_t n)
{
	const struct alg *worst = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (algs[i] && algs[i]->weak && (!worst || algs[i]->needs > worst->needs))
			worst = algs[i];
	return worst ? worst->weak : NULL;
}

const char *ike_p1_weakness(const struct ike_p1_proposal *p)
{
	const struct alg *algs[3] = {
		by_number(p1_encr, p->encr, p->key_bits),
		by_number(p1_hash, p->hash, 0),
		by_number(groups, p->group, 0),
	};

	return weakest(algs, 3);
}

const char *ike_p2_weakness(const struct ike_p2_proposal *p)
{
	const struct alg *algs[3] = {
		by_number(p2_transform, p->transform, p->key_bits),
		by_number(p2_auth, p->auth, 0),
		by_number(groups, p->group, 0),
	};

	return weakest(algs, 3);
}

/* Those of IKE_AUTHS that we do. */
static const uint16_t auths[] = {
	IKE_AUTH_PSK, IKE_AUTH_RSA_SIG, IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521,
};

uint16_t ike_auth_parse(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(auths) / sizeof(auths[0]); i++)
		if (!strcmp(ike_name_auth(auths[i]), word))
			return auths[i];
	return 0;
}

const char *ike_auth_name(uint16_t method)
{
	return ike_name_auth(method);
}

bool ike_auth_signs(uint16_t method)
{
	return method == IKE_AUTH_RSA_SIG || (method >= IKE_AUTH_ECDSA_256 && method <= IKE_AUTH_ECDSA_521);
}
