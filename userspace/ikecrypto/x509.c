// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates a peer sends: collected within bounds, the peer's own found by the signature it
 * made, its chain validated. See libike/pki.h. Fetches nothing, keeps nothing between peers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "sign.h"
#include "trust.h"

struct ike_certs {
	X509 *cert[IKE_CHAIN_MAX];
	size_t n;
	size_t octets;
	X509 *own;			/* one of them; NULL until a signature tells */
};

struct ike_certs *ike_certs_new(void)
{
	return calloc(1, sizeof(struct ike_certs));
}

void ike_certs_free(struct ike_certs *c)
{
	if (!c)
		return;
	while (c->n)
		X509_free(c->cert[--c->n]);
	free(c);
}

size_t ike_certs_count(const struct ike_certs *c)
{
	return c->n;
}

/* ---- collecting ----------------------------------------------------------------------------------- */

/* Takes over cert. */
static int keep(struct ike_certs *c, X509 *cert, const char **why)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (X509_cmp(c->cert[i], cert))
			continue;
		X509_free(cert);
		return 0;
	}
	if (c->n < IKE_CHAIN_MAX) {
		c->cert[c->n++] = cert;
		return 0;
	}
	X509_free(cert);
	*why = "more certificates than are taken";
	return -IKE_E_INVALID;
}

static int add_x509(struct ike_certs *c, const uint8_t *der, size_t len, const char **why)
{
	const uint8_t *p = der;
	X509 *cert = d2i_X509(NULL, &p, (long)len);

	if (cert && p == der + len)
		return keep(c, cert, why);
	X509_free(cert);
	*why = "not a certificate";
	return -IKE_E_PARSE;
}

static int add_all(struct ike_certs *c, STACK_OF(X509) *certs, const char **why)
{
	int i, err = 0;

	for (i = 0; i < sk_X509_num(certs) && !err; i++) {
		X509 *cert = sk_X509_value(certs, i);

		X509_up_ref(cert);
		err = keep(c, cert, why);
	}
	return err;
}

static int add_pkcs7(struct ike_certs *c, const uint8_t *der, size_t len, const char **why)
{
	const uint8_t *p = der;
	PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)len);
	int err = -IKE_E_PARSE;

	if (p7 && p == der + len && PKCS7_type_is_signed(p7) && p7->d.sign && p7->d.sign->cert)
		err = add_all(c, p7->d.sign->cert, why);
	else
		*why = "not a PKCS#7 collection of certificates";
	PKCS7_free(p7);
	return err;
}

int ike_certs_add(struct ike_certs *c, uint8_t encoding, const uint8_t *data, size_t len, const char **why)
{
	int err;

	if (len > IKE_CHAIN_OCTETS - c->octets) {
		*why = "more octets of certificates than are taken";
		return -IKE_E_INVALID;
	}
	c->octets += len;
	if (encoding == IKE_CERT_X509_SIGNATURE || encoding == IKE_CERT_X509_KEY_EXCHANGE) {
		err = add_x509(c, data, len, why);
	} else if (encoding == IKE_CERT_PKCS7) {
		err = add_pkcs7(c, data, len, why);
	} else {
		*why = "not an encoding of certificates that is taken";
		err = -IKE_E_UNKNOWN;
	}
	ERR_clear_error();
	return err;
}

/* ---- whose is it? ----------------------------------------------------------------------------------- */

const uint8_t *ikecrypto_name_der(const X509_NAME *name, size_t *len)
{
	const unsigned char *der;

	return X509_NAME_get0_der(name, &der, len) ? der : NULL;
}

const char *ikecrypto_subject(const X509 *cert, char *buf, size_t size)
{
	const uint8_t *der;
	size_t len;

	der = ikecrypto_name_der(X509_get_subject_name(cert), &len);
	if (der)
		return ike_dn_format(der, len, buf, size);
	snprintf(buf, size, "without a subject");
	return buf;
}

const char *ike_certs_subject(const struct ike_certs *c, char *buf, size_t size)
{
	if (c->n)
		return ikecrypto_subject(c->own ? c->own : c->cert[0], buf, size);
	buf[0] = '\0';
	return buf;
}

