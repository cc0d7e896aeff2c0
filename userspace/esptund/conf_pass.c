// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tunnels as messages. What a struct ike_tunnel_cfg owns is in one table: a pointer that it
 * gains needs a row here, or it is null on the other side.
 */
#include "conf_pass.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	size_t pointer, len;
} owned[] = {
	{ offsetof(struct ike_tunnel_cfg, psk), offsetof(struct ike_tunnel_cfg, psk_len) },
};

#define OWNED (sizeof(owned) / sizeof(owned[0]))

static uint8_t **pointer_of(struct ike_tunnel_cfg *t, size_t i)
{
	return (uint8_t **)((char *)t + owned[i].pointer);
}

static size_t length_of(const struct ike_tunnel_cfg *t, size_t i)
{
	size_t len;

	memcpy(&len, (const char *)t + owned[i].len, sizeof(len));
	return len;
}

int conf_pass_put(const struct conf *conf, size_t i, struct passage_msg *m, struct passage_tail *tail)
{
	struct ike_tunnel_cfg t = conf->ike.tunnel[i];

	passage_init(m, PASSAGE_TUNNEL);
	m->own = conf->tunnel[i];
	m->ike = t;
	*tail = (struct passage_tail){ NULL, 0 };
	for (size_t j = 0; j < OWNED; j++)
		tail->len += length_of(&t, j);
	tail->data = malloc(tail->len ? tail->len : 1);
	if (!tail->data)
		return -ENOMEM;
	tail->len = 0;
	for (size_t j = 0; j < OWNED; j++) {
		if (length_of(&t, j))
			memcpy(tail->data + tail->len, *pointer_of(&t, j), length_of(&t, j));
		tail->len += length_of(&t, j);
		*pointer_of(&m->ike, j) = NULL;		/* an address says where memory is */
	}
	return 0;
}

int conf_pass_get(struct conf *conf, size_t room, const struct passage_msg *m, const struct passage_tail *tail)
{
	struct ike_tunnel_cfg *t = &conf->ike.tunnel[conf->ike.n_tunnels];
	size_t off = 0;

	if (m->type != PASSAGE_TUNNEL || conf->ike.n_tunnels >= room)
		return -EBADMSG;
	*t = m->ike;
	for (size_t j = 0; j < OWNED; j++)
		*pointer_of(t, j) = NULL;
	conf->tunnel[conf->ike.n_tunnels++] = m->own;
	for (size_t j = 0; j < OWNED; j++) {
		size_t len = length_of(t, j);

		if (len > tail->len - off)
			return -EBADMSG;
		*pointer_of(t, j) = malloc(len ? len : 1);
		if (!*pointer_of(t, j))
			return -ENOMEM;
		if (len)
			memcpy(*pointer_of(t, j), tail->data + off, len);
		off += len;
	}
	return off == tail->len ? 0 : -EBADMSG;
}
