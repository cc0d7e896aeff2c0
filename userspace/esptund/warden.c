// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Answers what the cell asks. What comes from there is not trusted: passage_receive() has
 * judged its form, warden_kern() judges its numbers, and which devices there are is known from
 * the configuration that was read here. A cell that sends what it never would is ended.
 */
#include "warden.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply.h"
#include "conf_pass.h"
#include "kern.h"
#include "log.h"
#include "loop.h"
#include "notify.h"
#include "priv.h"
#include "warden_kern.h"
#include "watch.h"

#define WAITING_MAX 8192	/* messages: a cell that takes none of them has hung, or wants our memory */

/* A message the cell has no room for yet. */
struct waiting {
	struct waiting *next;
	struct passage_msg msg;
};

struct devices {
	struct kern_device *dev;
	size_t n;
};

struct warden {
	const struct options *opt;
	struct log *log;
	struct loop *loop;
	struct kern *kern;
	struct watch *watch;		/* NULL: addresses are not watched */
	pid_t cell;
	int asks, tells;
	struct event *on_ask, *on_room, *on_signal[4];
	struct waiting *first, **last;
	unsigned int n_waiting;
	struct devices now, read;	/* in force; read last, not in force yet */
	struct devices before;		/* in force before, until the cell is content with 'now' */
	struct passage_msg msg;		/* being answered */
	bool listening, ready, stopping, reloading;
	int status;
};

/* ---- telling the cell --------------------------------------------------------------------- */

