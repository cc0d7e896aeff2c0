// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The step interpreter. See exchange.h for the order of things. Knows no mode: what a
 * message means is in the tables of main_mode.c, aggressive_mode.c, quick_mode.c and info.c.
 */
#include "exchange.h"

#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "cipher.h"
#include "ikesa.h"
#include "quick_mode.h"
#include "tunnel.h"

void ike_digest(const void *data, size_t len, uint8_t out[IKE_DIGEST_LEN])
{
	const struct ike_chunk in = { data, len };

	if (ike_crypto_hash(IKE_HASH_SHA256, &in, 1, out))
		memset(out, 0, IKE_DIGEST_LEN);
}

struct ike_logctx ike_exchange_ctx(const struct ike_exchange *x, const char *message)
{
	struct ike_logctx ctx = ike_ikesa_ctx(x->sa, message);

	ctx.msgid = x->msgid;
	return ctx;
}

void ike_exchange_set_state(struct ike_exchange *x, enum ike_state state)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, NULL);

	if (x->state == state)
		return;
	ike_log(x->sa->e, IKE_LOG_DEBUG, IKE_EV_STATE, &ctx, "%s mode %s: %s -> %s", x->mode->name,
		x->initiator ? "initiator" : "responder", ike_state_name(x->state), ike_state_name(state));
	x->state = state;
	if (!x->msgid)
		x->sa->state = state;
}

/* ---- repetition ---------------------------------------------------------------------- */

static void transmit(struct ike_exchange *x, bool repeated)
{
	ike_transport_send(x->sa, &x->sa->path, x->out, x->out_len, repeated);
}

/* Where it came from, for the port the peer has may be another by now; not to another address. */
static void transmit_back(struct ike_exchange *x)
{
	const struct ike_path *from = x->sa->e->from;
	bool there = from && ike_addr_equal(&from->remote, &x->sa->path.remote);

	ike_transport_send(x->sa, there ? from : &x->sa->path, x->out, x->out_len, true);
}

static void timer_fired(struct ike_engine *e, void *owner)
{
	struct ike_exchange *x = owner;
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);

	if (!x->retransmit || x->sent > IKE_RETRANSMITS) {
		x->retransmit = false;
		x->mode->timeout(x);
		return;
	}
	transmit(x, true);
	e->cnt.retransmits++;
	ike_log(e, IKE_LOG_DEBUG, IKE_EV_RETRANSMIT, &ctx, "no answer to %s: sent again (%u of %u)",
		x->out_name, x->sent, IKE_RETRANSMITS);
	x->sent++;
	x->interval += x->interval / 2;
	ike_timer_set(&e->timers, &x->timer, e->now + x->interval);
	if (x->mode->silence && x->sent > IKE_RETRANSMITS_SILENT)
		x->mode->silence(x);
}

static void start_waiting(struct ike_exchange *x, bool retransmit, unsigned int patience)
{
	struct ike_engine *e = x->sa->e;

	x->retransmit = retransmit;
	x->sent = 1;
	x->interval = IKE_RETRANSMIT_FIRST;
	if (retransmit)
		ike_timer_set(&e->timers, &x->timer, e->now + x->interval);
	else if (patience)
		ike_timer_set(&e->timers, &x->timer, e->now + patience * IKE_SECOND);
	else
		ike_timer_stop(&e->timers, &x->timer);
}

void ike_exchange_quiet(struct ike_exchange *x, ike_time after)
{
	struct ike_engine *e = x->sa->e;

	x->retransmit = false;
	ike_timer_set(&e->timers, &x->timer, e->now + after);
}

void ike_exchange_linger(struct ike_exchange *x)
{
	ike_exchange_quiet(x, IKE_EXCHANGE_LINGER);
}

void ike_exchange_forget(struct ike_exchange *x)
{
	free(x->out);
	x->out = NULL;
	x->out_len = 0;
	x->out_name = NULL;
	x->retransmit = false;
}

