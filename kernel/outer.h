/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The outer IPv4 or IPv6 header: route, path MTU, TTL, DSCP, ECN, DF, sending. Knows nothing
 * of ESP's inside.
 */
#ifndef _ESPTUN_OUTER_H
#define _ESPTUN_OUTER_H

#include "device.h"
#include <linux/udp.h>
#include <net/dst.h>
#include <net/ip.h>

/* Path MTUs below are not believed (RFC 791: what every host must take in one piece). */
#define ESPTUN_MIN_PATH_MTU 576

/**
 * struct esptun_route - a route to the peer
 * @dst: the route, with a reference
 * @path: what it was looked up for, valid under RCU
 * @source: the source address that goes with it; its family is not set
 */
struct esptun_route {
	struct dst_entry *dst;
	const struct esptun_path *path;
	struct esptun_addr source;
};

/* Finds the outer route. Under RCU, BH off. 0 or -errno. */
int esptun_outer_route(struct esptun_dev *tun, struct esptun_route *route);

/* The path MTU: what route and link say, and what ICMP has told about this tunnel. */
u32 esptun_outer_mtu(const struct esptun_dev *tun, const struct esptun_route *route);

/*
 * ICMP has told of a smaller path MTU. @least: lower ones are not believed, at least
 * %ESPTUN_MIN_PATH_MTU.
 */
void esptun_outer_learn(struct esptun_dev *tun, u32 mtu, u32 least);

/* The socket in whose name packets pass route exceptions, see outer.c. May sleep. -errno. */
int esptun_outer_prober_init(struct esptun_net *en);
void esptun_outer_prober_exit(struct esptun_net *en);

/* Octets of the outer header in front of ESP. @encap: in UDP. */
static inline unsigned int esptun_outer_header(const struct esptun_path *path, bool encap)
{
	return (path->remote.family == AF_INET ? sizeof(struct iphdr) : sizeof(struct ipv6hdr)) +
	       (encap ? sizeof(struct udphdr) : 0);
}

/* Octets in front of the inner packet for everything that is put there. */
unsigned int esptun_outer_headroom(const struct esptun_route *route);

/* Outer DSCP and ECN for an inner packet (RFC 4301 5.1.2.1, RFC 6040 4.1 normal mode). */
static inline u8 esptun_outer_tos(const struct esptun_dev *tun, u8 inner)
{
	u8 tos = READ_ONCE(tun->tos);

	return tos == 1 ? inner : (tos | (inner & 3));
}

/**
 * esptun_outer_send - put the outer header on and send
 * @tun: tunnel
 * @skb: ESP packet, or what else goes to the peer's port; its cb filled; consumed
 * @route: route; stays the caller's
 * @borrowed: the caller's reference on the route outlasts the call, under RCU
 *
 * Return: 0 or what the output path said.
 */
int esptun_outer_send(struct esptun_dev *tun, struct sk_buff *skb,
		      const struct esptun_route *route, bool borrowed);

#endif /* _ESPTUN_OUTER_H */
