// SPDX-License-Identifier: GPL-2.0
/*
 * NAT keepalives: looks now and then how long a tunnel's SA has been silent, and sends one
 * octet to the peer's port if that is long. Costs packets nothing: the SA's counters know
 * when it sent last. Never touches an SA's sequence number.
 */
#include "keepalive.h"
#include "device.h"
#include "esp.h"
#include "outer.h"
#include "policy.h"
#include <linux/skbuff.h>

#define ESPTUN_KEEPALIVE_OCTET 0xff

/* Under RCU, BH off. */
static void esptun_keepalive_send(struct esptun_dev *tun, struct esptun_sa *sa)
{
	struct esptun_route route;
	struct esptun_cb *cb;
	struct sk_buff *skb;
	unsigned int room;

	if (esptun_outer_route(tun, &route))
		return;
	room = esptun_outer_headroom(&route);
	skb = alloc_skb(room + 1, GFP_ATOMIC | __GFP_NOWARN);
	if (skb) {
		skb_reserve(skb, room);
		skb_put_u8(skb, ESPTUN_KEEPALIVE_OCTET);
		cb = esptun_cb(skb);
		memset(cb, 0, sizeof(*cb));
		cb->sa = sa;
		cb->tos = esptun_outer_tos(tun, 0);
		cb->ttl = READ_ONCE(tun->ttl) ? : IPDEFTTL;
		if (!esptun_outer_send(tun, skb, &route, true))
			atomic64_inc(&esptun_net_get(tun->net)->tx_keepalives);
	}
	dst_release(route.dst);
}

/* Seconds until it is to be looked at again; 0: not any more. Under RCU, BH off. */
static unsigned long esptun_keepalive_check(struct esptun_dev *tun)
{
	struct esptun_sa *sa = esptun_policy_usable(tun);
	struct esptun_totals sum;
	u64 silent;

	if (!sa || !sa->keepalive)
		return 0;
	esptun_stats_totals(sa->stats, &sum);
	silent = ktime_get_coarse_boottime_ns() - max(sum.used, sa->created);
	silent = (s64)silent < 0 ? 0 : div_u64(silent, NSEC_PER_SEC);
	if (silent < sa->keepalive)
		return sa->keepalive - silent;
	if (netif_running(tun->dev))
		esptun_keepalive_send(tun, sa);
	return sa->keepalive;
}

void esptun_keepalive_work(struct work_struct *work)
{
	struct esptun_dev *tun = container_of(to_delayed_work(work), struct esptun_dev, keepalive);
	unsigned long again;

	local_bh_disable();
	rcu_read_lock();
	again = esptun_keepalive_check(tun);
	rcu_read_unlock();
	local_bh_enable();
	if (again)
		queue_delayed_work(esptun_wq, &tun->keepalive, again * HZ);
}

void esptun_keepalive_start(struct esptun_dev *tun)
{
	mod_delayed_work(esptun_wq, &tun->keepalive, 0);
}
