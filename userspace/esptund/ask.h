/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The cell's side of the passage (passage.h): what it wants done it asks for, one thing after
 * the other. When the warden is gone there is nothing left to do: the process ends.
 */
#ifndef ESPTUND_ASK_H
#define ESPTUND_ASK_H

#include "kern.h"
#include "passage.h"

struct ask;

/* sock stays the caller's. NULL when memory is short. */
struct ask *ask_new(int sock, bool record);
void ask_free(struct ask *a);
/* Until the warden has the data plane. */
void ask_hello(struct ask *a);
/* A data plane whose calls are all asked for; events are not its business (cell.c). */
struct kern *ask_kern(struct ask *a, const struct kern_env *env);
/* conf_load() of the warden's configuration file. */
struct conf *ask_configuration(struct ask *a, const char *file, conf_report *report, void *ctx);
/* watch_is_here(); ctx is the struct ask. */
bool ask_is_here(void *ctx, const struct ike_addr *addr);
/* What ask_configuration() gave last is not used after all. */
void ask_reject(struct ask *a);
/* PASSAGE_LISTENING, PASSAGE_READY or PASSAGE_ALIVE. */
void ask_tell(struct ask *a, enum passage_type type);

#endif
