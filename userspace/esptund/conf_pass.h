/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration that was read in one process and is used in another: a message for each
 * tunnel, with what the struct points to behind it.
 */
#ifndef ESPTUND_CONF_PASS_H
#define ESPTUND_CONF_PASS_H

#include "passage.h"

/* Tunnel i of conf as m and tail. 0 or -ENOMEM. */
int conf_pass_put(const struct conf *conf, size_t i, struct passage_msg *m, struct passage_tail *tail);
/* Appends the tunnel to conf, whose arrays have room for 'room'. 0, or -EBADMSG. */
int conf_pass_get(struct conf *conf, size_t room, const struct passage_msg *m, const struct passage_tail *tail);

#endif
