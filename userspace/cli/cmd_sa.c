// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun sa: security associations, keyed by hand or looked at. Keys come from a file or
 * standard input and leave through libesptun, nowhere else.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/keyfile.h"
#include "cli/parse.h"
#include "cli/selector.h"
#include "cli/show.h"
#include "libesptun/nl_gen.h"

struct request {
	struct esptun_sa sa;
	const char *dev;
	const char *keyfile;
	bool esn;
	bool sel;
	bool no_integrity_ok;
	bool follow_peer;
};

enum { DEV = 1, DIR = 2, SPI = 4, WINDOW = 8, STATE = 16, PARTNER = 32, SEL = 64, IN_SEL = 128,
       ENCAP = 256, KEEPALIVE = 512, FOLLOW = 1024, ID = 2048, OUTER = 4096 };

#define IN_SA(member)	(offsetof(struct request, sa) + offsetof(struct esptun_sa, member))
#define IN(member)	offsetof(struct request, member)
#define END		{ NULL, NULL, NULL, 0, 0, false }
#define DEV_OPTION	{ "dev", "NAME", cli_parse_text, IN(dev), DEV, true }
#define DIR_OPTION	{ "dir", "in or out", cli_parse_dir, IN_SA(dir), DIR, true }
#define SPI_OPTION	{ "spi", "SPI", cli_parse_spi, IN_SA(spi), SPI, true }
#define ID_OPTION	{ "id", "TUNNEL-ID", cli_parse_tunnel_id, IN_SA(tunnel_id), ID, false }

#define DEFAULT_WINDOW	1024	/* as esptund: several CPUs overtake each other by more than 64 */

static const struct args_option add_options[] = {
	DEV_OPTION,
	DIR_OPTION,
	SPI_OPTION,
	{ "encr", "ENCR", cli_parse_encr, IN_SA(encr), 0, false },
	{ "auth", "AUTH", cli_parse_auth, IN_SA(auth), 0, false },
	{ "keyfile", "FILE or -", cli_parse_text, IN(keyfile), 0, true },
	{ "replay-window", "PACKETS", cli_parse_window, IN_SA(replay_window), WINDOW, false },
	{ "esn", NULL, cli_parse_flag, IN(esn), 0, false },
	{ "no-integrity-ok", NULL, cli_parse_flag, IN(no_integrity_ok), 0, false },
	{ "seq", "NUMBER", cli_parse_u64, IN_SA(seq), 0, false },
	{ "partner-spi", "SPI", cli_parse_spi, IN_SA(partner_spi), PARTNER, false },
	{ "state", "pending or active", cli_parse_state, IN_SA(state), STATE, false },
	{ "soft-bytes", "OCTETS", cli_parse_u64, IN_SA(soft_bytes), 0, false },
	{ "hard-bytes", "OCTETS", cli_parse_u64, IN_SA(hard_bytes), 0, false },
	{ "soft-packets", "NUMBER", cli_parse_u64, IN_SA(soft_packets), 0, false },
	{ "hard-packets", "NUMBER", cli_parse_u64, IN_SA(hard_packets), 0, false },
	{ "cookie", "HEX", cli_parse_cookie, IN(sa), 0, false },
	{ "encap", "none or udp", cli_parse_encap, IN_SA(encap), 0, false },
	{ "encap-local-port", "PORT", cli_parse_port, IN_SA(encap_local_port), ENCAP, false },
	{ "encap-peer-port", "PORT", cli_parse_port, IN_SA(encap_peer_port), ENCAP, false },
	{ "keepalive", "SECONDS", cli_parse_keepalive, IN_SA(keepalive), KEEPALIVE, false },
	{ "follow-peer", NULL, cli_parse_flag, IN(follow_peer), FOLLOW, false },
	ID_OPTION,
	{ "outer-local", "ADDRESS", cli_parse_local, IN_SA(local), OUTER, false },
	{ "outer-remote", "ADDRESS", cli_parse_addr, IN_SA(remote), OUTER, false },
	{ "sel", NULL, cli_parse_flag, IN(sel), SEL, false },
	{ "local", "ADDRS", cli_parse_range, IN_SA(sel.local), IN_SEL, false },
	{ "remote", "ADDRS", cli_parse_range, IN_SA(sel.remote), IN_SEL, false },
	{ "proto", "PROTO", cli_parse_proto, IN_SA(sel.proto), IN_SEL, false },
	{ "local-port", "PORT", cli_parse_port, IN_SA(sel.local_port), IN_SEL, false },
	{ "remote-port", "PORT", cli_parse_port, IN_SA(sel.remote_port), IN_SEL, false },
	END
};

