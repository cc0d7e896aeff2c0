// SPDX-License-Identifier: GPL-2.0
/*
 * The device as rtnetlink, ethtool and the core see it: link kind "esptun", its
 * attributes, and the net_device itself. Sends and receives nothing.
 */
#include "link.h"
#include "external.h"
#include "gro.h"
#include "neigh.h"
#include "keepalive.h"
#include "sa.h"
#include "xmit.h"
#include <linux/ethtool.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <net/ip_tunnels.h>
#include <net/rtnetlink.h>
#include "nl_gen.h"

#define ESPTUN_TTL 64
#define ESPTUN_TOS_INHERIT 1

/* Outer header, ESP header, IV, trailer and ICV never take more than this. */
#define ESPTUN_MAX_OVERHEAD 128

/* What is computed with until the first SA tells: AES-GCM. */
static const struct esptun_shape esptun_link_shape = { .iv_len = 8, .icv_len = 16, .block = 4 };

static int esptun_link_init(struct net_device *dev)
{
	struct esptun_dev *tun = netdev_priv(dev);
	struct esptun_path *path;
	int err = -ENOMEM;

	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!dev->tstats)
		return -ENOMEM;
	path = esptun_path_new(tun, &tun->local, &tun->remote, 0, GFP_KERNEL_ACCOUNT);
	if (!path)
		goto err_stats;
	RCU_INIT_POINTER(tun->path, path);
	err = esptun_device_register(tun);
	if (err)
		goto err_path;
	atomic64_inc(&esptun_census.tunnels_created);
	return 0;

err_path:
	esptun_path_free(path);
err_stats:
	free_percpu(dev->tstats);
	return err;
}

static void esptun_link_uninit(struct net_device *dev)
{
	struct esptun_dev *tun = netdev_priv(dev);

	esptun_device_unregister(tun);
	esptun_gro_drain();
}

/* The last reference has gone: nobody sends any more. */
static void esptun_link_free(struct net_device *dev)
{
	struct esptun_dev *tun = netdev_priv(dev);

	esptun_path_free(rcu_dereference_protected(tun->path, true));
	free_percpu(dev->tstats);
	atomic64_inc(&esptun_census.tunnels_destroyed);
}

static int esptun_link_change_mtu(struct net_device *dev, int mtu)
{
	struct esptun_dev *tun = netdev_priv(dev);

	if (!tun->mtu_setting)
		WRITE_ONCE(tun->mtu_auto, false);
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static void esptun_link_stats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	struct esptun_dev *tun = netdev_priv(dev);

	esptun_compat_tstats64(dev, s);
	s->tx_dropped += esptun_stats_sum(&tun->drops, true);
	s->rx_dropped += esptun_stats_sum(&tun->drops, false);
}

static int esptun_link_iflink(const struct net_device *dev)
{
	const struct esptun_dev *tun = netdev_priv(dev);

	return READ_ONCE(tun->link);
}

#define ESPTUN_LINK_NDO(xmit) { \
	.ndo_init = esptun_link_init, \
	.ndo_uninit = esptun_link_uninit, \
	.ndo_start_xmit = (xmit), \
	.ndo_change_mtu = esptun_link_change_mtu, \
	.ndo_get_stats64 = esptun_link_stats64, \
	.ndo_get_iflink = esptun_link_iflink, \
	.ndo_neigh_construct = esptun_neigh_construct, \
}

static const struct net_device_ops esptun_link_ndo = ESPTUN_LINK_NDO(esptun_xmit);
static const struct net_device_ops esptun_link_external_ndo =
	ESPTUN_LINK_NDO(esptun_external_xmit);

bool esptun_device_is(const struct net_device *dev)
{
	return dev->netdev_ops == &esptun_link_ndo ||
	       dev->netdev_ops == &esptun_link_external_ndo;
}

static void esptun_link_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "esptun", sizeof(info->driver));
	strscpy(info->version, THIS_MODULE->version ? : "", sizeof(info->version));
}

static int esptun_link_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ESPTUN_DROP_COUNT : -EOPNOTSUPP;
}

static void esptun_link_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, esptun_drop_names, sizeof(esptun_drop_names));
}

