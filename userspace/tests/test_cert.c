// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Main mode with signatures between two engines: methods, certificate requests and the choice
 * of a certificate, profiles, trustpoints that differ, and whatever must be refused.
 */
#include "two_engines.h"

#include "forge.h"
#include "libike/auth.h"
#include "libike/cert.h"
#include "libike/cipher.h"
#include "libike/engine.h"
#include "libike/ikesa.h"
#include "libike/phase1.h"
#include "libike/profile.h"
#include "libike/proof.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128-sha256"
#define PLAIN "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3"

/* ---- two routers, two authorities ---------------------------------------------------------- */

static struct pki ca[3];		/* CA1, CA2, and one nobody knows */
static struct pki router[2][3];		/* of ALICE and BOB, by each */

static int set_up(void **state)
{
	static const char *const names[] = { "O=com, O=cisco, CN=CA1", "O=com, O=cisco, CN=CA2", "CN=stranger" };
	static const char *const subject[] = {
		"O=com, O=cisco, OU=IT, CN=R1, serialNumber=100+unstructuredAddress=192.0.2.1+unstructuredName=R1.cisco.com",
		"O=com, O=cisco, OU=IT, CN=R2, serialNumber=101+unstructuredAddress=192.0.2.2+unstructuredName=R2.cisco.com",
	};
	static const char *const san[] = { "DNS:R1.cisco.com,IP:192.0.2.1", "DNS:R2.cisco.com,IP:192.0.2.2" };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 3; i++) {
		ca[i] = pki_ca(NULL, names[i], i);
		for (j = 0; j < 2; j++)
			router[j][i] = pki_make(&ca[i], pki_key("rsa2048", 2 * i + j), &(struct pki_opts){
				.subject = subject[j], .san = san[j], .usage = "digitalSignature", .serial = 3 + j });
	}
	return 0;
}

static int tear_down(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pki_free(&ca[i]);
		pki_free(&router[0][i]);
		pki_free(&router[1][i]);
	}
	pki_forget_keys();
	return 0;
}

static struct ike_trustpoint trustpoint(int who, unsigned int i, X509_CRL *crl)
{
	struct ike_trustpoint tp = { .line = 1 + i };

	snprintf(tp.name, sizeof(tp.name), "IOSCA%u", i + 1);
	tp.trust = pki_trust(PKI_LIST(&ca[i]), PKI_LIST(&router[who][i]), crl);
	return tp;
}

/* "paris" with signatures, as 'who' has it. */
static void signed_cfg(struct ike_tunnel_cfg *t, int who)
{
	tunnel_cfg(t, who, P1, P2);
	free(t->psk);
	t->psk = NULL;
	t->psk_len = 0;
	t->auth[0] = IKE_AUTH_RSA_SIG;
	t->n_auth = 1;
	snprintf(t->profile, sizeof(t->profile), "prof1");
	t->profile_line = who ? 61 : 16;
	assert_int_equal(ike_id_parse(who ? "fqdn:R2.cisco.com" : "fqdn:R1.cisco.com", &t->local_id), 0);
	assert_int_equal(ike_id_parse(who ? "fqdn:R1.cisco.com" : "fqdn:R2.cisco.com", &t->remote_id), 0);
}

static void only_ca1(struct ike_tunnel_cfg *t)
{
	snprintf(t->trustpoint[t->n_trustpoints++], IKE_NAME_MAX, "IOSCA1");
}

static int configure(struct world *w, int who, struct ike_tunnel_cfg *t, size_t n, struct ike_trustpoint *tp, size_t n_tp)
{
	struct ike_config cfg = { .tunnel = t, .n_tunnels = n, .trustpoint = tp, .n_trustpoints = n_tp };
	int err = ike_configure(w->side[who].e, &cfg, w->now);
	size_t i;

	drain(w, who);
	for (i = 0; i < n_tp; i++)
		ike_trust_unref(tp[i].trust);
	return err;
}

/* One side with the trustpoints in that order ("12", "21", "1"); tweak may change its tunnel. */
static void router_up(struct world *w, int who, const char *order, void (*tweak)(struct ike_tunnel_cfg *t))
{
	struct ike_trustpoint tp[3];
	struct ike_tunnel_cfg t;
	size_t n;

	signed_cfg(&t, who);
	if (tweak)
		tweak(&t);
	for (n = 0; order[n]; n++)
		tp[n] = trustpoint(who, (unsigned int)(order[n] - '1'), NULL);
	assert_int_equal(configure(w, who, &t, 1, tp, n), 0);
	free(t.match);
}

