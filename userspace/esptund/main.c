// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptund, the keyer: reads the command line and becomes two processes, the warden and the
 * cell (passage.h). The first one is what the service manager and administrators see.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell.h"
#include "conf.h"
#include "notify.h"
#include "passage.h"
#include "priv.h"
#include "warden.h"

static void print_finding(void *ctx, enum conf_severity severity, const char *file, unsigned int line, const char *text)
{
	(void)ctx;
	if (line)
		fprintf(stderr, "%s:%u: ", file, line);
	else
		fprintf(stderr, "%s: ", file);
	fprintf(stderr, "%s: %s\n", severity == CONF_ERROR ? "error" : "warning", text);
}

static int check(const char *path)
{
	struct conf *conf = conf_load(path, print_finding, NULL);

	if (!conf)
		return EXIT_FAILURE;
	printf("%s: %zu tunnels, no errors\n", path, conf->ike.n_tunnels);
	conf_free(conf);
	return EXIT_SUCCESS;
}

static int both(const struct options *opt)
{
	uint64_t watchdog = notify_watchdog_usec();
	int asks[2], tells[2], err = passage_pair(asks);
	pid_t cell;

	if (!err)
		err = passage_pair(tells);
	if (err) {
		fprintf(stderr, "esptund: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	cell = fork();
	if (cell < 0) {
		fprintf(stderr, "esptund: cannot make a process: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	/* Whose ends these are not must not keep the passage open. */
	close(asks[!!cell]);
	close(tells[!!cell]);
	return cell ? warden_run(opt, cell, asks[0], tells[0]) : cell_run(opt, asks[1], tells[1], watchdog);
}

int main(int argc, char **argv)
{
	struct options opt;
	int err = priv_harden();

	switch (options_parse(&opt, argc, argv)) {
	case OPTIONS_DONE:
		return EXIT_SUCCESS;
	case OPTIONS_WRONG:
		return 2;
	case OPTIONS_RUN:
		break;
	}
	if (err) {
		fprintf(stderr, "esptund: cannot protect the process: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	if (opt.check)
		return check(opt.check);
	signal(SIGPIPE, SIG_IGN);
	/* What whoever started us has left open is not for the cell. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	return both(&opt);
}
