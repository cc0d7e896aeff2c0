// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun tunnel: devices. Grammar and output; the kernel decides what is allowed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/cli.h"
#include "cli/parse.h"
#include "cli/show.h"

struct request {
	struct esptun_tunnel t;
	const char *dev;
};

#define IN_TUNNEL(member)	(offsetof(struct request, t) + offsetof(struct esptun_tunnel, member))

static const struct args_option tunnel_options[] = {
	{ "local", "ADDRESS", cli_parse_local, IN_TUNNEL(local), ESPTUN_TUNNEL_LOCAL, false },
	{ "remote", "ADDRESS", cli_parse_addr, IN_TUNNEL(remote), ESPTUN_TUNNEL_REMOTE, false },
	{ "external", NULL, cli_parse_flag, IN_TUNNEL(external), ESPTUN_TUNNEL_EXTERNAL, false },
	{ "dev", "DEVICE", cli_parse_text, offsetof(struct request, dev), ESPTUN_TUNNEL_LINK, false },
	{ "ttl", "TTL", cli_parse_ttl, IN_TUNNEL(ttl), ESPTUN_TUNNEL_TTL, false },
	{ "tos", "TOS", cli_parse_tos, IN_TUNNEL(tos), ESPTUN_TUNNEL_TOS, false },
	{ "pmtudisc", "on or off", cli_parse_onoff, IN_TUNNEL(pmtudisc), ESPTUN_TUNNEL_PMTUDISC,
	  false },
	{ "fwmark", "MARK", cli_parse_u32, IN_TUNNEL(fwmark), ESPTUN_TUNNEL_FWMARK, false },
	{ "keep-carrier", "on or off", cli_parse_onoff, IN_TUNNEL(keep_carrier),
	  ESPTUN_TUNNEL_KEEP_CARRIER, false },
	{ "mss-clamp", "on or off", cli_parse_onoff, IN_TUNNEL(mss_clamp),
	  ESPTUN_TUNNEL_MSS_CLAMP, false },
	{ "mtu", "MTU", cli_parse_mtu, IN_TUNNEL(mtu), ESPTUN_TUNNEL_MTU, false },
	{ "up", NULL, cli_parse_updown, IN_TUNNEL(up), ESPTUN_TUNNEL_UP, false },
	{ "down", NULL, cli_parse_updown, IN_TUNNEL(up), ESPTUN_TUNNEL_UP, false },
	{ NULL, NULL, NULL, 0, 0, false }
};

#define OPTIONS_GRAMMAR \
	"[ dev DEVICE ] [ ttl TTL ] [ tos TOS ]\n" \
	"              [ pmtudisc { on | off } ] [ fwmark MARK ] [ keep-carrier { on | off } ]\n" \
	"              [ mss-clamp { on | off } ] [ mtu MTU ] [ up | down ]"

static void notes(FILE *f)
{
	fputs("       Without local, or with \"any\", the route decides.\n"
	      "       TTL := { 1..255 | inherit }  (default 64)\n"
	      "       TOS := { 0..252 | inherit }  (a multiple of 4; default inherit)\n"
	      "       DEVICE: the underlay the outer packets are bound to, \"none\" takes it off\n", f);
}

/* "NAME" or "name NAME", as ip(8) takes it. */
static int read_name(struct cli *c, struct args *a, const char **name)
{
	int ret = args_word(c, a, "the device's NAME", name);

	if (ret == CLI_OK && strcmp(*name, "name") == 0)
		ret = args_word(c, a, "the device's NAME", name);
	if (ret == CLI_OK && (!**name || strlen(*name) >= IFNAMSIZ))
		ret = cli_wrong(c, "%s: a device's name has 1..%d characters", c->where,
				IFNAMSIZ - 1);
	return ret;
}

