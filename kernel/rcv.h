/* SPDX-License-Identifier: GPL-2.0 */
/* Where ESP packets and errors about them come in. */
#ifndef _ESPTUN_RCV_H
#define _ESPTUN_RCV_H

struct sk_buff;

/*
 * ESP that came in UDP, whose header is in front of the data; otherwise as the handlers of
 * the kernel's ESP demultiplexer: 0 ours and consumed, -EINVAL not ours and not touched.
 */
int esptun_rcv_udp(struct sk_buff *skb);

int esptun_rcv_init(void);
void esptun_rcv_exit(void);

#endif /* _ESPTUN_RCV_H */
