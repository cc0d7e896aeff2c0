// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pre-shared keys from files and from text. Every buffer that held one is wiped; no message
 * contains a part of one.
 */
#include "secrets.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libike/crypto.h"

/* 0x, two digits an octet, and a line break. */
#define FILE_MAX (2 + 2 * SECRETS_PSK_MAX + 2)

int secrets_check_mode(const struct stat *st, const char *path, char *why, size_t size)
{
	uid_t me = geteuid();

	if (st->st_uid != 0 && st->st_uid != me) {
		snprintf(why, size, "%s belongs to user %u, who can read the secret in it: run chown %u %s", path,
			 (unsigned int)st->st_uid, (unsigned int)me, path);
		return -1;
	}
	if (st->st_mode & 077) {
		snprintf(why, size, "%s has mode %04o, so others than its owner can read the secret in it: "
			 "run chmod 600 %s", path, (unsigned int)(st->st_mode & 07777), path);
		return -1;
	}
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_hex(const char *text, size_t len, uint8_t *out, char *why, size_t size)
{
	size_t i;
	int high, low;

	for (i = 0; i + 1 < len; i += 2) {
		high = hex_digit(text[i]);
		low = hex_digit(text[i + 1]);
		if (high < 0 || low < 0)
			break;
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	if (i == len)
		return 0;
	snprintf(why, size, "a secret that starts with 0x needs an even number of hexadecimal digits after it");
	return -1;
}

int secrets_parse_psk(const char *text, size_t text_len, uint8_t **psk, size_t *len, char *why, size_t size)
{
	bool hex = text_len >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	size_t n = hex ? (text_len - 2) / 2 : text_len;
	uint8_t *out;

	if (!n || n > SECRETS_PSK_MAX) {
		snprintf(why, size, "the secret has %zu octets: it must have 1 to %d", n, SECRETS_PSK_MAX);
		return -1;
	}
	out = malloc(n);
	if (!out) {
		snprintf(why, size, "out of memory");
		return -1;
	}
	if (!hex) {
		memcpy(out, text, n);
	} else if (parse_hex(text + 2, text_len - 2, out, why, size)) {
		ike_crypto_wipe(out, n);
		free(out);
		return -1;
	}
	*psk = out;
	*len = n;
	return 0;
}

/* All there is, up to room octets; their number, or -1. */
static ssize_t read_all(int fd, const char *path, char *buf, size_t room, char *why, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < room) {
		n = read(fd, buf + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			snprintf(why, size, "cannot read %s: %s", path, strerror(errno));
			return -1;
		}
		if (!n)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* One line without its end; the number of octets, or -1. */
static ssize_t read_line(int fd, const char *path, char *buf, size_t room, char *why, size_t size)
{
	ssize_t n = read_all(fd, path, buf, room, why, size);
	size_t len = (size_t)n;

	if (n < 0)
		return -1;
	if (len == room) {
		snprintf(why, size, "%s is longer than any secret: it must hold one line of at most %d octets", path,
			 SECRETS_PSK_MAX);
		return -1;
	}
	if (len && buf[len - 1] == '\n')
		len--;
	if (len && buf[len - 1] == '\r')
		len--;
	if (!memchr(buf, '\n', len) && !memchr(buf, 0, len))
		return (ssize_t)len;
	snprintf(why, size, "%s must hold one line of text, or 0x and hexadecimal digits", path);
	return -1;
}

/* advice: what to do when there is no such file. */
static int open_file(const char *path, bool secret, const char *advice, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0) {
		snprintf(why, size, "cannot open %s: %s%s", path, strerror(errno), errno == ENOENT ? advice : "");
		return -1;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		snprintf(why, size, "%s is not a regular file", path);
	else if (!secret || !secrets_check_mode(&st, path, why, size))
		return fd;
	close(fd);
	return -1;
}

int secrets_read_psk(const char *path, uint8_t **psk, size_t *len, char *why, size_t size)
{
	char detail[160], buf[FILE_MAX + 1];
	int fd = open_file(path, true, ": write the secret to a file of that name with mode 0600",
			   why, size), err = -1;
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read_line(fd, path, buf, sizeof(buf), why, size);
	close(fd);
	if (n >= 0) {
		err = secrets_parse_psk(buf, (size_t)n, psk, len, detail, sizeof(detail));
		if (err)
			snprintf(why, size, "%s: %s", path, detail);
	}
	ike_crypto_wipe(buf, sizeof(buf));
	return err;
}

/* ---- octets ------------------------------------------------------------------------------------ */

#define KEY_MAX (64u << 10)
#define PUBLIC_MAX (16u << 20)		/* a CRL may be long */

/* The file, with one octet of room behind it. */
static int read_whole(int fd, const char *path, size_t max, uint8_t **data, size_t *len, char *why, size_t size)
{
	struct stat st;
	size_t room;
	ssize_t n;

	if (fstat(fd, &st) || st.st_size < 0 || (uint64_t)st.st_size > max) {
		snprintf(why, size, "%s is longer than %zu octets", path, max);
		return -1;
	}
	room = (size_t)st.st_size + 1;
	*data = malloc(room);
	n = *data ? read_all(fd, path, (char *)*data, room, why, size) : -1;
	if (n >= 0 && (size_t)n < room) {
		*len = (size_t)n;
		return 0;
	}
	if (!*data || n >= 0)
		snprintf(why, size, "cannot read %s: %s", path, !*data ? "out of memory" : "it grows while it is read");
	if (*data)
		ike_crypto_wipe(*data, room);
	free(*data);
	return -1;
}

static int read_file(const char *path, bool secret, size_t max, uint8_t **data, size_t *len, char *why, size_t size)
{
	int fd = open_file(path, secret, "", why, size), err;

	if (fd < 0)
		return -1;
	err = read_whole(fd, path, max, data, len, why, size);
	close(fd);
	return err;
}

int secrets_read_key(const char *path, uint8_t **data, size_t *len, char *why, size_t size)
{
	return read_file(path, true, KEY_MAX, data, len, why, size);
}

int secrets_read_public(const char *path, uint8_t **data, size_t *len, char *why, size_t size)
{
	return read_file(path, false, PUBLIC_MAX, data, len, why, size);
}

int secrets_read_file(const char *path, size_t max, char **text, size_t *size, char *why, size_t why_size)
{
	uint8_t *data;
	size_t len;

	if (read_file(path, true, max, &data, &len, why, why_size))
		return -1;
	data[len] = '\0';
	*text = (char *)data;
	*size = len + 1;
	return 0;
}
