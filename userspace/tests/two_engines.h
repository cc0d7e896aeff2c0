/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two engines in one process, a wire between them that can lose, double and change
 * messages by name ("MM3", "QM2"), a recording kernel for each and virtual time. For
 * tests that read like the exchange they test. Deterministic: randomness is seeded.
 * IKE_TEST_VERBOSE=1 prints every log line and message.
 */
#ifndef TESTS_TWO_ENGINES_H
#define TESTS_TWO_ENGINES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/crypto.h"
#include "libike/ike.h"

/* Each test program uses a part of this. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define ALICE 0
#define BOB 1
#define MAX_SAS 64
#define MAX_PACKETS 256
#define MAX_NAMES 512
#define MAX_LOGS 4096

struct kernel_sa {
	bool used, pending, active;
	enum ike_dir dir;
	uint32_t spi, partner;
	char tunnel[IKE_NAME_MAX + 1];
	uint8_t keys[160];
	size_t encr_len, auth_len;
	struct ike_p2_proposal alg;
	struct ike_path path;
	bool follow_peer;
	uint32_t keepalive;
	struct ike_net local_net, remote_net;
	uint64_t hard_bytes;
	uint8_t cookie[IKE_SA_COOKIE_LEN];
};

struct log_entry {
	enum ike_log_level level;
	const char *event;
	char *text;
	uint8_t icookie[8], rcookie[8];
};

struct side {
	struct ike_engine *e;
	const char *name;
	struct ike_addr addr;
	/*
	 * Behind a NAT: the others see this address, and ports that are 'shift' higher. A change of
	 * either is a new mapping; what goes to the old one is lost. family 0: no NAT.
	 */
	struct ike_addr outside;
	uint16_t shift;
	unsigned int keepalives;	/* sent */
	uint64_t rng;
	uint32_t next_spi;
	ike_time traffic_at;		/* of the last ESP packet, as the kernel tells */
	struct kernel_sa sa[MAX_SAS];
	unsigned int fail_action;	/* refuse the next action of this type (plus 1) */
	const char *user, *password;	/* whom the XAUTH server lets in */
	char login[300];		/* "user/password" it was asked about last */
	char login_tunnel[IKE_NAME_MAX + 1];
	bool mute;			/* it does not answer */
	struct ike_given given;		/* what IKE_ACT_ASSIGN said last */
	struct ike_addr peer;		/* where IKE_ACT_PEER said the peer is */
	unsigned int leaks;		/* deletes of SAs that were not there */
	struct log_entry log[MAX_LOGS];
	size_t n_logs;
};

struct packet {
	int to;
	struct ike_path path;
	uint8_t *data;
	size_t len;
	char name[8];
};

struct world;
/* What to do with a message: how many times to deliver it (0: lost). May change it in place. */
typedef unsigned int (*wire_fn)(struct world *w, struct packet *p);

struct world {
	struct side side[2];
	ike_time now;
	struct packet queue[MAX_PACKETS];
	size_t n_queue;
	struct { uint8_t key[14]; uint64_t digest; unsigned int number; } names[MAX_NAMES];
	size_t n_names;
	wire_fn wire;
	/* For the common wires: which message, how often. */
	const char *target;
	unsigned int count, seen;
	uint16_t blocked_port;		/* nothing that goes to this port arrives */
	size_t at;
	struct packet kept;		/* a copy of the last message named 'keep' */
	const char *keep;
	unsigned int sent[2];
	char trace[2048];		/* "A:MM1 B:MM2 ..." in sending order */
};

