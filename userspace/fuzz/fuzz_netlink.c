// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What comes from the kernel, as the command shows it: the first octet chooses the message,
 * the rest is its payload. Decoded, then printed as text and as JSON, which has to be JSON.
 */
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <json-c/json.h>
#include <stdio.h>

#include "cli/cli.h"
#include "fuzz/fuzz.h"
#include "libesptun/decode.h"
#include "tests/fake_kernel.h"

static const struct cli_object *const objects[] = { &cmd_tunnel, &cmd_sa, &cmd_module, NULL };

/* esptun [-j] -d WORD show */
static void show(const char *object, bool json)
{
	char *words[] = { (char *)(uintptr_t)object, (char *)(uintptr_t)"show" };
	struct args a = { .words = words, .count = 2 };
	struct cli c = { .stats = 2, .details = true, .objects = objects, .now = 100ULL * 1000000000 };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct json_object *parsed;

	c.err = fopen("/dev/null", "w");
	FUZZ_CHECK(out && c.err);
	out_init(&c.out, out, json, false);
	cli_run(&c, &a);
	out_finish(&c.out);
	cli_release(&c);
	fclose(out);
	fclose(c.err);
	if (json) {
		parsed = json_tokener_parse(text);
		FUZZ_CHECK(parsed);
		json_object_put(parsed);
	}
	free(text);
}

static bool tunnel(const struct nlmsghdr *nlh)
{
	fake.tunnel_count = 1;
	return !esptun_decode_tunnel(nlh, &fake.tunnels[0]);
}

/* A tunnel is read in two parts. */
static bool link_and_tunnel(const struct nlmsghdr *nlh)
{
	struct esptun_tunnel state = { .mtu = 1400 };

	fake.tunnel_count = 1;
	if (esptun_decode_link(nlh, &fake.tunnels[0]) <= 0)
		return false;
	esptun_decode_merge(&fake.tunnels[0], &state);
	return true;
}

static bool sa(const struct nlmsghdr *nlh)
{
	fake.sa_count = 1;
	return !esptun_decode_sa(nlh, &fake.sas[0]);
}

static bool module(const struct nlmsghdr *nlh)
{
	return !esptun_decode_module(nlh, &fake.module);
}

static const struct {
	uint16_t type;
	bool (*decode)(const struct nlmsghdr *nlh);
	const char *object;
} kinds[] = {
	{ 0x20, tunnel, "tunnel" }, { RTM_NEWLINK, link_and_tunnel, "tunnel" }, { RTM_DELLINK, link_and_tunnel, "tunnel" },
	{ 0x20, sa, "sa" }, { 0x20, module, "module" },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	unsigned int kind = len ? data[0] % (sizeof(kinds) / sizeof(kinds[0])) : 0;
	struct nlmsghdr *nlh;

	if (!len || len > 8192)
		return 0;
	nlh = malloc(NLMSG_HDRLEN + len - 1);
	FUZZ_CHECK(nlh);
	*nlh = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + len - 1), .nlmsg_type = kinds[kind].type };
	memcpy(nlh + 1, data + 1, len - 1);
	memset(&fake, 0, sizeof(fake));
	if (kinds[kind].decode(nlh)) {
		show(kinds[kind].object, false);
		show(kinds[kind].object, true);
	}
	free(nlh);
	return 0;
}
