/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fuzz targets share. A target is one file fuzz_NAME.c with LLVMFuzzerTestOneInput();
 * its inputs are the files of corpus/NAME/. It is built twice: by clang with libFuzzer, which
 * makes inputs (make fuzz), and by the normal compiler with replay.c, which only runs
 * those of the corpus (make check). Both with ASan and UBSan.
 *
 * A target must depend on nothing but its input, so that a file that fails once fails always.
 */
#ifndef ESPTUN_FUZZ_FUZZ_H
#define ESPTUN_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns 0. What must never happen ends the process with abort(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A property that holds for every input; says what and where before it aborts. */
#define FUZZ_CHECK(cond) \
	do { \
		if (!(cond)) \
			fuzz_fail(#cond, __FILE__, __LINE__); \
	} while (0)

void fuzz_fail(const char *what, const char *file, int line) __attribute__((noreturn));

/* Reads every octet, so that ASan sees a length that lies. */
void fuzz_touch(const void *data, size_t len);
/* Ends the process when text holds anything but printable ASCII. */
void fuzz_printable(const char *text);

/* An input as a list of decisions: when it is used up, every further one is zero. */
struct fuzz_input {
	const uint8_t *p;
	size_t left;
};

uint8_t fuzz_take8(struct fuzz_input *in);
uint16_t fuzz_take16(struct fuzz_input *in);
/* At most want octets, fewer when there are fewer; *got says how many. */
const uint8_t *fuzz_take(struct fuzz_input *in, size_t want, size_t *got);

#endif
