// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every ESP algorithm of IKEv1: its word, the octets that offer it, how much KEYMAT it
 * takes, and what happens to offers of it that make no sense. The numbers are written out
 * here once more, from the registry and the RFCs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libike/keymat.h"
#include "libike/proposal.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* bits 0: no key length attribute */
static const struct cipher {
	const char *word;
	uint8_t id;
	uint16_t bits;
	uint8_t octets;		/* of KEYMAT: key and salt */
	bool combined;
} ciphers[] = {
	{ "3des", 3, 0, 24, false },
	{ "null", 11, 0, 0, false },
	{ "aes128", 12, 128, 16, false },
	{ "aes192", 12, 192, 24, false },
	{ "aes256", 12, 256, 32, false },
	{ "aes128ctr", 13, 128, 20, false },
	{ "aes192ctr", 13, 192, 28, false },
	{ "aes256ctr", 13, 256, 36, false },
	{ "aes128ccm8", 14, 128, 19, true },
	{ "aes192ccm8", 14, 192, 27, true },
	{ "aes256ccm8", 14, 256, 35, true },
	{ "aes128ccm12", 15, 128, 19, true },
	{ "aes192ccm12", 15, 192, 27, true },
	{ "aes256ccm12", 15, 256, 35, true },
	{ "aes128ccm16", 16, 128, 19, true },
	{ "aes192ccm16", 16, 192, 27, true },
	{ "aes256ccm16", 16, 256, 35, true },
	{ "aes128gcm8", 18, 128, 20, true },
	{ "aes192gcm8", 18, 192, 28, true },
	{ "aes256gcm8", 18, 256, 36, true },
	{ "aes128gcm12", 19, 128, 20, true },
	{ "aes192gcm12", 19, 192, 28, true },
	{ "aes256gcm12", 19, 256, 36, true },
	{ "aes128gcm16", 20, 128, 20, true },
	{ "aes192gcm16", 20, 192, 28, true },
	{ "aes256gcm16", 20, 256, 36, true },
	{ "aes128gmac", 23, 128, 20, true },
	{ "aes192gmac", 23, 192, 28, true },
	{ "aes256gmac", 23, 256, 36, true },
};

static const struct hash {
	const char *word;
	uint16_t number;	/* on the wire */
	uint8_t octets;
} hashes[] = {
	{ "md5", 1, 16 }, { "sha1", 2, 20 }, { "sha256", 5, 32 }, { "sha256_96", 5, 32 },
	{ "sha384", 6, 48 }, { "sha512", 7, 64 }, { "aesxcbc", 9, 16 },
};

static void suite(char *text, size_t size, const struct cipher *c, const struct hash *h)
{
	snprintf(text, size, h ? "%s-%s" : "%s", c->word, h ? h->word : "");
}

static struct ike_tunnel_cfg tunnel(const char *text)
{
	struct ike_tunnel_cfg t;

	ike_tunnel_cfg_init(&t);
	if (ike_p2_parse(text, IKE_POLICY_INSECURE, &t.p2[0], NULL))
		fail_msg("\"%s\" was refused", text);
	t.n_p2 = 1;
	return t;
}

/* Calls for each cipher with each hash, or alone if it needs none. */
static void each(void (*one)(const char *text, const struct cipher *c, const struct hash *h))
{
	char text[80];
	size_t i, j;

	for (i = 0; i < N(ciphers); i++)
		for (j = 0; j < (ciphers[i].combined ? 1 : N(hashes)); j++) {
			const struct hash *h = ciphers[i].combined ? NULL : &hashes[j];

			suite(text, sizeof(text), &ciphers[i], h);
			one(text, &ciphers[i], h);
		}
}

static void there_and_back(const char *text, const struct cipher *c, const struct hash *h)
{
	struct ike_tunnel_cfg t = tunnel(text);
	char again[80];

	assert_string_equal(ike_p2_format(&t.p2[0], again, sizeof(again)), text);
	assert_int_equal(t.p2[0].transform, c->id);
	assert_int_equal(t.p2[0].key_bits, c->bits);
	assert_true(ike_esp_known(&t.p2[0]));
	assert_int_equal(ike_esp_encr_len(&t.p2[0]), c->octets);
	assert_int_equal(ike_esp_auth_len(&t.p2[0]), h ? h->octets : 0);
}

