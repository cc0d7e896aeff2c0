/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of options. Each function reads one text to one destination and returns NULL, or
 * what it expected as words that fit behind "expected". Pure; whole text or nothing.
 */
#ifndef ESPTUN_CLI_PARSE_H
#define ESPTUN_CLI_PARSE_H

const char *cli_parse_text(const char *text, void *dst);	/* const char *, not empty */
const char *cli_parse_flag(const char *text, void *dst);	/* bool, true */
const char *cli_parse_onoff(const char *text, void *dst);	/* bool */
const char *cli_parse_updown(const char *text, void *dst);	/* bool, from the word itself */
const char *cli_parse_u32(const char *text, void *dst);		/* uint32_t, decimal or 0x */
const char *cli_parse_u64(const char *text, void *dst);		/* uint64_t */
const char *cli_parse_mtu(const char *text, void *dst);		/* uint32_t, 68..65535 */
const char *cli_parse_ttl(const char *text, void *dst);		/* uint8_t, 0 for inherit */
const char *cli_parse_tos(const char *text, void *dst);		/* uint8_t, 1 for inherit */
const char *cli_parse_addr(const char *text, void *dst);	/* struct esptun_addr */
const char *cli_parse_local(const char *text, void *dst);	/* the same; "any" is 0.0.0.0 */
const char *cli_parse_spi(const char *text, void *dst);		/* uint32_t, 256.. */
const char *cli_parse_window(const char *text, void *dst);	/* uint32_t, 0 or 32..4096 */
const char *cli_parse_dir(const char *text, void *dst);		/* enum esptun_dir */
const char *cli_parse_encr(const char *text, void *dst);	/* enum esptun_encr */
const char *cli_parse_auth(const char *text, void *dst);	/* enum esptun_auth */
const char *cli_parse_encap(const char *text, void *dst);	/* enum esptun_encap */
const char *cli_parse_keepalive(const char *text, void *dst);	/* uint32_t */
const char *cli_parse_tunnel_id(const char *text, void *dst);	/* uint32_t */
const char *cli_parse_state(const char *text, void *dst);	/* enum esptun_sa_state, pending or active */
const char *cli_parse_cookie(const char *text, void *dst);	/* struct esptun_sa's cookie */

/** cli_parse_hex() - hex digits, an even number, 0x in front allowed. Return: octets, -1 if it is
 * not hex, -2 if there are more than @room
 */
int cli_parse_hex(const char *text, unsigned char *octets, int room);

#endif /* ESPTUN_CLI_PARSE_H */
