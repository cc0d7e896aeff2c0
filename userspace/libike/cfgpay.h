/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes payload of transaction exchanges (draft-dukes-ike-mode-cfg-02 3.2), which mode
 * config and XAUTH share. Decoded values lead into the message. Nothing here acts on them.
 */
#ifndef LIBIKE_CFGPAY_H
#define LIBIKE_CFGPAY_H

#include "msg.h"

enum ike_cfg_type { IKE_CFG_REQUEST = 1, IKE_CFG_REPLY, IKE_CFG_SET, IKE_CFG_ACK };

/* draft-dukes-ike-mode-cfg-02 3.3.1 */
enum {
	IKE_CA_ADDRESS = 1,		/* INTERNAL_IP4_ADDRESS */
	IKE_CA_NETMASK = 2,
	IKE_CA_DNS = 3,
	IKE_CA_EXPIRY = 5,
	IKE_CA_VERSION = 7,		/* APPLICATION_VERSION */
};

/* draft-beaulieu-ike-xauth-02 6.2 */
enum {
	IKE_XA_TYPE = 16520,
	IKE_XA_USER = 16521,
	IKE_XA_PASSWORD = 16522,
	IKE_XA_PASSCODE = 16523,
	IKE_XA_MESSAGE = 16524,
	IKE_XA_CHALLENGE = 16525,
	IKE_XA_DOMAIN = 16526,
	IKE_XA_STATUS = 16527,
	IKE_XA_NEXT_PIN = 16528,
	IKE_XA_ANSWER = 16529,
};

#define IKE_XA_GENERIC 0		/* XAUTH_TYPE */

#define IKE_CFG_ATTRS_MAX 40

struct ike_cfg_attr {
	uint16_t type;			/* without the format bit */
	bool tv;			/* value and no data */
	uint16_t value;
	const uint8_t *data;
	size_t len;
};

struct ike_cfgpay {
	uint8_t type;			/* enum ike_cfg_type */
	uint16_t id;
	unsigned int n;
	struct ike_cfg_attr a[IKE_CFG_ATTRS_MAX];
};

/* 0, or -IKE_E_PARSE with *why set to a static sentence. */
int ike_cfgpay_decode(const struct ike_payload *p, struct ike_cfgpay *c, const char **why);
/* The first attribute of that type; NULL. */
const struct ike_cfg_attr *ike_cfgpay_find(const struct ike_cfgpay *c, uint16_t type);
/* About XAUTH, not about mode config. */
bool ike_cfgpay_is_xauth(const struct ike_cfgpay *c);

/* Writing a body: the head, then attributes. */
void ike_cfgpay_begin(struct ike_wbuf *w, enum ike_cfg_type type, uint16_t id);
void ike_cfgpay_put(struct ike_wbuf *w, uint16_t type, const void *data, size_t len);
void ike_cfgpay_put_value(struct ike_wbuf *w, uint16_t type, uint16_t value);

#endif