static void esptun_link_ethtool_stats(struct net_device *dev, struct ethtool_stats *stats,
				      u64 *data)
{
	struct esptun_dev *tun = netdev_priv(dev);
	int i;

	for (i = 0; i < ESPTUN_DROP_COUNT; i++)
		data[i] = atomic64_read(&tun->drops.count[i]);
}

static const struct ethtool_ops esptun_link_ethtool = {
	.get_drvinfo = esptun_link_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = esptun_link_sset_count,
	.get_strings = esptun_link_strings,
	.get_ethtool_stats = esptun_link_ethtool_stats,
};

static void esptun_link_features(struct net_device *dev)
{
	netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA |
				     NETIF_F_HW_CSUM | NETIF_F_RXCSUM | ESPTUN_GSO_FEATURES;

	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	esptun_compat_lltx(dev);
}

void esptun_link_setup_tunnel(struct esptun_dev *tun, struct net_device *dev)
{
	tun->dev = dev;
	tun->ttl = ESPTUN_TTL;
	tun->tos = ESPTUN_TOS_INHERIT;
	tun->pmtudisc = true;
	tun->path_mtu = ETH_DATA_LEN;
	tun->mtu_auto = true;
	tun->shape = esptun_link_shape;
	tun->gone_reason = ESPTUN_DELETE_REASON_DEVICE_GONE;
	spin_lock_init(&tun->lock);
	INIT_LIST_HEAD(&tun->outs);
	INIT_LIST_HEAD(&tun->sas);
	INIT_WORK(&tun->mtu_work, esptun_device_mtu_work);
	INIT_DELAYED_WORK(&tun->keepalive, esptun_keepalive_work);
	esptun_stats_init(&tun->drops);
	xa_init(&tun->branches);
	tun->acquired = jiffies - HZ;
}

static void esptun_link_setup(struct net_device *dev)
{
	dev->netdev_ops = &esptun_link_ndo;
	dev->ethtool_ops = &esptun_link_ethtool;
	dev->header_ops = &ip_tunnel_header_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = esptun_link_free;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_DISABLE_NETPOLL;
	dev->addr_len = 0;
	dev->hard_header_len = 0;
	dev->needed_tailroom = ESPTUN_MAX_BLOCK + 1 + ESPTUN_MAX_ICV;
	dev->mtu = ETH_DATA_LEN;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU - ESPTUN_MAX_OVERHEAD;
	netif_keep_dst(dev);
	esptun_link_features(dev);
	esptun_link_setup_tunnel(netdev_priv(dev), dev);
}

static int esptun_link_refuse(struct netlink_ext_ack *extack, struct nlattr *attr,
			      const char *why)
{
	if (extack) {
		extack->_msg = why;
		extack->bad_attr = attr;
	}
	return -EINVAL;
}

/*
 * rtnetlink passes over attributes it has no policy for. One that we do not know may be an
 * option somebody counts on: refuse it.
 */
static int esptun_link_unknown(struct nlattr *tb[], struct netlink_ext_ack *extack)
{
	struct nlattr *data, *attr;
	int rem;

	if (!tb[IFLA_LINKINFO])
		return 0;
	data = nla_find_nested(tb[IFLA_LINKINFO], IFLA_INFO_DATA);
	if (!data)
		return 0;
	nla_for_each_nested(attr, data, rem)
		if (nla_type(attr) > IFLA_ESPTUN_MAX)
			return esptun_link_refuse(extack, attr,
						  "an option that this version does not know");
	return 0;
}

static int esptun_link_validate_ends(struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct nlattr *remote6 = data[IFLA_ESPTUN_REMOTE6], *local6 = data[IFLA_ESPTUN_LOCAL6];
	struct nlattr *remote4 = data[IFLA_ESPTUN_REMOTE4], *local4 = data[IFLA_ESPTUN_LOCAL4];
	struct esptun_addr remote, local;

	if ((remote4 && remote6) || (local4 && local6))
		return esptun_link_refuse(extack, remote6 ? : local6,
					  "local, remote: both an IPv4 and an IPv6 address");
	esptun_addr_of_attrs(remote4, remote6, &remote);
	if (remote.family && (esptun_addr_any(&remote) || !esptun_addr_unicast(&remote)))
		return esptun_link_refuse(extack, remote6 ? : remote4,
					  "remote: must be a unicast address, not any, multicast or broadcast");
	if (data[IFLA_ESPTUN_EXTERNAL] && nla_get_u8(data[IFLA_ESPTUN_EXTERNAL]) &&
	    (remote4 || remote6 || local4 || local6))
		return esptun_link_refuse(extack, data[IFLA_ESPTUN_EXTERNAL],
					  "external: local and remote are named with each tunnel's SAs");
	esptun_addr_of_attrs(local4, local6, &local);
	if (local.family && !esptun_addr_unicast(&local))
		return esptun_link_refuse(extack, local6 ? : local4,
					  "local: must be a unicast address or any");
	if (remote6 && !ipv6_mod_enabled())
		return esptun_link_refuse(extack, remote6, "remote: IPv6 is switched off on this host");
	return 0;
}

