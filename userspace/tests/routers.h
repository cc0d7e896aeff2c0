/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vendor document's two routers as two engines: two authorities that both know and one that
 * nobody does, certificates of each, trustpoints in either order.
 */
#ifndef TESTS_ROUTERS_H
#define TESTS_ROUTERS_H

#include "two_engines.h"

#include "forge.h"
#include "libike/auth.h"
#include "libike/cert.h"
#include "libike/cipher.h"
#include "libike/engine.h"
#include "libike/ikesa.h"
#include "libike/phase1.h"
#include "libike/profile.h"
#include "libike/proof.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128-sha256"
#define PLAIN "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3"

/* ---- two routers, two authorities ---------------------------------------------------------- */

static struct pki ca[3];		/* CA1, CA2, and one nobody knows */
static struct pki router[2][3];		/* of ALICE and BOB, by each */

static int set_up(void **state)
{
	static const char *const names[] = { "O=com, O=cisco, CN=CA1", "O=com, O=cisco, CN=CA2", "CN=stranger" };
	static const char *const subject[] = {
		"O=com, O=cisco, OU=IT, CN=R1, serialNumber=100+unstructuredAddress=192.0.2.1+unstructuredName=R1.cisco.com",
		"O=com, O=cisco, OU=IT, CN=R2, serialNumber=101+unstructuredAddress=192.0.2.2+unstructuredName=R2.cisco.com",
	};
	static const char *const san[] = { "DNS:R1.cisco.com,IP:192.0.2.1", "DNS:R2.cisco.com,IP:192.0.2.2" };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 3; i++) {
		ca[i] = pki_ca(NULL, names[i], i);
		for (j = 0; j < 2; j++)
			router[j][i] = pki_make(&ca[i], pki_key("rsa2048", 2 * i + j), &(struct pki_opts){
				.subject = subject[j], .san = san[j], .usage = "digitalSignature", .serial = 3 + j });
	}
	return 0;
}

static int tear_down(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		pki_free(&ca[i]);
		pki_free(&router[0][i]);
		pki_free(&router[1][i]);
	}
	pki_forget_keys();
	return 0;
}

static struct ike_trustpoint trustpoint(int who, unsigned int i, X509_CRL *crl)
{
	struct ike_trustpoint tp = { .line = 1 + i };

	snprintf(tp.name, sizeof(tp.name), "IOSCA%u", i + 1);
	tp.trust = pki_trust(PKI_LIST(&ca[i]), PKI_LIST(&router[who][i]), crl);
	return tp;
}

/* "paris" with signatures, as 'who' has it. */
static void signed_cfg(struct ike_tunnel_cfg *t, int who)
{
	tunnel_cfg(t, who, P1, P2);
	free(t->psk);
	t->psk = NULL;
	t->psk_len = 0;
	t->auth[0] = IKE_AUTH_RSA_SIG;
	t->n_auth = 1;
	snprintf(t->profile, sizeof(t->profile), "prof1");
	t->profile_line = who ? 61 : 16;
	assert_int_equal(ike_id_parse(who ? "fqdn:R2.cisco.com" : "fqdn:R1.cisco.com", &t->local_id), 0);
	assert_int_equal(ike_id_parse(who ? "fqdn:R1.cisco.com" : "fqdn:R2.cisco.com", &t->remote_id), 0);
}

static void only_ca1(struct ike_tunnel_cfg *t)
{
	snprintf(t->trustpoint[t->n_trustpoints++], IKE_NAME_MAX, "IOSCA1");
}

static int configure(struct world *w, int who, struct ike_tunnel_cfg *t, size_t n, struct ike_trustpoint *tp, size_t n_tp)
{
	struct ike_config cfg = { .tunnel = t, .n_tunnels = n, .trustpoint = tp, .n_trustpoints = n_tp };
	int err = ike_configure(w->side[who].e, &cfg, w->now);
	size_t i;

	drain(w, who);
	for (i = 0; i < n_tp; i++)
		ike_trust_unref(tp[i].trust);
	return err;
}

/* One side with the trustpoints in that order ("12", "21", "1"); tweak may change its tunnel. */
static void router_up(struct world *w, int who, const char *order, void (*tweak)(struct ike_tunnel_cfg *t))
{
	struct ike_trustpoint tp[3];
	struct ike_tunnel_cfg t;
	size_t n;

	signed_cfg(&t, who);
	if (tweak)
		tweak(&t);
	for (n = 0; order[n]; n++)
		tp[n] = trustpoint(who, (unsigned int)(order[n] - '1'), NULL);
	assert_int_equal(configure(w, who, &t, 1, tp, n), 0);
	free(t.match);
}

static void begins(struct ike_tunnel_cfg *t)
{
	t->start = IKE_START_AUTO;
}

static void answers(struct ike_tunnel_cfg *t)
{
	t->start = IKE_START_RESPOND;
}

static void answers_ca1(struct ike_tunnel_cfg *t)
{
	answers(t);
	only_ca1(t);
}

static bool logged(struct world *w, int who, const char *event, const char *part)
{
	size_t i;

	for (i = 0; i < w->side[who].n_logs; i++)
		if (!strcmp(w->side[who].log[i].event, event) && strstr(w->side[who].log[i].text, part))
			return true;
	return false;
}

static void assert_logged(struct world *w, int who, const char *event, const char *part)
{
	if (!logged(w, who, event, part))
		fail_msg("%s has no %s with \"%s\"", w->side[who].name, event, part);
}

static bool up(struct world *w)
{
	return run_until(w, tunnel_works, 20 * IKE_SECOND);
}

#endif
