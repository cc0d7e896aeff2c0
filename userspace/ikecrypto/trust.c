// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A trustpoint's material: put together, judged, asked. See trust.h and libike/pki.h. Private
 * keys leave this file only as signatures.
 */
#define _GNU_SOURCE
#include "trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>
#include <openssl/x509v3.h>

#include "sign.h"

struct ike_trust *ikecrypto_trust_new(void)
{
	struct ike_trust *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->refs = 1;
	t->store = X509_STORE_new();
	t->ca = sk_X509_new_null();
	t->certs = sk_X509_new_null();
	t->chain = sk_X509_new_null();
	t->crls = sk_X509_CRL_new_null();
	if (t->store && t->ca && t->certs && t->chain && t->crls)
		return t;
	ike_trust_unref(t);
	return NULL;
}

struct ike_trust *ike_trust_ref(struct ike_trust *t)
{
	t->refs++;
	return t;
}

void ike_trust_unref(struct ike_trust *t)
{
	size_t i;

	if (!t || --t->refs)
		return;
	for (i = 0; i < IKE_CHAIN_MAX; i++)
		OPENSSL_free(t->sent[i].der);
	EVP_PKEY_free(t->key);
	X509_STORE_free(t->store);
	sk_X509_pop_free(t->ca, X509_free);
	sk_X509_pop_free(t->certs, X509_free);
	sk_X509_pop_free(t->chain, X509_free);
	sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
	free(t);
}

/* ---- reading ------------------------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4)))
static int refuse(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	ERR_clear_error();
	return -IKE_E_INVALID;
}

/* Private keys with a passphrase: nobody is there to ask. */
static int no_passphrase(char *buf, int size, int rw, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)ctx;
	return -1;
}

static bool is_pem(const void *data, size_t len)
{
	return len > 10 && memmem(data, len, "-----BEGIN", 10);
}

static bool push_cert(STACK_OF(X509) *to, X509 *cert)
{
	if (cert && sk_X509_push(to, cert))
		return true;
	X509_free(cert);
	return false;
}

static bool push_crl(STACK_OF(X509_CRL) *to, X509_CRL *crl)
{
	if (crl && sk_X509_CRL_push(to, crl))
		return true;
	X509_CRL_free(crl);
	return false;
}

/* How many came out of the octets; other kinds of PEM blocks between them are skipped. */
static unsigned int read_certs(STACK_OF(X509) *to, BIO *bio, bool pem)
{
	unsigned int n = 0;

	if (!pem)
		return push_cert(to, d2i_X509_bio(bio, NULL));
	while (push_cert(to, PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)))
		n++;
	return n;
}

static unsigned int read_crls(STACK_OF(X509_CRL) *to, BIO *bio, bool pem)
{
	unsigned int n = 0;

	if (!pem)
		return push_crl(to, d2i_X509_CRL_bio(bio, NULL));
	while (push_crl(to, PEM_read_bio_X509_CRL(bio, NULL, no_passphrase, NULL)))
		n++;
	return n;
}

static EVP_PKEY *read_key(BIO *bio, bool pem)
{
	return pem ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : d2i_PrivateKey_bio(bio, NULL);
}

int ikecrypto_trust_add(struct ike_trust *t, enum ikecrypto_kind kind, const void *data, size_t len,
			char *why, size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	bool pem = is_pem(data, len), ok = false;

	if (!bio)
		return refuse(why, size, "out of memory");
	switch (kind) {
	case IKECRYPTO_CA:
		ok = read_certs(t->ca, bio, pem);
		break;
	case IKECRYPTO_CERT:
		ok = read_certs(t->certs, bio, pem);
		break;
	case IKECRYPTO_CRL:
		ok = read_crls(t->crls, bio, pem);
		break;
	case IKECRYPTO_KEY:
		EVP_PKEY_free(t->key);
		t->key = read_key(bio, pem);
		ok = t->key;
		break;
	}
	BIO_free(bio);
	if (!ok)
		return refuse(why, size, "holds no %s in PEM or DER that can be read", kind == IKECRYPTO_KEY ?
			      "private key without passphrase" : kind == IKECRYPTO_CRL ? "CRL" : "certificate");
	ERR_clear_error();
	return 0;
}

int ikecrypto_trust_key_uri(struct ike_trust *t, const char *uri, char *why, size_t size)
{
	OSSL_STORE_CTX *s = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
	OSSL_STORE_INFO *info;

	if (!s)
		return refuse(why, size, "no OpenSSL provider opens it: is one for this scheme activated in openssl.cnf?");
	while (!t->key && !OSSL_STORE_eof(s)) {
		info = OSSL_STORE_load(s);
		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			t->key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
	}
	OSSL_STORE_close(s);
	if (!t->key)
		return refuse(why, size, "names no private key");
	ERR_clear_error();
	return 0;
}

