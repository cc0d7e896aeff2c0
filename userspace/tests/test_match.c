// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distinguished names and identity patterns: text, equality whatever the encoding, how much a
 * pattern says, ties.
 */
#include "pki.h"

#include "libike/ident.h"

static size_t der_of(X509_NAME *name, uint8_t *out)
{
	uint8_t *p = out;
	int n = i2d_X509_NAME(name, &p);

	assert_true(n > 0);
	X509_NAME_free(name);
	return (size_t)n;
}

/* One attribute with a string type of its own. */
static size_t typed(const char *what, int type, const void *value, int len, uint8_t *out)
{
	X509_NAME *name = pki_name("C=CH");

	assert_int_equal(X509_NAME_add_entry_by_txt(name, what, type, value, len, -1, 0), 1);
	return der_of(name, out);
}

static void string_types_do_not_matter(void **state)
{
	uint8_t utf8[200], other[200];
	size_t n = typed("O", V_ASN1_UTF8STRING, "Example  Ltd", -1, utf8), m;

	(void)state;
	m = typed("O", V_ASN1_PRINTABLESTRING, "Example  Ltd", -1, other);
	assert_true(n != m || memcmp(utf8, other, n));
	assert_true(ike_dn_equal(utf8, n, other, m));
	m = typed("O", V_ASN1_T61STRING, "example LTD ", -1, other);
	assert_true(ike_dn_equal(utf8, n, other, m));
	m = typed("O", V_ASN1_BMPSTRING, "\0E\0x\0a\0m\0p\0l\0e\0 \0L\0t\0d", 22, other);
	assert_true(ike_dn_equal(utf8, n, other, m));
	m = typed("O", V_ASN1_UTF8STRING, "Examples Ltd", -1, other);
	assert_false(ike_dn_equal(utf8, n, other, m));
	m = typed("OU", V_ASN1_UTF8STRING, "Example  Ltd", -1, other);
	assert_false(ike_dn_equal(utf8, n, other, m));
	/* Latin 1 in a T61String, UTF-8 in the other. */
	n = typed("O", V_ASN1_T61STRING, "Caf\xe9", -1, utf8);
	m = typed("O", V_ASN1_UTF8STRING, "Caf\xc3\xa9", -1, other);
	assert_true(ike_dn_equal(utf8, n, other, m));
}

static size_t parsed(const char *text, uint8_t *der)
{
	size_t len = 600;

	if (ike_dn_parse(text, der, &len))
		fail_msg("%s", text);
	return len;
}

static bool equal(const char *a, const char *b)
{
	uint8_t x[600], y[600];
	size_t n = parsed(a, x), m = parsed(b, y);

	assert_int_equal(ike_dn_equal(x, n, y, m), ike_dn_equal(y, m, x, n));
	return ike_dn_equal(x, n, y, m);
}

static void names_are_sequences_of_sets(void **state)
{
	(void)state;
	assert_true(equal("O=a, CN=b", "o=A,cn=B"));
	assert_false(equal("O=a, CN=b", "CN=b, O=a"));
	assert_false(equal("O=a, CN=b", "O=a"));
	assert_true(equal("serialNumber=100+CN=R1+OU=IT, O=cisco", "OU=it+serialNumber=100+CN=r1, O=cisco"));
	assert_false(equal("serialNumber=100+CN=R1, O=cisco", "serialNumber=100, CN=R1, O=cisco"));
	assert_true(equal("unstructuredName=R1.cisco.com", "hostname=R1.cisco.com"));
	assert_false(equal("CN=ab", "CN=a b"));
	assert_true(equal("CN=a  b", "CN= a b "));
}

