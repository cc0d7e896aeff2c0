// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offers, choices and why there is none. See proposal.h.
 */
#include "proposal.h"

#include "keymat.h"
#include "names.h"
#include "xauth.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * A transform's lifetimes, from (type, duration) pairs in either order. A duration of 0 is
 * what some peers send when they set no limit themselves; it counts as not given.
 */
struct lifetimes {
	bool has_type, has_duration;	/* half a pair, waiting for the other */
	uint64_t type, duration;
	uint64_t seconds, kilobytes;	/* 0: not given */
	bool bad;
};

static void life_pair(struct lifetimes *l)
{
	if (!l->has_type || !l->has_duration)
		return;
	if (l->type == IKE_LIFE_SECONDS)
		l->seconds = l->duration;
	else if (l->type == IKE_LIFE_KILOBYTES)
		l->kilobytes = l->duration;
	else
		l->bad = true;
	l->has_type = false;
	l->has_duration = false;
}

static void life_type(struct lifetimes *l, uint64_t v)
{
	l->bad |= l->has_type;
	l->has_type = true;
	l->type = v;
	life_pair(l);
}

static void life_duration(struct lifetimes *l, uint64_t v)
{
	l->bad |= l->has_duration;
	l->has_duration = true;
	l->duration = v;
	life_pair(l);
}

static uint32_t shorter(uint64_t offered, uint32_t ours)
{
	return offered < ours ? (uint32_t)offered : ours;
}

/* What a transform says, and why it cannot be taken (NULL: it can, if configured). */
struct view {
	struct ike_p1_proposal p1;
	struct ike_p2_proposal p2;
	struct lifetimes life;
	uint64_t auth, encap;
	uint32_t seen;			/* attributes, to refuse repeated ones */
	bool udp;
	const char *why;
	uint16_t unknown;		/* the attribute not understood */
};

/* True the first time this attribute type comes. */
static bool once(struct view *v, uint16_t type)
{
	bool first = !(v->seen & 1u << type);

	v->seen |= 1u << type;
	if (!first)
		v->why = "an attribute twice";
	return first;
}

static void view_attr_p1(struct view *v, const struct ike_attr *a)
{
	uint16_t value = a->value > UINT16_MAX ? UINT16_MAX : (uint16_t)a->value;

	switch (a->type) {
	case IKE_P1A_LIFE_TYPE:
		life_type(&v->life, a->value);
		return;
	case IKE_P1A_LIFE_DURATION:
		life_duration(&v->life, a->value);
		return;
	case IKE_P1A_ENCRYPTION:
		v->p1.encr = value;
		break;
	case IKE_P1A_HASH:
		v->p1.hash = value;
		break;
	case IKE_P1A_AUTH:
		v->auth = value;
		break;
	case IKE_P1A_GROUP:
		v->p1.group = value;
		break;
	case IKE_P1A_KEY_LENGTH:
		v->p1.key_bits = value;
		break;
	default:
		v->why = "an unknown attribute";
		v->unknown = a->type;
		return;
	}
	once(v, a->type);
}

static void view_attr_p2(struct view *v, const struct ike_attr *a)
{
	uint16_t value = a->value > UINT16_MAX ? UINT16_MAX : (uint16_t)a->value;

	switch (a->type) {
	case IKE_P2A_LIFE_TYPE:
		life_type(&v->life, a->value);
		return;
	case IKE_P2A_LIFE_DURATION:
		life_duration(&v->life, a->value);
		return;
	case IKE_P2A_GROUP:
		v->p2.group = value;
		break;
	case IKE_P2A_ENCAP_MODE:
		v->encap = value;
		break;
	case IKE_P2A_AUTH:
		v->p2.auth = value;
		break;
	case IKE_P2A_KEY_LENGTH:
		v->p2.key_bits = value;
		break;
	case IKE_P2A_ESN:
		v->p2.esn = value == IKE_ESN_64;
		break;
	default:
		v->why = "an unknown attribute";
		v->unknown = a->type;
		return;
	}
	once(v, a->type);
}

