// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Action queue, log lines and their rate limit. See action.h.
 */
#include "action.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "engine.h"

struct ike_act_node {
	struct ike_act_node *next;
	struct ike_action act;
	char tunnel[IKE_NAME_MAX + 1];
	size_t len;
	uint8_t data[];		/* datagram, keys or log text */
};

static void enqueue(struct ike_actions *q, struct ike_act_node *n)
{
	if (q->tail)
		q->tail->next = n;
	else
		q->head = n;
	q->tail = n;
}

static struct ike_act_node *append(struct ike_engine *e, enum ike_action_type type, size_t len)
{
	struct ike_act_node *n = calloc(1, sizeof(*n) + len);

	if (!n) {
		e->actions.dropped++;
		return NULL;
	}
	n->act.type = type;
	n->len = len;
	enqueue(&e->actions, n);
	return n;
}

static void node_free(struct ike_act_node *n)
{
	if (!n)
		return;
	ike_crypto_wipe(n->data, n->len);
	free(n);
}

void ike_actions_release(struct ike_actions *q)
{
	node_free(q->current);
	q->current = NULL;
}

void ike_actions_free(struct ike_actions *q)
{
	ike_actions_release(q);
	while (q->head) {
		struct ike_act_node *n = q->head;

		q->head = n->next;
		node_free(n);
	}
	q->tail = NULL;
}

bool ike_actions_next(struct ike_actions *q, struct ike_action *act)
{
	ike_actions_release(q);
	if (!q->head)
		return false;
	q->current = q->head;
	q->head = q->current->next;
	if (!q->head)
		q->tail = NULL;
	*act = q->current->act;
	return true;
}

static const char *keep_name(struct ike_act_node *n, const char *tunnel)
{
	if (!tunnel)
		return NULL;
	snprintf(n->tunnel, sizeof(n->tunnel), "%s", tunnel);
	return n->tunnel;
}

void ike_act_send(struct ike_engine *e, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct ike_act_node *n = append(e, IKE_ACT_SEND, len);

	e->cnt.datagrams_out++;
	if (!n)
		return;
	memcpy(n->data, data, len);
	n->act.path = *path;
	n->act.data = n->data;
	n->act.len = len;
}

bool ike_act_spi_alloc(struct ike_engine *e, uint64_t id, const char *tunnel)
{
	struct ike_act_node *n = append(e, IKE_ACT_SPI_ALLOC, 0);

	if (!n)
		return false;
	n->act.id = id;
	n->act.tunnel = keep_name(n, tunnel);
	return true;
}

static void put_sa(struct ike_act_node *n, const struct ike_sa *sa)
{
	n->act.sa = *sa;
	n->act.tunnel = keep_name(n, sa->tunnel);
	n->act.sa.tunnel = n->act.tunnel;
}

bool ike_act_sa(struct ike_engine *e, enum ike_action_type type, uint64_t id, const struct ike_sa *sa)
{
	struct ike_act_node *n = append(e, type, sa->encr_key_len + sa->auth_key_len);

	if (!n)
		return false;
	if (sa->encr_key_len)
		memcpy(n->data, sa->encr_key, sa->encr_key_len);
	if (sa->auth_key_len)
		memcpy(n->data + sa->encr_key_len, sa->auth_key, sa->auth_key_len);
	n->act.id = id;
	put_sa(n, sa);
	n->act.sa.encr_key = n->data;
	n->act.sa.auth_key = n->data + sa->encr_key_len;
	return true;
}

bool ike_act_xauth(struct ike_engine *e, uint64_t id, const char *tunnel, const struct ike_login *login)
{
	struct ike_act_node *n = append(e, IKE_ACT_XAUTH, login->user_len + login->password_len);

	if (!n)
		return false;
	n->act.id = id;
	n->act.tunnel = keep_name(n, tunnel);
	n->act.login = *login;
	n->act.login.user = n->data;
	n->act.login.password = n->data + login->user_len;
	memcpy(n->data, login->user, login->user_len);
	memcpy(n->data + login->user_len, login->password, login->password_len);
	return true;
}

