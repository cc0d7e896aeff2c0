/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Security associations (RFC 4301 4.4.2): one direction of protected traffic of one
 * device. Ownership and locking: DOC in device.h.
 */
#ifndef _ESPTUN_SA_H
#define _ESPTUN_SA_H

#include "crypto.h"
#include "keyring.h"
#include "replay.h"
#include "selector.h"
#include "stats.h"
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

struct esptun_dev;
struct esptun_net;
struct netlink_ext_ack;

/**
 * struct esptun_limits - lifetime of an SA in traffic; 0 is no limit
 *
 * At the soft limit listeners are told once. The packet that meets the hard limit still
 * passes if it does not exceed it; then the SA is expired.
 */
struct esptun_limits {
	u64 soft_bytes;
	u64 hard_bytes;
	u64 soft_packets;
	u64 hard_packets;
};

/* Bits of &esptun_sa.marks: things that happen once. */
enum {
	ESPTUN_SA_CONFIRMED,	/* a packet has authenticated */
	ESPTUN_SA_SOFT_TOLD,
};

/**
 * struct esptun_sa - a security association
 * @tun: its device; valid while the SA is in the tables or a reference on the device is
 *	held
 * @branch: the same if that is a branch of an external device, which then stays as long as
 *	the SA; or NULL
 * @spi: security parameters index
 * @dir: &enum esptun_dir
 * @state: &enum esptun_sa_state, written under the device's lock
 * @esn: extended sequence numbers
 * @limited: @limits has any
 * @selective: @selector is not for all packets
 * @encap: in UDP
 * @encap_port: our UDP port
 * @keepalive: outbound: seconds of silence before a NAT keepalive, 0: never
 * @flags: &enum esptun_sa_flags as given
 * @hash: gives outer packets without a hash one, so that they share a queue
 * @crypto: transform
 * @marks: what has happened once
 * @stats: per CPU
 * @seq: outbound: last number taken
 * @seq_limit: outbound: last number there is
 * @used_packets: when @limited
 * @used_bytes: when @limited
 * @limits: lifetime in traffic
 * @selector: what it is for
 * @by_out: in the device's list of outbound SAs in use
 * @in_use: it is in that list, under the device's lock
 * @partner: outbound: SPI of the inbound SA whose first packet activates this one
 * @twin: outbound: the SA that @partner names; inbound: the outbound one, of several the
 *	latest, that names this one; NULL when it has gone. Under the device's lock
 * @id: larger than that of every SA made before
 * @created: CLOCK_BOOTTIME in ns
 * @encr: &enum esptun_encr
 * @auth: &enum esptun_auth
 * @encr_bits: cipher key without salt
 * @auth_bits: integrity key
 * @key: outbound: its key as the keyring knows it
 * @final_seq: outbound: last number used, once @seq is closed
 * @cookie: opaque
 * @drops: counters
 * @by_spi: in the table of the underlay; two, so that the table can grow under readers
 * @by_tun: in the device's list
 * @refs: the base reference and requests in progress
 * @gone_work: gives up the base reference, when packets have stopped looking at it
 * @free_work: frees it
 * @replay: inbound
 * @slots: memory of @replay
 */
struct esptun_sa {
	struct esptun_dev *tun;
	__be32 spi;
	u8 dir;
	u8 state;
	bool esn;
	bool limited;
	bool selective;
	bool encap;
	__be16 encap_port;
	u16 keepalive;
	u32 flags;
	u32 hash;
	struct esptun_crypto crypto;
	unsigned long marks;
	struct esptun_pcpu_stats __percpu *stats;
	struct hlist_node by_spi[2];

	u64 seq ____cacheline_aligned_in_smp;
	u64 seq_limit;
	atomic64_t used_packets;
	atomic64_t used_bytes;

	struct esptun_replay replay ____cacheline_aligned_in_smp;
	struct esptun_limits limits;
	struct esptun_selector selector;
	struct list_head by_out;
	bool in_use;
	__be32 partner;
	struct esptun_sa *twin;
	u64 id;
	u64 created;
	u8 encr;
	u8 auth;
	u16 encr_bits;
	u16 auth_bits;
	struct esptun_dev *branch;
	struct esptun_live_key key;
	u64 final_seq;
	u8 cookie_len;
	u8 cookie[ESPTUN_COOKIE_MAX_LEN];
	struct esptun_drops drops;
	struct list_head by_tun;
	refcount_t refs;
	struct rcu_work gone_work;
	struct work_struct free_work;
	u64 slots[];
};

