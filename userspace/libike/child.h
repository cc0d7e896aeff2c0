/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pair of IPsec SAs and its way through the kernel: SPI, inbound, outbound pending,
 * outbound active, replaced, deleted. Lives with its tunnel and outlives the ISAKMP SA
 * that made it. Keys are here only until both SAs are installed.
 *
 *	NEW --spi--> KEYED --add in--> --add out (pending)--> PENDING --activate--> ACTIVE
 *	ACTIVE --a newer one is active--> OLD --grace--> deleted
 */
#ifndef LIBIKE_CHILD_H
#define LIBIKE_CHILD_H

#include "engine.h"
#include "keymat.h"
#include "net.h"
#include "proposal.h"

enum ike_child_state {
	IKE_CHILD_NEW,		/* no SPI yet, or no keys */
	IKE_CHILD_PENDING,	/* installed, outbound not in use */
	IKE_CHILD_ACTIVE,	/* outbound in use */
	IKE_CHILD_OLD,		/* replaced: inbound only, until its grace is over */
};

struct ike_child {
	struct ike_child *next;		/* of the same tunnel */
	struct ike_tunnel *tunnel;
	struct ike_exchange *x;		/* that negotiates it; NULL afterwards */
	enum ike_child_state state;
	bool initiator;			/* we began the negotiation */
	bool adopted, dead;
	bool confirmed;			/* a packet has come on it: the peer has it and sends on it */
	bool outdated;			/* negotiated before the configuration changed */
	bool adopted_pending;		/* its outbound half was found pending */
	bool spi_in_held;		/* the kernel reserved or installed spi_in */
	bool out_held;			/* the kernel has the outbound SA */
	struct ike_act_node *undo[2];	/* by direction: memory to delete it with; NULL: used */
	uint32_t spi_in, spi_out;	/* host order; 0: not known */
	struct ike_p2_choice p2;
	struct ike_selector want;	/* the configured selector it is for; the configuration may change meanwhile */
	struct ike_selector sel;	/* negotiated: that, or less */
	struct ike_path path;		/* encapsulated: where the kernel sends to, as far as it has told */
	bool encap;			/* in UDP */
	bool nat_here, nat_peer;	/* with encap */
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];
	/*
	 * Both peers must agree which of two pairs is the newer one. It counts when the
	 * responder took QM1 and the initiator QM2; see the collision rule in quick_mode.c.
	 */
	uint64_t order;
	uint8_t key_in[IKE_KEYMAT_MAX], key_out[IKE_KEYMAT_MAX];
	ike_time created, established, rekey_at, expires_at;	/* 0: not yet */
	struct ike_timer rekey, expire;
	struct ike_timer use;		/* running: ACTIVE for us, but the old pair still sends; see child.c */
};

/* For the selector 'want', of which 'sel' was agreed on. NULL when memory is short. Belongs to t. */
struct ike_child *ike_child_new(struct ike_tunnel *t, struct ike_exchange *x, const struct ike_selector *want,
				const struct ike_selector *sel, bool initiator);
/* Ask the kernel for spi_in; ike_quick_spi_ready() or _child_failed() follows. */
void ike_child_alloc_spi(struct ike_child *c);
/* Keys are in place: inbound, then outbound pending; ike_quick_installed() or _child_failed() follows. */
void ike_child_install(struct ike_child *c);
/* Use the outbound SA from now on; older pairs become OLD. */
void ike_child_activate(struct ike_child *c);
/* The first packet came in on it. */
void ike_child_confirmed(struct ike_child *c);
/* Delete in the kernel, and with 'tell' at the peer. Freed when the public call returns. */
void ike_child_kill(struct ike_child *c, bool tell, const char *why);
void ike_child_free(struct ike_child *c);
/* Lifetimes begin; 'established' is now. */
void ike_child_start_life(struct ike_child *c);
/* The same when p2.life is lowered afterwards: they run from when it was established. */
void ike_child_set_life(struct ike_child *c);
/* Replaced by a newer pair (NULL: which one does not matter): inbound stays for its grace. */
void ike_child_retire(struct ike_child *c, bool we_delete, const struct ike_child *by);

/* Its selector is not configured any more: it stops sending, and goes after its grace. */
void ike_child_outcast(struct ike_child *c, bool we_delete);
/* The same packets: the newer one of two pairs takes over from the older one. */
bool ike_child_same_packets(const struct ike_child *a, const struct ike_child *b);

/* Of one tunnel: the outbound SPI is the peer's choice, so two tunnels may have the same. NULL: none. */
struct ike_child *ike_child_by_spi(const struct ike_tunnel *t, enum ike_dir dir, uint32_t spi);

/* Answers and events of the kernel. */
void ike_request_answer(struct ike_engine *e, uint64_t id, bool ok, uint32_t spi, const char *text);
void ike_requests_free(struct ike_engine *e);

/* What survives in the kernel's cookie when the keyer dies (adopt.c). */
void ike_cookie_pack(const struct ike_child *c, uint8_t cookie[IKE_SA_COOKIE_LEN]);
void ike_adopt(struct ike_engine *e, const struct ike_kernel_event *ev);

#endif
