// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration as sections of keys and words, by way of libconfuse's parser. It stops at
 * its first error, so every key is declared to it as a list of strings, which it cannot
 * dislike, and what it collects here is judged later. A word it does not know is reported,
 * declared too, and the text parsed again: so one run names all of them.
 *
 * Never interprets a value. Not reentrant, as libconfuse is not.
 */
#include "conf_file.h"

#include <confuse.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "conf_keys.h"
#include "libike/crypto.h"

/*
 * Each list starts out with this one word, which conf_text.c lets nobody write. It tells that
 * a section begins, and shows "+=" with nothing before it: only "=" throws the word away.
 */
#define MARKER "\001"
#define MARKER_DEFAULT "{'\001'}"

#define MAX_UNKNOWN 64			/* words; then the rest of the file stays unread */
#define MAX_KEYS 64

static const char *const kind_names[CONF_N_KINDS] = { "default", "profile", "tunnel", "trustpoint" };

/* A word libconfuse did not know, and how it is declared so that parsing can go on. */
struct unknown {
	char *name;
	const char *where;		/* section it stands in, "root" outside of all */
	enum { AS_KEY, AS_TITLED, AS_UNTITLED } as;
};

static struct reading {
	struct conf_log *log;
	struct conf_file *file;
	struct unknown unknown[MAX_UNKNOWN];
	unsigned int n_unknown;
	bool again;			/* an unknown word was declared: parse again */
	bool out_of_memory;
} *reading;

const char *conf_kind_name(enum conf_kind kind)
{
	return kind_names[kind];
}

const struct conf_entry *conf_section_find(const struct conf_section *s, const char *key)
{
	size_t i;

	for (i = 0; s && i < s->n_entries; i++)
		if (!strcmp(s->entry[i].key, key))
			return &s->entry[i];
	return NULL;
}

/* CONF_N_KINDS: none of the known sections. */
static enum conf_kind kind_of(const cfg_t *cfg)
{
	int kind = 0;

	while (kind < CONF_N_KINDS && strcmp(cfg->name, kind_names[kind]))
		kind++;
	return (enum conf_kind)kind;
}

/* Only the known sections and "root" are told apart; all unknown sections are alike. */
static const char *where_of(const cfg_t *cfg)
{
	enum conf_kind kind = kind_of(cfg);

	if (kind != CONF_N_KINDS)
		return kind_names[kind];
	return strcmp(cfg->name, "root") ? "unknown" : "root";
}

/* ---- what the callbacks build ---------------------------------------------------------- */

/* One more, zeroed, at the end of an array; NULL when memory is short. */
static void *grow(void **array, size_t *n, size_t size)
{
	char *bigger = realloc(*array, (*n + 1) * size);

	if (!bigger) {
		reading->out_of_memory = true;
		return NULL;
	}
	*array = bigger;
	bigger += (*n)++ * size;
	memset(bigger, 0, size);
	return bigger;
}

static struct conf_section *newest_section(void)
{
	struct conf_file *f = reading->file;

	return f->n_sections ? &f->section[f->n_sections - 1] : NULL;
}

static int begin_section(cfg_t *cfg)
{
	enum conf_kind kind = kind_of(cfg);
	struct conf_section *s;

	if (kind == CONF_N_KINDS)
		return 0;
	s = grow((void **)&reading->file->section, &reading->file->n_sections, sizeof(*s));
	if (!s)
		return -1;
	s->kind = kind;
	s->line = (unsigned int)cfg->line;
	s->title = strdup(cfg->title ? cfg->title : "");
	if (!s->title)
		reading->out_of_memory = true;
	return s->title ? 0 : -1;
}

static int add_word(struct conf_entry *e, const char *text, unsigned int line)
{
	struct conf_word *w = grow((void **)&e->word, &e->n_words, sizeof(*w));

	if (!w)
		return -1;
	w->line = line;
	w->text = strdup(text);
	if (!w->text)
		reading->out_of_memory = true;
	return w->text ? 0 : -1;
}

static int add_entry(const struct conf_key *key, unsigned int n_values, const char *text, unsigned int line)
{
	struct conf_section *s = newest_section();
	struct conf_entry *e = (struct conf_entry *)conf_section_find(s, key->name);

	if (e && n_values == 1) {
		conf_error(reading->log, line, "%s was set on line %u already: keep one of the two", key->name,
			   e->line);
		return 0;
	}
	if (!e) {
		if (n_values != 1)
			conf_error(reading->log, line, "%s += has nothing before it to add to: write %s =", key->name,
				   key->name);
		e = grow((void **)&s->entry, &s->n_entries, sizeof(*e));
		if (!e)
			return -1;
		e->key = key->name;
		e->line = line;
	}
	return add_word(e, text, line);
}

