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
#include "esptund/users.h"
#include "pki.h"

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

#define USERS "anna:$y$j9T$UqLZdAGNqVOGfDIsXyhSj/$5c9tmtYNDxRcMxDcDBbMXsmhh1gnVXtPYuoTNTxnHm6\n"

static void put_users(struct conf_tunnel *own, const char *text)
{
	unsigned int line;
	char why[200];

	own->users = users_parse(strdup(text), strlen(text) + 1, why, sizeof(why), &line);
	assert_non_null(own->users);
}

/* An authority and its certificate with a key, as files: the second one fills several messages. */
static void put_trustpoint(struct conf *c)
{
	struct pki ca = pki_ca(NULL, "CN=ca", 0);
	struct ike_trustpoint *tp = &c->ike.trustpoint[0];
	enum { COPIES = 400 };
	uint8_t *der = NULL, *key = NULL, *pem = NULL;
	char *text = NULL, why[256];
	BIO *bio = BIO_new(BIO_s_mem());
	long n;
	int len = i2d_X509(ca.cert, &der), key_len = i2d_PrivateKey(ca.key, &key);

	for (int i = 0; i < COPIES; i++)
		assert_int_equal(PEM_write_bio_X509(bio, ca.cert), 1);
	n = BIO_get_mem_data(bio, &text);
	pem = malloc((size_t)n);
	memcpy(pem, text, (size_t)n);
	snprintf(tp->name, sizeof(tp->name), "CA1");
	tp->line = 3;
	tp->trust = ikecrypto_trust_new();
	c->ike.n_trustpoints = 1;
	assert_true(material_add(&c->material, 0, IKECRYPTO_CA, memcpy(malloc((size_t)len), der, (size_t)len), (size_t)len));
	assert_true(material_add(&c->material, 0, IKECRYPTO_CERT, pem, (size_t)n));
	assert_true(material_add(&c->material, 0, IKECRYPTO_KEY, memcpy(malloc((size_t)key_len), key, (size_t)key_len),
				 (size_t)key_len));
	for (size_t i = 0; i < c->material.n; i++)
		assert_int_equal(ikecrypto_trust_add(tp->trust, c->material.file[i].kind, c->material.file[i].data,
						     c->material.file[i].len, why, sizeof(why)), 0);
	assert_int_equal(ikecrypto_trust_finish(tp->trust, why, sizeof(why)), 0);
	OPENSSL_free(der);
	OPENSSL_free(key);
	BIO_free(bio);
	pki_free(&ca);
}

static struct conf *two_tunnels(void)
{
	struct conf *c = conf_new("esptun.conf", 2, 1);

	put_trustpoint(c);
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_tunnel_cfg *t = &c->ike.tunnel[i];

		ike_tunnel_cfg_init(t);
		snprintf(t->name, sizeof(t->name), "t%u", i);
		t->psk_len = 10 + i;
		t->psk = malloc(t->psk_len);
		memset(t->psk, 'a' + (int)i, t->psk_len);
		snprintf(t->trustpoint[0], sizeof(t->trustpoint[0]), "CA1");
		t->n_trustpoints = 1;
		snprintf(c->tunnel[i].device, sizeof(c->tunnel[i].device), "dev%u", i);
		c->tunnel[i].create_device = i;
		c->ike.n_tunnels++;
	}
	c->ike.tunnel[1].xauth = IKE_XAUTH_SERVER;
	c->ike.tunnel[1].xauth_password = (uint8_t *)strdup("secret of xauth");
	c->ike.tunnel[1].xauth_password_len = 15;
	c->ike.tunnel[1].n_match = IKE_MAX_MATCHES;
	c->ike.tunnel[1].match = calloc(IKE_MAX_MATCHES, sizeof(struct ike_match));
	for (unsigned int i = 0; i < IKE_MAX_MATCHES; i++)
		assert_int_equal(ike_match_parse(i ? "fqdn:*.example" : "any", &c->ike.tunnel[1].match[i]), 0);
	put_users(&c->tunnel[1], USERS);
	return c;
}

/* The messages in which a configuration crosses, kept. */
struct crossing {
	struct passage_msg m[32];
	struct passage_tail tail[32];
	size_t n;
};

