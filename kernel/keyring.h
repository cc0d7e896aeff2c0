/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which keys this host has encrypted with. The IV of a counter mode is the sequence
 * number, so a second SA with the same key must not begin at 1 again: with GCM that
 * gives both the plaintext and the authentication key away. Remembers keyed hashes of
 * the last 256 outbound keys, never keys.
 */
#ifndef _ESPTUN_KEYRING_H
#define _ESPTUN_KEYRING_H

#include <linux/types.h>

struct esptun_crypto_params;
struct netlink_ext_ack;

void esptun_keyring_init(void);

/**
 * esptun_keyring_claim - a key is about to be used for an outbound SA
 * @p: algorithms and keys
 * @seq: last sequence number that was used with it, 0: none
 * @slot: where it is remembered, for esptun_keyring_release()
 * @extack: told what is wrong
 *
 * Return: 0; -EKEYREJECTED if an SA uses the key, or one did and got further than @seq.
 */
int esptun_keyring_claim(const struct esptun_crypto_params *p, u64 seq, int *slot,
			 struct netlink_ext_ack *extack);

/* The SA with this slot has ended; @seq is the last number it used. */
void esptun_keyring_release(int slot, u64 seq);

#endif /* _ESPTUN_KEYRING_H */
