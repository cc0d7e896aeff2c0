// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities of phase 1 and networks of phase 2: text, wire, comparison; and the addresses
 * both are made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/addr.h"
#include "libike/ident.h"
#include "libike/net.h"

static void text_there_and_back(void **state)
{
	static const struct { const char *in, *out; uint8_t type, len; } tab[] = {
		{ "192.0.2.1", "ipv4:192.0.2.1", 1, 4 },
		{ "ipv4:0.0.0.0", "ipv4:0.0.0.0", 1, 4 },
		{ "2001:db8::1", "ipv6:2001:db8::1", 5, 16 },
		{ "ipv6:::", "ipv6:::", 5, 16 },
		{ "ipv6:1:2:3:4:5:6:7:8", "ipv6:1:2:3:4:5:6:7:8", 5, 16 },
		{ "ipv6:1:0:0:4:0:0:0:8", "ipv6:1:0:0:4::8", 5, 16 },
		{ "ipv6:::ffff:192.0.2.1", "ipv6:::ffff:c000:201", 5, 16 },
		{ "gw.example", "fqdn:gw.example", 2, 10 },
		{ "fqdn:a@b", "fqdn:a@b", 2, 3 },
		{ "admin@gw.example", "user-fqdn:admin@gw.example", 3, 16 },
		{ "key-id:branch-7", "key-id:branch-7", 11, 8 },
		{ "key-id:0x0001ff", "key-id:\\x00\\x01\\xFF", 11, 3 },
		{ "key-id:0x3078", "key-id:0x3078", 11, 2 },	/* the octets "0x" */
		{ "fqdn:a\\x20b\\x5Cc", "fqdn:a\\x20b\\x5Cc", 2, 5 },
		{ "dn:0x3000", "dn:0x3000", 9, 2 },
		{ "dn:CN=gw, O=Example", "dn:CN=gw, O=Example", 9, 33 },
		{ "dn:cn=gw,O=a\\, b+OU=\\x20x\\x20", "dn:CN=gw, OU=\\x20x\\x20+O=a\\x2C b", 9, 42 },
	};
	struct ike_id id, again;
	char text[IKE_ID_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		if (ike_id_parse(tab[i].in, &id))
			fail_msg("%s refused", tab[i].in);
		assert_int_equal(id.type, tab[i].type);
		assert_int_equal(id.len, tab[i].len);
		assert_string_equal(ike_id_format(&id, text, sizeof(text)), tab[i].out);
		assert_int_equal(ike_id_parse(text, &again), 0);
		assert_true(ike_id_equal(&id, &again));
	}
}

static void text_refused(void **state)
{
	static const char *const bad[] = {
		"", "fqdn:", "ipv4:", "ipv4:1.2.3", "ipv4:1.2.3.256", "ipv4:1.2.3.4.5", "ipv4:2001:db8::1", "ipv6:192.0.2.1",
		"ipv6:1:2:3:4:5:6:7", "ipv6:1:2:3:4:5:6:7:8:9", "ipv6:1::2::3", "ipv6:12345::", "ipv6:1:", "ipv6::1",
		"ipv6:1:2:3:4:5:6:7::8", "key-id:0x", "key-id:0x1", "key-id:0xzz", "fqdn:a\\b", "fqdn:a\\x2", "dn:text", "dn:", "dn:CN=", "dn:XX=y", "dn:CN=a,", "dn:CN=a\\",
		"ipv4:1.2.3.4 ", "ipv4:01234.2.3.4",
	};
	struct ike_id id;
	char text[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ike_id_parse(bad[i], &id) != -IKE_E_PARSE)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_int_equal(id.type, 0);
	}
	memset(text, 'a', sizeof(text));
	text[512] = '\0';
	assert_int_equal(ike_id_parse(text, &id), 0);
	text[512] = 'a';
	text[513] = '\0';
	assert_int_equal(ike_id_parse(text, &id), -IKE_E_PARSE);
}

