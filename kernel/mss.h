/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The maximum segment size in TCP SYNs, see mss.c.
 */
#ifndef _ESPTUN_MSS_H
#define _ESPTUN_MSS_H

#include <linux/types.h>

struct sk_buff;

/**
 * esptun_mss_clamp - lower the maximum segment size that a SYN announces
 * @skb: an inner packet whose IP header has been found good; any packet will do
 * @mtu: the largest inner packet that fits, octets
 *
 * Any context. Headers of @skb may have moved. Return: false without memory.
 */
bool esptun_mss_clamp(struct sk_buff *skb, unsigned int mtu);

#endif /* _ESPTUN_MSS_H */
