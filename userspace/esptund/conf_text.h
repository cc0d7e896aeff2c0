/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration file as text: read, checked octet for octet, comments blanked out.
 * Internal to esptund/conf*.
 */
#ifndef ESPTUND_CONF_TEXT_H
#define ESPTUND_CONF_TEXT_H

#include <sys/stat.h>

#include "conf_log.h"

struct conf_text {
	char *text;			/* ends with NUL; may hold secrets */
	size_t len;
	struct stat st;			/* of the file it came from */
};

/* 0, or -1 when there is no text to go on with; findings go to log. */
int conf_text_read(struct conf_text *t, const char *path, struct conf_log *log);
/* Wipes. */
void conf_text_clear(struct conf_text *t);
/* Does a pre-shared key stand on that line or the one before, so that its words must not be shown? */
bool conf_text_line_is_secret(const struct conf_text *t, unsigned int line);

#endif
