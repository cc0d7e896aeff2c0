/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks as quick mode identities (RFC 2407 4.6.2): the many encodings of "any" and of
 * a prefix become one struct ike_net. Phase 1 identities are ident.h.
 */
#ifndef LIBIKE_NET_H
#define LIBIKE_NET_H

#include "msg.h"

#define IKE_NET_TEXT 64
#define IKE_SELECTOR_TEXT (2 * IKE_NET_TEXT + 8)

/* An ID payload's body kept as it came, to be returned exactly. */
struct ike_ts {
	uint8_t type, proto;
	uint16_t port;
	uint8_t len;		/* 4, 8, 16 or 32; 0: absent */
	uint8_t data[32];
	struct ike_net net;	/* what it means; family 0: not a network */
};

/* 0 or -IKE_E_PARSE with *why. A well-formed ID that is no network (FQDN, odd range) has net.family 0. */
int ike_ts_decode(const uint8_t *body, size_t len, struct ike_ts *ts, const char **why);
void ike_ts_encode(struct ike_wbuf *w, const struct ike_ts *ts);
/* Our way of writing a network: always a subnet, as route-based peers expect for any. */
void ike_ts_from_net(const struct ike_net *net, struct ike_ts *ts);
/* Any equals any of the other family too: a route-based tunnel carries both. */
bool ike_net_equal(const struct ike_net *a, const struct ike_net *b);
/* Does ts select all of net, no protocol or port excepted? */
bool ike_ts_is(const struct ike_ts *ts, const struct ike_net *net);
/* Is all of inner in outer? */
bool ike_net_within(const struct ike_net *inner, const struct ike_net *outer);
const char *ike_net_format(const struct ike_net *net, char *buf, size_t size);
const char *ike_ts_format(const struct ike_ts *ts, char *buf, size_t size);

bool ike_selector_equal(const struct ike_selector *a, const struct ike_selector *b);
bool ike_selector_within(const struct ike_selector *inner, const struct ike_selector *outer);
/* "10.1.0.0/16 === 10.2.0.0/16": this end's network, the peer's. */
const char *ike_selector_format(const struct ike_selector *sel, char *buf, size_t size);

#endif
