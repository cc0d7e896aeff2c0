// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund/log.c: what a line looks like, that nothing of a peer passes unescaped, and that
 * one source cannot fill the log.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/log.h"

struct fixture {
	FILE *file;
	struct log *log;
	char text[65536];
};

static const struct log_options base = {
	.level = IKE_LOG_INFO, .journal = true, .ring = 4, .burst = 5, .per_second = 1,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct log_options o = base;

	assert_non_null(f);
	f->file = tmpfile();
	assert_non_null(f->file);
	o.fd = fileno(f->file);
	f->log = log_new(&o);
	assert_non_null(f->log);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	log_free(f->log);
	fclose(f->file);
	free(f);
	return 0;
}

/* All that was written so far. */
static const char *written(struct fixture *f)
{
	size_t n;

	rewind(f->file);
	n = fread(f->text, 1, sizeof(f->text) - 1, f->file);
	f->text[n] = '\0';
	return f->text;
}

static unsigned int count(const char *text, const char *what)
{
	unsigned int n = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		n++;
	}
	return n;
}

static struct ike_log event_from(uint8_t last_octet)
{
	struct ike_log ev = {
		.level = IKE_LOG_NOTICE, .event = "p1-established", .tunnel = "paris",
		.icookie = { 1, 2, 3, 4, 5, 6, 7, 8 }, .rcookie = { 0xf1, 2, 3, 4, 5, 6, 7, 0xf8 },
		.message = "MM6", .text = "phase 1 is up",
	};

	ev.path.remote = (struct ike_addr){ .family = 4, .port = 500, .ip = { 192, 0, 2, last_octet } };
	return ev;
}

static void a_line_has_all_fields(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = event_from(2);

	ev.msgid = 0xdeadbeef;
	log_event(f->log, 0, &ev);
	assert_string_equal(written(f), "<5>p1-established tunnel=paris icookie=0102030405060708 "
			    "rcookie=f1020304050607f8 message=MM6 msgid=deadbeef peer=192.0.2.2:500: phase 1 is up\n");
}

static void absent_fields_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = { .level = IKE_LOG_ERROR, .event = "x", .text = "y" };

	log_event(f->log, 0, &ev);
	assert_string_equal(written(f), "<3>x: y\n");
}

static void less_important_is_not_written(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = event_from(2);

	ev.level = IKE_LOG_DEBUG;
	log_event(f->log, 0, &ev);
	log_line(f->log, IKE_LOG_DEBUG, "x", NULL, "y");
	assert_string_equal(written(f), "");
	log_set_level(f->log, IKE_LOG_DEBUG);
	log_line(f->log, IKE_LOG_DEBUG, "x", NULL, "y");
	assert_string_equal(written(f), "<7>x: y\n");
}

static void control_octets_are_escaped(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = { .level = IKE_LOG_NOTICE, .event = "x", .text = "a\nb\x1b[2J\x7f\xff%s" };

	log_event(f->log, 0, &ev);
	assert_string_equal(written(f), "<5>x: a\\x0ab\\x1b[2J\\x7f\\xff%s\n");
}

static void a_long_text_is_cut_and_ended(void **state)
{
	struct fixture *f = *state;
	char text[5000];
	const char *out;

	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_line(f->log, IKE_LOG_NOTICE, "x", text, "%s", text);
	out = written(f);
	assert_true(strlen(out) < 1100);
	assert_int_equal(count(out, "\n"), 1);
	assert_int_equal(out[strlen(out) - 1], '\n');
}