/* Whatever a peer calls itself, the log gets printable ASCII that fits. */
static void peer_text_is_escaped(void **state)
{
	struct ike_id id = { .type = IKE_ID_FQDN, .len = 255 };
	char text[IKE_ID_TEXT + 1];
	unsigned int i;
	size_t size;

	(void)state;
	for (i = 0; i < 255; i++)
		id.data[i] = (uint8_t)i;
	for (size = 1; size <= IKE_ID_TEXT; size++) {
		memset(text, 0x7f, sizeof(text));
		ike_id_format(&id, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 0x7f);
		for (i = 0; text[i]; i++)
			assert_in_range(text[i], 0x21, 0x7e);
	}
	assert_non_null(strstr(text, "fqdn:\\x00\\x01"));
}

static void comparison(void **state)
{
	struct ike_id a, b;

	(void)state;
	ike_id_parse("fqdn:GW.Example", &a);
	ike_id_parse("fqdn:gw.example", &b);
	assert_true(ike_id_equal(&a, &b));
	ike_id_parse("key-id:GW.Example", &a);
	ike_id_parse("key-id:gw.example", &b);
	assert_false(ike_id_equal(&a, &b));
	ike_id_parse("fqdn:gw.example", &a);
	assert_false(ike_id_equal(&a, &b));		/* type counts */
	ike_id_parse("fqdn:gw.exampl", &b);
	assert_false(ike_id_equal(&a, &b));
}

static void wire_there_and_back(void **state)
{
	static const char *const ids[] = { "ipv4:192.0.2.1", "ipv6:2001:db8::1", "fqdn:gw.example", "user-fqdn:a@b", "key-id:0x00" };
	struct ike_id in, out;
	struct ike_wbuf w;
	const char *why;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		ike_id_parse(ids[i], &in);
		ike_wbuf_init(&w);
		ike_id_encode(&w, &in);
		assert_int_equal(w.len, 4 + in.len);
		assert_memory_equal(w.data + 1, "\0\0\0", 3);
		assert_int_equal(ike_id_decode(w.data, w.len, &out, &why), 0);
		assert_true(ike_id_equal(&in, &out));
		w.data[1] = 17;				/* UDP 500 is as good */
		w.data[2] = 1;
		w.data[3] = 0xf4;
		assert_int_equal(ike_id_decode(w.data, w.len, &out, &why), 0);
		for (len = 0; len < 5; len++)
			assert_int_equal(ike_id_decode(w.data, len, &out, &why) == 0,
					 len == 5 || (len > 4 && in.type != 1 && in.type != 5));
		ike_wbuf_free(&w);
	}
}

static void wire_refused(void **state)
{
	uint8_t body[520] = { 1, 0, 0, 0, 192, 0, 2, 1, 9 };
	struct ike_id id;
	const char *why = NULL;

	(void)state;
	assert_int_equal(ike_id_decode(body, 9, &id, &why), -IKE_E_PARSE);
	assert_string_equal(why, "address identity of the wrong length");
	body[0] = 12;
	assert_int_equal(ike_id_decode(body, 8, &id, &why), -IKE_E_PARSE);
	assert_string_equal(why, "unknown identity type");
	body[0] = 0;
	assert_int_equal(ike_id_decode(body, 8, &id, &why), -IKE_E_PARSE);
	body[0] = 2;
	assert_int_equal(ike_id_decode(body, 4 + 513, &id, &why), -IKE_E_PARSE);
	assert_int_equal(ike_id_decode(body, 4 + 512, &id, &why), 0);
	assert_int_equal(id.len, 512);
}

/* ---- networks ----------------------------------------------------------------------------------- */

static const struct ike_net any4 = { .family = 4 }, any6 = { .family = 6 };

