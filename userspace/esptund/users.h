/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users an XAUTH server lets in: a file with a line NAME:HASH for each, the hash as crypt(5)
 * has it (mkpasswd -m yescrypt), one of the kinds that begin with $. No password is kept.
 */
#ifndef ESPTUND_USERS_H
#define ESPTUND_USERS_H

#include <stdbool.h>
#include <stddef.h>

struct users;

#define USERS_FILE_MAX (1u << 20)	/* octets */

/*
 * Read path, which must be closed to others as a key is (see secrets.h). Empty lines and those
 * that begin with # are skipped. NULL with a sentence in why, and the line in *line (0: the file
 * as a whole).
 */
struct users *users_read(const char *path, char *why, size_t size, unsigned int *line);
/* Wipes. NULL is fine. */
void users_free(struct users *u);

/* Takes as long for a name that is not there. Texts need no NUL; users may be NULL: nobody. */
bool users_check(const struct users *u, const void *name, size_t name_len, const void *password, size_t password_len);
/* The method of a hash that is easy to try passwords against ("MD5"); NULL: none in the file. */
const char *users_weakness(const struct users *u);

#endif
