// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of libesptun on a real kernel without the module: network namespaces, events of
 * other interfaces, events lost, messages somebody else sent. Runs in a network namespace of
 * its own, so it needs root.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "libesptun/libesptun.h"

struct seen {
	int events;
	int resyncs;
};

static void on_event(const struct esptun_event *ev, void *arg)
{
	struct seen *seen = arg;

	seen->events++;
	seen->resyncs += ev->type == ESPTUN_EVENT_RESYNC;
}

static struct esptun_sock *open_here(void)
{
	struct esptun_sock *s = esptun_new();

	assert_non_null(s);
	assert_int_equal(esptun_open(s, NULL), 0);
	return s;
}

static void set_lo_mtu(int mtu)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = mtu };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &ifr), 0);
	close(fd);
}

static bool readable(const struct esptun_events *e)
{
	struct pollfd p = { .fd = esptun_events_fd(e), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_other_interfaces_are_silent(void **state)
{
	struct esptun_sock *s = open_here();
	struct esptun_events *e;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(esptun_events_new(s, ESPTUN_EVENTS_LINK, &e), 0);
	assert_false(readable(e));
	set_lo_mtu(1400);
	assert_true(readable(e));
	assert_int_equal(esptun_events_read(e, on_event, &seen), 0);
	assert_false(readable(e));
	assert_int_equal(seen.events, 0);
	assert_int_equal(esptun_events_skipped(e), 0);
	esptun_events_free(e);
	esptun_free(s);
}

static void test_lost_events_are_a_resync(void **state)
{
	struct esptun_sock *s = open_here();
	struct esptun_events *e;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(esptun_events_new(s, ESPTUN_EVENTS_LINK, &e), 0);
	for (int i = 0; i < 5000; i++)
		set_lo_mtu(1400 + i % 2);
	assert_int_equal(esptun_events_read(e, on_event, &seen), 1);
	assert_int_equal(seen.resyncs, 1);
	/* The socket goes on working. */
	set_lo_mtu(1500);
	assert_int_equal(esptun_events_read(e, on_event, &seen), 0);
	esptun_events_free(e);
	esptun_free(s);
}

/* The port of the newest netlink socket: the one esptun_events_new() opened last. */
static uint32_t newest_port(void)
{
	struct sockaddr_nl addr;
	uint32_t port = 0;
	socklen_t len;

	for (int fd = 0; fd < 256; fd++) {
		len = sizeof(addr);
		if (getsockname(fd, (struct sockaddr *)&addr, &len) == 0 &&
		    addr.nl_family == AF_NETLINK && addr.nl_groups)
			port = addr.nl_pid;
	}
	return port;
}

static void test_forged_messages_are_skipped(void **state)
{
	struct {
		struct nlmsghdr nlh;
		struct ifinfomsg ifi;
	} msg = { .nlh = { .nlmsg_len = sizeof(msg), .nlmsg_type = RTM_NEWLINK } };
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct esptun_sock *s = open_here();
	struct esptun_events *e;
	struct seen seen = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	(void)state;
	assert_int_equal(esptun_events_new(s, ESPTUN_EVENTS_LINK, &e), 0);
	to.nl_pid = newest_port();
	assert_int_not_equal(to.nl_pid, 0);
	assert_int_equal(sendto(fd, &msg, sizeof(msg), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(msg));
	assert_true(readable(e));
	assert_int_equal(esptun_events_read(e, on_event, &seen), 0);
	assert_int_equal(esptun_events_skipped(e), 1);
	assert_int_equal(seen.events, 0);
	close(fd);
	esptun_events_free(e);
	esptun_free(s);
}

static void test_links(void **state)
{
	struct esptun_sock *s = open_here();
	char name[IFNAMSIZ] = "";
	struct esptun_tunnel t, *list;
	uint32_t index = 0;
	size_t count = 9;

	(void)state;
	assert_int_equal(esptun_link_index(s, "lo", &index), 0);
	assert_int_equal(index, 1);
	assert_int_equal(esptun_link_name(s, 1, name), 0);
	assert_string_equal(name, "lo");
	assert_int_equal(esptun_link_index(s, "nothere0", &index), -ENODEV);
	assert_string_equal(esptun_last_error(s), "there is no device \"nothere0\"");
	assert_int_equal(esptun_link_name(s, 4711, name), -ENODEV);
	assert_int_equal(esptun_tunnel_get(s, "lo", 0, &t), -EINVAL);
	assert_string_equal(esptun_last_error(s), "\"lo\" is not an esptun device");
	assert_int_equal(esptun_tunnel_del(s, "lo"), -EINVAL);
	assert_int_equal(esptun_tunnel_dump(s, &list, &count), 0);
	assert_int_equal(count, 0);
	free(list);
	esptun_free(s);
}

static ino_t netns_of_thread(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* A handle works in the network namespace it was told; its caller stays in its own. */
static void test_other_netns(void **state)
{
	struct esptun_sock *s = esptun_new();
	int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct esptun_events *e;
	struct seen seen = { 0 };
	char path[64];
	ino_t here;

	(void)state;
	assert_true(old >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	here = netns_of_thread();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", old);
	assert_int_equal(esptun_open(s, path), 0);
	assert_true(netns_of_thread() == here);
	assert_int_equal(esptun_events_new(s, ESPTUN_EVENTS_LINK, &e), 0);
	assert_true(netns_of_thread() == here);
	set_lo_mtu(1300);
	assert_false(readable(e));
	assert_int_equal(setns(old, CLONE_NEWNET), 0);
	set_lo_mtu(1300);
	assert_true(readable(e));
	assert_int_equal(esptun_events_read(e, on_event, &seen), 0);
	close(old);
	esptun_events_free(e);
	esptun_free(s);
}

static void test_no_such_netns(void **state)
{
	struct esptun_sock *s = esptun_new();

	(void)state;
	assert_int_equal(esptun_open(s, "no-such-netns"), -ENOENT);
	assert_string_equal(esptun_last_error(s),
			    "network namespace \"no-such-netns\": No such file or directory");
	esptun_free(s);
	s = esptun_new();
	assert_int_equal(esptun_open(s, "/dev/null"), -EINVAL);
	esptun_free(s);
}

static int own_netns(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	fprintf(stderr, "unshare: %s (this test needs root)\n", strerror(errno));
	return -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_interfaces_are_silent),
		cmocka_unit_test(test_lost_events_are_a_resync),
		cmocka_unit_test(test_forged_messages_are_skipped),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_other_netns),
		cmocka_unit_test(test_no_such_netns),
	};

	return cmocka_run_group_tests(tests, own_netns, NULL);
}
