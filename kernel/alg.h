/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The algorithms of ESP, one row each: what they are called, what keys they take, what
 * they add to a packet, and which of them go together. Knows no transform, no key and no
 * packet; the kernel's own tables of algorithms are crypto.c's business.
 */
#ifndef _ESPTUN_ALG_H
#define _ESPTUN_ALG_H

#include <linux/types.h>
#include <uapi/linux/esptun.h>

struct netlink_ext_ack;

#define ESPTUN_MAX_IV	16	/* octets */
#define ESPTUN_MAX_ICV	32
#define ESPTUN_MAX_BLOCK 16

/**
 * struct esptun_encr_alg - an encryption algorithm
 * @name: as in the specification
 * @crypto: as the crypto API calls it: an AEAD, or a cipher inside authenc()
 * @key_sizes: bit n is set if a cipher key of n octets is valid
 * @salt_len: octets behind the cipher key that become part of the nonce
 * @iv_len: octets of IV in each packet
 * @icv_len: octets of ICV of a combined-mode cipher; 0: it has no integrity of its own
 * @block: what payload and trailer together are padded to, at least 4
 * @counter_iv: the IV must only never repeat, so it is the sequence number; otherwise it
 *	has to be unpredictable
 */
struct esptun_encr_alg {
	const char *name;
	const char *crypto;
	u64 key_sizes;
	u8 salt_len;
	u8 iv_len;
	u8 icv_len;
	u8 block;
	bool counter_iv;
};

/**
 * struct esptun_auth_alg - an integrity algorithm
 * @name: as in the specification
 * @crypto: as the crypto API calls it, inside authenc()
 * @key_len: octets, exactly
 * @icv_len: octets of the truncated result
 */
struct esptun_auth_alg {
	const char *name;
	const char *crypto;
	u8 key_len;
	u8 icv_len;
};

extern const struct esptun_encr_alg esptun_encr_algs[ESPTUN_ENCR_COUNT];
extern const struct esptun_auth_alg esptun_auth_algs[ESPTUN_AUTH_COUNT];

/* A combined-mode cipher: encrypts and authenticates (RFC 4303 3.2.3). */
static inline bool esptun_alg_combined(u32 encr)
{
	return esptun_encr_algs[encr].icv_len;
}

/* Packets are authenticated, by the cipher itself or by an algorithm beside it. */
static inline bool esptun_alg_integrity(u32 encr, u32 auth)
{
	return esptun_alg_combined(encr) || auth != ESPTUN_AUTH_NONE;
}

/**
 * struct esptun_alg_choice - algorithms that are to be used together
 * @encr: &enum esptun_encr
 * @auth: &enum esptun_auth
 * @encr_len: octets of cipher key and salt
 * @auth_len: octets of the integrity key
 * @esn: the upper half of the sequence number is authenticated, too
 * @weak_ok: an SA without integrity is wanted
 */
struct esptun_alg_choice {
	u32 encr;
	u32 auth;
	unsigned int encr_len;
	unsigned int auth_len;
	bool esn;
	bool weak_ok;
};

/* Refuses key lengths and combinations that are not valid. 0 or -EINVAL. */
int esptun_alg_check(const struct esptun_alg_choice *choice, struct netlink_ext_ack *extack);

#endif /* _ESPTUN_ALG_H */