bool ike_certs_verify(struct ike_certs *c, uint16_t method, const uint8_t *hash, size_t hash_len,
		      const uint8_t *sig, size_t sig_len)
{
	size_t i;

	c->own = NULL;
	for (i = 0; i < c->n && !c->own; i++) {
		EVP_PKEY *key = X509_get0_pubkey(c->cert[i]);

		if (key && ikecrypto_verify(key, method, hash, hash_len, sig, sig_len))
			c->own = c->cert[i];
	}
	ERR_clear_error();
	return c->own;
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Host and mail names, which are ASCII, without regard to case. */
static bool same_name(const ASN1_IA5STRING *s, const struct ike_id *id)
{
	const uint8_t *data = ASN1_STRING_get0_data(s);
	int i;

	if (ASN1_STRING_length(s) != (int)id->len)
		return false;
	for (i = 0; i < (int)id->len; i++)
		if (lower(data[i]) != lower(id->data[i]))
			return false;
	return true;
}

static bool same_octets(const ASN1_OCTET_STRING *s, const struct ike_id *id)
{
	return s && ASN1_STRING_length(s) == (int)id->len && !memcmp(ASN1_STRING_get0_data(s), id->data, id->len);
}

static bool is_alt_name(const GENERAL_NAME *n, const struct ike_id *id)
{
	switch (n->type) {
	case GEN_DNS:
		return id->type == IKE_ID_FQDN && same_name(n->d.dNSName, id);
	case GEN_EMAIL:
		return id->type == IKE_ID_USER_FQDN && same_name(n->d.rfc822Name, id);
	case GEN_IPADD:
		return (id->type == IKE_ID_IPV4_ADDR || id->type == IKE_ID_IPV6_ADDR) &&
		       same_octets(n->d.iPAddress, id);
	default:
		return false;
	}
}

static bool has_alt_name(X509 *cert, const struct ike_id *id)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool found = false;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++)
		found = is_alt_name(sk_GENERAL_NAME_value(names, i), id);
	GENERAL_NAMES_free(names);
	return found;
}

bool ikecrypto_cert_has_id(X509 *cert, const struct ike_id *id)
{
	const uint8_t *subject;
	bool has = false;
	size_t len;

	if (id->type == IKE_ID_KEY_ID) {
		has = same_octets(X509_get0_subject_key_id(cert), id);
	} else if (id->type == IKE_ID_DER_ASN1_DN) {
		subject = ikecrypto_name_der(X509_get_subject_name(cert), &len);
		has = subject && ike_dn_equal(subject, len, id->data, id->len);
	} else {
		has = has_alt_name(cert, id);
	}
	ERR_clear_error();
	return has;
}

bool ike_certs_have_id(const struct ike_certs *c, const struct ike_id *id)
{
	return c->own && ikecrypto_cert_has_id(c->own, id);
}

/* ---- strength ---------------------------------------------------------------------------------------- */

static void raise(enum ike_policy to, const char *what, enum ike_policy *needs, const char **weak)
{
	if (to <= *needs)
		return;
	*needs = to;
	*weak = what;
}

void ikecrypto_cert_strength(X509 *cert, bool with_signature, enum ike_policy *needs, const char **weak)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	int bits = key ? EVP_PKEY_get_security_bits(key) : 0, digest = NID_undef;

	if (bits < 80)
		raise(IKE_POLICY_INSECURE, "key below 1024 bits of RSA", needs, weak);
	else if (bits < 112)
		raise(IKE_POLICY_LEGACY, "key below 2048 bits of RSA", needs, weak);
	if (!with_signature || !X509_get_signature_info(cert, &digest, NULL, NULL, NULL))
		return;
	if (digest == NID_sha1)
		raise(IKE_POLICY_LEGACY, "signed with SHA1", needs, weak);
	else if (digest == NID_md5 || digest == NID_md5_sha1 || digest == NID_md4 || digest == NID_md2)
		raise(IKE_POLICY_INSECURE, "signed with MD5", needs, weak);
}

/* ---- validation ---------------------------------------------------------------------------------------- */

