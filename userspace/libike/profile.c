// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which tunnel an identity means, by the most specific match. See profile.h.
 */
#include "profile.h"

#include <stdio.h>
#include <string.h>

#include "match.h"
#include "tunnel.h"

const char *ike_profile_name(const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	if (cfg->profile[0])
		snprintf(buf, size, "profile %s (line %u)", cfg->profile, cfg->profile_line);
	else
		snprintf(buf, size, "tunnel %s (line %u)", cfg->name, cfg->line);
	return buf;
}

const char *ike_profile_trustpoints(const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	unsigned int i;
	size_t n;

	n = (size_t)snprintf(buf, size, cfg->n_trustpoints ? "trustpoints " : "all trustpoints");
	for (i = 0; i < cfg->n_trustpoints && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s", i ? ", " : "", cfg->trustpoint[i]);
	return buf;
}

/* remote_id, or the remote address in its place. */
static void single_id(const struct ike_tunnel_cfg *cfg, struct ike_id *id)
{
	if (cfg->remote_id.type)
		*id = cfg->remote_id;
	else
		ike_id_from_addr(&cfg->remote, id);
}

const struct ike_match *ike_profile_match(const struct ike_tunnel_cfg *cfg, unsigned int i, struct ike_match *one)
{
	if (cfg->n_match)
		return i < cfg->n_match ? &cfg->match[i] : NULL;
	memset(one, 0, sizeof(*one));
	single_id(cfg, &one->id);
	return i ? NULL : one;
}

const char *ike_profile_expects(const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	const struct ike_match *m;
	struct ike_match one;
	unsigned int i;
	size_t n;

	n = (size_t)snprintf(buf, size, "%s", cfg->n_match > 1 ? "one of " : "");
	for (i = 0; n + 3 < size && (m = ike_profile_match(cfg, i, &one)); i++) {
		n += (size_t)snprintf(buf + n, size - n, "%s", i ? ", " : "");
		ike_match_format(m, buf + n, size - n);
		n += strlen(buf + n);
	}
	return buf;
}

bool ike_profile_trusts(const struct ike_tunnel_cfg *cfg, const char *trustpoint)
{
	unsigned int i;

	for (i = 0; i < cfg->n_trustpoints; i++)
		if (!strcmp(cfg->trustpoint[i], trustpoint))
			return true;
	return !cfg->n_trustpoints;
}

unsigned int ike_profile_weight(const struct ike_tunnel_cfg *cfg, const struct ike_id *id)
{
	const struct ike_match *m;
	unsigned int best = 0, i, w;
	struct ike_match one;

	for (i = 0; (m = ike_profile_match(cfg, i, &one)); i++) {
		w = ike_match_weight(m, id);
		best = w > best ? w : best;
	}
	return best;
}

bool ike_profile_signs(const struct ike_tunnel_cfg *cfg)
{
	unsigned int i;

	for (i = 0; i < cfg->n_auth; i++)
		if (!ike_auth_signs(cfg->auth[i]))
			return false;
	return cfg->n_auth;
}

/* Who has shown one key has not shown another: aggressive mode chooses it by identity. */
static bool same_psk(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return a->psk && b->psk && a->psk_len == b->psk_len && ike_crypto_equal(a->psk, b->psk, a->psk_len);
}

bool ike_profile_possible(const struct ike_ikesa *sa, const struct ike_tunnel *t)
{
	unsigned int i;

	if (!ike_auth_configured(&t->cfg, sa->p1.auth))
		return false;
	if (!ike_auth_signs(sa->p1.auth) && !same_psk(&sa->tunnel->cfg, &t->cfg))
		return false;
	for (i = 0; i < t->cfg.n_p1; i++)
		if (!memcmp(&t->cfg.p1[i], &sa->p1.alg, sizeof(sa->p1.alg)))
			return true;
	return false;
}

struct ike_tunnel *ike_profile_for(const struct ike_ikesa *sa, const struct ike_id *id)
{
	unsigned int best = ike_profile_weight(&sa->tunnel->cfg, id), w;
	struct ike_tunnel *found = best ? sa->tunnel : NULL, *t = NULL;
	bool listed = false;

	while (!sa->initiator && (t = ike_tunnel_by_path(sa->e, &sa->path, t))) {
		/* What comes behind the one we have may be the last that wins. */
		listed |= t == found;
		if (t == found || !ike_profile_possible(sa, t))
			continue;
		w = ike_profile_weight(&t->cfg, id);
		if (w > best || (w && w == best && listed && t->cfg.last_wins)) {
			best = w;
			found = t;
			listed = true;
		}
	}
	return found;
}

const struct ike_tunnel *ike_profile_elsewhere(const struct ike_ikesa *sa, const struct ike_id *id)
{
	const struct ike_tunnel *t;

	for (t = sa->e->tunnels; t; t = t->next)
		if (t != sa->tunnel && ike_profile_weight(&t->cfg, id))
			return t;
	return NULL;
}

bool ike_profile_same_auth(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	if (a->n_auth != b->n_auth || a->n_trustpoints != b->n_trustpoints ||
	    memcmp(a->auth, b->auth, a->n_auth * sizeof(a->auth[0])))
		return false;
	for (i = 0; i < a->n_trustpoints; i++)
		if (strcmp(a->trustpoint[i], b->trustpoint[i]))
			return false;
	return true;
}

bool ike_profile_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	if (!ike_id_equal(&a->local_id, &b->local_id) || !ike_id_equal(&a->remote_id, &b->remote_id) ||
	    a->n_match != b->n_match || !ike_profile_same_auth(a, b))
		return false;
	for (i = 0; i < a->n_match; i++)
		if (!ike_match_same(&a->match[i], &b->match[i]))
			return false;
	return true;
}
