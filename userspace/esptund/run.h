/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the engine: hands it what comes in, does what it says, tells it what came of it.
 * Data flows one way: engine -> action -> udp, kern, log -> event -> engine.
 */
#ifndef ESPTUND_RUN_H
#define ESPTUND_RUN_H

#include "kern.h"
#include "log.h"
#include "loop.h"
#include "udp.h"

struct run;

/* What becomes of actions; all stays the caller's and must outlive the run. */
struct run_env {
	struct loop *loop;
	struct log *log;
	struct kern *kern;
	struct udp *udp;
	/* May this user in? Called while an action is done; NULL: nobody may. */
	bool (*login)(void *ctx, const char *tunnel, const struct ike_login *login);
	void *login_ctx;
};

/* Makes the engine; randomness is getrandom(2). NULL when memory is short. */
struct run *run_new(void);
/* Before anything else is called. */
void run_attach(struct run *r, const struct run_env *env);
/* Ends the engine and wipes its keys. Nothing is sent or deleted. */
void run_free(struct run *r);

/* Callbacks for udp.h, kern.h and loop.h; ctx is the struct run. */
void run_datagram(void *ctx, const struct ike_path *path, const void *data, size_t len, ike_time now);
void run_kernel_event(void *ctx, const struct ike_kernel_event *ev);
ike_time run_deadline(void *ctx);
void run_expire(void *ctx, ike_time now);

/* This host's addresses may have changed; see ike_local_addresses(). */
void run_addresses(struct run *r, bool (*here)(void *ctx, const struct ike_addr *addr), void *ctx);
/* 0 or -IKE_E_*; on error nothing has changed. */
int run_configure(struct run *r, const struct ike_config *cfg);
/* 0 or -IKE_E_UNKNOWN. */
int run_command(struct run *r, enum ike_command cmd, const char *tunnel);

/* For ike_status() and ike_counters(), which only read. */
struct ike_engine *run_engine(struct run *r);

#endif
