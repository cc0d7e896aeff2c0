// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Main mode with signatures between two engines: methods, certificate requests and the choice
 * of a certificate, trustpoints that differ, profiles. What is refused: test_cert_refused.c.
 */
#include "routers.h"

/* ---- methods --------------------------------------------------------------------------------- */

static void each_method(void **state)
{
	static const struct { const char *key; uint16_t method; const char *p1; } tab[] = {
		{ "rsa2048", IKE_AUTH_RSA_SIG, "aes128-sha256-modp2048" }, { "rsa2048", IKE_AUTH_RSA_SIG, "3des-md5-modp1024" },
		{ "rsa2048", IKE_AUTH_RSA_SIG, "aes256-sha512-ecp256" },
		{ "P-256", IKE_AUTH_ECDSA_256, P1 }, { "P-384", IKE_AUTH_ECDSA_384, P1 }, { "P-521", IKE_AUTH_ECDSA_521, P1 },
		{ "P-521", IKE_AUTH_ECDSA_521, "aes128-sha1-ecp256" }, { "P-256", IKE_AUTH_ECDSA_256, "aes256-sha512-ecp256" },
	};
	const char *why;
	size_t i;
	int who;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct world *w = world_empty(i);

		for (who = 1; who >= 0; who--) {
			struct pki own = pki_make(&ca[0], pki_key(tab[i].key, 8 + (unsigned int)who), &(struct pki_opts){
				.subject = "CN=router", .san = who ? "DNS:R2.cisco.com" : "DNS:R1.cisco.com" });
			struct ike_trustpoint tp = { .name = "only", .trust = pki_trust(PKI_LIST(&ca[0]), PKI_LIST(&own), NULL) };
			struct ike_tunnel_cfg t;

			signed_cfg(&t, who);
			t.auth[0] = tab[i].method;
			assert_int_equal(ike_p1_parse(tab[i].p1, t.policy, &t.p1[0], &why), 0);
			assert_int_equal(configure(w, who, &t, 1, &tp, 1), 0);
			pki_free(&own);
		}
		if (!up(w))
			fail_msg("%s %s: %s", tab[i].key, tab[i].p1, w->trace);
		assert_string_equal(w->trace, PLAIN);
		assert_logged(w, BOB, "p1-established", ike_auth_name(tab[i].method));
		world_free(w);
	}
}

static void psk_or_rsa(struct ike_tunnel_cfg *t)
{
	t->psk = malloc(6);
	memcpy(t->psk, "secret", 6);
	t->psk_len = 6;
	t->auth[t->n_auth++] = IKE_AUTH_PSK;
}

/* Several methods: the first of the initiator's that both have. */
static void the_first_common_method(void **state)
{
	struct world *w = world_empty(1);
	struct ike_tunnel_cfg t;
	struct ike_trustpoint tp;

	(void)state;
	tp = trustpoint(BOB, 0, NULL);
	signed_cfg(&t, BOB);
	psk_or_rsa(&t);
	assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
	free(t.psk);
	tp = trustpoint(ALICE, 0, NULL);
	signed_cfg(&t, ALICE);
	psk_or_rsa(&t);
	t.auth[0] = IKE_AUTH_ECDSA_256;
	assert_int_equal(configure(w, ALICE, &t, 1, &tp, 1), -IKE_E_INVALID);
	t.auth[0] = IKE_AUTH_RSA_SIG;
	tp = trustpoint(ALICE, 0, NULL);
	assert_int_equal(configure(w, ALICE, &t, 1, &tp, 1), 0);
	assert_true(up(w));
	assert_logged(w, BOB, "p1-established", ", rsa, ");
	free(t.psk);
	world_free(w);

	w = world_empty(2);
	tunnel_cfg(&t, BOB, P1, P2);
	free(t.psk);
	t.psk = NULL;
	psk_or_rsa(&t);
	assert_int_equal(ike_id_parse("fqdn:R2.cisco.com", &t.local_id), 0);
	assert_int_equal(ike_id_parse("fqdn:R1.cisco.com", &t.remote_id), 0);
	assert_int_equal(configure(w, BOB, &t, 1, NULL, 0), 0);
	free(t.psk);
	signed_cfg(&t, ALICE);
	psk_or_rsa(&t);
	tp = trustpoint(ALICE, 0, NULL);
	assert_int_equal(configure(w, ALICE, &t, 1, &tp, 1), 0);
	assert_true(up(w));
	assert_logged(w, BOB, "p1-established", ", psk, ");
	free(t.psk);
	world_free(w);

	/* Nothing in common: what was offered is told by name. */
	w = world_empty(3);
	router_up(w, BOB, "1", NULL);
	tunnel_cfg(&t, ALICE, P1, P2);
	assert_int_equal(configure(w, ALICE, &t, 1, NULL, 0), 0);
	free(t.psk);
	run_for(w, IKE_SECOND);
	assert_logged(w, BOB, "no-proposal", "[authentication psk (1)]; configured aes128-sha256-ecp256 with authentication rsa (line 70)");
	world_free(w);
}

