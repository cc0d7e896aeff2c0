/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens and closes messages with the keys of the engine that is to receive them, so that
 * tests and fuzzers can send as a peer that knows the keys and means no good. What the
 * receiver expects next (IV, kind of HASH) is read from its own state.
 */
#ifndef ESPTUN_TESTS_SEAL_H
#define ESPTUN_TESTS_SEAL_H

#include "libike/exchange.h"
#include "libike/ikesa.h"

/* What a message is under at its receiver; valid until the next call into the engine. */
struct seal {
	struct ike_ikesa *sa;		/* NULL: none */
	struct ike_exchange *x;		/* NULL: the message begins one */
	uint8_t iv[IKE_BLOCK_MAX];
	bool encrypted;
};

/* False: it is encrypted and its receiver has no keys for it. */
bool seal_find(struct seal *s, struct ike_engine *receiver, const struct ike_addr *sender, const struct ike_hdr *h);
/* In place; false when it does not decrypt to whole blocks. */
bool seal_open(const struct seal *s, uint8_t *msg, size_t len);
/*
 * msg: header and payloads in clear, len octets. Puts the right value into its HASH payload;
 * without one of the right length nothing is done.
 */
void seal_hash(const struct seal *s, const struct ike_hdr *h, uint8_t *msg, size_t len);
/*
 * The message as it goes out: padded (and one block more if asked for), header length set,
 * encrypted if s says so. The caller frees. NULL when memory is short.
 */
uint8_t *seal_close(const struct seal *s, const uint8_t *msg, size_t len, bool more_padding, size_t *out_len);

#endif
