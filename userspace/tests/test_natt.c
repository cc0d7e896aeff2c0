// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAT traversal between two engines: what is detected and agreed, the change to port 4500, SAs in
 * UDP, and what a NAT does to a tunnel that is up. Who is behind a NAT, the other sees at
 * 203.0.113.x and at ports that are higher by the side's shift.
 */
#include "two_engines.h"

#include "libike/engine.h"
#include "libike/tunnel.h"
#include "libike/wire.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16"
#define MAPPED 20000

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

struct setting {
	bool alice, bob;		/* behind a NAT; Bob's forwards his ports unchanged */
	enum ike_encapsulation encap[2];
	uint32_t dpd;
	bool aggressive;
};

static void behind(struct world *w, int who, unsigned int last, uint16_t shift)
{
	char text[32];

	snprintf(text, sizeof(text), "203.0.113.%u", last);
	w->side[who].outside = v4(text);
	w->side[who].shift = shift;
}

static void configure(struct world *w, int who, const struct setting *s)
{
	struct ike_tunnel_cfg t;

	tunnel_cfg(&t, who, P1, P2);
	if (w->side[!who].outside.family)
		t.remote = w->side[!who].outside;
	/* Addresses say nothing about who one is any more. */
	assert_int_equal(ike_id_parse(who ? "fqdn:bob" : "fqdn:alice", &t.local_id), 0);
	assert_int_equal(ike_id_parse(who ? "fqdn:alice" : "fqdn:bob", &t.remote_id), 0);
	t.encapsulation = s->encap[who];
	t.dpd = s->dpd;
	t.aggressive = t.aggressive_psk = s->aggressive;
	assert_int_equal(side_configure(w, who, &t), 0);
	free(t.psk);
}

static struct world *world_behind(const struct setting *s)
{
	struct world *w = world_empty(1);

	if (s->alice)
		behind(w, ALICE, 1, MAPPED);
	if (s->bob)
		behind(w, BOB, 2, 0);
	configure(w, BOB, s);
	configure(w, ALICE, s);
	return w;
}

static struct ike_ikesa *sa_of(struct world *w, int who)
{
	return ike_tunnel_sa(w->side[who].e->tunnels);
}

static struct kernel_sa *one_sa(struct world *w, int who, enum ike_dir dir)
{
	struct kernel_sa *found = NULL;
	size_t i;

	for (i = 0; i < MAX_SAS; i++)
		if (w->side[who].sa[i].used && w->side[who].sa[i].dir == dir)
			found = &w->side[who].sa[i];
	assert_non_null(found);
	return found;
}

/* Ports of what a side has installed: 0 and 0 without encapsulation. */
static void assert_ports(struct world *w, int who, uint16_t local, uint16_t remote)
{
	enum ike_dir dir;

	for (dir = IKE_IN; dir <= IKE_OUT; dir++) {
		assert_int_equal(one_sa(w, who, dir)->path.local.port, local);
		assert_int_equal(one_sa(w, who, dir)->path.remote.port, remote);
	}
}

static void assert_up(struct world *w)
{
	if (!run_until(w, both_done, 60 * IKE_SECOND))
		fail_msg("not up: %s", w->trace);
}

/* ---- detection --------------------------------------------------------------------------- */

static void without_a_nat_nothing_changes(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = false });

	(void)state;
	assert_up(w);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3");
	assert_int_equal(sa_of(w, ALICE)->path.local.port, 500);
	assert_int_equal(ike_natt_version(sa_of(w, ALICE)), IKE_NATT_RFC);
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "no NAT");
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "no NAT");
	assert_ports(w, ALICE, 0, 0);
	assert_ports(w, BOB, 0, 0);
	world_free(w);
}

