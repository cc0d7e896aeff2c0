/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of the configuration to values: addresses, networks, times, volumes, numbers,
 * choices. Pure. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_VALUE_H
#define ESPTUND_CONF_VALUE_H

#include "libike/ike.h"

/* All: 0, or -1 when the text is not one. */
int conf_parse_addr(const char *text, struct ike_addr *addr);	/* "any" is 0.0.0.0 */
int conf_parse_net(const char *text, struct ike_net *net);	/* "any" is 0.0.0.0/0; host bits must be 0 */
int conf_parse_time(const char *text, uint64_t *seconds);
int conf_parse_volume(const char *text, uint64_t *octets);
int conf_parse_number(const char *text, uint64_t *number);
int conf_parse_bool(const char *text, bool *yes);

/* A choice among words. The list ends with a NULL word. */
struct conf_choice {
	const char *word;
	int value;
};

int conf_parse_choice(const char *text, const struct conf_choice *list, int *value);

#endif