static void begins(struct ike_tunnel_cfg *t)
{
	t->start = IKE_START_AUTO;
}

static void answers(struct ike_tunnel_cfg *t)
{
	t->start = IKE_START_RESPOND;
}

static void answers_ca1(struct ike_tunnel_cfg *t)
{
	answers(t);
	only_ca1(t);
}

static bool logged(struct world *w, int who, const char *event, const char *part)
{
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		if (!strcmp(w->side[who].log[i].event, event) && strstr(w->side[who].log[i].text, part))
			return true;
	return false;
}

static void assert_logged(struct world *w, int who, const char *event, const char *part)
{
	if (!logged(w, who, event, part))
		fail_msg("%s has no %s with \"%s\"", w->side[who].name, event, part);
}

static bool up(struct world *w)
{
	return run_until(w, tunnel_works, 20 * IKE_SECOND);
}

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

/* ---- changed messages --------------------------------------------------------------------------------- */

/* What becomes of the signature. */
static unsigned int mutation;
#define MUTATIONS 14

static size_t mutate(struct world *w, const struct ike_payload *sig, struct ike_chunk id_b, bool by_alice, uint8_t *out)
{
	EVP_PKEY *key = router[by_alice ? ALICE : BOB][0].key;
	struct ike_exchange *x = w->side[ALICE].e->ikesas->phase1;
	uint8_t hash[IKE_HASH_MAX], block[256];
	size_t len = sig->len, h;

	memcpy(out, sig->body, len);
	assert_int_equal(ike_auth_hash(x, mutation == 7 ? !by_alice : by_alice, id_b, hash, &h), 0);
	switch (mutation) {
	case 0:
		out[0] ^= 0x01;
		break;
	case 1:
		out[len - 1] ^= 0x80;
		break;
	case 2:
		return len - 1;
	case 3:
		out[len] = 0;
		return len + 1;
	case 4:
		memmove(out + 1, out, len);
		out[0] = 0;
		return len + 1;
	case 5:
		memset(out, 0, len);
		break;
	case 6:
		memset(out, 0xff, len);
		break;
	case 7:	/* the right key, the other side's hash */
		forge_block(block, 256, hash, h, 0);
		forge_sign(key, block, 256, out);
		break;
	case 8:	/* the right hash, another key */
		forge_block(block, 256, hash, h, 0);
		forge_sign(router[by_alice ? ALICE : BOB][1].key, block, 256, out);
		break;
	default: /* the right key and hash, a block that is not the one: DigestInfo, trailing octets, ... */
		forge_block(block, 256, hash, h, mutation - 8);
		forge_sign(key, block, 256, out);
	}
	return len;
}

enum { CHANGE_SIG, DROP_CERT, DROP_SIG, ADD_JUNK_CERT, TWO_SIGS, TWO_IDS } change;

static void copy_changed(struct world *w, const struct ike_msg *m, bool by_alice, struct ike_msgw *out)
{
	const struct ike_payload *id = ike_msg_find(m, ISAKMP_NPTYPE_ID);
	uint8_t sig[300];
	unsigned int i;

	for (i = 0; i < m->n; i++) {
		const struct ike_payload *p = &m->p[i];

		if ((change == DROP_CERT && p->type == ISAKMP_NPTYPE_CERT) || (change == DROP_SIG && p->type == ISAKMP_NPTYPE_SIG))
			continue;
		if (change == CHANGE_SIG && p->type == ISAKMP_NPTYPE_SIG)
			ike_msgw_payload(out, p->type, sig, mutate(w, p, (struct ike_chunk){ id->body, id->len }, by_alice, sig));
		else
			ike_msgw_payload(out, p->type, p->body, p->len);
		if (change == TWO_SIGS && p->type == ISAKMP_NPTYPE_SIG)
			ike_msgw_payload(out, p->type, p->body, p->len);
		if (change == TWO_IDS && p->type == ISAKMP_NPTYPE_ID)
			ike_msgw_payload(out, p->type, p->body, p->len);
		if (change == ADD_JUNK_CERT && p->type == ISAKMP_NPTYPE_ID) {
			ike_msgw_payload(out, ISAKMP_NPTYPE_CERT, "\x04junk", 5);
			ike_msgw_payload(out, ISAKMP_NPTYPE_CERT, "\x0a", 1);
			ike_msgw_payload(out, ISAKMP_NPTYPE_CERT, "\x01\x30\x00", 3);
		}
	}
}

