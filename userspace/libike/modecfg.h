/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mode config (draft-dukes-ike-mode-cfg-02), either side, pulled by the client or pushed by the
 * server: inner address, netmask, resolvers. The address then stands for "any" in quick
 * mode: what the client sends comes from it.
 */
#ifndef LIBIKE_MODECFG_H
#define LIBIKE_MODECFG_H

#include "transaction.h"

/* Do we give addresses? */
bool ike_modecfg_serves(const struct ike_tunnel *t);
/* Ask for an address, or push one. */
void ike_modecfg_begin(struct ike_ikesa *sa);
enum ike_verdict ike_modecfg_take_request(struct ike_exchange *x, const struct ike_cfgpay *c);
enum ike_verdict ike_modecfg_take_answer(struct ike_exchange *x, const struct ike_cfgpay *c);
void ike_modecfg_done(struct ike_ikesa *sa, bool ok);

/* What quick mode says for a selector: that; where it is "any", the address that was given. */
struct ike_selector ike_modecfg_selector(const struct ike_tunnel *t, const struct ike_selector *sel);
/* The tunnel goes down for good: its addresses are nobody's any more. */
void ike_modecfg_forget(struct ike_tunnel *t);

/* What is wrong with a tunnel's mode config; NULL: nothing. */
const char *ike_modecfg_cfg_check(const struct ike_tunnel_cfg *cfg);
bool ike_modecfg_cfg_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);

#endif
