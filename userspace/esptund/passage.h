/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What passes between the two processes of the keyer:
 *
 *   the warden   opens what needs privileges: configuration, secrets, netlink. Never sees an
 *                octet of a peer.
 *   the cell     runs libike, the UDP sockets and the control socket, without any privilege,
 *                file or way to get one (confine.h). What it wants done it asks the warden for.
 *
 * Both are one program, forked and not executed again, so messages are plain structs. The warden
 * trusts nothing in them: length, type, strings, numbers are checked in passage_receive() and
 * warden.c; tunnels and devices are looked up in what it has read itself.
 *
 * Two socket pairs (SOCK_SEQPACKET): on the first one the cell asks and waits for the answer, or
 * tells without one; on the second the warden tells.
 */
#ifndef ESPTUND_PASSAGE_H
#define ESPTUND_PASSAGE_H

#include "conf.h"

#define PASSAGE_TEXT 512	/* octets of a sentence or log line, its end included */
#define PASSAGE_KEYS 160	/* octets of an SA's keys, both together */
#define PASSAGE_TAIL_MAX (128u << 10)

enum passage_type {
	/* The cell asks; the answer has the same type and says with err and text how it went. */
	PASSAGE_HELLO,		/* answered when the data plane is open */
	PASSAGE_LOAD,		/* read the configuration: FINDINGs come before the answer, conf_pass.h's after it */
	PASSAGE_REJECT,		/* what was read last is not used */
	PASSAGE_DEVICES,	/* kern_devices_set() with the devices of what was read last */
	PASSAGE_REAP,		/* kern_devices_reap() */
	PASSAGE_HERE,		/* can datagrams be sent from 'remote'? count: 1 or 0 */
	PASSAGE_ADOPT,
	PASSAGE_SOCKET,		/* kern_socket_set() of the descriptor that comes along */
	PASSAGE_PEER,
	PASSAGE_ADDRESS,	/* kern_address() with 'remote' */
	PASSAGE_SPI_ALLOC,
	PASSAGE_SA_ADD,
	PASSAGE_SA_ACTIVATE,
	PASSAGE_SA_DEL,
	PASSAGE_SA_LAST,
	PASSAGE_N_ASKED,
	/* The cell tells. */
	PASSAGE_LISTENING = PASSAGE_N_ASKED,	/* the control socket is there, and to be removed at the end */
	PASSAGE_READY,		/* a configuration is in force, after start or reload */
	PASSAGE_ALIVE,		/* for the service manager's watchdog */
	PASSAGE_N_TO_WARDEN,
	/* The warden tells. */
	PASSAGE_FINDING = PASSAGE_N_TO_WARDEN,
	PASSAGE_TRUSTPOINT,	/* of a configuration: see conf_pass.h */
	PASSAGE_TUNNEL,
	PASSAGE_FILE,
	PASSAGE_LOADED,
	PASSAGE_EVENT,		/* of the data plane */
	PASSAGE_LINE,		/* one of its log lines, to be kept with the others */
	PASSAGE_ADDRESSES,	/* those of this host have changed */
	PASSAGE_RELOAD,
	PASSAGE_STOP,
	PASSAGE_N_TYPES,
};

/* Pointers inside sa and ev are set by the receiver to tunnel, text and keys of the message. */
struct passage_msg {
	uint32_t type;
	int32_t err;			/* of an answer: 0 or -errno */
	char tunnel[IKE_NAME_MAX + 1];
	char text[PASSAGE_TEXT];
	uint32_t line, severity;	/* FINDING */
	uint64_t count;			/* LOAD: tunnels; DEVICES: those without a device; conf_pass.h: more */
	uint64_t trustpoints;		/* LOAD */
	uint32_t kind;			/* FILE */
	struct ike_sa sa;		/* SA_ADD; dir, spi alone for the others */
	uint8_t keys[PASSAGE_KEYS];	/* of SA_ADD, encryption first */
	struct ike_kernel_event ev;	/* EVENT; at: SA_LAST */
	uint8_t cookie[IKE_SA_COOKIE_LEN];	/* of EVENT */
	bool has_tunnel, has_text, has_cookie;
	struct ike_addr remote;		/* PEER, ADDRESS, HERE */
	struct conf_tunnel own;		/* TUNNEL: what conf.h says of it */
	struct ike_tunnel_cfg ike;	/* TUNNEL; what it points to is the tail, see conf_pass.h */
};

/* What follows a message; to be wiped and freed. */
struct passage_tail {
	uint8_t *data;
	size_t len;
};

void passage_tail_clear(struct passage_tail *t);

/* Clears all of it, padding included: nothing of a stack goes to the other side. */
void passage_init(struct passage_msg *m, enum passage_type type);
/* Wipes: an SA has keys. */
void passage_wipe(struct passage_msg *m);

/* Both 0 or -errno. [0] is the warden's. */
int passage_pair(int pair[2]);
/*
 * Waits for room, some seconds at most. tail may be NULL. fd: a descriptor to pass along, or -1.
 * Returns 0 or -errno, -EPIPE when the other side is gone.
 */
int passage_send(int sock, const struct passage_msg *m, const struct passage_tail *tail, int fd);
/*
 * One message; with 'wait' it is waited for. tail and fd may be NULL where none is expected; *fd is -1 when
 * none came. Returns 0, -EAGAIN, -EPIPE at the end, or -EBADMSG for what is no message.
 */
int passage_receive(int sock, bool wait, struct passage_msg *m, struct passage_tail *tail, int *fd);

#endif
