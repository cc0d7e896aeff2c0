// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Datagrams from host to host (udp), from host into a device that ends behind
 * the sending gateway (tx), and captured tunnel packets put on the receiving
 * gateway's wire (rx). Closed loop: a burst is sent, then the sink is emptied.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "load.h"

static unsigned int pass(const struct options *o, int out, int in, unsigned int n)
{
	unsigned int done, k, got = 0;

	for (done = 0; done < n; done += k) {
		k = n - done < o->burst ? n - done : o->burst;
		udp_send(out, o->payload, k);
		got += udp_take(in, k);
		if (got != done + k)
			break;
	}
	return got;
}

void run_udp(const struct options *o, struct result *r)
{
	int in = net_udp_sink(o->to), out = net_udp_sender(o->from, o->dst, o->checksum);

	if (pass(o, out, in, o->warm) != o->warm)
		errx(1, "packets lost before the measurement");
	window_begin(&r->w);
	r->delivered = pass(o, out, in, o->count);
	window_end(&r->w);
	r->packets = o->count;
	r->bytes = r->delivered * o->payload;
}

/* Sends @n datagrams; returns how many left the device. A burst waits for the one before. */
static unsigned int send_all(const struct options *o, int out, int counter, unsigned int n)
{
	uint64_t before = net_tx_count(counter), gone = 0;
	unsigned int done, k, tries;

	for (done = 0; done < n; done += k) {
		k = n - done < o->burst ? n - done : o->burst;
		udp_send(out, o->payload, k);
		/* A peer that encrypts in a thread of its own gets the CPU here. */
		for (tries = 0; tries < BENCH_WAIT_MS; tries++) {
			gone = net_tx_count(counter) - before;
			if (gone >= done + k)
				break;
			if (tries < 100)
				sched_yield();
			else
				usleep(1000);
		}
		if (gone != done + k)
			break;
	}
	return (unsigned int)gone;
}

void run_tx(const struct options *o, struct result *r)
{
	int counter = net_tx_counter(o->via, o->dev);
	int out = net_udp_sender(o->from, o->dst, o->checksum);

	if (send_all(o, out, counter, o->warm) != o->warm)
		errx(1, "packets lost before the measurement");
	window_begin(&r->w);
	r->delivered = send_all(o, out, counter, o->count);
	window_end(&r->w);
	r->packets = o->count;
	r->bytes = r->delivered * o->payload;
}

/*
 * @protocol ETH_P_ALL sees every frame, 0 only sends. Each frame is preceded by a
 * header that says where a checksum is still to be filled in.
 */
int net_packet_socket(const char *netns, const char *dev, uint16_t protocol)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol) };
	int fd, room = 64 << 20, on = 1;

	net_enter(netns);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)if_nametoindex(dev);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		err(1, "packet socket on %s in %s", dev, netns);
	return fd;
}

void store_init(struct store *s, unsigned int room)
{
	s->n = 0;
	s->m = calloc(room, sizeof(*s->m));
	s->v = calloc(room, sizeof(*s->v));
	if (!s->m || !s->v)
		err(1, "calloc");
}

void store_add(struct store *s, const void *frame, size_t size)
{
	struct iovec *v = &s->v[s->n];

	v->iov_len = size;
	v->iov_base = malloc(size);
	if (!v->iov_base)
		err(1, "malloc");
	memcpy(v->iov_base, frame, size);
	s->m[s->n].msg_hdr = (struct msghdr){ .msg_iov = v, .msg_iovlen = 1 };
	s->n++;
}

/*
 * Takes the @n next outgoing frames. The datagrams are equal in size: a frame of
 * another size than the first is the tunnel's own (a handshake, a keepalive).
 */
static void capture(int fd, struct store *s, unsigned int n)
{
	struct sockaddr_ll from;
	socklen_t len;
	uint8_t data[2048];
	ssize_t got;

	for (unsigned int i = 0; i < n;) {
		len = sizeof(from);
		got = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);
		if (got <= 0)
			err(1, "capture");
		if (from.sll_pkttype != PACKET_OUTGOING || (s->n && s->v[0].iov_len != (size_t)got))
			continue;
		store_add(s, data, (size_t)got);
		i++;
	}
}

unsigned int store_inject(struct store *s, int fd, unsigned int first, unsigned int n,
			  unsigned int burst, int in)
{
	unsigned int done, k, got = 0;
	int sent;

	for (done = 0; done < n; done += k) {
		k = n - done < burst ? n - done : burst;
		sent = sendmmsg(fd, s->m + first + done, k, 0);
		if (sent != (int)k)
			err(1, "inject");
		got += udp_take(in, k);
		if (got != done + k)
			break;
	}
	return got;
}

/* Reads (or writes) the hardware address of @dev in @netns. */
static void mac(const char *netns, const char *dev, unsigned long request, struct ifreq *r)
{
	int fd;

	net_enter(netns);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strncpy(r->ifr_name, dev, IFNAMSIZ - 1);
	if (fd < 0 || ioctl(fd, request, r))
		err(1, "hardware address of %s in %s", dev, netns);
	close(fd);
}

/*
 * While frames are captured, the receiving gateway's wire has another hardware
 * address: it ignores them, and they are new to its replay window afterwards.
 */
void run_rx(const struct options *o, struct result *r)
{
	unsigned int all = o->warm + o->count, done, k;
	int in = net_udp_sink(o->to), out = net_udp_sender(o->from, o->dst, o->checksum);
	struct ifreq real = { 0 }, other;
	struct store s;
	int wire;

	store_init(&s, all);
	mac(o->peer, o->dev, SIOCGIFHWADDR, &real);
	other = real;
	other.ifr_hwaddr.sa_data[5] ^= 0x55;
	mac(o->peer, o->dev, SIOCSIFHWADDR, &other);
	wire = net_packet_socket(o->via, o->dev, ETH_P_ALL);
	for (done = 0; done < all; done += k) {
		k = all - done < o->burst ? all - done : o->burst;
		udp_send(out, o->payload, k);
		capture(wire, &s, k);
	}
	close(wire);
	mac(o->peer, o->dev, SIOCSIFHWADDR, &real);
	wire = net_packet_socket(o->via, o->dev, 0);
	if (store_inject(&s, wire, 0, o->warm, o->burst, in) != o->warm)
		errx(1, "packets lost before the measurement");
	window_begin(&r->w);
	r->delivered = store_inject(&s, wire, o->warm, o->count, o->burst, in);
	window_end(&r->w);
	r->packets = o->count;
	r->bytes = r->delivered * o->payload;
}
