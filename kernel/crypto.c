// SPDX-License-Identifier: GPL-2.0
/*
 * Transforms and requests, see crypto.h. Keys pass through and are wiped; nothing here
 * gives one out again.
 */
#include "crypto.h"
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/rtnetlink.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <crypto/authenc.h>
#ifdef ESPTUN_HAVE_CRYPTD
#include <crypto/cryptd.h>
#endif

/* Context of a transform that still goes onto the stack; vector GCM needs none. */
#define ESPTUN_STACK_CTX 64

/* Context of a transform that goes into the CPU's buffer: templates in templates. */
#define ESPTUN_CPU_CTX 2048

/*
 * Separate allocations, not per-CPU memory: templates put parts of their context into
 * scatter lists, which may not point to mapped memory.
 */
static DEFINE_PER_CPU(struct aead_request *, esptun_crypto_buffer);

void esptun_crypto_stop(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(esptun_crypto_buffer, cpu));
		per_cpu(esptun_crypto_buffer, cpu) = NULL;
	}
}

int esptun_crypto_start(void)
{
	struct aead_request *req;
	int cpu;

	for_each_possible_cpu(cpu) {
		req = kzalloc_node(sizeof(*req) + ESPTUN_CPU_CTX, GFP_KERNEL, cpu_to_node(cpu));
		if (!req) {
			esptun_crypto_stop();
			return -ENOMEM;
		}
		per_cpu(esptun_crypto_buffer, cpu) = req;
	}
	return 0;
}

int esptun_crypto_check(const struct esptun_crypto_params *p, struct netlink_ext_ack *extack)
{
	const struct esptun_alg_choice choice = {
		.encr = p->encr, .auth = p->auth, .encr_len = p->encr_key_len,
		.auth_len = p->auth_key_len, .esn = p->esn, .weak_ok = p->weak_ok,
	};

	return esptun_alg_check(&choice, extack);
}

