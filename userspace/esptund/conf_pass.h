/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration that was read in one process and is used in another, as messages:
 *
 *   TRUSTPOINT   name, line, count: how many files it is made of; then a FILE for each
 *   TUNNEL       with what the struct points to behind it; count: 1 when a FILE of users follows
 *   FILE         kind, count: octets of the file in all; behind it some of them. As many as it takes
 *   LOADED       all has been sent
 *
 * Trustpoints come first. The receiver makes trustpoints and users out of the octets again:
 * handles of libcrypto do not cross.
 */
#ifndef ESPTUND_CONF_PASS_H
#define ESPTUND_CONF_PASS_H

#include "passage.h"

#define CONF_PASS_USERS 0x100u		/* kind of a FILE with XAUTH users; others are enum ikecrypto_kind */

/* 0 or -errno, which ends the sending. */
typedef int conf_pass_send(void *ctx, const struct passage_msg *m, const struct passage_tail *tail);

/* All messages, LOADED included; what was sent is wiped. 0, -ENOMEM or what 'send' returned. */
int conf_pass_put(const struct conf *conf, conf_pass_send *send, void *ctx);

/* A configuration on its way in. */
struct conf_pass {
	struct conf *conf;		/* grows; the caller's */
	size_t tunnels, trustpoints;	/* room in it */
	uint64_t files;			/* that belong to the last tunnel or trustpoint and are still to come */
	struct passage_tail file;	/* the one that comes; data is NULL between files */
	size_t got;			/* octets of it */
	bool whole;			/* LOADED came, and nothing is missing */
	char why[256];			/* after an error: a sentence without secrets */
};

/*
 * One message. 0, -EBADMSG for one that is not expected or does not fit, -ENOMEM, -EINVAL for material
 * that cannot be used; after an error conf is not to be used.
 */
int conf_pass_get(struct conf_pass *p, const struct passage_msg *m, const struct passage_tail *tail);
/* Wipes what is left of a file; not conf. */
void conf_pass_clear(struct conf_pass *p);

#endif
