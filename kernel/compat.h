/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only file that knows kernels apart. Forced into every source file before
 * anything else. What Kbuild found in the headers comes in as ESPTUN_HAVE_*; newest
 * kernels first, each block names what changed. Nothing else in the module tests for
 * kernel features.
 */
#ifndef _ESPTUN_COMPAT_H
#define _ESPTUN_COMPAT_H

#include <linux/version.h>
#include <linux/types.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/crypto.h>
#include <linux/u64_stats_sync.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>

/* 7.x: IPv6 is never a module, its functions are called without a table of stubs. */
#ifdef ESPTUN_HAVE_IPV6_STUB
#include <net/ipv6_stubs.h>
#endif

static inline struct dst_entry *esptun_compat_dst6(struct net *net, struct flowi6 *fl6)
{
#ifdef ESPTUN_HAVE_IPV6_STUB
	return ipv6_stub->ipv6_dst_lookup_flow(net, NULL, fl6, NULL);
#else
	return ip6_dst_lookup_flow(net, NULL, fl6, NULL);
#endif
}

/* 6.15: merging received packets got a header of its own. */
#ifdef ESPTUN_HAVE_GRO_FLUSH_H
#include <net/gro.h>
#endif

/* 7.x: UDP tunnels are set up by struct sock, and bind() takes an address of no fixed size. */
#ifdef ESPTUN_HAVE_UDP_TUNNEL_SK
#define esptun_compat_udp_setup(net, sock, cfg) setup_udp_tunnel_sock(net, (sock)->sk, cfg)
#define esptun_compat_udp_release(sock) udp_tunnel_sock_release((sock)->sk)
#else
#define esptun_compat_udp_setup(net, sock, cfg) setup_udp_tunnel_sock(net, sock, cfg)
#define esptun_compat_udp_release(sock) udp_tunnel_sock_release(sock)
#endif

#ifdef ESPTUN_HAVE_SOCKADDR_UNSIZED
#define esptun_compat_bind(sock, name, len) \
	kernel_bind(sock, (struct sockaddr_unsized *)(name), len)
#else
#define esptun_compat_bind(sock, name, len) kernel_bind(sock, (struct sockaddr *)(name), len)
#endif

/*
 * 6.15: a new link's parameters come in a structure. Declares the function @name(@net, @dev,
 * @tb, @data, @extack), @net being the one that the link sends through.
 */
#ifdef ESPTUN_HAVE_NEWLINK_PARAMS
#define ESPTUN_NEWLINK(name, net, dev, tb, data, extack) \
static int name##_to(struct net *net, struct net_device *dev, struct nlattr *tb[], \
		     struct nlattr *data[], struct netlink_ext_ack *extack); \
static int name(struct net_device *dev, struct rtnl_newlink_params *p, \
		struct netlink_ext_ack *extack) \
{ \
	return name##_to(rtnl_newlink_link_net(p), dev, p->tb, p->data, extack); \
} \
static int name##_to(struct net *net, struct net_device *dev, struct nlattr *tb[], \
		     struct nlattr *data[], struct netlink_ext_ack *extack)
#else
#define ESPTUN_NEWLINK(name, net, dev, tb, data, extack) \
static int name(struct net *net, struct net_device *dev, struct nlattr *tb[], \
		struct nlattr *data[], struct netlink_ext_ack *extack)
#endif

/* 6.12: lockless transmit is a bit of the device, no longer a feature. */
static inline void esptun_compat_lltx(struct net_device *dev)
{
#ifdef ESPTUN_HAVE_DEV_LLTX
	dev->lltx = true;
#else
	dev->features |= NETIF_F_LLTX;
#endif
}

/* 6.5: the GSO functions got a header of their own. */
#ifdef ESPTUN_HAVE_GSO_H
#include <net/gso.h>
#endif

/*
 * 6.3: crypto completion callbacks get their data, no longer the request. Declares
 * the callback @name(@data, @err).
 */
#ifdef ESPTUN_HAVE_CRYPTO_CB_DATA
#define ESPTUN_CRYPTO_CB(name, data, err) void name(void *data, int err)
#define esptun_crypto_cb_data(data) (data)
#else
#define ESPTUN_CRYPTO_CB(name, data, err) \
	void name(struct crypto_async_request *data, int err)
#define esptun_crypto_cb_data(areq) ((areq)->data)
#endif

