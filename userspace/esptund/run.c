// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the engine and the order of things around it: after each call into it all its
 * actions are done, one at a time, before anything else happens. Decides nothing itself.
 */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct run {
	struct ike_engine *engine;
	struct run_env env;
	bool draining;
};

/*
 * Without randomness there are no keys: nothing sensible can be done, and since
 * getrandom(2) only fails where it does not exist, stopping is the honest answer.
 */
static void random_octets(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)ctx;
	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno != EINTR)
			abort();
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

/* Certificates are dated by the calendar; nothing else looks at it. */
static int64_t wall_clock(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

struct run *run_new(void)
{
	const struct ike_env env = { .random = random_octets, .wall = wall_clock };
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->engine = ike_engine_new(&env);
	if (!r->engine) {
		free(r);
		return NULL;
	}
	return r;
}

void run_attach(struct run *r, const struct run_env *env)
{
	r->env = *env;
}

void run_free(struct run *r)
{
	if (!r)
		return;
	ike_engine_free(r->engine);
	free(r);
}

struct ike_engine *run_engine(struct run *r)
{
	return r->engine;
}

/* ---- actions ---------------------------------------------------------------------------- */

/* Tell the engine what came of an action. The action's own memory is gone with this call. */
static void answer(struct run *r, const struct ike_action *act, int err, uint32_t spi)
{
	struct ike_kernel_event ev = {
		.type = err ? IKE_KEV_FAILED : IKE_KEV_DONE, .id = act->id, .dir = act->sa.dir, .spi = spi,
	};
	char tunnel[IKE_NAME_MAX + 1], text[256];

	snprintf(tunnel, sizeof(tunnel), "%s", act->tunnel ? act->tunnel : "");
	ev.tunnel = tunnel;
	if (err) {
		snprintf(text, sizeof(text), "%s", kern_error(r->env.kern));
		ev.text = text;
	}
	ike_kernel_event(r->engine, &ev, loop_now(r->env.loop));
}

static void do_send(struct run *r, const struct ike_action *act)
{
	/* A failure is logged there; retransmission is the engine's. */
	udp_send(r->env.udp, &act->path, act->data, act->len);
}

static void do_spi_alloc(struct run *r, const struct ike_action *act)
{
	uint32_t spi = 0;
	int err = kern_spi_alloc(r->env.kern, act->tunnel, &spi);

	answer(r, act, err, spi);
}

static void do_sa_add(struct run *r, const struct ike_action *act)
{
	answer(r, act, kern_sa_add(r->env.kern, &act->sa), act->sa.spi);
}

static void do_sa_activate(struct run *r, const struct ike_action *act)
{
	answer(r, act, kern_sa_activate(r->env.kern, act->tunnel, act->sa.spi), act->sa.spi);
}

static void do_sa_del(struct run *r, const struct ike_action *act)
{
	if (kern_sa_del(r->env.kern, act->tunnel, act->sa.dir, act->sa.spi))
		log_line(r->env.log, IKE_LOG_WARNING, "sa-del-failed", act->tunnel, "SA %08x: %s", act->sa.spi,
			 kern_error(r->env.kern));
}

static void do_sa_idle(struct run *r, const struct ike_action *act)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_TRAFFIC, .dir = IKE_IN, .spi = act->sa.spi };
	char tunnel[IKE_NAME_MAX + 1];

	if (kern_sa_last(r->env.kern, act->tunnel, act->sa.spi, &ev.at))
		return;		/* an SA that is going, or a back end that does not know */
	snprintf(tunnel, sizeof(tunnel), "%s", act->tunnel);
	ev.tunnel = tunnel;
	ike_kernel_event(r->engine, &ev, loop_now(r->env.loop));
}

static void do_xauth(struct run *r, const struct ike_action *act)
{
	uint64_t id = act->id;
	bool ok = r->env.login && r->env.login(r->env.login_ctx, act->tunnel, &act->login);

	ike_xauth_answer(r->engine, id, ok, loop_now(r->env.loop));
}

static void do_assign(struct run *r, const struct ike_action *act)
{
	if (kern_address(r->env.kern, act->tunnel, &act->given.local))
		log_line(r->env.log, IKE_LOG_ERROR, "address-failed", act->tunnel, "%s", kern_error(r->env.kern));
}

static void do_peer(struct run *r, const struct ike_action *act)
{
	if (kern_peer(r->env.kern, act->tunnel, &act->path.remote))
		log_line(r->env.log, IKE_LOG_ERROR, "device-unusable", act->tunnel, "%s", kern_error(r->env.kern));
}

static void do_log(struct run *r, const struct ike_action *act)
{
	log_event(r->env.log, loop_now(r->env.loop), &act->log);
}

static void (*const act_on[])(struct run *r, const struct ike_action *act) = {
	[IKE_ACT_SEND] = do_send,
	[IKE_ACT_SPI_ALLOC] = do_spi_alloc,
	[IKE_ACT_SA_ADD] = do_sa_add,
	[IKE_ACT_SA_ACTIVATE] = do_sa_activate,
	[IKE_ACT_SA_DEL] = do_sa_del,
	[IKE_ACT_SA_IDLE] = do_sa_idle,
	[IKE_ACT_XAUTH] = do_xauth,
	[IKE_ACT_ASSIGN] = do_assign,
	[IKE_ACT_PEER] = do_peer,
	[IKE_ACT_LOG] = do_log,
};

static void drain(struct run *r)
{
	struct ike_action act;

	/* Called again from inside an action: the outer loop goes on with what was queued. */
	if (r->draining)
		return;
	r->draining = true;
	while (ike_next_action(r->engine, &act))
		act_on[act.type](r, &act);
	r->draining = false;
}

/* ---- what comes in ------------------------------------------------------------------------ */

void run_datagram(void *ctx, const struct ike_path *path, const void *data, size_t len, ike_time now)
{
	struct run *r = ctx;

	ike_datagram(r->engine, path, data, len, now);
	drain(r);
}

void run_kernel_event(void *ctx, const struct ike_kernel_event *ev)
{
	struct run *r = ctx;

	ike_kernel_event(r->engine, ev, loop_now(r->env.loop));
	drain(r);
}

ike_time run_deadline(void *ctx)
{
	struct run *r = ctx;

	return ike_deadline(r->engine);
}

void run_expire(void *ctx, ike_time now)
{
	struct run *r = ctx;

	ike_expire(r->engine, now);
	drain(r);
}

void run_addresses(struct run *r, bool (*here)(void *ctx, const struct ike_addr *addr), void *ctx)
{
	ike_local_addresses(r->engine, here, ctx, loop_now(r->env.loop));
	drain(r);
}

int run_configure(struct run *r, const struct ike_config *cfg)
{
	int err = ike_configure(r->engine, cfg, loop_now(r->env.loop));

	drain(r);
	return err;
}

int run_command(struct run *r, enum ike_command cmd, const char *tunnel)
{
	int err = ike_command(r->engine, cmd, tunnel, loop_now(r->env.loop));

	drain(r);
	return err;
}
