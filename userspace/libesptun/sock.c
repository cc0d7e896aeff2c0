// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The handle: its sockets, the network namespace they live in, and one request with its
 * answer. Knows netlink headers and acknowledgements, never what an attribute means.
 */
#define _GNU_SOURCE		/* setns() */
#include "libesptun/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "libesptun/refusal.h"

int esptun_fail(struct esptun_sock *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *esptun_last_error(const struct esptun_sock *s)
{
	return s->error;
}

struct esptun_sock *esptun_new(void)
{
	struct esptun_sock *s = calloc(1, sizeof(*s));

	if (s)
		s->netns = -1;
	return s;
}

void esptun_free(struct esptun_sock *s)
{
	if (!s)
		return;
	nl_socket_free(s->genl);
	nl_socket_free(s->route);
	if (s->netns >= 0)
		close(s->netns);
	free(s);
}

static int open_netns(struct esptun_sock *s, const char *netns)
{
	char path[4096];

	if (strchr(netns, '/'))
		snprintf(path, sizeof(path), "%s", netns);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", netns);
	s->netns = open(path, O_RDONLY | O_CLOEXEC);
	if (s->netns < 0)
		return esptun_fail(s, -errno, "network namespace \"%s\": %s", netns,
				   strerror(errno));
	return 0;
}

/* Sockets stay in the network namespace they were made in, so the thread goes there only
 * for the moment that takes.
 */
static int enter_netns(struct esptun_sock *s, int *back)
{
	int err;

	*back = -1;
	if (s->netns < 0)
		return 0;
	*back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (*back < 0)
		return esptun_fail(s, -errno, "/proc/thread-self/ns/net: %s", strerror(errno));
	if (setns(s->netns, CLONE_NEWNET) < 0) {
		err = -errno;
		close(*back);
		*back = -1;
		return esptun_fail(s, err, "cannot enter the network namespace: %s%s",
				   strerror(-err), err == -EPERM ? " (needs CAP_SYS_ADMIN)" : "");
	}
	return 0;
}

static int leave_netns(struct esptun_sock *s, int back)
{
	int err = 0;

	if (back < 0)
		return 0;
	if (setns(back, CLONE_NEWNET) < 0)
		err = esptun_fail(s, -errno, "cannot return to the network namespace: %s",
				  strerror(errno));
	close(back);
	return err;
}

/* EXT_ACK asks for the reason of a refusal. CAP_ACK keeps the kernel from sending the
 * request back with it: a request may hold keys.
 */
static void want_extack(struct nl_sock *sk)
{
	int one = 1, fd = nl_socket_get_fd(sk);

	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
}

struct nl_sock *esptun_nl_open(struct esptun_sock *s, int protocol, int *err)
{
	struct nl_sock *sk = nl_socket_alloc();
	int back, nle, ret;

	if (!sk) {
		*err = esptun_fail(s, -ENOMEM, "no memory for a netlink socket");
		return NULL;
	}
	*err = enter_netns(s, &back);
	if (*err < 0)
		goto fail;
	nle = nl_connect(sk, protocol);
	ret = nle < 0 ? esptun_fail(s, -EIO, "netlink socket: %s", nl_geterror(nle)) : 0;
	*err = leave_netns(s, back);
	if (!*err)
		*err = ret;
	if (*err < 0)
		goto fail;
	want_extack(sk);
	nl_socket_enable_msg_peek(sk);
	return sk;
fail:
	nl_socket_free(sk);
	return NULL;
}

int esptun_open(struct esptun_sock *s, const char *netns)
{
	int err;

	if (netns) {
		err = open_netns(s, netns);
		if (err < 0)
			return err;
	}
	s->genl = esptun_nl_open(s, NETLINK_GENERIC, &err);
	if (!s->genl)
		return err;
	s->route = esptun_nl_open(s, NETLINK_ROUTE, &err);
	return s->route ? 0 : err;
}

int esptun_family(struct esptun_sock *s)
{
	int id;

	if (s->family)
		return s->family;
	id = genl_ctrl_resolve(s->genl, ESPTUN_GENL_NAME);
	if (id == -NLE_OBJ_NOTFOUND)
		return esptun_fail(s, -ENOENT, "the esptun kernel module is not loaded (%s)",
				   ESPTUN_LOAD_HINT);
	if (id < 0)
		return esptun_fail(s, -EIO, "generic netlink family esptun: %s", nl_geterror(id));
	s->family = id;
	return id;
}

struct nl_msg *esptun_genl_msg(struct esptun_sock *s, uint8_t cmd, int flags, int *err)
{
	struct nl_msg *msg;
	int id = esptun_family(s);

	*err = id;
	if (id < 0)
		return NULL;
	msg = nlmsg_alloc();
	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, id, 0, flags, cmd,
				 ESPTUN_GENL_VERSION)) {
		nlmsg_free(msg);
		*err = esptun_fail(s, -ENOMEM, "no memory for a netlink message");
		return NULL;
	}
	return msg;
}

/* One request under way. */
struct exchange {
	struct esptun_sock *s;
	const struct nlmsghdr *request;
	const struct esptun_reply *reply;
	bool done;
	bool interrupted;
	int err;
};

static int on_seq(struct nl_msg *msg, void *arg)
{
	const struct exchange *x = arg;

	/* The rest of an answer that an earlier request gave up waiting for. */
	return nlmsg_hdr(msg)->nlmsg_seq == x->request->nlmsg_seq ? NL_OK : NL_SKIP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	int err;

	if (!x->reply || x->err < 0)
		return NL_OK;
	err = x->reply->valid(nlmsg_hdr(msg), x->reply->arg);
	if (err < 0)
		x->err = esptun_fail(x->s, err, "answer of the kernel not understood: %s",
				     strerror(-err));
	return NL_OK;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->interrupted = true;
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->done = true;
	return NL_STOP;
}

/* The end of a dump carries an error number, and an ext-ack if there is an error. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	int err = 0;

	x->done = true;
	if (nlmsg_datalen(nlh) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err < 0 && x->err == 0)
		x->err = esptun_refused(x->s, err, nlh, sizeof(err), x->request);
	return NL_STOP;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct exchange *x = arg;
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	size_t head = sizeof(*e);

	(void)from;
	if (e->msg.nlmsg_seq != x->request->nlmsg_seq)
		return NL_SKIP;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && e->msg.nlmsg_len > NLMSG_HDRLEN)
		head += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	x->done = true;
	x->err = esptun_refused(x->s, e->error, nlh, head, x->request);
	return NL_STOP;
}

static struct nl_cb *exchange_callbacks(struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, x);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, x);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	return cb;
}

static int run_exchange(struct exchange *x, struct nl_sock *sk, struct nl_msg *msg)
{
	struct nl_cb *cb = exchange_callbacks(x);
	int nle;

	if (!cb)
		return esptun_fail(x->s, -ENOMEM, "no memory for a netlink request");
	nle = nl_send_auto(sk, msg);
	x->request = nlmsg_hdr(msg);
	while (nle >= 0 && !x->done)
		nle = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	if (!x->done)
		return esptun_fail(x->s, -EIO, "netlink: %s", nl_geterror(nle));
	if (x->err < 0)
		return x->err;
	return x->interrupted ? -EINTR : 0;
}

int esptun_request(struct esptun_sock *s, struct nl_sock *sk, struct nl_msg *msg,
		   const struct esptun_reply *reply)
{
	struct exchange x = { .s = s, .reply = reply };
	int err = run_exchange(&x, sk, msg);

	esptun_wipe(nlmsg_hdr(msg), nlmsg_get_max_size(msg));
	nlmsg_free(msg);
	return err;
}
