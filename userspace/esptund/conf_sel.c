// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Selectors in the configuration. See conf_sel.h. What two of them must not share, and that both
 * networks of one are of the same IP version, is ike_config_check's.
 */
#include "conf_sel.h"

#include <string.h>

#include "conf_value.h"

static void apply_net(struct conf_build *b, const struct conf_entry *e, struct ike_net *net)
{
	if (conf_parse_net(e->word[0].text, net))
		conf_bad_value(b, e, &e->word[0], "any, an address or address/prefix with no bits set after the prefix");
}

void conf_sel_local_net(struct conf_build *b, const struct conf_entry *e)
{
	apply_net(b, e, &b->ike->sel[0].local);
}

void conf_sel_remote_net(struct conf_build *b, const struct conf_entry *e)
{
	apply_net(b, e, &b->ike->sel[0].remote);
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* A network that ends where the text does, or at a blank; NULL: it is none. */
static const char *parse_net(const char *p, struct ike_net *net)
{
	size_t len = strcspn(p, " \t=");
	char text[64];

	if (len >= sizeof(text))
		return NULL;
	memcpy(text, p, len);
	text[len] = 0;
	return conf_parse_net(text, net) ? NULL : p + len;
}

/* "LOCAL === REMOTE" */
static int parse_selector(const char *p, struct ike_selector *sel)
{
	p = parse_net(skip_blanks(p), &sel->local);
	if (!p)
		return -1;
	p = skip_blanks(p);
	if (strncmp(p, "===", 3) != 0)
		return -1;
	p = parse_net(skip_blanks(p + 3), &sel->remote);
	if (!p || *skip_blanks(p))
		return -1;
	/* any is of the other network's version */
	if (!sel->local.prefix)
		sel->local.family = sel->remote.family;
	else if (!sel->remote.prefix)
		sel->remote.family = sel->local.family;
	return 0;
}

void conf_sel_selectors(struct conf_build *b, const struct conf_entry *e)
{
	size_t i;

	b->ike->n_sel = 0;
	for (i = 0; i < e->n_words; i++) {
		if (parse_selector(e->word[i].text, &b->ike->sel[b->ike->n_sel]))
			conf_bad_value(b, e, &e->word[i], "NETWORK === NETWORK, this end's first; each any, an address "
				       "or address/prefix with no bits set after the prefix");
		else
			b->ike->n_sel++;
	}
	/* Something was reported; what else is wrong is to be found, too. */
	if (!b->ike->n_sel)
		b->ike->n_sel = 1;
}

void conf_sel_narrowing(struct conf_build *b, const struct conf_entry *e)
{
	if (conf_parse_bool(e->word[0].text, &b->ike->narrowing))
		conf_bad_value(b, e, &e->word[0], "true or false");
}

static const char *const nets[] = { "local-net", "remote-net" };

void conf_sel_check_section(struct conf_log *log, const struct conf_section *s)
{
	const struct conf_entry *list = conf_section_find(s, "selectors"), *net;
	unsigned int i;

	for (i = 0; i < 2 && list; i++) {
		net = conf_section_find(s, nets[i]);
		if (net)
			conf_error(log, net->line, "%s and selectors (line %u) are both given: put it into selectors",
				   nets[i], list->line);
	}
}

bool conf_sel_is_other_spelling(const struct conf_section *s, const char *key)
{
	if (!strcmp(key, "selectors"))
		return conf_section_find(s, nets[0]) || conf_section_find(s, nets[1]);
	return (!strcmp(key, nets[0]) || !strcmp(key, nets[1])) && conf_section_find(s, "selectors");
}
