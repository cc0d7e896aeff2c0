// SPDX-License-Identifier: GPL-2.0
/*
 * The neighbour entries over our devices: what the IP layer calls with a packet that it
 * has routed to one. They pass it on to the core as ever, except where the core would
 * drop it without a trace because the device has no carrier: that packet is ours to send,
 * or to count and to ask for an SA. Knows nothing of SAs itself.
 */
#include "neigh.h"
#include <linux/inetdevice.h>
#include <net/neighbour.h>
#include <net/sch_generic.h>

/*
 * Without carrier the core puts a queue in front of the device that swallows everything,
 * and takes it away again a while after the carrier has come.
 */
static bool esptun_neigh_swallows(const struct net_device *dev)
{
	const struct netdev_queue *txq = netdev_get_tx_queue(dev, 0);

	return rcu_access_pointer(txq->qdisc) == &noop_qdisc;
}

/* Called under RCU; before 6.4 with BH off, as esptun_xmit() wants it, later without. */
static int esptun_neigh_output(struct neighbour *neigh, struct sk_buff *skb)
{
	struct net_device *dev = neigh->dev;

	if (likely(!esptun_neigh_swallows(dev)) || !netif_running(dev))
		return dev_queue_xmit(skb);
	skb_reset_mac_header(skb);
	local_bh_disable();
	dev->netdev_ops->ndo_start_xmit(skb, dev);
	local_bh_enable();
	return NET_XMIT_SUCCESS;
}

/* An entry that somebody has set to a state in which nothing can be sent. */
static void esptun_neigh_error(struct neighbour *neigh, struct sk_buff *skb)
{
	kfree_skb(skb);
}

static const struct neigh_ops esptun_neigh_ops4 = {
	.family = AF_INET,
	.error_report = esptun_neigh_error,
	.output = esptun_neigh_output,
	.connected_output = esptun_neigh_output,
};

static const struct neigh_ops esptun_neigh_ops6 = {
	.family = AF_INET6,
	.error_report = esptun_neigh_error,
	.output = esptun_neigh_output,
	.connected_output = esptun_neigh_output,
};

int esptun_neigh_construct(struct net_device *dev, struct neighbour *neigh)
{
	neigh->ops = neigh->tbl->family == AF_INET ? &esptun_neigh_ops4 : &esptun_neigh_ops6;
	neigh->output = neigh->ops->output;
	return 0;
}