static void view_life(struct view *v)
{
	if (v->life.bad || v->life.has_type || v->life.has_duration)
		v->why = "a lifetime that makes no sense";
	else if (v->life.seconds && v->life.seconds < IKE_LIFE_MIN)
		v->why = "a lifetime below 10 s";
}

static void view_p1(const struct ike_transform *t, struct view *v)
{
	unsigned int i;

	memset(v, 0, sizeof(*v));
	for (i = 0; i < t->n_attrs; i++)
		view_attr_p1(v, &t->attr[i]);
	view_life(v);
	if (t->unusable)
		v->why = "too many or too long attributes";
	else if (t->id != IKE_TRANSFORM_KEY_IKE)
		v->why = "a transform ID that is not KEY_IKE";
	/* Some peers leave out the key length and mean 128. */
	if (v->p1.encr == IKE_ENCR_AES && !v->p1.key_bits)
		v->p1.key_bits = 128;
}

static void view_p2(const struct ike_transform *t, struct view *v)
{
	unsigned int i;

	memset(v, 0, sizeof(*v));
	v->encap = IKE_ENCAP_TUNNEL;
	v->p2.transform = t->id;
	for (i = 0; i < t->n_attrs; i++)
		view_attr_p2(v, &t->attr[i]);
	/* Either number, whichever version was agreed: peers mix them up. */
	v->udp = v->encap == IKE_ENCAP_UDP_TUNNEL || v->encap == IKE_ENCAP_UDP_TUNNEL_DRAFT;
	view_life(v);
	if (t->unusable)
		v->why = "too many or too long attributes";
	else if (!v->why && v->encap != IKE_ENCAP_TUNNEL && !v->udp)
		v->why = "not tunnel mode";
	else if (!v->why && ike_esp_combined(t->id) && v->p2.auth)
		v->why = "a combined-mode cipher with a hash";
	else if (!v->why && v->p2.auth >= IKE_ESPAUTH_PRIVATE)
		v->why = "a hash of private use";
	if (ike_esp_is_aes(t->id) && !v->p2.key_bits)
		v->p2.key_bits = 128;
}

static bool p1_equal(const struct ike_p1_proposal *a, const struct ike_p1_proposal *b)
{
	return a->encr == b->encr && a->key_bits == b->key_bits && a->hash == b->hash &&
	       a->group == b->group;
}

/* The ICV's length is no part of what is offered. */
static uint16_t wire_auth(uint16_t auth)
{
	return auth == IKE_ESPAUTH_SHA256_96 ? IKE_ESPAUTH_SHA256 : auth;
}

bool ike_p2_looks_same(const struct ike_p2_proposal *a, const struct ike_p2_proposal *b)
{
	return a->transform == b->transform && a->key_bits == b->key_bits &&
	       wire_auth(a->auth) == wire_auth(b->auth) && a->group == b->group && a->esn == b->esn;
}

static bool p1_configured(const struct ike_tunnel_cfg *cfg, const struct ike_p1_proposal *p)
{
	unsigned int i;

	for (i = 0; i < cfg->n_p1; i++)
		if (p1_equal(&cfg->p1[i], p))
			return true;
	return false;
}

/* What the offered transform means here; NULL: not configured. */
static const struct ike_p2_proposal *p2_configured(const struct ike_tunnel_cfg *cfg,
						   const struct ike_p2_proposal *p)
{
	unsigned int i;

	for (i = 0; i < cfg->n_p2; i++)
		if (ike_p2_looks_same(&cfg->p2[i], p))
			return &cfg->p2[i];
	return NULL;
}

/* Proposals with the same number are one bundle (ESP and AH, say), which we do not do. */
static bool is_bundle(const struct ike_sapay *sa, const struct ike_proposal *p)
{
	unsigned int i, same = 0;

	for (i = 0; i < sa->n_proposals; i++)
		same += sa->p[i].number == p->number;
	return same > 1;
}

