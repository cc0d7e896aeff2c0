// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XAUTH and mode config between two engines: user and password, right and wrong; addresses pulled
 * and pushed; each message lost once; phase 2 before its time; who gets which address and which
 * tunnel; peers with habits of their own.
 */
#include "two_engines.h"

#include "libike/cfgpay.h"
#include "libike/engine.h"
#include "libike/ikesa.h"
#include "libike/lease.h"
#include "libike/transaction.h"
#include "libike/xauth.h"

#define P1 "aes128-sha256-ecp256"
#define P2 "aes128gcm16-ecp256"

static bool both_done(struct world *w)
{
	return tunnel_works(w) && counters(w, ALICE).p2_established && counters(w, BOB).p2_established;
}

static void id(struct ike_id *to, const char *text)
{
	assert_int_equal(ike_id_parse(text, to), 0);
}

static void password(struct ike_tunnel_cfg *t, const char *text)
{
	t->xauth_password_len = strlen(text);
	t->xauth_password = malloc(t->xauth_password_len);
	memcpy(t->xauth_password, text, t->xauth_password_len);
}

static void cfg_free(struct ike_tunnel_cfg *t)
{
	free(t->psk);
	free(t->xauth_password);
}

/* A is the client, B the server. */
static void login(struct ike_tunnel_cfg *t, int who)
{
	t->xauth = who == ALICE ? IKE_XAUTH_CLIENT : IKE_XAUTH_SERVER;
	if (who != ALICE)
		return;
	snprintf(t->xauth_user, sizeof(t->xauth_user), "alice");
	password(t, "wonderland");
}

static void pull(struct ike_tunnel_cfg *t, int who)
{
	t->modecfg = IKE_MODECFG_PULL;
	if (who == ALICE)
		return;
	t->pool_first = v4("10.9.0.10");
	t->pool_last = v4("10.9.0.11");
	t->dns[0] = v4("10.9.0.1");
	t->dns[1] = v4("10.9.0.2");
	t->n_dns = 2;
}

static void push(struct ike_tunnel_cfg *t, int who)
{
	pull(t, who);
	t->modecfg = IKE_MODECFG_PUSH;
}

static void login_and_pull(struct ike_tunnel_cfg *t, int who)
{
	login(t, who);
	pull(t, who);
}

static void login_and_push(struct ike_tunnel_cfg *t, int who)
{
	login(t, who);
	push(t, who);
}

static void login_aggressive(struct ike_tunnel_cfg *t, int who)
{
	login_and_pull(t, who);
	t->aggressive = t->aggressive_psk = true;
}

static void server_begins(struct ike_tunnel_cfg *t, int who)
{
	login(t, who);
	t->start = who == BOB ? IKE_START_AUTO : IKE_START_RESPOND;
}

static struct world *make_world(void (*change)(struct ike_tunnel_cfg *t, int who))
{
	struct world *w = world_empty(21);
	int i;

	w->side[BOB].user = "alice";
	w->side[BOB].password = "wonderland";
	for (i = 1; i >= 0; i--) {
		struct ike_tunnel_cfg t;

		tunnel_cfg(&t, i, P1, P2);
		change(&t, i);
		assert_int_equal(side_configure(w, i, &t), 0);
		cfg_free(&t);
	}
	return w;
}

static bool is_address(const struct ike_addr *a, const char *text)
{
	return a->family == 4 && !memcmp(a->ip, v4(text).ip, 4);
}

/* ---- XAUTH -------------------------------------------------------------------------------------- */

/* REQUEST, REPLY, SET, ACK between phase 1 and phase 2. */
static void user_and_password(void **state)
{
	struct world *w = make_world(login);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:MM1 B:MM2 A:MM3 B:MM4 A:MM5 B:MM6 B:TR1 A:TR2 B:TR1 A:TR2 A:QM1 B:QM2 A:QM3");
	assert_string_equal(w->side[BOB].login, "alice/wonderland");
	assert_int_equal(counters(w, ALICE).xauth_ok, 1);
	assert_int_equal(counters(w, BOB).xauth_ok, 1);
	world_free(w);
}

static void in_aggressive_mode(void **state)
{
	struct world *w = make_world(login_aggressive);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_string_equal(w->trace, "A:AM1 B:AM2 A:AM3 B:TR1 A:TR2 B:TR1 A:TR2 A:TR1 B:TR2 A:QM1 B:QM2 A:QM3");
	world_free(w);
}

