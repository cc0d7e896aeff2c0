// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Devices: made, changed and deleted with rtnetlink (link kind "esptun"), their state and
 * counters read with generic netlink. Never touches an interface of another kind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "libesptun/decode.h"
#include "libesptun/sock.h"

static struct nl_msg *link_msg(struct esptun_sock *s, int type, int flags,
			       const struct ifinfomsg *ifi, int *err)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)ifi, sizeof(*ifi), NLMSG_ALIGNTO) == 0)
		return msg;
	nlmsg_free(msg);
	*err = esptun_fail(s, -ENOMEM, "no memory for a netlink message");
	return NULL;
}

static int put_addr(struct nl_msg *msg, int attr4, int attr6, const struct esptun_addr *addr)
{
	if (addr->family == AF_INET6)
		return nla_put(msg, attr6, sizeof(addr->v6), &addr->v6);
	return nla_put(msg, attr4, sizeof(addr->v4), &addr->v4);
}

static int put_config(struct nl_msg *msg, const struct esptun_tunnel *t)
{
	uint32_t f = t->fields;
	int nle = 0;

	if (f & ESPTUN_TUNNEL_LOCAL)
		nle |= put_addr(msg, IFLA_ESPTUN_LOCAL4, IFLA_ESPTUN_LOCAL6, &t->local);
	if (f & ESPTUN_TUNNEL_REMOTE)
		nle |= put_addr(msg, IFLA_ESPTUN_REMOTE4, IFLA_ESPTUN_REMOTE6, &t->remote);
	if (f & ESPTUN_TUNNEL_LINK)
		nle |= nla_put_u32(msg, IFLA_ESPTUN_LINK, t->link);
	if (f & ESPTUN_TUNNEL_TTL)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_TTL, t->ttl);
	if (f & ESPTUN_TUNNEL_TOS)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_TOS, t->tos);
	if (f & ESPTUN_TUNNEL_PMTUDISC)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_PMTUDISC, t->pmtudisc);
	if (f & ESPTUN_TUNNEL_FWMARK)
		nle |= nla_put_u32(msg, IFLA_ESPTUN_FWMARK, t->fwmark);
	if (f & ESPTUN_TUNNEL_KEEP_CARRIER)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_KEEP_CARRIER, t->keep_carrier);
	if (f & ESPTUN_TUNNEL_MSS_CLAMP)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_MSS_CLAMP, t->mss_clamp);
	if (f & ESPTUN_TUNNEL_EXTERNAL)
		nle |= nla_put_u8(msg, IFLA_ESPTUN_EXTERNAL, t->external);
	return nle;
}

static int put_link(struct nl_msg *msg, const struct esptun_tunnel *t)
{
	struct nlattr *info, *data;
	int nle = 0;

	if (t->ifindex == 0)
		nle |= nla_put_string(msg, IFLA_IFNAME, t->ifname);
	if (t->fields & ESPTUN_TUNNEL_MTU)
		nle |= nla_put_u32(msg, IFLA_MTU, t->mtu);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (!info)
		return -1;
	nle |= nla_put_string(msg, IFLA_INFO_KIND, ESPTUN_GENL_NAME);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data)
		return -1;
	nle |= put_config(msg, t);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return nle;
}

static int set_link(struct esptun_sock *s, int flags, const struct esptun_tunnel *t)
{
	struct ifinfomsg ifi = {
		.ifi_index = (int)t->ifindex,
		.ifi_flags = t->up ? IFF_UP : 0,
		.ifi_change = t->fields & ESPTUN_TUNNEL_UP ? IFF_UP : 0,
	};
	struct nl_msg *msg;
	int err;

	msg = link_msg(s, RTM_NEWLINK, flags, &ifi, &err);
	if (!msg)
		return err;
	if (put_link(msg, t)) {
		nlmsg_free(msg);
		return esptun_fail(s, -ENOMEM, "no memory for a netlink message");
	}
	return esptun_request(s, s->route, msg, NULL);
}

/* -- reading links ---------------------------------------------------------------------- */

struct one_link {
	struct esptun_tunnel *t;
	int ours;
};

static int on_link(struct nlmsghdr *nlh, void *arg)
{
	struct one_link *one = arg;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	one->ours = esptun_decode_link(nlh, one->t);
	return one->ours < 0 ? one->ours : 0;
}

