// SPDX-License-Identifier: GPL-2.0
/*
 * UDP sockets that receive ESP. The keyer's socket stays the keyer's: it gets IKE messages,
 * we get the rest. When it is closed while SAs still need the port, a stand-in of ours is
 * bound to the same port before the old socket lets go of it, so no packet finds the port
 * closed. A stand-in belongs to the namespace without keeping it alive, as a socket of the
 * keyer's would that we held on to. Sends nothing; what is in an ESP packet is rcv.c's.
 */
#include "socket.h"
#include "device.h"
#include "icmp.h"
#include "rcv.h"
#include <linux/file.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include <net/xfrm.h>

#define ESPTUN_KEEPALIVE 0xff

/**
 * struct esptun_stand_in - a socket in place of one that its owner has closed
 * @list: in &esptun_net.stand_ins
 * @sock: the socket, the kernel's own
 */
struct esptun_stand_in {
	struct list_head list;
	struct socket *sock;
};

/* What a datagram is (RFC 3948 2.2, 2.3, 3). */
enum esptun_datagram { ESPTUN_IS_ESP, ESPTUN_IS_KEEPALIVE, ESPTUN_IS_IKE };

static enum esptun_datagram esptun_socket_kind(struct sk_buff *skb)
{
	const unsigned int at = sizeof(struct udphdr);

	if (skb->len == at + 1 && pskb_may_pull(skb, at + 1) &&
	    skb->data[at] == ESPTUN_KEEPALIVE)
		return ESPTUN_IS_KEEPALIVE;
	if (!pskb_may_pull(skb, at + sizeof(__be32)) ||
	    !get_unaligned((__be32 *)(skb->data + at)))
		return ESPTUN_IS_IKE;
	return ESPTUN_IS_ESP;
}

/* An ESP packet: ours, or the kernel's own IPsec shall look at it. */
static int esptun_socket_esp(struct sock *sk, struct sk_buff *skb)
{
	__skb_pull(skb, sizeof(struct udphdr));
	if (esptun_rcv_udp(skb) == 0)
		return 0;
	__skb_push(skb, sizeof(struct udphdr));
	if (ip_hdr(skb)->version == 4)
		return xfrm4_udp_encap_rcv(sk, skb);
	return esptun_compat_xfrm6_udp_encap_rcv(sk, skb);
}

/*
 * Called for each datagram, data at the UDP header, whose checksum is good, under RCU, BH
 * off. Return: 0 consumed, 1 it is for recvmsg().
 */
static int esptun_socket_rcv(struct sock *sk, struct sk_buff *skb)
{
	switch (esptun_socket_kind(skb)) {
	case ESPTUN_IS_KEEPALIVE:
		atomic64_inc(&esptun_net_get(sock_net(sk))->rx_keepalives);
		consume_skb(skb);
		return 0;
	case ESPTUN_IS_IKE:
		return 1;
	case ESPTUN_IS_ESP:
		break;
	}
	return esptun_socket_esp(sk, skb);
}

/* The same where nobody calls recvmsg(). */
static int esptun_socket_rcv_stand_in(struct sock *sk, struct sk_buff *skb)
{
	if (esptun_socket_rcv(sk, skb))
		kfree_skb(skb);
	return 0;
}

static void esptun_socket_destroy(struct sock *sk);

static const struct udp_tunnel_sock_cfg esptun_socket_keyer = {
	/* The kernel's own IPsec must know it as one of its kind to take what is not ours. */
	.encap_type = UDP_ENCAP_ESPINUDP,
	.encap_rcv = esptun_socket_rcv,
	.encap_err_lookup = esptun_icmp_err_udp,
	.encap_destroy = esptun_socket_destroy,
};

static const struct udp_tunnel_sock_cfg esptun_socket_stand_in = {
	.encap_type = UDP_ENCAP_ESPINUDP,
	.encap_rcv = esptun_socket_rcv_stand_in,
	.encap_err_lookup = esptun_icmp_err_udp,
};

static void esptun_socket_setup(struct esptun_net *en, struct socket *sock,
				const struct udp_tunnel_sock_cfg *kind)
{
	struct udp_tunnel_sock_cfg cfg = *kind;

	cfg.sk_user_data = en;
	/* RFC 3948 2.1: packets without a checksum are fine, in IPv6 too (RFC 6935). */
	if (sock->sk->sk_family == AF_INET6)
		udp_set_no_check6_rx(sock->sk, true);
	esptun_compat_udp_setup(en->net, sock, &cfg);
}

/* The address that a socket is bound to. Return: its length. */
static int esptun_socket_name(const struct sock *sk, struct sockaddr_storage *name)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)name;
	struct sockaddr_in *sin = (struct sockaddr_in *)name;

	memset(name, 0, sizeof(*name));
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(inet_sk(sk)->inet_num);
		sin6->sin6_addr = sk->sk_v6_rcv_saddr;
		sin6->sin6_scope_id = sk->sk_bound_dev_if;
		return sizeof(*sin6);
	}
#endif
	sin->sin_family = AF_INET;
	sin->sin_port = htons(inet_sk(sk)->inet_num);
	sin->sin_addr.s_addr = inet_sk(sk)->inet_rcv_saddr;
	return sizeof(*sin);
}

