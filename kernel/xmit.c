// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that enter the tunnel: is it one, is there an SA, a route, does it fit; then
 * segments, sequence numbers, and on to esp_out.c. No lock, and no allocation but for
 * segmentation.
 */
#include "xmit.h"
#include "device.h"
#include "esp.h"
#include "mss.h"
#include "netlink.h"
#include "outer.h"
#include "policy.h"
#include "sadb.h"
#include "segment.h"
#include <linux/icmpv6.h>
#include <net/icmp.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>

/**
 * struct esptun_inner - what the outer header needs to know of the inner one
 * @tos: DSCP and ECN
 * @ttl: TTL or hop limit
 * @df: must not be fragmented: IPv4 with DF, IPv6
 * @v6: IPv6
 * @esp: is an ESP packet itself: a tunnel in this tunnel
 */
struct esptun_inner {
	u8 tos;
	u8 ttl;
	bool df;
	bool v6;
	bool esp;
};

/* The tunnels that a packet is in on this CPU, innermost first: a chain on the stack. */
struct esptun_nesting {
	const struct esptun_dev *tun;
	struct esptun_nesting *outer;
};

static DEFINE_PER_CPU(struct esptun_nesting *, esptun_xmit_nesting);

/* More tunnels within tunnels than anybody means to have. */
#define ESPTUN_MAX_NESTING 4

static void esptun_xmit_refuse(struct esptun_dev *tun, struct esptun_sa *sa, struct sk_buff *skb,
			       enum esptun_drop reason)
{
	struct esptun_drop_info info = { .reason = reason, .sa = sa };

	esptun_stats_drop(tun, skb, &info);
}

void esptun_xmit_drop(struct sk_buff *skb, enum esptun_drop reason)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_drop_info info = { .reason = reason, .sa = cb->sa, .seq = cb->seq };

	esptun_stats_drop(cb->sa->tun, skb, &info);
}

static __always_inline bool esptun_xmit_inner4(const struct sk_buff *skb,
					       struct esptun_inner *inner)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->version != 4 || iph->ihl < 5 || iph->ihl * 4 > skb->len)
		return false;
	if (!skb_is_gso(skb) && ntohs(iph->tot_len) > skb->len)
		return false;
	inner->tos = iph->tos;
	inner->ttl = iph->ttl;
	inner->df = iph->frag_off & htons(IP_DF);
	inner->v6 = false;
	inner->esp = iph->protocol == IPPROTO_ESP;
	return true;
}

static __always_inline bool esptun_xmit_inner6(const struct sk_buff *skb,
					       struct esptun_inner *inner)
{
	const struct ipv6hdr *ip6 = ipv6_hdr(skb);

	if (ip6->version != 6)
		return false;
	if (!skb_is_gso(skb) && ntohs(ip6->payload_len) + sizeof(*ip6) > skb->len)
		return false;
	inner->tos = ipv6_get_dsfield(ip6);
	inner->ttl = ip6->hop_limit;
	inner->df = true;
	inner->v6 = true;
	inner->esp = ip6->nexthdr == IPPROTO_ESP;
	return true;
}

static __always_inline bool esptun_xmit_inner(struct sk_buff *skb, struct esptun_inner *inner)
{
	if (skb_network_offset(skb) || !pskb_inet_may_pull(skb))
		return false;
	switch (skb->protocol) {
	case htons(ETH_P_IP):
		return esptun_xmit_inner4(skb, inner);
	case htons(ETH_P_IPV6):
		return esptun_xmit_inner6(skb, inner);
	}
	return false;
}

static void esptun_xmit_bad_inner(struct esptun_dev *tun, struct sk_buff *skb)
{
	struct esptun_drop_info info = { .reason = ESPTUN_DROP_TX_BAD_INNER };

	if (skb->protocol != htons(ETH_P_IP) && skb->protocol != htons(ETH_P_IPV6)) {
		info.reason = ESPTUN_DROP_TX_NOT_IP;
		info.protocol = ntohs(skb->protocol);
	}
	esptun_stats_drop(tun, skb, &info);
}

/*
 * An ESP packet that is to be carried in ESP. One that this tunnel has made has come back
 * to it. Others may be on a way that leads through several tunnels and machines for ever;
 * the TTL that ends it must therefore go down here as in a router, and go on outside.
 */
static bool esptun_xmit_loops(struct esptun_dev *tun, const struct sk_buff *skb,
			      const struct esptun_inner *inner)
{
	const struct esptun_sa *sa;
	struct esptun_addr dest;
	__be32 buffer, *spi;

	if (inner->ttl <= 1)
		return true;
	spi = skb_header_pointer(skb, inner->v6 ? sizeof(struct ipv6hdr) : ip_hdrlen(skb),
				 sizeof(buffer), &buffer);
	if (!spi)
		return false;
	esptun_addr_of_packet(skb_network_header(skb), NULL, &dest);
	sa = esptun_sadb_out(esptun_net_get(tun->net), *spi, &dest);
	return sa && sa->tun == tun;
}

