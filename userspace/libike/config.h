/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tunnel configurations as values: copy, compare, check, clear. Applying them is
 * configure.c's part.
 */
#ifndef LIBIKE_CONFIG_H
#define LIBIKE_CONFIG_H

#include "ike.h"

/* What a change of configuration means for SAs that exist. */
enum ike_cfg_change {
	IKE_CFG_SAME,		/* nothing (the line number does not count) */
	IKE_CFG_P2,		/* new IPsec SAs, the ISAKMP SA stays */
	IKE_CFG_P1,		/* everything anew */
	IKE_CFG_SELECTORS,	/* SAs for selectors that are new; those of the others stay */
	IKE_CFG_START,		/* only when to begin, or what holds from the next SA on */
};

/* The array is copied, its trust material shared. 0 or -IKE_E_NOMEM. */
int ike_trustpoints_copy(struct ike_trustpoint **to, const struct ike_trustpoint *from, size_t n);
/* Gives the references up and frees the array. NULL is fine. */
void ike_trustpoints_clear(struct ike_trustpoint *tp, size_t n);
/* Names, order and material alike. */
bool ike_trustpoints_equal(const struct ike_trustpoint *a, size_t n_a, const struct ike_trustpoint *b, size_t n_b);
/* Deep copy. 0 or -IKE_E_NOMEM. */
int ike_tunnel_cfg_copy(struct ike_tunnel_cfg *to, const struct ike_tunnel_cfg *from);
/* Wipe the secret, free, zero. */
void ike_tunnel_cfg_clear(struct ike_tunnel_cfg *cfg);
enum ike_cfg_change ike_tunnel_cfg_compare(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b);

#endif