static const struct args_option name_options[] = {
	DEV_OPTION, DIR_OPTION, SPI_OPTION, ID_OPTION, END
};
static const struct args_option activate_options[] = { DEV_OPTION, SPI_OPTION, ID_OPTION, END };
static const struct args_option dev_options[] = { DEV_OPTION, END };
static const struct args_option flush_options[] = { DEV_OPTION, ID_OPTION, END };

static void list_words(FILE *f, const char *what, const struct esptun_nl_names *names)
{
	fprintf(f, "       %s := {", what);
	for (size_t i = 0; i < names->count; i++)
		fprintf(f, "%s %s", i ? " |" : "", names->names[i]);
	fputs(" }\n", f);
}

static void notes(FILE *f)
{
	list_words(f, "ENCR", &esptun_nl_encr_names);
	list_words(f, "AUTH", &esptun_nl_auth_names);
	fputs("       Default: encr aes-gcm-16, auth none, state active, replay-window 1024 (0 without integrity)\n"
	      "       ADDRS, our and the peer's inner addresses: any, an address, a network or FIRST-LAST\n"
	      "       FILE, mode 0600: \"encr-key = HEX\" (with the salt behind the key: 4 octets for\n"
	      "                        aes-gcm, aes-ctr, null-aes-gmac and chacha20-poly1305, 3 for aes-ccm),\n"
	      "                        \"auth-key = HEX\"\n", f);
}

/* Reads options and turns "dev NAME" into the ifindex. */
static int read_request(struct cli *c, struct args *a, const struct args_option *options,
			enum args_mode mode, struct request *r, uint32_t *given)
{
	int ret;

	memset(r, 0, sizeof(*r));
	r->sa.encr = ESPTUN_ENCR_AES_GCM_16;
	r->sa.state = ESPTUN_SA_STATE_ACTIVE;
	ret = args_options(c, a, options, mode, r, given);
	if (ret == CLI_OK && r->dev)
		ret = cli_device(c, r->dev, &r->sa.ifindex);
	if (ret == CLI_OK && !cli_kernel(c))
		ret = CLI_REFUSED;
	if (ret == CLI_OK)
		esptun_sa_tunnel(c->kernel, r->sa.tunnel_id);
	return ret;
}

/* Options that say something about one direction only. */
static int check_direction(struct cli *c, const struct request *r, uint32_t given)
{
	if (r->sa.dir == ESPTUN_DIR_IN && given & (STATE | PARTNER))
		return cli_wrong(c, "%s is for outbound SAs only",
				 given & STATE ? "state" : "partner-spi");
	if (r->sa.dir == ESPTUN_DIR_OUT && given & WINDOW)
		return cli_wrong(c, "replay-window is for inbound SAs only");
	if (given & OUTER && !(given & ID))
		return cli_wrong(c, "outer-local and outer-remote go with id, for an external device");
	return CLI_OK;
}

static int check_encap(struct cli *c, const struct request *r, uint32_t given)
{
	if (r->sa.encap == ESPTUN_ENCAP_NONE && given & (ENCAP | KEEPALIVE | FOLLOW))
		return cli_wrong(c, "encap-local-port, encap-peer-port, keepalive and follow-peer go with encap udp");
	if (r->sa.encap == ESPTUN_ENCAP_UDP && (!r->sa.encap_local_port || !r->sa.encap_peer_port))
		return cli_wrong(c, "encap udp needs encap-local-port and encap-peer-port");
	if (r->sa.dir == ESPTUN_DIR_IN && given & KEEPALIVE)
		return cli_wrong(c, "keepalive is for outbound SAs only");
	if (r->sa.dir == ESPTUN_DIR_OUT && given & FOLLOW)
		return cli_wrong(c, "follow-peer is for inbound SAs only");
	return CLI_OK;
}

