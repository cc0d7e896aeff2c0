// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the map from tunnels to devices and the list of SAs the daemon put into the data
 * plane. The list is what makes events trustworthy: an event about an SA that is not in it
 * is not ours, and after lost events it shows what has changed. Holds no key.
 */
#include "kern_back.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An SA that is in the data plane because of us. */
struct known_sa {
	struct known_sa *next;
	char tunnel[IKE_NAME_MAX + 1];
	char device[IFNAMSIZ];	/* it is in, whichever the tunnel has by now */
	uint32_t link;		/* see kern_back.h, sa_add */
	enum ike_dir dir;
	uint32_t spi;
	unsigned int reported;	/* bit per ike_kernel_event_type */
	bool due;		/* to be compared by the resync in progress */
};

struct kern {
	struct kern_env env;
	const struct kern_back_ops *ops;
	void *back;
	struct kern_device *dev, *gone;
	size_t n_dev, n_gone;
	struct known_sa *sas;
	char error[256];
};

struct kern *kern_new(const struct kern_env *env, const struct kern_back_ops *ops, void *back)
{
	struct kern *k = calloc(1, sizeof(*k));

	if (!k) {
		ops->close(back);
		return NULL;
	}
	k->env = *env;
	k->ops = ops;
	k->back = back;
	return k;
}

void kern_close(struct kern *k)
{
	struct known_sa *sa, *next;

	if (!k)
		return;
	for (sa = k->sas; sa; sa = next) {
		next = sa->next;
		free(sa);
	}
	k->ops->close(k->back);
	free(k->dev);
	free(k->gone);
	free(k);
}

bool kern_is_record(const struct kern *k)
{
	return !strcmp(k->ops->name, "record");
}

struct log *kern_log(struct kern *k)
{
	return k->env.log;
}

const char *kern_error(const struct kern *k)
{
	return k->error;
}

int kern_fail(struct kern *k, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(k->error, sizeof(k->error), fmt, ap);
	va_end(ap);
	return err;
}

/* ---- devices ---------------------------------------------------------------------------- */

static const struct kern_device *find_device(const struct kern_device *dev, size_t n, const char *tunnel)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(dev[i].tunnel, tunnel))
			return &dev[i];
	return NULL;
}

/* A tunnel that was just removed keeps its device until its SAs are deleted. */
const struct kern_device *kern_device_of(const struct kern *k, const char *tunnel)
{
	const struct kern_device *d = find_device(k->dev, k->n_dev, tunnel);

	return d ? d : find_device(k->gone, k->n_gone, tunnel);
}

static const struct kern_device *tunnel_by_device(const struct kern *k, const char *device)
{
	for (size_t i = 0; i < k->n_dev; i++)
		if (!strcmp(k->dev[i].device, device))
			return &k->dev[i];
	return NULL;
}

/* Of a roaming tunnel the address known before stays; false: none is, and no device can be made yet. */
static bool find_peer(const struct kern *k, struct kern_device *d)
{
	const struct kern_device *before = find_device(k->gone, k->n_gone, d->tunnel);

	if (before && !strcmp(before->device, d->device))
		d->inner = before->inner;
	if (!d->roaming)
		return true;
	if (!before || !before->roaming || !before->peer_known)
		return false;
	d->remote = before->remote;
	d->peer_known = true;
	return true;
}

int kern_peer(struct kern *k, const char *tunnel, const struct ike_addr *remote)
{
	for (size_t i = 0; i < k->n_dev; i++) {
		struct kern_device *d = &k->dev[i];

		if (strcmp(d->tunnel, tunnel) != 0 || !d->roaming)
			continue;
		d->remote = *remote;
		d->peer_known = true;
		return k->ops->device_ensure(k, k->back, d);
	}
	return kern_fail(k, -ENODEV, "tunnel \"%s\" has no device whose peer may be anywhere", tunnel);
}

