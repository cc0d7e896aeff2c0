/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both peers may begin phase 1 at once. Two negotiations are told apart by cookies and both may
 * finish; the ISAKMP SA established last stays. So that both ends see the same one as the
 * last, a responder does not take MM5 while its own MM5 to that peer is unanswered and its
 * initiator cookie is the lower one. The peer repeats its MM5, so nothing is lost; and the
 * wait is bounded, for peers that never answer ours.
 *
 * In aggressive mode the initiator is through with AM2, before the peer is. So it is the
 * initiator with the higher cookie that waits: it does not take AM2 while it has answered the
 * peer's AM1 and AM3 may come. And nobody answers AM1 while its own AM3 may still be on the way.
 */
#ifndef LIBIKE_COLLISION_H
#define LIBIKE_COLLISION_H

#include "ikesa.h"

struct ike_selector;

#define IKE_COLLISION_PATIENCE (15 * IKE_SECOND)

/* The peer began sa: does our own negotiation, its last message unanswered, go first? */
bool ike_collision_ours_first(struct ike_ikesa *sa);
/* AM2 of our negotiation sa has come: has the peer begun one that goes first? */
bool ike_collision_theirs_first(struct ike_ikesa *sa);
/* AM1 has come for t: is an AM3 of ours to that peer on the way? */
bool ike_collision_ours_through(const struct ike_tunnel *t);
/* The peer's negotiation sa is through: our own one has become pointless. */
void ike_collision_give_way(struct ike_ikesa *sa);

/*
 * The same for quick modes of one selector, see quick_mode.h: does our own one go before x, begun
 * by the peer? If not, ours is not repeated any more.
 */
bool ike_collision_quick_ours_first(struct ike_exchange *x);
/* A late answer to one that gave way would make a pair that is newer for one end, but not for the other. */
void ike_collision_end_yielded(struct ike_tunnel *t, const struct ike_selector *want);

#endif
