// SPDX-License-Identifier: GPL-2.0
/*
 * Outer route and header, see outer.h. Never looks into the packet it carries: what
 * depends on the inner header comes in the packet's cb.
 */
#include "outer.h"
#include "esp.h"
#include <net/dst_cache.h>
#include <net/inet_common.h>
#include <net/inet_ecn.h>
#include <net/ip6_checksum.h>
#include <net/lwtunnel.h>
#include <net/route.h>

/* How long a path MTU from ICMP is believed (RFC 1191 6.3: not less than 10 minutes). */
#define ESPTUN_PMTU_TIME (10 * 60 * HZ)

/* No route is cached, or it is not valid any more. */
static int esptun_outer_route4(struct esptun_dev *tun, struct esptun_path *path,
			       struct esptun_route *route)
{
	struct flowi4 fl4 = { };
	struct rtable *rt;

	fl4.flowi4_oif = READ_ONCE(tun->link);
	fl4.flowi4_mark = READ_ONCE(tun->fwmark);
	fl4.flowi4_proto = path->port ? IPPROTO_UDP : IPPROTO_ESP;
	fl4.fl4_dport = path->port;
	fl4.daddr = path->remote.v4;
	fl4.saddr = path->local.v4;
	rt = ip_route_output_key(tun->net, &fl4);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	route->dst = &rt->dst;
	route->source.v4 = fl4.saddr;
	dst_cache_set_ip4(&path->route, route->dst, fl4.saddr);
	return 0;
}

static int esptun_outer_route6(struct esptun_dev *tun, struct esptun_path *path,
			       struct esptun_route *route)
{
	struct flowi6 fl6 = { };
	struct dst_entry *dst;

	fl6.flowi6_oif = READ_ONCE(tun->link);
	fl6.flowi6_mark = READ_ONCE(tun->fwmark);
	fl6.flowi6_proto = path->port ? IPPROTO_UDP : IPPROTO_ESP;
	fl6.fl6_dport = path->port;
	fl6.daddr = path->remote.v6;
	fl6.saddr = path->local.v6;
	/* IPv4 refuses a source that is not ours by itself, IPv6 would just use it. */
	if (!esptun_addr_any(&path->local) &&
	    !esptun_compat_chk_addr6(tun->net, &path->local.v6))
		return -EADDRNOTAVAIL;
	dst = esptun_compat_dst6(tun->net, &fl6);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	route->dst = dst;
	route->source.v6 = fl6.saddr;
	esptun_compat_dst_cache_set6(&path->route, dst, &fl6.saddr);
	return 0;
}

int esptun_outer_route(struct esptun_dev *tun, struct esptun_route *route)
{
	struct esptun_path *path = rcu_dereference(tun->path);
	struct rtable *rt;

	route->path = path;
	if (likely(path->remote.family == AF_INET)) {
		rt = dst_cache_get_ip4(&path->route, &route->source.v4);
		if (unlikely(!rt))
			return esptun_outer_route4(tun, path, route);
		route->dst = &rt->dst;
		return 0;
	}
	route->dst = esptun_compat_dst_cache_get6(&path->route, &route->source.v6);
	return likely(route->dst) ? 0 : esptun_outer_route6(tun, path, route);
}

/*
 * What the administrator's route and the link take in one piece. What IPv4 has put into the
 * route besides, an exception, comes from ICMP messages that nobody has verified: one that
 * quotes any UDP or ICMP packet to the peer is enough. IPv6 is less credulous and never goes
 * below 1280; it fragments by what the route says, so that has to be kept to.
 */
static u32 esptun_outer_route_mtu(const struct esptun_route *route)
{
	const struct dst_entry *dst = route->dst;
	u32 mtu;

	if (unlikely(route->path->remote.family != AF_INET))
		return dst_mtu(dst);
	mtu = dst_metric_raw(dst, RTAX_MTU) ? : READ_ONCE(dst->dev->mtu);
	return min_t(u32, mtu, IP_MAX_MTU) - lwtunnel_headroom(dst->lwtstate, mtu);
}

u32 esptun_outer_mtu(const struct esptun_dev *tun, const struct esptun_route *route)
{
	u32 mtu = esptun_outer_route_mtu(route);
	u32 learned = READ_ONCE(tun->pmtu);

	if (unlikely(learned) && learned < mtu &&
	    time_before(jiffies, READ_ONCE(tun->pmtu_expires)))
		return learned;
	return mtu;
}

void esptun_outer_learn(struct esptun_dev *tun, u32 mtu, u32 least)
{
	u32 known = READ_ONCE(tun->pmtu);

	mtu = max(mtu, least);
	/* Larger than what is known is no news, unless that has run out. */
	if (known && known < mtu && time_before(jiffies, READ_ONCE(tun->pmtu_expires)))
		return;
	WRITE_ONCE(tun->pmtu_expires, jiffies + ESPTUN_PMTU_TIME);
	WRITE_ONCE(tun->pmtu, mtu);
	esptun_device_mtu_later(tun);
}

