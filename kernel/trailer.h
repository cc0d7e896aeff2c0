/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ESP trailer of a decrypted packet (RFC 4303 2.4 to 2.6, 3.4.4.1). Pure arithmetic on
 * octets: no packet, no kernel call; compiled into userspace tests as well. Whether the
 * octets are authentic is not its business.
 */
#ifndef _ESPTUN_TRAILER_H
#define _ESPTUN_TRAILER_H

#include "pure.h"

#define ESPTUN_ESP_TRAILER 2	/* pad length and next header */

/**
 * esptun_trailer_take - look at the end of a decrypted text
 * @text: inner packet, padding, pad length, next header
 * @len: in: octets in @text, at least %ESPTUN_ESP_TRAILER; out: those of the inner packet,
 *	unchanged if the trailer is wrong
 *
 * Return: the next header, or -1 if the padding is longer than what is there or is not
 * 1, 2, 3, ...
 */
static inline int esptun_trailer_take(const u8 *text, unsigned int *len)
{
	const u8 *end = text + *len - ESPTUN_ESP_TRAILER;
	unsigned int pad = end[0];
	unsigned int i;

	if (pad + ESPTUN_ESP_TRAILER > *len)
		return -1;
	for (i = 0; i < pad; i++)
		if (end[(int)i - (int)pad] != i + 1)
			return -1;
	*len -= pad + ESPTUN_ESP_TRAILER;
	return end[1];
}

#endif /* _ESPTUN_TRAILER_H */
