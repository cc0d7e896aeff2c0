// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund/run.c with an engine that the test plays: actions are done in order, each is
 * answered once, and what happens meanwhile waits its turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "esptund/kern_back.h"
#include "esptund/run.h"

/* ---- the engine's part, played by the test -------------------------------------------- */

struct ike_engine {
	struct ike_action queue[16];
	unsigned int first, end;
	char story[1024];
	bool freed;
};

static struct ike_engine engine;

static void tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *fmt, ...)
{
	size_t len = strlen(engine.story);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(engine.story + len, sizeof(engine.story) - len, fmt, ap);
	va_end(ap);
}

static void queue(struct ike_action act)
{
	engine.queue[engine.end++] = act;
}

struct ike_engine *ike_engine_new(const struct ike_env *env)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };

	memset(&engine, 0, sizeof(engine));
	/* Randomness is there from the start and is not twice the same. */
	env->random(env->ctx, a, sizeof(a));
	env->random(env->ctx, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	return &engine;
}

void ike_engine_free(struct ike_engine *e)
{
	e->freed = true;
}

bool ike_next_action(struct ike_engine *e, struct ike_action *act)
{
	if (e->first == e->end)
		return false;
	*act = e->queue[e->first++];
	return true;
}

void ike_xauth_answer(struct ike_engine *e, uint64_t id, bool ok, ike_time now)
{
	(void)e;
	(void)now;
	tell("login %d %s; ", (int)id, ok ? "ok" : "refused");
}

void ike_kernel_event(struct ike_engine *e, const struct ike_kernel_event *ev, ike_time now)
{
	(void)e;
	(void)now;
	switch (ev->type) {
	case IKE_KEV_DONE:
		tell("done %d %s; ", (int)ev->id, ev->tunnel);
		if (ev->id == 1)	/* an SPI: now the SA */
			queue((struct ike_action){ .type = IKE_ACT_SA_ADD, .id = 2, .tunnel = "paris",
				.sa = { .tunnel = "paris", .dir = IKE_IN, .spi = ev->spi, .alg = { .transform = 20, .key_bits = 128 } } });
		break;
	case IKE_KEV_FAILED:
		tell("failed %d %s; ", (int)ev->id, ev->text);
		break;
	case IKE_KEV_DELETED:
		tell("deleted %x; ", ev->spi);
		queue((struct ike_action){ .type = IKE_ACT_LOG, .log = { .level = IKE_LOG_ERROR, .event = "gone", .text = "x" } });
		break;
	default:
		tell("event %d; ", ev->type);
	}
}

void ike_datagram(struct ike_engine *e, const struct ike_path *path, const void *data, size_t len, ike_time now)
{
	(void)e;
	(void)path;
	(void)now;
	tell("datagram %.*s; ", (int)len, (const char *)data);
}

ike_time ike_deadline(const struct ike_engine *e)
{
	(void)e;
	return 1234;
}

void ike_expire(struct ike_engine *e, ike_time now)
{
	(void)e;
	tell("expire %d; ", (int)now);
}

int ike_configure(struct ike_engine *e, const struct ike_config *cfg, ike_time now)
{
	(void)e;
	(void)now;
	tell("configure %zu; ", cfg->n_tunnels);
	return cfg->n_tunnels ? 0 : -IKE_E_NOMEM;
}

void ike_local_addresses(struct ike_engine *e, bool (*here)(void *ctx, const struct ike_addr *addr), void *ctx, ike_time now)
{
	(void)e;
	(void)here;
	(void)ctx;
	(void)now;
}

int ike_command(struct ike_engine *e, enum ike_command cmd, const char *tunnel, ike_time now)
{
	(void)e;
	(void)now;
	tell("command %d %s; ", cmd, tunnel);
	return 0;
}

/* ---- a data plane that fails when told to ---------------------------------------------- */

static bool refuse_add;
static struct kern *event_from;	/* report a deletion from inside the next sa_del */

static void back_close(void *back)
{
	(void)back;
}

static int back_device(struct kern *k, void *back, const struct kern_device *dev)
{
	(void)k, (void)back, (void)dev;
	return 0;
}

