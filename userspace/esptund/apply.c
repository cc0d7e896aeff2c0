// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns how a configuration comes into force, at start and at reload alike: read whole,
 * checked whole, then devices, then the engine. An error at any point leaves the old one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_aggressive.h"
#include "daemon.h"
#include "users.h"

struct report {
	struct daemon *d;
	struct json_object *findings;
};

static void on_finding(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	struct report *r = ctx;
	bool error = severity == CONF_ERROR;
	struct json_object *o;

	log_line(r->d->log, error ? IKE_LOG_ERROR : IKE_LOG_WARNING, error ? "config-error" : "config-warning", NULL,
		 "%s:%u: %s", file, line, text);
	if (!r->findings)
		return;
	o = json_object_new_object();
	json_object_object_add(o, "severity", json_object_new_string(error ? "error" : "warning"));
	json_object_object_add(o, "file", json_object_new_string(file));
	json_object_object_add(o, "line", json_object_new_int64(line));
	json_object_object_add(o, "text", json_object_new_string(text));
	json_object_array_add(r->findings, o);
}

/* --port stands for the IKE port everywhere. */
static void override_port(struct ike_config *cfg, uint16_t port)
{
	for (size_t i = 0; i < cfg->n_tunnels; i++) {
		cfg->tunnel[i].local.port = port;
		cfg->tunnel[i].remote.port = port;
	}
}

static struct kern_device *devices_of(const struct conf *conf)
{
	size_t n = conf->ike.n_tunnels;
	struct kern_device *dev = calloc(n ? n : 1, sizeof(*dev));

	for (size_t i = 0; dev && i < n; i++) {
		const struct ike_tunnel_cfg *t = &conf->ike.tunnel[i];

		memcpy(dev[i].tunnel, t->name, sizeof(dev[i].tunnel));
		memcpy(dev[i].device, conf->tunnel[i].device, sizeof(dev[i].device));
		dev[i].create = conf->tunnel[i].create_device;
		dev[i].on_demand = t->start == IKE_START_TRAFFIC;
		dev[i].local = t->local;
		dev[i].remote = t->remote;
		dev[i].roaming = conf_is_any(&t->remote);
	}
	return dev;
}

static bool set_devices(struct daemon *d, const struct conf *conf)
{
	struct kern_device *dev = devices_of(conf);

	if (!dev)
		return false;
	/* A tunnel without device is logged there and fails alone when it is negotiated. */
	kern_devices_set(d->kern, dev, conf->ike.n_tunnels);
	free(dev);
	return true;
}

static const char *device_before(const struct conf *conf, const char *tunnel)
{
	for (size_t i = 0; conf && i < conf->ike.n_tunnels; i++)
		if (!strcmp(conf->ike.tunnel[i].name, tunnel))
			return conf->tunnel[i].device;
	return NULL;
}

/* SAs do not move: a tunnel that has another device now needs others there. */
static void move_tunnels(struct daemon *d, const struct conf *conf)
{
	for (size_t i = 0; i < conf->ike.n_tunnels; i++) {
		const struct ike_tunnel_cfg *t = &conf->ike.tunnel[i];
		const char *before = device_before(d->conf, t->name);

		if (!before || !strcmp(before, conf->tunnel[i].device))
			continue;
		log_line(d->log, IKE_LOG_NOTICE, "device-changed", t->name, "from %s to %s: IPsec SAs are negotiated anew",
			 before, conf->tunnel[i].device);
		/* Who only answers cannot replace them; the peer begins again when they are deleted. */
		run_command(d->run, t->start == IKE_START_RESPOND ? IKE_CMD_DOWN : IKE_CMD_REKEY_P2, t->name);
	}
}

bool apply_login(void *ctx, const char *tunnel, const struct ike_login *login)
{
	struct daemon *d = ctx;

	for (size_t i = 0; d->conf && i < d->conf->ike.n_tunnels; i++)
		if (!strcmp(d->conf->ike.tunnel[i].name, tunnel))
			return users_check(d->conf->tunnel[i].users, login->user, login->user_len, login->password,
					   login->password_len);
	return false;
}

static const char *refusal(int err)
{
	return err == -IKE_E_NOMEM ? "out of memory" : "refused by the engine";
}

bool apply_configuration(struct daemon *d, struct json_object *findings)
{
	struct report r = { .d = d, .findings = findings };
	struct conf *conf = conf_load(d->opt.config, on_finding, &r);
	int err;

	if (!conf) {
		log_line(d->log, IKE_LOG_ERROR, "config-refused", NULL, "%s%s", d->opt.config,
			 d->conf ? ": the configuration in force stays" : "");
		return false;
	}
	if (d->opt.port_given)
		override_port(&conf->ike, d->opt.port);
	err = set_devices(d, conf) ? run_configure(d->run, &conf->ike) : -IKE_E_NOMEM;
	if (err) {
		on_finding(&r, CONF_ERROR, d->opt.config, 0, refusal(err));
		if (d->conf)
			set_devices(d, d->conf);
		conf_free(conf);
		return false;
	}
	run_addresses(d->run, watch_is_here, NULL);
	move_tunnels(d, conf);
	kern_devices_reap(d->kern);
	conf_free(d->conf);
	d->conf = conf;
	log_line(d->log, IKE_LOG_NOTICE, "config-loaded", NULL, "%s: %zu tunnels", d->opt.config, conf->ike.n_tunnels);
	return true;
}
