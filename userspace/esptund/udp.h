/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IKE sockets: for IPv4 and IPv6, on the IKE port and on that of NAT traversal (RFC 3947),
 * bound to the wildcard address. An answer leaves from the address and port that were asked.
 * On the second port IKE messages bear the non-ESP marker (RFC 3948 2.2), which is put in front
 * and taken off here; ESP packets and keepalives are the kernel's, and dropped if they get here.
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
	uint64_t keepalives;		/* of NATed peers, that the kernel did not take */
	uint64_t no_marker;		/* on the NAT traversal port and no IKE message: dropped */
};

struct udp_options {
	uint16_t port, natt_port;
	udp_fn fn;
	void *ctx;
	/*
	 * Called for each socket of the NAT traversal port before it is bound and again afterwards, so
	 * that no ESP packet finds it without somebody who takes it. 0, or -errno with the reason logged.
	 */
	int (*attach)(void *ctx, int fd);
	void *attach_ctx;
};

/*
 * Bind both families to both ports. IPv6 may be missing on the host; IPv4 may not. Returns NULL
 * with the reason logged.
 */
struct udp *udp_open(struct loop *lp, struct log *log, const struct udp_options *opt);
void udp_close(struct udp *u);
/*
 * Send from path->local (unset: the kernel chooses; its port says which socket) to path->remote.
 * On the NAT traversal port a single octet is a keepalive and gets no marker. Returns 0 or -errno;
 * failures are counted and logged here.
 */
int udp_send(struct udp *u, const struct ike_path *path, const void *data, size_t len);
const struct udp_counters *udp_counters(const struct udp *u);

#endif
