// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One bulk TCP stream: a process writes a fixed number of octets in one network
 * namespace, another reads them in a second one. Retransmissions are reported,
 * never hidden: with them the run is void.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "load.h"

#define CHUNK	(128 * 1024)

static int listen_in(const char *netns)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	int fd, on = 1;

	net_enter(netns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 1))
		err(1, "TCP sink in %s", netns);
	return fd;
}

static int connect_from(const char *netns, const char *dst)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(BENCH_PORT) };
	int fd;

	if (inet_pton(AF_INET, dst, &to.sin_addr) != 1)
		errx(1, "not an IPv4 address: %s", dst);
	net_enter(netns);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "TCP sender in %s", netns);
	return fd;
}

/* The reader: confirms after @warm octets and after all of them. */
static void sink(int listener, int confirm, uint64_t warm, uint64_t bytes)
{
	static uint8_t data[CHUNK];
	uint64_t goal[2] = { warm, bytes }, got;
	int fd = accept(listener, NULL, NULL), i;
	size_t want;
	ssize_t k;

	if (fd < 0)
		err(1, "accept");
	for (i = 0; i < 2; i++) {
		for (got = 0; got < goal[i]; got += (uint64_t)k) {
			want = goal[i] - got < CHUNK ? goal[i] - got : CHUNK;
			k = read(fd, data, want);
			if (k <= 0)
				err(1, "TCP sink: the stream ended early");
		}
		if (write(confirm, "", 1) != 1)
			err(1, "confirm");
	}
	_exit(0);
}

static void pump(int fd, int confirm, uint64_t bytes)
{
	static uint8_t data[CHUNK];
	size_t want;
	ssize_t k;
	char c;

	for (; bytes; bytes -= (uint64_t)k) {
		want = bytes < CHUNK ? bytes : CHUNK;
		k = write(fd, data, want);
		if (k <= 0)
			err(1, "TCP sender");
	}
	if (read(confirm, &c, 1) != 1)
		errx(1, "TCP sink: did not confirm");
}

void run_tcp(const struct options *o, struct result *r)
{
	uint64_t warm = o->bytes / 8;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int p[2], listener, fd, status;
	pid_t pid;

	if (pipe(p))
		err(1, "pipe");
	listener = listen_in(o->to);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		sink(listener, p[1], warm, o->bytes);
	close(p[1]);
	close(listener);
	fd = connect_from(o->from, o->dst);
	/* The congestion window opens before the measurement. */
	pump(fd, p[0], warm);
	window_begin(&r->w);
	pump(fd, p[0], o->bytes);
	window_end(&r->w);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
		err(1, "TCP_INFO");
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "TCP sink: failed");
	r->retransmits = info.tcpi_total_retrans;
	r->bytes = o->bytes;
}
