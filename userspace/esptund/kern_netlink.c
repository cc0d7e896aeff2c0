// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end for real: SAs go into the esptun module through libesptun, its events come
 * back. Translates numbers, keeps nothing. Each SA bears a cookie of a magic number and
 * libike's octets, so that the next run recognises what this one has installed.
 */
#include "kern_back.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libesptun/libesptun.h"

static const uint8_t magic[4] = { 'E', 'I', 'K', '1' };

struct nl {
	struct esptun_sock *sock;
	struct esptun_events *events;
	struct event *ev;
	struct kern *kern;
};

static int nl_fail(struct kern *k, struct nl *nl, int err)
{
	return kern_fail(k, err, "%s", esptun_last_error(nl->sock));
}

/* ---- numbers -------------------------------------------------------------------------- */

/* RFC 2407 4.4.4 transforms and the IANA numbers after it. */
static int encr_of(uint8_t transform, enum esptun_encr *encr)
{
	static const struct {
		uint8_t transform;
		enum esptun_encr encr;
	} map[] = {
		{ 3, ESPTUN_ENCR_DES3_CBC }, { 11, ESPTUN_ENCR_NULL }, { 12, ESPTUN_ENCR_AES_CBC },
		{ 13, ESPTUN_ENCR_AES_CTR }, { 14, ESPTUN_ENCR_AES_CCM_8 }, { 15, ESPTUN_ENCR_AES_CCM_12 },
		{ 16, ESPTUN_ENCR_AES_CCM_16 }, { 18, ESPTUN_ENCR_AES_GCM_8 }, { 19, ESPTUN_ENCR_AES_GCM_12 },
		{ 20, ESPTUN_ENCR_AES_GCM_16 }, { 23, ESPTUN_ENCR_NULL_AES_GMAC },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].transform == transform) {
			*encr = map[i].encr;
			return 0;
		}
	return -EINVAL;
}

/* RFC 2407 4.5 authentication algorithms and the IANA numbers after it. */
static int auth_of(uint16_t auth, enum esptun_auth *out)
{
	/* The last one is libike's own for number 5 cut to 96 bits. */
	static const struct {
		uint16_t number;
		enum esptun_auth auth;
	} map[] = {
		{ 0, ESPTUN_AUTH_NONE }, { 1, ESPTUN_AUTH_HMAC_MD5_96 }, { 2, ESPTUN_AUTH_HMAC_SHA1_96 },
		{ 5, ESPTUN_AUTH_HMAC_SHA256_128 }, { 6, ESPTUN_AUTH_HMAC_SHA384_192 },
		{ 7, ESPTUN_AUTH_HMAC_SHA512_256 }, { 9, ESPTUN_AUTH_AES_XCBC_96 },
		{ 61445, ESPTUN_AUTH_HMAC_SHA256_96 },
	};
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].number == auth) {
			*out = map[i].auth;
			return 0;
		}
	return -EINVAL;
}

static enum esptun_dir dir_to(enum ike_dir dir)
{
	return dir == IKE_IN ? ESPTUN_DIR_IN : ESPTUN_DIR_OUT;
}

static enum ike_dir dir_from(enum esptun_dir dir)
{
	return dir == ESPTUN_DIR_IN ? IKE_IN : IKE_OUT;
}

static struct esptun_addr addr_to(const struct ike_addr *a)
{
	struct esptun_addr out = { .family = a->family == 4 ? AF_INET : a->family == 6 ? AF_INET6 : AF_UNSPEC };

	if (a->family == 4)
		memcpy(&out.v4, a->ip, 4);
	else if (a->family == 6)
		memcpy(&out.v6, a->ip, 16);
	return out;
}

static struct ike_addr addr_from(const struct esptun_addr *a, uint16_t port)
{
	struct ike_addr out = { .family = a->family == AF_INET ? 4 : a->family == AF_INET6 ? 6 : 0, .port = port };

