// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the control socket, its clients and their limits: number, per user, size, depth,
 * time. Never blocks: a client that does not read its reply only holds its own slot until
 * its time is over.
 */
#define _GNU_SOURCE
#include "ctl.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <grp.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define JSON_DEPTH 8
#define GROUPS_MAX 256
#define NO_GROUP ((gid_t)-1)

struct client {
	struct client *next, **link;
	struct ctl *ctl;
	struct bufferevent *bev;
	uid_t uid;
	bool answered;
};

struct ctl {
	struct loop *loop;
	struct log *log;
	struct evconnlistener *listener;
	struct client *clients;
	char *path;		/* NULL: removing it is not ours */
	uid_t owner;		/* who opened it */
	gid_t group;
	ctl_fn fn;
	void *ctx;
};

void ctl_refuse(struct json_object *reply, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_object_add(reply, "ok", json_object_new_boolean(0));
	json_object_object_add(reply, "error", json_object_new_string(text));
}

/* ---- who may ---------------------------------------------------------------------------- */

static bool in_group(int fd, gid_t primary, gid_t wanted)
{
	gid_t groups[GROUPS_MAX];
	socklen_t len = sizeof(groups);

	if (wanted == NO_GROUP)
		return false;
	if (primary == wanted)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len))
		return false;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == wanted)
			return true;
	return false;
}

/* The socket's mode says the same, but an inherited or passed descriptor gets past that. */
static bool peer_allowed(struct ctl *c, int fd, uid_t *uid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return false;
	*uid = cred.uid;
	return cred.uid == 0 || cred.uid == c->owner || in_group(fd, cred.gid, c->group);
}

static bool has_room(struct ctl *c, uid_t uid)
{
	unsigned int all = 0, same = 0;

	for (struct client *cl = c->clients; cl; cl = cl->next) {
		all++;
		same += cl->uid == uid;
	}
	return all < CTL_CLIENTS_MAX && (uid == 0 || same < CTL_CLIENTS_PER_UID);
}

/* ---- clients ---------------------------------------------------------------------------- */

static void client_free(struct client *cl)
{
	*cl->link = cl->next;
	if (cl->next)
		cl->next->link = cl->link;
	bufferevent_free(cl->bev);
	free(cl);
}

