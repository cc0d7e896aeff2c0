// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words for values, both ways, from the generated tables; addresses as text; wiping.
 * Pure functions without state.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libesptun/libesptun.h"
#include "libesptun/nl_gen.h"

static const char *name_of(const struct esptun_nl_names *names, unsigned int value)
{
	return value < names->count && names->names[value] ? names->names[value] : "unknown";
}

static int value_of(const struct esptun_nl_names *names, const char *word)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], word) == 0)
			return (int)i;
	return -ENOENT;
}

const char *esptun_dir_name(enum esptun_dir dir)
{
	return name_of(&esptun_nl_dir_names, dir);
}

const char *esptun_encr_name(enum esptun_encr encr)
{
	return name_of(&esptun_nl_encr_names, encr);
}

const char *esptun_auth_name(enum esptun_auth auth)
{
	return name_of(&esptun_nl_auth_names, auth);
}

const char *esptun_encap_name(enum esptun_encap encap)
{
	return name_of(&esptun_nl_encap_names, encap);
}

const char *esptun_sa_state_name(enum esptun_sa_state state)
{
	return name_of(&esptun_nl_sa_state_names, state);
}

const char *esptun_drop_name(enum esptun_drop drop)
{
	return name_of(&esptun_nl_drop_names, drop);
}

const char *esptun_delete_reason_name(enum esptun_delete_reason reason)
{
	return name_of(&esptun_nl_delete_reason_names, reason);
}

const char *esptun_event_name(int type)
{
	switch (type) {
	case ESPTUN_EVENT_RESYNC:
		return "resync";
	case ESPTUN_EVENT_TUNNEL_SET:
		return "tunnel-set";
	case ESPTUN_EVENT_TUNNEL_GONE:
		return "tunnel-gone";
	default:
		return name_of(&esptun_nl_cmd_names, (unsigned int)type);
	}
}

int esptun_dir_value(const char *word)
{
	return value_of(&esptun_nl_dir_names, word);
}

int esptun_encr_value(const char *word)
{
	return value_of(&esptun_nl_encr_names, word);
}

int esptun_auth_value(const char *word)
{
	return value_of(&esptun_nl_auth_names, word);
}

int esptun_encap_value(const char *word)
{
	return value_of(&esptun_nl_encap_names, word);
}

int esptun_sa_state_value(const char *word)
{
	return value_of(&esptun_nl_sa_state_names, word);
}

bool esptun_encr_combined(enum esptun_encr encr)
{
	static const bool combined[ESPTUN_ENCR_COUNT] = {
		[ESPTUN_ENCR_AES_GCM_8] = true, [ESPTUN_ENCR_AES_GCM_12] = true,
		[ESPTUN_ENCR_AES_GCM_16] = true, [ESPTUN_ENCR_AES_CCM_8] = true,
		[ESPTUN_ENCR_AES_CCM_12] = true, [ESPTUN_ENCR_AES_CCM_16] = true,
		[ESPTUN_ENCR_NULL_AES_GMAC] = true, [ESPTUN_ENCR_CHACHA20_POLY1305] = true,
	};

	return (unsigned int)encr < ESPTUN_ENCR_COUNT && combined[encr];
}

int esptun_addr_parse(const char *text, struct esptun_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, text, &addr->v4) == 1)
		addr->family = AF_INET;
	else if (inet_pton(AF_INET6, text, &addr->v6) == 1)
		addr->family = AF_INET6;
	return addr->family ? 0 : -EINVAL;
}

const char *esptun_addr_text(const struct esptun_addr *addr, char buf[INET6_ADDRSTRLEN])
{
	const void *octets = addr->family == AF_INET ? (const void *)&addr->v4 : &addr->v6;

	if (addr->family == AF_UNSPEC || (addr->family == AF_INET && !addr->v4.s_addr) ||
	    (addr->family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&addr->v6)) ||
	    !inet_ntop(addr->family, octets, buf, INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "any");
	return buf;
}

void esptun_wipe(void *p, size_t len)
{
	explicit_bzero(p, len);
}
