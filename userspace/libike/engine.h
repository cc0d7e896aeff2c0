/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine itself: what all parts share. Private to libike.
 *
 * Objects and who owns them
 *
 *	engine -> tunnels   one per configured tunnel (tunnel.h)
 *	engine -> ikesas    one per cookie pair (ikesa.h); points to its tunnel
 *	ikesa  -> exchanges main mode and each quick mode or informational (exchange.h)
 *	tunnel -> children  one per pair of IPsec SAs (child.h); outlive their ikesa
 *
 * Nothing is freed while a call is being worked on: dead objects are unlinked at once,
 * go to the graveyard and are wiped and freed when the public call returns.
 */
#ifndef LIBIKE_ENGINE_H
#define LIBIKE_ENGINE_H

#include "action.h"
#include "ike.h"
#include "timer.h"

struct ike_tunnel;
struct ike_ikesa;
struct ike_exchange;
struct ike_child;
struct ike_lease;
struct ike_request;

#define IKE_COOKIE_BUCKETS 1024

struct ike_engine {
	struct ike_env env;
	ike_time now;			/* of the call being worked on */
	const struct ike_path *from;	/* of the datagram being worked on; NULL: none is */
	struct ike_counters cnt;
	struct ike_actions actions;
	struct ike_timers timers;
	struct ike_log_limit log_limit[IKE_N_EVENTS];
	struct ike_limit log_all;

	struct ike_tunnel *tunnels;	/* in the configuration's order */
	struct ike_trustpoint *trustpoint;	/* likewise */
	size_t n_trustpoints;
	unsigned int trust_generation;	/* counts their replacements */
	struct ike_ikesa *ikesas;
	struct ike_ikesa *bucket[IKE_COOKIE_BUCKETS];	/* by initiator cookie */
	uint64_t bucket_key;		/* random: peers choose cookies */
	unsigned int half_open;		/* responder SAs whose peer is not authenticated */

	struct ike_request *requests;	/* asked of the kernel, not answered yet */
	uint64_t last_request;
	struct ike_lease *leases;	/* of mode config */
	uint64_t last_order;		/* see child.h, ikesa.h */
	size_t assembled;		/* octets of fragments held by all SAs, see transport.h */

	struct {
		struct ike_tunnel *tunnels;
		struct ike_ikesa *ikesas;
		struct ike_exchange *exchanges;
		struct ike_child *children;
	} grave;
};

/* Each public call begins and ends with these: the time is noted, the dead are buried. */
void ike_engine_enter(struct ike_engine *e, ike_time now);
void ike_engine_leave(struct ike_engine *e);

void ike_random(struct ike_engine *e, void *buf, size_t len);
/* Uniform enough for jitter: 0 .. below-1. */
uint64_t ike_random_below(struct ike_engine *e, uint64_t below);
/* A point in time from .. to percent of 'span' after 'start', at random. */
ike_time ike_jitter(struct ike_engine *e, ike_time start, ike_time span, unsigned int from, unsigned int to);

/* Who replaces an SA first: its initiator, else its responder, else one that only answers. */
enum ike_turn { IKE_TURN_INITIATOR, IKE_TURN_RESPONDER, IKE_TURN_LAST };

/* The longest a turn is before the end of a lifetime. */
ike_time ike_rekey_margin(ike_time life, enum ike_turn turn);
/* When to replace what lives for 'life' from 'start', at random within the turn. */
ike_time ike_rekey_time(struct ike_engine *e, ike_time start, ike_time life, enum ike_turn turn);

#endif
