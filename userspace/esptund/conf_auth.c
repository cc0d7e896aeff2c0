// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who we are, who the peer may be, and how both prove it: what these words do to a tunnel. Never
 * reads a file; conf_trust.c does.
 */
#include "conf_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_value.h"
#include "libike/pki.h"
#include "libike/wire.h"

#define ANY_ECDSA 0xffff		/* stands in auth[] until conf_auth_resolve */

static void bad_word(struct conf_build *b, const struct conf_entry *e, const struct conf_word *w, const char *want)
{
	conf_error(b->log, w->line, "%s = \"%s\": must be %s", e->key, w->text, want);
}

/* ---- identities ---------------------------------------------------------------------------- */

#define ID_WORDS "ipv4:, ipv6:, fqdn:, user-fqdn:, dn: or key-id: and the identity"

void conf_apply_identity(struct conf_build *b, const struct conf_entry *e)
{
	const char *text = e->word[0].text;

	if (!strcmp(text, "dn"))
		b->ike->local_id = (struct ike_id){ .type = IKE_ID_DER_ASN1_DN };
	else if (ike_id_parse(text, &b->ike->local_id))
		bad_word(b, e, &e->word[0], ID_WORDS ", or dn alone: the subject of the certificate");
}

/* One identity is one; several, or patterns, are a list to choose a profile by. */
void conf_apply_match_identity(struct conf_build *b, const struct conf_entry *e)
{
	struct ike_match *list = calloc(e->n_words, sizeof(*list));
	size_t i, n = 0;

	if (!list) {
		conf_no_memory(b->log);
		return;
	}
	for (i = 0; i < e->n_words; i++) {
		if (!ike_match_parse(e->word[i].text, &list[n]))
			n++;
		else
			bad_word(b, e, &e->word[i], ID_WORDS ", a pattern of one (fqdn:*.example, user-fqdn:*@example, "
				 "ipv4:192.0.2.0/24, dn:CN=*, O=Example), or any");
	}
	free(b->ike->match);
	b->ike->match = NULL;
	b->ike->n_match = 0;
	if (n == 1 && !list[0].pattern && list[0].id.type) {
		b->ike->remote_id = list[0].id;
		free(list);
	} else {
		b->ike->match = list;
		b->ike->n_match = (unsigned int)n;
	}
}

/* ---- methods -------------------------------------------------------------------------------- */

static void add_method(struct ike_tunnel_cfg *t, uint16_t method)
{
	unsigned int i;

	for (i = 0; i < t->n_auth; i++)
		if (t->auth[i] == method)
			return;
	if (t->n_auth < IKE_MAX_AUTH)
		t->auth[t->n_auth++] = method;
}

void conf_apply_auth(struct conf_build *b, const struct conf_entry *e)
{
	uint16_t method;
	unsigned int j;
	size_t i;

	b->ike->n_auth = 0;
	for (i = 0; i < e->n_words; i++) {
		method = !strcmp(e->word[i].text, "ecdsa") ? ANY_ECDSA : ike_auth_parse(e->word[i].text);
		for (j = 0; j < b->ike->n_auth && b->ike->auth[j] != method; j++)
			;
		if (!method) {
			bad_word(b, e, &e->word[i], "psk, rsa, ecdsa, ecdsa256, ecdsa384 or ecdsa521");
			add_method(b->ike, IKE_AUTH_RSA_SIG);	/* so that nobody misses a pre-shared key, too */
		} else if (j < b->ike->n_auth) {
			conf_error(b->log, e->word[i].line, "auth \"%s\" is listed twice: remove one", e->word[i].text);
		} else {
			b->ike->auth[b->ike->n_auth++] = method;
		}
	}
}

static bool is_used(const struct ike_tunnel_cfg *t, const char *trustpoint)
{
	unsigned int i;

	for (i = 0; i < t->n_trustpoints; i++)
		if (!strcmp(t->trustpoint[i], trustpoint))
			return true;
	return !t->n_trustpoints;
}

void conf_auth_resolve(struct conf_build *b)
{
	struct ike_tunnel_cfg *t = b->ike, old = *b->ike;
	unsigned int i;
	size_t j;

	t->n_auth = 0;
	for (i = 0; i < old.n_auth; i++) {
		if (old.auth[i] != ANY_ECDSA) {
			add_method(t, old.auth[i]);
			continue;
		}
		for (j = 0; j < b->whole->n_trustpoints; j++) {
			const struct ike_trustpoint *tp = &b->whole->trustpoint[j];
			uint16_t method = is_used(t, tp->name) ? ike_trust_method(tp->trust) : 0;

			if (ike_auth_signs(method) && method != IKE_AUTH_RSA_SIG)
				add_method(t, method);
		}
	}
	if (!old.n_auth || t->n_auth)
		return;
	conf_error(b->log, t->line, "tunnel %s: auth = ecdsa needs a trustpoint with an ECDSA certificate and key", b->name);
	add_method(t, IKE_AUTH_ECDSA_256);	/* the same */
}

/* ---- trustpoints ---------------------------------------------------------------------------- */

static const struct conf_section *find_trustpoint(const struct conf_file *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n_sections; i++)
		if (f->section[i].kind == CONF_TRUSTPOINT && !strcmp(f->section[i].title, name))
			return &f->section[i];
	return NULL;
}

void conf_apply_trustpoints(struct conf_build *b, const struct conf_entry *e)
{
	size_t i;

	b->ike->n_trustpoints = 0;
	for (i = 0; i < e->n_words; i++) {
		const char *name = e->word[i].text;

		if (!find_trustpoint(b->file, name))
			conf_error(b->log, e->word[i].line, "there is no trustpoint \"%s\": add trustpoint %s { ... }", name, name);
		else if (b->ike->n_trustpoints && is_used(b->ike, name))
			conf_error(b->log, e->word[i].line, "trustpoints \"%s\" is listed twice: remove one", name);
		else
			snprintf(b->ike->trustpoint[b->ike->n_trustpoints++], sizeof(b->ike->trustpoint[0]), "%s", name);
	}
}

/* One of two words, the second of which sets *flag. */
static void apply_word(struct conf_build *b, const struct conf_entry *e, const char *no, const char *yes, bool *flag)
{
	char want[80];

	if (!strcmp(e->word[0].text, no) || !strcmp(e->word[0].text, yes)) {
		*flag = !strcmp(e->word[0].text, yes);
		return;
	}
	snprintf(want, sizeof(want), "%s or %s", no, yes);
	bad_word(b, e, &e->word[0], want);
}

void conf_apply_cert_requests(struct conf_build *b, const struct conf_entry *e)
{
	apply_word(b, e, "all", "by-address", &b->ike->narrow_requests);
}

void conf_apply_on_reject(struct conf_build *b, const struct conf_entry *e)
{
	apply_word(b, e, "same-certificate", "next-certificate", &b->ike->next_certificate);
}

void conf_apply_on_tie(struct conf_build *b, const struct conf_entry *e)
{
	apply_word(b, e, "refuse", "last-wins", &b->ike->last_wins);
}
