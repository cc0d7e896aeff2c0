// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One bulk TCP stream between two network namespaces, both ends held by one
 * process that writes what the stream takes and reads what has come: no
 * scheduler decides how the segments bunch. Retransmissions are reported, never
 * hidden: with them the run is void.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
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

/* Octets that moved now, 0 if the other end must move first. */
static uint64_t moved(ssize_t k, const char *end)
{
	if (k < 0 && errno != EAGAIN)
		err(1, "TCP %s", end);
	if (!k)
		errx(1, "TCP %s: the stream ended early", end);
	return k > 0 ? (uint64_t)k : 0;
}

static uint64_t least(uint64_t left)
{
	return left < CHUNK ? left : CHUNK;
}

static void pump(int out, int in, uint64_t bytes)
{
	static uint8_t data[2][CHUNK];
	uint64_t sent = 0, got = 0, w, r;

	while (got < bytes) {
		w = r = 0;
		if (sent < bytes)
			w = moved(send(out, data[0], least(bytes - sent), MSG_DONTWAIT), "sender");
		if (sent + w > got)
			r = moved(recv(in, data[1], least(bytes - got), MSG_DONTWAIT), "sink");
		sent += w;
		got += r;
		if (!w && !r) {
			struct pollfd p[2] = {
				{ .fd = in, .events = POLLIN },
				{ .fd = out, .events = sent < bytes ? POLLOUT : 0 },
			};
			if (poll(p, 2, BENCH_WAIT_MS) <= 0)
				errx(1, "TCP: the stream stands still");
		}
	}
}

void run_tcp(const struct options *o, struct result *r)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int listener, out, in;

	listener = listen_in(o->to);
	out = connect_from(o->from, o->dst);
	in = accept(listener, NULL, NULL);
	if (in < 0)
		err(1, "accept");
	/* The congestion window opens before the measurement. */
	pump(out, in, o->bytes / 8);
	window_begin(&r->w);
	pump(out, in, o->bytes);
	window_end(&r->w);
	if (getsockopt(out, IPPROTO_TCP, TCP_INFO, &info, &len))
		err(1, "TCP_INFO");
	r->retransmits = info.tcpi_total_retrans;
	r->bytes = o->bytes;
}
