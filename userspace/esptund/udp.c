// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the two sockets on the IKE port. Reads a bounded number of datagrams a turn, so
 * that a flood on one socket cannot starve timers or the control socket. Knows nothing
 * of what is inside a datagram.
 */
#define _GNU_SOURCE
#include "udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"

#define READS_PER_TURN 32
/*
 * Larger than any UDP payload: nothing is ever cut off, so the engine sees (and counts) an
 * oversized datagram as what it is.
 */
#define DATAGRAM_MAX 65536
#define RCVBUF_OCTETS (512 * 1024)

struct udp_sock {
	struct udp *owner;
	int fd;
	int family;
	struct event *ev;
};

struct udp {
	struct loop *loop;
	struct log *log;
	udp_fn fn;
	void *ctx;
	uint16_t port;
	struct udp_sock sock[2];
	struct udp_counters count;
	uint8_t buf[DATAGRAM_MAX];
};

union control {
	struct cmsghdr align;
	uint8_t in4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t in6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* ---- receiving ------------------------------------------------------------------------ */

/* The address a datagram was sent to. */
static bool local_of(struct msghdr *msg, uint16_t port, struct ike_addr *local)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo pi;

			memcpy(&pi, CMSG_DATA(c), sizeof(pi));
			*local = (struct ike_addr){ .family = 4, .port = port };
			memcpy(local->ip, &pi.ipi_addr, 4);
			return true;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo pi;

			memcpy(&pi, CMSG_DATA(c), sizeof(pi));
			*local = (struct ike_addr){ .family = 6, .port = port };
			memcpy(local->ip, &pi.ipi6_addr, 16);
			return true;
		}
	}
	return false;
}

/* One datagram. Returns false when there is none. */
static bool receive(struct udp_sock *s)
{
	struct udp *u = s->owner;
	struct sockaddr_storage from;
	struct iovec iov = { .iov_base = u->buf, .iov_len = sizeof(u->buf) };
	union control ctl;
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &ctl, .msg_controllen = sizeof(ctl),
	};
	struct ike_path path = { .local = { .family = 0 } };
	ssize_t n = recvmsg(s->fd, &msg, MSG_DONTWAIT);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			u->count.receive_errors++;
		return false;
	}
	u->count.received++;
	if (!local_of(&msg, u->port, &path.local) || !addr_from_sockaddr((struct sockaddr *)&from, &path.remote)) {
		u->count.no_destination++;
		return true;
	}
	u->fn(u->ctx, &path, u->buf, (size_t)n, loop_now(u->loop));
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct udp_sock *s = ctx;

	(void)fd;
	(void)what;
	for (int i = 0; i < READS_PER_TURN; i++)
		if (!receive(s))
			return;
}

/* ---- sending -------------------------------------------------------------------------- */

static void set_source(struct msghdr *msg, union control *ctl, const struct ike_addr *local)
{
	struct cmsghdr *c;

	if (!local->family || addr_is_any(local))
		return;
	memset(ctl, 0, sizeof(*ctl));
	msg->msg_control = ctl;
	if (local->family == 4) {
		struct in_pktinfo pi = { .ipi_ifindex = 0 };

		memcpy(&pi.ipi_spec_dst, local->ip, 4);
		msg->msg_controllen = sizeof(ctl->in4);
		c = CMSG_FIRSTHDR(msg);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(pi));
		memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	} else {
		struct in6_pktinfo pi = { .ipi6_ifindex = 0 };

		memcpy(&pi.ipi6_addr, local->ip, 16);
		msg->msg_controllen = sizeof(ctl->in6);
		c = CMSG_FIRSTHDR(msg);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(pi));
		memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	}
}

static int send_failed(struct udp *u, const struct ike_path *path, int err)
{
	char from[ADDR_TEXT_MAX];

	u->count.send_errors++;
	log_peer(u->log, loop_now(u->loop), IKE_LOG_WARNING, "send-failed", path, "from %s: %s",
		 addr_format_ip(&path->local, from, sizeof(from)), strerror(err));
	return -err;
}

int udp_send(struct udp *u, const struct ike_path *path, const void *data, size_t len)
{
	struct sockaddr_storage to;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	union control ctl;
	struct msghdr msg = { .msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = u->sock[path->remote.family == 6].fd;

	msg.msg_namelen = addr_to_sockaddr(&path->remote, &to);
	if (!msg.msg_namelen || fd < 0)
		return send_failed(u, path, EAFNOSUPPORT);
	set_source(&msg, &ctl, &path->local);
	if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return send_failed(u, path, errno);
	u->count.sent++;
	return 0;
}

/* ---- opening -------------------------------------------------------------------------- */

static int set_options(int fd, int family)
{
	int on = 1, rcvbuf = RCVBUF_OCTETS, pmtu4 = IP_PMTUDISC_DONT, pmtu6 = IPV6_PMTUDISC_DONT;

	/* Best effort: a smaller buffer only loses datagrams earlier, and those are repeated. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
		       setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &pmtu4, sizeof(pmtu4));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &pmtu6, sizeof(pmtu6));
}

static int open_one(struct udp *u, struct udp_sock *s, int family)
{
	struct ike_addr any = { .family = family == AF_INET ? 4 : 6, .port = u->port };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&any, &ss);

	s->owner = u;
	s->family = family;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (s->fd < 0)
		return -errno;
	if (set_options(s->fd, family) || bind(s->fd, (struct sockaddr *)&ss, len))
		return -errno;
	s->ev = event_new(loop_base(u->loop), s->fd, EV_READ | EV_PERSIST, on_readable, s);
	return s->ev && !event_add(s->ev, NULL) ? 0 : -ENOMEM;
}

struct udp *udp_open(struct loop *lp, struct log *log, uint16_t port, udp_fn fn, void *ctx)
{
	struct udp *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return NULL;
	*u = (struct udp){ .loop = lp, .log = log, .fn = fn, .ctx = ctx, .port = port };
	u->sock[0].fd = -1;
	u->sock[1].fd = -1;
	err = open_one(u, &u->sock[0], AF_INET);
	if (!err) {
		err = open_one(u, &u->sock[1], AF_INET6);
		if (err == -EAFNOSUPPORT)
			err = 0;
	}
	if (err) {
		log_line(log, IKE_LOG_ERROR, "udp-open-failed", NULL, "cannot use UDP port %u: %s%s", port,
			 strerror(-err), err == -EADDRINUSE ? " (is another keyer running?)" : "");
		udp_close(u);
		return NULL;
	}
	return u;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	for (int i = 0; i < 2; i++) {
		if (u->sock[i].ev)
			event_free(u->sock[i].ev);
		if (u->sock[i].fd >= 0)
			close(u->sock[i].fd);
	}
	free(u);
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->count;
}
