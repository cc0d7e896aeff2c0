// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's look at an ESP trailer (kernel/trailer.h) against a reference that builds every
 * padding there is and compares: well-formed texts of all lengths, with one octet changed, cut
 * short, and of random octets. Texts lie in memory of exactly their length, so that a sanitizer
 * sees every octet too many. TRAILER_SEED=n chooses other numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kernel/trailer.h"
#include "random.h"

#define ROUNDS 2000000
#define LONGEST 1600

/* The one padding of each length, behind a text: RFC 4303 2.4 as it is written. */
static int model(const uint8_t *text, size_t len, size_t *inner)
{
	uint8_t padding[255];
	size_t pad = text[len - 2];

	for (size_t i = 0; i < sizeof(padding); i++)
		padding[i] = (uint8_t)(i + 1);
	if (pad > len - 2 || memcmp(text + (len - 2 - pad), padding, pad) != 0)
		return -1;
	*inner = len - 2 - pad;
	return text[len - 1];
}

static unsigned long verdicts[2];

/* Both look at a copy that ends where the text ends. */
static void compare(const uint8_t *text, size_t len)
{
	uint8_t *exact = malloc(len);
	unsigned int got_len = (unsigned int)len;
	size_t want_len = len;
	int got, want;

	assert_non_null(exact);
	memcpy(exact, text, len);
	got = esptun_trailer_take(exact, &got_len);
	want = model(text, len, &want_len);
	if (got != want || got_len != want_len)
		fail_msg("text of %zu, pad length %u: next header %d and %u octets, reference says %d and %zu (TRAILER_SEED=%llu)",
			 len, text[len - 2], got, got_len, want, want_len, (unsigned long long)seed_used);
	verdicts[want >= 0]++;
	free(exact);
}

/* Random content, then the padding, its length and a next header. */
static size_t well_formed(uint8_t *text, size_t inner, size_t pad)
{
	for (size_t i = 0; i < inner; i++)
		text[i] = (uint8_t)rnd();
	for (size_t i = 0; i < pad; i++)
		text[inner + i] = (uint8_t)(i + 1);
	text[inner + pad] = (uint8_t)pad;
	text[inner + pad + 1] = (uint8_t)rnd();
	return inner + pad + 2;
}

static void every_padding(void **state)
{
	uint8_t text[LONGEST];
	unsigned int len;
	size_t inner, pad, whole;

	(void)state;
	random_begin(1);
	for (inner = 0; inner < 70; inner++) {
		for (pad = 0; pad < 256; pad++) {
			whole = well_formed(text, inner, pad);
			compare(text, whole);
			len = (unsigned int)whole;
			assert_int_equal(esptun_trailer_take(text, &len), text[whole - 1]);
			assert_int_equal(len, inner);
		}
	}
}

/* Each octet of the padding wrong by itself: never accepted. */
static void every_wrong_octet(void **state)
{
	uint8_t text[LONGEST];
	size_t pad, at, whole;
	unsigned int len;

	(void)state;
	random_begin(2);
	for (pad = 1; pad < 256; pad++) {
		for (at = 0; at < pad; at++) {
			whole = well_formed(text, 40, pad);
			text[40 + at] ^= (uint8_t)(1u << below(8));
			compare(text, whole);
			len = (unsigned int)whole;
			assert_int_equal(esptun_trailer_take(text, &len), -1);
			assert_int_equal(len, whole);
		}
	}
}

/* The padding may be no longer than what is there: every pad length in every short text. */
static void every_short_text(void **state)
{
	uint8_t text[260];
	size_t len, pad;

	(void)state;
	random_begin(3);
	for (len = 2; len < sizeof(text); len++) {
		for (pad = 0; pad < 256; pad++) {
			memset(text, 0, sizeof(text));
			for (size_t i = 0; i < pad && i < len - 2; i++)
				text[len - 3 - i] = (uint8_t)(pad - i);
			text[len - 2] = (uint8_t)pad;
			text[len - 1] = 4;
			compare(text, len);
		}
	}
}

static void random_texts(void **state)
{
	uint8_t text[LONGEST];
	size_t len;

	(void)state;
	random_begin(4);
	verdicts[0] = verdicts[1] = 0;
	for (long i = 0; i < ROUNDS; i++) {
		size_t pad = below(4) ? below(16) : below(256);

		len = well_formed(text, below(8) ? below(100) : below(LONGEST - 300), pad);
		switch (below(6)) {
		case 0:					/* anywhere: mostly in what does not matter */
			text[below(len)] = (uint8_t)rnd();
			break;
		case 1:					/* in the last ones: it mostly matters */
			text[len - 1 - below(len < 20 ? len : 20)] = (uint8_t)rnd();
			break;
		case 2:					/* cut at the front */
			if (len > 2) {
				size_t off = below(len - 1);

				memmove(text, text + off, len - off);
				len -= off;
			}
			break;
		case 3:					/* nothing but noise, small pad lengths */
			for (size_t k = 0; k < len; k++)
				text[k] = (uint8_t)rnd();
			text[len - 2] = (uint8_t)below(4);
			break;
		default:
			break;
		}
		compare(text, len);
	}
	assert_true(verdicts[0] > ROUNDS / 20);
	assert_true(verdicts[1] > ROUNDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_padding),
		cmocka_unit_test(every_wrong_octet),
		cmocka_unit_test(every_short_text),
		cmocka_unit_test(random_texts),
	};

	random_from_env("TRAILER_SEED");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
