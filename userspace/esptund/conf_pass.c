// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels and trustpoints as messages. What a struct ike_tunnel_cfg owns is in one table: a
 * pointer that it gains needs a row here, or it is null on the other side.
 */
#include "conf_pass.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libike/crypto.h"
#include "users.h"

#define PIECE (64u << 10)	/* octets of a file in one message */

/* ---- what a tunnel owns ------------------------------------------------------------------- */

#define FIELD(f) offsetof(struct ike_tunnel_cfg, f), sizeof(((struct ike_tunnel_cfg *)0)->f)

/* How many things of size 'unit' the pointer points to is in a field of len_size octets. */
static const struct {
	size_t pointer, unit, len, len_size;
} owned[] = {
	{ offsetof(struct ike_tunnel_cfg, psk), 1, FIELD(psk_len) },
	{ offsetof(struct ike_tunnel_cfg, xauth_password), 1, FIELD(xauth_password_len) },
	{ offsetof(struct ike_tunnel_cfg, match), sizeof(struct ike_match), FIELD(n_match) },
};

#define OWNED (sizeof(owned) / sizeof(owned[0]))

static void *get_pointer(const struct ike_tunnel_cfg *t, size_t i)
{
	void *p;

	memcpy(&p, (const char *)t + owned[i].pointer, sizeof(p));
	return p;
}

static void set_pointer(struct ike_tunnel_cfg *t, size_t i, void *p)
{
	memcpy((char *)t + owned[i].pointer, &p, sizeof(p));
}

/* Octets; more than a message can hold counts as that much more than any has. */
static size_t length_of(const struct ike_tunnel_cfg *t, size_t i)
{
	const char *at = (const char *)t + owned[i].len;
	unsigned int small;
	size_t n;

	if (owned[i].len_size == sizeof(small)) {
		memcpy(&small, at, sizeof(small));
		n = small;
	} else {
		memcpy(&n, at, sizeof(n));
	}
	return n > PASSAGE_TAIL_MAX ? PASSAGE_TAIL_MAX + 1 : n * owned[i].unit;
}

static void forget_lengths(struct ike_tunnel_cfg *t)
{
	for (size_t i = 0; i < OWNED; i++) {
		set_pointer(t, i, NULL);
		memset((char *)t + owned[i].len, 0, owned[i].len_size);
	}
}

/* ---- sending -------------------------------------------------------------------------------- */

static int send_file(conf_pass_send *send, void *ctx, unsigned int kind, uint8_t *data, size_t len)
{
	struct passage_msg m;
	int err = 0;

	for (size_t off = 0; !err && off < len; off += PIECE) {
		const struct passage_tail piece = { data + off, len - off < PIECE ? len - off : PIECE };

		passage_init(&m, PASSAGE_FILE);
		m.kind = kind;
		m.count = len;
		err = send(ctx, &m, &piece);
	}
	return err;
}

static size_t files_of(const struct material *from, size_t trustpoint)
{
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++)
		n += from->file[i].trustpoint == trustpoint;
	return n;
}

static int send_trustpoint(const struct conf *conf, size_t i, conf_pass_send *send, void *ctx)
{
	const struct material *from = &conf->material;
	struct passage_msg m;
	int err;

	passage_init(&m, PASSAGE_TRUSTPOINT);
	snprintf(m.tunnel, sizeof(m.tunnel), "%s", conf->ike.trustpoint[i].name);
	m.line = conf->ike.trustpoint[i].line;
	m.count = files_of(from, i);
	err = send(ctx, &m, NULL);
	for (size_t j = 0; !err && j < from->n; j++)
		if (from->file[j].trustpoint == i)
			err = send_file(send, ctx, from->file[j].kind, from->file[j].data, from->file[j].len);
	return err;
}

