/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: one line per event, on stderr and in a ring that
 * `esptun ike log` shows. Lines of one event about one remote address are rate-limited,
 * and the number left out is told. Key material never comes here: libike's log
 * events carry none, and nothing else of the daemon logs a key or a request.
 */
#ifndef ESPTUND_LOG_H
#define ESPTUND_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "libike/ike.h"

struct log;

struct log_options {
	int fd;				/* where lines go; stays the caller's */
	enum ike_log_level level;	/* least important level written */
	bool journal;			/* "<n>" in front for the journal instead of a time of day */
	size_t ring;			/* lines kept for log_recent; 0: none */
	unsigned int burst;		/* lines of one event one source may cause at once; 0: no limit */
	unsigned int per_second;	/* and a second after that */
	/* Each line, as the ring would keep it, for a log elsewhere; may be NULL. */
	void (*copy)(void *ctx, const char *tunnel, const char *text);
	void *ctx;
};

/* The daemon's values: stderr, notice, journal if stderr is one, 512 lines, 30 at once, 3 a second. */
void log_defaults(struct log_options *o);
/* NULL when memory is short. */
struct log *log_new(const struct log_options *o);
void log_free(struct log *l);
void log_set_level(struct log *l, enum ike_log_level level);
enum ike_log_level log_level(const struct log *l);
/* "error", "warning", "notice", "info", "debug". Returns false for another word. */
bool log_level_parse(const char *text, enum ike_log_level *level);

/* An event of libike. Anything not printable ASCII is written as \xHH. */
void log_event(struct log *l, ike_time now, const struct ike_log *ev);
/* An event of the daemon itself; event is its stable name, tunnel may be NULL. Not rate-limited. */
void log_line(struct log *l, enum ike_log_level level, const char *event, const char *tunnel,
	      const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* The same about a remote address, counted against its limit. */
void log_peer(struct log *l, ike_time now, enum ike_log_level level, const char *event,
	      const struct ike_path *path, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* A line that another process has written already: only kept in the ring. */
void log_keep(struct log *l, const char *tunnel, const char *text);
/* Tell what was left out and not yet told. */
void log_flush(struct log *l);
/* The last lines, oldest first, without prefix, those of one tunnel or (NULL) all. */
void log_recent(const struct log *l, const char *tunnel, void (*cb)(void *ctx, const char *line), void *ctx);

#endif
