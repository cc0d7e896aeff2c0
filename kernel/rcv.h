/* SPDX-License-Identifier: GPL-2.0 */
/* Where ESP packets and errors about them come in. */
#ifndef _ESPTUN_RCV_H
#define _ESPTUN_RCV_H

#include <linux/types.h>

struct inet6_skb_parm;
struct sk_buff;

int esptun_rcv_init(void);
void esptun_rcv_exit(void);

/* icmp.c: an ICMP error quotes an ESP packet; data at the quoted IP header. 0: was ours. */
int esptun_icmp_err(struct sk_buff *skb, u32 info);
int esptun_icmp_err6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		     int offset, __be32 info);

#endif /* _ESPTUN_RCV_H */
