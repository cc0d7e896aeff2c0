// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar: matching of objects and commands, help, options by table, and each value's
 * form. Nothing here asks a kernel.
 */
#include "tests/cli_run.h"
#include "cli/parse.h"
#include "tests/fake_kernel.h"

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static const struct run_options plain;

static void test_prefixes(void **state)
{
	(void)state;
	expect_wrong("m", CLI_USAGE, "\"m\" is ambiguous: monitor module", NULL);
	expect_wrong("sa a", CLI_USAGE, "\"a\" is ambiguous: add activate alloc-spi", NULL);
	expect_wrong("x", CLI_USAGE, "there is no object \"x\"", NULL);
	expect_wrong("tunnel frob", CLI_USAGE, "tunnel has no command \"frob\"", NULL);
	expect_wrong("tunnels", CLI_USAGE, "there is no object \"tunnels\"", NULL);
	/* "d" is del and delete: the same thing. */
	expect_wrong("t d", CLI_USAGE, "tunnel del: the device's NAME is missing", NULL);
	expect_wrong("tun delete", CLI_USAGE, "tunnel delete: the device's NAME", NULL);
	expect_wrong("s al", CLI_USAGE, "sa alloc-spi: dev NAME is required", NULL);
	expect_wrong("sa ac", CLI_USAGE, "sa activate: dev NAME is required", NULL);
}

static void test_empty_prefix_matches_nothing(void **state)
{
	char *words[] = { (char *)"" };
	struct args a = { .words = words, .count = 1 };
	struct cli c = { .objects = all_objects };
	char *err;
	size_t len;

	(void)state;
	out_init(&c.out, stdout, false, false);
	c.err = open_memstream(&err, &len);
	assert_int_equal(cli_run(&c, &a), CLI_USAGE);
	fclose(c.err);
	assert_non_null(strstr(err, "there is no object \"\""));
	free(err);
}

static void test_show_is_default(void **state)
{
	(void)state;
	fake.tunnel_count = 0;
	fake.sa_count = 0;
	fake.no_module = true;
	expect_run(&plain, "tunnel", CLI_OK, "", "There is no tunnel: the module is not loaded\n");
	assert_string_equal(fake.last, "tunnel_dump");
	fake.no_module = false;
	expect_run(&plain, "sa", CLI_OK, "", "");
	assert_string_equal(fake.last, "sa_dump");
}

static void test_help_on_each_level(void **state)
{
	static const char *const lines[] = { "help", "-h", "--help", "tunnel help", "sa help",
		"ike help", "monitor help", "module help", "tunnel add help", "sa add --help", "sa show -h" };
	struct ran r;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		r = run_with(&plain, lines[i]);
		assert_int_equal(r.code, CLI_OK);
		assert_int_equal(strncmp(r.out, "Usage: esptun", 13), 0);
		assert_string_equal(r.err, "");
		ran_free(&r);
	}
	r = run_with(&plain, "");
	assert_int_equal(r.code, CLI_USAGE);
	assert_string_equal(r.out, "");
	assert_int_equal(strncmp(r.err, "Usage: esptun", 13), 0);
	ran_free(&r);
}

/* Every option a table knows is in the help of its command, and so are all algorithms. */
static void test_help_is_complete(void **state)
{
	static const char *const tunnel[] = { "local", "remote", "dev", "ttl", "tos", "pmtudisc",
		"fwmark", "keep-carrier", "mss-clamp", "external", "mtu", "up", "down" };
	static const char *const sa[] = { "dev", "dir", "spi", "encr", "auth", "keyfile",
		"replay-window", "esn", "no-integrity-ok", "seq", "partner-spi", "state",
		"soft-bytes", "hard-bytes", "soft-packets", "hard-packets", "cookie",
		"id", "outer-local", "outer-remote",
		"sel", "local", "remote", "proto", "local-port", "remote-port" };
	struct ran r = run_with(&plain, "tunnel add help");

	(void)state;
	for (size_t i = 0; i < COUNT(tunnel); i++)
		assert_non_null(strstr(r.out, tunnel[i]));
	ran_free(&r);
	r = run_with(&plain, "sa add help");
	for (size_t i = 0; i < COUNT(sa); i++)
		assert_non_null(strstr(r.out, sa[i]));
	for (int i = 0; i < ESPTUN_ENCR_COUNT; i++)
		assert_non_null(strstr(r.out, esptun_encr_name((enum esptun_encr)i)));
	for (int i = 0; i < ESPTUN_AUTH_COUNT; i++)
		assert_non_null(strstr(r.out, esptun_auth_name((enum esptun_auth)i)));
	ran_free(&r);
}

