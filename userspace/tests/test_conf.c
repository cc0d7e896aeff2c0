// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keyer's configuration: the example in Documentation loads as it is, each mistake is
 * reported with the line it stands on, all mistakes of a file together, secrets are refused
 * when others can read them, and no mutation of a good file does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf_load.h"
#include "esptund/secrets.h"
#include "vectors.h"

static int make_dir(void **state)
{
	static const char psk[] = "correct horse battery staple\n";

	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	write_file("good.psk", psk, strlen(psk), 0600);
	write_file("paris.psk", psk, strlen(psk), 0600);
	write_file("depot.psk", "0x00112233445566778899aabbccddeeff", 34, 0400);
	return 0;
}

static int remove_dir(void **state)
{
	static const char *const files[] = { "good.psk", "paris.psk", "depot.psk", "other.psk", "esptun.conf" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	return rmdir(test_dir);
}

/* ---- what is right ------------------------------------------------------------------------ */

static char *read_example(size_t *len)
{
	static char text[16384];
	char path[8192];
	FILE *f;

	snprintf(path, sizeof(path), "%s../../Documentation/examples/esptun.conf", tests_dir());
	f = fopen(path, "r");
	assert_non_null(f);
	*len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[*len] = 0;
	return text;
}

static void assert_ip(const struct ike_addr *a, int b0, int b1, int b2, int b3)
{
	const uint8_t ip[4] = { (uint8_t)b0, (uint8_t)b1, (uint8_t)b2, (uint8_t)b3 };

	assert_int_equal(a->family, 4);
	assert_int_equal(a->port, 500);
	assert_memory_equal(a->ip, ip, 4);
}

static void example_loads(void **state)
{
	const struct ike_tunnel_cfg *t;
	char buf[300];
	struct conf *c;
	size_t len;

	(void)state;
	c = assert_loads(read_example(&len));
	assert_int_equal(c->ike.n_tunnels, 2);
	t = &c->ike.tunnel[0];
	assert_string_equal(t->name, "paris");
	assert_string_equal(c->tunnel[0].device, "paris0");
	assert_true(c->tunnel[0].create_device);
	assert_ip(&t->local, 192, 0, 2, 1);
	assert_ip(&t->remote, 198, 51, 100, 7);
	assert_string_equal(ike_id_format(&t->local_id, buf, sizeof(buf)), "fqdn:branch.example");
	assert_string_equal(ike_id_format(&t->remote_id, buf, sizeof(buf)), "fqdn:paris.example");
	assert_int_equal(t->psk_len, strlen("correct horse battery staple"));
	assert_memory_equal(t->psk, "correct horse battery staple", t->psk_len);
	assert_int_equal(t->policy, IKE_POLICY_MODERN);
	assert_int_equal(t->n_p1, 2);
	assert_string_equal(ike_p1_format(&t->p1[1], buf, sizeof(buf)), "aes256-sha384-ecp384");
	assert_int_equal(t->n_p2, 2);
	assert_string_equal(ike_p2_format(&t->p2[0], buf, sizeof(buf)), "aes128gcm16-modp2048");
	assert_int_equal(t->p1_life, 8 * 3600);
	assert_int_equal(t->p2_life, 3600);
	assert_int_equal(t->p2_life_kb, 4000000000u / 1024);
	assert_int_equal(t->replay_window, 1024);
	assert_int_equal(t->start, IKE_START_AUTO);
	t = &c->ike.tunnel[1];
	assert_string_equal(c->tunnel[1].device, "depot0");
	assert_false(c->tunnel[1].create_device);
	assert_int_equal(t->policy, IKE_POLICY_INSECURE);
	assert_int_equal(t->psk_len, 16);
	assert_int_equal(t->psk[15], 0xff);
	assert_int_equal(t->p1_life, 86400);
	assert_int_equal(t->p2_life, 1800);
	assert_int_equal(t->p2_life_kb, 0);
	assert_int_equal(t->replay_window, 64);
	assert_int_equal(t->start, IKE_START_TRAFFIC);
	conf_free(c);
}

/* Weak choices are allowed there, and flagged where they stand. */
static void example_flags_weak_choices(void **state)
{
	struct conf *c;
	size_t len;

	(void)state;
	c = assert_loads(read_example(&len));
	assert_int_equal(found.warnings, 2);
	assert_true(has_finding(CONF_WARNING, 40, "tunnel depot: phase1 \"3des-md5-modp1024\" is weak"));
	assert_true(has_finding(CONF_WARNING, 41, "tunnel depot: phase2 \"3des-md5\" is weak"));
	conf_free(c);
}

static void defaults(void **state)
{
	static const uint8_t any[16];
	const struct ike_tunnel_cfg *t;
	struct conf *c;

	(void)state;
	c = assert_loads(TUNNEL(""));
	assert_int_equal(found.n, 0);
	t = &c->ike.tunnel[0];
	assert_int_equal(t->line, 1);
	assert_string_equal(c->tunnel[0].device, "paris");
	assert_false(c->tunnel[0].create_device);
	assert_int_equal(t->local.family, 4);
	assert_memory_equal(t->local.ip, any, 16);
	assert_int_equal(t->local_id.type, 0);
	assert_int_equal(t->remote_id.type, 0);
	assert_int_equal(t->policy, IKE_POLICY_MODERN);
	assert_true(t->n_p1 >= 2 && t->n_p2 >= 2);
	assert_null(ike_p1_weakness(&t->p1[0]));
	assert_null(ike_p2_weakness(&t->p2[0]));
	assert_int_equal(t->p1_life, 86400);
	assert_int_equal(t->p2_life, 3600);
	assert_int_equal(t->p2_life_kb, 0);
	assert_int_equal(t->grace, 30);
	assert_int_equal(t->dpd, 30);
	assert_int_equal(t->start, IKE_START_AUTO);
	assert_int_equal(t->sel[0].local.prefix, 0);
	assert_int_equal(t->sel[0].remote.prefix, 0);
	conf_free(c);
}

static void nearest_section_wins(void **state)
{
	struct conf *c;

	(void)state;
	c = assert_loads("default { grace = 1s  lifetime = 2h  phase1-lifetime = 3h  psk = 'default key, quite long' }\n"
			 "profile p { lifetime = 4h  phase1-lifetime = 5h  psk-file = good.psk }\n"
			 TUNNEL("profile = p  phase1-lifetime = 6h\n")
			 "tunnel rome { remote = 203.0.113.1 }\n");
	assert_int_equal(c->ike.tunnel[0].grace, 1);
	assert_int_equal(c->ike.tunnel[0].p2_life, 4 * 3600);
	assert_int_equal(c->ike.tunnel[0].p1_life, 6 * 3600);
	assert_memory_equal(c->ike.tunnel[0].psk, "correct", 7);
	assert_memory_equal(c->ike.tunnel[1].psk, "default key, quite long", 23);
	assert_int_equal(c->ike.tunnel[1].p2_life, 2 * 3600);
	conf_free(c);
}

static void spellings(void **state)
{
	struct conf *c;

	(void)state;
	c = assert_loads("/* a comment\n over lines */ // and one more\n"
			 "tunnel 'a-b_c.9' { remote=198.51.100.7 # no blanks needed\n psk = '${not a variable} #\"\\\\'\n"
			 "device=x lifetime={512MB,90} phase1 = \"aes128-sha256-ecp256\"\n"
			 "local-net = 10.0.0.0/8 remote-net = 10.1.2.3 }\n");
	assert_string_equal(c->ike.tunnel[0].name, "a-b_c.9");
	assert_int_equal(c->ike.tunnel[0].line, 3);
	assert_memory_equal(c->ike.tunnel[0].psk, "${not a variable} #\"\\", 21);
	assert_int_equal(c->ike.tunnel[0].p2_life, 90);
	assert_int_equal(c->ike.tunnel[0].p2_life_kb, 500000);
	assert_int_equal(c->ike.tunnel[0].n_p1, 1);
	assert_int_equal(c->ike.tunnel[0].sel[0].local.prefix, 8);
	assert_int_equal(c->ike.tunnel[0].sel[0].remote.prefix, 32);
	conf_free(c);
	c = assert_loads("");
	assert_int_equal(c->ike.n_tunnels, 0);
	assert_true(has_finding(CONF_WARNING, 0, "no tunnel"));
	conf_free(c);
}

static void several_selectors(void **state)
{
	struct conf *c = assert_loads("tunnel t { remote = 198.51.100.7  psk = \"0123456789012345678901\"  narrowing = true\n"
				      "selectors = { \"10.1.0.0/16 === 10.2.0.0/16\", '10.1.2.3===any' } }\n"
				      "default { local-net = 10.9.0.0/16 }\n");
	const struct ike_tunnel_cfg *t = &c->ike.tunnel[0];

	(void)state;
	assert_int_equal(t->n_sel, 2);
	assert_int_equal(t->sel[0].remote.ip[1], 2);
	assert_int_equal(t->sel[1].local.prefix, 32);
	assert_int_equal(t->sel[1].remote.prefix, 0);
	assert_true(t->narrowing);
	conf_free(c);
	/* The nearer spelling wins. */
	c = assert_loads("default { selectors = \"10.1.0.0/16 === any\" }\n"
			 "tunnel t { remote = 198.51.100.7 psk = \"0123456789012345678901\" remote-net = 10.2.0.0/16 }\n");
	assert_int_equal(c->ike.tunnel[0].n_sel, 1);
	assert_int_equal(c->ike.tunnel[0].sel[0].local.prefix, 0);
	assert_int_equal(c->ike.tunnel[0].sel[0].remote.prefix, 16);
	conf_free(c);
}

static void outside_is_ipv6_as_well(void **state)
{
	struct conf *c = assert_loads("tunnel six {\n  remote = 2001:db8::7\n  psk-file = good.psk\n"
				      "  local-net = \"::/0\"\n  remote-net = \"::/0\"\n"
				      "  encapsulation = force\n  nat-keepalive = off\n"
				      "  fragmentation = accept\n  fragment-size = 600\n}\n");
	const struct ike_tunnel_cfg *t = &c->ike.tunnel[0];

	(void)state;
	assert_int_equal(t->remote.family, 6);
	assert_int_equal(t->remote.ip[15], 7);
	assert_int_equal(t->remote.port, 500);
	/* Any local address, of the peer's family. */
	assert_int_equal(t->local.family, 6);
	assert_int_equal(t->n_sel, 1);
	assert_int_equal(t->sel[0].local.family, 6);
	assert_int_equal(t->encapsulation, IKE_ENCAPSULATION_FORCE);
	assert_int_equal(t->nat_keepalive, 0);
	assert_int_equal(t->fragmentation, IKE_FRAGMENTATION_ACCEPT);
	assert_int_equal(t->fragment_size, 600);
	conf_free(c);
}

/* ---- what is wrong: one mistake, one error, its line ------------------------------------------ */

static void mistakes(void **state)
{
	static const struct { const char *text; unsigned int line; const char *part; } t[] = {
		/* grammar */
		{ TUNNEL("  psk-fil = x\n"), 4, "did you mean psk-file" },
		{ TUNNEL("  nat-t = yes\n"), 4, "unknown key \"nat-t\"" },
		{ TUNNEL("  dpd = 1s\n"), 4, "2s to 1d" },
		{ TUNNEL("  dpd = never\n"), 4, "off, or a time" },
		{ "defaults { grace = 1s }\n" TUNNEL(""), 1, "unknown section or key \"defaults\"" },
		{ "\ntrustpoint CA { ca = x }\n" TUNNEL(""), 2, "ca: cannot open" },
		{ "\nauthority CA { ca = x  cert = { y, z } }\n" TUNNEL(""), 2, "unknown section or key \"authority\"" },
		{ "grace = 1s\n" TUNNEL(""), 1, "grace must stand in a default, profile or tunnel section" },
		{ TUNNEL("  grace 1s\n"), 4, "write grace = VALUE" },
		{ "tunnel {\n}\n", 1, "write tunnel NAME" },
		{ TUNNEL("") "}\n", 5, "closes nothing" },
		{ "tunnel paris {\n remote = 198.51.100.7\n", 1, "add the }" },
		{ "tunnel paris {\n phase1 = {\n", 2, "add the }" },
		{ TUNNEL("") "tunnel", 5, "the file ends" },
		{ "zone { local = 3 }\n" TUNNEL(""), 1, "unknown section or key \"zone\"" },
		{ TUNNEL("  psk = \"abc\n"), 4, "add the closing \"" },
		{ TUNNEL("  identity = 'abc\n"), 4, "add the closing '" },
		{ "/* open\n" TUNNEL(""), 1, "add */" },
		{ TUNNEL("  identity = \"fqdn:${HOME}\"\n"), 4, "single quotes" },
		{ TUNNEL("  identity = ${HOME}\n"), 4, "environment variables" },
		{ TUNNEL("  identity = \"\\x41\"\n"), 4, "\\" },
		{ TUNNEL("  phase1 = {}\n"), 1, "empty list" },
		{ TUNNEL("  phase1 += { \"aes256-sha256-modp2048\" }\n"), 4, "nothing before it" },
		{ TUNNEL("  phase1 = { \"aes256-sha256-modp2048\" \"aes128-sha256-modp2048\" }\n"), 4, "missing quote, comma" },
		{ TUNNEL("  paris|grace = 3\n"), 4, "'|'" },
		{ TUNNEL("  grace = \001\n"), 4, "control character" },
		/* repetitions */
		{ TUNNEL("  grace = 1s\n\n  grace = 1s\n"), 6, "set on line 4 already" },
		{ TUNNEL("  remote = 203.0.113.1\n"), 4, "set on line 2 already" },
		{ "default { grace = 1s }\n\ndefault { grace = 2s }\n" TUNNEL(""), 3, "first on line 1" },
		{ TUNNEL("  phase1 = \"aes256-sha256-group14\"\n"), 4, "modp2048 (number 14)" },
		{ "profile p { }\nprofile p { }\n" TUNNEL(" profile = p\n"), 2, "profile p is there twice" },
		{ TUNNEL("  phase1 = { \"aes128-sha256-ecp256\",\n\"aes128-sha256-ecp256\" }\n"), 5, "listed twice" },
		/* values */
		{ TUNNEL("  local = 192.0.2.300\n"), 4, "must be an IPv4 or IPv6 address" },
		{ TUNNEL("  local = 192.0.2\n"), 4, "must be an IPv4 or IPv6 address" },
		{ TUNNEL("  local = fe80::1\n"), 4, "not link-local" },
		{ TUNNEL("  local = ff02::1\n"), 4, "one host" },
		{ TUNNEL("  encapsulation = perhaps\n"), 4, "auto, force or never" },
		{ TUNNEL("  nat-keepalive = 2h\n"), 4, "from 1s to 1h" },
		{ TUNNEL("  fragmentation = some\n"), 4, "yes, accept, no or force" },
		{ TUNNEL("  fragment-size = 100\n"), 4, "576 to 1500" },
		{ TUNNEL("  local = 2001:db8::1\n"), 1, "of different families" },
		{ TUNNEL("  local = 224.0.0.1\n"), 4, "one host" },
		{ TUNNEL("  local = 255.255.255.255\n"), 4, "one host" },
		{ TUNNEL("  local = 0.1.2.3\n"), 4, "one host" },
		{ TUNNEL("  local = { 192.0.2.1, 192.0.2.2 }\n"), 4, "takes at most 1" },
		{ "tunnel a {\n  remote = any\n  psk-file = good.psk\n}\n", 1, "a peer at any address is told by its identity" },
		{ "tunnel a {\n  remote = any\n  psk-file = good.psk\n  aggressive-psk = insecure-yes\n}\n", 1,
		  "start = respond and match-identity are needed" },
		{ "tunnel a {\n  remote = 192.0.2.2\n  psk-file = good.psk\n  exchange = aggressive\n}\n", 1,
		  "says our identity in the first message" },
		{ "tunnel a {\n  remote = 192.0.2.2\n  psk-file = good.psk\n  exchange = base\n}\n", 4, "must be main or aggressive" },
		{ "tunnel a {\n  remote = 192.0.2.2\n  psk-file = good.psk\n  aggressive-psk = yes\n}\n", 4,
		  "must be no or insecure-yes" },
		{ TUNNEL("  local = 198.51.100.7\n"), 1, "same address" },
		{ TUNNEL("  identity = \"ipv4:nonsense\"\n"), 4, "must be ipv4:" },
		{ TUNNEL("  auth = rsa\n"), 1, "authentication rsa needs a trustpoint" },
		{ TUNNEL("  policy = weak\n"), 4, "modern, legacy or insecure" },
		{ TUNNEL("  phase1 = \"aes257-sha256-modp2048\"\n"), 4, "aes257-sha256-modp2048" },
		{ TUNNEL("  phase1 = \"\"\n"), 4, "phase1 \"\"" },
		{ TUNNEL("  phase2 = \"aes128gcm16-sha256\"\n"), 4, "aes128gcm16-sha256" },
		{ TUNNEL("  phase1-lifetime = 9s\n"), 4, "10s to 30d" },
		{ TUNNEL("  phase1-lifetime = 31d\n"), 4, "10s to 30d" },
		{ TUNNEL("  phase1-lifetime = 1w\n"), 4, "10s to 30d" },
		{ TUNNEL("  lifetime = 18446744073709551617s\n"), 4, "10s to 30d" },
		{ TUNNEL("  lifetime = -1h\n"), 4, "10s to 30d" },
		{ TUNNEL("  lifetime = { 1h, 2h }\n"), 4, "one of each" },
		{ TUNNEL("  lifetime = 100KB\n"), 4, "1MB" },
		{ TUNNEL("  lifetime = 512mb\n"), 4, "1MB" },
		{ TUNNEL("  lifetime = 99999999999GB\n"), 4, "1MB" },
		{ TUNNEL("  lifetime = 20s\n"), 1, "longer than grace" },
		{ TUNNEL("  replay-window = 31\n"), 4, "32 to 4096" },
		{ TUNNEL("  replay-window = 4097\n"), 4, "32 to 4096" },
		{ TUNNEL("  replay-window = 0\n  phase2 = 'aes128gcm16-esn'\n"), 1, "need a replay window" },
		{ TUNNEL("  grace = 11m\n"), 4, "0s to 10m" },
		{ TUNNEL("  start = now\n"), 4, "auto, traffic or respond" },
		{ TUNNEL("  create-device = maybe\n"), 4, "true or false" },
		{ TUNNEL("  device = abcdefghijklmnop\n"), 4, "interface name" },
		{ TUNNEL("  device = 'a/b'\n"), 4, "interface name" },
		{ TUNNEL("  device = '..'\n"), 4, "interface name" },
		{ TUNNEL("  local-net = 10.0.0.1/8\n"), 4, "no bits set" },
		{ TUNNEL("  local-net = 10.0.0.0/33\n"), 4, "address/prefix" },
		{ TUNNEL("  local-net = 10.0.0.0/\n"), 4, "address/prefix" },
		{ TUNNEL("  local-net = any/0\n"), 4, "address/prefix" },
		{ TUNNEL("  local-net = 2001:db8::/32\n"), 1, "same IP version" },
		/* the whole tunnel, the whole file */
		{ "tunnel a {\n  psk-file = good.psk\n}\n", 1, "no remote" },
		{ "tunnel a {\n  remote = 198.51.100.7\n}\n", 1, "no pre-shared key" },
		{ "tunnel 'a b' {\n  remote = 198.51.100.7\n  psk-file = good.psk\n}\n", 1, "letters, digits" },
		{ "tunnel sixteen-letters-name {\n  remote = 198.51.100.7\n  psk-file = good.psk\n}\n", 1, "device = NAME" },
		{ TUNNEL("  profile = nobody\n"), 4, "no profile \"nobody\"" },
		{ "profile p {\n remote = 192.0.2.1\n}\n" TUNNEL("  profile = p\n"), 2, "move it to a tunnel" },
		{ TUNNEL("") "tunnel b {\n remote = 203.0.113.1\n psk-file = good.psk\n device = paris\n}\n", 5,
		  "device paris of tunnel paris (line 1)" },
		{ TUNNEL("") "tunnel b {\n remote = 198.51.100.7\n psk-file = good.psk\n}\n", 5,
		  "tunnels paris (line 1) and b have the same addresses, identities and networks" },
		{ TUNNEL("") "tunnel b {\n remote = 198.51.100.7\n psk = 'another long secret text'\n"
		  " match-identity = b.example\n}\n", 5, "different pre-shared keys" },
		/* a profile nobody uses is judged too */
		{ "profile p {\n start = never\n}\n" TUNNEL(""), 2, "auto, traffic or respond" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_refused(t[i].text, t[i].line, t[i].part);
}

static void policy_errors_name_the_word(void **state)
{
	(void)state;
	assert_refused(TUNNEL("  phase1 = \"3des-sha1-modp1536\"\n"), 4, "policy = legacy");
	assert_refused(TUNNEL("  phase1 = \"aes128-md5-modp2048\"\n"), 4, "policy = insecure");
	assert_refused(TUNNEL("  policy = legacy phase1 = \"aes128-sha1-modp1024\"\n"), 4, "policy = insecure");
	assert_refused(TUNNEL("  phase2 = \"aes128-sha1\"\n"), 4, "policy = legacy");
	assert_refused(TUNNEL("  phase2 = \"null-sha256\"\n"), 4, "policy = insecure");
	/* the policy of the tunnel judges the proposals of its profile, where they stand */
	assert_refused("profile p {\n  phase1 = \"3des-sha1-modp1536\"\n}\n" TUNNEL("  profile = p\n"), 2,
		       "under policy modern of tunnel paris");
	conf_free(assert_loads("profile p {\n  phase1 = \"3des-sha1-modp1536\"\n}\n"
			       TUNNEL("  profile = p  policy = legacy\n")));
	assert_true(has_finding(CONF_WARNING, 2, "tunnel paris: phase1 \"3des-sha1-modp1536\" is weak"));
}

static void all_mistakes_at_once(void **state)
{
	(void)state;
	assert_null(load("default { grace = x }\n"
			 "tunnel a {\n  remote = 300.1.1.1\n  frobnicate = yes\n  start = never\n}\n"
			 "zone b { c = 1 }\n"
			 "tunnel b {\n  lifetime = 1y\n  foo = { 1, 2 }\n}\n"));
	assert_true(has_finding(CONF_ERROR, 1, "grace"));
	assert_true(has_finding(CONF_ERROR, 3, "remote"));
	assert_true(has_finding(CONF_ERROR, 4, "frobnicate"));
	assert_true(has_finding(CONF_ERROR, 5, "start"));
	assert_true(has_finding(CONF_ERROR, 7, "zone"));
	assert_true(has_finding(CONF_ERROR, 8, "no remote"));
	assert_true(has_finding(CONF_ERROR, 9, "lifetime"));
	assert_true(has_finding(CONF_ERROR, 10, "foo"));
	assert_true(has_finding(CONF_ERROR, 2, "no pre-shared key"));
	assert_true(has_finding(CONF_ERROR, 8, "no pre-shared key"));
	if (found.errors != 10)
		show_findings();
	assert_int_equal(found.errors, 10);
	assert_null(load(TUNNEL("  lifetime = 1 h\n")));
	assert_true(has_finding(CONF_ERROR, 4, "unknown key \"h\""));
	assert_true(has_finding(CONF_ERROR, 4, "lifetime = \"1\""));
	assert_int_equal(found.errors, 2);
}

/* ---- secrets ------------------------------------------------------------------------------------ */

static void other_psk(const char *text, size_t len, mode_t mode, const char *part)
{
	write_file("other.psk", text, len, mode);
	assert_refused("tunnel a {\n  remote = 198.51.100.7\n  psk-file = other.psk\n}\n", 3, part);
	assert_null(strstr(found.at[0].text, "SECRET"));
}

static void secret_files(void **state)
{
	char long_text[4096];

	(void)state;
	memset(long_text, 'S', sizeof(long_text));
	other_psk("SECRET", 6, 0640, "chmod 600");
	other_psk("SECRET", 6, 0604, "mode 0604");
	other_psk("SECRET", 6, 0620, "chmod 600");
	other_psk("", 0, 0600, "1 to 1024");
	other_psk("\n", 1, 0600, "1 to 1024");
	other_psk("0x", 2, 0600, "1 to 1024");
	other_psk("0x123", 5, 0600, "hexadecimal");
	other_psk("0x12SECRET", 10, 0600, "hexadecimal");
	other_psk("SECRET\nSECRET\n", 14, 0600, "one line");
	other_psk("SEC\0RET", 7, 0600, "one line");
	other_psk(long_text, 1025, 0600, "1 to 1024");
	other_psk(long_text, sizeof(long_text), 0600, "longer than any secret");
	assert_refused("tunnel a {\n  remote = 198.51.100.7\n  psk-file = none.psk\n}\n", 3, "No such file or directory: write the secret to a file");
	assert_refused("tunnel a {\n  remote = 198.51.100.7\n  psk-file = /\n}\n", 3, "not a regular file");
	assert_refused("tunnel a {\n  remote = 198.51.100.7\n  psk-file = ''\n}\n", 3, "name of a file");
	assert_refused(TUNNEL("  psk = 'a long enough secret'\n"), 4, "both given");
}

static void secret_of_another_user(void **state)
{
	char why[300];
	struct stat st = { .st_mode = S_IFREG | 0600 };

	(void)state;
	st.st_uid = geteuid() + 1;
	assert_int_equal(secrets_check_mode(&st, "f", why, sizeof(why)), -1);
	assert_non_null(strstr(why, "belongs to user"));
	st.st_uid = geteuid();
	assert_int_equal(secrets_check_mode(&st, "f", why, sizeof(why)), 0);
	st.st_uid = 0;
	assert_int_equal(secrets_check_mode(&st, "f", why, sizeof(why)), 0);
	st.st_mode |= 040;
	assert_int_equal(secrets_check_mode(&st, "f", why, sizeof(why)), -1);
}

static void short_secret_is_flagged(void **state)
{
	(void)state;
	write_file("other.psk", "secret\n", 7, 0600);
	conf_free(assert_loads("tunnel a {\n  remote = 198.51.100.7\n  psk-file = other.psk\n}\n"));
	assert_int_equal(found.warnings, 1);
	assert_true(has_finding(CONF_WARNING, 3, "only 6 octets"));
}

static void inline_secret_needs_a_closed_file(void **state)
{
	static const char text[] = "tunnel a {\n  remote = 198.51.100.7\n  psk = 'correct horse battery staple'\n}\n";
	static const mode_t open_modes[] = { 0644, 0640, 0604 };
	size_t i;

	(void)state;
	conf_free(assert_loads(text));
	for (i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		write_file("esptun.conf", text, strlen(text), open_modes[i]);
		memset(&found, 0, sizeof(found));
		assert_null(conf_load(path_of("esptun.conf"), collect, &found));
		assert_int_equal(found.errors, 1);
		assert_true(has_finding(CONF_ERROR, 3, "psk-file"));
	}
	/* without secrets in it the file may be open */
	write_file("esptun.conf", TUNNEL(""), strlen(TUNNEL("")), 0644);
	memset(&found, 0, sizeof(found));
	conf_free(conf_load(path_of("esptun.conf"), collect, &found));
	assert_int_equal(found.n, 0);
}

/* However a line with a secret is misspelled, the secret is not in a message. */
static void no_secret_in_messages(void **state)
{
	static const char *const lines[] = {
		"  psk = word SECRET\n", "  psk = \"a\" SECRET = 3\n", "  psk = a, SECRET\n", "  psk SECRET\n",
		"  psk = { \"a\", \"SECRET\" }\n", "  psk = 'x' SECRET { }\n", "  psk = 0xSECRET\n",
		"  psk = \"SECRET\n", "  psk == SECRET\n", "  psk = { SECRET\n", "  pskk = SECRET\n",
		"  psk = 'a' 'SECRET' = 'b'\n", "  psk = '' SECRET\n",
	};
	char text[512];
	unsigned int j;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "tunnel a {\n  remote = 198.51.100.7\n%s}\n", lines[i]);
		if (load(text))
			fail_msg("%s loads", lines[i]);
		for (j = 0; j < found.n; j++)
			if (strstr(found.at[j].text, "SECRET"))
				fail_msg("%s gives away: %s", lines[i], found.at[j].text);
	}
}

static void unreadable_files(void **state)
{
	(void)state;
	memset(&found, 0, sizeof(found));
	unlink(path_of("esptun.conf"));
	assert_null(conf_load(path_of("esptun.conf"), collect, &found));
	assert_true(has_finding(CONF_ERROR, 0, "No such file"));
	assert_int_equal(mkdir(path_of("esptun.conf"), 0700), 0);
	memset(&found, 0, sizeof(found));
	assert_null(conf_load(path_of("esptun.conf"), collect, &found));
	assert_true(has_finding(CONF_ERROR, 0, "not a regular file"));
	assert_int_equal(rmdir(path_of("esptun.conf")), 0);
	assert_int_equal(mkfifo(path_of("esptun.conf"), 0600), 0);
	memset(&found, 0, sizeof(found));
	assert_null(conf_load(path_of("esptun.conf"), collect, &found));
	assert_true(has_finding(CONF_ERROR, 0, "not a regular file"));
	assert_int_equal(unlink(path_of("esptun.conf")), 0);
	conf_free(NULL);
}

/* ---- mutations ------------------------------------------------------------------------------------ */

static uint64_t random_state = 1;

static size_t below(size_t n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (size_t)(random_state >> 33) % n;
}

/* One change of text (of len octets, room for more), as a careless hand or a bad disk makes it. */
static size_t mutate(char *text, size_t len)
{
	static const char *const pieces[] = {
		"{", "}", "=", "\"", "'", "#", "\n", "/*", "*/", "//", ",", "+=", "${X}", "\\", "tunnel x {",
		"psk = \"y\"", "0", "99999999999999999999", "%s%n", "\xff\xfe", "local", "|", "include(\"x\")",
	};
	size_t at = below(len), n = 1 + below(40);
	const char *piece;

	switch (below(6)) {
	case 0:						/* other octet */
		text[at] = (char)below(256);
		return len;
	case 1:						/* cut out */
		n = at + n > len ? len - at : n;
		memmove(text + at, text + at + n, len - at - n);
		return len - n;
	case 2:						/* repeat */
		n = at + n > len ? len - at : n;
		memmove(text + at + n, text + at, len - at);
		return len + n;
	case 3:						/* cut off */
		return at;
	case 4:						/* exchange two octets */
		n = below(len);
		text[at] ^= text[n];
		text[n] ^= text[at];
		text[at] ^= text[n];
		return len;
	default:					/* put in */
		piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];
		memmove(text + at + strlen(piece), text + at, len - at);
		memcpy(text + at, piece, strlen(piece));
		return len + strlen(piece);
	}
}