/* ---- requests, T27 to T30 ------------------------------------------------------------------------ */

static char requests[2][400];		/* what MM3 and MM4 asked for */

static unsigned int read_requests(struct world *w, struct packet *p)
{
	int which = !strcmp(p->name, "MM3") ? 0 : !strcmp(p->name, "MM4") ? 1 : -1;
	const char *why;
	struct ike_hdr h;
	struct ike_msg m;
	unsigned int i;
	size_t n = 0;

	(void)w;
	if (which < 0)
		return 1;
	requests[which][0] = '\0';
	assert_int_equal(ike_hdr_parse(p->data, p->len, &h, &why), 0);
	assert_int_equal(ike_msg_parse(&m, &h, p->data, p->len, false, &why), 0);
	for (i = 0; i < m.n; i++) {
		if (m.p[i].type != ISAKMP_NPTYPE_CR)
			continue;
		assert_int_equal(m.p[i].body[0], 4);
		n += (size_t)snprintf(requests[which] + n, sizeof(requests[0]) - n, "%s", n ? "; " : "");
		ike_dn_format(m.p[i].body + 1, m.p[i].len - 1, requests[which] + n, sizeof(requests[0]) - n);
		n += strlen(requests[which] + n);
	}
	return 1;
}

#define CA1 "O=com, O=cisco, CN=CA1"
#define CA2 "O=com, O=cisco, CN=CA2"

static void narrow(struct ike_tunnel_cfg *t)
{
	answers_ca1(t);
	t->narrow_requests = true;
}

static void who_is_asked_for_what(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	w->wire = read_requests;
	router_up(w, BOB, "12", answers_ca1);
	router_up(w, ALICE, "21", only_ca1);
	assert_true(up(w));
	assert_string_equal(requests[0], CA1);			/* T27: the initiator's profile */
	assert_string_equal(requests[1], CA1 "; " CA2);		/* T28: the responder's whole store */
	assert_logged(w, ALICE, "cert-request", "sending CERT_REQ for trustpoint IOSCA1 (" CA1 ")");
	assert_logged(w, BOB, "cert-request", "sending CERT_REQ for trustpoint IOSCA2 (" CA2 ")");
	assert_logged(w, BOB, "cert-request", "the peer asks for a certificate of " CA1 ": trustpoint IOSCA1");
	world_free(w);

	w = world_empty(2);
	w->wire = read_requests;
	router_up(w, BOB, "21", narrow);
	router_up(w, ALICE, "21", NULL);
	assert_true(up(w));
	assert_string_equal(requests[0], CA2 "; " CA1);		/* T27 without a list, T29: order of the store */
	assert_string_equal(requests[1], CA1);			/* narrowed by address */
	world_free(w);
}

