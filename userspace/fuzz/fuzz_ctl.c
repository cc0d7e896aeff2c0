// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests on the control socket, through the real socket to the real commands of a keyer
 * with the recording back end. Each line of the input is a client of its own. Whatever is
 * asked, the answer is one JSON object that says ok or why not.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "esptund/daemon.h"
#include "fuzz/fuzz.h"

#define CLIENTS 16		/* lines of one input */
#define TURNS 64		/* of the loop, until an answer is there */

static char dir[] = "/tmp/fuzz-ctl.XXXXXX", config[64], record[64], socket_path[64];

static const char text[] =
	"tunnel paris {\n remote = 127.0.0.9\n psk = \"a long enough secret\"\n start = respond\n}\n"
	"tunnel rome {\n remote = 127.0.0.8\n psk = \"a long enough secret\"\n start = traffic\n}\n";

static void remove_files(void)
{
	unlink(config);
	unlink(record);
	rmdir(dir);
}

static void make_files(void)
{
	FILE *f;

	if (config[0])
		return;
	FUZZ_CHECK(mkdtemp(dir));
	snprintf(config, sizeof(config), "%s/esptun.conf", dir);
	snprintf(record, sizeof(record), "%s/record", dir);
	snprintf(socket_path, sizeof(socket_path), "%s/ctl", dir);
	umask(077);
	f = fopen(config, "w");
	FUZZ_CHECK(f && fputs(text, f) >= 0 && !fclose(f));
	atexit(remove_files);
}

/* Nothing leaves this process: linked in place of udp.c's. */
int __wrap_udp_send(struct udp *u, const struct ike_path *path, const void *data, size_t len);
const struct udp_counters *__wrap_udp_counters(const struct udp *u);

int __wrap_udp_send(struct udp *u, const struct ike_path *path, const void *data, size_t len)
{
	(void)u;
	(void)path;
	fuzz_touch(data, len);
	return 0;
}

const struct udp_counters *__wrap_udp_counters(const struct udp *u)
{
	static const struct udp_counters none;

	(void)u;
	return &none;
}

static void keyer_start(struct daemon *d)
{
	const struct log_options lo = { .fd = -1, .level = IKE_LOG_DEBUG, .ring = 64, .per_second = 1 };
	const struct ctl_options co = { .path = socket_path };
	struct kern_env env = { .event = run_kernel_event };

	unlink(record);
	*d = (struct daemon){ .opt = { .config = config, .port = 500 } };
	d->log = log_new(&lo);
	d->loop = loop_new();
	d->run = run_new();
	FUZZ_CHECK(d->log && d->loop && d->run);
	env.loop = d->loop;
	env.log = d->log;
	env.ctx = d->run;
	d->kern = kern_open_record(&env, record);
	d->ctl = ctl_open(d->loop, d->log, &co, command_handle, d);
	FUZZ_CHECK(d->kern && d->ctl);
	run_attach(d->run, &(struct run_env){ .loop = d->loop, .log = d->log, .kern = d->kern });
	FUZZ_CHECK(apply_configuration(d, NULL));
}

static void keyer_stop(struct daemon *d)
{
	ctl_close(d->ctl);
	run_free(d->run);
	kern_close(d->kern);
	loop_free(d->loop);
	conf_free(d->conf);
	log_free(d->log);
}

static void check_answer(const char *answer, size_t len)
{
	struct json_object *o, *ok, *error;

	FUZZ_CHECK(len && answer[len - 1] == '\n' && memchr(answer, '\n', len) == answer + len - 1);
	o = json_tokener_parse(answer);
	FUZZ_CHECK(o && json_object_object_get_ex(o, "ok", &ok) && json_object_is_type(ok, json_type_boolean));
	if (!json_object_get_boolean(ok))
		FUZZ_CHECK(json_object_object_get_ex(o, "error", &error));
	json_object_put(o);
}

/* One request and, if it was a whole line, its answer. */
static void ask(struct daemon *d, const uint8_t *line, size_t len)
{
	static char answer[1 << 20];
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	size_t got = 0;
	ssize_t n = -1;

	memcpy(sun.sun_path, socket_path, sizeof(socket_path));
	FUZZ_CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&sun, sizeof(sun)));
	if (send(fd, line, len, MSG_NOSIGNAL) != (ssize_t)len || send(fd, "\n", 1, MSG_NOSIGNAL) != 1)
		len = 0;
	for (int i = 0; i < TURNS && n; i++) {
		event_base_loop(loop_base(d->loop), EVLOOP_NONBLOCK);
		n = recv(fd, answer + got, sizeof(answer) - 1 - got, 0);
		got += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	event_base_loop(loop_base(d->loop), EVLOOP_NONBLOCK);
	answer[got] = 0;
	FUZZ_CHECK(!n);
	check_answer(answer, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct daemon d;
	const uint8_t *end;
	size_t n;

	make_files();
	keyer_start(&d);
	for (int i = 0; i < CLIENTS && len; i++) {
		end = memchr(data, '\n', len);
		n = end ? (size_t)(end - data) : len;
		ask(&d, data, n);
		n += end ? 1 : 0;
		data += n;
		len -= n;
	}
	keyer_stop(&d);
	return 0;
}
