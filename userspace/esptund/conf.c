// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From sections to a configuration: which section's word wins, what a tunnel must have, what
 * two tunnels must not share. Sections are judged one by one first, so that a mistake in a
 * profile nobody uses is found too; then each tunnel is put together and judged as a whole.
 * Never applies anything.
 */
#include "conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_aggressive.h"
#include "conf_keys.h"
#include "conf_lint.h"
#include "conf_sel.h"
#include "conf_trust.h"
#include "conf_xauth.h"
#include "libike/config.h"
#include "users.h"

/* Offered when the configuration names none. */
static const char *const default_p1[] = {
	"aes256-sha256-modp2048", "aes128-sha256-modp2048", "aes256-sha256-ecp256",
};
static const char *const default_p2[] = { "aes256gcm16-modp2048", "aes128gcm16-modp2048", "aes256-sha256-modp2048" };

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct conf_section *find_section(const struct conf_file *f, enum conf_kind kind, const char *title)
{
	size_t i;

	for (i = 0; i < f->n_sections; i++)
		if (f->section[i].kind == kind && !strcmp(f->section[i].title, title))
			return &f->section[i];
	return NULL;
}

static bool is_name(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return *s && strlen(s) <= IKE_NAME_MAX && strspn(s, letters) == strlen(s);
}

static void check_title(struct conf_log *log, const struct conf_file *f, const struct conf_section *s)
{
	const struct conf_section *first = find_section(f, s->kind, s->title);

	if (s->kind != CONF_DEFAULT && !is_name(s->title))
		conf_error(log, s->line, "%s \"%s\": a name has 1 to %d letters, digits, dots, dashes and underscores",
			   conf_kind_name(s->kind), s->title, IKE_NAME_MAX);
	else if (first != s)
		conf_error(log, s->line, "%s %s is there twice, first on line %u: merge or rename it",
			   conf_kind_name(s->kind), s->title, first->line);
}

/* ---- sections by themselves -------------------------------------------------------------- */

static void check_section(struct conf_log *log, const struct conf_file *f, const char *dir,
			  const struct conf_section *s)
{
	struct ike_tunnel_cfg ike;
	struct conf_tunnel own = { 0 };
	struct conf_build b = { .log = log, .file = f, .dir = dir, .ike = &ike, .own = &own };
	const struct conf_key *key;
	size_t i;

	check_title(log, f, s);
	ike_tunnel_cfg_init(&ike);
	for (i = 0; i < s->n_entries; i++) {
		key = conf_key_find(s->entry[i].key);
		if (key->tunnel_only && s->kind != CONF_TUNNEL)
			conf_error(log, s->entry[i].line, "%s belongs to one tunnel: move it to a tunnel section",
				   key->name);
		else
			conf_key_apply(key, &b, &s->entry[i]);
	}
	if (conf_section_find(s, "psk") && conf_section_find(s, "psk-file"))
		conf_error(log, conf_section_find(s, "psk")->line, "psk and psk-file (line %u) are both given: keep one",
			   conf_section_find(s, "psk-file")->line);
	conf_sel_check_section(log, s);
	ike_tunnel_cfg_clear(&ike);
	users_free(own.users);
}

static void check_profile_use(struct conf_log *log, const struct conf_file *f, const struct conf_section *profile)
{
	const struct conf_entry *e;
	size_t i;

	for (i = 0; i < f->n_sections; i++) {
		e = conf_section_find(&f->section[i], "profile");
		if (e && !strcmp(e->word[0].text, profile->title))
			return;
	}
	conf_warning(log, profile->line, "no tunnel uses profile %s", profile->title);
}

/* ---- a tunnel as a whole -------------------------------------------------------------------- */

/* Where a tunnel's words come from, nearest first. */
struct sources {
	const struct conf_section *s[3];
};

static struct sources tunnel_sources(struct conf_log *log, const struct conf_file *f, const struct conf_section *t)
{
	const struct conf_entry *e = conf_section_find(t, "profile");
	const struct conf_section *profile = NULL;

	if (e) {
		profile = find_section(f, CONF_PROFILE, e->word[0].text);
		if (!profile)
			conf_error(log, e->line, "there is no profile \"%s\": add profile %s { ... }", e->word[0].text,
				   e->word[0].text);
	}
	return (struct sources){ { t, profile, find_section(f, CONF_DEFAULT, "") } };
}

