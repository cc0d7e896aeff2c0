// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two engines and what must hold of each whatever comes: log lines are printable, messages
 * are of a sane size and number, SAs are complete and for a tunnel there is, the live objects
 * are bounded. Without a cheat who knows the keys, what one side sends on the other receives
 * on with the same keys: nothing that is done to messages may bring two different SAs up.
 */
#include "fuzz/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/keymat.h"
#include "libike/wire.h"

#define SENDS_PER_CALL 24	/* answers, deletes and new negotiations after one call */
#define ACTIONS_PER_CALL 512

static const struct {
	const char *p1, *p2;
} suites[] = {
	{ "aes128-sha256-modp2048", "aes128gcm16-modp2048" },
	{ "aes256-sha512-ecp256", "aes256-sha256" },
	{ "3des-md5-modp1024", "3des-md5" },
	{ "aes256-sha1-modp1536", "aes128ctr-aesxcbc-modp1536" },
	{ "aes128-sha384-ecp384", "aes128gcm16-ecp384-esn" },
	{ "3des-sha256-ecp256", "null-sha1-ecp256" },
};

#define SUITES (sizeof(suites) / sizeof(suites[0]))

/* Bits of world_plan.suite. */
#define SUITE_AGGRESSIVE 64
#define SUITE_NO_AGGRESSIVE_PSK 128

/* Bits of world_plan.shape. */
#define SHAPE_BOTH_START 1
#define SHAPE_NAMES 2		/* identities are names */
#define SHAPE_NETS 4		/* not any to any */
#define SHAPE_TWO 8		/* a second tunnel between the same addresses */
#define SHAPE_DPD 16
#define SHAPE_SHORT 32		/* lifetimes */
#define SHAPE_VOLUME 64
#define SHAPE_SECOND_SUITE 128	/* offers another as well */

static uint64_t splitmix(uint64_t *s)
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void side_random(void *ctx, void *buf, size_t len)
{
	struct world_side *s = ctx;
	uint8_t *p = buf;

	while (len--)
		*p++ = (uint8_t)splitmix(&s->rng);
}

/* ---- configuration ---------------------------------------------------------------------- */

static void put_suite(struct ike_tunnel_cfg *t, unsigned int suite)
{
	suite &= 15;
	FUZZ_CHECK(!ike_p1_parse(suites[suite % SUITES].p1, t->policy, &t->p1[t->n_p1++], NULL));
	FUZZ_CHECK(!ike_p2_parse(suites[suite % SUITES].p2, t->policy, &t->p2[t->n_p2++], NULL));
}

static void put_shape(struct ike_tunnel_cfg *t, int who, unsigned int number, uint8_t shape)
{
	char id[32];

	t->start = who && !(shape & SHAPE_BOTH_START) ? IKE_START_RESPOND : IKE_START_AUTO;
	t->dpd = shape & SHAPE_DPD ? 10 : 0;
	if (shape & SHAPE_SHORT) {
		t->p1_life = 600;
		t->p2_life = 60;
		t->grace = 5;
	}
	if (shape & SHAPE_VOLUME)
		t->p2_life_kb = 4096;
	if (shape & SHAPE_NAMES || number) {
		snprintf(id, sizeof(id), "fqdn:%c%u.example", who ? 'b' : 'a', number);
		FUZZ_CHECK(!ike_id_parse(id, &t->local_id));
		snprintf(id, sizeof(id), "fqdn:%c%u.example", who ? 'a' : 'b', number);
		FUZZ_CHECK(!ike_id_parse(id, &t->remote_id));
	}
	if (shape & SHAPE_NETS || number) {
		t->sel[0].local = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)who, (uint8_t)number } };
		t->sel[0].remote = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)!who, (uint8_t)number } };
	}
}

static void put_tunnel(const struct world *w, struct ike_tunnel_cfg *t, int who, unsigned int number,
		       const struct world_plan *p)
{
	static uint8_t psk[] = "correct horse ba";

	ike_tunnel_cfg_init(t);
	snprintf(t->name, sizeof(t->name), "net%u", number);
	t->line = 7 + 10 * number;
	t->local = w->side[who].addr;
	t->remote = w->side[!who].addr;
	t->psk = psk;		/* ike_configure() copies it */
	t->psk_len = sizeof(psk) - 1;
	t->policy = IKE_POLICY_INSECURE;
	t->aggressive = p->suite & SUITE_AGGRESSIVE;
	t->aggressive_psk = !(p->suite & SUITE_NO_AGGRESSIVE_PSK);
	put_suite(t, p->suite);
	if (p->shape & SHAPE_SECOND_SUITE)
		put_suite(t, p->suite + 1U);
	put_shape(t, who, number, p->shape);
}

