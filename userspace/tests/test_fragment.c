// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE fragments: every order, loss and repetition of the pieces of a message; what cannot be
 * one; bounds; and two engines that speak them.
 */
#include "two_engines.h"

#include "libike/engine.h"
#include "libike/fragment.h"
#include "libike/tunnel.h"

#define P1 "aes128-sha256-modp4096"	/* public values that do not fit a small packet */
#define P2 "aes128gcm16-modp4096"

/* ---- one message ----------------------------------------------------------------------------- */

struct message {
	uint8_t data[IKE_DATAGRAM_MAX + 1];
	size_t len;
};

static void make_message(struct message *m, size_t len, uint8_t seed)
{
	size_t i;

	m->len = len;
	for (i = 0; i < len; i++)
		m->data[i] = (uint8_t)(seed + i * 7);
	ike_store32(m->data + 24, (uint32_t)len);
}

/* Piece i of n, as it comes out of the wire format. */
static struct ike_fragment piece(const struct message *m, uint16_t id, unsigned int i, unsigned int n, struct ike_wbuf *w)
{
	size_t room = (m->len + n - 1) / n, from = i * room, to = from + room < m->len ? from + room : m->len;
	struct ike_fragment f = { .id = id, .number = (uint8_t)(i + 1), .last = i + 1 == n,
				  .data = m->data + from, .len = to - from }, out;
	const struct ike_hdr h = { .exchange = 2 };
	const char *why = NULL;
	struct ike_hdr got;

	ike_fragment_encode(w, &h, &f);
	assert_false(w->bad);
	assert_int_equal(ike_hdr_parse(w->data, w->len, &got, &why), 0);
	assert_int_equal(got.next, 132);
	assert_int_equal(got.msgid, 0);
	assert_int_equal(got.flags, 0);
	assert_int_equal(ike_fragment_decode(w->data, w->len, &out, &why), 0);
	assert_int_equal(out.id, id);
	assert_int_equal(out.number, i + 1);
	assert_int_equal(out.last, i + 1 == n);
	assert_int_equal(out.len, f.len);
	return out;
}

static enum ike_assembled add(struct ike_assembly *a, const struct message *m, uint16_t id, unsigned int i, unsigned int n)
{
	struct ike_wbuf w;
	struct ike_fragment f = piece(m, id, i, n, &w);
	enum ike_assembled got = ike_assembly_add(a, &f, IKE_DATAGRAM_MAX);

	ike_wbuf_free(&w);
	return got;
}

static void assert_whole(struct ike_assembly *a, const struct message *m)
{
	size_t len;
	uint8_t *whole = ike_assembly_take(a, &len);

	assert_non_null(whole);
	assert_int_equal(len, m->len);
	assert_memory_equal(whole, m->data, len);
	assert_int_equal(a->held, 0);
	free(whole);
}

/* Every order of n pieces, each of which comes once, or (bit set in 'twice') again right after. */
static void permute(const struct message *m, unsigned int *order, unsigned int n, unsigned int at, unsigned int twice)
{
	unsigned int i, t;

	if (at == n) {
		struct ike_assembly a = { 0 };

		for (i = 0; i < n; i++) {
			enum ike_assembled want = i + 1 == n ? IKE_ASSEMBLY_WHOLE : IKE_ASSEMBLY_KEPT;

			assert_int_equal(add(&a, m, 1, order[i], n), want);
			if (want == IKE_ASSEMBLY_KEPT && twice & 1u << i)
				assert_int_equal(add(&a, m, 1, order[i], n), IKE_ASSEMBLY_REPEATED);
		}
		assert_whole(&a, m);
		return;
	}
	for (i = at; i < n; i++) {
		t = order[at], order[at] = order[i], order[i] = t;
		permute(m, order, n, at + 1, twice);
		t = order[at], order[at] = order[i], order[i] = t;
	}
}

static void every_order_and_repetition(void **state)
{
	unsigned int n, i, twice, order[5];
	static struct message m;

	(void)state;
	make_message(&m, 1000, 3);
	for (n = 1; n <= 5; n++)
		for (twice = 0; twice < 1u << n; twice++) {
			for (i = 0; i < n; i++)
				order[i] = i;
			permute(&m, order, n, 0, twice);
		}
}

