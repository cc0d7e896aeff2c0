// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Owns the command line's words and their help; opens nothing.
 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "ctl.h"
#include "log.h"

static const struct option long_options[] = {
	{ "check", required_argument, NULL, 'k' },
	{ "config", required_argument, NULL, 'c' },
	{ "ctl", required_argument, NULL, 's' },
	{ "ctl-group", required_argument, NULL, 'g' },
	{ "foreground", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "log-level", required_argument, NULL, 'l' },
	{ "port", required_argument, NULL, 'p' },
	{ "record", required_argument, NULL, 'r' },
	{ "user", required_argument, NULL, 'u' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static const char help[] =
	"Usage: esptund [OPTIONS]\n"
	"Negotiates IKEv1 for esptun devices. Runs in the foreground; logs on stderr.\n"
	"\n"
	"  -c, --config FILE      configuration (" CONF_PATH ")\n"
	"      --check FILE       only check FILE: print what is wrong with it, exit 1 if it is refused\n"
	"      --ctl PATH         control socket (" CTL_PATH ")\n"
	"      --ctl-group GROUP  whose members may use the control socket\n"
	"  -f, --foreground       stay in the foreground, as always\n"
	"  -l, --log-level WORD   error, warning, notice (default), info or debug\n"
	"  -u, --user USER        who the process that talks to peers becomes (esptun, else nobody)\n"
	"  -h, --help             this text\n"
	"  -V, --version          version\n"
	"For tests:\n"
	"      --port PORT        UDP port here and at the peers instead of 500\n"
	"      --record FILE      write SAs with their keys to FILE instead of installing them\n"
	"\n"
	"Signals: HUP reads the configuration again, TERM ends the keyer and leaves the tunnels up.\n";

static bool parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (!*text || *end || *text == '-' || n < 1 || n > 65535)
		return false;
	*port = (uint16_t)n;
	return true;
}

/* Returns false for a value that does not fit. */
static bool set_option(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 'k':
		o->check = arg;
		return true;
	case 'c':
		o->config = arg;
		return true;
	case 's':
		o->ctl = arg;
		return true;
	case 'g':
		o->ctl_group = arg;
		return true;
	case 'f':
		return true;
	case 'l':
		return log_level_parse(arg, &o->level);
	case 'p':
		o->port_given = true;
		return parse_port(arg, &o->port);
	case 'r':
		o->record = arg;
		return true;
	case 'u':
		o->user = arg;
		return true;
	}
	return false;
}

enum options_result options_parse(struct options *o, int argc, char **argv)
{
	int c;

	*o = (struct options){ .config = CONF_PATH, .ctl = CTL_PATH, .port = 500, .level = IKE_LOG_NOTICE };
	optind = 1;
	while ((c = getopt_long(argc, argv, "c:fhl:u:V", long_options, NULL)) != -1) {
		if (c == 'h' || c == 'V') {
			fputs(c == 'h' ? help : "esptund " ESPTUND_VERSION "\n", stdout);
			return OPTIONS_DONE;
		}
		if (c == '?')
			return OPTIONS_WRONG;
		if (!set_option(o, c, optarg)) {
			fprintf(stderr, "esptund: \"%s\" is not a value for this option, see --help\n", optarg);
			return OPTIONS_WRONG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "esptund: unexpected argument \"%s\", see --help\n", argv[optind]);
		return OPTIONS_WRONG;
	}
	return OPTIONS_RUN;
}
