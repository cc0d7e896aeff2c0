// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words of the configuration to values. Never guesses: what is not wholly a value is none.
 */
#include "conf_value.h"

#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

int conf_parse_addr(const char *text, struct ike_addr *addr)
{
	struct ike_addr a = { 0 };

	if (!strcmp(text, "any"))
		a.family = 4;
	else if (inet_pton(AF_INET, text, a.ip) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, text, a.ip) == 1)
		a.family = 6;
	else
		return -1;
	*addr = a;
	return 0;
}

/* Are all bits from prefix on zero? */
static bool is_network(const uint8_t *ip, unsigned int prefix, unsigned int bits)
{
	for (; prefix < bits; prefix++)
		if (ip[prefix / 8] & (0x80 >> prefix % 8))
			return false;
	return true;
}

int conf_parse_net(const char *text, struct ike_net *net)
{
	const char *slash = strchr(text, '/');
	unsigned int bits;
	struct ike_addr a;
	uint64_t prefix;
	char buf[64];
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	if (len >= sizeof(buf))
		return -1;
	memcpy(buf, text, len);
	buf[len] = 0;
	if (conf_parse_addr(buf, &a))
		return -1;
	bits = a.family == 4 ? 32 : 128;
	prefix = strcmp(text, "any") ? bits : 0;
	if (slash && (!strcmp(buf, "any") || conf_parse_number(slash + 1, &prefix) || prefix > bits))
		return -1;
	if (!is_network(a.ip, (unsigned int)prefix, bits))
		return -1;
	*net = (struct ike_net){ .family = a.family, .prefix = (uint8_t)prefix };
	memcpy(net->ip, a.ip, sizeof(net->ip));
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit times[] = {
	{ "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 }, { NULL, 0 },
};

static const struct unit volumes[] = {
	{ "KB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 },
	{ "KiB", 1ull << 10 }, { "MiB", 1ull << 20 }, { "GiB", 1ull << 30 }, { NULL, 0 },
};

/* Digits up to where the unit starts; *end is there. */
static int parse_digits(const char *text, uint64_t *value, const char **end)
{
	uint64_t v = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
			return -1;
	*value = v;
	*end = text;
	return 0;
}

static int parse_with_unit(const char *text, const struct unit *unit, uint64_t *value)
{
	const char *name;
	uint64_t v;

	if (parse_digits(text, &v, &name))
		return -1;
	for (; unit->name; unit++)
		if (!strcmp(name, unit->name))
			return __builtin_mul_overflow(v, unit->factor, value) ? -1 : 0;
	return -1;
}

int conf_parse_time(const char *text, uint64_t *seconds)
{
	return parse_with_unit(text, times, seconds);
}

int conf_parse_volume(const char *text, uint64_t *octets)
{
	return parse_with_unit(text, volumes, octets);
}

int conf_parse_number(const char *text, uint64_t *number)
{
	const char *end;

	return parse_digits(text, number, &end) || *end ? -1 : 0;
}

int conf_parse_bool(const char *text, bool *yes)
{
	static const struct conf_choice words[] = {
		{ "true", 1 }, { "yes", 1 }, { "on", 1 }, { "false", 0 }, { "no", 0 }, { "off", 0 }, { NULL, 0 },
	};
	int value;

	if (conf_parse_choice(text, words, &value))
		return -1;
	*yes = value;
	return 0;
}

int conf_parse_choice(const char *text, const struct conf_choice *list, int *value)
{
	for (; list->word; list++) {
		if (!strcmp(text, list->word)) {
			*value = list->value;
			return 0;
		}
	}
	return -1;
}
