// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XAUTH. See xauth.h.
 *
 *	server                                     client
 *	REQUEST  type, user name, password   -->
 *	                                     <--   REPLY  user name, password
 *	SET      status                      -->
 *	                                     <--   ACK
 *
 * Whether name and password will do is not decided here: the caller is asked (IKE_ACT_XAUTH).
 */
#include "xauth.h"

#include <stdio.h>
#include <string.h>

#include "admission.h"
#include "tunnel.h"

static const uint8_t vendor_id[] = { 0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12 };

uint16_t ike_xauth_method(const struct ike_tunnel_cfg *cfg, uint16_t base, bool we_initiate)
{
	bool initiator_is_asked = we_initiate == (cfg->xauth == IKE_XAUTH_CLIENT);

	if (!cfg->xauth)
		return base;
	return (uint16_t)((base == IKE_AUTH_PSK ? IKE_AUTH_XAUTH_PSK : IKE_AUTH_XAUTH_DSS + (base - 2) * 2) +
			  !initiator_is_asked);
}

uint16_t ike_xauth_base(uint64_t method)
{
	/* 1 PSK, 2 DSS, 3 RSA signatures, 4 and 5 RSA encryption: two numbers each, in that order. */
	if (method < IKE_AUTH_XAUTH_PSK || method > IKE_AUTH_XAUTH_LAST)
		return (uint16_t)(method > UINT16_MAX ? UINT16_MAX : method);
	return (uint16_t)((method - IKE_AUTH_XAUTH_PSK) / 2 + 1);
}

void ike_xauth_put_vendor(struct ike_exchange *x, struct ike_msgw *w)
{
	if (x->sa->tunnel->cfg.xauth)
		ike_msgw_payload(w, ISAKMP_NPTYPE_VID, vendor_id, sizeof(vendor_id));
}

/* ---- configuration ----------------------------------------------------------------------- */

const char *ike_xauth_cfg_check(const struct ike_tunnel_cfg *cfg)
{
	if (!cfg->xauth)
		return NULL;
	if (cfg->psk && cfg->policy != IKE_POLICY_INSECURE)
		return "XAUTH with a pre-shared key gives the password to whoever knows the key: policy = insecure is needed";
	if (cfg->xauth == IKE_XAUTH_CLIENT && (!cfg->xauth_user[0] || !cfg->xauth_password_len))
		return "xauth = client needs xauth-user and xauth-password-file";
	if (cfg->xauth_password_len > IKE_XAUTH_MAX)
		return "the XAUTH password is too long";
	return NULL;
}

bool ike_xauth_cfg_same(const struct ike_tunnel_cfg *a, const struct ike_tunnel_cfg *b)
{
	return a->xauth == b->xauth && !strcmp(a->xauth_user, b->xauth_user) &&
	       a->xauth_password_len == b->xauth_password_len &&
	       (!a->xauth_password_len || ike_crypto_equal(a->xauth_password, b->xauth_password, a->xauth_password_len));
}

/* ---- server ------------------------------------------------------------------------------ */

static uint16_t new_id(struct ike_ikesa *sa)
{
	uint16_t id;

	ike_random(sa->e, &id, sizeof(id));
	return id;
}

static void begin(struct ike_ikesa *sa, enum ike_cfg_type type, struct ike_wbuf *body)
{
	if (ike_transaction_start(sa, type, true, body))
		ike_admission_failed(sa, IKE_EV_INTERNAL, "XAUTH: out of memory or the crypto library refused");
}

void ike_xauth_ask(struct ike_ikesa *sa)
{
	struct ike_wbuf w;

	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_REQUEST, new_id(sa));
	ike_cfgpay_put_value(&w, IKE_XA_TYPE, IKE_XA_GENERIC);
	ike_cfgpay_put(&w, IKE_XA_USER, NULL, 0);
	ike_cfgpay_put(&w, IKE_XA_PASSWORD, NULL, 0);
	begin(sa, IKE_CFG_REQUEST, &w);
}

static void tell(struct ike_ikesa *sa, bool ok)
{
	struct ike_wbuf w;

	sa->admission.refused = !ok;
	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_SET, new_id(sa));
	ike_cfgpay_put_value(&w, IKE_XA_STATUS, ok);
	begin(sa, IKE_CFG_SET, &w);
}