static void test_options(void **state)
{
	(void)state;
	expect_wrong("tunnel add t0 local 192.0.2.1", CLI_USAGE, "remote ADDRESS is required", NULL);
	expect_wrong("tunnel add t0 local", CLI_USAGE, "local: ADDRESS must follow", NULL);
	expect_wrong("tunnel add t0 local 192.0.2.1 local 192.0.2.1", CLI_USAGE,
		     "local: given twice", NULL);
	expect_wrong("tunnel add t0 loc 192.0.2.1", CLI_USAGE, "\"loc\" is not an option", NULL);
	expect_wrong("tunnel add t0 local 192.0.2.300 remote 192.0.2.2", CLI_USAGE,
		     "local: expected an IPv4 or IPv6 address or any, not \"192.0.2.300\"", NULL);
	expect_wrong("tunnel add sixteen-letters0 local 192.0.2.1 remote 192.0.2.2", CLI_USAGE,
		     "1..15 characters", NULL);
	expect_wrong("tunnel del t0 t1", CLI_USAGE, "\"t1\" is not an option", NULL);
	expect_wrong("tunnel change t0", CLI_USAGE, "nothing to change", NULL);
	expect_wrong("module show all", CLI_USAGE, "\"all\" is not an option", NULL);
	expect_wrong("monitor sa x", CLI_USAGE, "\"x\" is not an option", NULL);
	expect_wrong("sa flush", CLI_USAGE, "say \"dev NAME\", or \"all\"", NULL);
	expect_wrong("sa flush all dev paris0", CLI_USAGE, "\"dev\" is not an option", NULL);
}

static void test_control_characters_are_not_echoed(void **state)
{
	(void)state;
	expect_wrong("tunnel \x1b[2J\x07", CLI_USAGE, "\"\\x1b[2J\\x07\"", "\x1b");
	expect_wrong("tunnel add t0 \x1b]0;x", CLI_USAGE, "\\x1b", "\x1b");
}

