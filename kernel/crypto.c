// SPDX-License-Identifier: GPL-2.0
/*
 * Algorithm tables, transforms and requests, see crypto.h. Keys pass through and are
 * wiped; nothing here gives one out again.
 */
#include "crypto.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <crypto/authenc.h>
#include <crypto/internal/simd.h>
#include <asm/simd.h>

/* Context of a transform that still goes onto the stack; vector GCM needs none. */
#define ESPTUN_STACK_CTX 64

/**
 * struct esptun_encr_alg - an encryption algorithm
 * @cipher: its name inside authenc(), NULL for a combined-mode cipher
 * @key_sizes: bit n is set if a cipher key of n octets is valid
 * @salt_len: octets behind the cipher key
 * @wrong_key: what a key of another length is told
 */
struct esptun_encr_alg {
	const char *cipher;
	u64 key_sizes;
	u8 salt_len;
	u8 iv_len;
	u8 icv_len;
	u8 block;
	const char *wrong_key;
};

#define ESPTUN_KEY(n) BIT_ULL(n)
#define ESPTUN_KEY_AES (ESPTUN_KEY(16) | ESPTUN_KEY(24) | ESPTUN_KEY(32))

static const struct esptun_encr_alg esptun_encrs[ESPTUN_ENCR_COUNT] = {
	[ESPTUN_ENCR_NULL] = {
		.cipher = "ecb(cipher_null)", .key_sizes = ESPTUN_KEY(0), .block = 4,
		.wrong_key = "encr-key: null encryption takes no key",
	},
	[ESPTUN_ENCR_DES3_CBC] = {
		.cipher = "cbc(des3_ede)", .key_sizes = ESPTUN_KEY(24), .iv_len = 8, .block = 8,
		.wrong_key = "encr-key: 3DES-CBC takes exactly 24 octets",
	},
	[ESPTUN_ENCR_AES_CBC] = {
		.cipher = "cbc(aes)", .key_sizes = ESPTUN_KEY_AES, .iv_len = 16, .block = 16,
		.wrong_key = "encr-key: AES-CBC takes exactly 16, 24 or 32 octets",
	},
	[ESPTUN_ENCR_AES_GCM_16] = {
		.key_sizes = ESPTUN_KEY_AES, .salt_len = 4, .iv_len = 8, .icv_len = 16, .block = 4,
		.wrong_key = "encr-key: AES-GCM takes exactly 20, 28 or 36 octets (key and 4 octets of salt)",
	},
};

/**
 * struct esptun_auth_alg - an integrity algorithm
 * @hash: its name inside authenc()
 * @key_len: octets, exactly
 * @icv_len: octets of the truncated result
 * @wrong_key: what a key of another length is told
 */
struct esptun_auth_alg {
	const char *hash;
	u8 key_len;
	u8 icv_len;
	const char *wrong_key;
};

static const struct esptun_auth_alg esptun_auths[ESPTUN_AUTH_COUNT] = {
	[ESPTUN_AUTH_NONE] = {
		"digest_null", 0, 0, "auth-key: given without an integrity algorithm" },
	[ESPTUN_AUTH_HMAC_MD5_96] = {
		"hmac(md5)", 16, 12, "auth-key: HMAC-MD5-96 takes exactly 16 octets" },
	[ESPTUN_AUTH_HMAC_SHA1_96] = {
		"hmac(sha1)", 20, 12, "auth-key: HMAC-SHA1-96 takes exactly 20 octets" },
	[ESPTUN_AUTH_HMAC_SHA256_128] = {
		"hmac(sha256)", 32, 16, "auth-key: HMAC-SHA2-256-128 takes exactly 32 octets" },
	[ESPTUN_AUTH_HMAC_SHA384_192] = {
		"hmac(sha384)", 48, 24, "auth-key: HMAC-SHA2-384-192 takes exactly 48 octets" },
	[ESPTUN_AUTH_HMAC_SHA512_256] = {
		"hmac(sha512)", 64, 32, "auth-key: HMAC-SHA2-512-256 takes exactly 64 octets" },
};

static int esptun_crypto_refuse(struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
	return -EINVAL;
}

int esptun_crypto_check(const struct esptun_crypto_params *p, struct netlink_ext_ack *extack)
{
	const struct esptun_encr_alg *encr = &esptun_encrs[p->encr];
	const struct esptun_auth_alg *auth = &esptun_auths[p->auth];
	unsigned int key = p->encr_key_len - encr->salt_len;

	if (p->encr_key_len < encr->salt_len || key > 63 || !(encr->key_sizes & BIT_ULL(key)))
		return esptun_crypto_refuse(extack, encr->wrong_key);
	if (p->auth_key_len != auth->key_len)
		return esptun_crypto_refuse(extack, auth->wrong_key);
	if (!encr->cipher && p->auth != ESPTUN_AUTH_NONE)
		return esptun_crypto_refuse(extack,
			"auth: AES-GCM has its own integrity, the integrity algorithm must be none");
	if (!encr->cipher || p->auth != ESPTUN_AUTH_NONE)
		return 0;
	if (p->encr == ESPTUN_ENCR_NULL)
		return esptun_crypto_refuse(extack,
			"auth: null encryption without integrity is not ESP (RFC 4303 3.2)");
	if (!p->weak_ok)
		return esptun_crypto_refuse(extack,
			"auth: none with a cipher that has no integrity needs the no-integrity-ok flag");
	if (p->esn)
		return esptun_crypto_refuse(extack,
			"flags: extended sequence numbers need integrity");
	return 0;
}