/* psk and psk-file are two spellings of one thing, so are selectors and networks: the nearest of either wins. */
static bool is_overridden(const struct sources *from, int level, const char *key)
{
	const char *other = !strcmp(key, "psk") ? "psk-file" : !strcmp(key, "psk-file") ? "psk" : NULL;
	int i;

	for (i = 0; i < level; i++)
		if ((other && conf_section_find(from->s[i], other)) || conf_sel_is_other_spelling(from->s[i], key))
			return true;
	return false;
}

static void apply_sources(struct conf_build *b, const struct sources *from)
{
	const struct conf_entry *e;
	const struct conf_key *key;
	int level;

	for (key = conf_keys; key->name; key++) {
		for (level = 0, e = NULL; level < 3 && !e; level++)
			e = conf_section_find(from->s[level], key->name);
		if (e && !is_overridden(from, level - 1, key->name) && !(key->tunnel_only && level > 1))
			conf_key_apply(key, b, e);
	}
}

static void apply_defaults(struct ike_tunnel_cfg *t)
{
	size_t i;

	if (!t->n_p1)
		for (i = 0; i < ARRAY_SIZE(default_p1); i++)
			t->n_p1 += !ike_p1_parse(default_p1[i], IKE_POLICY_MODERN, &t->p1[t->n_p1], NULL);
	if (!t->n_p2)
		for (i = 0; i < ARRAY_SIZE(default_p2); i++)
			t->n_p2 += !ike_p2_parse(default_p2[i], IKE_POLICY_MODERN, &t->p2[t->n_p2], NULL);
}

/* Any local address is one of the peer's family. */
static void follow_family(struct ike_tunnel_cfg *t)
{
	static const uint8_t any[sizeof(t->local.ip)];

	if (t->remote.family && !memcmp(t->local.ip, any, sizeof(any)))
		t->local.family = t->remote.family;
}

static bool has_secret(const struct sources *from)
{
	int i;

	for (i = 0; i < 3; i++)
		if (conf_section_find(from->s[i], "psk") || conf_section_find(from->s[i], "psk-file"))
			return true;
	return false;
}

static bool uses_psk(const struct ike_tunnel_cfg *t)
{
	unsigned int i;

	for (i = 0; i < t->n_auth; i++)
		if (!ike_auth_signs(t->auth[i]))
			return true;
	return !t->n_auth;
}

static void check_tunnel(struct conf_build *b, const struct sources *from)
{
	const struct ike_tunnel_cfg *t = b->ike;
	unsigned int line = t->line;

	if (!conf_section_find(from->s[0], "remote"))
		conf_error(b->log, line, "tunnel %s has no remote: write remote = ADDRESS", b->name);
	else if (!conf_is_any(&t->remote) && t->remote.family == t->local.family && !memcmp(t->remote.ip, t->local.ip, sizeof(t->local.ip)))
		conf_error(b->log, line, "tunnel %s: local and remote are the same address", b->name);
	conf_check_aggressive(b);
	conf_check_xauth(b);
	if (uses_psk(t) && !has_secret(from))
		conf_error(b->log, line, "tunnel %s has no pre-shared key: write psk-file = \"FILE\"%s", b->name,
			   t->n_auth ? "" : ", or auth = rsa with trustpoints");
	if (!b->own->device[0])
		conf_error(b->log, line, "the name of tunnel %s is too long for its interface: write device = NAME",
			   b->name);
	if (t->p2_life <= t->grace)
		conf_error(b->log, line, "tunnel %s: lifetime (%us) must be longer than grace (%us)", b->name,
			   t->p2_life, t->grace);
}

static void build_tunnel(struct conf_log *log, const struct conf_file *f, const char *dir,
			 const struct conf_section *s, struct conf *c)
{
	struct ike_tunnel_cfg *ike = &c->ike.tunnel[c->ike.n_tunnels];
	struct conf_tunnel *own = &c->tunnel[c->ike.n_tunnels];
	struct conf_build b = {
		.log = log, .file = f, .dir = dir, .name = s->title, .ike = ike, .own = own, .whole = &c->ike,
	};
	struct sources from = tunnel_sources(log, f, s);

	ike_tunnel_cfg_init(ike);
	if (from.s[1]) {
		snprintf(ike->profile, sizeof(ike->profile), "%s", from.s[1]->title);
		ike->profile_line = from.s[1]->line;
	}
	ike->line = own->line = s->line;
	snprintf(ike->name, sizeof(ike->name), "%s", s->title);
	if (strlen(s->title) < sizeof(own->device))
		memcpy(own->device, s->title, strlen(s->title) + 1);
	apply_sources(&b, &from);
	follow_family(ike);
	apply_defaults(ike);
	conf_auth_resolve(&b);
	check_tunnel(&b, &from);
}