static int keep(void *ctx, const struct passage_msg *m, const struct passage_tail *tail)
{
	struct crossing *x = ctx;

	assert_true(x->n < 32);
	x->m[x->n] = *m;
	x->tail[x->n] = (struct passage_tail){ NULL, 0 };
	if (tail) {
		x->tail[x->n].data = malloc(tail->len + 1);
		x->tail[x->n].len = tail->len;
		memcpy(x->tail[x->n].data, tail->data, tail->len);
	}
	x->n++;
	return 0;
}

static void clear(struct crossing *x)
{
	for (size_t i = 0; i < x->n; i++)
		passage_tail_clear(&x->tail[i]);
}

/* The i-th message of that type. */
static size_t find(const struct crossing *x, enum passage_type type, unsigned int i)
{
	for (size_t j = 0; j < x->n; j++)
		if (x->m[j].type == type && !i--)
			return j;
	fail_msg("no message of type %d", type);
	return 0;
}

static void same_tunnel(const struct conf *c, const struct conf *got, size_t i)
{
	struct ike_tunnel_cfg a = c->ike.tunnel[i], b = got->ike.tunnel[i];
	struct conf_tunnel own = c->tunnel[i], own_got = got->tunnel[i];

	assert_memory_equal(a.psk, b.psk, a.psk_len);
	assert_ptr_not_equal(a.psk, b.psk);
	assert_int_equal(!a.xauth_password, !b.xauth_password);
	if (a.xauth_password)
		assert_memory_equal(a.xauth_password, b.xauth_password, a.xauth_password_len);
	assert_int_equal(!a.match, !b.match);
	if (a.match)
		assert_memory_equal(a.match, b.match, a.n_match * sizeof(*a.match));
	a.psk = b.psk = a.xauth_password = b.xauth_password = NULL;
	a.match = b.match = NULL;
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(!own.users, !own_got.users);
	own.users = own_got.users = NULL;
	assert_memory_equal(&own, &own_got, sizeof(own));
}

static int to_socket(void *ctx, const struct passage_msg *m, const struct passage_tail *tail)
{
	assert_null(m->ike.psk);
	assert_null(m->ike.xauth_password);
	assert_null(m->ike.match);
	assert_null(m->own.users);
	return passage_send(*(int *)ctx, m, tail, -1);
}

static void *put_all(void *arg)
{
	void **a = arg;

	return conf_pass_put(a[0], to_socket, a[1]) ? arg : NULL;
}

static void configuration_is_the_same(void **state)
{
	int *pair = *state, parts = 0;
	struct conf *c = two_tunnels(), *got = conf_new("esptun.conf", 2, 1);
	struct conf_pass p = { .conf = got, .tunnels = 2, .trustpoints = 1 };
	void *arg[] = { c, &pair[0] }, *failed = arg;
	struct passage_tail tail;
	struct passage_msg m;
	char *text, *text_got;
	size_t len, len_got;
	pthread_t t;

	pthread_create(&t, NULL, put_all, arg);
	while (!p.whole) {
		assert_int_equal(passage_receive(pair[1], true, &m, &tail, NULL), 0);
		assert_int_equal(conf_pass_get(&p, &m, &tail), 0);
		parts += m.type == PASSAGE_FILE;
		passage_tail_clear(&tail);
	}
	pthread_join(t, &failed);
	assert_null(failed);
	assert_true(parts > 4);	/* more than there are files */
	assert_int_equal(got->ike.n_tunnels, 2);
	same_tunnel(c, got, 0);
	same_tunnel(c, got, 1);
	text = users_text(c->tunnel[1].users, &len);
	text_got = users_text(got->tunnel[1].users, &len_got);
	assert_string_equal(text, USERS);
	assert_string_equal(text_got, USERS);
	assert_int_equal(len, sizeof(USERS));
	free(text);
	free(text_got);
	assert_int_equal(got->ike.n_trustpoints, 1);
	assert_string_equal(got->ike.trustpoint[0].name, "CA1");
	assert_int_equal(got->ike.trustpoint[0].line, 3);
	assert_true(ike_trust_equal(c->ike.trustpoint[0].trust, got->ike.trustpoint[0].trust));
	assert_int_equal(ike_trust_method(got->ike.trustpoint[0].trust), ike_trust_method(c->ike.trustpoint[0].trust));
	assert_int_not_equal(ike_trust_method(got->ike.trustpoint[0].trust), 0);
	conf_pass_clear(&p);
	conf_free(c);
	conf_free(got);
}

