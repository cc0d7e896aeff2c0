// SPDX-License-Identifier: GPL-2.0
/*
 * External devices and their branches, see external.h: made, found by a packet's metadata,
 * ended. Never touches what is in a packet.
 */
#include "external.h"
#include "link.h"
#include "netlink.h"
#include "outer.h"
#include "policy.h"
#include "sa.h"
#include "xmit.h"
#include <linux/slab.h>
#include <net/dst_metadata.h>

/**
 * struct esptun_branch - a tunnel of an external device
 * @tun: what SAs and packets know it as
 * @refs: one for each SA until it is freed, and those of requests
 * @rcu: frees it
 */
struct esptun_branch {
	struct esptun_dev tun;
	refcount_t refs;
	struct rcu_head rcu;
};

static struct esptun_branch *esptun_external_branch(struct esptun_dev *tun)
{
	return container_of(tun, struct esptun_branch, tun);
}

struct esptun_dev *esptun_external_get(struct esptun_dev *tun, u32 id)
{
	struct esptun_dev *found;

	rcu_read_lock();
	found = esptun_external_find(tun, id);
	if (found && !refcount_inc_not_zero(&esptun_external_branch(found)->refs))
		found = NULL;
	rcu_read_unlock();
	return found;
}

void esptun_external_hold(struct esptun_dev *tun)
{
	if (tun->tunnel_id)
		refcount_inc(&esptun_external_branch(tun)->refs);
}

static void esptun_external_free(struct esptun_branch *b)
{
	esptun_path_free(rcu_dereference_protected(b->tun.path, true));
	kfree(b);
}

static void esptun_external_free_rcu(struct rcu_head *rcu)
{
	struct esptun_branch *b = container_of(rcu, struct esptun_branch, rcu);
	struct net_device *dev = b->tun.dev;

	esptun_external_free(b);
	dev_put(dev);
}

void esptun_external_put(struct esptun_dev *tun)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_branch *b;

	if (!tun->tunnel_id)
		return;
	b = esptun_external_branch(tun);
	if (!refcount_dec_and_mutex_lock(&b->refs, &en->mutex))
		return;
	xa_erase(&esptun_external_trunk(tun)->branches, tun->tunnel_id);
	esptun_device_leave(tun);
	mutex_unlock(&en->mutex);
	/* There is no SA any more that would start them again. */
	cancel_delayed_work_sync(&tun->keepalive);
	if (cancel_work_sync(&tun->mtu_work))
		dev_put(tun->dev);
	call_rcu(&b->rcu, esptun_external_free_rcu);
}

/* Like the device it is part of, but for the endpoints. */
static struct esptun_branch *esptun_external_new(const struct esptun_dev *tun, u32 id,
						 const struct esptun_addr *local,
						 const struct esptun_addr *remote)
{
	struct esptun_branch *b = kzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	struct esptun_path *path;

	if (!b)
		return NULL;
	esptun_link_setup_tunnel(&b->tun, tun->dev);
	b->tun.net = tun->net;
	b->tun.external = true;
	b->tun.tunnel_id = id;
	b->tun.keep_carrier = true;
	b->tun.mtu_auto = false;
	b->tun.local = *local;
	b->tun.remote = *remote;
	esptun_link_copy_options(&b->tun, tun);
	refcount_set(&b->refs, 1);
	path = esptun_path_new(&b->tun, local, remote, 0, GFP_KERNEL_ACCOUNT);
	if (!path) {
		kfree(b);
		return NULL;
	}
	RCU_INIT_POINTER(b->tun.path, path);
	return b;
}

static const char *esptun_external_check(const struct esptun_dev *tun,
					 const struct esptun_addr *local,
					 const struct esptun_addr *remote)
{
	if (!remote->family)
		return "remote4, remote6: the first SA of a tunnel needs the peer's address";
	if (esptun_addr_any(remote) || !esptun_addr_unicast(remote))
		return "remote4, remote6: must be a unicast address, not any, multicast or broadcast";
	if (local->family && local->family != remote->family)
		return "local, remote: one is IPv4, the other IPv6";
	if (!esptun_addr_unicast(local))
		return "local4, local6: must be a unicast address or any";
	if (remote->family == AF_INET6 && !ipv6_mod_enabled())
		return "remote6: IPv6 is switched off on this host";
	if (!tun->link && remote->family == AF_INET6 &&
	    ipv6_addr_type(&remote->v6) & IPV6_ADDR_LINKLOCAL)
		return "remote6: a link-local address needs a device with dev";
	return NULL;
}

/* Under the underlay's mutex. -errno; the branch gets its place in the tables. */
static int esptun_external_enter(struct esptun_dev *tun, struct esptun_branch *b,
				 struct netlink_ext_ack *extack)
{
	int err;

	if (tun->gone) {
		NL_SET_ERR_MSG(extack, "ifindex: the device is being deleted");
		return -ENODEV;
	}
	err = xa_insert(&tun->branches, b->tun.tunnel_id, &b->tun, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	err = esptun_device_enter(&b->tun);
	if (err) {
		xa_erase(&tun->branches, b->tun.tunnel_id);
		return err;
	}
	dev_hold(tun->dev);
	return 0;
}

/* Under the underlay's mutex: the branch that is there already. NULL: none. */
static struct esptun_dev *esptun_external_present(struct esptun_dev *tun, u32 id,
						  const struct esptun_addr *local,
						  const struct esptun_addr *remote,
						  struct netlink_ext_ack *extack)
{
	struct esptun_dev *found = esptun_external_find(tun, id);

