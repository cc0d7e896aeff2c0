/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pre-shared keys from files and from text, private keys and certificates as octets. Never prints one, never keeps one: what it
 * returns belongs to the caller, every buffer it used is wiped.
 *
 * A secret is one line: text taken octet for octet, or 0x and hexadecimal digits. One
 * newline at the end is not part of it.
 */
#ifndef ESPTUND_SECRETS_H
#define ESPTUND_SECRETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define SECRETS_PSK_MAX 1024		/* octets */
#define SECRETS_PSK_SHORT 16		/* below this a dictionary attack is likely to succeed */

/*
 * Read path, which must be a regular file of root or the effective user, closed to group and
 * others. 0 with *psk (malloc'ed, to be wiped and freed by the caller) and *len; else -1 with
 * a sentence for the administrator in why.
 */
int secrets_read_psk(const char *path, uint8_t **psk, size_t *len, char *why, size_t size);

/*
 * A whole file of that kind, at most max octets: *text (malloc'ed, with a NUL behind it, to be wiped
 * and freed by the caller) and *size, the NUL counted. 0 or -1 and why.
 */
int secrets_read_file(const char *path, size_t max, char **text, size_t *size, char *why, size_t why_size);

/* The same for a secret written in the configuration. */
int secrets_parse_psk(const char *text, size_t text_len, uint8_t **psk, size_t *len, char *why, size_t size);

/*
 * A private key's file, under the same rules; its octets are malloc'ed, to be wiped and freed by
 * the caller. And a file anybody may read: certificates, CRLs.
 */
int secrets_read_key(const char *path, uint8_t **data, size_t *len, char *why, size_t size);
int secrets_read_public(const char *path, uint8_t **data, size_t *len, char *why, size_t size);

/* 0 when only root or the effective user can read what st describes; else -1 and why. */
int secrets_check_mode(const struct stat *st, const char *path, char *why, size_t size);

#endif
