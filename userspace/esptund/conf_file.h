/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration as sections of keys and words, each with its line: what libconfuse's
 * grammar can tell, before anybody asks what a word means. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_FILE_H
#define ESPTUND_CONF_FILE_H

#include "conf_text.h"

enum conf_kind { CONF_DEFAULT, CONF_PROFILE, CONF_TUNNEL, CONF_TRUSTPOINT, CONF_N_KINDS };

struct conf_word {
	char *text;			/* may be a secret: wiped when freed */
	unsigned int line;
};

/* key = word, or key = { word, … } */
struct conf_entry {
	const char *key;		/* of the key table */
	unsigned int line;
	struct conf_word *word;
	size_t n_words;			/* at least one */
};

struct conf_section {
	enum conf_kind kind;
	char *title;			/* "" for default */
	unsigned int line;
	struct conf_entry *entry;
	size_t n_entries;
};

struct conf_file {
	struct conf_text text;
	struct conf_section *section;
	size_t n_sections;
};

/*
 * Read path. Reports unknown keys and sections, repeated keys, empty lists and what the
 * grammar does not allow. 0 when the sections can be looked at, even if something was
 * reported; -1 when there is nothing to look at. To be cleared in both cases.
 */
int conf_file_read(struct conf_file *f, const char *path, struct conf_log *log);
void conf_file_clear(struct conf_file *f);

const char *conf_kind_name(enum conf_kind kind);
/* The section's entry for key, NULL if it has none. s may be NULL. */
const struct conf_entry *conf_section_find(const struct conf_section *s, const char *key);

#endif