/* Method 65002: the responder of phase 1 is the one who is asked. */
static void server_begins_phase1(void **state)
{
	struct world *w = make_world(server_begins);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_non_null(strstr(w->trace, "B:MM5 A:MM6 B:TR1 A:TR2 B:TR1 A:TR2 B:QM1"));
	world_free(w);
}

static void methods_have_their_numbers(void **state)
{
	struct ike_tunnel_cfg t = { .xauth = IKE_XAUTH_CLIENT };
	unsigned int base;

	(void)state;
	assert_int_equal(ike_xauth_method(&t, IKE_AUTH_PSK, true), 65001);
	assert_int_equal(ike_xauth_method(&t, IKE_AUTH_PSK, false), 65002);
	assert_int_equal(ike_xauth_method(&t, 3, true), 65005);
	assert_int_equal(ike_xauth_method(&t, 3, false), 65006);
	t.xauth = IKE_XAUTH_SERVER;
	assert_int_equal(ike_xauth_method(&t, IKE_AUTH_PSK, true), 65002);
	assert_int_equal(ike_xauth_method(&t, 3, false), 65005);
	for (base = 1; base <= 5; base++) {
		assert_int_equal(ike_xauth_base(ike_xauth_method(&t, (uint16_t)base, true)), base);
		assert_int_equal(ike_xauth_base(ike_xauth_method(&t, (uint16_t)base, false)), base);
	}
	t.xauth = IKE_XAUTH_OFF;
	assert_int_equal(ike_xauth_method(&t, IKE_AUTH_PSK, true), IKE_AUTH_PSK);
}

/* Nothing is installed, both logs say why, the client waits before it tries again. */
static void wrong_password(void **state)
{
	struct world *w = make_world(login);

	(void)state;
	w->side[BOB].password = "another";
	run_for(w, 4 * IKE_SECOND);
	assert_int_equal(counters(w, ALICE).p1_established, 0);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	assert_int_equal(counters(w, ALICE).xauth_failed, 1);
	assert_int_equal(counters(w, BOB).xauth_failed, 1);
	assert_non_null(find_log(w, ALICE, "xauth-failed"));
	assert_non_null(strstr(find_log(w, BOB, "xauth-failed")->text, "alice"));
	assert_null(strstr(find_log(w, BOB, "xauth-failed")->text, "wonderland"));
	assert_null(strstr(w->trace, "QM"));
	assert_int_equal(counters(w, BOB).p1_now, 0);
	w->side[BOB].password = "wonderland";
	assert_true(run_until(w, both_done, 60 * IKE_SECOND));
	world_free(w);
}

static void nothing_offered_in_common(struct ike_tunnel_cfg *t, int who)
{
	if (who == ALICE)
		login(t, who);
}

/* A method with XAUTH is not one without: the refusal says so. */
static void both_must_want_it(void **state)
{
	struct world *w = make_world(nothing_offered_in_common);
	const struct log_entry *l;

	(void)state;
	run_for(w, 3 * IKE_SECOND);
	l = find_log(w, BOB, "no-proposal");
	assert_non_null(l);
	assert_non_null(strstr(l->text, "offered with XAUTH of the initiator"));
	assert_int_equal(counters(w, BOB).p1_now, 0);
	world_free(w);
}

/* Whoever knows the group's key could play the server. */
static void a_group_key_needs_the_word_insecure(void **state)
{
	struct ike_tunnel_cfg t;
	struct ike_config cfg = { .tunnel = &t, .n_tunnels = 1 };
	char why[300];

	(void)state;
	tunnel_cfg(&t, ALICE, P1, P2);
	login(&t, ALICE);
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), 0);
	t.policy = IKE_POLICY_LEGACY;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), -IKE_E_INVALID);
	assert_non_null(strstr(why, "policy = insecure"));
	cfg_free(&t);
}

/* Two tunnels that share an ISAKMP SA, one with and one without: the latter would open the former. */
static void no_way_around_the_login(void **state)
{
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
	char why[300];
	int i;

	(void)state;
	for (i = 0; i < 2; i++)
		tunnel_cfg(&t[i], BOB, P1, P2);
	snprintf(t[1].name, sizeof(t[1].name), "other");
	t[1].sel[0].local.prefix = 8;
	t[1].sel[0].local.ip[0] = 10;
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), 0);
	login(&t[1], BOB);
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), -IKE_E_INVALID);
	assert_non_null(strstr(why, "xauth must be the same"));
	login(&t[0], BOB);
	assert_int_equal(ike_config_check(&cfg, why, sizeof(why), NULL), 0);
	cfg_free(&t[0]);
	cfg_free(&t[1]);
}