/* Changing a link that lies in another netns needs CAP_NET_ADMIN there, too. */
static inline bool esptun_compat_link_capable(const struct net_device *dev, struct net *net)
{
#ifdef ESPTUN_HAVE_LINK_NET_CAPABLE
	return rtnl_dev_link_net_capable(dev, net);
#else
	return net_eq(dev_net(dev), net) || ns_capable(net->user_ns, CAP_NET_ADMIN);
#endif
}

/* 6.1: operations from here on are parsed strictly. Older kernels do so by validate = 0. */
#ifdef ESPTUN_HAVE_RESV_START_OP
#define ESPTUN_RESV_START_OP(op) .resv_start_op = (op),
#else
#define ESPTUN_RESV_START_OP(op)
#endif

/* 6.0: a 64-bit statistic can be set. */
#ifndef ESPTUN_HAVE_U64_STATS_SET
static inline void u64_stats_set(u64_stats_t *p, u64 val)
{
#if BITS_PER_LONG == 64
	local64_set(&p->v, val);
#else
	p->v = val;
#endif
}
#endif

/* 6.10: a device that is never registered is allocated, no longer embedded. */
static inline struct net_device *esptun_compat_alloc_dummy(void)
{
#ifdef ESPTUN_HAVE_ALLOC_DUMMY
	return alloc_netdev_dummy(0);
#else
	struct net_device *dev = kzalloc(sizeof(*dev), GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
#endif
}

static inline void esptun_compat_free_dummy(struct net_device *dev)
{
#ifdef ESPTUN_HAVE_ALLOC_DUMMY
	free_netdev(dev);
#else
	kfree(dev);
#endif
}

/* 6.9: what many packets read lies together. */
#ifdef ESPTUN_HAVE_HOTDATA_BACKLOG
#include <net/hotdata.h>
#define esptun_compat_max_backlog() READ_ONCE(net_hotdata.max_backlog)
#else
#define esptun_compat_max_backlog() READ_ONCE(netdev_max_backlog)
#endif

/* 6.9: the state of registration is a byte of its own and can be read while it changes. */
static inline bool esptun_compat_registered(const struct net_device *dev)
{
#ifdef ESPTUN_HAVE_REG_STATE_BITS
	return dev->reg_state == NETREG_REGISTERED;
#else
	return READ_ONCE(dev->reg_state) == NETREG_REGISTERED;
#endif
}

/* 5.11: dev_get_tstats64() for every device that has tstats. */
#ifdef ESPTUN_HAVE_TSTATS64
#define esptun_compat_tstats64 dev_get_tstats64
#else
static inline void esptun_compat_tstats64(struct net_device *dev, struct rtnl_link_stats64 *s)
{
	netdev_stats_to_stats64(s, &dev->stats);
	dev_fetch_sw_netstats(s, dev->tstats);
}
#endif

/* 5.11 */
#ifndef ESPTUN_HAVE_TSTATS_TX_ADD
static inline void dev_sw_netstats_tx_add(struct net_device *dev, unsigned int packets,
					  unsigned int len)
{
	struct pcpu_sw_netstats *tstats = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&tstats->syncp);
	tstats->tx_bytes += len;
	tstats->tx_packets += packets;
	u64_stats_update_end(&tstats->syncp);
}
#endif

/* 6.10: a tracepoint's string is assigned from what its field was declared with. */
#ifdef ESPTUN_HAVE_ASSIGN_STR_1
#define esptun_trace_str(dst, src) __assign_str(dst)
#else
#define esptun_trace_str(dst, src) __assign_str(dst, src)
#endif

/* 6.10: what a tunnel key has is a bitmap. */
static inline void esptun_compat_tunnel_key(struct ip_tunnel_key *key)
{
#ifdef ESPTUN_HAVE_TUNNEL_FLAG_BITS
	__set_bit(IP_TUNNEL_KEY_BIT, key->tun_flags);
#else
	key->tun_flags = TUNNEL_KEY;
#endif
}

#ifndef ESPTUN_HAVE_GSO_RESET
static inline void skb_gso_reset(struct sk_buff *skb)
{
	skb_shinfo(skb)->gso_size = 0;
	skb_shinfo(skb)->gso_segs = 0;
	skb_shinfo(skb)->gso_type = 0;
}
#endif

