// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Trustpoints, profiles, identities and methods in the configuration: what loads, what is
 * refused with its line, what is warned about; private keys that others can read.
 */
#include "conf_load.h"

#include "libike/wire.h"
#include "pki.h"

static struct pki ca1, ca2, one, two, ec;
static const char *const files[] = {
	"ca1.pem", "ca2.pem", "one.pem", "two.pem", "ec.pem", "one.key", "two.key", "ec.key", "locked.key", "both.pem", "old.crl",
	"one.der", "good.psk", "esptun.conf",
};

/* ---- files ---------------------------------------------------------------------------------- */

static void write_bio(const char *name, BIO *bio, mode_t mode)
{
	char *data;
	long len = BIO_get_mem_data(bio, &data);

	write_file(name, data, (size_t)len, mode);
	BIO_free(bio);
}

static void write_cert(const char *name, X509 *a, X509 *b)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, a);
	if (b)
		PEM_write_bio_X509(bio, b);
	write_bio(name, bio, 0644);
}

static void write_key(const char *name, EVP_PKEY *key, const char *passphrase, mode_t mode)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : NULL, passphrase,
				      passphrase ? (int)strlen(passphrase) : 0, NULL, NULL);
	write_bio(name, bio, mode);
}

/* The keyer reads the calendar here, so these are valid today. */
static struct pki today(const struct pki *by, const char *kind, unsigned int n, const char *subject, const char *san)
{
	int64_t now = (int64_t)time(NULL);

	return pki_make(by, pki_key(kind, n), &(struct pki_opts){
		.subject = subject, .san = san, .constraints = by ? NULL : "critical,CA:TRUE",
		.from = now - PKI_DAY, .to = now + PKI_DAY });
}

static int make_files(void **state)
{
	X509_CRL *crl;
	BIO *bio;

	(void)state;
	if (!mkdtemp(test_dir))
		return -1;
	ca1 = today(NULL, "P-256", 0, "O=cisco, CN=CA1", NULL);
	ca2 = today(NULL, "P-256", 1, "O=cisco, CN=CA2", NULL);
	one = today(&ca1, "rsa2048", 0, "O=cisco, CN=R1", "DNS:r1.example,IP:192.0.2.1");
	two = today(&ca2, "rsa2048", 1, "O=cisco, CN=R1", "DNS:r1.example");
	ec = today(&ca2, "P-384", 0, "O=cisco, CN=R1 ec", "DNS:r1.example");
	write_cert("ca1.pem", ca1.cert, NULL);
	write_cert("ca2.pem", ca2.cert, NULL);
	write_cert("one.pem", one.cert, NULL);
	write_cert("two.pem", two.cert, NULL);
	write_cert("ec.pem", ec.cert, NULL);
	write_cert("both.pem", ca1.cert, ca2.cert);
	write_key("one.key", one.key, NULL, 0600);
	write_key("two.key", two.key, NULL, 0400);
	write_key("ec.key", ec.key, NULL, 0600);
	write_key("locked.key", one.key, "passphrase", 0600);
	crl = pki_crl(&ca1, 0, PKI_NOW);
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_CRL(bio, crl);
	write_bio("old.crl", bio, 0644);
	X509_CRL_free(crl);
	bio = BIO_new(BIO_s_mem());
	i2d_X509_bio(bio, one.cert);
	write_bio("one.der", bio, 0644);
	write_file("good.psk", "correct horse battery staple\n", 29, 0600);
	return 0;
}

static int remove_files(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(path_of(files[i]));
	pki_free(&ca1);
	pki_free(&ca2);
	pki_free(&one);
	pki_free(&two);
	pki_free(&ec);
	pki_forget_keys();
	return rmdir(test_dir);
}

