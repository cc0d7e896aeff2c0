/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key files: lines "encr-key = HEX" and "auth-key = HEX", "#" begins a comment. A file that
 * others may read is refused. Key octets are neither printed nor left in memory.
 */
#ifndef ESPTUN_CLI_KEYFILE_H
#define ESPTUN_CLI_KEYFILE_H

#include "libesptun/libesptun.h"

struct cli;

/**
 * cli_keyfile_read() - read keys
 * @name: of the file, or "-" for standard input
 * @keys: filled; on failure wiped
 * Return: CLI_OK, or CLI_USAGE when an error was printed
 */
int cli_keyfile_read(struct cli *c, const char *name, struct esptun_keys *keys);

/**
 * cli_keyfile_parse() - the text of a key file
 * @text: is changed
 * @name: for errors
 */
int cli_keyfile_parse(struct cli *c, const char *name, char *text, struct esptun_keys *keys);

#endif /* ESPTUN_CLI_KEYFILE_H */
