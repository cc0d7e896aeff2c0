// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quick mode identities. See net.h.
 */
#include "net.h"

#include <stdio.h>
#include <string.h>

#include "addr.h"
#include "names.h"

static bool all(const uint8_t *p, size_t len, uint8_t value)
{
	while (len--)
		if (*p++ != value)
			return false;
	return true;
}

/* Length of the prefix a mask stands for; false when its ones are not contiguous. */
static bool mask_prefix(const uint8_t *mask, size_t len, uint8_t *prefix)
{
	unsigned int bits = 0, i;

	for (i = 0; i < len * 8; i++) {
		if (!(mask[i / 8] & 0x80 >> i % 8))
			break;
		bits++;
	}
	for (; i < len * 8; i++)
		if (mask[i / 8] & 0x80 >> i % 8)
			return false;
	*prefix = (uint8_t)bits;
	return true;
}

/* Prefix of the range from..to; false when it is not exactly a prefix. */
static bool range_prefix(const uint8_t *from, const uint8_t *to, size_t len, uint8_t *prefix)
{
	uint8_t mask[16];
	size_t i;

	for (i = 0; i < len; i++)
		mask[i] = (uint8_t)~(from[i] ^ to[i]);
	if (!mask_prefix(mask, len, prefix))
		return false;
	for (i = 0; i < len; i++)
		if (from[i] & ~mask[i] || (uint8_t)~to[i] & ~mask[i])
			return false;
	return true;
}

static size_t addr_len(uint8_t type)
{
	return type == IKE_ID_IPV4_ADDR || type == IKE_ID_IPV4_ADDR_SUBNET ||
	       type == IKE_ID_IPV4_ADDR_RANGE ? 4 : 16;
}

/* Fill ts->net from type and data; leaves family 0 when they are no network. */
static void to_net(struct ike_ts *ts)
{
	size_t n = addr_len(ts->type);
	const uint8_t *a = ts->data, *b = ts->data + n;
	uint8_t prefix = (uint8_t)(n * 8);
	size_t i;

	switch (ts->type) {
	case IKE_ID_IPV4_ADDR:
	case IKE_ID_IPV6_ADDR:
		if (all(a, n, 0))	/* a habit of some peers for "any" */
			prefix = 0;
		break;
	case IKE_ID_IPV4_ADDR_SUBNET:
	case IKE_ID_IPV6_ADDR_SUBNET:
		if (!mask_prefix(b, n, &prefix))
			return;
		break;
	default:
		if (!range_prefix(a, b, n, &prefix))
			return;
	}
	ts->net.family = n == 4 ? 4 : 6;
	ts->net.prefix = prefix;
	for (i = 0; i < n; i++) {
		unsigned int keep = prefix > i * 8 ? prefix - (unsigned int)i * 8 : 0;

		ts->net.ip[i] = keep >= 8 ? a[i] : (uint8_t)(a[i] & ~(0xff >> keep));
	}
}

static size_t data_len(uint8_t type)
{
	switch (type) {
	case IKE_ID_IPV4_ADDR:
		return 4;
	case IKE_ID_IPV4_ADDR_SUBNET:
	case IKE_ID_IPV4_ADDR_RANGE:
		return 8;
	case IKE_ID_IPV6_ADDR:
		return 16;
	case IKE_ID_IPV6_ADDR_SUBNET:
	case IKE_ID_IPV6_ADDR_RANGE:
		return 32;
	}
	return 0;
}

int ike_ts_decode(const uint8_t *body, size_t len, struct ike_ts *ts, const char **why)
{
	struct ike_rbuf r;
	const uint8_t *data;
	size_t want;

	memset(ts, 0, sizeof(*ts));
	ike_rbuf_init(&r, body, len);
	ts->type = ike_get8(&r);
	ts->proto = ike_get8(&r);
	ts->port = ike_get16(&r);
	want = data_len(ts->type);
	if (r.bad || (want && ike_rbuf_left(&r) != want)) {
		*why = "address identity of the wrong length";
		return -IKE_E_PARSE;
	}
	if (!want)
		return 0;	/* an FQDN, say: no network, which the caller refuses by name */
	data = ike_get_bytes(&r, want);
	memcpy(ts->data, data, want);
	ts->len = (uint8_t)want;
	to_net(ts);
	return 0;
}

