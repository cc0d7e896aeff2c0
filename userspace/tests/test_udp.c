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
	uint16_t port;
	unsigned int received;
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

static int setup(void **state)
{
	struct log_options lo = { .fd = -1, .level = IKE_LOG_ERROR };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->loop = loop_new();
	f->log = log_new(&lo);
	f->deadline = IKE_NEVER;
	/* Any free port will do. */
	for (f->port = 20500; !f->udp && f->port < 20600; f->port++)
		f->udp = udp_open(f->loop, f->log, f->port, on_datagram, f);
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

	assert_null(udp_open(f->loop, f->log, f->port, on_datagram, f));
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
		cmocka_unit_test_setup_teardown(the_time_stands_still_within_a_turn, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
