// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Conversions of struct ike_addr. Owns no state, resolves no names.
 */
#include "addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

size_t addr_len(const struct ike_addr *a)
{
	return a->family == 4 ? 4 : a->family == 6 ? 16 : 0;
}

socklen_t addr_to_sockaddr(const struct ike_addr *a, struct sockaddr_storage *ss)
{
	memset(ss, 0, sizeof(*ss));
	if (a->family == 4) {
		struct sockaddr_in *sin = (struct sockaddr_in *)ss;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(a->port);
		memcpy(&sin->sin_addr, a->ip, 4);
		return sizeof(*sin);
	}
	if (a->family == 6) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(a->port);
		memcpy(&sin6->sin6_addr, a->ip, 16);
		return sizeof(*sin6);
	}
	return 0;
}

bool addr_from_sockaddr(const struct sockaddr *sa, struct ike_addr *a)
{
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;

		memset(a, 0, sizeof(*a));
		a->family = 4;
		a->port = ntohs(sin->sin_port);
		memcpy(a->ip, &sin->sin_addr, 4);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sa;

		memset(a, 0, sizeof(*a));
		a->family = 6;
		a->port = ntohs(sin6->sin6_port);
		memcpy(a->ip, &sin6->sin6_addr, 16);
		return true;
	}
	return false;
}

const char *addr_format_ip(const struct ike_addr *a, char *buf, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	if (!addr_len(a))
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%s", inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, ip, sizeof(ip)));
	return buf;
}

const char *addr_format(const struct ike_addr *a, char *buf, size_t size)
{
	char ip[INET6_ADDRSTRLEN];

	addr_format_ip(a, ip, sizeof(ip));
	if (!a->port)
		snprintf(buf, size, "%s", ip);
	else
		snprintf(buf, size, a->family == 6 ? "[%s]:%u" : "%s:%u", ip, a->port);
	return buf;
}

bool addr_is_any(const struct ike_addr *a)
{
	static const uint8_t zero[16];

	return !memcmp(a->ip, zero, addr_len(a));
}
