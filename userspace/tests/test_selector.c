// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's traffic selectors (kernel/selector.c, compiled in here) against references as
 * plain as they can be put: packets are built from a description, and what a selector should
 * see of one is read off the description; matching is set membership in 128-bit arithmetic;
 * the longest match is whichever permits the packet and covers no other that does. Random
 * input from a fixed seed; SELECTOR_SEED=n chooses another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kernel/selector.c"
#include "random.h"

#define PACKETS 300000
#define SETS 20000

typedef unsigned __int128 wide;

/* ---- the reference: addresses as numbers, selectors as sets ------------------------------ */

struct model {
	int family;			/* 0: any */
	wide first[2], last[2];		/* local, remote */
	int proto, port[2];		/* 0: any */
};

/* What a packet is; proto and port -1: not to be seen. */
struct facts {
	int family, proto, port[2];
	wide addr[2];
};

static bool model_permits(const struct model *m, const struct facts *f)
{
	for (int i = 0; i < 2; i++) {
		if (m->family && (f->family != m->family || f->addr[i] < m->first[i] || f->addr[i] > m->last[i]))
			return false;
		if (m->port[i] && f->port[i] != m->port[i])
			return false;
	}
	return !m->proto || f->proto == m->proto;
}

/* Does b cover everything a does? */
static bool model_covers(const struct model *b, const struct model *a)
{
	if (b->family && b->family != a->family)
		return false;
	for (int i = 0; i < 2; i++) {
		if (b->family && (a->first[i] < b->first[i] || a->last[i] > b->last[i]))
			return false;
		if (b->port[i] && b->port[i] != a->port[i])
			return false;
	}
	return !b->proto || b->proto == a->proto;
}

static bool model_same(const struct model *a, const struct model *b)
{
	return model_covers(a, b) && model_covers(b, a);
}

static bool has_ports(int proto)
{
	return proto == 6 || proto == 17 || proto == 33 || proto == 132 || proto == 136;
}

/* ---- from the reference to what is tested ------------------------------------------------ */

static void octets_of(wide n, int family, uint8_t *octets)
{
	int len = family == 4 ? 4 : 16;

	for (int i = len - 1; i >= 0; i--, n >>= 8)
		octets[i] = (uint8_t)n;
}

static struct esptun_ipnum number(wide n, int family)
{
	struct esptun_ipnum out;
	uint8_t octets[16], back[16];

	octets_of(n, family, octets);
	esptun_selector_load(&out, octets, (u8)family);
	esptun_selector_store(&out, back, (u8)family);
	assert_memory_equal(octets, back, family == 4 ? 4 : 16);
	return out;
}

static struct esptun_selector selector(const struct model *m)
{
	struct esptun_selector s = { .family = (u8)m->family, .proto = (u8)m->proto };
	struct esptun_selector_side *side[2] = { &s.local, &s.remote };

	for (int i = 0; i < 2; i++) {
		if (m->family) {
			side[i]->first = number(m->first[i], m->family);
			side[i]->last = number(m->last[i], m->family);
		}
		side[i]->port = (u16)m->port[i];
	}
	return s;
}

/* ---- random selectors in a small world, so that they meet -------------------------------- */

static const wide base4 = 0x0a010000, base6 = (wide)0xfd00000100000000ull << 64;

/* Few addresses, on both sides of the middle of a 128-bit number as well. */
static wide some_addr(int family)
{
	if (family == 4)
		return below(50) ? base4 + below(64) : (wide)(below(2) ? 0 : 0xffffffffu);
	switch (below(8)) {
	case 0:
		return base6 + ((wide)1 << 64) - 32 + below(64);
	case 1:
		return below(2) ? 0 : ~(wide)0;
	default:
		return base6 + below(64);
	}
}

static int some_proto(void)
{
	static const int protos[] = { 6, 17, 132, 1, 58, 47 };

	return protos[below(sizeof(protos) / sizeof(protos[0]))];
}

static int some_port(void)
{
	static const int ports[] = { 53, 80, 500, 65535 };

	return ports[below(4)];
}

static void some_range(struct model *m, int i)
{
	wide a = some_addr(m->family), b = some_addr(m->family);

	switch (below(4)) {
	case 0:							/* one address */
		b = a;
		break;
	case 1:							/* a prefix */
		b = (wide)((1u << below(7)) - 1);
		a &= ~b;
		b |= a;
		break;
	case 2:							/* everything */
		a = 0;
		b = m->family == 4 ? (wide)0xffffffffu : ~(wide)0;
		break;
	default:						/* any range */
		break;
	}
	m->first[i] = a < b ? a : b;
	m->last[i] = a < b ? b : a;
}

