// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between phase 1 and phase 2. See admission.h. Only the order of things: what is said is
 * in xauth.c and modecfg.c.
 */
#include "admission.h"

#include <stdio.h>
#include <string.h>

#include "modecfg.h"
#include "payload.h"
#include "tunnel.h"
#include "xauth.h"

/* For the peer's user to be asked, if it asks one. */
#define PATIENCE (90 * IKE_SECOND)

static const char *const names[] = {
	[IKE_ADMIT_NOTHING] = "nothing", [IKE_ADMIT_XAUTH] = "XAUTH", [IKE_ADMIT_MODECFG] = "mode config",
};

static void wait_for(struct ike_ikesa *sa, unsigned int what)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	sa->admission.waits_for = what;
	ike_log(sa->e, IKE_LOG_DEBUG, IKE_EV_STATE, &ctx, "phase 1 is through, %s comes next", names[what]);
	ike_timer_set(&sa->e->timers, &sa->expire, sa->e->now + PATIENCE);
}

void ike_admission_begin(struct ike_ikesa *sa)
{
	if (!sa->tunnel->cfg.xauth) {
		ike_admission_logged_in(sa);
		return;
	}
	wait_for(sa, IKE_ADMIT_XAUTH);
	if (sa->tunnel->cfg.xauth == IKE_XAUTH_SERVER)
		ike_xauth_ask(sa);
}

void ike_admission_logged_in(struct ike_ikesa *sa)
{
	/* A server that is asked need not wait: some clients never ask. */
	if (!sa->tunnel->cfg.modecfg || (ike_modecfg_serves(sa->tunnel) && sa->tunnel->cfg.modecfg == IKE_MODECFG_PULL)) {
		ike_admission_through(sa);
		return;
	}
	wait_for(sa, IKE_ADMIT_MODECFG);
	if (ike_modecfg_serves(sa->tunnel) || sa->tunnel->cfg.modecfg == IKE_MODECFG_PULL)
		ike_modecfg_begin(sa);
}

void ike_admission_through(struct ike_ikesa *sa)
{
	sa->admission.waits_for = IKE_ADMIT_NOTHING;
	if (!sa->established)
		ike_ikesa_establish(sa);
}

void ike_admission_failed(struct ike_ikesa *sa, const char *event, const char *text)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);
	struct ike_tunnel *t = sa->tunnel;
	bool own = sa->initiator;

	ike_log_limited(sa->e, IKE_LOG_WARNING, event, &ctx, "%s", text);
	ike_ikesa_kill(sa, true, text);
	if (own)
		ike_tunnel_failed(t, text);
	else
		ike_tunnel_set_error(t, text);
}

void ike_admission_timeout(struct ike_ikesa *sa)
{
	char text[120];

	snprintf(text, sizeof(text), "the peer did not finish %s in time", names[sa->admission.waits_for]);
	ike_admission_failed(sa, IKE_EV_TIMEOUT, text);
}

bool ike_admission_deleted(struct ike_ikesa *sa, const struct ike_payload *p)
{
	struct ike_delete d;
	char text[160];

	if (ike_delete_decode(p, &d)) {
		sa->e->cnt.malformed++;
		return false;
	}
	if (d.proto != IKE_PROTO_ISAKMP || d.spi_len != 2 * IKE_COOKIE_LEN || !d.count ||
	    memcmp(d.spis, sa->icookie, IKE_COOKIE_LEN) != 0)
		return false;
	snprintf(text, sizeof(text), "the peer deleted the ISAKMP SA before %s was through%s", names[sa->admission.waits_for],
		 sa->admission.waits_for == IKE_ADMIT_XAUTH ? ": user name or password refused?" : "");
	ike_admission_failed(sa, IKE_EV_AUTH_FAILED, text);
	return true;
}

enum ike_state ike_admission_state(const struct ike_ikesa *sa)
{
	if (!sa->authenticated || sa->established || sa->closed)
		return sa->state;
	return sa->admission.waits_for == IKE_ADMIT_MODECFG ? IKE_ST_MODE_CONFIG : IKE_ST_XAUTH;
}
