// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configurations as values. See config.h and ike.h. Changes nothing but what it is given.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "buf.h"
#include "crypto.h"
#include "ident.h"
#include "match.h"
#include "modecfg.h"
#include "net.h"
#include "pki.h"
#include "profile.h"
#include "proposal.h"
#include "wire.h"
#include "xauth.h"

void ike_tunnel_cfg_init(struct ike_tunnel_cfg *t)
{
	memset(t, 0, sizeof(*t));
	t->local.family = 4;
	t->local.port = IKE_PORT;
	t->remote.port = IKE_PORT;
	t->policy = IKE_POLICY_MODERN;
	t->p1_life = 86400;
	t->p2_life = 3600;
	t->replay_window = 1024;
	t->grace = 30;
	t->dpd = 30;
	t->start = IKE_START_AUTO;
	t->sel[0].local.family = 4;
	t->sel[0].remote.family = 4;
	t->n_sel = 1;
	t->initial_contact = true;
	t->nat_keepalive = 20;
}

void ike_tunnel_cfg_clear(struct ike_tunnel_cfg *cfg)
{
	if (cfg->psk)
		ike_crypto_wipe(cfg->psk, cfg->psk_len);
	free(cfg->psk);
	if (cfg->xauth_password)
		ike_crypto_wipe(cfg->xauth_password, cfg->xauth_password_len);
	free(cfg->xauth_password);
	free(cfg->match);
	memset(cfg, 0, sizeof(*cfg));
}

void ike_config_clear(struct ike_config *cfg)
{
	size_t i;

	for (i = 0; i < cfg->n_tunnels; i++)
		ike_tunnel_cfg_clear(&cfg->tunnel[i]);
	free(cfg->tunnel);
	ike_trustpoints_clear(cfg->trustpoint, cfg->n_trustpoints);
	memset(cfg, 0, sizeof(*cfg));
}

int ike_tunnel_cfg_copy(struct ike_tunnel_cfg *to, const struct ike_tunnel_cfg *from)
{
	*to = *from;
	to->psk = from->psk ? ike_memdup(from->psk, from->psk_len) : NULL;
	to->match = from->n_match ? ike_memdup(from->match, from->n_match * sizeof(*from->match)) : NULL;
	to->xauth_password = from->xauth_password ? ike_memdup(from->xauth_password, from->xauth_password_len) : NULL;
	if (!to->psk == !from->psk && !to->match == !from->n_match && !to->xauth_password == !from->xauth_password)
		return 0;
	ike_tunnel_cfg_clear(to);
	return -IKE_E_NOMEM;
}

/* ---- trustpoints ------------------------------------------------------------------------- */

int ike_trustpoints_copy(struct ike_trustpoint **to, const struct ike_trustpoint *from, size_t n)
{
	size_t i;

	*to = calloc(n ? n : 1, sizeof(**to));
	if (!*to)
		return -IKE_E_NOMEM;
	for (i = 0; i < n; i++) {
		(*to)[i] = from[i];
		ike_trust_ref(from[i].trust);
	}
	return 0;
}

void ike_trustpoints_clear(struct ike_trustpoint *tp, size_t n)
{
	size_t i;

	for (i = 0; tp && i < n; i++)
		ike_trust_unref(tp[i].trust);
	free(tp);
}

bool ike_trustpoints_equal(const struct ike_trustpoint *a, size_t n_a, const struct ike_trustpoint *b, size_t n_b)
{
	size_t i;

	for (i = 0; n_a == n_b && i < n_a; i++)
		if (strcmp(a[i].name, b[i].name) || !ike_trust_equal(a[i].trust, b[i].trust))
			return false;
	return n_a == n_b;
}

/* ---- comparison -------------------------------------------------------------------------- */

static bool addr_same(const struct ike_addr *a, const struct ike_addr *b)
{
	return ike_addr_equal(a, b) && a->port == b->port;
}

static bool psk_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return a->psk_len == b->psk_len && ike_crypto_equal(a->psk, b->psk, a->psk_len);
}

static bool p1_proposals_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	if (a->n_p1 != b->n_p1)
		return false;
	for (i = 0; i < a->n_p1; i++)
		if (a->p1[i].encr != b->p1[i].encr || a->p1[i].key_bits != b->p1[i].key_bits ||
		    a->p1[i].hash != b->p1[i].hash || a->p1[i].group != b->p1[i].group)
			return false;
	return true;
}

