/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outer addresses: text, comparison. Never resolves names.
 */
#ifndef LIBIKE_ADDR_H
#define LIBIKE_ADDR_H

#include "ike.h"

#define IKE_PORT 500
#define IKE_ADDR_TEXT 48		/* enough for any address and its NUL */

/* Octets of an address of that family: 4 or 16, 0 for another family. */
size_t ike_addr_len(uint8_t family);
bool ike_addr_is_any(const struct ike_addr *a);
/* Family and address, not the port. */
bool ike_addr_equal(const struct ike_addr *a, const struct ike_addr *b);
/* Equal, or one of them stands for any address of that family. */
bool ike_addr_overlap(const struct ike_addr *a, const struct ike_addr *b);
bool ike_path_equal(const struct ike_path *a, const struct ike_path *b);

/* "192.0.2.1" or "2001:db8::1" into ip; returns the family, 0 when it is neither. */
uint8_t ike_ip_parse(const char *text, uint8_t ip[16]);
const char *ike_ip_format(uint8_t family, const uint8_t *ip, char *buf, size_t size);

#endif