static int back_alloc(struct kern *k, void *back, const char *device, uint32_t *spi)
{
	(void)k, (void)back;
	tell("[alloc %s] ", device);
	*spi = 0x1001;
	return 0;
}

static int back_add(struct kern *k, void *back, const char *device, const struct ike_sa *sa, uint32_t *link)
{
	(void)back, (void)device;
	tell("[add %x] ", sa->spi);
	*link = 1;
	return refuse_add ? kern_fail(k, -22, "no such cipher") : 0;
}

static int back_activate(struct kern *k, void *back, const char *device, uint32_t spi)
{
	(void)k, (void)back, (void)device;
	tell("[activate %x] ", spi);
	return 0;
}

static int back_del(struct kern *k, void *back, const char *device, enum ike_dir dir, uint32_t spi)
{
	(void)back, (void)device, (void)dir;
	tell("[del %x] ", spi);
	if (event_from)
		kern_report_sa(k, IKE_KEV_DELETED, 1, IKE_IN, 0x1001);
	return 0;
}

static int back_address(struct kern *k, void *back, const char *device, const struct ike_addr *a, bool add)
{
	(void)k, (void)back;
	tell("[%s %s %u.%u] ", add ? "give" : "take", device, a->ip[0], a->ip[3]);
	return 0;
}

static const struct kern_back_ops back_ops = {
	.name = "test", .close = back_close, .device_ensure = back_device, .spi_alloc = back_alloc, .sa_add = back_add,
	.sa_activate = back_activate, .sa_del = back_del, .address = back_address,
};

static bool only_alice(void *ctx, const char *tunnel, const struct ike_login *login)
{
	(void)ctx;
	tell("[%s at %s] ", (const char *)login->user, tunnel);
	return login->user_len == 5 && !memcmp(login->user, "alice", 5);
}

struct fixture {
	struct loop *loop;
	struct log *log;
	struct run *run;
	struct kern *kern;
};

