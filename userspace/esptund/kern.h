/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data plane as the daemon sees it: devices of tunnels, SAs in and out, events. Two
 * back ends, chosen at start: the esptun module (kern_netlink.c) and a file that records
 * what would have been installed (kern_record.c, for tests).
 *
 * Functions return 0 or -errno and then kern_error() has a sentence. All calls are
 * synchronous; events come from the loop through the callback.
 */
#ifndef ESPTUND_KERN_H
#define ESPTUND_KERN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "libike/ike.h"
#include "log.h"
#include "loop.h"

struct kern;

/* The device of one configured tunnel. */
struct kern_device {
	char tunnel[IKE_NAME_MAX + 1];
	char device[IFNAMSIZ];
	bool create;			/* make it if there is none, and delete it with its tunnel */
	/*
	 * Negotiated when traffic asks for it: without carrier no packet would reach the device to
	 * ask, so it keeps its carrier while it has no SA.
	 */
	bool on_demand;
	struct ike_addr local, remote;	/* for a device that is made */
	struct ike_addr inner;		/* address that mode config gave to the device; family 0: none */
	bool peer_known;		/* roaming: remote has been told */
	bool roaming;			/* remote is any until kern_peer(); the device is ours to change */
};

struct kern_env {
	struct loop *loop;
	struct log *log;
	/* An event of the data plane. Strings and cookie are valid during the call. */
	void (*event)(void *ctx, const struct ike_kernel_event *ev);
	void *ctx;
};

/* Both return NULL with the reason logged. */
struct kern *kern_open_netlink(const struct kern_env *env);
/* path is made with mode 0600, for it holds keys; what it already holds counts as installed. */
struct kern *kern_open_record(const struct kern_env *env, const char *path);
/* Deletes nothing: tunnels outlive the daemon. */
void kern_close(struct kern *k);
/* Is this the recording back end? */
bool kern_is_record(const struct kern *k);

/*
 * The devices of all configured tunnels, replacing those told before. Missing ones are made
 * if they may be; problems are logged and leave the other devices alone. Returns the number of
 * tunnels without a usable device.
 */
size_t kern_devices_set(struct kern *k, const struct kern_device *dev, size_t n);
/* Where the peer of a roaming tunnel is. The device must have no SA when that changes. */
int kern_peer(struct kern *k, const char *tunnel, const struct ike_addr *remote);
/* Delete the devices made for tunnels that are no longer configured. After their SAs are gone. */
void kern_devices_reap(struct kern *k);
/* The device of a tunnel, or NULL. */
const struct kern_device *kern_device_of(const struct kern *k, const char *tunnel);

/* Report each SA that bears a cookie of ours as IKE_KEV_ADOPT. Once, after kern_devices_set. */
int kern_adopt(struct kern *k);

/* The device's address is a from now on (family 0: none) instead of the one told before. */
int kern_address(struct kern *k, const char *tunnel, const struct ike_addr *a);
/*
 * A UDP socket of the NAT traversal port: the data plane takes ESP in UDP and NAT keepalives off
 * it. Called before it is bound and afterwards. ctx is the struct kern; failures are logged.
 */
int kern_socket_set(void *ctx, int fd);

int kern_spi_alloc(struct kern *k, const char *tunnel, uint32_t *spi);
int kern_sa_add(struct kern *k, const struct ike_sa *sa);
int kern_sa_activate(struct kern *k, const char *tunnel, uint32_t spi);
/* Also gives back a reserved SPI. An SA that is gone already is no error. */
int kern_sa_del(struct kern *k, const char *tunnel, enum ike_dir dir, uint32_t spi);

/* When the last packet came in on an inbound SA (the clock of the loop); 0: none has. */
int kern_sa_last(struct kern *k, const char *tunnel, uint32_t spi, ike_time *at);

/* Why the last call failed. Never NULL. */
const char *kern_error(const struct kern *k);

#endif
