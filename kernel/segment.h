/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TCP super-packets into the packets they stand for, one at a time, so that each is
 * encrypted while it is in the CPU's cache, with exactly the room that ESP needs. What it
 * does not understand is left to the core's segmentation.
 */
#ifndef _ESPTUN_SEGMENT_H
#define _ESPTUN_SEGMENT_H

#include <linux/skbuff.h>

/**
 * struct esptun_segments - a super-packet on its way
 * @skb: the super-packet; stays whose it was
 * @head: octets in front of each packet
 * @tail: octets behind each packet
 * @hlen: octets of its IP and TCP headers
 * @thoff: octets of its IP header
 * @mss: octets of payload in each packet but the last
 * @left: octets of payload that are not sent yet
 * @made: packets made so far
 * @count: packets there are
 * @share: what each packet takes over of the super-packet's charge to its socket, or 0
 * @from: the buffer that the next octet of payload is in: @skb or one of its list
 * @frag: which of its fragments; -1: its head
 * @at: octets of that which are copied
 */
struct esptun_segments {
	struct sk_buff *skb;
	unsigned int head;
	unsigned int tail;
	unsigned int hlen;
	unsigned int thoff;
	unsigned int mss;
	unsigned int left;
	unsigned int made;
	unsigned int count;
	unsigned int share;
	const struct sk_buff *from;
	int frag;
	unsigned int at;
};

/* Can esptun_segments_begin() be called for this packet? May move headers into its head. */
bool esptun_segments_fit(struct sk_buff *skb);

/**
 * esptun_segments_begin - begin to cut a super-packet up
 * @s: to be filled
 * @skb: for which esptun_segments_fit() said so, network header and data at the inner header
 * @head: octets wanted in front of each packet
 * @tail: octets wanted behind
 */
void esptun_segments_begin(struct esptun_segments *s, struct sk_buff *skb, unsigned int head,
			   unsigned int tail);

/* The next of @count packets: linear, checksums complete, ours alone. NULL: no memory. */
struct sk_buff *esptun_segments_next(struct esptun_segments *s);

#endif /* _ESPTUN_SEGMENT_H */