static bool p1_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return a->p1_life == b->p1_life && addr_same(&a->local, &b->local) && addr_same(&a->remote, &b->remote) &&
	       a->encapsulation == b->encapsulation && ike_profile_same(a, b) && psk_same(a, b) && p1_proposals_same(a, b) &&
	       ike_xauth_cfg_same(a, b) && ike_modecfg_cfg_same(a, b);
}

static bool p2_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	if (a->n_p2 != b->n_p2 || a->p2_life != b->p2_life || a->p2_life_kb != b->p2_life_kb ||
	    a->replay_window != b->replay_window || a->nat_keepalive != b->nat_keepalive)
		return false;
	for (i = 0; i < a->n_p2; i++)
		if (a->p2[i].transform != b->p2[i].transform || a->p2[i].key_bits != b->p2[i].key_bits ||
		    a->p2[i].auth != b->p2[i].auth || a->p2[i].group != b->p2[i].group ||
		    a->p2[i].esn != b->p2[i].esn)
			return false;
	return true;
}

static bool has_selector(const struct ike_tunnel_cfg *t, const struct ike_selector *sel)
{
	unsigned int i;

	for (i = 0; i < t->n_sel; i++)
		if (ike_selector_equal(&t->sel[i], sel))
			return true;
	return false;
}

/* Their order does not count. */
static bool selectors_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	for (i = 0; i < a->n_sel; i++)
		if (!has_selector(b, &a->sel[i]))
			return false;
	return a->n_sel == b->n_sel;
}

enum ike_cfg_change ike_tunnel_cfg_compare(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	if (!p1_same(a, b))
		return IKE_CFG_P1;
	if (!p2_same(a, b))
		return IKE_CFG_P2;
	if (!selectors_same(a, b))
		return IKE_CFG_SELECTORS;
	if (a->last_wins != b->last_wins || a->next_certificate != b->next_certificate ||
	    a->narrow_requests != b->narrow_requests)
		return IKE_CFG_START;
	if (a->narrowing != b->narrowing || a->initial_contact != b->initial_contact ||
	    a->delete_takes_children != b->delete_takes_children || a->policy != b->policy || a->grace != b->grace ||
	    a->dpd != b->dpd || a->start != b->start || a->aggressive != b->aggressive ||
	    a->aggressive_psk != b->aggressive_psk ||
	    a->fragmentation != b->fragmentation || a->fragment_size != b->fragment_size)
		return IKE_CFG_START;
	return IKE_CFG_SAME;
}

/* ---- checks ------------------------------------------------------------------------------ */

struct complaint {
	char *why;
	size_t size;
	unsigned int *line;
};

__attribute__((format(printf, 3, 4)))
static int complain(const struct complaint *c, const struct ike_tunnel_cfg *t, const char *fmt, ...)
{
	va_list ap;

	if (c->line)
		*c->line = t->line;
	if (c->why && c->size) {
		va_start(ap, fmt);
		vsnprintf(c->why, c->size, fmt, ap);
		va_end(ap);
	}
	return -IKE_E_INVALID;
}

static int check_addresses(const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	if (t->remote.family != 4 && t->remote.family != 6)
		return complain(c, t, "tunnel %s: no remote address", t->name);
	if (ike_addr_is_any(&t->remote) && !t->aggressive_psk && !ike_profile_signs(t))
		return complain(c, t, "tunnel %s: a peer at any address is told by its identity, which comes too late for a "
				"pre-shared key, but in aggressive mode: name the address, use signatures alone (auth = rsa), or "
				"allow that mode with aggressive-psk = insecure-yes", t->name);
	if (ike_addr_is_any(&t->remote) && (t->start != IKE_START_RESPOND || (!t->remote_id.type && !t->n_match)))
		return complain(c, t, "tunnel %s: a peer at any address has to begin and to say who it is: "
				"start = respond and match-identity are needed", t->name);
	if (t->aggressive && ike_addr_is_any(&t->local) && !t->local_id.type)
		return complain(c, t, "tunnel %s: aggressive mode says our identity in the first message: name it, "
				"or the local address", t->name);
	if (t->local.family != t->remote.family)
		return complain(c, t, "tunnel %s: local and remote address are of different families", t->name);
	return 0;
}

