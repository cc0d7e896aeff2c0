// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From messages to structs, and the generated tables: complete messages, absent, short,
 * unknown and lying attributes. Messages are built with libnl, which the code under test
 * does not use to take them apart except for its parser.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "libesptun/decode.h"
#include "libesptun/nl_gen.h"

static struct nl_msg *genl(uint8_t cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	assert_non_null(genlmsg_put(msg, 0, 0, 0x20, 0, 0, cmd, 1));
	return msg;
}

static void put_drops(struct nl_msg *msg, int attr)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	nla_put_u64(msg, ESPTUN_A_DROPS_TX_NO_SA, 3);
	nla_put_u64(msg, ESPTUN_A_DROPS_RX_CRYPTO_BUSY, 1ULL << 40);
	nla_put_u64(msg, ESPTUN_A_DROPS_MAX + 1, 77);
	nla_nest_end(msg, nest);
}

static void put_last_error(struct nl_msg *msg, int attr)
{
	struct nlattr *nest = nla_nest_start(msg, attr);

	nla_put_u32(msg, ESPTUN_A_LAST_ERROR_REASON, ESPTUN_DROP_RX_REPLAY_OLD);
	nla_put_u32(msg, ESPTUN_A_LAST_ERROR_SPI, htonl(0x01020304));
	nla_put_u64(msg, ESPTUN_A_LAST_ERROR_SEQ, 5);
	nla_put_u32(msg, ESPTUN_A_LAST_ERROR_SOURCE4, htonl(0xc0000202));
	nla_put_u64(msg, ESPTUN_A_LAST_ERROR_TIME, 99);
	nla_nest_end(msg, nest);
}

static void check_nests(const uint64_t *drops, const struct esptun_drop_record *e)
{
	assert_int_equal(drops[ESPTUN_DROP_TX_NO_SA], 3);
	assert_int_equal(drops[ESPTUN_DROP_RX_CRYPTO_BUSY], 1ULL << 40);
	assert_int_equal(drops[ESPTUN_DROP_RX_NO_SA], 0);
	assert_int_equal(e->reason, ESPTUN_DROP_RX_REPLAY_OLD);
	assert_int_equal(e->spi, 0x01020304);
	assert_int_equal(e->seq, 5);
	assert_int_equal(e->source.family, AF_INET);
	assert_int_equal(e->time, 99);
}

static void test_sa(void **state)
{
	struct nl_msg *msg = genl(ESPTUN_CMD_SA_GET);
	struct esptun_sa sa;

	(void)state;
	nla_put_u32(msg, ESPTUN_A_SA_IFINDEX, 7);
	nla_put_u32(msg, ESPTUN_A_SA_DIR, ESPTUN_DIR_OUT);
	nla_put_u32(msg, ESPTUN_A_SA_SPI, htonl(0xdeadbeef));
	nla_put_u32(msg, ESPTUN_A_SA_ENCR, ESPTUN_ENCR_AES_CBC);
	nla_put_u32(msg, ESPTUN_A_SA_ENCR_KEY_LEN, 256);
	nla_put_u32(msg, ESPTUN_A_SA_PARTNER_SPI, htonl(0x1000));
	nla_put_u64(msg, ESPTUN_A_SA_SEQ, 1ULL << 33);
	nla_put(msg, ESPTUN_A_SA_COOKIE, 3, "abc");
	nla_put_u8(msg, ESPTUN_A_SA_CONFIRMED, 1);
	nla_put_string(msg, ESPTUN_A_SA_DRIVER, "rfc4106-gcm-aesni");
	put_drops(msg, ESPTUN_A_SA_DROPS);
	put_last_error(msg, ESPTUN_A_SA_LAST_ERROR);
	nla_put_u32(msg, ESPTUN_A_SA_REASON, ESPTUN_DELETE_REASON_FLUSH);
	assert_int_equal(esptun_decode_sa(nlmsg_hdr(msg), &sa), 0);
	assert_int_equal(sa.ifindex, 7);
	assert_int_equal(sa.dir, ESPTUN_DIR_OUT);
	assert_int_equal(sa.spi, 0xdeadbeef);
	assert_int_equal(sa.encr, ESPTUN_ENCR_AES_CBC);
	assert_int_equal(sa.encr_key_bits, 256);
	assert_int_equal(sa.partner_spi, 0x1000);
	assert_int_equal(sa.seq, 1ULL << 33);
	assert_int_equal(sa.cookie_len, 3);
	assert_memory_equal(sa.cookie, "abc", 3);
	assert_true(sa.confirmed);
	assert_string_equal(sa.driver, "rfc4106-gcm-aesni");
	assert_int_equal(sa.reason, ESPTUN_DELETE_REASON_FLUSH);
	check_nests(sa.drops, &sa.last_error);
	nlmsg_free(msg);
}

