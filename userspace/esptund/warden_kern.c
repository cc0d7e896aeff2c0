// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table of what may be asked and what it needs. Tunnels are looked up by kern.c among those
 * that are configured: the cell names no device.
 */
#include "warden_kern.h"

#include <stdio.h>

#include "libike/crypto.h"

#define SPI_MIN 256	/* RFC 4303 2.1: 1..255 are reserved */

static int do_adopt(struct kern *k, struct passage_msg *m)
{
	(void)m;
	return kern_adopt(k);
}

static int do_peer(struct kern *k, struct passage_msg *m)
{
	return kern_peer(k, m->tunnel, &m->remote);
}

static int do_address(struct kern *k, struct passage_msg *m)
{
	return kern_address(k, m->tunnel, &m->remote);
}

static int do_spi_alloc(struct kern *k, struct passage_msg *m)
{
	return kern_spi_alloc(k, m->tunnel, &m->sa.spi);
}

static int do_sa_add(struct kern *k, struct passage_msg *m)
{
	return kern_sa_add(k, &m->sa);
}

static int do_sa_activate(struct kern *k, struct passage_msg *m)
{
	return kern_sa_activate(k, m->tunnel, m->sa.spi);
}

static int do_sa_del(struct kern *k, struct passage_msg *m)
{
	return kern_sa_del(k, m->tunnel, m->sa.dir, m->sa.spi);
}

static int do_sa_last(struct kern *k, struct passage_msg *m)
{
	return kern_sa_last(k, m->tunnel, m->sa.spi, &m->ev.at);
}

static const struct {
	bool needs_tunnel, needs_spi;
	int (*run)(struct kern *k, struct passage_msg *m);
} asked[PASSAGE_N_ASKED] = {
	[PASSAGE_ADOPT] = { false, false, do_adopt },
	[PASSAGE_PEER] = { true, false, do_peer },
	[PASSAGE_ADDRESS] = { true, false, do_address },
	[PASSAGE_SPI_ALLOC] = { true, false, do_spi_alloc },
	[PASSAGE_SA_ADD] = { true, true, do_sa_add },
	[PASSAGE_SA_ACTIVATE] = { true, true, do_sa_activate },
	[PASSAGE_SA_DEL] = { true, true, do_sa_del },
	[PASSAGE_SA_LAST] = { true, true, do_sa_last },
};

bool warden_kern(struct kern *k, struct passage_msg *m)
{
	if (m->type >= PASSAGE_N_ASKED || !asked[m->type].run || (asked[m->type].needs_tunnel && !m->has_tunnel) ||
	    (asked[m->type].needs_spi && m->sa.spi < SPI_MIN))
		return false;
	m->err = asked[m->type].run(k, m);
	snprintf(m->text, sizeof(m->text), "%s", m->err ? kern_error(k) : "");
	ike_crypto_wipe(m->keys, sizeof(m->keys));
	return true;
}
