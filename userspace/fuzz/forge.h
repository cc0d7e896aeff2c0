/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A peer that knows the keys and sends what it likes: opens a message with the keys of its
 * receiver, changes payloads or octets as a fuzz input says, makes HASHes right again and
 * encrypts, so that what was changed gets behind decryption and authentication.
 */
#ifndef ESPTUN_FUZZ_FORGE_H
#define ESPTUN_FUZZ_FORGE_H

#include "fuzz/fuzz.h"
#include "fuzz/world.h"

/* Changes m as in says. False: its receiver has no keys for it, nothing was changed. */
bool forge_change(struct world *w, struct world_msg *m, struct fuzz_input *in);
/* A message of our own under an SA of its receiver; false when it has none. m->data is the caller's. */
bool forge_new(struct world *w, int to, struct world_msg *m, struct fuzz_input *in);
/* Changes octets of m wherever they are, without any key. */
void forge_octets(struct world_msg *m, struct fuzz_input *in);

#endif
