// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun ike: what the keyer is doing, and asking it to do something. Prints the keyer's own
 * words; the meaning of states is in esptund(8).
 */
#include "cli/cli.h"

#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "cli/keyer.h"
#include "cli/parse.h"

#define WAIT_SECONDS 30		/* default of "up NAME wait" */
#define POLL_NS 100000000

struct request {
	const char *tunnel, *ctl, *phase;
	uint32_t wait, lines;
};

#define GIVEN_LINES 1U

/* "phase1" | "phase2" */
static const char *parse_phase(const char *text, void *dst)
{
	if (strcmp(text, "phase1") != 0 && strcmp(text, "phase2") != 0)
		return "phase1 or phase2";
	*(const char **)dst = text;
	return NULL;
}

#define CTL_OPTION { "ctl", "PATH", cli_parse_text, offsetof(struct request, ctl), 0, false }

static const struct args_option plain_options[] = { CTL_OPTION, { 0 } };
static const struct args_option up_options[] = {
	{ "wait", "SECONDS", cli_parse_u32, offsetof(struct request, wait), 0, false },
	CTL_OPTION, { 0 }
};
static const struct args_option log_options[] = {
	{ "lines", "NUMBER", cli_parse_u32, offsetof(struct request, lines), GIVEN_LINES, false },
	CTL_OPTION, { 0 }
};
static const struct args_option rekey_options[] = {
	{ "phase1", NULL, parse_phase, offsetof(struct request, phase), 0, false },
	{ "phase2", NULL, parse_phase, offsetof(struct request, phase), 0, false },
	CTL_OPTION, { 0 }
};

/* ---- requests -------------------------------------------------------------------------- */

static struct json_object *request_new(const char *command, const struct request *rq)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "command", json_object_new_string(command));
	if (rq->tunnel)
		json_object_object_add(o, "tunnel", json_object_new_string(rq->tunnel));
	return o;
}

/* [ NAME ] and options; the name is a word that is none of the options. */
static int read_request(struct cli *c, struct args *a, const struct args_option *table, bool need_name,
			struct request *rq, uint32_t *given)
{
	const char *word = args_peek(a);

	*rq = (struct request){ .ctl = KEYER_CTL, .wait = WAIT_SECONDS };
	for (int i = 0; word && table[i].name; i++)
		if (!strcmp(table[i].name, word))
			word = NULL;
	if (word)
		rq->tunnel = args_next(a);
	else if (need_name)
		return cli_wrong(c, "%s: the tunnel's name is missing", c->where);
	return args_options(c, a, table, ARGS_SOME, rq, given);
}

/* A command that is done when it is accepted. */
static int simple(struct cli *c, const struct request *rq, struct json_object *request)
{
	struct json_object *reply = keyer_ask(c, rq->ctl, request, false);

	if (!reply)
		return CLI_REFUSED;
	json_object_put(reply);
	return CLI_OK;
}

/* ---- printing --------------------------------------------------------------------------- */

