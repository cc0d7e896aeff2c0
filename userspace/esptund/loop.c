// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the event base, the clock and the one timer. The timer is a timerfd because
 * libevent's own timers stop while the machine is suspended.
 */
#include "loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
	struct event *timer;
	int timer_fd;
	ike_time armed;		/* what the timerfd is set to */
	ike_time now;		/* of this turn; 0: not read yet */
	bool stop;
	struct loop_clockwork cw;
};

ike_time loop_now(struct loop *lp)
{
	struct timespec ts;

	if (!lp->now) {
		clock_gettime(CLOCK_BOOTTIME, &ts);
		lp->now = (ike_time)ts.tv_sec * IKE_SECOND + ts.tv_nsec;
	}
	return lp->now;
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct loop *lp = ctx;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	lp->armed = IKE_NEVER;
	if (lp->cw.expire && lp->cw.deadline(lp->cw.ctx) <= loop_now(lp))
		lp->cw.expire(lp->cw.ctx, loop_now(lp));
}

static void arm(struct loop *lp)
{
	ike_time at = lp->cw.deadline ? lp->cw.deadline(lp->cw.ctx) : IKE_NEVER;
	struct itimerspec its = { .it_value = { 0, 0 } };

	if (at == lp->armed)
		return;
	if (at != IKE_NEVER) {
		if (at <= 0)
			at = 1;	/* zero would disarm */
		its.it_value.tv_sec = at / IKE_SECOND;
		its.it_value.tv_nsec = at % IKE_SECOND;
	}
	if (!timerfd_settime(lp->timer_fd, TFD_TIMER_ABSTIME, &its, NULL))
		lp->armed = at;
}

struct loop *loop_new(void)
{
	struct loop *lp = calloc(1, sizeof(*lp));

	if (!lp)
		return NULL;
	lp->armed = IKE_NEVER;
	lp->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	lp->base = event_base_new();
	if (lp->timer_fd < 0 || !lp->base)
		goto fail;
	lp->timer = event_new(lp->base, lp->timer_fd, EV_READ | EV_PERSIST, on_timer, lp);
	if (!lp->timer || event_add(lp->timer, NULL))
		goto fail;
	return lp;
fail:
	loop_free(lp);
	return NULL;
}

void loop_free(struct loop *lp)
{
	if (!lp)
		return;
	if (lp->timer)
		event_free(lp->timer);
	if (lp->base)
		event_base_free(lp->base);
	if (lp->timer_fd >= 0)
		close(lp->timer_fd);
	free(lp);
}

void loop_set_clockwork(struct loop *lp, const struct loop_clockwork *cw)
{
	lp->cw = *cw;
}

struct event_base *loop_base(struct loop *lp)
{
	return lp->base;
}

int loop_run(struct loop *lp)
{
	while (!lp->stop) {
		arm(lp);
		lp->now = 0;
		if (event_base_loop(lp->base, EVLOOP_ONCE) < 0)
			return -1;
	}
	return 0;
}

void loop_stop(struct loop *lp)
{
	lp->stop = true;
}