/* ---- loss ---------------------------------------------------------------------------------------- */

static unsigned int nth_transaction;

static unsigned int lose_nth(struct world *w, struct packet *p)
{
	return p->name[0] != 'T' || w->seen++ != nth_transaction;
}

static void each_message_lost_once(void **state)
{
	static void (*const changes[])(struct ike_tunnel_cfg *t, int who) = { login_and_pull, login_and_push, login_aggressive };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		for (nth_transaction = 0; nth_transaction < 6; nth_transaction++) {
			struct world *w = make_world(changes[i]);

			w->wire = lose_nth;
			if (!run_until(w, both_done, 30 * IKE_SECOND))
				fail_msg("%zu, transaction message %u lost: %s", i, nth_transaction, w->trace);
			assert_int_equal(counters(w, ALICE).p1_established, 1);
			assert_int_equal(counters(w, BOB).p1_established, 1);
			assert_int_equal(counters(w, BOB).xauth_ok, 1);
			run_for(w, 200 * IKE_SECOND);
			assert_int_equal(counters(w, ALICE).exchanges_now, 1);	/* phase 1's */
			assert_int_equal(counters(w, BOB).exchanges_now, 1);
			world_free(w);
		}
	}
}

static void nobody_decides(void **state)
{
	struct world *w = make_world(login);

	(void)state;
	w->side[BOB].mute = true;
	run_for(w, 100 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 0);
	assert_non_null(find_log(w, BOB, "timeout"));
	assert_non_null(strstr(find_log(w, ALICE, "auth-failed")->text, "before XAUTH was through"));
	assert_null(strstr(w->trace, "QM"));
	world_free(w);
}

/* ---- before its time ------------------------------------------------------------------------------- */

static unsigned int no_login(struct world *w, struct packet *p)
{
	(void)w;
	return p->name[0] != 'T';
}

static bool authenticated(struct world *w)
{
	return w->side[BOB].e->ikesas && w->side[BOB].e->ikesas->authenticated;
}

/* The client does not begin quick mode, and the server would not take it. */
static void no_phase_2_before_the_login(void **state)
{
	struct world *w = make_world(login);
	struct ike_ikesa *sa;

	(void)state;
	w->wire = no_login;
	assert_true(run_until(w, authenticated, 5 * IKE_SECOND));
	run_for(w, 5 * IKE_SECOND);
	assert_null(strstr(w->trace, "QM"));
	for (sa = w->side[ALICE].e->ikesas; sa && !sa->authenticated; sa = sa->next)
		;
	assert_non_null(sa);
	sa->established = true;		/* a client that does not care */
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P2, "paris", w->now), 0);
	run_for(w, 3 * IKE_SECOND);
	assert_non_null(strstr(w->trace, "A:QM1"));
	assert_null(strstr(w->trace, "B:QM"));
	assert_non_null(find_log(w, BOB, "unexpected"));
	sa->established = false;
	world_free(w);
}

/* An ISAKMP SA whose user is not in yet replaces none that is. */
static void a_login_replaces_nothing_before_it_is_through(void **state)
{
	struct world *w = make_world(login);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	w->side[BOB].password = "changed meanwhile";
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	run_for(w, 4 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).xauth_failed, 1);
	assert_true(tunnel_works(w));
	assert_int_equal(counters(w, BOB).p1_established, 1);
	assert_int_equal(counters(w, BOB).p1_rekeyed, 0);
	world_free(w);
}

/* ---- mode config ------------------------------------------------------------------------------------ */

static void check_address(struct world *w)
{
	assert_true(is_address(&w->side[ALICE].given.local, "10.9.0.10"));
	assert_int_equal(w->side[ALICE].given.n_dns, 2);
	assert_true(is_address(&w->side[ALICE].given.dns[1], "10.9.0.2"));
	assert_true(is_address(&w->side[BOB].given.remote, "10.9.0.10"));
	assert_int_equal(active_out(&w->side[ALICE])->local_net.prefix, 32);
	assert_memory_equal(active_out(&w->side[ALICE])->local_net.ip, v4("10.9.0.10").ip, 4);
	assert_int_equal(active_out(&w->side[BOB])->remote_net.prefix, 32);
	assert_int_equal(active_out(&w->side[BOB])->local_net.prefix, 0);
}

static void address_is_pulled(void **state)
{
	struct world *w = make_world(pull);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_non_null(strstr(w->trace, "B:MM6 A:TR1 B:TR2 A:QM1"));
	check_address(w);
	world_free(w);
}

