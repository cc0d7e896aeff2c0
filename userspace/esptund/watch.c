// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the rtnetlink socket for address changes. See watch.h.
 */
#include "watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"

struct watch {
	struct run *run;
	struct log *log;
	int fd;
	struct event *ev;
};

/*
 * By binding to it: so an address that is not on an interface, but that the kernel lets us use (a
 * local route, ip_nonlocal_bind), is here as well. What cannot be asked counts as here.
 */
bool watch_is_here(void *ctx, const struct ike_addr *addr)
{
	struct ike_addr a = *addr;
	struct sockaddr_storage ss;
	bool here = true;
	socklen_t len;
	int fd;

	(void)ctx;
	a.port = 0;
	len = addr_to_sockaddr(&a, &ss);
	fd = len ? socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (fd < 0)
		return true;
	if (bind(fd, (struct sockaddr *)&ss, len) && errno == EADDRNOTAVAIL)
		here = false;
	close(fd);
	return here;
}

/* However many messages there are, and whatever they say: look once. */
static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct watch *w = ctx;
	char buf[8192];
	ssize_t n;

	(void)what;
	do {
		n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
	run_addresses(w->run, watch_is_here, NULL);
}

struct watch *watch_open(struct loop *lp, struct log *log, struct run *run)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->run = run;
	w->log = log;
	w->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (w->fd >= 0 && !bind(w->fd, (struct sockaddr *)&nl, sizeof(nl))) {
		w->ev = event_new(loop_base(lp), w->fd, EV_READ | EV_PERSIST, on_readable, w);
		if (w->ev && !event_add(w->ev, NULL))
			return w;
	}
	log_line(log, IKE_LOG_WARNING, "watch-failed", NULL, "changes of this host's addresses will not be noticed: %s",
		 strerror(errno));
	watch_close(w);
	return NULL;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	if (w->ev)
		event_free(w->ev);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}