bool ike_auth_configured(const struct ike_tunnel_cfg *cfg, uint64_t method)
{
	unsigned int i;

	for (i = 0; i < cfg->n_auth; i++)
		if (cfg->auth[i] == method)
			return true;
	return !cfg->n_auth && method == IKE_AUTH_PSK;
}

static void offer_transform_p1(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg,
			       const struct ike_p1_proposal *p, uint16_t auth)
{
	struct ike_transform *t = ike_sapay_add_transform(sa, IKE_TRANSFORM_KEY_IKE);

	ike_transform_add(t, IKE_P1A_ENCRYPTION, p->encr);
	if (p->key_bits)
		ike_transform_add(t, IKE_P1A_KEY_LENGTH, p->key_bits);
	ike_transform_add(t, IKE_P1A_HASH, p->hash);
	ike_transform_add(t, IKE_P1A_AUTH, auth);
	ike_transform_add(t, IKE_P1A_GROUP, p->group);
	ike_transform_add(t, IKE_P1A_LIFE_TYPE, IKE_LIFE_SECONDS);
	ike_transform_add(t, IKE_P1A_LIFE_DURATION, cfg->p1_life);
}

void ike_offer_p1(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg)
{
	unsigned int i, j;

	ike_sapay_init(sa);
	ike_sapay_add_proposal(sa, IKE_PROTO_ISAKMP, NULL, 0);
	for (j = 0; j < cfg->n_auth || !j; j++)
		for (i = 0; i < cfg->n_p1; i++)
			offer_transform_p1(sa, cfg, &cfg->p1[i], 
					   ike_xauth_method(cfg, cfg->n_auth ? cfg->auth[j] : IKE_AUTH_PSK, true));
}

void ike_offer_keep_group(struct ike_sapay *sa, uint16_t group)
{
	struct ike_proposal *p = &sa->p[0];
	uint8_t i, n = 0;
	struct view v;

	for (i = 0; i < p->n; i++) {
		view_p1(&sa->t[p->first + i], &v);
		if (v.p1.group == group)
			sa->t[p->first + n++] = sa->t[p->first + i];
	}
	sa->n_transforms = (uint8_t)(p->first + n);
	p->n = n;
}

static void offer_transform_p2(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg,
			       const struct ike_p2_proposal *p, uint16_t encap_mode)
{
	struct ike_transform *t = ike_sapay_add_transform(sa, p->transform);

	if (p->key_bits)
		ike_transform_add(t, IKE_P2A_KEY_LENGTH, p->key_bits);
	if (p->auth)
		ike_transform_add(t, IKE_P2A_AUTH, wire_auth(p->auth));
	ike_transform_add(t, IKE_P2A_ENCAP_MODE, encap_mode);
	if (p->group)
		ike_transform_add(t, IKE_P2A_GROUP, p->group);
	if (p->esn)
		ike_transform_add(t, IKE_P2A_ESN, IKE_ESN_64);
	ike_transform_add(t, IKE_P2A_LIFE_TYPE, IKE_LIFE_SECONDS);
	ike_transform_add(t, IKE_P2A_LIFE_DURATION, cfg->p2_life);
	if (cfg->p2_life_kb) {
		ike_transform_add(t, IKE_P2A_LIFE_TYPE, IKE_LIFE_KILOBYTES);
		ike_transform_add(t, IKE_P2A_LIFE_DURATION, cfg->p2_life_kb);
	}
}

void ike_offer_p2(struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, uint32_t spi, uint16_t group,
		  uint16_t encap_mode)
{
	uint8_t wire_spi[4];
	unsigned int i;

	ike_store32(wire_spi, spi);
	ike_sapay_init(sa);
	ike_sapay_add_proposal(sa, IKE_PROTO_ESP, wire_spi, sizeof(wire_spi));
	for (i = 0; i < cfg->n_p2; i++)
		if (cfg->p2[i].group == group)
			offer_transform_p2(sa, cfg, &cfg->p2[i], encap_mode);
}

