/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside libesptun: the handle, one request with its answer, and how a refusal becomes a
 * line of text. Not installed; users of the library include libesptun.h.
 */
#ifndef LIBESPTUN_SOCK_H
#define LIBESPTUN_SOCK_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include "libesptun/libesptun.h"
#include "libesptun/nl_gen.h"

#define ESPTUN_ERROR_MAX	512

/**
 * struct esptun_sock - the handle
 * @genl: generic netlink, unicast only
 * @route: rtnetlink
 * @family: id of the family "esptun", 0 until it was needed
 * @netns: descriptor of the network namespace, -1 for the caller's own
 * @tunnel_id: see esptun_sa_tunnel()
 * @error: text of the last failure
 */
struct esptun_sock {
	struct nl_sock *genl;
	struct nl_sock *route;
	int family;
	int netns;
	uint32_t tunnel_id;
	char error[ESPTUN_ERROR_MAX];
};

/** struct esptun_reply - what to do with the answer to a request
 * @valid: called for each message with payload; a negative return ends the request with it
 * @arg: for @valid
 */
struct esptun_reply {
	int (*valid)(struct nlmsghdr *nlh, void *arg);
	void *arg;
};

/** esptun_fail() - note a failure's text. Return: @err, a negative errno */
int esptun_fail(struct esptun_sock *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** esptun_genl_msg() - a request of the family; looks the family up. NULL: failure is noted in @err */
struct nl_msg *esptun_genl_msg(struct esptun_sock *s, uint8_t cmd, int flags, int *err);

/**
 * esptun_request() - send, wait for the whole answer, wipe and free @msg
 * @sk: s->genl or s->route
 * @reply: may be NULL where only the acknowledgement counts
 * Return: 0; -EINTR (without text) for a dump that the kernel reports as inconsistent; another
 *   -errno with text.
 */
int esptun_request(struct esptun_sock *s, struct nl_sock *sk, struct nl_msg *msg,
		   const struct esptun_reply *reply);

/** esptun_nl_open() - a connected socket of a protocol in the handle's netns, or NULL with @err */
struct nl_sock *esptun_nl_open(struct esptun_sock *s, int protocol, int *err);

/** esptun_family() - look the family up if that was not done. Return: its id or -errno */
int esptun_family(struct esptun_sock *s);

/** How often an interrupted dump is repeated before it is given up. */
#define ESPTUN_DUMP_TRIES	8

#endif /* LIBESPTUN_SOCK_H */
