/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The warden's answers about the data plane: a message becomes a call of kern.h, its result
 * goes into the same message.
 */
#ifndef ESPTUND_WARDEN_KERN_H
#define ESPTUND_WARDEN_KERN_H

#include "kern.h"
#include "passage.h"

/* m becomes the answer, without keys. False: it is nothing the cell would ask. */
bool warden_kern(struct kern *k, struct passage_msg *m);

#endif
