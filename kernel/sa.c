// SPDX-License-Identifier: GPL-2.0
/*
 * Life of an SA: made, installed, activated, confirmed, expired, deleted. Never touches
 * a packet. Ownership and locking: DOC in device.h.
 */
#include "sa.h"
#include "external.h"
#include "keepalive.h"
#include "sadb.h"
#include "socket.h"
#include "policy.h"
#include "netlink.h"
#include "trace.h"
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/slab.h>

static atomic64_t esptun_sa_ids = ATOMIC64_INIT(0);

static void esptun_sa_free_work(struct work_struct *work)
{
	struct esptun_sa *sa = container_of(work, struct esptun_sa, free_work);
	struct esptun_dev *branch = sa->branch;

	esptun_crypto_free(&sa->crypto);
	free_percpu(sa->stats);
	kfree(sa);
	if (branch)
		esptun_external_put(branch);
	atomic64_inc(&esptun_census.sas_destroyed);
}

void esptun_sa_put(struct esptun_sa *sa)
{
	if (refcount_dec_and_test(&sa->refs))
		queue_work(esptun_wq, &sa->free_work);
}

/* Packets that found it in the tables are through, or hold references of their own. */
static void esptun_sa_gone_work(struct work_struct *work)
{
	esptun_sa_put(container_of(to_rcu_work(work), struct esptun_sa, gone_work));
}

/* What a new state is called in a trace. */
static const char * const esptun_sa_changes[] = {
	[ESPTUN_SA_STATE_PENDING] = "pending",
	[ESPTUN_SA_STATE_ACTIVE] = "activate",
	[ESPTUN_SA_STATE_OLD] = "replace",
	[ESPTUN_SA_STATE_EXPIRED] = "expire",
};

/* The one place in which a state changes. Under the device's lock. */
static void esptun_sa_set_state(struct esptun_sa *sa, u8 state)
{
	lockdep_assert_held(&sa->tun->lock);
	WRITE_ONCE(sa->state, state);
	trace_esptun_sa(sa->tun->dev, esptun_sa_changes[state], sa->dir, sa->spi, state);
}

static int esptun_sa_refuse(struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
	return -EINVAL;
}

static int esptun_sa_check_out(const struct esptun_sa_params *p, struct netlink_ext_ack *extack)
{
	if (p->window)
		return esptun_sa_refuse(extack, "replay-window: only an inbound SA has one");
	if (p->state != ESPTUN_SA_STATE_PENDING && p->state != ESPTUN_SA_STATE_ACTIVE)
		return esptun_sa_refuse(extack, "state: an SA is made pending or active");
	if (p->partner && ntohl(p->partner) < ESPTUN_MIN_SPI)
		return esptun_sa_refuse(extack, "partner-spi: SPIs below 256 are reserved");
	if (p->seq >= esptun_seq_limit(p->crypto.esn))
		return esptun_sa_refuse(extack, "seq: no sequence number is left behind it");
	return 0;
}

static int esptun_sa_check_in(const struct esptun_sa_params *p, struct netlink_ext_ack *extack)
{
	bool integrity = esptun_alg_integrity(p->crypto.encr, p->crypto.auth);

	if (p->state != ESPTUN_SA_STATE_ACTIVE)
		return esptun_sa_refuse(extack, "state: an inbound SA is active from the start");
	if (p->partner)
		return esptun_sa_refuse(extack, "partner-spi: only an outbound SA has a partner");
	if (p->window && (p->window < ESPTUN_REPLAY_MIN || p->window > ESPTUN_REPLAY_MAX))
		return esptun_sa_refuse(extack, "replay-window: must be 0 or 32..4096 packets");
	if (p->window && !integrity)
		return esptun_sa_refuse(extack,
			"replay-window: without integrity it would protect nothing, must be 0");
	if (!p->window && p->crypto.esn)
		return esptun_sa_refuse(extack,
			"replay-window: extended sequence numbers need a window (RFC 4303 2.2.1)");
	if (p->seq > esptun_seq_limit(p->crypto.esn))
		return esptun_sa_refuse(extack, "seq: larger than the largest sequence number");
	return 0;
}

