// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands against a recorded kernel: what is asked of it, and what its answers look like
 * as text and as JSON.
 */
#include "tests/cli_run.h"

#include <arpa/inet.h>
#include <unistd.h>
#include <json-c/json.h>

#include "cli/show.h"
#include "tests/fake_kernel.h"

static const struct run_options plain;

static char keyfile[64];

static int make_keyfile(void **state)
{
	static const char text[] = "encr-key = 000102030405060708090a0b0c0d0e0f10111213\n";
	int fd;

	(void)state;
	strcpy(keyfile, "/tmp/esptun-test-cmdXXXXXX");
	fd = mkstemp(keyfile);
	return fd < 0 || write(fd, text, strlen(text)) < 0 || close(fd) < 0;
}

static int drop_keyfile(void **state)
{
	(void)state;
	return unlink(keyfile);
}

static int fresh(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	return 0;
}

static void test_tunnel_add(void **state)
{
	const struct esptun_tunnel *t = &fake.tunnel;

	(void)state;
	expect_run(&plain, "tunnel add paris0 local 192.0.2.1 remote 192.0.2.2", 0, "", "");
	assert_string_equal(fake.last, "tunnel_add");
	assert_string_equal(t->ifname, "paris0");
	assert_int_equal(t->fields, ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE);
	assert_int_equal(t->local.v4.s_addr, htonl(0xc0000201));
	assert_int_equal(t->remote.v4.s_addr, htonl(0xc0000202));
	expect_run(&plain, "tunnel add paris0 local any remote 192.0.2.2", 0, "", "");
	assert_int_equal(t->fields, ESPTUN_TUNNEL_LOCAL | ESPTUN_TUNNEL_REMOTE);
	assert_int_equal(t->local.v4.s_addr, 0);
	expect_run(&plain, "tunnel add name paris0 local 192.0.2.1 remote 192.0.2.2 dev eth0 ttl inherit "
		   "tos 0xb8 pmtudisc off fwmark 0x10 keep-carrier on mss-clamp on mtu 1400 up", 0, "", "");
	assert_string_equal(t->ifname, "paris0");
	assert_int_equal(t->fields, 0x7ff);
	assert_int_equal(t->link, 2);
	assert_int_equal(t->ttl, 0);
	assert_int_equal(t->tos, 0xb8);
	assert_false(t->pmtudisc);
	assert_int_equal(t->fwmark, 16);
	assert_true(t->keep_carrier);
	assert_true(t->mss_clamp);
	assert_int_equal(t->mtu, 1400);
	assert_true(t->up);
}

static void test_external(void **state)
{
	(void)state;
	expect_run(&plain, "tunnel add ext0 external dev eth0", 0, "", "");
	assert_int_equal(fake.tunnel.fields, ESPTUN_TUNNEL_EXTERNAL | ESPTUN_TUNNEL_LINK);
	assert_true(fake.tunnel.external);
	expect_run(&plain, "tunnel add ext0 external remote 192.0.2.2", 1, "",
		   "Error: tunnel add: external goes without local and remote\n");
	expect_run(&plain, "sa del dev paris0 id 7 dir in spi 0x1000", 0, "", "");
	assert_int_equal(fake.sa.tunnel_id, 7);
	expect_run(&plain, "sa flush dev paris0", 0, "", "");
	assert_int_equal(fake.sa.tunnel_id, 0);
}

static void test_tunnel_change(void **state)
{
	(void)state;
	expect_run(&plain, "tunnel change paris0 remote 192.0.2.9 down dev none", 0, "", "");
	assert_string_equal(fake.last, "tunnel_change");
	assert_int_equal(fake.tunnel.fields,
			 ESPTUN_TUNNEL_REMOTE | ESPTUN_TUNNEL_UP | ESPTUN_TUNNEL_LINK);
	assert_false(fake.tunnel.up);
	assert_int_equal(fake.tunnel.link, 0);
	expect_run(&plain, "tunnel del paris0", 0, "", "");
	assert_string_equal(fake.last, "tunnel_del");
}

