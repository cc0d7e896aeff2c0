// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Identities to compare a peer's with: text, how specifically one means an identity, whether
 * two mean the same ones. Decides nothing; profile.c does.
 */
#include "match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "ident.h"
#include "pki.h"

#define WEIGHT_ANY 1			/* patterns weigh one more at least */
#define WEIGHT_EXACT 65536

static bool is_text(uint8_t type)
{
	return type == IKE_ID_FQDN || type == IKE_ID_USER_FQDN;
}

static bool is_address(uint8_t type)
{
	return type == IKE_ID_IPV4_ADDR || type == IKE_ID_IPV6_ADDR;
}

/* "ipv4:192.0.2.0/24": the address before the slash, the bits behind it. */
static int parse_prefix(const char *text, const char *slash, struct ike_match *m)
{
	char address[80], *end;
	unsigned long bits;

	if ((size_t)(slash - text) >= sizeof(address) || slash[1] < '0' || slash[1] > '9')
		return -IKE_E_PARSE;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	bits = strtoul(slash + 1, &end, 10);
	if (*end || ike_id_parse(address, &m->id) || !is_address(m->id.type) || bits > 8u * m->id.len)
		return -IKE_E_PARSE;
	m->prefix = (uint8_t)bits;
	m->pattern = bits < 8u * m->id.len;
	return 0;
}

/* The star stands for everything up to the first dot of a host name, or to the @ of a mail name. */
static int check_text(struct ike_match *m)
{
	const uint8_t *star = memchr(m->id.data, '*', m->id.len);

	if (!star)
		return 0;
	m->pattern = true;
	if (star != m->id.data || m->id.len < 3 || memchr(star + 1, '*', m->id.len - 1u) ||
	    star[1] != (m->id.type == IKE_ID_FQDN ? '.' : '@'))
		return -IKE_E_PARSE;
	return 0;
}

int ike_match_parse(const char *text, struct ike_match *m)
{
	const char *slash = strchr(text, '/');
	bool address = !strncmp(text, "ipv4:", 5) || !strncmp(text, "ipv6:", 5);
	struct ike_id blank = { 0 };

	memset(m, 0, sizeof(*m));
	if (!strcmp(text, "any"))
		return 0;
	if (slash && address)
		return parse_prefix(text, slash, m);
	if (ike_id_parse(text, &m->id))
		return -IKE_E_PARSE;
	if (is_text(m->id.type) && check_text(m)) {
		m->id = blank;
		return -IKE_E_PARSE;
	}
	if (m->id.type == IKE_ID_DER_ASN1_DN)
		m->pattern = ike_dn_has_wildcard(m->id.data, m->id.len);
	return 0;
}

const char *ike_match_format(const struct ike_match *m, char *buf, size_t size)
{
	size_t n;

	if (!m->id.type) {
		snprintf(buf, size, "any");
		return buf;
	}
	ike_id_format(&m->id, buf, size);
	n = strlen(buf);
	if (m->pattern && is_address(m->id.type))
		snprintf(buf + n, size - n, "/%u", m->prefix);
	return buf;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return !memcmp(a, b, bits / 8) && (!mask || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

/* "*.example" means "gw.example", whatever the case, and not ".example". */
static bool ends_like(const struct ike_id *pattern, const struct ike_id *id)
{
	struct ike_id tail = { .type = id->type, .len = (uint16_t)(pattern->len - 1) };
	struct ike_id want = tail;

	if (id->len < pattern->len)
		return false;
	memcpy(tail.data, id->data + id->len - tail.len, tail.len);
	memcpy(want.data, pattern->data + 1, want.len);
	return ike_id_equal(&tail, &want);
}

unsigned int ike_match_weight(const struct ike_match *m, const struct ike_id *id)
{
	if (!m->id.type)
		return WEIGHT_ANY;
	if (m->id.type != id->type)
		return 0;
	if (!m->pattern)
		return ike_id_equal(&m->id, id) ? WEIGHT_EXACT : 0;
	if (is_address(id->type))
		return id->len == m->id.len && bits_equal(m->id.data, id->data, m->prefix) ? 2u + m->prefix : 0;
	if (is_text(id->type))
		return ends_like(&m->id, id) ? 1u + m->id.len : 0;
	return ike_dn_matches(m->id.data, m->id.len, id->data, id->len) ? 2 + ike_dn_weight(m->id.data, m->id.len) : 0;
}

bool ike_match_same(const struct ike_match *a, const struct ike_match *b)
{
	return a->pattern == b->pattern && a->prefix == b->prefix && ike_id_equal(&a->id, &b->id);
}

/* Patterns of equal weight that overlap are the same one, but for those of distinguished names. */
bool ike_match_tie(const struct ike_match *a, const struct ike_match *b)
{
	if (a->id.type != b->id.type || a->pattern != b->pattern)
		return false;
	if (!a->id.type)
		return true;
	if (a->pattern && is_address(a->id.type))
		return a->prefix == b->prefix && bits_equal(a->id.data, b->id.data, a->prefix);
	if (a->pattern && a->id.type == IKE_ID_DER_ASN1_DN)
		return ike_dn_weight(a->id.data, a->id.len) == ike_dn_weight(b->id.data, b->id.len) &&
		       ike_dn_overlap(a->id.data, a->id.len, b->id.data, b->id.len);
	return ike_id_equal(&a->id, &b->id);
}
