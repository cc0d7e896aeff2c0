// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund, the keyer. Starts the parts in order, stops them in reverse, handles signals;
 * decides nothing about IKE. Ending it deletes no SA: tunnels outlive the keyer.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "notify.h"
#include "priv.h"

/* ---- signals and the service manager --------------------------------------------------------- */

static void on_hup(evutil_socket_t sig, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)sig;
	(void)what;
	notify_send("RELOADING=1");
	apply_configuration(d, NULL);
	notify_send("READY=1");
}

static void on_term(evutil_socket_t sig, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)what;
	notify_send("STOPPING=1");
	log_line(d->log, IKE_LOG_NOTICE, "stopping", NULL, "signal %d; the tunnels stay up", (int)sig);
	loop_stop(d->loop);
}

static void on_watchdog(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	(void)ctx;
	notify_send("WATCHDOG=1");
}

#define EVENTS 4

static bool add_events(struct daemon *d, struct event *ev[EVENTS])
{
	struct event_base *base = loop_base(d->loop);
	uint64_t usec = notify_watchdog_usec() / 2;
	const struct timeval half = { (time_t)(usec / 1000000), (suseconds_t)(usec % 1000000) };

	ev[0] = evsignal_new(base, SIGHUP, on_hup, d);
	ev[1] = evsignal_new(base, SIGTERM, on_term, d);
	ev[2] = evsignal_new(base, SIGINT, on_term, d);
	for (int i = 0; i < 3; i++)
		if (!ev[i] || event_add(ev[i], NULL))
			return false;
	if (!usec)
		return true;
	ev[3] = event_new(base, -1, EV_PERSIST, on_watchdog, d);
	return ev[3] && !event_add(ev[3], &half);
}

/* ---- start and stop ---------------------------------------------------------------------------- */

static bool open_parts(struct daemon *d)
{
	const struct ctl_options ctl = { .path = d->opt.ctl, .group = d->opt.ctl_group };
	struct kern_env env = { .event = run_kernel_event };
	struct udp_options udp = {
		.port = d->opt.port, .natt_port = IKE_NATT_PORT, .fn = run_datagram, .attach = kern_socket_set,
	};

	d->loop = loop_new();
	d->run = run_new();
	if (!d->loop || !d->run) {
		log_line(d->log, IKE_LOG_ERROR, "start-failed", NULL, "%s", strerror(errno));
		return false;
	}
	env.loop = d->loop;
	env.log = d->log;
	env.ctx = d->run;
	d->kern = d->opt.record ? kern_open_record(&env, d->opt.record) : kern_open_netlink(&env);
	udp.ctx = d->run;
	udp.attach_ctx = d->kern;
	d->udp = d->kern ? udp_open(d->loop, d->log, &udp) : NULL;
	d->ctl = d->udp ? ctl_open(d->loop, d->log, &ctl, command_handle, d) : NULL;
	d->watch = watch_open(d->loop, d->log, d->run);
	return d->ctl && !priv_drop(d->log, d->opt.user);
}

static void close_parts(struct daemon *d)
{
	watch_close(d->watch);
	ctl_close(d->ctl);
	udp_close(d->udp);
	run_free(d->run);
	kern_close(d->kern);
	loop_free(d->loop);
	conf_free(d->conf);
	log_flush(d->log);
	log_free(d->log);
}

static bool start(struct daemon *d)
{
	const struct loop_clockwork cw = { .deadline = run_deadline, .expire = run_expire, .ctx = d->run };
	const struct run_env env = {
		.loop = d->loop, .log = d->log, .kern = d->kern, .udp = d->udp, .login = apply_login, .login_ctx = d,
	};

	run_attach(d->run, &env);
	loop_set_clockwork(d->loop, &cw);
	d->started = loop_now(d->loop);
	if (!apply_configuration(d, NULL))
		return false;
	if (kern_adopt(d->kern))
		log_line(d->log, IKE_LOG_WARNING, "adopt-failed", NULL, "%s", kern_error(d->kern));
	return true;
}

static int serve(struct daemon *d)
{
	struct event *ev[EVENTS] = { NULL };
	int err = -1;

	if (add_events(d, ev)) {
		log_line(d->log, IKE_LOG_NOTICE, "started", NULL, "version %s, UDP port %u, %s", ESPTUND_VERSION,
			 d->opt.port, d->opt.ctl);
		notify_send("READY=1");
		err = loop_run(d->loop);
	}
	for (int i = 0; i < EVENTS; i++)
		if (ev[i])
			event_free(ev[i]);
	return err;
}

/* ---- --check ------------------------------------------------------------------------------------ */

static void print_finding(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	(void)ctx;
	if (line)
		fprintf(stderr, "%s:%u: ", file, line);
	else
		fprintf(stderr, "%s: ", file);
	fprintf(stderr, "%s: %s\n", severity == CONF_ERROR ? "error" : "warning", text);
}

static int check(const char *path)
{
	struct conf *conf = conf_load(path, print_finding, NULL);

	if (!conf)
		return EXIT_FAILURE;
	printf("%s: %zu tunnels, no errors\n", path, conf->ike.n_tunnels);
	conf_free(conf);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct daemon d = { 0 };
	struct log_options lo;
	int err = priv_harden();

	switch (options_parse(&d.opt, argc, argv)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return 2;
	case OPTIONS_RUN:
		break;
	}
	if (err) {
		fprintf(stderr, "esptund: cannot protect the process: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	if (d.opt.check)
		return check(d.opt.check);
	signal(SIGPIPE, SIG_IGN);
	log_defaults(&lo);
	lo.level = d.opt.level;
	d.log = log_new(&lo);
	if (!d.log)
		return EXIT_FAILURE;
	err = open_parts(&d) && start(&d) ? serve(&d) : -1;
	close_parts(&d);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
