// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults of other IKEv1 daemons, tried on this one. Each folder cve/CVE-YYYY-N has a README
 * (what was wrong there, why it cannot be here), the attack, and a legitimate exchange of the
 * same shape that must work although the network loses messages: a fix that only refuses
 * would fail that one. Both are lists of commands, one a line:
 *
 *   config [A|B] KEY=VALUE...         before start; p1, p2, policy, psk, local-id, remote-id, start, dpd, life,
 *                                     window
 *   start                             both ends are configured
 *   lose NAME N                       the first N messages of that name are lost ("MM3", "INFO")
 *   lose every N                      every N-th message is lost
 *   twice                             every message arrives twice
 *   add NAME PAYLOAD...               payloads behind those of each such message (HASH made right)
 *   replace NAME PAYLOAD...           all payloads of a type by this one
 *   remove NAME TYPE...
 *   up                                until the tunnel works; it must
 *   run SECONDS                       virtual ones
 *   down | rekey1 | rekey2 A|B        by command
 *   mark                              what "unchanged" and "answers" refer to
 *   send A|B EXCHANGE KEY=VALUE... PAYLOAD...   to that end, as from the other; see below
 *   octets A|B HEX                    the same without any form
 *   replay A|B NAME                   the last message of that name again
 *   expect ...                        up, down, unchanged, idle, log A|B EVENT, no-log A|B EVENT,
 *                                     counter A|B NAME MIN, answers A|B MAX, sas A|B IN-OR-OUT N,
 *                                     window A|B PACKETS, limit A|B OCTETS (of each SA in use, at most)
 *   times N COMMAND...                so many times; %N in it counts, in hexadecimal
 *
 * send: sealed (with the receiver's keys and a right HASH), badhash (the same, wrong), ic=HEX
 * rc=HEX msgid=HEX version=HEX flags=HEX length=N next=N say otherwise than what fits.
 * Names in octets: <ic> <rc> cookies of the receiver's ISAKMP SA, <in> <out> the SPIs of its pair.
 */
#include "two_engines.h"

#include <dirent.h>

#include "cve_wire.h"
#include "vectors.h"

static int side_of(const struct script *s, const char *word)
{
	if (!word || (strcmp(word, "A") && strcmp(word, "B")))
		wrong(s, "A or B is missing", word);
	return *word == 'B';
}

static unsigned long number(const struct script *s, const char *word, int base)
{
	char *end;
	unsigned long n = word ? strtoul(word, &end, base) : 0;

	if (!word || *end || end == word)
		wrong(s, "no number", word);
	return n;
}

/* ---- commands: preparing ---------------------------------------------------------------------- */

static void set_key(struct script *s, int who, const char *key, const char *value)
{
	struct ike_tunnel_cfg *t = &s->cfg[who];

	if (!strcmp(key, "p1"))
		t->n_p1 = !ike_p1_parse(value, t->policy, &t->p1[0], NULL);
	else if (!strcmp(key, "p2"))
		t->n_p2 = !ike_p2_parse(value, t->policy, &t->p2[0], NULL);
	else if (!strcmp(key, "policy"))
		t->policy = !strcmp(value, "modern") ? IKE_POLICY_MODERN : IKE_POLICY_INSECURE;
	else if (!strcmp(key, "start"))
		t->start = !strcmp(value, "auto") ? IKE_START_AUTO : IKE_START_RESPOND;
	else if (!strcmp(key, "dpd"))
		t->dpd = (uint32_t)number(s, value, 10);
	else if (!strcmp(key, "life"))
		t->p2_life = (uint32_t)number(s, value, 10);
	else if (!strcmp(key, "psk"))
		snprintf((char *)t->psk, t->psk_len, "%s", value);
	else if (!strcmp(key, "window"))
		t->replay_window = (uint32_t)number(s, value, 10);
	else if (!strcmp(key, "local-id") || !strcmp(key, "remote-id"))
		assert_int_equal(ike_id_parse(value, *key == 'l' ? &t->local_id : &t->remote_id), 0);
	else
		wrong(s, "no such key", key);
	if (!t->n_p1 || !t->n_p2)
		wrong(s, "not a proposal", value);
}

static void cmd_config(struct script *s, char **word)
{
	bool one = *word && (!strcmp(*word, "A") || !strcmp(*word, "B"));
	int only = one ? side_of(s, *word++) : -1;

	for (; *word; word++) {
		char *value = strchr(*word, '=');

		if (!value)
			wrong(s, "KEY=VALUE expected", *word);
		*value++ = 0;
		for (int who = 0; who < 2; who++)
			if (only < 0 || only == who)
				set_key(s, who, *word, value);
	}
}

static void cmd_start(struct script *s, char **word)
{
	(void)word;
	s->started = true;
	for (int who = 1; who >= 0; who--)
		assert_int_equal(side_configure(s->w, who, &s->cfg[who]), 0);
}

static struct rule *rule_new(struct script *s, enum rule_kind kind, const char *name)
{
	struct rule *r = &s->rule[s->n_rules];

	if (s->n_rules++ == RULES || !name)
		wrong(s, "too many rules, or no name of a message", name);
	r->kind = kind;
	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

static void join(char *text, size_t size, char **word)
{
	for (*text = 0; *word; word++) {
		size_t len = strlen(text);

		snprintf(text + len, size - len, "%s%s", len ? " " : "", *word);
	}
}

static void cmd_lose(struct script *s, char **word)
{
	if (word[0] && !strcmp(word[0], "every"))
		s->lose_every = (unsigned int)number(s, word[1], 10);
	else
		rule_new(s, LOSE, word[0])->count = (unsigned int)number(s, word[1], 10);
}

static void cmd_twice(struct script *s, char **word)
{
	(void)word;
	s->twice = 1;
}

static void cmd_add(struct script *s, char **word)
{
	join(rule_new(s, ADD, word[0])->text, sizeof(s->rule[0].text), word + 1);
}

static void cmd_replace(struct script *s, char **word)
{
	join(rule_new(s, REPLACE, word[0])->text, sizeof(s->rule[0].text), word + 1);
}

static void cmd_remove(struct script *s, char **word)
{
	join(rule_new(s, REMOVE, word[0])->text, sizeof(s->rule[0].text), word + 1);
}

/* ---- commands: doing ---------------------------------------------------------------------------- */

static void cmd_up(struct script *s, char **word)
{
	(void)word;
	if (!s->started)
		cmd_start(s, word);
	if (!run_until(s->w, tunnel_works, 300 * IKE_SECOND))
		wrong(s, "the tunnel does not come up", s->w->trace);
	/* The last message may still be under way. */
	run_for(s->w, 2 * IKE_SECOND);
}

static void cmd_run(struct script *s, char **word)
{
	run_for(s->w, (ike_time)number(s, word[0], 10) * IKE_SECOND);
}

static void command(struct script *s, enum ike_command cmd, const char *who)
{
	int side = side_of(s, who);

	assert_int_equal(ike_command(s->w->side[side].e, cmd, "paris", s->w->now), 0);
	drain(s->w, side);
}

static void cmd_down(struct script *s, char **word)
{
	command(s, IKE_CMD_DOWN, word[0]);
}

static void cmd_rekey1(struct script *s, char **word)
{
	command(s, IKE_CMD_REKEY_P1, word[0]);
}

static void cmd_rekey2(struct script *s, char **word)
{
	command(s, IKE_CMD_REKEY_P2, word[0]);
}

static void cmd_mark(struct script *s, char **word)
{
	(void)word;
	for (int who = 0; who < 2; who++) {
		memcpy(s->sa[who], s->w->side[who].sa, sizeof(s->sa[who]));
		s->p1_now[who] = counters(s->w, who).p1_now;
		s->sent[who] = s->w->sent[who];
	}
}

static void give(struct script *s, int to, const uint8_t *data, size_t len)
{
	struct ike_path path = { .local = s->w->side[to].addr, .remote = s->w->side[!to].addr };

	/* Of exactly that length, so that ASan sees one octet too far. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	deliver(s->w, to, &path, copy, len);
	free(copy);
}

static void cmd_octets(struct script *s, char **word)
{
	int to = side_of(s, word[0]);
	struct ike_wbuf w;

	ike_wbuf_init(&w);
	if (!wire_text_octets(&w, word[1] ? word[1] : "", name_of, &s->w->side[to]))
		wrong(s, "not octets", word[1]);
	give(s, to, w.data, w.len);
	ike_wbuf_free(&w);
}

static void cmd_replay(struct script *s, char **word)
{
	int to = side_of(s, word[0]);

	for (unsigned int i = 0; i < s->n_last; i++) {
		if (s->last[i].to != to || !word[1] || strcmp(s->last[i].name, word[1]))
			continue;
		give(s, to, s->last[i].data, s->last[i].len);
		return;
	}
	wrong(s, "there was no such message", word[1]);
}

/* How a message of send is to differ from one that fits. */
struct form {
	struct ike_hdr h;
	bool sealed, bad_hash;
	long version, length, next;	/* -1: as it is */
};

static void read_cookie(struct script *s, uint8_t cookie[8], const char *hex)
{
	struct ike_wbuf w;

	ike_wbuf_init(&w);
	if (!wire_text_octets(&w, hex, name_of, &s->w->side[0]) || w.len != 8)
		wrong(s, "not a cookie", hex);
	memcpy(cookie, w.data, 8);
	ike_wbuf_free(&w);
}

/* True: the word belongs to the form. */
static bool read_form(struct script *s, struct form *f, char *word)
{
	char *value = strchr(word, '=');

	if (strchr(word, ':'))
		return false;
	if (!strcmp(word, "sealed") || !strcmp(word, "badhash")) {
		f->sealed = true;
		f->bad_hash = *word == 'b';
		f->h.flags |= ISAKMP_FLAG_ENCRYPTION;
	} else if (!value) {
		wrong(s, "neither KEY=VALUE nor a payload", word);
	} else if (!strncmp(word, "ic=", 3) || !strncmp(word, "rc=", 3)) {
		read_cookie(s, *word == 'i' ? f->h.icookie : f->h.rcookie, value + 1);
	} else if (!strncmp(word, "msgid=", 6)) {
		f->h.msgid = (uint32_t)number(s, value + 1, 16);
	} else if (!strncmp(word, "flags=", 6)) {
		f->h.flags = (uint8_t)number(s, value + 1, 16);
	} else if (!strncmp(word, "version=", 8)) {
		f->version = (long)number(s, value + 1, 16);
	} else if (!strncmp(word, "length=", 7)) {
		f->length = (long)number(s, value + 1, 10);
	} else if (!strncmp(word, "next=", 5)) {
		f->next = (long)number(s, value + 1, 10);
	} else {
		wrong(s, "no such key", word);
	}
	return true;
}

static uint8_t exchange_of(const struct script *s, const char *word)
{
	static const struct { const char *word; uint8_t type; } types[] = {
		{ "main", ISAKMP_XCHG_MAIN }, { "info", ISAKMP_XCHG_INFO }, { "quick", ISAKMP_XCHG_QUICK },
		{ "aggressive", ISAKMP_XCHG_AGGRESSIVE }, { "base", ISAKMP_XCHG_BASE },
		{ "transaction", ISAKMP_XCHG_TRANSACTION },
	};

	for (size_t i = 0; word && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].word, word))
			return types[i].type;
	wrong(s, "no such exchange", word);
	return 0;
}

static void send_form(struct script *s, int to, const struct form *f, struct ike_msgw *w)
{
	struct seal seal = { .sa = NULL };
	uint8_t *out;
	size_t len;

	if (f->next >= 0)
		ike_patch8(&w->b, 16, (uint8_t)f->next);
	if (f->sealed) {
		if (!seal_find(&seal, s->w->side[to].e, &s->w->side[!to].addr, &f->h))
			wrong(s, "the receiver has no keys for this", NULL);
		if (!f->bad_hash)
			seal_hash(&seal, &f->h, w->b.data, w->b.len);
	}
	out = seal_close(&seal, w->b.data, w->b.len, false, &len);
	assert_non_null(out);
	if (f->length >= 0)
		ike_store32(out + 24, (uint32_t)f->length);
	if (f->version >= 0)
		out[17] = (uint8_t)f->version;
	give(s, to, out, len);
	free(out);
}

static void cmd_send(struct script *s, char **word)
{
	static const uint8_t zeros[IKE_HASH_MAX];
	int to = side_of(s, word[0]);
	struct ike_ikesa *sa = s->w->side[to].e->ikesas;
	struct form f = { .version = -1, .length = -1, .next = -1 };
	struct ike_msgw w;

	f.h.exchange = exchange_of(s, word[1]);
	f.h.msgid = f.h.exchange == ISAKMP_XCHG_MAIN ? 0 : 0x12345678;
	if (sa) {
		memcpy(f.h.icookie, sa->icookie, IKE_COOKIE_LEN);
		memcpy(f.h.rcookie, sa->rcookie, IKE_COOKIE_LEN);
	}
	for (word += 2; *word && read_form(s, &f, *word); word++)
		;
	ike_msgw_begin(&w, &f.h);
	if (f.sealed && sa)
		ike_msgw_payload(&w, ISAKMP_NPTYPE_HASH, zeros, sa->k.len);
	for (; *word; word++)
		if (!wire_text_payload(&w, *word, name_of, &s->w->side[to]))
			wrong(s, "not a payload", *word);
	ike_msgw_finish(&w, 0);
	send_form(s, to, &f, &w);
	ike_wbuf_free(&w.b);
}

/* ---- commands: looking --------------------------------------------------------------------------- */

static uint64_t counter_of(const struct script *s, const struct ike_counters *c, const char *name)
{
#define ONE(n) { #n, offsetof(struct ike_counters, n) }
	static const struct { const char *name; size_t at; } all[] = {
		ONE(malformed), ONE(oversized), ONE(unknown_peer), ONE(unknown_cookies), ONE(duplicates),
		ONE(replayed), ONE(unauthenticated), ONE(auth_failures), ONE(no_proposal),
		ONE(p1_established), ONE(p2_established), ONE(p1_rekeyed), ONE(p2_rekeyed), ONE(p1_now),
		ONE(exchanges_now), ONE(children_now),
	};
#undef ONE

	for (size_t i = 0; name && i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i].name, name))
			return *(const uint64_t *)((const char *)c + all[i].at);
	wrong(s, "no such counter", name);
	return 0;
}

