// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of the configuration and what each does to a tunnel. Everything a word can be
 * wrong about by itself is said here; what needs the whole tunnel or the whole file is
 * conf.c's. Never reads another section.
 */
#include "conf_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_aggressive.h"
#include "conf_auth.h"
#include "conf_sel.h"
#include "conf_trust.h"
#include "conf_value.h"
#include "conf_xauth.h"
#include "libike/crypto.h"
#include "secrets.h"

#define MONTH (30ull * 86400)

void conf_bad_value(struct conf_build *b, const struct conf_entry *e, const struct conf_word *w, const char *want)
{
	conf_error(b->log, w->line, "%s = \"%s\": must be %s", e->key, w->text, want);
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool is_unicast4(const uint8_t *ip)
{
	return ip[0] < 224 && (ip[0] || !(ip[1] | ip[2] | ip[3]));
}

/* A link-local address would need an interface to go with it. */
static bool is_unicast6(const uint8_t *ip)
{
	return ip[0] != 0xff && !(ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
}

static void apply_addr(struct conf_build *b, const struct conf_entry *e, struct ike_addr *addr)
{
	const struct conf_word *w = &e->word[0];
	struct ike_addr a = { .family = 0 };

	if (conf_parse_addr(w->text, &a)) {
		conf_bad_value(b, e, w, "an IPv4 or IPv6 address");
	} else if (a.family == 4 ? !is_unicast4(a.ip) : !is_unicast6(a.ip)) {
		conf_bad_value(b, e, w, "the address of one host, not link-local");
	} else {
		a.port = addr->port;
		*addr = a;
	}
}

static void apply_local(struct conf_build *b, const struct conf_entry *e)
{
	apply_addr(b, e, &b->ike->local);
}

static void apply_remote(struct conf_build *b, const struct conf_entry *e)
{
	apply_addr(b, e, &b->ike->remote);
}

/* ---- authentication ------------------------------------------------------------------------ */

bool conf_path(struct conf_log *log, const char *dir, const struct conf_entry *e, const struct conf_word *w,
	       char *path, size_t size)
{
	int n = snprintf(path, size, "%s%s", *w->text == '/' ? "" : dir, w->text);

	if (*w->text && n >= 0 && (size_t)n < size)
		return true;
	conf_error(log, w->line, "%s = \"%s\": must be the name of a file", e->key, w->text);
	return false;
}

/* Takes over psk. */
static void set_psk(struct conf_build *b, const struct conf_entry *e, uint8_t *psk, size_t len)
{
	if (b->ike->psk)
		ike_crypto_wipe(b->ike->psk, b->ike->psk_len);
	free(b->ike->psk);
	b->ike->psk = psk;
	b->ike->psk_len = len;
	if (len < SECRETS_PSK_SHORT)
		conf_warning(b->log, e->line, "the pre-shared key has only %zu octets: who records a negotiation can "
			     "guess it; use %d or more random ones", len, SECRETS_PSK_SHORT);
}

static void apply_psk(struct conf_build *b, const struct conf_entry *e)
{
	const char *text = e->word[0].text;
	char why[512];
	uint8_t *psk;
	size_t len;

	if (secrets_check_mode(&b->file->text.st, b->log->file, why, sizeof(why)))
		conf_error(b->log, e->line, "psk: %s, or move the key to a file and name that with psk-file", why);
	else if (secrets_parse_psk(text, strlen(text), &psk, &len, why, sizeof(why)))
		conf_error(b->log, e->line, "psk: %s", why);
	else
		set_psk(b, e, psk, len);
}

static void apply_psk_file(struct conf_build *b, const struct conf_entry *e)
{
	char path[4096], why[512];
	uint8_t *psk;
	size_t len;

	if (!conf_path(b->log, b->dir, e, &e->word[0], path, sizeof(path)))
		return;
	if (secrets_read_psk(path, &psk, &len, why, sizeof(why)))
		conf_error(b->log, e->line, "psk-file: %s", why);
	else
		set_psk(b, e, psk, len);
}

/* ---- algorithms ------------------------------------------------------------------------------ */

static const struct conf_choice policies[] = {
	{ "modern", IKE_POLICY_MODERN }, { "legacy", IKE_POLICY_LEGACY }, { "insecure", IKE_POLICY_INSECURE },
	{ NULL, 0 },
};

static void apply_policy(struct conf_build *b, const struct conf_entry *e)
{
	int value;

	if (conf_parse_choice(e->word[0].text, policies, &value))
		conf_bad_value(b, e, &e->word[0], "modern, legacy or insecure");
	else
		b->ike->policy = (enum ike_policy)value;
}

/* One proposal, of either phase, under a policy; on success its weakest part or NULL. */
struct proposal {
	int (*parse)(const char *text, enum ike_policy policy, void *out, const char **why);
	const char *(*weakness)(const void *p);
	void *list;
	size_t size;			/* of one in list */
	unsigned int *n;
};

static int parse_p1(const char *text, enum ike_policy policy, void *out, const char **why)
{
	return ike_p1_parse(text, policy, out, why);
}

static int parse_p2(const char *text, enum ike_policy policy, void *out, const char **why)
{
	return ike_p2_parse(text, policy, out, why);
}

static const char *weakness_p1(const void *p)
{
	return ike_p1_weakness(p);
}

static const char *weakness_p2(const void *p)
{
	return ike_p2_weakness(p);
}

/* The mildest word that allows text, or NULL. */
static const char *allowing_policy(const struct proposal *k, const char *text, void *scratch)
{
	int i;

	for (i = 0; policies[i].word; i++)
		if (!k->parse(text, (enum ike_policy)policies[i].value, scratch, NULL))
			return policies[i].word;
	return NULL;
}

static void apply_proposal(struct conf_build *b, const struct conf_entry *e, const struct conf_word *w,
			   const struct proposal *k)
{
	/* A profile looked at by itself does not know the policy it will be used under. */
	enum ike_policy policy = b->name ? b->ike->policy : IKE_POLICY_INSECURE;
	void *out = (char *)k->list + *k->n * k->size;
	const char *why = NULL, *weak;
	int err = k->parse(w->text, policy, out, &why);

	if (err == -IKE_E_POLICY && allowing_policy(k, w->text, out)) {
		conf_error(b->log, w->line, "%s \"%s\" is not allowed under policy %s of tunnel %s: write "
			   "policy = %s, or a stronger proposal", e->key, w->text, policies[policy].word,
			   b->name, allowing_policy(k, w->text, out));
	} else if (err) {
		conf_error(b->log, w->line, "%s \"%s\": %s", e->key, w->text, why ? why : "not a proposal");
	} else {
		weak = k->weakness(out);
		if (weak && b->name)
			conf_warning(b->log, w->line, "tunnel %s: %s \"%s\" is weak (%s): use it only while the peer "
				     "knows nothing better", b->name, e->key, w->text, weak);
		++*k->n;
	}
}

static bool is_repeated(const struct conf_entry *e, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++)
		if (!strcmp(e->word[j].text, e->word[i].text))
			return true;
	return false;
}

static void apply_proposals(struct conf_build *b, const struct conf_entry *e, const struct proposal *k)
{
	size_t i;

	*k->n = 0;
	for (i = 0; i < e->n_words; i++) {
		if (is_repeated(e, i))
			conf_error(b->log, e->word[i].line, "%s \"%s\" is listed twice: remove one", e->key,
				   e->word[i].text);
		else
			apply_proposal(b, e, &e->word[i], k);
	}
}

static void apply_phase1(struct conf_build *b, const struct conf_entry *e)
{
	const struct proposal k = {
		.parse = parse_p1, .weakness = weakness_p1,
		.list = b->ike->p1, .size = sizeof(b->ike->p1[0]), .n = &b->ike->n_p1,
	};

	apply_proposals(b, e, &k);
}

static void apply_phase2(struct conf_build *b, const struct conf_entry *e)
{
	const struct proposal k = {
		.parse = parse_p2, .weakness = weakness_p2,
		.list = b->ike->p2, .size = sizeof(b->ike->p2[0]), .n = &b->ike->n_p2,
	};

	apply_proposals(b, e, &k);
}

/* ---- times, volumes, numbers -------------------------------------------------------------- */

static void apply_phase1_lifetime(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t seconds;

	if (conf_parse_time(e->word[0].text, &seconds) || seconds < 10 || seconds > MONTH)
		conf_bad_value(b, e, &e->word[0], "a time from 10s to 30d, such as 8h");
	else
		b->ike->p1_life = (uint32_t)seconds;
}

/* A time, a volume, or one of each. */
static void apply_lifetime(struct conf_build *b, const struct conf_entry *e)
{
	bool have_time = false, have_volume = false;
	uint64_t seconds, octets;
	size_t i;

	for (i = 0; i < e->n_words; i++) {
		if (!have_time && !conf_parse_time(e->word[i].text, &seconds) && seconds >= 10 && seconds <= MONTH) {
			have_time = true;
			b->ike->p2_life = (uint32_t)seconds;
		} else if (!have_volume && !conf_parse_volume(e->word[i].text, &octets) && octets >= 1000000 &&
			   octets / 1024 <= UINT32_MAX) {
			have_volume = true;
			b->ike->p2_life_kb = (uint32_t)(octets / 1024);
		} else {
			conf_bad_value(b, e, &e->word[i], "a time from 10s to 30d, a volume from 1MB to 4000GB, "
				  "or one of each in braces");
		}
	}
}

static void apply_replay_window(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t n;

	if (conf_parse_number(e->word[0].text, &n) || n > 4096 || (n && n < 32))
		conf_bad_value(b, e, &e->word[0], "0 (no protection) or 32 to 4096 packets");
	else
		b->ike->replay_window = (uint32_t)n;
	if (!strcmp(e->word[0].text, "0") && b->name)
		conf_warning(b->log, e->line, "tunnel %s takes repeated packets: replay protection is off", b->name);
}

static void apply_grace(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t seconds;

	if (conf_parse_time(e->word[0].text, &seconds) || seconds > 600)
		conf_bad_value(b, e, &e->word[0], "a time from 0s to 10m");
	else
		b->ike->grace = (uint32_t)seconds;
}

static void apply_dpd(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t seconds;

	if (!strcmp(e->word[0].text, "off"))
		b->ike->dpd = 0;
	else if (conf_parse_time(e->word[0].text, &seconds) || seconds < 2 || seconds > 86400)
		conf_bad_value(b, e, &e->word[0], "off, or a time from 2s to 1d: after so much silence the peer is asked");
	else
		b->ike->dpd = (uint32_t)seconds;
}

/* ---- NAT traversal ------------------------------------------------------------------------- */

static void apply_encapsulation(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = {
		{ "auto", IKE_ENCAPSULATION_AUTO }, { "force", IKE_ENCAPSULATION_FORCE },
		{ "never", IKE_ENCAPSULATION_NEVER }, { NULL, 0 },
	};
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "auto, force or never");
	else
		b->ike->encapsulation = (enum ike_encapsulation)value;
}