static void address_is_pushed(void **state)
{
	struct world *w = make_world(login_and_push);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_non_null(strstr(w->trace, "B:TR1 A:TR2 B:TR1 A:TR2 B:TR1 A:TR2 A:QM1"));
	check_address(w);
	world_free(w);
}

static void only_server(struct ike_tunnel_cfg *t, int who)
{
	if (who == BOB)
		pull(t, who);
}

/* A client that never asks gets no address, but its tunnel. */
static void a_client_need_not_ask(void **state)
{
	struct world *w = make_world(only_server);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_null(strstr(w->trace, "TR"));
	assert_int_equal(w->side[BOB].given.remote.family, 0);
	world_free(w);
}

static void only_client(struct ike_tunnel_cfg *t, int who)
{
	if (who == ALICE)
		pull(t, who);
}

static void a_server_that_gives_none(void **state)
{
	struct world *w = make_world(only_client);

	(void)state;
	run_for(w, 100 * IKE_SECOND);
	assert_null(active_out(&w->side[ALICE]));
	assert_non_null(find_log(w, BOB, "unexpected"));
	assert_non_null(find_log(w, ALICE, "timeout"));
	world_free(w);
}

/* It stays over rekeys and a new connection, and goes with the command. */
static void the_address_stays(void **state)
{
	struct world *w = make_world(login_and_pull);

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_REKEY_P1, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(counters(w, BOB).p1_established, 2);
	check_address(w);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_DOWN, "paris", w->now), 0);
	run_for(w, 5 * IKE_SECOND);
	assert_int_equal(w->side[ALICE].given.local.family, 0);
	assert_int_equal(ike_command(w->side[ALICE].e, IKE_CMD_UP, "paris", w->now), 0);
	assert_true(run_until(w, tunnel_works, 10 * IKE_SECOND));
	check_address(w);
	world_free(w);
}

/* By owner, by wish, the next free one, then the one whose owner has gone longest; never one in use. */
static void leases(void **state)
{
	struct world *w = make_world(pull);
	struct ike_tunnel *t = w->side[BOB].e->tunnels;
	struct ike_id a, b, c;
	struct ike_addr got;

	(void)state;
	id(&a, "fqdn:a.example");
	id(&b, "fqdn:b.example");
	id(&c, "fqdn:c.example");
	assert_true(ike_lease_get(t, &a, v4("10.9.0.11").ip, &got));
	assert_true(is_address(&got, "10.9.0.11"));
	assert_true(ike_lease_get(t, &b, v4("10.9.0.11").ip, &got));
	assert_true(is_address(&got, "10.9.0.10"));
	assert_true(ike_lease_get(t, &a, v4("10.9.0.10").ip, &got));
	assert_true(is_address(&got, "10.9.0.11"));
	assert_true(ike_lease_get(t, &c, v4("192.0.2.99").ip, &got));
	assert_true(is_address(&got, "10.9.0.10"));	/* b has gone longest */
	assert_true(ike_lease_get(t, &b, NULL, &got));
	assert_true(is_address(&got, "10.9.0.11"));
	world_free(w);
}

static void small_pool(struct ike_tunnel_cfg *t, int who)
{
	pull(t, who);
	if (who == BOB)
		t->pool_first = t->pool_last;
}

static void an_address_in_use_is_not_given_again(void **state)
{
	struct world *w = make_world(small_pool);
	struct ike_id a;
	struct ike_addr got;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	id(&a, "fqdn:a.example");
	assert_false(ike_lease_get(w->side[BOB].e->tunnels, &a, NULL, &got));
	world_free(w);
}

/* ---- which tunnel --------------------------------------------------------------------------------------- */

/* Two tunnels with the same ends and key, one for each user: the login chooses. */
static void the_user_chooses_the_tunnel(void **state)
{
	struct world *w = make_world(login);
	struct ike_tunnel_cfg t[2];
	struct ike_config cfg = { .tunnel = t, .n_tunnels = 2 };
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		tunnel_cfg(&t[i], BOB, P1, P2);
		login(&t[i], BOB);
		snprintf(t[i].name, sizeof(t[i].name), i ? "paris" : "other");
		snprintf(t[i].xauth_user, sizeof(t[i].xauth_user), i ? "alice" : "bert");
	}
	assert_int_equal(ike_configure(w->side[BOB].e, &cfg, w->now), 0);
	drain(w, BOB);
	cfg_free(&t[0]);
	cfg_free(&t[1]);
	assert_true(run_until(w, both_done, 20 * IKE_SECOND));
	assert_string_equal(active_out(&w->side[BOB])->tunnel, "paris");
	assert_string_equal(w->side[BOB].login_tunnel, "paris");	/* whose users are looked at */
	world_free(w);
}

