// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the IKE sockets, two on each port. Reads a bounded number of datagrams a turn, so
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
#define MARKER_LEN 4		/* octets, all zero: no ESP packet begins so */
#define KEEPALIVE 0xff

enum { PORTS = 2, FAMILIES = 2 };

static const uint8_t marker[MARKER_LEN];

struct udp_sock {
	struct udp *owner;
	int fd;
	uint16_t port;
	bool natt;
	struct event *ev;
};

struct udp {
	struct loop *loop;
	struct log *log;
	struct udp_options opt;
	struct udp_sock sock[PORTS][FAMILIES];	/* IKE and NAT traversal; IPv4 and IPv6 */
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

/* The IKE message in what came on the NAT traversal port; NULL, counted: there is none. */
static const uint8_t *strip_marker(struct udp *u, size_t *len)
{
	if (*len >= MARKER_LEN && !memcmp(u->buf, marker, MARKER_LEN)) {
		*len -= MARKER_LEN;
		return u->buf + MARKER_LEN;
	}
	if (*len == 1 && u->buf[0] == KEEPALIVE)
		u->count.keepalives++;
	else
		u->count.no_marker++;
	return NULL;
}

static void deliver(struct udp_sock *s, const struct ike_path *path, size_t len)
{
	struct udp *u = s->owner;
	const uint8_t *data = s->natt ? strip_marker(u, &len) : u->buf;

	if (data)
		u->opt.fn(u->opt.ctx, path, data, len, loop_now(u->loop));
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
	if (!local_of(&msg, s->port, &path.local) || !addr_from_sockaddr((struct sockaddr *)&from, &path.remote)) {
		u->count.no_destination++;
		return true;
	}
	deliver(s, &path, (size_t)n);
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
	struct iovec iov[2] = { { .iov_base = (void *)(uintptr_t)marker, .iov_len = MARKER_LEN },
				{ .iov_base = (void *)(uintptr_t)data, .iov_len = len } };
	bool natt = path->local.port == u->opt.natt_port, marked = natt && len != 1;
	union control ctl;
	struct msghdr msg = { .msg_name = &to, .msg_iov = iov + !marked, .msg_iovlen = 1 + (size_t)marked };
	int fd = u->sock[natt][path->remote.family == 6].fd;

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

/*
 * The port of NAT traversal may be held open by the kernel, for the SAs of a former keyer: see
 * esptun_socket_set() in libesptun.h for the order of things.
 */
static int share_port(struct udp *u, struct udp_sock *s)
{
	int on = 1;

	if (!s->natt)
		return 0;
	if (setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
		return -errno;
	return u->opt.attach(u->opt.attach_ctx, s->fd);
}

static int open_one(struct udp *u, struct udp_sock *s, int family)
{
	struct ike_addr any = { .family = family == AF_INET ? 4 : 6, .port = s->port };
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(&any, &ss);
	int err;

	s->owner = u;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (s->fd < 0)
		return -errno;
	if (set_options(s->fd, family))
		return -errno;
	err = share_port(u, s);
	if (err)
		return err;
	if (bind(s->fd, (struct sockaddr *)&ss, len))
		return -errno;
	err = s->natt ? u->opt.attach(u->opt.attach_ctx, s->fd) : 0;
	if (err)
		return err;
	s->ev = event_new(loop_base(u->loop), s->fd, EV_READ | EV_PERSIST, on_readable, s);
	return s->ev && !event_add(s->ev, NULL) ? 0 : -ENOMEM;
}

/* Both families on one port. */
static int open_port(struct udp *u, bool natt)
{
	static const int families[FAMILIES] = { AF_INET, AF_INET6 };
	int err = 0;

	for (int i = 0; i < FAMILIES && !err; i++) {
		struct udp_sock *s = &u->sock[natt][i];

		s->natt = natt;
		s->port = natt ? u->opt.natt_port : u->opt.port;
		err = open_one(u, s, families[i]);
		if (err == -EAFNOSUPPORT && families[i] == AF_INET6)
			err = 0;
	}
	if (err)
		log_line(u->log, IKE_LOG_ERROR, "udp-open-failed", NULL, "cannot use UDP port %u: %s%s",
			 natt ? u->opt.natt_port : u->opt.port, strerror(-err),
			 err == -EADDRINUSE ? " (is another keyer running?)" : "");
	return err;
}

struct udp *udp_open(struct loop *lp, struct log *log, const struct udp_options *opt)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	*u = (struct udp){ .loop = lp, .log = log, .opt = *opt };
	for (int i = 0; i < PORTS * FAMILIES; i++)
		u->sock[i / FAMILIES][i % FAMILIES].fd = -1;
	/* The first port is never shared: who has it is the only keyer. */
	if (open_port(u, false) || open_port(u, true)) {
		udp_close(u);
		return NULL;
	}
	return u;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	for (int i = 0; i < PORTS * FAMILIES; i++) {
		struct udp_sock *s = &u->sock[i / FAMILIES][i % FAMILIES];

		if (s->ev)
			event_free(s->ev);
		if (s->fd >= 0)
			close(s->fd);
	}
	free(u);
}

const struct udp_counters *udp_counters(const struct udp *u)
{
	return &u->count;
}
