// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates of peers: chains in any order, validity, revocation, usage, bounds, PKCS#7,
 * identities, strength; and the material of trustpoints.
 */
#include "pki.h"

#include "ikecrypto/sign.h"
#include "libike/ident.h"
#include "libike/wire.h"

static const uint8_t hash[32] = "a hash of thirty-two octets, say";

static struct pki root, sub, other, leaf, subleaf;

static const struct pki_opts gateway = {
	.subject = "C=CH, O=Example, CN=gw", .san = "DNS:gw.Example,email:admin@gw.example,IP:192.0.2.1,IP:2001:db8::1",
	.usage = "digitalSignature", .serial = 7,
};

static int set_up(void **state)
{
	(void)state;
	root = pki_ca(NULL, "C=CH, O=Example, CN=Root", 0);
	other = pki_ca(NULL, "O=Elsewhere, CN=Root", 1);
	sub = pki_ca(&root, "O=Example, CN=Sub", 2);
	leaf = pki_make(&root, pki_key("P-256", 3), &gateway);
	subleaf = pki_make(&sub, pki_key("P-256", 3), &gateway);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pki_free(&root);
	pki_free(&other);
	pki_free(&sub);
	pki_free(&leaf);
	pki_free(&subleaf);
	pki_forget_keys();
	return 0;
}

static int add(struct ike_certs *c, X509 *cert)
{
	const char *why = NULL;
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der), err;

	err = ike_certs_add(c, IKE_CERT_X509_SIGNATURE, der, (size_t)len, &why);
	OPENSSL_free(der);
	return err;
}

/* These certificates, and a signature by the key. */
static struct ike_certs *sent_by(EVP_PKEY *key, const struct pki *const *list)
{
	struct ike_certs *c = ike_certs_new();
	uint8_t sig[IKE_SIG_MAX];
	size_t len = sizeof(sig);

	for (; *list; list++)
		assert_int_equal(add(c, (*list)->cert), 0);
	assert_int_equal(ikecrypto_sign(key, hash, sizeof(hash), sig, &len), 0);
	assert_true(ike_certs_verify(c, ikecrypto_key_method(key), hash, sizeof(hash), sig, len));
	return c;
}

/* "" when it is accepted. */
static const char *verdict(EVP_PKEY *key, const struct pki *const *list, struct ike_trust *t, int64_t now,
			   struct ike_cert_report *r)
{
	struct ike_certs *c = sent_by(key, list);
	int err = ike_certs_validate(c, t, now, r);

	assert_int_equal(err != 0, r->why[0] != '\0');
	ike_certs_free(c);
	ike_trust_unref(t);
	return r->why;
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

/* ---- chains --------------------------------------------------------------------------------- */

static void chain_in_any_order(void **state)
{
	const struct pki *const orders[][5] = {
		{ &subleaf, &sub, NULL }, { &sub, &subleaf, NULL }, { &other, &sub, &root, &subleaf, NULL },
		{ &subleaf, &root, &sub, NULL }, { &subleaf, &sub, &sub, &subleaf, NULL },
	};
	struct ike_cert_report r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		assert_string_equal(verdict(subleaf.key, orders[i], pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r), "");
		assert_null(r.weak);
	}
}

static void chain_needs_its_parts(void **state)
{
	struct ike_cert_report r;

	(void)state;
	assert_string_equal(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r), "");
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&other), NULL, NULL), PKI_NOW, &r), "no chain");
	assert_true(r.foreign);
	assert_says(verdict(subleaf.key, PKI_LIST(&subleaf), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r), "no chain");
	/* The peer's own root makes nobody trust it. */
	assert_says(verdict(leaf.key, PKI_LIST(&leaf, &root), pki_trust(PKI_LIST(&other), NULL, NULL), PKI_NOW, &r), "no chain");
	assert_true(r.foreign);
	/* An intermediate authority may be the anchor. */
	assert_string_equal(verdict(subleaf.key, PKI_LIST(&subleaf), pki_trust(PKI_LIST(&sub), NULL, NULL), PKI_NOW, &r), "");
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&sub), NULL, NULL), PKI_NOW, &r), "no chain");
}

