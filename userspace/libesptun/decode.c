// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From netlink attributes to structs, by tables: one line for each attribute says where it
 * goes and what form it has. Never sends, allocates or fails on what it does not know.
 */
#include "libesptun/decode.h"

#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

enum form { BOOL8, NUM8, BE16, NUM32, BE32, NUM64, TEXT, ADDR4, ADDR6, ADDR, COOKIE, NEST };

struct field;

/* @fields and @max describe the inside of a NEST. */
struct field {
	uint16_t attr;
	uint8_t form;
	size_t offset;
	size_t size;
	const struct field *fields;
	uint16_t max;
};

#define AT(type, member)	offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define LONGEST_SET		ESPTUN_A_SA_MAX

_Static_assert((int)ESPTUN_A_TUNNEL_MAX <= (int)LONGEST_SET &&
	       (int)ESPTUN_A_LAST_ERROR_MAX <= (int)LONGEST_SET &&
	       (int)ESPTUN_A_FLOW_MAX <= (int)LONGEST_SET &&
	       (int)ESPTUN_A_STATS_MAX <= (int)LONGEST_SET &&
	       (int)ESPTUN_A_MODULE_MAX <= (int)LONGEST_SET &&
	       (int)IFLA_ESPTUN_MAX <= (int)LONGEST_SET, "decode_fields() needs more room");

static const struct field last_error_fields[] = {
	{ ESPTUN_A_LAST_ERROR_REASON, NUM32, AT(esptun_drop_record, reason), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_SPI, BE32, AT(esptun_drop_record, spi), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_SEQ, NUM64, AT(esptun_drop_record, seq), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_SOURCE4, ADDR4, AT(esptun_drop_record, source), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_SOURCE6, ADDR6, AT(esptun_drop_record, source), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_TIME, NUM64, AT(esptun_drop_record, time), NULL, 0 },
	{ ESPTUN_A_LAST_ERROR_PROTOCOL, NUM32, AT(esptun_drop_record, protocol), NULL, 0 },
	{ 0 }
};

static const struct field stats_fields[] = {
	{ ESPTUN_A_STATS_RX_PACKETS, NUM64, AT(esptun_stats, rx_packets), NULL, 0 },
	{ ESPTUN_A_STATS_RX_BYTES, NUM64, AT(esptun_stats, rx_bytes), NULL, 0 },
	{ ESPTUN_A_STATS_TX_PACKETS, NUM64, AT(esptun_stats, tx_packets), NULL, 0 },
	{ ESPTUN_A_STATS_TX_BYTES, NUM64, AT(esptun_stats, tx_bytes), NULL, 0 },
	{ 0 }
};

static const struct field flow_fields[] = {
	{ ESPTUN_A_FLOW_LOCAL, ADDR, AT(esptun_flow, local), NULL, 0 },
	{ ESPTUN_A_FLOW_REMOTE, ADDR, AT(esptun_flow, remote), NULL, 0 },
	{ ESPTUN_A_FLOW_PROTO, NUM8, AT(esptun_flow, proto), NULL, 0 },
	{ ESPTUN_A_FLOW_LOCAL_PORT, BE16, AT(esptun_flow, local_port), NULL, 0 },
	{ ESPTUN_A_FLOW_REMOTE_PORT, BE16, AT(esptun_flow, remote_port), NULL, 0 },
	{ 0 }
};

