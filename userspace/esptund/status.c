// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the JSON picture of what the engine is doing. Times are given in whole seconds from
 * now, because CLOCK_BOOTTIME means nothing to a reader. Contains no key.
 */
#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "daemon.h"
#include "libike/net.h"

struct picture {
	struct daemon *d;
	const char *only;		/* NULL: all tunnels */
	struct json_object *tunnels;
	ike_time now;
};

static void put_text(struct json_object *o, const char *key, const char *text)
{
	if (text)
		json_object_object_add(o, key, json_object_new_string(text));
}

static void put_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void put_bool(struct json_object *o, const char *key, bool b)
{
	json_object_object_add(o, key, json_object_new_boolean(b));
}

static void put_cookie(struct json_object *o, const char *key, const uint8_t cookie[IKE_COOKIE_LEN])
{
	char hex[2 * IKE_COOKIE_LEN + 1];

	for (size_t i = 0; i < IKE_COOKIE_LEN; i++)
		snprintf(hex + 2 * i, 3, "%02x", cookie[i]);
	put_text(o, key, hex);
}

static void put_spi(struct json_object *o, const char *key, uint32_t spi)
{
	char text[16];

	if (!spi)
		return;
	snprintf(text, sizeof(text), "0x%08x", spi);
	put_text(o, key, text);
}

/* Seconds since a moment; nothing when it has not come. */
static void put_since(struct json_object *o, const char *key, ike_time now, ike_time at)
{
	if (at > 0 && at != IKE_NEVER && at <= now)
		json_object_object_add(o, key, json_object_new_int64((now - at) / IKE_SECOND));
}

/* Seconds until a moment, 0 when it is past; nothing when it will not come. */
static void put_until(struct json_object *o, const char *key, ike_time now, ike_time at)
{
	if (at > 0 && at != IKE_NEVER)
		json_object_object_add(o, key, json_object_new_int64(at > now ? (at - now) / IKE_SECOND : 0));
}

static struct json_object *phase1_object(const struct ike_p1_status *s, ike_time now)
{
	struct json_object *o = json_object_new_object();
	char text[4 * IKE_ID_MAX + 16];

	put_cookie(o, "icookie", s->icookie);
	put_cookie(o, "rcookie", s->rcookie);
	put_text(o, "role", s->initiator ? "initiator" : "responder");
	put_bool(o, "established", s->established);
	put_text(o, "state", s->state);
	put_text(o, "cisco_state", s->cisco_state);
	put_text(o, "local", addr_format(&s->path.local, text, sizeof(text)));
	put_text(o, "remote", addr_format(&s->path.remote, text, sizeof(text)));
	if (s->alg.encr) {
		put_text(o, "proposal", ike_p1_format(&s->alg, text, sizeof(text)));
		put_text(o, "weakness", ike_p1_weakness(&s->alg));
		put_text(o, "auth", ike_auth_name(s->auth));
		put_text(o, "own_trustpoint", s->own_trustpoint);
		put_text(o, "peer_trustpoint", s->peer_trustpoint);
	}
	if (s->peer_id.type)
		put_text(o, "peer_id", ike_id_format(&s->peer_id, text, sizeof(text)));
	if (s->xauth_user[0])
		put_text(o, "xauth_user", s->xauth_user);
	put_since(o, "age", now, s->established_at);
	put_until(o, "rekey_in", now, s->rekey_at);
	put_until(o, "expires_in", now, s->expires_at);
	put_number(o, "retransmits", s->retransmits);
	put_bool(o, "dpd", s->dpd);
	put_since(o, "heard", now, s->heard_at);
	put_text(o, "nat_traversal", s->natt);
	put_text(o, "nat", s->natt ? s->nat : NULL);
	put_bool(o, "encap", s->encap);
	return o;
}

static void put_selector(struct json_object *o, const char *key, const struct ike_selector *sel)
{
	char text[IKE_SELECTOR_TEXT];

	put_text(o, key, ike_selector_format(sel, text, sizeof(text)));
}

static struct json_object *child_object(const struct ike_child_status *s, ike_time now)
{
	static const uint8_t none[IKE_COOKIE_LEN];
	struct json_object *o = json_object_new_object();
	char text[64];

	put_spi(o, "spi_in", s->spi_in);
	put_spi(o, "spi_out", s->spi_out);
	if (s->alg.transform) {
		put_text(o, "proposal", ike_p2_format(&s->alg, text, sizeof(text)));
		put_text(o, "weakness", ike_p2_weakness(&s->alg));
	}
	put_since(o, "age", now, s->established);
	put_until(o, "rekey_in", now, s->rekey_at);
	put_until(o, "expires_in", now, s->expires_at);
	put_bool(o, "pending", s->pending);
	put_bool(o, "old", s->old);
	put_selector(o, "selector", &s->sel);
	if (!ike_selector_equal(&s->sel, &s->expected))
		put_selector(o, "expected_selector", &s->expected);
	put_bool(o, "encap", s->encap);
	if (memcmp(s->icookie, none, sizeof(none)) != 0) {
		put_cookie(o, "icookie", s->icookie);
		put_cookie(o, "rcookie", s->rcookie);
	}
	return o;
}

