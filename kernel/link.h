/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Between link.c, which makes devices, and device.c, which knows them all.
 */
#ifndef _ESPTUN_LINK_H
#define _ESPTUN_LINK_H

#include "device.h"

/* Enters a new device into the tables, and takes it out with its SAs. Under RTNL. */
int esptun_device_register(struct esptun_dev *tun);
void esptun_device_unregister(struct esptun_dev *tun);

/* Changes the endpoints. Under RTNL. -EBUSY while there are SAs, -ENOMEM. */
int esptun_device_rebind(struct esptun_dev *tun, const struct esptun_addr *local,
			 const struct esptun_addr *remote);

/* The MTU that fits path and transform. */
int esptun_device_want_mtu(struct esptun_dev *tun);
void esptun_device_mtu_work(struct work_struct *work);

#endif /* _ESPTUN_LINK_H */
