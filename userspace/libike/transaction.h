/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transaction exchanges (draft-dukes-ike-mode-cfg-02 3): REQUEST and REPLY, or SET and ACK, under
 * the ISAKMP SA, begun by either end. What is in them is xauth.c's or modecfg.c's.
 */
#ifndef LIBIKE_TRANSACTION_H
#define LIBIKE_TRANSACTION_H

#include "cfgpay.h"
#include "ikesa.h"

struct ike_transaction {
	struct ike_blob body;		/* of the ATTR payload we send; may hold a password */
	uint8_t type;			/* of what was asked or set */
	bool xauth;			/* not mode config */
	bool ok;			/* taken message: a good outcome */
	bool over;			/* taken message: there is an outcome */
};

extern const struct ike_mode ike_transaction_mode;

/* Begin one; body (wiped and freed here) starts with that type. 0 or -IKE_E_*. */
int ike_transaction_start(struct ike_ikesa *sa, enum ike_cfg_type type, bool xauth, struct ike_wbuf *body);
/* The answer to the message being taken; body is wiped and freed here. */
enum ike_verdict ike_transaction_reply(struct ike_exchange *x, struct ike_wbuf *body);

#endif
