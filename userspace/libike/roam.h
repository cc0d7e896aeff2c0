/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an authenticated peer is by now: one behind a NAT gets another port or address when
 * the NAT forgets about it. Both planes follow, but only what is proven: an IKE message that
 * authenticates and is no repetition, or an answer to a question that is sent to where the
 * kernel has seen an authenticated ESP packet come from. Also keeps our own mapping alive
 * while no SA of the kernel's does.
 */
#ifndef LIBIKE_ROAM_H
#define LIBIKE_ROAM_H

#include "action.h"
#include "timer.h"

struct ike_ikesa;
struct ike_tunnel;

/* Part of an ISAKMP SA. */
struct ike_roam {
	struct ike_addr candidate;	/* where the kernel has seen the peer, which has not answered from there; family 0: none */
	struct ike_limit moves;
	struct ike_timer keepalive, settle;
};

/* Timers. 0 or -IKE_E_NOMEM. */
int ike_roam_init(struct ike_ikesa *sa);
void ike_roam_fini(struct ike_ikesa *sa);
/* The peer is authenticated, and whether there is a NAT is known. */
void ike_roam_start(struct ike_ikesa *sa);
/* The SA is replaced or deleted: it keeps nothing alive any more. */
void ike_roam_stop(struct ike_ikesa *sa);

/*
 * The message being worked on was proven to be the peer's and is no repetition: the peer is
 * where that came from. A responder takes another port of the same address before that, too.
 */
void ike_roam_follow(struct ike_ikesa *sa);
/* May a message of this SA come from another address than the one we know? */
bool ike_roam_allowed(const struct ike_ikesa *sa);
/* The kernel has seen an authenticated ESP packet of t's peer come from there. */
void ike_roam_seen(struct ike_tunnel *t, const struct ike_addr *peer);

/* A first message of ours: a peer behind a NAT is not reached where it is configured to be. */
void ike_roam_way(const struct ike_tunnel *t, struct ike_path *path);
/* SAs of a former keyer's tell where the peer behind a NAT is. */
void ike_roam_adopted(struct ike_tunnel *t, const struct ike_path *path);
/* Nobody answers there. */
void ike_roam_lost(struct ike_tunnel *t);

#endif
