/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the CLI: run one command line in this process and keep what it printed.
 */
#ifndef ESPTUN_TESTS_CLI_RUN_H
#define ESPTUN_TESTS_CLI_RUN_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/cli.h"

/** struct ran - a finished run; @out and @err are freed with ran_free() */
struct ran {
	int code;
	char *out;
	char *err;
};

/* What a run begins with; tests change it. */
struct run_options {
	bool json;
	int stats;
	bool details;
	const char *batch;
};

static const struct cli_object *const all_objects[] = { &cmd_tunnel, &cmd_sa, &cmd_ike,
							&cmd_monitor, &cmd_module, NULL };

static inline void split(char *line, struct args *a, char **words, int room)
{
	a->words = words;
	a->count = 0;
	for (char *w = strtok(line, " "); w; w = strtok(NULL, " ")) {
		assert_true(a->count < room);
		words[a->count++] = w;
	}
}

static inline struct ran run_with(const struct run_options *o, const char *line)
{
	struct cli c = { .stats = o->stats, .details = o->details, .objects = all_objects,
			 .now = 100ULL * 1000000000 };
	struct ran r = { .out = NULL };
	size_t outlen, errlen;
	struct args a;
	char *words[64], *copy = strdup(line);
	FILE *out = open_memstream(&r.out, &outlen);

	c.err = open_memstream(&r.err, &errlen);
	out_init(&c.out, out, o->json, false);
	split(copy, &a, words, 64);
	r.code = o->batch ? cli_batch(&c, o->batch) : cli_run(&c, &a);
	cli_release(&c);
	assert_int_equal(out_finish(&c.out), 0);
	fclose(out);
	fclose(c.err);
	free(copy);
	return r;
}

static inline void ran_free(struct ran *r)
{
	free(r->out);
	free(r->err);
}

/* Runs @line; the code and all of what was printed must be as given. */
static inline void expect_run(const struct run_options *o, const char *line, int code,
			      const char *out, const char *err)
{
	struct ran r = run_with(o, line);

	if (r.code != code || strcmp(r.out, out) != 0 || strcmp(r.err, err) != 0)
		print_error("esptun %s\n  exit %d\n  out: %s\n  err: %s\n", line, r.code, r.out,
			    r.err);
	assert_string_equal(r.out, out);
	assert_string_equal(r.err, err);
	assert_int_equal(r.code, code);
	ran_free(&r);
}

/* A refused command: nothing on standard output, @part in the error, @never nowhere in it. */
static inline void expect_wrong(const char *line, int code, const char *part, const char *never)
{
	static const struct run_options plain = { .stats = 0 };
	struct ran r = run_with(&plain, line);

	if (r.code != code || !strstr(r.err, part))
		print_error("esptun %s\n  exit %d\n  err: %s\n", line, r.code, r.err);
	assert_int_equal(r.code, code);
	assert_non_null(strstr(r.err, part));
	assert_int_equal(strncmp(r.err, "Error: ", 7), 0);
	assert_string_equal(r.out, "");
	if (never)
		assert_null(strstr(r.err, never));
	ran_free(&r);
}

#endif /* ESPTUN_TESTS_CLI_RUN_H */
