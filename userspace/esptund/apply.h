/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a configuration says about devices; the rest of apply.c is in daemon.h.
 */
#ifndef ESPTUND_APPLY_H
#define ESPTUND_APPLY_H

#include "conf.h"
#include "kern.h"

/* One for each tunnel, to be freed; NULL when memory is short. */
struct kern_device *apply_devices(const struct conf *conf);

#endif
