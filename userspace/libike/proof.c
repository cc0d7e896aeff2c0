// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What proves a peer's identity. See proof.h.
 */
#include "proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ikesa.h"

struct ike_proof {
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];	/* of the SA it is for */
	uint16_t method;
	struct ike_id id;
	struct ike_certs *certs;	/* NULL with a pre-shared key */
	bool possession, trusted, identity;
};

struct ike_proof *ike_proof_new(const struct ike_ikesa *sa, const struct ike_id *id)
{
	struct ike_proof *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	memcpy(p->icookie, sa->icookie, IKE_COOKIE_LEN);
	memcpy(p->rcookie, sa->rcookie, IKE_COOKIE_LEN);
	p->method = sa->p1.auth;
	p->id = *id;
	if (!ike_auth_signs(p->method))
		return p;
	p->certs = ike_certs_new();
	if (p->certs)
		return p;
	free(p);
	return NULL;
}

void ike_proof_free(struct ike_proof *p)
{
	if (!p)
		return;
	ike_certs_free(p->certs);
	free(p);
}

bool ike_proof_hash(struct ike_proof *p, struct ike_chunk expected, struct ike_chunk hash)
{
	p->possession = p->method == IKE_AUTH_PSK && expected.len && hash.len == expected.len &&
			ike_crypto_equal(expected.data, hash.data, hash.len);
	return p->possession;
}

int ike_proof_cert(struct ike_proof *p, uint8_t encoding, const uint8_t *data, size_t len, const char **why)
{
	if (p->certs)
		return ike_certs_add(p->certs, encoding, data, len, why);
	*why = "certificates have no place with a pre-shared key";
	return -IKE_E_INVALID;
}

bool ike_proof_signature(struct ike_proof *p, struct ike_chunk expected, struct ike_chunk sig)
{
	p->trusted = p->identity = false;
	p->possession = p->certs && expected.len &&
			ike_certs_verify(p->certs, p->method, expected.data, expected.len, sig.data, sig.len);
	return p->possession;
}

int ike_proof_trusted(struct ike_proof *p, const struct ike_trust *t, int64_t wall, enum ike_policy policy,
		      struct ike_cert_report *r)
{
	int err = -IKE_E_INVALID;

	memset(r, 0, sizeof(*r));
	p->trusted = false;
	if (!p->possession || !p->certs) {
		snprintf(r->why, sizeof(r->why), "nothing shows yet that the peer has the certificate's key");
		return err;
	}
	err = ike_certs_validate(p->certs, t, wall, r);
	if (!err && r->needs > policy) {
		snprintf(r->why, sizeof(r->why), "its chain is too weak for the policy (%s)", r->weak);
		err = -IKE_E_POLICY;
	}
	p->trusted = !err;
	return err;
}

bool ike_proof_identity(struct ike_proof *p)
{
	p->identity = p->possession && p->certs && ike_certs_have_id(p->certs, &p->id);
	return p->identity;
}

bool ike_proof_holds(const struct ike_proof *p, const struct ike_ikesa *sa)
{
	if (!p || !p->possession || p->method != sa->p1.auth || memcmp(p->icookie, sa->icookie, IKE_COOKIE_LEN) ||
	    memcmp(p->rcookie, sa->rcookie, IKE_COOKIE_LEN))
		return false;
	if (p->method == IKE_AUTH_PSK)
		return true;
	return ike_auth_signs(p->method) && p->trusted && p->identity;
}

const struct ike_id *ike_proof_id(const struct ike_proof *p)
{
	return &p->id;
}

const struct ike_certs *ike_proof_certs(const struct ike_proof *p)
{
	return p->certs;
}
