/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of one underlay: SAs by SPI, read by packets under RCU, and SPIs that are
 * handed out and not in use yet. Owns the tables, not what is in them.
 */
#ifndef _ESPTUN_SADB_H
#define _ESPTUN_SADB_H

#include "device.h"
#include "sa.h"
#include <linux/hash.h>

/**
 * struct esptun_sadb_table - hash table that grows
 * @bits: log2 of the number of buckets
 * @link: which of &esptun_sa.by_spi this table uses
 * @count: entries
 */
struct esptun_sadb_table {
	u8 bits;
	u8 link;
	u32 count;
	struct hlist_head buckets[];
};

int esptun_sadb_init(struct esptun_net *en);
void esptun_sadb_exit(struct esptun_net *en);

/*
 * -EEXIST if there is an SA with the SPI of @sa that it would be confused with. Like the two
 * below under the underlay's mutex.
 */
int esptun_sadb_check(struct esptun_net *en, const struct esptun_sa *sa,
		      struct netlink_ext_ack *extack);
/* One that was checked, under the same hold of the mutex. May sleep. */
void esptun_sadb_insert(struct esptun_net *en, struct esptun_sa *sa);
void esptun_sadb_remove(struct esptun_net *en, struct esptun_sa *sa);

/* The SA that a node of a table is part of. */
static inline struct esptun_sa *esptun_sadb_sa(const struct esptun_sadb_table *table,
					       struct hlist_node *node)
{
	return container_of(node - table->link, struct esptun_sa, by_spi[0]);
}

static inline struct esptun_sa *esptun_sadb_find(struct esptun_sadb_table *table, __be32 spi)
{
	u32 bucket = hash_32((__force u32)spi, table->bits);
	struct hlist_node *node;

	for (node = rcu_dereference(hlist_first_rcu(&table->buckets[bucket])); node;
	     node = rcu_dereference(hlist_next_rcu(node))) {
		struct esptun_sa *sa = esptun_sadb_sa(table, node);

		if (sa->spi == spi)
			return sa;
	}
	return NULL;
}

/* The inbound SA of that SPI, under RCU. */
static inline struct esptun_sa *esptun_sadb_in(struct esptun_net *en, __be32 spi)
{
	return esptun_sadb_find(rcu_dereference(en->in), spi);
}

/* The outbound SA of that SPI to that address, under RCU. */
struct esptun_sa *esptun_sadb_out(struct esptun_net *en, __be32 spi,
				  const struct esptun_addr *remote);

/* The same of that device. The device's peer may move, so its SAs are not found by address. */
struct esptun_sa *esptun_sadb_out_of(struct esptun_net *en, __be32 spi,
				     const struct esptun_dev *tun);

/**
 * esptun_sadb_reserve - hand out a random free inbound SPI
 * @tun: the device it is for
 * @spi: stored here
 * @extack: told what is wrong
 *
 * The reservation ends when an SA of that SPI is installed, with
 * esptun_sadb_unreserve(), or after a minute. May sleep. 0 or -errno.
 */
int esptun_sadb_reserve(struct esptun_dev *tun, __be32 *spi, struct netlink_ext_ack *extack);

/* Ends a reservation of this device; under the underlay's mutex. False if there is none. */
bool esptun_sadb_unreserve(struct esptun_dev *tun, __be32 spi);

/* True if the SPI is reserved for another device; under the underlay's mutex. */
bool esptun_sadb_reserved_other(struct esptun_dev *tun, __be32 spi);

/* Ends all reservations of this device; under the underlay's mutex. */
void esptun_sadb_unreserve_all(struct esptun_dev *tun);

/* True if the kernel's own IPsec has an SA with this SPI to this address, for this mark. */
bool esptun_sadb_foreign(struct net *net, u32 mark, const struct esptun_addr *daddr, __be32 spi);

#endif /* _ESPTUN_SADB_H */