static void test_refusal(void **state)
{
	(void)state;
	fake.refuse = "local address is in use by rome0 (local4)";
	expect_wrong("tunnel add paris0 local 192.0.2.1 remote 192.0.2.2", CLI_REFUSED,
		     "Error: local address is in use by rome0 (local4)\n", NULL);
	expect_wrong("tunnel show", CLI_REFUSED, fake.refuse, NULL);
	expect_wrong("sa show", CLI_REFUSED, fake.refuse, NULL);
	expect_wrong("sa flush all", CLI_REFUSED, fake.refuse, NULL);
	expect_wrong("module", CLI_REFUSED, fake.refuse, NULL);
	expect_wrong("monitor", CLI_REFUSED, fake.refuse, NULL);
	fake.refuse = NULL;
	expect_wrong("sa alloc-spi dev lyon0", CLI_REFUSED, "there is no such device", NULL);
	assert_string_equal(fake.last, "module_get");
}

static struct run_options add_sa(const char *options, int code, const char *error)
{
	char line[512];

	snprintf(line, sizeof(line), "sa add dev paris0 keyfile %s %s", keyfile, options);
	if (code == CLI_OK)
		expect_run(&plain, line, CLI_OK, "", "");
	else
		expect_wrong(line, code, error, NULL);
	return plain;
}

static void test_sa_add_defaults(void **state)
{
	(void)state;
	add_sa("dir in spi 0x1000", CLI_OK, NULL);
	assert_int_equal(fake.sa.ifindex, 7);
	assert_int_equal(fake.sa.dir, ESPTUN_DIR_IN);
	assert_int_equal(fake.sa.spi, 0x1000);
	assert_int_equal(fake.sa.encr, ESPTUN_ENCR_AES_GCM_16);
	assert_int_equal(fake.sa.auth, ESPTUN_AUTH_NONE);
	assert_int_equal(fake.sa.replay_window, 1024);
	assert_int_equal(fake.sa.flags, 0);
	assert_int_equal(fake.keys.encr_len, 20);
	assert_int_equal(fake.keys.encr[19], 0x13);
	add_sa("dir out spi 4096", CLI_OK, NULL);
	assert_int_equal(fake.sa.state, ESPTUN_SA_STATE_ACTIVE);
	add_sa("dir in spi 4096 encr aes-cbc no-integrity-ok", CLI_OK, NULL);
	assert_int_equal(fake.sa.replay_window, 0);
	assert_int_equal(fake.sa.flags, ESPTUN_SA_FLAG_NO_INTEGRITY_OK);
}

static void test_sa_add_all(void **state)
{
	const struct esptun_sa *sa = &fake.sa;

	(void)state;
	add_sa("dir out spi 0xdeadbeef encr aes-cbc auth hmac-sha256-128 esn seq 5 partner-spi 0x1000 "
	       "state pending soft-bytes 1 hard-bytes 2 soft-packets 3 hard-packets 4 cookie 0a0b",
	       CLI_OK, NULL);
	assert_int_equal(sa->spi, 0xdeadbeef);
	assert_int_equal(sa->encr, ESPTUN_ENCR_AES_CBC);
	assert_int_equal(sa->auth, ESPTUN_AUTH_HMAC_SHA256_128);
	assert_int_equal(sa->flags, ESPTUN_SA_FLAG_ESN);
	assert_int_equal(sa->seq, 5);
	assert_int_equal(sa->partner_spi, 0x1000);
	assert_int_equal(sa->state, ESPTUN_SA_STATE_PENDING);
	assert_int_equal(sa->soft_bytes, 1);
	assert_int_equal(sa->hard_bytes, 2);
	assert_int_equal(sa->soft_packets, 3);
	assert_int_equal(sa->hard_packets, 4);
	assert_int_equal(sa->cookie_len, 2);
	assert_memory_equal(sa->cookie, "\x0a\x0b", 2);
	add_sa("dir in spi 0x1000 replay-window 1024", CLI_OK, NULL);
	assert_int_equal(sa->replay_window, 1024);
}

