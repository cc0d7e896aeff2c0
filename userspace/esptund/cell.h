/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that talks to peers and to clients of the control socket; passage.h says how
 * it and the warden share the work.
 */
#ifndef ESPTUND_CELL_H
#define ESPTUND_CELL_H

#include "options.h"

/*
 * asks and tells are the cell's ends of the passage. watchdog: microseconds between two signs of
 * life the service manager wants, 0: none. Returns the exit status of the process.
 */
int cell_run(const struct options *opt, int asks, int tells, uint64_t watchdog);

#endif
