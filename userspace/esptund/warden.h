/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process with privileges (passage.h says what it is for). Reads the configuration when
 * asked, installs SAs in the devices that stand in it, and in no other; speaks to the service
 * manager; ends when the cell does. Keeps CAP_NET_ADMIN and no other capability.
 */
#ifndef ESPTUND_WARDEN_H
#define ESPTUND_WARDEN_H

#include <sys/types.h>

#include "options.h"

/*
 * Runs until the cell has ended. asks and tells are the warden's ends of the passage, cell its
 * process. Returns the exit status of the program.
 */
int warden_run(const struct options *opt, pid_t cell, int asks, int tells);

#endif