static void initiator_behind_a_nat_floats_and_the_responder_follows(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });

	(void)state;
	assert_up(w);
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 A:QM1 B:QM2 A:QM3");
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "NAT here");
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "NAT at the peer");
	assert_ports(w, ALICE, 4500, 4500);
	assert_ports(w, BOB, 4500, 4500 + MAPPED);
	/* Only who is behind the NAT keeps the mapping alive, only the other follows it. */
	assert_int_equal(one_sa(w, ALICE, IKE_OUT)->keepalive, 20);
	assert_int_equal(one_sa(w, BOB, IKE_OUT)->keepalive, 0);
	assert_false(one_sa(w, ALICE, IKE_IN)->follow_peer);
	assert_true(one_sa(w, BOB, IKE_IN)->follow_peer);
	world_free(w);
}

static void responder_behind_a_nat(void **state)
{
	struct world *w = world_behind(&(struct setting){ .bob = true });

	(void)state;
	assert_up(w);
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "NAT at the peer");
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "NAT here");
	assert_ports(w, ALICE, 4500, 4500);
	assert_ports(w, BOB, 4500, 4500);
	assert_int_equal(one_sa(w, BOB, IKE_OUT)->keepalive, 20);
	world_free(w);
}

/* NAT-D in AM2 and AM3; AM3 is the first from port 4500. */
static void aggressive_mode_floats_with_its_third_message(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true, .aggressive = true });

	(void)state;
	assert_up(w);
	assert_string_equal(w->trace, "A:AM1 B:AM2 A:AM3 A:QM1 B:QM2 A:QM3");
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "NAT here");
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "NAT at the peer");
	assert_ports(w, ALICE, 4500, 4500);
	assert_ports(w, BOB, 4500, 4500 + MAPPED);
	world_free(w);
}

static void both_behind_nats(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true, .bob = true });

	(void)state;
	assert_up(w);
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "NAT here and at the peer");
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "NAT here and at the peer");
	assert_ports(w, BOB, 4500, 4500 + MAPPED);
	world_free(w);
}

static void forced_encapsulation_from_either_side(void **state)
{
	int who;

	(void)state;
	for (who = ALICE; who <= BOB; who++) {
		struct setting s = { .alice = false };
		struct world *w;

		s.encap[who] = IKE_ENCAPSULATION_FORCE;
		w = world_behind(&s);
		assert_up(w);
		assert_ports(w, ALICE, 4500, 4500);
		assert_ports(w, BOB, 4500, 4500);
		assert_string_equal(ike_natt_situation(&sa_of(w, !who)->natt), "NAT at the peer");
		world_free(w);
	}
}

static unsigned int count_vids(const struct packet *p, const uint8_t *id, size_t len)
{
	unsigned int n = 0;
	size_t i;

	for (i = 0; i + len <= p->len; i++)
		n += !memcmp(p->data + i, id, len);
	return n;
}

static const uint8_t vid_rfc[4] = { 0x4a, 0x13, 0x1c, 0x81 }, vid_03[4] = { 0x7d, 0x94, 0x19, 0xa6 },
		     vid_02n[4] = { 0x90, 0xcb, 0x80, 0x91 }, vid_02[4] = { 0xcd, 0x60, 0x46, 0x43 };

static void forbidden_from_either_side(void **state)
{
	int who;

	(void)state;
	for (who = ALICE; who <= BOB; who++) {
		struct setting s = { .alice = true };
		struct world *w;

		s.encap[who] = IKE_ENCAPSULATION_NEVER;
		w = world_behind(&s);
		w->keep = who == ALICE ? "MM1" : "MM2";
		assert_up(w);
		assert_int_equal(count_vids(&w->kept, vid_rfc, 4), 0);
		assert_int_equal(ike_natt_version(sa_of(w, who)), IKE_NATT_NONE);
		assert_ports(w, ALICE, 0, 0);
		assert_ports(w, BOB, 0, 0);
		assert_int_equal(sa_of(w, ALICE)->path.local.port, 500);
		world_free(w);
	}
}

