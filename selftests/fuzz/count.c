// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counters of devices, see count.h. Every counter the driver has takes part, so one that
 * nobody expected to move is seen as well.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "count.h"

const char *count_names[MAX_COUNTERS];
int count_total;
static int driver_total, sock = -1, proc = -1;
static int received, sent, core;

static void ethtool(const char *dev, void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	strcpy(ifr.ifr_name, dev);
	if (ioctl(sock, SIOCETHTOOL, &ifr))
		err(1, "ethtool %s", dev);
}

static int add(const char *name)
{
	if (count_total == MAX_COUNTERS)
		errx(1, "more counters than places for them");
	count_names[count_total] = strdup(name);
	return count_total++;
}

void count_open(void)
{
	struct ethtool_sset_info *info = calloc(1, sizeof(*info) + sizeof(uint32_t));
	struct ethtool_gstrings *strings;
	char name[ETH_GSTRING_LEN + 1] = "";
	int i;

	enter(gateway);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	proc = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
	if (sock < 0 || proc < 0 || !info)
		err(1, "counters");
	info->cmd = ETHTOOL_GSSET_INFO;
	info->sset_mask = 1u << ETH_SS_STATS;
	ethtool(devices[0].name, info);
	driver_total = (int)info->data[0];
	strings = calloc(1, sizeof(*strings) + (size_t)driver_total * ETH_GSTRING_LEN);
	if (!strings)
		err(1, NULL);
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = (uint32_t)driver_total;
	ethtool(devices[0].name, strings);
	for (i = 0; i < driver_total; i++) {
		memcpy(name, strings->data + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		add(name);
	}
	received = add(COUNT_RECEIVED);
	sent = add(COUNT_SENT);
	core = add(COUNT_CORE);
	free(strings);
	free(info);
}

static void read_core(counters into)
{
	long long f[12];
	char text[16384], *line, *save;
	ssize_t len = pread(proc, text, sizeof(text) - 1, 0);
	int d, i;

	if (len <= 0)
		err(1, "/proc/net/dev");
	text[len] = 0;
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		for (d = 0; d < device_count; d++) {
			char *at = line + strspn(line, " ");
			size_t n = strlen(devices[d].name);

			if (strncmp(at, devices[d].name, n) || at[n] != ':')
				continue;
			if (sscanf(at + n + 1, "%lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld",
				   f, f + 1, f + 2, f + 3, f + 4, f + 5, f + 6, f + 7, f + 8, f + 9,
				   f + 10, f + 11) != 12)
				errx(1, "/proc/net/dev: %s", line);
			into[d][received] = f[1];
			into[d][sent] = f[9];
			into[d][core] = f[11];
			for (i = 0; i < driver_total; i++)
				if (count_is(i, "tx_"))
					into[d][core] -= into[d][i];
		}
}

void count_read(counters into)
{
	static struct ethtool_stats *stats;
	int d, i;

	if (!stats)
		stats = calloc(1, sizeof(*stats) + MAX_COUNTERS * sizeof(stats->data[0]));
	if (!stats)
		err(1, NULL);
	for (d = 0; d < device_count; d++) {
		stats->cmd = ETHTOOL_GSTATS;
		stats->n_stats = (uint32_t)driver_total;
		ethtool(devices[d].name, stats);
		for (i = 0; i < driver_total; i++)
			into[d][i] = (int64_t)stats->data[i];
	}
	read_core(into);
}

int count_index(const char *name)
{
	int i;

	for (i = 0; i < count_total; i++)
		if (!strcmp(count_names[i], name))
			return i;
	errx(1, "the device has no counter '%s'", name);
}

bool count_is(int index, const char *prefix)
{
	return index < driver_total && !strncmp(count_names[index], prefix, strlen(prefix));
}

void want(struct batch *b, const struct device *d, const char *name, int64_t by)
{
	b->want[d - devices][count_index(name)] += by;
}
