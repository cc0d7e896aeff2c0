// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about ESP packets we sent. Anybody can send those, so they are believed
 * only if they quote a packet that we did send, and then only about the path MTU.
 */
#include "icmp.h"
#include "device.h"
#include "esp.h"
#include "outer.h"
#include "sadb.h"
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <net/icmp.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/route.h>

/* A number not further back than this is plausible. */
#define ESPTUN_ICMP_RECENT BIT(20)

/*
 * The SA that sent the quoted packet; the ICMP layer has made sure of eight octets at @esp.
 * NULL: none of ours did.
 */
static struct esptun_sa *esptun_icmp_sa(const struct net *net, const void *quoted,
					const u8 *esp)
{
	struct esptun_addr source, dest;
	const struct esptun_path *path;
	struct esptun_sa *sa;
	u64 sent;
	u32 back;

	esptun_addr_of_packet(quoted, &source, &dest);
	sa = esptun_sadb_out(esptun_net_get(net), get_unaligned((__be32 *)esp), &dest);
	if (!sa)
		return NULL;
	path = rcu_dereference(sa->tun->path);
	if (!esptun_addr_any(&path->local) && !esptun_addr_equal(&path->local, &source))
		return NULL;
	sent = esptun_sa_seq(sa);
	back = (u32)sent - get_unaligned_be32(esp + 4);
	/* Numbers begin at 1: what lies as far back as there are numbers was never sent. */
	return back < ESPTUN_ICMP_RECENT && back < sent ? sa : NULL;
}

int esptun_icmp_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	struct esptun_sa *sa = esptun_icmp_sa(dev_net(skb->dev), iph,
					       skb->data + iph->ihl * 4);

	if (!sa)
		return -ENOENT;
	if (icmp_hdr(skb)->type == ICMP_DEST_UNREACH && icmp_hdr(skb)->code == ICMP_FRAG_NEEDED)
		esptun_outer_learn(sa->tun, info, ESPTUN_MIN_PATH_MTU);
	else if (icmp_hdr(skb)->type == ICMP_REDIRECT)
		ipv4_redirect(skb, sa->tun->net, READ_ONCE(sa->tun->link), IPPROTO_ESP);
	return 0;
}

#if IS_ENABLED(CONFIG_IPV6)
/*
 * Path MTUs go to the route here: nobody but this host may fragment, and it does so by what
 * the route says.
 */
int esptun_icmp_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		     int offset, __be32 info)
{
	struct esptun_sa *sa = esptun_icmp_sa(dev_net(skb->dev), skb->data, skb->data + offset);
	struct esptun_dev *tun;

	if (!sa)
		return -ENOENT;
	tun = sa->tun;
	if (type == ICMPV6_PKT_TOOBIG) {
		ip6_update_pmtu(skb, tun->net, info, READ_ONCE(tun->link), READ_ONCE(tun->fwmark),
				sock_net_uid(tun->net, NULL));
		esptun_device_mtu_later(tun);
	} else if (type == NDISC_REDIRECT) {
		ip6_redirect(skb, tun->net, skb->dev->ifindex, READ_ONCE(tun->fwmark),
			     sock_net_uid(tun->net, NULL));
	}
	return 0;
}
#endif

/*
 * The path MTU that a "fragmentation needed" or "packet too big" about a UDP datagram tells;
 * 0: it is another message. @quoted: the IP header in it, behind the ICMP header.
 */
static u32 esptun_icmp_told(const struct iphdr *quoted)
{
	const struct icmphdr *icmp = (const struct icmphdr *)quoted - 1;
	const struct icmp6hdr *icmp6 = (const struct icmp6hdr *)quoted - 1;

	if (quoted->version == 6)
		return icmp6->icmp6_type == ICMPV6_PKT_TOOBIG ? ntohl(icmp6->icmp6_mtu) : 0;
	if (icmp->type != ICMP_DEST_UNREACH || icmp->code != ICMP_FRAG_NEEDED)
		return 0;
	return ntohs(icmp->un.frag.mtu);
}

/*
 * A quote that ends with the UDP header, as many routers send (RFC 792), names no SA. If it is
 * of a datagram between a tunnel's endpoints and longer than the MTU it complains about, it is
 * believed down to what nearly every path carries: a forged one does not do much.
 */
static void esptun_icmp_short(struct esptun_net *en, const struct iphdr *quoted,
			      const struct udphdr *uh, u32 told)
{
	struct esptun_addr source, dest;
	struct esptun_dev *tun;

	if (quoted->version != 4 || ntohs(quoted->tot_len) <= told)
		return;
	esptun_addr_of_packet(quoted, &source, &dest);
	tun = esptun_device_find(en, &dest, &source, uh->dest);
	if (tun)
		esptun_outer_learn(tun, told, IPV6_MIN_MTU);
}

/*
 * Called with network and transport header at the quoted headers. The kernel has taken the
 * path MTU of an IPv4 message for the route already, whoever sent it, and would take that of
 * an IPv6 one if we agreed: see outer.c for what that is worth.
 */
int esptun_icmp_err_udp(struct sock *sk, struct sk_buff *skb)
{
	int at = skb_transport_offset(skb) + sizeof(struct udphdr);
	const struct iphdr *quoted = (const struct iphdr *)skb_network_header(skb);
	struct esptun_net *en = esptun_net_get(sock_net(sk));
	u32 told = esptun_icmp_told(quoted);
	u8 buffer[ESPTUN_ESP_HEADER];
	const struct esptun_sa *sa;
	const u8 *esp;

	esp = skb_header_pointer(skb, at, sizeof(buffer), buffer);
	if (!esp) {
		if (told)
			esptun_icmp_short(en, quoted, udp_hdr(skb), told);
		return 0;
	}
	/* An IKE message's non-ESP marker. */
	if (!get_unaligned((__be32 *)esp))
		return 0;
	sa = esptun_icmp_sa(en->net, quoted, esp);
	if (!sa || !sa->encap)
		return -ENOENT;
	if (told && quoted->version == 4)
		esptun_outer_learn(sa->tun, told, ESPTUN_MIN_PATH_MTU);
	else if (told)
		esptun_device_mtu_later(sa->tun);
	return 0;
}
