/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The octets of the files that trustpoints are made of. Kept where a configuration is read, so
 * that another process can make the same trustpoints out of them. Private keys are among them.
 */
#ifndef ESPTUND_MATERIAL_H
#define ESPTUND_MATERIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ikecrypto/trust.h"

#define MATERIAL_FILE_MAX (16u << 20)	/* octets; secrets.h reads none that is longer */

struct material_file {
	size_t trustpoint;		/* which of ike_config.trustpoint */
	enum ikecrypto_kind kind;
	uint8_t *data;			/* owned */
	size_t len;			/* 1 to MATERIAL_FILE_MAX */
};

struct material {
	struct material_file *file;
	size_t n;
};

/* Takes data over; when memory is short it is wiped, freed, and the result is false. */
bool material_add(struct material *m, size_t trustpoint, enum ikecrypto_kind kind, uint8_t *data, size_t len);
/* Wipes. */
void material_clear(struct material *m);

#endif