/* What is configured: those without a pair of SAs are seen, too. */
static void put_selectors(struct json_object *o, const struct ike_tunnel_cfg *cfg)
{
	char text[IKE_SELECTOR_TEXT], all[IKE_MAX_SELECTORS * (IKE_SELECTOR_TEXT + 2)] = "";
	size_t n = 0;

	for (unsigned int i = 0; i < cfg->n_sel; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? ", " : "",
				      ike_selector_format(&cfg->sel[i], text, sizeof(text)));
	put_text(o, "selectors", all);
}

static void put_config(struct json_object *o, const struct ike_tunnel_cfg *cfg, const struct kern_device *dev)
{
	static const char *const policy[] = { "modern", "legacy", "insecure" };
	static const char *const start[] = { "auto", "traffic", "respond" };
	char text[ADDR_TEXT_MAX];

	put_text(o, "name", cfg->name);
	if (dev)
		put_text(o, "device", dev->device);
	put_number(o, "line", cfg->line);
	put_text(o, "local", addr_format_ip(&cfg->local, text, sizeof(text)));
	put_text(o, "remote", addr_format_ip(&cfg->remote, text, sizeof(text)));
	put_text(o, "policy", policy[cfg->policy]);
	put_text(o, "start", start[cfg->start]);
	put_selectors(o, cfg);
	put_text(o, "exchange", cfg->aggressive ? "aggressive" : "main");
	if (cfg->aggressive_psk)
		put_text(o, "aggressive_psk", "insecure-yes");
}

static void put_given(struct json_object *o, const struct ike_given *g)
{
	struct json_object *list;
	char text[ADDR_TEXT_MAX];

	if (g->local.family)
		put_text(o, "inner_address", addr_format_ip(&g->local, text, sizeof(text)));
	if (g->remote.family)
		put_text(o, "peer_inner_address", addr_format_ip(&g->remote, text, sizeof(text)));
	if (!g->n_dns)
		return;
	list = json_object_new_array();
	for (unsigned int i = 0; i < g->n_dns; i++)
		json_object_array_add(list, json_object_new_string(addr_format_ip(&g->dns[i], text, sizeof(text))));
	json_object_object_add(o, "dns", list);
}

static void on_tunnel(void *ctx, const struct ike_tunnel_status *st)
{
	struct picture *p = ctx;
	struct json_object *o, *list;

	if (p->only && strcmp(p->only, st->cfg->name) != 0)
		return;
	o = json_object_new_object();
	put_config(o, st->cfg, kern_device_of(p->d->kern, st->cfg->name));
	put_text(o, "state", st->state);
	put_given(o, &st->given);
	put_text(o, "last_error", st->last_error);
	if (st->last_error)
		put_since(o, "last_error_age", p->now, st->last_error_at);
	list = json_object_new_array();
	for (size_t i = 0; i < st->n_p1; i++)
		json_object_array_add(list, phase1_object(&st->p1[i], p->now));
	json_object_object_add(o, "phase1", list);
	list = json_object_new_array();
	for (size_t i = 0; i < st->n_children; i++)
		json_object_array_add(list, child_object(&st->child[i], p->now));
	json_object_object_add(o, "phase2", list);
	json_object_array_add(p->tunnels, o);
}

static struct json_object *counters_object(struct daemon *d)
{
	struct json_object *o = json_object_new_object();
	const struct udp_counters *u = udp_counters(d->udp);
	struct ike_counters c;

	ike_counters(run_engine(d->run), &c);
#define PUT(name) put_number(o, #name, c.name)
	PUT(datagrams_in);
	PUT(datagrams_out);
	PUT(malformed);
	PUT(oversized);
	PUT(unknown_peer);
	PUT(aggressive_refused);
	PUT(unknown_cookies);
	PUT(duplicates);
	PUT(retransmits);
	PUT(replayed);
	PUT(unauthenticated);
	PUT(auth_failures);
	PUT(no_proposal);
	PUT(xauth_ok);
	PUT(xauth_failed);
	PUT(fragmented_in);
	PUT(fragmented_out);
	PUT(fragments_dropped);
	PUT(peers_moved);
	PUT(dpd_sent);
	PUT(dpd_dead);
	PUT(p1_established);
	PUT(p2_established);
	PUT(p1_rekeyed);
	PUT(p2_rekeyed);
	PUT(p1_now);
	PUT(exchanges_now);
	PUT(children_now);
#undef PUT
	put_number(o, "udp_received", u->received);
	put_number(o, "udp_sent", u->sent);
	put_number(o, "udp_receive_errors", u->receive_errors);
	put_number(o, "udp_send_errors", u->send_errors);
	put_number(o, "udp_no_destination", u->no_destination);
	put_number(o, "udp_keepalives", u->keepalives);
	put_number(o, "udp_no_marker", u->no_marker);
	return o;
}

bool status_put(struct daemon *d, const char *tunnel, struct json_object *o)
{
	struct picture p = {
		.d = d, .only = tunnel, .tunnels = json_object_new_array(), .now = loop_now(d->loop),
	};

	ike_status(run_engine(d->run), on_tunnel, &p);
	json_object_object_add(o, "tunnels", p.tunnels);
	if (tunnel)
		return json_object_array_length(p.tunnels) > 0;
	json_object_object_add(o, "counters", counters_object(d));
	return true;
}
