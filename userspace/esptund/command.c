// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns what a request on the control socket means: {"command": WORD, "tunnel": NAME, ...}.
 * A member that a command does not know is refused, so that a newer client learns that it
 * was not understood.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "exploit.h"

#define LOG_LINES_MAX 512

struct request {
	const char *tunnel;	/* NULL: not given */
	const char *type, *dir;
	int64_t phase, lines, spi;	/* -1: not given */
};

/* Which members a command takes, beside "command". */
#define TAKES_TUNNEL 1U
#define NEEDS_TUNNEL 2U
#define TAKES_PHASE 4U
#define TAKES_LINES 8U
#define TAKES_EVENT 16U

/* ---- commands ----------------------------------------------------------------------------- */

static void cmd_status(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	if (!status_put(d, rq->tunnel, reply)) {
		ctl_refuse(reply, "there is no tunnel \"%s\"", rq->tunnel);
		return;
	}
	if (rq->tunnel)
		return;
	json_object_object_add(reply, "version", json_object_new_string(ESPTUND_VERSION));
	json_object_object_add(reply, "config", json_object_new_string(d->conf->file));
	json_object_object_add(reply, "data_plane",
			       json_object_new_string(kern_is_record(d->kern) ? "record" : "kernel"));
	json_object_object_add(reply, "uptime",
			       json_object_new_int64((loop_now(d->loop) - d->started) / IKE_SECOND));
}

static void engine_command(struct daemon *d, enum ike_command cmd, const char *tunnel, struct json_object *reply)
{
	int err = run_command(d->run, cmd, tunnel);

	if (err == -IKE_E_UNKNOWN)
		ctl_refuse(reply, "there is no tunnel \"%s\"", tunnel);
	else if (err == -IKE_E_DOWN)
		ctl_refuse(reply, "tunnel \"%s\" is down by command", tunnel);
	else if (err)
		ctl_refuse(reply, "the engine refused (error %d)", -err);
}

static void cmd_up(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	engine_command(d, IKE_CMD_UP, rq->tunnel, reply);
}

static void cmd_down(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	engine_command(d, IKE_CMD_DOWN, rq->tunnel, reply);
}

static void cmd_rekey(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	if (rq->phase > 2 || rq->phase == 0)
		ctl_refuse(reply, "\"phase\" is 1 or 2");
	else
		engine_command(d, rq->phase == 1 ? IKE_CMD_REKEY_P1 : IKE_CMD_REKEY_P2, rq->tunnel, reply);
}

static void cmd_reload(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	struct json_object *findings = json_object_new_array();

	(void)rq;
	if (!apply_configuration(d, findings))
		ctl_refuse(reply, "the configuration was refused, the old one stays in force");
	json_object_object_add(reply, "findings", findings);
}

struct lines {
	struct json_object *all;
};

static void take_line(void *ctx, const char *line)
{
	struct lines *l = ctx;

	json_object_array_add(l->all, json_object_new_string(line));
}

static void cmd_log(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	struct lines l = { .all = json_object_new_array() };
	size_t want = rq->lines < 0 || rq->lines > LOG_LINES_MAX ? LOG_LINES_MAX : (size_t)rq->lines, n;

	log_flush(d->log);
	log_recent(d->log, rq->tunnel, take_line, &l);
	n = json_object_array_length(l.all);
	if (n > want)
		json_object_array_del_idx(l.all, 0, n - want);
	json_object_object_add(reply, "lines", l.all);
}

/* For tests without the module: what the data plane would have reported. */
static void cmd_kernel_event(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	static const struct { const char *word; enum ike_kernel_event_type type; } types[] = {
		{ "acquire", IKE_KEV_ACQUIRE }, { "confirmed", IKE_KEV_CONFIRMED },
		{ "soft-expire", IKE_KEV_SOFT_EXPIRE }, { "hard-expire", IKE_KEV_HARD_EXPIRE },
		{ "deleted", IKE_KEV_DELETED },
	};
	struct ike_kernel_event ev = { .tunnel = rq->tunnel, .spi = (uint32_t)rq->spi };

	if (!kern_is_record(d->kern)) {
		ctl_refuse(reply, "only with --record");
		return;
	}
	ev.dir = rq->dir && !strcmp(rq->dir, "out") ? IKE_OUT : IKE_IN;
	for (size_t i = 0; rq->type && i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i].word, rq->type)) {
			ev.type = types[i].type;
			/* It says that the SA is gone, so it has to be. */
			if (ev.type == IKE_KEV_DELETED && kern_sa_del(d->kern, ev.tunnel, ev.dir, ev.spi))
				ctl_refuse(reply, "%s", kern_error(d->kern));
			run_kernel_event(d->run, &ev);
			return;
		}
	ctl_refuse(reply, "\"type\" is none of acquire, confirmed, soft-expire, hard-expire, deleted");
}