/* ---- does it fit together? ------------------------------------------------------------------------ */

static bool is_self_issued(X509 *cert)
{
	return !X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert));
}

static X509 *issuer_in(STACK_OF(X509) *from, X509 *cert)
{
	int i;

	for (i = 0; i < sk_X509_num(from); i++)
		if (X509_check_issued(sk_X509_value(from, i), cert) == X509_V_OK)
			return sk_X509_value(from, i);
	return NULL;
}

/* Our own, and its issuers as far as we have them, without the root. */
static bool build_chain(struct ike_trust *t)
{
	X509 *cert = t->own;

	while (cert && sk_X509_num(t->chain) < IKE_CHAIN_MAX) {
		X509 *issuer;

		if (sk_X509_num(t->chain) && is_self_issued(cert))
			break;
		if (!X509_up_ref(cert) || !push_cert(t->chain, cert))
			return false;
		issuer = is_self_issued(cert) ? NULL : issuer_in(t->certs, cert);
		cert = issuer || is_self_issued(cert) ? issuer : issuer_in(t->ca, cert);
	}
	return true;
}

static bool encode_chain(struct ike_trust *t)
{
	int i, n;

	for (i = 0; i < sk_X509_num(t->chain); i++) {
		n = i2d_X509(sk_X509_value(t->chain, i), &t->sent[i].der);
		if (n <= 0)
			return false;
		t->sent[i].len = (size_t)n;
	}
	return true;
}

static int find_own(struct ike_trust *t, char *why, size_t size)
{
	int i;

	if (!t->key && !sk_X509_num(t->certs))
		return 0;
	if (!t->key)
		return refuse(why, size, "has a certificate but no key");
	if (!sk_X509_num(t->certs))
		return refuse(why, size, "has a key but no certificate");
	for (i = 0; i < sk_X509_num(t->certs) && !t->own; i++)
		if (X509_check_private_key(sk_X509_value(t->certs, i), t->key))
			t->own = sk_X509_value(t->certs, i);
	if (!t->own)
		return refuse(why, size, "the private key belongs to none of its certificates");
	t->method = ikecrypto_key_method(t->key);
	if (!t->method)
		return refuse(why, size, "the key is neither RSA (512 to 8192 bits) nor ECDSA on P-256, P-384 or P-521");
	return build_chain(t) && encode_chain(t) ? 0 : refuse(why, size, "out of memory");
}

int ikecrypto_trust_finish(struct ike_trust *t, char *why, size_t size)
{
	int i, err;

	if (!sk_X509_num(t->ca))
		return refuse(why, size, "has no certificate of an authority");
	for (i = 0; i < sk_X509_num(t->ca); i++)
		if (!X509_STORE_add_cert(t->store, sk_X509_value(t->ca, i)))
			return refuse(why, size, "out of memory");
	for (i = 0; i < sk_X509_CRL_num(t->crls); i++)
		if (!X509_STORE_add_crl(t->store, sk_X509_CRL_value(t->crls, i)))
			return refuse(why, size, "out of memory");
	err = find_own(t, why, size);
	ERR_clear_error();
	return err;
}

/* ---- remarks ---------------------------------------------------------------------------------------- */

static bool remark_on_time(X509 *cert, int64_t now, char *text, size_t size)
{
	time_t at = (time_t)now;
	char name[160];

	if (X509_cmp_time(X509_get0_notAfter(cert), &at) < 0)
		snprintf(text, size, "certificate %s has expired", ikecrypto_subject(cert, name, sizeof(name)));
	else if (X509_cmp_time(X509_get0_notBefore(cert), &at) > 0)
		snprintf(text, size, "certificate %s is not valid yet", ikecrypto_subject(cert, name, sizeof(name)));
	else
		return false;
	return true;
}

static bool remark_on_strength(X509 *cert, char *text, size_t size)
{
	enum ike_policy needs = IKE_POLICY_MODERN;
	const char *weak = NULL;
	char name[160];

	ikecrypto_cert_strength(cert, !is_self_issued(cert), &needs, &weak);
	if (weak)
		snprintf(text, size, "certificate %s is weak (%s)", ikecrypto_subject(cert, name, sizeof(name)), weak);
	return weak;
}