/* The peer did not get our answer, or the network doubled its message. */
static void answer_duplicate(struct ike_exchange *x)
{
	struct ike_engine *e = x->sa->e;
	struct ike_logctx ctx = ike_exchange_ctx(x, x->out_name);

	/* While our own timer repeats a request, a late duplicate asks for nothing. */
	if (!x->out || x->step || (x->initiator && x->retransmit) || x->repeated >= IKE_REPEATS)
		return;
	x->repeated++;
	transmit_back(x);
	ike_log(e, IKE_LOG_DEBUG, IKE_EV_DUPLICATE, &ctx, "duplicate answered with the stored %s (%u of %u)",
		x->out_name, x->repeated, IKE_REPEATS);
}

/* The one place where duplicates are recognised: by a digest of the whole datagram. */
static bool is_duplicate(struct ike_exchange *x, const uint8_t *digest)
{
	unsigned int i;

	for (i = 0; i < x->n_digests; i++) {
		if (memcmp(x->digest[i], digest, IKE_DIGEST_LEN))
			continue;
		x->sa->e->cnt.duplicates++;
		if (!i)
			answer_duplicate(x);
		return true;
	}
	if (x->has_refused && !memcmp(x->refused, digest, IKE_DIGEST_LEN)) {
		x->sa->e->cnt.duplicates++;
		return true;
	}
	return false;
}

static void remember_digest(struct ike_exchange *x, const uint8_t *digest)
{
	memmove(x->digest[1], x->digest[0], sizeof(x->digest) - IKE_DIGEST_LEN);
	memcpy(x->digest[0], digest, IKE_DIGEST_LEN);
	if (x->n_digests < IKE_DIGESTS)
		x->n_digests++;
	x->has_refused = false;
	x->repeated = 0;
}

/* ---- HASH ------------------------------------------------------------------------------ */

static int make_hash(struct ike_exchange *x, enum ike_hash_kind kind, const uint8_t *rest, size_t len,
		     uint8_t *out)
{
	const struct ike_skeyid *k = &x->sa->k;
	struct ike_chunk body = { rest, len };

	if (kind == IKE_HASH_1)
		return ike_hash1(k, x->msgid, body, out);
	if (kind == IKE_HASH_2)
		return ike_hash2(k, x->msgid, ike_quick_ni(x), body, out);
	return ike_hash3(k, x->msgid, ike_quick_ni(x), ike_quick_nr(x), out);
}

/* HASH comes first and covers all behind it, the cipher's padding excepted. */
static bool hash_valid(struct ike_exchange *x, enum ike_hash_kind kind, const struct ike_msg *m)
{
	const struct ike_payload *p = &m->p[0];
	uint8_t expected[IKE_HASH_MAX];
	const uint8_t *rest = p->body + p->len;

	if (p->type != ISAKMP_NPTYPE_HASH || p->len != x->sa->k.len)
		return false;
	if (make_hash(x, kind, rest, (size_t)(m->data + m->end - rest), expected))
		return false;
	return ike_crypto_equal(expected, p->body, p->len);
}

/* ---- sending --------------------------------------------------------------------------- */

static int build(struct ike_exchange *x, struct ike_msgw *w, bool encrypted, enum ike_hash_kind hash,
		 int (*answer)(struct ike_exchange *x, struct ike_msgw *w))
{
	struct ike_ikesa *sa = x->sa;
	struct ike_hdr h = { .exchange = x->mode->exchange, .msgid = x->msgid };
	uint8_t value[IKE_HASH_MAX] = { 0 };
	size_t hash_at, body_at;
	int err;

	memcpy(h.icookie, sa->icookie, IKE_COOKIE_LEN);
	memcpy(h.rcookie, sa->rcookie, IKE_COOKIE_LEN);
	h.flags = encrypted ? ISAKMP_FLAG_ENCRYPTION : 0;
	ike_msgw_begin(w, &h);
	hash_at = w->b.len + ISAKMP_GENERIC_LEN;
	if (hash != IKE_HASH_NONE)
		ike_msgw_payload(w, ISAKMP_NPTYPE_HASH, value, sa->k.len);
	body_at = w->b.len;
	err = answer ? answer(x, w) : 0;
	if (err)
		return err;
	if (hash != IKE_HASH_NONE && !w->b.bad) {
		err = make_hash(x, hash, w->b.data + body_at, w->b.len - body_at, value);
		if (err)
			return err;
		ike_patch(&w->b, hash_at, value, sa->k.len);
	}
	ike_msgw_finish(w, encrypted ? sa->block : 0);
	return w->b.bad ? -IKE_E_NOMEM : 0;
}

