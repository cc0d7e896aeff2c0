// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun(8): options, the table of objects, exit code. The only place that exits.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

#ifndef ESPTUN_VERSION
#define ESPTUN_VERSION "0.1"
#endif

static const struct cli_object *const objects[] = {
	&cmd_tunnel,
	&cmd_sa,
	&cmd_ike,
	&cmd_monitor,
	&cmd_module,
	NULL
};

struct options {
	bool json;
	bool pretty;
	bool version;
	const char *batch;
};

/* One option: both names it has, and what it sets. @value points to its argument, if any. */
static bool is(const char *word, const char *brief, const char *full)
{
	return strcmp(word, brief) == 0 || strcmp(word, full) == 0;
}

static bool plain_option(struct cli *c, struct options *o, const char *word)
{
	if (is(word, "s", "statistics") || strcmp(word, "stats") == 0)
		c->stats++;
	else if (is(word, "d", "details"))
		c->details = true;
	else if (is(word, "j", "json"))
		o->json = true;
	else if (is(word, "p", "pretty"))
		o->pretty = true;
	else if (is(word, "t", "timestamp"))
		c->timestamps = true;
	else if (strcmp(word, "force") == 0)
		c->force = true;
	else if (is(word, "V", "Version") || strcmp(word, "version") == 0)
		o->version = true;
	else
		return false;
	return true;
}

static int value_option(struct cli *c, struct options *o, const char *word, struct args *a)
{
	const char **to = is(word, "n", "netns") ? &c->netns :
			  is(word, "b", "batch") ? &o->batch : NULL;
	char quoted[80];

	if (!to)
		return cli_wrong(c, "-%s: there is no such option, %s", word,
				 "see \"esptun help\"");
	*to = args_next(a);
	if (!*to || !**to)
		return cli_wrong(c, "option %s needs a value",
				 args_quote(word, quoted, sizeof(quoted)));
	return CLI_OK;
}

static int read_options(struct cli *c, struct options *o, struct args *a)
{
	const char *word;
	int ret;

	while ((word = args_peek(a)) && word[0] == '-' && word[1]) {
		word += word[1] == '-' ? 2 : 1;
		if (is(word, "h", "help"))
			break;
		args_next(a);
		if (!*word)
			break;
		if (plain_option(c, o, word))
			continue;
		ret = value_option(c, o, word, a);
		if (ret != CLI_OK)
			return ret;
	}
	if (c->details && c->stats < 2)
		c->stats = 2;
	out_init(&c->out, stdout, o->json, o->pretty);
	return CLI_OK;
}

static int run(struct cli *c, const struct options *o, struct args *a)
{
	if (o->version) {
		puts("esptun " ESPTUN_VERSION);
		return CLI_OK;
	}
	if (!o->batch)
		return cli_run(c, a);
	return args_peek(a) ? cli_wrong(c, "a batch takes its commands from the file only") :
			      cli_batch(c, o->batch);
}

int main(int argc, char **argv)
{
	struct args a = { .words = argv + 1, .count = argc - 1 };
	struct cli c = { .err = stderr, .objects = objects };
	struct options o = { .batch = NULL };
	struct timespec now;
	int ret;

	out_init(&c.out, stdout, false, false);
	clock_gettime(CLOCK_BOOTTIME, &now);
	c.now = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	ret = read_options(&c, &o, &a);
	if (ret == CLI_OK)
		ret = run(&c, &o, &a);
	cli_release(&c);
	if (out_finish(&c.out) < 0 && ret == CLI_OK)
		ret = cli_failed(&c, "output could not be written");
	return ret;
}
