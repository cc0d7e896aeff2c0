// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words to octets. See wire_text.h.
 */
#include "wire_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libike/names.h"
#include "libike/sapay.h"

int wire_text_type(const char *text, size_t len)
{
	char word[16], *end;
	unsigned long n;

	if (!len || len >= sizeof(word))
		return -1;
	memcpy(word, text, len);
	word[len] = 0;
	for (unsigned int i = 1; i < 256; i++)
		if (!strcmp(word, ike_name_payload(i)))
			return (int)i;
	n = strtoul(word, &end, 10);
	return *end || n > 255 ? -1 : (int)n;
}

/* ---- octets ------------------------------------------------------------------------------- */

static int digit(char c)
{
	const char *hex = "0123456789abcdef", *at = c ? strchr(hex, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - hex) : -1;
}

static const char *put_name(struct ike_wbuf *w, const char *p, wire_text_name *name, void *ctx)
{
	const char *end = strchr(p, '>');
	uint8_t octets[16];
	char word[16];
	size_t n;

	if (!end || (size_t)(end - p - 1) >= sizeof(word))
		return NULL;
	memcpy(word, p + 1, (size_t)(end - p - 1));
	word[end - p - 1] = 0;
	n = name(ctx, word, octets);
	ike_put_bytes(w, octets, n);
	return n ? end + 1 : NULL;
}

static const char *put_text(struct ike_wbuf *w, const char *p)
{
	const char *end = strchr(p + 1, '"');

	if (!end)
		return NULL;
	ike_put_bytes(w, p + 1, (size_t)(end - p - 1));
	return end + 1;
}

/* (41*500) */
static const char *put_group(struct ike_wbuf *w, const char *p)
{
	uint8_t octets[64];
	unsigned int octet, times;
	size_t n = 0;
	int used = 0;

	for (p++; n < sizeof(octets) && sscanf(p, "%2x%n", &octet, &used) == 1 && used == 2; p += 2)
		octets[n++] = (uint8_t)octet;
	if (!n || sscanf(p, "*%u%n", &times, &used) != 1 || p[used] != ')' || times > IKE_WBUF_MAX)
		return NULL;
	while (times--)
		ike_put_bytes(w, octets, n);
	return p + used + 1;
}

static const char *put_one(struct ike_wbuf *w, const char *p, wire_text_name *name, void *ctx)
{
	if (*p == '<')
		return put_name(w, p, name, ctx);
	if (*p == '"')
		return put_text(w, p);
	if (*p == '(')
		return put_group(w, p);
	if (digit(p[0]) < 0 || digit(p[1]) < 0)
		return NULL;
	ike_put8(w, (uint8_t)(digit(p[0]) << 4 | digit(p[1])));
	return p + 2;
}

bool wire_text_octets(struct ike_wbuf *w, const char *text, wire_text_name *name, void *ctx)
{
	while (text && *text)
		text = put_one(w, text, name, ctx);
	return text;
}

/* ---- SA payloads -------------------------------------------------------------------------- */

/* [7:1=7,14=128]: one transform; the ID may be left out. */
static const char *read_transform(struct ike_sapay *sa, const char *p)
{
	struct ike_transform *t;
	unsigned int id = IKE_TRANSFORM_KEY_IKE, type, value;
	int used = 0;

	if (*p++ != '[')
		return NULL;
	if (sscanf(p, "%u:%n", &id, &used) == 1 && used)
		p += used;
	else
		id = IKE_TRANSFORM_KEY_IKE;
	t = ike_sapay_add_transform(sa, (uint8_t)id);
	for (used = 0; t && sscanf(p, "%u=%u%n", &type, &value, &used) == 2; used = 0) {
		ike_transform_add(t, (uint16_t)type, value);
		p += used;
		if (*p == ']')
			return p + 1;
		if (*p++ != ',')
			return NULL;
	}
	return NULL;
}

static bool put_sa(struct ike_wbuf *w, const char *p)
{
	struct ike_sapay sa;
	unsigned int spi;
	uint8_t octets[4];
	int used = 0;

	ike_sapay_init(&sa);
	if (!strncmp(p, "p1", 2)) {
		ike_sapay_add_proposal(&sa, IKE_PROTO_ISAKMP, NULL, 0);
		p += 2;
	} else if (sscanf(p, "p2/%x%n", &spi, &used) == 1) {
		ike_store32(octets, spi);
		ike_sapay_add_proposal(&sa, IKE_PROTO_ESP, octets, 4);
		p += used;
	} else {
		return false;
	}
	while (p && *p)
		p = read_transform(&sa, p);
	ike_sapay_encode(w, &sa);
	return p;
}

bool wire_text_payload(struct ike_msgw *w, const char *text, wire_text_name *name, void *ctx)
{
	const char *colon = strchr(text, ':');
	int type = colon ? wire_text_type(text, (size_t)(colon - text)) : -1;
	bool good;

	if (type < 0)
		return false;
	ike_msgw_open(w, (uint8_t)type);
	if (type == ISAKMP_NPTYPE_SA && colon[1] == 'p')
		good = put_sa(&w->b, colon + 1);
	else
		good = wire_text_octets(&w->b, colon + 1, name, ctx);
	ike_msgw_close(w);
	return good && !w->b.bad;
}
