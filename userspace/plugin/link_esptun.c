// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * link_esptun.so: teaches ip(8) the options of link kind "esptun", for "ip link add ... type
 * esptun ..." and "ip -d link show". Loaded by ip; uses nothing of it that could be missing:
 * what prints is looked up at run time, with plain text where ip has no such function.
 */
#define _GNU_SOURCE		/* RTLD_DEFAULT */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "cli/parse.h"
#include "libesptun/libesptun.h"

/* ip's plugin interface, the same since before 5.10. */
struct link_util {
	struct link_util *next;
	const char *id;
	int maxattr;
	int (*parse_opt)(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n);
	void (*print_opt)(struct link_util *lu, FILE *f, struct rtattr *tb[]);
	void (*print_xstats)(struct link_util *lu, FILE *f, struct rtattr *tb);
	void (*print_help)(struct link_util *lu, int argc, char **argv, FILE *f);
	int (*parse_ifla_xstats)(struct link_util *lu, int argc, char **argv);
	int (*print_ifla_xstats)(struct nlmsghdr *n, void *arg);
};

/* ip's request buffer behind the headers; every kind's code counts on this much. */
#define REQUEST_ROOM	1024

enum { PRINT_ANY = 4, COLOR_NONE = 6 };

union value {
	uint8_t u8;
	uint32_t u32;
	bool on;
	const char *text;
	struct esptun_addr addr;
};

enum form { NUM32, SWITCH, DEVICE, ADDRESS, TTL, TOS, WORD };

static const struct option {
	const char *word;
	const char *key;
	const char *(*parse)(const char *text, void *dst);
	enum form form;
	unsigned short attr;
	unsigned short attr6;
} options[] = {
	{ "remote", "remote", cli_parse_addr, ADDRESS, IFLA_ESPTUN_REMOTE4, IFLA_ESPTUN_REMOTE6 },
	{ "local", "local", cli_parse_local, ADDRESS, IFLA_ESPTUN_LOCAL4, IFLA_ESPTUN_LOCAL6 },
	{ "dev", "link", cli_parse_text, DEVICE, IFLA_ESPTUN_LINK, 0 },
	{ "ttl", "ttl", cli_parse_ttl, TTL, IFLA_ESPTUN_TTL, 0 },
	{ "tos", "tos", cli_parse_tos, TOS, IFLA_ESPTUN_TOS, 0 },
	{ "pmtudisc", "pmtudisc", cli_parse_onoff, SWITCH, IFLA_ESPTUN_PMTUDISC, 0 },
	{ "fwmark", "fwmark", cli_parse_u32, NUM32, IFLA_ESPTUN_FWMARK, 0 },
	{ "keep-carrier", "keep_carrier", cli_parse_onoff, SWITCH, IFLA_ESPTUN_KEEP_CARRIER, 0 },
	{ "mss-clamp", "mss_clamp", cli_parse_onoff, SWITCH, IFLA_ESPTUN_MSS_CLAMP, 0 },
	{ "external", "external", NULL, WORD, IFLA_ESPTUN_EXTERNAL, 0 },
};

#define OPTIONS	(sizeof(options) / sizeof(options[0]))

static int wrong(const char *word, const char *why, const char *what)
{
	fprintf(stderr, "Error: %s: %s%s\n", word, why, what);
	return -1;
}

/* -- "ip link add ... type esptun" ---------------------------------------------------------- */

static int append(struct nlmsghdr *n, unsigned short attr, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(n->nlmsg_len);
	struct rtattr *rta = (struct rtattr *)((char *)n + at);

	if (at + RTA_SPACE(len) > REQUEST_ROOM)
		return wrong("type esptun", "too many options", "");
	rta->rta_type = attr;
	rta->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(rta), data, len);
	n->nlmsg_len = (uint32_t)(at + RTA_SPACE(len));
	return 0;
}

