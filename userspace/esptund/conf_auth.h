/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the configuration about identities, authentication methods and trustpoints of a
 * tunnel. Internal to esptund/conf*; conf_keys.c has them in its table.
 */
#ifndef ESPTUND_CONF_AUTH_H
#define ESPTUND_CONF_AUTH_H

#include "conf_keys.h"

void conf_apply_identity(struct conf_build *b, const struct conf_entry *e);
void conf_apply_match_identity(struct conf_build *b, const struct conf_entry *e);
void conf_apply_auth(struct conf_build *b, const struct conf_entry *e);
void conf_apply_trustpoints(struct conf_build *b, const struct conf_entry *e);
void conf_apply_cert_requests(struct conf_build *b, const struct conf_entry *e);
void conf_apply_on_reject(struct conf_build *b, const struct conf_entry *e);
void conf_apply_on_tie(struct conf_build *b, const struct conf_entry *e);

#endif