static void words_and_keymat(void **state)
{
	(void)state;
	each(there_and_back);
}

/* Proposal header 8, SPI 4, transform: 3, 0, length, 1, ID, 0, 0, attributes in TV form. */
static void on_the_wire(const char *text, const struct cipher *c, const struct hash *h)
{
	struct ike_tunnel_cfg t = tunnel(text);
	struct ike_sapay sa, read;
	struct ike_p2_choice choice;
	struct ike_wbuf w;
	const uint8_t *attr;
	const char *why;

	ike_offer_p2(&sa, &t, 0x12345678, 0, IKE_ENCAP_TUNNEL);
	ike_wbuf_init(&w);
	ike_sapay_encode(&w, &sa);
	/* DOI and situation, proposal, SPI, transform header: the attributes begin here. */
	attr = w.data + 8 + 8 + 4 + 8;
	assert_int_equal(attr[-3], c->id);
	if (c->bits) {
		assert_int_equal(attr[0] << 8 | attr[1], 0x8006);
		assert_int_equal(attr[2] << 8 | attr[3], c->bits);
		attr += 4;
	}
	if (h) {
		assert_int_equal(attr[0] << 8 | attr[1], 0x8005);
		assert_int_equal(attr[2] << 8 | attr[3], h->number);
		attr += 4;
	}
	/* Nothing else before the encapsulation mode. */
	assert_int_equal(attr[0] << 8 | attr[1], 0x8004);
	assert_int_equal(ike_sapay_decode(w.data, w.len, &read, &why), 0);
	assert_true(ike_choose_p2(&read, &t, 0, false, NULL, &choice));
	/* What is chosen is what is configured, ICV length and all. */
	assert_int_equal(choice.alg.transform, c->id);
	assert_int_equal(choice.alg.auth, t.p2[0].auth);
	assert_int_equal(choice.spi, 0x12345678);
	ike_wbuf_free(&w);
}

static void octets_of_the_offer(void **state)
{
	(void)state;
	each(on_the_wire);
}

/* Nothing is taken for another: of all offers only its own is chosen. */
static void only_its_own(const char *text, const struct cipher *c, const struct hash *h)
{
	struct ike_tunnel_cfg ours = tunnel(text);
	struct ike_p2_choice choice;
	struct ike_sapay sa;
	char other[80];
	size_t i, j;

	for (i = 0; i < N(ciphers); i++)
		for (j = 0; j < (ciphers[i].combined ? 1 : N(hashes)); j++) {
			const struct hash *k = ciphers[i].combined ? NULL : &hashes[j];
			struct ike_tunnel_cfg peer;
			bool same = c == &ciphers[i] && (!h || h->number == k->number);

			suite(other, sizeof(other), &ciphers[i], k);
			peer = tunnel(other);
			ike_offer_p2(&sa, &peer, 0x1000, 0, IKE_ENCAP_TUNNEL);
			if (ike_choose_p2(&sa, &ours, 0, false, NULL, &choice) != same)
				fail_msg("%s offered, %s configured", other, text);
		}
}

static void none_for_another(void **state)
{
	(void)state;
	each(only_its_own);
}

/* A hash beside a combined-mode cipher, or none beside another, is nothing to agree on. */
static void spoiled(const char *text, const struct cipher *c, const struct hash *h)
{
	struct ike_tunnel_cfg t = tunnel(text);
	struct ike_p2_choice choice;
	struct ike_sapay sa;
	unsigned int i;

	ike_offer_p2(&sa, &t, 0x1000, 0, IKE_ENCAP_TUNNEL);
	if (!h) {
		ike_transform_add(&sa.t[0], IKE_P2A_AUTH, 5);
	} else {
		for (i = 0; sa.t[0].attr[i].type != IKE_P2A_AUTH; i++)
			;
		sa.t[0].attr[i] = sa.t[0].attr[--sa.t[0].n_attrs];
	}
	assert_false(ike_choose_p2(&sa, &t, 0, false, NULL, &choice));
	ike_offer_p2(&sa, &t, 0x1000, 0, IKE_ENCAP_TUNNEL);
	if (!c->bits) {
		ike_transform_add(&sa.t[0], IKE_P2A_KEY_LENGTH, 128);
	} else {
		assert_int_equal(sa.t[0].attr[0].type, IKE_P2A_KEY_LENGTH);
		sa.t[0].attr[0].value = 160;
	}
	assert_false(ike_choose_p2(&sa, &t, 0, false, NULL, &choice));
}

