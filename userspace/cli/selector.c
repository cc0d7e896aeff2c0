// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Traffic selectors as text, see selector.h. No side effects but *dst and what is printed.
 */
#include "cli/selector.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/parse.h"

/* The ones people write; all others are numbers. */
static const struct { const char *name; uint8_t number; } protos[] = {
	{ "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "dccp", 33 }, { "gre", 47 },
	{ "ipv6-icmp", 58 }, { "ospf", 89 }, { "sctp", 132 }, { "udplite", 136 },
};

static size_t octets_of(const struct esptun_addr *a)
{
	return a->family == AF_INET ? 4 : 16;
}

/* The union's members begin at the same octet. */
static uint8_t *octets(struct esptun_addr *a)
{
	return (uint8_t *)&a->v6;
}

static const uint8_t *const_octets(const struct esptun_addr *a)
{
	return (const uint8_t *)&a->v6;
}

/* From address and prefix length to the range; false if bits behind the prefix are set. */
static bool spread(struct esptun_range *r, unsigned int prefix)
{
	r->last = r->first;
	for (size_t i = 0; i < octets_of(&r->first); i++) {
		unsigned int keep = prefix > i * 8 ? prefix - (unsigned int)i * 8 : 0;
		uint8_t host = keep >= 8 ? 0 : (uint8_t)(0xff >> keep);

		if (octets(&r->first)[i] & host)
			return false;
		octets(&r->last)[i] |= host;
	}
	return true;
}

static bool parse_prefix(const char *text, struct esptun_range *r)
{
	unsigned int most = (unsigned int)octets_of(&r->first) * 8;
	uint32_t prefix;

	return !cli_parse_u32(text, &prefix) && prefix <= most && spread(r, prefix);
}

static bool parse_last(const char *text, struct esptun_range *r)
{
	return esptun_addr_parse(text, &r->last) == 0 && r->last.family == r->first.family &&
	       memcmp(const_octets(&r->first), const_octets(&r->last), octets_of(&r->first)) <= 0;
}

const char *cli_parse_range(const char *text, void *dst)
{
	static const char expected[] =
		"any, an address, a network (all bits behind its prefix 0) or first-last";
	struct esptun_range r = { .first.family = AF_UNSPEC };
	size_t len = strcspn(text, "/-");
	char first[INET6_ADDRSTRLEN];
	bool ok;

	if (strcmp(text, "any") == 0) {
		memcpy(dst, &r, sizeof(r));
		return NULL;
	}
	if (len >= sizeof(first))
		return expected;
	memcpy(first, text, len);
	first[len] = '\0';
	if (esptun_addr_parse(first, &r.first) < 0)
		return expected;
	if (text[len] == '/')
		ok = parse_prefix(text + len + 1, &r);
	else if (text[len] == '-')
		ok = parse_last(text + len + 1, &r);
	else
		ok = spread(&r, (unsigned int)octets_of(&r.first) * 8);
	if (!ok)
		return expected;
	memcpy(dst, &r, sizeof(r));
	return NULL;
}

const char *cli_parse_proto(const char *text, void *dst)
{
	uint32_t number = 0;

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++)
		if (strcmp(text, protos[i].name) == 0)
			number = protos[i].number;
	if (!number && (cli_parse_u32(text, &number) || !number || number > 255))
		return "a protocol: a number 1..255, tcp, udp, sctp, dccp, udplite, icmp, ipv6-icmp, gre or ospf";
	*(uint8_t *)dst = (uint8_t)number;
	return NULL;
}

const char *cli_parse_port(const char *text, void *dst)
{
	uint32_t number;

	if (cli_parse_u32(text, &number) || !number || number > 65535)
		return "a port 1..65535";
	*(uint16_t *)dst = (uint16_t)number;
	return NULL;
}

/* Prefix length of a range, -1 if it is none. */
static int prefix_of(const struct esptun_range *r)
{
	size_t len = octets_of(&r->first);

	for (unsigned int prefix = 0; prefix <= len * 8; prefix++) {
		struct esptun_range net = { .first = r->first };

		if (spread(&net, prefix) &&
		    memcmp(const_octets(&net.last), const_octets(&r->last), len) == 0)
			return (int)prefix;
	}
	return -1;
}

/* Unlike esptun_addr_text() 0.0.0.0 is an address here. */
static void addr_text(const struct esptun_addr *a, char buf[INET6_ADDRSTRLEN])
{
	if (!inet_ntop(a->family, const_octets(a), buf, INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "any");
}

const char *cli_range_text(const struct esptun_range *r, char buf[CLI_RANGE_TEXT])
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];
	int prefix;

	if (r->first.family == AF_UNSPEC) {
		snprintf(buf, CLI_RANGE_TEXT, "any");
		return buf;
	}
	prefix = prefix_of(r);
	addr_text(&r->first, first);
	addr_text(&r->last, last);
	if (prefix >= 0)
		snprintf(buf, CLI_RANGE_TEXT, "%s/%d", first, prefix);
	else
		snprintf(buf, CLI_RANGE_TEXT, "%s-%s", first, last);
	return buf;
}

static void show_proto(struct out *o, uint8_t number)
{
	char text[8];

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		if (protos[i].number == number) {
			out_str(o, "proto", protos[i].name);
			return;
		}
	}
	snprintf(text, sizeof(text), "%u", number);
	if (number)
		out_str(o, "proto", text);
}

static void show_ports(struct out *o, uint16_t local, uint16_t remote)
{
	if (local)
		out_num(o, "local_port", local);
	if (remote)
		out_num(o, "remote_port", remote);
}

void cli_show_selector(struct out *o, const struct esptun_selector *s)
{
	char text[CLI_RANGE_TEXT];

	if (!s->local.first.family && !s->remote.first.family && !s->proto)
		return;
	out_nest_begin(o, "selector");
	out_str(o, "local", cli_range_text(&s->local, text));
	out_str(o, "remote", cli_range_text(&s->remote, text));
	show_proto(o, s->proto);
	show_ports(o, s->local_port, s->remote_port);
	out_nest_end(o);
}

void cli_show_flow(struct out *o, const struct esptun_flow *f)
{
	char text[INET6_ADDRSTRLEN];

	if (!f->local.family)
		return;
	out_nest_begin(o, "flow");
	addr_text(&f->local, text);
	out_str(o, "local", text);
	addr_text(&f->remote, text);
	out_str(o, "remote", text);
	show_proto(o, f->proto);
	show_ports(o, f->local_port, f->remote_port);
	out_nest_end(o);
}