static void with_any_piece_lost_there_is_no_message(void **state)
{
	static struct message m;
	unsigned int n, lost, i;

	(void)state;
	make_message(&m, 5000, 9);
	for (n = 2; n <= IKE_FRAGMENTS_MAX; n++)
		for (lost = 0; lost < n; lost++) {
			struct ike_assembly a = { 0 };

			for (i = n; i-- > 0; )
				if (i != lost)
					assert_int_equal(add(&a, &m, 1, i, n), IKE_ASSEMBLY_KEPT);
			/* Repeated as a whole: what was missing makes it whole. */
			for (i = 0; i < lost; i++)
				assert_int_equal(add(&a, &m, 1, i, n), IKE_ASSEMBLY_REPEATED);
			assert_int_equal(add(&a, &m, 1, lost, n), IKE_ASSEMBLY_WHOLE);
			assert_whole(&a, &m);
		}
}

static void random_loss_and_order_until_it_is_whole(void **state)
{
	static struct message m;
	uint64_t rng = 1;
	unsigned int run;

	(void)state;
	for (run = 0; run < 2000; run++) {
		unsigned int n = 2 + (unsigned int)(splitmix(&rng) % 15), tries = 0;
		struct ike_assembly a = { 0 };

		make_message(&m, 600 + splitmix(&rng) % 15000, (uint8_t)run);
		/* Each piece is as likely as another, lost or late ones included. */
		while (add(&a, &m, 1, (unsigned int)(splitmix(&rng) % n), n) != IKE_ASSEMBLY_WHOLE)
			assert_true(++tries < 5000);
		assert_whole(&a, &m);
	}
}

/* Peers number all messages alike: late pieces of the one before must not spoil the next for good. */
static void late_pieces_of_the_message_before(void **state)
{
	static struct message one, two;
	unsigned int late, n1, n2, i;

	(void)state;
	for (n1 = 2; n1 <= 4; n1++)
		for (n2 = 2; n2 <= 4; n2++)
			for (late = 0; late < n1; late++) {
				struct ike_assembly a = { 0 };
				enum ike_assembled got = IKE_ASSEMBLY_KEPT;
				unsigned int rounds;

				make_message(&one, 700, 1);
				make_message(&two, 900, 2);
				assert_int_equal(add(&a, &one, 1, late, n1), IKE_ASSEMBLY_KEPT);
				/* The sender repeats until it is answered. */
				for (rounds = 0; rounds < 2 && got != IKE_ASSEMBLY_WHOLE; rounds++)
					for (i = 0; i < n2 && got != IKE_ASSEMBLY_WHOLE; i++)
						got = add(&a, &two, 1, i, n2);
				assert_int_equal(got, IKE_ASSEMBLY_WHOLE);
				if (late < n2)
					assert_int_equal(rounds, 1);
				assert_whole(&a, &two);
			}
}

static void another_id_begins_a_new_message(void **state)
{
	static struct message one, two;
	struct ike_assembly a = { 0 };

	(void)state;
	make_message(&one, 700, 1);
	make_message(&two, 900, 2);
	assert_int_equal(add(&a, &one, 1, 0, 2), IKE_ASSEMBLY_KEPT);
	assert_int_equal(add(&a, &two, 65535, 1, 2), IKE_ASSEMBLY_KEPT);
	assert_int_equal(add(&a, &two, 65535, 0, 2), IKE_ASSEMBLY_WHOLE);
	assert_whole(&a, &two);
}

static void bounds_hold(void **state)
{
	static struct message m;
	struct ike_assembly a = { 0 };
	struct ike_fragment f = { .id = 1, .number = 1, .data = m.data };

	(void)state;
	f.len = IKE_DATAGRAM_MAX;
	assert_int_equal(ike_assembly_add(&a, &f, IKE_DATAGRAM_MAX - 1), IKE_ASSEMBLY_REFUSED);
	assert_int_equal(a.held, 0);
	assert_int_equal(ike_assembly_add(&a, &f, IKE_DATAGRAM_MAX), IKE_ASSEMBLY_KEPT);
	f.number = 2;
	f.len = 1;
	assert_int_equal(ike_assembly_add(&a, &f, IKE_DATAGRAM_MAX), IKE_ASSEMBLY_REFUSED);
	assert_int_equal(a.held, IKE_DATAGRAM_MAX);
	ike_assembly_clear(&a);
	assert_int_equal(ike_fragment_count(1600, 100), 16);
	assert_int_equal(ike_fragment_count(1601, 100), 0);
	assert_int_equal(ike_fragment_count(1, 0), 0);
}

