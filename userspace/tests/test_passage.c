// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What passes between warden and cell: whole messages only, of sane form, with pointers that
 * are the receiver's own; a configuration is the same on the other side; calls of kern.h
 * become messages and answers become results.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/ask.h"
#include "esptund/conf_pass.h"

static int setup(void **state)
{
	static int pair[2];

	assert_int_equal(passage_pair(pair), 0);
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	int *pair = *state;

	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* ---- form ------------------------------------------------------------------------------------ */

static void pointers_are_the_receivers(void **state)
{
	int *pair = *state;
	struct passage_msg m, got;

	passage_init(&m, PASSAGE_SA_ADD);
	m.has_tunnel = true;
	strcpy(m.tunnel, "paris");
	m.sa.tunnel = (const char *)1;
	m.sa.encr_key = m.sa.auth_key = (const uint8_t *)2;
	m.sa.encr_key_len = 20;
	m.sa.auth_key_len = 32;
	m.ev.text = (const char *)3;
	m.ev.cookie = (const uint8_t *)4;
	memset(m.keys, 7, 20);
	memset(m.keys + 20, 9, 32);
	assert_int_equal(passage_send(pair[1], &m, NULL, -1), 0);
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), 0);
	assert_ptr_equal(got.sa.tunnel, got.tunnel);
	assert_string_equal(got.sa.tunnel, "paris");
	assert_ptr_equal(got.sa.encr_key, got.keys);
	assert_ptr_equal(got.sa.auth_key, got.keys + 20);
	assert_int_equal(got.sa.auth_key[31], 9);
	assert_null(got.ev.text);
	assert_null(got.ev.cookie);
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), -EAGAIN);
}

/* One message, spoilt by the function; it must not be taken. */
static void refused(int *pair, void (*spoil)(struct passage_msg *m))
{
	struct passage_msg m, got;

	passage_init(&m, PASSAGE_SA_ADD);
	spoil(&m);
	assert_int_equal(send(pair[1], &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), -EBADMSG);
}

static void no_type(struct passage_msg *m) { m->type = PASSAGE_N_TYPES; }
static void no_end_of_name(struct passage_msg *m) { memset(m->tunnel, 'a', sizeof(m->tunnel)); }
static void no_end_of_text(struct passage_msg *m) { memset(m->text, 'a', sizeof(m->text)); }
static void no_truth(struct passage_msg *m) { memset(&m->has_tunnel, 2, 1); }
static void no_truth_pending(struct passage_msg *m) { memset(&m->sa.pending, 255, 1); }
static void no_truth_esn(struct passage_msg *m) { memset(&m->sa.alg.esn, 2, 1); }
static void no_dir(struct passage_msg *m) { memset(&m->sa.dir, 2, sizeof(m->sa.dir)); }
static void no_family(struct passage_msg *m) { m->sa.path.remote.family = 5; }
static void long_key(struct passage_msg *m) { m->sa.encr_key_len = PASSAGE_KEYS + 1; }
static void long_keys(struct passage_msg *m) { m->sa.encr_key_len = m->sa.auth_key_len = PASSAGE_KEYS / 2 + 1; }
static void wrapping_keys(struct passage_msg *m) { m->sa.encr_key_len = 16; m->sa.auth_key_len = SIZE_MAX - 8; }

static void bad_form_is_refused(void **state)
{
	static void (*const spoils[])(struct passage_msg *m) = {
		no_type, no_end_of_name, no_end_of_text, no_truth, no_truth_pending, no_truth_esn, no_dir, no_family,
		long_key, long_keys, wrapping_keys,
	};

	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
		refused(*state, spoils[i]);
}

static void wrong_lengths_are_refused(void **state)
{
	int *pair = *state;
	struct passage_msg m, got;
	uint8_t longer[sizeof(m) + 8] = { 0 };

	passage_init(&m, PASSAGE_READY);
	assert_int_equal(send(pair[1], &m, sizeof(m) - 1, 0), sizeof(m) - 1);
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), -EBADMSG);
	assert_int_equal(send(pair[1], &m, 1, 0), 1);
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), -EBADMSG);
	/* A tail where none is wanted. */
	memcpy(longer, &m, sizeof(m));
	assert_int_equal(send(pair[1], longer, sizeof(longer), 0), sizeof(longer));
	assert_int_equal(passage_receive(pair[0], false, &got, NULL, NULL), -EBADMSG);
}