int esptun_outer_prober_init(struct esptun_net *en)
{
	int err;

	if (en->prober)
		return 0;
	/* Like the ICMP layer's own: found by no packet, and does not keep the namespace alive. */
	err = inet_ctl_sock_create(&en->prober, AF_INET, SOCK_RAW, IPPROTO_RAW, en->net);
	if (err)
		return err;
	ip_sock_set_mtu_discover(en->prober, IP_PMTUDISC_PROBE);
	return 0;
}

void esptun_outer_prober_exit(struct esptun_net *en)
{
	if (en->prober)
		inet_ctl_sock_destroy(en->prober);
}

unsigned int esptun_outer_headroom(const struct esptun_route *route)
{
	return LL_RESERVED_SPACE(route->dst->dev) + esptun_outer_header(route->path, route->path->port) +
	       ESPTUN_ESP_HEADER + ESPTUN_MAX_IV + ESPTUN_ESN_SHIFT;
}

static void esptun_outer_header4(struct sk_buff *skb, const struct esptun_route *route, u8 proto)
{
	const struct esptun_cb *cb = esptun_cb(skb);
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = cb->tos;
	iph->frag_off = cb->df;
	iph->ttl = cb->ttl;
	iph->protocol = proto;
	iph->saddr = route->source.v4;
	iph->daddr = route->path->remote.v4;
}

/* One flow label for an SA, so that it stays on one of several ways (RFC 6437, RFC 6438). */
static __be32 esptun_outer_label(const struct net *net, const struct esptun_sa *sa)
{
	return esptun_compat_flow_labels(net) ? htonl(sa->hash) & IPV6_FLOWLABEL_MASK : 0;
}

static void esptun_outer_header6(struct sk_buff *skb, const struct net *net,
				 const struct esptun_route *route, u8 proto)
{
	const struct esptun_cb *cb = esptun_cb(skb);
	struct ipv6hdr *ip6 = skb_push(skb, sizeof(*ip6));

	skb_reset_network_header(skb);
	ip6_flow_hdr(ip6, cb->tos, esptun_outer_label(net, cb->sa));
	ip6->nexthdr = proto;
	ip6->hop_limit = cb->ttl;
	ip6->saddr = route->source.v6;
	ip6->daddr = route->path->remote.v6;
	/* There is no DF: what may be fragmented is so here, or nowhere. */
	skb->ignore_df = !cb->df;
}

/*
 * The UDP header (RFC 3948 2.1). A checksum would only repeat what the ICV does better;
 * IPv6 wants one all the same.
 */
static void esptun_outer_udp(struct sk_buff *skb, const struct esptun_route *route)
{
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = esptun_cb(skb)->sa->encap_port;
	uh->dest = route->path->port;
	uh->len = htons(skb->len);
	uh->check = 0;
	if (route->path->remote.family == AF_INET6)
		udp6_set_csum(false, skb, &route->source.v6, &route->path->remote.v6, skb->len);
}

/*
 * In whose name an IPv4 packet leaves. A route with an exception would refuse a packet that
 * has DF and fits the path as we know it; a socket that probes the path itself is let through.
 */
static struct sock *esptun_outer_sock(const struct esptun_dev *tun, __be16 df,
				      const struct dst_entry *dst)
{
	const struct rtable *rt = container_of(dst, struct rtable, dst);

	if (likely(!rt->rt_pmtu) || !df)
		return NULL;
	return esptun_net_get(tun->net)->prober;
}

int esptun_outer_send(struct esptun_dev *tun, struct sk_buff *skb,
		      const struct esptun_route *route, bool borrowed)
{
	u32 mark = READ_ONCE(tun->fwmark);
	struct esptun_cb *cb = esptun_cb(skb);
	u8 proto = IPPROTO_ESP;
	struct sock *sk;
	int err;

	skb_scrub_packet(skb, !net_eq(tun->net, dev_net(tun->dev)));
	if (mark)
		skb->mark = mark;
	if (!skb->hash)
		__skb_set_sw_hash(skb, cb->sa->hash, false);
	skb->encapsulation = 0;
	if (cb->sa->encap) {
		esptun_outer_udp(skb, route);
		proto = IPPROTO_UDP;
	} else {
		skb_reset_transport_header(skb);
	}
	if (borrowed)
		skb_dst_set_noref(skb, route->dst);
	else
		skb_dst_set(skb, dst_clone(route->dst));
	/* The cb is the IP layer's once the header has been written. */
	if (likely(route->path->remote.family == AF_INET)) {
		sk = esptun_outer_sock(tun, cb->df, route->dst);
		esptun_outer_header4(skb, route, proto);
		memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
		ip_select_ident(tun->net, skb, NULL);
		err = ip_local_out(tun->net, sk, skb);
		return net_xmit_eval(err);
	}
	esptun_outer_header6(skb, tun->net, route, proto);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	err = ip6_local_out(tun->net, NULL, skb);
	return net_xmit_eval(err);
}
