/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world of hosts, each with a libike engine and a pretended kernel, a network between
 * them, and time that jumps to the next event. Everything follows from the seed.
 *
 * A scenario is a function that starts hosts, gives commands and lets time pass; it reads
 * like what happens. The first thing that is wrong ends the run: sim_fail() keeps its words,
 * and from then on time stands still.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "event.h"
#include "kernel.h"
#include "rng.h"

#define SIM_MS (IKE_SECOND / 1000)
#define SIM_MINUTE (60 * IKE_SECOND)
#define SIM_HOUR (60 * SIM_MINUTE)
#define SIM_DAY (24 * SIM_HOUR)

/* Events of this boot happen whatever restarts. */
#define SIM_ANY_BOOT (~0u)

enum { SIM_HOSTS = 4, SIM_LINKS = 8, SIM_EVENT_NAMES = 96 };

struct sim_host {
	struct sim_world *w;
	unsigned int index, boot;	/* boot counts restarts of the engine */
	struct ike_engine *engine;	/* NULL: switched off */
	bool asleep;			/* suspended: time passes, nothing else */
	bool homeless;			/* its address is gone */
	struct sim_kernel kernel;
	struct sim_rng random;		/* the engine's */
	struct ike_config cfg;
	struct { const char *name; unsigned long n; } saw[SIM_EVENT_NAMES];	/* log events */
	unsigned long sent, sent_octets;	/* datagrams */
	ike_time sent_since;
	unsigned long sent_lately;
	ike_time last_arrival;		/* of a datagram, here */
	/* Behind a NAT: others see it at 203.0.113.octet and at ports higher by shift; octet 0: it is not. */
	uint8_t nat_octet;
	uint16_t nat_shift;
};

enum sim_way {
	SIM_AGGRESSIVE = 1,		/* in aggressive mode, not main mode */
	SIM_LOGIN = 2,			/* with XAUTH and mode config; host 0 is the client */
	SIM_PUSH = 4,			/* the server sends the address unasked */
};

/* A tunnel, or one selector of it, from both ends. */
struct sim_link {
	const char *name;		/* of the tunnel */
	struct ike_selector sel;	/* as the first end sees it */
	struct sim_host *end[2];
	bool up[2];			/* a packet has come through to that end */
	bool watched;			/* no packet sent from now on may be lost */
	unsigned int era;		/* packets of an earlier one do not count */
	unsigned long sent, lost;
	ike_time last_arrival[2];
};

/* What the network does to IKE datagrams; percent each. Data suffers the delay only. */
struct sim_net {
	unsigned int loss, duplicate, reorder, late;
	unsigned int mangle;		/* an altered, cut or old copy comes as well */
	bool cut;			/* nothing passes */
	unsigned int flood;		/* MM1 with forged source and new cookies, per second */
	ike_time delay;			/* one way */
	uint8_t *old;			/* a datagram of the past, to be repeated */
	size_t old_len;
	struct ike_path old_path;
	uint8_t *mm1;			/* the flood's model */
	size_t mm1_len;
	struct ike_path mm1_path;
	unsigned long forged_octets;	/* sent by the flood */
};

struct sim_world {
	uint64_t seed;
	bool verbose;
	unsigned int way;		/* how phase 1 is gone through */
	ike_time now;
	struct sim_queue queue;
	struct sim_rng script, wire, kernels, pings;
	struct sim_net net;
	struct sim_host host[SIM_HOSTS];
	unsigned int n_hosts;
	struct sim_link link[SIM_LINKS];
	unsigned int n_links;
	ike_time next_ping, busy_until;
	ike_time ping_busy, ping_idle;	/* how often a packet is sent: around changes, and else */
	uint64_t ping_octets;
	ike_time up_after;		/* what the first start took; 0: not up yet */
	bool failed;
	char failure[600], doubt[600];
};

/* ---- making a world ---------------------------------------------------------------------- */

void sim_world_init(struct sim_world *w, uint64_t seed, bool verbose);
void sim_world_free(struct sim_world *w);

/* The seed's algorithms and lifetimes, the same for both ends. */
struct ike_tunnel_cfg sim_tunnel_cfg(struct sim_world *w);
void sim_cfg_free(struct ike_tunnel_cfg *t);
/* Add a tunnel between two hosts, configured alike; what differs is changed afterwards. */
struct sim_link *sim_link_add(struct sim_world *w, const char *name, unsigned int a, unsigned int b,
			      const struct ike_tunnel_cfg *cfg);
/* l's tunnel is for the n-th networks behind both ends. */
void sim_link_select(struct sim_link *l, unsigned int n);
/* l's tunnel gets one more selector, for the n-th networks: a link of its own. */
struct sim_link *sim_link_add_selector(struct sim_world *w, struct sim_link *l, unsigned int n);
/* As that end sees it. */
struct ike_selector sim_selector(const struct sim_link *l, int end);
struct ike_tunnel_cfg *sim_cfg(struct sim_link *l, int end);
void sim_set_psk(struct ike_tunnel_cfg *t, const char *psk);
void sim_set_p1(struct ike_tunnel_cfg *t, const char *proposal);
void sim_set_p2(struct ike_tunnel_cfg *t, const char *proposal);

/* ---- commands ----------------------------------------------------------------------------- */

/* A new engine with the host's configuration. */
void sim_host_start(struct sim_host *h);
/* The engine is gone without a word; the kernel's SAs stay. */
void sim_host_kill(struct sim_host *h);
/* Suspend it, wake it up: what was due in between is due at once. */
void sim_host_sleep(struct sim_host *h, bool asleep);
/* Its address goes or returns: nothing passes without it, and the engine is told. */
void sim_host_address(struct sim_host *h, bool present);
/* Hand the kernel's SAs to a new engine. */
void sim_host_adopt(struct sim_host *h);
/* The host is behind a NAT, or that gives it another mapping: what goes to the old one is lost. */
void sim_host_nat(struct sim_host *h, uint8_t octet, uint16_t shift);
/* Where the others see a port of it. */
struct ike_addr sim_host_outside(const struct sim_host *h, uint16_t port);
void sim_host_reconfigure(struct sim_host *h);
void sim_command(struct sim_host *h, enum ike_command cmd, const char *tunnel);

/* ---- time ---------------------------------------------------------------------------------- */

void sim_run_for(struct sim_world *w, ike_time span);
/* Until cond(w) or the time is over; true if cond became true. */
bool sim_run_until(struct sim_world *w, bool (*cond)(struct sim_world *w), ike_time span);

/* ---- for the parts of a world ---------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
void sim_fail(struct sim_world *w, const char *fmt, ...);
/* One line of -v output, with the time. */
__attribute__((format(printf, 2, 3)))
void sim_trace(struct sim_world *w, const char *fmt, ...);
/* Something about SAs has changed or is about to: look closely for a while. */
void sim_busy(struct sim_world *w);
/* Do what the engine wants done. After every call into it. */
void sim_host_drain(struct sim_host *h);
void sim_host_kernel_event(struct sim_host *h, const struct ike_kernel_event *ev);
/* Times the host logged that event. */
unsigned long sim_saw(const struct sim_host *h, const char *event);
void sim_net_send(struct sim_host *from, const struct ike_path *path, const void *data, size_t len);
void sim_ping(struct sim_world *w);
/* Begin the flood: net.flood a second, until that is 0. */
void sim_flood(struct sim_world *w);

#endif