static void tell_waiting(evutil_socket_t fd, short what, void *ctx)
{
	struct warden *w = ctx;

	(void)what;
	while (w->first) {
		struct waiting *m = w->first;

		if (send(fd, &m->msg, sizeof(m->msg), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN)
			break;
		w->first = m->next;
		if (!w->first)
			w->last = &w->first;
		free(m);
		w->n_waiting--;
	}
	if (w->first)
		event_add(w->on_room, NULL);
}

/* The cell may be waiting for us just now, so this never waits for it. */
static void tell(struct warden *w, const struct passage_msg *m)
{
	struct waiting *x = w->n_waiting < WAITING_MAX ? malloc(sizeof(*x)) : NULL;

	if (!x) {
		w->status = EXIT_FAILURE;
		loop_stop(w->loop);
		return;
	}
	w->n_waiting++;
	x->msg = *m;
	x->next = NULL;
	*w->last = x;
	w->last = &x->next;
	tell_waiting(w->tells, 0, w);
}

static void tell_type(struct warden *w, enum passage_type type)
{
	struct passage_msg m;

	passage_init(&m, type);
	tell(w, &m);
}

static void put_tunnel(struct passage_msg *m, const char *tunnel)
{
	m->has_tunnel = tunnel;
	if (tunnel)
		snprintf(m->tunnel, sizeof(m->tunnel), "%s", tunnel);
}

static void on_line(void *ctx, const char *tunnel, const char *text)
{
	struct warden *w = ctx;
	struct passage_msg m;

	passage_init(&m, PASSAGE_LINE);
	put_tunnel(&m, tunnel);
	snprintf(m.text, sizeof(m.text), "%s", text);
	tell(w, &m);
}

static void on_kernel_event(void *ctx, const struct ike_kernel_event *ev)
{
	struct passage_msg m;

	passage_init(&m, PASSAGE_EVENT);
	m.ev = *ev;
	put_tunnel(&m, ev->tunnel);
	m.has_text = ev->text;
	if (ev->text)
		snprintf(m.text, sizeof(m.text), "%s", ev->text);
	m.has_cookie = ev->cookie;
	if (ev->cookie)
		memcpy(m.cookie, ev->cookie, sizeof(m.cookie));
	m.ev.tunnel = m.ev.text = NULL;
	m.ev.cookie = NULL;
	tell(ctx, &m);
}

static void on_addresses(void *ctx)
{
	tell_type(ctx, PASSAGE_ADDRESSES);
}

/* ---- answering ---------------------------------------------------------------------------- */

static void on_finding(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	struct warden *w = ctx;
	struct passage_msg m;

	(void)file;
	passage_init(&m, PASSAGE_FINDING);
	m.severity = severity == CONF_WARNING;
	m.line = line;
	snprintf(m.text, sizeof(m.text), "%s", text);
	passage_send(w->asks, &m, NULL, -1);
}

static int send_part(void *ctx, const struct passage_msg *m, const struct passage_tail *tail)
{
	const struct warden *w = ctx;

	return passage_send(w->asks, m, tail, -1);
}

static void devices_free(struct devices *d)
{
	free(d->dev);
	*d = (struct devices){ NULL, 0 };
}

static int do_hello(struct warden *w)
{
	(void)w;
	return 0;
}

/* Secrets are in this process as long as this takes. */
static int do_load(struct warden *w)
{
	struct conf *conf = conf_load(w->opt->config, on_finding, w);
	struct devices d = { NULL, 0 };

	if (conf)
		d = (struct devices){ apply_devices(conf), conf->ike.n_tunnels };
	passage_init(&w->msg, PASSAGE_LOAD);
	w->msg.err = d.dev ? 0 : -EINVAL;
	w->msg.count = d.n;
	w->msg.trustpoints = conf ? conf->ike.n_trustpoints : 0;
	passage_send(w->asks, &w->msg, NULL, -1);
	if (d.dev) {
		if (conf_pass_put(conf, send_part, w)) {
			/* It waits for the rest in vain. */
			w->status = EXIT_FAILURE;
			loop_stop(w->loop);
		}
		devices_free(&w->read);
		w->read = d;
	}
	conf_free(conf);
	return 0;
}

static void devices_move(struct devices *to, struct devices *from)
{
	devices_free(to);
	*to = *from;
	*from = (struct devices){ NULL, 0 };
}

static int do_reject(struct warden *w)
{
	devices_free(&w->read);
	if (w->before.dev)
		devices_move(&w->now, &w->before);
	return 0;
}

static int do_here(struct warden *w)
{
	w->msg.count = watch_is_here(NULL, &w->msg.remote);
	return 0;
}

static int do_devices(struct warden *w)
{
	if (w->read.dev) {
		devices_move(&w->before, &w->now);
		devices_move(&w->now, &w->read);
	}
	if (!w->now.dev)
		return -EINVAL;
	w->msg.count = kern_devices_set(w->kern, w->now.dev, w->now.n);
	return 0;
}

static int do_reap(struct warden *w)
{
	devices_free(&w->before);
	kern_devices_reap(w->kern);
	return 0;
}

static int (*const asked[PASSAGE_N_ASKED])(struct warden *w) = {
	[PASSAGE_HELLO] = do_hello,
	[PASSAGE_LOAD] = do_load,
	[PASSAGE_REJECT] = do_reject,
	[PASSAGE_DEVICES] = do_devices,
	[PASSAGE_REAP] = do_reap,
	[PASSAGE_HERE] = do_here,
};

static void on_ready(struct warden *w)
{
	if (!w->ready || w->reloading)
		notify_send("READY=1");
	w->ready = true;
	w->reloading = false;
}

/* False: nothing a cell of ours would send. */
static bool handle(struct warden *w)
{
	uint32_t type = w->msg.type;

	if (type == PASSAGE_LISTENING) {
		w->listening = true;
	} else if (type == PASSAGE_READY) {
		on_ready(w);
	} else if (type == PASSAGE_ALIVE) {
		notify_send("WATCHDOG=1");
	} else if (type < PASSAGE_N_ASKED && asked[type]) {
		w->msg.text[0] = 0;
		w->msg.err = asked[type](w);
		/* LOAD has answered already, before the tunnels. */
		if (type != PASSAGE_LOAD)
			passage_send(w->asks, &w->msg, NULL, -1);
	} else if (warden_kern(w->kern, &w->msg)) {
		passage_send(w->asks, &w->msg, NULL, -1);
	} else {
		return false;
	}
	return true;
}

/* The only kind of descriptor the cell has a reason to give: one of a UDP socket. */
static bool is_udp(int fd)
{
	int type = 0, protocol = 0;
	socklen_t len = sizeof(int);

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_DGRAM &&
	       !getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) && protocol == IPPROTO_UDP;
}

static bool handle_socket(struct warden *w, int fd)
{
	if (w->msg.type != PASSAGE_SOCKET || !is_udp(fd))
		return false;
	w->msg.err = kern_socket_set(w->kern, fd);
	snprintf(w->msg.text, sizeof(w->msg.text), "%s", w->msg.err ? kern_error(w->kern) : "");
	passage_send(w->asks, &w->msg, NULL, -1);
	return true;
}

static void on_ask(evutil_socket_t sock, short what, void *ctx)
{
	struct warden *w = ctx;
	int fd = -1, err = passage_receive(sock, false, &w->msg, NULL, &fd);

	(void)what;
	if (err == -EAGAIN)
		return;
	if (err == -EPIPE) {	/* SIGCHLD tells the rest */
		event_del(w->on_ask);
		return;
	}
	if (err || !(fd >= 0 ? handle_socket(w, fd) : handle(w))) {
		log_line(w->log, IKE_LOG_ERROR, "cell-misbehaves", NULL, "message of type %u from the process that talks to "
			 "peers is not one it would send: everything ends", w->msg.type);
		w->status = EXIT_FAILURE;
		loop_stop(w->loop);
	}
	if (fd >= 0)
		close(fd);
	passage_wipe(&w->msg);
}