/* What may be wrong with one message of a crossing. */
static void long_psk(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].ike.psk_len++; }
static void short_psk(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].ike.psk_len--; }
static void wrapping_psk(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].ike.psk_len = SIZE_MAX; }
static void long_password(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 1)].ike.xauth_password_len += 1; }
static void more_matches(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 1)].ike.n_match++; }
static void many_matches(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 1)].ike.n_match = 0xffffffff; }
static void more_files(struct crossing *x) { x->m[find(x, PASSAGE_TRUSTPOINT, 0)].count++; }
static void fewer_files(struct crossing *x) { x->m[find(x, PASSAGE_TRUSTPOINT, 0)].count--; }
static void no_files(struct crossing *x) { x->m[find(x, PASSAGE_TRUSTPOINT, 0)].count = 0; }
static void no_users(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 1)].count = 0; }
static void two_users(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 1)].count = 2; }
static void longer_file(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].count = MATERIAL_FILE_MAX + 1; }
static void shorter_file(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].count--; }
static void empty_file(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].count = 0; }
static void empty_piece(struct crossing *x) { x->tail[find(x, PASSAGE_FILE, 0)].len = 0; }
static void other_length(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 2)].count++; }
static void no_kind(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].kind = IKECRYPTO_CRL + 1; }
static void users_as_ca(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].kind = CONF_PASS_USERS; }
static void ca_as_key(struct crossing *x) { x->m[find(x, PASSAGE_FILE, 0)].kind = IKECRYPTO_KEY; }
static void spoilt_ca(struct crossing *x) { x->tail[find(x, PASSAGE_FILE, 0)].data[0] ^= 1; }
static void second_trustpoint(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].type = PASSAGE_TRUSTPOINT; }
static void early_end(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].type = PASSAGE_LOADED; }
static void another_type(struct crossing *x) { x->m[find(x, PASSAGE_TUNNEL, 0)].type = PASSAGE_EVENT; }
static void a_third_tunnel(struct crossing *x) { x->m[find(x, PASSAGE_LOADED, 0)].type = PASSAGE_TUNNEL; }

static void what_does_not_fit_is_refused(void **state)
{
	static void (*const spoils[])(struct crossing *x) = {
		long_psk, short_psk, wrapping_psk, long_password, more_matches, many_matches, more_files, fewer_files, no_files,
		no_users, two_users, longer_file, shorter_file, empty_file, empty_piece, other_length, no_kind, users_as_ca,
		ca_as_key, spoilt_ca, second_trustpoint, early_end, another_type, a_third_tunnel,
	};
	struct conf *c = two_tunnels();

	(void)state;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
		static struct crossing x;
		struct conf *got = conf_new("esptun.conf", 2, 1);
		struct conf_pass p = { .conf = got, .tunnels = 2, .trustpoints = 1 };
		int err = 0;

		x.n = 0;
		assert_int_equal(conf_pass_put(c, keep, &x), 0);
		spoils[i](&x);
		for (size_t j = 0; !err && j < x.n && !p.whole; j++)
			err = conf_pass_get(&p, &x.m[j], &x.tail[j]);
		if (!err)
			fail_msg("spoil %zu was taken", i);
		assert_true(p.why[0]);
		assert_false(p.whole);
		conf_pass_clear(&p);
		conf_free(got);
		clear(&x);
	}
	conf_free(c);
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
	const struct ike_addr inner = { .family = 4, .ip = { 10, 9, 0, 10 } };
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
	ASKED(PASSAGE_ADDRESS, kern_address(k, "paris", &inner), 0);
	assert_memory_equal(&w.asked.remote, &inner, sizeof(inner));
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
		cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(calls_are_handed_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
