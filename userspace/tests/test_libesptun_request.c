// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests as they go to the kernel, and what its refusals become. The transport is
 * replaced at link time: esptun_request() here keeps the message, and answers from a script
 * that the test wrote.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/genl.h>

#include "libesptun/refusal.h"
#include "libesptun/sock.h"

static struct esptun_sock sock;
static union message { struct nlmsghdr nlh; char room[4096]; } sent, before;

/* Answers to the next requests: messages, then the result. */
static struct step { struct nl_msg *msg[3]; int result; } script[8];
static int at, steps;

int esptun_fail(struct esptun_sock *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

struct nl_msg *esptun_genl_msg(struct esptun_sock *s, uint8_t cmd, int flags, int *err)
{
	struct nl_msg *msg = nlmsg_alloc();

	(void)s;
	*err = 0;
	genlmsg_put(msg, 0, 0, 0x20, 0, flags, cmd, ESPTUN_GENL_VERSION);
	return msg;
}

int esptun_request(struct esptun_sock *s, struct nl_sock *sk, struct nl_msg *msg,
		   const struct esptun_reply *reply)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct step *step = at < steps ? &script[at++] : NULL;
	int err = 0;

	(void)s;
	(void)sk;
	assert_true(nlh->nlmsg_len <= sizeof(sent));
	before = sent;
	memcpy(&sent, nlh, nlh->nlmsg_len);
	nlmsg_free(msg);
	for (int i = 0; step && step->msg[i]; i++) {
		if (reply && !err)
			err = reply->valid(nlmsg_hdr(step->msg[i]), reply->arg);
		nlmsg_free(step->msg[i]);
	}
	return step && !err ? step->result : err;
}

static void answer(struct nl_msg *one, struct nl_msg *two, int result)
{
	if (at == steps)
		at = steps = 0;
	assert_true(steps < 8);
	script[steps++] = (struct step){ .msg = { one, two }, .result = result };
}

static struct nlattr *sent_attr(int type)
{
	return nlmsg_find_attr(&sent.nlh, GENL_HDRLEN, type);
}

static uint8_t sent_cmd(void)
{
	return ((struct genlmsghdr *)nlmsg_data(&sent.nlh))->cmd;
}

static int sent_count(void)
{
	int count = 0, rest;
	struct nlattr *nla;

	nlmsg_for_each_attr(nla, &sent.nlh, GENL_HDRLEN, rest)
		count++;
	return count;
}

static void test_sa_new(void **state)
{
	struct esptun_sa sa = { .ifindex = 7, .dir = ESPTUN_DIR_OUT, .spi = 0x01020304,
		.encr = ESPTUN_ENCR_AES_GCM_16, .flags = ESPTUN_SA_FLAG_ESN, .partner_spi = 0x1000,
		.state = ESPTUN_SA_STATE_PENDING, .hard_bytes = 1ULL << 40, .cookie = "ck",
		.cookie_len = 2 };
	struct esptun_keys keys = { .encr = { 1, 2, 3 }, .encr_len = 20 }, none;

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_memory_equal(&keys, &none, sizeof(keys));
	assert_int_equal(sent_cmd(), ESPTUN_CMD_SA_NEW);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_SPI)), htonl(0x01020304));
	assert_int_equal(nla_len(sent_attr(ESPTUN_A_SA_ENCR_KEY)), 20);
	assert_memory_equal(nla_data(sent_attr(ESPTUN_A_SA_ENCR_KEY)), "\1\2\3", 4);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_PARTNER_SPI)), htonl(0x1000));
	assert_int_equal(nla_get_u64(sent_attr(ESPTUN_A_SA_HARD_BYTES)), 1ULL << 40);
	assert_int_equal(nla_len(sent_attr(ESPTUN_A_SA_COOKIE)), 2);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_STATE)), ESPTUN_SA_STATE_PENDING);
	/* ifindex dir spi encr auth flags encr-key state partner-spi cookie hard-bytes */
	assert_int_equal(sent_count(), 11);
	sa.dir = ESPTUN_DIR_IN;
	sa.replay_window = 64;
	keys.auth_len = 32;
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_null(sent_attr(ESPTUN_A_SA_STATE));
	assert_null(sent_attr(ESPTUN_A_SA_ENCR_KEY));
	assert_int_equal(nla_len(sent_attr(ESPTUN_A_SA_AUTH_KEY)), 32);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_REPLAY_WINDOW)), 64);
}

