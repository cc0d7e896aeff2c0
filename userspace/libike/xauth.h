/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XAUTH (draft-beaulieu-ike-xauth-02), generic type, either side: after phase 1 the server asks for
 * user name and password, then tells whether they will do. The password goes to whoever has
 * the pre-shared key: with a key that a group shares, any of the group can play the server and
 * gets it. So that combination needs policy = insecure.
 */
#ifndef LIBIKE_XAUTH_H
#define LIBIKE_XAUTH_H

#include "transaction.h"

/* The phase 1 authentication method for 'base' (PSK, RSA signatures) with the tunnel's XAUTH. */
uint16_t ike_xauth_method(const struct ike_tunnel_cfg *cfg, uint16_t base, bool we_initiate);
/* The method without XAUTH. */
uint16_t ike_xauth_base(uint64_t method);
/* The vendor ID, where it is spoken. */
void ike_xauth_put_vendor(struct ike_exchange *x, struct ike_msgw *w);

/* Server: ask. */
void ike_xauth_ask(struct ike_ikesa *sa);
enum ike_verdict ike_xauth_take_request(struct ike_exchange *x, const struct ike_cfgpay *c);
enum ike_verdict ike_xauth_take_answer(struct ike_exchange *x, const struct ike_cfgpay *c);
/* The outcome is known to both. */
void ike_xauth_done(struct ike_ikesa *sa, bool ok);

/* What is wrong with a tunnel's XAUTH; NULL: nothing. */
const char *ike_xauth_cfg_check(const struct ike_tunnel_cfg *cfg);
bool ike_xauth_cfg_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);

#endif
