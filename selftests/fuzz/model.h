/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to become of a received packet, said as naively as the RFCs say it: RFC 4303
 * 3.4 (lengths, window, trailer), appendix A (extended numbers), RFC 6040 4.2 (ECN).
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "fuzz.h"

/**
 * struct fate - what becomes of a packet
 * @counter: the counter that moves by one, NULL if none does
 * @data: what is delivered if @len is not 0
 */
struct fate {
	const char *counter;
	uint8_t data[MAX_PACKET + 1];
	size_t len;
};

/**
 * model_receive - the fate of one ESP packet for an SA of ours, from and to the right address
 * @sa: the SA; its window changes if the packet is good
 * @esp: the packet from the SPI on
 * @seq: the number it was sealed with
 * @text: what was sealed, NULL if the packet does not authenticate
 * @tos: of the outer header
 */
void model_receive(struct sa *sa, const uint8_t *esp, size_t len, uint64_t seq,
		   const uint8_t *text, uint8_t tos, struct fate *fate);

#endif