/* Secrets and lists of t, one behind the other. */
static int gather(const struct ike_tunnel_cfg *t, struct passage_tail *tail)
{
	*tail = (struct passage_tail){ NULL, 0 };
	for (size_t j = 0; j < OWNED; j++)
		tail->len += length_of(t, j);
	tail->data = malloc(tail->len ? tail->len : 1);
	if (!tail->data)
		return -ENOMEM;
	tail->len = 0;
	for (size_t j = 0; j < OWNED; j++) {
		if (length_of(t, j))
			memcpy(tail->data + tail->len, get_pointer(t, j), length_of(t, j));
		tail->len += length_of(t, j);
	}
	return 0;
}

static int send_users(const struct users *u, conf_pass_send *send, void *ctx)
{
	size_t len;
	char *text = users_text(u, &len);
	int err;

	if (!text)
		return -ENOMEM;
	err = send_file(send, ctx, CONF_PASS_USERS, (uint8_t *)text, len);
	ike_crypto_wipe(text, len);
	free(text);
	return err;
}

static int send_tunnel(const struct conf *conf, size_t i, conf_pass_send *send, void *ctx)
{
	const struct ike_tunnel_cfg *t = &conf->ike.tunnel[i];
	const struct users *users = conf->tunnel[i].users;
	struct passage_tail tail;
	struct passage_msg m;
	int err = gather(t, &tail);

	passage_init(&m, PASSAGE_TUNNEL);
	m.own = conf->tunnel[i];
	m.ike = *t;
	/* An address says where memory is. */
	m.own.users = NULL;
	for (size_t j = 0; j < OWNED; j++)
		set_pointer(&m.ike, j, NULL);
	m.count = users ? 1 : 0;
	if (!err)
		err = send(ctx, &m, &tail);
	passage_tail_clear(&tail);
	return !err && users ? send_users(users, send, ctx) : err;
}

int conf_pass_put(const struct conf *conf, conf_pass_send *send, void *ctx)
{
	struct passage_msg m;
	int err = 0;

	for (size_t i = 0; !err && i < conf->ike.n_trustpoints; i++)
		err = send_trustpoint(conf, i, send, ctx);
	for (size_t i = 0; !err && i < conf->ike.n_tunnels; i++)
		err = send_tunnel(conf, i, send, ctx);
	if (err)
		return err;
	passage_init(&m, PASSAGE_LOADED);
	return send(ctx, &m, NULL);
}

/* ---- receiving ------------------------------------------------------------------------------ */

static int fail(struct conf_pass *p, int err, const char *why)
{
	snprintf(p->why, sizeof(p->why), "%s", why);
	return err;
}

static struct ike_trustpoint *last_trustpoint(struct conf_pass *p)
{
	return &p->conf->ike.trustpoint[p->conf->ike.n_trustpoints - 1];
}

static int finish_trustpoint(struct conf_pass *p)
{
	return ikecrypto_trust_finish(last_trustpoint(p)->trust, p->why, sizeof(p->why)) ? -EINVAL : 0;
}

static int get_trustpoint(struct conf_pass *p, const struct passage_msg *m)
{
	struct ike_config *ike = &p->conf->ike;
	struct ike_trustpoint *tp = &ike->trustpoint[ike->n_trustpoints];

	if (ike->n_tunnels || ike->n_trustpoints >= p->trustpoints)
		return fail(p, -EBADMSG, "a trustpoint that is not expected");
	tp->trust = ikecrypto_trust_new();
	if (!tp->trust)
		return fail(p, -ENOMEM, "out of memory");
	memcpy(tp->name, m->tunnel, sizeof(tp->name));
	tp->line = m->line;
	ike->n_trustpoints++;
	p->files = m->count;
	return p->files ? 0 : finish_trustpoint(p);
}

