/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traffic selectors (RFC 4301 4.4.1.1): which packets an SA is for, which of two selectors
 * is the more specific one, and what a packet has to show for it. Pure: octets in, verdict
 * out, no packet buffer, no allocation, no kernel call; compiled into userspace tests as
 * well. Which SA a packet takes is policy.c's business.
 *
 * What a selector can say is what IKEv1 can negotiate for a pair of SAs: one address range
 * at each end, one protocol, one port at each end. ICMP type and code and mobility header
 * types are not among it.
 */
#ifndef _ESPTUN_SELECTOR_H
#define _ESPTUN_SELECTOR_H

#include "pure.h"

/* Of a packet, the octets that esptun_selector_flow() looks at, at most. */
#define ESPTUN_FLOW_HEAD 128

/* An address as a number; an IPv4 address is in @lo. */
struct esptun_ipnum {
	u64 hi;
	u64 lo;
};

/**
 * struct esptun_selector_side - one end of a selector
 * @first: lowest address
 * @last: highest address, not below @first
 * @port: 0: any
 */
struct esptun_selector_side {
	struct esptun_ipnum first;
	struct esptun_ipnum last;
	u16 port;
};

/**
 * struct esptun_selector - what an SA is for; all zero is everything
 * @family: of the addresses, 4 or 6; 0: any packet of either, addresses are not looked at
 * @proto: protocol above IP, 0: any
 * @local: our side: source of what is sent, destination of what is received
 * @remote: the peer's side
 */
struct esptun_selector {
	u8 family;
	u8 proto;
	struct esptun_selector_side local;
	struct esptun_selector_side remote;
};

/**
 * struct esptun_flow - what a packet shows to selectors
 * @family: 4 or 6
 * @proto: protocol above IP, valid with @has_proto
 * @has_proto: false if extension headers hide it
 * @has_ports: @local_port and @remote_port are valid: the protocol has ports, and they are
 *	in the packet, which they are not in fragments but the first
 * @local: address
 * @remote: address
 * @local_port: port
 * @remote_port: port
 */
struct esptun_flow {
	u8 family;
	u8 proto;
	bool has_proto;
	bool has_ports;
	struct esptun_ipnum local;
	struct esptun_ipnum remote;
	u16 local_port;
	u16 remote_port;
};

/* Octets of an address. */
static inline unsigned int esptun_selector_addr_len(u8 family)
{
	return family == 4 ? 4 : 16;
}

/* From network byte order and back; 4 or 16 octets, as the family says. */
void esptun_selector_load(struct esptun_ipnum *n, const u8 *octets, u8 family);
void esptun_selector_store(const struct esptun_ipnum *n, u8 *octets, u8 family);

/* All addresses of the family. */
void esptun_selector_all(struct esptun_selector_side *side, u8 family);

/* Is it for every packet? */
static inline bool esptun_selector_is_any(const struct esptun_selector *s)
{
	return !s->family && !s->proto;
}

/**
 * esptun_selector_check - is it well-formed?
 * @s: selector
 *
 * Return: NULL, or what is wrong: a range that ends before it begins, a port without a
 * protocol that has ports.
 */
const char *esptun_selector_check(const struct esptun_selector *s);

/**
 * esptun_selector_order - which of two selectors comes first
 * @a: well-formed selector
 * @b: another one
 *
 * A total order. A selector comes before every other one that covers all it covers, so the
 * first in this order that permits a packet is the longest match. Between selectors that
 * merely overlap the smaller remote range comes first, as with routes, then the smaller
 * local one, then the one with a protocol, then those with ports.
 *
 * Return: below 0 if @a comes before @b, 0 if they are the same, above 0 otherwise.
 */
int esptun_selector_order(const struct esptun_selector *a, const struct esptun_selector *b);

/**
 * esptun_selector_flow - read what selectors look at from a packet
 * @head: its first octets, from the IP header on
 * @len: how many; %ESPTUN_FLOW_HEAD or the whole packet
 * @out: it is to be sent, so its source is local; otherwise it was received
 * @flow: filled
 *
 * Return: false if there is no IPv4 or IPv6 header.
 */
bool esptun_selector_flow(const u8 *head, unsigned int len, bool out, struct esptun_flow *flow);

/**
 * esptun_selector_permits - may a packet of this flow use the SA?
 * @s: well-formed selector
 * @f: flow
 *
 * Fragments but the first show no ports: a selector with a port never permits them, one
 * without carries them like any packet (RFC 4301 7.1). No state is kept about fragments.
 */
bool esptun_selector_permits(const struct esptun_selector *s, const struct esptun_flow *f);

#endif /* _ESPTUN_SELECTOR_H */
