/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aggressive mode, RFC 2409 5.4: phase 1 in three messages. The responder learns who the peer
 * is from AM1 and chooses the key by that, so the peer may be at any address. The price with
 * a pre-shared key: whoever sends an AM1 with an identity we know gets HASH_R and can try
 * keys against it, without being seen again. Hence a responder answers only where the
 * tunnel's configuration says so, and keeps no state for anybody else.
 */
#ifndef LIBIKE_AGGRESSIVE_MODE_H
#define LIBIKE_AGGRESSIVE_MODE_H

#include "phase1.h"

extern const struct ike_way ike_aggressive_way;

/* An AM1 that belongs to no SA yet. */
void ike_aggressive_respond(struct ike_engine *e, const struct ike_path *path, const struct ike_hdr *h,
			    const uint8_t *data, size_t len);
/* Next tunnel (after 'after', NULL: first) that a peer at that path, saying it is id, may use aggressive mode for. */
struct ike_tunnel *ike_aggressive_tunnel(struct ike_engine *e, const struct ike_path *path, const struct ike_id *id,
					 struct ike_tunnel *after);
/* The group of our offers: that of the first proposal, for the KE comes with them. */
uint16_t ike_aggressive_group(const struct ike_tunnel_cfg *cfg);
/* AM3 has arrived, or there is no use in repeating it. */
void ike_aggressive_heard(struct ike_exchange *x);

#endif