static int esptun_link_validate(struct nlattr *tb[], struct nlattr *data[],
				struct netlink_ext_ack *extack)
{
	int err;

	if (tb[IFLA_ADDRESS])
		return esptun_link_refuse(extack, tb[IFLA_ADDRESS],
					  "address: an esptun device has no link-layer address");
	if (!data)
		return 0;
	err = esptun_link_validate_ends(data, extack);
	if (err)
		return err;
	if (data[IFLA_ESPTUN_TOS] && nla_get_u8(data[IFLA_ESPTUN_TOS]) != ESPTUN_TOS_INHERIT &&
	    (nla_get_u8(data[IFLA_ESPTUN_TOS]) & INET_ECN_MASK))
		return esptun_link_refuse(extack, data[IFLA_ESPTUN_TOS],
					  "tos: the lower two bits (ECN) must be 0, or inherit (1)");
	return esptun_link_unknown(tb, extack);
}

/* The endpoints that the device is to have: what is not in the request stays as it is. */
static void esptun_link_ends(const struct esptun_dev *tun, struct nlattr *data[],
			     struct esptun_addr *local, struct esptun_addr *remote)
{
	esptun_addr_of_attrs(data[IFLA_ESPTUN_REMOTE4], data[IFLA_ESPTUN_REMOTE6], remote);
	if (!remote->family)
		*remote = tun->remote;
	esptun_addr_of_attrs(data[IFLA_ESPTUN_LOCAL4], data[IFLA_ESPTUN_LOCAL6], local);
	/* Any is any, and with a peer of the other family the old one is of no use. */
	if (!local->family && tun->local.family == remote->family)
		*local = tun->local;
	if (esptun_addr_any(local))
		local->family = remote->family;
}

/* What of the options can only be judged with the rest known; changes nothing. */
static int esptun_link_check(const struct esptun_dev *tun, struct nlattr *data[],
			     const struct esptun_addr *local, const struct esptun_addr *remote,
			     struct netlink_ext_ack *extack)
{
	u32 link = data[IFLA_ESPTUN_LINK] ? nla_get_u32(data[IFLA_ESPTUN_LINK]) : tun->link;
	struct nlattr *keep = data[IFLA_ESPTUN_KEEP_CARRIER];

	if (tun->external && keep && !nla_get_u8(keep))
		return esptun_link_refuse(extack, keep,
					  "keep-carrier: an external device always has carrier");
	if (local->family != remote->family)
		return esptun_link_refuse(extack, data[IFLA_ESPTUN_LOCAL4] ? :
					  data[IFLA_ESPTUN_LOCAL6],
					  "local, remote: one is IPv4, the other IPv6");
	if (!link && remote->family == AF_INET6 &&
	    ipv6_addr_type(&remote->v6) & IPV6_ADDR_LINKLOCAL)
		return esptun_link_refuse(extack, data[IFLA_ESPTUN_REMOTE6],
					  "remote: a link-local address needs dev");
	if (!link || link == tun->link || __dev_get_by_index(tun->net, link))
		return 0;
	esptun_link_refuse(extack, data[IFLA_ESPTUN_LINK],
			   "dev: no device with this index in the underlay's netns");
	return -ENODEV;
}

