/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libesptun: what a program needs to configure and watch esptun devices: typed requests
 * over generic netlink (family "esptun") and rtnetlink (link kind "esptun"), and events.
 * It keeps no state beside its sockets, starts no thread, prints nothing and never reads
 * a file except the network namespace it is told to work in.
 *
 * Conventions, for all functions unless said otherwise:
 * - 0 is success, a negative number is -errno. esptun_last_error() of the same handle then
 *   tells what was refused and why, the kernel's own words first, in one line of text.
 *   The handle stays usable.
 * - SPIs are in host byte order, 256..2^32-1 (RFC 4303 2.1). Addresses are in network order.
 * - Times are CLOCK_BOOTTIME in ns, 0 for never. Sizes are octets unless called bits.
 * - A handle belongs to one thread at a time. Requests block until the kernel has answered.
 */
#ifndef LIBESPTUN_H
#define LIBESPTUN_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/esptun.h>

#define ESPTUN_ENCR_KEY_MAX	68
#define ESPTUN_AUTH_KEY_MAX	64
#define ESPTUN_DRIVER_MAX	128

struct esptun_sock;
struct esptun_events;

/**
 * struct esptun_addr - an IPv4 or IPv6 address
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for none
 * @v4: with AF_INET, network byte order
 * @v6: with AF_INET6
 */