static void expect_counter(struct script *s, char **word)
{
	int who = side_of(s, word[0]);
	struct ike_counters c = counters(s->w, who);
	uint64_t got = counter_of(s, &c, word[1]);

	if (got < number(s, word[2], 10))
		fail_msg("%s:%u: %s is %llu", s->path, s->line, word[1], (unsigned long long)got);
}

static bool sas_differ(const struct script *s, int who)
{
	for (size_t i = 0; i < MAX_SAS; i++) {
		const struct kernel_sa *a = &s->sa[who][i], *b = &s->w->side[who].sa[i];

		if (a->used != b->used || (a->used && (a->spi != b->spi || a->dir != b->dir || a->active != b->active ||
						       memcmp(a->keys, b->keys, sizeof(a->keys)))))
			return true;
	}
	return false;
}

static void expect_unchanged(struct script *s, char **word)
{
	(void)word;
	for (int who = 0; who < 2; who++) {
		if (sas_differ(s, who))
			wrong(s, "IPsec SAs have changed", who ? "B" : "A");
		if (counters(s->w, who).p1_now != s->p1_now[who])
			wrong(s, "ISAKMP SAs have come or gone", who ? "B" : "A");
	}
}

static void expect_up(struct script *s, char **word)
{
	(void)word;
	if (!tunnel_works(s->w))
		wrong(s, "the tunnel does not work", NULL);
}

