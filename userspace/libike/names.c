// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables of names made from the X-macros of wire.h and names.h. Only looks up.
 */
#include "names.h"

#include <stddef.h>

#include "state.h"
#include "wire.h"

struct name {
	unsigned int number;
	const char *text;
};

#define ENTRY3(sym, num, text) { num, text },
#define ENTRY2(num, text) { num, text },
static const struct name payloads[] = { IKE_PAYLOADS(ENTRY3) };
static const struct name exchanges[] = { IKE_EXCHANGES(ENTRY3) };
static const struct name notifies[] = { IKE_NOTIFIES(ENTRY3) };
static const struct name id_types[] = { IKE_IDTYPES(ENTRY2) };
static const struct name auths[] = { IKE_AUTHS(ENTRY2) };

#define EVENT_DEF(sym, text) const char sym[] = text;
IKE_EVENTS(EVENT_DEF)

static const char *find(const struct name *tab, size_t n, unsigned int number)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (tab[i].number == number)
			return tab[i].text;
	return "unknown";
}

#define FIND(tab, number) find(tab, sizeof(tab) / sizeof((tab)[0]), number)

const char *ike_name_payload(unsigned int type)
{
	return FIND(payloads, type);
}

const char *ike_name_exchange(unsigned int type)
{
	return FIND(exchanges, type);
}

const char *ike_name_notify(unsigned int type)
{
	return FIND(notifies, type);
}

const char *ike_name_id_type(unsigned int type)
{
	return FIND(id_types, type);
}

const char *ike_name_auth(unsigned int method)
{
	return FIND(auths, method);
}

#define STATE_NAME(sym, name, cisco) [sym] = name,
#define STATE_CISCO(sym, name, cisco) [sym] = cisco,

const char *ike_state_name(enum ike_state s)
{
	static const char *const tab[] = { IKE_STATES(STATE_NAME) };

	return tab[s];
}

const char *ike_state_cisco_name(enum ike_state s)
{
	static const char *const tab[] = { IKE_STATES(STATE_CISCO) };

	return tab[s];
}