struct esptun_addr {
	int family;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/** struct esptun_range - addresses from @first to @last, both of one family or AF_UNSPEC */
struct esptun_range {
	struct esptun_addr first;
	struct esptun_addr last;
};

/**
 * struct esptun_selector - the packets an SA is for (RFC 4301 4.4.1.1); all zero: every packet
 * @local: our side's addresses; AF_UNSPEC: all, of @remote's family if that has one
 * @remote: the peer's side's
 * @proto: protocol above IP, 0 for any
 * @local_port: host byte order, 0 for any; not 0 only if @proto has ports (TCP, UDP, SCTP, ...)
 * @remote_port: the same
 */
struct esptun_selector {
	struct esptun_range local;
	struct esptun_range remote;
	uint8_t proto;
	uint16_t local_port;
	uint16_t remote_port;
};

/**
 * struct esptun_flow - what a packet shows to traffic selectors
 * @local: our side's address; AF_UNSPEC: nothing is known
 * @remote: the peer's side's
 * @proto: protocol above IP, 0 if not known
 * @local_port: host byte order, 0 if there is none, as in fragments but the first
 * @remote_port: the same
 */
struct esptun_flow {
	struct esptun_addr local;
	struct esptun_addr remote;
	uint8_t proto;
	uint16_t local_port;
	uint16_t remote_port;
};

/**
 * struct esptun_drop_record - the last packet that was dropped
 * @time: when; 0 if none was
 * @reason: which counter it went to
 * @spi: of the packet, 0 if not known
 * @seq: its sequence number, 0 if not known; with ESN as far as it could be inferred
 * @source: outer source address, AF_UNSPEC for packets of our own
 * @protocol: what the packet was, where that is the reason: the EtherType of one to be sent,
 *   the next header of a received one; otherwise 0
 */
struct esptun_drop_record {
	uint64_t time;
	enum esptun_drop reason;
	uint32_t spi;
	uint64_t seq;
	struct esptun_addr source;
	uint32_t protocol;
};

/** struct esptun_stats - packets and octets that passed; octets are those of inner packets */
struct esptun_stats {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
};

/*
 * Which members of struct esptun_tunnel hold a value. In a request only these are sent, the
 * others take the kernel's default (add) or keep their value (change). A reply sets all it has.
 */
#define ESPTUN_TUNNEL_LOCAL		(1U << 0)
#define ESPTUN_TUNNEL_REMOTE		(1U << 1)
#define ESPTUN_TUNNEL_LINK		(1U << 2)
#define ESPTUN_TUNNEL_TTL		(1U << 3)
#define ESPTUN_TUNNEL_TOS		(1U << 4)
#define ESPTUN_TUNNEL_PMTUDISC		(1U << 5)
#define ESPTUN_TUNNEL_FWMARK		(1U << 6)
#define ESPTUN_TUNNEL_KEEP_CARRIER	(1U << 7)
#define ESPTUN_TUNNEL_MTU		(1U << 8)
#define ESPTUN_TUNNEL_UP		(1U << 9)
#define ESPTUN_TUNNEL_MSS_CLAMP		(1U << 10)
#define ESPTUN_TUNNEL_EXTERNAL		(1U << 11)

/**
 * struct esptun_tunnel - an esptun device
 * @fields: mask of ESPTUN_TUNNEL_*
 * @ifindex: interface index; in requests 0 means: find it by @ifname
 * @ifname: name, 1..15 octets
 * @local: our outer address; 0.0.0.0 or :: leaves it to the route
 * @remote: the peer's outer address; its family is that of the outer packets
 * @link: ifindex of the underlay device, 0 for none
 * @link_netnsid: reply; id of the network namespace @link and the outer packets are in, -1 if it
 *   is the device's own
 * @ttl: outer TTL, 1..255; 0 copies the inner one
 * @tos: outer TOS octet, DSCP in its upper six bits; 1 copies the inner DSCP. ECN always
 *   follows RFC 6040
 * @pmtudisc: set DF as path MTU discovery needs; false copies the inner DF
 * @fwmark: mark for the outer route lookup
 * @keep_carrier: carrier stays on without a usable outbound SA
 * @mss_clamp: TCP SYNs in both directions announce no larger segment than fits
 * @external: one device for many tunnels, told apart by tunnel IDs; without @local and
 *   @remote. Only when it is made
 * @tunnel_id: reply; not 0: one of the tunnels of an external device, with its endpoints and
 *   without @stats; in the event acquire the one that does not exist yet
 * @mtu: of the device, octets
 * @up: administratively up
 * @carrier: reply; the device has carrier: a usable outbound SA, or @keep_carrier. In the
 *   event carrier: there is a usable outbound SA
 * @path_mtu: reply; of the outer path, octets, 0 if not known
 * @overhead: reply; most octets an active outbound SA adds to a packet
 * @out_spi: reply; of the active outbound SA, of several the one that adds most; 0 for none
 * @peer: reply and event peer-moved; where the peer is now: @remote, unless an SA with
 *   ESPTUN_SA_FLAG_FOLLOW_PEER has found it elsewhere
 * @peer_port: the peer's UDP port now, 0 without encapsulated SAs
 * @sa_count: reply; SAs of this device
 * @stats: reply
 * @drops: reply; packets by reason, indexed by enum esptun_drop
 * @last_error: reply
 * @flow: in the event acquire: the packet that wants to leave
 */
struct esptun_tunnel {
	uint32_t fields;
	uint32_t ifindex;
	char ifname[IFNAMSIZ];
	struct esptun_addr local;
	struct esptun_addr remote;
	uint32_t link;
	int32_t link_netnsid;
	uint8_t ttl;
	uint8_t tos;
	bool pmtudisc;
	uint32_t fwmark;
	bool keep_carrier;
	bool mss_clamp;
	bool external;
	uint32_t tunnel_id;
	uint32_t mtu;
	bool up;
	bool carrier;
	uint32_t path_mtu;
	uint32_t overhead;
	uint32_t out_spi;
	struct esptun_addr peer;
	uint16_t peer_port;
	uint32_t sa_count;
	struct esptun_stats stats;
	uint64_t drops[ESPTUN_DROP_COUNT];
	struct esptun_drop_record last_error;
	struct esptun_flow flow;
};

/**
 * struct esptun_keys - key material of one SA; exists only on the way in
 * @encr: cipher key, directly followed by the salt where the transform has one (RFC 4106 8.1),
 *   as it comes out of KEYMAT
 * @encr_len: octets in @encr, 0 for ENCR_NULL
 * @auth: integrity key
 * @auth_len: octets in @auth, 0 for AUTH_NONE
 */
struct esptun_keys {
	uint8_t encr[ESPTUN_ENCR_KEY_MAX];
	size_t encr_len;
	uint8_t auth[ESPTUN_AUTH_KEY_MAX];
	size_t auth_len;
};

/**
 * struct esptun_sa - an ESP security association in tunnel mode (RFC 4301 4.4.2)
 * @ifindex: the device it belongs to
 * @dir: in or out
 * @spi: 256..2^32-1
 * @encr: cipher
 * @auth: integrity algorithm, ESPTUN_AUTH_NONE with a combined-mode cipher
 * @flags: mask of ESPTUN_SA_FLAG_*
 * @replay_window: in: packets, 0 (off) or 32..4096; always sent for in, never for out
 * @seq: out: last sequence number sent; in: highest received. In a request: to continue from,
 *   0 starts afresh
 * @partner_spi: out: the inbound SA whose first packet activates this one; 0 for none
 * @state: in a request for out: pending or active
 * @soft_bytes: soft-expire event at this many octets of inner packets; 0 for no limit
 * @hard_bytes: the SA stops at this many; 0 for no limit
 * @soft_packets: as @soft_bytes, packets
 * @hard_packets: as @hard_bytes, packets
 * @cookie: opaque to the kernel, comes back in every reply and event
 * @cookie_len: octets in @cookie, 0..ESPTUN_COOKIE_MAX_LEN
 * @sel: the packets it is for. out: replaces only an SA with the same; in: what lies outside
 *   is dropped
 * @encap: ESPTUN_ENCAP_UDP: ESP in UDP (RFC 3948); needs a socket, see esptun_socket_set()
 * @encap_local_port: our UDP port, only with ESPTUN_ENCAP_UDP
 * @encap_peer_port: the peer's UDP port, only with ESPTUN_ENCAP_UDP; in a reply the current
 *   one, which all encapsulated SAs of a device share
 * @keepalive: out, ESPTUN_ENCAP_UDP: a NAT keepalive after so many seconds of silence,
 *   0 (never)..ESPTUN_MAX_KEEPALIVE
 * @tunnel_id: external device: which of its tunnels; 0 for other devices
 * @local: request for an external device: our outer address; family AF_UNSPEC: any
 * @remote: request for an external device: the peer's outer address, for the first SA of a
 *   tunnel; family AF_UNSPEC: as the tunnel has it
 * @encr_key_bits: reply; of the cipher key without salt
 * @auth_key_bits: reply
 * @bytes: reply; octets of inner packets that passed
 * @packets: reply
 * @created: reply; time
 * @last_used: reply; time of the last packet that passed
 * @confirmed: reply; in: a packet has authenticated
 * @driver: reply; the kernel crypto driver in use
 * @drops: reply; packets by reason, indexed by enum esptun_drop
 * @last_error: reply
 * @reason: in the event sa-deleted: why
 */
struct esptun_sa {
	uint32_t ifindex;
	enum esptun_dir dir;
	uint32_t spi;
	enum esptun_encr encr;
	enum esptun_auth auth;
	uint32_t flags;
	uint32_t replay_window;
	uint64_t seq;
	uint32_t partner_spi;
	enum esptun_sa_state state;
	uint64_t soft_bytes;
	uint64_t hard_bytes;
	uint64_t soft_packets;
	uint64_t hard_packets;
	uint8_t cookie[ESPTUN_COOKIE_MAX_LEN];
	size_t cookie_len;
	struct esptun_selector sel;
	enum esptun_encap encap;
	uint16_t encap_local_port;
	uint16_t encap_peer_port;
	uint32_t keepalive;
	uint32_t tunnel_id;
	struct esptun_addr local;
	struct esptun_addr remote;
	uint32_t encr_key_bits;
	uint32_t auth_key_bits;
	uint64_t bytes;
	uint64_t packets;
	uint64_t created;
	uint64_t last_used;
	bool confirmed;
	char driver[ESPTUN_DRIVER_MAX];
	uint64_t drops[ESPTUN_DROP_COUNT];
	struct esptun_drop_record last_error;
	enum esptun_delete_reason reason;
};

/** struct esptun_module - what the module counts, since it was loaded, in this netns */
struct esptun_module {
	char version[64];
	uint64_t tunnels_created;
	uint64_t tunnels_destroyed;
	uint64_t sas_created;
	uint64_t sas_destroyed;
	uint64_t rx_foreign_spi;
	uint64_t rx_keepalives;
	uint64_t tx_keepalives;
};

/* -- handle (sock.c) ---------------------------------------------------------------- */

/**
 * esptun_new() - a handle without sockets
 * Return: the handle, to be released with esptun_free(), or NULL without memory.
 */
struct esptun_sock *esptun_new(void);

/**
 * esptun_open() - open the handle's sockets
 * @s: from esptun_new()
 * @netns: name below /run/netns, or a path if it has a '/', or NULL for the caller's own. The
 *   caller stays in its own network namespace.
 *
 * Works without the module: the generic netlink family is looked up (and thereby the module
 * loaded, where the kernel may) with the first request that needs it, which then fails with
 * -ENOENT and "the esptun kernel module is not loaded".
 */
int esptun_open(struct esptun_sock *s, const char *netns);

/** esptun_free() - close and release; NULL is fine */
void esptun_free(struct esptun_sock *s);

/** esptun_last_error() - Return: text of the last failure on this handle, never NULL */
const char *esptun_last_error(const struct esptun_sock *s);

/* -- devices (tunnel.c) ------------------------------------------------------------- */

/**
 * esptun_tunnel_add() - make a device, link kind "esptun"
 * @t: @ifname and the members named in @fields; with ESPTUN_TUNNEL_UP also its up state.
 *   @ifindex is set on success.
 * Return: -EEXIST if there is an interface of this name, -EOPNOTSUPP without the module.
 */
int esptun_tunnel_add(struct esptun_sock *s, struct esptun_tunnel *t);

/**
 * esptun_tunnel_change() - change the members named in @fields, leave all others
 * @t: @ifindex or @ifname, @fields and their members
 * Return: -ENODEV if there is no such device, -EINVAL if it is not an esptun device.
 */
int esptun_tunnel_change(struct esptun_sock *s, const struct esptun_tunnel *t);

/** esptun_tunnel_del() - delete an esptun device (never one of another kind) and its SAs */
int esptun_tunnel_del(struct esptun_sock *s, const char *ifname);

/**
 * esptun_address_add(), esptun_address_del() - one host address of a device
 * @ifname: of any kind
 * Adding one that is there is no error; deleting one that is not gives -EADDRNOTAVAIL.
 * Return: 0 or -errno
 */
int esptun_address_add(struct esptun_sock *s, const char *ifname, const struct esptun_addr *a);
int esptun_address_del(struct esptun_sock *s, const char *ifname, const struct esptun_addr *a);

/**
 * esptun_tunnel_get() - configuration, state and counters of a device
 * @ifname: its name; or NULL and @ifindex
 * @ifindex: used when @ifname is NULL
 */
int esptun_tunnel_get(struct esptun_sock *s, const char *ifname, uint32_t ifindex,
		      struct esptun_tunnel *t);

/**
 * esptun_tunnel_dump() - all esptun devices of the network namespace, by ifindex
 * @list: set to an array the caller frees, also when empty
 * @count: its length
 *
 * A dump the kernel reports as interrupted by a change is repeated; after eight times -EINTR.
 */
int esptun_tunnel_dump(struct esptun_sock *s, struct esptun_tunnel **list, size_t *count);

/**
 * esptun_tunnel_index() - ifindex of an esptun device
 * Return: -ENODEV if there is no interface of this name, -EINVAL if it is of another kind.
 */
int esptun_tunnel_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex);

