/* SPDX-License-Identifier: GPL-2.0 */
/* Where packets enter the tunnel. */
#ifndef _ESPTUN_XMIT_H
#define _ESPTUN_XMIT_H

#include <linux/netdevice.h>

struct esptun_dev;

/* ndo_start_xmit of a device with one tunnel. */
netdev_tx_t esptun_xmit(struct sk_buff *skb, struct net_device *dev);

/* A packet for a tunnel, wherever that was chosen; consumed. Under RCU, BH off. */
void esptun_xmit_tunnel(struct esptun_dev *tun, struct sk_buff *skb);

#endif /* _ESPTUN_XMIT_H */
