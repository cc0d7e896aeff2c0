// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packet sockets, see wire.h. Sends what it is given and judges nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "wire.h"

#define RECEIVE_BUFFER	(64 << 20)
#define RING_DATA	(TPACKET2_HDRLEN - sizeof(struct sockaddr_ll))

static int packet_socket(int type, int protocol, int index)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons((uint16_t)protocol),
				  .sll_ifindex = index };
	int fd = socket(AF_PACKET, type | SOCK_CLOEXEC, 0), size = RECEIVE_BUFFER;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		err(1, "packet socket");
	if (index && bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "bind");
	return fd;
}

/* A tap: @outgoing packets as well, or only those that arrive. */
static int tap_open(int type, int index, bool outgoing)
{
	int fd = packet_socket(type, 0, 0), one = 1;
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = index };

	if (!outgoing && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
		err(1, "tap");
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		err(1, "tap");
	return fd;
}

static void ring_open(struct wire *w)
{
	int version = TPACKET_V2;
	struct tpacket_req req = {
		.tp_block_size = RING_SIZE, .tp_block_nr = RING_FRAMES,
		.tp_frame_size = RING_SIZE, .tp_frame_nr = RING_FRAMES,
	};

	w->ring = packet_socket(SOCK_RAW, 0, 0);
	if (setsockopt(w->ring, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
	    setsockopt(w->ring, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)))
		err(1, "transmit ring");
	w->ring_memory = mmap(NULL, RING_SIZE * RING_FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED,
			      w->ring, 0);
	if (w->ring_memory == MAP_FAILED)
		err(1, "transmit ring");
}

static void mtu_of(struct device *d)
{
	struct ifreq ifr = { };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(ifr.ifr_name, d->name);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &ifr))
		err(1, "%s", d->name);
	close(fd);
	d->mtu = ifr.ifr_mtu;
	d->oversize = !d->under && d->mtu > d->wire->mtu;
}

void wire_open(void)
{
	int i, one = 1;

	enter(outside);
	for (i = 0; i < wire_count; i++) {
		struct sockaddr_ll to = { .sll_family = AF_PACKET,
					  .sll_ifindex = wires[i].near_index };

		wires[i].send = packet_socket(SOCK_RAW, 0, wires[i].near_index);
		ring_open(&wires[i]);
		if (bind(wires[i].ring, (struct sockaddr *)&to, sizeof(to)))
			err(1, "transmit ring");
		wires[i].tap = tap_open(SOCK_RAW, wires[i].near_index, false);
	}
	enter(gateway);
	for (i = 0; i < device_count; i++) {
		struct device *d = &devices[i];

		mtu_of(d);
		d->inject = packet_socket(SOCK_RAW, 0, d->index);
		if (setsockopt(d->inject, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
			err(1, "PACKET_VNET_HDR");
		d->tap = tap_open(SOCK_DGRAM, d->index, false);
	}
}

static void clone_switch(int *fd, int index, bool on, bool outgoing)
{
	if (on) {
		enter(gateway);
		*fd = tap_open(SOCK_RAW, index, outgoing);
	} else if (*fd >= 0) {
		close(*fd);
		*fd = -1;
	}
}

void wire_clone(struct wire *w, bool on)
{
	clone_switch(&w->far, w->far_index, on, false);
}

void device_clone(struct device *d, bool on)
{
	clone_switch(&d->clones, d->index, on, true);
}

bool wire_ring_fits(size_t len)
{
	return len + ETH_HLEN + RING_DATA <= RING_SIZE;
}

static void ethernet(const struct wire *w, uint16_t protocol, uint8_t *to)
{
	memcpy(to, w->far_mac, 6);
	memcpy(to + 6, w->near_mac, 6);
	to[12] = (uint8_t)(protocol >> 8);
	to[13] = (uint8_t)protocol;
}

static const uint8_t *ring_send(struct wire *w, uint16_t protocol, const uint8_t *packet,
				size_t len)
{
	uint8_t *slot = w->ring_memory + (w->ring_at++ % RING_FRAMES) * RING_SIZE;
	struct tpacket2_hdr *hdr = (struct tpacket2_hdr *)slot;

	if (__atomic_load_n(&hdr->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
		errx(1, "the transmit ring is full");
	ethernet(w, protocol, slot + RING_DATA);
	memcpy(slot + RING_DATA + ETH_HLEN, packet, len);
	hdr->tp_len = (uint32_t)(len + ETH_HLEN);
	__atomic_store_n(&hdr->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
	return slot + RING_DATA + ETH_HLEN;
}

const uint8_t *wire_send(struct wire *w, bool ring, uint16_t protocol, const uint8_t *packet,
			 size_t len)
{
	uint8_t head[ETH_HLEN];
	struct iovec part[2] = { { head, sizeof(head) }, { (void *)packet, len } };
	struct msghdr msg = { .msg_iov = part, .msg_iovlen = 2 };

	if (ring)
		return ring_send(w, protocol, packet, len);
	ethernet(w, protocol, head);
	while (sendmsg(w->send, &msg, 0) < 0)
		if (errno != EINTR && errno != ENOBUFS)
			err(1, "%s: %zu octets", w->name, len);
	return NULL;
}

void wire_flush(struct wire *w)
{
	if (send(w->ring, NULL, 0, 0) < 0)
		err(1, "transmit ring of %s", w->name);
}

bool device_send(struct device *d, const struct virtio_net_hdr *hdr, uint16_t protocol,
		 const uint8_t *packet, size_t len)
{
	static const struct virtio_net_hdr none;
	struct iovec part[2] = { { (void *)(hdr ? hdr : &none), sizeof(none) },
				 { (void *)packet, len } };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol),
				  .sll_ifindex = d->index };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = part,
			      .msg_iovlen = 2 };

	if (sendmsg(d->inject, &msg, 0) >= 0)
		return true;
	/* What the device has refused or lost is told as well: it has its counter. */
	return errno == ENOBUFS || errno == ENETDOWN || errno == ENETUNREACH;
}

size_t tap_read(int tap, uint8_t *to, size_t size)
{
	ssize_t len = recv(tap, to, size, MSG_DONTWAIT | MSG_TRUNC);

	if (len < 0 && errno != EAGAIN && errno != EINTR)
		err(1, "tap");
	if (len > (ssize_t)size)
		errx(1, "%zd octets in a tap", len);
	return len < 0 ? 0 : (size_t)len;
}

unsigned int tap_lost(int tap)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(tap, SOL_PACKET, PACKET_STATISTICS, &stats, &len))
		err(1, "tap");
	return stats.tp_drops;
}