static void who_is_no_authority_issues_nothing(void **state)
{
	struct pki forged = pki_make(&leaf, pki_key("P-256", 4), &(struct pki_opts){ .subject = "CN=forged" });
	struct pki loose = pki_make(&root, pki_key("P-256", 5), &(struct pki_opts){
		.subject = "CN=loose", .usage = "keyCertSign" });
	struct pki below = pki_make(&loose, pki_key("P-256", 4), &(struct pki_opts){ .subject = "CN=below" });
	struct ike_cert_report r;

	(void)state;
	assert_says(verdict(forged.key, PKI_LIST(&forged, &leaf), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r),
		    "invalid CA certificate");
	/* Key usage alone, without basic constraints, is not enough. */
	assert_says(verdict(below.key, PKI_LIST(&below, &loose), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r),
		    "invalid CA certificate");
	pki_free(&forged);
	pki_free(&loose);
	pki_free(&below);
}

static void chains_are_bounded(void **state)
{
	struct pki c[IKE_CHAIN_MAX + 2];
	struct ike_certs *certs = ike_certs_new();
	const char *why = NULL;
	struct ike_cert_report r;
	uint8_t *octets = calloc(1, IKE_CHAIN_OCTETS + 1);
	char name[32];
	size_t i, n = IKE_CHAIN_MAX;

	(void)state;
	for (i = 0; i < n + 2; i++) {
		snprintf(name, sizeof(name), "CN=level %zu", i);
		c[i] = pki_ca(i ? &c[i - 1] : NULL, name, 6);
	}
	/* Eight in all, the anchor counted; nine are refused. */
	assert_string_equal(verdict(c[7].key, PKI_LIST(&c[7], &c[6], &c[5], &c[4], &c[3], &c[2], &c[1]),
				    pki_trust(PKI_LIST(&c[0]), NULL, NULL), PKI_NOW, &r), "certificate CN=level 7: its key usage "
			    "does not allow signatures in IKE");
	assert_says(verdict(c[8].key, PKI_LIST(&c[8], &c[7], &c[6], &c[5], &c[4], &c[3], &c[2], &c[1]),
			    pki_trust(PKI_LIST(&c[0]), NULL, NULL), PKI_NOW, &r), "certificate chain too long");
	for (i = 0; i < n; i++)
		assert_int_equal(add(certs, c[i].cert), 0);
	assert_int_equal(add(certs, c[n].cert), -IKE_E_INVALID);
	assert_int_equal(ike_certs_count(certs), IKE_CHAIN_MAX);
	assert_int_equal(ike_certs_add(certs, IKE_CERT_X509_SIGNATURE, octets, IKE_CHAIN_OCTETS + 1, &why), -IKE_E_INVALID);
	assert_string_equal(why, "more octets of certificates than are taken");
	ike_certs_free(certs);
	free(octets);
	for (i = 0; i < n + 2; i++)
		pki_free(&c[i]);
}

/* ---- time and revocation ------------------------------------------------------------------------ */

static void validity_is_that_of_the_moment(void **state)
{
	struct ike_cert_report r;
	struct pki gone = pki_make(&root, pki_key("P-256", 3), &(struct pki_opts){
		.subject = "CN=gone", .from = PKI_NOW - 10 * PKI_DAY, .to = PKI_NOW - 1 });

	(void)state;
	assert_says(verdict(gone.key, PKI_LIST(&gone), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r),
		    "certificate CN=gone: certificate has expired");
	assert_false(r.foreign);
	/* The root is valid from a day before. */
	assert_string_equal(verdict(gone.key, PKI_LIST(&gone), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW - 2, &r), "");
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW - 2 * PKI_DAY, &r),
		    "not yet valid");
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, NULL), 0, &r), "not yet valid");
	pki_free(&gone);
}

static void revocation(void **state)
{
	struct ike_cert_report r;
	int64_t later = PKI_NOW + PKI_DAY;

	(void)state;
	assert_string_equal(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, pki_crl(&root, 0, later)),
				    PKI_NOW, &r), "");
	assert_string_equal(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, pki_crl(&root, 8, later)),
				    PKI_NOW, &r), "");
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, pki_crl(&root, 7, later)),
			    PKI_NOW, &r), "certificate revoked");
	assert_false(r.foreign);
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, pki_crl(&root, 0, PKI_NOW - 1)),
			    PKI_NOW, &r), "CRL has expired");
	/* A list of the root alone does not cover what an intermediate issued. */
	assert_says(verdict(subleaf.key, PKI_LIST(&subleaf, &sub), pki_trust(PKI_LIST(&root), NULL, pki_crl(&root, 0, later)),
			    PKI_NOW, &r), "unable to get certificate CRL");
	/* With an intermediate as the anchor its own list is enough. */
	assert_string_equal(verdict(subleaf.key, PKI_LIST(&subleaf), pki_trust(PKI_LIST(&sub), NULL, pki_crl(&sub, 0, later)),
				    PKI_NOW, &r), "");
	/* Somebody else's list is no list. */
	assert_says(verdict(leaf.key, PKI_LIST(&leaf), pki_trust(PKI_LIST(&root), NULL, pki_crl(&other, 0, later)),
			    PKI_NOW, &r), "unable to get certificate CRL");
}

