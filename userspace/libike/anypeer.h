/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnels whose peer may be at any address: where it is, is known from the ISAKMP SA it made
 * last. Such a peer always begins.
 */
#ifndef LIBIKE_ANYPEER_H
#define LIBIKE_ANYPEER_H

#include "ikesa.h"

bool ike_anypeer(const struct ike_tunnel *t);
/* sa is established: IPsec SAs to where the peer was before go, and the caller is told where it is. */
void ike_anypeer_settle(struct ike_ikesa *sa);

#endif
