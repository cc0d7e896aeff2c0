// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a cell that was taken over can send to the warden: a list of messages, each with fields
 * of the attacker's choice and octets anywhere in it. What passes has the form that was
 * promised, and becomes calls of a recording data plane with two tunnels: nothing is installed
 * for another one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esptund/warden_kern.h"
#include "fuzz/fuzz.h"

#define MESSAGES 8

static const struct kern_device devices[] = {
	{ .tunnel = "paris", .device = "paris0" }, { .tunnel = "rome", .device = "rome0", .roaming = true, .create = true,
	  .takes_address = true },
};

static void on_event(void *ctx, const struct ike_kernel_event *ev)
{
	(void)ctx;
	FUZZ_CHECK(!strcmp(ev->tunnel, "paris") || !strcmp(ev->tunnel, "rome"));
}

static struct kern *open_kern(struct loop *loop, struct log *log)
{
	const struct kern_env env = { .loop = loop, .log = log, .event = on_event };
	char path[] = "/tmp/fuzz-passage.XXXXXX";
	int fd = mkstemp(path);
	struct kern *k;

	FUZZ_CHECK(fd >= 0);
	close(fd);
	k = kern_open_record(&env, path);
	unlink(path);
	FUZZ_CHECK(k);
	kern_devices_set(k, devices, 2);
	return k;
}

/* A sane message, then octets of the input over it. */
static void fill(struct passage_msg *m, struct fuzz_input *in)
{
	static const char *const tunnels[] = { "paris", "rome", "london", "" };
	uint8_t flags;

	passage_init(m, fuzz_take8(in) % (PASSAGE_N_TYPES + 1));
	flags = fuzz_take8(in);
	m->has_tunnel = !(flags & 1);
	snprintf(m->tunnel, sizeof(m->tunnel), "%s", tunnels[flags >> 1 & 3]);
	m->sa.dir = flags & 8 ? IKE_OUT : IKE_IN;
	m->sa.spi = flags & 16 ? fuzz_take8(in) : 0x1000u + (flags >> 5);
	m->sa.alg = (struct ike_p2_proposal){ .transform = 20, .key_bits = 128 };
	m->sa.encr_key_len = 20;
	for (unsigned int n = fuzz_take8(in) % 4; n; n--) {
		size_t at = fuzz_take16(in) % sizeof(*m), got;
		const uint8_t *octets = fuzz_take(in, 1 + fuzz_take8(in) % 16, &got);

		memcpy((char *)m + at, octets, got < sizeof(*m) - at ? got : sizeof(*m) - at);
	}
}

static void check_form(const struct passage_msg *m)
{
	FUZZ_CHECK(m->type < PASSAGE_N_TYPES);
	FUZZ_CHECK(strlen(m->tunnel) < sizeof(m->tunnel) && strlen(m->text) < sizeof(m->text));
	FUZZ_CHECK(!m->sa.tunnel || m->sa.tunnel == m->tunnel);
	fuzz_touch(m->sa.encr_key, m->sa.encr_key_len);
	fuzz_touch(m->sa.auth_key, m->sa.auth_key_len);
	FUZZ_CHECK(m->sa.auth_key + m->sa.auth_key_len <= m->keys + sizeof(m->keys));
}

static void one(struct kern *k, int pair[2], struct fuzz_input *in)
{
	struct passage_msg m, got;
	struct passage_tail tail;
	uint8_t extra = 0;
	size_t len;

	fill(&m, in);
	len = fuzz_take8(in);
	/* Now and then of another length. */
	len = len < 4 ? sizeof(m) - len * 100 : sizeof(m);
	FUZZ_CHECK(send(pair[1], &m, len, 0) == (ssize_t)len);
	if (!passage_receive(pair[0], false, &got, &tail, NULL)) {
		check_form(&got);
		FUZZ_CHECK(len == sizeof(m));
		if (warden_kern(k, &got)) {
			FUZZ_CHECK(!strcmp(got.tunnel, "paris") || !strcmp(got.tunnel, "rome") || got.err ||
				   got.type == PASSAGE_ADOPT || got.type == PASSAGE_SA_DEL);
			for (size_t i = 0; i < sizeof(got.keys); i++)
				extra |= got.keys[i];
			FUZZ_CHECK(!extra);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct log_options lo = { .fd = -1, .level = IKE_LOG_DEBUG, .per_second = 1 };
	struct fuzz_input in = { data, len };
	struct loop *loop = loop_new();
	struct log *log = log_new(&lo);
	struct kern *k = open_kern(loop, log);
	int pair[2];

	FUZZ_CHECK(!passage_pair(pair));
	for (int i = 0; i < MESSAGES && in.left; i++)
		one(k, pair, &in);
	close(pair[0]);
	close(pair[1]);
	kern_close(k);
	log_free(log);
	loop_free(loop);
	return 0;
}