unsigned int esptun_crypto_cipher_key(u32 encr, unsigned int len)
{
	return len - esptun_encr_algs[encr].salt_len;
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

	if (!esptun_alg_combined(p->encr)) {
		built = esptun_crypto_authenc_key(p, &len);
		if (!built)
			return -ENOMEM;
		key = built;
	}
	crypto_aead_set_flags(tfm, CRYPTO_TFM_REQ_FORBID_WEAK_KEYS);
	err = crypto_aead_setkey(tfm, key, len);
	kfree_sensitive(built);
	if (err) {
		if (err != -ENOMEM)
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

#ifdef ESPTUN_HAVE_CRYPTD
/*
 * On x86 a vector implementation is a synchronous internal algorithm, "__" before its
 * driver's name, behind a wrapper of three transforms that is called asynchronous since
 * it goes to a queue while the vector registers are taken. Asking for a synchronous
 * algorithm by the public name would find the generic C code, ten times slower. So where
 * the kernel's choice is such a wrapper, take what it wraps, and the queue just for the
 * moments in which the registers are taken. Any other choice, by priority or by hardware,
 * stands.
 */
static void esptun_crypto_unwrap(struct esptun_crypto *c)
{
	const char *driver = crypto_tfm_alg_driver_name(crypto_aead_tfm(c->tfm));
	char name[CRYPTO_MAX_ALG_NAME];
	struct cryptd_aead *queue;

	/* Made from a template: there is no such thing inside. */
	if (strchr(driver, '(') || snprintf(name, sizeof(name), "__%s", driver) >= sizeof(name))
		return;
	queue = cryptd_alloc_aead(name, CRYPTO_ALG_INTERNAL, CRYPTO_ALG_INTERNAL);
	if (IS_ERR(queue))
		return;
	if (esptun_crypto_is_async(cryptd_aead_child(queue))) {
		cryptd_free_aead(queue);
		return;
	}
	crypto_free_aead(c->tfm);
	c->queue = queue;
	c->tfm = cryptd_aead_child(queue);
}

/* What is given the key, and packets for later: the queue, of which @tfm is a part. */
static struct crypto_aead *esptun_crypto_outermost(const struct esptun_crypto *c)
{
	return c->queue ? &c->queue->base : c->tfm;
}

/* A request keeps the queue until its callback, which may drop the SA, has returned. */
static void esptun_crypto_release(const struct esptun_crypto *c)
{
	if (c->queue)
		cryptd_free_aead(c->queue);
	else
		crypto_free_aead(c->tfm);
}
#else
static void esptun_crypto_unwrap(struct esptun_crypto *c)
{
}

static struct crypto_aead *esptun_crypto_outermost(const struct esptun_crypto *c)
{
	return c->tfm;
}

static void esptun_crypto_release(const struct esptun_crypto *c)
{
	crypto_free_aead(c->tfm);
}
#endif

static int esptun_crypto_alloc(struct esptun_crypto *c, const struct esptun_crypto_params *p)
{
	const char *encr = esptun_encr_algs[p->encr].crypto;
	char name[CRYPTO_MAX_ALG_NAME];
	struct crypto_aead *tfm;

	if (!esptun_alg_combined(p->encr)) {
		snprintf(name, sizeof(name), "authenc%s(%s,%s)", p->esn ? "esn" : "",
			 esptun_auth_algs[p->auth].crypto, encr);
		encr = name;
	}
	tfm = crypto_alloc_aead(encr, 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	c->tfm = tfm;
	if (esptun_crypto_is_async(tfm))
		esptun_crypto_unwrap(c);
	return 0;
}

static u8 esptun_crypto_find_place(const struct esptun_crypto *c)
{
	if (c->async || crypto_aead_reqsize(c->tfm) > ESPTUN_CPU_CTX)
		return ESPTUN_CRYPTO_HEAP;
	return crypto_aead_reqsize(c->tfm) > ESPTUN_STACK_CTX ? ESPTUN_CRYPTO_CPU :
								ESPTUN_CRYPTO_STACK;
}

int esptun_crypto_init(struct esptun_crypto *c, const struct esptun_crypto_params *p,
		       struct netlink_ext_ack *extack)
{
	const struct esptun_encr_alg *encr = &esptun_encr_algs[p->encr];
	int err;

	memset(c, 0, sizeof(*c));
	c->counter_iv = encr->counter_iv;
	c->integrity = esptun_alg_integrity(p->encr, p->auth);
	c->iv_len = encr->iv_len;
	c->icv_len = encr->icv_len ? : esptun_auth_algs[p->auth].icv_len;
	c->block = encr->block;
	err = esptun_crypto_alloc(c, p);
	if (err) {
		if (err != -ENOMEM)
			NL_SET_ERR_MSG(extack, "encr, auth: this kernel lacks the algorithm");
		return err;
	}
	err = esptun_crypto_setkey(esptun_crypto_outermost(c), p, c->icv_len, extack);
	if (err) {
		esptun_crypto_free(c);
		return err;
	}
	c->async = esptun_crypto_is_async(c->tfm);
	c->place = esptun_crypto_find_place(c);
	return 0;
}

void esptun_crypto_free(struct esptun_crypto *c)
{
	if (c->tfm)
		esptun_crypto_release(c);
	c->tfm = NULL;
	c->queue = NULL;
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

/* BH are off and the transform does not come back later: the buffer is ours till it returns. */
static int esptun_crypto_run_cpu(struct crypto_aead *tfm, u8 iv_len,
				 const struct esptun_crypto_job *job, bool encrypt)
{
	struct aead_request *req = this_cpu_read(esptun_crypto_buffer);
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
	if (unlikely(job->later))
		return esptun_crypto_run_heap(esptun_crypto_outermost(c), c->iv_len, job, encrypt);
	if (likely(c->place == ESPTUN_CRYPTO_STACK))
		return esptun_crypto_run_stack(c->tfm, c->iv_len, job, encrypt);
	if (c->place == ESPTUN_CRYPTO_CPU)
		return esptun_crypto_run_cpu(c->tfm, c->iv_len, job, encrypt);
	return esptun_crypto_run_heap(c->tfm, c->iv_len, job, encrypt);
}

struct sk_buff *esptun_crypto_finish(void *data)
{
	struct esptun_crypto_request *r = data;
	struct sk_buff *skb = r->skb;

	kfree(r);
	return skb;
}
