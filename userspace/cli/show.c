// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How an SA and its parts look. What -s, -s -s and -d add is decided here, once.
 */
#include "cli/show.h"

#include <string.h>

#include "cli/cli.h"
#include "cli/selector.h"

/* ethtool -S and JSON write the counters' names with underscores; so does text. */
static void counter(struct out *o, const char *name, uint64_t value)
{
	char key[48];
	size_t i;

	for (i = 0; name[i] && i < sizeof(key) - 1; i++)
		key[i] = name[i] == '-' ? '_' : name[i];
	key[i] = '\0';
	out_counter(o, key, value);
}

void cli_show_drops(struct out *o, const uint64_t *drops, bool all)
{
	uint64_t sum = 0;

	for (int i = 0; i < ESPTUN_DROP_COUNT; i++)
		sum += drops[i];
	if (!sum && !all && !o->json)
		return;
	out_nest_begin(o, "drops");
	for (int i = 0; i < ESPTUN_DROP_COUNT; i++)
		if (all || drops[i])
			counter(o, esptun_drop_name((enum esptun_drop)i), drops[i]);
	out_nest_end(o);
}

void cli_show_last_error(struct out *o, const struct esptun_drop_record *e, uint64_t now)
{
	char text[INET6_ADDRSTRLEN];

	if (!e->time)
		return;
	out_nest_begin(o, "last_error");
	out_str(o, "reason", esptun_drop_name(e->reason));
	if (e->spi)
		out_hex32(o, "spi", e->spi);
	if (e->seq)
		out_num(o, "seq", e->seq);
	if (e->source.family)
		out_str(o, "source", esptun_addr_text(&e->source, text));
	if (e->protocol)
		out_num(o, "protocol", e->protocol);
	out_when(o, "time", e->time, now);
	out_nest_end(o);
}

size_t cli_weak(const struct esptun_sa *sa, const char *words[2])
{
	size_t count = 0;

	static const bool encr[ESPTUN_ENCR_COUNT] = {
		[ESPTUN_ENCR_DES3_CBC] = true, [ESPTUN_ENCR_NULL] = true,
		[ESPTUN_ENCR_NULL_AES_GMAC] = true,
		/* 64 bits of ICV */
		[ESPTUN_ENCR_AES_GCM_8] = true, [ESPTUN_ENCR_AES_CCM_8] = true,
	};
	static const bool auth[ESPTUN_AUTH_COUNT] = {
		[ESPTUN_AUTH_HMAC_MD5_96] = true, [ESPTUN_AUTH_HMAC_SHA1_96] = true,
		[ESPTUN_AUTH_HMAC_SHA256_96] = true,
	};

	if ((unsigned int)sa->encr < ESPTUN_ENCR_COUNT && encr[sa->encr])
		words[count++] = esptun_encr_name(sa->encr);
	if ((unsigned int)sa->auth < ESPTUN_AUTH_COUNT && auth[sa->auth])
		words[count++] = esptun_auth_name(sa->auth);
	else if (sa->auth == ESPTUN_AUTH_NONE && !esptun_encr_combined(sa->encr))
		words[count++] = "no-integrity";
	return count;
}

void cli_show_sa_name(struct out *o, const char *ifname, const struct esptun_sa *sa)
{
	out_name(o, "dev", ifname);
	out_num(o, "ifindex", sa->ifindex);
	if (sa->tunnel_id)
		out_num(o, "id", sa->tunnel_id);
	out_str(o, "dir", esptun_dir_name(sa->dir));
	out_hex32(o, "spi", sa->spi);
}

static void show_algorithms(struct out *o, const struct esptun_sa *sa)
{
	const char *weak[2];

	out_str(o, "encr", esptun_encr_name(sa->encr));
	if (sa->encr_key_bits)
		out_num(o, "encr_key_bits", sa->encr_key_bits);
	if (sa->auth != ESPTUN_AUTH_NONE) {
		out_str(o, "auth", esptun_auth_name(sa->auth));
		out_num(o, "auth_key_bits", sa->auth_key_bits);
	}
	out_words(o, "weak", weak, cli_weak(sa, weak));
}

static void show_sequence(struct out *o, const struct esptun_sa *sa)
{
	out_num(o, "seq", sa->seq);
	out_flag(o, "esn", sa->flags & ESPTUN_SA_FLAG_ESN);
	if (sa->dir == ESPTUN_DIR_IN) {
		out_num(o, "replay_window", sa->replay_window);
		out_flag(o, "confirmed", sa->confirmed);
	}
	if (sa->partner_spi)
		out_hex32(o, "partner_spi", sa->partner_spi);
}

static void show_encap(struct out *o, const struct esptun_sa *sa)
{
	if (sa->encap == ESPTUN_ENCAP_NONE)
		return;
	out_str(o, "encap", esptun_encap_name(sa->encap));
	out_num(o, "encap_local_port", sa->encap_local_port);
	out_num(o, "encap_peer_port", sa->encap_peer_port);
	if (sa->keepalive)
		out_num(o, "keepalive", sa->keepalive);
	out_flag(o, "follow_peer", sa->flags & ESPTUN_SA_FLAG_FOLLOW_PEER);
}

static void show_counters(struct cli *c, const struct esptun_sa *sa)
{
	struct out *o = &c->out;

	out_line(o);
	out_num(o, "packets", sa->packets);
	out_num(o, "bytes", sa->bytes);
	out_when(o, "created", sa->created, c->now);
	out_when(o, "last_used", sa->last_used, c->now);
}

static void show_limits(struct out *o, const struct esptun_sa *sa)
{
	const struct { const char *key; uint64_t value; } limits[] = {
		{ "soft_bytes", sa->soft_bytes }, { "hard_bytes", sa->hard_bytes },
		{ "soft_packets", sa->soft_packets }, { "hard_packets", sa->hard_packets },
	};

	if (!o->json && !sa->soft_bytes && !sa->hard_bytes && !sa->soft_packets &&
	    !sa->hard_packets)
		return;
	out_nest_begin(o, "limits");
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].value)
			out_num(o, limits[i].key, limits[i].value);
	out_nest_end(o);
}

static void show_details(struct out *o, const struct esptun_sa *sa)
{
	show_limits(o, sa);
	out_line(o);
	out_str(o, "driver", *sa->driver ? sa->driver : "unknown");
	out_flag(o, "no_integrity_ok", sa->flags & ESPTUN_SA_FLAG_NO_INTEGRITY_OK);
	if (sa->cookie_len)
		out_octets(o, "cookie", sa->cookie, sa->cookie_len);
}

void cli_show_sa(struct cli *c, const char *ifname, const struct esptun_sa *sa)
{
	struct out *o = &c->out;

	cli_show_sa_name(o, ifname, sa);
	out_str(o, "state", esptun_sa_state_name(sa->state));
	show_algorithms(o, sa);
	out_line(o);
	show_sequence(o, sa);
	show_encap(o, sa);
	cli_show_selector(o, &sa->sel);
	if (c->stats >= 1)
		show_counters(c, sa);
	if (c->stats >= 2) {
		cli_show_drops(o, sa->drops, c->details);
		cli_show_last_error(o, &sa->last_error, c->now);
	}
	if (c->details)
		show_details(o, sa);
}
