// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Applying a configuration: what is new begins, what changed is replaced, what is gone is
 * deleted, what is the same is not touched. All that can fail is done before the first
 * change. See config.h for configurations as values.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "dpd.h"
#include "modecfg.h"
#include "quick_mode.h"
#include "tunnel.h"

/* Tunnels begin one after the other: a thousand at once would drown in their own DH. */
#define START_SPACING (20 * (IKE_SECOND / 1000))

static void warn_weak(const struct ike_tunnel *t)
{
	const char *weak;
	char text[80];
	unsigned int i;

	if (t->cfg.aggressive_psk)
		ike_tunnel_log(t, IKE_LOG_WARNING, IKE_EV_WEAK, "aggressive-psk = insecure-yes: whoever sends the peer's "
			       "identity gets a hash of the pre-shared key to try keys against (line %u)", t->cfg.line);
	for (i = 0; i < t->cfg.n_p1; i++) {
		weak = ike_p1_weakness(&t->cfg.p1[i]);
		if (weak)
			ike_tunnel_log(t, IKE_LOG_WARNING, IKE_EV_WEAK, "phase 1 allows %s: %s is weak (line %u)",
				       ike_p1_format(&t->cfg.p1[i], text, sizeof(text)), weak, t->cfg.line);
	}
	for (i = 0; i < t->cfg.n_p2; i++) {
		weak = ike_p2_weakness(&t->cfg.p2[i]);
		if (weak)
			ike_tunnel_log(t, IKE_LOG_WARNING, IKE_EV_WEAK, "phase 2 allows %s: %s is weak (line %u)",
				       ike_p2_format(&t->cfg.p2[i], text, sizeof(text)), weak, t->cfg.line);
	}
}

/* A tunnel's configuration changed: old SAs go on until replaced. */
static void change(struct ike_tunnel *t, struct ike_tunnel_cfg *cfg)
{
	enum ike_cfg_change what = ike_tunnel_cfg_compare(&t->cfg, cfg);
	struct ike_ikesa *sa, *next;
	struct ike_tunnel_cfg old = t->cfg;

	t->cfg = *cfg;
	memset(cfg, 0, sizeof(*cfg));
	if (what == IKE_CFG_P1)
		t->way.remote.family = 0;	/* that was another peer, or is to be one */
	ike_flows_change(t, &old);
	for (sa = t->e->ikesas; sa && what == IKE_CFG_P1; sa = next) {
		next = sa->next;
		if (sa->tunnel != t)
			continue;
		if (sa->established)
			ike_ikesa_retire(sa, 60 * IKE_SECOND);
		else
			ike_ikesa_kill(sa, false, "the configuration changed");
	}
	if (what == IKE_CFG_P1 || what == IKE_CFG_P2) {
		ike_quick_abandon(t);
		if (ike_tunnel_turn(t, true) != IKE_TURN_LAST)
			ike_flows_replace(t);
		ike_flows_hurry(t);
		t->failures = 0;
		t->refused_certs = 0;
		t->not_before = 0;
	}
	if (!t->cfg.modecfg)
		ike_modecfg_forget(t);
	if (what != IKE_CFG_SAME)
		ike_tunnel_log(t, IKE_LOG_INFO, IKE_EV_CONFIG, "configuration changed: %s",
			       what == IKE_CFG_P1 ? "everything is negotiated anew" :
			       what == IKE_CFG_P2 ? "IPsec SAs are negotiated anew" :
			       what == IKE_CFG_SELECTORS ? "SAs of selectors that stayed go on" : "SAs stay as they are");
	if (what == IKE_CFG_P1 || what == IKE_CFG_P2 || t->cfg.aggressive_psk != old.aggressive_psk)
		warn_weak(t);
	if (what == IKE_CFG_SELECTORS)
		ike_quick_unwanted(t);
	ike_tunnel_retire_outcasts(t, true);
	sa = ike_tunnel_sa(t);
	if (sa && sa->tunnel == t && t->cfg.dpd != old.dpd)
		ike_dpd_start(sa);
	ike_tunnel_cfg_clear(&old);
}

static bool configured(const struct ike_config *cfg, const char *name)
{
	size_t i;

	for (i = 0; i < cfg->n_tunnels; i++)
		if (!strcmp(cfg->tunnel[i].name, name))
			return true;
	return false;
}

