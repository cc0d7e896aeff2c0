/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities, users and what all processes of the keyer give up. Confinement of the one
 * that talks to peers is confine.h.
 */
#ifndef ESPTUND_PRIV_H
#define ESPTUND_PRIV_H

#include <sys/types.h>

#include "log.h"

/* No core dump, no ptrace by others, no new privileges. First thing in main. 0 or -errno. */
int priv_harden(void);
/* Of the capabilities the process has keep CAP_NET_ADMIN alone. 0, or -errno with the reason logged. */
int priv_keep_net_admin(struct log *log);
/* Who a process without privileges is to be. */
struct priv_user {
	char name[64];
	uid_t uid;
	gid_t gid;
	bool stay;		/* not root: who it is already */
};

/*
 * user, or, with NULL, one made for this ("esptun", else "nobody"). Looks into files. 0, or -errno with the
 * reason logged.
 */
int priv_find_user(struct log *log, const char *user, struct priv_user *u);
/* Become u and give up all capabilities for good. 0, or -errno with the reason logged. */
int priv_drop_all(struct log *log, const struct priv_user *u);

#endif
