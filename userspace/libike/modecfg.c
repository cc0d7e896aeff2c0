// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Mode config. See modecfg.h.
 *
 *	pull    client REQUEST address, netmask, DNS    server REPLY the values
 *	push    server SET address, netmask, DNS        client ACK   what it took
 */
#include "modecfg.h"

#include <string.h>

#include "addr.h"
#include "admission.h"
#include "lease.h"
#include "tunnel.h"

bool ike_modecfg_serves(const struct ike_tunnel *t)
{
	return t->cfg.pool_first.family != 0;
}

/* ---- networks ---------------------------------------------------------------------------- */

static struct ike_net host_or(const struct ike_addr *a, const struct ike_net *net)
{
	struct ike_net host = { .family = 4, .prefix = 32 };

	if (!a->family || net->prefix)
		return *net;
	memcpy(host.ip, a->ip, 4);
	return host;
}

struct ike_selector ike_modecfg_selector(const struct ike_tunnel *t, const struct ike_selector *sel)
{
	return (struct ike_selector){ host_or(&t->given.local, &sel->local), host_or(&t->given.remote, &sel->remote) };
}

void ike_modecfg_forget(struct ike_tunnel *t)
{
	if (!t->given.local.family && !t->given.remote.family)
		return;
	memset(&t->given, 0, sizeof(t->given));
	ike_act_assign(t->e, t->cfg.name, &t->given);
}

static void give(struct ike_ikesa *sa, const struct ike_given *given)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	const struct ike_addr *a = given->local.family ? &given->local : &given->remote;
	char ip[IKE_ADDR_TEXT];

	sa->tunnel->given = *given;
	ike_log(sa->e, IKE_LOG_NOTICE, IKE_EV_ASSIGNED, &ctx, "mode config: %s inner address is %s",
		given->local.family ? "our" : "the peer's", ike_ip_format(a->family, a->ip, ip, sizeof(ip)));
	ike_act_assign(sa->e, sa->tunnel->cfg.name, given);
}

/* ---- server ------------------------------------------------------------------------------ */

/* Who a lease belongs to: the user that logged in, else the peer. */
static void owner(const struct ike_ikesa *sa, struct ike_id *id)
{
	size_t len = strlen(sa->admission.user);

	*id = sa->peer_id;
	if (!len)
		return;
	memset(id, 0, sizeof(*id));
	id->type = IKE_ID_USER_FQDN;
	id->len = (uint8_t)len;
	memcpy(id->data, sa->admission.user, len);
}

static bool lease(struct ike_ikesa *sa, const struct ike_cfg_attr *wanted, struct ike_addr *a)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_id id;

	owner(sa, &id);
	if (ike_lease_get(sa->tunnel, &id, wanted && wanted->len == 4 ? wanted->data : NULL, a))
		return true;
	ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_LIMIT, &ctx, "mode config: no address is left in the pool (line %u)",
			sa->tunnel->cfg.line);
	return false;
}

static void put_address(struct ike_wbuf *w, struct ike_ikesa *sa, const struct ike_cfg_attr *wanted)
{
	struct ike_given given = { 0 };

	if (!lease(sa, wanted, &given.remote))
		return;
	ike_cfgpay_put(w, IKE_CA_ADDRESS, given.remote.ip, 4);
	if (memcmp(&given.remote, &sa->tunnel->given.remote, sizeof(given.remote)) != 0)
		give(sa, &given);
}

static void put_value(struct ike_wbuf *w, struct ike_ikesa *sa, uint16_t type, const struct ike_cfg_attr *wanted)
{
	static const uint8_t host_mask[4] = { 255, 255, 255, 255 };
	unsigned int i;

	if (type == IKE_CA_ADDRESS)
		put_address(w, sa, wanted);
	else if (type == IKE_CA_NETMASK)
		ike_cfgpay_put(w, type, host_mask, sizeof(host_mask));
	for (i = 0; type == IKE_CA_DNS && i < sa->tunnel->cfg.n_dns; i++)
		ike_cfgpay_put(w, type, sa->tunnel->cfg.dns[i].ip, 4);
}

/* What is not known is left out, as the draft wants it. */
static enum ike_verdict answer(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	struct ike_wbuf w;
	unsigned int i;

	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_REPLY, c->id);
	for (i = 0; i < c->n; i++)
		if (ike_cfgpay_find(c, c->a[i].type) == &c->a[i])
			put_value(&w, x->sa, c->a[i].type, &c->a[i]);
	return ike_transaction_reply(x, &w);
}

/* ---- client ------------------------------------------------------------------------------ */

static bool is_host(const uint8_t *ip)
{
	return ip[0] && ip[0] != 127 && ip[0] < 224;
}