/* ---- usage, strength ------------------------------------------------------------------------------ */

static void key_usage(void **state)
{
	static const struct { const char *usage, *eku; bool fine; } tab[] = {
		{ NULL, NULL, true }, { "digitalSignature", NULL, true }, { "nonRepudiation", NULL, true },
		{ "keyEncipherment", NULL, false }, { "keyAgreement", NULL, false },
		{ NULL, "serverAuth", true }, { NULL, "codeSigning", false }, { NULL, "codeSigning,1.3.6.1.5.5.8.2.2", true },
		{ "digitalSignature", "emailProtection", false }, { "digitalSignature", "1.3.6.1.5.5.7.3.17", true },
		{ "digitalSignature", "anyExtendedKeyUsage", true },
	};
	struct ike_cert_report r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct pki c = pki_make(&root, pki_key("P-256", 3), &(struct pki_opts){
			.subject = "CN=used", .usage = tab[i].usage, .eku = tab[i].eku });

		verdict(c.key, PKI_LIST(&c), pki_trust(PKI_LIST(&root), NULL, NULL), PKI_NOW, &r);
		if (!r.why[0] != tab[i].fine)
			fail_msg("%s, %s: %s", tab[i].usage, tab[i].eku, r.why);
		pki_free(&c);
	}
}

static void strength_is_reported(void **state)
{
	static const struct { const char *key, *digest; enum ike_policy needs; const char *weak; } tab[] = {
		{ "rsa2048", "SHA256", IKE_POLICY_MODERN, NULL },
		{ "rsa1024", "SHA256", IKE_POLICY_LEGACY, "key below 2048 bits of RSA" },
		{ "rsa2048", "SHA1", IKE_POLICY_LEGACY, "signed with SHA1" },
		{ "rsa2048", "MD5", IKE_POLICY_INSECURE, "signed with MD5" },
		{ "rsa512", "SHA256", IKE_POLICY_INSECURE, "key below 1024 bits of RSA" },
	};
	struct pki ca = pki_make(NULL, pki_key("rsa2048", 0), &(struct pki_opts){
		.subject = "CN=old root", .constraints = "critical,CA:TRUE", .digest = "MD5" });
	struct ike_cert_report r;
	size_t i;

	(void)state;
	/* How an anchor is signed does not matter: it is trusted by configuration. */
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct pki c = pki_make(&ca, pki_key(tab[i].key, 1), &(struct pki_opts){
			.subject = "CN=weak", .digest = tab[i].digest });

		assert_string_equal(verdict(c.key, PKI_LIST(&c), pki_trust(PKI_LIST(&ca), NULL, NULL), PKI_NOW, &r), "");
		assert_int_equal(r.needs, tab[i].needs);
		if (tab[i].weak)
			assert_string_equal(r.weak, tab[i].weak);
		else
			assert_null(r.weak);
		pki_free(&c);
	}
	pki_free(&ca);
}

/* ---- encodings --------------------------------------------------------------------------------------- */

static void pkcs7_holds_a_chain(void **state)
{
	PKCS7 *p7 = PKCS7_new();
	struct ike_certs *c = ike_certs_new();
	struct ike_trust *t = pki_trust(PKI_LIST(&root), NULL, NULL);
	uint8_t sig[IKE_SIG_MAX], *der = NULL;
	size_t len = sizeof(sig);
	struct ike_cert_report r;
	const char *why = NULL;
	int n;

	(void)state;
	PKCS7_set_type(p7, NID_pkcs7_signed);
	PKCS7_content_new(p7, NID_pkcs7_data);
	PKCS7_add_certificate(p7, sub.cert);
	PKCS7_add_certificate(p7, subleaf.cert);
	n = i2d_PKCS7(p7, &der);
	assert_true(n > 0);
	assert_int_equal(ike_certs_add(c, IKE_CERT_PKCS7, der, (size_t)n, &why), 0);
	assert_int_equal(ike_certs_count(c), 2);
	assert_int_equal(ikecrypto_sign(subleaf.key, hash, sizeof(hash), sig, &len), 0);
	assert_true(ike_certs_verify(c, IKE_AUTH_ECDSA_256, hash, sizeof(hash), sig, len));
	assert_int_equal(ike_certs_validate(c, t, PKI_NOW, &r), 0);
	assert_int_equal(ike_certs_add(c, IKE_CERT_PKCS7, der, (size_t)n - 1, &why), -IKE_E_PARSE);
	assert_int_equal(ike_certs_add(c, 7, der, (size_t)n, &why), -IKE_E_UNKNOWN);
	ike_certs_free(c);
	ike_trust_unref(t);
	OPENSSL_free(der);
	PKCS7_free(p7);
}

