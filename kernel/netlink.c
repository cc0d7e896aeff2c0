// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family: devices and the module as seen through it, events, and what
 * the requests about SAs (nl_sa.c) share with that. Tables are generated (nl_gen.c).
 */
#include "netlink.h"
#include "device.h"
#include "external.h"
#include "outer.h"
#include "policy.h"
#include "sa.h"
#include "socket.h"
#include <linux/capability.h>
#include <linux/module.h>
#include <net/sock.h>

static atomic_t esptun_nl_gen = ATOMIC_INIT(1);

struct genl_family esptun_nl_family __ro_after_init = {
	.name = ESPTUN_GENL_NAME,
	.version = ESPTUN_GENL_VERSION,
	.maxattr = ESPTUN_A_SA_MAX,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = esptun_nl_ops,
	.n_ops = ESPTUN_NL_OPS_COUNT,
	.mcgrps = esptun_nl_mcgrps,
	.n_mcgrps = ESPTUN_NL_MCGRPS_COUNT,
	ESPTUN_RESV_START_OP(ESPTUN_CMD_MAX + 1)
};

void esptun_nl_changed(void)
{
	atomic_inc(&esptun_nl_gen);
}

u32 esptun_nl_generation(void)
{
	/* 0 would switch the check off. */
	return (u32)atomic_read(&esptun_nl_gen) | 1u << 31;
}

int esptun_nl_permit(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_ns_capable(skb, sock_net(skb->sk)->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack, "needs CAP_NET_ADMIN in the user namespace of the network namespace");
	return -EPERM;
}

struct esptun_dev *esptun_nl_device(struct genl_info *info, int attr_ifindex)
{
	struct nlattr *attr = info->attrs[attr_ifindex];
	struct esptun_dev *tun;

	if (!attr) {
		NL_SET_ERR_MSG(info->extack, "ifindex: the device is missing");
		return ERR_PTR(-EINVAL);
	}
	tun = esptun_device_get(genl_info_net(info), nla_get_u32(attr));
	if (tun)
		return tun;
	NL_SET_ERR_MSG_ATTR(info->extack, attr, "ifindex: no esptun device has this index");
	return ERR_PTR(-ENODEV);
}

struct sk_buff *esptun_nl_reply(struct genl_info *info, u8 cmd, void **head)
{
	struct sk_buff *msg = nlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*head = genlmsg_put_reply(msg, info, &esptun_nl_family, 0, cmd);
	if (*head)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int esptun_nl_send(struct genl_info *info, struct sk_buff *msg, void *head, int err)
{
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, head);
	return genlmsg_reply(msg, info);
}

static int esptun_nl_put_u64(struct sk_buff *skb, int attr, u64 value, int pad)
{
	return nla_put_u64_64bit(skb, attr, value, pad);
}

/* An address under one of two numbers; nothing if there is none. */
static int esptun_nl_put_addr(struct sk_buff *skb, int attr4, int attr6,
			      const struct esptun_addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return nla_put_in_addr(skb, attr4, addr->v4);
	case AF_INET6:
		return nla_put_in6_addr(skb, attr6, &addr->v6);
	}
	return 0;
}

static int esptun_nl_put_last(struct sk_buff *skb, const struct esptun_last_error *last)
{
	if (nla_put_u32(skb, ESPTUN_A_LAST_ERROR_REASON, last->reason) ||
	    esptun_nl_put_u64(skb, ESPTUN_A_LAST_ERROR_TIME, last->time,
			      ESPTUN_A_LAST_ERROR_PAD))
		return -EMSGSIZE;
	if (last->spi && nla_put_be32(skb, ESPTUN_A_LAST_ERROR_SPI, last->spi))
		return -EMSGSIZE;
	if (last->seq && esptun_nl_put_u64(skb, ESPTUN_A_LAST_ERROR_SEQ, last->seq,
					   ESPTUN_A_LAST_ERROR_PAD))
		return -EMSGSIZE;
	if (last->protocol && nla_put_u32(skb, ESPTUN_A_LAST_ERROR_PROTOCOL, last->protocol))
		return -EMSGSIZE;
	return esptun_nl_put_addr(skb, ESPTUN_A_LAST_ERROR_SOURCE4, ESPTUN_A_LAST_ERROR_SOURCE6,
				  &last->source);
}

