/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vendor IDs (RFC 2408 3.16): names for the log, ours for the peer, and which extensions the
 * peer announces with them. They only announce; nothing in authentication ever depends on them.
 */
#ifndef LIBIKE_VENDOR_H
#define LIBIKE_VENDOR_H

#include "exchange.h"

/* Name of a vendor ID's body, or NULL. */
const char *ike_vendor_name(const uint8_t *body, size_t len);
/* Those of a phase 1 message: what they announce is noted, all go to the log in one line. */
void ike_vendor_take(struct ike_exchange *x, const struct ike_msg *m);
/* Ours: all that we speak as initiator, what both do as responder. */
void ike_vendor_put(struct ike_exchange *x, struct ike_msgw *w);

#endif