static void the_end_is_told(void **state)
{
	int *pair = *state;
	struct passage_msg m;

	shutdown(pair[1], SHUT_RDWR);
	assert_int_equal(passage_receive(pair[0], true, &m, NULL, NULL), -EPIPE);
	passage_init(&m, PASSAGE_STOP);
	assert_int_equal(passage_send(pair[0], &m, NULL, -1), -EPIPE);
}

static void a_descriptor_comes_along(void **state)
{
	int *pair = *state, pipes[2], fd = -1;
	struct passage_msg m, got;
	char c = 0;

	assert_int_equal(pipe(pipes), 0);
	passage_init(&m, PASSAGE_READY);
	assert_int_equal(passage_send(pair[1], &m, NULL, pipes[1]), 0);
	assert_int_equal(passage_receive(pair[0], true, &got, NULL, &fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(fd);
	/* Where none is wanted it is closed and the message refused. */
	assert_int_equal(passage_send(pair[1], &m, NULL, pipes[1]), 0);
	close(pipes[1]);
	assert_int_equal(passage_receive(pair[0], true, &got, NULL, NULL), -EBADMSG);
	assert_int_equal(read(pipes[0], &c, 1), 0);
	close(pipes[0]);
	/* None came. */
	assert_int_equal(passage_send(pair[1], &m, NULL, -1), 0);
	assert_int_equal(passage_receive(pair[0], true, &got, NULL, &fd), 0);
	assert_int_equal(fd, -1);
}

/* ---- configuration --------------------------------------------------------------------------- */

static struct conf *two_tunnels(void)
{
	struct conf *c = conf_new("esptun.conf", 2);

	for (unsigned int i = 0; i < 2; i++) {
		struct ike_tunnel_cfg *t = &c->ike.tunnel[i];

		ike_tunnel_cfg_init(t);
		snprintf(t->name, sizeof(t->name), "t%u", i);
		t->psk_len = 10 + i;
		t->psk = malloc(t->psk_len);
		memset(t->psk, 'a' + (int)i, t->psk_len);
		snprintf(c->tunnel[i].device, sizeof(c->tunnel[i].device), "dev%u", i);
		c->tunnel[i].create_device = i;
		c->ike.n_tunnels++;
	}
	return c;
}

static void configuration_is_the_same(void **state)
{
	int *pair = *state;
	struct conf *c = two_tunnels(), *got = conf_new("esptun.conf", 2);
	struct passage_tail tail;
	struct passage_msg m;

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(conf_pass_put(c, i, &m, &tail), 0);
		assert_null(m.ike.psk);
		assert_int_equal(passage_send(pair[0], &m, &tail, -1), 0);
		passage_tail_clear(&tail);
		assert_int_equal(passage_receive(pair[1], true, &m, &tail, NULL), 0);
		assert_int_equal(conf_pass_get(got, 2, &m, &tail), 0);
		passage_tail_clear(&tail);
	}
	/* No room for another one. */
	assert_int_equal(conf_pass_put(c, 0, &m, &tail), 0);
	assert_int_equal(conf_pass_get(got, 2, &m, &tail), -EBADMSG);
	passage_tail_clear(&tail);
	assert_int_equal(got->ike.n_tunnels, 2);
	for (size_t i = 0; i < 2; i++) {
		struct ike_tunnel_cfg a = c->ike.tunnel[i], b = got->ike.tunnel[i];

		assert_memory_equal(a.psk, b.psk, a.psk_len);
		assert_ptr_not_equal(a.psk, b.psk);
		a.psk = b.psk = NULL;
		assert_memory_equal(&a, &b, sizeof(a));
		assert_memory_equal(&c->tunnel[i], &got->tunnel[i], sizeof(c->tunnel[i]));
	}
	conf_free(c);
	conf_free(got);
}

static void secrets_longer_than_what_came(void **state)
{
	struct conf *c = two_tunnels(), *got = conf_new("esptun.conf", 2);
	struct passage_tail tail;
	struct passage_msg m;

	(void)state;
	assert_int_equal(conf_pass_put(c, 0, &m, &tail), 0);
	m.ike.psk_len = tail.len + 1;
	assert_int_equal(conf_pass_get(got, 2, &m, &tail), -EBADMSG);
	got->ike.tunnel[0].psk_len = 0;
	m.ike.psk_len = tail.len - 1;
	assert_int_equal(conf_pass_get(got, 2, &m, &tail), -EBADMSG);
	passage_tail_clear(&tail);
	conf_free(c);
	conf_free(got);
}

/* ---- calls ------------------------------------------------------------------------------------- */

/* The warden's part: answers each message with what the test says. */
struct warden {
	int sock;
	int32_t err;
	struct passage_msg asked;
};

static void *answer_one(void *arg)
{
	struct warden *w = arg;
	struct passage_msg m;

	if (passage_receive(w->sock, true, &w->asked, NULL, NULL))
		return NULL;
	m = w->asked;
	m.err = w->err;
	snprintf(m.text, sizeof(m.text), "%s", w->err ? "the warden says no" : "");
	m.sa.spi = 0xc0ffee01;
	m.ev.at = 77;
	m.count = 3;
	passage_send(w->sock, &m, NULL, -1);
	return NULL;
}

static void calls_are_handed_on(void **state)
{
	int *pair = *state;
	struct ask *a = ask_new(pair[1], true);
	const struct kern_env env = { .log = NULL };
	struct kern *k = ask_kern(a, &env);
	struct warden w = { .sock = pair[0] };
	const uint8_t key[20] = { 5 };
	struct ike_sa sa = { .tunnel = "paris", .dir = IKE_OUT, .spi = 0x1000, .encr_key = key, .encr_key_len = sizeof(key),
			     .pending = true, .cookie = { 9 } };
	const struct kern_device dev = { .tunnel = "paris", .device = "paris0" };
	uint32_t spi = 0;
	ike_time at = 0;
	pthread_t t;

#define ASKED(kind, call, result) \
	do { \
		pthread_create(&t, NULL, answer_one, &w); \
		assert_int_equal(call, result); \
		pthread_join(t, NULL); \
		assert_int_equal(w.asked.type, kind); \
	} while (0)

	assert_true(kern_is_record(k));
	ASKED(PASSAGE_DEVICES, kern_devices_set(k, &dev, 1), 3);
	assert_string_equal(kern_device_of(k, "paris")->device, "paris0");
	ASKED(PASSAGE_SPI_ALLOC, kern_spi_alloc(k, "paris", &spi), 0);
	assert_int_equal(spi, 0xc0ffee01);
	assert_string_equal(w.asked.tunnel, "paris");
	ASKED(PASSAGE_SA_ADD, kern_sa_add(k, &sa), 0);
	assert_true(w.asked.sa.pending);
	assert_int_equal(w.asked.sa.spi, 0x1000);
	assert_int_equal(w.asked.sa.encr_key_len, 20);
	assert_int_equal(w.asked.keys[0], 5);
	assert_int_equal(w.asked.sa.cookie[0], 9);
	ASKED(PASSAGE_SA_ACTIVATE, kern_sa_activate(k, "paris", 0x1000), 0);
	ASKED(PASSAGE_SA_LAST, kern_sa_last(k, "paris", 0x2000, &at), 0);
	assert_int_equal(at, 77);
	ASKED(PASSAGE_ADOPT, kern_adopt(k), 0);
	w.err = -EPERM;
	ASKED(PASSAGE_SA_DEL, kern_sa_del(k, "paris", IKE_IN, 0x2000), -EPERM);
	assert_string_equal(kern_error(k), "the warden says no");
	assert_int_equal(w.asked.sa.dir, IKE_IN);
	/* Too long for a message: said here. */
	sa.auth_key = key;
	sa.auth_key_len = PASSAGE_KEYS;
	assert_int_equal(kern_sa_add(k, &sa), -EINVAL);
#undef ASKED
	kern_close(k);
	ask_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pointers_are_the_receivers, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_form_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_lengths_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_comes_along, setup, teardown),
		cmocka_unit_test_setup_teardown(configuration_is_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_longer_than_what_came, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_are_handed_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
