/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that parses what peers send can do little besides: it is a user of its own
 * without any capability, its root directory is an empty one that does not exist any more, Landlock denies
 * what is left of the file system, and seccomp ends it at the first system call that is not in
 * a short list: no open, no socket, no exec, no new process, no signal to others.
 */
#ifndef ESPTUND_CONFINE_H
#define ESPTUND_CONFINE_H

#include "log.h"

/*
 * For good. Everything that has to be opened is open, everything that libraries load late is
 * loaded. user as in priv_find_user(). near: a file in whose directory a temporary one can be made. Returns 0, or
 * -errno with the reason logged; then nothing may be served.
 */
int confine(struct log *log, const char *user, const char *near);

#endif
