// SPDX-License-Identifier: GPL-2.0
/*
 * The outbound SAs of a device that are in use, see policy.h. A device whose only one is for
 * all packets, which is the rule, has it in &esptun_dev.out, and packets look no further;
 * otherwise that is NULL and they walk the list.
 */
#include "policy.h"
#include "device.h"

/* Under the device's lock, after each change of the list. */
static void esptun_policy_shortcut(struct esptun_dev *tun)
{
	struct esptun_sa *sa = NULL;

	if (list_is_singular(&tun->outs))
		sa = list_first_entry(&tun->outs, struct esptun_sa, by_out);
	if (sa && sa->selective)
		sa = NULL;
	rcu_assign_pointer(tun->out, sa);
}

struct esptun_sa *esptun_policy_enter(struct esptun_sa *sa)
{
	struct esptun_dev *tun = sa->tun;
	struct list_head *before = &tun->outs;
	struct esptun_sa *prev = NULL;
	struct esptun_sa *other;
	int order;

	lockdep_assert_held(&tun->lock);
	list_for_each_entry(other, &tun->outs, by_out) {
		order = esptun_selector_order(&sa->selector, &other->selector);
		if (order > 0)
			continue;
		before = &other->by_out;
		if (!order)
			prev = other;
		break;
	}
	if (prev) {
		list_replace_rcu(&prev->by_out, &sa->by_out);
		prev->in_use = false;
	} else {
		list_add_tail_rcu(&sa->by_out, before);
	}
	sa->in_use = true;
	esptun_policy_shortcut(tun);
	return prev;
}

bool esptun_policy_leave(struct esptun_sa *sa)
{
	lockdep_assert_held(&sa->tun->lock);
	if (!sa->in_use)
		return false;
	sa->in_use = false;
	list_del_rcu(&sa->by_out);
	esptun_policy_shortcut(sa->tun);
	return true;
}

struct esptun_sa *esptun_policy_usable(const struct esptun_dev *tun)
{
	struct esptun_sa *most = NULL;
	struct esptun_sa *sa;

	list_for_each_entry_rcu(sa, &tun->outs, by_out, lockdep_is_held(&tun->lock)) {
		if (READ_ONCE(sa->state) == ESPTUN_SA_STATE_EXPIRED)
			continue;
		if (!most || esptun_crypto_overhead(&sa->crypto) >
			     esptun_crypto_overhead(&most->crypto))
			most = sa;
	}
	return most;
}

bool esptun_policy_flow(const struct sk_buff *skb, bool out, struct esptun_flow *flow)
{
	unsigned int len = min_t(unsigned int, skb->len, ESPTUN_FLOW_HEAD);
	u8 copy[ESPTUN_FLOW_HEAD];
	const u8 *head;

	head = skb_header_pointer(skb, 0, len, copy);
	return esptun_selector_flow(head, head ? len : 0, out, flow);
}

struct esptun_sa *esptun_policy_out(const struct esptun_dev *tun, const struct esptun_flow *flow)
{
	struct esptun_sa *sa;

	list_for_each_entry_rcu(sa, &tun->outs, by_out)
		if (esptun_selector_permits(&sa->selector, flow))
			return sa;
	return NULL;
}

bool esptun_policy_in_selective(const struct esptun_sa *sa, const struct sk_buff *skb)
{
	struct esptun_flow flow;

	return esptun_policy_flow(skb, false, &flow) &&
	       esptun_selector_permits(&sa->selector, &flow);
}