#ifndef ESPTUN_HAVE_INET_MAY_PULL
static inline bool pskb_inet_may_pull(struct sk_buff *skb)
{
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return pskb_network_may_pull(skb, sizeof(struct iphdr));
	case htons(ETH_P_IPV6):
		return pskb_network_may_pull(skb, sizeof(struct ipv6hdr));
	}
	return true;
}
#endif

/*
 * 6.4, backported far: the queue that a device has when it is active is marked as RCU's. For
 * holders of RTNL.
 */
static inline struct Qdisc *esptun_compat_qdisc_sleeping(const struct netdev_queue *txq)
{
	return (__force struct Qdisc *)READ_ONCE(txq->qdisc_sleeping);
}

/* 6.1: the weight of a NAPI is not the driver's choice any more. */
static inline void esptun_compat_napi_add(struct net_device *dev, struct napi_struct *napi,
					  int (*poll)(struct napi_struct *, int))
{
#ifdef ESPTUN_HAVE_NAPI_ADD_WEIGHT
	netif_napi_add(dev, napi, poll);
#else
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT);
#endif
}

/*
 * A linear packet with room for @size octets, for one that is sent at once; with BH off.
 * 5.13: buffers that a CPU has in stock.
 */
static inline struct sk_buff *esptun_compat_alloc_skb(unsigned int size)
{
#ifdef SKB_ALLOC_NAPI
	return __alloc_skb(size, GFP_ATOMIC | __GFP_NOWARN, SKB_ALLOC_NAPI, NUMA_NO_NODE);
#else
	return alloc_skb(size, GFP_ATOMIC | __GFP_NOWARN);
#endif
}

/* 5.12: UDP packets that pass through are merged, too, where the administrator says so. */
#ifdef NETIF_F_GRO_UDP_FWD
#define ESPTUN_GRO_UDP_FEATURES (NETIF_F_GRO_FRAGLIST | NETIF_F_GRO_UDP_FWD)
#else
#define ESPTUN_GRO_UDP_FEATURES NETIF_F_GRO_FRAGLIST
#endif

/* 6.0, backported far: a dropped packet is freed with a reason out of a fixed list. */
#ifdef ESPTUN_HAVE_DROP_REASON
typedef enum skb_drop_reason esptun_skb_reason_t;
#define ESPTUN_SKB_REASON(name) SKB_DROP_REASON_##name
#define esptun_compat_free(skb, reason) kfree_skb_reason(skb, reason)
#else
typedef u8 esptun_skb_reason_t;
#define ESPTUN_SKB_REASON(name) 0
#define esptun_compat_free(skb, reason) do { (void)(reason); kfree_skb(skb); } while (0)
#endif

/* 5.19: the segment kinds that need no help from below; older sets lack UDP_L4. */
#define ESPTUN_GSO_FEATURES (NETIF_F_GSO_SOFTWARE | NETIF_F_GSO_UDP_L4)

/*
 * Multicast groups that only CAP_NET_ADMIN may join came with 5.11 and an update of 5.10; 6.7,
 * backported to some, gave the flag a name and a number of its own.
 */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN GENL_UNS_ADMIN_PERM
#endif

/* A kernel built without IPv6 has none of this; nobody gets here then. */
#if IS_ENABLED(CONFIG_IPV6)
#define esptun_compat_dst_cache_get6 dst_cache_get_ip6
#define esptun_compat_dst_cache_set6 dst_cache_set_ip6
#define esptun_compat_chk_addr6(net, addr) ipv6_chk_addr(net, addr, NULL, 0)
#define esptun_compat_flow_labels(net) READ_ONCE((net)->ipv6.sysctl.auto_flowlabels)
/* 7.x exports it to nobody: an ESP packet that is not ours stays with the socket. */
#ifdef ESPTUN_HAVE_IPV6_STUB
#define esptun_compat_xfrm6_udp_encap_rcv(sk, skb) ipv6_stub->xfrm6_udp_encap_rcv(sk, skb)
#else
#define esptun_compat_xfrm6_udp_encap_rcv(sk, skb) 1
#endif
#else
#define esptun_compat_dst_cache_get6(cache, saddr) ((struct dst_entry *)NULL)
#define esptun_compat_dst_cache_set6(cache, dst, saddr) do { } while (0)
#define esptun_compat_chk_addr6(net, addr) false
#define esptun_compat_flow_labels(net) 0
#define esptun_compat_xfrm6_udp_encap_rcv(sk, skb) 1
#endif

#endif /* _ESPTUN_COMPAT_H */