/* libconfuse has read a word of a list. It keeps a copy of what is put into result. */
static int on_word(cfg_t *cfg, cfg_opt_t *opt, const char *text, void *result)
{
	enum conf_kind kind = kind_of(cfg);
	const struct conf_key *table = kind == CONF_N_KINDS ? NULL : conf_keys_of(kind);
	const struct conf_key *key = table ? conf_key_in(table, opt->name) : NULL;
	unsigned int line = (unsigned int)cfg->line;

	*(const char **)result = MARKER;
	if (!strcmp(text, MARKER))
		return key && key == table ? begin_section(cfg) : 0;
	if (!key)
		return 0;		/* not known, or not here: reported already */
	return add_entry(key, opt->nvalues, text, line);
}

/* A section has ended: keys without a word left no trace but an empty list. */
static int on_section_end(cfg_t *cfg, cfg_opt_t *opt)
{
	const cfg_t *s = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	unsigned int i;

	(void)cfg;
	for (i = 0; s && s->opts[i].name; i++)
		if (s->opts[i].type == CFGT_STR && !s->opts[i].nvalues)
			conf_error(reading->log, newest_section()->line, "%s in the section that starts here is an "
				   "empty list: leave it out, or name something", s->opts[i].name);
	return 0;
}

/* ---- what libconfuse complains about ---------------------------------------------------- */

static void report_unknown(const char *name, const char *where, unsigned int line)
{
	const char *near = conf_key_nearest(name);

	if (conf_text_line_is_secret(&reading->file->text, line) && near)
		conf_error(reading->log, line, "unknown key: did you mean %s?", near);
	else if (conf_text_line_is_secret(&reading->file->text, line))
		conf_error(reading->log, line, "a word on this line is no key (not shown, it may be a secret): "
			   "put the secret in quotes");
	else if (!strcmp(where, "root") && conf_key_find(name))
		conf_error(reading->log, line, "%s must stand in a %s section", name,
			   conf_key_in(conf_keys, name) ? "default, profile or tunnel" : "trustpoint");
	else if (!strcmp(where, "root"))
		conf_error(reading->log, line, "unknown section or key \"%s\": sections are default, profile NAME, "
			   "tunnel NAME and trustpoint NAME", name);
	else if (conf_key_find(name))
		conf_error(reading->log, line, "%s does not belong in a %s section", name, where);
	else if (near)
		conf_error(reading->log, line, "unknown key \"%s\": did you mean %s?", name, near);
	else
		conf_error(reading->log, line, "unknown key \"%s\": remove it", name);
}

static void declare_unknown(const cfg_t *cfg, const char *name)
{
	struct unknown *u = &reading->unknown[reading->n_unknown];

	if (strcmp(where_of(cfg), "unknown"))
		report_unknown(name, where_of(cfg), (unsigned int)cfg->line);
	if (reading->n_unknown == MAX_UNKNOWN) {
		conf_error(reading->log, (unsigned int)cfg->line, "too many unknown words: the rest was not read");
		return;
	}
	*u = (struct unknown){ .name = strdup(name), .where = where_of(cfg) };
	if (!u->name) {
		reading->out_of_memory = true;
		return;
	}
	reading->n_unknown++;
	reading->again = true;
}

/*
 * An unknown word turns out to be a section, first taken for one with a title. Sections in
 * unknown sections are not worth it.
 */
static bool declare_as_section(const cfg_t *cfg, const char *name)
{
	const char *where = where_of(cfg);
	unsigned int i;

	for (i = 0; i < reading->n_unknown && strcmp(where, "unknown"); i++) {
		if (strcmp(reading->unknown[i].name, name) || strcmp(reading->unknown[i].where, where) ||
		    reading->unknown[i].as == AS_UNTITLED)
			continue;
		reading->unknown[i].as++;
		reading->again = true;
		return true;
	}
	return false;
}

/* libconfuse's sentences, in ours. %s is what libconfuse names. */
static const struct complaint {
	const char *theirs, *ours;
	bool may_be_section;
} complaints[] = {
	{ "missing equal sign after option '%s'", "no = after %s: write %s = VALUE", true },
	{ "missing title for section '%s'", "%s needs a name: write %s NAME { ... }", true },
	{ "missing opening brace for section '%s'", "no { after %s and its name", false },
	{ "unexpected token '%s'", "%s cannot stand here: look for a missing quote, comma, = or brace", false },
	{ "unexpected closing brace", "this } closes nothing: remove it, or add the { it belongs to", false },
	{ "premature end of file", "the file ends where a name, = or value is missing", false },
};

static bool is_unknown(const cfg_t *cfg, const char *name)
{
	unsigned int i;

	for (i = 0; i < reading->n_unknown; i++)
		if (!strcmp(reading->unknown[i].name, name) && !strcmp(reading->unknown[i].where, where_of(cfg)))
			return true;
	return false;
}

/* A word of the grammar; any other might be a piece of a secret. */
static bool is_harmless(const char *word)
{
	int kind;

	for (kind = 0; kind < CONF_N_KINDS; kind++)
		if (!strcmp(word, kind_names[kind]))
			return true;
	return conf_key_find(word) || (strlen(word) == 1 && strchr("{}=,()+", *word));
}