static int get_tunnel(struct conf_pass *p, const struct passage_msg *m, const struct passage_tail *tail)
{
	struct conf *conf = p->conf;
	struct ike_tunnel_cfg *t = &conf->ike.tunnel[conf->ike.n_tunnels];
	size_t off = 0;

	if (conf->ike.n_tunnels >= p->tunnels || m->count > 1)
		return fail(p, -EBADMSG, "a tunnel that is not expected");
	*t = m->ike;
	forget_lengths(t);
	conf->tunnel[conf->ike.n_tunnels] = m->own;
	conf->tunnel[conf->ike.n_tunnels++].users = NULL;
	p->files = m->count;
	for (size_t j = 0; j < OWNED; j++) {
		size_t len = length_of(&m->ike, j);
		void *copy;

		if (len > tail->len - off)
			return fail(p, -EBADMSG, "a tunnel that is longer than it came");
		if (!len)
			continue;
		copy = malloc(len);
		if (!copy)
			return fail(p, -ENOMEM, "out of memory");
		memcpy(copy, tail->data + off, len);
		set_pointer(t, j, copy);
		memcpy((char *)t + owned[j].len, (const char *)&m->ike + owned[j].len, owned[j].len_size);
		off += len;
	}
	return off == tail->len ? 0 : fail(p, -EBADMSG, "a tunnel that is shorter than it came");
}

static int use_users(struct conf_pass *p)
{
	struct conf_tunnel *own = &p->conf->tunnel[p->conf->ike.n_tunnels - 1];
	unsigned int line;

	/* Takes the text over. */
	own->users = users_parse((char *)p->file.data, p->file.len, p->why, sizeof(p->why), &line);
	p->file = (struct passage_tail){ NULL, 0 };
	return own->users ? 0 : -EINVAL;
}

static int use_material(struct conf_pass *p, unsigned int kind)
{
	int err = ikecrypto_trust_add(last_trustpoint(p)->trust, (enum ikecrypto_kind)kind, p->file.data, p->file.len,
				      p->why, sizeof(p->why));

	passage_tail_clear(&p->file);
	if (err)
		return -EINVAL;
	return p->files ? 0 : finish_trustpoint(p);
}

static int get_file(struct conf_pass *p, const struct passage_msg *m, const struct passage_tail *tail)
{
	bool users = p->conf->ike.n_tunnels;

	if (!p->files || !tail->len || !m->count || m->count > MATERIAL_FILE_MAX ||
	    (users ? m->kind != CONF_PASS_USERS : m->kind > IKECRYPTO_CRL))
		return fail(p, -EBADMSG, "a file that is not expected");
	if (!p->file.data) {
		p->file = (struct passage_tail){ malloc((size_t)m->count), (size_t)m->count };
		p->got = 0;
		if (!p->file.data)
			return fail(p, -ENOMEM, "out of memory");
	}
	if (m->count != p->file.len || tail->len > p->file.len - p->got)
		return fail(p, -EBADMSG, "a file that is longer than it says");
	memcpy(p->file.data + p->got, tail->data, tail->len);
	p->got += tail->len;
	if (p->got < p->file.len)
		return 0;
	p->files--;
	return users ? use_users(p) : use_material(p, m->kind);
}

static int get_end(struct conf_pass *p)
{
	if (p->conf->ike.n_tunnels != p->tunnels || p->conf->ike.n_trustpoints != p->trustpoints)
		return fail(p, -EBADMSG, "not all tunnels and trustpoints came");
	p->whole = true;
	return 0;
}

int conf_pass_get(struct conf_pass *p, const struct passage_msg *m, const struct passage_tail *tail)
{
	if (m->type == PASSAGE_FILE)
		return get_file(p, m, tail);
	if (p->files)
		return fail(p, -EBADMSG, "a file is missing");
	switch (m->type) {
	case PASSAGE_TRUSTPOINT:
		return get_trustpoint(p, m);
	case PASSAGE_TUNNEL:
		return get_tunnel(p, m, tail);
	case PASSAGE_LOADED:
		return get_end(p);
	}
	return fail(p, -EBADMSG, "a message that is not expected");
}

void conf_pass_clear(struct conf_pass *p)
{
	passage_tail_clear(&p->file);
}