static void text_reads_back(void **state)
{
	static const struct { const char *in, *out; } tab[] = {
		{ "CN=gw.example,O=Example", "CN=gw.example, O=Example" },
		{ "CN=a\\,b\\+c\\\\d", "CN=a\\x2Cb\\x2Bc\\x5Cd" },
		{ "CN=Caf\\xC3\\xA9", "CN=Caf\\xC3\\xA9" },
		{ "serialNumber=100+hostname=R1,CN=R1", "serialNumber=100+unstructuredName=R1, CN=R1" },
		{ "1.2.3.4=x", "1.2.3.4=x" },
		{ "CN=a=b", "CN=a=b" },
	};
	static const char *const bad[] = { "", "CN", "=x", "CN=", "CN=a,,O=b", "CN=a+", "Nonsense=a", "CN=a\\", "C=CHE", "CN=\\xFF" };
	uint8_t der[600], again[600];
	char text[600];
	size_t i, n, m, len;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		n = parsed(tab[i].in, der);
		assert_string_equal(ike_dn_format(der, n, text, sizeof(text)), tab[i].out);
		m = parsed(text, again);
		assert_true(ike_dn_equal(der, n, again, m));
		for (len = 1; len < 12; len++)
			assert_true(strlen(ike_dn_format(der, n, text, len)) < len);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		len = sizeof(der);
		if (!ike_dn_parse(bad[i], der, &len))
			fail_msg("\"%s\" was taken", bad[i]);
	}
	len = 10;
	assert_int_not_equal(ike_dn_parse("CN=gw.example", der, &len), 0);
}

static void octets_that_are_no_name(void **state)
{
	uint8_t der[600], junk[64];
	size_t n = parsed("C=CH, O=Example, CN=gw", der), i;
	char text[300];

	(void)state;
	for (i = 0; i < n; i++)
		assert_false(ike_dn_equal(der, i, der, n));
	der[n] = 0;
	assert_false(ike_dn_equal(der, n + 1, der, n));
	memset(junk, 0x30, sizeof(junk));
	assert_false(ike_dn_equal(junk, sizeof(junk), junk, sizeof(junk)));
	assert_int_equal(ike_dn_weight(junk, sizeof(junk)), 0);
	assert_memory_equal(ike_dn_format(junk, sizeof(junk), text, sizeof(text)), "0x3030", 6);
}

/* ---- patterns ----------------------------------------------------------------------------------- */

static struct ike_match match(const char *text)
{
	struct ike_match m;

	if (ike_match_parse(text, &m))
		fail_msg("%s", text);
	return m;
}

static unsigned int weight(const char *pattern, const char *id)
{
	struct ike_match m = match(pattern);
	struct ike_id i;

	assert_int_equal(ike_id_parse(id, &i), 0);
	return ike_match_weight(&m, &i);
}

/* Each row: patterns of the same identity from the least to the most specific, then ones that do not match. */
static void the_more_specific_weighs_more(void **state)
{
	static const struct { const char *id, *rising[5], *no[5]; } tab[] = {
		{ "fqdn:r2.lab.example", { "any", "fqdn:*.example", "fqdn:*.LAB.example", "fqdn:R2.lab.example" },
		  { "fqdn:*.lab", "fqdn:r2.lab.exampl", "user-fqdn:*@lab.example", "fqdn:*.r2.lab.example" } },
		{ "user-fqdn:a@b.example", { "any", "user-fqdn:*@b.example", "user-fqdn:a@b.example" },
		  { "user-fqdn:*@example", "fqdn:a@b.example" } },
		{ "ipv4:192.0.2.77", { "any", "ipv4:0.0.0.0/0", "ipv4:192.0.0.0/9", "ipv4:192.0.2.64/26", "ipv4:192.0.2.77" },
		  { "ipv4:192.0.2.64/29", "ipv4:192.0.2.76", "ipv6:::/0" } },
		{ "ipv6:2001:db8::1", { "any", "ipv6:2001:db8::/32", "ipv6:2001:db8::/127", "ipv6:2001:db8::1" },
		  { "ipv6:2001:db9::/32", "ipv4:0.0.0.0/0" } },
		{ "dn:C=CH, O=Example, CN=gw", { "any", "dn:C=*, O=*, CN=*", "dn:C=CH, O=*, CN=*", "dn:C=CH, O=example, CN=*",
						 "dn:C=CH, O=Example, CN=gw" },
		  { "dn:O=Example, CN=*", "dn:C=CH, CN=*, O=Example", "dn:C=DE, O=*, CN=*", "dn:C=CH, O=Example, CN=*, L=*" } },
		{ "key-id:abc", { "any", "key-id:abc" }, { "key-id:ABC", "key-id:ab" } },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		unsigned int last = 0, w;

		for (j = 0; j < 5 && tab[i].rising[j]; j++, last = w) {
			w = weight(tab[i].rising[j], tab[i].id);
			if (w <= last)
				fail_msg("%s: %s weighs %u after %u", tab[i].id, tab[i].rising[j], w, last);
		}
		for (j = 0; j < 5 && tab[i].no[j]; j++)
			if (weight(tab[i].no[j], tab[i].id))
				fail_msg("%s matches %s", tab[i].no[j], tab[i].id);
	}
}