/* T29, T33: of the requests, in the peer's order, the first that we can serve. */
static void the_first_request_decides(void **state)
{
	static const struct { const char *alice, *bob, *used_by_alice, *used_by_bob; } tab[] = {
		{ "12", "12", "IOSCA1", "IOSCA1" }, { "21", "12", "IOSCA1", "IOSCA2" }, { "12", "21", "IOSCA2", "IOSCA1" },
		{ "12", "2", "IOSCA2", "IOSCA2" }, { "1", "12", "IOSCA1", "IOSCA1" },
	};
	char text[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct world *w = world_empty(i);

		router_up(w, BOB, tab[i].bob, NULL);
		router_up(w, ALICE, tab[i].alice, NULL);
		assert_true(up(w));
		snprintf(text, sizeof(text), "of trustpoint %s (line", tab[i].used_by_alice);
		assert_logged(w, ALICE, "cert-used", text);
		snprintf(text, sizeof(text), "of trustpoint %s (line", tab[i].used_by_bob);
		assert_logged(w, BOB, "cert-used", text);
		world_free(w);
	}
}

/* ---- T32: trustpoints that differ ------------------------------------------------------------------- */

static void retries(struct ike_tunnel_cfg *t)
{
	begins(t);
	t->next_certificate = true;
}

static bool bob_failed(struct world *w)
{
	return find_log(w, BOB, "retry");
}

/* R1's profile names CA1 alone; its store has CA2 first, R2's CA1. */
static void up_from_one_side_only(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	router_up(w, BOB, "12", answers);
	router_up(w, ALICE, "21", only_ca1);
	assert_true(up(w));
	assert_string_equal(w->trace, PLAIN);
	assert_logged(w, BOB, "cert-trusted", "accepted by trustpoint IOSCA1");
	world_free(w);

	w = world_empty(2);
	router_up(w, ALICE, "21", answers_ca1);
	router_up(w, BOB, "12", begins);
	assert_true(run_until(w, bob_failed, 5 * IKE_SECOND));
	assert_int_equal(counters(w, ALICE).p1_established + counters(w, BOB).p1_established, 0);
	/* Who refused: certificate, its trustpoint, the profile and its line, what that has. */
	assert_logged(w, ALICE, "cert-refused", "CN=R2");
	assert_logged(w, ALICE, "cert-refused", "of trustpoint IOSCA2 (line 2) rejected: not in the trustpoints of profile prof1 "
		      "(line 16), which has trustpoints IOSCA1");
	/* Who was refused: which certificate it had sent and why, for what profile, what was said. */
	assert_logged(w, BOB, "cert-used", "CN=R2");
	assert_logged(w, BOB, "cert-used", "of trustpoint IOSCA2 (line 2): number 1 of 2 that the peer's CERT_REQs name, for profile "
		      "prof1 (line 61)");
	assert_logged(w, BOB, "cert-refused", "our certificate of trustpoint IOSCA2, sent for profile prof1 (line 61): "
		      "INVALID-CERT-AUTHORITY; on-reject = next-certificate would try another one");
	/* And again, as long as it is asked to. */
	run_for(w, 60 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 0);
	world_free(w);
}