/* Addresses of the selector look like those of the tunnel: "sel" says which are meant. */
static int check_selector(struct cli *c, const struct request *r, uint32_t given)
{
	const struct esptun_selector *s = &r->sa.sel;

	if (!(given & SEL) != !(given & IN_SEL))
		return cli_wrong(c, "sel and its local, remote, proto, local-port or remote-port go together");
	if (s->local.first.family && s->remote.first.family &&
	    s->local.first.family != s->remote.first.family)
		return cli_wrong(c, "sel: local and remote must be of one address family");
	if ((s->local_port || s->remote_port) && !s->proto)
		return cli_wrong(c, "sel: a port needs a proto");
	return CLI_OK;
}

static void set_defaults(struct request *r, uint32_t given)
{
	bool integrity = r->sa.auth != ESPTUN_AUTH_NONE || esptun_encr_combined(r->sa.encr);

	/* Without integrity anyone could move the window (RFC 4303 3.4.3). */
	if (!(given & WINDOW))
		r->sa.replay_window = integrity ? DEFAULT_WINDOW : 0;
	r->sa.flags = (r->esn ? ESPTUN_SA_FLAG_ESN : 0U) |
		      (r->no_integrity_ok ? ESPTUN_SA_FLAG_NO_INTEGRITY_OK : 0U) |
		      (r->follow_peer ? ESPTUN_SA_FLAG_FOLLOW_PEER : 0U);
}

static int sa_add(struct cli *c, struct args *a)
{
	struct esptun_keys keys;
	struct request r;
	uint32_t given = 0;
	int ret = read_request(c, a, add_options, ARGS_ALL, &r, &given);

	if (ret == CLI_OK)
		ret = check_direction(c, &r, given);
	if (ret == CLI_OK)
		ret = check_selector(c, &r, given);
	if (ret == CLI_OK)
		ret = check_encap(c, &r, given);
	if (ret == CLI_OK)
		ret = cli_keyfile_read(c, r.keyfile, &keys);
	if (ret != CLI_OK)
		return ret;
	set_defaults(&r, given);
	return esptun_sa_new(c->kernel, &r.sa, &keys) < 0 ? cli_refused(c) : CLI_OK;
}

static int sa_del(struct cli *c, struct args *a)
{
	struct request r;
	int ret = read_request(c, a, name_options, ARGS_ALL, &r, NULL);

	if (ret != CLI_OK)
		return ret;
	ret = esptun_sa_del(c->kernel, r.sa.ifindex, r.sa.dir, r.sa.spi);
	return ret < 0 ? cli_refused(c) : CLI_OK;
}

static int sa_activate(struct cli *c, struct args *a)
{
	struct request r;
	int ret = read_request(c, a, activate_options, ARGS_ALL, &r, NULL);

	if (ret != CLI_OK)
		return ret;
	ret = esptun_sa_activate(c->kernel, r.sa.ifindex, r.sa.spi);
	return ret < 0 ? cli_refused(c) : CLI_OK;
}

static int sa_alloc_spi(struct cli *c, struct args *a)
{
	struct request r;
	int ret = read_request(c, a, dev_options, ARGS_ALL, &r, NULL);

	if (ret != CLI_OK)
		return ret;
	if (esptun_sa_alloc_spi(c->kernel, r.sa.ifindex, &r.sa.spi) < 0)
		return cli_refused(c);
	out_list_begin(&c->out);
	out_item_begin(&c->out);
	out_hex32(&c->out, "spi", r.sa.spi);
	out_item_end(&c->out);
	out_list_end(&c->out);
	return CLI_OK;
}

static int sa_flush(struct cli *c, struct args *a)
{
	const char *word = args_peek(a);
	struct request r;
	int ret;

	if (!word)
		return cli_wrong(c, "sa flush: say \"dev NAME\", or \"all\" for each device");
	if (strcmp(word, "all") == 0) {
		args_next(a);
		ret = args_end(c, a);
		if (ret == CLI_OK)
			ret = read_request(c, a, dev_options, ARGS_SOME, &r, NULL);
	} else {
		ret = read_request(c, a, flush_options, ARGS_ALL, &r, NULL);
	}
	if (ret != CLI_OK)
		return ret;
	return esptun_sa_flush(c->kernel, r.sa.ifindex) < 0 ? cli_refused(c) : CLI_OK;
}

