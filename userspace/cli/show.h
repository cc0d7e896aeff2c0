/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of the output that several objects share: an SA, drop counters, the last error, and
 * which algorithms are weak. Uses print.h only; never asks the kernel.
 */
#ifndef ESPTUN_CLI_SHOW_H
#define ESPTUN_CLI_SHOW_H

#include "cli/print.h"
#include "libesptun/libesptun.h"

struct cli;

/** cli_show_drops() - nonzero counters by name, all of them with @all */
void cli_show_drops(struct out *o, const uint64_t *drops, bool all);

/** cli_show_last_error() - nothing if there was none */
void cli_show_last_error(struct out *o, const struct esptun_drop_record *e, uint64_t now);

/** cli_show_sa() - an SA as one item's content, as far as -s and -d ask for */
void cli_show_sa(struct cli *c, const char *ifname, const struct esptun_sa *sa);

/** cli_show_sa_name() - only what tells it from others: device, direction, SPI */
void cli_show_sa_name(struct out *o, const char *ifname, const struct esptun_sa *sa);

/** cli_weak() - the weak algorithms of an SA. Return: how many of @words were set */
size_t cli_weak(const struct esptun_sa *sa, const char *words[2]);

#endif /* ESPTUN_CLI_SHOW_H */