/* Somebody in the middle who has the keys: the first MM5 or MM6 is opened, changed and closed again. */
static unsigned int change_first(struct world *w, struct packet *p)
{
	struct ike_ikesa *sa = w->side[ALICE].e->ikesas;
	bool mm5 = !strcmp(w->target, "MM5");
	uint8_t iv[IKE_BLOCK_MAX], next[IKE_BLOCK_MAX];
	struct ike_msgw out;
	const char *why;
	struct ike_hdr h;
	struct ike_msg m;

	if (strcmp(p->name, w->target) || w->seen++)
		return 1;
	if (mm5)
		assert_int_equal(ike_iv_phase1(sa->p1.alg.hash, ike_blob_chunk(&sa->phase1->mm->gxi),
					       ike_blob_chunk(&sa->phase1->mm->gxr), iv, sa->block), 0);
	else
		memcpy(iv, w->kept.data + w->kept.len - sa->block, sa->block);
	assert_int_equal(ike_cipher_decrypt(sa, iv, next, p->data, p->len), 0);
	assert_int_equal(ike_hdr_parse(p->data, p->len, &h, &why), 0);
	if (ike_msg_parse(&m, &h, p->data, p->len, true, &why))
		fail_msg("%s", why);
	ike_msgw_begin(&out, &h);
	copy_changed(w, &m, mm5, &out);
	ike_msgw_finish(&out, sa->block);
	assert_false(out.b.bad);
	assert_int_equal(ike_cipher_encrypt(sa, iv, next, out.b.data, out.b.len), 0);
	free(p->data);
	p->data = out.b.data;
	p->len = out.b.len;
	return 1;
}

static bool seen(struct world *w)
{
	return w->seen && !w->n_queue;
}

static struct world *changed_world(const char *target)
{
	struct world *w = world_empty(7);

	w->wire = change_first;
	w->target = target;
	w->keep = "MM5";
	router_up(w, BOB, "1", NULL);
	router_up(w, ALICE, "1", NULL);
	return w;
}

/* A signature that is not exactly the one proves nothing and changes nothing: the real one still comes. */
static void fourteen_mutations_in_both_roles(void **state)
{
	static const char *const targets[] = { "MM5", "MM6" };
	size_t role;

	(void)state;
	change = CHANGE_SIG;
	for (role = 0; role < 2; role++) {
		for (mutation = 0; mutation < MUTATIONS; mutation++) {
			struct world *w = changed_world(targets[role]);
			int victim = role ? ALICE : BOB;

			assert_true(run_until(w, seen, 5 * IKE_SECOND));
			if (counters(w, victim).p1_established || counters(w, victim).auth_failures != 1)
				fail_msg("mutation %u of %s was taken", mutation, targets[role]);
			assert_logged(w, victim, "auth-failed", "its signature is not of its certificate");
			if (!up(w))
				fail_msg("mutation %u of %s: the real one did not come through", mutation, targets[role]);
			assert_int_equal(counters(w, ALICE).p1_established + counters(w, BOB).p1_established, 2);
			world_free(w);
		}
	}
}

/* T34 and company: dropped with a reason, nothing hangs, the real one is taken. */
static void other_changes(void **state)
{
	static const struct { int change; const char *event, *says; } tab[] = {
		{ DROP_CERT, "auth-failed", "it has no certificate, although we asked for one" },
		{ DROP_SIG, "auth-failed", "it has no SIG payload" },
		{ TWO_SIGS, "unexpected", "more than one SIG" },
		{ TWO_IDS, "malformed", "more than one" },
	};
	static const char *const targets[] = { "MM5", "MM6" };
	size_t i, role;
	struct world *w;

	(void)state;
	for (role = 0; role < 2; role++) {
		for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
			change = tab[i].change;
			w = changed_world(targets[role]);
			assert_true(run_until(w, seen, 5 * IKE_SECOND));
			assert_int_equal(counters(w, role ? ALICE : BOB).p1_established, 0);
			assert_logged(w, role ? ALICE : BOB, tab[i].event, tab[i].says);
			assert_true(up(w));
			world_free(w);
		}
		/* What is no certificate is left out; the rest is enough. (Then both ends go on from different blocks.) */
		change = ADD_JUNK_CERT;
		w = changed_world(targets[role]);
		assert_true(run_until(w, seen, 5 * IKE_SECOND));
		assert_int_equal(counters(w, role ? ALICE : BOB).p1_established, 1);
		assert_logged(w, role ? ALICE : BOB, "cert-refused", "CERT payload left out (encoding 4, 4 octets): not a certificate");
		assert_logged(w, role ? ALICE : BOB, "cert-refused", "(encoding 10, 0 octets): not an encoding");
		world_free(w);
	}
}

