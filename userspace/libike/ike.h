/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libike - IKEv1 (RFC 2407, 2408, 2409) as a pure engine: bytes, time and
 * randomness in, bytes and actions out. This is its one public header.
 *
 * The engine never reads a clock, opens a file or socket, calls OpenSSL or talks
 * to the kernel. Its caller (esptund, the simulator, a fuzzer, a test)
 *
 *   - hands it datagrams (ike_datagram), results and events of the kernel
 *     (ike_kernel_event), commands (ike_command) and the time (each call has a
 *     'now'; ike_expire when ike_deadline has passed), and after each of these
 *   - drains ike_next_action() until it returns false, doing what it says.
 *
 * All calls are from one thread. Memory that an action points to belongs to the
 * engine and lives until the next call into the engine.
 *
 * Errors: functions return 0 or a negative IKE_E_*. Peer input never returns an
 * error to the caller: it is counted, logged by an action and dropped.
 */
#ifndef LIBIKE_IKE_H
#define LIBIKE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of a clock that never steps and counts suspend (CLOCK_BOOTTIME). */
typedef int64_t ike_time;
#define IKE_SECOND ((ike_time)1000000000)
#define IKE_NEVER INT64_MAX

enum ike_error {
	IKE_E_NOMEM = 1,	/* out of memory */
	IKE_E_INVALID,		/* an argument or configuration value is out of range */
	IKE_E_UNKNOWN,		/* no such tunnel, SA or name */
	IKE_E_CRYPTO,		/* the crypto library refused */
	IKE_E_PARSE,		/* text or bytes that do not parse */
	IKE_E_POLICY,		/* known, but the tunnel's policy word does not allow it */
	IKE_E_DOWN,		/* the tunnel was brought down by command */
};

/* ---- addresses and identities ---------------------------------------------------- */

struct ike_addr {
	uint8_t family;		/* 4 or 6; 0: unset */
	uint16_t port;		/* host order; 0: any */
	uint8_t ip[16];		/* network order; the first 4 octets for IPv4 */
};

#define IKE_NATT_PORT 4500	/* of NAT traversal, RFC 3947 4 */

struct ike_path {
	struct ike_addr local, remote;
};

/* ID types of RFC 2407 4.6.2.1 that phase 1 accepts. */
enum ike_id_type {
	IKE_ID_IPV4_ADDR = 1,
	IKE_ID_FQDN = 2,
	IKE_ID_USER_FQDN = 3,
	IKE_ID_IPV4_ADDR_SUBNET = 4,
	IKE_ID_IPV6_ADDR = 5,
	IKE_ID_IPV6_ADDR_SUBNET = 6,
	IKE_ID_IPV4_ADDR_RANGE = 7,
	IKE_ID_IPV6_ADDR_RANGE = 8,
	IKE_ID_DER_ASN1_DN = 9,
	IKE_ID_KEY_ID = 11,
};

#define IKE_ID_MAX 512		/* longest identity data taken, octets */

struct ike_id {
	uint8_t type;		/* enum ike_id_type; 0: unset */
	uint16_t len;		/* 0 for a DER_ASN1_DN of ours: the subject of the certificate that is used */
	uint8_t data[IKE_ID_MAX];
};

/*
 * Parse "ipv4:192.0.2.1", "ipv6:…", "fqdn:gw.example", "user-fqdn:a@b", "key-id:text",
 * "key-id:0xHEX", "dn:CN=gw, O=Example" (ike_dn_parse), "dn:0xHEX"; a bare word is guessed
 * (address, contains @, else fqdn). 0 or -IKE_E_PARSE.
 */
int ike_id_parse(const char *text, struct ike_id *id);
/* Print so that ike_id_parse reads it back; octets outside printable ASCII as \xHH. Returns buf. */
const char *ike_id_format(const struct ike_id *id, char *buf, size_t size);
bool ike_id_equal(const struct ike_id *a, const struct ike_id *b);

/* What a peer's identity is compared with: one identity, or a pattern of them. */
struct ike_match {
	struct ike_id id;	/* type 0: any identity */
	bool pattern;		/* id has a wildcard, or counts only 'prefix' bits */
	uint8_t prefix;		/* leading bits that count of an address */
};

