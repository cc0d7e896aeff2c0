// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls become messages, answers become results. Owns the buffer both are in, which is wiped
 * after each. Decides nothing.
 */
#include "ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_pass.h"
#include "kern_back.h"

struct ask {
	int sock;
	struct kern_away_ops ops;
	struct passage_msg msg;
};

/* Nobody is there to be told, and a process that holds keys and can do nothing should not be. */
static void warden_gone(void)
{
	_exit(EXIT_FAILURE);
}

static void begin(struct ask *a, enum passage_type type, const char *tunnel)
{
	passage_init(&a->msg, type);
	if (tunnel) {
		a->msg.has_tunnel = true;
		snprintf(a->msg.tunnel, sizeof(a->msg.tunnel), "%s", tunnel);
	}
}

static void next(struct ask *a, struct passage_tail *tail)
{
	if (passage_receive(a->sock, true, &a->msg, tail, NULL))
		warden_gone();
}

/* Sends what was begun and waits; fd is passed along unless it is -1. Returns the answer's err. */
static int call(struct ask *a, int fd)
{
	uint32_t type = a->msg.type;

	if (passage_send(a->sock, &a->msg, NULL, fd))
		warden_gone();
	next(a, NULL);
	if (a->msg.type != type)
		warden_gone();
	return a->msg.err;
}

/* For a call that has nothing to get out of its answer. */
static int finish(struct ask *a, struct kern *k)
{
	int err = call(a, -1);

	if (err)
		kern_fail(k, err, "%s", a->msg.text);
	passage_wipe(&a->msg);
	return err;
}

/* ---- the data plane -------------------------------------------------------------------- */

static size_t away_devices_set(struct kern *k, void *back)
{
	struct ask *a = back;
	size_t bad;

	begin(a, PASSAGE_DEVICES, NULL);
	if (call(a, -1))
		kern_fail(k, a->msg.err, "%s", a->msg.text);
	bad = (size_t)a->msg.count;
	passage_wipe(&a->msg);
	return bad;
}

static void away_devices_reap(struct kern *k, void *back)
{
	begin(back, PASSAGE_REAP, NULL);
	finish(back, k);
}

static int away_peer(struct kern *k, void *back, const char *tunnel, const struct ike_addr *remote)
{
	struct ask *a = back;

	begin(a, PASSAGE_PEER, tunnel);
	a->msg.remote = *remote;
	return finish(a, k);
}

static int away_address(struct kern *k, void *back, const char *tunnel, const struct ike_addr *inner)
{
	struct ask *a = back;

	begin(a, PASSAGE_ADDRESS, tunnel);
	a->msg.remote = *inner;
	return finish(a, k);
}

static int away_adopt(struct kern *k, void *back)
{
	begin(back, PASSAGE_ADOPT, NULL);
	return finish(back, k);
}

static int away_socket_set(struct kern *k, void *back, int fd)
{
	struct ask *a = back;
	int err;

	begin(a, PASSAGE_SOCKET, NULL);
	err = call(a, fd);
	return err ? kern_fail(k, err, "%s", a->msg.text) : 0;
}

static int away_spi_alloc(struct kern *k, void *back, const char *tunnel, uint32_t *spi)
{
	struct ask *a = back;
	int err;

	begin(a, PASSAGE_SPI_ALLOC, tunnel);
	err = call(a, -1);
	if (err)
		return kern_fail(k, err, "%s", a->msg.text);
	*spi = a->msg.sa.spi;
	return 0;
}

static int away_sa_add(struct kern *k, void *back, const struct ike_sa *sa)
{
	struct ask *a = back;

	if (sa->encr_key_len > PASSAGE_KEYS || sa->auth_key_len > PASSAGE_KEYS - sa->encr_key_len)
		return kern_fail(k, -EINVAL, "keys of %zu and %zu octets are too long", sa->encr_key_len, sa->auth_key_len);
	begin(a, PASSAGE_SA_ADD, sa->tunnel);
	a->msg.sa = *sa;
	if (sa->encr_key_len)
		memcpy(a->msg.keys, sa->encr_key, sa->encr_key_len);
	if (sa->auth_key_len)
		memcpy(a->msg.keys + sa->encr_key_len, sa->auth_key, sa->auth_key_len);
	return finish(a, k);
}

