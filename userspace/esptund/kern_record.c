// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The back end for tests: SAs go, with their keys, into a file of JSON lines instead of
 * into the kernel, so that a negotiation can be checked on a machine without the module.
 * What the file holds when it is opened counts as installed, so a restart can be tried too.
 *
 * Lines: {"op": "spi-alloc" | "sa-add" | "sa-activate" | "sa-del" | "device-add" | "device-del", ...}
 */
#include "kern_back.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "addr.h"
#include "conf_value.h"

#define SPI_MIN 256	/* RFC 4303 2.1: 1..255 are reserved */

struct recorded_sa {
	struct recorded_sa *next;
	char device[IFNAMSIZ];
	enum ike_dir dir;
	uint32_t spi;
	bool reserved;		/* SPI handed out, SA not added yet */
	bool pending;		/* outbound, not activated yet */
	struct ike_selector sel;
	struct ike_addr peer;	/* with UDP encapsulation; family 0: without */
	uint8_t cookie[IKE_SA_COOKIE_LEN];
};

struct record {
	FILE *file;
	struct recorded_sa *sas;
};

/* ---- table -------------------------------------------------------------------------------- */

/* Stands for the ifindex that a file does not have. */
static uint32_t link_of(const char *device)
{
	uint32_t h = 2166136261u;

	for (; *device; device++)
		h = (h ^ (unsigned char)*device) * 16777619u;
	return h;
}

static struct recorded_sa **find(struct record *r, const char *device, enum ike_dir dir, uint32_t spi)
{
	struct recorded_sa **p = &r->sas;

	while (*p && ((*p)->spi != spi || (*p)->dir != dir || strcmp((*p)->device, device)))
		p = &(*p)->next;
	return p;
}

static struct recorded_sa *add(struct record *r, const char *device, enum ike_dir dir, uint32_t spi)
{
	struct recorded_sa *sa = calloc(1, sizeof(*sa));

	if (!sa)
		return NULL;
	snprintf(sa->device, sizeof(sa->device), "%s", device);
	sa->dir = dir;
	sa->spi = spi;
	sa->next = r->sas;
	r->sas = sa;
	return sa;
}

static void drop(struct recorded_sa **p)
{
	struct recorded_sa *sa = *p;

	*p = sa->next;
	free(sa);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static struct json_object *line_new(const char *op, const char *device)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "op", json_object_new_string(op));
	json_object_object_add(o, "device", json_object_new_string(device));
	return o;
}

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void put_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

static void put_spi(struct json_object *o, const char *key, uint32_t spi)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", spi);
	put_text(o, key, text);
}

static void put_hex(struct json_object *o, const char *key, const uint8_t *data, size_t len)
{
	char text[2 * 256 + 1] = "";

	for (size_t i = 0; i < len && i < 256; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	put_text(o, key, text);
}

static void put_dir(struct json_object *o, enum ike_dir dir)
{
	put_text(o, "dir", dir == IKE_IN ? "in" : "out");
}

static int write_line(struct kern *k, struct record *r, struct json_object *o)
{
	int bad = fprintf(r->file, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN)) < 0 ||
		  fflush(r->file);

	json_object_put(o);
	return bad ? kern_fail(k, -EIO, "cannot write the record: %s", strerror(errno)) : 0;
}

static void put_net(struct json_object *o, const char *key, const struct ike_net *net)
{
	struct ike_addr a = { .family = net->family };
	char ip[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX + 8];

	memcpy(a.ip, net->ip, sizeof(a.ip));
	snprintf(text, sizeof(text), "%s/%u", addr_format_ip(&a, ip, sizeof(ip)), net->prefix);
	put_text(o, key, net->prefix ? text : "any");
}

static void put_sa(struct json_object *o, const struct ike_sa *sa)
{
	char text[ADDR_TEXT_MAX];

	put_text(o, "tunnel", sa->tunnel);
	put_dir(o, sa->dir);
	put_spi(o, "spi", sa->spi);
	put_text(o, "local", addr_format_ip(&sa->path.local, text, sizeof(text)));
	put_text(o, "remote", addr_format_ip(&sa->path.remote, text, sizeof(text)));
	if (sa->path.local.port) {
		put_number(o, "encap_local_port", sa->path.local.port);
		put_number(o, "encap_peer_port", sa->path.remote.port);
		put_number(o, "keepalive", sa->keepalive);
		json_object_object_add(o, "follow_peer", json_object_new_boolean(sa->follow_peer));
	}
	put_text(o, "proposal", ike_p2_format(&sa->alg, text, sizeof(text)));
	put_number(o, "transform", sa->alg.transform);
	put_number(o, "key_bits", sa->alg.key_bits);
	put_number(o, "auth", sa->alg.auth);
	put_number(o, "pfs_group", sa->alg.group);
	json_object_object_add(o, "esn", json_object_new_boolean(sa->alg.esn));
	put_hex(o, "encr_key", sa->encr_key, sa->encr_key_len);
	put_hex(o, "auth_key", sa->auth_key, sa->auth_key_len);
	put_number(o, "replay_window", sa->replay_window);
	if (sa->dir == IKE_OUT) {
		put_spi(o, "partner_spi", sa->partner_spi);
		json_object_object_add(o, "pending", json_object_new_boolean(sa->pending));
	}
	put_net(o, "local_net", &sa->local_net);
	put_net(o, "remote_net", &sa->remote_net);
	put_number(o, "soft_bytes", sa->soft_bytes);
	put_number(o, "hard_bytes", sa->hard_bytes);
	put_hex(o, "cookie", sa->cookie, sizeof(sa->cookie));
}