static void expect_down(struct script *s, char **word)
{
	(void)word;
	if (count_sas(&s->w->side[ALICE], IKE_OUT, true) || count_sas(&s->w->side[BOB], IKE_OUT, true))
		wrong(s, "there is an SA in use", NULL);
}

/* B has nothing left of what was begun. */
static void expect_idle(struct script *s, char **word)
{
	struct ike_counters c = counters(s->w, BOB);

	(void)word;
	if (c.p1_now || c.exchanges_now || c.children_now)
		wrong(s, "something is left", NULL);
}

static void expect_log(struct script *s, char **word)
{
	if (!find_log(s->w, side_of(s, word[0]), word[1] ? word[1] : ""))
		wrong(s, "not in the log", word[1]);
}

static void expect_no_log(struct script *s, char **word)
{
	const struct log_entry *l = find_log(s->w, side_of(s, word[0]), word[1] ? word[1] : "");

	if (l)
		wrong(s, "in the log", l->text);
}

/* Messages sent by an end since the mark. */
static void expect_answers(struct script *s, char **word)
{
	int who = side_of(s, word[0]);
	unsigned int sent = s->w->sent[who] - s->sent[who];

	if (sent > number(s, word[1], 10))
		fail_msg("%s:%u: %u messages", s->path, s->line, sent);
}