static struct model some_selector(void)
{
	struct model m = { .family = below(8) ? below(3) ? 4 : 6 : 0 };

	for (int i = 0; i < 2 && m.family; i++)
		some_range(&m, i);
	if (below(2))
		m.proto = some_proto();
	for (int i = 0; i < 2 && has_ports(m.proto); i++)
		m.port[i] = below(3) ? 0 : some_port();
	return m;
}

/* ---- random packets from a description ---------------------------------------------------- */

struct packet {
	uint8_t octets[2048];
	size_t len;
	bool out;
	struct facts facts;
};

static void put16(uint8_t *p, unsigned int n)
{
	p[0] = (uint8_t)(n >> 8);
	p[1] = (uint8_t)n;
}

static void noise(uint8_t *p, size_t n)
{
	while (n--)
		*p++ = (uint8_t)rnd();
}

/* What is above IP, and what it shows if it is there at all and not in another fragment. */
static void put_upper(struct packet *p, int proto, bool later)
{
	int port[2] = { some_port(), below(4) ? some_port() : (int)below(65536) };
	size_t n = below(3) ? 20 : below(8);

	p->facts.proto = proto;
	noise(p->octets + p->len, n);
	if (n >= 4) {
		put16(p->octets + p->len, (unsigned int)port[p->out ? 0 : 1]);
		put16(p->octets + p->len + 2, (unsigned int)port[p->out ? 1 : 0]);
	}
	for (int i = 0; i < 2; i++)
		p->facts.port[i] = has_ports(proto) && !later && n >= 4 ? port[i] : -1;
	p->len += n;
}

static void put_addresses(struct packet *p, size_t at)
{
	size_t n = p->facts.family == 4 ? 4 : 16;

	for (int i = 0; i < 2; i++)
		p->facts.addr[i] = some_addr(p->facts.family);
	octets_of(p->facts.addr[p->out ? 0 : 1], p->facts.family, p->octets + at);
	octets_of(p->facts.addr[p->out ? 1 : 0], p->facts.family, p->octets + at + n);
}

static void make4(struct packet *p)
{
	size_t ihl = below(3) ? 20 : 20 + 4 * below(11);
	unsigned int offset = below(4) ? 0 : (unsigned int)below(2) * (1 + (unsigned int)below(8191));
	int proto = some_proto();

	p->facts.family = 4;
	noise(p->octets, ihl);
	p->octets[0] = (uint8_t)(0x40 | ihl / 4);
	put16(p->octets + 6, (unsigned int)below(8) << 13 | offset);
	p->octets[9] = (uint8_t)proto;
	put_addresses(p, 12);
	p->len = ihl;
	put_upper(p, proto, offset);
}

/* One extension header; *later is set by a fragment header that is not the first one's. */
static void put_extension(struct packet *p, int kind, int next, bool *later)
{
	uint8_t *h = p->octets + p->len;
	size_t n = 8 * (1 + below(3)), offset;

	if (kind == 44)
		n = 8;
	else if (kind == 51)
		n = 4 * (2 + below(6));
	noise(h, n);
	h[0] = (uint8_t)next;
	if (kind == 44) {
		offset = below(3) ? 0 : below(4) ? 1 + below(8191) : 1;
		put16(h + 2, (unsigned int)(offset << 3 | below(8)));
		*later = offset;
	} else {
		h[1] = (uint8_t)(kind == 51 ? n / 4 - 2 : n / 8 - 1);
	}
	p->len += n;
}

static void make6(struct packet *p)
{
	static const int kinds[] = { 0, 43, 60, 44, 51 };
	int chain[6], proto = some_proto();
	size_t n = below(2) ? 0 : below(6), i;
	bool later = false;

	for (i = 0; i < n; i++)
		chain[i] = kinds[below(5)];
	p->facts.family = 6;
	noise(p->octets, 40);
	p->octets[0] = (uint8_t)(0x60 | below(16));
	p->octets[6] = (uint8_t)(n ? chain[0] : proto);
	put_addresses(p, 8);
	p->len = 40;
	for (i = 0; i < n && !later; i++)
		put_extension(p, chain[i], i + 1 < n ? chain[i + 1] : proto, &later);
	if (i < n) {					/* the rest of the chain is in the first fragment */
		noise(p->octets + p->len, 64);
		p->len += 64;
		p->facts.proto = p->facts.port[0] = p->facts.port[1] = -1;
		return;
	}
	put_upper(p, proto, later);
}