/* Without the NULs that some clients add. */
static size_t text_len(const struct ike_cfg_attr *a)
{
	size_t len = a ? a->len : 0;

	while (len && !a->data[len - 1])
		len--;
	return len;
}

/* A name that can be compared and shown as it is. */
static bool keep_user(struct ike_ikesa *sa, const uint8_t *user, size_t len)
{
	size_t i;

	if (!len || len > IKE_XAUTH_MAX)
		return false;
	for (i = 0; i < len; i++)
		if (user[i] < ' ' || user[i] > '~')
			return false;
	memcpy(sa->admission.user, user, len);
	sa->admission.user[len] = '\0';
	return true;
}

/* Of tunnels that differ in the user alone, the one of this user; else one for any user; NULL. */
static struct ike_tunnel *tunnel_of_user(const struct ike_ikesa *sa, const char *user)
{
	struct ike_tunnel *t, *any = NULL;
	const struct ike_tunnel_cfg *cfg = &sa->tunnel->cfg;

	for (t = sa->e->tunnels; t; t = t->next) {
		if (t->cfg.xauth != IKE_XAUTH_SERVER || !ike_tunnel_same_ends(&t->cfg, cfg))
			continue;
		if (!strcmp(t->cfg.xauth_user, user))
			return t;
		if (!t->cfg.xauth_user[0] && !any)
			any = t;
	}
	return any;
}

static enum ike_verdict take_login(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	const struct ike_cfg_attr *user = ike_cfgpay_find(c, IKE_XA_USER), *password = ike_cfgpay_find(c, IKE_XA_PASSWORD);
	struct ike_logctx ctx = ike_exchange_ctx(x, "TR2");
	struct ike_login login = { .user_len = text_len(user), .password_len = text_len(password) };
	struct ike_ikesa *sa = x->sa;
	const struct ike_tunnel *t;

	if (login.user_len && login.password_len && login.password_len <= IKE_XAUTH_MAX &&
	    keep_user(sa, user->data, login.user_len)) {
		login.user = user->data;
		login.password = password->data;
		sa->admission.asked = ++sa->e->last_request;
		ike_log_limited(sa->e, IKE_LOG_INFO, IKE_EV_XAUTH, &ctx, "user %s asks to be let in", sa->admission.user);
		t = tunnel_of_user(sa, sa->admission.user);	/* each may have a file of its own */
		if (ike_act_xauth(sa->e, sa->admission.asked, (t ? t : sa->tunnel)->cfg.name, &login))
			return IKE_OK;
		sa->admission.asked = 0;
		return IKE_DROP;
	}
	ike_log_limited(sa->e, IKE_LOG_WARNING, IKE_EV_XAUTH, &ctx, "no user name and password that could be right in the answer");
	x->tr->over = true;	/* told in ike_xauth_done() */
	return IKE_OK;
}

static void answered(struct ike_ikesa *sa, bool ok)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, "TR2");
	struct ike_tunnel *t = ok ? tunnel_of_user(sa, sa->admission.user) : NULL;

	sa->admission.asked = 0;
	if (t)
		sa->tunnel = t;
	ctx.tunnel = sa->tunnel->cfg.name;
	ike_log_limited(sa->e, t ? IKE_LOG_NOTICE : IKE_LOG_WARNING, t ? IKE_EV_XAUTH : IKE_EV_XAUTH_FAILED, &ctx,
			"user %s %s", sa->admission.user, t ? "logged in" : ok ? "has no tunnel here" : "refused: name or password is wrong");
	tell(sa, t != NULL);
}

void ike_xauth_answer(struct ike_engine *e, uint64_t id, bool ok, ike_time now)
{
	struct ike_ikesa *sa;

	ike_engine_enter(e, now);
	for (sa = e->ikesas; sa && (sa->admission.asked != id || !id); sa = sa->next)
		;
	if (sa)
		answered(sa, ok);
	ike_engine_leave(e);
}

enum ike_verdict ike_xauth_take_answer(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	if (x->tr->type == IKE_CFG_REQUEST)
		return take_login(x, c);
	x->tr->over = true;
	x->tr->ok = !x->sa->admission.refused;
	return IKE_OK;
}

/* ---- client ------------------------------------------------------------------------------ */

