// SPDX-License-Identifier: GPL-2.0
/*
 * ESP packets that arrive for this host: whose is it, may it be, and, out of esp_in.c
 * again, is it a good inner packet and on into the stack. Packets that are not ours pass
 * on untouched to the kernel's own IPsec.
 */
#include "rcv.h"
#include "icmp.h"
#include "device.h"
#include "esp.h"
#include "external.h"
#include "gro.h"
#include "mss.h"
#include "policy.h"
#include "sadb.h"
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <net/xfrm.h>

/* Before ip_vti (100), which takes by address, and esp4 (0), which must see every SPI. */
#define ESPTUN_RCV_PRIORITY 150

/* Behind ip_vti: what comes here may still be the xfrm interface's (10) or esp4's. */
#define ESPTUN_RCV_LATE_PRIORITY 50

void esptun_rcv_drop(struct sk_buff *skb, enum esptun_drop reason)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_drop_info info = {
		.reason = reason, .sa = cb->sa, .seq = cb->seq,
	};

	esptun_addr_of_packet(skb->head + cb->outer, &info.source, NULL);
	esptun_stats_drop(cb->sa->tun, skb, &info);
}

/* Checks and trims: the ESP payload may be longer than the packet in it (RFC 4303 2.7). */
static bool esptun_rcv_inner4(struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	unsigned int len;

	if (skb->len < sizeof(*iph) || iph->version != 4 || iph->ihl < 5)
		return false;
	len = ntohs(iph->tot_len);
	if (len < iph->ihl * 4 || len > skb->len)
		return false;
	__skb_trim(skb, len);
	skb->protocol = htons(ETH_P_IP);
	return true;
}

static bool esptun_rcv_inner6(struct sk_buff *skb)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)skb->data;
	unsigned int len;

	if (skb->len < sizeof(*ip6) || ip6->version != 6)
		return false;
	len = ntohs(ip6->payload_len) + sizeof(*ip6);
	if (len > skb->len)
		return false;
	__skb_trim(skb, len);
	skb->protocol = htons(ETH_P_IPV6);
	return true;
}

/* The packet becomes one of the device: nothing of the outer one sticks to it. */
static void esptun_rcv_reset(struct sk_buff *skb, struct esptun_dev *tun, bool integrity)
{
	skb_scrub_packet(skb, !net_eq(tun->net, dev_net(tun->dev)));
	skb->dev = tun->dev;
	skb_gso_reset(skb);
	skb->encapsulation = 0;
	skb_clear_hash(skb);
	skb_set_queue_mapping(skb, 0);
	skb_reset_mac_header(skb);
	skb_reset_mac_len(skb);
	/*
	 * The peer gateway has authenticated every octet; with RXCSUM off the inner checksums
	 * are looked at as well.
	 */
	if (integrity && (tun->dev->features & NETIF_F_RXCSUM)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		skb->csum_level = ~0;
	} else {
		skb->ip_summed = CHECKSUM_NONE;
	}
}

/* What few devices want done. False: no memory. */
static noinline bool esptun_rcv_extra(struct sk_buff *skb, struct esptun_dev *tun)
{
	if (READ_ONCE(tun->mss_clamp) && !esptun_mss_clamp(skb, esptun_device_room(tun)))
		return false;
	if (tun->tunnel_id)
		esptun_external_tag(skb, tun);
	return true;
}

/* Neither IPv4 nor IPv6, or not what it says it is. */
static void esptun_rcv_bad_inner(struct sk_buff *skb, u8 next_header)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_drop_info info = {
		.reason = ESPTUN_DROP_RX_BAD_INNER, .sa = cb->sa, .seq = cb->seq,
		.protocol = next_header,
	};

	esptun_addr_of_packet(skb->head + cb->outer, &info.source, NULL);
	esptun_stats_drop(cb->sa->tun, skb, &info);
}