/* A NEST without fields is the drops set: attribute n counts reason n - 1. */
static const struct field tunnel_fields[] = {
	{ ESPTUN_A_TUNNEL_IFINDEX, NUM32, AT(esptun_tunnel, ifindex), NULL, 0 },
	{ ESPTUN_A_TUNNEL_IFNAME, TEXT, AT(esptun_tunnel, ifname), NULL, 0 },
	{ ESPTUN_A_TUNNEL_LOCAL4, ADDR4, AT(esptun_tunnel, local), NULL, 0 },
	{ ESPTUN_A_TUNNEL_LOCAL6, ADDR6, AT(esptun_tunnel, local), NULL, 0 },
	{ ESPTUN_A_TUNNEL_REMOTE4, ADDR4, AT(esptun_tunnel, remote), NULL, 0 },
	{ ESPTUN_A_TUNNEL_REMOTE6, ADDR6, AT(esptun_tunnel, remote), NULL, 0 },
	{ ESPTUN_A_TUNNEL_LINK, NUM32, AT(esptun_tunnel, link), NULL, 0 },
	{ ESPTUN_A_TUNNEL_MTU, NUM32, AT(esptun_tunnel, mtu), NULL, 0 },
	{ ESPTUN_A_TUNNEL_PATH_MTU, NUM32, AT(esptun_tunnel, path_mtu), NULL, 0 },
	{ ESPTUN_A_TUNNEL_OVERHEAD, NUM32, AT(esptun_tunnel, overhead), NULL, 0 },
	{ ESPTUN_A_TUNNEL_CARRIER, BOOL8, AT(esptun_tunnel, carrier), NULL, 0 },
	{ ESPTUN_A_TUNNEL_OUT_SPI, BE32, AT(esptun_tunnel, out_spi), NULL, 0 },
	{ ESPTUN_A_TUNNEL_PEER4, ADDR4, AT(esptun_tunnel, peer), NULL, 0 },
	{ ESPTUN_A_TUNNEL_PEER6, ADDR6, AT(esptun_tunnel, peer), NULL, 0 },
	{ ESPTUN_A_TUNNEL_PEER_PORT, BE16, AT(esptun_tunnel, peer_port), NULL, 0 },
	{ ESPTUN_A_TUNNEL_SA_COUNT, NUM32, AT(esptun_tunnel, sa_count), NULL, 0 },
	{ ESPTUN_A_TUNNEL_STATS, NEST, AT(esptun_tunnel, stats), stats_fields, ESPTUN_A_STATS_MAX },
	{ ESPTUN_A_TUNNEL_DROPS, NEST, AT(esptun_tunnel, drops), NULL, ESPTUN_A_DROPS_MAX },
	{ ESPTUN_A_TUNNEL_LAST_ERROR, NEST, AT(esptun_tunnel, last_error), last_error_fields,
	  ESPTUN_A_LAST_ERROR_MAX },
	{ ESPTUN_A_TUNNEL_TUNNEL_ID, NUM32, AT(esptun_tunnel, tunnel_id), NULL, 0 },
	{ ESPTUN_A_TUNNEL_EXTERNAL, BOOL8, AT(esptun_tunnel, external), NULL, 0 },
	{ ESPTUN_A_TUNNEL_FLOW, NEST, AT(esptun_tunnel, flow), flow_fields, ESPTUN_A_FLOW_MAX },
	{ 0 }
};