/* Lower bounds keep a typing error from rekeying without pause; upper ones keep times in range. */
static int check_numbers(const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	if (t->p1_life < IKE_LIFE_MIN || t->p1_life > 30 * 86400)
		return complain(c, t, "tunnel %s: phase 1 lifetime %u s is not between 10 s and 30 days", t->name, t->p1_life);
	if (t->p2_life < IKE_LIFE_MIN || t->p2_life > 30 * 86400)
		return complain(c, t, "tunnel %s: phase 2 lifetime %u s is not between 10 s and 30 days", t->name, t->p2_life);
	if (t->grace > 3600)
		return complain(c, t, "tunnel %s: grace of %u s is over an hour", t->name, t->grace);
	if (t->dpd > 86400)
		return complain(c, t, "tunnel %s: dpd of %u s is over a day", t->name, t->dpd);
	if (t->nat_keepalive > 3600)
		return complain(c, t, "tunnel %s: a NAT keepalive after %u s is over an hour", t->name, t->nat_keepalive);
	if (t->fragment_size && (t->fragment_size < 576 || t->fragment_size > 1500))
		return complain(c, t, "tunnel %s: a fragment size of %u octets is not between 576 and 1500", t->name,
				t->fragment_size);
	if (t->fragmentation > IKE_FRAGMENTATION_FORCE)
		return complain(c, t, "tunnel %s: unknown fragmentation", t->name);
	if (t->encapsulation > IKE_ENCAPSULATION_NEVER)
		return complain(c, t, "tunnel %s: unknown encapsulation", t->name);
	if (t->start > IKE_START_RESPOND)
		return complain(c, t, "tunnel %s: unknown start mode", t->name);
	return 0;
}

/* The length of an ICV is not negotiated: which of the two is meant could not be told. */
static int check_look_alikes(const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	char one[80], other[80];
	unsigned int i, j;

	for (i = 0; i < t->n_p2; i++)
		for (j = 0; j < i; j++)
			if (t->p2[i].auth != t->p2[j].auth && ike_p2_looks_same(&t->p2[i], &t->p2[j]))
				return complain(c, t, "tunnel %s: phase 2 proposals %s and %s look the same to the "
						"peer, name the one that it has", t->name,
						ike_p2_format(&t->p2[j], one, sizeof(one)),
						ike_p2_format(&t->p2[i], other, sizeof(other)));
	return 0;
}

static int check_proposals(const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	const char *why = "";
	char text[80];
	unsigned int i;

	if (!t->n_p1 || t->n_p1 > IKE_MAX_PROPOSALS)
		return complain(c, t, "tunnel %s: %s", t->name, t->n_p1 ? "too many phase 1 proposals" : "no phase 1 proposal");
	if (!t->n_p2 || t->n_p2 > IKE_MAX_PROPOSALS)
		return complain(c, t, "tunnel %s: %s", t->name, t->n_p2 ? "too many phase 2 proposals" : "no phase 2 proposal");
	/* Formatting and parsing again applies the policy and refuses numbers we have no name for. */
	for (i = 0; i < t->n_p1; i++) {
		struct ike_p1_proposal p;

		if (ike_p1_parse(ike_p1_format(&t->p1[i], text, sizeof(text)), t->policy, &p, &why))
			return complain(c, t, "tunnel %s: phase 1 proposal %s: %s", t->name, text, why);
	}
	for (i = 0; i < t->n_p2; i++) {
		struct ike_p2_proposal p;

		if (ike_p2_parse(ike_p2_format(&t->p2[i], text, sizeof(text)), t->policy, &p, &why))
			return complain(c, t, "tunnel %s: phase 2 proposal %s: %s", t->name, text, why);
		/* RFC 4303 2.2.1: the high half is told from the window. */
		if (p.esn && !t->replay_window)
			return complain(c, t, "tunnel %s: phase 2 proposal %s: 64-bit sequence numbers need a replay window, "
					"it is 0", t->name, text);
	}
	return check_look_alikes(t, c);
}

/* Somebody's certificate has to be asked for, and one of ours sent. */
static int check_method(const struct ike_config *cfg, const struct ike_tunnel_cfg *t, uint16_t method,
			const struct complaint *c)
{
	size_t i;

	if (method == IKE_AUTH_PSK)
		return t->psk && t->psk_len ? 0 : complain(c, t, "tunnel %s: no pre-shared key", t->name);
	if (!ike_auth_signs(method))
		return complain(c, t, "tunnel %s: unknown authentication method %u", t->name, method);
	for (i = 0; i < cfg->n_trustpoints; i++)
		if (ike_profile_trusts(t, cfg->trustpoint[i].name) && ike_trust_method(cfg->trustpoint[i].trust) == method)
			return 0;
	return complain(c, t, "tunnel %s: authentication %s needs a trustpoint with a certificate and key of that kind",
			t->name, ike_auth_name(method));
}