static void text_of(const struct esptun_addr *a, const char *want)
{
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(inet_ntop(a->family, &a->v6, text, sizeof(text)), want);
}

static void test_sa_add_selector(void **state)
{
	const struct esptun_selector *s = &fake.sa.sel;

	(void)state;
	add_sa("dir in spi 4096", CLI_OK, NULL);
	assert_int_equal(s->local.first.family, AF_UNSPEC);
	add_sa("dir in spi 4096 sel local 10.1.0.0/16 remote 10.2.0.1 proto tcp remote-port 80", CLI_OK, NULL);
	text_of(&s->local.first, "10.1.0.0");
	text_of(&s->local.last, "10.1.255.255");
	text_of(&s->remote.first, "10.2.0.1");
	text_of(&s->remote.last, "10.2.0.1");
	assert_int_equal(s->proto, 6);
	assert_int_equal(s->local_port, 0);
	assert_int_equal(s->remote_port, 80);
	add_sa("dir out spi 4096 sel remote fd00::1-fd00::ff", CLI_OK, NULL);
	assert_int_equal(s->local.first.family, AF_UNSPEC);
	text_of(&s->remote.first, "fd00::1");
	text_of(&s->remote.last, "fd00::ff");
	add_sa("dir out spi 4096 sel local any remote 0.0.0.0/0 proto 89", CLI_OK, NULL);
	text_of(&s->remote.first, "0.0.0.0");
	text_of(&s->remote.last, "255.255.255.255");
	assert_int_equal(s->proto, 89);
	add_sa("dir out spi 4096 sel remote fd00::/65", CLI_OK, NULL);
	text_of(&s->remote.last, "fd00::7fff:ffff:ffff:ffff");
}

static void test_sa_add_selector_wrong(void **state)
{
	static const char *const addresses[] = { "10.1.0.1/16", "10.1.0.0/33", "10.1.0.0/", "10.1/16", "fd00::1/64",
		"10.0.0.9-10.0.0.8", "10.0.0.1-fd00::1", "10.0.0.1-", "-10.0.0.1", "fd00::/129", "\"\"",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64" };
	char line[200];

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		snprintf(line, sizeof(line), "dir in spi 4096 sel local %s", addresses[i]);
		add_sa(line, CLI_USAGE, "local: expected any, an address, a network");
	}
	add_sa("dir in spi 4096 local 10.0.0.0/8", CLI_USAGE, "sel and its local");
	add_sa("dir in spi 4096 sel", CLI_USAGE, "sel and its local");
	add_sa("dir in spi 4096 sel local 10.0.0.0/8 remote fd00::/8", CLI_USAGE, "one address family");
	add_sa("dir in spi 4096 sel local-port 80", CLI_USAGE, "a port needs a proto");
	add_sa("dir in spi 4096 sel proto tcp local-port 0", CLI_USAGE, "a port 1..65535");
	add_sa("dir in spi 4096 sel proto 0", CLI_USAGE, "a protocol: a number 1..255");
	add_sa("dir in spi 4096 sel proto 256", CLI_USAGE, "a protocol: a number 1..255");
	assert_string_equal(fake.last, "");
}

