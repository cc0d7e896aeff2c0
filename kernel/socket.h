/* SPDX-License-Identifier: GPL-2.0 */
/* UDP sockets that receive ESP (RFC 3948): the keyer's, and ours in place of a closed one. */
#ifndef _ESPTUN_SOCKET_H
#define _ESPTUN_SOCKET_H

struct esptun_net;
struct netlink_ext_ack;

/**
 * esptun_socket_set - let a socket receive ESP in UDP
 * @en: the underlay that it must belong to
 * @fd: descriptor in the calling process; stays the caller's
 * @extack: told what is wrong
 *
 * If the socket is bound, a stand-in for its port is not needed any more and ends. May be
 * called again. May sleep. 0 or -errno: -EBADF, -ENOTSOCK, -EINVAL, -EBUSY.
 */
int esptun_socket_set(struct esptun_net *en, int fd, struct netlink_ext_ack *extack);

/* Ends all stand-ins. Under the underlay's mutex, may sleep. */
void esptun_socket_release(struct esptun_net *en);

#endif /* _ESPTUN_SOCKET_H */