static int esptun_sa_check_encap(const struct esptun_sa_params *p, struct netlink_ext_ack *extack)
{
	bool udp = p->encap == ESPTUN_ENCAP_UDP;

	if (udp && (!p->encap_port || !p->peer_port))
		return esptun_sa_refuse(extack,
			"encap: udp needs encap-local-port and encap-peer-port, neither 0");
	if (!udp && (p->encap_port || p->peer_port))
		return esptun_sa_refuse(extack,
			"encap-local-port, encap-peer-port: only with encap udp");
	if (p->keepalive && (!udp || p->dir != ESPTUN_DIR_OUT))
		return esptun_sa_refuse(extack,
			"keepalive: only an outbound SA with encap udp sends any");
	if (!(p->flags & ESPTUN_SA_FLAG_FOLLOW_PEER))
		return 0;
	if (!udp || p->dir != ESPTUN_DIR_IN)
		return esptun_sa_refuse(extack,
			"flags: follow-peer is for inbound SAs with encap udp");
	if (!esptun_alg_integrity(p->crypto.encr, p->crypto.auth))
		return esptun_sa_refuse(extack,
			"flags: follow-peer without integrity would follow anybody");
	return 0;
}

static int esptun_sa_check(const struct esptun_sa_params *p, struct netlink_ext_ack *extack)
{
	const struct esptun_limits *l = &p->limits;
	const char *why = esptun_selector_check(&p->selector);
	int err;

	if (why)
		return esptun_sa_refuse(extack, why);
	if (ntohl(p->spi) < ESPTUN_MIN_SPI)
		return esptun_sa_refuse(extack, "spi: must be 256 or more (RFC 4303 2.1)");
	err = esptun_crypto_check(&p->crypto, extack);
	if (err)
		return err;
	if (l->hard_bytes && l->soft_bytes > l->hard_bytes)
		return esptun_sa_refuse(extack, "soft-bytes: larger than hard-bytes");
	if (l->hard_packets && l->soft_packets > l->hard_packets)
		return esptun_sa_refuse(extack, "soft-packets: larger than hard-packets");
	err = esptun_sa_check_encap(p, extack);
	if (err)
		return err;
	return p->dir == ESPTUN_DIR_OUT ? esptun_sa_check_out(p, extack) :
					  esptun_sa_check_in(p, extack);
}

static void esptun_sa_fill(struct esptun_sa *sa, struct esptun_dev *tun,
			   const struct esptun_sa_params *p)
{
	sa->tun = tun;
	sa->branch = tun->tunnel_id ? tun : NULL;
	esptun_external_hold(tun);
	sa->spi = p->spi;
	sa->dir = p->dir;
	sa->state = p->dir == ESPTUN_DIR_IN ? ESPTUN_SA_STATE_ACTIVE : ESPTUN_SA_STATE_PENDING;
	sa->flags = p->flags;
	sa->encap = p->encap == ESPTUN_ENCAP_UDP;
	sa->encap_port = p->encap_port;
	sa->keepalive = p->keepalive;
	sa->esn = p->crypto.esn;
	sa->hash = get_random_u32();
	sa->limits = p->limits;
	sa->limited = memchr_inv(&p->limits, 0, sizeof(p->limits));
	sa->selector = p->selector;
	sa->selective = !esptun_selector_is_any(&p->selector);
	sa->partner = p->partner;
	sa->encr = p->crypto.encr;
	sa->auth = p->crypto.auth;
	sa->encr_bits = 8 * esptun_crypto_cipher_key(p->crypto.encr, p->crypto.encr_key_len);
	sa->auth_bits = 8 * p->crypto.auth_key_len;
	sa->cookie_len = p->cookie_len;
	memcpy(sa->cookie, p->cookie, p->cookie_len);
	sa->seq = p->seq;
	sa->seq_limit = esptun_seq_limit(sa->esn);
	if (p->dir == ESPTUN_DIR_IN)
		esptun_replay_init(&sa->replay, sa->slots, p->window, sa->esn, p->seq);
	sa->created = ktime_get_boottime_ns();
	esptun_stats_init(&sa->drops);
	INIT_WORK(&sa->free_work, esptun_sa_free_work);
	INIT_RCU_WORK(&sa->gone_work, esptun_sa_gone_work);
	refcount_set(&sa->refs, 1);
}

/* An SA that is not installed anywhere yet. */
static struct esptun_sa *esptun_sa_create(struct esptun_dev *tun,
					  const struct esptun_sa_params *p,
					  struct netlink_ext_ack *extack)
{
	struct esptun_sa *sa;
	int cpu, err;