static void test_sa_add_encap(void **state)
{
	const struct esptun_sa *sa = &fake.sa;

	(void)state;
	add_sa("dir out spi 4096 encap udp encap-local-port 4500 encap-peer-port 1027 keepalive 20",
	       CLI_OK, NULL);
	assert_int_equal(sa->encap, ESPTUN_ENCAP_UDP);
	assert_int_equal(sa->encap_local_port, 4500);
	assert_int_equal(sa->encap_peer_port, 1027);
	assert_int_equal(sa->keepalive, 20);
	add_sa("dir in spi 4096 encap udp encap-local-port 1 encap-peer-port 65535 follow-peer",
	       CLI_OK, NULL);
	assert_int_equal(sa->flags, ESPTUN_SA_FLAG_FOLLOW_PEER);
	assert_int_equal(sa->keepalive, 0);
	add_sa("dir in spi 4096 encap none", CLI_OK, NULL);
	add_sa("dir in spi 4096 encap udp encap-local-port 4500", CLI_USAGE, "needs encap-local-port");
	add_sa("dir in spi 4096 encap-peer-port 4500", CLI_USAGE, "go with encap udp");
	add_sa("dir in spi 4096 follow-peer", CLI_USAGE, "go with encap udp");
	add_sa("dir in spi 4096 encap udp encap-local-port 1 encap-peer-port 2 keepalive 9",
	       CLI_USAGE, "outbound SAs only");
	add_sa("dir out spi 4096 encap udp encap-local-port 1 encap-peer-port 2 follow-peer",
	       CLI_USAGE, "inbound SAs only");
	add_sa("dir out spi 4096 encap tcp", CLI_USAGE, "none, udp");
	add_sa("dir out spi 4096 encap udp encap-local-port 0", CLI_USAGE, "1..65535");
	add_sa("dir out spi 4096 keepalive 3601", CLI_USAGE, "1..3600");
}

static void test_sa_add_wrong(void **state)
{
	(void)state;
	add_sa("dir in spi 0x1000 state pending", CLI_USAGE, "state is for outbound SAs only");
	add_sa("dir in spi 0x1000 partner-spi 0x2000", CLI_USAGE, "partner-spi is for outbound");
	add_sa("dir out spi 0x1000 replay-window 64", CLI_USAGE, "replay-window is for inbound");
	add_sa("dir in", CLI_USAGE, "spi SPI is required");
	add_sa("dir in spi 255", CLI_USAGE, "1..255 are reserved");
	add_sa("dir in spi 0x1000 auth hmac-md5", CLI_USAGE, "one of none, hmac-md5-96,");
	add_sa("dir in spi 0x1000 cookie 0", CLI_USAGE, "cookie: expected 1..64 octets");
	add_sa("dir in spi 0x1000 esn esn", CLI_USAGE, "esn: given twice");
	add_sa("dir in spi 0x1000 seq 99999999999999999999", CLI_USAGE, "seq: expected");
	assert_string_equal(fake.last, "");
}

static void test_sa_requests(void **state)
{
	(void)state;
	expect_run(&plain, "sa del dev rome0 dir out spi 0x2000", 0, "", "");
	assert_string_equal(fake.last, "sa_del");
	assert_int_equal(fake.sa.ifindex, 8);
	assert_int_equal(fake.sa.dir, ESPTUN_DIR_OUT);
	assert_int_equal(fake.sa.spi, 0x2000);
	expect_run(&plain, "sa activate dev paris0 spi 0x3000", 0, "", "");
	assert_string_equal(fake.last, "sa_activate");
	assert_int_equal(fake.sa.spi, 0x3000);
	expect_run(&plain, "sa flush all", 0, "", "");
	assert_int_equal(fake.sa.ifindex, 0);
	expect_run(&plain, "sa flush dev paris0", 0, "", "");
	assert_int_equal(fake.sa.ifindex, 7);
	expect_run(&plain, "sa alloc-spi dev paris0", 0, "spi 0xc0ffee01\n", "");
	expect_run(&(struct run_options){ .json = true }, "sa alloc-spi dev paris0", 0,
		   "[{\"spi\":\"0xc0ffee01\"}]\n", "");
}

static void set_tunnel(void)
{
	struct esptun_tunnel *t = &fake.tunnels[0];

	fake.tunnel_count = 1;
	t->ifindex = 7;
	strcpy(t->ifname, "paris0");
	assert_int_equal(esptun_addr_parse("192.0.2.1", &t->local), 0);
	assert_int_equal(esptun_addr_parse("192.0.2.2", &t->remote), 0);
	t->link = 2;
	t->link_netnsid = -1;
	t->ttl = 64;
	t->tos = 1;
	t->pmtudisc = true;
	t->mtu = 1438;
	t->path_mtu = 1500;
	t->overhead = 62;
	t->up = t->carrier = true;
	t->sa_count = 2;
	t->out_spi = 0xabcd;
	t->stats = (struct esptun_stats){ 1, 2, 3, 4 };
	t->drops[ESPTUN_DROP_RX_ICV_FAIL] = 9;
	t->last_error = (struct esptun_drop_record){ .time = 88ULL * 1000000000, .seq = 6,
		.reason = ESPTUN_DROP_RX_ICV_FAIL, .spi = 0x1000, .source = t->remote };
}

