// SPDX-License-Identifier: GPL-2.0
/*
 * The maximum segment size in TCP SYNs (RFC 9293 3.7.1) that cross a tunnel, lowered to
 * what fits into it, for hosts whose path MTU discovery does not work. Never raises it,
 * never adds the option, never touches any other packet.
 */
#include "mss.h"
#include <linux/skbuff.h>
#include <net/checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

/**
 * struct esptun_mss_syn - a SYN and its option
 * @tcp: offset of the TCP header
 * @option: offset of the option's value, from the TCP header
 * @check: offset of the checksum, from the beginning of the packet
 * @value: what it is
 */
struct esptun_mss_syn {
	unsigned int tcp;
	unsigned int option;
	unsigned int check;
	u16 value;
};

/* Offset of the TCP header from the beginning of the packet, 0 if there is none. */
static unsigned int esptun_mss_tcp(const struct sk_buff *skb)
{
	unsigned int at = skb_network_offset(skb);
	__be16 frag = 0;
	int end;
	u8 next;

	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *iph = ip_hdr(skb);

		if (iph->protocol != IPPROTO_TCP || iph->frag_off & htons(IP_OFFSET))
			return 0;
		return at + iph->ihl * 4;
	}
	next = ipv6_hdr(skb)->nexthdr;
	end = ipv6_skip_exthdr(skb, at + sizeof(struct ipv6hdr), &next, &frag);
	return end > 0 && next == IPPROTO_TCP && !(frag & htons(IP6_OFFSET)) ? end : 0;
}

/* Where the value of the option is, counted from the first option; 0: it is not there. */
static unsigned int esptun_mss_option(const u8 *options, unsigned int len)
{
	unsigned int at = 0;

	while (at < len && options[at] != TCPOPT_EOL) {
		if (options[at] == TCPOPT_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || options[at + 1] < 2 || options[at + 1] > len - at)
			return 0;
		if (options[at] == TCPOPT_MSS)
			return options[at + 1] == TCPOLEN_MSS ? at + 2 : 0;
		at += options[at + 1];
	}
	return 0;
}

/* Finds the option of a SYN; false for every other packet. */
static bool esptun_mss_find(const struct sk_buff *skb, struct esptun_mss_syn *syn)
{
	u8 copy[MAX_TCP_OPTION_SPACE];
	const struct tcphdr *th;
	const u8 *options;
	struct tcphdr head;
	unsigned int len;

	syn->tcp = esptun_mss_tcp(skb);
	if (!syn->tcp)
		return false;
	th = skb_header_pointer(skb, syn->tcp, sizeof(head), &head);
	if (!th || !th->syn || th->doff * 4 <= sizeof(head))
		return false;
	len = th->doff * 4 - sizeof(head);
	options = skb_header_pointer(skb, syn->tcp + sizeof(head), len, copy);
	if (!options)
		return false;
	syn->option = esptun_mss_option(options, len);
	if (!syn->option)
		return false;
	syn->value = get_unaligned_be16(options + syn->option);
	syn->option += sizeof(head);
	syn->check = syn->tcp + offsetof(struct tcphdr, check);
	return true;
}

/* Writes the new value and what changes with it in the checksum (RFC 1624). */
static void esptun_mss_set(struct sk_buff *skb, const struct esptun_mss_syn *syn, u16 value)
{
	__be16 from = htons(syn->value);
	__be16 to = htons(value);

	put_unaligned_be16(value, skb->data + syn->tcp + syn->option);
	/* The checksum adds octets in pairs; an option may begin in the middle of one. */
	if (syn->option & 1) {
		from = (__force __be16)swab16((__force u16)from);
		to = (__force __be16)swab16((__force u16)to);
	}
	inet_proto_csum_replace2((__sum16 *)(skb->data + syn->check), skb, from, to, false);
}

bool esptun_mss_clamp(struct sk_buff *skb, unsigned int mtu)
{
	unsigned int headers = sizeof(struct tcphdr);
	struct esptun_mss_syn syn;

	headers += skb->protocol == htons(ETH_P_IP) ? sizeof(struct iphdr) :
						      sizeof(struct ipv6hdr);
	if (!esptun_mss_find(skb, &syn) || mtu <= headers || syn.value <= mtu - headers)
		return true;
	if (skb_ensure_writable(skb, syn.tcp + syn.option + sizeof(u16)))
		return false;
	esptun_mss_set(skb, &syn, mtu - headers);
	return true;
}