/* A socket of ours on the port of @sk, which may share it (SO_REUSEADDR). */
static int esptun_socket_bind_like(struct esptun_net *en, const struct sock *sk,
				   struct socket **made)
{
	struct sockaddr_storage name;
	struct socket *sock;
	int len, err;

	err = sock_create_kern(en->net, sk->sk_family, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	sock_set_reuseaddr(sock->sk);
	sock->sk->sk_bound_dev_if = sk->sk_bound_dev_if;
	sock->sk->sk_ipv6only = sk->sk_ipv6only;
	esptun_socket_setup(en, sock, &esptun_socket_stand_in);
	len = esptun_socket_name(sk, &name);
	err = esptun_compat_bind(sock, &name, len);
	if (err)
		esptun_compat_udp_release(sock);
	else
		*made = sock;
	return err;
}

/* Do both receive on the same port? */
static bool esptun_socket_same_port(const struct sock *a, const struct sock *b)
{
	return inet_sk(a)->inet_num == inet_sk(b)->inet_num &&
	       (a->sk_family == b->sk_family || (a->sk_family == AF_INET6 && !a->sk_ipv6only));
}

static void esptun_socket_retire(struct esptun_stand_in *s)
{
	list_del(&s->list);
	esptun_compat_udp_release(s->sock);
	kfree(s);
}

void esptun_socket_release(struct esptun_net *en)
{
	struct esptun_stand_in *s, *tmp;

	lockdep_assert_held(&en->mutex);
	list_for_each_entry_safe(s, tmp, &en->stand_ins, list)
		esptun_socket_retire(s);
}

/* Under the underlay's mutex. */
static void esptun_socket_stand_in_for(struct esptun_net *en, const struct sock *sk)
{
	struct esptun_stand_in *s;
	int err = -ENOMEM;

	list_for_each_entry(s, &en->stand_ins, list)
		if (esptun_socket_same_port(s->sock->sk, sk))
			return;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (s)
		err = esptun_socket_bind_like(en, sk, &s->sock);
	if (err) {
		kfree(s);
		pr_warn_ratelimited("esptun: UDP port %u was closed and cannot be kept open: %d\n",
				    inet_sk(sk)->inet_num, err);
		return;
	}
	list_add(&s->list, &en->stand_ins);
}

/* The last user of the keyer's socket has closed it; it still has its port. May sleep. */
static void esptun_socket_destroy(struct sock *sk)
{
	struct esptun_net *en = esptun_net_get(sock_net(sk));

	mutex_lock(&en->mutex);
	if (en->encaps && inet_sk(sk)->inet_num)
		esptun_socket_stand_in_for(en, sk);
	mutex_unlock(&en->mutex);
	/*
	 * The socket is unhashed after this only, and packets find it until then: what they
	 * call must not be in a module that may go. Who is in it already is in RCU's care.
	 */
	WRITE_ONCE(udp_sk(sk)->encap_rcv, NULL);
	WRITE_ONCE(udp_sk(sk)->encap_err_lookup, NULL);
	/* Taken when the socket was given to us: it calls us here, so we must not go before. */
	module_put(THIS_MODULE);
}

static int esptun_socket_refuse(struct netlink_ext_ack *extack, int err, const char *why)
{
	if (extack)
		extack->_msg = why;
	return err;
}

static int esptun_socket_check(const struct esptun_net *en, const struct sock *sk,
			       struct netlink_ext_ack *extack)
{
	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP)
		return esptun_socket_refuse(extack, -EINVAL, "fd: not a UDP socket");
	if (!net_eq(sock_net(sk), en->net))
		return esptun_socket_refuse(extack, -EINVAL,
					    "fd: the socket belongs to another netns");
	if (udp_sk(sk)->encap_rcv == esptun_socket_rcv)
		return 0;
	if (udp_sk(sk)->encap_type || READ_ONCE(sk->sk_user_data))
		return esptun_socket_refuse(extack, -EBUSY,
					    "fd: another part of the kernel uses the socket (UDP_ENCAP?)");
	return 0;
}

/* Under the underlay's mutex; the caller's reference keeps the socket open. */
static int esptun_socket_attach(struct esptun_net *en, struct socket *sock,
				struct netlink_ext_ack *extack)
{
	struct sock *sk = sock->sk;
	struct esptun_stand_in *s, *tmp;
	int err;

	lock_sock(sk);
	err = esptun_socket_check(en, sk, extack);
	if (!err && udp_sk(sk)->encap_rcv != esptun_socket_rcv) {
		__module_get(THIS_MODULE);
		WRITE_ONCE(esptun_lingers, true);
		esptun_socket_setup(en, sock, &esptun_socket_keyer);
		/* So that a stand-in and a later keyer can have the same port. */
		sk->sk_reuse = SK_CAN_REUSE;
	}
	release_sock(sk);
	if (err || !inet_sk(sk)->inet_num)
		return err;
	list_for_each_entry_safe(s, tmp, &en->stand_ins, list)
		if (esptun_socket_same_port(sk, s->sock->sk))
			esptun_socket_retire(s);
	return 0;
}

int esptun_socket_set(struct esptun_net *en, int fd, struct netlink_ext_ack *extack)
{
	struct socket *sock;
	int err;

	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return esptun_socket_refuse(extack, err, "fd: not an open socket");
	mutex_lock(&en->mutex);
	err = esptun_socket_attach(en, sock, extack);
	mutex_unlock(&en->mutex);
	sockfd_put(sock);
	return err;
}