	if (out.family == 4)
		memcpy(out.ip, &a->v4, 4);
	else if (out.family == 6)
		memcpy(out.ip, &a->v6, 16);
	return out;
}

static bool addr_same(const struct esptun_addr *a, const struct esptun_addr *b)
{
	if (a->family != b->family)
		return false;
	return a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
	       a->family == AF_INET6 ? !memcmp(&a->v6, &b->v6, sizeof(a->v6)) : true;
}

/* ---- devices -------------------------------------------------------------------------- */

static int device_make(struct kern *k, struct nl *nl, const struct kern_device *dev)
{
	struct esptun_tunnel t = {
		.fields = ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE | ESPTUN_TUNNEL_KEEP_CARRIER | ESPTUN_TUNNEL_UP,
		.keep_carrier = dev->on_demand,
		.up = true,
	};
	int err;

	memcpy(t.ifname, dev->device, sizeof(t.ifname));
	t.local = addr_to(&dev->local);
	t.remote = addr_to(&dev->remote);
	err = esptun_tunnel_add(nl->sock, &t);
	if (err)
		return nl_fail(k, nl, err);
	log_line(kern_log(k), IKE_LOG_NOTICE, "device-added", dev->tunnel, "device %s", dev->device);
	return 0;
}

/* A device that somebody made by hand is theirs to change. */
static void warn_no_carrier(struct kern *k, const struct kern_device *dev, const struct esptun_tunnel *t)
{
	if (dev->on_demand && !t->keep_carrier)
		log_line(kern_log(k), IKE_LOG_WARNING, "device-no-demand", dev->tunnel,
			 "start = traffic, but device %s loses its carrier with its SA and then takes no packet: "
			 "esptun tunnel change %s keep-carrier on", dev->device, dev->device);
}

static int nl_device_ensure(struct kern *k, void *back, const struct kern_device *dev)
{
	struct nl *nl = back;
	struct esptun_addr local = addr_to(&dev->local), remote = addr_to(&dev->remote);
	struct esptun_tunnel t;
	int err = esptun_tunnel_get(nl->sock, dev->device, 0, &t);

	if (err == -ENODEV && dev->create)
		return device_make(k, nl, dev);
	if (err)
		return nl_fail(k, nl, err);
	if (!dev->create)
		warn_no_carrier(k, dev, &t);
	if (addr_same(&t.local, &local) && addr_same(&t.remote, &remote) &&
	    (!dev->create || t.keep_carrier == dev->on_demand))
		return 0;
	if (!dev->create && !dev->roaming)
		return kern_fail(k, -EINVAL, "has other addresses than the tunnel");
	t.fields = ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE;
	if (dev->create)
		t.fields |= ESPTUN_TUNNEL_KEEP_CARRIER;
	t.keep_carrier = dev->on_demand;
	t.local = local;
	t.remote = remote;
	err = esptun_tunnel_change(nl->sock, &t);
	return err ? nl_fail(k, nl, err) : 0;
}

static int nl_device_del(struct kern *k, void *back, const char *device)
{
	struct nl *nl = back;
	int err = esptun_tunnel_del(nl->sock, device);

	return err && err != -ENODEV ? nl_fail(k, nl, err) : 0;
}

/* By name each time: the device may have been deleted and made again. */
static int index_of(struct kern *k, struct nl *nl, const char *device, uint32_t *ifindex)
{
	int err = esptun_link_index(nl->sock, device, ifindex);

	return err ? kern_fail(k, err, "device %s: %s", device, esptun_last_error(nl->sock)) : 0;
}

/* ---- SAs ------------------------------------------------------------------------------ */

static int nl_spi_alloc(struct kern *k, void *back, const char *device, uint32_t *spi)
{
	struct nl *nl = back;
	uint32_t ifindex;
	int err = index_of(k, nl, device, &ifindex);

	if (err)
		return err;
	err = esptun_sa_alloc_spi(nl->sock, ifindex, spi);
	return err ? nl_fail(k, nl, err) : 0;
}

