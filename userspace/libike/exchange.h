/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An exchange (RFC 2408 4.1) and the interpreter of its steps. A mode is a table of steps:
 * who takes which message in which state, what it must and may contain, who reads it, who
 * writes the answer, what state follows. Everything modes have in common is done here and
 * only here: decryption and IV chaining, payload rules, HASH verification, duplicates,
 * retransmission, state changes.
 *
 *	datagram -> duplicate? -> step of this state -> decrypt -> payloads -> HASH -> take()
 *	         -> [wait for the kernel -> ike_exchange_resume()] -> answer() -> HASH -> encrypt -> send
 *
 * A message that fails anywhere before take() returns IKE_OK changes nothing: not the IV,
 * not the state, not what counts as seen.
 */
#ifndef LIBIKE_EXCHANGE_H
#define LIBIKE_EXCHANGE_H

#include "crypto.h"
#include "engine.h"
#include "msg.h"
#include "state.h"

enum ike_verdict {
	IKE_OK,		/* taken */
	IKE_WAIT,	/* taken; the answer follows with ike_exchange_resume() */
	IKE_DROP,	/* as if it had never come; the handler has counted and logged it */
	IKE_FAIL,	/* the exchange ends here; the handler has logged it */
};

/* Which of RFC 2409's keyed hashes protects a message. */
enum ike_hash_kind { IKE_HASH_NONE, IKE_HASH_1, IKE_HASH_2, IKE_HASH_3 };

struct ike_step {
	bool initiator;			/* who takes the message */
	enum ike_state state;		/* in which it may come */
	const char *name;		/* of the message: "MM1" */
	bool encrypted;
	bool clear_too;			/* taken without encryption, too */
	enum ike_hash_kind hash;	/* verified before take() */
	uint32_t required, optional;	/* sets of IKE_P(); known types in neither set refuse the message */
	enum ike_verdict (*take)(struct ike_exchange *x, const struct ike_msg *m);
	/* Writes the payloads of the answer; NULL: none. 0 or -IKE_E_*. */
	int (*answer)(struct ike_exchange *x, struct ike_msgw *w);
	const char *answer_name;
	bool answer_encrypted;
	enum ike_hash_kind answer_hash;
	bool retransmit;		/* repeat the answer until the next message comes */
	unsigned int patience;		/* else: seconds to wait for the next message; 0: done() decides */
	enum ike_state next;
	void (*done)(struct ike_exchange *x);	/* after the answer is queued; may be NULL */
};

struct ike_mode {
	uint8_t exchange;		/* ISAKMP exchange type */
	const char *name;
	const struct ike_step *step;
	size_t n_steps;
	/* No answer after all retransmissions, or no progress in time. */
	void (*timeout)(struct ike_exchange *x);
	/* Half of the retransmissions are out; again after each further one. NULL: nothing to do. */
	void (*silence)(struct ike_exchange *x);
	/* Phase 1: the peer's first message under the keys it made has come. NULL: no need to know. */
	void (*heard)(struct ike_exchange *x);
	/* The message did not decrypt to payloads, or its HASH was wrong. NULL: just dropped. */
	void (*garbled)(struct ike_exchange *x, const struct ike_step *s, const char *why);
	/* Free mode-specific state. */
	void (*release)(struct ike_exchange *x);
};

#define IKE_DIGEST_LEN 32
#define IKE_DIGESTS 4			/* received messages remembered per exchange */

struct ike_exchange {
	struct ike_exchange *next;	/* of the same ISAKMP SA */
	struct ike_ikesa *sa;
	const struct ike_mode *mode;
	bool initiator;
	bool dead;
	bool lost;			/* the peer's negotiation won; not repeated, not a failure */
	uint32_t msgid;			/* 0 for phase 1 */
	enum ike_state state;
	ike_time started;
	const struct ike_step *step;	/* being answered, while waiting for the kernel */

	uint8_t iv[IKE_BLOCK_MAX];	/* for the next message, whoever sends it */
	uint8_t next_iv[IKE_BLOCK_MAX];	/* becomes iv if the message being looked at is taken */

	uint8_t digest[IKE_DIGESTS][IKE_DIGEST_LEN];	/* of messages taken, last one first */
	unsigned int n_digests;
	uint8_t refused[IKE_DIGEST_LEN];	/* last message refused: not looked at twice */
	bool has_refused;
	unsigned int n_garbled;

	uint8_t *out;			/* last message sent, for repetition */
	size_t out_len;
	const char *out_name;
	bool retransmit;
	unsigned int sent;		/* times out was sent, the first included */
	unsigned int repeated;		/* times out was sent because of a duplicate */
	ike_time interval;
	struct ike_timer timer;		/* retransmission, or lifetime when not retransmitting */

	struct ike_mm *mm;		/* phase 1's */
	struct ike_quick *quick;	/* quick mode's */
	struct ike_transaction *tr;	/* transaction's */
	const void *arg;		/* informational: what to write, during ike_exchange_open only */
};

#define IKE_RETRANSMIT_FIRST (IKE_SECOND / 2)
#define IKE_RETRANSMITS 9		/* with factor 1.5: gives up after 57 s */
#define IKE_RETRANSMITS_SILENT 4	/* after so many, 7 s, one may doubt that the peer is there */
#define IKE_REPEATS 16			/* answers to one duplicated message, at most */
#define IKE_EXCHANGE_LINGER (90 * IKE_SECOND)	/* a finished one answers duplicates that long */
#define IKE_KERNEL_PATIENCE (30 * IKE_SECOND)	/* for an answer of the kernel */

/* NULL when memory is short. Belongs to sa. */
struct ike_exchange *ike_exchange_new(struct ike_ikesa *sa, const struct ike_mode *mode,
				      bool initiator, uint32_t msgid, enum ike_state state);
/* Unlink, stop, release; freed when the public call returns. */
void ike_exchange_kill(struct ike_exchange *x);
void ike_exchange_free(struct ike_exchange *x);

/* A datagram for this exchange. */
void ike_exchange_receive(struct ike_exchange *x, const struct ike_hdr *h, const uint8_t *data, size_t len);
/* Send the first message; 'answer' writes its payloads. 0 or -IKE_E_*. */
int ike_exchange_open(struct ike_exchange *x, const char *name, bool encrypted, enum ike_hash_kind hash,
		      int (*answer)(struct ike_exchange *x, struct ike_msgw *w), bool retransmit,
		      enum ike_state next);
/* The kernel is done: send the answer of the step that returned IKE_WAIT. */
void ike_exchange_resume(struct ike_exchange *x);
/* What the message that may come now is called: "MM5"; NULL: none may. */
const char *ike_exchange_message(const struct ike_exchange *x);
/* The one place where a state changes. Logs old -> new. */
void ike_exchange_set_state(struct ike_exchange *x, enum ike_state state);
/* Stop repeating our message; end quietly after 'after'. */
void ike_exchange_quiet(struct ike_exchange *x, ike_time after);
/* Drop the stored message: duplicates are not answered any more. */
void ike_exchange_forget(struct ike_exchange *x);
/* Let a finished exchange answer duplicates for a while, then go. */
void ike_exchange_linger(struct ike_exchange *x);

void ike_digest(const void *data, size_t len, uint8_t out[IKE_DIGEST_LEN]);
struct ike_logctx ike_exchange_ctx(const struct ike_exchange *x, const char *message);

#endif