static int setup(void **state)
{
	static const struct kern_device dev = { .tunnel = "paris", .device = "paris0" };
	struct log_options lo = { .fd = -1, .level = IKE_LOG_ERROR, .ring = 8 };
	struct fixture *f = calloc(1, sizeof(*f));
	struct kern_env ke = { .event = run_kernel_event };
	struct run_env re = { .login = only_alice };

	assert_non_null(f);
	refuse_add = false;
	event_from = NULL;
	f->loop = loop_new();
	f->log = log_new(&lo);
	f->run = run_new();
	ke.loop = re.loop = f->loop;
	ke.log = re.log = f->log;
	ke.ctx = f->run;
	f->kern = re.kern = kern_new(&ke, &back_ops, NULL);
	assert_int_equal(kern_devices_set(f->kern, &dev, 1), 0);
	run_attach(f->run, &re);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	run_free(f->run);
	assert_true(engine.freed);
	kern_close(f->kern);
	log_free(f->log);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void an_answer_leads_to_the_next_action(void **state)
{
	struct fixture *f = *state;

	queue((struct ike_action){ .type = IKE_ACT_SPI_ALLOC, .id = 1, .tunnel = "paris" });
	run_command(f->run, IKE_CMD_UP, "paris");
	assert_string_equal(engine.story, "command 0 paris; [alloc paris0] done 1 paris; [add 1001] done 2 paris; ");
}

static void a_refusal_is_told_with_its_reason(void **state)
{
	struct fixture *f = *state;

	refuse_add = true;
	queue((struct ike_action){ .type = IKE_ACT_SPI_ALLOC, .id = 1, .tunnel = "paris" });
	run_expire(f->run, 7);
	assert_string_equal(engine.story, "expire 7; [alloc paris0] done 1 paris; [add 1001] failed 2 no such cipher; ");
}

static void a_tunnel_without_device_fails(void **state)
{
	struct fixture *f = *state;

	queue((struct ike_action){ .type = IKE_ACT_SPI_ALLOC, .id = 1, .tunnel = "rome" });
	run_expire(f->run, 7);
	assert_string_equal(engine.story, "expire 7; failed 1 tunnel \"rome\" has no device; ");
}

static void deletions_want_no_answer(void **state)
{
	struct fixture *f = *state;

	queue((struct ike_action){ .type = IKE_ACT_SA_DEL, .tunnel = "paris", .sa = { .dir = IKE_OUT, .spi = 0x77 } });
	queue((struct ike_action){ .type = IKE_ACT_SA_ACTIVATE, .id = 5, .tunnel = "paris", .sa = { .dir = IKE_OUT, .spi = 0x78 } });
	run_datagram(f->run, &(struct ike_path){ .local = { .family = 0 } }, "abc", 3, 1);
	assert_string_equal(engine.story, "datagram abc; [del 77] [activate 78] done 5 paris; ");
}

static unsigned int lines;

static void count_line(void *ctx, const char *line)
{
	assert_string_equal(line, ctx);
	lines++;
}

static void what_happens_meanwhile_waits(void **state)
{
	struct fixture *f = *state;

	queue((struct ike_action){ .type = IKE_ACT_SPI_ALLOC, .id = 1, .tunnel = "paris" });
	run_expire(f->run, 7);
	engine.story[0] = '\0';
	/* While one SA is deleted another one's deletion is reported: the loop is not entered again. */
	event_from = f->kern;
	queue((struct ike_action){ .type = IKE_ACT_SA_DEL, .tunnel = "paris", .sa = { .dir = IKE_OUT, .spi = 0x77 } });
	queue((struct ike_action){ .type = IKE_ACT_SA_ACTIVATE, .id = 5, .tunnel = "paris", .sa = { .dir = IKE_OUT, .spi = 0x78 } });
	run_expire(f->run, 8);
	assert_string_equal(engine.story, "expire 8; [del 77] deleted 1001; [activate 78] done 5 paris; ");
	/* And the log line it caused was written, after the rest. */
	lines = 0;
	log_recent(f->log, NULL, count_line, (char[]){ "gone: x" });
	assert_int_equal(lines, 1);
}

static void the_rest_is_handed_through(void **state)
{
	struct fixture *f = *state;
	struct ike_tunnel_cfg t = { .name = "paris" };
	struct ike_config cfg = { .tunnel = &t, .n_tunnels = 1 }, none = { .n_tunnels = 0 };

	assert_int_equal(run_configure(f->run, &cfg), 0);
	assert_int_equal(run_configure(f->run, &none), -IKE_E_NOMEM);
	assert_true(run_deadline(f->run) == 1234);
	assert_ptr_equal(run_engine(f->run), &engine);
	assert_string_equal(engine.story, "configure 1; configure 0; ");
}

/* Who may in is asked at once; an address given replaces the one before, and goes when none is given. */
static void logins_and_addresses(void **state)
{
	const struct ike_given one = { .local = { .family = 4, .ip = { 10, 0, 0, 1 } } };
	const struct ike_given two = { .local = { .family = 4, .ip = { 10, 0, 0, 2 } } };
	struct fixture *f = *state;

	queue((struct ike_action){ .type = IKE_ACT_XAUTH, .id = 7, .tunnel = "paris",
				   .login = { (const uint8_t *)"alice", (const uint8_t *)"x", 5, 1 } });
	queue((struct ike_action){ .type = IKE_ACT_XAUTH, .id = 8, .tunnel = "paris",
				   .login = { (const uint8_t *)"mallory", (const uint8_t *)"x", 7, 1 } });
	queue((struct ike_action){ .type = IKE_ACT_ASSIGN, .tunnel = "paris", .given = one });
	queue((struct ike_action){ .type = IKE_ACT_ASSIGN, .tunnel = "paris", .given = one });
	queue((struct ike_action){ .type = IKE_ACT_ASSIGN, .tunnel = "paris", .given = two });
	queue((struct ike_action){ .type = IKE_ACT_ASSIGN, .tunnel = "paris" });
	run_expire(f->run, 1);
	assert_non_null(strstr(engine.story, "[alice at paris] login 7 ok; [mallory at paris] login 8 refused; "
			       "[give paris0 10.1] [give paris0 10.1] [take paris0 10.1] [give paris0 10.2] [take paris0 10.2] "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer_leads_to_the_next_action, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refusal_is_told_with_its_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tunnel_without_device_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(deletions_want_no_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(what_happens_meanwhile_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rest_is_handed_through, setup, teardown),
		cmocka_unit_test_setup_teardown(logins_and_addresses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
