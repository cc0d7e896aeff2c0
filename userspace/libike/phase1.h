/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every way through phase 1 shares: offer and choice, KE and nonces, key derivation,
 * beginning and end. Authentication is auth.c's, main_mode.c and aggressive_mode.c have the
 * order of messages.
 */
#ifndef LIBIKE_PHASE1_H
#define LIBIKE_PHASE1_H

#include "ikesa.h"

/* What phase 1 needs until the peer is authenticated. */
struct ike_mm {
	struct ike_dh *dh;
	struct ike_blob sai_b;		/* body of the initiator's SA payload */
	struct ike_blob answer;		/* responder: body of MM2's or AM2's */
	struct ike_blob gxi, gxr, ni, nr;
	struct ike_blob idii;		/* aggressive mode: body of AM1's ID payload; empty: it comes with the proof */
	struct ike_id claimed;		/* aggressive mode, responder: the same, decoded */
};

/* What tells the two ways through phase 1 apart before their step tables do. */
struct ike_way {
	const struct ike_mode *mode;
	const char *what;		/* "main mode" */
	const char *first;		/* name of the first message */
	enum ike_state start, sent;	/* before it and, for the initiator, after it */
	int (*make)(struct ike_exchange *x);	/* what the first message needs, beyond the offer; NULL: nothing */
	int (*put)(struct ike_exchange *x, struct ike_msgw *w);
};

/* Begin phase 1 as initiator, the way the tunnel is configured. 0 or -IKE_E_*. */
int ike_phase1_start(struct ike_tunnel *t);
/* A first message that belongs to no SA yet, and the first tunnel it can mean. */
void ike_phase1_accept(struct ike_tunnel *t, const struct ike_way *way, const struct ike_path *path,
		       const struct ike_hdr *h, const uint8_t *data, size_t len);
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
/* Logs that memory is short or the crypto library refused; IKE_DROP. */
enum ike_verdict ike_phase1_no_memory(struct ike_exchange *x);
/* The mode's callbacks for the interpreter. */
void ike_phase1_established(struct ike_exchange *x);
void ike_phase1_timeout(struct ike_exchange *x);
void ike_phase1_release(struct ike_exchange *x);

extern const struct ike_mode ike_main_mode;
extern const struct ike_way ike_main_way;
/* Writes the SA payload: MM1's offer or MM2's choice. */
int ike_phase1_put_sa(struct ike_exchange *x, struct ike_msgw *w);

#endif