/*
 * "any", what ike_id_parse takes, or a pattern: "fqdn:*.example", "user-fqdn:*@example",
 * "ipv4:192.0.2.0/24", "ipv6:…/48", "dn:CN=*, O=Example". 0 or -IKE_E_PARSE.
 */
int ike_match_parse(const char *text, struct ike_match *m);
const char *ike_match_format(const struct ike_match *m, char *buf, size_t size);
/* How specifically m means id: 0 not at all, then "any", patterns the more they say, one identity. */
unsigned int ike_match_weight(const struct ike_match *m, const struct ike_id *id);
/* Is there an identity that both mean, and neither more specifically? */
bool ike_match_tie(const struct ike_match *a, const struct ike_match *b);

/* ---- algorithms -------------------------------------------------------------------- */

/* Which algorithms a tunnel may use at all (per tunnel, in words). */
enum ike_policy {
	IKE_POLICY_MODERN,	/* >= modp2048 or ecp256, AES, SHA2 */
	IKE_POLICY_LEGACY,	/* adds modp1536 (5), 3DES, SHA1, ICVs of 64 bits, SHA2-256 cut to 96 bits */
	IKE_POLICY_INSECURE,	/* adds modp1024 (2), MD5, NULL, GMAC */
};

/* Phase 1 transform. Numbers are those of RFC 2409 Appendix A and the IANA registry. */
struct ike_p1_proposal {
	uint16_t encr;		/* 5 3DES-CBC, 7 AES-CBC */
	uint16_t key_bits;	/* 128, 192, 256 for AES; 0 for fixed-length ciphers */
	uint16_t hash;		/* 1 MD5, 2 SHA1, 4/5/6 SHA2-256/384/512; the PRF is its HMAC */
	uint16_t group;		/* 2, 5, 14, 15, 16, 19, 20, 21 */
};

/*
 * "psk", "rsa", "ecdsa256", "ecdsa384", "ecdsa521" to IKE_AUTH_* of wire.h, 0 for another word;
 * and back ("unknown").
 */
uint16_t ike_auth_parse(const char *word);
const char *ike_auth_name(uint16_t method);
/* Done with a certificate. */
bool ike_auth_signs(uint16_t method);

/* Phase 2 ESP transform, tunnel mode. Numbers of RFC 2407 and the IANA registry. */
struct ike_p2_proposal {
	/* 3 3DES, 11 NULL, 12 AES-CBC, 13 CTR, 14/15/16 CCM-8/12/16, 18/19/20 GCM-8/12/16, 23 GMAC */
	uint8_t transform;
	uint16_t key_bits;	/* without salt; 0 for fixed-length ciphers */
	/* 1 MD5, 2 SHA1, 5/6/7 SHA2-256/384/512, 9 XCBC; 0 with GCM, CCM, GMAC; 61445 SHA2-256 cut to 96 bits */
	uint16_t auth;
	uint16_t group;		/* PFS group; 0: no PFS */
	bool esn;		/* ask for 64-bit sequence numbers (attribute 11) */
};

/*
 * "aes256-sha256-modp2048", "3des-md5-modp1024"; phase 2: "aes128gcm16-modp2048",
 * "aes256-sha256", "aes128ctr-aesxcbc", "null-sha1", with "-esn" at the end. On error *why (may be NULL)
 * is set to a static sentence. Returns 0, -IKE_E_PARSE or -IKE_E_POLICY.
 */
int ike_p1_parse(const char *text, enum ike_policy policy, struct ike_p1_proposal *p, const char **why);
int ike_p2_parse(const char *text, enum ike_policy policy, struct ike_p2_proposal *p, const char **why);
const char *ike_p1_format(const struct ike_p1_proposal *p, char *buf, size_t size);
const char *ike_p2_format(const struct ike_p2_proposal *p, char *buf, size_t size);
/* The weakest part by name ("MD5", "modp1024"), or NULL when everything is modern. */
const char *ike_p1_weakness(const struct ike_p1_proposal *p);
const char *ike_p2_weakness(const struct ike_p2_proposal *p);

/* ---- configuration ------------------------------------------------------------------ */

#define IKE_MAX_PROPOSALS 16
#define IKE_MAX_AUTH 4			/* authentication methods of a tunnel: each goes with each proposal */
#define IKE_MAX_TRUSTPOINTS 64		/* in all */
#define IKE_MAX_TRUSTED 16		/* of one profile */
#define IKE_MAX_MATCHES 16
#define IKE_NAME_MAX 63

