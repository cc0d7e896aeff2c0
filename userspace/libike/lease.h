/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inner addresses that mode config gave to peers. Whoever comes back gets what it had; tunnels with
 * overlapping pools never give the same address twice. Kept as long as the engine is.
 */
#ifndef LIBIKE_LEASE_H
#define LIBIKE_LEASE_H

#include "tunnel.h"

#define IKE_LEASES_MAX 4096

/*
 * An address out of t's pool for that owner: the one it has, the one it wants (4 octets, or NULL) if
 * that is free, else a free one, else that of the owner who has gone longest. False: none is left.
 */
bool ike_lease_get(struct ike_tunnel *t, const struct ike_id *owner, const uint8_t *wanted, struct ike_addr *a);
void ike_leases_free(struct ike_engine *e);

#endif
