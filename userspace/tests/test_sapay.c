// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The SA payload: octets written down by hand from RFC 2407/2408/2409, both attribute
 * forms, any order, bounds, and every length lying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/proposal.h"

/* aes256-sha256-modp2048, PSK, 86400 s, as the RFCs write it. */
static const uint8_t p1_wire[] = {
	0, 0, 0, 1,  0, 0, 0, 1,			/* DOI IPsec, identity only */
	0, 0, 0, 48,  1, 1, 0, 1,			/* proposal 1, ISAKMP, no SPI, one transform */
	0, 0, 0, 40,  1, 1, 0, 0,			/* transform 1, KEY_IKE */
	0x80, 1, 0, 7,  0x80, 14, 1, 0,			/* AES, 256 */
	0x80, 2, 0, 4,  0x80, 3, 0, 1,			/* SHA2-256, PSK */
	0x80, 4, 0, 14,					/* group 14 */
	0x80, 11, 0, 1,  0, 12, 0, 4, 0, 1, 0x51, 0x80,	/* seconds, 86400 */
};

/* ESP: AES-GCM-16 with 128 bits, tunnel mode, group 19, ESN, 3600 s. */
static const uint8_t p2_wire[] = {
	0, 0, 0, 1,  0, 0, 0, 1,
	0, 0, 0, 44,  1, 3, 4, 1,  0x12, 0x34, 0x56, 0x78,	/* proposal 1, ESP, SPI */
	0, 0, 0, 32,  1, 20, 0, 0,				/* transform 1, AES-GCM-16 */
	0x80, 6, 0, 128,  0x80, 4, 0, 1,			/* key length, tunnel */
	0x80, 3, 0, 19,  0x80, 11, 0, 1,			/* PFS group, ESN */
	0x80, 1, 0, 1,  0x80, 2, 0x0e, 0x10,			/* seconds, 3600 */
};

static struct ike_tunnel_cfg cfg_of(const char *p1, const char *p2)
{
	struct ike_tunnel_cfg t;

	ike_tunnel_cfg_init(&t);
	assert_int_equal(ike_p1_parse(p1, IKE_POLICY_INSECURE, &t.p1[0], NULL), 0);
	assert_int_equal(ike_p2_parse(p2, IKE_POLICY_INSECURE, &t.p2[0], NULL), 0);
	t.n_p1 = t.n_p2 = 1;
	return t;
}

static void encode(const struct ike_sapay *sa, const uint8_t *want, size_t len)
{
	struct ike_wbuf w;

	ike_wbuf_init(&w);
	ike_sapay_encode(&w, sa);
	assert_false(w.bad);
	assert_int_equal(w.len, len);
	assert_memory_equal(w.data, want, len);
	ike_wbuf_free(&w);
}

static void offers_are_the_octets_of_the_rfc(void **state)
{
	struct ike_tunnel_cfg t = cfg_of("aes256-sha256-modp2048", "aes128gcm16-ecp256-esn");
	struct ike_sapay sa;

	(void)state;
	ike_offer_p1(&sa, &t);
	encode(&sa, p1_wire, sizeof(p1_wire));
	ike_offer_p2(&sa, &t, 0x12345678, 19, IKE_ENCAP_TUNNEL);
	encode(&sa, p2_wire, sizeof(p2_wire));
}

static void decoded_and_written_again(void **state)
{
	struct ike_sapay sa;
	const char *why;

	(void)state;
	assert_int_equal(ike_sapay_decode(p1_wire, sizeof(p1_wire), &sa, &why), 0);
	assert_int_equal(sa.n_proposals, 1);
	assert_int_equal(sa.n_transforms, 1);
	assert_int_equal(sa.t[0].n_attrs, 7);
	assert_int_equal(sa.t[0].attr[6].value, 86400);
	assert_int_equal(sa.t[0].attr[6].tlv_len, 4);
	encode(&sa, p1_wire, sizeof(p1_wire));
	assert_int_equal(ike_sapay_decode(p2_wire, sizeof(p2_wire), &sa, &why), 0);
	assert_memory_equal(sa.p[0].spi, "\x12\x34\x56\x78", 4);
	encode(&sa, p2_wire, sizeof(p2_wire));
}

static void cut_at_each_octet(void **state)
{
	struct ike_sapay sa;
	const char *why;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(p1_wire); len++)
		assert_int_equal(ike_sapay_decode(p1_wire, len, &sa, &why), -IKE_E_PARSE);
	for (len = 0; len < sizeof(p2_wire); len++)
		assert_int_equal(ike_sapay_decode(p2_wire, len, &sa, &why), -IKE_E_PARSE);
}

/* Each octet takes each value: no crash, and what is decoded can be written. */
static void each_octet_each_value(void **state)
{
	uint8_t copy[sizeof(p2_wire)];
	struct ike_sapay sa;
	const char *why;
	unsigned int v;
	size_t i;

	(void)state;
	memcpy(copy, p2_wire, sizeof(copy));
	for (i = 0; i < sizeof(copy); i++) {
		for (v = 0; v < 256; v++) {
			copy[i] = (uint8_t)v;
			why = NULL;
			if (ike_sapay_decode(copy, sizeof(copy), &sa, &why))
				assert_non_null(why);
			else if (!sa.t[0].unusable && i != 28 && i != 29 && i != 30 && i != 31 && i != 26 && i != 27)
				encode(&sa, copy, sizeof(copy));
		}
		copy[i] = p2_wire[i];
	}
}