static uint64_t offered_seconds(const struct view *v)
{
	return v->life.seconds ? v->life.seconds : IKE_LIFE_DEFAULT;
}

bool ike_transform_life(const struct ike_transform *t, uint64_t *seconds, uint64_t *kilobytes)
{
	struct lifetimes l = { .bad = t->unusable };
	unsigned int i;

	for (i = 0; i < t->n_attrs; i++) {
		const struct ike_attr *a = &t->attr[i];

		if (a->type == IKE_P1A_LIFE_TYPE || a->type == IKE_P2A_LIFE_TYPE)
			life_type(&l, a->value);
		else if (a->type == IKE_P1A_LIFE_DURATION || a->type == IKE_P2A_LIFE_DURATION)
			life_duration(&l, a->value);
	}
	*seconds = l.seconds;
	*kilobytes = l.kilobytes;
	return !l.bad && !l.has_type && !l.has_duration;
}

static bool take_p1(const struct ike_transform *t, const struct ike_tunnel_cfg *cfg, bool ours,
		    struct ike_p1_choice *c)
{
	struct view v;

	view_p1(t, &v);
	if (v.why || !p1_configured(cfg, &v.p1) || !ike_auth_configured(cfg, ike_xauth_base(v.auth)) ||
	    v.auth != ike_xauth_method(cfg, ike_xauth_base(v.auth), ours))
		return false;
	c->alg = v.p1;
	c->auth = ike_xauth_base(v.auth);
	c->life = shorter(offered_seconds(&v), cfg->p1_life);
	c->lowered = c->life < offered_seconds(&v);
	return true;
}

bool ike_choose_p1(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg,
		   struct ike_sapay *answer, struct ike_p1_choice *c)
{
	unsigned int i, j;

	for (i = 0; i < sa->n_proposals; i++) {
		const struct ike_proposal *p = &sa->p[i];

		if (p->proto != IKE_PROTO_ISAKMP || is_bundle(sa, p))
			continue;
		for (j = 0; j < p->n; j++) {
			if (!take_p1(&sa->t[p->first + j], cfg, !answer, c))
				continue;
			if (answer)
				ike_sapay_choose(answer, sa, p, &sa->t[p->first + j]);
			return true;
		}
	}
	return false;
}

static bool take_p2(const struct ike_transform *t, const struct ike_tunnel_cfg *cfg, uint16_t group, bool udp,
		    struct ike_p2_choice *c)
{
	const struct ike_p2_proposal *ours;
	struct view v;

	view_p2(t, &v);
	ours = v.why ? NULL : p2_configured(cfg, &v.p2);
	if (!ours || v.udp != udp)
		return false;
	if (group == IKE_GROUP_ANY ? !v.p2.group : v.p2.group != group)
		return false;
	c->alg = *ours;
	c->life = shorter(offered_seconds(&v), cfg->p2_life);
	if (v.life.kilobytes && cfg->p2_life_kb)
		c->life_kb = shorter(v.life.kilobytes, cfg->p2_life_kb);
	else
		c->life_kb = cfg->p2_life_kb ? cfg->p2_life_kb : shorter(v.life.kilobytes, UINT32_MAX);
	c->lowered = c->life < offered_seconds(&v) || (c->life_kb && c->life_kb != v.life.kilobytes);
	return true;
}

bool ike_choose_p2(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, uint16_t group, bool udp,
		   struct ike_sapay *answer, struct ike_p2_choice *c)
{
	unsigned int i, j;

	for (i = 0; i < sa->n_proposals; i++) {
		const struct ike_proposal *p = &sa->p[i];

		if (p->proto != IKE_PROTO_ESP || p->spi_len != 4 || is_bundle(sa, p) ||
		    ike_load32(p->spi) < IKE_SPI_MIN)
			continue;
		for (j = 0; j < p->n; j++) {
			if (!take_p2(&sa->t[p->first + j], cfg, group, udp, c))
				continue;
			c->spi = ike_load32(p->spi);
			if (answer)
				ike_sapay_choose(answer, sa, p, &sa->t[p->first + j]);
			return true;
		}
	}
	return false;
}

