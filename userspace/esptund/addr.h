/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses as libike has them, as sockets want them and as people read them.
 */
#ifndef ESPTUND_ADDR_H
#define ESPTUND_ADDR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "libike/ike.h"

/* Octets that hold any address with port in text, terminator included. */
#define ADDR_TEXT_MAX 64

/* Fill *ss and return its length in octets; 0 when the family is unset. */
socklen_t addr_to_sockaddr(const struct ike_addr *a, struct sockaddr_storage *ss);
/* Returns false, leaving *a alone, for families other than IPv4 and IPv6. */
bool addr_from_sockaddr(const struct sockaddr *sa, struct ike_addr *a);
/* "192.0.2.1", "2001:db8::1", "-" when unset. Returns buf. */
const char *addr_format_ip(const struct ike_addr *a, char *buf, size_t size);
/* The same with the port: "192.0.2.1:500", "[2001:db8::1]:500". Returns buf. */
const char *addr_format(const struct ike_addr *a, char *buf, size_t size);
/* True when unset or all zero. */
bool addr_is_any(const struct ike_addr *a);
/* Octets of the address itself: 4, 16, or 0 when unset. */
size_t addr_len(const struct ike_addr *a);

#endif