static void force_without_a_peer_that_can_is_said(void **state)
{
	struct setting s = { .encap = { IKE_ENCAPSULATION_FORCE, IKE_ENCAPSULATION_NEVER } };
	struct world *w = world_behind(&s);
	const struct log_entry *l = NULL;
	size_t i;

	(void)state;
	assert_up(w);
	for (i = 0; i < w->side[ALICE].n_logs; i++)
		if (!strcmp(w->side[ALICE].log[i].event, "nat"))
			l = &w->side[ALICE].log[i];
	assert_non_null(l);
	assert_int_equal(l->level, IKE_LOG_WARNING);
	assert_non_null(strstr(l->text, "does not announce NAT traversal"));
	world_free(w);
}

/* ---- versions ---------------------------------------------------------------------------- */

/* The responder has never heard of the first w->count versions: they are made unrecognisable. */
static unsigned int older_peer(struct world *w, struct packet *p)
{
	static const uint8_t *const ids[] = { vid_rfc, vid_03, vid_02n, vid_02 };
	unsigned int i;
	size_t at;

	for (i = 0; !strcmp(p->name, "MM1") && i < w->count; i++)
		for (at = 28; at + 16 <= p->len; at++)
			if (!memcmp(p->data + at, ids[i], 4))
				p->data[at + 15] ^= 0x55;
	return 1;
}

static void the_best_version_both_know_is_spoken(void **state)
{
	static const struct {
		enum ike_natt_version v;
		uint8_t natd;
		uint16_t mode;
	} want[] = {
		{ IKE_NATT_RFC, 20, 3 }, { IKE_NATT_DRAFT_03, 130, 61443 }, { IKE_NATT_DRAFT_02N, 130, 61443 },
		{ IKE_NATT_DRAFT_02, 130, 61443 }, { IKE_NATT_NONE, 0, 1 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct world *w = world_behind(&(struct setting){ .alice = true });
		unsigned int next;

		w->wire = older_peer;
		w->count = i;
		w->keep = "MM3";
		assert_up(w);
		assert_int_equal(ike_natt_version(sa_of(w, ALICE)), want[i].v);
		assert_int_equal(ike_natt_version(sa_of(w, BOB)), want[i].v);
		assert_int_equal(ike_natt_mode(sa_of(w, ALICE)), want[i].mode);
		/* KE names the nonce, the nonce names NAT-D. */
		next = 28 + (unsigned int)(w->kept.data[30] << 8 | w->kept.data[31]);
		assert_int_equal(w->kept.data[next], want[i].natd);
		assert_ports(w, BOB, want[i].v ? 4500 : 0, want[i].v ? 4500 + MAPPED : 0);
		world_free(w);
	}
}

static void mm1_offers_all_mm2_has_one_and_is_no_longer(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });
	size_t mm1;

	(void)state;
	w->keep = "MM1";
	assert_up(w);
	assert_int_equal(count_vids(&w->kept, vid_rfc, 4) + count_vids(&w->kept, vid_03, 4) +
			 count_vids(&w->kept, vid_02n, 4) + count_vids(&w->kept, vid_02, 4), 4);
	mm1 = w->kept.len;
	world_free(w);
	w = world_behind(&(struct setting){ .alice = true });
	w->keep = "MM2";
	assert_up(w);
	assert_int_equal(count_vids(&w->kept, vid_rfc, 4), 1);
	assert_int_equal(count_vids(&w->kept, vid_03, 4), 0);
	assert_true(w->kept.len <= mm1);
	world_free(w);
}

/* ---- NAT-D as others send it --------------------------------------------------------------- */

/* Offset of the n-th payload of that type in a message in clear; 0: there is none. */
static size_t payload_at(const struct packet *p, uint8_t want, unsigned int n)
{
	uint8_t type = p->data[16];
	size_t at = 28;

	while (type && at + 4 <= p->len) {
		if (type == want && !n--)
			return at;
		type = p->data[at];
		at += (size_t)(p->data[at + 2] << 8 | p->data[at + 3]);
	}
	return 0;
}

static void set_len(struct packet *p, size_t len)
{
	p->len = len;
	p->data[26] = (uint8_t)(len >> 8);
	p->data[27] = (uint8_t)len;
}