static void patterns_read_back(void **state)
{
	static const char *const good[] = {
		"any", "fqdn:*.example", "user-fqdn:*@example", "ipv4:192.0.2.0/24", "ipv6:2001:db8::/32", "ipv4:192.0.2.1",
		"dn:CN=*, O=Example", "key-id:x", "fqdn:gw.example",
	};
	static const char *const bad[] = {
		"fqdn:*", "fqdn:a*.example", "fqdn:*.*.example", "fqdn:*example", "user-fqdn:*.example", "ipv4:192.0.2.0/33",
		"ipv4:192.0.2.0/", "ipv4:192.0.2.0/-1", "ipv6:::/129", "ipv4:x/8", "dn:*", "", "ipv4:192.0.2.0/8x",
	};
	char text[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct ike_match m = match(good[i]);

		assert_string_equal(ike_match_format(&m, text, sizeof(text)), good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ike_match m;

		if (!ike_match_parse(bad[i], &m))
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void ties(void **state)
{
	static const struct { const char *a, *b; bool tie; } tab[] = {
		{ "any", "any", true }, { "any", "fqdn:*.example", false }, { "fqdn:*.example", "fqdn:*.EXAMPLE", true },
		{ "fqdn:*.a.example", "fqdn:*.example", false }, { "fqdn:a.example", "fqdn:A.example", true },
		{ "ipv4:192.0.2.0/24", "ipv4:192.0.2.7/24", true }, { "ipv4:192.0.2.0/24", "ipv4:192.0.2.0/25", false },
		{ "ipv4:192.0.2.0/24", "ipv4:192.0.3.0/24", false }, { "ipv4:192.0.2.1/32", "ipv4:192.0.2.1", true },
		{ "dn:CN=*, O=a", "dn:CN=b, O=*", true }, { "dn:CN=*, O=a", "dn:CN=*, O=b", false },
		{ "dn:CN=*, O=a", "dn:CN=b, O=a", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct ike_match a = match(tab[i].a), b = match(tab[i].b);

		if (ike_match_tie(&a, &b) != tab[i].tie || ike_match_tie(&b, &a) != tab[i].tie)
			fail_msg("%s, %s", tab[i].a, tab[i].b);
	}
}

/* A star in what the peer says is a star, not a pattern. */
static void a_peer_cannot_send_a_pattern(void **state)
{
	(void)state;
	assert_int_equal(weight("dn:CN=gw, O=Example", "dn:CN=*, O=Example"), 0);
	assert_int_equal(weight("fqdn:gw.example", "fqdn:*.example"), 0);
	assert_int_equal(weight("dn:CN=gw, O=*", "dn:CN=*, O=*"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(string_types_do_not_matter),
		cmocka_unit_test(names_are_sequences_of_sets),
		cmocka_unit_test(text_reads_back),
		cmocka_unit_test(octets_that_are_no_name),
		cmocka_unit_test(the_more_specific_weighs_more),
		cmocka_unit_test(patterns_read_back),
		cmocka_unit_test(ties),
		cmocka_unit_test(a_peer_cannot_send_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