/* All addresses are left to the kernel, which takes those of the other end's family. */
static void fill_range(const struct ike_net *net, struct esptun_range *r)
{
	struct ike_addr first = { .family = net->family }, last;
	unsigned int i, len = net->family == 4 ? 4 : 16;

	if (!net->prefix)
		return;
	memcpy(first.ip, net->ip, sizeof(first.ip));
	last = first;
	for (i = net->prefix; i < len * 8; i++)
		last.ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
	r->first = addr_to(&first);
	r->last = addr_to(&last);
}

/* What fill_range() made, or the kernel out of nothing. */
static struct ike_net net_of(const struct esptun_range *r)
{
	const bool v6 = r->first.family == AF_INET6;
	const uint8_t *first = v6 ? r->first.v6.s6_addr : (const uint8_t *)&r->first.v4;
	const uint8_t *last = v6 ? r->last.v6.s6_addr : (const uint8_t *)&r->last.v4;
	struct ike_net net = { .family = v6 ? 6 : 4 };
	unsigned int bits = v6 ? 128 : 32;

	if (r->first.family == AF_UNSPEC)
		return net;
	while (net.prefix < bits && !((first[net.prefix / 8] ^ last[net.prefix / 8]) & 0x80 >> net.prefix % 8))
		net.prefix++;
	memcpy(net.ip, first, bits / 8);
	return net;
}

static void fill_sa(const struct ike_sa *in, struct esptun_sa *sa)
{
	sa->dir = dir_to(in->dir);
	sa->spi = in->spi;
	if (in->alg.esn)
		sa->flags |= ESPTUN_SA_FLAG_ESN;
	if (in->path.local.port) {
		sa->encap = ESPTUN_ENCAP_UDP;
		sa->encap_local_port = in->path.local.port;
		sa->encap_peer_port = in->path.remote.port;
	}
	if (in->follow_peer)
		sa->flags |= ESPTUN_SA_FLAG_FOLLOW_PEER;
	sa->keepalive = in->keepalive;
	if (in->dir == IKE_IN) {
		sa->replay_window = in->replay_window;
	} else {
		sa->partner_spi = in->partner_spi;
		sa->state = in->pending ? ESPTUN_SA_STATE_PENDING : ESPTUN_SA_STATE_ACTIVE;
	}
	/* Any to any, of whichever family it was negotiated, stays everything: both families. */
	fill_range(&in->local_net, &sa->sel.local);
	fill_range(&in->remote_net, &sa->sel.remote);
	sa->soft_bytes = in->soft_bytes;
	sa->hard_bytes = in->hard_bytes;
	memcpy(sa->cookie, magic, sizeof(magic));
	memcpy(sa->cookie + sizeof(magic), in->cookie, sizeof(in->cookie));
	sa->cookie_len = sizeof(magic) + sizeof(in->cookie);
}

static int nl_sa_add(struct kern *k, void *back, const char *device, const struct ike_sa *in, uint32_t *link)
{
	struct nl *nl = back;
	struct esptun_sa sa = { .state = ESPTUN_SA_STATE_ACTIVE };
	struct esptun_keys keys;
	int err = index_of(k, nl, device, &sa.ifindex);

	if (err)
		return err;
	if (encr_of(in->alg.transform, &sa.encr) || auth_of(in->alg.auth, &sa.auth) ||
	    in->encr_key_len > sizeof(keys.encr) || in->auth_key_len > sizeof(keys.auth))
		return kern_fail(k, -EINVAL, "transform %u with authentication %u is not known here",
				 in->alg.transform, in->alg.auth);
	*link = sa.ifindex;
	fill_sa(in, &sa);
	keys.encr_len = in->encr_key_len;
	keys.auth_len = in->auth_key_len;
	if (keys.encr_len)
		memcpy(keys.encr, in->encr_key, keys.encr_len);
	if (keys.auth_len)
		memcpy(keys.auth, in->auth_key, keys.auth_len);
	err = esptun_sa_new(nl->sock, &sa, &keys);
	return err ? nl_fail(k, nl, err) : 0;
}