int esptun_nl_put_drops(struct sk_buff *skb, int nest, int nest_error, struct esptun_drops *drops)
{
	struct esptun_last_error last;
	struct nlattr *attr;
	u64 count;
	int i;

	attr = nla_nest_start(skb, nest);
	if (!attr)
		return -EMSGSIZE;
	for (i = 0; i < ESPTUN_DROP_COUNT; i++) {
		count = atomic64_read(&drops->count[i]);
		if (count && nla_put(skb, i + 1, sizeof(count), &count))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, attr);
	esptun_stats_last(drops, &last);
	if (!last.time)
		return 0;
	attr = nla_nest_start(skb, nest_error);
	if (!attr || esptun_nl_put_last(skb, &last))
		return -EMSGSIZE;
	nla_nest_end(skb, attr);
	return 0;
}

static int esptun_nl_put_stats(struct sk_buff *skb, struct net_device *dev)
{
	struct rtnl_link_stats64 s = { };
	struct nlattr *attr;

	esptun_compat_tstats64(dev, &s);
	attr = nla_nest_start(skb, ESPTUN_A_TUNNEL_STATS);
	if (!attr ||
	    esptun_nl_put_u64(skb, ESPTUN_A_STATS_RX_PACKETS, s.rx_packets, ESPTUN_A_STATS_PAD) ||
	    esptun_nl_put_u64(skb, ESPTUN_A_STATS_RX_BYTES, s.rx_bytes, ESPTUN_A_STATS_PAD) ||
	    esptun_nl_put_u64(skb, ESPTUN_A_STATS_TX_PACKETS, s.tx_packets, ESPTUN_A_STATS_PAD) ||
	    esptun_nl_put_u64(skb, ESPTUN_A_STATS_TX_BYTES, s.tx_bytes, ESPTUN_A_STATS_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, attr);
	return 0;
}

/* The path as it is now, without waiting for a packet to find out. 0: no route. */
static u32 esptun_nl_path_mtu(struct esptun_dev *tun)
{
	struct esptun_route route;
	u32 mtu = 0;

	local_bh_disable();
	if (!esptun_outer_route(tun, &route)) {
		mtu = esptun_outer_mtu(tun, &route);
		dst_release(route.dst);
	}
	local_bh_enable();
	return mtu;
}

/* Which of an external device's tunnels it is; nothing for others. */
static int esptun_nl_put_branch(struct sk_buff *skb, const struct esptun_dev *tun)
{
	if (tun->external && nla_put_u8(skb, ESPTUN_A_TUNNEL_EXTERNAL, 1))
		return -EMSGSIZE;
	return tun->tunnel_id ? nla_put_u32(skb, ESPTUN_A_TUNNEL_TUNNEL_ID, tun->tunnel_id) : 0;
}

/* Where the peer is now. Under RCU. */
static int esptun_nl_put_peer(struct sk_buff *skb, const struct esptun_dev *tun)
{
	const struct esptun_path *path = rcu_dereference(tun->path);

	if (esptun_nl_put_addr(skb, ESPTUN_A_TUNNEL_PEER4, ESPTUN_A_TUNNEL_PEER6, &path->remote))
		return -EMSGSIZE;
	return path->port ? nla_put_be16(skb, ESPTUN_A_TUNNEL_PEER_PORT, path->port) : 0;
}

/* What depends on the active outbound SAs. Under RCU. */
static int esptun_nl_put_active(struct sk_buff *skb, struct esptun_dev *tun)
{
	struct esptun_sa *sa = esptun_policy_usable(tun);

	if (nla_put_u8(skb, ESPTUN_A_TUNNEL_CARRIER, !!sa))
		return -EMSGSIZE;
	if (!sa)
		return 0;
	if (nla_put_be32(skb, ESPTUN_A_TUNNEL_OUT_SPI, sa->spi) ||
	    nla_put_u32(skb, ESPTUN_A_TUNNEL_OVERHEAD,
			esptun_outer_header(rcu_dereference(tun->path), sa->encap) +
			esptun_crypto_overhead(&sa->crypto)))
		return -EMSGSIZE;
	return 0;
}

/* The addresses as configured. */
static int esptun_nl_put_ends(struct sk_buff *skb, struct esptun_dev *tun)
{
	struct esptun_addr local, remote;

	spin_lock_bh(&tun->lock);
	local = tun->local;
	remote = tun->remote;
	spin_unlock_bh(&tun->lock);
	return esptun_nl_put_addr(skb, ESPTUN_A_TUNNEL_LOCAL4, ESPTUN_A_TUNNEL_LOCAL6, &local) ||
	       esptun_nl_put_addr(skb, ESPTUN_A_TUNNEL_REMOTE4, ESPTUN_A_TUNNEL_REMOTE6, &remote);
}

/* What an external device as such does not have. Under RCU. */
static int esptun_nl_put_way(struct sk_buff *skb, struct esptun_dev *tun)
{
	u32 path;

	if (tun->external && !tun->tunnel_id)
		return nla_put_u8(skb, ESPTUN_A_TUNNEL_CARRIER, 1);
	path = esptun_nl_path_mtu(tun);
	if (path && nla_put_u32(skb, ESPTUN_A_TUNNEL_PATH_MTU, path))
		return -EMSGSIZE;
	return esptun_nl_put_peer(skb, tun) || esptun_nl_put_active(skb, tun);
}

/* Under RCU. */
static int esptun_nl_put_tunnel(struct sk_buff *skb, struct esptun_dev *tun)
{
	struct net_device *dev = tun->dev;
	int link = READ_ONCE(tun->link);

	if (nla_put_u32(skb, ESPTUN_A_TUNNEL_IFINDEX, dev->ifindex) ||
	    nla_put_string(skb, ESPTUN_A_TUNNEL_IFNAME, dev->name) ||
	    esptun_nl_put_ends(skb, tun) ||
	    nla_put_u32(skb, ESPTUN_A_TUNNEL_MTU, READ_ONCE(dev->mtu)) ||
	    nla_put_u32(skb, ESPTUN_A_TUNNEL_SA_COUNT, READ_ONCE(tun->sa_count)))
		return -EMSGSIZE;
	if (link && nla_put_u32(skb, ESPTUN_A_TUNNEL_LINK, link))
		return -EMSGSIZE;
	if (esptun_nl_put_branch(skb, tun) || esptun_nl_put_way(skb, tun) ||
	    (!tun->tunnel_id && esptun_nl_put_stats(skb, dev)))
		return -EMSGSIZE;
	return esptun_nl_put_drops(skb, ESPTUN_A_TUNNEL_DROPS, ESPTUN_A_TUNNEL_LAST_ERROR,
				   &tun->drops);
}

/* By index or by name. */
static struct esptun_dev *esptun_nl_tunnel(struct genl_info *info)
{
	struct nlattr *name = info->attrs[ESPTUN_A_TUNNEL_IFNAME];
	struct net_device *dev;

	if (info->attrs[ESPTUN_A_TUNNEL_IFINDEX] || !name)
		return esptun_nl_device(info, ESPTUN_A_TUNNEL_IFINDEX);
	dev = dev_get_by_name(genl_info_net(info), nla_data(name));
	if (dev && esptun_device_is(dev))
		return netdev_priv(dev);
	if (dev)	/* dev_put(NULL) is allowed since 5.14 only */
		dev_put(dev);
	NL_SET_ERR_MSG_ATTR(info->extack, name, "ifname: no esptun device has this name");
	return ERR_PTR(-ENODEV);
}

int esptun_nl_tunnel_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *id = info->attrs[ESPTUN_A_TUNNEL_TUNNEL_ID];
	struct esptun_dev *tun = esptun_nl_tunnel(info);
	struct esptun_dev *shown = tun;
	struct sk_buff *msg;
	void *head;
	int err;

	if (IS_ERR(tun))
		return PTR_ERR(tun);
	msg = esptun_nl_reply(info, ESPTUN_CMD_TUNNEL_GET, &head);
	if (!msg) {
		dev_put(tun->dev);
		return -ENOMEM;
	}
	rcu_read_lock();
	if (id)
		shown = esptun_external_find(tun, nla_get_u32(id));
	err = shown ? esptun_nl_put_tunnel(msg, shown) : -ENOENT;
	rcu_read_unlock();
	dev_put(tun->dev);
	if (!shown)
		NL_SET_ERR_MSG_ATTR(info->extack, id, "tunnel-id: the device has no such tunnel");
	return esptun_nl_send(info, msg, head, err);
}

