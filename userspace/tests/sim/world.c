// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Hosts, links and time. The loop takes whatever comes first: an event, an engine's
 * deadline, or the next test packet.
 */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

void sim_fail(struct sim_world *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->failed)
		return;
	w->failed = true;
	n = snprintf(w->failure, sizeof(w->failure), "after %.3f s: ", (double)w->now / IKE_SECOND);
	va_start(ap, fmt);
	vsnprintf(w->failure + n, sizeof(w->failure) - (size_t)n, fmt, ap);
	va_end(ap);
	sim_trace(w, "FAILED %s", w->failure);
}

void sim_trace(struct sim_world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose)
		return;
	printf("# %14.6f ", (double)w->now / IKE_SECOND);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ---- configuration ---------------------------------------------------------------------------- */

void sim_set_psk(struct ike_tunnel_cfg *t, const char *psk)
{
	free(t->psk);
	t->psk_len = strlen(psk);
	t->psk = sim_alloc(t->psk_len);
	memcpy(t->psk, psk, t->psk_len);
}

void sim_set_p1(struct ike_tunnel_cfg *t, const char *proposal)
{
	t->n_p1 = !ike_p1_parse(proposal, IKE_POLICY_INSECURE, &t->p1[0], NULL);
}

void sim_set_p2(struct ike_tunnel_cfg *t, const char *proposal)
{
	t->n_p2 = !ike_p2_parse(proposal, IKE_POLICY_INSECURE, &t->p2[0], NULL);
}

void sim_cfg_free(struct ike_tunnel_cfg *t)
{
	free(t->psk);
	t->psk = NULL;
}

static const char *pick(struct sim_rng *r, const char *const *list, size_t n)
{
	return list[sim_below(r, n)];
}

struct ike_tunnel_cfg sim_tunnel_cfg(struct sim_world *w)
{
	/* The quick groups most of the time: the arithmetic is not what is tested here. */
	static const char *const p1[] = {
		"aes128-sha256-ecp256", "aes256-sha512-ecp256", "aes192-sha384-ecp256", "aes128-sha1-ecp256",
		"aes256-md5-ecp256", "3des-md5-ecp256", "3des-sha1-modp1024", "aes256-sha256-ecp384",
	};
	static const char *const p2[] = {
		"aes128gcm16", "aes256gcm16", "aes128-sha256", "aes256-sha512", "3des-md5", "aes192-sha384",
		"aes128gcm16-ecp256", "aes256-sha256-ecp256", "aes128-sha1-modp1024", "null-sha256",
		"aes128gcm16-esn", "aes256-sha256-ecp256-esn",
	};
	struct ike_tunnel_cfg t;

	ike_tunnel_cfg_init(&t);
	t.policy = IKE_POLICY_INSECURE;
	sim_set_psk(&t, "the right pre-shared key");
	sim_set_p1(&t, pick(&w->script, p1, sizeof(p1) / sizeof(p1[0])));
	sim_set_p2(&t, pick(&w->script, p2, sizeof(p2) / sizeof(p2[0])));
	t.start = IKE_START_AUTO;
	t.aggressive = t.aggressive_psk = w->way & SIM_AGGRESSIVE;
	return t;
}

static struct ike_addr address(unsigned int host)
{
	return (struct ike_addr){ .family = 4, .port = 500, .ip = { 10, 0, 0, (uint8_t)(host + 1) } };
}

static const char the_password[] = "the right password";

/* Either end may begin; who asks for the password stays the same. */
static void add_login(struct ike_tunnel_cfg *t, bool client, bool push)
{
	t->xauth = client ? IKE_XAUTH_CLIENT : IKE_XAUTH_SERVER;
	t->modecfg = push ? IKE_MODECFG_PUSH : IKE_MODECFG_PULL;
	if (!client) {
		t->pool_first = (struct ike_addr){ .family = 4, .ip = { 10, 9, 0, 1 } };
		t->pool_last = (struct ike_addr){ .family = 4, .ip = { 10, 9, 0, 4 } };
		return;
	}
	snprintf(t->xauth_user, sizeof(t->xauth_user), "alice");
	t->xauth_password_len = sizeof(the_password) - 1;
	t->xauth_password = sim_grow(NULL, sizeof(the_password));
	memcpy(t->xauth_password, the_password, sizeof(the_password));
}

