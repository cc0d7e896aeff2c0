// SPDX-License-Identifier: GPL-2.0
/*
 * Paths, see path.h: made, put in place, freed. Does no routing (outer.c) and never looks
 * at a packet's content.
 */
#include "path.h"
#include "device.h"
#include <linux/slab.h>

struct esptun_path *esptun_path_new(const struct esptun_addr *local,
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
	return path;
}

void esptun_path_free(struct esptun_path *path)
{
	if (!path)
		return;
	dst_cache_destroy(&path->route);
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