/* ---- habits of others -------------------------------------------------------------------------------------- */

/* A client's REPLY as some write it: NULs behind both texts. */
static void trailing_nuls_are_not_part_of_it(void **state)
{
	struct world *w = make_world(login);
	struct ike_tunnel_cfg t;

	(void)state;
	tunnel_cfg(&t, ALICE, P1, P2);
	login(&t, ALICE);
	free(t.xauth_password);
	t.xauth_password = malloc(12);
	memcpy(t.xauth_password, "wonderland\0\0", 12);
	t.xauth_password_len = 12;
	assert_int_equal(side_configure(w, ALICE, &t), 0);
	cfg_free(&t);
	assert_true(run_until(w, both_done, 20 * IKE_SECOND));
	assert_string_equal(w->side[BOB].login, "alice/wonderland");
	world_free(w);
}

static void attributes_are_checked(void **state)
{
	static const struct { const char *what; uint8_t body[16]; size_t len; bool ok; } tab[] = {
		{ "empty", { 1, 0, 0, 7 }, 4, true },
		{ "one TV", { 1, 0, 0, 7, 0xc0, 0x88, 0, 0 }, 8, true },
		{ "type 0", { 0, 0, 0, 7 }, 4, false },
		{ "type 5", { 5, 0, 0, 7 }, 4, false },
		{ "half a head", { 1, 0, 0, 7, 0, 1 }, 6, false },
		{ "beyond the end", { 1, 0, 0, 7, 0, 1, 0, 9, 1, 2 }, 10, false },
	};
	struct ike_cfgpay c;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(tab) / sizeof(tab[0]); i++) {
		uint8_t *copy = malloc(tab[i].len);	/* so that a sanitizer sees the end */
		struct ike_payload p = { .type = ISAKMP_NPTYPE_ATTR, .body = copy, .len = tab[i].len };

		memcpy(copy, tab[i].body, tab[i].len);
		if (!ike_cfgpay_decode(&p, &c, &why) != tab[i].ok)
			fail_msg("%s", tab[i].what);
		free(copy);
	}
}

/* Asked without being configured for it, or about an address nobody gives: dropped, and said. */
static void questions_out_of_place(void **state)
{
	struct world *w = world_new(P1, P2);
	struct ike_wbuf body;
	struct ike_ikesa *sa;

	(void)state;
	assert_true(run_until(w, both_done, 10 * IKE_SECOND));
	sa = w->side[BOB].e->ikesas;
	ike_wbuf_init(&body);
	ike_cfgpay_begin(&body, IKE_CFG_REQUEST, 1);
	ike_cfgpay_put(&body, IKE_XA_PASSWORD, NULL, 0);
	assert_int_equal(ike_transaction_start(sa, IKE_CFG_REQUEST, true, &body), 0);
	run_for(w, 2 * IKE_SECOND);
	assert_non_null(strstr(find_log(w, ALICE, "unexpected")->text, "XAUTH is not configured here"));
	assert_null(strstr(w->trace, "A:TR"));
	assert_true(tunnel_works(w));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(user_and_password),
		cmocka_unit_test(in_aggressive_mode),
		cmocka_unit_test(server_begins_phase1),
		cmocka_unit_test(methods_have_their_numbers),
		cmocka_unit_test(wrong_password),
		cmocka_unit_test(both_must_want_it),
		cmocka_unit_test(a_group_key_needs_the_word_insecure),
		cmocka_unit_test(no_way_around_the_login),
		cmocka_unit_test(each_message_lost_once),
		cmocka_unit_test(nobody_decides),
		cmocka_unit_test(no_phase_2_before_the_login),
		cmocka_unit_test(a_login_replaces_nothing_before_it_is_through),
		cmocka_unit_test(address_is_pulled),
		cmocka_unit_test(address_is_pushed),
		cmocka_unit_test(a_client_need_not_ask),
		cmocka_unit_test(a_server_that_gives_none),
		cmocka_unit_test(the_address_stays),
		cmocka_unit_test(leases),
		cmocka_unit_test(an_address_in_use_is_not_given_again),
		cmocka_unit_test(the_user_chooses_the_tunnel),
		cmocka_unit_test(trailing_nuls_are_not_part_of_it),
		cmocka_unit_test(attributes_are_checked),
		cmocka_unit_test(questions_out_of_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
