// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests about security associations and the module. Keys pass through here once, into
 * the request that installs them, and are wiped on the way out whatever happened.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libesptun/decode.h"
#include "libesptun/sock.h"

/* Sends a message that was filled without checking each put. */
static int send_filled(struct esptun_sock *s, struct nl_msg *msg, int nle,
		       const struct esptun_reply *reply)
{
	if (nle == 0)
		return esptun_request(s, s->genl, msg, reply);
	esptun_wipe(nlmsg_hdr(msg), nlmsg_get_max_size(msg));
	nlmsg_free(msg);
	return esptun_fail(s, -ENOMEM, "no memory for a netlink message");
}

static int put_limits(struct nl_msg *msg, const struct esptun_sa *sa)
{
	const struct { int attr; uint64_t value; } limits[] = {
		{ ESPTUN_A_SA_SEQ, sa->seq },
		{ ESPTUN_A_SA_SOFT_BYTES, sa->soft_bytes },
		{ ESPTUN_A_SA_HARD_BYTES, sa->hard_bytes },
		{ ESPTUN_A_SA_SOFT_PACKETS, sa->soft_packets },
		{ ESPTUN_A_SA_HARD_PACKETS, sa->hard_packets },
	};
	int nle = 0;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value)
			nle |= nla_put_u64(msg, limits[i].attr, limits[i].value);
	return nle;
}

static int put_range(struct nl_msg *msg, int first, int last, const struct esptun_range *r)
{
	int len = r->first.family == AF_INET ? 4 : 16;

	if (r->first.family == AF_UNSPEC)
		return 0;
	/* The union's members begin at the same octet. */
	return nla_put(msg, first, len, &r->first.v4) | nla_put(msg, last, len, &r->last.v4);
}

static int put_selector(struct nl_msg *msg, const struct esptun_selector *s)
{
	int nle = put_range(msg, ESPTUN_A_SA_SEL_LOCAL, ESPTUN_A_SA_SEL_LOCAL_LAST, &s->local);

	nle |= put_range(msg, ESPTUN_A_SA_SEL_REMOTE, ESPTUN_A_SA_SEL_REMOTE_LAST, &s->remote);
	if (s->proto)
		nle |= nla_put_u8(msg, ESPTUN_A_SA_SEL_PROTO, s->proto);
	if (s->local_port)
		nle |= nla_put_u16(msg, ESPTUN_A_SA_SEL_LOCAL_PORT, htons(s->local_port));
	if (s->remote_port)
		nle |= nla_put_u16(msg, ESPTUN_A_SA_SEL_REMOTE_PORT, htons(s->remote_port));
	return nle;
}

static int put_encap(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int nle = 0;

	if (sa->encap == ESPTUN_ENCAP_NONE && !sa->encap_local_port && !sa->encap_peer_port &&
	    !sa->keepalive)
		return 0;
	nle |= nla_put_u32(msg, ESPTUN_A_SA_ENCAP, sa->encap);
	nle |= nla_put_u16(msg, ESPTUN_A_SA_ENCAP_LOCAL_PORT, htons(sa->encap_local_port));
	nle |= nla_put_u16(msg, ESPTUN_A_SA_ENCAP_PEER_PORT, htons(sa->encap_peer_port));
	if (sa->keepalive)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_KEEPALIVE, sa->keepalive);
	return nle;
}

static int put_outer(struct nl_msg *msg, int attr4, int attr6, const struct esptun_addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return nla_put(msg, attr4, sizeof(addr->v4), &addr->v4);
	case AF_INET6:
		return nla_put(msg, attr6, sizeof(addr->v6), &addr->v6);
	}
	return 0;
}

/* Which tunnel of an external device, and between whom. */
static int put_branch(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int nle = 0;

	if (sa->tunnel_id)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_TUNNEL_ID, sa->tunnel_id);
	nle |= put_outer(msg, ESPTUN_A_SA_LOCAL4, ESPTUN_A_SA_LOCAL6, &sa->local);
	return nle | put_outer(msg, ESPTUN_A_SA_REMOTE4, ESPTUN_A_SA_REMOTE6, &sa->remote);
}