static uint64_t splitmix(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void side_random(void *ctx, void *buf, size_t len)
{
	struct side *s = ctx;
	uint8_t *p = buf;

	while (len--)
		*p++ = (uint8_t)splitmix(&s->rng);
}

/* A day in November 2023, when the certificates of pki.h are valid. */
static int64_t side_wall(void *ctx)
{
	(void)ctx;
	return 1700000000;
}

static bool verbose(void)
{
	return getenv("IKE_TEST_VERBOSE") != NULL;
}

/* ---- naming messages ------------------------------------------------------------------- */

static uint64_t digest64(const uint8_t *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

/* The n-th different datagram of a cookie and message ID is MMn or QMn. */
static void name_packet(struct world *w, struct packet *p)
{
	const char *kind = p->data[18] == 2 ? "MM" : p->data[18] == 4 ? "AM" : p->data[18] == 6 ? "TR" :
			   p->data[18] == 32 ? "QM" : "INFO";
	uint64_t digest = digest64(p->data, p->len);
	unsigned int number = 1;
	uint8_t key[14];
	size_t i;

	if (p->data[16] == 132) {
		snprintf(p->name, sizeof(p->name), "FRAG");
		return;
	}
	memcpy(key, p->data, 8);
	memcpy(key + 8, p->data + 20, 4);
	key[12] = p->data[18];
	key[13] = 0;
	for (i = 0; i < w->n_names; i++) {
		if (memcmp(w->names[i].key, key, sizeof(key)))
			continue;
		if (w->names[i].digest == digest) {
			number = w->names[i].number;
			break;
		}
		number++;
	}
	if (i == w->n_names && w->n_names < MAX_NAMES) {
		memcpy(w->names[i].key, key, sizeof(key));
		w->names[i].digest = digest;
		w->names[i].number = number;
		w->n_names++;
	}
	if (p->data[18] == 5)
		snprintf(p->name, sizeof(p->name), "INFO");
	else
		snprintf(p->name, sizeof(p->name), "%s%u", kind, number % 100);
}

/* ---- the recording kernel ---------------------------------------------------------------- */

static struct kernel_sa *kernel_find(struct side *s, enum ike_dir dir, uint32_t spi)
{
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (s->sa[i].used && s->sa[i].dir == dir && s->sa[i].spi == spi)
			return &s->sa[i];
	return NULL;
}

static void kernel_add(struct side *s, const struct ike_sa *a)
{
	struct kernel_sa *k = kernel_find(s, a->dir, a->spi);
	size_t i;

	for (i = 0; !k && i < MAX_SAS; i++)
		if (!s->sa[i].used)
			k = &s->sa[i];
	assert_non_null(k);
	memset(k, 0, sizeof(*k));
	k->used = true;
	k->dir = a->dir;
	k->spi = a->spi;
	k->partner = a->partner_spi;
	k->pending = a->pending;
	k->active = a->dir == IKE_IN;
	k->alg = a->alg;
	k->path = a->path;
	k->follow_peer = a->follow_peer;
	k->keepalive = a->keepalive;
	k->local_net = a->local_net;
	k->remote_net = a->remote_net;
	k->hard_bytes = a->hard_bytes;
	snprintf(k->tunnel, sizeof(k->tunnel), "%s", a->tunnel);
	k->encr_len = a->encr_key_len;
	k->auth_len = a->auth_key_len;
	assert_true(k->encr_len + k->auth_len <= sizeof(k->keys));
	if (k->encr_len)
		memcpy(k->keys, a->encr_key, k->encr_len);
	if (k->auth_len)
		memcpy(k->keys + k->encr_len, a->auth_key, k->auth_len);
	memcpy(k->cookie, a->cookie, sizeof(k->cookie));
}

static void kernel_activate(struct side *s, const struct ike_sa *a)
{
	struct kernel_sa *k = kernel_find(s, IKE_OUT, a->spi);
	size_t i;

	assert_non_null(k);
	for (i = 0; i < MAX_SAS; i++)
		if (s->sa[i].used && s->sa[i].dir == IKE_OUT && !strcmp(s->sa[i].tunnel, k->tunnel) &&
		    !memcmp(&s->sa[i].local_net, &k->local_net, sizeof(k->local_net)) &&
		    !memcmp(&s->sa[i].remote_net, &k->remote_net, sizeof(k->remote_net)))
			s->sa[i].active = false;
	k->active = true;
	k->pending = false;
}

static void kernel_del(struct side *s, const struct ike_sa *a)
{
	struct kernel_sa *k = kernel_find(s, a->dir, a->spi);

	if (!k) {
		s->leaks++;
		return;
	}
	memset(k, 0, sizeof(*k));
}

static void side_log(struct side *s, const struct ike_log *l)
{
	struct log_entry *le = &s->log[s->n_logs];

	if (verbose())
		printf("  %s %d %s [%s] %s: %s\n", s->name, l->level, l->event, l->tunnel ? l->tunnel : "-",
		       l->message ? l->message : "-", l->text);
	if (s->n_logs == MAX_LOGS)
		return;
	le->level = l->level;
	le->event = l->event;
	le->text = strdup(l->text);
	memcpy(le->icookie, l->icookie, 8);
	memcpy(le->rcookie, l->rcookie, 8);
	s->n_logs++;
}

/* ---- moving things ------------------------------------------------------------------------- */

static void enqueue(struct world *w, int to, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct packet *p;

	assert_true(w->n_queue < MAX_PACKETS);
	p = &w->queue[w->n_queue++];
	memset(p, 0, sizeof(*p));
	p->to = to;
	p->path = *path;
	p->data = malloc(len ? len : 1);
	memcpy(p->data, data, len);
	p->len = len;
}

static void keep_copy(struct world *w, const struct packet *p)
{
	free(w->kept.data);
	w->kept = *p;
	w->kept.data = malloc(p->len);
	memcpy(w->kept.data, p->data, p->len);
}

/* How the receiver sees it: through its NAT and the sender's. False: no NAT lets it in. */
static bool translate(struct world *w, int from, const struct ike_path *sent, struct ike_path *seen)
{
	struct side *s = &w->side[from], *to = &w->side[!from];

	seen->local = to->addr;
	seen->local.port = sent->remote.port;
	seen->remote = s->outside.family ? s->outside : s->addr;
	seen->remote.port = (uint16_t)(sent->local.port + (s->outside.family ? s->shift : 0));
	if (sent->remote.port == w->blocked_port && w->blocked_port)
		return false;
	if (!to->outside.family) {
		assert_memory_equal(sent->remote.ip, to->addr.ip, 16);
		return true;
	}
	seen->local.port = (uint16_t)(sent->remote.port - to->shift);
	return !memcmp(sent->remote.ip, to->outside.ip, 16) &&
	       (seen->local.port == 500 || seen->local.port == IKE_NATT_PORT);
}

static void do_send(struct world *w, int from, const struct ike_action *a)
{
	struct ike_path path;
	struct packet *p;
	unsigned int copies;
	size_t n;

	if (a->len == 1) {
		assert_int_equal(a->data[0], 0xff);
		assert_int_equal(a->path.local.port, IKE_NATT_PORT);
		w->side[from].keepalives++;
		return;
	}
	if (!translate(w, from, &a->path, &path)) {
		w->sent[from]++;
		return;
	}
	enqueue(w, !from, &path, a->data, a->len);
	p = &w->queue[w->n_queue - 1];
	name_packet(w, p);
	w->sent[from]++;
	n = strlen(w->trace);
	snprintf(w->trace + n, sizeof(w->trace) - n, "%s%s:%s", n ? " " : "", from ? "B" : "A", p->name);
	if (verbose())
		printf("%10.3f %s %s (%zu)\n", (double)w->now / 1e9, from ? "          <--" : "-->", p->name, a->len);
	if (w->keep && !strcmp(w->keep, p->name))
		keep_copy(w, p);
	copies = w->wire ? w->wire(w, p) : 1;
	while (copies > 1) {
		enqueue(w, p->to, &path, p->data, p->len);
		memcpy(w->queue[w->n_queue - 1].name, p->name, sizeof(p->name));
		copies--;
	}
	if (!copies) {
		free(p->data);
		w->n_queue--;
	}
}

static void kernel_answer(struct world *w, struct side *s, const struct ike_action *a)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_DONE, .id = a->id };

	if (a->type == IKE_ACT_SA_IDLE) {
		ev = (struct ike_kernel_event){ .type = IKE_KEV_TRAFFIC, .tunnel = "paris", .dir = IKE_IN,
						.spi = a->sa.spi, .at = s->traffic_at };
		ike_kernel_event(s->e, &ev, w->now);
		return;
	}
	if (s->fail_action == (unsigned int)a->type + 1) {
		s->fail_action = 0;
		ev.type = IKE_KEV_FAILED;
		ev.text = "test says no";
	} else if (a->type == IKE_ACT_SPI_ALLOC) {
		struct ike_sa larval = { .tunnel = a->tunnel, .dir = IKE_IN, .spi = s->next_spi };

		ev.spi = s->next_spi++;
		kernel_add(s, &larval);
	} else if (a->type == IKE_ACT_SA_ADD) {
		kernel_add(s, &a->sa);
	} else {
		kernel_activate(s, &a->sa);
	}
	ike_kernel_event(s->e, &ev, w->now);
}

