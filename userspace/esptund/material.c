// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the octets until the configuration they came with is freed. See material.h.
 */
#include "material.h"

#include <stdlib.h>

#include "libike/crypto.h"

static void drop(uint8_t *data, size_t len)
{
	ike_crypto_wipe(data, len);
	free(data);
}

bool material_add(struct material *m, size_t trustpoint, enum ikecrypto_kind kind, uint8_t *data, size_t len)
{
	struct material_file *grown = realloc(m->file, (m->n + 1) * sizeof(*grown));

	if (!grown) {
		drop(data, len);
		return false;
	}
	m->file = grown;
	m->file[m->n++] = (struct material_file){ trustpoint, kind, data, len };
	return true;
}

void material_clear(struct material *m)
{
	for (size_t i = 0; i < m->n; i++)
		drop(m->file[i].data, m->file[i].len);
	free(m->file);
	*m = (struct material){ NULL, 0 };
}