size_t kern_devices_set(struct kern *k, const struct kern_device *dev, size_t n)
{
	struct kern_device *copy = calloc(n ? n : 1, sizeof(*copy));
	size_t bad = 0;

	if (!copy) {
		log_line(k->env.log, IKE_LOG_ERROR, "no-memory", NULL, "out of memory for %zu devices", n);
		return n;
	}
	memcpy(copy, dev, n * sizeof(*copy));
	free(k->gone);
	k->gone = k->dev;
	k->n_gone = k->n_dev;
	k->dev = copy;
	k->n_dev = n;
	for (size_t i = 0; i < n; i++) {
		if (!find_peer(k, &k->dev[i]) || !k->ops->device_ensure(k, k->back, &k->dev[i]))
			continue;
		bad++;
		log_line(k->env.log, IKE_LOG_WARNING, "device-unusable", k->dev[i].tunnel, "device %s: %s",
			 k->dev[i].device, k->error);
	}
	return bad;
}

void kern_devices_reap(struct kern *k)
{
	for (size_t i = 0; i < k->n_gone; i++) {
		const struct kern_device *d = &k->gone[i];

		if (!d->create || tunnel_by_device(k, d->device))
			continue;
		if (k->ops->device_del(k, k->back, d->device))
			log_line(k->env.log, IKE_LOG_WARNING, "device-del-failed", d->tunnel, "device %s: %s",
				 d->device, k->error);
	}
	free(k->gone);
	k->gone = NULL;
	k->n_gone = 0;
}

/* ---- SAs -------------------------------------------------------------------------------- */

static struct known_sa *find_by_tunnel(struct kern *k, const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	struct known_sa *sa = k->sas;

	while (sa && (sa->spi != spi || sa->dir != dir || strcmp(sa->tunnel, tunnel)))
		sa = sa->next;
	return sa;
}

static struct known_sa *find_by_link(struct kern *k, uint32_t link, enum ike_dir dir, uint32_t spi)
{
	struct known_sa *sa = k->sas;

	while (sa && (sa->spi != spi || sa->dir != dir || sa->link != link))
		sa = sa->next;
	return sa;
}

/* NULL is fine. */
static void forget(struct kern *k, struct known_sa *sa)
{
	struct known_sa **p = &k->sas;

	while (*p && *p != sa)
		p = &(*p)->next;
	if (*p)
		*p = sa->next;
	free(sa);
}

static struct known_sa *remember(struct kern *k, const char *tunnel, const char *device, enum ike_dir dir,
				 uint32_t spi)
{
	struct known_sa *sa = calloc(1, sizeof(*sa));

	if (!sa)
		return NULL;
	snprintf(sa->tunnel, sizeof(sa->tunnel), "%s", tunnel);
	snprintf(sa->device, sizeof(sa->device), "%s", device);
	sa->dir = dir;
	sa->spi = spi;
	sa->next = k->sas;
	k->sas = sa;
	return sa;
}

/* The device of a tunnel, or NULL with the failure noted; every request about no SA yet starts here. */
static const char *device_for(struct kern *k, const char *tunnel)
{
	const struct kern_device *d = kern_device_of(k, tunnel);

	if (d)
		return d->device;
	kern_fail(k, -ENODEV, "tunnel \"%s\" has no device", tunnel);
	return NULL;
}

/* The device an SA is in: a reload may have given its tunnel another since. Copied to buf. */
static const char *device_of_sa(struct kern *k, const char *tunnel, enum ike_dir dir, uint32_t spi,
				char buf[IFNAMSIZ])
{
	const struct known_sa *sa = find_by_tunnel(k, tunnel, dir, spi);

	if (!sa)
		return device_for(k, tunnel);
	memcpy(buf, sa->device, IFNAMSIZ);
	return buf;
}

int kern_address(struct kern *k, const char *tunnel, const struct ike_addr *a)
{
	struct kern_device *d = (struct kern_device *)(uintptr_t)kern_device_of(k, tunnel);
	int err = 0;

	if (!d)
		return kern_fail(k, -ENODEV, "tunnel \"%s\" has no device", tunnel);
	/* The old one may be gone with its device: that is what was wanted. */
	if (d->inner.family && memcmp(&d->inner, a, sizeof(*a)) != 0)
		k->ops->address(k, k->back, d->device, &d->inner, false);
	if (a->family)
		err = k->ops->address(k, k->back, d->device, a, true);
	d->inner = *a;
	return err;
}

