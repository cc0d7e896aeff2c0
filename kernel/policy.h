/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which packets may travel on which SA of a device: its outbound SAs in use, the most
 * specific traffic selectors first, and the check of what an inbound SA has delivered
 * (RFC 4301 5.1, 5.2). There is no policy database beside the SAs: what no SA covers is
 * dropped, nothing passes in the clear. Decides only; counts and frees no packet.
 */
#ifndef _ESPTUN_POLICY_H
#define _ESPTUN_POLICY_H

#include "sa.h"
#include <linux/skbuff.h>

/**
 * esptun_policy_enter - use an outbound SA from now on
 * @sa: active, not in use yet
 *
 * It takes the place of the one with the same selectors. Under the device's lock.
 *
 * Return: the SA that it replaces, which packets on their way may still use; NULL if none.
 */
struct esptun_sa *esptun_policy_enter(struct esptun_sa *sa);

/* Stop using it. Under the device's lock. Return: false if it was not in use. */
bool esptun_policy_leave(struct esptun_sa *sa);

/*
 * Of the SAs in use that have not expired the one that adds most to a packet; NULL: the
 * device cannot send. Under the device's lock or RCU.
 */
struct esptun_sa *esptun_policy_usable(const struct esptun_dev *tun);

/* What a packet shows, its data at the inner header. False: it is no IP packet. */
bool esptun_policy_flow(const struct sk_buff *skb, bool out, struct esptun_flow *flow);

/* The SA for a packet to be sent, perhaps expired; NULL: none covers it. Under RCU. */
struct esptun_sa *esptun_policy_out(const struct esptun_dev *tun, const struct esptun_flow *flow);

/* Does a packet that came out of ESP lie within its SA's selectors? */
bool esptun_policy_in_selective(const struct esptun_sa *sa, const struct sk_buff *skb);

static inline bool esptun_policy_in(const struct esptun_sa *sa, const struct sk_buff *skb)
{
	return likely(!sa->selective) || esptun_policy_in_selective(sa, skb);
}

#endif /* _ESPTUN_POLICY_H */