/* Cut anywhere, any octet changed: refused or harmless, never more than one certificate. */
static void broken_der(void **state)
{
	struct ike_certs *c;
	const char *why;
	uint8_t *der = NULL;
	int len = i2d_X509(leaf.cert, &der), i;

	(void)state;
	for (i = 0; i < len; i++) {
		c = ike_certs_new();
		why = NULL;
		assert_int_not_equal(ike_certs_add(c, IKE_CERT_X509_SIGNATURE, der, (size_t)i, &why), 0);
		assert_non_null(why);
		der[i] ^= 0x55;
		ike_certs_add(c, IKE_CERT_X509_SIGNATURE, der, (size_t)len, &why);
		assert_true(ike_certs_count(c) <= 1);
		der[i] ^= 0x55;
		ike_certs_free(c);
	}
	OPENSSL_free(der);
}

/* ---- identities ---------------------------------------------------------------------------------------- */

static void identities_in_certificates(void **state)
{
	static const struct { const char *id; bool has; } tab[] = {
		{ "fqdn:gw.example", true }, { "fqdn:GW.example", true }, { "fqdn:gw.example.", false }, { "fqdn:gw", false },
		{ "user-fqdn:admin@gw.example", true }, { "fqdn:admin@gw.example", false }, { "user-fqdn:gw.example", false },
		{ "ipv4:192.0.2.1", true }, { "ipv4:192.0.2.2", false }, { "ipv6:2001:db8::1", true }, { "ipv6:2001:db8::2", false },
		{ "dn:C=CH, O=Example, CN=gw", true }, { "dn:C=CH,O=example,CN=GW", true }, { "dn:CN=gw, O=Example, C=CH", false },
		{ "dn:O=Example, CN=gw", false }, { "key-id:gw", false }, { "fqdn:CN=gw", false },
	};
	struct ike_certs *c = sent_by(leaf.key, PKI_LIST(&leaf));
	struct ike_id id;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		assert_int_equal(ike_id_parse(tab[i].id, &id), 0);
		if (ike_certs_have_id(c, &id) != tab[i].has)
			fail_msg("%s", tab[i].id);
	}
	ike_certs_free(c);
}

/* A name with a NUL in it is not the name before the NUL. */
static void nul_in_a_name(void **state)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	GENERAL_NAME *n = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();
	X509_EXTENSION *e;
	struct pki c = pki_make(&root, pki_key("P-256", 3), &(struct pki_opts){ .subject = "CN=nul" });
	struct ike_certs *certs;
	struct ike_id id;

	(void)state;
	ASN1_STRING_set(s, "gw.example\0.evil", 16);
	GENERAL_NAME_set0_value(n, GEN_DNS, s);
	sk_GENERAL_NAME_push(names, n);
	e = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
	assert_int_equal(X509_add_ext(c.cert, e, -1), 1);
	X509_EXTENSION_free(e);
	GENERAL_NAMES_free(names);
	assert_true(X509_sign(c.cert, root.key, EVP_sha256()) > 0);
	certs = sent_by(c.key, PKI_LIST(&c));
	assert_int_equal(ike_id_parse("fqdn:gw.example", &id), 0);
	assert_false(ike_certs_have_id(certs, &id));
	ike_certs_free(certs);
	pki_free(&c);
}

/* ---- our own material -------------------------------------------------------------------------------------- */