/* Behind the last payload, which was of type 'last'. */
static void append(struct packet *p, uint8_t last, unsigned int n_last, uint8_t type, size_t len, uint8_t fill)
{
	size_t at = payload_at(p, last, n_last), end = p->len;

	assert_true(at != 0);
	p->data = realloc(p->data, end + 4 + len);
	p->data[at] = type;
	memset(p->data + end, 0, 4);
	p->data[end + 2] = (uint8_t)((len + 4) >> 8);
	p->data[end + 3] = (uint8_t)(len + 4);
	memset(p->data + end + 4, fill, len);
	set_len(p, end + 4 + len);
}

static unsigned int swap_natd(struct world *w, struct packet *p)
{
	uint8_t a[32], *x, *y;

	(void)w;
	if (strcmp(p->name, "MM3") && strcmp(p->name, "MM4"))
		return 1;
	x = p->data + payload_at(p, 20, 0) + 4;
	y = p->data + payload_at(p, 20, 1) + 4;
	memcpy(a, x, 32);
	memcpy(x, y, 32);
	memcpy(y, a, 32);
	return 1;
}

static unsigned int more_natd(struct world *w, struct packet *p)
{
	(void)w;
	if (!strcmp(p->name, "MM3") || !strcmp(p->name, "MM4"))
		append(p, 20, 1, 20, 32, 0x77);
	return 1;
}

/* As an old Cisco: its draft's NAT-D is payload 15. */
static unsigned int payload_15(struct world *w, struct packet *p)
{
	(void)w;
	if (!strcmp(p->name, "MM3") || !strcmp(p->name, "MM4"))
		append(p, 20, 1, 15, 32, 0x77);
	return 1;
}

static void natd_in_any_order_and_number(void **state)
{
	static const wire_fn wires[] = { swap_natd, more_natd, payload_15 };
	unsigned int i, nat;

	(void)state;
	for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		for (nat = 0; nat < 2; nat++) {
			struct world *w = world_behind(&(struct setting){ .alice = nat });

			w->wire = wires[i];
			assert_up(w);
			assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), nat ? "NAT here" : "no NAT");
			assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), nat ? "NAT at the peer" : "no NAT");
			world_free(w);
		}
}

/* The second NAT-D is cut off. */
static unsigned int one_natd(struct world *w, struct packet *p)
{
	size_t second;

	(void)w;
	if (strcmp(p->name, "MM3"))
		return 1;
	second = payload_at(p, 20, 1);
	p->data[payload_at(p, 20, 0)] = 0;
	set_len(p, second);
	return 1;
}

static void a_single_natd_counts_as_none(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = false });

	(void)state;
	w->wire = one_natd;
	assert_up(w);
	assert_string_equal(ike_natt_situation(&sa_of(w, BOB)->natt), "no NAT");
	assert_non_null(find_log(w, BOB, "nat"));
	assert_non_null(strstr(find_log(w, BOB, "nat")->text, "1 NAT-D payloads instead of two"));
	world_free(w);
}

/* ---- port 4500 ----------------------------------------------------------------------------- */

static unsigned int lose_first_mm5(struct world *w, struct packet *p)
{
	if (strcmp(p->name, "MM5"))
		return 1;
	assert_int_equal(p->path.local.port, 4500);
	return w->seen++ ? 1 : 0;
}

static void a_repeated_mm5_goes_to_port_4500_too(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });

	(void)state;
	w->wire = lose_first_mm5;
	assert_up(w);
	assert_int_equal(w->seen, 2);
	world_free(w);
}

static bool float_failed(struct world *w)
{
	return find_log(w, ALICE, "float-failed");
}

static void a_blocked_port_4500_is_named(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });

	(void)state;
	w->blocked_port = 4500;
	assert_true(run_until(w, float_failed, 120 * IKE_SECOND));
	assert_non_null(strstr(w->side[ALICE].e->tunnels->last_error, "float failed: port 4500 blocked?"));
	assert_null(find_log(w, ALICE, "psk-mismatch"));
	assert_int_equal(counters(w, ALICE).auth_failures, 0);
	world_free(w);
}

/* ---- moving -------------------------------------------------------------------------------- */

