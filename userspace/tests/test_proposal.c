// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Suites as words and policy, offers and choices, lifetimes, and the sentence that tells
 * why there is nothing in common.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/proposal.h"

static void words_there_and_back(void **state)
{
	static const char *const p1[] = {
		"aes128-sha256-modp2048", "aes192-sha384-modp3072", "aes256-sha512-modp4096", "aes256-sha256-ecp256",
		"aes256-sha256-ecp384", "aes256-sha256-ecp521", "3des-sha1-modp1536", "3des-md5-modp1024",
	};
	static const char *const p2[] = {
		"aes128gcm16", "aes192gcm16-ecp256", "aes256gcm16-modp2048-esn", "aes128-sha256", "aes192-sha384-modp1024",
		"aes256-sha512-esn", "3des-md5", "null-sha1", "aes128-sha1-modp1536",
	};
	char text[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(p1) / sizeof(p1[0]); i++) {
		struct ike_p1_proposal p;

		assert_int_equal(ike_p1_parse(p1[i], IKE_POLICY_INSECURE, &p, NULL), 0);
		assert_string_equal(ike_p1_format(&p, text, sizeof(text)), p1[i]);
	}
	for (i = 0; i < sizeof(p2) / sizeof(p2[0]); i++) {
		struct ike_p2_proposal p;

		assert_int_equal(ike_p2_parse(p2[i], IKE_POLICY_INSECURE, &p, NULL), 0);
		assert_string_equal(ike_p2_format(&p, text, sizeof(text)), p2[i]);
	}
}

static void words_refused(void **state)
{
	static const char *const p1[] = {
		"", "-", "aes", "aes128", "aes128-sha256", "aes128-sha256-", "aes128-sha256-modp2048-", "aes128--sha256-modp2048",
		"aes128-sha256-modp2049", "aes128-sha256-modp2048-x", "sha256-aes128-modp2048", "aes128gcm16-sha256-modp2048",
		"AES128-sha256-modp2048", "aes128-sha256-modp2048 ", "aes12-sha256-modp2048", "des-md5-modp768",
	};
	static const char *const p2[] = {
		"", "aes128", "aes128gcm16-sha256", "aes128-sha256-esn-modp2048", "aes128-sha256-modp2048-modp2048",
		"sha256", "aes128-sha256-", "null", "aes128-modp2048", "chacha20", "chacha20poly1305", "aes128ctr",
		"aes128gmac-sha256", "aes128ccm16-aesxcbc", "aes128gcm", "aes128-sha256_128",
	};
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(p1) / sizeof(p1[0]); i++) {
		struct ike_p1_proposal p;

		why = NULL;
		if (ike_p1_parse(p1[i], IKE_POLICY_INSECURE, &p, &why) != -IKE_E_PARSE)
			fail_msg("\"%s\" was taken", p1[i]);
		assert_non_null(why);
	}
	for (i = 0; i < sizeof(p2) / sizeof(p2[0]); i++) {
		struct ike_p2_proposal p;

		why = NULL;
		if (ike_p2_parse(p2[i], IKE_POLICY_INSECURE, &p, &why) != -IKE_E_PARSE)
			fail_msg("\"%s\" was taken", p2[i]);
		assert_non_null(why);
	}
}