static struct json_object *parse(const char *text, size_t len)
{
	struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH);
	struct json_object *o;

	if (!tok)
		return NULL;
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
	/* The terminator is part of the input: without it "12" could still become "123". */
	o = json_tokener_parse_ex(tok, text, (int)len + 1);
	if (json_tokener_get_error(tok) != json_tokener_success || !json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

static void send_reply(struct client *cl, struct json_object *reply)
{
	struct evbuffer *out = bufferevent_get_output(cl->bev);

	cl->answered = true;
	bufferevent_disable(cl->bev, EV_READ);
	evbuffer_add_printf(out, "%s\n", json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
}

static void handle(struct client *cl, const char *text, size_t len)
{
	struct json_object *reply = json_object_new_object(), *request = NULL;

	json_object_object_add(reply, "ok", json_object_new_boolean(1));
	if (len >= CTL_REQUEST_MAX)
		ctl_refuse(reply, "the request is longer than %d octets", CTL_REQUEST_MAX);
	else if (!(request = parse(text, len)))
		ctl_refuse(reply, "the request is not a JSON object on one line");
	else
		cl->ctl->fn(cl->ctl->ctx, request, reply);
	send_reply(cl, reply);
	json_object_put(request);
	json_object_put(reply);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len;
	char *line;

	if (cl->answered)
		return;
	line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);
	if (line)
		handle(cl, line, len);
	else if (evbuffer_get_length(in) >= CTL_REQUEST_MAX)
		handle(cl, "", CTL_REQUEST_MAX);
	free(line);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct client *cl = arg;

	if (cl->answered && !evbuffer_get_length(bufferevent_get_output(bev)))
		client_free(cl);
}

static void on_gone(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

static void client_new(struct ctl *c, int fd, uid_t uid)
{
	const struct timeval idle = { CTL_IDLE_SECONDS, 0 };
	struct client *cl = calloc(1, sizeof(*cl));

	if (cl)
		cl->bev = bufferevent_socket_new(loop_base(c->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (!cl || !cl->bev) {
		free(cl);
		close(fd);
		return;
	}
	cl->ctl = c;
	cl->uid = uid;
	cl->next = c->clients;
	cl->link = &c->clients;
	if (cl->next)
		cl->next->link = &cl->next;
	c->clients = cl;
	bufferevent_setcb(cl->bev, on_read, on_written, on_gone, cl);
	bufferevent_setwatermark(cl->bev, EV_READ, 0, CTL_REQUEST_MAX);
	bufferevent_set_timeouts(cl->bev, &idle, &idle);
	bufferevent_enable(cl->bev, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct ctl *c = arg;
	uid_t uid = 0;

	(void)l;
	(void)sa;
	(void)len;
	if (peer_allowed(c, fd, &uid) && has_room(c, uid))
		client_new(c, fd, uid);
	else
		close(fd);
}

/* ---- socket ----------------------------------------------------------------------------- */

/* Remove a socket nobody listens on. -EADDRINUSE when somebody does, or when it is something else. */
static int clear_stale(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) || errno == EAGAIN)
		err = -EADDRINUSE;
	else if (errno == ECONNREFUSED && !lstat(sun->sun_path, &st) && S_ISSOCK(st.st_mode))
		err = unlink(sun->sun_path) ? -errno : 0;
	else if (errno != ENOENT)
		err = -errno;
	close(fd);
	return err;
}

/* The directory below /run is gone after a reboot; only its last part is made. */
static int make_directory(const char *path)
{
	char *copy = strdup(path);
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (mkdir(dirname(copy), 0755) && errno != EEXIST)
		err = -errno;
	free(copy);
	return err;
}

static int listen_on(struct ctl *c, const struct sockaddr_un *sun, int *out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), err = 0;
	mode_t old;

	if (fd < 0)
		return -errno;
	old = umask(0117);	/* never open to others, not even for a moment */
	if (bind(fd, (const struct sockaddr *)sun, sizeof(*sun)))
		err = -errno;
	umask(old);
	if (!err && c->group != NO_GROUP && chown(sun->sun_path, (uid_t)-1, c->group))
		err = -errno;
	if (!err && listen(fd, CTL_CLIENTS_MAX))
		err = -errno;
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}

static int find_group(struct ctl *c, const char *name)
{
	struct group *gr;

	c->group = NO_GROUP;
	if (!name)
		return 0;
	errno = 0;
	gr = getgrnam(name);
	if (!gr)
		return errno ? -errno : -ENOENT;
	c->group = gr->gr_gid;
	return 0;
}

static int open_socket(struct ctl *c, const struct ctl_options *o, int *fd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int err;

	if (strlen(o->path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, o->path, strlen(o->path));
	err = find_group(c, o->group);
	if (!err)
		err = make_directory(o->path);
	if (!err)
		err = clear_stale(&sun);
	if (!err)
		err = listen_on(c, &sun, fd);
	if (!err && !(c->path = strdup(o->path)))
		err = -ENOMEM;
	return err;
}

struct ctl *ctl_open(struct loop *lp, struct log *log, const struct ctl_options *o, ctl_fn fn, void *ctx)
{
	struct ctl *c = calloc(1, sizeof(*c));
	int fd = -1, err;

	if (!c)
		return NULL;
	c->loop = lp;
	c->log = log;
	c->fn = fn;
	c->ctx = ctx;
	c->owner = geteuid();
	err = open_socket(c, o, &fd);
	if (!err) {
		c->listener = evconnlistener_new(loop_base(lp), on_accept, c,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
		if (c->listener)
			return c;
		err = -ENOMEM;
	}
	if (fd >= 0)
		close(fd);
	log_line(log, IKE_LOG_ERROR, "ctl-open-failed", NULL, "control socket %s: %s%s", o->path, strerror(-err),
		 err == -EADDRINUSE ? " (is another keyer running?)" : "");
	ctl_close(c);
	return NULL;
}

void ctl_leave_socket(struct ctl *c)
{
	free(c->path);
	c->path = NULL;
}

void ctl_close(struct ctl *c)
{
	if (!c)
		return;
	while (c->clients)
		client_free(c->clients);
	if (c->listener) {
		evconnlistener_free(c->listener);
		if (c->path)
			unlink(c->path);
	}
	free(c->path);
	free(c);
}
