// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns how an event becomes a line, where lines go and how many one source may
 * cause. A line is: stable event name, key=value fields, colon, sentence. It never
 * contains octets of a peer unescaped and never key material.
 */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "addr.h"

#define LINE_MAX_OCTETS 1024
#define SOURCES 256		/* kinds of lines remembered at a time */
#define EVENT_NAME_MAX 32

/*
 * How many lines of one event one remote address (an IPv6 /64) may still cause. Each event for
 * itself: who floods us with one kind of message in a peer's name must not hide what
 * really happens with that peer.
 */
struct source {
	struct source_key {
		uint8_t family;
		uint8_t prefix[8];
		char event[EVENT_NAME_MAX];
	} key;
	int64_t credit;		/* ns: a line costs one second / per_second */
	ike_time at;
	unsigned int suppressed;
};

struct ring_line {
	char tunnel[IKE_NAME_MAX + 1];
	char *text;
};

struct log {
	struct log_options o;
	struct source source[SOURCES];
	struct ring_line *ring;
	size_t next, used;
	uint32_t seed;
};

static const char *const level_names[] = {
	[IKE_LOG_ERROR] = "error",
	[IKE_LOG_WARNING] = "warning",
	[IKE_LOG_NOTICE] = "notice",
	[IKE_LOG_INFO] = "info",
	[IKE_LOG_DEBUG] = "debug",
};

/* Is stderr the stream that systemd connected to the journal? (systemd.exec(5), JOURNAL_STREAM) */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return env && sscanf(env, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_defaults(struct log_options *o)
{
	*o = (struct log_options){
		.fd = STDERR_FILENO,
		.level = IKE_LOG_NOTICE,
		.journal = stderr_is_journal(),
		.ring = 512,
		.burst = 30,
		.per_second = 3,
	};
}

struct log *log_new(const struct log_options *o)
{
	struct log *l = calloc(1, sizeof(*l));
	struct timespec ts;

	if (!l)
		return NULL;
	l->o = *o;
	if (!l->o.per_second)
		l->o.per_second = 1;
	/* Only spreads addresses over the table; a guess costs an attacker's victim a few log lines. */
	clock_gettime(CLOCK_REALTIME, &ts);
	l->seed = (uint32_t)ts.tv_nsec ^ (uint32_t)getpid() << 16;
	l->ring = o->ring ? calloc(o->ring, sizeof(*l->ring)) : NULL;
	if (o->ring && !l->ring) {
		free(l);
		return NULL;
	}
	return l;
}

void log_free(struct log *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->used; i++)
		free(l->ring[i].text);
	free(l->ring);
	free(l);
}

void log_set_level(struct log *l, enum ike_log_level level)
{
	l->o.level = level;
}

enum ike_log_level log_level(const struct log *l)
{
	return l->o.level;
}

bool log_level_parse(const char *text, enum ike_log_level *level)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (!strcmp(text, level_names[i])) {
			*level = (enum ike_log_level)i;
			return true;
		}
	return false;
}

/* ---- writing a line -------------------------------------------------------------- */

struct line {
	char text[LINE_MAX_OCTETS];
	size_t len;
};

static void put(struct line *ln, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (ln->len + 5 > sizeof(ln->text))
			break;
		if (c >= 0x20 && c < 0x7f) {
			ln->text[ln->len++] = (char)c;
			continue;
		}
		ln->text[ln->len++] = '\\';
		ln->text[ln->len++] = 'x';
		ln->text[ln->len++] = hex[c >> 4];
		ln->text[ln->len++] = hex[c & 15];
	}
	ln->text[ln->len] = '\0';
}

static void put_field(struct line *ln, const char *key, const char *value)
{
	put(ln, " ");
	put(ln, key);
	put(ln, "=");
	put(ln, value);
}

