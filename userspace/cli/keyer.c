// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Talks to esptund over its control socket. Knows how a request travels, not what it means.
 */
#include "cli/cli.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/keyer.h"

#define REPLY_MAX (64u << 20)	/* octets; thousands of tunnels fit */

const char *keyer_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : NULL;
}

static int dial(struct cli *c, const char *path)
{
	const struct timeval limit = { KEYER_SECONDS, 0 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		cli_wrong(c, "the path of the control socket is longer than %zu octets", sizeof(sun.sun_path) - 1);
		return -1;
	}
	memcpy(sun.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) &&
	    !connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	cli_failed(c, "cannot reach the keyer at %s: %s%s", path, strerror(errno),
		   errno == ENOENT || errno == ECONNREFUSED ? " (is esptund running?)" :
		   errno == EACCES ? " (run this as root, or as a member of the group of esptund --ctl-group)" : "");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Everything up to the end of the connection, terminated. NULL on error. */
static char *receive_all(int fd)
{
	size_t have = 0, room = 65536;
	char *text = malloc(room + 1), *grown;
	ssize_t n = 1;

	while (text && n) {
		if (have == room) {
			grown = room < REPLY_MAX ? realloc(text, 2 * room + 1) : NULL;
			if (!grown)
				break;
			text = grown;
			room *= 2;
		}
		n = recv(fd, text + have, room - have, 0);
		if (n < 0 && errno != EINTR)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	if (!text || n) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	return text;
}

static struct json_object *exchange(struct cli *c, int fd, struct json_object *request)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	struct json_object *reply = NULL;
	char *answer = NULL;

	if (text && send_all(fd, text, strlen(text)) && send_all(fd, "\n", 1))
		answer = receive_all(fd);
	if (answer)
		reply = json_tokener_parse(answer);
	free(answer);
	if (json_object_is_type(reply, json_type_object))
		return reply;
	json_object_put(reply);
	cli_failed(c, "the keyer did not answer");
	return NULL;
}

struct json_object *keyer_ask(struct cli *c, const char *path, struct json_object *request,
			      bool refused)
{
	struct json_object *reply = NULL, *ok;
	const char *why;
	int fd = dial(c, path);

	if (fd >= 0) {
		reply = exchange(c, fd, request);
		close(fd);
	}
	json_object_put(request);
	if (!reply || refused)
		return reply;
	if (json_object_object_get_ex(reply, "ok", &ok) && json_object_get_boolean(ok))
		return reply;
	why = keyer_text(reply, "error");
	cli_failed(c, "%s", why ? why : "the keyer refused");
	json_object_put(reply);
	return NULL;
}