/* Everything but the endpoints. The values are single words that packets read once. */
static void esptun_link_options(struct esptun_dev *tun, struct nlattr *data[])
{
	if (data[IFLA_ESPTUN_LINK])
		WRITE_ONCE(tun->link, nla_get_u32(data[IFLA_ESPTUN_LINK]));
	if (data[IFLA_ESPTUN_TTL])
		WRITE_ONCE(tun->ttl, nla_get_u8(data[IFLA_ESPTUN_TTL]));
	if (data[IFLA_ESPTUN_TOS])
		WRITE_ONCE(tun->tos, nla_get_u8(data[IFLA_ESPTUN_TOS]));
	if (data[IFLA_ESPTUN_PMTUDISC])
		WRITE_ONCE(tun->pmtudisc, nla_get_u8(data[IFLA_ESPTUN_PMTUDISC]));
	if (data[IFLA_ESPTUN_FWMARK])
		WRITE_ONCE(tun->fwmark, nla_get_u32(data[IFLA_ESPTUN_FWMARK]));
	if (data[IFLA_ESPTUN_KEEP_CARRIER])
		WRITE_ONCE(tun->keep_carrier, nla_get_u8(data[IFLA_ESPTUN_KEEP_CARRIER]));
	if (data[IFLA_ESPTUN_MSS_CLAMP])
		WRITE_ONCE(tun->mss_clamp, nla_get_u8(data[IFLA_ESPTUN_MSS_CLAMP]));
	WRITE_ONCE(tun->rx_extra, tun->mss_clamp || tun->tunnel_id);
}

void esptun_link_copy_options(struct esptun_dev *to, const struct esptun_dev *from)
{
	to->link = from->link;
	to->ttl = from->ttl;
	to->tos = from->tos;
	to->pmtudisc = from->pmtudisc;
	to->fwmark = from->fwmark;
	to->mss_clamp = from->mss_clamp;
	to->rx_extra = to->mss_clamp || to->tunnel_id;
}

/* What a device that has no endpoints of its own is like, before its tunnels come. */
static void esptun_link_make_external(struct net_device *dev)
{
	struct esptun_dev *tun = netdev_priv(dev);

	tun->external = true;
	tun->keep_carrier = true;
	tun->shape.encap = true;
	dev->netdev_ops = &esptun_link_external_ndo;
	dev->needed_headroom = ESPTUN_MAX_OVERHEAD;
}

ESPTUN_NEWLINK(esptun_link_new, net, dev, tb, data, extack)
{
	struct esptun_dev *tun = netdev_priv(dev);
	int err;

	if (data && data[IFLA_ESPTUN_EXTERNAL] && nla_get_u8(data[IFLA_ESPTUN_EXTERNAL]))
		esptun_link_make_external(dev);
	else if (!data || (!data[IFLA_ESPTUN_REMOTE4] && !data[IFLA_ESPTUN_REMOTE6]))
		return esptun_link_refuse(extack, NULL,
					  "remote: the address of the peer is missing");
	tun->net = net;
	esptun_link_ends(tun, data, &tun->local, &tun->remote);
	err = esptun_link_check(tun, data, &tun->local, &tun->remote, extack);
	if (err)
		return err;
	esptun_link_options(tun, data);
	if (!tun->keep_carrier)
		netif_carrier_off(dev);
	tun->mtu_auto = !tb[IFLA_MTU] && !tun->external;
	err = register_netdevice(dev);
	if (err)
		return err;
	/* The route can be asked for as soon as the device has its caches. */
	if (!tb[IFLA_MTU]) {
		tun->mtu_setting = true;
		dev_set_mtu(dev, tun->external ? esptun_device_room(tun) :
						 esptun_device_want_mtu(tun));
		tun->mtu_setting = false;
	}
	return 0;
}

/* A tunnel's new options take effect. */
static void esptun_link_apply(struct esptun_dev *tun, struct nlattr *data[])
{
	esptun_link_options(tun, data);
	spin_lock_bh(&tun->lock);
	dst_cache_reset(&esptun_path_held(tun)->route);
	esptun_device_follow(tun);
	spin_unlock_bh(&tun->lock);
}

/* The device's options are those of its branches, too. */
static void esptun_link_apply_external(struct esptun_dev *tun, struct nlattr *data[])
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_dev *branch;
	unsigned long id;

	mutex_lock(&en->mutex);
	esptun_link_options(tun, data);
	xa_for_each(&tun->branches, id, branch)
		esptun_link_apply(branch, data);
	mutex_unlock(&en->mutex);
}

