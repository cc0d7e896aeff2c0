// SPDX-License-Identifier: GPL-2.0
/*
 * Paths, see path.h: made, put in place, freed, and changed when the peer shows up
 * elsewhere. Does no routing (outer.c); believes authenticated packets only, and of those
 * nothing but where they come from.
 */
#include "path.h"
#include "device.h"
#include "external.h"
#include "netlink.h"
#include "sa.h"
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst_metadata.h>

struct esptun_path *esptun_path_new(const struct esptun_dev *tun, const struct esptun_addr *local,
				    const struct esptun_addr *remote, __be16 port, gfp_t gfp)
{
	struct esptun_path *path = kzalloc(sizeof(*path), gfp);

	if (!path)
		return NULL;
	if (dst_cache_init(&path->route, gfp)) {
		kfree(path);
		return NULL;
	}
	path->local = *local;
	path->remote = *remote;
	path->port = port;
	if (!tun->tunnel_id)
		return path;
	path->metadata = esptun_external_metadata(tun, path, gfp);
	if (path->metadata)
		return path;
	esptun_path_free(path);
	return NULL;
}

void esptun_path_free(struct esptun_path *path)
{
	if (!path)
		return;
	dst_cache_destroy(&path->route);
	/* Packets that carry it have references of their own. */
	if (path->metadata)
		dst_release(&path->metadata->dst);
	kfree(path);
}

static void esptun_path_free_rcu(struct rcu_head *rcu)
{
	esptun_path_free(container_of(rcu, struct esptun_path, rcu));
}

void esptun_path_set(struct esptun_dev *tun, struct esptun_path *path)
{
	struct esptun_path *old = esptun_path_held(tun);

	lockdep_assert_held(&tun->lock);
	rcu_assign_pointer(tun->path, path);
	if (old)
		call_rcu(&old->rcu, esptun_path_free_rcu);
}

int esptun_path_set_port(struct esptun_dev *tun, __be16 port)
{
	struct esptun_path *old, *path;

	path = esptun_path_new(tun, &tun->local, &tun->remote, port, GFP_KERNEL_ACCOUNT);
	if (!path)
		return -ENOMEM;
	spin_lock_bh(&tun->lock);
	old = esptun_path_held(tun);
	if (old->port == port) {
		spin_unlock_bh(&tun->lock);
		esptun_path_free(path);
		return 0;
	}
	path->remote = old->remote;
	esptun_path_set(tun, path);
	spin_unlock_bh(&tun->lock);
	return 0;
}

int esptun_path_home(struct esptun_dev *tun)
{
	struct esptun_path *path, *old;
	bool away;

	spin_lock_bh(&tun->lock);
	old = esptun_path_held(tun);
	away = old->port || !esptun_addr_equal(&old->remote, &tun->remote);
	spin_unlock_bh(&tun->lock);
	if (!away)
		return 0;
	path = esptun_path_new(tun, &tun->local, &tun->remote, 0, GFP_KERNEL_ACCOUNT);
	if (!path)
		return -ENOMEM;
	spin_lock_bh(&tun->lock);
	esptun_path_set(tun, path);
	WRITE_ONCE(tun->pmtu, 0);
	spin_unlock_bh(&tun->lock);
	return 0;
}

/* Of two CPUs that see the peer elsewhere one is first; what the other saw is old by then. */
static bool esptun_path_move(struct esptun_dev *tun, const struct esptun_path *from,
			     struct esptun_path *to)
{
	bool moved;

	spin_lock(&tun->lock);
	moved = esptun_path_held(tun) == from;
	if (moved) {
		esptun_path_set(tun, to);
		WRITE_ONCE(tun->pmtu, 0);
	}
	spin_unlock(&tun->lock);
	return moved;
}

void esptun_path_follow(struct esptun_sa *sa, const struct sk_buff *skb, u64 seq)
{
	const struct udphdr *uh = (const struct udphdr *)(skb->data - sizeof(*uh));
	const struct esptun_path *path = rcu_dereference(sa->tun->path);
	struct esptun_path *moved;
	struct esptun_addr source;

	esptun_addr_of_packet(skb_network_header(skb), &source, NULL);
	if (likely(uh->source == path->port && esptun_addr_equal(&source, &path->remote)))
		return;
	/* One that others have overtaken tells where the peer was before. */
	if (sa->replay.window && seq != READ_ONCE(sa->replay.top))
		return;
	moved = esptun_path_new(sa->tun, &path->local, &source, uh->source, GFP_ATOMIC | __GFP_NOWARN);
	if (!moved)
		return;		/* the next packet comes from there, too */
	if (!esptun_path_move(sa->tun, path, moved)) {
		esptun_path_free(moved);
		return;
	}
	esptun_nl_peer_moved(sa->tun);
	esptun_device_mtu_later(sa->tun);
}
