/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys about XAUTH and mode config. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_XAUTH_H
#define ESPTUND_CONF_XAUTH_H

#include "conf_keys.h"

void conf_apply_xauth(struct conf_build *b, const struct conf_entry *e);
void conf_apply_xauth_user(struct conf_build *b, const struct conf_entry *e);
void conf_apply_xauth_password_file(struct conf_build *b, const struct conf_entry *e);
void conf_apply_xauth_users(struct conf_build *b, const struct conf_entry *e);
void conf_apply_mode_config(struct conf_build *b, const struct conf_entry *e);
void conf_apply_address_pool(struct conf_build *b, const struct conf_entry *e);
void conf_apply_address_dns(struct conf_build *b, const struct conf_entry *e);
/* A tunnel as a whole, beyond what ike_config_check() says. */
void conf_check_xauth(struct conf_build *b);

#endif