static int put_sa(struct nl_msg *msg, const struct esptun_sa *sa, const struct esptun_keys *keys)
{
	int nle = nla_put_u32(msg, ESPTUN_A_SA_IFINDEX, sa->ifindex);

	nle |= nla_put_u32(msg, ESPTUN_A_SA_DIR, sa->dir);
	nle |= nla_put_u32(msg, ESPTUN_A_SA_SPI, htonl(sa->spi));
	nle |= nla_put_u32(msg, ESPTUN_A_SA_ENCR, sa->encr);
	nle |= nla_put_u32(msg, ESPTUN_A_SA_AUTH, sa->auth);
	nle |= nla_put_u32(msg, ESPTUN_A_SA_FLAGS, sa->flags);
	if (keys->encr_len)
		nle |= nla_put(msg, ESPTUN_A_SA_ENCR_KEY, (int)keys->encr_len, keys->encr);
	if (keys->auth_len)
		nle |= nla_put(msg, ESPTUN_A_SA_AUTH_KEY, (int)keys->auth_len, keys->auth);
	if (sa->dir == ESPTUN_DIR_IN)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_REPLAY_WINDOW, sa->replay_window);
	else
		nle |= nla_put_u32(msg, ESPTUN_A_SA_STATE, sa->state);
	if (sa->partner_spi)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_PARTNER_SPI, htonl(sa->partner_spi));
	if (sa->cookie_len)
		nle |= nla_put(msg, ESPTUN_A_SA_COOKIE, (int)sa->cookie_len, sa->cookie);
	return nle | put_limits(msg, sa) | put_selector(msg, &sa->sel) | put_encap(msg, sa) |
	       put_branch(msg, sa);
}

int esptun_sa_new(struct esptun_sock *s, const struct esptun_sa *sa, struct esptun_keys *keys)
{
	struct nl_msg *msg = NULL;
	int err;

	if (keys->encr_len > sizeof(keys->encr) || keys->auth_len > sizeof(keys->auth) ||
	    sa->cookie_len > sizeof(sa->cookie))
		err = esptun_fail(s, -EINVAL, "key or cookie longer than the interface allows");
	else
		msg = esptun_genl_msg(s, ESPTUN_CMD_SA_NEW, 0, &err);
	if (msg)
		err = send_filled(s, msg, put_sa(msg, sa, keys), NULL);
	esptun_wipe(keys, sizeof(*keys));
	return err;
}

/* Requests that name an SA by any of device, direction (-1: not sent) and SPI (0: not sent). */
static struct nl_msg *name_sa(struct esptun_sock *s, uint8_t cmd, int flags, uint32_t ifindex,
			      int dir, uint32_t spi, int *err)
{
	struct nl_msg *msg = esptun_genl_msg(s, cmd, flags, err);
	int nle = 0;

	if (!msg)
		return NULL;
	if (ifindex)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_IFINDEX, ifindex);
	if (dir >= 0)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_DIR, (uint32_t)dir);
	if (spi)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_SPI, htonl(spi));
	if (s->tunnel_id && !(flags & NLM_F_DUMP) && cmd != ESPTUN_CMD_SA_ALLOC_SPI)
		nle |= nla_put_u32(msg, ESPTUN_A_SA_TUNNEL_ID, s->tunnel_id);
	if (nle == 0)
		return msg;
	nlmsg_free(msg);
	*err = esptun_fail(s, -ENOMEM, "no memory for a netlink message");
	return NULL;
}

void esptun_sa_tunnel(struct esptun_sock *s, uint32_t tunnel_id)
{
	s->tunnel_id = tunnel_id;
}

static int on_sa(struct nlmsghdr *nlh, void *arg)
{
	return esptun_decode_sa(nlh, arg);
}

int esptun_sa_alloc_spi(struct esptun_sock *s, uint32_t ifindex, uint32_t *spi)
{
	struct esptun_sa sa = { .spi = 0 };
	struct esptun_reply reply = { .valid = on_sa, .arg = &sa };
	struct nl_msg *msg;
	int err;

	msg = name_sa(s, ESPTUN_CMD_SA_ALLOC_SPI, 0, ifindex, -1, 0, &err);
	if (!msg)
		return err;
	err = esptun_request(s, s->genl, msg, &reply);
	if (err == 0 && sa.spi < ESPTUN_MIN_SPI)
		return esptun_fail(s, -EPROTO, "the kernel gave SPI %u", sa.spi);
	if (err == 0)
		*spi = sa.spi;
	return err;
}