static void test_tunnel_show_text(void **state)
{
	(void)state;
	set_tunnel();
	expect_run(&plain, "tunnel show", 0,
		   "paris0 ifindex 7 local 192.0.2.1 remote 192.0.2.2 link eth0 ttl 64 tos inherit pmtudisc on\n"
		   "    state up carrier on mtu 1438 path-mtu 1500 overhead 62 sa-count 2 out-spi 0x0000abcd\n", "");
	expect_run(&(struct run_options){ .stats = 2 }, "tunnel show paris0", 0,
		   "paris0 ifindex 7 local 192.0.2.1 remote 192.0.2.2 link eth0 ttl 64 tos inherit pmtudisc on\n"
		   "    state up carrier on mtu 1438 path-mtu 1500 overhead 62 sa-count 2 out-spi 0x0000abcd\n"
		   "    stats: rx-packets 1 rx-bytes 2 tx-packets 3 tx-bytes 4\n"
		   "    drops: rx_icv_fail 9\n"
		   "    last-error: reason rx-icv-fail spi 0x00001000 seq 6 source 192.0.2.2 time 12.0s ago\n",
		   "");
}

static void test_tunnel_show_none(void **state)
{
	(void)state;
	expect_run(&plain, "tunnel show", 0, "", "");
	fake.no_module = true;
	expect_run(&plain, "tunnel show", 0, "", "There is no tunnel: the module is not loaded\n");
	expect_run(&(struct run_options){ .json = true }, "tunnel show", 0, "[]\n", "");
	set_tunnel();
	expect_wrong("module", CLI_REFUSED, "the module is not loaded", NULL);
	assert_string_equal(fake.last, "tunnel_dump");
}

static void test_moved_tunnel(void **state)
{
	(void)state;
	set_tunnel();
	fake.tunnels[0].link_netnsid = 3;
	expect_run(&plain, "tunnel show", 0,
		   "paris0 ifindex 7 local 192.0.2.1 remote 192.0.2.2 link if2 link-netnsid 3 ttl 64 tos inherit pmtudisc on\n"
		   "    state up carrier on mtu 1438 path-mtu 1500 overhead 62 sa-count 2 out-spi 0x0000abcd\n", "");
}

static void test_tunnel_show_json(void **state)
{
	(void)state;
	expect_run(&(struct run_options){ .json = true }, "tunnel", 0, "[]\n", "");
	set_tunnel();
	expect_run(&(struct run_options){ .json = true, .stats = 2 }, "tunnel", 0,
		   "[{\"dev\":\"paris0\",\"ifindex\":7,\"local\":\"192.0.2.1\",\"remote\":\"192.0.2.2\","
		   "\"link\":\"eth0\",\"ttl\":64,\"tos\":\"inherit\",\"pmtudisc\":true,\"keep_carrier\":false,"
		   "\"mss_clamp\":false,"
		   "\"state\":\"up\",\"carrier\":true,\"mtu\":1438,\"path_mtu\":1500,\"overhead\":62,"
		   "\"sa_count\":2,\"out_spi\":\"0x0000abcd\","
		   "\"stats\":{\"rx_packets\":1,\"rx_bytes\":2,\"tx_packets\":3,\"tx_bytes\":4},"
		   "\"drops\":{\"rx_icv_fail\":9},"
		   "\"last_error\":{\"reason\":\"rx-icv-fail\",\"spi\":\"0x00001000\",\"seq\":6,"
		   "\"source\":\"192.0.2.2\",\"time\":88000000000}}]\n", "");
}

