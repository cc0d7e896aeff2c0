// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun module: the version of the kernel module and what it has made and unmade.
 */
#include "cli/cli.h"

static int module_show(struct cli *c, struct args *a)
{
	struct esptun_module m;
	struct out *o = &c->out;
	int ret = args_end(c, a);

	if (ret != CLI_OK)
		return ret;
	if (!cli_kernel(c))
		return CLI_REFUSED;
	if (esptun_module_get(c->kernel, &m) < 0)
		return cli_refused(c);
	out_list_begin(o);
	out_item_begin(o);
	out_str(o, "version", m.version);
	out_num(o, "tunnels_created", m.tunnels_created);
	out_num(o, "tunnels_destroyed", m.tunnels_destroyed);
	out_num(o, "sas_created", m.sas_created);
	out_num(o, "sas_destroyed", m.sas_destroyed);
	out_num(o, "rx_foreign_spi", m.rx_foreign_spi);
	out_num(o, "rx_keepalives", m.rx_keepalives);
	out_num(o, "tx_keepalives", m.tx_keepalives);
	out_item_end(o);
	out_list_end(o);
	return CLI_OK;
}

static const struct cli_command commands[] = {
	{ "show", "", module_show },
	{ "list", NULL, module_show },
	{ NULL, NULL, NULL }
};

const struct cli_object cmd_module = {
	.name = "module",
	.summary = "the kernel module: version and totals",
	.commands = commands,
};