static void drain(struct world *w, int who);

void world_configure(struct world *w, int who, const struct world_plan *p)
{
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = p->shape & SHAPE_TWO ? 2 : 1 };

	for (unsigned int i = 0; i < cfg.n_tunnels; i++)
		put_tunnel(w, &t[i], who, i, p);
	FUZZ_CHECK(!ike_configure(w->side[who].e, &cfg, w->now));
	drain(w, who);
}

void world_init(struct world *w, const struct world_plan *p)
{
	memset(w, 0, sizeof(*w));
	w->now = 1000 * IKE_SECOND;
	for (int i = 1; i >= 0; i--) {
		struct world_side *s = &w->side[i];
		const struct ike_env env = { .ctx = s, .random = side_random };

		s->rng = (uint64_t)i + 1;
		s->next_spi = i ? 0xb0000001 : 0xa0000001;
		s->addr = (struct ike_addr){ .family = 4, .port = 500, .ip = { 192, 0, 2, (uint8_t)(i + 1) } };
		s->e = ike_engine_new(&env);
		FUZZ_CHECK(s->e);
	}
	world_configure(w, 1, p);
	world_configure(w, 0, p);
}

/* ---- the recording kernel ----------------------------------------------------------------- */

static struct world_sa *find_sa(struct world_side *s, enum ike_dir dir, uint32_t spi)
{
	for (size_t i = s->n_sas; i--;)
		if (s->sa[i].dir == dir && s->sa[i].spi == spi && !s->sa[i].gone)
			return &s->sa[i];
	return NULL;
}

static void add_sa(struct world_side *s, const struct ike_sa *a)
{
	struct world_sa *sa;

	FUZZ_CHECK(a->tunnel && !strncmp(a->tunnel, "net", 3));
	FUZZ_CHECK(a->spi >= IKE_SPI_MIN);
	FUZZ_CHECK(a->encr_key_len == ike_esp_encr_len(&a->alg) && a->auth_key_len == ike_esp_auth_len(&a->alg));
	FUZZ_CHECK(a->encr_key_len + a->auth_key_len > 0);
	FUZZ_CHECK(a->local_net.family && a->remote_net.family);
	FUZZ_CHECK(a->encr_key_len + a->auth_key_len <= sizeof(sa->keys));
	fuzz_touch(a->encr_key, a->encr_key_len);
	fuzz_touch(a->auth_key, a->auth_key_len);
	if (s->n_sas == WORLD_SAS)
		return;
	sa = &s->sa[s->n_sas++];
	*sa = (struct world_sa){ .dir = a->dir, .spi = a->spi, .len = a->encr_key_len + a->auth_key_len,
				 .used = a->dir == IKE_OUT && !a->pending };
	if (a->encr_key_len)
		memcpy(sa->keys, a->encr_key, a->encr_key_len);
	if (a->auth_key_len)
		memcpy(sa->keys + a->encr_key_len, a->auth_key, a->auth_key_len);
	memcpy(sa->cookie, a->cookie, sizeof(sa->cookie));
}

static void activate_sa(struct world_side *s, uint32_t spi)
{
	struct world_sa *sa = find_sa(s, IKE_OUT, spi);

	if (sa)
		sa->used = true;
}

static void delete_sa(struct world_side *s, const struct ike_sa *a)
{
	struct world_sa *sa = find_sa(s, a->dir, a->spi);

	if (sa)
		sa->gone = true;
}

static bool has_same(const struct world_side *s, enum ike_dir dir, const struct world_sa *sa)
{
	for (size_t i = 0; i < s->n_sas; i++)
		if (s->sa[i].dir == dir && s->sa[i].spi == sa->spi && s->sa[i].len == sa->len &&
		    !memcmp(s->sa[i].keys, sa->keys, sa->len))
			return true;
	return s->n_sas == WORLD_SAS;	/* who knows */
}

/* Whoever sends on an SA has agreed on it with the other end: that one installed it first, with the same keys. */
static void check_pairs(struct world *w)
{
	for (int who = 0; who < 2; who++) {
		for (size_t i = 0; i < w->side[who].n_sas; i++) {
			const struct world_sa *out = &w->side[who].sa[i];

			FUZZ_CHECK(!out->used || has_same(&w->side[!who], IKE_IN, out));
		}
	}
}

/* ---- actions -------------------------------------------------------------------------------- */