/* How a tunnel is brought up. */
enum ike_start {
	IKE_START_AUTO,		/* negotiate at once and keep it up */
	IKE_START_TRAFFIC,	/* when the kernel reports a packet without SA (acquire) */
	IKE_START_RESPOND,	/* only answer; IPsec SAs the peer does not replace in time are replaced late */
};

/* Extended authentication (draft-beaulieu-ike-xauth-02): a user name and a password after phase 1. */
enum ike_xauth {
	IKE_XAUTH_OFF,
	IKE_XAUTH_CLIENT,	/* we say them */
	IKE_XAUTH_SERVER,	/* we ask for them */
};

/* Mode config (draft-dukes-ike-mode-cfg-02): the server gives the client an inner address. */
enum ike_modecfg {
	IKE_MODECFG_OFF,
	IKE_MODECFG_PULL,	/* the client asks */
	IKE_MODECFG_PUSH,	/* the server sends it unasked */
};

#define IKE_XAUTH_MAX 127	/* longest user name or password, octets */
#define IKE_DNS_MAX 4

/* A network for phase 2 identities; prefix 0 and all-zero address is "any". */
struct ike_net {
	uint8_t family;		/* 4 or 6 */
	uint8_t prefix;
	uint8_t ip[16];
};

struct ike_trust;			/* certificates and a key, behind a handle: pki.h */

/* An authority we trust and perhaps a certificate of it for ourselves. */
struct ike_trustpoint {
	char name[IKE_NAME_MAX + 1];	/* unique */
	unsigned int line;		/* of the configuration file, for messages */
	struct ike_trust *trust;	/* one reference belongs to the struct */
};

#define IKE_MAX_SELECTORS 16	/* of one tunnel */

/* The packets a pair of IPsec SAs is for: between a network behind this end and one behind the peer. */
struct ike_selector {
	struct ike_net local, remote;
};

/* When ESP goes in UDP (RFC 3948). */
enum ike_encapsulation {
	IKE_ENCAPSULATION_AUTO,		/* when there is a NAT between the peers */
	IKE_ENCAPSULATION_FORCE,	/* always: something on the way drops bare ESP */
	IKE_ENCAPSULATION_NEVER,	/* NAT traversal is not announced */
};

/* IKE fragments of Cisco's and Microsoft's kind. */
enum ike_fragmentation {
	IKE_FRAGMENTATION_YES,		/* sent to a peer that announces them when a message is large, taken */
	IKE_FRAGMENTATION_ACCEPT,	/* taken, never sent */
	IKE_FRAGMENTATION_NO,		/* neither, and not announced */
	IKE_FRAGMENTATION_FORCE,	/* sent in small packets at once, announced or not */
};