static void answer_login(struct sim_host *h, const struct ike_action *act)
{
	bool ok = act->login.password_len == sizeof(the_password) - 1 &&
		  !memcmp(act->login.password, the_password, sizeof(the_password) - 1);

	sim_fault_enter();
	ike_xauth_answer(h->engine, act->id, ok, h->w->now);
	sim_fault_leave();
}

static void add_tunnel(struct sim_host *h, const char *name, unsigned int peer, const struct ike_tunnel_cfg *cfg)
{
	struct ike_tunnel_cfg *t;

	h->cfg.tunnel = sim_grow(h->cfg.tunnel, (h->cfg.n_tunnels + 1) * sizeof(*t));
	t = &h->cfg.tunnel[h->cfg.n_tunnels++];
	*t = *cfg;
	t->psk = NULL;
	sim_set_psk(t, "the right pre-shared key");
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->local = address(h->index);
	t->remote = address(peer);
	if (h->w->way & SIM_LOGIN)
		add_login(t, h->index == 0, h->w->way & SIM_PUSH);
}

struct sim_link *sim_link_add(struct sim_world *w, const char *name, unsigned int a, unsigned int b,
			      const struct ike_tunnel_cfg *cfg)
{
	struct sim_link *l = &w->link[w->n_links++];

	if (w->n_hosts <= a)
		w->n_hosts = a + 1;
	if (w->n_hosts <= b)
		w->n_hosts = b + 1;
	l->name = name;
	l->sel = cfg->sel[0];
	l->end[0] = &w->host[a];
	l->end[1] = &w->host[b];
	add_tunnel(l->end[0], name, b, cfg);
	add_tunnel(l->end[1], name, a, cfg);
	/* Else the address that mode config gives, which nobody here knows, would stand for any. */
	if (w->way & SIM_LOGIN)
		sim_link_select(l, 1);
	return l;
}

struct ike_selector sim_selector(const struct sim_link *l, int end)
{
	return end ? (struct ike_selector){ l->sel.remote, l->sel.local } : l->sel;
}

static struct ike_net network(uint8_t side, unsigned int n)
{
	return (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, side, (uint8_t)n } };
}

void sim_link_select(struct sim_link *l, unsigned int n)
{
	int end;

	l->sel = (struct ike_selector){ network(1, n), network(2, n) };
	for (end = 0; end < 2; end++)
		sim_cfg(l, end)->sel[0] = sim_selector(l, end);
}

struct sim_link *sim_link_add_selector(struct sim_world *w, struct sim_link *l, unsigned int n)
{
	struct sim_link *more = &w->link[w->n_links++];
	struct ike_tunnel_cfg *cfg;
	int end;

	*more = (struct sim_link){ .name = l->name, .end = { l->end[0], l->end[1] } };
	more->sel = (struct ike_selector){ network(1, n), network(2, n) };
	for (end = 0; end < 2; end++) {
		cfg = sim_cfg(more, end);
		cfg->sel[cfg->n_sel++] = sim_selector(more, end);
	}
	return more;
}

struct ike_tunnel_cfg *sim_cfg(struct sim_link *l, int end)
{
	struct ike_config *c = &l->end[end]->cfg;
	size_t i;

	for (i = 0; i < c->n_tunnels && strcmp(c->tunnel[i].name, l->name); i++)
		;
	return &c->tunnel[i];
}

void sim_world_init(struct sim_world *w, uint64_t seed, bool verbose)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->verbose = verbose;
	w->script = sim_rng_make(seed, 1);
	w->wire = sim_rng_make(seed, 2);
	w->kernels = sim_rng_make(seed, 3);
	w->pings = sim_rng_make(seed, 4);
	for (i = 0; i < SIM_HOSTS; i++) {
		w->host[i].w = w;
		w->host[i].index = i;
		w->host[i].random = sim_rng_make(seed, 100 + i);
	}
	w->now = 1000 * IKE_SECOND;
	w->net.delay = (1 + (ike_time)sim_below(&w->script, 80)) * SIM_MS;
	w->net.loss = (unsigned int)sim_below(&w->script, 31);
	w->net.duplicate = (unsigned int)sim_below(&w->script, 31);
	w->net.reorder = (unsigned int)sim_below(&w->script, 31);
	w->net.late = (unsigned int)sim_below(&w->script, 31);
	w->ping_idle = 10 * IKE_SECOND;
	w->ping_busy = 5 * SIM_MS;
	w->ping_octets = 100;
	w->next_ping = w->now;
}

