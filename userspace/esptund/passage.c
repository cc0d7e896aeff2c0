// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends and receives whole messages and judges their form: length, type, strings with an end,
 * truth values that are 0 or 1, key lengths that fit. What they mean is warden.c's and ask.c's.
 */
#define _GNU_SOURCE
#include "passage.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libike/crypto.h"

#define PATIENCE_MS 10000

union control {
	struct cmsghdr align;
	uint8_t space[CMSG_SPACE(sizeof(int))];
};

void passage_tail_clear(struct passage_tail *t)
{
	if (t->data)
		ike_crypto_wipe(t->data, t->len);
	free(t->data);
	*t = (struct passage_tail){ NULL, 0 };
}

void passage_init(struct passage_msg *m, enum passage_type type)
{
	memset(m, 0, sizeof(*m));
	m->type = type;
}

void passage_wipe(struct passage_msg *m)
{
	ike_crypto_wipe(m, sizeof(*m));
}

int passage_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ? -errno : 0;
}

/* ---- sending ---------------------------------------------------------------------------- */

static void attach(struct msghdr *msg, union control *ctl, int fd)
{
	struct cmsghdr *c;

	memset(ctl, 0, sizeof(*ctl));
	msg->msg_control = ctl;
	msg->msg_controllen = sizeof(ctl->space);
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
}

int passage_send(int sock, const struct passage_msg *m, const struct passage_tail *tail, int fd)
{
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)m, .iov_len = sizeof(*m) },
		{ .iov_base = tail ? tail->data : NULL, .iov_len = tail ? tail->len : 0 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = tail && tail->len ? 2 : 1 };
	struct pollfd room = { .fd = sock, .events = POLLOUT };
	union control ctl;

	if (fd >= 0)
		attach(&msg, &ctl, fd);
	for (;;) {
		if (sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == ECONNRESET)
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (errno == EAGAIN && !poll(&room, 1, PATIENCE_MS))
			return -ETIMEDOUT;
	}
}

/* ---- receiving -------------------------------------------------------------------------- */

static bool is_truth(const bool *b)
{
	uint8_t octet;

	memcpy(&octet, b, 1);
	return octet < 2;
}

static bool has_end(const char *text, size_t size)
{
	return memchr(text, 0, size);
}

static bool addr_valid(const struct ike_addr *a)
{
	return a->family == 0 || a->family == 4 || a->family == 6;
}

static bool sa_valid(const struct ike_sa *sa)
{
	return (sa->dir == IKE_IN || sa->dir == IKE_OUT) && sa->encr_key_len <= PASSAGE_KEYS &&
	       sa->auth_key_len <= PASSAGE_KEYS - sa->encr_key_len && is_truth(&sa->pending) &&
	       is_truth(&sa->alg.esn) && addr_valid(&sa->path.local) && addr_valid(&sa->path.remote);
}

/* Form only. Numbers whose range matters to one type of message are its handler's. */
static bool is_valid(const struct passage_msg *m)
{
	return m->type < PASSAGE_N_TYPES && has_end(m->tunnel, sizeof(m->tunnel)) && has_end(m->text, sizeof(m->text)) &&
	       is_truth(&m->has_tunnel) && is_truth(&m->has_text) && is_truth(&m->has_cookie) &&
	       is_truth(&m->ev.pending) && sa_valid(&m->sa) && addr_valid(&m->remote);
}

/* The sender's pointers mean nothing here. */
static void set_pointers(struct passage_msg *m)
{
	m->sa.tunnel = m->has_tunnel ? m->tunnel : NULL;
	m->sa.encr_key = m->keys;
	m->sa.auth_key = m->keys + m->sa.encr_key_len;
	m->ev.tunnel = m->has_tunnel ? m->tunnel : NULL;
	m->ev.text = m->has_text ? m->text : NULL;
	m->ev.cookie = m->has_cookie ? m->cookie : NULL;
}

/* The descriptor that came along, or -1. More than one cannot: there is no room for it. */
static int detach(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

static ssize_t receive(int sock, bool wait, struct passage_msg *m, struct passage_tail *tail, int *fd)
{
	static uint8_t buf[PASSAGE_TAIL_MAX];
	struct iovec iov[2] = { { .iov_base = m, .iov_len = sizeof(*m) }, { .iov_base = buf, .iov_len = sizeof(buf) } };
	union control ctl;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = &ctl, .msg_controllen = sizeof(ctl.space) };
	ssize_t n;

	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC | (wait ? 0 : MSG_DONTWAIT));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return !n || errno == ECONNRESET ? -EPIPE : -errno;
	*fd = detach(&msg);
	n -= (ssize_t)sizeof(*m);
	if (n < 0 || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EBADMSG;
	if (n && tail) {
		tail->data = malloc((size_t)n);
		if (!tail->data)
			return -ENOMEM;
		tail->len = (size_t)n;
		memcpy(tail->data, buf, (size_t)n);
	}
	ike_crypto_wipe(buf, (size_t)n);
	return n && !tail ? -EBADMSG : 0;
}

int passage_receive(int sock, bool wait, struct passage_msg *m, struct passage_tail *tail, int *fd)
{
	int got = -1;
	ssize_t err;

	if (tail)
		*tail = (struct passage_tail){ NULL, 0 };
	err = receive(sock, wait, m, tail, &got);
	if (!err && (!is_valid(m) || (got >= 0 && !fd)))
		err = -EBADMSG;
	if (err && got >= 0) {
		close(got);
		got = -1;
	}
	if (err && tail)
		passage_tail_clear(tail);
	if (!err)
		set_pointers(m);
	if (fd)
		*fd = got;
	return (int)err;
}
