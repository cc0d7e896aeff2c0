// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic selectors, see selector.h: comparing, reading a packet's headers, matching. Bytes
 * from the wire are never trusted to be as long as they say.
 */
#include "selector.h"

/* Protocol numbers (IANA): kernel and userspace headers agree on these only by name. */
enum {
	ESPTUN_NH_HOPOPT = 0,
	ESPTUN_NH_TCP = 6,
	ESPTUN_NH_UDP = 17,
	ESPTUN_NH_DCCP = 33,
	ESPTUN_NH_ROUTING = 43,
	ESPTUN_NH_FRAGMENT = 44,
	ESPTUN_NH_AH = 51,
	ESPTUN_NH_DSTOPTS = 60,
	ESPTUN_NH_SCTP = 132,
	ESPTUN_NH_UDPLITE = 136,
};

#define ESPTUN_IP4_HEADER 20
#define ESPTUN_IP6_HEADER 40
#define ESPTUN_IP_OFFSET 0x1fff		/* of IPv4's fragment word, in units of 8 octets */
#define ESPTUN_IP6_OFFSET 0xfff8	/* of IPv6's */

static u64 esptun_octets(const u8 *octets, unsigned int n)
{
	u64 value = 0;

	while (n--)
		value = value << 8 | *octets++;
	return value;
}

static u16 esptun_octets16(const u8 *octets)
{
	return (u16)(octets[0] << 8 | octets[1]);
}

void esptun_selector_load(struct esptun_ipnum *n, const u8 *octets, u8 family)
{
	n->hi = family == 4 ? 0 : esptun_octets(octets, 8);
	n->lo = family == 4 ? esptun_octets(octets, 4) : esptun_octets(octets + 8, 8);
}

void esptun_selector_store(const struct esptun_ipnum *n, u8 *octets, u8 family)
{
	unsigned int len = esptun_selector_addr_len(family);
	unsigned int i;

	for (i = 0; i < len; i++) {
		unsigned int up = len - 1 - i;	/* octets to its right */

		octets[i] = (u8)(up < 8 ? n->lo >> 8 * up : n->hi >> 8 * (up - 8));
	}
}

void esptun_selector_all(struct esptun_selector_side *side, u8 family)
{
	side->first.hi = 0;
	side->first.lo = 0;
	side->last.hi = family == 4 ? 0 : ~(u64)0;
	side->last.lo = family == 4 ? 0xffffffffu : ~(u64)0;
}

static int esptun_ipnum_cmp(const struct esptun_ipnum *a, const struct esptun_ipnum *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return (a->lo > b->lo) - (a->lo < b->lo);
}

/* Addresses between the two ends of a range. */
static struct esptun_ipnum esptun_selector_size(const struct esptun_selector_side *s)
{
	struct esptun_ipnum n = {
		.hi = s->last.hi - s->first.hi - (s->last.lo < s->first.lo),
		.lo = s->last.lo - s->first.lo,
	};

	return n;
}

static bool esptun_selector_has_ports(u8 proto)
{
	switch (proto) {
	case ESPTUN_NH_TCP:
	case ESPTUN_NH_UDP:
	case ESPTUN_NH_DCCP:
	case ESPTUN_NH_SCTP:
	case ESPTUN_NH_UDPLITE:
		return true;
	}
	return false;
}

const char *esptun_selector_check(const struct esptun_selector *s)
{
	if (s->family && esptun_ipnum_cmp(&s->local.first, &s->local.last) > 0)
		return "sel-local: the range ends before it begins";
	if (s->family && esptun_ipnum_cmp(&s->remote.first, &s->remote.last) > 0)
		return "sel-remote: the range ends before it begins";
	if ((s->local.port || s->remote.port) && !esptun_selector_has_ports(s->proto))
		return "sel-proto: a port needs a protocol that has ports";
	return NULL;
}

static int esptun_selector_smaller(const struct esptun_selector_side *a,
				   const struct esptun_selector_side *b)
{
	struct esptun_ipnum x = esptun_selector_size(a);
	struct esptun_ipnum y = esptun_selector_size(b);

	return esptun_ipnum_cmp(&x, &y);
}

/* Of two numbers of which 0 means any: any comes last. */
static int esptun_selector_rank(unsigned int a, unsigned int b)
{
	if (!a != !b)
		return a ? -1 : 1;
	return (a > b) - (a < b);
}

