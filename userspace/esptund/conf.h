/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyer's configuration: reads esptun.conf (libconfuse, brace sections), checks all of it
 * and hands back plain data. It opens the configuration and the secrets it names, nothing else;
 * it never talks to the kernel or to libike's engine and never applies anything.
 *
 *   default { policy = modern  local = 192.0.2.1 }        values for every profile and tunnel
 *   profile NAME { … }                                    values for the tunnels that name it
 *   tunnel NAME { profile = NAME  remote = 192.0.2.2 … }  one tunnel
 *   trustpoint NAME { ca = FILE  cert = FILE  key = FILE } who may vouch for peers, and our certificate
 *
 * The nearest section that says something wins: tunnel, its profile, default, built in.
 * Lists are replaced as a whole, never merged.
 *
 * Keys of tunnel, profile and default:
 *   local            outer address of this end, IPv4 or IPv6; "any": the routing
 *                    decides                                                      (any)
 *   identity         phase 1 identity sent: "fqdn:r1.example", "ipv4:…" …         (local address)
 *   match-identity   phase 1 identity the peer must have, or a list of up to 16,  (remote address)
 *                    with patterns: "fqdn:*.example", "ipv4:192.0.2.0/24", "dn:CN=*, O=Example", any
 *   auth             psk, rsa, ecdsa, ecdsa256, ecdsa384, ecdsa521, or a list     (psk)
 *   trustpoints      { NAME, … }: used and trusted, at most 16                    (all)
 *   cert-requests    all or by-address: what a responder asks for                 (all)
 *   on-reject        same-certificate or next-certificate                         (same-certificate)
 *   on-tie           refuse or last-wins: tunnels that an identity means equally  (refuse)
 *   psk-file         file with the pre-shared key; see secrets.h                  (none)
 *   psk              the pre-shared key itself, only in a file closed to others   (none)
 *   policy           modern, legacy or insecure: which algorithms may be named    (modern)
 *   phase1           { "aes256-sha256-modp2048", … }, best first, at most 16
 *   phase2           { "aes128gcm16-modp2048", "aes256-sha256", … }, likewise
 *   phase1-lifetime  10s to 30d                                                   (1d)
 *   lifetime         of phase 2: a time, 10s to 30d, a volume from 1MB, or {both} (1h)
 *   replay-window    packets: 0 or 32 to 4096                                     (1024)
 *   grace            how long a replaced inbound SA goes on, 0s to 10m            (30s)
 *   exchange         main or aggressive: how phase 1 is begun                     (main)
 *   aggressive-psk   insecure-yes: answer aggressive mode, too                    (no)
 *   xauth            off, client or server: user and password after phase 1       (off)
 *   xauth-user       client: our user name; server: the only one for this tunnel  (server: any)
 *   xauth-password-file   client: file with our password; see secrets.h           (none)
 *   xauth-users      server: file with users and hashes; see users.h              (none)
 *   mode-config      off, pull or push: inner addresses for the client            (off)
 *   address-pool     server: "10.9.0.10-10.9.0.99" or address/prefix to give      (none: client)
 *   address-dns      server: up to four resolvers it names                        (none)
 *   encapsulation    ESP in UDP: auto (behind a NAT), force or never              (auto)
 *   nat-keepalive    silence before a keepalive from behind a NAT, 1s to 1h, off  (20s)
 *   fragmentation    of IKE messages: yes, accept (take, never send), no, force   (yes)
 *   fragment-size    packets with IKE fragments, 576 to 1500 octets              (1280)
 *   start            auto, traffic or respond                                     (auto)
 *   local-net, remote-net   traffic selector, "any" or address/prefix             (any)
 *   selectors        the same for several, at most 16: { "10.1.0.0/16 === 10.2.0.0/16", … }
 *   initial-contact  false: INITIAL-CONTACT is neither sent nor believed          (true)
 *   delete-takes-children  true: IPsec SAs go with the peer's last ISAKMP SA      (false)
 *   narrowing        true: the peer may agree to, or offer, less than a selector  (false)
 *   create-device    true: the keyer makes the device when it is missing          (false)
 * Keys of tunnel alone:
 *   remote           outer address of the peer; "any": told by its identity       (required)
 *   device           interface name                                               (the tunnel's name)
 *   profile          a profile's name                                             (none)
 * Keys of trustpoint (files are PEM or DER, relative to this file's directory):
 *   ca               authorities' certificates, each an anchor of trust           (required)
 *   cert, key        our certificate with its chain; its private key, closed to others, or "pkcs11:…"
 *   crl              revocation lists; then every certificate must be covered by one
 *
 * Times are a number with s, m, h or d (alone: seconds); volumes a number with KB, MB, GB
 * (powers of 1000) or KiB, MiB, GiB (of 1024).
 */
#ifndef ESPTUND_CONF_H
#define ESPTUND_CONF_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "libike/ike.h"

#define CONF_PATH "/etc/esptun/esptun.conf"
#define CONF_SIZE_MAX (4u << 20)	/* octets; a longer file is refused */

struct users;

/* What the keyer, not libike, has to know about a tunnel. */
struct conf_tunnel {
	unsigned int line;		/* where the tunnel's section starts */
	char device[IFNAMSIZ];
	bool create_device;
	struct users *users;		/* whom XAUTH lets in; owned; NULL: nobody */
};

/* A configuration without errors. */
struct conf {
	char *file;			/* as given to conf_load */
	struct ike_config ike;		/* passed ike_config_check */
	struct conf_tunnel *tunnel;	/* tunnel[i] belongs to ike.tunnel[i] */
};

enum conf_severity {
	CONF_ERROR,			/* the configuration is refused */
	CONF_WARNING,			/* works, but weak or surprising */
};

/*
 * Called once per finding, ordered as found. line is 0 for what concerns the file as a whole.
 * text is one sentence of printable ASCII saying what is wrong and what to do; it lives until
 * the call returns and never contains a secret.
 */
typedef void conf_report(void *ctx, enum conf_severity severity, const char *file, unsigned int line,
			 const char *text);

/*
 * Read and check path. Goes on after an error, so that all of them are reported; only a
 * syntax error hides what comes after it. Returns NULL if anything was reported as
 * CONF_ERROR, or memory was short (also reported). The caller frees with conf_free().
 */
struct conf *conf_load(const char *path, conf_report *report, void *ctx);

/* Wipes the secrets. NULL is fine. */
void conf_free(struct conf *conf);

#endif
