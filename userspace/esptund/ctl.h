/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: a UNIX stream socket on which a client sends one JSON object, ended
 * by a newline, and gets one JSON object back; then the connection is closed. What requests
 * mean is the business of the callback (command.c).
 */
#ifndef ESPTUND_CTL_H
#define ESPTUND_CTL_H

#include <json-c/json.h>

#include "log.h"
#include "loop.h"

#define CTL_PATH "/run/esptun/ctl"
#define CTL_REQUEST_MAX 4096	/* octets of a request */
#define CTL_CLIENTS_MAX 64
#define CTL_CLIENTS_PER_UID 8	/* for users other than root */
#define CTL_IDLE_SECONDS 10	/* for a request to be complete, and for a reply to be taken */

struct ctl;

/* Fill reply; it has "ok": true already, ctl_refuse() makes it a refusal. */
typedef void (*ctl_fn)(void *ctx, struct json_object *request, struct json_object *reply);

struct ctl_options {
	const char *path;
	const char *group;	/* members may connect; NULL: only root and who opened it */
};

/*
 * Listens with mode 0660. A socket left behind by a daemon that is gone is replaced, one that
 * answers is not. Returns NULL with the reason logged.
 */
struct ctl *ctl_open(struct loop *lp, struct log *log, const struct ctl_options *o, ctl_fn fn, void *ctx);
/* ctl_close() will not remove the socket: somebody else does. */
void ctl_leave_socket(struct ctl *c);
/* Removes the socket. */
void ctl_close(struct ctl *c);

/* "ok": false, "error": the sentence. */
void ctl_refuse(struct json_object *reply, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