static void policy_words(void **state)
{
	static const struct { const char *suite; enum ike_policy needs; const char *weak; } p1[] = {
		{ "aes256-sha256-modp2048", IKE_POLICY_MODERN, NULL },
		{ "aes256-sha1-modp2048", IKE_POLICY_LEGACY, "SHA1" },
		{ "3des-sha256-modp2048", IKE_POLICY_LEGACY, "3DES" },
		{ "aes256-sha256-modp1536", IKE_POLICY_LEGACY, "modp1536" },
		{ "aes256-md5-modp2048", IKE_POLICY_INSECURE, "MD5" },
		{ "3des-sha1-modp1024", IKE_POLICY_INSECURE, "modp1024" },
	};
	static const struct { const char *suite; enum ike_policy needs; const char *weak; } p2[] = {
		{ "aes256gcm16-ecp521-esn", IKE_POLICY_MODERN, NULL },
		{ "3des-sha256", IKE_POLICY_LEGACY, "3DES" },
		{ "aes128-sha1", IKE_POLICY_LEGACY, "SHA1" },
		{ "aes128gcm16-modp1536", IKE_POLICY_LEGACY, "modp1536" },
		{ "aes128-md5", IKE_POLICY_INSECURE, "MD5" },
		{ "aes128gcm16-modp1024", IKE_POLICY_INSECURE, "modp1024" },
		{ "null-sha256", IKE_POLICY_INSECURE, "NULL" },
		{ "aes256ccm12", IKE_POLICY_MODERN, NULL },
		{ "aes128ctr-aesxcbc", IKE_POLICY_MODERN, NULL },
		{ "aes128gcm8", IKE_POLICY_LEGACY, "64-bit ICV" },
		{ "aes128ccm8", IKE_POLICY_LEGACY, "64-bit ICV" },
		{ "aes128-sha256_96", IKE_POLICY_LEGACY, "SHA2-256-96" },
		{ "aes128gmac", IKE_POLICY_INSECURE, "NULL" },
	};
	struct ike_p1_proposal a;
	struct ike_p2_proposal b;
	unsigned int policy;
	const char *why;
	size_t i;

	(void)state;
	for (policy = IKE_POLICY_MODERN; policy <= IKE_POLICY_INSECURE; policy++) {
		for (i = 0; i < sizeof(p1) / sizeof(p1[0]); i++)
			assert_int_equal(ike_p1_parse(p1[i].suite, policy, &a, &why),
					 policy >= p1[i].needs ? 0 : -IKE_E_POLICY);
		for (i = 0; i < sizeof(p2) / sizeof(p2[0]); i++)
			assert_int_equal(ike_p2_parse(p2[i].suite, policy, &b, &why),
					 policy >= p2[i].needs ? 0 : -IKE_E_POLICY);
	}
	for (i = 0; i < sizeof(p1) / sizeof(p1[0]); i++) {
		assert_int_equal(ike_p1_parse(p1[i].suite, IKE_POLICY_INSECURE, &a, NULL), 0);
		if (p1[i].weak)
			assert_string_equal(ike_p1_weakness(&a), p1[i].weak);
		else
			assert_null(ike_p1_weakness(&a));
	}
	for (i = 0; i < sizeof(p2) / sizeof(p2[0]); i++) {
		assert_int_equal(ike_p2_parse(p2[i].suite, IKE_POLICY_INSECURE, &b, NULL), 0);
		if (p2[i].weak)
			assert_string_equal(ike_p2_weakness(&b), p2[i].weak);
		else
			assert_null(ike_p2_weakness(&b));
	}
}

static void formatting_never_overflows(void **state)
{
	struct ike_p2_proposal p = { .transform = 250, .key_bits = 65535, .auth = 65535, .group = 65535, .esn = true };
	char text[80];
	size_t size;

	(void)state;
	for (size = 1; size < sizeof(text); size++) {
		memset(text, 0x7e, sizeof(text));
		ike_p2_format(&p, text, size);
		assert_true(strlen(text) < size);
		assert_int_equal(text[size], 0x7e);
	}
	assert_string_equal(ike_p2_format(&p, text, sizeof(text)), "esp(250/65535)-auth(65535)-group(65535)-esn");
}

/* ---- choices ---------------------------------------------------------------------------------- */

static struct ike_tunnel_cfg tunnel(const char *const *p1, const char *const *p2)
{
	struct ike_tunnel_cfg t;

	ike_tunnel_cfg_init(&t);
	t.line = 12;
	for (; p1 && *p1; p1++)
		assert_int_equal(ike_p1_parse(*p1, IKE_POLICY_INSECURE, &t.p1[t.n_p1++], NULL), 0);
	for (; p2 && *p2; p2++)
		assert_int_equal(ike_p2_parse(*p2, IKE_POLICY_INSECURE, &t.p2[t.n_p2++], NULL), 0);
	return t;
}

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void peers_order_decides(void **state)
{
	struct ike_tunnel_cfg peer = tunnel(LIST("3des-md5-modp1024", "aes256-sha256-modp2048", "aes128-sha256-modp2048"), NULL);
	struct ike_tunnel_cfg ours = tunnel(LIST("aes128-sha256-modp2048", "aes256-sha256-modp2048"), NULL);
	struct ike_sapay offer, answer;
	struct ike_p1_choice c;
	char text[80];

	(void)state;
	ike_offer_p1(&offer, &peer);
	assert_true(ike_choose_p1(&offer, &ours, &answer, &c));
	assert_string_equal(ike_p1_format(&c.alg, text, sizeof(text)), "aes256-sha256-modp2048");
	assert_int_equal(answer.n_proposals, 1);
	assert_int_equal(answer.t[0].number, 2);
	assert_true(ike_transform_equal(&answer.t[0], &offer.t[1]));
	/* And the initiator takes this answer, but no other. */
	assert_true(ike_choose_p1(&answer, &peer, NULL, &c));
	answer.t[0].attr[0].value = 5;
	assert_false(ike_choose_p1(&answer, &peer, NULL, &c));
}