static u8 esptun_xmit_ttl(const struct esptun_dev *tun, const struct esptun_inner *inner)
{
	u8 ttl = READ_ONCE(tun->ttl) ? : inner->ttl;

	return unlikely(inner->esp) ? min_t(u8, ttl, inner->ttl - 1) : ttl;
}

static bool esptun_xmit_too_big(const struct sk_buff *skb, u32 mtu)
{
	if (skb_is_gso(skb))
		return !skb_gso_validate_network_len(skb, mtu);
	return skb->len > mtu;
}

/*
 * Does the packet fit into the path, which has @room octets behind the outer header? Sets
 * the outer DF. False: it does not and must not be fragmented, the sender has been told.
 * What may be fragmented is, by the outer header.
 */
static bool esptun_xmit_fits(struct esptun_dev *tun, const struct esptun_sa *sa,
			     struct sk_buff *skb, const struct esptun_inner *inner, int room,
			     __be16 *df)
{
	int mtu = esptun_crypto_room(&sa->crypto, room);
	bool discover = READ_ONCE(tun->pmtudisc);

	*df = discover || (inner->df && !inner->v6) ? htons(IP_DF) : 0;
	if (likely(!esptun_xmit_too_big(skb, max(mtu, 0))))
		return true;
	*df = 0;
	/* Fragments, too, are of a packet whose length has to fit into 16 bits. */
	if (!inner->df || (inner->v6 && !discover))
		return !esptun_xmit_too_big(skb, tun->dev->max_mtu);
	if (inner->v6) {
		/* IPv6 counts on 1280 octets: those pass, in outer fragments if need be. */
		mtu = max(mtu, IPV6_MIN_MTU);
		if (!esptun_xmit_too_big(skb, mtu))
			return true;
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	} else {
		mtu = max(mtu, IPV4_MIN_MTU);
		skb_dst_update_pmtu_no_confirm(skb, mtu);
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	}
	return false;
}

/* The SA to send with where there is not just one, or the reason why there is none. */
static noinline struct esptun_sa *esptun_xmit_choose(struct esptun_dev *tun, struct esptun_sa *sa,
						     struct sk_buff *skb)
{
	struct esptun_flow flow;
	bool read = esptun_policy_flow(skb, true, &flow);

	if (!sa)
		sa = esptun_policy_out(tun, &flow);
	if (sa && READ_ONCE(sa->state) != ESPTUN_SA_STATE_EXPIRED)
		return sa;
	esptun_nl_acquire(tun, 0, read ? &flow : NULL);
	if (!sa)
		esptun_xmit_refuse(tun, NULL, skb, list_empty(&tun->outs) ?
				   ESPTUN_DROP_TX_NO_SA : ESPTUN_DROP_TX_NO_SELECTOR);
	else if (READ_ONCE(sa->seq) >= sa->seq_limit)
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_SEQ_EXHAUSTED);
	else
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_EXPIRED);
	return NULL;
}

/* One that has been replaced since the pointer was read is as good. */
static __always_inline struct esptun_sa *esptun_xmit_sa(struct esptun_dev *tun, struct sk_buff *skb)
{
	struct esptun_sa *sa = rcu_dereference(tun->out);

	if (likely(sa && READ_ONCE(sa->state) != ESPTUN_SA_STATE_EXPIRED))
		return sa;
	return esptun_xmit_choose(tun, sa, skb);
}

/* Into packets that fit, with checksums; the original is consumed. NULL: dropped. */
static struct sk_buff *esptun_xmit_segment(struct esptun_dev *tun, struct esptun_sa *sa,
					   struct sk_buff *skb)
{
	struct sk_buff *segs;

	if (!skb_is_gso(skb)) {
		skb_mark_not_on_list(skb);
		return skb;
	}
	segs = skb_gso_segment(skb, 0);
	if (IS_ERR_OR_NULL(segs)) {
		esptun_xmit_refuse(tun, sa, skb, PTR_ERR(segs) == -ENOMEM ?
				   ESPTUN_DROP_TX_NO_MEMORY : ESPTUN_DROP_TX_BAD_INNER);
		return NULL;
	}
	consume_skb(skb);
	return segs;
}

static void esptun_xmit_drop_list(struct esptun_dev *tun, struct esptun_sa *sa,
				  struct sk_buff *segs, enum esptun_drop reason)
{
	struct sk_buff *skb, *next;

	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		esptun_xmit_refuse(tun, sa, skb, reason);
	}
}