/* Append to a text that may be full; what does not fit is cut. */
__attribute__((format(printf, 3, 4)))
static void add(char *buf, size_t size, const char *fmt, ...)
{
	size_t n = strlen(buf);
	va_list ap;

	if (n + 1 >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + n, size - n, fmt, ap);
	va_end(ap);
}

/* cfg: of the tunnel, for what is a matter of phase 1. */
static void explain_transform(const struct ike_proposal *p, const struct ike_transform *t,
			      const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	struct view v;
	char text[80];

	if (p->proto == IKE_PROTO_ISAKMP) {
		view_p1(t, &v);
		ike_p1_format(&v.p1, text, sizeof(text));
		if (v.auth >= IKE_AUTH_XAUTH_PSK && v.auth <= IKE_AUTH_XAUTH_LAST)
			add(buf, size, "%s", v.auth % 2 ? "with XAUTH of the initiator: " : "with XAUTH of the responder: ");
	} else if (p->proto == IKE_PROTO_ESP) {
		view_p2(t, &v);
		ike_p2_format(&v.p2, text, sizeof(text));
	} else {
		add(buf, size, "protocol %u transform %u", p->proto, t->id);
		return;
	}
	add(buf, size, "%s%s", text, v.udp ? " in UDP" : "");
	if (v.unknown)
		add(buf, size, " [%s: %u]", v.why, v.unknown);
	else if (v.why)
		add(buf, size, " [%s]", v.why);
	else if (p->proto == IKE_PROTO_ISAKMP && !ike_auth_configured(cfg, ike_xauth_base(v.auth)))
		add(buf, size, " [authentication %s (%llu)]", ike_name_auth((unsigned int)v.auth),
		    (unsigned long long)v.auth);
}

static void explain_auth(const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	unsigned int i;

	for (i = 0; i < cfg->n_auth; i++)
		add(buf, size, "%s%s", i ? ", " : " with authentication ", ike_name_auth(cfg->auth[i]));
}

static void explain_offer(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	unsigned int i, j, n = 0;

	add(buf, size, "offered ");
	for (i = 0; i < sa->n_proposals; i++) {
		if (is_bundle(sa, &sa->p[i]))
			add(buf, size, "%s(part of a bundle) ", n ? ", " : "");
		for (j = 0; j < sa->p[i].n; j++) {
			if (n++)
				add(buf, size, ", ");
			explain_transform(&sa->p[i], &sa->t[sa->p[i].first + j], cfg, buf, size);
		}
	}
}

void ike_p1_explain(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, char *buf, size_t size)
{
	char text[80];
	unsigned int i;

	buf[0] = '\0';
	/* Half for each: a long offer must not hide what is configured. */
	explain_offer(sa, cfg, buf, size / 2);
	add(buf, size, "; configured ");
	for (i = 0; i < cfg->n_p1; i++)
		add(buf, size, "%s%s%s", i ? ", " : "", cfg->xauth ? "with XAUTH: " : "",
		    ike_p1_format(&cfg->p1[i], text, sizeof(text)));
	explain_auth(cfg, buf, size);
	add(buf, size, " (line %u)", cfg->line);
}

void ike_p2_explain(const struct ike_sapay *sa, const struct ike_tunnel_cfg *cfg, bool udp, char *buf, size_t size)
{
	char text[80];
	unsigned int i;

	buf[0] = '\0';
	explain_offer(sa, cfg, buf, size / 2);
	add(buf, size, "; configured ");
	for (i = 0; i < cfg->n_p2; i++)
		add(buf, size, "%s%s", i ? ", " : "", ike_p2_format(&cfg->p2[i], text, sizeof(text)));
	add(buf, size, "%s (line %u)", udp ? ", all in UDP because of a NAT" : "", cfg->line);
}