/* ---- vendor IDs, I14 -------------------------------------------------------------------------------------- */

static unsigned int vid_set;

static const char *const vids[] = {
	"\x09\x00\x26\x89\xdf\xd6\xb7\x12",
	"\xf4\xed\x19\xe0\xc1\x14\xeb\x51\x6f\xaa\xac\x0e\xe3\x7d\xaf\x28\x07\xb4\x38\x1f\x01\x02\x03",
	"\x12\xf5\xf2\x8c\x45\x71\x68\xa9\x70\x2d\x9f\xe2\x74\xcc\x01\x02",
	"\x88\x2f\xe5\x6d\x6f\xd2\x0d\xbc\x22\x51\x61\x3b\x2e\xbe\x5b\xeb",
	"anything at all",
};
#define N_VIDS (sizeof(vids) / sizeof(vids[0]))

static unsigned int add_vids(struct world *w, struct packet *p)
{
	struct ike_msgw out;
	const char *why;
	struct ike_hdr h;
	struct ike_msg m;
	unsigned int i;

	(void)w;
	if (p->data[18] != 2 || p->data[19] & 1)
		return 1;
	assert_int_equal(ike_hdr_parse(p->data, p->len, &h, &why), 0);
	assert_int_equal(ike_msg_parse(&m, &h, p->data, p->len, false, &why), 0);
	ike_msgw_begin(&out, &h);
	for (i = 0; i < m.n; i++)
		ike_msgw_payload(&out, m.p[i].type, m.p[i].body, m.p[i].len);
	for (i = 0; i < N_VIDS; i++)
		if (vid_set & 1u << i)
			ike_msgw_payload(&out, ISAKMP_NPTYPE_VID, vids[i], strlen(vids[i]));
	ike_msgw_finish(&out, 0);
	free(p->data);
	p->data = out.b.data;
	p->len = out.b.len;
	return 1;
}

static void vendor_ids_prove_nothing(void **state)
{
	int good;

	(void)state;
	for (vid_set = 0; vid_set < 1u << N_VIDS; vid_set++) {
		for (good = 0; good < 2; good++) {
			struct world *w = world_empty(vid_set);

			w->wire = add_vids;
			router_up(w, BOB, "1", answers_ca1);
			router_up(w, ALICE, good ? "1" : "3", NULL);
			run_for(w, 2 * IKE_SECOND);
			assert_int_equal(counters(w, BOB).p1_established, good);
			assert_int_equal(tunnel_works(w), good);
			world_free(w);
		}
	}
}

/* ---- refusals ----------------------------------------------------------------------------------------------- */

static void wrong_authority_in_both_roles(void **state)
{
	struct world *w = world_empty(1);

	(void)state;
	router_up(w, BOB, "1", answers_ca1);
	router_up(w, ALICE, "3", NULL);
	run_for(w, 2 * IKE_SECOND);
	assert_logged(w, BOB, "cert-refused", "rejected for profile prof1 (line 61), which has trustpoints IOSCA1: certificate");
	assert_logged(w, BOB, "cert-refused", "no chain to an authority of this trustpoint");
	assert_logged(w, ALICE, "auth-failed", "INVALID-CERT-AUTHORITY (22)");
	assert_int_equal(counters(w, BOB).p1_established, 0);
	world_free(w);

	/* The initiator refuses MM6: the responder is told, what it took for established goes. */
	w = world_empty(2);
	router_up(w, BOB, "13", NULL);
	router_up(w, ALICE, "1", only_ca1);
	assert_true(up(w));
	world_free(w);
	w = world_empty(3);
	{
		struct ike_trustpoint tp[2] = { trustpoint(BOB, 2, NULL), { .name = "IOSCA1", .line = 5,
			.trust = pki_trust(PKI_LIST(&ca[0]), NULL, NULL) } };
		struct ike_tunnel_cfg t;

		signed_cfg(&t, BOB);
		assert_int_equal(configure(w, BOB, &t, 1, tp, 2), 0);
	}
	router_up(w, ALICE, "1", only_ca1);
	run_for(w, 2 * IKE_SECOND);
	assert_logged(w, ALICE, "cert-refused", "rejected for profile prof1 (line 16)");
	assert_int_equal(counters(w, ALICE).p1_established, 0);
	assert_int_equal(counters(w, BOB).p2_established, 0);
	assert_logged(w, BOB, "cert-used", "none of which the peer asked for");
	run_for(w, 10 * IKE_SECOND);
	world_free(w);
}

