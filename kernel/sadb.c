// SPDX-License-Identifier: GPL-2.0
/*
 * SPI tables and reservations of one underlay, see sadb.h. Readers walk the tables under
 * RCU; writers hold the underlay's mutex.
 */
#include "sadb.h"
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/xfrm.h>

#define ESPTUN_SADB_MIN_BITS 4
#define ESPTUN_SADB_MAX_BITS 20

#define ESPTUN_RESERVE_TIME (60 * HZ)
/* Negotiations in flight on one tunnel, far above what any keyer needs. */
#define ESPTUN_RESERVE_MAX 256

/* An SPI that has been handed out. */
struct esptun_reservation {
	struct hlist_node node;
	struct esptun_dev *tun;
	__be32 spi;
	unsigned long expires;
};

static struct esptun_sadb_table *esptun_sadb_alloc(u8 bits, u8 link)
{
	struct esptun_sadb_table *table;

	table = kvzalloc(struct_size(table, buckets, 1u << bits), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->bits = bits;
	table->link = link;
	return table;
}

int esptun_sadb_init(struct esptun_net *en)
{
	struct esptun_sadb_table *in = esptun_sadb_alloc(ESPTUN_SADB_MIN_BITS, 0);
	struct esptun_sadb_table *out = esptun_sadb_alloc(ESPTUN_SADB_MIN_BITS, 0);

	hash_init(en->reserved);
	if (!in || !out) {
		kvfree(in);
		kvfree(out);
		return -ENOMEM;
	}
	RCU_INIT_POINTER(en->in, in);
	RCU_INIT_POINTER(en->out, out);
	return 0;
}

/* The devices have gone, so the tables are empty and nobody reads them any more. */
void esptun_sadb_exit(struct esptun_net *en)
{
	kvfree(rcu_dereference_protected(en->in, true));
	kvfree(rcu_dereference_protected(en->out, true));
}

static struct esptun_sadb_table __rcu **esptun_sadb_slot(struct esptun_net *en, u32 dir)
{
	return dir == ESPTUN_DIR_IN ? &en->in : &en->out;
}

static void esptun_sadb_link(struct esptun_sadb_table *table, struct esptun_sa *sa)
{
	hlist_add_head_rcu(&sa->by_spi[table->link],
			   &table->buckets[hash_32((__force u32)sa->spi, table->bits)]);
	table->count++;
}

/*
 * Twice the buckets. The entries are linked into the new table by their other node, so
 * readers of the old one are not led astray; the old nodes are free for the next growth
 * once those readers are through.
 */
static struct esptun_sadb_table *esptun_sadb_grow(struct esptun_sadb_table __rcu **slot,
						  struct esptun_sadb_table *old)
{
	struct esptun_sadb_table *new = esptun_sadb_alloc(old->bits + 1, !old->link);
	struct hlist_node *node;
	u32 i;

	if (!new)
		return old;	/* full, but it works */
	for (i = 0; i < 1u << old->bits; i++)
		hlist_for_each(node, &old->buckets[i])
			esptun_sadb_link(new, esptun_sadb_sa(old, node));
	rcu_assign_pointer(*slot, new);
	synchronize_rcu();
	kvfree(old);
	return new;
}

int esptun_sadb_check(struct esptun_net *en, const struct esptun_sa *sa,
		      struct netlink_ext_ack *extack)
{
	bool taken;