/* One tunnel, validated. Plain data: copied by ike_configure, compared octet-wise field by field. */
struct ike_tunnel_cfg {
	char name[IKE_NAME_MAX + 1];	/* unique */
	unsigned int line;		/* of the configuration file, for messages */
	struct ike_addr local;		/* ip 0.0.0.0: any local address; port 500 */
	struct ike_addr remote;		/* port 500; ip 0.0.0.0: any, known by remote_id in aggressive mode */
	struct ike_id local_id;		/* unset: the local address */
	struct ike_id remote_id;	/* unset: the remote address */
	uint8_t *psk;			/* pre-shared key; owned by the struct; NULL without */
	size_t psk_len;			/* octets */
	char profile[IKE_NAME_MAX + 1];	/* where its authentication is configured, for messages; "": in itself */
	unsigned int profile_line;
	uint16_t auth[IKE_MAX_AUTH];	/* methods (IKE_AUTH_*), best first; none: pre-shared key */
	unsigned int n_auth;
	/* Trustpoints used and trusted, by name; none: all there are. */
	char trustpoint[IKE_MAX_TRUSTED][IKE_NAME_MAX + 1];
	unsigned int n_trustpoints;
	struct ike_match *match;	/* identities the peer may have, instead of remote_id; owned by the struct */
	unsigned int n_match;
	bool last_wins;			/* a later tunnel that ties with an earlier one in 'match' goes first */
	bool next_certificate;		/* as initiator: when the peer refuses our certificate, try the next one */
	bool narrow_requests;		/* as responder: ask only for certificates that tunnels of that peer trust */
	enum ike_policy policy;
	struct ike_p1_proposal p1[IKE_MAX_PROPOSALS];
	unsigned int n_p1;
	struct ike_p2_proposal p2[IKE_MAX_PROPOSALS];
	unsigned int n_p2;
	uint32_t p1_life;		/* seconds offered; default 86400 */
	uint32_t p2_life;		/* seconds offered; default 3600 */
	uint32_t p2_life_kb;		/* kilobytes offered; 0: none */
	uint32_t replay_window;		/* packets; default 1024 */
	uint32_t dpd;			/* seconds of silence before the peer is asked whether it lives; default 30, 0: never */
	uint32_t grace;			/* seconds an old inbound SA goes on after replacement; default 30 */
	enum ike_xauth xauth;
	char xauth_user[IKE_XAUTH_MAX + 1];	/* client: ours; server: the only one this tunnel is for; "": any */
	uint8_t *xauth_password;	/* client: ours; owned by the struct */
	size_t xauth_password_len;	/* octets */
	enum ike_modecfg modecfg;
	struct ike_addr pool_first, pool_last;	/* mode config server: what it gives; family 0: we are the client */
	struct ike_addr dns[IKE_DNS_MAX];	/* mode config server: resolvers it names */
	unsigned int n_dns;
	bool aggressive;		/* begin with aggressive mode, not main mode */
	bool aggressive_psk;		/* answer aggressive mode, though it tells everybody a hash of the key */
	enum ike_start start;
	/*
	 * A quick mode and a pair of IPsec SAs for each. Default: one, any to any (0.0.0.0/0). They
	 * may overlap: the data plane takes the most specific one.
	 */
	struct ike_selector sel[IKE_MAX_SELECTORS];
	unsigned int n_sel;
	bool initial_contact;		/* say INITIAL-CONTACT and believe it; default true */
	bool delete_takes_children;	/* IPsec SAs go with the last ISAKMP SA, as some peers expect; default false */
	bool narrowing;			/* a peer may agree to less than a selector, or offer less; default false */
	enum ike_encapsulation encapsulation;	/* default auto */
	enum ike_fragmentation fragmentation;	/* default yes */
	uint32_t fragment_size;		/* octets of a packet with an IKE fragment; default 0: 1280, or 576 when repeated over IPv4 */
	uint32_t nat_keepalive;		/* seconds of silence before a keepalive from behind a NAT; default 20, 0: never */
};

struct ike_config {
	struct ike_tunnel_cfg *tunnel;
	size_t n_tunnels;
	struct ike_trustpoint *trustpoint;	/* in the order in which certificates are asked for */
	size_t n_trustpoints;
};

/* Fill in the defaults named above. */
void ike_tunnel_cfg_init(struct ike_tunnel_cfg *t);
/* Wipe secrets, free everything inside; not the struct itself. */
void ike_config_clear(struct ike_config *cfg);
/*
 * Checks that need the whole: unique names, no two tunnels with the same local and remote
 * address but different PSKs (RFC 2409 5: the key is chosen by address; of peers at any address by
 * identity), none that aggressive mode could not tell apart, none with the same
 * identities too but different phase 1 proposals (they share an ISAKMP SA), none that nothing
 * tells apart (addresses, identities and a selector alike), selectors present, each once,
 * proposals present and allowed by
 * the tunnel's policy word, lifetimes between 10 s and 30 days, a replay window with 64-bit
 * sequence numbers; for each authentication method a key or a trustpoint that serves it; no two
 * tunnels that the same identity at the same address could mean equally, unless last_wins.
 * Returns 0, or -IKE_E_INVALID with a sentence in why and the offending line in *line.
 */
int ike_config_check(const struct ike_config *cfg, char *why, size_t size, unsigned int *line);

/* ---- engine ------------------------------------------------------------------------- */

struct ike_engine;

struct ike_env {
	void *ctx;
	/* Fill buf with unpredictable octets (getrandom; a seeded stream in simulations). */
	void (*random)(void *ctx, void *buf, size_t len);
	/* Seconds since 1970, for the validity of certificates. NULL: 0, and none is valid. */
	int64_t (*wall)(void *ctx);
};