static void test_sa_new_selector(void **state)
{
	struct esptun_sa sa = { .ifindex = 7, .spi = 0x1000, .sel = { .proto = 17, .remote_port = 500 } };
	struct esptun_keys keys = { .encr_len = 20 };

	(void)state;
	esptun_addr_parse("10.1.0.0", &sa.sel.local.first);
	esptun_addr_parse("10.1.0.255", &sa.sel.local.last);
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_int_equal(nla_len(sent_attr(ESPTUN_A_SA_SEL_LOCAL)), 4);
	assert_memory_equal(nla_data(sent_attr(ESPTUN_A_SA_SEL_LOCAL)), "\12\1\0\0", 4);
	assert_memory_equal(nla_data(sent_attr(ESPTUN_A_SA_SEL_LOCAL_LAST)), "\12\1\0\377", 4);
	assert_null(sent_attr(ESPTUN_A_SA_SEL_REMOTE));
	assert_null(sent_attr(ESPTUN_A_SA_SEL_REMOTE_LAST));
	assert_int_equal(nla_get_u8(sent_attr(ESPTUN_A_SA_SEL_PROTO)), 17);
	assert_null(sent_attr(ESPTUN_A_SA_SEL_LOCAL_PORT));
	assert_int_equal(nla_get_u16(sent_attr(ESPTUN_A_SA_SEL_REMOTE_PORT)), htons(500));
	esptun_addr_parse("fd00::1", &sa.sel.local.first);
	sa.sel.local.last = sa.sel.local.first;
	keys.encr_len = 20;
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_int_equal(nla_len(sent_attr(ESPTUN_A_SA_SEL_LOCAL)), 16);
	assert_memory_equal(nla_data(sent_attr(ESPTUN_A_SA_SEL_LOCAL_LAST)), &sa.sel.local.last.v6, 16);
}

static void test_sa_new_encap(void **state)
{
	struct esptun_sa sa = { .ifindex = 7, .spi = 0x1000, .dir = ESPTUN_DIR_OUT,
				.encap = ESPTUN_ENCAP_UDP, .encap_local_port = 4500,
				.encap_peer_port = 1027, .keepalive = 20 };
	struct esptun_keys keys = { .encr_len = 20 };

	(void)state;
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_ENCAP)), ESPTUN_ENCAP_UDP);
	assert_int_equal(nla_get_u16(sent_attr(ESPTUN_A_SA_ENCAP_LOCAL_PORT)), htons(4500));
	assert_int_equal(nla_get_u16(sent_attr(ESPTUN_A_SA_ENCAP_PEER_PORT)), htons(1027));
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_KEEPALIVE)), 20);
	sa = (struct esptun_sa){ .ifindex = 7, .spi = 0x1001 };
	keys.encr_len = 20;
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), 0);
	assert_null(sent_attr(ESPTUN_A_SA_ENCAP));
	assert_null(sent_attr(ESPTUN_A_SA_KEEPALIVE));
}

static void test_socket_set(void **state)
{
	(void)state;
	assert_int_equal(esptun_socket_set(&sock, 17), 0);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SOCKET_FD)), 17);
}

static void test_sa_new_refuses_lengths(void **state)
{
	struct esptun_keys keys = { .encr_len = ESPTUN_ENCR_KEY_MAX + 1, .encr = { 9 } }, none;
	struct esptun_sa sa = { .ifindex = 7 };

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), -EINVAL);
	assert_memory_equal(&keys, &none, sizeof(keys));
	sa.cookie_len = ESPTUN_COOKIE_MAX_LEN + 1;
	assert_int_equal(esptun_sa_new(&sock, &sa, &keys), -EINVAL);
}

static void test_sa_names(void **state)
{
	uint32_t spi;

	(void)state;
	assert_int_equal(esptun_sa_del(&sock, 7, ESPTUN_DIR_IN, 0x1000), 0);
	assert_int_equal(sent_cmd(), ESPTUN_CMD_SA_DEL);
	assert_int_equal(sent_count(), 3);
	assert_int_equal(nla_get_u32(sent_attr(ESPTUN_A_SA_DIR)), ESPTUN_DIR_IN);
	assert_int_equal(esptun_sa_activate(&sock, 7, 0x1000), 0);
	assert_int_equal(sent_count(), 2);
	assert_int_equal(esptun_sa_flush(&sock, 0), 0);
	assert_int_equal(sent_count(), 0);
	/* An answer without an SPI is none. */
	assert_int_equal(esptun_sa_alloc_spi(&sock, 7, &spi), -EPROTO);
}

