// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund/ctl.c: one request, one reply, and a client that misbehaves only harms itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/ctl.h"

#define TURNS 2000	/* of 10 ms at most: the deadline of everything awaited */

struct fixture {
	char dir[32], path[64];
	struct loop *loop;
	struct log *log;
	struct ctl *ctl;
	unsigned int requests;
	char text[1 << 20];
};

static void on_request(void *ctx, struct json_object *request, struct json_object *reply)
{
	struct fixture *f = ctx;
	struct json_object *v;

	f->requests++;
	if (json_object_object_get_ex(request, "refuse", &v))
		ctl_refuse(reply, "refused because of %s", json_object_get_string(v));
	else if (json_object_object_get_ex(request, "big", &v))
		for (int i = 0; i < json_object_get_int(v); i++) {
			char key[16];

			snprintf(key, sizeof(key), "k%d", i);
			json_object_object_add(reply, key, json_object_new_string("0123456789012345678901234567890123456789"));
		}
	else
		json_object_object_add(reply, "echo", json_object_get(request));
}

static struct ctl *open_ctl(struct fixture *f)
{
	const struct ctl_options o = { .path = f->path };

	return ctl_open(f->loop, f->log, &o, on_request, f);
}

static int setup(void **state)
{
	struct log_options lo = { .fd = -1, .level = IKE_LOG_ERROR };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_ctl.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	/* In a directory that does not exist yet. */
	snprintf(f->path, sizeof(f->path), "%s/run/ctl", f->dir);
	f->loop = loop_new();
	f->log = log_new(&lo);
	f->ctl = open_ctl(f);
	assert_non_null(f->ctl);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char sub[64];

	ctl_close(f->ctl);
	assert_int_equal(access(f->path, F_OK), -1);
	snprintf(sub, sizeof(sub), "%s/run", f->dir);
	rmdir(sub);
	rmdir(f->dir);
	loop_free(f->loop);
	log_free(f->log);
	free(f);
	return 0;
}

