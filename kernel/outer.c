// SPDX-License-Identifier: GPL-2.0
/*
 * Outer route and header, see outer.h. Never looks into the packet it carries: what
 * depends on the inner header comes in the packet's cb.
 */
#include "outer.h"
#include "esp.h"
#include <net/dst_cache.h>
#include <net/inet_ecn.h>

/* How long a path MTU from ICMP is believed (RFC 1191 6.3: not less than 10 minutes). */
#define ESPTUN_PMTU_TIME (10 * 60 * HZ)

int esptun_outer_route(struct esptun_dev *tun, struct esptun_route *route)
{
	struct flowi4 fl4 = { };

	route->rt = dst_cache_get_ip4(&tun->route, &route->saddr);
	if (likely(route->rt))
		return 0;
	fl4.flowi4_oif = READ_ONCE(tun->link);
	fl4.flowi4_mark = READ_ONCE(tun->fwmark);
	fl4.flowi4_proto = IPPROTO_ESP;
	fl4.daddr = READ_ONCE(tun->remote);
	fl4.saddr = READ_ONCE(tun->local);
	route->rt = ip_route_output_key(tun->net, &fl4);
	if (IS_ERR(route->rt))
		return PTR_ERR(route->rt);
	route->saddr = fl4.saddr;
	dst_cache_set_ip4(&tun->route, &route->rt->dst, fl4.saddr);
	return 0;
}

u32 esptun_outer_mtu(const struct esptun_dev *tun, const struct rtable *rt)
{
	u32 learned = READ_ONCE(tun->pmtu);
	u32 mtu = dst_mtu(&rt->dst);

	if (unlikely(learned) && learned < mtu &&
	    time_before(jiffies, READ_ONCE(tun->pmtu_expires)))
		return learned;
	return mtu;
}

void esptun_outer_learn(struct esptun_dev *tun, u32 mtu)
{
	u32 known = READ_ONCE(tun->pmtu);

	mtu = max_t(u32, mtu, ESPTUN_MIN_PATH_MTU);
	/* Larger than what is known is no news, unless that has run out. */
	if (known && known < mtu && time_before(jiffies, READ_ONCE(tun->pmtu_expires)))
		return;
	WRITE_ONCE(tun->pmtu_expires, jiffies + ESPTUN_PMTU_TIME);
	WRITE_ONCE(tun->pmtu, mtu);
	esptun_device_mtu_later(tun);
}

unsigned int esptun_outer_headroom(const struct rtable *rt)
{
	return LL_RESERVED_SPACE(rt->dst.dev) + sizeof(struct iphdr) + ESPTUN_ESP_HEADER +
	       ESPTUN_MAX_IV + ESPTUN_ESN_SHIFT;
}

int esptun_outer_send(struct esptun_dev *tun, struct sk_buff *skb, struct rtable *rt,
		      bool borrowed)
{
	u32 mark = READ_ONCE(tun->fwmark);
	struct esptun_cb *cb = esptun_cb(skb);
	struct iphdr *iph;
	int err;

	skb_scrub_packet(skb, !net_eq(tun->net, dev_net(tun->dev)));
	if (mark)
		skb->mark = mark;
	if (!skb->hash)
		__skb_set_sw_hash(skb, cb->sa->hash, false);
	skb->encapsulation = 0;
	iph = skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, sizeof(*iph));
	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = cb->tos;
	iph->frag_off = cb->df;
	iph->ttl = cb->ttl;
	iph->protocol = IPPROTO_ESP;
	iph->saddr = cb->saddr;
	iph->daddr = READ_ONCE(tun->remote);
	if (borrowed)
		skb_dst_set_noref(skb, &rt->dst);
	else
		skb_dst_set(skb, dst_clone(&rt->dst));
	/* The cb is the IP layer's from here. */
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	ip_select_ident(tun->net, skb, NULL);
	err = ip_local_out(tun->net, NULL, skb);
	return net_xmit_eval(err);
}
