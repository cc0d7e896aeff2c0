/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of identities. The public part (parse, format, weight, tie) is in ike.h.
 */
#ifndef LIBIKE_MATCH_H
#define LIBIKE_MATCH_H

#include "ike.h"

/* Written alike, or meaning exactly the same. */
bool ike_match_same(const struct ike_match *a, const struct ike_match *b);

#endif