/* ---- signals -------------------------------------------------------------------------------- */

static void on_hup(evutil_socket_t sig, short what, void *ctx)
{
	struct warden *w = ctx;

	(void)sig;
	(void)what;
	notify_send("RELOADING=1");
	w->reloading = true;
	tell_type(w, PASSAGE_RELOAD);
}

static void on_term(evutil_socket_t sig, short what, void *ctx)
{
	struct warden *w = ctx;

	(void)what;
	notify_send("STOPPING=1");
	log_line(w->log, IKE_LOG_NOTICE, "stopping", NULL, "signal %d; the tunnels stay up", (int)sig);
	w->stopping = true;
	tell_type(w, PASSAGE_STOP);
}

static void on_child(evutil_socket_t sig, short what, void *ctx)
{
	struct warden *w = ctx;
	int status;

	(void)sig;
	(void)what;
	if (waitpid(w->cell, &status, WNOHANG) != w->cell)
		return;
	w->cell = 0;
	/* What it told last. */
	for (int i = 0; i < 8; i++)
		on_ask(w->asks, 0, w);
	w->status = w->stopping && WIFEXITED(status) && !WEXITSTATUS(status) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (WIFSIGNALED(status))
		log_line(w->log, IKE_LOG_ERROR, "cell-ended", NULL, "the process that talks to peers: %s%s; the tunnels stay up",
			 strsignal(WTERMSIG(status)),
			 WTERMSIG(status) == SIGSYS ? ": it tried what it may not" : "");
	loop_stop(w->loop);
}

static bool add_events(struct warden *w)
{
	static const struct {
		int sig;
		void (*fn)(evutil_socket_t sig, short what, void *ctx);
	} signals[] = { { SIGHUP, on_hup }, { SIGTERM, on_term }, { SIGINT, on_term }, { SIGCHLD, on_child } };
	struct event_base *base = loop_base(w->loop);

	for (int i = 0; i < 4; i++) {
		w->on_signal[i] = evsignal_new(base, signals[i].sig, signals[i].fn, w);
		if (!w->on_signal[i] || event_add(w->on_signal[i], NULL))
			return false;
	}
	w->on_ask = event_new(base, w->asks, EV_READ | EV_PERSIST, on_ask, w);
	w->on_room = event_new(base, w->tells, EV_WRITE, tell_waiting, w);
	return w->on_ask && w->on_room && !event_add(w->on_ask, NULL);
}

/* ---- start and stop --------------------------------------------------------------------------- */

static bool open_parts(struct warden *w)
{
	struct kern_env env = { .event = on_kernel_event, .ctx = w };
	struct log_options lo;

	log_defaults(&lo);
	lo.level = w->opt->level;
	lo.ring = 0;
	lo.copy = on_line;
	lo.ctx = w;
	w->log = log_new(&lo);
	w->loop = w->log ? loop_new() : NULL;
	if (!w->loop || !add_events(w))
		return false;
	env.loop = w->loop;
	env.log = w->log;
	w->kern = w->opt->record ? kern_open_record(&env, w->opt->record) : kern_open_netlink(&env);
	w->watch = w->kern ? watch_open(w->loop, w->log, on_addresses, w) : NULL;
	return w->kern && !priv_keep_net_admin(w->log);
}

static void close_parts(struct warden *w)
{
	if (w->on_ask)
		event_free(w->on_ask);
	if (w->on_room)
		event_free(w->on_room);
	for (int i = 0; i < 4; i++)
		if (w->on_signal[i])
			event_free(w->on_signal[i]);
	while (w->first) {
		struct waiting *m = w->first;

		w->first = m->next;
		free(m);
	}
	devices_free(&w->now);
	devices_free(&w->read);
	devices_free(&w->before);
	watch_close(w->watch);
	if (w->kern)
		kern_close(w->kern);
	if (w->loop)
		loop_free(w->loop);
	if (w->log)
		log_free(w->log);
}

int warden_run(const struct options *opt, pid_t cell, int asks, int tells)
{
	struct warden w = { .opt = opt, .cell = cell, .asks = asks, .tells = tells, .status = EXIT_FAILURE };

	w.last = &w.first;
	/* The configuration's parser frees copies of its text, secrets in it included, as they are. */
	mallopt(M_PERTURB, 0x5a);
	/* On failure the cell, which waits for an answer, sees the end of the passage. */
	if (open_parts(&w)) {
		on_child(SIGCHLD, 0, &w);	/* it may have ended before anybody listened */
		if (loop_run(w.loop))
			w.status = EXIT_FAILURE;
	}
	/* It is in a directory that the cell does not see. */
	if (w.listening)
		unlink(opt->ctl);
	close_parts(&w);
	return w.status;
}