/* The next sequence number. False: there is none, with the reason. */
static bool esptun_xmit_number(struct esptun_sa *sa, u64 *seq, enum esptun_drop *why)
{
	if (likely(esptun_seq_take(&sa->seq, sa->seq_limit, 1, seq))) {
		if (unlikely(*seq > sa->seq_limit - ESPTUN_SEQ_SOFT))
			esptun_sa_soft(sa);
		return true;
	}
	/* Closed: the SA was deleted while we looked at it. */
	if (READ_ONCE(sa->seq) == ESPTUN_SEQ_CLOSED) {
		*why = ESPTUN_DROP_TX_NO_SA;
		return false;
	}
	esptun_sa_expire(sa);
	*why = ESPTUN_DROP_TX_SEQ_EXHAUSTED;
	return false;
}

/* The SA was deleted after it had been chosen, as in a key change: who has followed it, or NULL. */
static struct esptun_sa *esptun_xmit_successor(struct esptun_dev *tun, struct sk_buff *skb)
{
	struct esptun_sa *next = rcu_dereference(tun->out);
	struct esptun_flow flow;

	if (!next && esptun_policy_flow(skb, true, &flow))
		next = esptun_policy_out(tun, &flow);
	return next && READ_ONCE(next->state) != ESPTUN_SA_STATE_EXPIRED ? next : NULL;
}

/*
 * What is left is for the successor, which is put in the SA's place. Return: @segs, or NULL:
 * there is none, dropped.
 */
static struct sk_buff *esptun_xmit_hand_over(struct esptun_dev *tun, struct esptun_sa **sa,
					     struct sk_buff *segs)
{
	struct esptun_sa *next = esptun_xmit_successor(tun, segs);

	if (!next) {
		esptun_xmit_drop_list(tun, *sa, segs, ESPTUN_DROP_TX_NO_SA);
		return NULL;
	}
	*sa = next;
	return segs;
}

/*
 * Sends segments that all have the outer header @outer describes. Each takes its number
 * when its turn comes, not all at once: another CPU that sends on the same SA would
 * overtake with a whole batch, and leave this one outside the windows of peers that have
 * room for 32 packets. Return: what is left, not sent, if the SA was deleted meanwhile.
 */
static struct sk_buff *esptun_xmit_list(struct esptun_dev *tun, struct esptun_sa *sa,
					struct sk_buff *segs, const struct esptun_cb *outer)
{
	unsigned int room = esptun_outer_headroom(outer->route);
	enum esptun_drop why = ESPTUN_DROP_TX_EXPIRED;
	struct sk_buff *skb, *next;
	u32 packets = 0;
	u64 bytes = 0;
	u64 seq;

	skb_list_walk_safe(segs, skb, next) {
		packets++;
		bytes += skb->len;
	}
	if (unlikely(!esptun_sa_account(sa, packets, bytes))) {
		esptun_xmit_drop_list(tun, sa, segs, why);
		return NULL;
	}
	skb_list_walk_safe(segs, skb, next) {
		struct esptun_cb *cb = esptun_cb(skb);

		if (unlikely(!esptun_xmit_number(sa, &seq, &why))) {
			if (why == ESPTUN_DROP_TX_NO_SA)
				return skb;
			esptun_xmit_drop_list(tun, sa, skb, why);
			return NULL;
		}
		skb_mark_not_on_list(skb);
		*cb = *outer;
		cb->seq = seq;
		cb->bytes = skb->len;
		esptun_esp_out(skb, room);
	}
	return NULL;
}

/* The SA is charged with all packets of a super-packet that are not made yet. */
static bool esptun_xmit_account(struct esptun_sa *sa, const struct esptun_segments *s)
{
	u32 packets = s->count - s->made;

	return esptun_sa_account(sa, packets, s->left + (u64)packets * s->hlen);
}

/*
 * Sends the packets of a super-packet, each made when its turn comes. Return: how many;
 * with the reason why not all.
 */
static u32 esptun_xmit_made(struct esptun_dev *tun, struct esptun_segments *s,
			    struct esptun_cb *outer, enum esptun_drop *why)
{
	struct sk_buff *seg = NULL;
	u64 seq;

	while (s->made < s->count || seg) {
		if (likely(!seg))
			seg = esptun_segments_next(s);
		if (unlikely(!seg)) {
			*why = ESPTUN_DROP_TX_NO_MEMORY;
			return s->made;
		}
		if (unlikely(!esptun_xmit_number(outer->sa, &seq, why))) {
			outer->sa = *why == ESPTUN_DROP_TX_NO_SA ?
				    esptun_xmit_successor(tun, seg) : NULL;
			if (outer->sa && esptun_xmit_account(outer->sa, s))
				continue;
			kfree_skb(seg);
			return s->made - 1;
		}
		*esptun_cb(seg) = *outer;
		esptun_cb(seg)->seq = seq;
		esptun_cb(seg)->bytes = seg->len;
		esptun_esp_out(seg, s->head);
		seg = NULL;
	}
	return s->count;
}

