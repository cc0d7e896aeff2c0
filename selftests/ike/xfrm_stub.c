// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into strongSwan's charon, this stands for the kernel's XFRM netlink socket on
 * machines whose kernel has no ESP: it hands out SPIs, acknowledges what charon installs
 * and writes each SA with its keys as a line of JSON to $XFRM_STUB_FILE. So a negotiation can be
 * run in plain network namespaces, and both ends' keys compared. Never used where
 * packets are to flow.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 8
#define SAS 4096

/* A socket that charon takes for a netlink one; answers are written to the other end. */
static struct { int fd, other; } stub[SOCKETS];
static unsigned int n_stubs;

/* What was installed, to be given back when asked for. */
static struct sa {
	struct xfrm_id id;
	struct xfrm_usersa_info info;
	int used;
} sas[SAS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int other_end(int fd)
{
	for (unsigned int i = 0; i < n_stubs; i++)
		if (stub[i].fd == fd)
			return stub[i].other;
	return -1;
}

/* ---- the record ---------------------------------------------------------------------- */

static void put_hex(FILE *f, const char *key, const void *data, size_t len)
{
	const unsigned char *p = data;

	fprintf(f, ",\"%s\":\"", key);
	while (len--)
		fprintf(f, "%02x", *p++);
	fputc('"', f);
}

static void put_attr(FILE *f, const struct nlattr *a)
{
	const void *data = (const char *)a + NLA_HDRLEN;

	switch (a->nla_type & NLA_TYPE_MASK) {
	case XFRMA_ALG_AEAD: {
		const struct xfrm_algo_aead *alg = data;

		fprintf(f, ",\"aead\":\"%s\",\"icv_bits\":%u", alg->alg_name, alg->alg_icv_len);
		put_hex(f, "encr_key", alg->alg_key, alg->alg_key_len / 8);
		break;
	}
	case XFRMA_ALG_CRYPT: {
		const struct xfrm_algo *alg = data;

		fprintf(f, ",\"encr\":\"%s\"", alg->alg_name);
		put_hex(f, "encr_key", alg->alg_key, alg->alg_key_len / 8);
		break;
	}
	case XFRMA_ALG_AUTH_TRUNC: {
		const struct xfrm_algo_auth *alg = data;

		fprintf(f, ",\"auth\":\"%s\",\"icv_bits\":%u", alg->alg_name, alg->alg_trunc_len);
		put_hex(f, "auth_key", alg->alg_key, alg->alg_key_len / 8);
		break;
	}
	case XFRMA_ALG_AUTH: {
		const struct xfrm_algo *alg = data;

		/* The form without a length of the ICV, where that is the kernel's default. */
		fprintf(f, ",\"auth\":\"%s\"", alg->alg_name);
		put_hex(f, "auth_key", alg->alg_key, alg->alg_key_len / 8);
		break;
	}
	case XFRMA_ENCAP: {
		const struct xfrm_encap_tmpl *encap = data;

		fprintf(f, ",\"encap\":[%u,%u]", ntohs(encap->encap_sport), ntohs(encap->encap_dport));
		break;
	}
	case XFRMA_REPLAY_ESN_VAL: {
		const struct xfrm_replay_state_esn *esn = data;

		fprintf(f, ",\"replay_window\":%u", esn->replay_window);
		break;
	}
	}
}

static void record(const char *op, const struct nlmsghdr *h, const struct xfrm_usersa_info *info)
{
	const char *path = getenv("XFRM_STUB_FILE");
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	FILE *f = path ? fopen(path, "ae") : NULL;
	int left;

	if (!f)
		return;
	inet_ntop(info->family, &info->saddr, src, sizeof(src));
	inet_ntop(info->family, &info->id.daddr, dst, sizeof(dst));
	fprintf(f, "{\"op\":\"%s\",\"spi\":\"0x%08x\",\"src\":\"%s\",\"dst\":\"%s\",\"esn\":%s", op, ntohl(info->id.spi), src,
		dst, info->flags & XFRM_STATE_ESN ? "true" : "false");
	left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(NLMSG_ALIGN(sizeof(*info)));
	for (const struct nlattr *a = (const void *)((const char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(*info)));
	     left >= (int)sizeof(*a) && a->nla_len >= sizeof(*a) && a->nla_len <= left;
	     left -= NLA_ALIGN(a->nla_len), a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		put_attr(f, a);
	fputs("}\n", f);
	fclose(f);
}

static void record_del(const struct xfrm_usersa_id *id)
{
	const char *path = getenv("XFRM_STUB_FILE");
	char dst[INET6_ADDRSTRLEN];
	FILE *f = path ? fopen(path, "ae") : NULL;

	if (!f)
		return;
	inet_ntop(id->family, &id->daddr, dst, sizeof(dst));
	fprintf(f, "{\"op\":\"del\",\"spi\":\"0x%08x\",\"dst\":\"%s\"}\n", ntohl(id->spi), dst);
	fclose(f);
}

/* ---- answers -------------------------------------------------------------------------- */

static void answer(int fd, const struct nlmsghdr *req, uint16_t type, const void *data, size_t len)
{
	struct { struct nlmsghdr h; char body[1024]; } msg;

	memset(&msg, 0, sizeof(msg));
	msg.h = *req;
	msg.h.nlmsg_type = type;
	msg.h.nlmsg_flags = 0;
	msg.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&msg.h), data, len);
	if (write(other_end(fd), &msg, NLMSG_ALIGN(msg.h.nlmsg_len)) < 0)
		perror("xfrm_stub");
}

