// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network: what may happen to an IKE datagram on its way. Loses, repeats, overtakes,
 * delays, and lets an attacker send altered and old copies.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "world.h"

enum { HEADER = 28, MAX_DATAGRAM = 65507 };

struct ike_addr sim_host_outside(const struct sim_host *h, uint16_t port)
{
	if (!h->nat_octet)
		return (struct ike_addr){ .family = 4, .port = port, .ip = { 10, 0, 0, (uint8_t)(h->index + 1) } };
	return (struct ike_addr){ .family = 4, .port = (uint16_t)(port + h->nat_shift),
				  .ip = { 203, 0, 113, h->nat_octet } };
}

void sim_host_nat(struct sim_host *h, uint8_t octet, uint16_t shift)
{
	h->nat_octet = octet;
	h->nat_shift = shift;
	sim_busy(h->w);
}

/* Whose address and port it is, and which port that is for the host itself; NULL: nobody's. */
static struct sim_host *host_at(struct sim_world *w, const struct ike_addr *addr, uint16_t *port)
{
	static const uint16_t ports[] = { 500, IKE_NATT_PORT };
	unsigned int i, j;

	for (i = 0; i < w->n_hosts; i++)
		for (j = 0; j < sizeof(ports) / sizeof(ports[0]); j++) {
			struct ike_addr at = sim_host_outside(&w->host[i], ports[j]);

			*port = ports[j];
			if (at.port == addr->port && !memcmp(at.ip, addr->ip, sizeof(at.ip)))
				return &w->host[i];
		}
	return NULL;
}

/* "MM", "QM", "IN" with what tells messages apart. */
static const char *describe(const uint8_t *p, size_t len)
{
	static char text[96];
	const char *type;

	if (len < HEADER) {
		snprintf(text, sizeof(text), "%zu octets", len);
		return text;
	}
	type = p[18] == 2 ? "main mode" : p[18] == 32 ? "quick mode" : p[18] == 5 ? "informational" : "exchange ?";
	snprintf(text, sizeof(text), "%s %02x%02x/%02x%02x id %02x%02x%02x%02x%s %zu octets", type, p[0], p[1],
		 p[8], p[9], p[20], p[21], p[22], p[23], p[19] & 1 ? " encrypted" : "", len);
	return text;
}

static void datagram_arrives(struct sim_world *w, struct sim_event *ev)
{
	struct sim_host *h = &w->host[ev->host];

	if (!h->engine || w->net.cut || h->asleep || h->homeless)
		return;
	sim_trace(w, "host %u <- %s", h->index, describe(ev->data, ev->len));
	sim_busy(w);
	sim_fault_enter();
	ike_datagram(h->engine, &ev->path, ev->data, ev->len, w->now);
	sim_fault_leave();
	sim_host_drain(h);
}

/* One after the other, but for those that are overtaken or late. */
static ike_time arrival(struct sim_world *w, struct sim_host *to)
{
	struct sim_net *n = &w->net;
	ike_time at = w->now + n->delay + (ike_time)sim_below(&w->wire, (uint64_t)n->delay / 4 + 1);

	if (sim_chance(&w->wire, n->reorder))
		return at + (ike_time)sim_below(&w->wire, 10 * (uint64_t)n->delay + 50 * SIM_MS);
	if (sim_chance(&w->wire, n->late))
		return at + (ike_time)sim_below(&w->wire, 3 * IKE_SECOND);
	if (at < to->last_arrival)
		at = to->last_arrival;
	to->last_arrival = at;
	return at;
}

static void carry(struct sim_world *w, const struct ike_path *from, const uint8_t *data, size_t len)
{
	uint16_t port;
	struct sim_host *to = host_at(w, &from->remote, &port);
	struct sim_event *ev;

	if (!to)
		return;
	ev = sim_event_new(datagram_arrives, len);
	ev->host = to->index;
	ev->boot = SIM_ANY_BOOT;
	ev->path.local = (struct ike_addr){ .family = 4, .port = port, .ip = { 10, 0, 0, (uint8_t)(to->index + 1) } };
	ev->path.remote = from->local;
	if (len)
		memcpy(ev->data, data, len);
	sim_queue_add(&w->queue, ev, arrival(w, to));
}

/* ---- the attacker ---------------------------------------------------------------------------- */

static void remember(struct sim_net *n, const struct ike_path *path, const uint8_t *data, size_t len)
{
	n->old = sim_grow(n->old, len);
	memcpy(n->old, data, len);
	n->old_len = len;
	n->old_path = *path;
}