static void complain(const cfg_t *cfg, const char *fmt, const char *name)
{
	unsigned int line = (unsigned int)cfg->line;
	const struct complaint *c = NULL;
	char ours[256], shown[64];
	size_t i;

	snprintf(shown, sizeof(shown), "%s", is_harmless(name) ? name : "a word");
	for (i = 0; i < sizeof(complaints) / sizeof(complaints[0]) && !c; i++)
		if (!strcmp(complaints[i].theirs, fmt))
			c = &complaints[i];
	if (!c) {
		conf_error(reading->log, line, "syntax error: look for a missing quote, comma, = or brace");
		return;
	}
	if (c->may_be_section && declare_as_section(cfg, name))
		return;
	if (is_unknown(cfg, name))
		return;			/* neither key nor section: reported when it was met first */
	/* Each of our sentences names the word at most twice. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(ours, sizeof(ours), c->ours, shown, shown);
#pragma GCC diagnostic pop
	conf_error(reading->log, line, "%s (what follows was not read)", ours);
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	const char *name = strstr(fmt, "'%s'") ? va_arg(ap, const char *) : "";

	if (!strcmp(fmt, "no such option '%s'"))
		declare_unknown(cfg, name);
	else
		complain(cfg, fmt, name);
}

/* ---- running libconfuse ------------------------------------------------------------------ */

static unsigned int add_unknown(cfg_opt_t *opts, unsigned int n, const char *where, cfg_opt_t *inside)
{
	const struct unknown *u;
	unsigned int i;

	for (i = 0; i < reading->n_unknown; i++) {
		u = &reading->unknown[i];
		if (strcmp(u->where, where))
			continue;
		if (u->as == AS_KEY)
			opts[n++] = (cfg_opt_t)CFG_STR_LIST_CB(u->name, MARKER_DEFAULT, CFGF_NONE, on_word);
		else
			opts[n++] = (cfg_opt_t)CFG_SEC(u->name, inside, CFGF_MULTI |
						       (u->as == AS_TITLED ? CFGF_TITLE : CFGF_NONE));
	}
	return n;
}

static unsigned int add_keys(cfg_opt_t *opts, enum conf_kind kind)
{
	const struct conf_key *keys = conf_keys_of(kind);
	unsigned int n;

	for (n = 0; keys[n].name && n < MAX_KEYS; n++)
		opts[n] = (cfg_opt_t)CFG_STR_LIST_CB(keys[n].name, MARKER_DEFAULT, CFGF_NONE, on_word);
	return n;
}

static int parse_once(void)
{
	static const cfg_opt_t end = CFG_END();
	cfg_opt_t keys[CONF_N_KINDS][MAX_KEYS + MAX_UNKNOWN + 1], inside[MAX_UNKNOWN + 1];
	cfg_opt_t root[CONF_N_KINDS + MAX_UNKNOWN + 1];
	unsigned int n, kind;
	cfg_t *cfg;
	int err;

	inside[add_unknown(inside, 0, "unknown", NULL)] = end;
	for (kind = 0; kind < CONF_N_KINDS; kind++) {
		n = add_keys(keys[kind], (enum conf_kind)kind);
		keys[kind][add_unknown(keys[kind], n, kind_names[kind], inside)] = end;
		root[kind] = (cfg_opt_t)CFG_SEC(kind_names[kind], keys[kind],
						CFGF_MULTI | (kind == CONF_DEFAULT ? CFGF_NONE : CFGF_TITLE));
		root[kind].validcb = on_section_end;
	}
	root[add_unknown(root, CONF_N_KINDS, "root", inside)] = end;
	cfg = cfg_init(root, CFGF_NONE);
	if (!cfg)
		return -1;
	cfg_set_error_function(cfg, on_error);
	err = cfg_parse_buf(cfg, reading->file->text.text);
	cfg_free(cfg);
	return err ? -1 : 0;
}

static void clear_sections(struct conf_file *f)
{
	struct conf_section *s;
	struct conf_entry *e;
	struct conf_word *w;

	for (s = f->section; s < f->section + f->n_sections; s++) {
		for (e = s->entry; e < s->entry + s->n_entries; e++) {
			for (w = e->word; w < e->word + e->n_words; w++) {
				if (w->text)
					ike_crypto_wipe(w->text, strlen(w->text));
				free(w->text);
			}
			free(e->word);
		}
		free(s->entry);
		free(s->title);
	}
	free(f->section);
	f->section = NULL;
	f->n_sections = 0;
}

int conf_file_read(struct conf_file *f, const char *path, struct conf_log *log)
{
	struct reading r = { .log = log, .file = f };

	*f = (struct conf_file){ 0 };
	if (conf_text_read(&f->text, path, log))
		return -1;
	reading = &r;
	do {
		r.again = false;
		clear_sections(f);
		if (parse_once() && !r.again && !log->errors)
			conf_no_memory(log);
	} while (r.again && !r.out_of_memory);
	if (r.out_of_memory)
		conf_no_memory(log);
	while (r.n_unknown)
		free(r.unknown[--r.n_unknown].name);
	reading = NULL;
	return r.out_of_memory ? -1 : 0;
}

void conf_file_clear(struct conf_file *f)
{
	clear_sections(f);
	conf_text_clear(&f->text);
}
