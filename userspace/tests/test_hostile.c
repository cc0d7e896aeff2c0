// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a malicious peer or a careless administrator can do to others, between two engines:
 * tunnels that go while messages of theirs are remembered, SPIs chosen to collide, too many
 * quick modes at once, floods of log lines.
 */
#include "two_engines.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static void configure_many(struct world *w, int who, struct ike_tunnel_cfg *t, size_t n)
{
	struct ike_config cfg = { .tunnel = t, .n_tunnels = n };

	assert_int_equal(ike_configure(w->side[who].e, &cfg, w->now), 0);
	drain(w, who);
}

static void free_psks(struct ike_tunnel_cfg *t, size_t n)
{
	while (n--)
		free(t[n].psk);
}

struct children {
	const char *tunnel;
	size_t n;
	uint32_t spi_out;
};

static void count_one(void *ctx, const struct ike_tunnel_status *st)
{
	struct children *c = ctx;

	if (strcmp(st->cfg->name, c->tunnel))
		return;
	c->n = st->n_children;
	c->spi_out = st->n_children ? st->child[0].spi_out : 0;
}

static struct children children_of(struct world *w, int who, const char *tunnel)
{
	struct children c = { .tunnel = tunnel };

	ike_status(w->side[who].e, count_one, &c);
	return c;
}

/* ---- a tunnel goes, its exchanges are remembered under the ISAKMP SA of another -------------- */

static void two_networks(struct ike_tunnel_cfg *t, int who)
{
	for (unsigned int i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], who, P1, P2);
		snprintf(t[i].name, sizeof(t[i].name), "net%u", i);
		t[i].local_net = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)who, (uint8_t)i } };
		t[i].remote_net = (struct ike_net){ .family = 4, .prefix = 24, .ip = { 10, (uint8_t)!who, (uint8_t)i } };
	}
}

static bool both_nets(struct world *w)
{
	return count_sas(&w->side[ALICE], IKE_OUT, true) == 2 && count_sas(&w->side[BOB], IKE_OUT, true) == 2;
}

static void tunnel_removed_while_its_quick_mode_lingers(void **state)
{
	(void)state;
	for (int remover = 0; remover < 2; remover++) {
		for (unsigned int stays = 0; stays < 2; stays++) {
			struct world *w = world_empty(3);
			struct ike_tunnel_cfg t[2];

			for (int who = 1; who >= 0; who--) {
				two_networks(t, who);
				configure_many(w, who, t, 2);
				free_psks(t, 2);
			}
			assert_true(run_until(w, both_nets, 30 * IKE_SECOND));
			assert_int_equal(counters(w, remover).p1_now, 1);
			two_networks(t, remover);
			configure_many(w, remover, &t[stays], 1);
			free_psks(t, 2);
			/* Past the time a finished quick mode answers repetitions. */
			run_for(w, 300 * IKE_SECOND);
			assert_int_equal(children_of(w, remover, t[stays].name).n, 1);
			world_free(w);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel_removed_while_its_quick_mode_lingers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
