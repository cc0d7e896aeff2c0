/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a trustpoint's material (struct ike_trust, libike/pki.h) out of the octets of files,
 * which the caller has read; PEM or DER. For the daemon's configuration and for tests: libike
 * only uses what is made here.
 *
 *	t = ikecrypto_trust_new();
 *	ikecrypto_trust_add(t, IKECRYPTO_CA, octets, len, why, sizeof(why)) ...
 *	ikecrypto_trust_finish(t, why, sizeof(why));
 *
 * All return 0, or -IKE_E_* with a sentence in why that holds no secret.
 */
#ifndef IKECRYPTO_TRUST_H
#define IKECRYPTO_TRUST_H

#include <openssl/x509.h>

#include "libike/pki.h"

enum ikecrypto_kind {
	IKECRYPTO_CA,		/* certificates of authorities: each is a trust anchor, root or not */
	IKECRYPTO_CERT,		/* our own certificate, its issuers, in any order */
	IKECRYPTO_KEY,		/* the private key, not encrypted */
	IKECRYPTO_CRL,		/* revocation lists of the authorities */
};

/* NULL when memory is short. */
struct ike_trust *ikecrypto_trust_new(void);
int ikecrypto_trust_add(struct ike_trust *t, enum ikecrypto_kind kind, const void *data, size_t len,
			char *why, size_t size);
/* The private key by URI ("pkcs11:..."): libcrypto's providers load it, and may keep it. */
int ikecrypto_trust_key_uri(struct ike_trust *t, const char *uri, char *why, size_t size);
/* Does all of it fit together? To be called once, before anything of libike/pki.h. */
int ikecrypto_trust_finish(struct ike_trust *t, char *why, size_t size);

/*
 * What an administrator should hear about it although it works, at 'now' (seconds since 1970):
 * expired or not yet valid, weak, an expired CRL, a certificate of our own that no authority of
 * its trustpoint issued. The i-th remark, false when there are no more.
 */
bool ikecrypto_trust_remark(const struct ike_trust *t, int64_t now, unsigned int i, char *text, size_t size);

/* ---- inside ikecrypto ------------------------------------------------------------------------- */

struct ike_trust {
	unsigned int refs;
	X509_STORE *store;		/* authorities and CRLs */
	STACK_OF(X509) *ca, *certs;	/* certs: ours as given */
	STACK_OF(X509_CRL) *crls;
	EVP_PKEY *key;
	X509 *own;			/* of certs; the one the key belongs to */
	STACK_OF(X509) *chain;		/* own, then its issuers up to and without the root */
	struct {
		uint8_t *der;
		size_t len;
	} sent[IKE_CHAIN_MAX];		/* the chain as it goes to peers */
	uint16_t method;
};

/* Strength of a certificate: the policy word it needs, and what is weak about it by name. */
void ikecrypto_cert_strength(X509 *cert, bool with_signature, enum ike_policy *needs, const char **weak);
/* DER owned by the certificate or name; NULL when it has none. */
const uint8_t *ikecrypto_name_der(const X509_NAME *name, size_t *len);
const char *ikecrypto_subject(const X509 *cert, char *buf, size_t size);
bool ikecrypto_cert_has_id(X509 *cert, const struct ike_id *id);

#endif