static void put_cookie(struct line *ln, const char *key, const uint8_t cookie[IKE_COOKIE_LEN])
{
	char hex[2 * IKE_COOKIE_LEN + 1];

	for (size_t i = 0; i < IKE_COOKIE_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", cookie[i]);
	put_field(ln, key, hex);
}

static void ring_add(struct log *l, const char *tunnel, const char *text)
{
	struct ring_line *r;

	if (!l->o.ring)
		return;
	r = &l->ring[l->next];
	free(r->text);
	r->text = strdup(text);
	snprintf(r->tunnel, sizeof(r->tunnel), "%s", tunnel ? tunnel : "");
	l->next = (l->next + 1) % l->o.ring;
	if (l->used < l->o.ring)
		l->used++;
}

void log_keep(struct log *l, const char *tunnel, const char *text)
{
	struct line ln = { .len = 0 };

	put(&ln, text);
	ring_add(l, tunnel, ln.text);
}

static void emit(struct log *l, enum ike_log_level level, const char *tunnel, const struct line *ln)
{
	/* syslog(3) priorities: err 3, warning 4, notice 5, info 6, debug 7 */
	static const char priority[] = { '3', '4', '5', '6', '7' };
	char out[LINE_MAX_OCTETS + 64];
	struct timespec ts;
	struct tm tm;
	int n;

	ring_add(l, tunnel, ln->text);
	if (l->o.copy)
		l->o.copy(l->o.ctx, tunnel, ln->text);
	if (l->o.journal) {
		n = snprintf(out, sizeof(out), "<%c>%s\n", priority[level], ln->text);
	} else {
		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		n = snprintf(out, sizeof(out), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s\n", tm.tm_year + 1900,
			     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000,
			     level_names[level], ln->text);
	}
	/* A full or closed log must never stop a tunnel: what cannot be written is lost. */
	if (n > 0 && write(l->o.fd, out, (size_t)n) < 0)
		return;
}

/* ---- limit per source --------------------------------------------------------------- */

static struct source_key source_key(const struct ike_addr *a, const char *event)
{
	struct source_key key;

	memset(&key, 0, sizeof(key));
	key.family = a->family;
	memcpy(key.prefix, a->ip, a->family == 4 ? 4 : 8);
	snprintf(key.event, sizeof(key.event), "%s", event);
	return key;
}

static void tell_suppressed(struct log *l, struct source *s)
{
	struct ike_addr a = { .family = s->key.family };
	char ip[ADDR_TEXT_MAX], n[16];
	struct line ln = { .len = 0 };

	if (!s->suppressed)
		return;
	memcpy(a.ip, s->key.prefix, sizeof(s->key.prefix));
	snprintf(n, sizeof(n), "%u", s->suppressed);
	put(&ln, "log-suppressed");
	put_field(&ln, "peer", addr_format_ip(&a, ip, sizeof(ip)));
	put_field(&ln, "event", s->key.event);
	put_field(&ln, "count", n);
	put(&ln, ": lines like this were left out");
	s->suppressed = 0;
	emit(l, IKE_LOG_WARNING, NULL, &ln);
}

static struct source *source_get(struct log *l, const struct ike_addr *a, const char *event, ike_time now)
{
	struct source_key key = source_key(a, event);
	uint32_t h = 2166136261u ^ l->seed;
	struct source *s;

	for (size_t i = 0; i < sizeof(key); i++)
		h = (h ^ ((const uint8_t *)&key)[i]) * 16777619u;
	s = &l->source[(h ^ h >> 16) % SOURCES];
	if (memcmp(&s->key, &key, sizeof(key)) != 0) {
		tell_suppressed(l, s);
		s->key = key;
		s->credit = (int64_t)l->o.burst * (IKE_SECOND / l->o.per_second);
		s->at = now;
	}
	return s;
}

/* May this address cause one more line of this event? */
static bool source_pays(struct log *l, const struct ike_addr *a, const char *event, ike_time now)
{
	int64_t price = IKE_SECOND / l->o.per_second, full = (int64_t)l->o.burst * price;
	struct source *s;

	if (!l->o.burst || !a->family)
		return true;
	s = source_get(l, a, event, now);
	if (now - s->at >= full - s->credit)
		s->credit = full;
	else if (now > s->at)
		s->credit += now - s->at;
	s->at = now;
	if (s->credit < price) {
		s->suppressed++;
		return false;
	}
	s->credit -= price;
	tell_suppressed(l, s);
	return true;
}

void log_flush(struct log *l)
{
	for (size_t i = 0; i < SOURCES; i++)
		tell_suppressed(l, &l->source[i]);
}

/* ---- events --------------------------------------------------------------------------- */

void log_event(struct log *l, ike_time now, const struct ike_log *ev)
{
	static const uint8_t none[IKE_COOKIE_LEN];
	struct line ln = { .len = 0 };
	char text[ADDR_TEXT_MAX];

	if (ev->level > l->o.level || !source_pays(l, &ev->path.remote, ev->event, now))
		return;
	put(&ln, ev->event);
	if (ev->tunnel)
		put_field(&ln, "tunnel", ev->tunnel);
	if (memcmp(ev->icookie, none, sizeof(none)) || memcmp(ev->rcookie, none, sizeof(none))) {
		put_cookie(&ln, "icookie", ev->icookie);
		put_cookie(&ln, "rcookie", ev->rcookie);
	}
	if (ev->message)
		put_field(&ln, "message", ev->message);
	if (ev->msgid) {
		snprintf(text, sizeof(text), "%08x", ev->msgid);
		put_field(&ln, "msgid", text);
	}
	if (ev->path.remote.family)
		put_field(&ln, "peer", addr_format(&ev->path.remote, text, sizeof(text)));
	put(&ln, ": ");
	put(&ln, ev->text ? ev->text : "");
	emit(l, ev->level, ev->tunnel, &ln);
}

void log_line(struct log *l, enum ike_log_level level, const char *event, const char *tunnel, const char *fmt, ...)
{
	struct line ln = { .len = 0 };
	char text[LINE_MAX_OCTETS];
	va_list ap;

	if (level > l->o.level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(&ln, event);
	if (tunnel)
		put_field(&ln, "tunnel", tunnel);
	put(&ln, ": ");
	put(&ln, text);
	emit(l, level, tunnel, &ln);
}

void log_peer(struct log *l, ike_time now, enum ike_log_level level, const char *event,
	      const struct ike_path *path, const char *fmt, ...)
{
	struct ike_log ev = { .level = level, .event = event, .path = *path };
	char text[LINE_MAX_OCTETS];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ev.text = text;
	log_event(l, now, &ev);
}

void log_recent(const struct log *l, const char *tunnel, void (*cb)(void *ctx, const char *line), void *ctx)
{
	size_t first = l->used < l->o.ring ? 0 : l->next;

	for (size_t i = 0; i < l->used; i++) {
		const struct ring_line *r = &l->ring[(first + i) % l->o.ring];

		if (r->text && (!tunnel || !strcmp(tunnel, r->tunnel)))
			cb(ctx, r->text);
	}
}