static int read_request(struct cli *c, struct args *a, enum args_mode mode, struct request *r)
{
	const char *name;
	int ret;

	memset(r, 0, sizeof(*r));
	ret = read_name(c, a, &name);
	if (ret == CLI_OK)
		ret = args_options(c, a, tunnel_options, mode, r, &r->t.fields);
	if (ret != CLI_OK)
		return ret;
	memcpy(r->t.ifname, name, strlen(name) + 1);
	if (!r->dev || strcmp(r->dev, "none") == 0)
		return CLI_OK;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	return esptun_link_index(c->kernel, r->dev, &r->t.link) < 0 ? cli_refused(c) : CLI_OK;
}

/* One peer, or many whose SAs name them. */
static int check_ends(struct cli *c, const struct esptun_tunnel *t)
{
	bool ends = t->fields & (ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE);

	if (t->external && ends)
		return cli_wrong(c, "%s: external goes without local and remote", c->where);
	if (!t->external && !(t->fields & ESPTUN_TUNNEL_REMOTE))
		return cli_wrong(c, "%s: remote ADDRESS is required", c->where);
	return CLI_OK;
}

static int tunnel_add(struct cli *c, struct args *a)
{
	struct request r;
	int ret = read_request(c, a, ARGS_ALL, &r);

	if (ret == CLI_OK)
		ret = check_ends(c, &r.t);
	if (ret != CLI_OK)
		return ret;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	return esptun_tunnel_add(c->kernel, &r.t) < 0 ? cli_refused(c) : CLI_OK;
}

static int tunnel_change(struct cli *c, struct args *a)
{
	struct request r;
	int ret = read_request(c, a, ARGS_SOME, &r);

	if (ret != CLI_OK)
		return ret;
	if (!r.t.fields)
		return cli_wrong(c, "tunnel change: nothing to change is given");
	if (!cli_kernel(c))
		return CLI_REFUSED;
	return esptun_tunnel_change(c->kernel, &r.t) < 0 ? cli_refused(c) : CLI_OK;
}

static int tunnel_del(struct cli *c, struct args *a)
{
	const char *name;
	int ret = read_name(c, a, &name);

	if (ret == CLI_OK)
		ret = args_end(c, a);
	if (ret != CLI_OK)
		return ret;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	return esptun_tunnel_del(c->kernel, name) < 0 ? cli_refused(c) : CLI_OK;
}

/* -- show ------------------------------------------------------------------------------- */

static bool same_address(const struct esptun_addr *a, const struct esptun_addr *b)
{
	return a->family == b->family && (a->family == AF_INET ? a->v4.s_addr == b->v4.s_addr :
					  IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6));
}

static void inherit_or_num(struct out *o, const char *key, uint8_t value, uint8_t inherit)
{
	if (value == inherit)
		out_str(o, key, "inherit");
	else
		out_num(o, key, value);
}

/* A device that was moved keeps its underlay, whose name only the old netns knows. */
static void show_underlay(struct cli *c, const struct esptun_tunnel *t)
{
	char name[IFNAMSIZ];

	if (t->link_netnsid >= 0 || esptun_link_name(c->kernel, t->link, name) < 0)
		snprintf(name, sizeof(name), "if%u", t->link);
	if (t->link)
		out_str(&c->out, "link", name);
	if (t->link_netnsid >= 0)
		out_num(&c->out, "link_netnsid", (uint64_t)t->link_netnsid);
}

static void show_config(struct cli *c, const struct esptun_tunnel *t)
{
	char text[INET6_ADDRSTRLEN];
	struct out *o = &c->out;

	out_name(o, "dev", t->ifname);
	out_num(o, "ifindex", t->ifindex);
	if (t->tunnel_id)
		out_num(o, "id", t->tunnel_id);
	else if (t->external)
		out_flag(o, "external", true);
	if (t->remote.family) {
		out_str(o, "local", esptun_addr_text(&t->local, text));
		out_str(o, "remote", esptun_addr_text(&t->remote, text));
	}
	if (t->peer_port || (t->peer.family && !same_address(&t->peer, &t->remote))) {
		out_str(o, "peer", esptun_addr_text(&t->peer, text));
		if (t->peer_port)
			out_num(o, "peer_port", t->peer_port);
	}
	show_underlay(c, t);
	inherit_or_num(o, "ttl", t->ttl, 0);
	inherit_or_num(o, "tos", t->tos, 1);
	out_onoff(o, "pmtudisc", t->pmtudisc);
	if (t->fwmark || c->details)
		out_hex32(o, "fwmark", t->fwmark);
	if (t->keep_carrier || c->details || o->json)
		out_onoff(o, "keep_carrier", t->keep_carrier);
	if (t->mss_clamp || c->details || o->json)
		out_onoff(o, "mss_clamp", t->mss_clamp);
}