int esptun_sa_activate(struct esptun_sock *s, uint32_t ifindex, uint32_t spi)
{
	struct nl_msg *msg;
	int err;

	msg = name_sa(s, ESPTUN_CMD_SA_ACTIVATE, 0, ifindex, -1, spi, &err);
	return msg ? esptun_request(s, s->genl, msg, NULL) : err;
}

int esptun_sa_del(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi)
{
	struct nl_msg *msg;
	int err;

	msg = name_sa(s, ESPTUN_CMD_SA_DEL, 0, ifindex, (int)dir, spi, &err);
	return msg ? esptun_request(s, s->genl, msg, NULL) : err;
}

int esptun_sa_get(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi,
		  struct esptun_sa *sa)
{
	struct esptun_reply reply = { .valid = on_sa, .arg = sa };
	struct nl_msg *msg;
	int err;

	memset(sa, 0, sizeof(*sa));
	msg = name_sa(s, ESPTUN_CMD_SA_GET, 0, ifindex, (int)dir, spi, &err);
	return msg ? esptun_request(s, s->genl, msg, &reply) : err;
}

int esptun_sa_flush(struct esptun_sock *s, uint32_t ifindex)
{
	struct nl_msg *msg;
	int err;

	msg = name_sa(s, ESPTUN_CMD_SA_FLUSH, 0, ifindex, -1, 0, &err);
	return msg ? esptun_request(s, s->genl, msg, NULL) : err;
}

struct sas {
	struct esptun_sa *list;
	size_t count;
	size_t room;
};

static int on_dump_sa(struct nlmsghdr *nlh, void *arg)
{
	struct sas *all = arg;

	if (all->count == all->room) {
		size_t room = all->room * 2 + 16;
		struct esptun_sa *grown = reallocarray(all->list, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		all->list = grown;
		all->room = room;
	}
	return esptun_decode_sa(nlh, &all->list[all->count++]);
}

static int dump_once(struct esptun_sock *s, uint32_t ifindex, struct sas *all)
{
	struct esptun_reply reply = { .valid = on_dump_sa, .arg = all };
	struct nl_msg *msg;
	int err;

	all->count = 0;
	msg = name_sa(s, ESPTUN_CMD_SA_GET, NLM_F_DUMP, ifindex, -1, 0, &err);
	return msg ? esptun_request(s, s->genl, msg, &reply) : err;
}

int esptun_sa_dump(struct esptun_sock *s, uint32_t ifindex, struct esptun_sa **list, size_t *count)
{
	struct sas all = { .list = NULL };
	int err = -EINTR;

	for (int i = 0; err == -EINTR && i < ESPTUN_DUMP_TRIES; i++)
		err = dump_once(s, ifindex, &all);
	if (err < 0) {
		free(all.list);
		return err == -EINTR ?
			esptun_fail(s, err, "the SAs changed each time they were read") : err;
	}
	*list = all.list;
	*count = all.count;
	return 0;
}

int esptun_socket_set(struct esptun_sock *s, int fd)
{
	struct nl_msg *msg;
	int err;

	msg = esptun_genl_msg(s, ESPTUN_CMD_SOCKET_SET, 0, &err);
	if (!msg)
		return err;
	return send_filled(s, msg, nla_put_u32(msg, ESPTUN_A_SOCKET_FD, (uint32_t)fd), NULL);
}

static int on_module(struct nlmsghdr *nlh, void *arg)
{
	return esptun_decode_module(nlh, arg);
}

int esptun_module_get(struct esptun_sock *s, struct esptun_module *m)
{
	struct esptun_reply reply = { .valid = on_module, .arg = m };
	struct nl_msg *msg;
	int err;

	memset(m, 0, sizeof(*m));
	msg = esptun_genl_msg(s, ESPTUN_CMD_MODULE_GET, 0, &err);
	return msg ? esptun_request(s, s->genl, msg, &reply) : err;
}
