/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities of phase 1 (RFC 2407 4.6.2) as text and on the wire. The public part
 * (parse, format, equal) is in ike.h. Phase 2 identities are networks: net.h.
 */
#ifndef LIBIKE_IDENT_H
#define LIBIKE_IDENT_H

#include "msg.h"

#define IKE_ID_TEXT 320		/* enough for most identities; longer ones are cut in logs */

void ike_id_from_addr(const struct ike_addr *a, struct ike_id *id);
/* The body of an ID payload: type, protocol, port, data. 0 or -IKE_E_PARSE with *why. */
int ike_id_decode(const uint8_t *body, size_t len, struct ike_id *id, const char **why);
/* Protocol and port are written as zero, which every peer takes (RFC 2407 4.6.2). */
void ike_id_encode(struct ike_wbuf *w, const struct ike_id *id);
/* Peer text for a log: printable ASCII as it is, the rest as \xHH. Returns buf. */
const char *ike_escape(const uint8_t *data, size_t len, char *buf, size_t size);

#endif
