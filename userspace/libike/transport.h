/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the messages of an ISAKMP SA travel: whole, or in fragments where the peer takes them and
 * the network may not carry large packets; and what comes in fragments, put together before
 * anybody looks at it. One message at a time for each SA, 15 s, 1 MiB in all.
 */
#ifndef LIBIKE_TRANSPORT_H
#define LIBIKE_TRANSPORT_H

#include "fragment.h"
#include "timer.h"

struct ike_ikesa;

#define IKE_ASSEMBLY_TIME (15 * IKE_SECOND)
#define IKE_ASSEMBLIES_MAX (1u << 20)	/* octets held for all SAs together */

/* A message in parts; an SA has one while it holds any. */
struct ike_inbox {
	struct ike_ikesa *sa;
	struct ike_assembly assembly;
	struct ike_timer timer;
};

/* Send, whole or in fragments. repeated: nobody has answered it yet, perhaps because it was too large. */
void ike_transport_send(struct ike_ikesa *sa, const struct ike_path *path, const uint8_t *data, size_t len,
			bool repeated);
/*
 * A datagram that is a fragment. The message that it makes whole, the caller's to free, or NULL;
 * what is dropped is counted and logged.
 */
uint8_t *ike_transport_collect(struct ike_ikesa *sa, const uint8_t *data, size_t len, size_t *whole);
/* Forget what has come so far. */
void ike_transport_clear(struct ike_ikesa *sa);

#endif
