// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund/kern.c with the recording back end: what is recorded, which events pass, and
 * that a second run finds what the first one installed.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/kern_back.h"

struct seen {
	enum ike_kernel_event_type type;
	char tunnel[IKE_NAME_MAX + 1];
	enum ike_dir dir;
	uint32_t spi;
	bool pending;
	struct ike_addr peer;
	uint8_t cookie[IKE_SA_COOKIE_LEN];
};

struct fixture {
	char path[64];
	struct log *log;
	struct kern *kern;
	struct seen seen[16];
	size_t n_seen;
	char text[16384];
};

static void on_event(void *ctx, const struct ike_kernel_event *ev)
{
	struct fixture *f = ctx;
	struct seen *s = &f->seen[f->n_seen++];

	assert_true(f->n_seen <= 16);
	s->type = ev->type;
	s->dir = ev->dir;
	s->spi = ev->spi;
	s->pending = ev->pending;
	s->peer = ev->peer;
	snprintf(s->tunnel, sizeof(s->tunnel), "%s", ev->tunnel);
	if (ev->cookie)
		memcpy(s->cookie, ev->cookie, sizeof(s->cookie));
}

static const struct kern_device devices[] = {
	{ .tunnel = "paris", .device = "paris0" },
	{ .tunnel = "rome", .device = "rome0", .create = true },
};

static void start(struct fixture *f)
{
	const struct kern_env env = { .log = f->log, .event = on_event, .ctx = f };

	f->kern = kern_open_record(&env, f->path);
	assert_non_null(f->kern);
	assert_true(kern_is_record(f->kern));
	assert_int_equal(kern_devices_set(f->kern, devices, 2), 0);
}

