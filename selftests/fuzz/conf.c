// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network under test, read from the lines that the script which made it has written:
 *
 *	gateway NETNS				outside NETNS
 *	wire NAME DEV MAC FAR-DEV FAR-MAC MTU
 *	device NAME LOCAL REMOTE wire WIRE | device DEVICE | ipip DEVICE LOCAL REMOTE
 *	sa DEVICE in|out SPI ENCR AUTH EKEY|- AKEY|- esn|- WINDOW NUMBER
 *
 * Makes and changes nothing in the network.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "esp.h"

struct wire wires[MAX_WIRES];
struct device devices[MAX_DEVICES];
struct sa sas[MAX_SAS];
int wire_count, device_count, sa_count;
char gateway[64], outside[64];

#define WORDS 12

void enter(const char *netns)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
}

static uint32_t address(const char *word)
{
	uint32_t a;

	if (inet_pton(AF_INET, word, &a) != 1)
		errx(2, "not an address: %s", word);
	return a;
}

static void mac(const char *word, uint8_t m[6])
{
	if (sscanf(word, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
		errx(2, "not a hardware address: %s", word);
}

static int index_of(const char *netns, const char *dev)
{
	int index;

	enter(netns);
	index = (int)if_nametoindex(dev);
	if (!index)
		err(1, "%s", dev);
	return index;
}

static struct wire *wire_named(const char *name)
{
	int i;

	for (i = 0; i < wire_count; i++)
		if (!strcmp(wires[i].name, name))
			return &wires[i];
	errx(2, "no such wire: %s", name);
}

static struct device *device_named(const char *name)
{
	int i;

	for (i = 0; i < device_count; i++)
		if (!strcmp(devices[i].name, name))
			return &devices[i];
	errx(2, "no such device: %s", name);
}

static void name_set(char to[NAME], const char *word)
{
	if (strlen(word) >= NAME)
		errx(2, "too long a name: %s", word);
	strcpy(to, word);
}

static void read_wire(char **w)
{
	struct wire *wire = &wires[wire_count];

	if (wire_count++ == MAX_WIRES)
		errx(2, "too many wires");
	name_set(wire->name, w[1]);
	name_set(wire->far_dev, w[4]);
	mac(w[3], wire->near_mac);
	mac(w[5], wire->far_mac);
	wire->near_index = index_of(outside, w[2]);
	wire->far_index = index_of(gateway, w[4]);
	wire->mtu = atoi(w[6]);
	wire->far = -1;
}

static void read_device(char **w)
{
	struct device *d = &devices[device_count];

	if (device_count == MAX_DEVICES)
		errx(2, "too many devices");
	name_set(d->name, w[1]);
	d->local = address(w[2]);
	d->remote = address(w[3]);
	if (!strcmp(w[4], "wire")) {
		d->wire = wire_named(w[5]);
	} else {
		d->under = device_named(w[5]);
		d->wire = d->under->wire;
		d->ipip = !strcmp(w[4], "ipip");
		if (d->ipip) {
			d->ipip_local = address(w[6]);
			d->ipip_remote = address(w[7]);
		}
	}
	d->index = index_of(gateway, d->name);
	d->clones = -1;
	device_count++;
}

static void read_sa(char **w)
{
	struct sa *sa = &sas[sa_count];

	if (sa_count++ == MAX_SAS)
		errx(2, "too many SAs");
	sa->dev = device_named(w[1]);
	sa->out = !strcmp(w[2], "out");
	sa->spi = (uint32_t)strtoul(w[3], NULL, 0);
	esp_algorithm(sa, w[4], w[5], w[6], w[7]);
	sa->esn = !strcmp(w[8], "esn");
	sa->window = (uint32_t)atoi(w[9]);
	sa->begin = sa->top = strtoull(w[10], NULL, 0);
	sa->seen = calloc(SEEN, sizeof(*sa->seen));
	if (!sa->seen)
		err(1, NULL);
	if (sa->out)
		sa->dev->out = sa;
	else if (!sa->dev->in)
		sa->dev->in = sa;
}

static void read_name(char **w)
{
	char *to = !strcmp(w[0], "gateway") ? gateway : outside;

	snprintf(to, sizeof(gateway), "%s", w[1]);
}

static const struct {
	const char *word;
	int least;
	void (*read)(char **words);
} lines[] = {
	{ "gateway", 2, read_name }, { "outside", 2, read_name }, { "wire", 7, read_wire },
	{ "device", 6, read_device }, { "sa", 11, read_sa },
};

static void read_line(char *line)
{
	char *words[WORDS] = { }, *save;
	int count = 0;
	size_t i;

	for (words[0] = strtok_r(line, " \n", &save); words[count] && count < WORDS - 1;)
		words[++count] = strtok_r(NULL, " \n", &save);
	for (i = 0; count && i < sizeof(lines) / sizeof(*lines); i++)
		if (!strcmp(lines[i].word, words[0]) && count >= lines[i].least) {
			lines[i].read(words);
			return;
		}
	if (count)
		errx(2, "not a line of a configuration: %s ...", words[0]);
}

void conf_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!f)
		err(1, "%s", path);
	while (getline(&line, &size, f) > 0)
		read_line(line);
	free(line);
	fclose(f);
	if (!wire_count || !device_count || !sa_count)
		errx(2, "%s: no wire, no device or no SA", path);
}