/* False when there is no address in it. */
static bool take_values(struct ike_ikesa *sa, const struct ike_cfgpay *c)
{
	struct ike_given given = { 0 };
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		const struct ike_cfg_attr *a = &c->a[i];
		struct ike_addr *to = NULL;

		if (a->tv || a->len != 4)
			continue;
		if (a->type == IKE_CA_ADDRESS && is_host(a->data) && !given.local.family)
			to = &given.local;
		else if (a->type == IKE_CA_DNS && given.n_dns < IKE_DNS_MAX)
			to = &given.dns[given.n_dns++];
		if (!to)
			continue;
		to->family = 4;
		memcpy(to->ip, a->data, 4);
	}
	if (given.local.family)
		give(sa, &given);
	return given.local.family != 0;
}

static enum ike_verdict take_set(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	struct ike_wbuf w;
	unsigned int i;

	x->tr->over = true;
	x->tr->ok = take_values(x->sa, c);
	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_ACK, c->id);
	for (i = 0; i < c->n && x->tr->ok; i++)
		if (c->a[i].type == IKE_CA_ADDRESS || c->a[i].type == IKE_CA_NETMASK || c->a[i].type == IKE_CA_DNS)
			ike_cfgpay_put(&w, c->a[i].type, NULL, 0);
	return ike_transaction_reply(x, &w);
}

/* ---- both -------------------------------------------------------------------------------- */

void ike_modecfg_begin(struct ike_ikesa *sa)
{
	static const uint16_t types[] = { IKE_CA_ADDRESS, IKE_CA_NETMASK, IKE_CA_DNS };
	bool serves = ike_modecfg_serves(sa->tunnel);
	enum ike_cfg_type type = serves ? IKE_CFG_SET : IKE_CFG_REQUEST;
	const struct ike_addr *had = &sa->tunnel->given.local;
	struct ike_wbuf w;
	uint16_t id;
	size_t i;

	ike_random(sa->e, &id, sizeof(id));
	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, type, id);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (serves)
			put_value(&w, sa, types[i], NULL);
		else
			ike_cfgpay_put(&w, types[i], had->ip, types[i] == IKE_CA_ADDRESS && had->family ? 4 : 0);
	}
	if (ike_transaction_start(sa, type, false, &w))
		ike_admission_failed(sa, IKE_EV_INTERNAL, "mode config: out of memory or the crypto library refused");
}

enum ike_verdict ike_modecfg_take_request(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "TR1");
	const struct ike_tunnel *t = x->sa->tunnel;
	bool asks = c->type == IKE_CFG_REQUEST;

	if (x->sa->admission.waits_for == IKE_ADMIT_XAUTH || !t->cfg.modecfg || ike_modecfg_serves(t) != asks) {
		ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, &ctx, "mode config %s: dropped",
				x->sa->admission.waits_for == IKE_ADMIT_XAUTH ? "before XAUTH is through" :
				asks ? "asked of who does not give addresses (address-pool)" :
				"pushed to who does not take addresses (mode-config)");
		return IKE_DROP;
	}
	return asks ? answer(x, c) : take_set(x, c);
}

enum ike_verdict ike_modecfg_take_answer(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	x->tr->over = true;
	x->tr->ok = x->tr->type == IKE_CFG_SET || take_values(x->sa, c);
	return IKE_OK;
}

void ike_modecfg_done(struct ike_ikesa *sa, bool ok)
{
	if (sa->established || sa->admission.waits_for != IKE_ADMIT_MODECFG)
		return;
	if (ok)
		ike_admission_through(sa);
	else
		ike_admission_failed(sa, IKE_EV_AUTH_FAILED, "mode config: the peer gave no inner address");
}

/* ---- configuration ----------------------------------------------------------------------- */

const char *ike_modecfg_cfg_check(const struct ike_tunnel_cfg *cfg)
{
	if (!cfg->modecfg && (cfg->pool_first.family || cfg->n_dns))
		return "address-pool and address-dns need mode-config = pull or push";
	if (cfg->n_dns && !cfg->pool_first.family)
		return "address-dns is what a server gives: address-pool is missing";
	if (cfg->pool_first.family && (cfg->pool_first.family != 4 || cfg->pool_last.family != 4 ||
				       memcmp(cfg->pool_first.ip, cfg->pool_last.ip, 4) > 0))
		return "address-pool is not a range of IPv4 addresses";
	return NULL;
}

bool ike_modecfg_cfg_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	unsigned int i;

	if (a->modecfg != b->modecfg || a->pool_first.family != b->pool_first.family || a->n_dns != b->n_dns ||
	    !ike_addr_equal(&a->pool_first, &b->pool_first) || !ike_addr_equal(&a->pool_last, &b->pool_last))
		return false;
	for (i = 0; i < a->n_dns; i++)
		if (!ike_addr_equal(&a->dns[i], &b->dns[i]))
			return false;
	return true;
}
