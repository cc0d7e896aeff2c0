// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The file of XAUTH users: right and wrong passwords, names that are not there, lines that are none,
 * files that others can read; and the keys of the configuration about XAUTH, mode config and
 * aggressive mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "esptund/conf.h"
#include "esptund/users.h"
#include "files.h"

static char findings[8192];

static const char *hash(const char *method, const char *password)
{
	static char salt[CRYPT_GENSALT_OUTPUT_SIZE];
	static struct crypt_data data;

	assert_non_null(crypt_gensalt_rn(method, 0, NULL, 0, salt, sizeof(salt)));
	return crypt_r(password, salt, &data);
}

static struct users *users(const char *text, char *why, size_t size)
{
	unsigned int line;

	write_file("users", text, strlen(text), 0600);
	return users_read(path_of("users"), why, size, &line);
}

static bool check(const struct users *u, const char *name, const char *password)
{
	return users_check(u, name, strlen(name), password, strlen(password));
}

static void right_and_wrong_passwords(void **state)
{
	char text[1200], why[600] = "";
	struct users *u;
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "# a comment\n\nalice:%s\n", hash("$y$", "wonderland"));
	n += snprintf(text + n, sizeof(text) - (size_t)n, "bert:%s\r\n", hash("$6$", "not the same"));
	snprintf(text + n, sizeof(text) - (size_t)n, "carol:%s", hash("$1$", "old"));
	u = users(text, why, sizeof(why));
	if (!u)
		fail_msg("%s", why);
	assert_true(check(u, "alice", "wonderland"));
	assert_true(check(u, "bert", "not the same"));
	assert_true(check(u, "carol", "old"));
	assert_false(check(u, "alice", "wonderlan"));
	assert_false(check(u, "alice", "wonderland2"));
	assert_false(check(u, "alice", ""));
	assert_false(check(u, "alic", "wonderland"));
	assert_false(check(u, "dora", "wonderland"));
	assert_false(check(u, "", "wonderland"));
	assert_false(users_check(u, "alice", 5, "wonderland\0x", 12));
	assert_false(check(NULL, "alice", "wonderland"));
	assert_string_equal(users_weakness(u), "MD5");
	users_free(u);
}

/* A hash that somebody locked lets nobody in, not even with the text of it. */
static void locked_hashes(void **state)
{
	char why[600];

	(void)state;
	assert_null(users("alice:!\n", why, sizeof(why)));
	assert_null(users("alice:*\n", why, sizeof(why)));
	assert_null(users("alice:*0\n", why, sizeof(why)));
}

static void lines_that_are_none(void **state)
{
	static const struct { const char *text, *why; } tab[] = {
		{ "", "has no user" },
		{ "# nobody\n", "has no user" },
		{ "alice\n", "line 1 must be NAME:HASH" },
		{ "\n:x\n", "line 2 must be NAME:HASH" },
		{ "alice:\n", "line 1 must be NAME:HASH" },
		{ "alice:wonderland\n", "line 1 has no hash that crypt knows" },
		{ "al\x01ice:$6$a$b\n", "line 1 has a name that is too long or has other than printable" },
		{ "alice:$6$a$b\nalice:$6$a$b\n", "line 2 has a user that is there before" },
	};
	char why[600];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct users *u = users(tab[i].text, why, sizeof(why));

		if (u || !strstr(why, tab[i].why) || strstr(why, "is not a text"))
			fail_msg("\"%s\": %s", tab[i].text, u ? "taken" : why);
		assert_null(strstr(why, "wonderland"));
	}
}

static void files_that_others_can_read(void **state)
{
	char why[600];
	unsigned int line;

	(void)state;
	write_file("users", "alice:$6$a$b\n", 13, 0644);
	assert_null(users_read(path_of("users"), why, sizeof(why), &line));
	assert_non_null(strstr(why, "mode 0644"));
	write_file("users", "alice:$6$a$b\0x\n", 15, 0600);
	assert_null(users_read(path_of("users"), why, sizeof(why), &line));
	assert_non_null(strstr(why, "is not a text"));
	assert_null(users_read(path_of("none"), why, sizeof(why), &line));
	assert_non_null(strstr(why, "No such file"));
}

/* ---- configuration ------------------------------------------------------------------------------- */

static void collect(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	size_t n = strlen(findings);

	(void)ctx;
	(void)file;
	snprintf(findings + n, sizeof(findings) - n, "%s %u: %s\n", severity == CONF_ERROR ? "error" : "warning", line, text);
}

static struct conf *load(const char *more)
{
	char text[2000];

	snprintf(text, sizeof(text), "tunnel a {\n\tremote = 192.0.2.2\n\tlocal = 192.0.2.1\n\tpsk-file = key\n%s\n}\n", more);
	findings[0] = '\0';
	write_file("esptun.conf", text, strlen(text), 0600);
	return conf_load(path_of("esptun.conf"), collect, NULL);
}