/* Whatever way someone tries to give a key: told why not, and the key is not repeated. */
static void test_no_keys_on_the_command_line(void **state)
{
#define KEY "00112233445566778899aabbccddeeff01234567"
	static const char *const lines[] = {
		"sa add dev paris0 dir in spi 0x1000 key " KEY,
		"sa add dev paris0 dir in spi 0x1000 encr-key 0x" KEY,
		"sa add dev paris0 dir in spi 0x1000 auth-key " KEY,
		"sa add dev paris0 dir in spi 0x1000 enc cbc(aes) " KEY,
		"sa add dev paris0 dir in spi 0x1000 encr aes-cbc 0x" KEY,
		"sa add dev paris0 dir in spi 0x1000 " KEY,
		"sa add dev paris0 dir in spi 0x1000 keyfile 0x" KEY,
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_wrong(lines[i], CLI_USAGE, "keys are not taken from the command line",
			     "00112233");
	expect_wrong("sa add dev paris0 dir in spi 0x1000 encr 0x" KEY, CLI_USAGE, "encr: expected",
		     "00112233");
	assert_false(args_maybe_key("0x12345678"));
	assert_false(args_maybe_key("paris0"));
	assert_true(args_maybe_key("0123456789abcdef"));
}

struct value {
	const char *(*parse)(const char *text, void *dst);
	const char *text;
	bool good;
	uint64_t value;
	size_t size;
};

static const struct value values[] = {
	{ cli_parse_u32, "0", true, 0, 4 }, { cli_parse_u32, "4294967295", true, 4294967295u, 4 },
	{ cli_parse_u32, "0xff", true, 255, 4 }, { cli_parse_u32, "4294967296", false, 0, 4 },
	{ cli_parse_u32, "-1", false, 0, 4 }, { cli_parse_u32, "+1", false, 0, 4 },
	{ cli_parse_u32, " 1", false, 0, 4 }, { cli_parse_u32, "1x", false, 0, 4 },
	{ cli_parse_u32, "0x", false, 0, 4 }, { cli_parse_u32, "", false, 0, 4 },
	{ cli_parse_u32, "0x-1", false, 0, 4 }, { cli_parse_u32, "010", true, 10, 4 },
	{ cli_parse_u64, "18446744073709551615", true, UINT64_MAX, 8 },
	{ cli_parse_u64, "18446744073709551616", false, 0, 8 },
	{ cli_parse_ttl, "inherit", true, 0, 1 }, { cli_parse_ttl, "255", true, 255, 1 },
	{ cli_parse_ttl, "0", false, 0, 1 }, { cli_parse_ttl, "256", false, 0, 1 },
	{ cli_parse_tos, "inherit", true, 1, 1 }, { cli_parse_tos, "0xb8", true, 184, 1 },
	{ cli_parse_tos, "0", true, 0, 1 }, { cli_parse_tos, "1", false, 0, 1 },
	{ cli_parse_tos, "3", false, 0, 1 }, { cli_parse_tos, "256", false, 0, 1 },
	{ cli_parse_mtu, "68", true, 68, 4 }, { cli_parse_mtu, "67", false, 0, 4 },
	{ cli_parse_mtu, "65536", false, 0, 4 },
	{ cli_parse_spi, "256", true, 256, 4 }, { cli_parse_spi, "255", false, 0, 4 },
	{ cli_parse_spi, "0", false, 0, 4 }, { cli_parse_spi, "0xffffffff", true, UINT32_MAX, 4 },
	{ cli_parse_spi, "0x100000000", false, 0, 4 },
	{ cli_parse_window, "0", true, 0, 4 }, { cli_parse_window, "31", false, 0, 4 },
	{ cli_parse_window, "32", true, 32, 4 }, { cli_parse_window, "4096", true, 4096, 4 },
	{ cli_parse_window, "4097", false, 0, 4 },
	{ cli_parse_onoff, "on", true, 1, 1 }, { cli_parse_onoff, "off", true, 0, 1 },
	{ cli_parse_onoff, "o", false, 0, 1 }, { cli_parse_onoff, "1", false, 0, 1 },
	{ cli_parse_dir, "in", true, ESPTUN_DIR_IN, 4 }, { cli_parse_dir, "fwd", false, 0, 4 },
	{ cli_parse_encr, "aes-cbc", true, ESPTUN_ENCR_AES_CBC, 4 },
	{ cli_parse_encr, "aes", false, 0, 4 },
	{ cli_parse_auth, "hmac-md5-96", true, ESPTUN_AUTH_HMAC_MD5_96, 4 },
	{ cli_parse_auth, "md5", false, 0, 4 },
	{ cli_parse_state, "pending", true, ESPTUN_SA_STATE_PENDING, 4 },
	{ cli_parse_state, "expired", false, 0, 4 },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		const struct value *v = &values[i];
		uint64_t got = 0, want = 0x5555555555555555;
		const char *expected;

		memset(&got, 0x55, sizeof(got));
		expected = v->parse(v->text, &got);
		if (v->good)
			memcpy(&want, &v->value, v->size);
		if (v->good != !expected || got != want)
			fail_msg("\"%s\": %s, %llx", v->text, expected ? expected : "accepted",
				 (unsigned long long)got);
	}
}

static void test_hex(void **state)
{
	unsigned char octets[4];

	(void)state;
	assert_int_equal(cli_parse_hex("0xdeADbe", octets, 4), 3);
	assert_memory_equal(octets, "\xde\xad\xbe", 3);
	assert_int_equal(cli_parse_hex("", octets, 4), 0);
	assert_int_equal(cli_parse_hex("abc", octets, 4), -1);
	assert_int_equal(cli_parse_hex("ag", octets, 4), -1);
	assert_int_equal(cli_parse_hex("0011223344", octets, 4), -2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_empty_prefix_matches_nothing),
		cmocka_unit_test(test_show_is_default),
		cmocka_unit_test(test_help_on_each_level),
		cmocka_unit_test(test_help_is_complete),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_control_characters_are_not_echoed),
		cmocka_unit_test(test_no_keys_on_the_command_line),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
