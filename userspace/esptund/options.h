/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of esptund.
 */
#ifndef ESPTUND_OPTIONS_H
#define ESPTUND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "libike/ike.h"

#define ESPTUND_VERSION "0.1"

struct options {
	const char *config;	/* --config */
	const char *check;	/* --check: only read this file */
	const char *ctl;	/* --ctl */
	const char *ctl_group;	/* --ctl-group; NULL: none */
	const char *record;	/* --record; NULL: the kernel module */
	const char *user;	/* --user; NULL: see priv.h */
	uint16_t port;		/* --port; 500 */
	bool port_given;
	enum ike_log_level level;
};

enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Strings point into argv. DONE: help or version was printed; WRONG: the mistake was. */
enum options_result options_parse(struct options *o, int argc, char **argv);

#endif
