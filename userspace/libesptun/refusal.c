// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Why the kernel said no, in words. Reads the extended acknowledgement; where there is
 * none, error numbers of known meaning get a sentence. Never sends anything.
 */
#include "libesptun/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

#include "libesptun/sock.h"

/* Added to linux/netlink.h with 6.1; the numbers are kernel ABI. */
#ifndef NLM_F_ACK_TLVS
#define NLM_F_ACK_TLVS 0x200
#endif
enum { ACK_MSG = 1, ACK_OFFS = 2, ACK_MISS_TYPE = 5, ACK_MISS_NEST = 6, ACK_MAX = 6 };

/* Family ids of generic netlink start above these, so the type alone tells. */
static bool is_link_request(const struct nlmsghdr *request)
{
	return request->nlmsg_type >= RTM_NEWLINK && request->nlmsg_type <= RTM_GETLINK;
}

/* The attribute at an offset of a link request, if it is one of ours. */
static const struct esptun_nl_set *link_set(const struct nlmsghdr *request, size_t offset)
{
	const struct nlattr *info, *data;
	size_t start;

	info = nlmsg_find_attr((struct nlmsghdr *)request, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	data = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA) : NULL;
	if (!data)
		return NULL;
	start = (size_t)((const char *)data - (const char *)request);
	if (offset <= start || offset >= start + (size_t)nla_total_size(nla_len(data)))
		return NULL;
	return &esptun_nl_link_set;
}

static const struct esptun_nl_set *genl_set(const struct nlmsghdr *request)
{
	const struct genlmsghdr *gnlh = nlmsg_data(request);

	return gnlh->cmd <= ESPTUN_CMD_MAX ? esptun_nl_cmd_sets[gnlh->cmd] : NULL;
}

static const char *attr_name(const struct esptun_nl_set *set, unsigned int type)
{
	return set && type <= set->max ? set->attrs[type].name : NULL;
}

static const char *attr_at(const struct nlmsghdr *request, uint32_t offset)
{
	struct nlattr nla;

	if (offset < NLMSG_HDRLEN || offset + sizeof(nla) > request->nlmsg_len)
		return NULL;
	memcpy(&nla, (const char *)request + offset, sizeof(nla));
	return attr_name(is_link_request(request) ? link_set(request, offset) : genl_set(request),
			 nla.nla_type & NLA_TYPE_MASK);
}

/* Error numbers that come without words from the kernel's netlink core. */
static const char *advice(int err, bool link)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return "this needs CAP_NET_ADMIN in the network namespace, run it as root";
	case -EOPNOTSUPP:
		return link ? "the kernel knows no link kind esptun, " ESPTUN_LOAD_HINT : NULL;
	case -ENODEV:
		return "there is no such device";
	case -EEXIST:
		return link ? "there is an interface of this name" : NULL;
	default:
		return NULL;
	}
}

struct extack {
	char msg[256];
	const char *attr;
	const char *missing;
};

static void parse_extack(struct extack *ack, const struct nlmsghdr *nlh, size_t head,
			 const struct nlmsghdr *request)
{
	struct nlattr *tb[ACK_MAX + 1];
	int len = nlmsg_datalen(nlh) - (int)NLMSG_ALIGN(head);

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || len <= 0)
		return;
	if (nla_parse(tb, ACK_MAX, (struct nlattr *)((char *)nlmsg_data(nlh) + NLMSG_ALIGN(head)),
		      len, NULL) < 0)
		return;
	if (tb[ACK_MSG])
		nla_strlcpy(ack->msg, tb[ACK_MSG], sizeof(ack->msg));
	if (tb[ACK_OFFS] && nla_len(tb[ACK_OFFS]) >= 4)
		ack->attr = attr_at(request, nla_get_u32(tb[ACK_OFFS]));
	if (tb[ACK_MISS_TYPE] && nla_len(tb[ACK_MISS_TYPE]) >= 4 && !tb[ACK_MISS_NEST] &&
	    !is_link_request(request))
		ack->missing = attr_name(genl_set(request), nla_get_u32(tb[ACK_MISS_TYPE]));
}

/* Whether the kernel's words begin with the option the attribute stands for ("remote: ..."). */
static bool named_in(const char *words, const char *attr)
{
	size_t len = strcspn(attr, "46");

	return strncmp(words, attr, len) == 0 && strchr(":,", words[len]) != NULL;
}

int esptun_refused(struct esptun_sock *s, int err, const struct nlmsghdr *nlh, size_t head,
		   const struct nlmsghdr *request)
{
	struct extack ack = { .attr = NULL };
	bool link = is_link_request(request);
	const char *hint = advice(err, link);
	const char *what;

	parse_extack(&ack, nlh, head, request);
	/* rtnetlink's own words for an unknown kind do not say what to do about it. */
	if (ack.msg[0] && !(link && err == -EOPNOTSUPP))
		what = ack.msg;
	else if (ack.missing)
		what = "an attribute is missing";
	else
		what = hint ? hint : strerror(-err);
	if (ack.missing)
		return esptun_fail(s, err, "%s (%s)", what, ack.missing);
	if (ack.attr && !named_in(what, ack.attr))
		return esptun_fail(s, err, "%s (%s)", what, ack.attr);
	return esptun_fail(s, err, "%s", what);
}