static int nl_address(struct kern *k, void *back, const char *device, const struct ike_addr *a, bool add)
{
	struct nl *nl = back;
	struct esptun_addr addr = addr_to(a);
	int err = add ? esptun_address_add(nl->sock, device, &addr) : esptun_address_del(nl->sock, device, &addr);

	return err ? nl_fail(k, nl, err) : 0;
}

static int nl_sa_activate(struct kern *k, void *back, const char *device, uint32_t spi)
{
	struct nl *nl = back;
	uint32_t ifindex;
	int err = index_of(k, nl, device, &ifindex);

	if (err)
		return err;
	err = esptun_sa_activate(nl->sock, ifindex, spi);
	return err ? nl_fail(k, nl, err) : 0;
}

static int nl_sa_del(struct kern *k, void *back, const char *device, enum ike_dir dir, uint32_t spi)
{
	struct nl *nl = back;
	uint32_t ifindex;
	int err = index_of(k, nl, device, &ifindex);

	if (err)
		return err;
	err = esptun_sa_del(nl->sock, ifindex, dir_to(dir), spi);
	return err ? nl_fail(k, nl, err) : 0;
}

static const uint8_t *cookie_of(const struct esptun_sa *sa)
{
	if (sa->cookie_len != sizeof(magic) + IKE_SA_COOKIE_LEN || memcmp(sa->cookie, magic, sizeof(magic)) != 0)
		return NULL;
	return sa->cookie + sizeof(magic);
}

/* Where the device of an encapsulated SA sends to by now. */
static struct ike_addr peer_of(struct nl *nl, const struct esptun_sa *sa, const char *device)
{
	struct esptun_tunnel t;

	if (sa->encap != ESPTUN_ENCAP_UDP || esptun_tunnel_get(nl->sock, device, 0, &t))
		return (struct ike_addr){ .family = 0 };
	return addr_from(&t.peer, t.peer_port);
}

static int nl_socket_set(struct kern *k, void *back, int fd)
{
	struct nl *nl = back;
	int err = esptun_socket_set(nl->sock, fd);

	return err ? nl_fail(k, nl, err) : 0;
}

static int nl_dump(struct kern *k, void *back, kern_found_fn fn, void *arg)
{
	struct nl *nl = back;
	char device[IFNAMSIZ];
	struct esptun_sa *list;
	size_t n;
	int err = esptun_sa_dump(nl->sock, 0, &list, &n);

	if (err)
		return nl_fail(k, nl, err);
	for (size_t i = 0; i < n; i++) {
		const struct esptun_sa *sa = &list[i];
		struct kern_found f = {
			.device = device, .link = sa->ifindex, .dir = dir_from(sa->dir), .spi = sa->spi, .cookie = cookie_of(sa),
			.pending = sa->dir == ESPTUN_DIR_OUT && sa->state == ESPTUN_SA_STATE_PENDING,
			.confirmed = sa->confirmed, .sel = { net_of(&sa->sel.local), net_of(&sa->sel.remote) },
			.soft_expired = sa->soft_bytes && sa->bytes >= sa->soft_bytes,
			.hard_expired = sa->state == ESPTUN_SA_STATE_EXPIRED,
		};

		/* Gone since the dump, with its device. */
		if (esptun_link_name(nl->sock, sa->ifindex, device))
			continue;
		f.peer = peer_of(nl, sa, device);
		fn(k, &f, arg);
	}
	free(list);
	return 0;
}

/* ---- events --------------------------------------------------------------------------- */

