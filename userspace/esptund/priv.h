/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process may do. The engine's actions are plain data and only run.c, kern.c and
 * udp.c act on them: a process of its own for the privileged ones can be put between
 * there, without a change to libike.
 */
#ifndef ESPTUND_PRIV_H
#define ESPTUND_PRIV_H

#include "log.h"

/* No core dump, no ptrace by others, no new privileges. First thing in main. 0 or -errno. */
int priv_harden(void);
/*
 * Become user (NULL: stay) and keep only CAP_NET_ADMIN and CAP_NET_BIND_SERVICE, of those the
 * process has. Returns 0, or -errno with the reason logged; then nothing may be served.
 */
int priv_drop(struct log *log, const char *user);

#endif
