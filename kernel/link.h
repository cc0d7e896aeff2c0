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

/* What every tunnel begins with, a device or a branch of one. */
void esptun_link_setup_tunnel(struct esptun_dev *tun, struct net_device *dev);

/* The options of an external device for a branch of it. Under the underlay's mutex. */
void esptun_link_copy_options(struct esptun_dev *to, const struct esptun_dev *from);

/* The MTU that fits path and transform. */
int esptun_device_want_mtu(struct esptun_dev *tun);
void esptun_device_mtu_work(struct work_struct *work);

#endif /* _ESPTUN_LINK_H */