static int send_message(struct ike_exchange *x, const char *name, bool encrypted, enum ike_hash_kind hash,
			int (*answer)(struct ike_exchange *x, struct ike_msgw *w))
{
	struct ike_ikesa *sa = x->sa;
	struct ike_msgw w;
	int err;

	err = build(x, &w, encrypted, hash, answer);
	if (!err && encrypted)
		err = ike_cipher_encrypt(sa, x->iv, x->iv, w.b.data, w.b.len);
	if (err) {
		ike_wbuf_free(&w.b);
		return err;
	}
	if (encrypted && !x->msgid)
		memcpy(sa->last_block, x->iv, sa->block);
	ike_exchange_forget(x);
	x->out = w.b.data;	/* ours now */
	x->out_len = w.b.len;
	x->out_name = name;
	transmit(x, false);
	return 0;
}

int ike_exchange_open(struct ike_exchange *x, const char *name, bool encrypted, enum ike_hash_kind hash,
		      int (*answer)(struct ike_exchange *x, struct ike_msgw *w), bool retransmit,
		      enum ike_state next)
{
	int err;

	if (x->msgid) {
		err = ike_cipher_iv(x->sa, x->msgid, x->iv);
		if (err)
			return err;
	}
	err = send_message(x, name, encrypted, hash, answer);
	if (err)
		return err;
	ike_exchange_set_state(x, next);
	start_waiting(x, retransmit, 0);
	return 0;
}

void ike_exchange_resume(struct ike_exchange *x)
{
	const struct ike_step *s = x->step;
	struct ike_logctx ctx = ike_exchange_ctx(x, s->answer_name);
	int err = 0;

	x->step = NULL;
	if (s->answer)
		err = send_message(x, s->answer_name, s->answer_encrypted, s->answer_hash, s->answer);
	else
		ike_exchange_forget(x);
	if (err) {
		ike_log(x->sa->e, IKE_LOG_ERROR, IKE_EV_INTERNAL, &ctx, "could not make %s: %s", s->answer_name,
			err == -IKE_E_NOMEM ? "out of memory" : "the crypto library refused");
		x->mode->timeout(x);
		return;
	}
	ike_exchange_set_state(x, s->next);
	start_waiting(x, s->retransmit, s->patience);
	if (s->done)
		s->done(x);
}

/* ---- receiving ------------------------------------------------------------------------- */

static const struct ike_step *find_step(const struct ike_exchange *x)
{
	size_t i;

	for (i = 0; i < x->mode->n_steps; i++)
		if (x->mode->step[i].initiator == x->initiator && x->mode->step[i].state == x->state)
			return &x->mode->step[i];
	return NULL;
}

const char *ike_exchange_message(const struct ike_exchange *x)
{
	const struct ike_step *s = find_step(x);

	return s ? s->name : NULL;
}

static uint32_t payload_bit(uint8_t type)
{
	return type < 32 ? 1u << type : 0;
}