static void apply_nat_keepalive(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t seconds;

	if (!strcmp(e->word[0].text, "off"))
		b->ike->nat_keepalive = 0;
	else if (conf_parse_time(e->word[0].text, &seconds) || seconds < 1 || seconds > 3600)
		conf_bad_value(b, e, &e->word[0], "off, or a time from 1s to 1h");
	else
		b->ike->nat_keepalive = (uint32_t)seconds;
}

/* ---- fragments ------------------------------------------------------------------------------ */

static void apply_fragmentation(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = {
		{ "yes", IKE_FRAGMENTATION_YES }, { "accept", IKE_FRAGMENTATION_ACCEPT },
		{ "no", IKE_FRAGMENTATION_NO }, { "force", IKE_FRAGMENTATION_FORCE }, { NULL, 0 },
	};
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "yes, accept, no or force");
	else
		b->ike->fragmentation = (enum ike_fragmentation)value;
}

static void apply_fragment_size(struct conf_build *b, const struct conf_entry *e)
{
	uint64_t n;

	if (conf_parse_number(e->word[0].text, &n) || n < 576 || n > 1500)
		conf_bad_value(b, e, &e->word[0], "576 to 1500 octets, IP header included");
	else
		b->ike->fragment_size = (uint32_t)n;
}

/* ---- the rest ---------------------------------------------------------------------------------- */

