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
#include <string.h>
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

uint64_t net_tx_packets(const char *netns, const char *dev)
{
	unsigned long long v[10];
	char line[512], *at;
	FILE *f;

	net_enter(netns);
	f = fopen("/proc/thread-self/net/dev", "r");
	if (!f)
		err(1, "/proc/net/dev");
	while (fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at)
			continue;
		*at = 0;
		if (strcmp(line + strspn(line, " "), dev))
			continue;
		fclose(f);
		if (sscanf(at + 1, "%llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", v, v + 1, v + 2,
			   v + 3, v + 4, v + 5, v + 6, v + 7, v + 8, v + 9) != 10)
			errx(1, "/proc/net/dev: %s: cannot read", dev);
		return v[9];
	}
	errx(1, "%s: no device %s", netns, dev);
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
