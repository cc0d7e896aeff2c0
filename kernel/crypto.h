/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ciphers of ESP on top of the kernel's AEAD interface: how a transform is made and
 * how one packet is put through it, at once or later. Knows no SA and no packet format
 * beyond "associated data, then text, in one piece"; which algorithms exist is alg.h's.
 */
#ifndef _ESPTUN_CRYPTO_H
#define _ESPTUN_CRYPTO_H

#include "alg.h"
#include <crypto/aead.h>
#include <crypto/internal/simd.h>
#include <asm/simd.h>

struct netlink_ext_ack;

struct cryptd_aead;

/**
 * enum esptun_crypto_place - where the request of a call that finishes at once lives
 * @ESPTUN_CRYPTO_STACK: on the stack, it is short
 * @ESPTUN_CRYPTO_CPU: in this CPU's buffer
 * @ESPTUN_CRYPTO_HEAP: allocated for the packet: too long, or the call may take longer
 */
enum esptun_crypto_place {
	ESPTUN_CRYPTO_STACK,
	ESPTUN_CRYPTO_CPU,
	ESPTUN_CRYPTO_HEAP,
};

/**
 * struct esptun_crypto - the transform of one SA in one direction
 * @tfm: what encrypts or decrypts
 * @queue: takes packets while the CPU's vector registers are taken, which @tfm needs, and
 *	gives them to @tfm later; NULL if @tfm can always be called
 * @place: &enum esptun_crypto_place
 * @async: @tfm may complete later, in another context
 * @integrity: packets are authenticated
 * @counter_iv: the IV is the sequence number; otherwise it is random
 * @iv_len: octets of IV in each packet
 * @icv_len: octets of ICV at each packet's end
 * @block: what payload and trailer together are padded to, at least 4
 */
struct esptun_crypto {
	struct crypto_aead *tfm;
	struct cryptd_aead *queue;
	u8 place;
	bool async;
	bool integrity;
	bool counter_iv;
	u8 iv_len;
	u8 icv_len;
	u8 block;
};

/**
 * struct esptun_crypto_params - what an SA is to be made with
 * @encr: &enum esptun_encr
 * @auth: &enum esptun_auth
 * @encr_key: cipher key followed by the salt, borrowed
 * @auth_key: integrity key, borrowed
 * @encr_key_len: octets
 * @auth_key_len: octets
 * @esn: the upper half of the sequence number is authenticated, too
 * @weak_ok: an SA without integrity is wanted
 */
struct esptun_crypto_params {
	u32 encr;
	u32 auth;
	const u8 *encr_key;
	const u8 *auth_key;
	unsigned int encr_key_len;
	unsigned int auth_key_len;
	bool esn;
	bool weak_ok;
};

/* Memory for requests. */
int esptun_crypto_start(void);
void esptun_crypto_stop(void);

/* Refuses key lengths and combinations that are not valid. 0 or -EINVAL. */
int esptun_crypto_check(const struct esptun_crypto_params *p, struct netlink_ext_ack *extack);

/**
 * esptun_crypto_init - make a transform
 * @c: to be filled
 * @p: algorithms and keys, checked; the keys are not kept
 * @extack: told what is wrong
 *
 * May sleep and load modules. Return: 0, -EINVAL for a key that the cipher refuses,
 * -ENOENT if the kernel lacks the algorithm, -ENOMEM.
 */
int esptun_crypto_init(struct esptun_crypto *c, const struct esptun_crypto_params *p,
		       struct netlink_ext_ack *extack);

/* Ends a transform and wipes its keys. May sleep. */
void esptun_crypto_free(struct esptun_crypto *c);

/* Octets of the cipher key in a key of @len octets: without the salt. */
unsigned int esptun_crypto_cipher_key(u32 encr, unsigned int len);

/* Octets that ESP with this transform puts behind the inner packet, at most. */
static inline unsigned int esptun_crypto_tail(const struct esptun_crypto *c)
{
	return (c->block - 1) + 2 + c->icv_len;
}

/*
 * The next packet may complete later: the caller takes the references that this needs.
 * BH off; holds until they are on again.
 */
static inline bool esptun_crypto_later(const struct esptun_crypto *c)
{
	return c->async || (c->queue && unlikely(!crypto_simd_usable()));
}

/* Octets that ESP with this transform puts before and after the inner packet, at most. */
static inline unsigned int esptun_crypto_overhead(const struct esptun_crypto *c)
{
	return 8 + c->iv_len + esptun_crypto_tail(c);
}

/* The largest inner packet that fits into @room octets behind the outer header. */
static inline int esptun_crypto_room(const struct esptun_crypto *c, int room)
{
	return ((room - 8 - c->iv_len - c->icv_len) & ~(c->block - 1)) - 2;
}

/**
 * struct esptun_crypto_job - one packet's way through a transform
 * @skb: whose memory it is; handed to @done
 * @start: associated data (with the IV at its end), text, room for the ICV: linear
 * @assoc_len: octets of associated data
 * @text_len: octets of text; with the ICV when decrypting
 * @iv: @iv_len octets, may be part of @start
 * @later: what esptun_crypto_later() said
 * @done: called when a transform said -EINPROGRESS and has finished
 */
struct esptun_crypto_job {
	struct sk_buff *skb;
	u8 *start;
	unsigned int assoc_len;
	unsigned int text_len;
	const u8 *iv;
	bool later;
	crypto_completion_t done;
};

/**
 * esptun_crypto_run - encrypt or decrypt in place
 * @c: transform
 * @job: the packet; may be on the stack
 * @encrypt: direction
 *
 * BH off. Return: 0 done; -EINPROGRESS @done will be called, with &esptun_crypto_request as
 * data; -EBADMSG wrong ICV; -EBUSY or -ENOSPC the queue is full; -ENOMEM.
 */
int esptun_crypto_run(const struct esptun_crypto *c, const struct esptun_crypto_job *job,
		      bool encrypt);

/* Ends a request that was in progress. Return: the packet it was for. */
struct sk_buff *esptun_crypto_finish(void *data);

#endif /* _ESPTUN_CRYPTO_H */
