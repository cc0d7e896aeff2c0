/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyer's control socket from the client's side: one JSON object there, one back.
 */
#ifndef ESPTUN_CLI_KEYER_H
#define ESPTUN_CLI_KEYER_H

#include <stdbool.h>

struct cli;
struct json_object;

#define KEYER_CTL "/run/esptun/ctl"
#define KEYER_SECONDS 30	/* how long the keyer may take to answer */

/**
 * keyer_ask() - one request
 * @path: of the control socket
 * @request: taken over; an object
 * @refused: a reply that says "ok": false is returned too, instead of being printed
 * Return: the reply, to be released with json_object_put(), or NULL when the error was printed
 */
struct json_object *keyer_ask(struct cli *c, const char *path, struct json_object *request,
			      bool refused);

/** keyer_text() - member of an object as text, or NULL if there is none */
const char *keyer_text(struct json_object *o, const char *key);

#endif /* ESPTUN_CLI_KEYER_H */
