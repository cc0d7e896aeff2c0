// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checks and input reading of all targets. See fuzz.h.
 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

void fuzz_touch(const void *data, size_t len)
{
	static volatile uint8_t sink;
	const uint8_t *p = data;

	while (len--)
		sink = (uint8_t)(sink + *p++);
}

void fuzz_printable(const char *text)
{
	for (; *text; text++)
		FUZZ_CHECK(*text >= ' ' && *text <= '~');
}

uint8_t fuzz_take8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

uint16_t fuzz_take16(struct fuzz_input *in)
{
	uint8_t high = fuzz_take8(in);

	return (uint16_t)(high << 8 | fuzz_take8(in));
}

const uint8_t *fuzz_take(struct fuzz_input *in, size_t want, size_t *got)
{
	const uint8_t *p = in->p;

	*got = want < in->left ? want : in->left;
	in->p += *got;
	in->left -= *got;
	return p;
}