static void set_sas(void)
{
	struct esptun_sa *sa = fake.sas;

	fake.sa_count = 2;
	sa[0] = (struct esptun_sa){ .ifindex = 7, .dir = ESPTUN_DIR_OUT, .spi = 0x2000,
		.encr = ESPTUN_ENCR_DES3_CBC, .encr_key_bits = 192, .auth = ESPTUN_AUTH_HMAC_MD5_96,
		.auth_key_bits = 128, .state = ESPTUN_SA_STATE_ACTIVE, .seq = 11,
		.partner_spi = 0x1000, .packets = 11, .bytes = 924, .created = 40ULL * 1000000000,
		.hard_bytes = 5000, .cookie = { 0xca, 0xfe }, .cookie_len = 2, .driver = "generic" };
	sa[1] = (struct esptun_sa){ .ifindex = 7, .dir = ESPTUN_DIR_IN, .spi = 0x1000,
		.encr = ESPTUN_ENCR_AES_GCM_16, .encr_key_bits = 256, .flags = ESPTUN_SA_FLAG_ESN,
		.state = ESPTUN_SA_STATE_ACTIVE, .replay_window = 64, .confirmed = true };
}

static void test_sa_show_text(void **state)
{
	(void)state;
	set_sas();
	expect_run(&plain, "sa show dev paris0", 0,
		   "paris0 ifindex 7 dir in spi 0x00001000 state active encr aes-gcm-16 encr-key-bits 256\n"
		   "    seq 0 esn replay-window 64 confirmed\n"
		   "paris0 ifindex 7 dir out spi 0x00002000 state active encr des3-cbc encr-key-bits 192 "
		   "auth hmac-md5-96 auth-key-bits 128 [weak: des3-cbc, hmac-md5-96]\n"
		   "    seq 11 partner-spi 0x00001000\n", "");
	assert_int_equal(fake.sa.ifindex, 7);
	expect_run(&(struct run_options){ .stats = 2 }, "sa show dir out", 0,
		   "paris0 ifindex 7 dir out spi 0x00002000 state active encr des3-cbc encr-key-bits 192 "
		   "auth hmac-md5-96 auth-key-bits 128 [weak: des3-cbc, hmac-md5-96]\n"
		   "    seq 11 partner-spi 0x00001000\n"
		   "    packets 11 bytes 924 created 1m0s ago last-used never\n", "");
}

static void test_sa_show_selector(void **state)
{
	struct esptun_selector *s = &fake.sas[0].sel;

	(void)state;
	set_sas();
	fake.sa_count = 1;
	esptun_addr_parse("10.1.0.0", &s->local.first);
	esptun_addr_parse("10.1.255.255", &s->local.last);
	esptun_addr_parse("10.2.0.5", &s->remote.first);
	esptun_addr_parse("10.2.0.7", &s->remote.last);
	s->proto = 17;
	s->remote_port = 53;
	expect_run(&plain, "sa show", 0,
		   "paris0 ifindex 7 dir out spi 0x00002000 state active encr des3-cbc encr-key-bits 192 "
		   "auth hmac-md5-96 auth-key-bits 128 [weak: des3-cbc, hmac-md5-96]\n"
		   "    seq 11 partner-spi 0x00001000\n"
		   "    selector: local 10.1.0.0/16 remote 10.2.0.5-10.2.0.7 proto udp remote-port 53\n", "");
	memset(s, 0, sizeof(*s));
	esptun_addr_parse("::", &s->local.first);
	esptun_addr_parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &s->local.last);
	esptun_addr_parse("fd00::1", &s->remote.first);
	s->remote.last = s->remote.first;
	expect_run(&(struct run_options){ .json = true }, "sa show", 0,
		   "[{\"dev\":\"paris0\",\"ifindex\":7,\"dir\":\"out\",\"spi\":\"0x00002000\",\"state\":\"active\","
		   "\"encr\":\"des3-cbc\",\"encr_key_bits\":192,\"auth\":\"hmac-md5-96\",\"auth_key_bits\":128,"
		   "\"weak\":[\"des3-cbc\",\"hmac-md5-96\"],\"seq\":11,\"esn\":false,\"partner_spi\":\"0x00001000\","
		   "\"selector\":{\"local\":\"::/0\",\"remote\":\"fd00::1/128\"}}]\n", "");
}