static const struct field sa_fields[] = {
	{ ESPTUN_A_SA_IFINDEX, NUM32, AT(esptun_sa, ifindex), NULL, 0 },
	{ ESPTUN_A_SA_DIR, NUM32, AT(esptun_sa, dir), NULL, 0 },
	{ ESPTUN_A_SA_SPI, BE32, AT(esptun_sa, spi), NULL, 0 },
	{ ESPTUN_A_SA_ENCR, NUM32, AT(esptun_sa, encr), NULL, 0 },
	{ ESPTUN_A_SA_ENCR_KEY_LEN, NUM32, AT(esptun_sa, encr_key_bits), NULL, 0 },
	{ ESPTUN_A_SA_AUTH, NUM32, AT(esptun_sa, auth), NULL, 0 },
	{ ESPTUN_A_SA_AUTH_KEY_LEN, NUM32, AT(esptun_sa, auth_key_bits), NULL, 0 },
	{ ESPTUN_A_SA_FLAGS, NUM32, AT(esptun_sa, flags), NULL, 0 },
	{ ESPTUN_A_SA_REPLAY_WINDOW, NUM32, AT(esptun_sa, replay_window), NULL, 0 },
	{ ESPTUN_A_SA_SEQ, NUM64, AT(esptun_sa, seq), NULL, 0 },
	{ ESPTUN_A_SA_PARTNER_SPI, BE32, AT(esptun_sa, partner_spi), NULL, 0 },
	{ ESPTUN_A_SA_STATE, NUM32, AT(esptun_sa, state), NULL, 0 },
	{ ESPTUN_A_SA_SOFT_BYTES, NUM64, AT(esptun_sa, soft_bytes), NULL, 0 },
	{ ESPTUN_A_SA_HARD_BYTES, NUM64, AT(esptun_sa, hard_bytes), NULL, 0 },
	{ ESPTUN_A_SA_SOFT_PACKETS, NUM64, AT(esptun_sa, soft_packets), NULL, 0 },
	{ ESPTUN_A_SA_HARD_PACKETS, NUM64, AT(esptun_sa, hard_packets), NULL, 0 },
	{ ESPTUN_A_SA_COOKIE, COOKIE, AT(esptun_sa, cookie), NULL, 0 },
	{ ESPTUN_A_SA_BYTES, NUM64, AT(esptun_sa, bytes), NULL, 0 },
	{ ESPTUN_A_SA_PACKETS, NUM64, AT(esptun_sa, packets), NULL, 0 },
	{ ESPTUN_A_SA_CREATED, NUM64, AT(esptun_sa, created), NULL, 0 },
	{ ESPTUN_A_SA_LAST_USED, NUM64, AT(esptun_sa, last_used), NULL, 0 },
	{ ESPTUN_A_SA_CONFIRMED, BOOL8, AT(esptun_sa, confirmed), NULL, 0 },
	{ ESPTUN_A_SA_DRIVER, TEXT, AT(esptun_sa, driver), NULL, 0 },
	{ ESPTUN_A_SA_DROPS, NEST, AT(esptun_sa, drops), NULL, ESPTUN_A_DROPS_MAX },
	{ ESPTUN_A_SA_LAST_ERROR, NEST, AT(esptun_sa, last_error), last_error_fields,
	  ESPTUN_A_LAST_ERROR_MAX },
	{ ESPTUN_A_SA_REASON, NUM32, AT(esptun_sa, reason), NULL, 0 },
	{ ESPTUN_A_SA_ENCAP, NUM32, AT(esptun_sa, encap), NULL, 0 },
	{ ESPTUN_A_SA_ENCAP_LOCAL_PORT, BE16, AT(esptun_sa, encap_local_port), NULL, 0 },
	{ ESPTUN_A_SA_ENCAP_PEER_PORT, BE16, AT(esptun_sa, encap_peer_port), NULL, 0 },
	{ ESPTUN_A_SA_KEEPALIVE, NUM32, AT(esptun_sa, keepalive), NULL, 0 },
	{ ESPTUN_A_SA_TUNNEL_ID, NUM32, AT(esptun_sa, tunnel_id), NULL, 0 },
	{ ESPTUN_A_SA_SEL_LOCAL, ADDR, AT(esptun_sa, sel.local.first), NULL, 0 },
	{ ESPTUN_A_SA_SEL_LOCAL_LAST, ADDR, AT(esptun_sa, sel.local.last), NULL, 0 },
	{ ESPTUN_A_SA_SEL_REMOTE, ADDR, AT(esptun_sa, sel.remote.first), NULL, 0 },
	{ ESPTUN_A_SA_SEL_REMOTE_LAST, ADDR, AT(esptun_sa, sel.remote.last), NULL, 0 },
	{ ESPTUN_A_SA_SEL_PROTO, NUM8, AT(esptun_sa, sel.proto), NULL, 0 },
	{ ESPTUN_A_SA_SEL_LOCAL_PORT, BE16, AT(esptun_sa, sel.local_port), NULL, 0 },
	{ ESPTUN_A_SA_SEL_REMOTE_PORT, BE16, AT(esptun_sa, sel.remote_port), NULL, 0 },
	{ 0 }
};