static void what_is_no_fragment(void **state)
{
	static struct message m;
	struct ike_fragment f;
	const char *why;
	struct ike_wbuf w;
	size_t len;

	(void)state;
	make_message(&m, 100, 0);
	piece(&m, 1, 0, 1, &w);
	for (len = 28; len < w.len; len++) {
		why = NULL;
		assert_int_equal(ike_fragment_decode(w.data, len, &f, &why), -IKE_E_PARSE);
		assert_non_null(why);
	}
	w.data[34] = 0;
	assert_int_equal(ike_fragment_decode(w.data, w.len, &f, &why), -IKE_E_PARSE);
	w.data[34] = 17;
	assert_int_equal(ike_fragment_decode(w.data, w.len, &f, &why), -IKE_E_PARSE);
	w.data[34] = 16;
	assert_int_equal(ike_fragment_decode(w.data, w.len, &f, &why), 0);
	w.data[28] = 132;
	assert_int_equal(ike_fragment_decode(w.data, w.len, &f, &why), -IKE_E_PARSE);
	ike_wbuf_free(&w);
}

/* ---- two engines ------------------------------------------------------------------------------- */

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

static struct world *world_with(enum ike_fragmentation a, enum ike_fragmentation b, uint32_t size)
{
	struct world *w = world_empty(1);
	int i;

	for (i = 1; i >= 0; i--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, i, P1, P2);
		t.fragmentation = i ? b : a;
		t.fragment_size = size;
		assert_int_equal(side_configure(w, i, &t), 0);
		free(t.psk);
	}
	return w;
}

static void assert_up(struct world *w)
{
	if (!run_until(w, both_done, 120 * IKE_SECOND))
		fail_msg("not up: %s", w->trace);
}

static void large_messages_go_in_fragments(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 576);

	(void)state;
	assert_up(w);
	/* MM3, MM4, QM1, QM2 */
	assert_int_equal(counters(w, ALICE).fragmented_out, 2);
	assert_int_equal(counters(w, BOB).fragmented_out, 2);
	assert_int_equal(counters(w, ALICE).fragmented_in, 2);
	assert_int_equal(counters(w, BOB).fragmented_in, 2);
	assert_null(w->side[BOB].e->ikesas->inbox);
	assert_int_equal(w->side[BOB].e->assembled, 0);
	world_free(w);
}

static void who_sends_them_and_who_does_not(void **state)
{
	static const struct {
		enum ike_fragmentation a, b;
		unsigned int out[2];
	} want[] = {
		{ IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_NO, { 0, 0 } },
		{ IKE_FRAGMENTATION_NO, IKE_FRAGMENTATION_YES, { 0, 0 } },
		{ IKE_FRAGMENTATION_ACCEPT, IKE_FRAGMENTATION_YES, { 0, 2 } },
		{ IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_ACCEPT, { 2, 0 } },
		{ IKE_FRAGMENTATION_FORCE, IKE_FRAGMENTATION_FORCE, { 2, 2 } },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct world *w = world_with(want[i].a, want[i].b, 576);

		assert_up(w);
		assert_int_equal(counters(w, ALICE).fragmented_out, want[i].out[0]);
		assert_int_equal(counters(w, BOB).fragmented_out, want[i].out[1]);
		world_free(w);
	}
}

/* No packet over 576 octets gets through, header included. */
static unsigned int narrow(struct world *w, struct packet *p)
{
	w->seen += p->len > 548;
	return p->len <= 548;
}

static void repeated_messages_become_small(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 0);

	(void)state;
	w->wire = narrow;
	assert_up(w);
	assert_true(w->seen >= 2);		/* each was tried as a whole first */
	assert_true(counters(w, ALICE).fragmented_out >= 2);
	world_free(w);
}

