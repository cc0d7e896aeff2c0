// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ISAKMP header and payload chain, notify and delete bodies: round trips, and every lie a
 * length or a type can tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/msg.h"
#include "libike/payload.h"

static const struct ike_hdr header = {
	.icookie = { 1, 2, 3, 4, 5, 6, 7, 8 }, .rcookie = { 9, 10, 11, 12, 13, 14, 15, 16 },
	.exchange = ISAKMP_XCHG_QUICK, .flags = ISAKMP_FLAG_ENCRYPTION, .msgid = 0xdeadbeef,
};

static void write_sample(struct ike_msgw *w, size_t block)
{
	static const uint8_t hash[20] = { 0xaa }, nonce[16] = { 0xbb };

	ike_msgw_begin(w, &header);
	ike_msgw_payload(w, ISAKMP_NPTYPE_HASH, hash, sizeof(hash));
	ike_msgw_payload(w, ISAKMP_NPTYPE_NONCE, nonce, sizeof(nonce));
	ike_msgw_open(w, ISAKMP_NPTYPE_VID);
	ike_put32(&w->b, 0x01020304);
	ike_msgw_close(w);
	ike_msgw_finish(w, block);
	assert_false(w->b.bad);
}

static int parse(const uint8_t *data, size_t len, bool encrypted, struct ike_msg *m, const char **why)
{
	struct ike_hdr h;
	int err = ike_hdr_parse(data, len, &h, why);

	return err ? err : ike_msg_parse(m, &h, data, len, encrypted, why);
}

static void written_then_read(void **state)
{
	struct ike_msgw w;
	struct ike_msg m;
	const char *why = NULL;

	(void)state;
	write_sample(&w, 0);
	assert_int_equal(w.b.len, 28 + 24 + 20 + 8);
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), 0);
	assert_memory_equal(m.hdr.icookie, header.icookie, 8);
	assert_memory_equal(m.hdr.rcookie, header.rcookie, 8);
	assert_int_equal(m.hdr.msgid, 0xdeadbeef);
	assert_int_equal(m.hdr.exchange, ISAKMP_XCHG_QUICK);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.p[0].type, ISAKMP_NPTYPE_HASH);
	assert_int_equal(m.p[1].len, 16);
	assert_int_equal(m.p[1].body[0], 0xbb);
	assert_int_equal(ike_msg_count(&m, ISAKMP_NPTYPE_VID), 1);
	assert_null(ike_msg_find(&m, ISAKMP_NPTYPE_SA));
	assert_int_equal(m.end, w.b.len);
	ike_wbuf_free(&w.b);
}

/* RFC 2409 Appendix B: padded with zero octets, the header's length includes them. */
static void padded_for_the_cipher(void **state)
{
	struct ike_msgw w;
	struct ike_msg m;
	const char *why = NULL;

	(void)state;
	write_sample(&w, 16);
	assert_int_equal(w.b.len, 28 + 64);
	assert_int_equal(w.b.data[27], 28 + 64);
	assert_int_equal(w.b.data[28 + 63], 0);
	assert_int_equal(parse(w.b.data, w.b.len, true, &m, &why), 0);
	assert_int_equal(m.end, 28 + 52);
	/* In clear twelve octets behind the chain are too many. */
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), -IKE_E_PARSE);
	assert_string_equal(why, "octets behind the last payload");
	ike_wbuf_free(&w.b);
}

static void header_lies(void **state)
{
	static const struct { size_t at; uint8_t value; } lies[] = {
		{ 17, 0x20 }, { 17, 0x00 }, { 17, 0xff }, { 27, 79 }, { 27, 81 }, { 24, 1 }, { 25, 1 }, { 26, 0xff },
	};
	struct ike_msgw w;
	struct ike_msg m;
	const char *why;
	size_t i, len;

	(void)state;
	write_sample(&w, 0);
	for (len = 0; len < w.b.len; len++) {
		why = NULL;
		assert_int_equal(parse(w.b.data, len, false, &m, &why), -IKE_E_PARSE);
		assert_non_null(why);
	}
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		uint8_t old = w.b.data[lies[i].at];

		w.b.data[lies[i].at] = lies[i].value;
		why = NULL;
		assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), -IKE_E_PARSE);
		assert_non_null(why);
		w.b.data[lies[i].at] = old;
	}
	/* A minor version is nobody's business. */
	w.b.data[17] = 0x15;
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), 0);
	ike_wbuf_free(&w.b);
}

