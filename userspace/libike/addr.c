// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Outer addresses. See addr.h.
 */
#include "addr.h"

#include <stdio.h>
#include <string.h>

size_t ike_addr_len(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

bool ike_addr_is_any(const struct ike_addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->ip, zero, ike_addr_len(a->family));
}

bool ike_addr_equal(const struct ike_addr *a, const struct ike_addr *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, ike_addr_len(a->family));
}

bool ike_addr_overlap(const struct ike_addr *a, const struct ike_addr *b)
{
	return a->family == b->family &&
	       (ike_addr_is_any(a) || ike_addr_is_any(b) || ike_addr_equal(a, b));
}

bool ike_path_equal(const struct ike_path *a, const struct ike_path *b)
{
	return ike_addr_equal(&a->local, &b->local) && a->local.port == b->local.port &&
	       ike_addr_equal(&a->remote, &b->remote) && a->remote.port == b->remote.port;
}

static bool parse_v4(const char *s, uint8_t ip[4])
{
	unsigned int part, v, digits;

	for (part = 0; part < 4; part++) {
		for (v = 0, digits = 0; *s >= '0' && *s <= '9' && digits < 4; s++, digits++)
			v = v * 10 + (unsigned int)(*s - '0');
		if (!digits || digits > 3 || v > 255)
			return false;
		ip[part] = (uint8_t)v;
		if (part < 3 && *s++ != '.')
			return false;
	}
	return *s == '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One group of one to four hex digits; NULL when there is none. */
static const char *parse_group(const char *s, uint8_t out[2])
{
	unsigned int v = 0, digits;

	for (digits = 0; digits < 4 && hex_digit(*s) >= 0; digits++)
		v = v << 4 | (unsigned int)hex_digit(*s++);
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
	return digits ? s : NULL;
}

static bool parse_v6(const char *s, uint8_t ip[16])
{
	size_t n = 0, gap = 16;		/* octets filled; where "::" was */

	if (s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (*s) {
		if (n <= 12 && parse_v4(s, ip + n)) {
			n += 4;
			break;
		}
		if (n == 16)
			return false;
		s = parse_group(s, ip + n);
		if (!s)
			return false;
		n += 2;
		if (!*s)
			break;
		if (*s++ != ':')
			return false;
		if (*s == ':') {
			if (gap != 16)
				return false;
			gap = n;
			s++;
		} else if (!*s) {
			return false;
		}
	}
	if (gap == 16)
		return n == 16;
	if (n > 14)
		return false;
	memmove(ip + 16 - (n - gap), ip + gap, n - gap);
	memset(ip + gap, 0, 16 - n);
	return true;
}

uint8_t ike_ip_parse(const char *text, uint8_t ip[16])
{
	memset(ip, 0, 16);
	if (parse_v4(text, ip))
		return 4;
	memset(ip, 0, 16);
	return parse_v6(text, ip) ? 6 : 0;
}

/* Longest run of zero groups (at least two), which becomes "::". */
static void longest_zeros(const uint8_t *ip, unsigned int *start, unsigned int *len)
{
	unsigned int i, run;

	*start = 8;
	*len = 1;
	for (i = 0; i < 8; i += run ? run : 1) {
		for (run = 0; i + run < 8 && !ip[2 * (i + run)] && !ip[2 * (i + run) + 1]; )
			run++;
		if (run > *len) {
			*start = i;
			*len = run;
		}
	}
}

static void format_v6(const uint8_t *ip, char *buf, size_t size)
{
	unsigned int i, gap, gap_len;
	int n = 0;

	longest_zeros(ip, &gap, &gap_len);
	for (i = 0; i < 8 && (size_t)n < size; i++) {
		if (i == gap) {
			n += snprintf(buf + n, size - (size_t)n, "::");
			i += gap_len - 1;
			continue;
		}
		n += snprintf(buf + n, size - (size_t)n, "%s%x",
			      i && i != gap + gap_len ? ":" : "",
			      (unsigned int)(ip[2 * i] << 8 | ip[2 * i + 1]));
	}
}

const char *ike_ip_format(uint8_t family, const uint8_t *ip, char *buf, size_t size)
{
	if (family == 4)
		snprintf(buf, size, "%u.%u.%u.%u", ip[0], ip[1], ip[2], ip[3]);
	else if (family == 6)
		format_v6(ip, buf, size);
	else
		snprintf(buf, size, "unset");
	return buf;
}
