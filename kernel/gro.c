// SPDX-License-Identifier: GPL-2.0
/*
 * The way of inner packets into the stack, see gro.h. Knows nothing of tunnels: devices
 * share one NAPI for each CPU, so that an idle tunnel needs no memory for it.
 */
#include "gro.h"
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <net/ip.h>
#include <net/ipv6.h>

/**
 * struct esptun_gro - a CPU's part
 * @napi: merges; its poll ends what is merged
 * @queue: packets that came while the stack was busy with another one of ours
 * @in: packets that were ever put into @queue
 * @out: packets that were ever taken from it
 * @rounds: polls that have ended
 * @armed: the poll is going to run
 * @busy: the stack has a packet of ours, or is being given one
 *
 * Only its own CPU writes to it, with BH off.
 *
 * A packet may contain ESP for another of our tunnels, and that one another. If the
 * stack were called for it while it is in the midst of the first, a peer could make the
 * kernel's stack as deep as it likes, and the lists of @napi would change while they are
 * walked. So what comes while @busy waits in @queue.
 */
struct esptun_gro {
	struct napi_struct napi;
	struct sk_buff_head queue;
	u32 in;
	u32 out;
	u32 rounds;
	bool armed;
	bool busy;
};

static DEFINE_PER_CPU(struct esptun_gro, esptun_gro);
/* NAPI wants a device; this one is never registered. */
static struct net_device *esptun_gro_dev;

/* Can holding the packet back merge it with another? */
static bool esptun_gro_merges(const struct sk_buff *skb)
{
	netdev_features_t features = skb->dev->features;
	u8 protocol;

	if (unlikely(!(features & NETIF_F_GRO)))
		return false;
	protocol = skb->protocol == htons(ETH_P_IP) ? ip_hdr(skb)->protocol :
						      ipv6_hdr(skb)->nexthdr;
	if (protocol == IPPROTO_TCP)
		return true;
	return protocol == IPPROTO_UDP && (features & ESPTUN_GRO_UDP_FEATURES);
}

static void esptun_gro_arm(struct esptun_gro *g)
{
	if (g->armed)
		return;
	WRITE_ONCE(g->armed, true);
	napi_schedule(&g->napi);
}

static int esptun_gro_queue(struct esptun_gro *g, struct sk_buff *skb)
{
	if (skb_queue_len(&g->queue) > esptun_compat_max_backlog())
		return -ENOBUFS;
	__skb_queue_tail(&g->queue, skb);
	WRITE_ONCE(g->in, g->in + 1);
	esptun_gro_arm(g);
	return 0;
}

static void esptun_gro_deliver(struct esptun_gro *g, struct sk_buff *skb)
{
	if (esptun_gro_merges(skb)) {
		esptun_gro_arm(g);
		napi_gro_receive(&g->napi, skb);
	} else {
		netif_receive_skb(skb);
	}
}

int esptun_gro_receive(struct sk_buff *skb)
{
	struct esptun_gro *g = this_cpu_ptr(&esptun_gro);

	/* Of a device that goes nothing may be held any more. */
	if (unlikely(!(READ_ONCE(skb->dev->flags) & IFF_UP)))
		return -ENETDOWN;
	if (unlikely(g->busy))
		return esptun_gro_queue(g, skb);
	WRITE_ONCE(g->busy, true);
	esptun_gro_deliver(g, skb);
	WRITE_ONCE(g->busy, false);
	return 0;
}

static int esptun_gro_poll(struct napi_struct *napi, int budget)
{
	struct esptun_gro *g = container_of(napi, struct esptun_gro, napi);
	struct sk_buff *skb;
	int done = 0;

	WRITE_ONCE(g->busy, true);
	while (done < budget && (skb = __skb_dequeue(&g->queue))) {
		WRITE_ONCE(g->out, g->out + 1);
		esptun_gro_deliver(g, skb);
		done++;
	}
	if (done < budget) {
		/* What is queued from here on asks for another poll; @busy before @armed. */
		smp_store_release(&g->armed, false);
		napi_complete_done(napi, done);
	} else {
		napi_gro_flush(napi, false);
	}
	smp_store_release(&g->busy, false);
	smp_store_release(&g->rounds, g->rounds + 1);
	return done;
}

/* Has everything that was held at (@in, @rounds) left? @armed is read before @busy. */
static bool esptun_gro_drained(const struct esptun_gro *g, u32 in, u32 rounds)
{
	if ((s32)(READ_ONCE(g->out) - in) < 0)
		return false;
	if (!smp_load_acquire(&g->armed) && !smp_load_acquire(&g->busy))
		return true;
	/* One poll may have been half through, and a list is given up behind a poll. */
	return smp_load_acquire(&g->rounds) - rounds >= 3;
}

void esptun_gro_drain(void)
{
	u32 in, rounds;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct esptun_gro *g = per_cpu_ptr(&esptun_gro, cpu);

		in = READ_ONCE(g->in);
		while ((s32)(READ_ONCE(g->out) - in) < 0)
			usleep_range(100, 1000);
		rounds = smp_load_acquire(&g->rounds);
		while (!esptun_gro_drained(g, in, rounds))
			usleep_range(100, 1000);
	}
}

int esptun_gro_init(void)
{
	int cpu;

	esptun_gro_dev = esptun_compat_alloc_dummy();
	if (!esptun_gro_dev)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct esptun_gro *g = per_cpu_ptr(&esptun_gro, cpu);

		__skb_queue_head_init(&g->queue);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &g->napi.state);
		esptun_compat_napi_add(esptun_gro_dev, &g->napi, esptun_gro_poll);
		napi_enable(&g->napi);
	}
	return 0;
}

/* The devices have gone: nothing is held, nothing comes. */
void esptun_gro_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esptun_gro *g = per_cpu_ptr(&esptun_gro, cpu);

		napi_disable(&g->napi);
		netif_napi_del(&g->napi);
	}
	esptun_compat_free_dummy(esptun_gro_dev);
}