static void senseless_offers(void **state)
{
	(void)state;
	each(spoiled);
}

/* The number that means "cut to 96 bits" here is a private one that nobody else may use. */
static void private_number_from_the_peer(void **state)
{
	struct ike_tunnel_cfg t = tunnel("aes128-sha256_96");
	struct ike_p2_choice choice;
	struct ike_sapay sa;
	char text[300];

	(void)state;
	ike_offer_p2(&sa, &t, 0x1000, 0, IKE_ENCAP_TUNNEL);
	assert_int_equal(sa.t[0].attr[1].type, IKE_P2A_AUTH);
	assert_int_equal(sa.t[0].attr[1].value, 5);
	sa.t[0].attr[1].value = t.p2[0].auth;
	assert_false(ike_choose_p2(&sa, &t, 0, false, NULL, &choice));
	ike_p2_explain(&sa, &t, false, text, sizeof(text));
	assert_non_null(strstr(text, "a hash of private use"));
}

static void look_alikes_are_refused(void **state)
{
	static const struct { const char *one, *other; bool fine; } tab[] = {
		{ "aes128-sha256", "aes128-sha256_96", false },
		{ "aes128ctr-sha256_96-esn", "aes128ctr-sha256-esn", false },
		{ "aes128-sha256", "aes256-sha256_96", true },
		{ "aes128-sha256", "aes128-sha256_96-ecp256", true },
		{ "aes128-sha256_96", "aes128-sha256_96", true },
	};
	uint8_t psk[] = "secret";
	struct ike_tunnel_cfg t;
	struct ike_config cfg = { .tunnel = &t, .n_tunnels = 1 };
	unsigned int line;
	char why[300];
	size_t i;

	(void)state;
	for (i = 0; i < N(tab); i++) {
		ike_tunnel_cfg_init(&t);
		strcpy(t.name, "t");
		t.local = t.remote = (struct ike_addr){ .family = 4, .port = 500, .ip = { 192, 0, 2, 1 } };
		t.remote.ip[3] = 2;
		t.psk = psk;
		t.psk_len = sizeof(psk);
		t.policy = IKE_POLICY_LEGACY;
		assert_int_equal(ike_p1_parse("aes128-sha256-modp2048", t.policy, &t.p1[0], NULL), 0);
		assert_int_equal(ike_p2_parse(tab[i].one, t.policy, &t.p2[0], NULL), 0);
		assert_int_equal(ike_p2_parse(tab[i].other, t.policy, &t.p2[1], NULL), 0);
		t.n_p1 = 1;
		t.n_p2 = 2;
		assert_int_equal(ike_config_check(&cfg, why, sizeof(why), &line), tab[i].fine ? 0 : -IKE_E_INVALID);
		if (!tab[i].fine)
			assert_non_null(strstr(why, "look the same to the peer"));
	}
}

static void unknown_transforms_have_no_keys(void **state)
{
	struct ike_p2_proposal p = { .key_bits = 128, .auth = 5 };
	unsigned int id, known = 0;

	(void)state;
	for (id = 0; id < 256; id++) {
		p.transform = (uint8_t)id;
		p.auth = ike_esp_combined(p.transform) ? 0 : 5;
		known += ike_esp_known(&p);
		assert_true(ike_esp_known(&p) || !ike_esp_encr_len(&p));
		p.auth = 4;	/* KPDK */
		assert_false(ike_esp_known(&p));
	}
	assert_int_equal(known, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_keymat),
		cmocka_unit_test(octets_of_the_offer),
		cmocka_unit_test(none_for_another),
		cmocka_unit_test(senseless_offers),
		cmocka_unit_test(private_number_from_the_peer),
		cmocka_unit_test(look_alikes_are_refused),
		cmocka_unit_test(unknown_transforms_have_no_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
