/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What leaves the gateway: every frame is looked at, every ESP packet decrypted, and what
 * is in it must have been due.
 */
#ifndef FUZZ_OUT_H
#define FUZZ_OUT_H

#include "fuzz.h"

/* The network has been used before: outbound numbers begin wherever they do. */
extern bool network_used;

void out_frame(struct batch *b, struct wire *w, const uint8_t *frame, size_t len);

#endif
