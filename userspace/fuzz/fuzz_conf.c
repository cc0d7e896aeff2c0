// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration text, as esptund --check reads it. What is accepted the engine takes; what is
 * refused was said, in printable words and with a line that is in the file.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esptund/conf.h"
#include "fuzz/fuzz.h"

struct findings {
	unsigned int errors, lines;
};

static void on_finding(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	struct findings *f = ctx;

	(void)file;
	FUZZ_CHECK(*text);
	fuzz_printable(text);
	FUZZ_CHECK(line <= f->lines + 1);
	f->errors += severity == CONF_ERROR;
}

static void zeros(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 1, len);
}

static void give_to_engine(const struct conf *c)
{
	const struct ike_env env = { .random = zeros };
	struct ike_engine *e = ike_engine_new(&env);
	struct ike_action act;

	FUZZ_CHECK(e && !ike_configure(e, &c->ike, IKE_SECOND));
	for (unsigned int i = 0; i < 4096 && ike_next_action(e, &act); i++)
		if (act.type == IKE_ACT_LOG)
			fuzz_printable(act.log.text);
	ike_engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct findings f = { 0, 1 };
	char path[64];
	struct conf *c;
	int fd;

	if (len > 16384)
		return 0;
	for (size_t i = 0; i < len; i++)
		f.lines += data[i] == '\n';
	fd = memfd_create("esptun.conf", 0);
	FUZZ_CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len && !fchmod(fd, 0600));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	c = conf_load(path, on_finding, &f);
	close(fd);
	FUZZ_CHECK(!c == !!f.errors);
	if (c)
		give_to_engine(c);
	conf_free(c);
	return 0;
}
