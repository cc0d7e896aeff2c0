// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of used keys, see keyring.h. One for the whole host: it does not matter
 * in which namespace a key was used.
 */
#include "keyring.h"
#include "crypto.h"
#include <linux/hashtable.h>
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define ESPTUN_KEYRING_SIZE 256

/**
 * struct esptun_used_key - a key whose SA has ended
 * @hash: of the key; 0 in an entry never used
 * @seq: last number used with it
 */
struct esptun_used_key {
	u64 hash;
	u64 seq;
};

static siphash_key_t esptun_keyring_secret;
static DEFINE_SPINLOCK(esptun_keyring_lock);
/* Keys in use: each is part of its SA, so there is room for any number of them. */
static DEFINE_HASHTABLE(esptun_keyring_live, 10);
static struct esptun_used_key esptun_keyring[ESPTUN_KEYRING_SIZE];
static u32 esptun_keyring_next;

void esptun_keyring_init(void)
{
	get_random_bytes(&esptun_keyring_secret, sizeof(esptun_keyring_secret));
}

/*
 * The key that must not meet the same number twice: the cipher's with its salt, or with
 * NULL the hash's. The algorithm is no part of it: all counter modes of AES with a salt of
 * the same length make the same key stream, whatever ICV they add.
 */
static u64 esptun_keyring_hash(const struct esptun_crypto_params *p)
{
	const u8 *key = p->encr_key_len ? p->encr_key : p->auth_key;
	unsigned int len = p->encr_key_len ? : p->auth_key_len;

	return siphash(key, len, &esptun_keyring_secret) | 1;
}

static bool esptun_keyring_in_use(u64 hash)
{
	struct esptun_live_key *live;

	hash_for_each_possible(esptun_keyring_live, live, node, hash)
		if (live->hash == hash)
			return true;
	return false;
}

static struct esptun_used_key *esptun_keyring_find(u64 hash)
{
	u32 i;

	for (i = 0; i < ESPTUN_KEYRING_SIZE; i++)
		if (esptun_keyring[i].hash == hash)
			return &esptun_keyring[i];
	return NULL;
}

int esptun_keyring_claim(const struct esptun_crypto_params *p, u64 seq,
			 struct esptun_live_key *live, struct netlink_ext_ack *extack)
{
	const struct esptun_used_key *used;
	int err = -EKEYREJECTED;

	live->hash = esptun_keyring_hash(p);
	spin_lock_bh(&esptun_keyring_lock);
	used = esptun_keyring_find(live->hash);
	if (esptun_keyring_in_use(live->hash)) {
		NL_SET_ERR_MSG(extack,
			       "encr-key: an outbound SA of this host is using this key");
	} else if (used && seq < used->seq) {
		NL_SET_ERR_MSG(extack,
			       "encr-key: used before on this host, and seq is lower than the last number sent with it");
	} else {
		hash_add(esptun_keyring_live, &live->node, live->hash);
		err = 0;
	}
	spin_unlock_bh(&esptun_keyring_lock);
	return err;
}

void esptun_keyring_cancel(struct esptun_live_key *live)
{
	spin_lock_bh(&esptun_keyring_lock);
	hash_del(&live->node);
	spin_unlock_bh(&esptun_keyring_lock);
}

void esptun_keyring_release(struct esptun_live_key *live, u64 seq)
{
	struct esptun_used_key *used;

	spin_lock_bh(&esptun_keyring_lock);
	hash_del(&live->node);
	used = esptun_keyring_find(live->hash);
	/* A key that nothing was sent with need not push out another. */
	if (!used && seq) {
		used = &esptun_keyring[esptun_keyring_next];
		esptun_keyring_next = (esptun_keyring_next + 1) % ESPTUN_KEYRING_SIZE;
	}
	if (used) {
		used->hash = live->hash;
		used->seq = seq;
	}
	spin_unlock_bh(&esptun_keyring_lock);
}
