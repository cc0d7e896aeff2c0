/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of vendor IDs (RFC 2408 3.16), for the log. They announce; nothing here, and
 * nothing in authentication, ever depends on them.
 */
#ifndef LIBIKE_VENDOR_H
#define LIBIKE_VENDOR_H

#include "exchange.h"

/* Name of a vendor ID's body, or NULL. */
const char *ike_vendor_name(const uint8_t *body, size_t len);
/* One line with all vendor IDs of a message. */
void ike_vendor_log(struct ike_exchange *x, const struct ike_msg *m);

#endif