static void refused(const char *more, const char *why)
{
	struct conf *c = load(more);

	if (c || !strstr(findings, why))
		fail_msg("%s: expected \"%s\", found %s", more, why, findings);
}

static void server_and_client(void **state)
{
	char text[300];
	struct conf *c;
	int n;

	(void)state;
	n = snprintf(text, sizeof(text), "alice:%s\n", hash("$6$", "wonderland"));
	write_file("users", text, (size_t)n, 0600);
	c = load("policy = insecure\nxauth = server\nxauth-users = users\nmode-config = push\n"
		 "address-pool = \"10.9.0.0/24\"\naddress-dns = { 10.9.0.1, 10.9.0.2 }");
	if (!c)
		fail_msg("%s", findings);
	assert_int_equal(c->ike.tunnel[0].xauth, IKE_XAUTH_SERVER);
	assert_int_equal(c->ike.tunnel[0].modecfg, IKE_MODECFG_PUSH);
	assert_int_equal(c->ike.tunnel[0].pool_first.ip[3], 1);
	assert_int_equal(c->ike.tunnel[0].pool_last.ip[3], 254);
	assert_int_equal(c->ike.tunnel[0].n_dns, 2);
	assert_true(users_check(c->tunnel[0].users, "alice", 5, "wonderland", 10));
	assert_non_null(strstr(findings, "whoever knows the key can pose as the server"));
	conf_free(c);
	c = load("policy = insecure\nxauth = client\nxauth-user = alice\nxauth-password-file = password\nmode-config = pull");
	if (!c)
		fail_msg("%s", findings);
	assert_string_equal(c->ike.tunnel[0].xauth_user, "alice");
	assert_int_equal(c->ike.tunnel[0].xauth_password_len, 10);
	assert_memory_equal(c->ike.tunnel[0].xauth_password, "wonderland", 10);
	conf_free(c);
	c = load("mode-config = pull\naddress-pool = 10.9.0.7");
	assert_non_null(c);
	assert_int_equal(c->ike.tunnel[0].pool_first.ip[3], 7);
	assert_int_equal(c->ike.tunnel[0].pool_last.ip[3], 7);
	conf_free(c);
}

static void mistakes(void **state)
{
	(void)state;
	refused("xauth = yes", "must be off, client or server");
	refused("xauth = client\nxauth-user = alice\nxauth-password-file = password", "policy = insecure is needed");
	refused("policy = insecure\nxauth = client\nxauth-user = alice", "needs xauth-user and xauth-password-file");
	refused("policy = insecure\nxauth = server", "needs xauth-users");
	refused("policy = insecure\nxauth = server\nxauth-users = none", "No such file");
	refused("policy = insecure\nxauth = client\nxauth-user = \"\"", "a user name of 1 to 127");
	refused("mode-config = on", "must be off, pull or push");
	refused("mode-config = pull\naddress-pool = \"10.9.0.9-10.9.0.1\"", "IPv4 addresses such as");
	refused("mode-config = pull\naddress-pool = \"10.9.0.0/31\"", "IPv4 addresses such as");
	refused("mode-config = pull\naddress-pool = \"10.9.0.0-\"", "IPv4 addresses such as");
	refused("address-pool = 10.9.0.1", "need mode-config = pull or push");
	refused("mode-config = pull\naddress-dns = 10.9.0.1", "address-pool is missing");
	refused("mode-config = pull\naddress-pool = 10.9.0.2\naddress-dns = any", "an IPv4 address");
}

static void aggressive_mode_is_flagged(void **state)
{
	struct conf *c;

	(void)state;
	c = load("exchange = aggressive\naggressive-psk = insecure-yes\n"
		 "phase1 = { \"aes256-sha256-modp2048\", \"aes256-sha256-ecp256\" }");
	assert_non_null(c);
	assert_true(c->ike.tunnel[0].aggressive);
	assert_true(c->ike.tunnel[0].aggressive_psk);
	assert_non_null(strstr(findings, "warning 6: tunnel a answers aggressive mode"));
	assert_non_null(strstr(findings, "aggressive mode carries one group"));
	assert_non_null(strstr(findings, "\"aes256-sha256-ecp256\" is not offered"));
	conf_free(c);
	c = load("");
	assert_non_null(c);
	assert_false(c->ike.tunnel[0].aggressive);
	assert_false(c->ike.tunnel[0].aggressive_psk);
	conf_free(c);
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	write_file("key", "0123456789abcdef0123456789abcdef\n", 33, 0600);
	write_file("password", "wonderland\n", 11, 0600);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "key", "password", "users", "esptun.conf" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	return rmdir(test_dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_and_wrong_passwords),
		cmocka_unit_test(locked_hashes),
		cmocka_unit_test(lines_that_are_none),
		cmocka_unit_test(files_that_others_can_read),
		cmocka_unit_test(server_and_client),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(aggressive_mode_is_flagged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
