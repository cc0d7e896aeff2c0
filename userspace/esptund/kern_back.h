/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between kern.c and its two back ends; nobody else includes this.
 *
 * kern.c keeps what is common: which tunnel has which device, and the list of SAs that the
 * daemon knows to be installed. A back end does the work and reports events with the
 * kern_report functions, which drop what is not ours.
 */
#ifndef ESPTUND_KERN_BACK_H
#define ESPTUND_KERN_BACK_H

#include <stdint.h>

#include "kern.h"

/* An SA as a back end finds it when asked what is there. */
struct kern_found {
	const char *device;
	uint32_t link;			/* of the device, as in sa_add */
	enum ike_dir dir;
	uint32_t spi;
	bool pending;			/* out: installed, not in use yet */
	bool confirmed;			/* in: a packet has authenticated */
	bool soft_expired, hard_expired;
	const uint8_t *cookie;		/* IKE_SA_COOKIE_LEN octets; NULL: not ours */
	struct ike_selector sel;	/* the packets it is for */
	struct ike_addr peer;		/* where encapsulated packets go; family 0: it is not encapsulated */
};

typedef void (*kern_found_fn)(struct kern *k, const struct kern_found *f, void *arg);

/* What a back end can do; back is its own state. 0 or -errno with kern_fail() called. */
struct kern_back_ops {
	const char *name;
	void (*close)(void *back);
	/* Have a usable device; make it if dev->create. */
	int (*device_ensure)(struct kern *k, void *back, const struct kern_device *dev);
	int (*device_del)(struct kern *k, void *back, const char *device);
	int (*spi_alloc)(struct kern *k, void *back, const char *device, uint32_t *spi);
	/*
	 * *link: set to a number that names the device in events (an ifindex), for two peers may choose
	 * the same SPI.
	 */
	int (*sa_add)(struct kern *k, void *back, const char *device, const struct ike_sa *sa, uint32_t *link);
	int (*sa_activate)(struct kern *k, void *back, const char *device, uint32_t spi);
	int (*sa_del)(struct kern *k, void *back, const char *device, enum ike_dir dir, uint32_t spi);
	/* Add or delete an inner address of the device itself. */
	int (*address)(struct kern *k, void *back, const char *device, const struct ike_addr *a, bool add);
	/* When the last packet came in on an inbound SA; 0: none has. */
	int (*sa_last)(struct kern *k, void *back, const char *device, uint32_t spi, ike_time *at);
	/* See kern_socket_set(). */
	int (*socket_set)(struct kern *k, void *back, int fd);
	/* Call fn for each SA there is. */
	int (*dump)(struct kern *k, void *back, kern_found_fn fn, void *arg);
};

/* Takes back over, also on failure. NULL when memory is short. */
struct kern *kern_new(const struct kern_env *env, const struct kern_back_ops *ops, void *back);
struct log *kern_log(struct kern *k);
/* Remember why; returns err. */
int kern_fail(struct kern *k, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A packet wanted to leave by the device and there is no SA. */
void kern_report_acquire(struct kern *k, const char *device);
/* CONFIRMED, SOFT_EXPIRE, HARD_EXPIRE or DELETED of one SA; reported once each, and only for SAs known. */
void kern_report_sa(struct kern *k, enum ike_kernel_event_type type, uint32_t link, enum ike_dir dir, uint32_t spi);
/* The kernel has seen the device's peer at another address or port. */
void kern_report_moved(struct kern *k, const char *device, const struct ike_addr *peer);
/* Events were lost: look at everything again and report the differences. */
void kern_resync(struct kern *k);

#endif
