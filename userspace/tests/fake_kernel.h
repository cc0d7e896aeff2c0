/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the CLI: stands for libesptun's requests at link time. Records what it was
 * asked, answers from tables the test sets, refuses when told to. A test program that
 * includes this defines every function of libesptun.h that talks to the kernel.
 */
#ifndef ESPTUN_TESTS_FAKE_KERNEL_H
#define ESPTUN_TESTS_FAKE_KERNEL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "libesptun/libesptun.h"

struct esptun_sock { int unused; };

static struct {
	const char *refuse;		/* text; every request fails with it */
	bool no_module;			/* module_get finds none */
	char last[32];			/* name of the last request, "" for none */
	struct esptun_tunnel tunnel;	/* as requested */
	struct esptun_sa sa;		/* as requested */
	struct esptun_keys keys;	/* as they arrived */
	struct esptun_tunnel tunnels[4];	/* what dumps and gets show */
	size_t tunnel_count;
	struct esptun_sa sas[4];
	size_t sa_count;
	struct esptun_module module;
} fake;

static struct esptun_sock fake_sock;

static int asked(const char *what)
{
	strcpy(fake.last, what);
	return fake.refuse ? -EINVAL : 0;
}

struct esptun_sock *esptun_new(void)
{
	return &fake_sock;
}

int esptun_open(struct esptun_sock *s, const char *netns)
{
	(void)s;
	(void)netns;
	return 0;
}

void esptun_free(struct esptun_sock *s)
{
	(void)s;
}

const char *esptun_last_error(const struct esptun_sock *s)
{
	(void)s;
	return fake.refuse ? fake.refuse : fake.no_module ? "the module is not loaded" : "there is no such device";
}

/* Devices are paris0 = 7, rome0 = 8, eth0 = 2. */
int esptun_link_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex)
{
	(void)s;
	*ifindex = strcmp(ifname, "paris0") == 0 ? 7 : strcmp(ifname, "rome0") == 0 ? 8 :
		   strcmp(ifname, "eth0") == 0 ? 2 : 0;
	return *ifindex ? 0 : -ENODEV;
}

int esptun_tunnel_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex)
{
	return strcmp(ifname, "eth0") == 0 ? -EINVAL : esptun_link_index(s, ifname, ifindex);
}

int esptun_link_name(struct esptun_sock *s, uint32_t ifindex, char ifname[IFNAMSIZ])
{
	const char *name = ifindex == 7 ? "paris0" : ifindex == 8 ? "rome0" :
			   ifindex == 2 ? "eth0" : NULL;

	(void)s;
	if (!name)
		return -ENODEV;
	strcpy(ifname, name);
	return 0;
}

int esptun_tunnel_add(struct esptun_sock *s, struct esptun_tunnel *t)
{
	(void)s;
	fake.tunnel = *t;
	return asked("tunnel_add");
}

int esptun_tunnel_change(struct esptun_sock *s, const struct esptun_tunnel *t)
{
	(void)s;
	fake.tunnel = *t;
	return asked("tunnel_change");
}

int esptun_tunnel_del(struct esptun_sock *s, const char *ifname)
{
	(void)s;
	strcpy(fake.tunnel.ifname, ifname);
	return asked("tunnel_del");
}

int esptun_tunnel_get(struct esptun_sock *s, const char *ifname, uint32_t ifindex,
		      struct esptun_tunnel *t)
{
	(void)s;
	(void)ifname;
	(void)ifindex;
	*t = fake.tunnels[0];
	return asked("tunnel_get");
}

int esptun_tunnel_dump(struct esptun_sock *s, struct esptun_tunnel **list, size_t *count)
{
	(void)s;
	*count = fake.tunnel_count;
	*list = malloc(sizeof(fake.tunnels));
	memcpy(*list, fake.tunnels, sizeof(fake.tunnels));
	if (fake.refuse)
		free(*list);
	return asked("tunnel_dump");
}

int esptun_sa_alloc_spi(struct esptun_sock *s, uint32_t ifindex, uint32_t *spi)
{
	(void)s;
	fake.sa.ifindex = ifindex;
	*spi = 0xc0ffee01;
	return asked("sa_alloc_spi");
}

int esptun_sa_new(struct esptun_sock *s, const struct esptun_sa *sa, struct esptun_keys *keys)
{
	(void)s;
	fake.sa = *sa;
	fake.keys = *keys;
	esptun_wipe(keys, sizeof(*keys));
	return asked("sa_new");
}

int esptun_sa_activate(struct esptun_sock *s, uint32_t ifindex, uint32_t spi)
{
	(void)s;
	fake.sa.ifindex = ifindex;
	fake.sa.spi = spi;
	return asked("sa_activate");
}

int esptun_sa_del(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi)
{
	(void)s;
	fake.sa.ifindex = ifindex;
	fake.sa.dir = dir;
	fake.sa.spi = spi;
	return asked("sa_del");
}

int esptun_sa_dump(struct esptun_sock *s, uint32_t ifindex, struct esptun_sa **list, size_t *count)
{
	(void)s;
	fake.sa.ifindex = ifindex;
	*count = fake.sa_count;
	*list = malloc(sizeof(fake.sas));
	memcpy(*list, fake.sas, sizeof(fake.sas));
	if (fake.refuse)
		free(*list);
	return asked("sa_dump");
}

void esptun_sa_tunnel(struct esptun_sock *s, uint32_t tunnel_id)
{
	(void)s;
	fake.sa.tunnel_id = tunnel_id;
}

int esptun_sa_flush(struct esptun_sock *s, uint32_t ifindex)
{
	(void)s;
	fake.sa.ifindex = ifindex;
	return asked("sa_flush");
}

int esptun_module_get(struct esptun_sock *s, struct esptun_module *m)
{
	(void)s;
	*m = fake.module;
	return fake.no_module ? -ENOENT : asked("module_get");
}

int esptun_events_new(struct esptun_sock *s, unsigned int what, struct esptun_events **out)
{
	(void)s;
	(void)what;
	*out = NULL;
	return -EPERM;
}

int esptun_events_fd(const struct esptun_events *e)
{
	(void)e;
	return -1;
}

int esptun_events_read(struct esptun_events *e, esptun_event_fn fn, void *arg)
{
	(void)e;
	(void)fn;
	(void)arg;
	return -EIO;
}

void esptun_events_free(struct esptun_events *e)
{
	(void)e;
}

#endif /* ESPTUN_TESTS_FAKE_KERNEL_H */
