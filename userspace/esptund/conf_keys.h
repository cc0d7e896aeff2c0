/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys of the configuration: one table says where each may stand, whether it takes a
 * list and what its words do to a tunnel. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_KEYS_H
#define ESPTUND_CONF_KEYS_H

#include "conf_file.h"

/* A tunnel being put together. */
struct conf_build {
	struct conf_log *log;
	const struct conf_file *file;
	const char *dir;		/* directory of the configuration, for relative paths */
	const char *name;		/* the tunnel's; NULL when a section is looked at for itself */
	struct ike_tunnel_cfg *ike;
	struct conf_tunnel *own;
	const struct ike_config *whole;	/* its trustpoints are complete; NULL when a section is looked at for itself */
};

struct conf_key {
	const char *name;
	bool tunnel_only;
	unsigned int max_words;
	void (*apply)(struct conf_build *b, const struct conf_entry *e);
};

/* KEY = "WORD": must be 'want'. */
void conf_bad_value(struct conf_build *b, const struct conf_entry *e, const struct conf_word *w, const char *want);

/* In the order in which they are to be applied; ends with a NULL name. */
extern const struct conf_key conf_keys[];

/* The keys of a kind of section. */
const struct conf_key *conf_keys_of(enum conf_kind kind);
/* The key of that name in a table, or in any; NULL if there is none. */
const struct conf_key *conf_key_in(const struct conf_key *table, const char *name);
const struct conf_key *conf_key_find(const char *name);
/* file of the configuration's directory, or an absolute one, into path. False, and reported: no such name. */
bool conf_path(struct conf_log *log, const char *dir, const struct conf_entry *e, const struct conf_word *w,
	       char *path, size_t size);
/* conf_auth.c: "ecdsa" stands for each curve that a trustpoint of the tunnel has a key for. */
void conf_auth_resolve(struct conf_build *b);
/* The known word that looks most like name; NULL if none is near. */
const char *conf_key_nearest(const char *name);
/* Apply with the checks all keys share. */
void conf_key_apply(const struct conf_key *key, struct conf_build *b, const struct conf_entry *e);

#endif