/* The authority at the end is trusted by configuration: nobody has to vouch for it. */
static int on_error(int ok, X509_STORE_CTX *ctx)
{
	int top = sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;

	if (ok || X509_STORE_CTX_get_error(ctx) != X509_V_ERR_UNABLE_TO_GET_CRL ||
	    !top || X509_STORE_CTX_get_error_depth(ctx) != top)
		return ok;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

/* RFC 4945 5.1.3.2 and 5.1.3.12: for signing at all, and for something like this. */
static bool usage_fits(X509 *cert)
{
	static const char *const fitting[] = {
		"2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2",	/* any, TLS server, TLS client */
		"1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7",	/* IPsec end system, tunnel, user */
		"1.3.6.1.5.5.7.3.17", "1.3.6.1.5.5.8.2.2",			/* IKE, IKE intermediate */
	};
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool fits = !eku;
	char text[80];
	size_t j;
	int i;

	for (i = 0; i < sk_ASN1_OBJECT_num(eku); i++) {
		OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(eku, i), 1);
		for (j = 0; j < sizeof(fitting) / sizeof(fitting[0]); j++)
			fits |= !strcmp(text, fitting[j]);
	}
	EXTENDED_KEY_USAGE_free(eku);
	/* All ones when there is no such extension. */
	return fits && X509_get_key_usage(cert) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION);
}

static int say(struct ike_cert_report *r, X509 *cert, const char *what)
{
	char name[160];

	if (cert)
		snprintf(r->why, sizeof(r->why), "certificate %s: %s", ikecrypto_subject(cert, name, sizeof(name)), what);
	else
		snprintf(r->why, sizeof(r->why), "%s", what);
	return -IKE_E_INVALID;
}

static bool is_no_chain(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

static int failed(X509_STORE_CTX *ctx, struct ike_cert_report *r)
{
	int error = X509_STORE_CTX_get_error(ctx);

	r->foreign = is_no_chain(error);
	if (error == X509_V_ERR_OUT_OF_MEM) {
		say(r, NULL, "out of memory");
		return -IKE_E_NOMEM;
	}
	return say(r, X509_STORE_CTX_get_current_cert(ctx), r->foreign ? "no chain to an authority of this trustpoint" :
		   X509_verify_cert_error_string(error));
}

/* What libcrypto leaves to its caller. */
static int judge(STACK_OF(X509) *chain, struct ike_cert_report *r)
{
	int i, n = sk_X509_num(chain);

	if (!usage_fits(sk_X509_value(chain, 0)))
		return say(r, sk_X509_value(chain, 0), "its key usage does not allow signatures in IKE");
	/* Old ways of being an authority are good enough for one that is configured, not for one that is sent. */
	for (i = 1; i < n - 1; i++)
		if (X509_check_ca(sk_X509_value(chain, i)) != 1)
			return say(r, sk_X509_value(chain, i), "is not an authority's");
	for (i = 0; i < n; i++)
		ikecrypto_cert_strength(sk_X509_value(chain, i), i < n - 1, &r->needs, &r->weak);
	return 0;
}

static void set_up(X509_STORE_CTX *ctx, const struct ike_trust *t, int64_t now)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);

	X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN);
	if (sk_X509_CRL_num(t->crls))
		X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_VERIFY_PARAM_set_time(p, (time_t)now);
	X509_VERIFY_PARAM_set_depth(p, IKE_CHAIN_MAX - 2);	/* without the peer's own and the authority */
	X509_VERIFY_PARAM_set_auth_level(p, 0);			/* strength is the policy word's business */
	X509_STORE_CTX_set_verify_cb(ctx, on_error);
}

static STACK_OF(X509) *others(const struct ike_certs *c)
{
	STACK_OF(X509) *sk = sk_X509_new_null();
	size_t i;

	for (i = 0; sk && i < c->n; i++) {
		if (c->cert[i] == c->own || sk_X509_push(sk, c->cert[i]))
			continue;
		sk_X509_free(sk);
		sk = NULL;
	}
	return sk;
}

int ike_certs_validate(const struct ike_certs *c, const struct ike_trust *t, int64_t now,
		       struct ike_cert_report *r)
{
	STACK_OF(X509) *untrusted = others(c);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int err = -IKE_E_NOMEM;

	memset(r, 0, sizeof(*r));
	if (!c->own)
		err = say(r, NULL, "no certificate's key made the signature");
	else if (!untrusted || !ctx || !X509_STORE_CTX_init(ctx, t->store, c->own, untrusted))
		say(r, NULL, "out of memory");
	else {
		set_up(ctx, t, now);
		err = X509_verify_cert(ctx) == 1 ? judge(X509_STORE_CTX_get0_chain(ctx), r) : failed(ctx, r);
	}
	X509_STORE_CTX_free(ctx);
	sk_X509_free(untrusted);
	ERR_clear_error();
	return err;
}
