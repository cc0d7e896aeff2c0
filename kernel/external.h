/* SPDX-License-Identifier: GPL-2.0 */
/*
 * External devices ("ip link add NAME type esptun external"): one net_device for many
 * tunnels, told apart by the tunnel ID in a packet's metadata, which a route
 * ("encap ip id N") or tc ("action tunnel_key set id N") puts on it, and which received
 * packets bring along.
 */
#ifndef _ESPTUN_EXTERNAL_H
#define _ESPTUN_EXTERNAL_H

#include "device.h"

struct metadata_dst;
struct netlink_ext_ack;

/**
 * DOC: branches
 *
 * Each tunnel of an external device is a branch: a &struct esptun_dev of its own whose
 * @dev is the external one. Its SAs belong to it like those of a point-to-point device to
 * theirs, so nothing on a packet's way but its two ends knows of branches. A branch is made
 * with its first SA and goes when its last one is freed; it holds a reference on the device
 * until then. Whoever looks at one outside of RCU holds a reference on the branch.
 *
 * The device itself, &esptun_dev.external without @tunnel_id, has no SAs and no peer. It has
 * the options, which its branches copy, the reservations of SPIs, and the sums of all drops.
 */

/* The branch of that ID, under RCU or the underlay's mutex; NULL: none. */
static inline struct esptun_dev *esptun_external_find(struct esptun_dev *tun, u64 id)
{
	return id <= U32_MAX ? xa_load(&tun->branches, id) : NULL;
}

/* The external device that a branch is part of. */
static inline struct esptun_dev *esptun_external_trunk(const struct esptun_dev *tun)
{
	return netdev_priv(tun->dev);
}

/* The branch of that ID with a reference; NULL: none. */
struct esptun_dev *esptun_external_get(struct esptun_dev *tun, u32 id);

/**
 * esptun_external_make - the branch of that ID, made if there is none yet
 * @tun: external device; the caller holds a reference on it
 * @id: not 0
 * @local: our endpoint; family AF_UNSPEC: any
 * @remote: the peer; family AF_UNSPEC: not given
 * @extack: told what is wrong
 *
 * May sleep. Return: the branch with a reference, or an error: -EINVAL endpoints that cannot
 * be, or none for a new branch, -EBUSY others than the branch has, -ENODEV, -ENOMEM.
 */
struct esptun_dev *esptun_external_make(struct esptun_dev *tun, u32 id,
					const struct esptun_addr *local,
					const struct esptun_addr *remote,
					struct netlink_ext_ack *extack);

/* A reference on a branch for as long as an SA exists; nothing for other devices. */
void esptun_external_hold(struct esptun_dev *tun);
/* Gives it back. May sleep; may be the branch's end. Nothing for other devices. */
void esptun_external_put(struct esptun_dev *tun);

/* Deletes the SAs of all branches, which are to be gone. Under RTNL and the underlay's mutex. */
void esptun_external_flush_locked(struct esptun_dev *tun, u32 reason);

/* What of a path is put on received packets; NULL on error. */
struct metadata_dst *esptun_external_metadata(const struct esptun_dev *tun,
					      const struct esptun_path *path, gfp_t gfp);

/* Puts it on. Under RCU. */
void esptun_external_tag(struct sk_buff *skb, const struct esptun_dev *tun);

/* ndo_start_xmit of an external device. */
netdev_tx_t esptun_external_xmit(struct sk_buff *skb, struct net_device *dev);

#endif /* _ESPTUN_EXTERNAL_H */
