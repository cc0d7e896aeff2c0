/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Informational exchanges (RFC 2409 5.7): notifies and deletes, both directions. What is
 * not protected by a HASH of the SA is counted and logged and has no effect.
 */
#ifndef LIBIKE_INFO_H
#define LIBIKE_INFO_H

#include "ikesa.h"
#include "payload.h"

extern const struct ike_mode ike_info_mode;

/* One without protection: for an SA that cannot check it yet, or for none (sa NULL). */
void ike_info_unprotected(struct ike_engine *e, struct ike_ikesa *sa, const struct ike_path *path,
			  const struct ike_hdr *h, const uint8_t *data, size_t len);
/* One under an SA that has keys. */
void ike_info_receive(struct ike_ikesa *sa, const struct ike_hdr *h, const uint8_t *data, size_t len);

/* Send under the SA's protection. spi: host order, 0 for the ISAKMP SA itself. */
void ike_info_notify(struct ike_ikesa *sa, uint16_t type, uint8_t proto, uint32_t spi);
/* Any notify. */
void ike_info_send(struct ike_ikesa *sa, const struct ike_notify *n);
/* A pair of any tunnel with the peer of sa, by SPI; NULL. */
struct ike_child *ike_info_child(struct ike_ikesa *sa, enum ike_dir dir, uint32_t spi);
/* R-U-THERE or R-U-THERE-ACK (RFC 3706 5.3). */
void ike_info_dpd(struct ike_ikesa *sa, uint16_t type, uint32_t seq);
void ike_info_delete_ikesa(struct ike_ikesa *sa);
void ike_info_delete_esp(struct ike_ikesa *sa, uint32_t spi);
/* Answer an MM1 we cannot take; unprotected, at most one per second and tunnel. */
void ike_info_refuse(struct ike_tunnel *t, const struct ike_path *path, const uint8_t *icookie, uint16_t type);

#endif
