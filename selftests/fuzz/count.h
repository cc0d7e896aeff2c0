/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The counters of the devices under test, as ethtool and /proc/net/dev tell them.
 */
#ifndef FUZZ_COUNT_H
#define FUZZ_COUNT_H

#include "fuzz.h"

/* Counters that the core keeps beside the device's own. */
#define COUNT_RECEIVED	"packets received"
#define COUNT_SENT	"packets sent"
#define COUNT_CORE	"dropped by the core on sending"

extern const char *count_names[MAX_COUNTERS];
extern int count_total;

typedef int64_t counters[MAX_DEVICES][MAX_COUNTERS];

void count_open(void);
void count_read(counters into);
/* Index of a counter; exits if the device has none of that name. */
int count_index(const char *name);
/* A counter of dropped packets: those that are to be sent, or received. */
bool count_is(int index, const char *prefix);
void want(struct batch *b, const struct device *d, const char *name, int64_t by);

#endif