struct ike_engine *ike_engine_new(const struct ike_env *env);
/* Frees everything and wipes all keys. Sends nothing, deletes nothing in the kernel. */
void ike_engine_free(struct ike_engine *e);

/*
 * Replace the configuration. Tunnels that did not change are not disturbed; changed ones are
 * negotiated anew (old SAs go on until replaced), removed ones are brought down with deletes.
 * cfg is copied. Returns 0 or -IKE_E_*; on error nothing has changed.
 */
int ike_configure(struct ike_engine *e, const struct ike_config *cfg, ike_time now);

/*
 * A datagram from an IKE port, without non-ESP marker. path->local has the address and the port
 * it was sent to: 500, or 4500 with NAT traversal (RFC 3947).
 */
void ike_datagram(struct ike_engine *e, const struct ike_path *path, const void *data, size_t len, ike_time now);

/*
 * This host's addresses may have changed; 'here' tells whether datagrams can be sent from one. To be
 * called after ike_configure, too. Tunnels whose configured local address is not here wait for it;
 * those without one, whose SAs were made from an address that is gone, negotiate anew.
 */
void ike_local_addresses(struct ike_engine *e, bool (*here)(void *ctx, const struct ike_addr *addr), void *ctx,
			 ike_time now);

/* When ike_expire must be called at the latest; IKE_NEVER if nothing is pending. */
ike_time ike_deadline(const struct ike_engine *e);
void ike_expire(struct ike_engine *e, ike_time now);

enum ike_command {
	IKE_CMD_UP,		/* bring the tunnel up now and keep it up */
	IKE_CMD_DOWN,		/* delete its SAs, tell the peer, stay down until UP or the peer asks */
	IKE_CMD_REKEY_P1,	/* new ISAKMP SA, child SAs stay */
	IKE_CMD_REKEY_P2,	/* new IPsec SAs, make before break */
};

/*
 * Acts whatever the tunnel's start mode; a rekey that finds nothing to replace negotiates it.
 * Returns 0, -IKE_E_UNKNOWN for a name that is not configured, or -IKE_E_DOWN for a rekey of a
 * tunnel that IKE_CMD_DOWN keeps down.
 */
int ike_command(struct ike_engine *e, enum ike_command cmd, const char *tunnel, ike_time now);

/* ---- actions ------------------------------------------------------------------------ */

enum ike_action_type {
	/*
	 * Send data to path.remote from path.local. From port 4500 with the non-ESP marker in front
	 * (RFC 3948 2.2), but for a single octet, which is a NAT keepalive and goes as it is.
	 */
	IKE_ACT_SEND,
	IKE_ACT_SPI_ALLOC,	/* ask the kernel for an inbound SPI; answer with ike_kernel_event DONE */
	IKE_ACT_SA_ADD,		/* install sa; answer DONE or FAILED */
	IKE_ACT_SA_ACTIVATE,	/* activate pending outbound sa.spi; answer DONE or FAILED */
	IKE_ACT_SA_DEL,		/* delete sa.dir sa.spi; no answer wanted */
	IKE_ACT_SA_IDLE,	/* when did the last packet come on inbound sa.spi? Answer TRAFFIC, or nothing */
	IKE_ACT_XAUTH,		/* may this user in with this password? Answer with ike_xauth_answer */
	IKE_ACT_ASSIGN,		/* mode config gave or took inner addresses; no answer wanted */
	IKE_ACT_PEER,		/* the peer of a tunnel with any remote address is at path.remote now; no answer wanted */
	IKE_ACT_LOG,		/* one event for the log */
};

enum ike_dir { IKE_IN, IKE_OUT };

#define IKE_COOKIE_LEN 8
#define IKE_SA_COOKIE_LEN 48	/* octets of ike_sa.cookie */