static bool remark_on_crl(const X509_CRL *crl, int64_t now, char *text, size_t size)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	time_t at = (time_t)now;
	const uint8_t *der;
	char name[160];
	size_t len;

	if (!next || X509_cmp_time(next, &at) >= 0)
		return false;
	der = ikecrypto_name_der(X509_CRL_get_issuer(crl), &len);
	snprintf(text, size, "the CRL of %s has expired: no certificate it covers is accepted",
		 ike_dn_format(der, len, name, sizeof(name)));
	return true;
}

static bool is_issued_here(const struct ike_trust *t)
{
	X509 *top = sk_X509_value(t->chain, sk_X509_num(t->chain) - 1);
	int i;

	for (i = 0; i < sk_X509_num(t->ca); i++)
		if (!X509_cmp(top, sk_X509_value(t->ca, i)))
			return true;
	return issuer_in(t->ca, top);
}

bool ikecrypto_trust_remark(const struct ike_trust *t, int64_t now, unsigned int i, char *text, size_t size)
{
	STACK_OF(X509) *const stacks[] = { t->ca, t->chain };
	unsigned int seen = 0;
	size_t s;
	int j;

	for (s = 0; s < 2; s++) {
		for (j = 0; j < sk_X509_num(stacks[s]); j++) {
			if (remark_on_time(sk_X509_value(stacks[s], j), now, text, size) && seen++ == i)
				return true;
			if (remark_on_strength(sk_X509_value(stacks[s], j), text, size) && seen++ == i)
				return true;
		}
	}
	for (j = 0; j < sk_X509_CRL_num(t->crls); j++)
		if (remark_on_crl(sk_X509_CRL_value(t->crls, j), now, text, size) && seen++ == i)
			return true;
	if (!t->own || is_issued_here(t) || seen != i)
		return false;
	snprintf(text, size, "our certificate is not issued by an authority of this trustpoint");
	return true;
}

/* ---- libike's questions ------------------------------------------------------------------------------- */

static bool certs_equal(STACK_OF(X509) *a, STACK_OF(X509) *b)
{
	int i;

	if (sk_X509_num(a) != sk_X509_num(b))
		return false;
	for (i = 0; i < sk_X509_num(a); i++)
		if (X509_cmp(sk_X509_value(a, i), sk_X509_value(b, i)))
			return false;
	return true;
}

bool ike_trust_equal(const struct ike_trust *a, const struct ike_trust *b)
{
	int i;

	if (!certs_equal(a->ca, b->ca) || !certs_equal(a->chain, b->chain) ||
	    sk_X509_CRL_num(a->crls) != sk_X509_CRL_num(b->crls))
		return false;
	for (i = 0; i < sk_X509_CRL_num(a->crls); i++)
		if (X509_CRL_match(sk_X509_CRL_value(a->crls, i), sk_X509_CRL_value(b->crls, i)))
			return false;
	return true;
}

uint16_t ike_trust_method(const struct ike_trust *t)
{
	return t->method;
}

const uint8_t *ike_trust_authority(const struct ike_trust *t, size_t i, size_t *len)
{
	if (i >= (size_t)sk_X509_num(t->ca))
		return NULL;
	return ikecrypto_name_der(X509_get_subject_name(sk_X509_value(t->ca, (int)i)), len);
}

bool ike_trust_issued_by(const struct ike_trust *t, const uint8_t *dn, size_t len)
{
	int i;

	for (i = 0; i < sk_X509_num(t->chain); i++) {
		const uint8_t *issuer;
		size_t n;

		issuer = ikecrypto_name_der(X509_get_issuer_name(sk_X509_value(t->chain, i)), &n);
		if (issuer && ike_dn_equal(issuer, n, dn, len))
			return true;
	}
	return false;
}

const uint8_t *ike_trust_cert(const struct ike_trust *t, size_t i, size_t *len)
{
	if (i >= IKE_CHAIN_MAX)
		return NULL;
	*len = t->sent[i].len;
	return t->sent[i].der;
}

const uint8_t *ike_trust_subject(const struct ike_trust *t, size_t *len)
{
	return t->own ? ikecrypto_name_der(X509_get_subject_name(t->own), len) : NULL;
}

bool ike_trust_has_id(const struct ike_trust *t, const struct ike_id *id)
{
	return t->own && ikecrypto_cert_has_id(t->own, id);
}

int ike_trust_sign(const struct ike_trust *t, const uint8_t *hash, size_t hash_len, uint8_t *sig, size_t *len)
{
	return t->key ? ikecrypto_sign(t->key, hash, hash_len, sig, len) : -IKE_E_CRYPTO;
}
