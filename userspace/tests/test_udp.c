// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund/udp.c and loop.c over loopback: answers leave from the address that was asked,
 * nothing is cut off, and a flood leaves room for the timer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/addr.h"
#include "esptund/udp.h"

struct fixture {
	struct loop *loop;
	struct log *log;
	struct udp *udp;
	uint16_t port, natt_port;
	unsigned int received, attached;
	size_t last_len;
	struct ike_path last;
	bool answer;
	unsigned int expired, received_at_expiry;
	ike_time deadline;
};

static void on_datagram(void *ctx, const struct ike_path *path, const void *data, size_t len, ike_time now)
{
	struct fixture *f = ctx;

	assert_true(now > 0);
	f->received++;
	f->last_len = len;
	f->last = *path;
	if (f->answer)
		udp_send(f->udp, path, data, len);
}

static int attach(void *ctx, int fd)
{
	struct fixture *f = ctx;

	assert_true(fd >= 0);
	f->attached++;
	return 0;
}

static struct udp *open_at(struct fixture *f)
{
	const struct udp_options opt = {
		.port = f->port, .natt_port = f->natt_port, .fn = on_datagram, .ctx = f,
		.attach = attach, .attach_ctx = f,
	};

	return udp_open(f->loop, f->log, &opt);
}

static int setup(void **state)
{
	struct log_options lo = { .fd = -1, .level = IKE_LOG_ERROR };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->loop = loop_new();
	f->log = log_new(&lo);
	f->deadline = IKE_NEVER;
	/* Any free port will do. */
	for (f->port = 20500; !f->udp && f->port < 20600; f->port++) {
		f->natt_port = f->port + 4000;
		f->attached = 0;
		f->udp = open_at(f);
	}
	f->port--;
	assert_non_null(f->udp);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	udp_close(f->udp);
	log_free(f->log);
	loop_free(f->loop);
	free(f);
	return 0;
}

static int client(const char *ip, uint16_t port, struct sockaddr_in *to)
{
	*to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	inet_pton(AF_INET, ip, &to->sin_addr);
	return socket(AF_INET, SOCK_DGRAM, 0);
}

static void turn(struct fixture *f)
{
	event_base_loop(loop_base(f->loop), EVLOOP_NONBLOCK);
}

static void answers_leave_from_the_address_asked(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in to, from;
	socklen_t len = sizeof(from);
	char buf[8], text[ADDR_TEXT_MAX];
	int fd = client("127.0.0.77", f->port, &to);

	f->answer = true;
	assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	turn(f);
	assert_int_equal(f->received, 1);
	addr_format(&f->last.local, text, sizeof(text));
	assert_non_null(strstr(text, "127.0.0.77:20"));
	assert_int_equal(f->last.local.port, f->port);
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&from, &len), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(from.sin_addr.s_addr, to.sin_addr.s_addr);
	assert_int_equal(from.sin_port, to.sin_port);
	close(fd);
}

static void ipv6_too(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(f->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char buf[8];

	if (fd < 0 || sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) != 5)
		skip();	/* no IPv6 on this machine */
	f->answer = true;
	turn(f);
	assert_int_equal(f->last.local.family, 6);
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), 5);
	close(fd);
}