static int esptun_nl_dump_tunnel(struct sk_buff *skb, struct netlink_callback *cb,
				 struct esptun_dev *tun)
{
	void *head = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				 &esptun_nl_family, NLM_F_MULTI, ESPTUN_CMD_TUNNEL_GET);

	if (!head)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, head);
	if (esptun_nl_put_tunnel(skb, tun)) {
		genlmsg_cancel(skb, head);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, head);
	return 0;
}

int esptun_nl_tunnel_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	unsigned long id = cb->args[0];
	struct esptun_dev *tun;

	cb->seq = esptun_nl_generation();
	rcu_read_lock();
	while ((tun = esptun_device_next(&id))) {
		if (net_eq(dev_net(tun->dev), net) && esptun_nl_dump_tunnel(skb, cb, tun))
			break;
		cb->args[0] = id;
	}
	rcu_read_unlock();
	return skb->len;
}

int esptun_nl_module_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_net *en = esptun_net_get(genl_info_net(info));
	const struct {
		int attr;
		const atomic64_t *value;
	} counters[] = {
		{ ESPTUN_A_MODULE_TUNNELS_CREATED, &esptun_census.tunnels_created },
		{ ESPTUN_A_MODULE_TUNNELS_DESTROYED, &esptun_census.tunnels_destroyed },
		{ ESPTUN_A_MODULE_SAS_CREATED, &esptun_census.sas_created },
		{ ESPTUN_A_MODULE_SAS_DESTROYED, &esptun_census.sas_destroyed },
		{ ESPTUN_A_MODULE_RX_FOREIGN_SPI, &en->rx_foreign },
		{ ESPTUN_A_MODULE_RX_KEEPALIVES, &en->rx_keepalives },
		{ ESPTUN_A_MODULE_TX_KEEPALIVES, &en->tx_keepalives },
	};
	struct sk_buff *msg;
	void *head;
	int i, err;

	msg = esptun_nl_reply(info, ESPTUN_CMD_MODULE_GET, &head);
	if (!msg)
		return -ENOMEM;
	err = nla_put_string(msg, ESPTUN_A_MODULE_VERSION, THIS_MODULE->version ? : "");
	for (i = 0; !err && i < ARRAY_SIZE(counters); i++)
		err = esptun_nl_put_u64(msg, counters[i].attr, atomic64_read(counters[i].value),
					ESPTUN_A_MODULE_PAD);
	return esptun_nl_send(info, msg, head, err);
}