static bool bob_moved(struct world *w)
{
	return counters(w, BOB).peers_moved;
}

static void rekey(struct world *w, int who, enum ike_command cmd)
{
	assert_int_equal(ike_command(w->side[who].e, cmd, "paris", w->now), 0);
	drain(w, who);
}

static void kernel_sees(struct world *w, int who, const struct ike_addr *peer)
{
	struct ike_kernel_event ev = { .type = IKE_KEV_PEER_MOVED, .tunnel = "paris", .peer = *peer };

	ike_kernel_event(w->side[who].e, &ev, w->now);
	drain(w, who);
}

static struct ike_addr alice_outside(struct world *w)
{
	struct ike_addr a = w->side[ALICE].outside;

	a.port = (uint16_t)(4500 + w->side[ALICE].shift);
	return a;
}

static void a_new_mapping_is_followed_by_both_planes(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });
	uint64_t before;

	(void)state;
	assert_up(w);
	run_for(w, 20 * IKE_SECOND);
	behind(w, ALICE, 1, 30000);
	before = counters(w, BOB).p2_established;
	rekey(w, ALICE, IKE_CMD_REKEY_P1);
	run_for(w, 2 * IKE_SECOND);
	/* A new main mode has its own mapping from the start. */
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 34500);
	rekey(w, ALICE, IKE_CMD_REKEY_P2);
	run_for(w, 2 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p2_established, before + 1);
	behind(w, ALICE, 1, 40000);
	rekey(w, ALICE, IKE_CMD_REKEY_P2);
	assert_true(run_until(w, bob_moved, 10 * IKE_SECOND));
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 44500);
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(active_out(&w->side[BOB])->path.remote.port, 44500);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void another_address_is_followed_as_well(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });

	(void)state;
	assert_up(w);
	behind(w, ALICE, 77, 1000);
	rekey(w, ALICE, IKE_CMD_REKEY_P2);
	assert_true(run_until(w, bob_moved, 10 * IKE_SECOND));
	assert_int_equal(sa_of(w, BOB)->path.remote.ip[3], 77);
	/* And from there it may begin anew. */
	rekey(w, ALICE, IKE_CMD_REKEY_P1);
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 2);
	world_free(w);
}

static void if_the_kernel_does_not_follow_new_sas_tell_it(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true, .dpd = 5 });

	(void)state;
	assert_up(w);
	run_for(w, 15 * IKE_SECOND);
	behind(w, ALICE, 1, 30000);
	/* Alice's questions come from the new port; nothing else does. */
	assert_true(run_until(w, bob_moved, 30 * IKE_SECOND));
	assert_int_equal(active_out(&w->side[BOB])->path.remote.port, 4500 + MAPPED);
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(active_out(&w->side[BOB])->path.remote.port, 34500);
	world_free(w);
}

static void if_the_kernel_follows_no_new_sas_are_made(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true, .dpd = 5 });
	struct ike_addr peer;
	uint64_t before;

	(void)state;
	assert_up(w);
	run_for(w, 15 * IKE_SECOND);
	before = counters(w, BOB).p2_established;
	behind(w, ALICE, 1, 30000);
	peer = alice_outside(w);
	kernel_sees(w, BOB, &peer);
	/* Not before Alice has answered from there. */
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 4500 + MAPPED);
	assert_true(run_until(w, bob_moved, 3 * IKE_SECOND));
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 34500);
	run_for(w, 20 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p2_established, before);
	world_free(w);
}

/* Whatever is sent to a stranger is lost; all that matters is that it was sent. */
static unsigned int strangers_keep_silent(struct world *w, struct packet *p)
{
	(void)w;
	(void)p;
	return 1;
}

