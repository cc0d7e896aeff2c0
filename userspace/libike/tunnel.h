/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configured tunnel: what it wants, what it has, and what to do next. Decides when to
 * negotiate and replace; never touches a message.
 */
#ifndef LIBIKE_TUNNEL_H
#define LIBIKE_TUNNEL_H

#include "child.h"
#include "flow.h"
#include "ident.h"
#include "ikesa.h"

#define IKE_BACK_OFF_MAX (60 * IKE_SECOND)
/* After the peer deleted something: it may be about to go away for good. */
#define IKE_AFTER_DELETE IKE_SECOND

struct ike_tunnel {
	struct ike_engine *e;
	struct ike_tunnel *next;
	struct ike_tunnel_cfg cfg;	/* our copy */
	struct ike_flow flow[IKE_MAX_SELECTORS];	/* of cfg.sel[i] */
	struct ike_child *children;	/* of all flows */
	struct ike_path way;		/* to a peer behind a NAT, as proven last; remote.family 0: as configured */

	bool forced_up, forced_down;	/* by command */
	bool acquired;			/* traffic or a command asked for it, once */
	bool replace_p1;		/* rekey wanted */
	bool doubted;			/* the ISAKMP SA is being replaced because a QM1 got no answer */
	bool homeless;			/* its local address is not on this host: nothing is begun */
	bool contacted;			/* its peer is met: INITIAL-CONTACT would not be true any more */
	bool dead;
	unsigned int failures;		/* in a row */
	ike_time not_before;		/* back-off: no negotiation of ours before */
	struct ike_timer kick;
	unsigned int refused_certs;	/* of ours, by the peer: which one goes next (on-reject) */
	struct ike_limit notify_limit;	/* unprotected notifies to this peer */

	struct ike_given given;		/* by mode config */
	char hint[200];			/* what the peer said without proof; "" nothing */
	char last_error[400];		/* "" none */
	ike_time last_error_at;
};

/* Takes over cfg's content and clears it. NULL when memory is short (cfg untouched). */
struct ike_tunnel *ike_tunnel_new(struct ike_engine *e, struct ike_tunnel_cfg *cfg);
/* All its SAs go, with deletes to the peer when 'tell'. Freed when the public call returns. */
void ike_tunnel_kill(struct ike_tunnel *t, bool tell, const char *why);
void ike_tunnel_free(struct ike_tunnel *t);

struct ike_tunnel *ike_tunnel_by_name(struct ike_engine *e, const char *name);
/* Next tunnel (after 'after', NULL: first) a peer at that path can mean in main mode. */
struct ike_tunnel *ike_tunnel_by_path(struct ike_engine *e, const struct ike_path *path, struct ike_tunnel *after);
/* Same addresses and identities. */
bool ike_tunnel_same_ends(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);
/* Same ends and XAUTH user: they share ISAKMP SAs. */
bool ike_tunnel_same_peer(const struct ike_tunnel *a, const struct ike_tunnel *b);
/* Identities with the default (the address) filled in. */
void ike_tunnel_local_id(const struct ike_tunnel *t, const struct ike_path *path, struct ike_id *id);
void ike_tunnel_remote_id(const struct ike_tunnel *t, struct ike_id *id);

/* Newest established ISAKMP SA to its peer, not retiring; NULL. */
struct ike_ikesa *ike_tunnel_sa(const struct ike_tunnel *t);
/* The same, but takes what there is: for deletes. */
struct ike_ikesa *ike_tunnel_any_sa(const struct ike_tunnel *t);
/* The newest pair in use, of any flow; NULL. */
struct ike_child *ike_tunnel_current(const struct ike_tunnel *t);
/* Our own main mode in progress to this peer; NULL. */
struct ike_ikesa *ike_tunnel_negotiating(const struct ike_tunnel *t);
/* Is a quick mode in progress for t? */
bool ike_tunnel_has_quick(const struct ike_tunnel *t);
bool ike_tunnel_wants(const struct ike_tunnel *t);

/* Whose turn it is to replace an SA of t that we began, or that the peer did. */
enum ike_turn ike_tunnel_turn(const struct ike_tunnel *t, bool initiator);

/* Think about what to do, soon (not before the back-off is over). */
void ike_tunnel_kick(struct ike_tunnel *t, ike_time delay);
/* Until when to wait after so many failures in a row before this one. */
ike_time ike_tunnel_back_off(struct ike_tunnel *t, unsigned int failures);
/* The same for all tunnels with its peer. */
void ike_tunnel_kick_peers(struct ike_tunnel *t);
/* Phase 1 of ours failed: remember why, back off, try again if wanted. */
void ike_tunnel_failed(struct ike_tunnel *t, const char *text);
void ike_tunnel_set_error(struct ike_tunnel *t, const char *text);
/* Things that happened. */
void ike_tunnel_p1_up(struct ike_tunnel *t, struct ike_ikesa *sa);
void ike_tunnel_p1_gone(struct ike_tunnel *t);
void ike_tunnel_child_up(struct ike_tunnel *t, struct ike_child *c);
/* Pairs of selectors that are not configured any more retire once all that are have one. */
void ike_tunnel_retire_outcasts(struct ike_tunnel *t, bool we_delete);
/*
 * The last ISAKMP SA to its peer is gone, and peers of this kind let their IPsec SAs go with it: so
 * do we, if configured (delete_takes_children).
 */
void ike_tunnel_children_follow(struct ike_tunnel *t);
void ike_tunnel_rekey_p1(struct ike_tunnel *t, struct ike_ikesa *sa);
/* The peer is silent under sa, its ISAKMP SA: try a new one in parallel, once until something comes up or fails. */
void ike_tunnel_doubt(struct ike_tunnel *t, struct ike_ikesa *sa);
void ike_tunnel_rekey_child(struct ike_tunnel *t, struct ike_child *c);
void ike_tunnel_acquire(struct ike_tunnel *t);
int ike_tunnel_command(struct ike_tunnel *t, enum ike_command cmd);
const char *ike_tunnel_state(const struct ike_tunnel *t);

__attribute__((format(printf, 4, 5)))
void ike_tunnel_log(const struct ike_tunnel *t, enum ike_log_level level, const char *event,
		    const char *fmt, ...);

#endif