static const struct field module_fields[] = {
	{ ESPTUN_A_MODULE_VERSION, TEXT, AT(esptun_module, version), NULL, 0 },
	{ ESPTUN_A_MODULE_TUNNELS_CREATED, NUM64, AT(esptun_module, tunnels_created), NULL, 0 },
	{ ESPTUN_A_MODULE_TUNNELS_DESTROYED, NUM64, AT(esptun_module, tunnels_destroyed), NULL, 0 },
	{ ESPTUN_A_MODULE_SAS_CREATED, NUM64, AT(esptun_module, sas_created), NULL, 0 },
	{ ESPTUN_A_MODULE_SAS_DESTROYED, NUM64, AT(esptun_module, sas_destroyed), NULL, 0 },
	{ ESPTUN_A_MODULE_RX_FOREIGN_SPI, NUM64, AT(esptun_module, rx_foreign_spi), NULL, 0 },
	{ ESPTUN_A_MODULE_RX_KEEPALIVES, NUM64, AT(esptun_module, rx_keepalives), NULL, 0 },
	{ ESPTUN_A_MODULE_TX_KEEPALIVES, NUM64, AT(esptun_module, tx_keepalives), NULL, 0 },
	{ 0 }
};

static const struct field link_fields[] = {
	{ IFLA_ESPTUN_LINK, NUM32, AT(esptun_tunnel, link), NULL, 0 },
	{ IFLA_ESPTUN_LOCAL4, ADDR4, AT(esptun_tunnel, local), NULL, 0 },
	{ IFLA_ESPTUN_REMOTE4, ADDR4, AT(esptun_tunnel, remote), NULL, 0 },
	{ IFLA_ESPTUN_LOCAL6, ADDR6, AT(esptun_tunnel, local), NULL, 0 },
	{ IFLA_ESPTUN_REMOTE6, ADDR6, AT(esptun_tunnel, remote), NULL, 0 },
	{ IFLA_ESPTUN_TTL, NUM8, AT(esptun_tunnel, ttl), NULL, 0 },
	{ IFLA_ESPTUN_TOS, NUM8, AT(esptun_tunnel, tos), NULL, 0 },
	{ IFLA_ESPTUN_PMTUDISC, BOOL8, AT(esptun_tunnel, pmtudisc), NULL, 0 },
	{ IFLA_ESPTUN_FWMARK, NUM32, AT(esptun_tunnel, fwmark), NULL, 0 },
	{ IFLA_ESPTUN_KEEP_CARRIER, BOOL8, AT(esptun_tunnel, keep_carrier), NULL, 0 },
	{ IFLA_ESPTUN_MSS_CLAMP, BOOL8, AT(esptun_tunnel, mss_clamp), NULL, 0 },
	{ IFLA_ESPTUN_EXTERNAL, BOOL8, AT(esptun_tunnel, external), NULL, 0 },
	{ 0 }
};

static void decode_drops(const struct nlattr *nest, uint64_t *drops)
{
	struct nlattr *tb[ESPTUN_A_DROPS_MAX + 1];

	if (nla_parse(tb, ESPTUN_A_DROPS_MAX, nla_data(nest), nla_len(nest), NULL) < 0)
		return;
	for (int i = 1; i <= ESPTUN_A_DROPS_MAX; i++)
		if (tb[i] && nla_len(tb[i]) >= 8)
			drops[i - 1] = nla_get_u64(tb[i]);
}

static void decode_addr(const struct nlattr *nla, int family, int len, void *dst)
{
	struct esptun_addr addr = { .family = family };

	if (nla_len(nla) != len)
		return;
	memcpy(family == AF_INET ? (void *)&addr.v4 : (void *)&addr.v6, nla_data(nla), (size_t)len);
	memcpy(dst, &addr, sizeof(addr));
}