static unsigned int lossy(struct world *w, struct packet *p)
{
	if (strcmp(p->name, "FRAG"))
		return 1;
	return (unsigned int)(splitmix(&w->side[0].rng) % 3);	/* lost, once, twice */
}

static void lost_and_doubled_fragments(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 576);

	(void)state;
	w->wire = lossy;
	assert_up(w);
	world_free(w);
}

static void an_unfinished_message_is_forgotten(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 576);
	struct ike_ikesa *sa;

	(void)state;
	w->keep = "FRAG";
	assert_up(w);
	sa = ike_tunnel_sa(w->side[w->kept.to].e->tunnels);
	deliver(w, w->kept.to, &w->kept.path, w->kept.data, w->kept.len);
	assert_non_null(sa->inbox);
	assert_true(w->side[w->kept.to].e->assembled > 0);
	run_for(w, 14 * IKE_SECOND);
	assert_non_null(sa->inbox);
	run_for(w, 2 * IKE_SECOND);
	assert_null(sa->inbox);
	assert_int_equal(w->side[w->kept.to].e->assembled, 0);
	assert_int_equal(counters(w, w->kept.to).fragments_dropped, 1);
	world_free(w);
}

static void a_flood_of_random_fragments_stays_in_bounds(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 576);
	static uint8_t data[3000];
	struct packet *p = &w->kept;
	uint64_t rng = 7;
	unsigned int i;

	(void)state;
	w->keep = "FRAG";
	assert_up(w);
	for (i = 0; i < 100000; i++) {
		size_t len = 36 + splitmix(&rng) % 2900;

		memcpy(data, p->data, 36);
		ike_store32(data + 24, (uint32_t)len);
		data[30] = (uint8_t)((len - 28) >> 8);
		data[31] = (uint8_t)(len - 28);
		data[33] = (uint8_t)(splitmix(&rng) % 8 ? 1 : splitmix(&rng));
		data[34] = (uint8_t)(splitmix(&rng) % 19);
		data[35] = (uint8_t)splitmix(&rng);
		ike_datagram(w->side[p->to].e, &p->path, data, len, w->now);
		assert_true(w->side[p->to].e->assembled <= IKE_DATAGRAM_MAX);
		if (!(i % 64))
			drain(w, p->to);
	}
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(w->side[p->to].e->assembled, 0);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void strangers_fragments_are_not_kept(void **state)
{
	struct world *w = world_with(IKE_FRAGMENTATION_YES, IKE_FRAGMENTATION_YES, 576);
	struct ike_counters before;

	(void)state;
	w->keep = "FRAG";
	assert_up(w);
	before = counters(w, w->kept.to);
	w->kept.data[0] ^= 1;		/* cookies of nobody */
	deliver(w, w->kept.to, &w->kept.path, w->kept.data, w->kept.len);
	assert_int_equal(counters(w, w->kept.to).unknown_cookies, before.unknown_cookies + 1);
	assert_int_equal(w->side[w->kept.to].e->assembled, 0);
	w->kept.data[0] ^= 1;
	ike_tunnel_sa(w->side[w->kept.to].e->tunnels)->fragments = false;
	deliver(w, w->kept.to, &w->kept.path, w->kept.data, w->kept.len);
	assert_int_equal(counters(w, w->kept.to).fragments_dropped, before.fragments_dropped + 1);
	assert_int_equal(w->side[w->kept.to].e->assembled, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_and_repetition),
		cmocka_unit_test(with_any_piece_lost_there_is_no_message),
		cmocka_unit_test(random_loss_and_order_until_it_is_whole),
		cmocka_unit_test(late_pieces_of_the_message_before),
		cmocka_unit_test(another_id_begins_a_new_message),
		cmocka_unit_test(bounds_hold),
		cmocka_unit_test(what_is_no_fragment),
		cmocka_unit_test(large_messages_go_in_fragments),
		cmocka_unit_test(who_sends_them_and_who_does_not),
		cmocka_unit_test(repeated_messages_become_small),
		cmocka_unit_test(lost_and_doubled_fragments),
		cmocka_unit_test(an_unfinished_message_is_forgotten),
		cmocka_unit_test(a_flood_of_random_fragments_stays_in_bounds),
		cmocka_unit_test(strangers_fragments_are_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
