/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Received inner packets on their way into the stack: at once if nothing can be gained
 * by holding them, otherwise merged with others of their stream. One queue for each CPU,
 * whatever the number of devices.
 */
#ifndef _ESPTUN_GRO_H
#define _ESPTUN_GRO_H

#include <linux/skbuff.h>

int esptun_gro_init(void);
void esptun_gro_exit(void);

/**
 * esptun_gro_receive - hand a packet to the stack
 * @skb: inner packet, skb->dev the tunnel, data at the network header
 *
 * Under RCU, BH off. Return: 0, then it is consumed; otherwise it stays the caller's:
 * -ENETDOWN the device is down, -ENOBUFS too many packets wait.
 */
int esptun_gro_receive(struct sk_buff *skb);

/*
 * Waits until no packet received so far is held here. For a device that goes, when it is
 * down and an RCU grace period has passed. May sleep.
 */
void esptun_gro_drain(void);

#endif /* _ESPTUN_GRO_H */
