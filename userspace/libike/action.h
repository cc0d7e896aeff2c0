/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue of actions for the caller, and logging, which is one of them. Each action
 * owns a copy of all it points to, wiped when freed. Out of memory drops the action and
 * is counted: retransmission and timeouts make up for a datagram; who asks the kernel is
 * told; deleting an SA has its memory reserved before the SA is made.
 */
#ifndef LIBIKE_ACTION_H
#define LIBIKE_ACTION_H

#include "ike.h"
#include "names.h"

struct ike_act_node;

struct ike_actions {
	struct ike_act_node *head, *tail;
	struct ike_act_node *current;	/* the caller may be looking at it */
	uint64_t dropped;		/* memory was short */
};

void ike_actions_free(struct ike_actions *q);
/* Free what the caller was shown last. */
void ike_actions_release(struct ike_actions *q);
bool ike_actions_next(struct ike_actions *q, struct ike_action *act);

void ike_act_send(struct ike_engine *e, const struct ike_path *path, const uint8_t *data, size_t len);
/* False when memory is short: the kernel will not be asked. */
bool ike_act_spi_alloc(struct ike_engine *e, uint64_t id, const char *tunnel);
/* For SA_ADD, SA_ACTIVATE and SA_DEL; sa is copied with its keys. False: as above. */
bool ike_act_sa(struct ike_engine *e, enum ike_action_type type, uint64_t id, const struct ike_sa *sa);

/* False when memory is short: nobody will answer. */
bool ike_act_xauth(struct ike_engine *e, uint64_t id, const char *tunnel, const struct ike_login *login);
void ike_act_assign(struct ike_engine *e, const char *tunnel, const struct ike_given *given);
void ike_act_peer(struct ike_engine *e, const char *tunnel, const struct ike_path *path);

/* Memory for an SA_DEL to come; NULL when there is none. */
struct ike_act_node *ike_act_reserve(void);
void ike_act_unreserve(struct ike_act_node *n);
/* SA_DEL that cannot fail; takes n over. */
void ike_act_sa_del(struct ike_engine *e, struct ike_act_node *n, const struct ike_sa *sa);

/* Who a log line is about; any part may be empty. */
struct ike_logctx {
	const char *tunnel;
	const uint8_t *icookie, *rcookie;
	uint32_t msgid;
	const char *message;
	const struct ike_path *path;
};

__attribute__((format(printf, 5, 6)))
void ike_log(struct ike_engine *e, enum ike_log_level level, const char *event,
	     const struct ike_logctx *ctx, const char *fmt, ...);
/*
 * The same for what anybody can cause by sending packets: of each event a burst of 20, then one line
 * a second, so that junk of one kind hides nothing of another; of all together a burst of 100, then
 * 10 a second. The number of those left out is added to the next. 'event' is one of names.h.
 */
__attribute__((format(printf, 5, 6)))
void ike_log_limited(struct ike_engine *e, enum ike_log_level level, const char *event,
		     const struct ike_logctx *ctx, const char *fmt, ...);

/* A token bucket. */
struct ike_limit {
	ike_time last;
	ike_time credit;	/* in units of time; one event costs 'cost' */
	uint64_t refused;	/* since the last one allowed */
};

/* For the lines of one event. */
struct ike_log_limit {
	const char *event;	/* NULL: not used yet */
	struct ike_limit limit;
};

/* May it happen now? 'burst' at once, then one per 'cost'. */
bool ike_limit_take(struct ike_limit *l, ike_time now, ike_time cost, unsigned int burst);

#endif