	sa = kzalloc(struct_size(sa, slots, esptun_replay_words(p->window)), GFP_KERNEL_ACCOUNT);
	if (!sa)
		return ERR_PTR(-ENOMEM);
	sa->stats = alloc_percpu_gfp(struct esptun_pcpu_stats, GFP_KERNEL_ACCOUNT);
	err = sa->stats ? esptun_crypto_init(&sa->crypto, &p->crypto, extack) : -ENOMEM;
	if (err) {
		free_percpu(sa->stats);
		kfree(sa);
		return ERR_PTR(err);
	}
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(sa->stats, cpu)->syncp);
	esptun_sa_fill(sa, tun, p);
	atomic64_inc(&esptun_census.sas_created);
	return sa;
}

/*
 * Makes @sa, which is pending, the one to send with. Under the device's lock. True: tell of
 * the carrier. At each moment packets find one of the two, and may use either.
 */
static bool esptun_sa_switch(struct esptun_sa *sa)
{
	struct esptun_sa *prev;

	esptun_sa_set_state(sa, ESPTUN_SA_STATE_ACTIVE);
	if (sa->keepalive)
		esptun_keepalive_start(sa->tun);
	prev = esptun_policy_enter(sa);
	if (prev && prev->state == ESPTUN_SA_STATE_ACTIVE)
		esptun_sa_set_state(prev, ESPTUN_SA_STATE_OLD);
	return esptun_device_follow(sa->tun);
}

/* @out waits for the first packet on @in. Under the device's lock. */
static void esptun_sa_pair(struct esptun_sa *out, struct esptun_sa *in)
{
	if (in->twin)
		in->twin->twin = NULL;
	in->twin = out;
	out->twin = in;
}

static void esptun_sa_unpair(struct esptun_sa *sa)
{
	if (sa->twin)
		sa->twin->twin = NULL;
	sa->twin = NULL;
}

/* What must hold beside the parameters themselves. Under the underlay's mutex. */
static int esptun_sa_check_place(const struct esptun_sa *sa, struct netlink_ext_ack *extack)
{
	struct esptun_dev *tun = sa->tun;
	bool found;

	if (tun->gone) {
		NL_SET_ERR_MSG(extack, "ifindex: the device is being deleted");
		return -ENODEV;
	}
	if (sa->dir == ESPTUN_DIR_IN && esptun_sadb_reserved_other(tun, sa->spi)) {
		NL_SET_ERR_MSG(extack, "spi: reserved for another device");
		return -EEXIST;
	}
	if (sa->dir == ESPTUN_DIR_IN && esptun_sadb_foreign(tun->net, 0, &tun->local, sa->spi)) {
		NL_SET_ERR_MSG(extack, "spi: the kernel's own IPsec (xfrm) has an SA with it");
		return -EEXIST;
	}
	if (!sa->partner)
		return 0;
	rcu_read_lock();
	found = esptun_sa_find(tun, ESPTUN_DIR_IN, sa->partner);
	rcu_read_unlock();
	if (!found)
		return esptun_sa_refuse(extack,
			"partner-spi: the device has no inbound SA with this SPI");
	return 0;
}

/* Under the underlay's mutex. @activate: send with it from now on. */
static int esptun_sa_install(struct esptun_net *en, struct esptun_sa *sa, __be16 peer_port,
			     bool activate, struct netlink_ext_ack *extack)
{
	struct esptun_dev *tun = sa->tun;
	struct esptun_sa *partner;
	bool told = false;
	int err;

	err = esptun_sa_check_place(sa, extack);
	if (!err)
		err = esptun_sadb_check(en, sa, extack);
	/* When the last one went there may have been no memory to go home with. */
	if (!err && !tun->sa_count)
		err = esptun_path_home(tun);
	/* What is refused changes nothing: from here on only memory can be missing. */
	if (!err && sa->encap)
		err = esptun_path_set_port(tun, peer_port);
	if (err)
		return err;
	sa->id = atomic64_inc_return(&esptun_sa_ids);
	esptun_sadb_insert(en, sa);
	if (sa->dir == ESPTUN_DIR_IN)
		esptun_sadb_unreserve(tun, sa->spi);
	if (sa->encap)
		en->encaps++;
	trace_esptun_sa(tun->dev, "add", sa->dir, sa->spi, sa->state);
	spin_lock_bh(&tun->lock);
	list_add_tail_rcu(&sa->by_tun, &tun->sas);
	WRITE_ONCE(tun->sa_count, tun->sa_count + 1);
	rcu_read_lock();
	partner = sa->partner ? esptun_sa_find(tun, ESPTUN_DIR_IN, sa->partner) : NULL;
	if (partner)
		esptun_sa_pair(sa, partner);
	/* One that has been confirmed before has nothing to tell us any more. */
	if (partner && partner->crypto.integrity && test_bit(ESPTUN_SA_CONFIRMED, &partner->marks))
		activate = true;
	rcu_read_unlock();
	/* Someone who guessed its SPI may have activated it already. */
	if (activate && sa->state == ESPTUN_SA_STATE_PENDING)
		told = esptun_sa_switch(sa);
	spin_unlock_bh(&tun->lock);
	esptun_nl_changed();
	if (told)
		esptun_nl_carrier(tun);
	return 0;
}

