/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which keys this host has encrypted with. The IV of a counter mode is the sequence
 * number, so a second SA with the same key must not begin at 1 again: with GCM that
 * gives both the plaintext and the authentication key away. Remembers keyed hashes of
 * all outbound keys in use and of the last 256 that were, never keys.
 */
#ifndef _ESPTUN_KEYRING_H
#define _ESPTUN_KEYRING_H

#include <linux/types.h>

struct esptun_crypto_params;
struct netlink_ext_ack;

void esptun_keyring_init(void);

/**
 * struct esptun_live_key - the key of an outbound SA, part of the SA
 * @node: in the table of keys in use
 * @hash: of the key
 */
struct esptun_live_key {
	struct hlist_node node;
	u64 hash;
};

/**
 * esptun_keyring_claim - a key is about to be used for an outbound SA
 * @p: algorithms and keys
 * @seq: last sequence number that was used with it, 0: none
 * @live: to be filled; the keyring's until released or cancelled
 * @extack: told what is wrong
 *
 * Return: 0; -EKEYREJECTED if an SA uses the key, or one did and got further than @seq.
 */
int esptun_keyring_claim(const struct esptun_crypto_params *p, u64 seq,
			 struct esptun_live_key *live, struct netlink_ext_ack *extack);

/* The SA was not installed after all: nothing was sent with the key. */
void esptun_keyring_cancel(struct esptun_live_key *live);

/* The SA has ended; @seq is the last number it used. */
void esptun_keyring_release(struct esptun_live_key *live, u64 seq);

#endif /* _ESPTUN_KEYRING_H */
