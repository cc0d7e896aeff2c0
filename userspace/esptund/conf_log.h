/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Findings while a configuration is read: counts the errors, passes each finding on once,
 * in printable ASCII. Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_LOG_H
#define ESPTUND_CONF_LOG_H

#include "conf.h"

struct conf_finding;

struct conf_log {
	conf_report *report;
	void *ctx;
	const char *file;
	unsigned int errors;
	struct conf_finding *seen;	/* what was reported; a profile is looked at more than once */
};

void conf_log_init(struct conf_log *log, const char *file, conf_report *report, void *ctx);
void conf_log_clear(struct conf_log *log);

__attribute__((format(printf, 3, 4)))
void conf_error(struct conf_log *log, unsigned int line, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
void conf_warning(struct conf_log *log, unsigned int line, const char *fmt, ...);
void conf_no_memory(struct conf_log *log);

#endif