static int setup(void **state)
{
	struct log_options o = { .fd = -1, .level = IKE_LOG_ERROR };
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/test_kern.XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	chmod(f->path, 0644);
	f->log = log_new(&o);
	start(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kern_close(f->kern);
	log_free(f->log);
	unlink(f->path);
	free(f);
	return 0;
}

static const char *recorded(struct fixture *f)
{
	FILE *file = fopen(f->path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(f->text, 1, sizeof(f->text) - 1, file);
	f->text[n] = '\0';
	fclose(file);
	return f->text;
}

static const uint8_t key[20] = { 0xaa, 0xbb, [19] = 0xcc };

static struct ike_sa sa_for(const char *tunnel, enum ike_dir dir, uint32_t spi)
{
	struct ike_sa sa = {
		.tunnel = tunnel, .dir = dir, .spi = spi,
		.path = { .local = { .family = 4, .ip = { 192, 0, 2, 1 } }, .remote = { .family = 4, .ip = { 192, 0, 2, 2 } } },
		.alg = { .transform = 20, .key_bits = 128 },
		.encr_key = key, .encr_key_len = sizeof(key), .replay_window = 1024,
		.local_net = { .family = 4, .prefix = 16, .ip = { 10, 1 } }, .remote_net = { .family = 4 },
		.cookie = { 9, 8, 7 },
	};

	if (dir == IKE_OUT) {
		sa.partner_spi = 0x1000;
		sa.pending = true;
	}
	return sa;
}

static void the_file_is_closed_to_others(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_pair_is_recorded(void **state)
{
	struct fixture *f = *state;
	struct ike_sa in, out = sa_for("paris", IKE_OUT, 0xfeed0001);
	uint32_t spi = 0;

	assert_int_equal(kern_spi_alloc(f->kern, "paris", &spi), 0);
	assert_true(spi >= 256);
	in = sa_for("paris", IKE_IN, spi);
	assert_int_equal(kern_sa_add(f->kern, &in), 0);
	assert_int_equal(kern_sa_add(f->kern, &out), 0);
	assert_int_equal(kern_sa_activate(f->kern, "paris", out.spi), 0);
	assert_non_null(strstr(recorded(f), "\"op\":\"sa-add\",\"device\":\"paris0\",\"tunnel\":\"paris\",\"dir\":\"out\","
			       "\"spi\":\"0xfeed0001\",\"local\":\"192.0.2.1\",\"remote\":\"192.0.2.2\""));
	assert_non_null(strstr(f->text, "\"encr_key\":\"aabb0000000000000000000000000000000000cc\",\"auth_key\":\"\""));
	assert_non_null(strstr(f->text, "\"partner_spi\":\"0x00001000\",\"pending\":true"));
	assert_non_null(strstr(f->text, "\"local_net\":\"10.1.0.0\\/16\",\"remote_net\":\"any\""));
	assert_non_null(strstr(f->text, "{\"op\":\"sa-activate\",\"device\":\"paris0\",\"dir\":\"out\",\"spi\":\"0xfeed0001\"}"));
	assert_int_equal(kern_sa_del(f->kern, "paris", IKE_IN, spi), 0);
	assert_non_null(strstr(recorded(f), "{\"op\":\"sa-del\",\"device\":\"paris0\",\"dir\":\"in\""));
}

static void devices_that_may_be_made_are(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(recorded(f), "{\"op\":\"device-add\",\"device\":\"rome0\"}"));
	assert_null(strstr(f->text, "\"device-add\",\"device\":\"paris0\""));
	/* Without rome: its device goes, after its SAs could still be deleted. */
	assert_int_equal(kern_devices_set(f->kern, devices, 1), 0);
	assert_non_null(kern_device_of(f->kern, "rome"));
	kern_devices_reap(f->kern);
	assert_null(kern_device_of(f->kern, "rome"));
	assert_non_null(strstr(recorded(f), "{\"op\":\"device-del\",\"device\":\"rome0\"}"));
}

static void refusals_say_why(void **state)
{
	struct fixture *f = *state;
	struct ike_sa sa = sa_for("paris", IKE_OUT, 0x12345678), none = sa_for("berlin", IKE_OUT, 0x12345678);

	assert_int_equal(kern_sa_add(f->kern, &sa), 0);
	assert_int_equal(kern_sa_add(f->kern, &sa), -EEXIST);
	assert_string_equal(kern_error(f->kern), "SPI 12345678 is in use");
	assert_int_equal(kern_sa_add(f->kern, &none), -ENODEV);
	assert_string_equal(kern_error(f->kern), "tunnel \"berlin\" has no device");
	assert_int_equal(kern_sa_activate(f->kern, "paris", 0x999), -ENOENT);
	/* Deleting what is gone already is no error. */
	assert_int_equal(kern_sa_del(f->kern, "paris", IKE_OUT, 0x999), 0);
}

static void the_same_spi_of_two_peers(void **state)
{
	struct fixture *f = *state;
	struct ike_sa a = sa_for("paris", IKE_OUT, 0x5555), b = sa_for("rome", IKE_OUT, 0x5555);

	assert_int_equal(kern_sa_add(f->kern, &a), 0);
	assert_int_equal(kern_sa_add(f->kern, &b), 0);
	assert_int_equal(kern_sa_del(f->kern, "paris", IKE_OUT, 0x5555), 0);
	kern_resync(f->kern);
	assert_int_equal(f->n_seen, 0);	/* rome's is still there */
	assert_int_equal(kern_sa_activate(f->kern, "rome", 0x5555), 0);
}

static void a_second_run_adopts(void **state)
{
	struct fixture *f = *state;
	struct ike_sa in, out = sa_for("rome", IKE_OUT, 0xabcd0000), gone = sa_for("rome", IKE_OUT, 0xabcd0001);
	uint32_t spi, unused;

	assert_int_equal(kern_spi_alloc(f->kern, "rome", &spi), 0);
	assert_int_equal(kern_spi_alloc(f->kern, "rome", &unused), 0);
	in = sa_for("rome", IKE_IN, spi);
	assert_int_equal(kern_sa_add(f->kern, &in), 0);
	assert_int_equal(kern_sa_add(f->kern, &gone), 0);
	assert_int_equal(kern_sa_add(f->kern, &out), 0);
	assert_int_equal(kern_sa_del(f->kern, "rome", IKE_OUT, gone.spi), 0);
	kern_close(f->kern);
	start(f);
	assert_int_equal(kern_adopt(f->kern), 0);
	assert_int_equal(f->n_seen, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct seen *s = &f->seen[i];

		assert_int_equal(s->type, IKE_KEV_ADOPT);
		assert_string_equal(s->tunnel, "rome");
		assert_int_equal(s->spi, s->dir == IKE_IN ? spi : out.spi);
		assert_memory_equal(s->cookie, in.cookie, sizeof(s->cookie));
		assert_int_equal(s->pending, s->dir == IKE_OUT);
	}
	assert_int_not_equal(f->seen[0].dir, f->seen[1].dir);
	/* Known already: not a second time. */
	assert_int_equal(kern_adopt(f->kern), 0);
	assert_int_equal(f->n_seen, 2);
}

/* An SA stays where it was put, also when its tunnel gets another device. */
static void an_sa_is_found_in_its_old_device(void **state)
{
	static const struct kern_device moved[] = {
		{ .tunnel = "paris", .device = "paris0" }, { .tunnel = "rome", .device = "rome1" },
	};
	struct fixture *f = *state;
	struct ike_sa out = sa_for("rome", IKE_OUT, 0xabcd0000);

	assert_int_equal(kern_sa_add(f->kern, &out), 0);
	assert_int_equal(kern_devices_set(f->kern, moved, 2), 0);
	assert_int_equal(kern_sa_activate(f->kern, "rome", out.spi), 0);
	assert_int_equal(kern_sa_del(f->kern, "rome", IKE_OUT, out.spi), 0);
	assert_non_null(strstr(recorded(f), "\"op\":\"sa-del\",\"device\":\"rome0\""));
}

/* One that is not in use yet must not be taken for the one in use: the engine would end the latter. */
static void a_second_run_sees_what_is_in_use(void **state)
{
	struct fixture *f = *state;
	struct ike_sa used = sa_for("rome", IKE_OUT, 0xabcd0000), waiting = sa_for("rome", IKE_OUT, 0xabcd0001);

	assert_int_equal(kern_sa_add(f->kern, &used), 0);
	assert_int_equal(kern_sa_activate(f->kern, "rome", used.spi), 0);
	assert_int_equal(kern_sa_add(f->kern, &waiting), 0);
	kern_close(f->kern);
	start(f);
	assert_int_equal(kern_adopt(f->kern), 0);
	assert_int_equal(f->n_seen, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->seen[i].pending, f->seen[i].spi == waiting.spi);
}

#define PROBE_LINK 7	/* what the probe calls each device */

static struct kern_found scripted[4];
static size_t n_scripted;

/* A back end that shows what the test wants it to show. */
static int probe_dump(struct kern *k, void *back, kern_found_fn fn, void *arg)
{
	(void)back;
	for (size_t i = 0; i < n_scripted; i++)
		fn(k, &scripted[i], arg);
	return 0;
}

static void probe_close(void *back)
{
	(void)back;
}

static unsigned int ensured;
static struct ike_addr ensured_remote;

static int probe_device(struct kern *k, void *back, const struct kern_device *dev)
{
	(void)k, (void)back;
	ensured++;
	ensured_remote = dev->remote;
	return 0;
}

static int probe_add(struct kern *k, void *back, const char *device, const struct ike_sa *sa, uint32_t *link)
{
	(void)k, (void)back, (void)device, (void)sa;
	*link = PROBE_LINK;
	return 0;
}

static int probe_del(struct kern *k, void *back, const char *device, enum ike_dir dir, uint32_t spi)
{
	(void)k, (void)back, (void)device, (void)dir, (void)spi;
	return 0;
}

static const struct kern_back_ops probe_ops = {
	.name = "probe", .close = probe_close, .device_ensure = probe_device, .sa_add = probe_add,
	.sa_del = probe_del, .dump = probe_dump,
};

static void events_pass_once_and_only_for_ours(void **state)
{
	struct fixture *f = *state;
	const struct kern_env env = { .log = f->log, .event = on_event, .ctx = f };
	struct kern *k = kern_new(&env, &probe_ops, NULL);
	struct ike_sa sa = sa_for("paris", IKE_IN, 0x7777);

	assert_int_equal(kern_devices_set(k, devices, 2), 0);
	assert_int_equal(kern_sa_add(k, &sa), 0);
	kern_report_sa(k, IKE_KEV_CONFIRMED, PROBE_LINK, IKE_IN, 0x7777);
	kern_report_sa(k, IKE_KEV_CONFIRMED, PROBE_LINK, IKE_IN, 0x7777);
	assert_int_equal(f->n_seen, 1);
	assert_int_equal(f->seen[0].type, IKE_KEV_CONFIRMED);
	assert_string_equal(f->seen[0].tunnel, "paris");
	/* Another SPI, direction or device is somebody else's. */
	kern_report_sa(k, IKE_KEV_SOFT_EXPIRE, PROBE_LINK, IKE_IN, 0x7778);
	kern_report_sa(k, IKE_KEV_SOFT_EXPIRE, PROBE_LINK, IKE_OUT, 0x7777);
	kern_report_sa(k, IKE_KEV_SOFT_EXPIRE, PROBE_LINK + 1, IKE_IN, 0x7777);
	assert_int_equal(f->n_seen, 1);
	kern_report_acquire(k, "eth0");
	assert_int_equal(f->n_seen, 1);
	kern_report_acquire(k, "rome0");
	assert_int_equal(f->n_seen, 2);
	assert_string_equal(f->seen[1].tunnel, "rome");
	/* What we delete ourselves is no event. */
	assert_int_equal(kern_sa_del(k, "paris", IKE_IN, 0x7777), 0);
	kern_report_sa(k, IKE_KEV_DELETED, PROBE_LINK, IKE_IN, 0x7777);
	assert_int_equal(f->n_seen, 2);
	kern_close(k);
}

static void lost_events_are_made_good(void **state)
{
	struct fixture *f = *state;
	const struct kern_env env = { .log = f->log, .event = on_event, .ctx = f };
	struct kern *k = kern_new(&env, &probe_ops, NULL);
	struct ike_sa sas[] = {
		sa_for("paris", IKE_IN, 0x101), sa_for("paris", IKE_OUT, 0x102), sa_for("paris", IKE_IN, 0x103),
		sa_for("paris", IKE_OUT, 0x104),
	};

	assert_int_equal(kern_devices_set(k, devices, 2), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(kern_sa_add(k, &sas[i]), 0);
	scripted[0] = (struct kern_found){ .device = "paris0", .link = PROBE_LINK, .dir = IKE_IN, .spi = 0x101, .confirmed = true };
	scripted[1] = (struct kern_found){ .device = "paris0", .link = PROBE_LINK, .dir = IKE_OUT, .spi = 0x102, .soft_expired = true };
	scripted[2] = (struct kern_found){ .device = "paris0", .link = PROBE_LINK, .dir = IKE_IN, .spi = 0x103, .hard_expired = true };
	scripted[3] = (struct kern_found){ .device = "other", .link = 8, .dir = IKE_OUT, .spi = 0x104 };
	n_scripted = 4;
	kern_resync(k);
	assert_int_equal(f->n_seen, 4);
	for (size_t i = 0; i < 4; i++) {
		static const enum ike_kernel_event_type want[] = {
			[1] = IKE_KEV_CONFIRMED, [2] = IKE_KEV_SOFT_EXPIRE, [3] = IKE_KEV_HARD_EXPIRE, [4] = IKE_KEV_DELETED,
		};

		assert_int_equal(f->seen[i].type, want[f->seen[i].spi - 0x100]);
	}
	/* Nothing has changed since. */
	kern_resync(k);
	assert_int_equal(f->n_seen, 4);
	kern_close(k);
}

/* No device can be made before the peer has come; from then on its address stays over reloads. */
static void a_peer_at_any_address(void **state)
{
	static const struct kern_device far = { .tunnel = "far", .device = "far0", .create = true, .roaming = true };
	const struct ike_addr peer = { .family = 4, .ip = { 192, 0, 2, 77 } };
	struct fixture *f = *state;
	const struct kern_env env = { .log = f->log, .event = on_event, .ctx = f };
	struct kern *k = kern_new(&env, &probe_ops, NULL);

	ensured = 0;
	assert_int_equal(kern_devices_set(k, &far, 1), 0);
	assert_int_equal(ensured, 0);
	assert_int_equal(kern_peer(k, "far", &peer), 0);
	assert_int_equal(ensured, 1);
	assert_memory_equal(&ensured_remote, &peer, sizeof(peer));
	assert_int_equal(kern_devices_set(k, &far, 1), 0);
	assert_int_equal(ensured, 2);
	assert_memory_equal(&ensured_remote, &peer, sizeof(peer));
	assert_int_equal(kern_devices_set(k, devices, 2), 0);
	assert_int_not_equal(kern_peer(k, "paris", &peer), 0);	/* that one has an address of its own */
	kern_close(k);
}

static void encapsulated_sas_and_where_their_peer_is(void **state)
{
	struct fixture *f = *state;
	struct ike_sa out = sa_for("paris", IKE_OUT, 0x777), bare = sa_for("rome", IKE_OUT, 0x778);
	const struct ike_addr moved = { .family = 4, .port = 9, .ip = { 203, 0, 113, 9 } };

	out.path.local.port = 4500;
	out.path.remote.port = 31234;
	out.keepalive = 20;
	assert_int_equal(kern_sa_add(f->kern, &out), 0);
	assert_int_equal(kern_sa_add(f->kern, &bare), 0);
	assert_non_null(strstr(recorded(f), "\"encap_local_port\":4500,\"encap_peer_port\":31234,\"keepalive\":20,"
			       "\"follow_peer\":false"));
	kern_report_moved(f->kern, "paris0", &moved);
	kern_report_moved(f->kern, "eth0", &moved);
	assert_int_equal(f->n_seen, 1);
	assert_int_equal(f->seen[0].type, IKE_KEV_PEER_MOVED);
	assert_string_equal(f->seen[0].tunnel, "paris");
	assert_int_equal(f->seen[0].peer.port, 9);
	kern_close(f->kern);
	start(f);
	f->n_seen = 0;
	assert_int_equal(kern_adopt(f->kern), 0);
	assert_int_equal(f->n_seen, 2);
	for (size_t i = 0; i < 2; i++) {
		bool udp = f->seen[i].spi == 0x777;

		assert_int_equal(f->seen[i].peer.family, udp ? 4 : 0);
		assert_int_equal(f->seen[i].peer.port, udp ? 31234 : 0);
		assert_int_equal(f->seen[i].peer.ip[3], udp ? 2 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_file_is_closed_to_others, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pair_is_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(devices_that_may_be_made_are, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_say_why, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_spi_of_two_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(encapsulated_sas_and_where_their_peer_is, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_run_adopts, setup, teardown),
		cmocka_unit_test_setup_teardown(an_sa_is_found_in_its_old_device, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_run_sees_what_is_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(events_pass_once_and_only_for_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(lost_events_are_made_good, setup, teardown),
		cmocka_unit_test_setup_teardown(a_peer_at_any_address, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
