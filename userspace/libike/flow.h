/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow: one selector of a tunnel, what is wanted for it and what it has. A tunnel has as many
 * as its configuration has selectors, one where everything is tunnelled. Each has its own quick
 * modes and pairs of SAs, is replaced, refused and tried again by itself; they share the ISAKMP
 * SA. Flows are found by their selector's value, for the configuration may change under whoever
 * remembers one.
 */
#ifndef LIBIKE_FLOW_H
#define LIBIKE_FLOW_H

#include "child.h"

struct ike_flow {
	struct ike_tunnel *tunnel;
	bool replace;			/* rekey wanted */
	unsigned int failures;		/* in a row */
	unsigned int short_lives;	/* pairs in a row that ended soon after they came up */
	unsigned int group_index;	/* which PFS group to offer next */
	ike_time not_before;		/* back-off: no quick mode of ours before */
};

const struct ike_selector *ike_flow_selector(const struct ike_flow *f);
/* t's flow with exactly that selector; NULL. */
struct ike_flow *ike_flow_find(struct ike_tunnel *t, const struct ike_selector *sel);
/* The first of t's flows that holds all of sel, with exactly sel if there is one; NULL. */
struct ike_flow *ike_flow_around(struct ike_tunnel *t, const struct ike_selector *sel);
/* Whose pair c is; NULL: its selector is not configured any more. */
struct ike_flow *ike_flow_of(const struct ike_child *c);

/* The pair in use; NULL. */
struct ike_child *ike_flow_current(const struct ike_flow *f);
/* A quick mode in progress; own: only one we began. NULL. */
struct ike_exchange *ike_flow_quick(const struct ike_flow *f, bool own);
/* Is there something to negotiate, now or after the back-off? */
bool ike_flow_is_due(const struct ike_flow *f);

/* A quick mode of ours failed: remember why, back off. */
void ike_flow_failed(struct ike_flow *f, const char *text);
/* Things that happened to a pair of f. */
void ike_flow_child_up(struct ike_flow *f, const struct ike_child *c);
/* lived: how long it was in use; 0: it never was. */
void ike_flow_child_gone(struct ike_flow *f, ike_time lived);

/* A fresh flow for each selector of t's configuration. */
void ike_flows_init(struct ike_tunnel *t);
/* t's configuration has changed from old: flows whose selector stayed keep their state. */
void ike_flows_change(struct ike_tunnel *t, const struct ike_tunnel_cfg *old);
/* Every flow has a pair in use; how many have. */
bool ike_flows_up(const struct ike_tunnel *t);
unsigned int ike_flows_count_up(const struct ike_tunnel *t);
/* Replace what is there. */
void ike_flows_replace(struct ike_tunnel *t);
/* Begin all at once: back-offs end, failures are forgotten. */
void ike_flows_hurry(struct ike_tunnel *t);

#endif