static void the_largest_datagram_is_not_cut(void **state)
{
	static char big[65507];	/* 65535 less IPv4 and UDP header */
	struct fixture *f = *state;
	struct sockaddr_in to;
	int fd = client("127.0.0.1", f->port, &to);

	assert_int_equal(sendto(fd, big, sizeof(big), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(big));
	turn(f);
	assert_int_equal(f->received, 1);
	assert_int_equal(f->last_len, sizeof(big));
	/* And one without any octet is handed on as well. */
	assert_int_equal(sendto(fd, big, 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	turn(f);
	assert_int_equal(f->received, 2);
	assert_int_equal(f->last_len, 0);
	close(fd);
}

static ike_time deadline(void *ctx)
{
	struct fixture *f = ctx;

	return f->deadline;
}

static void expire(void *ctx, ike_time now)
{
	struct fixture *f = ctx;

	assert_true(now >= f->deadline);
	f->expired++;
	f->received_at_expiry = f->received;
	f->deadline = IKE_NEVER;
	loop_stop(f->loop);
}

static void a_flood_leaves_room_for_the_timer(void **state)
{
	struct fixture *f = *state;
	const struct loop_clockwork cw = { .deadline = deadline, .expire = expire, .ctx = f };
	struct sockaddr_in to;
	int fd = client("127.0.0.1", f->port, &to);

	for (int i = 0; i < 200; i++)
		assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	loop_set_clockwork(f->loop, &cw);
	f->deadline = loop_now(f->loop);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->expired, 1);
	/* One turn's worth at most had come in before, not all of it. */
	assert_true(f->received_at_expiry <= 32);
	close(fd);
}

static void an_unreachable_peer_is_an_error_not_a_crash(void **state)
{
	struct fixture *f = *state;
	struct ike_path path = { .remote = { .family = 4, .port = 500, .ip = { 255, 255, 255, 255 } } };
	struct ike_path unset = { .remote = { .family = 0 } };

	assert_true(udp_send(f->udp, &path, "x", 1) < 0);
	assert_int_equal(udp_send(f->udp, &unset, "x", 1), -EAFNOSUPPORT);
	assert_int_equal(udp_counters(f->udp)->send_errors, 2);
	assert_int_equal(udp_counters(f->udp)->sent, 0);
}

static void a_port_in_use_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_null(open_at(f));
}

static void ike_messages_bear_the_marker_on_the_second_port(void **state)
{
	static const uint8_t marked[] = { 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o' };
	struct fixture *f = *state;
	struct sockaddr_in to;
	uint8_t buf[16];
	int fd = client("127.0.0.78", f->natt_port, &to);

	f->answer = true;
	assert_int_equal(sendto(fd, marked, sizeof(marked), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(marked));
	turn(f);
	assert_int_equal(f->received, 1);
	assert_int_equal(f->last_len, 5);
	assert_int_equal(f->last.local.port, f->natt_port);
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), sizeof(marked));
	assert_memory_equal(buf, marked, sizeof(marked));
	close(fd);
}

static void what_is_no_ike_message_stays_out(void **state)
{
	static const uint8_t esp[12] = { 0xb0, 0, 0, 1 }, keepalive = 0xff, cut[3] = { 0, 0, 0 };
	struct fixture *f = *state;
	struct sockaddr_in to;
	int fd = client("127.0.0.1", f->natt_port, &to);

	assert_int_equal(sendto(fd, esp, sizeof(esp), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(esp));
	assert_int_equal(sendto(fd, &keepalive, 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	assert_int_equal(sendto(fd, cut, sizeof(cut), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(cut));
	assert_int_equal(sendto(fd, cut, 0, 0, (struct sockaddr *)&to, sizeof(to)), 0);
	turn(f);
	assert_int_equal(f->received, 0);
	assert_int_equal(udp_counters(f->udp)->keepalives, 1);
	assert_int_equal(udp_counters(f->udp)->no_marker, 3);
	close(fd);
}

static void a_keepalive_goes_bare(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct ike_path path = { .local = { .family = 4, .port = f->natt_port },
				 .remote = { .family = 4, .ip = { 127, 0, 0, 1 } } };
	socklen_t len = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t buf[8];

	assert_int_equal(bind(fd, (struct sockaddr *)&to, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &len), 0);
	path.remote.port = ntohs(to.sin_port);
	assert_int_equal(udp_send(f->udp, &path, "\xff", 1), 0);
	assert_int_equal(recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, (struct sockaddr *)&to, &len), 1);
	assert_int_equal(buf[0], 0xff);
	assert_int_equal(ntohs(to.sin_port), f->natt_port);
	close(fd);
}

static void the_kernel_gets_each_socket_before_and_after_it_is_bound(void **state)
{
	struct fixture *f = *state;
	int six = socket(AF_INET6, SOCK_DGRAM, 0);

	assert_int_equal(f->attached, six < 0 ? 2 : 4);
	if (six >= 0)
		close(six);
}

static void the_time_stands_still_within_a_turn(void **state)
{
	struct fixture *f = *state;
	ike_time now = loop_now(f->loop);

	for (int i = 0; i < 1000; i++)
		assert_true(loop_now(f->loop) == now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_leave_from_the_address_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(ipv6_too, setup, teardown),
		cmocka_unit_test_setup_teardown(the_largest_datagram_is_not_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flood_leaves_room_for_the_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unreachable_peer_is_an_error_not_a_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(a_port_in_use_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(ike_messages_bear_the_marker_on_the_second_port, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_ike_message_stays_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_keepalive_goes_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(the_kernel_gets_each_socket_before_and_after_it_is_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(the_time_stands_still_within_a_turn, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
