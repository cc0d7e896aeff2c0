// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of a device, one host each. Never touches routes, nor an address it is not told of.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "libesptun/sock.h"

static int put_host(struct nl_msg *msg, const struct esptun_addr *a)
{
	size_t len = a->family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
	const void *ip = a->family == AF_INET6 ? (const void *)&a->v6 : &a->v4;

	return nla_put(msg, IFA_LOCAL, (int)len, ip) || nla_put(msg, IFA_ADDRESS, (int)len, ip);
}

static int request(struct esptun_sock *s, int type, int flags, const char *ifname, const struct esptun_addr *a)
{
	struct ifaddrmsg ifa = { .ifa_family = (uint8_t)a->family, .ifa_prefixlen = a->family == AF_INET6 ? 128 : 32 };
	struct nl_msg *msg;
	int err = esptun_link_index(s, ifname, &ifa.ifa_index);

	if (err)
		return err;
	msg = nlmsg_alloc_simple(type, flags);
	if (msg && !nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO) && !put_host(msg, a))
		return esptun_request(s, s->route, msg, NULL);
	nlmsg_free(msg);
	return esptun_fail(s, -ENOMEM, "no memory for a netlink message");
}

int esptun_address_add(struct esptun_sock *s, const char *ifname, const struct esptun_addr *a)
{
	return request(s, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifname, a);
}

int esptun_address_del(struct esptun_sock *s, const char *ifname, const struct esptun_addr *a)
{
	return request(s, RTM_DELADDR, 0, ifname, a);
}