static void make_packet(struct packet *p)
{
	p->out = below(2);
	if (below(2))
		make4(p);
	else
		make6(p);
}

/* ---- reading packets ------------------------------------------------------------------------ */

/* In memory of exactly its length. */
static bool read_flow(const struct packet *p, size_t len, struct esptun_flow *flow)
{
	uint8_t *exact = malloc(len ? len : 1);
	bool ok;

	assert_non_null(exact);
	memcpy(exact, p->octets, len);
	ok = esptun_selector_flow(exact, (unsigned int)len, p->out, flow);
	free(exact);
	return ok;
}

static bool same_facts(const struct esptun_flow *flow, const struct facts *f)
{
	struct esptun_ipnum local = number(f->addr[0], f->family), remote = number(f->addr[1], f->family);

	return flow->family == f->family && !esptun_ipnum_cmp(&flow->local, &local) &&
	       !esptun_ipnum_cmp(&flow->remote, &remote) && flow->has_proto == (f->proto >= 0) &&
	       (f->proto < 0 || flow->proto == f->proto) && flow->has_ports == (f->port[0] >= 0) &&
	       (f->port[0] < 0 || (flow->local_port == f->port[0] && flow->remote_port == f->port[1]));
}

static void packets_are_read(void **state)
{
	unsigned long hidden = 0, portless = 0;
	struct esptun_flow flow;
	struct packet p;

	(void)state;
	random_begin(1);
	for (long i = 0; i < PACKETS; i++) {
		make_packet(&p);
		if (!read_flow(&p, p.len, &flow) || !same_facts(&flow, &p.facts))
			fail_msg("packet %ld: IPv%d protocol %d ports %d %d read as IPv%u protocol %u (%d) ports %u %u (%d) (SELECTOR_SEED=%llu)",
				 i, p.facts.family, p.facts.proto, p.facts.port[0], p.facts.port[1], flow.family,
				 flow.proto, flow.has_proto, flow.local_port, flow.remote_port, flow.has_ports,
				 (unsigned long long)seed_used);
		hidden += p.facts.proto < 0;
		portless += p.facts.port[0] < 0;
	}
	assert_true(hidden > PACKETS / 200);
	assert_true(portless > PACKETS / 20 && portless < PACKETS);
}

/* Of a part of a packet nothing is seen that is not in it, and nothing wrong. */
static void cut_packets_show_less(void **state)
{
	struct esptun_flow flow;
	struct facts seen;
	struct packet p;
	size_t len;

	(void)state;
	random_begin(2);
	for (long i = 0; i < PACKETS; i++) {
		make_packet(&p);
		len = below(p.len + 1);
		if (!read_flow(&p, len, &flow)) {
			assert_true(len < (p.facts.family == 4 ? 20 : 40));
			continue;
		}
		seen = p.facts;
		if (!flow.has_proto)
			seen.proto = -1;
		if (!flow.has_ports)
			seen.port[0] = seen.port[1] = -1;
		assert_true(same_facts(&flow, &seen));
	}
}

static void noise_is_survived(void **state)
{
	struct esptun_flow flow;
	struct packet p;
	unsigned long read = 0;

	(void)state;
	random_begin(3);
	for (long i = 0; i < PACKETS; i++) {
		p.len = below(ESPTUN_FLOW_HEAD + 1);
		p.out = below(2);
		noise(p.octets, p.len);
		if (p.len && below(8))
			p.octets[0] = (uint8_t)((below(2) ? 0x40 : 0x60) | (p.octets[0] & 15));
		if (p.len > 6 && below(2))
			p.octets[6] = (uint8_t[]){ 0, 43, 44, 51, 60 }[below(5)];
		read += read_flow(&p, p.len, &flow);
	}
	assert_true(read > PACKETS / 4);
}

/* ---- matching --------------------------------------------------------------------------------- */

static void matching_is_membership(void **state)
{
	unsigned long verdicts[2] = { 0, 0 };
	struct esptun_selector s;
	struct esptun_flow flow;
	struct packet p;
	struct model m;
	bool want;

	(void)state;
	random_begin(4);
	for (long i = 0; i < PACKETS; i++) {
		make_packet(&p);
		m = some_selector();
		s = selector(&m);
		assert_null(esptun_selector_check(&s));
		assert_true(read_flow(&p, p.len, &flow));
		want = model_permits(&m, &p.facts);
		if (esptun_selector_permits(&s, &flow) != want)
			fail_msg("packet %ld: the reference says %d (SELECTOR_SEED=%llu)", i, want,
				 (unsigned long long)seed_used);
		verdicts[want]++;
	}
	assert_true(verdicts[0] > PACKETS / 10 && verdicts[1] > PACKETS / 20);
}

