// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aggressive mode in the configuration. See conf_aggressive.h. What cannot work at all is
 * refused by ike_config_check().
 */
#include "conf_aggressive.h"

#include <string.h>

#include "conf_value.h"

bool conf_is_any(const struct ike_addr *a)
{
	static const uint8_t none[sizeof(a->ip)];

	return a->family && !memcmp(a->ip, none, sizeof(none));
}

void conf_apply_exchange(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = { { "main", false }, { "aggressive", true }, { NULL, 0 } };
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "main or aggressive");
	else
		b->ike->aggressive = value;
}

void conf_apply_aggressive_psk(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = { { "no", false }, { "insecure-yes", true }, { NULL, 0 } };
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value)) {
		conf_bad_value(b, e, &e->word[0], "no or insecure-yes");
		return;
	}
	b->ike->aggressive_psk = value;
	if (value && b->name)
		conf_warning(b->log, e->line, "tunnel %s answers aggressive mode: whoever sends the peer's identity gets a hash "
			     "of the pre-shared key and can try keys against it unseen", b->name);
}

void conf_check_aggressive(struct conf_build *b)
{
	const struct ike_tunnel_cfg *t = b->ike;
	char text[80];
	unsigned int i;

	for (i = 1; t->aggressive && i < t->n_p1; i++)
		if (t->p1[i].group != t->p1[0].group)
			conf_warning(b->log, t->line, "tunnel %s: aggressive mode carries one group, that of the first phase1 "
				     "proposal: \"%s\" is not offered, only taken from the peer", b->name,
				     ike_p1_format(&t->p1[i], text, sizeof(text)));
}
