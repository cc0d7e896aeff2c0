// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bounds on ISAKMP SAs whose peer has not authenticated itself. See half_open.h.
 */
#include "half_open.h"

#include "addr.h"
#include "ikesa.h"

static bool is_half_open(const struct ike_ikesa *sa, const struct ike_addr *remote)
{
	return sa->counted_half_open && (!remote || ike_addr_equal(&sa->path.remote, remote));
}

/* Nothing shows yet that it can receive: MM1 or AM1 may have been forged. */
static bool is_unproven(const struct ike_ikesa *sa)
{
	return sa->state <= IKE_ST_MM_SA_ANSWERED || sa->state == IKE_ST_AM_START || sa->state == IKE_ST_AM_ANSWERED;
}

struct half_open {
	unsigned int all, unproven;
};

/* Half-open responder SAs of one peer, or of all. */
static struct half_open count_half_open(struct ike_engine *e, const struct ike_addr *remote)
{
	struct half_open n = { 0, 0 };
	struct ike_ikesa *sa;

	for (sa = e->ikesas; sa; sa = sa->next) {
		if (!is_half_open(sa, remote))
			continue;
		n.all++;
		n.unproven += is_unproven(sa);
	}
	return n;
}

/* One of n unproven ones; NULL when there is none. */
static struct ike_ikesa *pick_unproven(struct ike_engine *e, const struct ike_addr *remote, unsigned int n)
{
	uint64_t skip = ike_random_below(e, n);
	struct ike_ikesa *sa;

	for (sa = e->ikesas; sa; sa = sa->next)
		if (is_half_open(sa, remote) && is_unproven(sa) && !skip--)
			return sa;
	return NULL;
}

bool ike_half_open_make_room(struct ike_engine *e, const struct ike_path *path)
{
	struct ike_logctx ctx = { .path = path };
	const struct ike_addr *remote = &path->remote;
	struct ike_ikesa *victim;
	struct half_open n;

	/* All in all fewer than one peer may have: nobody needs to be counted. */
	if (e->half_open < IKE_HALF_OPEN_PER_PEER)
		return true;
	n = count_half_open(e, remote);
	if (n.all < IKE_HALF_OPEN_PER_PEER) {
		if (e->half_open < IKE_HALF_OPEN_MAX)
			return true;
		remote = NULL;
		n = count_half_open(e, NULL);
	}
	victim = n.unproven ? pick_unproven(e, remote, n.unproven) : NULL;
	ike_log_limited(e, IKE_LOG_WARNING, IKE_EV_LIMIT, &ctx, "%u half-open ISAKMP SAs: %s", n.all,
			victim ? "one that sent nothing but its first message goes" : "first message dropped");
	if (victim)
		ike_ikesa_kill(victim, false, "too many half-open SAs");
	return victim;
}
