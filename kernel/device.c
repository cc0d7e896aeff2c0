// SPDX-License-Identifier: GPL-2.0
/*
 * What holds the devices together: the underlays, finding devices, the carrier and the
 * MTU that follow the outbound SA. How a device is made and shown is in link.c.
 */
#include "device.h"
#include "outer.h"
#include "policy.h"
#include "sa.h"
#include "sadb.h"
#include "link.h"
#include "netlink.h"
#include "socket.h"
#include <linux/delay.h>
#include <linux/rtnetlink.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <net/sch_generic.h>

struct workqueue_struct *esptun_wq;

/* Tunnels whose routes lead through each other would ask each other for ever more. */
#define ESPTUN_MAX_NEEDED_HEADROOM 512u

static unsigned int esptun_net_id __read_mostly;

/* All devices, by &esptun_dev.id; for dumps. */
static DEFINE_XARRAY_ALLOC1(esptun_devices);

struct esptun_net *esptun_net_get(const struct net *net)
{
	return net_generic(net, esptun_net_id);
}

struct esptun_dev *esptun_device_get(struct net *net, u32 ifindex)
{
	struct net_device *dev = dev_get_by_index(net, ifindex);

	if (!dev)
		return NULL;
	if (esptun_device_is(dev))
		return netdev_priv(dev);
	dev_put(dev);
	return NULL;
}

struct esptun_dev *esptun_device_next(unsigned long *id)
{
	struct esptun_dev *tun;

	while ((tun = xa_find_after(&esptun_devices, id, ULONG_MAX, XA_PRESENT)))
		if (esptun_compat_registered(tun->dev))
			return tun;
	return NULL;
}

struct esptun_dev *esptun_device_find(struct esptun_net *en, const struct esptun_addr *remote,
				      const struct esptun_addr *local, __be16 port)
{
	const struct esptun_path *path;
	struct esptun_dev *tun;

	hash_for_each_possible_rcu(en->remotes, tun, by_remote, esptun_addr_hash(remote)) {
		path = rcu_dereference(tun->path);
		if (esptun_addr_equal(&path->remote, remote) && (!port || path->port == port) &&
		    (esptun_addr_any(&path->local) || esptun_addr_equal(&path->local, local)))
			return tun;
	}
	return NULL;
}

int esptun_device_enter(struct esptun_dev *tun)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	int err;

	lockdep_assert_held(&en->mutex);
	err = xa_alloc(&esptun_devices, &tun->id, tun, xa_limit_31b, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;
	tun->shape.header = esptun_outer_header(rcu_dereference_protected(tun->path, true),
						 tun->shape.encap);
	hash_add_rcu(en->remotes, &tun->by_remote, esptun_addr_hash(&tun->remote));
	esptun_nl_changed();
	return 0;
}

void esptun_device_leave(struct esptun_dev *tun)
{
	lockdep_assert_held(&esptun_net_get(tun->net)->mutex);
	hash_del_rcu(&tun->by_remote);
	xa_erase(&esptun_devices, tun->id);
	esptun_nl_changed();
}

int esptun_device_register(struct esptun_dev *tun)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	int err;

	ASSERT_RTNL();
	err = esptun_outer_prober_init(en);
	if (err)
		return err;
	mutex_lock(&en->mutex);
	err = esptun_device_enter(tun);
	mutex_unlock(&en->mutex);
	if (!err)
		list_add_tail(&tun->by_net, &en->devices);
	return err;
}

void esptun_device_unregister(struct esptun_dev *tun)
{
	struct esptun_net *en = esptun_net_get(tun->net);

	ASSERT_RTNL();
	mutex_lock(&en->mutex);
	tun->gone = true;
	esptun_sa_flush_locked(tun, tun->gone_reason);
	esptun_sadb_unreserve_all(tun);
	esptun_device_leave(tun);
	mutex_unlock(&en->mutex);
	/* There is no SA any more that would start it again. */
	cancel_delayed_work_sync(&tun->keepalive);
	list_del(&tun->by_net);
}

