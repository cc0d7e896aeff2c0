/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trustpoint sections: the files they name, read and put together. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_TRUST_H
#define ESPTUND_CONF_TRUST_H

#include "conf_keys.h"

/* Ends with a NULL name. Nothing is applied key by key: a trustpoint is loaded as a whole. */
extern const struct conf_key conf_trust_keys[];

/* Fills in tp, or reports why it cannot; remarks are warnings. True when tp is complete. */
bool conf_trust_load(struct conf_log *log, const char *dir, const struct conf_section *s, struct ike_trustpoint *tp);

#endif