static void flip_bits(struct sim_rng *r, uint8_t *p, size_t len, size_t from)
{
	unsigned int n = 1 + (unsigned int)sim_below(r, 4);

	while (n-- && len > from)
		p[from + sim_below(r, len - from)] ^= (uint8_t)(1u << sim_below(r, 8));
}

/* What somebody on the path can make of a datagram without knowing a key. */
static void attack(struct sim_world *w, const struct ike_path *path, const uint8_t *data, size_t len)
{
	struct sim_net *n = &w->net;
	struct sim_rng *r = &w->wire;
	uint8_t *p = sim_alloc(len + 64);

	memcpy(p, data, len);
	switch (sim_below(r, 7)) {
	case 0:
		flip_bits(r, p, len, 0);
		break;
	case 1:						/* the body only: cookies stay right */
		flip_bits(r, p, len, HEADER);
		break;
	case 2:
		len = sim_below(r, len);
		break;
	case 3:						/* longer, and saying so or not */
		len += 1 + sim_below(r, 63);
		if (sim_chance(r, 50) && len >= HEADER)
			p[27] = (uint8_t)len, p[26] = (uint8_t)(len >> 8);
		break;
	case 4:						/* other exchange type, flags or message ID */
		p[18 + sim_below(r, 6)] = (uint8_t)sim_random(r);
		break;
	case 5:						/* plain text where cipher text was, or back */
		p[19] ^= 1;
		break;
	default:					/* an old one, as it was */
		if (n->old)
			carry(w, &n->old_path, n->old, n->old_len);
		len = 0;
	}
	if (len)
		carry(w, path, p, len);
	free(p);
}

/* The first MM1 seen is the model of all forged ones. */
static void keep_mm1(struct sim_net *n, const struct ike_path *path, const uint8_t *data, size_t len)
{
	static const uint8_t zero[IKE_COOKIE_LEN];

	if (n->mm1 || len < HEADER || data[18] != 2 || memcmp(data + IKE_COOKIE_LEN, zero, IKE_COOKIE_LEN))
		return;
	n->mm1 = sim_alloc(len);
	memcpy(n->mm1, data, len);
	n->mm1_len = len;
	n->mm1_path = *path;
}

static void flood_goes_on(struct sim_world *w, struct sim_event *ev)
{
	struct sim_net *n = &w->net;
	int i;

	(void)ev;
	if (!n->flood)
		return;
	if (n->mm1) {
		for (i = 0; i < IKE_COOKIE_LEN; i++)
			n->mm1[i] = (uint8_t)sim_random(&w->wire);
		n->forged_octets += n->mm1_len;
		carry(w, &n->mm1_path, n->mm1, n->mm1_len);
	}
	sim_flood(w);
}

void sim_flood(struct sim_world *w)
{
	struct sim_event *ev = sim_event_new(flood_goes_on, 0);

	ev->boot = SIM_ANY_BOOT;
	sim_queue_add(&w->queue, ev, w->now + IKE_SECOND / w->net.flood);
}

/* ---- sending ---------------------------------------------------------------------------------- */

/* A storm of datagrams is a fault of the engine, whatever the network does. */
static void check_rate(struct sim_host *h)
{
	enum { PER_MINUTE = 3000 };

	if (h->w->now >= h->sent_since + SIM_MINUTE) {
		h->sent_since = h->w->now;
		h->sent_lately = 0;
	}
	if (++h->sent_lately > PER_MINUTE)
		sim_fail(h->w, "host %u sends more than %d datagrams a minute", h->index, PER_MINUTE);
}

void sim_net_send(struct sim_host *from, const struct ike_path *path, const void *data, size_t len)
{
	struct sim_world *w = from->w;
	struct ike_path p = *path;
	const char *fate = "";

	if (len == 1)
		return;		/* a NAT keepalive: no NAT here forgets by itself */
	p.local = sim_host_outside(from, path->local.port);
	from->sent++;
	from->sent_octets += len;
	if (!w->net.flood)
		check_rate(from);
	keep_mm1(&w->net, &p, data, len);
	if (len > MAX_DATAGRAM)
		sim_fail(w, "host %u sends %zu octets", from->index, len);
	sim_busy(w);
	if (sim_chance(&w->wire, w->net.loss) || w->net.cut || from->homeless)
		fate = ", lost";
	else
		carry(w, &p, data, len);
	if (sim_chance(&w->wire, w->net.duplicate) && !from->homeless) {
		fate = *fate ? ", copy only" : ", twice";
		carry(w, &p, data, len);
	}
	sim_trace(w, "host %u -> %s%s", from->index, describe(data, len), fate);
	if (len && sim_chance(&w->wire, w->net.mangle))
		attack(w, &p, data, len);
	if (len && sim_chance(&w->wire, 10))
		remember(&w->net, &p, data, len);
}
