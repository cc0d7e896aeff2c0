/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ISAKMP SA: one cookie pair, from MM1 to its deletion, with its keys, its exchanges
 * and the message IDs it has seen. Several to one peer may exist at once; they are told
 * apart by cookies only. Never touches IPsec SAs: those live with their tunnel.
 */
#ifndef LIBIKE_IKESA_H
#define LIBIKE_IKESA_H

#include "exchange.h"
#include "keymat.h"
#include "natt.h"
#include "proposal.h"
#include "roam.h"
#include "transport.h"

/* What is known of whether the peer is still there; see dpd.h. */
struct ike_dpd {
	bool peer;			/* it said that it answers (vendor ID) */
	bool asked_kernel;		/* for ESP packets, in this silence */
	bool last_call;			/* and once more, after the last question */
	unsigned int sent;		/* questions without an answer, in this silence */
	uint32_t seq;			/* number of the last question */
	ike_time traffic_at;		/* last ESP packet from the peer we know of */
	struct ike_timer timer;
};

/* What has to happen between phase 1 and phase 2; see admission.h. */
struct ike_admission {
	enum { IKE_ADMIT_NOTHING, IKE_ADMIT_XAUTH, IKE_ADMIT_MODECFG } waits_for;
	uint64_t asked;			/* IKE_ACT_XAUTH that is not answered; 0: none */
	char user[IKE_XAUTH_MAX + 1];	/* who logged in, for the log printable; "" nobody */
	bool refused;			/* STATUS FAIL is on its way */
};

#define IKE_MSGIDS_MAX 4096		/* remembered; at three quarters the SA is rekeyed, here it ends */

struct ike_ikesa {
	struct ike_engine *e;
	struct ike_ikesa *next, *prev, *bucket_next;
	struct ike_tunnel *tunnel;	/* whose peer this is; NULL in the graveyard */
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];
	bool initiator;
	bool established, dead;
	bool retiring;			/* replaced; deleted in a few seconds */
	bool closed;			/* deleted by the peer; a while longer its other deletes can be read */
	bool counted_half_open;
	bool aggressive;		/* made by aggressive mode */
	bool authenticated;		/* phase 1 is through; established may come later */
	enum ike_state state;		/* of its phase 1 exchange */
	struct ike_path path;

	struct ike_p1_choice p1;	/* alg.encr 0 until chosen */
	struct ike_skeyid k;		/* k.len 0 until derived */
	uint8_t key[IKE_KEY_MAX];
	size_t key_len, block;
	uint8_t last_block[IKE_BLOCK_MAX];	/* last ciphertext block of phase 1 */
	struct ike_id peer_id;		/* type 0 until authenticated */
	struct ike_admission admission;	/* between phase 1 and phase 2 */
	struct ike_proof *proof;	/* of peer_id, until established; NULL: not authenticated */
	struct ike_certx *cert;		/* see cert.h; NULL without certificates */

	struct ike_exchange *phase1;	/* also in the list */
	struct ike_exchange *exchanges;
	unsigned int n_exchanges;

	uint32_t *msgid;		/* ring of those used, both directions */
	size_t n_msgids, cap_msgids, next_msgid;

	ike_time created, established_at, rekey_at, expires_at;
	ike_time heard_at;		/* last message of the peer that authenticated itself */
	struct ike_timer rekey, expire;
	struct ike_dpd dpd;
	struct ike_natt natt;
	struct ike_roam roam;
	bool fragments;			/* the peer announced that it takes IKE fragments */
	struct ike_inbox *inbox;	/* those of a message that is not whole yet; NULL: none */
};

/* A new one in our list. rcookie NULL: zero. NULL when memory is short. */
struct ike_ikesa *ike_ikesa_new(struct ike_engine *e, struct ike_tunnel *t, bool initiator,
				const uint8_t *icookie, const uint8_t *rcookie,
				const struct ike_path *path);
/* The responder's cookie has come with MM2. */
void ike_ikesa_set_rcookie(struct ike_ikesa *sa, const uint8_t *rcookie);
/*
 * By cookies and peer address, which may have changed if the peer is behind a NAT; a zero rcookie matches an initiator's that has none yet, or an MM1's
 * repetition.
 */
struct ike_ikesa *ike_ikesa_find(struct ike_engine *e, const uint8_t *icookie, const uint8_t *rcookie,
				 const struct ike_addr *remote);
/* A cookie: random, not zero, not in use. */
void ike_cookie_new(struct ike_engine *e, uint8_t cookie[IKE_COOKIE_LEN]);
/*
 * The one way to become authenticated: the proof is complete and of this SA. Takes it over and
 * peer_id from it. False, and logged: it is not, which is a mistake of ours.
 */
bool ike_ikesa_authenticated(struct ike_ikesa *sa, struct ike_proof *proof);
/* Authenticated, and nothing else is wanted: lifetimes begin, older SAs to the peer retire. Without proof it ends. */
void ike_ikesa_establish(struct ike_ikesa *sa);
/* p1.life was lowered afterwards: it runs from when it was established. */
void ike_ikesa_set_life(struct ike_ikesa *sa);
/* Replaced: delete after 'after'. */
void ike_ikesa_retire(struct ike_ikesa *sa, ike_time after);
/*
 * The peer deleted it. From now on it is good for nothing but deletes and QM3 that the peer sent
 * before and the network delivered later; nobody sees it any more.
 */
void ike_ikesa_close(struct ike_ikesa *sa);
/* Unlink; with 'tell' a delete is sent to the peer first. Freed when the public call returns. */
void ike_ikesa_kill(struct ike_ikesa *sa, bool tell, const char *why);
void ike_ikesa_free(struct ike_ikesa *sa);

struct ike_exchange *ike_ikesa_exchange(const struct ike_ikesa *sa, uint32_t msgid);
bool ike_msgid_used(const struct ike_ikesa *sa, uint32_t msgid);
void ike_msgid_remember(struct ike_ikesa *sa, uint32_t msgid);
/* Random, non-zero, not used before under this SA. */
uint32_t ike_msgid_new(struct ike_ikesa *sa);

struct ike_logctx ike_ikesa_ctx(const struct ike_ikesa *sa, const char *message);

#endif