static void expect_sas(struct script *s, char **word)
{
	struct side *side = &s->w->side[side_of(s, word[0])];
	unsigned int n = count_sas(side, word[1] && !strcmp(word[1], "in") ? IKE_IN : IKE_OUT, false);

	if (n != number(s, word[2], 10))
		fail_msg("%s:%u: %u SAs", s->path, s->line, n);
}

/* What each inbound SA was installed with. */
static void expect_window(struct script *s, char **word)
{
	struct side *side = &s->w->side[side_of(s, word[0])];

	for (size_t i = 0; i < MAX_SAS; i++)
		if (side->sa[i].used && side->sa[i].dir == IKE_IN)
			assert_int_equal(side->sa[i].replay_window, number(s, word[1], 10));
}

static void expect_limit(struct script *s, char **word)
{
	struct side *side = &s->w->side[side_of(s, word[0])];
	unsigned long most = number(s, word[1], 10);

	for (size_t i = 0; i < MAX_SAS; i++)
		if (side->sa[i].used)
			assert_in_range(side->sa[i].hard_bytes, 1, most);
}

static const struct command {
	const char *word;
	void (*run)(struct script *s, char **word);
} expectations[] = {
	{ "up", expect_up }, { "down", expect_down }, { "unchanged", expect_unchanged }, { "idle", expect_idle },
	{ "log", expect_log }, { "no-log", expect_no_log }, { "counter", expect_counter },
	{ "answers", expect_answers }, { "sas", expect_sas }, { "window", expect_window }, { "limit", expect_limit },
	{ NULL, NULL },
};