/* Each payload length set to everything around it: refused, or still inside the message. */
static void payload_lengths_lie(void **state)
{
	static const size_t at[] = { 30, 54, 74 };
	static const unsigned int truth[] = { 24, 20, 8 };
	struct ike_msgw w;
	struct ike_msg m;
	const char *why;
	unsigned int i, value, j;

	(void)state;
	write_sample(&w, 0);
	for (i = 0; i < 3; i++) {
		for (value = 0; value < 300; value++) {
			int err;

			w.b.data[at[i]] = (uint8_t)(value >> 8);
			w.b.data[at[i] + 1] = (uint8_t)value;
			err = parse(w.b.data, w.b.len, true, &m, &why);
			if (value < 4 || value > w.b.len)
				assert_int_equal(err, -IKE_E_PARSE);
			if (value == truth[i])
				assert_int_equal(err, 0);
			for (j = 0; !err && j < m.n; j++)
				assert_true(m.p[j].body + m.p[j].len <= w.b.data + w.b.len);
		}
		w.b.data[at[i]] = (uint8_t)(truth[i] >> 8);
		w.b.data[at[i] + 1] = (uint8_t)truth[i];
	}
	w.b.data[29] = 1;
	assert_int_equal(parse(w.b.data, w.b.len, true, &m, &why), -IKE_E_PARSE);
	assert_string_equal(why, "reserved octet of a payload is not zero");
	ike_wbuf_free(&w.b);
}

static void too_many_payloads(void **state)
{
	struct ike_msgw w;
	struct ike_msg m;
	const char *why;
	unsigned int i;

	(void)state;
	ike_msgw_begin(&w, &header);
	for (i = 0; i < IKE_MAX_PAYLOADS; i++)
		ike_msgw_payload(&w, ISAKMP_NPTYPE_VID, "abcd", 4);
	ike_msgw_finish(&w, 0);
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), 0);
	assert_int_equal(m.n, IKE_MAX_PAYLOADS);
	ike_wbuf_free(&w.b);

	ike_msgw_begin(&w, &header);
	for (i = 0; i <= IKE_MAX_PAYLOADS; i++)
		ike_msgw_payload(&w, ISAKMP_NPTYPE_VID, "abcd", 4);
	ike_msgw_finish(&w, 0);
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), -IKE_E_PARSE);
	assert_string_equal(why, "more payloads than the limit");
	ike_wbuf_free(&w.b);
}

static void no_payload_at_all(void **state)
{
	struct ike_msgw w;
	struct ike_msg m;
	const char *why;

	(void)state;
	ike_msgw_begin(&w, &header);
	ike_msgw_finish(&w, 0);
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), -IKE_E_PARSE);
	assert_string_equal(why, "no payload");
	ike_wbuf_free(&w.b);
}

/* Bodies at and beyond the bounds of their type. */
static void length_rules(void **state)
{
	static const struct { uint8_t type; size_t min, max; } rules[] = {
		{ ISAKMP_NPTYPE_NONCE, 8, 256 }, { ISAKMP_NPTYPE_HASH, 16, 64 }, { ISAKMP_NPTYPE_KE, 1, 1024 },
		{ ISAKMP_NPTYPE_SA, 8, 8192 }, { ISAKMP_NPTYPE_ID, 4, 2048 }, { ISAKMP_NPTYPE_N, 8, 8192 },
		{ ISAKMP_NPTYPE_D, 8, 8192 },
	};
	static const uint8_t zero[9000];
	struct ike_msgw w;
	struct ike_msg m;
	const char *why;
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const size_t len[4] = { rules[i].min - 1, rules[i].min, rules[i].max, rules[i].max + 1 };

		for (k = 0; k < 4; k++) {
			ike_msgw_begin(&w, &header);
			ike_msgw_payload(&w, rules[i].type, zero, len[k]);
			ike_msgw_finish(&w, 0);
			assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why) == 0, k == 1 || k == 2);
			ike_wbuf_free(&w.b);
		}
	}
	/* What has no name has no rule. */
	ike_msgw_begin(&w, &header);
	ike_msgw_payload(&w, 200, zero, 0);
	ike_msgw_finish(&w, 0);
	assert_int_equal(parse(w.b.data, w.b.len, false, &m, &why), 0);
	assert_false(ike_payload_known(200));
	ike_wbuf_free(&w.b);
}

static void one_body(struct ike_msgw *w, struct ike_payload *p)
{
	p->type = w->b.data[16];
	p->body = w->b.data + 32;
	p->len = w->b.len - 32;
}

