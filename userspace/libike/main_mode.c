// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Main mode, RFC 2409 5.1 and 5.4: with a pre-shared key the proof is HASH_I or HASH_R, with
 * signatures certificates and SIG_I or SIG_R:
 *
 *	initiator                              responder
 *	MM1  HDR, SA               -->
 *	                           <--         HDR, SA               MM2
 *	MM3  HDR, KE, Ni           -->
 *	                           <--         HDR, KE, Nr           MM4
 *	MM5  HDR*, IDii, proof     -->
 *	                           <--         HDR*, IDir, proof     MM6
 *
 * Only the order of things; what they mean is in phase1.c and auth.c.
 */
#include "auth.h"
#include "cert.h"
#include "phase1.h"
#include "vendor.h"

static enum ike_verdict take_mm1(struct ike_exchange *x, const struct ike_msg *m)
{
	ike_vendor_take(x, m);
	return ike_phase1_take_offer(x, m);
}

static enum ike_verdict take_mm2(struct ike_exchange *x, const struct ike_msg *m)
{
	enum ike_verdict v = ike_phase1_take_choice(x, m);

	if (v != IKE_OK)
		return v;
	ike_vendor_take(x, m);
	ike_cert_take_requests(x, m, "MM2");
	return ike_phase1_make_ke_nonce(x) ? IKE_DROP : IKE_OK;
}

static enum ike_verdict take_mm3(struct ike_exchange *x, const struct ike_msg *m)
{
	enum ike_verdict v = ike_phase1_take_ke_nonce(x, m);

	if (v != IKE_OK)
		return v;
	ike_vendor_take(x, m);
	ike_cert_take_requests(x, m, "MM3");
	ike_natt_take(x, m);
	return ike_phase1_make_ke_nonce(x) || ike_phase1_derive(x) ? IKE_DROP : IKE_OK;
}

static enum ike_verdict take_mm4(struct ike_exchange *x, const struct ike_msg *m)
{
	enum ike_verdict v = ike_phase1_take_ke_nonce(x, m);

	if (v != IKE_OK)
		return v;
	ike_vendor_take(x, m);
	if (ike_phase1_derive(x))
		return IKE_DROP;
	ike_cert_take_requests(x, m, "MM4");
	ike_natt_take(x, m);
	ike_natt_float(x);
	return IKE_OK;
}

static int put_mm3_mm4(struct ike_exchange *x, struct ike_msgw *w)
{
	int err = ike_phase1_put_ke_nonce(x, w);

	return err ? err : ike_natt_put(x, w);
}

/* HASH or SIG: as negotiated, which auth.c sees to. */
#define WITH_KE (IKE_P(VID) | IKE_P(CR) | IKE_P(NATD) | IKE_P(N))
#define WITH_ID (IKE_P(HASH) | IKE_P(SIG) | IKE_P(VID) | IKE_P(CR) | IKE_P(CERT) | IKE_P(N))

static const struct ike_step steps[] = {
	{ .initiator = false, .state = IKE_ST_MM_START, .name = "MM1",
	  .required = IKE_P(SA), .optional = IKE_P(VID) | IKE_P(N) | IKE_P(CR),
	  .take = take_mm1,
	  .answer = ike_phase1_put_sa, .answer_name = "MM2",
	  .patience = 30, .next = IKE_ST_MM_SA_ANSWERED },

	{ .initiator = true, .state = IKE_ST_MM_SA_SENT, .name = "MM2",
	  .required = IKE_P(SA), .optional = IKE_P(VID) | IKE_P(N) | IKE_P(CR),
	  .take = take_mm2,
	  .answer = put_mm3_mm4, .answer_name = "MM3",
	  .retransmit = true, .next = IKE_ST_MM_KEY_SENT },

	{ .initiator = false, .state = IKE_ST_MM_SA_ANSWERED, .name = "MM3",
	  .required = IKE_P(KE) | IKE_P(NONCE), .optional = WITH_KE,
	  .take = take_mm3,
	  .answer = put_mm3_mm4, .answer_name = "MM4",
	  .patience = 60, .next = IKE_ST_MM_KEY_ANSWERED },

	{ .initiator = true, .state = IKE_ST_MM_KEY_SENT, .name = "MM4",
	  .required = IKE_P(KE) | IKE_P(NONCE), .optional = WITH_KE,
	  .take = take_mm4,
	  .answer = ike_auth_put, .answer_name = "MM5", .answer_encrypted = true,
	  .retransmit = true, .next = IKE_ST_MM_AUTH_SENT },

	{ .initiator = false, .state = IKE_ST_MM_KEY_ANSWERED, .name = "MM5", .encrypted = true,
	  .required = IKE_P(ID), .optional = WITH_ID,
	  .take = ike_auth_take,
	  .answer = ike_auth_put, .answer_name = "MM6", .answer_encrypted = true,
	  .next = IKE_ST_MM_DONE, .done = ike_phase1_established },

	{ .initiator = true, .state = IKE_ST_MM_AUTH_SENT, .name = "MM6", .encrypted = true,
	  .required = IKE_P(ID), .optional = WITH_ID,
	  .take = ike_auth_take,
	  .next = IKE_ST_MM_DONE, .done = ike_phase1_established },
};

const struct ike_mode ike_main_mode = {
	.exchange = ISAKMP_XCHG_MAIN,
	.name = "main",
	.step = steps,
	.n_steps = sizeof(steps) / sizeof(steps[0]),
	.timeout = ike_phase1_timeout,
	.garbled = ike_auth_garbled,
	.release = ike_phase1_release,
};

const struct ike_way ike_main_way = {
	.mode = &ike_main_mode,
	.what = "main mode",
	.first = "MM1",
	.start = IKE_ST_MM_START,
	.sent = IKE_ST_MM_SA_SENT,
	.put = ike_phase1_put_sa,
};
