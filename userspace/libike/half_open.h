/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half-open responder SAs: bounds in all and per peer address; about 2 kB each. Whoever sends MM3
 * has shown that it receives what goes to its address and keeps its place. Of the others one goes
 * at random: a flood of MM1 with the peer's address, at R a second, then spares the peer's own
 * over a round trip T with a chance of about exp(-R*T/512), and there are ten MM1.
 */
#ifndef LIBIKE_HALF_OPEN_H
#define LIBIKE_HALF_OPEN_H

#include "engine.h"

#define IKE_HALF_OPEN_MAX 2048
#define IKE_HALF_OPEN_PER_PEER 512

/* Room for one more from there, by evicting one if need be; false, and logged: there is none. */
bool ike_half_open_make_room(struct ike_engine *e, const struct ike_path *path);

#endif
