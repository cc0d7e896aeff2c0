// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ISAKMP messages as they come from the network: header, payload chain, notify and delete.
 * What parses is written again and parses to the same.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "libike/msg.h"
#include "libike/payload.h"

static bool inside(const struct ike_msg *m, const void *p, size_t len)
{
	const uint8_t *at = p;

	return at >= m->data && at + len <= m->data + m->end;
}

static void check_notify(const struct ike_msg *m, const struct ike_payload *p)
{
	struct ike_notify n, again;
	struct ike_payload copy;
	struct ike_hdr h = { .exchange = ISAKMP_XCHG_INFO };
	struct ike_msgw w;

	if (ike_notify_decode(p, &n))
		return;
	FUZZ_CHECK(inside(m, n.spi, n.spi_len) && inside(m, n.data, n.len));
	ike_msgw_begin(&w, &h);
	ike_notify_encode(&w, &n);
	ike_msgw_finish(&w, 0);
	FUZZ_CHECK(!w.b.bad && w.b.len == ISAKMP_HDR_LEN + ISAKMP_GENERIC_LEN + p->len);
	copy = (struct ike_payload){ p->type, w.b.data + ISAKMP_HDR_LEN + ISAKMP_GENERIC_LEN, p->len };
	FUZZ_CHECK(!ike_notify_decode(&copy, &again));
	FUZZ_CHECK(again.type == n.type && again.spi_len == n.spi_len && again.len == n.len &&
		   !memcmp(copy.body, p->body, p->len));
	ike_wbuf_free(&w.b);
}

static void check_delete(const struct ike_msg *m, const struct ike_payload *p)
{
	struct ike_delete d;

	if (!ike_delete_decode(p, &d))
		FUZZ_CHECK(inside(m, d.spis, (size_t)d.count * d.spi_len));
}

static void check_payloads(const struct ike_msg *m)
{
	for (unsigned int i = 0; i < m->n; i++) {
		const struct ike_payload *p = &m->p[i];

		FUZZ_CHECK(inside(m, p->body, p->len));
		fuzz_touch(p->body, p->len);
		FUZZ_CHECK(ike_msg_count(m, p->type) >= 1);
		if (p->type == ISAKMP_NPTYPE_N)
			check_notify(m, p);
		if (p->type == ISAKMP_NPTYPE_D)
			check_delete(m, p);
	}
}

static void check_again(const struct ike_msg *m)
{
	const char *why = NULL;
	struct ike_msgw w;
	struct ike_hdr h;
	struct ike_msg again;

	ike_msgw_begin(&w, &m->hdr);
	for (unsigned int i = 0; i < m->n; i++)
		ike_msgw_payload(&w, m->p[i].type, m->p[i].body, m->p[i].len);
	ike_msgw_finish(&w, 0);
	FUZZ_CHECK(!w.b.bad && w.b.len == m->end);
	FUZZ_CHECK(!ike_hdr_parse(w.b.data, w.b.len, &h, &why));
	FUZZ_CHECK(!ike_msg_parse(&again, &h, w.b.data, w.b.len, false, &why));
	FUZZ_CHECK(again.n == m->n && again.end == m->end);
	for (unsigned int i = 0; i < m->n; i++)
		FUZZ_CHECK(again.p[i].type == m->p[i].type && again.p[i].len == m->p[i].len &&
			   !memcmp(again.p[i].body, m->p[i].body, m->p[i].len));
	ike_wbuf_free(&w.b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *why = NULL;
	struct ike_hdr h;
	struct ike_msg m;

	if (ike_hdr_parse(data, len, &h, &why)) {
		FUZZ_CHECK(why && *why);
		return 0;
	}
	FUZZ_CHECK(h.len == len);
	for (int encrypted = 0; encrypted < 2; encrypted++) {
		why = NULL;
		if (ike_msg_parse(&m, &h, data, len, encrypted, &why)) {
			FUZZ_CHECK(why && *why);
			continue;
		}
		FUZZ_CHECK(m.end <= len && m.n <= IKE_MAX_PAYLOADS);
		check_payloads(&m);
		check_again(&m);
	}
	return 0;
}
