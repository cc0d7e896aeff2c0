/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: SAs coming, changing state and going, packets dropped. Never keys.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM esptun

#if !defined(_ESPTUN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _ESPTUN_TRACE_H

#include <linux/netdevice.h>
#include <linux/tracepoint.h>
#include "nl_gen.h"

/* What programs that read the ring buffer themselves are told of the names below. */
TRACE_DEFINE_ENUM(ESPTUN_DIR_IN);
TRACE_DEFINE_ENUM(ESPTUN_DIR_OUT);
TRACE_DEFINE_ENUM(ESPTUN_SA_STATE_PENDING);
TRACE_DEFINE_ENUM(ESPTUN_SA_STATE_ACTIVE);
TRACE_DEFINE_ENUM(ESPTUN_SA_STATE_OLD);
TRACE_DEFINE_ENUM(ESPTUN_SA_STATE_EXPIRED);

/*
 * An SA: add, activate, replace, expire (it has the new state), confirm (the first packet
 * has authenticated), delete.
 */
TRACE_EVENT(esptun_sa,
	TP_PROTO(const struct net_device *dev, const char *what, u32 dir, __be32 spi, u32 state),
	TP_ARGS(dev, what, dir, spi, state),
	TP_STRUCT__entry(
		__string(name, dev->name)
		__string(what, what)
		__field(u32, dir)
		__field(u32, spi)
		__field(u32, state)
	),
	TP_fast_assign(
		esptun_trace_str(name, dev->name);
		esptun_trace_str(what, what);
		__entry->dir = dir;
		__entry->spi = be32_to_cpu(spi);
		__entry->state = state;
	),
	TP_printk("dev=%s %s dir=%s spi=0x%08x state=%s", __get_str(name), __get_str(what),
		  __print_symbolic(__entry->dir, { ESPTUN_DIR_IN, "in" }, { ESPTUN_DIR_OUT, "out" }),
		  __entry->spi,
		  __print_symbolic(__entry->state, { ESPTUN_SA_STATE_PENDING, "pending" },
				   { ESPTUN_SA_STATE_ACTIVE, "active" },
				   { ESPTUN_SA_STATE_OLD, "old" },
				   { ESPTUN_SA_STATE_EXPIRED, "expired" }))
);

/* A packet, or the segments of one, was dropped; @protocol as in &struct esptun_last_error. */
TRACE_EVENT(esptun_drop,
	TP_PROTO(const struct net_device *dev, u32 reason, __be32 spi, u64 seq, u16 protocol),
	TP_ARGS(dev, reason, spi, seq, protocol),
	TP_STRUCT__entry(
		__string(name, dev->name)
		__string(why, esptun_drop_names[reason])
		__field(u32, spi)
		__field(u64, seq)
		__field(u16, protocol)
	),
	TP_fast_assign(
		esptun_trace_str(name, dev->name);
		esptun_trace_str(why, esptun_drop_names[reason]);
		__entry->spi = be32_to_cpu(spi);
		__entry->seq = seq;
		__entry->protocol = protocol;
	),
	TP_printk("dev=%s reason=%s spi=0x%08x seq=%llu protocol=0x%x", __get_str(name),
		  __get_str(why), __entry->spi, __entry->seq, __entry->protocol)
);

#endif /* _ESPTUN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
