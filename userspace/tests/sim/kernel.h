/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pretended kernel: the SAs of one host, with the rules of the esptun family (SPIs are
 * handed out, one active outbound SA a tunnel and selector, a pending one becomes active with the first
 * packet on its partner). What the engine may not do is a failure of the run.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include "event.h"
#include "rng.h"

/* LAPSED: a reservation nobody used in time; as good as not there. */
enum sim_sa_state { SIM_SA_RESERVED, SIM_SA_PENDING, SIM_SA_ACTIVE, SIM_SA_OLD, SIM_SA_LAPSED };

struct sim_sa {
	struct sim_sa *next;
	char tunnel[IKE_NAME_MAX + 1];
	enum ike_dir dir;
	enum sim_sa_state state;
	uint32_t spi, partner_spi;
	struct ike_p2_proposal alg;
	struct ike_path path;
	struct ike_selector sel;
	uint8_t encr_key[64], auth_key[64];
	size_t encr_key_len, auth_key_len;
	uint64_t bytes, soft_bytes, hard_bytes;
	bool confirmed, soft_sent, expired;
	ike_time last_at;		/* of a packet received; 0: none yet */
	uint8_t cookie[IKE_SA_COOKIE_LEN];
};

struct sim_kernel {
	struct sim_sa *sas;
	ike_time last_acquire;
	unsigned int fail_percent;	/* of requests, for lack of memory, say */
	unsigned long added;		/* SAs, ever */
	uint32_t *spis;			/* all ever handed out */
	size_t n_spis;
	uint64_t *keys;			/* digests of all keys ever installed */
	size_t n_keys;
};

struct sim_host;

/* The engine asks for something: done at once, answered a little later. */
void sim_kernel_request(struct sim_host *h, const struct ike_action *act);

/* Send one packet of that many octets that is for sel; the SA used, or NULL (an acquire may follow). */
const struct sim_sa *sim_kernel_send(struct sim_host *h, const char *tunnel, const struct ike_selector *sel,
				     uint64_t octets);
/* One arrives, protected as by sa. NULL: taken; else why not. */
const char *sim_kernel_receive(struct sim_host *h, const struct sim_sa *sa, uint64_t octets);

struct sim_sa *sim_kernel_find(const struct sim_kernel *k, enum ike_dir dir, uint32_t spi);
/* The tunnel's active outbound SA for the packets of sel; NULL. */
struct sim_sa *sim_kernel_outbound(const struct sim_kernel *k, const char *tunnel, const struct ike_selector *sel);
/* SAs of the tunnel for sel, reserved SPIs included, lapsed ones not. */
unsigned int sim_kernel_count(const struct sim_kernel *k, const char *tunnel, const struct ike_selector *sel,
			      enum ike_dir dir);
/* All SAs go, without a word. */
void sim_kernel_flush(struct sim_kernel *k);
void sim_kernel_free(struct sim_kernel *k);

#endif