static struct nlattr *link_attr(union message *m, int type)
{
	struct nlattr *info = nlmsg_find_attr(&m->nlh, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	struct nlattr *data = nla_find(nla_data(info), nla_len(info), IFLA_INFO_DATA);

	return nla_find(nla_data(data), nla_len(data), type);
}

static struct nl_msg *link_message(const char *kind, int ifindex, const char *ifname)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex, .ifi_flags = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct nlattr *info, *data;

	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, ifname);
	nla_put_u32(msg, IFLA_MTU, 1438);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, kind);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_ESPTUN_LOCAL4, htonl(0xc0000201));
	nla_put_u8(msg, IFLA_ESPTUN_TTL, 64);
	nla_put_u8(msg, IFLA_ESPTUN_PMTUDISC, 2);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
}

static struct nl_msg *state_message(uint32_t ifindex, uint32_t path_mtu)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, 0x20, 0, 0, ESPTUN_CMD_TUNNEL_GET, 1);
	nla_put_u32(msg, ESPTUN_A_TUNNEL_IFINDEX, ifindex);
	nla_put_u32(msg, ESPTUN_A_TUNNEL_PATH_MTU, path_mtu);
	return msg;
}

static void test_tunnel_add(void **state)
{
	struct esptun_tunnel t = { .ifname = "paris0", .ttl = 9, .tos = 4, .mtu = 1400, .up = true };
	const struct ifinfomsg *ifi = nlmsg_data(&before.nlh);

	(void)state;
	t.fields = ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_TTL | ESPTUN_TUNNEL_UP | ESPTUN_TUNNEL_MTU;
	assert_int_equal(esptun_addr_parse("192.0.2.1", &t.local), 0);
	answer(NULL, NULL, 0);
	answer(link_message("esptun", 7, "paris0"), NULL, 0);
	assert_int_equal(esptun_tunnel_add(&sock, &t), 0);
	assert_int_equal(t.ifindex, 7);
	assert_int_equal(sent.nlh.nlmsg_type, RTM_GETLINK);
	assert_int_equal(before.nlh.nlmsg_type, RTM_NEWLINK);
	assert_int_equal(before.nlh.nlmsg_flags, NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(ifi->ifi_index, 0);
	assert_int_equal(ifi->ifi_flags & ifi->ifi_change, IFF_UP);
	assert_int_equal(nla_get_u32(link_attr(&before, IFLA_ESPTUN_LOCAL4)), htonl(0xc0000201));
	assert_int_equal(nla_get_u8(link_attr(&before, IFLA_ESPTUN_TTL)), 9);
	assert_null(link_attr(&before, IFLA_ESPTUN_TOS));
	assert_null(link_attr(&before, IFLA_ESPTUN_REMOTE4));
	t.ifname[0] = '\0';
	assert_int_equal(esptun_tunnel_add(&sock, &t), -EINVAL);
	assert_int_equal(esptun_tunnel_del(&sock, "sixteen-letters0"), -ENODEV);
}

/* A change sends what is to change and no more; the kernel keeps the rest. */
static void test_tunnel_change(void **state)
{
	struct esptun_tunnel t = { .ifname = "paris0", .fields = ESPTUN_TUNNEL_TTL, .ttl = 9 };
	const struct ifinfomsg *ifi = nlmsg_data(&sent.nlh);

	(void)state;
	answer(link_message("esptun", 7, "paris0"), NULL, 0);
	assert_int_equal(esptun_tunnel_change(&sock, &t), 0);
	assert_int_equal(sent.nlh.nlmsg_flags, 0);
	assert_int_equal(ifi->ifi_index, 7);
	assert_int_equal(ifi->ifi_change, 0);
	assert_int_equal(nla_get_u8(link_attr(&sent, IFLA_ESPTUN_TTL)), 9);
	assert_null(link_attr(&sent, IFLA_ESPTUN_LOCAL4));
	assert_null(link_attr(&sent, IFLA_ESPTUN_PMTUDISC));
	assert_null(nlmsg_find_attr(&sent.nlh, sizeof(*ifi), IFLA_MTU));
}

/* Interfaces of other kinds are left alone. */
static void test_not_ours(void **state)
{
	struct esptun_tunnel t = { .ifname = "vti0", .fields = ESPTUN_TUNNEL_TTL };

	(void)state;
	answer(link_message("vti", 3, "vti0"), NULL, 0);
	assert_int_equal(esptun_tunnel_change(&sock, &t), -EINVAL);
	answer(link_message("vti", 3, "vti0"), NULL, 0);
	assert_int_equal(esptun_tunnel_del(&sock, "vti0"), -EINVAL);
	assert_int_equal(sent.nlh.nlmsg_type, RTM_GETLINK);
	assert_string_equal(sock.error, "\"vti0\" is not an esptun device");
	answer(link_message("vti", 3, "vti0"), NULL, 0);
	assert_int_equal(esptun_tunnel_get(&sock, "vti0", 0, &t), -EINVAL);
}

static void test_tunnel_dump(void **state)
{
	struct esptun_tunnel *list;
	size_t count;

	(void)state;
	/* First round interrupted while links are read, second while states are. */
	answer(link_message("esptun", 9, "old0"), NULL, -EINTR);
	answer(link_message("esptun", 9, "rome0"), link_message("esptun", 7, "paris0"), 0);
	answer(state_message(7, 1), NULL, -EINTR);
	answer(link_message("esptun", 9, "rome0"), link_message("esptun", 7, "paris0"), 0);
	answer(state_message(9, 1400), state_message(8, 1300), 0);
	assert_int_equal(esptun_tunnel_dump(&sock, &list, &count), 0);
	assert_int_equal(at, steps);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].ifname, "paris0");
	assert_int_equal(list[0].path_mtu, 0);
	assert_string_equal(list[1].ifname, "rome0");
	assert_int_equal(list[1].path_mtu, 1400);
	free(list);
}

