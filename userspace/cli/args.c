// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads a command's words by tables and says what is wrong with them. Never prints a word
 * that may be a key, never asks the kernel.
 */
#include "cli/args.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

const char *args_peek(const struct args *a)
{
	return a->count > 0 ? a->words[0] : NULL;
}

const char *args_next(struct args *a)
{
	if (a->count <= 0)
		return NULL;
	a->count--;
	return *a->words++;
}

const char *args_quote(const char *word, char *buf, size_t len)
{
	size_t at = 1;

	buf[0] = '"';
	for (; *word && at + 8 < len; word++) {
		unsigned char ch = (unsigned char)*word;

		if (isprint(ch) && ch != '"' && ch != '\\')
			buf[at++] = (char)ch;
		else
			at += (size_t)snprintf(buf + at, len - at, "\\x%02x", ch);
	}
	snprintf(buf + at, len - at, "%s\"", *word ? "..." : "");
	return buf;
}

bool args_maybe_key(const char *word)
{
	size_t digits;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		word += 2;
	digits = strspn(word, "0123456789abcdefABCDEF");
	return digits >= 16 && word[digits] == '\0';
}

int args_no_keys(struct cli *c)
{
	return cli_wrong(c, "keys are not taken from the command line, where every user and the shell's history can read them: "
			 "write \"encr-key = HEX\" and \"auth-key = HEX\" to a file only you can read and give \"keyfile FILE\", "
			 "or \"keyfile -\" for standard input");
}

int args_word(struct cli *c, struct args *a, const char *what, const char **word)
{
	*word = args_next(a);
	return *word ? CLI_OK : cli_wrong(c, "%s: %s is missing", c->where, what);
}

static int unknown_word(struct cli *c, const char *word)
{
	static const char *const key_words[] = { "key", "encr-key", "auth-key", "enc", "aead",
						 "auth-trunc" };
	char quoted[80];

	for (size_t i = 0; i < sizeof(key_words) / sizeof(key_words[0]); i++)
		if (strcmp(word, key_words[i]) == 0)
			return args_no_keys(c);
	if (args_maybe_key(word))
		return args_no_keys(c);
	return cli_wrong(c, "%s: %s is not an option, see \"esptun %s help\"", c->where,
			 args_quote(word, quoted, sizeof(quoted)), c->where);
}

int args_end(struct cli *c, const struct args *a)
{
	return a->count > 0 ? unknown_word(c, args_peek(a)) : CLI_OK;
}

static int find_option(const struct args_option *table, const char *word)
{
	for (int i = 0; table[i].name; i++)
		if (strcmp(table[i].name, word) == 0)
			return i;
	return -1;
}

static int read_option(struct cli *c, struct args *a, const struct args_option *option, void *into)
{
	const char *text = option->name, *expected;
	char quoted[80];

	if (option->value) {
		text = args_next(a);
		if (!text)
			return cli_wrong(c, "%s: %s must follow", option->name, option->value);
	}
	expected = option->parse(text, (char *)into + option->offset);
	if (!expected)
		return CLI_OK;
	if (args_maybe_key(text))
		return cli_wrong(c, "%s: expected %s", option->name, expected);
	return cli_wrong(c, "%s: expected %s, not %s", option->name, expected,
			 args_quote(text, quoted, sizeof(quoted)));
}

static int check_required(struct cli *c, const struct args_option *table, uint64_t seen)
{
	for (int i = 0; table[i].name; i++)
		if (table[i].required && !(seen & 1ULL << i))
			return cli_wrong(c, "%s: %s %s is required", c->where, table[i].name,
					 table[i].value);
	return CLI_OK;
}

int args_options(struct cli *c, struct args *a, const struct args_option *table,
		 enum args_mode mode, void *into, uint32_t *given)
{
	const char *word;
	uint64_t seen = 0;
	int i, ret;

	while ((word = args_next(a))) {
		i = find_option(table, word);
		if (i < 0)
			return unknown_word(c, word);
		if (seen & 1ULL << i)
			return cli_wrong(c, "%s: given twice", word);
		seen |= 1ULL << i;
		if (given)
			*given |= table[i].bit;
		ret = read_option(c, a, &table[i], into);
		if (ret != CLI_OK)
			return ret;
	}
	return mode == ARGS_ALL ? check_required(c, table, seen) : CLI_OK;
}