static int append_device(struct nlmsghdr *n, const struct option *o, const char *name)
{
	uint32_t index = strcmp(name, "none") == 0 ? 0 : if_nametoindex(name);

	if (!index && strcmp(name, "none") != 0)
		return wrong("dev", "there is no such device: ", name);
	return append(n, o->attr, &index, sizeof(index));
}

static int append_option(struct nlmsghdr *n, const struct option *o, const char *text)
{
	union value v = { .u32 = 0 };
	const char *expected = o->parse(text, &v);
	uint8_t on = v.on;

	if (expected)
		return wrong(o->word, "expected ", expected);
	switch (o->form) {
	case NUM32:
		return append(n, o->attr, &v.u32, sizeof(v.u32));
	case SWITCH:
		return append(n, o->attr, &on, sizeof(on));
	case DEVICE:
		return append_device(n, o, v.text);
	case ADDRESS:
		if (v.addr.family == AF_INET6)
			return append(n, o->attr6, &v.addr.v6, sizeof(v.addr.v6));
		return append(n, o->attr, &v.addr.v4, sizeof(v.addr.v4));
	case TTL:
	case TOS:
		return append(n, o->attr, &v.u8, sizeof(v.u8));
	case WORD:
		break;
	}
	return -1;
}

/* A word that says all by being there. */
static int append_word(struct nlmsghdr *n, const struct option *o)
{
	uint8_t on = 1;

	return append(n, o->attr, &on, sizeof(on));
}

static void print_help(struct link_util *lu, int argc, char **argv, FILE *f)
{
	(void)lu;
	(void)argc;
	(void)argv;
	fputs("Usage: ... esptun { remote ADDRESS [ local ADDRESS ] | external } [ dev DEVICE ]\n"
	      "                  [ ttl { 1..255 | inherit } ] [ tos { 0..252 | inherit } ]\n"
	      "                  [ pmtudisc { on | off } ] [ fwmark MARK ]\n"
	      "                  [ keep-carrier { on | off } ] [ mss-clamp { on | off } ]\n", f);
}

static const struct option *find(const char *word)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strcmp(options[i].word, word) == 0)
			return &options[i];
	return NULL;
}

static int parse_opt(struct link_util *lu, int argc, char **argv, struct nlmsghdr *n)
{
	const struct option *o;

	for (; argc > 0; argc--, argv++) {
		if (strcmp(*argv, "help") == 0) {
			print_help(lu, argc, argv, stdout);
			return -1;
		}
		o = find(*argv);
		if (!o)
			return wrong(*argv, "not an option of kind esptun, ",
				     "see \"ip link help esptun\"");
		if (o->form == WORD) {
			if (append_word(n, o) < 0)
				return -1;
			continue;
		}
		if (argc < 2)
			return wrong(*argv, "a value must follow", "");
		argc--;
		argv++;
		if (append_option(n, o, *argv) < 0)
			return -1;
	}
	return 0;
}

/* -- "ip -d link show" -------------------------------------------------------------------- */

/* ip's printers for text and JSON, where ip still has them under these names. */
static void show_string(FILE *f, const struct option *o, const char *value)
{
	int (*print)(int, int, const char *, const char *, const char *);
	char format[48];

	*(void **)&print = dlsym(RTLD_DEFAULT, "print_color_string");
	snprintf(format, sizeof(format), "%s %%s ", o->word);
	if (print)
		print(PRINT_ANY, COLOR_NONE, o->key, format, value);
	else
		fprintf(f, "%s %s ", o->word, value);
}

static void show_number(FILE *f, const struct option *o, unsigned int value)
{
	int (*print)(int, int, const char *, const char *, unsigned int);
	char format[48];

	*(void **)&print = dlsym(RTLD_DEFAULT, "print_color_uint");
	snprintf(format, sizeof(format), "%s %%u ", o->word);
	if (print)
		print(PRINT_ANY, COLOR_NONE, o->key, format, value);
	else
		fprintf(f, "%s %u ", o->word, value);
}

