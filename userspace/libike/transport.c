// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sending whole or in parts, collecting parts. See transport.h.
 */
#include "transport.h"

#include <stdlib.h>
#include <string.h>

#include "ikesa.h"
#include "tunnel.h"

/* Packets of this size get through nearly everywhere; those of the other everywhere (RFC 791, RFC 8200). */
#define PACKET 1280
#define PACKET_SMALL 576
#define FRAGMENT_ID 1	/* as others have it, for every message */

/* ---- sending ------------------------------------------------------------------------------ */

static bool may_send(const struct ike_ikesa *sa)
{
	enum ike_fragmentation f = sa->tunnel->cfg.fragmentation;

	return f == IKE_FRAGMENTATION_FORCE || (f == IKE_FRAGMENTATION_YES && sa->fragments);
}

/* The largest packet to send. */
static size_t packet_limit(const struct ike_ikesa *sa, const struct ike_path *path, bool repeated)
{
	const struct ike_tunnel_cfg *cfg = &sa->tunnel->cfg;

	if (cfg->fragment_size)
		return cfg->fragment_size;
	if (path->remote.family == 4 && (repeated || cfg->fragmentation == IKE_FRAGMENTATION_FORCE))
		return PACKET_SMALL;
	return PACKET;
}

/* IP and UDP header and non-ESP marker. */
static size_t outer_len(const struct ike_path *path)
{
	return (path->remote.family == 4 ? 20 : 40) + 8 + (path->local.port == IKE_NATT_PORT ? 4 : 0);
}

static void send_part(struct ike_ikesa *sa, const struct ike_path *path, const struct ike_fragment *f)
{
	/* Of phase 1, whatever the message is; no message ID, in clear: what is inside has its own. */
	struct ike_hdr h = { .exchange = sa->phase1 ? sa->phase1->mode->exchange : ISAKMP_XCHG_MAIN };
	struct ike_wbuf w;

	memcpy(h.icookie, sa->icookie, IKE_COOKIE_LEN);
	memcpy(h.rcookie, sa->rcookie, IKE_COOKIE_LEN);
	ike_fragment_encode(&w, &h, f);
	if (!w.bad)
		ike_act_send(sa->e, path, w.data, w.len);
	ike_wbuf_free(&w);
}

void ike_transport_send(struct ike_ikesa *sa, const struct ike_path *path, const uint8_t *data, size_t len,
			bool repeated)
{
	size_t limit = packet_limit(sa, path, repeated), room = limit - outer_len(path) - IKE_FRAGMENT_OVERHEAD;
	unsigned int i, n = len + outer_len(path) > limit && may_send(sa) ? ike_fragment_count(len, room) : 0;
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	if (!n) {
		ike_act_send(sa->e, path, data, len);
		return;
	}
	for (i = 0; i < n; i++) {
		const struct ike_fragment f = {
			.id = FRAGMENT_ID, .number = (uint8_t)(i + 1), .last = i + 1 == n,
			.data = data + i * room, .len = i + 1 == n ? len - i * room : room,
		};

		send_part(sa, path, &f);
	}
	sa->e->cnt.fragmented_out++;
	ike_log(sa->e, IKE_LOG_DEBUG, IKE_EV_FRAGMENT, &ctx, "message of %zu octets sent in %u fragments", len, n);
}

/* ---- collecting ---------------------------------------------------------------------------- */

void ike_transport_clear(struct ike_ikesa *sa)
{
	struct ike_inbox *in = sa->inbox;

	if (!in)
		return;
	sa->e->assembled -= in->assembly.held;
	ike_assembly_clear(&in->assembly);
	ike_timer_fini(&sa->e->timers, &in->timer);
	free(in);
	sa->inbox = NULL;
}

static void drop(struct ike_ikesa *sa, const char *why)
{
	struct ike_logctx ctx = ike_ikesa_ctx(sa, NULL);

	sa->e->cnt.fragments_dropped++;
	ike_log_limited(sa->e, IKE_LOG_NOTICE, IKE_EV_FRAGMENT, &ctx, "fragment dropped: %s", why);
}

static void too_late(struct ike_engine *e, void *owner)
{
	struct ike_inbox *in = owner;

	(void)e;
	drop(in->sa, "the rest of its message did not come in 15 s");
	ike_transport_clear(in->sa);
}

static struct ike_inbox *open_inbox(struct ike_ikesa *sa)
{
	struct ike_inbox *in = calloc(1, sizeof(*in));

	if (!in)
		return NULL;
	if (ike_timer_init(&sa->e->timers, &in->timer, too_late, in)) {
		free(in);
		return NULL;
	}
	in->sa = sa;
	ike_timer_set(&sa->e->timers, &in->timer, sa->e->now + IKE_ASSEMBLY_TIME);
	sa->inbox = in;
	return in;
}

static enum ike_assembled keep(struct ike_ikesa *sa, const struct ike_fragment *f)
{
	struct ike_inbox *in = sa->inbox ? sa->inbox : open_inbox(sa);
	enum ike_assembled a;

	if (!in)
		return IKE_ASSEMBLY_REFUSED;
	sa->e->assembled -= in->assembly.held;
	a = ike_assembly_add(&in->assembly, f, IKE_ASSEMBLIES_MAX - sa->e->assembled - in->assembly.held);
	sa->e->assembled += in->assembly.held;
	return a;
}

static uint8_t *take(struct ike_ikesa *sa, size_t *len)
{
	uint8_t *message;

	sa->e->assembled -= sa->inbox->assembly.held;
	message = ike_assembly_take(&sa->inbox->assembly, len);
	ike_transport_clear(sa);
	sa->e->cnt.fragmented_in++;
	return message;
}

/* Anybody can send these: only who announced them in the negotiation of this SA is listened to. */
static const char *refusal(const struct ike_ikesa *sa)
{
	if (sa->tunnel->cfg.fragmentation == IKE_FRAGMENTATION_NO)
		return "fragmentation = no";
	/* AM2 itself announces it, and with certificates it is long: our AM1 has announced that we take them. */
	if (sa->aggressive && sa->initiator && sa->state == IKE_ST_AM_SENT)
		return NULL;
	return sa->fragments ? NULL : "the peer has not announced fragmentation";
}

uint8_t *ike_transport_collect(struct ike_ikesa *sa, const uint8_t *data, size_t len, size_t *whole)
{
	const char *why = refusal(sa);
	struct ike_fragment f;
	enum ike_assembled a;

	if (why || ike_fragment_decode(data, len, &f, &why)) {
		drop(sa, why);
		return NULL;
	}
	a = keep(sa, &f);
	if (a == IKE_ASSEMBLY_WHOLE)
		return take(sa, whole);
	if (a == IKE_ASSEMBLY_REFUSED)
		drop(sa, "its message would be too large, or too much is held already");
	return NULL;
}