void esptun_rcv_deliver(struct sk_buff *skb, u8 next_header)
{
	struct esptun_cb *cb = esptun_cb(skb);
	struct esptun_sa *sa = cb->sa;
	struct esptun_dev *tun = sa->tun;
	unsigned int len;
	int err;

	if (next_header == IPPROTO_NONE) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_DUMMY);
		return;
	}
	if (!(next_header == IPPROTO_IPIP && esptun_rcv_inner4(skb)) &&
	    !(next_header == IPPROTO_IPV6 && esptun_rcv_inner6(skb))) {
		esptun_rcv_bad_inner(skb, next_header);
		return;
	}
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	if (unlikely(!esptun_policy_in(sa, skb))) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_WRONG_SELECTOR);
		return;
	}
	if (unlikely(INET_ECN_decapsulate(skb, cb->tos, skb->protocol == htons(ETH_P_IP) ?
					  ip_hdr(skb)->tos :
					  ipv6_get_dsfield(ipv6_hdr(skb))) > 1)) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_ECN);
		return;
	}
	len = skb->len;
	esptun_rcv_reset(skb, tun, sa->crypto.integrity);
	if (unlikely(READ_ONCE(tun->rx_extra)) && !esptun_rcv_extra(skb, tun)) {
		esptun_rcv_drop(skb, ESPTUN_DROP_RX_NO_MEMORY);
		return;
	}
	memset(skb->cb, 0, sizeof(struct esptun_cb));
	err = esptun_gro_receive(skb);
	if (unlikely(err)) {
		struct esptun_drop_info info = { .sa = sa, .reason = err == -ENETDOWN ?
			ESPTUN_DROP_RX_DEVICE_DOWN : ESPTUN_DROP_RX_QUEUE_FULL };

		esptun_stats_drop(tun, skb, &info);
		return;
	}
	esptun_stats_passed(sa->stats, 1, len);
	dev_sw_netstats_rx_add(tun->dev, len);
}

/* No device sends through this namespace: its ESP is not slowed down by looking at it. */
static bool esptun_rcv_idle(const struct esptun_net *en)
{
	return list_empty(&en->devices);
}

/*
 * Called as esptun_rcv() is, for what neither we nor ip_vti have taken: an SPI we do not
 * have. If its packet is between the endpoints of one of our devices and the kernel's own
 * IPsec does not know it either, it was for us: an SA just deleted, or one that the peer
 * still has. Then it counts as lost here. It goes on to the others all the same: whoever
 * claims it may, and nobody misses a packet because we are loaded.
 */
static int esptun_rcv_late(struct sk_buff *skb)
{
	struct esptun_net *en = esptun_net_get(dev_net(skb->dev));
	struct esptun_drop_info info = { .reason = ESPTUN_DROP_RX_NO_SA };
	struct esptun_addr dest;
	struct esptun_dev *tun;

	if (esptun_rcv_idle(en) || !pskb_may_pull(skb, sizeof(info.spi)))
		return -EINVAL;
	info.spi = get_unaligned((__be32 *)skb->data);
	esptun_addr_of_packet(skb_network_header(skb), &info.source, &dest);
	/* One that we have is here only because it is the SPI of a state of theirs, too. */
	if (esptun_sadb_in(en, info.spi))
		return -EINVAL;
	tun = esptun_device_find(en, &info.source, &dest, 0);
	if (tun && !esptun_sadb_foreign(en->net, skb->mark, &dest, info.spi))
		esptun_stats_dropped(tun, &info, 1);
	return -EINVAL;
}

/* The UDP header of a packet whose data are at the ESP header. */
static const struct udphdr *esptun_rcv_udphdr(const struct sk_buff *skb)
{
	return (const struct udphdr *)(skb->data - sizeof(struct udphdr));
}

/* Did the packet travel between the endpoints of the SA's device, and as it should? */
static __always_inline bool esptun_rcv_between(const struct sk_buff *skb,
					       const struct esptun_sa *sa, int family, bool udp)
{
	const struct esptun_path *path = rcu_dereference(sa->tun->path);

	if (unlikely(path->remote.family != family || sa->encap != udp))
		return false;
	if (udp && (esptun_rcv_udphdr(skb)->source != path->port ||
		    esptun_rcv_udphdr(skb)->dest != sa->encap_port))
		return false;
	if (family == AF_INET)
		return ip_hdr(skb)->saddr == path->remote.v4 &&
		       (!path->local.v4 || ip_hdr(skb)->daddr == path->local.v4);
	return ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &path->remote.v6) &&
	       (esptun_addr_any(&path->local) ||
		ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &path->local.v6));
}

