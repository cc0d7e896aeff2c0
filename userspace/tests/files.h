/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of a test, in a folder of its own: mkdtemp(test_dir) comes first.
 */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char test_dir[] = "/tmp/esptun-files.XXXXXX";

static const char *path_of(const char *name)
{
	static char path[2][256];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[0]), "%s/%s", test_dir, name);
	return path[turn];
}

static void write_file(const char *name, const char *text, size_t len, mode_t mode)
{
	const char *path = path_of(name);
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

#endif
