/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of packets, inbound (rx.c) and outbound (tx.c).
 */
#ifndef FUZZ_KINDS_H
#define FUZZ_KINDS_H

#include "fuzz.h"

extern const struct kind rx_kinds[], tx_kinds[];
extern const int rx_kind_count, tx_kind_count;

/* One good packet for an SA; the last packet of each inbound batch is such a one. */
void rx_good(struct batch *b, struct sa *sa);
/* One good packet to be sent by a device. */
void tx_good(struct batch *b, struct device *d);

#endif
