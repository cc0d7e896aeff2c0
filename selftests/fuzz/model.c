// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reference model of receiving, see model.h. Slow and plain on purpose, and written
 * from the RFCs: it shares nothing with the module.
 */
#include <string.h>
#include "esp.h"
#include "ip.h"
#include "model.h"

#define NEXT_IPV4	4
#define NEXT_IPV6	41
#define NEXT_NONE	59

static bool seen(const struct sa *sa, uint64_t seq)
{
	return seq <= sa->begin || sa->seen[seq % SEEN] == seq;
}

/* RFC 4303 appendix A: of all numbers with this lower half the one nearest to the window. */
static bool infer(const struct sa *sa, uint32_t lo, uint64_t *seq)
{
	uint64_t high = sa->top >> 32, round = (uint64_t)1 << 32;
	/* The left edge may lie before zero: one round is added on both sides. */
	uint64_t left = sa->top + round - sa->window + 1;

	*seq = high * round + lo + round;
	/* The first number with this lower half that is not left of the window ... */
	while (*seq >= left + round)
		*seq -= round;
	while (*seq < left)
		*seq += round;
	if (*seq < round)
		return false;
	*seq -= round;
	return true;
}

static const char *window(const struct sa *sa, uint32_t lo, uint64_t *seq)
{
	*seq = lo;
	if (sa->esn && !infer(sa, lo, seq))
		return "rx_replay_old";
	if (!*seq)
		return "rx_replay_zero";
	if (*seq + sa->window <= sa->top)
		return "rx_replay_old";
	return seen(sa, *seq) ? "rx_replay_dup" : NULL;
}

static void enter_window(struct sa *sa, uint64_t seq)
{
	sa->seen[seq % SEEN] = seq;
	if (seq > sa->top)
		sa->top = seq;
}

/* Length of the packet that begins at @p; 0 if it is none. */
static size_t whole4(const uint8_t *p, size_t len)
{
	size_t total;

	if (len < IP4 || p[0] >> 4 != 4 || (p[0] & 15) < 5)
		return 0;
	total = get16(p + 2);
	return total < (size_t)(p[0] & 15) * 4 || total > len ? 0 : total;
}

static size_t whole6(const uint8_t *p, size_t len)
{
	size_t total;

	if (len < IP6 || p[0] >> 4 != 6)
		return 0;
	total = get16(p + 4) + (size_t)IP6;
	return total > len ? 0 : total;
}

/* RFC 6040 figure 4. Returns the inner field afterwards, -1 for "drop". */
static int ecn(unsigned int outer, unsigned int inner)
{
	/* Rows: inner Not-ECT, ECT(1), ECT(0), CE; columns: outer the same. */
	static const int table[4][4] = {
		{ 0, 0, 0, -1 }, { 1, 1, 1, 3 }, { 2, 1, 2, 3 }, { 3, 3, 3, 3 },
	};

	return table[inner & 3][outer & 3];
}

static const char *deliver(struct fate *fate, uint8_t next, uint8_t tos)
{
	uint8_t *p = fate->data;
	bool v4 = next == NEXT_IPV4;
	int now;

	if (next == NEXT_NONE)
		return "rx_dummy";
	if (!v4 && next != NEXT_IPV6)
		return "rx_bad_inner";
	fate->len = v4 ? whole4(p, fate->len) : whole6(p, fate->len);
	if (!fate->len)
		return "rx_bad_inner";
	now = ecn(tos, v4 ? p[1] : p[1] >> 4);
	if (now < 0)
		return "rx_ecn";
	if (!v4) {
		p[1] = (uint8_t)((p[1] & 0xcf) | now << 4);
	} else if (now != (p[1] & 3)) {
		/* The sender of such packets made the header's checksum a good one. */
		p[1] = (uint8_t)((p[1] & 0xfc) | now);
		ip4_refresh(p);
	}
	return NULL;
}

static const char *trailer(const uint8_t *text, size_t len, struct fate *fate)
{
	size_t pad = text[len - 2], i;

	if (pad + 2 > len)
		return "rx_bad_trailer";
	for (i = 0; i < pad; i++)
		if (text[len - 2 - pad + i] != i + 1)
			return "rx_bad_trailer";
	fate->len = len - 2 - pad;
	memcpy(fate->data, text, fate->len);
	return NULL;
}

static const char *receive(struct sa *sa, const uint8_t *esp, size_t len, uint64_t seq,
			   const uint8_t *text, uint8_t tos, struct fate *fate)
{
	size_t around = ESP_HEADER + sa->iv + sa->icv;
	const char *counter;
	uint64_t guess;

	if (len < 4)
		return NULL;		/* whose it is cannot be said: not ours */
	if (len < around + sa->block || (len - around) % sa->block)
		return "rx_too_short";
	counter = window(sa, get32(esp + 4), &guess);
	if (counter)
		return counter;
	if (!text || guess != seq)
		return "rx_icv_fail";
	enter_window(sa, seq);
	counter = trailer(text, len - around, fate);
	return counter ? counter : deliver(fate, text[len - around - 1], tos);
}

void model_receive(struct sa *sa, const uint8_t *esp, size_t len, uint64_t seq,
		   const uint8_t *text, uint8_t tos, struct fate *fate)
{
	fate->len = 0;
	fate->counter = receive(sa, esp, len, seq, text, tos, fate);
	if (fate->counter)
		fate->len = 0;
}