static int client(struct fixture *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	strcpy(sun.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turn(struct fixture *f)
{
	event_base_loop(loop_base(f->loop), EVLOOP_NONBLOCK);
}

/* Everything up to the end of the connection. NULL if it does not end. */
static const char *hear(struct fixture *f, int fd)
{
	size_t n = 0;

	for (int i = 0; i < TURNS; i++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		turn(f);
		if (poll(&p, 1, 10) <= 0)
			continue;
		got = recv(fd, f->text + n, sizeof(f->text) - n - 1, 0);
		if (!got || (got < 0 && errno != EAGAIN)) {
			f->text[n] = '\0';
			close(fd);
			return f->text;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	return NULL;
}

static const char *ask(struct fixture *f, const char *request)
{
	int fd = client(f);

	say(fd, request);
	return hear(f, fd);
}

static void one_request_one_reply(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(ask(f, "{\"command\": \"status\"}\n"), "{\"ok\":true,\"echo\":{\"command\":\"status\"}}\n");
	assert_string_equal(ask(f, "{\"refuse\":\"x\"}\n"), "{\"ok\":false,\"error\":\"refused because of x\"}\n");
	/* What follows the first request is not read. */
	assert_string_equal(ask(f, "{}\n{}\n"), "{\"ok\":true,\"echo\":{}}\n");
	assert_int_equal(f->requests, 3);
}

static void a_request_in_pieces(void **state)
{
	struct fixture *f = *state;
	int fd = client(f);

	for (const char *p = "{\"a\":1}"; *p; p++) {
		char one[2] = { *p, '\0' };

		say(fd, one);
		turn(f);
	}
	assert_int_equal(f->requests, 0);
	say(fd, "\n");
	assert_string_equal(hear(f, fd), "{\"ok\":true,\"echo\":{\"a\":1}}\n");
}

static void a_large_reply_arrives_whole(void **state)
{
	struct fixture *f = *state;
	const char *text = ask(f, "{\"big\":10000}\n");

	assert_non_null(text);
	assert_true(strlen(text) > 400000);
	assert_string_equal(text + strlen(text) - 3, "\"}\n");
}

static void nonsense_is_refused(void **state)
{
	static const char *const bad[] = {
		"\n", "x\n", "{\n", "[]\n", "1\n", "\"a\"\n", "{\"a\":1}x\n", "{\"a\":1,}\n", "null\n",
		"{\"a\":[[[[[[[[[[1]]]]]]]]]]}\n", "\xff\xfe\n",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(ask(f, bad[i]),
				    "{\"ok\":false,\"error\":\"the request is not a JSON object on one line\"}\n");
	assert_int_equal(f->requests, 0);
}

static void an_endless_request_is_refused(void **state)
{
	struct fixture *f = *state;
	char text[CTL_REQUEST_MAX + 100];
	int fd;

	memset(text, ' ', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fd = client(f);
	assert_true(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) > 0);
	assert_non_null(strstr(hear(f, fd), "is longer than 4096 octets"));
	/* The same with an end. */
	text[sizeof(text) - 2] = '\n';
	fd = client(f);
	assert_true(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) > 0);
	assert_non_null(strstr(hear(f, fd), "\"ok\":false"));
	assert_int_equal(f->requests, 0);
}

static void a_client_may_leave_at_any_time(void **state)
{
	struct fixture *f = *state;
	int fd;

	fd = client(f);
	close(fd);
	turn(f);
	fd = client(f);
	turn(f);
	say(fd, "{\"a\"");
	turn(f);
	close(fd);
	turn(f);
	fd = client(f);
	say(fd, "{\"big\":10000}\n");
	turn(f);
	close(fd);
	for (int i = 0; i < 10; i++)
		turn(f);
	assert_non_null(strstr(ask(f, "{}\n"), "\"ok\":true"));
}

static void clients_are_bounded(void **state)
{
	struct fixture *f = *state;
	int fd[CTL_CLIENTS_MAX + 1];
	char c;

	for (int i = 0; i <= CTL_CLIENTS_MAX; i++) {
		fd[i] = client(f);
		turn(f);
	}
	/* One more than there is room for is sent away, the others are served. */
	assert_int_equal(recv(fd[CTL_CLIENTS_MAX], &c, 1, 0), 0);
	close(fd[CTL_CLIENTS_MAX]);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		assert_int_equal(recv(fd[i], &c, 1, 0), -1);
		say(fd[i], "{}\n");
		assert_string_equal(hear(f, fd[i]), "{\"ok\":true,\"echo\":{}}\n");
	}
	assert_non_null(strstr(ask(f, "{}\n"), "\"ok\":true"));
}

static void the_socket_is_closed_to_others(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void a_second_daemon_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_null(open_ctl(f));
	assert_non_null(strstr(ask(f, "{}\n"), "\"ok\":true"));
}

static void a_stale_socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ctl_close(f->ctl);
	strcpy(sun.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	f->ctl = open_ctl(f);
	assert_non_null(f->ctl);
	assert_non_null(strstr(ask(f, "{}\n"), "\"ok\":true"));
}

static void a_file_is_not_replaced(void **state)
{
	struct fixture *f = *state;

	ctl_close(f->ctl);
	close(open(f->path, O_CREAT | O_WRONLY, 0600));
	f->ctl = open_ctl(f);
	assert_null(f->ctl);
	assert_int_equal(unlink(f->path), 0);
}

static void a_long_path_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[300];
	const struct ctl_options o = { .path = path };

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_null(ctl_open(f->loop, f->log, &o, on_request, f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_request_one_reply, setup, teardown),
		cmocka_unit_test_setup_teardown(a_request_in_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_reply_arrives_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(nonsense_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(an_endless_request_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_may_leave_at_any_time, setup, teardown),
		cmocka_unit_test_setup_teardown(clients_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(the_socket_is_closed_to_others, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_daemon_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stale_socket_is_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_not_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_path_is_refused, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);	/* as in main.c */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