void ike_act_assign(struct ike_engine *e, const char *tunnel, const struct ike_given *given)
{
	struct ike_act_node *n = append(e, IKE_ACT_ASSIGN, 0);

	if (!n)
		return;
	n->act.tunnel = keep_name(n, tunnel);
	n->act.given = *given;
}

void ike_act_peer(struct ike_engine *e, const char *tunnel, const struct ike_path *path)
{
	struct ike_act_node *n = append(e, IKE_ACT_PEER, 0);

	if (!n)
		return;
	n->act.tunnel = keep_name(n, tunnel);
	n->act.path = *path;
}

struct ike_act_node *ike_act_reserve(void)
{
	return calloc(1, sizeof(struct ike_act_node));
}

void ike_act_unreserve(struct ike_act_node *n)
{
	node_free(n);
}

void ike_act_sa_del(struct ike_engine *e, struct ike_act_node *n, const struct ike_sa *sa)
{
	n->act.type = IKE_ACT_SA_DEL;
	put_sa(n, sa);
	enqueue(&e->actions, n);
}

/* Whatever got into a line, the caller gets printable ASCII. */
static void sanitize(char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

static void log_line(struct ike_engine *e, enum ike_log_level level, const char *event,
		     const struct ike_logctx *ctx, const char *text)
{
	struct ike_act_node *n = append(e, IKE_ACT_LOG, strlen(text) + 1);
	struct ike_log *l;

	if (!n)
		return;
	memcpy(n->data, text, strlen(text) + 1);
	sanitize((char *)n->data);
	l = &n->act.log;
	l->level = level;
	l->event = event;
	l->text = (const char *)n->data;
	if (!ctx)
		return;
	l->tunnel = keep_name(n, ctx->tunnel);
	if (ctx->icookie)
		memcpy(l->icookie, ctx->icookie, IKE_COOKIE_LEN);
	if (ctx->rcookie)
		memcpy(l->rcookie, ctx->rcookie, IKE_COOKIE_LEN);
	l->msgid = ctx->msgid;
	l->message = ctx->message;	/* static names only */
	if (ctx->path)
		l->path = *ctx->path;
}

#define LOG_TEXT 1536

void ike_log(struct ike_engine *e, enum ike_log_level level, const char *event,
	     const struct ike_logctx *ctx, const char *fmt, ...)
{
	char text[LOG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_line(e, level, event, ctx, text);
}

/* There is a place for each event. */
static struct ike_limit *limit_of(struct ike_engine *e, const char *event)
{
	size_t i = 0;

	while (i < IKE_N_EVENTS - 1 && e->log_limit[i].event && e->log_limit[i].event != event)
		i++;
	e->log_limit[i].event = event;
	return &e->log_limit[i].limit;
}

void ike_log_limited(struct ike_engine *e, enum ike_log_level level, const char *event,
		     const struct ike_logctx *ctx, const char *fmt, ...)
{
	struct ike_limit *limit = limit_of(e, event);
	uint64_t left_out = limit->refused;
	char text[LOG_TEXT];
	va_list ap;
	int n;

	if (!ike_limit_take(limit, e->now, IKE_SECOND, 20))
		return;
	if (!ike_limit_take(&e->log_all, e->now, IKE_SECOND / 10, 100)) {
		limit->refused = left_out + 1;
		return;
	}
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (left_out && n >= 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " (%llu lines like this left out before)",
			 (unsigned long long)left_out);
	log_line(e, level, event, ctx, text);
}

bool ike_limit_take(struct ike_limit *l, ike_time now, ike_time cost, unsigned int burst)
{
	ike_time full = cost * burst;

	if (!l->last || now - l->last >= full)
		l->credit = full;
	else if (now > l->last)
		l->credit += now - l->last;
	if (l->credit > full)
		l->credit = full;
	l->last = now;
	if (l->credit < cost) {
		l->refused++;
		return false;
	}
	l->credit -= cost;
	l->refused = 0;
	return true;
}
