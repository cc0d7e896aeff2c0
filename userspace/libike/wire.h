/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers of ISAKMP (RFC 2408), IKE (RFC 2409) and the IPsec DOI (RFC 2407), with the
 * IANA additions we use. Those that appear in logs are X-macros, from which names.c
 * makes its tables. Only numbers here: no types of ours, no code.
 */
#ifndef LIBIKE_WIRE_H
#define LIBIKE_WIRE_H

/*
 * ISAKMP header, RFC 2408 3.1
 *
 *                      1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-------------------------------+-------------------------------+
 * |                     initiator cookie (8)                      |
 * |                     responder cookie (8)                      |
 * +---------------+-------+-------+---------------+---------------+
 * | next payload  | major | minor | exchange type |     flags     |
 * +---------------+-------+-------+---------------+---------------+
 * |                          message ID                           |
 * |                    length, header included                    |
 * +---------------------------------------------------------------+
 *
 * Generic payload header, RFC 2408 3.2
 *
 * | next payload  |   reserved    |   length, this header incl.   |
 */
#define ISAKMP_HDR_LEN 28
#define ISAKMP_GENERIC_LEN 4
#define ISAKMP_VERSION 0x10		/* major 1, minor 0 */
#define ISAKMP_FLAG_ENCRYPTION 0x01
#define ISAKMP_FLAG_COMMIT 0x02
#define ISAKMP_FLAG_AUTH_ONLY 0x04

/* Payload types, RFC 2408 3.1 and RFC 3947. */
#define IKE_PAYLOADS(X) \
	X(ISAKMP_NPTYPE_SA, 1, "SA") \
	X(ISAKMP_NPTYPE_P, 2, "P") \
	X(ISAKMP_NPTYPE_T, 3, "T") \
	X(ISAKMP_NPTYPE_KE, 4, "KE") \
	X(ISAKMP_NPTYPE_ID, 5, "ID") \
	X(ISAKMP_NPTYPE_CERT, 6, "CERT") \
	X(ISAKMP_NPTYPE_CR, 7, "CR") \
	X(ISAKMP_NPTYPE_HASH, 8, "HASH") \
	X(ISAKMP_NPTYPE_SIG, 9, "SIG") \
	X(ISAKMP_NPTYPE_NONCE, 10, "NONCE") \
	X(ISAKMP_NPTYPE_N, 11, "N") \
	X(ISAKMP_NPTYPE_D, 12, "D") \
	X(ISAKMP_NPTYPE_VID, 13, "VID") \
	X(ISAKMP_NPTYPE_ATTR, 14, "ATTR") \
	X(ISAKMP_NPTYPE_NATD, 20, "NAT-D") \
	X(ISAKMP_NPTYPE_NATOA, 21, "NAT-OA")
#define ISAKMP_NPTYPE_NONE 0
/* Private use: NAT-D of the drafts that became RFC 3947; a fragment of Cisco's and Microsoft's kind. */
#define IKE_NPTYPE_NATD_DRAFT 130
#define IKE_NPTYPE_FRAGMENT 132

/* Exchange types, RFC 2408 3.1 and RFC 2409 Appendix A. */
#define IKE_EXCHANGES(X) \
	X(ISAKMP_XCHG_BASE, 1, "base") \
	X(ISAKMP_XCHG_MAIN, 2, "main") \
	X(ISAKMP_XCHG_AUTH_ONLY, 3, "auth-only") \
	X(ISAKMP_XCHG_AGGRESSIVE, 4, "aggressive") \
	X(ISAKMP_XCHG_INFO, 5, "informational") \
	X(ISAKMP_XCHG_TRANSACTION, 6, "transaction") \
	X(ISAKMP_XCHG_QUICK, 32, "quick") \
	X(ISAKMP_XCHG_NEW_GROUP, 33, "new-group")