/* What is asked for, in the order of the request. */
static void put_answers(struct ike_wbuf *w, const struct ike_tunnel_cfg *cfg, const struct ike_cfgpay *c)
{
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		if (c->a[i].type == IKE_XA_TYPE)
			ike_cfgpay_put_value(w, IKE_XA_TYPE, IKE_XA_GENERIC);
		else if (c->a[i].type == IKE_XA_USER)
			ike_cfgpay_put(w, IKE_XA_USER, cfg->xauth_user, strlen(cfg->xauth_user));
		else if (c->a[i].type == IKE_XA_PASSWORD || c->a[i].type == IKE_XA_PASSCODE)
			ike_cfgpay_put(w, c->a[i].type, cfg->xauth_password, cfg->xauth_password_len);
	}
}

static uint64_t value_of(const struct ike_cfg_attr *a)
{
	uint64_t v = 0;
	size_t i;

	if (a->tv)
		return a->value;
	for (i = 0; i < a->len && i < 8; i++)
		v = v << 8 | a->data[i];
	return v;
}

static void note_message(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	const struct ike_cfg_attr *a = ike_cfgpay_find(c, IKE_XA_MESSAGE);
	struct ike_logctx ctx = ike_exchange_ctx(x, "TR1");
	char text[300];

	if (a && a->len)
		ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_XAUTH, &ctx, "the server says: %s",
				ike_escape(a->data, a->len, text, sizeof(text)));
}

static enum ike_verdict take_question(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	const struct ike_cfg_attr *type = ike_cfgpay_find(c, IKE_XA_TYPE);
	bool can = !type || value_of(type) == IKE_XA_GENERIC;
	struct ike_logctx ctx = ike_exchange_ctx(x, "TR1");
	struct ike_wbuf w;

	note_message(x, c);
	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_REPLY, c->id);
	if (can) {
		put_answers(&w, &x->sa->tunnel->cfg, c);
	} else {
		ike_cfgpay_put_value(&w, IKE_XA_STATUS, 0);
		ike_log_limited(x->sa->e, IKE_LOG_WARNING, IKE_EV_XAUTH_FAILED, &ctx,
				"the server wants XAUTH of type %u, only name and password are spoken here",
				(unsigned int)value_of(type));
	}
	return ike_transaction_reply(x, &w);
}

static enum ike_verdict take_status(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	const struct ike_cfg_attr *status = ike_cfgpay_find(c, IKE_XA_STATUS);
	struct ike_wbuf w;

	note_message(x, c);
	x->tr->over = status != NULL;
	x->tr->ok = status && value_of(status) == 1;
	ike_wbuf_init(&w);
	ike_cfgpay_begin(&w, IKE_CFG_ACK, c->id);
	if (status)
		ike_cfgpay_put(&w, IKE_XA_STATUS, NULL, 0);
	return ike_transaction_reply(x, &w);
}

enum ike_verdict ike_xauth_take_request(struct ike_exchange *x, const struct ike_cfgpay *c)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "TR1");

	if (x->sa->tunnel->cfg.xauth != IKE_XAUTH_CLIENT || x->sa->admission.waits_for != IKE_ADMIT_XAUTH) {
		ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, &ctx, "XAUTH is %s: dropped",
				x->sa->tunnel->cfg.xauth == IKE_XAUTH_CLIENT ? "over" : "not configured here (xauth = client)");
		return IKE_DROP;
	}
	return c->type == IKE_CFG_REQUEST ? take_question(x, c) : take_status(x, c);
}

/* ---- the end ----------------------------------------------------------------------------- */

void ike_xauth_done(struct ike_ikesa *sa, bool ok)
{
	bool client = sa->tunnel->cfg.xauth == IKE_XAUTH_CLIENT;
	char text[120 + IKE_XAUTH_MAX];

	if (sa->admission.waits_for != IKE_ADMIT_XAUTH)
		return;
	if (ok) {
		sa->e->cnt.xauth_ok++;
		ike_admission_logged_in(sa);
		return;
	}
	if (!client && !sa->admission.refused) {
		tell(sa, false);	/* there was nothing to ask anybody about */
		return;
	}
	sa->e->cnt.xauth_failed++;
	snprintf(text, sizeof(text), "XAUTH: %s %s", client ? "the server refused user" : "refused user",
		 client ? sa->tunnel->cfg.xauth_user : sa->admission.user);
	ike_admission_failed(sa, IKE_EV_XAUTH_FAILED, text);
}