static void name_sa(struct ask *a, enum passage_type type, const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	begin(a, type, tunnel);
	a->msg.sa.dir = dir;
	a->msg.sa.spi = spi;
}

static int away_sa_activate(struct kern *k, void *back, const char *tunnel, uint32_t spi)
{
	name_sa(back, PASSAGE_SA_ACTIVATE, tunnel, IKE_OUT, spi);
	return finish(back, k);
}

static int away_sa_del(struct kern *k, void *back, const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	name_sa(back, PASSAGE_SA_DEL, tunnel, dir, spi);
	return finish(back, k);
}

static int away_sa_last(struct kern *k, void *back, const char *tunnel, uint32_t spi, ike_time *at)
{
	struct ask *a = back;
	int err;

	name_sa(a, PASSAGE_SA_LAST, tunnel, IKE_IN, spi);
	err = call(a, -1);
	if (err)
		return kern_fail(k, err, "%s", a->msg.text);
	*at = a->msg.ev.at;
	return 0;
}

struct ask *ask_new(int sock, bool record)
{
	struct ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->sock = sock;
	a->ops = (struct kern_away_ops){
		.record = record,
		.devices_set = away_devices_set,
		.devices_reap = away_devices_reap,
		.peer = away_peer,
		.address = away_address,
		.adopt = away_adopt,
		.socket_set = away_socket_set,
		.spi_alloc = away_spi_alloc,
		.sa_add = away_sa_add,
		.sa_activate = away_sa_activate,
		.sa_del = away_sa_del,
		.sa_last = away_sa_last,
	};
	return a;
}

void ask_hello(struct ask *a)
{
	begin(a, PASSAGE_HELLO, NULL);
	call(a, -1);
}

void ask_free(struct ask *a)
{
	free(a);
}

struct kern *ask_kern(struct ask *a, const struct kern_env *env)
{
	return kern_new_away(env, &a->ops, a);
}

/* ---- the configuration ------------------------------------------------------------------- */

/* Whatever is wrong with one message, the others have to be taken off the passage. */
static struct conf *take(struct ask *a, const char *file, size_t tunnels, size_t trustpoints, char *why, size_t size)
{
	struct conf_pass p = { .conf = conf_new(file, tunnels, trustpoints), .tunnels = tunnels, .trustpoints = trustpoints };
	struct passage_tail tail;
	int err = p.conf ? 0 : -ENOMEM;
	bool last;

	snprintf(p.why, sizeof(p.why), "out of memory");
	do {
		next(a, &tail);
		last = a->msg.type == PASSAGE_LOADED;
		if (!err)
			err = conf_pass_get(&p, &a->msg, &tail);
		passage_tail_clear(&tail);
		passage_wipe(&a->msg);
	} while (!last);
	conf_pass_clear(&p);
	if (!err)
		return p.conf;
	snprintf(why, size, "the process that talks to peers cannot use it: %s", p.why);
	conf_free(p.conf);
	return NULL;
}

struct conf *ask_configuration(struct ask *a, const char *file, conf_report *report, void *ctx)
{
	char why[PASSAGE_TEXT];
	struct conf *c;

	begin(a, PASSAGE_LOAD, NULL);
	if (passage_send(a->sock, &a->msg, NULL, -1))
		warden_gone();
	for (next(a, NULL); a->msg.type == PASSAGE_FINDING; next(a, NULL))
		report(ctx, a->msg.severity ? CONF_WARNING : CONF_ERROR, file, a->msg.line, a->msg.text);
	if (a->msg.type != PASSAGE_LOAD)
		warden_gone();
	if (a->msg.err)
		return NULL;
	c = take(a, file, (size_t)a->msg.count, (size_t)a->msg.trustpoints, why, sizeof(why));
	if (!c)
		report(ctx, CONF_ERROR, file, 0, why);
	return c;
}

bool ask_is_here(void *ctx, const struct ike_addr *addr)
{
	struct ask *a = ctx;

	begin(a, PASSAGE_HERE, NULL);
	a->msg.remote = *addr;
	return call(a, -1) || a->msg.count;
}

void ask_reject(struct ask *a)
{
	begin(a, PASSAGE_REJECT, NULL);
	call(a, -1);
}

void ask_tell(struct ask *a, enum passage_type type)
{
	begin(a, type, NULL);
	if (passage_send(a->sock, &a->msg, NULL, -1))
		warden_gone();
}
