/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What SA payloads mean: our offer from the configuration, the responder's choice, the
 * initiator's check of the answer, and the sentence that sets offered against configured
 * when there is nothing in common.
 *
 * Both roles decide by meaning and against the configuration: the first of the peer's
 * transforms, in its order, that equals one of ours. Lifetimes never decide; the shorter
 * of both counts.
 */
#ifndef LIBIKE_PROPOSAL_H
#define LIBIKE_PROPOSAL_H

#include "sapay.h"

struct ike_p1_choice {
	struct ike_p1_proposal alg;
	uint16_t auth;			/* method, IKE_AUTH_* */
	uint32_t life;			/* seconds, already the shorter of both */
	bool lowered;			/* ours is the shorter one */
};

struct ike_p2_choice {
	struct ike_p2_proposal alg;
	uint32_t life;			/* seconds, already the shorter of both */
	uint32_t life_kb;		/* kilobytes, likewise; 0: none */
	bool lowered;			/* ours is the shorter one of either */
	uint32_t spi;			/* the peer's, host order */
};

/* Does the tunnel allow that authentication method? */
bool ike_auth_configured(const struct ike_tunnel_cfg *cfg, uint64_t method);
/* Each method with each proposal, methods in the outer loop. */
void ike_offer_p1(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg);
/* Of a phase 1 offer only what has that group stays: aggressive mode has its KE in the same message. */
void ike_offer_keep_group(struct ike_sapay *sa, uint16_t group);
/* All proposals with that PFS group: a quick mode has one KE only. encap_mode: attribute 4. */
void ike_offer_p2(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, uint32_t spi, uint16_t group,
		  uint16_t encap_mode);

/* For ike_choose_p2: any PFS group that is configured, but not none. */
#define IKE_GROUP_ANY 0xffff

/*
 * The first transform of sa that the tunnel allows; false when there is none. answer (may be
 * NULL: the initiator's check of an answer) becomes sa reduced to it. ike_choose_p2 looks
 * only at transforms with that PFS group, and with UDP encapsulation or without, as 'udp' says.
 */
bool ike_choose_p1(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg,
		   struct ike_sapay *answer, struct ike_p1_choice *c);
bool ike_choose_p2(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, uint16_t group, bool udp,
		   struct ike_sapay *answer, struct ike_p2_choice *c);

/* The lifetimes in a list of attributes, of either phase's numbers; 0: not given. False: they make no sense. */
bool ike_transform_life(const struct ike_transform *t, uint64_t *seconds, uint64_t *kilobytes);

/* True if the peer could not tell the two apart: SHA2-256 cut to 96 bits is offered as SHA2-256. */
bool ike_p2_looks_same(const struct ike_p2_proposal *a, const struct ike_p2_proposal *b);

/* "offered a, b; configured c (line 7)". */
void ike_p1_explain(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, char *buf, size_t size);
void ike_p2_explain(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, bool udp, char *buf, size_t size);

#endif