unsigned int esptun_crypto_cipher_key(u32 encr, unsigned int len)
{
	return len - esptun_encrs[encr].salt_len;
}

/* The key in the form authenc() wants it; the caller wipes and frees it. */
static u8 *esptun_crypto_authenc_key(const struct esptun_crypto_params *p, unsigned int *len)
{
	struct crypto_authenc_key_param *param;
	struct rtattr *rta;
	u8 *key;

	*len = RTA_SPACE(sizeof(*param)) + p->auth_key_len + p->encr_key_len;
	key = kmalloc(*len, GFP_KERNEL);
	if (!key)
		return NULL;
	rta = (struct rtattr *)key;
	rta->rta_type = CRYPTO_AUTHENC_KEYA_PARAM;
	rta->rta_len = RTA_LENGTH(sizeof(*param));
	param = RTA_DATA(rta);
	param->enckeylen = cpu_to_be32(p->encr_key_len);
	memcpy(key + RTA_SPACE(sizeof(*param)), p->auth_key, p->auth_key_len);
	memcpy(key + RTA_SPACE(sizeof(*param)) + p->auth_key_len, p->encr_key, p->encr_key_len);
	return key;
}

static int esptun_crypto_setkey(struct crypto_aead *tfm, const struct esptun_crypto_params *p,
				u8 icv_len, struct netlink_ext_ack *extack)
{
	const u8 *key = p->encr_key;
	unsigned int len = p->encr_key_len;
	u8 *built = NULL;
	int err;

	if (esptun_encrs[p->encr].cipher) {
		built = esptun_crypto_authenc_key(p, &len);
		if (!built)
			return -ENOMEM;
		key = built;
	}
	crypto_aead_set_flags(tfm, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	err = crypto_aead_setkey(tfm, key, len);
	kfree_sensitive(built);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "encr-key: the cipher refused the key, it may be a weak one");
		return err;
	}
	return crypto_aead_setauthsize(tfm, icv_len);
}

static bool esptun_crypto_is_async(struct crypto_aead *tfm)
{
	return crypto_aead_tfm(tfm)->__crt_alg->cra_flags & CRYPTO_ALG_ASYNC;
}

#define ESPTUN_GCM "rfc4106(gcm(aes))"

/*
 * On x86 the fast GCM is a synchronous internal algorithm, behind a wrapper that is
 * called asynchronous since it goes to a queue while the vector registers are taken.
 * Asking for a synchronous algorithm by the public name finds the generic C code, ten
 * times slower. So take the internal one where there is one, and the generic code just
 * for the moments in which the registers are taken: always synchronous, always in order.
 */
static struct crypto_aead *esptun_crypto_vector_gcm(struct crypto_aead **plain)
{
	struct crypto_aead *tfm;

	tfm = crypto_alloc_aead("__" ESPTUN_GCM, CRYPTO_ALG_INTERNAL,
				CRYPTO_ALG_INTERNAL | CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		return tfm;
	*plain = crypto_alloc_aead(ESPTUN_GCM, 0, CRYPTO_ALG_ASYNC);
	if (!IS_ERR(*plain))
		return tfm;
	crypto_free_aead(tfm);
	tfm = ERR_CAST(*plain);
	*plain = NULL;
	return tfm;
}

static struct crypto_aead *esptun_crypto_alloc_gcm(struct crypto_aead **plain)
{
	struct crypto_aead *tfm, *vector;

	vector = esptun_crypto_vector_gcm(plain);
	if (!IS_ERR(vector))
		return vector;
	/* Looking the public name up loads the module the internal one is in. */
	tfm = crypto_alloc_aead(ESPTUN_GCM, 0, 0);
	if (IS_ERR(tfm) || !esptun_crypto_is_async(tfm))
		return tfm;
	vector = esptun_crypto_vector_gcm(plain);
	if (IS_ERR(vector))
		return tfm;
	crypto_free_aead(tfm);
	return vector;
}

static struct crypto_aead *esptun_crypto_alloc_authenc(const struct esptun_crypto_params *p)
{
	char name[CRYPTO_MAX_ALG_NAME];