/* ---- reading what an earlier run has recorded ------------------------------------------ */

static const char *get_text(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : "";
}

static bool get_bool(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static struct ike_addr get_peer(struct json_object *o)
{
	struct ike_addr a = { .family = 0 };
	struct json_object *v;

	if (!json_object_object_get_ex(o, "encap_peer_port", &v) || conf_parse_addr(get_text(o, "remote"), &a))
		return a;
	a.port = (uint16_t)json_object_get_int(v);
	return a;
}

static void get_hex(struct json_object *o, const char *key, uint8_t *data, size_t len)
{
	const char *text = get_text(o, key);
	unsigned int octet;

	for (size_t i = 0; i < len && sscanf(text + 2 * i, "%2x", &octet) == 1; i++)
		data[i] = (uint8_t)octet;
}

/* As put_net() wrote it; "any" where nothing stands. */
static struct ike_net get_net(struct json_object *o, const char *key)
{
	struct ike_net net = { .family = 4 };

	conf_parse_net(get_text(o, key), &net);
	return net;
}

static void replay_line(struct record *r, struct json_object *o)
{
	const char *op = get_text(o, "op");
	enum ike_dir dir = strcmp(get_text(o, "dir"), "in") ? IKE_OUT : IKE_IN;
	uint32_t spi = (uint32_t)strtoul(get_text(o, "spi"), NULL, 16);
	struct recorded_sa **p = find(r, get_text(o, "device"), dir, spi), *sa;

	if (!strcmp(op, "sa-add")) {
		sa = *p ? *p : add(r, get_text(o, "device"), dir, spi);
		if (!sa)
			return;
		sa->pending = get_bool(o, "pending");
		sa->sel = (struct ike_selector){ get_net(o, "local_net"), get_net(o, "remote_net") };
		sa->peer = get_peer(o);
		get_hex(o, "cookie", sa->cookie, sizeof(sa->cookie));
	} else if (!strcmp(op, "sa-activate") && *p) {
		(*p)->pending = false;
	} else if (!strcmp(op, "sa-del") && *p) {
		drop(p);
	}
}

static void replay_file(struct record *r)
{
	struct json_object *o;
	char *line = NULL;
	size_t size = 0;

	rewind(r->file);
	while (getline(&line, &size, r->file) >= 0) {
		o = json_tokener_parse(line);
		if (o)
			replay_line(r, o);
		json_object_put(o);
	}
	if (line)
		explicit_bzero(line, size);
	free(line);
	/* Back to writing: required between a read and a write, and clears the end of file. */
	fseek(r->file, 0, SEEK_END);
}

/* ---- back end ---------------------------------------------------------------------------- */

static void record_close(void *back)
{
	struct record *r = back;

	while (r->sas)
		drop(&r->sas);
	if (r->file)
		fclose(r->file);
	free(r);
}

static int record_device_ensure(struct kern *k, void *back, const struct kern_device *dev)
{
	return dev->create ? write_line(k, back, line_new("device-add", dev->device)) : 0;
}

static int record_device_del(struct kern *k, void *back, const char *device)
{
	return write_line(k, back, line_new("device-del", device));
}

static int record_spi_alloc(struct kern *k, void *back, const char *device, uint32_t *spi)
{
	struct record *r = back;
	struct recorded_sa *sa;
	struct json_object *o;

	do {
		if (getrandom(spi, sizeof(*spi), 0) != sizeof(*spi))
			return kern_fail(k, -EIO, "no random number");
	} while (*spi < SPI_MIN || *find(r, device, IKE_IN, *spi));
	sa = add(r, device, IKE_IN, *spi);
	if (!sa)
		return kern_fail(k, -ENOMEM, "out of memory");
	sa->reserved = true;
	o = line_new("spi-alloc", device);
	put_dir(o, IKE_IN);
	put_spi(o, "spi", *spi);
	return write_line(k, r, o);
}

static int record_sa_add(struct kern *k, void *back, const char *device, const struct ike_sa *sa, uint32_t *link)
{
	struct record *r = back;
	struct recorded_sa *rec = *find(r, device, sa->dir, sa->spi);
	struct json_object *o;

	if (rec && !rec->reserved)
		return kern_fail(k, -EEXIST, "SPI %08x is in use", sa->spi);
	if (!rec)
		rec = add(r, device, sa->dir, sa->spi);
	if (!rec)
		return kern_fail(k, -ENOMEM, "out of memory");
	*link = link_of(device);
	rec->reserved = false;
	rec->pending = sa->dir == IKE_OUT && sa->pending;
	rec->sel = (struct ike_selector){ sa->local_net, sa->remote_net };
	rec->peer = sa->path.local.port ? sa->path.remote : (struct ike_addr){ .family = 0 };
	memcpy(rec->cookie, sa->cookie, sizeof(rec->cookie));
	o = line_new("sa-add", device);
	put_sa(o, sa);
	return write_line(k, r, o);
}

static int record_sa_activate(struct kern *k, void *back, const char *device, uint32_t spi)
{
	struct record *r = back;
	struct recorded_sa *sa = *find(r, device, IKE_OUT, spi);
	struct json_object *o;

	if (!sa)
		return kern_fail(k, -ENOENT, "there is no outbound SA %08x", spi);
	sa->pending = false;
	o = line_new("sa-activate", device);
	put_dir(o, IKE_OUT);
	put_spi(o, "spi", spi);
	return write_line(k, r, o);
}

static int record_sa_del(struct kern *k, void *back, const char *device, enum ike_dir dir, uint32_t spi)
{
	struct record *r = back;
	struct recorded_sa **p = find(r, device, dir, spi);
	struct json_object *o;

	if (!*p)
		return kern_fail(k, -ENOENT, "there is no such SA %08x", spi);
	drop(p);
	o = line_new("sa-del", device);
	put_dir(o, dir);
	put_spi(o, "spi", spi);
	return write_line(k, r, o);
}

static int record_dump(struct kern *k, void *back, kern_found_fn fn, void *arg)
{
	struct record *r = back;

	for (struct recorded_sa *sa = r->sas; sa; sa = sa->next) {
		struct kern_found f = {
			.device = sa->device, .link = link_of(sa->device), .dir = sa->dir, .spi = sa->spi, .pending = sa->pending,
			.cookie = sa->cookie, .sel = sa->sel, .peer = sa->peer,
		};

		if (!sa->reserved)
			fn(k, &f, arg);
	}
	return 0;
}

/* No packet goes through a file. */
static int record_address(struct kern *k, void *back, const char *device, const struct ike_addr *a, bool add)
{
	struct json_object *o = line_new(add ? "address-add" : "address-del", device);
	char text[ADDR_TEXT_MAX];

	put_text(o, "address", addr_format_ip(a, text, sizeof(text)));
	return write_line(k, back, o);
}

static int record_sa_last(struct kern *k, void *back, const char *device, uint32_t spi, ike_time *at)
{
	if (!*find(back, device, IKE_IN, spi))
		return kern_fail(k, -ENOENT, "there is no inbound SA %08x", spi);
	*at = 0;
	return 0;
}

/* There is nobody to take ESP off it. */
static int record_socket_set(struct kern *k, void *back, int fd)
{
	(void)k;
	(void)back;
	(void)fd;
	return 0;
}

static const struct kern_back_ops record_ops = {
	.name = "record",
	.close = record_close,
	.device_ensure = record_device_ensure,
	.device_del = record_device_del,
	.spi_alloc = record_spi_alloc,
	.sa_add = record_sa_add,
	.sa_activate = record_sa_activate,
	.sa_del = record_sa_del,
	.address = record_address,
	.sa_last = record_sa_last,
	.socket_set = record_socket_set,
	.dump = record_dump,
};

struct kern *kern_open_record(const struct kern_env *env, const char *path)
{
	struct record *r = calloc(1, sizeof(*r));
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && r && !fchmod(fd, 0600))
		r->file = fdopen(fd, "a+");
	if (!r || !r->file) {
		log_line(env->log, IKE_LOG_ERROR, "record-open-failed", NULL, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(r);
		return NULL;
	}
	replay_file(r);
	log_line(env->log, IKE_LOG_WARNING, "recording", NULL,
		 "SAs are recorded in %s, with their keys, and not installed: for tests only", path);
	return kern_new(env, &record_ops, r);
}
