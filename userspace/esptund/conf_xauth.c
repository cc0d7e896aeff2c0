// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * XAUTH and mode config in the configuration. See conf_xauth.h.
 */
#include "conf_xauth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_value.h"
#include "libike/crypto.h"
#include "secrets.h"
#include "users.h"

void conf_apply_xauth(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = {
		{ "off", IKE_XAUTH_OFF }, { "client", IKE_XAUTH_CLIENT }, { "server", IKE_XAUTH_SERVER }, { NULL, 0 },
	};
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "off, client or server");
	else
		b->ike->xauth = (enum ike_xauth)value;
}

void conf_apply_xauth_user(struct conf_build *b, const struct conf_entry *e)
{
	const char *text = e->word[0].text, *p;

	for (p = text; *p >= ' ' && *p <= '~'; p++)
		;
	if (!*text || *p || strlen(text) > IKE_XAUTH_MAX)
		conf_bad_value(b, e, &e->word[0], "a user name of 1 to 127 printable ASCII characters");
	else
		snprintf(b->ike->xauth_user, sizeof(b->ike->xauth_user), "%s", text);
}

/* False, and said, when it is no name of a file. */
static bool path_of(struct conf_build *b, const struct conf_entry *e, char *path, size_t size)
{
	const char *name = e->word[0].text;
	int n = snprintf(path, size, "%s%s", *name == '/' ? "" : b->dir, name);

	if (*name && n >= 0 && (size_t)n < size)
		return true;
	conf_bad_value(b, e, &e->word[0], "the name of a file");
	return false;
}

void conf_apply_xauth_password_file(struct conf_build *b, const struct conf_entry *e)
{
	char path[4096], why[512];
	uint8_t *password;
	size_t len;

	if (!path_of(b, e, path, sizeof(path)))
		return;
	if (secrets_read_psk(path, &password, &len, why, sizeof(why))) {
		conf_error(b->log, e->line, "%s: %s", e->key, why);
		return;
	}
	if (b->ike->xauth_password)
		ike_crypto_wipe(b->ike->xauth_password, b->ike->xauth_password_len);
	free(b->ike->xauth_password);
	b->ike->xauth_password = password;
	b->ike->xauth_password_len = len;
}

void conf_apply_xauth_users(struct conf_build *b, const struct conf_entry *e)
{
	char path[4096], why[512];
	struct users *users;
	unsigned int line;
	const char *weak;

	if (!path_of(b, e, path, sizeof(path)))
		return;
	users = users_read(path, why, sizeof(why), &line);
	if (!users) {
		conf_error(b->log, e->line, "%s: %s", e->key, why);
		return;
	}
	weak = users_weakness(users);
	if (weak)
		conf_warning(b->log, e->line, "%s: %s has a hash of the %s kind, which is weak: make new ones with "
			     "mkpasswd -m yescrypt", e->key, e->word[0].text, weak);
	users_free(b->own->users);
	b->own->users = users;
}

void conf_apply_mode_config(struct conf_build *b, const struct conf_entry *e)
{
	static const struct conf_choice words[] = {
		{ "off", IKE_MODECFG_OFF }, { "pull", IKE_MODECFG_PULL }, { "push", IKE_MODECFG_PUSH }, { NULL, 0 },
	};
	int value;

	if (conf_parse_choice(e->word[0].text, words, &value))
		conf_bad_value(b, e, &e->word[0], "off, pull or push");
	else
		b->ike->modecfg = (enum ike_modecfg)value;
}

/* Of a network the addresses of hosts; those with all bits clear and set are left out. */
static bool net_to_range(const struct ike_net *net, struct ike_addr *first, struct ike_addr *last)
{
	unsigned int i;

	if (net->family != 4 || net->prefix < 8 || net->prefix > 30)
		return false;
	first->family = last->family = 4;
	memcpy(first->ip, net->ip, 4);
	memcpy(last->ip, net->ip, 4);
	for (i = net->prefix; i < 31; i++)
		last->ip[i / 8] |= (uint8_t)(0x80 >> i % 8);
	first->ip[3] |= 1;
	return true;
}

static bool parse_range(const char *text, struct ike_addr *first, struct ike_addr *last)
{
	char copy[64];
	char *dash;

	snprintf(copy, sizeof(copy), "%s", text);
	dash = strchr(copy, '-');
	if (dash)
		*dash++ = '\0';
	return !conf_parse_addr(copy, first) && !conf_parse_addr(dash ? dash : copy, last) &&
	       first->family == 4 && last->family == 4 && first->ip[0] && memcmp(first->ip, last->ip, 4) <= 0;
}

void conf_apply_address_pool(struct conf_build *b, const struct conf_entry *e)
{
	struct ike_addr first = { 0 }, last = { 0 };
	const char *text = e->word[0].text;
	struct ike_net net;

	if (strchr(text, '/') ? !conf_parse_net(text, &net) && net_to_range(&net, &first, &last) :
	    parse_range(text, &first, &last)) {
		b->ike->pool_first = first;
		b->ike->pool_last = last;
		return;
	}
	conf_bad_value(b, e, &e->word[0], "IPv4 addresses such as 10.9.0.10-10.9.0.99, or a network of prefix 8 to 30");
}

void conf_apply_address_dns(struct conf_build *b, const struct conf_entry *e)
{
	struct ike_addr a;
	size_t i;

	b->ike->n_dns = 0;
	for (i = 0; i < e->n_words; i++) {
		if (conf_parse_addr(e->word[i].text, &a) || a.family != 4 || !a.ip[0])
			conf_bad_value(b, e, &e->word[i], "an IPv4 address");
		else
			b->ike->dns[b->ike->n_dns++] = a;
	}
}

void conf_check_xauth(struct conf_build *b)
{
	const struct ike_tunnel_cfg *t = b->ike;

	if (t->xauth == IKE_XAUTH_SERVER && !b->own->users)
		conf_error(b->log, t->line, "tunnel %s: xauth = server needs xauth-users = \"FILE\"", b->name);
	if (t->xauth && t->psk)
		conf_warning(b->log, t->line, "tunnel %s: XAUTH with a pre-shared key: whoever knows the key can pose as the server "
			     "and gets the password", b->name);
}
