/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys about aggressive mode, and peers at any address, which only that makes possible.
 * Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_AGGRESSIVE_H
#define ESPTUND_CONF_AGGRESSIVE_H

#include "conf_keys.h"

/* "any" or 0.0.0.0. */
bool conf_is_any(const struct ike_addr *a);

void conf_apply_exchange(struct conf_build *b, const struct conf_entry *e);
void conf_apply_aggressive_psk(struct conf_build *b, const struct conf_entry *e);
/* A tunnel as a whole: what works, but not as one may think. */
void conf_check_aggressive(struct conf_build *b);

#endif
