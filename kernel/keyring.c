// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of used keys, see keyring.h. One for the whole host: it does not matter
 * in which namespace a key was used.
 */
#include "keyring.h"
#include "crypto.h"
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define ESPTUN_KEYRING_SIZE 256

/**
 * struct esptun_used_key
 * @hash: of the key; 0 in an entry never used
 * @seq: last number used, valid when no SA uses it
 * @turn: changes when the entry is given to another key, so that the SA it was taken
 *	from does not write into it
 * @in_use: an SA has it
 */
struct esptun_used_key {
	u64 hash;
	u64 seq;
	u32 turn;
	bool in_use;
};

static siphash_key_t esptun_keyring_secret;
static DEFINE_SPINLOCK(esptun_keyring_lock);
static struct esptun_used_key esptun_keyring[ESPTUN_KEYRING_SIZE];
static u32 esptun_keyring_next;

void esptun_keyring_init(void)
{
	get_random_bytes(&esptun_keyring_secret, sizeof(esptun_keyring_secret));
}

/* The key that must not meet the same number twice: the cipher's, or with NULL the hash's. */
static u64 esptun_keyring_hash(const struct esptun_crypto_params *p)
{
	u64 hash;

	if (p->encr_key_len)
		hash = siphash(p->encr_key, p->encr_key_len, &esptun_keyring_secret);
	else
		hash = siphash(p->auth_key, p->auth_key_len, &esptun_keyring_secret);
	return siphash_2u64(hash, p->encr, &esptun_keyring_secret) | 1;
}

/* The entry to overwrite: the oldest that no SA uses, or else simply the oldest. */
static u32 esptun_keyring_oldest(void)
{
	u32 i, at;

	for (i = 0; i < ESPTUN_KEYRING_SIZE; i++) {
		at = (esptun_keyring_next + i) % ESPTUN_KEYRING_SIZE;
		if (!esptun_keyring[at].in_use)
			break;
	}
	if (i == ESPTUN_KEYRING_SIZE)
		at = esptun_keyring_next;
	esptun_keyring_next = (at + 1) % ESPTUN_KEYRING_SIZE;
	return at;
}

/* The entry's number, with its turn: see &struct esptun_used_key. */
static int esptun_keyring_slot(u32 at)
{
	return (esptun_keyring[at].turn & 0x3fffff) * ESPTUN_KEYRING_SIZE + at;
}

int esptun_keyring_claim(const struct esptun_crypto_params *p, u64 seq, int *slot,
			 struct netlink_ext_ack *extack)
{
	u64 hash = esptun_keyring_hash(p);
	struct esptun_used_key *key;
	int err = -EKEYREJECTED;
	u32 at;

	spin_lock_bh(&esptun_keyring_lock);
	for (at = 0; at < ESPTUN_KEYRING_SIZE; at++)
		if (esptun_keyring[at].hash == hash)
			break;
	if (at < ESPTUN_KEYRING_SIZE && esptun_keyring[at].in_use) {
		NL_SET_ERR_MSG(extack,
			       "encr-key: an outbound SA of this host is using this key");
		goto out;
	}
	if (at < ESPTUN_KEYRING_SIZE && seq < esptun_keyring[at].seq) {
		NL_SET_ERR_MSG(extack,
			       "encr-key: used before on this host, and seq is lower than the last number sent with it");
		goto out;
	}
	if (at == ESPTUN_KEYRING_SIZE)
		at = esptun_keyring_oldest();
	key = &esptun_keyring[at];
	key->hash = hash;
	key->turn++;
	key->in_use = true;
	*slot = esptun_keyring_slot(at);
	err = 0;
out:
	spin_unlock_bh(&esptun_keyring_lock);
	return err;
}

void esptun_keyring_release(int slot, u64 seq)
{
	u32 at = slot % ESPTUN_KEYRING_SIZE;

	spin_lock_bh(&esptun_keyring_lock);
	if (slot == esptun_keyring_slot(at)) {
		esptun_keyring[at].seq = seq;
		esptun_keyring[at].in_use = false;
	}
	spin_unlock_bh(&esptun_keyring_lock);
}