/**
 * esptun_link_index() - ifindex of any interface, of whatever kind, in the handle's netns
 * Return: -ENODEV if there is none.
 */
int esptun_link_index(struct esptun_sock *s, const char *ifname, uint32_t *ifindex);

/** esptun_link_name() - the reverse; @ifname is filled with a terminated name */
int esptun_link_name(struct esptun_sock *s, uint32_t ifindex, char ifname[IFNAMSIZ]);

/* -- security associations (sa.c) --------------------------------------------------- */

/**
 * esptun_sa_alloc_spi() - reserve a random inbound SPI
 * @ifindex: the device it will be for
 * @spi: set on success. The reservation ends with esptun_sa_new(), esptun_sa_del() or after 60 s.
 */
int esptun_sa_alloc_spi(struct esptun_sock *s, uint32_t ifindex, uint32_t *spi);

/**
 * esptun_sa_new() - install an SA
 * @sa: the members not marked "reply"
 * @keys: wiped in any case, as is every buffer they went through
 * Return: -EEXIST for an SPI in use, -EINVAL for a key length or combination the kernel
 *   refuses, -ENODEV for a device that is none of ours.
 */
int esptun_sa_new(struct esptun_sock *s, const struct esptun_sa *sa, struct esptun_keys *keys);

/**
 * esptun_sa_tunnel() - which tunnel of an external device the next requests that name an SA are
 * about (activate, del, get, flush)
 * @tunnel_id: 0, the beginning: none; for devices that are not external
 */