void sim_world_free(struct sim_world *w)
{
	unsigned int i;

	sim_fault_clear();
	for (i = 0; i < SIM_HOSTS; i++) {
		sim_host_kill(&w->host[i]);
		sim_kernel_free(&w->host[i].kernel);
		ike_config_clear(&w->host[i].cfg);
	}
	sim_queue_clear(&w->queue);
	free(w->net.old);
	free(w->net.mm1);
}

/* ---- hosts ------------------------------------------------------------------------------------- */

static void host_random(void *ctx, void *buf, size_t len)
{
	struct sim_host *h = ctx;
	uint8_t *p = buf;

	while (len--)
		*p++ = (uint8_t)sim_random(&h->random);
}

void sim_host_start(struct sim_host *h)
{
	const struct ike_env env = { .ctx = h, .random = host_random };

	h->boot++;
	sim_fault_enter();
	h->engine = ike_engine_new(&env);
	sim_fault_leave();
	/* Short of memory: as systemd would, start it again. */
	if (!h->engine && sim_fault_count())
		h->engine = ike_engine_new(&env);
	if (!h->engine) {
		sim_fail(h->w, "host %u has no engine", h->index);
		return;
	}
	sim_trace(h->w, "host %u starts", h->index);
	sim_host_reconfigure(h);
}

void sim_host_kill(struct sim_host *h)
{
	if (h->engine)
		sim_trace(h->w, "host %u stops", h->index);
	ike_engine_free(h->engine);
	h->engine = NULL;
	h->boot++;
}

void sim_host_reconfigure(struct sim_host *h)
{
	unsigned int line = 0;
	char why[200];
	int err;

	if (ike_config_check(&h->cfg, why, sizeof(why), &line)) {
		sim_fail(h->w, "host %u: %s", h->index, why);
		return;
	}
	sim_fault_enter();
	err = ike_configure(h->engine, &h->cfg, h->w->now);
	sim_fault_leave();
	if (err == -IKE_E_NOMEM && sim_fault_count())
		err = ike_configure(h->engine, &h->cfg, h->w->now);
	if (err)
		sim_fail(h->w, "host %u: ike_configure returns %d", h->index, err);
	sim_host_drain(h);
}

void sim_host_sleep(struct sim_host *h, bool asleep)
{
	sim_trace(h->w, "host %u %s", h->index, asleep ? "is suspended" : "wakes up");
	h->asleep = asleep;
}

static bool is_here(void *ctx, const struct ike_addr *addr)
{
	const struct sim_host *h = ctx;

	(void)addr;
	return !h->homeless;
}

void sim_host_address(struct sim_host *h, bool present)
{
	sim_trace(h->w, "host %u: its address %s", h->index, present ? "is back" : "goes");
	h->homeless = !present;
	ike_local_addresses(h->engine, is_here, h, h->w->now);
	sim_host_drain(h);
}

void sim_host_adopt(struct sim_host *h)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_ADOPT };
	const struct sim_sa *sa;

	for (sa = h->kernel.sas; sa; sa = sa->next) {
		if (sa->state == SIM_SA_RESERVED || sa->state == SIM_SA_LAPSED)
			continue;
		ev.tunnel = sa->tunnel;
		ev.dir = sa->dir;
		ev.spi = sa->spi;
		ev.cookie = sa->cookie;
		ev.sel = sa->sel;
		ev.peer = sa->path.local.port ? sa->path.remote : (struct ike_addr){ .family = 0 };
		sim_fault_enter();
		ike_kernel_event(h->engine, &ev, h->w->now);
		sim_fault_leave();
	}
	sim_host_drain(h);
}