/* Details show every drop counter there is, by the name that ethtool gives it. */
static void test_sa_show_details(void **state)
{
	struct ran r;
	char name[64];

	(void)state;
	set_sas();
	r = run_with(&(struct run_options){ .stats = 2, .details = true }, "sa show dir out");
	assert_int_equal(r.code, CLI_OK);
	assert_non_null(strstr(r.out, "\n    drops: tx_no_sa 0 tx_expired 0 "));
	for (int i = 0; i < ESPTUN_DROP_COUNT; i++) {
		snprintf(name, sizeof(name), " %s 0", esptun_drop_name((enum esptun_drop)i));
		for (char *ch = name; *ch; ch++)
			*ch = *ch == '-' ? '_' : *ch;
		assert_non_null(strstr(r.out, name));
	}
	assert_non_null(strstr(r.out, "\n    limits: hard-bytes 5000\n    driver generic cookie cafe\n"));
	ran_free(&r);
}

static void test_sa_show_json(void **state)
{
	(void)state;
	set_sas();
	expect_run(&(struct run_options){ .json = true, .stats = 1 }, "sa show spi 0x2000", 0,
		   "[{\"dev\":\"paris0\",\"ifindex\":7,\"dir\":\"out\",\"spi\":\"0x00002000\",\"state\":\"active\","
		   "\"encr\":\"des3-cbc\",\"encr_key_bits\":192,\"auth\":\"hmac-md5-96\",\"auth_key_bits\":128,"
		   "\"weak\":[\"des3-cbc\",\"hmac-md5-96\"],\"seq\":11,\"esn\":false,"
		   "\"partner_spi\":\"0x00001000\",\"packets\":11,\"bytes\":924,\"created\":40000000000,"
		   "\"last_used\":0}]\n", "");
}

/* Every combination of options gives JSON that parses, and that never holds a key. */
static void test_json_parses(void **state)
{
	static const char *const lines[] = { "tunnel", "sa", "module", "tunnel show paris0" };
	struct json_object *tree;
	struct ran r;

	(void)state;
	set_tunnel();
	set_sas();
	for (int i = 0; i < 4 * 4; i++) {
		struct run_options o = { .json = true, .stats = i / 4, .details = i / 4 == 3 };

		r = run_with(&o, lines[i % 4]);
		assert_int_equal(r.code, CLI_OK);
		tree = json_tokener_parse(r.out);
		assert_non_null(tree);
		assert_true(json_object_is_type(tree, json_type_array));
		assert_true(json_object_array_length(tree) >= 1);
		assert_null(strstr(r.out, "_key\""));
		json_object_put(tree);
		ran_free(&r);
	}
}

static void test_weak(void **state)
{
	static const struct { enum esptun_encr encr; enum esptun_auth auth; size_t count; } cases[] = {
		{ ESPTUN_ENCR_AES_GCM_16, ESPTUN_AUTH_NONE, 0 },
		{ ESPTUN_ENCR_AES_CBC, ESPTUN_AUTH_HMAC_SHA256_128, 0 },
		{ ESPTUN_ENCR_AES_CBC, ESPTUN_AUTH_HMAC_SHA1_96, 1 },
		{ ESPTUN_ENCR_AES_CBC, ESPTUN_AUTH_NONE, 1 },
		{ ESPTUN_ENCR_DES3_CBC, ESPTUN_AUTH_HMAC_SHA512_256, 1 },
		{ ESPTUN_ENCR_NULL, ESPTUN_AUTH_HMAC_MD5_96, 2 },
		{ ESPTUN_ENCR_NULL, ESPTUN_AUTH_NONE, 2 },
		{ ESPTUN_ENCR_AES_GCM_8, ESPTUN_AUTH_NONE, 1 },
		{ ESPTUN_ENCR_AES_CCM_12, ESPTUN_AUTH_NONE, 0 },
		{ ESPTUN_ENCR_NULL_AES_GMAC, ESPTUN_AUTH_NONE, 1 },
		{ ESPTUN_ENCR_CHACHA20_POLY1305, ESPTUN_AUTH_NONE, 0 },
		{ ESPTUN_ENCR_AES_CTR, ESPTUN_AUTH_AES_XCBC_96, 0 },
		{ ESPTUN_ENCR_AES_CTR, ESPTUN_AUTH_NONE, 1 },
		{ ESPTUN_ENCR_AES_CBC, ESPTUN_AUTH_HMAC_SHA256_96, 1 },
	};
	const char *words[2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct esptun_sa sa = { .encr = cases[i].encr, .auth = cases[i].auth };

		assert_int_equal(cli_weak(&sa, words), cases[i].count);
	}
}