static int check_auth(const struct ike_config *cfg, const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	unsigned int i;
	size_t j;
	int err;

	err = t->n_auth ? 0 : check_method(cfg, t, IKE_AUTH_PSK, c);
	for (i = 0; i < t->n_auth && !err; i++)
		err = check_method(cfg, t, t->auth[i], c);
	for (i = 0; i < t->n_trustpoints && !err; i++) {
		for (j = 0; j < cfg->n_trustpoints; j++)
			if (!strcmp(cfg->trustpoint[j].name, t->trustpoint[i]))
				break;
		if (j == cfg->n_trustpoints)
			err = complain(c, t, "tunnel %s: there is no trustpoint %s", t->name, t->trustpoint[i]);
	}
	return err;
}

static int check_selectors(const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	char text[IKE_SELECTOR_TEXT];
	unsigned int i, j;

	if (!t->n_sel || t->n_sel > IKE_MAX_SELECTORS)
		return complain(c, t, "tunnel %s: %s", t->name, t->n_sel ? "too many selectors" : "no selector");
	for (i = 0; i < t->n_sel; i++) {
		const struct ike_selector *s = &t->sel[i];

		ike_selector_format(s, text, sizeof(text));
		if (s->local.family != s->remote.family)
			return complain(c, t, "tunnel %s: selector %s: the networks are not of the same IP version", t->name, text);
		for (j = 0; j < i; j++)
			if (ike_selector_equal(s, &t->sel[j]))
				return complain(c, t, "tunnel %s: selector %s is there twice", t->name, text);
	}
	return 0;
}

static int check_one(const struct ike_config *cfg, const struct ike_tunnel_cfg *t, const struct complaint *c)
{
	const char *why;
	int err;

	if (!t->name[0])
		return complain(c, t, "a tunnel without a name");
	err = check_auth(cfg, t, c);
	if (err)
		return err;
	why = ike_xauth_cfg_check(t);
	if (!why)
		why = ike_modecfg_cfg_check(t);
	if (why)
		return complain(c, t, "tunnel %s: %s", t->name, why);
	err = check_addresses(t, c);
	if (!err)
		err = check_numbers(t, c);
	if (!err)
		err = check_selectors(t, c);
	return err ? err : check_proposals(t, c);
}

/* The same identity, when one that is left out means the address. */
static bool id_same(const struct ike_id *a, const struct ike_addr *addr_a, const struct ike_id *b,
		    const struct ike_addr *addr_b)
{
	struct ike_id ids[2] = { *a, *b };

	if (!a->type && !ike_addr_is_any(addr_a))
		ike_id_from_addr(addr_a, &ids[0]);
	if (!b->type && !ike_addr_is_any(addr_b))
		ike_id_from_addr(addr_b, &ids[1]);
	return ike_id_equal(&ids[0], &ids[1]);
}

static bool ids_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	if (a->n_match || b->n_match)
		return ike_profile_same(a, b);
	return id_same(&a->remote_id, &a->remote, &b->remote_id, &b->remote) &&
	       id_same(&a->local_id, &a->local, &b->local_id, &b->local);
}

/* Could the same identity mean both equally? Fills in whom each means. */
static bool tie(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b, char *text, size_t size)
{
	const struct ike_match *m, *n;
	struct ike_match one, other;
	unsigned int i, j;

	for (i = 0; (m = ike_profile_match(a, i, &one)); i++) {
		for (j = 0; (n = ike_profile_match(b, j, &other)); j++) {
			if (!ike_match_tie(m, n))
				continue;
			ike_match_format(m, text, size);
			return true;
		}
	}
	return false;
}

static bool share_method(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	for (i = 0; i < a->n_auth; i++)
		if (ike_auth_configured(b, a->auth[i]))
			return true;
	return !a->n_auth && ike_auth_configured(b, IKE_AUTH_PSK);
}

