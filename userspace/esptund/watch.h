/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches this host's addresses (rtnetlink) and tells the engine when they changed. Which ones
 * there are is asked of the kernel each time, so a lost message costs nothing.
 */
#ifndef ESPTUND_WATCH_H
#define ESPTUND_WATCH_H

#include "log.h"
#include "loop.h"
#include "run.h"

struct watch;

/* NULL with the reason logged: addresses are then only looked at when a configuration is loaded. */
struct watch *watch_open(struct loop *lp, struct log *log, struct run *run);
void watch_close(struct watch *w);

/* Can datagrams be sent from that address? For run_addresses(). */
bool watch_is_here(void *ctx, const struct ike_addr *addr);

#endif
