// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches: a file of commands, one a line, without the leading "esptun". Words are
 * separated by blanks, may be quoted, "#" begins a comment. All lines share one handle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define MAX_WORDS	128

/* Reads one word at *at in place and moves *at behind it. Return: the word, NULL at the end of
 * the line, or "" with *bad set for a quote that does not end.
 */
static char *next_word(char **at, bool *bad)
{
	char *from = *at + strspn(*at, " \t\r\n"), *to, *word;
	char quote = 0;

	if (!*from || *from == '#')
		return NULL;
	for (word = to = from; *from && (quote || !strchr(" \t\r\n", *from)); from++) {
		if (quote ? *from == quote : *from == '"' || *from == '\'')
			quote = quote ? 0 : *from;
		else
			*to++ = *from;
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	*bad = quote != 0;
	return word;
}

static int run_line(struct cli *c, char *line)
{
	char *words[MAX_WORDS], *word;
	struct args a = { .words = words };
	bool bad = false;

	while (!bad && (word = next_word(&line, &bad))) {
		if (a.count == MAX_WORDS)
			return cli_wrong(c, "more than %d words in a line", MAX_WORDS);
		words[a.count++] = word;
	}
	if (bad)
		return cli_wrong(c, "a quote is not closed");
	return a.count ? cli_run(c, &a) : CLI_OK;
}

static int run_lines(struct cli *c, FILE *f, const char *name)
{
	int ret, worst = CLI_OK, number = 0;
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, f) >= 0) {
		number++;
		ret = run_line(c, line);
		if (ret == CLI_OK)
			continue;
		fprintf(c->err, "Command failed %s:%d\n", name, number);
		if (ret > worst)
			worst = ret;
		if (!c->force)
			break;
	}
	if (ferror(f))
		worst = cli_failed(c, "%s: %s", name, strerror(errno));
	free(line);
	return worst;
}

int cli_batch(struct cli *c, const char *file)
{
	bool from_stdin = strcmp(file, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(file, "re");
	int ret;

	if (!f)
		return cli_wrong(c, "batch %s: %s", file, strerror(errno));
	c->stdin_taken = from_stdin;
	ret = run_lines(c, f, file);
	if (!from_stdin)
		fclose(f);
	return ret;
}