static int esptun_link_change(struct net_device *dev, struct nlattr *tb[], struct nlattr *data[],
			      struct netlink_ext_ack *extack)
{
	struct esptun_dev *tun = netdev_priv(dev);
	struct esptun_addr local, remote;
	int err;

	if (!esptun_compat_link_capable(dev, tun->net)) {
		NL_SET_ERR_MSG(extack, "CAP_NET_ADMIN is needed in the underlay's netns as well");
		return -EPERM;
	}
	if (!data)
		return 0;
	if (data[IFLA_ESPTUN_EXTERNAL] && !!nla_get_u8(data[IFLA_ESPTUN_EXTERNAL]) != tun->external)
		return esptun_link_refuse(extack, data[IFLA_ESPTUN_EXTERNAL],
					  "external: only when the device is made");
	/* All or nothing: what is refused must not have changed anything before. */
	esptun_link_ends(tun, data, &local, &remote);
	if (tun->external && remote.family)
		return esptun_link_refuse(extack, NULL,
					  "remote: an external device has none of its own");
	err = esptun_link_check(tun, data, &local, &remote, extack);
	if (err)
		return err;
	err = esptun_device_rebind(tun, &local, &remote);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(extack, "local, remote: the device has SAs, delete them first");
	if (err)
		return err;
	if (tun->external) {
		esptun_link_apply_external(tun, data);
	} else {
		esptun_link_apply(tun, data);
		esptun_device_mtu_later(tun);
	}
	netdev_state_change(dev);
	return 0;
}

static size_t esptun_link_size(const struct net_device *dev)
{
	return 2 * nla_total_size(sizeof(u32)) + 2 * nla_total_size(sizeof(struct in6_addr)) +
	       6 * nla_total_size(sizeof(u8));
}

static int esptun_link_fill_ends(struct sk_buff *skb, const struct esptun_dev *tun)
{
	if (tun->external)
		return 0;
	if (tun->remote.family == AF_INET6)
		return nla_put_in6_addr(skb, IFLA_ESPTUN_LOCAL6, &tun->local.v6) ||
		       nla_put_in6_addr(skb, IFLA_ESPTUN_REMOTE6, &tun->remote.v6);
	return nla_put_in_addr(skb, IFLA_ESPTUN_LOCAL4, tun->local.v4) ||
	       nla_put_in_addr(skb, IFLA_ESPTUN_REMOTE4, tun->remote.v4);
}

static int esptun_link_fill(struct sk_buff *skb, const struct net_device *dev)
{
	const struct esptun_dev *tun = netdev_priv(dev);

	if (esptun_link_fill_ends(skb, tun) ||
	    nla_put_u32(skb, IFLA_ESPTUN_LINK, tun->link) ||
	    nla_put_u8(skb, IFLA_ESPTUN_TTL, tun->ttl) ||
	    nla_put_u8(skb, IFLA_ESPTUN_TOS, tun->tos) ||
	    nla_put_u8(skb, IFLA_ESPTUN_PMTUDISC, tun->pmtudisc) ||
	    nla_put_u32(skb, IFLA_ESPTUN_FWMARK, tun->fwmark) ||
	    nla_put_u8(skb, IFLA_ESPTUN_KEEP_CARRIER, tun->keep_carrier) ||
	    nla_put_u8(skb, IFLA_ESPTUN_MSS_CLAMP, tun->mss_clamp) ||
	    nla_put_u8(skb, IFLA_ESPTUN_EXTERNAL, tun->external))
		return -EMSGSIZE;
	return 0;
}

static struct net *esptun_link_net(const struct net_device *dev)
{
	const struct esptun_dev *tun = netdev_priv(dev);

	return tun->net;
}

struct rtnl_link_ops esptun_link_ops __read_mostly = {
	.kind = "esptun",
	.maxtype = IFLA_ESPTUN_MAX,
	.policy = esptun_link_policy,
	.priv_size = sizeof(struct esptun_dev),
	.setup = esptun_link_setup,
	.validate = esptun_link_validate,
	.newlink = esptun_link_new,
	.changelink = esptun_link_change,
	.get_size = esptun_link_size,
	.fill_info = esptun_link_fill,
	.get_link_net = esptun_link_net,
};