/* What stands in for the file of users. */
static void kernel_login(struct world *w, struct side *s, const struct ike_action *a)
{
	uint64_t id = a->id;
	char expected[300];

	snprintf(s->login_tunnel, sizeof(s->login_tunnel), "%s", a->tunnel);
	snprintf(s->login, sizeof(s->login), "%.*s/%.*s", (int)a->login.user_len, (const char *)a->login.user,
		 (int)a->login.password_len, (const char *)a->login.password);
	snprintf(expected, sizeof(expected), "%s/%s", s->user ? s->user : "", s->password ? s->password : "");
	if (!s->mute)
		ike_xauth_answer(s->e, id, !strcmp(s->login, expected), w->now);
}

static void drain(struct world *w, int who)
{
	struct side *s = &w->side[who];
	struct ike_action a;

	while (ike_next_action(s->e, &a)) {
		switch (a.type) {
		case IKE_ACT_SEND:
			do_send(w, who, &a);
			break;
		case IKE_ACT_SA_DEL:
			kernel_del(s, &a.sa);
			break;
		case IKE_ACT_XAUTH:
			kernel_login(w, s, &a);
			break;
		case IKE_ACT_ASSIGN:
			s->given = a.given;
			break;
		case IKE_ACT_PEER:
			s->peer = a.path.remote;
			break;
		case IKE_ACT_LOG:
			side_log(s, &a.log);
			break;
		default:
			kernel_answer(w, s, &a);
		}
	}
}