static void keep(struct world *w, const struct world_msg *m)
{
	struct world_msg *k = &w->kept[w->n_kept++ % WORLD_KEPT];

	free(k->data);
	*k = *m;
	k->data = malloc(m->len);
	FUZZ_CHECK(k->data);
	memcpy(k->data, m->data, m->len);
}

static void do_send(struct world *w, int who, const struct ike_action *a)
{
	struct world_msg m = { .to = !who, .len = a->len };

	FUZZ_CHECK(a->len >= ISAKMP_HDR_LEN && a->len <= IKE_WBUF_MAX);
	FUZZ_CHECK(a->path.remote.family == 4 && !memcmp(a->path.remote.ip, w->side[!who].addr.ip, 4));
	FUZZ_CHECK(++w->side[who].sends <= SENDS_PER_CALL);
	m.data = malloc(a->len);
	FUZZ_CHECK(m.data);
	memcpy(m.data, a->data, a->len);
	keep(w, &m);
	world_put(w, &m);
}

/* FUZZ_VERBOSE=1: to understand an input that fails. */
static void show(const struct world *w, int who, const char *what, const char *event, const char *text)
{
	static int verbose = -1;

	if (verbose < 0)
		verbose = getenv("FUZZ_VERBOSE") != NULL;
	if (verbose)
		fprintf(stderr, "%10.3f %c %s %s: %s\n", (double)w->now / 1e9, who ? 'B' : 'A', what, event, text);
}

static void do_log(const struct world *w, int who, const struct ike_action *a)
{
	show(w, who, a->log.message ? a->log.message : "-", a->log.event, a->log.text);
	FUZZ_CHECK(a->log.event && a->log.text);
	fuzz_printable(a->log.event);
	fuzz_printable(a->log.text);
	if (a->log.tunnel)
		fuzz_printable(a->log.tunnel);
	if (a->log.message)
		fuzz_printable(a->log.message);
}

static void answer(struct world *w, int who, const struct ike_action *a)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_DONE, .id = a->id };
	struct world_side *s = &w->side[who];

	if (s->fail_next) {
		s->fail_next--;
		ev.type = IKE_KEV_FAILED;
		ev.text = "the test says no";
	} else if (a->type == IKE_ACT_SPI_ALLOC) {
		ev.spi = s->next_spi++;
	} else if (a->type == IKE_ACT_SA_ADD) {
		add_sa(s, &a->sa);
	} else {
		activate_sa(s, a->sa.spi);
	}
	ike_kernel_event(s->e, &ev, w->now);
}

static void act(struct world *w, int who, const struct ike_action *a)
{
	static const char *const names[] = { [IKE_ACT_SPI_ALLOC] = "spi-alloc", [IKE_ACT_SA_ADD] = "sa-add",
					     [IKE_ACT_SA_ACTIVATE] = "sa-activate", [IKE_ACT_SA_DEL] = "sa-del" };
	struct world_side *s = &w->side[who];
	char text[64];

	if (a->type >= IKE_ACT_SPI_ALLOC && a->type <= IKE_ACT_SA_DEL) {
		snprintf(text, sizeof(text), "%s %08x%s", a->sa.dir == IKE_IN ? "in" : "out", a->sa.spi,
			 a->sa.pending ? " pending" : "");
		show(w, who, "kernel", names[a->type], text);
	}
	switch (a->type) {
	case IKE_ACT_SEND:
		do_send(w, who, a);
		break;
	case IKE_ACT_LOG:
		do_log(w, who, a);
		break;
	case IKE_ACT_SA_DEL:
		delete_sa(s, &a->sa);
		break;
	case IKE_ACT_SA_IDLE:
	case IKE_ACT_PEER:
		break;
	case IKE_ACT_XAUTH:
		FUZZ_CHECK(a->id && a->login.user_len <= IKE_XAUTH_MAX && a->login.password_len <= IKE_XAUTH_MAX);
		fuzz_touch((const uint8_t *)a->login.user, a->login.user_len);
		fuzz_touch((const uint8_t *)a->login.password, a->login.password_len);
		ike_xauth_answer(s->e, a->id, !s->fail_next, w->now);
		break;
	case IKE_ACT_ASSIGN:
		/* No tunnel here has mode config. */
		FUZZ_CHECK(!a->given.local.family && !a->given.remote.family);
		break;
	case IKE_ACT_SPI_ALLOC:
	case IKE_ACT_SA_ADD:
	case IKE_ACT_SA_ACTIVATE:
		FUZZ_CHECK(a->id);
		answer(w, who, a);
		break;
	default:
		/* One that this file does not know: say so rather than pass it over. */
		FUZZ_CHECK(!"an action that the fuzzer's world does not know");
	}
}