static void test_dump_gives_up(void **state)
{
	struct esptun_sa *list;
	size_t count;

	(void)state;
	for (int i = 0; i < ESPTUN_DUMP_TRIES; i++)
		answer(NULL, NULL, -EINTR);
	assert_int_equal(esptun_sa_dump(&sock, 0, &list, &count), -EINTR);
	assert_string_equal(sock.error, "the SAs changed each time they were read");
	assert_int_equal(at, steps);
}

/* -- refusals ---------------------------------------------------------------------------- */

struct answer {
	struct nlmsghdr nlh;
	struct nlmsgerr err;
	char room[1024];
};

/* Builds an error message with an extended ack in @msg. */
static struct answer *error_message(int err, const char *text, int offset, int missing)
{
	static struct answer a;
	struct nl_msg *tlvs = nlmsg_alloc_simple(0, 0);
	size_t len;

	if (text)
		nla_put_string(tlvs, 1, text);
	if (offset)
		nla_put_u32(tlvs, 2, (uint32_t)offset);
	if (missing)
		nla_put_u32(tlvs, 5, (uint32_t)missing);
	memset(&a, 0, sizeof(a));
	a.err.error = err;
	len = (size_t)nlmsg_datalen(nlmsg_hdr(tlvs));
	memcpy(a.room, nlmsg_data(nlmsg_hdr(tlvs)), len);
	a.nlh.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + sizeof(struct nlmsgerr) + len);
	a.nlh.nlmsg_flags = len ? NLM_F_ACK_TLVS | NLM_F_CAPPED : 0;
	nlmsg_free(tlvs);
	return &a;
}

static void refuse(int err, const char *text, int offset, int missing, const char *want)
{
	struct answer *a = error_message(err, text, offset, missing);

	assert_int_equal(esptun_refused(&sock, err, &a->nlh, sizeof(a->err), &sent.nlh), err);
	assert_string_equal(sock.error, want);
}

static int offset_of(const struct nlattr *nla)
{
	return (int)((const char *)nla - (const char *)&sent);
}

static void test_genl_refusals(void **state)
{
	(void)state;
	assert_int_equal(esptun_sa_del(&sock, 7, ESPTUN_DIR_IN, 0x1000), 0);
	refuse(-ENOENT, "no such SA", 0, 0, "no such SA");
	refuse(-EINVAL, "integer out of range", offset_of(sent_attr(ESPTUN_A_SA_SPI)), 0,
	       "integer out of range (spi)");
	refuse(-EINVAL, NULL, offset_of(sent_attr(ESPTUN_A_SA_DIR)), 0, "Invalid argument (dir)");
	refuse(-EEXIST, "spi: in use", offset_of(sent_attr(ESPTUN_A_SA_SPI)), 0, "spi: in use");
	refuse(-EINVAL, NULL, 0, ESPTUN_A_SA_IFINDEX, "an attribute is missing (ifindex)");
	refuse(-EINVAL, "what", 0, 9999, "what");
	refuse(-EINVAL, "what", 5, 0, "what");
	refuse(-EINVAL, "what", 1 << 30, 0, "what");
	refuse(-EINVAL, "what", (int)sent.nlh.nlmsg_len - 1, 0, "what");
	refuse(-EPERM, NULL, 0, 0,
	       "this needs CAP_NET_ADMIN in the network namespace, run it as root");
	refuse(-ENODEV, NULL, 0, 0, "there is no such device");
	refuse(-EBUSY, NULL, 0, 0, "Device or resource busy");
}

