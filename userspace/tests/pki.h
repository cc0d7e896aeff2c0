/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates for tests, made when they are wanted: authorities, gateways, revocation lists,
 * with whatever is to be wrong about them. Keys are made once per kind and place.
 */
#ifndef TESTS_PKI_H
#define TESTS_PKI_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "ikecrypto/trust.h"

#pragma GCC diagnostic ignored "-Wunused-function"

#define PKI_NOW 1700000000
#define PKI_DAY 86400
#define PKI_KEYS 32

struct pki {
	X509 *cert;
	EVP_PKEY *key;		/* of the cache */
};

struct pki_opts {
	const char *subject;	/* as ike_dn_parse takes it */
	const char *san;	/* "DNS:gw.example,IP:192.0.2.1" or NULL */
	const char *usage, *eku, *constraints;
	int64_t from, to;	/* 0: a day before and a hundred days after PKI_NOW */
	long serial;
	const char *digest;	/* NULL: SHA256 */
	long version;		/* 0: 2, which is X.509 v3 */
};

static struct {
	char name[32];
	EVP_PKEY *key;
} pki_cache[PKI_KEYS];

/* kind is "rsa2048" or a curve ("P-256"); places with the same number share a key. */
static EVP_PKEY *pki_key(const char *kind, unsigned int number)
{
	char name[32];
	size_t i;

	snprintf(name, sizeof(name), "%s-%u", kind, number);
	for (i = 0; i < PKI_KEYS && pki_cache[i].key; i++)
		if (!strcmp(pki_cache[i].name, name))
			return pki_cache[i].key;
	assert_true(i < PKI_KEYS);
	memcpy(pki_cache[i].name, name, sizeof(name));
	pki_cache[i].key = strncmp(kind, "rsa", 3) ? EVP_EC_gen(kind) : EVP_RSA_gen((unsigned int)atoi(kind + 3));
	assert_non_null(pki_cache[i].key);
	return pki_cache[i].key;
}

static void pki_forget_keys(void)
{
	size_t i;

	for (i = 0; i < PKI_KEYS; i++) {
		EVP_PKEY_free(pki_cache[i].key);
		pki_cache[i].key = NULL;
	}
}

static X509_NAME *pki_name(const char *text)
{
	uint8_t der[1024];
	const uint8_t *p = der;
	size_t len = sizeof(der);
	X509_NAME *name;

	assert_int_equal(ike_dn_parse(text, der, &len), 0);
	name = d2i_X509_NAME(NULL, &p, (long)len);
	assert_non_null(name);
	return name;
}

static void pki_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = value ? X509V3_EXT_conf_nid(NULL, NULL, nid, value) : NULL;

	if (!value)
		return;
	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* by NULL: signed by itself. */
static struct pki pki_make(const struct pki *by, EVP_PKEY *key, const struct pki_opts *o)
{
	struct pki c = { X509_new(), key };
	X509_NAME *subject = pki_name(o->subject);

	X509_set_version(c.cert, o->version == 1 ? 0 : 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), o->serial ? o->serial : 1);
	ASN1_TIME_set(X509_getm_notBefore(c.cert), o->from ? o->from : PKI_NOW - PKI_DAY);
	ASN1_TIME_set(X509_getm_notAfter(c.cert), o->to ? o->to : PKI_NOW + 100 * PKI_DAY);
	X509_set_subject_name(c.cert, subject);
	X509_set_issuer_name(c.cert, by ? X509_get_subject_name(by->cert) : subject);
	X509_set_pubkey(c.cert, key);
	pki_extension(c.cert, NID_basic_constraints, o->constraints);
	pki_extension(c.cert, NID_key_usage, o->usage);
	pki_extension(c.cert, NID_ext_key_usage, o->eku);
	pki_extension(c.cert, NID_subject_alt_name, o->san);
	assert_true(X509_sign(c.cert, by ? by->key : key, EVP_get_digestbyname(o->digest ? o->digest : "SHA256")) > 0);
	X509_NAME_free(subject);
	return c;
}

static struct pki pki_ca(const struct pki *by, const char *subject, unsigned int number)
{
	return pki_make(by, pki_key("P-256", number), &(struct pki_opts){
		.subject = subject, .constraints = "critical,CA:TRUE", .usage = "critical,keyCertSign,cRLSign" });
}

static X509_CRL *pki_crl(const struct pki *ca, long revoked, int64_t next)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_set(NULL, PKI_NOW - PKI_DAY);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert));
	X509_CRL_set1_lastUpdate(crl, t);
	if (revoked) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		ASN1_INTEGER_set(serial, revoked);
		X509_REVOKED_set_serialNumber(r, serial);
		X509_REVOKED_set_revocationDate(r, t);
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(serial);
	}
	ASN1_TIME_set(t, next);
	X509_CRL_set1_nextUpdate(crl, t);
	ASN1_TIME_free(t);
	assert_true(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
	return crl;
}

static void pki_free(struct pki *c)
{
	X509_free(c->cert);
	c->cert = NULL;
}

/* ---- trust material ------------------------------------------------------------------------- */

static void pki_add(struct ike_trust *t, enum ikecrypto_kind kind, uint8_t *der, int len)
{
	char why[256];

	assert_true(len > 0);
	if (ikecrypto_trust_add(t, kind, der, (size_t)len, why, sizeof(why)))
		fail_msg("%s", why);
	OPENSSL_free(der);
}

static void pki_add_cert(struct ike_trust *t, enum ikecrypto_kind kind, X509 *cert)
{
	uint8_t *der = NULL;
	int len = i2d_X509(cert, &der);

	pki_add(t, kind, der, len);
}

/* ca and chain (own, then issuers) end with a NULL cert; crl may be NULL and is taken over. */
static struct ike_trust *pki_trust(const struct pki *const *ca, const struct pki *const *chain, X509_CRL *crl)
{
	struct ike_trust *t = ikecrypto_trust_new();
	uint8_t *der = NULL;
	char why[256];
	int len;

	assert_non_null(t);
	if (chain && *chain) {
		len = i2d_PrivateKey((*chain)->key, &der);
		pki_add(t, IKECRYPTO_KEY, der, len);
	}
	for (; *ca; ca++)
		pki_add_cert(t, IKECRYPTO_CA, (*ca)->cert);
	for (; chain && *chain; chain++)
		pki_add_cert(t, IKECRYPTO_CERT, (*chain)->cert);
	if (crl) {
		der = NULL;
		len = i2d_X509_CRL(crl, &der);
		pki_add(t, IKECRYPTO_CRL, der, len);
		X509_CRL_free(crl);
	}
	if (ikecrypto_trust_finish(t, why, sizeof(why)))
		fail_msg("%s", why);
	return t;
}

#define PKI_LIST(...) ((const struct pki *const []){ __VA_ARGS__, NULL })

#endif