/* Return: 1 for one of ours, 0 for another kind, -errno. */
static int get_link(struct esptun_sock *s, const char *ifname, uint32_t ifindex,
		    struct esptun_tunnel *t)
{
	struct ifinfomsg ifi = { .ifi_index = ifname ? 0 : (int)ifindex };
	struct one_link one = { .t = t };
	struct esptun_reply reply = { .valid = on_link, .arg = &one };
	struct nl_msg *msg;
	int err;

	if (ifname && (!*ifname || strlen(ifname) >= IFNAMSIZ))
		return esptun_fail(s, -ENODEV, "there is no device with such a name");
	msg = link_msg(s, RTM_GETLINK, 0, &ifi, &err);
	if (!msg)
		return err;
	if (ifname && nla_put_string(msg, IFLA_IFNAME, ifname)) {
		nlmsg_free(msg);
		return esptun_fail(s, -ENOMEM, "no memory for a netlink message");
	}
	err = esptun_request(s, s->route, msg, &reply);
	if (err == -ENODEV && ifname)
		return esptun_fail(s, err, "there is no device \"%s\"", ifname);
	return err < 0 ? err : one.ours;
}

static int get_ours(struct esptun_sock *s, const char *ifname, uint32_t ifindex,
		    struct esptun_tunnel *t)
{
	int err = get_link(s, ifname, ifindex, t);

	if (err < 0)
		return err;
	if (err == 0)
		return esptun_fail(s, -EINVAL, "\"%s\" is not an esptun device", t->ifname);
	return 0;
}

int esptun_tunnel_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex)
{
	struct esptun_tunnel t;
	int err = get_ours(s, ifname, 0, &t);

	if (err == 0)
		*ifindex = t.ifindex;
	return err;
}

int esptun_link_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex)
{
	struct esptun_tunnel t;
	int err = get_link(s, ifname, 0, &t);

	if (err >= 0)
		*ifindex = t.ifindex;
	return err < 0 ? err : 0;
}

int esptun_link_name(struct esptun_sock *s, uint32_t ifindex, char ifname[IFNAMSIZ])
{
	struct esptun_tunnel t;
	int err = get_link(s, NULL, ifindex, &t);

	if (err >= 0)
		memcpy(ifname, t.ifname, IFNAMSIZ);
	return err < 0 ? err : 0;
}

/* -- making and changing ----------------------------------------------------------------- */

int esptun_tunnel_add(struct esptun_sock *s, struct esptun_tunnel *t)
{
	int err;

	t->ifindex = 0;
	if (!*t->ifname)
		return esptun_fail(s, -EINVAL, "a device needs a name");
	err = set_link(s, NLM_F_CREATE | NLM_F_EXCL, t);
	return err < 0 ? err : esptun_link_index(s, t->ifname, &t->ifindex);
}

int esptun_tunnel_change(struct esptun_sock *s, const struct esptun_tunnel *t)
{
	struct esptun_tunnel now, change = *t;
	int err = get_ours(s, t->ifindex ? NULL : t->ifname, t->ifindex, &now);

	if (err < 0)
		return err;
	change.ifindex = now.ifindex;
	return set_link(s, 0, &change);
}

int esptun_tunnel_del(struct esptun_sock *s, const char *ifname)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct esptun_tunnel t;
	struct nl_msg *msg;
	int err = get_ours(s, ifname, 0, &t);

	if (err < 0)
		return err;
	ifi.ifi_index = (int)t.ifindex;
	msg = link_msg(s, RTM_DELLINK, 0, &ifi, &err);
	return msg ? esptun_request(s, s->route, msg, NULL) : err;
}

/* -- state and counters ------------------------------------------------------------------ */

static int on_state(struct nlmsghdr *nlh, void *arg)
{
	return esptun_decode_tunnel(nlh, arg);
}

int esptun_tunnel_get(struct esptun_sock *s, const char *ifname, uint32_t ifindex,
		      struct esptun_tunnel *t)
{
	struct esptun_tunnel state = { .ifindex = 0 };
	struct esptun_reply reply = { .valid = on_state, .arg = &state };
	struct nl_msg *msg;
	int err = get_ours(s, ifname, ifindex, t);

