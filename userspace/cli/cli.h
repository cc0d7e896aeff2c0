/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every object of the esptun command shares: the options in force, the way to the
 * kernel, errors with their exit codes, and the tables of objects and commands.
 *
 * A new object is one file cmd_NAME.c with one "const struct cli_object cmd_NAME" and a line
 * in main.c's table. Nothing below main() exits; functions return one of CLI_*.
 */
#ifndef ESPTUN_CLI_CLI_H
#define ESPTUN_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cli/args.h"
#include "cli/print.h"
#include "libesptun/libesptun.h"

/* Exit codes, as ip(8) has them. */
enum {
	CLI_OK = 0,
	CLI_USAGE = 1,		/* the command was wrong, nothing was done */
	CLI_REFUSED = 2,	/* the kernel or the keyer refused or failed */
};

/**
 * struct cli - one run of the command
 * @out: where results go
 * @err: where errors go
 * @netns: network namespace of -n, or NULL
 * @stats: how often -s was given; 1 counters, 2 drops and the last error
 * @details: -d: everything (and @stats is 2)
 * @timestamps: -t, for monitor
 * @force: -force: a batch goes on after an error
 * @stdin_taken: the batch comes from standard input, so nothing else can
 * @now: CLOCK_BOOTTIME in ns, what "ago" refers to
 * @kernel: NULL until cli_kernel() opened it
 * @objects: table, ends with NULL
 * @where: "object command" for error messages
 */
struct cli {
	struct out out;
	FILE *err;
	const char *netns;
	int stats;
	bool details;
	bool timestamps;
	bool force;
	bool stdin_taken;
	uint64_t now;
	struct esptun_sock *kernel;
	const struct cli_object *const *objects;
	char where[64];
};

/**
 * struct cli_command - one command of an object
 * @name: matched by unique prefix; two names with the same @run are no ambiguity
 * @grammar: what follows the name, for help; NULL for a second name that help leaves out
 * @run: does it; Return: CLI_*
 */
struct cli_command {
	const char *name;
	const char *grammar;
	int (*run)(struct cli *c, struct args *a);
};

/**
 * struct cli_object - a noun
 * @name: matched by unique prefix
 * @summary: a few words for the list of objects
 * @commands: ends with a NULL name; an absent command means "show"
 * @notes: NULL, or prints what the grammars leave open, behind them
 */
struct cli_object {
	const char *name;
	const char *summary;
	const struct cli_command *commands;
	void (*notes)(FILE *f);
};

/** cli_run() - OBJECT [ COMMAND ] ... from @a. Return: CLI_* */
int cli_run(struct cli *c, struct args *a);

/** cli_batch() - each line of a file ("-": standard input) is a command. Return: CLI_* */
int cli_batch(struct cli *c, const char *file);

/** cli_kernel() - the kernel's handle, opened when first needed; NULL: error was printed */
struct esptun_sock *cli_kernel(struct cli *c);

/** cli_device() - ifindex of an esptun device by name. Return: CLI_*, error was printed */
int cli_device(struct cli *c, const char *name, uint32_t *ifindex);

/** cli_wrong() - "Error: ..." for a command that makes no sense. Return: CLI_USAGE */
int cli_wrong(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** cli_refused() - "Error: ..." with what the kernel's handle says. Return: CLI_REFUSED */
int cli_refused(struct cli *c);

/** cli_failed() - "Error: ..." for what could not be done otherwise. Return: CLI_REFUSED */
int cli_failed(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** cli_release() - close what the run opened */
void cli_release(struct cli *c);

extern const struct cli_object cmd_tunnel, cmd_sa, cmd_ike, cmd_monitor, cmd_module;

#endif /* ESPTUN_CLI_CLI_H */
