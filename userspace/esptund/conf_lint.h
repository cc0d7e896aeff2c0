/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What works but surprises: profiles whose trustpoints or identities overlap in ways that make a
 * tunnel come up from one side only. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_LINT_H
#define ESPTUND_CONF_LINT_H

#include "conf_log.h"

/* Of a configuration without errors; all findings are warnings. */
void conf_lint(struct conf_log *log, const struct ike_config *cfg);

#endif