/* An IPsec SA for the kernel. Key memory is wiped by the engine after the action. */
struct ike_sa {
	const char *tunnel;
	enum ike_dir dir;
	uint32_t spi;			/* host order */
	struct ike_path path;		/* outer endpoints; ports are 0 without UDP encapsulation */
	bool follow_peer;		/* in: the peer is behind a NAT, which may give it another port or address */
	uint32_t keepalive;		/* out: seconds of silence before a NAT keepalive; 0: none */
	struct ike_p2_proposal alg;	/* what was chosen; group is the PFS group used */
	const uint8_t *encr_key;	/* cipher key followed by the salt, as KEYMAT gives it */
	size_t encr_key_len;
	const uint8_t *auth_key;
	size_t auth_key_len;
	uint32_t replay_window;
	uint32_t partner_spi;		/* out: the inbound SA whose first packet confirms it */
	struct ike_net local_net, remote_net;	/* the packets it is for; family 0: not known (SA_DEL) */
	bool pending;			/* out: install, do not use yet */
	uint64_t soft_bytes, hard_bytes;	/* 0: none */
	uint8_t cookie[IKE_SA_COOKIE_LEN];	/* opaque; comes back in IKE_KEV_ADOPT */
};

enum ike_log_level { IKE_LOG_ERROR, IKE_LOG_WARNING, IKE_LOG_NOTICE, IKE_LOG_INFO, IKE_LOG_DEBUG };

/* One line for the log. Strings live until the next call into the engine. Text is printable ASCII. */
struct ike_log {
	enum ike_log_level level;
	const char *event;		/* stable name, e.g. "p1-established", "psk-mismatch" */
	const char *tunnel;		/* NULL: not known (yet) */
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];
	uint32_t msgid;			/* 0 in phase 1 */
	const char *message;		/* "MM1" .. "MM6", "AM1" .. "AM3", "TR1", "TR2", "QM1" .. "QM3", "INFO"; NULL: none */
	struct ike_path path;		/* family 0: none */
	const char *text;		/* what happened, in a sentence */
};

/* A user name and a password as the peer sent them: any octets. */
struct ike_login {
	const uint8_t *user, *password;
	size_t user_len, password_len;
};

/* Inner addresses of a tunnel, from mode config. */
struct ike_given {
	struct ike_addr local;		/* ours, given by the peer; family 0: none (any more) */
	struct ike_addr remote;		/* the peer's, given by us; family 0: none */
	struct ike_addr dns[IKE_DNS_MAX];	/* resolvers the peer named */
	unsigned int n_dns;
};

struct ike_action {
	enum ike_action_type type;
	uint64_t id;			/* for the answer; 0 where none is wanted */
	const char *tunnel;		/* SPI_ALLOC, SA_*, XAUTH, ASSIGN and PEER; NULL else */
	/* SEND, PEER */
	struct ike_path path;
	const uint8_t *data;
	size_t len;
	/* SA_* */
	struct ike_sa sa;
	/* XAUTH; wiped by the engine after the action */
	struct ike_login login;
	/* ASSIGN */
	struct ike_given given;
	/* LOG */
	struct ike_log log;
};

/* What came of IKE_ACT_XAUTH; an id that nobody waits for any more is ignored. */
void ike_xauth_answer(struct ike_engine *e, uint64_t id, bool ok, ike_time now);

/* Take the next action; false when there is none. */
bool ike_next_action(struct ike_engine *e, struct ike_action *act);

/* ---- kernel events ------------------------------------------------------------------ */

enum ike_kernel_event_type {
	IKE_KEV_DONE,		/* action id succeeded; spi for SPI_ALLOC */
	IKE_KEV_FAILED,		/* action id failed; text says why */
	/* All that follow name their tunnel: two tunnels' peers may choose the same outbound SPI. */
	IKE_KEV_ACQUIRE,	/* traffic for tunnel, no SA */
	IKE_KEV_CONFIRMED,	/* first packet authenticated on inbound spi */
	IKE_KEV_SOFT_EXPIRE,	/* soft limit of spi/dir: rekey */
	IKE_KEV_HARD_EXPIRE,	/* hard limit or sequence numbers used up: gone */
	IKE_KEV_DELETED,	/* somebody else deleted spi/dir */
	IKE_KEV_TRAFFIC,	/* the last packet on inbound spi authenticated at 'at' */
	IKE_KEV_ADOPT,		/* at start: the kernel holds this SA with our cookie; use sa */
	IKE_KEV_PEER_MOVED,	/* an authenticated ESP packet in UDP came from 'peer' */
};

