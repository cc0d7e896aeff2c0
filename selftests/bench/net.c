// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets and counters in named network namespaces. One process holds the
 * sender and the sink, so that the window has one clock and no scheduling.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

#define MAX_BURST	256
#define MAX_PAYLOAD	9000

void net_enter(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "netns %s", name);
	close(fd);
}

int net_udp_sender(const char *netns, const char *dst, bool checksum)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	int fd, off = !checksum;

	if (inet_pton(AF_INET, dst, &to.sin_addr) != 1)
		errx(1, "not an IPv4 address: %s", dst);
	net_enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &off, sizeof(off)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "UDP sender in %s", netns);
	return fd;
}

int net_udp_sink(const char *netns)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	int fd, room = 16 << 20;

	net_enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "UDP sink in %s", netns);
	return fd;
}

int net_tx_counter(const char *netns, const char *dev)
{
	char path[128];
	int fd;

	/* sysfs shows the network namespace it was mounted in. */
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		err(1, "mount namespace");
	net_enter(netns);
	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/tx_packets", dev);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL))
		err(1, "sysfs of %s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s: %s", netns, path);
	return fd;
}

uint64_t net_tx_count(int counter)
{
	char text[32];
	ssize_t n = pread(counter, text, sizeof(text) - 1, 0);

	if (n <= 0)
		err(1, "counter");
	text[n] = 0;
	return strtoull(text, NULL, 10);
}

void udp_send(int fd, unsigned int payload, unsigned int n)
{
	static uint8_t data[MAX_PAYLOAD];
	static struct mmsghdr m[MAX_BURST];
	struct iovec v = { .iov_base = data, .iov_len = payload };
	unsigned int i;
	int k;

	if (n > MAX_BURST || payload > MAX_PAYLOAD)
		errx(1, "burst of %u x %u octets: too large", n, payload);
	for (i = 0; i < n; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v, .msg_iovlen = 1 };
	for (i = 0; i < n; i += (unsigned int)k) {
		k = sendmmsg(fd, m + i, n - i, 0);
		if (k < 0)
			err(1, "sendmmsg");
	}
}

unsigned int udp_take(int fd, unsigned int n)
{
	static uint8_t data[MAX_BURST][16];
	static struct mmsghdr m[MAX_BURST];
	static struct iovec v[MAX_BURST];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned int i, got = 0;
	int k;

	for (i = 0; i < MAX_BURST; i++) {
		v[i] = (struct iovec){ .iov_base = data[i], .iov_len = sizeof(data[i]) };
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	}
	while (got < n) {
		k = recvmmsg(fd, m, n - got < MAX_BURST ? n - got : MAX_BURST, MSG_DONTWAIT, NULL);
		if (k > 0)
			got += (unsigned int)k;
		else if (poll(&p, 1, BENCH_WAIT_MS) <= 0)
			break;
	}
	return got;
}
