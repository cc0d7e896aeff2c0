// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A certificate's life in small, for each kind of key: made, encoded, decoded, trusted, verified,
 * signed with. See warm.h.
 */
#include "warm.h"

#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "libike/wire.h"
#include "trust.h"

#define RSA_BITS 1024	/* made in a moment; nothing is kept secret with it */

static X509 *make_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;

	if (!name || !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"warm", -1, -1, 0) ||
	    !X509_set_issuer_name(cert, name) || !X509_set_pubkey(cert, key) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), 0) || !X509_gmtime_adj(X509_getm_notAfter(cert), 60) ||
	    !X509_sign(cert, key, EVP_sha256())) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

/* As a peer's: decoded, its signature checked, its chain built. */
static void meet(const struct ike_trust *t, const uint8_t *hash, size_t hash_len, const uint8_t *sig, size_t sig_len)
{
	struct ike_certs *certs = ike_certs_new();
	struct ike_cert_report report;
	const char *why;
	size_t len = 0;
	const uint8_t *der = ike_trust_cert(t, 0, &len);

	if (certs && der && !ike_certs_add(certs, IKE_CERT_X509_SIGNATURE, der, len, &why) &&
	    ike_certs_verify(certs, ike_trust_method(t), hash, hash_len, sig, sig_len))
		ike_certs_validate(certs, t, (int64_t)time(NULL), &report);
	ike_certs_free(certs);
}

static void trust_it(BIO *cert, BIO *key)
{
	struct ike_trust *t = ikecrypto_trust_new();
	char *c = NULL, *k = NULL, why[256];
	size_t n_cert = (size_t)BIO_get_mem_data(cert, &c), n_key = (size_t)BIO_get_mem_data(key, &k);
	uint8_t hash[20] = { 1 }, sig[1024];
	size_t len = sizeof(sig);

	if (t && !ikecrypto_trust_add(t, IKECRYPTO_CA, c, n_cert, why, sizeof(why)) &&
	    !ikecrypto_trust_add(t, IKECRYPTO_CERT, c, n_cert, why, sizeof(why)) &&
	    !ikecrypto_trust_add(t, IKECRYPTO_KEY, k, n_key, why, sizeof(why)) &&
	    !ikecrypto_trust_finish(t, why, sizeof(why)) && !ike_trust_sign(t, hash, sizeof(hash), sig, &len))
		meet(t, hash, sizeof(hash), sig, len);
	ike_trust_unref(t);
}

static void live(EVP_PKEY *key)
{
	BIO *c = BIO_new(BIO_s_mem()), *k = BIO_new(BIO_s_secmem());
	X509 *cert = key ? make_cert(key) : NULL;

	if (c && k && cert && PEM_write_bio_X509(c, cert) && PEM_write_bio_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL))
		trust_it(c, k);
	X509_free(cert);
	BIO_free(c);
	BIO_free(k);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

void ikecrypto_warm_up(void)
{
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_ADD_ALL_CIPHERS |
			    OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	live(EVP_RSA_gen(RSA_BITS));
	live(EVP_EC_gen("P-256"));
	live(EVP_EC_gen("P-384"));
	live(EVP_EC_gen("P-521"));
}