static void apply_start(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = {
		{ "auto", IKE_START_AUTO }, { "traffic", IKE_START_TRAFFIC }, { "respond", IKE_START_RESPOND },
		{ NULL, 0 },
	};
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "auto, traffic or respond");
	else
		b->ike->start = (enum ike_start)value;
}

/* What the kernel takes for an interface name. */
static bool is_device_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || strchr("/:%", *name))
			return false;
	return true;
}

static void apply_device(struct conf_build *b, const struct conf_entry *e)
{
	if (!is_device_name(e->word[0].text))
		conf_bad_value(b, e, &e->word[0], "an interface name: 1 to 15 characters without blank, /, : and %");
	else
		snprintf(b->own->device, sizeof(b->own->device), "%s", e->word[0].text);
}

static void apply_create_device(struct conf_build *b, const struct conf_entry *e)
{
	if (conf_parse_bool(e->word[0].text, &b->own->create_device))
		conf_bad_value(b, e, &e->word[0], "true or false");
}

static void apply_initial_contact(struct conf_build *b, const struct conf_entry *e)
{
	if (conf_parse_bool(e->word[0].text, &b->ike->initial_contact))
		conf_bad_value(b, e, &e->word[0], "true or false");
}

static void apply_delete_takes_children(struct conf_build *b, const struct conf_entry *e)
{
	if (conf_parse_bool(e->word[0].text, &b->ike->delete_takes_children))
		conf_bad_value(b, e, &e->word[0], "true or false");
}

/* conf.c follows it before anything else. */
static void apply_profile(struct conf_build *b, const struct conf_entry *e)
{
	(void)b;
	(void)e;
}