static void own_chain_goes_without_the_root(void **state)
{
	struct ike_trust *t = pki_trust(PKI_LIST(&root), PKI_LIST(&subleaf, &root, &sub), NULL);
	struct ike_trust *same = pki_trust(PKI_LIST(&root), PKI_LIST(&subleaf, &sub), NULL);
	struct ike_trust *differs = pki_trust(PKI_LIST(&root), PKI_LIST(&leaf), NULL);
	const uint8_t *der;
	size_t len, n;
	X509 *cert;

	(void)state;
	assert_int_equal(ike_trust_method(t), IKE_AUTH_ECDSA_256);
	for (n = 0; (der = ike_trust_cert(t, n, &len)); n++) {
		cert = d2i_X509(NULL, &der, (long)len);
		assert_int_equal(X509_cmp(cert, n ? sub.cert : subleaf.cert), 0);
		X509_free(cert);
	}
	assert_int_equal(n, 2);
	der = ike_trust_authority(t, 0, &len);
	assert_true(ike_trust_issued_by(t, der, len));
	assert_null(ike_trust_authority(t, 1, &len));
	der = ikecrypto_name_der(X509_get_subject_name(sub.cert), &len);
	assert_true(ike_trust_issued_by(t, der, len));
	der = ikecrypto_name_der(X509_get_subject_name(other.cert), &len);
	assert_false(ike_trust_issued_by(t, der, len));
	assert_true(ike_trust_equal(t, same));
	assert_false(ike_trust_equal(t, differs));
	ike_trust_unref(t);
	ike_trust_unref(same);
	ike_trust_unref(differs);
}

static void material_that_does_not_fit(void **state)
{
	struct ike_trust *t = ikecrypto_trust_new();
	uint8_t *der = NULL;
	char why[256];
	int len;

	(void)state;
	assert_int_not_equal(ikecrypto_trust_finish(t, why, sizeof(why)), 0);
	assert_says(why, "no certificate of an authority");
	pki_add_cert(t, IKECRYPTO_CA, root.cert);
	pki_add_cert(t, IKECRYPTO_CERT, leaf.cert);
	assert_int_not_equal(ikecrypto_trust_finish(t, why, sizeof(why)), 0);
	assert_says(why, "certificate but no key");
	len = i2d_PrivateKey(other.key, &der);
	pki_add(t, IKECRYPTO_KEY, der, len);
	assert_int_not_equal(ikecrypto_trust_finish(t, why, sizeof(why)), 0);
	assert_says(why, "belongs to none");
	assert_int_not_equal(ikecrypto_trust_add(t, IKECRYPTO_CRL, "junk", 4, why, sizeof(why)), 0);
	assert_says(why, "no CRL in PEM or DER");
	assert_int_not_equal(ikecrypto_trust_key_uri(t, "pkcs11:token=none;object=none", why, sizeof(why)), 0);
	assert_says(why, "provider");
	ike_trust_unref(t);
}

static void remarks(void **state)
{
	struct ike_trust *t = pki_trust(PKI_LIST(&root), PKI_LIST(&leaf), pki_crl(&root, 0, PKI_NOW + PKI_DAY));
	struct ike_trust *lone = pki_trust(PKI_LIST(&other), PKI_LIST(&leaf), NULL);
	char text[300];

	(void)state;
	assert_false(ikecrypto_trust_remark(t, PKI_NOW, 0, text, sizeof(text)));
	assert_true(ikecrypto_trust_remark(t, PKI_NOW + 2 * PKI_DAY, 0, text, sizeof(text)));
	assert_says(text, "the CRL of C=CH, O=Example, CN=Root has expired");
	assert_false(ikecrypto_trust_remark(t, PKI_NOW + 2 * PKI_DAY, 1, text, sizeof(text)));
	assert_true(ikecrypto_trust_remark(t, PKI_NOW + 200 * PKI_DAY, 1, text, sizeof(text)));
	assert_says(text, "certificate C=CH, O=Example, CN=gw has expired");
	assert_true(ikecrypto_trust_remark(lone, PKI_NOW, 0, text, sizeof(text)));
	assert_says(text, "not issued by an authority of this trustpoint");
	ike_trust_unref(t);
	ike_trust_unref(lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_in_any_order),
		cmocka_unit_test(chain_needs_its_parts),
		cmocka_unit_test(who_is_no_authority_issues_nothing),
		cmocka_unit_test(chains_are_bounded),
		cmocka_unit_test(validity_is_that_of_the_moment),
		cmocka_unit_test(revocation),
		cmocka_unit_test(key_usage),
		cmocka_unit_test(strength_is_reported),
		cmocka_unit_test(pkcs7_holds_a_chain),
		cmocka_unit_test(broken_der),
		cmocka_unit_test(identities_in_certificates),
		cmocka_unit_test(nul_in_a_name),
		cmocka_unit_test(own_chain_goes_without_the_root),
		cmocka_unit_test(material_that_does_not_fit),
		cmocka_unit_test(remarks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
