/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters. Every packet that does not pass is counted once, under the name of the
 * reason, on its device and on its SA where that is known; the names come from the
 * specification through nl_gen. Packets that pass are counted per CPU.
 */
#ifndef _ESPTUN_STATS_H
#define _ESPTUN_STATS_H

#include "addr.h"
#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/timekeeping.h>
#include <uapi/linux/esptun.h>

struct esptun_dev;
struct esptun_sa;
struct sk_buff;

/**
 * struct esptun_last_error - the last packet that was dropped
 * @reason: &enum esptun_drop; the rest is valid if @time is not 0
 * @spi: of the packet, 0 if unknown
 * @source: outer source address, none for packets that came from this host
 * @seq: sequence number if known, otherwise 0
 * @protocol: what the packet is, where that is why: EtherType of one to be sent, next header of
 *	a received one; otherwise 0
 * @time: CLOCK_BOOTTIME in ns
 */
struct esptun_last_error {
	u32 reason;
	__be32 spi;
	struct esptun_addr source;
	u64 seq;
	u64 time;
	u16 protocol;
};

/**
 * struct esptun_drops - drop counters of a device or an SA
 * @count: by reason
 * @lock: protects @last; a writer that does not get it at once leaves @last alone
 * @last: what was dropped last
 */
struct esptun_drops {
	atomic64_t count[ESPTUN_DROP_COUNT];
	spinlock_t lock;
	struct esptun_last_error last;
};

/* Packets that passed through an SA, one for each CPU. */
struct esptun_pcpu_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t used;	/* CLOCK_BOOTTIME in ns, as exact as the tick */
	struct u64_stats_sync syncp;
};

/* What the module has made and unmade since it was loaded. */
struct esptun_census {
	atomic64_t tunnels_created;
	atomic64_t tunnels_destroyed;
	atomic64_t sas_created;
	atomic64_t sas_destroyed;
};

extern struct esptun_census esptun_census;

void esptun_stats_init(struct esptun_drops *drops);

/**
 * struct esptun_drop_info - what is known about a packet that is dropped
 * @reason: why
 * @sa: its SA, NULL if unknown
 * @spi: where there is no @sa
 * @source: outer source of a received packet
 * @seq: sequence number, 0 if unknown
 * @protocol: see &struct esptun_last_error
 */
struct esptun_drop_info {
	enum esptun_drop reason;
	struct esptun_sa *sa;
	__be32 spi;
	struct esptun_addr source;
	u64 seq;
	u16 protocol;
};

/* Counts @packets dropped packets of @tun and records the last of them. Any context. */
void esptun_stats_dropped(struct esptun_dev *tun, const struct esptun_drop_info *info,
			  u32 packets);

/* Counts and frees a packet (as many as it has segments). */
void esptun_stats_drop(struct esptun_dev *tun, struct sk_buff *skb,
		       const struct esptun_drop_info *info);

/* Sums of the counters of packets to be sent (tx) or of received ones. */
u64 esptun_stats_sum(const struct esptun_drops *drops, bool tx);

/* A consistent copy of the last error. */
void esptun_stats_last(struct esptun_drops *drops, struct esptun_last_error *last);

static inline void esptun_stats_passed(struct esptun_pcpu_stats __percpu *stats,
				       unsigned int packets, unsigned int bytes)
{
	struct esptun_pcpu_stats *s = this_cpu_ptr(stats);

	u64_stats_update_begin(&s->syncp);
	u64_stats_add(&s->packets, packets);
	u64_stats_add(&s->bytes, bytes);
	u64_stats_set(&s->used, ktime_get_coarse_boottime_ns());
	u64_stats_update_end(&s->syncp);
}

/* Totals over all CPUs; @used is the latest. */
struct esptun_totals {
	u64 packets;
	u64 bytes;
	u64 used;
};

void esptun_stats_totals(struct esptun_pcpu_stats __percpu *stats, struct esptun_totals *sum);

#endif /* _ESPTUN_STATS_H */