int esptun_nl_socket_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *fd = info->attrs[ESPTUN_A_SOCKET_FD];
	int err = esptun_nl_permit(skb, info->extack);

	if (err)
		return err;
	if (!fd) {
		NL_SET_ERR_MSG(info->extack, "fd: the socket's file descriptor is missing");
		return -EINVAL;
	}
	return esptun_socket_set(esptun_net_get(genl_info_net(info)), nla_get_u32(fd),
				 info->extack);
}

struct sk_buff *esptun_nl_event(struct esptun_dev *tun, u8 cmd, void **head)
{
	struct sk_buff *msg;

	if (!genl_has_listeners(&esptun_nl_family, dev_net(tun->dev), ESPTUN_NL_MCGRP_EVENTS))
		return NULL;
	msg = nlmsg_new(NLMSG_GOODSIZE, GFP_ATOMIC);
	if (!msg)
		return NULL;
	*head = genlmsg_put(msg, 0, 0, &esptun_nl_family, 0, cmd);
	if (*head)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

void esptun_nl_multicast(struct esptun_dev *tun, struct sk_buff *msg, void *head, int err)
{
	if (err) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_end(msg, head);
	genlmsg_multicast_netns(&esptun_nl_family, dev_net(tun->dev), msg, 0,
				ESPTUN_NL_MCGRP_EVENTS, GFP_ATOMIC);
}

static int esptun_nl_put_name(struct sk_buff *skb, const struct esptun_dev *tun)
{
	return nla_put_u32(skb, ESPTUN_A_TUNNEL_IFINDEX, tun->dev->ifindex) ||
	       nla_put_string(skb, ESPTUN_A_TUNNEL_IFNAME, tun->dev->name) ||
	       (tun->tunnel_id &&
		nla_put_u32(skb, ESPTUN_A_TUNNEL_TUNNEL_ID, tun->tunnel_id));
}

void esptun_nl_carrier(struct esptun_dev *tun)
{
	struct esptun_sa *sa;
	struct sk_buff *msg;
	void *head;
	int err;

	msg = esptun_nl_event(tun, ESPTUN_CMD_CARRIER_NTF, &head);
	if (!msg)
		return;
	rcu_read_lock();
	sa = esptun_policy_usable(tun);
	err = esptun_nl_put_name(msg, tun) ||
	      nla_put_u8(msg, ESPTUN_A_TUNNEL_CARRIER, !!sa) ||
	      (sa && nla_put_be32(msg, ESPTUN_A_TUNNEL_OUT_SPI, sa->spi));
	rcu_read_unlock();
	esptun_nl_multicast(tun, msg, head, err);
}

static int esptun_nl_put_flow(struct sk_buff *skb, const struct esptun_flow *flow)
{
	unsigned int len = esptun_selector_addr_len(flow->family);
	u8 local[16], remote[16];
	struct nlattr *attr;

	esptun_selector_store(&flow->local, local, flow->family);
	esptun_selector_store(&flow->remote, remote, flow->family);
	attr = nla_nest_start(skb, ESPTUN_A_TUNNEL_FLOW);
	if (!attr || nla_put(skb, ESPTUN_A_FLOW_LOCAL, len, local) ||
	    nla_put(skb, ESPTUN_A_FLOW_REMOTE, len, remote))
		return -EMSGSIZE;
	if (flow->has_proto && nla_put_u8(skb, ESPTUN_A_FLOW_PROTO, flow->proto))
		return -EMSGSIZE;
	if (flow->has_ports &&
	    (nla_put_be16(skb, ESPTUN_A_FLOW_LOCAL_PORT, htons(flow->local_port)) ||
	     nla_put_be16(skb, ESPTUN_A_FLOW_REMOTE_PORT, htons(flow->remote_port))))
		return -EMSGSIZE;
	nla_nest_end(skb, attr);
	return 0;
}

void esptun_nl_peer_moved(struct esptun_dev *tun)
{
	struct sk_buff *msg;
	void *head;
	int err;

	msg = esptun_nl_event(tun, ESPTUN_CMD_PEER_MOVED_NTF, &head);
	if (!msg)
		return;
	rcu_read_lock();
	err = esptun_nl_put_name(msg, tun) || esptun_nl_put_peer(msg, tun);
	rcu_read_unlock();
	esptun_nl_multicast(tun, msg, head, err);
}

void esptun_nl_acquire(struct esptun_dev *tun, u32 id, const struct esptun_flow *flow)
{
	unsigned long last = READ_ONCE(tun->acquired);
	struct sk_buff *msg;
	void *head;

	/* At most one a second; of several CPUs one wins. */
	if (time_before(jiffies, last + HZ) || cmpxchg(&tun->acquired, last, jiffies) != last)
		return;
	msg = esptun_nl_event(tun, ESPTUN_CMD_ACQUIRE_NTF, &head);
	if (msg)
		esptun_nl_multicast(tun, msg, head, esptun_nl_put_name(msg, tun) ||
				    (id && nla_put_u32(msg, ESPTUN_A_TUNNEL_TUNNEL_ID, id)) ||
				    (flow && esptun_nl_put_flow(msg, flow)));
}