static int by_order(const void *a, const void *b)
{
	struct esptun_selector x = selector(a), y = selector(b);

	return esptun_selector_order(&x, &y);
}

/* Sorted as a device has them, the first that permits a packet covers no other one that does. */
static void first_in_order_is_longest_match(void **state)
{
	unsigned long found = 0, several = 0;
	struct model set[24];
	struct packet p;

	(void)state;
	random_begin(5);
	for (long i = 0; i < SETS; i++) {
		size_t n = 1 + below(24), first = 0, matching = 0;

		for (size_t k = 0; k < n; k++)
			set[k] = some_selector();
		qsort(set, n, sizeof(set[0]), by_order);
		make_packet(&p);
		for (size_t k = n; k-- > 0;) {
			struct esptun_selector s = selector(&set[k]);
			struct esptun_flow flow;

			assert_true(read_flow(&p, p.len, &flow));
			if (!esptun_selector_permits(&s, &flow))
				continue;
			first = k;
			matching++;
		}
		for (size_t k = 0; k < n && matching; k++)
			if (model_permits(&set[k], &p.facts) && !model_same(&set[k], &set[first]) &&
			    model_covers(&set[first], &set[k]))
				fail_msg("set %ld: %zu was taken although %zu is more specific (SELECTOR_SEED=%llu)",
					 i, first, k, (unsigned long long)seed_used);
		found += matching > 0;
		several += matching > 1;
	}
	assert_true(found > SETS / 4 && several > SETS / 10);
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void order_is_total(void **state)
{
	unsigned long same = 0;

	(void)state;
	random_begin(6);
	for (long i = 0; i < PACKETS; i++) {
		struct model m[3] = { some_selector(), some_selector(), some_selector() };
		struct esptun_selector a, b, c;

		if (!below(4))
			m[1] = m[0];
		a = selector(&m[0]);
		b = selector(&m[1]);
		c = selector(&m[2]);
		assert_int_equal(esptun_selector_order(&a, &a), 0);
		assert_int_equal(sign(esptun_selector_order(&a, &b)), -sign(esptun_selector_order(&b, &a)));
		assert_int_equal(!esptun_selector_order(&a, &b), model_same(&m[0], &m[1]));
		if (esptun_selector_order(&a, &b) <= 0 && esptun_selector_order(&b, &c) <= 0)
			assert_true(esptun_selector_order(&a, &c) <= 0);
		if (!model_same(&m[0], &m[1]) && model_covers(&m[1], &m[0]))
			assert_true(esptun_selector_order(&a, &b) < 0);
		same += model_same(&m[0], &m[1]);
	}
	assert_true(same > PACKETS / 8);
}

static void wrong_selectors_are_refused(void **state)
{
	struct esptun_selector s = { .family = 4, .proto = 17 };

	(void)state;
	esptun_selector_all(&s.local, 4);
	esptun_selector_all(&s.remote, 4);
	s.remote.port = 53;
	assert_null(esptun_selector_check(&s));
	assert_false(esptun_selector_is_any(&s));
	s.proto = 47;
	assert_string_equal(esptun_selector_check(&s), "sel-proto: a port needs a protocol that has ports");
	s.proto = 0;
	assert_non_null(esptun_selector_check(&s));
	s.remote.port = 0;
	s.remote.first.lo = 10;
	s.remote.last.lo = 9;
	assert_string_equal(esptun_selector_check(&s), "sel-remote: the range ends before it begins");
	s.remote.last.lo = 10;
	s.local.first.hi = 1;
	assert_string_equal(esptun_selector_check(&s), "sel-local: the range ends before it begins");
	memset(&s, 0, sizeof(s));
	assert_null(esptun_selector_check(&s));
	assert_true(esptun_selector_is_any(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_are_read),
		cmocka_unit_test(cut_packets_show_less),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test(matching_is_membership),
		cmocka_unit_test(first_in_order_is_longest_match),
		cmocka_unit_test(order_is_total),
		cmocka_unit_test(wrong_selectors_are_refused),
	};

	random_from_env("SELECTOR_SEED");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
