/* SPDX-License-Identifier: GPL-2.0 */
/* NAT keepalives (RFC 3948 2.3, 4): one octet when a tunnel has been silent. */
#ifndef _ESPTUN_KEEPALIVE_H
#define _ESPTUN_KEEPALIVE_H

struct esptun_dev;
struct work_struct;

/* An outbound SA that asks for keepalives is in use from now on. Any context. */
void esptun_keepalive_start(struct esptun_dev *tun);

/* &esptun_dev.keepalive */
void esptun_keepalive_work(struct work_struct *work);

#endif /* _ESPTUN_KEEPALIVE_H */
