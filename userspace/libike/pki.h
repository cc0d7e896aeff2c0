/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between libike and a certificate library; implemented in ../ikecrypto over
 * OpenSSL 3 and chosen at link time, as crypto.h is. libike sees certificates as handles,
 * distinguished names as DER, and never a private key: it asks for a signature. So whoever
 * implements this may keep keys in another process, a token or a file.
 *
 * Nothing here reads a clock or fetches anything: the time comes in with the call, and
 * addresses named inside certificates (CRL distribution points, OCSP, AIA) are not followed.
 */
#ifndef LIBIKE_PKI_H
#define LIBIKE_PKI_H

#include "ike.h"

#define IKE_CHAIN_MAX 8			/* certificates a peer may send, and the longest chain built of them */
#define IKE_CHAIN_OCTETS 65536		/* of DER in all of them */
#define IKE_SIG_MAX 1024		/* octets of the longest signature: RSA with 8192 bits */

/* Certificate encodings, RFC 2408 3.9. */
#define IKE_CERT_PKCS7 1
#define IKE_CERT_X509_SIGNATURE 4
#define IKE_CERT_X509_KEY_EXCHANGE 5

/* ---- distinguished names, DER (RFC 5280 4.1.2.4) ------------------------------------------- */

/*
 * Text to DER: "CN=gw.example, O=Example, C=CH" in the order of the certificate, RDNs separated
 * by commas, attributes of one RDN by +. Attribute types are OpenSSL's names or dotted numbers.
 * \xHH stands for an octet of UTF-8, a backslash before any other character for that character.
 * 0 or -IKE_E_PARSE. *len is in: room at der, out: octets.
 */
int ike_dn_parse(const char *text, uint8_t *der, size_t *len);
/* Printable ASCII that ike_dn_parse reads back, cut to fit; "0x..." for what is no name. Returns buf. */
const char *ike_dn_format(const uint8_t *der, size_t len, char *buf, size_t size);
/*
 * The same name: RDNs in the same order, each a set of the same types and values; values
 * whatever their string type, without regard to case and to repeated blanks (RFC 5280 7.1).
 * False when either is no name.
 */
bool ike_dn_equal(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
/* The same, but a value "*" of the pattern equals any value of its type. */
bool ike_dn_matches(const uint8_t *pattern, size_t p_len, const uint8_t *name, size_t n_len);
bool ike_dn_has_wildcard(const uint8_t *der, size_t len);
/* Is there a name that both patterns match? */
bool ike_dn_overlap(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);
/* Attributes of the name whose value is not "*": how much a pattern says. 0 for what is no name. */
unsigned int ike_dn_weight(const uint8_t *der, size_t len);

/* ---- what we hold: a trustpoint's material --------------------------------------------------- */

/*
 * Certificates of authorities (each a trust anchor), their CRLs, and perhaps a certificate and
 * key of our own with the chain below the root. Never changes; counted references.
 */
struct ike_trust;

struct ike_trust *ike_trust_ref(struct ike_trust *t);
/* NULL is fine. */
void ike_trust_unref(struct ike_trust *t);
/* The same authorities, CRLs, certificates and key. */
bool ike_trust_equal(const struct ike_trust *a, const struct ike_trust *b);
/* The authentication method (IKE_AUTH_*) our key serves; 0: there is no key. */
uint16_t ike_trust_method(const struct ike_trust *t);
/* Name of the i-th authority; NULL: there are no more. Belongs to t. */
const uint8_t *ike_trust_authority(const struct ike_trust *t, size_t i, size_t *len);
/* Is our certificate, or one of its chain, issued by an authority of that name? */
bool ike_trust_issued_by(const struct ike_trust *t, const uint8_t *dn, size_t len);
/* The i-th certificate to send: our own, then its issuers, the root left out; NULL: there are no more. */
const uint8_t *ike_trust_cert(const struct ike_trust *t, size_t i, size_t *len);
/* Subject of our certificate. NULL without one. */
const uint8_t *ike_trust_subject(const struct ike_trust *t, size_t *len);
/* Does our certificate carry this identity? See ike_certs_have_id(). */
bool ike_trust_has_id(const struct ike_trust *t, const struct ike_id *id);
/* Sign a hash (never hashed again). *len is in: room at sig, out: octets. 0 or -IKE_E_CRYPTO. */
int ike_trust_sign(const struct ike_trust *t, const uint8_t *hash, size_t hash_len, uint8_t *sig, size_t *len);

/* ---- what a peer sends ------------------------------------------------------------------------ */

/* Certificates of one peer, in any order, nothing about them believed yet. */
struct ike_certs;

struct ike_certs *ike_certs_new(void);
void ike_certs_free(struct ike_certs *c);
/*
 * The body of a CERT payload behind the encoding: one certificate, or PKCS#7 with several. 0;
 * -IKE_E_UNKNOWN for an encoding that is not taken, -IKE_E_PARSE, -IKE_E_INVALID over a bound,
 * or -IKE_E_NOMEM; *why is then a static sentence.
 */
int ike_certs_add(struct ike_certs *c, uint8_t encoding, const uint8_t *data, size_t len, const char **why);
size_t ike_certs_count(const struct ike_certs *c);
/*
 * Was hash signed with the key of one of them, under that method? It is the peer's own
 * certificate then, whatever its place in the message. The signature must be of exactly the
 * length and encoding its key makes.
 */
bool ike_certs_verify(struct ike_certs *c, uint16_t method, const uint8_t *hash, size_t hash_len,
		      const uint8_t *sig, size_t sig_len);
/* Subject of the peer's own certificate; before it is known, of the first. "" without any. */
const char *ike_certs_subject(const struct ike_certs *c, char *buf, size_t size);
/*
 * Does the peer's own certificate carry this identity: subjectAltName for names and addresses,
 * the subject for a distinguished name, the subject key identifier for a key ID (RFC 4945 3.1)?
 */
bool ike_certs_have_id(const struct ike_certs *c, const struct ike_id *id);

struct ike_cert_report {
	char why[256];			/* refused: which certificate and what is wrong with it */
	bool foreign;			/* refused: no chain to this trustpoint's authorities at all */
	enum ike_policy needs;		/* the policy word that its weakest part wants */
	const char *weak;		/* that part by name; NULL: nothing is weak */
};

/*
 * A chain from the peer's own certificate to an authority of t: signatures, validity at 'now'
 * (seconds since 1970), CA flags, key usage, revocation when t has CRLs (then every certificate
 * below the authority must be covered by one that is valid). 0, -IKE_E_INVALID or -IKE_E_NOMEM;
 * r is filled in every case.
 */
int ike_certs_validate(const struct ike_certs *c, const struct ike_trust *t, int64_t now,
		       struct ike_cert_report *r);

#endif
