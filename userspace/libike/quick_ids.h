/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packets a quick mode is about: its identities (IDci, IDcr) against the configured
 * selectors. RFC 2409 5.5: the initiator writes them, the responder returns them; where
 * 'narrowing' is configured either may mean less than a selector.
 */
#ifndef LIBIKE_QUICK_IDS_H
#define LIBIKE_QUICK_IDS_H

#include "exchange.h"

/* Of one selector, pairs for different parts of it that a peer may have at a time. */
#define IKE_MAX_NARROWED 16

/* Initiator: the identities for what q is to negotiate. */
void ike_quick_ids_set(struct ike_quick *q);
void ike_quick_ids_put(const struct ike_quick *q, struct ike_msgw *w);
/* Responder: which tunnel and which of its selectors QM1 means. Refusals are logged and sent. */
enum ike_verdict ike_quick_ids_offered(struct ike_exchange *x, const struct ike_msg *m);
/* Initiator: does QM2 agree with what was offered? */
enum ike_verdict ike_quick_ids_answered(struct ike_exchange *x, const struct ike_msg *m);

#endif