static void test_sa_selector(void **state)
{
	struct nl_msg *msg = genl(ESPTUN_CMD_SA_GET);
	struct esptun_sa sa;

	(void)state;
	nla_put(msg, ESPTUN_A_SA_SEL_LOCAL, 4, "\12\1\0\0");
	nla_put(msg, ESPTUN_A_SA_SEL_LOCAL_LAST, 4, "\12\1\0\377");
	nla_put(msg, ESPTUN_A_SA_SEL_REMOTE, 16, "0123456789abcdef");
	nla_put(msg, ESPTUN_A_SA_SEL_REMOTE_LAST, 5, "12345");		/* no address */
	nla_put_u8(msg, ESPTUN_A_SA_SEL_PROTO, 6);
	nla_put_u16(msg, ESPTUN_A_SA_SEL_REMOTE_PORT, htons(443));
	nla_put_u32(msg, ESPTUN_A_SA_ENCAP, ESPTUN_ENCAP_UDP);
	nla_put_u16(msg, ESPTUN_A_SA_ENCAP_LOCAL_PORT, htons(4500));
	nla_put_u16(msg, ESPTUN_A_SA_ENCAP_PEER_PORT, htons(1027));
	nla_put_u32(msg, ESPTUN_A_SA_KEEPALIVE, 20);
	assert_int_equal(esptun_decode_sa(nlmsg_hdr(msg), &sa), 0);
	assert_int_equal(sa.sel.local.first.family, AF_INET);
	assert_int_equal(ntohl(sa.sel.local.first.v4.s_addr), 0x0a010000);
	assert_int_equal(ntohl(sa.sel.local.last.v4.s_addr), 0x0a0100ff);
	assert_int_equal(sa.sel.remote.first.family, AF_INET6);
	assert_memory_equal(&sa.sel.remote.first.v6, "0123456789abcdef", 16);
	assert_int_equal(sa.sel.remote.last.family, AF_UNSPEC);
	assert_int_equal(sa.sel.proto, 6);
	assert_int_equal(sa.sel.local_port, 0);
	assert_int_equal(sa.sel.remote_port, 443);
	assert_int_equal(sa.encap, ESPTUN_ENCAP_UDP);
	assert_int_equal(sa.encap_local_port, 4500);
	assert_int_equal(sa.encap_peer_port, 1027);
	assert_int_equal(sa.keepalive, 20);
	nlmsg_free(msg);
}

static void test_acquire_flow(void **state)
{
	struct nl_msg *msg = genl(ESPTUN_CMD_ACQUIRE_NTF);
	struct esptun_tunnel t;
	struct nlattr *nest;

	(void)state;
	nla_put_u32(msg, ESPTUN_A_TUNNEL_IFINDEX, 7);
	nest = nla_nest_start(msg, ESPTUN_A_TUNNEL_FLOW);
	nla_put(msg, ESPTUN_A_FLOW_LOCAL, 4, "\12\1\0\1");
	nla_put(msg, ESPTUN_A_FLOW_REMOTE, 4, "\12\2\0\1");
	nla_put_u8(msg, ESPTUN_A_FLOW_PROTO, 17);
	nla_put_u16(msg, ESPTUN_A_FLOW_LOCAL_PORT, htons(4000));
	nla_put_u16(msg, ESPTUN_A_FLOW_REMOTE_PORT, htons(53));
	nla_nest_end(msg, nest);
	assert_int_equal(esptun_decode_tunnel(nlmsg_hdr(msg), &t), 0);
	assert_int_equal(ntohl(t.flow.local.v4.s_addr), 0x0a010001);
	assert_int_equal(ntohl(t.flow.remote.v4.s_addr), 0x0a020001);
	assert_int_equal(t.flow.proto, 17);
	assert_int_equal(t.flow.local_port, 4000);
	assert_int_equal(t.flow.remote_port, 53);
	nlmsg_free(msg);
}