/* Required ones there, nothing but optional ones besides; what we have no name for is skipped. */
static bool payloads_fit(const struct ike_step *s, const struct ike_msg *m, struct ike_logctx *ctx,
			 struct ike_engine *e)
{
	const uint32_t many = IKE_P(VID) | IKE_P(N) | IKE_P(D) | IKE_P(CERT) | IKE_P(CR) |
			      IKE_P(NATD) | IKE_P(NATOA) | IKE_P(ID);
	uint32_t seen = 0, bit;
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		if (!ike_payload_known(m->p[i].type))
			continue;
		bit = payload_bit(m->p[i].type);
		if (!(bit & (s->required | s->optional))) {
			ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, ctx,
					"%s has no place for a %s payload: dropped", s->name,
					ike_name_payload(m->p[i].type));
			return false;
		}
		if (bit & seen & ~many) {
			ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, ctx,
					"%s with more than one %s payload: dropped", s->name,
					ike_name_payload(m->p[i].type));
			return false;
		}
		seen |= bit;
	}
	if ((seen & s->required) == s->required)
		return true;
	for (i = 0; i < 32; i++)
		if (s->required & ~seen & 1u << i)
			break;
	ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, ctx, "%s without a %s payload: dropped",
			s->name, ike_name_payload(i));
	return false;
}

/* It did not come out as a message of ours: remember it, so that a repetition costs nothing. */
static enum ike_verdict garbled(struct ike_exchange *x, const struct ike_step *s, bool encrypted, const uint8_t *digest,
				const char *why)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, s->name);
	struct ike_engine *e = x->sa->e;

	memcpy(x->refused, digest, IKE_DIGEST_LEN);
	x->has_refused = true;
	x->n_garbled += encrypted;
	if (encrypted && x->mode->garbled) {
		x->mode->garbled(x, s, why);
	} else if (encrypted) {
		e->cnt.unauthenticated++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNAUTHENTICATED, &ctx,
				"%s does not decrypt to a message of this SA (%s): dropped", s->name, why);
	} else {
		e->cnt.malformed++;
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_MALFORMED, &ctx, "%s: %s: dropped", s->name, why);
	}
	return IKE_DROP;
}

/* buf: our copy of the datagram, decrypted in place. */
static enum ike_verdict take(struct ike_exchange *x, const struct ike_step *s, const struct ike_hdr *h,
			     uint8_t *buf, size_t len, const uint8_t *digest)
{
	struct ike_logctx ctx = ike_exchange_ctx(x, s->name);
	struct ike_engine *e = x->sa->e;
	bool encrypted = h->flags & ISAKMP_FLAG_ENCRYPTION;
	const char *why = "";
	struct ike_msg m;

	if (s->encrypted != encrypted && !(s->clear_too && !encrypted)) {
		ike_log_limited(e, IKE_LOG_NOTICE, IKE_EV_UNEXPECTED, &ctx, "%s must %sbe encrypted: dropped",
				s->name, s->encrypted ? "" : "not ");
		return IKE_DROP;
	}
	memcpy(x->next_iv, x->iv, sizeof(x->iv));
	if (encrypted && ike_cipher_decrypt(x->sa, x->iv, x->next_iv, buf, len))
		return garbled(x, s, encrypted, digest, "no whole number of cipher blocks");
	if (ike_msg_parse(&m, h, buf, len, encrypted, &why))
		return garbled(x, s, encrypted, digest, why);
	if (s->hash != IKE_HASH_NONE && !hash_valid(x, s->hash, &m))
		return garbled(x, s, encrypted, digest, "HASH is missing or wrong");
	if (s->hash != IKE_HASH_NONE)
		ike_roam_follow(x->sa);		/* what is sent because of it goes there, too */
	if (!payloads_fit(s, &m, &ctx, e))
		return encrypted && s->hash == IKE_HASH_NONE ?
		       garbled(x, s, encrypted, digest, "not the payloads expected") : IKE_DROP;
	return s->take(x, &m);
}