/* Reasons to refuse a packet that need no look at its content. */
static bool esptun_rcv_refused(const struct esptun_sa *sa, enum esptun_drop *why)
{
	const struct esptun_dev *tun = sa->tun;

	if (unlikely(READ_ONCE(sa->state) == ESPTUN_SA_STATE_EXPIRED))
		*why = ESPTUN_DROP_RX_EXPIRED;
	else if (unlikely(!(READ_ONCE(tun->dev->flags) & IFF_UP)))
		*why = ESPTUN_DROP_RX_DEVICE_DOWN;
	else
		return false;
	return true;
}

static void esptun_rcv_refuse(struct sk_buff *skb, struct esptun_sa *sa, enum esptun_drop why)
{
	struct esptun_drop_info info = { .reason = why, .sa = sa };

	esptun_addr_of_packet(skb_network_header(skb), &info.source, NULL);
	if (pskb_may_pull(skb, ESPTUN_ESP_HEADER))
		info.seq = get_unaligned_be32(skb->data + 4);
	esptun_stats_drop(sa->tun, skb, &info);
}

/* The kernel's own IPsec may have the same SPI, for another peer or address. */
static bool esptun_rcv_foreign(struct esptun_net *en, const struct sk_buff *skb, __be32 spi)
{
	struct esptun_addr dest;

	esptun_addr_of_packet(skb_network_header(skb), NULL, &dest);
	return esptun_sadb_foreign(en->net, skb->mark, &dest, spi);
}

/* May a packet that does not come from the peer's address and port come from the peer? */
static bool esptun_rcv_may_move(const struct sk_buff *skb, const struct esptun_sa *sa)
{
	const struct esptun_path *path = rcu_dereference(sa->tun->path);
	struct esptun_addr dest;

	esptun_addr_of_packet(skb_network_header(skb), NULL, &dest);
	return (sa->flags & ESPTUN_SA_FLAG_FOLLOW_PEER) && dest.family == path->remote.family &&
	       (esptun_addr_any(&path->local) || esptun_addr_equal(&path->local, &dest)) &&
	       esptun_rcv_udphdr(skb)->dest == sa->encap_port;
}

/*
 * A packet with our SPI that does not come where it should from. Return: as esptun_rcv(), or
 * 1: go on, whether it is the peer's will be seen.
 */
static noinline int esptun_rcv_elsewhere(struct esptun_net *en, struct sk_buff *skb,
					 struct esptun_sa *sa, bool udp)
{
	if (esptun_rcv_foreign(en, skb, sa->spi)) {
		atomic64_inc(&en->rx_foreign);
		return -EINVAL;
	}
	if (sa->encap != udp) {
		esptun_rcv_refuse(skb, sa, ESPTUN_DROP_RX_WRONG_ENCAP);
		return 0;
	}
	if (udp && esptun_rcv_may_move(skb, sa))
		return 1;
	esptun_rcv_refuse(skb, sa, ESPTUN_DROP_RX_WRONG_SOURCE);
	return 0;
}

/*
 * A packet with an ESP header at its data, under RCU, BH off. @family and @udp are constants
 * in each caller. Return: 0 it is ours and consumed; -EINVAL it is not and has not been
 * touched.
 */
static __always_inline int esptun_rcv(struct sk_buff *skb, int family, bool udp)
{
	struct esptun_net *en = esptun_net_get(dev_net(skb->dev));
	enum esptun_drop why;
	struct esptun_sa *sa;
	__be32 spi;
	int ret;

	if (esptun_rcv_idle(en) || !pskb_may_pull(skb, sizeof(spi)))
		return -EINVAL;
	spi = get_unaligned((__be32 *)skb->data);
	sa = esptun_sadb_in(en, spi);
	if (unlikely(!sa)) {
		atomic64_inc(&en->rx_foreign);
		return -EINVAL;
	}
	if (unlikely(!esptun_rcv_between(skb, sa, family, udp))) {
		ret = esptun_rcv_elsewhere(en, skb, sa, udp);
		if (ret <= 0)
			return ret;
	}
	if (unlikely(esptun_rcv_refused(sa, &why))) {
		esptun_rcv_refuse(skb, sa, why);
		return 0;
	}
	if (unlikely(!pskb_may_pull(skb, ESPTUN_ESP_HEADER))) {
		esptun_rcv_refuse(skb, sa, ESPTUN_DROP_RX_TOO_SHORT);
		return 0;
	}
	esptun_esp_in(skb, sa);
	return 0;
}

/* Called by the kernel's ESP demultiplexers. */
static int esptun_rcv4(struct sk_buff *skb)
{
	return esptun_rcv(skb, AF_INET, false);
}