void esptun_sa_tunnel(struct esptun_sock *s, uint32_t tunnel_id);

/** esptun_sa_activate() - make a pending outbound SA the active one of its selectors. -ENOENT if none. */
int esptun_sa_activate(struct esptun_sock *s, uint32_t ifindex, uint32_t spi);

/** esptun_sa_del() - delete an SA, or give back a reserved SPI. -ENOENT if there is none. */
int esptun_sa_del(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi);

/** esptun_sa_get() - one SA with its counters. -ENOENT if there is none. */
int esptun_sa_get(struct esptun_sock *s, uint32_t ifindex, enum esptun_dir dir, uint32_t spi,
		  struct esptun_sa *sa);

/**
 * esptun_sa_dump() - all SAs of a device
 * @ifindex: the device, or 0 for all devices of the network namespace
 * @list: set to an array the caller frees, also when empty
 * @count: its length
 */
int esptun_sa_dump(struct esptun_sock *s, uint32_t ifindex, struct esptun_sa **list,
		   size_t *count);

/** esptun_sa_flush() - delete all SAs of a device, or with @ifindex 0 of the netns */
int esptun_sa_flush(struct esptun_sock *s, uint32_t ifindex);

/**
 * esptun_socket_set() - let a UDP socket receive ESP in UDP (RFC 3948)
 * @fd: a socket of the handle's network namespace; it stays the caller's
 *
 * From then on the kernel takes ESP packets and NAT keepalives off the socket; IKE messages,
 * which begin with four zero octets on this port, still arrive. When the caller closes it, or
 * dies, while encapsulated SAs exist, the kernel keeps the port open for those and drops IKE
 * messages. To take over from a former keyer without losing a packet: make a socket, set
 * SO_REUSEADDR, esptun_socket_set(), bind(), esptun_socket_set() again.
 *
 * Return: -EINVAL if it is no UDP socket of this network namespace, -EBUSY if another part of
 *   the kernel uses it, -EBADF, -ENOTSOCK.
 */
