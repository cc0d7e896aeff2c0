/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between phase 1 and phase 2: first XAUTH, then mode config, as far as the tunnel's
 * configuration wants them. Until both are through the ISAKMP SA is not established: it
 * replaces no older one, its lifetimes have not begun, quick mode is not spoken.
 */
#ifndef LIBIKE_ADMISSION_H
#define LIBIKE_ADMISSION_H

#include "ikesa.h"

struct ike_payload;

/* Phase 1 is through. */
void ike_admission_begin(struct ike_ikesa *sa);
/* XAUTH is through, or was not wanted. */
void ike_admission_logged_in(struct ike_ikesa *sa);
/* Mode config is through, or was not wanted. */
void ike_admission_through(struct ike_ikesa *sa);
/* It will not be: logged, the peer is told, the SA goes. */
void ike_admission_failed(struct ike_ikesa *sa, const char *event, const char *text);
/* Too much time has passed. */
void ike_admission_timeout(struct ike_ikesa *sa);
/* An authenticated delete has come meanwhile. True when it ended the SA. */
bool ike_admission_deleted(struct ike_ikesa *sa, const struct ike_payload *p);
/* What to show: the SA's state, or what it waits for. */
enum ike_state ike_admission_state(const struct ike_ikesa *sa);

#endif