static void notify_round_trip_and_lies(void **state)
{
	const struct ike_notify in = {
		.doi = 1, .proto = 3, .type = 14, .spi = (const uint8_t *)"\1\2\3\4", .spi_len = 4,
		.data = (const uint8_t *)"hello", .len = 5,
	};
	struct ike_payload p, cut;
	struct ike_notify out;
	struct ike_msgw w;

	(void)state;
	ike_msgw_begin(&w, &header);
	ike_notify_encode(&w, &in);
	one_body(&w, &p);
	assert_int_equal(ike_notify_decode(&p, &out), 0);
	assert_int_equal(out.type, 14);
	assert_int_equal(out.spi_len, 4);
	assert_memory_equal(out.spi, in.spi, 4);
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, "hello", 5);
	for (cut = p; cut.len-- > 0; )
		assert_int_equal(ike_notify_decode(&cut, &out) == 0, cut.len >= 12);
	w.b.data[32 + 5] = 255;		/* SPI size beyond the end */
	assert_int_equal(ike_notify_decode(&p, &out), -IKE_E_PARSE);
	ike_wbuf_free(&w.b);
}

static void delete_round_trip_and_lies(void **state)
{
	const struct ike_delete in = {
		.doi = 1, .proto = 3, .spi_len = 4, .count = 2, .spis = (const uint8_t *)"\1\2\3\4\5\6\7\10",
	};
	struct ike_delete out;
	struct ike_payload p, cut;
	struct ike_msgw w;

	(void)state;
	ike_msgw_begin(&w, &header);
	ike_delete_encode(&w, &in);
	one_body(&w, &p);
	assert_int_equal(ike_delete_decode(&p, &out), 0);
	assert_int_equal(out.count, 2);
	assert_memory_equal(out.spis, in.spis, 8);
	for (cut = p; cut.len-- > 0; )
		assert_int_equal(ike_delete_decode(&cut, &out), -IKE_E_PARSE);
	w.b.data[32 + 6] = 0xff;	/* 65 282 SPIs of 255 octets */
	w.b.data[32 + 5] = 0xff;
	assert_int_equal(ike_delete_decode(&p, &out), -IKE_E_PARSE);
	w.b.data[32 + 6] = 0;
	w.b.data[32 + 5] = 3;		/* two of three octets leave two over */
	assert_int_equal(ike_delete_decode(&p, &out), -IKE_E_PARSE);
	ike_wbuf_free(&w.b);
}

/* Any octets at all: a verdict, and nothing outside the message. */
static void random_octets(void **state)
{
	uint64_t seed = 0x1234567;
	uint8_t data[300];
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 200000; i++) {
		size_t len = 28 + (seed >> 33) % 200;
		struct ike_msg m;
		const char *why = NULL;
		int err;

		for (j = 0; j < len; j++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			data[j] = (uint8_t)(seed >> 56);
			if (seed >> 40 & 3)
				data[j] &= 0x0f;	/* small numbers lie better */
		}
		data[17] = 0x10;
		data[24] = data[25] = data[26] = 0;
		data[27] = (uint8_t)len;
		err = parse(data, len, i & 1, &m, &why);
		assert_true(err ? why != NULL : m.n > 0 && m.end <= len);
	}
}

static void writer_has_a_limit(void **state)
{
	static const uint8_t chunk[4096];
	struct ike_wbuf w;
	unsigned int i;

	(void)state;
	ike_wbuf_init(&w);
	for (i = 0; i < 15; i++)
		ike_put_bytes(&w, chunk, sizeof(chunk));
	assert_false(w.bad);
	ike_put_bytes(&w, chunk, sizeof(chunk));
	assert_true(w.bad);
	assert_int_equal(w.len, 15 * 4096);
	ike_wbuf_free(&w);

	ike_wbuf_init(&w);
	ike_put32(&w, 1);
	ike_patch32(&w, 1, 2);
	assert_true(w.bad);
	ike_wbuf_free(&w);
}

static void reader_sticks(void **state)
{
	struct ike_rbuf r, sub;

	(void)state;
	ike_rbuf_init(&r, "\1\2\3\4\5", 5);
	assert_int_equal(ike_get32(&r), 0x01020304);
	assert_int_equal(ike_get16(&r), 0);
	assert_true(r.bad);
	assert_int_equal(ike_get8(&r), 0);	/* the fifth octet is not given out any more */
	assert_int_equal(ike_rbuf_left(&r), 0);
	sub = ike_get_sub(&r, 0);
	assert_true(sub.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_then_read),
		cmocka_unit_test(padded_for_the_cipher),
		cmocka_unit_test(header_lies),
		cmocka_unit_test(payload_lengths_lie),
		cmocka_unit_test(too_many_payloads),
		cmocka_unit_test(no_payload_at_all),
		cmocka_unit_test(length_rules),
		cmocka_unit_test(notify_round_trip_and_lies),
		cmocka_unit_test(delete_round_trip_and_lies),
		cmocka_unit_test(random_octets),
		cmocka_unit_test(writer_has_a_limit),
		cmocka_unit_test(reader_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