static void one_source_is_limited_and_told(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = event_from(2), other = event_from(3);

	for (int i = 0; i < 100; i++)
		log_event(f->log, 0, &ev);
	assert_int_equal(count(written(f), "peer=192.0.2.2:500"), 5);
	/* What else happens with that peer is still seen. */
	ev.event = "p1-deleted";
	log_event(f->log, 0, &ev);
	assert_int_equal(count(written(f), "p1-deleted"), 1);
	ev.event = "p1-established";
	/* Another source is not touched by that. */
	log_event(f->log, 0, &other);
	assert_int_equal(count(written(f), "peer=192.0.2.3:500"), 1);
	/* One second pays for one line, and the number left out comes with it. */
	log_event(f->log, IKE_SECOND, &ev);
	assert_non_null(strstr(written(f), "log-suppressed peer=192.0.2.2 event=p1-established count=95:"));
	assert_int_equal(count(written(f), "p1-established tunnel=paris"), 7);
	/* A long silence pays for a full burst, not for more. */
	for (int i = 0; i < 100; i++)
		log_event(f->log, 1000000 * IKE_SECOND, &ev);
	assert_int_equal(count(written(f), "p1-established tunnel=paris"), 12);
	log_flush(f->log);
	assert_non_null(strstr(written(f), "count=95:"));
	assert_int_equal(count(written(f), "log-suppressed"), 2);
	log_flush(f->log);
	assert_int_equal(count(written(f), "log-suppressed"), 2);
}

static void many_sources_lose_no_count(void **state)
{
	struct fixture *f = *state;
	unsigned int told = 0;

	/* 512 sources in 256 places, 6 lines each, one more than a source may cause. */
	for (unsigned int i = 0; i < 512; i++)
		for (int n = 0; n < 6; n++) {
			struct ike_log ev = event_from((uint8_t)i);

			ev.path.remote.ip[2] = (uint8_t)(i >> 8);
			log_event(f->log, 0, &ev);
		}
	log_flush(f->log);
	rewind(f->file);
	while (fgets(f->text, sizeof(f->text), f->file)) {
		const char *at = strstr(f->text, "count=");

		if (at)
			told += (unsigned int)strtoul(at + 6, NULL, 10);
	}
	assert_int_equal(told, 512);
}

static void an_ipv6_network_is_one_source(void **state)
{
	struct fixture *f = *state;
	struct ike_log ev = event_from(0);

	for (uint8_t i = 0; i < 100; i++) {
		ev.path.remote = (struct ike_addr){ .family = 6, .port = 500, .ip = { 0x20, 1, 0xd, 0xb8, [15] = i } };
		log_event(f->log, 0, &ev);
	}
	assert_int_equal(count(written(f), "p1-established"), 5);
}

static void take(void *ctx, const char *line)
{
	strcat(ctx, line);
	strcat(ctx, "|");
}

static void the_ring_keeps_the_last(void **state)
{
	struct fixture *f = *state;
	char all[1024] = "", one[1024] = "";

	for (int i = 0; i < 6; i++)
		log_line(f->log, IKE_LOG_NOTICE, "x", i % 2 ? "odd" : "even", "%d", i);
	log_recent(f->log, NULL, take, all);
	assert_string_equal(all, "x tunnel=even: 2|x tunnel=odd: 3|x tunnel=even: 4|x tunnel=odd: 5|");
	log_recent(f->log, "odd", take, one);
	assert_string_equal(one, "x tunnel=odd: 3|x tunnel=odd: 5|");
}

static void a_closed_log_does_no_harm(void **state)
{
	struct log_options o = base;
	struct log *l;
	int p[2];

	(void)state;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	o.fd = p[1];
	l = log_new(&o);
	for (int i = 0; i < 10000; i++)		/* more than a pipe takes */
		log_line(l, IKE_LOG_NOTICE, "x", NULL, "a line of some length to fill the pipe");
	log_free(l);
	close(p[0]);
	close(p[1]);
}

static void words(void **state)
{
	enum ike_log_level level = IKE_LOG_ERROR;

	(void)state;
	assert_true(log_level_parse("debug", &level));
	assert_int_equal(level, IKE_LOG_DEBUG);
	assert_false(log_level_parse("loud", &level));
	assert_false(log_level_parse("", &level));
	assert_int_equal(level, IKE_LOG_DEBUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_has_all_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(absent_fields_are_left_out, setup, teardown),
		cmocka_unit_test_setup_teardown(less_important_is_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(control_octets_are_escaped, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_text_is_cut_and_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(one_source_is_limited_and_told, setup, teardown),
		cmocka_unit_test_setup_teardown(many_sources_lose_no_count, setup, teardown),
		cmocka_unit_test_setup_teardown(an_ipv6_network_is_one_source, setup, teardown),
		cmocka_unit_test_setup_teardown(the_ring_keeps_the_last, setup, teardown),
		cmocka_unit_test(a_closed_log_does_no_harm),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
