// SPDX-License-Identifier: GPL-2.0
/*
 * Starts the parts of the module in order and stops them in reverse.
 */
#include "crypto.h"
#include "device.h"
#include "gro.h"
#include "keyring.h"
#include "netlink.h"
#include "queue.h"
#include "rcv.h"
#include <linux/module.h>
#include <net/rtnetlink.h>

#ifndef ESPTUN_VERSION
#define ESPTUN_VERSION "0.1"
#endif

bool esptun_lingers;

static int __init esptun_init(void)
{
	int err;

	esptun_keyring_init();
	err = esptun_gro_init();
	if (err)
		return err;
	err = esptun_crypto_start();
	if (err)
		goto err_gro;
	err = esptun_device_init();
	if (err)
		goto err_crypto;
	err = esptun_queue_init();
	if (err)
		goto err_device;
	err = esptun_rcv_init();
	if (err)
		goto err_queue;
	err = genl_register_family(&esptun_nl_family);
	if (err)
		goto err_rcv;
	err = rtnl_link_register(&esptun_link_ops);
	if (err)
		goto err_genl;
	return 0;

err_genl:
	genl_unregister_family(&esptun_nl_family);
err_rcv:
	esptun_rcv_exit();
err_queue:
	esptun_queue_exit();
err_device:
	esptun_device_exit();
err_crypto:
	esptun_crypto_stop();
err_gro:
	esptun_gro_exit();
	return err;
}

static void __exit esptun_exit(void)
{
	rtnl_link_unregister(&esptun_link_ops);
	genl_unregister_family(&esptun_nl_family);
	esptun_rcv_exit();
	esptun_queue_exit();
	esptun_device_exit();
	esptun_crypto_stop();
	esptun_gro_exit();
	/*
	 * A cipher's completion gives up the device, and a socket's end the module, a few
	 * instructions before they return: on a preemptible kernel a task may be in between.
	 * That is a wait for every task of the machine, and for nothing where there was neither.
	 */
	if (READ_ONCE(esptun_lingers))
		synchronize_rcu_tasks();
}

module_init(esptun_init);
module_exit(esptun_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("ESP tunnel device (RFC 4303)");
MODULE_AUTHOR("The esptun authors");
MODULE_VERSION(ESPTUN_VERSION);
MODULE_ALIAS_RTNL_LINK("esptun");
MODULE_ALIAS_GENL_FAMILY(ESPTUN_GENL_NAME);
