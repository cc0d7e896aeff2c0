// SPDX-License-Identifier: GPL-2.0
/*
 * Drop counters, the record of the last error, and sums, see stats.h. Also the home of
 * the tracepoints. Never decides whether a packet is dropped.
 */
#include "stats.h"
#include "device.h"
#include "external.h"
#include "nl_gen.h"
#include "sa.h"
#include <linux/skbuff.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(esptun_drop);

struct esptun_census esptun_census;

/*
 * What the kernel's own drop monitor is told; it has a fixed list, in which a module from
 * outside can have no names of its own. Ours are in the tracepoint esptun_drop.
 */
static const esptun_skb_reason_t esptun_stats_reasons[ESPTUN_DROP_COUNT] = {
	[ESPTUN_DROP_TX_NO_SA] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_TX_EXPIRED] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_TX_SEQ_EXHAUSTED] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_TX_BAD_INNER] = ESPTUN_SKB_REASON(IP_INHDR),
	[ESPTUN_DROP_TX_NOT_IP] = ESPTUN_SKB_REASON(UNHANDLED_PROTO),
	[ESPTUN_DROP_TX_MTU] = ESPTUN_SKB_REASON(PKT_TOO_BIG),
	[ESPTUN_DROP_TX_NO_ROUTE] = ESPTUN_SKB_REASON(IP_OUTNOROUTES),
	[ESPTUN_DROP_TX_NO_MEMORY] = ESPTUN_SKB_REASON(NOMEM),
	[ESPTUN_DROP_TX_CRYPTO_BUSY] = ESPTUN_SKB_REASON(FULL_RING),
	[ESPTUN_DROP_RX_NO_SA] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_RX_EXPIRED] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_RX_WRONG_SOURCE] = ESPTUN_SKB_REASON(XFRM_POLICY),
	[ESPTUN_DROP_RX_TOO_SHORT] = ESPTUN_SKB_REASON(HDR_TRUNC),
	[ESPTUN_DROP_RX_ICV_FAIL] = ESPTUN_SKB_REASON(SKB_CSUM),
	[ESPTUN_DROP_RX_BAD_INNER] = ESPTUN_SKB_REASON(IP_INHDR),
	[ESPTUN_DROP_RX_DUMMY] = ESPTUN_SKB_REASON(UNHANDLED_PROTO),
	[ESPTUN_DROP_RX_DEVICE_DOWN] = ESPTUN_SKB_REASON(DEV_READY),
	[ESPTUN_DROP_RX_NO_MEMORY] = ESPTUN_SKB_REASON(NOMEM),
	[ESPTUN_DROP_RX_CRYPTO_BUSY] = ESPTUN_SKB_REASON(FULL_RING),
};

void esptun_stats_init(struct esptun_drops *drops)
{
	memset(drops, 0, sizeof(*drops));
	spin_lock_init(&drops->lock);
}

static void esptun_stats_count(struct esptun_drops *drops, const struct esptun_last_error *last,
			       u32 packets)
{
	atomic64_add(packets, &drops->count[last->reason]);
	/* Under a flood one record is as good as another: do not queue up for it. */
	if (!spin_trylock_bh(&drops->lock))
		return;
	drops->last = *last;
	spin_unlock_bh(&drops->lock);
}

void esptun_stats_dropped(struct esptun_dev *tun, const struct esptun_drop_info *info,
			  u32 packets)
{
	struct esptun_last_error last = {
		.reason = info->reason,
		.spi = info->sa ? info->sa->spi : info->spi,
		.source = info->source,
		.seq = info->seq,
		.protocol = info->protocol,
		.time = ktime_get_coarse_boottime_ns(),
	};

	esptun_stats_count(&tun->drops, &last, packets);
	if (info->sa)
		esptun_stats_count(&info->sa->drops, &last, packets);
	if (tun->tunnel_id)
		esptun_stats_count(&esptun_external_trunk(tun)->drops, &last, packets);
	trace_esptun_drop(tun->dev, last.reason, last.spi, last.seq, last.protocol);
}

void esptun_stats_drop(struct esptun_dev *tun, struct sk_buff *skb,
		       const struct esptun_drop_info *info)
{
	esptun_stats_dropped(tun, info, max_t(u32, 1, skb_shinfo(skb)->gso_segs));
	esptun_compat_free(skb, esptun_stats_reasons[info->reason] ? :
			   ESPTUN_SKB_REASON(NOT_SPECIFIED));
}

u64 esptun_stats_sum(const struct esptun_drops *drops, bool tx)
{
	u64 sum = 0;
	u32 i;

	/* Names begin with tx_ or rx_. */
	for (i = 0; i < ESPTUN_DROP_COUNT; i++)
		if ((esptun_drop_names[i][0] == 't') == tx)
			sum += atomic64_read(&drops->count[i]);
	return sum;
}

void esptun_stats_last(struct esptun_drops *drops, struct esptun_last_error *last)
{
	spin_lock_bh(&drops->lock);
	*last = drops->last;
	spin_unlock_bh(&drops->lock);
}

void esptun_stats_totals(struct esptun_pcpu_stats __percpu *stats, struct esptun_totals *sum)
{
	struct esptun_totals one;
	unsigned int start;
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		const struct esptun_pcpu_stats *s = per_cpu_ptr(stats, cpu);

		do {
			start = u64_stats_fetch_begin(&s->syncp);
			one.packets = u64_stats_read(&s->packets);
			one.bytes = u64_stats_read(&s->bytes);
			one.used = u64_stats_read(&s->used);
		} while (u64_stats_fetch_retry(&s->syncp, start));
		sum->packets += one.packets;
		sum->bytes += one.bytes;
		sum->used = max(sum->used, one.used);
	}
}