	if (err < 0)
		return err;
	msg = esptun_genl_msg(s, ESPTUN_CMD_TUNNEL_GET, 0, &err);
	if (!msg)
		return err;
	nla_put_u32(msg, ESPTUN_A_TUNNEL_IFINDEX, t->ifindex);
	err = esptun_request(s, s->genl, msg, &reply);
	if (err == 0)
		esptun_decode_merge(t, &state);
	return err;
}

/* Devices, the first @links of them sorted, and behind them the tunnels of external ones. */
struct tunnels {
	struct esptun_tunnel *list;
	size_t count;
	size_t links;
	size_t room;
};

static int keep_tunnel(struct tunnels *all, const struct esptun_tunnel *t)
{
	struct esptun_tunnel *grown;

	if (all->count == all->room) {
		size_t room = all->room * 2 + 16;

		grown = reallocarray(all->list, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		all->list = grown;
		all->room = room;
	}
	all->list[all->count++] = *t;
	return 0;
}

static int on_dump_link(struct nlmsghdr *nlh, void *arg)
{
	struct esptun_tunnel t;
	int ours;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	ours = esptun_decode_link(nlh, &t);
	return ours > 0 ? keep_tunnel(arg, &t) : ours;
}

static int by_ifindex(const void *a, const void *b)
{
	uint32_t x = ((const struct esptun_tunnel *)a)->ifindex;
	uint32_t y = ((const struct esptun_tunnel *)b)->ifindex;

	return (x > y) - (x < y);
}

static int by_tunnel(const void *a, const void *b)
{
	uint32_t x = ((const struct esptun_tunnel *)a)->tunnel_id;
	uint32_t y = ((const struct esptun_tunnel *)b)->tunnel_id;
	int order = by_ifindex(a, b);

	return order ? order : (x > y) - (x < y);
}

/* A device without a link message is one that came meanwhile: not part of this dump. */
static int on_dump_state(struct nlmsghdr *nlh, void *arg)
{
	struct tunnels *all = arg;
	struct esptun_tunnel state, branch, *t;
	int err = esptun_decode_tunnel(nlh, &state);

	if (err < 0 || all->links == 0)
		return err;
	t = bsearch(&state, all->list, all->links, sizeof(state), by_ifindex);
	if (!t)
		return 0;
	if (!state.tunnel_id) {
		esptun_decode_merge(t, &state);
		return 0;
	}
	branch = *t;
	esptun_decode_merge(&branch, &state);
	return keep_tunnel(all, &branch);
}

static int dump_links(struct esptun_sock *s, struct tunnels *all)
{
	struct esptun_reply reply = { .valid = on_dump_link, .arg = all };
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info;
	struct nl_msg *msg;
	int err;

	all->count = 0;
	msg = link_msg(s, RTM_GETLINK, NLM_F_DUMP, &ifi, &err);
	if (!msg)
		return err;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	if (info) {
		nla_put_string(msg, IFLA_INFO_KIND, ESPTUN_GENL_NAME);
		nla_nest_end(msg, info);
	}
	return esptun_request(s, s->route, msg, &reply);
}

static int dump_state(struct esptun_sock *s, struct tunnels *all)
{
	struct esptun_reply reply = { .valid = on_dump_state, .arg = all };
	struct nl_msg *msg;
	int err;

	if (all->count == 0)
		return 0;
	all->links = all->count;
	qsort(all->list, all->count, sizeof(*all->list), by_ifindex);
	msg = esptun_genl_msg(s, ESPTUN_CMD_TUNNEL_GET, NLM_F_DUMP, &err);
	return msg ? esptun_request(s, s->genl, msg, &reply) : err;
}

int esptun_tunnel_dump(struct esptun_sock *s, struct esptun_tunnel **list, size_t *count)
{
	struct tunnels all = { .list = NULL };
	int err = -EINTR;

	for (int i = 0; err == -EINTR && i < ESPTUN_DUMP_TRIES; i++) {
		err = dump_links(s, &all);
		if (err == 0)
			err = dump_state(s, &all);
	}
	if (err < 0) {
		free(all.list);
		return err == -EINTR ?
			esptun_fail(s, err, "the devices changed each time they were read") : err;
	}
	if (all.count)
		qsort(all.list, all.count, sizeof(*all.list), by_tunnel);
	*list = all.list;
	*count = all.count;
	return 0;
}
