/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How traffic selectors are written and shown: ranges of addresses, protocols, ports. Values
 * of options as in parse.h. Knows no SA.
 */
#ifndef ESPTUN_CLI_SELECTOR_H
#define ESPTUN_CLI_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/print.h"
#include "libesptun/libesptun.h"

#define CLI_RANGE_TEXT	(2 * INET6_ADDRSTRLEN)

/* struct esptun_range: "any", an address, address/prefix, or first-last */
const char *cli_parse_range(const char *text, void *dst);
const char *cli_parse_proto(const char *text, void *dst);	/* uint8_t, a name or 1..255 */
const char *cli_parse_port(const char *text, void *dst);	/* uint16_t, 1..65535 */

/** cli_range_text() - as it is best read: address/prefix if it is one. Return: @buf */
const char *cli_range_text(const struct esptun_range *r, char buf[CLI_RANGE_TEXT]);

/** cli_show_selector() - under the key "selector"; nothing if the SA is for every packet */
void cli_show_selector(struct out *o, const struct esptun_selector *s);

/** cli_show_flow() - under the key "flow"; nothing if nothing is known */
void cli_show_flow(struct out *o, const struct esptun_flow *f);

#endif /* ESPTUN_CLI_SELECTOR_H */