static void what_helps(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	/* (a) the order of enrolment */
	router_up(w, ALICE, "12", answers_ca1);
	router_up(w, BOB, "12", begins);
	assert_true(up(w));
	world_free(w);
	/* (b) asking only for what will be accepted */
	w = world_empty(2);
	router_up(w, ALICE, "21", narrow);
	router_up(w, BOB, "12", begins);
	assert_true(up(w));
	world_free(w);
	/* (c) trying the next certificate */
	w = world_empty(3);
	router_up(w, ALICE, "21", answers_ca1);
	router_up(w, BOB, "12", retries);
	assert_true(up(w));
	assert_logged(w, BOB, "cert-refused", "the next one is tried");
	assert_logged(w, BOB, "cert-used", "of trustpoint IOSCA1 (line 1): number 2 of 2");
	assert_int_equal(count_logs(w, ALICE, "cert-refused"), 1);
	/* The next ISAKMP SA begins with the one that worked. */
	forget_trace(w);
	assert_int_equal(ike_command(w->side[BOB].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 2);
	assert_int_equal(count_logs(w, ALICE, "cert-refused"), 1);
	world_free(w);
	/* From the other side with the same option it came up before and still does. */
	w = world_empty(4);
	router_up(w, BOB, "12", answers);
	router_up(w, ALICE, "21", only_ca1);
	assert_true(up(w));
	world_free(w);
}

/* ---- profiles, T31, T37 to T39 ------------------------------------------------------------------------------- */

static struct ike_match pattern(const char *text)
{
	struct ike_match m;

	assert_int_equal(ike_match_parse(text, &m), 0);
	return m;
}

/* BOB has a tunnel for each of these patterns, told apart by them alone. */
static int profiles(struct world *w, const char *const *patterns, const char *last_wins, const char *trust)
{
	struct ike_trustpoint tp[2] = { trustpoint(BOB, 0, NULL), trustpoint(BOB, 1, NULL) };
	struct ike_tunnel_cfg t[4];
	struct ike_match m[4];
	size_t n;

	for (n = 0; patterns[n]; n++) {
		signed_cfg(&t[n], BOB);
		snprintf(t[n].name, sizeof(t[n].name), "tunnel%zu", n);
		snprintf(t[n].profile, sizeof(t[n].profile), "profile%zu", n);
		t[n].line = t[n].profile_line = 100 + (unsigned int)n;
		m[n] = pattern(patterns[n]);
		t[n].match = &m[n];
		t[n].n_match = 1;
		t[n].last_wins = last_wins[n] == 'l';
		if (trust[n] != '-')
			snprintf(t[n].trustpoint[t[n].n_trustpoints++], IKE_NAME_MAX, "IOSCA%c", trust[n]);
	}
	return configure(w, BOB, t, n, tp, 2);
}

static void the_most_specific_profile(void **state)
{
	static const struct { const char *patterns[4], *says; } tab[] = {
		{ { "any", "fqdn:*.com", "fqdn:r1.cisco.com" }, "profile2 (line 102)" },
		{ { "fqdn:r1.cisco.com", "any", "fqdn:*.cisco.com" }, "profile0 (line 100)" },
		{ { "fqdn:r2.cisco.com", "any", "ipv4:0.0.0.0/0" }, "profile1 (line 101)" },
		{ { "fqdn:*.com", "fqdn:*.cisco.com", "any" }, "profile1 (line 101)" },
	};
	char text[80];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct world *w = world_empty(i);

		assert_int_equal(profiles(w, tab[i].patterns, "...", "---"), 0);
		router_up(w, ALICE, "12", NULL);
		run_for(w, IKE_SECOND);
		assert_int_equal(counters(w, BOB).p1_established, 1);
		snprintf(text, sizeof(text), "matches profile %s", tab[i].says);
		assert_logged(w, BOB, "profile", text);
		world_free(w);
	}
}