struct ike_kernel_event {
	enum ike_kernel_event_type type;
	uint64_t id;
	const char *tunnel;
	enum ike_dir dir;
	uint32_t spi;
	const char *text;		/* FAILED */
	const uint8_t *cookie;		/* ADOPT: IKE_SA_COOKIE_LEN octets */
	struct ike_selector sel;	/* ADOPT: the packets it is for */
	bool pending;			/* ADOPT: an outbound SA that is not in use yet */
	ike_time at;			/* TRAFFIC */
	struct ike_addr peer;		/* PEER_MOVED; ADOPT of an encapsulated SA: where the kernel sends to */
};

void ike_kernel_event(struct ike_engine *e, const struct ike_kernel_event *ev, ike_time now);

/* ---- status ------------------------------------------------------------------------- */

struct ike_child_status {
	uint32_t spi_in, spi_out;
	struct ike_p2_proposal alg;
	ike_time established, rekey_at, expires_at;
	bool pending, old;
	struct ike_selector sel, expected;	/* as negotiated, as configured; they differ when the peer narrowed it */
	bool encap;			/* in UDP */
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];	/* of the ISAKMP SA that made it; zero: adopted */
};

struct ike_p1_status {
	uint8_t icookie[IKE_COOKIE_LEN], rcookie[IKE_COOKIE_LEN];
	bool initiator, established;
	const char *state;		/* "MM_KEY_SENT" … */
	const char *cisco_state;	/* "MM_KEY_EXCH", "QM_IDLE" … */
	struct ike_path path;
	struct ike_p1_proposal alg;	/* valid once chosen (encr != 0) */
	struct ike_id peer_id;		/* valid once authenticated */
	const char *xauth_user;		/* server: who logged in; "" nobody */
	uint16_t auth;			/* method, valid with alg */
	/* Trustpoint of the certificate we sent, of the peer's one; NULL: none (yet). */
	const char *own_trustpoint, *peer_trustpoint;
	ike_time established_at, rekey_at, expires_at;
	unsigned int retransmits;	/* of the message now waiting */
	ike_time heard_at;		/* last proof that the peer lives; 0: none yet */
	bool dpd;			/* the peer answers R-U-THERE */
	const char *natt;		/* NAT traversal spoken: "RFC 3947", "draft 03" ...; NULL: none */
	const char *nat;		/* "no NAT", "NAT here", "NAT at the peer", "NAT here and at the peer" */
	bool encap;			/* ESP goes in UDP */
};

struct ike_tunnel_status {
	const struct ike_tunnel_cfg *cfg;
	struct ike_given given;
	const char *state;		/* "down", "connecting", "partly up" (not all selectors), "up", "respond-only", "no local address" … */
	const char *last_error;		/* sentence; NULL: none */
	ike_time last_error_at;
	const struct ike_p1_status *p1;
	size_t n_p1;
	const struct ike_child_status *child;
	size_t n_children;
};

/* Calls cb for each configured tunnel; what it is given lives until cb returns. */
void ike_status(struct ike_engine *e, void (*cb)(void *ctx, const struct ike_tunnel_status *st), void *ctx);

/* Global counters, for tests and `esptun ike status`. One name per field, all monotonic but the *_now ones. */
struct ike_counters {
	uint64_t datagrams_in, datagrams_out;
	uint64_t malformed;		/* did not parse, any reason */
	uint64_t oversized;
	uint64_t unknown_peer;		/* no tunnel for that address, or identity in aggressive mode */
	uint64_t aggressive_refused;	/* AM1 for a tunnel that does not allow it */
	uint64_t unknown_cookies;
	uint64_t duplicates;		/* byte-identical repetition */
	uint64_t retransmits;
	uint64_t replayed;		/* message ID seen before, or out of sequence */
	uint64_t unauthenticated;	/* notify or delete without protection, or bad HASH */
	uint64_t auth_failures;
	uint64_t no_proposal;
	uint64_t xauth_ok, xauth_failed;	/* logins, either side */
	uint64_t fragmented_in, fragmented_out;	/* messages that came or went in fragments */
	uint64_t fragments_dropped;	/* single ones: unexpected, malformed, too many, too late */
	uint64_t peers_moved;		/* by their NAT, to another port or address */
	uint64_t dpd_sent, dpd_dead;	/* R-U-THERE asked; peers given up because of silence */
	uint64_t p1_established, p2_established, p1_rekeyed, p2_rekeyed;
	uint64_t p1_now, exchanges_now, children_now;	/* live objects */
};

void ike_counters(const struct ike_engine *e, struct ike_counters *c);

#endif