/* Everything that can fail: copies, and objects for tunnels that are new. */
static int prepare(struct ike_engine *e, const struct ike_config *cfg, struct ike_config *copy,
		   struct ike_tunnel **fresh)
{
	size_t i;
	int err;

	for (i = 0; i < cfg->n_tunnels; i++) {
		err = ike_tunnel_cfg_copy(&copy->tunnel[i], &cfg->tunnel[i]);
		if (err)
			return err;
		copy->n_tunnels++;
		if (ike_tunnel_by_name(e, cfg->tunnel[i].name))
			continue;
		fresh[i] = ike_tunnel_new(e, &copy->tunnel[i]);
		if (!fresh[i])
			return -IKE_E_NOMEM;
	}
	return 0;
}

static struct ike_tunnel *take_out(struct ike_engine *e, const char *name)
{
	struct ike_tunnel **p, *t;

	for (p = &e->tunnels; strcmp((*p)->cfg.name, name); p = &(*p)->next)
		;
	t = *p;
	*p = t->next;
	return t;
}

/* Nothing fails here. 'copy' and 'fresh' give away what is in them. */
static void apply(struct ike_engine *e, const struct ike_config *cfg, struct ike_config *copy,
		  struct ike_tunnel **fresh)
{
	struct ike_tunnel *list = NULL, **tail = &list, *t, *next;
	size_t i;

	for (t = e->tunnels; t; t = next) {
		next = t->next;
		if (!configured(cfg, t->cfg.name))
			ike_tunnel_kill(t, true, "not configured any more");
	}
	for (i = 0; i < cfg->n_tunnels; i++) {
		t = fresh[i];
		if (!t)
			t = take_out(e, cfg->tunnel[i].name);
		*tail = t;
		tail = &t->next;
		t->next = NULL;
	}
	e->tunnels = list;
	for (t = e->tunnels, i = 0; t; t = t->next, i++) {
		if (!fresh[i])
			change(t, &copy->tunnel[i]);
		else
			warn_weak(t);
		fresh[i] = NULL;
		ike_tunnel_kick(t, (ike_time)i * START_SPACING);
	}
}

/*
 * Certificates count from the next authentication on: SAs that exist are not disturbed. copy
 * gets the old ones, to be given up with it.
 */
static void replace_trustpoints(struct ike_engine *e, struct ike_config *copy)
{
	struct ike_trustpoint *old = e->trustpoint;
	size_t n = e->n_trustpoints;

	if (!ike_trustpoints_equal(old, n, copy->trustpoint, copy->n_trustpoints))
		e->trust_generation++;
	e->trustpoint = copy->trustpoint;
	e->n_trustpoints = copy->n_trustpoints;
	copy->trustpoint = old;
	copy->n_trustpoints = n;
}

int ike_configure(struct ike_engine *e, const struct ike_config *cfg, ike_time now)
{
	struct ike_tunnel **fresh;
	struct ike_config copy;
	size_t i;
	int err;

	err = ike_config_check(cfg, NULL, 0, NULL);
	if (err)
		return err;
	ike_engine_enter(e, now);
	memset(&copy, 0, sizeof(copy));
	copy.tunnel = calloc(cfg->n_tunnels ? cfg->n_tunnels : 1, sizeof(*copy.tunnel));
	fresh = calloc(cfg->n_tunnels ? cfg->n_tunnels : 1, sizeof(*fresh));
	err = copy.tunnel && fresh ? prepare(e, cfg, &copy, fresh) : -IKE_E_NOMEM;
	if (!err)
		err = ike_trustpoints_copy(&copy.trustpoint, cfg->trustpoint, cfg->n_trustpoints);
	if (!err) {
		copy.n_trustpoints = cfg->n_trustpoints;
		replace_trustpoints(e, &copy);
		apply(e, cfg, &copy, fresh);
	}
	for (i = 0; fresh && i < cfg->n_tunnels; i++)
		if (fresh[i])
			ike_tunnel_kill(fresh[i], false, "out of memory");
	if (copy.tunnel)
		ike_config_clear(&copy);
	free(fresh);
	ike_engine_leave(e);
	return err;
}
