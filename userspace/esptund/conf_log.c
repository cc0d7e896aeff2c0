// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Findings while a configuration is read. Never stops the reading: who finds something goes
 * on, and the count decides at the end.
 */
#include "conf_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_finding {
	struct conf_finding *next;
	unsigned int line;
	char text[];
};

void conf_log_init(struct conf_log *log, const char *file, conf_report *report, void *ctx)
{
	*log = (struct conf_log){ .report = report, .ctx = ctx, .file = file };
}

void conf_log_clear(struct conf_log *log)
{
	struct conf_finding *f;

	while ((f = log->seen)) {
		log->seen = f->next;
		free(f);
	}
}

/* True when this line and text are new; also when memory is too short to tell. */
static bool is_new(struct conf_log *log, unsigned int line, const char *text)
{
	struct conf_finding *f;

	for (f = log->seen; f; f = f->next)
		if (f->line == line && !strcmp(f->text, text))
			return false;
	f = malloc(sizeof(*f) + strlen(text) + 1);
	if (f) {
		f->line = line;
		memcpy(f->text, text, strlen(text) + 1);
		f->next = log->seen;
		log->seen = f;
	}
	return true;
}

static void found(struct conf_log *log, enum conf_severity severity, unsigned int line,
		  const char *fmt, va_list ap)
{
	char text[512];
	char *p;

	vsnprintf(text, sizeof(text), fmt, ap);
	for (p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	if (!is_new(log, line, text))
		return;
	log->errors += severity == CONF_ERROR;
	log->report(log->ctx, severity, log->file, line, text);
}

void conf_error(struct conf_log *log, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(log, CONF_ERROR, line, fmt, ap);
	va_end(ap);
}

void conf_warning(struct conf_log *log, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found(log, CONF_WARNING, line, fmt, ap);
	va_end(ap);
}

void conf_no_memory(struct conf_log *log)
{
	conf_error(log, 0, "out of memory while reading the configuration");
}
