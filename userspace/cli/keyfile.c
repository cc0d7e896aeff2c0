// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads keys with plain read(2) into one buffer that is wiped; stdio would leave copies.
 * Errors name file, line and lengths, never what the line says.
 */
#include "cli/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/parse.h"

#define FILE_MAX	4096
#define BLANKS		" \t\r"

struct slot {
	const char *name;
	unsigned char *octets;
	int room;
	size_t *len;
};

static int parse_value(struct cli *c, const char *name, int line, const struct slot *slot,
		       const char *hex)
{
	int len;

	if (*slot->len)
		return cli_wrong(c, "%s:%d: %s is given twice", name, line, slot->name);
	len = cli_parse_hex(hex, slot->octets, slot->room);
	if (len == -2)
		return cli_wrong(c, "%s:%d: %s is longer than %d octets", name, line, slot->name,
				 slot->room);
	if (len <= 0)
		return cli_wrong(c, "%s:%d: %s must be hex digits, two for each octet", name, line,
				 slot->name);
	*slot->len = (size_t)len;
	return CLI_OK;
}

/* Cuts blanks off both ends in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
	return text;
}

static int parse_line(struct cli *c, const char *name, int line, char *text,
		      struct esptun_keys *keys)
{
	const struct slot slots[] = {
		{ "encr-key", keys->encr, sizeof(keys->encr), &keys->encr_len },
		{ "auth-key", keys->auth, sizeof(keys->auth), &keys->auth_len },
	};
	char *value;

	text[strcspn(text, "#")] = '\0';
	text = trim(text);
	if (!*text)
		return CLI_OK;
	value = strchr(text, '=');
	if (!value)
		return cli_wrong(c, "%s:%d: expected \"encr-key = HEX\" or \"auth-key = HEX\"",
				 name, line);
	*value++ = '\0';
	text = trim(text);
	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (strcmp(text, slots[i].name) == 0)
			return parse_value(c, name, line, &slots[i], trim(value));
	return cli_wrong(c, "%s:%d: the names of keys are encr-key and auth-key", name, line);
}

int cli_keyfile_parse(struct cli *c, const char *name, char *text, struct esptun_keys *keys)
{
	int ret = CLI_OK, line = 1;
	char *end;

	memset(keys, 0, sizeof(*keys));
	for (; ret == CLI_OK && text; text = end, line++) {
		end = strchr(text, '\n');
		if (end)
			*end++ = '\0';
		ret = parse_line(c, name, line, text, keys);
	}
	if (ret == CLI_OK && !keys->encr_len && !keys->auth_len)
		ret = cli_wrong(c, "%s: no key in it", name);
	if (ret != CLI_OK)
		esptun_wipe(keys, sizeof(*keys));
	return ret;
}

/* A pipe or a terminal has no mode that says who could read it. */
static int check_mode(struct cli *c, const char *name, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return cli_wrong(c, "%s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return cli_wrong(c, "%s: is a directory", name);
	if (S_ISREG(st.st_mode) && st.st_mode & 077)
		return cli_wrong(c, "%s: mode %04o lets group or others at the keys, "
				 "use \"chmod 600\"; and if they were read, use other keys",
				 name, (unsigned int)st.st_mode & 07777);
	if (S_ISREG(st.st_mode) && st.st_uid != 0 && st.st_uid != geteuid())
		return cli_wrong(c, "%s: belongs to user %u, who can read and change the keys, "
				 "use \"chown %u\"", name, (unsigned int)st.st_uid, (unsigned int)geteuid());
	return CLI_OK;
}

static int read_all(struct cli *c, const char *name, int fd, char *buf, size_t room)
{
	size_t at = 0;
	ssize_t got;

	do {
		got = read(fd, buf + at, room - at);
		if (got > 0)
			at += (size_t)got;
	} while ((got > 0 && at < room) || (got < 0 && errno == EINTR));
	if (got < 0)
		return cli_wrong(c, "%s: %s", name, strerror(errno));
	if (at == room)
		return cli_wrong(c, "%s: longer than %zu octets, no key file", name, room - 1);
	if (memchr(buf, '\0', at))
		return cli_wrong(c, "%s: holds octets of value 0, no key file", name);
	buf[at] = '\0';
	return CLI_OK;
}

static int read_fd(struct cli *c, const char *name, int fd, struct esptun_keys *keys)
{
	char buf[FILE_MAX];
	int ret = check_mode(c, name, fd);

	if (ret == CLI_OK)
		ret = read_all(c, name, fd, buf, sizeof(buf));
	if (ret == CLI_OK)
		ret = cli_keyfile_parse(c, name, buf, keys);
	esptun_wipe(buf, sizeof(buf));
	return ret;
}

int cli_keyfile_read(struct cli *c, const char *name, struct esptun_keys *keys)
{
	int fd, ret;

	memset(keys, 0, sizeof(*keys));
	if (strcmp(name, "-") == 0) {
		if (c->stdin_taken)
			return cli_wrong(c, "keyfile -: standard input is the batch, name a file");
		return read_fd(c, "standard input", STDIN_FILENO, keys);
	}
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && args_maybe_key(name))
		return args_no_keys(c);
	if (fd < 0)
		return cli_wrong(c, "keyfile %s: %s", name, strerror(errno));
	ret = read_fd(c, name, fd, keys);
	close(fd);
	return ret;
}
