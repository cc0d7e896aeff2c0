/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IKE sockets: one for IPv4, one for IPv6, bound to the wildcard address. An answer
 * leaves from the address that was asked.
 */
#ifndef ESPTUND_UDP_H
#define ESPTUND_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "loop.h"

struct udp;

/* Called for each datagram; data is the callee's until it returns. */
typedef void (*udp_fn)(void *ctx, const struct ike_path *path, const void *data, size_t len, ike_time now);

struct udp_counters {
	uint64_t received, sent;
	uint64_t receive_errors;	/* recvmsg failed for another reason than "nothing there" */
	uint64_t send_errors;
	uint64_t no_destination;	/* received without the address it was sent to: dropped */
};

/*
 * Bind both families to port. IPv6 may be missing on the host; IPv4 may not. Returns NULL with
 * the reason logged.
 */
struct udp *udp_open(struct loop *lp, struct log *log, uint16_t port, udp_fn fn, void *ctx);
void udp_close(struct udp *u);
/*
 * Send from path->local (unset: the kernel chooses) to path->remote. Returns 0 or -errno;
 * failures are counted and logged here.
 */
int udp_send(struct udp *u, const struct ike_path *path, const void *data, size_t len);
const struct udp_counters *udp_counters(const struct udp *u);

#endif
