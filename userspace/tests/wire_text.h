/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages written as words, for scripts of tests:
 *
 *   N:00000001011006<ic>       payload type, a colon, its body in hexadecimal
 *   200:00                     the type may be a number, one that nobody knows too
 *   VID:(41*500)               a group of octets so many times
 *   FQDN-like text: "r1.example" stands for its octets
 *   SA:p1[1=7,14=128,2=4,3=1,4=14,11=1,12=86400]       phase 1 transforms as attribute=value
 *   SA:p2/SPI[20:6=128,4=1,1=1,2=3600]                 phase 2, ESP transform ID before the colon
 *
 * <NAME> is asked of the caller. Several transforms: [..][..].
 */
#ifndef ESPTUN_TESTS_WIRE_TEXT_H
#define ESPTUN_TESTS_WIRE_TEXT_H

#include "libike/msg.h"

/* The octets that <name> stands for into out, at most 16; their number, 0: no such name. */
typedef size_t wire_text_name(void *ctx, const char *name, uint8_t out[16]);

/* Appends octets written as above, without type. False: a mistake in the text. */
bool wire_text_octets(struct ike_wbuf *w, const char *text, wire_text_name *name, void *ctx);
/* Appends a payload. False: a mistake in the text. */
bool wire_text_payload(struct ike_msgw *w, const char *text, wire_text_name *name, void *ctx);
/* "KE", "NAT-D" or a number; -1: none. */
int wire_text_type(const char *text, size_t len);

#endif
