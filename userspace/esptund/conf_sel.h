/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys that say which packets a tunnel is for: local-net and remote-net (one selector), or
 * selectors (several), and narrowing. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_SEL_H
#define ESPTUND_CONF_SEL_H

#include "conf_keys.h"

void conf_sel_local_net(struct conf_build *b, const struct conf_entry *e);
void conf_sel_remote_net(struct conf_build *b, const struct conf_entry *e);
void conf_sel_selectors(struct conf_build *b, const struct conf_entry *e);
void conf_sel_narrowing(struct conf_build *b, const struct conf_entry *e);

/* The two spellings exclude each other in one section. */
void conf_sel_check_section(struct conf_log *log, const struct conf_section *s);
/* Does a section that has one spelling make what farther ones say with 'key' void? */
bool conf_sel_is_other_spelling(const struct conf_section *s, const char *key);

#endif
