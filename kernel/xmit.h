/* SPDX-License-Identifier: GPL-2.0 */
/* Where packets enter the tunnel. */
#ifndef _ESPTUN_XMIT_H
#define _ESPTUN_XMIT_H

#include <linux/netdevice.h>

netdev_tx_t esptun_xmit(struct sk_buff *skb, struct net_device *dev);

#endif /* _ESPTUN_XMIT_H */