/* Notify message types, RFC 2408 3.14.1 and RFC 2407 4.6.3. */
#define IKE_NOTIFIES(X) \
	X(IKE_N_INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE") \
	X(IKE_N_DOI_NOT_SUPPORTED, 2, "DOI-NOT-SUPPORTED") \
	X(IKE_N_SITUATION_NOT_SUPPORTED, 3, "SITUATION-NOT-SUPPORTED") \
	X(IKE_N_INVALID_COOKIE, 4, "INVALID-COOKIE") \
	X(IKE_N_INVALID_MAJOR_VERSION, 5, "INVALID-MAJOR-VERSION") \
	X(IKE_N_INVALID_MINOR_VERSION, 6, "INVALID-MINOR-VERSION") \
	X(IKE_N_INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE") \
	X(IKE_N_INVALID_FLAGS, 8, "INVALID-FLAGS") \
	X(IKE_N_INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID") \
	X(IKE_N_INVALID_PROTOCOL_ID, 10, "INVALID-PROTOCOL-ID") \
	X(IKE_N_INVALID_SPI, 11, "INVALID-SPI") \
	X(IKE_N_INVALID_TRANSFORM_ID, 12, "INVALID-TRANSFORM-ID") \
	X(IKE_N_ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED") \
	X(IKE_N_NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN") \
	X(IKE_N_BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX") \
	X(IKE_N_PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED") \
	X(IKE_N_INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION") \
	X(IKE_N_INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION") \
	X(IKE_N_INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING") \
	X(IKE_N_INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE") \
	X(IKE_N_CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED") \
	X(IKE_N_INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY") \
	X(IKE_N_INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION") \
	X(IKE_N_AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED") \
	X(IKE_N_INVALID_SIGNATURE, 25, "INVALID-SIGNATURE") \
	X(IKE_N_ADDRESS_NOTIFICATION, 26, "ADDRESS-NOTIFICATION") \
	X(IKE_N_SA_LIFETIME, 27, "NOTIFY-SA-LIFETIME") \
	X(IKE_N_CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE") \
	X(IKE_N_UNSUPPORTED_EXCHANGE_TYPE, 29, "UNSUPPORTED-EXCHANGE-TYPE") \
	X(IKE_N_UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS") \
	X(IKE_N_CONNECTED, 16384, "CONNECTED") \
	X(IKE_N_RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME") \
	X(IKE_N_REPLAY_STATUS, 24577, "REPLAY-STATUS") \
	X(IKE_N_INITIAL_CONTACT, 24578, "INITIAL-CONTACT") \
	X(IKE_N_R_U_THERE, 36136, "R-U-THERE") \
	X(IKE_N_R_U_THERE_ACK, 36137, "R-U-THERE-ACK")
#define IKE_N_LAST_ERROR 8191		/* up to here a notify tells of an error, RFC 2408 3.14.1 */

#define IKE_IDTYPES(X) \
	X(1, "ipv4") \
	X(2, "fqdn") \
	X(3, "user-fqdn") \
	X(4, "ipv4-subnet") \
	X(5, "ipv6") \
	X(6, "ipv6-subnet") \
	X(7, "ipv4-range") \
	X(8, "ipv6-range") \
	X(9, "dn") \
	X(10, "asn1-gn") \
	X(11, "key-id")

#define IKE_ENUM_VALUE(sym, num, text) sym = num,
enum ike_payload_type { IKE_PAYLOADS(IKE_ENUM_VALUE) };
enum ike_exchange_type { IKE_EXCHANGES(IKE_ENUM_VALUE) };
enum ike_notify_type { IKE_NOTIFIES(IKE_ENUM_VALUE) };
#undef IKE_ENUM_VALUE

#define IKE_DOI_ISAKMP 0
#define IKE_DOI_IPSEC 1
#define IKE_SIT_IDENTITY_ONLY 1

/* Protocol IDs, RFC 2407 4.4.1. */
#define IKE_PROTO_ISAKMP 1
#define IKE_PROTO_AH 2
#define IKE_PROTO_ESP 3

#define IKE_TRANSFORM_KEY_IKE 1		/* RFC 2407 4.4.2.1 */

/* Attribute format bit: set for type/value, clear for type/length/value. RFC 2408 3.3. */
#define IKE_ATTR_TV 0x8000

/* Phase 1 attributes, RFC 2409 Appendix A. */
enum {
	IKE_P1A_ENCRYPTION = 1,
	IKE_P1A_HASH = 2,
	IKE_P1A_AUTH = 3,
	IKE_P1A_GROUP = 4,
	IKE_P1A_LIFE_TYPE = 11,
	IKE_P1A_LIFE_DURATION = 12,
	IKE_P1A_KEY_LENGTH = 14,
};