static void call(struct script *s, const struct command *list, char **word)
{
	for (; word[0] && list->word; list++) {
		if (strcmp(list->word, word[0]))
			continue;
		list->run(s, word + 1);
		return;
	}
	wrong(s, "no such command", word[0]);
}

static void cmd_expect(struct script *s, char **word)
{
	call(s, expectations, word);
}

static void cmd_times(struct script *s, char **word);

static const struct command commands[] = {
	{ "config", cmd_config }, { "start", cmd_start }, { "lose", cmd_lose }, { "twice", cmd_twice },
	{ "add", cmd_add }, { "replace", cmd_replace }, { "remove", cmd_remove }, { "up", cmd_up },
	{ "run", cmd_run }, { "down", cmd_down }, { "rekey1", cmd_rekey1 }, { "rekey2", cmd_rekey2 },
	{ "mark", cmd_mark }, { "send", cmd_send }, { "octets", cmd_octets }, { "replay", cmd_replay },
	{ "expect", cmd_expect }, { "times", cmd_times }, { NULL, NULL },
};

static void run_line(struct script *s, const char *line)
{
	char copy[TEXT], *word[WORDS + 1], *save = NULL;
	unsigned int n = 0;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = strtok_r(copy, " \t\n", &save); p && n < WORDS; p = strtok_r(NULL, " \t\n", &save))
		word[n++] = p;
	word[n] = NULL;
	if (n && word[0][0] != '#')
		call(s, commands, word);
}