	lockdep_assert_held(&en->mutex);
	rcu_read_lock();
	if (sa->dir == ESPTUN_DIR_IN)
		taken = esptun_sadb_in(en, sa->spi);
	else
		taken = esptun_sadb_out(en, sa->spi, &sa->tun->remote) ||
			esptun_sadb_out_of(en, sa->spi, sa->tun);
	rcu_read_unlock();
	if (taken) {
		NL_SET_ERR_MSG(extack, "spi: an SA with this SPI and destination exists");
		return -EEXIST;
	}
	return 0;
}

void esptun_sadb_insert(struct esptun_net *en, struct esptun_sa *sa)
{
	struct esptun_sadb_table __rcu **slot = esptun_sadb_slot(en, sa->dir);
	struct esptun_sadb_table *table;

	lockdep_assert_held(&en->mutex);
	table = rcu_dereference_protected(*slot, lockdep_is_held(&en->mutex));
	if (table->count >= 1u << table->bits && table->bits < ESPTUN_SADB_MAX_BITS)
		table = esptun_sadb_grow(slot, table);
	esptun_sadb_link(table, sa);
}

void esptun_sadb_remove(struct esptun_net *en, struct esptun_sa *sa)
{
	struct esptun_sadb_table *table;

	lockdep_assert_held(&en->mutex);
	table = rcu_dereference_protected(*esptun_sadb_slot(en, sa->dir),
					  lockdep_is_held(&en->mutex));
	hlist_del_rcu(&sa->by_spi[table->link]);
	table->count--;
}

/* The first outbound SA of that SPI to @remote or, if that is NULL, of @tun. */
static struct esptun_sa *esptun_sadb_match(struct esptun_net *en, __be32 spi,
					   const struct esptun_addr *remote,
					   const struct esptun_dev *tun)
{
	struct esptun_sadb_table *table = rcu_dereference(en->out);
	u32 bucket = hash_32((__force u32)spi, table->bits);
	struct hlist_node *node;

	for (node = rcu_dereference(hlist_first_rcu(&table->buckets[bucket])); node;
	     node = rcu_dereference(hlist_next_rcu(node))) {
		struct esptun_sa *sa = esptun_sadb_sa(table, node);

		if (sa->spi != spi)
			continue;
		if (remote ? esptun_addr_equal(&rcu_dereference(sa->tun->path)->remote, remote) :
			     sa->tun == tun)
			return sa;
	}
	return NULL;
}

struct esptun_sa *esptun_sadb_out(struct esptun_net *en, __be32 spi,
				  const struct esptun_addr *remote)
{
	return esptun_sadb_match(en, spi, remote, NULL);
}

struct esptun_sa *esptun_sadb_out_of(struct esptun_net *en, __be32 spi,
				     const struct esptun_dev *tun)
{
	return esptun_sadb_match(en, spi, NULL, tun);
}

bool esptun_sadb_foreign(struct net *net, u32 mark, const struct esptun_addr *daddr, __be32 spi)
{
	xfrm_address_t addr = { .in6 = daddr->v6 };
	struct xfrm_state *x;

	if (esptun_addr_any(daddr))
		return false;
	x = xfrm_state_lookup(net, mark, &addr, spi, IPPROTO_ESP, daddr->family);
	if (!x)
		return false;
	xfrm_state_put(x);
	return true;
}

static void esptun_sadb_reserve_end(struct esptun_reservation *r)
{
	hash_del(&r->node);
	kfree(r);
}

/* Ends what has run out. Return: how many reservations @tun has left. */
static u32 esptun_sadb_reserve_expire(struct esptun_net *en, const struct esptun_dev *tun)
{
	struct esptun_reservation *r;
	struct hlist_node *tmp;
	u32 left = 0;
	int i;

	hash_for_each_safe(en->reserved, i, tmp, r, node) {
		if (time_after(jiffies, r->expires))
			esptun_sadb_reserve_end(r);
		else if (r->tun->dev == tun->dev)
			left++;
	}
	return left;
}

static struct esptun_reservation *esptun_sadb_reserved(struct esptun_net *en, __be32 spi)
{
	struct esptun_reservation *r;

	hash_for_each_possible(en->reserved, r, node, (__force u32)spi)
		if (r->spi == spi)
			return time_after(jiffies, r->expires) ? NULL : r;
	return NULL;
}

static bool esptun_sadb_free_spi(struct esptun_net *en, const struct esptun_dev *tun, __be32 spi)
{
	bool taken;

	if (ntohl(spi) < ESPTUN_MIN_SPI || esptun_sadb_reserved(en, spi))
		return false;
	rcu_read_lock();
	taken = esptun_sadb_in(en, spi);
	rcu_read_unlock();
	return !taken && !esptun_sadb_foreign(tun->net, 0, &tun->local, spi);
}

int esptun_sadb_reserve(struct esptun_dev *tun, __be32 *spi, struct netlink_ext_ack *extack)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_reservation *r;
	int err = -ENODEV;

	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	mutex_lock(&en->mutex);
	if (tun->gone) {
		NL_SET_ERR_MSG(extack, "ifindex: the device is being deleted");
		goto refuse;
	}
	if (esptun_sadb_reserve_expire(en, tun) >= ESPTUN_RESERVE_MAX) {
		NL_SET_ERR_MSG(extack, "ifindex: the device has 256 unused reservations already");
		err = -ENOSPC;
		goto refuse;
	}
	/* With 2^32 numbers the first is nearly always free. */
	do {
		r->spi = (__force __be32)get_random_u32();
	} while (!esptun_sadb_free_spi(en, tun, r->spi));
	r->tun = tun;
	r->expires = jiffies + ESPTUN_RESERVE_TIME;
	hash_add(en->reserved, &r->node, (__force u32)r->spi);
	*spi = r->spi;
	mutex_unlock(&en->mutex);
	return 0;
refuse:
	mutex_unlock(&en->mutex);
	kfree(r);
	return err;
}

bool esptun_sadb_unreserve(struct esptun_dev *tun, __be32 spi)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_reservation *r;

	lockdep_assert_held(&en->mutex);
	r = esptun_sadb_reserved(en, spi);
	if (!r || r->tun->dev != tun->dev)
		return false;
	esptun_sadb_reserve_end(r);
	return true;
}

bool esptun_sadb_reserved_other(struct esptun_dev *tun, __be32 spi)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_reservation *r;

	lockdep_assert_held(&en->mutex);
	r = esptun_sadb_reserved(en, spi);
	return r && r->tun->dev != tun->dev;
}

void esptun_sadb_unreserve_all(struct esptun_dev *tun)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_reservation *r;
	struct hlist_node *tmp;
	int i;

	lockdep_assert_held(&en->mutex);
	hash_for_each_safe(en->reserved, i, tmp, r, node)
		if (r->tun == tun)
			esptun_sadb_reserve_end(r);
}