#ifdef ESPTUND_EXPLOIT
static void cmd_exploit(struct daemon *d, const struct request *rq, struct json_object *reply)
{
	char result[64];

	(void)d;
	if (exploit_try(rq->type, result, sizeof(result)))
		json_object_object_add(reply, "result", json_object_new_string(result));
	else
		ctl_refuse(reply, "no such attempt");
}
#endif

static const struct {
	const char *word;
	unsigned int takes;
	void (*run)(struct daemon *d, const struct request *rq, struct json_object *reply);
} commands[] = {
	{ "status", TAKES_TUNNEL, cmd_status },
	{ "up", NEEDS_TUNNEL, cmd_up },
	{ "down", NEEDS_TUNNEL, cmd_down },
	{ "rekey", NEEDS_TUNNEL | TAKES_PHASE, cmd_rekey },
	{ "reload", 0, cmd_reload },
	{ "log", TAKES_TUNNEL | TAKES_LINES, cmd_log },
	{ "kernel-event", NEEDS_TUNNEL | TAKES_EVENT, cmd_kernel_event },
#ifdef ESPTUND_EXPLOIT
	{ "exploit", TAKES_EVENT, cmd_exploit },
#endif
};

/* ---- reading a request ---------------------------------------------------------------------- */

static const struct {
	const char *key;
	unsigned int takes;
	size_t offset;
	bool number;
} members[] = {
	{ "tunnel", TAKES_TUNNEL | NEEDS_TUNNEL, offsetof(struct request, tunnel), false },
	{ "phase", TAKES_PHASE, offsetof(struct request, phase), true },
	{ "lines", TAKES_LINES, offsetof(struct request, lines), true },
	{ "type", TAKES_EVENT, offsetof(struct request, type), false },
	{ "dir", TAKES_EVENT, offsetof(struct request, dir), false },
	{ "spi", TAKES_EVENT, offsetof(struct request, spi), true },
};

/* Returns NULL or what is wrong. */
static const char *read_member(struct request *rq, unsigned int takes, const char *key, struct json_object *value)
{
	if (!strcmp(key, "command"))
		return NULL;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		void *at = (char *)rq + members[i].offset;

		if (strcmp(members[i].key, key) != 0 || !(members[i].takes & takes))
			continue;
		if (!json_object_is_type(value, members[i].number ? json_type_int : json_type_string))
			return members[i].number ? "must be a whole number" : "must be a string";
		if (!members[i].number)
			*(const char **)at = json_object_get_string(value);
		else if (json_object_get_int64(value) < 0 || json_object_get_int64(value) > UINT32_MAX)
			return "is out of range";
		else
			*(int64_t *)at = json_object_get_int64(value);
		return NULL;
	}
	return "does not belong to this command";
}

static bool read_request(struct request *rq, unsigned int takes, struct json_object *o, struct json_object *reply)
{
	*rq = (struct request){ .phase = -1, .lines = -1, .spi = -1 };
	json_object_object_foreach(o, key, value) {
		const char *wrong = read_member(rq, takes, key, value);

		if (wrong) {
			ctl_refuse(reply, "member \"%.64s\" %s", key, wrong);
			return false;
		}
	}
	if (takes & NEEDS_TUNNEL && !rq->tunnel) {
		ctl_refuse(reply, "\"tunnel\" is missing");
		return false;
	}
	return true;
}

void command_handle(void *ctx, struct json_object *request, struct json_object *reply)
{
	struct json_object *word;
	struct request rq;

	if (!json_object_object_get_ex(request, "command", &word) || !json_object_is_type(word, json_type_string)) {
		ctl_refuse(reply, "\"command\" is missing");
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].word, json_object_get_string(word)) != 0)
			continue;
		if (read_request(&rq, commands[i].takes, request, reply))
			commands[i].run(ctx, &rq, reply);
		return;
	}
	ctl_refuse(reply, "unknown command \"%.64s\"", json_object_get_string(word));
}
