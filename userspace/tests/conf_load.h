/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the configuration: a directory of their own, files in it, loading and what was
 * found.
 */
#ifndef TESTS_CONF_LOAD_H
#define TESTS_CONF_LOAD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esptund/conf.h"
#include "files.h"

#pragma GCC diagnostic ignored "-Wunused-function"

/* ---- collecting findings ------------------------------------------------------------------- */

struct findings {
	unsigned int errors, warnings, n;
	struct {
		enum conf_severity severity;
		unsigned int line;
		char text[512];
	} at[64];
};

static struct findings found;

static void collect(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	const char *p;

	assert_ptr_equal(ctx, &found);
	assert_string_equal(file, path_of("esptun.conf"));
	assert_true(*text);
	for (p = text; *p; p++)
		assert_true(*p >= ' ' && *p <= '~');
	found.errors += severity == CONF_ERROR;
	found.warnings += severity == CONF_WARNING;
	if (found.n == sizeof(found.at) / sizeof(found.at[0]))
		return;
	found.at[found.n].severity = severity;
	found.at[found.n].line = line;
	snprintf(found.at[found.n].text, sizeof(found.at[0].text), "%s", text);
	found.n++;
}

static struct conf *load_octets(const char *text, size_t len)
{
	struct conf *c;

	memset(&found, 0, sizeof(found));
	write_file("esptun.conf", text, len, 0600);
	c = conf_load(path_of("esptun.conf"), collect, &found);
	assert_int_equal(!c, found.errors > 0);
	return c;
}

static struct conf *load(const char *text)
{
	return load_octets(text, strlen(text));
}

static void show_findings(void)
{
	unsigned int i;

	for (i = 0; i < found.n; i++)
		print_message("  %s line %u: %s\n", found.at[i].severity == CONF_ERROR ? "error" : "warning",
			      found.at[i].line, found.at[i].text);
}

static bool has_finding(enum conf_severity severity, unsigned int line, const char *part)
{
	unsigned int i;

	for (i = 0; i < found.n; i++)
		if (found.at[i].severity == severity && found.at[i].line == line && strstr(found.at[i].text, part))
			return true;
	print_message("nothing on line %u says \"%s\":\n", line, part);
	show_findings();
	return false;
}

/* A good tunnel; the tests add to it. */
#define TUNNEL(more) \
	"tunnel paris {\n" \
	"  remote = 198.51.100.7\n" \
	"  psk-file = good.psk\n" \
	more "}\n"

/* text is refused with exactly one error, on that line, saying part. */
static void assert_refused(const char *text, unsigned int line, const char *part)
{
	assert_null(load(text));
	if (found.errors != 1)
		show_findings();
	assert_int_equal(found.errors, 1);
	assert_true(has_finding(CONF_ERROR, line, part));
}

static struct conf *assert_loads(const char *text)
{
	struct conf *c = load(text);

	if (!c)
		show_findings();
	assert_non_null(c);
	return c;
}

#endif
