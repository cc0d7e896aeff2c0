// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transaction exchanges:
 *
 *	TR1  HDR*, HASH(1), ATTR   REQUEST or SET
 *	TR2  HDR*, HASH(1), ATTR   REPLY or ACK
 *
 * Each has a message ID of its own; peers that go on under the same one, as an XAUTH server may
 * with its SET, are understood.
 */
#include "transaction.h"

#include <stdio.h>
#include <stdlib.h>

#include "admission.h"
#include "modecfg.h"
#include "tunnel.h"
#include "xauth.h"

static int put_body(struct ike_exchange *x, struct ike_msgw *w)
{
	ike_msgw_payload(w, ISAKMP_NPTYPE_ATTR, x->tr->body.data, x->tr->body.len);
	return 0;
}

enum ike_verdict ike_transaction_reply(struct ike_exchange *x, struct ike_wbuf *body)
{
	bool ok = !body->bad && ike_blob_set(&x->tr->body, body->data, body->len);

	ike_wbuf_free(body);
	return ok ? IKE_OK : IKE_DROP;
}

static enum ike_verdict decode(struct ike_exchange *x, const struct ike_msg *m, struct ike_cfgpay *c)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));
	const char *why;

	if (!ike_cfgpay_decode(ike_msg_find(m, ISAKMP_NPTYPE_ATTR), c, &why))
		return IKE_OK;
	x->sa->e->cnt.malformed++;
	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s: ATTR payload: %s: dropped", ctx.message, why);
	return IKE_DROP;
}

static enum ike_verdict out_of_place(struct ike_exchange *x, const char *what)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, ike_exchange_message(x));

	ike_log_limited(x->sa->e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, &ctx, "%s: dropped", what);
	return IKE_DROP;
}

static enum ike_verdict take_request(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_cfgpay c;
	enum ike_verdict v = decode(x, m, &c);

	if (v != IKE_OK)
		return v;
	if (c.type != IKE_CFG_REQUEST && c.type != IKE_CFG_SET)
		return out_of_place(x, "an answer to what was not asked");
	if (!x->tr)
		x->tr = calloc(1, sizeof(*x->tr));
	if (!x->tr)
		return IKE_DROP;
	x->tr->type = c.type;
	x->tr->over = false;
	x->tr->xauth = ike_cfgpay_is_xauth(&c);
	return x->tr->xauth ? ike_xauth_take_request(x, &c) : ike_modecfg_take_request(x, &c);
}

static enum ike_verdict take_answer(struct ike_exchange *x, const struct ike_msg *m)
{
	struct ike_cfgpay c;
	enum ike_verdict v = decode(x, m, &c);

	if (v != IKE_OK)
		return v;
	if (c.type != (x->tr->type == IKE_CFG_REQUEST ? IKE_CFG_REPLY : IKE_CFG_ACK))
		return out_of_place(x, "not the kind of answer that belongs here");
	return x->tr->xauth ? ike_xauth_take_answer(x, &c) : ike_modecfg_take_answer(x, &c);
}

/* What follows may end the SA, and x with it. */
static void done(struct ike_exchange *x)
{
	ike_exchange_linger(x);
	if (!x->tr->over)
		return;
	if (x->tr->xauth)
		ike_xauth_done(x->sa, x->tr->ok);
	else
		ike_modecfg_done(x->sa, x->tr->ok);
}

static void timeout(struct ike_exchange *x)
{
	struct ike_ikesa *sa = x->sa;
	char text[120];

	if (x->state != IKE_ST_TR_SENT || sa->established) {
		ike_exchange_kill(x);
		return;
	}
	snprintf(text, sizeof(text), "no answer to %s after %u transmissions",
		 x->tr->xauth ? "XAUTH" : "mode config", x->sent);
	ike_admission_failed(sa, IKE_EV_TIMEOUT, text);
}

static void release(struct ike_exchange *x)
{
	if (!x->tr)
		return;
	ike_blob_free(&x->tr->body);
	free(x->tr);
	x->tr = NULL;
}

#define TR_BODY (IKE_P(HASH) | IKE_P(ATTR))
#define TR_MORE (IKE_P(VID) | IKE_P(N))

static const struct ike_step steps[] = {
	{ .initiator = false, .state = IKE_ST_TR_START, .name = "TR1", .encrypted = true, .hash = IKE_HASH_1,
	  .required = TR_BODY, .optional = TR_MORE,
	  .take = take_request,
	  .answer = put_body, .answer_name = "TR2", .answer_encrypted = true, .answer_hash = IKE_HASH_1,
	  .next = IKE_ST_TR_DONE, .done = done },

	{ .initiator = true, .state = IKE_ST_TR_SENT, .name = "TR2", .encrypted = true, .hash = IKE_HASH_1,
	  .required = TR_BODY, .optional = TR_MORE,
	  .take = take_answer,
	  .next = IKE_ST_TR_DONE, .done = done },

	/* The same message ID once more. */
	{ .initiator = false, .state = IKE_ST_TR_DONE, .name = "TR1", .encrypted = true, .hash = IKE_HASH_1,
	  .required = TR_BODY, .optional = TR_MORE,
	  .take = take_request,
	  .answer = put_body, .answer_name = "TR2", .answer_encrypted = true, .answer_hash = IKE_HASH_1,
	  .next = IKE_ST_TR_DONE, .done = done },
};

const struct ike_mode ike_transaction_mode = {
	.exchange = ISAKMP_XCHG_TRANSACTION,
	.name = "transaction",
	.step = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.timeout = timeout,
	.release = release,
};

int ike_transaction_start(struct ike_ikesa *sa, enum ike_cfg_type type, bool xauth, struct ike_wbuf *body)
{
	struct ike_exchange *x = ike_exchange_new(sa, &ike_transaction_mode, true, ike_msgid_new(sa), IKE_ST_TR_START);
	int err = -IKE_E_NOMEM;

	if (x)
		x->tr = calloc(1, sizeof(*x->tr));
	if (x && x->tr) {
		x->tr->type = (uint8_t)type;
		x->tr->xauth = xauth;
		if (ike_transaction_reply(x, body) == IKE_OK)
			err = ike_exchange_open(x, "TR1", true, IKE_HASH_1, put_body, true, IKE_ST_TR_SENT);
	} else {
		ike_wbuf_free(body);
	}
	if (err && x)
		ike_exchange_kill(x);
	return err;
}
