/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tunnel device and what the module keeps for each network namespace.
 */
#ifndef _ESPTUN_DEVICE_H
#define _ESPTUN_DEVICE_H

#include "path.h"
#include "stats.h"
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

/**
 * DOC: ownership and locking
 *
 * A &struct esptun_dev is the private part of its net_device and lives as long. It has
 * two namespaces: the one the device is visible in, dev_net(@dev), which may change, and
 * the underlay, @net, in which outer packets travel and SPIs are looked up; it never
 * changes. When the underlay ends, its devices end, wherever they are.
 *
 * A &struct esptun_sa belongs to one device. It is reached through the device's list,
 * through the tables of the underlay (by SPI) and, outbound ones in use, through
 * &esptun_dev.out or &esptun_dev.outs. Packets use it under RCU only and take no reference; what outlives
 * the RCU section, that is a request to an asynchronous cipher, holds a reference on the
 * SA and one on the device. An SA that is taken out of the tables loses its base
 * reference after a grace period; with the last one it is freed, by a worker.
 *
 * Locks, outermost first:
 *  - RTNL: making, changing, deleting devices; the MTU.
 *  - &esptun_net.mutex: installing and deleting SAs, reserving SPIs, in one underlay.
 *    Everything that writes to its tables.
 *  - &esptun_dev.lock (spinlock, BH): the device's list of SAs, the states of the SAs,
 *    &esptun_dev.outs and the carrier that follows from them, &esptun_dev.path. Packets
 *    take it too, when they change a state: the first packet of an SA, the packet that
 *    meets a limit.
 *  - the keyring's lock.
 *
 * No lock is taken for a packet that changes no state. Fields that RTNL writes and
 * packets read are single words, read and written once.
 */

/**
 * struct esptun_net - one network namespace in its role as underlay
 * @net: the namespace
 * @mutex: see above
 * @devices: devices with this underlay, under RTNL
 * @remotes: the same and branches of external ones by remote address, under @mutex, RCU
 * @in: inbound SAs by SPI
 * @out: outbound SAs by SPI, for ICMP errors
 * @reserved: SPIs handed out and not yet used, under @mutex
 * @rx_foreign: ESP packets that were not ours
 * @rx_keepalives: NAT keepalives received
 * @tx_keepalives: NAT keepalives sent
 * @encaps: SAs in UDP, under @mutex
 * @stand_ins: sockets in place of closed ones, under @mutex
 * @prober: lets outer packets pass route exceptions; there since the first device
 */
struct esptun_net {
	struct net *net;
	struct mutex mutex;
	struct list_head devices;
	DECLARE_HASHTABLE(remotes, 8);
	struct esptun_sadb_table __rcu *in;
	struct esptun_sadb_table __rcu *out;
	DECLARE_HASHTABLE(reserved, 6);
	atomic64_t rx_foreign;
	atomic64_t rx_keepalives;
	atomic64_t tx_keepalives;
	u32 encaps;
	struct list_head stand_ins;
	struct sock *prober;
};

struct esptun_net *esptun_net_get(const struct net *net);

/* What the transform in use takes from each packet; kept while there is no SA. */
struct esptun_shape {
	u8 header;	/* octets in front of ESP */
	bool encap;	/* in UDP */
	u8 iv_len;
	u8 icv_len;
	u8 block;
};

/**
 * struct esptun_dev - a tunnel
 * @out: the SA to send with if it is the only one and for all packets, active or expired
 *	with nothing to follow it; otherwise NULL, and @outs is to be looked at
 * @path: where packets go and come from, by RCU
 * @dev: the device this is part of
 * @net: underlay
 * @local: our outer address as configured, any: as the route says; changed under RTNL, the
 *	underlay's mutex and @lock, so each of them does for reading it
 * @remote: the peer's outer address as configured; as @local
 * @fwmark: for the outer route, and on outer packets if not 0
 * @link: ifindex in @net that outer packets are bound to, or 0
 * @ttl: of outer packets, 0: that of the inner packet
 * @tos: outer DSCP in the upper six bits, 1: that of the inner packet
 * @pmtudisc: outer packets carry DF
 * @keep_carrier: carrier does not follow the SA
 * @mss_clamp: TCP SYNs announce no more than fits
 * @rx_extra: received packets need more than the usual: @mss_clamp, or it is a branch
 * @external: an external device or a branch of one, see external.h
 * @tunnel_id: not 0: a branch of an external device, the one of this ID
 * @branches: of an external device, by ID, under the underlay's mutex and RCU
 * @pmtu: path MTU learned from ICMP, 0: none
 * @pmtu_expires: jiffies when @pmtu ends
 * @path_mtu: path MTU that the device's MTU was last computed from
 * @shape: of the last active outbound SA
 * @mtu_auto: the MTU is ours to set; false once the administrator has, under RTNL
 * @mtu_setting: we are setting the MTU ourselves, under RTNL
 * @gone: no SA can be installed any more, under the underlay's mutex
 * @gone_reason: why, for the events
 * @lock: see DOC above
 * @outs: the outbound SAs in use, active or expired with nothing to follow them, the most
 *	specific selectors first, RCU; see policy.h
 * @sas: all SAs, oldest first
 * @sa_count: their number
 * @usable: there is a usable outbound SA, as last told to listeners
 * @acquired: jiffies of the last acquire event
 * @drops: counters
 * @keepalive: sends NAT keepalives
 * @mtu_work: sets the MTU from process context
 * @id: key in the table that dumps walk
 * @by_net: in &esptun_net.devices
 * @by_remote: in &esptun_net.remotes
 */
