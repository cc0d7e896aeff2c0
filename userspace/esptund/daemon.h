/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the running daemon, and what its pieces share. Made and unmade by main.c.
 */
#ifndef ESPTUND_DAEMON_H
#define ESPTUND_DAEMON_H

#include <json-c/json.h>

#include "conf.h"
#include "ctl.h"
#include "kern.h"
#include "log.h"
#include "loop.h"
#include "options.h"
#include "run.h"
#include "udp.h"
#include "watch.h"

struct daemon {
	struct options opt;
	struct log *log;
	struct loop *loop;
	struct run *run;
	struct kern *kern;
	struct udp *udp;
	struct ctl *ctl;
	struct watch *watch;	/* NULL: addresses are not watched */
	struct conf *conf;	/* what is in force */
	ike_time started;
};

/*
 * apply.c: read the configuration file and put it in force. On any error nothing has changed.
 * Findings are logged and, unless findings is NULL, appended to that array as
 * {"severity", "file", "line", "text"}. Returns true when it is in force.
 */
bool apply_configuration(struct daemon *d, struct json_object *findings);

/* apply.c: may that user in, by the configuration in force? ctx is the struct daemon. */
bool apply_login(void *ctx, const char *tunnel, const struct ike_login *login);

/* command.c: the ctl_fn; ctx is the struct daemon. */
void command_handle(void *ctx, struct json_object *request, struct json_object *reply);

/* status.c: add "tunnels" (all, or the one named) and "counters" to o. False if there is no such tunnel. */
bool status_put(struct daemon *d, const char *tunnel, struct json_object *o);

#endif