/* The profile that the identity means says what is trusted, not the one chosen with MM1. */
static void the_profile_says_what_is_trusted(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	assert_int_equal(profiles(w, (const char *const[]){ "fqdn:r9.cisco.com", "fqdn:r1.cisco.com", NULL }, "..", "12"), 0);
	router_up(w, ALICE, "1", NULL);
	run_for(w, IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	assert_logged(w, BOB, "cert-refused", "of trustpoint IOSCA1 (line 1) rejected: not in the trustpoints of profile profile1 "
		      "(line 101), which has trustpoints IOSCA2");
	world_free(w);
	w = world_empty(2);
	assert_int_equal(profiles(w, (const char *const[]){ "fqdn:r9.cisco.com", "fqdn:r1.cisco.com", NULL }, "..", "12"), 0);
	router_up(w, ALICE, "2", NULL);
	run_for(w, IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 1);
	world_free(w);
}

static void ties(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	assert_int_equal(profiles(w, (const char *const[]){ "fqdn:*.cisco.com", "fqdn:*.CISCO.com", NULL }, "..", "1-"),
			 -IKE_E_INVALID);
	assert_int_equal(profiles(w, (const char *const[]){ "fqdn:*.cisco.com", "fqdn:*.CISCO.com", "any", NULL }, ".ll", "1--"), 0);
	router_up(w, ALICE, "12", NULL);
	run_for(w, IKE_SECOND);
	assert_logged(w, BOB, "profile", "matches profile profile1 (line 101)");
	world_free(w);
}

/* T39: the identity is another profile's, the address this tunnel's: both are named. */
static void both_profiles_are_named(void **state)
{
	struct ike_trustpoint tp = trustpoint(BOB, 0, NULL);
	struct world *w = world_empty(1);
	struct ike_tunnel_cfg t[2];

	(void)state;
	signed_cfg(&t[0], BOB);
	assert_int_equal(ike_id_parse("fqdn:r7.cisco.com", &t[0].remote_id), 0);
	signed_cfg(&t[1], BOB);
	snprintf(t[1].name, sizeof(t[1].name), "elsewhere");
	snprintf(t[1].profile, sizeof(t[1].profile), "prof3");
	t[1].profile_line = 90;
	t[1].remote = v4("198.51.100.1");
	assert_int_equal(configure(w, BOB, t, 2, &tp, 1), 0);
	router_up(w, ALICE, "1", NULL);
	run_for(w, IKE_SECOND);
	assert_logged(w, BOB, "invalid-id", "peer says it is fqdn:R1.cisco.com, expected fqdn:r7.cisco.com (line 70); that identity is "
		      "matched by profile prof3 (line 90), but the tunnel paris to this address has profile prof1 (line 61)");
	world_free(w);
}

/* ---- aggressive mode --------------------------------------------------------------------------------------------- */

static void aggressive(struct ike_tunnel_cfg *t)
{
	t->aggressive = true;
}

static void aggressive_dn(struct ike_tunnel_cfg *t)
{
	t->aggressive = true;
	t->local_id = (struct ike_id){ .type = IKE_ID_DER_ASN1_DN };
}

static void aggressive_mode(void **state)
{
	struct ike_trustpoint tp = trustpoint(BOB, 0, NULL);
	struct ike_match any = { .pattern = false };
	struct world *w = world_empty(1);
	struct ike_tunnel_cfg t;

	(void)state;
	router_up(w, BOB, "12", aggressive);
	router_up(w, ALICE, "21", aggressive);
	assert_true(up(w));
	/* AM2 with certificates is longer than a fragment, which AM1 has said it takes. */
	assert_string_equal(w->trace, "A:AM1 B:FRAG B:FRAG A:AM2 A:QM1 B:QM2 A:QM3");
	assert_logged(w, ALICE, "cert-request", "sending CERT_REQ for trustpoint IOSCA2");
	assert_logged(w, BOB, "cert-used", "of trustpoint IOSCA2 (line 2): number 1 of 2 that the peer's CERT_REQs name");
	assert_logged(w, ALICE, "cert-used", "of trustpoint IOSCA1");
	assert_logged(w, BOB, "p1-established", ", rsa, ");
	world_free(w);

	/* The subject of our certificate, said before the peer asked for one. */
	w = world_empty(2);
	signed_cfg(&t, BOB);
	t.aggressive = true;
	t.match = &any;
	t.n_match = 1;
	assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
	router_up(w, ALICE, "1", aggressive_dn);
	assert_true(up(w));
	assert_logged(w, BOB, "profile", "CN=R1");
	world_free(w);

	/* Not by default. */
	w = world_empty(3);
	router_up(w, BOB, "1", NULL);
	router_up(w, ALICE, "1", aggressive);
	run_for(w, IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_now, 0);
	assert_true(counters(w, BOB).aggressive_refused > 0);
	assert_logged(w, BOB, "aggressive-refused", "the answer would show our certificate to everybody");
	world_free(w);

	/* Anybody can sign an AM2: refused, and waited on. */
	w = world_empty(4);
	router_up(w, BOB, "3", aggressive);
	router_up(w, ALICE, "1", aggressive);
	run_for(w, IKE_SECOND);
	assert_logged(w, ALICE, "cert-refused", "no chain to an authority");
	assert_null(find_log(w, ALICE, "retry"));
	assert_int_equal(counters(w, ALICE).p1_established, 0);
	/* The real peer answers AM1's repetition once the stranger's half-open SA is gone. */
	router_up(w, BOB, "1", aggressive);
	assert_true(run_until(w, tunnel_works, 100 * IKE_SECOND));
	assert_null(find_log(w, ALICE, "retry"));
	world_free(w);
}

/* ---- peers at any address ------------------------------------------------------------------------------------------ */

/* With signatures the key does not depend on the peer: main mode takes one from anywhere. */
static void a_peer_at_any_address(void **state)
{
	struct ike_trustpoint tp = trustpoint(BOB, 0, NULL);
	struct ike_match m = pattern("fqdn:*.cisco.com");
	struct world *w = world_empty(1);
	struct ike_tunnel_cfg t[2];

	(void)state;
	signed_cfg(&t[0], BOB);
	snprintf(t[0].name, sizeof(t[0].name), "fixed");
	t[0].remote = v4("198.51.100.1");
	assert_int_equal(ike_id_parse("fqdn:r5.cisco.com", &t[0].remote_id), 0);
	signed_cfg(&t[1], BOB);
	t[1].remote.ip[0] = t[1].remote.ip[2] = t[1].remote.ip[3] = 0;
	t[1].match = &m;
	t[1].n_match = 1;
	assert_int_equal(configure(w, BOB, t, 2, &tp, 1), 0);
	router_up(w, ALICE, "1", NULL);
	assert_true(up(w));
	assert_string_equal(w->trace, PLAIN);
	world_free(w);
	/* A pre-shared key is for one address; the same identity at one and at any tells nothing apart. */
	w = world_empty(2);
	tp = trustpoint(BOB, 0, NULL);
	psk_or_rsa(&t[1]);
	assert_int_equal(configure(w, BOB, t, 2, &tp, 1), -IKE_E_INVALID);
	free(t[1].psk);
	t[1].psk = NULL;
	t[1].n_auth = 1;
	m = pattern("fqdn:r5.cisco.com");
	tp = trustpoint(BOB, 0, NULL);
	assert_int_equal(configure(w, BOB, t, 2, &tp, 1), -IKE_E_INVALID);
	m = pattern("fqdn:r6.cisco.com");
	tp = trustpoint(BOB, 0, NULL);
	assert_int_equal(configure(w, BOB, t, 2, &tp, 1), 0);
	/* Whom nothing means is refused after its signature. */
	router_up(w, ALICE, "1", NULL);
	run_for(w, IKE_SECOND);
	assert_logged(w, BOB, "invalid-id", "peer says it is fqdn:R1.cisco.com, expected fqdn:r6.cisco.com");
	world_free(w);
}

/* ---- the rest --------------------------------------------------------------------------------------------------- */

static bool bob_answered_mm3(struct world *w)
{
	return strstr(w->trace, "B:MM4") && w->n_queue;
}

/* New trustpoints while a negotiation is under way: what it has noted about the old ones is void, not wrong. */
static void reload_in_between(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	router_up(w, BOB, "12", NULL);
	router_up(w, ALICE, "12", NULL);
	assert_true(run_until(w, bob_answered_mm3, 5 * IKE_SECOND));
	router_up(w, BOB, "2", NULL);
	assert_true(up(w));
	world_free(w);
	w = world_empty(2);
	router_up(w, BOB, "12", NULL);
	router_up(w, ALICE, "12", NULL);
	assert_true(run_until(w, bob_answered_mm3, 5 * IKE_SECOND));
	router_up(w, ALICE, "21", NULL);
	assert_true(up(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_method),
		cmocka_unit_test(the_first_common_method),
		cmocka_unit_test(who_is_asked_for_what),
		cmocka_unit_test(the_first_request_decides),
		cmocka_unit_test(up_from_one_side_only),
		cmocka_unit_test(what_helps),
		cmocka_unit_test(the_most_specific_profile),
		cmocka_unit_test(the_profile_says_what_is_trusted),
		cmocka_unit_test(ties),
		cmocka_unit_test(both_profiles_are_named),
		cmocka_unit_test(aggressive_mode),
		cmocka_unit_test(a_peer_at_any_address),
		cmocka_unit_test(reload_in_between),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