/* ---- tunnels against each other ------------------------------------------------------------ */

static void check_devices(struct conf_log *log, const struct conf *c)
{
	const struct ike_tunnel_cfg *a, *b;
	size_t i, j;

	for (i = 1; i < c->ike.n_tunnels; i++) {
		for (j = 0; j < i; j++) {
			a = &c->ike.tunnel[i];
			b = &c->ike.tunnel[j];
			/* Two of one name were reported as such. */
			if (strcmp(a->name, b->name) && !strcmp(c->tunnel[i].device, c->tunnel[j].device))
				conf_error(log, a->line, "tunnel %s has the device %s of tunnel %s (line %u): one tunnel, "
					   "one device", a->name, c->tunnel[i].device, b->name, b->line);
		}
	}
}

static void check_whole(struct conf_log *log, const struct conf *c)
{
	unsigned int line = 0;
	char why[256];

	if (!c->ike.n_tunnels)
		conf_warning(log, 0, "has no tunnel");
	check_devices(log, c);
	/* Once something is missing, the engine's checks would only say so again. */
	if (!log->errors && ike_config_check(&c->ike, why, sizeof(why), &line))
		conf_error(log, line, "%s", why);
	if (!log->errors)
		conf_lint(log, &c->ike);
}

/* ---- loading ------------------------------------------------------------------------------------ */

static size_t count(const struct conf_file *f, enum conf_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < f->n_sections; i++)
		n += f->section[i].kind == kind;
	return n;
}

static void load_trustpoints(struct conf_log *log, const struct conf_file *f, const char *dir, struct conf *c)
{
	size_t i;

	for (i = 0; i < f->n_sections; i++) {
		if (f->section[i].kind != CONF_TRUSTPOINT)
			continue;
		check_title(log, f, &f->section[i]);
		c->ike.n_trustpoints += conf_trust_load(log, dir, &f->section[i], &c->ike.trustpoint[c->ike.n_trustpoints]);
	}
}

static void build(struct conf_log *log, const struct conf_file *f, const char *dir, struct conf *c)
{
	size_t i;

	load_trustpoints(log, f, dir, c);
	for (i = 0; i < f->n_sections; i++) {
		if (f->section[i].kind == CONF_TRUSTPOINT)
			continue;
		check_section(log, f, dir, &f->section[i]);
		if (f->section[i].kind == CONF_PROFILE)
			check_profile_use(log, f, &f->section[i]);
	}
	for (i = 0; i < f->n_sections; i++) {
		if (f->section[i].kind != CONF_TUNNEL)
			continue;
		build_tunnel(log, f, dir, &f->section[i], c);
		c->ike.n_tunnels++;
	}
	check_whole(log, c);
}

static struct conf *new_conf(const char *path, size_t n_tunnels, size_t n_trustpoints)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->file = strdup(path);
	c->ike.tunnel = calloc(n_tunnels + 1, sizeof(*c->ike.tunnel));
	c->ike.trustpoint = calloc(n_trustpoints + 1, sizeof(*c->ike.trustpoint));
	c->tunnel = calloc(n_tunnels + 1, sizeof(*c->tunnel));
	if (c->file && c->ike.tunnel && c->ike.trustpoint && c->tunnel)
		return c;
	conf_free(c);
	return NULL;
}

/* Directory of path with a slash at the end, or "" for the working directory. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, slash ? (size_t)(slash + 1 - path) : 0);
}

struct conf *conf_load(const char *path, conf_report *report, void *ctx)
{
	char *dir = directory_of(path);
	struct conf_file file;
	struct conf *c = NULL;
	struct conf_log log;

	conf_log_init(&log, path, report, ctx);
	if (!conf_file_read(&file, path, &log)) {
		c = new_conf(path, count(&file, CONF_TUNNEL), count(&file, CONF_TRUSTPOINT));
		if (c && dir)
			build(&log, &file, dir, c);
		else
			conf_no_memory(&log);
	}
	conf_file_clear(&file);
	if (log.errors) {
		conf_free(c);
		c = NULL;
	}
	conf_log_clear(&log);
	free(dir);
	return c;
}

void conf_free(struct conf *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; c->tunnel && i < c->ike.n_tunnels; i++)
		users_free(c->tunnel[i].users);
	ike_config_clear(&c->ike);
	free(c->tunnel);
	free(c->file);
	free(c);
}