/* Phase 2 attributes, RFC 2407 4.5 and RFC 4304 (ESN). */
enum {
	IKE_P2A_LIFE_TYPE = 1,
	IKE_P2A_LIFE_DURATION = 2,
	IKE_P2A_GROUP = 3,
	IKE_P2A_ENCAP_MODE = 4,
	IKE_P2A_AUTH = 5,
	IKE_P2A_KEY_LENGTH = 6,
	IKE_P2A_ESN = 11,
};

#define IKE_LIFE_SECONDS 1
#define IKE_LIFE_KILOBYTES 2
#define IKE_LIFE_MIN 10			/* seconds; less is taken from nobody: it would be negotiating without pause */
#define IKE_LIFE_DEFAULT 28800		/* seconds when no lifetime is sent, RFC 2407 4.5 */
#define IKE_ENCAP_TUNNEL 1
#define IKE_ENCAP_UDP_TUNNEL 3		/* RFC 3947 5.1 */
#define IKE_ENCAP_UDP_TUNNEL_DRAFT 61443
#define IKE_ESN_64 1			/* "64-bit sequence number", RFC 4304 2 */

/* Authentication methods, RFC 2409 Appendix A and RFC 4754; private ones of the XAUTH and hybrid drafts. */
#define IKE_AUTHS(X) \
	X(1, "psk") \
	X(2, "dss") \
	X(3, "rsa") \
	X(4, "rsa-encryption") \
	X(5, "rsa-encryption-revised") \
	X(9, "ecdsa256") \
	X(10, "ecdsa384") \
	X(11, "ecdsa521") \
	X(64221, "hybrid-init-rsa") \
	X(64222, "hybrid-resp-rsa") \
	X(65001, "xauth-init-psk") \
	X(65002, "xauth-resp-psk") \
	X(65005, "xauth-init-rsa") \
	X(65006, "xauth-resp-rsa")
#define IKE_AUTH_PSK 1
#define IKE_AUTH_RSA_SIG 3
#define IKE_AUTH_ECDSA_256 9
#define IKE_AUTH_ECDSA_384 10
#define IKE_AUTH_ECDSA_521 11
/* draft-beaulieu-ike-xauth-02 4.2: + 0 when the initiator is asked who it is, + 1 when the responder is. */
#define IKE_AUTH_XAUTH_PSK 65001
#define IKE_AUTH_XAUTH_DSS 65003
#define IKE_AUTH_XAUTH_RSA 65005
#define IKE_AUTH_XAUTH_LAST 65010

#define IKE_ENCR_3DES 5
#define IKE_ENCR_AES 7
#define IKE_HASH_MD5 1
#define IKE_HASH_SHA1 2
#define IKE_HASH_SHA256 4
#define IKE_HASH_SHA384 5
#define IKE_HASH_SHA512 6

#define IKE_ESP_3DES 3
#define IKE_ESP_NULL 11
#define IKE_ESP_AES_CBC 12
#define IKE_ESP_AES_CTR 13
#define IKE_ESP_AES_CCM_8 14
#define IKE_ESP_AES_CCM_12 15
#define IKE_ESP_AES_CCM_16 16
#define IKE_ESP_AES_GCM_8 18
#define IKE_ESP_AES_GCM_12 19
#define IKE_ESP_AES_GCM_16 20
#define IKE_ESP_NULL_AES_GMAC 23

#define IKE_ESPAUTH_MD5 1
#define IKE_ESPAUTH_SHA1 2
#define IKE_ESPAUTH_SHA256 5
#define IKE_ESPAUTH_SHA384 6
#define IKE_ESPAUTH_SHA512 7
#define IKE_ESPAUTH_AES_XCBC 9
#define IKE_ESPAUTH_PRIVATE 61440	/* from here on: private use */
/* Ours alone, never on the wire: there it is SHA256, which peers of this kind cut to 96 bits. */
#define IKE_ESPAUTH_SHA256_96 61445

/* Bounds of our own: what a peer may make us take in. */
#define IKE_DATAGRAM_MAX 16384		/* octets */
#define IKE_MAX_PAYLOADS 48		/* in one message */
#define IKE_MAX_OFFERED 32		/* proposals in an SA payload */
#define IKE_MAX_TRANSFORMS 64		/* in all proposals of an SA payload */
#define IKE_MAX_ATTRS 16		/* in one transform */
#define IKE_NONCE_MIN 8			/* RFC 2409 5 */
#define IKE_NONCE_MAX 256
#define IKE_NONCE_LEN 32		/* of ours */
#define IKE_SPI_MIN 256			/* RFC 4303 2.1: below is reserved */

#endif
