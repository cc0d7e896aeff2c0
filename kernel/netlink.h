/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family: what the layers below tell listeners, and what its two
 * files share. Requests come in through the functions that nl_gen.h declares.
 */
#ifndef _ESPTUN_NETLINK_H
#define _ESPTUN_NETLINK_H

#include "nl_gen.h"

struct esptun_dev;
struct esptun_drops;
struct esptun_flow;
struct esptun_sa;

extern struct genl_family esptun_nl_family;

/* Events; any context with BH off or not. @sa or @tun must stay during the call. */
void esptun_nl_sa_event(u8 cmd, const struct esptun_sa *sa);
void esptun_nl_sa_deleted(const struct esptun_sa *sa, u32 reason);
void esptun_nl_carrier(struct esptun_dev *tun);
void esptun_nl_peer_moved(struct esptun_dev *tun);
/*
 * @flow: of the packet that wants to leave, NULL if it is not known. @id: the tunnel ID that an
 * external device has no branch for yet, or 0.
 */
void esptun_nl_acquire(struct esptun_dev *tun, u32 id, const struct esptun_flow *flow);

/* Something a dump shows has come or gone: running dumps are marked as interrupted. */
void esptun_nl_changed(void);
u32 esptun_nl_generation(void);

/* netlink.c, for nl_sa.c */
int esptun_nl_put_drops(struct sk_buff *skb, int nest, int nest_error, struct esptun_drops *drops);
struct esptun_dev *esptun_nl_device(struct genl_info *info, int attr_ifindex);
struct sk_buff *esptun_nl_reply(struct genl_info *info, u8 cmd, void **head);
int esptun_nl_send(struct genl_info *info, struct sk_buff *msg, void *head, int err);
void esptun_nl_multicast(struct esptun_dev *tun, struct sk_buff *msg, void *head, int err);
struct sk_buff *esptun_nl_event(struct esptun_dev *tun, u8 cmd, void **head);

/* One message with everything about an SA but its keys. */
int esptun_nl_put_sa(struct sk_buff *skb, const struct esptun_sa *sa);

#endif /* _ESPTUN_NETLINK_H */