static bool both_psk(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return ike_auth_configured(a, IKE_AUTH_PSK) && ike_auth_configured(b, IKE_AUTH_PSK);
}

/* One peer at any address, one at a certain one. */
static int check_anypeer(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b, const struct complaint *c)
{
	bool aggressive = a->aggressive_psk && b->aggressive_psk, sign = ike_profile_signs(a) && ike_profile_signs(b);
	char text[200];

	if ((!aggressive && !sign) || b->last_wins || !tie(a, b, text, sizeof(text)))
		return 0;
	return complain(c, b, "tunnels %s (line %u) and %s expect the same identity (%s), one of them at any address: "
			"nothing tells them apart%s", a->name, a->line, b->name, text, aggressive ? " in aggressive mode" : "");
}

/* Two tunnels a responder must be able to tell apart. */
static int check_pair(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b, const struct complaint *c)
{
	unsigned int i;
	char text[200];

	if (!strcmp(a->name, b->name))
		return complain(c, b, "tunnel %s: the name is taken by line %u", b->name, a->line);
	if (!ike_addr_overlap(&a->remote, &b->remote) || !ike_addr_overlap(&a->local, &b->local))
		return 0;
	if (!ike_addr_equal(&a->remote, &b->remote))
		return check_anypeer(a, b, c);
	/* At any address: aggressive mode only, which chooses the key by identity. */
	if (ike_addr_is_any(&a->remote) && both_psk(a, b) && !ike_id_equal(&a->remote_id, &b->remote_id))
		return 0;
	if (both_psk(a, b) && !psk_same(a, b) && ike_addr_is_any(&a->remote))
		return complain(c, b, "tunnels %s (line %u) and %s expect the same identity but have different pre-shared keys",
				a->name, a->line, b->name);
	if (both_psk(a, b) && !psk_same(a, b))
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses but different pre-shared keys: "
				"main mode chooses the key by address", a->name, a->line, b->name);
	if ((a->n_match || b->n_match) && !ids_same(a, b) && share_method(a, b) && !b->last_wins && tie(a, b, text, sizeof(text)))
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses, and %s means both: make one more "
				"specific, or write on-tie = last-wins", a->name, a->line, b->name, text);
	if (a->encapsulation != b->encapsulation)
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses but different encapsulation: "
				"that is settled before the peer names itself", a->name, a->line, b->name);
	if (!ids_same(a, b))
		return 0;
	if (!ike_profile_same_auth(a, b) && share_method(a, b))
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses and identities, so they share an "
				"ISAKMP SA: auth and trustpoints must be the same", a->name, a->line, b->name);
	/* Else what one tunnel's policy forbids would protect the other's key exchange. */
	if (!p1_proposals_same(a, b))
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses and identities, so they share an "
				"ISAKMP SA: their phase 1 proposals must be the same", a->name, a->line, b->name);
	/* Else the one that wants no login would open the other. */
	if (a->xauth != b->xauth)
		return complain(c, b, "tunnels %s (line %u) and %s have the same addresses and identities, so they share an "
				"ISAKMP SA: xauth must be the same", a->name, a->line, b->name);
	/* The server learns who it is before anything is used. */
	if (a->xauth == IKE_XAUTH_SERVER && strcmp(a->xauth_user, b->xauth_user) != 0)
		return 0;
	for (i = 0; i < a->n_sel; i++)
		if (has_selector(b, &a->sel[i]))
			return complain(c, b, "tunnels %s (line %u) and %s have the same addresses, identities and "
					"networks: nothing tells them apart", a->name, a->line, b->name);
	return 0;
}

int ike_config_check(const struct ike_config *cfg, char *why, size_t size, unsigned int *line)
{
	const struct complaint c = { why, size, line };
	size_t i, j;
	int err;

	if (cfg->n_trustpoints > IKE_MAX_TRUSTPOINTS) {
		const struct ike_tunnel_cfg at = { .line = cfg->trustpoint[IKE_MAX_TRUSTPOINTS].line };

		return complain(&c, &at, "more than %d trustpoints", IKE_MAX_TRUSTPOINTS);
	}
	for (i = 0; i < cfg->n_tunnels; i++) {
		err = check_one(cfg, &cfg->tunnel[i], &c);
		for (j = 0; !err && j < i; j++)
			err = check_pair(&cfg->tunnel[j], &cfg->tunnel[i], &c);
		if (err)
			return err;
	}
	return 0;
}