static void lies(void **state)
{
	static const struct { size_t at; uint8_t value; const char *why; } tab[] = {
		{ 3, 2, "DOI is not IPsec" },
		{ 7, 2, "situation is not identity-only" },
		{ 8, 2, "proposal or transform length below 4 or beyond the end" },
		{ 8, 9, "something else among the proposals" },
		{ 9, 1, "reserved octet in the SA payload is not zero" },
		{ 11, 3, "proposal or transform length below 4 or beyond the end" },
		{ 11, 45, "proposal or transform longer than what holds it" },
		{ 14, 17, "SPI longer than 16 octets" },
		{ 14, 255, "proposal cut short" },
		{ 15, 0, "proposal without transforms" },
		{ 15, 2, "number of transforms differs from the proposal's count" },
		{ 20, 3, "proposal or transform length below 4 or beyond the end" },
		{ 23, 31, "transform or attribute cut short" },
		{ 23, 33, "proposal or transform longer than what holds it" },
	};
	uint8_t copy[sizeof(p2_wire)];
	struct ike_sapay sa;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		memcpy(copy, p2_wire, sizeof(copy));
		copy[tab[i].at] = tab[i].value;
		why = NULL;
		assert_int_equal(ike_sapay_decode(copy, sizeof(copy), &sa, &why), -IKE_E_PARSE);
		assert_string_equal(why, tab[i].why);
	}
}

static void bounds(void **state)
{
	struct ike_sapay sa;
	struct ike_wbuf w;
	const char *why;
	unsigned int i, n;

	(void)state;
	for (n = 64; n <= 65; n++) {		/* transforms */
		ike_wbuf_init(&w);
		ike_put32(&w, 1);
		ike_put32(&w, 1);
		ike_put32(&w, 8 + n * 8);
		ike_put32(&w, 0x01010000 | n);
		for (i = 0; i < n; i++) {
			ike_put32(&w, (i + 1 < n ? 3u << 24 : 0) | 8);
			ike_put32(&w, (i + 1) << 24 | 1 << 16);
		}
		assert_int_equal(ike_sapay_decode(w.data, w.len, &sa, &why), n == 64 ? 0 : -IKE_E_PARSE);
		ike_wbuf_free(&w);
	}
	assert_string_equal(why, "more than 64 transforms");
	for (n = 32; n <= 33; n++) {		/* proposals */
		ike_wbuf_init(&w);
		ike_put32(&w, 1);
		ike_put32(&w, 1);
		for (i = 0; i < n; i++) {
			ike_put32(&w, (i + 1 < n ? 2u << 24 : 0) | 16);
			ike_put32(&w, (i + 1) << 24 | 0x010001);
			ike_put32(&w, 8);
			ike_put32(&w, 0x01010000);
		}
		assert_int_equal(ike_sapay_decode(w.data, w.len, &sa, &why), n == 32 ? 0 : -IKE_E_PARSE);
		ike_wbuf_free(&w);
	}
	assert_string_equal(why, "more than 32 proposals");
}

/* Too many or too long attributes spoil their transform only. */
static void unusable_transform_among_good_ones(void **state)
{
	static const uint8_t wire[] = {
		0, 0, 0, 1,  0, 0, 0, 1,
		0, 0, 0, 89,  1, 1, 0, 3,
		3, 0, 0, 21,  1, 1, 0, 0,  0, 12, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9,	/* nine octets of lifetime */
		3, 0, 0, 28,  2, 1, 0, 0,						/* unknown attribute 99 */
		0x80, 1, 0, 7,  0x80, 2, 0, 4,  0x80, 3, 0, 1,  0x80, 4, 0, 14,  0x80, 99, 0, 1,
		0, 0, 0, 32,  7, 1, 0, 0,						/* any order, TLV for short values */
		0x80, 4, 0, 14,  0, 3, 0, 2, 0, 1,  0x80, 2, 0, 4,  0, 1, 0, 2, 0, 7,  0x80, 14, 0, 128,
	};
	struct ike_tunnel_cfg t = cfg_of("aes128-sha256-modp2048", "aes128-sha256");
	struct ike_sapay sa, answer;
	struct ike_p1_choice c;
	const char *why;

	(void)state;
	assert_int_equal(ike_sapay_decode(wire, sizeof(wire), &sa, &why), 0);
	assert_true(sa.t[0].unusable);
	assert_true(ike_choose_p1(&sa, &t, &answer, &c));
	assert_int_equal(answer.n_transforms, 1);
	assert_int_equal(answer.t[0].number, 7);	/* the number is kept */
	assert_int_equal(c.life, 28800);		/* not given: RFC 2407 4.5 */
	/* Returned as offered: same order, same forms. */
	{
		uint8_t want[8 + 8 + 32];

		memcpy(want, wire, 16);
		want[11] = 40;
		want[15] = 1;
		memcpy(want + 16, wire + sizeof(wire) - 32, 32);
		encode(&answer, want, sizeof(want));
	}
}

static void equal_in_any_order(void **state)
{
	struct ike_transform a = { .number = 1, .id = 12 }, b;

	(void)state;
	ike_transform_add(&a, 1, 1);
	ike_transform_add(&a, 2, 3600);
	b = a;
	b.attr[0] = a.attr[1];
	b.attr[1] = a.attr[0];
	assert_true(ike_transform_equal(&a, &b));
	b.attr[1].tlv_len = 2;
	assert_true(ike_transform_equal(&a, &b));
	b.attr[1].value++;
	assert_false(ike_transform_equal(&a, &b));
	b = a;
	b.number = 2;
	assert_false(ike_transform_equal(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_are_the_octets_of_the_rfc),
		cmocka_unit_test(decoded_and_written_again),
		cmocka_unit_test(cut_at_each_octet),
		cmocka_unit_test(each_octet_each_value),
		cmocka_unit_test(lies),
		cmocka_unit_test(bounds),
		cmocka_unit_test(unusable_transform_among_good_ones),
		cmocka_unit_test(equal_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
