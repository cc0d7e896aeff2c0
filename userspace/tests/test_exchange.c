// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whole negotiations between two engines: each algorithm, each message lost, doubled,
 * cut and changed, refusals on both sides, rekeys, collisions, deletes, adoption.
 */
#include "two_engines.h"

/* ---- the plain exchange -------------------------------------------------------------------- */

static void main_and_quick_mode(void **state)
{
	struct world *w = world_new("aes256-sha256-modp2048", "aes128gcm16-modp2048");

	(void)state;
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_and_quick_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
