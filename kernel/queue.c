// SPDX-License-Identifier: GPL-2.0
/*
 * The queue in front of a device without carrier. The core puts one there that swallows
 * everything without a trace, so that packet sockets would lose packets that nobody counts
 * and that ask for no SA. (tc redirects nothing to such a device, and counts that.) Our
 * devices have no queue of their own, carrier or not: it is taken away again as soon as the
 * core has put it there. What the IP layer sends in that moment is seen to by neigh.c.
 */
#include "queue.h"
#include "device.h"
#include <linux/rtnetlink.h>
#include <net/sch_generic.h>

/* Under RTNL, as the core's own changes of queues. */
static void esptun_queue_open(struct net_device *dev)
{
	struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);
	struct Qdisc *own = esptun_compat_qdisc_sleeping(txq);

	/* One that the administrator has chosen waits for carrier as in front of any device. */
	if (rtnl_dereference(txq->qdisc) == &noop_qdisc && !own->enqueue)
		rcu_assign_pointer(txq->qdisc, own);
}

/* The device comes up, or the core has taken notice of its carrier. */
static int esptun_queue_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if ((event == NETDEV_UP || event == NETDEV_CHANGE) && esptun_device_is(dev) &&
	    netif_running(dev) && !netif_carrier_ok(dev))
		esptun_queue_open(dev);
	return NOTIFY_DONE;
}

static struct notifier_block esptun_queue_notifier = { .notifier_call = esptun_queue_event };

int esptun_queue_init(void)
{
	return register_netdevice_notifier(&esptun_queue_notifier);
}

void esptun_queue_exit(void)
{
	unregister_netdevice_notifier(&esptun_queue_notifier);
}