int esptun_sa_new(struct esptun_dev *tun, const struct esptun_sa_params *p,
		  struct netlink_ext_ack *extack)
{
	bool activate = p->dir == ESPTUN_DIR_OUT && p->state == ESPTUN_SA_STATE_ACTIVE;
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_sa *sa;
	int err;

	err = esptun_sa_check(p, extack);
	if (err)
		return err;
	sa = esptun_sa_create(tun, p, extack);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	mutex_lock(&en->mutex);
	if (sa->dir == ESPTUN_DIR_OUT)
		err = esptun_keyring_claim(&p->crypto, p->seq, &sa->key, extack);
	if (!err) {
		err = esptun_sa_install(en, sa, p->peer_port, activate, extack);
		if (err && sa->dir == ESPTUN_DIR_OUT)
			esptun_keyring_cancel(&sa->key);
	}
	mutex_unlock(&en->mutex);
	if (err)
		esptun_sa_put(sa);
	return err;
}

struct esptun_sa *esptun_sa_find(struct esptun_dev *tun, u32 dir, __be32 spi)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_sa *sa;

	sa = dir == ESPTUN_DIR_IN ? esptun_sadb_in(en, spi) :
				    esptun_sadb_out_of(en, spi, tun);
	return sa && sa->tun == tun ? sa : NULL;
}

struct esptun_sa *esptun_sa_next(struct esptun_dev *tun, u64 id)
{
	struct esptun_sa *sa;

	list_for_each_entry_rcu(sa, &tun->sas, by_tun)
		if (sa->id > id)
			return sa;
	return NULL;
}

int esptun_sa_activate(struct esptun_dev *tun, __be32 spi, struct netlink_ext_ack *extack)
{
	bool told = false;
	struct esptun_sa *sa;
	int err = 0;

	rcu_read_lock();
	spin_lock_bh(&tun->lock);
	sa = esptun_sa_find(tun, ESPTUN_DIR_OUT, spi);
	if (!sa) {
		NL_SET_ERR_MSG(extack, "spi: the device has no outbound SA with this SPI");
		err = -ENOENT;
	} else if (sa->state == ESPTUN_SA_STATE_PENDING) {
		told = esptun_sa_switch(sa);
	} else if (sa->state != ESPTUN_SA_STATE_ACTIVE) {
		NL_SET_ERR_MSG(extack,
			       "spi: the SA is old or expired, only a pending one can be activated");
		err = -EINVAL;
	}
	spin_unlock_bh(&tun->lock);
	rcu_read_unlock();
	esptun_nl_changed();
	if (told)
		esptun_nl_carrier(tun);
	return err;
}

/* Takes an SA out of all tables; its base reference ends later. Under the underlay's mutex. */
static void esptun_sa_unlink(struct esptun_net *en, struct esptun_sa *sa, u32 reason)
{
	struct esptun_dev *tun = sa->tun;
	bool told = false;

	esptun_sadb_remove(en, sa);
	spin_lock_bh(&tun->lock);
	list_del_rcu(&sa->by_tun);
	WRITE_ONCE(tun->sa_count, tun->sa_count - 1);
	esptun_sa_unpair(sa);
	told = esptun_policy_leave(sa) && esptun_device_follow(tun);
	spin_unlock_bh(&tun->lock);
	if (sa->dir == ESPTUN_DIR_OUT) {
		/* Packets under way took their numbers before this, none does after it. */
		WRITE_ONCE(sa->final_seq, esptun_seq_close(&sa->seq));
		esptun_keyring_release(&sa->key, sa->final_seq);
	}
	if (!tun->sa_count)
		esptun_path_home(tun);
	if (sa->encap && !--en->encaps)
		esptun_socket_release(en);
	trace_esptun_sa(tun->dev, "delete", sa->dir, sa->spi, sa->state);
	esptun_nl_changed();
	esptun_nl_sa_deleted(sa, reason);
	if (told)
		esptun_nl_carrier(tun);
	queue_rcu_work(esptun_wq, &sa->gone_work);
}

