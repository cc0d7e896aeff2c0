/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ESP packet (RFC 4303 2) and a packet's state on its way through a cipher.
 *
 *   0                   1                   2                   3
 *   +---------------------------------------------------------------+
 *   |               security parameters index (SPI)                 |
 *   +---------------------------------------------------------------+
 *   |                 sequence number, lower half                   |
 *   +---------------------------------------------------------------+
 *   |                  IV, 0, 8 or 16 octets                        |
 *   +---------------------------------------------------------------+  ^ text: a
 *   |                     inner packet                              |  | multiple of
 *   +                               +-------------------------------+  | the block
 *   |                               |  padding 1, 2, 3 ...          |  |
 *   +-------------------------------+---------------+---------------+  |
 *   |            padding            |  pad length   |  next header  |  v
 *   +-------------------------------+---------------+---------------+
 *   |                  ICV, 0 to 32 octets                          |
 *   +---------------------------------------------------------------+
 *
 * With extended sequence numbers the upper half is authenticated between SPI and lower
 * half, but not sent. So that it needs no second piece of memory, the SPI is moved four
 * octets to the left while the cipher works: SPI | upper | lower | IV | text.
 */
#ifndef _ESPTUN_ESP_H
#define _ESPTUN_ESP_H

#include "sa.h"
#include "trailer.h"
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/ip.h>
#include <net/sock.h>

struct esptun_route;

#define ESPTUN_ESP_HEADER 8	/* SPI and lower half of the sequence number */
#define ESPTUN_ESN_SHIFT 4

/**
 * struct esptun_cb - a packet's state, in skb->cb
 * @sa: its SA
 * @seq: its sequence number
 * @route: sending: outer route, borrowed from the caller for the time of the call; NULL if
 *	the cipher may take longer, then the route is looked up again
 * @left: receiving: the octets that the moved SPI covers
 * @bytes: length of the inner packet
 * @outer: receiving: where the outer header is, from the head of the buffer
 * @df: sending: of the outer header; 0: may be fragmented
 * @tos: sending: of the outer header; receiving: of the outer header that came
 * @ttl: sending: of the outer header
 * @async: a reference on SA and device is held
 */
struct esptun_cb {
	struct esptun_sa *sa;
	u64 seq;
	const struct esptun_route *route;
	__be32 left;
	u32 bytes;
	u16 outer;
	__be16 df;
	u8 tos;
	u8 ttl;
	bool async;
};

static inline struct esptun_cb *esptun_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct esptun_cb) > sizeof(skb->cb));
	return (struct esptun_cb *)skb->cb;
}

/*
 * True if nobody else can reach the packet's bytes, so a cipher may write there: one
 * linear piece, not cloned, not shared, and allocated for this packet as a whole.
 * A head cut from a page may be referenced by who knows whom (pipes, other packets), so
 * it does not count, whatever flags say.
 */
static inline bool esptun_skb_owned(const struct sk_buff *skb)
{
	return !skb_is_nonlinear(skb) && !skb_cloned(skb) && !skb_shared(skb) && !skb->head_frag;
}

/*
 * True if the packet is charged to a socket in a way that another packet can take over: by
 * a destructor that looks at nothing but socket and truesize. TCP's own is not exported.
 */
static inline bool esptun_skb_charged(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk || !skb->destructor)
		return false;
	if (skb->destructor == sock_wfree)
		return true;
	return sk_fullsock(sk) && sk->sk_type == SOCK_STREAM && sk->sk_protocol == IPPROTO_TCP &&
	       skb->destructor != sock_rfree && skb->destructor != sock_efree &&
	       skb->destructor != sock_edemux;
}

/* Takes references for a cipher that may finish later. False: the SA is going away. */
bool esptun_esp_hold(struct sk_buff *skb);
/* Gives them back, if any. @sa and its device are not valid behind it. */
void esptun_esp_release(struct esptun_sa *sa, bool async);

/**
 * esptun_esp_out - put one inner packet into ESP and send it
 * @skb: the packet, not GSO, network header and data at the inner header; consumed.
 *	Its cb is filled but for @left and @async
 * @room: headroom the outer header and the lower device need
 *
 * Under RCU, BH off.
 */
void esptun_esp_out(struct sk_buff *skb, unsigned int room);

/**
 * esptun_esp_in - take one packet out of ESP and deliver it
 * @skb: the packet, data at the ESP header, network header at the outer header; consumed
 * @sa: its SA
 *
 * Under RCU, BH off.
 */
void esptun_esp_in(struct sk_buff *skb, struct esptun_sa *sa);

/* DSCP and ECN of a received packet's outer header, which is its network header. */
static inline u8 esptun_esp_tos(const struct sk_buff *skb)
{
	return likely(ip_hdr(skb)->version == 4) ? ip_hdr(skb)->tos :
						   ipv6_get_dsfield(ipv6_hdr(skb));
}

/* rcv.c: a packet that came out of ESP, data at the inner header. Consumed. */
void esptun_rcv_deliver(struct sk_buff *skb, u8 next_header);

/* rcv.c: counts and frees a received packet; its cb is filled. */
void esptun_rcv_drop(struct sk_buff *skb, enum esptun_drop reason);

/* xmit.c: counts and frees a packet to be sent; its cb is filled. */
void esptun_xmit_drop(struct sk_buff *skb, enum esptun_drop reason);

#endif /* _ESPTUN_ESP_H */
