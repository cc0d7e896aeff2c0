/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a command: a cursor over them, and options by table. Option names are
 * exact, an option may be given once, every error names the word it is about. A word that
 * may be a key is never repeated in an error.
 */
#ifndef ESPTUN_CLI_ARGS_H
#define ESPTUN_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli;

/** struct args - words not yet read */
struct args {
	char **words;
	int count;
};

const char *args_peek(const struct args *a);
const char *args_next(struct args *a);

/**
 * struct args_option - one option of a command
 * @name: the word
 * @value: what follows it, for help and errors; NULL if the word stands alone
 * @parse: text (the word itself if it stands alone) to *dst. Return: NULL, or what was expected,
 *   as in "expected a number 0..255"
 * @offset: of the destination in the command's request
 * @bit: or-ed into the mask of what was given
 * @required: unless the command takes changes only
 */
struct args_option {
	const char *name;
	const char *value;
	const char *(*parse)(const char *text, void *dst);
	size_t offset;
	uint32_t bit;
	bool required;
};

/* How args_options() treats @required. */
enum args_mode { ARGS_ALL, ARGS_SOME };

/**
 * args_options() - read all remaining words by a table
 * @table: ends with a NULL name, at most 64 entries
 * @into: the request the options' offsets refer to
 * @given: NULL, or the bits of the options given are or-ed to it
 * Return: CLI_OK, or CLI_USAGE when an error was printed
 */
int args_options(struct cli *c, struct args *a, const struct args_option *table,
		 enum args_mode mode, void *into, uint32_t *given);

/** args_word() - a word that must come next, @what for the error. CLI_OK or CLI_USAGE */
int args_word(struct cli *c, struct args *a, const char *what, const char **word);

/** args_end() - nothing may follow. CLI_OK or CLI_USAGE */
int args_end(struct cli *c, const struct args *a);

/** args_maybe_key() - whether a word could be a key someone typed: 16 hex digits or more */
bool args_maybe_key(const char *word);

/** args_no_keys() - the error for a key on the command line. Return: CLI_USAGE */
int args_no_keys(struct cli *c);

/** args_quote() - @word for an error: quotes around, control characters as \xNN. Return: @buf */
const char *args_quote(const char *word, char *buf, size_t len);

#endif /* ESPTUN_CLI_ARGS_H */