/* A super-packet that segment.c understands; it is consumed. */
static void esptun_xmit_super(struct esptun_dev *tun, struct sk_buff *skb,
			      struct esptun_cb *outer)
{
	struct esptun_drop_info info = { .sa = outer->sa, .reason = ESPTUN_DROP_TX_EXPIRED };
	struct esptun_segments s;
	u32 sent = 0;

	esptun_segments_begin(&s, skb, esptun_outer_headroom(outer->route),
			      esptun_crypto_tail(&outer->sa->crypto));
	if (likely(esptun_xmit_account(outer->sa, &s)))
		sent = esptun_xmit_made(tun, &s, outer, &info.reason);
	if (likely(sent == s.count)) {
		consume_skb(skb);
		return;
	}
	esptun_stats_dropped(tun, &info, s.count - sent);
	kfree_skb(skb);
}

/* A packet that has been found good and has an SA. */
static void esptun_xmit_one(struct esptun_dev *tun, struct esptun_sa *sa, struct sk_buff *skb,
			    const struct esptun_inner *inner)
{
	struct esptun_cb outer = { .sa = sa };
	struct esptun_route route;
	u32 path;

	if (unlikely(esptun_outer_route(tun, &route))) {
		dst_link_failure(skb);
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_NO_ROUTE);
		return;
	}
	if (unlikely(route.dst->dev == tun->dev ||
		     (inner->esp && esptun_xmit_loops(tun, skb, inner)))) {
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_LOOP);
		goto out;
	}
	if (unlikely(READ_ONCE(tun->mss_clamp)) &&
	    !esptun_mss_clamp(skb, esptun_device_room(tun))) {
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_NO_MEMORY);
		goto out;
	}
	path = esptun_outer_mtu(tun, &route);
	if (unlikely(path != READ_ONCE(tun->path_mtu)))
		esptun_device_mtu_later(tun);
	if (unlikely(!esptun_xmit_fits(tun, sa, skb, inner,
				       (int)path - (int)esptun_outer_header(route.path, sa->encap),
				       &outer.df))) {
		esptun_xmit_refuse(tun, sa, skb, ESPTUN_DROP_TX_MTU);
		goto out;
	}
	outer.route = &route;
	outer.tos = esptun_outer_tos(tun, inner->tos);
	outer.ttl = esptun_xmit_ttl(tun, inner);
	if (skb_is_gso(skb) && esptun_segments_fit(skb)) {
		esptun_xmit_super(tun, skb, &outer);
		goto out;
	}
	skb = esptun_xmit_segment(tun, sa, skb);
	while (skb) {
		skb = esptun_xmit_list(tun, outer.sa, skb, &outer);
		if (unlikely(skb))
			skb = esptun_xmit_hand_over(tun, &outer.sa, skb);
	}
out:
	dst_release(route.dst);
}

/* False if this tunnel is already on the packet's way, or too many are. */
static __always_inline bool esptun_xmit_enter(struct esptun_nesting *here,
					      const struct esptun_dev *tun)
{
	struct esptun_nesting *n;
	int depth = 0;

	here->tun = tun;
	here->outer = this_cpu_read(esptun_xmit_nesting);
	for (n = here->outer; n; n = n->outer)
		if (n->tun == tun || ++depth >= ESPTUN_MAX_NESTING)
			return false;
	this_cpu_write(esptun_xmit_nesting, here);
	return true;
}

static void esptun_xmit_leave(const struct esptun_nesting *here)
{
	this_cpu_write(esptun_xmit_nesting, here->outer);
}

/* Inlined with all it calls, into the functions of either kind of device. */
static __always_inline void esptun_xmit_in(struct esptun_dev *tun, struct sk_buff *skb)
{
	struct esptun_nesting here;
	struct esptun_inner inner;
	struct esptun_sa *sa;

	if (unlikely(!esptun_xmit_inner(skb, &inner))) {
		esptun_xmit_bad_inner(tun, skb);
		return;
	}
	if (unlikely(!esptun_xmit_enter(&here, tun))) {
		esptun_xmit_refuse(tun, NULL, skb, ESPTUN_DROP_TX_LOOP);
		return;
	}
	rcu_read_lock();
	sa = esptun_xmit_sa(tun, skb);
	if (likely(sa))
		esptun_xmit_one(tun, sa, skb, &inner);
	rcu_read_unlock();
	esptun_xmit_leave(&here);
}

netdev_tx_t esptun_xmit(struct sk_buff *skb, struct net_device *dev)
{
	esptun_xmit_in(netdev_priv(dev), skb);
	return NETDEV_TX_OK;
}

void esptun_xmit_tunnel(struct esptun_dev *tun, struct sk_buff *skb)
{
	esptun_xmit_in(tun, skb);
}
