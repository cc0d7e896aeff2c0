/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network of test_cve.c: loses, doubles and changes messages as the rules of a script say.
 * Part of that file, as two_engines.h is.
 */
#ifndef TESTS_CVE_WIRE_H
#define TESTS_CVE_WIRE_H

#include "libike/wire.h"
#include "seal.h"
#include "two_engines.h"
#include "wire_text.h"

#define RULES 16
#define WORDS 96
#define TEXT 6000		/* of a line */

enum rule_kind { LOSE, ADD, REPLACE, REMOVE };

struct rule {
	enum rule_kind kind;
	char name[8];
	unsigned int count;	/* LOSE: to go; else how many were changed */
	char text[TEXT];	/* payloads */
	uint64_t original;	/* digest of the last one changed, and what it became: a repetition is the same */
	struct packet changed;
};

struct script {
	char path[4200];
	unsigned int line;
	struct world *w;
	struct ike_tunnel_cfg cfg[2];
	bool started;
	struct rule rule[RULES];
	unsigned int n_rules, lose_every, seen, twice;
	struct packet last[16];		/* of each name */
	unsigned int n_last;
	/* At the mark. */
	struct kernel_sa sa[2][MAX_SAS];
	uint64_t p1_now[2];
	unsigned int sent[2];
};

static struct script *now_running;	/* for the wire, which has no context of its own */

static void wrong(const struct script *s, const char *what, const char *word)
{
	fail_msg("%s:%u: %s%s%s", s->path, s->line, what, word ? ": " : "", word ? word : "");
}

static size_t name_of(void *ctx, const char *name, uint8_t out[16])
{
	const struct side *side = ctx;
	const struct ike_ikesa *sa = side->e->ikesas;
	bool cookie = !strcmp(name, "ic") || !strcmp(name, "rc");
	uint32_t spi = 0;

	if (cookie) {
		if (sa)
			memcpy(out, *name == 'i' ? sa->icookie : sa->rcookie, IKE_COOKIE_LEN);
		return sa ? IKE_COOKIE_LEN : 0;
	}
	for (size_t i = 0; i < MAX_SAS; i++)
		if (side->sa[i].used && side->sa[i].dir == (!strcmp(name, "in") ? IKE_IN : IKE_OUT))
			spi = side->sa[i].spi;
	ike_store32(out, spi);
	return spi ? 4 : 0;
}

/* Is payload i one that the rule takes away? */
static bool goes(const struct rule *r, uint8_t type)
{
	char text[TEXT], *save = NULL;

	strcpy(text, r->text);
	if (r->kind == ADD)
		return false;
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (wire_text_type(word, strcspn(word, ":")) == type)
			return true;
	return false;
}

static void put_payloads(const struct script *s, struct ike_msgw *w, const char *payloads, int to)
{
	char text[TEXT], *save = NULL;

	snprintf(text, sizeof(text), "%s", payloads);
	for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		if (!wire_text_payload(w, word, name_of, &s->w->side[to]))
			wrong(s, "not a payload", word);
}

/*
 * The packet with other payloads, sealed for its receiver again. Left alone when that one has no
 * keys for it any more, which is so once it has taken it.
 */
static void change(const struct script *s, struct rule *r, struct packet *p)
{
	struct ike_hdr h;
	struct ike_msg m;
	struct ike_msgw w;
	struct seal seal;
	const char *why = NULL;

	assert_int_equal(ike_hdr_parse(p->data, p->len, &h, &why), 0);
	if (!seal_find(&seal, s->w->side[p->to].e, &s->w->side[!p->to].addr, &h) ||
	    !seal_open(&seal, p->data, p->len) || ike_msg_parse(&m, &h, p->data, p->len, seal.encrypted, &why))
		return;
	ike_msgw_begin(&w, &h);
	for (unsigned int i = 0; i < m.n; i++)
		if (!goes(r, m.p[i].type))
			ike_msgw_payload(&w, m.p[i].type, m.p[i].body, m.p[i].len);
	if (r->kind != REMOVE)
		put_payloads(s, &w, r->text, p->to);
	ike_msgw_finish(&w, 0);
	assert_false(w.b.bad);
	/* A HASH that the script writes is as it is. */
	if (seal.encrypted && !(r->kind == REPLACE && goes(r, ISAKMP_NPTYPE_HASH)))
		seal_hash(&seal, &h, w.b.data, w.b.len);
	free(p->data);
	p->data = seal_close(&seal, w.b.data, w.b.len, false, &p->len);
	assert_non_null(p->data);
	ike_wbuf_free(&w.b);
	r->count++;
}

static void copy_packet(struct packet *to, const struct packet *from)
{
	free(to->data);
	*to = *from;
	to->data = malloc(from->len);
	memcpy(to->data, from->data, from->len);
}

static void change_once(const struct script *s, struct rule *r, struct packet *p)
{
	uint64_t digest = digest64(p->data, p->len);

	if (r->changed.data && r->original == digest) {
		copy_packet(p, &r->changed);
		return;
	}
	r->original = digest;
	change(s, r, p);
	copy_packet(&r->changed, p);
}

static void remember(struct script *s, const struct packet *p)
{
	struct packet *l = NULL;

	for (unsigned int i = 0; i < s->n_last; i++)
		if (!strcmp(s->last[i].name, p->name) && s->last[i].to == p->to)
			l = &s->last[i];
	if (!l && s->n_last < 16)
		l = &s->last[s->n_last++];
	if (!l)
		return;
	copy_packet(l, p);
}

static unsigned int on_wire(struct world *w, struct packet *p)
{
	struct script *s = now_running;

	(void)w;
	for (unsigned int i = 0; i < s->n_rules; i++) {
		struct rule *r = &s->rule[i];

		if (strcmp(r->name, p->name))
			continue;
		if (r->kind == LOSE) {
			if (r->count && r->count--)
				return 0;
		} else {
			change_once(s, r, p);
		}
	}
	remember(s, p);
	if (s->lose_every && !(++s->seen % s->lose_every))
		return 0;
	return s->twice ? 2 : 1;
}

#endif
