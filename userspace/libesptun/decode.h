/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside libesptun: netlink attributes to the structs of libesptun.h. Pure: bytes in,
 * struct out. An attribute that is absent leaves its member zero, one that is too short or
 * of an unknown number is passed over: a newer or older kernel is no error.
 */
#ifndef LIBESPTUN_DECODE_H
#define LIBESPTUN_DECODE_H

#include <linux/netlink.h>
#include "libesptun/libesptun.h"

/* Each clears *out and fills it from a whole message. Return: 0, or -EBADMSG when the
 * message is not what it should be.
 */
int esptun_decode_tunnel(const struct nlmsghdr *nlh, struct esptun_tunnel *out);
int esptun_decode_sa(const struct nlmsghdr *nlh, struct esptun_sa *out);
int esptun_decode_module(const struct nlmsghdr *nlh, struct esptun_module *out);

/**
 * esptun_decode_link() - an RTM_NEWLINK or RTM_DELLINK message
 * @out: cleared, then filled with names, flags and IFLA_INFO_DATA, no counters
 * Return: 1, 0 for an interface of another kind (only @ifindex and @ifname are set), -EBADMSG.
 */
int esptun_decode_link(const struct nlmsghdr *nlh, struct esptun_tunnel *out);

/** esptun_decode_merge() - add what generic netlink says (@state) to what rtnetlink says (@t) */
void esptun_decode_merge(struct esptun_tunnel *t, const struct esptun_tunnel *state);

#endif /* LIBESPTUN_DECODE_H */
