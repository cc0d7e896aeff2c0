// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From words to a command: objects and commands by unique prefix, help on each level, the
 * kernel's handle, and the one place where errors are printed.
 */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void print_error(struct cli *c, const char *fmt, va_list ap)
{
	/* What was printed so far comes first, also where both go to one file. */
	fflush(c->out.f);
	fputs("Error: ", c->err);
	vfprintf(c->err, fmt, ap);
	fputc('\n', c->err);
}

int cli_wrong(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_error(c, fmt, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_failed(struct cli *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_error(c, fmt, ap);
	va_end(ap);
	return CLI_REFUSED;
}

int cli_refused(struct cli *c)
{
	return cli_failed(c, "%s", esptun_last_error(c->kernel));
}

struct esptun_sock *cli_kernel(struct cli *c)
{
	if (c->kernel)
		return c->kernel;
	c->kernel = esptun_new();
	if (!c->kernel) {
		cli_failed(c, "no memory");
		return NULL;
	}
	if (esptun_open(c->kernel, c->netns) == 0)
		return c->kernel;
	cli_refused(c);
	cli_release(c);
	return NULL;
}

void cli_release(struct cli *c)
{
	esptun_free(c->kernel);
	c->kernel = NULL;
}

int cli_device(struct cli *c, const char *name, uint32_t *ifindex)
{
	struct esptun_sock *kernel = cli_kernel(c);

	if (!kernel)
		return CLI_REFUSED;
	return esptun_tunnel_index(kernel, name, ifindex) < 0 ? cli_refused(c) : CLI_OK;
}

/* -- help ------------------------------------------------------------------------------- */

static void command_help(FILE *f, const struct cli_object *object, const struct cli_command *only)
{
	const char *lead = "Usage:";

	for (const struct cli_command *cmd = object->commands; cmd->name; cmd++) {
		if (!cmd->grammar || (only && cmd != only))
			continue;
		fprintf(f, "%-6s esptun %s %s%s%s\n", lead, object->name, cmd->name,
			*cmd->grammar ? " " : "", cmd->grammar);
		lead = "";
	}
	if (object->notes)
		object->notes(f);
}

static void general_help(const struct cli *c, FILE *f)
{
	fputs("Usage: esptun [ OPTIONS ] OBJECT { COMMAND | help }\n"
	      "       esptun [ -force ] -batch FILE\n"
	      "where  OBJECT := {", f);
	for (int i = 0; c->objects[i]; i++)
		fprintf(f, "%s %s", i ? " |" : "", c->objects[i]->name);
	fputs(" }\n"
	      "       OPTIONS := { -V[ersion] | -s[tatistics] | -d[etails] | -j[son] | -p[retty] |\n"
	      "                    -n[etns] NAME | -b[atch] FILE | -force | -t[imestamp] }\n", f);
	for (int i = 0; c->objects[i]; i++)
		fprintf(f, "  %-8s %s\n", c->objects[i]->name, c->objects[i]->summary);
}

static bool is_help(const char *word)
{
	return word && (strcmp(word, "help") == 0 || strcmp(word, "-help") == 0 ||
			strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

/* -- matching --------------------------------------------------------------------------- */

static bool begins(const char *name, const char *word)
{
	return *word && strncmp(name, word, strlen(word)) == 0;
}

static int ambiguous(struct cli *c, const char *word, const char *candidates)
{
	char quoted[80];

	return cli_wrong(c, "%s is ambiguous:%s", args_quote(word, quoted, sizeof(quoted)),
			 candidates);
}

static void add_candidate(char *list, size_t room, const char *name)
{
	size_t at = strlen(list);

	snprintf(list + at, room - at, " %s", name);
}

static int find_object(struct cli *c, const char *word, const struct cli_object **found)
{
	char candidates[256] = "", quoted[80];
	int count = 0;

	for (int i = 0; c->objects[i]; i++) {
		if (!begins(c->objects[i]->name, word))
			continue;
		*found = c->objects[i];
		if (strcmp((*found)->name, word) == 0)
			return CLI_OK;
		add_candidate(candidates, sizeof(candidates), (*found)->name);
		count++;
	}
	if (count == 1)
		return CLI_OK;
	if (count > 1)
		return ambiguous(c, word, candidates);
	return cli_wrong(c, "there is no object %s, see \"esptun help\"",
			 args_quote(word, quoted, sizeof(quoted)));
}

static int find_command(struct cli *c, const struct cli_object *object, const char *word,
			const struct cli_command **found)
{
	char candidates[256] = "", quoted[80];
	bool several = false;

	*found = NULL;
	for (const struct cli_command *cmd = object->commands; cmd->name; cmd++) {
		if (!begins(cmd->name, word))
			continue;
		if (*found && (*found)->run != cmd->run)
			several = true;
		if (!*found || strcmp(cmd->name, word) == 0)
			*found = cmd;
		if (strcmp(cmd->name, word) == 0)
			return CLI_OK;
		add_candidate(candidates, sizeof(candidates), cmd->name);
	}
	if (several)
		return ambiguous(c, word, candidates);
	if (*found)
		return CLI_OK;
	return cli_wrong(c, "%s has no command %s, see \"esptun %s help\"", object->name,
			 args_quote(word, quoted, sizeof(quoted)), object->name);
}

static int run_command(struct cli *c, const struct cli_object *object, struct args *a)
{
	const char *word = args_next(a);
	const struct cli_command *cmd;
	int ret;

	if (is_help(word)) {
		command_help(c->out.f, object, NULL);
		return CLI_OK;
	}
	ret = find_command(c, object, word ? word : "show", &cmd);
	if (ret != CLI_OK)
		return ret;
	snprintf(c->where, sizeof(c->where), "%s %s", object->name, cmd->name);
	if (is_help(args_peek(a))) {
		command_help(c->out.f, object, cmd);
		return CLI_OK;
	}
	return cmd->run(c, a);
}

int cli_run(struct cli *c, struct args *a)
{
	const char *word = args_next(a);
	const struct cli_object *object;
	int ret;

	if (!word) {
		general_help(c, c->err);
		return CLI_USAGE;
	}
	if (is_help(word)) {
		general_help(c, c->out.f);
		return CLI_OK;
	}
	ret = find_object(c, word, &object);
	return ret == CLI_OK ? run_command(c, object, a) : ret;
}