static void show_state(struct cli *c, const struct esptun_tunnel *t)
{
	struct out *o = &c->out;

	out_line(o);
	out_str(o, "state", t->up ? "up" : "down");
	out_onoff(o, "carrier", t->carrier);
	out_num(o, "mtu", t->mtu);
	if (t->path_mtu)
		out_num(o, "path_mtu", t->path_mtu);
	if (t->overhead)
		out_num(o, "overhead", t->overhead);
	out_num(o, "sa_count", t->sa_count);
	if (t->out_spi)
		out_hex32(o, "out_spi", t->out_spi);
}

static void show_stats(struct out *o, const struct esptun_stats *s)
{
	out_nest_begin(o, "stats");
	out_num(o, "rx_packets", s->rx_packets);
	out_num(o, "rx_bytes", s->rx_bytes);
	out_num(o, "tx_packets", s->tx_packets);
	out_num(o, "tx_bytes", s->tx_bytes);
	out_nest_end(o);
}

static void show_tunnel(struct cli *c, const struct esptun_tunnel *t)
{
	struct out *o = &c->out;

	out_item_begin(o);
	show_config(c, t);
	show_state(c, t);
	if (c->stats >= 1 && !t->tunnel_id)
		show_stats(o, &t->stats);
	if (c->stats >= 2) {
		cli_show_drops(o, t->drops, c->details);
		cli_show_last_error(o, &t->last_error, c->now);
	}
	out_item_end(o);
}

/* An empty list is no error, but whoever expects tunnels should learn that there can be none. */
static void tell_why_empty(struct cli *c)
{
	struct esptun_module m;

	if (!c->out.json && esptun_module_get(c->kernel, &m) == -ENOENT)
		fprintf(c->err, "There is no tunnel: %s\n", esptun_last_error(c->kernel));
}

static int show_all(struct cli *c)
{
	struct esptun_tunnel *list;
	size_t count;

	if (esptun_tunnel_dump(c->kernel, &list, &count) < 0)
		return cli_refused(c);
	out_list_begin(&c->out);
	for (size_t i = 0; i < count; i++)
		show_tunnel(c, &list[i]);
	out_list_end(&c->out);
	free(list);
	if (!count)
		tell_why_empty(c);
	return CLI_OK;
}

static int show_one(struct cli *c, const char *name)
{
	struct esptun_tunnel t;

	if (esptun_tunnel_get(c->kernel, name, 0, &t) < 0)
		return cli_refused(c);
	out_list_begin(&c->out);
	show_tunnel(c, &t);
	out_list_end(&c->out);
	return CLI_OK;
}

static int tunnel_show(struct cli *c, struct args *a)
{
	const char *name = NULL;
	int ret = args_peek(a) ? read_name(c, a, &name) : CLI_OK;

	if (ret == CLI_OK)
		ret = args_end(c, a);
	if (ret != CLI_OK)
		return ret;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	return name ? show_one(c, name) : show_all(c);
}

static const struct cli_command commands[] = {
	{ "add", "NAME { [ local ADDRESS ] remote ADDRESS | external } " OPTIONS_GRAMMAR, tunnel_add },
	{ "change", "NAME [ local ADDRESS ] [ remote ADDRESS ] " OPTIONS_GRAMMAR, tunnel_change },
	{ "del", "NAME", tunnel_del },
	{ "delete", NULL, tunnel_del },
	{ "show", "[ NAME ]", tunnel_show },
	{ "list", NULL, tunnel_show },
	{ NULL, NULL, NULL }
};

const struct cli_object cmd_tunnel = {
	.name = "tunnel",
	.summary = "devices: addresses, state, counters",
	.commands = commands,
	.notes = notes,
};
