/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every way through phase 1 shares: offer and choice, KE and nonces, key derivation,
 * authentication by pre-shared key, identities. main_mode.c has the order of messages.
 *
 * Both peers may begin at once. Two negotiations are told apart by cookies and both may
 * finish; the ISAKMP SA established last stays. So that both ends see the same one as the
 * last, a responder does not take MM5 while its own MM5 to that peer is unanswered and its
 * initiator cookie is the lower one. The peer repeats its MM5, so nothing is lost; and the
 * wait is bounded, for peers that never answer ours.
 */
#ifndef LIBIKE_PHASE1_H
#define LIBIKE_PHASE1_H

#include "ikesa.h"

/* What a main mode needs until the peer is authenticated. */
struct ike_mm {
	struct ike_dh *dh;
	struct ike_blob sai_b;		/* body of the initiator's SA payload */
	struct ike_blob answer;		/* responder: body of MM2's */
	struct ike_blob gxi, gxr, ni, nr;
};

#define IKE_COLLISION_PATIENCE (15 * IKE_SECOND)

/*
 * Half-open responder SAs: bounds in all and per peer address; about 2 kB each. Whoever sends MM3
 * has shown that it receives what goes to its address and keeps its place. Of the others one goes
 * at random: a flood of MM1 with the peer's address, at R a second, then spares the peer's own
 * over a round trip T with a chance of about exp(-R*T/512), and there are ten MM1.
 */
#define IKE_HALF_OPEN_MAX 2048
#define IKE_HALF_OPEN_PER_PEER 512

/* Begin main mode as initiator. 0 or -IKE_E_*. */
int ike_phase1_start(struct ike_tunnel *t);
/* An MM1 that belongs to no SA yet. */
void ike_phase1_respond(struct ike_engine *e, const struct ike_path *path, const struct ike_hdr *h,
			const uint8_t *data, size_t len);

/* Parts of the steps; see phase1.c. Verdicts are logged where they are not IKE_OK. */
int ike_phase1_make_offer(struct ike_exchange *x);
enum ike_verdict ike_phase1_take_offer(struct ike_exchange *x, const struct ike_msg *m);
enum ike_verdict ike_phase1_take_choice(struct ike_exchange *x, const struct ike_msg *m);
enum ike_verdict ike_phase1_take_ke_nonce(struct ike_exchange *x, const struct ike_msg *m);
int ike_phase1_make_ke_nonce(struct ike_exchange *x);
int ike_phase1_put_ke_nonce(struct ike_exchange *x, struct ike_msgw *w);
/* SKEYID and the rest, once both public values and nonces are known. */
int ike_phase1_derive(struct ike_exchange *x);
/* ID and HASH_I or HASH_R. */
int ike_phase1_put_auth(struct ike_exchange *x, struct ike_msgw *w);
enum ike_verdict ike_phase1_take_auth(struct ike_exchange *x, const struct ike_msg *m);
/* The mode's callbacks for the interpreter. */
void ike_phase1_established(struct ike_exchange *x);
void ike_phase1_timeout(struct ike_exchange *x);
void ike_phase1_garbled(struct ike_exchange *x, const struct ike_step *s, const char *why);
void ike_phase1_release(struct ike_exchange *x);

extern const struct ike_mode ike_main_mode;
/* Writes the SA payload: MM1's offer or MM2's choice. */
int ike_phase1_put_sa(struct ike_exchange *x, struct ike_msgw *w);

#endif