static void who_replays_esp_from_elsewhere_does_not_become_the_peer(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true, .dpd = 5 });
	struct ike_addr thief = alice_outside(w);
	unsigned int sent;

	(void)state;
	assert_up(w);
	w->wire = strangers_keep_silent;
	sent = w->sent[BOB];
	/* The same NAT, but a port that is not Alice's: nothing comes back from there. */
	thief.port = 7;
	kernel_sees(w, BOB, &thief);
	assert_int_equal(w->sent[BOB], sent + 1);
	run_for(w, 30 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).peers_moved, 0);
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 4500 + MAPPED);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void only_fresh_authenticated_messages_move_the_peer(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });
	struct ike_path from;

	(void)state;
	w->keep = "QM1";
	assert_up(w);
	from = w->kept.path;
	from.remote = v4("198.51.100.66");
	from.remote.port = 4500;
	deliver(w, BOB, &from, w->kept.data, w->kept.len);		/* seen before */
	w->kept.data[w->kept.len - 1] ^= 1;
	deliver(w, BOB, &from, w->kept.data, w->kept.len);		/* not the peer's */
	w->kept.data[20] ^= 1;
	deliver(w, BOB, &from, w->kept.data, w->kept.len);		/* a new message ID */
	w->kept.data[19] = 0;
	deliver(w, BOB, &from, w->kept.data, w->kept.len);		/* in clear */
	assert_int_equal(counters(w, BOB).peers_moved, 0);
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 4500 + MAPPED);
	run_for(w, 5 * IKE_SECOND);
	assert_true(tunnel_works(w));
	world_free(w);
}

static void a_peer_without_nat_is_followed_nowhere(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = false });
	struct ike_addr elsewhere = v4("198.51.100.66");

	(void)state;
	assert_up(w);
	kernel_sees(w, BOB, &elsewhere);
	assert_int_equal(counters(w, BOB).peers_moved, 0);
	assert_int_equal(counters(w, BOB).dpd_sent, 0);
	/* From elsewhere its cookies mean nothing. */
	behind(w, ALICE, 66, 0);
	rekey(w, ALICE, IKE_CMD_REKEY_P2);
	run_for(w, IKE_SECOND);
	assert_true(counters(w, BOB).unknown_cookies > 0);
	assert_int_equal(counters(w, BOB).p2_established, 1);
	world_free(w);
}

/* ---- keepalives, restart ------------------------------------------------------------------- */

static void without_ipsec_sas_the_keyer_keeps_the_mapping(void **state)
{
	struct world *w = world_behind(&(struct setting){ .alice = true });
	struct ike_kernel_event ev = { .type = IKE_KEV_HARD_EXPIRE, .tunnel = "paris", .dir = IKE_OUT };

	(void)state;
	assert_up(w);
	run_for(w, 100 * IKE_SECOND);
	/* The kernel's SAs do it. */
	assert_int_equal(w->side[ALICE].keepalives, 0);
	w->side[ALICE].e->tunnels->cfg.start = IKE_START_RESPOND;
	ev.spi = active_out(&w->side[ALICE])->spi;
	ike_kernel_event(w->side[ALICE].e, &ev, w->now);
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(w->side[ALICE].keepalives, 5);
	assert_int_equal(w->side[BOB].keepalives, 0);
	world_free(w);
}

static void adopt(struct world *w, int who)
{
	struct side *s = &w->side[who];
	size_t i;

	for (i = 0; i < MAX_SAS; i++) {
		struct ike_kernel_event ev = {
			.type = IKE_KEV_ADOPT, .tunnel = "paris", .dir = s->sa[i].dir, .spi = s->sa[i].spi,
			.cookie = s->sa[i].cookie, .pending = s->sa[i].pending, .peer = s->sa[i].path.remote,
		};

		if (s->sa[i].used)
			ike_kernel_event(s->e, &ev, w->now);
	}
	drain(w, who);
}