static void test_sa_odd_attributes(void **state)
{
	struct nl_msg *msg = genl(ESPTUN_CMD_SA_GET);
	char long_name[300];
	struct esptun_sa sa;

	(void)state;
	memset(long_name, 'x', sizeof(long_name));
	nla_put_u8(msg, ESPTUN_A_SA_SPI, 1);			/* too short */
	nla_put(msg, ESPTUN_A_SA_SEQ, 0, NULL);
	nla_put(msg, ESPTUN_A_SA_COOKIE, 65, long_name);	/* too long */
	nla_put(msg, ESPTUN_A_SA_DRIVER, sizeof(long_name), long_name);	/* no end */
	nla_put_u32(msg, ESPTUN_A_SA_ENCR, 4000);		/* from the future */
	nla_put_u32(msg, 200, 1);
	nla_put(msg, ESPTUN_A_SA_DROPS, 3, "abc");		/* no attributes in it */
	nla_put_u32(msg, ESPTUN_A_SA_IFINDEX, 9);
	assert_int_equal(esptun_decode_sa(nlmsg_hdr(msg), &sa), 0);
	assert_int_equal(sa.spi, 0);
	assert_int_equal(sa.seq, 0);
	assert_int_equal(sa.cookie_len, 0);
	assert_int_equal(strlen(sa.driver), sizeof(sa.driver) - 1);
	assert_string_equal(esptun_encr_name(sa.encr), "unknown");
	assert_int_equal(sa.ifindex, 9);
	nlmsg_free(msg);
}

static void test_not_a_message(void **state)
{
	struct nlmsghdr nlh = { .nlmsg_len = NLMSG_HDRLEN + 2 };
	struct esptun_module m;
	struct esptun_tunnel t;
	struct esptun_sa sa;

	(void)state;
	assert_int_equal(esptun_decode_sa(&nlh, &sa), -EBADMSG);
	assert_int_equal(esptun_decode_tunnel(&nlh, &t), -EBADMSG);
	assert_int_equal(esptun_decode_module(&nlh, &m), -EBADMSG);
	assert_int_equal(esptun_decode_link(&nlh, &t), -EBADMSG);
}

static struct nl_msg *link_message(const char *kind)
{
	struct ifinfomsg ifi = { .ifi_index = 7, .ifi_flags = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct nlattr *info, *data;

	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, "paris0");
	nla_put_u32(msg, IFLA_MTU, 1438);
	nla_put_u8(msg, IFLA_CARRIER, 1);
	nla_put_s32(msg, IFLA_LINK_NETNSID, 4);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, kind);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_ESPTUN_LOCAL4, htonl(0xc0000201));
	nla_put_u32(msg, IFLA_ESPTUN_REMOTE4, htonl(0xc0000202));
	nla_put_u8(msg, IFLA_ESPTUN_TTL, 64);
	nla_put_u8(msg, IFLA_ESPTUN_TOS, 1);
	nla_put_u8(msg, IFLA_ESPTUN_PMTUDISC, 1);
	nla_put_u32(msg, IFLA_ESPTUN_FWMARK, 5);
	nla_put_u8(msg, IFLA_ESPTUN_MSS_CLAMP, 1);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return msg;
}