static void make_link_request(void)
{
	struct nl_msg *msg = link_message("esptun", 0, "x");

	memcpy(&sent, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len);
	nlmsg_free(msg);
}

static void test_link_refusals(void **state)
{
	(void)state;
	make_link_request();
	refuse(-ERANGE, "integer out of range", offset_of(link_attr(&sent, IFLA_ESPTUN_PMTUDISC)), 0,
	       "integer out of range (pmtudisc)");
	/* IFLA_IFNAME has a number of its own that must not be taken for one of ours. */
	refuse(-EINVAL, "bad name",
	       offset_of(nlmsg_find_attr(&sent.nlh, sizeof(struct ifinfomsg), IFLA_IFNAME)), 0,
	       "bad name");
	refuse(-EOPNOTSUPP, "Unknown device type", 0, 0,
	       "the kernel knows no link kind esptun, try \"modprobe esptun\"");
	refuse(-EEXIST, NULL, 0, 0, "there is an interface of this name");
}

/* An ext-ack cut off anywhere is read as far as it goes. */
static void test_truncated_extack(void **state)
{
	struct answer *a = error_message(-EINVAL, "why not", 20, 1);
	uint32_t whole = a->nlh.nlmsg_len;

	(void)state;
	for (uint32_t len = NLMSG_HDRLEN + sizeof(a->err); len <= whole; len++) {
		struct nlmsghdr *cut = test_malloc(len);

		memcpy(cut, a, len);
		cut->nlmsg_len = len;
		assert_int_equal(esptun_refused(&sock, -EINVAL, cut, sizeof(a->err), &sent.nlh),
				 -EINVAL);
		test_free(cut);
	}
}

/* One host address; where it is already, nothing is wrong. */
static void test_address(void **state)
{
	const struct ifaddrmsg *ifa = nlmsg_data(&sent.nlh);
	struct esptun_addr a;
	struct nlattr *ip;

	(void)state;
	assert_int_equal(esptun_addr_parse("10.9.1.10", &a), 0);
	answer(link_message("esptun", 7, "paris0"), NULL, 0);
	answer(NULL, NULL, 0);
	assert_int_equal(esptun_address_add(&sock, "paris0", &a), 0);
	assert_int_equal(sent.nlh.nlmsg_type, RTM_NEWADDR);
	assert_int_equal(sent.nlh.nlmsg_flags, NLM_F_CREATE | NLM_F_REPLACE);
	assert_int_equal(ifa->ifa_family, AF_INET);
	assert_int_equal(ifa->ifa_prefixlen, 32);
	assert_int_equal(ifa->ifa_index, 7);
	ip = nlmsg_find_attr(&sent.nlh, sizeof(*ifa), IFA_LOCAL);
	assert_non_null(ip);
	assert_int_equal(nla_get_u32(ip), htonl(0x0a09010a));
	answer(link_message("esptun", 7, "paris0"), NULL, 0);
	answer(NULL, NULL, -EADDRNOTAVAIL);
	assert_int_equal(esptun_address_del(&sock, "paris0", &a), -EADDRNOTAVAIL);
	assert_int_equal(sent.nlh.nlmsg_type, RTM_DELADDR);
	answer(NULL, NULL, -ENODEV);
	assert_int_equal(esptun_address_add(&sock, "none0", &a), -ENODEV);
	assert_int_equal(sent.nlh.nlmsg_type, RTM_GETLINK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sa_new),
		cmocka_unit_test(test_sa_new_selector),
		cmocka_unit_test(test_sa_new_encap),
		cmocka_unit_test(test_socket_set),
		cmocka_unit_test(test_sa_new_refuses_lengths),
		cmocka_unit_test(test_sa_names),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_tunnel_add),
		cmocka_unit_test(test_tunnel_change),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_tunnel_dump),
		cmocka_unit_test(test_dump_gives_up),
		cmocka_unit_test(test_genl_refusals),
		cmocka_unit_test(test_link_refusals),
		cmocka_unit_test(test_truncated_extack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