static int esptun_rcv6(struct sk_buff *skb)
{
	return esptun_rcv(skb, AF_INET6, false);
}

int esptun_rcv_udp(struct sk_buff *skb)
{
	return ip_hdr(skb)->version == 4 ? esptun_rcv(skb, AF_INET, true) :
					   esptun_rcv(skb, AF_INET6, true);
}

/* ESP in UDP on a socket of the kernel's own IPsec, or on ours with an SPI we do not have. */
static int esptun_rcv_input(struct sk_buff *skb, int nexthdr, __be32 spi, int encap_type)
{
	return esptun_rcv_udp(skb);
}

static int esptun_rcv_late_input(struct sk_buff *skb, int nexthdr, __be32 spi, int encap_type)
{
	return esptun_rcv_late(skb);
}

/* Called for every packet of the kernel's own IPsec: positive means "ask the next". */
static int esptun_rcv_cb(struct sk_buff *skb, int err)
{
	return 1;
}

static struct xfrm4_protocol esptun_rcv_protocol = {
	.handler = esptun_rcv4,
	.input_handler = esptun_rcv_input,
	.cb_handler = esptun_rcv_cb,
	.err_handler = esptun_icmp_err,
	.priority = ESPTUN_RCV_PRIORITY,
};

static int esptun_rcv_late_err(struct sk_buff *skb, u32 info)
{
	return -ENOENT;
}

static struct xfrm4_protocol esptun_rcv_late_protocol = {
	.handler = esptun_rcv_late,
	.input_handler = esptun_rcv_late_input,
	.cb_handler = esptun_rcv_cb,
	.err_handler = esptun_rcv_late_err,
	.priority = ESPTUN_RCV_LATE_PRIORITY,
};

#if IS_ENABLED(CONFIG_IPV6)
static int esptun_rcv_late_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
				int offset, __be32 info)
{
	return -ENOENT;
}

static struct xfrm6_protocol esptun_rcv_protocol6 = {
	.handler = esptun_rcv6,
	.input_handler = esptun_rcv_input,
	.cb_handler = esptun_rcv_cb,
	.err_handler = esptun_icmp_err6,
	.priority = ESPTUN_RCV_PRIORITY,
};

static struct xfrm6_protocol esptun_rcv_late_protocol6 = {
	.handler = esptun_rcv_late,
	.input_handler = esptun_rcv_late_input,
	.cb_handler = esptun_rcv_cb,
	.err_handler = esptun_rcv_late_err6,
	.priority = ESPTUN_RCV_LATE_PRIORITY,
};

static int esptun_rcv_init6(void)
{
	int err;

	err = xfrm6_protocol_register(&esptun_rcv_protocol6, IPPROTO_ESP);
	if (err)
		return err;
	err = xfrm6_protocol_register(&esptun_rcv_late_protocol6, IPPROTO_ESP);
	if (err)
		xfrm6_protocol_deregister(&esptun_rcv_protocol6, IPPROTO_ESP);
	return err;
}

static void esptun_rcv_exit6(void)
{
	xfrm6_protocol_deregister(&esptun_rcv_late_protocol6, IPPROTO_ESP);
	xfrm6_protocol_deregister(&esptun_rcv_protocol6, IPPROTO_ESP);
}
#else
static int esptun_rcv_init6(void)
{
	return 0;
}

static void esptun_rcv_exit6(void)
{
}
#endif

int esptun_rcv_init(void)
{
	int err;

	err = xfrm4_protocol_register(&esptun_rcv_protocol, IPPROTO_ESP);
	if (err)
		return err;
	err = xfrm4_protocol_register(&esptun_rcv_late_protocol, IPPROTO_ESP);
	if (err)
		goto err_first;
	err = esptun_rcv_init6();
	if (err)
		goto err_late;
	return 0;

err_late:
	xfrm4_protocol_deregister(&esptun_rcv_late_protocol, IPPROTO_ESP);
err_first:
	xfrm4_protocol_deregister(&esptun_rcv_protocol, IPPROTO_ESP);
	return err;
}

/* No packet is in the handlers any more when this returns. */
void esptun_rcv_exit(void)
{
	esptun_rcv_exit6();
	xfrm4_protocol_deregister(&esptun_rcv_late_protocol, IPPROTO_ESP);
	xfrm4_protocol_deregister(&esptun_rcv_protocol, IPPROTO_ESP);
}