void sim_command(struct sim_host *h, enum ike_command cmd, const char *tunnel)
{
	static const char *const names[] = { "up", "down", "rekey p1", "rekey p2" };
	int err;

	if (h->w->failed || !h->engine)
		return;
	sim_trace(h->w, "host %u: command %s %s", h->index, names[cmd], tunnel);
	sim_fault_enter();
	err = ike_command(h->engine, cmd, tunnel, h->w->now);
	sim_fault_leave();
	if (err)
		sim_fail(h->w, "host %u: command %s %s returns %d", h->index, names[cmd], tunnel, err);
	sim_host_drain(h);
}

static void note_event(struct sim_host *h, const char *event)
{
	unsigned int i;

	for (i = 0; i < SIM_EVENT_NAMES && h->saw[i].name && strcmp(h->saw[i].name, event); i++)
		;
	if (i == SIM_EVENT_NAMES) {
		sim_fail(h->w, "too many names of log events");
		return;
	}
	h->saw[i].name = event;
	h->saw[i].n++;
}

unsigned long sim_saw(const struct sim_host *h, const char *event)
{
	unsigned int i;

	for (i = 0; i < SIM_EVENT_NAMES && h->saw[i].name; i++)
		if (!strcmp(h->saw[i].name, event))
			return h->saw[i].n;
	return 0;
}

static void take_log(struct sim_host *h, const struct ike_log *log)
{
	static const char *const levels[] = { "ERROR", "WARNING", "notice", "info", "debug" };
	const char *p;

	note_event(h, log->event);
	for (p = log->text; *p; p++)
		if (*p < ' ' || *p > '~')
			sim_fail(h->w, "host %u logs an unprintable character 0x%02x", h->index, (uint8_t)*p);
	sim_trace(h->w, "host %u %s %s [%s] %s%s%s", h->index, levels[log->level], log->event,
		  log->tunnel ? log->tunnel : "-", log->message ? log->message : "", log->message ? ": " : "", log->text);
}

void sim_host_drain(struct sim_host *h)
{
	struct ike_action act;
	unsigned int n = 0;

	while (h->engine && ike_next_action(h->engine, &act)) {
		if (++n > 100000) {
			sim_fail(h->w, "host %u has endless actions", h->index);
			return;
		}
		if (act.type == IKE_ACT_LOG)
			take_log(h, &act.log);
		else if (act.type == IKE_ACT_XAUTH)
			answer_login(h, &act);
		else if (act.type == IKE_ACT_PEER || act.type == IKE_ACT_ASSIGN)
			continue;	/* what addresses do is not played here */
		else if (act.type == IKE_ACT_SEND)
			sim_net_send(h, &act.path, act.data, act.len);
		else
			sim_kernel_request(h, &act);
	}
}

void sim_host_kernel_event(struct sim_host *h, const struct ike_kernel_event *ev)
{
	if (!h->engine || h->asleep)
		return;
	/* A tunnel that is down asks every second: nothing changes by that. */
	if (ev->type != IKE_KEV_ACQUIRE)
		sim_busy(h->w);
	sim_fault_enter();
	ike_kernel_event(h->engine, ev, h->w->now);
	sim_fault_leave();
	sim_host_drain(h);
}

/* ---- test packets -------------------------------------------------------------------------------- */

enum { BUSY_SECONDS = 3 };
enum { WATCHED = 2 };			/* in a packet's b, beside the end it comes from */

void sim_busy(struct sim_world *w)
{
	w->busy_until = w->now + BUSY_SECONDS * IKE_SECOND;
	if (w->next_ping > w->now + w->ping_busy)
		w->next_ping = w->now + (ike_time)sim_below(&w->pings, (uint64_t)w->ping_busy);
}

static void lost(struct sim_world *w, struct sim_link *l, int from, bool watched, const char *why)
{
	l->lost++;
	if (watched)
		sim_fail(w, "a packet in %s from host %u to host %u is lost: %s", l->name, l->end[from]->index,
			 l->end[!from]->index, why);
}