int esptun_device_rebind(struct esptun_dev *tun, const struct esptun_addr *local,
			 const struct esptun_addr *remote)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_path *path;

	ASSERT_RTNL();
	if (esptun_addr_equal(&tun->local, local) && esptun_addr_equal(&tun->remote, remote))
		return 0;
	path = esptun_path_new(tun, local, remote, 0, GFP_KERNEL_ACCOUNT);
	if (!path)
		return -ENOMEM;
	mutex_lock(&en->mutex);
	if (tun->sa_count) {
		mutex_unlock(&en->mutex);
		esptun_path_free(path);
		return -EBUSY;
	}
	hash_del_rcu(&tun->by_remote);
	spin_lock_bh(&tun->lock);
	tun->local = *local;
	tun->remote = *remote;
	esptun_path_set(tun, path);
	spin_unlock_bh(&tun->lock);
	WRITE_ONCE(tun->pmtu, 0);
	hash_add_rcu(en->remotes, &tun->by_remote, esptun_addr_hash(remote));
	mutex_unlock(&en->mutex);
	return 0;
}

bool esptun_device_follow(struct esptun_dev *tun)
{
	struct esptun_sa *sa = esptun_policy_usable(tun);
	bool usable = sa;
	bool told;

	if (usable) {
		WRITE_ONCE(tun->shape.iv_len, sa->crypto.iv_len);
		WRITE_ONCE(tun->shape.icv_len, sa->crypto.icv_len);
		WRITE_ONCE(tun->shape.block, sa->crypto.block);
	}
	if (usable)
		tun->shape.encap = sa->encap;
	WRITE_ONCE(tun->shape.header,
		   esptun_outer_header(esptun_path_held(tun), tun->shape.encap));
	if (usable || READ_ONCE(tun->keep_carrier))
		netif_carrier_on(tun->dev);
	else
		netif_carrier_off(tun->dev);
	told = usable != tun->usable;
	tun->usable = usable;
	return told;
}

unsigned int esptun_device_room(const struct esptun_dev *tun)
{
	struct esptun_crypto c = {
		.iv_len = READ_ONCE(tun->shape.iv_len),
		.icv_len = READ_ONCE(tun->shape.icv_len),
		.block = READ_ONCE(tun->shape.block),
	};
	int room = esptun_crypto_room(&c, (int)READ_ONCE(tun->path_mtu) -
				      READ_ONCE(tun->shape.header));

	return clamp_t(int, room, 0, READ_ONCE(tun->dev->mtu));
}

/*
 * The largest inner packet whose outer packet fits the path. Not below what IPv6 needs:
 * the kernel would take IPv6 off the device. What is too large then is fragmented
 * outside, see xmit.c.
 */
int esptun_device_want_mtu(struct esptun_dev *tun)
{
	struct esptun_crypto c = { 0 };
	struct esptun_route route;
	int mtu = ETH_DATA_LEN;
	unsigned int room;
	int header;

	spin_lock_bh(&tun->lock);
	c.iv_len = tun->shape.iv_len;
	c.icv_len = tun->shape.icv_len;
	c.block = tun->shape.block;
	header = tun->shape.header;
	spin_unlock_bh(&tun->lock);
	local_bh_disable();
	rcu_read_lock();
	if (!esptun_outer_route(tun, &route)) {
		mtu = esptun_outer_mtu(tun, &route);
		WRITE_ONCE(tun->path_mtu, mtu);
		room = min(esptun_outer_headroom(&route), ESPTUN_MAX_NEEDED_HEADROOM);
		/* The device of many tunnels has what that needs which needs most. */
		if (!tun->external || room > tun->dev->needed_headroom)
			WRITE_ONCE(tun->dev->needed_headroom, room);
		dst_release(route.dst);
	}
	rcu_read_unlock();
	local_bh_enable();
	mtu = esptun_crypto_room(&c, mtu - header);
	return clamp(mtu, IPV6_MIN_MTU, (int)tun->dev->max_mtu);
}

