// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A configuration file as text, made safe for libconfuse: that counts lines wrongly after
 * comments, puts environment variables into quoted strings and lets a forgotten quote swallow
 * the rest of the file. So comments are blanked out here (line breaks stay), and the other
 * two are refused where they stand, as are control characters in any spelling. Never looks at
 * keys or values.
 */
#include "conf_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libike/crypto.h"

static int read_all(struct conf_text *t, int fd)
{
	size_t size = (size_t)t->st.st_size;
	ssize_t n;

	t->text = malloc(size + 1);
	if (!t->text)
		return -ENOMEM;
	while (t->len < size) {
		n = read(fd, t->text + t->len, size - t->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		t->len += (size_t)n;
	}
	t->text[t->len] = 0;
	return 0;
}

static int open_file(struct conf_text *t, const char *path, struct conf_log *log)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		conf_error(log, 0, "cannot open the file: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, &t->st) || !S_ISREG(t->st.st_mode))
		conf_error(log, 0, "is not a regular file");
	else if (t->st.st_size > (off_t)CONF_SIZE_MAX)
		conf_error(log, 0, "has %lld octets, more than the %u allowed", (long long)t->st.st_size,
			   CONF_SIZE_MAX);
	else
		return fd;
	close(fd);
	return -1;
}

/* ---- the scanner ---------------------------------------------------------------------- */

#define MAX_DEPTH 8

enum where { OUTSIDE, DOUBLE_QUOTES, SINGLE_QUOTES, LINE_COMMENT, BLOCK_COMMENT };

struct scan {
	struct conf_log *log;
	char *p;
	enum where where;
	unsigned int line;
	unsigned int opened;		/* line where the quote or comment started */
	unsigned int depth;		/* braces open */
	unsigned int brace[MAX_DEPTH];	/* the lines they stand on */
};

/* Blank n characters out and step over them. */
static void blank(struct scan *s, int n)
{
	while (n--)
		*s->p++ = ' ';
}

static void newline(struct scan *s)
{
	if (s->where == DOUBLE_QUOTES || s->where == SINGLE_QUOTES) {
		conf_error(s->log, s->opened, "the quote opened on this line is not closed on it: add the closing %s",
			   s->where == DOUBLE_QUOTES ? "\"" : "'");
		s->where = OUTSIDE;
	} else if (s->where == LINE_COMMENT) {
		s->where = OUTSIDE;
	}
	s->line++;
	s->p++;
}

/* "${": libconfuse would put the environment in. Step over it when that is all right. */
static void variable(struct scan *s)
{
	conf_error(s->log, s->line, "environment variables are not put in: write the value, "
		   "or use single quotes around a text with ${ in it");
	s->p += 2;
}

/* libconfuse takes the end of the file for the end of all sections. */
static void brace(struct scan *s, char c)
{
	if (c == '}') {
		s->depth -= s->depth > 0;
	} else if (s->depth < MAX_DEPTH) {
		s->brace[s->depth++] = s->line;
	} else {
		conf_error(s->log, s->line, "braces in braces in braces: remove some");
	}
	s->p++;
}

static void scan_outside(struct scan *s)
{
	char c = s->p[0], next = s->p[1];

	s->opened = s->line;
	if (c == '#' || (c == '/' && next == '/')) {
		s->where = LINE_COMMENT;
		blank(s, 1);
	} else if (c == '/' && next == '*') {
		s->where = BLOCK_COMMENT;
		blank(s, 2);
	} else if (c == '$' && next == '{') {
		variable(s);
	} else if (c == '{' || c == '}') {
		brace(s, c);
	} else if (c == '|') {
		conf_error(s->log, s->line, "'|' has no meaning here: put the word in quotes");
		s->p++;
	} else {
		if (c == '"')
			s->where = DOUBLE_QUOTES;
		else if (c == '\'')
			s->where = SINGLE_QUOTES;
		s->p++;
	}
}

static void scan_quoted(struct scan *s)
{
	char c = s->p[0], next = s->p[1];

	if (c == '\\' && (next == '\\' || next == '"' || next == '\'')) {
		s->p += 2;
	} else if (c == '\\' && s->where == DOUBLE_QUOTES && next != '\n') {
		conf_error(s->log, s->line, "in double quotes a \\ stands only before \" or \\: write \\\\ "
			   "for the character itself");
		s->p++;
	} else if (s->where == DOUBLE_QUOTES && c == '$' && next == '{') {
		variable(s);
	} else {
		if (c == (s->where == DOUBLE_QUOTES ? '"' : '\''))
			s->where = OUTSIDE;
		s->p++;
	}
}

static void scan_comment(struct scan *s)
{
	if (s->where == BLOCK_COMMENT && s->p[0] == '*' && s->p[1] == '/') {
		s->where = OUTSIDE;
		blank(s, 2);
	} else {
		blank(s, 1);
	}
}

static void scan(struct conf_text *t, struct conf_log *log)
{
	struct scan s = { .log = log, .p = t->text, .line = 1 };
	const char *end = t->text + t->len;

	while (s.p < end) {
		if (*s.p == '\n') {
			newline(&s);
		} else if ((unsigned char)*s.p < ' ' && *s.p != '\t' && *s.p != '\r') {
			conf_error(log, s.line, "control character 0x%02x: remove it", *s.p);
			blank(&s, 1);
		} else if (s.where == OUTSIDE) {
			scan_outside(&s);
		} else if (s.where == LINE_COMMENT || s.where == BLOCK_COMMENT) {
			scan_comment(&s);
		} else {
			scan_quoted(&s);
		}
	}
	if (s.where == BLOCK_COMMENT)
		conf_error(log, s.opened, "the comment opened on this line is not closed: add */");
	else if (s.where == DOUBLE_QUOTES || s.where == SINGLE_QUOTES)
		newline(&s);
	else if (s.depth)
		conf_error(log, s.brace[s.depth - 1], "the { on this line is not closed: add the }");
}

int conf_text_read(struct conf_text *t, const char *path, struct conf_log *log)
{
	unsigned int errors = log->errors;
	int fd, err;

	*t = (struct conf_text){ 0 };
	fd = open_file(t, path, log);
	if (fd < 0)
		return -1;
	err = read_all(t, fd);
	close(fd);
	if (err) {
		conf_error(log, 0, "cannot read the file: %s", strerror(-err));
		return -1;
	}
	scan(t, log);
	/* After a forgotten quote or brace everything that follows would look wrong. */
	return log->errors == errors ? 0 : -1;
}

void conf_text_clear(struct conf_text *t)
{
	if (t->text)
		ike_crypto_wipe(t->text, t->len);
	free(t->text);
	*t = (struct conf_text){ 0 };
}

/* Does the word "psk", but not "psk-file", begin between p and end? */
static bool names_psk(const char *p, const char *end)
{
	const char *start = p;

	for (; (p = strstr(p, "psk")) && p < end; p += 3)
		if (strncmp(p, "psk-file", 8) && (p == start || strchr(" \t\r{}=\"'", p[-1])))
			return true;
	return false;
}

bool conf_text_line_is_secret(const struct conf_text *t, unsigned int line)
{
	const char *p = t->text, *end;
	unsigned int n;

	for (n = 1; n <= line; n++, p = end + 1) {
		end = p + strcspn(p, "\n");
		if (n + 1 >= line && names_psk(p, end))
			return true;
		if (!*end)
			break;
	}
	return false;
}