/**
 * struct esptun_sa_params - what an SA is to be made with; keys and cookie are borrowed
 */
struct esptun_sa_params {
	struct esptun_crypto_params crypto;
	struct esptun_limits limits;
	struct esptun_selector selector;
	u32 dir;
	__be32 spi;
	u32 flags;
	u32 state;
	u32 encap;
	__be16 encap_port;
	__be16 peer_port;
	u32 keepalive;
	u32 window;
	u64 seq;
	__be32 partner;
	const u8 *cookie;
	u8 cookie_len;
};

/**
 * esptun_sa_new - make an SA and install it
 * @tun: its device; the caller holds a reference on it
 * @p: what it is to be like
 * @extack: told what is wrong
 *
 * An outbound SA that is to be active, or whose partner has been confirmed already,
 * replaces the active one of the same selectors at once. May sleep. Return: 0 or -errno: -EINVAL, -EEXIST the
 * SPI is taken, -EKEYREJECTED the key was used before, -ENODEV the device has gone.
 */
int esptun_sa_new(struct esptun_dev *tun, const struct esptun_sa_params *p,
		  struct netlink_ext_ack *extack);

/* Makes a pending outbound SA the active one of its selectors; nothing to do if it is. -errno. */
int esptun_sa_activate(struct esptun_dev *tun, __be32 spi, struct netlink_ext_ack *extack);

/* Deletes an SA, or gives back a reserved SPI. May sleep. 0 or -ENOENT. */
int esptun_sa_del(struct esptun_dev *tun, u32 dir, __be32 spi, struct netlink_ext_ack *extack);

/* Deletes all SAs of a device. May sleep; the _locked form under the underlay's mutex. */
void esptun_sa_flush(struct esptun_dev *tun, u32 reason);
void esptun_sa_flush_locked(struct esptun_dev *tun, u32 reason);

/* An SA of this device, under RCU or the underlay's mutex. NULL if there is none. */
struct esptun_sa *esptun_sa_find(struct esptun_dev *tun, u32 dir, __be32 spi);

/* The next SA of the device after @id in the order they were made; under RCU. */
struct esptun_sa *esptun_sa_next(struct esptun_dev *tun, u64 id);

/* A reference for what outlives the RCU section; never false for an SA found in it. */
static inline bool esptun_sa_hold(struct esptun_sa *sa)
{
	return refcount_inc_not_zero(&sa->refs);
}

void esptun_sa_put(struct esptun_sa *sa);

/**
 * esptun_sa_account - charge packets to the lifetime
 * @sa: SA
 * @packets: how many
 * @bytes: of inner packets
 *
 * Under RCU, BH off. Return: false if they exceed a hard limit and must not pass.
 */
bool esptun_sa_account_limited(struct esptun_sa *sa, u32 packets, u64 bytes);

static inline bool esptun_sa_account(struct esptun_sa *sa, u32 packets, u64 bytes)
{
	return likely(!sa->limited) || esptun_sa_account_limited(sa, packets, bytes);
}

/* Ends an SA that met a hard limit or ran out of numbers. Under RCU, BH off. */
void esptun_sa_expire(struct esptun_sa *sa);

/* Tells listeners once that an SA is near its end. Under RCU, BH off. */
void esptun_sa_soft(struct esptun_sa *sa);

/* Sequence numbers left before the end at which listeners are told (a sixteenth of 2^32). */
#define ESPTUN_SEQ_SOFT BIT(28)

/* The first packet has authenticated on an inbound SA. Under RCU, BH off. */
void esptun_sa_confirm(struct esptun_sa *sa);

static inline void esptun_sa_authenticated(struct esptun_sa *sa)
{
	if (unlikely(!test_bit(ESPTUN_SA_CONFIRMED, &sa->marks)))
		esptun_sa_confirm(sa);
}

/* Last number sent, or highest received. */
static inline u64 esptun_sa_seq(const struct esptun_sa *sa)
{
	u64 seq = READ_ONCE(sa->seq);

	if (sa->dir == ESPTUN_DIR_IN)
		return READ_ONCE(sa->replay.top);
	return seq == ESPTUN_SEQ_CLOSED ? READ_ONCE(sa->final_seq) : seq;
}

#endif /* _ESPTUN_SA_H */