static void show_switch(FILE *f, const struct option *o, bool on)
{
	int (*print)(int, int, const char *, const char *, bool);
	char format[48];

	*(void **)&print = dlsym(RTLD_DEFAULT, "print_color_on_off");
	snprintf(format, sizeof(format), "%s %%s ", o->word);
	if (print)
		print(PRINT_ANY, COLOR_NONE, o->key, format, on);
	else
		fprintf(f, "%s %s ", o->word, on ? "on" : "off");
}

static void show_word(FILE *f, const struct option *o)
{
	int (*print)(int, int, const char *, const char *, bool);
	char format[48];

	*(void **)&print = dlsym(RTLD_DEFAULT, "print_color_bool");
	snprintf(format, sizeof(format), "%s ", o->word);
	if (print)
		print(PRINT_ANY, COLOR_NONE, o->key, format, true);
	else
		fprintf(f, "%s ", o->word);
}

static void show_device(FILE *f, const struct option *o, uint32_t index)
{
	char name[IFNAMSIZ];

	if (!index)
		return;
	if (!if_indextoname(index, name))
		snprintf(name, sizeof(name), "if%u", index);
	show_string(f, o, name);
}

static void show_number_or(FILE *f, const struct option *o, unsigned int value, unsigned int inherit)
{
	if (value == inherit)
		show_string(f, o, "inherit");
	else
		show_number(f, o, value);
}

static void show_address(FILE *f, const struct option *o, const struct rtattr *rta)
{
	struct esptun_addr addr = { .family = rta->rta_type == o->attr6 ? AF_INET6 : AF_INET };
	size_t len = addr.family == AF_INET6 ? sizeof(addr.v6) : sizeof(addr.v4);
	char text[INET6_ADDRSTRLEN];

	if (RTA_PAYLOAD(rta) < len)
		return;
	memcpy(&addr.v6, RTA_DATA(rta), len);
	show_string(f, o, esptun_addr_text(&addr, text));
}

static void show_option(FILE *f, const struct option *o, const struct rtattr *rta)
{
	size_t need = o->form == NUM32 || o->form == DEVICE || o->form == ADDRESS ? 4 : 1;
	uint32_t wide = 0;
	uint8_t narrow = 0;
	char hex[12];

	if (RTA_PAYLOAD(rta) < need)
		return;
	memcpy(need == 4 ? (void *)&wide : (void *)&narrow, RTA_DATA(rta), need);
	switch (o->form) {
	case NUM32:
		snprintf(hex, sizeof(hex), "0x%x", wide);
		if (wide)
			show_string(f, o, hex);
		break;
	case SWITCH:
		show_switch(f, o, narrow);
		break;
	case DEVICE:
		show_device(f, o, wide);
		break;
	case ADDRESS:
		show_address(f, o, rta);
		break;
	case TTL:
		show_number_or(f, o, narrow, 0);
		break;
	case TOS:
		show_number_or(f, o, narrow, 1);
		break;
	case WORD:
		if (narrow)
			show_word(f, o);
		break;
	}
}

static void print_opt(struct link_util *lu, FILE *f, struct rtattr *tb[])
{
	(void)lu;
	for (size_t i = 0; tb && i < OPTIONS; i++) {
		if (tb[options[i].attr])
			show_option(f, &options[i], tb[options[i].attr]);
		else if (options[i].attr6 && tb[options[i].attr6])
			show_option(f, &options[i], tb[options[i].attr6]);
	}
}

/* The one symbol ip looks for. */
extern struct link_util esptun_link_util;
__attribute__((visibility("default")))
struct link_util esptun_link_util = {
	.id = "esptun",
	.maxattr = IFLA_ESPTUN_MAX,
	.parse_opt = parse_opt,
	.print_opt = print_opt,
	.print_help = print_help,
};
