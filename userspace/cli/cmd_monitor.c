// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun monitor: events as they come, one record each, until interrupted. In JSON each
 * event is an object of its own, so that a reader can take them one by one.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/selector.h"
#include "cli/show.h"

#define NAMES	256

/* Names of devices seen last, so that an event of one that is gone can still name it. */
struct names {
	struct { uint32_t ifindex; char ifname[IFNAMSIZ]; } slot[NAMES];
	size_t next;
};

struct monitor {
	struct cli *c;
	struct names names;
};

static void remember(struct names *n, uint32_t ifindex, const char *ifname)
{
	size_t i;

	for (i = 0; i < NAMES && n->slot[i].ifindex != ifindex; i++)
		;
	if (i == NAMES)
		i = n->next++ % NAMES;
	n->slot[i].ifindex = ifindex;
	snprintf(n->slot[i].ifname, IFNAMSIZ, "%s", ifname);
}

static const char *name_of(struct monitor *m, uint32_t ifindex, char buf[IFNAMSIZ])
{
	if (esptun_link_name(m->c->kernel, ifindex, buf) == 0) {
		remember(&m->names, ifindex, buf);
		return buf;
	}
	for (size_t i = 0; i < NAMES; i++)
		if (m->names.slot[i].ifindex == ifindex)
			return m->names.slot[i].ifname;
	snprintf(buf, IFNAMSIZ, "if%u", ifindex);
	return buf;
}

static void show_time(struct out *o)
{
	struct timespec now;
	char text[32], stamp[64];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(stamp, sizeof(stamp), "%s.%06u", text, (unsigned int)(now.tv_nsec / 1000) % 1000000);
	out_name(o, "timestamp", stamp);
}

static void show_device(struct out *o, const struct esptun_event *ev, const char *ifname)
{
	const struct esptun_tunnel *t = &ev->tunnel;
	char text[INET6_ADDRSTRLEN];

	out_name(o, "dev", ifname);
	if (t->tunnel_id)
		out_num(o, "id", t->tunnel_id);
	out_num(o, "ifindex", t->ifindex);
	if (ev->type == ESPTUN_CMD_CARRIER_NTF)
		out_onoff(o, "carrier", t->carrier);
	if (ev->type == ESPTUN_CMD_CARRIER_NTF && t->out_spi)
		out_hex32(o, "out_spi", t->out_spi);
	if (ev->type == ESPTUN_CMD_PEER_MOVED_NTF) {
		out_str(o, "peer", esptun_addr_text(&t->peer, text));
		if (t->peer_port)
			out_num(o, "peer_port", t->peer_port);
	}
	if (ev->type == ESPTUN_CMD_ACQUIRE_NTF)
		cli_show_flow(o, &t->flow);
	if (ev->type != ESPTUN_EVENT_TUNNEL_SET)
		return;
	out_str(o, "local", esptun_addr_text(&t->local, text));
	out_str(o, "remote", esptun_addr_text(&t->remote, text));
	out_str(o, "state", t->up ? "up" : "down");
	out_onoff(o, "carrier", t->carrier);
	out_num(o, "mtu", t->mtu);
}

static void show_event(struct monitor *m, const struct esptun_event *ev)
{
	struct out *o = &m->c->out;
	char buf[IFNAMSIZ];

	switch (ev->type) {
	case ESPTUN_EVENT_RESYNC:
		break;
	case ESPTUN_EVENT_TUNNEL_SET:
	case ESPTUN_EVENT_TUNNEL_GONE:
		remember(&m->names, ev->tunnel.ifindex, ev->tunnel.ifname);
		show_device(o, ev, ev->tunnel.ifname);
		break;
	case ESPTUN_CMD_ACQUIRE_NTF:
	case ESPTUN_CMD_CARRIER_NTF:
	case ESPTUN_CMD_PEER_MOVED_NTF:
		show_device(o, ev, *ev->tunnel.ifname ? ev->tunnel.ifname :
				   name_of(m, ev->tunnel.ifindex, buf));
		break;
	case ESPTUN_CMD_SA_DELETED_NTF:
		cli_show_sa(m->c, name_of(m, ev->sa.ifindex, buf), &ev->sa);
		out_str(o, "reason", esptun_delete_reason_name(ev->sa.reason));
		break;
	default:
		cli_show_sa(m->c, name_of(m, ev->sa.ifindex, buf), &ev->sa);
		break;
	}
}

static void on_event(const struct esptun_event *ev, void *arg)
{
	struct monitor *m = arg;
	struct out *o = &m->c->out;
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	m->c->now = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	out_item_begin(o);
	if (m->c->timestamps)
		show_time(o);
	out_name(o, "event", esptun_event_name(ev->type));
	show_event(m, ev);
	out_item_end(o);
	fflush(o->f);
}

static int watch(struct cli *c, struct esptun_events *events)
{
	struct pollfd p = { .fd = esptun_events_fd(events), .events = POLLIN };
	struct monitor m = { .c = c };
	int got;

	/* Whoever reads the output can rely on every event from here on. */
	fflush(c->out.f);
	do {
		got = poll(&p, 1, -1);
		if (got > 0)
			got = esptun_events_read(events, on_event, &m);
	} while ((got >= 0 || errno == EINTR) && !ferror(c->out.f));
	return got < 0 ? cli_failed(c, "events: %s", strerror(-got)) : CLI_OK;
}

static int monitor(struct cli *c, struct args *a, unsigned int what)
{
	struct esptun_events *events;
	int ret = args_end(c, a);

	if (ret != CLI_OK)
		return ret;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	if (esptun_events_new(c->kernel, what, &events) < 0)
		return cli_refused(c);
	ret = watch(c, events);
	esptun_events_free(events);
	return ret;
}

static int monitor_all(struct cli *c, struct args *a)
{
	return monitor(c, a, ESPTUN_EVENTS_GENL | ESPTUN_EVENTS_LINK);
}

static int monitor_sa(struct cli *c, struct args *a)
{
	return monitor(c, a, ESPTUN_EVENTS_GENL);
}

static int monitor_tunnel(struct cli *c, struct args *a)
{
	return monitor(c, a, ESPTUN_EVENTS_LINK);
}

static const struct cli_command commands[] = {
	{ "all", "", monitor_all },
	{ "show", NULL, monitor_all },
	{ "sa", "", monitor_sa },
	{ "tunnel", "", monitor_tunnel },
	{ NULL, NULL, NULL }
};

const struct cli_object cmd_monitor = {
	.name = "monitor",
	.summary = "events as they come",
	.commands = commands,
};
