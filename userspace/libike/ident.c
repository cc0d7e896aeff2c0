// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities: text, wire, comparison. Decides nothing; who may be who is phase1.c's part.
 */
#include "ident.h"

#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "names.h"
#include "pki.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int hex_value(char c)
{
	c = lower(c);
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "ipv4:" and so on: the type, and *rest behind the colon; 0 when there is no known prefix. */
static uint8_t split_prefix(const char *text, const char **rest)
{
	const char *colon = strchr(text, ':');
	uint8_t type;

	for (type = IKE_ID_IPV4_ADDR; colon && type <= IKE_ID_KEY_ID; type++) {
		const char *name = ike_name_id_type(type);

		if (strlen(name) == (size_t)(colon - text) && !strncmp(name, text, strlen(name))) {
			*rest = colon + 1;
			return type;
		}
	}
	return 0;
}

static int parse_hex(const char *text, struct ike_id *id)
{
	size_t n = strlen(text), i;

	if (!n || n % 2 || n / 2 > IKE_ID_MAX)
		return -IKE_E_PARSE;
	for (i = 0; i < n; i += 2) {
		int hi = hex_value(text[i]), lo = hex_value(text[i + 1]);

		if (hi < 0 || lo < 0)
			return -IKE_E_PARSE;
		id->data[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	id->len = (uint16_t)(n / 2);
	return 0;
}

/* Text with \xHH for octets that are not printable. */
static int parse_text(const char *text, struct ike_id *id)
{
	size_t n = 0;

	for (; *text; text++) {
		if (n == IKE_ID_MAX)
			return -IKE_E_PARSE;
		if (text[0] == '\\') {
			if (text[1] != 'x' || hex_value(text[2]) < 0 || hex_value(text[3]) < 0)
				return -IKE_E_PARSE;
			id->data[n++] = (uint8_t)(hex_value(text[2]) << 4 | hex_value(text[3]));
			text += 3;
		} else {
			id->data[n++] = (uint8_t)*text;
		}
	}
	id->len = (uint16_t)n;
	return n ? 0 : -IKE_E_PARSE;
}

static int parse_ip(const char *text, uint8_t family, struct ike_id *id)
{
	if (ike_ip_parse(text, id->data) != family)
		return -IKE_E_PARSE;
	id->len = (uint8_t)ike_addr_len(family);
	return 0;
}

static int parse_dn(const char *text, struct ike_id *id)
{
	size_t len = IKE_ID_MAX;

	if (ike_dn_parse(text, id->data, &len))
		return -IKE_E_PARSE;
	id->len = (uint16_t)len;
	return 0;
}

static uint8_t guess(const char *text)
{
	uint8_t ip[16];

	switch (ike_ip_parse(text, ip)) {
	case 4:
		return IKE_ID_IPV4_ADDR;
	case 6:
		return IKE_ID_IPV6_ADDR;
	}
	return strchr(text, '@') ? IKE_ID_USER_FQDN : IKE_ID_FQDN;
}

int ike_id_parse(const char *text, struct ike_id *id)
{
	const char *rest = text;
	uint8_t type = split_prefix(text, &rest);
	int err;

	memset(id, 0, sizeof(*id));
	if (!type)
		type = guess(text);
	if (type == IKE_ID_IPV4_ADDR)
		err = parse_ip(rest, 4, id);
	else if (type == IKE_ID_IPV6_ADDR)
		err = parse_ip(rest, 6, id);
	else if (type == IKE_ID_FQDN || type == IKE_ID_USER_FQDN)
		err = parse_text(rest, id);
	else if (rest[0] == '0' && rest[1] == 'x')
		err = parse_hex(rest + 2, id);
	else if (type == IKE_ID_DER_ASN1_DN)
		err = parse_dn(rest, id);
	else
		err = type == IKE_ID_KEY_ID ? parse_text(rest, id) : -IKE_E_PARSE;
	if (!err)
		id->type = type;
	else
		memset(id, 0, sizeof(*id));
	return err;
}

const char *ike_escape(const uint8_t *data, size_t len, char *buf, size_t size)
{
	size_t i, n = 0;

	for (i = 0; i < len && n + 5 <= size; i++) {
		if (data[i] > 0x20 && data[i] < 0x7f && data[i] != '\\')
			buf[n++] = (char)data[i];
		else
			n += (size_t)snprintf(buf + n, size - n, "\\x%02X", data[i]);
	}
	buf[n] = '\0';
	return buf;
}

static const char *format_hex(const uint8_t *data, size_t len, char *buf, size_t size)
{
	size_t i, n = (size_t)snprintf(buf, size, "0x");

	for (i = 0; i < len && n + 3 <= size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%02x", data[i]);
	return buf;
}

const char *ike_id_format(const struct ike_id *id, char *buf, size_t size)
{
	size_t n;

	if (!id->type) {
		snprintf(buf, size, "unset");
		return buf;
	}
	n = (size_t)snprintf(buf, size, "%s:", ike_name_id_type(id->type));
	if (n >= size)
		return buf;
	if (id->type == IKE_ID_IPV4_ADDR && id->len == 4)
		ike_ip_format(4, id->data, buf + n, size - n);
	else if (id->type == IKE_ID_IPV6_ADDR && id->len == 16)
		ike_ip_format(6, id->data, buf + n, size - n);
	else if (id->type == IKE_ID_FQDN || id->type == IKE_ID_USER_FQDN ||
		 (id->type == IKE_ID_KEY_ID && !(id->data[0] == '0' && id->data[1] == 'x')))
		ike_escape(id->data, id->len, buf + n, size - n);
	else if (id->type == IKE_ID_DER_ASN1_DN)
		ike_dn_format(id->data, id->len, buf + n, size - n);
	else
		format_hex(id->data, id->len, buf + n, size - n);
	return buf;
}

/* Host names compare without regard to case, as DNS does, distinguished names by meaning; the rest octet by octet. */
bool ike_id_equal(const struct ike_id *a, const struct ike_id *b)
{
	bool names = a->type == IKE_ID_FQDN || a->type == IKE_ID_USER_FQDN;
	unsigned int i;

	if (a->type == IKE_ID_DER_ASN1_DN && b->type == a->type && ike_dn_equal(a->data, a->len, b->data, b->len))
		return true;
	if (a->type != b->type || a->len != b->len)
		return false;
	for (i = 0; i < a->len; i++)
		if (a->data[i] != b->data[i] &&
		    (!names || lower((char)a->data[i]) != lower((char)b->data[i])))
			return false;
	return true;
}

void ike_id_from_addr(const struct ike_addr *a, struct ike_id *id)
{
	memset(id, 0, sizeof(*id));
	id->type = a->family == 6 ? IKE_ID_IPV6_ADDR : IKE_ID_IPV4_ADDR;
	id->len = (uint8_t)ike_addr_len(a->family);
	memcpy(id->data, a->ip, id->len);
}

int ike_id_decode(const uint8_t *body, size_t len, struct ike_id *id, const char **why)
{
	struct ike_rbuf r;
	const uint8_t *data;
	size_t n;

	memset(id, 0, sizeof(*id));
	ike_rbuf_init(&r, body, len);
	id->type = ike_get8(&r);
	ike_get8(&r);		/* protocol and port: 0/0, or 17/500 and what VPN 3000 sends */
	ike_get16(&r);
	n = ike_rbuf_left(&r);
	data = ike_get_bytes(&r, n);
	if (r.bad || !n || n > IKE_ID_MAX) {
		*why = "identity empty or longer than 512 octets";
		return -IKE_E_PARSE;
	}
	if (id->type < IKE_ID_IPV4_ADDR || id->type > IKE_ID_KEY_ID) {
		*why = "unknown identity type";
		return -IKE_E_PARSE;
	}
	if ((id->type == IKE_ID_IPV4_ADDR && n != 4) || (id->type == IKE_ID_IPV6_ADDR && n != 16)) {
		*why = "address identity of the wrong length";
		return -IKE_E_PARSE;
	}
	memcpy(id->data, data, n);
	id->len = (uint16_t)n;
	return 0;
}

void ike_id_encode(struct ike_wbuf *w, const struct ike_id *id)
{
	ike_put8(w, id->type);
	ike_put8(w, 0);
	ike_put16(w, 0);
	ike_put_bytes(w, id->data, id->len);
}
