/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ISAKMP messages as a header and a list of payloads (RFC 2408 3.1, 3.2): parser with
 * the rules every payload must obey, and the writer that patches lengths and the next
 * payload chain. Does not know exchanges, keys or what is inside a payload.
 */
#ifndef LIBIKE_MSG_H
#define LIBIKE_MSG_H

#include "buf.h"
#include "ike.h"
#include "wire.h"

struct ike_hdr {
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];
	uint8_t next;		/* type of the first payload */
	uint8_t exchange;
	uint8_t flags;
	uint32_t msgid;
	uint32_t len;		/* of the whole message; equals the datagram's */
};

/* 0, or -IKE_E_PARSE with *why set to a static sentence. */
int ike_hdr_parse(const void *data, size_t len, struct ike_hdr *h, const char **why);

/* Points into the message it was parsed from. */
struct ike_payload {
	uint8_t type;
	const uint8_t *body;	/* without the generic header */
	size_t len;
};

struct ike_msg {
	struct ike_hdr hdr;
	const uint8_t *data;	/* the whole message in clear */
	size_t end;		/* offset behind the last payload; padding may follow */
	unsigned int n;
	struct ike_payload p[IKE_MAX_PAYLOADS];
};

/*
 * Walk the payload chain of a message in clear (or decrypted, then 'encrypted' is true and
 * padding up to the end is allowed). Each payload is checked against the least and largest
 * length of its type. 0, or -IKE_E_PARSE with *why set to a static sentence.
 */
int ike_msg_parse(struct ike_msg *m, const struct ike_hdr *h, const uint8_t *data, size_t len,
		  bool encrypted, const char **why);
/* First payload of that type, or NULL. */
const struct ike_payload *ike_msg_find(const struct ike_msg *m, uint8_t type);
unsigned int ike_msg_count(const struct ike_msg *m, uint8_t type);
/* A type this library has a name for; others are skipped wherever they appear. */
bool ike_payload_known(uint8_t type);

/* Bit for sets of payload types in step tables. */
#define IKE_P(name) (1u << ISAKMP_NPTYPE_##name)

struct ike_msgw {
	struct ike_wbuf b;
	size_t next_at;		/* offset of the octet that names the next payload */
	size_t open_at;		/* offset of the open payload's header; 0: none */
};

/* Start a message; h->next and h->len are filled in later. */
void ike_msgw_begin(struct ike_msgw *w, const struct ike_hdr *h);
/* Payloads are written with ike_put*(&w->b, ...) between open and close. */
void ike_msgw_open(struct ike_msgw *w, uint8_t type);
void ike_msgw_close(struct ike_msgw *w);
void ike_msgw_payload(struct ike_msgw *w, uint8_t type, const void *body, size_t len);
/* Pad with zero octets to a multiple of block (0: none) and set the header's length. */
void ike_msgw_finish(struct ike_msgw *w, size_t block);

#endif