/* -- show ------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct esptun_sa *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	if (x->tunnel_id != y->tunnel_id)
		return x->tunnel_id < y->tunnel_id ? -1 : 1;
	if (x->dir != y->dir)
		return x->dir < y->dir ? -1 : 1;
	return (x->created > y->created) - (x->created < y->created);
}

static bool wanted(const struct esptun_sa *sa, const struct request *r, uint32_t given)
{
	return (!(given & DIR) || sa->dir == r->sa.dir) && (!(given & SPI) || sa->spi == r->sa.spi) &&
	       (!(given & ID) || sa->tunnel_id == r->sa.tunnel_id);
}

static void show_list(struct cli *c, const struct esptun_sa *list, size_t count,
		      const struct request *r, uint32_t given)
{
	char name[IFNAMSIZ] = "";
	uint32_t named = 0;

	out_list_begin(&c->out);
	for (size_t i = 0; i < count; i++) {
		if (!wanted(&list[i], r, given))
			continue;
		if (list[i].ifindex != named &&
		    esptun_link_name(c->kernel, list[i].ifindex, name) < 0)
			snprintf(name, sizeof(name), "if%u", list[i].ifindex);
		named = list[i].ifindex;
		out_item_begin(&c->out);
		cli_show_sa(c, name, &list[i]);
		out_item_end(&c->out);
	}
	out_list_end(&c->out);
}

static int sa_show(struct cli *c, struct args *a)
{
	struct esptun_sa *list;
	struct request r;
	uint32_t given = 0;
	size_t count;
	int ret = read_request(c, a, name_options, ARGS_SOME, &r, &given);

	if (ret != CLI_OK)
		return ret;
	if (esptun_sa_dump(c->kernel, r.sa.ifindex, &list, &count) < 0)
		return cli_refused(c);
	if (count)
		qsort(list, count, sizeof(*list), by_name);
	show_list(c, list, count, &r, given);
	free(list);
	return CLI_OK;
}

static const struct cli_command commands[] = {
	{ "add", "dev NAME dir { in | out } spi SPI keyfile { FILE | - }\n"
		 "              [ encr ENCR ] [ auth AUTH ] [ replay-window PACKETS ] [ esn ] [ seq NUMBER ]\n"
		 "              [ partner-spi SPI ] [ state { pending | active } ] [ no-integrity-ok ]\n"
		 "              [ soft-bytes OCTETS ] [ hard-bytes OCTETS ]\n"
		 "              [ soft-packets NUMBER ] [ hard-packets NUMBER ] [ cookie HEX ]\n"
		 "              [ encap { none | udp } ] [ encap-local-port PORT ] [ encap-peer-port PORT ]\n"
		 "              [ keepalive SECONDS ] [ follow-peer ]\n"
		 "              [ id TUNNEL-ID [ outer-local ADDRESS ] [ outer-remote ADDRESS ] ]\n"
		 "              [ sel [ local ADDRS ] [ remote ADDRS ] [ proto PROTO ]\n"
		 "              [ local-port PORT ] [ remote-port PORT ] ]", sa_add },
	{ "activate", "dev NAME [ id TUNNEL-ID ] spi SPI", sa_activate },
	{ "alloc-spi", "dev NAME", sa_alloc_spi },
	{ "del", "dev NAME [ id TUNNEL-ID ] dir { in | out } spi SPI", sa_del },
	{ "delete", NULL, sa_del },
	{ "flush", "{ dev NAME [ id TUNNEL-ID ] | all }", sa_flush },
	{ "show", "[ dev NAME ] [ id TUNNEL-ID ] [ dir { in | out } ] [ spi SPI ]", sa_show },
	{ "list", NULL, sa_show },
	{ NULL, NULL, NULL }
};

const struct cli_object cmd_sa = {
	.name = "sa",
	.summary = "security associations, and keying by hand",
	.commands = commands,
	.notes = notes,
};