struct esptun_dev {
	struct esptun_sa __rcu *out;
	struct esptun_path __rcu *path;
	struct net_device *dev;
	struct net *net;
	struct esptun_addr local;
	struct esptun_addr remote;
	u32 fwmark;
	int link;
	u8 ttl;
	u8 tos;
	bool pmtudisc;
	bool keep_carrier;
	bool mss_clamp;
	bool rx_extra;
	bool external;
	u32 pmtu;
	unsigned long pmtu_expires;
	u32 path_mtu;
	struct esptun_shape shape;
	bool mtu_auto;
	bool mtu_setting;
	bool gone;
	u8 gone_reason;
	spinlock_t lock;
	struct list_head outs;
	struct list_head sas;
	u32 sa_count;
	bool usable;
	unsigned long acquired;
	struct esptun_drops drops;
	struct work_struct mtu_work;
	struct delayed_work keepalive;
	u32 id;
	u32 tunnel_id;
	struct xarray branches;
	struct list_head by_net;
	struct hlist_node by_remote;
};

/* Where the module's deferred work runs; emptied before the module goes. */
extern struct workqueue_struct *esptun_wq;

/*
 * Set for good when somebody gets to call us who is still in our code, for a few instructions,
 * after he has given up what kept it there; see the module's exit.
 */
extern bool esptun_lingers;

bool esptun_device_is(const struct net_device *dev);

/*
 * Enters a device or a branch into the tables that packets and dumps find it in, and takes it
 * out. Under the underlay's mutex. 0 or -errno.
 */
int esptun_device_enter(struct esptun_dev *tun);
void esptun_device_leave(struct esptun_dev *tun);

/* The device of that index in @net with a reference (dev_put()), or NULL. */
struct esptun_dev *esptun_device_get(struct net *net, u32 ifindex);

/**
 * esptun_device_next - walk over all devices, for dumps
 * @id: of the last device seen, 0 to begin; updated. Increasing.
 *
 * Under rcu_read_lock(). Return: the next one, NULL at the end.
 */
struct esptun_dev *esptun_device_next(unsigned long *id);

/*
 * A device with this remote (and local) address in the underlay, and with this UDP port of
 * the peer unless it is 0; under RCU.
 */
struct esptun_dev *esptun_device_find(struct esptun_net *en, const struct esptun_addr *remote,
				      const struct esptun_addr *local, __be16 port);

/**
 * esptun_device_follow - let carrier and MTU follow the outbound SAs
 *
 * Call with &esptun_dev.lock held whenever &esptun_dev.outs or a state in it has changed.
 * Return: true if listeners are to be told of the carrier, after unlocking.
 */
bool esptun_device_follow(struct esptun_dev *tun);

/* The largest inner packet that fits path and transform, nothing rounded up. */
unsigned int esptun_device_room(const struct esptun_dev *tun);

/* The MTU may have to change: look at it later, in process context. Any context. */
void esptun_device_mtu_later(struct esptun_dev *tun);

/* The same at once. May sleep, takes RTNL; the caller holds a reference on the device. */
void esptun_device_mtu_now(struct esptun_dev *tun);

/*
 * What the caller has just done may have brought the carrier on; the core lets packets in
 * a moment later. Wait for that, so that the next packet is not lost, and set the MTU.
 * May sleep, takes RTNL; the caller holds a reference on the device.
 */
void esptun_device_settle(struct esptun_dev *tun);

/* link.c */
extern struct rtnl_link_ops esptun_link_ops;

int esptun_device_init(void);
void esptun_device_exit(void);

#endif /* _ESPTUN_DEVICE_H */
