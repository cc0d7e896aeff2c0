// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Text to value for the options of all commands. No side effects but *dst.
 */
#include "cli/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libesptun/libesptun.h"
#include "libesptun/nl_gen.h"

/* strtoull() alone would take a sign, leading blanks and a leading zero as octal. */
static bool number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long v;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return false;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	if (*end || errno || v < min || v > max)
		return false;
	*value = v;
	return true;
}

static const char *number32(const char *text, uint32_t min, uint32_t max, void *dst,
			    const char *expected)
{
	uint64_t value;

	if (!number(text, min, max, &value))
		return expected;
	*(uint32_t *)dst = (uint32_t)value;
	return NULL;
}

const char *cli_parse_text(const char *text, void *dst)
{
	if (!*text)
		return "a word";
	*(const char **)dst = text;
	return NULL;
}

const char *cli_parse_flag(const char *text, void *dst)
{
	(void)text;
	*(bool *)dst = true;
	return NULL;
}

const char *cli_parse_onoff(const char *text, void *dst)
{
	bool on = strcmp(text, "on") == 0;

	if (!on && strcmp(text, "off") != 0)
		return "on or off";
	*(bool *)dst = on;
	return NULL;
}

const char *cli_parse_updown(const char *text, void *dst)
{
	*(bool *)dst = strcmp(text, "up") == 0;
	return NULL;
}

const char *cli_parse_u32(const char *text, void *dst)
{
	return number32(text, 0, UINT32_MAX, dst, "a number 0..4294967295 or 0x0..0xffffffff");
}

const char *cli_parse_u64(const char *text, void *dst)
{
	uint64_t value;

	if (!number(text, 0, UINT64_MAX, &value))
		return "a number 0..2^64-1";
	*(uint64_t *)dst = value;
	return NULL;
}

const char *cli_parse_mtu(const char *text, void *dst)
{
	return number32(text, 68, 65535, dst, "a number of octets 68..65535");
}

const char *cli_parse_ttl(const char *text, void *dst)
{
	uint64_t value = 0;

	if (strcmp(text, "inherit") != 0 && !number(text, 1, 255, &value))
		return "a number 1..255 or inherit";
	*(uint8_t *)dst = (uint8_t)value;
	return NULL;
}

/* The two ECN bits are not configured: RFC 6040 says what they are. */
const char *cli_parse_tos(const char *text, void *dst)
{
	uint64_t value = 1;

	if (strcmp(text, "inherit") != 0 && (!number(text, 0, 255, &value) || value & 3))
		return "a number 0..252 whose two low bits (ECN) are 0, or inherit";
	*(uint8_t *)dst = (uint8_t)value;
	return NULL;
}

const char *cli_parse_addr(const char *text, void *dst)
{
	return esptun_addr_parse(text, dst) < 0 ? "an IPv4 or IPv6 address" : NULL;
}

const char *cli_parse_local(const char *text, void *dst)
{
	return cli_parse_addr(strcmp(text, "any") == 0 ? "0.0.0.0" : text, dst) ?
		"an IPv4 or IPv6 address or any" : NULL;
}

const char *cli_parse_spi(const char *text, void *dst)
{
	return number32(text, ESPTUN_MIN_SPI, UINT32_MAX, dst,
			"an SPI 0x100..0xffffffff (1..255 are reserved, RFC 4303 2.1)");
}

const char *cli_parse_window(const char *text, void *dst)
{
	static const char expected[] = "0 (off) or a number of packets 32..4096";
	uint32_t value;

	if (number32(text, 0, ESPTUN_MAX_REPLAY_WINDOW, &value, expected) ||
	    (value && value < 32))
		return expected;
	*(uint32_t *)dst = value;
	return NULL;
}

/* "one of a, b, c" from a table, in a buffer that lives until the next call. */
static const char *one_of(const struct esptun_nl_names *names)
{
	static char text[256];
	size_t at = (size_t)snprintf(text, sizeof(text), "one of");

	for (size_t i = 0; i < names->count && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s %s", i ? "," : "",
				       names->names[i]);
	return text;
}

const char *cli_parse_dir(const char *text, void *dst)
{
	int value = esptun_dir_value(text);

	if (value < 0)
		return "in or out";
	*(enum esptun_dir *)dst = (enum esptun_dir)value;
	return NULL;
}

const char *cli_parse_encr(const char *text, void *dst)
{
	int value = esptun_encr_value(text);

	if (value < 0)
		return one_of(&esptun_nl_encr_names);
	*(enum esptun_encr *)dst = (enum esptun_encr)value;
	return NULL;
}

const char *cli_parse_auth(const char *text, void *dst)
{
	int value = esptun_auth_value(text);

	if (value < 0)
		return one_of(&esptun_nl_auth_names);
	*(enum esptun_auth *)dst = (enum esptun_auth)value;
	return NULL;
}

const char *cli_parse_encap(const char *text, void *dst)
{
	int value = esptun_encap_value(text);

	if (value < 0)
		return one_of(&esptun_nl_encap_names);
	*(enum esptun_encap *)dst = (enum esptun_encap)value;
	return NULL;
}

const char *cli_parse_keepalive(const char *text, void *dst)
{
	return number32(text, 1, ESPTUN_MAX_KEEPALIVE, dst, "a number of seconds 1..3600");
}

const char *cli_parse_tunnel_id(const char *text, void *dst)
{
	return number32(text, 1, UINT32_MAX, dst, "a tunnel ID, 1..4294967295");
}

const char *cli_parse_state(const char *text, void *dst)
{
	int value = esptun_sa_state_value(text);

	if (value != ESPTUN_SA_STATE_PENDING && value != ESPTUN_SA_STATE_ACTIVE)
		return "pending or active";
	*(enum esptun_sa_state *)dst = (enum esptun_sa_state)value;
	return NULL;
}

static int hex_digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

int cli_parse_hex(const char *text, unsigned char *octets, int room)
{
	int count = 0, high, low;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; *text; text += 2) {
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -1;
		if (count == room)
			return -2;
		octets[count++] = (unsigned char)(high << 4 | low);
	}
	return count;
}

const char *cli_parse_cookie(const char *text, void *dst)
{
	struct esptun_sa *sa = dst;
	int len = cli_parse_hex(text, sa->cookie, sizeof(sa->cookie));

	if (len <= 0)
		return "1..64 octets as hex digits";
	sa->cookie_len = (size_t)len;
	return NULL;
}
