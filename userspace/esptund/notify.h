/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tell the service manager what the daemon is doing (sd_notify(3) protocol).
 */
#ifndef ESPTUND_NOTIFY_H
#define ESPTUND_NOTIFY_H

#include <stdint.h>

/*
 * Send a state such as "READY=1" to $NOTIFY_SOCKET. Returns 0 also when there is none, else
 * -errno, which a caller may ignore.
 */
int notify_send(const char *state);
/* Microseconds between watchdog messages the manager expects from this process; 0: none. */
uint64_t notify_watchdog_usec(void);

#endif