/* %N becomes the number of the turn, in eight hexadecimal digits. */
static void cmd_times(struct script *s, char **word)
{
	unsigned long times = number(s, word[0], 10);
	char text[TEXT], line[TEXT + 16];

	join(text, sizeof(text), word + 1);
	for (unsigned long i = 1; i <= times; i++) {
		const char *at = strstr(text, "%N");

		if (at)
			snprintf(line, sizeof(line), "%.*s%08lx%s", (int)(at - text), text, i, at + 2);
		else
			snprintf(line, sizeof(line), "%s", text);
		run_line(s, line);
	}
}

/* ---- the folders ---------------------------------------------------------------------------------- */

static void run_script(void **state)
{
	const char *path = *state;
	struct script *s = calloc(1, sizeof(*s));
	char line[TEXT];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	now_running = s;
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->w = world_empty(7);
	s->w->wire = on_wire;
	for (int who = 0; who < 2; who++)
		tunnel_cfg(&s->cfg[who], who, "aes128-sha256-ecp256", "aes128gcm16-ecp256");
	while (fgets(line, sizeof(line), f)) {
		s->line++;
		run_line(s, line);
	}
	fclose(f);
	for (unsigned int i = 0; i < s->n_rules; i++) {
		if (s->rule[i].kind != LOSE && !s->rule[i].count)
			wrong(s, "there was no such message to change", s->rule[i].name);
		free(s->rule[i].changed.data);
	}
	for (int who = 0; who < 2; who++)
		free(s->cfg[who].psk);
	for (unsigned int i = 0; i < s->n_last; i++)
		free(s->last[i].data);
	world_free(s->w);
	free(s);
}

static int is_cve(const struct dirent *d)
{
	return !strncmp(d->d_name, "CVE-", 4);
}

int main(void)
{
	static const char *const parts[] = { "attack", "legit" };
	char folder[4096 + 8], path[4096 + 300], name[300];
	struct dirent **list;
	struct CMUnitTest *tests;
	size_t n = 0;
	int found, status;

	snprintf(folder, sizeof(folder), "%scve", tests_dir());
	found = scandir(folder, &list, is_cve, alphasort);
	tests = found > 0 ? calloc((size_t)found * 2, sizeof(*tests)) : NULL;
	if (!tests) {
		fprintf(stderr, "there is nothing in %s\n", folder);
		return 1;
	}
	for (int i = 0; i < found; i++) {
		for (int part = 0; part < 2; part++, n++) {
			snprintf(path, sizeof(path), "%s/%s/%s", folder, list[i]->d_name, parts[part]);
			snprintf(name, sizeof(name), "%s %s", list[i]->d_name, parts[part]);
			tests[n] = (struct CMUnitTest){ .name = strdup(name), .test_func = run_script,
							.initial_state = strdup(path) };
		}
		free(list[i]);
	}
	free(list);
	status = _cmocka_run_group_tests("cve", tests, n, NULL, NULL);
	for (size_t i = 0; i < n; i++) {
		free((void *)(uintptr_t)tests[i].name);
		free(tests[i].initial_state);
	}
	free(tests);
	return status;
}
