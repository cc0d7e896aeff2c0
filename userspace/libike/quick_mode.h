/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Quick mode (RFC 2409 5.5): negotiates a child SA under an established ISAKMP SA.
 */
#ifndef LIBIKE_QUICK_MODE_H
#define LIBIKE_QUICK_MODE_H

#include "child.h"
#include "ikesa.h"
#include "net.h"

struct ike_flow;

extern const struct ike_mode ike_quick_mode;

struct ike_quick {
	struct ike_tunnel *tunnel;	/* NULL until the networks told which */
	struct ike_selector want;	/* the one of its selectors this is about, likewise */
	struct ike_selector sel;	/* what is negotiated: that, or less */
	struct ike_child *child;	/* NULL before and after */
	struct ike_dh *dh;
	uint16_t group;			/* PFS; 0: none */
	uint32_t offered_spi;		/* responder: the peer's in its first proposal; 0: none */
	struct ike_blob ni, nr, gxy;
	struct ike_blob sa_body;	/* the answer we chose, encoded */
	struct ike_ts idci, idcr;	/* as the initiator wrote them */
	bool has_ids;
};

/* Begin as initiator, for f, under an established sa. 0 or -IKE_E_*. */
int ike_quick_start(struct ike_flow *f, struct ike_ikesa *sa);
/* t's configuration has changed: end what is not answered yet, mark what the peer may be using. */
void ike_quick_abandon(struct ike_tunnel *t);
/* The selectors of t have changed: end what nobody wants any more. */
void ike_quick_unwanted(struct ike_tunnel *t);
/*
 * t goes: end all of its quick modes, those that are over and wait for repetitions too, whichever
 * tunnel's ISAKMP SA they are under.
 */
void ike_quick_forget(struct ike_tunnel *t);
/* The peer has just proved itself under a fresh ISAKMP SA: end t's quick mode that got no answer under the old one. */
void ike_quick_give_up_silent(struct ike_tunnel *t, const struct ike_ikesa *fresh);
/* The child's requests to the kernel are answered. */
void ike_quick_spi_ready(struct ike_exchange *x);
void ike_quick_installed(struct ike_exchange *x);
/*
 * x fails: logged, remembered as its tunnel's error, told to the peer when 'notify' is not 0; backs
 * off if we began it. Always IKE_FAIL.
 */
enum ike_verdict ike_quick_refuse(struct ike_exchange *x, const char *message, const char *event, uint16_t notify,
				  const char *text);
/* The kernel or a delete ended the child that x negotiates. */
void ike_quick_child_failed(struct ike_exchange *x, const char *why);
/* First packet on the new inbound SA: as good as QM3. */
void ike_quick_confirmed(struct ike_exchange *x);

struct ike_chunk ike_quick_ni(const struct ike_exchange *x);
struct ike_chunk ike_quick_nr(const struct ike_exchange *x);

#endif
