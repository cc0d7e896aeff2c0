/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ESP (RFC 4303) by OpenSSL, an implementation that is not the kernel's: AES-GCM
 * (RFC 4106), AES-CBC and 3DES-CBC with HMAC, NULL with HMAC; extended sequence numbers.
 */
#ifndef FUZZ_ESP_H
#define FUZZ_ESP_H

#include "fuzz.h"

#define ESP_HEADER	8
#define ESP_AROUND	(ESP_HEADER + 16 + 32)	/* header, IV and ICV at most */

/* From words of the configuration. Exits if there is no such algorithm. */
void esp_algorithm(struct sa *sa, const char *encr, const char *auth, const char *ekey,
		   const char *akey);
/* Octets of an ESP packet with @text octets of text (inner packet and trailer). */
size_t esp_length(const struct sa *sa, size_t text);
/* Encrypts @text octets, a multiple of the block, to @to; the IV comes from the batch. */
size_t esp_seal(struct batch *b, struct sa *sa, uint64_t seq, const uint8_t *text, size_t len,
		uint8_t *to);
/*
 * Decrypts and authenticates as number @seq, of which the packet has the lower half.
 * Returns octets of text in @to, or -1.
 */
ssize_t esp_open(struct sa *sa, uint64_t seq, const uint8_t *esp, size_t len, uint8_t *to);
/* Padding 1, 2, 3 ..., its length, @next; @pad octets. Returns octets written. */
size_t esp_trailer(uint8_t *at, unsigned int pad, uint8_t next);
/* Least padding behind @len octets. */
unsigned int esp_padding(const struct sa *sa, size_t len);

#endif
