/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a tunnel's outer packets go: the two endpoints and the route between them. A path
 * never changes; a device that gets other endpoints gets another path, so a packet sees
 * all of the old one or all of the new one, without a lock.
 */
#ifndef _ESPTUN_PATH_H
#define _ESPTUN_PATH_H

#include "addr.h"
#include <linux/rcupdate.h>
#include <net/dst_cache.h>

struct esptun_dev;
struct esptun_sa;
struct metadata_dst;
struct sk_buff;

/**
 * struct esptun_path - endpoints of a tunnel as they are now
 * @remote: the peer
 * @local: our address, any: as the route says; of the same family
 * @port: the peer's UDP port, 0 as long as no SA is encapsulated in UDP
 * @route: outer route, per CPU
 * @metadata: of a branch: what received packets are given along, see external.h; or NULL
 * @rcu: frees it
 */
struct esptun_path {
	struct esptun_addr remote;
	struct esptun_addr local;
	__be16 port;
	struct dst_cache route;
	struct metadata_dst *metadata;
	struct rcu_head rcu;
};

/* A path of @tun that nobody uses yet; NULL without memory. */
struct esptun_path *esptun_path_new(const struct esptun_dev *tun, const struct esptun_addr *local,
				    const struct esptun_addr *remote, __be16 port, gfp_t gfp);

/* Frees a path that no packet can see. Any context. NULL is fine. */
void esptun_path_free(struct esptun_path *path);

/* Gives the device another path; the old one is freed. Under the device's lock. */
void esptun_path_set(struct esptun_dev *tun, struct esptun_path *path);

/*
 * The peer has this UDP port: its keyer says so. May sleep, under the underlay's mutex. 0 or
 * -ENOMEM.
 */
int esptun_path_set_port(struct esptun_dev *tun, __be16 port);

/*
 * The device has no SA any more, or none yet: the peer is where the configuration says. May
 * sleep, under the underlay's mutex. 0 or -ENOMEM.
 */
int esptun_path_home(struct esptun_dev *tun);

/**
 * esptun_path_follow - an authenticated packet shows where the peer is
 * @sa: its SA, encapsulated in UDP
 * @skb: the packet, data at the ESP header
 * @seq: its number
 *
 * Under RCU, BH off.
 */
void esptun_path_follow(struct esptun_sa *sa, const struct sk_buff *skb, u64 seq);

/* The device's path for whoever holds the device's lock, or RTNL while it is being made. */
#define esptun_path_held(tun) \
	rcu_dereference_protected((tun)->path, lockdep_is_held(&(tun)->lock))

#endif /* _ESPTUN_PATH_H */