static void pfs_and_ke_go_together(void **state)
{
	struct ike_tunnel_cfg ours = tunnel(NULL, LIST("aes128-sha256", "aes128gcm16-ecp256", "aes256-sha256-modp2048"));
	struct ike_sapay offer, answer;
	struct ike_p2_choice c;

	(void)state;
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	assert_int_equal(offer.n_transforms, 1);
	assert_true(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	assert_int_equal(c.spi, 0x1000);
	assert_false(ike_choose_p2(&offer, &ours, IKE_GROUP_ANY, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 0x1000, 19, IKE_ENCAP_TUNNEL);
	assert_int_equal(offer.n_transforms, 1);
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	assert_false(ike_choose_p2(&offer, &ours, 14, false, &answer, &c));
	assert_true(ike_choose_p2(&offer, &ours, IKE_GROUP_ANY, false, &answer, &c));
	assert_int_equal(c.alg.group, 19);
}

static void transforms_never_chosen(void **state)
{
	struct ike_tunnel_cfg ours = tunnel(NULL, LIST("aes128gcm16", "aes128-sha256"));
	struct ike_sapay offer, answer;
	struct ike_p2_choice c;
	struct ike_transform *t = &offer.t[0];

	(void)state;
	ours.n_p2 = 1;
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	ike_transform_add(t, IKE_P2A_AUTH, 5);			/* AES-GCM with a hash */
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	t->attr[1].value = 2;					/* transport mode */
	assert_int_equal(t->attr[1].type, IKE_P2A_ENCAP_MODE);
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	ike_transform_add(t, IKE_P2A_KEY_LENGTH, 128);		/* twice */
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 255, 0, IKE_ENCAP_TUNNEL);			/* an SPI of the reserved range */
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	offer.p[0].proto = IKE_PROTO_AH;
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	offer.p[1] = offer.p[0];				/* a bundle of two */
	offer.n_proposals = 2;
	assert_false(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	offer.p[1].number = 2;					/* alternatives */
	assert_true(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	/* A missing key length means 128. */
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	t->attr[0] = t->attr[--t->n_attrs];
	t->attr[0].type = IKE_P2A_LIFE_DURATION;
	assert_true(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
	assert_int_equal(c.alg.key_bits, 128);
}

/*
 * Nobody is authenticated when phase 1 is chosen, and MM2 is covered by no HASH: who can change
 * it must not be able to make us negotiate each second.
 */
static void lifetimes_too_short(void **state)
{
	struct ike_tunnel_cfg peer, ours;
	struct ike_p1_choice c1;
	struct ike_p2_choice c2;
	struct ike_sapay sa;
	uint32_t life;
	char text[400];

	(void)state;
	ike_tunnel_cfg_init(&peer);
	assert_int_equal(ike_p1_parse("aes128-sha256-ecp256", IKE_POLICY_MODERN, &peer.p1[0], NULL), 0);
	assert_int_equal(ike_p2_parse("aes128gcm16", IKE_POLICY_MODERN, &peer.p2[0], NULL), 0);
	peer.n_p1 = peer.n_p2 = 1;
	ours = peer;
	for (life = 1; life <= 11; life++) {
		peer.p1_life = peer.p2_life = life;
		ike_offer_p1(&sa, &peer);
		assert_int_equal(ike_choose_p1(&sa, &ours, NULL, &c1), life >= 10);
		if (life < 10) {
			ike_p1_explain(&sa, &ours, text, sizeof(text));
			assert_non_null(strstr(text, "a lifetime below 10 s"));
		} else {
			assert_int_equal(c1.life, life);
		}
		ike_offer_p2(&sa, &peer, 0x1000, 0, IKE_ENCAP_TUNNEL);
		assert_int_equal(ike_choose_p2(&sa, &ours, 0, false, NULL, &c2), life >= 10);
	}
}

static void lifetimes(void **state)
{
	static const struct { uint32_t theirs, theirs_kb, ours, ours_kb, life, kb; } tab[] = {
		{ 3600, 0, 7200, 0, 3600, 0 },
		{ 7200, 0, 3600, 0, 3600, 0 },
		{ 100000, 5000, 100000, 0, 100000, 5000 },
		{ 3600, 0, 3600, 9000, 3600, 9000 },
		{ 3600, 70000, 3600, 90000, 3600, 70000 },
		{ 0, 0, 5000, 0, 5000, 0 },		/* "no limit": ours counts */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct ike_tunnel_cfg peer = tunnel(NULL, LIST("aes128-sha256")), ours = peer;
		struct ike_sapay offer, answer;
		struct ike_p2_choice c;

		peer.p2_life = tab[i].theirs;
		peer.p2_life_kb = tab[i].theirs_kb;
		ours.p2_life = tab[i].ours;
		ours.p2_life_kb = tab[i].ours_kb;
		ike_offer_p2(&offer, &peer, 0x1000, 0, IKE_ENCAP_TUNNEL);
		assert_true(ike_choose_p2(&offer, &ours, 0, false, &answer, &c));
		assert_int_equal(c.life, tab[i].life);
		assert_int_equal(c.life_kb, tab[i].kb);
		assert_true(ike_transform_equal(&answer.t[0], &offer.t[0]));	/* returned unchanged all the same */
	}
}

static void why_not(void **state)
{
	struct ike_tunnel_cfg peer = tunnel(LIST("3des-md5-modp1024", "aes256-sha1-modp1536"), LIST("3des-md5"));
	struct ike_tunnel_cfg ours = tunnel(LIST("aes128-sha256-modp2048"), LIST("aes128gcm16", "aes256-sha256-ecp256"));
	struct ike_sapay offer;
	struct ike_p1_choice c;
	char text[600];

	(void)state;
	ike_offer_p1(&offer, &peer);
	offer.t[1].attr[3].value = 3;
	ike_transform_add(&offer.t[0], 99, 1);
	assert_false(ike_choose_p1(&offer, &ours, NULL, &c));
	ike_p1_explain(&offer, &ours, text, sizeof(text));
	assert_string_equal(text, "offered 3des-md5-modp1024 [an unknown attribute: 99], aes256-sha1-modp1536 "
			    "[authentication rsa (3)]; configured aes128-sha256-modp2048 (line 12)");
	offer.t[1].attr[3].value = 65001;
	assert_false(ike_choose_p1(&offer, &ours, NULL, &c));
	ike_p1_explain(&offer, &ours, text, sizeof(text));
	assert_non_null(strstr(text, ", with XAUTH of the initiator: aes256-sha1-modp1536; configured aes128-sha256-modp2048"));
	ike_offer_p2(&offer, &peer, 0x1000, 0, IKE_ENCAP_TUNNEL);
	ike_p2_explain(&offer, &ours, false, text, sizeof(text));
	assert_string_equal(text, "offered 3des-md5; configured aes128gcm16, aes256-sha256-ecp256 (line 12)");
}

/* However long the offer, the text ends with what is configured. */
static void long_offer_does_not_hide_the_configuration(void **state)
{
	struct ike_tunnel_cfg peer = tunnel(LIST("3des-md5-modp1024"), NULL);
	struct ike_tunnel_cfg ours = tunnel(LIST("aes128-sha256-modp2048"), NULL);
	struct ike_sapay offer;
	char text[600];
	unsigned int i;

	(void)state;
	ike_offer_p1(&offer, &peer);
	for (i = 1; i < 60; i++) {
		struct ike_transform *t = ike_sapay_add_transform(&offer, 1);
		uint8_t number = t->number;

		*t = offer.t[0];
		t->number = number;
	}
	ike_p1_explain(&offer, &ours, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
	assert_non_null(strstr(text, "; configured aes128-sha256-modp2048 (line 12)"));
}

/* Tunnel mode in UDP has two numbers, taken alike; without and with UDP are two different things. */
static void udp_encapsulation_by_either_number(void **state)
{
	static const struct { uint16_t mode; bool plain, udp; } want[] = {
		{ 1, true, false }, { 2, false, false }, { 3, false, true }, { 4, false, false },
		{ 61443, false, true }, { 61444, false, false }, { 61440, false, false },
	};
	struct ike_tunnel_cfg ours = tunnel(NULL, LIST("aes128gcm16"));
	struct ike_sapay offer, answer;
	struct ike_p2_choice c;
	char text[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ike_offer_p2(&offer, &ours, 0x1000, 0, want[i].mode);
		assert_int_equal(ike_choose_p2(&offer, &ours, 0, false, &answer, &c), want[i].plain);
		assert_int_equal(ike_choose_p2(&offer, &ours, 0, true, &answer, &c), want[i].udp);
		/* The answer is what was offered, number and all. */
		if (want[i].udp)
			assert_true(ike_transform_equal(&answer.t[0], &offer.t[0]));
	}
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_UDP_TUNNEL);
	ike_p2_explain(&offer, &ours, false, text, sizeof(text));
	assert_non_null(strstr(text, "offered aes128gcm16 in UDP; configured aes128gcm16 ("));
	ike_offer_p2(&offer, &ours, 0x1000, 0, IKE_ENCAP_TUNNEL);
	ike_p2_explain(&offer, &ours, true, text, sizeof(text));
	assert_non_null(strstr(text, "offered aes128gcm16; configured aes128gcm16, all in UDP because of a NAT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_there_and_back),
		cmocka_unit_test(words_refused),
		cmocka_unit_test(policy_words),
		cmocka_unit_test(formatting_never_overflows),
		cmocka_unit_test(peers_order_decides),
		cmocka_unit_test(pfs_and_ke_go_together),
		cmocka_unit_test(transforms_never_chosen),
		cmocka_unit_test(udp_encapsulation_by_either_number),
		cmocka_unit_test(lifetimes_too_short),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(why_not),
		cmocka_unit_test(long_offer_does_not_hide_the_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