static void a_new_keyer_finds_the_peer_behind_its_nat(void **state)
{
	struct setting s = { .alice = true };
	struct world *w = world_behind(&s);
	struct ike_env env = { .ctx = &w->side[BOB], .random = side_random };

	(void)state;
	assert_up(w);
	ike_engine_free(w->side[BOB].e);
	w->side[BOB].e = ike_engine_new(&env);
	configure(w, BOB, &s);
	adopt(w, BOB);
	forget_trace(w);
	rekey(w, BOB, IKE_CMD_REKEY_P1);
	run_for(w, 20 * IKE_SECOND);
	assert_non_null(strstr(w->trace, "B:MM1 A:MM2"));
	assert_int_equal(counters(w, BOB).p1_established, 1);
	assert_int_equal(sa_of(w, BOB)->path.remote.port, 4500 + MAPPED);
	rekey(w, BOB, IKE_CMD_REKEY_P2);
	run_for(w, 20 * IKE_SECOND);
	assert_ports(w, BOB, 4500, 4500 + MAPPED);
	assert_true(tunnel_works(w));
	world_free(w);
}

static bool alice_established(struct world *w)
{
	return counters(w, ALICE).p1_established > 1;
}

static void who_is_lost_behind_a_nat_is_looked_for_where_it_is_configured(void **state)
{
	/* Bob's NAT forwards port 500 as before, but the mapping of 4500 is another. */
	struct world *w = world_behind(&(struct setting){ .bob = true });

	(void)state;
	assert_up(w);
	assert_int_equal(w->side[ALICE].e->tunnels->way.remote.port, 4500);
	w->blocked_port = 4500;
	rekey(w, ALICE, IKE_CMD_REKEY_P1);
	run_for(w, 70 * IKE_SECOND);
	assert_int_equal(w->side[ALICE].e->tunnels->way.remote.family, 0);
	w->blocked_port = 0;
	forget_trace(w);
	assert_true(run_until(w, alice_established, 120 * IKE_SECOND));
	world_free(w);
}

static void another_configured_address_is_where_to_look(void **state)
{
	struct setting s = { .bob = true };
	struct world *w = world_behind(&s);

	(void)state;
	assert_up(w);
	/* Bob has no NAT any more. */
	w->side[BOB].outside.family = 0;
	forget_trace(w);
	configure(w, ALICE, &s);
	assert_true(run_until(w, alice_established, 10 * IKE_SECOND));
	assert_string_equal(ike_natt_situation(&sa_of(w, ALICE)->natt), "no NAT");
	run_for(w, 200 * IKE_SECOND);
	assert_ports(w, ALICE, 0, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_nat_nothing_changes),
		cmocka_unit_test(initiator_behind_a_nat_floats_and_the_responder_follows),
		cmocka_unit_test(responder_behind_a_nat),
		cmocka_unit_test(aggressive_mode_floats_with_its_third_message),
		cmocka_unit_test(both_behind_nats),
		cmocka_unit_test(forced_encapsulation_from_either_side),
		cmocka_unit_test(forbidden_from_either_side),
		cmocka_unit_test(force_without_a_peer_that_can_is_said),
		cmocka_unit_test(the_best_version_both_know_is_spoken),
		cmocka_unit_test(mm1_offers_all_mm2_has_one_and_is_no_longer),
		cmocka_unit_test(natd_in_any_order_and_number),
		cmocka_unit_test(a_single_natd_counts_as_none),
		cmocka_unit_test(a_repeated_mm5_goes_to_port_4500_too),
		cmocka_unit_test(a_blocked_port_4500_is_named),
		cmocka_unit_test(a_new_mapping_is_followed_by_both_planes),
		cmocka_unit_test(another_address_is_followed_as_well),
		cmocka_unit_test(if_the_kernel_does_not_follow_new_sas_tell_it),
		cmocka_unit_test(if_the_kernel_follows_no_new_sas_are_made),
		cmocka_unit_test(who_replays_esp_from_elsewhere_does_not_become_the_peer),
		cmocka_unit_test(only_fresh_authenticated_messages_move_the_peer),
		cmocka_unit_test(a_peer_without_nat_is_followed_nowhere),
		cmocka_unit_test(without_ipsec_sas_the_keyer_keeps_the_mapping),
		cmocka_unit_test(a_new_keyer_finds_the_peer_behind_its_nat),
		cmocka_unit_test(who_is_lost_behind_a_nat_is_looked_for_where_it_is_configured),
		cmocka_unit_test(another_configured_address_is_where_to_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
