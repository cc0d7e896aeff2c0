/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that compare with committed values: hexadecimal text to octets, and the proof
 * that a committed header is what its generator (vectors/NAME.py) writes today. Include after
 * cmocka.h.
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Octets of hex (blanks ignored) into out; their number. */
static inline size_t unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned int octet;

	while (*hex) {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		assert_true(n < size);
		assert_int_equal(sscanf(hex, "%2x", &octet), 1);
		out[n++] = (uint8_t)octet;
		hex += 2;
	}
	return n;
}

static inline void assert_octets(const uint8_t *got, size_t got_len, const char *hex)
{
	uint8_t want[2048];
	size_t want_len = unhex(hex, want, sizeof(want));

	assert_int_equal(got_len, want_len);
	assert_memory_equal(got, want, want_len);
}

/* Directory of this file, with a slash at the end. */
static inline const char *tests_dir(void)
{
	static char dir[4096];

	snprintf(dir, sizeof(dir), "%s", __FILE__);
	*(strrchr(dir, '/') + 1) = 0;
	return dir;
}

/* vectors/NAME.py writes vectors/NAME_vectors.h, octet for octet. */
static inline void assert_regenerates(const char *name)
{
	char path[8192], a[4096], b[4096];
	size_t na, nb, total = 0;
	FILE *committed, *fresh;

	snprintf(path, sizeof(path), "%svectors/%s_vectors.h", tests_dir(), name);
	committed = fopen(path, "r");
	assert_non_null(committed);
	snprintf(path, sizeof(path), "/usr/bin/python3 '%svectors/%s.py'", tests_dir(), name);
	fresh = popen(path, "r");
	assert_non_null(fresh);
	do {
		na = fread(a, 1, sizeof(a), committed);
		nb = fread(b, 1, sizeof(b), fresh);
		assert_int_equal(na, nb);
		assert_memory_equal(a, b, na);
		total += na;
	} while (na);
	assert_int_equal(pclose(fresh), 0);
	fclose(committed);
	assert_true(total > 1000);
}

#endif
