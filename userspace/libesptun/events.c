// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events: sockets of their own that only listen, joined in one epoll descriptor. Lost
 * messages become a RESYNC event; a message not from the kernel is passed over. Never
 * blocks, never asks the kernel anything after it was set up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/ctrl.h>

#include "libesptun/decode.h"
#include "libesptun/sock.h"

#define RECEIVE_ROOM	65536
#define SOCKET_ROOM	(1 << 20)

enum { GENL, LINK, SOCKETS };

struct esptun_events {
	struct nl_sock *sk[SOCKETS];
	int epoll;
	int family;
	uint64_t skipped;
	char buf[RECEIVE_ROOM] __attribute__((aligned(8)));
};

struct sink {
	struct esptun_events *e;
	esptun_event_fn fn;
	void *arg;
	int count;
};

static int join_group(struct esptun_sock *s, struct nl_sock *sk, int group)
{
	int fd = nl_socket_get_fd(sk);

	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return 0;
	return esptun_fail(s, -errno, "cannot listen to events: %s%s", strerror(errno),
			   errno == EPERM ? " (needs CAP_NET_ADMIN)" : "");
}

static int listen_to(struct esptun_sock *s, struct esptun_events *e, int which, int protocol,
		     int group)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct nl_sock *sk;
	int err, fd;

	sk = esptun_nl_open(s, protocol, &err);
	if (!sk)
		return err;
	e->sk[which] = sk;
	nl_socket_set_buffer_size(sk, SOCKET_ROOM, 0);
	err = join_group(s, sk, group);
	if (err < 0)
		return err;
	fd = nl_socket_get_fd(sk);
	if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return esptun_fail(s, -errno, "epoll: %s", strerror(errno));
	return 0;
}

static int listen_genl(struct esptun_sock *s, struct esptun_events *e)
{
	int group;

	e->family = esptun_family(s);
	if (e->family < 0)
		return e->family;
	group = genl_ctrl_resolve_grp(s->genl, ESPTUN_GENL_NAME, ESPTUN_MCGRP_EVENTS);
	if (group < 0)
		return esptun_fail(s, -ENOENT, "multicast group %s: %s", ESPTUN_MCGRP_EVENTS,
				   nl_geterror(group));
	return listen_to(s, e, GENL, NETLINK_GENERIC, group);
}

int esptun_events_new(struct esptun_sock *s, unsigned int what, struct esptun_events **out)
{
	struct esptun_events *e = calloc(1, sizeof(*e));
	int err = 0;

	if (!e)
		return esptun_fail(s, -ENOMEM, "no memory for an event socket");
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (e->epoll < 0)
		err = esptun_fail(s, -errno, "epoll: %s", strerror(errno));
	if (!err && what & ESPTUN_EVENTS_GENL)
		err = listen_genl(s, e);
	if (!err && what & ESPTUN_EVENTS_LINK)
		err = listen_to(s, e, LINK, NETLINK_ROUTE, RTNLGRP_LINK);
	if (err) {
		esptun_events_free(e);
		return err;
	}
	*out = e;
	return 0;
}

void esptun_events_free(struct esptun_events *e)
{
	if (!e)
		return;
	for (int i = 0; i < SOCKETS; i++)
		nl_socket_free(e->sk[i]);
	if (e->epoll >= 0)
		close(e->epoll);
	free(e);
}

int esptun_events_fd(const struct esptun_events *e)
{
	return e->epoll;
}

uint64_t esptun_events_skipped(const struct esptun_events *e)
{
	return e->skipped;
}

static int decode_genl(const struct esptun_events *e, const struct nlmsghdr *nlh,
		       struct esptun_event *ev)
{
	const struct genlmsghdr *gnlh = nlmsg_data(nlh);

	if (nlh->nlmsg_type != e->family || nlmsg_datalen(nlh) < (int)GENL_HDRLEN)
		return -EBADMSG;
	ev->type = gnlh->cmd;
	switch (gnlh->cmd) {
	case ESPTUN_CMD_ACQUIRE_NTF:
	case ESPTUN_CMD_CARRIER_NTF:
	case ESPTUN_CMD_PEER_MOVED_NTF:
		return esptun_decode_tunnel(nlh, &ev->tunnel);
	case ESPTUN_CMD_SA_CONFIRMED_NTF:
	case ESPTUN_CMD_SOFT_EXPIRE_NTF:
	case ESPTUN_CMD_HARD_EXPIRE_NTF:
	case ESPTUN_CMD_SA_DELETED_NTF:
		return esptun_decode_sa(nlh, &ev->sa);
	default:
		return -EBADMSG;
	}
}

/* Return: 1 for an event, 0 for a message about something else, -EBADMSG. */
static int decode(const struct esptun_events *e, int which, const struct nlmsghdr *nlh,
		  struct esptun_event *ev)
{
	int err;

	memset(ev, 0, sizeof(*ev));
	if (which == GENL) {
		err = decode_genl(e, nlh, ev);
		return err < 0 ? err : 1;
	}
	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return 0;
	ev->type = nlh->nlmsg_type == RTM_NEWLINK ? ESPTUN_EVENT_TUNNEL_SET :
						    ESPTUN_EVENT_TUNNEL_GONE;
	return esptun_decode_link(nlh, &ev->tunnel);
}

static void hand_over(struct sink *to, const struct esptun_event *ev)
{
	to->count++;
	to->fn(ev, to->arg);
}

static void read_messages(struct sink *to, int which, int len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)to->e->buf;
	struct esptun_event ev;
	int got;

	for (; nlmsg_ok(nlh, len); nlh = nlmsg_next(nlh, &len)) {
		got = decode(to->e, which, nlh, &ev);
		if (got > 0)
			hand_over(to, &ev);
		else if (got < 0)
			to->e->skipped++;
	}
}

/* Return: 1 to go on, 0 when there is nothing more, -errno when the socket is broken. */
static int read_once(struct sink *to, int which)
{
	static const struct esptun_event resync = { .type = ESPTUN_EVENT_RESYNC };
	int fd = nl_socket_get_fd(to->e->sk[which]);
	struct sockaddr_nl from = { .nl_pid = 0 };
	socklen_t fromlen = sizeof(from);
	ssize_t len;

	len = recvfrom(fd, to->e->buf, sizeof(to->e->buf), MSG_DONTWAIT | MSG_TRUNC,
		       (struct sockaddr *)&from, &fromlen);
	if (len < 0 && errno == ENOBUFS) {
		hand_over(to, &resync);
		return 1;
	}
	if (len < 0)
		return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -errno;
	if (from.nl_pid != 0)
		to->e->skipped++;
	else if (len > (ssize_t)sizeof(to->e->buf))
		hand_over(to, &resync);
	else
		read_messages(to, which, (int)len);
	return 1;
}

int esptun_events_read(struct esptun_events *e, esptun_event_fn fn, void *arg)
{
	struct sink to = { .e = e, .fn = fn, .arg = arg };
	int err;

	for (int i = 0; i < SOCKETS; i++) {
		if (!e->sk[i])
			continue;
		do {
			err = read_once(&to, i);
		} while (err > 0);
		if (err < 0)
			return err;
	}
	return to.count;
}
