// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole engine, both roles: an input is a configuration and a list of things that happen
 * to a negotiation between two engines. Messages are lost, doubled, delayed, replayed, changed
 * without keys and, as by a malicious peer, with them; time passes; administrators and kernels
 * interfere. Main mode, quick mode, informational, rekeying. When the input ends, the rest
 * happens undisturbed. What must hold is in world.c.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz/forge.h"

#define STEPS 96		/* of one input */
#define CALM_STEPS 64		/* after it has ended */

static void put_copy(struct world *w, const struct world_msg *m)
{
	struct world_msg copy = *m;

	copy.data = malloc(m->len ? m->len : 1);
	FUZZ_CHECK(copy.data);
	memcpy(copy.data, m->data, m->len);
	world_put(w, &copy);
}

/* ---- what happens to the oldest message under way ------------------------------------------ */

static void lose(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	(void)w;
	(void)m;
	(void)in;
}

static void twice(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	(void)in;
	world_deliver(w, m);
	world_deliver(w, m);
}

static void delay(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	(void)in;
	put_copy(w, m);
}

static void change_octets(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	forge_octets(m, in);
	world_deliver(w, m);
}

static void forge(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	forge_change(w, m, in);
	world_deliver(w, m);
}

/* The forgery first, the real one after it: a message that is refused must change nothing. */
static void forge_before(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	struct world_msg real = { .to = m->to, .len = m->len, .data = malloc(m->len ? m->len : 1) };

	FUZZ_CHECK(real.data);
	memcpy(real.data, m->data, m->len);
	forge_change(w, m, in);
	world_deliver(w, m);
	world_deliver(w, &real);
	free(real.data);
}

static void pass(struct world *w, struct world_msg *m, struct fuzz_input *in)
{
	(void)in;
	world_deliver(w, m);
}

static void (*const to_message[])(struct world *w, struct world_msg *m, struct fuzz_input *in) = {
	pass, pass, pass, pass, forge, forge, forge, forge_before, change_octets, lose, twice, delay,
};

/* ---- what happens besides -------------------------------------------------------------------- */

static void invent(struct world *w, int who, struct fuzz_input *in)
{
	struct world_msg m = { .to = who };

	if (forge_new(w, who, &m, in))
		world_deliver(w, &m);
	free(m.data);
}

static void replay(struct world *w, int who, struct fuzz_input *in)
{
	struct world_msg m = w->kept[fuzz_take8(in) % WORLD_KEPT];

	(void)who;
	if (!m.data)
		return;
	/* The delivery may bring it out of what is kept. */
	m.data = memcpy(malloc(m.len), m.data, m.len);
	world_deliver(w, &m);
	free(m.data);
}

static void raw(struct world *w, int who, struct fuzz_input *in)
{
	struct world_msg m = { .to = who };
	const uint8_t *bytes = fuzz_take(in, fuzz_take16(in), &m.len);

	m.data = malloc(m.len ? m.len : 1);
	FUZZ_CHECK(m.data);
	memcpy(m.data, bytes, m.len);
	world_deliver(w, &m);
	free(m.data);
}

static void pass_time(struct world *w, int who, struct fuzz_input *in)
{
	ike_time until = w->now + (IKE_SECOND << fuzz_take8(in) % 20);

	(void)who;
	for (int i = 0; i < 16 && w->now < until && world_wait(w, until); i++)
		;
}

static void command(struct world *w, int who, struct fuzz_input *in)
{
	world_command(w, who, fuzz_take8(in));
}

static void event(struct world *w, int who, struct fuzz_input *in)
{
	uint8_t what = fuzz_take8(in);

	world_event(w, who, what, fuzz_take8(in));
}

static void refuse(struct world *w, int who, struct fuzz_input *in)
{
	w->side[who].fail_next = 1 + fuzz_take8(in) % 3;
}

static void reconfigure(struct world *w, int who, struct fuzz_input *in)
{
	struct world_plan p = { .suite = fuzz_take8(in) };

	p.shape = fuzz_take8(in);
	world_configure(w, who, &p);
}

static void (*const besides[])(struct world *w, int who, struct fuzz_input *in) = {
	invent, invent, invent, replay, raw, pass_time, command, event, refuse, reconfigure,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void one_step(struct world *w, struct fuzz_input *in)
{
	uint8_t op = fuzz_take8(in);
	struct world_msg m;

	if (op & 0x80) {
		besides[(op & 0x3f) % COUNT(besides)](w, op >> 6 & 1, in);
	} else if (world_take(w, &m)) {
		to_message[op % COUNT(to_message)](w, &m, in);
		free(m.data);
	} else {
		pass_time(w, 0, in);
	}
}

static void calm(struct world *w)
{
	struct world_msg m;

	for (int i = 0; i < CALM_STEPS; i++) {
		if (world_take(w, &m)) {
			world_deliver(w, &m);
			free(m.data);
		} else if (!world_wait(w, w->now + 100 * IKE_SECOND)) {
			break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct fuzz_input in = { data, len };
	struct world_plan plan = { .suite = fuzz_take8(&in) };
	struct world *w = malloc(sizeof(*w));

	FUZZ_CHECK(w);
	plan.shape = fuzz_take8(&in);
	world_init(w, &plan);
	for (int i = 0; i < STEPS && in.left; i++)
		one_step(w, &in);
	calm(w);
	world_free(w);
	free(w);
	return 0;
}