static void decode_cookie(const struct nlattr *nla, void *dst, size_t room)
{
	struct esptun_sa *sa = (void *)((char *)dst - offsetof(struct esptun_sa, cookie));
	size_t len = (size_t)nla_len(nla);

	if (len > room)
		return;
	memcpy(sa->cookie, nla_data(nla), len);
	sa->cookie_len = len;
}

static void decode_fields(const struct field *f, uint16_t max, const struct nlattr *attrs, int len,
			  void *out);

static void decode_field(const struct field *f, const struct nlattr *nla, void *dst)
{
	int len = nla_len(nla);

	switch (f->form) {
	case BOOL8:
		if (len >= 1)
			*(bool *)dst = nla_get_u8(nla) != 0;
		break;
	case NUM8:
		if (len >= 1)
			*(uint8_t *)dst = nla_get_u8(nla);
		break;
	case BE16:
		if (len >= 2)
			*(uint16_t *)dst = ntohs(nla_get_u16(nla));
		break;
	case NUM32:
		if (len >= 4)
			*(uint32_t *)dst = nla_get_u32(nla);
		break;
	case BE32:
		if (len >= 4)
			*(uint32_t *)dst = ntohl(nla_get_u32(nla));
		break;
	case NUM64:
		if (len >= 8)
			*(uint64_t *)dst = nla_get_u64((struct nlattr *)nla);
		break;
	case TEXT:
		nla_strlcpy(dst, nla, f->size);
		break;
	case ADDR4:
		decode_addr(nla, AF_INET, 4, dst);
		break;
	case ADDR6:
		decode_addr(nla, AF_INET6, 16, dst);
		break;
	case ADDR:
		decode_addr(nla, len == 4 ? AF_INET : AF_INET6, len == 4 ? 4 : 16, dst);
		break;
	case COOKIE:
		decode_cookie(nla, dst, f->size);
		break;
	case NEST:
		if (f->fields)
			decode_fields(f->fields, f->max, nla_data(nla), len, dst);
		else
			decode_drops(nla, dst);
		break;
	}
}

static void decode_fields(const struct field *f, uint16_t max, const struct nlattr *attrs, int len,
			  void *out)
{
	struct nlattr *tb[LONGEST_SET + 1];

	if (nla_parse(tb, max, (struct nlattr *)attrs, len, NULL) < 0)
		return;
	for (; f->attr; f++)
		if (tb[f->attr])
			decode_field(f, tb[f->attr], (char *)out + f->offset);
}

static int decode_genl(const struct field *f, uint16_t max, const struct nlmsghdr *nlh, void *out)
{
	if (!nlmsg_valid_hdr(nlh, GENL_HDRLEN))
		return -EBADMSG;
	decode_fields(f, max, nlmsg_attrdata(nlh, GENL_HDRLEN), nlmsg_attrlen(nlh, GENL_HDRLEN), out);
	return 0;
}

int esptun_decode_tunnel(const struct nlmsghdr *nlh, struct esptun_tunnel *out)
{
	memset(out, 0, sizeof(*out));
	return decode_genl(tunnel_fields, ESPTUN_A_TUNNEL_MAX, nlh, out);
}

int esptun_decode_sa(const struct nlmsghdr *nlh, struct esptun_sa *out)
{
	memset(out, 0, sizeof(*out));
	return decode_genl(sa_fields, ESPTUN_A_SA_MAX, nlh, out);
}

int esptun_decode_module(const struct nlmsghdr *nlh, struct esptun_module *out)
{
	memset(out, 0, sizeof(*out));
	return decode_genl(module_fields, ESPTUN_A_MODULE_MAX, nlh, out);
}