static void mutations(void **state)
{
	unsigned int i, j, k, loaded = 0, refused = 0, lines;
	const char *example;
	char text[16384];
	struct conf *c;
	size_t len;

	(void)state;
	for (i = 0; i < 3000; i++) {
		example = read_example(&len);
		memcpy(text, example, len);
		for (k = 1 + (unsigned int)below(3); k && len; k--)
			len = mutate(text, len);
		c = load_octets(text, len);
		if (c) {
			loaded++;
			conf_free(c);
			continue;
		}
		refused++;
		for (lines = 1, j = 0; j < len; j++)
			lines += text[j] == '\n';
		for (j = 0; j < found.n; j++)
			if ((!found.at[j].line && found.at[j].severity == CONF_ERROR) || found.at[j].line > lines)
				fail_msg("mutation %u: line %u of %u: %s", i, found.at[j].line, lines, found.at[j].text);
	}
	print_message("%u mutations loaded, %u refused\n", loaded, refused);
	assert_true(loaded > 100 && refused > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(example_loads),
		cmocka_unit_test(example_flags_weak_choices),
		cmocka_unit_test(defaults),
		cmocka_unit_test(nearest_section_wins),
		cmocka_unit_test(spellings),
		cmocka_unit_test(outside_is_ipv6_as_well),
		cmocka_unit_test(several_selectors),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(policy_errors_name_the_word),
		cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(secret_files),
		cmocka_unit_test(secret_of_another_user),
		cmocka_unit_test(short_secret_is_flagged),
		cmocka_unit_test(inline_secret_needs_a_closed_file),
		cmocka_unit_test(no_secret_in_messages),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
