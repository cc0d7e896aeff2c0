// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens the sockets, then confines itself, then begins to work: nothing of a peer or a client
 * is read before. Decides nothing about IKE. Ending it deletes no SA: tunnels outlive the keyer.
 */
#include "cell.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "daemon.h"
#include "ikecrypto/warm.h"
#include "libike/crypto.h"
#include "users.h"

/* ---- before the walls are up --------------------------------------------------------------- */

/* Once each: libcrypto and others open files and get memory for code when something is first used. */
static void warm_crypto(void)
{
	static const uint16_t hashes[] = { 1, 2, 4, 5, 6 }, groups[] = { 2, 5, 14, 15, 16, 19, 20, 21 };
	static const struct { uint16_t encr, bits; } ciphers[] = { { 5, 0 }, { 7, 128 }, { 7, 192 }, { 7, 256 } };
	uint8_t octets[IKE_DH_MAX] = { 1 }, iv[IKE_BLOCK_MAX] = { 0 }, out[IKE_DH_MAX];
	const struct ike_chunk in = { octets, 16 };
	struct ike_dh *dh;

	ikecrypto_warm_up();
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		ike_crypto_hash(hashes[i], &in, 1, out);
		ike_crypto_hmac(hashes[i], octets, 16, &in, 1, out);
	}
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		ike_crypto_cbc(ciphers[i].encr, octets, ike_crypto_key_len(ciphers[i].encr, ciphers[i].bits), iv, true, out,
			       16);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		memset(octets, 0x55, sizeof(octets));
		dh = ike_crypto_dh_new(groups[i], octets, ike_crypto_dh_seed_len(groups[i]));
		/* Its own public value will do. */
		if (dh && !ike_crypto_dh_public(dh, out))
			ike_crypto_dh_secret(dh, out, ike_crypto_dh_len(groups[i]), octets);
		ike_crypto_dh_free(dh);
	}
}

static void warm_up(void)
{
	struct json_object *o = json_tokener_parse("{\"a\":1}");

	json_object_to_json_string(o);
	json_object_put(o);
	tzset();
	warm_crypto();
	users_check(NULL, "", 0, "warm", 4);
}

/*
 * A keyer that was killed a moment ago may still hold the port: its cell is being ended by the
 * kernel. One that lives keeps it, and udp_open() says so.
 */
static void wait_for_port(uint16_t port)
{
	const struct timespec pause = { 0, 20 * 1000000 };
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };

	for (int tries = 0; tries < 50; tries++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

		if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
			err = errno;
		if (fd >= 0)
			close(fd);
		if (err != EADDRINUSE)
			return;
		nanosleep(&pause, NULL);
	}
}

static bool open_parts(struct daemon *d, int asks)
{
	const struct ctl_options ctl = { .path = d->opt.ctl, .group = d->opt.ctl_group };
	struct kern_env env = { .event = run_kernel_event };
	struct udp_options udp = {
		.port = d->opt.port, .natt_port = IKE_NATT_PORT, .fn = run_datagram, .attach = kern_socket_set,
	};

	d->loop = loop_new();
	d->run = run_new();
	d->ask = ask_new(asks, d->opt.record);
	if (!d->loop || !d->run || !d->ask) {
		log_line(d->log, IKE_LOG_ERROR, "start-failed", NULL, "%s", strerror(errno));
		return false;
	}
	env.loop = d->loop;
	env.log = d->log;
	env.ctx = d->run;
	ask_hello(d->ask);
	wait_for_port(d->opt.port);
	d->kern = ask_kern(d->ask, &env);
	udp.ctx = d->run;
	udp.attach_ctx = d->kern;
	d->udp = d->kern ? udp_open(d->loop, d->log, &udp) : NULL;
	d->ctl = d->udp ? ctl_open(d->loop, d->log, &ctl, command_handle, d) : NULL;
	return d->ctl;
}

static void close_parts(struct daemon *d)
{
	ctl_close(d->ctl);
	udp_close(d->udp);
	run_free(d->run);
	if (d->kern)
		kern_close(d->kern);
	ask_free(d->ask);
	loop_free(d->loop);
	conf_free(d->conf);
	log_flush(d->log);
	log_free(d->log);
}

/* ---- what the warden tells ------------------------------------------------------------------ */

static void told(struct daemon *d, const struct passage_msg *m)
{
	switch (m->type) {
	case PASSAGE_EVENT:
		run_kernel_event(d->run, &m->ev);
		break;
	case PASSAGE_LINE:
		log_keep(d->log, m->has_tunnel ? m->tunnel : NULL, m->text);
		break;
	case PASSAGE_ADDRESSES:
		run_addresses(d->run, ask_is_here, d->ask);
		break;
	case PASSAGE_RELOAD:
		apply_configuration(d, NULL);
		ask_tell(d->ask, PASSAGE_READY);
		break;
	case PASSAGE_STOP:
		loop_stop(d->loop);
		break;
	}
}

static void on_told(evutil_socket_t fd, short what, void *ctx)
{
	static struct passage_msg m;
	struct daemon *d = ctx;
	int err;

	(void)what;
	while (!(err = passage_receive(fd, false, &m, NULL, NULL)))
		told(d, &m);
	if (err != -EAGAIN)
		_exit(EXIT_FAILURE);	/* the warden is gone */
}

static void on_alive(evutil_socket_t fd, short what, void *ctx)
{
	struct daemon *d = ctx;

	(void)fd;
	(void)what;
	ask_tell(d->ask, PASSAGE_ALIVE);
}

/* ---- work ------------------------------------------------------------------------------------ */

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

static int serve(struct daemon *d, int tells, uint64_t watchdog)
{
	const struct timeval half = { (time_t)(watchdog / 2000000), (suseconds_t)(watchdog / 2 % 1000000) };
	struct event *told_ev = event_new(loop_base(d->loop), tells, EV_READ | EV_PERSIST, on_told, d);
	struct event *alive = event_new(loop_base(d->loop), -1, EV_PERSIST, on_alive, d);
	int err = -1;

	if (told_ev && alive && !event_add(told_ev, NULL) && (!watchdog || !event_add(alive, &half))) {
		log_line(d->log, IKE_LOG_NOTICE, "started", NULL, "version %s, UDP port %u, %s", ESPTUND_VERSION,
			 d->opt.port, d->opt.ctl);
		ask_tell(d->ask, PASSAGE_READY);
		err = loop_run(d->loop);
	}
	if (told_ev)
		event_free(told_ev);
	if (alive)
		event_free(alive);
	return err;
}

int cell_run(const struct options *opt, int asks, int tells, uint64_t watchdog)
{
	struct daemon d = { .opt = *opt };
	struct log_options lo;
	int err = -1;

	/* The warden decides what becomes of these, and tells. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	log_defaults(&lo);
	lo.level = opt->level;
	d.log = log_new(&lo);
	if (!d.log)
		return EXIT_FAILURE;
	warm_up();
	if (open_parts(&d, asks)) {
		ctl_leave_socket(d.ctl);
		ask_tell(d.ask, PASSAGE_LISTENING);
		if (!confine(d.log, opt->user, opt->ctl))
			err = start(&d) ? serve(&d, tells, watchdog) : -1;
	}
	close_parts(&d);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