static void deliver(struct world *w, int to, const struct ike_path *path, const uint8_t *data, size_t len)
{
	ike_datagram(w->side[to].e, path, data, len, w->now);
	drain(w, to);
}

/* Deliver the next message, or let time pass to the next deadline; false: nothing before 'until'. */
static bool step(struct world *w, ike_time until)
{
	ike_time next;
	int i;

	drain(w, ALICE);
	drain(w, BOB);
	if (w->n_queue) {
		struct packet p = w->queue[0];

		memmove(w->queue, w->queue + 1, --w->n_queue * sizeof(p));
		w->now += IKE_SECOND / 1000;
		deliver(w, p.to, &p.path, p.data, p.len);
		free(p.data);
		return true;
	}
	next = ike_deadline(w->side[ALICE].e);
	if (ike_deadline(w->side[BOB].e) < next)
		next = ike_deadline(w->side[BOB].e);
	if (next > until)
		return false;
	if (next > w->now)
		w->now = next;
	for (i = 0; i < 2; i++) {
		ike_expire(w->side[i].e, w->now);
		drain(w, i);
	}
	return true;
}

static void run_for(struct world *w, ike_time span)
{
	ike_time until = w->now + span;

	while (w->now <= until && step(w, until))
		;
	if (w->now < until)
		w->now = until;
}

/* Run until cond, at most 'span' of virtual time. */
static bool run_until(struct world *w, bool (*cond)(struct world *w), ike_time span)
{
	ike_time until = w->now + span;

	while (!cond(w))
		if (w->now > until || !step(w, until))
			return cond(w);
	return true;
}

/* ---- making a world ------------------------------------------------------------------------- */

static struct ike_addr v4(const char *text)
{
	struct ike_addr a = { .family = 4, .port = 500 };
	unsigned int b[4];

	assert_int_equal(sscanf(text, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]), 4);
	a.ip[0] = (uint8_t)b[0];
	a.ip[1] = (uint8_t)b[1];
	a.ip[2] = (uint8_t)b[2];
	a.ip[3] = (uint8_t)b[3];
	return a;
}

/* "paris": from A (192.0.2.1) to B (192.0.2.2) as side 'who' sees it. */
static void tunnel_cfg(struct ike_tunnel_cfg *t, int who, const char *p1, const char *p2)
{
	const char *why = NULL;

	ike_tunnel_cfg_init(t);
	snprintf(t->name, sizeof(t->name), "paris");
	t->line = who ? 70 : 7;
	t->local = v4(who ? "192.0.2.2" : "192.0.2.1");
	t->remote = v4(who ? "192.0.2.1" : "192.0.2.2");
	t->psk_len = 16;
	t->psk = malloc(t->psk_len);
	memcpy(t->psk, "correct horse ba", t->psk_len);
	t->policy = IKE_POLICY_INSECURE;
	t->dpd = 0;	/* traces stay what the test has begun; test_dpd.c switches it on */
	t->initial_contact = false;	/* no HASH covers it; test_contact.c switches it on */
	if (ike_p1_parse(p1, t->policy, &t->p1[0], &why))
		fail_msg("%s: %s", p1, why);
	t->n_p1 = 1;
	if (ike_p2_parse(p2, t->policy, &t->p2[0], &why))
		fail_msg("%s: %s", p2, why);
	t->n_p2 = 1;
	t->start = who ? IKE_START_RESPOND : IKE_START_AUTO;
}