	snprintf(name, sizeof(name), "authenc%s(%s,%s)", p->esn ? "esn" : "",
		 esptun_auths[p->auth].hash, esptun_encrs[p->encr].cipher);
	return crypto_alloc_aead(name, 0, 0);
}

int esptun_crypto_init(struct esptun_crypto *c, const struct esptun_crypto_params *p,
		       struct netlink_ext_ack *extack)
{
	const struct esptun_encr_alg *encr = &esptun_encrs[p->encr];
	const struct esptun_auth_alg *auth = &esptun_auths[p->auth];
	int err;

	memset(c, 0, sizeof(*c));
	c->counter_iv = !encr->cipher;
	c->integrity = !encr->cipher || p->auth != ESPTUN_AUTH_NONE;
	c->iv_len = encr->iv_len;
	c->icv_len = encr->cipher ? auth->icv_len : encr->icv_len;
	c->block = encr->block;
	c->tfm = encr->cipher ? esptun_crypto_alloc_authenc(p) :
				esptun_crypto_alloc_gcm(&c->plain);
	if (IS_ERR(c->tfm)) {
		err = PTR_ERR(c->tfm);
		c->tfm = NULL;
		NL_SET_ERR_MSG(extack, "encr, auth: this kernel lacks the algorithm");
		return err;
	}
	err = esptun_crypto_setkey(c->tfm, p, c->icv_len, extack);
	if (!err && c->plain)
		err = esptun_crypto_setkey(c->plain, p, c->icv_len, extack);
	if (err) {
		esptun_crypto_free(c);
		return err;
	}
	c->async = esptun_crypto_is_async(c->tfm);
	c->on_stack = !c->async && crypto_aead_reqsize(c->tfm) <= ESPTUN_STACK_CTX;
	return 0;
}

void esptun_crypto_free(struct esptun_crypto *c)
{
	if (c->tfm)
		crypto_free_aead(c->tfm);
	if (c->plain)
		crypto_free_aead(c->plain);
	c->tfm = NULL;
	c->plain = NULL;
}

/* What a packet needs while an asynchronous transform has it; one allocation. */
struct esptun_crypto_request {
	struct sk_buff *skb;
	struct scatterlist sg;
	u8 iv[ESPTUN_MAX_IV];
	struct aead_request req;	/* last: the transform's context follows */
};

static int esptun_crypto_call(struct aead_request *req, struct scatterlist *sg, u8 *iv,
			      const struct esptun_crypto_job *job, bool encrypt)
{
	unsigned int icv = encrypt ? crypto_aead_authsize(crypto_aead_reqtfm(req)) : 0;

	sg_init_one(sg, job->start, job->assoc_len + job->text_len + icv);
	aead_request_set_crypt(req, sg, sg, job->text_len, iv);
	aead_request_set_ad(req, job->assoc_len);
	return encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
}

static int esptun_crypto_run_heap(struct crypto_aead *tfm, u8 iv_len,
				  const struct esptun_crypto_job *job, bool encrypt)
{
	struct esptun_crypto_request *r;
	int err;

	r = kmalloc(sizeof(*r) + crypto_aead_reqsize(tfm), GFP_ATOMIC);
	if (!r)
		return -ENOMEM;
	r->skb = job->skb;
	memcpy(r->iv, job->iv, iv_len);
	aead_request_set_tfm(&r->req, tfm);
	aead_request_set_callback(&r->req, 0, job->done, r);
	err = esptun_crypto_call(&r->req, &r->sg, r->iv, job, encrypt);
	/* In progress: the request is the transform's until it calls back. */
	if (err != -EINPROGRESS)
		kfree(r);
	return err;
}

static int esptun_crypto_run_stack(struct crypto_aead *tfm, u8 iv_len,
				   const struct esptun_crypto_job *job, bool encrypt)
{
	u8 buf[sizeof(struct aead_request) + ESPTUN_STACK_CTX] __aligned(CRYPTO_MINALIGN);
	struct aead_request *req = (struct aead_request *)buf;
	struct scatterlist sg;
	u8 iv[ESPTUN_MAX_IV];

	memcpy(iv, job->iv, iv_len);
	aead_request_set_tfm(req, tfm);
	aead_request_set_callback(req, 0, NULL, NULL);
	return esptun_crypto_call(req, &sg, iv, job, encrypt);
}

int esptun_crypto_run(const struct esptun_crypto *c, const struct esptun_crypto_job *job,
		      bool encrypt)
{
	if (unlikely(c->plain && !crypto_simd_usable()))
		return esptun_crypto_run_heap(c->plain, c->iv_len, job, encrypt);
	if (likely(c->on_stack))
		return esptun_crypto_run_stack(c->tfm, c->iv_len, job, encrypt);
	return esptun_crypto_run_heap(c->tfm, c->iv_len, job, encrypt);
}

struct sk_buff *esptun_crypto_finish(void *data)
{
	struct esptun_crypto_request *r = data;
	struct sk_buff *skb = r->skb;

	kfree(r);
	return skb;
}