/* ---- the table ------------------------------------------------------------------------------------ */

/* policy comes before the proposals it judges. */
const struct conf_key conf_keys[] = {
	{ "profile", true, 1, apply_profile },
	{ "policy", false, 1, apply_policy },
	{ "device", true, 1, apply_device },
	{ "create-device", false, 1, apply_create_device },
	{ "local", false, 1, apply_local },
	{ "remote", true, 1, apply_remote },
	{ "identity", false, 1, conf_apply_identity },
	{ "match-identity", false, IKE_MAX_MATCHES, conf_apply_match_identity },
	{ "auth", false, IKE_MAX_AUTH, conf_apply_auth },
	{ "trustpoints", false, IKE_MAX_TRUSTED, conf_apply_trustpoints },
	{ "cert-requests", false, 1, conf_apply_cert_requests },
	{ "on-reject", false, 1, conf_apply_on_reject },
	{ "on-tie", false, 1, conf_apply_on_tie },
	{ "psk", false, 1, apply_psk },
	{ "psk-file", false, 1, apply_psk_file },
	{ "phase1", false, IKE_MAX_PROPOSALS, apply_phase1 },
	{ "phase2", false, IKE_MAX_PROPOSALS, apply_phase2 },
	{ "phase1-lifetime", false, 1, apply_phase1_lifetime },
	{ "lifetime", false, 2, apply_lifetime },
	{ "replay-window", false, 1, apply_replay_window },
	{ "grace", false, 1, apply_grace },
	{ "dpd", false, 1, apply_dpd },
	{ "encapsulation", false, 1, apply_encapsulation },
	{ "nat-keepalive", false, 1, apply_nat_keepalive },
	{ "fragmentation", false, 1, apply_fragmentation },
	{ "fragment-size", false, 1, apply_fragment_size },
	{ "start", false, 1, apply_start },
	{ "local-net", false, 1, conf_sel_local_net },
	{ "remote-net", false, 1, conf_sel_remote_net },
	{ "selectors", false, IKE_MAX_SELECTORS, conf_sel_selectors },
	{ "narrowing", false, 1, conf_sel_narrowing },
	{ "initial-contact", false, 1, apply_initial_contact },
	{ "delete-takes-children", false, 1, apply_delete_takes_children },
	{ "exchange", false, 1, conf_apply_exchange },
	{ "aggressive-psk", false, 1, conf_apply_aggressive_psk },
	{ "xauth", false, 1, conf_apply_xauth },
	{ "xauth-user", false, 1, conf_apply_xauth_user },
	{ "xauth-password-file", false, 1, conf_apply_xauth_password_file },
	{ "xauth-users", false, 1, conf_apply_xauth_users },
	{ "mode-config", false, 1, conf_apply_mode_config },
	{ "address-pool", false, 1, conf_apply_address_pool },
	{ "address-dns", false, IKE_DNS_MAX, conf_apply_address_dns },
	{ NULL, false, 0, NULL },
};

const struct conf_key *conf_keys_of(enum conf_kind kind)
{
	return kind == CONF_TRUSTPOINT ? conf_trust_keys : conf_keys;
}

const struct conf_key *conf_key_in(const struct conf_key *table, const char *name)
{
	const struct conf_key *k;

	for (k = table; k->name; k++)
		if (!strcmp(k->name, name))
			return k;
	return NULL;
}

const struct conf_key *conf_key_find(const char *name)
{
	const struct conf_key *k = conf_key_in(conf_keys, name);

	return k ? k : conf_key_in(conf_trust_keys, name);
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* Changes of one letter that make b out of a; 99 for words too long to be one of ours. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[32], diagonal, above, i, j, nb = (unsigned int)strlen(b);

	if (nb >= 32 || strlen(a) >= 32)
		return 99;
	for (j = 0; j <= nb; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (j = 1; j <= nb; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

const char *conf_key_nearest(const char *name)
{
	const struct conf_key *const tables[] = { conf_keys, conf_trust_keys };
	unsigned int best = 3, d, i;
	const char *nearest = NULL;
	const struct conf_key *k;

	for (i = 0; i < 2; i++) {
		for (k = tables[i]; k->name; k++) {
			d = distance(name, k->name);
			if (d < best && d < strlen(name)) {
				best = d;
				nearest = k->name;
			}
		}
	}
	return nearest;
}

void conf_key_apply(const struct conf_key *key, struct conf_build *b, const struct conf_entry *e)
{
	if (e->n_words > key->max_words)
		conf_error(b->log, e->word[key->max_words].line, "%s has %zu values: it takes at most %u", e->key,
			   e->n_words, key->max_words);
	else
		key->apply(b, e);
}