static void revoked_and_expired(void **state)
{
	struct world *w = world_empty(1);
	struct ike_trustpoint tp = trustpoint(BOB, 0, pki_crl(&ca[0], 3, PKI_NOW + PKI_DAY));
	struct ike_tunnel_cfg t;

	(void)state;
	signed_cfg(&t, BOB);
	assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
	router_up(w, ALICE, "1", NULL);
	run_for(w, 2 * IKE_SECOND);
	assert_logged(w, BOB, "cert-refused", "certificate revoked");
	assert_logged(w, ALICE, "auth-failed", "INVALID-CERTIFICATE (20)");
	/* A new list without it, as a reload brings: the next attempt comes through, nothing else is disturbed. */
	tp = trustpoint(BOB, 0, pki_crl(&ca[0], 9, PKI_NOW + PKI_DAY));
	assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
	assert_true(up(w));
	/* And again with it: what is established stays, until the peer has to authenticate again. */
	tp = trustpoint(BOB, 0, pki_crl(&ca[0], 3, PKI_NOW + PKI_DAY));
	assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
	run_for(w, 20 * IKE_SECOND);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, BOB).p1_now, 1);
	world_free(w);
}

static void identity_must_be_in_the_certificate(void **state)
{
	static const struct { const char *id; bool fine; } tab[] = {
		{ "fqdn:r1.CISCO.com", true }, { "ipv4:192.0.2.1", true }, { "fqdn:r3.cisco.com", false }, { "ipv4:192.0.2.2", false },
		{ "user-fqdn:r1@cisco.com", false }, { "key-id:R1", false }, { "dn:CN=R1", false }, { "dn:", true },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct world *w = world_empty(i);
		struct ike_trustpoint tp = trustpoint(BOB, 0, NULL);
		struct ike_match any = { .pattern = false };
		struct ike_tunnel_cfg t;

		signed_cfg(&t, BOB);
		t.match = &any;
		t.n_match = 1;
		assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
		tp = trustpoint(ALICE, 0, NULL);
		signed_cfg(&t, ALICE);
		if (!strcmp(tab[i].id, "dn:"))
			t.local_id = (struct ike_id){ .type = IKE_ID_DER_ASN1_DN };
		else
			assert_int_equal(ike_id_parse(tab[i].id, &t.local_id), 0);
		assert_int_equal(configure(w, ALICE, &t, 1, &tp, 1), 0);
		run_for(w, 2 * IKE_SECOND);
		if (tunnel_works(w) != tab[i].fine)
			fail_msg("%s", tab[i].id);
		if (!tab[i].fine)
			assert_logged(w, BOB, "cert-refused", "has no such name in its subject or subjectAltName (profile prof1");
		world_free(w);
	}
}

static void weak_certificates_need_the_word(void **state)
{
	static const enum ike_policy policies[] = { IKE_POLICY_MODERN, IKE_POLICY_LEGACY, IKE_POLICY_INSECURE };
	struct pki weak = pki_make(&ca[0], pki_key("rsa1024", 9), &(struct pki_opts){
		.subject = "CN=R1", .san = "DNS:R1.cisco.com" });
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct ike_trustpoint tp = trustpoint(BOB, 0, NULL);
		struct world *w = world_empty(i);
		struct ike_tunnel_cfg t;

		signed_cfg(&t, BOB);
		t.policy = policies[i];
		assert_int_equal(configure(w, BOB, &t, 1, &tp, 1), 0);
		tp = (struct ike_trustpoint){ .name = "IOSCA1", .trust = pki_trust(PKI_LIST(&ca[0]), PKI_LIST(&weak), NULL) };
		signed_cfg(&t, ALICE);
		assert_int_equal(configure(w, ALICE, &t, 1, &tp, 1), 0);
		run_for(w, 2 * IKE_SECOND);
		assert_int_equal(tunnel_works(w), i > 0);
		if (i)
			assert_logged(w, BOB, "weak-algorithm", "a certificate of the peer is weak: key below 2048 bits of RSA");
		else
			assert_logged(w, BOB, "cert-refused", "too weak for the policy (key below 2048 bits of RSA)");
		world_free(w);
	}
	pki_free(&weak);
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