static struct ran run_batch(const char *text, bool force)
{
	struct cli c = { .objects = all_objects, .force = force };
	char name[] = "/tmp/esptun-test-batchXXXXXX";
	struct ran r = { .out = NULL };
	size_t outlen, errlen;
	int fd = mkstemp(name);

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	out_init(&c.out, open_memstream(&r.out, &outlen), false, false);
	c.err = open_memstream(&r.err, &errlen);
	r.code = cli_batch(&c, name);
	fclose(c.out.f);
	fclose(c.err);
	unlink(name);
	return r;
}

static void test_batch(void **state)
{
	struct ran r;

	(void)state;
	r = run_batch("# two tunnels\ntunnel add a local 192.0.2.1 remote 192.0.2.2 # tail\n\n"
		      "tunnel 'add' \"paris0\" local 192.0.2.1\tremote 192.0.2.2", false);
	assert_int_equal(r.code, CLI_OK);
	assert_string_equal(r.err, "");
	assert_string_equal(fake.tunnel.ifname, "paris0");
	ran_free(&r);
	r = run_batch("tunnel del 'paris0\n", false);
	assert_int_equal(r.code, CLI_USAGE);
	assert_non_null(strstr(r.err, "a quote is not closed\nCommand failed "));
	assert_non_null(strstr(r.err, ":1\n"));
	ran_free(&r);
	fake.last[0] = '\0';
	r = run_batch("frob\ntunnel del a\n", false);
	assert_int_equal(r.code, CLI_USAGE);
	assert_string_equal(fake.last, "");
	ran_free(&r);
	r = run_batch("frob\ntunnel del a\n", true);
	assert_int_equal(r.code, CLI_USAGE);
	assert_string_equal(fake.last, "tunnel_del");
	ran_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tunnel_add, fresh),
		cmocka_unit_test_setup(test_external, fresh),
		cmocka_unit_test_setup(test_tunnel_change, fresh),
		cmocka_unit_test_setup(test_refusal, fresh),
		cmocka_unit_test_setup(test_sa_add_defaults, fresh),
		cmocka_unit_test_setup(test_sa_add_all, fresh),
		cmocka_unit_test_setup(test_sa_add_wrong, fresh),
		cmocka_unit_test_setup(test_sa_add_selector, fresh),
		cmocka_unit_test_setup(test_sa_add_selector_wrong, fresh),
		cmocka_unit_test_setup(test_sa_add_encap, fresh),
		cmocka_unit_test_setup(test_sa_show_selector, fresh),
		cmocka_unit_test_setup(test_sa_requests, fresh),
		cmocka_unit_test_setup(test_tunnel_show_text, fresh),
		cmocka_unit_test_setup(test_tunnel_show_none, fresh),
		cmocka_unit_test_setup(test_moved_tunnel, fresh),
		cmocka_unit_test_setup(test_tunnel_show_json, fresh),
		cmocka_unit_test_setup(test_sa_show_text, fresh),
		cmocka_unit_test_setup(test_sa_show_details, fresh),
		cmocka_unit_test_setup(test_sa_show_json, fresh),
		cmocka_unit_test_setup(test_json_parses, fresh),
		cmocka_unit_test_setup(test_weak, fresh),
		cmocka_unit_test_setup(test_batch, fresh),
	};

	return cmocka_run_group_tests(tests, make_keyfile, drop_keyfile);
}