static void packet_arrives(struct sim_world *w, struct sim_event *ev)
{
	struct sim_link *l = &w->link[ev->a];
	int from = (int)(ev->b & 1);
	const char *why;

	if (w->net.cut || l->end[!from]->asleep || l->end[!from]->homeless)
		return;
	why = sim_kernel_receive(l->end[!from], ev->thing, ev->len);
	if (ev->id != l->era)
		return;
	if (why) {
		lost(w, l, from, ev->b & WATCHED, why);
		return;
	}
	if (!l->up[!from])
		sim_trace(w, "%s is up from host %u to host %u", l->name, l->end[from]->index, l->end[!from]->index);
	l->up[!from] = true;
	l->last_arrival[!from] = w->now;
}

static void ping(struct sim_world *w, unsigned int link, int from)
{
	struct sim_link *l = &w->link[link];
	struct sim_host *h = l->end[from];
	struct ike_selector sel;
	const struct sim_sa *sa;
	struct sim_event *ev;

	if (h->asleep || h->homeless)
		return;
	l->sent++;
	sel = sim_selector(l, from);
	sa = sim_kernel_send(h, l->name, &sel, w->ping_octets);
	if (!sa) {
		lost(w, l, from, l->watched, "no outbound SA");
		return;
	}
	ev = sim_event_new(packet_arrives, 0);
	ev->boot = SIM_ANY_BOOT;
	ev->a = link;
	ev->b = (unsigned int)from | (l->watched ? WATCHED : 0);
	ev->id = l->era;
	ev->len = w->ping_octets;
	ev->thing = sim_alloc(sizeof(*sa));
	memcpy(ev->thing, sa, sizeof(*sa));
	sim_queue_add(&w->queue, ev, w->now + w->net.delay + (ike_time)sim_below(&w->pings, 20 * SIM_MS));
}

void sim_ping(struct sim_world *w)
{
	unsigned int i;

	for (i = 0; i < w->n_links; i++) {
		ping(w, i, 0);
		ping(w, i, 1);
	}
}

static void ping_now(struct sim_world *w)
{
	sim_ping(w);
	w->next_ping = w->now + (w->now < w->busy_until ? w->ping_busy :
				 w->ping_idle / 2 + (ike_time)sim_below(&w->pings, (uint64_t)w->ping_idle));
}

/* ---- time ------------------------------------------------------------------------------------------ */

static void fire(struct sim_world *w)
{
	struct sim_event *ev = sim_queue_pop(&w->queue);

	if (ev->boot == SIM_ANY_BOOT || ev->boot == w->host[ev->host].boot)
		ev->fire(w, ev);
	sim_event_free(ev);
}

static void expire(struct sim_host *h)
{
	unsigned int n = 0;

	while (h->engine && ike_deadline(h->engine) <= h->w->now && !h->w->failed) {
		sim_busy(h->w);
		sim_fault_enter();
		ike_expire(h->engine, h->w->now);
		sim_fault_leave();
		sim_host_drain(h);
		if (++n > 1000)
			sim_fail(h->w, "host %u: ike_expire leaves the deadline in the past", h->index);
	}
}

/* The next thing happens, or time is 'end'. */
static void step(struct sim_world *w, ike_time end)
{
	struct sim_host *first = NULL;
	ike_time at = end, t;
	unsigned int i;

	for (i = 0; i < w->n_hosts; i++) {
		t = w->host[i].engine && !w->host[i].asleep ? ike_deadline(w->host[i].engine) : IKE_NEVER;
		if (t < at) {
			at = t;
			first = &w->host[i];
		}
	}
	t = sim_queue_next(&w->queue);
	if (t <= at && t <= w->next_ping && t < end) {
		w->now = t > w->now ? t : w->now;
		fire(w);
	} else if (w->next_ping <= at && w->next_ping < end) {
		w->now = w->next_ping;
		ping_now(w);
	} else if (first) {
		w->now = at > w->now ? at : w->now;
		expire(first);
	} else {
		w->now = end;
	}
}

void sim_run_for(struct sim_world *w, ike_time span)
{
	ike_time end = w->now + span;

	while (!w->failed && w->now < end)
		step(w, end);
}

bool sim_run_until(struct sim_world *w, bool (*cond)(struct sim_world *w), ike_time span)
{
	ike_time end = w->now + span;

	while (!w->failed && w->now < end && !cond(w))
		step(w, end);
	return !w->failed && cond(w);
}
