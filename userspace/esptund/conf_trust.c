// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trustpoint sections. Reads the files they name, private keys only when closed to others; what
 * is in them is ikecrypto's business.
 */
#include "conf_trust.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ikecrypto/trust.h"
#include "libike/crypto.h"
#include "secrets.h"

#define MAX_FILES 16
#define MAX_REMARKS 32

static void loaded_as_a_whole(struct conf_build *b, const struct conf_entry *e)
{
	(void)b;
	(void)e;
}

const struct conf_key conf_trust_keys[] = {
	{ "ca", false, MAX_FILES, loaded_as_a_whole },
	{ "cert", false, MAX_FILES, loaded_as_a_whole },
	{ "key", false, 1, loaded_as_a_whole },
	{ "crl", false, MAX_FILES, loaded_as_a_whole },
	{ NULL, false, 0, NULL },
};

struct loading {
	struct conf_log *log;
	const char *dir;
	const struct conf_section *section;
	struct ike_trust *trust;
	bool failed;
};

static void add_file(struct loading *l, const struct conf_entry *e, const struct conf_word *w, enum ikecrypto_kind kind)
{
	char path[4096], why[512];
	uint8_t *data;
	size_t len;
	int err;

	l->failed = true;
	if (!conf_path(l->log, l->dir, e, w, path, sizeof(path)))
		return;
	err = kind == IKECRYPTO_KEY ? secrets_read_key(path, &data, &len, why, sizeof(why)) :
				      secrets_read_public(path, &data, &len, why, sizeof(why));
	if (err) {
		conf_error(l->log, w->line, "%s: %s", e->key, why);
		return;
	}
	err = ikecrypto_trust_add(l->trust, kind, data, len, why, sizeof(why));
	if (kind == IKECRYPTO_KEY)
		ike_crypto_wipe(data, len);
	free(data);
	if (err)
		conf_error(l->log, w->line, "%s: %s %s", e->key, path, why);
	l->failed = err;
}

static void add_key(struct loading *l, const struct conf_entry *e)
{
	const struct conf_word *w = &e->word[0];
	char why[256];

	if (strncmp(w->text, "pkcs11:", 7)) {
		add_file(l, e, w, IKECRYPTO_KEY);
	} else if (ikecrypto_trust_key_uri(l->trust, w->text, why, sizeof(why))) {
		/* A URI may hold a PIN: it is not shown. */
		conf_error(l->log, w->line, "key: the pkcs11: URI: %s", why);
		l->failed = true;
	}
}

static void add_files(struct loading *l, const char *key, enum ikecrypto_kind kind)
{
	const struct conf_entry *e = conf_section_find(l->section, key);
	size_t i;
	bool failed = l->failed;

	if (e && e->n_words > conf_key_in(conf_trust_keys, key)->max_words) {
		conf_error(l->log, e->line, "%s has %zu values: it takes at most %u", key, e->n_words,
			   conf_key_in(conf_trust_keys, key)->max_words);
		l->failed = true;
		return;
	}
	for (i = 0; e && i < e->n_words; i++) {
		if (kind == IKECRYPTO_KEY)
			add_key(l, e);
		else
			add_file(l, e, &e->word[i], kind);
		failed |= l->failed;
	}
	l->failed = failed;
}

static void remarks(const struct loading *l)
{
	int64_t now = (int64_t)time(NULL);
	char text[300];
	unsigned int i;

	for (i = 0; i < MAX_REMARKS && ikecrypto_trust_remark(l->trust, now, i, text, sizeof(text)); i++)
		conf_warning(l->log, l->section->line, "trustpoint %s: %s", l->section->title, text);
}

bool conf_trust_load(struct conf_log *log, const char *dir, const struct conf_section *s, struct ike_trustpoint *tp)
{
	struct loading l = { .log = log, .dir = dir, .section = s, .trust = ikecrypto_trust_new() };
	char why[256];

	if (!l.trust) {
		conf_no_memory(log);
		return false;
	}
	if (!conf_section_find(s, "ca")) {
		conf_error(log, s->line, "trustpoint %s has no ca: write ca = \"FILE\"", s->title);
		l.failed = true;
	}
	add_files(&l, "ca", IKECRYPTO_CA);
	add_files(&l, "cert", IKECRYPTO_CERT);
	add_files(&l, "key", IKECRYPTO_KEY);
	add_files(&l, "crl", IKECRYPTO_CRL);
	if (!l.failed && ikecrypto_trust_finish(l.trust, why, sizeof(why))) {
		conf_error(log, s->line, "trustpoint %s %s", s->title, why);
		l.failed = true;
	}
	if (l.failed) {
		ike_trust_unref(l.trust);
		return false;
	}
	remarks(&l);
	snprintf(tp->name, sizeof(tp->name), "%s", s->title);
	tp->line = s->line;
	tp->trust = l.trust;
	return true;
}