static void on_event(const struct esptun_event *ev, void *arg)
{
	static const struct { int event; enum ike_kernel_event_type type; } map[] = {
		{ ESPTUN_CMD_SA_CONFIRMED_NTF, IKE_KEV_CONFIRMED },
		{ ESPTUN_CMD_SOFT_EXPIRE_NTF, IKE_KEV_SOFT_EXPIRE },
		{ ESPTUN_CMD_HARD_EXPIRE_NTF, IKE_KEV_HARD_EXPIRE },
		{ ESPTUN_CMD_SA_DELETED_NTF, IKE_KEV_DELETED },
	};
	struct nl *nl = arg;
	struct ike_addr peer;

	if (ev->type == ESPTUN_CMD_PEER_MOVED_NTF) {
		peer = addr_from(&ev->tunnel.peer, ev->tunnel.peer_port);
		kern_report_moved(nl->kern, ev->tunnel.ifname, &peer);
	} else if (ev->type == ESPTUN_EVENT_RESYNC) {
		kern_resync(nl->kern);
	} else if (ev->type == ESPTUN_CMD_ACQUIRE_NTF) {
		kern_report_acquire(nl->kern, ev->tunnel.ifname);
	} else {
		for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
			if (map[i].event == ev->type)
				kern_report_sa(nl->kern, map[i].type, ev->sa.ifindex, dir_from(ev->sa.dir), ev->sa.spi);
	}
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct nl *nl = arg;
	int n = esptun_events_read(nl->events, on_event, nl);

	(void)fd;
	(void)what;
	if (n >= 0)
		return;
	log_line(kern_log(nl->kern), IKE_LOG_ERROR, "events-failed", NULL, "no more kernel events: %s", strerror(-n));
	event_del(nl->ev);
}

static void nl_close(void *back)
{
	struct nl *nl = back;

	if (nl->ev)
		event_free(nl->ev);
	esptun_events_free(nl->events);
	esptun_free(nl->sock);
	free(nl);
}

static int nl_sa_last(struct kern *k, void *back, const char *device, uint32_t spi, ike_time *at)
{
	struct nl *nl = back;
	struct esptun_sa sa;
	uint32_t ifindex;
	int err = index_of(k, nl, device, &ifindex);

	if (err)
		return err;
	err = esptun_sa_get(nl->sock, ifindex, ESPTUN_DIR_IN, spi, &sa);
	if (err)
		return nl_fail(k, nl, err);
	*at = (ike_time)sa.last_used;
	return 0;
}

static const struct kern_back_ops nl_ops = {
	.name = "netlink",
	.close = nl_close,
	.device_ensure = nl_device_ensure,
	.device_del = nl_device_del,
	.spi_alloc = nl_spi_alloc,
	.sa_add = nl_sa_add,
	.sa_activate = nl_sa_activate,
	.sa_del = nl_sa_del,
	.address = nl_address,
	.sa_last = nl_sa_last,
	.socket_set = nl_socket_set,
	.dump = nl_dump,
};

struct kern *kern_open_netlink(const struct kern_env *env)
{
	struct nl *nl = calloc(1, sizeof(*nl));
	int err;

	if (!nl || !(nl->sock = esptun_new())) {
		free(nl);
		return NULL;
	}
	err = esptun_open(nl->sock, NULL);
	if (!err)
		err = esptun_events_new(nl->sock, ESPTUN_EVENTS_GENL, &nl->events);
	if (err) {
		log_line(env->log, IKE_LOG_ERROR, "kernel-unusable", NULL, "%s", esptun_last_error(nl->sock));
		nl_close(nl);
		return NULL;
	}
	nl->ev = event_new(loop_base(env->loop), esptun_events_fd(nl->events), EV_READ | EV_PERSIST, on_readable, nl);
	if (!nl->ev || event_add(nl->ev, NULL)) {
		nl_close(nl);
		return NULL;
	}
	nl->kern = kern_new(env, &nl_ops, nl);
	return nl->kern;
}