static void test_link(void **state)
{
	struct nl_msg *msg = link_message("esptun");
	struct esptun_tunnel t;

	(void)state;
	assert_int_equal(esptun_decode_link(nlmsg_hdr(msg), &t), 1);
	assert_int_equal(t.ifindex, 7);
	assert_string_equal(t.ifname, "paris0");
	assert_true(t.up);
	assert_true(t.carrier);
	assert_int_equal(t.mtu, 1438);
	assert_int_equal(t.local.v4.s_addr, htonl(0xc0000201));
	assert_int_equal(t.remote.v4.s_addr, htonl(0xc0000202));
	assert_int_equal(t.ttl, 64);
	assert_int_equal(t.tos, 1);
	assert_true(t.pmtudisc);
	assert_int_equal(t.fwmark, 5);
	assert_int_equal(t.link_netnsid, 4);
	assert_false(t.keep_carrier);
	assert_true(t.mss_clamp);
	assert_true(t.fields & ESPTUN_TUNNEL_LOCAL);
	assert_false(t.fields & ESPTUN_TUNNEL_LINK);
	nlmsg_free(msg);
	msg = link_message("vti");
	assert_int_equal(esptun_decode_link(nlmsg_hdr(msg), &t), 0);
	assert_string_equal(t.ifname, "paris0");
	assert_int_equal(t.local.family, AF_UNSPEC);
	nlmsg_free(msg);
}

static void test_merge(void **state)
{
	struct nl_msg *link = link_message("esptun"), *msg = genl(ESPTUN_CMD_TUNNEL_GET);
	struct esptun_tunnel t, s;
	struct nlattr *nest;

	(void)state;
	nla_put_u32(msg, ESPTUN_A_TUNNEL_IFINDEX, 7);
	nla_put_u32(msg, ESPTUN_A_TUNNEL_PATH_MTU, 1500);
	nla_put_u8(msg, ESPTUN_A_TUNNEL_CARRIER, 0);
	nla_put_u32(msg, ESPTUN_A_TUNNEL_OUT_SPI, htonl(0x2000));
	nest = nla_nest_start(msg, ESPTUN_A_TUNNEL_STATS);
	nla_put_u64(msg, ESPTUN_A_STATS_TX_BYTES, 12);
	nla_nest_end(msg, nest);
	put_drops(msg, ESPTUN_A_TUNNEL_DROPS);
	put_last_error(msg, ESPTUN_A_TUNNEL_LAST_ERROR);
	assert_int_equal(esptun_decode_link(nlmsg_hdr(link), &t), 1);
	assert_int_equal(esptun_decode_tunnel(nlmsg_hdr(msg), &s), 0);
	esptun_decode_merge(&t, &s);
	assert_string_equal(t.ifname, "paris0");
	assert_int_equal(t.ttl, 64);
	assert_int_equal(t.mtu, 1438);
	assert_int_equal(t.path_mtu, 1500);
	assert_true(t.carrier);
	assert_int_equal(t.out_spi, 0x2000);
	assert_int_equal(t.stats.tx_bytes, 12);
	check_nests(t.drops, &t.last_error);
	nlmsg_free(link);
	nlmsg_free(msg);
}

/* Any prefix of a message, its length corrected to it, decodes or is refused: no overrun. */
static void test_truncated(void **state)
{
	struct nl_msg *link = link_message("esptun"), *msg = genl(ESPTUN_CMD_SA_GET);
	const struct nl_msg *both[] = { link, msg };
	struct esptun_tunnel t;
	struct esptun_sa sa;

	(void)state;
	put_drops(msg, ESPTUN_A_SA_DROPS);
	put_last_error(msg, ESPTUN_A_SA_LAST_ERROR);
	for (int i = 0; i < 2; i++) {
		const struct nlmsghdr *whole = nlmsg_hdr((struct nl_msg *)(uintptr_t)both[i]);

		for (uint32_t len = NLMSG_HDRLEN; len <= whole->nlmsg_len; len++) {
			struct nlmsghdr *cut = test_malloc(len);

			memcpy(cut, whole, len);
			cut->nlmsg_len = len;
			assert_true(esptun_decode_link(cut, &t) <= 1);
			assert_true(esptun_decode_sa(cut, &sa) <= 0);
			test_free(cut);
		}
	}
	nlmsg_free(link);
	nlmsg_free(msg);
}

/* -- generated tables ------------------------------------------------------------------ */

static void check_names(const struct esptun_nl_names *names, size_t count)
{
	assert_int_equal(names->count, count);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(names->names[i], names->names[j]);
}