void esptun_device_mtu_now(struct esptun_dev *tun)
{
	struct net_device *dev = tun->dev;
	int mtu;

	mtu = esptun_device_want_mtu(tun);
	if (!READ_ONCE(tun->mtu_auto) || READ_ONCE(dev->mtu) == mtu)
		return;
	rtnl_lock();
	if (esptun_compat_registered(dev) && tun->mtu_auto) {
		tun->mtu_setting = true;
		dev_set_mtu(dev, mtu);
		tun->mtu_setting = false;
	}
	rtnl_unlock();
}

void esptun_device_settle(struct esptun_dev *tun)
{
	struct net_device *dev = tun->dev;
	int tries;

	esptun_device_mtu_now(tun);
	/* The link watcher does it, urgently; the bound is for a device going down meanwhile. */
	for (tries = 0; tries < 100; tries++) {
		if (!netif_running(dev) || !netif_carrier_ok(dev) || !qdisc_tx_is_noop(dev))
			break;
		usleep_range(200, 2000);
	}
}

void esptun_device_mtu_work(struct work_struct *work)
{
	struct esptun_dev *tun = container_of(work, struct esptun_dev, mtu_work);
	struct net_device *dev = tun->dev;

	esptun_device_mtu_now(tun);
	dev_put(dev);
}

void esptun_device_mtu_later(struct esptun_dev *tun)
{
	dev_hold(tun->dev);
	if (!queue_work(esptun_wq, &tun->mtu_work))
		dev_put(tun->dev);
}

static int __net_init esptun_net_init(struct net *net)
{
	struct esptun_net *en = esptun_net_get(net);

	en->net = net;
	mutex_init(&en->mutex);
	INIT_LIST_HEAD(&en->devices);
	INIT_LIST_HEAD(&en->stand_ins);
	hash_init(en->remotes);
	return esptun_sadb_init(en);
}

static void __net_exit esptun_net_exit(struct net *net)
{
	struct esptun_net *en = esptun_net_get(net);

	mutex_lock(&en->mutex);
	esptun_socket_release(en);
	mutex_unlock(&en->mutex);
	esptun_outer_prober_exit(en);
	esptun_sadb_exit(en);
}

/* Devices in other namespaces whose underlay ends; those inside are the core's business. */
static void __net_exit esptun_net_exit_batch(struct list_head *nets)
{
	struct esptun_dev *tun;
	struct net *net;
	LIST_HEAD(dead);

	rtnl_lock();
	list_for_each_entry(net, nets, exit_list) {
		list_for_each_entry(tun, &esptun_net_get(net)->devices, by_net) {
			tun->gone_reason = ESPTUN_DELETE_REASON_NETNS_GONE;
			unregister_netdevice_queue(tun->dev, &dead);
		}
	}
	unregister_netdevice_many(&dead);
	rtnl_unlock();
}

/*
 * Two stages: devices end before the core takes down what is left in the namespace, the
 * tables after that, when no packet can arrive in it any more.
 */
static struct pernet_operations esptun_net_ops = {
	.init = esptun_net_init,
	.exit = esptun_net_exit,
	.id = &esptun_net_id,
	.size = sizeof(struct esptun_net),
};

static struct pernet_operations esptun_net_device_ops = {
	.exit_batch = esptun_net_exit_batch,
};

int esptun_device_init(void)
{
	int err;

	esptun_wq = alloc_workqueue("esptun", WQ_UNBOUND, 0);
	if (!esptun_wq)
		return -ENOMEM;
	err = register_pernet_subsys(&esptun_net_ops);
	if (err)
		goto err_wq;
	err = register_pernet_device(&esptun_net_device_ops);
	if (err)
		goto err_net;
	return 0;

err_net:
	unregister_pernet_subsys(&esptun_net_ops);
err_wq:
	destroy_workqueue(esptun_wq);
	return err;
}

void esptun_device_exit(void)
{
	unregister_pernet_device(&esptun_net_device_ops);
	unregister_pernet_subsys(&esptun_net_ops);
	/* SAs queue their end after a grace period: wait for those, then for the work. */
	rcu_barrier();
	destroy_workqueue(esptun_wq);
	/* Work on a device ends with a reference given up; the device may go after that. */
	rcu_barrier();
}