static void drain(struct world *w, int who)
{
	struct ike_action a;
	unsigned int n = 0;
	struct ike_counters c;

	w->side[who].sends = 0;
	while (ike_next_action(w->side[who].e, &a)) {
		FUZZ_CHECK(++n <= ACTIONS_PER_CALL);
		act(w, who, &a);
	}
	ike_counters(w->side[who].e, &c);
	FUZZ_CHECK(c.p1_now <= 64 && c.exchanges_now <= 512 && c.children_now <= 128);
	if (!w->cheated)
		check_pairs(w);
}

/* ---- moving things ------------------------------------------------------------------------- */

struct ike_path world_path(const struct world *w, int to)
{
	return (struct ike_path){ .local = w->side[to].addr, .remote = w->side[!to].addr };
}

bool world_take(struct world *w, struct world_msg *m)
{
	if (!w->n_queue)
		return false;
	*m = w->queue[0];
	memmove(w->queue, w->queue + 1, --w->n_queue * sizeof(*m));
	return true;
}

void world_put(struct world *w, struct world_msg *m)
{
	if (w->n_queue < WORLD_QUEUE)
		w->queue[w->n_queue++] = *m;
	else
		free(m->data);
	m->data = NULL;
}

void world_deliver(struct world *w, const struct world_msg *m)
{
	struct ike_path path = world_path(w, m->to);

	w->now += IKE_SECOND / 1000;
	ike_datagram(w->side[m->to].e, &path, m->data, m->len, w->now);
	drain(w, m->to);
}

void world_command(struct world *w, int who, uint8_t what)
{
	static const enum ike_command commands[] = { IKE_CMD_UP, IKE_CMD_DOWN, IKE_CMD_REKEY_P1, IKE_CMD_REKEY_P2 };

	ike_command(w->side[who].e, commands[what & 3], what & 4 ? "net1" : "net0", w->now);
	drain(w, who);
}

void world_event(struct world *w, int who, uint8_t what, uint8_t which)
{
	static const enum ike_kernel_event_type types[] = {
		IKE_KEV_ACQUIRE, IKE_KEV_CONFIRMED, IKE_KEV_SOFT_EXPIRE, IKE_KEV_HARD_EXPIRE,
		IKE_KEV_DELETED, IKE_KEV_TRAFFIC, IKE_KEV_ADOPT, IKE_KEV_CONFIRMED,
	};
	struct world_side *s = &w->side[who];
	struct world_sa none = { .dir = which & 1 ? IKE_IN : IKE_OUT, .spi = 0xdeadbeef };
	struct world_sa *sa = s->n_sas && which < 0xf0 ? &s->sa[which % s->n_sas] : &none;
	struct ike_kernel_event ev = { .type = types[what & 7], .tunnel = what & 8 ? "net1" : "net0", .dir = sa->dir,
				       .spi = sa->spi, .at = w->now, .cookie = sa->cookie, .pending = what & 16 };

	/* A kernel that has seen a packet nobody could send, or has an SA of an earlier life, is believed. */
	if (ev.type == IKE_KEV_ADOPT || (ev.type == IKE_KEV_CONFIRMED && !has_same(&w->side[!who], IKE_OUT, sa)))
		w->cheated = true;
	ike_kernel_event(s->e, &ev, w->now);
	drain(w, who);
}

bool world_wait(struct world *w, ike_time until)
{
	ike_time next = ike_deadline(w->side[0].e);

	if (ike_deadline(w->side[1].e) < next)
		next = ike_deadline(w->side[1].e);
	if (next > until)
		return false;
	if (next > w->now)
		w->now = next;
	for (int i = 0; i < 2; i++) {
		ike_expire(w->side[i].e, w->now);
		drain(w, i);
	}
	return true;
}

static void check_status(void *ctx, const struct ike_tunnel_status *st)
{
	(void)ctx;
	fuzz_printable(st->state);
	if (st->last_error)
		fuzz_printable(st->last_error);
	for (size_t i = 0; i < st->n_p1; i++)
		fuzz_touch(&st->p1[i], sizeof(st->p1[i]));
	for (size_t i = 0; i < st->n_children; i++)
		fuzz_touch(&st->child[i], sizeof(st->child[i]));
}

void world_free(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		ike_status(w->side[i].e, check_status, NULL);
		ike_engine_free(w->side[i].e);
	}
	while (w->n_queue)
		free(w->queue[--w->n_queue].data);
	for (size_t i = 0; i < WORLD_KEPT; i++)
		free(w->kept[i].data);
}
