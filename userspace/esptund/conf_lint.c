// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Warnings about certificates and identities. IKEv1 asks for certificates before it knows the
 * peer's identity, so what a profile trusts and what is asked for can differ; these rules find
 * where that matters.
 */
#include "conf_lint.h"

#include <stdio.h>
#include <string.h>

#include "libike/addr.h"
#include "libike/pki.h"
#include "libike/profile.h"

static bool may_sign(const struct ike_tunnel_cfg *t)
{
	unsigned int i;

	for (i = 0; i < t->n_auth; i++)
		if (ike_auth_signs(t->auth[i]))
			return true;
	return false;
}

/* Can one peer mean either? */
static bool same_place(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return ike_addr_overlap(&a->remote, &b->remote) && ike_addr_overlap(&a->local, &b->local);
}

/* As responder we ask that peer for a certificate of tp, which t would not accept. */
static bool asks_in_vain(const struct ike_config *cfg, const struct ike_tunnel_cfg *t, const struct ike_trustpoint *tp)
{
	size_t i;

	if (ike_profile_trusts(t, tp->name))
		return false;
	if (!t->narrow_requests)
		return true;
	for (i = 0; i < cfg->n_tunnels; i++)
		if (same_place(&cfg->tunnel[i], t) && ike_profile_trusts(&cfg->tunnel[i], tp->name))
			return true;
	return false;
}

static void lint_requests(struct conf_log *log, const struct ike_config *cfg, const struct ike_tunnel_cfg *t)
{
	char profile[IKE_PROFILE_TEXT];
	size_t i;

	for (i = 0; i < cfg->n_trustpoints; i++) {
		if (!asks_in_vain(cfg, t, &cfg->trustpoint[i]))
			continue;
		conf_warning(log, t->profile[0] ? t->profile_line : t->line, "tunnel %s: when the peer begins it is asked for a "
			     "certificate of trustpoint %s (line %u) too, which %s does not trust: the tunnel may come up from "
			     "one side only; %s", t->name, cfg->trustpoint[i].name, cfg->trustpoint[i].line,
			     ike_profile_name(t, profile, sizeof(profile)), t->narrow_requests ? "trust the same in all "
			     "profiles of this peer" : "write cert-requests = by-address, or trust it");
		return;
	}
}

/* Several certificates of one kind and none named: the peer's order of requests decides. */
static void lint_choice(struct conf_log *log, const struct ike_config *cfg, const struct ike_tunnel_cfg *t)
{
	const struct ike_trustpoint *first = NULL;
	unsigned int j;
	size_t i;

	if (t->n_trustpoints || t->next_certificate || t->start == IKE_START_RESPOND)
		return;
	for (j = 0; j < t->n_auth; j++) {
		for (i = 0, first = NULL; i < cfg->n_trustpoints; i++) {
			if (!ike_auth_signs(t->auth[j]) || ike_trust_method(cfg->trustpoint[i].trust) != t->auth[j])
				continue;
			if (first) {
				conf_warning(log, t->line, "tunnel %s names no trustpoints: the order of the peer's requests "
					     "decides between the certificates of %s and %s; write trustpoints = NAME, or "
					     "on-reject = next-certificate", t->name, first->name, cfg->trustpoint[i].name);
				return;
			}
			first = &cfg->trustpoint[i];
		}
	}
}

static void lint_identity(struct conf_log *log, const struct ike_config *cfg, const struct ike_tunnel_cfg *t)
{
	struct ike_id id = t->local_id;
	char text[300];
	size_t i;

	if (id.type == IKE_ID_DER_ASN1_DN && !id.len)
		return;
	if (!id.type && ike_addr_is_any(&t->local))
		return;
	if (!id.type) {
		id.type = t->local.family == 6 ? IKE_ID_IPV6_ADDR : IKE_ID_IPV4_ADDR;
		id.len = t->local.family == 6 ? 16 : 4;
		memcpy(id.data, t->local.ip, id.len);
	}
	for (i = 0; i < cfg->n_trustpoints; i++) {
		const struct ike_trustpoint *tp = &cfg->trustpoint[i];

		if (ike_trust_method(tp->trust) && ike_profile_trusts(t, tp->name) && !ike_trust_has_id(tp->trust, &id))
			conf_warning(log, t->line, "tunnel %s: identity %s is not in our certificate of trustpoint %s (line %u): "
				     "most peers refuse that", t->name, ike_id_format(&id, text, sizeof(text)), tp->name, tp->line);
	}
}

/* Is there an identity that both mean? Between two patterns that is not looked for. */
static bool overlap(const struct ike_match *a, const struct ike_match *b)
{
	if (!a->id.type || !b->id.type)
		return true;
	return (!a->pattern && ike_match_weight(b, &a->id)) || (!b->pattern && ike_match_weight(a, &b->id));
}

static void lint_overlap(struct conf_log *log, const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	char one[200], other[200];
	unsigned int i, j;

	for (i = 0; i < a->n_match; i++) {
		for (j = 0; j < b->n_match; j++) {
			bool tie = ike_match_tie(&a->match[i], &b->match[j]);

			if (!tie && !overlap(&a->match[i], &b->match[j]))
				continue;
			conf_warning(log, b->line, "tunnels %s (line %u) and %s overlap, by match-identity %s and %s: %s", a->name,
				     a->line, b->name, ike_match_format(&a->match[i], one, sizeof(one)),
				     ike_match_format(&b->match[j], other, sizeof(other)), tie ? "the last wins" :
				     "the more specific one is taken");
			return;
		}
	}
}

void conf_lint(struct conf_log *log, const struct ike_config *cfg)
{
	size_t i, j;

	for (i = 0; i < cfg->n_tunnels; i++) {
		const struct ike_tunnel_cfg *t = &cfg->tunnel[i];

		if (may_sign(t)) {
			lint_requests(log, cfg, t);
			lint_choice(log, cfg, t);
			lint_identity(log, cfg, t);
		}
		for (j = 0; j < i; j++)
			if (same_place(&cfg->tunnel[j], t) && !ike_profile_same(&cfg->tunnel[j], t))
				lint_overlap(log, &cfg->tunnel[j], t);
	}
}