static bool is_ours(const struct nlattr *linkinfo, struct nlattr **data)
{
	struct nlattr *tb[IFLA_INFO_MAX + 1];

	if (nla_parse(tb, IFLA_INFO_MAX, nla_data(linkinfo), nla_len(linkinfo), NULL) < 0)
		return false;
	*data = tb[IFLA_INFO_DATA];
	return tb[IFLA_INFO_KIND] && nla_strcmp(tb[IFLA_INFO_KIND], ESPTUN_GENL_NAME) == 0;
}

/* Which members the kernel sent: an address that is absent is not in force. */
static uint32_t fields_present(const struct esptun_tunnel *t)
{
	return (t->local.family ? ESPTUN_TUNNEL_LOCAL : 0) |
	       (t->remote.family ? ESPTUN_TUNNEL_REMOTE : 0) |
	       (t->link ? ESPTUN_TUNNEL_LINK : 0) | (t->mtu ? ESPTUN_TUNNEL_MTU : 0) |
	       ESPTUN_TUNNEL_TTL | ESPTUN_TUNNEL_TOS | ESPTUN_TUNNEL_PMTUDISC |
	       ESPTUN_TUNNEL_FWMARK | ESPTUN_TUNNEL_KEEP_CARRIER | ESPTUN_TUNNEL_MSS_CLAMP |
	       ESPTUN_TUNNEL_EXTERNAL | ESPTUN_TUNNEL_UP;
}

int esptun_decode_link(const struct nlmsghdr *nlh, struct esptun_tunnel *out)
{
	struct nlattr *tb[IFLA_MAX + 1], *data = NULL;
	const struct ifinfomsg *ifi;

	memset(out, 0, sizeof(*out));
	if (!nlmsg_valid_hdr(nlh, sizeof(*ifi)) ||
	    nlmsg_parse((struct nlmsghdr *)nlh, sizeof(*ifi), tb, IFLA_MAX, NULL) < 0)
		return -EBADMSG;
	ifi = nlmsg_data(nlh);
	out->ifindex = (uint32_t)ifi->ifi_index;
	if (tb[IFLA_IFNAME])
		nla_strlcpy(out->ifname, tb[IFLA_IFNAME], sizeof(out->ifname));
	if (!tb[IFLA_LINKINFO] || !is_ours(tb[IFLA_LINKINFO], &data))
		return 0;
	out->up = ifi->ifi_flags & IFF_UP;
	out->link_netnsid = -1;
	if (tb[IFLA_LINK_NETNSID] && nla_len(tb[IFLA_LINK_NETNSID]) >= 4)
		out->link_netnsid = nla_get_s32(tb[IFLA_LINK_NETNSID]);
	if (tb[IFLA_MTU] && nla_len(tb[IFLA_MTU]) >= 4)
		out->mtu = nla_get_u32(tb[IFLA_MTU]);
	if (tb[IFLA_CARRIER] && nla_len(tb[IFLA_CARRIER]) >= 1)
		out->carrier = nla_get_u8(tb[IFLA_CARRIER]) != 0;
	if (data)
		decode_fields(link_fields, IFLA_ESPTUN_MAX, nla_data(data), nla_len(data), out);
	out->fields = fields_present(out);
	return 1;
}

void esptun_decode_merge(struct esptun_tunnel *t, const struct esptun_tunnel *state)
{
	struct esptun_tunnel config = *t;

	/* The name and the configuration of rtnetlink, everything else of generic netlink. */
	*t = *state;
	t->fields = config.fields;
	t->ifindex = config.ifindex;
	memcpy(t->ifname, config.ifname, sizeof(t->ifname));
	if (!t->tunnel_id) {
		t->local = config.local;
		t->remote = config.remote;
		t->carrier = config.carrier;
	}
	t->link = config.link;
	t->link_netnsid = config.link_netnsid;
	t->ttl = config.ttl;
	t->tos = config.tos;
	t->pmtudisc = config.pmtudisc;
	t->fwmark = config.fwmark;
	t->keep_carrier = config.keep_carrier;
	t->mss_clamp = config.mss_clamp;
	t->external = config.external;
	t->mtu = config.mtu;
	t->up = config.up;
}
