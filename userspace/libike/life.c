// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RESPONDER-LIFETIME. See life.h.
 */
#include "life.h"

#include <string.h>

#include "info.h"
#include "quick_mode.h"
#include "tunnel.h"

/* ---- attributes -------------------------------------------------------------------------- */

static void write_attrs(struct ike_wbuf *w, bool phase1, uint32_t seconds, uint32_t kb)
{
	const uint16_t type = phase1 ? IKE_P1A_LIFE_TYPE : IKE_P2A_LIFE_TYPE;
	const uint16_t duration = phase1 ? IKE_P1A_LIFE_DURATION : IKE_P2A_LIFE_DURATION;
	struct ike_transform t = { .n_attrs = 0 };

	ike_transform_add(&t, type, IKE_LIFE_SECONDS);
	ike_transform_add(&t, duration, seconds);
	if (kb) {
		ike_transform_add(&t, type, IKE_LIFE_KILOBYTES);
		ike_transform_add(&t, duration, kb);
	}
	ike_attrs_encode(w, &t);
}

/* What an attribute list says; 0: nothing. False: it makes no sense, or is less than anybody is allowed. */
static bool read_attrs(const struct ike_notify *n, uint64_t *seconds, uint64_t *kb)
{
	struct ike_transform t = { .n_attrs = 0 };

	return !ike_attrs_decode(n->data, n->len, &t) && ike_transform_life(&t, seconds, kb) &&
	       (!*seconds || *seconds >= IKE_LIFE_MIN);
}

static bool is_ours(const struct ike_notify *n)
{
	return n->type == IKE_N_RESPONDER_LIFETIME && n->doi == IKE_DOI_IPSEC;
}

static void nonsense(struct ike_exchange *x, const char *message)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, message);

	x->sa->e->cnt.malformed++;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "RESPONDER-LIFETIME that makes no sense: no effect");
}

/* True if it was lowered. */
static bool lower(uint32_t *ours, uint64_t theirs)
{
	if (!theirs || (*ours && theirs >= *ours) || theirs > UINT32_MAX)
		return false;
	*ours = (uint32_t)theirs;
	return true;
}

/* ---- phase 2 ----------------------------------------------------------------------------- */

void ike_life_put(const struct ike_child *c, struct ike_msgw *w)
{
	uint8_t spi[4];
	struct ike_notify n = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ESP, .type = IKE_N_RESPONDER_LIFETIME,
		.spi = spi, .spi_len = sizeof(spi),
	};
	struct ike_wbuf attrs;

	if (!c->p2.lowered)
		return;
	ike_store32(spi, c->spi_in);
	ike_wbuf_init(&attrs);
	write_attrs(&attrs, false, c->p2.life, c->p2.life_kb);
	n.data = attrs.data;
	n.len = attrs.len;
	if (!attrs.bad)
		ike_notify_encode(w, &n);
	ike_wbuf_free(&attrs);
}

void ike_life_take(struct ike_exchange *x, const struct ike_msg *m, struct ike_p2_choice *c)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "QM2");
	uint64_t seconds, kb;
	struct ike_notify n;
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		if (m->p[i].type != ISAKMP_NPTYPE_N || ike_notify_decode(&m->p[i], &n) || !is_ours(&n))
			continue;
		if (!read_attrs(&n, &seconds, &kb))
			nonsense(x, "QM2");
		else if (lower(&c->life, seconds) | lower(&c->life_kb, kb))
			ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_LIFE, &ctx, "the responder's lifetimes are lower: %u s, %u kB",
				c->life, c->life_kb);
	}
}

static void child_notify(struct ike_exchange *x, const struct ike_notify *n, uint64_t seconds, uint64_t kb)
{
	struct ike_child *c = n->spi_len == 4 ? ike_info_child(x->sa, IKE_OUT, ike_load32(n->spi)) : NULL;
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");

	if (!c || !c->initiator || !c->established)
		return;
	if (lower(&c->p2.life, seconds)) {
		ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_LIFE, &ctx, "the responder's lifetime is lower: SA in 0x%08x ends after %u s",
			c->spi_in, c->p2.life);
		ike_child_set_life(c);
	}
	if (kb && (!c->p2.life_kb || kb < c->p2.life_kb))
		ike_log(x->sa->e, IKE_LOG_INFO, IKE_EV_LIFE, &ctx,
			"the responder's volume of %llu kB came after the SA was installed: it has to see to it itself",
			(unsigned long long)kb);
}

/* ---- phase 1 ----------------------------------------------------------------------------- */

void ike_life_tell(struct ike_ikesa *sa)
{
	uint8_t cookies[2 * IKE_COOKIE_LEN];
	struct ike_notify n = {
		.doi = IKE_DOI_IPSEC, .proto = IKE_PROTO_ISAKMP, .type = IKE_N_RESPONDER_LIFETIME,
		.spi = cookies, .spi_len = sizeof(cookies),
	};
	struct ike_wbuf attrs;

	if (sa->initiator || !sa->p1.lowered)
		return;
	memcpy(cookies, sa->icookie, IKE_COOKIE_LEN);
	memcpy(cookies + IKE_COOKIE_LEN, sa->rcookie, IKE_COOKIE_LEN);
	ike_wbuf_init(&attrs);
	write_attrs(&attrs, true, sa->p1.life, 0);
	n.data = attrs.data;
	n.len = attrs.len;
	if (!attrs.bad)
		ike_info_send(sa, &n);
	ike_wbuf_free(&attrs);
}

void ike_life_notify(struct ike_exchange *x, const struct ike_notify *n)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, "INFO");
	struct ike_ikesa *sa = x->sa;
	uint64_t seconds, kb;

	if (!is_ours(n))
		return;
	if (!read_attrs(n, &seconds, &kb)) {
		nonsense(x, "INFO");
	} else if (n->proto == IKE_PROTO_ESP) {
		child_notify(x, n, seconds, kb);
	} else if (n->proto == IKE_PROTO_ISAKMP && sa->initiator && !sa->retiring && lower(&sa->p1.life, seconds)) {
		ike_log(sa->e, IKE_LOG_INFO, IKE_EV_LIFE, &ctx, "the responder's lifetime is lower: this ISAKMP SA ends after %u s",
			sa->p1.life);
		ike_ikesa_set_life(sa);
	}
}