/* Lines 1 and 2; what follows begins on line 3. */
#define TWO_TRUSTPOINTS \
	"trustpoint IOSCA1 { ca = ca1.pem  cert = one.pem  key = one.key }\n" \
	"trustpoint IOSCA2 { ca = ca2.pem  cert = two.pem  key = two.key }\n"
#define SIGNED(more) "tunnel paris { remote = 198.51.100.7  auth = rsa  identity = \"fqdn:r1.example\" " more " }\n"

/* ---- what loads ------------------------------------------------------------------------------- */

static void the_seed_in_our_words(void **state)
{
	struct conf *c = assert_loads(TWO_TRUSTPOINTS
		"profile prof1 {\n  auth = rsa\n  trustpoints = { IOSCA1 }\n  cert-requests = by-address\n"
		"  identity = \"fqdn:r1.example\"\n  match-identity = { \"fqdn:*.example\", \"dn:O=cisco, CN=*\" }\n"
		"  on-reject = next-certificate\n  on-tie = last-wins\n}\n"
		"tunnel paris { remote = 198.51.100.7  profile = prof1 }\n");
	const struct ike_tunnel_cfg *t = &c->ike.tunnel[0];

	(void)state;
	assert_int_equal(found.warnings, 0);
	assert_int_equal(c->ike.n_trustpoints, 2);
	assert_string_equal(c->ike.trustpoint[0].name, "IOSCA1");
	assert_int_equal(c->ike.trustpoint[1].line, 2);
	assert_int_equal(ike_trust_method(c->ike.trustpoint[0].trust), IKE_AUTH_RSA_SIG);
	assert_string_equal(t->profile, "prof1");
	assert_int_equal(t->profile_line, 3);
	assert_int_equal(t->n_auth, 1);
	assert_int_equal(t->auth[0], IKE_AUTH_RSA_SIG);
	assert_int_equal(t->n_trustpoints, 1);
	assert_string_equal(t->trustpoint[0], "IOSCA1");
	assert_int_equal(t->n_match, 2);
	assert_true(t->match[0].pattern && t->match[1].pattern);
	assert_true(t->next_certificate && t->narrow_requests && t->last_wins);
	assert_null(t->psk);
	conf_free(c);
}

static void methods(void **state)
{
	static const char ecdsa[] = "trustpoint e { ca = ca2.pem  cert = ec.pem  key = ec.key }\n";
	char text[2000];
	struct conf *c;

	(void)state;
	snprintf(text, sizeof(text), "%s%s" "tunnel paris { remote = 198.51.100.7  auth = { ecdsa, rsa, psk }  psk-file = good.psk\n"
		 "identity = \"fqdn:r1.example\" }\n", TWO_TRUSTPOINTS, ecdsa);
	c = assert_loads(text);
	assert_int_equal(c->ike.tunnel[0].n_auth, 3);
	assert_int_equal(c->ike.tunnel[0].auth[0], IKE_AUTH_ECDSA_384);
	assert_int_equal(c->ike.tunnel[0].auth[1], IKE_AUTH_RSA_SIG);
	assert_int_equal(c->ike.tunnel[0].auth[2], IKE_AUTH_PSK);
	conf_free(c);
	/* One certificate file in DER, several authorities in one file, the subject as identity. */
	c = assert_loads("trustpoint a { ca = both.pem  cert = one.der  key = one.key }\n"
			 "tunnel paris { remote = 198.51.100.7  auth = rsa  identity = dn }\n");
	assert_int_equal(c->ike.tunnel[0].local_id.type, IKE_ID_DER_ASN1_DN);
	assert_int_equal(c->ike.tunnel[0].local_id.len, 0);
	assert_int_equal(found.warnings, 0);
	conf_free(c);
}

/* ---- what is refused ------------------------------------------------------------------------------ */