static void test_names(void **state)
{
	(void)state;
	check_names(&esptun_nl_dir_names, ESPTUN_DIR_COUNT);
	check_names(&esptun_nl_sa_state_names, ESPTUN_SA_STATE_COUNT);
	check_names(&esptun_nl_encr_names, ESPTUN_ENCR_COUNT);
	check_names(&esptun_nl_auth_names, ESPTUN_AUTH_COUNT);
	check_names(&esptun_nl_drop_names, ESPTUN_DROP_COUNT);
	check_names(&esptun_nl_delete_reason_names, ESPTUN_DELETE_REASON_COUNT);
	assert_string_equal(esptun_drop_name(ESPTUN_DROP_RX_ICV_FAIL), "rx-icv-fail");
	assert_string_equal(esptun_drop_name(ESPTUN_DROP_COUNT), "unknown");
	assert_string_equal(esptun_auth_name(ESPTUN_AUTH_HMAC_SHA256_128), "hmac-sha256-128");
	assert_string_equal(esptun_event_name(ESPTUN_CMD_SA_CONFIRMED_NTF), "sa-confirmed");
	assert_string_equal(esptun_event_name(ESPTUN_EVENT_RESYNC), "resync");
	assert_string_equal(esptun_event_name(0), "unknown");
	assert_string_equal(esptun_event_name(10000), "unknown");
	assert_int_equal(esptun_encr_value("aes-gcm-16"), ESPTUN_ENCR_AES_GCM_16);
	assert_int_equal(esptun_encr_value("aes-gcm"), -ENOENT);
	assert_int_equal(esptun_auth_value(""), -ENOENT);
	assert_int_equal(esptun_dir_value("out"), ESPTUN_DIR_OUT);
}

static void test_sets(void **state)
{
	const struct esptun_nl_set *sets[] = { &esptun_nl_drops_set, &esptun_nl_stats_set,
		&esptun_nl_last_error_set, &esptun_nl_tunnel_set, &esptun_nl_sa_set,
		&esptun_nl_module_set, &esptun_nl_link_set };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		assert_null(sets[i]->attrs[0].name);
		for (int n = 1; n <= sets[i]->max; n++)
			assert_non_null(sets[i]->attrs[n].name);
	}
	/* The drop enum and its counters' attributes run in step. */
	assert_int_equal(ESPTUN_A_DROPS_MAX, ESPTUN_DROP_COUNT);
	for (int n = 0; n < ESPTUN_DROP_COUNT; n++)
		assert_string_equal(esptun_nl_drops_set.attrs[n + 1].name,
				    esptun_drop_name((enum esptun_drop)n));
	for (int cmd = 1; cmd <= ESPTUN_CMD_MAX; cmd++)
		assert_non_null(esptun_nl_cmd_sets[cmd]);
	assert_ptr_equal(esptun_nl_sa_set.attrs[ESPTUN_A_SA_DROPS].nested, &esptun_nl_drops_set);
	assert_ptr_equal(esptun_nl_sa_set.attrs[ESPTUN_A_SA_ENCR].names, &esptun_nl_encr_names);
}

static void test_addresses(void **state)
{
	struct esptun_addr a;
	char buf[INET6_ADDRSTRLEN];

	(void)state;
	assert_int_equal(esptun_addr_parse("2001:db8::1", &a), 0);
	assert_int_equal(a.family, AF_INET6);
	assert_string_equal(esptun_addr_text(&a, buf), "2001:db8::1");
	assert_int_equal(esptun_addr_parse("192.0.2.1/24", &a), -EINVAL);
	assert_int_equal(esptun_addr_parse("", &a), -EINVAL);
	assert_string_equal(esptun_addr_text(&a, buf), "any");
	assert_int_equal(esptun_addr_parse("0.0.0.0", &a), 0);
	assert_string_equal(esptun_addr_text(&a, buf), "any");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sa),
		cmocka_unit_test(test_sa_selector),
		cmocka_unit_test(test_acquire_flow),
		cmocka_unit_test(test_sa_odd_attributes),
		cmocka_unit_test(test_not_a_message),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