static int side_configure(struct world *w, int who, const struct ike_tunnel_cfg *t)
{
	struct ike_config cfg = { .tunnel = (struct ike_tunnel_cfg *)(uintptr_t)t, .n_tunnels = t ? 1 : 0 };
	int err = ike_configure(w->side[who].e, &cfg, w->now);

	drain(w, who);
	return err;
}

static struct world *world_empty(uint64_t seed)
{
	struct world *w = calloc(1, sizeof(*w));
	int i;

	assert_non_null(w);
	w->now = 1000 * IKE_SECOND;
	for (i = 0; i < 2; i++) {
		struct side *s = &w->side[i];
		struct ike_env env = { .ctx = s, .random = side_random, .wall = side_wall };

		s->name = i ? "B" : "A";
		s->rng = seed * 2 + (uint64_t)i;
		s->next_spi = i ? 0xb0000001 : 0xa0000001;
		s->addr = v4(i ? "192.0.2.2" : "192.0.2.1");
		s->e = ike_engine_new(&env);
		assert_non_null(s->e);
	}
	return w;
}

/* A begins, B answers. */
static struct world *world_new(const char *p1, const char *p2)
{
	struct world *w = world_empty(1);
	int i;

	for (i = 1; i >= 0; i--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, i, p1, p2);
		assert_int_equal(side_configure(w, i, &t), 0);
		free(t.psk);
	}
	return w;
}

static void world_free(struct world *w)
{
	struct ike_counters c;
	size_t i, j;

	for (i = 0; i < 2; i++) {
		struct side *s = &w->side[i];

		ike_counters(s->e, &c);
		ike_engine_free(s->e);
		for (j = 0; j < s->n_logs; j++)
			free(s->log[j].text);
		assert_int_equal(s->leaks, 0);
	}
	for (i = 0; i < w->n_queue; i++)
		free(w->queue[i].data);
	free(w->kept.data);
	free(w);
}

/* ---- asking ----------------------------------------------------------------------------------- */

static unsigned int count_sas(struct side *s, enum ike_dir dir, bool active_only)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		n += s->sa[i].used && s->sa[i].dir == dir && s->sa[i].encr_len + s->sa[i].auth_len &&
		     (!active_only || s->sa[i].active);
	return n;
}

static struct kernel_sa *active_out(struct side *s)
{
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (s->sa[i].used && s->sa[i].dir == IKE_OUT && s->sa[i].active)
			return &s->sa[i];
	return NULL;
}

/* What A sends on, B receives on with the same keys, and the other way round. */
static bool tunnel_works(struct world *w)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct kernel_sa *out = active_out(&w->side[i]), *in;

		if (!out)
			return false;
		in = kernel_find(&w->side[!i], IKE_IN, out->spi);
		if (!in || in->encr_len != out->encr_len || in->auth_len != out->auth_len ||
		    memcmp(in->keys, out->keys, in->encr_len + in->auth_len))
			return false;
	}
	return true;
}

static bool nothing_left(struct world *w)
{
	struct ike_counters c;
	int i;
	size_t j;

	for (i = 0; i < 2; i++) {
		ike_counters(w->side[i].e, &c);
		if (c.p1_now || c.exchanges_now || c.children_now)
			return false;
		for (j = 0; j < MAX_SAS; j++)
			if (w->side[i].sa[j].used)
				return false;
	}
	return true;
}

static struct ike_counters counters(struct world *w, int who)
{
	struct ike_counters c;

	ike_counters(w->side[who].e, &c);
	return c;
}

static const struct log_entry *find_log(struct world *w, int who, const char *event)
{
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		if (!strcmp(w->side[who].log[i].event, event))
			return &w->side[who].log[i];
	return NULL;
}

static unsigned int count_logs(struct world *w, int who, const char *event)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		n += !strcmp(w->side[who].log[i].event, event);
	return n;
}

static void forget_trace(struct world *w)
{
	w->trace[0] = '\0';
}

#endif