int kern_socket_set(void *ctx, int fd)
{
	struct kern *k = ctx;
	int err = k->ops->socket_set(k, k->back, fd);

	if (err)
		log_line(k->env.log, IKE_LOG_ERROR, "socket-refused", NULL,
			 "the kernel does not take ESP in UDP off our socket: %s", k->error);
	return err;
}

int kern_spi_alloc(struct kern *k, const char *tunnel, uint32_t *spi)
{
	const char *device = device_for(k, tunnel);

	return device ? k->ops->spi_alloc(k, k->back, device, spi) : -ENODEV;
}

int kern_sa_add(struct kern *k, const struct ike_sa *sa)
{
	const char *device = device_for(k, sa->tunnel);
	struct known_sa *known;
	int err;

	if (!device)
		return -ENODEV;
	known = remember(k, sa->tunnel, device, sa->dir, sa->spi);
	if (!known)
		return kern_fail(k, -ENOMEM, "out of memory");
	err = k->ops->sa_add(k, k->back, device, sa, &known->link);
	if (err)
		forget(k, known);
	return err;
}

int kern_sa_activate(struct kern *k, const char *tunnel, uint32_t spi)
{
	char buf[IFNAMSIZ];
	const char *device = device_of_sa(k, tunnel, IKE_OUT, spi, buf);

	return device ? k->ops->sa_activate(k, k->back, device, spi) : -ENODEV;
}

int kern_sa_del(struct kern *k, const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	char buf[IFNAMSIZ];
	const char *device = device_of_sa(k, tunnel, dir, spi, buf);
	int err = -ENODEV;

	/* First, so that the event of our own deletion finds nothing. */
	forget(k, find_by_tunnel(k, tunnel, dir, spi));
	if (device)
		err = k->ops->sa_del(k, k->back, device, dir, spi);
	return err == -ENOENT ? 0 : err;
}

int kern_sa_last(struct kern *k, const char *tunnel, uint32_t spi, ike_time *at)
{
	char buf[IFNAMSIZ];
	const char *device = device_of_sa(k, tunnel, IKE_IN, spi, buf);

	return device ? k->ops->sa_last(k, k->back, device, spi, at) : -ENODEV;
}

/* ---- events ----------------------------------------------------------------------------- */

void kern_report_acquire(struct kern *k, const char *device)
{
	const struct kern_device *d = tunnel_by_device(k, device);
	struct ike_kernel_event ev = { .type = IKE_KEV_ACQUIRE };

	if (!d)
		return;
	ev.tunnel = d->tunnel;
	k->env.event(k->env.ctx, &ev);
}

void kern_report_moved(struct kern *k, const char *device, const struct ike_addr *peer)
{
	const struct kern_device *d = tunnel_by_device(k, device);
	struct ike_kernel_event ev = { .type = IKE_KEV_PEER_MOVED, .peer = *peer };

	if (!d)
		return;
	ev.tunnel = d->tunnel;
	k->env.event(k->env.ctx, &ev);
}

void kern_report_sa(struct kern *k, enum ike_kernel_event_type type, uint32_t link, enum ike_dir dir, uint32_t spi)
{
	struct known_sa *sa = find_by_link(k, link, dir, spi);
	struct ike_kernel_event ev = { .type = type, .dir = dir, .spi = spi };
	char tunnel[IKE_NAME_MAX + 1];

	if (!sa || sa->reported & 1U << type)
		return;
	sa->reported |= 1U << type;
	/* The engine may delete the SA while it handles the event. */
	snprintf(tunnel, sizeof(tunnel), "%s", sa->tunnel);
	ev.tunnel = tunnel;
	if (type == IKE_KEV_DELETED)
		forget(k, sa);
	k->env.event(k->env.ctx, &ev);
}