static bool is_seconds(const char *key)
{
	static const char *const keys[] = { "age", "rekey_in", "expires_in", "heard", "last_error_age", "uptime" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static void print_value(struct cli *c, const char *key, struct json_object *value)
{
	struct out *o = &c->out;
	char text[48];

	if (json_object_is_type(value, json_type_boolean))
		out_flag(o, key, json_object_get_boolean(value));
	else if (!json_object_is_type(value, json_type_int))
		out_str(o, key, json_object_get_string(value));
	else if (is_seconds(key))
		out_str(o, key, out_duration(json_object_get_uint64(value) * 1000000000, text, sizeof(text)));
	else
		out_num(o, key, json_object_get_uint64(value));
}

/* Members in the order the keyer gave them; a list begins a line of its own for each entry. */
static void print_members(struct cli *c, struct json_object *object, const char *skip)
{
	json_object_object_foreach(object, key, value) {
		if (skip && !strcmp(skip, key))
			continue;
		if (!json_object_is_type(value, json_type_array)) {
			print_value(c, key, value);
			continue;
		}
		for (size_t i = 0; i < json_object_array_length(value); i++) {
			out_line(&c->out);
			out_name(&c->out, key, key);
			print_members(c, json_object_array_get_idx(value, i), NULL);
		}
	}
}

static void print_tunnels(struct cli *c, struct json_object *tunnels)
{
	for (size_t i = 0; i < json_object_array_length(tunnels); i++) {
		struct json_object *t = json_object_array_get_idx(tunnels, i);
		const char *name = keyer_text(t, "name");

		out_item_begin(&c->out);
		out_name(&c->out, "name", name ? name : "?");
		print_members(c, t, "name");
		out_item_end(&c->out);
	}
}

/* The keyer's reply is JSON already: it is printed as it came. */
static int print_json(struct cli *c, struct json_object *o)
{
	int flags = c->out.pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : JSON_C_TO_STRING_PLAIN;
	const char *text = json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text)
		return cli_failed(c, "no memory");
	fprintf(c->out.f, "%s\n", text);
	return CLI_OK;
}

/* ---- commands ----------------------------------------------------------------------------- */

static int print_status(struct cli *c, struct json_object *reply)
{
	struct json_object *tunnels, *counters;

	json_object_object_del(reply, "ok");
	if (c->out.json)
		return print_json(c, reply);
	if (json_object_object_get_ex(reply, "tunnels", &tunnels))
		print_tunnels(c, tunnels);
	if (!c->stats || !json_object_object_get_ex(reply, "counters", &counters))
		return CLI_OK;
	out_item_begin(&c->out);
	out_name(&c->out, "counters", "counters");
	print_members(c, counters, NULL);
	out_item_end(&c->out);
	return CLI_OK;
}

static int ike_status(struct cli *c, struct args *a)
{
	struct json_object *reply;
	struct request rq;
	int ret = read_request(c, a, plain_options, false, &rq, NULL);

	if (ret != CLI_OK)
		return ret;
	reply = keyer_ask(c, rq.ctl, request_new("status", &rq), false);
	if (!reply)
		return CLI_REFUSED;
	ret = print_status(c, reply);
	json_object_put(reply);
	return ret;
}

static struct json_object *only_tunnel(struct json_object *reply)
{
	struct json_object *tunnels;

	if (!json_object_object_get_ex(reply, "tunnels", &tunnels))
		return NULL;
	return json_object_array_get_idx(tunnels, 0);
}

/* Until the tunnel is up or the time is over. */
static int wait_up(struct cli *c, const struct request *rq)
{
	const struct timespec pause = { 0, POLL_NS };
	struct json_object *reply, *t;
	const char *why;

	for (uint64_t left = (uint64_t)rq->wait * 1000000000 / POLL_NS + 1; left; left--) {
		reply = keyer_ask(c, rq->ctl, request_new("status", rq), false);
		if (!reply)
			return CLI_REFUSED;
		t = only_tunnel(reply);
		if (t && keyer_text(t, "state") && !strcmp(keyer_text(t, "state"), "up")) {
			json_object_put(reply);
			return CLI_OK;
		}
		if (left > 1)
			nanosleep(&pause, NULL);
		else {
			why = t ? keyer_text(t, "last_error") : NULL;
			cli_failed(c, "%s is not up after %u s: %s", rq->tunnel, rq->wait,
				   why ? why : "no answer from the peer yet");
		}
		json_object_put(reply);
	}
	return CLI_REFUSED;
}

static int ike_up(struct cli *c, struct args *a)
{
	struct request rq;
	int ret = read_request(c, a, up_options, true, &rq, NULL);

	if (ret == CLI_OK)
		ret = simple(c, &rq, request_new("up", &rq));
	return ret == CLI_OK && rq.wait ? wait_up(c, &rq) : ret;
}

static int ike_down(struct cli *c, struct args *a)
{
	struct request rq;
	int ret = read_request(c, a, plain_options, true, &rq, NULL);

	return ret == CLI_OK ? simple(c, &rq, request_new("down", &rq)) : ret;
}

static int ike_rekey(struct cli *c, struct args *a)
{
	struct json_object *request;
	struct request rq;
	int ret = read_request(c, a, rekey_options, true, &rq, NULL);

	if (ret != CLI_OK)
		return ret;
	request = request_new("rekey", &rq);
	json_object_object_add(request, "phase", json_object_new_int(rq.phase && !strcmp(rq.phase, "phase1") ? 1 : 2));
	return simple(c, &rq, request);
}

static void print_findings(struct cli *c, struct json_object *findings)
{
	for (size_t i = 0; i < json_object_array_length(findings); i++) {
		struct json_object *f = json_object_array_get_idx(findings, i);
		const char *severity = keyer_text(f, "severity");

		fprintf(c->err, "%s:%s: %s: %s\n", keyer_text(f, "file"), keyer_text(f, "line"),
			severity ? severity : "error", keyer_text(f, "text"));
	}
}

static int ike_reload(struct cli *c, struct args *a)
{
	struct json_object *reply, *findings;
	const char *why;
	struct request rq;
	int ret = read_request(c, a, plain_options, false, &rq, NULL);

	if (ret == CLI_OK && rq.tunnel)
		ret = cli_wrong(c, "reload takes no name: the whole configuration is read");
	if (ret != CLI_OK)
		return ret;
	reply = keyer_ask(c, rq.ctl, request_new("reload", &rq), true);
	if (!reply)
		return CLI_REFUSED;
	if (c->out.json)
		print_json(c, reply);
	else if (json_object_object_get_ex(reply, "findings", &findings))
		print_findings(c, findings);
	why = keyer_text(reply, "error");
	ret = why ? cli_failed(c, "%s", why) : CLI_OK;
	json_object_put(reply);
	return ret;
}

static int ike_log(struct cli *c, struct args *a)
{
	struct json_object *reply, *request, *lines;
	struct request rq;
	uint32_t given = 0;
	int ret = read_request(c, a, log_options, false, &rq, &given);

	if (ret != CLI_OK)
		return ret;
	request = request_new("log", &rq);
	if (given & GIVEN_LINES)
		json_object_object_add(request, "lines", json_object_new_int64(rq.lines));
	reply = keyer_ask(c, rq.ctl, request, false);
	if (!reply)
		return CLI_REFUSED;
	if (json_object_object_get_ex(reply, "lines", &lines)) {
		if (c->out.json)
			ret = print_json(c, lines);
		else
			for (size_t i = 0; i < json_object_array_length(lines); i++)
				fprintf(c->out.f, "%s\n", json_object_get_string(json_object_array_get_idx(lines, i)));
	}
	json_object_put(reply);
	return ret;
}

static void notes(FILE *f)
{
	fputs("where  PATH is the keyer's control socket, " KEYER_CTL " by default\n"
	      "       up waits until the tunnel is up; \"wait 0\" does not\n"
	      "       rekey is of phase2 unless told otherwise\n", f);
}

static const struct cli_command commands[] = {
	{ "status", "[ NAME ] [ ctl PATH ]", ike_status },
	{ "show", NULL, ike_status },
	{ "up", "NAME [ wait SECONDS ] [ ctl PATH ]", ike_up },
	{ "down", "NAME [ ctl PATH ]", ike_down },
	{ "rekey", "NAME [ phase1 | phase2 ] [ ctl PATH ]", ike_rekey },
	{ "reload", "[ ctl PATH ]", ike_reload },
	{ "log", "[ NAME ] [ lines NUMBER ] [ ctl PATH ]", ike_log },
	{ NULL, NULL, NULL }
};

const struct cli_object cmd_ike = {
	.name = "ike",
	.summary = "the keyer: negotiations, state, log",
	.commands = commands,
	.notes = notes,
};