static void mistakes(void **state)
{
	static const struct { const char *text; unsigned int line; const char *says; } tab[] = {
		{ "trustpoint a { cert = one.pem  key = one.key }\n" SIGNED(""), 1, "trustpoint a has no ca" },
		{ "trustpoint a { ca = none.pem }\n" SIGNED(""), 1, "none.pem: No such file" },
		{ "trustpoint a { ca = one.key }\n" SIGNED(""), 1, "holds no certificate in PEM or DER" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem }\n" SIGNED(""), 1, "trustpoint a has a certificate but no key" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem\n  key = two.key }\n" SIGNED(""), 1, "belongs to none of its" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem\n  key = locked.key }\n" SIGNED(""), 2, "private key without passphrase" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem\n  key = \"pkcs11:object=x;pin-value=1234\" }\n" SIGNED(""), 2,
		  "the pkcs11: URI: no OpenSSL provider opens it" },
		{ "trustpoint a { ca = ca1.pem\n  crl = ca1.pem }\n" SIGNED(""), 2, "holds no CRL" },
		{ "trustpoint a { ca = ca1.pem\n  remote = 192.0.2.1 }\n" SIGNED(""), 2, "remote does not belong in a trustpoint section" },
		{ "trustpoint a { ca = ca1.pem\n  certs = one.pem }\n" SIGNED(""), 2, "unknown key \"certs\": did you mean cert?" },
		{ TWO_TRUSTPOINTS SIGNED("\n  key = one.key"), 4, "key does not belong in a tunnel" },
		{ TWO_TRUSTPOINTS "trustpoint IOSCA1 { ca = ca1.pem }\n" SIGNED("trustpoints = { IOSCA1 }"), 3, "is there twice, first on line 1" },
		{ TWO_TRUSTPOINTS SIGNED("trustpoints = { IOSCA1, IOSCA3 }"), 3, "there is no trustpoint \"IOSCA3\"" },
		{ TWO_TRUSTPOINTS SIGNED("trustpoints = { IOSCA1, IOSCA1 }"), 3, "listed twice" },
		{ TWO_TRUSTPOINTS "tunnel paris { remote = 198.51.100.7  auth = ecdsa }\n", 3, "needs a trustpoint with an ECDSA" },
		{ TWO_TRUSTPOINTS "tunnel paris { remote = 198.51.100.7  auth = ecdsa256 }\n", 3, "authentication ecdsa256 needs a trustpoint" },
		{ "trustpoint a { ca = ca1.pem }\n" SIGNED(""), 2, "authentication rsa needs a trustpoint with a certificate and key" },
		{ TWO_TRUSTPOINTS "tunnel paris { remote = 198.51.100.7  auth = certificate }\n", 3, "must be psk, rsa, ecdsa" },
		{ TWO_TRUSTPOINTS "tunnel paris { remote = 198.51.100.7  auth = { rsa, psk } }\n", 3, "has no pre-shared key" },
		{ TWO_TRUSTPOINTS SIGNED("on-reject = never"), 3, "must be same-certificate or next-certificate" },
		{ TWO_TRUSTPOINTS SIGNED("cert-requests = none"), 3, "must be all or by-address" },
		{ TWO_TRUSTPOINTS SIGNED("match-identity = \"fqdn:*\""), 3, "a pattern of one" },
		{ TWO_TRUSTPOINTS SIGNED("match-identity = { any }\n") "tunnel lyon { remote = 198.51.100.7  auth = rsa  device = l0\n"
		  "match-identity = { any, \"fqdn:a.example\" } identity = \"fqdn:r1.example\" }\n", 5,
		  "and any means both: make one more specific, or write on-tie = last-wins" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++)
		assert_refused(tab[i].text, tab[i].line, tab[i].says);
}

/* Nothing of a PIN in a message. */
static void pins_are_not_shown(void **state)
{
	unsigned int i;

	(void)state;
	assert_null(load("trustpoint a { ca = ca1.pem  cert = one.pem\n  key = \"pkcs11:object=x;pin-value=1234\" }\n" SIGNED("")));
	for (i = 0; i < found.n; i++)
		assert_null(strstr(found.at[i].text, "1234"));
}