int esptun_socket_set(struct esptun_sock *s, int fd);

/** esptun_module_get() - version and counters of the module */
int esptun_module_get(struct esptun_sock *s, struct esptun_module *m);

/* -- events (events.c) -------------------------------------------------------------- */

/* Values of struct esptun_event's type beside the ESPTUN_CMD_*_NTF. */
#define ESPTUN_EVENT_RESYNC	(-1)	/* events were lost: read the kernel's state again */
#define ESPTUN_EVENT_TUNNEL_SET	(-2)	/* device made or changed: ->tunnel, without counters */
#define ESPTUN_EVENT_TUNNEL_GONE (-3)	/* device deleted or moved away: ->tunnel */

/* What to listen to. */
#define ESPTUN_EVENTS_GENL	1U	/* the family's group "events": needs CAP_NET_ADMIN */
#define ESPTUN_EVENTS_LINK	2U	/* rtnetlink: devices of kind esptun */

/**
 * struct esptun_event - one event
 * @type: ESPTUN_CMD_ACQUIRE_NTF, ..., or ESPTUN_EVENT_*
 * @tunnel: for peer-moved: @ifindex, @ifname, @peer, @peer_port; for acquire and carrier:
 *   @ifindex, @ifname, @carrier, @out_spi, @flow
 * @sa: for sa-confirmed, soft-expire, hard-expire, sa-deleted: all of the SA but keys
 */