static void ack(int fd, const struct nlmsghdr *req, int error)
{
	struct nlmsgerr err = { .error = error, .msg = *req };

	answer(fd, req, NLMSG_ERROR, &err, sizeof(err));
}

static struct sa *find(const void *daddr, uint32_t spi)
{
	for (unsigned int i = 0; i < SAS; i++)
		if (sas[i].used && sas[i].id.spi == spi && !memcmp(&sas[i].id.daddr, daddr, 4))
			return &sas[i];
	return NULL;
}

static void store(const struct xfrm_usersa_info *info)
{
	struct sa *sa = find(&info->id.daddr, info->id.spi);

	for (unsigned int i = 0; !sa && i < SAS; i++)
		if (!sas[i].used)
			sa = &sas[i];
	if (!sa)
		return;
	sa->used = 1;
	sa->id = info->id;
	sa->info = *info;
}

static void alloc_spi(int fd, const struct nlmsghdr *h)
{
	const struct xfrm_userspi_info *req = NLMSG_DATA(h);
	struct xfrm_usersa_info info = req->info;
	uint32_t spi = 0;

	while (spi < 256)
		if (getrandom(&spi, sizeof(spi), 0) != sizeof(spi))
			spi = 0;
	info.id.spi = htonl(spi);
	answer(fd, h, XFRM_MSG_NEWSA, &info, sizeof(info));
}

static void get_sa(int fd, const struct nlmsghdr *h)
{
	const struct xfrm_usersa_id *id = NLMSG_DATA(h);
	struct sa *sa = find(&id->daddr, id->spi);

	if (sa)
		answer(fd, h, XFRM_MSG_NEWSA, &sa->info, sizeof(sa->info));
	else
		ack(fd, h, -ESRCH);
}

static void del_sa(int fd, const struct nlmsghdr *h)
{
	const struct xfrm_usersa_id *id = NLMSG_DATA(h);
	struct sa *sa = find(&id->daddr, id->spi);

	record_del(id);
	if (sa)
		sa->used = 0;
	ack(fd, h, sa ? 0 : -ESRCH);
}

static void serve(int fd, const struct nlmsghdr *h)
{
	switch (h->nlmsg_type) {
	case XFRM_MSG_ALLOCSPI:
		alloc_spi(fd, h);
		break;
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		record("add", h, NLMSG_DATA(h));
		store(NLMSG_DATA(h));
		ack(fd, h, 0);
		break;
	case XFRM_MSG_GETSA:
		get_sa(fd, h);
		break;
	case XFRM_MSG_DELSA:
		del_sa(fd, h);
		break;
	case XFRM_MSG_GETPOLICY:
		ack(fd, h, -ENOENT);
		break;
	default:
		ack(fd, h, 0);
	}
}

/* ---- what charon calls --------------------------------------------------------------- */

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

int socket(int domain, int type, int protocol)
{
	int (*real)(int, int, int) = next("socket");
	int pair[2], fd = -1;

	if (domain != AF_NETLINK || protocol != NETLINK_XFRM)
		return real(domain, type, protocol);
	pthread_mutex_lock(&lock);
	if (n_stubs < SOCKETS && !socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		stub[n_stubs].fd = fd = pair[0];
		stub[n_stubs++].other = pair[1];
	}
	pthread_mutex_unlock(&lock);
	return fd;
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	int (*real)(int, const struct sockaddr *, socklen_t) = next("bind");

	return other_end(fd) >= 0 ? 0 : real(fd, addr, len);
}

/* The number may be another socket's next. */
int close(int fd)
{
	int (*real)(int) = next("close");

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < n_stubs; i++)
		if (fd >= 0 && stub[i].fd == fd) {
			real(stub[i].other);
			stub[i] = stub[--n_stubs];
			break;
		}
	pthread_mutex_unlock(&lock);
	return real(fd);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	int (*real)(int, int, int, const void *, socklen_t) = next("setsockopt");

	/* A kernel without XFRM refuses the bypass policy of the IKE socket, which nobody needs here. */
	if (other_end(fd) >= 0 || (level == IPPROTO_IP && name == IP_XFRM_POLICY) ||
	    (level == IPPROTO_IPV6 && name == IPV6_XFRM_POLICY))
		return 0;
	return real(fd, level, name, value, len);
}

ssize_t sendto(int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = next("sendto");
	const struct nlmsghdr *h = buf;

	if (other_end(fd) < 0)
		return real(fd, buf, len, flags, to, to_len);
	pthread_mutex_lock(&lock);
	if (NLMSG_OK(h, (unsigned int)len))
		serve(fd, h);
	pthread_mutex_unlock(&lock);
	return (ssize_t)len;
}
