/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside libesptun: from a refusal of the kernel (error number, extended acknowledgement)
 * to one line of text that names the attribute in question and what can be done.
 */
#ifndef LIBESPTUN_REFUSAL_H
#define LIBESPTUN_REFUSAL_H

#include <stddef.h>
#include <linux/netlink.h>

struct esptun_sock;

#define ESPTUN_LOAD_HINT	"try \"modprobe esptun\""

/**
 * esptun_refused() - note a refusal's text in the handle
 * @err: the kernel's error, a negative errno
 * @nlh: the message it came in; with NLM_F_ACK_TLVS there are attributes
 * @head: octets of @nlh's payload in front of the attributes
 * @request: what was refused, to find the attribute an offset points to
 * Return: @err
 */
int esptun_refused(struct esptun_sock *s, int err, const struct nlmsghdr *nlh, size_t head,
		   const struct nlmsghdr *request);

#endif /* LIBESPTUN_REFUSAL_H */