struct esptun_event {
	int type;
	union {
		struct esptun_tunnel tunnel;
		struct esptun_sa sa;
	};
};

/** typedef esptun_event_fn - called for each event; @ev is valid during the call */
typedef void (*esptun_event_fn)(const struct esptun_event *ev, void *arg);

/**
 * esptun_events_new() - subscribe, on sockets of their own
 * @s: an open handle: the events are those of its network namespace, errors go to it
 * @what: mask of ESPTUN_EVENTS_*
 * @out: set on success, to be released with esptun_events_free(); does not refer to @s later
 * Return: -ENOENT without the module, -EPERM without CAP_NET_ADMIN.
 */
int esptun_events_new(struct esptun_sock *s, unsigned int what, struct esptun_events **out);

/** esptun_events_fd() - Return: one descriptor to poll for reading, owned by @e */
int esptun_events_fd(const struct esptun_events *e);

/**
 * esptun_events_read() - take what is there, without blocking
 *
 * Lost events (ENOBUFS) are not an error, they arrive as ESPTUN_EVENT_RESYNC. Messages that
 * make no sense are skipped and counted.
 * Return: number of events handed to @fn, or -errno when a socket is broken for good.
 */
int esptun_events_read(struct esptun_events *e, esptun_event_fn fn, void *arg);

/** esptun_events_skipped() - Return: messages that made no sense so far */
uint64_t esptun_events_skipped(const struct esptun_events *e);

/** esptun_events_free() - unsubscribe; NULL is fine */
void esptun_events_free(struct esptun_events *e);

/* -- names (names.c) ---------------------------------------------------------------- */

/* The words of the netlink specification. Unknown values give "unknown", never NULL. */
const char *esptun_dir_name(enum esptun_dir dir);
const char *esptun_encr_name(enum esptun_encr encr);
const char *esptun_auth_name(enum esptun_auth auth);
const char *esptun_encap_name(enum esptun_encap encap);
const char *esptun_sa_state_name(enum esptun_sa_state state);
const char *esptun_drop_name(enum esptun_drop drop);
const char *esptun_delete_reason_name(enum esptun_delete_reason reason);
const char *esptun_event_name(int type);

/* Return: the value of the word, or -ENOENT. */
int esptun_dir_value(const char *word);
int esptun_encr_value(const char *word);
int esptun_auth_value(const char *word);
int esptun_encap_value(const char *word);
int esptun_sa_state_value(const char *word);

/** esptun_encr_combined() - Return: the cipher authenticates by itself, it goes with auth none */
bool esptun_encr_combined(enum esptun_encr encr);

/** esptun_addr_parse() - numeric IPv4 or IPv6 address; -EINVAL if it is not one */
int esptun_addr_parse(const char *text, struct esptun_addr *addr);

/** esptun_addr_text() - print into @buf, "any" for AF_UNSPEC, 0.0.0.0 and ::. Return: @buf */
const char *esptun_addr_text(const struct esptun_addr *addr, char buf[INET6_ADDRSTRLEN]);

/** esptun_wipe() - clear memory that held a key; not optimised away */
void esptun_wipe(void *p, size_t len);

#endif /* LIBESPTUN_H */