/* What the data plane holds, copied, so that events can be handled while it changes. */
struct found_list {
	struct found_sa {
		char device[IFNAMSIZ];
		uint8_t cookie[IKE_SA_COOKIE_LEN];
		struct kern_found f;
	} *sa;
	size_t n;
	bool no_memory;
};

static void collect_one(struct kern *k, const struct kern_found *f, void *arg)
{
	struct found_list *list = arg;
	struct found_sa *grown = realloc(list->sa, (list->n + 1) * sizeof(*grown)), *sa;

	(void)k;
	if (!grown) {
		list->no_memory = true;
		return;
	}
	list->sa = grown;
	sa = &list->sa[list->n++];
	sa->f = *f;
	snprintf(sa->device, sizeof(sa->device), "%s", f->device);
	if (f->cookie)
		memcpy(sa->cookie, f->cookie, sizeof(sa->cookie));
}

static int collect(struct kern *k, struct found_list *list)
{
	int err;

	memset(list, 0, sizeof(*list));
	err = k->ops->dump(k, k->back, collect_one, list);
	if (!err && list->no_memory)
		err = kern_fail(k, -ENOMEM, "out of memory");
	if (err) {
		free(list->sa);
		list->sa = NULL;
	}
	return err;
}

static void adopt_one(struct kern *k, const struct found_sa *found)
{
	const struct kern_found *f = &found->f;
	const struct kern_device *d = tunnel_by_device(k, found->device);
	struct ike_kernel_event ev = {
		.type = IKE_KEV_ADOPT, .dir = f->dir, .spi = f->spi, .cookie = found->cookie,
		.pending = f->pending, .sel = f->sel, .peer = f->peer,
	};
	struct known_sa *sa;

	if (!f->cookie || !d || find_by_link(k, f->link, f->dir, f->spi))
		return;
	sa = remember(k, d->tunnel, d->device, f->dir, f->spi);
	if (!sa)
		return;
	sa->link = f->link;
	if (f->confirmed)
		sa->reported |= 1U << IKE_KEV_CONFIRMED;
	ev.tunnel = d->tunnel;
	log_line(k->env.log, IKE_LOG_INFO, "sa-found", d->tunnel, "%s SA %08x is in the kernel",
		 f->dir == IKE_IN ? "inbound" : "outbound", f->spi);
	k->env.event(k->env.ctx, &ev);
}

int kern_adopt(struct kern *k)
{
	struct found_list list;
	int err = collect(k, &list);

	if (err)
		return err;
	for (size_t i = 0; i < list.n; i++)
		adopt_one(k, &list.sa[i]);
	free(list.sa);
	return 0;
}

static void resync_one(struct kern *k, const struct found_list *list, uint32_t link, enum ike_dir dir, uint32_t spi)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct kern_found *f = &list->sa[i].f;

		if (f->link != link || f->dir != dir || f->spi != spi)
			continue;
		if (f->confirmed)
			kern_report_sa(k, IKE_KEV_CONFIRMED, link, dir, spi);
		if (f->soft_expired)
			kern_report_sa(k, IKE_KEV_SOFT_EXPIRE, link, dir, spi);
		if (f->hard_expired)
			kern_report_sa(k, IKE_KEV_HARD_EXPIRE, link, dir, spi);
		return;
	}
	kern_report_sa(k, IKE_KEV_DELETED, link, dir, spi);
}

void kern_resync(struct kern *k)
{
	struct found_list list;
	struct known_sa *next;

	log_line(k->env.log, IKE_LOG_WARNING, "events-lost", NULL, "kernel events were lost, reading all SAs again");
	if (collect(k, &list)) {
		log_line(k->env.log, IKE_LOG_ERROR, "resync-failed", NULL, "%s", k->error);
		return;
	}
	for (struct known_sa *sa = k->sas; sa; sa = sa->next)
		sa->due = true;
	/* An event may change the list anywhere, so begin again after each. */
	do {
		next = k->sas;
		while (next && !next->due)
			next = next->next;
		if (next) {
			next->due = false;
			resync_one(k, &list, next->link, next->dir, next->spi);
		}
	} while (next);
	free(list.sa);
}