void ike_ts_encode(struct ike_wbuf *w, const struct ike_ts *ts)
{
	ike_put8(w, ts->type);
	ike_put8(w, ts->proto);
	ike_put16(w, ts->port);
	ike_put_bytes(w, ts->data, ts->len);
}

void ike_ts_from_net(const struct ike_net *net, struct ike_ts *ts)
{
	size_t n = net->family == 6 ? 16 : 4, i;

	memset(ts, 0, sizeof(*ts));
	ts->type = net->family == 6 ? IKE_ID_IPV6_ADDR_SUBNET : IKE_ID_IPV4_ADDR_SUBNET;
	ts->len = (uint8_t)(2 * n);
	memcpy(ts->data, net->ip, n);
	for (i = 0; i < net->prefix && i < n * 8; i++)
		ts->data[n + i / 8] |= (uint8_t)(0x80 >> i % 8);
	ts->net = *net;
}

bool ike_net_equal(const struct ike_net *a, const struct ike_net *b)
{
	if (!a->family || !b->family)
		return false;
	if (!a->prefix && !b->prefix)
		return true;
	return a->family == b->family && a->prefix == b->prefix &&
	       !memcmp(a->ip, b->ip, ike_addr_len(a->family));
}

bool ike_ts_is(const struct ike_ts *ts, const struct ike_net *net)
{
	return !ts->proto && !ts->port && ike_net_equal(&ts->net, net);
}

bool ike_net_within(const struct ike_net *inner, const struct ike_net *outer)
{
	unsigned int i;

	if (!inner->family || !outer->family)
		return false;
	if (!outer->prefix)
		return true;
	if (inner->family != outer->family || inner->prefix < outer->prefix)
		return false;
	for (i = 0; i < outer->prefix; i++)
		if ((inner->ip[i / 8] ^ outer->ip[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

const char *ike_net_format(const struct ike_net *net, char *buf, size_t size)
{
	char ip[IKE_ADDR_TEXT];

	snprintf(buf, size, "%s/%u", ike_ip_format(net->family, net->ip, ip, sizeof(ip)), net->prefix);
	return buf;
}

const char *ike_ts_format(const struct ike_ts *ts, char *buf, size_t size)
{
	char net[IKE_NET_TEXT];

	if (!ts->net.family)
		snprintf(buf, size, "%s (%u), not a network", ike_name_id_type(ts->type), ts->type);
	else if (ts->proto || ts->port)
		snprintf(buf, size, "%s protocol %u port %u",
			 ike_net_format(&ts->net, net, sizeof(net)), ts->proto, ts->port);
	else
		ike_net_format(&ts->net, buf, size);
	return buf;
}

/* ---- selectors --------------------------------------------------------------------------- */

bool ike_selector_equal(const struct ike_selector *a, const struct ike_selector *b)
{
	return ike_net_equal(&a->local, &b->local) && ike_net_equal(&a->remote, &b->remote);
}

bool ike_selector_within(const struct ike_selector *inner, const struct ike_selector *outer)
{
	return ike_net_within(&inner->local, &outer->local) && ike_net_within(&inner->remote, &outer->remote);
}

const char *ike_selector_format(const struct ike_selector *sel, char *buf, size_t size)
{
	char a[IKE_NET_TEXT], b[IKE_NET_TEXT];

	snprintf(buf, size, "%s === %s", ike_net_format(&sel->local, a, sizeof(a)),
		 ike_net_format(&sel->remote, b, sizeof(b)));
	return buf;
}
