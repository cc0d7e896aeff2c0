/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The neighbour entries over our devices, see neigh.c.
 */
#ifndef _ESPTUN_NEIGH_H
#define _ESPTUN_NEIGH_H

struct neighbour;
struct net_device;

/* ndo_neigh_construct: a new entry over the device. */
int esptun_neigh_construct(struct net_device *dev, struct neighbour *neigh);

#endif /* _ESPTUN_NEIGH_H */