int esptun_sa_del(struct esptun_dev *tun, u32 dir, __be32 spi, struct netlink_ext_ack *extack)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_sa *sa;
	int err = 0;

	mutex_lock(&en->mutex);
	rcu_read_lock();
	sa = esptun_sa_find(tun, dir, spi);
	rcu_read_unlock();
	/* Only holders of the mutex unlink it, so it stays. */
	if (sa) {
		esptun_sa_unlink(en, sa, ESPTUN_DELETE_REASON_REQUEST);
	} else if (dir != ESPTUN_DIR_IN || !esptun_sadb_unreserve(tun, spi)) {
		NL_SET_ERR_MSG(extack, "spi: the device has no such SA in this direction");
		err = -ENOENT;
	}
	mutex_unlock(&en->mutex);
	return err;
}

void esptun_sa_flush_locked(struct esptun_dev *tun, u32 reason)
{
	struct esptun_net *en = esptun_net_get(tun->net);
	struct esptun_sa *sa, *tmp;

	lockdep_assert_held(&en->mutex);
	list_for_each_entry_safe(sa, tmp, &tun->sas, by_tun) {
		esptun_sa_unlink(en, sa, reason);
		cond_resched();
	}
	if (tun->external && !tun->tunnel_id)
		esptun_external_flush_locked(tun, reason);
}

void esptun_sa_flush(struct esptun_dev *tun, u32 reason)
{
	struct esptun_net *en = esptun_net_get(tun->net);

	mutex_lock(&en->mutex);
	esptun_sa_flush_locked(tun, reason);
	mutex_unlock(&en->mutex);
}

void esptun_sa_expire(struct esptun_sa *sa)
{
	struct esptun_dev *tun = sa->tun;
	bool told = false;
	bool first;

	spin_lock_bh(&tun->lock);
	first = sa->state != ESPTUN_SA_STATE_EXPIRED;
	if (first) {
		esptun_sa_set_state(sa, ESPTUN_SA_STATE_EXPIRED);
		told = sa->in_use && esptun_device_follow(tun);
	}
	spin_unlock_bh(&tun->lock);
	if (first)
		esptun_nl_sa_event(ESPTUN_CMD_HARD_EXPIRE_NTF, sa);
	if (told)
		esptun_nl_carrier(tun);
}

void esptun_sa_soft(struct esptun_sa *sa)
{
	if (test_bit(ESPTUN_SA_SOFT_TOLD, &sa->marks) ||
	    test_and_set_bit(ESPTUN_SA_SOFT_TOLD, &sa->marks))
		return;
	esptun_nl_sa_event(ESPTUN_CMD_SOFT_EXPIRE_NTF, sa);
}

bool esptun_sa_account_limited(struct esptun_sa *sa, u32 packets, u64 bytes)
{
	const struct esptun_limits *l = &sa->limits;
	u64 p = atomic64_add_return(packets, &sa->used_packets);
	u64 b = atomic64_add_return(bytes, &sa->used_bytes);

	if ((l->soft_packets && p >= l->soft_packets) || (l->soft_bytes && b >= l->soft_bytes))
		esptun_sa_soft(sa);
	if ((l->hard_packets && p >= l->hard_packets) || (l->hard_bytes && b >= l->hard_bytes))
		esptun_sa_expire(sa);
	return !(l->hard_packets && p > l->hard_packets) && !(l->hard_bytes && b > l->hard_bytes);
}

void esptun_sa_confirm(struct esptun_sa *sa)
{
	struct esptun_dev *tun = sa->tun;
	struct esptun_sa *out;
	bool switched = false;
	bool told = false;

	/* Under the lock, so that an SA being installed sees the mark or is seen here. */
	spin_lock_bh(&tun->lock);
	if (test_and_set_bit(ESPTUN_SA_CONFIRMED, &sa->marks) || !sa->crypto.integrity) {
		spin_unlock_bh(&tun->lock);
		return;
	}
	trace_esptun_sa(tun->dev, "confirm", sa->dir, sa->spi, sa->state);
	out = sa->twin;
	if (out && out->state == ESPTUN_SA_STATE_PENDING) {
		told = esptun_sa_switch(out);
		switched = true;
	}
	spin_unlock_bh(&tun->lock);
	esptun_nl_changed();
	esptun_nl_sa_event(ESPTUN_CMD_SA_CONFIRMED_NTF, sa);
	if (told)
		esptun_nl_carrier(tun);
	if (switched)
		esptun_device_mtu_later(tun);
}
