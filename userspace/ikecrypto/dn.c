// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Distinguished names: text, DER, comparison. libcrypto parses and writes the DER and knows
 * the string types; the order of things and the text are ours. See libike/pki.h.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "libike/ident.h"
#include "libike/pki.h"

#define VALUE_MAX 256			/* octets of one attribute's value as UTF-8 */

static X509_NAME *decode(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	X509_NAME *name;

	if (!len || len > IKE_ID_MAX * 8)
		return NULL;
	name = d2i_X509_NAME(NULL, &p, (long)len);
	if (name && p != der + len) {
		X509_NAME_free(name);
		name = NULL;
	}
	ERR_clear_error();
	return name;
}

/* ---- text to DER -------------------------------------------------------------------------------- */

/* Names that administrators of other vendors' gateways know, beside libcrypto's own. */
static const struct {
	const char *word, *known;
} aliases[] = {
	{ "cn", "CN" }, { "o", "O" }, { "ou", "OU" }, { "c", "C" }, { "st", "ST" }, { "l", "L" }, { "dc", "DC" },
	{ "s", "ST" }, { "e", "emailAddress" }, { "E", "emailAddress" }, { "serialnumber", "serialNumber" },
	{ "hostname", "unstructuredName" }, { "ipaddress", "unstructuredAddress" },
};

static ASN1_OBJECT *type_of(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].word, word))
			return OBJ_txt2obj(aliases[i].known, 0);
	return OBJ_txt2obj(word, 0);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *p = c ? strchr(digits, c | 0x20) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* A value up to an unescaped comma or plus, blanks around it left out. Its length, or -1. */
static int take_value(const char **text, char *out)
{
	const char *p = *text;
	int n = 0, keep = 0;

	while (*p == ' ')
		p++;
	for (; *p && *p != ',' && *p != '+'; p++) {
		if (n == VALUE_MAX)
			return -1;
		if (*p != '\\') {
			out[n++] = *p;
			keep = *p == ' ' ? keep : n;
			continue;
		}
		if (p[1] == 'x' && hex(p[2]) >= 0 && hex(p[3]) >= 0) {
			out[n++] = (char)(hex(p[2]) << 4 | hex(p[3]));
			p += 3;
		} else if (p[1]) {
			out[n++] = *++p;
		} else {
			return -1;
		}
		keep = n;
	}
	*text = p;
	return keep;
}

/* "CN=value"; same_rdn: it belongs to the RDN before it. */
static bool take_attribute(const char **text, X509_NAME *name, bool same_rdn)
{
	char word[64], value[VALUE_MAX];
	int string = MBSTRING_UTF8;	/* the type that fits: some attributes want PrintableString */
	ASN1_OBJECT *type;
	size_t n;
	bool ok;
	int len;

	while (**text == ' ')
		(*text)++;
	n = strcspn(*text, "=,+ ");
	if (!n || n >= sizeof(word) || (*text)[n] != '=')
		return false;
	memcpy(word, *text, n);
	word[n] = '\0';
	*text += n + 1;
	len = take_value(text, value);
	type = len > 0 ? type_of(word) : NULL;
	if (len == 1 && *value == '*')
		string = V_ASN1_UTF8STRING;	/* a wildcard is too short to be a country */
	ok = type && X509_NAME_add_entry_by_OBJ(name, type, string, (unsigned char *)value, len, -1,
						same_rdn ? -1 : 0);
	ASN1_OBJECT_free(type);
	return ok;
}

static bool take_name(const char *text, X509_NAME *name)
{
	bool same_rdn = false;

	for (;;) {
		if (!take_attribute(&text, name, same_rdn))
			return false;
		if (!*text)
			return true;
		same_rdn = *text++ == '+';
	}
}

int ike_dn_parse(const char *text, uint8_t *der, size_t *len)
{
	X509_NAME *name = X509_NAME_new();
	int n = 0;

	if (name && take_name(text, name))
		n = i2d_X509_NAME(name, NULL);
	if (n > 0 && (size_t)n <= *len)
		*len = (size_t)i2d_X509_NAME(name, &der);
	else
		n = 0;
	X509_NAME_free(name);
	ERR_clear_error();
	return n ? 0 : -IKE_E_PARSE;
}

/* ---- DER to text -------------------------------------------------------------------------------- */

struct text {
	char *buf;
	size_t size, n;
};

static void put(struct text *t, const char *s, size_t len)
{
	if (t->n + len + 1 > t->size)
		len = t->size - t->n - 1;
	memcpy(t->buf + t->n, s, len);
	t->n += len;
	t->buf[t->n] = '\0';
}

/* What would not read back as itself is written \xHH. */
static void put_value(struct text *t, const uint8_t *v, size_t len)
{
	char one[8];
	size_t i;

	for (i = 0; i < len; i++) {
		bool edge = (!i || i == len - 1) && v[i] == ' ';

		if (v[i] >= ' ' && v[i] < 0x7f && !strchr("\\,+", v[i]) && !edge) {
			put(t, (const char *)&v[i], 1);
			continue;
		}
		snprintf(one, sizeof(one), "\\x%02X", v[i]);
		if (t->n + 5 > t->size)
			return;
		put(t, one, 4);
	}
}

