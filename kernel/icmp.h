/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors that quote packets we sent. All under RCU, BH off. */
#ifndef _ESPTUN_ICMP_H
#define _ESPTUN_ICMP_H

#include <linux/types.h>

struct inet6_skb_parm;
struct sk_buff;
struct sock;

/* An ICMP error quotes an ESP packet; data at the quoted IP header. 0: was ours. */
int esptun_icmp_err(struct sk_buff *skb, u32 info);
int esptun_icmp_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		     int offset, __be32 info);

/*
 * An ICMP or ICMPv6 error quotes a datagram from a socket of ours; network and transport
 * header are the quoted ones. 0: the kernel may learn the path MTU from it; else it is to be
 * ignored.
 */
int esptun_icmp_err_udp(struct sock *sk, struct sk_buff *skb);

#endif /* _ESPTUN_ICMP_H */
