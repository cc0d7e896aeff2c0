// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP errors about ESP packets we sent. Anybody can send those, so they are believed
 * only if they quote a packet that we did send, and then only about the path MTU.
 */
#include "rcv.h"
#include "device.h"
#include "esp.h"
#include "outer.h"
#include "sadb.h"
#include <linux/icmp.h>
#include <net/icmp.h>

/* A number not further back than this is plausible. */
#define ESPTUN_ICMP_RECENT BIT(20)

/* The SA that sent the quoted packet; the ICMP layer has made sure of eight octets. */
static struct esptun_sa *esptun_icmp_sa(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const u8 *esp = skb->data + iph->ihl * 4;
	struct esptun_sa *sa;
	u64 sent;
	u32 back;

	sa = esptun_sadb_out(esptun_net_get(dev_net(skb->dev)), get_unaligned((__be32 *)esp),
			     iph->daddr);
	if (!sa || (sa->tun->local && sa->tun->local != iph->saddr))
		return NULL;
	sent = esptun_sa_seq(sa);
	back = (u32)sent - get_unaligned_be32(esp + 4);
	/* Numbers begin at 1: what lies as far back as there are numbers was never sent. */
	return back < ESPTUN_ICMP_RECENT && back < sent ? sa : NULL;
}

int esptun_icmp_err(struct sk_buff *skb, u32 info)
{
	struct esptun_sa *sa = esptun_icmp_sa(skb);

	if (!sa)
		return -ENOENT;
	if (icmp_hdr(skb)->type == ICMP_DEST_UNREACH && icmp_hdr(skb)->code == ICMP_FRAG_NEEDED)
		esptun_outer_learn(sa->tun, info);
	else if (icmp_hdr(skb)->type == ICMP_REDIRECT)
		ipv4_redirect(skb, sa->tun->net, READ_ONCE(sa->tun->link), IPPROTO_ESP);
	return 0;
}