	if (!found)
		return NULL;
	if ((remote->family && !esptun_addr_equal(remote, &found->remote)) ||
	    (local->family && !esptun_addr_equal(local, &found->local))) {
		NL_SET_ERR_MSG(extack, "local, remote: not those that the tunnel's other SAs have");
		return ERR_PTR(-EBUSY);
	}
	/* Its end takes it out of the table under the mutex, so it is alive. */
	refcount_inc(&esptun_external_branch(found)->refs);
	return found;
}

static struct esptun_dev *esptun_external_add(struct esptun_dev *tun, u32 id,
					      const struct esptun_addr *local,
					      const struct esptun_addr *remote,
					      struct netlink_ext_ack *extack)
{
	const char *why = esptun_external_check(tun, local, remote);
	struct esptun_addr any = *local;
	struct esptun_branch *b;
	int err;

	if (why) {
		if (extack)
			extack->_msg = why;
		return ERR_PTR(-EINVAL);
	}
	any.family = remote->family;
	b = esptun_external_new(tun, id, &any, remote);
	if (!b)
		return ERR_PTR(-ENOMEM);
	err = esptun_external_enter(tun, b, extack);
	if (err) {
		esptun_external_free(b);
		return ERR_PTR(err);
	}
	return &b->tun;
}

struct esptun_dev *esptun_external_make(struct esptun_dev *tun, u32 id,
					const struct esptun_addr *local,
					const struct esptun_addr *remote,
					struct netlink_ext_ack *extack)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_dev *found;

	mutex_lock(&en->mutex);
	found = esptun_external_present(tun, id, local, remote, extack);
	if (!found)
		found = esptun_external_add(tun, id, local, remote, extack);
	mutex_unlock(&en->mutex);
	return found;
}

void esptun_external_flush_locked(struct esptun_dev *tun, u32 reason)
{
	struct esptun_dev *branch;
	unsigned long id;

	/* A branch's end needs the mutex, which we have: they all stay. */
	xa_for_each(&tun->branches, id, branch) {
		branch->gone = tun->gone;
		esptun_sa_flush_locked(branch, reason);
	}
}

struct metadata_dst *esptun_external_metadata(const struct esptun_dev *tun,
					      const struct esptun_path *path, gfp_t gfp)
{
	struct metadata_dst *md = metadata_dst_alloc(0, METADATA_IP_TUNNEL, gfp);
	struct ip_tunnel_key *key;

	if (!md)
		return NULL;
	key = &md->u.tun_info.key;
	key->tun_id = cpu_to_be64(tun->tunnel_id);
	esptun_compat_tunnel_key(key);
	if (path->remote.family == AF_INET6) {
		key->u.ipv6.src = path->remote.v6;
		key->u.ipv6.dst = path->local.v6;
		md->u.tun_info.mode = IP_TUNNEL_INFO_IPV6;
	} else {
		key->u.ipv4.src = path->remote.v4;
		key->u.ipv4.dst = path->local.v4;
	}
	return md;
}

void esptun_external_tag(struct sk_buff *skb, const struct esptun_dev *tun)
{
	struct metadata_dst *md = rcu_dereference(tun->path)->metadata;

	dst_hold(&md->dst);
	skb_dst_set(skb, &md->dst);
}

/* The tunnel ID that a packet is to be sent with; false: it has none. */
static bool esptun_external_id(struct sk_buff *skb, u64 *id)
{
	const struct ip_tunnel_info *info = skb_tunnel_info(skb);

	/* What a packet was received with says nothing of where it is to go. */
	if (!info || !(info->mode & IP_TUNNEL_INFO_TX))
		return false;
	*id = be64_to_cpu(info->key.tun_id);
	/* It has served, and whoever answers the sender must not take it for a route. */
	if (skb_metadata_dst(skb))
		skb_dst_drop(skb);
	return true;
}

static void esptun_external_drop(struct esptun_dev *tun, struct sk_buff *skb,
				 enum esptun_drop reason)
{
	struct esptun_drop_info info = { .reason = reason };

	esptun_stats_drop(tun, skb, &info);
}

/* There is no such tunnel: somebody may want to make it. */
static void esptun_external_missing(struct esptun_dev *tun, struct sk_buff *skb, u64 id)
{
	struct esptun_flow flow;
	bool read = esptun_policy_flow(skb, true, &flow);

	if (id && id <= U32_MAX)
		esptun_nl_acquire(tun, id, read ? &flow : NULL);
	esptun_external_drop(tun, skb, ESPTUN_DROP_TX_NO_SA);
}

netdev_tx_t esptun_external_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct esptun_dev *tun = netdev_priv(dev);
	struct esptun_dev *branch;
	u64 id;

	if (!esptun_external_id(skb, &id)) {
		esptun_external_drop(tun, skb, ESPTUN_DROP_TX_NO_TUNNEL_ID);
		return NETDEV_TX_OK;
	}
	rcu_read_lock();
	branch = esptun_external_find(tun, id);
	if (likely(branch))
		esptun_xmit_tunnel(branch, skb);
	else
		esptun_external_missing(tun, skb, id);
	rcu_read_unlock();
	return NETDEV_TX_OK;
}
