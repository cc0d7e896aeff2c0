/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers to names, for logs and status, and the list of all log events. Names are
 * stable: scripts match them. Unknown numbers give "unknown"; callers print the number too.
 */
#ifndef LIBIKE_NAMES_H
#define LIBIKE_NAMES_H

const char *ike_name_payload(unsigned int type);
const char *ike_name_exchange(unsigned int type);
const char *ike_name_notify(unsigned int type);
const char *ike_name_id_type(unsigned int type);
const char *ike_name_auth(unsigned int method);

/* Events of struct ike_log: symbol, stable name; the comment says when. */
#define IKE_EVENTS(X) \
	X(IKE_EV_CONFIG, "config") /* configuration applied; per tunnel what changed */ \
	X(IKE_EV_WEAK, "weak-algorithm") /* a weak algorithm is configured or was negotiated */ \
	X(IKE_EV_STATE, "state") /* an exchange went from one state to another */ \
	X(IKE_EV_P1_START, "p1-start") /* main or aggressive mode begun, either role */ \
	X(IKE_EV_P1_ESTABLISHED, "p1-established") /* peer authenticated */ \
	X(IKE_EV_P1_REKEY, "p1-rekey") /* replacing an ISAKMP SA */ \
	X(IKE_EV_P1_DELETED, "p1-deleted") /* an ISAKMP SA ended; the text says why */ \
	X(IKE_EV_P1_FAILED, "p1-failed") /* main or aggressive mode ended without result */ \
	X(IKE_EV_P2_START, "p2-start") /* quick mode begun, either role */ \
	X(IKE_EV_P2_ESTABLISHED, "p2-established") /* an SA pair is in use */ \
	X(IKE_EV_P2_REKEY, "p2-rekey") /* replacing an SA pair */ \
	X(IKE_EV_P2_DELETED, "p2-deleted") /* an SA pair ended; the text says why */ \
	X(IKE_EV_P2_FAILED, "p2-failed") /* quick mode ended without result */ \
	X(IKE_EV_CONFIRMED, "p2-confirmed-by-data") /* first packet made up for a lost QM3 */ \
	X(IKE_EV_COLLISION, "collision") /* both sides negotiated at once; which one stays */ \
	X(IKE_EV_ADOPTED, "adopted") /* SAs found in the kernel at start */ \
	X(IKE_EV_KERNEL, "kernel-refused") /* the kernel did not do what we asked */ \
	X(IKE_EV_RETRANSMIT, "retransmit") /* no answer yet */ \
	X(IKE_EV_TIMEOUT, "timeout") /* gave up waiting */ \
	X(IKE_EV_RETRY, "retry") /* a negotiation of ours failed; when the next one comes */ \
	X(IKE_EV_DUPLICATE, "duplicate") /* byte-identical repetition */ \
	X(IKE_EV_REPLAY, "replay") /* old message ID or out of sequence */ \
	X(IKE_EV_MALFORMED, "malformed") /* did not parse */ \
	X(IKE_EV_OVERSIZED, "oversized") \
	X(IKE_EV_UNEXPECTED, "unexpected") /* parses, but not what may come here */ \
	X(IKE_EV_UNKNOWN_PEER, "unknown-peer") /* no tunnel for that address */ \
	X(IKE_EV_AGGRESSIVE_OFF, "aggressive-refused") /* AM1, but the configuration does not allow it */ \
	X(IKE_EV_UNKNOWN_COOKIES, "unknown-cookies") \
	X(IKE_EV_UNAUTHENTICATED, "unauthenticated") /* notify or delete without proof: no effect */ \
	X(IKE_EV_NOTIFY, "notify") /* authenticated notify */ \
	X(IKE_EV_DPD, "dpd") /* R-U-THERE sent, or answered with another number */ \
	X(IKE_EV_DPD_DEAD, "dpd-dead") /* the peer gave no sign of life: its SAs go */ \
	X(IKE_EV_DELETE, "delete") /* authenticated delete */ \
	X(IKE_EV_CONTACT, "initial-contact") /* sent, or received and what it did */ \
	X(IKE_EV_LIFE, "responder-lifetime") /* the responder lowered a lifetime */ \
	X(IKE_EV_NO_PROPOSAL, "no-proposal") /* nothing in common; offered against configured */ \
	X(IKE_EV_INVALID_ID, "invalid-id") /* identity or networks not those configured */ \
	X(IKE_EV_NARROWED, "narrowed") /* the peer agreed to, or offered, less than a selector */ \
	X(IKE_EV_INVALID_KE, "invalid-ke") /* public value of wrong length or degenerate */ \
	X(IKE_EV_PSK_MISMATCH, "psk-mismatch") /* probable PSK mismatch */ \
	X(IKE_EV_AUTH_FAILED, "auth-failed") \
	X(IKE_EV_XAUTH, "xauth") /* a login was asked for, taken or refused */ \
	X(IKE_EV_XAUTH_FAILED, "xauth-failed") /* user name or password wrong, or no answer */ \
	X(IKE_EV_ASSIGNED, "assigned") /* mode config gave or took an inner address */ \
	X(IKE_EV_CERT_REQUEST, "cert-request") /* certificates asked for, by us or the peer */ \
	X(IKE_EV_CERT_USED, "cert-used") /* which certificate we send, and why that one */ \
	X(IKE_EV_CERT_REFUSED, "cert-refused") /* a certificate was refused, by us or the peer */ \
	X(IKE_EV_CERT_TRUSTED, "cert-trusted") /* the peer's certificate is good, and why */ \
	X(IKE_EV_PROFILE, "profile") /* which profile an identity means */ \
	X(IKE_EV_ADDRESS, "local-address") /* an address of this end came or went */ \
	X(IKE_EV_LIMIT, "limit") /* a bound on half-open SAs, exchanges or logs was hit */ \
	X(IKE_EV_FRAGMENT, "fragment") /* a message sent in fragments; a fragment dropped */ \
	X(IKE_EV_NATT, "nat") /* what NAT detection found, and what follows */ \
	X(IKE_EV_FLOAT_FAILED, "float-failed") /* silence since port 4500 is used */ \
	X(IKE_EV_PEER_MOVED, "peer-moved") /* another address or port of a peer behind a NAT */ \
	X(IKE_EV_VENDOR, "vendor") /* vendor IDs the peer sent */ \
	X(IKE_EV_INTERNAL, "internal") /* out of memory or the crypto library refused */

#define IKE_EVENT_DECL(sym, text) extern const char sym[];
IKE_EVENTS(IKE_EVENT_DECL)
#undef IKE_EVENT_DECL

#define IKE_EVENT_ONE(sym, text) + 1
enum { IKE_N_EVENTS = 0 IKE_EVENTS(IKE_EVENT_ONE) };
#undef IKE_EVENT_ONE

#endif