/* I13: no proof, or an incomplete one, and nothing is established. */
static void nothing_is_established_without_proof(void **state)
{
	struct world *w = world_empty(1);
	struct ike_engine *e = w->side[ALICE].e;
	const struct ike_id id = { .type = IKE_ID_FQDN, .len = 1, .data = "x" };
	static const uint8_t cookies[2][8] = { "icookie", "rcookie" };
	const struct ike_path path = { .local = v4("192.0.2.1"), .remote = v4("192.0.2.2") };
	const uint16_t methods[] = { IKE_AUTH_PSK, IKE_AUTH_RSA_SIG, IKE_AUTH_ECDSA_256, 0, 2, 64221, 65001 };
	struct ike_cert_report r;
	size_t i;

	(void)state;
	router_up(w, ALICE, "1", answers);
	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		struct ike_ikesa *sa, *other;
		struct ike_proof *p;

		ike_engine_enter(e, w->now);
		sa = ike_ikesa_new(e, ike_tunnel_by_name(e, "paris"), false, cookies[0], cookies[1], &path);
		other = ike_ikesa_new(e, ike_tunnel_by_name(e, "paris"), false, cookies[1], cookies[0], &path);
		sa->p1.auth = other->p1.auth = methods[i];
		p = ike_proof_new(sa, &id);
		assert_false(ike_ikesa_authenticated(sa, p));
		assert_false(ike_ikesa_authenticated(sa, NULL));
		/* Trust and identity without possession of the key count for nothing. */
		assert_int_not_equal(ike_proof_trusted(p, e->trustpoint[0].trust, PKI_NOW, IKE_POLICY_INSECURE, &r), 0);
		assert_false(ike_proof_identity(p));
		assert_false(ike_proof_hash(p, (struct ike_chunk){ "", 0 }, (struct ike_chunk){ "", 0 }));
		assert_false(ike_proof_hash(p, (struct ike_chunk){ "abc", 3 }, (struct ike_chunk){ "abd", 3 }));
		/* A HASH proves possession of a pre-shared key, of nothing else. */
		assert_int_equal(ike_proof_hash(p, (struct ike_chunk){ "abc", 3 }, (struct ike_chunk){ "abc", 3 }),
				 methods[i] == IKE_AUTH_PSK);
		assert_int_equal(ike_proof_holds(p, sa), methods[i] == IKE_AUTH_PSK);
		/* And of no other SA, and not when another method was negotiated. */
		assert_false(ike_proof_holds(p, other));
		sa->p1.auth = methods[!i];
		assert_false(ike_proof_holds(p, sa));
		ike_proof_free(p);
		ike_ikesa_establish(sa);
		assert_true(sa->dead);
		assert_false(sa->established);
		ike_ikesa_kill(other, false, "test");
		ike_engine_leave(e);
		drain(w, ALICE);
	}
	assert_int_equal(counters(w, ALICE).p1_established, 0);
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
		cmocka_unit_test(fourteen_mutations_in_both_roles),
		cmocka_unit_test(other_changes),
		cmocka_unit_test(vendor_ids_prove_nothing),
		cmocka_unit_test(wrong_authority_in_both_roles),
		cmocka_unit_test(revoked_and_expired),
		cmocka_unit_test(identity_must_be_in_the_certificate),
		cmocka_unit_test(weak_certificates_need_the_word),
		cmocka_unit_test(the_most_specific_profile),
		cmocka_unit_test(the_profile_says_what_is_trusted),
		cmocka_unit_test(ties),
		cmocka_unit_test(both_profiles_are_named),
		cmocka_unit_test(reload_in_between),
		cmocka_unit_test(nothing_is_established_without_proof),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
