// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What main mode with signatures must refuse, in both roles: changed signatures and messages,
 * certificates that are not trusted, revoked, too weak or somebody else's; vendor IDs that would
 * like to count; and an ISAKMP SA without proof.
 */
#include "routers.h"

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
		cmocka_unit_test(fourteen_mutations_in_both_roles),
		cmocka_unit_test(other_changes),
		cmocka_unit_test(vendor_ids_prove_nothing),
		cmocka_unit_test(wrong_authority_in_both_roles),
		cmocka_unit_test(revoked_and_expired),
		cmocka_unit_test(identity_must_be_in_the_certificate),
		cmocka_unit_test(weak_certificates_need_the_word),
		cmocka_unit_test(nothing_is_established_without_proof),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
