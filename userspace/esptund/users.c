// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the file of users. See users.h. What was typed is wiped after each use.
 */
#include "users.h"

#include <crypt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libike/crypto.h"
#include "libike/ike.h"
#include "secrets.h"

struct user {
	char *name, *hash;		/* in users.text */
};

struct users {
	char *text;			/* the file, cut into strings */
	size_t size;
	struct user *user;
	size_t n;
};

void users_free(struct users *u)
{
	if (!u)
		return;
	if (u->text)
		ike_crypto_wipe(u->text, u->size);
	free(u->text);
	free(u->user);
	free(u);
}

static const struct user *find(const struct users *u, const void *name, size_t len)
{
	size_t i;

	for (i = 0; u && i < u->n; i++)
		if (strlen(u->user[i].name) == len && !memcmp(u->user[i].name, name, len))
			return &u->user[i];
	return NULL;
}

/* One line without its end. False: *why says what is wrong. */
static bool parse_line(struct users *u, char *line, const char **why)
{
	char *colon = strchr(line, ':');
	struct user *grown;
	const char *p;

	if (!*line || *line == '#')
		return true;
	*why = "must be NAME:HASH";
	if (!colon || colon == line || !colon[1])
		return false;
	*colon = '\0';
	*why = "has a name that is too long or has other than printable ASCII characters";
	if (strlen(line) > IKE_XAUTH_MAX)
		return false;
	for (p = line; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	*why = "has a user that is there before";
	if (find(u, line, strlen(line)))
		return false;
	*why = "has no hash that crypt knows: make one with mkpasswd -m yescrypt";
	/* The oldest kinds have no mark: a password in clear could be taken for one. */
	if (colon[1] != '$')
		return false;
	if (crypt_checksalt(colon + 1) != CRYPT_SALT_OK && crypt_checksalt(colon + 1) != CRYPT_SALT_METHOD_LEGACY)
		return false;
	*why = "is too much for memory";
	grown = realloc(u->user, (u->n + 1) * sizeof(*grown));
	if (!grown)
		return false;
	u->user = grown;
	u->user[u->n++] = (struct user){ line, colon + 1 };
	return true;
}

static bool parse(struct users *u, char *why, size_t size, unsigned int *line)
{
	const char *what = "";
	char *p = u->text, *end;

	for (*line = 1; *p; p = end, ++*line) {
		end = p + strcspn(p, "\n");
		if (*end)
			*end++ = '\0';
		p[strcspn(p, "\r")] = '\0';
		if (parse_line(u, p, &what))
			continue;
		snprintf(why, size, "line %u %s", *line, what);
		return false;
	}
	*line = 0;
	if (!u->n)
		snprintf(why, size, "has no user");
	return u->n != 0;
}

struct users *users_read(const char *path, char *why, size_t size, unsigned int *line)
{
	struct users *u = calloc(1, sizeof(*u));
	char detail[200];

	*line = 0;
	if (!u) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	if (secrets_read_file(path, USERS_FILE_MAX, &u->text, &u->size, why, size)) {
		users_free(u);
		return NULL;
	}
	if (strlen(u->text) + 1 != u->size)
		snprintf(detail, sizeof(detail), "is not a text");
	else if (parse(u, detail, sizeof(detail), line))
		return u;
	snprintf(why, size, "%s: %s", path, detail);
	users_free(u);
	return NULL;
}

bool users_check(const struct users *u, const void *name, size_t name_len, const void *password, size_t password_len)
{
	/* Of nobody's password: the work is the same. */
	static const char nobody[] = "$y$j9T$UqLZdAGNqVOGfDIsXyhSj/$5c9tmtYNDxRcMxDcDBbMXsmhh1gnVXtPYuoTNTxnHm6";
	const struct user *user = find(u, name, name_len);
	char text[IKE_XAUTH_MAX + 1];
	struct crypt_data *data;
	const char *hash = NULL;
	bool ok = false;

	if (!password_len || password_len > IKE_XAUTH_MAX || memchr(password, 0, password_len))
		return false;
	data = calloc(1, sizeof(*data));
	memcpy(text, password, password_len);
	text[password_len] = '\0';
	if (data)
		hash = crypt_r(text, user ? user->hash : nobody, data);
	if (hash && user && *hash != '*' && strlen(hash) == strlen(user->hash))
		ok = ike_crypto_equal(hash, user->hash, strlen(hash));
	ike_crypto_wipe(text, sizeof(text));
	if (data)
		ike_crypto_wipe(data, sizeof(*data));
	free(data);
	return ok;
}

const char *users_weakness(const struct users *u)
{
	static const struct { const char *prefix, *name; } weak[] = { { "$1$", "MD5" }, { "$3$", "NTLM" }, { "$sha1$", "SHA1" } };
	size_t i, j;

	for (i = 0; i < u->n; i++)
		for (j = 0; j < sizeof(weak) / sizeof(weak[0]); j++)
			if (!strncmp(u->user[i].hash, weak[j].prefix, strlen(weak[j].prefix)))
				return weak[j].name;
	return NULL;
}