/* The message counts from here on. */
static void accept(struct ike_exchange *x, const struct ike_step *s, const uint8_t *digest)
{
	struct ike_ikesa *sa = x->sa;

	remember_digest(x, digest);
	ike_roam_follow(sa);
	if (s->encrypted) {
		sa->heard_at = sa->e->now;
		memcpy(x->iv, x->next_iv, sa->block);
		if (!x->msgid)
			memcpy(sa->last_block, x->next_iv, sa->block);
		if (sa->phase1 && sa->phase1 != x && sa->phase1->mode->heard)
			sa->phase1->mode->heard(sa->phase1);
	}
	if (x->msgid && !x->initiator && !ike_msgid_used(sa, x->msgid))
		ike_msgid_remember(sa, x->msgid);
	x->retransmit = false;
	ike_timer_stop(&sa->e->timers, &x->timer);
	x->step = s;
}

/* Authenticated, but refused: its message ID is used up, or a replay would be refused again. */
static void refuse_for_good(struct ike_exchange *x)
{
	if (x->msgid && !x->initiator)
		ike_msgid_remember(x->sa, x->msgid);
	ike_exchange_kill(x);
}

void ike_exchange_receive(struct ike_exchange *x, const struct ike_hdr *h, const uint8_t *data, size_t len)
{
	uint8_t digest[IKE_DIGEST_LEN];
	struct ike_logctx ctx = ike_exchange_ctx(x, NULL);
	struct ike_engine *e = x->sa->e;
	const struct ike_step *s;
	enum ike_verdict v;
	uint8_t *buf;

	ike_digest(data, len, digest);
	if (is_duplicate(x, digest))
		return;
	s = find_step(x);
	if (!s || x->step) {
		e->cnt.replayed++;
		ike_log_limited(e, IKE_LOG_DEBUG, IKE_EV_REPLAY, &ctx,
				"message out of sequence in state %s: dropped", ike_state_name(x->state));
		return;
	}
	buf = ike_memdup(data, len);
	if (!buf)
		return;
	v = take(x, s, h, buf, len, digest);
	if (!x->dead && (v == IKE_OK || v == IKE_WAIT))
		accept(x, s, digest);
	ike_crypto_wipe(buf, len);
	free(buf);
	if (x->dead)
		return;
	if (v == IKE_OK)
		ike_exchange_resume(x);
	else if (v == IKE_WAIT)
		ike_exchange_quiet(x, IKE_KERNEL_PATIENCE);
	else if (v == IKE_FAIL)
		refuse_for_good(x);
}

/* ---- life ------------------------------------------------------------------------------ */

struct ike_exchange *ike_exchange_new(struct ike_ikesa *sa, const struct ike_mode *mode,
				      bool initiator, uint32_t msgid, enum ike_state state)
{
	struct ike_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	if (ike_timer_init(&sa->e->timers, &x->timer, timer_fired, x)) {
		free(x);
		return NULL;
	}
	x->sa = sa;
	x->mode = mode;
	x->initiator = initiator;
	x->msgid = msgid;
	x->state = state;
	x->started = sa->e->now;
	x->next = sa->exchanges;
	sa->exchanges = x;
	sa->n_exchanges++;
	sa->e->cnt.exchanges_now++;
	return x;
}

void ike_exchange_kill(struct ike_exchange *x)
{
	struct ike_ikesa *sa = x->sa;
	struct ike_exchange **p;

	if (x->dead)
		return;
	for (p = &sa->exchanges; *p != x; p = &(*p)->next)
		;
	*p = x->next;
	sa->n_exchanges--;
	sa->e->cnt.exchanges_now--;
	if (sa->phase1 == x)
		sa->phase1 = NULL;
	ike_timer_fini(&sa->e->timers, &x->timer);
	x->dead = true;
	if (x->mode->release)
		x->mode->release(x);
	x->next = sa->e->grave.exchanges;
	sa->e->grave.exchanges = x;
}

void ike_exchange_free(struct ike_exchange *x)
{
	ike_exchange_forget(x);
	ike_crypto_wipe(x, sizeof(*x));
	free(x);
}