static bool put_entry(struct text *t, const X509_NAME_ENTRY *e)
{
	const ASN1_OBJECT *type = X509_NAME_ENTRY_get_object(e);
	int nid = OBJ_obj2nid(type), len;
	unsigned char *utf8 = NULL;
	char dotted[80];

	len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
	if (len < 0)
		return false;
	if (nid == NID_undef)
		OBJ_obj2txt(dotted, sizeof(dotted), type, 1);
	else
		snprintf(dotted, sizeof(dotted), "%s", OBJ_nid2sn(nid));
	put(t, dotted, strlen(dotted));
	put(t, "=", 1);
	put_value(t, utf8, (size_t)len);
	OPENSSL_free(utf8);
	return true;
}

static bool put_name(struct text *t, const X509_NAME *name)
{
	int i, n = X509_NAME_entry_count(name), last = -1;

	for (i = 0; i < n; i++) {
		const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
		int rdn = X509_NAME_ENTRY_set(e);

		if (i)
			put(t, rdn == last ? "+" : ", ", rdn == last ? 1 : 2);
		if (!put_entry(t, e))
			return false;
		last = rdn;
	}
	return n > 0;
}

static void put_hex(struct text *t, const uint8_t *der, size_t len)
{
	char two[4];
	size_t i;

	t->n = 0;
	put(t, "0x", 2);
	for (i = 0; i < len && t->n + 3 <= t->size; i++) {
		snprintf(two, sizeof(two), "%02x", der[i]);
		put(t, two, 2);
	}
}

const char *ike_dn_format(const uint8_t *der, size_t len, char *buf, size_t size)
{
	struct text t = { buf, size, 0 };
	X509_NAME *name = decode(der, len);

	buf[0] = '\0';
	if (!name || !put_name(&t, name))
		put_hex(&t, der, len);
	X509_NAME_free(name);
	ERR_clear_error();
	return buf;
}

/* ---- comparison ----------------------------------------------------------------------------------- */

bool ike_dn_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	X509_NAME *na = decode(a, a_len), *nb = decode(b, b_len);
	/* Compares the canonical form: UTF-8, lower case, blanks folded, sets sorted. -2 is an error. */
	bool equal = na && nb && !X509_NAME_cmp(na, nb);

	X509_NAME_free(na);
	X509_NAME_free(nb);
	ERR_clear_error();
	return equal;
}

static bool is_wildcard(const X509_NAME_ENTRY *e)
{
	const ASN1_STRING *s = X509_NAME_ENTRY_get_data(e);

	return ASN1_STRING_length(s) == 1 && ASN1_STRING_get0_data(s)[0] == '*';
}

unsigned int ike_dn_weight(const uint8_t *der, size_t len)
{
	X509_NAME *name = decode(der, len);
	unsigned int weight = 0;
	int i;

	for (i = 0; name && i < X509_NAME_entry_count(name); i++)
		weight += !is_wildcard(X509_NAME_get_entry(name, i));
	X509_NAME_free(name);
	return weight;
}

/* The pattern with the name's own value wherever it has "*"; NULL when the types differ. */
static X509_NAME *fill_in(const X509_NAME *pattern, const X509_NAME *name)
{
	int i, j, n = X509_NAME_entry_count(pattern);
	X509_NAME *full = X509_NAME_new();

	if (!full || n != X509_NAME_entry_count(name))
		goto no;
	for (i = 0; i < n; i++) {
		const X509_NAME_ENTRY *p = X509_NAME_get_entry(pattern, i), *found = p;

		for (j = 0; is_wildcard(p) && j < n; j++) {
			const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, j);

			if (X509_NAME_ENTRY_set(e) == X509_NAME_ENTRY_set(p) &&
			    !OBJ_cmp(X509_NAME_ENTRY_get_object(e), X509_NAME_ENTRY_get_object(p)))
				found = e;
		}
		if (!X509_NAME_add_entry(full, found, -1, i && X509_NAME_ENTRY_set(p) ==
					 X509_NAME_ENTRY_set(X509_NAME_get_entry(pattern, i - 1)) ? -1 : 0))
			goto no;
	}
	return full;
no:
	X509_NAME_free(full);
	return NULL;
}

bool ike_dn_has_wildcard(const uint8_t *der, size_t len)
{
	X509_NAME *name = decode(der, len);
	bool found = false;
	int i;

	for (i = 0; name && i < X509_NAME_entry_count(name); i++)
		found |= is_wildcard(X509_NAME_get_entry(name, i));
	X509_NAME_free(name);
	return found;
}

/* One pattern, or both, with what they leave open taken from the other: the same name then? */
static bool fits(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len, bool both)
{
	X509_NAME *na = decode(a, a_len), *nb = decode(b, b_len), *fa = NULL, *fb = NULL;
	bool same;

	if (na && nb)
		fa = fill_in(na, nb);
	if (fa && both)
		fb = fill_in(nb, na);
	same = fa && (!both || fb) && !X509_NAME_cmp(fa, both ? fb : nb);
	X509_NAME_free(fa);
	X509_NAME_free(fb);
	X509_NAME_free(na);
	X509_NAME_free(nb);
	ERR_clear_error();
	return same;
}

bool ike_dn_matches(const uint8_t *pattern, size_t p_len, const uint8_t *name, size_t n_len)
{
	return fits(pattern, p_len, name, n_len, false);
}

bool ike_dn_overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	return fits(a, a_len, b, b_len, true);
}