/* P8: a private key that others can read is no secret. */
static void key_files(void **state)
{
	static const char text[] = "trustpoint a { ca = ca1.pem  cert = one.pem\n  key = one.key }\n" SIGNED("");
	static const mode_t bad[] = { 0644, 0640, 0604, 0660 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(path_of("one.key"), bad[i]), 0);
		assert_refused(text, 2, "so others than its owner can read the secret in it: run chmod 600");
	}
	assert_int_equal(chmod(path_of("one.key"), 0600), 0);
	conf_free(assert_loads(text));
}

/* ---- what is warned about ------------------------------------------------------------------------- */

static void lint(void **state)
{
	static const struct { const char *text; unsigned int line; const char *says; } tab[] = {
		{ TWO_TRUSTPOINTS "profile p { auth = rsa  trustpoints = { IOSCA1 }  identity = \"fqdn:r1.example\" }\n"
		  "tunnel paris { remote = 198.51.100.7  profile = p }\n", 3, "asked for a certificate of trustpoint IOSCA2 (line 2) too, "
		  "which profile p (line 3) does not trust: the tunnel may come up from one side only; write cert-requests = by-address" },
		{ TWO_TRUSTPOINTS SIGNED(""), 3, "names no trustpoints: the order of the peer's requests decides between the certificates "
		  "of IOSCA1 and IOSCA2" },
		{ TWO_TRUSTPOINTS SIGNED("trustpoints = { IOSCA1 } cert-requests = by-address\n") "tunnel lyon { remote = 198.51.100.7\n"
		  "auth = rsa  device = l0  match-identity = \"fqdn:x.example\" identity = \"fqdn:r1.example\" trustpoints = { IOSCA2 } }\n", 3,
		  "trust the same in all profiles of this peer" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem  key = one.key }\n"
		  "tunnel paris { remote = 198.51.100.7  auth = rsa  identity = \"fqdn:r9.example\" }\n", 2,
		  "identity fqdn:r9.example is not in our certificate of trustpoint a (line 1)" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem  key = one.key }\n"
		  "tunnel paris { remote = 198.51.100.7  auth = rsa  local = 192.0.2.77 }\n", 2, "identity ipv4:192.0.2.77 is not in our" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem  key = one.key\n  crl = old.crl }\n" SIGNED(""), 1,
		  "trustpoint a: the CRL of O=cisco, CN=CA1 has expired" },
		{ "trustpoint a { ca = ca2.pem  cert = one.pem  key = one.key }\n" SIGNED(""), 1, "not issued by an authority of this" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem  key = one.key }\n" SIGNED("match-identity = { any }\n")
		  "tunnel lyon { remote = 198.51.100.7  auth = rsa  device = l0  identity = \"fqdn:r1.example\"\n"
		  "match-identity = { \"fqdn:a.example\", \"fqdn:b.example\" } }\n", 4, "overlap, by match-identity any and fqdn:a.example: the more specific one is taken" },
		{ "trustpoint a { ca = ca1.pem  cert = one.pem  key = one.key }\n" SIGNED("match-identity = { \"fqdn:a.example\", \"fqdn:c.example\" }\n")
		  "tunnel lyon { remote = 198.51.100.7  auth = rsa  device = l0  identity = \"fqdn:r1.example\"\n"
		  "match-identity = { \"fqdn:*.example\" } }\n", 4, "overlap, by match-identity fqdn:a.example and fqdn:*.example" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		struct conf *c = assert_loads(tab[i].text);

		assert_true(has_finding(CONF_WARNING, tab[i].line, tab[i].says));
		assert_in_range(found.warnings, 1, 2);
		conf_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_seed_in_our_words),
		cmocka_unit_test(methods),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(pins_are_not_shown),
		cmocka_unit_test(key_files),
		cmocka_unit_test(lint),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
