// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key files: what is read, what is refused, and that neither an error nor a failed read
 * leaves key octets behind.
 */
#include "tests/cli_run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keyfile.h"
#include "tests/fake_kernel.h"

#define HEX16	"000102030405060708090a0b0c0d0e0f"

static char *errors;

static int parse(const char *text, struct esptun_keys *keys)
{
	struct cli c = { .objects = NULL };
	char *copy = strdup(text);
	size_t len;
	int ret;

	free(errors);
	out_init(&c.out, stdout, false, false);
	c.err = open_memstream(&errors, &len);
	ret = cli_keyfile_parse(&c, "k", copy, keys);
	fclose(c.err);
	free(copy);
	return ret;
}

static void test_both_keys(void **state)
{
	static const uint8_t want[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct esptun_keys keys;

	(void)state;
	assert_int_equal(parse("# manual keys\n\n  encr-key =\t0x" HEX16 "  # tail\r\n"
			       "auth-key=" HEX16 "0a", &keys), CLI_OK);
	assert_int_equal(keys.encr_len, 16);
	assert_memory_equal(keys.encr, want, 16);
	assert_int_equal(keys.auth_len, 17);
	assert_int_equal(keys.auth[16], 10);
}

static void test_one_key(void **state)
{
	struct esptun_keys keys;

	(void)state;
	assert_int_equal(parse("auth-key = 0011", &keys), CLI_OK);
	assert_int_equal(keys.encr_len, 0);
	assert_int_equal(keys.auth_len, 2);
}

static void test_wrong_text(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "", "k: no key in it" },
		{ "# nothing\n", "k: no key in it" },
		{ HEX16, "k:1: expected \"encr-key = HEX\"" },
		{ "key = " HEX16, "k:1: the names of keys are encr-key and auth-key" },
		{ "\nencr-key = " HEX16 "a", "k:2: encr-key must be hex digits" },
		{ "encr-key = " HEX16 "\nencr-key = " HEX16, "k:2: encr-key is given twice" },
		{ "encr-key =", "k:1: encr-key must be hex digits" },
		{ "encr-key = 00 11", "k:1: encr-key must be hex digits" },
		{ "auth-key = " HEX16 HEX16 HEX16 HEX16 "00", "k:1: auth-key is longer than 64 octets" },
		{ "encr-key = 00\nauth-key = xyz", "k:2: auth-key must be hex digits" },
	};
	static const struct esptun_keys none;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esptun_keys keys;

		memset(&keys, 0xaa, sizeof(keys));
		assert_int_equal(parse(cases[i].text, &keys), CLI_USAGE);
		if (!strstr(errors, cases[i].error))
			fail_msg("\"%s\" gave %s", cases[i].text, errors);
		assert_null(strstr(errors, "0001020304"));
		assert_memory_equal(&keys, &none, sizeof(keys));
	}
}

static void write_file(char *name, const char *text, size_t len, mode_t mode)
{
	int fd;

	strcpy(name, "/tmp/esptun-test-keyXXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void add_with(const char *file, int code, const char *error)
{
	char line[256];

	fake.last[0] = '\0';
	snprintf(line, sizeof(line), "sa add dev paris0 dir in spi 0x1000 keyfile %s", file);
	if (code == CLI_OK)
		expect_run(&(struct run_options){ .stats = 0 }, line, CLI_OK, "", "");
	else
		expect_wrong(line, code, error, "0001020304");
	assert_string_equal(fake.last, code == CLI_OK ? "sa_new" : "");
}

static void test_file_modes(void **state)
{
	static const char text[] = "encr-key = " HEX16 "11223344\n";
	static const struct { mode_t mode; bool good; } modes[] = {
		{ 0600, true }, { 0400, true }, { 0640, false }, { 0604, false }, { 0620, false },
		{ 0602, false }, { 0644, false },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_file(name, text, strlen(text), modes[i].mode);
		add_with(name, modes[i].good ? CLI_OK : CLI_USAGE, "lets group or others at the keys");
		unlink(name);
	}
	assert_int_equal(fake.keys.encr_len, 20);
}

/* Its owner can read and change it, whatever its mode. */
static void test_file_of_another_user(void **state)
{
	static const char text[] = "encr-key = " HEX16 "\n";
	char name[64];

	(void)state;
	if (geteuid() != 0)
		skip();
	write_file(name, text, strlen(text), 0600);
	assert_int_equal(chown(name, 65534, 65534), 0);
	add_with(name, CLI_USAGE, "belongs to user 65534");
	unlink(name);
}

static void test_files_that_are_none(void **state)
{
	static char big[5000];
	char name[64];

	(void)state;
	add_with("/nonexistent/key", CLI_USAGE, "No such file or directory");
	add_with("/tmp", CLI_USAGE, "is a directory");
	memset(big, '#', sizeof(big));
	write_file(name, big, sizeof(big), 0600);
	add_with(name, CLI_USAGE, "longer than 4095 octets");
	unlink(name);
	write_file(name, "encr-key = 00\0auth", 18, 0600);
	add_with(name, CLI_USAGE, "octets of value 0");
	unlink(name);
}

static void test_standard_input(void **state)
{
	static const char text[] = "encr-key = " HEX16 "11223344\n";
	int fds[2], saved = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	add_with("-", CLI_OK, NULL);
	assert_int_equal(fake.keys.encr_len, 20);
	dup2(saved, STDIN_FILENO);
	close(fds[0]);
	close(saved);
}

static int forget(void **state)
{
	(void)state;
	free(errors);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_keys),
		cmocka_unit_test(test_one_key),
		cmocka_unit_test(test_wrong_text),
		cmocka_unit_test(test_file_modes),
		cmocka_unit_test(test_file_of_another_user),
		cmocka_unit_test(test_files_that_are_none),
		cmocka_unit_test(test_standard_input),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
