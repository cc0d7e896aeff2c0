// SPDX-License-Identifier: GPL-2.0
/*
 * Own segmentation of TCP, see segment.h. Knows nothing of ESP. The payload is copied once
 * and its checksum is taken from the copy, so that what is sent is what was summed up
 * whoever else may write to the pages it comes from.
 */
#include "segment.h"
#include "esp.h"
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#define ESPTUN_SEGMENT_TYPES (SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | \
			      SKB_GSO_TCP_FIXEDID)

/* Octets of the IP header in front of a TCP header, 0 if that is not what is there. */
static unsigned int esptun_segments_thoff(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP) && ip_hdr(skb)->protocol == IPPROTO_TCP &&
	    !ip_is_fragment(ip_hdr(skb)))
		return ip_hdrlen(skb);
	if (skb->protocol == htons(ETH_P_IPV6) && ipv6_hdr(skb)->nexthdr == IPPROTO_TCP)
		return sizeof(struct ipv6hdr);
	return 0;
}

/* All that has payload can be reached by walking one list of buffers. */
static bool esptun_segments_plain(const struct sk_buff *skb)
{
	const struct sk_buff *part;

	if (IS_ENABLED(CONFIG_HIGHMEM))
		return false;
	skb_walk_frags(skb, part)
		if (skb_has_frag_list(part))
			return false;
	return true;
}

bool esptun_segments_fit(struct sk_buff *skb)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int thoff, doff;

	if (!(info->gso_type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6)) ||
	    (info->gso_type & ~ESPTUN_SEGMENT_TYPES) || !info->gso_size ||
	    skb->ip_summed != CHECKSUM_PARTIAL || skb->len > IP_MAX_MTU)
		return false;
	thoff = esptun_segments_thoff(skb);
	if (!thoff || skb_transport_offset(skb) != thoff ||
	    !pskb_may_pull(skb, thoff + sizeof(struct tcphdr)))
		return false;
	doff = tcp_hdrlen(skb);
	return doff >= sizeof(struct tcphdr) && thoff + doff < skb->len &&
	       pskb_may_pull(skb, thoff + doff) && esptun_segments_plain(skb);
}

void esptun_segments_begin(struct esptun_segments *s, struct sk_buff *skb, unsigned int head,
			   unsigned int tail)
{
	s->skb = skb;
	s->head = head;
	s->tail = tail;
	s->thoff = skb_transport_offset(skb);
	s->hlen = s->thoff + tcp_hdrlen(skb);
	s->mss = skb_shinfo(skb)->gso_size;
	s->left = skb->len - s->hlen;
	s->made = 0;
	s->count = DIV_ROUND_UP(s->left, s->mss);
	s->share = 0;
	s->from = skb;
	s->frag = -1;
	s->at = s->hlen;
	/* What the outer packet must not carry along would cost references for each. */
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
}

/*
 * The charge becomes what the packets take in all, and each takes its share along, as the
 * core's segmentation has it: TCP must know how much of it waits below.
 */
static void esptun_segments_charge(struct esptun_segments *s, unsigned int share)
{
	struct sk_buff *skb = s->skb;
	int delta = s->count * share - skb->truesize;

	if (!esptun_skb_charged(skb))
		return;
	if (delta < 0)
		WARN_ON_ONCE(refcount_sub_and_test(-delta, &skb->sk->sk_wmem_alloc));
	else
		refcount_add(delta, &skb->sk->sk_wmem_alloc);
	skb->truesize += delta;
	s->share = share;
}

static void esptun_segments_own(struct esptun_segments *s, struct sk_buff *seg)
{
	struct sk_buff *skb = s->skb;

	seg->sk = skb->sk;
	seg->destructor = skb->destructor;
	seg->truesize = s->share;
	skb->truesize -= s->share;
	if (s->made < s->count)
		return;
	/* Nothing of the charge is left. */
	skb->sk = NULL;
	skb->destructor = NULL;
}

/* To the next piece of memory that has payload. */
static void esptun_segments_turn(struct esptun_segments *s)
{
	const struct skb_shared_info *info = skb_shinfo(s->from);

	s->at = 0;
	if (++s->frag < info->nr_frags)
		return;
	s->frag = -1;
	s->from = s->from == s->skb ? info->frag_list : s->from->next;
}

static const u8 *esptun_segments_piece(const struct esptun_segments *s, unsigned int *len)
{
	const skb_frag_t *frag;

	if (s->frag < 0) {
		*len = skb_headlen(s->from) - s->at;
		return s->from->data + s->at;
	}
	frag = &skb_shinfo(s->from)->frags[s->frag];
	*len = skb_frag_size(frag) - s->at;
	return (const u8 *)skb_frag_address(frag) + s->at;
}

static void esptun_segments_copy(struct esptun_segments *s, u8 *to, unsigned int len)
{
	unsigned int piece;
	const u8 *from;

	s->left -= len;
	for (;;) {
		from = esptun_segments_piece(s, &piece);
		if (likely(piece >= len))
			break;
		memcpy(to, from, piece);
		to += piece;
		len -= piece;
		esptun_segments_turn(s);
	}
	memcpy(to, from, len);
	s->at += len;
}

/* The IP header of packet @made. Return: the sum of what TCP's checksum has of it. */
static __sum16 esptun_segments_ip(const struct esptun_segments *s, u8 *data, unsigned int len,
				  __wsum csum)
{
	struct ipv6hdr *ip6 = (struct ipv6hdr *)data;
	struct iphdr *iph = (struct iphdr *)data;

	if (s->skb->protocol == htons(ETH_P_IPV6)) {
		ip6->payload_len = htons(len - sizeof(*ip6));
		return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len - s->thoff, IPPROTO_TCP, csum);
	}
	iph->tot_len = htons(len);
	if (!(skb_shinfo(s->skb)->gso_type & SKB_GSO_TCP_FIXEDID))
		iph->id = htons(ntohs(iph->id) + s->made);
	ip_send_check(iph);
	return csum_tcpudp_magic(iph->saddr, iph->daddr, len - s->thoff, IPPROTO_TCP, csum);
}

/* Headers of packet @made, whose payload of @seg's length is in place. */
static void esptun_segments_headers(const struct esptun_segments *s, struct sk_buff *seg)
{
	struct tcphdr *th = (struct tcphdr *)(seg->data + s->thoff);

	memcpy(seg->data, s->skb->data, s->hlen);
	th->seq = htonl(ntohl(th->seq) + s->made * s->mss);
	if (s->made)
		th->cwr = 0;
	if (s->left) {
		th->fin = 0;
		th->psh = 0;
	}
	th->check = 0;
	th->check = esptun_segments_ip(s, seg->data, seg->len,
				       csum_partial(th, seg->len - s->thoff, 0));
}

struct sk_buff *esptun_segments_next(struct esptun_segments *s)
{
	unsigned int len = min(s->left, s->mss);
	struct sk_buff *seg;

	/* All the same size, so that the shares are equal. */
	seg = esptun_compat_alloc_skb(s->head + s->hlen + s->mss + s->tail);
	if (!seg)
		return NULL;
	if (!s->made)
		esptun_segments_charge(s, seg->truesize);
	skb_reserve(seg, s->head);
	esptun_segments_copy(s, skb_put(seg, s->hlen + len) + s->hlen, len);
	esptun_segments_headers(s, seg);
	skb_copy_header(seg, s->skb);
	skb_gso_reset(seg);
	skb_reset_mac_header(seg);
	skb_reset_network_header(seg);
	seg->ip_summed = CHECKSUM_NONE;
	s->made++;
	if (s->share)
		esptun_segments_own(s, seg);
	return seg;
}
