/* SPDX-License-Identifier: GPL-2.0 */
/* The queue in front of a device without carrier: there is none, see queue.c. */
#ifndef _ESPTUN_QUEUE_H
#define _ESPTUN_QUEUE_H

int esptun_queue_init(void);
void esptun_queue_exit(void);

#endif /* _ESPTUN_QUEUE_H */
