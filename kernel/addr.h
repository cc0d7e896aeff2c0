/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An outer address, IPv4 or IPv6, so that no other file needs to ask which where speed does
 * not matter. Values only: no lookup, no text.
 */
#ifndef _ESPTUN_ADDR_H
#define _ESPTUN_ADDR_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <net/netlink.h>

/**
 * struct esptun_addr - an IPv4 or IPv6 address
 * @v4: with AF_INET; the octets behind it are 0
 * @v6: with AF_INET6
 * @family: AF_INET, AF_INET6 or AF_UNSPEC for none
 */
struct esptun_addr {
	union {
		__be32 v4;
		struct in6_addr v6;
	};
	u8 family;
};

static inline void esptun_addr_set4(struct esptun_addr *addr, __be32 v4)
{
	memset(addr, 0, sizeof(*addr));
	addr->v4 = v4;
	addr->family = AF_INET;
}

static inline void esptun_addr_set6(struct esptun_addr *addr, const struct in6_addr *v6)
{
	addr->v6 = *v6;
	addr->family = AF_INET6;
}

static inline bool esptun_addr_equal(const struct esptun_addr *a, const struct esptun_addr *b)
{
	return a->family == b->family && ipv6_addr_equal(&a->v6, &b->v6);
}

/* As two attributes say, of which at most one is there; family AF_UNSPEC if neither is. */
static inline void esptun_addr_of_attrs(const struct nlattr *attr4, const struct nlattr *attr6,
					struct esptun_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (attr6) {
		addr->v6 = nla_get_in6_addr(attr6);
		addr->family = AF_INET6;
	} else if (attr4) {
		esptun_addr_set4(addr, nla_get_in_addr(attr4));
	}
}

/* No address in particular: 0.0.0.0, :: or none at all. */
static inline bool esptun_addr_any(const struct esptun_addr *addr)
{
	return ipv6_addr_any(&addr->v6);
}

/* An address that one host can have: not multicast or broadcast, nor IPv4 in disguise. */
static inline bool esptun_addr_unicast(const struct esptun_addr *addr)
{
	if (addr->family == AF_INET6)
		return !ipv6_addr_is_multicast(&addr->v6) && !ipv6_addr_v4mapped(&addr->v6);
	return !ipv4_is_multicast(addr->v4) && !ipv4_is_lbcast(addr->v4);
}

static inline u32 esptun_addr_hash(const struct esptun_addr *addr)
{
	return addr->family == AF_INET6 ? ipv6_addr_hash(&addr->v6) : (__force u32)addr->v4;
}

/* Source and destination of an IP header, whose version says what it is; NULL: not wanted. */
static inline void esptun_addr_of_packet(const void *ip, struct esptun_addr *source,
					 struct esptun_addr *dest)
{
	const struct ipv6hdr *ip6 = ip;
	const struct iphdr *ip4 = ip;

	if (ip4->version == 4) {
		if (source)
			esptun_addr_set4(source, ip4->saddr);
		if (dest)
			esptun_addr_set4(dest, ip4->daddr);
	} else {
		if (source)
			esptun_addr_set6(source, &ip6->saddr);
		if (dest)
			esptun_addr_set6(dest, &ip6->daddr);
	}
}

#endif /* _ESPTUN_ADDR_H */
