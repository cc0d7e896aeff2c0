/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles: what a tunnel's configuration says about who its peer may be and which trustpoints
 * count. Libike knows no profile apart from the tunnels that use it; messages name it all the same.
 */
#ifndef LIBIKE_PROFILE_H
#define LIBIKE_PROFILE_H

#include "ike.h"

struct ike_ikesa;
struct ike_tunnel;

#define IKE_PROFILE_TEXT 200

/* "profile prof1 (line 20)", or "tunnel paris (line 7)" when it has none. Returns buf. */
const char *ike_profile_name(const struct ike_tunnel_cfg *cfg, char *buf, size_t size);
/* "trustpoints A, B", or "all trustpoints". Returns buf. */
const char *ike_profile_trustpoints(const struct ike_tunnel_cfg *cfg, char *buf, size_t size);
/* "fqdn:r2.example" or "one of fqdn:…, any": whom it expects. Returns buf. */
const char *ike_profile_expects(const struct ike_tunnel_cfg *cfg, char *buf, size_t size);
/* The i-th identity or pattern it expects, perhaps written to one; NULL: there are no more. */
const struct ike_match *ike_profile_match(const struct ike_tunnel_cfg *cfg, unsigned int i, struct ike_match *one);
/* Nothing but signatures: the key does not depend on who the peer is. */
bool ike_profile_signs(const struct ike_tunnel_cfg *cfg);
/* Does it use and trust the trustpoint of that name? */
bool ike_profile_trusts(const struct ike_tunnel_cfg *cfg, const char *trustpoint);
/* How specifically it means that identity; 0: not at all. */
unsigned int ike_profile_weight(const struct ike_tunnel_cfg *cfg, const struct ike_id *id);
/*
 * The tunnel a peer means by its identity: as initiator the one we began for, as responder that
 * one between these addresses, allowing what was negotiated, which means the identity most
 * specifically; of equal ones the one chosen with MM1, else the first, or the last when that says so.
 * NULL: none.
 */
struct ike_tunnel *ike_profile_for(const struct ike_ikesa *sa, const struct ike_id *id);
/* Can a peer that negotiated sa mean t: its method and algorithms, and with a pre-shared key the same key? */
bool ike_profile_possible(const struct ike_ikesa *sa, const struct ike_tunnel *t);
/* Some other tunnel that means that identity, to be named in a refusal; NULL: none. */
const struct ike_tunnel *ike_profile_elsewhere(const struct ike_ikesa *sa, const struct ike_id *id);

/* The same methods and trustpoints. */
bool ike_profile_same_auth(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);
/* The same identities, methods, trustpoints: tunnels between the same addresses share ISAKMP SAs then. */
bool ike_profile_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);

#endif