static void every_way_to_say_any(void **state)
{
	static const struct { size_t len; uint8_t body[36]; } tab[] = {
		{ 8, { 1 } },						/* ID_IPV4_ADDR 0.0.0.0 */
		{ 12, { 4 } },						/* subnet 0.0.0.0/0.0.0.0 */
		{ 12, { 7, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255 } },	/* range of everything */
		{ 12, { 4, 0, 0, 0, 10, 1, 2, 3, 0, 0, 0, 0 } },	/* host bits behind a zero mask */
		{ 20, { 5 } },
		{ 36, { 6 } },
		{ 36, { 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
			255, 255, 255, 255, 255, 255, 255, 255 } },
	};
	struct ike_ts ts;
	struct ike_wbuf w;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		assert_int_equal(ike_ts_decode(tab[i].body, tab[i].len, &ts, &why), 0);
		assert_true(ike_ts_is(&ts, &any4));
		assert_true(ike_ts_is(&ts, &any6));
		ike_wbuf_init(&w);
		ike_ts_encode(&w, &ts);			/* returned exactly as it came */
		assert_int_equal(w.len, tab[i].len);
		assert_memory_equal(w.data, tab[i].body, w.len);
		ike_wbuf_free(&w);
	}
	ike_ts_from_net(&any4, &ts);
	ike_wbuf_init(&w);
	ike_ts_encode(&w, &ts);
	assert_int_equal(w.len, 12);
	assert_memory_equal(w.data, tab[1].body, 12);
	ike_wbuf_free(&w);
}

static void networks(void **state)
{
	static const struct { size_t len; uint8_t body[12]; const char *text; } tab[] = {
		{ 12, { 4, 0, 0, 0, 10, 1, 2, 0, 255, 255, 255, 0 }, "10.1.2.0/24" },
		{ 12, { 4, 0, 0, 0, 10, 1, 2, 9, 255, 255, 255, 0 }, "10.1.2.0/24" },
		{ 12, { 7, 0, 0, 0, 10, 1, 2, 0, 10, 1, 2, 255 }, "10.1.2.0/24" },
		{ 8, { 1, 0, 0, 0, 10, 1, 2, 3 }, "10.1.2.3/32" },
		{ 12, { 7, 0, 0, 0, 10, 1, 2, 3, 10, 1, 2, 3 }, "10.1.2.3/32" },
		{ 12, { 4, 47, 0, 0, 10, 1, 2, 3, 255, 255, 255, 255 }, "10.1.2.3/32 protocol 47 port 0" },
		{ 12, { 4, 17, 1, 0xf4, 0, 0, 0, 0, 0, 0, 0, 0 }, "0.0.0.0/0 protocol 17 port 500" },
		{ 12, { 4, 0, 0, 0, 10, 1, 2, 0, 255, 0, 255, 0 }, "ipv4-subnet (4), not a network" },
		{ 12, { 7, 0, 0, 0, 10, 1, 2, 1, 10, 1, 2, 255 }, "ipv4-range (7), not a network" },
		{ 12, { 7, 0, 0, 0, 10, 1, 3, 0, 10, 1, 2, 0 }, "ipv4-range (7), not a network" },
		{ 7, { 2, 0, 0, 0, 'a', '.', 'b' }, "fqdn (2), not a network" },
	};
	const struct ike_net net = { .family = 4, .prefix = 24, .ip = { 10, 1, 2 } };
	char text[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct ike_ts ts;
		const char *why;

		assert_int_equal(ike_ts_decode(tab[i].body, tab[i].len, &ts, &why), 0);
		assert_string_equal(ike_ts_format(&ts, text, sizeof(text)), tab[i].text);
		assert_int_equal(ike_ts_is(&ts, &net), i < 3);
		assert_false(ike_ts_is(&ts, &any4));
	}
}

static void networks_of_wrong_length(void **state)
{
	static const uint8_t types[] = { 1, 4, 5, 6, 7, 8 };
	static const size_t right[] = { 8, 12, 20, 36, 12, 36 };
	uint8_t body[40] = { 0 };
	struct ike_ts ts;
	const char *why;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(types); i++) {
		body[0] = types[i];
		for (len = 0; len <= sizeof(body); len++)
			assert_int_equal(ike_ts_decode(body, len, &ts, &why), len == right[i] ? 0 : -IKE_E_PARSE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_there_and_back),
		cmocka_unit_test(text_refused),
		cmocka_unit_test(peer_text_is_escaped),
		cmocka_unit_test(comparison),
		cmocka_unit_test(wire_there_and_back),
		cmocka_unit_test(wire_refused),
		cmocka_unit_test(every_way_to_say_any),
		cmocka_unit_test(networks),
		cmocka_unit_test(networks_of_wrong_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