int esptun_selector_order(const struct esptun_selector *a, const struct esptun_selector *b)
{
	int d = esptun_selector_rank(a->family, b->family);

	if (!d && a->family) {
		d = esptun_selector_smaller(&a->remote, &b->remote);
		if (!d)
			d = esptun_selector_smaller(&a->local, &b->local);
		if (!d)
			d = esptun_ipnum_cmp(&a->remote.first, &b->remote.first);
		if (!d)
			d = esptun_ipnum_cmp(&a->local.first, &b->local.first);
	}
	if (!d)
		d = esptun_selector_rank(a->proto, b->proto);
	if (!d)
		d = esptun_selector_rank(a->remote.port, b->remote.port);
	if (!d)
		d = esptun_selector_rank(a->local.port, b->local.port);
	return d;
}

static void esptun_flow_addresses(struct esptun_flow *flow, const u8 *src, const u8 *dst, bool out)
{
	esptun_selector_load(&flow->local, out ? src : dst, flow->family);
	esptun_selector_load(&flow->remote, out ? dst : src, flow->family);
}

/* The header above IP begins at octet @at; @later: it is in another fragment. */
static void esptun_flow_upper(struct esptun_flow *flow, u8 proto, const u8 *head, unsigned int len,
			      unsigned int at, bool later, bool out)
{
	flow->proto = proto;
	flow->has_proto = true;
	if (later || !esptun_selector_has_ports(proto) || at + 4 > len)
		return;
	flow->has_ports = true;
	flow->local_port = esptun_octets16(head + at + (out ? 0 : 2));
	flow->remote_port = esptun_octets16(head + at + (out ? 2 : 0));
}

static bool esptun_flow_ip4(const u8 *head, unsigned int len, bool out, struct esptun_flow *flow)
{
	unsigned int ihl = (head[0] & 15) * 4;
	bool later;

	if (len < ESPTUN_IP4_HEADER || ihl < ESPTUN_IP4_HEADER)
		return false;
	later = esptun_octets16(head + 6) & ESPTUN_IP_OFFSET;
	flow->family = 4;
	esptun_flow_addresses(flow, head + 12, head + 16, out);
	esptun_flow_upper(flow, head[9], head, len, ihl, later, out);
	return true;
}

/* Octets of an extension header, 0 if it is none; @p has eight octets. */
static unsigned int esptun_flow_extension(u8 next, const u8 *p)
{
	switch (next) {
	case ESPTUN_NH_HOPOPT:
	case ESPTUN_NH_ROUTING:
	case ESPTUN_NH_DSTOPTS:
		return (p[1] + 1u) * 8;
	case ESPTUN_NH_FRAGMENT:
		return 8;
	case ESPTUN_NH_AH:
		return (p[1] + 2u) * 4;
	}
	return 0;
}

static bool esptun_flow_is_extension(u8 next)
{
	static const u8 some[8];

	return esptun_flow_extension(next, some);
}

static bool esptun_flow_ip6(const u8 *head, unsigned int len, bool out, struct esptun_flow *flow)
{
	unsigned int at = ESPTUN_IP6_HEADER;
	bool later = false;
	u8 next;

	if (len < ESPTUN_IP6_HEADER)
		return false;
	flow->family = 6;
	esptun_flow_addresses(flow, head + 8, head + 24, out);
	for (next = head[6]; esptun_flow_is_extension(next) && !later;) {
		const u8 *p = head + at;

		if (at + 8 > len)
			return true;
		later = next == ESPTUN_NH_FRAGMENT && esptun_octets16(p + 2) & ESPTUN_IP6_OFFSET;
		at += esptun_flow_extension(next, p);
		next = p[0];
	}
	/* In a later fragment there may be more extension headers, in the first one. */
	if (!esptun_flow_is_extension(next))
		esptun_flow_upper(flow, next, head, len, at, later, out);
	return true;
}

bool esptun_selector_flow(const u8 *head, unsigned int len, bool out, struct esptun_flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	if (!len)
		return false;
	switch (head[0] >> 4) {
	case 4:
		return esptun_flow_ip4(head, len, out, flow);
	case 6:
		return esptun_flow_ip6(head, len, out, flow);
	}
	return false;
}

static bool esptun_selector_within(const struct esptun_selector_side *s,
				   const struct esptun_ipnum *addr)
{
	return esptun_ipnum_cmp(addr, &s->first) >= 0 && esptun_ipnum_cmp(addr, &s->last) <= 0;
}

bool esptun_selector_permits(const struct esptun_selector *s, const struct esptun_flow *f)
{
	if (s->family && (s->family != f->family ||
			  !esptun_selector_within(&s->remote, &f->remote) ||
			  !esptun_selector_within(&s->local, &f->local)))
		return false;
	if (!s->proto)
		return true;
	if (!f->has_proto || f->proto != s->proto)
		return false;
	if (!s->local.port && !s->remote.port)
		return true;
	return f->has_ports && (!s->local.port || s->local.port == f->local_port) &&
	       (!s->remote.port || s->remote.port == f->remote_port);
}
